//! Links for leaving in letters of the program that wrote to readers before.

use super::{
    Refusal,
    db::{Db, params},
};
use crate::subscriber::SubscriberId;

/// Keeps a link; one that is another reader's already stays that reader's.
pub(super) fn keep(db: &Db<'_>, id: SubscriberId, link: &str) -> Result<(), Refusal> {
    let sql = "INSERT INTO old_links (link, subscriber) VALUES (?1, ?2) ON CONFLICT (link) DO NOTHING";
    db.execute(sql, params![link, id.0])?;
    Ok(())
}

pub(super) fn erase(db: &Db<'_>, id: SubscriberId) -> Result<(), Refusal> {
    db.execute("DELETE FROM old_links WHERE subscriber = ?1", params![id.0])?;
    Ok(())
}

pub(super) fn owner(db: &Db<'_>, link: &str) -> Result<Option<SubscriberId>, Refusal> {
    db.first("SELECT subscriber FROM old_links WHERE link = ?1", params![link], |row| {
        Ok(SubscriberId(row.get(0)?))
    })
}
