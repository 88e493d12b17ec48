//! Ledgers of every schema that we ever wrote are read and migrated; `src/ledger/fixtures` has one of each.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::Connection;

use super::{
    super::{Digests as _, Events as _, Keeping as _, Ledger as _, Subscribers as _, Tokens as _},
    connection, *,
};
use crate::{ledger::Restored, publication::Publication, subscriber::Standing};

/// The ledgers that we wrote, oldest first. Whoever adds a schema adds one that is written by it.
const FIXTURES: [&str; 5] = [
    include_str!("../fixtures/001.sql"),
    include_str!("../fixtures/002.sql"),
    include_str!("../fixtures/003.sql"),
    include_str!("../fixtures/004.sql"),
    include_str!("../fixtures/005.sql"),
];

fn tide() -> Publication {
    Publication { key: "tide".to_owned(), ..crate::manuscript::tests::publication() }
}

/// A ledger as we wrote it with this schema, in a folder.
pub(crate) fn ledger_of(folder: &Path, schema: usize) -> PathBuf {
    laid(folder, FIXTURES[schema - 1])
}

fn laid(folder: &Path, fixture: &str) -> PathBuf {
    let path = folder.join("ledger.db");
    Connection::open(&path).expect("opened").execute_batch(fixture).expect("a ledger");
    path
}

#[test]
fn there_is_a_ledger_of_every_schema_but_one_that_is_in_the_making() {
    assert!(FIXTURES.len() + 1 >= connection::SCHEMAS.len());
    for (n, fixture) in FIXTURES.iter().enumerate() {
        assert!(fixture.trim_end().ends_with(&format!("PRAGMA user_version = {};", n + 1)));
    }
}

/// The tables of a ledger with their columns, and its indexes, in words that do not know how they came to be.
fn tables_of(steps: &[&str]) -> Vec<String> {
    let db = Connection::open_in_memory().expect("opened");
    for step in steps {
        db.execute_batch(step).expect("a schema");
    }
    let said = |sql: &str| -> Vec<String> {
        let mut asked = db.prepare(sql).expect("a question");
        let said = asked.query_map([], |row| row.get::<_, String>(0)).expect("asked");
        said.map(|line| line.expect("text").split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    };
    let columns = "SELECT format('%s %s %d.%d: %s %s %d %s %d', t.name, t.type, t.wr, t.strict, c.name, c.type, c.\"notnull\", c.dflt_value, c.pk)
                   FROM pragma_table_list AS t, pragma_table_xinfo(t.name) AS c WHERE t.name NOT LIKE 'sqlite%' ORDER BY t.name, c.cid";
    let keys = "SELECT format('%s: %s to %s %s', t.name, k.\"from\", k.\"table\", k.\"to\")
                FROM pragma_table_list AS t, pragma_foreign_key_list(t.name) AS k ORDER BY 1";
    let unique =
        "SELECT format('%s: %s %d %d %s', t.name, i.origin, i.\"unique\", i.partial, group_concat(c.name))
                  FROM pragma_table_list AS t, pragma_index_list(t.name) AS i, pragma_index_xinfo(i.name) AS c
                  WHERE i.origin <> 'c' GROUP BY t.name, i.name ORDER BY 1";
    let indexes = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND (type <> 'table' OR sql LIKE 'CREATE VIRTUAL%') ORDER BY name";
    let rows = "SELECT format('%s %d', name, value) FROM counters ORDER BY name";
    [columns, keys, unique, indexes, rows].into_iter().flat_map(said).collect()
}

#[test]
fn a_new_ledger_has_what_the_migrations_make() {
    let (new, migrated) = (tables_of(&[connection::WHOLE]), tables_of(&connection::SCHEMAS));
    assert!(migrated.len() > 200, "all tables are compared: {}", migrated.len());
    assert_eq!(new, migrated);
}

#[test]
fn a_ledger_of_any_schema_is_migrated_with_all_that_it_knows() {
    for (n, fixture) in FIXTURES.iter().enumerate() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = laid(folder.path(), fixture);
        let ledger = Sqlite::open(&path).expect("migrated");
        let what = format!("schema {}", n + 1);
        assert_eq!(ledger.examine().expect("examined"), Vec::<String>::new(), "{what}");
        let issues = ledger.issues(&tide()).expect("read");
        let told: Vec<(&str, u32, u64)> = issues
            .iter()
            .map(|line| (line.key.as_str(), line.version, line.letters.iter().map(|(_, n)| n).sum()))
            .collect();
        assert_eq!(told, [("w2", 1, 2), ("w1", 2, 2)], "{what}");
        for (standing, n) in [(Standing::Confirmed, 2), (Standing::Left, 1), (Standing::Pending, 0)] {
            assert_eq!(ledger.count(standing).expect("counted"), n, "{what}");
        }
        assert_eq!(ledger.arrivals().expect("read").len(), 3, "{what}");
        let (found, all) = ledger.search(&tide(), &["tuesdays".to_owned()], 0, 9).expect("searched");
        assert_eq!((found.len(), all), (1, 1), "{what}");
        let now: Timestamp = "2026-12-01T00:00:00Z".parse().expect("a time");
        // The fourth schema was the first that knew of programs.
        let programs = usize::from(n >= 3);
        assert_eq!(ledger.tokens().expect("read").len(), programs, "{what}");
        assert_eq!(ledger.due_tellings(now, 9).expect("read").len(), programs, "{what}");
        assert_eq!(ledger.unwritten(9).expect("read").len(), programs, "{what}");
        // The fifth knew of links of other programs.
        let old = ledger.owner_of_link("https://old.example.org/unsubscribe?u=7c1e").expect("read");
        assert_eq!(old.is_some(), n >= 4, "{what}");
        let letters = ledger.claim(now, now, 99, &[]).expect("claimed").letters;
        assert_eq!(letters.len(), 2, "{what}");
        let before = folder.path().join(format!("backups/before-schema-{}.db", Sqlite::SCHEMA));
        assert_eq!(before.exists(), i64::try_from(n).expect("few") + 1 < Sqlite::SCHEMA, "{what}");
    }
}

