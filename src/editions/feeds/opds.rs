//! The catalogue for e-readers, as OPDS 1.2 and OPDS 2.0: the newest books first, older ones on pages that follow, and years.
//!
//! The root is itself a list of books: readers that synchronise follow nothing but its `next`.

mod json;

use serde::Serialize;

use super::entry::{EPUB, seconds};
use crate::{
    editions, editions::Edition, editions::Error, editions::Listing, editions::Shelf,
    editions::outline::said, editions::paths, publication::Publication, theme::Words,
};

/// The type of a list of books.
const ACQUISITION: &str = "application/atom+xml;profile=opds-catalog;kind=acquisition";
/// The type of a list of lists.
const NAVIGATION: &str = "application/atom+xml;profile=opds-catalog;kind=navigation";

/// A list of books, before it is written in a format.
#[derive(Debug, Serialize)]
struct Books {
    /// A tag URI that never changes.
    id: String,
    title: String,
    /// Where it lies, without the ending of its format.
    path: String,
    /// Where it is instead, for one reader alone.
    private: Option<String>,
    /// The page with the books that came before these.
    next: Option<String>,
    lines: Vec<Book>,
}

/// A book as a line of the catalogue.
#[derive(Debug, Serialize)]
struct Book {
    id: String,
    title: String,
    number: Option<String>,
    language: String,
    summary: Option<String>,
    /// The day that the issue carries.
    date: String,
    published: String,
    updated: String,
    /// The page that shows the same issue.
    page: String,
    url: String,
    length: u64,
    kind: &'static str,
    /// Its cover, and the same small.
    cover: String,
    thumbnail: String,
    articles: Vec<Article>,
}

/// An article of the book.
#[derive(Debug, Serialize)]
struct Article {
    id: String,
    headline: String,
    authors: Vec<String>,
    page: String,
}

impl Book {
    fn of(listing: &Listing, publication: &Publication, words: &Words) -> Self {
        let key = &listing.key;
        let article = |article: &crate::editions::ListedArticle| Article {
            id: publication.tag(&format!("{key}/{}", article.key)),
            headline: said(&article.headline).unwrap_or_else(|| words.untitled.to_owned()),
            authors: article.authors.iter().filter_map(|name| said(name)).collect(),
            page: publication.url(&paths::article(key, &article.key)),
        };
        Self {
            id: publication.tag(&format!("{key}/book")),
            title: said(&listing.name).unwrap_or_else(|| key.to_string()),
            number: listing.number.as_deref().and_then(said),
            language: listing.language.clone(),
            summary: listing
                .summary
                .as_deref()
                .and_then(said)
                .or_else(|| said(&listing.contents(words.semicolon(), 300))),
            date: listing.date.to_string(),
            published: seconds(listing.published),
            updated: seconds(listing.updated),
            page: publication.url(&paths::page(key)),
            url: publication.url(&listing.book.path),
            length: listing.book.length,
            kind: EPUB,
            cover: publication.url(&editions::cover_path(key)),
            thumbnail: publication.url(&editions::thumbnail_path(key)),
            articles: listing.articles.iter().map(article).collect(),
        }
    }
}

/// The pages of older books and of years that have changed.
pub(super) fn pages(shelf: &Shelf, publication: &Publication) -> Result<Vec<Edition>, Error> {
    let words = publication.theme.words(&publication.language);
    let paper = said(&publication.title).unwrap_or_else(|| publication.key.clone());
    let mut lists = Vec::new();
    for page in &shelf.catalogue_pages {
        let of_page: Vec<Listing> = page
            .issues
            .iter()
            .map(|shelved| Listing::of(&shelved.release, &shelved.book, publication))
            .collect();
        lists.push(Books {
            id: publication.tag(&format!("catalogue/archive/{}", page.number)),
            title: paper.clone(),
            path: paths::catalogue_page(page.number),
            private: None,
            next: (page.number > 1).then(|| paths::catalogue_page(page.number - 1)),
            lines: books(&of_page, publication),
        });
    }
    for volume in shelf.volumes.iter().filter(|volume| !volume.listings.is_empty()) {
        lists.push(Books {
            id: publication.tag(&format!("catalogue/{}", volume.year)),
            title: format!("{paper} · {}", words.year(volume.year)),
            path: paths::catalogue_year(volume.year),
            private: None,
            next: None,
            lines: books(&volume.listings, publication),
        });
    }
    let mut editions = Vec::new();
    for list in &lists {
        editions.push(acquisition(list, &paper, publication)?);
        editions.push(json::write(list, shelf, &paper, publication));
    }
    Ok(editions)
}

fn books(listings: &[Listing], publication: &Publication) -> Vec<Book> {
    let words = publication.theme.words(&publication.language);
    listings.iter().map(|listing| Book::of(listing, publication, words)).collect()
}

/// The first page, with the newest books, and what leads to the others.
pub(super) fn newest(shelf: &Shelf, publication: &Publication) -> Result<Vec<Edition>, Error> {
    let paper = said(&publication.title).unwrap_or_else(|| publication.key.clone());
    let root = Books {
        id: publication.tag("catalogue"),
        title: paper.clone(),
        path: super::stem(paths::CATALOGUE).to_owned(),
        private: None,
        next: (shelf.n_catalogue_pages > 0).then(|| paths::catalogue_page(shelf.n_catalogue_pages)),
        lines: books(&shelf.catalogue, publication),
    };
    Ok(vec![
        search_description(&paper, publication)?,
        navigation(shelf, &paper, publication)?,
        json::write(&root, shelf, &paper, publication),
        acquisition(&root, &paper, publication)?,
    ])
}

