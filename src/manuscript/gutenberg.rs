//! What Project Gutenberg prints before and after its books: no reader of a periodical needs it, and it is not its text.

use crate::{issue, proof::Doubt, prose::Language};

use super::dates;
use super::draft::Draft;

/// Whether a text ends the header: `*** START OF THE PROJECT GUTENBERG EBOOK … ***`.
pub(super) fn opens(text: &str) -> bool {
    marked(text, "START OF")
}

/// Whether a text begins the licence.
pub(super) fn closes(text: &str) -> bool {
    marked(text, "END OF") || text.trim_start().starts_with("End of the Project Gutenberg E")
}

fn marked(text: &str, words: &str) -> bool {
    text.lines().any(|line| {
        line.trim().strip_prefix("***").is_some_and(|rest| {
            let rest = rest.trim_start();
            rest.starts_with(words) && rest.to_ascii_uppercase().contains("PROJECT GUTENBERG E")
        })
    })
}

/// A page of plain text without header and licence, its lines where they were; those go to `not_used`.
pub(super) fn cut(text: &str, draft: &mut Draft) -> Option<String> {
    let mut at = 0;
    let (mut start, mut end) = (None, text.len());
    for line in text.split_inclusive('\n') {
        if start.is_none() && opens(line) {
            start = Some(at + line.len());
        } else if start.is_some() && closes(line) {
            end = at;
            break;
        }
        at += line.len();
    }
    let start = start?;
    read_header(&text[..start], draft);
    draft.set_aside(&text[..start]);
    draft.set_aside(&text[end..]);
    let above = text[..start].matches('\n').count();
    Some("\n".repeat(above) + &text[start..end])
}

/// Reads the header's lines: title, editor, language.
pub(super) fn read_header(header: &str, draft: &mut Draft) {
    let value = |label: &str| {
        let found = header.lines().find_map(|line| line.trim().strip_prefix(label));
        found.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    };
    if let Some(title) = value("Title:") {
        draft.date = draft.date.or_else(|| dates::of_header(&title));
        if draft.date.is_some() {
            let text = format!("the date was read in the title: {}", issue::shorten(&title, 80));
            draft.query(Doubt::DateInferred, 1, text);
        }
        draft.title = Some(title);
    }
    if draft.editors.is_empty() {
        draft.editors.extend(value("Editor:"));
    }
    if draft.language.is_none() {
        let tag = value("Language:").and_then(|name| {
            let names = [
                ("English", "en"),
                ("German", "de"),
                ("French", "fr"),
                ("Spanish", "es"),
                ("Italian", "it"),
                ("Dutch", "nl"),
                ("Finnish", "fi"),
                ("Chinese", "zh"),
            ];
            names.iter().find(|(own, _)| *own == name).map(|(_, tag)| *tag)
        });
        draft.language = tag.and_then(Language::parse);
    }
}
