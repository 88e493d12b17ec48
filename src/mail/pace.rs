//! How quickly letters may go: so many a minute, so many at a time, and not at all for a while after a server has had enough.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Letters may be early by so much, which makes up for timers that ring late.
pub(super) const LEEWAY: SignedDuration = SignedDuration::from_millis(100);

/// So many a minute, evenly.
#[derive(Debug, Clone)]
pub(super) struct Throttle {
    /// The time that each letter takes, of all that go,
    of_all: SignedDuration,
    /// and of ours: others have the rest.
    each: SignedDuration,
    /// When the next one may go.
    next: Timestamp,
}

impl Throttle {
    pub(super) fn new(per_minute: u32) -> Self {
        let each =
            SignedDuration::from_mins(1).checked_div(i32::try_from(per_minute.max(1)).unwrap_or(i32::MAX));
        let each = each.unwrap_or(SignedDuration::ZERO);
        Self { of_all: each, each, next: Timestamp::MIN }
    }

    /// The same, shared evenly by so many.
    pub(super) fn among(mut self, n: u32) -> Self {
        self.share(n);
        self
    }

    /// From now on it is shared evenly by so many.
    pub(super) fn share(&mut self, n: u32) {
        self.each = self.of_all.saturating_mul(i32::try_from(n.max(1)).unwrap_or(i32::MAX));
    }

    /// When the next letter may go, or `None` when it may go now.
    pub(super) fn waits_until(&self, now: Timestamp) -> Option<Timestamp> {
        let wait = self.next.duration_since(now);
        // A clock that was set back must not make us wait for it.
        (wait > LEEWAY && wait <= self.each + LEEWAY).then_some(self.next)
    }

    /// Counts a letter that goes now.
    pub(super) fn count(&mut self, now: Timestamp) {
        let early = later(now, -LEEWAY);
        let base =
            if self.next.duration_since(now) > self.each + LEEWAY { now } else { self.next.max(early) };
        self.next = later(base, self.each);
    }

    /// Whether it could be forgotten without a letter going earlier.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        self.waits_until(now).is_none()
    }

    /// How many letters may go in `span`.
    pub(super) fn in_span(&self, span: SignedDuration) -> usize {
        let each = self.each.as_micros().max(1);
        usize::try_from(span.as_micros() / each).unwrap_or(usize::MAX)
    }
}

/// Closed for a while that doubles each time, until something succeeds.
#[derive(Debug, Clone, Default)]
pub(super) struct Barrier {
    until: Option<Timestamp>,
    times: u32,
}

impl Barrier {
    /// Closes for `first`, doubled each time up to `longest`. Gives how long.
    pub(super) fn close(&mut self, now: Timestamp, first: Duration, longest: Duration) -> Duration {
        let pause = (first * 2_u32.pow(self.times.min(10))).min(longest);
        self.times += 1;
        self.until = Some(later(now, SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX)));
        pause
    }

    /// Closes until then, because others found it closed.
    pub(super) fn close_until(&mut self, until: Timestamp) {
        self.until = Some(self.until.map_or(until, |ours| ours.max(until)));
        self.times = self.times.max(1);
    }

    /// Until when it is closed.
    pub(super) fn closed_until(&self, now: Timestamp, longest: Duration) -> Option<Timestamp> {
        let longest = SignedDuration::try_from(longest).unwrap_or(SignedDuration::MAX);
        self.until.filter(|until| *until > now && until.duration_since(now) <= longest)
    }

    /// Whether it was closed, and nothing has succeeded since.
    pub(super) fn is_on_trial(&self) -> bool {
        self.times > 0
    }

    /// Says that something succeeded. Gives whether it was on trial.
    pub(super) fn open(&mut self) -> bool {
        self.until = None;
        std::mem::take(&mut self.times) > 0
    }
}

/// How many at a time: halved when it was too many, and slowly more while all goes well.
#[derive(Debug, Clone)]
pub(super) struct Window {
    allowed: f64,
    most: f64,
    halved: Timestamp,
}

impl Window {
    pub(super) fn new(most: usize) -> Self {
        let most = f64::from(u32::try_from(most).unwrap_or(u32::MAX));
        Self { allowed: most, most, halved: Timestamp::MIN }
    }

