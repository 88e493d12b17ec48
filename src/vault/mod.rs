//! Backups: a whole newsroom as one file, and a newsroom made of it again.
//!
//! The file is a tar in zstd, which `tar --zstd -xf` unpacks too, with [`Manifest`] as its first member and, behind all, a seal: the
//! hash of everything before it. What was sent after a backup was taken is not in it; a newsroom that is brought back holds its
//! letters until somebody says what is to become of them.

mod manifest;
mod packing;
mod seal;
mod unpacking;
#[cfg(test)]
mod tests;

use std::{
    io,
    path::{Path, PathBuf},
};

pub use self::{
    manifest::{Counts, Manifest, Member, Name},
    packing::{Made, back_up},
    unpacking::{Brought, bring_back, read_manifest},
};
use crate::{ledger, press};

/// Told how many bytes are done, of how many.
pub type Progress<'p> = &'p mut dyn FnMut(u64, u64);

/// A backup could not be made, or a newsroom not be brought back from one; what was there before is as it was.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is to lie where it would be read by others.
    #[error("a backup in `{}` would lie in the {which}", path.display())]
    Exposed {
        /// Where.
        path: PathBuf,
        /// The inbox or the outbox.
        which: &'static str,
    },
    /// Another backup of this newsroom is being made.
    #[error("another backup is being made of this newsroom")]
    Busy,
    /// A file could not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file changed while it was read.
    #[error("`{}` was changed while it was read", path.display())]
    Changed {
        /// Which.
        path: PathBuf,
    },
    /// The file is no backup.
    #[error("`{}` is no backup of gazetted's", path.display())]
    Foreign {
        /// Which.
        path: PathBuf,
    },
    /// The file is not what was written.
    #[error("the backup `{}` is damaged, or was cut short: {what}", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A newer gazetted made it.
    #[error("the backup `{}` was made by gazetted {program}, which is newer than this one", path.display())]
    Newer {
        /// Which.
        path: PathBuf,
        /// The version that made it.
        program: String,
    },
    /// There is something where the newsroom is to be.
    #[error("`{}` is not empty", path.display())]
    Taken {
        /// Where.
        path: PathBuf,
    },
    /// The settings name a folder that a newsroom elsewhere cannot have.
    #[error("the settings have their {name} in `{}`, and that cannot be changed in them", folder.display())]
    Folder {
        /// The section.
        name: &'static str,
        /// The folder that is set.
        folder: PathBuf,
    },
    /// The ledger could not be used.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The press could not be had.
    #[error(transparent)]
    Press(#[from] press::Error),
}

fn cannot_read(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    |source| Error::Read { path, source }
}

fn cannot_write(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    |source| Error::Write { path, source }
}
