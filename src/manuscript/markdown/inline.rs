//! Runs of text: emphasis, links, notes and pictures of Markdown in our words.

use comrak::nodes::{AstNode, NodeValue};

use crate::{proof::Doubt, prose, prose::Block, prose::Href, prose::Inline, typography};

use super::super::draft::excerpt;
use super::super::html::Image;
use super::super::pictures::{Shown, name_in};
use super::Reader;
use super::html;

/// How deep runs may stand in each other. What is deeper is kept as plain text. Nobody means more; the bound keeps
/// the issue within what JSON readers take (128 levels).
const MAX_DEPTH: usize = 12;

/// Runs being written, so that lines join as they should.
#[derive(Default)]
struct Runs {
    out: Vec<Inline>,
}

impl Runs {
    fn text(&mut self, text: &str) {
        let text = typography::printable(text);
        if text.is_empty() {
            return;
        }
        if let Some(Inline::Text { text: last }) = self.out.last_mut() {
            last.push_str(&text);
        } else {
            self.out.push(Inline::text(text));
        }
    }
}

/// The runs below a node.
pub(super) fn runs<'a>(node: &'a AstNode<'a>, reader: &mut Reader<'_, 'a>) -> Vec<Inline> {
    let mut runs = children(node, 0, reader);
    trim(&mut runs);
    runs
}

fn children<'a>(node: &'a AstNode<'a>, depth: usize, reader: &mut Reader<'_, 'a>) -> Vec<Inline> {
    let mut runs = Runs::default();
    for child in node.children() {
        run(child, depth, &mut runs, reader);
    }
    runs.out
}

fn run<'a>(node: &'a AstNode<'a>, depth: usize, runs: &mut Runs, reader: &mut Reader<'_, 'a>) {
    let data = node.data();
    let line = reader.line(data.sourcepos.start.line);
    if reader.progress.hidden.is_some() && !matches!(data.value, NodeValue::HtmlInline(_)) {
        let text = super::plain(node);
        reader.draft.set_aside(&text);
        return;
    }
    if depth >= MAX_DEPTH && node.first_child().is_some() {
        runs.text(&super::plain(node));
        return;
    }
    match &data.value {
        NodeValue::Text(text) => runs.text(&text.replace('\n', " ")),
        NodeValue::SoftBreak => {
            let before = last_character(&runs.out);
            let after = node.next_sibling().and_then(first_character);
            if let (Some(before), Some(after)) = (before, after) {
                let mut utf8 = [0; 4];
                let mut other = [0; 4];
                runs.text(typography::joint(before.encode_utf8(&mut utf8), after.encode_utf8(&mut other)));
            }
        }
        NodeValue::LineBreak => runs.out.push(Inline::Break),
        NodeValue::Code(code) => {
            let text = typography::printable(&code.literal).replace('\n', " ");
            runs.out.push(Inline::Code { text });
        }
        NodeValue::Emph => wrap(node, depth, runs, reader, |text| Inline::Emphasis { text }),
        NodeValue::Strong => wrap(node, depth, runs, reader, |text| Inline::Strong { text }),
        NodeValue::Strikethrough => wrap(node, depth, runs, reader, |text| Inline::Struck { text }),
        NodeValue::Link(link) => {
            let text = children(node, depth + 1, reader);
            reader.draft.set_aside(&link.title);
            link_to(&link.url, text, line, runs, reader);
        }
        NodeValue::Image(image) => {
            let alt = typography::printable(&super::plain(node)).trim().to_owned();
            reader.draft.set_aside(&image.title);
            let said = Some(alt).filter(|alt| !alt.is_empty());
            picture(&image.url, said, line, runs, reader);
        }
        NodeValue::FootnoteReference(reference) => {
            let number = reader.note(&reference.name);
            runs.out.push(Inline::Note { number });
        }
        NodeValue::HtmlInline(tag) => {
            if html::breaks(tag) {
                runs.out.push(Inline::Break);
            } else if let Some(image) = reader.image(tag) {
                picture(&image.address, image.alt, line, runs, reader);
            } else {
                reader.tag(tag, line);
            }
        }
        NodeValue::HtmlBlock(_) => {}
        _ => {
            for run in children(node, depth + 1, reader) {
                prose::push(&mut runs.out, run);
            }
        }
    }
}

fn wrap<'a>(
    node: &'a AstNode<'a>,
    depth: usize,
    runs: &mut Runs,
    reader: &mut Reader<'_, 'a>,
    make: impl Fn(Vec<Inline>) -> Inline,
) {
    let text = children(node, depth + 1, reader);
    if !text.is_empty() {
        runs.out.push(make(text));
    }
}

fn link_to(url: &str, text: Vec<Inline>, line: usize, runs: &mut Runs, reader: &mut Reader<'_, '_>) {
    if let Some(href) = Href::parse(url) {
        let text = if text.is_empty() { vec![Inline::text(url)] } else { text };
        runs.out.push(Inline::Link { href, text });
        return;
    }
    if !url.is_empty() {
        let asked = format!("readers cannot follow `{}`; its text was kept", excerpt(url));
        reader.draft.query(Doubt::LinkDropped, line, asked);
        reader.draft.set_aside(&typography::printable(url));
    }
    for inline in text {
        match inline {
            Inline::Text { text } => runs.text(&text),
            other => runs.out.push(other),
        }
    }
}

