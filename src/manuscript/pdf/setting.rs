//! Pages set in columns to one text, a paragraph a line, with what their type tells of it.

use std::collections::{HashMap, HashSet};

use crate::typography;

use super::super::byline;
use super::super::page::{self, Hint, Hints};
use super::boxes::Word;
use super::columns::{self, LARGE, Row};
use super::lines::{self, Paragraph};

/// Type that is so many times as large as the text is a headline's, where some is.
const HEADLINE: f64 = 1.3;

/// Type below this, and below so much of the largest headline's, is a subhead's.
const SUBHEAD: f64 = 1.5;
const OF_LARGEST: f64 = 0.62;

/// The longest headline, in columns of a fixed-width page: two lines across a page.
const MAX_HEADLINE: usize = 140;

/// Above or below a running head there is so much more white than between two lines, in letters.
const MARGIN: f64 = 0.5;

/// The pieces of a masthead stand at least so far apart, in letters.
const PIECES_APART: f64 = 2.0;

/// No word that is parted at a line's end is longer, in characters.
const MAX_WORD: usize = 100;

/// How many rows at the top or the foot of a page may be its running head or masthead.
const MAX_HEADS: usize = 2;

/// The text of pages.
#[derive(Debug, Default)]
pub(super) struct Setting {
    pub(super) text: String,
    /// What its type tells of a line, by its number.
    pub(super) hints: Hints,
    /// The hyphens at the ends of lines, which are in no word.
    pub(super) hyphens: String,
}

/// A paragraph on its way to the text.
struct Piece {
    paragraph: Paragraph,
    /// The column that it stands in, counted through all pages; running heads stand in none.
    column: Option<usize>,
    hint: Option<Hint>,
}

/// Sets the words of the pages.
pub(super) fn set(pages: Vec<Vec<Word>>) -> Setting {
    let body = lines::size(pages.iter().flatten());
    let mut pieces = Vec::new();
    let mut column = 0;
    for words in pages {
        let mut rows = columns::rows(words);
        let (head, foot) = (heads(&rows, body), feet(&rows, body));
        let foot: Vec<Row> = rows.drain(rows.len() - foot..).collect();
        let inner: Vec<Row> = rows.drain(head..).collect();
        pieces.extend(rows.into_iter().flat_map(head_pieces));
        for words in columns::in_order(inner.into_iter().flat_map(|row| row.words).collect(), body) {
            let paragraphs = lines::paragraphs(words, body);
            let piece = |paragraph| Piece { paragraph, column: Some(column), hint: None };
            pieces.extend(paragraphs.into_iter().map(piece));
            column += 1;
        }
        pieces.extend(foot.into_iter().flat_map(head_pieces));
    }
    hint_repeated(&mut pieces);
    let pieces = joined(pieces, body);
    write(hinted(pieces, body))
}

/// A row at the head or foot of a page: one line where it is a running head, else the pieces that stand far apart.
fn head_pieces(mut row: Row) -> Vec<Piece> {
    let size = lines::size(row.words.iter());
    let text = lines::line(row.words.clone()).text;
    let texts = if page::is_running_head(&text) {
        vec![text]
    } else {
        row.words.sort_by(|a, b| a.left.total_cmp(&b.left));
        let pieces = row.words.chunk_by(|before, word| word.left - before.right < PIECES_APART * size);
        pieces.map(|words| lines::line(words.to_vec()).text).collect()
    };
    let piece = |text| {
        let paragraph = Paragraph { lines: vec![text], size, indented: true, full: false };
        Piece { paragraph, column: None, hint: None }
    };
    texts.into_iter().map(piece).collect()
}

/// How many rows at the top of a page are its running head: small type on one line with a number or a label, apart from what stands
/// below.
fn heads(rows: &[Row], body: f64) -> usize {
    let white = columns::usual_gap(rows, body) + MARGIN * body;
    let most = MAX_HEADS.min(rows.len().saturating_sub(1));
    let apart = |n: usize| rows[n + 1].top - rows[n].bottom >= white;
    (0..most).take_while(|&n| is_head(&rows[n], body)).filter(|&n| apart(n)).last().map_or(0, |n| n + 1)
}

/// The same at the foot.
fn feet(rows: &[Row], body: f64) -> usize {
    let white = columns::usual_gap(rows, body) + MARGIN * body;
    let n_rows = rows.len();
    let most = MAX_HEADS.min(n_rows.saturating_sub(heads(rows, body) + 1));
    let apart = |n: usize| rows[n_rows - n].top - rows[n_rows - n - 1].bottom >= white;
    (1..=most).take_while(|&n| is_head(&rows[n_rows - n], body)).filter(|&n| apart(n)).last().unwrap_or(0)
}

fn is_head(row: &Row, body: f64) -> bool {
    let small = row.words.iter().all(|word| word.size < HEADLINE * body || word.characters() <= 4);
    let tells = |c: char| c.is_ascii_digit() || c == '：' || c == ':';
    small && row.height() < 2.5 * body && row.words.iter().any(|word| word.text.contains(tells))
}

