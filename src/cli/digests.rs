//! `gazetted digests`: what was sent to whom, and what to do about the letters that did not arrive.

use std::collections::HashMap;

use jiff::{Timestamp, tz::TimeZone};

use super::{Error, report, say, subscribers::PAGE, telling};
use crate::{
    config::Newsroom, daemon, delivery, delivery::BounceKind, delivery::DigestId, delivery::DigestStatus,
    delivery::Reply, delivery::State, ledger::DigestLine, ledger::Ledger, ledger::Trouble,
    publication::Publication, subscriber::SubscriberId,
};

/// How many digests `list` tells of.
const LISTED: usize = 100;

/// How many different reasons are told apart; what is rarer is told together.
const REASONS: usize = 200;

/// How many reasons of a state are shown.
const SHOWN: usize = 12;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// List the digests, newest first, with how their letters stand
    List {
        /// Print a JSON object a line, for programs
        #[arg(long)]
        json: bool,
    },
    /// Show one: how its letters stand, what servers said, and what to do next
    Show {
        /// Its number
        id: i64,
        /// List the letters in this state, such as failed, one a line
        #[arg(long, value_parser = state)]
        state: Option<State>,
        /// Print it as JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// Stop the letters of a digest that are not out yet
    Pause {
        /// Its number
        id: i64,
    },
    /// Let the letters of a digest go on
    Resume {
        /// Its number
        id: i64,
    },
    /// Offer letters again that failed, to those readers alone
    Retry {
        /// Its number
        id: i64,
        /// Those that were refused; this is meant where nothing else is said
        #[arg(long)]
        failed: bool,
        /// Those of which nobody knows whether they arrived: some readers may get them twice
        #[arg(long)]
        unknown: bool,
    },
}

fn state(word: &str) -> Result<State, String> {
    State::parse(word).ok_or_else(|| {
        let known: Vec<&str> = State::ALL.iter().map(|state| state.as_str()).collect();
        format!("say one of {}", known.join(", "))
    })
}

pub(super) fn run(newsroom: &Newsroom, command: &Command) -> Result<(), Error> {
    let ledger = daemon::open_ledger(newsroom)?;
    let ledger = &*ledger;
    let publication = newsroom.publication(newsroom.settings.http.listen);
    match *command {
        Command::List { json } => list(ledger, &publication, json),
        Command::Show { id, state, json } => {
            let line = find(ledger, id)?;
            match state {
                Some(state) => letters(ledger, &line, state, json, &publication.time_zone),
                None => show(ledger, &line, json, &publication.time_zone),
            }
        }
        Command::Pause { id } => pause(ledger, &find(ledger, id)?),
        Command::Resume { id } => resume(ledger, &find(ledger, id)?),
        Command::Retry { id, failed, unknown } => retry(ledger, &find(ledger, id)?, failed, unknown),
    }
}

fn find(ledger: &dyn Ledger, id: i64) -> Result<DigestLine, Error> {
    ledger.digest(DigestId(id))?.ok_or_else(|| Error::Asked {
        problem: format!("there is no digest {id}"),
        help: Some("`gazetted digests list` shows all".to_owned()),
    })
}

fn list(ledger: &dyn Ledger, publication: &Publication, json: bool) -> Result<(), Error> {
    let lines = ledger.digests(publication, LISTED)?;
    if lines.is_empty() && !json {
        return say("no digest was made yet; the first one comes with the next issue");
    }
    for line in lines {
        say(&if json { value(&line).to_string() } else { told(&line, &publication.time_zone) })?;
    }
    Ok(())
}

fn told(line: &DigestLine, zone: &TimeZone) -> String {
    let digest = &line.digest;
    let status = match digest.status {
        DigestStatus::Open => "",
        DigestStatus::Paused => "  paused",
        DigestStatus::Asking => "  waits for you: it is old",
    };
    format!(
        "{:<5} {}  {:<7} {:<12}  {}  [{}]{status}",
        digest.id.0,
        telling::time(digest.frozen, zone),
        digest.kind.as_str(),
        digest.period,
        telling::one_line(&line.subject),
        telling::states(&line.letters),
    )
}

