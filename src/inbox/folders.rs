//! Folders that are one issue: a manuscript with its pictures.

use std::{
    collections::HashSet,
    io,
    path::{Path, PathBuf},
};

use super::{
    scan::Signature,
    settle::{self, Taken},
};
use crate::{manuscript, manuscript::Companion, manuscript::Companions};

/// What lies in the inbox and may be an issue: a file, or a folder that is one issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its name relative to the inbox.
    pub(super) path: PathBuf,
    /// That of the file, or of all members together.
    pub(super) signature: Signature,
    /// The members of a folder.
    pub(super) members: Option<Members>,
}

/// The files of a folder, by their names relative to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Members {
    main: usize,
    files: Vec<(PathBuf, Signature)>,
}

/// What came with the main file of a folder.
#[derive(Debug, Clone)]
pub struct Beside {
    /// The name of the main file.
    pub main: String,
    /// The other files.
    pub files: Companions,
}

/// What taking a folder gave.
pub(super) enum TakenFolder {
    /// The main file's bytes and what came with it.
    Whole(Vec<u8>, Beside),
    /// Somebody is writing a member, or took it away.
    Busy,
    /// Why it cannot be read.
    Refused(String),
}

impl Members {
    /// The files of a folder, when they are one issue: a manuscript directly in the folder with at least one picture, or alone under the
    /// name of a main file, to which pictures may come later.
    pub(super) fn of(files: Vec<(PathBuf, Signature)>) -> Option<Self> {
        let names: Vec<String> = files.iter().map(|(path, _)| name_of(path)).collect();
        let texts: Vec<&str> = names
            .iter()
            .map(String::as_str)
            .filter(|name| manuscript::is_text(name))
            .filter(|name| super::manuscript_of(Path::new(name)).is_none())
            .collect();
        let main = manuscript::main_of(&texts).filter(|main| !main.contains('/'))?;
        let is_alone = texts.len() == 1 && manuscript::is_main(main);
        if !is_alone && !names.iter().any(|name| manuscript::is_picture(name)) {
            return None;
        }
        let main = names.iter().position(|name| name == main)?;
        Some(Self { main, files })
    }

    /// The file with the text, relative to the folder.
    pub(super) fn main(&self) -> &Path {
        &self.files[self.main].0
    }

    /// That of all files together: while it stays the same, nobody has written, added or removed any.
    pub(super) fn signature(&self) -> Signature {
        Signature::of_all(&self.files)
    }

    /// Reads the files below `folder`; `still` says that nobody has changed them for so long that a cut text is all there is.
    pub(super) fn take(&self, folder: &Path, still: bool) -> TakenFolder {
        if self.files.len() > manuscript::MAX_FILES {
            let (n_files, most) = (self.files.len(), manuscript::MAX_FILES);
            return TakenFolder::Refused(format!(
                "the folder has {n_files} files, and at most {most} are read"
            ));
        }
        let mut text = Vec::new();
        let mut beside = Vec::with_capacity(self.files.len());
        let mut total = 0;
        for (nth, (path, signature)) in self.files.iter().enumerate() {
            let name = name_of(path);
            if nth != self.main && !manuscript::is_picture(&name) {
                beside.push((name, Companion::Other));
                continue;
            }
            let is_main = nth == self.main;
            let most = if is_main { manuscript::max_bytes(&name) } else { manuscript::MAX_PICTURE_BYTES };
            match settle::take(&folder.join(path), signature, most as u64) {
                Ok(Taken::Whole(bytes)) => {
                    total += bytes.len() as u64;
                    if total > manuscript::MAX_TOTAL {
                        let most = manuscript::MAX_TOTAL / 1_000_000;
                        return TakenFolder::Refused(format!(
                            "its text and pictures have more than {most} MB together; save the pictures smaller"
                        ));
                    }
                    if nth == self.main {
                        if (settle::is_cut(&bytes) || manuscript::lacks_end(&name, &bytes)) && !still {
                            return TakenFolder::Busy;
                        }
                        text = bytes;
                    } else {
                        beside.push((name, Companion::Picture(bytes)));
                    }
                }
                Ok(Taken::Large(length)) if nth == self.main => {
                    return TakenFolder::Refused(super::too_large(&name, length));
                }
                Ok(Taken::Large(length)) => beside.push((name, Companion::Large(length))),
                Ok(Taken::Busy) => return TakenFolder::Busy,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return TakenFolder::Busy,
                Err(error) => {
                    return TakenFolder::Refused(format!(
                        "cannot read `{name}` in it: {error}; check who may read the file, then save it again"
                    ));
                }
            }
        }
        let main = name_of(self.main());
        TakenFolder::Whole(text, Beside { files: Companions::of(&main, beside), main })
    }
}

