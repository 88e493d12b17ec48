//! Word's `.docx` (ECMA-376): paragraphs by the names of their styles, runs, links, tables and notes, written as HTML for
//! that reader. A document without any heading style is read as a plain page, as its headlines are only set large.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use super::archive::{self, Archive, Element, Node};
use super::companions::{Companion, Companions};
use super::draft::Draft;
use super::lexicon::Lexicon;
use super::pictures::Album;
use super::{Unreadable, epub, html, is_picture, page};

const EXTENSION: &str = "docx";

/// What a paragraph is by its style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Title,
    Heading(u8),
    Quote,
    /// What stands below a picture.
    Caption,
}

/// The names that programs in several languages give to headings, before their number.
const HEADINGS: [&str; 11] = [
    "heading",
    "标题",
    "標題",
    "überschrift",
    "titre",
    "título",
    "titolo",
    "kop",
    "заголовок",
    "見出し",
    "제목",
];

const CAPTIONS: [&str; 8] =
    ["caption", "题注", "標號", "beschriftung", "légende", "descripción", "didascalia", "図表番号"];

const TITLES: [&str; 6] = ["title", "标题", "標題", "titel", "titre principal", "表題"];

/// A document, unpacked.
#[derive(Debug, Clone)]
pub(super) struct Document {
    /// Its text as HTML, or as a plain page where it has nothing that a page has not.
    text: Result<String, String>,
    left_out: Vec<String>,
    /// The pictures in it.
    pub(super) pictures: Companions,
}

/// Opens a document.
pub(super) fn open(bytes: &[u8]) -> Result<Document, Unreadable> {
    let mut archive = Archive::open(bytes, EXTENSION)?;
    let main = archive.needed("word/document.xml")?;
    let styles = match archive.text("word/styles.xml")? {
        Some(text) => styles(&text)?,
        None => HashMap::new(),
    };
    let numbered = match archive.text("word/numbering.xml")? {
        Some(text) => numbered(&text)?,
        None => HashMap::new(),
    };
    let mut writer = Writer { styles, numbered, ..Writer::default() };
    writer.relations = relations(&mut archive, "document")?;
    archive::walk(&main, EXTENSION, |node| writer.node(node))?;
    writer.close_part();
    for name in ["footnotes", "endnotes"] {
        if let Some(text) = archive.text(&format!("word/{name}.xml"))? {
            writer.relations = relations(&mut archive, name)?;
            archive::walk(&text, EXTENSION, |node| writer.node(node))?;
            writer.close_part();
        }
    }
    let mut pictures = Vec::new();
    for name in &writer.pictures {
        let picture = if is_picture(name) { archive.picture(name)? } else { Some(Companion::Other) };
        pictures.extend(picture.map(|picture| (name.clone(), picture)));
    }
    let is_page = writer.n_headings == 0 && !writer.is_rich;
    let text = if is_page { Err(writer.plain.join("\n\n")) } else { Ok(writer.document()) };
    Ok(Document { text, left_out: writer.left_out, pictures: Companions::of("", pictures) })
}

impl Document {
    /// Reads the document; `dated` is the date in its file's name.
    pub(super) fn read(&self, dated: Option<jiff::civil::Date>, album: Album, lexicon: &Lexicon) -> Draft {
        let mut draft = match &self.text {
            Ok(html) => html::read(html, false, album),
            Err(page) => page::read(page, dated, lexicon),
        };
        for text in &self.left_out {
            draft.set_aside(text);
        }
        draft
    }
}

/// The meaning of each style by its identifier.
fn styles(text: &str) -> Result<HashMap<String, Style>, Unreadable> {
    let mut styles = HashMap::new();
    let mut based: Vec<(String, String)> = Vec::new();
    let mut id = String::new();
    archive::walk(text, EXTENSION, |node| {
        let Node::Open(element) = node else { return };
        let value = element.attribute("val").unwrap_or_default();
        match element.name {
            "style" => id = element.attribute("styleId").unwrap_or_default(),
            "name" => {
                if let Some(style) = style_of(&value) {
                    styles.insert(id.clone(), style);
                }
            }
            "outlineLvl" => {
                if let Some(level) = value.parse::<u8>().ok().filter(|level| *level < 6) {
                    styles.entry(id.clone()).or_insert(Style::Heading(level + 1));
                }
            }
            "basedOn" => based.push((id.clone(), value)),
            _ => {}
        }
    })?;
    // A style of the editor's own stands on a heading, perhaps by another.
    for _ in 0..4 {
        for (own, base) in &based {
            if let Some(style) = styles.get(base).copied().filter(|_| !styles.contains_key(own)) {
                styles.insert(own.clone(), style);
            }
        }
    }
    Ok(styles)
}

