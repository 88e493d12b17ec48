//! Puts a file in its place so that a crash or a power cut leaves the old one or the new one, never a part.

use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use rustix::{fs::Mode, process::umask};

use crate::fault::{Point, reached};

/// How names of files begin that are not in their place yet. [`sweep`] removes what a crash left of them.
pub const TEMPORARY: &str = ".tmp-";

/// Whether [`put`] had anything to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// The file was new or had other bytes.
    Written,
    /// The file was there with these bytes.
    Unchanged,
}

/// Puts `bytes` at `path`, making its folders. On return they are on the disk under that name.
///
/// The bytes go to a temporary file beside it, which is synced, renamed, and the folder synced: without the
/// first sync XFS and ext4 show an empty file after a power cut, without the last one the name is gone. An unchanged file
/// is not written again, but synced, since whoever wrote it may have died before doing so.
///
/// # Errors
/// Whatever the file system says; the old file, if any, is then still whole. A failed sync is not tried again on
/// the same file, because the kernel reports it only once.
pub fn put(path: &Path, bytes: &[u8]) -> io::Result<Put> {
    let folder = path.parent().unwrap_or(Path::new("."));
    make_folders(folder)?;
    if holds(path, bytes)? {
        File::open(path)?.sync_all()?;
        sync_folder(folder)?;
        return Ok(Put::Unchanged);
    }
    let temporary = temporary_beside(path);
    let written = write_new(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if let Err(error) = written {
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    reached(Point::FileNamed);
    sync_folder(folder)?;
    Ok(Put::Written)
}

/// What [`put_new`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Laid {
    /// Nothing was there; now the file is.
    Written,
    /// A file with these bytes was there.
    Unchanged,
    /// Something else was there, and still is.
    Taken,
}

/// Puts `bytes` at `path` unless something is there, as [`put`] does. Whoever comes first has the place.
///
/// # Errors
/// Whatever the file system says.
pub fn put_new(path: &Path, bytes: &[u8]) -> io::Result<Laid> {
    let folder = path.parent().unwrap_or(Path::new("."));
    make_folders(folder)?;
    let taken = |path: &Path| Ok(if holds(path, bytes)? { Laid::Unchanged } else { Laid::Taken });
    if path.symlink_metadata().is_ok() {
        return taken(path);
    }
    let temporary = temporary_beside(path);
    let moved = write_new(&temporary, bytes).and_then(|()| rename_new(&temporary, path));
    if let Err(error) = moved {
        let _ = fs::remove_file(&temporary);
        return if error.kind() == io::ErrorKind::AlreadyExists { taken(path) } else { Err(error) };
    }
    sync_folder(folder)?;
    Ok(Laid::Written)
}

/// Changes a name unless the new one is taken. File systems that cannot do so in one step, such as some network mounts, do it in two.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            if to.symlink_metadata().is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(from, to)
        }
        renamed => renamed.map_err(io::Error::from),
    }
}

/// A temporary file that is being written; it is removed when this is dropped before it is in its place.
#[derive(Debug)]
#[must_use]
pub struct Begun(Option<PathBuf>);

impl Begun {
    /// Where the file is, as long as it is not in its place.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.as_deref().unwrap_or(Path::new(""))
    }

    /// Puts the `file` in its place. On return it is on the disk under that name.
    ///
    /// # Errors
    /// Whatever the file system says; the old file, if any, is then still whole.
    pub fn finish(mut self, file: &File, path: &Path) -> io::Result<()> {
        file.sync_all()?;
        fs::rename(self.path(), path)?;
        self.0 = None;
        sync_folder(path.parent().unwrap_or(Path::new(".")))
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}

/// A new temporary file beside `path`, for what is too long to have in memory as a whole; [`Begun::finish`] puts it in its place.
///
/// # Errors
/// Whatever the file system says.
pub fn begin(path: &Path) -> io::Result<(Begun, File)> {
    begin_with(path, 0o666)
}

