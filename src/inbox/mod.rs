//! Reconciles the inbox with the ledger: what lies there that is new, whole, and a manuscript?
//!
//! The listing is the truth and the kernel's events are hints. Starting up is the same as any other look.

mod beside;
mod folders;
mod hints;
mod names;
mod scan;
mod settle;

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap, HashSet},
    ffi::OsString,
    fmt::Write as _,
    io,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

pub use beside::{lay, manuscript_of, proof_of, proofs, tell};
pub use folders::Beside;
pub use hints::Hints;
pub use names::passed_over;
pub use scan::Signature;
pub use settle::is_local;

use crate::{ledger::Arrival, ledger::Fate, manuscript};
use folders::{Entry, Members, TakenFolder};
use settle::Taken;

/// How long a file that could not be dealt with waits before it is tried again.
const RETRY: Duration = Duration::from_secs(10);

/// How many manuscripts one look takes at most.
const BATCH: usize = 8;

/// How many quiet times a file may take whose last character is not whole, or that has none: more may be on its way.
const PATIENCE: u32 = 3;

/// How many quiet times a folder may take whose text names pictures that are not there: they may be on their way.
const PATIENCE_FOR_PICTURES: u32 = 10;

/// How many bytes of manuscripts one look gives at most, but for the last one: the rest come with the next look.
const ENOUGH: usize = 100_000_000;

/// How long on a network mount, where nothing tells of writers, a file must lie still.
const QUIET_AFAR: Duration = Duration::from_secs(5);

/// How an inbox is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long a file must lie unchanged before it is read.
    pub settle_after: Duration,
    /// How long it may take until a file is seen of which no event told; longer where looking itself takes long.
    pub look_every: Duration,
}

impl Default for Settings {
    /// A second: writers that pause longer between two pieces are found by the lease.
    fn default() -> Self {
        Self { settle_after: Duration::from_secs(1), look_every: Duration::from_secs(2) }
    }
}

/// A manuscript that has come, whole.
#[derive(Debug, Clone)]
pub struct Manuscript {
    /// Its name relative to the inbox, as the file system has it.
    pub path: PathBuf,
    /// Its bytes, or those of a folder's main file; or why there are none.
    pub bytes: Result<Vec<u8>, String>,
    /// Size, times and inode when it was read.
    pub signature: String,
    /// What came with it, when it is a folder.
    pub beside: Option<Beside>,
}

impl Manuscript {
    /// The path as bytes, as the ledger keeps it.
    #[must_use]
    pub fn path_bytes(&self) -> &[u8] {
        self.path.as_os_str().as_bytes()
    }

    /// A file, or a folder with what is `beside` its text. Of one whose name is too long for its proofs, and is no proof itself, the bytes
    /// do not matter.
    fn new(
        path: PathBuf,
        signature: &Signature,
        bytes: Result<Vec<u8>, String>,
        beside: Option<Beside>,
    ) -> Self {
        let name = path.file_name().filter(|_| manuscript_of(&path).is_none());
        let bytes = match name.and_then(names::too_long) {
            Some(reason) => Err(reason),
            None => bytes,
        };
        Self { path, bytes, signature: signature.as_str().to_owned(), beside }
    }

    fn folder(path: PathBuf, signature: &Signature, bytes: Vec<u8>, beside: Beside) -> Self {
        Self::new(path, signature, Ok(bytes), Some(beside))
    }

    /// How many bytes it holds in memory.
    fn weight(&self) -> usize {
        let text = self.bytes.as_ref().map_or(0, Vec::len);
        text + self.beside.as_ref().map_or(0, |beside| beside.files.weight())
    }

    fn refused(path: PathBuf, signature: &Signature, reason: String) -> Self {
        Self::new(path, signature, Err(reason), None)
    }

    /// Opens it for reading; `bytes` are its own.
    ///
    /// # Errors
    /// As [`manuscript::open`].
    pub fn open(&self, bytes: &[u8]) -> Result<manuscript::Manuscript, manuscript::Unreadable> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        match &self.beside {
            None => manuscript::open(&name, bytes),
            Some(beside) => Ok(manuscript::open(&beside.main, bytes)?.within(&name, beside.files.clone())),
        }
    }

    /// The name of the file whose text is read: its own, or that of a folder's main file.
    #[must_use]
    pub fn text_name(&self) -> String {
        match &self.beside {
            None => self.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            Some(beside) => beside.main.clone(),
        }
    }

    /// What should be kept of it, each with the BLAKE3 hash of its bytes, and first what stands for the whole: the file, or a
    /// list of a folder's text and pictures by name and hash.
    #[must_use]
    pub fn originals<'m>(&'m self, bytes: &'m [u8]) -> Vec<(String, Cow<'m, [u8]>)> {
        let hashed = |bytes: &'m [u8]| (blake3::hash(bytes).to_hex().to_string(), Cow::Borrowed(bytes));
        let Some(beside) = &self.beside else { return vec![hashed(bytes)] };
        let mut kept = vec![hashed(bytes)];
        let mut list = format!("{} {}\n", kept[0].0, beside.main);
        for (name, file) in beside.files.iter() {
            if let manuscript::Companion::Picture(bytes) = file {
                let (hash, bytes) = hashed(bytes);
                let _ = writeln!(list, "{hash} {name}");
                kept.push((hash, bytes));
            }
        }
        kept.insert(0, (blake3::hash(list.as_bytes()).to_hex().to_string(), Cow::Owned(list.into_bytes())));
        kept
    }
}