/// The entries of a listing that is sorted by name. Of folders in each other, the outermost that is one issue counts.
pub(super) fn gather(files: Vec<(PathBuf, Signature)>) -> Vec<Entry> {
    let mut folders = HashSet::new();
    let may_be_of_an_issue = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        manuscript::is_picture(&name) || manuscript::is_main(&name)
    };
    for (path, _) in files.iter().filter(|(path, _)| may_be_of_an_issue(path)) {
        for folder in path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
            if !folders.insert(folder) {
                break;
            }
        }
    }
    let mut folders: Vec<PathBuf> = folders.into_iter().map(Path::to_owned).collect();
    // A folder stands before those in it.
    folders.sort();
    let mut issues: Vec<(PathBuf, Members)> = Vec::new();
    for folder in folders {
        if issues.last().is_some_and(|(outer, _)| folder.starts_with(outer)) {
            continue;
        }
        let from = files.partition_point(|(path, _)| *path < folder);
        let inside = files[from..].iter().map_while(|(path, signature)| {
            Some((path.strip_prefix(&folder).ok()?.to_owned(), signature.clone()))
        });
        if let Some(members) = Members::of(inside.collect()) {
            issues.push((folder, members));
        }
    }
    let mut issues = issues.into_iter().peekable();
    let mut entries: Vec<Entry> = Vec::with_capacity(files.len());
    for (path, signature) in files {
        if entries.last().is_some_and(|last| last.members.is_some() && path.starts_with(&last.path)) {
            continue;
        }
        match issues.next_if(|(folder, _)| path.starts_with(folder)) {
            Some((path, members)) => {
                let signature = members.signature();
                entries.push(Entry { path, signature, members: Some(members) });
            }
            None => entries.push(Entry { path, signature, members: None }),
        }
    }
    entries
}

/// A relative path as names are written in manuscripts.
fn name_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(files: &[&str], expected: &[&str]) {
        let mut files: Vec<_> =
            files.iter().map(|name| (PathBuf::from(name), Signature::of_all(&[]))).collect();
        files.sort_by(|(a, _), (b, _)| a.cmp(b));
        let entries = gather(files);
        let shown: Vec<String> = entries
            .iter()
            .map(|entry| match &entry.members {
                Some(members) => {
                    format!("{} = {}", entry.path.display(), name_of(members.main()))
                }
                None => name_of(&entry.path),
            })
            .collect();
        assert_eq!(shown, expected);
        assert!(entries.is_sorted_by(|a, b| a.path < b.path), "looked up by name");
    }

    #[test]
    fn a_folder_with_a_manuscript_and_a_picture_is_one_issue() {
        check(&["7/a.md", "7/p/a.png"], &["7 = a.md"]);
        check(&["7/a.md", "7/index.md", "7/a.png", "8.md"], &["7 = index.md", "8.md"]);
        check(&["7-b.md", "7.md", "7/a.md", "7/a.png"], &["7 = a.md", "7-b.md", "7.md"]);
        check(
            &["2026/7/a.md", "2026/7/a.png", "2026/8/a.md", "2026/8/a.jpg"],
            &["2026/7 = a.md", "2026/8 = a.md"],
        );
        check(&["7/index.md", "7/x/index.md", "7/x/a.png"], &["7 = index.md"]);
        check(&["7/index.md", "8/Index.txt", "8/notes.pages"], &["7 = index.md", "8 = Index.txt"]);
        check(&["2026/7/index.md", "2026/8/index.md"], &["2026/7 = index.md", "2026/8 = index.md"]);
    }

    #[test]
    fn a_folder_without_pictures_or_with_many_manuscripts_is_only_a_folder() {
        check(&["7/index.md", "7/a.txt"], &["7/a.txt", "7/index.md"]);
        check(&["7/a.md"], &["7/a.md"]);
        check(&["7/index.md", "7/8/index.md"], &["7/8 = index.md", "7/index.md"]);
        check(&["7/a.md", "7/a.png", "7/b.md"], &["7/a.md", "7/a.png", "7/b.md"]);
        check(&["index.md", "a.png"], &["a.png", "index.md"]);
        check(&["7/a.png"], &["7/a.png"]);
    }
}
