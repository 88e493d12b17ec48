//! Lines to blocks: wrapped lines become one text, a blank line or an indent begins the next.

use crate::{proof::Doubt, typography};

use super::super::draft::{Draft, excerpt};
use super::super::lexicon::Lexicon;
use super::super::{byline, credit};
use super::clean::Line;
use super::headings::{self, Heading, Headings};
use super::parts;

/// A run of text between two breaks of the page: a paragraph or a piece of one, a title, a byline.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) text: String,
    /// The line where it begins.
    pub(super) line: usize,
    /// The number of `#` before it.
    pub(super) level: Option<u8>,
    /// Whether it begins with an indent alone where all other paragraphs stand after a blank line: the text layer
    /// went on with another frame of the page.
    pub(super) seam: bool,
    /// Whether its last line is as long as its column is wide.
    pub(super) full: bool,
}

/// The widest column, in columns of a fixed-width page, whose lines are wrapped ones: e-mail and typescripts have
/// up to 80, newspapers 26 to 60.
const WIDEST_COLUMN: usize = 90;

/// The page's blocks and its Markdown marks (`#`, `**`), which are in no block.
pub(super) fn reflow(
    lines: &[Line<'_>],
    headings: &Headings<'_>,
    lexicon: &Lexicon,
    draft: &mut Draft,
) -> (Vec<Block>, Vec<String>) {
    let wrapped = is_wrapped(lines);
    let indents = indents_begin_paragraphs(lines);
    let mut flow = Flow { blocks: Vec::new(), open: false, widest: 0, shortest_open: 0, marks: Vec::new() };
    let mut in_credit = false;
    for (index, line) in lines.iter().enumerate() {
        if line.text.is_empty() {
            flow.close();
            in_credit = false;
            continue;
        }
        if let Some(Heading { level, text }) = headings.of_lines[index] {
            flow.close();
            // Those before the text, and those that close it.
            flow.marks.push("#".repeat(line.text.matches('#').count() - text.matches('#').count()));
            if !text.is_empty() {
                flow.begin(line, text, Some(level), false);
            }
            flow.close();
            continue;
        }
        if headings::is_rule(line.text) {
            flow.close();
            flow.marks.push(line.text.to_owned());
            continue;
        }
        let text = line.text;
        let after_blank = index == 0 || lines[index - 1].text.is_empty();
        let opens_credit = credit::opens(text);
        let begins = !flow.open
            || !wrapped
            || (indents && line.indented)
            || (opens_credit && !in_credit)
            || (in_credit && !flow.in_open_credit())
            || flow.is_byline_after_title(text, lines.get(index + 1), lexicon)
            || (indents && is_title_after_sentence(&lines[..=index], &lines[index + 1..]))
            || (indents && flow.is_name_after_title(text));
        if begins && !(in_credit && flow.in_open_credit()) {
            let seam = indents && line.indented && !after_blank && flow.open;
            flow.close();
            flow.begin(line, text, None, seam);
            in_credit = opens_credit;
        } else {
            flow.append(text);
        }
    }
    flow.close();
    if wrapped {
        join_hanging_quotes(&mut flow.blocks, draft);
    }
    (flow.blocks, flow.marks)
}

struct Flow {
    blocks: Vec<Block>,
    /// Whether the last block takes more lines.
    open: bool,
    /// The widest line of the open block, and the width of its last line.
    widest: usize,
    shortest_open: usize,
    marks: Vec<String>,
}

impl Flow {
    fn begin(&mut self, line: &Line<'_>, text: &str, level: Option<u8>, seam: bool) {
        let block = Block { text: text.to_owned(), line: line.number, level, seam, full: false };
        self.blocks.push(block);
        self.open = true;
        self.widest = width(text);
        self.shortest_open = self.widest;
    }

    fn append(&mut self, text: &str) {
        if let Some(block) = self.blocks.last_mut() {
            let joint = column_joint(&block.text, text);
            block.text.push_str(joint);
            block.text.push_str(text);
        }
        self.shortest_open = width(text);
        self.widest = self.widest.max(self.shortest_open);
    }

    fn close(&mut self) {
        if self.open
            && let Some(block) = self.blocks.last_mut()
        {
            // Punctuation may hang over a column's edge, so that a full line is up to a character short of the widest.
            block.full = self.shortest_open + 2 >= self.widest;
        }
        self.open = false;
    }

    fn in_open_credit(&self) -> bool {
        self.open
            && self
                .blocks
                .last()
                .is_some_and(|block| credit::opens(&block.text) && credit::at_end(&block.text).is_none())
    }

    /// Whether a line that ends with somebody's name stands right below a title.
    fn is_name_after_title(&self, text: &str) -> bool {
        byline::ends_with_name(text)
            && self.blocks.last().is_some_and(|block| !is_long(&block.text) && !parts::ends(&block.text))
    }

    /// Whether a line names an author right below a title, without a blank line between.
    fn is_byline_after_title(&self, text: &str, next: Option<&Line<'_>>, lexicon: &Lexicon) -> bool {
        let ends = next.is_none_or(|next| next.text.is_empty() || next.indented);
        ends && self.blocks.last().is_some_and(|block| !is_long(&block.text))
            && byline::parse_with(text, lexicon).is_some()
    }
}

/// Whether the last of the lines `so_far` is a title that no blank line sets apart: it stands behind the end of a sentence, has no stop itself,
/// and the paragraph below it, or below one more such line, begins with an indent. A paragraph's own last line would have a stop.
fn is_title_after_sentence(so_far: &[Line<'_>], below: &[Line<'_>]) -> bool {
    let [.., above, line] = so_far else { return false };
    let may_be_title = |line: &Line<'_>| {
        !line.text.is_empty() && !line.indented && !parts::ends(line.text) && parts::is_title(line.text)
    };
    let mut below = below.iter();
    let indented = match below.next() {
        Some(next) if may_be_title(next) => below.next(),
        next => next,
    };
    parts::ends(above.text)
        && may_be_title(line)
        && indented.is_some_and(|next| next.indented && !next.text.is_empty())
}

