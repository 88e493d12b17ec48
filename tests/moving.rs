//! A newsroom whose ledger is on `PostgreSQL`, moved there and back.

use std::fs;

use gazetted::{
    ledger::postgres::{Address, Postgres as OnPostgres},
    subscriber::Standing,
};

use crate::{
    ledgers::{self, Postgres},
    newsroom::{Newsroom, page, until},
    tools,
};

/// What `gazetted` says in a newsroom that is closed, and whether it could.
fn says(newsroom: &Newsroom, arguments: &[&str]) -> (bool, String) {
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_gazetted"));
    program.current_dir(newsroom.folder.path()).args(arguments);
    tools::output(&mut program)
}

/// Waits until both readers have so many letters.
fn letters(newsroom: &Newsroom, n: usize) {
    for reader in ["li@example.org", "wang@example.org"] {
        newsroom.sink.letters_to(reader, n);
    }
}

#[test]
fn a_newsroom_works_on_postgres_as_it_does_in_a_file() {
    let Some(postgres) = Postgres::runs() else { return };
    let mut newsroom = Newsroom::closed(&format!("[data]\nledger = \"{}\"\n", postgres.database()));
    newsroom.enters(&["li@example.org", "wang@example.org"]);
    newsroom.starts();
    newsroom.saves("2026-11-21.md", page("One", "The tide was high on Tuesday."));
    letters(&newsroom, 1);
    newsroom.stops();
    assert!(!newsroom.path("data/ledger.db").exists(), "nothing is in the folder");
    newsroom.starts();
    newsroom.saves("2026-11-22.md", page("Two", "The tide was low on Wednesday."));
    letters(&newsroom, 2);
    let (found, n_found) =
        newsroom.ledger().search(&newsroom.publication(), &["tide".to_owned()], 0, 10).unwrap();
    assert_eq!((found.len(), n_found), (2, 2));
}

#[test]
fn a_ledger_goes_on_after_every_connection_was_cut() {
    let Some(postgres) = Postgres::runs() else { return };
    let address = postgres.database();
    let mut newsroom = Newsroom::closed(&format!("[data]\nledger = \"{address}\"\n"));
    newsroom.enters(&["li@example.org", "wang@example.org"]);
    newsroom.starts();
    for n in 1..4 {
        newsroom.saves(&format!("2026-11-2{n}.md"), page("One", &format!("The tide was high, {n} times.")));
        letters(&newsroom, n);
        postgres.cuts(&address);
        // Whoever asks first may find the connection cut, and the next one does not.
        let ledger = newsroom.ledger();
        until("the ledger to answer", || ledger.count(Standing::Confirmed).is_ok_and(|n| n == 2));
        ledger.touch().unwrap();
    }
}

#[test]
fn what_is_said_to_another_machine_is_said_by_tls_to_whom_an_authority_knows() {
    let port = tools::free_port();
    let Some(postgres) = Postgres::with_tls(port) else { return };
    let name = postgres.database().split(['/', '?']).nth(3).unwrap().to_owned();
    let at = |host: &str, rest: &str| {
        let address = Address::parse(&format!("postgres://gazetted@{host}:{port}/{name}{rest}")).unwrap();
        OnPostgres::open(&address).map(|_| ()).map_err(|error| {
            std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source())
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(": ")
        })
    };
    let authority = format!("&sslrootcert={}", postgres.authority().display());
    at("localhost", &format!("?sslmode=verify-full{authority}")).unwrap();
    at("localhost", &format!("?sslmode=require{authority}")).unwrap();
    let unknown = at("localhost", "?sslmode=require").unwrap_err();
    assert!(unknown.contains("certificate"), "{unknown}");
    let another = at("127.0.0.1", &format!("?sslmode=verify-full{authority}")).unwrap_err();
    assert!(another.contains("certificate"), "{another}");
    let plain = at("localhost", "?sslmode=disable").unwrap_err();
    assert!(plain.contains("no encryption"), "{plain}");
}

