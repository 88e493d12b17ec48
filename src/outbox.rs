//! What readers are served from: a folder or a bucket in which every file is whole and every link is kept.

mod bucket;
mod folder;
mod kept;
mod kinds;
mod packing;
mod stamp;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

pub use bucket::{Access, PATIENCE};
pub use kinds::{keeping, media_type};
pub use packing::Coding;

use crate::{durable, editions::Edition};
use bucket::Bucket;
use folder::Folder;
use stamp::Changes;

/// The outbox could not take a file; readers still see what they saw before.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be put in its place.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that must be there could not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The folder could not be made or tidied.
    #[error("cannot use the outbox `{}`", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another daemon leads now, and this one changes nothing any more.
    #[error("another daemon leads now, and it alone changes the outbox")]
    Led,
    /// The path is not one that an edition may have.
    #[error("`{path}` is no path in the outbox")]
    Path {
        /// Which.
        path: String,
    },
    /// The bucket did not do what it was asked.
    #[error("cannot {what} in the bucket `{bucket}`")]
    Bucket {
        /// Which.
        bucket: String,
        /// What it was asked.
        what: String,
        /// What it answered.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another process has put out something newer since this one had its turn at the press.
    #[error(
        "another process has changed `{path}` in the bucket `{bucket}` meanwhile; nothing of it was overwritten"
    )]
    Overtaken {
        /// Which.
        bucket: String,
        /// The object that is newer.
        path: String,
    },
    /// The bucket cannot be used as it is set.
    #[error("cannot use the bucket `{bucket}`: {why}")]
    Settings {
        /// Which.
        bucket: String,
        /// What is wrong.
        why: String,
    },
}

/// What readers are served from.
#[derive(Debug, Clone)]
pub struct Outbox {
    place: Place,
    /// Counts the changes, where somebody keeps copies of what is there.
    changes: Changes,
    /// What all files were last found to have, at which count of changes and when.
    weighed: Arc<Mutex<Option<Weighed>>>,
}

/// Where the files are.
#[derive(Debug, Clone)]
enum Place {
    Folder(Folder),
    Bucket(Arc<Bucket>),
}

/// How many bytes the files had.
#[derive(Debug, Clone, Copy)]
struct Weighed {
    bytes: u64,
    changes: Option<u64>,
    at: Instant,
}

/// How long what the files weigh is good, when nothing has changed and when something has: to weigh them is to look at each.
const WEIGHED_FOR: [Duration; 2] = [Duration::from_hours(1), Duration::from_mins(1)];

impl Outbox {
    /// The folder on this machine: that of all files, or that in which each process keeps those of a bucket that its readers asked for last.
    /// The latter is made when it is needed.
    #[must_use]
    pub fn root(&self) -> &Path {
        match &self.place {
            Place::Folder(folder) => &folder.root,
            Place::Bucket(bucket) => bucket.window.root(),
        }
    }

