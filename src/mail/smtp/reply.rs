//! What a server says: one reply of one or several lines (RFC 5321 §4.2), with its enhanced status code (RFC 2034).

use crate::{delivery::Phase, delivery::Reply, typography};

/// No reply is longer, RFC 5321 §4.5.3.1.5 allows 512 bytes a line: whoever sends more does not speak SMTP.
const MAX_BYTES: usize = 64 * 1024;

/// How much of a reply is kept.
const MAX_CHARS: usize = 500;

/// A whole reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    /// Its code.
    pub code: u16,
    /// What stands behind the code on each line.
    pub lines: Vec<String>,
}

/// What has come is no reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Nonsense;

impl Said {
    /// Whether the server did as it was asked.
    pub(super) fn is_good(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// The same for the ledger.
    pub(super) fn in_phase(&self, phase: Phase) -> Reply {
        let status = self.lines.first().and_then(|line| status(line, self.code));
        let text = format!("{} {}", self.code, self.lines.join(" "));
        let text: String = typography::printable(text.trim_end())
            .replace(['\r', '\n', '\t'], " ")
            .chars()
            .take(MAX_CHARS)
            .collect();
        Reply { phase, code: Some(self.code), status, text }
    }
}

/// The first whole reply at the beginning of `bytes`, and its length; `None` while its end has not come.
///
/// Texts in another charset than UTF-8, as some servers in China send, lose the characters that cannot be read and nothing else.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Said, usize)>, Nonsense> {
    let mut lines = Vec::new();
    let mut first = None;
    let mut at = 0;
    while let Some(end) = bytes[at..].iter().position(|&byte| byte == b'\n') {
        let line = bytes[at..at + end].strip_suffix(b"\r").unwrap_or(&bytes[at..at + end]);
        at += end + 1;
        let code = line.get(..3).filter(|code| code.iter().all(u8::is_ascii_digit)).ok_or(Nonsense)?;
        let code = code.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
        if !(200..600).contains(&code) || *first.get_or_insert(code) != code {
            return Err(Nonsense);
        }
        lines.push(String::from_utf8_lossy(line.get(4..).unwrap_or_default()).into_owned());
        match line.get(3) {
            None | Some(b' ') => return Ok(Some((Said { code, lines }, at))),
            Some(b'-') => {}
            Some(_) => return Err(Nonsense),
        }
    }
    if bytes.len() > MAX_BYTES { Err(Nonsense) } else { Ok(None) }
}

/// The enhanced status code at the beginning of a line: three numbers, the first of which is that of the code.
fn status(line: &str, code: u16) -> Option<String> {
    let word = line.split_whitespace().next()?;
    let mut parts = word.split('.');
    let number = |part: Option<&str>| {
        part.filter(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|part| part.parse::<u16>().ok())
    };
    let class = number(parts.next())?;
    number(parts.next())?;
    number(parts.next())?;
    (parts.next().is_none() && matches!(class, 2 | 4 | 5) && code / 100 == class).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    #[track_caller]
    fn check(bytes: &[u8], expected: &Expect) {
        let shown = match parse(bytes) {
            Err(Nonsense) => "nonsense".to_owned(),
            Ok(None) => "not whole yet".to_owned(),
            Ok(Some((said, length))) => {
                let reply = said.in_phase(Phase::Rcpt);
                let status = reply.status.unwrap_or_default();
                format!("{} [{status}] `{}`, {} left", said.code, reply.text, bytes.len() - length)
            }
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn a_reply_is_read_to_its_last_line_and_no_further() {
        check(b"250 ok\r\n", &expect!["250 [] `250 ok`, 0 left"]);
        check(b"250-a\r\n250-b\r\n250 c\r\n354 go", &expect!["250 [] `250 a b c`, 6 left"]);
        check(b"250-a\r\n250", &expect!["not whole yet"]);
        check(b"", &expect!["not whole yet"]);
        check(b"354\r\n", &expect!["354 [] `354`, 0 left"]);
        check(b"250 ok\n", &expect!["250 [] `250 ok`, 0 left"]);
    }

    #[test]
    fn the_enhanced_code_is_known_where_it_agrees_with_the_code() {
        check(b"550 5.1.1 no such user\r\n", &expect!["550 [5.1.1] `550 5.1.1 no such user`, 0 left"]);
        check(
            b"550-5.7.26 first\r\n550 5.7.26 more\r\n",
            &expect!["550 [5.7.26] `550 5.7.26 first 5.7.26 more`, 0 left"],
        );
        check(b"550 4.1.1 which?\r\n", &expect!["550 [] `550 4.1.1 which?`, 0 left"]);
        check(b"550 10.0.0.1 is listed\r\n", &expect!["550 [] `550 10.0.0.1 is listed`, 0 left"]);
    }

    #[test]
    fn what_is_no_reply_is_not_taken_for_one() {
        check(b"HTTP/1.1 400 Bad Request\r\n", &expect!["nonsense"]);
        check(b"250-a\r\n550 b\r\n", &expect!["nonsense"]);
        check(b"999 x\r\n", &expect!["nonsense"]);
        check(b"\r\n", &expect!["nonsense"]);
        check(&vec![b'x'; MAX_BYTES + 1], &expect!["nonsense"]);
        check(b"550 \xd3\xca\xcf\xe4\x07 full\r\n", &expect!["550 [] `550 ���� full`, 0 left"]);
    }
}
