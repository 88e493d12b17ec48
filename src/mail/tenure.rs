//! For how long what we have claimed is ours: as long as we say again and again that we are at work.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};

/// How long others leave us what we have claimed after we said last that we are at work. All clocks must agree to a minute of it.
const KEEPS: SignedDuration = SignedDuration::from_mins(3);

/// How long we trust that ourselves.
const TRUSTED: Duration = Duration::from_mins(2);

/// How often we say it.
const SAID_EVERY: Duration = Duration::from_secs(30);

/// When it was said last, by both clocks: one can be set, and the other stands still while the machine sleeps.
#[derive(Default)]
pub(super) struct Tenure(Mutex<Option<(Instant, Timestamp)>>);

impl Tenure {
    /// Until when it is to be said that we are at work.
    pub(super) fn until(now: Timestamp) -> Timestamp {
        now.saturating_add(KEEPS).unwrap_or(now)
    }

    /// When all others know of somebody who says it now for the first time.
    pub(super) fn known_to_all(now: Timestamp) -> Timestamp {
        SignedDuration::try_from(SAID_EVERY * 2).ok().and_then(|by| now.checked_add(by).ok()).unwrap_or(now)
    }

    /// It was said at that time.
    pub(super) fn said(&self, at: Instant, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((at, now));
    }

    /// Whether nobody can have taken what we have.
    pub(super) fn holds(&self, now: Timestamp) -> bool {
        self.was_said_within(TRUSTED, now)
    }

    /// Whether it is time to say it.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        !self.was_said_within(SAID_EVERY, now)
    }

    fn was_said_within(&self, span: Duration, now: Timestamp) -> bool {
        let said = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.is_some_and(|(at, then)| {
            at.elapsed() < span
                && Duration::try_from(now.duration_since(then).abs()).is_ok_and(|by| by < span)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_claimed_is_ours_until_either_clock_says_that_we_were_silent_for_long() {
        let now: Timestamp = "2026-07-09T06:00:00Z".parse().expect("a time");
        let later = |seconds| now + SignedDuration::from_secs(seconds);
        let tenure = Tenure::default();
        assert!(!tenure.holds(now) && tenure.is_due(now), "nothing was said yet");
        tenure.said(Instant::now(), now);
        assert!(tenure.holds(later(100)) && tenure.is_due(later(40)) && !tenure.is_due(later(20)));
        assert!(!tenure.holds(later(130)), "the clock says so");
        assert!(!tenure.holds(later(-130)), "a clock that was set back says nothing");
        if let Some(before) = Instant::now().checked_sub(TRUSTED) {
            tenure.said(before, now);
            assert!(!tenure.holds(now), "the clock was set, and the machine knows");
        }
    }
}
