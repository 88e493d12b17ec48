//! Digests and their printings: frozen with their readers, stopped, let go.

use jiff::Timestamp;

use super::{
    super::{DigestLine, Digests, Draft, Error, Queued, Then, Trouble, Words},
    News, Reach, Refusal, Store,
    db::{Db, Row, Value, params},
    keeping, micros, queue, shelf, subscribers, tell, timestamp,
};
use crate::{
    delivery::BounceKind, delivery::Claim, delivery::Company, delivery::Delivery, delivery::Digest,
    delivery::DigestId, delivery::DigestStatus, delivery::Kind, delivery::Phase, delivery::Printing,
    delivery::PrintingId, delivery::Reply, delivery::Settlement, delivery::State, editions::Letter,
    issue::IssueKey, publication::Publication, subscriber::Pace, subscriber::SubscriberId, subscriber::Wish,
};

impl<S: Store> Digests for S {
    fn wishes(&self, pace: Pace) -> Result<Vec<Wish>, Error> {
        self.read(|db| wishes(db, pace))
    }

    fn freeze(&self, publication: &Publication, draft: &Draft, now: Timestamp) -> Result<Queued, Error> {
        let (publication, draft) = (publication.key.clone(), draft.clone());
        self.write_leading(move |db| freeze(db, &publication, &draft, now))
    }

    fn stale(&self, publication: &Publication) -> Result<Vec<Digest>, Error> {
        self.read(|db| stale(db, &publication.key))
    }

    fn printed_for(&self, id: DigestId) -> Result<Vec<Wish>, Error> {
        self.read(|db| printed_for(db, id))
    }

    fn print_anew(
        &self,
        id: DigestId,
        issues: &[IssueKey],
        printings: &[(Wish, Option<Words>)],
        now: Timestamp,
    ) -> Result<(), Error> {
        let (issues, printings) = (issues.to_vec(), printings.to_vec());
        self.write_leading(move |db| print_anew(db, id, &issues, &printings, now))
    }

    fn ask(
        &self,
        publication: &Publication,
        id: SubscriberId,
        letter: &Letter,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let (publication, letter) = (publication.key.clone(), letter.clone());
        self.write(move |db| ask(db, &publication, id, &letter, now))
    }

    fn last_digest(&self, publication: &Publication, pace: Pace) -> Result<Option<Digest>, Error> {
        self.read(|db| last(db, &publication.key, pace))
    }

    fn digest_of(
        &self,
        publication: &Publication,
        pace: Pace,
        period: &str,
    ) -> Result<Option<Digest>, Error> {
        self.read(|db| find(db, &publication.key, pace.as_str(), period))
    }

    fn digests(&self, publication: &Publication, most: usize) -> Result<Vec<DigestLine>, Error> {
        self.read(|db| newest(db, &publication.key, DigestId(i64::MAX), most))
    }

    fn digests_before(
        &self,
        publication: &Publication,
        before: DigestId,
        most: usize,
    ) -> Result<Vec<DigestLine>, Error> {
        self.read(|db| newest(db, &publication.key, before, most))
    }

    fn digest(&self, id: DigestId) -> Result<Option<DigestLine>, Error> {
        self.read(|db| digest(db, id))
    }

    fn course(&self, id: DigestId) -> Result<Vec<(Timestamp, u64)>, Error> {
        self.read(|db| course(db, id))
    }

    fn letters(
        &self,
        id: DigestId,
        state: State,
        after: SubscriberId,
        most: usize,
    ) -> Result<Vec<Trouble>, Error> {
        self.read(|db| letters(db, id, state, after, most))
    }

    fn said_afterwards(&self, id: DigestId) -> Result<Vec<(BounceKind, String, u64)>, Error> {
        self.read(|db| said_afterwards(db, id))
    }

    fn set_digest_status(&self, id: DigestId, status: DigestStatus, now: Timestamp) -> Result<bool, Error> {
        self.write(move |db| set_status(db, id, status, now))
    }

    fn ask_about_old(&self, before: Timestamp, now: Timestamp) -> Result<Vec<Digest>, Error> {
        self.write_leading(move |db| ask_about_old(db, before, now))
    }

    fn retry(&self, id: DigestId, state: State, now: Timestamp) -> Result<u64, Error> {
        self.write(move |db| queue::retry(db, id, state, now))
    }

    fn printing(&self, id: PrintingId) -> Result<Option<Printing>, Error> {
        self.read(|db| printing(db, id))
    }

