//! What a request makes its answer depend on, and the part of a book that it asks for (RFC 9110 §13 and §14).

use std::{ops::Range, time::SystemTime};

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// How an answer is told from others of the same address.
pub(super) struct Validators<'d> {
    /// The strong tag, in quotes.
    pub(super) tag: &'d str,
    /// When it last changed, in whole seconds; `None` while that is not certain.
    pub(super) modified: Option<SystemTime>,
}

/// What is to be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All of it.
    Whole,
    /// These bytes of it, at least one.
    Part(Range<u64>),
    /// It is not as the client wants it to be (412).
    NotMet,
    /// The client has it already (304).
    Known,
    /// It has none of the bytes that the client asks for (416).
    NoPart,
}

/// Judges a GET or HEAD, in the order of RFC 9110 §13.2.2. Parts are for a GET of something that may be had in parts.
pub(super) fn judge(asked: &HeaderMap, validators: &Validators<'_>, parts_of: Option<u64>) -> Verdict {
    let date = |name: HeaderName| {
        // Several dates, or what is none, are no condition.
        asked.get(name).and_then(|value| httpdate::parse_http_date(value.to_str().ok()?).ok())
    };
    if asked.contains_key(header::IF_MATCH) {
        if !names(asked, header::IF_MATCH, |tag| tag == validators.tag) {
            return Verdict::NotMet;
        }
    } else if let (Some(date), Some(modified)) = (date(header::IF_UNMODIFIED_SINCE), validators.modified)
        && modified > date
    {
        return Verdict::NotMet;
    }
    if asked.contains_key(header::IF_NONE_MATCH) {
        // Proxies weaken tags, and the comparison is the weak one.
        if names(asked, header::IF_NONE_MATCH, |tag| tag.trim_start_matches("W/") == validators.tag) {
            return Verdict::Known;
        }
    } else if let (Some(date), Some(modified)) = (date(header::IF_MODIFIED_SINCE), validators.modified)
        // The very date that we gave: after a clock was set back or an archive restored, a later one would tell of other bytes.
        && modified == date
    {
        return Verdict::Known;
    }
    match parts_of {
        Some(length) if is_unchanged(asked.get(header::IF_RANGE), validators) => {
            let value = asked.get(header::RANGE).and_then(|value| value.to_str().ok());
            value.map_or(Verdict::Whole, |value| part(value, length))
        }
        _ => Verdict::Whole,
    }
}

/// Whether a list of tags has one that `is` right, or is `*`.
fn names(asked: &HeaderMap, list: HeaderName, is: impl Fn(&str) -> bool) -> bool {
    let values = asked.get_all(list).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).any(|tag| tag == "*" || is(tag))
}

/// Whether what the client has a part of is what we have (RFC 9110 §13.1.5): only a strong tag or the exact date say so.
fn is_unchanged(condition: Option<&HeaderValue>, validators: &Validators<'_>) -> bool {
    let Some(condition) = condition else { return true };
    let Ok(condition) = condition.to_str() else { return false };
    condition == validators.tag
        || httpdate::parse_http_date(condition).is_ok_and(|date| validators.modified == Some(date))
}

