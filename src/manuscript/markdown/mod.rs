//! Markdown: front matter, headlines, and bodies in our words, without anything that a script could use.
//!
//! The first-level headings are headlines. Text above the first of them is the issue's summary when it is short, and
//! an article of its own otherwise. A text without such headings is one article under the issue's title. A single
//! first-level heading is that article's headline, and the issue's title too when nothing else names the issue.

mod html;
mod sheets;
mod inline;

use std::collections::{HashMap, hash_map::Entry};

use comrak::Options;
use comrak::nodes::{AstNode, ListType, NodeCodeBlock, NodeValue};

use crate::{
    issue::Article, issue::Byline, issue::CreditLine, issue::Headline, issue::Role, proof::Doubt, prose,
    prose::Block, prose::Inline, typography,
};

use super::byline;
use super::draft::{Draft, excerpt};
use super::html::Image;
use super::pictures::Album;
use super::{credit, front_matter};

/// How deep blocks may stand in each other; what is deeper is kept as plain paragraphs. See the bound of inlines.
const MAX_DEPTH: usize = 16;

/// The longest text above the first headline, in characters, that is a summary and no article.
const MAX_SUMMARY: usize = 280;

/// The longest dek in characters.
const MAX_DEK: usize = 160;

/// Reads a Markdown issue whose pictures are in `album`.
pub(super) fn read(text: &str, album: Album) -> Draft {
    read_in_sheets(text, album, sheets::length_for)
}

fn read_in_sheets(text: &str, album: Album, length: impl Fn(&str) -> usize) -> Draft {
    let mut draft = Draft { album, ..Draft::default() };
    let (body, above) = front_matter::read(text, &mut draft);
    let mut progress = Progress {
        articles: vec![Found { line: above + 1, ..Found::default() }],
        closed: last_closes(body, above),
        ..Progress::default()
    };
    sheets::each(body, length(body), &options(), |root, above_sheet| {
        let mut reader = Reader::new(above + above_sheet, &mut draft, &mut progress);
        reader.collect_notes(root);
        reader.articles(root);
        reader.leave_out_unused_notes();
    });
    compose(progress.articles, &mut draft);
    draft
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.footnotes = true;
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.autolink = true;
    options.extension.cjk_friendly_emphasis = true;
    options.parse.leave_footnote_definitions = true;
    options
}

/// An article as found: its heading and what follows.
#[derive(Default)]
pub(super) struct Found {
    pub(super) headline: Option<Vec<Inline>>,
    pub(super) line: usize,
    pub(super) body: Vec<Block>,
    pub(super) notes: Vec<Vec<Block>>,
    pub(super) captions: Vec<String>,
}

/// What has been read so far, the trees of the sheets before included.
#[derive(Default)]
struct Progress {
    /// The last one is still open.
    articles: Vec<Found>,
    /// The element whose content no reader sees, while we are inside it.
    hidden: Option<&'static str>,
    /// The last line that closes each hiding element, so that an open one hides nothing for ever.
    closed: Vec<(&'static str, usize)>,
    /// The line that was asked about HTML last.
    asked: usize,
}

/// Walks the tree of a document, or of a sheet of it.
struct Reader<'d, 'a> {
    draft: &'d mut Draft,
    progress: &'d mut Progress,
    /// The number of lines above the Markdown text.
    above: usize,
    /// The notes' texts by name, and whether any article refers to them.
    notes: HashMap<String, (&'a AstNode<'a>, bool)>,
    /// Notes by a name that another has.
    second_notes: Vec<&'a AstNode<'a>>,
    /// The names of the notes that the article at hand refers to, in order.
    referred: Vec<String>,
    /// The numbers of these.
    numbers: HashMap<String, usize>,
}

impl<'d, 'a> Reader<'d, 'a> {
    fn new(above: usize, draft: &'d mut Draft, progress: &'d mut Progress) -> Self {
        let (notes, second_notes) = (HashMap::new(), Vec::new());
        Self { draft, progress, above, notes, second_notes, referred: Vec::new(), numbers: HashMap::new() }
    }

