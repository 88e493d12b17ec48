//! Releases: opened when the press begins, put out when readers have them.

use jiff::{SignedDuration, Timestamp};

use super::{
    super::Interrupted,
    super::IssueLine,
    super::LATE,
    super::Opening,
    News, Refusal,
    db::{Db, Row, Value, params},
    digests, micros, pieces, standing, tell, timestamp,
};
use crate::{
    delivery::State, editions::Beside, editions::BookFile, editions::Listing, editions::Shelved,
    editions::Volume, issue::Issue, issue::IssueKey, issue::Release, issue::Status, subscriber::Pace,
};

/// An issue as it was read, before it has a version.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) publication: String,
    pub(super) issue: Issue,
    /// What readers will call it.
    pub(super) name: String,
    /// When readers may have it, at the earliest.
    pub(super) embargo: Option<Timestamp>,
    pub(super) manuscript: String,
    pub(super) source: Vec<u8>,
}

pub(super) fn open_release(db: &Db<'_>, mut draft: Draft, now: Timestamp) -> Result<Opening, Refusal> {
    // What is kept of a time is told of it from the first: else a release would print otherwise the next time.
    let now = timestamp(micros(now))?;
    let publication = draft.publication.as_str();
    if let Some(key) = brought(db, publication, &draft.manuscript)? {
        // The press may have been at work on another version: then readers may have some of its files.
        db.execute(
            "UPDATE releases SET out = 0 WHERE publication = ?1 AND issue = ?2 AND current = 1
             AND EXISTS (SELECT 1 FROM releases o WHERE o.publication = ?1 AND o.issue = ?2 AND o.out = 0)",
            params![publication, key.as_str()],
        )?;
        db.execute(
            "DELETE FROM releases WHERE publication = ?1 AND issue = ?2 AND out = 0 AND current = 0",
            params![publication, key.as_str()],
        )?;
        // Until it has been printed over, the current version counts as not out.
        return Ok(match begun(db, &draft)? {
            Some(release) => Opening::Print(Box::new(release)),
            None => Opening::Duplicate(key),
        });
    }
    if let Some(until) = standing::embargo_of(db, &draft, now)? {
        return Ok(Opening::Embargoed(draft.issue.key, until));
    }
    if let Some(release) = begun(db, &draft)? {
        return Ok(Opening::Print(Box::new(release)));
    }
    let previous = issue(db, publication, &draft.issue.key)?.map(|shelved| shelved.release);
    draft.issue.name_articles(previous.as_ref().map(|release| &release.issue));
    let release = if let Some(before) = previous {
        Release {
            version: before.version + 1,
            published: before.published,
            // Feeds tell times to the second, so two versions in one second would look the same.
            updated: now.max(before.updated + SignedDuration::from_secs(1)),
            issue: draft.issue,
        }
    } else {
        let published = now.max(after_newest(db, publication)?).max(draft.embargo.unwrap_or(now));
        Release { version: 1, published, updated: published, issue: draft.issue }
    };
    // A time to come holds back what readers do not have yet; a correction of what they have does not wait.
    let embargo = draft.embargo.filter(|at| release.version == 1 && *at > now);
    let status = if embargo.is_some() { Status::Withheld } else { Status::Usable };
    db.execute("INSERT INTO releases (publication, issue, version, manuscript, source, body, published, updated,
             out, current, name, status, embargo) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, 0, ?9, ?10, ?11)
         ON CONFLICT (publication, issue, version) DO UPDATE SET manuscript = excluded.manuscript,
             source = excluded.source, body = excluded.body, published = excluded.published, updated = excluded.updated,
             out = 0, current = 0, name = excluded.name, status = excluded.status, embargo = excluded.embargo,
             closed = 0, ordinal = NULL, date = NULL, headlines = NULL, book_path = NULL, book_length = NULL,
             listing = NULL", params![
        publication,
        release.issue.key.as_str(),
        release.version,
        draft.manuscript,
        draft.source,
        to_json(&release.issue)?,
        micros(release.published),
        micros(release.updated),
        draft.name,
        status.as_str(),
        embargo.map(micros),
    ])?;
    Ok(match embargo {
        Some(until) => Opening::Embargoed(release.issue.key, until),
        None => Opening::Print(Box::new(release)),
    })
}

