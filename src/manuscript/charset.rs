//! Which charset a text was saved in: told by its first bytes, by where its zero bytes stand, or guessed by its letters.
//!
//! A guess is not a query: the same page must give the same proof from every charset (the charset is in
//! [`super::Manuscript::charset`], for the log). Only where a text has so few letters beyond ASCII that a guess says
//! little, its editor is asked.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{BIG5, EUC_KR, Encoding, GB18030, GBK, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE};

use super::Unreadable;

/// The charset of a text, and how we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Charset {
    /// Its name in the WHATWG Encoding Standard: `UTF-8`, `gb18030`.
    pub(super) name: &'static str,
    /// Whether the text has too few letters beyond ASCII to be sure.
    pub(super) doubtful: bool,
}

impl Charset {
    /// That of text whose form has decoded it.
    pub(super) const UTF_8: Self = Self { name: "UTF-8", doubtful: false };

    fn sure(encoding: &'static Encoding) -> Self {
        Self { name: encoding.name(), doubtful: false }
    }
}

/// Fewer bytes beyond ASCII than this tell a charset no better than chance: five Chinese characters, or ten accents.
const FEW: usize = 10;

/// How far into a text its own declaration is looked for (HTML §4.2.5.4).
const DECLARED_WITHIN: usize = 1024;

/// The text of some bytes.
pub(super) fn decode(bytes: &[u8], declares: bool) -> Result<(String, Charset), Unreadable> {
    if let Some(rest) = bytes.strip_prefix(b"\xEF\xBB\xBF") {
        return utf8(rest).map(|text| (text.to_owned(), Charset::sure(UTF_8)));
    }
    for (mark, encoding) in
        [(&b"\xFF\xFE"[..], UTF_16LE), (b"\xFE\xFF", UTF_16BE), (b"\x84\x31\x95\x33", GB18030)]
    {
        if let Some(rest) = bytes.strip_prefix(mark) {
            return whole(rest, encoding).map(|text| (text, Charset::sure(encoding)));
        }
    }
    if let Some((text, encoding)) = utf16_without_mark(bytes) {
        return Ok((text, Charset::sure(encoding)));
    }
    let refusal = match utf8(bytes) {
        Ok(text) => return Ok((text.to_owned(), Charset::sure(UTF_8))),
        Err(Unreadable::Incomplete) => return Err(Unreadable::Incomplete),
        Err(refusal) => refusal,
    };
    if declares
        && let Some(encoding) = declared(bytes)
        && let Ok(text) = whole(bytes, encoding)
    {
        return Ok((text, Charset::sure(encoding)));
    }
    if is_damaged_utf8(bytes) {
        return Err(refusal);
    }
    let guess = guess(bytes);
    let text = whole(bytes, guess).or_else(|refusal| {
        // A page of one character that the guess does not know may be another of the great charsets.
        [GB18030, BIG5, SHIFT_JIS, EUC_KR]
            .into_iter()
            .filter(|other| *other != guess && is_of_many_bytes(guess))
            .find_map(|other| whole(bytes, other).ok())
            .ok_or(refusal)
    })?;
    let n_high = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    Ok((text, Charset { name: guess.name(), doubtful: n_high < FEW }))
}

/// The likeliest charset of a few words that are not UTF-8.
pub(super) fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Deny)
}

/// The text of a part of a letter, which names its charset, truly or not.
pub(super) fn labelled(bytes: &[u8], label: Option<&str>) -> Result<(String, Charset), Unreadable> {
    let is_utf8 = !bytes.is_ascii() && std::str::from_utf8(bytes).is_ok();
    if let Some(encoding) = label.and_then(|label| Encoding::for_label(label.trim().as_bytes()))
        && !is_utf8
        && let Ok(text) = whole(bytes, encoding)
    {
        return Ok((text, Charset::sure(encoding)));
    }
    decode(bytes, true)
}

/// The bytes of a text in a charset named as in [`Charset::name`]. What it cannot write becomes something else.
pub(super) fn encode(text: &str, name: &str) -> Vec<u8> {
    match Encoding::for_label(name.as_bytes()) {
        Some(encoding) if encoding == UTF_16LE => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Some(encoding) if encoding == UTF_16BE => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        // What says that it is GBK was read as GB 18030; see [`whole`].
        Some(encoding) if encoding == GBK => GB18030.encode(text).0.into_owned(),
        Some(encoding) => encoding.encode(text).0.into_owned(),
        None => text.as_bytes().to_vec(),
    }
}

