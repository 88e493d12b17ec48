//! OPML 2.0: one file that lists the feeds, so that a reader takes them all at once.

use serde::Serialize;

use crate::{editions::Edition, editions::Error, editions::paths, publication::Publication};

/// The list of all feeds, each with its name and its path without the ending of its format.
pub(super) fn write(
    feeds: &[(String, String)],
    title: &str,
    publication: &Publication,
) -> Result<Edition, Error> {
    #[derive(Serialize)]
    struct Line<'a> {
        title: &'a str,
        url: String,
        home: String,
    }
    #[derive(Serialize)]
    struct Content<'a> {
        title: &'a str,
        feeds: Vec<Line<'a>>,
    }
    let lines = feeds.iter().map(|(title, path)| Line {
        title,
        url: publication.url(&format!("{path}.xml")),
        home: publication.url(paths::INDEX),
    });
    let content = Content { title, feeds: lines.collect() };
    Ok(Edition {
        path: paths::FEEDS.to_owned(),
        bytes: publication.theme.fill("feed/feeds.opml", &content)?.into_bytes(),
    })
}
