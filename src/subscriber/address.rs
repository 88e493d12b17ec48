//! An e-mail address, checked once; and what identifies the mailbox behind it.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

/// An e-mail address that SMTP can carry without extensions (RFC 5321 §4.1.2, the dot-string form).
///
/// The domain is in lower case and in ASCII, whatever its script (RFC 5891); the part before the `@` is kept as given, since
/// only its own server knows whether case matters there.
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
    /// The domain is in another script, and no domain can be made of it.
    #[error("`{0}` has a domain that no server can have")]
    Domain(String),
    /// The name before the `@` is in another script than Latin.
    #[error(
        "`{0}` has letters before the `@` that few mail servers can carry (RFC 6531); ask for another address"
    )]
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
        let domain = in_ascii(domain).ok_or_else(|| AddressError::Domain(shown()))?;
        if local.len() > 64 || domain.len() > 253 || local.len() + 1 + domain.len() > 254 {
            return Err(AddressError::Long(shown()));
        }
        if !local.is_ascii() && local.chars().all(|c| c.is_alphanumeric() || c.is_ascii_punctuation()) {
            return Err(AddressError::International(shown()));
        }
        let dotted = |s: &str| !s.is_empty() && s.split('.').all(|part| !part.is_empty());
        if !dotted(local) || !dotted(&domain) || !domain.contains('.') && domain != "localhost" {
            return Err(AddressError::Form(shown()));
        }
        // The atext of RFC 5322 §3.2.3.
        let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
        if let Some(character) = local.chars().find(|&c| !atom(c)) {
            return Err(AddressError::Character { address: shown(), character });
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

/// A domain as the DNS has it: `例子.cn` becomes `xn--fsqu00a.cn`.
fn in_ascii(domain: &str) -> Option<Cow<'_, str>> {
    if domain.is_ascii() {
        return Some(Cow::Borrowed(domain));
    }
    match url::Host::parse(domain) {
        Ok(url::Host::Domain(name)) => Some(Cow::Owned(name)),
        _ => None,
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
            (
                "李@example.org",
                "`李@example.org` has letters before the `@` that few mail servers can carry (RFC 6531); ask for another address",
            ),
            ("li@例 子.cn", "`li@例 子.cn` has a domain that no server can have"),
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
    fn a_domain_in_another_script_is_known_by_its_ascii_form() {
        let address = Address::parse("li@例子.CN").expect("an address");
        assert_eq!(address.as_str(), "li@xn--fsqu00a.cn");
        assert_eq!(Address::parse("li@xn--fsqu00a.cn").expect("an address"), address);
    }

    #[test]
    fn one_mailbox_is_one_subscriber_however_it_is_written() {
        let written = Address::parse(" Li.Wei+news@Example.ORG ").expect("an address");
        assert_eq!(written.as_str(), "Li.Wei+news@example.org");
        assert_eq!(written.identity(), "li.wei+news@example.org");
        assert_eq!(written.domain(), "example.org");
    }
}
