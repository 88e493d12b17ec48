//! The plug is pulled, and nothing happens.

use std::{
    collections::HashMap,
    fs,
    os::unix::fs::MetadataExt as _,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use gazetted::delivery::State;
use jiff::Timestamp;

use crate::{
    configuring::gazetted,
    ledgers,
    newsroom::{Newsroom, copies, page, until},
    sink::Conduct,
    tools,
};

/// How often the daemon is killed.
const KILLS: u32 = 20;

/// Its connections to the mail server: the most letters that one kill can double.
const CONNECTIONS: u32 = 4;

const SUBSCRIBERS: usize = 100;

#[test]
fn killed_twenty_times_on_the_way_it_loses_nothing_and_doubles_only_letters_in_flight() {
    let Some(smtp_sink) = tools::program("smtp-sink") else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let letters = folder.join("letters");
    fs::create_dir(&letters).unwrap();
    let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    fs::set_permissions(&letters, everybody).unwrap();
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let port = tools::free_port();
    let mut sink = Command::new(smtp_sink);
    sink.args(["-u", "nobody", "-d", "%M."])
        .arg(format!("127.0.0.1:{port}"))
        .arg("1000")
        .current_dir(&letters);
    let _sink = tools::Beside(sink.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());

    let web = tools::free_port();
    fs::create_dir_all(folder.join("news/config")).unwrap();
    fs::create_dir_all(folder.join("news/inbox")).unwrap();
    let news = folder.join("news");
    let settings = format!(
        "[inbox]\nsettle_after = \"60ms\"\nlook_every = \"200ms\"\n[http]\nlisten = \"127.0.0.1:{web}\"\n[desk]\nlisten = \"off\"\n\
         [mail]\nserver = \"127.0.0.1:{port}\"\nprotection = \"none\"\nconnections = {CONNECTIONS}\n"
    );
    fs::write(news.join("config/gazetted.toml"), settings).unwrap();
    let addresses: Vec<String> = (0..SUBSCRIBERS).map(|n| format!("reader{n}@example.org")).collect();
    let mut add = vec!["subscribers", "add"];
    add.extend(addresses.iter().map(String::as_str));
    assert_eq!(gazetted(&news, &add).0, 0);
    let mut files = tools::real_pages();
    files.extend(tools::samples());
    copies(&files, &news.join("inbox"));

    // The instants are drawn from a seed, so that a failure can be looked at again.
    let mut chance = Chance(20_261_121);
    for _ in 0..KILLS {
        let mut daemon = start(&news);
        let life = Duration::from_millis(80 + chance.below(700));
        let born = Instant::now();
        until("the instant of death", || born.elapsed() >= life);
        daemon.0.kill().unwrap();
        daemon.0.wait().unwrap();
    }
    let daemon = start(&news);
    let expected = format!("[{SUBSCRIBERS} delivered]");
    until("every letter of every issue to be delivered", || {
        let (_, listed) = gazetted(&news, &["issues", "list"]);
        listed.lines().count() == files.len() && listed.lines().all(|line| line.ends_with(&expected))
    });
    drop(daemon);

    let received = received(&letters);
    for n in 0..SUBSCRIBERS {
        let address = format!("reader{n}@example.org");
        let of_reader = received.iter().filter(|((to, _), _)| *to == address).count();
        assert_eq!(of_reader, files.len(), "different letters to {address}");
    }
    let doubled: u32 = received.values().map(|times| times - 1).sum();
    assert!(doubled <= KILLS * CONNECTIONS, "{doubled} letters came twice");
    eprintln!(
        "{} letters to {SUBSCRIBERS} readers, {KILLS} kills: none lost, {doubled} doubled",
        received.len()
    );
    let (code, said) = gazetted(&news, &["verify"]);
    assert_eq!(code, 0, "{said}");
}

fn start(news: &Path) -> tools::Beside {
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    daemon.arg("run").current_dir(news).stdout(Stdio::null()).stderr(Stdio::null());
    tools::Beside(daemon.spawn().unwrap())
}

/// How often each letter came, by its recipient and its Message-ID, as the mail server saw it. A letter that was cut off
/// before its end was never accepted, and does not count.
fn received(folder: &Path) -> HashMap<(String, String), u32> {
    let mut letters = HashMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let line =
            |name: &str| text.lines().find_map(|line| line.strip_prefix(name).map(|v| v.trim().to_owned()));
        let Some(to) = line("X-Rcpt-Args: ") else { continue };
        let Some(id) = line("Message-ID: ") else { continue };
        if text.trim_end().ends_with("--") {
            let to = to.split('>').next().unwrap_or_default().trim_start_matches('<').to_owned();
            *letters.entry((to, id)).or_default() += 1;
        }
    }
    letters
}