#[test]
fn a_release_is_after_every_migration_what_it_was() {
    let releases = |path: &Path| -> Vec<String> {
        let db = Connection::open(path).expect("opened");
        let sql = "SELECT json_array(publication, issue, version, manuscript, hex(source), published, updated, out, current, name, date,
                       headlines, book_path, book_length, status, embargo, ordinal, closed, listing, body)
                   FROM releases ORDER BY publication, issue, version";
        let mut asked = db.prepare(sql).expect("a question");
        let said = asked.query_map([], |row| row.get(0)).expect("asked");
        said.collect::<Result<_, _>>().expect("text")
    };
    // The first two schemas had other columns.
    for fixture in &FIXTURES[2..] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = laid(folder.path(), fixture);
        let before = releases(&path);
        drop(Sqlite::open(&path).expect("migrated"));
        assert!(before.len() > 2, "{before:?}");
        assert_eq!(releases(&path), before);
    }
}

#[test]
fn a_ledger_of_any_schema_is_brought_back_and_holds_its_letters() {
    for fixture in FIXTURES {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = laid(folder.path(), fixture);
        let (taken, at) = (Timestamp::UNIX_EPOCH, "2026-12-01T00:00:00Z".parse().expect("a time"));
        Sqlite::bring_back(&path, Restored { taken, at }).expect("brought back");
        assert!(!folder.path().join("ledger.db-wal").exists(), "it is one file");
        let ledger = Sqlite::open(&path).expect("opened");
        assert_eq!(ledger.restored().expect("read"), Some(Restored { taken, at }));
        assert_eq!(ledger.last_backup().expect("read"), Some(taken));
        assert_eq!(ledger.claim(at, at, 99, &[]).expect("claimed").letters.len(), 0);
        assert_eq!(ledger.next_due().expect("read"), None);
        assert_eq!(ledger.waiting().expect("read").digests.len(), 2);
        assert_eq!(ledger.let_letters_go(false, at).expect("let go"), 2);
        assert_eq!(ledger.claim(at, at, 99, &[]).expect("claimed").letters.len(), 2);
    }
}

#[test]
fn a_ledger_that_is_damaged_is_not_brought_back() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = laid(folder.path(), FIXTURES[2]);
    let mut bytes = std::fs::read(&path).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0x5A);
    std::fs::write(&path, bytes).expect("written");
    let restored = Restored { taken: Timestamp::UNIX_EPOCH, at: Timestamp::UNIX_EPOCH };
    Sqlite::bring_back(&path, restored).expect_err("damaged");
}

#[test]
fn what_is_not_out_is_found_without_going_through_all_that_is() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = laid(folder.path(), FIXTURES[3]);
    drop(Sqlite::open(&path).expect("migrated"));
    let db = Connection::open(&path).expect("opened");
    for what in ["min(embargo)", "body, version, source"] {
        let sql = format!(
            "EXPLAIN QUERY PLAN SELECT {what} FROM releases WHERE {}",
            crate::ledger::sql::standing::OPEN
        );
        let plan: String = db.query_row(&sql, ["tide"], |row| row.get(3)).expect("explained");
        assert!(plan.ends_with("USING INDEX releases_open"), "{plan}");
    }
}
