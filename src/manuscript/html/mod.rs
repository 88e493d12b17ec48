//! HTML and XHTML: headlines and bodies in our words. What is not in our list of elements leaves its text only.
//!
//! The first-level headings are headlines, as in Markdown; where there are none, those of the highest level that occurs
//! more than once are. Scripts, styles, comments, hidden and navigating elements go to `not_used` with their text, and so
//! does every title of a file that is not the title of the whole.

mod elements;
mod runs;
mod containers;
mod builder;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use html5ever::TokenizerResult;
use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

use crate::{proof::Doubt, prose, prose::Block, prose::Inline, prose::Language, typography};

use super::draft::{Draft, excerpt};
use super::markdown::{self, Found};
use super::pictures::Album;
use super::{byline, dates, gutenberg};
use builder::Builder;
use containers::{Note, Placed};
pub(super) use elements::Image;
use runs::Reference;

/// Reads a file of HTML whose pictures are in `album`; `xml` says whether `<script/>` is a whole element.
pub(super) fn read(text: &str, xml: bool, album: Album) -> Draft {
    read_files(&[("", text)], xml, None, album)
}

/// Reads a letter of HTML, whose subject is its title if it has one.
pub(super) fn read_titled(text: &str, title: Option<&str>, album: Album) -> Draft {
    read_files(&[("", text)], false, title, album)
}

/// Reads the chapters of a book, each with its path; `title` is the book's, if it tells one.
pub(super) fn read_book(chapters: &[(String, String)], title: Option<&str>, album: Album) -> Draft {
    let chapters: Vec<(&str, &str)> =
        chapters.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    read_files(&chapters, true, title, album)
}

/// What a tag of HTML says of the picture that it shows; `None` when it shows none.
pub(super) fn image_of(tag: &str) -> Option<Image> {
    let starts = tag.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("<img"));
    if !starts || tag.as_bytes().get(4).is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let tokenizer = Tokenizer::new(First(RefCell::new(None)), TokenizerOpts::default());
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from_slice(&with_short_tags(tag)));
    let _ = tokenizer.feed(&queue);
    tokenizer.end();
    tokenizer.sink.0.into_inner()
}

/// Keeps what the first tag says.
struct First(RefCell<Option<Image>>);

impl TokenSink for First {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        if let Token::TagToken(tag) = token {
            self.0.borrow_mut().get_or_insert_with(|| Image::of(&tag));
        }
        TokenSinkResult::Continue
    }
}

fn read_files(files: &[(&str, &str)], xml: bool, title: Option<&str>, album: Album) -> Draft {
    let mut draft = Draft { album, ..Draft::default() };
    let page = parse(files, xml, &mut draft);
    read_meta(&page, &mut draft);
    choose_title(&page, title, &mut draft);
    let placed = without_licence(page.placed, &mut draft);
    let mut articles = articles(placed);
    let mut notes = Notes::new(page.references, page.notes);
    for article in &mut articles {
        notes.give(article, &mut draft);
    }
    notes.leave_out_unused(&mut draft);
    markdown::compose(articles, &mut draft);
    draft
}

/// A file as its tags tell it.
struct Page {
    placed: Vec<Placed>,
    notes: Vec<Note>,
    references: Vec<Reference>,
    titles: Vec<String>,
    metas: Vec<(String, String)>,
}

struct Sink<'b, 'd> {
    builder: &'b RefCell<Builder<'d>>,
    above: usize,
    xml: bool,
}

impl TokenSink for Sink<'_, '_> {
    type Handle = ();

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<()> {
        let mut builder = self.builder.borrow_mut();
        builder.line = usize::try_from(line).unwrap_or(1) + self.above;
        match token {
            Token::CharacterTokens(text) => builder.text(&text),
            Token::CommentToken(text) => builder.comment(&text),
            Token::TagToken(tag) => {
                if let Some(kind) = builder.tag(&tag) {
                    return TokenSinkResult::RawData(kind);
                }
            }
            Token::DoctypeToken(_) | Token::NullCharacterToken | Token::EOFToken | Token::ParseError(_) => {}
        }
        TokenSinkResult::Continue
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.xml
    }
}

