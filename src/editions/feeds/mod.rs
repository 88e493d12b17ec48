//! The feeds: the lists that readers follow, each in the formats that readers know.

mod entry;
mod rss;
mod atom;
mod json;
mod opml;
mod opds;

use std::collections::BTreeMap;

use serde::Serialize;

use self::entry::Entry;
pub(super) use self::rss::stylesheet;
use crate::{
    editions::Edition, editions::Error, editions::Shelved, editions::outline::said, editions::paths,
    publication::Publication, typography,
};

/// How many articles a feed of articles has at least, where there are as many; the newest issue is always whole.
const ARTICLES: usize = 50;

/// A feed, before it is written in a format.
#[derive(Debug, Serialize)]
struct Feed {
    /// A tag URI that never changes.
    id: String,
    /// Its name in a list of feeds.
    title: String,
    /// What it brings, in one line.
    description: String,
    /// Where it lies in the outbox, without the ending of its format.
    path: String,
    /// The page that shows the same.
    home: String,
    /// Newest first.
    entries: Vec<Entry>,
}

/// All feeds of the newest issues, newest first; that of the issues in RSS, which most readers follow, is the last.
pub(super) fn all(recent: &[Shelved], publication: &Publication) -> Result<Vec<Edition>, Error> {
    let words = publication.theme.words(&publication.language);
    let paper = said(&publication.title).unwrap_or_else(|| publication.key.clone());
    let feed = |name: Option<&str>, thing: &str, path: &str, entries: Vec<Entry>| Feed {
        id: publication.tag(thing),
        title: name.map_or_else(|| paper.clone(), |name| format!("{paper} · {name}")),
        description: said(&publication.description).unwrap_or_else(|| paper.clone()),
        path: path.to_owned(),
        home: publication.url(paths::INDEX),
        entries,
    };
    let issues = recent.iter().map(|shelved| entry::of_issue(shelved, publication));
    let issues = feed(None, "", stem(paths::FEED), issues.collect::<Result<_, _>>()?);
    let books = recent.iter().map(|shelved| entry::of_book(shelved, publication));
    let books = feed(Some(words.books), "books", stem(paths::BOOKS), books.collect());
    let mut articles = Vec::new();
    let mut sections: BTreeMap<String, (String, Vec<Entry>)> = BTreeMap::new();
    for shelved in recent {
        let whole = articles.len() < ARTICLES;
        for entry in entry::of_articles(shelved, publication)? {
            for section in &entry.sections {
                let (_, entries) = sections
                    .entry(typography::slug(section))
                    .or_insert_with(|| (section.clone(), Vec::new()));
                entries.push(entry.clone());
            }
            if whole {
                articles.push(entry);
            }
        }
    }
    let articles = feed(Some(words.articles), "articles", stem(paths::ARTICLES), articles);
    let sections = sections.into_iter().map(|(slug, (name, mut entries))| {
        entries.truncate(ARTICLES);
        feed(Some(&name), &format!("sections/{slug}"), &format!("feed/sections/{slug}"), entries)
    });
    let sections: Vec<Feed> = sections.collect();

    let mut editions = Vec::new();
    for feed in [&articles, &books].into_iter().chain(&sections) {
        editions.push(rss::write(feed, publication)?);
    }
    editions.push(atom::write(&issues, publication)?);
    editions.push(json::write(&issues, publication));
    editions.push(opds::root(recent, publication)?);
    let all: Vec<&Feed> = [&issues, &articles, &books].into_iter().chain(&sections).collect();
    editions.push(opml::write(&all, &paper, publication)?);
    editions.push(rss::write(&issues, publication)?);
    Ok(editions)
}

/// A path without the ending of its format.
fn stem(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(stem, _)| stem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editions::specimens::{chinese, english, gazette, shelved};

    #[test]
    fn every_feed_has_ids_of_its_own_kind() {
        let publication = gazette();
        let recent: Vec<Shelved> =
            [chinese(), english()].map(|release| shelved(release, &publication)).to_vec();
        let editions = all(&recent, &publication).expect("they print");
        let last = editions.last().expect("a feed");
        assert_eq!(last.path, paths::FEED, "what others link to comes first");
        let text = |path: &str| {
            let found = editions.iter().find(|edition| edition.path == path).expect(path);
            String::from_utf8(found.bytes.clone()).expect("UTF-8")
        };
        let ids = |text: &str| -> Vec<String> {
            let ids = text.split("<guid isPermaLink=\"false\">").skip(1);
            ids.map(|rest| rest.split('<').next().unwrap_or_default().to_owned()).collect()
        };
        let (issues, books) = (ids(&text(paths::FEED)), ids(&text(paths::BOOKS)));
        let articles = ids(&text(paths::ARTICLES));
        assert!(!issues.is_empty() && issues.len() == books.len() && articles.len() > issues.len());
        assert!(issues.iter().all(|id| !books.contains(id) && !articles.contains(id)));
    }
}
