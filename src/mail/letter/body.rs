//! Texts and files as the wire takes them: in ASCII, no line over 76 bytes where it is encoded, no line that begins with a dot.

use super::mould::{Mould, Own, Slot};

/// The longest line of a text that goes out as it is: RFC 5322 §2.1.1 allows 998, and its slots are not filled yet.
const LONGEST_LINE: usize = 700;

/// How a text is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// As it is.
    Plain,
    /// Quoted-printable (RFC 2045 §6.7), for texts mostly in Latin letters.
    Quoted,
    /// Base64 (RFC 2045 §6.8).
    Base64,
}

impl Coding {
    /// The word in the header.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "7bit",
            Self::Quoted => "quoted-printable",
            Self::Base64 => "base64",
        }
    }
}

/// Where an address of a reader's own belongs in a text.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// What stands there.
    pub(super) mark: &'static str,
    /// The address without its last part.
    pub(super) prefix: String,
    /// Its last part.
    pub(super) own: Own,
}

/// A text in the coding that suits it best, with a slot where the mark of a place stands, behind its prefix. It ends with a line end.
pub(super) fn text(text: &str, places: &[Place]) -> (Coding, Mould) {
    // No text that we print has a carriage return, but that of somebody else's template may.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let (pieces, places) = cut(&text, places);
    let coding = coding(&pieces);
    let mould = match coding {
        Coding::Plain => plain(&pieces, &places),
        Coding::Quoted => quoted(&pieces, &places),
        Coding::Base64 => base64(&pieces, &places),
    };
    (coding, mould)
}

/// The pieces of a text and the places between them, one less.
fn cut<'t, 'p>(text: &'t str, places: &'p [Place]) -> (Vec<&'t str>, Vec<&'p Place>) {
    let (mut pieces, mut between) = (Vec::new(), Vec::new());
    let mut rest = text;
    let next = |rest: &str| {
        let found = places.iter().filter_map(|place| Some((rest.find(place.mark)?, place)));
        found.min_by_key(|(at, _)| *at)
    };
    while let Some((at, place)) = next(rest) {
        pieces.push(&rest[..at]);
        between.push(place);
        rest = &rest[at + place.mark.len()..];
    }
    pieces.push(rest);
    (pieces, between)
}

fn coding(pieces: &[&str]) -> Coding {
    // A place counts as one character, as long as its line has room for an address.
    let text = pieces.join("|");
    let plain = |line: &str| {
        line.len() <= LONGEST_LINE
            && line.bytes().all(|byte| matches!(byte, b' '..=b'~'))
            && !line.starts_with('.')
            && !line.starts_with("From ")
            && !line.ends_with(' ')
    };
    if text.lines().all(plain) {
        return Coding::Plain;
    }
    // Three for each byte that is not ASCII, against four for each three bytes.
    let foreign = text.bytes().filter(|byte| !byte.is_ascii()).count();
    if foreign * 6 < text.len() || !pieces.windows(2).all(|pair| has_room(pair[0], pair[1])) {
        Coding::Quoted
    } else {
        Coding::Base64
    }
}

/// Whether spaces may stand around a slot without being seen.
fn has_room(before: &str, after: &str) -> bool {
    let white = |c: char| c.is_ascii_whitespace();
    let quoted = before.ends_with("=\"") && after.starts_with('"');
    (quoted && attribute(before).is_some())
        || ((before.is_empty() || before.ends_with(white) || before.ends_with('>'))
            && (after.is_empty() || after.starts_with(white) || after.starts_with('<')))
}

/// Where the name of the attribute begins that `html` ends with: ` href="`.
fn attribute(html: &str) -> Option<usize> {
    let name = html.strip_suffix("=\"")?;
    let at = name.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '-').len();
    html[..at].ends_with([' ', '\n']).then_some(at)
}

fn plain(pieces: &[&str], places: &[&Place]) -> Mould {
    let mut mould = Mould::default();
    for (nth, piece) in pieces.iter().enumerate() {
        if let Some(place) = nth.checked_sub(1).and_then(|nth| places.get(nth)) {
            mould.push(&place.prefix);
            mould.slot(Slot::Own(place.own));
        }
        mould.push(piece.replace('\n', "\r\n"));
    }
    if !pieces.last().is_some_and(|last| last.ends_with('\n')) {
        mould.push("\r\n");
    }
    mould
}

