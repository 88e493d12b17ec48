//! What stays as it is: the identifiers of everything, whatever is corrected, moved, printed anew or migrated.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{Cursor, Read as _},
    path::Path,
    process::{Command, Stdio},
};

use gazetted::{
    editions::FacetKind, fault, inbox, ledger::sqlite::Sqlite, press::Press, subscriber::Address,
};
use image::ImageFormat;
use rusqlite::Connection;
use serde_json::Value;

use crate::{
    ledgers,
    listing::{files, moment, publishes, text},
    newsroom::{Newsroom, until},
    picturing::picture,
    tools,
};

/// The identifiers in each feed, list of the catalogue and book, by where it lies; a book lies in its issue's folder.
fn ids(newsroom: &Newsroom) -> BTreeMap<String, BTreeSet<String>> {
    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, bytes) in files(newsroom) {
        let name = path.to_string_lossy().into_owned();
        let found = match path.extension().and_then(|extension| extension.to_str()) {
            Some("xml") => in_xml(std::str::from_utf8(&bytes).unwrap()),
            Some("json") => in_json(&serde_json::from_slice(&bytes).unwrap()),
            Some("epub") => in_book(&bytes),
            _ => continue,
        };
        let place = match name.rsplit_once('/') {
            Some((folder, file)) if Path::new(file).extension().is_some_and(|e| e == "epub") => {
                folder.to_owned()
            }
            _ => name,
        };
        ids.entry(place).or_default().extend(found);
    }
    ids.retain(|_, found| !found.is_empty());
    ids
}

fn in_xml(text: &str) -> BTreeSet<String> {
    let starts = ["<id>", "<guid isPermaLink=\"false\">"];
    let found = starts.iter().flat_map(|start| text.split(start).skip(1));
    found.map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

fn in_json(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| match value {
                Value::String(id) if name == "id" || name == "identifier" => BTreeSet::from([id.clone()]),
                _ => in_json(value),
            })
            .collect(),
        Value::Array(values) => values.iter().flat_map(in_json).collect(),
        _ => BTreeSet::new(),
    }
}

fn in_book(bytes: &[u8]) -> BTreeSet<String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut package = String::new();
    archive.by_name("OEBPS/content.opf").unwrap().read_to_string(&mut package).unwrap();
    let found = package.split("<dc:identifier").skip(1);
    found.map(|rest| rest.split_once('>').unwrap().1.split('<').next().unwrap().to_owned()).collect()
}

/// A newsroom that is not at work, whose readers know it by this address.
fn at(address: &str) -> Newsroom {
    let mut newsroom = Newsroom::closed(ledgers::IN_A_FILE);
    newsroom.sets("publication", &format!("base_url = \"{address}\"\nissn = \"1234-567X\""));
    newsroom
}

/// Publishes so many issues, from the second on; the first has a picture.
fn publishes_up_to(newsroom: &Newsroom, press: &Press, last: usize) {
    newsroom.saves_folder(
        "w1",
        &[
            ("index.md", (text(1, "The bell is rung.") + "\n![a bell](bell.png)\n").into_bytes()),
            ("bell.png", picture(60, 40, ImageFormat::Png)),
        ],
    );
    let manuscript = inbox::open(&newsroom.path("inbox"), &newsroom.path("inbox/w1")).unwrap();
    press.publish(&manuscript, moment(1)).unwrap();
    for n in 2..=last {
        publishes(newsroom, press, n, "The bell is rung.", i64::try_from(n).unwrap());
    }
}

