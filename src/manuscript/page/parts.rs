//! Blocks told apart: paragraphs, titles, bylines, credit lines, captions, fragments.

use std::collections::HashSet;

use crate::{issue::Byline, proof::Doubt, typography};

use super::super::byline;
use super::super::credit::{self, Credit};
use super::super::draft::{Draft, excerpt};
use super::super::lexicon::Lexicon;
use super::reflow::Block;

/// What a block is.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Paragraph,
    /// A short text without a stop: a headline, subhead, kicker, or something else around an article.
    Title {
        /// The number of `#` before it.
        level: Option<u8>,
        /// Whether it begins with a number, as only subheads do.
        numbered: bool,
    },
    Byline(Vec<Byline>),
    /// The name of a column, which the lexicon knows: an article begins with it.
    Kicker,
    Credit(Credit),
    Caption,
}

/// A block with its kind.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) kind: Kind,
    pub(super) text: String,
    pub(super) line: usize,
    /// See [`Block::seam`].
    pub(super) seam: bool,
}

impl Part {
    pub(super) fn is_paragraph(&self) -> bool {
        matches!(self.kind, Kind::Paragraph)
    }

    pub(super) fn is_title(&self) -> bool {
        matches!(self.kind, Kind::Title { .. })
    }

    pub(super) fn level(&self) -> Option<u8> {
        match self.kind {
            Kind::Title { level, .. } => level,
            _ => None,
        }
    }
}

/// The longest title in Chinese characters: two lines of the widest column headline, 17 to the line.
const MAX_TITLE: usize = 34;

/// The longest title in Latin letters: some fourteen words.
const MAX_LATIN_TITLE: usize = 90;

/// The longest text, in characters, that is too short to be anything.
const MAX_FRAGMENT: usize = 2;

/// A paragraph's remainder is at most a line of a column.
const MAX_REMAINDER: usize = 25;

/// Quotation marks of a longer text, in bytes, are not counted: it is joined piece by piece, and counted each time.
const MAX_QUOTED: usize = 10_000;

/// Tells the blocks apart and joins the pieces of paragraphs. Marks go to `marks`, fragments to the draft.
pub(super) fn tell_apart(
    blocks: Vec<Block>,
    lexicon: &Lexicon,
    marks: &mut Vec<String>,
    draft: &mut Draft,
) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::with_capacity(blocks.len());
    for mut block in blocks {
        let (text, line) = (&mut block.text, block.line);
        let bold = text.len() > 4
            && text.starts_with("**")
            && text.ends_with("**")
            && text.matches("**").count() == 2;
        if bold {
            marks.push("****".to_owned());
            *text = text[2..text.len() - 2].trim().to_owned();
        }
        let credit = credit::at_end(text).filter(|_| block.level.is_none());
        let Some((start, credit)) = credit else {
            push(&mut parts, block, lexicon, draft);
            continue;
        };
        let stars = text[start..].matches('*').count().saturating_sub(credit.printed.matches('*').count());
        if stars > 0 {
            marks.push("*".repeat(stars));
        }
        let before = text[..start].trim_end().to_owned();
        if is_second_reading(&before, parts.last()) {
            draft.query(
                Doubt::Fragment,
                line,
                format!("the line above, read twice, left out: {}", excerpt(&before)),
            );
            draft.set_aside(&before);
        } else if !before.is_empty() {
            push(&mut parts, Block { text: before, ..block }, lexicon, draft);
        }
        parts.push(Part { text: credit.printed.clone(), kind: Kind::Credit(credit), line, seam: false });
    }
    rejoin(parts, draft)
}

/// Short pieces that have a comma and look like titles, but go on in the paragraph below: the characters that meet
/// where they are parted are a pair that the page has elsewhere as well.
fn rejoin(parts: Vec<Part>, draft: &mut Draft) -> Vec<Part> {
    let suspect = |part: &Part| {
        matches!(part.kind, Kind::Title { level: None, numbered: false })
            && part.text.contains(['，', ',', '、'])
    };
    if !parts.iter().any(suspect) {
        return parts;
    }
    let mut pairs: HashSet<(char, char)> = HashSet::new();
    for part in parts.iter().filter(|part| part.is_paragraph()) {
        pairs.extend(part.text.chars().zip(part.text.chars().skip(1)));
    }
    let mut joined: Vec<Part> = Vec::with_capacity(parts.len());
    for part in parts {
        if let Some(above) = joined.last_mut().filter(|above| part.is_paragraph() && suspect(above)) {
            let seam = above.text.chars().next_back().zip(part.text.chars().next());
            if seam.is_some_and(|pair| pairs.contains(&pair)) && goes_on(&above.text, &part.text) {
                above.kind = Kind::Paragraph;
                join_to(above, &part.text, part.line, draft);
                continue;
            }
        }
        joined.push(part);
    }
    joined
}

