//! What each element of HTML means to us. An element that is in no list leaves its text and nothing else.

use html5ever::tokenizer::Tag;

use crate::typography;

/// What an element does to the text in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nothing: `span`, and every element that we do not know.
    Nothing,
    /// It begins a block and ends the one before: `p`, `div`.
    Block,
    /// A title of this level.
    Heading(u8),
    Quote,
    List {
        numbered: bool,
    },
    Item,
    Table,
    Row,
    Cell {
        head: bool,
    },
    /// Its lines and spaces are meant.
    Verbatim,
    Emphasis,
    Strong,
    Struck,
    Code,
    Link,
    Break,
    Rule,
    Picture,
    /// A picture, table or text with its caption.
    Figure,
    /// What stands below a picture.
    Caption,
    /// Another page or a film that is shown inside: readers get a link.
    Embedded,
    /// Readers see nothing of it.
    Hidden,
    /// The title of the whole.
    Title,
    /// Data about the whole.
    Meta,
}

/// What an element means, by its name.
pub(super) fn meaning(name: &str) -> Meaning {
    match name {
        "h1" => Meaning::Heading(1),
        "h2" => Meaning::Heading(2),
        "h3" => Meaning::Heading(3),
        "h4" => Meaning::Heading(4),
        "h5" => Meaning::Heading(5),
        "h6" => Meaning::Heading(6),
        "p" | "div" | "section" | "article" | "main" | "header" | "footer" | "aside" | "address"
        | "caption" | "center" | "details" | "summary" | "dl" | "dt" | "dd" | "hgroup" | "form"
        | "fieldset" | "legend" | "body" | "html" => Meaning::Block,
        "blockquote" => Meaning::Quote,
        "ul" | "menu" | "dir" => Meaning::List { numbered: false },
        "ol" => Meaning::List { numbered: true },
        "li" => Meaning::Item,
        "table" => Meaning::Table,
        "tr" => Meaning::Row,
        "td" => Meaning::Cell { head: false },
        "th" => Meaning::Cell { head: true },
        "pre" | "listing" | "xmp" | "plaintext" => Meaning::Verbatim,
        "em" | "i" | "cite" | "dfn" | "var" => Meaning::Emphasis,
        "strong" | "b" => Meaning::Strong,
        "s" | "del" | "strike" => Meaning::Struck,
        "code" | "kbd" | "samp" | "tt" => Meaning::Code,
        "a" => Meaning::Link,
        "br" => Meaning::Break,
        "hr" => Meaning::Rule,
        "img" | "image" => Meaning::Picture,
        "figure" => Meaning::Figure,
        "figcaption" => Meaning::Caption,
        "iframe" | "video" | "audio" | "embed" | "frame" => Meaning::Embedded,
        "script" | "style" | "template" | "noscript" | "noframes" | "noembed" | "object" | "applet"
        | "canvas" | "svg" | "math" | "select" | "button" | "textarea" | "datalist" | "nav" | "dialog"
        | "map" => Meaning::Hidden,
        "title" => Meaning::Title,
        "meta" => Meaning::Meta,
        _ => Meaning::Nothing,
    }
}

/// Whether an element never has anything in it (HTML §13.1.2).
pub(super) fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "frame"
            | "hr"
            | "image"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
    )
}

/// The value of an attribute.
pub(super) fn attribute<'t>(tag: &'t Tag, name: &str) -> Option<&'t str> {
    tag.attrs.iter().find(|attribute| &*attribute.name.local == name).map(|attribute| &*attribute.value)
}

/// What an element says of the picture that it shows.
#[derive(Debug)]
pub(in crate::manuscript) struct Image {
    pub(in crate::manuscript) address: String,
    /// What the picture shows, and `None` when nobody said.
    pub(in crate::manuscript) alt: Option<String>,
    /// Whether it shows nothing and only counts readers.
    pub(in crate::manuscript) counts: bool,
}

