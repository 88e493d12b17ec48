//! A proof as the Markdown file that its editor corrects.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{Doubt, Proof, header::scalar, inline, places, places::Letters, places::Piece, plain};
use crate::{
    issue::Article, issue::Byline, issue::Issue, issue::Role, prose::Block, prose::Inline, typography,
};

/// What a proof is a reading of.
#[derive(Debug, Clone, Copy)]
pub struct Source<'s> {
    /// The manuscript's file name.
    pub name: &'s str,
    /// BLAKE3 of its bytes, in hexadecimal.
    pub hash: &'s str,
    /// Its text.
    pub text: &'s str,
}

/// The lines that may stand below a headline, in the order in which they are written.
pub(super) const FIELDS: [&str; 13] = [
    "key",
    "section",
    "kicker",
    "dek",
    "author",
    "photographer",
    "translator",
    "affiliation",
    "source",
    "source-name",
    "source-date",
    "source-page",
    "caption",
];

/// How the line below a picture begins that is its caption.
pub(super) const CAPTION: &str = "caption";

/// The title of the last part, where all unused text is.
pub(super) const NOT_USED: &str = "Not used";

/// The key of the line by which we know a proof that nobody has changed.
const READING: &str = "reading: ";

/// Writes a proof as Markdown. [`super::read()`] gives it back.
#[must_use]
pub fn write(proof: &Proof, source: &Source<'_>) -> String {
    let out = write_changed(proof, source);
    let print = fingerprint(&out);
    out.replacen(&format!("{READING}\n"), &format!("{READING}{print}\n"), 1)
}

/// As [`write()`], but as somebody's work: it is never written again, and wins over our own reading.
#[must_use]
pub fn write_changed(proof: &Proof, source: &Source<'_>) -> String {
    let letters = Letters::of(source.text);
    let marks = Marks::new(proof, &places::find(proof, &letters));
    let mut out = String::new();
    header(proof, source, &letters, &marks, &mut out);
    for query in &marks.above {
        line(query, &mut out);
    }
    for (n, article) in proof.issue.articles.iter().enumerate() {
        out.push('\n');
        write_article(n, article, &marks, &mut out);
    }
    if !proof.not_used.is_empty() {
        line(&format!("\n# {NOT_USED}\n"), &mut out);
        for text in &proof.not_used {
            unused(text, &mut out);
        }
    }
    out
}

/// Whether a proof is still as [`write()`] wrote it; line ends do not count.
pub(super) fn is_untouched(text: &str) -> bool {
    let Some(start) = text.find(&format!("\n{READING}")).map(|at| at + 1 + READING.len()) else {
        return false;
    };
    let Some(length) = text[start..].find('\n') else { return false };
    let without = format!("{}{}", &text[..start], &text[start + length..]);
    text[start..start + length].trim() == fingerprint(&without)
}

fn fingerprint(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..16].to_owned()
}

fn line(text: &str, out: &mut String) {
    out.push_str(text);
    out.push('\n');
}

/// The marks of all queries, each with its place.
struct Marks {
    date: Vec<String>,
    above: Vec<String>,
    at: BTreeMap<Piece, Vec<(Doubt, String)>>,
}

impl Marks {
    fn new(proof: &Proof, places: &[(usize, Piece)]) -> Self {
        let mut marks = Self { date: Vec::new(), above: Vec::new(), at: BTreeMap::new() };
        let headless = proof.issue.articles.iter().enumerate().filter(|(_, a)| a.headline.synthetic);
        let mut headless = headless.map(|(n, _)| Piece::Headline(n));
        for (n, query) in proof.queries.iter().enumerate() {
            let mark = plain::write_mark(n + 1, query);
            let by_line = || {
                let line = query.line?;
                let after = places.partition_point(|(start, _)| *start <= line);
                // Text above the first piece found is the page's head.
                after.checked_sub(1).map(|place| places[place].1)
            };
            let piece = match query.code {
                Doubt::DateInferred => {
                    marks.date.push(mark);
                    continue;
                }
                Doubt::NoHeadline => headless.next().or_else(by_line),
                Doubt::NoArticles | Doubt::FrontMatter | Doubt::Unseen => None,
                _ => by_line(),
            };
            match piece {
                Some(piece) => marks.at.entry(piece).or_default().push((query.code, mark)),
                None => marks.above.push(mark),
            }
        }
        marks
    }

