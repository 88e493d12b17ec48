//! The key of the addresses that errors come back to: such an address tells whose letter of which digest it was.

use super::DigestId;
use crate::{subscriber::LeaveKey, subscriber::SubscriberId};

/// The key with which return paths are made (VERP): only who got a letter of ours, or a server on its way, knows one.
#[derive(Clone)]
pub struct ReturnKey([u8; 32]);

impl ReturnKey {
    /// The longest name of a mailbox before the `+`: with it and numbers of 13 digits, the local part has the 64 bytes that
    /// RFC 5321 §4.5.3.1.1 allows.
    pub const LONGEST_MAILBOX: usize = 19;

    /// The key that goes with a key for leaving: one secret is enough to keep.
    #[must_use]
    pub fn of(key: &LeaveKey) -> Self {
        Self(key.derive("gazetted 2026-11 return paths of letters"))
    }

    /// The local part that one letter comes back to: `MAILBOX+DIGEST.SUBSCRIBER.MAC`, the last 64 bits that only we can make.
    #[must_use]
    pub fn local_part(&self, mailbox: &str, digest: DigestId, subscriber: SubscriberId) -> String {
        format!("{mailbox}+{}", self.token(digest, subscriber))
    }

    /// Whose letter of which digest came back to this local part, if it is one of ours, whatever stands before the `+`.
    /// Capitals count like small letters, for some servers change them.
    #[must_use]
    pub fn check(&self, local_part: &str) -> Option<(DigestId, SubscriberId)> {
        let token = local_part.rsplit_once('+')?.1.to_ascii_lowercase();
        let mut numbers = token.split('.').map(str::parse::<i64>);
        let (digest, subscriber) = (DigestId(numbers.next()?.ok()?), SubscriberId(numbers.next()?.ok()?));
        // Hashes of BLAKE3 compare in constant time.
        let same = blake3::hash(token.as_bytes()) == blake3::hash(self.token(digest, subscriber).as_bytes());
        same.then_some((digest, subscriber))
    }

    fn token(&self, digest: DigestId, subscriber: SubscriberId) -> String {
        let mac = blake3::keyed_hash(&self.0, format!("return {} {}", digest.0, subscriber.0).as_bytes());
        format!("{}.{}.{}", digest.0, subscriber.0, &mac.to_hex()[..16])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_return_path_tells_whose_letter_came_back() {
        let key = ReturnKey::of(&LeaveKey::new([7; 32]));
        let letter = (DigestId(12), SubscriberId(41));
        let path = key.local_part("bounces", letter.0, letter.1);
        assert!(path.starts_with("bounces+12.41."), "{path}");
        assert_eq!(key.check(&path), Some(letter));
        assert_eq!(key.check(&path.to_uppercase()), Some(letter));
        assert_eq!(key.check(&path.replace("bounces+", "anything+")), Some(letter));
        assert_eq!(ReturnKey::of(&LeaveKey::new([8; 32])).check(&path), None);
        for forged in [
            path.replace("12.41", "12.42"),
            path.replace("+12", "+012"),
            path.replace('+', ""),
            format!("{path}.1"),
            format!("{path}0"),
            path[..path.len() - 1].to_owned(),
            "bounces+12.41.".to_owned(),
            "bounces+..".to_owned(),
            "bounces".to_owned(),
        ] {
            assert_eq!(key.check(&forged), None, "{forged}");
        }
    }

    #[test]
    fn a_return_path_is_as_long_as_a_local_part_may_be() {
        let key = ReturnKey::of(&LeaveKey::new([7; 32]));
        let mailbox = "m".repeat(ReturnKey::LONGEST_MAILBOX);
        let many = 9_999_999_999_999;
        let path = key.local_part(&mailbox, DigestId(many), SubscriberId(many));
        assert_eq!((path.len(), key.check(&path)), (64, Some((DigestId(many), SubscriberId(many)))));
    }
}
