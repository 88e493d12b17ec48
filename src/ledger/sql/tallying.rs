//! What there is, in numbers.

use jiff::Timestamp;

use super::{
    super::Tally,
    Refusal,
    db::{Db, Value, params},
    keeping, micros, subscribers, timestamp,
};
use crate::{delivery::State, issue::Status, subscriber::Standing};

pub(super) fn tally(db: &Db<'_>, publication: &str, now: Timestamp) -> Result<Tally, Refusal> {
    let arrivals = counts(db, "SELECT fate, count(*) FROM arrivals GROUP BY fate ORDER BY fate", &[])?;
    let all = "SELECT status, count(*) FROM releases WHERE publication = ?1 AND current = 1 GROUP BY status";
    let statuses = counts(db, all, params![publication])?;
    let of = |counts: &[(String, u64)], word: &str| {
        counts.iter().find(|(known, _)| known == word).map_or(0, |(_, n)| *n)
    };
    let issues = [Status::Usable, Status::Withheld, Status::Canceled];
    // Two questions, because each of the two has an index of its own, and all letters ever sent have none.
    let mut states = counts(
        db,
        "SELECT state, count(*) FROM deliveries WHERE state IN ('queued', 'delayed') GROUP BY state",
        &[],
    )?;
    states.extend(counts(
        db,
        "SELECT state, count(*) FROM deliveries WHERE state = 'claimed' GROUP BY state",
        &[],
    )?);
    let standing = |standing| Ok((standing, subscribers::count(db, standing)?));
    // A letter that was never offered is due since 0.
    let waits: Option<i64> = db.value(
        "SELECT min(CASE WHEN queued > due THEN queued ELSE due END) FROM deliveries
         WHERE state IN ('queued', 'delayed') AND due <= ?1",
        params![micros(now)],
    )?;
    Ok(Tally {
        arrivals,
        issues: issues.map(|status| (status, of(&statuses, status.as_str()))).into(),
        letters: [State::Queued, State::Claimed, State::Delayed]
            .map(|state| (state, of(&states, state.as_str())))
            .into(),
        subscribers: Standing::ALL.into_iter().map(standing).collect::<Result<_, Refusal>>()?,
        waits_since: waits.map(timestamp).transpose()?,
        last_backup: keeping::last_backup(db)?,
        held: keeping::holds(db)?,
    })
}

fn counts(db: &Db<'_>, sql: &str, parameters: &[Value<'_>]) -> Result<Vec<(String, u64)>, Refusal> {
    db.query(sql, parameters, |row| Ok((row.get(0)?, row.get(1)?)))
}

pub(super) fn touch(db: &Db<'_>) -> Result<(), Refusal> {
    db.execute("INSERT INTO counters (name, value) VALUES ('touched', 1) ON CONFLICT (name) DO UPDATE SET value = counters.value + 1", &[])?;
    Ok(())
}
