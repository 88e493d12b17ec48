//! The outbox in a bucket: puts in order, by one process at a time; what readers ask for is kept on this machine.
//!
//! Every change is claimed first ([`fence`]), and every object is put under the condition that it still is what it was when it was looked
//! at before that claim: who comes late fails before he has overwritten anything, also when he was stopped in the middle of a change. Only
//! tags tell one state of an object from another, and S3 makes them of the bytes: where others have changed an object and changed it back
//! while somebody was stopped between two requests, his is put. What nobody leads to any more is removed without a condition; see
//! [`Objects::remove`]. `gazetted verify` finds both, and `gazetted replay` or the next issue mends them.

mod access;
mod fence;
mod objects;
mod window;

use std::{
    collections::HashSet,
    future::Future,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
};

use futures_util::{StreamExt as _, stream};
use object_store::{Attributes, PutMode, PutPayload};
use tokio::runtime::Runtime;

pub use access::{Access, PATIENCE};

use super::{Coding, Error, is_name, packing, packing::Packed, stamp::Changes};
use crate::{cores, editions::Edition};
use fence::Fence;
use objects::{AT_ONCE, Brought, Object, Objects, Sheet, hash_of};
use window::Window;

/// The object that is put and removed to see whether that can be done.
const PROBE: &str = ".probe";

/// A bucket, and what this process knows of it.
#[derive(Debug)]
pub(super) struct Bucket {
    press: Objects,
    runtime: Waiting,
    fence: Arc<Fence>,
    /// Whether a change was made that servers elsewhere were not told of.
    untold: AtomicBool,
    pub(super) window: Window,
}

impl Bucket {
    /// Opens it; nothing is asked of it yet. What readers ask for is kept in a folder in `kept`.
    pub(super) fn open(access: &Access, kept: &Path) -> Result<Self, Error> {
        let [press, readers] = access.objects()?;
        Ok(Self {
            press,
            runtime: Waiting::of(access, kept)?,
            fence: Arc::default(),
            untold: AtomicBool::new(false),
            window: Window::open(readers, access, kept)?,
        })
    }

    /// See [`super::Outbox::takes_turn`].
    pub(super) fn takes_turn(&self) -> Result<(), Error> {
        let (objects, fence) = (self.press.clone(), Arc::clone(&self.fence));
        self.runtime.wait(async move { fence.begin(&objects).await })
    }

