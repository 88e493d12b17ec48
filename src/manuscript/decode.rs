//! Bytes to text: from any charset that editors save, line feeds only, nothing that no edition could print.

use std::collections::BTreeMap;
use std::fmt;

use crate::typography;

use super::charset::{self, Charset};
use super::{MAX_BYTES, Unreadable};

/// A decoded text: printable characters, tabs and line feeds.
#[derive(Debug, Clone)]
pub(super) struct Decoded {
    pub(super) text: String,
    pub(super) charset: Charset,
    /// What was left out, by character.
    pub(super) removed: Vec<Removed>,
}

/// A character that no edition can carry, and how often it was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Removed {
    character: char,
    count: usize,
    /// The line where it stood first, counted from 1.
    pub(super) line: usize,
}

impl fmt::Display for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "U+{:04X} × {}", u32::from(self.character), self.count)
    }
}

/// Decodes a manuscript. A carriage return, with or without a line feed, ends a line, and so do the form feed,
/// the vertical tab and the line and paragraph separators of Unicode. `declares` says whether the text may name its
/// own charset, as HTML does.
pub(super) fn decode(bytes: &[u8], declares: bool) -> Result<Decoded, Unreadable> {
    if bytes.len() > MAX_BYTES {
        return Err(Unreadable::TooLarge { bytes: bytes.len(), most: MAX_BYTES });
    }
    let (source, charset) = charset::decode(bytes, declares)?;
    let text = tidy(&source, charset);
    if text.text.trim().is_empty() {
        return Err(Unreadable::Empty);
    }
    Ok(text)
}

/// A text that its form has decoded already, such as a part of a letter.
pub(super) fn tidy(source: &str, charset: Charset) -> Decoded {
    let mut text = String::with_capacity(source.len());
    let mut removed: BTreeMap<char, Removed> = BTreeMap::new();
    let mut line = 1;
    let mut characters = source.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{2028}' | '\u{2029}' => {
                line += 1;
                text.push('\n');
            }
            c if typography::is_printable(c) => text.push(c),
            c => removed.entry(c).or_insert(Removed { character: c, count: 0, line }).count += 1,
        }
    }
    Decoded { text, charset, removed: removed.into_values().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        let found = match decode(bytes, false) {
            Ok(text) => {
                let removed: Vec<_> =
                    text.removed.iter().map(|r| format!("{r} from line {}", r.line)).collect();
                format!("{:?} {}", text.text, removed.join(", ")).trim().to_owned()
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn every_way_to_end_a_line_ends_one() {
        check(b"\xEF\xBB\xBFa\r\nb\rc\nd\x0Ce", r#""a\nb\nc\nd\ne""#);
    }

    #[test]
    fn what_no_edition_can_carry_is_left_out_and_counted() {
        check(b"a\x08b\nc\x08\x00d\tx", r#""ab\ncd\tx" U+0000 × 1 from line 2, U+0008 × 2 from line 1"#);
    }

    #[test]
    fn a_file_that_cannot_be_read_says_what_to_do() {
        check(
            "好\n中".as_bytes().split_last().expect("not empty").1,
            "the text ends in the middle of a character; copy or save the whole file again",
        );
        check(
            b"ab\nc\x01\xFFd",
            "the text cannot be decoded at line 2, column 2; save it again with the encoding UTF-8",
        );
        check(b" \n\n\x00", "the file holds no text; save it again with its text");
        check(b"", "the file holds no text; save it again with its text");
        check(
            &vec![b'a'; MAX_BYTES + 1],
            "the file has 20000001 bytes, and at most 20000000 are read; split it into several issues",
        );
    }
}
