//! The words that editions add to an issue's own: three tables, one for each language we speak, and a publisher's own for others.

use jiff::civil::Date;
use serde::Serialize;

use crate::prose::Language;

/// Makes the table's type, and the way to a field by its name.
macro_rules! table {
    ($(pub $key:ident: &'static str,)*) => {
        /// What we say around an issue's own text. A phrase has places in braces, such as `{n}`.
        #[derive(Debug, Clone, Serialize)]
        #[expect(missing_docs, reason = "`ENGLISH` shows what each says")]
        pub struct Words {
            /// The language of this table, as in `lang`.
            pub lang: &'static str,
            $(pub $key: &'static str,)*
        }

        /// The names of all fields that a publisher may set.
        pub(super) const KEYS: &[&str] = &[$(stringify!($key)),*];

        impl Words {
            /// The field of that name.
            pub(super) fn field(&mut self, name: &str) -> Option<&mut &'static str> {
                match name {
                    $(stringify!($key) => Some(&mut self.$key),)*
                    _ => None,
                }
            }
        }
    };
}

table! {
    pub contents: &'static str,
    pub untitled: &'static str,
    pub untitled_note: &'static str,
    pub photographs: &'static str,
    pub notes: &'static str,
    pub table: &'static str,
    pub previous: &'static str,
    pub next: &'static str,
    pub continued: &'static str,
    pub read_on: &'static str,
    pub read_online: &'static str,
    pub download: &'static str,
    pub book: &'static str,
    pub feed: &'static str,
    pub books: &'static str,
    pub articles: &'static str,
    pub whole_issue: &'static str,
    pub own_page: &'static str,
    pub follow: &'static str,
    pub follow_feed: &'static str,
    pub follow_book: &'static str,
    pub latest: &'static str,
    pub recent: &'static str,
    pub archive: &'static str,
    pub cover: &'static str,
    pub names: &'static str,
    pub pages: &'static str,
    pub volume: &'static str,
    pub author: &'static str,
    pub authors: &'static str,
    pub section: &'static str,
    pub sections: &'static str,
    pub search: &'static str,
    pub search_hint: &'static str,
    pub nothing_found: &'static str,
    pub newer: &'static str,
    pub older: &'static str,
    pub withdrawn: &'static str,
    pub not_here: &'static str,
    pub home: &'static str,
    pub nothing_yet: &'static str,
    pub skip: &'static str,
    pub editors: &'static str,
    pub publisher: &'static str,
    pub rights: &'static str,
    pub contact: &'static str,
    pub colophon: &'static str,
    pub made: &'static str,
    pub confirm_subject: &'static str,
    pub confirm_text: &'static str,
    pub confirm_button: &'static str,
    pub confirm_not: &'static str,
    pub confirm_never: &'static str,
    pub confirm_ask: &'static str,
    pub confirm_done: &'static str,
    pub leave: &'static str,
    pub leave_asked: &'static str,
    pub leave_done: &'static str,
    pub question_unknown: &'static str,
    pub question_later: &'static str,
    pub why: &'static str,
    pub accessibility: &'static str,
    pub accessibility_pictured: &'static str,
    pub page_title: &'static str,
    pub landmarks: &'static str,
    pub phone: &'static str,
    pub email: &'static str,
    pub web: &'static str,
    pub address: &'static str,
    pub colon: &'static str,
    pub previous_issue: &'static str,
    pub next_issue: &'static str,
    pub all_ways: &'static str,
    pub feeds_lead: &'static str,
    pub feeds_copy: &'static str,
    pub feeds_reader: &'static str,
    pub feeds_reader_text: &'static str,
    pub feeds_issues: &'static str,
    pub feeds_articles: &'static str,
    pub feeds_device: &'static str,
    pub feeds_device_text: &'static str,
    pub feeds_catalogue: &'static str,
    pub feeds_books: &'static str,
    pub feeds_newest: &'static str,
    pub feeds_other: &'static str,
    pub feeds_other_text: &'static str,
    pub feeds_opml: &'static str,
    pub feeds_letter: &'static str,
    pub feeds_letter_text: &'static str,
    pub join: &'static str,
    pub join_lead: &'static str,
    pub join_address: &'static str,
    pub join_button: &'static str,
    pub join_asked: &'static str,
    pub join_asked_text: &'static str,
    pub join_busy: &'static str,
    pub join_busy_text: &'static str,
    pub form_problems: &'static str,
    pub form_address: &'static str,
    pub form_role: &'static str,
    pub form_device: &'static str,
    pub form_quick: &'static str,
    pub form_old: &'static str,
    pub pace: &'static str,
    pub pace_each: &'static str,
    pub pace_daily: &'static str,
    pub pace_weekly: &'static str,
    pub pace_monthly: &'static str,
    pub form: &'static str,
    pub form_html: &'static str,
    pub form_text: &'static str,
    pub form_book: &'static str,
    pub form_kindle: &'static str,
    pub device: &'static str,
    pub device_hint: &'static str,
    pub wished_sections: &'static str,
    pub wished_sections_hint: &'static str,
    pub wished_language: &'static str,
    pub wished_language_own: &'static str,
    pub preferences: &'static str,
    pub preferences_lead: &'static str,
    pub preferences_button: &'static str,
    pub preferences_saved: &'static str,
    pub preferences_ended: &'static str,
    pub preferences_leave: &'static str,
    pub private_title: &'static str,
    pub private_text: &'static str,
    pub private_feed: &'static str,
    pub private_catalogue: &'static str,
    pub never_ask: &'static str,
    pub never_button: &'static str,
    pub never_done: &'static str,
    pub confirm_expired: &'static str,
    pub confirm_expired_text: &'static str,
    pub feeds_letter_join: &'static str,
    pub date: &'static str,
    pub day: &'static str,
    pub month: &'static str,
    pub year: &'static str,
    pub whole_month: &'static str,
    pub within_month: &'static str,
    pub within_year: &'static str,
    pub between_years: &'static str,
    pub months: &'static str,
    pub weekdays: &'static str,
    pub one_article: &'static str,
    pub n_articles: &'static str,
    pub one_issue: &'static str,
    pub n_issues: &'static str,
    pub n_more: &'static str,
    pub n_more_issues: &'static str,
    pub digest: &'static str,
    pub enclosed: &'static str,
    pub too_large: &'static str,
    pub n_others: &'static str,
    pub number: &'static str,
    pub page: &'static str,
    pub correction: &'static str,
    pub by: &'static str,
    pub translated_by: &'static str,
    pub photographs_by: &'static str,
    pub office: &'static str,
    pub comma: &'static str,
    pub last_comma: &'static str,
    pub semicolon: &'static str,
    pub between_roles: &'static str,
}

/// The fields that are lists, with `|` between, and how many things each has.
pub(super) const LISTS: [(&str, usize); 2] = [("months", 12), ("weekdays", 7)];

/// The direction of lines in `language`: `rtl` for the scripts that run from right to left.
#[must_use]
pub fn direction(language: &Language) -> &'static str {
    let tag = language.as_str().to_ascii_lowercase();
    let by_script = tag.split('-').any(|s| matches!(s, "arab" | "hebr" | "syrc" | "thaa" | "nkoo" | "adlm"));
    let by_language = matches!(
        tag.split('-').next().unwrap_or_default(),
        "ar" | "he" | "fa" | "ur" | "yi" | "ps" | "dv" | "ug" | "ckb" | "sd"
    );
    if by_script || (by_language && !tag.split('-').any(|s| s == "latn" || s == "cyrl")) {
        "rtl"
    } else {
        "ltr"
    }
}

