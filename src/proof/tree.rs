//! The body of an article, read back from the lines of a proof: each line is a paragraph, unless it begins as something else.

use std::collections::HashMap;

use super::{Query, inline, markdown, read::Line, read::Problem};
use crate::{prose::Block, prose::Inline};

/// How deep blocks may stand in each other; the ledger's JSON takes no more.
const MAX_DEPTH: usize = 16;

/// The length of the fence that a line of code begins or ends with.
fn fence(line: &str) -> Option<usize> {
    let ticks = line.bytes().take_while(|b| *b == b'`').count();
    (ticks >= 3 && !line[ticks..].contains('`')).then_some(ticks)
}

fn closes(line: &str, length: usize) -> bool {
    fence(line).is_some_and(|ticks| ticks >= length && line[ticks..].trim().is_empty())
}

/// The lines above the first headline, then the lines of each article from its headline on.
pub(super) fn sections<'l, 't>(lines: &'l [Line<'t>], problems: &mut Vec<Problem>) -> Vec<&'l [Line<'t>]> {
    let mut sections = Vec::new();
    let (mut start, mut open) = (0, None);
    for (n, line) in lines.iter().enumerate() {
        match open {
            Some((length, _)) if closes(line.text, length) => open = None,
            Some(_) => {}
            None => {
                open = fence(line.text).map(|length| (length, line.number));
                if line.text == "#" || line.text.starts_with("# ") {
                    sections.push(&lines[start..n]);
                    start = n;
                }
            }
        }
    }
    if let Some((_, line)) = open {
        let text = "the code that begins with ``` here has no ``` at its end".to_owned();
        problems.push(Problem { line, text });
    }
    sections.push(&lines[start..]);
    sections
}

/// Reads bodies; gathers marks and problems.
#[derive(Default)]
pub(super) struct Tree {
    pub(super) marks: Vec<(usize, Query)>,
    pub(super) problems: Vec<Problem>,
    /// The number of each of the article's notes by its label, in the order of their texts.
    labels: HashMap<String, usize>,
}

