//! A long text in sheets, parsed one after the other: the tree of twenty megabytes takes many times as much memory.
//!
//! A sheet ends above a line that begins another block at the outermost level, whatever stands before it: one that follows a
//! blank line and begins with a letter or `#`, outside code and HTML. What links refer to may stand in another sheet.

use std::borrow::Cow;
use std::collections::HashMap;

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Options};

use super::name_of;

/// The longest text that is parsed as a whole, in bytes: fifty times an issue.
const WHOLE: usize = 1_000_000;

/// The least bytes of a sheet.
const SHEET: usize = 200_000;

/// More lines that say where links lead are no issue's, and would be looked up for too long.
const DEFINITIONS: usize = 5000;

/// How long a sheet of a text is, in bytes, at least. A text with notes is one sheet, whatever its length: they may refer to each
/// other from anywhere.
pub(super) fn length_for(text: &str) -> usize {
    let whole = text.len() <= WHOLE || has_notes(text) || candidates(text).nth(DEFINITIONS).is_some();
    if whole { text.len() } else { SHEET }
}

/// Gives `read` the tree of each sheet of at least so many bytes, with the number of lines above it.
pub(super) fn each(
    text: &str,
    least: usize,
    options: &Options<'_>,
    mut read: impl for<'a> FnMut(&'a AstNode<'a>, usize),
) {
    let definitions = if least < text.len() { definitions(text, options) } else { HashMap::new() };
    let (mut from, mut above) = (0, 0);
    let mut length = least;
    loop {
        let end = next_sheet(text, from + length);
        let sheet = &text[from..end];
        let arena = Arena::new();
        let root = comrak::parse_document(&arena, &with_definitions(sheet, &definitions), options);
        if end < text.len() && is_open(root) {
            // Twice as much at a time, so that what never closes is not parsed again and again.
            length = 2 * sheet.len();
            continue;
        }
        read(root, above);
        if end == text.len() {
            return;
        }
        above += sheet.matches('\n').count();
        (from, length) = (end, least);
    }
}

/// Where the first sheet begins at or after `from`: surely the first line of a block at the outermost level, if no code or HTML is
/// open there.
fn next_sheet(text: &str, from: usize) -> usize {
    let mut at = text.ceil_char_boundary(from);
    while let Some(blank) = text[at..].find("\n\n") {
        at += blank + 1;
        if text[at + 1..].starts_with(|c: char| c == '#' || c.is_alphabetic()) {
            return at + 1;
        }
    }
    text.len()
}

/// Whether code or HTML at the end of a sheet may go on below it.
fn is_open<'a>(root: &'a AstNode<'a>) -> bool {
    root.last_child().is_some_and(|last| match &last.data().value {
        NodeValue::CodeBlock(code) => code.fenced && !code.closed,
        // The kinds that a blank line does not end (`CommonMark` §4.6).
        NodeValue::HtmlBlock(block) => block.block_type <= 5,
        _ => false,
    })
}

/// The longest label of a link or note, in bytes: 999 characters (`CommonMark` §4.7).
const LABEL: usize = 4000;

/// What stands between the bracket before `at` and the next, if that closes.
fn label(text: &str, at: usize) -> Option<&str> {
    let mut rest = text.as_bytes()[at..].iter().take(LABEL);
    let end = at + rest.position(|byte| matches!(byte, b'[' | b']'))?;
    (text.as_bytes()[end] == b']').then(|| &text[at..end])
}

fn has_notes(text: &str) -> bool {
    text.match_indices("[^").any(|(at, _)| {
        label(text, at + 1).is_some_and(|label| text[at + 1 + label.len()..].starts_with("]:"))
    })
}

/// The lines of a text that may say where a link leads: none does inside a paragraph. Some of them may be code.
fn candidates(text: &str) -> impl Iterator<Item = &str> {
    let mut begins = true;
    text.lines().filter(move |line| {
        let is_candidate = begins && line.trim_start().starts_with('[') && line.contains("]:");
        begins = is_candidate || line.trim().is_empty();
        is_candidate
    })
}

/// The lines that say where links lead, by their labels. The first of a label stands, but in a sheet that has its own.
fn definitions<'t>(text: &'t str, options: &Options<'_>) -> HashMap<String, &'t str> {
    let mut definitions = HashMap::new();
    for line in candidates(text) {
        let Some(label) = line.find('[').and_then(|open| label(line, open + 1)) else { continue };
        let arena = Arena::new();
        // Nothing is shown of a definition, and nothing else shows nothing.
        if comrak::parse_document(&arena, line, options).first_child().is_none() {
            definitions.entry(name_of(label)).or_insert(line);
        }
    }
    definitions
}

/// A sheet with the definitions that its links may need, at its end.
fn with_definitions<'t>(sheet: &'t str, definitions: &HashMap<String, &str>) -> Cow<'t, str> {
    if definitions.is_empty() {
        return Cow::Borrowed(sheet);
    }
    let labels = sheet.match_indices('[').filter_map(|(at, _)| label(sheet, at + 1));
    let mut needed: Vec<&str> =
        labels.filter_map(|label| definitions.get(&name_of(label)).copied()).collect();
    needed.sort_unstable();
    needed.dedup();
    let mut text = sheet.to_owned();
    for definition in needed {
        text.push_str("\n\n");
        text.push_str(definition);
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::draft::Draft;
    use super::super::super::pictures::Album;
    use super::super::read_in_sheets;

    fn shown(draft: &Draft) -> String {
        format!("{:#?}\n{:#?}\n{:#?}\n{:?}", draft.articles, draft.queries, draft.not_used, draft.title)
    }

    #[track_caller]
    fn check(text: &str) {
        let whole = read_in_sheets(text, Album::default(), str::len);
        let sheets = read_in_sheets(text, Album::default(), |_| 1);
        assert_eq!(shown(&sheets), shown(&whole), "{text}");
    }

    #[test]
    fn a_text_in_sheets_reads_as_the_whole() {
        check("# A\n\nb [c] d [e][c]\n\n# F\n\ng\n\n[c]: https://example.org/\n");
        check("# A\n\n```\n\nb\n\n# C\n\n```\n\nd\n");
        check("a\n\n```\n\nb\n\nc\n");
        check("a\n\n<!--\n\nb\n\n# c\n\n-->\n\nd\n\n<div>\n\ne\n\n</div>\n\nf\n");
        check("a\n\n<p><script>\n\nb\n\n</script>\n\nc\n");
        check("- a\n\n  b\n\nc\n\n1. ```\n\nd\n\n```\n\ne\n\n> f\n\ng\n");
        check("---\ntitle: a\n---\n\nb\n\n# c\n\n![d](e.png)\n");
        check("");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_in_sheets_reads_as_the_whole(text in "(\n\n|\n\n|\n|a|桥|# |## |- |> |    |1\\. |```\n|~~~\n|<!--|-->|<div>|<script>|</script>|\\||\n-|\\*){0,60}") {
            check(&text);
        }

        // The words stand there because comrak follows references to no more bytes than it has read.
        #[test]
        fn links_lead_where_another_sheet_says(text in "(\n\n|\n\n|a|# |- |> |\\[a\\] and so many words|\\[b\\]\\[A  b\\] and so many words|\n\n\\[a\\]: https://a\\.b/\n|\n\n\\[a b\\]: https://a\\.b/c\n\n){0,40}") {
            check(&text);
        }
    }
}
