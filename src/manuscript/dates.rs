//! Dates as newspapers print them and as editors name their files.

use std::ops::Range;

use jiff::civil::{Date, Weekday};

/// A day, perhaps without its year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) year: Option<i16>,
    pub(super) month: i8,
    pub(super) of_month: i8,
}

impl Day {
    /// The date, if the year is there and the day exists.
    pub(super) fn date(self) -> Option<Date> {
        Date::new(self.year?, self.month, self.of_month).ok()
    }

    /// The date in the year that fits a page of `issue`: its own year, or the year before when the day had not come.
    pub(super) fn before(self, issue: Date) -> Option<Date> {
        let date = Date::new(issue.year(), self.month, self.of_month).ok();
        match date {
            Some(date) if date <= issue => Some(date),
            _ => Date::new(issue.year() - 1, self.month, self.of_month).ok(),
        }
    }
}

/// A cursor over the characters of a text, with full-width digits read as digits.
struct Cursor<'a> {
    characters: &'a [(usize, char)],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).map(|&(_, c)| c)
    }

    fn skip_spaces(&mut self) {
        while self.peek().is_some_and(|c| c == ' ' || c == '\u{3000}' || c == '\t') {
            self.at += 1;
        }
    }

    fn number(&mut self, most: usize) -> Option<(i16, usize)> {
        let mut value = 0_i16;
        let mut digits = 0;
        while let Some(digit) = self.peek().and_then(digit) {
            digits += 1;
            if digits > most {
                return None;
            }
            value = value * 10 + digit;
            self.at += 1;
        }
        (digits > 0).then_some((value, digits))
    }

    fn take(&mut self, any: &[char]) -> Option<char> {
        let c = self.peek().filter(|c| any.contains(c))?;
        self.at += 1;
        Some(c)
    }
}

/// A full-width digit as an ASCII one; any other character as it is.
pub(super) fn ascii_digit(c: char) -> char {
    digit(c).and_then(|value| char::from_digit(u32::try_from(value).ok()?, 10)).unwrap_or(c)
}

fn digit(c: char) -> Option<i16> {
    let value = match c {
        '0'..='9' => u32::from(c) - u32::from('0'),
        '０'..='９' => u32::from(c) - u32::from('０'),
        _ => return None,
    };
    i16::try_from(value).ok()
}

/// The first date of a text and its place in bytes: `2024年2月22日`, `02月 01 日`, `2024-02-22`, `2024.2.22`,
/// with spaces as a text layer leaves them.
pub(super) fn find(text: &str) -> Option<(Range<usize>, Day)> {
    let characters: Vec<(usize, char)> = text.char_indices().collect();
    let mut start = 0;
    while start < characters.len() {
        if digit(characters[start].1).is_none() {
            start += 1;
            continue;
        }
        let mut cursor = Cursor { characters: &characters, at: start };
        // The month of a year that was no date (2023年2月29日) is none either.
        let of_year =
            characters[..start].iter().rev().map(|(_, c)| *c).find(|c| !c.is_whitespace()) == Some('年');
        if let Some(day) = day_at(&mut cursor).filter(|day| day.year.is_some() || !of_year) {
            let end = characters.get(cursor.at).map_or(text.len(), |&(byte, _)| byte);
            return Some((characters[start].0..end, day));
        }
        while characters.get(start).is_some_and(|&(_, c)| digit(c).is_some()) {
            start += 1;
        }
    }
    None
}

fn day_at(cursor: &mut Cursor<'_>) -> Option<Day> {
    let (first, digits) = cursor.number(4)?;
    cursor.skip_spaces();
    if digits == 4 {
        let separator = cursor.take(&['年', '-', '.', '/', '．', '－'])?;
        cursor.skip_spaces();
        let (month, _) = cursor.number(2)?;
        cursor.skip_spaces();
        cursor.take(if separator == '年' { &['月'] } else { &['-', '.', '/', '．', '－'] })?;
        cursor.skip_spaces();
        let (day, _) = cursor.number(2)?;
        let end = cursor.at;
        cursor.skip_spaces();
        if cursor.take(&['日', '号']).is_none() {
            cursor.at = end;
        }
        return day_of(Some(first), month, day);
    }
    cursor.take(&['月'])?;
    cursor.skip_spaces();
    let (day, _) = cursor.number(2)?;
    cursor.skip_spaces();
    cursor.take(&['日', '号'])?;
    day_of(None, first, day)
}

/// The day, if a year can have it.
fn day_of(year: Option<i16>, month: i16, day: i16) -> Option<Day> {
    let month = i8::try_from(month).ok()?;
    let day = i8::try_from(day).ok()?;
    // 2000 is a leap year, so that 29 February passes where the year is not known.
    Date::new(year.unwrap_or(2000), month, day).ok()?;
    Some(Day { year, month, of_month: day })
}

/// The weekday that a running head names, and its place in bytes.
pub(super) fn weekday(text: &str) -> Option<(Range<usize>, Weekday)> {
    for prefix in ["星期", "礼拜", "周"] {
        for (start, _) in text.match_indices(prefix) {
            let name = text[start + prefix.len()..].chars().next();
            let weekday = match name {
                Some('一') => Weekday::Monday,
                Some('二') => Weekday::Tuesday,
                Some('三') => Weekday::Wednesday,
                Some('四') => Weekday::Thursday,
                Some('五') => Weekday::Friday,
                Some('六') => Weekday::Saturday,
                Some('日' | '天') => Weekday::Sunday,
                _ => continue,
            };
            return Some((start..start + prefix.len() + '日'.len_utf8(), weekday));
        }
    }
    None
}

