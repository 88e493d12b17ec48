//! Tags and text in, blocks out, in one pass without a tree: what nests for ever costs no stack and no time.

use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{Tag, TagKind};

use crate::{proof::Doubt, prose, prose::Block, prose::Href, prose::Inline, typography};

use super::super::draft::{Draft, excerpt};
use super::elements::{self, Meaning, attribute};
use super::runs::{Kind, Runs};

/// How deep blocks may stand in each other; what is deeper stands beside each other.
const MAX_DEPTH: usize = 16;

/// More columns than this are a layout and no table.
const MAX_COLUMNS: usize = 40;

/// Something that stands in a container, in the order of the file.
#[derive(Debug)]
pub(super) enum Placed {
    Heading { level: u8, text: Vec<Inline>, line: usize },
    Block { block: Block, line: usize },
}

/// A note of the file and the names by which it may be referred to.
#[derive(Debug)]
pub(super) struct Note {
    pub(super) names: Vec<String>,
    pub(super) blocks: Vec<Block>,
    pub(super) line: usize,
}

#[derive(Debug)]
enum Container {
    Root,
    Quote,
    List {
        start: Option<u64>,
        items: Vec<Vec<Block>>,
    },
    Item,
    Table {
        rows: Vec<Vec<Cell>>,
    },
    Cell {
        head: bool,
        span: usize,
    },
    Note {
        names: Vec<String>,
        line: usize,
    },
    /// A list or section all of whose items are notes.
    Notes,
}

#[derive(Debug)]
struct Cell {
    head: bool,
    span: usize,
    placed: Vec<Placed>,
}

#[derive(Debug)]
struct Frame {
    name: String,
    container: Container,
    placed: Vec<Placed>,
}

/// What an element's content does while it is open.
#[derive(Debug)]
struct Hiding {
    name: String,
    depth: usize,
    text: String,
    line: usize,
}

/// Builds blocks from tags and text.
pub(super) struct Builder<'d> {
    pub(super) draft: &'d mut Draft,
    stack: Vec<Frame>,
    /// How many containers of each name are open beyond the depth that we keep.
    beyond: Vec<(String, usize)>,
    pub(super) runs: Runs,
    heading: Option<u8>,
    verbatim: Option<(String, String)>,
    hiding: Option<Hiding>,
    title: Option<String>,
    pub(super) titles: Vec<String>,
    pub(super) metas: Vec<(String, String)>,
    pub(super) notes: Vec<Note>,
    xml: bool,
    /// The line where the block at hand begins.
    began: Option<usize>,
    pub(super) line: usize,
}