pub(super) fn brought(db: &Db<'_>, publication: &str, manuscript: &str) -> Result<Option<IssueKey>, Refusal> {
    let sql = "SELECT issue FROM releases WHERE publication = ?1 AND manuscript = ?2 AND current = 1 LIMIT 1";
    let key: Option<String> = db.first(sql, params![publication, manuscript], |row| row.get(0))?;
    Ok(key.map(|key| IssueKey::of(&key)))
}

pub(super) fn manuscript_of(
    db: &Db<'_>,
    publication: &str,
    key: &IssueKey,
) -> Result<Option<String>, Refusal> {
    let sql = "SELECT manuscript FROM releases WHERE publication = ?1 AND issue = ?2 AND current = 1";
    db.first(sql, params![publication, key.as_str()], |row| row.get(0))
}

/// A second after the newest issue came out: a clock that is behind must not hide a new issue below the old ones.
fn after_newest(db: &Db<'_>, publication: &str) -> Result<Timestamp, Refusal> {
    let sql = "SELECT max(published) FROM releases WHERE publication = ?1 AND current = 1";
    let newest: Option<i64> = db.value(sql, params![publication])?;
    newest.map_or(Ok(Timestamp::MIN), |newest| Ok(timestamp(newest)? + SignedDuration::from_secs(1)))
}

/// The release of this very manuscript that was begun and not put out.
fn begun(db: &Db<'_>, draft: &Draft) -> Result<Option<Release>, Refusal> {
    let sql = "SELECT body, version, published, updated, book_path, book_length FROM releases
               WHERE publication = ?1 AND issue = ?2 AND out = 0 AND manuscript = ?3";
    db.first(sql, params![draft.publication, draft.issue.key.as_str(), draft.manuscript], release)
}

