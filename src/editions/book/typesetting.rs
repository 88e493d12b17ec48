//! Sets lines on a cover: what can be set of a text, where it may be broken, and how large it fits.

use serde::Serialize;
use unicode_normalization::UnicodeNormalization as _;

use super::faces::{self, Style};
use crate::{issue::shorten, typography};

/// What printers set in the place of a sort that the case lacks.
const GETA: char = '〓';

/// The most characters of a text that are looked at; no cover has room for more.
const MOST: usize = 400;

/// Marks that may not begin a line.
const NOT_FIRST: &str = "、。，．！？；：）］｝〉》」』】〕〗”’…—～·・ー々%,.!?;:)]}»›％";
/// Marks after which a speaker takes breath.
const PAUSES: &str = "，。；：！？、”》」』）,;:.!?—";
/// Marks that may not end a line.
const NOT_LAST: &str = "（［｛〈《「『【〔〖“‘([{«‹#＃$￥£€";

/// A text as lines of one size.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Setting {
    /// The face that it begins with.
    pub style: Style,
    /// The size in pixels.
    pub size: f32,
    /// The lines; none is wider than what was asked for.
    pub lines: Vec<String>,
}

/// `text` as the faces can set it, on one line; `None` when nothing of it could be seen.
///
/// Pictographs and marks without a width are left out, for the title page has them. A single character that no face has
/// becomes a geta mark (〓), as in a printer's proof. A text whose script is not in the case is spelt in Latin letters.
pub(super) fn settable(text: &str) -> Option<String> {
    let text: String = text.nfc().filter(|&c| !is_left_out(c)).take(MOST + 1).collect();
    let text = shorten(text.trim(), MOST);
    let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
    let missing =
        text.chars().filter(|&c| c.is_alphanumeric() && faces::width(c, Style::Wide).is_none()).count();
    let text =
        if missing * 3 > letters { deunicode::deunicode(&text).replace(['`', '\''], "") } else { text };
    let set = |c: char| match c {
        c if c.is_whitespace() => Some(if c == '\u{3000}' { c } else { ' ' }),
        c if faces::width(c, Style::Wide).is_some() => Some(c),
        c if c.is_alphanumeric() => Some(GETA),
        _ => None,
    };
    let text: String = text.chars().filter_map(set).collect();
    let text = text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    text.chars().any(|c| !c.is_whitespace()).then_some(text)
}

fn is_left_out(c: char) -> bool {
    let unseen = matches!(c, '\u{AD}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FFF0}'..='\u{FFFD}' | '\u{E0000}'..='\u{E0FFF}');
    let pictograph = matches!(c, '\u{2600}'..='\u{27BF}' | '\u{1F000}'..='\u{1FAFF}' | '\u{20E3}');
    let private = matches!(c, '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}');
    unseen
        || private
        || !typography::is_printable(c)
        || (pictograph && faces::width(c, Style::Wide).is_none())
}

/// `text` in at most `most` lines no wider than `room`, as large as can be between `largest` and `smallest`; what does not fit
/// at the smallest size ends with `…`. Lines come out about equally long.
pub(super) fn fit(text: &str, room: f32, most: usize, largest: f32, smallest: f32) -> Setting {
    let style = Style::of(text);
    let ruler = Ruler(style);
    let mut size = largest;
    loop {
        let ems = room / size;
        let lines = ruler.broken(text, ems);
        let last = size <= smallest;
        if lines.len() <= most && (last || !ruler.splits_words(text, ems)) {
            return Setting { style, size, lines: ruler.balanced(text, ems, lines) };
        }
        if last {
            return Setting { style, size, lines: ruler.cut(lines, most, ems) };
        }
        size = (size * 0.93).max(smallest);
    }
}

/// Measures text in ems.
struct Ruler(Style);

impl Ruler {
    fn width(&self, text: &str) -> f32 {
        text.chars().map(|c| self.width_of(c)).sum()
    }

    fn width_of(&self, c: char) -> f32 {
        faces::width(c, self.0).unwrap_or(0.0)
    }

    /// Whether a word of `text` is too long for a line of its own.
    fn splits_words(&self, text: &str, ems: f32) -> bool {
        pieces(text).iter().any(|piece| self.width(piece.trim_end()) > ems)
    }

    /// The lines of the least width that gives as many of them.
    fn balanced(&self, text: &str, ems: f32, lines: Vec<String>) -> Vec<String> {
        if lines.len() < 2 {
            return lines;
        }
        if lines.len() == 2
            && let Some(lines) = self.at_a_pause(text, ems)
        {
            return lines;
        }
        let (mut low, mut high) = (ems * 0.4, ems);
        let mut best = lines;
        for _ in 0..7 {
            let middle = f32::midpoint(low, high);
            let tried = self.broken(text, middle);
            if tried.len() <= best.len() && !self.splits_words(text, middle) {
                (best, high) = (tried, middle);
            } else {
                low = middle;
            }
        }
        best
    }