/// A phrase with its places filled; a place that nothing is known for stays as it is.
#[must_use]
pub fn told(phrase: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(phrase.len());
    let mut rest = phrase;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let known = after
            .split_once('}')
            .and_then(|(name, after)| Some((values.iter().find(|(known, _)| *known == name)?.1, after)));
        if let Some((value, after)) = known {
            out.push_str(value);
            rest = after;
        } else {
            out.push('{');
            rest = after;
        }
    }
    out + rest
}

impl Words {
    /// The table as the file of a theme that says the same.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut words = self.clone();
        let mut lines = Vec::new();
        for key in KEYS {
            let Some(said) = words.field(key).map(|field| *field) else { continue };
            let list = LISTS.iter().any(|(list, _)| list == key);
            let value = if list {
                toml::Value::from(said.split('|').collect::<Vec<_>>())
            } else {
                toml::Value::from(said)
            };
            lines.push(format!("{key} = {value}\n"));
        }
        lines.concat()
    }

    /// What stands between the titles of a list in one line.
    #[must_use]
    pub fn semicolon(&self) -> &'static str {
        self.semicolon
    }

    /// A day in full, with its weekday.
    #[must_use]
    pub fn date(&self, date: Date) -> String {
        dated(self, self.date, date)
    }

    /// A month as a heading of an archive page.
    #[must_use]
    pub fn month(&self, date: Date) -> String {
        dated(self, self.month, date)
    }

    /// The days from the first to the last: one day, a whole month, or `4–10 July 2026`.
    #[must_use]
    pub fn days(&self, first: Date, last: Date) -> String {
        if first >= last {
            return dated(self, self.day, last);
        }
        if first.day() == 1 && last == first.last_of_month() {
            return dated(self, self.whole_month, first);
        }
        let phrase = if first.year() != last.year() {
            self.between_years
        } else if first.month() == last.month() {
            self.within_month
        } else {
            self.within_year
        };
        let lasts = [i32::from(last.year()), i32::from(last.month()), i32::from(last.day())];
        let [year, month, day] = lasts.map(|n| n.to_string());
        let ends = [
            ("last_year", year.as_str()),
            ("last_month", &month),
            ("last_day", &day),
            ("last_month_name", nth(self.months, last.month() - 1)),
            ("last_iso", &last.to_string()),
        ];
        dated(self, &told(phrase, &ends), first)
    }

    /// The subject of a letter that tells of several issues.
    #[must_use]
    pub fn digest_of(&self, paper: &str, issues: &str, days: &str) -> String {
        told(self.digest, &[("paper", paper), ("issues", issues), ("days", days)])
    }

    /// Where the issues are that a letter has no room for.
    #[must_use]
    pub fn n_more_issues(&self, n: usize) -> String {
        told(self.n_more_issues, &[("n", &n.to_string()), ("issues", &self.n_issues(n))])
    }

    /// A year as a heading.
    #[must_use]
    pub fn year(&self, year: i16) -> String {
        told(self.year, &[("year", &year.to_string())])
    }

    /// A year's issues bound together.
    #[must_use]
    pub fn volume(&self, year: i16) -> String {
        told(self.volume, &[("year", &year.to_string())])
    }

    /// How many articles there are.
    #[must_use]
    pub fn n_articles(&self, n: usize) -> String {
        counted(self.one_article, self.n_articles, n)
    }

    /// How many issues there are.
    #[must_use]
    pub fn n_issues(&self, n: usize) -> String {
        counted(self.one_issue, self.n_issues, n)
    }

    /// Where the articles are that a letter has no room for.
    #[must_use]
    pub fn n_more(&self, n: usize) -> String {
        told(self.n_more, &[("n", &n.to_string()), ("articles", &self.n_articles(n))])
    }

    /// How many articles of an issue are not shown here.
    #[must_use]
    pub fn n_others(&self, n: usize) -> String {
        told(self.n_others, &[("n", &n.to_string()), ("articles", &self.n_articles(n))])
    }

    /// The number of an issue as it is said: `217` becomes 第217期; what is said in words already stays.
    #[must_use]
    pub fn number(&self, number: &str) -> String {
        let bare = number.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '-');
        if bare { told(self.number, &[("n", number)]) } else { number.to_owned() }
    }

    /// The printed page as it is said: `3` becomes 第3版.
    #[must_use]
    pub fn page(&self, page: &str) -> String {
        let bare = page.chars().all(|c| c.is_ascii_digit());
        if bare { told(self.page, &[("n", page)]) } else { page.to_owned() }
    }

    /// That readers see another version than before, and from which day on.
    #[must_use]
    pub fn correction(&self, version: u32, day: Date) -> String {
        let day = dated(self, self.day, day);
        told(self.correction, &[("day", &day), ("n", &version.to_string())])
    }

    /// Names one after the other.
    #[must_use]
    pub fn names<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> String {
        let names: Vec<&str> = names.into_iter().filter(|n| !n.trim().is_empty()).collect();
        match names.as_slice() {
            [firsts @ .., last] if !firsts.is_empty() => {
                format!("{}{}{last}", firsts.join(self.comma), self.last_comma)
            }
            _ => names.concat(),
        }
    }

    /// The label of a contact, such as `phone`; one we do not know is its own label.
    #[must_use]
    pub fn contact_label<'a>(&self, key: &'a str) -> &'a str {
        match key {
            "phone" => self.phone,
            "email" => self.email,
            "web" => self.web,
            "address" => self.address,
            other => other,
        }
    }
}