    fn all(&self, piece: Piece) -> impl Iterator<Item = &(Doubt, String)> {
        self.at.get(&piece).into_iter().flatten()
    }
}

fn header(proof: &Proof, source: &Source<'_>, letters: &Letters, marks: &Marks, out: &mut String) {
    let Proof { issue, .. } = proof;
    line("---", out);
    let name = plain::escape(source.name, &[]);
    line(&format!("# How `{name}` was read. Correct what is wrong: readers get what stands here."), out);
    line("# A mark of doubt looks like {? code #1: words }. Delete each that you have looked at; once", out);
    line(
        "# none is left and the file is saved, it is published, and wins over `gazetted`'s own reading.",
        out,
    );
    line(&format!("manuscript: {}", scalar(source.hash)), out);
    line(READING, out);
    let stem = source.name.rsplit_once('.').map_or(source.name, |(stem, _)| stem);
    let origin = |value: &str| match letters.line_of(value) {
        Some(line) => format!("  # line {line}"),
        None => String::new(),
    };
    let key = issue.key.as_str();
    let from =
        if typography::slug(stem) == key { "  # from the file's name".to_owned() } else { origin(key) };
    line(&format!("issue: {}{from}", scalar(key)), out);
    let mut field = |name: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            line(&format!("{name}: {}{}", scalar(value), origin(value)), out);
        }
    };
    field("title", issue.title.as_deref());
    field("number", issue.number.as_deref());
    let dated = dated(issue, stem, letters);
    let comments: Vec<String> = std::iter::once(dated).chain(marks.date.iter().cloned()).collect();
    line(&format!("date:{}", comments.join("  # ")), out);
    let mut field = |name: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            line(&format!("{name}: {}{}", scalar(value), origin(value)), out);
        }
    };
    let publish_at = issue.publish_at.map(|moment| moment.to_string().replace('T', " "));
    field("publish_at", publish_at.as_deref());
    field("page", issue.page.as_deref());
    field("section", issue.section.as_deref());
    field("summary", issue.summary.as_deref());
    field("publisher", issue.publisher.as_deref());
    let editors: Vec<String> = issue.editors.iter().filter(|e| !e.is_empty()).map(|e| scalar(e)).collect();
    if let Some(first) = issue.editors.iter().find(|editor| !editor.is_empty()) {
        line(&format!("editors: [{}]{}", editors.join(", "), origin(first)), out);
    }
    if !issue.contact.is_empty() {
        line("contact:", out);
        for (name, value) in &issue.contact {
            line(&format!("  {}: {}{}", scalar(name), scalar(value), origin(value)), out);
        }
    }
    line(&format!("language: {}", issue.language.as_str()), out);
    line("---", out);
}

/// The date with where it comes from.
fn dated(issue: &Issue, stem: &str, letters: &Letters) -> String {
    let Some(date) = issue.date else {
        let credits = issue.articles.iter().filter_map(|article| article.credit.as_ref()?.date);
        let bound = credits
            .max()
            .map(|last| format!("; not before {last}, when an article in it was printed elsewhere"));
        return format!("  # none was found{}", bound.unwrap_or_default());
    };
    let (year, month, day) = (date.year(), date.month(), date.day());
    let forms = [
        format!("{year}年{month}月{day}日"),
        format!("{year}年{month:02}月{day:02}日"),
        format!("{year:04}{month:02}{day:02}"),
        format!("{year}{month}{day}"),
    ];
    let letters_of = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let from = match forms.iter().find_map(|form| letters.line_of(form)) {
        Some(line) => format!("  # line {line}"),
        None if forms.iter().any(|form| letters_of(stem).contains(form.as_str())) => {
            "  # from the file's name".to_owned()
        }
        None => "  # inferred".to_owned(),
    };
    format!(" {date}{from}")
}

