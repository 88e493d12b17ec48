//! Compiles and fills templates: HTML pages, letters and the files of a book.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, Output, State, UndefinedBehavior};
use serde::{Serialize, Serializer};

use super::Fault;
use crate::typography;

/// How many steps a publisher's template may take for one page; one of ours takes some thousands, and a hundred for each article.
const STEPS: u64 = 20_000_000;

/// Our own templates by name; they lie with the editions that they are of. Every one is XML as well as HTML, and escaped as such.
pub(super) const OURS: [(&str, &str); 37] = [
    ("site/page.html", include_str!("../editions/templates/site/page.html")),
    ("site/issue.html", include_str!("../editions/templates/site/issue.html")),
    ("site/index.html", include_str!("../editions/templates/site/index.html")),
    ("site/archive.html", include_str!("../editions/templates/site/archive.html")),
    ("site/feeds.html", include_str!("../editions/templates/site/feeds.html")),
    ("site/facet.html", include_str!("../editions/templates/site/facet.html")),
    ("site/search.html", include_str!("../editions/templates/site/search.html")),
    ("site/nothing.html", include_str!("../editions/templates/site/nothing.html")),
    ("site/question.html", include_str!("../editions/templates/site/question.html")),
    ("site/join.html", include_str!("../editions/templates/site/join.html")),
    ("site/preferences.html", include_str!("../editions/templates/site/preferences.html")),
    ("site/wishes.html", include_str!("../editions/templates/site/wishes.html")),
    ("site/problems.html", include_str!("../editions/templates/site/problems.html")),
    ("site/sitemap.xml", include_str!("../editions/templates/site/sitemap.xml")),
    ("site/piece.html", include_str!("../editions/templates/site/piece.html")),
    ("site/article.html", include_str!("../editions/templates/site/article.html")),
    ("feed/piece.html", include_str!("../editions/templates/feed/piece.html")),
    ("feed/entry.html", include_str!("../editions/templates/feed/entry.html")),
    ("feed/article.html", include_str!("../editions/templates/feed/article.html")),
    ("feed/atom.xml", include_str!("../editions/templates/feed/atom.xml")),
    ("feed/catalogue.xml", include_str!("../editions/templates/feed/catalogue.xml")),
    ("feed/navigation.xml", include_str!("../editions/templates/feed/navigation.xml")),
    ("feed/opensearch.xml", include_str!("../editions/templates/feed/opensearch.xml")),
    ("feed/feeds.opml", include_str!("../editions/templates/feed/feeds.opml")),
    ("letter/confirm.html", include_str!("../editions/templates/letter/confirm.html")),
    ("letter/letter.html", include_str!("../editions/templates/letter/letter.html")),
    ("book/cover.svg", include_str!("../editions/templates/book/cover.svg")),
    ("book/cover.xhtml", include_str!("../editions/templates/book/cover.xhtml")),
    ("book/opening.xhtml", include_str!("../editions/templates/book/opening.xhtml")),
    ("book/names.xhtml", include_str!("../editions/templates/book/names.xhtml")),
    ("book/title.xhtml", include_str!("../editions/templates/book/title.xhtml")),
    ("book/contents.xhtml", include_str!("../editions/templates/book/contents.xhtml")),
    ("book/article.xhtml", include_str!("../editions/templates/book/article.xhtml")),
    ("book/colophon.xhtml", include_str!("../editions/templates/book/colophon.xhtml")),
    ("book/nav.xhtml", include_str!("../editions/templates/book/nav.xhtml")),
    ("book/toc.ncx", include_str!("../editions/templates/book/toc.ncx")),
    ("book/metadata.xml", include_str!("../editions/templates/book/metadata.xml")),
];

/// Our own style sheets by name.
pub(super) const STYLES: [(&str, &str); 3] = [
    ("site/site.css", include_str!("../editions/templates/site/site.css")),
    ("feed/feed.css", include_str!("../editions/templates/feed/feed.css")),
    ("book/stylesheet.css", include_str!("../editions/templates/book/stylesheet.css")),
];

/// Compiles templates by name; what is wrong with each is told at once.
pub(super) fn compile(
    templates: impl IntoIterator<Item = (&'static str, &'static str)>,
) -> Result<Environment<'static>, Vec<Fault>> {
    let mut press = Environment::new();
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true);
    if let Ok(syntax) = syntax.build() {
        press.set_syntax(syntax);
    }
    press.set_undefined_behavior(UndefinedBehavior::Strict);
    press.set_auto_escape_callback(|_| AutoEscape::Html);
    press.set_formatter(write_escaped);
    press.set_fuel(Some(STEPS));
    let wrong = |(name, source)| press.add_template(name, source).err().map(|error| fault(name, &error));
    let faults: Vec<Fault> = templates.into_iter().filter_map(wrong).collect();
    if faults.is_empty() { Ok(press) } else { Err(faults) }
}