struct Chance(u64);

impl Chance {
    /// A number below `most`, by the multiplier of Knuth's MMIX.
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

#[test]
fn stopped_in_the_middle_of_a_digest_it_goes_on_where_it_was() {
    let mut newsroom = Newsroom::closed("connections = 1\npatience = \"300ms\"\n");
    newsroom.enters(&["a@example.org", "b@example.org", "c@example.org"]);
    newsroom.sink.treats("a@example.org", Conduct::Hangs);
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The first words."));
    newsroom.sink.is_offered("a@example.org", 1);
    newsroom.stops();
    newsroom.sink.treats("a@example.org", Conduct::Takes);
    newsroom.starts();
    newsroom.sink.letters_to("b@example.org", 1);
    newsroom.sink.letters_to("c@example.org", 1);
}

#[test]
fn an_issue_whose_printing_was_interrupted_is_finished_even_if_its_file_is_gone() {
    let mut newsroom = Newsroom::closed("");
    newsroom.enters(&["li@example.org"]);
    // The plug is pulled right after the release was opened: the ledger knows it, readers do not.
    newsroom.starts();
    let publication = newsroom.publication();
    newsroom.stops();
    let text = page("One", "The first words.");
    let manuscript = gazetted::manuscript::open("a.md", text.as_bytes()).unwrap();
    let issue = gazetted::manuscript::read(&manuscript, &publication).issue;
    let now = "2026-11-21T08:00:00Z".parse().unwrap();
    newsroom.ledger().open_release(&publication, &issue, "hash", b"a.md", now).unwrap();
    fs::write(newsroom.path("outbox/.tmp-1-feed.xml"), "<rss").unwrap();

    newsroom.starts();
    newsroom.is_out("a", 1);
    assert_eq!(newsroom.feed().entries[0].published.unwrap().to_rfc3339(), "2026-11-21T08:00:00+00:00");
    newsroom.sink.letters_to("li@example.org", 1);
    assert!(!newsroom.path("outbox/.tmp-1-feed.xml").exists());
    newsroom.all_is_well();
}

#[test]
fn started_again_it_does_nothing_twice() {
    let mut newsroom = Newsroom::closed("");
    newsroom.enters(&["li@example.org"]);
    newsroom.saves("a.md", page("One", "The first words.")).saves("bad.md", "");
    newsroom.starts();
    newsroom.is_out("a", 1).reason_beside("bad.md");
    newsroom.sink.letters_to("li@example.org", 1);
    let feed = newsroom.outbox_file("feed.xml");
    newsroom.stops();
    newsroom.starts();
    newsroom.saves("b.md", page("Two", "The second words.")).is_out("b", 1).is_out("a", 1);
    newsroom.sink.letters_to("li@example.org", 2);
    assert_ne!(newsroom.outbox_file("feed.xml"), feed);
}

#[test]
fn a_correction_that_was_given_up_is_printed_over_even_after_another_crash() {
    let mut newsroom = Newsroom::closed("");
    newsroom.starts();
    let first = page("Frost", "The bell is rung on Mondays.");
    newsroom.saves("a.md", &first).is_out("a", 1);
    let publication = newsroom.publication();
    newsroom.stops();
    // The plug is pulled over a correction whose page is out already, and again when the first text has been saved back.
    let read = |text: &str| {
        gazetted::manuscript::read(
            &gazetted::manuscript::open("a.md", text.as_bytes()).unwrap(),
            &publication,
        )
        .issue
    };
    let now = "2027-01-01T08:00:00Z".parse().unwrap();
    let ledger = newsroom.ledger();
    let second = read(&page("Frost", "The bell is rung on Tuesdays."));
    ledger.open_release(&publication, &second, "second", b"a.md", now).unwrap();
    fs::write(newsroom.path("outbox/issues/a/index.html"), "rung on Tuesdays").unwrap();
    let hash = ledger.arrivals().unwrap()[0].hash.clone();
    ledger.open_release(&publication, &read(&first), &hash, b"a.md", now).unwrap();
    drop(ledger);

    newsroom.starts();
    until("the first text to be printed again", || {
        newsroom.outbox_text("issues/a/index.html").contains("rung on Mondays")
    });
    let (ledger, publication) = (newsroom.ledger(), newsroom.publication());
    until("nothing to be open", || ledger.interrupted(&publication, Timestamp::now()).unwrap().is_empty());
    newsroom.is_out("a", 1).all_is_well();
}

#[test]
fn a_draft_that_failed_and_was_deleted_is_not_mailed_at_the_next_start() {
    let mut newsroom = Newsroom::closed("");
    newsroom.enters(&["li@example.org"]);
    fs::create_dir_all(newsroom.path("outbox/latest.epub")).unwrap();
    newsroom.starts();
    newsroom.saves("draft.md", page("Draft", "Not yet."));
    newsroom.reason_beside("draft.md");
    newsroom.removes("draft.md").no_reason_beside("draft.md");
    newsroom.stops();
    fs::remove_dir(newsroom.path("outbox/latest.epub")).unwrap();
    newsroom.starts();
    newsroom.saves("b.md", page("Two", "The second words.")).is_out("b", 1);
    newsroom.sink.letters_to("li@example.org", 1);
    assert_eq!(newsroom.ledger().issues(&newsroom.publication()).unwrap().len(), 1);
}

#[test]
fn a_file_refused_by_hand_has_its_reason_beside_it_once_the_daemon_runs() {
    let mut newsroom = Newsroom::closed("");
    newsroom.saves("bad.md", "");
    assert_eq!(gazetted(newsroom.folder.path(), &["publish", "inbox/bad.md"]).0, 1);
    newsroom.starts();
    assert!(newsroom.reason_beside("bad.md").contains("the file holds no text"));
}

#[test]
fn a_daemon_whose_log_cannot_be_written_goes_on() {
    let mut newsroom = Newsroom::closed("");
    newsroom.starts();
    newsroom.stops();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    daemon.arg("run").current_dir(newsroom.folder.path()).stdout(Stdio::null()).stderr(full);
    let mut daemon = tools::Beside(daemon.spawn().unwrap());
    newsroom.saves("a.md", page("One", "The first words.")).saves("b.md", "");
    newsroom.reason_beside("b.md");
    until("the issue", || newsroom.path("outbox/issues/a/index.html").exists());
    assert!(daemon.0.try_wait().unwrap().is_none(), "the daemon has ended");
}

#[test]
fn an_operator_who_looks_into_the_ledger_does_not_take_its_log_away() {
    let mut newsroom = Newsroom::closed(ledgers::IN_A_FILE);
    newsroom.enters(&["a@example.org"]);
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The first words."));
    newsroom.letters_stand("a", &[(State::Delivered, 1)]);
    let (ledger, log) = (newsroom.path("data/ledger.db"), newsroom.path("data/ledger.db-wal"));
    let before = fs::metadata(&log).unwrap().ino();
    let look = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); print(db.execute('SELECT count(*) FROM deliveries').fetchone()); db.close()";
    let (done, said) = tools::output(Command::new("python3").args(["-c", look]).arg(&ledger));
    assert!(done && said.contains("(1,)"), "{said}");
    // Whoever takes himself for the last one removes it; what the daemon writes from then on would be nobody's.
    assert_eq!(fs::metadata(&log).map(|log| log.ino()).ok(), Some(before));
    newsroom.saves("b.md", page("Two", "The second words."));
    newsroom.letters_stand("b", &[(State::Delivered, 1)]);
    let (_, said) = gazetted(newsroom.folder.path(), &["issues", "list"]);
    assert!(said.contains("Two"), "another process sees what was written: {said}");
}
