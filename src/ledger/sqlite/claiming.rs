//! What a claim of letters costs `SQLite`.

use jiff::{Timestamp, ToSpan as _};
use rusqlite::{StatementStatus, params};

use super::{
    super::sql::{dialect::SQLITE, queue::due},
    connection::Database,
    with,
};

/// How many steps of the database the claims of `most` letters take that pass over a domain with so many letters, and how many
/// letters they give.
fn steps(crowd: u32, except: &'static [&'static str]) -> (i32, usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let database =
        Database::open(&folder.path().join("ledger.db"), crate::metrics::Ledger::default()).expect("opened");
    let now = Timestamp::UNIX_EPOCH.saturating_add(1.hour()).expect("a time");
    let told = database.write(move |db| {
        db.execute_batch(
            "INSERT INTO digests (id, publication, pace, period, issues, frozen, since, until, status)
                 VALUES (1, 'p', 'each', 'a', '[]', 0, 0, 0, 'open')",
        )?;
        for (domain, n, first) in [("busy.example", crowd, 1000), ("calm.example", 20, 1), ("also.example", 20, 100)] {
            db.execute(
                "WITH RECURSIVE n (id) AS (SELECT ?3 UNION ALL SELECT id + 1 FROM n WHERE id + 1 < ?3 + ?2)
                 INSERT INTO subscribers (id, identity, address, standing, consent_at, consent_how)
                 SELECT id, 'r' || id || '@' || ?1, 'r' || id || '@' || ?1, 'confirmed', 0, '' FROM n",
                params![domain, n, first],
            )?;
        }
        db.execute_batch(
            "INSERT INTO deliveries (digest, printing, subscriber, address, domain, state, due, queued)
                 SELECT 1, 1, id, address, substr(address, instr(address, '@') + 1), 'queued', 0, 0 FROM subscribers",
        )?;
        let except: Vec<String> = except.iter().map(|&name| name.to_owned()).collect();
        let found = with(db, |db| due(db, now, 256, &except))?.len();
        let steps = [SQLITE.due_at_once, SQLITE.due_in_time]
            .map(|sql| db.prepare_cached(sql).map(|found| found.get_status(StatementStatus::VmStep)));
        let mut sum = 0;
        for steps in steps {
            sum += steps?;
        }
        Ok((sum, found))
    });
    told.expect("claimed")
}

#[test]
fn letters_that_wait_for_a_closed_domain_cost_a_claim_nothing() {
    let (few, found) = steps(1, &["busy.example"]);
    assert_eq!(found, 40);
    let (many, found) = steps(5000, &["busy.example"]);
    assert_eq!(found, 40, "the others' letters are found behind and before them");
    assert_eq!(many, few, "steps of the database");
    assert_eq!(steps(5000, &[]).1, 256);
    assert_eq!(steps(5000, &["also.example", "busy.example", "calm.example", "none.example"]).1, 0);
}
