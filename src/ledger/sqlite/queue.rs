//! The queue of letters: claimed under a lease, settled, taken back.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter, types::Value};

use super::{Refusal, micros, subscribers, timestamp};
use crate::{
    delivery::Bounce, delivery::Claim, delivery::Delivery, delivery::DigestId, delivery::Outcome,
    delivery::PrintingId, delivery::Settlement, delivery::State, subscriber::SubscriberId,
};

pub(super) fn claim(
    db: &Connection,
    now: Timestamp,
    lease: Timestamp,
    most: usize,
    except: &[String],
) -> Result<Claim, Refusal> {
    // What a lane that hangs has had for too long is anybody's.
    db.prepare_cached(
        "UPDATE deliveries SET state = 'queued', due = 0 WHERE state = 'claimed' AND lease <= ?1",
    )?
    .execute([micros(now)])?;
    let places = vec!["?"; except.len()].join(", ");
    let sql = format!(
        "SELECT d.digest, d.printing, d.subscriber, d.address, d.queued, d.attempts,
             s.standing = 'confirmed' OR (s.standing = 'pending' AND g.pace = 'confirmation')
         FROM deliveries d JOIN subscribers s ON s.id = d.subscriber JOIN digests g ON g.id = d.digest
         WHERE d.state IN ('queued', 'delayed') AND d.due <= ? AND d.domain NOT IN ({places}) ORDER BY d.due LIMIT ?"
    );
    let mut parameters = vec![Value::Integer(micros(now))];
    parameters.extend(except.iter().cloned().map(Value::Text));
    parameters.push(Value::Integer(i64::try_from(most).unwrap_or(i64::MAX)));
    let mut due = Vec::new();
    let mut rows = db.prepare_cached(&sql)?;
    let mut rows = rows.query(params_from_iter(parameters))?;
    while let Some(row) = rows.next()? {
        due.push((delivery(row)?, row.get::<_, bool>(6)?));
    }
    let mut change = db.prepare_cached(
        "UPDATE deliveries SET state = ?3, lease = ?4, settled = ?5 WHERE digest = ?1 AND subscriber = ?2",
    )?;
    let mut claim = Claim { letters: Vec::with_capacity(due.len()), taken_back: taken_back(db)? };
    for (delivery, wanted) in due {
        let (digest, subscriber) = (delivery.digest.0, delivery.subscriber.0);
        if wanted {
            change.execute(params![digest, subscriber, "claimed", micros(lease), None::<i64>])?;
            claim.letters.push(delivery);
        } else {
            change.execute(params![digest, subscriber, "canceled", None::<i64>, micros(now)])?;
        }
    }
    Ok(claim)
}

fn delivery(row: &Row<'_>) -> Result<Delivery, Refusal> {
    Ok(Delivery {
        digest: DigestId(row.get(0)?),
        printing: PrintingId(row.get(1)?),
        subscriber: SubscriberId(row.get(2)?),
        address: subscribers::parse_address(&row.get::<_, String>(3)?)?,
        queued: timestamp(row.get(4)?)?,
        attempts: row.get(5)?,
    })
}

pub(super) fn still_claimed(
    db: &Connection,
    letters: &[(DigestId, SubscriberId)],
) -> Result<Vec<(DigestId, SubscriberId)>, Refusal> {
    let mut state =
        db.prepare_cached("SELECT state = 'claimed' FROM deliveries WHERE digest = ?1 AND subscriber = ?2")?;
    let mut claimed = Vec::new();
    for (digest, subscriber) in letters {
        let is: Option<bool> = state.query_row([digest.0, subscriber.0], |row| row.get(0)).optional()?;
        if is == Some(true) {
            claimed.push((*digest, *subscriber));
        }
    }
    Ok(claimed)
}

pub(super) fn settle(db: &Connection, settlements: &[Settlement], now: Timestamp) -> Result<u64, Refusal> {
    // What the server took is delivered, whatever else has happened to the row; the rest counts only while it is ours.
    let sql = "UPDATE deliveries SET state = ?3, due = ?4, settled = ?5, lease = NULL, phase = ?6, code = ?7, status = ?8,
                   reply = ?9, attempts = attempts + 1
               WHERE digest = ?1 AND subscriber = ?2 AND (state = 'claimed' OR ?3 = 'delivered')";
    let mut update = db.prepare_cached(sql)?;
    let mut reports = Vec::new();
    for settlement in settlements {
        let (state, due) = match settlement.outcome {
            Outcome::Delivered => (State::Delivered, now),
            Outcome::Delayed(until) => (State::Delayed, until),
            Outcome::Unknown => (State::Unknown, now),
            Outcome::Failed => (State::Failed, now),
        };
        let reply = &settlement.reply;
        update.execute(params![
            settlement.digest.0,
            settlement.subscriber.0,
            state.as_str(),
            micros(due),
            micros(now),
            reply.phase.as_str(),
            reply.code,
            reply.status,
            reply.text,
        ])?;
        reports.extend(settlement.bounce.map(|kind| Bounce {
            subscriber: settlement.subscriber,
            digest: Some(settlement.digest),
            at: now,
            kind,
            source: "smtp".to_owned(),
            status: reply.status.clone(),
            text: reply.text.clone(),
        }));
    }
    subscribers::bounce(db, &reports, now)?;
    taken_back(db)
}

