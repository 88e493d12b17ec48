//! What the ledger promises, whatever database keeps it: every implementation has to pass these.

use std::sync::Arc;

use gazetted::{
    config::Newsroom as Settings,
    daemon,
    delivery::{Delivery, DigestId, DigestStatus, Outcome, Phase, Reply, Settlement, State},
    editions::{self, BookFile, Shelved},
    issue::{Issue, Release},
    ledger::{Arrival, Draft, Fate, Ledger, Opening, Queued, Words},
    manuscript,
    publication::Publication,
    subscriber::{Address, Pace, Standing, SubscriberId, Wish},
};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use crate::{ledgers, newsroom::page};

struct Book {
    folder: TempDir,
    ledger: Arc<dyn Ledger>,
    publication: Publication,
}

impl Book {
    /// A book in each of the databases that are there.
    fn opens() -> impl Iterator<Item = Self> {
        ledgers::each().map(|settings| {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("news.toml"), &settings).unwrap();
            let (ledger, publication) = open(&folder);
            Self { folder, ledger, publication }
        })
    }

    fn reads(&self, name: &str, words: &str) -> Issue {
        let text = page("One", words);
        manuscript::read(&manuscript::open(name, text.as_bytes()).unwrap(), &self.publication).issue
    }

    #[track_caller]
    fn begins(&self, words: &str, now: Timestamp) -> Release {
        let opening =
            self.ledger.open_release(&self.publication, &self.reads("a.md", words), words, b"a.md", now);
        match opening.unwrap() {
            Opening::Print(release) => *release,
            other => panic!("not to be printed: {other:?}"),
        }
    }

    fn ends(&self, release: &Release, now: Timestamp) -> Queued {
        let book = BookFile { path: "issues/a/a.epub".to_owned(), length: 7 };
        let whole = Shelved { release: release.clone(), book: book.clone() };
        let letter = editions::letter(&[whole], None, &Wish::default(), &self.publication).unwrap().unwrap();
        let digest = Draft {
            pace: Pace::Each,
            period: release.issue.key.to_string(),
            issues: vec![release.issue.key.clone()],
            since: now,
            until: now,
            status: DigestStatus::Open,
            printings: vec![(Wish::default(), Some(Words { letter, books: vec![] }))],
        };
        let arrival = Arrival {
            path: b"a.md".to_vec(),
            signature: "1".to_owned(),
            hash: "h".to_owned(),
            fate: Fate::Published(release.issue.key.clone()),
            at: now,
        };
        self.ledger.shelve(&self.publication, release, &book).unwrap();
        self.ledger.close_release(&self.publication, release, Some(&digest), &arrival, now).unwrap()
    }

    fn claims(&self, now: Timestamp, most: usize) -> Vec<Delivery> {
        self.ledger.claim(now, now + seconds(86_400), most, &[]).unwrap().letters
    }

    fn joins(&self, address: &str) -> SubscriberId {
        self.ledger.subscribe(&Address::parse(address).unwrap(), "a story", noon()).unwrap().id().unwrap()
    }
}

fn open(folder: &TempDir) -> (Arc<dyn Ledger>, Publication) {
    let settings = Settings::open(&folder.path().join("news.toml"), []).unwrap();
    (daemon::open_ledger(&settings).unwrap(), settings.publication(settings.settings.http.listen))
}

fn noon() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn settlement(digest: DigestId, subscriber: SubscriberId, outcome: Outcome) -> Settlement {
    let reply = Reply { phase: Phase::Rcpt, code: Some(452), status: None, text: "full".to_owned() };
    Settlement { digest, subscriber, outcome, reply, bounce: None }
}

fn seconds(n: i64) -> SignedDuration {
    SignedDuration::from_secs(n)
}

#[test]
fn a_release_that_was_begun_is_begun_again_as_it_was() {
    for book in Book::opens() {
        let first = book.begins("The first words.", noon());
        let again = book.begins("The first words.", noon() + seconds(3600));
        assert_eq!(again, first, "number, times and article keys");
        assert_eq!(book.ledger.interrupted(&book.publication, Timestamp::now()).unwrap()[0].release, first);
        book.ends(&first, noon());
        assert!(book.ledger.interrupted(&book.publication, Timestamp::now()).unwrap().is_empty());
    }
}

#[test]
fn a_correction_comes_after_the_version_before_even_when_the_clock_goes_back() {
    for book in Book::opens() {
        let first = book.begins("The first words.", noon());
        book.ends(&first, noon());
        let second = book.begins("The better words.", noon() - seconds(9000));
        assert_eq!((second.version, second.published), (2, first.published));
        assert_eq!(second.updated, first.updated + seconds(1));
    }
}

#[test]
fn a_correction_that_was_begun_and_given_up_leaves_the_version_before() {
    for book in Book::opens() {
        let first = book.begins("The first words.", noon());
        book.ends(&first, noon());
        book.begins("The worse words.", noon() + seconds(60));
        // The editor saves the first text again before the second was out: what readers have of it must be printed over.
        let back = book.begins("The first words.", noon() + seconds(120));
        assert_eq!(back, first);
        assert_eq!(book.ends(&back, noon() + seconds(120)), Queued::Before);
        assert!(book.ledger.interrupted(&book.publication, Timestamp::now()).unwrap().is_empty());
        let opening = book.ledger.open_release(
            &book.publication,
            &book.reads("b.md", "The first words."),
            "The first words.",
            b"b.md",
            noon(),
        );
        assert_eq!(opening.unwrap(), Opening::Duplicate(first.issue.key));
    }
}

