//! Events, and the webhooks that are told of them.

use jiff::Timestamp;

use super::{
    super::Error,
    super::Event,
    super::EventKind,
    super::Events,
    super::Telling,
    super::Told,
    super::WebhookLine,
    News, Refusal, Store,
    db::{Db, params},
    micros, standing, tell, timestamp,
};
use crate::{delivery::DigestId, issue::IssueKey, issue::Status};

impl<S: Store> Events for S {
    fn find_finished(&self, now: Timestamp) -> Result<u64, Error> {
        if self.read(finished)?.is_empty() {
            return Ok(0);
        }
        self.write_leading(move |db| note_finished(db, now))
    }

    fn unwritten(&self, most: usize) -> Result<Vec<Event>, Error> {
        self.read(|db| unwritten(db, most))
    }

    fn write_event(&self, id: i64, body: &str, webhooks: &[String], now: Timestamp) -> Result<(), Error> {
        let (body, webhooks) = (body.to_owned(), webhooks.to_vec());
        self.write_leading(move |db| write(db, id, &body, &webhooks, now))
    }

    fn due_tellings(&self, now: Timestamp, most: usize) -> Result<Vec<Telling>, Error> {
        self.read(|db| due(db, now, most))
    }

    fn next_telling(&self) -> Result<Option<Timestamp>, Error> {
        self.read(next)
    }

    fn settle_telling(
        &self,
        telling: &Telling,
        told: Told,
        said: &str,
        now: Timestamp,
        forget: Timestamp,
    ) -> Result<(), Error> {
        let (telling, said) = (telling.clone(), said.to_owned());
        self.write_leading(move |db| settle(db, &telling, told, &said, now, forget))
    }

    fn webhooks(&self) -> Result<Vec<WebhookLine>, Error> {
        self.read(webhooks)
    }

    fn resume_webhook(&self, webhook: &str, now: Timestamp) -> Result<bool, Error> {
        let webhook = webhook.to_owned();
        self.write(move |db| resume(db, &webhook, now))
    }
}

