//! Whose turn it is at the press: a lock in the state's folder, one for each lead.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

use super::Error;
use crate::ledger::Ledger;

/// A turn at the press. Its file has a byte while somebody has it, and keeps that when he dies, until somebody has swept.
pub struct Turn {
    file: File,
    /// Whether whoever had it last died with it, and nobody has swept since.
    pub(super) after_a_death: bool,
}

impl Turn {
    fn take(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        file.lock()?;
        let after_a_death = file.metadata()?.len() > 0;
        // Where the disk is full, the next start sweeps.
        let _ = (&file).write_all(b".");
        Ok(Self { file, after_a_death })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.after_a_death && !std::thread::panicking() {
            let _ = self.file.set_len(0);
        }
    }
}

/// A turn at the press of the newsroom with this state's folder: until it is dropped, nobody changes what readers have.
///
/// Where several daemons share the ledger, each lead has a lock of its own: whoever led before may have been stopped in its turn, and be
/// awake again any time. What it does then is not taken.
///
/// # Errors
/// [`Error::Lock`] when the press's lock cannot be had; [`Error::Ledger`] when somebody else leads.
pub fn turn(data: &Path, ledger: &dyn Ledger) -> Result<Turn, Error> {
    let name = match ledger.epoch()? {
        0 => LOCK.to_owned(),
        epoch => format!("{LOCK_OF_LEAD}{epoch}.lock"),
    };
    let path = data.join(name);
    Turn::take(&path).map_err(|source| Error::Lock { path, source })
}

/// The press's lock,
const LOCK: &str = "press.lock";

/// and how the names of those begin that belong to a lead.
const LOCK_OF_LEAD: &str = "press-";

/// Whether a file of the state's folder is a lock of the press.
#[must_use]
pub fn is_lock(name: &str) -> bool {
    name == LOCK || lead_of(name).is_some()
}

/// To which lead a lock of the press belongs.
fn lead_of(name: &str) -> Option<u64> {
    name.strip_prefix(LOCK_OF_LEAD)?.strip_suffix(".lock")?.parse().ok()
}

/// Removes the locks of leads that are over.
pub fn remove_former_locks(data: &Path, epoch: u64) {
    for entry in std::fs::read_dir(data).into_iter().flatten().flatten() {
        let former = entry.file_name().to_str().and_then(lead_of).is_some_and(|of| of < epoch);
        if former {
            // It does no harm there.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