fn value(line: &DigestLine) -> serde_json::Value {
    let letters: serde_json::Map<String, serde_json::Value> =
        line.letters.iter().map(|(state, n)| (state.as_str().to_owned(), (*n).into())).collect();
    serde_json::json!({ "digest": line.digest, "subject": line.subject, "letters": letters })
}

fn show(ledger: &dyn Ledger, line: &DigestLine, json: bool, zone: &TimeZone) -> Result<(), Error> {
    let mut troubles = Vec::new();
    for state in [State::Failed, State::Unknown, State::Delayed] {
        if line.count(state) > 0 {
            troubles.push((state, reasons(ledger, line.digest.id, state)?));
        }
    }
    let said = ledger.said_afterwards(line.digest.id)?;
    if json {
        let mut told = value(line);
        let reasons = troubles.iter().flat_map(|(state, reasons)| {
            reasons
                .iter()
                .map(move |(reason, n)| serde_json::json!({ "state": state, "reason": reason, "letters": n }))
        });
        told["reasons"] = reasons.collect();
        let reports = said.iter().map(
            |(kind, source, n)| serde_json::json!({ "kind": kind.as_str(), "source": source, "letters": n }),
        );
        told["reports"] = reports.collect();
        return say(&told.to_string());
    }
    say(&told(line, zone))?;
    for (state, reasons) in &troubles {
        say(&format!("  {}", state.as_str()))?;
        for (reason, n) in reasons.iter().take(SHOWN) {
            say(&format!("    {n:>6}  {reason}"))?;
        }
        let rest: u64 = reasons.iter().skip(SHOWN).map(|(_, n)| n).sum();
        if rest > 0 {
            say(&format!("    {rest:>6}  for other reasons"))?;
        }
    }
    if !said.is_empty() {
        say("  said afterwards")?;
    }
    for (kind, source, n) in &said {
        say(&format!("    {n:>6}  {}", afterwards(*kind, source)))?;
    }
    for next in next(line) {
        say(&format!("help: {next}"))?;
    }
    Ok(())
}

/// What was said of letters after their servers had taken them: `no such mailbox (report)`.
fn afterwards(kind: BounceKind, source: &str) -> String {
    let what = match kind {
        BounceKind::Hard => "there is no such mailbox",
        BounceKind::Soft => "it did not get there this time",
        BounceKind::Complaint => "its reader complained",
    };
    match source {
        delivery::UNPROVEN => format!("{what}, says a report that proves nothing and counts nothing"),
        "report" => format!("{what}, says a report"),
        "complaint" => what.to_owned(),
        provider => format!("{what}, says {provider}"),
    }
}

/// What an operator can do about a digest.
fn next(line: &DigestLine) -> Vec<String> {
    let id = line.digest.id.0;
    let mut next = Vec::new();
    match line.digest.status {
        DigestStatus::Open => {}
        DigestStatus::Paused => next.push(format!("`gazetted digests resume {id}` lets its letters go on")),
        DigestStatus::Asking => next.push(format!(
            "it was found late; `gazetted digests resume {id}` sends it all the same, and `pause` keeps it back"
        )),
    }
    if line.count(State::Failed) > 0 {
        next.push(format!(
            "`gazetted digests show {id} --state failed` lists whom it did not reach; `retry {id} --failed` offers it to them again"
        ));
    }
    if line.count(State::Unknown) > 0 {
        next.push(format!(
            "of the unknown ones the server's answer is missing; `gazetted digests retry {id} --unknown` offers them again, at the \
             risk that some come twice"
        ));
    }
    next
}

/// Why letters are in a state, the commonest reason first.
fn reasons(ledger: &dyn Ledger, id: DigestId, state: State) -> Result<Vec<(String, u64)>, Error> {
    let mut counts: HashMap<String, u64> = HashMap::new();
    each(ledger, id, state, |trouble| {
        let mut reason = reason(trouble);
        if counts.len() >= REASONS && !counts.contains_key(&reason) {
            "for other reasons".clone_into(&mut reason);
        }
        *counts.entry(reason).or_default() += 1;
        Ok(())
    })?;
    let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
    counts.sort_by(|(one, n), (other, m)| m.cmp(n).then_with(|| one.cmp(other)));
    Ok(counts)
}