impl Tree {
    /// The blocks and the notes of an article.
    pub(super) fn body(&mut self, lines: &[Line<'_>]) -> (Vec<Block>, Vec<Vec<Block>>) {
        let mut body = Vec::new();
        let mut notes: Vec<Vec<Line<'_>>> = Vec::new();
        let mut open: Option<usize> = None;
        let mut in_note = false;
        for line in lines {
            if let Some(length) = open {
                body.push(*line);
                open = (!closes(line.text, length)).then_some(length);
                continue;
            }
            if let Some((label, rest)) =
                inline::note_label(line.text).and_then(|(l, rest)| Some((l, rest.strip_prefix(':')?)))
            {
                if self.labels.insert(label.to_owned(), notes.len() + 1).is_some() {
                    self.problem(line.number, format!("a second note `[^{label}]`; give it another name"));
                }
                notes.push(vec![Line { number: line.number, text: rest.strip_prefix(' ').unwrap_or(rest) }]);
                body.push(Line { number: line.number, text: "" });
                in_note = true;
                continue;
            }
            let continues = line.text.trim().is_empty() || line.text.starts_with([' ', '\t']);
            in_note &= continues;
            if let Some(note) = notes.last_mut().filter(|_| in_note) {
                note.push(Line { number: line.number, text: dedent(line.text, 4) });
            } else {
                open = fence(line.text);
                body.push(*line);
            }
        }
        let body = self.blocks(&body, 0);
        (body, notes.iter().map(|lines| self.blocks(lines, 1)).collect())
    }

    fn problem(&mut self, line: usize, text: impl Into<String>) {
        self.problems.push(Problem { line, text: text.into() });
    }

    fn runs(&mut self, number: usize, text: &str) -> Vec<Inline> {
        self.read_runs(number, text).0
    }

    /// The runs of a line, and whether a mark in it keeps pieces apart.
    fn read_runs(&mut self, number: usize, text: &str) -> (Vec<Inline>, bool) {
        let mut missing = Vec::new();
        let labels = &self.labels;
        let mut read = inline::read(text, &mut |label| {
            labels.get(label).copied().unwrap_or_else(|| {
                missing.push(label.to_owned());
                0
            })
        });
        self.marks.append(&mut read.marks);
        for label in missing {
            self.problem(
                number,
                format!("this article has no note `[^{label}]: …`; write it, or `\\[^{label}]` for the text"),
            );
        }
        for text in read.problems {
            self.problem(number, text);
        }
        (read.runs, read.apart)
    }

    fn blocks(&mut self, lines: &[Line<'_>], depth: usize) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut rest = lines;
        while let Some((line, below)) = rest.split_first() {
            let text = line.text.trim_matches([' ', '\t']);
            if text.is_empty() {
                rest = below;
            } else if depth > MAX_DEPTH {
                self.problem(
                    line.number,
                    "this stands too deep in lists and quotations; bring it further out",
                );
                return blocks;
            } else if let Some(length) = fence(text) {
                let (block, after) = self.code(line, length, below);
                blocks.push(block);
                rest = after;
            } else if text.starts_with('>') {
                let end = rest.iter().position(|line| !line.text.trim_start().starts_with('>'));
                let (quoted, after) = rest.split_at(end.unwrap_or(rest.len()));
                let inner: Vec<Line<'_>> = quoted.iter().map(unquoted).collect();
                blocks.push(Block::Quote { blocks: self.blocks(&inner, depth + 1) });
                rest = after;
            } else if is_rule(text) {
                blocks.push(Block::Rule);
                rest = below;
            } else if let Some((hashes, title)) = heading(text) {
                let text = self.runs(line.number, title);
                if !text.is_empty() {
                    let level = u8::try_from(hashes.saturating_sub(1).clamp(1, 4)).unwrap_or(4);
                    blocks.push(Block::Subhead { level, text });
                }
                rest = below;
            } else if let Some(marker) = Marker::of(text) {
                let (block, after) = self.list(marker, rest, depth);
                blocks.push(block);
                rest = after;
            } else if text.starts_with('|') {
                let end = rest.iter().position(|line| !line.text.trim_start().starts_with('|'));
                let (table, after) = rest.split_at(end.unwrap_or(rest.len()));
                blocks.extend(self.table(table));
                rest = after;
            } else {
                let (runs, apart) = self.read_runs(line.number, text);
                rest = below;
                match <[Inline; 1]>::try_from(runs) {
                    Ok([Inline::Picture { picture, alt }]) if !apart => {
                        let caption = below.split_first().and_then(|(line, after)| {
                            let (name, caption) = markdown::field_of(line.text.trim_matches([' ', '\t']))?;
                            (name == markdown::CAPTION).then_some((line.number, caption, after))
                        });
                        let caption = caption.map_or_else(Vec::new, |(number, caption, after)| {
                            rest = after;
                            self.runs(number, caption)
                        });
                        blocks.push(Block::Figure { picture, alt, caption });
                    }
                    Ok([run]) => blocks.push(Block::Paragraph { text: vec![run] }),
                    Err(text) if text.is_empty() => {}
                    Err(text) => blocks.push(Block::Paragraph { text }),
                }
            }
        }
        blocks
    }

    fn code<'l, 't>(
        &mut self,
        first: &Line<'t>,
        length: usize,
        below: &'l [Line<'t>],
    ) -> (Block, &'l [Line<'t>]) {
        let end = below.iter().position(|line| closes(line.text.trim_start(), length));
        if end.is_none() {
            self.problem(first.number, "the code that begins with ``` here has no ``` at its end");
        }
        let (inside, after) = below.split_at(end.unwrap_or(below.len()));
        let text: Vec<&str> = inside.iter().map(|line| line.text).collect();
        (Block::Code { text: text.join("\n") }, after.get(1..).unwrap_or_default())
    }