/// The byte order mark of a charset; empty if it has none.
pub(super) fn mark(name: &str) -> &'static [u8] {
    match name {
        "UTF-8" => b"\xEF\xBB\xBF",
        "UTF-16LE" => b"\xFF\xFE",
        "UTF-16BE" => b"\xFE\xFF",
        "gb18030" => b"\x84\x31\x95\x33",
        _ => b"",
    }
}

fn is_of_many_bytes(encoding: &'static Encoding) -> bool {
    !encoding.is_single_byte()
}

fn utf8(bytes: &[u8]) -> Result<&str, Unreadable> {
    std::str::from_utf8(bytes).map_err(|error| {
        if error.error_len().is_none() {
            return Unreadable::Incomplete;
        }
        undecodable(&String::from_utf8_lossy(&bytes[..error.valid_up_to()]))
    })
}

/// The refusal of what follows `valid`.
fn undecodable(valid: &str) -> Unreadable {
    let line = valid.matches('\n').count() + 1;
    let column = valid.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Unreadable::Undecodable { line, column }
}

/// The text in a charset, if every byte has a meaning there. What decodes to control characters is no text.
fn whole(bytes: &[u8], encoding: &'static Encoding) -> Result<String, Unreadable> {
    // GB 18030 holds all of GBK, and pages that say GBK hold characters of the larger set.
    let encoding = if encoding == GBK { GB18030 } else { encoding };
    let wide = encoding == UTF_16LE || encoding == UTF_16BE;
    if wide && bytes.len() % 2 == 1 {
        return Err(Unreadable::Incomplete);
    }
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    let strange = |c: char| {
        c == '\u{FFFD}'
            || (!wide
                && matches!(c, '\0'..='\u{8}' | '\u{E}'..='\u{1F}' | '\u{80}'..='\u{84}' | '\u{86}'..='\u{9F}')
                && c != '\u{1A}'
                && c != '\u{1B}')
    };
    match text.find(strange) {
        Some(at) => Err(undecodable(&text[..at])),
        None => Ok(text.into_owned()),
    }
}

/// UTF-16 without a mark has zero bytes, in every line feed and space at the least; no other text has any.
fn utf16_without_mark(bytes: &[u8]) -> Option<(String, &'static Encoding)> {
    if bytes.len() < 4 || bytes.len() % 2 == 1 || !bytes.contains(&0) {
        return None;
    }
    let is_utf8 = std::str::from_utf8(bytes).is_ok();
    let n_zero_units = bytes.chunks_exact(2).filter(|pair| pair.contains(&0)).count();
    // A text of ASCII with a few zero bytes by accident is no UTF-16: in that, each unit would have one.
    if is_utf8 && n_zero_units * 5 < bytes.len() / 2 * 4 {
        return None;
    }
    [UTF_16LE, UTF_16BE]
        .into_iter()
        .filter_map(|encoding| {
            let units = bytes.chunks_exact(2).map(|pair| {
                let pair = [pair[0], pair[1]];
                if encoding == UTF_16LE { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
            });
            let common = units.clone().filter(|unit| is_common(*unit)).count();
            let spaces = units.filter(|unit| matches!(unit, 0x0A | 0x0D | 0x20 | 0x3000)).count();
            let text = whole(bytes, encoding).ok()?;
            (spaces > 0 && common * 20 >= bytes.len() / 2 * 19).then_some((common, text, encoding))
        })
        .max_by_key(|(common, _, _)| *common)
        .map(|(_, text, encoding)| (text, encoding))
}

/// Whether a unit of UTF-16 is a letter or mark of the scripts that newspapers are printed in.
fn is_common(unit: u16) -> bool {
    matches!(unit, 0x09 | 0x0A | 0x0D | 0x20..=0x7E | 0xA0..=0x24F | 0x370..=0x6FF | 0x900..=0xDFF | 0xE00..=0xE7F
        | 0x1E00..=0x1EFF | 0x2010..=0x206F | 0x20A0..=0x22FF | 0x2460..=0x27BF | 0x3000..=0x30FF
        | 0x3400..=0x9FFF | 0xAC00..=0xD7A3 | 0xFF00..=0xFFEF)
}

/// Whether most of what is beyond ASCII is UTF-8: then a wrong byte is damage, and no other charset.
fn is_damaged_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().bytes().filter(|byte| !byte.is_ascii()).count();
        bad += chunk.invalid().len();
    }
    good >= 4 * bad
}

