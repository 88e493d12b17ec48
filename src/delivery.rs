//! A digest, its printings, and each letter of it on its way to one subscriber.

mod bounces;
mod keys;
mod periods;
mod reasons;

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::{
    bounces::{Bounce, BounceKind, UNPROVEN, judge},
    keys::ReturnKey,
    periods::{Calendar, Period},
};
use crate::{
    issue::IssueKey, subscriber::Address, subscriber::Pace, subscriber::SubscriberId, subscriber::Wish,
};

/// A digest's number in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DigestId(pub i64);

/// What subscribers of one pace get at one time. Publication, pace and period identify it: made twice it is still one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Digest {
    /// The number in the ledger.
    pub id: DigestId,
    /// What it is.
    pub kind: Kind,
    /// What it covers: an issue's key, a day, a week (`2026-W28`), a month; for other kinds, what makes them one.
    pub period: String,
    /// The issues that it tells of, in the order in which they came out.
    pub issues: Vec<IssueKey>,
    /// When it was frozen, with its readers: the date that all its letters carry.
    pub frozen: Timestamp,
    /// What came out until then is in it; the next one goes on from here.
    pub until: Timestamp,
    /// Whether its letters go out.
    pub status: DigestStatus,
}

impl Digest {
    /// Its name in identifiers: the key of its issue, or pace and period with a dot between, which no key has.
    #[must_use]
    pub fn label(&self) -> String {
        match self.kind {
            Kind::Digest(Pace::Each) => self.period.clone(),
            kind => format!("{}.{}", kind.as_str(), self.period).to_lowercase(),
        }
    }
}

/// What kind of letter it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// What came out, for the subscribers of a pace.
    Digest(Pace),
    /// The question whether somebody meant to subscribe; the only letter that goes to who has not confirmed.
    Confirmation,
}

impl Kind {
    /// The word in the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Digest(pace) => pace.as_str(),
            Self::Confirmation => "confirmation",
        }
    }

    /// The kind of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "confirmation" => Some(Self::Confirmation),
            word => Pace::parse(word).map(Self::Digest),
        }
    }
}

/// Whether the letters of a digest go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DigestStatus {
    /// They do.
    Open,
    /// The operator has stopped them.
    Paused,
    /// It was found so late that the operator is asked first.
    Asking,
}

impl DigestStatus {
    /// The word in the ledger and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paused => "paused",
            Self::Asking => "asking",
        }
    }

    /// The status of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Open, Self::Paused, Self::Asking].into_iter().find(|status| status.as_str() == word)
    }
}

/// The number in the ledger of one printing of a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PrintingId(pub i64);

/// A digest in the words of those who wish the same, not yet addressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printing {
    /// The number in the ledger.
    pub id: PrintingId,
    /// The digest.
    pub digest: Digest,
    /// Whom it is for.
    pub wish: Wish,
    /// The subject line.
    pub subject: String,
    /// The plain text, with a placeholder where the reader's own address to leave belongs.
    pub text: String,
    /// The same in HTML; empty where the form has none.
    pub html: String,
    /// The books that come with it.
    pub books: Vec<AttachedBook>,
    /// The [`Digest::label`] of the digest before, for the same pace.
    pub previous: Option<String>,
}

/// A book that goes with a letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachedBook {
    /// BLAKE3 of its bytes, under which they are kept.
    pub hash: String,
    /// Its length in bytes.
    pub length: u64,
    /// The name that the reader's device shows, in any script, ending with `.epub`.
    pub name: String,
}

/// One letter: a printing for one subscriber, claimed by a lane that will send it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The digest.
    pub digest: DigestId,
    /// The printing.
    pub printing: PrintingId,
    /// The subscriber.
    pub subscriber: SubscriberId,
    /// Where to.
    pub address: Address,
    /// When the digest was queued; five days later we give up.
    pub queued: Timestamp,
    /// How often it has been offered before.
    pub attempts: u32,
}

