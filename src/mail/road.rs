//! One way out, and how it stands: how many letters it takes at a time, and until when it takes none.

use std::time::Duration;

use jiff::Timestamp;

use super::pace::{Barrier, Throttle, Window};
use crate::delivery::Reply;

/// The shortest pause after a server could not be reached or would not have us.
const FIRST_PAUSE: Duration = Duration::from_secs(5);

/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// One connection more after so many letters that went well.
const WIDEN_AFTER: f64 = 100.0;

/// A server that falls silent over so many letters in a row gets none for a while: each may be doubled.
const SILENCES: u32 = 3;

/// How a way out stands.
pub(super) struct Road {
    /// How it is called in the log.
    pub(super) name: String,
    /// Its share of the letters; with none it only stands in for others.
    pub(super) weight: u32,
    pub(super) throttle: Option<Throttle>,
    pub(super) window: Window,
    /// How many letters are on it.
    pub(super) in_flight: usize,
    /// How many connections are open.
    pub(super) connected: usize,
    /// Letters that it has taken, divided by its weight.
    pub(super) share: f64,
    /// When one of its lanes last asked for a letter.
    pub(super) asked: Timestamp,
    /// Why it takes none, or took none before it was last tried.
    pub(super) trouble: Option<Reply>,
    barrier: Barrier,
    silences: u32,
    /// The domain that was too much for it since something went well.
    blamed: Option<String>,
}

impl Road {
    pub(super) fn new(name: String, lanes: usize, per_minute: Option<u32>, weight: u32) -> Self {
        Self {
            name,
            weight,
            throttle: per_minute.map(Throttle::new),
            window: Window::new(lanes),
            in_flight: 0,
            connected: 0,
            share: 0.0,
            asked: Timestamp::MIN,
            trouble: None,
            barrier: Barrier::default(),
            silences: 0,
            blamed: None,
        }
    }

    /// Until when it takes no letters.
    pub(super) fn closed_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.barrier.closed_until(now, LONGEST_PAUSE)
    }

    /// Whether it was closed and has taken nothing since: one letter tries it.
    pub(super) fn is_on_trial(&self) -> bool {
        self.barrier.is_on_trial()
    }

    /// Closes it for a while that doubles with each failure; says so once for all lanes.
    pub(super) fn close(&mut self, trouble: &Reply, now: Timestamp) {
        if self.closed_until(now).is_some() {
            return;
        }
        let pause = self.barrier.close(now, FIRST_PAUSE, LONGEST_PAUSE);
        self.trouble = Some(trouble.clone());
        tracing::warn!(
            server = self.name,
            reply = trouble.text,
            pause_s = pause.as_secs(),
            "the mail server does not take letters, {}; they wait",
            trouble.phase
        );
    }

    /// Hears that a connection could not be opened. Where others are open, it is one too many.
    pub(super) fn cannot_be_reached(&mut self, trouble: &Reply, now: Timestamp) {
        if self.connected == 0 {
            self.close(trouble, now);
            return;
        }
        let connected = f64::from(u32::try_from(self.connected).unwrap_or(u32::MAX));
        if self.window.narrow(connected, now) {
            tracing::info!(
                server = self.name,
                reply = trouble.text,
                connections = self.connected,
                "the mail server takes no more connections"
            );
        }
    }

    /// Hears that it was too quick, in an answer to a letter that was `begun` then.
    pub(super) fn is_too_much(&mut self, begun: Timestamp, now: Timestamp) {
        if self.window.halve(begun, now) {
            let connections = self.window.allowed();
            tracing::info!(server = self.name, connections, "the mail server finds us too quick");
        }
    }

    /// Hears that a domain found us too quick: when several do and nothing goes well between them, it is the server that does.
    pub(super) fn is_too_much_for(&mut self, domain: &str, begun: Timestamp, now: Timestamp) {
        match &self.blamed {
            Some(blamed) if blamed != domain => self.is_too_much(begun, now),
            _ => self.blamed = Some(domain.to_owned()),
        }
    }

    /// Hears that a letter went unanswered.
    pub(super) fn is_silent(&mut self, trouble: &Reply, begun: Timestamp, now: Timestamp) {
        self.silences += 1;
        self.is_too_much(begun, now);
        if self.silences >= SILENCES {
            self.close(trouble, now);
        }
    }

    /// Hears that it answered for a letter, whatever it said.
    pub(super) fn answers(&mut self) {
        self.silences = 0;
        self.trouble = None;
        if self.barrier.open() {
            tracing::info!(server = self.name, "the mail server takes letters again");
        }
    }

    /// Hears that it took a letter. Gives whether there is room for one more connection.
    pub(super) fn takes(&mut self) -> bool {
        self.answers();
        self.blamed = None;
        self.window.widen(WIDEN_AFTER)
    }
}
