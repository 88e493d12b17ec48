//! Why we must not write to an address.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why we must not write to an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suppression {
    /// What kind of reason.
    pub reason: SuppressionReason,
    /// Since when.
    pub at: Timestamp,
    /// What was said: by the server, the report, or the operator.
    pub text: String,
}

/// What kind of reason it is not to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SuppressionReason {
    /// Servers said, often enough, that the mailbox takes nothing.
    Bounced,
    /// Its owner told the provider that our letters are unwanted.
    Complained,
    /// The operator said so.
    Operator,
}

impl SuppressionReason {
    /// All reasons.
    pub const ALL: [Self; 3] = [Self::Bounced, Self::Complained, Self::Operator];

    /// The word in the ledger and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::Operator => "operator",
        }
    }

    /// The reason of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}
