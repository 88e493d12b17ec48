//! What a backup says of itself: its first member.

use std::{
    ffi::OsString,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Component, Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The name of the first member.
pub(super) const NAME: &str = "manifest.json";

/// The form of archive that we write; we read it and every older one.
pub(super) const FORMAT: u32 = 1;

/// The part of a newsroom that a member belongs to, as the first piece of its name: its inbox,
pub(super) const INBOX: &str = "inbox";
/// its outbox,
pub(super) const OUTBOX: &str = "outbox";
/// its state,
pub(super) const DATA: &str = "data";
/// and its settings with the files that they name.
pub(super) const NEWSROOM: &str = "newsroom";

/// The ledger's name below [`DATA`].
pub(super) const LEDGER: &str = "ledger.db";

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of the archive.
    pub format: u32,
    /// The version of gazetted that made it.
    pub program: String,
    /// The ledger's schema.
    pub schema: i64,
    /// The publication's key.
    pub publication: String,
    /// Its title.
    pub title: String,
    /// When it was taken.
    pub taken: Timestamp,
    /// The file of settings, below `newsroom`.
    pub settings: PathBuf,
    /// The folder of the inbox, as the settings had it,
    pub inbox: PathBuf,
    /// of the outbox,
    pub outbox: PathBuf,
    /// and of the state.
    pub data: PathBuf,
    /// Files that the settings name and that lie outside the newsroom: they are not in it.
    pub elsewhere: Vec<PathBuf>,
    /// What there is in numbers.
    pub counts: Counts,
    /// All members behind this one, in their order.
    pub members: Vec<Member>,
}

/// What a backup holds in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Issues that ever came out.
    pub issues: u64,
    /// Confirmed subscribers.
    pub subscribers: u64,
    /// Letters that waited.
    pub letters: u64,
}

/// One file of a newsroom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its name in the archive.
    pub name: Name,
    /// Its length in bytes.
    pub length: u64,
    /// BLAKE3 of its bytes in hexadecimal.
    pub blake3: String,
}

/// The name of a member: a text, unless an editor's file has a name that is none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Name {
    /// A text.
    Text(String),
    /// Any bytes.
    Bytes(Vec<u8>),
}

impl Name {
    /// The name of a path.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        match path.to_str() {
            Some(text) => Self::Text(text.to_owned()),
            None => Self::Bytes(path.as_os_str().as_bytes().to_vec()),
        }
    }

    /// The path of this name.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        match self {
            Self::Text(text) => text.into(),
            Self::Bytes(bytes) => OsString::from_vec(bytes.clone()).into(),
        }
    }
}

/// Whether a path leads nowhere but down.
pub(super) fn is_inside(path: &Path) -> bool {
    path.components().next().is_some() && path.components().all(|part| matches!(part, Component::Normal(_)))
}
