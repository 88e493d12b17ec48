//! `gazetted subscribers`: who gets the letters.

use jiff::Timestamp;

use super::{Error, report, say};
use crate::{
    config::Newsroom, daemon, ledger::Entered, ledger::Entry, ledger::Ledger, subscriber::Address,
    subscriber::Standing, subscriber::SubscriberId,
};

/// How many subscribers are read at a time: memory stays the same for ten and for a million.
const PAGE: usize = 1000;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Enter people who asked you for the letters
    Add {
        /// Their addresses
        #[arg(required = true)]
        addresses: Vec<String>,
        /// Also those who had left: they asked anew
        #[arg(long)]
        again: bool,
    },
    /// List everybody with standing and consent
    List {
        /// Print a JSON object a line, for programs
        #[arg(long)]
        json: bool,
    },
    /// Take people out; letters that wait for them are cancelled
    Remove {
        /// Their addresses
        #[arg(required = true)]
        addresses: Vec<String>,
    },
}

pub(super) fn run(newsroom: &Newsroom, command: Command) -> Result<(), Error> {
    let ledger = daemon::open_ledger(newsroom)?;
    match command {
        Command::Add { addresses, again } => add(&*ledger, &parse(&addresses)?, again),
        Command::List { json } => list(&*ledger, json),
        Command::Remove { addresses } => remove(&*ledger, &parse(&addresses)?),
    }
}

/// All addresses, or everything that is wrong with them: nobody is entered by half a command.
fn parse(texts: &[String]) -> Result<Vec<Address>, Error> {
    let (good, bad): (Vec<_>, Vec<_>) =
        texts.iter().map(|text| Address::parse(text)).partition(Result::is_ok);
    if bad.is_empty() {
        return Ok(good.into_iter().flatten().collect());
    }
    let problems: Vec<String> = bad.into_iter().filter_map(|bad| Some(bad.err()?.to_string())).collect();
    Err(Error::Asked {
        problem: problems.join("\n       "),
        help: Some("nobody was added or removed".to_owned()),
    })
}

fn add(ledger: &dyn Ledger, addresses: &[Address], again: bool) -> Result<(), Error> {
    let mut added = 0;
    for address in addresses {
        let entry = Entry::confirmed(address.clone(), "added by the operator", Timestamp::now());
        match ledger.enter(vec![Entry { anew: again, ..entry }])?.first() {
            Some(Entered::New(_) | Entered::Changed(_)) => added += 1,
            Some(Entered::Already(_)) | None => say(&format!("`{address}` was there already"))?,
            Some(Entered::HadLeft(_)) => say(&format!(
                "`{address}` had left, and was not added; if he or she asked anew, add `--again`"
            ))?,
            Some(Entered::IsSuppressed(_)) => say(&format!(
                "`{address}` must not be written to, and was not added; `gazetted subscribers show {address}` says why"
            ))?,
            Some(Entered::WasForgotten) => {
                say(&format!("`{address}` was erased at its owner's wish, and was not added"))?;
            }
        }
    }
    say(&format!("{} added; letters begin with the next issue", report::count(added, "subscriber")))
}

fn remove(ledger: &dyn Ledger, addresses: &[Address]) -> Result<(), Error> {
    let mut unknown = false;
    for address in addresses {
        let Some(subscriber) = ledger.subscriber(address)? else {
            unknown = true;
            super::complain(&format!("`{address}` is not a subscriber"));
            continue;
        };
        let left = ledger.leave(subscriber.id, Timestamp::now())?;
        say(&format!("`{address}` {}", if left { "gets no more letters" } else { "had left before" }))?;
    }
    if unknown { Err(Error::Found) } else { Ok(()) }
}

fn list(ledger: &dyn Ledger, json: bool) -> Result<(), Error> {
    let mut after = SubscriberId(0);
    loop {
        let page = ledger.subscribers(after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for subscriber in &page {
            if json {
                say(&serde_json::to_string(subscriber).unwrap_or_default())?;
            } else {
                let consent = &subscriber.consent;
                say(&format!(
                    "{:<40} {:<10} {} {}",
                    subscriber.address.as_str(),
                    subscriber.standing.as_str(),
                    consent.at.strftime("%Y-%m-%d"),
                    consent.how,
                ))?;
            }
        }
    }
    if json {
        return Ok(());
    }
    let (confirmed, left) = (ledger.count(Standing::Confirmed)?, ledger.count(Standing::Left)?);
    say(&format!("{}, {left} left", report::count(confirmed, "subscriber")))
}