fn quoted(pieces: &[&str], places: &[&Place]) -> Mould {
    let mut mould = Mould::default();
    for (nth, piece) in pieces.iter().enumerate() {
        if nth > 0 && !piece.starts_with('\n') {
            mould.push("=\r\n");
        }
        if let Some(place) = places.get(nth) {
            // The last part of the address on a line of its own, whatever its length.
            mould.push(quoted_printable(&format!("{piece}{}", place.prefix)));
            mould.push("=\r\n");
            mould.slot(Slot::Own(place.own));
        } else {
            mould.push(quoted_printable(piece));
        }
    }
    if !pieces.last().is_some_and(|last| last.ends_with('\n')) {
        mould.push("\r\n");
    }
    mould
}

/// A text in quoted-printable, the last line without its end; a lone dot or `From ` begins none.
fn quoted_printable(text: &str) -> Vec<u8> {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = Vec::with_capacity(text.len() * 5 / 4);
    let mut width = 0;
    let bytes = text.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        if byte == b'\n' {
            out.extend_from_slice(b"\r\n");
            width = 0;
            continue;
        }
        let ends = matches!(bytes.get(at + 1), None | Some(b'\n'));
        let literal = match byte {
            b' ' | b'\t' => !ends,
            b'.' | b'F' => width > 0,
            b'!'..=b'<' | b'>'..=b'~' => true,
            _ => false,
        };
        let wide = if literal { 1 } else { 3 };
        // One column is for the sign that the line goes on.
        if width + wide > 75 {
            out.extend_from_slice(b"=\r\n");
            width = 0;
        }
        if literal && !(width == 0 && matches!(byte, b'.' | b'F')) {
            out.push(byte);
            width += 1;
        } else {
            out.extend_from_slice(&[b'=', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            width += 3;
        }
    }
    out
}

fn base64(pieces: &[&str], places: &[&Place]) -> Mould {
    let mut mould = Mould::default();
    let mut mark: Option<u8> = None;
    for (nth, piece) in pieces.iter().enumerate() {
        let mut text =
            piece.strip_prefix('"').filter(|_| mark.is_some()).unwrap_or(piece).replace('\n', "\r\n");
        let place = places.get(nth);
        if let Some(Place { prefix, .. }) = place {
            // Spaces before the attribute, or else before the address, up to whole groups of three bytes.
            let at = attribute(&text).unwrap_or(text.len());
            let length = text.len() + prefix.len();
            text.insert_str(at, &"  "[..length.next_multiple_of(3) - length]);
            mark = text.ends_with("=\"").then_some(b'"');
            text.push_str(prefix);
        }
        let mut lines = Vec::with_capacity(text.len() * 7 / 5);
        base64_lines(text.as_bytes(), &mut lines);
        mould.push(lines);
        if let Some(place) = place {
            mould.slot(Slot::OwnInBase64(place.own, mark));
        }
    }
    mould
}

/// Adds bytes in Base64, in lines of 76 characters and each with its end.
pub(super) fn base64_lines(bytes: &[u8], out: &mut Vec<u8>) {
    for line in bytes.chunks(57) {
        push_base64(line, out);
        out.extend_from_slice(b"\r\n");
    }
}

/// Adds bytes in Base64, on one line.
pub(in crate::mail) fn push_base64(bytes: &[u8], out: &mut Vec<u8>) {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for group in bytes.chunks(3) {
        let byte = |n: usize| u32::from(group.get(n).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let sign = |shift: u32| SIGNS[(bits >> shift & 63) as usize];
        let signs = [sign(18), sign(12), sign(6), sign(0)];
        let n_signs = group.len() + 1;
        out.extend_from_slice(&signs[..n_signs]);
        out.extend_from_slice(&b"=="[..4 - n_signs]);
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    use proptest::prelude::*;

    use super::*;
    use crate::{
        editions::LEAVE, editions::PREFERENCES, mail::letter::mould::Reader, subscriber::Address,
        subscriber::LeaveKey, subscriber::SubscriberId,
    };

    fn places() -> Vec<Place> {
        let place = |mark, path: &str, own| {
            let prefix = format!("https://news.example.org/{path}/");
            Place { mark, prefix, own }
        };
        vec![place(LEAVE, "leave", Own::Leave), place(PREFERENCES, "preferences", Own::Preferences)]
    }

    /// What a mail program makes of a text for subscriber `id`, and how it was encoded.
    fn read(written: &str, id: i64) -> (Coding, String) {
        let (coding, mould) = text(written, &places());
        let address = Address::parse("li@example.org").expect("an address");
        let key = LeaveKey::new([7; 32]);
        let mut wire = Vec::new();
        mould.fill(&Reader::of(&address, SubscriberId(id), &key), &mut wire);
        let wire = String::from_utf8(wire).expect("ASCII");
        assert!(wire.is_ascii() && wire.ends_with("\r\n"), "{wire:?}");
        for line in wire.split("\r\n") {
            assert!(!line.contains(['\r', '\n']) && !line.starts_with('.') && !line.starts_with("From "));
            assert!(coding == Coding::Plain || line.len() <= 76, "{line}");
        }
        let bytes = match coding {
            Coding::Plain => wire.clone().into_bytes(),
            Coding::Base64 => BASE64_STANDARD.decode(wire.replace("\r\n", "")).expect("Base64"),
            Coding::Quoted => unquoted(&wire),
        };
        let mut text = String::from_utf8(bytes).expect("UTF-8").replace("\r\n", "\n");
        let tokens = [key.token(SubscriberId(id)), key.preferences(SubscriberId(id))];
        for (place, token) in places().iter().zip(tokens) {
            text = text.replace(&format!("{}{token}", place.prefix), place.mark);
        }
        (coding, text)
    }

    fn unquoted(wire: &str) -> Vec<u8> {
        let mut out = Vec::new();
        for line in wire.split_inclusive("\r\n") {
            assert_eq!(
                line.trim_end().len() + 2,
                line.len(),
                "white space at a line's end may be lost: {line}"
            );
            let (line, end) = match line.strip_suffix("=\r\n") {
                Some(line) => (line, ""),
                None => (line.trim_end_matches("\r\n"), "\r\n"),
            };
            let mut parts = line.split('=');
            out.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
            for part in parts {
                out.push(u8::from_str_radix(&part[..2], 16).expect("two digits"));
                out.extend_from_slice(&part.as_bytes()[2..]);
            }
            out.extend_from_slice(end.as_bytes());
        }
        out
    }

    #[test]
    fn latin_is_left_readable_and_chinese_is_short() {
        let coding = |text: &str| read(text, 41).0;
        assert_eq!(coding("Plain text.\n"), Coding::Plain);
        assert_eq!(
            coding("“Hear”, said the printer, and stopped the machine with one finger.\n"),
            Coding::Quoted
        );
        assert_eq!(coding("Naïve.\n.\nFrom here\n"), Coding::Quoted);
        assert_eq!(coding(".\n"), Coding::Quoted);
        assert_eq!(coding("清晨六点，第一批过桥的人是卖豆腐的老周和他的孙女。\n"), Coding::Base64);
    }

    #[test]
    fn spaces_stand_where_nobody_sees_them() {
        for n_before in 0..3 {
            for id in [1, 41, 410] {
                let before = "中".repeat(40) + &"b".repeat(n_before);
                let html = format!("<p>{before}<a class=\"x\" href=\"{LEAVE}\">退</a></p>\n");
                let (coding, read) = self::read(&html, id);
                assert_eq!(coding, Coding::Base64);
                assert!(read.contains(&format!(" href=\"{LEAVE}\"")), "{read}");
                let text = format!("{before}\n退订: {LEAVE}\n{before}\n");
                let (coding, read) = self::read(&text, id);
                assert_eq!(coding, Coding::Base64);
                let line = read.lines().find(|line| line.contains(LEAVE)).expect("the line");
                assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["退订:", LEAVE]);
            }
        }
        let unusual = format!("{}<a href='x?{LEAVE}&y'>", "中".repeat(40));
        assert_eq!(read(&unusual, 1).0, Coding::Quoted, "there is no room for a space");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        #[test]
        fn every_text_is_read_as_it_was_written(
            parts in proptest::collection::vec("(\\PC|[ \\n.=F]|From |\\n\\.\\n|<a href=\"){0,60}", 1..4),
            id in 1..i64::MAX,
            other in any::<bool>(),
        ) {
            let mark = if other { PREFERENCES } else { LEAVE };
            let mut text = parts.join(mark);
            text.push(' ');
            text.push_str(LEAVE);
            let (_, read) = read(&text, id);
            let letters = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(letters(&read), letters(&text));
            let n_leave = if other { 1 } else { parts.len() };
            prop_assert_eq!(read.matches(LEAVE).count(), n_leave);
            prop_assert_eq!(read.matches(PREFERENCES).count(), parts.len() - n_leave);
        }

        #[test]
        fn base64_is_that_of_everybody(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut out = Vec::new();
            push_base64(&bytes, &mut out);
            prop_assert_eq!(String::from_utf8(out).expect("ASCII"), BASE64_STANDARD.encode(&bytes));
        }
    }
}