/// As [`begin`], for what nobody else may read: its mode is 0600, also when it is in its place.
///
/// # Errors
/// Whatever the file system says.
pub fn begin_private(path: &Path) -> io::Result<(Begun, File)> {
    begin_with(path, 0o600)
}

fn begin_with(path: &Path, mode: u32) -> io::Result<(Begun, File)> {
    make_folders(path.parent().unwrap_or(Path::new(".")))?;
    let temporary = temporary_beside(path);
    let _ = fs::remove_file(&temporary);
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(mode).open(&temporary)?;
    Ok((Begun(Some(temporary)), file))
}

/// Writes a temporary file into a folder that is there, and removes it: to see that writing can be done.
///
/// # Errors
/// Whatever the file system says.
pub fn try_writing(folder: &Path) -> io::Result<()> {
    let temporary = temporary_beside(&folder.join("try"));
    let written = write_new(&temporary, b"?");
    let _ = fs::remove_file(&temporary);
    written
}

/// Puts many files in their places, in that order; on return all of them are on the disk. Gives how many had to be written.
///
/// All bytes are written beside their places, the file system is synced once, then the names are changed one after the other and it is
/// synced once more: two flushes, where [`put`] needs two a file. A journal keeps the order of names, so that after a power cut the
/// files of the list that are new are its first ones.
///
/// # Errors
/// At the first file that cannot be written, with its path; none is in its place then, unless it was the changing of a name that
/// failed: then those before it are.
pub fn put_all(files: &[(PathBuf, &[u8])]) -> Result<usize, (PathBuf, io::Error)> {
    put_all_if(files, || true)
}

/// The same, where `may` says, when all bytes are written and synced, that the names may be changed; it is asked before each.
///
/// # Errors
/// As [`put_all`]; [`io::ErrorKind::Interrupted`] where they may not.
pub fn put_all_if(files: &[(PathBuf, &[u8])], may: impl Fn() -> bool) -> Result<usize, (PathBuf, io::Error)> {
    let mut waiting: Vec<(PathBuf, &Path)> = Vec::new();
    let mut seen: HashSet<&Path> = HashSet::new();
    let mut write = || -> Result<(), (PathBuf, io::Error)> {
        for (path, bytes) in files {
            let failed = |error| (path.clone(), error);
            fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).map_err(failed)?;
            if seen.contains(&**path) {
                return Err(failed(io::Error::new(
                    io::ErrorKind::AlreadyExists,
                    "it is to be written twice",
                )));
            }
            seen.insert(path);
            if holds(path, bytes).map_err(failed)? {
                continue;
            }
            let temporary = temporary_beside(path);
            let _ = fs::remove_file(&temporary);
            let written = fs::write(&temporary, bytes);
            // What was begun is removed, too.
            waiting.push((temporary, path));
            written.map_err(failed)?;
        }
        Ok(())
    };
    let written = write();
    let done = written.and_then(|()| rename_all(&waiting, files, may));
    if done.is_err() {
        for (temporary, _) in &waiting {
            let _ = fs::remove_file(temporary);
        }
    }
    done.map(|()| waiting.len())
}

fn rename_all(
    waiting: &[(PathBuf, &Path)],
    files: &[(PathBuf, &[u8])],
    may: impl Fn() -> bool,
) -> Result<(), (PathBuf, io::Error)> {
    let Some((first, _)) = files.first() else { return Ok(()) };
    let sync = || {
        let folder = File::open(first.parent().unwrap_or(Path::new(".")))?;
        rustix::fs::syncfs(&folder).map_err(io::Error::from)
    };
    if !waiting.is_empty() {
        reached(Point::BatchWritten);
        sync().map_err(|error| (first.clone(), error))?;
        reached(Point::BatchSynced);
    }
    for (temporary, path) in waiting {
        if !may() {
            return Err((path.to_path_buf(), io::ErrorKind::Interrupted.into()));
        }
        fs::rename(temporary, path).map_err(|error| (path.to_path_buf(), error))?;
        reached(Point::BatchNamed);
    }
    // What is there unchanged is synced too: whoever wrote it may have died before doing so.
    sync().map_err(|error| (first.clone(), error))?;
    reached(Point::BatchDone);
    Ok(())
}