/// Opens a file by hand, or a folder that is one issue, wherever it lies. In the inbox `root` it is known by its name there, elsewhere by its whole path.
///
/// # Errors
/// When there is no such file, or it cannot be read or changes meanwhile.
pub fn open(root: &Path, file: &Path) -> io::Result<Manuscript> {
    let whole = file.canonicalize()?;
    let metadata = whole.metadata()?;
    let path = match root.canonicalize() {
        Ok(root) => whole.strip_prefix(root).unwrap_or(&whole).to_owned(),
        Err(_) => whole.clone(),
    };
    // A file of a folder that is one issue is not an issue of its own.
    if !metadata.is_dir()
        && path.is_relative()
        && let Some(folder) = issue_around(root, &path)
    {
        return open(root, &folder);
    }
    let busy = || io::Error::other("somebody is writing it just now");
    if metadata.is_dir() {
        let members = Members::of(scan::list(&whole)?.0).ok_or_else(|| {
            io::Error::other(
                "the folder is not one issue: it needs a picture, and one text (or `index.md`, `index.txt` or `issue.md`); \
                 name its files one by one",
            )
        })?;
        let signature = members.signature();
        return match members.take(&whole, true) {
            TakenFolder::Whole(bytes, beside) => Ok(Manuscript::folder(path, &signature, bytes, beside)),
            TakenFolder::Refused(reason) => Ok(Manuscript::refused(path, &signature, reason)),
            TakenFolder::Busy => Err(busy()),
        };
    }
    let signature = Signature::of(&metadata);
    let name = whole.file_name().unwrap_or_default().to_string_lossy();
    let bytes = match settle::take(&whole, &signature, manuscript::max_bytes(&name) as u64)? {
        Taken::Whole(bytes) => Ok(bytes),
        Taken::Large(length) => Err(too_large(&name, length)),
        Taken::Busy => return Err(busy()),
    };
    Ok(Manuscript::new(path, &signature, bytes, None))
}

/// Where the text of a manuscript of the inbox `root` lies: in the file itself, or in the main file of a folder that is one issue. `None` where
/// it is not there, and for one from elsewhere.
#[must_use]
pub fn text_of(root: &Path, manuscript: &Path) -> Option<PathBuf> {
    let path = manuscript.is_relative().then(|| root.join(manuscript))?;
    if path.metadata().ok()?.is_dir() {
        let (files, _) = scan::list(&path).ok()?;
        Members::of(files).map(|members| path.join(members.main()))
    } else {
        Some(path)
    }
}

/// The outermost folder of the inbox around `path` that is one issue.
fn issue_around(root: &Path, path: &Path) -> Option<PathBuf> {
    let mut folders: Vec<&Path> = path.ancestors().skip(1).filter(|f| !f.as_os_str().is_empty()).collect();
    folders.reverse();
    let mut folders = folders.into_iter().map(|folder| root.join(folder));
    folders.find(|folder| scan::list(folder).is_ok_and(|(files, _)| Members::of(files).is_some()))
}

fn too_large(name: &str, length: u64) -> String {
    let (bytes, most) = (usize::try_from(length).unwrap_or(usize::MAX), manuscript::max_bytes(name));
    manuscript::Unreadable::TooLarge { bytes, most }.to_string()
}

/// How many times [`Settings::look_every`] is waited until the next look, or how many times as long as a look takes and how long then at
/// most, where nobody tells of changes,
const LOOKING: (u32, u32, Duration) = (1, 50, Duration::from_mins(10));

/// and where looks only find what the kernel has not told.
const NET: (u32, u32, Duration) = (5, 2000, Duration::from_mins(1));

/// What one look at the inbox gave.
#[derive(Debug, Default)]
pub struct Look {
    /// Manuscripts to deal with, by name.
    pub ready: Vec<Manuscript>,
    /// Files that were known and are gone.
    pub gone: Vec<PathBuf>,
    /// When to look again at the latest.
    pub again: Duration,
}

