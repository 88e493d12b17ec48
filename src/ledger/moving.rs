//! A ledger is moved: from a file to `PostgreSQL`, or back.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::{
    Error,
    postgres::{Address, Postgres},
    sql::{Refusal, Store, db::Db, moving},
    sqlite::Sqlite,
};

/// Where a ledger is.
#[derive(Debug, Clone)]
pub enum Place {
    /// In a file.
    File(PathBuf),
    /// On `PostgreSQL`.
    Postgres(Box<Address>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Postgres(address) => address.fmt(f),
        }
    }
}

/// How many rows of a table were carried over.
pub type Carried = (&'static str, u64);

/// Carries a ledger, as it is at one moment, into a place where there is none yet: a file that is not there, or a database without
/// anything of ours in it. Nobody may write to either meanwhile. What was written is read again and compared, table by table, before it
/// counts; when that fails, nothing is left of it. `progress` hears of a table and how many of its rows are done.
///
/// # Errors
/// When one of the two cannot be used, when there is something at the target, or when both sides are not the same afterwards.
pub fn carry(
    from: &Place,
    to: &Place,
    progress: &mut dyn FnMut(&'static str, u64),
) -> Result<Vec<Carried>, Error> {
    match from {
        Place::File(path) => carry_from(&Sqlite::open(path)?, to, progress),
        Place::Postgres(address) => carry_from(&Postgres::open(address)?, to, progress),
    }
}

fn carry_from(
    from: &impl Store,
    to: &Place,
    progress: &mut dyn FnMut(&'static str, u64),
) -> Result<Vec<Carried>, Error> {
    let mut carried = Vec::new();
    let mut work = |to: &Db<'_>| {
        if let Some(table) = moving::taken(to)? {
            return Err(Refusal::Database(
                format!("it is not empty: there is something in `{table}`").into(),
            ));
        }
        let moved = from.read(|from| moving::carry_all(from, to, progress));
        carried = moved.map_err(|error| Refusal::Database(Box::new(error)))?;
        Ok(())
    };
    match to {
        Place::File(path) => into_file(path, &mut work)?,
        Place::Postgres(address) => Postgres::open(address)?.once(&mut work)?,
    }
    Ok(carried)
}

/// A file that is made for this, and is not there when it fails.
fn into_file(path: &Path, work: &mut dyn FnMut(&Db<'_>) -> Result<(), Refusal>) -> Result<(), Error> {
    if path.exists() {
        let source = "there is a file of that name".into();
        return Err(Error::Database { path: path.to_owned(), source });
    }
    let done = Sqlite::once(path, work);
    if done.is_err() {
        for end in ["", "-wal", "-shm"] {
            let mut name = path.as_os_str().to_owned();
            name.push(end);
            let _ = std::fs::remove_file(PathBuf::from(name));
        }
    }
    done
}