/// The `n`th word of a list, counted from 0.
fn nth(list: &'static str, n: i8) -> &'static str {
    list.split('|').nth(usize::from(n.unsigned_abs())).unwrap_or_default()
}

fn dated(words: &Words, phrase: &str, date: Date) -> String {
    let numbers =
        [i32::from(date.year()), i32::from(date.month()), i32::from(date.day())].map(|n| n.to_string());
    let [year, month, day] = &numbers;
    let iso = date.to_string();
    let values = [
        ("year", year.as_str()),
        ("month", month),
        ("day", day),
        ("weekday", nth(words.weekdays, date.weekday().to_monday_zero_offset())),
        ("month_name", nth(words.months, date.month() - 1)),
        ("iso", &iso),
        ("iso_month", iso.rsplit_once('-').map_or("", |(month, _)| month)),
    ];
    told(phrase, &values)
}

fn counted(one: &str, many: &str, n: usize) -> String {
    if n == 1 { one.to_owned() } else { told(many, &[("n", &n.to_string())]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::tables::{ENGLISH, OTHER, SIMPLIFIED, TRADITIONAL, ours};

    fn language(tag: &str) -> Language {
        Language::parse(tag).expect("a language tag")
    }

    #[test]
    fn words_follow_the_language_and_its_script() {
        for (tag, lang) in [
            ("zh", "zh-Hans"),
            ("zh-CN", "zh-Hans"),
            ("zh-TW", "zh-Hant"),
            ("zh-HK", "zh-Hant"),
            ("zh-Hant", "zh-Hant"),
            ("fr", "en"),
        ] {
            assert_eq!(ours(&language(tag)).lang, lang, "{tag}");
        }
    }

    #[test]
    fn lines_run_from_right_to_left_where_they_should() {
        for (tag, dir) in
            [("ar", "rtl"), ("az-Arab", "rtl"), ("he-IL", "rtl"), ("ar-Latn", "ltr"), ("zh", "ltr")]
        {
            assert_eq!(direction(&language(tag)), dir, "{tag}");
        }
    }

    #[test]
    fn a_day_is_told_as_people_tell_it() {
        let day = jiff::civil::date(2025, 7, 9);
        assert_eq!(SIMPLIFIED.date(day), "2025年7月9日　星期三");
        assert_eq!(SIMPLIFIED.month(day), "7月");
        assert_eq!(ENGLISH.date(day), "Wednesday, 9 July 2025");
        assert_eq!(ENGLISH.correction(2, day), "Corrected on Wednesday, 9 July 2025 (version 2).");
        assert_eq!((OTHER.date(day), OTHER.month(day)), ("2025-07-09".to_owned(), "2025-07".to_owned()));
    }

    #[test]
    fn days_in_a_row_are_told_as_people_tell_them() {
        let day = jiff::civil::date;
        let told =
            |first, last| [&ENGLISH, &SIMPLIFIED, &OTHER].map(|words| words.days(first, last)).join(" / ");
        assert_eq!(
            told(day(2026, 7, 4), day(2026, 7, 10)),
            "4–10 July 2026 / 2026年7月4日—10日 / 2026-07-04 – 2026-07-10"
        );
        assert_eq!(
            told(day(2026, 6, 27), day(2026, 7, 3)),
            "27 June – 3 July 2026 / 2026年6月27日—7月3日 / 2026-06-27 – 2026-07-03"
        );
        assert_eq!(
            told(day(2025, 12, 27), day(2026, 1, 2)),
            "27 December 2025 – 2 January 2026 / 2025年12月27日—2026年1月2日 / 2025-12-27 – 2026-01-02"
        );
        assert_eq!(told(day(2026, 2, 1), day(2026, 2, 28)), "February 2026 / 2026年2月 / 2026-02");
        assert_eq!(
            told(day(2026, 7, 10), day(2026, 7, 10)),
            "Friday, 10 July 2026 / 2026年7月10日 / 2026-07-10"
        );
    }

    #[test]
    fn what_is_said_in_words_already_stays_and_counts_have_their_noun() {
        assert_eq!(SIMPLIFIED.number("217"), "第217期");
        assert_eq!(ENGLISH.number("Autumn {n}"), "Autumn {n}");
        assert_eq!([ENGLISH.n_articles(1), ENGLISH.n_articles(3)], ["1 article", "3 articles"]);
        assert_eq!(TRADITIONAL.n_more(2), "還有 2 篇，請到本期網頁閱讀");
        assert_eq!(told("{a} {b {a}", &[("a", "{b}")]), "{b} {b {b}");
    }

    #[test]
    fn no_table_leaves_anything_out() {
        for table in [&SIMPLIFIED, &TRADITIONAL, &ENGLISH, &OTHER] {
            let mut table = table.clone();
            for key in KEYS {
                assert!(table.field(key).is_some_and(|field| !field.is_empty()), "{key} in {}", table.lang);
            }
            for (key, n) in LISTS {
                assert_eq!(table.field(key).expect(key).split('|').count(), n, "{key} in {}", table.lang);
            }
        }
    }
}