    fn claim(
        &self,
        now: Timestamp,
        lease: Timestamp,
        most: usize,
        except: &[String],
    ) -> Result<Claim, Error> {
        let except = except.to_vec();
        self.write_letters(Reach::Letters, move |db| queue::claim(db, now, lease, most, &except))
    }

    fn still_claimed(
        &self,
        letters: &[(DigestId, SubscriberId)],
    ) -> Result<Vec<(DigestId, SubscriberId)>, Error> {
        self.read(|db| queue::still_claimed(db, letters))
    }

    fn settle(&self, settlements: &[Settlement], now: Timestamp) -> Result<u64, Error> {
        let reach = reach_of(settlements);
        let settlements = settlements.to_vec();
        self.write_letters(reach, move |db| queue::settle(db, &settlements, now))
    }

    fn settle_then(&self, settlements: Vec<Settlement>, now: Timestamp, then: Then) {
        let reach = reach_of(&settlements);
        self.write_letters_then(reach, move |db| queue::settle(db, &settlements, now), then);
    }

    fn give_back(&self, letters: &[Delivery]) -> Result<(), Error> {
        let letters: Vec<_> = letters.iter().map(|letter| (letter.digest, letter.subscriber)).collect();
        self.write_letters(Reach::Letters, move |db| queue::give_back(db, &letters))
    }

    fn release_claims(&self) -> Result<u64, Error> {
        self.write(queue::release_claims)
    }

    fn keep_claims(
        &self,
        now: Timestamp,
        until: Timestamp,
        closed: Vec<(String, Timestamp)>,
    ) -> Result<Company, Error> {
        if !Self::IS_SHARED {
            return Ok(Company::none());
        }
        self.write_letters(Reach::Letters, move |db| queue::keep_claims(db, now, until, &closed))
    }

    fn next_due(&self) -> Result<Option<Timestamp>, Error> {
        self.read(|db| {
            if keeping::holds(db)? {
                return Ok(None);
            }
            let sql = "SELECT min(due) FROM deliveries WHERE state IN ('queued', 'delayed')";
            let due: Option<i64> = db.value(sql, &[])?;
            due.map(timestamp).transpose()
        })
    }
}

/// Who settles reports of mailboxes changes more than the letters.
fn reach_of(settlements: &[Settlement]) -> Reach {
    let reports = settlements.iter().any(|settlement| settlement.bounce.is_some());
    if reports { Reach::Everything } else { Reach::Letters }
}

pub(super) fn wishes(db: &Db<'_>, pace: Pace) -> Result<Vec<Wish>, Refusal> {
    let sql = "SELECT DISTINCT form, sections, language FROM subscribers WHERE standing = 'confirmed' AND pace = ?1";
    db.query(sql, params![pace.as_str()], |row| subscribers::read_wish(row, 0))
}

pub(super) fn freeze(
    db: &Db<'_>,
    publication: &str,
    draft: &Draft,
    now: Timestamp,
) -> Result<Queued, Refusal> {
    if find(db, publication, draft.pace.as_str(), &draft.period)?.is_some() {
        return Ok(Queued::Before);
    }
    let has = |wish: &Wish| draft.printings.iter().any(|(printed, _)| printed == wish);
    if !wishes(db, draft.pace)?.iter().all(has) {
        return Ok(Queued::Missing);
    }
    let digest = insert(db, publication, draft, now)?;
    let state = if draft.status == DigestStatus::Open { State::Queued } else { State::Withheld };
    let mut letters = 0;
    for (wish, words) in &draft.printings {
        let Some(words) = words else { continue };
        let printing = print(db, digest, wish, words)?;
        let (form, sections, language) = subscribers::wish_columns(wish)?;
        let address = if wish.form.has_book() { "coalesce(device, address)" } else { "address" };
        let sql = format!(
            "INSERT INTO deliveries (digest, printing, subscriber, address, domain, state, due, queued)
             SELECT ?1, ?2, id, {address}, substr({address}, instr({address}, '@') + 1), ?3, 0, ?4 FROM subscribers
             WHERE standing = 'confirmed' AND pace = ?5 AND form = ?6 AND sections = ?7 AND language = ?8"
        );
        letters += db.execute(
            &sql,
            params![
                digest.0,
                printing.0,
                state.as_str(),
                micros(now),
                draft.pace.as_str(),
                form,
                sections,
                language
            ],
        )?;
    }
    if letters > 0 {
        tell(db, News::Letters)?;
    }
    Ok(Queued::Letters(letters))
}

