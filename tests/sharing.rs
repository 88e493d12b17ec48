//! Several daemons share a newsroom: each does its part, one of them leads, and what one leaves undone another does.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
};

use expect_test::{Expect, expect};
use gazetted::{
    delivery::{Outcome, Phase, Reply, Settlement, State},
    doctor,
    ledger::{
        Arrival, Digests as _, Error, Fate, Ledger as _, News, Sharing as _,
        postgres::{Address, Postgres as OnPostgres},
    },
    metrics, outbox,
    press::{self, Press},
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    ledgers::Postgres,
    newsroom::{Newsroom, manuscript, page, until},
    storehouse::Storehouse,
    tools,
};

/// A newsroom whose ledger is on `PostgreSQL`, and whose daemons are processes.
struct Shared {
    newsroom: Newsroom,
}

/// One of its daemons.
struct OneOf {
    process: tools::Beside,
    greeting: PathBuf,
    log: PathBuf,
}

impl Shared {
    fn opens(postgres: &Postgres) -> Self {
        let ledger = format!("[data]\nledger = \"{}\"\n", postgres.database());
        let newsroom = Newsroom::closed(&ledger);
        Self { newsroom }
    }

    /// Starts a daemon of that name, and waits until it is open.
    #[track_caller]
    fn starts(&self, name: &str, roles: &str) -> OneOf {
        let (greeting, log) =
            (self.newsroom.path(&format!("{name}.out")), self.newsroom.path(&format!("{name}.log")));
        let mut daemon = Command::new(env!("CARGO_BIN_EXE_gazetted"));
        daemon.args(["run", "--name", name, "--roles", roles]).current_dir(self.newsroom.folder.path());
        daemon.stdout(fs::File::create(&greeting).unwrap()).stderr(fs::File::create(&log).unwrap());
        let process = tools::Beside(daemon.spawn().unwrap());
        let one = OneOf { process, greeting, log };
        until(&format!("{name} to be open: {}", one.said()), || one.greets("stop with Ctrl-C"));
        one
    }
}