/// The inbox, with what is known of its files.
pub struct Inbox {
    root: PathBuf,
    settings: Settings,
    known: HashMap<PathBuf, String>,
    /// The known files that were not published: another file's going may change that.
    refused: HashSet<PathBuf>,
    settling: HashMap<PathBuf, (Signature, Instant)>,
    retry: HashMap<PathBuf, (Signature, Instant)>,
    missing: bool,
}

impl Inbox {
    /// The inbox in the folder `root`; `arrivals` is what the ledger knows.
    #[must_use]
    pub fn new(root: &Path, settings: Settings, arrivals: Vec<Arrival>) -> Self {
        let mut known = HashMap::new();
        let mut refused = HashSet::new();
        for arrival in arrivals {
            let path = PathBuf::from(OsString::from_vec(arrival.path));
            // What was published by hand from elsewhere is none of our business.
            if path.is_absolute() {
                continue;
            }
            if matches!(arrival.fate, Fate::Rejected(_)) {
                refused.insert(path.clone());
            }
            known.insert(path, arrival.signature);
        }
        Self {
            root: root.to_owned(),
            settings,
            known,
            refused,
            settling: HashMap::new(),
            retry: HashMap::new(),
            missing: false,
        }
    }

    /// Looks at the folder once; `told` says that somebody is told of changes in it, so that the next look is only a net. A folder that is not there has no files, and nothing in it counts as gone: it may be
    /// a mount that comes back.
    pub fn look(&mut self, now: Instant, told: bool) -> Look {
        let started = Instant::now();
        let (files, unreadable) = match scan::list(&self.root) {
            Ok(listing) => listing,
            Err(error) => {
                if !std::mem::replace(&mut self.missing, true) {
                    tracing::error!(folder = %self.root.display(), %error, "the inbox cannot be listed");
                }
                return Look { again: self.settings.look_every, ..Look::default() };
            }
        };
        if std::mem::take(&mut self.missing) {
            tracing::info!(folder = %self.root.display(), "the inbox is back");
        }
        let local = settle::is_local(&self.root);
        let quiet =
            if local { self.settings.settle_after } else { self.settings.settle_after.max(QUIET_AFAR) };
        // A large folder is looked at less often: looking is to take little of the time. What is written on the far side of a mount, nobody
        // is told of.
        let (times, share, most) = if told && local { NET } else { LOOKING };
        let idle = (self.settings.look_every * times).max((started.elapsed() * share).min(most));
        let mut look = Look { again: idle, ..Look::default() };
        let entries = folders::gather(files);
        if unreadable == 0 {
            look.gone = self.forget_gone(&entries);
        }
        let mut weight = 0;
        for Entry { path, signature, members } in entries {
            if self.known.get(&path).is_some_and(|known| known == signature.as_str()) {
                self.settling.remove(&path);
                continue;
            }
            if let Some((tried, until)) = self.retry.get(&path)
                && *tried == signature
                && now < *until
            {
                look.again = look.again.min(until.saturating_duration_since(now));
                continue;
            }
            let (settled, since) =
                self.settling.entry(path.clone()).or_insert_with(|| (signature.clone(), now));
            if *settled != signature {
                (*settled, *since) = (signature.clone(), now);
            }
            let still = now.saturating_duration_since(*since);
            if still < quiet {
                look.again = look.again.min(quiet.saturating_sub(still));
                continue;
            }
            if weight > ENOUGH || look.ready.len() >= BATCH {
                // What is taken waits in memory, and may be changed or deleted meanwhile.
                look.again = Duration::ZERO;
                break;
            }
            let taken = match &members {
                None => self.take(&path, &signature, still),
                Some(members) => Ok(self.take_folder(&path, &signature, members, still)),
            };
            match taken {
                Ok(Some(manuscript)) => {
                    weight += manuscript.weight();
                    look.ready.push(manuscript);
                }
                Ok(None) => look.again = look.again.min(quiet),
                Err(error) => {
                    tracing::warn!(manuscript = %path.display(), %error, "a file cannot be read just now");
                    self.settling.remove(&path);
                    self.retry.insert(path, (signature, now + RETRY));
                    look.again = look.again.min(RETRY);
                }
            }
        }
        look
    }

    /// What became of a manuscript is in the ledger: it is not looked at again until it changes.
    pub fn done(&mut self, manuscript: &Manuscript) {
        self.settling.remove(&manuscript.path);
        self.retry.remove(&manuscript.path);
        self.refused.remove(&manuscript.path);
        self.known.insert(manuscript.path.clone(), manuscript.signature.clone());
    }

