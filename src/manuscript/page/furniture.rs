//! What a page prints around its articles: running heads, mastheads, lines of labels (主办：…, 电话：…).

use jiff::civil::Date;

use crate::typography;

use super::super::{byline, credit, dates, number};

/// What a label announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    Publisher,
    Editors,
    /// A key of the contact: `phone`, `email`, `web`, `address`.
    Contact(&'static str),
    /// Known, but in no field.
    Other,
}

/// The labels of mastheads. Longer ones stand before those they contain.
const LABELS: [(&str, Label); 47] = [
    ("主办单位", Label::Publisher),
    ("主办", Label::Publisher),
    ("主辦", Label::Publisher),
    ("出版单位", Label::Publisher),
    ("主管单位", Label::Other),
    ("主管", Label::Other),
    ("承办单位", Label::Other),
    ("承办", Label::Other),
    ("协办单位", Label::Other),
    ("协办", Label::Other),
    ("印刷", Label::Other),
    ("邮编", Label::Other),
    ("邮政编码", Label::Other),
    ("邮发代号", Label::Other),
    ("国内统一刊号", Label::Other),
    ("国内统一连续出版物号", Label::Other),
    ("发行", Label::Other),
    ("校对", Label::Other),
    ("美编", Label::Other),
    ("版式", Label::Other),
    ("制图", Label::Other),
    ("定价", Label::Other),
    ("新闻热线", Label::Contact("phone")),
    ("投稿热线", Label::Contact("phone")),
    ("联系电话", Label::Contact("phone")),
    ("电话", Label::Contact("phone")),
    ("電話", Label::Contact("phone")),
    ("热线", Label::Contact("phone")),
    ("Phone", Label::Contact("phone")),
    ("Tel", Label::Contact("phone")),
    ("投稿邮箱", Label::Contact("email")),
    ("电子邮箱", Label::Contact("email")),
    ("电子信箱", Label::Contact("email")),
    ("邮箱", Label::Contact("email")),
    ("郵箱", Label::Contact("email")),
    ("E-mail", Label::Contact("email")),
    ("Email", Label::Contact("email")),
    ("社址", Label::Contact("address")),
    ("地址", Label::Contact("address")),
    ("网址", Label::Contact("web")),
    ("本版责任编辑", Label::Editors),
    ("本版责编", Label::Editors),
    ("本版编辑", Label::Editors),
    ("责任编辑", Label::Editors),
    ("责编", Label::Editors),
    ("執行主編", Label::Editors),
    ("编辑", Label::Editors),
];

/// One label of a line and what follows it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Labelled<'t> {
    pub(super) label: Label,
    pub(super) value: &'t str,
}

/// Longest line that may be furniture, in characters: the width of a page in small type.
const MAX_CHARACTERS: usize = 80;

fn too_long(line: &str) -> bool {
    line.chars().nth(MAX_CHARACTERS).is_some()
}