/// Removes `path` if it is there; on return its name is gone from the disk too.
///
/// # Errors
/// Whatever the file system says, except that there is no such file.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Ok(()) => {
            reached(Point::FileRemoved);
            sync_folder(path.parent().unwrap_or(Path::new(".")))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Removes a folder with everything in it, if it is there; on return its name is gone from the disk too.
///
/// # Errors
/// Whatever the file system says, except that there is no such folder.
pub fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Ok(()) => sync_folder(path.parent().unwrap_or(Path::new("."))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Removes the temporary files that a crash left anywhere below `folder`, where that can be done. Gives how many.
#[must_use]
pub fn sweep(folder: &Path) -> usize {
    sweep_those(folder, &|_| true)
}

/// As [`sweep`], in a folder to which other processes may be writing just now: what belongs to one that lives is left alone.
#[must_use]
pub fn sweep_of_the_dead(folder: &Path) -> usize {
    sweep_those(folder, &|name| {
        let id = name.strip_prefix(TEMPORARY).and_then(|rest| rest.split('-').next()?.parse().ok());
        let Some(process) = id.and_then(rustix::process::Pid::from_raw) else { return false };
        rustix::process::test_kill_process(process) == Err(rustix::io::Errno::SRCH)
    })
}

fn sweep_those(folder: &Path, is_left: &dyn Fn(&str) -> bool) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let mut swept = 0;
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        let name = entry.file_name();
        if kind.is_dir() {
            swept += sweep_those(&entry.path(), is_left);
        } else if kind.is_file()
            && name.as_encoded_bytes().starts_with(TEMPORARY.as_bytes())
            && is_left(&name.to_string_lossy())
        {
            swept += usize::from(fs::remove_file(entry.path()).is_ok());
        }
    }
    swept
}

