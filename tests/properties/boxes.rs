//! Pages of words and their boxes that bytes choose, as `pdftotext -bbox-layout` would print them.

use std::fmt::Write as _;

use super::pieces;

/// What was built: the text of the words, and all as it would be printed.
pub struct Built {
    pub text: String,
    pub printed: String,
}

/// The most words: bytes that say a line again would make too many.
const MAX_WORDS: usize = 3000;

/// So wide is the column that a byte begins beside the last, in points.
const COLUMN: f64 = 130.0;

/// The first byte that is a word.
const FIRST: u8 = 18;

/// What stands on pages: names, labels, credit lines, parted words.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "桥边的灯", "亮了三十年，", "守灯的人换了三代，没有一天", "熄灭过。", "李小雨", "本报记者", "责编：",
    "（原载《河畔日报》2025年1月1日", "第2版）", "第3版", "副刊", "2025-07-09", "12", "20", "25年", "一、",
    "（二）", "“", "”", "——", "T", "The", "lamp", "of the old quay", "fer-", "ryman", "well-known", "well-",
    "known", "fer\u{AD}ry\u{AD}", "man\u{2010}", "By", "Ann Lee", "CHAPTER", "THE END.", "3.", "-", "•", "·",
    "&", "<b>", "\"", "a\nb", "\u{2028}", "\u{0}", "\u{202e}", "\u{fffd}", "\u{e123}", "U+0041", "×",
    "图为桥。", "摄", "作者系", "编辑", "邮箱：a@example.org", "# ", "*", "한국", "é",
];

/// A word where it stands.
#[derive(Clone, Copy)]
struct Word {
    text: &'static str,
    left: f64,
    middle: f64,
    size: f64,
}

/// Where the next word stands, and what stands already.
struct Setter {
    pages: Vec<Vec<Word>>,
    n_words: usize,
    left: f64,
    at: f64,
    middle: f64,
    size: f64,
}

impl Setter {
    fn page(&mut self) {
        self.pages.push(Vec::new());
        (self.left, self.at, self.middle, self.size) = (40.0, 40.0, 60.0, 10.0);
    }

    fn line(&mut self, down: f64) {
        self.middle += down * self.size;
        self.at = self.left;
    }

    fn put(&mut self, word: Word) {
        if self.n_words < MAX_WORDS {
            self.n_words += 1;
            self.pages.last_mut().expect("a page").push(word);
        }
    }

    fn word(&mut self, text: &'static str) {
        let word = Word { text, left: self.at, middle: self.middle, size: self.size };
        self.put(word);
        self.at += width(text) * self.size;
    }

    /// Sets the last line again, so many times, each below the other.
    fn again(&mut self, times: usize) {
        let page = self.pages.last().expect("a page");
        let same = |word: &&Word| word.middle.total_cmp(&self.middle).is_eq();
        let line: Vec<Word> = page.iter().rev().take_while(same).take(50).copied().collect();
        for _ in 0..times {
            self.line(1.3);
            for word in line.iter().rev() {
                self.put(Word { middle: self.middle, ..*word });
            }
        }
    }
}

fn width(text: &str) -> f64 {
    text.chars().map(|c| if c.is_ascii() { 0.5 } else { 1.0 }).sum()
}

/// The pages of all bytes: those below [`FIRST`] move, the others are a word each.
pub fn of(choices: &[u8]) -> Built {
    let mut setter = Setter { pages: Vec::new(), n_words: 0, left: 0.0, at: 0.0, middle: 0.0, size: 0.0 };
    setter.page();
    let mut choices = choices.iter().copied();
    while let Some(byte) = choices.next() {
        match byte {
            0 => setter.page(),
            1 => setter.line(1.3),
            2 => setter.line(2.5),
            3 => {
                setter.left += COLUMN;
                (setter.at, setter.middle) = (setter.left, 100.0);
            }
            4 => setter.size = 7.0,
            5 => setter.size = 10.0,
            6 => setter.size = 14.0,
            7 => setter.size = 24.0,
            8 => setter.size = 0.01,
            9 => setter.at += 0.3 * setter.size,
            10 => setter.at += 2.0 * setter.size,
            11 => setter.middle += 0.4 * setter.size,
            12 => setter.line(-10.0),
            13 => setter.again(8),
            14 => setter.again(60),
            15 => setter.at = -setter.at,
            16 => setter.middle *= 100.0,
            17 => {
                setter.at = 3.0 * f64::from(choices.next().unwrap_or(0));
                setter.middle = 4.0 * f64::from(choices.next().unwrap_or(0));
            }
            byte => match WORDS.get(usize::from(byte - FIRST)) {
                Some(text) => setter.word(text),
                None => setter.word(pieces::letter(byte)),
            },
        }
    }
    let text = setter.pages.iter().flatten().map(|word| word.text).collect();
    Built { text, printed: printed(&setter.pages) }
}

fn printed(pages: &[Vec<Word>]) -> String {
    let mut out = "<!DOCTYPE html><html><body><doc>\n".to_owned();
    for page in pages {
        out.push_str("<page width=\"600\" height=\"800\">\n");
        for Word { text, left, middle, size } in page {
            let (right, top, bottom) =
                (left + width(text) * size, middle - 0.575 * size, middle + 0.575 * size);
            let text = quick_xml::escape::escape(*text);
            let _ = writeln!(
                out,
                "<word xMin=\"{left:.3}\" yMin=\"{top:.3}\" xMax=\"{right:.3}\" yMax=\"{bottom:.3}\">{text}</word>"
            );
        }
        out.push_str("</page>\n");
    }
    out + "</doc></body></html>\n"
}
