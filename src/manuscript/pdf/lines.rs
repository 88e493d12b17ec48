//! A column's words to lines, and its lines to paragraphs.

use crate::typography;

use super::super::byline;
use super::boxes::Word;
use super::columns::LARGE;

/// Two words whose middles are less than this apart, in letters of the larger, stand on one line.
const SAME_LINE: f64 = 0.45;

/// A first letter that is so many times as large as the text hangs over several of its lines.
const INITIAL: f64 = 1.8;

/// A column has no more of them.
const MAX_INITIALS: usize = 50;

/// Type of one size differs by less than this: small capitals, another font.
const SAME_SIZE: f64 = 1.12;

/// An indent is at least so wide, in letters, and a line that ends so far before the column's edge ends its paragraph.
const INDENT: f64 = 0.8;
const SHORT: f64 = 1.5;

/// Lines that are so many times as far apart as the column's others are of two paragraphs.
const APART: f64 = 1.35;

/// No text is set wider than so, in letters: two lines that are farther apart are two paragraphs.
const WIDEST: f64 = 1.8;

/// The lines of a headline are at most so far apart, in letters.
const HEADLINE_APART: f64 = 1.8;

/// A line of a column.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) text: String,
    left: f64,
    right: f64,
    middle: f64,
    size: f64,
}

/// A run of lines that belong together, with what tells whether it goes on in another column.
#[derive(Debug, Clone)]
pub(super) struct Paragraph {
    pub(super) lines: Vec<String>,
    /// The size of its type.
    pub(super) size: f64,
    /// Whether its first line is indented.
    pub(super) indented: bool,
    /// Whether its last line is as long as the column is wide.
    pub(super) full: bool,
}

/// The words of a line, with the spaces that are seen between them.
pub(super) fn line(mut words: Vec<Word>) -> Line {
    words.sort_by(|a, b| a.left.total_cmp(&b.left));
    let mut text = String::new();
    let mut before: Option<&Word> = None;
    let tracking = tracking(&words);
    for word in &words {
        if let Some(before) = before
            && is_space(before, word, tracking)
        {
            text.push(' ');
        }
        text.push_str(word.text.trim());
        before = Some(word);
    }
    let size = size(words.iter());
    let main = words.iter().find(|word| is_alike(word.size, size));
    Line {
        text,
        left: words.iter().map(|word| word.left).fold(f64::INFINITY, f64::min),
        right: words.iter().map(|word| word.right).fold(f64::NEG_INFINITY, f64::max),
        middle: main.map_or(0.0, |word| word.middle),
        size,
    }
}

/// How far apart the Chinese characters of a line are set to fill it. Within a word they stand close.
fn tracking(words: &[Word]) -> f64 {
    let mut gaps: Vec<f64> = words.windows(2).map(|pair| pair[1].left - pair[0].right).collect();
    gaps.sort_by(f64::total_cmp);
    let close: usize = words.iter().map(|word| word.characters() - 1).sum();
    let half = usize::midpoint(close, gaps.len());
    half.checked_sub(close).and_then(|nth| gaps.get(nth)).copied().unwrap_or(0.0).max(0.0)
}

/// Whether the white between two words of a line is a space. Chinese is cut to words of any length, without one between them.
fn is_space(before: &Word, word: &Word, tracking: f64) -> bool {
    let (Some(last), Some(first)) = (before.text.trim().chars().next_back(), word.text.trim().chars().next())
    else {
        return false;
    };
    // A large first letter stands close to the rest of its word.
    if before.size > INITIAL * word.size && before.characters() == 1 {
        return false;
    }
    let wide = |c| typography::is_wide(c) || typography::is_shared_mark(c);
    let size = before.size.min(word.size);
    let least = match (wide(last), wide(first)) {
        // Marks bring white of their own, which may be cut off.
        (true, true) if typography::is_han(last) && typography::is_han(first) => 0.18 * size + 1.5 * tracking,
        (true, true) => 0.5 * size + 1.5 * tracking,
        (false, false) => 0.08 * size,
        _ => 0.2 * size + tracking,
    };
    word.left - before.right >= least
}

/// The size of most of the letters.
pub(super) fn size<'w>(words: impl Iterator<Item = &'w Word>) -> f64 {
    let mut sizes: Vec<(f64, usize)> = words.map(|word| (word.size, word.characters())).collect();
    sizes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = sizes.iter().map(|(_, n)| n).sum::<usize>() / 2;
    let mut seen = 0;
    for (size, n) in &sizes {
        seen += n;
        if seen > half {
            return *size;
        }
    }
    sizes.last().map_or(1.0, |(size, _)| *size)
}

fn is_alike(a: f64, b: f64) -> bool {
    a.max(b) < SAME_SIZE * a.min(b)
}

