//! What readers of this process asked of a bucket, kept in a folder within bounds: who has been asked for least lately goes first.

use std::{
    collections::{HashMap, VecDeque},
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use super::{Coding, Error, packing};
use crate::durable;

/// The most bytes that are kept, without the packed forms.
const ROOM: u64 = 256 << 20;

/// The most paths of which it is kept that nothing is there.
const NOTHINGS: usize = 4096;

/// How long a file stays that is kept no longer: a reader's answer may be about to open it.
const GRACE: Duration = Duration::from_mins(1);

/// The folder of one process, and what is known of the files in it. No file is written twice: another one is made.
#[derive(Debug)]
pub(super) struct Kept {
    /// In which it is, beside those of other processes.
    pub(super) parent: PathBuf,
    room: u64,
    own: Mutex<Option<Own>>,
    shelf: Mutex<Shelf>,
}

/// The folder, once there is something to be kept.
#[derive(Debug)]
struct Own {
    root: PathBuf,
    /// Says that the folder is in use, as long as it is open.
    _held: File,
}

#[derive(Debug, Default)]
struct Shelf {
    files: HashMap<String, Known>,
    bytes: u64,
    uses: u64,
    /// How many files have been made.
    made: u64,
    /// What goes when its time has come.
    leaving: VecDeque<(Instant, Vec<PathBuf>)>,
    /// How many of the paths have nothing.
    nothings: usize,
}

/// What is known of a path.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// Its file, if there is one.
    pub(super) file: Option<PathBuf>,
    pub(super) packed: Vec<(Coding, PathBuf)>,
    /// The tag that the bucket gave it.
    pub(super) tag: Option<String>,
    /// How the bucket stood when it was last said to be so.
    pub(super) as_of: u64,
    bytes: u64,
    used: u64,
}

impl Known {
    fn files(&self) -> Vec<PathBuf> {
        self.file.iter().chain(self.packed.iter().map(|(_, file)| file)).cloned().collect()
    }
}

impl Kept {
    /// Will keep files in a folder in `parent`.
    pub(super) fn within(parent: &Path) -> Self {
        Self { parent: parent.to_owned(), room: ROOM, own: Mutex::default(), shelf: Mutex::default() }
    }