/// What a style is by its name.
fn style_of(name: &str) -> Option<Style> {
    let name = name.trim().to_lowercase();
    for word in HEADINGS {
        if let Some(level) = name.strip_prefix(word).and_then(|rest| rest.trim().parse::<u8>().ok()) {
            return (1..=9).contains(&level).then_some(Style::Heading(level.min(6)));
        }
    }
    if TITLES.contains(&name.as_str()) {
        return Some(Style::Title);
    }
    if CAPTIONS.contains(&name.as_str()) {
        return Some(Style::Caption);
    }
    matches!(name.as_str(), "quote" | "intense quote" | "引用" | "明显引用" | "zitat" | "citation")
        .then_some(Style::Quote)
}

/// What the parts of a document refer to by an identifier.
#[derive(Debug, Default)]
struct Relations {
    /// Addresses outside of it.
    far: HashMap<String, String>,
    /// Names of other parts.
    near: HashMap<String, String>,
}

/// What the part of that name in `word/` refers to.
fn relations(archive: &mut Archive<'_>, part: &str) -> Result<Relations, Unreadable> {
    let mut relations = Relations::default();
    let Some(text) = archive.text(&format!("word/_rels/{part}.xml.rels"))? else { return Ok(relations) };
    archive::walk(&text, EXTENSION, |node| {
        if let Node::Open(element) = node
            && let (Some(id), Some(target)) = (element.attribute("Id"), element.attribute("Target"))
        {
            if element.attribute("TargetMode").as_deref() == Some("External") {
                relations.far.insert(id, target);
            } else {
                let folder = if target.starts_with('/') { "" } else { "word" };
                relations.near.insert(id, epub::resolve(folder, &target));
            }
        }
    })?;
    Ok(relations)
}

/// Whether each list is numbered, by its identifier.
fn numbered(text: &str) -> Result<HashMap<String, bool>, Unreadable> {
    let mut kinds: HashMap<String, bool> = HashMap::new();
    let mut lists: HashMap<String, bool> = HashMap::new();
    let (mut kind, mut list) = (String::new(), String::new());
    archive::walk(text, EXTENSION, |node| {
        let Node::Open(element) = node else { return };
        let value = element.attribute("val").unwrap_or_default();
        match element.name {
            "abstractNum" => kind = element.attribute("abstractNumId").unwrap_or_default(),
            "numFmt" => drop(kinds.entry(kind.clone()).or_insert(value != "bullet" && value != "none")),
            "num" => list = element.attribute("numId").unwrap_or_default(),
            "abstractNumId" => {
                lists.insert(list.clone(), kinds.get(&value).copied().unwrap_or(false));
            }
            _ => {}
        }
    })?;
    Ok(lists)
}

/// A paragraph being written.
#[derive(Default)]
struct Paragraph {
    html: String,
    plain: String,
    style: Option<Style>,
    /// The list that it is an item of, and how deep.
    list: Option<(String, usize)>,
}

/// Writes HTML from the document's elements.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch that the document turns on and off")]
#[derive(Default)]
struct Writer {
    styles: HashMap<String, Style>,
    relations: Relations,
    numbered: HashMap<String, bool>,
    titles: Vec<String>,
    body: String,
    plain: Vec<String>,
    left_out: Vec<String>,
    /// A text box stands inside a paragraph, so there may be several.
    open: Vec<Paragraph>,
    lists: Vec<&'static str>,
    n_headings: usize,
    /// Whether there are links, notes, lists or tables, which a plain page has not.
    is_rich: bool,
    bold: bool,
    italic: bool,
    struck: bool,
    hidden: bool,
    in_text: bool,
    in_deleted: bool,
    in_run_properties: bool,
    /// How many alternatives for old programs we are inside of, which repeat what stands before them.
    in_fallback: usize,
    /// The drawings that are open, one in the text box of another.
    drawings: Vec<Drawing>,
    /// The parts that are shown as pictures.
    pictures: BTreeSet<String>,
}

/// A drawing, which may hold pictures, text boxes or neither.
#[derive(Debug, Default)]
struct Drawing {
    name: String,
    /// What it shows, if its editor said so.
    alt: String,
    /// Whether its editor said that there is nothing to say.
    is_decorative: bool,
    /// Whether it holds a picture or text: otherwise it shows what we cannot.
    is_read: bool,
}

impl Writer {
    fn node(&mut self, node: Node<'_>) {
        match node {
            Node::Open(element) if element.name == "Fallback" => self.in_fallback += 1,
            Node::Close("Fallback") => self.in_fallback = self.in_fallback.saturating_sub(1),
            _ if self.in_fallback > 0 => {}
            Node::Open(element) => self.begin(element),
            Node::Close(name) => self.end(name),
            Node::Text(text) if self.in_text => self.text(text),
            Node::Text(text) if self.in_deleted => self.left_out.push(text.to_owned()),
            Node::Text(_) => {}
        }
    }