    /// The line of the manuscript for a line of the Markdown text.
    fn line(&self, line: usize) -> usize {
        line + self.above
    }

    fn collect_notes(&mut self, root: &'a AstNode<'a>) {
        for node in root.descendants() {
            if let NodeValue::FootnoteDefinition(note) = &node.data().value {
                match self.notes.entry(name_of(&note.name)) {
                    Entry::Vacant(entry) => drop(entry.insert((node, false))),
                    // The first of a name stands, as in comrak.
                    Entry::Occupied(_) => self.second_notes.push(node),
                }
            }
        }
    }

    /// The number of a note in the article at hand.
    fn note(&mut self, name: &str) -> usize {
        let name = name_of(name);
        if let Some((_, used)) = self.notes.get_mut(&name) {
            *used = true;
        }
        let next = self.referred.len() + 1;
        let number = *self.numbers.entry(name.clone()).or_insert(next);
        if number == next {
            self.referred.push(name);
        }
        number
    }

    fn articles(&mut self, root: &'a AstNode<'a>) {
        let mut found = self.progress.articles.pop().unwrap_or_default();
        for node in root.children() {
            let data = node.data();
            let headline = matches!(&data.value, NodeValue::Heading(heading) if heading.level == 1);
            if headline && self.progress.hidden.is_none() {
                self.close(&mut found);
                self.progress.articles.push(found);
                let line = self.line(data.sourcepos.start.line);
                found = Found { headline: Some(inline::runs(node, self)), line, ..Found::default() };
            } else {
                self.block(node, 0, &mut found.body);
            }
        }
        self.close(&mut found);
        self.progress.articles.push(found);
    }

    /// Writes the notes of the article that ends here. Notes may refer to notes.
    fn close(&mut self, found: &mut Found) {
        let mut next = 0;
        while let Some(name) = self.referred.get(next) {
            let node = self.notes.get(name).map(|(node, _)| *node);
            let mut blocks = Vec::new();
            for child in node.into_iter().flat_map(AstNode::children) {
                self.block(child, 1, &mut blocks);
            }
            found.notes.push(blocks);
            next += 1;
        }
        self.referred.clear();
        self.numbers.clear();
    }

    fn leave_out_unused_notes(&mut self) {
        let mut unused: Vec<(usize, String)> = self
            .notes
            .values()
            .filter(|(_, used)| !used)
            .map(|(node, _)| node)
            .chain(&self.second_notes)
            .map(|node| (node.data().sourcepos.start.line, plain(node)))
            .collect();
        unused.sort();
        for (line, text) in unused {
            let line = self.line(line);
            self.draft.query(
                Doubt::NotUsed,
                line,
                format!("nothing refers to this note: {}", excerpt(&text)),
            );
            self.draft.set_aside(&text);
        }
    }

