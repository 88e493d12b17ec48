//! The keys of the addresses that lead to one reader: who has such an address was sent it by us.

use jiff::Timestamp;

use super::SubscriberId;

/// The key with which addresses for leaving are made: who has such an address was sent it by us.
#[derive(Clone)]
pub struct LeaveKey([u8; 32]);

/// What a token for confirming says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// This subscriber asked, and may confirm it.
    Of(SubscriberId),
    /// It is one of ours, and too old.
    Expired,
    /// It is none of ours.
    Forged,
}

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
        self.made_for("leave", id)
    }

    /// The subscriber whose token for leaving this is, if it is one of ours. How long the comparison takes tells nothing.
    #[must_use]
    pub fn check(&self, token: &str) -> Option<SubscriberId> {
        self.checked_for("leave", token)
    }

    /// The last part of the address at which a subscriber confirms that he or she asked; it holds until `until`, to the second.
    #[must_use]
    pub fn confirmation(&self, id: SubscriberId, until: Timestamp) -> String {
        let until = until.as_second();
        format!("{}.{until}", self.made_for(&format!("confirm until {until}"), id))
    }

    /// What a token for confirming says at this time.
    #[must_use]
    pub fn check_confirmation(&self, token: &str, now: Timestamp) -> Confirmation {
        let checked = token.rsplit_once('.').and_then(|(token, until)| {
            let until: i64 = until.parse().ok()?;
            Some((self.checked_for(&format!("confirm until {until}"), token)?, until))
        });
        match checked {
            Some((id, until)) if now.as_second() <= until => Confirmation::Of(id),
            Some(_) => Confirmation::Expired,
            None => Confirmation::Forged,
        }
    }

    /// The last part of the address at which a subscriber changes what he or she gets. It holds as long as there are letters.
    #[must_use]
    pub fn preferences(&self, id: SubscriberId) -> String {
        self.made_for("preferences", id)
    }

    /// The subscriber whose token for preferences this is.
    #[must_use]
    pub fn check_preferences(&self, token: &str) -> Option<SubscriberId> {
        self.checked_for("preferences", token)
    }

    /// The part of the addresses of a subscriber's own feed and catalogue that is his or hers. It changes nothing for whoever has it,
    /// since programs keep it and show it.
    #[must_use]
    pub fn private(&self, id: SubscriberId) -> String {
        self.made_for("private", id)
    }

    /// The subscriber whose own feed this is.
    #[must_use]
    pub fn check_private(&self, token: &str) -> Option<SubscriberId> {
        self.checked_for("private", token)
    }

    fn made_for(&self, purpose: &str, id: SubscriberId) -> String {
        let mac = blake3::keyed_hash(&self.0, format!("{purpose} {}", id.0).as_bytes());
        format!("{}-{}", id.0, &mac.to_hex()[..32])
    }

    fn checked_for(&self, purpose: &str, token: &str) -> Option<SubscriberId> {
        let (id, _) = token.split_once('-')?;
        let id = SubscriberId(id.parse().ok()?);
        // Hashes of BLAKE3 compare in constant time.
        let ours = blake3::hash(self.made_for(purpose, id).as_bytes());
        (blake3::hash(token.as_bytes()) == ours).then_some(id)
    }

    /// The local part of a subscriber's own address for leaving by mail: `MAILBOX+leave.ID.MAC`. It is shorter than a
    /// [`LeaveKey::token`], for a local part has 64 bytes.
    #[must_use]
    pub fn local_part(&self, mailbox: &str, id: SubscriberId) -> String {
        format!("{mailbox}+{}", self.mailed(id))
    }

    /// The subscriber who leaves by writing to this local part, if it is one of ours, whatever stands before the `+`. Capitals
    /// count like small letters, for some servers change them.
    #[must_use]
    pub fn check_local_part(&self, local_part: &str) -> Option<SubscriberId> {
        let token = local_part.rsplit_once('+')?.1.to_ascii_lowercase();
        let (id, _) = token.strip_prefix("leave.")?.split_once('.')?;
        let id = SubscriberId(id.parse().ok()?);
        (blake3::hash(token.as_bytes()) == blake3::hash(self.mailed(id).as_bytes())).then_some(id)
    }

    fn mailed(&self, id: SubscriberId) -> String {
        let mac = blake3::keyed_hash(&self.0, format!("leave by mail {}", id.0).as_bytes());
        format!("leave.{}.{}", id.0, &mac.to_hex()[..16])
    }

    /// A key for another purpose that follows from this one.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        blake3::derive_key(purpose, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Check = fn(&LeaveKey, &str) -> Option<SubscriberId>;

    #[test]
    fn only_our_own_address_for_leaving_is_taken() {
        let key = LeaveKey::new([7; 32]);
        let token = key.token(SubscriberId(41));
        assert_eq!(key.check(&token), Some(SubscriberId(41)));
        assert_eq!(LeaveKey::new([8; 32]).check(&token), None);
        let own: [(&str, Check, String); 3] = [
            ("leave", LeaveKey::check, token.clone()),
            ("preferences", LeaveKey::check_preferences, key.preferences(SubscriberId(41))),
            ("private", LeaveKey::check_private, key.private(SubscriberId(41))),
        ];
        for (purpose, check, _) in &own {
            for (made_for, _, token) in &own {
                let expected = (purpose == made_for).then_some(SubscriberId(41));
                assert_eq!(check(&key, token), expected, "made for {made_for}, used for {purpose}");
            }
        }
        for forged in
            [token.replace("41-", "42-"), token.to_uppercase(), format!("0{token}"), "41-".into(), "x".into()]
        {
            assert_eq!(key.check(&forged), None, "{forged}");
        }
    }

    #[test]
    fn a_token_for_confirming_holds_until_its_second_and_no_longer() {
        let key = LeaveKey::new([7; 32]);
        let until: Timestamp = "2026-11-26T12:00:00Z".parse().expect("a moment");
        let later = until + jiff::SignedDuration::from_secs(1);
        let token = key.confirmation(SubscriberId(41), until);
        assert_eq!(key.check_confirmation(&token, until), Confirmation::Of(SubscriberId(41)));
        assert_eq!(key.check_confirmation(&token, later), Confirmation::Expired);
        let longer = token.replace(&until.as_second().to_string(), &later.as_second().to_string());
        for forged in [&longer, &token.replace("41-", "42-"), &key.token(SubscriberId(41)), "x", "1-2.3"] {
            assert_eq!(key.check_confirmation(forged, until), Confirmation::Forged, "{forged}");
        }
    }

    #[test]
    fn only_our_own_mailbox_for_leaving_is_taken() {
        let key = LeaveKey::new([7; 32]);
        let mailbox = key.local_part("bounces", SubscriberId(41));
        assert!(mailbox.starts_with("bounces+leave.41.") && mailbox.len() <= 64, "{mailbox}");
        for ours in [mailbox.clone(), mailbox.to_uppercase(), mailbox.replace("bounces", "list")] {
            assert_eq!(key.check_local_part(&ours), Some(SubscriberId(41)), "{ours}");
        }
        assert_eq!(LeaveKey::new([8; 32]).check_local_part(&mailbox), None);
        for forged in [
            mailbox.replace(".41.", ".42."),
            mailbox.replace(".41.", ".041."),
            mailbox.replace("leave.", ""),
            format!("{mailbox}0"),
            format!("bounces+leave.{}", key.token(SubscriberId(41))),
            "bounces+leave.".to_owned(),
        ] {
            assert_eq!(key.check_local_part(&forged), None, "{forged}");
        }
    }
}
