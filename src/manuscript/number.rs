//! The number of an issue as periodicals print it: 第 23 期, 总第一百零五期, No. 12, Issue 7.

use std::ops::Range;

use super::dates;

/// The words before a number in Latin print; `no` is an everyday word without its stop.
const WORDS: [&str; 7] = ["no.", "number", "issue", "nr.", "n°", "nº", "numéro"];

/// Longest number in characters: 一千二百三十四 has seven.
const MAX_CHARACTERS: usize = 8;

/// The first number of an issue in a text, and its place in bytes. The number since the first year (总第…期) counts where
/// it is the only one.
pub(super) fn find(text: &str) -> Option<(Range<usize>, String)> {
    let mut found = None;
    for (start, _) in text.match_indices('第') {
        let Some((end, number)) = chinese(text, start + '第'.len_utf8()) else { continue };
        let total = text[..start].ends_with('总') || text[..start].ends_with('總');
        if !total {
            return Some((start..end, number));
        }
        found = found.or(Some((start - '总'.len_utf8()..end, number)));
    }
    found.or_else(|| latin(text))
}

fn chinese(text: &str, from: usize) -> Option<(usize, String)> {
    let rest = text[from..].trim_start();
    let digits: String = rest
        .chars()
        .map(dates::ascii_digit)
        .take_while(|c| c.is_ascii_digit() || "零〇一二两三四五六七八九十百千".contains(*c))
        .take(MAX_CHARACTERS + 1)
        .collect();
    let length: usize = rest.chars().take(digits.chars().count()).map(char::len_utf8).sum();
    let after = rest[length..].trim_start();
    let unit = after.chars().next().filter(|c| "期号號辑輯".contains(*c))?;
    let end = text.len() - after.len() + unit.len_utf8();
    Some((end, value(&digits)?.to_string()))
}

/// The value of a Chinese or decimal number, if it is one.
fn value(digits: &str) -> Option<u32> {
    if digits.is_empty() || digits.chars().count() > MAX_CHARACTERS {
        return None;
    }
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        return digits.parse().ok();
    }
    let digit = |c: char| {
        let at = "零一二三四五六七八九".chars().position(|d| d == c);
        at.or(match c {
            '〇' => Some(0),
            '两' => Some(2),
            _ => None,
        })
    };
    // 二〇二四: digit by digit.
    if digits.chars().count() > 1 && digits.chars().all(|c| digit(c).is_some()) {
        return digits.chars().try_fold(0, |sum: u32, c| Some(sum * 10 + u32::try_from(digit(c)?).ok()?));
    }
    let (mut sum, mut last) = (0_u32, None);
    for c in digits.chars() {
        let unit = match c {
            '十' => 10,
            '百' => 100,
            '千' => 1000,
            _ => {
                last = Some(u32::try_from(digit(c)?).ok()?);
                continue;
            }
        };
        sum += last.take().unwrap_or(1) * unit;
    }
    Some(sum + last.unwrap_or(0))
}

fn latin(text: &str) -> Option<(Range<usize>, String)> {
    // Of ASCII letters alone, so that the places are those of the text.
    let lower = text.to_ascii_lowercase();
    let mut found = WORDS.iter().filter_map(|word| {
        lower.match_indices(word).find_map(|(start, _)| {
            let begins = !lower[..start].ends_with(char::is_alphanumeric);
            let rest = lower[start + word.len()..].trim_start_matches([' ', '\u{a0}', '#']);
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let ends = !rest[digits..].starts_with(char::is_alphanumeric);
            let at = text.len() - rest.len();
            ((1..=5).contains(&digits) && begins && ends)
                .then(|| (start..at + digits, text[at..at + digits].to_owned()))
        })
    });
    let first = found.next()?;
    Some(found.fold(first, |first, other| if other.0.start < first.0.start { other } else { first }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = find(text).map(|(range, number)| format!("{} = {number}", &text[range]));
        assert_eq!(found.unwrap_or_default(), expected, "{text}");
    }

    #[test]
    fn the_number_of_an_issue_is_found_as_it_is_printed() {
        check("周刊（第 350 期）：新桥", "第 350 期 = 350");
        check("2026年第３期（总第127期）", "第３期 = 3");
        check("总第一百零五期", "总第一百零五期 = 105");
        check("第十二期 第二十三号", "第十二期 = 12");
        check("第二〇期", "第二〇期 = 20");
        check("The Harbour Letter, Vol. VIII, No. 353, October 2", "No. 353 = 353");
        check("Issue #7", "Issue #7 = 7");
        check("第三章", "");
        check("第期", "");
        check("no 5 people", "");
        check("No. 5th", "");
        check("第五届期刊", "");
        check("", "");
    }
}
