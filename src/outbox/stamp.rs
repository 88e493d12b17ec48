//! Counts the changes of an outbox, for every process at once: a file that grows by a byte before each change and after it.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
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
        let _change = stamp.change().map_err(|source| Error::Write { path: root.to_owned(), source })?;
        make()
    }
}

/// The count, open. Asking for it is one question about an open file: no path is looked up and no disk waited for.
#[derive(Debug, Clone)]
struct Stamp {
    file: Arc<File>,
    /// How many changes are made just now: a replay makes several at once.
    under_way: Arc<Mutex<usize>>,
}

/// A change that is being made, until this is dropped.
struct Change<'s> {
    stamp: &'s Stamp,
}

impl Stamp {
    /// Opens the count at `path`, and begins it where there is none.
    fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(Self { file: Arc::new(file), under_way: Arc::default() })
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

    /// Begins a change: the count is odd until the last of those that are made at once has ended.
    fn change(&self) -> io::Result<Change<'_>> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        // Where a crash left it odd, this change goes on from there.
        if *under_way == 0 && self.count().is_none_or(|count| count % 2 == 0) {
            self.advance()?;
        }
        *under_way += 1;
        Ok(Change { stamp: self })
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        let mut under_way = self.stamp.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        *under_way -= 1;
        if *under_way == 0 {
            // Where this fails the files are out all the same, and copies are not used.
            let _ = self.stamp.advance();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_odd_until_the_last_of_several_changes_is_made() {
        let folder = tempfile::tempdir().expect("a folder");
        let changes = Changes::default().counted(&folder.path().join("stamp")).expect("counted");
        let other = changes.clone();
        let made = changes.during(folder.path(), || {
            other.during(folder.path(), || Ok(()))?;
            Ok(changes.count())
        });
        assert_eq!(made.expect("made"), Some(1));
        assert_eq!(changes.count(), Some(2));
        // A crash had left it odd.
        changes.advance();
        changes.during(folder.path(), || Ok(())).expect("made");
        assert_eq!(changes.count(), Some(4));
    }
}