/// What many templates are filled with, made ready for them once.
#[derive(Debug, Clone)]
pub struct Ready(Value);

impl Ready {
    /// Makes `content` ready.
    #[must_use]
    pub fn of(content: impl Serialize) -> Self {
        Self(Value::from(Serde(content)))
    }
}

impl Serialize for Ready {
    /// Within a template's content it is handed over as it is; else as what it was made of.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Fills the template `name` with `content`.
pub(super) fn fill(press: &Environment<'_>, name: &str, content: impl Serialize) -> Result<String, Fault> {
    let filled = press.get_template(name).and_then(|template| template.render(Value::from(Serde(content))));
    filled.map_err(|error| {
        let mut fault = fault(name, &error);
        let source = press.get_template(&fault.file).ok();
        let line =
            source.as_ref().and_then(|source| source.source().lines().nth(fault.line?.checked_sub(1)?));
        if let Some(line) = line {
            fault.problem = format!("{} in `{}`", fault.problem, clipped(line.trim()));
        }
        fault
    })
}

/// As much of a line as a message has room for.
pub(super) fn clipped(line: &str) -> String {
    let line = typography::printable(line);
    let head: String = line.chars().take(90).collect();
    if head.len() < line.len() { format!("{head}…") } else { head }
}

/// What the innermost of the errors says: that of the template in which it came up, not of one that includes it.
fn fault(name: &str, error: &minijinja::Error) -> Fault {
    let mut innermost = error;
    let mut cause = std::error::Error::source(error);
    while let Some(because) = cause {
        if let Some(because) = because.downcast_ref::<minijinja::Error>() {
            innermost = because;
        }
        cause = because.source();
    }
    let kind = innermost.kind();
    let problem = match innermost.detail() {
        Some(detail) => format!("{kind}: {detail}"),
        None => kind.to_string(),
    };
    Fault {
        file: innermost.name().unwrap_or(name).to_owned(),
        line: innermost.line(),
        problem: typography::printable(&problem).into_owned(),
    }
}

/// The one way from a value into a file: what is not marked safe goes through our own escaper, which also leaves out
/// what XML cannot carry.
fn write_escaped(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), minijinja::Error> {
    match value.as_str() {
        Some(text) if !value.is_safe() => out.write_str(&escape(text)).map_err(minijinja::Error::from),
        _ => minijinja::escape_formatter(out, state, value),
    }
}

/// `text` for an element or an attribute in double quotes, without what no edition can print.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_escaped(text, &mut out);
    out
}

/// How many bytes the character takes that begins with a byte, where nothing can be wrong with it; else 0.
const PLAIN: [u8; 256] = {
    let mut plain = [0; 256];
    let mut byte = u8::MAX;
    while byte > 0 {
        plain[byte as usize] = match byte {
            b'&' | b'<' | b'>' | b'"' | b'\'' => 0,
            b' '..=b'~' => 1,
            // U+4000 to U+9FFF, and so nearly all of Chinese.
            0xE4..=0xE9 => 3,
            _ => 0,
        };
        byte -= 1;
    }
    plain
};

/// Puts `text` after what is there, as [`escape`] gives it.
pub fn push_escaped(text: &str, out: &mut String) {
    let (mut from, mut at) = (0, 0);
    while let Some(&byte) = text.as_bytes().get(at) {
        let plain = PLAIN[usize::from(byte)];
        if plain > 0 {
            at += usize::from(plain);
            continue;
        }
        let Some(c) = text[at..].chars().next() else { break };
        let end = at + c.len_utf8();
        let instead = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\'' => "&#39;",
            c if typography::is_printable(c) => {
                at = end;
                continue;
            }
            _ => "",
        };
        out.push_str(&text[from..at]);
        out.push_str(instead);
        (from, at) = (end, end);
    }
    out.push_str(&text[from..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_written_so_that_xml_and_html_read_it_or_is_left_out() {
        for c in '\0'..=char::MAX {
            let expected = match c {
                '&' => "&amp;".to_owned(),
                '<' => "&lt;".to_owned(),
                '>' => "&gt;".to_owned(),
                '"' => "&quot;".to_owned(),
                '\'' => "&#39;".to_owned(),
                c if typography::is_printable(c) => c.to_string(),
                _ => String::new(),
            };
            assert_eq!(escape(&format!("桥{c}a{c}")), format!("桥{expected}a{expected}"), "{c:?}");
        }
    }
}
