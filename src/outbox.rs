//! What readers are served from: a folder in which every file is whole and every link is kept.

mod packing;
mod stamp;

use std::{
    borrow::Cow,
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

pub use packing::Coding;

use crate::{durable, editions::Edition};
use stamp::Stamp;

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
    /// The path is not one that an edition may have.
    #[error("`{path}` is no path in the outbox")]
    Path {
        /// Which.
        path: String,
    },
}

/// The folder that any web server can serve.
#[derive(Debug, Clone)]
pub struct Outbox {
    root: PathBuf,
    /// Counts the changes, where somebody keeps copies of what is there.
    stamp: Option<Stamp>,
    /// What all files were last found to have, at which count of changes and when.
    weighed: Arc<Mutex<Option<Weighed>>>,
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
    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Opens the outbox, making its folder.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(root: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Folder { path: root.to_owned(), source };
        durable::make_folders(root).map_err(failed)?;
        Ok(Self { root: root.to_owned(), stamp: None, weighed: Arc::default() })
    }

    /// The same outbox, whose changes are counted in the file `stamp`: by all processes that name the same file.
    ///
    /// # Errors
    /// When that file cannot be made.
    pub fn stamped(self, stamp: &Path) -> Result<Self, Error> {
        let opened = Stamp::open(stamp).map_err(|source| Error::Write { path: stamp.to_owned(), source })?;
        Ok(Self { stamp: Some(opened), ..self })
    }

    /// How many changes there were: what was read while this stayed the same is what readers may have. `None` while one is made,
    /// where changes are not counted, or where nobody can tell.
    ///
    /// It is odd from before the first file of a change is touched until after the last one, whichever process makes the change. One at a
    /// time makes them, the one that holds the press.
    #[must_use]
    pub fn changes(&self) -> Option<u64> {
        self.stamp.as_ref()?.count().filter(|count| count % 2 == 0)
    }

