//! Seams inside a line: where a text layer whose line breaks became spaces went on with another frame of the page.

use crate::typography;

use super::reflow::Block;

/// Before a seam there are at least so many spaces between wide characters: the ends of a column's lines.
const SPACES_BEFORE: usize = 2;

/// After a seam there are at least so many characters without one: no column is so wide.
const CHARACTERS_AFTER: usize = 100;

/// Parts every block in which spaces, the ends of a narrow column's lines, stop for good after a full stop: the rest comes
/// from another frame, perhaps from another article. It becomes a block of its own, with a seam.
pub(super) fn part(blocks: Vec<Block>) -> Vec<Block> {
    let mut parted = Vec::with_capacity(blocks.len());
    for mut block in blocks {
        let rest = seam(&block.text).map(|at| block.text.split_off(at));
        let (line, full) = (block.line, block.full);
        block.text.truncate(block.text.trim_end().len());
        parted.push(block);
        parted.extend(rest.map(|text| Block { text, line, level: None, seam: true, full }));
    }
    parted
}

/// Where the text after a seam begins, in bytes.
fn seam(text: &str) -> Option<usize> {
    let mut spaces = 0;
    let mut seam = None;
    let mut before = None;
    for (at, c) in text.char_indices().filter(|(_, c)| !c.is_whitespace()) {
        let spaced = text[..at].ends_with(char::is_whitespace);
        let wide =
            |c: char| typography::is_wide(c) || typography::is_shared_mark(c) || c.is_ascii_punctuation();
        if spaced && before.is_some_and(wide) && wide(c) {
            let stops = before.is_some_and(|c| "。！？!?".contains(c)) && spaces >= SPACES_BEFORE;
            seam = stops.then_some(at);
            spaces += 1;
        }
        before = Some(c);
    }
    seam.filter(|&at| text[at..].chars().count() >= CHARACTERS_AFTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, rest: Option<&str>) {
        assert_eq!(seam(text).map(|at| &text[at..]), rest, "{text}");
    }

    #[test]
    fn a_text_goes_on_in_another_frame_where_its_line_ends_stop() {
        let narrow = "河岸的 树今年又 绿了一遍, 人们都说好。";
        let wide = "渡口的书架搬到了对岸,".repeat(10);
        check(&format!("{narrow} {wide}"), Some(&wide));
        check(&format!("{narrow}{wide}"), None);
        check(&format!("{narrow} 渡口的书架搬到了对岸。"), None);
        check(&format!("河岸的树又绿了一遍。 {wide}"), None);
        check(&format!("{narrow} {wide} 又过了一年。"), None);
    }
}
