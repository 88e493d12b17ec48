//! The queue of letters: claimed under a lease, settled, taken back.

use std::collections::{BTreeMap, btree_map::Entry};

use jiff::Timestamp;
use serde::Serialize;

use super::{
    News, Refusal,
    db::{Db, Param, Row, Value, params},
    dialect::Letters,
    keeping, micros, shelf, subscribers, tell, timestamp,
};
use crate::{
    delivery::Bounce, delivery::Claim, delivery::Company, delivery::Delivery, delivery::DigestId,
    delivery::Outcome, delivery::PrintingId, delivery::Settlement, delivery::State, subscriber::SubscriberId,
};

pub(super) fn claim(
    db: &Db<'_>,
    now: Timestamp,
    lease: Timestamp,
    most: usize,
    except: &[String],
) -> Result<Claim, Refusal> {
    if keeping::holds(db)? {
        return Ok(Claim { letters: Vec::new(), taken_back: taken_back(db)? });
    }
    // What a lane that hangs has had for too long is anybody's.
    if db.execute(db.dialect().end_leases, params![micros(now)])? > 0 {
        count_taken_back(db)?;
    }
    let due = due(db, now, most, except)?;
    let mut claim = Claim { letters: Vec::with_capacity(due.len()), taken_back: taken_back(db)? };
    match db.dialect().claim {
        Letters::Each(sql) => {
            let mut change = db.prepare(sql)?;
            for (delivery, wanted) in due {
                let (digest, subscriber) = (delivery.digest.0, delivery.subscriber.0);
                if wanted {
                    change.execute(params![digest, subscriber, "claimed", micros(lease), None::<i64>])?;
                    claim.letters.push(delivery);
                } else {
                    change.execute(params![digest, subscriber, "canceled", None::<i64>, micros(now)])?;
                }
            }
        }
        Letters::All(sql) => {
            let list = |(letter, wanted): &(Delivery, bool)| {
                (letter.digest.0, letter.subscriber.0, i64::from(*wanted))
            };
            let list = shelf::to_json(&due.iter().map(list).collect::<Vec<_>>())?;
            db.execute(sql, params![list, micros(lease), micros(now)])?;
            claim.letters.extend(due.into_iter().filter(|(_, wanted)| *wanted).map(|(letter, _)| letter));
        }
    }
    Ok(claim)
}

/// Behind every domain.
const BEHIND_ALL: &str = "\u{10FFFF}";

/// The letters that are due, and whether each is still wanted. A hundred thousand that wait for a domain that takes none cost
/// nothing: the index is entered again behind them.
pub(in crate::ledger) fn due(
    db: &Db<'_>,
    now: Timestamp,
    most: usize,
    except: &[String],
) -> Result<Vec<(Delivery, bool)>, Refusal> {
    let dialect = db.dialect();
    let mut due = Vec::new();
    let mut find = |sql: &str, first: Value<'_>, second: &str| -> Result<(), Refusal> {
        let wanted = most - due.len();
        if wanted > 0 {
            let wanted = [Param::value(&wanted), first, Param::value(second)];
            due.extend(db.query(sql, &wanted, |row| Ok((delivery(row)?, row.get::<bool>(6)?)))?);
        }
        Ok(())
    };
    let mut closed: Vec<&str> = except.iter().map(String::as_str).collect();
    closed.sort_unstable();
    let mut from = "";
    for name in closed {
        find(dialect.due_at_once, from.value(), name)?;
        from = name;
    }
    find(dialect.due_at_once, from.value(), BEHIND_ALL)?;
    find(dialect.due_in_time, micros(now).value(), &shelf::to_json(&except)?)?;
    Ok(due)
}

fn delivery(row: &Row<'_>) -> Result<Delivery, Refusal> {
    Ok(Delivery {
        digest: DigestId(row.get(0)?),
        printing: PrintingId(row.get(1)?),
        subscriber: SubscriberId(row.get(2)?),
        address: subscribers::parse_address(&row.get::<String>(3)?)?,
        queued: timestamp(row.get(4)?)?,
        attempts: row.get(5)?,
    })
}

pub(super) fn still_claimed(
    db: &Db<'_>,
    letters: &[(DigestId, SubscriberId)],
) -> Result<Vec<(DigestId, SubscriberId)>, Refusal> {
    let read = |row: &Row<'_>| Ok((DigestId(row.get(0)?), SubscriberId(row.get(1)?)));
    match db.dialect().still_claimed {
        Letters::Each(sql) => {
            let mut claimed = Vec::new();
            for (digest, subscriber) in letters {
                claimed.extend(db.first(sql, params![digest.0, subscriber.0], read)?);
            }
            Ok(claimed)
        }
        Letters::All(sql) => db.query(sql, params![letter_list(letters)?], read),
    }
}

