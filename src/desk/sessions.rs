//! Who is logged in: in memory only, by hashes of random tokens, for a while.

use std::{collections::HashMap, io};

use jiff::{SignedDuration, Timestamp};

use crate::random;

/// How long somebody stays logged in who does nothing, and
const IDLE: SignedDuration = SignedDuration::from_hours(12);

/// how long at most.
const WHOLE: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Most sessions at once; the one that was idle longest makes room.
const MOST: usize = 256;

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// What every form of his or hers carries.
    pub(super) form_token: String,
    begun: Timestamp,
    seen: Timestamp,
    /// The password by which it began.
    stamp: blake3::Hash,
}

/// All who are logged in.
#[derive(Debug, Default)]
pub(super) struct Sessions(HashMap<blake3::Hash, Session>);

impl Sessions {
    /// Begins a session, and gives its token: nobody can ask for it again.
    pub(super) fn begin(&mut self, stamp: blake3::Hash, now: Timestamp) -> io::Result<String> {
        self.0.retain(|_, session| session.is_good(stamp, now));
        if self.0.len() >= MOST
            && let Some(oldest) = self.0.iter().min_by_key(|(_, session)| session.seen).map(|(key, _)| *key)
        {
            self.0.remove(&oldest);
        }
        let token = random::word()?;
        let session = Session { form_token: random::word()?, begun: now, seen: now, stamp };
        self.0.insert(blake3::hash(token.as_bytes()), session);
        Ok(token)
    }

    /// The session of a token, if it has not expired and its password is still the one of `stamp`.
    pub(super) fn find(&mut self, token: &str, stamp: blake3::Hash, now: Timestamp) -> Option<Session> {
        let key = blake3::hash(token.as_bytes());
        let session = self.0.get_mut(&key)?;
        if !session.is_good(stamp, now) {
            self.0.remove(&key);
            return None;
        }
        session.seen = now;
        Some(session.clone())
    }

    /// Whether a token has a session that has not ended.
    pub(super) fn holds(&self, token: &str, stamp: blake3::Hash, now: Timestamp) -> bool {
        self.0.get(&blake3::hash(token.as_bytes())).is_some_and(|session| session.is_good(stamp, now))
    }

    pub(super) fn end(&mut self, token: &str) {
        self.0.remove(&blake3::hash(token.as_bytes()));
    }
}

impl Session {
    fn is_good(&self, stamp: blake3::Hash, now: Timestamp) -> bool {
        self.stamp == stamp && now.duration_since(self.seen) < IDLE && now.duration_since(self.begun) < WHOLE
    }

    /// Whether a form is one of this session's. The comparison takes the same time whatever differs.
    pub(super) fn signs(&self, token: &str) -> bool {
        blake3::hash(self.form_token.as_bytes()) == blake3::hash(token.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_when_it_is_idle_or_old_or_its_password_is_another() {
        let mut sessions = Sessions::default();
        let (ours, other) = (blake3::hash(b"1"), blake3::hash(b"2"));
        let at = |hours: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours);
        let token = sessions.begin(ours, at(0)).expect("begun");
        assert!(sessions.find("forged", ours, at(0)).is_none());
        for hours in (10..160).step_by(10) {
            assert!(sessions.find(&token, ours, at(hours)).is_some(), "{hours}");
        }
        assert!(sessions.find(&token, ours, at(168)).is_none(), "a week");
        let token = sessions.begin(ours, at(0)).expect("begun");
        assert!(sessions.find(&token, ours, at(12)).is_none(), "idle");
        let token = sessions.begin(ours, at(0)).expect("begun");
        assert!(sessions.find(&token, other, at(1)).is_none(), "another password");
        let token = sessions.begin(ours, at(0)).expect("begun");
        sessions.end(&token);
        assert!(sessions.find(&token, ours, at(1)).is_none(), "ended");
    }

    #[test]
    fn sessions_do_not_grow_without_end() {
        let mut sessions = Sessions::default();
        let stamp = blake3::hash(b"1");
        let tokens: Vec<String> = (0..=MOST)
            .map(|n| {
                let now = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(i64::try_from(n).expect("small"));
                sessions.begin(stamp, now).expect("begun")
            })
            .collect();
        assert_eq!(sessions.0.len(), MOST);
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1);
        assert!(sessions.find(&tokens[0], stamp, now).is_none());
        assert!(sessions.find(&tokens[1], stamp, now).is_some());
    }
}