    /// Opens the outbox in a folder, making that.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(root: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Folder { path: root.to_owned(), source };
        durable::make_folders(root).map_err(failed)?;
        Ok(Self::of(Place::Folder(Folder { root: root.to_owned() })))
    }

    /// Opens the outbox in a bucket. What readers of this process ask for will be kept in a folder in `kept`. Nothing is made, or
    /// asked of the bucket yet.
    ///
    /// # Errors
    /// When the bucket cannot be used as it is set.
    pub fn open_bucket(access: &Access, kept: &Path) -> Result<Self, Error> {
        Ok(Self::of(Place::Bucket(Arc::new(Bucket::open(access, kept)?))))
    }

    fn of(place: Place) -> Self {
        Self { place, changes: Changes::default(), weighed: Arc::default() }
    }

    /// The same outbox, whose changes are counted in the file `stamp`: by all processes that name the same file.
    ///
    /// # Errors
    /// When that file cannot be made.
    pub fn stamped(self, stamp: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Write { path: stamp.to_owned(), source };
        Ok(Self { changes: self.changes.counted(stamp).map_err(failed)?, ..self })
    }

    /// The same outbox, which is changed only while `may` says so: it is asked before the name of each file is changed, and must not
    /// wait. What it says no to ends with [`Error::Led`].
    #[must_use]
    pub fn only_while(self, may: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { changes: self.changes.only_while(may), ..self }
    }

    /// How many changes there were: what was read while this stayed the same is what readers may have. `None` while one is made,
    /// where changes are not counted, or where nobody can tell.
    ///
    /// It is odd from before the first file of a change is touched until after the last one, whichever process makes the change. One at a
    /// time makes them, the one that holds the press. Changes of a bucket that were made elsewhere count once they are seen.
    #[must_use]
    pub fn changes(&self) -> Option<u64> {
        let count = self.changes.count().filter(|count| count % 2 == 0)?;
        match &self.place {
            Place::Folder(_) => Some(count),
            Place::Bucket(bucket) => Some(count.wrapping_add(bucket.window.seen() << 32)),
        }
    }

    /// Looks whether others have changed the outbox, where that must be asked; at most every two seconds. It waits for the network.
    pub fn look(&self) {
        if let Place::Bucket(bucket) = &self.place {
            bucket.window.look();
        }
    }

    /// Whether what was fetched of a path is what the outbox was last seen to have, as far as that does not show in the file itself.
    #[must_use]
    pub fn is_fresh(&self, path: &str) -> bool {
        match &self.place {
            Place::Folder(_) => true,
            Place::Bucket(bucket) => bucket.window.is_fresh(path),
        }
    }

    /// Begins this process's turn at the press: who had it before at the same bucket cannot change anything any more. Whoever becomes the
    /// one that prints calls it before he reads from the ledger what he will print. A folder has no turns of its own.
    ///
    /// # Errors
    /// When the bucket does not answer, or another process begins its turn in this very moment; nothing can be changed then.
    pub fn takes_turn(&self) -> Result<(), Error> {
        match &self.place {
            Place::Folder(_) => Ok(()),
            Place::Bucket(bucket) => bucket.takes_turn(),
        }
    }

    /// How many bytes all files have, to a minute; to an hour in a bucket, which must list them for that. It waits for the disk or the network.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let mut weighed = self.weighed.lock().unwrap_or_else(PoisonError::into_inner);
        let (changes, now) = (self.changes(), Instant::now());
        let good_for = |known: &Weighed| WEIGHED_FOR[usize::from(self.is_here() && known.changes != changes)];
        if let Some(known) = weighed.as_ref().filter(|known| now.duration_since(known.at) < good_for(known)) {
            return known.bytes;
        }
        let bytes = match &self.place {
            Place::Folder(folder) => folder::weight(&folder.root),
            // Where it cannot be asked now, what was known is near enough.
            Place::Bucket(bucket) => {
                bucket.weight().unwrap_or_else(|_| weighed.as_ref().map_or(0, |known| known.bytes))
            }
        };
        *weighed = Some(Weighed { bytes, changes, at: now });
        bytes
    }

    /// Removes the temporary files that a crash left, where that can be done. Only the process that holds the press may call
    /// it. Gives how many.
    #[must_use]
    pub fn sweep(&self) -> usize {
        match &self.place {
            Place::Folder(folder) => durable::sweep(&folder.root),
            // An object is there as a whole or not at all.
            Place::Bucket(_) => 0,
        }
    }

    /// Puts editions out in the order given, each whole, the texts with their packed forms before them: what others link to comes
    /// first. On return all are on the disk, or in the bucket. Gives how many had to be written; those that are there already with the
    /// same bytes had not.
    ///
    /// # Errors
    /// When one cannot be put; see [`durable::put_all`] for what is there then.
    pub fn put<'e>(&self, editions: impl IntoIterator<Item = &'e Edition>) -> Result<usize, Error> {
        match &self.place {
            Place::Folder(folder) => folder.put(editions, &self.changes),
            Place::Bucket(bucket) => bucket.put(editions, &self.changes),
        }
    }

    /// The bytes of a file that must be there.
    ///
    /// # Errors
    /// When it is not, or cannot be read.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, Error> {
        let absent = || Error::Read { path: path.into(), source: io::ErrorKind::NotFound.into() };
        match &self.place {
            Place::Folder(folder) => {
                let file = folder.place(path).ok_or_else(|| Error::Path { path: path.to_owned() })?;
                fs::read(&file).map_err(|source| Error::Read { path: file, source })
            }
            Place::Bucket(bucket) => bucket.bytes_of(path)?.ok_or_else(absent),
        }
    }

    /// The text of a file as it is now; `None` where there is none, and where it is no text.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn text(&self, path: &str) -> Result<Option<String>, Error> {
        let bytes = match &self.place {
            Place::Folder(folder) => match folder.find(path) {
                None => return Ok(None),
                Some(file) => match fs::read(&file) {
                    Ok(bytes) => Some(bytes),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                    Err(source) => return Err(Error::Read { path: file, source }),
                },
            },
            Place::Bucket(bucket) => bucket.bytes_of(path)?,
        };
        Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
    }

    /// The packed forms of a path that are there.
    #[must_use]
    pub fn packed(&self, path: &str) -> Vec<(Coding, PathBuf)> {
        match &self.place {
            Place::Folder(folder) => folder.packed(path),
            Place::Bucket(bucket) => bucket.window.packed(path),
        }
    }

    /// Puts the file at `from` out under the name `to` as well. Says whether it had to be written.
    ///
    /// # Errors
    /// When it cannot be read or put.
    pub fn copy(&self, from: &str, to: &str) -> Result<bool, Error> {
        match &self.place {
            Place::Folder(_) => {
                Ok(self.put([&Edition { path: to.to_owned(), bytes: self.read(from)? }])? == 1)
            }
            Place::Bucket(bucket) => bucket.copy(from, to, &self.changes),
        }
    }

    /// Removes the file of a path, if it is there. Says whether it was.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&self, path: &str) -> Result<bool, Error> {
        match &self.place {
            Place::Folder(folder) => folder.remove(path, &self.changes),
            Place::Bucket(bucket) => bucket.remove(path, &self.changes),
        }
    }

    /// Removes a folder with everything in it, if it is there.
    ///
    /// # Errors
    /// When it cannot be removed; some of its files may be gone by then.
    pub fn remove_folder(&self, path: &str) -> Result<(), Error> {
        match &self.place {
            Place::Folder(folder) => folder.remove_folder(path, &self.changes),
            Place::Bucket(bucket) => bucket.remove_folder(path, &self.changes),
        }
    }

    /// The file of a path such as `issues/7/index.html`, if it is one that readers may have and is there. From a bucket it is brought
    /// first, unless this machine has it; there it stays for a minute at least. It waits for the disk or the network.
    ///
    /// # Errors
    /// When the bucket does not answer, and it is not known of before what is there.
    pub fn fetch(&self, path: &str) -> Result<Option<PathBuf>, Error> {
        match &self.place {
            Place::Folder(folder) => Ok(folder.find(path)),
            Place::Bucket(bucket) => bucket.window.fetch(path),
        }
    }

    /// How many bytes the file of a path has, if it is there.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub fn length(&self, path: &str) -> Result<Option<u64>, Error> {
        match &self.place {
            Place::Folder(folder) => {
                let Some(file) = folder.find(path) else { return Ok(None) };
                match fs::metadata(&file) {
                    Ok(found) => Ok(Some(found.len())),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(source) => Err(Error::Read { path: file, source }),
                }
            }
            Place::Bucket(bucket) => bucket.length(path),
        }
    }

    /// Whether all files are on this machine.
    #[must_use]
    pub fn is_here(&self) -> bool {
        matches!(self.place, Place::Folder(_))
    }

    /// Whether the outbox is there. One in a bucket always is, as far as this machine is concerned: readers are served what is known.
    #[must_use]
    pub fn is_there(&self) -> bool {
        match &self.place {
            Place::Folder(folder) => folder.root.is_dir(),
            Place::Bucket(_) => true,
        }
    }

    /// Tries whether it can be written.
    ///
    /// # Errors
    /// When it cannot.
    pub fn try_writing(&self) -> Result<(), Error> {
        match &self.place {
            Place::Folder(Folder { root }) => {
                durable::try_writing(root).map_err(|source| Error::Folder { path: root.clone(), source })
            }
            Place::Bucket(bucket) => bucket.try_writing(),
        }
    }
}

