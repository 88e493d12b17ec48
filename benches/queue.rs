//! How many letters a ledger claims and settles in a second: `cargo bench --bench queue`, for one in a file; and, with
//! `GAZETTED_QUEUE=postgres://…` that names an empty database, for one there, by as many ledgers at once as `GAZETTED_DAEMONS` says.
//!
//! Each ledger stands for a daemon of its own: it claims 200 letters, and settles them in calls of 20, eight of which are under way at once.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
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

fn main() {
    let n_daemons: usize = env::var("GAZETTED_DAEMONS").map_or(1, |n| n.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let place = env::var("GAZETTED_QUEUE").ok();
    let open = |n: usize| -> Arc<dyn Ledger> {
        match &place {
            Some(text) => {
                let address = LedgerAddress::parse(text).unwrap();
                Arc::new(
                    Postgres::open_counted(&address, &format!("{n}"), gazetted::metrics::Ledger::default())
                        .unwrap(),
                )
            }
            None => Arc::new(Sqlite::open(&folder.path().join("ledger.db")).unwrap()),
        }
    };
    let now = Timestamp::now();
    fill(&*open(0), now);
    let ledgers: Vec<_> = (0..n_daemons).map(open).collect();
    let n_settled = AtomicU64::new(0);
    let began = Instant::now();
    thread::scope(|scope| {
        for ledger in &ledgers {
            scope.spawn(|| sends(&**ledger, now, &n_settled));
        }
    });
    let (seconds, n_settled) = (began.elapsed().as_secs_f64(), n_settled.load(Ordering::Relaxed));
    assert_eq!(n_settled, LETTERS, "each letter once");
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let rate = n_settled as f64 / seconds;
    let what = if place.is_some() { "PostgreSQL" } else { "SQLite" };
    println!(
        "{what}, {n_daemons} at once: {n_settled} letters claimed and settled in {seconds:.2} s, {rate:.0} a second"
    );
}

fn sends(ledger: &dyn Ledger, now: Timestamp, n_settled: &AtomicU64) {
    let lease = now + SignedDuration::from_hours(2);
    loop {
        let letters = ledger.claim(now, lease, CLAIM, &[]).unwrap().letters;
        if letters.is_empty() {
            return;
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
            n_settled.fetch_add(call.len() as u64, Ordering::Relaxed);
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
