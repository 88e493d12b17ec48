//! `gazetted issues`: what is out.

use super::{Error, say};
use crate::{
    config::Newsroom, daemon, delivery::State, issue::IssueKey, ledger::IssueLine, ledger::Ledger,
    publication::Publication,
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
    /// Print all issues anew, after the publication's settings or gazetted itself have changed; no letter is sent
    Reprint,
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
        Command::Reprint => {
            let press = daemon::open_press(newsroom, publication, ledger)?;
            let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
            let changed = press.reprint(|done, all| {
                if terminal {
                    eprint!("\r{done} of {all} issues{}", if done == all { "\n" } else { "" });
                }
            })?;
            say(&format!("{} changed", super::report::count(changed as u64, "file")))
        }
    }
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
    format!("{:<24} {out}  v{}  {}  [{letters}]", line.key.as_str(), line.version, line.name)
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
