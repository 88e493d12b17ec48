//! How often passwords and tokens may be tried that are wrong: by one network, and by all together. Who tries keeps no other network
//! out, unless many networks try at once.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::http::Network;

/// So many may be wrong from one network,
const OF_NETWORK: usize = 10;

/// and so many from all together,
const OF_ALL: usize = 200;

/// within this time; then nothing can be tried until the first of them is as old.
const WITHIN: SignedDuration = SignedDuration::from_mins(15);

/// When something was tried that was not right, or is being tried; the oldest first.
#[derive(Debug, Default)]
pub(super) struct Attempts(VecDeque<(Timestamp, Network)>);

impl Attempts {
    /// Counts an attempt from a network, or says for how many seconds there may be none.
    pub(super) fn begin(&mut self, network: Network, now: Timestamp) -> Result<(), i64> {
        self.0.retain(|(at, _)| now.duration_since(*at) < WITHIN);
        let of_network = self.0.iter().filter(|(_, known)| *known == network);
        let (first, n) = (of_network.clone().next().copied(), of_network.count());
        let first = match (first, self.0.front()) {
            (Some(first), _) if n >= OF_NETWORK => first,
            (_, Some(first)) if self.0.len() >= OF_ALL => *first,
            _ => {
                self.0.push_back((now, network));
                return Ok(());
            }
        };
        Err((WITHIN - now.duration_since(first.0)).as_secs().max(1))
    }

    /// One from there was right: what was wrong before does not count any more.
    pub(super) fn forget(&mut self, network: Network) {
        self.0.retain(|(_, known)| *known != network);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    #[test]
    fn after_some_wrong_passwords_there_is_a_pause_for_that_network() {
        let mut attempts = Attempts::default();
        let (theirs, ours) = (Network::V4(1), Network::V4(2));
        for _ in 0..OF_NETWORK {
            attempts.begin(theirs, at(0)).expect("allowed");
        }
        assert_eq!(attempts.begin(theirs, at(10)), Err(300));
        attempts.begin(ours, at(10)).expect("another network may go on");
        attempts.begin(theirs, at(15)).expect("allowed again");
        attempts.forget(theirs);
        assert_eq!(attempts.0.len(), 1);
    }

    #[test]
    fn many_networks_together_have_an_end_too_and_take_no_more_room() {
        let mut attempts = Attempts::default();
        let good = (0..100_000).filter(|n| attempts.begin(Network::V6(*n), at(0)).is_ok()).count();
        assert_eq!((good, attempts.0.len()), (OF_ALL, OF_ALL));
        assert_eq!(attempts.begin(Network::V4(0), at(1)), Err(840));
        attempts.begin(Network::V4(0), at(15)).expect("allowed again");
    }
}
