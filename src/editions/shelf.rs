//! What the lists are made of: issues as they stand in the outbox, years, and what an author or a section has.
//!
//! All of it comes from the ledger, and none of it grows with the archive: a publish costs what its own lists cost.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    editions::BookFile, issue::Article, issue::Issue, issue::IssueKey, issue::Release, issue::shorten,
    publication::Publication, typography,
};

/// A release with its book, as it stands in the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelved {
    /// The release that is out.
    pub release: Release,
    /// Its book.
    pub book: BookFile,
}

/// One issue as a line of the archive or of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// The issue.
    pub key: IssueKey,
    /// What readers call it.
    pub name: String,
    /// Its number, as printed.
    pub number: Option<String>,
    /// The day it carries, or else the day it came out; its year is the archive page it stands on.
    pub date: Date,
    /// The language of its text.
    pub language: String,
    /// When it first came out.
    pub published: Timestamp,
    /// When its current version came out.
    pub updated: Timestamp,
    /// A summary its editor wrote.
    pub summary: Option<String>,
    /// Its articles.
    pub articles: Vec<ListedArticle>,
    /// Its book.
    pub book: BookFile,
}

/// An article as a line of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedArticle {
    /// Its key in its issue.
    pub key: String,
    /// Its headline, shortened.
    pub headline: String,
    /// Who wrote it.
    pub authors: Vec<String>,
}

impl Listing {
    /// The line of an issue.
    #[must_use]
    pub fn of(release: &Release, book: &BookFile, publication: &Publication) -> Self {
        Self::named(release, book, release.issue.name(publication), Self::date_of(release, publication))
    }

    /// The line of an issue whose name and day readers know already.
    #[must_use]
    pub fn named(release: &Release, book: &BookFile, name: String, date: Date) -> Self {
        let issue = &release.issue;
        let article = |article: &Article| ListedArticle {
            key: article.key.clone(),
            headline: shorten(&article.headline.text, 120),
            authors: article.authors().map(str::to_owned).collect(),
        };
        Self {
            key: issue.key.clone(),
            name,
            number: issue.number.clone(),
            date,
            language: issue.language.as_str().to_owned(),
            published: release.published,
            updated: release.updated,
            summary: issue.summary.clone(),
            articles: issue.articles.iter().map(article).collect(),
            book: book.clone(),
        }
    }

    /// The day under which an issue is archived.
    #[must_use]
    pub fn date_of(release: &Release, publication: &Publication) -> Date {
        let out = || release.published.to_zoned(publication.time_zone.clone()).date();
        release.issue.date.unwrap_or_else(out)
    }

    /// Its first headlines in one line.
    #[must_use]
    pub fn contents(&self, separator: &str, most: usize) -> String {
        let headlines: Vec<&str> =
            self.articles.iter().take(8).map(|article| article.headline.as_str()).collect();
        shorten(&headlines.join(separator), most)
    }
}

/// A year of the archive, or of what an author or a section has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Year {
    /// The year of [`Listing::date`].
    pub year: i16,
    /// How many issues or articles it has.
    pub count: usize,
}

/// All issues of one year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// The year of [`Listing::date`].
    pub year: i16,
    /// Its issues, newest first.
    pub listings: Vec<Listing>,
}

/// The issues before and after one, in the order of the archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beside {
    /// The one before.
    pub previous: Option<Listing>,
    /// The one after.
    pub next: Option<Listing>,
}

/// What readers look for articles by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FacetKind {
    /// A person who wrote.
    Author,
    /// A part of the paper.
    Section,
}

impl FacetKind {
    /// The word in the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Section => "section",
        }
    }
}

/// An author or a section: a name under which articles are gathered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Facet {
    /// What it is.
    pub kind: FacetKind,
    /// Its name as printed.
    pub name: String,
}

impl Facet {
    /// What an article of an issue is gathered under: each of its authors, and its section.
    #[must_use]
    pub fn of(article: &Article, issue: &Issue) -> Vec<Self> {
        let mut facets: Vec<Self> = Vec::new();
        let authors = article.authors().map(|name| (FacetKind::Author, name));
        let section = article.section.as_deref().or(issue.section.as_deref());
        for (kind, name) in authors.chain(section.map(|name| (FacetKind::Section, name))) {
            if let Some(facet) = Self::named(kind, name)
                && !facets.contains(&facet)
            {
                facets.push(facet);
            }
        }
        facets
    }

    /// The author of that name, or `None` when a reader would see none.
    #[must_use]
    pub fn author(name: &str) -> Option<Self> {
        Self::named(FacetKind::Author, name)
    }

    fn named(kind: FacetKind, name: &str) -> Option<Self> {
        let name = typography::printable(name).trim().to_owned();
        (!name.is_empty()).then_some(Self { kind, name })
    }

    /// Everything that the articles of an issue are gathered under, each once.
    #[must_use]
    pub fn all(issue: &Issue) -> Vec<Self> {
        let mut facets: Vec<Self> =
            issue.articles.iter().flat_map(|article| Self::of(article, issue)).collect();
        facets.sort();
        facets.dedup();
        facets
    }

    /// Its name in addresses. Names that are spelt alike in Latin letters, as 王伟 and 汪伟 are, stay apart.
    #[must_use]
    pub fn slug(&self) -> String {
        let slug = typography::slug(&self.name);
        let plain = self.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b' ');
        if plain && slug.len() < typography::MAX_SLUG - 5 {
            return slug;
        }
        let head = slug.get(..typography::MAX_SLUG - 5).unwrap_or(&slug).trim_end_matches('-');
        format!("{head}-{}", &blake3::hash(self.name.as_bytes()).to_hex()[..4])
    }
}