/// The lines of a column from top to bottom.
fn lines(mut words: Vec<Word>) -> Vec<Line> {
    lower_initials(&mut words);
    words.sort_by(|a, b| a.middle.total_cmp(&b.middle));
    let mut lines: Vec<Vec<Word>> = Vec::new();
    for word in words {
        let on = |line: &Vec<Word>| {
            let last = &line[line.len() - 1];
            word.middle - last.middle < SAME_LINE * word.size.max(last.size)
        };
        match lines.last_mut().filter(|line| on(line)) {
            Some(line) => line.push(word),
            None => lines.push(vec![word]),
        }
    }
    lines.into_iter().map(line).collect()
}

/// Puts a large first letter on the first of the lines that it stands beside.
fn lower_initials(words: &mut [Word]) {
    let body = size(words.iter());
    let is_initial = |word: &Word| word.size >= INITIAL * body && word.characters() == 1;
    let initials: Vec<usize> =
        (0..words.len()).filter(|&n| is_initial(&words[n])).take(MAX_INITIALS).collect();
    for n in initials {
        let beside = words.iter().filter(|other| {
            is_alike(other.size, body)
                && other.left >= words[n].right - 0.2 * body
                && other.middle > words[n].top() - 0.3 * body
                && other.middle < words[n].bottom() + 0.9 * body
                && (other.middle < words[n].bottom() || other.left < words[n].right + body)
        });
        let middles: Vec<f64> = beside.map(|word| word.middle).collect();
        let first = middles.iter().copied().fold(f64::INFINITY, f64::min);
        let last = middles.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // A large letter beside one line only is a word of that line.
        if last - first <= 0.8 * body {
            continue;
        }
        let (left, right) = (words[n].left, words[n].right);
        for word in words.iter_mut() {
            // The lines beside it are not indented.
            if (first..=last).contains(&word.middle)
                && (right - 0.2 * body..right + body).contains(&word.left)
            {
                word.left = left + 0.1 * body;
            }
        }
        words[n].middle = first;
    }
}

/// The edges and the leading of a column's text.
struct Measure {
    left: f64,
    right: f64,
    leading: f64,
    /// Whether its lines are as long as it is wide.
    justified: bool,
}

impl Measure {
    fn of(lines: &[Line], body: f64) -> Self {
        let text: Vec<&Line> = lines.iter().filter(|line| is_alike(line.size, body)).collect();
        let text = if text.is_empty() { lines.iter().collect() } else { text };
        let left = text.iter().map(|line| line.left).fold(f64::INFINITY, f64::min);
        let right = text.iter().map(|line| line.right).fold(f64::NEG_INFINITY, f64::max);
        let mut leadings: Vec<f64> = text
            .windows(2)
            .map(|pair| pair[1].middle - pair[0].middle)
            .filter(|leading| *leading < 3.0 * body)
            .collect();
        leadings.sort_by(f64::total_cmp);
        let full = text.iter().filter(|line| line.right > right - body).count();
        Self {
            left,
            right,
            // The lines of a paragraph, not those between two.
            leading: leadings
                .get(leadings.len() / 3)
                .map_or(1.5 * body, |leading| leading.min(WIDEST * body)),
            justified: full * 2 > text.len(),
        }
    }

    fn is_indented(&self, line: &Line) -> bool {
        line.left - self.left >= INDENT * line.size
    }

    /// Whether a line stands in the middle of the column, with white on both sides.
    fn is_centred(&self, line: &Line) -> bool {
        let (before, after) = (line.left - self.left, self.right - line.right);
        before.min(after) >= INDENT * line.size && (before - after).abs() < 1.2 * line.size
    }

    fn is_short(&self, line: &Line) -> bool {
        self.right - line.right >= SHORT * line.size
    }
}

/// The paragraphs of a column; `body` is the size of the page's text.
pub(super) fn paragraphs(words: Vec<Word>, body: f64) -> Vec<Paragraph> {
    let lines = lines(words);
    let measure = Measure::of(&lines, body);
    let mut paragraphs: Vec<Paragraph> = Vec::new();
    let mut above: Option<&Line> = None;
    for line in &lines {
        let full = !measure.is_short(line);
        match (paragraphs.last_mut(), above) {
            (Some(paragraph), Some(above)) if goes_on(above, line, &measure, body) => {
                paragraph.lines.push(line.text.clone());
                paragraph.full = full;
            }
            _ => paragraphs.push(Paragraph {
                lines: vec![line.text.clone()],
                size: line.size,
                indented: measure.is_indented(line),
                full,
            }),
        }
        above = Some(line);
    }
    paragraphs
}

/// Whether a line goes on with the paragraph of the line above.
fn goes_on(above: &Line, line: &Line, measure: &Measure, body: f64) -> bool {
    if !is_alike(above.size, line.size) {
        return false;
    }
    let down = line.middle - above.middle;
    if line.size >= LARGE * body {
        return down <= HEADLINE_APART * line.size;
    }
    if down > APART * measure.leading.max(line.size) {
        return false;
    }
    let opens = above.text.matches(['（', '(']).count() > above.text.matches(['）', ')']).count();
    if measure.is_indented(line) {
        let ends = above.text.ends_with(['。', '！', '？', '.', '!', '?', '”', '"', '：', ':', '…']);
        // A credit line in brackets stands at the right edge.
        let credit = opens && above.text.starts_with(['（', '(']);
        // The lines of a quotation that is set narrower than the text.
        let quoted = measure.is_indented(above)
            && !measure.is_short(above)
            && (line.left - above.left).abs() < 0.3 * body;
        return credit || (!ends && (quoted || is_one_title(above, line, measure)));
    }
    // A short line ends its paragraph, where lines are long otherwise.
    !(measure.justified && measure.is_short(above)) || opens
}