fn push(parts: &mut Vec<Part>, block: Block, lexicon: &Lexicon, draft: &mut Draft) {
    let Block { text, line, level, seam, .. } = block;
    let kind = if let Some(bylines) = byline::parse_with(&text, lexicon) {
        Kind::Byline(bylines)
    } else if lexicon.is_kicker(&text) {
        Kind::Kicker
    } else if level.is_some() {
        Kind::Title { level, numbered: is_numbered(&text) }
    } else if is_caption(&text) {
        Kind::Caption
    } else if is_title(&text) {
        if text.chars().filter(|c| c.is_alphanumeric()).count() <= MAX_FRAGMENT {
            draft.query(Doubt::Fragment, line, format!("too short to be anything, left out: {text}"));
            draft.set_aside(&text);
            return;
        }
        Kind::Title { level, numbered: is_numbered(&text) }
    } else {
        Kind::Paragraph
    };
    if matches!(kind, Kind::Paragraph) && !seam && join(parts, &text, line, draft) {
        return;
    }
    parts.push(Part { kind, text, line, seam });
}

/// Joins a piece to the paragraph that it goes on with; says whether it did.
fn join(parts: &mut [Part], text: &str, line: usize, draft: &mut Draft) -> bool {
    let [.., before, last] = parts else {
        return match parts {
            [only] => join_to(only, text, line, draft),
            _ => false,
        };
    };
    if join_to(last, text, line, draft) {
        return true;
    }
    // A remainder of a line or less that stands below a subhead, with its paragraph above.
    last.is_title() && text.chars().count() <= MAX_REMAINDER && join_to(before, text, line, draft)
}

fn join_to(part: &mut Part, text: &str, line: usize, draft: &mut Draft) -> bool {
    if !part.is_paragraph() || !goes_on(&part.text, text) {
        return false;
    }
    draft.query(Doubt::Joined, line, format!("joined to the paragraph above: {}", excerpt(text)));
    let joint = typography::joint(&part.text, text);
    part.text.push_str(joint);
    part.text.push_str(text);
    true
}

/// Whether a paragraph ends like a sentence: with a stop, or with what may follow one.
pub(super) fn ends(text: &str) -> bool {
    let text = text.trim_end_matches('*');
    if text.ends_with('"') && text.len() <= MAX_QUOTED && text.matches('"').count() % 2 == 1 {
        // A straight quotation mark without its partner opens what follows.
        return false;
    }
    text.ends_with(|c: char| "。！？；：…”’）】」』.!?:;\"')]".contains(c))
}

fn goes_on(above: &str, below: &str) -> bool {
    if ends(above) {
        return false;
    }
    let chinese = |text: &mut dyn Iterator<Item = char>| text.take(8).any(typography::is_wide);
    if chinese(&mut above.chars().rev()) || chinese(&mut below.chars()) {
        return true;
    }
    // Latin paragraphs often lack a stop; one goes on only where the next begins in lower case.
    below.starts_with(char::is_lowercase) || above.ends_with([',', '-'])
}

/// Whether a text is a second reading of the end of the line above: a few characters, some of them the same.
fn is_second_reading(text: &str, above: Option<&Part>) -> bool {
    let Some(above) = above.filter(|part| part.is_paragraph() && ends(&part.text)) else { return false };
    let characters: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
    let mut tail: Vec<char> = above.text.chars().rev().filter(|c| c.is_alphanumeric()).take(12).collect();
    tail.reverse();
    (1..=8).contains(&characters.len())
        && characters.windows(2).any(|pair| tail.windows(2).any(|other| pair == other))
}

/// Whether a text can be a title: short, without a stop inside or a comma at its end.
pub(super) fn is_title(text: &str) -> bool {
    let length = text.chars().filter(|c| !c.is_whitespace()).count();
    let chinese = text.chars().any(typography::is_wide);
    if length > if chinese { MAX_TITLE } else { MAX_LATIN_TITLE } {
        return false;
    }
    if text.contains(['。', '；']) || text.ends_with(['，', '、', '：', ',', ':', ';', '.']) {
        return false;
    }
    // A sentence of dialogue is a paragraph.
    !(text.starts_with(['“', '"', '「'])
        && text.ends_with(['”', '"', '」'])
        && text.contains(['！', '？', '，', '!', '?']))
}