    /// How many at a time, at least one.
    pub(super) fn allowed(&self) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 1 to the number of lanes"
        )]
        let allowed = self.allowed as usize;
        allowed
    }

    /// Whether it is as wide as it may be.
    pub(super) fn is_open(&self) -> bool {
        self.allowed >= self.most
    }

    /// Halves it, but once only for all that was begun at the same time: `begun` is when this one was.
    pub(super) fn halve(&mut self, begun: Timestamp, now: Timestamp) -> bool {
        if begun < self.halved {
            return false;
        }
        self.narrow(self.allowed / 2.0, now)
    }

    /// Narrows it to `to`, at least one.
    pub(super) fn narrow(&mut self, to: f64, now: Timestamp) -> bool {
        self.halved = now;
        let before = self.allowed;
        self.allowed = to.clamp(1.0, self.allowed);
        self.allowed < before
    }

    /// Widens it by one for every `of` that succeed. Gives whether there is room for one more than before.
    pub(super) fn widen(&mut self, of: f64) -> bool {
        let before = self.allowed();
        self.allowed = (self.allowed + 1.0 / of).min(self.most);
        self.allowed() > before
    }
}

fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.saturating_add(by).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        "2026-07-09T06:00:00Z".parse::<Timestamp>().expect("a time") + SignedDuration::from_millis(millis)
    }

    #[test]
    fn in_no_minute_do_more_letters_go_than_are_allowed() {
        let mut throttle = Throttle::new(600);
        let mut sent = Vec::new();
        let mut now = 0;
        while now < 180_000 {
            if throttle.waits_until(at(now)).is_none() {
                throttle.count(at(now));
                sent.push(now);
            }
            // A timer that rings late at times, and an hour of silence's worth of zeal after half of it.
            now += if now == 90_000 { 7_000 } else { 1 + now % 3 };
        }
        for (n, start) in sent.iter().enumerate() {
            let in_minute = sent[n..].iter().take_while(|time| **time < start + 60_000).count();
            assert!(in_minute <= 602, "{in_minute} in the minute after {start}");
        }
        assert!(sent.len() > 1_690, "{} in three minutes but seven seconds", sent.len());
    }

    #[test]
    fn what_several_share_is_no_more_than_one_may() {
        let mut shared =
            [Throttle::new(600).among(3), Throttle::new(600).among(3), Throttle::new(600).among(3)];
        let sent = (0..60_000).map(|now| {
            let mut n = 0;
            for throttle in &mut shared {
                if throttle.waits_until(at(now)).is_none() {
                    throttle.count(at(now));
                    n += 1;
                }
            }
            n
        });
        let sent: u32 = sent.sum();
        assert!((570..=606).contains(&sent), "{sent}");
    }

    #[test]
    fn a_clock_that_was_set_back_holds_nothing_up() {
        let mut throttle = Throttle::new(60);
        throttle.count(at(3_600_000));
        assert_eq!(throttle.waits_until(at(3_600_000)), Some(at(3_600_900)));
        assert_eq!(throttle.waits_until(at(0)), None);
        throttle.count(at(0));
        assert_eq!(throttle.waits_until(at(0)), Some(at(1_000)));
        let mut barrier = Barrier::default();
        let (first, longest) = (Duration::from_secs(5), Duration::from_mins(5));
        barrier.close(at(3_600_000), first, longest);
        assert_eq!(barrier.closed_until(at(3_600_000), longest), Some(at(3_605_000)));
        assert_eq!(barrier.closed_until(at(0), longest), None);
    }

    #[test]
    fn a_barrier_closes_for_longer_each_time_until_something_succeeds() {
        let mut barrier = Barrier::default();
        let close = |barrier: &mut Barrier| {
            barrier.close(at(0), Duration::from_secs(5), Duration::from_secs(30)).as_secs()
        };
        let pauses: Vec<u64> = (0..5).map(|_| close(&mut barrier)).collect();
        assert_eq!(pauses, [5, 10, 20, 30, 30]);
        assert!(barrier.open() && !barrier.is_on_trial());
        assert_eq!(close(&mut barrier), 5);
    }

    #[test]
    fn a_window_is_halved_once_for_all_that_was_too_much_at_once() {
        let mut window = Window::new(16);
        for _ in 0..16 {
            window.halve(at(0), at(10));
        }
        assert_eq!(window.allowed(), 8);
        window.halve(at(11), at(20));
        assert_eq!(window.allowed(), 4);
        let more = (0..25).filter(|_| window.widen(10.0)).count();
        assert_eq!((more, window.allowed()), (2, 6));
        for n in 3..20 {
            window.halve(at(n * 10), at(n * 10));
        }
        assert_eq!(window.allowed(), 1, "one is always allowed");
    }
}
