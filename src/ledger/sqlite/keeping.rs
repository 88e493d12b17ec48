//! Copies of the ledger, and the hold on letters after one was brought back.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{
    super::{Keeping, Ledger, Restored, Waiting},
    Error, Refusal, Sqlite, connection, digests, micros, queue, timestamp,
};
use crate::{delivery::DigestId, delivery::DigestStatus};

/// When the last backup was made.
const BACKED_UP: &str = "backed up";
/// When this ledger was brought back,
const RESTORED: &str = "restored";
/// and when the backup was taken from which.
const TAKEN: &str = "restored from";
/// There while letters are held.
const HELD: &str = "letters held";

/// Numbers that may have been given between a backup and its bringing back: more than that are passed over.
const PASSED_OVER: i64 = 100_000;

impl Sqlite {
    /// Makes a ledger that was brought back ready: migrates it and notes that. From then on no letter is claimed until
    /// [`Keeping::let_letters_go`]; and the numbers of digests and subscribers go on far behind those that may have been given since
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
                set(db, name, value)?;
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

impl Keeping for Sqlite {
    fn copy_to(&self, path: &Path) -> Result<(), Error> {
        self.database.copy_to(path)
    }

    fn rehearsal(&self, path: &Path) -> Result<Box<dyn Ledger>, Error> {
        let rehearsal = Self::open(path)?;
        self.database.copy_people(path)?;
        Ok(Box::new(rehearsal))
    }

    fn note_backup(&self, at: Timestamp) -> Result<(), Error> {
        self.write(move |db| set(db, BACKED_UP, micros(at)))
    }

    fn last_backup(&self) -> Result<Option<Timestamp>, Error> {
        self.read(last_backup)
    }

    fn restored(&self) -> Result<Option<Restored>, Error> {
        self.read(|db| {
            let (Some(taken), Some(at)) = (get(db, TAKEN)?, get(db, RESTORED)?) else { return Ok(None) };
            Ok(Some(Restored { taken: timestamp(taken)?, at: timestamp(at)? }))
        })
    }

    fn holds_letters(&self) -> Result<bool, Error> {
        self.read(holds)
    }

    fn waiting(&self) -> Result<Waiting, Error> {
        self.read(waiting)
    }

    fn let_letters_go(&self, skip: bool, now: Timestamp) -> Result<u64, Error> {
        self.write(move |db| {
            if skip {
                for line in waiting(db)?.digests {
                    digests::set_status(db, line.digest.id, DigestStatus::Paused, now)?;
                }
                let asking = "digest IN (SELECT id FROM digests WHERE pace = 'confirmation')";
                queue::cancel(db, asking, [], now)?;
            }
            db.execute("DELETE FROM counters WHERE name = ?1", [HELD])?;
            let sql = "SELECT count(*) FROM deliveries WHERE state IN ('queued', 'delayed')";
            Ok(db.query_row(sql, [], |row| row.get(0))?)
        })
    }
}

/// When the last backup was made, if any was.
pub(super) fn last_backup(db: &Connection) -> Result<Option<Timestamp>, Refusal> {
    get(db, BACKED_UP)?.map(timestamp).transpose()
}

/// Whether letters are held.
pub(super) fn holds(db: &Connection) -> Result<bool, Refusal> {
    Ok(get(db, HELD)?.is_some())
}

fn waiting(db: &Connection) -> Result<Waiting, Refusal> {
    let wait = "EXISTS (SELECT 1 FROM deliveries d WHERE d.digest = digests.id AND d.state IN ('queued', 'delayed', 'claimed'))";
    let sql = format!("SELECT id FROM digests WHERE pace <> 'confirmation' AND {wait} ORDER BY frozen, id");
    let ids: Vec<i64> = db.prepare(&sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut lines = Vec::with_capacity(ids.len());
    for id in ids {
        lines.extend(digests::digest(db, DigestId(id))?);
    }
    let sql = "SELECT min(queued), count(*) FROM deliveries WHERE state IN ('queued', 'delayed', 'claimed')
                   AND digest IN (SELECT id FROM digests WHERE pace = 'confirmation')";
    let (since, asking): (Option<i64>, u64) = db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let asking = since.map(|since| Ok::<_, Refusal>((timestamp(since)?, asking))).transpose()?;
    Ok(Waiting { digests: lines, asking })
}

fn get(db: &Connection, name: &str) -> Result<Option<i64>, Refusal> {
    let mut value = db.prepare_cached("SELECT value FROM counters WHERE name = ?1")?;
    Ok(value.query_row([name], |row| row.get(0)).optional()?)
}

fn set(db: &Connection, name: &str, value: i64) -> Result<(), Refusal> {
    let sql = "INSERT INTO counters (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    db.execute(sql, params![name, value])?;
    Ok(())
}
