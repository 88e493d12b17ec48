//! Lines without what the page prints around its articles; what those lines tell of the issue goes to the draft.

use crate::{proof::Doubt, typography};

use super::super::draft::{Draft, excerpt};
use super::super::language;
use super::furniture::{self, Label};
use super::spaces;
use super::undouble::undouble;

/// A line of the manuscript.
#[derive(Debug, Clone)]
pub(super) struct Line<'t> {
    /// Counted from 1.
    pub(super) number: usize,
    /// Its text without white space at its ends; empty for a blank line.
    pub(super) text: &'t str,
    /// Whether white space stands before its text.
    pub(super) indented: bool,
}

/// The lines of a page without running heads, mastheads and page numbers.
pub(super) fn clean<'t>(text: &'t str, draft: &mut Draft) -> Vec<Line<'t>> {
    let mut lines: Vec<Line<'t>> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let (text, indented) = (line.trim(), line.starts_with(char::is_whitespace));
        // Many blank lines part no more than one.
        if !text.is_empty() || lines.last().is_some_and(|last| !last.text.is_empty()) {
            lines.push(Line { number, text, indented });
        }
    }
    let mut furniture = vec![false; lines.len()];
    for index in 0..lines.len() {
        // A line inside a paragraph may begin with a label by chance.
        let alone = index == 0 || lines[index - 1].text.is_empty() || furniture[index - 1];
        if alone && !lines[index].text.is_empty() {
            let ends = lines.get(index + 1).is_none_or(|next| next.text.is_empty());
            furniture[index] = read_line(&lines[index], ends, draft);
        }
    }
    read_nameplates(&lines, &mut furniture, draft);
    for (line, taken) in lines.iter_mut().zip(furniture) {
        if taken {
            draft.set_aside(line.text);
            line.text = "";
            line.indented = false;
        }
    }
    lines
}

/// Reads a line that is furniture into the draft; says whether it was.
fn read_line(line: &Line<'_>, ends: bool, draft: &mut Draft) -> bool {
    if read_text(line.text, line.number, draft) || (ends && furniture::is_page_number(line.text)) {
        return true;
    }
    if let Some(once) = undouble(line.text)
        && read_text(&once, line.number, draft)
    {
        draft.query(Doubt::Doubled, line.number, format!("printed twice, read once: {once}"));
        return true;
    }
    false
}

/// The most editors of an issue; more are no editors.
const MAX_EDITORS: usize = 100;

fn read_text(text: &str, number: usize, draft: &mut Draft) -> bool {
    if let Some(head) = furniture::running_head(text) {
        if head.wrong_weekday {
            draft.query(
                Doubt::DateInferred,
                number,
                format!("the date is not that weekday: {}", excerpt(text)),
            );
        }
        draft.date = draft.date.or(head.date);
        draft.page = draft.page.take().or(head.page);
        draft.section = draft.section.take().or(head.section);
        if draft.editors.is_empty() {
            draft.editors = head.editors;
        }
        return true;
    }
    let labelled = furniture::labelled(text);
    for part in &labelled {
        let value = part.value.to_owned();
        match part.label {
            _ if value.is_empty() => {}
            Label::Publisher => draft.publisher = draft.publisher.take().or(Some(value)),
            Label::Contact(key) => drop(draft.contact.entry(key.to_owned()).or_insert(value)),
            Label::Editors => {
                let names = furniture::names(&value);
                for name in names {
                    if draft.editors.len() < MAX_EDITORS && !draft.editors.contains(&name) {
                        draft.editors.push(name);
                    }
                }
            }
            Label::Other => {}
        }
    }
    !labelled.is_empty()
}

/// Longest name of a section, in characters: 理论, 求实, 文化周刊.
const NAMEPLATE: std::ops::RangeInclusive<usize> = 2..=4;

/// Reads the section's name that is set, letters spaced out, beside the masthead: it titles the page.
fn read_nameplates(lines: &[Line<'_>], furniture: &mut [bool], draft: &mut Draft) {
    let printed: Vec<usize> = (0..lines.len()).filter(|&i| !lines[i].text.is_empty()).collect();
    for (at, &index) in printed.iter().enumerate() {
        let text = lines[index].text;
        let beside = |other: Option<&usize>| other.is_some_and(|&other| furniture[other]);
        let next_to =
            beside(at.checked_sub(1).and_then(|before| printed.get(before))) || beside(printed.get(at + 1));
        if furniture[index] || !next_to || !spaces::is_spaced_out(text) {
            continue;
        }
        let name: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        if !NAMEPLATE.contains(&name.chars().count())
            || !name.chars().all(typography::is_han)
            || draft.title.is_some()
        {
            continue;
        }
        if draft.section.is_none() {
            draft.section = Some(name.chars().map(language::simplified).collect());
        }
        draft.title = Some(name);
        furniture[index] = true;
    }
}