    fn begin(&mut self, element: &Element<'_>) {
        let value = || element.attribute("val").unwrap_or_default();
        let on = || !matches!(value().as_str(), "0" | "false" | "off" | "none");
        match element.name {
            "p" => self.open.push(Paragraph::default()),
            "pStyle" => {
                let style = self.styles.get(&value()).copied().or_else(|| style_of(&value()));
                self.paragraph().style = style;
            }
            "outlineLvl" => {
                if let Some(level) = value().parse::<u8>().ok().filter(|level| *level < 6) {
                    self.paragraph().style.get_or_insert(Style::Heading(level + 1));
                }
            }
            "ilvl" => {
                let depth = value().parse::<usize>().unwrap_or(0).min(8);
                self.paragraph().list.get_or_insert_default().1 = depth;
            }
            "numId" => self.paragraph().list.get_or_insert_default().0 = value(),
            "rPr" => self.in_run_properties = true,
            "r" => (self.bold, self.italic, self.struck, self.hidden) = (false, false, false, false),
            "b" if self.in_run_properties => self.bold = on(),
            "i" if self.in_run_properties => self.italic = on(),
            "strike" | "dstrike" if self.in_run_properties => self.struck = on(),
            "vanish" if self.in_run_properties => self.hidden = on(),
            "t" => self.in_text = true,
            "delText" => self.in_deleted = true,
            "tab" if !self.open.is_empty() && !self.in_run_properties => self.text(" "),
            "br" | "cr" => {
                let paragraph = self.paragraph();
                paragraph.html.push_str("<br>");
                paragraph.plain.push('\n');
            }
            "noBreakHyphen" => self.text("-"),
            "hyperlink" => {
                let target = element.attribute("id").and_then(|id| self.relations.far.get(&id).cloned());
                self.is_rich |= target.is_some();
                let open =
                    target.map_or_else(|| "<a>".to_owned(), |to| format!("<a href=\"{}\">", escaped(&to)));
                self.paragraph().html.push_str(&open);
            }
            "footnoteReference" | "endnoteReference" => {
                let id = element.attribute("id").unwrap_or_default();
                let kind = &element.name[..1];
                self.is_rich = true;
                let _ = write!(self.paragraph().html, "<a href=\"#{kind}{}\">[*]</a>", escaped(&id));
            }
            "footnote" | "endnote" => {
                let id = element.attribute("id").unwrap_or_default();
                let _ = write!(
                    self.body,
                    "<div class=\"footnote\" id=\"{}{}\">",
                    &element.name[..1],
                    escaped(&id)
                );
            }
            "tbl" => {
                self.close_lists(0);
                self.is_rich = true;
                self.body.push_str("<table>");
            }
            "tr" => self.body.push_str("<tr>"),
            "tc" => self.body.push_str("<td>"),
            "drawing" | "pict" => self.drawings.push(Drawing::default()),
            "docPr" | "cNvPr" | "shape" => {
                let alt = element.attribute("descr").or_else(|| element.attribute("alt")).unwrap_or_default();
                if let Some(drawing) = self.drawings.last_mut() {
                    if !alt.trim().is_empty() {
                        drawing.alt = alt;
                    }
                    if drawing.name.is_empty() {
                        drawing.name = element.attribute("name").unwrap_or_default();
                    }
                }
            }
            "decorative" if on() => {
                if let Some(drawing) = self.drawings.last_mut() {
                    drawing.is_decorative = true;
                }
            }
            "blip" => {
                let id = element.attribute("embed").filter(|id| !id.is_empty());
                self.show(id.or_else(|| element.attribute("link")));
            }
            "imagedata" => self.show(element.attribute("id")),
            "txbxContent" => {
                if let Some(drawing) = self.drawings.last_mut() {
                    drawing.is_read = true;
                }
            }
            _ => {}
        }
    }

    /// Shows the picture that an identifier means, in the drawing at hand.
    fn show(&mut self, id: Option<String>) {
        let near = id.as_ref().and_then(|id| self.relations.near.get(id).cloned());
        let far = id.and_then(|id| self.relations.far.get(&id).cloned());
        let address = match (near, far) {
            (Some(name), _) => {
                // In an address these three would mean something.
                let address = name.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
                self.pictures.insert(name);
                address
            }
            (None, Some(address)) => address,
            (None, None) => return,
        };
        if let Some(drawing) = self.drawings.last_mut() {
            drawing.is_read = true;
        }
        self.image(&address);
    }

