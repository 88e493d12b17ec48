//! Who asked for the digests, since when, and whether we may write.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A subscriber's number in the ledger; it never changes and is never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubscriberId(pub i64);

/// An e-mail address that SMTP can carry without extensions (RFC 5321 §4.1.2, the dot-string form).
///
/// The domain is in lower case; the part before the `@` is kept as given, since only its own server knows whether case
/// matters there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address(String);

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// There is not exactly one `@` with something on both sides.
    #[error("`{0}` is not an e-mail address: it needs one `@` with a name before it and a domain after it")]
    Form(String),
    /// The name or the domain is longer than RFC 5321 §4.5.3.1 allows (64 and 255, and 254 in all).
    #[error("`{0}` is too long for an e-mail address")]
    Long(String),
    /// A character that the plain form does not have.
    #[error("`{address}` is not an e-mail address: it has {character:?} in it")]
    Character {
        /// The text.
        address: String,
        /// The character.
        character: char,
    },
    /// The domain has characters outside ASCII.
    #[error("`{0}` has a domain outside ASCII; write it in its `xn--` form")]
    International(String),
}

impl Address {
    /// The address in `text`, without the white space around it.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let shown = || text.chars().filter(|c| !c.is_control()).take(80).collect::<String>();
        let Some((local, domain)) = text.rsplit_once('@') else { return Err(AddressError::Form(shown())) };
        if local.len() > 64 || domain.len() > 253 || text.len() > 254 {
            return Err(AddressError::Long(shown()));
        }
        let dotted = |s: &str| !s.is_empty() && s.split('.').all(|part| !part.is_empty());
        if !dotted(local) || !dotted(domain) || !domain.contains('.') && domain != "localhost" {
            return Err(AddressError::Form(shown()));
        }
        // The atext of RFC 5322 §3.2.3.
        let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
        if let Some(character) = local.chars().find(|&c| !atom(c)) {
            return Err(AddressError::Character { address: shown(), character });
        }
        if !domain.is_ascii() {
            return Err(AddressError::International(shown()));
        }
        if let Some(character) =
            domain.chars().find(|&c| !(c.is_ascii_alphanumeric() || c == '-' || c == '.'))
        {
            return Err(AddressError::Character { address: shown(), character });
        }
        if domain.split('.').any(|label| label.starts_with('-') || label.ends_with('-') || label.len() > 63) {
            return Err(AddressError::Form(shown()));
        }
        Ok(Self(format!("{local}@{}", domain.to_ascii_lowercase())))
    }

    /// The address as SMTP takes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The domain, in lower case.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// What tells two subscribers apart: the whole address in lower case, since no server in use tells `Li@` from `li@`.
    #[must_use]
    pub fn identity(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::parse(&text)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.0
    }
}

/// Somebody who asked for the digests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subscriber {
    /// The number in the ledger.
    pub id: SubscriberId,
    /// Where to write.
    pub address: Address,
    /// Whether we may.
    pub standing: Standing,
    /// How we know that he or she asked.
    pub consent: Consent,
}

/// Whether we may write to a subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Asked, and gets every digest.
    Confirmed,
    /// Left by his or her own wish; gets nothing more.
    Left,
}

impl Standing {
    /// The word in the ledger and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Left => "left",
        }
    }

    /// The standing of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Confirmed, Self::Left].into_iter().find(|standing| standing.as_str() == word)
    }
}

/// When and how a subscriber asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Consent {
    /// When.
    pub at: Timestamp,
    /// How, in words for a later question: `added by the operator`.
    pub how: String,
}

/// The key with which addresses for leaving are made: who has such an address was sent it by us.
#[derive(Clone)]
pub struct LeaveKey([u8; 32]);

impl LeaveKey {
    /// The key in 32 secret bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The last part of a subscriber's own address for leaving: the number and 128 bits that only we can make. It holds for
    /// ever, since letters are kept for years.
    #[must_use]
    pub fn token(&self, id: SubscriberId) -> String {
        let mac = blake3::keyed_hash(&self.0, format!("leave {}", id.0).as_bytes());
        format!("{}-{}", id.0, &mac.to_hex()[..32])
    }

    /// The subscriber whose token this is, if it is one of ours. How long the comparison takes tells nothing.
    #[must_use]
    pub fn check(&self, token: &str) -> Option<SubscriberId> {
        let (id, _) = token.split_once('-')?;
        let id = SubscriberId(id.parse().ok()?);
        // Hashes of BLAKE3 compare in constant time.
        (blake3::hash(token.as_bytes()) == blake3::hash(self.token(id).as_bytes())).then_some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_smtp_cannot_carry_is_refused_with_its_reason() {
        for (text, reason) in [
            (
                "li",
                "`li` is not an e-mail address: it needs one `@` with a name before it and a domain after it",
            ),
            (
                "@example.org",
                "`@example.org` is not an e-mail address: it needs one `@` with a name before it and a domain after it",
            ),
            ("li wang@example.org", "`li wang@example.org` is not an e-mail address: it has ' ' in it"),
            ("li\r\nBcc:x@example.org", "`liBcc:x@example.org` is not an e-mail address: it has '\\r' in it"),
            ("li@wang@example.org", "`li@wang@example.org` is not an e-mail address: it has '@' in it"),
            ("李@example.org", "`李@example.org` is not an e-mail address: it has '李' in it"),
            ("li@例子.cn", "`li@例子.cn` has a domain outside ASCII; write it in its `xn--` form"),
            (
                "a..b@example.org",
                "`a..b@example.org` is not an e-mail address: it needs one `@` with a name before it and a domain after it",
            ),
        ] {
            assert_eq!(Address::parse(text).expect_err(text).to_string(), reason);
        }
        assert!(Address::parse(&format!("{}@example.org", "x".repeat(65))).is_err());
    }

    #[test]
    fn only_our_own_address_for_leaving_is_taken() {
        let key = LeaveKey::new([7; 32]);
        let token = key.token(SubscriberId(41));
        assert_eq!(key.check(&token), Some(SubscriberId(41)));
        assert_eq!(LeaveKey::new([8; 32]).check(&token), None);
        for forged in
            [token.replace("41-", "42-"), token.to_uppercase(), format!("0{token}"), "41-".into(), "x".into()]
        {
            assert_eq!(key.check(&forged), None, "{forged}");
        }
    }

    #[test]
    fn one_mailbox_is_one_subscriber_however_it_is_written() {
        let written = Address::parse(" Li.Wei+news@Example.ORG ").expect("an address");
        assert_eq!(written.as_str(), "Li.Wei+news@example.org");
        assert_eq!(written.identity(), "li.wei+news@example.org");
        assert_eq!(written.domain(), "example.org");
    }
}