/// Whether a text is longer than a title.
fn is_long(text: &str) -> bool {
    text.chars().nth(34).is_some()
}

/// What stands between two lines of a column. A number that meets the end of a Chinese line is parted without a mark.
fn column_joint(above: &str, below: &str) -> &'static str {
    let number =
        above.ends_with(|c: char| c.is_ascii_digit()) && below.starts_with(|c: char| c.is_ascii_digit());
    if number && above.chars().any(typography::is_han) { "" } else { typography::joint(above, below) }
}

fn width(text: &str) -> usize {
    text.chars().map(typography::columns).sum()
}

/// Whether the page's lines end where its columns do: over half of them are directly followed by another, and half
/// are narrower than the widest column.
fn is_wrapped(lines: &[Line<'_>]) -> bool {
    let mut widths: Vec<usize> = lines.iter().filter(|l| !l.text.is_empty()).map(|l| width(l.text)).collect();
    let followed =
        lines.windows(2).filter(|pair| !pair[0].text.is_empty() && !pair[1].text.is_empty()).count();
    if followed * 2 <= widths.len() {
        return false;
    }
    let middle = widths.len() / 2;
    let (_, median, _) = widths.select_nth_unstable(middle);
    *median <= WIDEST_COLUMN
}

/// Whether an indent begins a paragraph: when some lines have one and most have none.
fn indents_begin_paragraphs(lines: &[Line<'_>]) -> bool {
    let printed = lines.iter().filter(|l| !l.text.is_empty()).count();
    let indented = lines.iter().filter(|l| !l.text.is_empty() && l.indented).count();
    indented > 0 && indented * 2 < printed
}

/// A quotation mark hangs out of its column, so that a text layer sees a gap before its line: after a full line that
/// gap is no paragraph. The pieces are marked as one by joining them.
fn join_hanging_quotes(blocks: &mut Vec<Block>, draft: &mut Draft) {
    let mut joined: Vec<Block> = Vec::with_capacity(blocks.len());
    for block in blocks.drain(..) {
        let hangs = block.text.starts_with(['“', '‘', '「', '『']) && block.level.is_none() && !block.seam;
        match joined.last_mut() {
            Some(before) if hangs && before.full && before.level.is_none() && is_long(&before.text) => {
                let text = format!("joined to the line above: {}", excerpt(&block.text));
                draft.query(Doubt::Joined, block.line, text);
                before.text.push_str(typography::joint(&before.text, &block.text));
                before.text.push_str(&block.text);
                before.full = block.full;
            }
            _ => joined.push(block),
        }
    }
    *blocks = joined;
}
