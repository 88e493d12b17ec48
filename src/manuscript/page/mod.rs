//! The plain-text page: lines without furniture, lines to paragraphs, paragraphs to articles.

mod spaces;

mod furniture;
mod undouble;
mod clean;
mod reflow;
mod seams;
mod parts;
mod vocabulary;
mod assignment;
mod compose;

use jiff::civil::Date;

use super::draft::Draft;
use super::{gutenberg, typescript};
use spaces::Spaces;

/// Reads a page. `dated` is the date in its file's name, which tells the year of credit lines when the page does not.
pub(super) fn read(text: &str, dated: Option<Date>) -> Draft {
    let mut draft = Draft::default();
    let book = gutenberg::cut(text, &mut draft);
    let text = book.as_deref().unwrap_or(text);
    if typescript::read(text, &mut draft) {
        return draft;
    }
    let lines = clean::clean(text, &mut draft);
    let spaces = Spaces::of(lines.iter().map(|line| line.text));
    let (mut blocks, mut marks) = reflow::reflow(&lines, &mut draft);
    if spaces == Spaces::Noise {
        blocks = seams::part(blocks);
    }
    let parts = parts::tell_apart(blocks, &mut marks, &mut draft);
    compose::compose(parts, spaces, dated, &mut marks, &mut draft);
    draft.set_aside(&marks.join(" "));
    draft
}
