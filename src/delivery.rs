//! A digest, and each letter of it on its way to one subscriber.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{issue::IssueKey, subscriber::Address, subscriber::SubscriberId};

/// A digest's number in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DigestId(pub i64);

/// One issue as a letter that is not yet addressed, frozen when the issue came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// What it tells of.
    pub issue: IssueKey,
    /// When it was frozen: the date that all its letters carry.
    pub frozen: Timestamp,
    /// The subject line.
    pub subject: String,
    /// The plain text, with a placeholder where the reader's own address to leave belongs.
    pub text: String,
    /// The same in HTML.
    pub html: String,
}

/// One letter: a digest for one subscriber, claimed by a lane that will send it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The digest.
    pub digest: DigestId,
    /// The subscriber.
    pub subscriber: SubscriberId,
    /// Where to.
    pub address: Address,
    /// When the digest was queued; five days later we give up.
    pub queued: Timestamp,
    /// How often it has been offered before.
    pub attempts: u32,
}

/// What has become of a letter, in the words of RFC 3464 §2.3.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Waits for its time.
    Queued,
    /// A lane has it. When the process that claimed it is gone, it is queued again.
    Claimed,
    /// Refused for now; it waits for its next attempt.
    Delayed,
    /// The server took it.
    Delivered,
    /// Refused for good, or for five days.
    Failed,
    /// Its issue is held back.
    Withheld,
    /// The subscriber left before it went out, or its issue was withdrawn.
    Canceled,
}

impl State {
    /// All states, in the order of a letter's life.
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Claimed,
        Self::Delayed,
        Self::Delivered,
        Self::Failed,
        Self::Withheld,
        Self::Canceled,
    ];

    /// The word in the ledger and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Claimed => "claimed",
            Self::Delayed => "delayed",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Withheld => "withheld",
            Self::Canceled => "canceled",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// How an attempt ended, with what the server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The server answered 2xx to the final dot.
    Delivered {
        /// Its answer.
        reply: String,
    },
    /// The server answered 4xx, or the connection ended; offer it again at `until`.
    Delayed {
        /// When.
        until: Timestamp,
        /// What happened.
        reply: String,
    },
    /// The server answered 5xx, or five days have passed.
    Failed {
        /// What happened.
        reply: String,
    },
}

/// An attempt and its end, for the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The digest.
    pub digest: DigestId,
    /// The subscriber.
    pub subscriber: SubscriberId,
    /// How it ended.
    pub outcome: Outcome,
}