pub(super) fn give_back(db: &Connection, letters: &[(DigestId, SubscriberId)]) -> Result<(), Refusal> {
    let sql = "UPDATE deliveries SET state = 'queued', due = 0, lease = NULL
               WHERE digest = ?1 AND subscriber = ?2 AND state = 'claimed'";
    let mut update = db.prepare_cached(sql)?;
    for (digest, subscriber) in letters {
        update.execute([digest.0, subscriber.0])?;
    }
    Ok(())
}

pub(super) fn retry(db: &Connection, id: DigestId, state: State, now: Timestamp) -> Result<u64, Refusal> {
    let sql = "UPDATE deliveries SET state = 'queued', due = 0, queued = ?3, attempts = 0, settled = NULL
               WHERE digest = ?1 AND state = ?2
                 AND EXISTS (SELECT 1 FROM subscribers s WHERE s.id = subscriber AND s.standing = 'confirmed')
                 AND EXISTS (SELECT 1 FROM digests g WHERE g.id = digest AND g.status = 'open')";
    Ok(db.execute(sql, params![id.0, state.as_str(), micros(now)])? as u64)
}

/// Cancels every letter that waits for a subscriber. One that is in the server's hands already is settled as delivered all the
/// same.
pub(super) fn cancel_for(db: &Connection, id: SubscriberId, now: Timestamp) -> Result<(), Refusal> {
    cancel(db, "subscriber = ?1", [id.0], now)
}

/// Cancels the letters that wait, of those that `which` says.
pub(super) fn cancel<P: rusqlite::Params + Clone>(
    db: &Connection,
    which: &str,
    parameters: P,
    now: Timestamp,
) -> Result<(), Refusal> {
    take_back(db, which, parameters.clone())?;
    let sql = format!(
        "UPDATE deliveries SET state = 'canceled', lease = NULL, settled = {}
         WHERE {which} AND state IN ('queued', 'claimed', 'delayed', 'withheld', 'unknown')",
        micros(now)
    );
    db.execute(&sql, parameters)?;
    Ok(())
}

/// Keeps the letters back that wait, of those that `which` says.
pub(super) fn withhold<P: rusqlite::Params + Clone>(
    db: &Connection,
    which: &str,
    parameters: P,
) -> Result<(), Refusal> {
    take_back(db, which, parameters.clone())?;
    let sql = format!(
        "UPDATE deliveries SET state = 'withheld', lease = NULL WHERE {which} AND state IN ('queued', 'delayed', 'claimed')"
    );
    db.execute(&sql, parameters)?;
    Ok(())
}

/// Lets letters go that were kept back, of those that `which` says: where their digest is open, and none of its issues is held
/// back.
pub(super) fn let_go(
    db: &Connection,
    which: &str,
    parameters: impl rusqlite::Params,
    now: Timestamp,
) -> Result<(), Refusal> {
    let sql = format!(
        "UPDATE deliveries SET state = 'queued', due = 0, queued = CASE WHEN attempts = 0 THEN {} ELSE queued END
         WHERE {which} AND state = 'withheld' AND digest IN
             (SELECT g.id FROM digests g WHERE g.status = 'open' AND g.stale = 0 AND NOT EXISTS
                 (SELECT 1 FROM digest_issues i JOIN releases r ON r.publication = i.publication AND r.issue = i.issue
                  WHERE i.digest = g.id AND r.current = 1 AND r.status = 'withheld'))",
        micros(now)
    );
    db.execute(&sql, parameters)?;
    Ok(())
}

/// Notes that letters are taken from lanes that may be about to send them.
fn take_back(db: &Connection, which: &str, parameters: impl rusqlite::Params) -> Result<(), Refusal> {
    let sql = format!(
        "UPDATE counters SET value = value + 1 WHERE name = 'taken back'
             AND EXISTS (SELECT 1 FROM deliveries WHERE {which} AND state = 'claimed')"
    );
    db.execute(&sql, parameters)?;
    Ok(())
}

fn taken_back(db: &Connection) -> Result<u64, Refusal> {
    let sql = "SELECT value FROM counters WHERE name = 'taken back'";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}