fn reason(trouble: &Trouble) -> String {
    trouble.reply.as_ref().map_or_else(|| "nothing was heard".to_owned(), Reply::reason)
}

/// Goes through the letters of a digest in a state, a page at a time.
fn each(
    ledger: &dyn Ledger,
    id: DigestId,
    state: State,
    mut letter: impl FnMut(&Trouble) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut after = SubscriberId(0);
    loop {
        let page = ledger.letters(id, state, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.subscriber;
        page.iter().try_for_each(&mut letter)?;
    }
}

fn letters(
    ledger: &dyn Ledger,
    line: &DigestLine,
    state: State,
    json: bool,
    zone: &TimeZone,
) -> Result<(), Error> {
    if line.count(state) == 0 && !json {
        return say(&format!("no letter of digest {} is {}", line.digest.id.0, state.as_str()));
    }
    each(ledger, line.digest.id, state, |trouble| {
        let Trouble { subscriber, address, attempts, due, reply, .. } = trouble;
        if json {
            let told = serde_json::json!({
                "subscriber": subscriber, "address": address, "state": state, "attempts": attempts, "due": due, "reply": reply,
            });
            return say(&told.to_string());
        }
        let said = reply.as_ref().map_or_else(|| "nothing was heard".to_owned(), Reply::told);
        let due = due.map(|due| format!("  next {}", telling::time(due, zone))).unwrap_or_default();
        say(&format!(
            "{:<40} {}{due}  {said}",
            address.as_str(),
            report::count(u64::from(*attempts), "attempt")
        ))
    })
}

fn pause(ledger: &dyn Ledger, line: &DigestLine) -> Result<(), Error> {
    let id = line.digest.id;
    if !ledger.set_digest_status(id, DigestStatus::Paused, Timestamp::now())? {
        return say(&format!("digest {} is paused already", id.0));
    }
    say(&format!("digest {0} is paused; `gazetted digests resume {0}` lets its letters go on", id.0))
}

fn resume(ledger: &dyn Ledger, line: &DigestLine) -> Result<(), Error> {
    let id = line.digest.id;
    match line.digest.status {
        DigestStatus::Open => say(&format!("digest {} is not paused; nothing was done", id.0)),
        DigestStatus::Paused | DigestStatus::Asking => {
            ledger.set_digest_status(id, DigestStatus::Open, Timestamp::now())?;
            let waiting = ledger.digest(id)?.map_or(0, |line| {
                [State::Queued, State::Claimed, State::Delayed].iter().map(|state| line.count(*state)).sum()
            });
            say(&format!("digest {} goes on with {}", id.0, report::count(waiting, "letter")))?;
            super::resume::tell_held(ledger)
        }
    }
}

fn retry(ledger: &dyn Ledger, line: &DigestLine, failed: bool, unknown: bool) -> Result<(), Error> {
    let id = line.digest.id;
    if line.digest.status != DigestStatus::Open {
        return Err(Error::Asked {
            problem: format!("the letters of digest {} do not go out now", id.0),
            help: Some(format!("nothing was changed; `gazetted digests show {}` says why", id.0)),
        });
    }
    let now = Timestamp::now();
    let mut told = Vec::new();
    for (asked, state) in [(failed || !unknown, State::Failed), (unknown, State::Unknown)] {
        if !asked {
            continue;
        }
        let (all, n) = (line.count(state), ledger.retry(id, state, now)?);
        let stay = if n < all {
            format!(" ({} stay: their readers get no more letters)", all - n)
        } else {
            String::new()
        };
        told.push(format!("{} queued again{stay}", report::count(n, &format!("{} letter", state.as_str()))));
    }
    say(&told.join(", "))
}
