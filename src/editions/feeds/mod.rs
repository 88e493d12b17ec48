//! The feeds: the lists that readers follow, each in the formats that readers know.

mod entry;
mod rss;
mod atom;
mod json;
mod opml;
mod opds;

use serde::Serialize;

use self::entry::Entry;
pub(super) use self::opds::{found, private as private_books};
pub(super) use self::rss::stylesheet;
use crate::{
    editions::Edition, editions::Error, editions::FacetKind, editions::Lists, editions::Shelf,
    editions::Shelved, editions::outline::said, editions::paths, publication::Publication,
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
    /// Where it is instead, for one reader alone. No hub tells of it.
    private: Option<String>,
    /// The page that shows the same.
    home: String,
    /// What the document is to the whole feed.
    part: Part,
    /// Newest first.
    entries: Vec<Entry>,
}

/// What a document is to the whole feed (RFC 5005).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Part {
    /// The newest entries, and nothing said about older ones.
    Newest,
    /// All entries that there are (§2).
    Complete,
    /// The newest entries; those before them are in this sealed page (§4).
    Current { previous: u64 },
    /// A sealed page of older entries (§4), and the one before it.
    Archive { previous: Option<u64> },
}

impl Part {
    /// The number of the sealed page with what came before.
    fn previous(&self) -> Option<u64> {
        match self {
            Self::Newest | Self::Complete => None,
            Self::Current { previous } => Some(*previous),
            Self::Archive { previous } => *previous,
        }
    }
}

/// The frame of every feed of a publication.
struct Frame<'a> {
    publication: &'a Publication,
    paper: String,
}

impl<'a> Frame<'a> {
    fn of(publication: &'a Publication) -> Self {
        let paper = said(&publication.title).unwrap_or_else(|| publication.key.clone());
        Self { publication, paper }
    }

    fn feed(&self, name: Option<&str>, thing: &str, path: &str, entries: Vec<Entry>) -> Feed {
        let (publication, paper) = (self.publication, &self.paper);
        Feed {
            id: publication.tag(thing),
            title: name.map_or_else(|| paper.clone(), |name| format!("{paper} · {name}")),
            description: said(&publication.description).unwrap_or_else(|| paper.clone()),
            path: path.to_owned(),
            private: None,
            home: publication.url(paths::INDEX),
            part: Part::Newest,
            entries,
        }
    }

    /// The issues in the three formats, RSS last.
    fn issues<'s>(
        &self,
        issues: impl IntoIterator<Item = &'s Shelved>,
        path: &str,
        part: Part,
    ) -> Result<Vec<Edition>, Error> {
        let entries = issues.into_iter().map(|shelved| entry::of_issue(shelved, self.publication));
        let mut feed = self.feed(None, "", path, entries.collect::<Result<_, _>>()?);
        feed.part = part;
        let current = feed.path == stem(paths::FEED);
        let (atom, json) = if current {
            (paths::ATOM.to_owned(), paths::JSON.to_owned())
        } else {
            (format!("{path}.atom.xml"), format!("{path}.json"))
        };
        Ok(vec![
            atom::write(&feed, &atom, self.publication)?,
            json::write(&feed, &json, self.publication),
            rss::write(&feed, self.publication)?,
        ])
    }
}

/// The sealed pages, the feeds of sections and the pages of the catalogue that have changed.
pub(super) fn parts(shelf: &Shelf, publication: &Publication, lists: &mut Lists) -> Result<(), Error> {
    let frame = Frame::of(publication);
    let editions = &mut lists.editions;
    for sealed in &shelf.sealed {
        let previous = (sealed.number > 1).then(|| sealed.number - 1);
        let path = paths::sealed(sealed.number, "xml");
        editions.extend(frame.issues(&sealed.issues, stem(&path), Part::Archive { previous })?);
    }
    for of in shelf.facets.iter().filter(|of| of.facet.kind == FacetKind::Section) {
        let path = paths::section_feed(&of.facet);
        let mut entries = Vec::new();
        for shelved in &of.issues {
            let all = entry::of_articles(shelved, publication)?;
            entries.extend(all.into_iter().filter(|entry| entry.sections.contains(&of.facet.name)));
        }
        if entries.is_empty() {
            lists.gone.push(format!("{path}.xml"));
            continue;
        }
        entries.truncate(ARTICLES);
        let thing = format!("sections/{}", of.facet.slug());
        editions.push(rss::write(&frame.feed(Some(&of.facet.name), &thing, &path, entries), publication)?);
    }
    editions.extend(opds::pages(shelf, publication)?);
    Ok(())
}

/// What every change is in: the newest issues, articles and books, the catalogue's first page, and the list of the feeds; the issues
/// in RSS, which most readers follow, come last.
pub(super) fn newest(shelf: &Shelf, publication: &Publication) -> Result<Vec<Edition>, Error> {
    let words = publication.theme.words(&publication.language);
    let frame = Frame::of(publication);
    let paper = frame.paper.clone();
    let mut editions = Vec::new();
    let newest: Vec<&Shelved> = shelf.recent.iter().chain(&shelf.corrected).collect();
    let mut articles = Vec::new();
    for shelved in &newest {
        if articles.len() < ARTICLES {
            articles.extend(entry::of_articles(shelved, publication)?);
        }
    }
    let articles = frame.feed(Some(words.articles), "articles", stem(paths::ARTICLES), articles);
    let books = newest.iter().map(|shelved| entry::of_book(shelved, publication)).collect();
    let books = frame.feed(Some(words.books), "books", stem(paths::BOOKS), books);
    for feed in [&articles, &books] {
        editions.push(rss::write(feed, publication)?);
    }
    editions.extend(opds::newest(shelf, publication)?);
    let line = |feed: &Feed| (feed.title.clone(), feed.path.clone());
    let mut all = vec![(paper.clone(), stem(paths::FEED).to_owned()), line(&articles), line(&books)];
    all.extend(
        shelf.sections.iter().map(|facet| (format!("{paper} · {}", facet.name), paths::section_feed(facet))),
    );
    editions.push(opml::write(&all, &paper, publication)?);
    let part = match shelf.n_sealed {
        0 => Part::Complete,
        previous => Part::Current { previous },
    };
    editions.extend(frame.issues(newest, stem(paths::FEED), part)?);
    Ok(editions)
}

/// One reader's own feed of issues.
pub(super) fn private(issues: &[Shelved], url: &str, publication: &Publication) -> Result<Vec<u8>, Error> {
    let entries = issues.iter().map(|shelved| entry::of_issue(shelved, publication));
    let feed = Frame::of(publication).feed(None, "", paths::PRIVATE_FEED, entries.collect::<Result<_, _>>()?);
    Ok(rss::write(&Feed { private: Some(url.to_owned()), ..feed }, publication)?.bytes)
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
        let shelf = Shelf { recent, ..Shelf::default() };
        let editions = newest(&shelf, &publication).expect("they print");
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