/// Gives up the releases that a file brought and that are not out. Where readers may have some of their files, the version
/// before is to be printed again; an issue without one is to be taken down, and then forgotten by [`close`]. A correction that
/// is in the lists already is finished.
pub(super) fn give_up(db: &Db<'_>, source: &[u8]) -> Result<(), Refusal> {
    // Each by an index of what is open: whoever clears an inbox of ten thousand files has this asked ten thousand times.
    db.execute(
        "UPDATE releases SET out = 0 WHERE current = 1 AND (publication, issue) IN
             (SELECT publication, issue FROM releases WHERE out = 0 AND current = 0 AND source = ?1)",
        params![source],
    )?;
    db.execute("DELETE FROM releases WHERE out = 0 AND current = 0 AND source = ?1", params![source])?;
    let sql = "UPDATE releases SET status = 'canceled' WHERE current = 1 AND closed = 0 AND version = 1 AND source = ?1
               RETURNING publication, issue";
    let given_up: Vec<(String, String)> =
        db.query(sql, params![source], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for (publication, issue) in given_up {
        pieces::take_out(db, &publication, &IssueKey::of(&issue))?;
    }
    Ok(())
}

pub(super) fn interrupted(
    db: &Db<'_>,
    publication: &str,
    now: Timestamp,
) -> Result<Vec<Interrupted>, Refusal> {
    let sql = format!(
        "SELECT body, version, published, updated, source, manuscript, status, current FROM releases
         WHERE {} AND (current = 1 OR status = 'usable' OR (status = 'withheld' AND embargo <= ?2))
         ORDER BY updated, issue",
        standing::OPEN
    );
    let read = db.query(&sql, params![publication, micros(now)], |row| {
        // One that cannot be read must not keep the others from being finished.
        match release(row) {
            Ok(release) => {
                let (status, current): (String, bool) = (row.get(6)?, row.get(7)?);
                // What was never out is put out once its time has come.
                let status = if current { standing::parse(&status)? } else { Status::Usable };
                let (source, manuscript) = (row.get(4)?, row.get(5)?);
                Ok(Some(Interrupted { release, status, source, manuscript }))
            }
            Err(refusal) => {
                tracing::error!(?refusal, "a release that was begun cannot be read, and is left");
                Ok(None)
            }
        }
    })?;
    Ok(read.into_iter().flatten().collect())
}

/// Makes a release the current version of its issue, with its articles in every list. It is not out before [`close`].
pub(in crate::ledger) fn shelve(
    db: &Db<'_>,
    publication: &str,
    release: &Release,
    line: &Listing,
) -> Result<(), Refusal> {
    let key = line.key.as_str();
    let sql = "SELECT max(ordinal) FROM releases WHERE publication = ?1 AND issue = ?2";
    let ordinal: Option<i64> = db.value(sql, params![publication, key])?;
    let ordinal = ordinal.map_or_else(|| n_published(db, publication).map(|n| n + 1), Ok)?;
    pieces::take_out(db, publication, &line.key)?;
    db.execute("UPDATE releases SET current = 0 WHERE publication = ?1 AND issue = ?2 AND current = 1 AND version <> ?3", params![publication, key, release.version])?;
    let changed = db.execute(
        "UPDATE releases SET current = 1, status = 'usable', embargo = NULL, ordinal = ?4, book_path = ?5,
                 book_length = ?6, name = ?7, date = ?8, listing = ?9
             WHERE publication = ?1 AND issue = ?2 AND version = ?3",
        params![
            publication,
            key,
            release.version,
            ordinal,
            line.book.path,
            line.book.length,
            line.name,
            line.date.to_string(),
            to_json(line)?,
        ],
    )?;
    if changed != 1 {
        return Err(Refusal::Damaged(format!("a release `{key}` version {}", release.version)));
    }
    pieces::enter(db, publication, &release.issue, line)
}

/// Records that readers have what the ledger says of an issue: its current version, or nothing of it any more.
pub(super) fn close(db: &Db<'_>, publication: &str, key: &IssueKey) -> Result<(), Refusal> {
    tell(db, News::Edition)?;
    let sql = "DELETE FROM releases WHERE publication = ?1 AND issue = ?2 AND current = 1 AND status = 'canceled' AND closed = 0";
    if db.execute(sql, params![publication, key.as_str()])? > 0 {
        return Ok(());
    }
    let sql = "UPDATE releases SET out = 1, closed = 1 WHERE publication = ?1 AND issue = ?2 AND current = 1";
    match db.execute(sql, params![publication, key.as_str()])? {
        1 => Ok(()),
        _ => Err(Refusal::Damaged(format!("a release `{key}`"))),
    }
}

/// How many issues have come out, withdrawn ones too.
pub(super) fn n_published(db: &Db<'_>, publication: &str) -> Result<i64, Refusal> {
    let sql = "SELECT max(ordinal) FROM releases WHERE publication = ?1 AND current = 1";
    let last: Option<i64> = db.value(sql, params![publication])?;
    Ok(last.unwrap_or(0))
}

/// The versions of an issue that readers may have files of: the current one and the one before it.
pub(super) fn versions(db: &Db<'_>, publication: &str, key: &IssueKey) -> Result<Vec<Release>, Refusal> {
    let sql = "SELECT body, version, published, updated FROM releases
               WHERE publication = ?1 AND issue = ?2 AND ordinal IS NOT NULL ORDER BY current DESC, version DESC LIMIT 2";
    db.query(sql, params![publication, key.as_str()], release)
}

pub(super) fn source_of(db: &Db<'_>, publication: &str, key: &IssueKey) -> Result<Option<Vec<u8>>, Refusal> {
    let sql = "SELECT source FROM releases WHERE publication = ?1 AND issue = ?2 AND (current = 1 OR out = 0)
               ORDER BY version DESC LIMIT 1";
    db.first(sql, params![publication, key.as_str()], |row| row.get(0))
}

/// What is common to the queries that give issues with their books.
const SHELVED: &str = "SELECT body, version, published, updated, book_path, book_length FROM releases
    WHERE publication = ?1 AND current = 1 AND";

fn shelf(db: &Db<'_>, which: &str, parameters: &[Value<'_>]) -> Result<Vec<Shelved>, Refusal> {
    db.query(&format!("{SHELVED} {which}"), parameters, shelved)
}

pub(super) fn recent(db: &Db<'_>, publication: &str, most: usize) -> Result<Vec<Shelved>, Refusal> {
    shelf(db, "status = 'usable' ORDER BY published DESC, issue LIMIT ?2", params![publication, most])
}

pub(super) fn corrected(db: &Db<'_>, publication: &str, most: usize) -> Result<Vec<Shelved>, Refusal> {
    let which = "status = 'usable' AND version > 1 ORDER BY updated DESC, issue LIMIT ?2";
    shelf(db, which, params![publication, most])
}