#[test]
fn a_ledger_goes_to_postgres_and_back_with_all_that_it_knows() {
    let Some(postgres) = Postgres::runs() else { return };
    let address = postgres.database();
    let mut newsroom = Newsroom::closed(ledgers::IN_A_FILE);
    newsroom.enters(&["li@example.org", "wang@example.org"]);
    newsroom.starts();
    newsroom.saves("2026-11-21.md", page("One", "The tide was high on Tuesday, 潮水很高。"));
    letters(&newsroom, 1);
    let (ran, said) = says(&newsroom, &["ledger", "move", "--to", &address]);
    assert!(!ran && said.contains("runs"), "{said}");
    newsroom.stops();

    let (moved, said) = says(&newsroom, &["ledger", "move", "--to", &address]);
    assert!(moved, "{said}");
    assert!(said.contains("ledger = \"postgres://"), "{said}");
    let settings = newsroom.path("config/gazetted.toml");
    let plain = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, plain.replace("[data]\n", &format!("[data]\nledger = \"{address}\"\n"))).unwrap();
    newsroom.starts();
    newsroom.saves("2026-11-22.md", page("Two", "The tide was low on Wednesday."));
    letters(&newsroom, 2);
    for (word, n) in [("tide", 2), ("潮水", 1), ("潮*", 1), ("tuesday", 1), ("nothing", 0)] {
        let question = [word.to_owned()];
        let (found, n_found) = newsroom.ledger().search(&newsroom.publication(), &question, 0, 10).unwrap();
        assert_eq!((found.len(), n_found), (n, n), "{word}");
    }
    newsroom.stops();

    // A place that has something is left alone.
    let (again, said) =
        says(&newsroom, &["ledger", "move", "--from", "data/ledger.db.before-move", "--to", &address]);
    assert!(!again && said.contains("not empty"), "{said}");

    let (back, said) = says(&newsroom, &["ledger", "move", "--to", "data/ledger.db"]);
    assert!(back, "{said}");
    let (_, said) = says(&newsroom, &["issues", "list"]);
    assert!(said.contains("there is a ledger in"), "two ledgers are one too many: {said}");
    fs::write(&settings, &plain).unwrap();
    newsroom.starts();
    newsroom.saves("2026-11-23.md", page("Three", "The tide turned on Thursday."));
    letters(&newsroom, 3);
    let ledger = newsroom.ledger();
    let (found, _) = ledger.search(&newsroom.publication(), &["tide".to_owned()], 0, 10).unwrap();
    assert_eq!(found.len(), 3);
    assert_eq!(ledger.count(Standing::Confirmed).unwrap(), 2);
    assert!(ledger.examine().unwrap().is_empty());
}

#[test]
fn a_backup_of_a_ledger_on_postgres_is_brought_back_into_a_file() {
    let Some(postgres) = Postgres::runs() else { return };
    let mut newsroom = Newsroom::closed(&format!("[data]\nledger = \"{}\"\n", postgres.database()));
    newsroom.enters(&["li@example.org"]);
    newsroom.starts();
    newsroom.saves("2026-11-21.md", page("One", "The tide was high on Tuesday."));
    newsroom.sink.letters_to("li@example.org", 1);
    let (made, said) = says(&newsroom, &["backup", "night.backup"]);
    assert!(made, "{said}");
    let (restored, said) = says(&newsroom, &["restore", "night.backup", "--to", "again"]);
    assert!(restored, "{said}");
    let (_, troubles) =
        gazetted::ledger::sqlite::Sqlite::look_at(&newsroom.path("again/data/ledger.db")).unwrap();
    assert!(troubles.is_empty(), "{troubles:?}");
    // Its settings name the database that is in use: nothing begins on either before somebody says which is right.
    let (ran, said) = says(&newsroom, &["--config", "again/config/gazetted.toml", "issues", "list"]);
    assert!(!ran && said.contains("ledger move"), "{said}");
}
