//! RSS 2.0 with the full text. The one place that knows the `rss` crate.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rss::extension::Extension;
use rss::extension::dublincore::DublinCoreExtension;
use rss::{Category, Channel, Enclosure, Guid, Item};

use super::{Feed, Part, entry, entry::Entry};
use crate::{
    editions::Edition, editions::Error, editions::outline::said, editions::paths, publication::Publication,
};

/// How long a reader may wait before it asks again, in minutes.
const TTL: &str = "60";

/// The style sheet that lets a browser show the feed as a page. (Browsers have given up XSLT, but not this.)
pub(in crate::editions) fn stylesheet(publication: &Publication) -> Edition {
    let style = publication.theme.style("feed/feed.css").as_bytes();
    Edition { path: paths::asset("feed", style), bytes: style.to_vec() }
}

/// A feed in RSS.
///
/// Serve it as `application/xml` or `text/xml`: browsers show the style sheet for no other type.
pub(super) fn write(feed: &Feed, publication: &Publication) -> Result<Edition, Error> {
    let path = format!("{}.xml", feed.path);
    let channel = Channel {
        title: feed.title.clone(),
        link: feed.home.clone(),
        description: feed.description.clone(),
        language: Some(publication.language.as_str().to_owned()),
        copyright: publication.imprint.rights.as_deref().and_then(said),
        last_build_date: feed.entries.iter().map(|entry| entry.updated).max().map(rfc2822),
        generator: Some("gazetted".to_owned()),
        docs: Some("https://www.rssboard.org/rss-specification".to_owned()),
        ttl: Some(TTL.to_owned()),
        extensions: links(feed, feed.private.as_ref().unwrap_or(&publication.url(&path)), publication),
        namespaces: attributes([
            ("atom", "http://www.w3.org/2005/Atom"),
            ("fh", "http://purl.org/syndication/history/1.0"),
            ("dcterms", "http://purl.org/dc/terms/"),
        ]),
        items: feed.entries.iter().map(item).collect(),
        ..Channel::default()
    };
    let xml = channel.to_string();
    // From any folder, and on any host that serves the outbox.
    let root = "../".repeat(path.matches('/').count());
    let instruction =
        format!("?>\n<?xml-stylesheet type=\"text/css\" href=\"{root}{}\"?>\n", stylesheet(publication).path);
    let xml = match xml.split_once("?>") {
        Some((declaration, rest)) if declaration.starts_with("<?xml ") => {
            format!("{declaration}{instruction}{}\n", rest.trim_start())
        }
        _ => return Err(Error::Feed),
    };
    Ok(Edition { path, bytes: xml.into_bytes() })
}

/// Where the feed is, who tells of it, and where its older entries are (RFC 5005, in RSS by Atom's links).
fn links(feed: &Feed, url: &str, publication: &Publication) -> rss::extension::ExtensionMap {
    const KIND: &str = "application/rss+xml";
    let link = |rel: &str, kind: Option<&str>, href: &str| Extension {
        name: "atom:link".to_owned(),
        attrs: attributes([("rel", rel), ("href", href)])
            .into_iter()
            .chain(kind.map(|kind| ("type".to_owned(), kind.to_owned())))
            .collect(),
        ..Extension::default()
    };
    let mut links = vec![link("self", Some(KIND), url)];
    links.extend(publication.hub.iter().filter(|_| feed.private.is_none()).map(|hub| link("hub", None, hub)));
    if let Some(number) = feed.part.previous() {
        links.push(link("prev-archive", Some(KIND), &publication.url(&paths::sealed(number, "xml"))));
    }
    let mut extensions = match feed.part {
        Part::Complete => extension("fh", "complete", Extension::default()),
        Part::Archive { .. } => {
            links.push(link("current", Some(KIND), &publication.url(paths::FEED)));
            extension("fh", "archive", Extension::default())
        }
        Part::Newest | Part::Current { .. } => BTreeMap::new(),
    };
    extensions.insert("atom".to_owned(), BTreeMap::from([("link".to_owned(), links)]));
    extensions
}

fn item(entry: &Entry) -> Item {
    let modified = Extension { value: Some(entry::seconds(entry.updated)), ..Extension::default() };
    Item {
        title: Some(entry.title.clone()),
        link: Some(entry.link.clone()),
        description: Some(entry.summary.clone()).filter(|summary| !summary.is_empty()),
        categories: entry.sections.iter().map(|name| Category { name: name.clone(), domain: None }).collect(),
        enclosure: entry.book.as_ref().map(|book| Enclosure {
            url: book.url.clone(),
            length: book.length.to_string(),
            mime_type: book.kind.to_owned(),
        }),
        guid: Some(Guid { value: entry.id.clone(), permalink: false }),
        pub_date: Some(rfc2822(entry.published)),
        content: Some(entry.content.clone()).filter(|content| !content.is_empty()),
        extensions: extension("dcterms", "modified", modified),
        dublin_core_ext: Some(DublinCoreExtension {
            creators: entry.authors.clone(),
            ..DublinCoreExtension::default()
        }),
        ..Item::default()
    }
}

fn attributes<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn extension(prefix: &str, name: &str, extension: Extension) -> rss::extension::ExtensionMap {
    let extension = Extension { name: format!("{prefix}:{name}"), ..extension };
    BTreeMap::from([(prefix.to_owned(), BTreeMap::from([(name.to_owned(), vec![extension])]))])
}

/// RFC 2822 in UTC, as RSS 2.0 asks: `Wed, 09 Jul 2025 00:00:00 +0000`.
fn rfc2822(moment: Timestamp) -> String {
    moment.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}