fn write_article(n: usize, article: &Article, marks: &Marks, out: &mut String) {
    let mut headline = plain::escape(&article.headline.text, &[]);
    if headline.trim().eq_ignore_ascii_case(NOT_USED) {
        headline.replace_range(..1, &format!("&#{};", headline.as_bytes()[0]));
    }
    out.push_str(if headline.is_empty() { "#" } else { "# " });
    out.push_str(&headline);
    if article.headline.synthetic {
        let _ = write!(out, " {}", plain::MADE_UP);
    }
    for (_, mark) in marks.all(Piece::Headline(n)) {
        let _ = write!(out, " {mark}");
    }
    out.push('\n');
    let mut field = |name: &str, text: Option<&str>| {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            line(&format!("{name}: {}", plain::escape(text, &[])), out);
        }
    };
    field("key", Some(&article.key));
    field("section", article.section.as_deref());
    field("kicker", article.kicker.as_deref());
    field("dek", article.dek.as_deref());
    for Byline { name, role, affiliation } in article.bylines.iter().filter(|b| !b.name.is_empty()) {
        let role = match role {
            Role::Author => "author",
            Role::Photographer => "photographer",
            Role::Translator => "translator",
        };
        field(role, Some(name));
        field("affiliation", affiliation.as_deref());
    }
    if let Some(credit) = &article.credit {
        field("source", Some(&credit.printed));
        field("source-name", Some(&credit.name).filter(|name| **name != credit.printed).map(String::as_str));
        field("source-date", credit.date.map(|date| date.to_string()).as_deref());
        field("source-page", credit.page.as_deref());
    }
    for caption in &article.captions {
        field("caption", Some(caption));
    }
    let mut lines = Vec::new();
    for (m, block) in article.body.iter().enumerate() {
        let marks: Vec<&(Doubt, String)> = marks.all(Piece::Block(n, m)).collect();
        lines.push(String::new());
        lines.extend(marked(block, &marks, &article.body[..m]));
    }
    for (number, note) in (1..).zip(&article.notes) {
        let label = format!("[^{number}]:");
        lines.push(String::new());
        lines.extend(hung(&label, 4, blocks(note)));
    }
    for text in lines {
        line(&text, out);
    }
}

/// The lines of a block with its marks: in its line where it has one, above it otherwise.
fn marked(block: &Block, marks: &[&(Doubt, String)], before: &[Block]) -> Vec<String> {
    let mut lines = write_block(block, before);
    if matches!(block, Block::Paragraph { .. } | Block::Subhead { .. }) && lines.len() == 1 {
        for (code, mark) in marks {
            let subhead = matches!(block, Block::Subhead { .. });
            lines[0] = if *code == Doubt::CutHead && !subhead {
                // What would begin a list or a quotation at the start of the line does so nowhere else.
                format!("{mark} {}", lines[0])
            } else {
                format!("{} {mark}", lines[0])
            };
        }
        return lines;
    }
    marks.iter().map(|(_, mark)| mark.clone()).chain(lines).collect()
}

fn blocks(blocks: &[Block]) -> Vec<String> {
    let mut lines = Vec::new();
    for (n, block) in blocks.iter().enumerate() {
        if n > 0 {
            lines.push(String::new());
        }
        lines.extend(write_block(block, &blocks[..n]));
    }
    lines
}