/// One article as a line of an author's or a section's page, or of what a search found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contribution {
    /// The issue it stands in.
    pub issue: IssueKey,
    /// What readers call that issue.
    pub issue_name: String,
    /// Its key in that issue.
    pub article: String,
    /// Its headline.
    pub headline: String,
    /// Who wrote it.
    pub authors: Vec<String>,
    /// The section it stands in.
    pub section: Option<String>,
    /// The day of the issue.
    pub date: Date,
}

impl Contribution {
    /// The line of an article.
    #[must_use]
    pub fn of(article: &Article, issue: &Issue, listing: &Listing) -> Self {
        let facets = Facet::of(article, issue);
        let named = |kind: FacetKind| {
            facets.iter().filter(move |facet| facet.kind == kind).map(|facet| facet.name.clone())
        };
        Self {
            issue: listing.key.clone(),
            issue_name: listing.name.clone(),
            article: article.key.clone(),
            headline: article.headline.text.clone(),
            authors: named(FacetKind::Author).collect(),
            section: named(FacetKind::Section).next(),
            date: listing.date,
        }
    }
}

/// What one author or section has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShelfOf {
    /// The author or section.
    pub facet: Facet,
    /// The newest articles, newest first.
    pub newest: Vec<Contribution>,
    /// Every year that has any, newest first.
    pub years: Vec<Year>,
    /// Those years whose page must be written anew, with all of their articles.
    pub volumes: BTreeMap<i16, Vec<Contribution>>,
    /// The newest issues with articles of it, newest first; for a section only, whose feed is made of them.
    pub issues: Vec<Shelved>,
}

/// So many issues in the order in which they came out: a page of the archived feed (RFC 5005 §4), or of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Its number, counted from 1, the oldest.
    pub number: u64,
    /// Its issues, newest first.
    pub issues: Vec<Shelved>,
}

/// What the lists are made of, and which of them must be written. The cost of a publish is that of this value, however long
/// the archive is.
#[derive(Debug, Clone, Default)]
pub struct Shelf {
    /// The newest issues, newest first: at most [`super::RECENT`].
    pub recent: Vec<Shelved>,
    /// Older issues that were corrected lately, latest correction first: readers of feeds hear of them again.
    pub corrected: Vec<Shelved>,
    /// How many pages of the archived feed are sealed.
    pub n_sealed: u64,
    /// Those of them that must be written.
    pub sealed: Vec<Sealed>,
    /// The newest books, newest first, as the catalogue's first page has them; the others are on pages of their own.
    pub catalogue: Vec<Listing>,
    /// How many pages of older books the catalogue has.
    pub n_catalogue_pages: u64,
    /// Those of them that must be written: a page of the catalogue shows corrected books.
    pub catalogue_pages: Vec<Sealed>,
    /// Every year that has issues, newest first.
    pub years: Vec<Year>,
    /// The years whose page must be written anew: those that a release has come into or gone out of.
    pub volumes: Vec<Volume>,
    /// Every section, by name.
    pub sections: Vec<Facet>,
    /// The authors and sections whose pages must be written anew.
    pub facets: Vec<ShelfOf>,
}

impl Shelf {
    /// The shelf of a publication that has these issues, newest first, and no others: what a ledger with them would give after
    /// all of them have changed.
    #[must_use]
    pub fn of(issues: &[Shelved], publication: &Publication) -> Self {
        let mut shelf = Self { recent: issues.to_vec(), ..Self::default() };
        let mut volumes: BTreeMap<i16, Vec<Listing>> = BTreeMap::new();
        let mut facets: BTreeMap<Facet, Vec<Contribution>> = BTreeMap::new();
        for Shelved { release, book } in issues {
            let listing = Listing::of(release, book, publication);
            volumes.entry(listing.date.year()).or_default().push(listing.clone());
            for article in &release.issue.articles {
                for facet in Facet::of(article, &release.issue) {
                    let line = Contribution::of(article, &release.issue, &listing);
                    facets.entry(facet).or_default().push(line);
                }
            }
            shelf.catalogue.push(listing);
        }
        for (year, listings) in volumes.into_iter().rev() {
            shelf.years.push(Year { year, count: listings.len() });
            shelf.volumes.push(Volume { year, listings });
        }
        for (facet, newest) in facets {
            if facet.kind == FacetKind::Section {
                shelf.sections.push(facet.clone());
            }
            let mut volumes: BTreeMap<i16, Vec<Contribution>> = BTreeMap::new();
            for line in &newest {
                volumes.entry(line.date.year()).or_default().push(line.clone());
            }
            let years =
                volumes.iter().rev().map(|(year, lines)| Year { year: *year, count: lines.len() }).collect();
            let issues = issues.to_vec();
            shelf.facets.push(ShelfOf { facet, newest, years, volumes, issues });
        }
        shelf
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug(name: &str) -> String {
        Facet { kind: FacetKind::Author, name: name.to_owned() }.slug()
    }

    #[test]
    fn two_authors_never_share_a_page() {
        assert_ne!(slug("王伟"), slug("汪伟"));
        assert_ne!(slug("Ann Lee"), slug("ann lee"), "they may be two; a page for each is the lesser evil");
        assert!(slug("王伟").starts_with("wang-wei-"));
        assert_eq!(slug("letters"), "letters");
        assert!(slug(&"长".repeat(400)).len() <= typography::MAX_SLUG);
        assert!(slug("……").starts_with("x-"));
    }
}
