//! Where an article first appeared: the line in brackets after its body (原载《…》……).

use super::dates::{self, Day};

/// A credit line as printed; its year may still be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Credit {
    /// The paper or site.
    pub(super) name: String,
    pub(super) day: Option<Day>,
    pub(super) page: Option<String>,
    /// The line with its brackets.
    pub(super) printed: String,
}

/// Words that open a credit line, each with whether it does so without a name in 《》 too.
const OPENINGS: [(&str, bool); 17] = [
    ("原载于", true),
    ("原载", true),
    ("原載", true),
    ("原刊于", true),
    ("原刊", true),
    ("转载自", true),
    ("转自", true),
    ("轉載自", true),
    ("摘自", true),
    ("选自", true),
    ("摘编自", true),
    ("来源", true),
    ("刊于", false),
    ("载于", false),
    ("据", false),
    ("Originally published in", true),
    ("First published in", true),
];

/// The longest credit line in characters: name, date and page, and an office or two.
const MAX_CHARACTERS: usize = 80;

/// The credit line at the end of a text, and the byte where it starts. `None` when there is none.
pub(super) fn at_end(text: &str) -> Option<(usize, Credit)> {
    let trimmed = text.trim_end().trim_end_matches('*').trim_end();
    let inner = trimmed.strip_suffix('。').unwrap_or(trimmed);
    let close = inner.chars().next_back()?;
    let opens: &[char] = match close {
        '）' | ')' => &['（', '('],
        '】' => &['【'],
        ']' => &['['],
        _ => return None,
    };
    let content_end = inner.len() - close.len_utf8();
    let window = inner[..content_end].char_indices().rev().take(MAX_CHARACTERS);
    for (at, _) in window.filter(|(_, c)| opens.contains(c)) {
        let open = inner[at..].chars().next().map_or(1, char::len_utf8);
        if let Some(credit) = parse(&inner[at + open..content_end], &trimmed[at..]) {
            let before = text[..at].trim_end_matches('*');
            return Some((before.len(), credit));
        }
    }
    None
}

/// Whether a line opens a credit line, which may end on a later line.
pub(super) fn opens(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches('*');
    let Some(inner) = line.strip_prefix(['（', '(', '【', '[']) else { return false };
    OPENINGS.iter().any(|(word, alone)| *alone && inner.trim_start().starts_with(word))
}

fn parse(content: &str, printed: &str) -> Option<Credit> {
    let content = content.trim();
    let (word, alone) = OPENINGS.iter().find(|(word, _)| content.starts_with(word))?;
    let rest = content[word.len()..].trim_start_matches(['：', ':', ' ', '\u{3000}']);
    let quoted = rest.find('《').and_then(|open| {
        let after = &rest[open + '《'.len_utf8()..];
        Some((&after[..after.find('》')?], open))
    });
    if !alone && quoted.is_none_or(|(_, open)| open > 0) {
        return None;
    }
    let found = dates::find(rest);
    let name = if let Some((name, _)) = quoted {
        name
    } else {
        let end = found.as_ref().map_or(rest.len(), |(range, _)| range.start);
        rest[..end].split(['，', ',']).next().unwrap_or_default()
    };
    let name: String = name.trim().trim_end_matches(['，', ',', '。']).to_owned();
    if name.is_empty() {
        return None;
    }
    Some(Credit { name, day: found.map(|(_, day)| day), page: page(rest), printed: tidy(printed) })
}

/// `9` of `第 9 版`, `A3` of `A3版`.
pub(super) fn page(text: &str) -> Option<String> {
    let at = text.rfind('版')?;
    let before = text[..at].trim_end();
    let start = before
        .char_indices()
        .rev()
        .take_while(|(_, c)| c.is_ascii_alphanumeric() || ('０'..='９').contains(c))
        .last()
        .map(|(start, _)| start)?;
    let page: String = before[start..].chars().map(dates::ascii_digit).collect();
    let number = page.trim_start_matches('0');
    let valid = page.len() <= 4 && number.chars().any(|c| c.is_ascii_digit());
    valid.then(|| number.to_owned())
}

fn tidy(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = at_end(text).map(|(at, credit)| {
            let day = credit.day.map_or(String::new(), |d| {
                format!("{}-{}-{}", d.year.map_or("?".to_owned(), |y| y.to_string()), d.month, d.of_month)
            });
            format!("{}|{} {day} {}", &text[..at], credit.name, credit.page.unwrap_or_default())
        });
        assert_eq!(found.unwrap_or_default(), expected, "{text}");
    }

    #[test]
    fn a_credit_line_names_paper_day_and_page() {
        check("（原载《河畔日报》2026年4月3日 第9版）", "|河畔日报 2026-4-3 9");
        check("**(原载《河畔日报》2026年4月3日第09版)**", "|河畔日报 2026-4-3 9");
        check("（转自《河畔日报》02 月 01 日 第 9 版）", "|河畔日报 ?-2-1 9");
        check("（据《河畔日报》）", "|河畔日报  ");
        check("【来源：河畔网，2026-04-03】", "|河畔网 2026-4-3 ");
        check("他们走了。 （原载《河畔日报》2026年4月3日第A9版）", "他们走了。 |河畔日报 2026-4-3 A9");
    }

    #[test]
    fn other_brackets_are_no_credit() {
        check("（据统计，共有三百人）", "");
        check("（见《河畔日报》）", "");
        check("他走了（从北门）。", "");
        check("（原载", "");
        check("）", "");
        check("", "");
    }
}
