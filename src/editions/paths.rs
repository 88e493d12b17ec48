//! Where each edition belongs in the outbox.

use crate::{issue::IssueKey, picture::PictureName, publication::Publication};

/// The feed of issues.
pub(super) const FEED: &str = "feed.xml";
/// The feed of issues in Atom.
pub(super) const ATOM: &str = "feed/atom.xml";
/// The same in JSON.
pub(super) const JSON: &str = "feed/feed.json";
/// The feed of articles.
pub(super) const ARTICLES: &str = "feed/articles.xml";
/// The feed whose links are the books themselves.
pub(super) const BOOKS: &str = "feed/books.xml";
/// The list of all feeds.
pub(super) const FEEDS: &str = "feeds.opml";
/// The catalogue for e-readers.
pub(super) const CATALOGUE: &str = "opds/root.xml";
/// The front page.
pub(super) const INDEX: &str = "index.html";
/// The newest book under an address that never changes. The outbox keeps it, not we.
pub(super) const LATEST: &str = "latest.epub";

/// The web page of an issue. Named in full in links, for a plain bucket knows no index of a folder.
pub(super) fn page(key: &IssueKey) -> String {
    format!("issues/{key}/index.html")
}

/// The web page of an article.
pub(super) fn article(key: &IssueKey, anchor: &str) -> String {
    format!("issues/{key}/{anchor}.html")
}

/// The page of a year.
pub(super) fn archive(year: i16) -> String {
    format!("archive/{year}.html")
}

/// The book of an issue; another content has another address, so that it may be cached for ever.
pub(super) fn book(key: &IssueKey, publication: &Publication, bytes: &[u8]) -> String {
    format!("issues/{key}/{}-{key}-{}.epub", publication.key, digest(bytes))
}

/// The cover of an issue. No hash is in it, so that lists know it without having it; caches must ask.
pub(super) fn cover(key: &IssueKey) -> String {
    format!("issues/{key}/cover.png")
}

/// The cover of an issue for lists.
pub(super) fn thumbnail(key: &IssueKey) -> String {
    format!("issues/{key}/thumbnail.png")
}

/// A picture of an issue; its name carries a hash of its bytes.
pub(super) fn picture(key: &IssueKey, name: &PictureName) -> String {
    format!("issues/{key}/{name}")
}

/// The folder of an issue's pictures, as an address.
pub(super) fn pictures(key: &IssueKey, publication: &Publication) -> String {
    publication.url(&format!("issues/{key}/"))
}

/// A style sheet, named by its content like a book.
pub(super) fn asset(stem: &str, bytes: &[u8]) -> String {
    format!("assets/{stem}-{}.css", digest(bytes))
}

/// The first 10 hex digits of the BLAKE3 hash: 40 bits tell the versions of one file apart.
fn digest(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..10].to_owned()
}
