//! Printing everything anew from the ledger, as after a change of the settings, the theme or this program.

use std::{
    collections::HashSet,
    io,
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use serde::{Deserialize, Serialize};

use super::{Error, Press};
use crate::{cores, durable, editions::Shelved, issue::IssueKey};

/// After how many issues it is noted how far a replay has come.
const NOTE_EVERY: usize = 25;

/// How far a replay has come that was stopped.
#[derive(Debug, Serialize, Deserialize)]
struct Bookmark {
    /// What it prints with: another program, theme or setting begins anew.
    with: String,
    /// The issues that are done.
    done: Vec<IssueKey>,
}

/// What a replay did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replayed {
    /// How many issues were printed.
    pub issues: usize,
    /// How many an earlier replay had printed that was stopped.
    pub before: usize,
    /// How many files changed.
    pub files: usize,
}

impl Press {
    /// Prints every issue anew and puts it out, then every list. Identifiers, versions, times and letters stay. Uses all cores;
    /// one that was stopped goes on where it was. `progress` is told how many issues are done, of how many.
    ///
    /// # Errors
    /// As [`Press::publish`]; what is printed by then stays.
    pub fn replay(&self, progress: impl Fn(usize, usize) + Sync) -> Result<Replayed, Error> {
        let _lock = self.lock()?;
        let keys: Vec<IssueKey> =
            self.ledger.books(&self.publication)?.into_iter().map(|(key, _)| key).collect();
        let mut bookmark = self.bookmark();
        let done: HashSet<IssueKey> = bookmark.done.iter().cloned().collect();
        let left: Vec<&IssueKey> = keys.iter().filter(|key| !done.contains(key)).collect();
        let before = keys.len() - left.len();
        let (stop, files) = (AtomicBool::new(false), AtomicUsize::new(0));
        let state = Mutex::new((&mut bookmark, Ok(())));
        cores::each(&left, |key| {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let printed = self.replay_issue(key);
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            match printed {
                Ok(written) => {
                    files.fetch_add(written, Ordering::Relaxed);
                    state.0.done.push((*key).clone());
                    let n_done = state.0.done.len();
                    if n_done.is_multiple_of(NOTE_EVERY) {
                        self.note(state.0);
                    }
                    progress(n_done, keys.len());
                }
                Err(error) => {
                    stop.store(true, Ordering::Relaxed);
                    state.1 = Err(error);
                }
            }
        });
        let (bookmark, printed) = state.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.note(bookmark);
        printed?;
        let files = files.into_inner() + self.put_all_lists()?;
        let path = self.bookmark_path();
        durable::remove(&path).map_err(|source| Error::Keep { path, source })?;
        Ok(Replayed { issues: left.len(), before, files })
    }

    fn replay_issue(&self, key: &IssueKey) -> Result<usize, Error> {
        let Some(Shelved { release, .. }) = self.ledger.issue(&self.publication, key)? else { return Ok(0) };
        let (book, written) = self.print(&release)?;
        self.ledger.shelve(&self.publication, &release, &book)?;
        Ok(written)
    }

    /// Where the last replay was stopped, if it printed with what we print with.
    fn bookmark(&self) -> Bookmark {
        let with = format!("{} {:?}", env!("CARGO_PKG_VERSION"), self.publication);
        let with = blake3::hash(with.as_bytes()).to_hex().to_string();
        let kept = std::fs::read(self.bookmark_path()).ok();
        let kept = kept.and_then(|bytes| serde_json::from_slice::<Bookmark>(&bytes).ok());
        kept.filter(|kept| kept.with == with).unwrap_or(Bookmark { with, done: vec![] })
    }

    /// Notes how far a replay has come. Where that cannot be done, a replay that is stopped begins anew.
    fn note(&self, bookmark: &Bookmark) {
        let noted = serde_json::to_vec(bookmark)
            .map_err(io::Error::other)
            .and_then(|bytes| durable::put(&self.bookmark_path(), &bytes));
        if let Err(error) = noted {
            tracing::warn!(%error, "how far the replay has come cannot be noted");
        }
    }

    fn bookmark_path(&self) -> PathBuf {
        self.data.join("replay.json")
    }
}
