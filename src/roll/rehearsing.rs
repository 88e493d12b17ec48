//! An import that is only tried: done to a copy of the roll, so that what it tells is what would be.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use crate::{durable, ledger, ledger::Ledger};

/// A copy of the roll, which goes when this is dropped.
pub struct Rehearsal {
    /// The copy.
    pub ledger: Box<dyn Ledger>,
    // Behind the copy, which is closed first.
    _place: Place,
}

struct Place {
    folder: PathBuf,
    _alone: File,
}

/// It could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NoRehearsal {
    /// Another is at work.
    #[error("another dry run is at work in this newsroom")]
    Busy,
    /// There is no place for the copy.
    #[error("cannot use `{}`", path.display())]
    Place {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The ledger cannot be copied.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
}

impl Rehearsal {
    /// Copies the people of a ledger into the folder of the newsroom's state.
    ///
    /// # Errors
    /// See [`NoRehearsal`].
    pub fn of(ledger: &dyn Ledger, data: &Path) -> Result<Self, NoRehearsal> {
        let folder = data.join(".tmp-rehearsal");
        let failed = |source| NoRehearsal::Place { path: folder.clone(), source };
        durable::make_folders(&folder).map_err(failed)?;
        let alone = File::create(folder.join("lock")).map_err(failed)?;
        if alone.try_lock().is_err() {
            return Err(NoRehearsal::Busy);
        }
        // What one left that was killed.
        for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
            let _ = fs::remove_file(folder.join(name));
        }
        let place = Place { folder, _alone: alone };
        let copy = ledger.rehearsal(&place.folder.join("ledger.db"))?;
        Ok(Self { ledger: copy, _place: place })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