    /// A file is to be looked at anew, though it has not changed: its proof has gone.
    pub fn again(&mut self, path: &Path) {
        self.known.remove(path);
    }

    /// As [`Inbox::done`], of a manuscript that was not published: it is also looked at again when another file goes, such as
    /// the one that had its issue's key.
    pub fn refused(&mut self, manuscript: &Manuscript) {
        self.done(manuscript);
        self.refused.insert(manuscript.path.clone());
    }

    /// Whether a note lies beside a file.
    #[must_use]
    pub fn tells(&self, path: &Path) -> bool {
        beside::note_of(&self.root, path).exists()
    }

    /// A manuscript could not be dealt with now; it comes again after a while, or at once when it changes.
    pub fn postpone(&mut self, manuscript: &Manuscript, now: Instant) {
        if let Some((signature, _)) = self.settling.remove(&manuscript.path) {
            self.retry.insert(manuscript.path.clone(), (signature, now + RETRY));
        }
    }

    /// Lays a note beside a file that says why it was not published, or takes it away.
    ///
    /// # Errors
    /// When the inbox cannot be written to.
    pub fn tell(&self, path: &Path, reason: Option<&str>) -> io::Result<()> {
        beside::tell(&self.root, path, reason)
    }

    fn forget_gone(&mut self, entries: &[Entry]) -> Vec<PathBuf> {
        let is_there = |path: &PathBuf| entries.binary_search_by(|entry| entry.path.cmp(path)).is_ok();
        self.settling.retain(|path, _| is_there(path));
        let known = self.known.keys().chain(self.retry.keys());
        let gone: BTreeSet<PathBuf> = known.filter(|path| !is_there(path)).cloned().collect();
        self.retry.retain(|path, _| is_there(path));
        if !gone.is_empty() {
            let refused = std::mem::take(&mut self.refused);
            self.known.retain(|path, _| is_there(path) && !refused.contains(path));
        }
        gone.into_iter().collect()
    }

    /// The folder, if all its members are whole; `still` is for how long nobody has changed any.
    fn take_folder(
        &self,
        path: &Path,
        signature: &Signature,
        members: &Members,
        still: Duration,
    ) -> Option<Manuscript> {
        let patient = still >= self.settings.settle_after * PATIENCE;
        match members.take(&self.root.join(path), patient) {
            TakenFolder::Whole(bytes, beside) => {
                let manuscript = Manuscript::folder(path.to_owned(), signature, bytes, beside);
                (!self.waits_for_pictures(&manuscript, still)).then_some(manuscript)
            }
            TakenFolder::Refused(reason) => Some(Manuscript::refused(path.to_owned(), signature, reason)),
            TakenFolder::Busy => None,
        }
    }

    /// The file, if it is whole; `still` is for how long nobody has changed it. An error may pass; only that we may not read
    /// it is for its editor to mend.
    fn take(&self, path: &Path, signature: &Signature, still: Duration) -> io::Result<Option<Manuscript>> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let bytes = if manuscript::is_manuscript(&name) {
            match settle::take(&self.root.join(path), signature, manuscript::max_bytes(&name) as u64) {
                Ok(Taken::Busy) => return Ok(None),
                Ok(Taken::Whole(bytes))
                    if (settle::is_cut(&bytes) || manuscript::lacks_end(&name, &bytes))
                        && still < self.settings.settle_after * PATIENCE =>
                {
                    return Ok(None);
                }
                Ok(Taken::Whole(bytes)) => Ok(bytes),
                Ok(Taken::Large(length)) => Err(too_large(&name, length)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    Err(format!("cannot read it: {error}; check who may read the file, then save it again"))
                }
                Err(error) => return Err(error),
            }
        } else {
            // Its name is enough to tell; what is in it need not be read.
            Ok(Vec::new())
        };
        let manuscript = Manuscript::new(path.to_owned(), signature, bytes, None);
        // A text right in the inbox is alone; one in a folder of its own may be the first file of an issue.
        let alone = path.parent().is_none_or(|folder| folder.as_os_str().is_empty())
            || manuscript::Form::of(&name) == Some(manuscript::Form::Archive);
        Ok((alone || !self.waits_for_pictures(&manuscript, still)).then_some(manuscript))
    }

    /// Whether pictures that a text names may still come; `still` is for how long nothing has.
    fn waits_for_pictures(&self, manuscript: &Manuscript, still: Duration) -> bool {
        let Ok(bytes) = &manuscript.bytes else { return false };
        still < self.settings.settle_after * PATIENCE_FOR_PICTURES
            && manuscript_of(&manuscript.path).is_none()
            && manuscript.open(bytes).is_ok_and(|text| text.lacks_pictures())
    }
}
