//! The machine is lost, and the newsroom comes back from its backup.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use gazetted::vault;
use image::ImageFormat;

use crate::{
    configuring::gazetted,
    ledgers,
    listing::files,
    newsroom::{Newsroom, manuscript, page, until},
    picturing::picture,
    sink::Conduct,
    tools,
};

/// A newsroom whose pages do not depend on the port that it gets.
fn opens() -> Newsroom {
    let mut newsroom = Newsroom::closed(ledgers::IN_A_FILE);
    newsroom.sets("publication", "base_url = \"https://tide.example.org/\"");
    newsroom
}

/// Everything in a folder goes, as when a machine is lost.
fn is_lost(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }
}

/// What a newsroom says, with numbers that differ from day to day left out.
fn says(newsroom: &Newsroom, arguments: &[&str]) -> (i32, String) {
    gazetted(newsroom.folder.path(), arguments)
}

#[test]
fn brought_back_on_another_machine_it_has_every_file_as_it_was_and_mails_nobody_twice() {
    let mut newsroom = opens();
    newsroom.enters(&["li@example.org", "wang@example.org", "late@slow.example"]);
    newsroom.sink.treats("late@slow.example", Conduct::Answers("451 4.2.2 not now"));
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The bell is rung on Mondays."));
    newsroom.saves("ink.md", page("Ink", "words".repeat(9).as_str()));
    newsroom.saves_folder(
        "frost",
        &[
            ("index.md", b"# Frost\n\nA picture.\n\n![ice](ice.png)\n".to_vec()),
            ("ice.png", picture(60, 40, ImageFormat::Png)),
        ],
    );
    newsroom.are_out(3);
    newsroom.saves("a.md", page("One", "The bell is rung on Tuesdays.")).is_out("a", 2);
    newsroom.sink.letters_to("li@example.org", 3);
    newsroom.sink.letters_to("wang@example.org", 3);
    newsroom.sink.is_offered("late@slow.example", 1);
    let leaving = newsroom.letterhead().leave_key;
    fs::write(newsroom.path("inbox/odd.txt"), "").unwrap();
    newsroom.reason_beside("odd.txt");

    // The backup is taken while the newsroom is at work.
    let aside = tempfile::tempdir().unwrap();
    let backup = aside.path().join("monday.backup");
    let (code, said) = says(&newsroom, &["backup", &backup.to_string_lossy()]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("3 issues, 3 subscribers, 3 letters that wait in "), "{said}");
    assert_eq!(fs::metadata(&backup).unwrap().permissions().mode() & 0o777, 0o600);
    let (outbox, inbox) = (files(&newsroom), tree(&newsroom.path("inbox")));
    let taken = vault::read_manifest(&backup).unwrap().taken.as_second();
    assert!(newsroom.figures().contains(&format!("gazetted_last_backup_timestamp {taken}\n")));

    // What happens afterwards is not in it: a fourth issue, and a letter to the one who had to wait.
    newsroom.sink.treats("late@slow.example", Conduct::Takes);
    newsroom.saves("b.md", page("Two", "The second words.")).is_out("b", 1);
    newsroom.sink.letters_to("li@example.org", 4);
    newsroom.sink.letters_to("wang@example.org", 4);
    newsroom.stops();
    let sent = newsroom.sink.letters();
    is_lost(newsroom.folder.path());

    let here = newsroom.folder.path().to_string_lossy().into_owned();
    let (code, said) = gazetted(aside.path(), &["restore", &backup.to_string_lossy(), "--to", &here]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("The Tide Gazette as of "), "{said}");
    assert_eq!(tree(&newsroom.path("inbox")), inbox);
    assert!(files(&newsroom) == outbox, "byte for byte, before it is opened");
    for (path, mode) in
        [("data", 0o700), ("data/ledger.db", 0o600), ("data/leave.key", 0o600), ("config", 0o700)]
    {
        let found = fs::metadata(newsroom.path(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{path}");
    }
    newsroom.starts();
    let looked = || {
        newsroom
            .figures()
            .lines()
            .any(|l| l.starts_with("gazetted_scan_duration_seconds_count") && !l.ends_with(" 0"))
    };
    until("a look at the inbox", looked);
    newsroom.reason_beside("odd.txt");
    newsroom.all_is_well();
    assert!(files(&newsroom) == outbox, "and after it was opened");
    assert_eq!(
        newsroom.letterhead().leave_key.token(gazetted::subscriber::SubscriberId(1)),
        leaving.token(gazetted::subscriber::SubscriberId(1))
    );

    // The fourth issue is saved once more. Nobody gets a letter before somebody has said what is to become of them.
    newsroom.saves("b.md", page("Two", "The second words.")).is_out("b", 1);
    assert!(newsroom.ledger().holds_letters().unwrap());
    assert_eq!(newsroom.ledger().claim(newsroom.now(), newsroom.now(), 99, &[]).unwrap().letters.len(), 0);
    let (code, said) = says(&newsroom, &["resume"]);
    assert_eq!(code, 0, "{said}");
    for told in [
        "letters are held since ",
        "[3 letters]",
        "[1 letter]",
        "`gazetted resume --send`",
        "`gazetted resume --skip`",
    ] {
        assert!(said.contains(told), "{told}\n{said}");
    }
    assert_eq!(newsroom.sink.letters(), sent);
    let (code, said) = says(&newsroom, &["resume", "--skip"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.starts_with("letters go out again; 6 letters of 4 digests stay here\n"), "{said}");
    newsroom.saves("c.md", page("Three", "The third words.")).is_out("c", 1);
    newsroom.sink.letters_to("li@example.org", 5);
    newsroom.sink.letters_to("wang@example.org", 5);
    let (_, said) = says(&newsroom, &["resume"]);
    assert_eq!(said, "letters are not held; `gazetted digests list` shows digests that are paused\n");
    // Numbers that may have been given meanwhile mean nobody else.
    newsroom.enters(&["new@example.org"]);
    let (_, said) = says(&newsroom, &["subscribers", "list", "--json"]);
    let last: serde_json::Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert!(last["id"].as_i64().unwrap() > 100_000, "{last}");
}

/// The files below a folder with their bytes.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut tree = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tree.extend(self::tree(&path));
        } else {
            tree.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    tree
}

#[test]
fn letters_that_waited_go_out_once_when_the_operator_says_so() {
    let mut newsroom = opens();
    newsroom.enters(&["li@example.org", "late@slow.example"]);
    newsroom.sink.treats("late@slow.example", Conduct::Answers("451 4.2.2 not now"));
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    newsroom.sink.letters_to("li@example.org", 1);
    newsroom.sink.is_offered("late@slow.example", 1);
    let aside = tempfile::tempdir().unwrap();
    let backup = aside.path().join("b");
    until("the letter to wait", || {
        newsroom
            .ledger()
            .tally(&newsroom.publication(), newsroom.now())
            .unwrap()
            .letters
            .contains(&(gazetted::delivery::State::Delayed, 1))
    });
    assert_eq!(says(&newsroom, &["backup", &backup.to_string_lossy()]).0, 0);
    newsroom.stops();
    is_lost(newsroom.folder.path());
    vault::bring_back(&backup, newsroom.folder.path(), newsroom.now(), &mut |_, _| ()).unwrap();
    newsroom.sink.treats("late@slow.example", Conduct::Takes);
    newsroom.after(jiff::SignedDuration::from_hours(1));
    newsroom.starts();
    let (_, said) = says(&newsroom, &["resume", "--send"]);
    assert_eq!(said, "letters go out again; 1 letter waited\n");
    newsroom.sink.letters_to("late@slow.example", 1);
    newsroom.sink.letters_to("li@example.org", 1);
}

#[test]
fn a_backup_taken_while_issues_come_out_and_letters_go_is_of_one_moment() {
    let mut newsroom = opens();
    let readers: Vec<String> = (0..40).map(|n| format!("reader{n}@example.org")).collect();
    newsroom.enters(&readers.iter().map(String::as_str).collect::<Vec<_>>());
    newsroom.starts();
    let aside = tempfile::tempdir().unwrap();
    let mut most = 0;
    for n in 0..6 {
        for part in 0..4 {
            newsroom
                .saves(&format!("i{n}-{part}.md"), page("Frost", &format!("The words of {n} and {part}.")));
        }
        // Those of the round before, and in the first round one: of the others, some come out while the backup is taken.
        until("an issue to come out", || {
            let out = newsroom.ledger().issues(&newsroom.publication()).unwrap().len();
            out >= 1.max(n * 4)
        });
        let backup = aside.path().join(format!("{n}.backup"));
        let (code, said) = says(&newsroom, &["backup", &backup.to_string_lossy()]);
        assert_eq!(code, 0, "{said}");
        let there = aside.path().join(n.to_string());
        let brought = vault::bring_back(&backup, &there, newsroom.now(), &mut |_, _| ()).unwrap();
        most = most.max(brought.manifest.counts.issues);
        let (code, said) = gazetted(&there, &["verify"]);
        assert_eq!(code, 0, "backup {n}: {said}");
    }
    assert!(most > 0);
    newsroom.are_out(24);
    newsroom.letters_settled();
    assert_eq!(newsroom.sink.letters(), 24 * 40);
}

/// A backup of a small newsroom, in a folder of its own.
fn a_backup(extra: usize) -> (Newsroom, tempfile::TempDir, PathBuf) {
    let mut newsroom = opens();
    newsroom.enters(&["li@example.org"]);
    let press = newsroom.press();
    newsroom.saves("a.md", page("One", "The first words."));
    let manuscript = gazetted::inbox::open(&newsroom.path("inbox"), &newsroom.path("inbox/a.md")).unwrap();
    press.publish(&manuscript, newsroom.now()).unwrap();
    drop(press);
    if extra > 0 {
        let mut noise = Vec::with_capacity(extra + 32);
        while noise.len() < extra {
            noise.extend_from_slice(blake3::hash(&noise.len().to_le_bytes()).as_bytes());
        }
        fs::write(newsroom.path("data/originals/noise"), noise).unwrap();
    }
    let aside = tempfile::tempdir().unwrap();
    let backup = aside.path().join("gazette.backup");
    let (code, said) = says(&newsroom, &["backup", &backup.to_string_lossy()]);
    assert_eq!(code, 0, "{said}");
    (newsroom, aside, backup)
}

#[test]
fn a_backup_with_one_wrong_byte_or_without_its_end_is_refused_and_nothing_is_written() {
    let (newsroom, aside, backup) = a_backup(0);
    let bytes = fs::read(&backup).unwrap();
    let there = aside.path().join("there");
    let refused = |bytes: &[u8], what: &str| {
        fs::write(&backup, bytes).unwrap();
        let refused = vault::bring_back(&backup, &there, newsroom.now(), &mut |_, _| ());
        let error = refused.expect_err(what);
        assert!(
            matches!(error, vault::Error::Damaged { .. } | vault::Error::Foreign { .. }),
            "{what}: {error:?}"
        );
        assert!(!there.exists(), "{what}");
    };
    let length = bytes.len();
    let places = (0..60).chain((length - 80)..length).chain((60..length - 80).step_by(length / 60));
    for place in places {
        let mut bytes = bytes.clone();
        bytes[place] ^= 1 << (place % 8);
        refused(&bytes, &format!("byte {place} of {length}"));
    }
    for end in [0, 3, 4, 39, 40, 41, length / 2, length - 41, length - 40, length - 1] {
        refused(&bytes[..end], &format!("{end} of {length} bytes"));
    }
    refused(&[&bytes[..], b"\n"].concat(), "one byte more");
    let (code, said) = gazetted(aside.path(), &["restore", "gazette.backup", "--to", "there"]);
    assert_eq!(
        (code, said.as_str()),
        (
            1,
            "error: the backup `gazette.backup` is damaged, or was cut short: its seal does not fit\n\
             help: take an older backup, or another copy of this one; nothing was written\n"
        )
    );
    fs::write(&backup, &bytes).unwrap();
    vault::bring_back(&backup, &there, newsroom.now(), &mut |_, _| ()).unwrap();
    let (code, said) = gazetted(aside.path(), &["restore", "gazette.backup", "--to", "there"]);
    assert_eq!(
        (code, said.as_str()),
        (
            2,
            "error: `there` is not empty\nhelp: name a folder that is empty or not there yet; nothing was written\n"
        )
    );
}

#[test]
fn other_programs_unpack_a_backup_too() {
    let (newsroom, aside, backup) = a_backup(0);
    let (Some(tar), Some(_)) = (tools::program("tar"), tools::program("zstd")) else { return };
    let mut unpack = Command::new(tar);
    unpack.args(["--zstd", "-xf"]).arg(&backup).current_dir(aside.path());
    let (done, said) = tools::output(&mut unpack);
    assert!(done, "{said}");
    let feed = fs::read(aside.path().join("outbox/feed.xml")).unwrap();
    assert_eq!(feed, newsroom.outbox_file("feed.xml"));
    assert!(aside.path().join("manifest.json").exists());
}

/// Runs gazetted and kills it after so long, unless it has ended before; says whether it was killed.
fn killed(folder: &Path, arguments: &[&str], after: Duration) -> bool {
    let mut program = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    program.args(arguments).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    let mut program = tools::Beside(program.spawn().unwrap());
    let born = Instant::now();
    until("the end of a program", || born.elapsed() >= after || program.0.try_wait().unwrap().is_some());
    let lives = program.0.try_wait().unwrap().is_none();
    program.0.kill().unwrap();
    program.0.wait().unwrap();
    lives
}

#[test]
fn killed_over_a_backup_or_over_bringing_one_back_it_leaves_nothing_half() {
    let (newsroom, aside, backup) = a_backup(24 << 20);
    let name = backup.to_string_lossy().into_owned();
    let before = fs::read(&backup).unwrap();
    let began = Instant::now();
    assert_eq!(says(&newsroom, &["backup", &name]).0, 0);
    let whole = began.elapsed();
    fs::write(&backup, &before).unwrap();
    let mut n_killed = 0;
    for part in 0..12 {
        n_killed += u32::from(killed(newsroom.folder.path(), &["backup", &name], whole * part / 12));
        vault::read_manifest(&backup).expect("the one before, or a new one");
    }
    assert!(n_killed > 4, "{n_killed} killed in {whole:?}");
    assert_eq!(says(&newsroom, &["backup", &name]).0, 0);
    let left: Vec<_> = fs::read_dir(aside.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["gazette.backup"]);

    let there = aside.path().join("there");
    let (place, mut n_killed) = (there.to_string_lossy().into_owned(), 0);
    let began = Instant::now();
    assert_eq!(says(&newsroom, &["restore", &name, "--to", &place]).0, 0);
    let whole = began.elapsed();
    fs::remove_dir_all(&there).unwrap();
    for part in 0..12 {
        n_killed +=
            u32::from(killed(newsroom.folder.path(), &["restore", &name, "--to", &place], whole * part / 12));
        // Either it is no newsroom, or all of it is there.
        if there.join("config/gazetted.toml").exists() {
            assert_eq!(gazetted(&there, &["verify"]).0, 0);
            fs::remove_dir_all(&there).unwrap();
        } else {
            assert_eq!(gazetted(aside.path(), &["--config", "there/config/gazetted.toml", "verify"]).0, 2);
        }
    }
    assert!(n_killed > 4, "{n_killed} killed in {whole:?}");
    let (code, said) = says(&newsroom, &["restore", &name, "--to", &place]);
    assert_eq!(code, 0, "{said}");
    assert!(!there.join(".tmp-restore").exists());
    assert_eq!(
        fs::read(there.join("data/originals/noise")).unwrap(),
        fs::read(newsroom.path("data/originals/noise")).unwrap()
    );
    assert_eq!(gazetted(&there, &["verify"]).0, 0);
}

#[test]
fn folders_elsewhere_come_back_inside_the_new_one_and_what_is_not_in_the_backup_is_told() {
    let mut newsroom = opens();
    let aside = tempfile::tempdir().unwrap();
    let state = aside.path().join("state");
    let settings = fs::read_to_string(newsroom.path("config/gazetted.toml")).unwrap();
    let settings = settings.replace("[data]\n", &format!("[data]\nfolder = \"{}\"\n", state.display()));
    let settings =
        settings.replace("[mail]\n", "[mail]\ndkim_keys = [\"/etc/none/key.pem\", \"keys/own.pem\"]\n");
    fs::write(newsroom.path("config/gazetted.toml"), settings).unwrap();
    fs::create_dir(newsroom.path("keys")).unwrap();
    fs::write(newsroom.path("keys/own.pem"), "a key").unwrap();
    newsroom.enters(&["li@example.org"]);
    let inside = newsroom.path("outbox/b");
    fs::create_dir_all(newsroom.path("outbox")).unwrap();
    let (code, said) = says(&newsroom, &["backup", &inside.to_string_lossy()]);
    assert_eq!(
        (code, said.as_str()),
        (
            2,
            "error: a backup in `~/outbox/b` would lie in the outbox\nhelp: others read there; name a file outside of it\n"
        )
    );
    let (code, said) = says(&newsroom, &["backup", &state.join("b").to_string_lossy()]);
    assert!(
        code == 2 && said.contains("would lie in the data\nhelp: the next backup would hold this one"),
        "{said}"
    );
    let (code, said) = says(&newsroom, &["backup", &state.join("backups/b").to_string_lossy()]);
    assert_eq!(code, 0, "{said}");
    let (code, said) = says(&newsroom, &["backup", &aside.path().join("b").to_string_lossy()]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("keep them yourself:\n  /etc/none/key.pem\n"), "{said}");
    let (code, said) = gazetted(aside.path(), &["restore", "b", "--to", "there"]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("the folder of [data] is `there/data` now; `there/config/gazetted.toml` says so"),
        "{said}"
    );
    let there = aside.path().join("there");
    assert_eq!(fs::read_to_string(there.join("keys/own.pem")).unwrap(), "a key");
    fs::remove_dir_all(state).unwrap();
    let (code, said) = gazetted(&there, &["subscribers", "list"]);
    assert!(code == 0 && said.starts_with("li@example.org "), "{said}");
    newsroom.stops();
}

#[test]
fn a_digest_that_fell_due_before_the_newsroom_came_back_asks_first() {
    let mut newsroom = opens();
    let (code, said) = says(&newsroom, &["subscribers", "add", "li@example.org", "--pace", "daily"]);
    assert_eq!(code, 0, "{said}");
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    let aside = tempfile::tempdir().unwrap();
    let backup = aside.path().join("b");
    assert_eq!(says(&newsroom, &["backup", &backup.to_string_lossy()]).0, 0);
    newsroom.stops();
    is_lost(newsroom.folder.path());
    // A day later: the digest of yesterday may have gone out from the machine that was lost.
    newsroom.after(jiff::SignedDuration::from_hours(25));
    vault::bring_back(&backup, newsroom.folder.path(), newsroom.now(), &mut |_, _| ()).unwrap();
    assert_eq!(says(&newsroom, &["resume", "--send"]).0, 0);
    newsroom.starts();
    until("a digest that asks", || says(&newsroom, &["digests", "list"]).1.contains("waits for you"));
    assert_eq!(newsroom.sink.letters(), 0);
}

#[test]
fn of_many_digests_that_wait_the_oldest_are_told_of_in_one_line() {
    let newsroom = opens();
    assert_eq!(says(&newsroom, &["subscribers", "add", "li@example.org"]).0, 0);
    let press = newsroom.press();
    for n in 1..=22 {
        let (file, text) = (format!("w{n:02}.md"), page(&format!("Week {n}"), "The lamps are lit."));
        press.publish(&manuscript(&file, &text), newsroom.now()).unwrap();
    }
    let aside = tempfile::tempdir().unwrap();
    let backup = aside.path().join("b");
    assert_eq!(says(&newsroom, &["backup", &backup.to_string_lossy()]).0, 0);
    is_lost(newsroom.folder.path());
    vault::bring_back(&backup, newsroom.folder.path(), newsroom.now(), &mut |_, _| ()).unwrap();
    let (code, said) = says(&newsroom, &["resume"]);
    assert_eq!(code, 0, "{said}");
    let waiting: Vec<&str> = said.lines().filter(|line| line.starts_with("  ")).collect();
    assert_eq!(waiting.len(), 21, "{said}");
    assert!(
        waiting[0].starts_with("  2 digests from ") && waiting[0].ends_with(" on  [2 letters]"),
        "{said}"
    );
    assert!(waiting[1].contains(" w03 ") && waiting[20].contains(" w22 "), "{said}");
}

#[test]
fn a_ledger_of_a_newer_gazetted_is_refused_with_the_way_back() {
    let newsroom = opens();
    drop(newsroom.ledger());
    let ledger = rusqlite::Connection::open(newsroom.path("data/ledger.db")).unwrap();
    ledger.pragma_update(None, "user_version", 99).unwrap();
    for command in [&["issues", "list"][..], &["run"], &["backup", "b"]] {
        let (code, said) = says(&newsroom, command);
        assert_eq!(code, 1, "{said}");
        let schema = gazetted::ledger::sqlite::Sqlite::SCHEMA;
        assert!(
            said.contains(&format!("has schema 99, and this gazetted knows schemas up to {schema}\n"))
                && said.contains(
                    "help: run the newer gazetted, or bring back the copy `backups/before-schema-99.db`"
                ),
            "{said}"
        );
    }
    assert!(!newsroom.path("b").exists());
}
