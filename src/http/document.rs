//! One file of the outbox with its packed forms: all that is said about it in answers is made once, when it is loaded.

use std::{
    cmp::Reverse,
    fs::{File, Metadata},
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, SystemTime},
};

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderValue, header},
};

use super::{conditions::Validators, heads, negotiating::Accepted, reading::POLICY};
use crate::{outbox::Coding, outbox::Outbox, publication::Publication};

/// The longest form that is held in memory; longer ones are sent from the disk.
const HELD: u64 = 4 << 20;

/// How long a second is for the dates of files: the clock that a file system writes lags behind by some milliseconds.
const SECOND: Duration = Duration::from_millis(1100);

/// A document as readers get it.
#[derive(Debug)]
pub(super) struct Document {
    /// Its path in the outbox.
    pub(super) name: Box<str>,
    /// When it last changed, in whole seconds. A document that changed in this very second has no date yet, because it may change
    /// in it again; nor has one from the future.
    pub(super) modified: Option<SystemTime>,
    /// Its forms, the text as it is first.
    forms: Vec<Form>,
    /// Whether its date will be certain in a second.
    is_young: bool,
    /// Whether anybody has asked for it since that was last forgotten.
    asked: AtomicBool,
}

/// One form of a document.
#[derive(Debug)]
pub(super) struct Form {
    /// How it is packed.
    coding: Option<Coding>,
    /// Where it lies.
    file: PathBuf,
    signature: Signature,
    /// Its strong tag, in quotes.
    tag: Box<str>,
    /// Its bytes, unless it is too long to be held.
    pub(super) bytes: Option<Bytes>,
    /// The head of an answer that brings it.
    pub(super) head: HeaderMap,
    /// The head of an answer that says it is known.
    pub(super) known: HeaderMap,
}

/// What tells one state of a file from another: whoever changes it changes one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Signature {
    place: (u64, u64),
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Signature {
    fn of(metadata: &Metadata) -> Self {
        Self {
            place: (metadata.dev(), metadata.ino()),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    fn is_of(self, path: &Path) -> bool {
        path.symlink_metadata().is_ok_and(|metadata| Self::of(&metadata) == self)
    }
}

impl Document {
    /// Loads a document by its path in the outbox; `None` where there is none. It waits for the disk.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub(super) fn load(outbox: &Outbox, name: &str, publication: &Publication) -> io::Result<Option<Self>> {
        let Some(file) = outbox.fetch(name).map_err(io::Error::other)? else { return Ok(None) };
        let mut found = vec![(None, file)];
        found.extend(outbox.packed(name).into_iter().map(|(coding, file)| (Some(coding), file)));
        let in_forms = found.len() > 1;
        let (mut modified, mut is_young) = (None, false);
        let mut forms = Vec::with_capacity(found.len());
        for (coding, path) in found {
            // What is gone in this very moment is not there; another form may be.
            let Some(leaf) = unless_gone(Leaf::read(&path))? else {
                if coding.is_none() {
                    return Ok(None);
                }
                continue;
            };
            if coding.is_none() {
                (modified, is_young) = date(leaf.modified, SystemTime::now());
            }
            forms.push(leaf.into_form(name, coding, path, modified, in_forms));
        }
        if let Some(links) = heads::links(name, publication) {
            for form in &mut forms {
                form.head.insert(header::LINK, links.clone());
            }
        }
        Ok(Some(Self { name: name.into(), modified, forms, is_young, asked: AtomicBool::new(false) }))
    }

    /// Whether the disk still has it as it was loaded, with nothing to add. It waits for the disk.
    pub(super) fn is_current(&self) -> bool {
        !self.is_young && self.forms.iter().all(Form::is_current)
    }

    /// The form that a client is to get: the one with the most weight, of several the shortest. `None` where it refuses all.
    pub(super) fn form(&self, accepted: Accepted) -> Option<&Form> {
        let wanted = self.forms.iter().filter_map(|form| Some((accepted.weight(form.coding)?, form)));
        wanted.max_by_key(|(weight, form)| (*weight, Reverse(form.length()))).map(|(_, form)| form)
    }

    /// Whether parts of it may be asked for: of what is packed in itself, such as a book.
    pub(super) fn is_in_parts(&self) -> bool {
        is_in_parts(&self.name)
    }

    /// How many bytes of memory it takes, about.
    pub(super) fn weight(&self) -> usize {
        // The heads, the tags and the paths of a form are some two kilobytes.
        self.forms.iter().map(|form| 2048 + form.bytes.as_ref().map_or(0, Bytes::len)).sum()
    }

    /// Notes that somebody asked for it.
    pub(super) fn note(&self) {
        // Only the first one writes: many cores would else pass the line of memory around.
        if !self.asked.load(Ordering::Relaxed) {
            self.asked.store(true, Ordering::Relaxed);
        }
    }

    /// Whether anybody has asked for it since that was last forgotten.
    pub(super) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Whether anybody has asked for it, which is forgotten by that.
    pub(super) fn was_asked(&self) -> bool {
        self.asked.swap(false, Ordering::Relaxed)
    }
}

impl Form {
    /// Its length in bytes.
    pub(super) fn length(&self) -> u64 {
        self.signature.length
    }

    /// How it is told from others.
    pub(super) fn validators(&self, document: &Document) -> Validators<'_> {
        Validators { tag: &self.tag, modified: document.modified }
    }

    /// Its file, open, if that still is what was loaded. It waits for the disk.
    pub(super) fn open(&self) -> Option<File> {
        let file = File::open(&self.file).ok()?;
        let same = file.metadata().is_ok_and(|metadata| Signature::of(&metadata) == self.signature);
        same.then_some(file)
    }

    fn is_current(&self) -> bool {
        self.signature.is_of(&self.file)
    }
}