    /// Makes a change, if nobody else has taken his turn since this one began; and says so to servers elsewhere, whatever came of it.
    fn change<T: Send + 'static>(
        &self,
        changes: &Changes,
        make: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let claim = || {
            let (objects, fence) = (self.press.clone(), Arc::clone(&self.fence));
            self.runtime.wait(async move { fence.claim(&objects).await })
        };
        claim()?;
        changes.during(self.window.root(), || {
            self.untold.store(true, Ordering::Release);
            let made = self.runtime.wait(make);
            let told = claim();
            self.untold.store(told.is_err(), Ordering::Release);
            self.window.changed(told.as_ref().ok().cloned());
            let made = made?;
            told?;
            Ok(made)
        })
    }

    /// See [`super::Outbox::put`].
    pub(super) fn put<'e>(
        &self,
        editions: impl IntoIterator<Item = &'e Edition>,
        changes: &Changes,
    ) -> Result<usize, Error> {
        let mut seen = HashSet::new();
        // A style sheet that several pages need comes with each of them.
        let editions: Vec<&Edition> =
            editions.into_iter().filter(|edition| seen.insert(edition.path.as_str())).collect();
        if let Some(wrong) = editions.iter().find(|edition| !is_name(&edition.path)) {
            return Err(Error::Path { path: wrong.path.clone() });
        }
        let heads = self.heads(editions.iter().map(|edition| edition.path.clone()).collect())?;
        let mut new = Vec::new();
        for (edition, before) in editions.into_iter().zip(heads) {
            let hash = hash_of(&edition.bytes);
            // Where a text is there with these bytes, its packed forms are too.
            if before.as_ref().and_then(|head| head.hash.as_ref()) != Some(&hash) {
                new.push((edition, before, hash));
            }
        }
        let packed = cores::each(&new, |(edition, ..)| packing::pack_all(&edition.path, &edition.bytes));
        let mut sheets = Vec::new();
        for ((edition, before, hash), forms) in new.into_iter().zip(packed) {
            let failed = |source| Error::Write { path: PathBuf::from(&edition.path), source };
            let mut objects: Vec<Object> = beside(&edition.path, forms.map_err(failed)?).collect();
            objects.push(Object {
                name: edition.path.clone(),
                coding: None,
                bytes: Some(PutPayload::from(edition.bytes.clone())),
                hash,
                before,
            });
            sheets.push(Sheet { path: edition.path.clone(), objects, is_new: false });
        }
        let written = sheets.len();
        if written == 0 && !self.untold.load(Ordering::Acquire) {
            return Ok(0);
        }
        let sheets = self.look_beside(sheets)?;
        // What is new in a folder that nothing leads to yet needs no order of its own.
        let (fresh, rest): (Vec<Sheet>, Vec<Sheet>) =
            sheets.into_iter().partition(|sheet| sheet.is_new && is_led_to(&sheet.path));
        let (objects, fence) = (self.press.clone(), Arc::clone(&self.fence));
        let put = async move {
            let fresh = stream::iter(fresh.into_iter().map(|sheet| objects.put(sheet, &fence)));
            let fresh: Vec<_> = fresh.buffer_unordered(AT_ONCE).collect().await;
            fresh.into_iter().collect::<Result<(), Error>>()?;
            for sheet in rest {
                objects.put(sheet, &fence).await?;
            }
            Ok(())
        };
        self.change(changes, put)?;
        Ok(written)
    }

    /// Looks at what lies beside texts that are to be put; what is there already is left out, and what is neither there nor to be.
    fn look_beside(&self, mut sheets: Vec<Sheet>) -> Result<Vec<Sheet>, Error> {
        let beside = |sheet: &Sheet| {
            let packed = sheet.objects.iter().filter(|object| object.coding.is_some());
            packed.map(|object| object.name.clone()).collect::<Vec<_>>()
        };
        let mut heads = self.heads(sheets.iter().flat_map(beside).collect())?.into_iter();
        for sheet in &mut sheets {
            for object in sheet.objects.iter_mut().filter(|object| object.coding.is_some()) {
                object.before = heads.next().flatten();
            }
            sheet.is_new = sheet.objects.iter().all(|object| object.before.is_none());
            sheet.objects.retain(|object| match (&object.bytes, &object.before) {
                (Some(_), Some(before)) => before.hash.as_ref() != Some(&object.hash),
                (Some(_), None) | (None, Some(_)) => true,
                (None, None) => false,
            });
        }
        Ok(sheets)
    }

    fn heads(&self, paths: Vec<String>) -> Result<Vec<Option<objects::Head>>, Error> {
        let objects = self.press.clone();
        self.runtime.wait(async move { objects.heads(paths).await })
    }

    /// See [`super::Outbox::copy`].
    pub(super) fn copy(&self, from: &str, to: &str, changes: &Changes) -> Result<bool, Error> {
        let mut heads = self.heads(vec![from.to_owned(), to.to_owned()])?.into_iter().flatten();
        if let (Some(from), Some(to)) = (heads.next(), heads.next())
            && from.hash.is_some()
            && from.hash == to.hash
        {
            return Ok(false);
        }
        let absent = || Error::Read { path: from.into(), source: io::ErrorKind::NotFound.into() };
        let bytes = self.bytes_of(from)?.ok_or_else(absent)?;
        Ok(self.put([&Edition { path: to.to_owned(), bytes }], changes)? == 1)
    }

    /// The bytes of a file as the bucket has it now.
    pub(super) fn bytes_of(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        if !is_name(path) {
            return Err(Error::Path { path: path.to_owned() });
        }
        let (objects, path) = (self.press.clone(), path.to_owned());
        Ok(match self.runtime.wait(async move { objects.bring(&path, None).await })? {
            Brought::Other(bytes, ..) => Some(bytes.into()),
            Brought::Same | Brought::Nothing => None,
        })
    }

    /// See [`super::Outbox::remove`].
    pub(super) fn remove(&self, path: &str, changes: &Changes) -> Result<bool, Error> {
        if !is_name(path) {
            return Err(Error::Path { path: path.to_owned() });
        }
        let mut names = if packing::is_packable(path) {
            Coding::ALL.iter().map(|&coding| objects::beside(path, coding)).collect()
        } else {
            Vec::new()
        };
        names.push(path.to_owned());
        let heads = self.heads(names.clone())?;
        let was_there = heads.last().is_some_and(Option::is_some);
        let there: Vec<String> =
            names.into_iter().zip(heads).filter_map(|(name, head)| head.map(|_| name)).collect();
        if !there.is_empty() {
            self.remove_all(there, changes)?;
        }
        Ok(was_there)
    }

    /// See [`super::Outbox::remove_folder`].
    pub(super) fn remove_folder(&self, path: &str, changes: &Changes) -> Result<(), Error> {
        if !is_name(path) {
            return Err(Error::Path { path: path.to_owned() });
        }
        let (objects, path) = (self.press.clone(), path.to_owned());
        let there = self.runtime.wait(async move { objects.list(&path).await })?;
        if there.is_empty() && !self.untold.load(Ordering::Acquire) {
            return Ok(());
        }
        self.remove_all(there.into_iter().map(|(path, _)| path).collect(), changes)
    }

    fn remove_all(&self, paths: Vec<String>, changes: &Changes) -> Result<(), Error> {
        let (objects, fence) = (self.press.clone(), Arc::clone(&self.fence));
        self.change(changes, async move { objects.remove_all(paths, &fence).await })
    }

    /// How many bytes the file of a path has, if it is there.
    pub(super) fn length(&self, path: &str) -> Result<Option<u64>, Error> {
        if !is_name(path) {
            return Ok(None);
        }
        let (objects, path) = (self.press.clone(), path.to_owned());
        let head = self.runtime.wait(async move { objects.head(&path).await })?;
        Ok(head.map(|head| head.length))
    }

    /// How many bytes all objects have.
    pub(super) fn weight(&self) -> Result<u64, Error> {
        let objects = self.press.clone();
        let listed = self.runtime.wait(async move { objects.list("").await })?;
        Ok(listed.iter().map(|(_, length)| length).sum())
    }

    /// Tries whether objects can be listed, put, read and removed.
    pub(super) fn try_writing(&self) -> Result<(), Error> {
        let objects = self.press.clone();
        self.runtime.wait(async move {
            let word = b"gazetted tries whether it may write\n";
            let (put, hash) = (PutPayload::from_static(word), hash_of(word));
            objects.put_object(PROBE, put, &hash, Attributes::new(), PutMode::Overwrite).await?;
            objects.bring(PROBE, None).await?;
            objects.list("assets").await?;
            objects.remove(PROBE).await
        })
    }
}

