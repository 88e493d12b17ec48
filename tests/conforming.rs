//! Every operation of the ledger, on both databases: what one answers, the other does too; and no statement is left out.

use std::{collections::BTreeSet, fmt::Debug, fs, sync::mpsc};

use gazetted::{
    delivery::{Bounce, BounceKind, DigestId, DigestStatus, Outcome, Phase, Reply, Settlement, State},
    editions::{BookFile, Facet, FacetKind, Letter},
    issue::{Issue, Release, Status},
    ledger::{
        Arrival, Draft, Entry, Fate, Ledger, Opening, Place, Queued, Scope, Token, Told, Words, carry,
        postgres::{Address as LedgerAddress, Postgres as OnPostgres},
        sqlite::Sqlite,
        terms,
    },
    manuscript,
    publication::Publication,
    subscriber::{
        Address, Form, Pace, Preferences, Standing, SubscriberId, Suppression, SuppressionReason, Wish,
    },
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    ledgers::Postgres,
    newsroom::{Newsroom, page},
    tools,
};

/// A ledger, and all that it has answered.
struct Script<'l> {
    ledger: &'l dyn Ledger,
    publication: Publication,
    said: Vec<String>,
}

fn at(seconds: i64) -> Timestamp {
    let noon: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    noon + SignedDuration::from_secs(seconds)
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn arrival(path: &str, fate: Fate, seconds: i64) -> Arrival {
    let (signature, hash) = ("1".to_owned(), "h".to_owned());
    Arrival { path: path.as_bytes().to_vec(), signature, hash, fate, at: at(seconds) }
}

fn letter(words: &str) -> Letter {
    let text = words.to_owned();
    Letter { subject: format!("On {words}"), preheader: String::new(), html: format!("<p>{words}</p>"), text }
}

fn words(text: &str) -> Words {
    Words { letter: letter(text), books: Vec::new() }
}

fn settled(
    digest: DigestId,
    subscriber: SubscriberId,
    outcome: Outcome,
    bounce: Option<BounceKind>,
) -> Settlement {
    let reply = Reply {
        phase: Phase::Rcpt,
        code: bounce.map(|_| 550),
        status: bounce.map(|_| "5.1.1".to_owned()),
        text: "it \"said\" \\ that’s it\n".to_owned(),
    };
    Settlement { digest, subscriber, outcome, reply, bounce }
}

impl Script<'_> {
    fn notes(&mut self, what: &str, answer: impl Debug) {
        self.said.push(format!("{what}: {answer:?}"));
    }

    fn reads(&self, name: &str, title: &str, words: &str) -> Issue {
        let text = page(title, words);
        manuscript::read(&manuscript::open(name, text.as_bytes()).unwrap(), &self.publication).issue
    }

    fn opens(&mut self, name: &str, words: &str, seconds: i64) -> Opening {
        let issue = self.reads(name, &format!("The {name}"), words);
        let opening =
            self.ledger.open_release(&self.publication, &issue, words, name.as_bytes(), at(seconds)).unwrap();
        self.notes("open_release", &opening);
        opening
    }

    fn shelves(&mut self, release: &Release) {
        let book = BookFile { path: format!("issues/{}/a.epub", release.issue.key), length: 7 };
        self.ledger.shelve(&self.publication, release, &book).unwrap();
    }

    fn draft(pace: Pace, period: &str, release: &Release, printings: Vec<(Wish, Option<Words>)>) -> Draft {
        Draft {
            pace,
            period: period.to_owned(),
            issues: vec![release.issue.key.clone()],
            since: at(-1000),
            until: release.published,
            status: DigestStatus::Open,
            printings,
        }
    }

    fn closes(&mut self, name: &str, release: &Release, seconds: i64) -> Queued {
        let printings = self.ledger.wishes(Pace::Each).unwrap();
        let mut printings: Vec<_> = printings.into_iter().map(|wish| (wish, Some(words(name)))).collect();
        printings.sort_by_key(|(wish, _)| format!("{wish:?}"));
        let draft = Self::draft(Pace::Each, release.issue.key.as_str(), release, printings);
        let arrival = arrival(name, Fate::Published(release.issue.key.clone()), seconds);
        let queued = self
            .ledger
            .close_release(&self.publication, release, Some(&draft), &arrival, at(seconds))
            .unwrap();
        self.notes("close_release", queued);
        queued
    }

    fn publishes(&mut self, name: &str, words: &str, seconds: i64) -> Release {
        let Opening::Print(release) = self.opens(name, words, seconds) else {
            panic!("{:?}", self.said.last())
        };
        self.shelves(&release);
        self.closes(name, &release, seconds);
        *release
    }

    /// All that can be asked without changing anything.
    fn asks_all(&mut self) {
        let (ledger, publication) = (self.ledger, self.publication.clone());
        let p = &publication;
        self.notes("arrivals", sorted(ledger.arrivals().unwrap()));
        self.notes("newest_arrivals", ledger.newest_arrivals(3).unwrap());
        self.notes("waiting_arrivals", ledger.waiting_arrivals().unwrap());
        self.notes("refused_arrivals", ledger.refused_arrivals(3).unwrap());
        self.notes("interrupted", ledger.interrupted(p, at(100_000)).unwrap());
        self.notes("next_embargo", ledger.next_embargo(p).unwrap());
        self.notes("recent", ledger.recent(p, 10).unwrap());
        self.notes("corrected", ledger.corrected(p, 10).unwrap());
        self.notes("n_published", ledger.n_published(p).unwrap());
        self.notes("between", ledger.between(p, 1, 9).unwrap());
        self.notes("listings_between", ledger.listings_between(p, 1, 9).unwrap());
        self.notes("books", ledger.books(p).unwrap());
        self.notes("volume", ledger.volume(p, 2026).unwrap());
        self.notes("years", ledger.years(p).unwrap());
        self.notes("issues", ledger.issues(p).unwrap());
        self.notes("newest_issues", ledger.newest_issues(p, 1, 2).unwrap());
        self.notes("tally", ledger.tally(p, at(90_000)).unwrap());
        self.notes("examine", ledger.examine().unwrap());
        for pace in [Pace::Each, Pace::Daily, Pace::Weekly, Pace::Monthly] {
            self.notes("news", ledger.news(p, pace, (at(-9999), at(99_999)), at(99_999)).unwrap());
            self.notes("last_digest", ledger.last_digest(p, pace).unwrap());
            self.notes("readers", ledger.readers(pace).unwrap());
            self.notes("wishes", sorted(ledger.wishes(pace).unwrap()));
        }
        for kind in [FacetKind::Author, FacetKind::Section] {
            let facets = ledger.facets(p, kind).unwrap();
            self.notes("facets", &facets);
            for facet in facets.into_iter().chain([Facet { kind, name: "Nobody".to_owned() }]) {
                self.notes("years_of", ledger.years_of(p, &facet).unwrap());
                self.notes("contributions", ledger.contributions(p, &facet, None, 5).unwrap());
                self.notes("contributions", ledger.contributions(p, &facet, Some(2026), 5).unwrap());
                self.notes("issues_of", ledger.issues_of(p, &facet, 5).unwrap());
            }
        }
        for question in [
            "tide",
            "TIDE high",
            "潮水",
            "水",
            "high 水很",
            "it's",
            "o'clock \\ \"x\" & !",
            "gibt’s nicht",
            "ti",
        ] {
            let terms = terms::question(question);
            if !terms.is_empty() {
                self.notes(question, ledger.search(p, &terms, 0, 10).unwrap());
                self.notes(question, ledger.search(p, &terms, 1, 1).unwrap());
            }
        }
        for line in ledger.issues(p).unwrap() {
            let key = &line.key;
            self.notes("source_of", ledger.source_of(p, key).unwrap());
            self.notes("manuscript_of", ledger.manuscript_of(p, key).unwrap());
            self.notes("status", ledger.status(p, key).unwrap());
            self.notes("versions", ledger.versions(p, key).unwrap());
            self.notes("every_version", ledger.every_version(p, key).unwrap());
            self.notes("ordinal", ledger.ordinal(p, key).unwrap());
            self.notes("issue", ledger.issue(p, key).unwrap());
            self.notes("issue_line", ledger.issue_line(p, key).unwrap());
            self.notes("issues_after", ledger.issues_after(p, key, 2).unwrap());
            let day = "2026-11-21".parse().unwrap();
            self.notes("beside", ledger.beside(p, key, day, line.published).unwrap());
        }
        self.notes("brought", ledger.brought(p, "The tide was high, 潮水很高, at nine o'clock.").unwrap());
        self.asks_of_people();
    }

    fn asks_of_people(&mut self) {
        let (ledger, publication) = (self.ledger, self.publication.clone());
        let p = &publication;
        let everybody = ledger.subscribers(SubscriberId(0), 100).unwrap();
        for somebody in &everybody {
            self.notes("history", ledger.history(somebody.id, 10).unwrap());
            self.notes("bounces", ledger.bounces(somebody.id).unwrap());
            self.notes("subscriber_of", ledger.subscriber_of(somebody.id).unwrap());
            self.notes("subscriber", ledger.subscriber(&somebody.address).unwrap());
        }
        for part in ["", "EXAMPLE", "li@", "50%_off!", "nobody"] {
            self.notes("subscribers_with", ledger.subscribers_with(part, SubscriberId(1), 9).unwrap());
        }
        self.notes("growth", ledger.growth().unwrap());
        self.notes("n_pending", ledger.n_pending(at(0)).unwrap());
        for standing in Standing::ALL {
            self.notes("count", ledger.count(standing).unwrap());
        }
        let digests = ledger.digests(p, 10).unwrap();
        self.notes("digests", &digests);
        self.notes("stale", ledger.stale(p).unwrap());
        for line in &digests {
            let id = line.digest.id;
            self.notes("digest", ledger.digest(id).unwrap());
            self.notes("digests_before", ledger.digests_before(p, id, 2).unwrap());
            self.notes("digest_of", ledger.digest_of(p, Pace::Each, &line.digest.period).unwrap());
            self.notes("printed_for", sorted(ledger.printed_for(id).unwrap()));
            self.notes("course", ledger.course(id).unwrap());
            self.notes("said_afterwards", ledger.said_afterwards(id).unwrap());
            for state in State::ALL {
                self.notes("letters", ledger.letters(id, state, SubscriberId(0), 10).unwrap());
            }
        }
        self.notes("next_due", ledger.next_due().unwrap());
        self.notes("waiting", ledger.waiting().unwrap());
        self.notes("restored", ledger.restored().unwrap());
        self.notes("last_backup", ledger.last_backup().unwrap());
        self.notes("tokens", ledger.tokens().unwrap());
        self.notes("webhooks", ledger.webhooks().unwrap());
        self.notes("next_telling", ledger.next_telling().unwrap());
        let nameless = ledger.unwritten(20).unwrap().into_iter().map(|event| {
            assert_eq!(event.name.len(), 32);
            (event.id, event.kind, event.issue, event.digest, event.at)
        });
        self.notes("unwritten", nameless.collect::<Vec<_>>());
        let due = ledger.due_tellings(at(200_000), 20).unwrap().into_iter();
        self.notes("due_tellings", due.map(|t| (t.event, t.webhook, t.body, t.attempts)).collect::<Vec<_>>());
    }

    fn joins(&mut self) -> Vec<SubscriberId> {
        let wish = |form| Preferences { wish: Wish { form, ..Wish::default() }, ..Preferences::default() };
        let mut book = Entry::confirmed(address("book@Example.org"), "a story", at(0));
        book.preferences =
            Preferences { device: Some(address("device@reader.example")), ..wish(Form::Kindle) };
        let mut weekly = Entry::confirmed(address("weekly@example.net"), "a story", at(1));
        weekly.preferences.pace = Pace::Weekly;
        let mut pending = Entry::confirmed(address("pending@example.org"), "a form", at(2));
        (pending.standing, pending.consent.confirmed) = (Standing::Pending, None);
        let mut gone = Entry::confirmed(address("gone@example.org"), "a roll", at(3));
        gone.standing = Standing::Left;
        let mut entries: Vec<Entry> =
            ["li@example.org", "wang@closed.example", "50%_off!@example.com", "LI@example.org"]
                .map(|text| Entry::confirmed(address(text), "a story", at(0)))
                .into();
        entries.extend([book, weekly, pending, gone]);
        let entered = self.ledger.enter(entries).unwrap();
        self.notes("enter", &entered);
        entered.iter().filter_map(|entered| entered.id()).collect()
    }

    /// All that changes anything.
    fn plays(&mut self) {
        let ledger = self.ledger;
        let p = self.publication.clone();
        let people = self.joins();
        let (li, wang, off) = (people[0], people[1], people[2]);
        let pending = people[6];
        let first = self.publishes("a.md", "The tide was high, 潮水很高, at nine o'clock.", 10);
        self.asks_all();
        self.notes(
            "confirm",
            (ledger.confirm(pending, at(20)).unwrap(), ledger.confirm(pending, at(21)).unwrap()),
        );
        self.notes("ask", ledger.ask(&p, li, &letter("no"), at(22)).unwrap());
        self.notes(
            "prefer",
            ledger.prefer(off, &Preferences { pace: Pace::Daily, ..Preferences::default() }).unwrap(),
        );
        self.sends(li, wang);
        self.asks_all();
        // A correction, one that is given up, and one that waits for its time.
        self.publishes("a.md", "The tide was higher, at ten.", 400);
        self.opens("a.md", "It was a lie.", 500);
        self.opens("a.md", "It was another lie.", 501);
        self.notes("interrupted", ledger.interrupted(&p, at(600)).unwrap());
        ledger.forget(b"a.md").unwrap();
        ledger.close_status(&p, &first.issue.key, at(601)).unwrap();
        let second = self.publishes("b.md", "The tide was low on Wednesday.", 700);
        ledger.note(&arrival("c.md", Fate::Rejected("no words".to_owned()), 701)).unwrap();
        ledger.note(&arrival("d.md", Fate::Withheld(second.issue.key.clone()), 702)).unwrap();
        ledger.note(&arrival("d.md", Fate::Embargoed(second.issue.key.clone()), 703)).unwrap();
        let daily =
            Self::draft(Pace::Daily, "2026-11-21", &second, vec![(Wish::default(), Some(words("day")))]);
        let mut daily = Draft { status: DigestStatus::Asking, ..daily };
        self.notes(
            "freeze",
            ledger.freeze(&p, &Draft { printings: vec![], ..daily.clone() }, at(704)).unwrap(),
        );
        daily.issues = vec![first.issue.key.clone(), second.issue.key.clone()];
        self.notes("freeze", ledger.freeze(&p, &daily, at(705)).unwrap());
        self.notes("freeze", ledger.freeze(&p, &daily, at(706)).unwrap());
        self.asks_all();
        self.withdraws(&first, &second);
        self.bounces(li, wang);
        self.tells();
        self.keeps();
        let link = "/out?reader=7c0ffee7";
        let old = Entry::confirmed(address("li@example.org"), "another program", at(4999));
        self.notes("enter", ledger.enter(vec![Entry { old_link: Some(link.to_owned()), ..old }]).unwrap());
        self.notes(
            "owner_of_link",
            (ledger.owner_of_link(link).unwrap(), ledger.owner_of_link("/out").unwrap()),
        );
        self.notes("erase", (ledger.erase(li, at(5000)).unwrap(), ledger.erase(li, at(5001)).unwrap()));
        self.notes("owner_of_link", ledger.owner_of_link(link).unwrap());
        let again = Entry::confirmed(address("li@example.org"), "a story", at(5002));
        self.notes("enter", ledger.enter(vec![again]).unwrap());
        self.asks_all();
    }

    fn sends(&mut self, li: SubscriberId, wang: SubscriberId) {
        let ledger = self.ledger;
        let closed = ["closed.example".to_owned(), "another.example".to_owned()];
        let claim = ledger.claim(at(30), at(3600), 2, &closed).unwrap();
        self.notes("claim", &claim);
        let all: Vec<_> = claim.letters.iter().map(|letter| (letter.digest, letter.subscriber)).collect();
        self.notes("still_claimed", sorted(ledger.still_claimed(&all).unwrap()));
        ledger.give_back(&claim.letters).unwrap();
        self.notes("still_claimed", ledger.still_claimed(&all).unwrap());
        let claim = ledger.claim(at(31), at(3600), 99, &[]).unwrap();
        self.notes("claim", &claim);
        let digest = claim.letters[0].digest;
        self.notes("printing", ledger.printing(claim.letters[0].printing).unwrap());
        let both = [
            settled(digest, li, Outcome::Unknown, None),
            settled(digest, li, Outcome::Delivered, None),
            settled(digest, wang, Outcome::Delayed(at(90)), None),
        ];
        self.notes("settle", ledger.settle(&both, at(40)).unwrap());
        let (done, hears) = mpsc::channel();
        for letter in claim.letters.iter().filter(|letter| ![li, wang].contains(&letter.subscriber)) {
            let done = done.clone();
            let one = settled(digest, letter.subscriber, Outcome::Failed, None);
            ledger.settle_then(vec![one], at(50), Box::new(move |told| done.send(told.unwrap()).unwrap()));
        }
        drop(done);
        self.notes("settle_then", hears.iter().collect::<Vec<_>>());
        self.notes("next_due", ledger.next_due().unwrap());
        self.notes("claim", ledger.claim(at(89), at(3600), 99, &[]).unwrap());
        self.notes("claim", ledger.claim(at(90), at(3600), 99, &closed).unwrap());
        self.notes("claim", ledger.claim(at(91), at(95), 99, &[]).unwrap());
        // A lease that is over, and letters that a process had that died.
        self.notes("claim", ledger.claim(at(96), at(3600), 99, &[]).unwrap());
        let company = ledger.keep_claims(at(97), at(277), vec![("example.net".to_owned(), at(150))]).unwrap();
        self.notes("keep_claims", (company.n, company.taken_over));
        self.notes("release_claims", ledger.release_claims().unwrap());
        self.notes("retry", ledger.retry(digest, State::Failed, at(100)).unwrap());
        self.notes("leave", (ledger.leave(wang, at(101)).unwrap(), ledger.leave(wang, at(102)).unwrap()));
        self.notes(
            "set_digest_status",
            ledger.set_digest_status(digest, DigestStatus::Paused, at(103)).unwrap(),
        );
        self.notes("claim", ledger.claim(at(104), at(3600), 99, &[]).unwrap());
        self.notes(
            "set_digest_status",
            ledger.set_digest_status(digest, DigestStatus::Open, at(105)).unwrap(),
        );
        self.notes("ask_about_old", ledger.ask_about_old(at(200), at(201)).unwrap());
        self.notes(
            "set_digest_status",
            ledger.set_digest_status(digest, DigestStatus::Open, at(202)).unwrap(),
        );
        let claim = ledger.claim(at(203), at(3600), 99, &[]).unwrap();
        self.notes("claim", &claim);
        for letter in &claim.letters {
            ledger.settle(&[settled(digest, letter.subscriber, Outcome::Delivered, None)], at(210)).unwrap();
        }
        self.notes("find_finished", ledger.find_finished(at(211)).unwrap());
    }

    fn withdraws(&mut self, first: &Release, second: &Release) {
        let (ledger, p) = (self.ledger, self.publication.clone());
        let key = &second.issue.key;
        for status in [Status::Withheld, Status::Usable, Status::Usable, Status::Canceled] {
            self.notes("set_status", ledger.set_status(&p, key, status, at(800)).unwrap());
            if status == Status::Usable {
                let Opening::Print(release) = self.opens("b.md", "The tide was low on Wednesday.", 801)
                else {
                    self.shelves(second);
                    ledger.close_status(&p, key, at(802)).unwrap();
                    continue;
                };
                self.shelves(&release);
            }
            ledger.close_status(&p, key, at(803)).unwrap();
            self.asks_all();
        }
        for digest in ledger.stale(&p).unwrap() {
            let anew = [(Wish::default(), Some(words("the rest")))];
            let rest = std::slice::from_ref(&first.issue.key);
            ledger.print_anew(digest.id, rest, &anew, at(810)).unwrap();
            ledger.print_anew(digest.id, rest, &[(Wish::default(), None)], at(811)).unwrap();
        }
        self.asks_all();
    }

    fn bounces(&mut self, li: SubscriberId, wang: SubscriberId) {
        let ledger = self.ledger;
        let report = |subscriber, kind, source: &str| Bounce {
            subscriber,
            digest: Some(DigestId(1)),
            at: at(900),
            kind,
            source: source.to_owned(),
            status: Some("5.1.1".to_owned()),
            text: "no such user".to_owned(),
        };
        let reports = vec![
            report(li, BounceKind::Soft, "report"),
            report(li, BounceKind::Soft, "report"),
            report(wang, BounceKind::Hard, "report"),
            report(SubscriberId(9999), BounceKind::Hard, "report"),
            report(li, BounceKind::Complaint, "complaint"),
        ];
        self.notes("bounce", ledger.bounce(reports, at(901)).unwrap());
        let why =
            Suppression { reason: SuppressionReason::Operator, at: at(902), text: "asked us".to_owned() };
        self.notes("suppress", ledger.suppress(li, &why).unwrap());
        let mut anew = Entry::confirmed(address("wang@closed.example"), "a letter", at(903));
        anew.anew = true;
        self.notes("enter", ledger.enter(vec![anew]).unwrap());
        self.notes("suppress", ledger.suppress(wang, &why).unwrap());
        let third = self.publishes("e.md", "Another day, another tide.", 910);
        let claim = ledger.claim(at(911), at(3600), 99, &[]).unwrap();
        self.notes("claim", &claim);
        if let Some(letter) = claim.letters.first() {
            let hard = settled(letter.digest, letter.subscriber, Outcome::Failed, Some(BounceKind::Hard));
            self.notes("settle", ledger.settle(&[hard], at(912)).unwrap());
        }
        let mut asked = Entry::confirmed(address("asked@example.org"), "a form", at(913));
        (asked.standing, asked.consent.confirmed) = (Standing::Pending, None);
        let asked = ledger.enter(vec![asked]).unwrap()[0].id().unwrap();
        let p = self.publication.clone();
        for n in 0..2 {
            self.notes("ask", ledger.ask(&p, asked, &letter("yes?"), at(914 + n)).unwrap());
        }
        self.notes("claim", ledger.claim(at(920), at(3600), 1, &[]).unwrap());
        self.notes("leave", ledger.leave(asked, at(921)).unwrap());
        self.notes("third", third);
        self.asks_all();
    }

    fn tells(&mut self) {
        let ledger = self.ledger;
        let hooks = ["https://a.example/".to_owned(), "https://b.example/".to_owned()];
        self.notes("find_finished", ledger.find_finished(at(1000)).unwrap());
        for (n, event) in ledger.unwritten(20).unwrap().into_iter().enumerate() {
            let whom = if n == 0 { &[][..] } else { &hooks[..] };
            ledger.write_event(event.id, &format!("event {n}"), whom, at(1001)).unwrap();
        }
        self.asks_all();
        let ends = [Told::Taken, Told::Failed, Told::Again(at(2000)), Told::Taken, Told::Ended];
        for (telling, told) in ledger.due_tellings(at(1002), 20).unwrap().into_iter().zip(ends) {
            ledger.settle_telling(&telling, told, "said", at(1003), at(900)).unwrap();
            self.notes("webhooks", ledger.webhooks().unwrap());
        }
        for hook in &hooks {
            self.notes("resume_webhook", ledger.resume_webhook(hook, at(1004)).unwrap());
        }
        for telling in ledger.due_tellings(at(1005), 20).unwrap() {
            ledger.settle_telling(&telling, Told::Taken, "yes", at(1006), at(1006)).unwrap();
        }
        self.asks_all();
    }

    fn keeps(&mut self) {
        let ledger = self.ledger;
        let token = Token { name: "robot".to_owned(), scope: Scope::Read, made: at(0), used: None };
        self.notes(
            "enter_token",
            (ledger.enter_token(&token, "x").unwrap(), ledger.enter_token(&token, "y").unwrap()),
        );
        ledger.token_used("robot", at(5)).unwrap();
        self.notes("token", (ledger.token("x").unwrap(), ledger.token("y").unwrap()));
        self.notes("revoke", (ledger.revoke_token("robot").unwrap(), ledger.revoke_token("robot").unwrap()));
        ledger.enter_token(&token, "z").unwrap();
        ledger.note_backup(at(3000)).unwrap();
        ledger.touch().unwrap();
        ledger.touch().unwrap();
        self.notes("holds_letters", ledger.holds_letters().unwrap());
        self.notes("let_letters_go", ledger.let_letters_go(false, at(3001)).unwrap());
        self.notes("let_letters_go", ledger.let_letters_go(true, at(3002)).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let rehearsal = ledger.rehearsal(&folder.path().join("rehearsal.db")).unwrap();
        self.notes("rehearsal", rehearsal.subscribers(SubscriberId(0), 99).unwrap());
        self.notes("rehearsal", rehearsal.issues(&self.publication).unwrap());
        ledger.copy_to(&folder.path().join("copy.db")).unwrap();
        let copy = Sqlite::open(&folder.path().join("copy.db")).unwrap();
        let mut of_copy = Script { ledger: &copy, publication: self.publication.clone(), said: Vec::new() };
        of_copy.asks_all();
        let before = self.said.len();
        self.asks_all();
        same(&self.said[before..], &of_copy.said);
    }
}

/// What has no order of its own.
fn sorted<T: Debug>(mut things: Vec<T>) -> Vec<T> {
    things.sort_by_key(|thing| format!("{thing:?}"));
    things
}

/// Whether two have answered the same; the first answer that differs is told.
#[track_caller]
fn same(one: &[String], other: &[String]) {
    for (n, (one, other)) in one.iter().zip(other).enumerate() {
        assert_eq!(one, other, "the answer number {n}");
    }
    assert_eq!(one.len(), other.len());
}

fn played(ledger: &dyn Ledger, publication: &Publication) -> Vec<String> {
    let mut script = Script { ledger, publication: publication.clone(), said: Vec::new() };
    script.plays();
    script.said
}

#[test]
fn both_databases_answer_the_same_and_every_statement_is_taken_by_both() {
    let Some(postgres) = Postgres::runs() else { return };
    let publication = Newsroom::closed("").publication();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.db");
    let in_file = Sqlite::open(&file).unwrap();
    let (first, second) = (postgres.telling_database(), postgres.telling_database());
    let there = LedgerAddress::parse(&first).unwrap();
    let on_postgres = OnPostgres::open(&there).unwrap();
    let (one, other) = (played(&in_file, &publication), played(&on_postgres, &publication));
    same(&one, &other);
    assert!(one.len() > 500, "{}", one.len());

    // From one to the other and from there into a file, and nothing is lost or another, also of what is more than is read at once.
    for n in 0..1200 {
        in_file.note(&arrival(&format!("{n}.md"), Fate::Rejected("no words".to_owned()), n)).unwrap();
    }
    let mut asked = Script { ledger: &in_file, publication: publication.clone(), said: Vec::new() };
    asked.asks_all();
    let (back, onwards) = (folder.path().join("back.db"), LedgerAddress::parse(&second).unwrap());
    let onwards = Place::Postgres(Box::new(onwards));
    let rows = carry(&Place::File(file), &onwards, &mut |_, _| ()).unwrap();
    assert_eq!(carry(&onwards, &Place::File(back.clone()), &mut |_, _| ()).unwrap(), rows);
    let mut script = Script { ledger: &Sqlite::open(&back).unwrap(), publication, said: Vec::new() };
    script.asks_all();
    same(&script.said, &asked.said);

    let statements = postgres.statements();
    let mut n_written = 0;
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        // What is said to the other database is said in every other story.
        let start = code.find("static POSTGRES").unwrap_or(0);
        for written in literals(&code[start..]) {
            n_written += 1;
            let taken = statements.iter().any(|statement| has(statement, &written));
            assert!(taken, "{}: nobody said `{written}`", path.display());
        }
    }
    assert!(n_written > 120, "{n_written}");
}

fn sources() -> Vec<std::path::PathBuf> {
    let folder = tools::root().join("src/ledger/sql");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The statements that stand in a source.
fn literals(code: &str) -> BTreeSet<String> {
    let code: String =
        code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let code = code.replace("'\"'", "").replace("\\\"", "");
    let begins = ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM "];
    let literals = code.split('"').skip(1).step_by(2);
    let literals = literals.filter(|text| begins.iter().any(|word| text.trim_start().starts_with(word)));
    literals.map(str::to_owned).collect()
}

/// Whether a statement is what was written, in which anything may stand in braces.
fn has(statement: &str, written: &str) -> bool {
    let mut parts = Vec::new();
    for part in written.split('{') {
        parts.push(part.split_once('}').map_or(part, |(_, rest)| rest));
    }
    let mut rest = statement;
    parts.into_iter().all(|part| {
        let part = part.replace('?', "$").split_whitespace().collect::<Vec<_>>().join(" ");
        // A number follows, and its sign stands before the brace.
        let part = part.trim_end_matches('$');
        match rest.find(part) {
            Some(at) => {
                rest = &rest[at + part.len()..];
                true
            }
            None => false,
        }
    })
}
