//! Counts the changes of an outbox, for every process at once: a file that grows by a byte before each change and after it.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::Path,
    sync::Arc,
};

use super::Error;

/// Changes: whether they may be made, and their count, where one is kept.
#[derive(Debug, Clone, Default)]
pub(super) struct Changes {
    stamp: Option<Stamp>,
    may: May,
}

/// Who says whether the outbox may be changed; where nobody does, it may.
#[derive(Clone, Default)]
struct May(Option<Arc<dyn Fn() -> bool + Send + Sync>>);

impl fmt::Debug for May {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("May")
    }
}

impl Changes {
    /// The same, counted in the file at `path`.
    pub(super) fn counted(self, path: &Path) -> io::Result<Self> {
        Ok(Self { stamp: Some(Stamp::open(path)?), ..self })
    }

    /// The same, made only while `may` says so.
    pub(super) fn only_while(self, may: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { may: May(Some(Arc::new(may))), ..self }
    }

    /// Whether they may be made now.
    pub(super) fn may(&self) -> bool {
        self.may.0.as_ref().is_none_or(|may| may())
    }

    /// The count; odd while a change is made. `None` where none is kept or nobody can tell.
    pub(super) fn count(&self) -> Option<u64> {
        self.stamp.as_ref()?.count()
    }

    /// Counts on, as a change does before it is made.
    #[cfg(test)]
    pub(super) fn advance(&self) {
        self.stamp.as_ref().expect("counted").advance().expect("counted");
    }

    /// Makes a change that is counted, of the outbox at `root`.
    pub(super) fn during<T>(&self, root: &Path, make: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        if !self.may() {
            return Err(Error::Led);
        }
        let Some(stamp) = &self.stamp else { return make() };
        // Where a crash left it odd, this change goes on from there.
        if stamp.count().is_none_or(|count| count % 2 == 0) {
            stamp.advance().map_err(|source| Error::Write { path: root.to_owned(), source })?;
        }
        let made = make();
        // Where this fails the files are out all the same, and copies are not used.
        let _ = stamp.advance();
        made
    }
}

/// The count, open. Asking for it is one question about an open file: no path is looked up and no disk waited for.
#[derive(Debug, Clone)]
struct Stamp {
    file: Arc<File>,
}

impl Stamp {
    /// Opens the count at `path`, and begins it where there is none.
    fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(Self { file: Arc::new(file) })
    }

    /// The count; `None` where nobody can tell.
    fn count(&self) -> Option<u64> {
        let told = rustix::fs::fstat(&*self.file).ok()?;
        // A file that was removed counts for nobody: whoever comes next makes another.
        (told.st_nlink > 0).then_some(told.st_size.unsigned_abs())
    }

    /// Counts on.
    fn advance(&self) -> io::Result<()> {
        (&*self.file).write_all(b".")
    }
}
