//! Whether readers may have an issue: withdrawn, held back, and let go again.

use jiff::Timestamp;

use super::{
    Refusal,
    db::{Db, Value, params},
    micros, pieces, queue,
    shelf::Draft,
    timestamp,
};
use crate::{issue::IssueKey, issue::Status};

pub(super) fn parse(word: &str) -> Result<Status, Refusal> {
    Status::parse(word).ok_or_else(|| Refusal::Damaged(format!("an issue that is `{word}`")))
}

/// The status of an issue that readers have or had, or that waits for its time.
pub(super) fn status(db: &Db<'_>, publication: &str, key: &IssueKey) -> Result<Option<Status>, Refusal> {
    let sql = "SELECT status FROM releases WHERE publication = ?1 AND issue = ?2 AND (current = 1 OR out = 0)
                   AND NOT (current = 1 AND status = 'canceled' AND closed = 0)
               ORDER BY current DESC, version DESC LIMIT 1";
    let word: Option<String> = db.first(sql, params![publication, key.as_str()], |row| row.get(0))?;
    word.map(|word| parse(&word)).transpose()
}

/// Until when this very manuscript is held back, where it was opened before and its time has not come.
pub(super) fn embargo_of(db: &Db<'_>, draft: &Draft, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
    let sql = "SELECT embargo FROM releases WHERE publication = ?1 AND issue = ?2 AND manuscript = ?3
               AND out = 0 AND current = 0 AND status = 'withheld' AND embargo > ?4";
    let key = draft.issue.key.as_str();
    let until: Option<i64> =
        db.first(sql, params![draft.publication, key, draft.manuscript, micros(now)], |row| row.get(0))?;
    until.map(timestamp).transpose()
}

/// The releases of a publication that are not out yet. Without statistics the database would rather go through all of the publication
/// than through the few that the index of these has; for words that are put together it has no other index.
pub(in crate::ledger) const OPEN: &str = "publication || '' = ?1 AND out = 0";

/// When the next issue's time comes.
pub(super) fn next_embargo(db: &Db<'_>, publication: &str) -> Result<Option<Timestamp>, Refusal> {
    let sql = format!("SELECT min(embargo) FROM releases WHERE {OPEN} AND status = 'withheld'");
    let until: Option<i64> = db.value(&sql, params![publication])?;
    until.map(timestamp).transpose()
}

/// Changes the status of an issue, of its lines in lists and of the letters that wait. Readers' files follow: until
/// [`super::shelf::close`] it counts as not done. Says whether there was anything to change.
pub(super) fn set(
    db: &Db<'_>,
    publication: &str,
    key: &IssueKey,
    status: Status,
    now: Timestamp,
) -> Result<bool, Refusal> {
    let sql = "UPDATE releases SET status = ?3, out = 0, embargo = NULL
               WHERE publication = ?1 AND issue = ?2 AND status <> ?3 AND (current = 1 OR out = 0)";
    let changed = db.execute(sql, params![publication, key.as_str(), status.as_str()])?;
    if changed == 0 {
        return Ok(false);
    }
    if status != Status::Usable {
        pieces::take_out(db, publication, key)?;
    }
    let tells = "digest IN (SELECT digest FROM digest_issues WHERE publication = ?1 AND issue = ?2)";
    let key_text = key.as_str();
    let issue = params![publication, key_text];
    match status {
        Status::Usable => queue::let_go(db, tells, issue, now)?,
        Status::Withheld => queue::withhold(db, tells, issue)?,
        Status::Canceled => withdraw_letters(db, issue, now)?,
    }
    Ok(true)
}

/// Cancels the letters that wait and tell of nothing but a withdrawn issue; a digest that tells of others too is to be printed
/// anew.
fn withdraw_letters(db: &Db<'_>, issue: &[Value<'_>], now: Timestamp) -> Result<(), Refusal> {
    let tells = "SELECT digest FROM digest_issues WHERE publication = ?1 AND issue = ?2";
    let alone =
        format!("digest IN (SELECT id FROM digests WHERE id IN ({tells}) AND json_array_length(issues) < 2)");
    queue::cancel(db, &alone, issue, now)?;
    let among =
        format!("digest IN (SELECT id FROM digests WHERE id IN ({tells}) AND json_array_length(issues) > 1)");
    let sql = format!(
        "UPDATE digests SET stale = 1 WHERE id IN ({tells}) AND json_array_length(issues) > 1
             AND EXISTS (SELECT 1 FROM deliveries d WHERE d.digest = digests.id
                 AND d.state IN ('queued', 'delayed', 'claimed', 'withheld'))"
    );
    db.execute(&sql, issue)?;
    queue::withhold(db, &among, issue)
}
