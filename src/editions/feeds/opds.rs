//! The catalogue for e-readers: OPDS 1.2, an acquisition feed with the newest issue first.
//!
//! The root is itself the list of books: readers that synchronise follow nothing else.

use serde::Serialize;

use super::{entry, entry::Entry};
use crate::{
    editions::Edition, editions::Error, editions::Shelved, editions::outline::said, editions::paths,
    publication::Publication,
};

/// The type under which a catalogue must be served.
const KIND: &str = "application/atom+xml;profile=opds-catalog;kind=acquisition";

/// The root of the catalogue.
pub(super) fn root(recent: &[Shelved], publication: &Publication) -> Result<Edition, Error> {
    #[derive(Serialize)]
    struct Line {
        entry: Entry,
        /// The page that shows the same issue.
        page: String,
    }
    #[derive(Serialize)]
    struct Content<'a> {
        id: String,
        paper: String,
        kind: &'static str,
        url: String,
        home: String,
        language: &'a str,
        updated: String,
        lines: Vec<Line>,
    }
    let updated = recent.iter().map(|shelved| shelved.release.updated).max().unwrap_or_default();
    let line = |shelved: &Shelved| Line {
        entry: entry::of_book(shelved, publication),
        page: publication.url(&paths::page(&shelved.release.issue.key)),
    };
    let content = Content {
        id: publication.tag("catalogue"),
        paper: said(&publication.title).unwrap_or_else(|| publication.key.clone()),
        kind: KIND,
        url: publication.url(paths::CATALOGUE),
        home: publication.url(paths::INDEX),
        language: publication.language.as_str(),
        updated: entry::seconds(updated),
        lines: recent.iter().map(line).collect(),
    };
    let bytes = publication.theme.fill("feed/catalogue.xml", &content)?.into_bytes();
    Ok(Edition { path: paths::CATALOGUE.to_owned(), bytes })
}
