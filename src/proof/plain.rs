//! Plain text within a proof: what is escaped so that it is never taken for a mark, and the marks of doubt themselves.

use std::fmt::Write as _;

use super::{Doubt, Query};
use crate::typography;

/// How a mark of doubt begins.
pub(super) const OPEN: &str = "{?";

/// What stands behind a headline that the reader made from the first words.
pub(super) const MADE_UP: &str = "{made up}";

/// Whether `c` at an edge, or anywhere in a line, would not survive an editor's program or the end of the line.
fn is_fragile(c: char, at_edge: bool) -> bool {
    !typography::is_printable(c)
        || matches!(c, '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}')
        || (at_edge && c.is_whitespace())
}

/// Writes `c` so that it survives, if it would not; says whether it did.
pub(super) fn push_fragile(c: char, at_edge: bool, out: &mut String) -> bool {
    if is_fragile(c, at_edge) {
        // Writing to a string cannot fail.
        let _ = write!(out, "&#{};", u32::from(c));
        return true;
    }
    false
}

/// A character written as `&#NUMBER;` at the start of `text`, and the length of that.
pub(super) fn numbered(text: &str) -> Option<(char, usize)> {
    let digits = text.strip_prefix("&#")?;
    let end = digits.bytes().take(8).position(|byte| byte == b';').filter(|end| *end > 0)?;
    let number = digits[..end].bytes().all(|b| b.is_ascii_digit()).then(|| digits[..end].parse().ok())??;
    Some((char::from_u32(number)?, end + 3))
}

/// Whether what follows an ampersand makes a character's name of it, here or in another reader of Markdown.
pub(super) fn is_entity(after: &str) -> bool {
    let name = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
    after.starts_with('#') || (name.len() < after.len() && name.starts_with(';'))
}

/// Whether a backslash before `next` escapes it.
pub(super) fn is_escapable(next: Option<char>) -> bool {
    next.is_some_and(|c| c.is_ascii_punctuation())
}

/// The text of a field or a headline on one line, as [`read()`] gives it back.
pub(super) fn escape(text: &str, also: &[char]) -> String {
    let mut out = String::new();
    let last = text.char_indices().next_back().map_or(0, |(at, _)| at);
    for (at, c) in text.char_indices() {
        if push_fragile(c, at == 0 || at == last, &mut out) {
            continue;
        }
        let rest = &text[at + c.len_utf8()..];
        let next = rest.chars().next();
        let escaped = match c {
            '\\' => !next.is_some_and(char::is_alphanumeric),
            '{' => next.is_none() || next == Some('?') || rest.starts_with(&MADE_UP[1..]),
            '&' => is_entity(rest),
            _ => false,
        };
        if escaped || also.contains(&c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// What a plain line holds.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Its text without marks.
    pub(super) text: String,
    /// The marks in it.
    pub(super) marks: Vec<(usize, Query)>,
    /// Whether it says of itself that the reader made it up.
    pub(super) made_up: bool,
    /// What is wrong with it.
    pub(super) problems: Vec<String>,
}

/// Reads a plain line: everything is text but escapes, marks and [`MADE_UP`].
pub(super) fn read(line: &str) -> Line {
    let mut read = Line::default();
    let mut rest = line.trim_matches([' ', '\t']);
    while let Some(c) = rest.chars().next() {
        if let Some((c, length)) = numbered(rest) {
            read.text.push(c);
            rest = &rest[length..];
        } else if c == '\\' && is_escapable(rest[1..].chars().next()) {
            read.text.push_str(&rest[1..2]);
            rest = &rest[2..];
        } else if rest.starts_with(OPEN) {
            rest = take_mark(rest, &mut read.text, &mut read.marks, &mut read.problems);
        } else if let Some(after) = rest.strip_prefix(MADE_UP) {
            read.made_up = true;
            rest = close_gap(&mut read.text, after);
        } else {
            read.text.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    read
}

/// Takes the mark that `rest` begins with, or says what is wrong with it. Gives what follows.
pub(super) fn take_mark<'t>(
    rest: &'t str,
    before: &mut String,
    marks: &mut Vec<(usize, Query)>,
    problems: &mut Vec<String>,
) -> &'t str {
    match mark(rest) {
        Some((Ok(mark), length)) => {
            marks.push(mark);
            close_gap(before, &rest[length..])
        }
        Some((Err(problem), length)) => {
            problems.push(problem);
            &rest[length..]
        }
        None => {
            problems.push(
                "a mark begins with `{?` and has no `}`; delete the rest of it, or write `\\{?`".to_owned(),
            );
            ""
        }
    }
}

/// Takes away the space that stood between a text and a mark that is gone.
fn close_gap<'t>(before: &mut String, after: &'t str) -> &'t str {
    if before.ends_with(' ') {
        before.pop();
        return after;
    }
    after.strip_prefix(' ').unwrap_or(after)
}

/// A query as a mark: `{? cut-tail #3: ends without a stop (line 12)}`.
pub(super) fn write_mark(id: usize, query: &Query) -> String {
    let mut text = escape(&query.text, &['{', '}']);
    if text.ends_with(')') {
        text.insert(text.len() - 1, '\\');
    }
    let place = query.line.map_or(String::new(), |line| format!(" (line {line})"));
    format!("{OPEN} {} #{id}: {text}{place}}}", query.code.as_str())
}

pub(super) type Mark = Result<(usize, Query), String>;

/// The mark that `text` begins with, and its length; `None` when it has no end.
pub(super) fn mark(text: &str) -> Option<(Mark, usize)> {
    let mut escaped = false;
    let end = text.char_indices().skip(2).find_map(|(at, c)| {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == '}' {
            return Some(at);
        }
        None
    })?;
    let inside = text[2..end].trim();
    let parsed = inside.split_once(" #").and_then(|(code, rest)| {
        let code = Doubt::parse(code.trim())?;
        let (id, words) = rest.split_once(':')?;
        let (words, line) = placed(words.trim());
        Some((id.trim().parse().ok()?, Query { code, line, text: unescape(words) }))
    });
    let said = || format!("`{{? {inside}}}` is no mark of ours; delete it, or write `\\{{?` for the text");
    Some((parsed.ok_or_else(said), end + 1))
}

/// The words of a mark without their `(line N)`, and that line.
fn placed(words: &str) -> (&str, Option<usize>) {
    let found = words.strip_suffix(')').and_then(|words| {
        let (words, line) = words.rsplit_once("(line ")?;
        Some((words.strip_suffix(' ').unwrap_or(words), line.parse().ok()?))
    });
    found.map_or((words, None), |(words, line)| (words, Some(line)))
}

/// A text without its escapes.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some((c, length)) = numbered(rest) {
            out.push(c);
            rest = &rest[length..];
        } else if c == '\\' && is_escapable(rest[1..].chars().next()) {
            out.push_str(&rest[1..2]);
            rest = &rest[2..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}
