//! The sanitised body tree that every edition renders in its own way: blocks of inlines, and nothing a script could use.

use serde::{Deserialize, Serialize};

use crate::picture::PictureName;

/// A language tag of BCP 47, such as `zh-Hans` or `en`: letters, digits and hyphens only.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, PartialOrd, Ord)]
#[serde(try_from = "String", into = "String")]
pub struct Language(String);

impl Language {
    /// The tag, if it has the form of one (RFC 5646 §2.1: subtags of 1 to 8 letters or digits, the first of letters).
    #[must_use]
    pub fn parse(tag: &str) -> Option<Self> {
        let mut subtags = tag.split('-');
        let first = subtags.next()?;
        let well_formed =
            |s: &str| (1..=8).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric());
        let language = (2..=8).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_alphabetic());
        (language && subtags.all(well_formed)).then(|| Self(tag.to_owned()))
    }

    /// The whole tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether its text is written without spaces between words (Chinese and Japanese).
    #[must_use]
    pub fn is_cjk(&self) -> bool {
        matches!(self.primary(), "zh" | "ja" | "yue" | "wuu")
    }

    /// The first subtag: `zh` of `zh-Hans`.
    #[must_use]
    pub fn primary(&self) -> &str {
        self.0.split('-').next().unwrap_or(&self.0)
    }
}

impl TryFrom<String> for Language {
    type Error = String;
    fn try_from(tag: String) -> Result<Self, String> {
        Self::parse(&tag).ok_or_else(|| format!("`{tag}` is not a language tag such as `zh-Hans` or `en`"))
    }
}

impl From<Language> for String {
    fn from(language: Language) -> Self {
        language.0
    }
}

/// Where a link leads: only addresses that are safe to follow from a feed, a book or a letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Href(String);

impl Href {
    /// The address, if it is an absolute `http:`, `https:` or `mailto:` one. `javascript:`, `data:`, `file:` and
    /// relative addresses are not; nor is one with white space or control characters inside.
    #[must_use]
    pub fn parse(address: &str) -> Option<Self> {
        let address = address.trim();
        let lower = address.to_ascii_lowercase();
        let rest = ["https://", "http://", "mailto:"].iter().find_map(|scheme| lower.strip_prefix(scheme))?;
        let clean = !rest.is_empty()
            && !address.chars().any(|c| c.is_whitespace() || c.is_control() || "<>\"`{}|\\^".contains(c));
        clean.then(|| Self(address.to_owned()))
    }

    /// The address as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Href {
    type Error = String;
    fn try_from(address: String) -> Result<Self, String> {
        Self::parse(&address)
            .ok_or_else(|| format!("`{address}` is not an address that readers may be led to"))
    }
}

impl From<Href> for String {
    fn from(href: Href) -> Self {
        href.0
    }
}

/// A block of an article's body, in the order of reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Block {
    /// A paragraph.
    #[serde(rename = "p")]
    Paragraph {
        /// Its text.
        text: Vec<Inline>,
    },
    /// A title inside the body; `level` 1 is the highest below the headline.
    Subhead {
        /// 1 to 4.
        level: u8,
        /// Its text.
        text: Vec<Inline>,
    },
    /// A quotation of one or more blocks.
    Quote {
        /// What is quoted.
        blocks: Vec<Block>,
    },
    /// A list; `start` is its first number when it is numbered.
    List {
        /// The first number, or `None` for bullets.
        start: Option<u64>,
        /// The items, each of one or more blocks.
        items: Vec<Vec<Block>>,
    },
    /// A text whose lines and spaces are meant: program code, a time-table.
    Code {
        /// The lines.
        text: String,
    },
    /// A table; every row has the same number of cells.
    Table {
        /// The heads of the columns.
        head: Vec<Vec<Inline>>,
        /// The rows below.
        rows: Vec<Vec<Vec<Inline>>>,
    },
    /// A picture that stands by itself.
    Figure {
        /// Which, of [`crate::issue::Issue::pictures`].
        picture: PictureName,
        /// What it shows, for those who cannot see it; empty when nobody said.
        alt: String,
        /// The line below it.
        caption: Vec<Inline>,
    },
    /// A break of thought.
    Rule,
}

/// A run of text inside a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Inline {
    /// Plain text without line breaks.
    Text {
        /// The characters, all printable.
        text: String,
    },
    /// Stressed text.
    Emphasis {
        /// What is stressed.
        text: Vec<Inline>,
    },
    /// Strongly stressed text.
    Strong {
        /// What is stressed.
        text: Vec<Inline>,
    },
    /// Text that no longer holds.
    Struck {
        /// What was struck out.
        text: Vec<Inline>,
    },
    /// A word of a program.
    Code {
        /// The word.
        text: String,
    },
    /// A link.
    Link {
        /// Where it leads.
        href: Href,
        /// What is shown.
        text: Vec<Inline>,
    },
    /// A reference to the note of that number in [`crate::issue::Article::notes`], counted from 1.
    Note {
        /// The note's number.
        number: usize,
    },
    /// A picture among words, or in a link.
    Picture {
        /// Which, of [`crate::issue::Issue::pictures`].
        picture: PictureName,
        /// What it shows, for those who cannot see it; empty when nobody said.
        alt: String,
    },
    /// A line break that is meant, as in a poem.
    Break,
}

impl Inline {
    /// A run of plain text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }
}

/// Adds a run. No two plain texts stand side by side, and none is empty: so every issue is the same when it is written and read again.
pub fn push(runs: &mut Vec<Inline>, run: Inline) {
    match (runs.last_mut(), run) {
        (_, Inline::Text { text }) if text.is_empty() => {}
        (Some(Inline::Text { text: last }), Inline::Text { text }) => last.push_str(&text),
        (_, run) => runs.push(run),
    }
}