/// Threads that ask, while whoever wants to know waits on his own, whichever that is.
#[derive(Debug)]
struct Waiting {
    runtime: Option<Runtime>,
    /// Of which bucket they ask.
    bucket: String,
}

impl Waiting {
    fn of(access: &Access, kept: &Path) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("bucket")
            .enable_all()
            .build()
            .map_err(|source| Error::Folder { path: kept.to_owned(), source })?;
        Ok(Self { runtime: Some(runtime), bucket: access.to_string() })
    }

    /// Waits for an answer; on no thread of an async runtime.
    fn wait<T: Send + 'static>(
        &self,
        asking: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let gone = || Error::Bucket {
            bucket: self.bucket.clone(),
            what: "ask anything".to_owned(),
            source: Box::new(io::Error::from(io::ErrorKind::BrokenPipe)),
        };
        let Some(runtime) = &self.runtime else { return Err(gone()) };
        let (tell, hear) = mpsc::sync_channel(1);
        runtime.spawn(async move {
            // Whoever asked always waits.
            let _ = tell.send(asking.await);
        });
        hear.recv().map_err(|_| gone())?
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // It may go on any thread, also on one that must not wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Whether a file is reached only through others: it has an address that nobody knows before.
fn is_led_to(path: &str) -> bool {
    path.starts_with("issues/") || path.starts_with("assets/")
}

/// The packed forms of a text as objects beside it; those that are not worth it have no bytes.
fn beside(path: &str, forms: Packed) -> impl Iterator<Item = Object> {
    forms.into_iter().map(move |(coding, packed)| Object {
        name: objects::beside(path, coding),
        coding: Some(coding),
        hash: packed.as_deref().map(hash_of).unwrap_or_default(),
        bytes: packed.map(PutPayload::from),
        before: None,
    })
}
