//! Subscribers: entered, confirmed, gone, and the reports about their mailboxes.

use jiff::Timestamp;

use super::{
    super::{Entered, Entry, Error, Sent, Subscribers},
    Refusal, Store,
    db::{Db, Row, params},
    digests, micros, old_links, queue, shelf, timestamp,
};
use crate::{
    delivery, delivery::Bounce, delivery::BounceKind, delivery::DigestId, delivery::State, prose::Language,
    subscriber::Address, subscriber::Consent, subscriber::Form, subscriber::Pace, subscriber::Preferences,
    subscriber::Sections, subscriber::Standing, subscriber::Subscriber, subscriber::SubscriberId,
    subscriber::Suppression, subscriber::SuppressionReason, subscriber::Wish,
};

impl<S: Store> Subscribers for S {
    fn enter(&self, entries: Vec<Entry>) -> Result<Vec<Entered>, Error> {
        self.write(move |db| enter(db, &entries))
    }

    fn confirm(&self, id: SubscriberId, now: Timestamp) -> Result<bool, Error> {
        self.write(move |db| confirm(db, id, now))
    }

    fn prefer(&self, id: SubscriberId, preferences: &Preferences) -> Result<bool, Error> {
        let preferences = preferences.clone();
        self.write(move |db| prefer(db, id, &preferences))
    }

    fn leave(&self, id: SubscriberId, now: Timestamp) -> Result<bool, Error> {
        self.write(move |db| leave(db, id, now))
    }

    fn suppress(&self, id: SubscriberId, suppression: &Suppression) -> Result<bool, Error> {
        let suppression = suppression.clone();
        self.write(move |db| suppress(db, id, &suppression))
    }

    fn bounce(&self, bounces: Vec<Bounce>, now: Timestamp) -> Result<Vec<SubscriberId>, Error> {
        self.write(move |db| bounce(db, &bounces, now))
    }

    fn erase(&self, id: SubscriberId, now: Timestamp) -> Result<bool, Error> {
        let erased = self.write(move |db| erase(db, id, now))?;
        self.forget_erased()?;
        Ok(erased)
    }

    fn subscriber(&self, address: &Address) -> Result<Option<Subscriber>, Error> {
        self.read(|db| subscriber(db, address))
    }

    fn owner_of_link(&self, link: &str) -> Result<Option<SubscriberId>, Error> {
        self.read(|db| old_links::owner(db, link))
    }

    fn subscriber_of(&self, id: SubscriberId) -> Result<Option<Subscriber>, Error> {
        self.read(|db| subscriber_of(db, id))
    }

    fn subscribers(&self, after: SubscriberId, most: usize) -> Result<Vec<Subscriber>, Error> {
        self.read(|db| subscribers(db, after, most))
    }

    fn count(&self, standing: Standing) -> Result<u64, Error> {
        self.read(|db| count(db, standing))
    }

    fn subscribers_with(
        &self,
        part: &str,
        after: SubscriberId,
        most: usize,
    ) -> Result<Vec<Subscriber>, Error> {
        self.read(|db| with(db, part, after, most))
    }

    fn growth(&self) -> Result<Vec<(Timestamp, i64)>, Error> {
        self.read(growth)
    }

    fn n_pending(&self, since: Timestamp) -> Result<u64, Error> {
        self.read(|db| n_pending(db, since))
    }

    fn readers(&self, pace: Pace) -> Result<u64, Error> {
        self.read(|db| readers(db, pace))
    }

    fn history(&self, id: SubscriberId, most: usize) -> Result<Vec<Sent>, Error> {
        self.read(|db| history(db, id, most))
    }

    fn bounces(&self, id: SubscriberId) -> Result<Vec<Bounce>, Error> {
        self.read(|db| bounces(db, id))
    }
}

pub(super) fn enter(db: &Db<'_>, entries: &[Entry]) -> Result<Vec<Entered>, Refusal> {
    let enter = |entry: &Entry| {
        let entered = enter_one(db, entry)?;
        if let (Some(id), Some(link)) = (entered.id(), &entry.old_link) {
            old_links::keep(db, id, link)?;
        }
        Ok(entered)
    };
    entries.iter().map(enter).collect()
}

