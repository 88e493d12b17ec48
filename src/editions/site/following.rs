//! The page that explains, in plain words, how to follow: every feed with its address to copy.

use serde::Serialize;

use super::Page;
use crate::{
    editions::Edition, editions::Error, editions::outline::said, editions::paths, publication::Publication,
    theme::Words,
};

/// One thing to follow.
#[derive(Debug, Serialize)]
struct Way {
    name: String,
    url: String,
    kind: &'static str,
}

/// The page. What the first issue brings is not named before it is there.
pub(in crate::editions) fn following(begun: bool, publication: &Publication) -> Result<Edition, Error> {
    #[derive(Serialize)]
    struct Content<'a> {
        page: Page<'a>,
        words: &'static Words,
        reader: Vec<Way>,
        device: Vec<Way>,
        other: Vec<Way>,
        rights: Option<String>,
    }
    let words = publication.theme.words(&publication.language);
    let paper = said(&publication.title).unwrap_or_else(|| publication.key.clone());
    let title = format!("{paper} · {}", words.follow);
    let way = |(name, path, kind): (&str, &str, &'static str)| Way {
        name: name.to_owned(),
        url: publication.url(path),
        kind,
    };
    let rss = "application/rss+xml";
    let reader =
        [(words.feeds_issues, paths::FEED, rss), (words.feeds_articles, paths::ARTICLES, rss)].map(way);
    let device = [
        (words.feeds_catalogue, paths::CATALOGUE, "application/atom+xml;profile=opds-catalog"),
        (words.feeds_books, paths::BOOKS, rss),
    ]
    .map(way);
    let newest = way((words.feeds_newest, paths::LATEST, "application/epub+zip"));
    let other = [
        ("Atom", paths::ATOM, "application/atom+xml"),
        ("JSON Feed", paths::JSON, "application/feed+json"),
        (words.feeds_opml, paths::FEEDS, "text/x-opml"),
    ]
    .map(way);
    let content = Content {
        page: Page {
            class: "following",
            name: words.follow,
            description: words.feeds_lead,
            ..Page::new(paths::FOLLOWING, "", &title, &paper, publication)
        },
        words,
        reader: reader.into(),
        device: device.into_iter().chain(begun.then_some(newest)).collect(),
        other: other.into(),
        rights: publication.imprint.rights.as_deref().and_then(said),
    };
    Ok(Edition {
        path: paths::FOLLOWING.to_owned(),
        bytes: publication.theme.fill("site/feeds.html", &content)?.into_bytes(),
    })
}
