//! How times, wishes and answers of servers are told on a terminal.

use std::fmt::Write as _;

use jiff::{Timestamp, tz::TimeZone};

use crate::{delivery::State, subscriber::Pace, subscriber::Preferences, typography};

/// A time to the minute, in a zone.
pub(super) fn time(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// What somebody wishes, as the end of a sentence: `each issue, html, all sections`.
pub(super) fn wishes(preferences: &Preferences) -> String {
    let Preferences { pace, wish, device } = preferences;
    let pace = match pace {
        Pace::Each => "each issue".to_owned(),
        pace => format!("a {} digest", pace.as_str()),
    };
    let sections: Vec<&str> = wish.sections.iter().collect();
    let sections =
        if sections.is_empty() { "all sections".to_owned() } else { format!("only {}", sections.join(", ")) };
    let mut told = format!("{pace}, {}, {sections}", wish.form.as_str());
    if let Some(language) = &wish.language {
        let _ = write!(told, ", in {}", language.as_str());
    }
    if let Some(device) = device {
        let _ = write!(told, ", books to {device}");
    }
    told
}

/// A text of somebody else on one line, without what a terminal would act on.
pub(super) fn one_line(text: &str) -> String {
    typography::printable(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A length in bytes as people read it: `12.3 MiB`.
pub(super) fn size(bytes: u64) -> String {
    for (shift, name) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] {
        if bytes >> shift > 0 {
            let tenth = ((bytes >> (shift - 10)) & 0x3FF) * 10 / 1024;
            return format!("{}.{tenth} {name}", bytes >> shift);
        }
    }
    format!("{bytes} bytes")
}

/// How letters stand: `4 delivered, 1 failed`.
pub(super) fn states(letters: &[(State, u64)]) -> String {
    if letters.is_empty() {
        return "no letters".to_owned();
    }
    letters.iter().map(|(state, n)| format!("{n} {}", state.as_str())).collect::<Vec<_>>().join(", ")
}
