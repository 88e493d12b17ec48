//! Plots: a line over time, laid out here and drawn as SVG by a template, so that they follow the page's colours.

use std::fmt::Write as _;

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

/// The size of the plotted part, and what stands beside and below it, in the units of the drawing.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 180.0;
const BESIDE: f64 = 56.0;
const BELOW: f64 = 28.0;

/// Lines across at most.
const TICKS: u64 = 4;

/// A plot as its template draws it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Plot {
    width: f64,
    height: f64,
    /// Where the plotted part begins and ends.
    left: f64,
    right: f64,
    floor: f64,
    /// The line, and the area below it, as SVG paths.
    line: String,
    area: String,
    /// Where the numbers stand, and which.
    numbers: Vec<(f64, u64)>,
    /// The first and the last time, as they are shown.
    from: String,
    to: String,
}

/// A line that rises or falls at each of `points` and stays until the next, up to `now`. `None` where there is nothing to be seen.
pub(super) fn steps(points: &[(Timestamp, u64)], now: Timestamp, zone: &TimeZone) -> Option<Plot> {
    let (first, last) = (points.first()?, points.last()?);
    let end = now.max(last.0);
    let span = seconds(first.0, end).max(1.0);
    let highest = points.iter().map(|(_, value)| *value).max()?.max(1);
    let step = round_step(highest);
    let top = highest.div_ceil(step) * step;
    let (left, right, floor) = (BESIDE, BESIDE + WIDTH, HEIGHT + 8.0);
    let x = |time: Timestamp| left + seconds(first.0, time) / span * WIDTH;
    let y = |value: u64| floor - as_float(value) / as_float(top) * HEIGHT;
    let mut line = format!("M{:.1} {:.1}", x(first.0), y(first.1));
    for (time, value) in &points[1..] {
        let _ = write!(line, "H{:.1}V{:.1}", x(*time), y(*value));
    }
    let _ = write!(line, "H{right:.1}");
    let area = format!("{line}V{floor:.1}H{left:.1}Z");
    let shown = |time: Timestamp| {
        // Days are enough where there are several.
        let format = if span > 2.0 * 86_400.0 { "%Y-%m-%d" } else { "%Y-%m-%d %H:%M" };
        time.to_zoned(zone.clone()).strftime(format).to_string()
    };
    Some(Plot {
        width: right + 8.0,
        height: floor + BELOW,
        left,
        right,
        floor,
        line,
        area,
        numbers: (0..=top / step).map(|n| (y(n * step), n * step)).collect(),
        from: shown(first.0),
        to: shown(end),
    })
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "a plot shows no more than some hundred steps")]
fn as_float(value: u64) -> f64 {
    value as f64
}

/// A round number of which some lead up to `highest`: 1, 2 or 5 with noughts.
fn round_step(highest: u64) -> u64 {
    let mut step = 1_u64;
    loop {
        for times in [1, 2, 5] {
            let round = step.saturating_mul(times);
            if highest.div_ceil(round) <= TICKS {
                return round;
            }
        }
        step = step.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn a_plot_has_round_numbers_and_ends_today() {
        assert_eq!(steps(&[], at(0), &TimeZone::UTC), None);
        let plot = steps(&[(at(0), 3), (at(50), 17)], at(100), &TimeZone::UTC).expect("a plot");
        assert_eq!(plot.numbers.iter().map(|(_, n)| *n).collect::<Vec<_>>(), [0, 5, 10, 15, 20]);
        assert_eq!(plot.line, "M56.0 161.0H376.0V35.0H696.0");
        assert_eq!((plot.from.as_str(), plot.to.as_str()), ("1970-01-01 00:00", "1970-01-01 00:01"));
        for highest in [1, 4, 5, 99, 1_000_000, u64::MAX] {
            assert!(highest.div_ceil(round_step(highest)) <= TICKS, "{highest}");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_plot_run_backwards() {
        let plot = steps(&[(at(100), 1)], at(50), &TimeZone::UTC).expect("a plot");
        assert_eq!(plot.line, "M56.0 8.0H696.0");
    }
}