/// Letters as a JSON list of digest and subscriber, in the order in which they are to be locked.
fn letter_list(letters: &[(DigestId, SubscriberId)]) -> Result<String, Refusal> {
    let mut list: Vec<(i64, i64)> = letters.iter().map(|(digest, reader)| (digest.0, reader.0)).collect();
    list.sort_unstable();
    shelf::to_json(&list)
}

pub(super) fn settle(db: &Db<'_>, settlements: &[Settlement], now: Timestamp) -> Result<u64, Refusal> {
    let mut reports = Vec::new();
    for settlement in settlements {
        let reply = &settlement.reply;
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
    match db.dialect().settle {
        Letters::Each(sql) => settle_each(db, sql, settlements, now)?,
        Letters::All(sql) => settle_all(db, sql, settlements, now)?,
    }
    subscribers::bounce(db, &reports, now)?;
    taken_back(db)
}

/// What a letter is then, and when it is due.
fn fate(outcome: Outcome, now: Timestamp) -> (State, Timestamp) {
    match outcome {
        Outcome::Delivered => (State::Delivered, now),
        Outcome::Delayed(until) => (State::Delayed, until),
        Outcome::Unknown => (State::Unknown, now),
        Outcome::Failed => (State::Failed, now),
    }
}

fn settle_each(db: &Db<'_>, sql: &str, settlements: &[Settlement], now: Timestamp) -> Result<(), Refusal> {
    let mut update = db.prepare(sql)?;
    for settlement in settlements {
        let (state, due) = fate(settlement.outcome, now);
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
    }
    Ok(())
}

/// A letter that is settled, as the statement that settles many reads it.
#[derive(Serialize)]
struct Settled<'s> {
    digest: i64,
    subscriber: i64,
    state: &'static str,
    due: i64,
    phase: &'static str,
    code: Option<u16>,
    status: Option<&'s str>,
    reply: String,
}

fn settle_all(db: &Db<'_>, sql: &str, settlements: &[Settlement], now: Timestamp) -> Result<(), Refusal> {
    // Of a letter that is settled twice, the last counts, and each once; one statement changes a row once.
    let mut rest: Vec<&Settlement> = settlements.iter().collect();
    while !rest.is_empty() {
        let mut taken = BTreeMap::new();
        let mut later = Vec::new();
        for settlement in rest {
            match taken.entry((settlement.digest.0, settlement.subscriber.0)) {
                Entry::Vacant(place) => {
                    let (state, due) = fate(settlement.outcome, now);
                    let reply = &settlement.reply;
                    place.insert(Settled {
                        digest: settlement.digest.0,
                        subscriber: settlement.subscriber.0,
                        state: state.as_str(),
                        due: micros(due),
                        phase: reply.phase.as_str(),
                        code: reply.code,
                        status: reply.status.as_deref(),
                        reply: reply.text.replace('\0', "\u{FFFD}"),
                    });
                }
                Entry::Occupied(_) => later.push(settlement),
            }
        }
        let list = shelf::to_json(&taken.into_values().collect::<Vec<_>>())?;
        db.execute(sql, params![list, micros(now)])?;
        rest = later;
    }
    Ok(())
}

pub(super) fn give_back(db: &Db<'_>, letters: &[(DigestId, SubscriberId)]) -> Result<(), Refusal> {
    match db.dialect().give_back {
        Letters::Each(sql) => {
            let mut update = db.prepare(sql)?;
            for (digest, subscriber) in letters {
                update.execute(params![digest.0, subscriber.0])?;
            }
        }
        Letters::All(sql) => {
            db.execute(sql, params![letter_list(letters)?])?;
        }
    }
    Ok(())
}

/// Queues again what a process that died had claimed.
pub(super) fn release_claims(db: &Db<'_>) -> Result<u64, Refusal> {
    let freed = db.execute(db.dialect().release_claims, &[])?;
    if freed > 0 {
        tell(db, News::Letters)?;
    }
    Ok(freed)
}

pub(super) fn retry(db: &Db<'_>, id: DigestId, state: State, now: Timestamp) -> Result<u64, Refusal> {
    let sql = "UPDATE deliveries SET state = 'queued', due = 0, queued = ?3, attempts = 0, settled = NULL
               WHERE digest = ?1 AND state = ?2
                 AND EXISTS (SELECT 1 FROM subscribers s WHERE s.id = subscriber AND s.standing = 'confirmed')
                 AND EXISTS (SELECT 1 FROM digests g WHERE g.id = digest AND g.status = 'open')";
    let queued = db.execute(sql, params![id.0, state.as_str(), micros(now)])?;
    if queued > 0 {
        db.execute("UPDATE digests SET finished = NULL WHERE id = ?1", params![id.0])?;
        tell(db, News::Letters)?;
    }
    Ok(queued)
}