/// Whether two lines are a centred title of two lines, not one with a name or another title below it.
fn is_one_title(above: &Line, line: &Line, measure: &Measure) -> bool {
    let is_numbered = |text: &str| text.starts_with(['（', '(']) || text.chars().nth(1) == Some('、');
    measure.is_centred(above)
        && measure.is_centred(line)
        && !is_numbered(&line.text)
        && byline::parse(&above.text).is_none()
        && byline::parse(&line.text).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str, left: f64, middle: f64, size: f64) -> Word {
        let width: f64 = text.chars().map(|c| if c.is_ascii() { 0.5 } else { 1.0 }).sum();
        Word { text: text.to_owned(), left, right: left + width * size, middle, size }
    }

    #[track_caller]
    fn check_line(words: &[(&str, f64)], expected: &str) {
        let words = words.iter().map(|(text, left)| word(text, *left, 0.0, 10.0)).collect();
        assert_eq!(line(words).text, expected);
    }

    #[test]
    fn the_words_of_a_line_join_as_they_are_seen() {
        check_line(&[("桥边", 0.0), ("的灯", 20.5)], "桥边的灯");
        check_line(&[("重修", 30.0), ("老桥", 0.0)], "老桥 重修");
        check_line(&[("用", 0.0), ("Rust", 11.0), ("写", 34.0)], "用Rust 写");
        check_line(&[("桥", 0.0), ("边", 12.5), ("的", 25.0), ("灯", 37.5), ("亮", 60.0)], "桥边的灯 亮");
        check_line(&[("the", 0.0), ("lamp", 18.0), (",", 38.2)], "the lamp,");
    }

    /// The paragraphs of a column of ten-point type whose lines are given with their left edge, middle and size.
    #[track_caller]
    fn check(lines: &[(&str, f64, f64, f64)], expected: &[&str]) {
        let words =
            lines.iter().map(|(text, left, middle, size)| word(text, *left, *middle, *size)).collect();
        let found: Vec<String> = paragraphs(words, 10.0).iter().map(|p| p.lines.join("|")).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn an_indent_a_gap_or_a_short_line_begins_a_paragraph() {
        check(
            &[
                ("桥边的灯亮了", 20.0, 0.0, 10.0),
                ("三十年的河也流了", 0.0, 15.0, 10.0),
                ("人都知道。", 0.0, 30.0, 10.0),
                ("它的来历很长", 20.0, 45.0, 10.0),
                ("也很老了，老得没", 0.0, 60.0, 10.0),
            ],
            &["桥边的灯亮了|三十年的河也流了|人都知道。", "它的来历很长|也很老了，老得没"],
        );
        check(
            &[
                ("the lamp by the bridge has", 0.0, 0.0, 10.0),
                ("burned for thirty years no", 0.0, 12.0, 10.0),
                ("and it goes on.", 0.0, 24.0, 10.0),
                ("the ferry lies there today", 0.0, 42.0, 10.0),
            ],
            &[
                "the lamp by the bridge has|burned for thirty years no|and it goes on.",
                "the ferry lies there today",
            ],
        );
        check(
            &[
                ("一行长长长长长长长", 0.0, 0.0, 10.0),
                ("短。", 0.0, 15.0, 10.0),
                ("又一行长长长长长长", 0.0, 30.0, 10.0),
            ],
            &["一行长长长长长长长|短。", "又一行长长长长长长"],
        );
    }

    #[test]
    fn a_headline_is_apart_by_its_size() {
        check(
            &[
                ("桥边的灯", 0.0, 0.0, 20.0),
                ("又亮了", 0.0, 28.0, 20.0),
                ("李小雨", 30.0, 55.0, 10.0),
                ("灯亮了三十年亮了", 20.0, 70.0, 10.0),
                ("也亮了一百年又一百年", 0.0, 85.0, 10.0),
            ],
            &["桥边的灯|又亮了", "李小雨", "灯亮了三十年亮了|也亮了一百年又一百年"],
        );
    }

    #[test]
    fn a_large_first_letter_is_the_first_of_its_word() {
        check(
            &[
                ("T", 0.0, 8.0, 30.0),
                ("he lamp by the bri", 16.0, 0.0, 10.0),
                ("dge has burned for", 16.0, 13.0, 10.0),
                ("thirty years and a day", 0.0, 26.0, 10.0),
            ],
            &["The lamp by the bri|dge has burned for|thirty years and a day"],
        );
    }
}
