//! What senders share of receiving domains: so many letters a minute together, and which finds us too quick.

use std::{collections::HashMap, time::Duration};

use super::super::pace::Barrier;

/// As in the tray.
const FIRST_PAUSE: Duration = Duration::from_mins(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(30);

/// A domain's letters of so many seconds may be claimed at once: a little more than senders sleep.
const AHEAD: f64 = 6.0;

/// One domain.
#[derive(Default)]
struct Domain {
    barrier: Barrier,
    /// How many letters may be claimed, as of `since`.
    left: f64,
    since: Option<u64>,
    /// Whether one is claimed that tries it.
    is_tried: bool,
}

/// All of which something is known.
pub(super) struct Shared {
    per_second: Option<f64>,
    domains: HashMap<usize, Domain>,
}

impl Shared {
    pub(super) fn new(per_minute: Option<u32>) -> Self {
        Self { per_second: per_minute.map(|most| f64::from(most) / 60.0), domains: HashMap::new() }
    }

    /// How many letters may be claimed now of those that are wanted; counts them.
    pub(super) fn grant(&mut self, domain: usize, wanted: usize, now: u64) -> usize {
        if self.per_second.is_none() && !self.domains.contains_key(&domain) {
            return wanted;
        }
        let domain = self.domains.entry(domain).or_default();
        if domain.barrier.closed_until(super::timestamp(now), LONGEST_PAUSE).is_some() {
            return 0;
        }
        if domain.barrier.is_on_trial() {
            return if std::mem::replace(&mut domain.is_tried, true) { 0 } else { wanted.min(1) };
        }
        let Some(per_second) = self.per_second else { return wanted };
        let most = (per_second * AHEAD).max(1.0);
        let passed = domain.since.map_or(1.0, |since| super::seconds(now.saturating_sub(since)));
        domain.left = (domain.left + passed * per_second).min(most);
        domain.since = Some(now);
        let granted = wanted.min(super::index(super::rounded(domain.left.floor())));
        domain.left -= f64::from(u32::try_from(granted).unwrap_or(u32::MAX));
        granted
    }

    /// A letter was claimed and not offered.
    pub(super) fn give_back(&mut self, domain: usize) {
        if let Some(domain) = self.domains.get_mut(&domain) {
            domain.left += 1.0;
            domain.is_tried = false;
        }
    }

    /// A domain finds us too quick.
    pub(super) fn close(&mut self, domain: usize, now: u64) {
        let domain = self.domains.entry(domain).or_default();
        let now = super::timestamp(now);
        if domain.barrier.closed_until(now, LONGEST_PAUSE).is_none() {
            domain.barrier.close(now, FIRST_PAUSE, LONGEST_PAUSE);
            domain.is_tried = false;
        }
    }

    /// A domain has answered about a letter, or taken it.
    pub(super) fn open(&mut self, domain: usize, was_taken: bool) {
        if let Some(domain) = self.domains.get_mut(&domain) {
            domain.is_tried = false;
            if was_taken {
                domain.barrier.open();
            }
        }
    }
}