fn insert(db: &Db<'_>, publication: &str, draft: &Draft, now: Timestamp) -> Result<DigestId, Refusal> {
    let sql = "INSERT INTO digests (publication, pace, period, issues, frozen, since, until, status)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING id";
    let digest = DigestId(db.value(
        sql,
        params![
            publication,
            draft.pace.as_str(),
            draft.period,
            shelf::to_json(&draft.issues)?,
            micros(now),
            micros(draft.since),
            micros(draft.until),
            draft.status.as_str(),
        ],
    )?);
    let mut tells =
        db.prepare("INSERT INTO digest_issues (publication, issue, digest) VALUES (?1, ?2, ?3)")?;
    for issue in &draft.issues {
        tells.execute(params![publication, issue.as_str(), digest.0])?;
    }
    Ok(digest)
}

fn print(db: &Db<'_>, digest: DigestId, wish: &Wish, words: &Words) -> Result<PrintingId, Refusal> {
    let (form, sections, language) = subscribers::wish_columns(wish)?;
    let sql = "INSERT INTO printings (digest, form, sections, language, subject, text, html, books)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING id";
    Ok(PrintingId(db.value(
        sql,
        params![
            digest.0,
            form,
            sections,
            language,
            words.letter.subject,
            words.letter.text,
            words.letter.html,
            shelf::to_json(&words.books)?,
        ],
    )?))
}

/// Digests whose words tell of an issue that was withdrawn since.
pub(super) fn stale(db: &Db<'_>, publication: &str) -> Result<Vec<Digest>, Refusal> {
    select(db, "publication = ?1 AND stale = 1 ORDER BY id", params![publication])
}

pub(super) fn printed_for(db: &Db<'_>, id: DigestId) -> Result<Vec<Wish>, Refusal> {
    db.query("SELECT form, sections, language FROM printings WHERE digest = ?1", params![id.0], |row| {
        subscribers::read_wish(row, 0)
    })
}

pub(super) fn print_anew(
    db: &Db<'_>,
    id: DigestId,
    issues: &[IssueKey],
    printings: &[(Wish, Option<Words>)],
    now: Timestamp,
) -> Result<(), Refusal> {
    for (wish, words) in printings {
        let (form, sections, language) = subscribers::wish_columns(wish)?;
        let sql =
            "SELECT id FROM printings WHERE digest = ?1 AND form = ?2 AND sections = ?3 AND language = ?4";
        let printing: Option<i64> =
            db.first(sql, params![id.0, form, sections, language], |row| row.get(0))?;
        let Some(printing) = printing else { continue };
        match words {
            Some(Words { letter, books }) => {
                let sql = "UPDATE printings SET subject = ?2, text = ?3, html = ?4, books = ?5 WHERE id = ?1";
                let books = shelf::to_json(books)?;
                db.execute(sql, params![printing, letter.subject, letter.text, letter.html, books])?;
            }
            None => queue::cancel(db, "printing = ?1", params![printing], now)?,
        }
    }
    let sql = "UPDATE digests SET issues = ?2, stale = 0 WHERE id = ?1";
    db.execute(sql, params![id.0, shelf::to_json(&issues)?])?;
    queue::let_go(db, "digest = ?1", params![id.0], now)
}

pub(super) fn ask(
    db: &Db<'_>,
    publication: &str,
    id: SubscriberId,
    letter: &Letter,
    now: Timestamp,
) -> Result<bool, Refusal> {
    let sql = "SELECT address FROM subscribers WHERE id = ?1 AND standing = 'pending'";
    let address: Option<String> = db.first(sql, params![id.0], |row| row.get(0))?;
    let Some(address) = address else { return Ok(false) };
    queue::cancel_for(db, id, now)?;
    let sql = "INSERT INTO digests (publication, pace, period, frozen, until, status)
               VALUES (?1, 'confirmation', ?2 || '.' || (SELECT count(*) FROM deliveries WHERE subscriber = ?2), ?3, ?3, 'open')
               RETURNING id";
    let digest = DigestId(db.value(sql, params![publication, id.0, micros(now)])?);
    let words = Words { letter: letter.clone(), books: Vec::new() };
    let printing = print(db, digest, &Wish::default(), &words)?;
    let sql = "INSERT INTO deliveries (digest, printing, subscriber, address, domain, state, due, queued)
               VALUES (?1, ?2, ?3, ?4, substr(?4, instr(?4, '@') + 1), 'queued', 0, ?5)";
    db.execute(sql, params![digest.0, printing.0, id.0, address, micros(now)])?;
    tell(db, News::Letters)?;
    Ok(true)
}

/// The columns of [`read`], in its order.
const COLUMNS: &str = "id, pace, period, issues, frozen, until, status";

