//! The place of a daemon in a newsroom: a lock that one process holds, and the name by which it claims letters.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::Error;
use crate::{config::Newsroom, durable, random};

/// Held as long as a daemon runs. The kernel frees it when the process ends, however it ends.
pub struct Place {
    _lock: File,
}

impl Place {
    /// Takes the place of a newsroom's daemon, or of the one of that name among several.
    ///
    /// # Errors
    /// [`Error::Running`] when another process has it; [`Error::NotShared`] when there is but one place.
    pub fn take(newsroom: &Newsroom) -> Result<Self, Error> {
        let several = newsroom.settings.data.ledger.is_some();
        if newsroom.daemon_name().is_some() && !several {
            return Err(Error::NotShared);
        }
        let path = file(newsroom, "lock")?;
        Ok(Self { _lock: lock(&path, several)? })
    }
}

/// Takes all places of a newsroom's daemons, so that none that is known runs until this is dropped.
///
/// # Errors
/// [`Error::Running`] when one does.
pub fn alone(newsroom: &Newsroom) -> Result<Vec<Place>, Error> {
    let data = newsroom.data();
    durable::make_folders(&data).map_err(|source| Error::Folder { path: data.clone(), source })?;
    let all = [data.join("daemon.lock")].into_iter().chain(named_locks(&data));
    all.map(|path| Ok(Place { _lock: lock(&path, false)? })).collect()
}

/// The locks of all daemons with names that ever ran in this folder.
fn named_locks(data: &Path) -> impl Iterator<Item = PathBuf> {
    let files = fs::read_dir(data.join(DAEMONS)).into_iter().flatten().flatten().map(|entry| entry.path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "lock"))
}

/// A daemon of a newsroom that has a place in this folder.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its name, where several share the newsroom.
    pub name: Option<String>,
    /// Whether it runs.
    pub runs: bool,
    /// The name by which it claims letters and leads, where others may do so too.
    pub holder: Option<String>,
}

/// The daemons that ever ran in this folder. Nothing is changed.
#[must_use]
pub fn known(newsroom: &Newsroom) -> Vec<Known> {
    let data = newsroom.data();
    let one = |(name, lock): (Option<String>, PathBuf)| {
        let tried = File::open(&lock).ok()?.try_lock_shared();
        let holder = if name.is_some() { lock.with_extension("holder") } else { data.join("holder") };
        let holder = fs::read_to_string(holder).ok().map(|holder| holder.trim().to_owned());
        Some(Known { name, runs: matches!(tried, Err(TryLockError::WouldBlock)), holder })
    };
    let named =
        named_locks(&data).filter_map(|lock| Some((Some(lock.file_stem()?.to_str()?.to_owned()), lock)));
    let all = [(None, data.join("daemon.lock"))].into_iter().chain(named);
    let mut known: Vec<Known> = all.filter_map(one).collect();
    known.sort_by(|one, other| one.name.cmp(&other.name));
    known
}

/// The folder in the state's folder in which daemons with names have their files.
const DAEMONS: &str = "daemons";

/// A file that belongs to this daemon alone.
fn file(newsroom: &Newsroom, kind: &str) -> Result<PathBuf, Error> {
    let data = newsroom.data();
    let (folder, name) = match (newsroom.daemon_name(), kind) {
        (Some(name), kind) => (data.join(DAEMONS), format!("{name}.{kind}")),
        (None, "lock") => (data, "daemon.lock".to_owned()),
        (None, kind) => (data, kind.to_owned()),
    };
    durable::make_private_folder(&folder).map_err(|source| Error::Folder { path: folder.clone(), source })?;
    Ok(folder.join(name))
}

fn lock(path: &Path, several: bool) -> Result<File, Error> {
    let failed = |source| Error::Folder { path: path.to_owned(), source };
    let file = File::create(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Running { path: path.to_owned(), several }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// By what name this newsroom's daemon claims letters where others may do so too: random, and made once.
pub(super) fn holder(newsroom: &Newsroom) -> Result<String, Error> {
    let path = &file(newsroom, "holder")?;
    let failed = |source| Error::Folder { path: path.to_owned(), source };
    match fs::read_to_string(path) {
        Ok(name) => Ok(name.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let name = random::word().map_err(failed)?;
            // Where two make one at once, one of them is there.
            match OpenOptions::new().write(true).create_new(true).open(path) {
                Ok(mut file) => {
                    file.write_all(name.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
                    Ok(name)
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    fs::read_to_string(path).map_err(failed)
                }
                Err(error) => Err(failed(error)),
            }
        }
        Err(error) => Err(failed(error)),
    }
}
