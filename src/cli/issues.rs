//! `gazetted issues`: what is out.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _, path::Path, sync::Arc};

use jiff::Timestamp;

use super::{Error, say};
use crate::{
    config::Newsroom, daemon, delivery::State, inbox, issue::IssueKey, issue::Status, ledger::IssueLine,
    ledger::Ledger, ledger::Queued, press::Verdict, publication::Publication,
};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// List the issues, newest first, with how their letters stand
    List,
    /// Show one issue
    Show {
        /// Its key
        key: String,
    },
    /// List what was done to the text of one issue: joined, removed, undoubled, moved
    Receipts {
        /// Its key
        key: String,
        /// Print it as JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// Take an issue back: it leaves feeds, catalogue and pages, and its letters that wait are cancelled
    Withdraw {
        /// Its key
        key: String,
    },
    /// Give a withdrawn issue to readers again; nobody is mailed twice
    Reinstate {
        /// Its key
        key: String,
    },
    /// Hold an issue back until it is released: readers do not have it, and its letters wait
    Hold {
        /// Its key
        key: String,
    },
    /// Give an issue to readers that is held back, or waits for its time
    Release {
        /// Its key
        key: String,
    },
}

pub(super) fn run(newsroom: &Newsroom, command: Command) -> Result<(), Error> {
    let ledger = daemon::open_ledger(newsroom)?;
    let publication = newsroom.publication(newsroom.settings.http.listen);
    match command {
        Command::List => list(&*ledger, &publication),
        Command::Show { key } => show(&*ledger, &publication, &key),
        Command::Receipts { key, json } => {
            let line = find(&*ledger, &publication, &key)?;
            let press = daemon::open_press(newsroom, publication, ledger)?;
            let Some(record) = press.receipts(&line.key)? else {
                return say(
                    "there are no receipts of this issue: it came from no text file, or an older gazetted printed it",
                );
            };
            let told = if json { record.to_json() } else { record.to_string() };
            say(told.trim_end())
        }
        Command::Withdraw { key } => change(newsroom, publication, ledger, &key, Status::Canceled),
        Command::Hold { key } => change(newsroom, publication, ledger, &key, Status::Withheld),
        Command::Reinstate { key } | Command::Release { key } => {
            change(newsroom, publication, ledger, &key, Status::Usable)
        }
    }
}

/// Gives an issue another status, through all editions.
fn change(
    newsroom: &Newsroom,
    publication: Publication,
    ledger: Arc<dyn Ledger>,
    key: &str,
    status: Status,
) -> Result<(), Error> {
    let key = find(&*ledger, &publication, key)?.key;
    let press = daemon::open_press(newsroom, publication, ledger)?;
    let source = press.ledger.source_of(&press.publication, &key)?;
    let changed = press.set_status(&key, status, Timestamp::now())?;
    let has_changed = changed.is_some();
    let told = match changed {
        None => format!("the issue `{key}` is {} already; nothing was done", status.said()),
        Some(Verdict::Published(receipt)) => {
            // What the editor was told of its waiting is true no longer.
            if let Some(source) = source {
                let source = Path::new(OsStr::from_bytes(&source));
                inbox::tell(&newsroom.inbox(), source, None)
                    .map_err(|source_| Error::Write { path: source.to_owned(), source: source_ })?;
            }
            let letters = match receipt.queued {
                Queued::Letters(letters) => format!("{} queued", super::report::count(letters, "letter")),
                Queued::Before | Queued::Missing => "no letters: its digest was made before".to_owned(),
                Queued::Nothing => "no letters: its date is too old".to_owned(),
            };
            format!("the issue `{key}` is out, version {}; {letters}", receipt.release.version)
        }
        Some(_) if status == Status::Canceled => format!(
            "the issue `{key}` is withdrawn; `gazetted issues reinstate {key}` gives it to readers again"
        ),
        Some(_) => {
            format!("the issue `{key}` is held back; `gazetted issues release {key}` gives it to readers")
        }
    };
    say(&told)?;
    if has_changed {
        super::tell_hub(&press.publication);
    }
    Ok(())
}

fn list(ledger: &dyn Ledger, publication: &Publication) -> Result<(), Error> {
    let lines = ledger.issues(publication)?;
    if lines.is_empty() {
        return say("no issue is out yet; save one in the inbox");
    }
    for line in lines {
        say(&told(&line, publication))?;
    }
    Ok(())
}

fn told(line: &IssueLine, publication: &Publication) -> String {
    let out = line.published.to_zoned(publication.time_zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
    let letters: Vec<String> =
        line.letters.iter().map(|(state, n): &(State, u64)| format!("{n} {}", state.as_str())).collect();
    let letters = if letters.is_empty() { "no letters".to_owned() } else { letters.join(", ") };
    let status = match (line.status, line.embargo) {
        (Status::Usable, _) => String::new(),
        (Status::Withheld, Some(until)) => {
            let until = until.to_zoned(publication.time_zone.clone());
            format!("  waits until {}", until.strftime("%Y-%m-%d %H:%M"))
        }
        (Status::Withheld, None) => "  held back".to_owned(),
        (Status::Canceled, _) => "  withdrawn".to_owned(),
    };
    format!("{:<24} {out}  v{}  {}  [{letters}]{status}", line.key.as_str(), line.version, line.name)
}

/// The issue of that key.
fn find(ledger: &dyn Ledger, publication: &Publication, key: &str) -> Result<IssueLine, Error> {
    let known = ledger.issues(publication)?;
    if let Some(line) = known.iter().find(|line| line.key.as_str() == key) {
        return Ok(line.clone());
    }
    let keys: Vec<&str> = known.iter().map(|line| line.key.as_str()).collect();
    let help = (!keys.is_empty()).then(|| "`gazetted issues list` shows all".to_owned());
    let near = if keys.is_empty() {
        String::new()
    } else {
        crate::typography::nearest(key, &keys[..keys.len().min(8)])
    };
    Err(Error::Asked { problem: format!("there is no issue `{key}`{near}"), help })
}

fn show(ledger: &dyn Ledger, publication: &Publication, key: &str) -> Result<(), Error> {
    say(&told(&find(ledger, publication, key)?, publication))?;
    let Some(shelved) = ledger.issue(publication, &IssueKey::of(key))? else { return Ok(()) };
    say(&format!("  page  {}", publication.url(&format!("issues/{key}/"))))?;
    say(&format!("  book  {} ({} bytes)", publication.url(&shelved.book.path), shelved.book.length))?;
    for article in &shelved.release.issue.articles {
        let authors: Vec<&str> = article.authors().collect();
        let by = if authors.is_empty() { String::new() } else { format!("  {}", authors.join(", ")) };
        say(&format!("  {:<4}  {}{by}", article.key, article.headline.text))?;
    }
    Ok(())
}
