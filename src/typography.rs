//! Facts about characters: which are Chinese, how two lines join, what XML can carry, what a key may hold.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

/// Whether `c` is a Han ideograph (CJK Unified, its extensions and compatibility forms, and 〇).
#[must_use]
pub fn is_han(c: char) -> bool {
    matches!(c,
        '\u{3007}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{323AF}')
}

/// Whether `c` is Hangul, which unlike Chinese and Japanese keeps its spaces between words.
#[must_use]
pub fn is_hangul(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11FF}' | '\u{3130}'..='\u{318F}' | '\u{A960}'..='\u{A97F}' | '\u{AC00}'..='\u{D7FF}')
}

/// Whether `c` is written without spaces around it in Chinese and Japanese: Han, kana, bopomofo, full-width forms
/// and CJK punctuation, and also the quotation marks, dashes and leaders that Chinese shares with Latin.
#[must_use]
pub fn is_wide(c: char) -> bool {
    is_han(c)
        || matches!(c, '\u{2E80}'..='\u{303F}' | '\u{3041}'..='\u{312F}' | '\u{31A0}'..='\u{31FF}'
            | '\u{FE30}'..='\u{FE4F}' | '\u{FF01}'..='\u{FF60}' | '\u{FFE0}'..='\u{FFE6}')
}

/// Whether `c` is a mark that Chinese shares with Latin (“”‘’—…·), wide beside a wide character only.
#[must_use]
pub fn is_shared_mark(c: char) -> bool {
    matches!(c, '“' | '”' | '‘' | '’' | '—' | '―' | '…' | '·')
}

/// How many columns of a fixed-width page `c` takes: two if wide, one otherwise (Unicode UAX #11, simplified).
#[must_use]
pub fn columns(c: char) -> usize {
    if is_wide(c) || is_hangul(c) || is_shared_mark(c) { 2 } else { 1 }
}

/// What stands between two lines of one paragraph when they become one: nothing between wide characters,
/// a space elsewhere. The rule is that of CSS Text 3 §4.1.3 (segment breaks), with Hangul keeping its spaces.
#[must_use]
pub fn joint(left: &str, right: &str) -> &'static str {
    let (Some(before), Some(after)) = (left.chars().next_back(), right.chars().next()) else {
        return "";
    };
    if before.is_whitespace() || after.is_whitespace() {
        return "";
    }
    let wide_before = is_wide(before);
    let wide_after = is_wide(after);
    let tight =
        (wide_before && (wide_after || is_shared_mark(after))) || (is_shared_mark(before) && wide_after);
    // In a column of Chinese, a number or a Latin word that meets the line's end meets no space either.
    if tight || ((wide_before != wide_after) && !is_hangul(before) && !is_hangul(after)) { "" } else { " " }
}

/// Whether XML 1.0 §2.2 can carry `c`, and a reader could see it: no control characters but tab and line feed,
/// none of the code points that Unicode promises never to make characters (HTML forbids them, though XML does not),
/// no byte order mark in the middle of a text, and none of the marks that turn the direction of all that follows
/// (U+202A to U+202E, which Unicode UAX #9 discourages): a headline could show its letters in another order.
#[must_use]
pub fn is_printable(c: char) -> bool {
    // Nearly all that is ever asked about.
    if matches!(c, ' '..='~' | '\u{3000}'..='\u{9FFF}') {
        return true;
    }
    let never = u32::from(c) & 0xFFFE == 0xFFFE || matches!(c, '\u{FDD0}'..='\u{FDEF}');
    !never
        && !matches!(c, '\u{0}'..='\u{8}' | '\u{B}'..='\u{1F}' | '\u{7F}'..='\u{9F}' | '\u{FEFF}'
            | '\u{202A}'..='\u{202E}' | '\u{FFF9}'..='\u{FFFB}')
}

/// `text` without what no edition could print; see [`is_printable`].
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_printable) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().filter(|&c| is_printable(c)).collect())
    }
}

/// Whether every mark in `text` that sets a run apart in its direction (U+2066 to U+2068) is closed in it (U+2069), so that what
/// stands after it reads as it would without.
#[must_use]
pub fn is_closed(text: &str) -> bool {
    let mut depth = 0_usize;
    for c in text.chars() {
        match c {
            '\u{2066}'..='\u{2068}' => depth += 1,
            '\u{2069}' if depth == 0 => return false,
            '\u{2069}' => depth -= 1,
            _ => {}
        }
    }
    depth == 0
}