    fn block(&mut self, node: &'a AstNode<'a>, depth: usize, out: &mut Vec<Block>) {
        let data = node.data();
        let line = self.line(data.sourcepos.start.line);
        if self.progress.hidden.is_some() && !holds_html(node) {
            self.draft.set_aside(&plain(node));
            return;
        }
        if depth >= MAX_DEPTH && node.first_child().is_some() {
            let text = typography::printable(&plain(node)).into_owned();
            if !text.trim().is_empty() {
                out.push(Block::paragraph(text.trim()));
            }
            return;
        }
        match &data.value {
            NodeValue::Paragraph => {
                if let Some(figure) = inline::figure(node, self) {
                    out.push(figure);
                    return;
                }
                let text = inline::runs(node, self);
                if !text.is_empty() {
                    out.push(Block::Paragraph { text });
                }
            }
            NodeValue::Heading(heading) => {
                let text = inline::runs(node, self);
                if !text.is_empty() {
                    out.push(Block::Subhead { level: heading.level.saturating_sub(1).clamp(1, 4), text });
                }
            }
            NodeValue::BlockQuote => {
                let blocks = self.blocks(node, depth + 1);
                if !blocks.is_empty() {
                    out.push(Block::Quote { blocks });
                }
            }
            NodeValue::List(list) => {
                let start = (list.list_type == ListType::Ordered).then_some(list.start as u64);
                let items: Vec<Vec<Block>> = node
                    .children()
                    .map(|item| self.blocks(item, depth + 1))
                    .filter(|item| !item.is_empty())
                    .collect();
                if !items.is_empty() {
                    out.push(Block::List { start, items });
                }
            }
            NodeValue::CodeBlock(code) => {
                if let Some(words) = words_of(code) {
                    let asked = format!("what stands behind ``` names no language: {}", excerpt(words));
                    self.draft.query(Doubt::NotUsed, line, asked);
                    self.draft.set_aside(words);
                }
                let text = typography::printable(&code.literal).trim_end_matches('\n').to_owned();
                if !text.trim().is_empty() {
                    out.push(Block::Code { text });
                }
            }
            NodeValue::Table(_) => {
                let mut rows = node.children().map(|row| {
                    row.children().map(|cell| inline::runs(cell, self)).collect::<Vec<Vec<Inline>>>()
                });
                let head = rows.next().unwrap_or_default();
                let rows = rows.collect();
                out.push(Block::Table { head, rows });
            }
            NodeValue::ThematicBreak => out.push(Block::Rule),
            NodeValue::HtmlBlock(block) => self.html(&block.literal, line, out),
            NodeValue::FootnoteDefinition(_) => {}
            _ => {
                let blocks = self.blocks(node, depth + 1);
                out.extend(blocks);
            }
        }
    }

    fn blocks(&mut self, node: &'a AstNode<'a>, depth: usize) -> Vec<Block> {
        let mut blocks = Vec::new();
        for child in node.children() {
            self.block(child, depth, &mut blocks);
        }
        blocks
    }

    /// Keeps the text of a block of HTML, a paragraph a run of lines.
    fn html(&mut self, literal: &str, line: usize, out: &mut Vec<Block>) {
        let mut text = String::new();
        for piece in html::pieces(literal) {
            match piece {
                html::Piece::Text(piece) if self.progress.hidden.is_some() => {
                    self.draft.set_aside(&typography::printable(piece));
                }
                html::Piece::Text(piece) => text.push_str(&typography::printable(piece)),
                html::Piece::Tag(tag) => {
                    if let Some(image) = self.image(tag) {
                        push_paragraphs(&std::mem::take(&mut text), out);
                        out.extend(inline::figure_of(image, line, self));
                    } else {
                        self.tag(tag, line);
                        text.push(' ');
                    }
                }
                html::Piece::Comment(comment) => {
                    if !comment.ends_with('>') {
                        let asked = "a comment that never ends hides all that follows it".to_owned();
                        self.draft.query(Doubt::HtmlDropped, line, asked);
                    }
                    self.draft.set_aside(comment);
                }
                html::Piece::Hidden(hidden) => self.draft.set_aside(hidden),
            }
        }
        push_paragraphs(&text, out);
    }

    /// What a tag says of the picture that it shows, if it shows any; one that only counts readers is left out.
    fn image(&self, tag: &str) -> Option<Image> {
        super::html::image_of(tag).filter(|image| self.progress.hidden.is_none() && !image.counts)
    }

    /// Leaves a tag out, and notes when it begins or ends what no reader sees.
    fn tag(&mut self, tag: &str, line: usize) {
        self.draft.set_aside(tag);
        if tag.starts_with("<!") || tag.starts_with("<?") {
            return;
        }
        match self.progress.hidden {
            Some(name) if html::closes(tag, name) => self.progress.hidden = None,
            Some(_) => {}
            None => {
                self.progress.hidden = html::hides(tag).filter(|name| self.closes_below(name, line));
                if self.progress.asked != line {
                    self.draft.query(
                        Doubt::HtmlDropped,
                        line,
                        format!("HTML left out, its text kept: {}", excerpt(tag)),
                    );
                    self.progress.asked = line;
                }
            }
        }
    }

