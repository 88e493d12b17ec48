//! Atom 1.0 (RFC 4287): the only format that tells publishing and correction apart, and has several authors.

use serde::Serialize;

use super::{Feed, Part, entry};
use crate::{
    editions::Edition, editions::Error, editions::outline::said, editions::paths, publication::Publication,
};

/// A feed in Atom.
pub(super) fn write(feed: &Feed, path: &str, publication: &Publication) -> Result<Edition, Error> {
    #[derive(Serialize)]
    struct Content<'a> {
        feed: &'a Feed,
        url: String,
        /// The page of older entries, and the feed that readers should follow, where this is not it.
        previous: Option<String>,
        current: Option<String>,
        hub: Option<&'a str>,
        language: &'a str,
        updated: String,
        /// Atom asks for an author of every entry; the paper answers for those without.
        author: String,
        rights: Option<String>,
        stylesheet: String,
    }
    let updated = feed.entries.iter().map(|entry| entry.updated).max().unwrap_or_default();
    let content = Content {
        feed,
        url: publication.url(path),
        previous: feed.part.previous().map(|number| publication.url(&paths::sealed(number, "atom.xml"))),
        current: matches!(feed.part, Part::Archive { .. }).then(|| publication.url(paths::ATOM)),
        hub: publication.hub.as_deref(),
        language: publication.language.as_str(),
        updated: entry::seconds(updated),
        author: said(&publication.title).unwrap_or_else(|| publication.key.clone()),
        rights: publication.imprint.rights.as_deref().and_then(said),
        stylesheet: format!(
            "{}{}",
            "../".repeat(path.matches('/').count()),
            paths::asset("feed", super::stylesheet(publication).bytes.as_slice())
        ),
    };
    Ok(Edition {
        bytes: publication.theme.fill("feed/atom.xml", &content)?.into_bytes(),
        path: path.to_owned(),
    })
}