fn enter_one(db: &Db<'_>, entry: &Entry) -> Result<Entered, Refusal> {
    let known: Option<(i64, String, Option<String>)> = db.first(
        "SELECT id, standing, suppression FROM subscribers WHERE identity = ?1",
        params![entry.address.identity()],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let Some((id, standing, suppression)) = known else {
        if is_forgotten(db, &entry.address)? {
            return Ok(Entered::WasForgotten);
        }
        return insert(db, entry).map(Entered::New);
    };
    let id = SubscriberId(id);
    let complained = suppression.as_deref() == Some(SuppressionReason::Complained.as_str());
    match (parse_standing(&standing)?, entry.standing) {
        // What stops letters is taken from everybody; what lets them go is not.
        (Standing::Pending | Standing::Confirmed, Standing::Left) => {
            leave(db, id, entry.consent.at)?;
            Ok(Entered::Changed(id))
        }
        (Standing::Pending | Standing::Confirmed, Standing::Suppressed) => {
            if let Some(suppression) = &entry.suppression {
                suppress(db, id, suppression)?;
            }
            Ok(Entered::Changed(id))
        }
        (Standing::Left, _) if !entry.anew => Ok(Entered::HadLeft(id)),
        (Standing::Suppressed, _) if !entry.anew || complained => Ok(Entered::IsSuppressed(id)),
        (was, is) if was == is || (was == Standing::Confirmed && is == Standing::Pending) => {
            Ok(Entered::Already(id))
        }
        _ => {
            renew(db, id, entry)?;
            Ok(Entered::Changed(id))
        }
    }
}

fn insert(db: &Db<'_>, entry: &Entry) -> Result<SubscriberId, Refusal> {
    let (consent, suppression) = (&entry.consent, entry.suppression.as_ref());
    let sql = "INSERT INTO subscribers (identity, address, standing, consent_at, consent_how, consent_from, confirmed_at,
                   left_at, suppression, suppressed_at, suppression_text)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) RETURNING id";
    let id = SubscriberId(db.value(
        sql,
        params![
            entry.address.identity(),
            entry.address.as_str(),
            entry.standing.as_str(),
            micros(consent.at),
            consent.how,
            consent.from,
            consent.confirmed.map(micros),
            (entry.standing == Standing::Left).then(|| micros(consent.at)),
            suppression.map(|suppression| suppression.reason.as_str()),
            suppression.map(|suppression| micros(suppression.at)),
            suppression.map(|suppression| suppression.text.as_str()),
        ],
    )?);
    prefer(db, id, &entry.preferences)?;
    Ok(id)
}

/// Makes a subscriber who is known what the entry says, with its consent.
fn renew(db: &Db<'_>, id: SubscriberId, entry: &Entry) -> Result<(), Refusal> {
    let sql = "UPDATE subscribers SET address = ?2, standing = ?3, consent_at = ?4, consent_how = ?5, consent_from = ?6,
                   confirmed_at = ?7, left_at = NULL, suppression = NULL, suppressed_at = NULL, suppression_text = NULL
               WHERE id = ?1";
    let consent = &entry.consent;
    db.execute(
        sql,
        params![
            id.0,
            entry.address.as_str(),
            entry.standing.as_str(),
            micros(consent.at),
            consent.how,
            consent.from,
            consent.confirmed.map(micros),
        ],
    )?;
    // Somebody who asks anew begins with a clean mailbox.
    db.execute("DELETE FROM bounces WHERE subscriber = ?1", params![id.0])?;
    prefer(db, id, &entry.preferences)?;
    Ok(())
}

pub(super) fn confirm(db: &Db<'_>, id: SubscriberId, now: Timestamp) -> Result<bool, Refusal> {
    let sql = "UPDATE subscribers SET standing = 'confirmed', confirmed_at = ?2 WHERE id = ?1 AND standing = 'pending'";
    Ok(db.execute(sql, params![id.0, micros(now)])? > 0)
}

