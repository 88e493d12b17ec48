//! The names of the files in a zip whose packer wrote them in a charset of its system and did not say which.

use encoding_rs::{BIG5, EUC_KR, Encoding, GB18030, SHIFT_JIS, UTF_8, WINDOWS_1252};

use super::charset;
use crate::typography;

/// What packers on systems of our editors write, the most frequent first.
const CANDIDATES: [&Encoding; 5] = [GB18030, BIG5, SHIFT_JIS, EUC_KR, WINDOWS_1252];

/// A name as it stands in a zip.
pub(super) struct Raw {
    pub(super) name: Vec<u8>,
    /// Whether its packer said that it is UTF-8, or it is in any charset.
    pub(super) sure: bool,
}

/// The names as they were meant. Those of which it is not said that they are UTF-8 are in one charset, that or another: that in which
/// the text names the most of them, or else UTF-8, that of the text itself, or the likeliest.
///
/// That a name is UTF-8 proves little: `图` in GBK is also `ͼ` in UTF-8.
pub(super) fn decoded(raw: &[Raw], text: impl FnOnce() -> Option<(String, &'static str)>) -> Vec<String> {
    let unsure: Vec<&[u8]> = raw.iter().filter(|raw| !raw.sure).map(|raw| raw.name.as_slice()).collect();
    let charset = if unsure.is_empty() { Some(UTF_8) } else { charset_of(&unsure, text().as_ref()) };
    let as_meant = |raw: &Raw| {
        let charset = if raw.sure { Some(UTF_8) } else { charset };
        let name = charset.and_then(|charset| strictly(charset, &raw.name));
        name.unwrap_or_else(|| of_bytes(&raw.name))
    };
    raw.iter().map(as_meant).collect()
}

fn strictly(charset: &'static Encoding, name: &[u8]) -> Option<String> {
    charset.decode_without_bom_handling_and_without_replacement(name).map(std::borrow::Cow::into_owned)
}

fn charset_of(names: &[&[u8]], text: Option<&(String, &'static str)>) -> Option<&'static Encoding> {
    let own = text.and_then(|(_, charset)| Encoding::for_label(charset.as_bytes()));
    let by_script = text.and_then(|(text, _)| of_script(text));
    let guess = charset::guess(&names.join(&b'\n'));
    let own = own.filter(|own| CANDIDATES.contains(own));
    let likely = [Some(UTF_8), own, by_script, Some(guess)].into_iter().flatten().chain(CANDIDATES);
    let mut best: Option<(usize, &'static Encoding)> = None;
    for charset in likely {
        let decoded: Option<Vec<String>> = names.iter().map(|name| strictly(charset, name)).collect();
        let Some(decoded) = decoded else { continue };
        if decoded.iter().any(|name| name.chars().any(char::is_control)) {
            continue;
        }
        let named = |name: &str| {
            let last = name.trim_end_matches('/').rsplit('/').next().unwrap_or(name);
            !last.is_empty() && text.is_some_and(|(text, _)| text.contains(last))
        };
        let n_named = decoded.iter().filter(|name| named(name)).count();
        if best.is_none_or(|(most, _)| n_named > most) {
            best = Some((n_named, charset));
        }
    }
    best.map(|(_, charset)| charset)
}

/// What packers write where editors write such a text.
fn of_script(text: &str) -> Option<&'static Encoding> {
    let start: Vec<char> = text.chars().take(10_000).collect();
    if start.iter().any(|c| matches!(c, '\u{3041}'..='\u{30FF}')) {
        Some(SHIFT_JIS)
    } else if start.iter().any(|c| matches!(c, '\u{AC00}'..='\u{D7A3}')) {
        Some(EUC_KR)
    } else {
        start.iter().any(|c| typography::is_wide(*c)).then_some(GB18030)
    }
}

/// A name that no charset explains, a character a byte: it can still be told from others.
fn of_bytes(name: &[u8]) -> String {
    name.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(charset: &'static Encoding, names: &[&str], text: &str, expected: &[&str]) {
        let raw: Vec<Raw> = names
            .iter()
            .map(|name| Raw { name: charset.encode(name).0.into_owned(), sure: name.is_ascii() })
            .collect();
        assert_eq!(decoded(&raw, || Some((text.to_owned(), "UTF-8"))), expected, "{}", charset.name());
    }

    #[test]
    fn names_are_read_in_the_charset_of_their_packer() {
        let names = ["index.md", "图1.jpg", "照片/桥.png"];
        let text = "# 桥\n\n![桥](图1.jpg)\n";
        check(UTF_8, &names, text, &names);
        check(GB18030, &["图1.jpg"], text, &["图1.jpg"]);
        check(UTF_8, &["ͼ1.jpg"], "![](ͼ1.jpg)", &["ͼ1.jpg"]);
        check(UTF_8, &["图1.jpg"], "nothing of it", &["图1.jpg"]);
        check(GB18030, &names, text, &names);
        check(GB18030, &["照片/南京长江大桥的夜景.png"], "没有它", &["照片/南京长江大桥的夜景.png"]);
        check(BIG5, &["index.md", "圖一.png"], "![](圖一.png)", &["index.md", "圖一.png"]);
        check(SHIFT_JIS, &["橋の写真.png"], "![](橋の写真.png)", &["橋の写真.png"]);
        check(SHIFT_JIS, &["表.png", "ソ.png"], "![](表.png) ![](ソ.png)", &["表.png", "ソ.png"]);
        check(EUC_KR, &["다리.png"], "![](다리.png)", &["다리.png"]);
        check(WINDOWS_1252, &["Brücke.png"], "![](Brücke.png)", &["Brücke.png"]);
    }

    #[test]
    fn names_in_no_charset_are_still_told_apart() {
        let raw =
            [b"\xff\xff\x81.png", b"\xff\xfe\x81.png"].map(|name| Raw { name: name.to_vec(), sure: false });
        let names = decoded(&raw, || None);
        assert_ne!(names[0], names[1]);
    }
}
