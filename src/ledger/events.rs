//! What the ledger knows of events, and of the webhooks that are told of them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Error;
use crate::{delivery::DigestId, issue::IssueKey};

/// What kind of event it is. The words are stable: programs of others rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventKind {
    /// Readers have an issue, for the first time or again.
    #[serde(rename = "issue.published")]
    IssuePublished,
    /// Readers have a later version of it.
    #[serde(rename = "issue.corrected")]
    IssueCorrected,
    /// They do not have it any more: it was withdrawn, or is held back.
    #[serde(rename = "issue.withdrawn")]
    IssueWithdrawn,
    /// No letter of a digest waits any more.
    #[serde(rename = "digest.finished")]
    DigestFinished,
}

impl EventKind {
    /// All kinds.
    pub const ALL: [Self; 4] =
        [Self::IssuePublished, Self::IssueCorrected, Self::IssueWithdrawn, Self::DigestFinished];

    /// The word in the ledger, in settings and in what is told.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IssuePublished => "issue.published",
            Self::IssueCorrected => "issue.corrected",
            Self::IssueWithdrawn => "issue.withdrawn",
            Self::DigestFinished => "digest.finished",
        }
    }

    /// The kind of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Something that has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number in the ledger.
    pub id: i64,
    /// Its name for others: the same each time they are told of it.
    pub name: String,
    /// What kind.
    pub kind: EventKind,
    /// The issue and its version, where it is about one.
    pub issue: Option<(IssueKey, u32)>,
    /// The digest, where it is about one.
    pub digest: Option<DigestId>,
    /// When.
    pub at: Timestamp,
}

/// Something that one webhook is to be told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// The event's number.
    pub event: i64,
    /// The event's name.
    pub name: String,
    /// The address of the webhook.
    pub webhook: String,
    /// What is told.
    pub body: String,
    /// How often that was tried before.
    pub attempts: u32,
}

/// How an attempt to tell ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It was taken.
    Taken,
    /// It was not; it is tried again then.
    Again(Timestamp),
    /// It was not, and is not tried any more.
    Failed,
    /// The webhook wants to be told nothing more: neither this nor what waits, nor what comes.
    Ended,
}

/// How a webhook stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebhookLine {
    /// Its address.
    pub webhook: String,
    /// How many events wait to be told.
    pub waiting: u64,
    /// Of how many it was not told, of those that are remembered.
    pub failed: u64,
    /// When it last took one.
    pub told: Option<Timestamp>,
    /// What it answered to the last attempt that failed, and when, unless it took one since.
    pub trouble: Option<(String, Timestamp)>,
    /// When it wanted to be told nothing more.
    pub ended: Option<Timestamp>,
}

/// The part of the ledger that is about events. The events of issues are entered with what makes them; those of digests by
/// [`Events::find_finished`].
pub trait Events: Send + Sync {
    /// Enters an event for each digest of which no letter waits any more, once. Gives how many.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn find_finished(&self, now: Timestamp) -> Result<u64, Error>;

    /// The events of which it is not written yet what is told, oldest first, at most `most`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn unwritten(&self, most: usize) -> Result<Vec<Event>, Error>;

    /// Writes what is told of an event, and who is told. Where nobody is, the event is forgotten.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn write_event(&self, id: i64, body: &str, webhooks: &[String], now: Timestamp) -> Result<(), Error>;

    /// What is due to be told, the longest due first, at most `most`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn due_tellings(&self, now: Timestamp, most: usize) -> Result<Vec<Telling>, Error>;

    /// When the next is due.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn next_telling(&self) -> Result<Option<Timestamp>, Error>;

    /// Records how an attempt ended, with what was heard, and forgets what was settled before `forget`.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn settle_telling(
        &self,
        telling: &Telling,
        told: Told,
        said: &str,
        now: Timestamp,
        forget: Timestamp,
    ) -> Result<(), Error>;

    /// How the webhooks stand that were ever told, by their addresses.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn webhooks(&self) -> Result<Vec<WebhookLine>, Error>;

    /// Lets a webhook be told again that had ended, or whose settings have changed: all that waits for it is due at once. Says
    /// whether it is known.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn resume_webhook(&self, webhook: &str, now: Timestamp) -> Result<bool, Error>;
}