/// Whether a path is one that an edition may have: only names of letters, digits, `-`, `_` and `.` that do not begin with a dot, so
/// that none leads out of the folder or to a temporary file.
fn is_name(path: &str) -> bool {
    let name = |segment: &str| {
        !segment.is_empty()
            && !segment.starts_with('.')
            && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    path.split('/').all(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_the_outbox() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let outbox = Outbox::open(folder.path()).expect("opened");
        for path in
            ["", "/", "../x", "a/../b", "a//b", ".tmp-1", "a/.b", "a\\b", "a b", "%2e%2e/x", "a\0b", "理"]
        {
            assert!(!is_name(path), "{path:?}");
            let edition = Edition { path: path.to_owned(), bytes: vec![] };
            assert!(matches!(outbox.put([&edition]), Err(Error::Path { .. })), "{path:?}");
        }
    }

    #[test]
    fn a_text_lies_beside_its_packed_forms_and_goes_with_them() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let outbox = Outbox::open(folder.path()).expect("opened");
        let edition =
            |words: &str| Edition { path: "a.html".to_owned(), bytes: words.repeat(3000).into_bytes() };
        let unpacked = || {
            let packed = outbox.packed("a.html");
            assert_eq!(packed.len(), Coding::ALL.len(), "all are worth it");
            packed.into_iter().map(|(coding, file)| {
                packing::unpack(coding, &fs::read(file).expect("readable")).expect("whole")
            })
        };
        for words in ["理论 ", "the bell "] {
            let edition = edition(words);
            outbox.put([&edition]).expect("put");
            assert!(unpacked().all(|bytes| bytes == edition.bytes));
        }
        for n in [200, 20_000] {
            let bytes = "the bell ".repeat(n).into_bytes();
            outbox.put([&Edition { path: "a.html".to_owned(), bytes }]).expect("put");
            let found: Vec<Coding> = outbox.packed("a.html").into_iter().map(|(coding, _)| coding).collect();
            assert_eq!(found, [Coding::Gzip], "a short and a long text are packed by gzip alone");
        }
        outbox.put([&Edition { path: "a.html".to_owned(), bytes: b"short".to_vec() }]).expect("put");
        assert!(outbox.packed("a.html").is_empty(), "the old forms are gone");
        outbox.put([&edition("x")]).expect("put");
        assert!(outbox.remove("a.html").expect("removed"));
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 0);
    }

    #[test]
    fn lists_that_come_with_every_issue_are_packed_by_gzip_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let outbox = Outbox::open(folder.path()).expect("opened");
        for path in ["opds/root.json", "sitemaps/2026.xml", "authors/ada-quill.html", "archive/2026.html"] {
            let bytes = "the bell ".repeat(3000).into_bytes();
            outbox.put([&Edition { path: path.to_owned(), bytes }]).expect("put");
            let found: Vec<Coding> = outbox.packed(path).into_iter().map(|(coding, _)| coding).collect();
            assert_eq!(found, [Coding::Gzip], "{path}");
        }
    }

    #[test]
    fn every_change_is_counted_for_every_process_and_no_change_is_not() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let stamp = folder.path().join("stamp");
        let open = || Outbox::open(&folder.path().join("out")).and_then(|outbox| outbox.stamped(&stamp));
        let (ours, theirs) = (open().expect("opened"), open().expect("opened"));
        let mut last = ours.changes();
        assert!(last.is_some());
        let mut counted = |is: bool, what: &str| {
            let now = ours.changes();
            assert_eq!(now != last, is, "{what}");
            last = now;
        };
        let edition = Edition { path: "a/b.html".to_owned(), bytes: b"words".to_vec() };
        theirs.put([&edition]).expect("put");
        counted(true, "put out by another");
        theirs.put([&edition]).expect("put");
        counted(false, "put out again");
        theirs.copy("a/b.html", "c.html").expect("copied");
        counted(true, "copied");
        assert!(!theirs.remove("d.html").expect("removed"));
        counted(false, "nothing was removed");
        assert!(theirs.remove("c.html").expect("removed"));
        counted(true, "removed");
        theirs.remove_folder("a").expect("removed");
        counted(true, "a folder was removed");
        ours.changes.advance();
        assert_eq!(ours.changes(), None, "a change is made, or was when somebody died over it");
        theirs.put([&edition]).expect("put");
        assert!(ours.changes().is_some(), "the next change ends what a crash began");
        fs::remove_file(&stamp).expect("removed");
        assert_eq!(ours.changes(), None, "nobody counts there any more");
    }

    #[test]
    fn an_edition_is_found_where_it_was_put() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let outbox = Outbox::open(folder.path()).expect("opened");
        let edition = Edition { path: "issues/7/index.html".to_owned(), bytes: b"<!DOCTYPE html>".to_vec() };
        assert_eq!(outbox.put([&edition, &edition]).expect("put"), 1);
        assert!(outbox.fetch("issues/7/index.html").expect("looked").is_some());
        assert!(outbox.fetch("issues/7").expect("looked").is_none(), "a folder is no file");
    }
}