pub(super) fn between(
    db: &Db<'_>,
    publication: &str,
    (first, last): (i64, i64),
) -> Result<Vec<Shelved>, Refusal> {
    let which = "status = 'usable' AND ordinal BETWEEN ?2 AND ?3 ORDER BY ordinal DESC";
    shelf(db, which, params![publication, first, last])
}

/// The how-many-th issue this is, if it has come out.
pub(super) fn ordinal_of(db: &Db<'_>, publication: &str, key: &IssueKey) -> Result<Option<i64>, Refusal> {
    let sql = "SELECT ordinal FROM releases WHERE publication = ?1 AND issue = ?2 AND current = 1";
    Ok(db.first(sql, params![publication, key.as_str()], |row| row.get::<Option<i64>>(0))?.flatten())
}

pub(super) fn issue(db: &Db<'_>, publication: &str, key: &IssueKey) -> Result<Option<Shelved>, Refusal> {
    Ok(shelf(db, "issue = ?2", params![publication, key.as_str()])?.pop())
}

pub(super) fn books(db: &Db<'_>, publication: &str) -> Result<Vec<(IssueKey, BookFile)>, Refusal> {
    let sql = "SELECT issue, book_path, book_length FROM releases
               WHERE publication = ?1 AND current = 1 AND status = 'usable' ORDER BY published DESC, issue";
    db.query(sql, params![publication], |row| {
        Ok((IssueKey::of(&row.get::<String>(0)?), BookFile { path: row.get(1)?, length: row.get(2)? }))
    })
}

pub(super) fn volume(db: &Db<'_>, publication: &str, year: i16) -> Result<Volume, Refusal> {
    let sql = "SELECT listing FROM releases WHERE publication = ?1 AND current = 1 AND status = 'usable'
                   AND date BETWEEN ?2 AND ?3 ORDER BY date DESC, published DESC, issue";
    let (from, to) = (format!("{year:04}-01-01"), format!("{year:04}-12-31"));
    Ok(Volume { year, listings: db.query(sql, params![publication, from, to], listing)? })
}

pub(super) fn beside(
    db: &Db<'_>,
    publication: &str,
    key: &IssueKey,
    day: &str,
    published: i64,
) -> Result<Beside, Refusal> {
    // In the order of a volume: of those that came out at the same moment, the one of the first key stands for the newest.
    let next = |order: &str| -> Result<Option<Listing>, Refusal> {
        let sql = format!(
            "SELECT listing FROM releases WHERE publication = ?1 AND current = 1 AND status = 'usable' AND issue <> ?2
                 AND {order} LIMIT 1"
        );
        db.first(&sql, params![publication, key.as_str(), day, published], listing)
    };
    Ok(Beside {
        previous: next(
            "(date, published) <= (?3, ?4) AND ((date, published) < (?3, ?4) OR issue > ?2)
             ORDER BY date DESC, published DESC, issue",
        )?,
        next: next(
            "(date, published) >= (?3, ?4) AND ((date, published) > (?3, ?4) OR issue < ?2)
             ORDER BY date, published, issue DESC",
        )?,
    })
}

/// The issues from the `first` to the `last` that came out, newest first, as lines.
pub(super) fn listings_between(
    db: &Db<'_>,
    publication: &str,
    (first, last): (i64, i64),
) -> Result<Vec<Listing>, Refusal> {
    let sql = "SELECT listing FROM releases WHERE publication = ?1 AND current = 1 AND status = 'usable'
                   AND ordinal BETWEEN ?2 AND ?3 ORDER BY ordinal DESC";
    db.query(sql, params![publication, first, last], listing)
}

fn listing(row: &Row<'_>) -> Result<Listing, Refusal> {
    from_json(&row.get::<String>(0)?)
}

/// The newest lines of the list of issues.
pub(super) fn newest_lines(
    db: &Db<'_>,
    publication: &str,
    skip: usize,
    most: usize,
) -> Result<Vec<IssueLine>, Refusal> {
    let keys = "AND issue IN (SELECT issue FROM releases WHERE publication = ?1 AND (current = 1 OR status <> 'usable')
                    ORDER BY published DESC, issue LIMIT ?3 OFFSET ?2)";
    lines(db, keys, params![publication, skip, most])
}

