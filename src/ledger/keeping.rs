//! What the ledger knows of its own keeping: copies of it, and the hold on letters after one was brought back.

use std::path::Path;

use jiff::Timestamp;

use super::{DigestLine, Error, Ledger};

/// The ledger was brought back from a backup, and what happened after that was taken is not known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// When the backup was taken.
    pub taken: Timestamp,
    /// When it was brought back.
    pub at: Timestamp,
}

/// The letters that wait or are on their way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Their digests, the oldest first.
    pub digests: Vec<DigestLine>,
    /// Those that ask for a confirmation: since when the oldest waits, and how many there are.
    pub asking: Option<(Timestamp, u64)>,
}

/// The part of the ledger that is about its keeping.
pub trait Keeping: Send + Sync {
    /// Writes a copy of the ledger, as it is at one moment, to a file that is not there yet. Nobody waits for it.
    ///
    /// # Errors
    /// When the ledger cannot be read or the copy not be written; what there is of the copy is for the caller to remove.
    fn copy_to(&self, path: &Path) -> Result<(), Error>;

    /// Makes a ledger in a file that is not there yet, which knows the same people and nothing else: what is done to them there is a
    /// rehearsal.
    ///
    /// # Errors
    /// When one of the two ledgers cannot be used.
    fn rehearsal(&self, path: &Path) -> Result<Box<dyn Ledger>, Error>;

    /// Notes that a backup was made.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn note_backup(&self, at: Timestamp) -> Result<(), Error>;

    /// When the last backup was made, if any was.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn last_backup(&self) -> Result<Option<Timestamp>, Error>;

    /// How this ledger was last brought back, if it ever was.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn restored(&self) -> Result<Option<Restored>, Error>;

    /// Whether letters are held since the ledger was brought back.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn holds_letters(&self) -> Result<bool, Error>;

    /// The letters that wait or are on their way.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn waiting(&self) -> Result<Waiting, Error>;

    /// Ends the hold: letters are claimed again. Where `skip` is, the digests of [`Keeping::waiting`] are paused before, and letters
    /// that ask for a confirmation are cancelled. Gives how many letters go out now.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn let_letters_go(&self, skip: bool, now: Timestamp) -> Result<u64, Error>;
}
