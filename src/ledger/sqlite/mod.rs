//! The ledger in one `SQLite` file: WAL, every commit synced, one writing thread that commits in groups.

mod connection;
mod driver;
mod filling;
mod restoring;
#[cfg(test)]
mod claiming;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use self::driver::Handle;
#[cfg(test)]
pub(crate) use self::tests::ledger_of;
use super::{
    Error, Ledger, Sharing,
    sql::{Reach, Refusal, Store, db::Db},
};
use crate::metrics;

/// The ledger of a newsroom that runs on one machine.
pub struct Sqlite {
    database: connection::Database,
}

impl Sqlite {
    /// The newest schema that we know; an older one is migrated when it is opened.
    #[expect(clippy::cast_possible_wrap, reason = "there are a few schemas")]
    pub const SCHEMA: i64 = connection::SCHEMAS.len() as i64;

    /// Opens the ledger at `path`, and makes or migrates it. Before a migration the file is copied, to
    /// `backups/before-schema-SCHEMA.db` beside it.
    ///
    /// # Errors
    /// [`Error::Newer`] when a newer gazetted wrote it; else what the disk says.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_counted(path, metrics::Ledger::default())
    }

    /// The same, whose commits are counted.
    ///
    /// # Errors
    /// As [`Sqlite::open`].
    pub fn open_counted(path: &Path, counts: metrics::Ledger) -> Result<Self, Error> {
        Ok(Self { database: connection::Database::open(path, counts)? })
    }

    /// Opens a ledger that nobody else has, does something to it in one transaction, and closes it as one file.
    pub(super) fn once(path: &Path, work: impl FnOnce(&Db<'_>) -> Result<(), Refusal>) -> Result<(), Error> {
        connection::once(path, |db| with(db, work))
    }

    /// The schema of a ledger, and what is wrong with it, without changing it: it is neither made nor migrated.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn look_at(path: &Path) -> Result<(i64, Vec<String>), Error> {
        connection::look_at(path)
    }
}

/// Does a piece of work by a connection.
fn with<T>(db: &Connection, work: impl FnOnce(&Db<'_>) -> Result<T, Refusal>) -> Result<T, Refusal> {
    work(&Db(&Handle(db)))
}

impl Sharing for Sqlite {}

impl Store for Sqlite {
    fn read<T>(&self, work: impl FnOnce(&Db<'_>) -> Result<T, Refusal>) -> Result<T, Error> {
        self.database.read(|db| with(db, work))
    }

    fn write<T, W>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: Fn(&Db<'_>) -> Result<T, Refusal> + Send + 'static,
    {
        self.database.write(move |db| with(db, work))
    }

    fn write_letters<T, W>(&self, _: Reach, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: Fn(&Db<'_>) -> Result<T, Refusal> + Send + 'static,
    {
        self.write(work)
    }

    fn write_letters_then<T, W, D>(&self, _: Reach, work: W, then: D)
    where
        T: Send + 'static,
        W: Fn(&Db<'_>) -> Result<T, Refusal> + Send + 'static,
        D: FnOnce(Result<T, Error>) + Send + 'static,
    {
        self.database.write_then(move |db| with(db, work), then);
    }

    fn forget_erased(&self) -> Result<(), Error> {
        self.database.empty_log()
    }

    fn look_whole(&self) -> Result<Vec<String>, Error> {
        let whole: String = self.read(|db| db.value("PRAGMA integrity_check(1)", &[]))?;
        Ok(if whole == "ok" { Vec::new() } else { vec![format!("the database is damaged: {whole}")] })
    }

    fn copy_into(&self, path: &Path) -> Result<(), Error> {
        self.database.copy_to(path)
    }

    fn rehearse(&self, path: &Path) -> Result<Box<dyn Ledger>, Error> {
        let rehearsal = Self::open(path)?;
        self.database.copy_people(path)?;
        Ok(Box::new(rehearsal))
    }
}

impl Refusal {
    fn into_error(self, path: &Path) -> Error {
        match self {
            Self::Database(error) => database_error(path, error),
            Self::Damaged(what) => Error::Damaged { what },
            Self::Overtaken => Error::Overtaken,
        }
    }
}

fn database_error(path: &Path, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Database { path: PathBuf::from(path), source: source.into() }
}