/// Cancels every letter that waits for a subscriber. One that is in the server's hands already is settled as delivered all the
/// same.
pub(super) fn cancel_for(db: &Db<'_>, id: SubscriberId, now: Timestamp) -> Result<(), Refusal> {
    cancel(db, "subscriber = ?1", params![id.0], now)
}

/// Cancels the letters that wait, of those that `which` says.
pub(super) fn cancel(
    db: &Db<'_>,
    which: &str,
    parameters: &[Value<'_>],
    now: Timestamp,
) -> Result<(), Refusal> {
    take_back(db, which, parameters)?;
    let sql = format!(
        "UPDATE deliveries SET state = 'canceled', lease = NULL, settled = ?{}
         WHERE {which} AND state IN ('queued', 'claimed', 'delayed', 'withheld', 'unknown')",
        parameters.len() + 1
    );
    db.execute(&sql, &and(parameters, &micros(now)))?;
    Ok(())
}

/// Keeps the letters back that wait, of those that `which` says.
pub(super) fn withhold(db: &Db<'_>, which: &str, parameters: &[Value<'_>]) -> Result<(), Refusal> {
    take_back(db, which, parameters)?;
    let sql = format!(
        "UPDATE deliveries SET state = 'withheld', lease = NULL WHERE {which} AND state IN ('queued', 'delayed', 'claimed')"
    );
    db.execute(&sql, parameters)?;
    Ok(())
}

/// Lets letters go that were kept back, of those that `which` says: where their digest is open, and none of its issues is held
/// back.
pub(super) fn let_go(
    db: &Db<'_>,
    which: &str,
    parameters: &[Value<'_>],
    now: Timestamp,
) -> Result<(), Refusal> {
    let sql = format!(
        "UPDATE deliveries SET state = 'queued', due = 0, queued = CASE WHEN attempts = 0 THEN ?{} ELSE queued END
         WHERE {which} AND state = 'withheld' AND digest IN
             (SELECT g.id FROM digests g WHERE g.status = 'open' AND g.stale = 0 AND NOT EXISTS
                 (SELECT 1 FROM digest_issues i JOIN releases r ON r.publication = i.publication AND r.issue = i.issue
                  WHERE i.digest = g.id AND r.current = 1 AND r.status = 'withheld'))",
        parameters.len() + 1
    );
    if db.execute(&sql, &and(parameters, &micros(now)))? > 0 {
        tell(db, News::Letters)?;
    }
    Ok(())
}

/// Values, and one more behind them.
fn and<'v>(values: &[Value<'v>], last: &'v i64) -> Vec<Value<'v>> {
    let mut all = values.to_vec();
    all.push(last.value());
    all
}

/// Notes that letters are taken from lanes that may be about to send them.
fn take_back(db: &Db<'_>, which: &str, parameters: &[Value<'_>]) -> Result<(), Refusal> {
    if let Some(hold) = db.dialect().hold_letters {
        db.query(&hold(which), parameters, |_| Ok(()))?;
    }
    let sql = format!(
        "UPDATE counters SET value = value + 1 WHERE name = 'taken back'
             AND EXISTS (SELECT 1 FROM deliveries WHERE {which} AND state = 'claimed')"
    );
    db.execute(&sql, parameters)?;
    Ok(())
}

/// Notes that letters were taken from somebody who may have them still, so that whoever settles one looks again at the rest.
fn count_taken_back(db: &Db<'_>) -> Result<(), Refusal> {
    db.execute("UPDATE counters SET value = value + 1 WHERE name = 'taken back'", &[])?;
    Ok(())
}

/// Says that this process is at work until then, and which domains it has closed; queues again what others had claimed of whom nothing
/// was heard for longer than they said.
pub(super) fn keep_claims(
    db: &Db<'_>,
    now: Timestamp,
    until: Timestamp,
    closed: &[(String, Timestamp)],
) -> Result<Company, Refusal> {
    let Some(holders) = db.dialect().holders else { return Ok(Company::none()) };
    let is_known = db.value(holders.knows, params![micros(now)])?;
    db.execute(holders.keep, params![micros(until)])?;
    let taken_over = db.execute(holders.end, params![micros(now)])?;
    if taken_over > 0 {
        count_taken_back(db)?;
        tell(db, News::Letters)?;
    }
    db.execute(holders.forget, params![micros(now)])?;
    db.execute(holders.open, params![micros(now)])?;
    for (domain, until) in closed {
        db.execute(holders.close, params![domain, micros(*until)])?;
    }
    let n: u32 = db.value(holders.count, params![micros(now)])?;
    let read = |row: &Row<'_>| Ok((row.get(0)?, timestamp(row.get(1)?)?));
    let closed = db.query(holders.closed, params![micros(now)], read)?;
    Ok(Company { n: n.max(1), is_known, taken_over, closed })
}

fn taken_back(db: &Db<'_>) -> Result<u64, Refusal> {
    db.value("SELECT value FROM counters WHERE name = 'taken back'", &[])
}
