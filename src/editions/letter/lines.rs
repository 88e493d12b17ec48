//! Breaks text into lines as Chinese and Latin printers do: by columns, never inside an address, no mark out of place.

use unicode_width::UnicodeWidthChar as _;

use crate::typography;

/// How many columns a line of a letter has; a Chinese character takes two. RFC 3676 §4.2 advises 72 to 78.
pub(super) const COLUMNS: usize = 72;

/// Adds `text` to `out` in lines of at most [`COLUMNS`], the first behind `first`, the others behind `rest`. Only an
/// address may be longer.
pub(super) fn wrap(text: &str, first: &str, rest: &str, out: &mut String) {
    let text = typography::printable(text);
    let chinese = text.chars().any(typography::is_wide);
    let mut line = Line { out, width: 0, empty: true, rest, chinese };
    line.begin(first);
    for word in words(&text) {
        line.push(&word);
    }
    line.end();
}

struct Line<'a> {
    out: &'a mut String,
    width: usize,
    empty: bool,
    rest: &'a str,
    chinese: bool,
}

impl Line<'_> {
    fn begin(&mut self, prefix: &str) {
        self.out.push_str(prefix);
        self.width = prefix.chars().map(|c| self.columns(c)).sum();
        self.empty = true;
    }

    fn end(&mut self) {
        while self.out.ends_with(' ') {
            self.out.pop();
        }
        self.out.push('\n');
    }

    fn turn(&mut self) {
        self.end();
        let rest = self.rest;
        self.begin(rest);
    }

    fn push(&mut self, word: &Word) {
        let width: usize = word.text.chars().map(|c| self.columns(c)).sum();
        let space = usize::from(word.spaced && !self.empty);
        if !self.empty && self.width + space + width > COLUMNS {
            self.turn();
        } else if space == 1 {
            self.out.push(' ');
            self.width += 1;
        }
        for c in word.text.chars() {
            // Only what has no place to break at all comes to this: a word of a hundred letters.
            if !word.address && !self.empty && self.width + self.columns(c) > COLUMNS {
                self.turn();
            }
            self.out.push(c);
            self.width += self.columns(c);
            self.empty = false;
        }
    }

    /// East Asian Width (UAX #11); the marks that Chinese shares with Latin are wide in a Chinese text.
    fn columns(&self, c: char) -> usize {
        if self.chinese && typography::is_shared_mark(c) { 2 } else { c.width().unwrap_or(0) }
    }
}

/// What stays together on a line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Word {
    text: String,
    /// Whether a space stands before it when it does not begin a line.
    spaced: bool,
    address: bool,
}

fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let between = |c: char| c.is_whitespace() && c != '\u{3000}' && c != '\u{A0}';
    for run in text.split(between).filter(|run| !run.is_empty()) {
        let mut word = Word { spaced: true, ..Word::default() };
        let mut at = 0;
        while let Some(c) = run[at..].chars().next() {
            let length = address_length(&run[at..]);
            if length > 0 {
                if word.text.chars().next_back().is_some_and(|before| !no_end(before)) {
                    words.push(std::mem::take(&mut word));
                }
                word.text.push_str(&run[at..at + length]);
                word.address = true;
                at += length;
                continue;
            }
            if let Some(before) = word.text.chars().next_back()
                && (may_break(before, c) || (word.address && !no_start(c)))
            {
                words.push(std::mem::take(&mut word));
            }
            word.text.push(c);
            at += c.len_utf8();
        }
        words.push(word);
    }
    words
}

/// How many bytes of an address `text` begins with; the marks that end a sentence are no part of it.
fn address_length(text: &str) -> usize {
    if !["https://", "http://", "mailto:"].iter().any(|scheme| text.starts_with(scheme)) {
        return 0;
    }
    let address: &str =
        text.split(|c: char| !c.is_ascii_graphic() || matches!(c, '<' | '>' | '"')).next().unwrap_or("");
    address.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '\'']).len()
}

/// Whether a line may end between two characters without a space between them.
fn may_break(before: char, after: char) -> bool {
    let joined = (before == after && matches!(before, '—' | '…' | '─'))
        || (before.is_ascii_digit() && typography::is_han(after))
        || after.width() == Some(0);
    let wide = typography::is_wide(before) || typography::is_wide(after);
    wide && !joined && !no_start(after) && !no_end(before)
}

/// Marks that no line begins with (GB/T 15834 §5.1.3, JIS X 4051).
fn no_start(c: char) -> bool {
    "、。，．：；！？）》」』】〕〗〉”’…·～％‰℃ー々ゝゞヽヾ!),.:;?]}%ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ\u{3000}".contains(c)
}

/// Marks that no line ends with.
fn no_end(c: char) -> bool {
    "（《「『【〔〖〈“‘([{<￥$£€".contains(c)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "reads better in the cases")]
    fn check(text: &str, expected: Expect) {
        let mut out = String::new();
        wrap(text, "", "", &mut out);
        expected.assert_eq(&out);
    }

    #[test]
    fn no_line_begins_with_a_closing_mark_or_ends_with_an_opening_one() {
        check(
            "春天的河水漫过堤岸，孩子们在柳树下读书写字画画唱歌跳舞奔跑嬉戏打闹，老人们坐在一旁“看着”他们微笑。",
            expect![[r"
                春天的河水漫过堤岸，孩子们在柳树下读书写字画画唱歌跳舞奔跑嬉戏打闹，老人
                们坐在一旁“看着”他们微笑。
            "]],
        );
    }

    #[test]
    fn latin_breaks_at_spaces_and_a_number_stays_with_its_unit() {
        check(
            "The committee met on Tuesday and decided that the bridge over the river would be painted green.",
            expect![[r"
                The committee met on Tuesday and decided that the bridge over the river
                would be painted green.
            "]],
        );
        check(
            "这一年河上的新桥终于在众人的期待之中完工并且通过验收了那正是公元2025年7月9日上午。",
            expect![[r"
                这一年河上的新桥终于在众人的期待之中完工并且通过验收了那正是公元2025年
                7月9日上午。
            "]],
        );
    }

    #[test]
    fn an_address_stays_whole_however_long_and_its_sentence_goes_on() {
        let address = format!("https://news.example.org/{}", "x".repeat(80));
        check(
            &format!("详见{address}，谢谢。"),
            expect![[r"
                详见
                https://news.example.org/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx，
                谢谢。
            "]],
        );
    }

    #[test]
    fn a_word_without_any_place_to_break_is_cut_at_the_edge() {
        let mut out = String::new();
        wrap(&"w".repeat(100), "> ", "> ", &mut out);
        assert_eq!(out, format!("> {}\n> {}\n", "w".repeat(70), "w".repeat(30)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn nothing_is_lost_and_no_line_is_too_long(text in "[a-zà 中文，。“”（）——…0-9]{0,300}") {
            let mut out = String::new();
            wrap(&text, "", "", &mut out);
            let letters = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&out), letters(&text));
            let chinese = text.chars().any(typography::is_wide);
            for line in out.lines() {
                let columns = |c| if chinese && typography::is_shared_mark(c) { 2 } else { c.width().unwrap_or(0) };
                prop_assert!(line.chars().map(columns).sum::<usize>() <= COLUMNS, "{line}");
            }
        }
    }
}
