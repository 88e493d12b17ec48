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

use jiff::civil::Date;

use super::draft::Draft;
use super::lexicon::Lexicon;
use super::{gutenberg, typescript};
use spaces::Spaces;

/// Reads a page. `dated` is the date in its file's name, which tells the year of credit lines when the page does not.
pub(super) fn read(text: &str, dated: Option<Date>, lexicon: &Lexicon) -> Draft {
    let mut draft = Draft::default();
    let book = gutenberg::cut(text, &mut draft);
    let text = book.as_deref().unwrap_or(text);
    if typescript::read(text, &mut draft) {
        return draft;
    }
    let lines = clean::clean(text, lexicon, &mut draft);
    let spaces = Spaces::of(lines.iter().map(|line| line.text));
    let (mut blocks, mut marks) = reflow::reflow(&lines, lexicon, &mut draft);
    if spaces == Spaces::Noise {
        blocks = seams::part(blocks);
    }
    let parts = parts::tell_apart(blocks, lexicon, &mut marks, &mut draft);
    compose::compose(parts, spaces, dated, &mut marks, &mut draft);
    draft.set_aside(&marks.join(" "));
    draft
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