fn parse(files: &[(&str, &str)], xml: bool, draft: &mut Draft) -> Page {
    let builder = RefCell::new(Builder::new(xml, draft));
    let mut above = 0;
    for (path, text) in files {
        let (head, body) = split_doctype(text);
        builder.borrow_mut().begin_file(path, head);
        above += head.matches('\n').count();
        let tokenizer = Tokenizer::new(Sink { builder: &builder, above, xml }, TokenizerOpts::default());
        let queue = BufferQueue::default();
        queue.push_back(StrTendril::from_slice(&with_short_tags(body)));
        while matches!(
            tokenizer.feed(&queue),
            TokenizerResult::Script(()) | TokenizerResult::EncodingIndicator(_)
        ) {}
        tokenizer.end();
        builder.borrow_mut().end_file();
        above += body.matches('\n').count();
    }
    let mut builder = builder.into_inner();
    Page {
        placed: builder.finish(),
        notes: std::mem::take(&mut builder.notes),
        references: std::mem::take(&mut builder.runs.references),
        titles: std::mem::take(&mut builder.titles),
        metas: std::mem::take(&mut builder.metas),
    }
}

/// The most words of a tag. The tokenizer compares every attribute with those before it.
const MAX_WORDS: usize = 1000;

/// The text, with a tag of more words than any has ended after those: its other words are text.
fn with_short_tags(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut tamed = String::new();
    let (mut from, mut words) = (0, None);
    let mut quote = None;
    for (at, &byte) in bytes.iter().enumerate() {
        let Some(n) = words else {
            if byte == b'<' && bytes.get(at + 1).is_some_and(u8::is_ascii_alphabetic) {
                words = Some(0);
                quote = None;
            }
            continue;
        };
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'>') => words = None,
            (None, b' ' | b'\t' | b'\n' | b'\r' | b'/' | b'=') if n >= 2 * MAX_WORDS => {
                tamed.push_str(&text[from..at]);
                tamed.push('>');
                (from, words) = (at, None);
            }
            (None, b' ' | b'\t' | b'\n' | b'\r' | b'/' | b'=') => words = Some(n + 1),
            _ => {}
        }
    }
    if from == 0 {
        return Cow::Borrowed(text);
    }
    tamed.push_str(&text[from..]);
    Cow::Owned(tamed)
}

/// Parts a declaration with an internal subset, which HTML does not know, from the text. Nothing in it is obeyed.
fn split_doctype(text: &str) -> (&str, &str) {
    let head = text.get(..8192).unwrap_or(text).to_ascii_lowercase();
    let Some(at) = head.find("<!doctype").filter(|at| !head[..*at].contains("<html")) else {
        return ("", text);
    };
    let Some(close) = text[at..].find('>').map(|close| at + close) else { return ("", text) };
    if !text[at..close].contains('[') {
        return ("", text);
    }
    let end = text[at..].find(']').and_then(|bracket| {
        let after = at + bracket + 1;
        text[after..].trim_start().starts_with('>').then(|| after + text[after..].find('>').unwrap_or(0) + 1)
    });
    end.map_or(("", text), |end| text.split_at(end))
}