fn read(row: &Row<'_>) -> Result<Digest, Refusal> {
    let status: String = row.get(6)?;
    Ok(Digest {
        id: DigestId(row.get(0)?),
        kind: parse_kind(&row.get::<String>(1)?)?,
        period: row.get(2)?,
        issues: shelf::from_json::<Vec<IssueKey>>(&row.get::<String>(3)?)?,
        frozen: timestamp(row.get(4)?)?,
        until: timestamp(row.get(5)?)?,
        status: DigestStatus::parse(&status)
            .ok_or_else(|| Refusal::Damaged(format!("a digest that is `{status}`")))?,
    })
}

fn select(db: &Db<'_>, which: &str, parameters: &[Value<'_>]) -> Result<Vec<Digest>, Refusal> {
    db.query(&format!("SELECT {COLUMNS} FROM digests WHERE {which}"), parameters, read)
}

pub(super) fn find(
    db: &Db<'_>,
    publication: &str,
    kind: &str,
    period: &str,
) -> Result<Option<Digest>, Refusal> {
    Ok(select(db, "publication = ?1 AND pace = ?2 AND period = ?3", params![publication, kind, period])?
        .pop())
}

pub(super) fn last(db: &Db<'_>, publication: &str, pace: Pace) -> Result<Option<Digest>, Refusal> {
    let which = "publication = ?1 AND pace = ?2 ORDER BY until DESC, id DESC LIMIT 1";
    Ok(select(db, which, params![publication, pace.as_str()])?.pop())
}

pub(super) fn newest(
    db: &Db<'_>,
    publication: &str,
    before: DigestId,
    most: usize,
) -> Result<Vec<DigestLine>, Refusal> {
    // Where nobody wanted letters, a digest only says up to when everything was told.
    let which = "publication = ?1 AND pace <> 'confirmation' AND id < ?3 AND EXISTS (SELECT 1 FROM printings p WHERE p.digest = digests.id)
                 ORDER BY id DESC LIMIT ?2";
    select(db, which, params![publication, most, before.0])?
        .into_iter()
        .map(|digest| line(db, digest))
        .collect()
}

pub(super) fn digest(db: &Db<'_>, id: DigestId) -> Result<Option<DigestLine>, Refusal> {
    select(db, "id = ?1", params![id.0])?.pop().map(|digest| line(db, digest)).transpose()
}

fn line(db: &Db<'_>, digest: Digest) -> Result<DigestLine, Refusal> {
    let sql = "SELECT subject FROM printings WHERE digest = ?1 ORDER BY sections, language, form LIMIT 1";
    let subject: Option<String> = db.first(sql, params![digest.id.0], |row| row.get(0))?;
    let letters = states(db, "digest = ?1", params![digest.id.0])?;
    Ok(DigestLine { digest, subject: subject.unwrap_or_default(), letters })
}

