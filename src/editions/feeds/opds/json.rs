//! OPDS 2.0: the same lists as JSON, with the periodical, the issue and its articles as objects of the Readium schema.
//!
//! The members of each object stand in the order of their names.

use std::borrow::Cow;

use serde::Serialize;

use super::{Article, Book, Books, updated};
use crate::{editions::Edition, editions::Shelf, editions::paths, publication::Publication};

/// The type of the documents.
const KIND: &str = "application/opds+json";
const PAGE: &str = "text/html";
const PICTURE: &str = "image/png";

#[derive(Serialize)]
struct Document<'a> {
    links: Vec<Link<'a>>,
    metadata: Heading<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    navigation: Option<Vec<Link<'a>>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    publications: Vec<Issue<'a>>,
}

#[derive(Serialize)]
struct Heading<'a> {
    identifier: &'a str,
    modified: String,
    title: &'a str,
}

#[derive(Serialize)]
struct Link<'a> {
    href: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rel: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(rename = "type")]
    kind: &'static str,
}

impl<'a> Link<'a> {
    fn to(href: impl Into<Cow<'a, str>>, kind: &'static str) -> Self {
        Self { href: href.into(), rel: None, size: None, title: None, kind }
    }

    fn rel(self, rel: &'static str) -> Self {
        Self { rel: Some(rel), ..self }
    }

    fn titled(self, title: impl Into<String>) -> Self {
        Self { title: Some(title.into()), ..self }
    }
}

/// A book, in the schema's word a publication.
#[derive(Serialize)]
struct Issue<'a> {
    images: [Link<'a>; 2],
    links: [Link<'a>; 2],
    metadata: Metadata<'a>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    #[serde(rename = "@type")]
    kind: &'static str,
    author: &'a str,
    #[serde(rename = "belongsTo")]
    belongs_to: BelongsTo<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    identifier: &'a str,
    language: &'a str,
    modified: &'a str,
    published: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher: Option<&'a str>,
    title: &'a str,
}

#[derive(Serialize)]
struct BelongsTo<'a> {
    periodical: Periodical<'a>,
}

#[derive(Serialize)]
struct Periodical<'a> {
    #[serde(rename = "altIdentifier", skip_serializing_if = "Option::is_none")]
    alt_identifier: Option<[String; 1]>,
    identifier: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    issue: Option<Numbered<'a>>,
    name: &'a str,
}

/// Where an issue stands in its periodical, with its articles.
#[derive(Serialize)]
struct Numbered<'a> {
    article: Vec<Contribution<'a>>,
    name: &'a str,
    position: f64,
}

#[derive(Serialize)]
struct Contribution<'a> {
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    author: &'a [String],
    identifier: &'a str,
    links: [Link<'a>; 1],
    name: &'a str,
}

pub(super) fn write(list: &Books, shelf: &Shelf, paper: &str, publication: &Publication) -> Edition {
    let words = publication.theme.words(&publication.language);
    let address = |path: &str| publication.url(&format!("{path}.json"));
    let newest = || Link::to(address("opds/root"), KIND).titled(words.recent);
    let mut links = vec![
        Link::to(address(&list.path), KIND).rel("self"),
        Link::to(address("opds/root"), KIND).rel("start"),
        Link::to(publication.url(paths::INDEX), PAGE).rel("alternate"),
        Link::to(publication.url(paths::SEARCH_DESCRIPTION), "application/opensearchdescription+xml")
            .rel("search"),
    ];
    links.extend(list.next.as_ref().map(|next| Link::to(address(next), KIND).rel("next")));
    let years = shelf
        .years
        .iter()
        .map(|year| Link::to(address(&paths::catalogue_year(year.year)), KIND).titled(words.year(year.year)));
    let is_root = list.path == super::super::stem(paths::CATALOGUE);
    let document = Document {
        links,
        metadata: Heading { identifier: &list.id, modified: updated(list), title: &list.title },
        // Pages of old books stay as they are when a year is added.
        navigation: if is_root {
            Some(std::iter::once(newest()).chain(years).collect())
        } else {
            list.lines.is_empty().then(|| vec![newest()])
        },
        publications: list.lines.iter().map(|book| of_book(book, paper, publication)).collect(),
    };
    let bytes = serde_json::to_vec(&document).expect("strings and numbers can always be written");
    Edition { bytes, path: format!("{}.json", list.path) }
}

fn of_book<'a>(book: &'a Book, paper: &'a str, publication: &'a Publication) -> Issue<'a> {
    let book_link = Link::to(&*book.url, book.kind).rel("http://opds-spec.org/acquisition/open-access");
    Issue {
        images: [Link::to(&*book.cover, PICTURE), Link::to(&*book.thumbnail, PICTURE)],
        links: [Link { size: Some(book.length), ..book_link }, Link::to(&*book.page, PAGE).rel("alternate")],
        metadata: Metadata {
            kind: "http://schema.org/PublicationIssue",
            author: paper,
            belongs_to: BelongsTo { periodical: periodical(book, paper, publication) },
            description: book.summary.as_deref(),
            identifier: &book.id,
            language: &book.language,
            modified: &book.updated,
            published: &book.date,
            publisher: publication.imprint.publisher.as_deref(),
            title: &book.title,
        },
    }
}

fn periodical<'a>(book: &'a Book, paper: &'a str, publication: &Publication) -> Periodical<'a> {
    // An issue has a position there or is not told, and a position is a number.
    let position = book.number.as_ref().and_then(|number| number.parse::<f64>().ok());
    Periodical {
        alt_identifier: publication.imprint.issn.as_ref().map(|issn| [format!("urn:issn:{issn}")]),
        identifier: publication.tag(""),
        issue: position.map(|position| Numbered {
            article: book.articles.iter().map(contribution).collect(),
            name: &book.title,
            position,
        }),
        name: paper,
    }
}

fn contribution(article: &Article) -> Contribution<'_> {
    Contribution {
        author: &article.authors,
        identifier: &article.id,
        links: [Link::to(&*article.page, PAGE)],
        name: &article.headline,
    }
}
