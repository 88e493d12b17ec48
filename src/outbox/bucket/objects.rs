//! What is asked of a bucket, one object at a time: looked at, put unless it changed meanwhile, brought, removed.

use std::{
    future::Future,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use axum::body::Bytes;

use futures_util::{StreamExt as _, stream};
use object_store::{
    Attribute, Attributes, GetOptions, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload,
    UpdateVersion, aws::AmazonS3, path::Path,
};

use super::{Access, fence::Fence};
use crate::outbox::{Coding, Error, keeping, media_type, packing};

/// How many requests are on their way at once.
pub(super) const AT_ONCE: usize = 16;

/// Under which name an object carries the hash of its text.
const HASH: &str = "blake3";

/// How many bytes a second a request may take its time for, besides the patience that every one has.
const SLOWEST: u64 = 128 << 10;

/// The objects of an outbox.
#[derive(Debug, Clone)]
pub(super) struct Objects {
    store: Arc<AmazonS3>,
    access: Arc<Access>,
    /// How long a request may take with all its tries, besides the time that its bytes need.
    patience: Duration,
    /// Whether the server does not know conditional puts.
    is_simple: Arc<AtomicBool>,
}

/// What an object says of itself.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) length: u64,
    pub(super) tag: Option<String>,
    /// The hash of its bytes, where we have put it.
    pub(super) hash: Option<String>,
}

/// What is in the place of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum There {
    Nothing,
    /// An object with that tag.
    Tagged(String),
    /// An object of a server that gives no tags.
    Untagged,
}

impl There {
    /// What an object's head says.
    pub(super) fn of(head: Option<&Head>) -> Self {
        head.map_or(Self::Nothing, |head| Self::tagged(head.tag.clone()))
    }

    /// An object that is there.
    pub(super) fn tagged(tag: Option<String>) -> Self {
        tag.map_or(Self::Untagged, Self::Tagged)
    }

    /// How it is replaced by something else, and nothing but it.
    pub(super) fn replaced(self) -> PutMode {
        match self {
            Self::Nothing => PutMode::Create,
            Self::Tagged(tag) => PutMode::Update(UpdateVersion { e_tag: Some(tag), version: None }),
            Self::Untagged => PutMode::Overwrite,
        }
    }
}

/// A text or a book with its packed forms, to be put.
#[derive(Debug, Clone)]
pub(super) struct Sheet {
    pub(super) path: String,
    /// Its objects: the packed forms come before the text itself. What is not worth it any more has no bytes.
    pub(super) objects: Vec<Object>,
    /// Whether nothing of it is there yet.
    pub(super) is_new: bool,
}

/// One object of a sheet.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) name: String,
    pub(super) coding: Option<Coding>,
    pub(super) bytes: Option<PutPayload>,
    pub(super) hash: String,
    /// What is there in its place.
    pub(super) before: Option<Head>,
}

/// What a bucket answered, in a few words: its server's own are long, and tell the same three times.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Answer(String);

/// The most characters of the words of others.
const FEW: usize = 200;

impl Answer {
    fn of(error: &object_store::Error) -> Self {
        let mut last: &dyn std::error::Error = error;
        while let Some(source) = last.source() {
            last = source;
        }
        let said = last.to_string();
        let status =
            said.split("status code: ").nth(1).map(|rest| rest.split(':').next().unwrap_or_default().trim());
        let way = match status.and_then(|status| status.split(' ').next()) {
            Some("301" | "307" | "400") => "; see `region` and `endpoint` of [outbox]",
            Some("401" | "403") => "; see whether the key may list, read, put and remove objects there",
            Some("404") => "; see whether there is such a bucket",
            _ => "",
        };
        match status {
            Some(status) => Self(format!("it answered {status}{way}")),
            None => Self(said.lines().next().unwrap_or_default().chars().take(FEW).collect()),
        }
    }
}

/// What a bucket has of a file.
pub(super) enum Brought {
    /// The same as was brought before.
    Same,
    /// Other bytes, their tag, and when they were put.
    Other(Bytes, Option<String>, SystemTime),
    /// Nothing.
    Nothing,
}

impl Objects {
    pub(super) fn of(store: Arc<AmazonS3>, access: Access, patience: Duration) -> Self {
        Self { store, access: Arc::new(access), patience, is_simple: Arc::default() }
    }

    /// Somebody else has changed an object.
    pub(super) fn overtaken(&self, path: &str) -> Error {
        Error::Overtaken { bucket: self.access.to_string(), path: path.to_owned() }
    }

    /// The system gives no word that nobody can guess.
    pub(super) fn without_random_numbers(&self) -> Error {
        Error::Settings {
            bucket: self.access.to_string(),
            why: "the system has no random numbers".to_owned(),
        }
    }

