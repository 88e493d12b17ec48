//! A file's text before anything is tidied in it, and how that text is written back to the very bytes of the file.

use std::ops::Range;

use super::charset::{self, Charset};
use super::{Form, bundle};

/// How a text was written to its bytes. With the text it gives back the file, bit for bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coding {
    /// Its charset by its name in the WHATWG Encoding Standard, or [`BYTES`].
    pub charset: &'static str,
    /// Whether the file begins with a byte order mark.
    pub mark: bool,
    /// Where encoding the text gives other bytes than the file has, since the charset has several for one character: those
    /// of the file, verbatim. The ranges are of the encoded bytes, in order.
    verbatim: Vec<(Range<usize>, Vec<u8>)>,
}

/// The charset of what is in none, such as a letter whose parts are in several: each byte stands for the character of
/// its number.
pub const BYTES: &str = "bytes";

/// A text file as it was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its form.
    pub form: Form,
    /// BLAKE3 of its bytes in hexadecimal.
    pub hash: String,
    /// Its text, line ends and all.
    pub text: String,
    /// How that was written.
    pub coding: Coding,
}

impl Source {
    /// The text of a file of that name and content; of a zip, that of its main file. `None` where the form is no text
    /// (`.docx`, `.epub`, `.pdf`) or the file cannot be read: then only the file itself tells what was in it.
    #[must_use]
    pub fn of(file_name: &str, bytes: &[u8]) -> Option<Self> {
        let form = Form::of(file_name)?;
        let (text, coding) = match form {
            Form::Archive => {
                let main = bundle::open(bytes).ok()?;
                // A zip in a zip is no issue.
                return Self::of(&main.name, &main.bytes)
                    .filter(|_| Form::of(&main.name) != Some(Form::Archive));
            }
            Form::Page | Form::Markdown => Coding::read(bytes, false)?,
            Form::Html | Form::Xhtml => Coding::read(bytes, true)?,
            Form::Letter => Coding::read(bytes, false).unwrap_or_else(|| {
                let text = bytes.iter().copied().map(char::from).collect();
                (text, Coding { charset: BYTES, mark: false, verbatim: Vec::new() })
            }),
            Form::Docx | Form::Epub | Form::Pdf => return None,
        };
        Some(Self { form, hash: blake3::hash(bytes).to_hex().to_string(), text, coding })
    }
}

impl Coding {
    fn read(bytes: &[u8], declares: bool) -> Option<(String, Self)> {
        let (text, Charset { name, .. }) = charset::decode(bytes, declares).ok()?;
        let mark = charset::mark(name);
        let mark = !mark.is_empty() && bytes.starts_with(mark);
        let mut coding = Self { charset: name, mark, verbatim: Vec::new() };
        let encoded = coding.encode(&text);
        if encoded != bytes {
            coding.verbatim = differences(&encoded, bytes);
        }
        Some((text, coding))
    }

    /// The bytes of the file whose text this is. Of another text: those that this coding gives it.
    #[must_use]
    pub fn write(&self, text: &str) -> Vec<u8> {
        let mut bytes = self.encode(text);
        for (range, verbatim) in self.verbatim.iter().rev() {
            let (start, end) = (range.start.min(bytes.len()), range.end.min(bytes.len()));
            bytes.splice(start..end, verbatim.iter().copied());
        }
        bytes
    }

    fn encode(&self, text: &str) -> Vec<u8> {
        if self.charset == BYTES {
            return text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect();
        }
        let mark: &[u8] = if self.mark { charset::mark(self.charset) } else { b"" };
        [mark, &charset::encode(text, self.charset)].concat()
    }
}

/// The lines of `file` that `encoded` has otherwise, where both have the same lines; else the whole of it.
fn differences(encoded: &[u8], file: &[u8]) -> Vec<(Range<usize>, Vec<u8>)> {
    let lines = |bytes| -> Vec<&[u8]> { <[u8]>::split(bytes, |byte| *byte == b'\n').collect() };
    let (ours, theirs) = (lines(encoded), lines(file));
    if ours.len() != theirs.len() {
        return vec![(0..encoded.len(), file.to_vec())];
    }
    let mut at = 0;
    let mut differing = Vec::new();
    for (ours, theirs) in ours.into_iter().zip(theirs) {
        if ours != theirs {
            differing.push((at..at + ours.len(), theirs.to_vec()));
        }
        at += ours.len() + 1;
    }
    differing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(file_name: &str, bytes: &[u8], charset: &str, verbatim: usize) {
        let Source { text, coding, .. } = Source::of(file_name, bytes).expect("a text");
        assert_eq!((coding.charset, coding.verbatim.len()), (charset, verbatim), "{text:?}");
        assert_eq!(coding.write(&text), bytes, "{text:?}");
    }

    #[test]
    fn a_file_is_written_back_to_the_byte_from_every_charset() {
        let text = "桥边的灯\r\n\r\n桥边的灯亮了三十年，\n守灯的人换了三代。\r一个人，一盏灯\u{0}。";
        check("a.txt", text.as_bytes(), "UTF-8", 0);
        check("a.txt", &[b"\xEF\xBB\xBF", text.as_bytes()].concat(), "UTF-8", 0);
        check("a.txt", &[b"\xEF\xBB\xBF\xEF\xBB\xBF", text.as_bytes()].concat(), "UTF-8", 0);
        for (charset, mark) in [("UTF-16LE", &b"\xFF\xFE"[..]), ("UTF-16BE", b"\xFE\xFF")] {
            let encoded = charset::encode(text, charset);
            check("a.txt", &encoded, charset, 0);
            check("a.txt", &[mark, &encoded].concat(), charset, 0);
        }
        let printed = text.replace('\u{0}', "");
        let encoded = charset::encode(&printed, "gb18030");
        check("a.md", &encoded, "GBK", 0);
        check("a.md", &[b"\x84\x31\x95\x33", &encoded[..]].concat(), "gb18030", 0);
        check("a.eml", b"Subject: a\xFF\r\n\r\n\xE4\xBD\xA0\xFF\x81", BYTES, 0);
    }

    #[test]
    fn lines_that_a_charset_can_write_in_two_ways_are_kept_as_they_are() {
        // In Shift_JIS ∪ has two codes; the one of NEC's row 13 is not what encoding gives.
        let line = charset::encode("橋のあかりは三十年のあいだ、毎晩ともされてきました。∪", "Shift_JIS");
        let other = [&line[..line.len() - 2], b"\x87\x9B"].concat();
        let bytes = [&line[..], b"\r\n", &other[..], b"\n\n", &line[..]].concat();
        check("a.txt", &bytes, "Shift_JIS", 1);
        assert_eq!(differences(b"a\nb\nc", b"a\nB\nc"), [(2..3, b"B".to_vec())]);
        assert_eq!(differences(b"a\nb", b"ab\n\n"), [(0..3, b"ab\n\n".to_vec())]);
    }

    #[test]
    fn a_document_or_book_is_its_own_receipt() {
        for name in ["a.docx", "a.epub", "a.zip", "a.pdf"] {
            assert_eq!(Source::of(name, b"PK"), None);
        }
    }
}
