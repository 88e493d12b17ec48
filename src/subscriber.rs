//! Who asked for the digests, since when, in which form, and whether we may write.

mod address;
mod keys;
mod preferences;
mod suppression;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::{
    address::{Address, AddressError},
    keys::{Confirmation, LeaveKey},
    preferences::{Form, Pace, Preferences, Sections, Wish},
    suppression::{Suppression, SuppressionReason},
};

/// A subscriber's number in the ledger; it never changes and is never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubscriberId(pub i64);

/// Somebody who asked for the digests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subscriber {
    /// The number in the ledger.
    pub id: SubscriberId,
    /// Where to write.
    pub address: Address,
    /// Whether we may.
    pub standing: Standing,
    /// Why we may not, where an address is suppressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppression: Option<Suppression>,
    /// How we know that he or she asked.
    pub consent: Consent,
    /// What he or she wishes to get.
    #[serde(flatten)]
    pub preferences: Preferences,
}

/// Whether we may write to a subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Somebody asked with this address, and its owner has not confirmed it: gets one letter that asks, and no digest.
    Pending,
    /// Asked, and gets every digest.
    Confirmed,
    /// Left by his or her own wish; gets nothing more.
    Left,
    /// We must not write: the mailbox is dead, its owner complained, or the operator says so.
    Suppressed,
}

impl Standing {
    /// All standings, in the order of a subscription's life.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Confirmed, Self::Left, Self::Suppressed];

    /// The word in the ledger and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Left => "left",
            Self::Suppressed => "suppressed",
        }
    }

    /// The standing of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.as_str() == word)
    }
}

/// When and how a subscriber asked: what we show to whoever says that he or she did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Consent {
    /// When he or she asked.
    pub at: Timestamp,
    /// How, in words for a later question: `added by the operator`.
    pub how: String,
    /// From where: the address on the network, or the file of an import.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// When the owner of the address confirmed it, or the operator vouched for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Timestamp>,
}