impl<'d> Builder<'d> {
    pub(super) fn new(xml: bool, draft: &'d mut Draft) -> Self {
        let root = Frame { name: String::new(), container: Container::Root, placed: Vec::new() };
        Self {
            draft,
            stack: vec![root],
            beyond: Vec::new(),
            runs: Runs::default(),
            heading: None,
            verbatim: None,
            hiding: None,
            title: None,
            titles: Vec::new(),
            metas: Vec::new(),
            notes: Vec::new(),
            xml,
            began: None,
            line: 1,
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        let text = typography::printable(text);
        if let Some(hiding) = &mut self.hiding {
            hiding.text.push_str(&text);
        } else if let Some(title) = &mut self.title {
            title.push_str(&text);
        } else if let Some((_, lines)) = &mut self.verbatim {
            lines.push_str(&text);
        } else {
            if self.began.is_none() && !text.trim().is_empty() {
                self.began = Some(self.line);
            }
            self.runs.text(&text);
        }
    }

    pub(super) fn comment(&mut self, text: &str) {
        let text = typography::printable(text);
        self.draft.set_aside(&text);
    }

    /// Takes a tag; gives the kind of raw text that follows it, if any does.
    pub(super) fn tag(&mut self, tag: &Tag) -> Option<RawKind> {
        let name = &*tag.name;
        if let Some(hiding) = &mut self.hiding {
            if hiding.name == name && !elements::is_void(name) && !(self.xml && tag.self_closing) {
                match tag.kind {
                    TagKind::StartTag => hiding.depth += 1,
                    TagKind::EndTag => hiding.depth -= 1,
                }
            }
            let ended = hiding.depth == 0
                || (hiding.name == "p" && is_block_start(tag))
                || (tag.kind == TagKind::EndTag && matches!(name, "body" | "html"));
            if !ended {
                return None;
            }
            let over = hiding.depth == 0;
            self.show();
            if over {
                return None;
            }
        }
        match tag.kind {
            TagKind::StartTag => self.start(tag),
            TagKind::EndTag => {
                self.end(name);
                None
            }
        }
    }

    /// Ends what hides: what no reader sees is set aside.
    fn show(&mut self) {
        if let Some(hiding) = self.hiding.take() {
            self.draft.set_aside(&hiding.text);
        }
    }

    #[expect(clippy::too_many_lines, reason = "an arm a meaning")]
    fn start(&mut self, tag: &Tag) -> Option<RawKind> {
        let name = &*tag.name;
        let meaning = elements::meaning(name);
        let empty = elements::is_void(name) || (self.xml && tag.self_closing);
        if let Some(id) = attribute(tag, "id").or_else(|| attribute(tag, "name").filter(|_| name == "a")) {
            self.name_note(id);
        }
        if meaning != Meaning::Embedded && (meaning == Meaning::Hidden || elements::is_hidden(tag)) {
            if empty {
                return None;
            }
            self.ask_about(tag);
            self.hiding =
                Some(Hiding { name: name.to_owned(), depth: 1, text: String::new(), line: self.line });
            return raw_kind(name);
        }
        if elements::holds_notes(tag) && !empty && name != "a" && name != "sup" && name != "span" {
            self.flush(false);
            let all = matches!(meaning, Meaning::List { .. })
                || attribute(tag, "class").is_some_and(|class| class.contains("notes"))
                || attribute(tag, "epub:type").is_some_and(|class| class.contains("notes"))
                || attribute(tag, "role") == Some("doc-endnotes");
            let container = if all { Container::Notes } else { self.note_of(tag) };
            self.push(name, container);
            return None;
        }
        match meaning {
            Meaning::Nothing | Meaning::Hidden => {}
            Meaning::Block => {
                self.flush(true);
                if name == "p" && empty {
                    return None;
                }
            }
            Meaning::Heading(level) => {
                self.flush(false);
                self.heading = Some(level).filter(|_| !empty);
            }
            Meaning::Quote => self.push(name, Container::Quote),
            Meaning::List { numbered } => {
                let within_notes = matches!(self.top(), Container::Notes);
                let first = attribute(tag, "start").and_then(|start| start.trim().parse().ok()).unwrap_or(1);
                let start = numbered.then_some(first);
                let container = if within_notes {
                    Container::Notes
                } else {
                    Container::List { start, items: Vec::new() }
                };
                self.push(name, container);
            }
            Meaning::Item => {
                self.close_to("li", &["ul", "ol", "menu", "dir"]);
                let container =
                    if matches!(self.top(), Container::Notes) { self.note_of(tag) } else { Container::Item };
                self.push(name, container);
            }
            Meaning::Table => self.push(name, Container::Table { rows: Vec::new() }),
            Meaning::Row => {
                self.close_cell();
                if let Container::Table { rows } = self.top_mut() {
                    rows.push(Vec::new());
                }
            }
            Meaning::Cell { head } => {
                self.close_cell();
                let span = attribute(tag, "colspan").and_then(|n| n.trim().parse().ok()).unwrap_or(1);
                if matches!(self.top(), Container::Table { .. }) {
                    self.push(name, Container::Cell { head, span: span.clamp(1, MAX_COLUMNS) });
                } else {
                    self.flush(true);
                }
            }
            Meaning::Verbatim => {
                self.flush(false);
                self.began = Some(self.line);
                if !empty {
                    self.verbatim = Some((name.to_owned(), String::new()));
                }
            }
            Meaning::Emphasis => self.open(Kind::Emphasis, tag, empty),
            Meaning::Strong => self.open(Kind::Strong, tag, empty),
            Meaning::Struck => self.open(Kind::Struck, tag, empty),
            Meaning::Code => self.open(Kind::Code, tag, empty),
            Meaning::Link => self.link(tag, empty),
            Meaning::Break => match &mut self.verbatim {
                Some((_, lines)) => lines.push('\n'),
                None => self.runs.line_break(),
            },
            Meaning::Rule => {
                self.flush(false);
                self.place(Block::Rule);
            }
            Meaning::Picture => self.picture(tag),
            Meaning::Embedded => {
                self.embedded(tag);
                if !empty {
                    self.hiding = Some(Hiding {
                        name: name.to_owned(),
                        depth: 1,
                        text: String::new(),
                        line: self.line,
                    });
                }
            }
            Meaning::Title => {
                if !empty {
                    self.title = Some(String::new());
                }
            }
            Meaning::Meta => {
                let key = ["name", "property", "itemprop"].iter().find_map(|key| attribute(tag, key));
                if let (Some(key), Some(value)) = (key, attribute(tag, "content")) {
                    self.metas
                        .push((key.to_ascii_lowercase(), typography::printable(value).trim().to_owned()));
                }
            }
        }
        if name == "html"
            && let Some(language) = attribute(tag, "lang").or_else(|| attribute(tag, "xml:lang"))
        {
            self.metas.push(("language".to_owned(), language.trim().to_owned()));
        }
        if empty { None } else { raw_kind(name) }
    }

    fn end(&mut self, name: &str) {
        let meaning = elements::meaning(name);
        if let Some((open, _)) = &self.verbatim {
            if open == name {
                self.flush(false);
            }
            return;
        }
        match meaning {
            Meaning::Title => {
                if let Some(title) = self.title.take() {
                    self.titles.push(title.split_whitespace().collect::<Vec<_>>().join(" "));
                }
            }
            Meaning::Emphasis | Meaning::Strong | Meaning::Struck | Meaning::Code | Meaning::Link => {
                self.runs.close(name);
            }
            Meaning::Heading(_) => self.flush(false),
            Meaning::Row => self.close_cell(),
            // `</br>` and `</p>` alone mean what they would mean open (HTML §13.2.6.4.7).
            Meaning::Break => self.runs.line_break(),
            Meaning::Nothing
            | Meaning::Hidden
            | Meaning::Rule
            | Meaning::Picture
            | Meaning::Embedded
            | Meaning::Verbatim
            | Meaning::Meta => self.close(name, false),
            _ => self.close(name, true),
        }
    }

    fn open(&mut self, kind: Kind, tag: &Tag, empty: bool) {
        if !empty && self.verbatim.is_none() {
            self.runs.open(kind, static_name(&tag.name));
        }
    }

    fn link(&mut self, tag: &Tag, empty: bool) {
        if empty || self.verbatim.is_some() {
            return;
        }
        // A link cannot stand in a link.
        self.runs.close("a");
        let Some(address) = attribute(tag, "href").map(str::trim).filter(|address| !address.is_empty())
        else {
            return;
        };
        let kind = if let Some(place) = address.strip_prefix('#') {
            Kind::Anchor(place.to_owned())
        } else if let Some(href) = Href::parse(address) {
            Kind::Link(href)
        } else {
            let asked = format!("readers cannot follow `{}`; its text was kept", excerpt(address));
            self.draft.query(Doubt::LinkDropped, self.line, asked);
            self.draft.set_aside(&typography::printable(address));
            Kind::Plain
        };
        self.runs.open(kind, "a");
    }

    /// A picture on the web becomes a link with its description; one beside the manuscript leaves its description.
    fn picture(&mut self, tag: &Tag) {
        let address = attribute(tag, "src").unwrap_or_default().trim();
        let alt = typography::printable(attribute(tag, "alt").unwrap_or_default()).trim().to_owned();
        let n = |side: &str| attribute(tag, side).and_then(|n| n.trim().parse::<u32>().ok());
        if n("width") == Some(1) || n("height") == Some(1) {
            // A picture of one pixel counts readers; they need not see it.
            self.draft.set_aside(&typography::printable(address));
            return;
        }
        if let Some(href) = Href::parse(address) {
            let name = address.rsplit('/').find(|part| !part.is_empty()).unwrap_or(address);
            self.runs.link(href, if alt.is_empty() { name } else { &alt });
            return;
        }
        let name = if address.starts_with("data:") { "data:…" } else { address };
        let asked = format!("the picture `{}` is not with the manuscript", excerpt(name));
        self.draft.query(Doubt::PictureMissing, self.line, asked);
        self.draft.set_aside(&typography::printable(name));
        if !alt.is_empty() {
            self.text(" ");
            self.text(&alt);
            self.text(" ");
        }
    }

    fn embedded(&mut self, tag: &Tag) {
        let Some(address) = attribute(tag, "src").map(str::trim).filter(|address| !address.is_empty()) else {
            return;
        };
        self.flush(true);
        if let Some(href) = Href::parse(address) {
            let title = attribute(tag, "title").filter(|title| !title.trim().is_empty());
            let text = typography::printable(title.unwrap_or(address)).into_owned();
            self.runs.link(href, &text);
            self.flush(true);
        } else {
            let asked = format!("readers cannot follow `{}`", excerpt(address));
            self.draft.query(Doubt::LinkDropped, self.line, asked);
            self.draft.set_aside(&typography::printable(address));
        }
    }

    fn ask_about(&mut self, tag: &Tag) {
        let text = format!("HTML left out: <{}>", excerpt(&tag.name));
        if !elements::is_page_mark(tag) && !matches!(&*tag.name, "style" | "script" | "template" | "noscript")
        {
            self.draft.query(Doubt::HtmlDropped, self.line, text);
        }
    }

    fn note_of(&self, tag: &Tag) -> Container {
        let names = attribute(tag, "id").map(str::to_owned).into_iter().collect();
        Container::Note { names, line: self.line }
    }

    fn name_note(&mut self, id: &str) {
        let open = self.stack.iter_mut().rev().find_map(|frame| match &mut frame.container {
            Container::Note { names, .. } => Some(names),
            _ => None,
        });
        if let Some(names) = open {
            names.push(id.to_owned());
        }
    }

    fn top(&self) -> &Container {
        &self.stack[self.stack.len() - 1].container
    }

    fn top_mut(&mut self) -> &mut Container {
        let last = self.stack.len() - 1;
        &mut self.stack[last].container
    }

    fn push(&mut self, name: &str, container: Container) {
        self.flush(false);
        if self.stack.len() > MAX_DEPTH {
            match self.beyond.iter_mut().find(|(beyond, _)| beyond == name) {
                Some((_, count)) => *count += 1,
                None => self.beyond.push((name.to_owned(), 1)),
            }
            return;
        }
        self.stack.push(Frame { name: name.to_owned(), container, placed: Vec::new() });
    }

    fn close(&mut self, name: &str, breaks: bool) {
        if let Some((_, count)) = self.beyond.iter_mut().find(|(beyond, count)| beyond == name && *count > 0)
        {
            *count -= 1;
            self.flush(false);
            return;
        }
        // A cell keeps what is wrong in it to itself.
        let fence = self
            .stack
            .iter()
            .rposition(|frame| {
                matches!(frame.container, Container::Cell { .. }) && name != "table" && !name.starts_with('t')
            })
            .unwrap_or(0);
        let found = self.stack.iter().rposition(|frame| frame.name == name).filter(|at| *at >= fence.max(1));
        match found {
            Some(at) => {
                self.flush(false);
                while self.stack.len() > at {
                    self.pop();
                }
            }
            None if breaks => self.flush(true),
            None => {}
        }
    }

    /// Closes an open element of that name, unless one of `fences` stands between.
    fn close_to(&mut self, name: &str, fences: &[&str]) {
        self.flush(false);
        let at =
            self.stack.iter().rposition(|frame| frame.name == name || fences.contains(&frame.name.as_str()));
        if let Some(at) = at.filter(|at| self.stack[*at].name == name) {
            while self.stack.len() > at {
                self.pop();
            }
        }
    }

    fn close_cell(&mut self) {
        self.flush(false);
        let at = self
            .stack
            .iter()
            .rposition(|frame| matches!(frame.container, Container::Cell { .. } | Container::Table { .. }));
        if let Some(at) = at {
            let keep = at + usize::from(matches!(self.stack[at].container, Container::Table { .. }));
            while self.stack.len() > keep {
                self.pop();
            }
        }
    }

    /// Ends the block at hand.
    fn flush(&mut self, carry: bool) {
        let line = self.began.take().unwrap_or(self.line);
        if let Some((_, text)) = self.verbatim.take() {
            let text = text.trim_start_matches('\n').trim_end();
            if !text.trim().is_empty() {
                self.place_at(Block::Code { text: text.to_owned() }, line);
            }
        }
        let contents = self.runs.is_contents();
        let text = self.runs.take(carry);
        let heading = self.heading.take();
        if text.is_empty() {
            return;
        }
        if contents {
            self.draft.set_aside(&prose::plain(&text));
            return;
        }
        if let Some(level) = heading {
            let last = self.stack.len() - 1;
            self.stack[last].placed.push(Placed::Heading { level, text, line });
        } else {
            self.place_at(Block::Paragraph { text }, line);
        }
    }

    fn place(&mut self, block: Block) {
        self.place_at(block, self.line);
    }

    fn place_at(&mut self, block: Block, line: usize) {
        let last = self.stack.len() - 1;
        self.stack[last].placed.push(Placed::Block { block, line });
    }

    /// Takes the innermost container off the stack and puts its content where it belongs.
    fn pop(&mut self) {
        if self.stack.len() < 2 {
            return;
        }
        let Some(frame) = self.stack.pop() else { return };
        let line = frame.placed.first().map_or(self.line, |placed| match placed {
            Placed::Heading { line, .. } | Placed::Block { line, .. } => *line,
        });
        match frame.container {
            Container::Root => {}
            Container::Notes => {
                let last = self.stack.len() - 1;
                self.stack[last].placed.extend(frame.placed);
            }
            Container::Quote => {
                let blocks = blocks(frame.placed);
                if !blocks.is_empty() {
                    self.place_at(Block::Quote { blocks }, line);
                }
            }
            Container::Note { names, line } => {
                self.notes.push(Note { names, blocks: blocks(frame.placed), line });
            }
            Container::Item => {
                let item = blocks(frame.placed);
                if item.is_empty() {
                    return;
                }
                match self.top_mut() {
                    Container::List { items, .. } => items.push(item),
                    _ => self.place_at(Block::List { start: None, items: vec![item] }, line),
                }
            }
            Container::List { start, mut items } => {
                // A list right inside a list belongs to the item before it.
                let loose = blocks(frame.placed);
                match items.last_mut() {
                    _ if loose.is_empty() => {}
                    Some(item) => item.extend(loose),
                    None => items.push(loose),
                }
                if !items.is_empty() {
                    self.place_at(Block::List { start, items }, line);
                }
            }
            Container::Cell { head, span } => {
                let cell = Cell { head, span, placed: frame.placed };
                if let Container::Table { rows } = self.top_mut() {
                    if rows.is_empty() {
                        rows.push(Vec::new());
                    }
                    if let Some(row) = rows.last_mut() {
                        row.push(cell);
                    }
                }
            }
            Container::Table { rows } => {
                let last = self.stack.len() - 1;
                self.stack[last].placed.extend(frame.placed);
                self.table(rows);
            }
        }
    }

    /// A table of short texts is a table; any other only lays out a page, and its cells are read one after the other.
    fn table(&mut self, rows: Vec<Vec<Cell>>) {
        let width = rows.iter().map(|row| row.iter().map(|cell| cell.span).sum()).max().unwrap_or(0);
        let n_full = rows.iter().filter(|row| row.iter().any(|cell| !cell.placed.is_empty())).count();
        let plain = rows.iter().flatten().all(|cell| {
            matches!(cell.placed.as_slice(), [] | [Placed::Block { block: Block::Paragraph { .. }, .. }])
        });
        let has_head = rows.iter().flatten().any(|cell| cell.head);
        let small = rows.len().saturating_mul(width) <= 10_000 + 4 * rows.iter().map(Vec::len).sum::<usize>();
        if !(plain && (2..=MAX_COLUMNS).contains(&width) && (n_full > 1 || has_head) && small) {
            let last = self.stack.len() - 1;
            self.stack[last].placed.extend(rows.into_iter().flatten().flat_map(|cell| cell.placed));
            return;
        }
        let mut head: Option<Vec<Vec<Inline>>> = None;
        let mut body = Vec::new();
        for (at, row) in rows.into_iter().enumerate() {
            let heads = !row.is_empty() && row.iter().all(|cell| cell.head);
            let mut cells: Vec<Vec<Inline>> = Vec::with_capacity(width);
            for cell in row {
                let text = cell.placed.into_iter().find_map(|placed| match placed {
                    Placed::Block { block: Block::Paragraph { text }, .. } => Some(text),
                    _ => None,
                });
                cells.push(text.unwrap_or_default());
                cells.extend((1..cell.span).map(|_| Vec::new()));
            }
            cells.resize_with(width, Vec::new);
            if at == 0 && heads {
                head = Some(cells);
            } else if cells.iter().any(|cell| !cell.is_empty()) {
                body.push(cells);
            }
        }
        let head = head.unwrap_or_else(|| vec![Vec::new(); width]);
        self.place(Block::Table { head, rows: body });
    }

    /// Ends the file: everything that is open closes.
    pub(super) fn finish(&mut self) -> Vec<Placed> {
        if let Some(hiding) = &self.hiding {
            let text = format!("<{}> hides all that follows it and never ends", excerpt(&hiding.name));
            self.draft.query(Doubt::HtmlDropped, hiding.line, text);
        }
        self.show();
        if let Some(title) = self.title.take() {
            self.draft.query(Doubt::HtmlDropped, self.line, "the title never ends".to_owned());
            self.draft.set_aside(&title);
        }
        self.flush(false);
        while self.stack.len() > 1 {
            self.pop();
        }
        std::mem::take(&mut self.stack[0].placed)
    }
}

/// The blocks of a container that holds no headlines: titles in it are subheads.
pub(super) fn blocks(placed: Vec<Placed>) -> Vec<Block> {
    let blocks = placed.into_iter().map(|placed| match placed {
        Placed::Heading { level, text, .. } => {
            Block::Subhead { level: level.saturating_sub(1).clamp(1, 4), text }
        }
        Placed::Block { block, .. } => block,
    });
    blocks.filter(|block| matches!(block, Block::Rule) || !prose_is_empty(block)).collect()
}

fn prose_is_empty(block: &Block) -> bool {
    matches!(block, Block::Paragraph { text } if prose::plain(text).trim().is_empty()
        && !text.iter().any(|run| matches!(run, Inline::Note { .. })))
}

fn is_block_start(tag: &Tag) -> bool {
    tag.kind == TagKind::StartTag
        && !matches!(
            elements::meaning(&tag.name),
            Meaning::Nothing
                | Meaning::Emphasis
                | Meaning::Strong
                | Meaning::Struck
                | Meaning::Code
                | Meaning::Link
                | Meaning::Break
                | Meaning::Picture
                | Meaning::Hidden
                | Meaning::Embedded
        )
}

/// How the tokenizer must read what follows a start tag (HTML §13.2.6.4).
fn raw_kind(name: &str) -> Option<RawKind> {
    match name {
        "script" => Some(RawKind::ScriptData),
        "style" | "iframe" | "noembed" | "noframes" | "xmp" => Some(RawKind::Rawtext),
        "title" | "textarea" => Some(RawKind::Rcdata),
        _ => None,
    }
}

/// The name of an element of a run.
fn static_name(name: &str) -> &'static str {
    ["em", "i", "cite", "dfn", "var", "strong", "b", "s", "del", "strike", "code", "kbd", "samp", "tt"]
        .into_iter()
        .find(|known| *known == name)
        .unwrap_or("")
}
