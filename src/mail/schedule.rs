//! When a letter that was refused for now is offered again.

use jiff::{SignedDuration, Timestamp};

/// The wait after the first attempt.
const FIRST_WAIT: SignedDuration = SignedDuration::from_mins(30);

/// The longest wait between two attempts.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(8);

/// How long a letter is offered before it has failed.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(5 * 24);

/// When to offer a letter again after `attempts` attempts, or `None` once it has failed.
///
/// The wait after the first attempt is 30 minutes and doubles up to 8 hours. Five days after `queued` we give up, as
/// RFC 5321 §4.5.4.1 advises.
#[must_use]
pub fn next_attempt(queued: Timestamp, attempts: u32, now: Timestamp) -> Option<Timestamp> {
    let doubled = 1_i32.checked_shl(attempts.saturating_sub(1).min(16)).unwrap_or(i32::MAX);
    let wait = FIRST_WAIT.saturating_mul(doubled).min(LONGEST_WAIT);
    let next = now.saturating_add(wait).ok()?;
    (next.duration_since(queued) <= GIVE_UP_AFTER).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_offered_for_five_days_and_less_often_as_time_goes() {
        let queued: Timestamp = "2026-07-09T06:00:00Z".parse().expect("a time");
        let mut now = queued;
        let mut waits = Vec::new();
        for attempts in 1.. {
            let Some(next) = next_attempt(queued, attempts, now) else { break };
            waits.push(next.duration_since(now).as_mins());
            now = next;
        }
        assert_eq!(waits[..6], [30, 60, 120, 240, 480, 480]);
        assert_eq!(now.duration_since(queued).as_hours(), 119, "the last attempt is in the fifth day");
    }
}