/// How many letters there are in each state, of those that `which` says.
pub(super) fn states(
    db: &Db<'_>,
    which: &str,
    parameters: &[Value<'_>],
) -> Result<Vec<(State, u64)>, Refusal> {
    let sql = format!("SELECT state, count(*) FROM deliveries WHERE {which} GROUP BY state");
    let mut counts =
        db.query(&sql, parameters, |row| Ok((parse_state(&row.get::<String>(0)?)?, row.get(1)?)))?;
    counts.sort_by_key(|(state, _)| State::ALL.iter().position(|s| s == state));
    Ok(counts)
}

/// In how many steps the course of a digest is told.
const STEPS: i64 = 120;

pub(super) fn course(db: &Db<'_>, id: DigestId) -> Result<Vec<(Timestamp, u64)>, Refusal> {
    let sql = "SELECT min(settled), max(settled) FROM deliveries WHERE digest = ?1 AND state = 'delivered'";
    let ends =
        db.first(sql, params![id.0], |row| Ok(row.get::<Option<i64>>(0)?.zip(row.get::<Option<i64>>(1)?)))?;
    let Some((first, last)) = ends.flatten() else { return Ok(Vec::new()) };
    let step = ((last - first) / STEPS).max(1);
    let sql = "SELECT max(settled), count(*) FROM deliveries WHERE digest = ?1 AND state = 'delivered'
               GROUP BY (settled - ?2) / ?3 ORDER BY 1";
    let mut so_far = 0;
    db.query(sql, params![id.0, first, step], |row| {
        so_far += row.get::<u64>(1)?;
        Ok((timestamp(row.get(0)?)?, so_far))
    })
}

pub(super) fn letters(
    db: &Db<'_>,
    id: DigestId,
    state: State,
    after: SubscriberId,
    most: usize,
) -> Result<Vec<Trouble>, Refusal> {
    let sql = "SELECT subscriber, address, attempts, due, phase, code, status, reply FROM deliveries
               WHERE digest = ?1 AND subscriber > ?2 AND state = ?3 ORDER BY subscriber LIMIT ?4";
    db.query(sql, params![id.0, after.0, state.as_str(), most], |row| {
        Ok(Trouble {
            subscriber: SubscriberId(row.get(0)?),
            address: subscribers::parse_address(&row.get::<String>(1)?)?,
            state,
            attempts: row.get(2)?,
            due: (state == State::Delayed).then(|| timestamp(row.get(3)?)).transpose()?,
            reply: read_reply(row, 4)?,
        })
    })
}

pub(super) fn said_afterwards(db: &Db<'_>, id: DigestId) -> Result<Vec<(BounceKind, String, u64)>, Refusal> {
    let sql = "SELECT kind, source, count(DISTINCT subscriber) FROM bounces
               WHERE digest = ?1 AND source <> 'smtp' GROUP BY kind, source ORDER BY 3 DESC, kind, source";
    db.query(sql, params![id.0], |row| {
        Ok((subscribers::parse_kind(&row.get::<String>(0)?)?, row.get(1)?, row.get(2)?))
    })
}

pub(super) fn set_status(
    db: &Db<'_>,
    id: DigestId,
    status: DigestStatus,
    now: Timestamp,
) -> Result<bool, Refusal> {
    let sql = "UPDATE digests SET status = ?2 WHERE id = ?1 AND status <> ?2";
    if db.execute(sql, params![id.0, status.as_str()])? == 0 {
        return Ok(false);
    }
    if status == DigestStatus::Open {
        queue::let_go(db, "digest = ?1", params![id.0], now)?;
    } else {
        queue::withhold(db, "digest = ?1", params![id.0])?;
    }
    Ok(true)
}

pub(super) fn ask_about_old(db: &Db<'_>, before: Timestamp, now: Timestamp) -> Result<Vec<Digest>, Refusal> {
    let which = "frozen < ?1 AND status = 'open' AND pace <> 'confirmation' AND EXISTS
                     (SELECT 1 FROM deliveries d WHERE d.digest = digests.id AND d.attempts = 0
                          AND d.state IN ('queued', 'claimed'))";
    let mut old = select(db, which, params![micros(before)])?;
    for digest in &mut old {
        set_status(db, digest.id, DigestStatus::Asking, now)?;
        digest.status = DigestStatus::Asking;
    }
    Ok(old)
}

pub(super) fn printing(db: &Db<'_>, id: PrintingId) -> Result<Option<Printing>, Refusal> {
    let sql =
        "SELECT digest, form, sections, language, subject, text, html, books FROM printings WHERE id = ?1";
    let found = db.first(sql, params![id.0], |row| {
        let books = shelf::from_json(&row.get::<String>(7)?)?;
        let words: (String, String, String) = (row.get(4)?, row.get(5)?, row.get(6)?);
        Ok((row.get::<i64>(0)?, subscribers::read_wish(row, 1)?, words, books))
    })?;
    let Some((number, wish, (subject, text, html), books)) = found else { return Ok(None) };
    let Some(digest) = select(db, "id = ?1", params![number])?.pop() else { return Ok(None) };
    let before = "(publication, pace) = (SELECT publication, pace FROM digests WHERE id = ?1) AND id < ?1
                  AND pace <> 'confirmation' ORDER BY until DESC, id DESC LIMIT 1";
    let previous = select(db, before, params![number])?.pop().map(|digest| digest.label());
    Ok(Some(Printing { id, digest, wish, subject, text, html, books, previous }))
}

pub(super) fn parse_kind(word: &str) -> Result<Kind, Refusal> {
    Kind::parse(word).ok_or_else(|| Refusal::Damaged(format!("a digest of kind `{word}`")))
}

pub(super) fn parse_state(word: &str) -> Result<State, Refusal> {
    State::parse(word).ok_or_else(|| Refusal::Damaged(format!("a letter in state `{word}`")))
}

/// What was last heard of a letter, from four columns: phase, code, status and reply.
pub(super) fn read_reply(row: &Row<'_>, first: usize) -> Result<Option<Reply>, Refusal> {
    let (Some(phase), Some(text)) =
        (row.get::<Option<String>>(first)?, row.get::<Option<String>>(first + 3)?)
    else {
        return Ok(None);
    };
    let phase = Phase::parse(&phase).ok_or_else(|| Refusal::Damaged(format!("a phase `{phase}`")))?;
    Ok(Some(Reply { phase, code: row.get(first + 1)?, status: row.get(first + 2)?, text }))
}
