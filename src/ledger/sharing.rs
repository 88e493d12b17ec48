//! What processes that share a ledger know of each other: who leads, and what has just happened.

use std::{any::Any, fmt};

use tokio_util::sync::CancellationToken;

use super::Error;

/// What one process tells the others, at the moment at which it is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// Letters were queued.
    Letters,
    /// What readers have is another.
    Edition,
    /// Something happened that programs of others are told of.
    Events,
    /// Some of that may have been missed: the connection was cut meanwhile.
    Anything,
}

impl News {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Letters => "letters",
            Self::Edition => "edition",
            Self::Events => "events",
            Self::Anything => "anything",
        }
    }

    /// What a word means; one that is not known may mean anything.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        [Self::Letters, Self::Edition, Self::Events]
            .into_iter()
            .find(|news| news.as_str() == word)
            .unwrap_or(Self::Anything)
    }
}

/// Who hears of news. It is called on a thread that must not wait.
pub type Heard = Box<dyn Fn(News) + Send + Sync>;

/// News are heard as long as this is held.
pub struct Hearing {
    _end: Box<dyn Any + Send + Sync>,
}

impl Hearing {
    pub(super) fn until_dropped(end: impl Any + Send + Sync) -> Self {
        Self { _end: Box::new(end) }
    }
}

/// The lead: whoever has it takes manuscripts to the press and makes digests, and nobody else does. It ends when this is dropped.
pub struct Lead {
    /// How many times somebody has begun to lead.
    pub epoch: u64,
    ended: CancellationToken,
    _end: Box<dyn Any + Send + Sync>,
}

impl fmt::Debug for Lead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lead").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

impl Lead {
    /// The lead where there is nobody else.
    fn alone() -> Self {
        Self::until_dropped(0, CancellationToken::new(), ())
    }

    pub(super) fn until_dropped(epoch: u64, ended: CancellationToken, end: impl Any + Send + Sync) -> Self {
        Self { epoch, ended, _end: Box::new(end) }
    }

    /// Cancelled when it has ended, since its connection did, or since somebody else has it.
    #[must_use]
    pub fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }
}

/// The part of the ledger that is about those who share it.
///
/// Where nobody can share it, whoever has it leads, and tells nobody.
pub trait Sharing: Send + Sync {
    /// Begins to lead, unless somebody does already. From then on nobody who led before can write what only the one who leads may:
    /// arrivals, releases, digests and what webhooks were told. They get [`Error::Overtaken`], and nothing of theirs is written.
    ///
    /// # Errors
    /// When the ledger cannot be reached or written.
    fn lead(&self) -> Result<Option<Lead>, Error> {
        Ok(Some(Lead::alone()))
    }

    /// The name by which whoever leads now claims letters; `None` where nobody does, or nobody else could.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn leader(&self) -> Result<Option<String>, Error> {
        Ok(None)
    }

    /// Whether this process may change what readers have. It asks nobody: for some seconds after a connection was lost it may be
    /// wrong, and then the others wait as long before one of them begins to lead.
    ///
    /// # Errors
    /// [`Error::Overtaken`] when it may not.
    fn may_change(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Which lead a turn at the press is under: its own, or, for a command beside a daemon, that of whoever leads now. 0 where nobody ever did.
    ///
    /// # Errors
    /// [`Error::Overtaken`] when somebody else has it; else when the ledger cannot be read.
    fn epoch(&self) -> Result<u64, Error> {
        Ok(0)
    }

    /// Has news of other processes told to `heard`, and our own too. `None` where there are no others.
    fn hear(&self, heard: Heard) -> Option<Hearing> {
        drop(heard);
        None
    }
}
