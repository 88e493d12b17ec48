//! The front page: the newest issue, the recent ones, the years, and how to follow.

use serde::Serialize;

use super::{Line, Page, Shown, Year, unless};
use crate::{
    editions::Edition, editions::Error, editions::Shelf, editions::Shelved, editions::linked_data,
    editions::outline::Day, editions::outline::Outline, editions::outline::said, editions::paths,
    issue::shorten, publication::Publication, theme::Words,
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
    day: Option<Day>,
    n_articles: String,
    summary: Option<String>,
    stories: Vec<Story>,
    /// How many more there are, in words.
    others: Option<String>,
}

impl Latest {
    fn of(shelved: &Shelved, publication: &Publication) -> Self {
        let outline = Outline::of(&shelved.release, publication);
        let page = paths::page(&shelved.release.issue.key);
        let others = outline.pieces().count().saturating_sub(STORIES);
        let stories = outline.pieces().take(STORIES).map(|piece| Story {
            href: paths::article(&shelved.release.issue.key, &piece.anchor),
            headline: shorten(&piece.headline, 120),
            byline: piece.byline.as_deref().map(|byline| shorten(byline, 80)),
            teaser: piece.teaser.clone(),
        });
        let title = name(&outline);
        Latest {
            stories: stories.collect(),
            others: (others > 0).then(|| outline.words.n_others(others)),
            number: outline.number.clone().filter(|number| *number != title),
            day: Some(outline.day).filter(|day| day.text != title),
            title,
            n_articles: outline.n_articles,
            summary: outline.summary,
            lang: outline.lang,
            book: shelved.book.path.clone(),
            page,
        }
    }
}

/// What an issue is called on the front page: its own title, unless that is the headline of its first article, which stands below
/// it; else its number, else its day.
fn name(outline: &Outline) -> String {
    let first = outline.pieces().next().map(|piece| &piece.headline);
    let title = outline.title.clone().filter(|title| first != Some(title));
    title.or_else(|| outline.number.clone()).unwrap_or_else(|| outline.day.text.clone())
}

/// The front page.
pub(in crate::editions) fn index(shelf: &Shelf, publication: &Publication) -> Result<Edition, Error> {
    #[derive(Serialize)]
    struct Content<'a> {
        page: Page<'a>,
        words: &'static Words,
        latest: Option<Latest>,
        recent: Vec<Line>,
        years: Vec<Year>,
        sections: Vec<Section>,
        data: String,
        publisher: Option<String>,
        rights: Option<String>,
    }
    #[derive(Serialize)]
    struct Section {
        href: String,
        name: String,
    }
    let words = publication.theme.words(&publication.language);
    let paper = said(&publication.title).unwrap_or_else(|| publication.key.clone());
    let description = said(&publication.description).unwrap_or_else(|| paper.clone());
    let latest = shelf.recent.first().map(|shelved| Latest::of(shelved, publication));
    let line = |shelved: &Shelved| {
        let outline = Outline::of(&shelved.release, publication);
        let name = name(&outline);
        let facts = [outline.number.clone(), Some(outline.day.text.clone())];
        let when: Vec<String> = facts.into_iter().flatten().filter(|fact| *fact != name).collect();
        Line {
            page: paths::page(&shelved.release.issue.key),
            headlines: unless(&name, outline.contents(140)),
            lang: outline.lang,
            when: (!when.is_empty()).then(|| when.join(" · ")),
            name,
        }
    };
    let content = Content {
        page: Page {
            description: &description,
            class: "front",
            shown: shelf.recent.first().map(|shelved| Shown::of_issue(&shelved.release, publication)),
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
        data: linked_data::periodical(publication),
        publisher: publication.imprint.publisher.as_deref().and_then(said),
        rights: publication.imprint.rights.as_deref().and_then(said),
    };
    Ok(Edition {
        path: paths::INDEX.to_owned(),
        bytes: publication.theme.fill("site/index.html", &content)?.into_bytes(),
    })
}
