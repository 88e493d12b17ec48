//! Releases: opened when the press begins, put out when readers have them.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{super::Interrupted, super::IssueLine, super::Opening, Refusal, micros, timestamp};
use crate::{
    delivery::State, editions::BookFile, editions::Listing, editions::Shelved, editions::Volume,
    editions::Year, issue::Issue, issue::IssueKey, issue::Release,
};

/// An issue as it was read, before it has a version.
pub(super) struct Draft {
    pub(super) publication: String,
    pub(super) issue: Issue,
    pub(super) manuscript: String,
    pub(super) source: Vec<u8>,
}

pub(super) fn open_release(db: &Connection, mut draft: Draft, now: Timestamp) -> Result<Opening, Refusal> {
    let publication = draft.publication.as_str();
    if let Some(key) = brought(db, publication, &draft.manuscript)? {
        // The press may have been at work on another version: then readers may have some of its files.
        db.prepare_cached(
            "UPDATE releases SET out = 0 WHERE publication = ?1 AND issue = ?2 AND current = 1
             AND EXISTS (SELECT 1 FROM releases o WHERE o.publication = ?1 AND o.issue = ?2 AND o.out = 0)",
        )?
        .execute(params![publication, key.as_str()])?;
        db.prepare_cached(
            "DELETE FROM releases WHERE publication = ?1 AND issue = ?2 AND out = 0 AND current = 0",
        )?
        .execute(params![publication, key.as_str()])?;
        // Until it has been printed over, the current version counts as not out.
        return Ok(match begun(db, &draft)? {
            Some(release) => Opening::Print(Box::new(release)),
            None => Opening::Duplicate(key),
        });
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
        let published = now.max(after_newest(db, publication)?);
        Release { version: 1, published, updated: published, issue: draft.issue }
    };
    db.prepare_cached(
        "INSERT OR REPLACE INTO releases (publication, issue, version, manuscript, source, body, published, updated,
             out, current) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, 0)",
    )?
    .execute(params![
        publication,
        release.issue.key.as_str(),
        release.version,
        draft.manuscript,
        draft.source,
        to_json(&release.issue)?,
        micros(release.published),
        micros(release.updated),
    ])?;
    Ok(Opening::Print(Box::new(release)))
}

pub(super) fn brought(
    db: &Connection,
    publication: &str,
    manuscript: &str,
) -> Result<Option<IssueKey>, Refusal> {
    let sql = "SELECT issue FROM releases WHERE publication = ?1 AND manuscript = ?2 AND current = 1 LIMIT 1";
    let key: Option<String> =
        db.prepare_cached(sql)?.query_row(params![publication, manuscript], |row| row.get(0)).optional()?;
    Ok(key.map(|key| IssueKey::of(&key)))
}

pub(super) fn manuscript_of(
    db: &Connection,
    publication: &str,
    key: &IssueKey,
) -> Result<Option<String>, Refusal> {
    let sql = "SELECT manuscript FROM releases WHERE publication = ?1 AND issue = ?2 AND current = 1";
    Ok(db.prepare_cached(sql)?.query_row(params![publication, key.as_str()], |row| row.get(0)).optional()?)
}

/// A second after the newest issue came out: a clock that is behind must not hide a new issue below the old ones.
fn after_newest(db: &Connection, publication: &str) -> Result<Timestamp, Refusal> {
    let sql = "SELECT max(published) FROM releases WHERE publication = ?1 AND current = 1";
    let newest: Option<i64> = db.prepare_cached(sql)?.query_row([publication], |row| row.get(0))?;
    newest.map_or(Ok(Timestamp::MIN), |newest| Ok(timestamp(newest)? + SignedDuration::from_secs(1)))
}

/// The release of this very manuscript that was begun and not put out.
fn begun(db: &Connection, draft: &Draft) -> Result<Option<Release>, Refusal> {
    let sql = "SELECT body, version, published, updated, book_path, book_length FROM releases
               WHERE publication = ?1 AND issue = ?2 AND out = 0 AND manuscript = ?3";
    let mut rows = db.prepare_cached(sql)?;
    let mut rows = rows.query(params![draft.publication, draft.issue.key.as_str(), draft.manuscript])?;
    rows.next()?.map(release).transpose()
}

