//! OPML 2.0: one file that lists the feeds, so that a reader takes them all at once.

use serde::Serialize;

use super::Feed;
use crate::{editions::Edition, editions::Error, editions::paths, publication::Publication};

/// The list of all feeds.
pub(super) fn write(feeds: &[&Feed], title: &str, publication: &Publication) -> Result<Edition, Error> {
    #[derive(Serialize)]
    struct Line<'a> {
        title: &'a str,
        url: String,
        home: &'a str,
    }
    #[derive(Serialize)]
    struct Content<'a> {
        title: &'a str,
        feeds: Vec<Line<'a>>,
    }
    let lines = feeds.iter().map(|feed| Line {
        title: &feed.title,
        url: publication.url(&format!("{}.xml", feed.path)),
        home: &feed.home,
    });
    let content = Content { title, feeds: lines.collect() };
    Ok(Edition {
        path: paths::FEEDS.to_owned(),
        bytes: publication.theme.fill("feed/feeds.opml", &content)?.into_bytes(),
    })
}