/// Enters the event that the current version of an issue is out, or is so no longer, where readers' files did not show that before.
pub(super) fn of_issue(
    db: &Db<'_>,
    publication: &str,
    key: &IssueKey,
    now: Timestamp,
) -> Result<(), Refusal> {
    let sql = "SELECT version, status, closed FROM releases
               WHERE publication = ?1 AND issue = ?2 AND current = 1 AND out = 0";
    let found: Option<(u32, String, bool)> =
        db.first(sql, params![publication, key.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let Some((version, status, was_out)) = found else { return Ok(()) };
    let kind = match standing::parse(&status)? {
        Status::Usable if version > 1 && !was_out => EventKind::IssueCorrected,
        Status::Usable => EventKind::IssuePublished,
        Status::Withheld | Status::Canceled => EventKind::IssueWithdrawn,
    };
    let name = db.dialect().random_name;
    let sql = format!(
        "INSERT INTO events (name, kind, publication, issue, version, at) VALUES ({name}, ?1, ?2, ?3, ?4, ?5)"
    );
    db.execute(&sql, params![kind.as_str(), publication, key.as_str(), version, micros(now)])?;
    Ok(())
}

/// The digests of which nothing waits any more, each with its publication and whether it has any letter.
///
/// While letters go out, those that are due next answer for their digest at once; all letters of a digest are gone through when none
/// of these is its own.
pub(super) fn finished(db: &Db<'_>) -> Result<Vec<(i64, String, bool)>, Refusal> {
    let sql = "SELECT id, publication, EXISTS (SELECT 1 FROM deliveries d WHERE d.digest = digests.id) FROM digests
               WHERE finished IS NULL AND pace <> 'confirmation' AND status = 'open'
                 AND id NOT IN (SELECT digest FROM
                     (SELECT digest FROM deliveries WHERE state IN ('queued', 'delayed') ORDER BY due, domain LIMIT 64) AS soonest)
                 AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.digest = digests.id
                     AND d.state IN ('queued', 'claimed', 'delayed', 'withheld'))";
    db.query(sql, &[], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

pub(super) fn note_finished(db: &Db<'_>, now: Timestamp) -> Result<u64, Refusal> {
    let name = db.dialect().random_name;
    let mut n_events = 0;
    for (digest, publication, has_letters) in finished(db)? {
        let sql = "UPDATE digests SET finished = ?2 WHERE id = ?1";
        db.execute(sql, params![digest, micros(now)])?;
        if has_letters {
            let sql = format!(
                "INSERT INTO events (name, kind, publication, digest, at) VALUES ({name}, ?1, ?2, ?3, ?4)"
            );
            let kind = EventKind::DigestFinished.as_str();
            db.execute(&sql, params![kind, publication, digest, micros(now)])?;
            n_events += 1;
        }
    }
    if n_events > 0 {
        tell(db, News::Events)?;
    }
    Ok(n_events)
}

pub(super) fn unwritten(db: &Db<'_>, most: usize) -> Result<Vec<Event>, Refusal> {
    let sql = "SELECT id, name, kind, issue, version, digest, at FROM events WHERE body IS NULL ORDER BY id LIMIT ?1";
    db.query(sql, params![most], |row| {
        let kind: String = row.get(2)?;
        let issue = row.get::<Option<String>>(3)?.zip(row.get::<Option<u32>>(4)?);
        Ok(Event {
            id: row.get(0)?,
            name: row.get(1)?,
            kind: EventKind::parse(&kind)
                .ok_or_else(|| Refusal::Damaged(format!("an event of kind `{kind}`")))?,
            issue: issue.map(|(key, version)| (IssueKey::of(&key), version)),
            digest: row.get::<Option<i64>>(5)?.map(DigestId),
            at: timestamp(row.get(6)?)?,
        })
    })
}

pub(super) fn write(
    db: &Db<'_>,
    id: i64,
    body: &str,
    webhooks: &[String],
    now: Timestamp,
) -> Result<(), Refusal> {
    let mut n_told = 0;
    for webhook in webhooks {
        let sql = "INSERT INTO tellings (event, webhook, state, due) SELECT ?1, ?2, 'waiting', ?3
                   WHERE NOT EXISTS (SELECT 1 FROM ended_webhooks WHERE webhook = ?2)
                   ON CONFLICT DO NOTHING";
        n_told += db.execute(sql, params![id, webhook, micros(now)])?;
    }
    if n_told == 0 {
        db.execute("DELETE FROM events WHERE id = ?1 AND body IS NULL", params![id])?;
    } else {
        db.execute("UPDATE events SET body = ?2 WHERE id = ?1", params![id, body])?;
    }
    Ok(())
}

pub(super) fn due(db: &Db<'_>, now: Timestamp, most: usize) -> Result<Vec<Telling>, Refusal> {
    let sql = "SELECT t.event, e.name, t.webhook, e.body, t.attempts FROM tellings t JOIN events e ON e.id = t.event
               WHERE t.state = 'waiting' AND t.due <= ?1 ORDER BY t.due, t.event LIMIT ?2";
    db.query(sql, params![micros(now), most], |row| {
        Ok(Telling {
            event: row.get(0)?,
            name: row.get(1)?,
            webhook: row.get(2)?,
            body: row.get(3)?,
            attempts: row.get(4)?,
        })
    })
}

pub(super) fn next(db: &Db<'_>) -> Result<Option<Timestamp>, Refusal> {
    let sql = "SELECT min(due) FROM tellings WHERE state = 'waiting'";
    let due: Option<i64> = db.value(sql, &[])?;
    due.map(timestamp).transpose()
}

pub(super) fn settle(
    db: &Db<'_>,
    telling: &Telling,
    told: Told,
    said: &str,
    now: Timestamp,
    forget: Timestamp,
) -> Result<(), Refusal> {
    let (state, due) = match told {
        Told::Taken => ("told", now),
        Told::Again(due) => ("waiting", due),
        Told::Failed | Told::Ended => ("failed", now),
    };
    let sql = "UPDATE tellings SET state = ?3, due = ?4, said = ?5, settled = ?6, attempts = attempts + 1
               WHERE event = ?1 AND webhook = ?2 AND state = 'waiting'";
    db.execute(sql, params![telling.event, telling.webhook, state, micros(due), said, micros(now)])?;
    if told == Told::Ended {
        db.execute(
            "INSERT INTO ended_webhooks (webhook, at) VALUES (?1, ?2)
             ON CONFLICT (webhook) DO UPDATE SET at = excluded.at",
            params![telling.webhook, micros(now)],
        )?;
        db.execute(
            "UPDATE tellings SET state = 'failed', settled = ?2 WHERE webhook = ?1 AND state = 'waiting'",
            params![telling.webhook, micros(now)],
        )?;
    }
    // What was settled long ago is of no use to anybody, but for the last that each webhook took.
    db.execute(
        "DELETE FROM tellings WHERE state <> 'waiting' AND settled < ?1 AND event <
             (SELECT max(event) FROM tellings last WHERE last.webhook = tellings.webhook)",
        params![micros(forget)],
    )?;
    db.execute("DELETE FROM events WHERE body IS NOT NULL AND NOT EXISTS (SELECT 1 FROM tellings WHERE event = events.id)", &[])?;
    Ok(())
}

pub(super) fn webhooks(db: &Db<'_>) -> Result<Vec<WebhookLine>, Refusal> {
    let sql = "SELECT webhook, count(CASE WHEN state = 'waiting' THEN 1 END), count(CASE WHEN state = 'failed' THEN 1 END),
                   max(CASE WHEN state = 'told' THEN settled END),
                   max(CASE WHEN state <> 'told' THEN settled END),
                   (SELECT at FROM ended_webhooks e WHERE e.webhook = tellings.webhook)
               FROM tellings GROUP BY webhook ORDER BY webhook";
    db.query(sql, &[], |row| {
        let webhook: String = row.get(0)?;
        let time = |column: usize| row.get::<Option<i64>>(column)?.map(timestamp).transpose();
        let (told, troubled) = (time(3)?, time(4)?);
        let trouble = match troubled.filter(|at| told.is_none_or(|told| told < *at)) {
            Some(at) => {
                let sql = "SELECT said FROM tellings WHERE webhook = ?1 AND state <> 'told' AND settled = ?2 LIMIT 1";
                let said: Option<String> =
                    db.first(sql, params![webhook, micros(at)], |row| row.get(0))?.flatten();
                Some((said.unwrap_or_default(), at))
            }
            None => None,
        };
        Ok(WebhookLine {
            waiting: row.get(1)?,
            failed: row.get(2)?,
            told,
            trouble,
            ended: time(5)?,
            webhook,
        })
    })
}

pub(super) fn resume(db: &Db<'_>, webhook: &str, now: Timestamp) -> Result<bool, Refusal> {
    let known = db.execute("DELETE FROM ended_webhooks WHERE webhook = ?1", params![webhook])?;
    let due = db.execute(
        "UPDATE tellings SET due = ?2 WHERE webhook = ?1 AND state = 'waiting'",
        params![webhook, micros(now)],
    )?;
    Ok(known + due > 0)
}
