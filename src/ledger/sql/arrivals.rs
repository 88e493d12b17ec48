//! The files of the inbox and what became of each.

use super::{
    Refusal,
    db::{Db, Value, params},
    micros, timestamp,
};
use crate::{issue::IssueKey, ledger::Arrival, ledger::Fate};

/// The arrivals that `which` says.
pub(super) fn select(db: &Db<'_>, which: &str, parameters: &[Value<'_>]) -> Result<Vec<Arrival>, Refusal> {
    let sql = format!("SELECT path, signature, hash, issue, fate, reason, at FROM arrivals {which}");
    db.query(&sql, parameters, |row| {
        let issue = row.get::<Option<String>>(3)?.map(|key| IssueKey::of(&key));
        let fate: String = row.get(4)?;
        let fate = match (fate.as_str(), issue) {
            ("published", Some(key)) => Fate::Published(key),
            ("duplicate", Some(key)) => Fate::Duplicate(key),
            ("withheld", Some(key)) => Fate::Withheld(key),
            ("embargoed", Some(key)) => Fate::Embargoed(key),
            ("rejected", _) => Fate::Rejected(row.get::<Option<String>>(5)?.unwrap_or_default()),
            _ => return Err(Refusal::Damaged(format!("an arrival whose fate is `{fate}`"))),
        };
        Ok(Arrival {
            path: row.get(0)?,
            signature: row.get(1)?,
            hash: row.get(2)?,
            fate,
            at: timestamp(row.get(6)?)?,
        })
    })
}

/// Notes what became of a file.
pub(super) fn note(db: &Db<'_>, arrival: &Arrival) -> Result<(), Refusal> {
    let (fate, issue, reason) = match &arrival.fate {
        Fate::Published(key) => ("published", Some(key.as_str()), None),
        Fate::Duplicate(key) => ("duplicate", Some(key.as_str()), None),
        Fate::Withheld(key) => ("withheld", Some(key.as_str()), None),
        Fate::Embargoed(key) => ("embargoed", Some(key.as_str()), None),
        Fate::Rejected(reason) => ("rejected", None, Some(reason.as_str())),
    };
    db.execute("INSERT INTO arrivals (path, signature, hash, issue, fate, reason, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (path) DO UPDATE SET signature = excluded.signature, hash = excluded.hash, issue = excluded.issue,
             fate = excluded.fate, reason = excluded.reason, at = excluded.at", params![arrival.path, arrival.signature, arrival.hash, issue, fate, reason, micros(arrival.at)])?;
    Ok(())
}
