//! A Maildir in which a mail server lays what comes back. A letter is taken, then moved from `new/` to `cur/`: after a crash it is
//! taken once more, and the ledger knows it again.

use std::{
    collections::HashSet,
    ffi::OsString,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{MOST_BYTES, Returns, Taken};
use crate::{inbox::Hints, ledger};

/// How long it may take to see a letter of which the system did not tell.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How long to wait when the ledger could not be used.
const LEDGER_PAUSE: Duration = Duration::from_secs(10);

/// A Maildir that is watched.
struct Maildir {
    folder: PathBuf,
    /// Letters that were taken and cannot be moved, or cannot be read.
    stuck: HashSet<OsString>,
    /// Whether it was said that the folder is not there.
    missing: bool,
}

/// Takes what lies in a Maildir, now and as it comes, until `stop`.
pub async fn watch(returns: Arc<Returns>, folder: PathBuf, stop: CancellationToken) {
    let mut hints = Hints::new(&folder.join("new"));
    let bell = hints.bell();
    let mut maildir = Maildir { folder, stuck: HashSet::new(), missing: false };
    while !stop.is_cancelled() {
        let (returns, stop_look) = (Arc::clone(&returns), stop.clone());
        let looked = tokio::task::spawn_blocking(move || {
            // First the watch, then the listing: what comes between the two rings the bell.
            hints.renew();
            let looked = maildir.look(&returns, &stop_look);
            (hints, maildir, looked)
        });
        let pause;
        (hints, maildir, pause) = match looked.await {
            Ok((hints, maildir, Ok(()))) => (hints, maildir, LOOK_EVERY),
            Ok((hints, maildir, Err(error))) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "what came back cannot be entered; it is tried again"
                );
                (hints, maildir, LEDGER_PAUSE)
            }
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        };
        tokio::select! {
            () = bell.notified() => {}
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
}

impl Maildir {
    /// Takes every letter that is new, in the order of their names.
    fn look(&mut self, returns: &Returns, stop: &CancellationToken) -> Result<(), ledger::Error> {
        let new = self.folder.join("new");
        let mut names: Vec<OsString> = match fs::read_dir(&new) {
            Ok(entries) => entries.flatten().map(|entry| entry.file_name()).collect(),
            Err(error) => {
                if !self.missing {
                    tracing::warn!(folder = %new.display(), %error, "the Maildir for what comes back cannot be listed yet");
                }
                self.missing = true;
                return Ok(());
            }
        };
        self.missing = false;
        self.stuck.retain(|name| names.contains(name));
        names.retain(|name| !name.as_encoded_bytes().starts_with(b".") && !self.stuck.contains(name));
        names.sort();
        for name in names {
            if stop.is_cancelled() {
                return Ok(());
            }
            let path = new.join(&name);
            let letter = match beginning(&path) {
                Ok(Some(letter)) => letter,
                Ok(None) => continue,
                Err(error) => {
                    tracing::warn!(%error, "a letter that came back cannot be read");
                    self.stuck.insert(name);
                    continue;
                }
            };
            let taken = returns.take(&letter, &[])?;
            tracing::debug!(?taken, "a letter from the Maildir was dealt with");
            if let Err(error) = self.file(&path, &name, taken) {
                tracing::warn!(%error, "a letter that came back cannot be moved to `cur`; it is taken again at the next start");
                self.stuck.insert(name);
            }
        }
        Ok(())
    }

    /// Moves a letter to `cur/`; what was nothing to us stays unread there for a person.
    fn file(&self, path: &Path, name: &OsString, taken: Taken) -> io::Result<()> {
        let cur = self.folder.join("cur");
        let mut filed = name.clone();
        if !name.as_encoded_bytes().windows(3).any(|three| three == b":2,") {
            filed.push(if matches!(taken, Taken::Nothing(_)) { ":2," } else { ":2,S" });
        }
        match fs::rename(path, cur.join(&filed)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && path.exists() => {
                fs::create_dir_all(&cur)?;
                fs::rename(path, cur.join(filed))
            }
            done => done,
        }
    }
}

/// The beginning of a file; none of what is no file, or gone.
fn beginning(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut letter = Vec::new();
    File::open(path)?.take(MOST_BYTES as u64).read_to_end(&mut letter)?;
    Ok(Some(letter))
}