/// Books that a search has found, as OPDS 1.2.
pub(in crate::editions) fn found(
    listings: &[Listing],
    question: &str,
    publication: &Publication,
) -> Result<Vec<u8>, Error> {
    let words = publication.theme.words(&publication.language);
    let paper = said(&publication.title).unwrap_or_else(|| publication.key.clone());
    let list = Books {
        id: publication.tag("catalogue/search"),
        title: said(question).map_or_else(|| words.search.to_owned(), |q| format!("{}: {q}", words.search)),
        path: paths::CATALOGUE_SEARCH.to_owned(),
        private: None,
        next: None,
        lines: books(listings, publication),
    };
    Ok(acquisition(&list, &paper, publication)?.bytes)
}

/// One reader's own books, as OPDS 1.2.
pub(in crate::editions) fn private(
    listings: &[Listing],
    url: &str,
    publication: &Publication,
) -> Result<Vec<u8>, Error> {
    let paper = said(&publication.title).unwrap_or_else(|| publication.key.clone());
    let list = Books {
        id: publication.tag("catalogue/private"),
        title: paper.clone(),
        path: paths::PRIVATE_FEED.to_owned(),
        private: Some(url.to_owned()),
        next: None,
        lines: books(listings, publication),
    };
    Ok(acquisition(&list, &paper, publication)?.bytes)
}

fn acquisition(list: &Books, paper: &str, publication: &Publication) -> Result<Edition, Error> {
    #[derive(Serialize)]
    struct Content<'a> {
        list: &'a Books,
        paper: &'a str,
        kind: &'static str,
        navigation_kind: &'static str,
        url: String,
        start: String,
        next: Option<String>,
        navigation: String,
        search: String,
        home: String,
        language: &'a str,
        updated: String,
    }
    let path = format!("{}.xml", list.path);
    let content = Content {
        list,
        paper,
        kind: ACQUISITION,
        navigation_kind: NAVIGATION,
        url: list.private.clone().unwrap_or_else(|| publication.url(&path)),
        start: publication.url(paths::CATALOGUE),
        next: list.next.as_ref().map(|next| publication.url(&format!("{next}.xml"))),
        navigation: publication.url(paths::NAVIGATION),
        search: publication.url(paths::SEARCH_DESCRIPTION),
        home: publication.url(paths::INDEX),
        language: publication.language.as_str(),
        updated: updated(list),
    };
    Ok(Edition { bytes: publication.theme.fill("feed/catalogue.xml", &content)?.into_bytes(), path })
}

/// When the newest of these books changed.
fn updated(list: &Books) -> String {
    list.lines
        .iter()
        .map(|book| book.updated.as_str())
        .max()
        .map_or_else(|| seconds(jiff::Timestamp::UNIX_EPOCH), str::to_owned)
}

/// The lists that there are: the newest books, and each year.
fn navigation(shelf: &Shelf, paper: &str, publication: &Publication) -> Result<Edition, Error> {
    #[derive(Serialize)]
    struct Line {
        id: String,
        title: String,
        url: String,
        count: String,
    }
    #[derive(Serialize)]
    struct Content<'a> {
        id: String,
        paper: &'a str,
        kind: &'static str,
        list_kind: &'static str,
        url: String,
        start: String,
        home: String,
        language: &'a str,
        newest: &'static str,
        updated: String,
        lines: Vec<Line>,
    }
    let words = publication.theme.words(&publication.language);
    let lines = shelf.years.iter().map(|year| Line {
        id: publication.tag(&format!("catalogue/{}", year.year)),
        title: words.year(year.year),
        url: publication.url(&format!("{}.xml", paths::catalogue_year(year.year))),
        count: words.n_issues(year.count),
    });
    let newest = shelf.catalogue.iter().map(|listing| listing.updated).max();
    let content = Content {
        id: publication.tag("catalogue/navigation"),
        paper,
        kind: NAVIGATION,
        list_kind: ACQUISITION,
        url: publication.url(paths::NAVIGATION),
        start: publication.url(paths::CATALOGUE),
        home: publication.url(paths::INDEX),
        language: publication.language.as_str(),
        newest: words.recent,
        updated: seconds(newest.unwrap_or(jiff::Timestamp::UNIX_EPOCH)),
        lines: lines.collect(),
    };
    let bytes = publication.theme.fill("feed/navigation.xml", &content)?.into_bytes();
    Ok(Edition { path: paths::NAVIGATION.to_owned(), bytes })
}

/// How e-readers and browsers ask (`OpenSearch` 1.1).
fn search_description(paper: &str, publication: &Publication) -> Result<Edition, Error> {
    #[derive(Serialize)]
    struct Content<'a> {
        name: String,
        paper: &'a str,
        kind: &'static str,
        books: String,
        pages: String,
    }
    let content = Content {
        // At most 16 characters (`OpenSearch` 1.1, `ShortName`).
        name: paper.chars().take(16).collect(),
        paper,
        kind: ACQUISITION,
        books: publication.url(&format!("{}?q={{searchTerms}}", paths::CATALOGUE_SEARCH)),
        pages: publication.url(&format!("{}?q={{searchTerms}}", paths::SEARCH)),
    };
    let bytes = publication.theme.fill("feed/opensearch.xml", &content)?.into_bytes();
    Ok(Edition { path: paths::SEARCH_DESCRIPTION.to_owned(), bytes })
}
