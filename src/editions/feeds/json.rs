//! JSON Feed 1.1.

use serde::Serialize;

use super::{Feed, entry, entry::Entry};
use crate::{editions::Edition, editions::outline::said, editions::paths, publication::Publication};

#[derive(Serialize)]
struct Document<'a> {
    version: &'static str,
    title: &'a str,
    description: &'a str,
    home_page_url: &'a str,
    feed_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_url: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hubs: Vec<Hub<'a>>,
    language: &'a str,
    authors: Vec<Author>,
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Hub<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    url: &'a str,
}

#[derive(Serialize)]
struct Author {
    name: String,
}

#[derive(Serialize)]
struct Item<'a> {
    id: &'a str,
    url: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    summary: &'a str,
    content_html: &'a str,
    date_published: String,
    date_modified: String,
    language: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<Author>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tags: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Attachment<'a>>,
}

#[derive(Serialize)]
struct Attachment<'a> {
    url: &'a str,
    mime_type: &'a str,
    size_in_bytes: u64,
}

/// A feed as JSON.
pub(super) fn write(feed: &Feed, path: &str, publication: &Publication) -> Edition {
    let document = Document {
        version: "https://jsonfeed.org/version/1.1",
        title: &feed.title,
        description: &feed.description,
        home_page_url: &feed.home,
        feed_url: publication.url(path),
        next_url: feed.part.previous().map(|number| publication.url(&paths::sealed(number, "json"))),
        hubs: publication.hub.iter().map(|url| Hub { kind: "WebSub", url }).collect(),
        language: publication.language.as_str(),
        authors: said(&publication.title).map(|name| Author { name }).into_iter().collect(),
        items: feed.entries.iter().map(item).collect(),
    };
    let bytes = serde_json::to_vec(&document).expect("strings and numbers can always be written");
    Edition { bytes, path: path.to_owned() }
}

fn item(entry: &Entry) -> Item<'_> {
    Item {
        id: &entry.id,
        url: &entry.link,
        title: &entry.title,
        summary: &entry.summary,
        content_html: &entry.content,
        date_published: entry::seconds(entry.published),
        date_modified: entry::seconds(entry.updated),
        language: &entry.language,
        authors: entry.authors.iter().map(|name| Author { name: name.clone() }).collect(),
        tags: &entry.sections,
        attachments: entry
            .book
            .iter()
            .map(|book| Attachment { url: &book.url, mime_type: book.kind, size_in_bytes: book.length })
            .collect(),
    }
}
