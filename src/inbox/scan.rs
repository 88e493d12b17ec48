//! The listing of the inbox: every file that may be a manuscript, with its signature.

use std::{
    fs, io,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::{Path, PathBuf},
};

use super::names;

/// How deep folders may lie in each other below the inbox.
const DEPTH: usize = 16;

/// Size, times and inode of a file: while it stays the same, nobody has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature(String);

impl Signature {
    pub(super) fn of(metadata: &fs::Metadata) -> Self {
        Self(format!(
            "{}:{}.{:09}:{}.{:09}:{}",
            metadata.size(),
            metadata.mtime(),
            metadata.mtime_nsec(),
            metadata.ctime(),
            metadata.ctime_nsec(),
            metadata.ino(),
        ))
    }

    /// That of several files together, each with its name.
    pub(super) fn of_all(files: &[(PathBuf, Self)]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for (path, signature) in files {
            for part in [path.as_os_str().as_bytes(), signature.0.as_bytes()] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part);
            }
        }
        Self(format!("{} files:{}", files.len(), hasher.finalize().to_hex()))
    }

    /// The signature as the ledger keeps it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The files below `root` by name, links not followed. A folder or file that cannot be looked at is passed over and
/// counted in the second value: it is not gone.
///
/// # Errors
/// When `root` itself cannot be listed.
pub(super) fn list(root: &Path) -> io::Result<(Vec<(PathBuf, Signature)>, usize)> {
    let mut files = Vec::new();
    let mut unreadable = 0;
    let mut folders = vec![(PathBuf::new(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let entries = match fs::read_dir(root.join(&folder)) {
            Ok(entries) => entries,
            Err(error) if depth == 0 => return Err(error),
            Err(_) => {
                unreadable += 1;
                continue;
            }
        };
        for entry in entries {
            let Ok(entry) = entry else {
                unreadable += 1;
                continue;
            };
            if names::passed_over(&entry.file_name().to_string_lossy()).is_some() {
                continue;
            }
            let metadata = match entry.metadata() {
                Ok(metadata) => metadata,
                // A file may go between the listing and this question.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(_) => {
                    unreadable += 1;
                    continue;
                }
            };
            let path = folder.join(entry.file_name());
            if metadata.is_dir() && depth < DEPTH {
                folders.push((path, depth + 1));
            } else if metadata.is_file() {
                files.push((path, Signature::of(&metadata)));
            }
        }
    }
    files.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok((files, unreadable))
}
