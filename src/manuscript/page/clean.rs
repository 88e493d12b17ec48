//! Lines without what the page prints around its articles; what those lines tell of the issue goes to the draft.

use crate::{proof::Doubt, typography};

use super::super::draft::{Draft, excerpt};
use super::super::language;
use super::super::lexicon::Lexicon;
use super::furniture::{self, Label};
use super::spaces;
use super::undouble::undouble;
use super::{Hint, Hints};

/// A line of the manuscript.
#[derive(Debug, Clone)]
pub(super) struct Line<'t> {
    /// Counted from 1.
    pub(super) number: usize,
    /// Its text without white space at its ends; empty for a blank line.
    pub(super) text: &'t str,
    /// Whether white space stands before its text.
    pub(super) indented: bool,
    /// Whether it is a headline by its type.
    pub(super) headline: bool,
}

/// The lines of a page without running heads, mastheads and page numbers.
pub(super) fn clean<'t>(text: &'t str, hints: &Hints, lexicon: &Lexicon, draft: &mut Draft) -> Vec<Line<'t>> {
    let mut lines: Vec<Line<'t>> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let (text, indented) = (line.trim(), line.starts_with(char::is_whitespace));
        // Many blank lines part no more than two.
        let wide = lines.iter().rev().take(2).all(|line| line.text.is_empty());
        if !text.is_empty() || !wide {
            let headline = hints.get(&number) == Some(&Hint::Headline);
            lines.push(Line { number, text, indented, headline });
        }
    }
    let mut furniture = vec![false; lines.len()];
    for index in 0..lines.len() {
        // A line inside a paragraph may begin with a label by chance.
        let alone = index == 0 || lines[index - 1].text.is_empty() || furniture[index - 1];
        if alone && !lines[index].text.is_empty() {
            let ends = lines.get(index + 1).is_none_or(|next| next.text.is_empty());
            furniture[index] = read_line(&lines[index], ends, lexicon, draft)
                || hints.get(&lines[index].number) == Some(&Hint::Furniture);
        }
    }
    read_masthead(&lines, &mut furniture, draft);
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
fn read_line(line: &Line<'_>, ends: bool, lexicon: &Lexicon, draft: &mut Draft) -> bool {
    if read_text(line.text, line.number, draft) || (ends && furniture::is_page_number(line.text)) {
        return true;
    }
    if lexicon.is_furniture(line.text) {
        return true;
    }
    if lexicon.is_section(line.text) {
        return name_page(line.text, draft);
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
        draft.number = draft.number.take().or(head.number);
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

/// Reads the paper's name with the date right below it, where the page begins with them.
fn read_masthead(lines: &[Line<'_>], furniture: &mut [bool], draft: &mut Draft) {
    let Some(first) = lines.iter().position(|line| !line.text.is_empty()) else { return };
    let Some(below) = lines.get(first + 1).filter(|_| !furniture[first]) else { return };
    let is_name =
        lines[first].text.chars().count() <= MAX_NAME && !lines[first].text.ends_with(['。', '.', '，', ',']);
    if is_name && furniture::running_head(below.text).is_some() {
        read_text(below.text, below.number, draft);
        furniture[first] = true;
        furniture[first + 1] = true;
    }
}

/// The longest name of a paper, in characters.
const MAX_NAME: usize = 60;

/// The length of a section's name, in characters.
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
        if is_nameplate(&name) {
            furniture[index] = name_page(&name, draft);
        }
    }
}

/// Whether a text may be a section's name: 理论, 求实, 文化周刊.
fn is_nameplate(name: &str) -> bool {
    NAMEPLATE.contains(&name.chars().count()) && name.chars().all(typography::is_han)
}

/// Titles the page by its section's name; says whether it had no title.
fn name_page(name: &str, draft: &mut Draft) -> bool {
    if draft.title.is_some() {
        return false;
    }
    let name: String = name.chars().filter(|c| !c.is_whitespace()).collect();
    if draft.section.is_none() {
        draft.section = Some(name.chars().map(language::simplified).collect());
    }
    draft.title = Some(name);
    true
}
