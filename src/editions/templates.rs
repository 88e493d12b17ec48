//! Fills the templates: HTML pages, letters and the files of a book. All of them are compiled in.

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, Output, State, UndefinedBehavior};
use serde::Serialize;

use crate::editions::{Error, markup};

/// The templates by name. Every one is XML as well as HTML, and escaped as such.
const TEMPLATES: [(&str, &str); 24] = [
    ("site/page.html", include_str!("templates/site/page.html")),
    ("site/issue.html", include_str!("templates/site/issue.html")),
    ("site/index.html", include_str!("templates/site/index.html")),
    ("site/archive.html", include_str!("templates/site/archive.html")),
    ("site/piece.html", include_str!("templates/site/piece.html")),
    ("site/article.html", include_str!("templates/site/article.html")),
    ("feed/piece.html", include_str!("templates/feed/piece.html")),
    ("feed/entry.html", include_str!("templates/feed/entry.html")),
    ("feed/article.html", include_str!("templates/feed/article.html")),
    ("feed/atom.xml", include_str!("templates/feed/atom.xml")),
    ("feed/catalogue.xml", include_str!("templates/feed/catalogue.xml")),
    ("feed/feeds.opml", include_str!("templates/feed/feeds.opml")),
    ("letter/letter.html", include_str!("templates/letter/letter.html")),
    ("book/cover.svg", include_str!("templates/book/cover.svg")),
    ("book/cover.xhtml", include_str!("templates/book/cover.xhtml")),
    ("book/title.xhtml", include_str!("templates/book/title.xhtml")),
    ("book/opening.xhtml", include_str!("templates/book/opening.xhtml")),
    ("book/names.xhtml", include_str!("templates/book/names.xhtml")),
    ("book/contents.xhtml", include_str!("templates/book/contents.xhtml")),
    ("book/article.xhtml", include_str!("templates/book/article.xhtml")),
    ("book/colophon.xhtml", include_str!("templates/book/colophon.xhtml")),
    ("book/nav.xhtml", include_str!("templates/book/nav.xhtml")),
    ("book/toc.ncx", include_str!("templates/book/toc.ncx")),
    ("book/metadata.xml", include_str!("templates/book/metadata.xml")),
];

static PRESS: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut press = Environment::new();
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true);
    press.set_syntax(syntax.build().expect("the usual delimiters"));
    press.set_undefined_behavior(UndefinedBehavior::Strict);
    press.set_auto_escape_callback(|_| AutoEscape::Html);
    press.set_formatter(write_escaped);
    for (name, source) in TEMPLATES {
        press.add_template(name, source).expect("a test renders every template");
    }
    press
});

/// Fills the template `name` with `content`.
///
/// # Errors
/// [`Error::Template`] when it names what `content` does not have.
pub(super) fn fill(name: &'static str, content: impl Serialize) -> Result<String, Error> {
    let filled = PRESS.get_template(name).and_then(|template| template.render(Value::from(Serde(content))));
    filled.map_err(|source| Error::Template { name, source: source.into() })
}

/// The one way from a value into a file: what is not marked safe goes through our own escaper, which also leaves out
/// what XML cannot carry.
fn write_escaped(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), minijinja::Error> {
    match value.as_str() {
        Some(text) if !value.is_safe() => {
            out.write_str(&markup::escape(text)).map_err(minijinja::Error::from)
        }
        _ => minijinja::escape_formatter(out, state, value),
    }
}