    /// Whether an element that opens on this line is closed there or further down.
    fn closes_below(&self, name: &str, line: usize) -> bool {
        self.progress.closed.iter().any(|(known, last)| *known == name && *last >= line)
    }
}

/// Writes the text of a block of HTML, a paragraph a run of lines.
fn push_paragraphs(text: &str, out: &mut Vec<Block>) {
    for paragraph in unescaped(text).split("\n\n") {
        let mut joined = String::new();
        for word in paragraph.split_whitespace() {
            joined.push_str(typography::joint(&joined, word));
            joined.push_str(word);
        }
        if !joined.is_empty() {
            out.push(Block::paragraph(joined));
        }
    }
}

/// The last line that closes each element whose content no reader sees. The first line of `source` has `above` lines above it.
fn last_closes(source: &str, above: usize) -> Vec<(&'static str, usize)> {
    let mut closed: Vec<(&'static str, usize)> = Vec::new();
    for (number, line) in (above + 1..).zip(source.lines()) {
        for (at, _) in line.match_indices("</") {
            if let Some(name) = html::HIDDEN.into_iter().find(|name| html::closes(&line[at..], name)) {
                closed.retain(|(known, _)| *known != name);
                closed.push((name, number));
            }
        }
    }
    closed
}

fn name_of(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn holds_html<'a>(node: &'a AstNode<'a>) -> bool {
    node.descendants()
        .any(|node| matches!(node.data().value, NodeValue::HtmlInline(_) | NodeValue::HtmlBlock(_)))
}

/// The words behind the fence of code, where they cannot be the name of a language.
fn words_of(code: &NodeCodeBlock) -> Option<&str> {
    Some(code.info.as_str()).filter(|info| !info.is_ascii())
}

/// The text below a node, without marks; walks without recursion, however deep the tree.
fn plain<'a>(node: &'a AstNode<'a>) -> String {
    let mut text = String::new();
    for node in node.descendants() {
        match &node.data().value {
            NodeValue::Text(run) => text.push_str(run),
            NodeValue::Code(code) => text.push_str(&code.literal),
            NodeValue::CodeBlock(code) => {
                text.push_str(words_of(code).unwrap_or_default());
                text.push_str(&code.literal);
            }
            NodeValue::HtmlBlock(block) => text.push_str(&block.literal),
            NodeValue::HtmlInline(tag) => text.push_str(tag),
            NodeValue::SoftBreak | NodeValue::LineBreak | NodeValue::Paragraph => text.push(' '),
            _ => {}
        }
    }
    text
}

/// The text with the five entities of XML and the no-break space as characters.
fn unescaped(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let mut text = text.to_owned();
    for (entity, character) in [
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, character);
    }
    text
}

/// Puts the articles found into the draft.
pub(super) fn compose(found: Vec<Found>, draft: &mut Draft) {
    let n_headed = found.iter().filter(|article| article.headline.is_some()).count();
    let mut above = Vec::new();
    for article in found {
        let Found { headline, line, mut body, notes, captions } = article;
        if headline.is_none() && n_headed > 0 && is_banner(&body) {
            above = body;
            continue;
        }
        above.extend(headline.as_deref().map(figures_of).unwrap_or_default());
        let n_figures = body.iter().take_while(|block| matches!(block, Block::Figure { .. })).count();
        above.extend(body.drain(..n_figures));
        let empty = body.iter().all(|block| matches!(block, Block::Rule));
        if headline.is_none() && empty {
            continue;
        }
        let title = headline.as_deref().map(|text| prose::plain(text).trim().to_owned()).unwrap_or_default();
        if headline.is_none() && n_headed > 0 && is_summary(&body, &notes) && draft.summary.is_none() {
            draft.summary = Some(prose::plain_blocks(&body).replace('\n', " "));
            continue;
        }
        if n_headed == 1 && draft.title.is_none() && !title.is_empty() {
            draft.title = Some(title.clone());
        }
        let text = if headline.is_none() { draft.title.clone().unwrap_or_default() } else { title };
        let mut article =
            Article { captions, body, notes, ..Article::headed(Headline { text, synthetic: false }) };
        read_head(&mut article, draft);
        article.body.splice(0..0, above.drain(..));
        read_credit(&mut article, draft);
        if article.bylines.is_empty() {
            let authors = draft.authors.iter().map(|name| Byline {
                name: name.clone(),
                role: Role::Author,
                affiliation: None,
            });
            article.bylines = authors.collect();
        }
        draft.lines.push(line);
        draft.articles.push(article);
    }
    if draft.number.is_none() {
        draft.number = draft.title.as_deref().and_then(number_of);
    }
}

