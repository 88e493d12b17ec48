//! The files of the inbox and what became of each.

use rusqlite::Connection;

use super::{Refusal, timestamp};
use crate::{issue::IssueKey, ledger::Arrival, ledger::Fate};

/// The arrivals that `which` says.
pub(super) fn select(
    db: &Connection,
    which: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Arrival>, Refusal> {
    let sql = format!("SELECT path, signature, hash, issue, fate, reason, at FROM arrivals {which}");
    let mut rows = db.prepare_cached(&sql)?;
    let mut rows = rows.query(parameters)?;
    let mut arrivals = Vec::new();
    while let Some(row) = rows.next()? {
        let issue = row.get::<_, Option<String>>(3)?.map(|key| IssueKey::of(&key));
        let fate: String = row.get(4)?;
        let fate = match (fate.as_str(), issue) {
            ("published", Some(key)) => Fate::Published(key),
            ("duplicate", Some(key)) => Fate::Duplicate(key),
            ("withheld", Some(key)) => Fate::Withheld(key),
            ("embargoed", Some(key)) => Fate::Embargoed(key),
            ("rejected", _) => Fate::Rejected(row.get::<_, Option<String>>(5)?.unwrap_or_default()),
            _ => return Err(Refusal::Damaged(format!("an arrival whose fate is `{fate}`"))),
        };
        arrivals.push(Arrival {
            path: row.get(0)?,
            signature: row.get(1)?,
            hash: row.get(2)?,
            fate,
            at: timestamp(row.get(6)?)?,
        });
    }
    Ok(arrivals)
}
