//! Counts the changes of an outbox, for every process at once: a file that grows by a byte before each change and after it.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::Path,
    sync::Arc,
};

/// The count, open. Asking for it is one question about an open file: no path is looked up and no disk waited for.
#[derive(Debug, Clone)]
pub(super) struct Stamp {
    file: Arc<File>,
}

impl Stamp {
    /// Opens the count at `path`, and begins it where there is none.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(Self { file: Arc::new(file) })
    }

    /// The count; `None` where nobody can tell.
    pub(super) fn count(&self) -> Option<u64> {
        let told = rustix::fs::fstat(&*self.file).ok()?;
        // A file that was removed counts for nobody: whoever comes next makes another.
        (told.st_nlink > 0).then_some(told.st_size.unsigned_abs())
    }

    /// Counts on.
    pub(super) fn advance(&self) -> io::Result<()> {
        (&*self.file).write_all(b".")
    }
}
