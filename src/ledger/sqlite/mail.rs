//! Subscribers, digests and letters.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{super::Queued, Refusal, micros, timestamp};
use crate::{
    delivery::Delivery, delivery::Digest, delivery::DigestId, delivery::Outcome, delivery::Settlement,
    editions::Letter, issue::IssueKey, subscriber::Address, subscriber::Consent, subscriber::Standing,
    subscriber::Subscriber, subscriber::SubscriberId,
};

/// Freezes a letter as the digest of an issue, with one delivery for everybody who is confirmed now.
pub(super) fn queue(
    db: &Connection,
    publication: &str,
    issue: &IssueKey,
    letter: &Letter,
    now: Timestamp,
) -> Result<Queued, Refusal> {
    let new = db
        .prepare_cached(
            "INSERT OR IGNORE INTO digests (publication, pace, period, issue, frozen, subject, text, html)
             VALUES (?1, 'each', ?2, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            publication,
            issue.as_str(),
            micros(now),
            letter.subject,
            letter.text,
            letter.html
        ])?;
    if new == 0 {
        return Ok(Queued::Before);
    }
    let letters = db
        .prepare_cached(
            "INSERT INTO deliveries (digest, subscriber, address, state, due, queued)
             SELECT ?1, id, address, 'queued', 0, ?2 FROM subscribers WHERE standing = 'confirmed'",
        )?
        .execute(params![db.last_insert_rowid(), micros(now)])?;
    Ok(Queued::Letters(letters as u64))
}