pub(super) fn prefer(db: &Db<'_>, id: SubscriberId, wishes: &Preferences) -> Result<bool, Refusal> {
    let sql = "UPDATE subscribers SET pace = ?2, form = ?3, sections = ?4, language = ?5, device = ?6 WHERE id = ?1";
    let (form, sections, language) = wish_columns(&wishes.wish)?;
    let device = wishes.device.as_ref().map(Address::as_str);
    let changed = db.execute(sql, params![id.0, wishes.pace.as_str(), form, sections, language, device])?;
    Ok(changed > 0)
}

pub(super) fn leave(db: &Db<'_>, id: SubscriberId, now: Timestamp) -> Result<bool, Refusal> {
    // Who leaves without having joined says that it was not he or she who asked: nobody else may ask again.
    let sql = "UPDATE subscribers SET left_at = ?2, standing = CASE standing WHEN 'pending' THEN 'suppressed' ELSE 'left' END,
                   suppression = CASE standing WHEN 'pending' THEN 'complained' END, suppressed_at = ?2,
                   suppression_text = 'said that somebody else had asked'
               WHERE id = ?1 AND standing IN ('pending', 'confirmed')";
    let left = db.execute(sql, params![id.0, micros(now)])?;
    queue::cancel_for(db, id, now)?;
    Ok(left > 0)
}

pub(super) fn suppress(db: &Db<'_>, id: SubscriberId, why: &Suppression) -> Result<bool, Refusal> {
    let sql = "UPDATE subscribers SET standing = 'suppressed', suppression = ?2, suppressed_at = ?3, suppression_text = ?4
               WHERE id = ?1 AND standing IN ('pending', 'confirmed')";
    let changed = db.execute(sql, params![id.0, why.reason.as_str(), micros(why.at), why.text])?;
    if changed > 0 {
        queue::cancel_for(db, id, why.at)?;
    }
    Ok(changed > 0)
}

pub(super) fn bounce(db: &Db<'_>, reports: &[Bounce], now: Timestamp) -> Result<Vec<SubscriberId>, Refusal> {
    let mut stopped = Vec::new();
    for report in reports {
        let sql = "INSERT INTO bounces (subscriber, digest, at, kind, source, status, text)
                   SELECT id, ?2, ?3, ?4, ?5, ?6, ?7 FROM subscribers WHERE id = ?1
                   ON CONFLICT DO NOTHING";
        let new = db.execute(
            sql,
            params![
                report.subscriber.0,
                report.digest.map(|digest| digest.0),
                micros(report.at),
                report.kind.as_str(),
                report.source,
                report.status,
                report.text,
            ],
        )?;
        if new == 0 {
            continue;
        }
        if let Some(why) = delivery::judge(&bounces(db, report.subscriber)?, now)
            && suppress(db, report.subscriber, &why)?
        {
            stopped.push(report.subscriber);
        }
    }
    Ok(stopped)
}

pub(super) fn bounces(db: &Db<'_>, id: SubscriberId) -> Result<Vec<Bounce>, Refusal> {
    let sql =
        "SELECT digest, at, kind, source, status, text FROM bounces WHERE subscriber = ?1 ORDER BY at, id";
    db.query(sql, params![id.0], |row| {
        let kind: String = row.get(2)?;
        Ok(Bounce {
            subscriber: id,
            digest: row.get::<Option<i64>>(0)?.map(DigestId),
            at: timestamp(row.get(1)?)?,
            kind: parse_kind(&kind)?,
            source: row.get(3)?,
            status: row.get(4)?,
            text: row.get(5)?,
        })
    })
}

pub(super) fn parse_kind(word: &str) -> Result<BounceKind, Refusal> {
    BounceKind::parse(word).ok_or_else(|| Refusal::Damaged(format!("a report of kind `{word}`")))
}

pub(super) fn erase(db: &Db<'_>, id: SubscriberId, now: Timestamp) -> Result<bool, Refusal> {
    let Some(subscriber) = subscriber_of(db, id)? else { return Ok(false) };
    queue::cancel_for(db, id, now)?;
    old_links::erase(db, id)?;
    for sql in [
        "DELETE FROM deliveries WHERE subscriber = ?1",
        "DELETE FROM bounces WHERE subscriber = ?1",
        "DELETE FROM subscribers WHERE id = ?1",
    ] {
        db.execute(sql, params![id.0])?;
    }
    let sql =
        "INSERT INTO forgotten (hash, at) VALUES (?1, ?2) ON CONFLICT (hash) DO UPDATE SET at = excluded.at";
    db.execute(sql, params![hash(&subscriber.address), micros(now)])?;
    Ok(true)
}