impl Image {
    pub(super) fn of(tag: &Tag) -> Self {
        let address = picture_address(tag).to_owned();
        let said = attribute(tag, "alt").or_else(|| attribute(tag, "aria-label"));
        let alt = said.map(|alt| typography::printable(alt).split_whitespace().collect::<Vec<_>>().join(" "));
        let tiny = |side: &str| {
            let side = attribute(tag, side).map(|n| n.trim().trim_end_matches("px").parse::<u32>());
            matches!(side, Some(Ok(0 | 1)))
        };
        let counts = address.is_empty() || tiny("width") || tiny("height");
        Self { address, alt, counts }
    }
}

/// The address of the picture that an element shows, or an empty one: `src`, what scripts would put in its place, and else the
/// largest of `srcset`.
fn picture_address(tag: &Tag) -> &str {
    let said = |name: &&str| attribute(tag, name).map(str::trim).filter(|address| !address.is_empty());
    let names = ["src", "xlink:href", "href", "data-src", "data-original"];
    // A picture that comes once the page is scrolled has one of a pixel in its place till then.
    let late = names[3..].iter().find_map(said).filter(|_| {
        attribute(tag, "src").is_some_and(|src| src.len() < 200 && src.trim_start().starts_with("data:"))
    });
    late.or_else(|| names.iter().find_map(said))
        .or_else(|| attribute(tag, "srcset").or_else(|| attribute(tag, "data-srcset")).and_then(largest))
        .unwrap_or_default()
}

/// The address with the highest width or density in a `srcset` (HTML §4.8.4.2.1).
fn largest(srcset: &str) -> Option<&str> {
    let mut best: Option<(f64, &str)> = None;
    let mut rest = srcset;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{C}', ',']);
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (address, after) = rest.split_at(end);
        if address.is_empty() {
            return best.map(|(_, address)| address);
        }
        // A comma right after an address ends its candidate; one inside of it is part of it.
        let bare = address.trim_end_matches(',');
        let (size, after) = if bare.len() < address.len() {
            ("", after)
        } else {
            after.split_once(',').unwrap_or((after, ""))
        };
        let number = size.trim().trim_end_matches(['w', 'x', 'h']).parse().unwrap_or(1.0);
        if !bare.is_empty() && best.is_none_or(|(most, _)| number > most) {
            best = Some((number, bare));
        }
        rest = after;
    }
}

/// Whether an element is marked so that no reader sees it.
pub(super) fn is_hidden(tag: &Tag) -> bool {
    let style = attribute(tag, "style").unwrap_or_default().to_ascii_lowercase();
    let style: String = style.chars().filter(|c| !c.is_whitespace()).collect();
    attribute(tag, "hidden").is_some()
        || is_page_mark(tag)
        || ["display:none", "visibility:hidden", "mso-hide:all"].iter().any(|hides| style.contains(hides))
}

/// Whether an element only tells where a printed page began.
pub(super) fn is_page_mark(tag: &Tag) -> bool {
    attribute(tag, "epub:type") == Some("pagebreak")
        || attribute(tag, "role") == Some("doc-pagebreak")
        || attribute(tag, "class").is_some_and(|class| class.split_whitespace().any(|word| word == "pagenum"))
}

/// Whether an element says of itself that it stands below a picture.
pub(super) fn is_caption(tag: &Tag) -> bool {
    attribute(tag, "class").is_some_and(|class| {
        class.split_whitespace().any(|word| matches!(word, "caption" | "wp-caption-text" | "figcaption"))
    })
}

/// Whether an element says of itself that it holds notes.
pub(super) fn holds_notes(tag: &Tag) -> bool {
    let says = |name: &str, words: &[&str]| {
        attribute(tag, name).is_some_and(|value| {
            value.split_whitespace().any(|word| words.contains(&word.to_ascii_lowercase().as_str()))
        })
    };
    let words = ["footnote", "footnotes", "endnote", "endnotes", "rearnote", "rearnotes", "note"];
    says("epub:type", &words)
        || says("role", &["doc-footnote", "doc-endnote", "doc-endnotes"])
        || says("class", &words[..6])
}
