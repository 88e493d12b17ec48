//! The lists that the second schema has, filled from what the first one knew.

use super::super::sql::{Refusal, db::Db, shelf};
use crate::{editions::Listing, editions::Shelved};

/// Fills the lists from the issues that are out, as after a migration.
pub(super) fn enter_all(db: &Db<'_>) -> Result<(), Refusal> {
    let sql = "SELECT body, version, published, updated, book_path, book_length, publication, name, date FROM releases
               WHERE current = 1 ORDER BY publication, published, issue";
    db.query(sql, &[], |row| {
        let Shelved { release, book } = shelf::shelved(row)?;
        let (publication, name, date): (String, String, String) = (row.get(6)?, row.get(7)?, row.get(8)?);
        let date = date.parse().map_err(|_| Refusal::Damaged(format!("a date `{date}`")))?;
        let line = Listing::named(&release, &book, name, date);
        shelf::shelve(db, &publication, &release, &line)
    })
    .map(|_| ())
}
