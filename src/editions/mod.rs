//! Prints: issue in, files out. The same issue always gives the same bytes; nothing here asks for the time.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    editions::outline::Outline, issue::IssueKey, issue::Release, picture::PictureName,
    publication::Publication, theme,
};

mod paths;
mod bylines;
mod gallery;
mod markup;
mod outline;
mod book;
mod feeds;
mod linked_data;
mod site;
mod letter;
mod rehearsal;
#[cfg(test)]
mod specimens;
#[cfg(test)]
mod tests;

pub use self::{letter::Letter, rehearsal::rehearse};

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
    /// The pictures, the style sheet and then the web pages: each after what it needs. Put them after the book.
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

/// The issues before and after one, in the order of the archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beside {
    /// The one before.
    pub previous: Option<Listing>,
    /// The one after.
    pub next: Option<Listing>,
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

/// What a crate that we print with has to say; its own types stay in the file that knows it.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why an edition could not be printed: a fault of this program, for no manuscript should be able to cause one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing to print.
    #[error("issue `{issue}` has no articles")]
    Empty {
        /// The key of the issue.
        issue: IssueKey,
    },
    /// The bytes of a picture are not there.
    #[error("the picture `{picture}` is not there")]
    Plate {
        /// Which.
        picture: PictureName,
    },
    /// A template does not fit what it is filled with.
    #[error(transparent)]
    Theme(#[from] theme::Fault),
    /// The binder of books failed.
    #[error("cannot bind the book")]
    Bind(#[source] Cause),
    /// The bound book is no archive.
    #[error("cannot open the bound book")]
    Archive(#[source] Cause),
    /// The binder's templates are not those we know.
    #[error("the bound book has `{place}` {n_found} times, not once")]
    Finish {
        /// What we look for.
        place: String,
        /// How often it is there.
        n_found: usize,
    },
    /// The feed has no XML declaration to put its style sheet after.
    #[error("the feed does not begin with an XML declaration")]
    Feed,
}

/// The bytes of an issue's pictures.
pub type Plates = BTreeMap<PictureName, Vec<u8>>;

/// Prints the book and the web pages of one issue, whose pictures are `plates`.
///
/// # Errors
/// [`Error::Empty`] for an issue without articles, [`Error::Plate`] when a picture is not among `plates`; the others are faults
/// of this program.
pub fn print(release: &Release, publication: &Publication, plates: &Plates) -> Result<Printed, Error> {
    print_beside(release, &Beside::default(), publication, plates)
}

/// As [`print()`], with the ways to the issues before and after.
///
/// # Errors
/// As [`print()`].
pub fn print_beside(
    release: &Release,
    beside: &Beside,
    publication: &Publication,
    plates: &Plates,
) -> Result<Printed, Error> {
    let key = &release.issue.key;
    if release.issue.articles.is_empty() {
        return Err(Error::Empty { issue: key.clone() });
    }
    if let Some(picture) = release.issue.pictures.iter().find(|picture| !plates.contains_key(&picture.name)) {
        return Err(Error::Plate { picture: picture.name.clone() });
    }
    let outline = Outline::of(release, publication);
    let bytes = book::bind(release, publication, &outline, plates)?;
    let book = Edition { path: paths::book(key, publication, &bytes), bytes };
    let file = BookFile { path: book.path.clone(), length: book.bytes.len() as u64 };
    let mut pages: Vec<Edition> = release
        .issue
        .pictures
        .iter()
        .map(|picture| &picture.name)
        .filter_map(|name| {
            Some(Edition { path: paths::picture(key, name), bytes: plates.get(name)?.clone() })
        })
        .collect();
    pages.push(site::stylesheet(publication));
    pages.extend(site::articles(release, publication, &outline)?);
    pages.push(site::issue(release, &file, beside, publication, &outline)?);
    Ok(Printed { book, pages })
}

/// Prints the page of an issue that is out once more, because another came out before or after it.
///
/// # Errors
/// As [`print()`].
pub fn page(shelved: &Shelved, beside: &Beside, publication: &Publication) -> Result<Edition, Error> {
    let Shelved { release, book } = shelved;
    site::issue(release, book, beside, publication, &Outline::of(release, publication))
}

/// Prints what lists more than one issue, in the order in which the files must be put out: first what others link to,
/// the feed last.
///
/// # Errors
/// Only by faults of this program.
pub fn lists(shelf: &Shelf<'_>, publication: &Publication) -> Result<Vec<Edition>, Error> {
    let shelf = Shelf { recent: &shelf.recent[..shelf.recent.len().min(RECENT)], ..*shelf };
    let mut editions = vec![site::stylesheet(publication), feeds::stylesheet(publication)];
    for volume in shelf.volumes {
        editions.push(site::archive(volume, publication)?);
    }
    editions.push(site::following(!shelf.recent.is_empty(), publication)?);
    editions.push(site::index(&shelf, publication)?);
    editions.push(site::robots());
    editions.extend(feeds::all(shelf.recent, publication)?);
    Ok(editions)
}

/// Prints the letter of one issue: its contents and the beginning of each article, with links to the whole.
///
/// # Errors
/// [`Error::Empty`] for an issue without articles; the others are faults of this program.
pub fn letter(release: &Release, book: &BookFile, publication: &Publication) -> Result<Letter, Error> {
    if release.issue.articles.is_empty() {
        return Err(Error::Empty { issue: release.issue.key.clone() });
    }
    letter::write(release, book, publication, &Outline::of(release, publication))
}
