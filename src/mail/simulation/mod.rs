//! How long letters take, in virtual time: the real trays, paces and judgements of sending, with a ledger, servers and receivers that are
//! made up.
//!
//! Nothing is sent, asked or waited for; the same plan gives the same outcome.

mod chance;
mod engine;
mod queue;
mod receivers;
mod sender;
mod shared;
pub(super) mod stencil;
mod tally;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};

pub use queue::Order;
pub use receivers::Receivers;
pub use tally::{Busy, Limit, OfDomain, Outcome};

use crate::subscriber::Address;
use engine::Engine;

/// What is simulated.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How many daemons send, each by a relay of its own; at least one.
    pub senders: usize,
    /// How many readers get a letter.
    pub readers: u32,
    /// Who they are.
    pub receivers: Receivers,
    /// Most connections of a sender at once; at least one.
    pub connections: usize,
    /// Most letters a minute of each sender.
    pub per_minute: Option<u32>,
    /// Most letters a minute to one receiving domain: of each sender, or, where throttles are shared, of all.
    pub per_minute_per_domain: Option<u32>,
    /// Whether senders share the limits of domains, and tell each other of those that find them too quick.
    pub are_throttles_shared: bool,
    /// Whether relays take all letters at once and have the rest to do themselves, instead of telling what receivers say.
    pub do_relays_queue: bool,
    /// Whether the relays' addresses are new to receivers.
    pub are_addresses_new: bool,
    /// In which order letters are claimed.
    pub order: Order,
    /// A round trip to a relay, in microseconds.
    pub round_trip: u64,
    /// A letter's time of a sender's processor, in microseconds.
    pub processor: u64,
    /// A letter's time of the ledger, claimed and settled, in microseconds.
    pub ledger: u64,
    /// How long a commit takes besides, in microseconds.
    pub commit: u64,
    /// The bytes of a letter.
    pub letter_bytes: u64,
    /// What a sender's line carries in a second, in bits.
    pub line: u64,
    /// What all chance follows from.
    pub seed: u64,
}

/// Sends all letters of a plan in virtual time, until the last has ended. Tells `progress` now and then how many seconds have
/// passed, and how many letters have ended.
#[must_use]
pub fn simulate(plan: &Plan, progress: &mut dyn FnMut(f64, u64)) -> Outcome {
    Engine::new(plan).run(progress)
}

/// The begin of virtual time.
fn begin() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

/// A virtual time, in microseconds, for those who know timestamps only.
fn timestamp(now: u64) -> Timestamp {
    let micros = SignedDuration::from_micros(i64::try_from(now).unwrap_or(i64::MAX));
    begin().saturating_add(micros).unwrap_or(Timestamp::MAX)
}

/// The microseconds of a timestamp since the begin.
fn micros(time: Timestamp) -> u64 {
    u64::try_from(time.duration_since(begin()).as_micros()).unwrap_or(0)
}

fn seconds(micros: u64) -> f64 {
    part(micros, 1_000_000)
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn part(of: u64, all: u64) -> f64 {
    of as f64 / all as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
fn rounded(number: f64) -> u32 {
    number.round().clamp(0.0, f64::from(u32::MAX)) as u32
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn days(days: u64) -> u32 {
    u32::try_from(days).unwrap_or(u32::MAX)
}

fn can_be_written_to(domain: &str) -> bool {
    Address::parse(&format!("reader@{domain}")).is_ok_and(|address| address.domain() == domain)
}