/// The charset that HTML or XML declares near its top.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(DECLARED_WITHIN)]).to_ascii_lowercase();
    ["charset", "encoding"].iter().flat_map(|word| head.match_indices(word)).find_map(|(at, word)| {
        let value = head[at + word.len()..].trim_start().strip_prefix('=')?.trim_start();
        let value = value.trim_start_matches(['"', '\'']);
        let end = value.find(|c: char| !(c.is_ascii_alphanumeric() || "-_:.".contains(c)))?;
        Encoding::for_label(&value.as_bytes()[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHINESE: &str = "桥边的灯\n\n桥边的灯亮了三十年，守灯的人换了三代。\n一个人，一盏灯，一条河。\n";
    const TRADITIONAL: &str = "橋邊的燈\n\n橋邊的燈亮了三十年，守燈的人換了三代，沒有一天熄滅過。\n";
    const JAPANESE: &str = "橋のあかり\n\nこの橋のあかりは三十年のあいだ、毎晩ともされてきました。\n";
    const KOREAN: &str = "다리의 등불\n\n다리의 등불은 삼십 년 동안 매일 밤 켜져 있었습니다.\n";
    const FRENCH: &str = "Le café d’été\n\nL’été dernier, le café où nous étions allés a fermé : à bientôt, très chère hôtesse, déjà regrettée.\n";

    fn encoded(text: &str, encoding: &'static Encoding) -> Vec<u8> {
        if encoding == UTF_16LE {
            return text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        }
        if encoding == UTF_16BE {
            return text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        }
        let (bytes, _, wrong) = encoding.encode(text);
        assert!(!wrong, "{} cannot write {text}", encoding.name());
        bytes.into_owned()
    }

    #[track_caller]
    fn check(text: &str, encoding: &'static Encoding) {
        let bytes = encoded(text, encoding);
        let found = decode(&bytes, false).map(|(text, charset)| (text, charset.doubtful));
        assert_eq!(found, Ok((text.to_owned(), false)), "{}", encoding.name());
    }

    #[test]
    fn every_charset_of_our_editors_is_known_by_its_bytes() {
        for text in [CHINESE, TRADITIONAL, JAPANESE, KOREAN, FRENCH] {
            for encoding in [UTF_8, UTF_16LE, UTF_16BE] {
                check(text, encoding);
            }
        }
        check(CHINESE, GBK);
        check(CHINESE, GB18030);
        check(TRADITIONAL, BIG5);
        check(JAPANESE, SHIFT_JIS);
        check(KOREAN, EUC_KR);
        check(FRENCH, encoding_rs::WINDOWS_1252);
    }

    #[test]
    fn a_text_may_name_its_own_charset() {
        let page = "<meta charset=\"windows-1251\"><p>Мост</p>";
        let bytes = encoded(page, encoding_rs::WINDOWS_1251);
        assert_eq!(decode(&bytes, true).map(|(text, _)| text), Ok(page.to_owned()));
    }

    #[test]
    fn few_letters_are_a_doubtful_guess() {
        let (text, charset) = decode(b"A caf\xe9 by the quay.\n", false).expect("a text");
        assert_eq!((text.as_str(), charset.doubtful), ("A café by the quay.\n", true));
    }

    #[test]
    fn damage_is_told_from_another_charset() {
        let mut bytes = CHINESE.as_bytes().to_vec();
        bytes[40] = 0xFF;
        assert!(matches!(decode(&bytes, false), Err(Unreadable::Undecodable { line: 3, .. })));
        assert!(matches!(
            decode(b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR\x90", false),
            Err(Unreadable::Undecodable { .. })
        ));
        assert_eq!(decode(b"\xFF\xFEa", false), Err(Unreadable::Incomplete));
        assert_eq!(decode(b"\xFF\xFE\0\xD8a\0", false), Err(Unreadable::Undecodable { line: 1, column: 1 }));
    }

    #[test]
    fn a_few_zero_bytes_make_no_utf_16() {
        assert_eq!(decode(b"ab\0cd\nef", false).map(|(text, _)| text), Ok("ab\0cd\nef".to_owned()));
    }
}