/// Whether a title is numbered: 一、 （二） 3. 第四章.
pub(super) fn is_numbered(text: &str) -> bool {
    let inner = text.trim_start_matches(['（', '(']);
    let bracketed = inner.len() < text.len();
    let core = inner.strip_prefix('第').unwrap_or(inner);
    let ordinal = core.len() < inner.len();
    let number: usize =
        core.chars().take_while(|c| "一二三四五六七八九十".contains(*c)).map(char::len_utf8).sum();
    let digits = core.bytes().take_while(u8::is_ascii_digit).count();
    let (length, after) = if number > 0 { (number / 3, &core[number..]) } else { (digits, &core[digits..]) };
    if !(1..=3).contains(&length) {
        return false;
    }
    let mut rest = after.chars();
    match rest.next() {
        Some('）' | ')') => bracketed || digits > 0,
        Some('、' | '．') => true,
        Some('.') => rest.next().is_none_or(|c| !c.is_ascii_digit()),
        Some('章' | '节' | '部' | '篇') => ordinal,
        _ => false,
    }
}

/// Whether a short text says what a picture shows: 图为……, ……摄.
fn is_caption(text: &str) -> bool {
    let short = text.chars().count() <= 80;
    let opens = ["图为", "图：", "图:", "上图", "下图", "左图", "右图", "题图", "▲", "△", "▼"]
        .iter()
        .any(|o| text.starts_with(o));
    let closes = ["资料图）", "资料图)", " 摄", " 摄）", "/摄", "\u{3000}摄", "供图", "供图）"]
        .iter()
        .any(|c| text.ends_with(c));
    short && (opens || closes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut draft = Draft::default();
        let block = Block { text: text.to_owned(), line: 1, level: None, seam: false, full: false };
        let parts = tell_apart(vec![block], &Lexicon::default(), &mut Vec::new(), &mut draft);
        let mut kinds: Vec<String> = parts
            .iter()
            .map(|part| match &part.kind {
                Kind::Paragraph => "paragraph".to_owned(),
                Kind::Title { numbered: true, .. } => "numbered".to_owned(),
                Kind::Title { .. } => "title".to_owned(),
                Kind::Byline(_) => "byline".to_owned(),
                Kind::Credit(_) => "credit".to_owned(),
                Kind::Kicker => "kicker".to_owned(),
                Kind::Caption => "caption".to_owned(),
            })
            .collect();
        kinds.extend(draft.not_used.iter().map(|text| format!("not used: {text}")));
        assert_eq!(kinds.join(" + "), expected, "{text}");
    }

    #[test]
    fn blocks_are_told_apart_by_their_shape() {
        check("老桥重修以后", "title");
        check("老桥重修以后，", "paragraph");
        check("桥修好了。", "paragraph");
        check("一、桥的来历", "numbered");
        check("（二）桥的去处", "numbered");
        check("3. 桥的用处", "numbered");
        check("3.5公里的桥", "title");
        check("图为重修的老桥", "caption");
        check("李小雨", "byline");
        check("桥", "not used: 桥");
        check("“你来了吗？”", "paragraph");
        check("桥修好了。（原载《河畔日报》2025年3月1日）", "paragraph + credit");
        check("**（原载《河畔日报》2025年3月1日）**", "credit");
        check("A bridge for the town", "title");
        check("A bridge for the town.", "paragraph");
    }

    #[test]
    fn a_piece_that_does_not_go_on_loses_nothing() {
        super::super::super::tests::check_conserved(
            "ferry, bridge 8=\n==they were closed.\n\nThe fare is what it was.\n",
        );
    }

    #[track_caller]
    fn check_join(above: &str, below: &str, expected: bool) {
        assert_eq!(goes_on(above, below), expected, "{above} | {below}");
    }

    #[test]
    fn a_paragraph_without_a_stop_goes_on() {
        check_join("桥下的水", "流得很慢。", true);
        check_join("桥下的水。", "流得很慢。", false);
        check_join("the old", "bridge is closed.", true);
        check_join("The Old Bridge", "It is closed.", false);
    }
}
