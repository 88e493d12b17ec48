//! OPDS 2.0: the same lists as JSON, with the periodical, the issue and its articles as objects of the Readium schema.

use serde_json::{Value, json};

use super::{Book, Books, updated};
use crate::{editions::Edition, editions::Shelf, editions::paths, publication::Publication};

/// The type of the documents.
const KIND: &str = "application/opds+json";

pub(super) fn write(list: &Books, shelf: &Shelf, paper: &str, publication: &Publication) -> Edition {
    let words = publication.theme.words(&publication.language);
    let address = |path: &str| publication.url(&format!("{path}.json"));
    let root = address("opds/root");
    let mut links = vec![
        json!({ "rel": "self", "href": address(&list.path), "type": KIND }),
        json!({ "rel": "start", "href": root, "type": KIND }),
        json!({ "rel": "alternate", "href": publication.url(paths::INDEX), "type": "text/html" }),
        json!({
            "rel": "search", "type": "application/opensearchdescription+xml",
            "href": publication.url(paths::SEARCH_DESCRIPTION),
        }),
    ];
    links
        .extend(list.next.as_ref().map(|next| json!({ "rel": "next", "href": address(next), "type": KIND })));
    let years = shelf.years.iter().map(|year| {
        json!({ "href": address(&paths::catalogue_year(year.year)), "title": words.year(year.year), "type": KIND })
    });
    let navigation =
        std::iter::once(json!({ "href": root, "title": words.recent, "type": KIND })).chain(years);
    let mut document = json!({
        "metadata": { "title": list.title, "identifier": list.id, "modified": updated(list) },
        "links": links,
    });
    // Pages of old books stay as they are when a year is added.
    if list.path == super::super::stem(paths::CATALOGUE) {
        document["navigation"] = navigation.collect();
    }
    if !list.lines.is_empty() {
        document["publications"] = list.lines.iter().map(|book| of_book(book, paper, publication)).collect();
    } else if document.get("navigation").is_none() {
        document["navigation"] = json!([{ "href": root, "title": words.recent, "type": KIND }]);
    }
    Edition { bytes: document.to_string().into_bytes(), path: format!("{}.json", list.path) }
}

fn of_book(book: &Book, paper: &str, publication: &Publication) -> Value {
    let mut metadata = json!({
        "@type": "http://schema.org/PublicationIssue",
        "identifier": book.id,
        "title": book.title,
        "language": book.language,
        "published": book.date,
        "modified": book.updated,
        "author": paper,
        "belongsTo": { "periodical": periodical(book, paper, publication) },
    });
    if let Some(summary) = &book.summary {
        metadata["description"] = json!(summary);
    }
    if let Some(publisher) = &publication.imprint.publisher {
        metadata["publisher"] = json!(publisher);
    }
    json!({
        "metadata": metadata,
        "links": [
            {
                "rel": "http://opds-spec.org/acquisition/open-access", "href": book.url, "type": book.kind,
                "size": book.length,
            },
            { "rel": "alternate", "href": book.page, "type": "text/html" },
        ],
        "images": [
            { "href": book.cover, "type": "image/png" },
            { "href": book.thumbnail, "type": "image/png" },
        ],
    })
}

fn periodical(book: &Book, paper: &str, publication: &Publication) -> Value {
    let articles: Vec<Value> = book
        .articles
        .iter()
        .map(|article| {
            let mut object = json!({
                "name": article.headline,
                "identifier": article.id,
                "links": [{ "href": article.page, "type": "text/html" }],
            });
            if !article.authors.is_empty() {
                object["author"] = json!(article.authors);
            }
            object
        })
        .collect();
    let mut periodical = json!({ "name": paper, "identifier": publication.tag("") });
    if let Some(issn) = &publication.imprint.issn {
        periodical["altIdentifier"] = json!([format!("urn:issn:{issn}")]);
    }
    // An issue has a position there or is not told, and a position is a number.
    if let Some(position) = book.number.as_ref().and_then(|number| number.parse::<f64>().ok()) {
        periodical["issue"] = json!({ "position": position, "name": book.title, "article": articles });
    }
    periodical
}