/// Makes a folder and those above it, each durable.
///
/// # Errors
/// Whatever the file system says.
pub fn make_folders(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().unwrap_or(Path::new("."));
    make_folders(above)?;
    match fs::create_dir(folder) {
        Ok(()) => sync_folder(above),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes a folder that nobody else may look into, and those above it, each durable. One that is there is left as it is.
///
/// # Errors
/// Whatever the file system says.
pub fn make_private_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().unwrap_or(Path::new("."));
    make_folders(above)?;
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => sync_folder(above),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// From now on nothing that this process makes may be written by its group or by others, whatever its starter allowed.
pub fn let_nobody_else_write() {
    let inherited = umask(Mode::empty());
    umask(inherited | Mode::WGRP | Mode::WOTH);
}

/// Whether a file is there with these bytes.
///
/// # Errors
/// Whatever the file system says, except that there is no such file.
pub fn holds(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() && metadata.len() == bytes.len() as u64 => {
            Ok(fs::read(path)? == bytes)
        }
        Ok(_) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// A name that is used once, so that no two files are ever written under it: not by two processes, nor by two threads that put the
/// same file, nor for two files whose names begin alike and are too long to be told apart.
fn temporary_beside(path: &Path) -> PathBuf {
    static USED: AtomicU64 = AtomicU64::new(0);
    let nth = USED.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{TEMPORARY}{}-{nth}-{}", std::process::id(), short(&name)))
}

/// What a temporary name has of the file's own, so that it is not too long for the file system.
fn short(name: &str) -> &str {
    &name[..name.floor_char_boundary(160)]
}

/// Whether a file of this name was to become one whose name begins with `of`.
#[must_use]
pub fn was_to_become(temporary: &str, of: &str) -> bool {
    let parts = || {
        let (process, rest) = temporary.strip_prefix(TEMPORARY)?.split_once('-')?;
        let (nth, name) = rest.split_once('-')?;
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        (digits(process) && digits(nth)).then_some(name)
    };
    parts().is_some_and(|name| name.starts_with(short(of)))
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let _ = fs::remove_file(path);
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    reached(Point::FileWritten);
    file.sync_all()?;
    reached(Point::FileSynced);
    Ok(())
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_an_equal_one_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a/b/c.txt");
        assert_eq!(put(&path, b"one").expect("written"), Put::Written);
        assert_eq!(put(&path, b"one").expect("kept"), Put::Unchanged);
        assert_eq!(put(&path, b"two").expect("replaced"), Put::Written);
        assert_eq!(fs::read(&path).expect("readable"), b"two");
        assert_eq!(fs::read_dir(path.parent().expect("a folder")).expect("listed").count(), 1);
    }

    #[test]
    fn a_new_file_never_takes_the_place_of_another() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a/0709.txt");
        assert_eq!(put_new(&path, b"one").expect("written"), Laid::Written);
        assert_eq!(put_new(&path, b"one").expect("kept"), Laid::Unchanged);
        assert_eq!(put_new(&path, b"two").expect("kept"), Laid::Taken);
        assert_eq!(fs::read(&path).expect("readable"), b"one");
        assert!(rename_new(&path, &path).is_err(), "a taken name is not taken again");
        assert_eq!(fs::read_dir(path.parent().expect("a folder")).expect("listed").count(), 1);
    }

    #[test]
    fn a_long_file_is_seen_only_when_it_is_whole() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a/book.epub");
        let (begun, mut file) = begin(&path).expect("begun");
        file.write_all(b"whole").expect("written");
        assert!(!path.exists());
        begun.finish(&file, &path).expect("finished");
        assert_eq!(fs::read(&path).expect("readable"), b"whole");
        // What is given up leaves nothing.
        drop(begin(&path).expect("begun"));
        assert_eq!(fs::read_dir(path.parent().expect("a folder")).expect("listed").count(), 1);
    }

    #[test]
    fn many_files_are_put_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        let files = [(at("a/one"), &b"1"[..]), (at("two"), b"2")];
        assert_eq!(put_all(&files).expect("written"), 2);
        assert_eq!(put_all(&files).expect("kept"), 0);
        // A file stands where a folder is to be: the others stay as they are.
        let (path, _) = put_all(&[(at("a/one"), b"changed"), (at("two/x"), b"3")]).expect_err("no folder");
        assert_eq!(path, at("two/x"));
        assert_eq!(fs::read(at("a/one")).expect("kept"), b"1");
        assert_eq!(sweep(folder.path()), 0, "nothing half-written is left");
    }

    #[test]
    fn two_names_that_begin_alike_are_two_files() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |end: &str| folder.path().join(format!("{}{end}", "a".repeat(200)));
        let files = [(at(".html.gz"), &b"packed"[..]), (at(".html"), b"page")];
        assert_eq!(put_all(&files).expect("written"), 2);
        assert_eq!(files.map(|(path, _)| fs::read(path).expect("readable")), [&b"packed"[..], b"page"]);
        let temporary = temporary_beside(&at(".html"));
        let name = temporary.file_name().and_then(|name| name.to_str()).expect("a name");
        assert!(was_to_become(name, &"a".repeat(190)) && !was_to_become(name, "b"));
        assert!(!was_to_become(".tmp-restore", "restore") && !was_to_become(".tmp-1-x-a", "a"));
    }

    #[test]
    fn what_a_crash_left_is_swept() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        put(&folder.path().join("sub/feed.xml"), b"feed").expect("written");
        fs::write(folder.path().join("sub/.tmp-1-feed.xml"), b"fe").expect("written");
        assert_eq!(sweep(folder.path()), 1);
        assert_eq!(fs::read(folder.path().join("sub/feed.xml")).expect("kept"), b"feed");
    }

    #[test]
    fn what_a_process_is_writing_that_lives_is_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // No system numbers its processes that far.
        let dead = folder.path().join(".tmp-2147483647-feed.xml");
        let ours = folder.path().join(format!(".tmp-{}-feed.xml", std::process::id()));
        for path in [&dead, &ours] {
            fs::write(path, b"fe").expect("written");
        }
        assert_eq!(sweep_of_the_dead(folder.path()), 1);
        assert!(ours.exists() && !dead.exists());
    }
}