    /// Waits for an answer about some bytes as long as that may take.
    async fn within<T>(
        &self,
        (what, path): (&str, &str),
        bytes: u64,
        asking: impl Future<Output = object_store::Result<T>>,
    ) -> Result<object_store::Result<T>, Error> {
        let patience = self.patience + Duration::from_secs(bytes / SLOWEST);
        tokio::time::timeout(patience, asking).await.map_err(|_| {
            let seconds = patience.as_secs().max(1);
            Error::Bucket {
                bucket: self.access.to_string(),
                what: format!("{what} `{path}`"),
                source: Box::new(Answer(format!("it did not answer within {seconds} s"))),
            }
        })
    }

    /// Where the object of a file is in the bucket.
    fn key(&self, path: &str) -> Path {
        match self.access.prefix.as_str() {
            "" => Path::from(path),
            prefix => Path::from(format!("{prefix}/{path}")),
        }
    }

    fn failed(&self, what: &str, path: &str) -> impl FnOnce(object_store::Error) -> Error + use<> {
        let (bucket, path, what) = (self.access.to_string(), path.to_owned(), format!("{what} `{path}`"));
        move |error| match error {
            object_store::Error::Precondition { .. } | object_store::Error::AlreadyExists { .. } => {
                Error::Overtaken { bucket, path }
            }
            error => Error::Bucket { bucket, what, source: Box::new(Answer::of(&error)) },
        }
    }

    /// What an object says of itself; `None` where there is none.
    pub(super) async fn head(&self, path: &str) -> Result<Option<Head>, Error> {
        let options = GetOptions { head: true, ..GetOptions::default() };
        let key = self.key(path);
        let asked = self.within(("look at", path), 0, self.store.get_opts(&key, options)).await?;
        let found = match asked {
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            found => found.map_err(self.failed("look at", path))?,
        };
        let hash = found.attributes.get(&Attribute::Metadata(HASH.into()));
        let hash = hash.map(|hash| hash.as_ref().to_owned());
        Ok(Some(Head { length: found.meta.size, hash, tag: found.meta.e_tag }))
    }

    /// The same of several, in their order.
    pub(super) async fn heads(&self, paths: Vec<String>) -> Result<Vec<Option<Head>>, Error> {
        let asked = stream::iter(paths.into_iter().map(|path| async move { self.head(&path).await }));
        let heads: Vec<_> = asked.buffered(AT_ONCE).collect().await;
        heads.into_iter().collect()
    }

    /// Puts a sheet where nobody has put anything since it was looked at; its packed forms come first. Those that are not worth it any
    /// more go.
    pub(super) async fn put(&self, sheet: Sheet, fence: &Fence) -> Result<(), Error> {
        for object in sheet.objects {
            fence.hold(self).await?;
            let Some(bytes) = object.bytes else {
                self.remove(&object.name).await?;
                continue;
            };
            let mode = There::of(object.before.as_ref()).replaced();
            let attributes = attributes(&sheet.path, object.coding);
            self.put_object(&object.name, bytes, &object.hash, attributes, mode).await?;
        }
        Ok(())
    }

    /// Puts one object, whose bytes have that hash; gives its tag. Where it is found to be there already, somebody has put the same, or
    /// the answer to us was lost.
    pub(super) async fn put_object(
        &self,
        path: &str,
        bytes: PutPayload,
        hash: &str,
        mut attributes: Attributes,
        mode: PutMode,
    ) -> Result<Option<String>, Error> {
        attributes.insert(Attribute::Metadata(HASH.into()), hash.to_owned().into());
        let put = if self.is_simple.load(Ordering::Relaxed) {
            self.put_simply(path, bytes, attributes, mode).await
        } else {
            let options =
                PutOptions { mode: mode.clone(), attributes: attributes.clone(), ..PutOptions::default() };
            let (key, length) = (self.key(path), bytes.content_length() as u64);
            let asked = self.store.put_opts(&key, bytes.clone(), options);
            match self.within(("put", path), length, asked).await? {
                Err(error) if !matches!(mode, PutMode::Overwrite) && is_unknown(&error) => {
                    if !self.is_simple.swap(true, Ordering::Relaxed) {
                        tracing::warn!(
                            bucket = %self.access,
                            "the server does not know conditional puts: two daemons that print in the same second are not told from \
                             each other"
                        );
                    }
                    self.put_simply(path, bytes, attributes, mode).await
                }
                put => put.map(|put| put.e_tag).map_err(self.failed("put", path)),
            }
        };
        match put {
            Err(overtaken @ Error::Overtaken { .. }) => match self.head(path).await? {
                Some(head) if head.hash.as_deref() == Some(hash) => Ok(head.tag),
                _ => Err(overtaken),
            },
            put => put,
        }
    }