/// Gives up the releases that a file brought and that are not out. Where readers may have some of their files, the version
/// before is to be printed again.
pub(super) fn give_up(db: &Connection, source: &[u8]) -> Result<(), Refusal> {
    db.execute(
        "UPDATE releases SET out = 0 WHERE current = 1 AND EXISTS (SELECT 1 FROM releases o
             WHERE o.publication = releases.publication AND o.issue = releases.issue
               AND o.out = 0 AND o.current = 0 AND o.source = ?1)",
        [source],
    )?;
    db.execute("DELETE FROM releases WHERE out = 0 AND current = 0 AND source = ?1", [source])?;
    Ok(())
}

pub(super) fn interrupted(db: &Connection, publication: &str) -> Result<Vec<Interrupted>, Refusal> {
    let sql = "SELECT body, version, published, updated, source, manuscript FROM releases
               WHERE publication = ?1 AND out = 0 ORDER BY updated, issue";
    let mut rows = db.prepare_cached(sql)?;
    let mut rows = rows.query([publication])?;
    let mut interrupted = Vec::new();
    while let Some(row) = rows.next()? {
        // One that cannot be read must not keep the others from being finished.
        match release(row) {
            Ok(release) => {
                interrupted.push(Interrupted { release, source: row.get(4)?, manuscript: row.get(5)? });
            }
            Err(refusal) => tracing::error!(?refusal, "a release that was begun cannot be read, and is left"),
        }
    }
    Ok(interrupted)
}

pub(super) fn put_out(
    db: &Connection,
    publication: &str,
    version: u32,
    book: &BookFile,
    line: &Listing,
) -> Result<(), Refusal> {
    let key = line.key.as_str();
    db.prepare_cached(
        "UPDATE releases SET current = 0 WHERE publication = ?1 AND issue = ?2 AND current = 1",
    )?
    .execute(params![publication, key])?;
    let changed = db
        .prepare_cached(
            "UPDATE releases SET out = 1, current = 1, book_path = ?4, book_length = ?5, name = ?6, date = ?7, headlines = ?8
             WHERE publication = ?1 AND issue = ?2 AND version = ?3",
        )?
        .execute(params![
            publication,
            key,
            version,
            book.path,
            book.length,
            line.name,
            line.date.to_string(),
            to_json(&line.headlines)?,
        ])?;
    if changed == 1 { Ok(()) } else { Err(Refusal::Damaged(format!("a release `{key}` version {version}"))) }
}

pub(super) fn source_of(
    db: &Connection,
    publication: &str,
    key: &IssueKey,
) -> Result<Option<Vec<u8>>, Refusal> {
    let sql = "SELECT source FROM releases WHERE publication = ?1 AND issue = ?2 AND (current = 1 OR out = 0)
               ORDER BY version DESC LIMIT 1";
    Ok(db.prepare_cached(sql)?.query_row(params![publication, key.as_str()], |row| row.get(0)).optional()?)
}

pub(super) fn recent(db: &Connection, publication: &str, most: usize) -> Result<Vec<Shelved>, Refusal> {
    let sql = "SELECT body, version, published, updated, book_path, book_length FROM releases
               WHERE publication = ?1 AND current = 1 ORDER BY published DESC, issue LIMIT ?2";
    let mut rows = db.prepare_cached(sql)?;
    let mut rows = rows.query(params![publication, most])?;
    let mut shelf = Vec::new();
    while let Some(row) = rows.next()? {
        shelf.push(shelved(row)?);
    }
    Ok(shelf)
}

pub(super) fn issue(db: &Connection, publication: &str, key: &IssueKey) -> Result<Option<Shelved>, Refusal> {
    let sql = "SELECT body, version, published, updated, book_path, book_length FROM releases
               WHERE publication = ?1 AND issue = ?2 AND current = 1";
    let mut rows = db.prepare_cached(sql)?;
    let mut rows = rows.query(params![publication, key.as_str()])?;
    rows.next()?.map(shelved).transpose()
}

pub(super) fn books(db: &Connection, publication: &str) -> Result<Vec<(IssueKey, BookFile)>, Refusal> {
    let sql = "SELECT issue, book_path, book_length FROM releases
               WHERE publication = ?1 AND current = 1 ORDER BY published DESC, issue";
    let mut rows = db.prepare_cached(sql)?;
    let mut rows = rows.query([publication])?;
    let mut books = Vec::new();
    while let Some(row) = rows.next()? {
        books.push((
            IssueKey::of(&row.get::<_, String>(0)?),
            BookFile { path: row.get(1)?, length: row.get(2)? },
        ));
    }
    Ok(books)
}

