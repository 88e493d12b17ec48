//! What `pdftotext -bbox-layout` prints: the words of each page with their boxes, taken out of whatever it is.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::typography;

/// A word where it stands on its page, in points (1/72 inch) from the upper left corner.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) left: f64,
    pub(super) right: f64,
    /// How far down the middle of its letters is.
    pub(super) middle: f64,
    /// The size of its type: as wide as a Chinese character is.
    pub(super) size: f64,
}

impl Word {
    /// The letters of most words stand within two fifths of their size from their middle.
    pub(super) fn top(&self) -> f64 {
        self.middle - 0.4 * self.size
    }

    pub(super) fn bottom(&self) -> f64 {
        self.middle + 0.4 * self.size
    }

    pub(super) fn characters(&self) -> usize {
        self.text.chars().count()
    }
}

/// The words of each page, in the order of the output. The size of type is not in it: boxes are as high as the designer
/// of a font found right, up to three times its size. It is told by the width of Chinese characters, for all
/// boxes of one height together, as these are of one font and size.
pub(super) fn pages(output: &str) -> Vec<Vec<Word>> {
    let mut pages: Vec<Vec<(Word, f64)>> = Vec::new();
    let mut rest = output;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix("page ") {
            pages.push(Vec::new());
            rest = after;
        } else if let Some(after) = rest.strip_prefix("word ") {
            let (boxed, after) = word_of(after);
            if pages.is_empty() {
                pages.push(Vec::new());
            }
            if let Some(page) = pages.last_mut().filter(|_| !boxed.0.text.trim().is_empty()) {
                page.push(boxed);
            }
            rest = after;
        }
    }
    let sizes = Sizes::of(pages.iter().flatten());
    let sized = |(word, height): (Word, f64)| Word { size: sizes.of_word(&word, height), ..word };
    pages.into_iter().map(|page| page.into_iter().map(sized).collect()).collect()
}

/// The word whose tag begins, with the height of its box, and what follows it.
fn word_of(text: &str) -> ((Word, f64), &str) {
    let (tag, after) = text.split_once('>').unwrap_or((text, ""));
    let (content, after) = after.split_once("</word>").unwrap_or((after, ""));
    let number = |name: &str| {
        let value = tag.split_once(name).and_then(|(_, rest)| rest.strip_prefix("=\"")?.split('"').next());
        // No page is larger; what is, or is no number, stands in the corner, so that its text is not lost.
        value.and_then(|value| value.parse::<f64>().ok()).filter(|n| n.abs() < 1e5).unwrap_or(0.0)
    };
    let (left, right) = (number("xMin"), number("xMax"));
    let (top, bottom) = (number("yMin"), number("yMax"));
    let word = Word {
        text: quick_xml::escape::unescape(content).map_or_else(|_| content.to_owned(), Cow::into_owned),
        left: left.min(right),
        right: left.max(right),
        middle: f64::midpoint(top, bottom),
        size: 0.0,
    };
    ((word, (bottom - top).abs()), after)
}

/// How wide the letters of boxes of one height are.
#[derive(Debug, Clone, Copy, Default)]
struct Widths {
    /// Of words of Chinese characters: how wide they are, and how many characters they have.
    wide: (f64, f64),
    narrow: (f64, f64),
}

/// The sizes of type by the height of their boxes.
struct Sizes(HashMap<i64, f64>);

/// Latin letters are about half as wide as their type is high.
const NARROW: f64 = 0.5;

/// The box of a usual font is so many times as high as its size.
const BOX: f64 = 1.15;

/// No type is smaller, in points; a size of nothing would be a division by it.
const SMALLEST: f64 = 1.0;

impl Sizes {
    fn of<'w>(words: impl Iterator<Item = &'w (Word, f64)>) -> Self {
        let mut widths: HashMap<i64, Widths> = HashMap::new();
        for (word, height) in words {
            let wide = word.text.chars().filter(|c| typography::is_han(*c)).count();
            let all = word.characters();
            let known = widths.entry(key(*height)).or_default();
            let sum = if wide * 2 > all { &mut known.wide } else { &mut known.narrow };
            sum.0 += word.right - word.left;
            sum.1 += count(wide) + NARROW * count(all - wide);
        }
        let size = |(key, widths): (i64, Widths)| {
            let height = tenths(key);
            let size = if widths.wide.1 >= 1.0 {
                widths.wide.0 / widths.wide.1
            } else {
                let by_width = if widths.narrow.1 > 0.0 { widths.narrow.0 / widths.narrow.1 } else { 0.0 };
                let by_height = height / BOX;
                let usual = (0.65 * by_height..=1.6 * by_height).contains(&by_width);
                // A few letters may be wide or narrow by chance.
                if usual || widths.narrow.1 < 4.0 { by_height } else { by_width }
            };
            (key, size.max(SMALLEST))
        };
        Self(widths.into_iter().map(size).collect())
    }

    fn of_word(&self, word: &Word, height: f64) -> f64 {
        self.0.get(&key(height)).copied().unwrap_or_else(|| (word.right - word.left).max(SMALLEST))
    }
}

/// Heights that differ by less than a tenth of a point are the same.
#[expect(clippy::cast_possible_truncation, reason = "a box's height is below 200 000 points")]
fn key(height: f64) -> i64 {
    (height * 10.0).round() as i64
}

#[expect(clippy::cast_precision_loss, reason = "a box's height is below 200 000 points")]
fn tenths(key: i64) -> f64 {
    key as f64 / 10.0
}

/// A count of characters as a number to reckon with.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub(super) fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_with_their_place_and_the_size_of_their_type() {
        let output = r#"<!DOCTYPE html><title>a</title><page width="100" height="100">
            <word xMin="10" yMin="20" xMax="40" yMax="50">灯&amp;河亮</word>
            <word xMin="40" yMin="20" xMax="50" yMax="50">Rust</word>
            </page><page width="1" height="1"></page>"#;
        let pages = pages(output);
        assert_eq!(pages.len(), 2);
        let shown: Vec<String> = pages[0]
            .iter()
            .map(|w| format!("{} {}..{} {} of {:.1}", w.text, w.left, w.right, w.middle, w.size))
            .collect();
        assert_eq!(shown, ["灯&河亮 10..40 35 of 8.6", "Rust 40..50 35 of 8.6"]);
        assert!(pages[1].is_empty());
    }

    #[test]
    fn whatever_the_output_is_its_words_are_taken() {
        let check = |output: &str, expected: &[&str]| {
            let texts: Vec<String> = pages(output).into_iter().flatten().map(|word| word.text).collect();
            assert_eq!(texts, expected, "{output}");
        };
        check("", &[]);
        check("garbage < > & \u{0}", &[]);
        check("<word >a</word>", &["a"]);
        check("<word xMin=\"nan\" yMin=\"1e999\" xMax=\"x\">a &bad; b\u{1}</word>", &["a &bad; b\u{1}"]);
        check("<page <word xMin=\"1\"", &[]);
        check("<page ><word xMin=\"1\">cut", &["cut"]);
        check("<page ><word > \n</word><word >b\nc</word>", &["b\nc"]);
    }
}