#[test]
fn identifiers_stay_after_other_titles_another_address_and_a_replay() {
    const OLD: &str = "https://old.example.net/paper/";
    let newsroom = at(OLD);
    let press = newsroom.press();
    publishes_up_to(&newsroom, &press, 23);
    let before = ids(&newsroom);
    for list in [
        "feed.xml",
        "feed/atom.xml",
        "feed/feed.json",
        "feed/articles.xml",
        "feed/books.xml",
        "opds/root.xml",
    ] {
        assert!(before[list].len() >= 20, "{list}: {:?}", before[list]);
    }
    for list in ["feed/archive/1.xml", "feed/sections/town", "opds/root.json", "issues/w1"] {
        assert!(before.keys().any(|known| known.starts_with(list)), "{list}: {:?}", before.keys());
    }
    let all: BTreeSet<&String> = before.values().flatten().collect();
    assert!(all.iter().all(|id| !id.contains("old.example.net")), "{all:?}");

    let corrected = text(23, "The bell is rung.")
        .replace("title: Week 23", "title: Another name")
        .replace("# Story 23", "# Another headline");
    fs::write(newsroom.path("inbox/w23.md"), corrected).unwrap();
    let manuscript = inbox::open(&newsroom.path("inbox"), &newsroom.path("inbox/w23.md")).unwrap();
    press.publish(&manuscript, moment(30)).unwrap();
    for list in ["feed.xml", "feed/articles.xml", "opds/root.json"] {
        let told = newsroom.outbox_text(list);
        assert!(told.contains("Another") && !told.contains("Story 23"), "{list}: {told}");
    }
    assert_eq!(ids(&newsroom), before, "after other titles");
    drop(press);

    let settings = newsroom.path("config/gazetted.toml");
    let moved = fs::read_to_string(&settings).unwrap().replace(OLD, "https://new.example.com/");
    fs::write(settings, moved).unwrap();
    let press = newsroom.press();
    assert_eq!(press.replay(|_, _| ()).unwrap().issues, 23);
    assert_eq!(ids(&newsroom), before, "at another address");
    for (path, bytes) in files(&newsroom) {
        // Books under addresses that readers' programs may still know are left as they were.
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("old.example.net"), "{} knows the old address", path.display());
    }
    assert_eq!(press.replay(|_, _| ()).unwrap().files, 0, "the same again");
    assert_eq!(ids(&newsroom), before);
}

#[test]
fn a_replay_that_was_killed_goes_on_where_it_was_with_every_identifier() {
    let Some(mkfifo) = tools::program("mkfifo") else { return };
    let mut newsroom = at("https://tide.example.org/");
    let press = newsroom.press();
    publishes_up_to(&newsroom, &press, 30);
    let (before, known) = (files(&newsroom), ids(&newsroom));
    // The issue that is printed last waits for its picture for ever: the machine stops in the middle.
    assert_eq!(press.ledger.books(&press.publication).unwrap().last().unwrap().0.as_str(), "w1");
    let hash = Newsroom::shelved_by(&press, "w1").release.issue.pictures[0].hash.clone();
    let kept = newsroom.path("data/originals").join(&hash[..2]).join(hash);
    let bytes = fs::read(&kept).unwrap();
    fs::remove_file(&kept).unwrap();
    assert!(tools::output(Command::new(mkfifo).arg(&kept)).0);
    drop(press);
    let mut replay = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    replay.arg("replay").current_dir(newsroom.folder.path()).stdout(Stdio::null());
    let replay = tools::Beside(replay.spawn().unwrap());
    let bookmark = newsroom.path("data/replay.json");
    until("a bookmark", || bookmark.exists());
    drop(replay);
    let noted = fs::read(&bookmark).unwrap();

    fs::remove_file(&kept).unwrap();
    fs::write(&kept, bytes).unwrap();
    let press = newsroom.press();
    let replayed = press.replay(|_, _| ()).unwrap();
    assert_eq!((replayed.before, replayed.issues), (25, 5), "it goes on");
    assert!(!bookmark.exists(), "and is done");
    assert_eq!(ids(&newsroom), known);
    assert!(files(&newsroom) == before, "the same files");
    let replayed = press.replay(|_, _| ()).unwrap();
    assert_eq!((replayed.before, replayed.issues, replayed.files), (0, 30, 0), "the next one begins anew");
    drop(press);

    // What was printed with other settings is no part of what is printed with these.
    fs::write(&bookmark, noted).unwrap();
    newsroom.sets("publication", "colour = \"#204060\"");
    let replayed = newsroom.press().replay(|_, _| ()).unwrap();
    assert_eq!((replayed.before, replayed.issues), (0, 30));
    assert_eq!(ids(&newsroom), known);
}

/// All that lists are made of, in words.
fn told(press: &Press) -> String {
    let (ledger, publication) = (&press.ledger, &press.publication);
    let mut told = vec![format!("{:#?}", ledger.recent(publication, 99).unwrap())];
    for n in 0..25 {
        told.push(format!("{:?}", ledger.between(publication, n, n).unwrap()));
    }
    for kind in [FacetKind::Author, FacetKind::Section] {
        for facet in ledger.facets(publication, kind).unwrap() {
            let years = ledger.years_of(publication, &facet).unwrap();
            let articles = ledger.contributions(publication, &facet, None, 99).unwrap();
            told.push(format!("{facet:?} {years:?} {articles:?}"));
        }
    }
    for year in ledger.years(publication).unwrap() {
        told.push(format!("{year:?} {:?}", ledger.volume(publication, year.year).unwrap()));
    }
    told.push(format!("{:?}", ledger.issues(publication).unwrap()));
    told.push(format!("{:?}", ledger.arrivals().unwrap()));
    told.join("\n")
}