#[test]
fn a_digest_has_one_letter_for_everybody_who_is_there_when_it_is_made() {
    for book in Book::opens() {
        let li = book.joins("li@example.org");
        book.joins("wang@example.org");
        assert_eq!(book.joins("LI@example.org"), li, "one mailbox is one subscriber");
        let gone = book.joins("gone@example.org");
        assert!(book.ledger.leave(gone, noon()).unwrap());
        assert!(!book.ledger.leave(gone, noon()).unwrap());
        let release = book.begins("The first words.", noon());
        assert_eq!(book.ends(&release, noon()), Queued::Letters(2));
        assert_eq!(book.ends(&release, noon()), Queued::Before);
        assert_eq!(book.ledger.count(Standing::Confirmed).unwrap(), 2);
        book.joins("late@example.org");
        assert_eq!(book.claims(noon(), 10).len(), 2);
    }
}

#[test]
fn a_letter_is_claimed_once_and_again_only_when_it_was_freed() {
    for book in Book::opens() {
        book.joins("li@example.org");
        book.joins("wang@example.org");
        let release = book.begins("The first words.", noon());
        book.ends(&release, noon());
        // The clock may have been ahead when the letters were queued: they go out all the same.
        let first = book.claims(noon() - seconds(9000), 1);
        let second = book.claims(noon(), 10);
        assert_eq!((first.len(), second.len()), (1, 1));
        assert_ne!(first[0].subscriber, second[0].subscriber);
        assert!(book.claims(noon(), 10).is_empty());

        let settle = |subscriber, outcome| {
            book.ledger.settle(&[settlement(first[0].digest, subscriber, outcome)], noon()).unwrap();
        };
        settle(first[0].subscriber, Outcome::Delivered);
        assert_eq!(book.ledger.release_claims().unwrap(), 1);
        let again = book.claims(noon(), 10);
        assert_eq!(again, second);
        let until = noon() + seconds(1800);
        settle(second[0].subscriber, Outcome::Delayed(until));
        assert_eq!(book.ledger.next_due().unwrap(), Some(until));
        assert!(book.claims(until - seconds(1), 10).is_empty());
        assert_eq!(book.claims(until, 10)[0].attempts, 1);
        settle(second[0].subscriber, Outcome::Failed);
        let lines = book.ledger.issues(&book.publication).unwrap();
        assert_eq!(lines[0].letters, [(State::Delivered, 1), (State::Failed, 1)]);
    }
}

#[test]
fn who_leaves_while_a_letter_is_on_its_way_gets_no_other() {
    for book in Book::opens() {
        let li = book.joins("li@example.org");
        let release = book.begins("The first words.", noon());
        book.ends(&release, noon());
        let claimed = book.claims(noon(), 10);
        book.ledger.leave(li, noon()).unwrap();
        let outcome = Outcome::Delayed(noon());
        book.ledger.settle(&[settlement(claimed[0].digest, li, outcome)], noon()).unwrap();
        assert!(book.claims(noon() + seconds(60), 10).is_empty());
        assert_eq!(book.ledger.issues(&book.publication).unwrap()[0].letters, [(State::Canceled, 1)]);
    }
}

#[test]
fn what_was_written_is_there_when_the_ledger_is_opened_again() {
    for book in Book::opens() {
        let li = book.joins("li@example.org");
        let release = book.begins("The first words.", noon());
        book.ends(&release, noon());
        let (again, publication) = open(&book.folder);
        assert_eq!(again.recent(&publication, 10).unwrap()[0].release, release);
        assert_eq!(again.subscribers(SubscriberId(0), 10).unwrap()[0].id, li);
        assert!(again.subscribers(li, 10).unwrap().is_empty());
        assert_eq!(again.arrivals().unwrap(), book.ledger.arrivals().unwrap());
        assert_eq!(again.source_of(&publication, &release.issue.key).unwrap().unwrap(), b"a.md");
        assert!(again.examine().unwrap().is_empty());
    }
}

#[test]
fn two_processes_write_one_ledger() {
    for book in Book::opens() {
        let (other, _) = open(&book.folder);
        std::thread::scope(|scope| {
            for (ledger, name) in [(&book.ledger, "a"), (&other, "b")] {
                scope.spawn(move || {
                    for n in 0..50 {
                        let address = Address::parse(&format!("{name}{n}@example.org")).unwrap();
                        ledger.subscribe(&address, "a story", noon()).unwrap();
                    }
                });
            }
        });
        assert_eq!(book.ledger.count(Standing::Confirmed).unwrap(), 100);
    }
}

#[test]
fn an_issue_that_comes_while_the_clock_is_behind_is_still_the_newest() {
    for book in Book::opens() {
        let first = book.begins("The first words.", noon());
        book.ends(&first, noon());
        let text = page("Two", "Other words.");
        let issue =
            manuscript::read(&manuscript::open("b.md", text.as_bytes()).unwrap(), &book.publication).issue;
        let opening =
            book.ledger.open_release(&book.publication, &issue, "b", b"b.md", Timestamp::UNIX_EPOCH).unwrap();
        let Opening::Print(second) = opening else { panic!("{opening:?}") };
        assert_eq!(second.published, first.published + seconds(1));
    }
}