    /// The folder, which is made when it is first needed.
    fn root(&self) -> io::Result<PathBuf> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let own = match &mut *own {
            Some(own) => own,
            none => none.insert(Own::take(&self.parent)?),
        };
        Ok(own.root.clone())
    }

    /// What is known of a path, which is used by that.
    pub(super) fn known(&self, path: &str) -> Option<Known> {
        let mut shelf = self.shelf();
        shelf.uses += 1;
        let uses = shelf.uses;
        let known = shelf.files.get_mut(path)?;
        known.used = uses;
        Some(known.clone())
    }

    /// Says that a file still is as it is kept.
    pub(super) fn confirm(&self, path: &str, as_of: u64) {
        if let Some(known) = self.shelf().files.get_mut(path) {
            known.as_of = known.as_of.max(as_of);
        }
    }

    /// Keeps a file that was put at `put_at`, with the packed forms that are worth it, unless something later is known of it. Gives where it
    /// is. It waits for the disk, and nobody else does meanwhile.
    pub(super) fn keep(
        &self,
        path: &str,
        bytes: &[u8],
        tag: Option<String>,
        put_at: SystemTime,
        as_of: u64,
    ) -> Result<PathBuf, Error> {
        let number = {
            let mut shelf = self.shelf();
            shelf.made += 1;
            shelf.made
        };
        let root = self.root().map_err(|source| Error::Folder { path: self.parent.clone(), source })?;
        let file = root.join(number.to_string());
        let mut packed = Vec::new();
        let failed = |source| Error::Write { path: file.clone(), source };
        write(&file, bytes, put_at).map_err(failed)?;
        for (coding, form) in packing::pack_all(path, bytes).map_err(failed)? {
            if let Some(form) = form {
                let beside = packing::beside(&file, coding);
                write(&beside, &form, put_at).map_err(failed)?;
                packed.push((coding, beside));
            }
        }
        let mut shelf = self.shelf();
        shelf.uses += 1;
        let used = shelf.uses;
        let known = Known { file: Some(file.clone()), packed, tag, as_of, bytes: bytes.len() as u64, used };
        let gone = if shelf.files.get(path).is_some_and(|later| later.as_of > as_of) {
            // It is read once, for whoever asked before that.
            shelf.leaving.push_back((Instant::now(), known.files()));
            shelf.gone()
        } else {
            shelf.put(path, known);
            shelf.make_room(self.room);
            shelf.gone()
        };
        drop(shelf);
        remove(gone);
        Ok(file)
    }

    /// Says that nothing is there.
    pub(super) fn forget(&self, path: &str, as_of: u64) {
        let mut shelf = self.shelf();
        if shelf.files.get(path).is_some_and(|later| later.as_of > as_of) {
            return;
        }
        if shelf.nothings >= NOTHINGS {
            shelf.files.retain(|_, known| known.file.is_some());
            shelf.nothings = 0;
        }
        let used = shelf.uses;
        shelf.put(path, Known { file: None, packed: vec![], tag: None, as_of, bytes: 0, used });
        let gone = shelf.gone();
        drop(shelf);
        remove(gone);
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Own {
    /// Takes a folder in `parent` that no other process has, and empties it.
    fn take(parent: &Path) -> io::Result<Self> {
        durable::make_private_folder(parent)?;
        let mut n = 0_u32;
        loop {
            let lock = parent.join(format!("{n}.lock"));
            let held = OpenOptions::new().write(true).create(true).truncate(false).open(lock)?;
            match held.try_lock() {
                Ok(()) => {
                    let root = parent.join(n.to_string());
                    match fs::remove_dir_all(&root) {
                        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                        _ => {}
                    }
                    durable::make_folders(&root)?;
                    return Ok(Self { root, _held: held });
                }
                Err(fs::TryLockError::WouldBlock) => n += 1,
                Err(fs::TryLockError::Error(error)) => return Err(error),
            }
        }
    }
}

impl Shelf {
    fn put(&mut self, path: &str, known: Known) {
        self.take(path);
        self.bytes += known.bytes;
        self.nothings += usize::from(known.file.is_none());
        self.files.insert(path.to_owned(), known);
    }

    /// Takes a path out; its files go in a while.
    fn take(&mut self, path: &str) {
        let Some(known) = self.files.remove(path) else { return };
        self.bytes -= known.bytes;
        self.nothings -= usize::from(known.file.is_none());
        self.leaving.push_back((Instant::now(), known.files()));
    }

    fn make_room(&mut self, room: u64) {
        while self.bytes > room {
            let kept = self.files.iter().filter(|(_, known)| known.file.is_some());
            let oldest = kept.min_by_key(|(_, known)| known.used).map(|(path, _)| path.clone());
            let Some(oldest) = oldest else { break };
            self.take(&oldest);
        }
    }

    /// The files whose time has come.
    fn gone(&mut self) -> Vec<PathBuf> {
        let mut gone = Vec::new();
        while self.leaving.front().is_some_and(|(since, _)| since.elapsed() > GRACE) {
            gone.extend(self.leaving.pop_front().into_iter().flat_map(|(_, files)| files));
        }
        gone
    }
}

/// Writes a file that nobody knows yet, and that need not outlast this process.
fn write(file: &Path, bytes: &[u8], put_at: SystemTime) -> io::Result<()> {
    fs::write(file, bytes)?;
    File::options().write(true).open(file)?.set_modified(put_at)
}

fn remove(files: Vec<PathBuf>) {
    for file in files {
        // The folder is emptied at the next start.
        let _ = fs::remove_file(file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(room: u64) -> (tempfile::TempDir, Kept) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let kept = Kept { room, ..Kept::within(folder.path()) };
        (folder, kept)
    }

    fn keep(kept: &Kept, path: &str, bytes: &[u8], as_of: u64) -> PathBuf {
        kept.keep(path, bytes, None, SystemTime::UNIX_EPOCH, as_of).expect("kept")
    }

    #[test]
    fn who_was_asked_for_least_lately_goes_first_and_stays_readable_for_a_while() {
        let (_folder, kept) = kept(100);
        let first = keep(&kept, "a.epub", &[1; 40], 1);
        keep(&kept, "b.epub", &[2; 40], 1);
        assert!(kept.known("a.epub").is_some());
        keep(&kept, "c.epub", &[3; 40], 1);
        assert!(kept.known("b.epub").is_none() && kept.known("a.epub").is_some());
        keep(&kept, "d.epub", &[4; 90], 1);
        assert!(kept.known("a.epub").is_none() && kept.known("c.epub").is_none());
        assert_eq!(fs::read(first).expect("still there"), [1; 40]);
        let longer = keep(&kept, "e.epub", &[5; 101], 1);
        assert!(kept.known("e.epub").is_none(), "it has no room");
        assert_eq!(fs::read(longer).expect("there").len(), 101);
    }

    #[test]
    fn what_comes_late_replaces_nothing_newer() {
        let (_folder, kept) = kept(1000);
        keep(&kept, "a.html", b"new", 2);
        let late = keep(&kept, "a.html", b"old", 1);
        kept.forget("a.html", 1);
        let known = kept.known("a.html").and_then(|known| known.file).expect("known");
        assert_eq!(fs::read(known).expect("there"), b"new");
        assert_eq!(fs::read(late).expect("there"), b"old");
        kept.forget("a.html", 3);
        assert!(kept.known("a.html").is_some_and(|known| known.file.is_none() && known.as_of == 3));
    }

    #[test]
    fn strangers_paths_that_lead_nowhere_take_bounded_room() {
        let (_folder, kept) = kept(1000);
        keep(&kept, "a.html", b"text", 1);
        for n in 0..3 * NOTHINGS {
            kept.forget(&format!("{n}.html"), 1);
        }
        assert!(kept.shelf().files.len() <= NOTHINGS + 1);
        assert!(kept.known("a.html").is_some_and(|known| known.file.is_some()));
    }

    #[test]
    fn two_processes_keep_their_files_apart() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [one, two] = [0, 1].map(|_| Kept::within(&folder.path().join("kept")));
        assert!(!folder.path().join("kept").exists(), "nothing is made before it is needed");
        assert_ne!(keep(&one, "a", b"a", 1), keep(&two, "a", b"a", 1));
    }
}