    /// Puts one object into the bucket of a server that knows no conditions: it is looked first whether they are met.
    async fn put_simply(
        &self,
        path: &str,
        bytes: PutPayload,
        attributes: Attributes,
        mode: PutMode,
    ) -> Result<Option<String>, Error> {
        let found = There::of(self.head(path).await?.as_ref());
        let is_met = match mode {
            PutMode::Overwrite => true,
            PutMode::Create => found == There::Nothing,
            PutMode::Update(version) => found == There::tagged(version.e_tag),
        };
        if !is_met {
            return Err(self.overtaken(path));
        }
        let options = PutOptions { attributes, ..PutOptions::default() };
        let (key, length) = (self.key(path), bytes.content_length() as u64);
        let put = self.within(("put", path), length, self.store.put_opts(&key, bytes, options)).await?;
        put.map(|put| put.e_tag).map_err(self.failed("put", path))
    }

    /// Brings a file, unless it still has that tag.
    pub(super) async fn bring(&self, path: &str, tag: Option<String>) -> Result<Brought, Error> {
        let options = GetOptions { if_none_match: tag, ..GetOptions::default() };
        let key = self.key(path);
        let found = match self.within(("read", path), 0, self.store.get_opts(&key, options)).await? {
            Err(object_store::Error::NotFound { .. }) => return Ok(Brought::Nothing),
            Err(object_store::Error::NotModified { .. }) => return Ok(Brought::Same),
            found => found.map_err(self.failed("read", path))?,
        };
        let (tag, put_at) = (found.meta.e_tag.clone(), SystemTime::from(found.meta.last_modified));
        let length = found.meta.size;
        let bytes = self.within(("read", path), length, found.bytes()).await?;
        Ok(Brought::Other(bytes.map_err(self.failed("read", path))?, tag, put_at))
    }

    /// Removes an object, if it is there.
    ///
    /// S3 removes without conditions. What is left to chance is the time of this one request: somebody who claimed his turn a moment
    /// ago, was stopped before it, and wakes up when another process has put the object anew.
    pub(super) async fn remove(&self, path: &str) -> Result<(), Error> {
        let key = self.key(path);
        match self.within(("remove", path), 0, self.store.delete(&key)).await? {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed("remove", path)(error)),
        }
    }

    /// The paths and lengths of all files in a folder; of all there are where it is empty.
    pub(super) async fn list(&self, folder: &str) -> Result<Vec<(String, u64)>, Error> {
        let prefix = self.key(folder);
        let mut listed = self.store.list(Some(&prefix).filter(|prefix| !prefix.as_ref().is_empty()));
        let mut files = Vec::new();
        let own = match self.access.prefix.as_str() {
            "" => 0,
            prefix => prefix.len() + 1,
        };
        while let Some(one) =
            self.within(("list", folder), 0, async { Ok(listed.next().await) }).await?.ok().flatten()
        {
            let one = one.map_err(self.failed("list", folder))?;
            files.push((one.location.as_ref().get(own..).unwrap_or_default().to_owned(), one.size));
        }
        Ok(files)
    }

    /// Removes these files, if they are there.
    pub(super) async fn remove_all(&self, paths: Vec<String>, fence: &Fence) -> Result<(), Error> {
        let removed = stream::iter(paths.into_iter().map(|path| async move {
            fence.hold(self).await?;
            self.remove(&path).await
        }));
        let removed: Vec<_> = removed.buffer_unordered(AT_ONCE).collect().await;
        removed.into_iter().collect()
    }
}

/// The hash by which an object is known again.
pub(super) fn hash_of(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// The name of a packed form.
pub(super) fn beside(path: &str, coding: Coding) -> String {
    packing::beside(&PathBuf::from(path), coding).to_string_lossy().into_owned()
}

/// What readers' programs are told of an object by whoever serves it.
fn attributes(path: &str, coding: Option<Coding>) -> Attributes {
    let mut attributes = Attributes::new();
    attributes.insert(Attribute::ContentType, media_type(path).into());
    attributes.insert(Attribute::CacheControl, keeping(path).into());
    if let Some(coding) = coding {
        attributes.insert(Attribute::ContentEncoding, coding.token().into());
    }
    attributes
}

/// Whether a server says that it does not know what it was asked.
fn is_unknown(error: &object_store::Error) -> bool {
    if matches!(error, object_store::Error::NotImplemented { .. }) {
        return true;
    }
    let mut error: Option<&dyn std::error::Error> = Some(error);
    while let Some(one) = error {
        let said = one.to_string();
        if said.contains("501 Not Implemented") || said.contains("<Code>NotImplemented</Code>") {
            return true;
        }
        error = one.source();
    }
    false
}
