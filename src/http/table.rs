//! The documents that readers' programs ask for, in memory: looked up without waiting, made anew as a whole when the outbox changes.
//!
//! A document comes into the table when it is first asked for. Whoever changes the outbox, in this process or another, says so
//! ([`Outbox::changes`]) before it touches the first file, and counts after the last; a table that was made before is not used, none is made
//! meanwhile, and readers get their documents from the disk until the next table is there. So nobody is told of an issue that is gone, and everything that a
//! feed names is there.
//!
//! The table is behind a lock that is held for one look-up, some tens of nanoseconds of a request's several thousand, and for
//! putting a new table in the place of the old one: making it is done beside. No reader waits for a disk.

use std::{
    collections::HashMap,
    io,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use super::document::Document;
use crate::{metrics::Documents, outbox::Outbox, publication::Publication};

/// The most bytes of memory that documents take, where nothing else is said.
const ROOM: usize = 64 << 20;

/// How many documents are read from the disk at once.
const AT_ONCE: usize = 8;

/// How often the files are looked at while there are readers: a stranger's hand counts no changes.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A table that has not been looked after for so long is not used.
const TRUSTED: Duration = Duration::from_secs(3);

/// How often a table is made again at once, when the outbox changed meanwhile.
const AGAIN: usize = 3;

/// The documents in memory.
pub struct Table {
    /// The most bytes of memory that documents take.
    room: usize,
    sheet: RwLock<Sheet>,
    /// Places for those who read from the disk.
    pub(super) places: Semaphore,
    /// Rings when the table is of no use any more.
    stale: Notify,
    /// Whether there were readers since it was last looked at.
    asked: AtomicBool,
    /// How many documents were found in it, and how many not.
    found: [AtomicU64; 2],
    /// How many tables have been made.
    made: AtomicU64,
}

/// A table as it was made at one time.
struct Sheet {
    /// The count of changes at which all of it was what the disk had.
    changes: Option<u64>,
    /// When that was last seen to be so.
    looked: Instant,
    documents: HashMap<Box<str>, Arc<Document>>,
    /// The weight of all documents.
    weight: usize,
}

impl Default for Table {
    fn default() -> Self {
        Self::of(ROOM)
    }
}

impl Table {
    /// A table without documents, which take `room` bytes of memory at most.
    #[must_use]
    pub fn of(room: usize) -> Self {
        let sheet = Sheet { changes: None, looked: Instant::now(), documents: HashMap::new(), weight: 0 };
        Self {
            room,
            sheet: RwLock::new(sheet),
            places: Semaphore::new(AT_ONCE),
            stale: Notify::new(),
            asked: AtomicBool::new(false),
            found: [AtomicU64::new(0), AtomicU64::new(0)],
            made: AtomicU64::new(0),
        }
    }
}

impl Table {
    /// A document, if it is in the table and the table is as the outbox is.
    pub(super) fn find(&self, outbox: &Outbox, name: &str) -> Option<Arc<Document>> {
        let changes = outbox.changes();
        let now = Instant::now();
        if !self.asked.load(Ordering::Relaxed) {
            self.asked.store(true, Ordering::Relaxed);
        }
        let sheet = self.sheet.read().unwrap_or_else(PoisonError::into_inner);
        let good = changes.is_some()
            && sheet.changes == changes
            && now.saturating_duration_since(sheet.looked) < TRUSTED;
        if !good {
            drop(sheet);
            self.stale.notify_one();
            return None;
        }
        let document = sheet.documents.get(name).cloned();
        drop(sheet);
        self.found[usize::from(document.is_none())].fetch_add(1, Ordering::Relaxed);
        document.inspect(|document| document.note())
    }

    /// Loads a document from the disk, and keeps it for those who ask next. It waits for the disk.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub(super) fn load(
        &self,
        outbox: &Outbox,
        name: &str,
        publication: &Publication,
    ) -> io::Result<Option<Arc<Document>>> {
        let changes = outbox.changes();
        let Some(document) = Document::load(outbox, name, publication)? else { return Ok(None) };
        let document = Arc::new(document);
        if changes.is_some() && outbox.changes() == changes {
            let mut sheet = self.sheet.write().unwrap_or_else(PoisonError::into_inner);
            if sheet.changes == changes {
                sheet.put(Arc::clone(&document), self.room);
            }
        }
        Ok(Some(document))
    }

    /// Keeps the table as the outbox is, until `stop`.
    pub(super) async fn keep(
        self: Arc<Self>,
        outbox: Outbox,
        publication: Publication,
        stop: CancellationToken,
    ) {
        self.stale.notify_one();
        loop {
            tokio::select! {
                () = self.stale.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {
                    // Nobody is there to be told anything that is not so.
                    if !self.asked.swap(false, Ordering::Relaxed) {
                        continue;
                    }
                }
                () = stop.cancelled() => return,
            }
            let (table, outbox, publication) = (Arc::clone(&self), outbox.clone(), publication.clone());
            let renewed = tokio::task::spawn_blocking(move || table.renew(&outbox, &publication)).await;
            if let Err(error) = renewed {
                tracing::error!(%error, "the table of documents could not be made; readers are served from the disk");
            }
        }
    }

    /// Makes the table anew: what the disk has as before stays, what it has otherwise is loaded, what it has not is left out. It
    /// waits for the disk.
    fn renew(&self, outbox: &Outbox, publication: &Publication) {
        outbox.look();
        for _ in 0..AGAIN {
            let (changes, looked) = (outbox.changes(), Instant::now());
            if changes.is_none() {
                // A change is made: the next reader rings again.
                return;
            }
            let known = self.sheet.read().unwrap_or_else(PoisonError::into_inner).documents.clone();
            let mut sheet = Sheet { changes, looked, documents: HashMap::new(), weight: 0 };
            for document in known.values() {
                let is_fresh = outbox.is_fresh(&document.name);
                let document = if is_fresh && document.is_current() {
                    Arc::clone(document)
                } else if !is_fresh && !document.is_asked() {
                    // A bucket is asked again by whoever wants it.
                    continue;
                } else {
                    match Document::load(outbox, &document.name, publication) {
                        Ok(Some(loaded)) => {
                            if document.was_asked() {
                                loaded.note();
                            }
                            Arc::new(loaded)
                        }
                        // What cannot be read is told to whoever asks for it.
                        Ok(None) | Err(_) => continue,
                    }
                };
                sheet.put(document, self.room);
            }
            if outbox.changes() != changes {
                continue;
            }
            let mut current = self.sheet.write().unwrap_or_else(PoisonError::into_inner);
            let before = std::mem::replace(&mut *current, sheet);
            if before.changes == changes {
                // What came in meanwhile is as the disk has it, too.
                for (name, document) in before.documents {
                    if !known.contains_key(&name) {
                        current.put(document, self.room);
                    }
                }
            }
            drop(current);
            self.made.fetch_add(1, Ordering::Relaxed);
            return;
        }
        // The outbox changes all the time; until it rests, readers are served from the disk.
        self.stale.notify_one();
    }

    /// What is in the table, for the operator.
    #[must_use]
    pub fn figures(&self) -> Documents {
        let sheet = self.sheet.read().unwrap_or_else(PoisonError::into_inner);
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Documents {
            n: sheet.documents.len() as u64,
            bytes: sheet.weight as u64,
            made: count(&self.made),
            found: count(&self.found[0]),
            missed: count(&self.found[1]),
        }
    }
}

impl Sheet {
    /// Puts a document in, and where there is no room left, takes those out that nobody has asked for since the last time.
    fn put(&mut self, document: Arc<Document>, room: usize) {
        self.weight += document.weight();
        if let Some(before) = self.documents.insert(document.name.clone(), document) {
            self.weight -= before.weight();
        }
        if self.weight <= room {
            return;
        }
        let weight = &mut self.weight;
        let mut leave = |document: &Arc<Document>| {
            *weight -= document.weight();
            false
        };
        self.documents.retain(|_, document| document.was_asked() || leave(document));
        // All of them are in use: any may go, until a quarter of the room is free.
        if self.weight > room {
            let weight = &mut self.weight;
            self.documents.retain(|_, document| {
                *weight <= room / 4 * 3 || {
                    *weight -= document.weight();
                    false
                }
            });
        }
    }
}