/// What stands on several pages, but for its numbers, is no part of any article.
fn hint_repeated(pieces: &mut [Piece]) {
    let key = |piece: &Piece| -> String {
        let text = piece.paragraph.lines.concat();
        text.chars().filter(|c| !c.is_ascii_digit() && !c.is_whitespace()).collect()
    };
    let mut times: HashMap<String, usize> = HashMap::new();
    for piece in pieces.iter().filter(|piece| piece.column.is_none()) {
        *times.entry(key(piece)).or_default() += 1;
    }
    for piece in pieces.iter_mut().filter(|piece| piece.column.is_none()) {
        if times.get(&key(piece)).is_some_and(|n| *n > 1) {
            piece.hint = Some(Hint::Furniture);
        }
    }
}

/// Joins a paragraph that goes on in the next column, or on the next page.
fn joined(pieces: Vec<Piece>, body: f64) -> Vec<Piece> {
    let is_text = |piece: &Piece| piece.column.is_some() && piece.paragraph.size < LARGE * body;
    let indents = pieces.iter().filter(|piece| is_text(piece) && piece.paragraph.indented).count() * 3
        > pieces.iter().filter(|piece| is_text(piece)).count();
    let mut joined: Vec<Piece> = Vec::with_capacity(pieces.len());
    // The last that stands in a column.
    let mut before: Option<usize> = None;
    for piece in pieces {
        if let Some(before) = before
            && is_text(&piece)
            && is_text(&joined[before])
            && piece.column != joined[before].column
            && is_text_of_column(&joined, before)
            && goes_on(&joined[before].paragraph, &piece.paragraph, indents)
        {
            let above = &mut joined[before];
            above.paragraph.lines.extend(piece.paragraph.lines);
            above.paragraph.full = piece.paragraph.full;
            above.column = piece.column;
            continue;
        }
        before = piece.column.map(|_| joined.len()).or(before);
        joined.push(piece);
    }
    joined
}

/// Whether a piece is of the text of its column, and not a name or line alone above others.
fn is_text_of_column(pieces: &[Piece], at: usize) -> bool {
    let lines = &pieces[at].paragraph.lines;
    let follows = at > 0 && pieces[at - 1].column == pieces[at].column;
    (lines.len() > 1 || follows) && (lines.len() > 2 || byline::parse(&lines.concat()).is_none())
}

/// Whether a paragraph at a column's top goes on with the one at the foot of the column before.
fn goes_on(above: &Paragraph, below: &Paragraph, indents: bool) -> bool {
    let last = above.lines.last().map_or("", String::as_str);
    let ends = last.ends_with(['。', '！', '？', '.', '!', '?', '”', '"', '：', ':', '…', '）', ')']);
    if below.indented || !above.full {
        return false;
    }
    let title = below.lines.len() == 1
        && !below.full
        && !below.lines[0].ends_with(['。', '.', '”', '！', '？', '!', '?']);
    !ends || (indents && !title)
}

/// Says which pieces are headlines.
fn hinted(mut pieces: Vec<Piece>, body: f64) -> Vec<Piece> {
    let largest =
        pieces.iter().filter(|piece| may_head(piece)).map(|piece| piece.paragraph.size).fold(0.0, f64::max);
    let least = if largest >= HEADLINE * body { HEADLINE } else { LARGE } * body;
    let heads = |piece: &Piece| {
        let size = piece.paragraph.size;
        may_head(piece) && size >= least && (size >= SUBHEAD * body || size >= OF_LARGEST * largest)
    };
    let mut n = 0;
    while n < pieces.len() {
        // Of the large lines above a text the largest is its headline; the others stand around it.
        let end = (n..pieces.len()).find(|&at| !heads(&pieces[at])).unwrap_or(pieces.len());
        let size = |at: &usize| pieces[*at].paragraph.size;
        if let Some(head) = (n..end).max_by(|a, b| size(a).total_cmp(&size(b))) {
            pieces[head].hint = Some(Hint::Headline);
        }
        n = end.max(n + 1);
    }
    if largest >= least {
        // A headline that is as small as the text, but has its author's name below it.
        for n in 0..pieces.len().saturating_sub(1) {
            let apart = n == 0 || !heads(&pieces[n - 1]);
            if apart && pieces[n].hint.is_none() && is_signed(&pieces[n], &pieces[n + 1]) {
                pieces[n].hint = Some(Hint::Headline);
            }
        }
    }
    pieces
}

/// Whether a text can be a headline by its length and its end.
fn may_head(piece: &Piece) -> bool {
    let text = piece.paragraph.lines.concat();
    let long: usize = text.chars().map(typography::columns).sum();
    piece.column.is_some()
        && long <= MAX_HEADLINE
        && text.chars().filter(|c| c.is_alphanumeric()).count() > 2
        && !text.ends_with(['。', '；', '，', ',', ';'])
}