/// How many letters wait; from now on they are claimed.
fn claimed(press: &Press) -> usize {
    press.ledger.claim(moment(41), moment(42), 999, &[]).unwrap().letters.len()
}

/// Makes of a ledger one of the first schema with all that it could hold then.
fn takes_back(ledger: &Path) {
    let old = ledger.with_extension("old");
    let db = Connection::open(&old).unwrap();
    db.execute_batch(include_str!("../src/ledger/schema/001.sql")).unwrap();
    db.pragma_update(None, "user_version", 1).unwrap();
    db.execute("ATTACH ?1 AS new", [ledger.to_string_lossy()]).unwrap();
    let names = |sql: &str| -> Vec<String> {
        let mut rows = db.prepare(sql).unwrap();
        rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let tables =
        names("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
    assert_eq!(tables.len(), 5, "{tables:?}");
    for table in tables {
        let columns = names(&format!("SELECT name FROM pragma_table_info('{table}', 'main')")).join(", ");
        // A digest had its words in itself then.
        let from = match table.as_str() {
            "digests" => "(SELECT g.*, g.period AS issue, p.subject, p.text, p.html
                FROM new.digests g JOIN new.printings p ON p.digest = g.id)"
                .to_owned(),
            table => format!("new.{table}"),
        };
        let sql = format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM {from}");
        assert!(db.execute(&sql, []).unwrap() > 0, "nothing to take back in {table}");
    }
    db.close().unwrap();
    for left in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{left}", ledger.display()));
    }
    fs::rename(old, ledger).unwrap();
}

#[test]
fn a_ledger_of_the_first_schema_tells_all_that_one_of_today_would_have_told() {
    let mut newsroom = at("https://tide.example.org/");
    newsroom.enters(&["li@example.org", "wang@example.org"]);
    let press = newsroom.press();
    publishes_up_to(&newsroom, &press, 23);
    publishes(&newsroom, &press, 7, "The bell is rung on Tuesdays.", 40);
    // A replay writes the sealed pages anew, which a correction leaves as they are.
    press.replay(|_, _| ()).unwrap();
    let (before, known) = (files(&newsroom), told(&press));
    let letters = claimed(&press);
    assert_eq!(press.ledger.release_claims().unwrap(), letters as u64);
    let found = press.ledger.search(&press.publication, &["tuesdays".to_owned()], 0, 9).unwrap();
    assert_eq!((letters, found.1), (46, 1));
    drop(press);
    takes_back(&newsroom.path("data/ledger.db"));

    let press = newsroom.press();
    assert_eq!(told(&press), known);
    assert_eq!(press.ledger.search(&press.publication, &["tuesdays".to_owned()], 0, 9).unwrap(), found);
    assert_eq!(claimed(&press), letters, "the letters wait");
    assert_eq!(press.ledger.examine().unwrap(), Vec::<String>::new());
    assert!(
        newsroom.path(&format!("data/backups/before-schema-{}.db", Sqlite::SCHEMA)).exists(),
        "the old one is kept"
    );
    assert_eq!(press.replay(|_, _| ()).unwrap().files, 0);
    assert!(files(&newsroom) == before, "and every file is as it was");
    publishes(&newsroom, &press, 24, "The bell is rung.", 50);
    assert!(newsroom.outbox_text("feed.xml").contains("Story 24"));
}

/// Waits until nothing in this process has a file open any more: the thread that wrote in it ends behind whoever dropped it.
fn is_closed(file: &Path) {
    let name = fs::canonicalize(file).unwrap();
    until("the ledger's being closed", || {
        let open = fs::read_dir("/proc/self/fd").unwrap().flatten();
        open.filter_map(|fd| fs::read_link(fd.path()).ok()).all(|open| open != name)
    });
}

