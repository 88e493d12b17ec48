//! What a form carries so that we know how long it lay open: programs that fill in forms are quicker than people, or come back with an
//! old one.

use jiff::{SignedDuration, Timestamp};

use crate::subscriber::LeaveKey;

/// How long a person takes at least to fill in a form.
const QUICKEST: SignedDuration = SignedDuration::from_secs(3);

/// How long a form may lie open.
const LONGEST: SignedDuration = SignedDuration::from_hours(2);

/// Makes and checks tickets. A ticket says when its form was shown, and nothing of whom it was shown to; used twice, it does no more
/// than once, since what a form may do is counted elsewhere.
#[derive(Clone)]
pub(super) struct Tickets([u8; 32]);

/// What a ticket says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ticket {
    /// The form lay open for as long as a person needs.
    Good,
    /// Not even three seconds.
    Quick,
    /// More than two hours, or we did not make it.
    Old,
}

impl Tickets {
    pub(super) fn of(key: &LeaveKey) -> Self {
        Self(key.derive("gazetted 2026-11 tickets of readers' forms"))
    }

    /// The ticket of a form that is shown now.
    pub(super) fn issue(&self, now: Timestamp) -> String {
        self.stamped(now.as_millisecond())
    }

    fn stamped(&self, shown: i64) -> String {
        let mac = blake3::keyed_hash(&self.0, shown.to_string().as_bytes());
        format!("{shown}-{}", &mac.to_hex()[..32])
    }

    pub(super) fn check(&self, ticket: &str, now: Timestamp) -> Ticket {
        let shown =
            ticket.split_once('-').and_then(|(shown, _)| shown.parse::<i64>().ok()).unwrap_or_default();
        // Hashes of BLAKE3 compare in constant time.
        if blake3::hash(self.stamped(shown).as_bytes()) != blake3::hash(ticket.as_bytes()) {
            return Ticket::Old;
        }
        let lay = SignedDuration::from_millis(now.as_millisecond().saturating_sub(shown));
        match lay {
            lay if lay > LONGEST || lay < -LONGEST => Ticket::Old,
            lay if lay < QUICKEST => Ticket::Quick,
            _ => Ticket::Good,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_from_three_seconds_to_two_hours() {
        let tickets = Tickets::of(&LeaveKey::new([7; 32]));
        let shown: Timestamp = "2026-11-26T12:00:00Z".parse().expect("a moment");
        let ticket = tickets.issue(shown);
        let after = |millis: i64| tickets.check(&ticket, shown + SignedDuration::from_millis(millis));
        assert_eq!([after(0), after(2999), after(3000)], [Ticket::Quick, Ticket::Quick, Ticket::Good]);
        assert_eq!([after(7_200_000), after(7_200_001)], [Ticket::Good, Ticket::Old]);
        assert_eq!(after(-7_200_001), Ticket::Old, "the clock was set back");
        let strange = Tickets::of(&LeaveKey::new([8; 32]));
        for forged in
            [strange.issue(shown), ticket.replace('-', "-0"), format!("0{ticket}"), "-".into(), String::new()]
        {
            assert_eq!(tickets.check(&forged, shown + SignedDuration::from_mins(1)), Ticket::Old, "{forged}");
        }
    }
}
