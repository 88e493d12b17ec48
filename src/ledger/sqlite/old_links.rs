//! Links for leaving in letters of the program that wrote to readers before.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::Refusal;
use crate::subscriber::SubscriberId;

/// Keeps a link; one that is another reader's already stays that reader's.
pub(super) fn keep(db: &Connection, id: SubscriberId, link: &str) -> Result<(), Refusal> {
    let sql = "INSERT INTO old_links (link, subscriber) VALUES (?1, ?2) ON CONFLICT (link) DO NOTHING";
    db.prepare_cached(sql)?.execute(params![link, id.0])?;
    Ok(())
}

pub(super) fn erase(db: &Connection, id: SubscriberId) -> Result<(), Refusal> {
    db.prepare_cached("DELETE FROM old_links WHERE subscriber = ?1")?.execute([id.0])?;
    Ok(())
}

pub(super) fn owner(db: &Connection, link: &str) -> Result<Option<SubscriberId>, Refusal> {
    let sql = "SELECT subscriber FROM old_links WHERE link = ?1";
    let id: Option<i64> = db.prepare_cached(sql)?.query_row([link], |row| row.get(0)).optional()?;
    Ok(id.map(SubscriberId))
}