#[test]
fn a_migration_that_is_killed_anywhere_is_done_at_the_next_start() {
    let newsroom = at("https://tide.example.org/");
    let press = newsroom.press();
    publishes_up_to(&newsroom, &press, 5);
    let issues = press.ledger.issues(&press.publication).unwrap().len();
    drop(press);
    let ledger = newsroom.path("data/ledger.db");
    // A ledger of the first schema has letters, or it would not be one.
    newsroom.ledger().subscribe(&Address::parse("li@example.org").unwrap(), "a story", moment(6)).unwrap();
    publishes(&newsroom, &newsroom.press(), 6, "The bell is rung.", 6);
    takes_back(&ledger);
    is_closed(&ledger);
    let old = fs::read(&ledger).unwrap();

    for point in fault::Point::OF_A_MIGRATION {
        let lists = |environment: &[(&str, &str)]| {
            let mut list = Command::new(env!("CARGO_BIN_EXE_gazetted"));
            list.args(["issues", "list"]).current_dir(newsroom.folder.path());
            tools::output(list.envs(environment.iter().copied()))
        };
        let (well, said) = lists(&[(fault::DIE, point.name())]);
        assert!(!well && said.is_empty(), "it dies behind `{}`: {said}", point.name());
        let (well, said) = lists(&[]);
        assert!(well && said.lines().count() == issues + 1, "after `{}`: {said}", point.name());
        assert_eq!(newsroom.ledger().examine().unwrap(), Vec::<String>::new());
        is_closed(&ledger);
        for left in ["-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{left}", ledger.display()));
        }
        fs::write(&ledger, &old).unwrap();
    }
}

/// The system calls by which a ledger is changed.
const CALLS: [&str; 9] =
    ["openat", "write", "pwrite64", "fsync", "fdatasync", "ftruncate", "rename", "unlink", "fallocate"];

/// Ledgers of all older schemas, as they were written then.
const OLDER: [&str; 5] = [
    include_str!("../src/ledger/fixtures/001.sql"),
    include_str!("../src/ledger/fixtures/002.sql"),
    include_str!("../src/ledger/fixtures/003.sql"),
    include_str!("../src/ledger/fixtures/004.sql"),
    include_str!("../src/ledger/fixtures/005.sql"),
];

/// Of so many system calls of a kind, those at which a migration is killed: all, where there is time.
fn some(times: usize) -> impl Iterator<Item = usize> {
    let step = if std::env::var_os("GAZETTED_LONG").is_some() { 1 } else { times.div_ceil(4).max(1) };
    (1..=times).step_by(step)
}

#[test]
fn a_migration_of_any_schema_that_is_killed_at_any_system_call_is_done_at_the_next_start() {
    let Some(strace) = tools::program("strace") else { return };
    for (n, fixture) in OLDER.iter().enumerate() {
        let newsroom = at("https://tide.example.org/");
        let ledger = newsroom.path("data/ledger.db");
        let lay = || {
            let _ = fs::remove_dir_all(newsroom.path("data"));
            fs::create_dir(newsroom.path("data")).unwrap();
            Connection::open(&ledger).unwrap().execute_batch(fixture).unwrap();
        };
        let lists = |traced: &[&str]| {
            let mut list = Command::new(&strace);
            list.args(["-f", "-qq"]).args(traced).arg(env!("CARGO_BIN_EXE_gazetted"));
            tools::output(list.args(["issues", "list"]).current_dir(newsroom.folder.path()))
        };
        let record = newsroom.path("calls");
        lay();
        let (well, whole) =
            lists(&["-o", &record.to_string_lossy(), "-e", &format!("trace={}", CALLS.join(","))]);
        assert!(well && whole.contains("w1") && whole.contains("w2"), "{whole}");
        let calls = fs::read_to_string(&record).unwrap();
        let mut n_killed = 0;
        for call in CALLS {
            let times = calls.lines().filter(|line| line.contains(&format!("{call}("))).count();
            for time in some(times) {
                lay();
                let inject = format!("inject={call}:signal=SIGKILL:when={time}");
                let (well, _) = lists(&["-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject]);
                // Threads may share the calls out otherwise; then nothing was killed.
                n_killed += u32::from(!well);
                let (well, said) = lists(&["-o", "/dev/null", "-e", "trace=none"]);
                assert!(well && said == whole, "schema {}, killed at `{call}` {time}: {said}", n + 1);
                let db = Connection::open(&ledger).unwrap();
                let sound: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
                assert_eq!(sound, "ok", "schema {}, killed at `{call}` {time}", n + 1);
            }
        }
        assert!(n_killed > 10, "{n_killed}");
    }
}