/// Who else sends the letters of a ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Company {
    /// How many processes do, this one too.
    pub n: u32,
    /// Whether the others know of this one: it said that it is at work before, and is expected still.
    pub is_known: bool,
    /// How many letters were queued again because nothing was heard of whoever had them.
    pub taken_over: u64,
    /// The domains that find one of them too quick, and until when they get no letter.
    pub closed: Vec<(String, Timestamp)>,
}

impl Company {
    /// Nobody else.
    #[must_use]
    pub fn none() -> Self {
        Self { n: 1, is_known: true, ..Self::default() }
    }
}

/// Letters that were claimed together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claim {
    /// The letters.
    pub letters: Vec<Delivery>,
    /// How many times letters had been taken back from their lanes before: see [`Claim::is_sure`].
    pub taken_back: u64,
}

impl Claim {
    /// Whether every letter of the claim that is not settled is still to be sent, when letters have been taken back `so_far`
    /// times by now. Where not, each is to be asked for.
    #[must_use]
    pub fn is_sure(&self, so_far: u64) -> bool {
        self.taken_back == so_far
    }
}

/// What has become of a letter, in the words of RFC 3464 §2.3.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Waits for its time.
    Queued,
    /// A lane has it, for as long as its lease runs. When the process that claimed it is gone, it is queued again.
    Claimed,
    /// Refused for now; it waits for its next attempt.
    Delayed,
    /// The server took it.
    Delivered,
    /// The connection ended after the letter's last byte and before the answer: it may have been taken. It waits for the operator,
    /// where the settings say so; else it is offered again.
    Unknown,
    /// Refused for good, or for five days.
    Failed,
    /// Its issue is held back, or its digest is paused.
    Withheld,
    /// The subscriber left before it went out, or its issue was withdrawn.
    Canceled,
}

impl State {
    /// All states, in the order of a letter's life.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Claimed,
        Self::Delayed,
        Self::Delivered,
        Self::Unknown,
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
            Self::Unknown => "unknown",
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

/// The phase of a conversation with a mail server, which tells whom an error concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Connecting, greeting, TLS, log-in: concerns the server and us.
    Connect,
    /// `MAIL FROM`: concerns the server and us.
    Mail,
    /// `RCPT TO`: concerns the subscriber.
    Rcpt,
    /// `DATA`: concerns this letter.
    Data,
    /// The letter's text and its final dot: concerns this letter. Without an answer, the server may have taken it.
    Text,
}

impl Phase {
    /// The word in the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Mail => "mail",
            Self::Rcpt => "rcpt",
            Self::Data => "data",
            Self::Text => "text",
        }
    }

    /// The phase of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let all = [Self::Connect, Self::Mail, Self::Rcpt, Self::Data, Self::Text];
        all.into_iter().find(|phase| phase.as_str() == word)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "when connecting",
            Self::Mail => "after MAIL FROM",
            Self::Rcpt => "after RCPT TO",
            Self::Data => "after DATA",
            Self::Text => "after the letter's text",
        })
    }
}

/// The last that was heard of a letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reply {
    /// In which phase.
    pub phase: Phase,
    /// The server's code; none where it did not answer.
    pub code: Option<u16>,
    /// The enhanced status code (RFC 3463), such as `5.1.1`, where the answer has one.
    pub status: Option<String>,
    /// What it said, or what became of the connection.
    pub text: String,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The server answered 2xx to the final dot.
    Delivered,
    /// The server answered 4xx, or the connection ended; offer it again then.
    Delayed(Timestamp),
    /// The connection ended after the final dot, and the operator is to say whether it is offered again.
    Unknown,
    /// The server answered 5xx, or five days have passed.
    Failed,
}

impl Outcome {
    /// The word of the state in which it leaves the letter.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => State::Delivered.as_str(),
            Self::Delayed(_) => State::Delayed.as_str(),
            Self::Unknown => State::Unknown.as_str(),
            Self::Failed => State::Failed.as_str(),
        }
    }
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
    /// What was said.
    pub reply: Reply,
    /// What that says of the mailbox, if anything.
    pub bounce: Option<BounceKind>,
}