impl OneOf {
    fn greets(&self, words: &str) -> bool {
        fs::read_to_string(&self.greeting).unwrap().contains(words)
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    fn signal(&self, signal: &str) {
        let mut kill = Command::new("kill");
        assert!(tools::output(kill.args([signal, &self.process.0.id().to_string()])).0);
    }

    /// The address of its web pages.
    fn address(&self) -> String {
        let greeting = fs::read_to_string(&self.greeting).unwrap();
        let line = greeting.lines().find(|line| line.trim_start().starts_with("web pages")).unwrap();
        line.split_whitespace().last().unwrap().to_owned()
    }
}

#[track_caller]
fn refused(newsroom: &Newsroom, arguments: &[&str], expected: &Expect) {
    let output = Command::new(env!("CARGO_BIN_EXE_gazetted"))
        .args(arguments)
        .current_dir(newsroom.folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(!output.status.success());
    expected.assert_eq(&String::from_utf8(output.stderr).unwrap());
}

#[test]
fn each_daemon_does_its_part_of_the_work() {
    let Some(postgres) = Postgres::runs() else { return };
    let mut shared = Shared::opens(postgres);
    shared.newsroom.enters(&["li@example.org"]);
    let press = shared.starts("a", "inbox,press");
    let mail = shared.starts("b", "mail");
    let web = shared.starts("c", "http");
    assert!(!press.greets("web pages") && !mail.greets("web pages") && !mail.greets("save issues in"));
    shared.newsroom.saves("a.md", page("One", "The tide was high on Tuesday."));
    shared.newsroom.sink.letters_to("li@example.org", 1);
    let read = |path: &str| {
        let url = format!("{}{path}", web.address());
        let curl = Command::new("curl").args(["-sS", &url]).output().unwrap();
        String::from_utf8(curl.stdout).unwrap()
    };
    assert!(read("issues/a/").contains("The tide was high on Tuesday."));
    assert!(read("readyz").contains("ready"), "{}", read("readyz"));

    // Its letters wait for whoever sends them, and are sent when somebody does.
    drop(mail);
    shared.newsroom.saves("b.md", page("Two", "The tide was low on Wednesday."));
    shared.newsroom.are_out(2);
    until("the new page", || read("feed.xml").contains("issues/b/"));
    let _mail = shared.starts("d", "mail");
    shared.newsroom.sink.letters_to("li@example.org", 2);
}

#[test]
fn a_leader_that_was_stopped_and_wakes_late_writes_nothing() {
    let Some(postgres) = Postgres::runs() else { return };
    let mut shared = Shared::opens(postgres);
    shared.newsroom.enters(&["li@example.org"]);
    let all = "inbox,press,mail,http";
    let (first, second) = (shared.starts("a", all), shared.starts("b", all));
    let newsroom = &shared.newsroom;
    until("the second one to wait", || second.said().contains("another daemon leads"));
    newsroom.saves("a.md", page("One", "The tide was high on Tuesday."));
    newsroom.sink.letters_to("li@example.org", 1);
    until("the log", || first.said().contains("published `a.md`"));

    first.signal("-STOP");
    newsroom.saves("b.md", page("Two", "The tide was low on Wednesday."));
    newsroom.sink.letters_to("li@example.org", 2);
    until("the log", || second.said().contains("published `b.md`"));
    newsroom.saves("c.md", page("Three", "The tide was high on Thursday."));
    first.signal("-CONT");
    newsroom.sink.letters_to("li@example.org", 3);
    until("the first to hear of it", || first.said().contains("this daemon leads no more"));
    newsroom.saves("d.md", page("Four", "The tide was low on Friday."));
    newsroom.sink.letters_to("li@example.org", 4);
    for name in ["b.md", "c.md", "d.md"] {
        assert!(!first.said().contains(&format!("published `{name}`")), "{}", first.said());
    }

    // Whoever leads is killed, and the other one takes over.
    drop(second);
    newsroom.saves("e.md", page("Five", "The tide was high on Saturday."));
    newsroom.sink.letters_to("li@example.org", 5);
    until("the log", || first.said().contains("published `e.md`"));
    for key in ["a", "b", "c", "d", "e"] {
        newsroom.is_out(key, 1);
        assert!(newsroom.outbox_text("feed.xml").contains(&format!("issues/{key}/")), "{key}");
    }
}

#[test]
fn who_leads_no_more_can_write_no_arrival_no_release_and_no_digest() {
    let Some(postgres) = Postgres::runs() else { return };
    let text = postgres.database();
    let address = Address::parse(&text).unwrap();
    let open = |name| OnPostgres::open_counted(&address, name, metrics::Ledger::default()).unwrap();
    let (one, other, command) = (open("one"), open("other"), open(""));
    let arrival = |path: &str| Arrival {
        path: path.as_bytes().to_vec(),
        signature: String::new(),
        hash: String::new(),
        fate: Fate::Rejected("no words".to_owned()),
        at: "2026-11-21T12:00:00Z".parse().unwrap(),
    };
    let overtaken = |done: Result<(), Error>| assert!(matches!(done, Err(Error::Overtaken)), "{done:?}");

    let lead = one.lead().unwrap().unwrap();
    assert!(other.lead().unwrap().is_none());
    one.note(&arrival("a")).unwrap();
    overtaken(other.note(&arrival("b")));
    // A command beside whoever leads has its turn under that lead, and one that needs no turn asks nobody.
    assert_eq!(command.epoch().unwrap(), lead.epoch);
    command.note(&arrival("c")).unwrap();

    postgres.cuts(&text);
    let mut taken = None;
    until("the lead to be free", || {
        taken = other.lead().ok().flatten();
        taken.is_some()
    });
    let taken = taken.unwrap();
    assert!(taken.epoch > lead.epoch);
    for late in [&one, &command] {
        overtaken(late.note(&arrival("d")));
        overtaken(late.forget(b"a"));
        overtaken(late.ask_about_old(Timestamp::MIN, Timestamp::MIN).map(drop));
    }
    overtaken(one.epoch().map(drop));
    other.note(&arrival("e")).unwrap();
    let known: Vec<_> = other.arrivals().unwrap().into_iter().map(|arrival| arrival.path).collect();
    assert_eq!(known, [b"a".to_vec(), b"c".to_vec(), b"e".to_vec()]);

    // Whoever lets go of it leaves it to the next at once.
    drop(taken);
    until("the lead to be free again", || one.lead().unwrap().is_some());
}

#[test]
fn who_is_overtaken_at_the_bucket_knows_that_another_daemon_leads() {
    let Some(postgres) = Postgres::runs() else { return };
    let storehouse = Storehouse::opens();
    let text = postgres.database();
    let newsroom = Newsroom::closed(&format!("{}[data]\nledger = \"{text}\"\n", storehouse.settings()));
    fs::write(newsroom.path("config/bucket-secret"), "open sesame\n").unwrap();
    fs::create_dir(newsroom.path("data")).unwrap();
    let address = Address::parse(&text).unwrap();
    let open = |name| {
        let ledger = OnPostgres::open_counted(&address, name, metrics::Ledger::default()).unwrap();
        newsroom.press_over(Arc::new(ledger))
    };
    let (one, other) = (open("one"), open("other"));
    let now = "2026-11-21T12:00:00Z".parse().unwrap();
    let publish = |press: &Press, words: &str| press.publish(&manuscript("a.md", &page("One", words)), now);
    let _lead = one.ledger.lead().unwrap().unwrap();

    // It is stopped at its last list, and wakes up when another daemon leads and has corrected the issue.
    storehouse.holds("PUT", "feed.xml");
    let (late, _lead) = std::thread::scope(|scope| {
        let late = scope.spawn(|| publish(&one, "The tide was high on Tuesday."));
        storehouse.until_it_holds();
        postgres.cuts(&text);
        let mut lead = None;
        until("the lead to be free", || {
            lead = other.ledger.lead().ok().flatten();
            lead.is_some()
        });
        other.resume(now).unwrap();
        publish(&other, "The tide was low on Tuesday.").unwrap();
        storehouse.lets_go();
        (late.join().unwrap().unwrap_err(), lead)
    });
    assert!(matches!(late, press::Error::Outbox(outbox::Error::Overtaken { .. })), "{late:?}");
    assert!(one.is_overtaken(&late));
    assert!(storehouse.text("issues/a/index.html").contains("The tide was low on Tuesday."));

    // Where whoever leads is overtaken, it is somebody that no ledger knows of: said aloud.
    assert!(!other.is_overtaken(&late));
}

#[test]
fn letters_of_a_daemon_of_which_nothing_is_heard_are_sent_by_another() {
    let Some(postgres) = Postgres::runs() else { return };
    let text = postgres.database();
    let mut newsroom = Newsroom::closed(&format!("[data]\nledger = \"{text}\"\n"));
    newsroom.enters(&["li@example.org", "wang@example.org", "zhao@example.net"]);
    let press = newsroom.press();
    crate::listing::publishes(&newsroom, &press, 1, "The tide was high.", 1);
    let address = Address::parse(&text).unwrap();
    let open = |name| OnPostgres::open_counted(&address, name, metrics::Ledger::default()).unwrap();
    let (one, other) = (open("one"), open("other"));
    let noon = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    let at = |seconds| noon + SignedDuration::from_secs(seconds);
    let claim = |ledger: &OnPostgres, seconds, most| {
        ledger.claim(at(seconds), at(seconds + 7200), most, &[]).unwrap()
    };
    let keep = |ledger: &OnPostgres, seconds, closed: &[(String, Timestamp)]| {
        ledger.keep_claims(at(seconds), at(seconds + 180), closed.to_vec()).unwrap()
    };
    assert_eq!((keep(&one, 0, &[]).n, keep(&one, 0, &[]).is_known), (1, true));
    let first = claim(&one, 0, 2);
    assert_eq!(first.letters.len(), 2);
    let mut keys: Vec<_> = first.letters.iter().map(|letter| (letter.digest, letter.subscriber)).collect();
    keys.sort();
    // What one has is not the other's, neither while it is at work nor when the other one starts again.
    let closed = ("example.net".to_owned(), at(150));
    let company = keep(&other, 100, std::slice::from_ref(&closed));
    assert_eq!((company.n, company.is_known, company.taken_over), (2, false, 0));
    assert_eq!(keep(&one, 0, &[]).closed, [closed], "what finds one too quick is spared by the other");
    assert_eq!(other.release_claims().unwrap(), 0);
    other.give_back(&first.letters).unwrap();
    assert_eq!(other.still_claimed(&keys).unwrap(), []);
    assert_eq!(one.still_claimed(&keys).unwrap(), keys);

    assert_eq!(keep(&other, 181, &[]).taken_over, 2, "nothing was heard of it for three minutes");
    let second = claim(&other, 182, 9);
    assert_eq!(second.letters.len(), 3);
    assert!(second.taken_back > first.taken_back, "whoever wakes late looks at the rest again");
    assert_eq!(one.still_claimed(&keys).unwrap(), []);
    let settle = |outcome, (digest, subscriber): (_, _)| {
        let reply = Reply { phase: Phase::Text, code: Some(451), status: None, text: "later".to_owned() };
        one.settle(&[Settlement { digest, subscriber, outcome, reply, bounce: None }], at(190)).unwrap();
    };
    // What it says of a letter that is not its own any more counts only where a server took it.
    settle(Outcome::Delayed(at(9999)), keys[0]);
    settle(Outcome::Delivered, keys[1]);
    assert_eq!(other.still_claimed(&keys).unwrap(), [keys[0]]);
    assert_eq!(other.release_claims().unwrap(), 2, "it starts again, and takes back its own");
    let delivered = other.digest(keys[0].0).unwrap().unwrap().letters;
    assert!(delivered.contains(&(State::Delivered, 1)), "{delivered:?}");
}

#[test]
fn daemons_hear_at_once_what_others_do() {
    let Some(postgres) = Postgres::runs() else { return };
    let text = postgres.database();
    let mut newsroom = Newsroom::closed(&format!("[data]\nledger = \"{text}\"\n"));
    newsroom.enters(&["li@example.org"]);
    let other = OnPostgres::open(&Address::parse(&text).unwrap()).unwrap();
    let heard: Arc<Mutex<Vec<News>>> = Arc::default();
    let notes = Arc::clone(&heard);
    let hearing = other.hear(Box::new(move |news| notes.lock().unwrap().push(news)));
    assert!(hearing.is_some());
    let has = |news: News| heard.lock().unwrap().contains(&news);
    until("it to listen", || has(News::Anything));
    let press = newsroom.press();
    crate::listing::publishes(&newsroom, &press, 1, "The tide was high.", 1);
    until("the letters", || has(News::Letters));
    until("the edition", || has(News::Edition));
    heard.lock().unwrap().clear();
    postgres.cuts(&text);
    until("it to listen again", || has(News::Anything));
}

#[test]
fn two_daemons_together_send_a_domain_no_more_than_the_operator_allows() {
    let Some(postgres) = Postgres::runs() else { return };
    let text = postgres.database();
    let opened = || {
        let limit = format!("per_minute_per_domain = 2\n[data]\nledger = \"{text}\"\n");
        Newsroom::closed(&limit)
    };
    let (mut one, mut other) = (opened(), opened());
    let readers: Vec<String> = (0..600).map(|n| format!("r{n}@a.example")).collect();
    one.enters(&readers.iter().map(String::as_str).collect::<Vec<_>>());
    one.starts();
    other.starts();
    let half_a_minute = || [&one, &other].map(|newsroom| newsroom.after(SignedDuration::from_secs(31)));
    until("both to say that they send letters", || {
        postgres.asks(&text, "SELECT count(*) FROM holders") == "2"
    });
    half_a_minute();
    half_a_minute();
    one.saves("a.md", page("One", "The tide was high on Tuesday."));
    // Whoever knew of nobody else would send two a minute.
    for n in 1..=6 {
        until(&format!("the letter of minute {n}"), || one.sink.letters() >= n);
        assert_eq!(one.sink.letters(), n);
        assert!(other.sink.letters() <= n, "{} in minute {n}", other.sink.letters());
        half_a_minute();
        half_a_minute();
    }
    until("a letter of the other one", || other.sink.letters() >= 1);
}

#[test]
fn the_doctor_says_who_leads() {
    let Some(postgres) = Postgres::runs() else { return };
    let shared = Shared::opens(postgres);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let told = || {
        let file = shared.newsroom.path("config/gazetted.toml");
        let resolver = "127.0.0.1:9".parse().unwrap();
        let found = runtime.block_on(doctor::examine(&file, [], Some(resolver), Timestamp::now()));
        let told = found.iter().filter(|finding| ["daemon", "lead"].contains(&finding.subject));
        told.map(|finding| finding.said.clone()).collect::<Vec<_>>().join("\n")
    };
    let press = shared.starts("a", "press,inbox");
    let web = shared.starts("b", "http");
    let expected = expect![[r"
        `a` leads: it publishes what is saved
        at work here: `a`, `b`"]];
    expected.assert_eq(&told());
    drop(press);
    let expected = expect![[r"
        no daemon leads: what is saved does not come out
        at work here: `b`"]];
    until("the lead to be free", || told().contains("no daemon leads"));
    expected.assert_eq(&told());

    // Whoever leads and does not look at the inbox says so.
    let blind = shared.starts("c", "press");
    until("the warning", || blind.said().contains("it does not look at the inbox"));
    drop(web);
}

#[test]
fn who_cannot_share_a_newsroom_is_told_why() {
    let newsroom = Newsroom::closed("");
    refused(
        &newsroom,
        &["run", "--roles", "inbox,mial"],
        &expect![[r"
        error: invalid value 'inbox,mial' for '--roles <ROLES>': there is no role `mial`; did you mean `mail`?

        For more information, try '--help'.
    "]],
    );
    if crate::ledgers::wanted().is_none() {
        refused(
            &newsroom,
            &["run", "--name", "b"],
            &expect![[r"
            error: several daemons share a newsroom only over a ledger on PostgreSQL, and this one's is a file; without a name, one does all the work
        "]],
        );
    }
    let Some(postgres) = Postgres::runs() else { return };
    let shared = Shared::opens(postgres);
    let _one = shared.starts("a", "mail");
    refused(
        &shared.newsroom,
        &["run", "--name", "a"],
        &expect![[r"
        error: another gazetted runs in this newsroom: it holds `./data/daemons/a.lock`
        help: stop it first, or give this one a name of its own beside it: `gazetted run --name b`
    "]],
    );
}