    /// Two lines that part where the sentence does, when neither is much shorter than the other.
    fn at_a_pause(&self, text: &str, ems: f32) -> Option<Vec<String>> {
        let pauses = |line: &str| line.trim_end().ends_with(|c: char| PAUSES.contains(c));
        let mut at = 0;
        let mut found: Option<(f32, usize)> = None;
        for piece in pieces(text) {
            at += piece.len();
            let (first, second) = (self.width(text[..at].trim_end()), self.width(&text[at..]));
            let (short, long) = (first.min(second), first.max(second));
            let fits = long <= ems && short >= long * 0.4;
            if fits && pauses(&text[..at]) && found.is_none_or(|(least, _)| long < least) {
                found = Some((long, at));
            }
        }
        let (_, at) = found?;
        Some(vec![text[..at].trim_end().to_owned(), text[at..].to_owned()])
    }

    /// The first `most` lines, with a sign that there is more.
    fn cut(&self, mut lines: Vec<String>, most: usize, ems: f32) -> Vec<String> {
        lines.truncate(most.max(1));
        if let Some(last) = lines.last_mut() {
            while !last.is_empty() && self.width(last) + 1.0 > ems {
                last.pop();
            }
            let hangs = |c: char| c.is_whitespace() || NOT_LAST.contains(c) || "，、。；：,;:.".contains(c);
            *last = format!("{}…", last.trim_end_matches(hangs).trim_end_matches('…'));
        }
        lines
    }

    /// The lines of `text` when each is filled.
    fn broken(&self, text: &str, ems: f32) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = String::new();
        let mut used = 0.0;
        for piece in pieces(text) {
            let wide = self.width(piece.trim_end());
            let parts = if wide > ems { single(piece) } else { vec![piece] };
            for part in parts {
                if used + self.width(part.trim_end()) > ems && !line.is_empty() {
                    lines.push(std::mem::take(&mut line).trim_end().to_owned());
                    used = 0.0;
                }
                line.push_str(part);
                used += self.width(part);
            }
        }
        if !line.trim().is_empty() {
            lines.push(line.trim_end().to_owned());
        }
        lines
    }
}

/// Each character by itself.
fn single(text: &str) -> Vec<&str> {
    text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()]).collect()
}

/// `text` cut wherever a line may end: after spaces and hyphens, and between the characters of scripts that have no spaces.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut from = 0;
    let mut characters = text.char_indices().peekable();
    while let Some((_, c)) = characters.next() {
        let Some(&(at, next)) = characters.peek() else { break };
        if may_end(c, next) {
            pieces.push(&text[from..at]);
            from = at;
        }
    }
    pieces.push(&text[from..]);
    pieces
}

fn may_end(c: char, next: char) -> bool {
    if next.is_whitespace() || NOT_FIRST.contains(next) || NOT_LAST.contains(c) {
        return false;
    }
    c.is_whitespace() || c == '-' || typography::is_wide(c) || typography::is_wide(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, most: usize, expected: &[&str]) {
        let setting = fit(text, 1000.0, most, 100.0, 80.0);
        assert_eq!(setting.lines, expected, "at {}", setting.size);
        for line in &setting.lines {
            assert!(Ruler(setting.style).width(line) * setting.size <= 1000.1, "`{line}` is too wide");
        }
    }

    #[test]
    fn a_title_is_broken_where_people_would_break_it() {
        check("石桥修好了", 2, &["石桥修好了"]);
        check("河水为什么是绿的，读者问，我们去问了", 2, &["河水为什么是绿的，", "读者问，我们去问了"]);
        check("What the ink remembers about us", 3, &["What the ink", "remembers", "about us"]);
        check("他说：“桥会自己找到力气。”于是桥找到了", 2, &["他说：“桥会自己找到", "力气。”于是桥找到了"]);
    }

    #[test]
    fn what_does_not_fit_ends_with_an_ellipsis() {
        let long = "很长的标题".repeat(2000);
        let setting = fit(&settable(&long).expect("a title"), 1000.0, 3, 100.0, 50.0);
        assert_eq!((setting.lines.len(), setting.size.total_cmp(&50.0)), (3, std::cmp::Ordering::Equal));
        assert!(setting.lines[2].ends_with('…'));
        let word = "x".repeat(10_000);
        let setting = fit(&settable(&word).expect("a title"), 1000.0, 3, 100.0, 50.0);
        assert!(setting.lines.iter().all(|line| Ruler(setting.style).width(line) * setting.size <= 1000.1));
    }

    #[track_caller]
    fn check_settable(text: &str, expected: Option<&str>) {
        assert_eq!(settable(text).as_deref(), expected, "{text:?}");
    }

    #[test]
    fn nothing_becomes_a_box() {
        check_settable("  桥 \u{0}\u{8}与\t灯 ", Some("桥 与 灯"));
        check_settable("Launch 🚀 day", Some("Launch day"));
        check_settable("中华㸚人民", Some("中华〓人民"));
        check_settable("გაზეთი", Some("gazeti"));
        check_settable("\u{E000}\u{200B}", None);
        check_settable("", None);
    }
}