/// The weekday that a line of English names.
pub(super) fn latin_weekday(text: &str) -> Option<Weekday> {
    text.split(|c: char| !c.is_alphabetic()).find_map(|word| match word.to_ascii_lowercase().as_str() {
        "monday" => Some(Weekday::Monday),
        "tuesday" => Some(Weekday::Tuesday),
        "wednesday" => Some(Weekday::Wednesday),
        "thursday" => Some(Weekday::Thursday),
        "friday" => Some(Weekday::Friday),
        "saturday" => Some(Weekday::Saturday),
        "sunday" => Some(Weekday::Sunday),
        _ => None,
    })
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// The date of a header: any that [`find`] knows, and `5 March 2024` or `March 5, 2024`.
pub(super) fn of_header(text: &str) -> Option<Date> {
    if let Some((_, day)) = find(text) {
        return day.date();
    }
    let mut month = None;
    let mut numbers = Vec::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let digits: String = word.chars().take_while(char::is_ascii_digit).collect();
        if digits.is_empty() {
            let lower = word.to_lowercase();
            month =
                month.or_else(|| (1..).zip(MONTHS).find(|(_, name)| lower.starts_with(name)).map(|(n, _)| n));
        } else {
            numbers.push(digits.parse::<i16>().ok()?);
        }
    }
    let day = numbers.iter().find(|n| (1..=31).contains(*n))?;
    let year = numbers.iter().find(|n| (1000..=9999).contains(*n))?;
    day_of(Some(*year), month?, *day)?.date()
}

/// The date in a file's stem: `2025-07-09-page`, `20250709`, `gazette_2025.7.9`. Eight digits must stand alone,
/// so that a piece of a hash is no date, and lie between 1900 and 2100.
pub(super) fn of_stem(stem: &str) -> Option<Date> {
    let lone = stem
        .split(|c: char| !c.is_alphanumeric())
        .find(|part| part.len() == 8 && part.bytes().all(|b| b.is_ascii_digit()));
    if let Some(digits) = lone {
        let number = |range: Range<usize>| digits.get(range)?.parse::<i16>().ok();
        let date = day_of(Some(number(0..4)?), number(4..6)?, number(6..8)?)?.date()?;
        return (1900..=2100).contains(&date.year()).then_some(date);
    }
    let stem = stem.replace('_', "-");
    let (_, day) = find(&stem)?;
    day.date().filter(|date| (1900..=2100).contains(&date.year()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = find(text).map(|(range, day)| {
            let year = day.year.map_or("?".to_owned(), |y| y.to_string());
            format!("{} = {year}-{}-{}", &text[range], day.month, day.of_month)
        });
        assert_eq!(found.unwrap_or_default(), expected, "{text}");
    }

    #[test]
    fn a_date_is_found_as_newspapers_print_it() {
        check("理论2024年2月22日 星期四", "2024年2月22日 = 2024-2-22");
        check("《晚报》02月 01 日 第 9 版", "02月 01 日 = ?-2-1");
        check("１２月３日起", "１２月３日 = ?-12-3");
        check("on 2024-02-29, at", "2024-02-29 = 2024-2-29");
        check("2023年2月29日", "");
        check("2023年2月, 3月5日", "3月5日 = ?-3-5");
        check("电话：0354-2636306", "");
        check("12345年1月1日", "");
        check("", "");
    }

    #[track_caller]
    fn check_stem(stem: &str, expected: &str) {
        assert_eq!(of_stem(stem).map(|d| d.to_string()).unwrap_or_default(), expected, "{stem}");
    }

    #[test]
    fn a_file_is_dated_by_its_name_only_when_the_name_holds_a_date() {
        check_stem("2025-07-09-page", "2025-07-09");
        check_stem("20250709", "2025-07-09");
        check_stem("gazette_2025_7_9", "2025-07-09");
        check_stem("page 2025年7月9日", "2025-07-09");
        check_stem("000_2644940ed99e5299", "");
        check_stem("20251399", "");
        check_stem("a20250709", "");
    }

    #[track_caller]
    fn check_header(text: &str, expected: &str) {
        assert_eq!(of_header(text).map(|d| d.to_string()).unwrap_or_default(), expected, "{text}");
    }

    #[test]
    fn a_header_dates_an_issue_in_several_ways() {
        check_header("2022-03-05T10:00:00Z", "2022-03-05");
        check_header("2020-12-2", "2020-12-02");
        check_header("5 March 2024", "2024-03-05");
        check_header("September 3rd, 2019", "2019-09-03");
        check_header("yesterday", "");
    }

    #[test]
    fn a_day_without_a_year_lies_before_the_issue() {
        let day = |month, day| Day { year: None, month, of_month: day };
        let issue = jiff::civil::date(2024, 1, 15);
        assert_eq!(day(1, 3).before(issue), Some(jiff::civil::date(2024, 1, 3)));
        assert_eq!(day(12, 30).before(issue), Some(jiff::civil::date(2023, 12, 30)));
        assert_eq!(day(2, 29).before(jiff::civil::date(2024, 3, 1)), Some(jiff::civil::date(2024, 2, 29)));
    }
}
