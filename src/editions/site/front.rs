//! The front page: the newest issue, the recent ones, the years, and how to follow.

use serde::Serialize;

use super::{Line, Page, without_paper};
use crate::{
    editions::Edition, editions::Error, editions::Shelf, editions::Shelved, editions::outline::Day,
    editions::outline::Outline, editions::outline::said, editions::paths, editions::templates,
    editions::words, editions::words::Words, issue::shorten, publication::Publication,
};

/// How many articles of the newest issue the front page shows with their first words, before it only counts.
const STORIES: usize = 12;

/// An article of the newest issue, with its first words.
#[derive(Debug, Serialize)]
struct Story {
    href: String,
    headline: String,
    byline: Option<String>,
    teaser: String,
}
/// The newest issue.
#[derive(Debug, Serialize)]
struct Latest {
    lang: String,
    page: String,
    book: String,
    title: String,
    number: Option<String>,
    day: Day,
    n_articles: String,
    summary: Option<String>,
    stories: Vec<Story>,
}

impl Latest {
    fn of(shelved: &Shelved, publication: &Publication) -> Self {
        let outline = Outline::of(&shelved.release, publication);
        let page = paths::page(&shelved.release.issue.key);
        let stories = outline.pieces().take(STORIES).map(|piece| Story {
            href: paths::article(&shelved.release.issue.key, &piece.anchor),
            headline: shorten(&piece.headline, 120),
            byline: piece.byline.as_deref().map(|byline| shorten(byline, 80)),
            teaser: piece.teaser.clone(),
        });
        Latest {
            stories: stories.collect(),
            title: match (&outline.title, &outline.number) {
                (Some(title), _) => title.clone(),
                (None, Some(number)) => number.clone(),
                (None, None) => without_paper(&outline.name, &outline.paper),
            },
            number: outline.number.filter(|_| outline.title.is_some()),
            day: outline.day,
            n_articles: outline.n_articles,
            summary: outline.summary,
            lang: outline.lang,
            book: shelved.book.path.clone(),
            page,
        }
    }
}

/// The front page.
pub(in crate::editions) fn index(shelf: &Shelf, publication: &Publication) -> Result<Edition, Error> {
    #[derive(Serialize)]
    struct Year {
        href: String,
        label: String,
        count: String,
    }
    #[derive(Serialize)]
    struct Content<'a> {
        page: Page<'a>,
        words: &'static Words,
        latest: Option<Latest>,
        recent: Vec<Line>,
        years: Vec<Year>,
        sections: Vec<Section>,
        feeds: Vec<Follow>,
        publisher: Option<String>,
        rights: Option<String>,
    }
    #[derive(Serialize)]
    struct Section {
        href: String,
        name: String,
    }
    #[derive(Serialize)]
    struct Follow {
        name: &'static str,
        url: String,
    }
    let words = words::of(&publication.language);
    let paper = said(&publication.title).unwrap_or_else(|| publication.key.clone());
    let description = said(&publication.description).unwrap_or_else(|| paper.clone());
    let latest = shelf.recent.first().map(|shelved| Latest::of(shelved, publication));
    let line = |shelved: &Shelved| {
        let outline = Outline::of(&shelved.release, publication);
        Line {
            page: paths::page(&shelved.release.issue.key),
            headlines: outline.contents(140),
            lang: outline.lang,
            name: without_paper(&outline.name, &outline.paper),
        }
    };
    let content = Content {
        page: Page {
            description: &description,
            class: "front",
            ..Page::new(paths::INDEX, "", &paper, &paper, publication)
        },
        words,
        latest,
        recent: shelf.recent.iter().skip(1).map(line).collect(),
        years: shelf
            .years
            .iter()
            .map(|year| Year {
                href: paths::archive(year.year),
                label: words.year(year.year),
                count: words.n_issues(year.count),
            })
            .collect(),
        sections: shelf
            .sections
            .iter()
            .map(|facet| Section { href: paths::facet(facet), name: facet.name.clone() })
            .collect(),
        feeds: [
            (words.articles, paths::ARTICLES),
            (words.books, paths::BOOKS),
            ("Atom", paths::ATOM),
            ("JSON Feed", paths::JSON),
            ("OPML", paths::FEEDS),
        ]
        .map(|(name, path)| Follow { name, url: publication.url(path) })
        .into(),
        publisher: publication.imprint.publisher.as_deref().and_then(said),
        rights: publication.imprint.rights.as_deref().and_then(said),
    };
    Ok(Edition {
        path: paths::INDEX.to_owned(),
        bytes: templates::fill("site/index.html", &content)?.into_bytes(),
    })
}
