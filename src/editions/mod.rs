//! Prints: issue in, files out. The same issue always gives the same bytes; nothing here asks for the time.

use std::collections::BTreeMap;
use std::io::{self, Seek, Write};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    editions::outline::Outline, issue::IssueKey, issue::Release, picture::Picture, picture::PictureName,
    publication::Publication,
};

mod paths;
mod words;
mod gallery;
mod markup;
mod outline;
mod templates;
mod book;
mod feeds;
mod linked_data;
mod site;
mod letter;
#[cfg(test)]
mod specimens;
#[cfg(test)]
mod tests;

pub use self::letter::Letter;

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
    /// The cover, the pictures, the style sheet and then the web pages: each after what it needs. Put them after the book.
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
    #[error("cannot fill the template `{name}`")]
    Template {
        /// The template.
        name: &'static str,
        /// What it lacks.
        source: Cause,
    },
    /// The binder of books failed.
    #[error("cannot bind the book")]
    Bind(#[source] Cause),
    /// There is nothing to bind.
    #[error("the volume has no issues")]
    Hollow,
    /// The cover could not be drawn.
    #[error("cannot draw the cover of the book")]
    Cover,
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

/// Where the cover of an issue is in the outbox: a PNG of 3:4, 1200 pixels wide unless it is the publisher's own.
#[must_use]
pub fn cover_path(key: &IssueKey) -> String {
    paths::cover(key)
}

/// Where its cover is once more, 300 pixels wide.
#[must_use]
pub fn thumbnail_path(key: &IssueKey) -> String {
    paths::thumbnail(key)
}

/// The bytes of an issue's pictures.
pub type Plates = BTreeMap<PictureName, Vec<u8>>;

/// Prints the book and the web pages of one issue, whose pictures are `plates`.
///
/// # Errors
/// [`Error::Empty`] for an issue without articles, [`Error::Plate`] when a picture is not among `plates`; the others are faults
/// of this program.
pub fn print(release: &Release, publication: &Publication, plates: &Plates) -> Result<Printed, Error> {
    let key = &release.issue.key;
    if release.issue.articles.is_empty() {
        return Err(Error::Empty { issue: key.clone() });
    }
    if let Some(picture) = release.issue.pictures.iter().find(|picture| !plates.contains_key(&picture.name)) {
        return Err(Error::Plate { picture: picture.name.clone() });
    }
    let outline = Outline::of(release, publication);
    let cover = book::cover(&outline, publication)?;
    let bytes = book::bind(release, publication, &outline, &cover, plates)?;
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
    pages.push(Edition { path: cover_path(key), bytes: cover.page });
    pages.push(Edition { path: thumbnail_path(key), bytes: cover.thumbnail });
    pages.push(site::stylesheet());
    pages.extend(site::articles(release, publication, &outline)?);
    pages.push(site::issue(release, &file, publication, &outline)?);
    Ok(Printed { book, pages })
}

/// Issues that are bound into one book, each with the articles that belong in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anthology {
    /// What sets it apart from other volumes: a year, the name of a section or of an author.
    pub name: String,
    /// The year, when it is one.
    pub year: Option<i16>,
    /// Its issues in the order of reading; none is without articles.
    pub releases: Vec<Release>,
}

/// Writes one book of many issues, whose pictures `plate` has; one picture at a time is in memory.
///
/// # Errors
/// [`Error::Hollow`] without issues; [`Error::Archive`] when `out` or `plate` fail; the others are faults of this program.
pub fn bind(
    anthology: &Anthology,
    publication: &Publication,
    plate: &dyn Fn(&Picture) -> io::Result<Vec<u8>>,
    out: &mut (impl Write + Seek),
) -> Result<(), Error> {
    book::bind_volume(anthology, publication, plate, out)
}

/// Prints what lists more than one issue, in the order in which the files must be put out: first what others link to,
/// the feed last.
///
/// # Errors
/// Only by faults of this program.
pub fn lists(shelf: &Shelf<'_>, publication: &Publication) -> Result<Vec<Edition>, Error> {
    let shelf = Shelf { recent: &shelf.recent[..shelf.recent.len().min(RECENT)], ..*shelf };
    let mut editions = vec![site::stylesheet(), feeds::stylesheet()];
    for volume in shelf.volumes {
        editions.push(site::archive(volume, publication)?);
    }
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