fn is_forgotten(db: &Db<'_>, address: &Address) -> Result<bool, Refusal> {
    let sql = "SELECT count(*) FROM forgotten WHERE hash = ?1";
    Ok(db.value::<i64>(sql, params![hash(address)])? > 0)
}

/// What is kept of an address that was forgotten.
fn hash(address: &Address) -> String {
    let key = blake3::derive_key("gazetted 2026-11 forgotten addresses", address.identity().as_bytes());
    blake3::Hash::from_bytes(key).to_hex().to_string()
}

/// The columns of [`read`], in its order.
const COLUMNS: &str =
    "id, address, standing, consent_at, consent_how, consent_from, confirmed_at, suppression,
    suppressed_at, suppression_text, pace, form, sections, language, device";

pub(super) fn subscriber(db: &Db<'_>, address: &Address) -> Result<Option<Subscriber>, Refusal> {
    let sql = format!("SELECT {COLUMNS} FROM subscribers WHERE identity = ?1");
    db.first(&sql, params![address.identity()], read)
}

pub(super) fn subscriber_of(db: &Db<'_>, id: SubscriberId) -> Result<Option<Subscriber>, Refusal> {
    let sql = format!("SELECT {COLUMNS} FROM subscribers WHERE id = ?1");
    db.first(&sql, params![id.0], read)
}

pub(super) fn subscribers(db: &Db<'_>, after: SubscriberId, most: usize) -> Result<Vec<Subscriber>, Refusal> {
    let sql = format!("SELECT {COLUMNS} FROM subscribers WHERE id > ?1 ORDER BY id LIMIT ?2");
    db.query(&sql, params![after.0, most], read)
}

pub(super) fn with(
    db: &Db<'_>,
    part: &str,
    after: SubscriberId,
    most: usize,
) -> Result<Vec<Subscriber>, Refusal> {
    let sql = format!(
        "SELECT {COLUMNS} FROM subscribers WHERE id > ?1 AND identity LIKE ?2 ESCAPE '!' ORDER BY id LIMIT ?3"
    );
    let mut pattern = String::from("%");
    for letter in part.to_lowercase().chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    db.query(&sql, params![after.0, pattern, most], read)
}

pub(super) fn growth(db: &Db<'_>) -> Result<Vec<(Timestamp, i64)>, Refusal> {
    const DAY: i64 = 86_400_000_000;
    let sql = "SELECT day, CAST(sum(more) AS BIGINT) FROM (
                   SELECT confirmed_at / ?1 AS day, 1 AS more FROM subscribers WHERE confirmed_at IS NOT NULL
                   UNION ALL SELECT left_at / ?1, -1 FROM subscribers
                       WHERE confirmed_at IS NOT NULL AND standing = 'left' AND left_at IS NOT NULL
                   UNION ALL SELECT suppressed_at / ?1, -1 FROM subscribers
                       WHERE confirmed_at IS NOT NULL AND standing = 'suppressed' AND suppressed_at IS NOT NULL
               ) AS changes GROUP BY day HAVING sum(more) <> 0 ORDER BY day";
    db.query(sql, params![DAY], |row| Ok((timestamp(row.get::<i64>(0)?.saturating_mul(DAY))?, row.get(1)?)))
}

pub(super) fn count(db: &Db<'_>, standing: Standing) -> Result<u64, Refusal> {
    let sql = "SELECT count(*) FROM subscribers WHERE standing = ?1";
    db.value(sql, params![standing.as_str()])
}

pub(super) fn n_pending(db: &Db<'_>, since: Timestamp) -> Result<u64, Refusal> {
    let sql = "SELECT count(*) FROM subscribers WHERE standing = 'pending' AND consent_at >= ?1";
    db.value(sql, params![micros(since)])
}

