//! How many letters that ask may be asked for: by one network, and by all together. What is counted takes the same room for ten
//! networks and for a hundred thousand.

use std::{collections::hash_map::RandomState, hash::BuildHasher as _, net::IpAddr};

use jiff::{SignedDuration, Timestamp};

/// How many counts there are in a row: with as many networks in an hour, one is mistaken for another in one case of some three.
const COUNTS: usize = 1 << 16;

/// Where somebody asks from: the `/24` of an address of IPv4, the `/64` of one of IPv6. Whoever has one of these addresses mostly has
/// all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Network {
    /// The first 24 bits.
    V4(u32),
    /// The first 64 bits.
    V6(u64),
}

impl Network {
    /// The network of an address; one of IPv4 that is written as one of IPv6 is what it is.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(u32::from(address) >> 8),
            IpAddr::V6(address) => Self::V6(u64::try_from(u128::from(address) >> 64).unwrap_or_default()),
        }
    }
}

/// Why nobody may ask now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// This network has asked too often.
    Network,
    /// All together have.
    All,
}

/// So many at once, and so many an hour: a token bucket, told by the time at which it would be full again (GCRA).
#[derive(Debug, Clone, Copy)]
struct Rate {
    /// How many microseconds one of them costs.
    step: i64,
    /// How many microseconds may be owed.
    room: i64,
}

impl Rate {
    fn per_hour(most: u32) -> Self {
        let most = i64::from(most.max(1));
        let step = SignedDuration::from_hours(1).as_secs() * 1_000_000 / most;
        Self { step, room: step * (most - 1) }
    }

    /// How much is owed where it would be full at `full`. Nobody can owe more than there is room for: then the clock was set back.
    fn owed(self, full: i64, now: i64) -> i64 {
        let owed = full.saturating_sub(now).max(0);
        if owed > self.room + self.step { 0 } else { owed }
    }

    /// When it would be full after one more, or `None` when it is empty.
    fn take(self, full: i64, now: i64) -> Option<i64> {
        let owed = self.owed(full, now);
        (owed <= self.room).then_some(now + owed + self.step)
    }
}

/// What was asked for lately.
///
/// A network is counted in two rows, at places that only this process knows, and what it owes is the lesser of both (a count-min
/// sketch): somebody else must share both places to be taken for it.
#[derive(Debug)]
pub struct Limits {
    network: Rate,
    all: Rate,
    rows: [(RandomState, Vec<i64>); 2],
    everybody: i64,
}

impl Limits {
    /// Nothing asked for yet. Each network may ask `per_network` times at once and as often again in an hour, all together `per_hour`
    /// times.
    #[must_use]
    pub fn new(per_network: u32, per_hour: u32) -> Self {
        let row = || (RandomState::new(), vec![0; COUNTS]);
        Self {
            network: Rate::per_hour(per_network),
            all: Rate::per_hour(per_hour),
            rows: [row(), row()],
            everybody: 0,
        }
    }

    /// Counts one more from this network.
    ///
    /// # Errors
    /// Why it may not ask; nothing was counted then.
    pub fn take(&mut self, network: Network, now: Timestamp) -> Result<(), Refused> {
        let now = now.as_microsecond();
        #[expect(clippy::cast_possible_truncation, reason = "the lower bits of a hash are as good as all")]
        let places = [0, 1].map(|nth: usize| self.rows[nth].0.hash_one(network) as usize % COUNTS);
        let [one, other] = [0, 1].map(|nth: usize| self.rows[nth].1[places[nth]]);
        let owed = self.network.owed(one, now).min(self.network.owed(other, now));
        let full = self.network.take(now + owed, now).ok_or(Refused::Network)?;
        self.everybody = self.all.take(self.everybody, now).ok_or(Refused::All)?;
        for ((_, row), place) in self.rows.iter_mut().zip(places) {
            // What another network owes here stays owed.
            row[place] = full.max(now + self.network.owed(row[place], now));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000 + hours)
    }

    fn nth(nth: u32) -> Network {
        Network::of(Ipv4Addr::from(nth << 8).into())
    }

    #[test]
    fn neighbours_share_a_network_and_strangers_do_not() {
        let of = |text: &str| Network::of(text.parse().expect("an address"));
        assert_eq!(of("192.0.2.1"), of("192.0.2.250"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.7"));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        for (one, other) in
            [("192.0.2.1", "192.0.3.1"), ("2001:db8:0:1::1", "2001:db8:0:2::1"), ("0.0.0.0", "::")]
        {
            assert_ne!(of(one), of(other));
        }
    }

    #[test]
    fn a_hundred_thousand_wishes_of_one_network_are_as_many_as_one_network_may_have() {
        let mut limits = Limits::new(20, 1_000_000);
        let taken = (0..100_000).filter(|_| limits.take(nth(1), at(0)).is_ok()).count();
        assert_eq!(taken, 20);
        assert_eq!(limits.take(nth(1), at(0)), Err(Refused::Network));
        assert!(limits.take(nth(2), at(0)).is_ok(), "a neighbour may ask");
        assert_eq!((0..100).filter(|_| limits.take(nth(1), at(1)).is_ok()).count(), 20, "an hour later");
    }

    #[test]
    fn a_hundred_thousand_networks_together_have_no_more_than_all_may_and_take_no_more_room() {
        let mut limits = Limits::new(20, 500);
        let taken = (0..100_000).filter(|n| limits.take(nth(*n), at(0)).is_ok()).count();
        assert_eq!(taken, 500);
        assert_eq!(limits.take(nth(200_000), at(0)), Err(Refused::All));
        assert!(limits.rows.iter().all(|(_, row)| row.capacity() == COUNTS));
        assert!(limits.take(nth(200_000), at(1)).is_ok());
    }

    #[test]
    fn nobody_pays_for_a_hundred_thousand_other_networks() {
        let mut limits = Limits::new(20, u32::MAX);
        for n in 0..100_000_u128 {
            limits.take(Network::of(Ipv6Addr::from(n << 64).into()), at(0)).expect("each asks once");
        }
        let refused = (0..1000).filter(|n| limits.take(nth(*n), at(0)).is_err()).count();
        assert_eq!(refused, 0);
    }

    #[test]
    fn a_clock_that_was_set_back_keeps_nobody_out() {
        let mut limits = Limits::new(1, 1);
        assert!(limits.take(nth(1), at(100)).is_ok());
        assert!(limits.take(nth(1), at(0)).is_ok());
        assert_eq!(limits.take(nth(1), at(0)), Err(Refused::Network));
    }
}