/// A picture on the web becomes a link with its description, unless it was fetched; one that is not there leaves its
/// description.
fn picture(url: &str, said: Option<String>, line: usize, runs: &mut Runs, reader: &mut Reader<'_, '_>) {
    let shown = reader.draft.picture(url, said.as_deref(), line);
    let alt = said.unwrap_or_default();
    match shown {
        Shown::Picture(picture) => runs.out.push(Inline::Picture { picture, alt }),
        Shown::Link(href) => {
            let text = if alt.is_empty() { name_in(url).to_owned() } else { alt };
            runs.out.push(Inline::Link { href, text: vec![Inline::text(text)] });
        }
        Shown::Description => runs.text(&alt),
        Shown::Nothing => {}
    }
}

/// The figure that a tag of HTML is which stands among blocks; a link to it, or what it shows in words, where it cannot be shown.
pub(super) fn figure_of(image: Image, line: usize, reader: &mut Reader<'_, '_>) -> Option<Block> {
    let mut runs = Runs::default();
    picture(&image.address, image.alt, line, &mut runs, reader);
    match runs.out.pop()? {
        Inline::Picture { picture, alt } => Some(Block::Figure { picture, alt, caption: Vec::new() }),
        run => Some(Block::Paragraph { text: vec![run] }),
    }
}

/// The figure that a paragraph is: a picture beside the manuscript that stands alone, or with one stressed line below it. Its
/// caption is that line, or else its title.
pub(super) fn figure<'a>(node: &'a AstNode<'a>, reader: &mut Reader<'_, 'a>) -> Option<Block> {
    let mut children = node.children();
    let first = children.next()?;
    let below = match (children.next(), children.next(), children.next()) {
        (None, None, None) => None,
        (Some(turn), Some(line), None) => {
            let turns = matches!(turn.data().value, NodeValue::SoftBreak | NodeValue::LineBreak);
            let stressed = matches!(line.data().value, NodeValue::Emph);
            Some(line).filter(|_| turns && stressed).map(Some)?
        }
        _ => return None,
    };
    let data = first.data();
    let NodeValue::Image(image) = &data.value else { return None };
    if reader.progress.hidden.is_some() || !reader.draft.album.has(&image.url) {
        return None;
    }
    let alt = typography::printable(&super::plain(first)).trim().to_owned();
    let title = typography::printable(&image.title).trim().to_owned();
    let at = reader.line(data.sourcepos.start.line);
    let said = Some(alt.as_str()).filter(|alt| !alt.is_empty());
    let picture = reader.draft.picture(&image.url, said, at);
    let caption = match below {
        Some(line) => {
            reader.draft.set_aside(&title);
            children_of(line, reader)
        }
        None if title.is_empty() => Vec::new(),
        None => vec![Inline::text(title)],
    };
    Some(match picture {
        Shown::Picture(picture) => Block::Figure { picture, alt, caption },
        // It turned out that it cannot be shown: what there is to read stays.
        _ if caption.is_empty() => Block::paragraph(alt),
        _ => {
            let mut text = vec![Inline::text(alt), Inline::Break];
            text.extend(caption);
            Block::Paragraph { text }
        }
    })
}

fn children_of<'a>(node: &'a AstNode<'a>, reader: &mut Reader<'_, 'a>) -> Vec<Inline> {
    let mut runs = children(node, 1, reader);
    trim(&mut runs);
    runs
}

fn last_character(runs: &[Inline]) -> Option<char> {
    let mut runs = runs;
    loop {
        match runs.last()? {
            Inline::Text { text } | Inline::Code { text } => return text.chars().next_back(),
            Inline::Emphasis { text }
            | Inline::Strong { text }
            | Inline::Struck { text }
            | Inline::Link { text, .. } => {
                runs = text;
            }
            // A mark of a note is no word, and a picture is as a word.
            Inline::Note { .. } => runs = &runs[..runs.len() - 1],
            Inline::Picture { alt, .. } => return alt.chars().next_back().or(Some('a')),
            Inline::Break => return None,
        }
    }
}

/// The first character that a node shows.
fn first_character<'a>(node: &'a AstNode<'a>) -> Option<char> {
    let mut node = node;
    loop {
        match &node.data().value {
            NodeValue::Text(text) => return text.chars().next(),
            NodeValue::Code(code) => return code.literal.chars().next(),
            _ => {}
        }
        node = node.first_child()?;
    }
}

/// Takes white space and breaks off both ends.
fn trim(runs: &mut Vec<Inline>) {
    while let Some(last) = runs.last_mut() {
        match last {
            Inline::Text { text } => {
                text.truncate(text.trim_end().len());
                if !text.is_empty() {
                    break;
                }
                runs.pop();
            }
            Inline::Break => drop(runs.pop()),
            _ => break,
        }
    }
    let blank = runs
        .iter()
        .take_while(|run| match run {
            Inline::Text { text } => text.trim().is_empty(),
            Inline::Break => true,
            _ => false,
        })
        .count();
    runs.drain(..blank);
    if let Some(Inline::Text { text }) = runs.first_mut() {
        *text = text.trim_start().to_owned();
    }
}
