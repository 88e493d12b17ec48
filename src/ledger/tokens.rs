//! What the ledger knows of the tokens by which programs use the desk.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Error;

/// What a program may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Look at everything.
    Read,
    /// Look, and change.
    Write,
}

impl Scope {
    /// The word in the ledger and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    /// The scope of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Read, Self::Write].into_iter().find(|scope| scope.as_str() == word)
    }
}

/// A token, without what makes it one: only its hash is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What its owner calls it.
    pub name: String,
    /// What it may be used for.
    pub scope: Scope,
    /// When it was made.
    pub made: Timestamp,
    /// When it was last used, to some minutes.
    pub used: Option<Timestamp>,
}

/// The part of the ledger that is about tokens.
pub trait Tokens: Send + Sync {
    /// Enters a token by its hash. Says whether that was done: names are given once.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn enter_token(&self, token: &Token, hash: &str) -> Result<bool, Error>;

    /// The token with a hash.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn token(&self, hash: &str) -> Result<Option<Token>, Error>;

    /// Notes that a token is used.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn token_used(&self, name: &str, now: Timestamp) -> Result<(), Error>;

    /// All tokens, by their names.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn tokens(&self) -> Result<Vec<Token>, Error>;

    /// Ends a token. Says whether there was one of that name.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn revoke_token(&self, name: &str) -> Result<bool, Error>;
}
