//! What time it is, and waiting for a time: the world's, or one that a test turns.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tokio::sync::Notify;

/// Longest single wait: after it the clock is asked again, in case it was set.
const GLANCE: Duration = Duration::from_mins(1);

/// The first year in which there was a gazetted, and one that no clock shows yet.
const YEARS: std::ops::Range<i16> = 2026..2100;

/// Whether a clock that shows this can be right. A machine without a battery for its clock starts in 1970, or when it was built, until
/// somebody tells it the time.
#[must_use]
pub fn can_be_right(now: Timestamp) -> bool {
    YEARS.contains(&now.to_zoned(TimeZone::UTC).year())
}

/// A clock that runs with the system's, ahead of it by as much as it was turned.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    ahead_micros: Arc<AtomicI64>,
    turned: Arc<Notify>,
}

impl Clock {
    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_micros(self.ahead_micros.load(Ordering::Relaxed));
        Timestamp::now().saturating_add(ahead).unwrap_or(Timestamp::MAX)
    }

    /// Turns the clock forward; whoever waits for a time that has come wakes.
    pub fn turn(&self, by: SignedDuration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.ahead_micros.fetch_add(micros, Ordering::Relaxed);
        self.turned.notify_waiters();
    }

    /// Waits until `time` has come.
    pub async fn sleep_until(&self, time: Timestamp) {
        loop {
            let turned = self.turned.notified();
            let left = time.duration_since(self.now());
            let Ok(left) = Duration::try_from(left) else { return };
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left.min(GLANCE)) => {}
                () = turned => {}
            }
        }
    }
}