    fn image(&mut self, address: &str) {
        let drawing = self.drawings.last();
        let alt = drawing.map(|drawing| drawing.alt.trim()).unwrap_or_default();
        let said = !alt.is_empty() || drawing.is_some_and(|drawing| drawing.is_decorative);
        let alt = if said { format!(" alt=\"{}\"", escaped(alt)) } else { String::new() };
        let _ = write!(self.paragraph().html, "<img src=\"{}\"{alt}>", escaped(address));
        self.is_rich = true;
    }

    fn end(&mut self, name: &str) {
        match name {
            "p" => self.close_paragraph(),
            "rPr" => self.in_run_properties = false,
            "t" => self.in_text = false,
            "delText" => self.in_deleted = false,
            "drawing" | "pict" => {
                if self.drawings.last().is_some_and(|drawing| !drawing.is_read && !drawing.name.is_empty()) {
                    let name = self.drawings.last().map(|drawing| drawing.name.clone()).unwrap_or_default();
                    self.image(&name);
                }
                self.drawings.pop();
            }
            "hyperlink" => self.paragraph().html.push_str("</a>"),
            "footnote" | "endnote" => {
                self.close_lists(0);
                self.body.push_str("</div>\n");
            }
            "tbl" => self.body.push_str("</table>\n"),
            "tr" => self.body.push_str("</tr>"),
            "tc" => {
                self.close_lists(0);
                self.body.push_str("</td>");
            }
            _ => {}
        }
    }

    fn paragraph(&mut self) -> &mut Paragraph {
        if self.open.is_empty() {
            self.open.push(Paragraph::default());
        }
        let last = self.open.len() - 1;
        &mut self.open[last]
    }

    fn text(&mut self, text: &str) {
        if self.hidden {
            self.left_out.push(text.to_owned());
            return;
        }
        let mut html = escaped(text);
        for (on, tag) in [(self.italic, "i"), (self.bold, "b"), (self.struck, "s")] {
            if on && !text.trim().is_empty() {
                html = format!("<{tag}>{html}</{tag}>");
            }
        }
        let paragraph = self.paragraph();
        paragraph.html.push_str(&html);
        paragraph.plain.push_str(text);
    }

    fn close_paragraph(&mut self) {
        let Some(paragraph) = self.open.pop() else { return };
        let Paragraph { html, plain, style, list } = paragraph;
        // Runs of one kind are often cut in pieces; put together they are one again.
        let html = html.replace("</b><b>", "").replace("</i><i>", "").replace("</s><s>", "");
        if !plain.trim().is_empty() {
            self.plain.push(plain.trim().to_owned());
        }
        let list = list.filter(|(id, _)| id != "0" && style.is_none());
        self.close_lists(list.as_ref().map_or(0, |(_, depth)| depth + 1));
        if html.is_empty() {
            return;
        }
        match style {
            Some(Style::Title) => self.titles.push(html),
            Some(Style::Heading(level)) => {
                self.n_headings += 1;
                let _ = writeln!(self.body, "<h{level}>{html}</h{level}>");
            }
            Some(Style::Quote) => {
                let _ = writeln!(self.body, "<blockquote><p>{html}</p></blockquote>");
            }
            Some(Style::Caption) => {
                let _ = writeln!(self.body, "<p class=\"caption\">{html}</p>");
            }
            None => {
                if let Some((id, depth)) = list {
                    self.is_rich = true;
                    let name = if self.numbered.get(&id).copied().unwrap_or(false) { "ol" } else { "ul" };
                    while self.lists.len() <= depth {
                        self.lists.push(name);
                        let _ = write!(self.body, "<{name}>");
                    }
                    let _ = writeln!(self.body, "<li>{html}");
                } else {
                    let _ = writeln!(self.body, "<p>{html}</p>");
                }
            }
        }
    }

    /// Ends a part of the archive: what is still open there is whole all the same.
    fn close_part(&mut self) {
        while !self.open.is_empty() {
            self.close_paragraph();
        }
        self.close_lists(0);
    }

    fn close_lists(&mut self, depth: usize) {
        while self.lists.len() > depth {
            if let Some(name) = self.lists.pop() {
                let _ = writeln!(self.body, "</{name}>");
            }
        }
    }

    /// The document as HTML. Its title is the issue's where headings stand below it, and a headline elsewhere.
    fn document(&self) -> String {
        let title = self.titles.join(" ");
        if self.n_headings > 0 {
            format!("<title>{}</title>{}", without_tags(&title), self.body)
        } else if title.is_empty() {
            self.body.clone()
        } else {
            format!("<h1>{title}</h1>{}", self.body)
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn without_tags(html: &str) -> String {
    let mut text = String::new();
    for piece in html.split('<') {
        text.push_str(piece.split_once('>').map_or(piece, |(_, after)| after));
    }
    text
}
