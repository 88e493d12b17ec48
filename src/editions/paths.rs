//! Where each edition belongs in the outbox.

use crate::{
    editions::Facet, editions::FacetKind, issue::IssueKey, picture::PictureName, publication::Publication,
};

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
/// The catalogue for e-readers: OPDS 1.2.
pub(super) const CATALOGUE: &str = "opds/root.xml";
/// The years of the catalogue.
pub(super) const NAVIGATION: &str = "opds/navigation.xml";
/// How the catalogue is searched (`OpenSearch`).
pub(super) const SEARCH_DESCRIPTION: &str = "opds/search.xml";
/// Where the daemon answers searches: not a file of the outbox.
pub(super) const SEARCH: &str = "search";
/// How deep below the outbox's root a reader's own feed is, without the ending of its format.
pub(super) const PRIVATE_FEED: &str = "private/own/feed";
/// Where the daemon answers those who want to join: not a file of the outbox.
pub const JOIN: &str = "join";
/// The same as [`SEARCH`] for e-readers.
pub(super) const CATALOGUE_SEARCH: &str = "opds/search";
/// The map of the site for search engines: the list of its parts.
pub(super) const SITEMAP: &str = "sitemap.xml";
/// The front page.
pub const INDEX: &str = "index.html";
/// The page that explains how to follow.
pub(super) const FOLLOWING: &str = "feeds.html";
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

/// What search engines should know of a year.
pub(super) fn sitemap(year: i16) -> String {
    format!("sitemaps/{year}.xml")
}

/// A sealed page of the archived feed, in one of its formats.
pub(super) fn sealed(number: u64, extension: &str) -> String {
    format!("feed/archive/{number}.{extension}")
}

/// A page of older books in the catalogue, without the ending of its format.
pub(super) fn catalogue_page(number: u64) -> String {
    format!("opds/archive/{number}")
}

/// The books of a year in the catalogue, without the ending of its format.
pub(super) fn catalogue_year(year: i16) -> String {
    format!("opds/years/{year}")
}

/// The page of an author or a section.
pub(super) fn facet(facet: &Facet) -> String {
    format!("{}/{}.html", folder(facet.kind), facet.slug())
}

/// The page of a year of the author or section whose page is `facet`.
pub(super) fn facet_year(facet: &str, year: i16) -> String {
    format!("{}/{year}.html", facet.trim_end_matches(".html"))
}

/// The feed of a section, without the ending of its format.
pub(super) fn section_feed(facet: &Facet) -> String {
    format!("feed/sections/{}", facet.slug())
}

fn folder(kind: FacetKind) -> &'static str {
    match kind {
        FacetKind::Author => "authors",
        FacetKind::Section => "sections",
    }
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
