//! A ledger that was brought back from a backup.

use std::path::Path;

use rusqlite::params;

use super::{
    super::{
        Error, Restored,
        sql::{
            Refusal,
            keeping::{BACKED_UP, HELD, RESTORED, TAKEN, set},
            micros,
        },
    },
    Sqlite, connection, with,
};

/// Numbers that may have been given between a backup and its bringing back: more than that are passed over.
const PASSED_OVER: i64 = 100_000;

impl Sqlite {
    /// Makes a ledger that was brought back ready: migrates it and notes that. From then on no letter is claimed until
    /// [`crate::ledger::Keeping::let_letters_go`]; and the numbers of digests and subscribers go on far behind those that may have been given since
    /// the backup: an address for leaving, and a report of a letter, must never mean somebody else.
    ///
    /// # Errors
    /// As [`Sqlite::open`], and when what was brought back is damaged.
    pub fn bring_back(path: &Path, restored: Restored) -> Result<(), Error> {
        connection::once(path, |db| {
            let sound: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
            if sound != "ok" {
                return Err(Refusal::Damaged(format!("what SQLite cannot use ({sound})")));
            }
            let (at, taken) = (micros(restored.at), micros(restored.taken));
            for (name, value) in [(RESTORED, at), (TAKEN, taken), (BACKED_UP, taken), (HELD, 1)] {
                with(db, |db| set(db, name, value))?;
            }
            for table in ["subscribers", "digests", "printings"] {
                let sql = "INSERT INTO sqlite_sequence (name, seq) SELECT ?1, 0
                           WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)";
                db.execute(sql, [table])?;
                db.execute(
                    "UPDATE sqlite_sequence SET seq = seq + ?2 WHERE name = ?1",
                    params![table, PASSED_OVER],
                )?;
            }
            Ok(())
        })
    }
}