pub(super) fn digest(db: &Connection, id: DigestId) -> Result<Option<Digest>, Refusal> {
    let sql = "SELECT issue, frozen, subject, text, html FROM digests WHERE id = ?1";
    let mut rows = db.prepare_cached(sql)?;
    let mut rows = rows.query([id.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(Digest {
        issue: IssueKey::of(&row.get::<_, String>(0)?),
        frozen: timestamp(row.get(1)?)?,
        subject: row.get(2)?,
        text: row.get(3)?,
        html: row.get(4)?,
    }))
}

pub(super) fn claim(db: &Connection, now: Timestamp, most: usize) -> Result<Vec<Delivery>, Refusal> {
    let sql = "SELECT d.digest, d.subscriber, d.address, d.queued, d.attempts, s.standing
               FROM deliveries d JOIN subscribers s ON s.id = d.subscriber
               WHERE d.state IN ('queued', 'delayed') AND d.due <= ?1 ORDER BY d.due LIMIT ?2";
    let mut due = Vec::new();
    let mut rows = db.prepare_cached(sql)?;
    let mut rows = rows.query(params![micros(now), most])?;
    while let Some(row) = rows.next()? {
        due.push((delivery(row)?, row.get::<_, String>(5)? == Standing::Confirmed.as_str()));
    }
    let mut change = db.prepare_cached(
        "UPDATE deliveries SET state = ?3, settled = ?4 WHERE digest = ?1 AND subscriber = ?2",
    )?;
    let mut claimed = Vec::new();
    for (delivery, confirmed) in due {
        let (state, settled) = if confirmed { ("claimed", None) } else { ("canceled", Some(micros(now))) };
        change.execute(params![delivery.digest.0, delivery.subscriber.0, state, settled])?;
        if confirmed {
            claimed.push(delivery);
        }
    }
    Ok(claimed)
}

fn delivery(row: &Row<'_>) -> Result<Delivery, Refusal> {
    let address: String = row.get(2)?;
    Ok(Delivery {
        digest: DigestId(row.get(0)?),
        subscriber: SubscriberId(row.get(1)?),
        address: Address::parse(&address)
            .map_err(|error| Refusal::Damaged(format!("an address ({error})")))?,
        queued: timestamp(row.get(3)?)?,
        attempts: row.get(4)?,
    })
}

pub(super) fn is_claimed(
    db: &Connection,
    digest: DigestId,
    subscriber: SubscriberId,
) -> Result<bool, Refusal> {
    let sql = "SELECT state = 'claimed' FROM deliveries WHERE digest = ?1 AND subscriber = ?2";
    let claimed = db.prepare_cached(sql)?.query_row([digest.0, subscriber.0], |row| row.get(0)).optional()?;
    Ok(claimed.unwrap_or(false))
}

pub(super) fn settle(db: &Connection, settlements: &[Settlement], now: Timestamp) -> Result<(), Refusal> {
    // What the server took is delivered, whatever else has happened to the row; the rest counts only while it is ours.
    let sql = "UPDATE deliveries SET state = ?3, due = ?4, reply = ?5, settled = ?6, attempts = attempts + 1
               WHERE digest = ?1 AND subscriber = ?2 AND (state = 'claimed' OR ?3 = 'delivered')";
    let mut update = db.prepare_cached(sql)?;
    for settlement in settlements {
        let (state, due, reply) = match &settlement.outcome {
            Outcome::Delivered { reply } => ("delivered", now, reply),
            Outcome::Delayed { until, reply } => ("delayed", *until, reply),
            Outcome::Failed { reply } => ("failed", now, reply),
        };
        let key = (settlement.digest.0, settlement.subscriber.0);
        update.execute(params![key.0, key.1, state, micros(due), reply, micros(now)])?;
    }
    Ok(())
}

pub(super) fn subscribe(
    db: &Connection,
    address: &Address,
    how: &str,
    now: Timestamp,
) -> Result<(SubscriberId, bool), Refusal> {
    let known: Option<(i64, String)> = db
        .prepare_cached("SELECT id, standing FROM subscribers WHERE identity = ?1")?
        .query_row([address.identity()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((id, standing)) = &known {
        if standing == Standing::Confirmed.as_str() {
            return Ok((SubscriberId(*id), false));
        }
        db.execute(
            "UPDATE subscribers SET address = ?2, standing = 'confirmed', consent_at = ?3, consent_how = ?4, left_at = NULL
             WHERE id = ?1",
            params![id, address.as_str(), micros(now), how],
        )?;
        return Ok((SubscriberId(*id), true));
    }
    db.prepare_cached(
        "INSERT INTO subscribers (identity, address, standing, consent_at, consent_how)
         VALUES (?1, ?2, 'confirmed', ?3, ?4)",
    )?
    .execute(params![address.identity(), address.as_str(), micros(now), how])?;
    Ok((SubscriberId(db.last_insert_rowid()), true))
}

pub(super) fn leave(db: &Connection, id: SubscriberId, now: Timestamp) -> Result<bool, Refusal> {
    let sql = "UPDATE subscribers SET standing = 'left', left_at = ?2 WHERE id = ?1 AND standing <> 'left'";
    let left = db.execute(sql, params![id.0, micros(now)])?;
    // A claimed letter that is in the server's hands already is settled as delivered all the same.
    let sql = "UPDATE deliveries SET state = 'canceled', settled = ?2
               WHERE subscriber = ?1 AND state IN ('queued', 'claimed', 'delayed', 'withheld')";
    db.execute(sql, params![id.0, micros(now)])?;
    Ok(left > 0)
}

pub(super) fn subscriber(db: &Connection, address: &Address) -> Result<Option<Subscriber>, Refusal> {
    let sql = "SELECT id, address, standing, consent_at, consent_how FROM subscribers WHERE identity = ?1";
    let mut rows = db.prepare_cached(sql)?;
    let mut rows = rows.query([address.identity()])?;
    rows.next()?.map(read_subscriber).transpose()
}

pub(super) fn subscribers(
    db: &Connection,
    after: SubscriberId,
    most: usize,
) -> Result<Vec<Subscriber>, Refusal> {
    let sql = "SELECT id, address, standing, consent_at, consent_how FROM subscribers WHERE id > ?1 ORDER BY id LIMIT ?2";
    let mut rows = db.prepare_cached(sql)?;
    let mut rows = rows.query(params![after.0, most])?;
    let mut page = Vec::new();
    while let Some(row) = rows.next()? {
        page.push(read_subscriber(row)?);
    }
    Ok(page)
}

fn read_subscriber(row: &Row<'_>) -> Result<Subscriber, Refusal> {
    let (address, standing): (String, String) = (row.get(1)?, row.get(2)?);
    Ok(Subscriber {
        id: SubscriberId(row.get(0)?),
        address: Address::parse(&address)
            .map_err(|error| Refusal::Damaged(format!("an address ({error})")))?,
        standing: Standing::parse(&standing)
            .ok_or_else(|| Refusal::Damaged(format!("a subscriber whose standing is `{standing}`")))?,
        consent: Consent { at: timestamp(row.get(3)?)?, how: row.get(4)? },
    })
}