    fn list<'l, 't>(
        &mut self,
        marker: Marker,
        lines: &'l [Line<'t>],
        depth: usize,
    ) -> (Block, &'l [Line<'t>]) {
        let mut items = Vec::new();
        let mut rest = lines;
        loop {
            let at_next = rest.iter().position(|line| !line.text.trim().is_empty());
            let Some((line, below)) = at_next.and_then(|at| rest[at..].split_first()) else { break };
            let text = line.text.trim_matches([' ', '\t']);
            let Some(mine) = Marker::of(text).filter(|mine| mine.kind == marker.kind && !is_rule(text))
            else {
                break;
            };
            let first = text[mine.width..].strip_prefix(' ').unwrap_or(&text[mine.width..]);
            let mut inner = vec![Line { number: line.number, text: first }];
            let goes_on =
                |line: &&Line<'_>| line.text.trim().is_empty() || line.text.starts_with([' ', '\t']);
            let length = below.iter().take_while(goes_on).count();
            inner.extend(
                below[..length]
                    .iter()
                    .map(|line| Line { number: line.number, text: dedent(line.text, mine.width + 1) }),
            );
            items.push(self.blocks(&inner, depth + 1));
            rest = &below[length..];
        }
        (Block::List { start: marker.start, items }, rest)
    }

    fn table(&mut self, lines: &[Line<'_>]) -> Option<Block> {
        let is_line = |cell: &String| {
            let cell = cell.trim_matches(':');
            !cell.is_empty() && cell.bytes().all(|b| b == b'-')
        };
        let mut rows: Vec<(usize, Vec<String>)> =
            lines.iter().map(|line| (line.number, cells(line.text))).collect();
        let (number, width) = (rows[0].0, rows[0].1.len());
        if rows.len() < 2 || !rows[1].1.iter().all(is_line) {
            self.problem(
                number,
                "a table has a line `| --- |` below its first line; write it, or `\\|` for the text",
            );
            return None;
        }
        for (number, cells) in &rows {
            if cells.len() != width {
                let text =
                    format!("this line of the table has {} cells, and its first has {width}", cells.len());
                self.problems.push(Problem { line: *number, text });
            }
        }
        rows.remove(1);
        let mut rows: Vec<Vec<Vec<Inline>>> = rows
            .into_iter()
            .map(|(number, cells)| cells.iter().map(|cell| self.runs(number, cell)).collect())
            .collect();
        let head = rows.remove(0);
        Some(Block::Table { head, rows })
    }
}

/// A line of a quotation without its mark.
fn unquoted<'t>(line: &Line<'t>) -> Line<'t> {
    let text = line.text.trim_start().strip_prefix('>').unwrap_or_default();
    Line { number: line.number, text: text.strip_prefix(' ').unwrap_or(text) }
}

/// A line without its indentation, at most `width` columns of it.
fn dedent(text: &str, width: usize) -> &str {
    let mut left = width;
    let mut rest = text;
    while left > 0 {
        if let Some(after) = rest.strip_prefix(' ') {
            (rest, left) = (after, left - 1);
        } else if let Some(after) = rest.strip_prefix('\t') {
            (rest, left) = (after, left.saturating_sub(4));
        } else {
            break;
        }
    }
    rest
}

fn is_rule(text: &str) -> bool {
    let long = |c: char| text.len() >= 3 && text.chars().all(|other| other == c);
    text == "* * *" || ['-', '*', '_'].into_iter().any(long)
}

fn heading(text: &str) -> Option<(usize, &str)> {
    let hashes = text.bytes().take_while(|b| *b == b'#').count();
    let title = &text[hashes..];
    ((1..=6).contains(&hashes) && (title.is_empty() || title.starts_with(' '))).then_some((hashes, title))
}

/// The cells of a table's line.
fn cells(line: &str) -> Vec<String> {
    let mut cells = Vec::new();
    let mut cell = String::new();
    let line = line.trim();
    let mut rest = line.strip_prefix('|').unwrap_or(line);
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("\\|") {
            cell.push('|');
            rest = after;
            continue;
        }
        rest = &rest[c.len_utf8()..];
        if c == '|' {
            cells.push(std::mem::take(&mut cell));
        } else {
            cell.push(c);
        }
    }
    if !cell.trim().is_empty() {
        cells.push(cell);
    }
    cells.iter().map(|cell| cell.trim_matches([' ', '\t']).to_owned()).collect()
}

/// What an item of a list begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Marker {
    /// The bullet, or what stands behind the number: items of one list have the same.
    kind: char,
    start: Option<u64>,
    width: usize,
}

impl Marker {
    fn of(text: &str) -> Option<Self> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let start = text[..digits].parse().ok();
        let mut after = text[digits..].chars();
        let kind = after.next()?;
        let good =
            if digits > 0 { matches!(kind, '.' | ')') && start.is_some() } else { "-+*".contains(kind) };
        (good && after.next().is_none_or(|c| c == ' ' || c == '\t')).then_some(Self {
            kind,
            start,
            width: digits + 1,
        })
    }
}