/// One part of something so long. Several parts at once, and what we do not understand, are answered with all of it, as
/// RFC 9110 §14.2 allows.
fn part(value: &str, length: u64) -> Verdict {
    let whole = Verdict::Whole;
    let Some((unit, range)) = value.split_once('=') else { return whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return whole;
    }
    let Some((first, last)) = range.trim().split_once('-') else { return whole };
    let number = |digits: &str| {
        let good = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        // A number that is too long for us is beyond the end of every file.
        good.then(|| digits.parse().unwrap_or(u64::MAX))
    };
    let range = match (first, last) {
        ("", last) => match number(last) {
            Some(last) => length.saturating_sub(last)..length,
            None => return whole,
        },
        (first, "") => match number(first) {
            Some(first) => first..length,
            None => return whole,
        },
        (first, last) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(length),
            _ => return whole,
        },
    };
    if range.is_empty() { Verdict::NoPart } else { Verdict::Part(range) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn ask(lines: &[(&str, &str)], parts_of: Option<u64>) -> Verdict {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).expect("a name"),
                value.parse().expect("a value"),
            );
        }
        // Fri, 13 Feb 2009 23:31:30 GMT
        let modified = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_234_567_890));
        judge(&headers, &Validators { tag: "\"a\"", modified }, parts_of)
    }

    const BEFORE: &str = "Fri, 13 Feb 2009 23:31:29 GMT";
    const THEN: &str = "Fri, 13 Feb 2009 23:31:30 GMT";
    const AFTER: &str = "Fri, 13 Feb 2009 23:31:31 GMT";

    #[test]
    fn what_a_client_knows_is_known_by_its_tag_first_and_its_date_then() {
        for (lines, expected) in [
            (&[("if-none-match", "\"a\"")][..], Verdict::Known),
            (&[("if-none-match", "W/\"a\"")], Verdict::Known),
            (&[("if-none-match", "\"b\", \"a\"")], Verdict::Known),
            (&[("if-none-match", "\"b\""), ("if-none-match", "*")], Verdict::Known),
            (&[("if-none-match", "\"b\"")], Verdict::Whole),
            (&[("if-none-match", "\"b\""), ("if-modified-since", THEN)], Verdict::Whole),
            (&[("if-none-match", "\"a\""), ("if-modified-since", BEFORE)], Verdict::Known),
            (&[("if-modified-since", THEN)], Verdict::Known),
            (&[("if-modified-since", BEFORE)], Verdict::Whole),
            (&[("if-modified-since", AFTER)], Verdict::Whole),
            (&[("if-modified-since", "yesterday")], Verdict::Whole),
            (&[("if-match", "\"a\"")], Verdict::Whole),
            (&[("if-match", "*")], Verdict::Whole),
            (&[("if-match", "\"b\"")], Verdict::NotMet),
            (&[("if-match", "W/\"a\"")], Verdict::NotMet),
            (&[("if-unmodified-since", THEN)], Verdict::Whole),
            (&[("if-unmodified-since", BEFORE)], Verdict::NotMet),
            (&[("if-match", "\"a\""), ("if-unmodified-since", BEFORE)], Verdict::Whole),
        ] {
            assert_eq!(ask(lines, Some(10)), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_part_is_given_where_it_is_one_that_there_is() {
        let of_ten = |range: &str| ask(&[("range", range)], Some(10));
        for (range, expected) in [
            ("bytes=0-0", Verdict::Part(0..1)),
            ("Bytes=2-5", Verdict::Part(2..6)),
            ("bytes=2-", Verdict::Part(2..10)),
            ("bytes=-3", Verdict::Part(7..10)),
            ("bytes=-300", Verdict::Part(0..10)),
            ("bytes=9-99999999999999999999999", Verdict::Part(9..10)),
            ("bytes=10-", Verdict::NoPart),
            ("bytes=99999999999999999999999-", Verdict::NoPart),
            ("bytes=-0", Verdict::NoPart),
            ("bytes=5-4", Verdict::Whole),
            ("bytes=0-1,3-4", Verdict::Whole),
            ("bytes=", Verdict::Whole),
            ("bytes=-", Verdict::Whole),
            ("bytes=+1-2", Verdict::Whole),
            ("lines=0-1", Verdict::Whole),
            ("0-1", Verdict::Whole),
        ] {
            assert_eq!(of_ten(range), expected, "{range}");
        }
        assert_eq!(ask(&[("range", "bytes=0-")], Some(0)), Verdict::NoPart);
        assert_eq!(ask(&[("range", "bytes=0-1")], None), Verdict::Whole, "not in parts");
        for (condition, is) in
            [("\"a\"", true), ("\"b\"", false), ("W/\"a\"", false), (THEN, true), (AFTER, false), ("", false)]
        {
            let part = ask(&[("range", "bytes=0-1"), ("if-range", condition)], Some(10));
            assert_eq!(part == Verdict::Part(0..2), is, "{condition}");
        }
    }
}
