//! The queue of letters: claimed under a lease, settled, taken back.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params, types::Value};

use super::{Refusal, keeping, micros, subscribers, timestamp};
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
    if keeping::holds(db)? {
        return Ok(Claim { letters: Vec::new(), taken_back: taken_back(db)? });
    }
    // What a lane that hangs has had for too long is anybody's.
    db.prepare_cached(
        "UPDATE deliveries SET state = 'queued', due = 0 WHERE state = 'claimed' AND lease <= ?1",
    )?
    .execute([micros(now)])?;
    let due = due(db, now, most, except)?;
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

/// What a claim asks of letters that wait. They are in the order of an index, so that it ends with the last that is wanted.
macro_rules! waiting {
    ($which:literal) => {
        concat!(
            "SELECT d.digest, d.printing, d.subscriber, d.address, d.queued, d.attempts,
                 s.standing = 'confirmed' OR (s.standing = 'pending' AND g.pace = 'confirmation')
             FROM deliveries d INDEXED BY deliveries_open
             CROSS JOIN subscribers s ON s.id = d.subscriber CROSS JOIN digests g ON g.id = d.digest
             WHERE d.state IN ('queued', 'delayed') AND ",
            $which,
            " LIMIT ?1"
        )
    };
}

/// Letters due at once, to domains from one name up to another.
const AT_ONCE: &str = waiting!("d.due = 0 AND d.domain >= ?2 AND d.domain < ?3 ORDER BY d.domain");

/// Letters that were due at a time, but for those to some domains.
const IN_TIME: &str = waiting!(
    "d.due > 0 AND d.due <= ?2 AND d.domain NOT IN (SELECT value FROM json_each(?3)) ORDER BY d.due"
);

/// The letters that are due, and whether each is still wanted. A hundred thousand that wait for a domain that takes none cost
/// nothing: the index is entered again behind them.
fn due(
    db: &Connection,
    now: Timestamp,
    most: usize,
    except: &[String],
) -> Result<Vec<(Delivery, bool)>, Refusal> {
    let mut due = Vec::new();
    let mut find = |sql: &str, from: Value, to: Value| -> Result<(), Refusal> {
        let wanted = i64::try_from(most - due.len()).unwrap_or(i64::MAX);
        let mut rows = db.prepare_cached(sql)?;
        let mut rows = rows.query(params![wanted, from, to])?;
        while let Some(row) = rows.next()? {
            due.push((delivery(row)?, row.get::<_, bool>(6)?));
        }
        Ok(())
    };
    let mut closed: Vec<&str> = except.iter().map(String::as_str).collect();
    closed.sort_unstable();
    let mut from = String::new();
    for name in closed {
        find(AT_ONCE, Value::Text(from), Value::Text(name.to_owned()))?;
        // The next name that there can be.
        from = format!("{name}\0");
    }
    // Every text is less than any bytes.
    find(AT_ONCE, Value::Text(from), Value::Blob(Vec::new()))?;
    let closed = serde_json::json!(except).to_string();
    find(IN_TIME, Value::Integer(micros(now)), Value::Text(closed))?;
    Ok(due)
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
    // What the server took is delivered, whatever else has happened to the row; the rest counts only while it is ours, also while
    // we have noted beforehand that nobody may know.
    let sql = "UPDATE deliveries SET state = ?3, due = ?4, settled = ?5, lease = NULL, phase = ?6, code = ?7, status = ?8,
                   reply = ?9, attempts = attempts + (state <> 'unknown')
               WHERE digest = ?1 AND subscriber = ?2 AND (state IN ('claimed', 'unknown') OR ?3 = 'delivered')";
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
    let queued = db.execute(sql, params![id.0, state.as_str(), micros(now)])? as u64;
    if queued > 0 {
        db.execute("UPDATE digests SET finished = NULL WHERE id = ?1", [id.0])?;
    }
    Ok(queued)
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

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;
    use rusqlite::StatementStatus;

    use super::{super::connection::Database, *};

    /// How many steps of the database the claims of `most` letters take that pass over a domain with so many letters, and how many
    /// letters they give.
    fn steps(crowd: u32, except: &'static [&'static str]) -> (i32, usize) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database = Database::open(&folder.path().join("ledger.db"), crate::metrics::Ledger::default())
            .expect("opened");
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
            let found = due(db, now, 256, &except)?.len();
            let steps = [AT_ONCE, IN_TIME]
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
}
