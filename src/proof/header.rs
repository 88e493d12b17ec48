//! The front matter of a proof, both ways: the small part of YAML that we write, and what an editor makes of it.
//!
//! Every value is read as it is written: `2026.10` is no number, `no` is a word.

use std::fmt::Write as _;

use super::{Query, plain, plain::OPEN, read::Problem};
use crate::typography;

/// A value of the front matter, with the line it begins on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    List(Vec<String>),
    Map(Vec<(String, String)>),
}

/// What a front matter holds.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) values: Vec<(usize, String, Value)>,
    /// The marks in its comments.
    pub(super) marks: Vec<(usize, Query)>,
}

/// A text as a value: bare where nothing in it means anything to YAML.
pub(super) fn scalar(text: &str) -> String {
    let bare = |c: char| {
        typography::is_printable(c)
            && (c.is_alphanumeric()
                || matches!(c, ' ' | '-' | '_' | '/' | '.' | '@' | '(' | ')' | '·' | '、' | '，' | '。')
                || ('\u{3001}'..='\u{3011}').contains(&c))
    };
    if text.starts_with(char::is_alphanumeric)
        && !text.ends_with(char::is_whitespace)
        && text.chars().all(bare)
    {
        return text.to_owned();
    }
    let mut out = "\"".to_owned();
    let mut before = ' ';
    for c in text.chars() {
        // Writing to a string cannot fail.
        let _ = match c {
            '"' | '\\' => write!(out, "\\{c}"),
            '\n' => write!(out, "\\n"),
            '\t' => write!(out, "\\t"),
            // Not to be taken for a mark, or for a comment, by a simple tool.
            '?' if before == '{' => write!(out, "\\x3F"),
            _ if !typography::is_printable(c) || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}') => {
                write!(out, "\\U{:08X}", u32::from(c))
            }
            _ => write!(out, "{c}"),
        };
        before = c;
    }
    out.push('"');
    out
}

/// Reads the lines between the two `---`; `first` is the number of the first of them.
pub(super) fn read(lines: &[&str], first: usize, problems: &mut Vec<Problem>) -> Header {
    let mut header = Header::default();
    for (number, line) in (first..).zip(lines) {
        let indented = line.starts_with([' ', '\t', '-']);
        let line = line.trim();
        let read = if line.is_empty() || line.starts_with('#') {
            take_marks(line, &mut header.marks);
            Ok(())
        } else if indented {
            below(line, &mut header)
        } else {
            entry(line, number, &mut header)
        };
        if let Err(problem) = read {
            problems.push(Problem { line: number, text: problem });
        }
    }
    header
}

fn entry(line: &str, number: usize, header: &mut Header) -> Result<(), String> {
    let (key, rest) = key(line)?;
    let value = if let Some(list) = rest.strip_prefix('[') {
        let (list, comment) = flow(list)?;
        take_marks(comment, &mut header.marks);
        Value::List(list)
    } else {
        let (text, comment) = value(rest)?;
        take_marks(comment, &mut header.marks);
        Value::Text(text)
    };
    if header.values.iter().any(|(_, known, _)| *known == key) {
        return Err(format!("`{key}` stands here twice; delete one of them"));
    }
    header.values.push((number, key, value));
    Ok(())
}

/// A line that belongs to the key above it: `- item` or `key: value`.
fn below(line: &str, header: &mut Header) -> Result<(), String> {
    let Some((_, name, above)) = header.values.last_mut() else {
        return Err("this line is indented, and no key stands above it".to_owned());
    };
    let empty = matches!(above, Value::Text(text) if text.is_empty());
    let comment = if let Some(item) = line.strip_prefix("- ").or((line == "-").then_some("")) {
        let (item, comment) = value(item.trim())?;
        match above {
            Value::List(list) => list.push(item),
            _ if empty => *above = Value::List(vec![item]),
            _ => return Err(format!("`{name}` has a value on its own line and a list below it")),
        }
        comment
    } else {
        let (key, rest) = key(line)?;
        let (text, comment) = value(rest)?;
        match above {
            Value::Map(map) => map.push((key, text)),
            _ if empty => *above = Value::Map(vec![(key, text)]),
            _ => return Err(format!("`{name}` has a value on its own line and more below it")),
        }
        comment
    };
    take_marks(comment, &mut header.marks);
    Ok(())
}

