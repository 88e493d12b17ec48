//! Tags and text in, blocks out, in one pass without a tree: what nests for ever costs no stack and no time.

use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{Tag, TagKind};

use crate::{proof::Doubt, prose, prose::Block, prose::Href, typography};

use super::super::draft::{Draft, excerpt};
use super::super::epub;
use super::super::pictures::{Shown, name_in};
use super::containers::{Container, Frame, MAX_COLUMNS, Note, Placed, figures};
use super::elements::{self, Image, Meaning, attribute};
use super::runs::{Kind, Runs};

/// What an element's content does while it is open.
#[derive(Debug)]
struct Hiding {
    name: String,
    depth: usize,
    text: String,
    line: usize,
    /// Whether it shows a picture all the same, as a drawing does that only frames one.
    is_frame: bool,
}

/// Builds blocks from tags and text.
pub(super) struct Builder<'d> {
    pub(super) draft: &'d mut Draft,
    pub(super) stack: Vec<Frame>,
    /// How many containers of each name are open beyond the depth that we keep.
    pub(super) beyond: Vec<(String, usize)>,
    pub(super) runs: Runs,
    heading: Option<u8>,
    /// Whether the block at hand says that it stands below a picture.
    captions: bool,
    verbatim: Option<(String, String)>,
    hiding: Option<Hiding>,
    title: Option<String>,
    pub(super) titles: Vec<String>,
    pub(super) metas: Vec<(String, String)>,
    pub(super) notes: Vec<Note>,
    xml: bool,
    /// The path of the file at hand in its book, and a mark after it; empty where there is one file only.
    place: String,
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
            captions: false,
            verbatim: None,
            hiding: None,
            title: None,
            titles: Vec::new(),
            metas: Vec::new(),
            notes: Vec::new(),
            xml,
            place: String::new(),
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
        if name == "image"
            && tag.kind == TagKind::StartTag
            && self.hiding.as_ref().is_some_and(|hiding| hiding.name == "svg" && !hiding.is_frame)
        {
            // Books frame their pictures in a drawing, so that they fill the page.
            self.picture(tag);
            self.hiding.iter_mut().for_each(|hiding| hiding.is_frame = true);
        }
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
            if hiding.name == "svg" && !hiding.is_frame {
                self.draft.query(Doubt::HtmlDropped, hiding.line, "HTML left out: <svg>".to_owned());
            }
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
            self.hide(name);
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
                self.captions = elements::is_caption(tag) && !empty;
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
            Meaning::Figure if !empty => self.push(name, Container::Figure { caption: Vec::new() }),
            Meaning::Caption if !empty => self.push(name, Container::Caption),
            Meaning::Figure | Meaning::Caption => self.flush(true),
            Meaning::Embedded => {
                self.embedded(tag);
                if !empty {
                    self.hide(name);
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
        if meaning == Meaning::Title
            && let Some(title) = self.title.take()
        {
            self.titles.push(title.split_whitespace().collect::<Vec<_>>().join(" "));
            return;
        }
        if let Some((open, _)) = &self.verbatim {
            if open == name {
                self.flush(false);
            }
            return;
        }
        match meaning {
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
            | Meaning::Title
            | Meaning::Meta => self.close(name, false),
            _ => self.close(name, true),
        }
    }

    fn hide(&mut self, name: &str) {
        let (name, line) = (name.to_owned(), self.line);
        self.hiding = Some(Hiding { name, depth: 1, text: String::new(), line, is_frame: false });
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
        let is_place = !self.draft.album.has(address) || address.starts_with('#');
        let kind = if let Some(place) = self.place_in_book(address).filter(|_| is_place) {
            Kind::Anchor(place)
        } else if let Some(href) = Href::parse(address) {
            Kind::Link(href)
        } else if self.draft.album.has(address) {
            // A picture that leads to a larger one of itself.
            self.draft.set_aside_address(address);
            Kind::Plain
        } else {
            let asked = format!("readers cannot follow `{}`; its text was kept", excerpt(address));
            self.draft.query(Doubt::LinkDropped, self.line, asked);
            self.draft.set_aside(&typography::printable(address));
            Kind::Plain
        };
        self.runs.open(kind, "a");
    }

    /// The place in the book that an address means, if it means one.
    fn place_in_book(&self, address: &str) -> Option<String> {
        if let Some(place) = address.strip_prefix('#') {
            return Some(format!("{}#{place}", self.place));
        }
        if self.place.is_empty() || address.contains(':') {
            return None;
        }
        let folder = self.place.rsplit_once('/').map_or("", |(folder, _)| folder);
        let (path, place) = address.split_once('#').unwrap_or((address, ""));
        Some(format!("{}#{place}", epub::resolve(folder, path)))
    }

    /// A picture on the web becomes a link with its description, unless it was fetched; one that is not there leaves its
    /// description.
    fn picture(&mut self, tag: &Tag) {
        let Image { address, alt, counts } = Image::of(tag);
        let address = address.as_str();
        if counts {
            // A picture of one pixel counts readers; they need not see it.
            self.draft.set_aside_address(address);
            return;
        }
        if self.began.is_none() {
            self.began = Some(self.line);
        }
        if self.verbatim.is_some() || self.title.is_some() {
            self.draft.set_aside_address(address);
            self.text(&alt.unwrap_or_default());
            return;
        }
        let shown = self.draft.picture(address, alt.as_deref(), self.line);
        let alt = alt.unwrap_or_default();
        match shown {
            Shown::Picture(picture) => self.runs.picture(picture, alt),
            // A link cannot stand in a link: the picture's own is the one that readers would miss.
            Shown::Link(_) if self.runs.in_link() && !alt.is_empty() => {
                self.draft.set_aside_address(address);
                self.spaced(&alt);
            }
            Shown::Link(href) => {
                let text =
                    if alt.is_empty() { typography::printable(name_in(address)).into_owned() } else { alt };
                self.runs.link(href, &text);
            }
            Shown::Description => self.spaced(&alt),
            Shown::Nothing => {}
        }
    }

    fn spaced(&mut self, text: &str) {
        if !text.is_empty() {
            self.text(" ");
            self.text(text);
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
        let quiet = ["style", "script", "template", "noscript"];
        // Of a drawing it turns out at its end what it was.
        let late = &*tag.name == "svg" && !elements::is_hidden(tag);
        if !elements::is_page_mark(tag) && !quiet.contains(&&*tag.name) && !late {
            self.draft.query(Doubt::HtmlDropped, self.line, text);
        }
    }

    fn note_of(&self, tag: &Tag) -> Container {
        let names = attribute(tag, "id").map(|id| format!("{}#{id}", self.place)).into_iter().collect();
        Container::Note { names, line: self.line }
    }

    fn name_note(&mut self, id: &str) {
        let name = format!("{}#{id}", self.place);
        let open = self.stack.iter_mut().rev().find_map(|frame| match &mut frame.container {
            Container::Note { names, .. } => Some(names),
            _ => None,
        });
        if let Some(names) = open {
            names.push(name);
        }
    }

    /// Ends the block at hand.
    pub(super) fn flush(&mut self, carry: bool) {
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
        if std::mem::take(&mut self.captions) && self.caption(&text) {
            return;
        }
        if contents {
            self.draft.set_aside(&prose::plain(&text));
            return;
        }
        if let Some(level) = heading {
            let last = self.stack.len() - 1;
            self.stack[last].placed.push(Placed::Heading { level, text, line });
            return;
        }
        match figures(text) {
            Ok(figures) => figures.into_iter().for_each(|figure| self.place_at(figure, line)),
            Err(text) => self.place_at(Block::Paragraph { text }, line),
        }
    }

    pub(super) fn place(&mut self, block: Block) {
        self.place_at(block, self.line);
    }

    pub(super) fn place_at(&mut self, block: Block, line: usize) {
        let last = self.stack.len() - 1;
        self.stack[last].placed.push(Placed::Block { block, line });
    }

    /// Begins a file of a book, with what stood above its text.
    pub(super) fn begin_file(&mut self, path: &str, head: &str) {
        path.clone_into(&mut self.place);
        if let Some((folder, _)) = path.rsplit_once('/') {
            self.draft.album.stand_in(folder);
        } else if !path.is_empty() {
            self.draft.album.stand_in("");
        }
        self.draft.set_aside(head);
    }

    /// Ends a file: everything that is open closes.
    pub(super) fn end_file(&mut self) {
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
        self.beyond.clear();
    }

    /// What was built.
    pub(super) fn finish(&mut self) -> Vec<Placed> {
        std::mem::take(&mut self.stack[0].placed)
    }
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