/// Whether a piece is a title with an author's name right below it.
fn is_signed(piece: &Piece, below: &Piece) -> bool {
    let (text, name) = (piece.paragraph.lines.concat(), below.paragraph.lines.concat());
    let ends = text.ends_with(['.', '！', '？', '：', '”', '）', ':', ')']);
    may_head(piece)
        && !ends
        && piece.paragraph.lines.len() <= 2
        && below.column == piece.column
        && byline::parse(&text).is_none()
        && byline::parse(&name).is_some()
}

/// Writes each piece as a line, with a blank one between two.
fn write(pieces: Vec<Piece>) -> Setting {
    let mut setting = Setting::default();
    let compounds: HashSet<String> = pieces
        .iter()
        .flat_map(|piece| &piece.paragraph.lines)
        .flat_map(|line| line.split_whitespace())
        .filter(|word| word.trim_end_matches(is_hyphen).contains('-'))
        .map(|word| core(word).to_lowercase())
        .collect();
    let mut number = 1;
    for piece in pieces {
        let mut text = String::new();
        let mut is_chinese = false;
        for line in &piece.paragraph.lines {
            append(&mut text, line, is_chinese, &compounds, &mut setting.hyphens);
            is_chinese |= line.chars().any(typography::is_han);
        }
        if let Some(hint) = piece.hint {
            setting.hints.insert(number, hint);
        }
        // What a font has for a line's end would be one in our text, too.
        setting.text.extend(text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }));
        setting.text.push_str("\n\n");
        number += 2;
    }
    setting
}

fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}' | '\u{AD}')
}

fn core(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

/// The last of a text, at most so long.
fn end_of(text: &str, most: usize) -> &str {
    text.char_indices().nth_back(most).map_or(text, |(at, _)| &text[at..])
}

/// Adds a line to the text of its paragraph, which may have Chinese in it. A hyphen that parts a word at the line's end goes,
/// unless the word has one elsewhere.
fn append(
    text: &mut String,
    line: &str,
    is_chinese: bool,
    compounds: &HashSet<String>,
    hyphens: &mut String,
) {
    // Where a word might be parted but is not, its hyphen is not seen.
    let end = line.trim_end_matches(is_hyphen).len();
    let soft = |(at, c): &(usize, char)| *c == '\u{AD}' && !(*at == end && at + c.len_utf8() == line.len());
    hyphens.extend(line.char_indices().filter(soft).map(|(_, c)| c));
    let line: String = line.char_indices().filter(|found| !soft(found)).map(|(_, c)| c).collect();
    let line = line.as_str();
    let lower = line.starts_with(char::is_lowercase);
    if let Some(hyphen) = text.chars().next_back().filter(|c| is_hyphen(*c) && lower) {
        let first = &text[..text.len() - hyphen.len_utf8()];
        let parted = first.ends_with(char::is_alphabetic);
        let left = end_of(first, MAX_WORD).split_whitespace().next_back().map_or("", core);
        let right = line.split_whitespace().next().map_or("", core);
        let compound = hyphen != '\u{AD}' && compounds.contains(&format!("{left}-{right}").to_lowercase());
        if parted && !compound {
            text.truncate(first.len());
            hyphens.push(hyphen);
        }
        text.push_str(line);
        return;
    }
    let number =
        text.ends_with(|c: char| c.is_ascii_digit()) && line.starts_with(|c: char| c.is_ascii_digit());
    if !(number && is_chinese) {
        let joint = typography::joint(text, line);
        text.push_str(joint);
    }
    text.push_str(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[&str], expected: &str, expected_hyphens: &str) {
        let paragraph = Paragraph {
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            size: 10.0,
            indented: true,
            full: true,
        };
        let setting = write(vec![Piece { paragraph, column: Some(0), hint: None }]);
        assert_eq!((setting.text.trim(), setting.hyphens.as_str()), (expected, expected_hyphens));
    }

    #[test]
    fn lines_join_and_hyphens_go() {
        check(&["the old fer-", "ryman has"], "the old ferryman has", "-");
        check(&["the old ferry\u{AD}", "man"], "the old ferryman", "\u{AD}");
        check(&["the fer\u{AD}ry\u{AD}\u{2010}", "man"], "the ferryman", "\u{AD}\u{AD}\u{2010}");
        check(
            &["a well-known one, and a well-", "known other"],
            "a well-known one, and a well-known other",
            "",
        );
        check(&["in 1914-", "1918, Anglo-", "Saxon"], "in 1914- 1918, Anglo- Saxon", "");
        check(&["桥边的灯亮了20", "25年，用", "Rust"], "桥边的灯亮了2025年，用Rust", "");
    }

    #[test]
    fn a_word_that_is_parted_in_every_line_joins_as_any_other() {
        check(&vec!["ab-"; 20_000], &("ab".repeat(20_000) + "-"), &"-".repeat(19_999));
        check(&vec!["1"; 20_000], "1 ".repeat(20_000).trim(), "");
    }
}