/// What was read of a file.
struct Leaf {
    signature: Signature,
    modified: Option<SystemTime>,
    tag: Box<str>,
    bytes: Option<Bytes>,
}

impl Leaf {
    fn read(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        let mut signature = Signature::of(&metadata);
        let mut hasher = blake3::Hasher::new();
        let mut bytes = None;
        if signature.length <= HELD {
            let mut held = Vec::with_capacity(usize::try_from(signature.length).unwrap_or_default());
            file.read_to_end(&mut held)?;
            hasher.update(&held);
            // Somebody else's hand may write it just now; what was read is answered for.
            signature.length = held.len() as u64;
            bytes = Some(Bytes::from(held));
        } else {
            hasher.update_reader(&mut file)?;
        }
        let tag = format!("\"{}\"", &hasher.finalize().to_hex()[..32]);
        Ok(Self { signature, modified: metadata.modified().ok(), tag: tag.into(), bytes })
    }

    fn into_form(
        self,
        name: &str,
        coding: Option<Coding>,
        file: PathBuf,
        modified: Option<SystemTime>,
        in_forms: bool,
    ) -> Form {
        let mut known = HeaderMap::new();
        if let Ok(tag) = HeaderValue::from_str(&self.tag) {
            known.insert(header::ETAG, tag);
        }
        if let Some(date) =
            modified.and_then(|date| HeaderValue::from_str(&httpdate::fmt_http_date(date)).ok())
        {
            known.insert(header::LAST_MODIFIED, date);
        }
        known.insert(header::CACHE_CONTROL, HeaderValue::from_static(heads::keeping(name)));
        if in_forms {
            known.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        let mut head = known.clone();
        let mut say = |name, value| head.insert(name, HeaderValue::from_static(value));
        say(header::CONTENT_TYPE, heads::media_type(name));
        if let Some(coding) = coding {
            say(header::CONTENT_ENCODING, coding.token());
        }
        if is_in_parts(name) {
            say(header::ACCEPT_RANGES, "bytes");
        }
        say(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        say(header::REFERRER_POLICY, "no-referrer");
        say(header::CONTENT_SECURITY_POLICY, POLICY);
        head.insert(header::CONTENT_LENGTH, HeaderValue::from(self.signature.length));
        Form { coding, file, signature: self.signature, tag: self.tag, bytes: self.bytes, head, known }
    }
}

/// Whether parts of a file may be asked for. Of texts they would be parts of packed forms, which nobody means.
fn is_in_parts(name: &str) -> bool {
    let media_type = heads::media_type(name);
    media_type == "application/epub+zip"
        || (media_type.starts_with("image/") && media_type != "image/svg+xml")
        || media_type == "application/octet-stream"
}

/// The date that a document has for its readers, in whole seconds, and whether it is too young for one: a second that is not over
/// may bring another change, and two states with one date would be one for whoever keeps them by their dates.
fn date(modified: Option<SystemTime>, now: SystemTime) -> (Option<SystemTime>, bool) {
    let since = modified.and_then(|modified| modified.duration_since(SystemTime::UNIX_EPOCH).ok());
    let Some(since) = since else { return (None, false) };
    let second = SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs());
    match now.duration_since(second) {
        Ok(age) if age >= SECOND => (Some(second), false),
        Ok(_) => (None, true),
        // The clock was set back since; it is years until that date is true, perhaps.
        Err(_) => (None, false),
    }
}

fn unless_gone<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_a_date_when_its_second_is_over() {
        let at = |millis| SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
        assert_eq!(date(Some(at(5400)), at(6050)), (None, true));
        assert_eq!(date(Some(at(5400)), at(6100)), (Some(at(5000)), false));
        assert_eq!(date(Some(at(5400)), at(9000)), (Some(at(5000)), false));
        assert_eq!(date(Some(at(5400)), at(4000)), (None, false), "from the future");
        assert_eq!(date(None, at(4000)), (None, false));
    }
}
