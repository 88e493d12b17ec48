//! Copies of the ledger, and the hold on letters after one was brought back.

use std::path::Path;

use jiff::Timestamp;

use super::{
    super::{Keeping, Ledger, Restored, Waiting},
    Error, News, Refusal, Store,
    db::{Db, params},
    digests, micros, queue, tell, timestamp,
};
use crate::{delivery::DigestId, delivery::DigestStatus};

/// When the last backup was made.
pub(in crate::ledger) const BACKED_UP: &str = "backed up";
/// When this ledger was brought back,
pub(in crate::ledger) const RESTORED: &str = "restored";
/// and when the backup was taken from which.
pub(in crate::ledger) const TAKEN: &str = "restored from";
/// There while letters are held.
pub(in crate::ledger) const HELD: &str = "letters held";

impl<S: Store> Keeping for S {
    fn copy_to(&self, path: &Path) -> Result<(), Error> {
        self.copy_into(path)
    }

    fn rehearsal(&self, path: &Path) -> Result<Box<dyn Ledger>, Error> {
        self.rehearse(path)
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
                queue::cancel(db, asking, &[], now)?;
            }
            db.execute("DELETE FROM counters WHERE name = ?1", params![HELD])?;
            tell(db, News::Letters)?;
            let sql = "SELECT count(*) FROM deliveries WHERE state IN ('queued', 'delayed')";
            db.value(sql, &[])
        })
    }
}

/// When the last backup was made, if any was.
pub(super) fn last_backup(db: &Db<'_>) -> Result<Option<Timestamp>, Refusal> {
    get(db, BACKED_UP)?.map(timestamp).transpose()
}

/// Whether letters are held.
pub(super) fn holds(db: &Db<'_>) -> Result<bool, Refusal> {
    Ok(get(db, HELD)?.is_some())
}

fn waiting(db: &Db<'_>) -> Result<Waiting, Refusal> {
    let wait = "EXISTS (SELECT 1 FROM deliveries d WHERE d.digest = digests.id AND d.state IN ('queued', 'delayed', 'claimed'))";
    let sql = format!("SELECT id FROM digests WHERE pace <> 'confirmation' AND {wait} ORDER BY frozen, id");
    let ids: Vec<i64> = db.query(&sql, &[], |row| row.get(0))?;
    let mut lines = Vec::with_capacity(ids.len());
    for id in ids {
        lines.extend(digests::digest(db, DigestId(id))?);
    }
    let sql = "SELECT min(queued), count(*) FROM deliveries WHERE state IN ('queued', 'delayed', 'claimed')
                   AND digest IN (SELECT id FROM digests WHERE pace = 'confirmation')";
    let asking: Option<(i64, u64)> =
        db.first(sql, &[], |row| Ok(row.get::<Option<i64>>(0)?.zip(Some(row.get(1)?))))?.flatten();
    let asking = asking.map(|(since, n)| Ok::<_, Refusal>((timestamp(since)?, n))).transpose()?;
    Ok(Waiting { digests: lines, asking })
}

fn get(db: &Db<'_>, name: &str) -> Result<Option<i64>, Refusal> {
    db.first("SELECT value FROM counters WHERE name = ?1", params![name], |row| row.get(0))
}

pub(in crate::ledger) fn set(db: &Db<'_>, name: &str, value: i64) -> Result<(), Refusal> {
    let sql = "INSERT INTO counters (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    db.execute(sql, params![name, value])?;
    Ok(())
}
