//! Word's `.docx` (ECMA-376): paragraphs by the names of their styles, runs, links, tables and notes, written as HTML for
//! that reader. A document without any heading style is read as a plain page, as its headlines are only set large.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::archive::{self, Archive, Element, Node};
use super::draft::Draft;
use super::{Unreadable, html, page};

const EXTENSION: &str = "docx";

/// What a paragraph is by its style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Title,
    Heading(u8),
    Quote,
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

const TITLES: [&str; 6] = ["title", "标题", "標題", "titel", "titre principal", "表題"];

/// Reads a document; `dated` is the date in its file's name.
pub(super) fn read(bytes: &[u8], dated: Option<jiff::civil::Date>) -> Result<Draft, Unreadable> {
    let mut archive = Archive::open(bytes, EXTENSION)?;
    let main = archive.needed("word/document.xml")?;
    let styles = match archive.text("word/styles.xml")? {
        Some(text) => styles(&text)?,
        None => HashMap::new(),
    };
    let links = match archive.text("word/_rels/document.xml.rels")? {
        Some(text) => links(&text)?,
        None => HashMap::new(),
    };
    let numbered = match archive.text("word/numbering.xml")? {
        Some(text) => numbered(&text)?,
        None => HashMap::new(),
    };
    let mut writer = Writer { styles, links, numbered, ..Writer::default() };
    archive::walk(&main, EXTENSION, |node| writer.node(node))?;
    writer.close_part();
    for part in ["word/footnotes.xml", "word/endnotes.xml"] {
        if let Some(text) = archive.text(part)? {
            archive::walk(&text, EXTENSION, |node| writer.node(node))?;
            writer.close_part();
        }
    }
    let mut draft = if writer.n_headings == 0 && !writer.is_rich {
        page::read(&writer.plain.join("\n\n"), dated)
    } else {
        html::read(&writer.document(), false)
    };
    for text in writer.left_out {
        draft.set_aside(&text);
    }
    Ok(draft)
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
    matches!(name.as_str(), "quote" | "intense quote" | "引用" | "明显引用" | "zitat" | "citation")
        .then_some(Style::Quote)
}

/// The addresses of the links, by their identifier.
fn links(text: &str) -> Result<HashMap<String, String>, Unreadable> {
    let mut links = HashMap::new();
    archive::walk(text, EXTENSION, |node| {
        if let Node::Open(element) = node
            && element.attribute("TargetMode").as_deref() == Some("External")
            && let (Some(id), Some(target)) = (element.attribute("Id"), element.attribute("Target"))
        {
            links.insert(id, target);
        }
    })?;
    Ok(links)
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
    links: HashMap<String, String>,
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
                let target = element.attribute("id").and_then(|id| self.links.get(&id).cloned());
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
            "docPr" => {
                let alt = element.attribute("descr").unwrap_or_default();
                let name = element.attribute("name").unwrap_or_default();
                let _ = write!(
                    self.paragraph().html,
                    "<img src=\"{}\" alt=\"{}\">",
                    escaped(&name),
                    escaped(&alt)
                );
                self.is_rich = true;
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "p" => self.close_paragraph(),
            "rPr" => self.in_run_properties = false,
            "t" => self.in_text = false,
            "delText" => self.in_deleted = false,
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