pub(super) fn volume(db: &Connection, publication: &str, year: i16) -> Result<Volume, Refusal> {
    let sql = "SELECT issue, name, date, published, headlines FROM releases
               WHERE publication = ?1 AND current = 1 AND date BETWEEN ?2 AND ?3 ORDER BY date DESC, published DESC, issue";
    let mut rows = db.prepare_cached(sql)?;
    let mut rows =
        rows.query(params![publication, format!("{year:04}-01-01"), format!("{year:04}-12-31")])?;
    let mut listings = Vec::new();
    while let Some(row) = rows.next()? {
        let date: String = row.get(2)?;
        listings.push(Listing {
            key: IssueKey::of(&row.get::<_, String>(0)?),
            name: row.get(1)?,
            date: date.parse().map_err(|_| Refusal::Damaged(format!("a date `{date}`")))?,
            published: timestamp(row.get(3)?)?,
            headlines: from_json(&row.get::<_, String>(4)?)?,
        });
    }
    Ok(Volume { year, listings })
}

pub(super) fn years(db: &Connection, publication: &str) -> Result<Vec<Year>, Refusal> {
    let sql = "SELECT CAST(substr(date, 1, 4) AS INTEGER) AS year, count(*)
               FROM releases WHERE publication = ?1 AND current = 1 GROUP BY year ORDER BY year DESC";
    let mut rows = db.prepare_cached(sql)?;
    let years = rows.query_map([publication], |row| Ok(Year { year: row.get(0)?, n_issues: row.get(1)? }))?;
    Ok(years.collect::<Result<_, _>>()?)
}

pub(super) fn lines(db: &Connection, publication: &str) -> Result<Vec<IssueLine>, Refusal> {
    let sql = "SELECT issue, name, version, published FROM releases
               WHERE publication = ?1 AND current = 1 ORDER BY published DESC, issue";
    let mut rows = db.prepare_cached(sql)?;
    let mut rows = rows.query([publication])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let key: String = row.get(0)?;
        lines.push(IssueLine {
            letters: letters(db, publication, &key)?,
            key: IssueKey::of(&key),
            name: row.get(1)?,
            version: row.get(2)?,
            published: timestamp(row.get(3)?)?,
        });
    }
    Ok(lines)
}

fn letters(db: &Connection, publication: &str, key: &str) -> Result<Vec<(State, u64)>, Refusal> {
    let sql = "SELECT state, count(*) FROM deliveries JOIN digests ON digests.id = deliveries.digest
               WHERE digests.publication = ?1 AND digests.pace = 'each'
                 AND digests.period = ?2 GROUP BY state";
    let mut rows = db.prepare_cached(sql)?;
    let mut rows = rows.query([publication, key])?;
    let mut counts = Vec::new();
    while let Some(row) = rows.next()? {
        let word: String = row.get(0)?;
        let state =
            State::parse(&word).ok_or_else(|| Refusal::Damaged(format!("a letter in state `{word}`")))?;
        counts.push((state, row.get(1)?));
    }
    counts.sort_by_key(|(state, _)| State::ALL.iter().position(|s| s == state));
    Ok(counts)
}

fn release(row: &Row<'_>) -> Result<Release, Refusal> {
    Ok(Release {
        issue: from_json(&row.get::<_, String>(0)?)?,
        version: row.get(1)?,
        published: timestamp(row.get(2)?)?,
        updated: timestamp(row.get(3)?)?,
    })
}

fn shelved(row: &Row<'_>) -> Result<Shelved, Refusal> {
    Ok(Shelved { release: release(row)?, book: BookFile { path: row.get(4)?, length: row.get(5)? } })
}

fn to_json(value: &impl serde::Serialize) -> Result<String, Refusal> {
    serde_json::to_string(value).map_err(|error| Refusal::Damaged(format!("a release ({error})")))
}

fn from_json<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, Refusal> {
    serde_json::from_str(json).map_err(|error| Refusal::Damaged(format!("a release ({error})")))
}
