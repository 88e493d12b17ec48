//! How many letters a ledger claims and settles in a second: `cargo bench --bench queue`, for one in a file; and, with
//! `GAZETTED_QUEUE=postgres://…` that names an empty database, for one there, by as many daemons at once as `GAZETTED_DAEMONS` says,
//! each a process of its own.
//!
//! Each claims 200 letters, and settles them in calls of 20, eight of which are under way at once.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

use std::{
    env,
    io::{BufReader, Write as _},
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
    time::Instant,
};

use gazetted::{
    delivery::{Delivery, DigestStatus, Outcome, Phase, Reply, Settlement},
    editions::Letter,
    issue::IssueKey,
    ledger::{
        Draft, Entry, Ledger, Words, postgres::Address as LedgerAddress, postgres::Postgres, sqlite::Sqlite,
    },
    prose::Language,
    publication::{Design, Forms, Imprint, Publication},
    subscriber::{Address, Pace, Wish},
    theme::Theme,
};
use jiff::{SignedDuration, Timestamp};

/// How many letters there are.
const LETTERS: u64 = 40_000;

/// How many a daemon claims at once, settles in one call, and how many calls it has under way.
const CLAIM: usize = 200;
const CALL: usize = 20;
const CALLS: usize = 8;

/// Which of the daemons a process is; not set in the one that measures.
const WHICH: &str = "GAZETTED_QUEUE_DAEMON";

fn main() {
    let n_daemons: usize = env::var("GAZETTED_DAEMONS").map_or(1, |n| n.parse().unwrap());
    let place = env::var("GAZETTED_QUEUE").ok();
    if let (Some(place), Ok(which)) = (&place, env::var(WHICH)) {
        return works(&*on_postgres(place, &which));
    }
    let folder = tempfile::tempdir().unwrap();
    let ledger = match &place {
        Some(place) => on_postgres(place, "0"),
        None => Arc::new(Sqlite::open(&folder.path().join("ledger.db")).unwrap()),
    };
    let now = Timestamp::now();
    fill(&*ledger, now);
    let (seconds, n_settled) = if place.is_some() {
        together(n_daemons)
    } else {
        let began = Instant::now();
        let n_settled = sends(&*ledger, now);
        (began.elapsed().as_secs_f64(), n_settled)
    };
    assert_eq!(n_settled, LETTERS, "each letter once");
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let rate = n_settled as f64 / seconds;
    let what = if place.is_some() { "PostgreSQL" } else { "SQLite" };
    println!(
        "{what}, {n_daemons} at once: {n_settled} letters claimed and settled in {seconds:.2} s, {rate:.0} a second"
    );
}

fn on_postgres(place: &str, name: &str) -> Arc<dyn Ledger> {
    let address = LedgerAddress::parse(place).unwrap();
    Arc::new(Postgres::open_counted(&address, name, gazetted::metrics::Ledger::default()).unwrap())
}

/// Has so many processes send all letters at once. Gives how many seconds that took, and how many letters there were.
fn together(n_daemons: usize) -> (f64, u64) {
    let start = |n: usize| {
        let mut daemon = Command::new(env::current_exe().unwrap());
        daemon.env(WHICH, format!("{n}")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut daemon = daemon.spawn().unwrap();
        let mut answers = BufReader::new(daemon.stdout.take().unwrap());
        assert_eq!(line(&mut answers), "ready");
        (daemon, answers)
    };
    let mut daemons: Vec<(Child, _)> = (0..n_daemons).map(start).collect();
    let began = Instant::now();
    for (daemon, _) in &mut daemons {
        daemon.stdin.take().unwrap().write_all(b"go\n").unwrap();
    }
    let n_settled = daemons.iter_mut().map(|(_, answers)| line(answers).parse::<u64>().unwrap()).sum();
    let seconds = began.elapsed().as_secs_f64();
    for (daemon, _) in &mut daemons {
        assert!(daemon.wait().unwrap().success());
    }
    (seconds, n_settled)
}

fn line(answers: &mut impl std::io::BufRead) -> String {
    let mut line = String::new();
    answers.read_line(&mut line).unwrap();
    line.trim().to_owned()
}

/// One of the processes: it waits until all are ready.
fn works(ledger: &dyn Ledger) {
    println!("ready");
    assert_eq!(line(&mut std::io::stdin().lock()), "go");
    println!("{}", sends(ledger, Timestamp::now()));
}

/// Sends letters until there are no more, and gives how many.
fn sends(ledger: &dyn Ledger, now: Timestamp) -> u64 {
    let lease = now + SignedDuration::from_hours(2);
    let mut n_settled = 0;
    loop {
        let letters = ledger.claim(now, lease, CLAIM, &[]).unwrap().letters;
        if letters.is_empty() {
            return n_settled;
        }
        let (done, hears) = mpsc::channel();
        let mut n_open = 0;
        for call in letters.chunks(CALL) {
            if n_open == CALLS {
                hears.recv().unwrap();
                n_open -= 1;
            }
            let done = done.clone();
            let settlements = call.iter().map(delivered).collect();
            ledger.settle_then(
                settlements,
                now,
                Box::new(move |told| {
                    told.unwrap();
                    done.send(()).unwrap();
                }),
            );
            n_open += 1;
            n_settled += call.len() as u64;
        }
        hears.iter().take(n_open).for_each(drop);
    }
}

fn delivered(letter: &Delivery) -> Settlement {
    Settlement {
        digest: letter.digest,
        subscriber: letter.subscriber,
        outcome: Outcome::Delivered,
        reply: Reply {
            phase: Phase::Text,
            code: Some(250),
            status: Some("2.0.0".to_owned()),
            text: "2.0.0 Ok: queued as 4ZtLr".to_owned(),
        },
        bounce: None,
    }
}

fn fill(ledger: &dyn Ledger, now: Timestamp) {
    for thousand in 0..LETTERS / 1000 {
        let entries = (0..1000).map(|n| {
            let address = format!("reader{}@example{}.org", thousand * 1000 + n, n % 50);
            Entry::confirmed(Address::parse(&address).unwrap(), "a benchmark", now)
        });
        ledger.enter(entries.collect()).unwrap();
    }
    let letter = Letter {
        subject: "One".to_owned(),
        preheader: String::new(),
        html: "<p>One</p>".to_owned(),
        text: "One".to_owned(),
    };
    let draft = Draft {
        pace: Pace::Each,
        period: "one".to_owned(),
        issues: vec![IssueKey::of("one")],
        since: now,
        until: now,
        status: DigestStatus::Open,
        printings: vec![(Wish::default(), Some(Words { letter, books: Vec::new() }))],
    };
    ledger.freeze(&publication(), &draft, now).unwrap();
}

fn publication() -> Publication {
    Publication {
        key: "tide".to_owned(),
        title: "The Tide Gazette".to_owned(),
        description: String::new(),
        language: Language::parse("en").unwrap(),
        time_zone: jiff::tz::TimeZone::UTC,
        base_url: "https://news.example.org/".to_owned(),
        authority: "example.org,2026".to_owned(),
        hub: None,
        imprint: Imprint::default(),
        theme: Theme::default(),
        design: Design::default(),
        forms: Forms::default(),
    }
}