    /// How many bytes all files have, to a minute. It waits for the disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let mut weighed = self.weighed.lock().unwrap_or_else(PoisonError::into_inner);
        let (changes, now) = (self.changes(), Instant::now());
        let good_for = |known: &Weighed| WEIGHED_FOR[usize::from(known.changes != changes)];
        if let Some(known) = weighed.as_ref().filter(|known| now.duration_since(known.at) < good_for(known)) {
            return known.bytes;
        }
        let bytes = weight(&self.root);
        *weighed = Some(Weighed { bytes, changes, at: now });
        bytes
    }

    /// Makes a change that is counted.
    fn change<T>(&self, make: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let Some(stamp) = &self.stamp else { return make() };
        // Where a crash left it odd, this change goes on from there.
        if stamp.count().is_none_or(|count| count % 2 == 0) {
            stamp.advance().map_err(|source| Error::Write { path: self.root.clone(), source })?;
        }
        let made = make();
        // Where this fails the files are out all the same, and copies are not used.
        let _ = stamp.advance();
        made
    }

    /// Removes the temporary files that a crash left, where that can be done. Only the process that holds the press may call
    /// it. Gives how many.
    #[must_use]
    pub fn sweep(&self) -> usize {
        durable::sweep(&self.root)
    }

    /// Puts editions out in the order given, each whole, the texts with their packed forms before them: what others link to comes
    /// first. On return all are on the disk. Gives how many had to be written; those that are there already with the same bytes
    /// had not.
    ///
    /// # Errors
    /// When one cannot be put; see [`durable::put_all`] for what is there then.
    pub fn put<'e>(&self, editions: impl IntoIterator<Item = &'e Edition>) -> Result<usize, Error> {
        let failed = |(path, source)| Error::Write { path, source };
        let mut files: Vec<(PathBuf, Cow<'e, [u8]>)> = Vec::new();
        let mut seen = HashSet::new();
        let mut written = 0;
        for edition in editions {
            let path = self.place(&edition.path).ok_or_else(|| Error::Path { path: edition.path.clone() })?;
            // A style sheet that several pages need comes with each of them.
            if !seen.insert(path.clone()) {
                continue;
            }
            let new =
                !durable::holds(&path, &edition.bytes).map_err(|source| failed((path.clone(), source)))?;
            written += usize::from(new);
            // Where a text is there with these bytes, its packed forms are too.
            if new && packing::is_packable(&edition.path) {
                files.extend(packed(&path, edition).map_err(|source| failed((path.clone(), source)))?);
            }
            files.push((path, Cow::Borrowed(&edition.bytes)));
        }
        let files: Vec<(PathBuf, &[u8])> =
            files.iter().map(|(path, bytes)| (path.clone(), &**bytes)).collect();
        let put = || durable::put_all(&files).map_err(failed);
        // What is there already is only synced.
        if written == 0 {
            put()?
        } else {
            self.change(put)?
        };
        Ok(written)
    }

    /// The bytes of a file that is there.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, Error> {
        let path = self.place(path).ok_or_else(|| Error::Path { path: path.to_owned() })?;
        fs::read(&path).map_err(|source| Error::Read { path, source })
    }

    /// The packed forms of a path that are there.
    #[must_use]
    pub fn packed(&self, path: &str) -> Vec<(Coding, PathBuf)> {
        let Some(file) = self.place(path).filter(|_| packing::is_packable(path)) else { return Vec::new() };
        let there = |beside: &PathBuf| fs::symlink_metadata(beside).is_ok_and(|metadata| metadata.is_file());
        let beside = Coding::ALL.into_iter().map(|coding| (coding, packing::beside(&file, coding)));
        beside.filter(|(_, beside)| there(beside)).collect()
    }

    /// Puts the file at `from` out under the name `to` as well. Says whether it had to be written.
    ///
    /// # Errors
    /// When it cannot be read or put.
    pub fn copy(&self, from: &str, to: &str) -> Result<bool, Error> {
        let path = self.place(from).ok_or_else(|| Error::Path { path: from.to_owned() })?;
        let bytes = fs::read(&path).map_err(|source| Error::Read { path, source })?;
        Ok(self.put([&Edition { path: to.to_owned(), bytes }])? == 1)
    }

    /// Removes the file of a path, if it is there. Says whether it was.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&self, path: &str) -> Result<bool, Error> {
        let file = self.place(path).ok_or_else(|| Error::Path { path: path.to_owned() })?;
        let is_there = |file: &Path| fs::symlink_metadata(file).is_ok();
        let was_there = is_there(&file);
        let packed = if packing::is_packable(path) {
            Coding::ALL.iter().map(|&coding| packing::beside(&file, coding)).filter(|f| is_there(f)).collect()
        } else {
            Vec::new()
        };
        let files: Vec<PathBuf> = packed.into_iter().chain(was_there.then_some(file)).collect();
        if !files.is_empty() {
            self.change(|| {
                let mut files = files.into_iter();
                files.try_for_each(|path| {
                    durable::remove(&path).map_err(|source| Error::Write { path, source })
                })
            })?;
        }
        Ok(was_there)
    }

    /// Removes a folder with everything in it, if it is there.
    ///
    /// # Errors
    /// When it cannot be removed; some of its files may be gone by then.
    pub fn remove_folder(&self, path: &str) -> Result<(), Error> {
        let folder = self.place(path).ok_or_else(|| Error::Path { path: path.to_owned() })?;
        let removed = || durable::remove_folder(&folder);
        self.change(|| removed().map_err(|source| Error::Write { path: folder.clone(), source }))
    }

    /// The file of a path such as `issues/7/index.html`, if it is one that readers may have and is there.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<PathBuf> {
        let file = self.place(path)?;
        fs::symlink_metadata(&file).is_ok_and(|metadata| metadata.is_file()).then_some(file)
    }

    /// Whether the folder is there.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.root.is_dir()
    }

    /// Tries whether it can be written.
    ///
    /// # Errors
    /// When it cannot.
    pub fn try_writing(&self) -> Result<(), Error> {
        durable::try_writing(&self.root).map_err(|source| Error::Folder { path: self.root.clone(), source })
    }

    /// Where a path lies: only names of letters, digits, `-`, `_` and `.` that do not begin with a dot, so that none leads
    /// out of the folder or to a temporary file.
    fn place(&self, path: &str) -> Option<PathBuf> {
        let name = |segment: &str| {
            !segment.is_empty()
                && !segment.starts_with('.')
                && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        };
        path.split('/').all(name).then(|| self.root.join(path))
    }
}

/// The packed forms of a text; those that are not worth it any more are removed.
fn packed<'e>(path: &Path, edition: &Edition) -> io::Result<Vec<(PathBuf, Cow<'e, [u8]>)>> {
    let mut forms = Vec::new();
    for coding in Coding::ALL {
        let beside = packing::beside(path, coding);
        match packing::pack(coding, &edition.bytes)? {
            Some(packed) => forms.push((beside, Cow::Owned(packed))),
            None => durable::remove(&beside)?,
        }
    }
    Ok(forms)
}

/// How many bytes the files of a folder have, and of those in it. What goes away meanwhile has none.
fn weight(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)))
        .map(|(path, found)| if found.is_dir() { weight(&path) } else { found.len() })
        .sum()
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
            assert_eq!(outbox.place(path), None, "{path:?}");
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
        ours.stamp.as_ref().expect("counted").advance().expect("counted");
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
        assert!(outbox.find("issues/7/index.html").is_some());
        assert!(outbox.find("issues/7").is_none(), "a folder is no file");
    }
}