/// The labels of a line that begins with one and is no sentence; empty otherwise.
pub(super) fn labelled(line: &str) -> Vec<Labelled<'_>> {
    let line = line.trim();
    if too_long(line) || line.ends_with(['。', '；', '，', '、']) || label_at(line).is_none() {
        return Vec::new();
    }
    let mut found: Vec<(usize, usize, Label)> = Vec::new();
    let mut at = 0;
    while at < line.len() {
        // Within a line, a label begins a word.
        let begins = at == 0 || line[..at].ends_with(|c: char| c.is_whitespace() || "|｜/；;".contains(c));
        if begins && let Some((length, label)) = label_at(&line[at..]) {
            found.push((at, at + length, label));
            at += length;
        } else {
            at += line[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    (0..found.len())
        .map(|i| {
            let end = found.get(i + 1).map_or(line.len(), |next| next.0);
            let value = line[found[i].1..end].trim().trim_end_matches(['|', '｜', '/', '；', ';']).trim();
            Labelled { label: found[i].2, value }
        })
        .collect()
}

/// The label and its colon at the start of a text, and their length in bytes.
fn label_at(text: &str) -> Option<(usize, Label)> {
    for (word, label) in LABELS {
        let Some(head) = text.get(..word.len()) else { continue };
        if !head.eq_ignore_ascii_case(word) {
            continue;
        }
        let after = text[word.len()..].trim_start();
        if let Some(rest) = after.strip_prefix(['：', ':']) {
            return Some((text.len() - rest.len(), label));
        }
    }
    None
}

/// The names of a label's value: up to the first word that is none.
pub(super) fn names(value: &str) -> Vec<String> {
    value
        .split(|c: char| c.is_whitespace() || "、，,/".contains(c))
        .filter(|word| !word.is_empty())
        .map_while(|word| (byline::is_name(word) || word.is_ascii()).then(|| word.to_owned()))
        .collect()
}

/// A running head: what stands on top of a printed page.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RunningHead {
    pub(super) page: Option<String>,
    pub(super) editors: Vec<String>,
    pub(super) section: Option<String>,
    pub(super) number: Option<String>,
    pub(super) date: Option<Date>,
    /// Whether the weekday printed beside the date is another than that day's.
    pub(super) wrong_weekday: bool,
}

/// The running head that a line is: a date together with a weekday, a page number, the number or its editors, and
/// no sentence.
pub(super) fn running_head(line: &str) -> Option<RunningHead> {
    let line = line.trim();
    if too_long(line) || line.contains(['。', '；', '（', '《']) || line.ends_with(['，', '、', '：', ':'])
    {
        return None;
    }
    let editors = ["责编", "责任编辑", "编辑", "編輯"].iter().filter_map(|word| {
        let at = line.find(word)?;
        let after = line[at + word.len()..].trim_start();
        after.strip_prefix(['：', ':']).map(|names| (line[..at].trim_end_matches("本版"), names))
    });
    let editors = editors.min_by_key(|(before, _)| before.len());
    let found = dates::find(line);
    let weekday = dates::weekday(line);
    let date = found.as_ref().and_then(|(_, day)| day.date());
    let number = number::find(line);
    let page = page(line);
    let clues = usize::from(date.is_some())
        + usize::from(weekday.is_some())
        + usize::from(page.is_some())
        + usize::from(number.is_some())
        + usize::from(editors.is_some());
    if clues < 2 || (date.is_none() && editors.is_none()) {
        return dateline(line);
    }
    let mut rest = line.to_owned();
    let places = [
        found.map(|found| found.0),
        weekday.clone().map(|found| found.0),
        number.clone().map(|found| found.0),
    ];
    for range in places.into_iter().flatten() {
        let blank = " ".repeat(range.len());
        rest.replace_range(range, &blank);
    }
    let editors = editors.map(|(_, value)| names(value)).unwrap_or_default();
    let editors: Vec<String> =
        editors.into_iter().filter(|name| !name.bytes().any(|b| b.is_ascii_digit())).collect();
    let section = rest
        .split(|c: char| c.is_whitespace() || "：:|｜—-·".contains(c))
        .find(|word| {
            (2..=8).contains(&word.chars().count())
                && word.chars().all(typography::is_han)
                && !editors.iter().any(|name| name == word)
                && !word.contains('版')
                && !["责编", "编辑", "责任编辑", "校对", "美编", "報", "报"]
                    .iter()
                    .any(|label| word.ends_with(label))
        })
        .map(str::to_owned);
    let wrong_weekday = matches!((date, &weekday), (Some(date), Some((_, day))) if date.weekday() != *day);
    let number = number.map(|(_, number)| number);
    Some(RunningHead { page, editors, section, number, date, wrong_weekday })
}

/// The longest dateline in words: `The Harbour Letter, No. 12, Tuesday, 3 March 2026, page 1` has eleven.
const MAX_DATELINE: usize = 12;

/// The running head of a page in Latin letters: a date with a weekday or the number.
fn dateline(line: &str) -> Option<RunningHead> {
    if line.ends_with(['.', ',', ';', ':']) || line.split_whitespace().nth(MAX_DATELINE).is_some() {
        return None;
    }
    let weekday = dates::latin_weekday(line);
    let number = number::find(line);
    if weekday.is_none() && number.is_none() {
        return None;
    }
    let date = dates::of_header(&match &number {
        Some((range, _)) => format!("{} {}", &line[..range.start], &line[range.end..]),
        None => line.to_owned(),
    })?;
    Some(RunningHead {
        number: number.map(|(_, number)| number),
        date: Some(date),
        wrong_weekday: weekday.is_some_and(|day| day != date.weekday()),
        ..RunningHead::default()
    })
}

/// The page number of a running head: `3本版责编`, `第3版`, `A3版`.
fn page(line: &str) -> Option<String> {
    let digits: String = line.chars().take_while(char::is_ascii_digit).collect();
    let after = &line[digits.len()..];
    if (1..=3).contains(&digits.len())
        && (after.starts_with("本版") || after.starts_with(char::is_whitespace))
    {
        return Some(digits);
    }
    credit::page(line)
}

/// Whether the line is a page number and nothing else: `- 3 -`, `第3版`, `A03`.
pub(super) fn is_page_number(line: &str) -> bool {
    let core: String = line.chars().filter(|c| !c.is_whitespace() && !"-—–·第版页頁".contains(*c)).collect();
    let letters = core.chars().take_while(char::is_ascii_uppercase).count();
    let digits = core.len().saturating_sub(letters);
    line.chars().count() <= 12
        && letters <= 1
        && (1..=3).contains(&digits)
        && core.chars().skip(letters).all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_head(line: &str, expected: &str) {
        let found = running_head(line).map(|head| {
            format!(
                "page {} editors {} section {} date {}{}{}",
                head.page.unwrap_or_default(),
                head.editors.join("+"),
                head.section.unwrap_or_default(),
                head.date.map(|d| d.to_string()).unwrap_or_default(),
                head.number.map(|number| format!(" number {number}")).unwrap_or_default(),
                if head.wrong_weekday { " wrong weekday" } else { "" }
            )
        });
        assert_eq!(found.unwrap_or_default(), expected, "{line}");
    }

    #[test]
    fn a_running_head_tells_page_editors_section_and_date() {
        check_head(
            "5本版责编：李小雨 王大桥 副刊2025年7月9日 星期三",
            "page 5 editors 李小雨+王大桥 section 副刊 date 2025-07-09",
        );
        check_head(
            "5本版责编：李小雨 副刊2025年7月9日 星期四",
            "page 5 editors 李小雨 section 副刊 date 2025-07-09 wrong weekday",
        );
        check_head("第3版 副刊 2025-07-09", "page 3 editors  section 副刊 date 2025-07-09");
        check_head(
            "河畔文艺 2025年7月9日 第23期",
            "page  editors  section 河畔文艺 date 2025-07-09 number 23",
        );
        check_head("Number 12, 3 March 2026", "page  editors  section  date 2026-03-03 number 12");
        check_head(
            "Harbour Letter, Wednesday, 3 March 2026",
            "page  editors  section  date 2026-03-03 wrong weekday",
        );
        check_head("Number 12 came out on 3 March 2026.", "");
        check_head("3 March 2026", "");
        check_head("2025年7月9日，县图书馆开馆。", "");
        check_head("责编：李小雨", "");
    }

    #[track_caller]
    fn check_labels(line: &str, expected: &str) {
        let found: Vec<String> =
            labelled(line).iter().map(|l| format!("{:?}={}", l.label, l.value)).collect();
        assert_eq!(found.join(" "), expected, "{line}");
    }

    #[test]
    fn labels_are_read_from_mastheads_and_not_from_sentences() {
        check_labels("主办：河畔县图书馆", "Publisher=河畔县图书馆");
        check_labels(
            "电话：0123-4567 邮箱: a@example.org",
            "Contact(\"phone\")=0123-4567 Contact(\"email\")=a@example.org",
        );
        check_labels("责编：李小雨 校对：王桥", "Editors=李小雨 Other=王桥");
        check_labels("电话：铃声响了，没有人接。", "");
        check_labels("他打电话：没有人接", "");
    }

    #[test]
    fn a_page_number_alone_is_known() {
        assert!(is_page_number("- 3 -") && is_page_number("第3版") && is_page_number("A03"));
        assert!(
            !is_page_number("三") && !is_page_number("2024") && !is_page_number("") && !is_page_number("30%")
        );
    }
}
