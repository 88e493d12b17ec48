//! The outbox in a folder: every file whole, with its packed forms beside it.

use std::{
    borrow::Cow,
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use super::{Coding, Error, is_name, packing, stamp::Changes};
use crate::{cores, durable, editions::Edition};

/// A folder that any web server can serve.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    pub(super) root: PathBuf,
}

impl Folder {
    /// Puts editions out in the order given, each whole, the texts with their packed forms before them: what others link to comes
    /// first. On return all are on the disk. Gives how many had to be written; those that are there already with the same bytes
    /// had not.
    ///
    /// # Errors
    /// When one cannot be put; see [`durable::put_all`] for what is there then.
    pub(super) fn put<'e>(
        &self,
        editions: impl IntoIterator<Item = &'e Edition>,
        changes: &Changes,
    ) -> Result<usize, Error> {
        let failed = |(path, source)| Error::Write { path, source };
        let mut put: Vec<(PathBuf, &'e Edition, bool)> = Vec::new();
        let mut seen = HashSet::new();
        for edition in editions {
            let path = self.place(&edition.path).ok_or_else(|| Error::Path { path: edition.path.clone() })?;
            // A style sheet that several pages need comes with each of them.
            if seen.insert(path.clone()) {
                let is_there = durable::holds(&path, &edition.bytes);
                let is_new = !is_there.map_err(|source| failed((path.clone(), source)))?;
                put.push((path, edition, is_new));
            }
        }
        let written = put.iter().filter(|(.., is_new)| *is_new).count();
        // By all cores, for packing is a quarter of what an issue costs. Where a text is there with these bytes, its packed forms are too.
        let new: Vec<&Edition> =
            put.iter().filter(|(.., is_new)| *is_new).map(|(_, edition, _)| *edition).collect();
        let mut packed =
            cores::each(&new, |edition| packing::pack_all(&edition.path, &edition.bytes)).into_iter();
        let mut files: Vec<(PathBuf, Cow<'e, [u8]>)> = Vec::new();
        // Packed forms that are not worth it any more.
        let mut stale = Vec::new();
        for (path, edition, is_new) in put {
            let forms = if is_new { packed.next() } else { None };
            let forms = forms.transpose().map_err(|source| failed((path.clone(), source)))?;
            for (coding, packed) in forms.into_iter().flatten() {
                let beside = packing::beside(&path, coding);
                match packed {
                    Some(packed) => files.push((beside, Cow::Owned(packed))),
                    None => stale.push(beside),
                }
            }
            files.push((path, Cow::Borrowed(&edition.bytes)));
        }
        let files: Vec<(PathBuf, &[u8])> =
            files.iter().map(|(path, bytes)| (path.clone(), &**bytes)).collect();
        let put = || {
            // They go before the texts change that they were made of.
            for path in stale {
                durable::remove(&path).map_err(|source| failed((path, source)))?;
            }
            let put = durable::put_all_if(&files, || changes.may());
            put.map_err(|failure| if changes.may() { failed(failure) } else { Error::Led })
        };
        // What is there already is only synced.
        if written == 0 {
            put()?
        } else {
            changes.during(&self.root, put)?
        };
        Ok(written)
    }

    /// The packed forms of a path that are there.
    pub(super) fn packed(&self, path: &str) -> Vec<(Coding, PathBuf)> {
        let Some(file) = self.place(path).filter(|_| packing::is_packable(path)) else { return Vec::new() };
        let there = |beside: &PathBuf| fs::symlink_metadata(beside).is_ok_and(|metadata| metadata.is_file());
        let beside = Coding::ALL.into_iter().map(|coding| (coding, packing::beside(&file, coding)));
        beside.filter(|(_, beside)| there(beside)).collect()
    }

    /// Removes the file of a path, if it is there. Says whether it was.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(super) fn remove(&self, path: &str, changes: &Changes) -> Result<bool, Error> {
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
            changes.during(&self.root, || {
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
    pub(super) fn remove_folder(&self, path: &str, changes: &Changes) -> Result<(), Error> {
        let folder = self.place(path).ok_or_else(|| Error::Path { path: path.to_owned() })?;
        let removed = || durable::remove_folder(&folder);
        changes
            .during(&self.root, || removed().map_err(|source| Error::Write { path: folder.clone(), source }))
    }

    /// The file of a path such as `issues/7/index.html`, if it is one that readers may have and is there.
    pub(super) fn find(&self, path: &str) -> Option<PathBuf> {
        let file = self.place(path)?;
        fs::symlink_metadata(&file).is_ok_and(|metadata| metadata.is_file()).then_some(file)
    }

    /// Where a path lies, if it is one that an edition may have.
    pub(super) fn place(&self, path: &str) -> Option<PathBuf> {
        is_name(path).then(|| self.root.join(path))
    }
}

/// How many bytes the files of a folder have, and of those in it. What goes away meanwhile has none.
pub(super) fn weight(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)))
        .map(|(path, found)| if found.is_dir() { weight(&path) } else { found.len() })
        .sum()
}