/// Runs put together anew; see [`push`].
#[must_use]
pub fn joined(runs: Vec<Inline>) -> Vec<Inline> {
    let mut joined = Vec::with_capacity(runs.len());
    for run in runs {
        push(&mut joined, run);
    }
    joined
}

impl Block {
    /// A paragraph of plain text.
    #[must_use]
    pub fn paragraph(text: impl Into<String>) -> Self {
        Self::Paragraph { text: vec![Inline::text(text)] }
    }

    /// A subhead of plain text.
    #[must_use]
    pub fn subhead(level: u8, text: impl Into<String>) -> Self {
        Self::Subhead { level, text: vec![Inline::text(text)] }
    }

    /// The text of the block as one line, without marks or notes; see [`plain`]. A picture's is what it shows.
    #[must_use]
    pub fn plain(&self) -> String {
        match self {
            Self::Paragraph { text } | Self::Subhead { text, .. } => plain(text),
            Self::Quote { blocks } => plain_blocks(blocks),
            Self::List { items, .. } => {
                items.iter().map(|item| plain_blocks(item)).collect::<Vec<_>>().join("\n")
            }
            Self::Code { text } => text.clone(),
            Self::Table { head, rows } => std::iter::once(head)
                .chain(rows)
                .map(|row| row.iter().map(|cell| plain(cell)).collect::<Vec<_>>().join("\t"))
                .collect::<Vec<_>>()
                .join("\n"),
            Self::Figure { alt, caption, .. } => {
                let caption = plain(caption);
                let lines = [alt.as_str(), caption.as_str()];
                lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
            }
            Self::Rule => String::new(),
        }
    }
}

/// The text of blocks, a line a block.
#[must_use]
pub fn plain_blocks(blocks: &[Block]) -> String {
    blocks.iter().map(Block::plain).collect::<Vec<_>>().join("\n")
}

/// The text of a run without its marks: links as their text, notes as nothing, breaks as a space.
#[must_use]
pub fn plain(inlines: &[Inline]) -> String {
    let mut out = String::new();
    push_plain(inlines, &mut out);
    out
}

fn push_plain(inlines: &[Inline], out: &mut String) {
    for inline in inlines {
        match inline {
            Inline::Text { text } | Inline::Code { text } => out.push_str(text),
            Inline::Emphasis { text }
            | Inline::Strong { text }
            | Inline::Struck { text }
            | Inline::Link { text, .. } => push_plain(text, out),
            Inline::Picture { alt, .. } => out.push_str(alt),
            Inline::Note { .. } => {}
            Inline::Break => out.push(' '),
        }
    }
}

/// The pictures in `blocks` in the order of reading, each with what it shows.
#[must_use]
pub fn pictures(blocks: &[Block]) -> Vec<(&PictureName, &str)> {
    let mut found = Vec::new();
    for block in blocks {
        push_pictures(block, &mut found);
    }
    found
}

/// The pictures in a run in the order of reading, each with what it shows.
#[must_use]
pub fn pictures_of(inlines: &[Inline]) -> Vec<(&PictureName, &str)> {
    let mut found = Vec::new();
    push_pictures_of(inlines, &mut found);
    found
}

fn push_pictures<'b>(block: &'b Block, found: &mut Vec<(&'b PictureName, &'b str)>) {
    match block {
        Block::Paragraph { text } | Block::Subhead { text, .. } => push_pictures_of(text, found),
        Block::Quote { blocks } => blocks.iter().for_each(|block| push_pictures(block, found)),
        Block::List { items, .. } => items.iter().flatten().for_each(|block| push_pictures(block, found)),
        Block::Table { head, rows } => {
            let cells = std::iter::once(head).chain(rows).flatten();
            cells.for_each(|cell| push_pictures_of(cell, found));
        }
        Block::Figure { picture, alt, caption } => {
            found.push((picture, alt));
            push_pictures_of(caption, found);
        }
        Block::Code { .. } | Block::Rule => {}
    }
}

fn push_pictures_of<'b>(inlines: &'b [Inline], found: &mut Vec<(&'b PictureName, &'b str)>) {
    for inline in inlines {
        match inline {
            Inline::Picture { picture, alt } => found.push((picture, alt)),
            Inline::Emphasis { text }
            | Inline::Strong { text }
            | Inline::Struck { text }
            | Inline::Link { text, .. } => push_pictures_of(text, found),
            Inline::Text { .. } | Inline::Code { .. } | Inline::Note { .. } | Inline::Break => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_link_leads_to_a_script_or_a_file() {
        for bad in [
            "javascript:alert(1)",
            " JaVaScRiPt:x",
            "data:text/html,x",
            "file:///etc/passwd",
            "/a",
            "#x",
            "http://",
            "https://a b",
            "https://a\u{0}b",
            "https://\"onclick",
        ] {
            assert_eq!(Href::parse(bad), None, "{bad:?}");
        }
        for good in [
            "https://example.org/a?b=c&d#e",
            "mailto:li@example.org",
            "HTTP://EXAMPLE.ORG",
            "https://例子.测试/",
        ] {
            assert!(Href::parse(good).is_some(), "{good:?}");
        }
    }

    #[test]
    fn a_language_tag_is_checked() {
        for good in ["zh", "zh-Hans", "zh-CN", "en-GB", "de-1996"] {
            assert!(Language::parse(good).is_some(), "{good}");
        }
        for bad in ["", "z", "中文", "en_GB", "en-", "123", "en-\"><script>"] {
            assert!(Language::parse(bad).is_none(), "{bad}");
        }
    }
}