fn write_block(block: &Block, before: &[Block]) -> Vec<String> {
    match block {
        Block::Paragraph { text } => vec![paragraph(text)],
        Block::Subhead { level, text } => {
            vec![format!("{} {}", "#".repeat(usize::from(*level) + 1), inline::write(text))]
        }
        Block::Quote { blocks: quoted } => {
            let lines = blocks(quoted);
            if lines.is_empty() {
                return vec![">".to_owned()];
            }
            let quote = |line: String| if line.is_empty() { ">".to_owned() } else { format!("> {line}") };
            lines.into_iter().map(quote).collect()
        }
        Block::List { start, items } => {
            let other = needs_other_marker(before);
            (0..).zip(items).flat_map(|(n, item)| list_item(*start, n, other, item)).collect()
        }
        Block::Code { text } => {
            let ticks = text.lines().map(|l| l.trim_start().bytes().take_while(|b| *b == b'`').count());
            let fence = "`".repeat(ticks.max().unwrap_or(0).max(2) + 1);
            let text = text.split('\n').filter(|_| !text.is_empty()).map(str::to_owned);
            std::iter::once(fence.clone()).chain(text).chain([fence]).collect()
        }
        Block::Table { head, rows } => {
            let row = |cells: &[Vec<Inline>]| {
                let cells =
                    cells.iter().map(|cell| format!(" {} |", inline::write(cell).replace('|', "\\|")));
                format!("|{}", cells.collect::<String>())
            };
            let below = format!("|{}", " --- |".repeat(head.len()));
            [row(head), below].into_iter().chain(rows.iter().map(|cells| row(cells))).collect()
        }
        Block::Figure { picture, alt, caption } => {
            let shown = Inline::Picture { picture: picture.clone(), alt: alt.clone() };
            let mut lines = vec![inline::write(&[shown])];
            if !caption.is_empty() {
                lines.push(format!("{CAPTION}: {}", inline::write(caption)));
            }
            lines
        }
        Block::Rule => vec!["---".to_owned()],
    }
}

fn list_item(start: Option<u64>, n: u64, other: bool, item: &[Block]) -> Vec<String> {
    let marker = match (start, other) {
        (None, false) => "-".to_owned(),
        (None, true) => "+".to_owned(),
        (Some(start), _) => {
            format!("{}{}", start.saturating_add(n), if other { ')' } else { '.' })
        }
    };
    let width = marker.len() + 1;
    hung(&marker, width, blocks(item))
}

/// Whether a list needs the other marker, so as not to run into the list above it.
fn needs_other_marker(before: &[Block]) -> bool {
    before.iter().rev().take_while(|block| matches!(block, Block::List { .. })).count() % 2 == 1
}

/// Lines behind a marker, the later ones indented.
fn hung(marker: &str, width: usize, lines: Vec<String>) -> Vec<String> {
    let mut hung = vec![marker.to_owned()];
    for (n, line) in lines.into_iter().enumerate() {
        if n == 0 {
            hung[0] = format!("{marker} {line}");
        } else if line.is_empty() {
            hung.push(line);
        } else {
            hung.push(format!("{}{line}", " ".repeat(width)));
        }
    }
    hung
}

/// A paragraph on its line, begun so that it is taken for nothing else.
fn paragraph(text: &[Inline]) -> String {
    let line = inline::write(text);
    if matches!(text, [Inline::Picture { .. }]) {
        return format!("{line}{}", inline::APART);
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let ends = |rest: &str| rest.is_empty() || rest.starts_with(' ');
    let at = if line.starts_with(['#', '>', '|']) {
        Some(0)
    } else if let Some(rest) = line.strip_prefix(['-', '+']) {
        (ends(rest) || rest.starts_with('-')).then_some(0)
    } else if digits > 0 && line[digits..].starts_with(['.', ')']) {
        ends(&line[digits + 1..]).then_some(digits)
    } else {
        field_of(&line).map(|(name, _)| name.len())
    };
    match at {
        // A full-width colon is no ASCII, and cannot be escaped but by its number.
        Some(at) if line[at..].starts_with('：') => {
            format!("{}&#{};{}", &line[..at], u32::from('：'), &line[at + '：'.len_utf8()..])
        }
        Some(at) => format!("{}\\{}", &line[..at], &line[at..]),
        None => line,
    }
}

/// The field that a line below a headline names, and its value.
pub(super) fn field_of(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once([':', '：'])?;
    FIELDS.contains(&name).then_some((name, value))
}

fn unused(text: &str, out: &mut String) {
    if text.is_empty() {
        return;
    }
    let core = text.trim_matches('\n');
    let before = text.len() - text.trim_start_matches('\n').len();
    let after = if core.is_empty() { 0 } else { text.len() - before - core.len() };
    let mut whole = format!("- {}", "&#10;".repeat(before));
    for (n, text) in core.split('\n').enumerate() {
        if n > 0 {
            whole.push_str(if text.is_empty() { "\n" } else { "\n  " });
        }
        whole.push_str(&plain::escape(text, &[]));
    }
    whole.push_str(&"&#10;".repeat(after));
    line(&whole, out);
}