/// The pictures in a headline, which is only text to most readers: they come below it.
fn figures_of(headline: &[Inline]) -> Vec<Block> {
    let shown = prose::pictures_of(headline).into_iter();
    shown
        .map(|(picture, alt)| Block::Figure {
            picture: picture.clone(),
            alt: alt.to_owned(),
            caption: Vec::new(),
        })
        .collect()
}

/// Whether there are only pictures: above the first headline they belong to what comes below it.
fn is_banner(body: &[Block]) -> bool {
    let figures = body.iter().filter(|block| matches!(block, Block::Figure { .. })).count();
    figures > 0 && body.iter().all(|block| matches!(block, Block::Figure { .. } | Block::Rule))
}

fn is_summary(body: &[Block], notes: &[Vec<Block>]) -> bool {
    let plain = |block: &Block| match block {
        Block::Paragraph { text } => {
            text.iter().all(|run| matches!(run, Inline::Text { .. } | Inline::Emphasis { .. }))
        }
        _ => matches!(block, Block::Rule),
    };
    notes.is_empty() && body.iter().all(plain) && prose::plain_blocks(body).chars().count() <= MAX_SUMMARY
}

/// Reads the byline and the dek right below a headline.
fn read_head(article: &mut Article, draft: &mut Draft) {
    for _ in 0..2 {
        let Some(Block::Paragraph { text }) = article.body.first() else { break };
        let simple = text
            .iter()
            .all(|run| matches!(run, Inline::Text { .. } | Inline::Emphasis { .. } | Inline::Strong { .. }));
        let line = prose::plain(text);
        let stressed = matches!(text.as_slice(), [Inline::Emphasis { .. }]);
        if !simple {
            break;
        }
        if article.bylines.is_empty()
            && let Some(bylines) = byline::parse(&line)
        {
            draft.set_aside(&byline::labels(&line, &bylines, None));
            article.bylines = bylines;
        } else if article.dek.is_none()
            && stressed
            && article.body.len() > 1
            && line.chars().count() <= MAX_DEK
        {
            article.dek = Some(line);
        } else {
            break;
        }
        article.body.remove(0);
    }
}

/// Reads the credit line that ends an article.
fn read_credit(article: &mut Article, draft: &mut Draft) {
    let Some(Block::Paragraph { text }) = article.body.last() else { return };
    let line = prose::plain(text);
    let linked = text
        .iter()
        .any(|run| matches!(run, Inline::Link { .. } | Inline::Note { .. } | Inline::Picture { .. }));
    if let Some((0, credit)) = credit::at_end(&line).filter(|_| !linked) {
        let date = credit.day.and_then(|day| {
            day.date().or_else(|| if day.year.is_none() { day.before(draft.date?) } else { None })
        });
        article.credit =
            Some(CreditLine { name: credit.name, date, page: credit.page, printed: credit.printed });
        article.body.pop();
    }
}

/// The issue's number in its title: 第 12 期, Issue 12, No. 12, #12.
fn number_of(title: &str) -> Option<String> {
    let digits = |text: &str| -> Option<String> {
        let number: String = text.trim_start().chars().take_while(char::is_ascii_digit).collect();
        (!number.is_empty() && number.len() <= 6).then_some(number)
    };
    for (at, mark) in title.match_indices('第') {
        let rest = &title[at + mark.len()..];
        if let Some(number) = digits(rest)
            && rest.trim_start()[number.len()..].trim_start().starts_with('期')
        {
            return Some(number);
        }
    }
    ["Issue ", "issue ", "No. ", "no. ", "#", "Vol. "].iter().find_map(|mark| {
        title.find(mark).and_then(|at| digits(title[at + mark.len()..].trim_start_matches('#')))
    })
}
