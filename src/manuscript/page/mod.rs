//! The plain-text page: lines without furniture, lines to paragraphs, paragraphs to articles.

mod spaces;

mod furniture;
mod undouble;
mod clean;
mod headings;
mod reflow;
mod seams;
mod parts;
mod vocabulary;
mod assignment;
mod bodies;
mod plan;
mod compose;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use jiff::civil::Date;

use super::draft::Draft;
use super::lexicon::Lexicon;
use super::{gutenberg, typescript};
use spaces::Spaces;

/// What the type of a line tells, where it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hint {
    /// It is set large above a text: a headline.
    Headline,
    /// It stands at the same place of several pages: no part of any article.
    Furniture,
}

/// What is known of lines, by their number.
pub(super) type Hints = HashMap<usize, Hint>;

/// Reads a page. `dated` is the date in its file's name, which tells the year of credit lines when the page does not.
pub(super) fn read(text: &str, dated: Option<Date>, lexicon: &Lexicon) -> Draft {
    let mut draft = Draft::default();
    let book = gutenberg::cut(text, &mut draft);
    let text = book.as_deref().unwrap_or(text);
    if typescript::read(text, &mut draft) {
        return draft;
    }
    read_lines(text, &Hints::new(), dated, lexicon, &mut draft);
    draft
}

/// Reads a page of whose lines the type is known: where some are headlines by their size, other short lines are none.
pub(super) fn read_set(text: &str, hints: &Hints, dated: Option<Date>, lexicon: &Lexicon) -> Draft {
    let mut draft = Draft::default();
    read_lines(text, hints, dated, lexicon, &mut draft);
    draft
}

fn read_lines(text: &str, hints: &Hints, dated: Option<Date>, lexicon: &Lexicon, draft: &mut Draft) {
    let lines = clean::clean(text, hints, lexicon, draft);
    let spaces = Spaces::of(lines.iter().map(|line| line.text));
    let headings = headings::find(&lines);
    let (mut blocks, mut marks) = reflow::reflow(&lines, &headings, lexicon, draft);
    if spaces == Spaces::Noise {
        blocks = seams::part(blocks);
    }
    let parts = parts::tell_apart(blocks, lexicon, &mut marks, draft);
    compose::compose(parts, headings.titles, spaces, dated, &mut marks, draft);
    draft.set_aside(&marks.join(" "));
}

/// Whether a line is a running head, which tells of date and section.
pub(super) fn is_running_head(line: &str) -> bool {
    furniture::running_head(line).is_some()
}

/// Whether the rules alone know a text as what a page prints around its articles.
pub(super) fn is_furniture(text: &str) -> bool {
    let known = |text: &str| {
        furniture::running_head(text).is_some()
            || !furniture::labelled(text).is_empty()
            || furniture::is_page_number(text)
    };
    known(text) || undouble::undouble(text).is_some_and(|once| known(&once))
}