/// Reads what the head of the file says of the issue.
fn read_meta(page: &Page, draft: &mut Draft) {
    let meta = |names: &[&str]| {
        names.iter().find_map(|name| page.metas.iter().find(|(key, value)| key == name && !value.is_empty()))
    };
    if let Some((_, language)) = meta(&["language", "dc.language"]) {
        draft.language = Language::parse(&language.replace('_', "-"));
    }
    draft.title = meta(&["og:title", "dc.title"]).map(|(_, title)| title.clone());
    let dates = [
        "date",
        "dc.date",
        "dc.date.issued",
        "dcterms.date",
        "dcterms.issued",
        "article:published_time",
        "datepublished",
        "pubdate",
    ];
    if let Some((_, text)) = meta(&dates) {
        draft.date = dates::of_header(text);
        if draft.date.is_none() {
            draft.query(
                Doubt::FrontMatter,
                1,
                format!("`{}` is not a date such as `2025-07-09`", excerpt(text)),
            );
            draft.set_aside(text);
        }
    }
    if let Some((_, text)) = meta(&["author", "dc.creator"]) {
        draft.authors = text.split([',', '，', '、', ';']).map(|name| name.trim().to_owned()).collect();
        draft.authors.retain(|name| !name.is_empty());
    }
    if let Some((_, text)) = meta(&["description", "dc.description", "og:description"]) {
        draft.summary = Some(text.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    if let Some((_, text)) = meta(&["dc.publisher"]) {
        draft.publisher = Some(text.clone());
    }
}

/// Takes the title that the whole has from outside, else the first of its files', else what their data say. The other titles
/// are text that readers do not see: every chapter of a book has one.
fn choose_title(page: &Page, outer: Option<&str>, draft: &mut Draft) {
    let mut own: Vec<&String> = page.titles.iter().filter(|title| !title.is_empty()).collect();
    draft.title = outer.or(own.first().map(|title| title.as_str())).map(str::to_owned).or(draft.title.take());
    if let Some(taken) = own.iter().position(|title| Some(*title) == draft.title.as_ref()) {
        own.remove(taken);
    }
    for title in own {
        draft.set_aside(title);
    }
}

/// The text between the lines that Project Gutenberg prints before and after its books.
fn without_licence(placed: Vec<Placed>, draft: &mut Draft) -> Vec<Placed> {
    let plain = |placed: &Placed| match placed {
        Placed::Heading { text, .. } => prose::plain(text),
        Placed::Block { block, .. } => block.plain(),
    };
    let start = placed.iter().position(|placed| gutenberg::opens(&plain(placed)));
    let Some(start) = start else { return placed };
    let end = placed.iter().skip(start + 1).position(|placed| gutenberg::closes(&plain(placed)));
    let end = end.map_or(placed.len(), |end| start + 1 + end);
    let header: Vec<String> = placed[..=start].iter().map(plain).collect();
    gutenberg::read_header(&header.join("\n"), draft);
    let mut kept = Vec::new();
    for (at, placed) in placed.into_iter().enumerate() {
        if (start + 1..end).contains(&at) {
            kept.push(placed);
        } else {
            draft.set_aside(&plain(&placed));
        }
    }
    kept
}

/// The articles of a file: each begins at a heading of the level that headlines have.
fn articles(placed: Vec<Placed>) -> Vec<Found> {
    let mut counts = [0_usize; 7];
    for placed in &placed {
        if let Placed::Heading { level, .. } = placed {
            counts[usize::from(*level).min(6)] += 1;
        }
    }
    let highest = (2..=6).find(|level| counts[*level] > 0).unwrap_or(1);
    let headline = if counts[1] > 0 {
        1
    } else if counts[highest] > 1 {
        highest
    } else {
        // One heading alone titles the whole.
        (highest..=6).find(|level| counts[*level] > 0).unwrap_or(1)
    };
    let mut articles = Vec::new();
    let mut found = Found { line: 1, ..Found::default() };
    for placed in placed {
        match placed {
            Placed::Heading { level, text, line } if usize::from(level) == headline => {
                articles.push(found);
                let (headline, body) = split_headline(text);
                found = Found { headline: Some(headline), line, body, ..Found::default() };
            }
            Placed::Heading { level, text, .. } => {
                let level = usize::from(level).saturating_sub(headline).clamp(1, 4);
                let level = u8::try_from(level).unwrap_or(4);
                found.body.push(Block::Subhead { level, text: one_line(text) });
            }
            Placed::Block { block, .. } => {
                found.body.extend(containers::blocks(vec![Placed::Block { block, line: 1 }]));
            }
        }
    }
    articles.push(found);
    articles
}

/// A headline of several lines may hold the byline.
fn split_headline(text: Vec<Inline>) -> (Vec<Inline>, Vec<Block>) {
    let mut lines: Vec<Vec<Inline>> = text
        .split(|run| matches!(run, Inline::Break))
        .map(<[Inline]>::to_vec)
        .filter(|line| !prose::plain(line).trim().is_empty())
        .collect();
    let is_byline = |line: &Vec<Inline>| {
        let line = prose::plain(line);
        byline::parse(line.trim()).is_some()
            || line.trim().get(..3).is_some_and(|by| by.eq_ignore_ascii_case("by "))
    };
    if lines.len() > 1
        && let Some(last) = lines.pop_if(|line| is_byline(line))
    {
        return (one_line(lines.join(&Inline::Break)), vec![Block::Paragraph { text: last }]);
    }
    (one_line(text), Vec::new())
}

/// Runs without breaks: lines join as in a column.
fn one_line(text: Vec<Inline>) -> Vec<Inline> {
    let mut out: Vec<Inline> = Vec::new();
    for run in text {
        if !matches!(run, Inline::Break) {
            out.push(run);
            continue;
        }
        let last = prose::plain(&out[out.len().saturating_sub(1)..]).chars().next_back();
        if last.is_some_and(|c| !c.is_whitespace() && !typography::is_wide(c)) {
            out.push(Inline::text(" "));
        }
    }
    out
}

/// The notes of a file and who refers to them.
struct Notes {
    references: Vec<Reference>,
    found: Vec<Note>,
    /// The place in `found` of each name.
    by_name: HashMap<String, usize>,
    used: HashSet<usize>,
}

/// The notes that an article refers to, in order.
#[derive(Default)]
struct Numbers {
    notes: Vec<usize>,
    of: HashMap<usize, usize>,
}

impl Numbers {
    /// The number of a note, counted from 1.
    fn of(&mut self, note: usize) -> usize {
        *self.of.entry(note).or_insert_with(|| {
            self.notes.push(note);
            self.notes.len()
        })
    }
}

impl Notes {
    fn new(references: Vec<Reference>, found: Vec<Note>) -> Self {
        let mut by_name = HashMap::new();
        for (nth, note) in found.iter().enumerate() {
            for name in &note.names {
                by_name.entry(name.clone()).or_insert(nth);
            }
        }
        Self { references, found, by_name, used: HashSet::new() }
    }

    /// Gives an article the notes that it refers to; a reference to anything else is its label again.
    fn give(&mut self, article: &mut Found, draft: &mut Draft) {
        let mut numbers = Numbers::default();
        if let Some(headline) = &mut article.headline {
            self.number(headline, &mut numbers);
        }
        self.number_blocks(&mut article.body, &mut numbers);
        let mut next = 0;
        while let Some(&index) = numbers.notes.get(next) {
            next += 1;
            let mut blocks = std::mem::take(&mut self.found[index].blocks);
            if !self.used.insert(index) {
                let text = "a note that two articles refer to stands in the first".to_owned();
                draft.query(Doubt::NotUsed, self.found[index].line, text);
            }
            self.drop_backlinks(&mut blocks);
            self.number_blocks(&mut blocks, &mut numbers);
            article.notes.push(blocks);
        }
    }

    fn number_blocks(&mut self, blocks: &mut [Block], numbers: &mut Numbers) {
        for block in blocks {
            match block {
                Block::Paragraph { text } | Block::Subhead { text, .. } => self.number(text, numbers),
                Block::Quote { blocks } => self.number_blocks(blocks, numbers),
                Block::List { items, .. } => {
                    for item in items {
                        self.number_blocks(item, numbers);
                    }
                }
                Block::Table { head, rows } => {
                    head.iter_mut()
                        .chain(rows.iter_mut().flatten())
                        .for_each(|cell| self.number(cell, numbers));
                }
                Block::Figure { caption, .. } => self.number(caption, numbers),
                Block::Code { .. } | Block::Rule => {}
            }
        }
    }

    fn number(&mut self, runs: &mut Vec<Inline>, numbers: &mut Numbers) {
        for run in &mut *runs {
            match run {
                Inline::Emphasis { text }
                | Inline::Strong { text }
                | Inline::Struck { text }
                | Inline::Link { text, .. } => self.number(text, numbers),
                Inline::Note { number } => {
                    let Some(reference) = self.references.get(number.saturating_sub(1)) else { continue };
                    *run = match self.by_name.get(&reference.target) {
                        Some(note) => Inline::Note { number: numbers.of(*note) },
                        None => Inline::text(reference.label.clone()),
                    };
                }
                _ => {}
            }
        }
        *runs = prose::joined(std::mem::take(runs));
    }

    /// A note leads back to its reference, by its own label or an arrow: readers' programs make that link themselves.
    fn drop_backlinks(&self, blocks: &mut [Block]) {
        for block in blocks {
            let Block::Paragraph { text } = block else { continue };
            let is_note = |run: &Inline| match run {
                Inline::Note { number } => {
                    let reference = self.references.get(number.saturating_sub(1));
                    reference.is_some_and(|reference| !self.by_name.contains_key(&reference.target))
                }
                _ => false,
            };
            text.retain(|run| !is_note(run));
            if let Some(Inline::Text { text }) = text.first_mut() {
                *text = text.trim_start().to_owned();
            }
        }
    }

    fn leave_out_unused(&mut self, draft: &mut Draft) {
        for index in 0..self.found.len() {
            if self.used.contains(&index) {
                continue;
            }
            let mut blocks = std::mem::take(&mut self.found[index].blocks);
            self.number_blocks(&mut blocks, &mut Numbers::default());
            let text = prose::plain_blocks(&blocks);
            if !text.trim().is_empty() {
                let asked = format!("nothing refers to this note: {}", excerpt(&text));
                draft.query(Doubt::NotUsed, self.found[index].line, asked);
                draft.set_aside(&text);
            }
        }
    }
}
