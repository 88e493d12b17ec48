//! A bucket as readers of this process see it: what they ask for is brought once, and asked for again when something has changed.

use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    Access, Waiting,
    fence::CHANGES,
    objects::{Brought, Objects, There},
};
use crate::outbox::{Coding, Error, is_name, kept::Kept};

/// How long what is known of the bucket is good.
const GOOD_FOR: Duration = Duration::from_secs(2);

/// What readers see.
#[derive(Debug)]
pub(in crate::outbox) struct Window {
    objects: Objects,
    runtime: Waiting,
    kept: Kept,
    /// What was last seen of `.changes`, and when.
    looked: Mutex<Looked>,
    /// Held by the one who looks.
    looking: Mutex<()>,
    /// Counts what was seen to change.
    seen: AtomicU64,
    /// Whether the bucket did not answer the last time.
    is_out: AtomicBool,
}

/// What was last seen of `.changes`.
#[derive(Debug, Default)]
struct Looked {
    there: Option<There>,
    at: Option<Instant>,
}

impl Window {
    pub(super) fn open(objects: Objects, access: &Access, kept: &Path) -> Result<Self, Error> {
        Ok(Self {
            objects,
            runtime: Waiting::of(access, kept)?,
            kept: Kept::within(kept),
            looked: Mutex::default(),
            looking: Mutex::default(),
            seen: AtomicU64::new(0),
            is_out: AtomicBool::new(false),
        })
    }

    /// The folder of what is kept on this machine.
    pub(in crate::outbox) fn root(&self) -> &Path {
        &self.kept.parent
    }

    /// How often something was seen to have changed.
    pub(in crate::outbox) fn seen(&self) -> u64 {
        self.seen.load(Ordering::Acquire)
    }

    /// This process has made a change; `there` is what it has written of it.
    pub(super) fn changed(&self, there: Option<There>) {
        lock(&self.looked).there = there;
        self.seen.fetch_add(1, Ordering::AcqRel);
    }

    /// Looks whether others have changed something, where that was not asked just now.
    pub(in crate::outbox) fn look(&self) {
        let is_known = || lock(&self.looked).at.is_some_and(|at| at.elapsed() < GOOD_FOR);
        // Others need not wait for the one who asks.
        let Ok(_looking) = self.looking.try_lock() else { return };
        if is_known() {
            return;
        }
        let (objects, seen) = (self.objects.clone(), self.seen());
        let found = self.runtime.wait(async move { objects.head(CHANGES).await });
        self.note(found.as_ref().err());
        let mut looked = lock(&self.looked);
        looked.at = Some(Instant::now());
        if let Ok(found) = found {
            let there = There::of(found.as_ref());
            // What this process changed meanwhile is counted, and looked at the next time.
            if self.seen() == seen && looked.there.as_ref() != Some(&there) {
                looked.there = Some(there);
                self.seen.fetch_add(1, Ordering::AcqRel);
            }
        }
    }

    /// The file of a path on this machine, as the bucket has it.
    pub(in crate::outbox) fn fetch(&self, path: &str) -> Result<Option<PathBuf>, Error> {
        if !is_name(path) {
            return Ok(None);
        }
        self.look();
        let as_of = self.seen();
        let known = self.kept.known(path);
        if let Some(known) = known.as_ref().filter(|known| known.as_of == as_of) {
            return Ok(known.file.clone());
        }
        let (objects, asked) = (self.objects.clone(), path.to_owned());
        let tag = known.as_ref().and_then(|known| known.tag.clone());
        let brought = self.runtime.wait(async move { objects.bring(&asked, tag).await });
        self.note(brought.as_ref().err());
        match (brought, known) {
            (Ok(Brought::Same), Some(known)) => {
                self.kept.confirm(path, as_of);
                Ok(known.file)
            }
            (Ok(Brought::Other(bytes, tag, put_at)), _) => {
                self.kept.keep(path, &bytes, tag, put_at, as_of).map(Some)
            }
            (Ok(Brought::Nothing | Brought::Same), _) => {
                self.kept.forget(path, as_of);
                Ok(None)
            }
            // It was so until a moment ago; the bucket is asked again for whoever comes next.
            (Err(_), Some(known)) => Ok(known.file),
            (Err(error), None) => Err(error),
        }
    }

    /// Whether what is kept of a path is what the bucket was last seen to have.
    pub(in crate::outbox) fn is_fresh(&self, path: &str) -> bool {
        self.kept.known(path).is_some_and(|known| known.as_of == self.seen())
    }

    /// The packed forms of a path that was fetched.
    pub(in crate::outbox) fn packed(&self, path: &str) -> Vec<(Coding, PathBuf)> {
        self.kept.known(path).map(|known| known.packed).unwrap_or_default()
    }

    /// Says once that the bucket does not answer, and once that it does again.
    fn note(&self, error: Option<&Error>) {
        let was_out = self.is_out.swap(error.is_some(), Ordering::Relaxed);
        match error {
            Some(error) if !was_out => {
                let error: &dyn std::error::Error = error;
                tracing::warn!(error, "readers are served what is known of the bucket");
            }
            None if was_out => tracing::info!("the bucket answers readers again"),
            Some(_) | None => {}
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