/// Longest key that [`slug`] makes, in bytes: it becomes a part of file names, URLs and Message-IDs.
pub const MAX_SLUG: usize = 64;

/// A name for files and identifiers: `[a-z0-9-]`, at most [`MAX_SLUG`] bytes, never empty.
///
/// Chinese is spelt in pinyin, other scripts as `deunicode` spells them; a text that leaves nothing (`……`), or is too
/// long, is told from others by a hash of its own.
#[must_use]
pub fn slug(text: &str) -> String {
    use pinyin::ToPinyin as _;
    let text: String = text.nfc().collect();
    let mut slug = String::new();
    for c in text.chars() {
        let before = slug.len();
        if let Some(syllable) = c.to_pinyin() {
            if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
            slug.push_str(syllable.plain());
            slug.push('-');
        } else if let Some(ascii) = deunicode::deunicode_char(c) {
            for letter in ascii.chars() {
                if letter.is_ascii_alphanumeric() {
                    slug.push(letter.to_ascii_lowercase());
                } else if !slug.is_empty() && !slug.ends_with('-') && letter != '\'' {
                    slug.push('-');
                }
            }
        }
        if slug.len() == before && !slug.is_empty() && !slug.ends_with('-') && c != '\'' && c != '’' {
            slug.push('-');
        }
    }
    slug.retain(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let trimmed = slug.trim_matches('-');
    if trimmed.is_empty() || trimmed.len() > MAX_SLUG {
        let hash = blake3::hash(text.as_bytes()).to_hex();
        let head = trimmed.get(..MAX_SLUG - 9).unwrap_or(trimmed).trim_matches('-');
        return if head.is_empty() { format!("x-{}", &hash[..8]) } else { format!("{head}-{}", &hash[..8]) };
    }
    trimmed.to_owned()
}

/// `; did you mean ...?` where a known name is near enough to the one given.
#[must_use]
pub fn nearest(given: &str, known: &[&str]) -> String {
    near(given, known.iter().copied()).map_or_else(
        || format!("; there are `{}`", known.join("`, `")),
        |name| format!("; did you mean `{name}`?"),
    )
}

/// The known name that one given is near enough to.
#[must_use]
pub fn near<'k>(given: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let nearest = known.into_iter().map(|name| (distance(given, name), name)).min();
    nearest.filter(|(distance, _)| *distance <= 1 + given.len() / 4).map(|(_, name)| name)
}

/// How many letters differ (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (n, c) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], n + 1);
        for (m, d) in b.iter().enumerate() {
            let here = (diagonal + usize::from(c != *d)).min(row[m] + 1).min(row[m + 1] + 1);
            diagonal = std::mem::replace(&mut row[m + 1], here);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_joint(left: &str, right: &str, expected: &str) {
        assert_eq!(joint(left, right), expected, "{left:?} + {right:?}");
    }

    #[test]
    fn chinese_lines_join_with_nothing_and_latin_lines_with_a_space() {
        check_joint("高质量发", "展", "");
        check_joint("发展。", "“新质", "");
        check_joint("a new", "issue", " ");
        check_joint("한국어", "신문", " ");
        check_joint("2024年", "1月", "");
        check_joint("文化IP", "的", "");
    }

    #[track_caller]
    fn check_slug(text: &str, expected: &str) {
        assert_eq!(slug(text), expected);
    }

    #[test]
    fn a_key_is_ascii_in_every_script() {
        check_slug("2025-07-09", "2025-07-09");
        check_slug("000_2644940ed99e5299", "000-2644940ed99e5299");
        check_slug("理论版 7月9日", "li-lun-ban-7-yue-9-ri");
        check_slug("Été à Paris", "ete-a-paris");
        check_slug("don't panic!", "dont-panic");
        check_slug("../../etc/passwd", "etc-passwd");
        assert!(slug("……").starts_with("x-"));
        assert!(slug(&"长".repeat(400)).len() <= MAX_SLUG);
    }

    #[test]
    fn what_xml_cannot_carry_is_left_out() {
        assert_eq!(printable("a\u{0}b\u{8}c\u{FFFE}d\te\nf\u{1FFFF}\u{FDD0}"), "abcd\te\nf");
    }
}