fn key(line: &str) -> Result<(String, &str), String> {
    let wrong = || "this is no `key: value`; a value stands on one line with its key".to_owned();
    if line.starts_with('"') {
        let (key, rest) = quoted(line)?;
        return Ok((key, rest.trim_start().strip_prefix(':').ok_or_else(wrong)?.trim()));
    }
    let (key, rest) = line.split_once([':', '：']).ok_or_else(wrong)?;
    Ok((key.trim().to_owned(), rest.trim()))
}

/// A value and the comment behind it.
fn value(text: &str) -> Result<(String, &str), String> {
    if text.starts_with(['|', '>']) {
        return Err("write the value on the same line as its key".to_owned());
    }
    if text.starts_with(['"', '\'']) {
        let (value, rest) = quoted(text)?;
        let rest = rest.trim();
        if !rest.is_empty() && !rest.starts_with('#') {
            return Err(format!("there is more behind the closing quotation mark: `{rest}`"));
        }
        return Ok((value, rest));
    }
    if text.starts_with('#') {
        return Ok((String::new(), text));
    }
    let (value, comment) = match text.find(" #") {
        Some(at) => (&text[..at], &text[at..]),
        None => (text, ""),
    };
    Ok((value.trim().to_owned(), comment))
}

/// The items of `a, b]` and what follows.
fn flow(mut rest: &str) -> Result<(Vec<String>, &str), String> {
    let mut list = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix(']') {
            return Ok((list, after));
        }
        if rest.starts_with(['"', '\'']) {
            let (item, after) = quoted(rest)?;
            list.push(item);
            rest = after;
        } else {
            let end = rest.find([',', ']']).ok_or("a list that begins with `[` ends with `]`")?;
            list.push(rest[..end].trim().to_owned());
            rest = &rest[end..];
        }
        rest = rest.trim_start();
        rest = match rest.strip_prefix(',') {
            Some(after) => after,
            None if rest.starts_with(']') => rest,
            None => return Err("the items of a list are parted by commas and end with `]`".to_owned()),
        };
    }
}

/// A value in quotation marks and what follows.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mark = text.chars().next().unwrap_or('"');
    let mut out = String::new();
    let mut rest = &text[1..];
    loop {
        let c = rest.chars().next().ok_or("a quotation mark is not closed on this line")?;
        rest = &rest[c.len_utf8()..];
        if c == mark {
            match rest.strip_prefix('\'') {
                Some(after) if mark == '\'' => {
                    out.push('\'');
                    rest = after;
                    continue;
                }
                _ => return Ok((out, rest)),
            }
        }
        if c != '\\' || mark == '\'' {
            out.push(c);
            continue;
        }
        let escape = rest.chars().next().ok_or("a quotation mark is not closed on this line")?;
        rest = &rest[escape.len_utf8()..];
        let digits = match escape {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        if digits > 0 {
            let (number, after) = rest.split_at_checked(digits).ok_or("a character's number is cut")?;
            let number = u32::from_str_radix(number, 16).ok().and_then(char::from_u32);
            out.push(number.ok_or("there is no character of that number")?);
            rest = after;
        } else {
            out.push(match escape {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                '0' => '\0',
                other => other,
            });
        }
    }
}

/// The marks in a comment. What is no whole mark there is a comment's own business.
fn take_marks(comment: &str, marks: &mut Vec<(usize, Query)>) {
    let mut rest = comment;
    while let Some(at) = rest.find(OPEN) {
        let mut ignored = Vec::new();
        let after = plain::take_mark(&rest[at..], &mut String::new(), marks, &mut ignored);
        rest = after;
    }
}