pub(super) fn readers(db: &Db<'_>, pace: Pace) -> Result<u64, Refusal> {
    let sql = "SELECT count(*) FROM subscribers WHERE standing = 'confirmed' AND pace = ?1";
    db.value(sql, params![pace.as_str()])
}

fn read(row: &Row<'_>) -> Result<Subscriber, Refusal> {
    let time = |column: usize| row.get::<Option<i64>>(column)?.map(timestamp).transpose();
    let (standing, pace): (String, String) = (row.get(2)?, row.get(10)?);
    let standing = parse_standing(&standing)?;
    let suppression = match (row.get::<Option<String>>(7)?, time(8)?) {
        (Some(word), Some(at)) if standing == Standing::Suppressed => Some(Suppression {
            reason: SuppressionReason::parse(&word)
                .ok_or_else(|| Refusal::Damaged(format!("a suppression `{word}`")))?,
            at,
            text: row.get::<Option<String>>(9)?.unwrap_or_default(),
        }),
        _ => None,
    };
    Ok(Subscriber {
        id: SubscriberId(row.get(0)?),
        address: parse_address(&row.get::<String>(1)?)?,
        standing,
        suppression,
        consent: Consent {
            at: timestamp(row.get(3)?)?,
            how: row.get(4)?,
            from: row.get(5)?,
            confirmed: time(6)?,
        },
        preferences: Preferences {
            pace: Pace::parse(&pace).ok_or_else(|| Refusal::Damaged(format!("a pace `{pace}`")))?,
            wish: read_wish(row, 11)?,
            device: row.get::<Option<String>>(14)?.as_deref().map(parse_address).transpose()?,
        },
    })
}

/// A wish from three columns: form, sections and language.
pub(super) fn read_wish(row: &Row<'_>, first: usize) -> Result<Wish, Refusal> {
    let (form, sections, language): (String, String, String) =
        (row.get(first)?, row.get(first + 1)?, row.get(first + 2)?);
    Ok(Wish {
        form: Form::parse(&form).ok_or_else(|| Refusal::Damaged(format!("a form `{form}`")))?,
        sections: shelf::from_json::<Sections>(&sections)?,
        language: Language::parse(&language),
    })
}

/// The columns that [`read_wish`] reads.
pub(super) fn wish_columns(wish: &Wish) -> Result<(&'static str, String, String), Refusal> {
    let language = wish.language.as_ref().map(|language| language.as_str().to_owned());
    Ok((wish.form.as_str(), shelf::to_json(&wish.sections)?, language.unwrap_or_default()))
}

pub(super) fn parse_address(text: &str) -> Result<Address, Refusal> {
    Address::parse(text).map_err(|error| Refusal::Damaged(format!("an address ({error})")))
}

fn parse_standing(word: &str) -> Result<Standing, Refusal> {
    Standing::parse(word).ok_or_else(|| Refusal::Damaged(format!("a subscriber whose standing is `{word}`")))
}

pub(super) fn history(db: &Db<'_>, id: SubscriberId, most: usize) -> Result<Vec<Sent>, Refusal> {
    let sql = "SELECT d.digest, g.pace, g.period, p.subject, d.address, d.state, d.attempts, d.queued, d.due, d.settled,
                   d.phase, d.code, d.status, d.reply
               FROM deliveries d JOIN digests g ON g.id = d.digest JOIN printings p ON p.id = d.printing
               WHERE d.subscriber = ?1 ORDER BY d.digest DESC LIMIT ?2";
    db.query(sql, params![id.0, most], |row| {
        let state = digests::parse_state(&row.get::<String>(5)?)?;
        Ok(Sent {
            digest: DigestId(row.get(0)?),
            kind: digests::parse_kind(&row.get::<String>(1)?)?,
            period: row.get(2)?,
            subject: row.get(3)?,
            address: parse_address(&row.get::<String>(4)?)?,
            state,
            attempts: row.get(6)?,
            queued: timestamp(row.get(7)?)?,
            due: (state == State::Delayed).then(|| timestamp(row.get(8)?)).transpose()?,
            settled: row.get::<Option<i64>>(9)?.map(timestamp).transpose()?,
            reply: digests::read_reply(row, 10)?,
        })
    })
}
