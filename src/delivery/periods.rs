//! When the digests of each pace are due, and what each covers.

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, DateTime, Time, Weekday},
    tz::TimeZone,
};

use crate::subscriber::Pace;

/// At which times of its own zone a publication writes to the subscribers of each pace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// The publication's zone.
    pub zone: TimeZone,
    /// The hour of daily, weekly and monthly digests.
    pub at: Time,
    /// The day of weekly ones.
    pub weekday: Weekday,
    /// The day of monthly ones, from 1 to 28.
    pub day: i8,
}

/// A stretch of time whose digest is due at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// What identifies it: `2026-07-09`, `2026-W28` (ISO 8601), `2026-07`; the name of the day, week or month in which it ends.
    pub name: String,
    /// The day in which it ends.
    pub day: Date,
    /// When it began: the end of the one before.
    pub since: Timestamp,
    /// When it ended, and its digest fell due.
    pub until: Timestamp,
}

impl Calendar {
    /// The latest period of a pace that has ended by `now`; `None` for [`Pace::Each`], which follows the issues.
    ///
    /// An hour that a change to summer time leaves out falls due an hour later, one that comes twice the first time.
    #[must_use]
    pub fn ended(&self, pace: Pace, now: Timestamp) -> Option<Period> {
        let local = now.to_zoned(self.zone.clone()).datetime();
        let mut end = self.latest(pace, local)?;
        // Where clocks were set back, an hour may lie behind `now` in truth and before it by its figures, or the other way round.
        let after = self.after(pace, end)?;
        if self.instant(after)? <= now {
            end = after;
        } else if self.instant(end)? > now {
            end = self.before(pace, end)?;
        }
        let until = self.instant(end)?;
        let since = self.instant(self.before(pace, end)?)?;
        Some(Period { name: name(pace, end.date()), day: end.date(), since, until })
    }

    /// When the next period of a pace ends after `now`.
    #[must_use]
    pub fn next(&self, pace: Pace, now: Timestamp) -> Option<Timestamp> {
        let local = now.to_zoned(self.zone.clone()).datetime();
        let mut end = self.latest(pace, local)?;
        for _ in 0..3 {
            let until = self.instant(end)?;
            if until > now {
                return Some(until);
            }
            end = self.after(pace, end)?;
        }
        None
    }

    /// The latest end of a period that is not after `local` by the figures of the clock.
    fn latest(&self, pace: Pace, local: DateTime) -> Option<DateTime> {
        let today = local.date();
        let end = match pace {
            Pace::Each => return None,
            Pace::Daily => today,
            Pace::Weekly => {
                let days = today.weekday().since(self.weekday);
                today.checked_sub(i64::from(days).days()).ok()?
            }
            Pace::Monthly => Date::new(today.year(), today.month(), self.day).ok()?,
        };
        let end = end.to_datetime(self.at);
        if end <= local { Some(end) } else { self.before(pace, end) }
    }

    fn before(&self, pace: Pace, end: DateTime) -> Option<DateTime> {
        self.step(pace, end, -1)
    }

    fn after(&self, pace: Pace, end: DateTime) -> Option<DateTime> {
        self.step(pace, end, 1)
    }

    fn step(&self, pace: Pace, end: DateTime, by: i64) -> Option<DateTime> {
        let date = end.date();
        let date = match pace {
            Pace::Each => return None,
            Pace::Daily => date.checked_add(by.days()),
            Pace::Weekly => date.checked_add(by.weeks()),
            Pace::Monthly => date.checked_add(by.months()),
        };
        Some(date.ok()?.to_datetime(self.at))
    }

    fn instant(&self, local: DateTime) -> Option<Timestamp> {
        local.to_zoned(self.zone.clone()).ok().map(|zoned| zoned.timestamp())
    }
}

fn name(pace: Pace, day: Date) -> String {
    match pace {
        Pace::Each | Pace::Daily => day.to_string(),
        Pace::Weekly => {
            let week = day.iso_week_date();
            format!("{:04}-W{:02}", week.year(), week.week())
        }
        Pace::Monthly => day.strftime("%Y-%m").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, civil::time};

    use super::*;

    fn berlin() -> Calendar {
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        Calendar { zone, at: time(2, 30, 0, 0), weekday: Weekday::Friday, day: 28 }
    }

    #[track_caller]
    fn check(pace: Pace, now: &str, name: &str, since: &str, until: &str) {
        let period = berlin().ended(pace, now.parse().expect("a time")).expect("a period");
        let time = |text: &str| text.parse::<Timestamp>().expect("a time");
        assert_eq!(
            (period.name.as_str(), period.since, period.until),
            (name, time(since), time(until)),
            "{pace:?} {now}"
        );
    }

    #[test]
    fn a_period_ends_at_the_hour_of_the_publications_own_clock() {
        check(
            Pace::Daily,
            "2026-07-09T00:30:00Z",
            "2026-07-09",
            "2026-07-08T00:30:00Z",
            "2026-07-09T00:30:00Z",
        );
        check(
            Pace::Daily,
            "2026-07-09T00:29:59Z",
            "2026-07-08",
            "2026-07-07T00:30:00Z",
            "2026-07-08T00:30:00Z",
        );
        check(
            Pace::Weekly,
            "2026-01-01T12:00:00Z",
            "2025-W52",
            "2025-12-19T01:30:00Z",
            "2025-12-26T01:30:00Z",
        );
        check(
            Pace::Weekly,
            "2026-01-02T12:00:00Z",
            "2026-W01",
            "2025-12-26T01:30:00Z",
            "2026-01-02T01:30:00Z",
        );
        check(
            Pace::Monthly,
            "2026-03-01T12:00:00Z",
            "2026-02",
            "2026-01-28T01:30:00Z",
            "2026-02-28T01:30:00Z",
        );
    }

    #[test]
    fn an_hour_that_is_left_out_or_comes_twice_makes_one_period() {
        // On 29 March 2026 there is no 2:30 in Berlin, on 25 October there are two.
        check(
            Pace::Daily,
            "2026-03-29T01:30:00Z",
            "2026-03-29",
            "2026-03-28T01:30:00Z",
            "2026-03-29T01:30:00Z",
        );
        check(
            Pace::Daily,
            "2026-10-25T00:30:00Z",
            "2026-10-25",
            "2026-10-24T00:30:00Z",
            "2026-10-25T00:30:00Z",
        );
        check(
            Pace::Daily,
            "2026-10-25T01:30:00Z",
            "2026-10-25",
            "2026-10-24T00:30:00Z",
            "2026-10-25T00:30:00Z",
        );
    }

    #[test]
    fn every_hour_of_a_year_belongs_to_one_period_and_they_follow_each_other() {
        for pace in [Pace::Daily, Pace::Weekly, Pace::Monthly] {
            let calendar = berlin();
            let mut now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
            let mut last = calendar.ended(pace, now).expect("a period");
            let mut n_periods = 0;
            for _ in 0..366 * 48 {
                now += SignedDuration::from_mins(30);
                let period = calendar.ended(pace, now).expect("a period");
                assert!(
                    period.until <= now && now < calendar.next(pace, now).expect("a time"),
                    "{pace:?} {now}"
                );
                if period.name != last.name {
                    assert_eq!(period.since, last.until, "{pace:?} {now}");
                    n_periods += 1;
                }
                last = period;
            }
            assert_eq!(
                n_periods,
                match pace {
                    Pace::Daily => 366,
                    Pace::Weekly => 53,
                    _ => 12,
                },
                "{pace:?}"
            );
        }
    }
}
