//! The tokens of programs: made by us, shown once, kept as hashes in the ledger.

use std::{fmt::Write as _, io};

use jiff::{SignedDuration, Timestamp};

use crate::{ledger, ledger::Ledger, ledger::Scope, ledger::Token, random};

/// How every token begins: who finds one lying about knows what it is.
const PREFIX: &str = "gazetted_";

/// How many random bytes follow, in hexadecimal.
const BYTES: usize = 20;

/// The longest name of a token, in characters.
const LONGEST: usize = 60;

/// How often it is noted at most that a token is used: each time is a write.
const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(10);

/// A token could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is one of that name.
    #[error("there is a token `{name}` already")]
    Taken {
        /// The name.
        name: String,
    },
    /// The name cannot be used.
    #[error("`{name}` is not a name for a token: use 1 to {LONGEST} letters, digits, spaces or -_.")]
    Name {
        /// What was given.
        name: String,
    },
    /// The system has no random numbers.
    #[error("cannot make a token")]
    Random(#[source] io::Error),
    /// The ledger could not be used.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
}

/// Makes a token, and gives it: this is the only time that anybody sees it.
///
/// # Errors
/// See [`Error`]; nothing was made then.
pub fn make(ledger: &dyn Ledger, name: &str, scope: Scope, now: Timestamp) -> Result<String, Error> {
    let name = name.trim().to_owned();
    let good = |c: char| c.is_alphanumeric() || " -_.".contains(c);
    if name.is_empty() || name.chars().count() > LONGEST || !name.chars().all(good) {
        return Err(Error::Name { name });
    }
    let random = random::bytes::<BYTES>().map_err(Error::Random)?;
    let token = random.iter().fold(PREFIX.to_owned(), |mut token, byte| {
        let _ = write!(token, "{byte:02x}");
        token
    });
    let entry = Token { name, scope, made: now, used: None };
    if ledger.enter_token(&entry, &hash(&token))? {
        Ok(token)
    } else {
        Err(Error::Taken { name: entry.name })
    }
}

/// The token that a program shows, if it is one that holds. It is noted that it is used.
pub(super) fn find(ledger: &dyn Ledger, shown: &str, now: Timestamp) -> Result<Option<Token>, ledger::Error> {
    let random = shown.strip_prefix(PREFIX).unwrap_or_default();
    if random.len() != 2 * BYTES || !random.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(None);
    }
    // Whoever could time how far two hashes are alike learns nothing about a token.
    let Some(token) = ledger.token(&hash(shown))? else { return Ok(None) };
    if token.used.is_none_or(|used| now.duration_since(used).abs() >= NOTED_EVERY) {
        ledger.token_used(&token.name, now)?;
    }
    Ok(Some(token))
}

/// What is kept of a token.
fn hash(token: &str) -> String {
    let key = blake3::derive_key("gazetted 2026-11 tokens of programs", token.as_bytes());
    blake3::Hash::from_bytes(key).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::sqlite::Sqlite;

    #[test]
    fn a_token_is_known_by_its_hash_alone_until_it_is_revoked() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("ledger.db");
        let ledger = Sqlite::open(&path).expect("opened");
        let at = |minutes: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        let token = make(&ledger, " printing house ", Scope::Read, at(0)).expect("made");
        assert_eq!(token.len(), PREFIX.len() + 40, "{token}");
        assert!(matches!(make(&ledger, "printing house", Scope::Write, at(0)), Err(Error::Taken { .. })));
        for name in ["", "a\nb", &"x".repeat(61), "<b>"] {
            assert!(matches!(make(&ledger, name, Scope::Read, at(0)), Err(Error::Name { .. })), "{name}");
        }
        let found = find(&ledger, &token, at(1)).expect("read").expect("known");
        assert_eq!((found.name.as_str(), found.scope, found.used), ("printing house", Scope::Read, None));
        find(&ledger, &token, at(5)).expect("read");
        let used = |at| crate::ledger::Tokens::tokens(&ledger).expect("read")[0].used == Some(at);
        assert!(used(at(1)), "noted to ten minutes");
        find(&ledger, &token, at(11)).expect("read");
        assert!(used(at(11)));
        for wrong in ["", PREFIX, &token[..token.len() - 1], &token.to_uppercase(), &format!("{token}0")] {
            assert_eq!(find(&ledger, wrong, at(12)).expect("read"), None, "{wrong}");
        }
        assert!(crate::ledger::Tokens::revoke_token(&ledger, "printing house").expect("written"));
        assert_eq!(find(&ledger, &token, at(12)).expect("read"), None);
        drop(ledger);
        for file in std::fs::read_dir(folder.path()).expect("a folder") {
            // The log beside the ledger may go meanwhile.
            let bytes = std::fs::read(file.expect("a file").path()).unwrap_or_default();
            assert!(!bytes.windows(token.len()).any(|part| part == token.as_bytes()));
        }
    }
}
