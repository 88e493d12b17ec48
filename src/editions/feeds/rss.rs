//! RSS 2.0 with the full text: an entry an issue, its book enclosed. The one place that knows the `rss` crate.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rss::extension::Extension;
use rss::extension::dublincore::DublinCoreExtension;
use rss::{Category, Channel, Enclosure, Guid, Item};
use serde::Serialize;

use crate::{
    editions::Edition, editions::Error, editions::Shelved, editions::gallery::Gallery,
    editions::markup::Markup, editions::markup::Medium, editions::outline::Outline, editions::outline::said,
    editions::paths, editions::templates, issue::Article, publication::Publication,
};

const STYLESHEET: &str = include_str!("../templates/feed/feed.css");

/// How long a reader may wait before it asks again, in minutes.
const TTL: &str = "60";

/// The media type of a book.
const EPUB: &str = "application/epub+zip";

/// The style sheet that lets a browser show the feed as a page. (Browsers have given up XSLT, but not this.)
pub(in crate::editions) fn stylesheet() -> Edition {
    Edition { path: paths::asset("feed", STYLESHEET.as_bytes()), bytes: STYLESHEET.as_bytes().to_vec() }
}

/// The feed of the newest issues, newest first.
///
/// Serve it as `application/xml` or `text/xml`: browsers show the style sheet for no other type.
pub(in crate::editions) fn rss(recent: &[Shelved], publication: &Publication) -> Result<Edition, Error> {
    let items: Vec<Item> =
        recent.iter().map(|shelved| item(shelved, publication)).collect::<Result<_, Error>>()?;
    let paper = said(&publication.title).unwrap_or_else(|| publication.key.clone());
    let updated = recent.iter().map(|shelved| shelved.release.updated).max();
    let link = attributes([
        ("rel", "self"),
        ("type", "application/rss+xml"),
        ("href", &publication.url(paths::FEED)),
    ]);
    let channel = Channel {
        link: publication.url(paths::INDEX),
        description: said(&publication.description).unwrap_or_else(|| paper.clone()),
        title: paper,
        language: Some(publication.language.as_str().to_owned()),
        copyright: publication.imprint.rights.as_deref().and_then(said),
        last_build_date: updated.map(rfc2822),
        generator: Some("gazetted".to_owned()),
        docs: Some("https://www.rssboard.org/rss-specification".to_owned()),
        ttl: Some(TTL.to_owned()),
        extensions: extension("atom", "link", Extension { attrs: link, ..Extension::default() }),
        namespaces: attributes([
            ("atom", "http://www.w3.org/2005/Atom"),
            ("dcterms", "http://purl.org/dc/terms/"),
        ]),
        items,
        ..Channel::default()
    };
    let xml = channel.to_string();
    let instruction = format!(
        "?>\n<?xml-stylesheet type=\"text/css\" href=\"{}\"?>\n",
        paths::asset("feed", STYLESHEET.as_bytes())
    );
    let xml = match xml.split_once("?>") {
        Some((declaration, rest)) if declaration.starts_with("<?xml ") => {
            format!("{declaration}{instruction}{}\n", rest.trim_start())
        }
        _ => return Err(Error::Feed),
    };
    Ok(Edition { path: paths::FEED.to_owned(), bytes: xml.into_bytes() })
}

fn item(shelved: &Shelved, publication: &Publication) -> Result<Item, Error> {
    let release = &shelved.release;
    let outline = Outline::of(release, publication);
    let page = publication.url(&paths::page(&release.issue.key));
    let book = publication.url(&shelved.book.path);
    let gallery = Gallery::of(&release.issue, &paths::pictures(&release.issue.key, publication));
    let content = content(release.issue.articles.as_slice(), &outline, &gallery, (&page, &book))?;
    let modified = Extension { value: Some(seconds(release.updated)), ..Extension::default() };
    let mut authors: Vec<String> = Vec::new();
    for name in release.issue.articles.iter().flat_map(Article::authors).filter_map(said) {
        if !authors.contains(&name) {
            authors.push(name);
        }
    }
    let mut sections: Vec<&str> = outline.groups.iter().filter_map(|group| group.title.as_deref()).collect();
    sections.dedup();
    Ok(Item {
        title: Some(outline.name.clone()),
        link: Some(page),
        description: Some(outline.summary.clone().unwrap_or_else(|| outline.contents(300))),
        categories: sections
            .into_iter()
            .map(|name| Category { name: name.to_owned(), domain: None })
            .collect(),
        enclosure: Some(Enclosure {
            url: book,
            length: shelved.book.length.to_string(),
            mime_type: EPUB.to_owned(),
        }),
        guid: Some(Guid { value: publication.tag(release.issue.key.as_str()), permalink: false }),
        pub_date: Some(rfc2822(release.published)),
        content: Some(content),
        extensions: extension("dcterms", "modified", modified),
        dublin_core_ext: Some(DublinCoreExtension { creators: authors, ..DublinCoreExtension::default() }),
        ..Item::default()
    })
}

/// The whole issue as HTML that needs nothing beside it: every address is absolute, and the book is linked in the
/// text too, because many readers drop enclosures that are no sound or film.
fn content(
    articles: &[Article],
    outline: &Outline,
    gallery: &Gallery,
    (page, book): (&str, &str),
) -> Result<String, Error> {
    #[derive(Serialize)]
    struct Text {
        body: String,
        notes: String,
    }
    #[derive(Serialize)]
    struct Entry<'a> {
        issue: &'a Outline,
        page: &'a str,
        book: &'a str,
        texts: Vec<Text>,
    }
    let texts = outline.pieces().map(|piece| {
        let article = &articles[piece.nth];
        let mut markup = Markup::new(Medium::Away, 3, article.notes.len());
        markup.prefix = format!("{}-", piece.anchor);
        page.clone_into(&mut markup.base);
        markup.gallery = gallery.clone();
        let body = markup.blocks(&article.body);
        let notes = article.notes.iter().enumerate().map(|(n, note)| markup.note(n + 1, note)).collect();
        Text { body, notes }
    });
    let entry = Entry { issue: outline, page, book, texts: texts.collect() };
    templates::fill("feed/entry.html", &entry)
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

/// W3CDTF to the second, in UTC.
fn seconds(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