/// The lines of the list of issues that follow another.
pub(super) fn lines_after(
    db: &Db<'_>,
    publication: &str,
    after: &IssueKey,
    most: usize,
) -> Result<Vec<IssueLine>, Refusal> {
    let keys = "AND issue IN (SELECT r.issue FROM releases r,
                        (SELECT max(published) AS published FROM releases
                         WHERE publication = ?1 AND issue = ?2 AND (current = 1 OR status <> 'usable')) last
                    WHERE r.publication = ?1 AND (r.current = 1 OR r.status <> 'usable') AND r.published <= last.published
                        AND (r.published < last.published OR r.issue > ?2)
                    ORDER BY r.published DESC, r.issue LIMIT ?3)";
    lines(db, keys, params![publication, after.as_str(), most])
}

/// Lines of the list of issues, newest first: of the publication that is the first parameter, those that `which` says.
pub(super) fn lines(db: &Db<'_>, which: &str, parameters: &[Value<'_>]) -> Result<Vec<IssueLine>, Refusal> {
    let sql = format!(
        "SELECT issue, name, version, published, status, embargo, publication FROM releases
         WHERE publication = ?1 AND (current = 1 OR status <> 'usable')
             AND NOT (current = 1 AND status = 'canceled' AND closed = 0) {which}
         ORDER BY published DESC, issue"
    );
    db.query(&sql, parameters, |row| {
        let (key, publication): (String, String) = (row.get(0)?, row.get(6)?);
        Ok(IssueLine {
            letters: letters(db, &publication, &key)?,
            key: IssueKey::of(&key),
            name: row.get(1)?,
            version: row.get(2)?,
            published: timestamp(row.get(3)?)?,
            status: standing::parse(&row.get::<String>(4)?)?,
            embargo: row.get::<Option<i64>>(5)?.map(timestamp).transpose()?,
        })
    })
}

/// Every version of an issue that came out, newest first.
pub(super) fn every_version(db: &Db<'_>, publication: &str, key: &IssueKey) -> Result<Vec<Release>, Refusal> {
    let sql = "SELECT body, version, published, updated FROM releases
               WHERE publication = ?1 AND issue = ?2 AND (out = 1 OR status <> 'usable') ORDER BY version DESC";
    db.query(sql, params![publication, key.as_str()], release)
}

fn letters(db: &Db<'_>, publication: &str, key: &str) -> Result<Vec<(State, u64)>, Refusal> {
    let which = "digest IN (SELECT digest FROM digest_issues WHERE publication = ?1 AND issue = ?2)";
    digests::states(db, which, params![publication, key])
}

pub(super) fn news(
    db: &Db<'_>,
    publication: &str,
    pace: Pace,
    (since, until): (Timestamp, Timestamp),
    now: Timestamp,
) -> Result<Vec<Shelved>, Refusal> {
    let since = until.saturating_sub(LATE).map_or(since, |late| late.min(since));
    let ahead = now.saturating_add(LATE).unwrap_or(Timestamp::MAX);
    let which = "status = 'usable' AND published > ?2 AND (published <= ?3 OR published > ?5) AND NOT EXISTS
                     (SELECT 1 FROM digest_issues i JOIN digests g ON g.id = i.digest
                      WHERE i.publication = releases.publication AND i.issue = releases.issue AND g.pace = ?4)
                 ORDER BY published, issue";
    shelf(db, which, params![publication, micros(since), micros(until), pace.as_str(), micros(ahead)])
}

pub(super) fn release(row: &Row<'_>) -> Result<Release, Refusal> {
    Ok(Release {
        issue: from_json(&row.get::<String>(0)?)?,
        version: row.get(1)?,
        published: timestamp(row.get(2)?)?,
        updated: timestamp(row.get(3)?)?,
    })
}

pub(in crate::ledger) fn shelved(row: &Row<'_>) -> Result<Shelved, Refusal> {
    Ok(Shelved { release: release(row)?, book: BookFile { path: row.get(4)?, length: row.get(5)? } })
}

pub(super) fn to_json(value: &impl serde::Serialize) -> Result<String, Refusal> {
    serde_json::to_string(value).map_err(|error| Refusal::Damaged(format!("a release ({error})")))
}

pub(super) fn from_json<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, Refusal> {
    serde_json::from_str(json).map_err(|error| Refusal::Damaged(format!("a release ({error})")))
}
