//! What readers are served from: a folder in which every file is whole and every link is kept.

mod packing;

use std::{
    borrow::Cow,
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

pub use packing::Coding;

use crate::{durable, editions::Edition};

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
}

impl Outbox {
    /// Opens the outbox, making its folder.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(root: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Folder { path: root.to_owned(), source };
        durable::make_folders(root).map_err(failed)?;
        Ok(Self { root: root.to_owned() })
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
        durable::put_all(&files).map_err(failed)?;
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

    /// The file of a path packed in one of these ways, the smallest one that is there.
    #[must_use]
    pub fn find_packed(&self, path: &str, codings: &[Coding]) -> Option<(Coding, PathBuf)> {
        let file = self.place(path)?;
        let packed = codings.iter().filter_map(|&coding| {
            let beside = packing::beside(&file, coding);
            let metadata = fs::symlink_metadata(&beside).ok().filter(fs::Metadata::is_file)?;
            Some((metadata.len(), coding, beside))
        });
        packed.min().map(|(_, coding, beside)| (coding, beside))
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
        let is_there = fs::symlink_metadata(&file).is_ok();
        if packing::is_packable(path) {
            for beside in Coding::ALL.map(|coding| packing::beside(&file, coding)) {
                durable::remove(&beside).map_err(|source| Error::Write { path: beside, source })?;
            }
        }
        if is_there {
            durable::remove(&file).map_err(|source| Error::Write { path: file, source })?;
        }
        Ok(is_there)
    }

    /// Removes a folder with everything in it, if it is there.
    ///
    /// # Errors
    /// When it cannot be removed; some of its files may be gone by then.
    pub fn remove_folder(&self, path: &str) -> Result<(), Error> {
        let folder = self.place(path).ok_or_else(|| Error::Path { path: path.to_owned() })?;
        durable::remove_folder(&folder).map_err(|source| Error::Write { path: folder, source })
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
            Coding::ALL.map(|coding| {
                let (_, file) = outbox.find_packed("a.html", &[coding]).expect("it is worth it");
                packing::unpack(coding, &fs::read(file).expect("readable")).expect("whole")
            })
        };
        for words in ["理论 ", "the bell "] {
            let edition = edition(words);
            outbox.put([&edition]).expect("put");
            assert!(unpacked().iter().all(|bytes| *bytes == edition.bytes));
        }
        for n in [200, 20_000] {
            let bytes = "the bell ".repeat(n).into_bytes();
            outbox.put([&Edition { path: "a.html".to_owned(), bytes }]).expect("put");
            let found = Coding::ALL.map(|coding| outbox.find_packed("a.html", &[coding]).is_some());
            assert_eq!(found, [false, false, true], "a short and a long text are packed by gzip alone");
        }
        outbox.put([&Edition { path: "a.html".to_owned(), bytes: b"short".to_vec() }]).expect("put");
        assert!(outbox.find_packed("a.html", &Coding::ALL).is_none(), "the old forms are gone");
        outbox.put([&edition("x")]).expect("put");
        assert!(outbox.remove("a.html").expect("removed"));
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 0);
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
