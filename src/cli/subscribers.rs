//! `gazetted subscribers`: who gets the letters.

use std::{
    io::{BufRead as _, IsTerminal as _},
    path::{Path, PathBuf},
};

use jiff::{Timestamp, tz::TimeZone};

use super::{Error, report, roll, say, telling};
use crate::{
    config::Newsroom, daemon, delivery::Kind, joining, joining::Joined, ledger::Entered, ledger::Entry,
    ledger::Ledger, ledger::Sent, mail, prose::Language, subscriber::Address, subscriber::Form,
    subscriber::Pace, subscriber::Preferences, subscriber::Sections, subscriber::Standing,
    subscriber::Subscriber, subscriber::SubscriberId, subscriber::Suppression, subscriber::SuppressionReason,
};

/// How many subscribers are read at a time: memory stays the same for ten and for a million.
pub(super) const PAGE: usize = 1000;

/// How many letters `show` tells of.
const HISTORY: usize = 50;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Enter people who asked you for the letters
    Add {
        /// Their addresses
        #[arg(required = true)]
        addresses: Vec<String>,
        #[command(flatten)]
        wishes: Wishes,
        /// Also those who had left, or whose mailbox was given up: they asked anew
        #[arg(long)]
        again: bool,
        /// Ask each by a letter first; issues begin after a yes
        #[arg(long, conflicts_with = "again")]
        ask: bool,
    },
    /// List everybody with standing and consent
    List {
        /// Only those who are pending, confirmed, left or suppressed
        #[arg(long, value_parser = standing)]
        standing: Option<Standing>,
        /// Print a JSON object a line, for programs
        #[arg(long)]
        json: bool,
    },
    /// Show one: standing, consent, wishes, reports, and every letter with what the server answered
    Show {
        /// The address
        address: String,
        /// Print it as JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// Change what somebody gets, from the next digest on
    Set {
        /// The address
        address: String,
        #[command(flatten)]
        wishes: Wishes,
    },
    /// Take people out; letters that wait for them are cancelled
    Remove {
        /// Their addresses
        #[arg(required = true)]
        addresses: Vec<String>,
    },
    /// Never write to an address, whoever enters it
    Suppress {
        /// The address
        address: String,
        /// Why: whoever asks later reads it
        #[arg(long, value_name = "TEXT")]
        why: String,
    },
    /// Erase somebody with all letters and reports; only a hash is kept, so that no import brings the address back
    Forget {
        /// The address
        address: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Enter everybody in a table (CSV) of any charset and separator, such as exports of Mailchimp, Substack, Ghost, listmonk,
    /// Buttondown and Mailman; those who left stay away
    Import {
        /// The file
        file: PathBuf,
        /// How they asked, where the table does not say
        #[arg(long, value_name = "TEXT")]
        how: Option<String>,
        /// Enter nobody; say exactly what would be done
        #[arg(long)]
        dry_run: bool,
        /// Where to write every row that was not taken, with its line and the reason
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
        /// What everybody in the file is at least: `left` for a list of those who left, suppressed, or pending
        #[arg(long = "as", value_name = "STANDING", value_parser = standing)]
        least: Option<Standing>,
    },
    /// Write everybody as a table (CSV) that `import` reads
    Export {
        /// Where to; without it, to the terminal
        file: Option<PathBuf>,
    },
}

/// What a subscriber may wish.
#[derive(clap::Args)]
pub(super) struct Wishes {
    /// How often: each, daily, weekly or monthly
    #[arg(long, value_parser = pace)]
    pace: Option<Pace>,
    /// In which form: html, text, book or kindle
    #[arg(long, value_parser = form)]
    form: Option<Form>,
    /// Only this section; may be given more than once. `--section ""` is all
    #[arg(long = "section", value_name = "NAME")]
    sections: Vec<String>,
    /// In which language the words around the articles are; "" is each issue's own
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
    /// The address of an e-reader, to which books go; "" is the subscriber's own
    #[arg(long, value_name = "ADDRESS")]
    device: Option<String>,
}

fn standing(word: &str) -> Result<Standing, String> {
    Standing::parse(word).ok_or_else(|| "say pending, confirmed, left or suppressed".to_owned())
}

fn pace(word: &str) -> Result<Pace, String> {
    Pace::parse(word).ok_or_else(|| "say each, daily, weekly or monthly".to_owned())
}

fn form(word: &str) -> Result<Form, String> {
    Form::parse(word).ok_or_else(|| "say html, text, book or kindle".to_owned())
}

impl Wishes {
    fn is_none(&self) -> bool {
        self.pace.is_none()
            && self.form.is_none()
            && self.sections.is_empty()
            && self.language.is_none()
            && self.device.is_none()
    }

    /// `before`, with what is said here instead.
    fn over(&self, before: Preferences) -> Result<Preferences, Error> {
        let mut wished = before;
        wished.pace = self.pace.unwrap_or(wished.pace);
        wished.wish.form = self.form.unwrap_or(wished.wish.form);
        if !self.sections.is_empty() {
            wished.wish.sections = Sections::of(&self.sections);
        }
        if let Some(tag) = &self.language {
            wished.wish.language = match tag.as_str() {
                "" => None,
                tag => Some(Language::parse(tag).ok_or_else(|| {
                    asked(format!("`{tag}` is not a language tag such as `zh-Hans` or `en`"))
                })?),
            };
        }
        if let Some(device) = &self.device {
            wished.device = match device.as_str() {
                "" => None,
                device => Some(Address::parse(device).map_err(|error| asked(error.to_string()))?),
            };
        }
        Ok(wished)
    }
}

fn asked(problem: String) -> Error {
    Error::Asked { problem, help: Some("nothing was changed".to_owned()) }
}

pub(super) fn run(newsroom: &Newsroom, command: Command) -> Result<(), Error> {
    let ledger = daemon::open_ledger(newsroom)?;
    let ledger = &*ledger;
    let zone = newsroom.publication(newsroom.settings.http.listen).time_zone;
    match command {
        Command::Add { addresses, wishes, ask: true, .. } => {
            ask(newsroom, ledger, &parse(&addresses)?, &wishes)
        }
        Command::Add { addresses, wishes, again, .. } => add(ledger, &parse(&addresses)?, &wishes, again),
        Command::List { standing, json } => list(ledger, standing, json, &zone),
        Command::Show { address, json } => show(ledger, &find(ledger, &address)?, json, &zone),
        Command::Set { address, wishes } => set(ledger, &address, &wishes),
        Command::Remove { addresses } => remove(ledger, &parse(&addresses)?),
        Command::Suppress { address, why } => suppress(ledger, &address, &why),
        Command::Forget { address, yes } => forget(newsroom, ledger, &address, yes),
        Command::Import { file, how, dry_run, report, least } => {
            let (report, data) = (report.as_deref(), newsroom.data());
            let standing = least.unwrap_or(Standing::Confirmed);
            let import = roll::Import { file: &file, how, dry_run, report, zone, standing, data };
            roll::import(ledger, &import)
        }
        Command::Export { file } => roll::export(ledger, file.as_deref()),
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

/// The subscriber of an address.
fn find(ledger: &dyn Ledger, text: &str) -> Result<Subscriber, Error> {
    let address = Address::parse(text).map_err(|error| asked(error.to_string()))?;
    ledger.subscriber(&address)?.ok_or_else(|| Error::Asked {
        problem: format!("`{address}` is not a subscriber"),
        help: Some("`gazetted subscribers list` shows all".to_owned()),
    })
}

fn ask(
    newsroom: &Newsroom,
    ledger: &dyn Ledger,
    addresses: &[Address],
    wishes: &Wishes,
) -> Result<(), Error> {
    let publication = newsroom.publication(newsroom.settings.http.listen);
    let head = daemon::letterhead(newsroom, &publication)?;
    let preferences = wishes.over(Preferences::default())?;
    let mut asked = 0;
    for address in addresses {
        let now = Timestamp::now();
        let entry = Entry::confirmed(address.clone(), "asked by the operator", now);
        match joining::ask(ledger, &head, Entry { preferences: preferences.clone(), ..entry }, now)? {
            Joined::Asked(_) => asked += 1,
            Joined::AskedBefore(_) => {
                say(&format!("`{address}` was asked within a day, and is not asked again"))?;
            }
            Joined::AskedOften(_) => {
                say(&format!("`{address}` was asked three times and never answered; it is not asked again"))?;
            }
            Joined::Not(Entered::Already(_)) => say(&format!("`{address}` gets letters already"))?,
            Joined::Not(_) => say(&format!(
                "`{address}` must not be written to, and is not asked; `gazetted subscribers show {address}` says why"
            ))?,
        }
    }
    say(&format!("{} asked; issues begin when they have confirmed", report::count(asked, "reader")))
}

fn add(ledger: &dyn Ledger, addresses: &[Address], wishes: &Wishes, again: bool) -> Result<(), Error> {
    let preferences = wishes.over(Preferences::default())?;
    let mut added = 0;
    for address in addresses {
        let entry = Entry::confirmed(address.clone(), "added by the operator", Timestamp::now());
        let entry = Entry { anew: again, preferences: preferences.clone(), ..entry };
        match ledger.enter(vec![entry])?.first() {
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

fn set(ledger: &dyn Ledger, address: &str, wishes: &Wishes) -> Result<(), Error> {
    let subscriber = find(ledger, address)?;
    if wishes.is_none() {
        return Err(Error::Asked {
            problem: "there is nothing to set".to_owned(),
            help: Some("say `--pace`, `--form`, `--section`, `--language` or `--device`".to_owned()),
        });
    }
    let wished = wishes.over(subscriber.preferences)?;
    ledger.prefer(subscriber.id, &wished)?;
    say(&format!("`{}` gets {} from the next digest on", subscriber.address, telling::wishes(&wished)))
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

fn suppress(ledger: &dyn Ledger, address: &str, why: &str) -> Result<(), Error> {
    let address = Address::parse(address).map_err(|error| asked(error.to_string()))?;
    let now = Timestamp::now();
    let suppression =
        Suppression { reason: SuppressionReason::Operator, at: now, text: why.trim().to_owned() };
    // Somebody who is not there yet is entered as one who must not be written to: that is what an import meets.
    let entry = Entry {
        standing: Standing::Suppressed,
        suppression: Some(suppression),
        ..Entry::confirmed(address.clone(), "suppressed by the operator", now)
    };
    let told = match ledger.enter(vec![entry])?.first() {
        Some(Entered::HadLeft(_)) => "had left before; nothing was changed",
        Some(Entered::IsSuppressed(_) | Entered::Already(_)) => "is suppressed already; nothing was changed",
        Some(Entered::WasForgotten) => "was erased, and does not come back; nothing was changed",
        Some(Entered::New(_) | Entered::Changed(_)) | None => "gets no letter any more",
    };
    say(&format!("`{address}` {told}"))
}

fn forget(newsroom: &Newsroom, ledger: &dyn Ledger, address: &str, yes: bool) -> Result<(), Error> {
    let subscriber = find(ledger, address)?;
    let address = &subscriber.address;
    if !yes {
        let mut answer = String::new();
        if !std::io::stdin().is_terminal() {
            return Err(Error::Asked {
                problem: format!("`{address}` would be erased with every letter and report, for ever"),
                help: Some("nothing was changed; add `--yes` if that is meant".to_owned()),
            });
        }
        say(&format!(
            "This erases `{address}` with every letter and report, for ever. Type the address once more if that is meant:"
        ))?;
        std::io::stdin().lock().read_line(&mut answer).map_err(Error::Answer)?;
        if Address::parse(&answer).ok().as_ref() != Some(address) {
            return Err(asked("that is another address".to_owned()));
        }
    }
    ledger.erase(subscriber.id, Timestamp::now())?;
    let folder = newsroom.data().join("mail");
    let mut n_removed = 0;
    for address in [Some(address), subscriber.preferences.device.as_ref()].into_iter().flatten() {
        n_removed += mail::remove_letters_to(&folder, address)
            .map_err(|source| daemon::Error::Folder { path: folder.clone(), source })?;
    }
    say(&format!("`{address}` is erased; a hash is kept, so that no import brings the address back"))?;
    if n_removed > 0 {
        let letters = report::count(n_removed as u64, "letter");
        say(&format!("{letters} in `{}` went with it", folder.display()))?;
    }
    let copies = copies(&newsroom.data());
    if copies.is_empty() {
        return say("backups that you keep have the address until you remove or replace them");
    }
    say("these were made before, and have the address until you remove or replace them:")?;
    for copy in copies {
        say(&format!("  {}", copy.display()))?;
    }
    say("so have backups that you keep elsewhere")
}

/// The backups in the newsroom, and the ledgers that were kept before migrations, in the order of their names.
fn copies(data: &Path) -> Vec<PathBuf> {
    let list = |folder: &Path| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect::<Vec<PathBuf>>()
    };
    let is_copy = |path: &PathBuf| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with("ledger.db.before-"))
    };
    let mut copies = list(&data.join("backups"));
    copies.extend(list(data).into_iter().filter(is_copy));
    copies.sort();
    copies
}

fn list(ledger: &dyn Ledger, only: Option<Standing>, json: bool, zone: &TimeZone) -> Result<(), Error> {
    let mut after = SubscriberId(0);
    loop {
        let page = ledger.subscribers(after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for subscriber in page.iter().filter(|subscriber| only.is_none_or(|only| only == subscriber.standing))
        {
            if json {
                say(&serde_json::to_string(subscriber).unwrap_or_default())?;
            } else {
                let consent = &subscriber.consent;
                say(&format!(
                    "{:<40} {:<10} {} {}",
                    subscriber.address.as_str(),
                    subscriber.standing.as_str(),
                    consent.at.to_zoned(zone.clone()).strftime("%Y-%m-%d"),
                    telling::one_line(&consent.how),
                ))?;
            }
        }
    }
    if json {
        return Ok(());
    }
    let mut counts = vec![report::count(ledger.count(Standing::Confirmed)?, "subscriber")];
    for other in [Standing::Pending, Standing::Left, Standing::Suppressed] {
        let n = ledger.count(other)?;
        if n > 0 {
            counts.push(format!("{n} {}", other.as_str()));
        }
    }
    say(&counts.join(", "))
}

fn show(ledger: &dyn Ledger, subscriber: &Subscriber, json: bool, zone: &TimeZone) -> Result<(), Error> {
    let bounces = ledger.bounces(subscriber.id)?;
    let history = ledger.history(subscriber.id, HISTORY + 1)?;
    if json {
        let told = serde_json::json!({ "subscriber": subscriber, "reports": bounces, "letters": history });
        return say(&told.to_string());
    }
    let time = |time: Timestamp| telling::time(time, zone);
    say(&format!("{}  {}", subscriber.address, subscriber.standing.as_str()))?;
    if let Some(why) = &subscriber.suppression {
        let reason = match why.reason {
            SuppressionReason::Bounced => "its mailbox takes nothing",
            SuppressionReason::Complained => "its owner complained",
            SuppressionReason::Operator => "the operator says so",
        };
        say(&format!("  not written to since {}: {reason}: {}", time(why.at), telling::one_line(&why.text)))?;
    }
    let consent = &subscriber.consent;
    let from = consent.from.as_deref().map(|from| format!(", from {from}")).unwrap_or_default();
    say(&format!("  asked      {}, {}{from}", time(consent.at), telling::one_line(&consent.how)))?;
    match consent.confirmed {
        Some(confirmed) => say(&format!("  confirmed  {}", time(confirmed)))?,
        None => say("  confirmed  not yet")?,
    }
    say(&format!("  wishes     {}", telling::wishes(&subscriber.preferences)))?;
    if !bounces.is_empty() {
        say("  reports")?;
    }
    for bounce in &bounces {
        let status = bounce.status.as_deref().map(|status| format!("{status} ")).unwrap_or_default();
        say(&format!(
            "    {}  {:<9}  {}: {status}{}",
            time(bounce.at),
            bounce.kind.as_str(),
            bounce.source,
            telling::one_line(&bounce.text)
        ))?;
    }
    say(if history.is_empty() { "  no letters yet" } else { "  letters" })?;
    for sent in history.iter().take(HISTORY) {
        letter(sent, zone)?;
    }
    if history.len() > HISTORY {
        say(&format!("    the {HISTORY} newest are shown"))?;
    }
    Ok(())
}

fn letter(sent: &Sent, zone: &TimeZone) -> Result<(), Error> {
    let when = sent.settled.unwrap_or(sent.queued);
    let tries = if sent.attempts > 1 { format!(", {} attempts", sent.attempts) } else { String::new() };
    let what = match sent.kind {
        Kind::Digest(pace) => format!("{} {}", pace.as_str(), sent.period),
        Kind::Confirmation => sent.kind.as_str().to_owned(),
    };
    let next = sent.due.map(|due| format!(", next {}", telling::time(due, zone))).unwrap_or_default();
    say(&format!(
        "    {}  {:<9}  {what}  {}  ({}{tries}{next})",
        telling::time(when, zone),
        sent.state.as_str(),
        telling::one_line(&sent.subject),
        sent.address,
    ))?;
    let Some(reply) = &sent.reply else { return Ok(()) };
    say(&format!("      {}", reply.told()))
}
