//! `gazetted publish`: one file or more, now.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Error, report, say};
use crate::{config::Newsroom, daemon, inbox, ledger::Queued, press::Press, press::Receipt, press::Verdict};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The files, or folders or zips with a text and its pictures; one in the inbox is the same issue as when the daemon finds it there
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Publish in spite of every doubt, and of marks that are left in a proof
    #[arg(long)]
    accept: bool,
}

pub(super) fn run(newsroom: &Newsroom, arguments: &Arguments) -> Result<(), Error> {
    let ledger = daemon::open_ledger(newsroom)?;
    let publication = newsroom.publication(newsroom.settings.http.listen);
    let press = daemon::open_press(newsroom, publication, ledger)?;
    let mut rejected = false;
    let mut changed = false;
    let mut published = || -> Result<(), Error> {
        for file in &arguments.files {
            let verdict = publish(&press, newsroom, file, arguments.accept)?;
            rejected |= matches!(verdict, Verdict::Rejected(_) | Verdict::Withheld(_));
            changed |= matches!(verdict, Verdict::Published(_));
        }
        Ok(())
    };
    let ended = published();
    // Whatever became of the last file, those before it are out.
    if changed {
        super::tell_hub(&press.publication);
    }
    ended?;
    if rejected { Err(Error::Found) } else { Ok(()) }
}

/// Publishes one file; says what became of it.
fn publish(press: &Press, newsroom: &Newsroom, file: &Path, accept: bool) -> Result<Verdict, Error> {
    let manuscript = inbox::open(&newsroom.inbox(), file)
        .map_err(|source| Error::Read { path: file.to_owned(), source })?;
    let now = Timestamp::now();
    let verdict = if accept { press.accept(&manuscript, now) } else { press.publish(&manuscript, now) }
        .map_err(|source| Error::Publish { path: file.to_owned(), source })?;
    let source = inbox::manuscript_of(&manuscript.path).unwrap_or_else(|| manuscript.path.clone());
    if accept && matches!(verdict, Verdict::Published(_) | Verdict::Unchanged(_)) {
        inbox::tell(&newsroom.inbox(), &source, None)
            .map_err(|source| Error::Write { path: file.to_owned(), source })?;
    }
    match &verdict {
        Verdict::Published(receipt) => say(&told(file, receipt))?,
        Verdict::Duplicate(key) | Verdict::Unchanged(key) => {
            say(&format!(
                "`{}` holds the text of issue `{key}`, which is out; nothing was done",
                file.display()
            ))?;
        }
        Verdict::Withheld(held) => super::complain(&format!(
            "`{}` waits for its editor: {}; see `{}`, delete its marks and save, or publish with `--accept`",
            file.display(),
            held.why,
            held.proof.display()
        )),
        Verdict::Embargoed(key, until) => {
            let until = until.to_zoned(press.publication.time_zone.clone()).strftime("%Y-%m-%d %H:%M %Z");
            say(&format!(
                "`{}` is kept as issue `{key}` until {until}; a running daemon publishes it then, and `gazetted issues \
                 release {key}` at once",
                file.display()
            ))?;
        }
        Verdict::TakenDown(..) => {}
        Verdict::Rejected(reason) => {
            super::complain(&format!("`{}` was not published: {reason}", file.display()));
        }
    }
    Ok(verdict)
}

fn told(file: &Path, receipt: &Receipt) -> String {
    let issue = &receipt.release.issue;
    let count = |n: usize, noun| report::count(n as u64, noun);
    let letters = match receipt.queued {
        Queued::Letters(letters) => format!("{} queued", report::count(letters, "letter")),
        Queued::Nothing => "no letters: its date is too old".to_owned(),
        Queued::Before | Queued::Missing => "no letters: its digest was made before".to_owned(),
    };
    let mut told = format!(
        "`{}` is out as issue `{}`, version {}: {}, {letters}",
        file.display(),
        issue.key,
        receipt.release.version,
        count(issue.articles.len(), "article"),
    );
    if receipt.queries > 0 {
        let queries =
            if receipt.queries == 1 { "1 query".to_owned() } else { format!("{} queries", receipt.queries) };
        told = format!("{told}; {queries}: see `gazetted proof {}`", file.display());
    }
    told
}
