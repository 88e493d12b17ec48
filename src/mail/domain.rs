//! How letters to one domain go: until when it takes none, how many at a time, and how many are worth holding for it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::pace::{Barrier, Throttle, Window};
use crate::delivery::Reply;

/// The shortest pause of a domain that finds us too quick.
const FIRST_PAUSE: Duration = Duration::from_mins(1);

/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(30);

/// A domain that was closed gets one letter more at a time after so many that went well.
const WIDEN_AFTER: f64 = 4.0;

/// Of a domain that takes letters slowly, the tray holds what may go in this time.
const HELD_FOR: SignedDuration = SignedDuration::from_secs(10);

/// How letters to one domain go.
pub(super) struct Domain {
    pub(super) throttle: Option<Throttle>,
    /// How many of its letters are with a lane.
    pub(super) in_flight: usize,
    /// How many of its letters lie in the tray, as of when they were last counted.
    pub(super) held: usize,
    /// Why it takes none, or took none before it was last tried.
    pub(super) trouble: Option<Reply>,
    barrier: Barrier,
    window: Window,
}

impl Domain {
    pub(super) fn new(lanes: usize, throttle: Option<Throttle>) -> Self {
        Self {
            throttle,
            in_flight: 0,
            held: 0,
            trouble: None,
            barrier: Barrier::default(),
            window: Window::new(lanes),
        }
    }

    pub(super) fn closed_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.barrier.closed_until(now, LONGEST_PAUSE)
    }

    /// Whether a letter may go now, or else when to ask, where time alone decides.
    pub(super) fn is_ready(&self, now: Timestamp) -> Result<(), Option<Timestamp>> {
        if let Some(until) = self.closed_until(now) {
            return Err(Some(until));
        }
        if !self.window.is_open() && self.in_flight >= self.window.allowed() {
            return Err(None);
        }
        self.throttle
            .as_ref()
            .and_then(|throttle| throttle.waits_until(now))
            .map_or(Ok(()), |until| Err(Some(until)))
    }

    /// How many of its letters are worth holding, where those are fewer than `most`, which a tray holds for anybody.
    pub(super) fn limit(&self, now: Timestamp, most: usize) -> Option<usize> {
        if self.closed_until(now).is_some() {
            return Some(0);
        }
        let by_window = if self.window.is_open() { usize::MAX } else { self.window.allowed() * 4 };
        let by_throttle = self.throttle.as_ref().map_or(usize::MAX, |throttle| throttle.in_span(HELD_FOR));
        Some(by_window.min(by_throttle).max(1)).filter(|worth| *worth < most)
    }

    /// Whether nothing need be known of it any more.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        self.in_flight == 0
            && self.window.is_open()
            && !self.barrier.is_on_trial()
            && self.throttle.as_ref().is_none_or(|throttle| throttle.is_idle(now))
    }

    /// It took a letter.
    pub(super) fn takes(&mut self) {
        self.barrier.open();
        self.window.widen(WIDEN_AFTER);
        self.trouble = None;
    }

    /// It finds us too quick. Gives for how long it is closed, unless it was before.
    pub(super) fn close(&mut self, reply: &Reply, now: Timestamp) -> Option<Duration> {
        self.trouble = Some(reply.clone());
        if self.closed_until(now).is_some() {
            return None;
        }
        let pause = self.barrier.close(now, FIRST_PAUSE, LONGEST_PAUSE);
        self.window.narrow(1.0, now);
        Some(pause)
    }

    /// Another process found that it is closed until then.
    pub(super) fn close_until(&mut self, until: Timestamp) {
        self.barrier.close_until(until);
        self.window.narrow(1.0, until);
    }
}
