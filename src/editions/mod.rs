//! Prints: issue in, files out. The same issue always gives the same bytes; nothing here asks for the time.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{issue::IssueKey, issue::Release, publication::Publication};

mod paths;

/// How many issues the front page and the feed hold, newest first.
pub const RECENT: usize = 20;

/// Stands in every letter where a reader's own address for leaving belongs, in `href` and in plain text.
///
/// U+001A is in no text that we print ([`crate::typography::printable`] takes it out), so that no manuscript can
/// forge this mark.
pub const LEAVE: &str = "\u{1A}leave\u{1A}";

/// One file for readers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    /// Where it belongs in the outbox: `[a-z0-9./-]`, relative, with `/` between folders.
    pub path: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// A book as lists and letters know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookFile {
    /// Where it is in the outbox.
    pub path: String,
    /// Its size in bytes.
    pub length: u64,
}

/// The files of one issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// The EPUB; its name carries a hash of its bytes, so that another version never has the same address.
    pub book: Edition,
    /// The web pages, each after the files it links to.
    pub pages: Vec<Edition>,
}

impl Printed {
    /// The book as lists and letters know it.
    #[must_use]
    pub fn book_file(&self) -> BookFile {
        BookFile { path: self.book.path.clone(), length: self.book.bytes.len() as u64 }
    }
}

/// A release with its book, as it stands in the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelved {
    /// The release that is out.
    pub release: Release,
    /// Its book.
    pub book: BookFile,
}

/// One issue as a line of an archive page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// The issue.
    pub key: IssueKey,
    /// What readers call it.
    pub name: String,
    /// The day it carries, or else the day it came out; its year is the archive page it stands on.
    pub date: Date,
    /// When it first came out.
    pub published: Timestamp,
    /// The headlines of its first articles, at most [`Listing::HEADLINES`].
    pub headlines: Vec<String>,
}

impl Listing {
    /// How many headlines a line shows.
    pub const HEADLINES: usize = 4;

    /// The line of `release`.
    #[must_use]
    pub fn of(release: &Release, publication: &Publication) -> Self {
        let issue = &release.issue;
        let out = release.published.to_zoned(publication.time_zone.clone()).date();
        Self {
            key: issue.key.clone(),
            name: issue.name(publication),
            date: issue.date.unwrap_or(out),
            published: release.published,
            headlines: issue.articles.iter().take(Self::HEADLINES).map(|a| a.headline.text.clone()).collect(),
        }
    }
}

/// A year of the archive, as the front page links to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Year {
    /// The year of [`Listing::date`].
    pub year: i16,
    /// How many issues it has.
    pub n_issues: usize,
}

/// All issues of one year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// The year of [`Listing::date`].
    pub year: i16,
    /// Its issues, newest first.
    pub listings: Vec<Listing>,
}

/// What the lists are made of. The cost of a publish is that of this value, however long the archive is.
#[derive(Debug, Clone, Copy)]
pub struct Shelf<'a> {
    /// The newest issues, newest first; no more than [`RECENT`] are shown.
    pub recent: &'a [Shelved],
    /// Every year that has issues, newest first.
    pub years: &'a [Year],
    /// The years whose page must be written anew: those that a release has come into or gone out of.
    pub volumes: &'a [Volume],
}

/// An issue as a letter, the same for every reader but for [`LEAVE`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The subject line.
    pub subject: String,
    /// What mail programs show beside the subject; it stands hidden at the top of `html` already.
    pub preheader: String,
    /// The HTML part, at most [`Letter::MAX_HTML`] bytes.
    pub html: String,
    /// The plain text part.
    pub text: String,
}

impl Letter {
    /// Largest HTML part, in bytes: Gmail clips a message at about 102 kB, and an address for leaving comes in twice.
    pub const MAX_HTML: usize = 96 * 1024;
}

/// Why an edition could not be printed: a fault of this program, for no manuscript should be able to cause one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing to print.
    #[error("issue `{issue}` has no articles")]
    Empty {
        /// The key of the issue.
        issue: IssueKey,
    },
}

/// Prints the book and the web pages of one issue.
///
/// # Errors
/// [`Error::Empty`] for an issue without articles; the others are faults of this program.
pub fn print(release: &Release, publication: &Publication) -> Result<Printed, Error> {
    let key = &release.issue.key;
    if release.issue.articles.is_empty() {
        return Err(Error::Empty { issue: key.clone() });
    }
    let bytes = Vec::new();
    let book = Edition { path: paths::book(key, publication, &bytes), bytes };
    let page = Edition { path: paths::page(key), bytes: release.issue.name(publication).into_bytes() };
    Ok(Printed { book, pages: vec![page] })
}

/// Prints what lists more than one issue, in the order in which the files must be put out: first what others link to,
/// the feed last.
///
/// # Errors
/// Only by faults of this program.
pub fn lists(shelf: &Shelf<'_>, publication: &Publication) -> Result<Vec<Edition>, Error> {
    let _ = (shelf, publication);
    Ok(vec![Edition { path: "feed.xml".to_owned(), bytes: Vec::new() }])
}

/// Prints the letter of one issue: its contents and the beginning of each article, with links to the whole.
///
/// # Errors
/// Only by faults of this program.
pub fn letter(release: &Release, book: &BookFile, publication: &Publication) -> Result<Letter, Error> {
    let name = release.issue.name(publication);
    let text = format!("{name}\n{}\n{LEAVE}\n", publication.url(&book.path));
    Ok(Letter { subject: name.clone(), preheader: String::new(), html: text.clone(), text })
}
