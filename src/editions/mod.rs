//! Prints: issue in, files out. The same issue always gives the same bytes; nothing here asks for the time.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde::{Deserialize, Serialize};

use crate::{
    cores, delivery::Period, editions::outline::Outline, issue::IssueKey, issue::Release, picture::Picture,
    picture::PictureName, prose::Language, publication::Publication, subscriber::Wish, theme,
};

mod paths;
mod shelf;
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

pub use self::paths::{INDEX, JOIN};
pub use self::shelf::{
    Beside, Contribution, Facet, FacetKind, ListedArticle, Listing, Sealed, Shelf, ShelfOf, Shelved, Volume,
    Year,
};
pub use self::{
    letter::Letter, rehearsal::rehearse, site::Choices, site::Decision, site::Filled, site::Found, site::Own,
    site::Problem, site::Question, site::ShownForm, site::Told,
};

/// How many issues the front page and the feed hold, newest first.
pub const RECENT: usize = 20;

/// Stands in every letter where a reader's own address for leaving belongs, in `href` and in plain text.
///
/// U+001A is in no text that we print ([`crate::typography::printable`] takes it out), so that no manuscript can
/// forge this mark.
pub const LEAVE: &str = "\u{1A}leave\u{1A}";

/// Stands in every letter where a reader's own address for changing what he or she gets belongs, as [`LEAVE`] does.
pub const PREFERENCES: &str = "\u{1A}preferences\u{1A}";

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
    let bind = || {
        let cover = book::cover(&outline, publication)?;
        let (bytes, for_lists) =
            cores::both(|| book::bind(release, publication, &outline, &cover, plates), || cover.for_lists());
        let bytes = bytes?;
        Ok::<_, Error>((Edition { path: paths::book(key, publication, &bytes), bytes }, for_lists?))
    };
    // The book is more than half of the work, and the articles' pages need nothing of it.
    let (bound, articles) = cores::both(bind, || site::articles(release, publication, &outline));
    let (book, (page, thumbnail)) = bound?;
    let file = BookFile { path: book.path.clone(), length: book.bytes.len() as u64 };
    let names = release.issue.pictures.iter().map(|picture| &picture.name);
    let mut pages: Vec<Edition> = names
        .filter_map(|name| {
            Some(Edition { path: paths::picture(key, name), bytes: plates.get(name)?.clone() })
        })
        .collect();
    pages.push(Edition { path: cover_path(key), bytes: page });
    pages.push(Edition { path: thumbnail_path(key), bytes: thumbnail });
    pages.push(site::stylesheet(publication));
    pages.extend(articles?);
    pages.push(site::issue(release, &file, beside, publication, &outline)?);
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
    out: &mut dyn Write,
) -> Result<(), Error> {
    book::bind_volume(anthology, publication, plate, out)
}

/// The files of a book that we bound, each by its path in it: for looking at its pages without an e-reader.
///
/// # Errors
/// [`Error::Archive`] for what is no book.
pub fn unpacked(book: &[u8]) -> Result<Vec<Edition>, Error> {
    book::unpacked(book)
}

/// What lists more than one issue, after a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lists {
    /// The files in the order in which they must be put out: first what others link to, the feed last.
    pub editions: Vec<Edition>,
    /// The paths of what nothing leads to any more; remove them when the others are out.
    pub gone: Vec<String>,
}

/// Prints what lists more than one issue: pages, feeds and the catalogue.
///
/// # Errors
/// Only by faults of this program.
pub fn lists(shelf: &Shelf, publication: &Publication) -> Result<Lists, Error> {
    let (lists, newest) = cores::both(|| parts(shelf, publication), || newest(shelf, publication));
    let mut lists = lists?;
    lists.editions.extend(newest?);
    Ok(lists)
}

/// What every publish writes.
fn newest(shelf: &Shelf, publication: &Publication) -> Result<Vec<Edition>, Error> {
    let mut editions = vec![
        site::following(!shelf.recent.is_empty(), publication)?,
        site::index(shelf, publication)?,
        site::sitemaps(shelf, publication)?,
        site::robots(publication),
    ];
    editions.extend(feeds::newest(shelf, publication)?);
    Ok(editions)
}

/// Prints of the lists those parts only that not every publish writes: years, authors, sections and sealed pages.
///
/// # Errors
/// As [`lists`].
pub fn parts(shelf: &Shelf, publication: &Publication) -> Result<Lists, Error> {
    let mut lists =
        Lists { editions: vec![site::stylesheet(publication), feeds::stylesheet(publication)], gone: vec![] };
    for volume in &shelf.volumes {
        if volume.listings.is_empty() {
            let catalogue = paths::catalogue_year(volume.year);
            lists.gone.extend([
                paths::archive(volume.year),
                paths::sitemap(volume.year),
                format!("{catalogue}.xml"),
                format!("{catalogue}.json"),
            ]);
        } else {
            lists.editions.push(site::archive(volume, publication)?);
            lists.editions.push(site::sitemap(volume, publication)?);
        }
    }
    for of in &shelf.facets {
        site::facet(of, publication, &mut lists)?;
    }
    feeds::parts(shelf, publication, &mut lists)?;
    Ok(lists)
}

/// The page with what a search has found.
///
/// # Errors
/// Only by faults of this program.
pub fn search_page(found: &Found, publication: &Publication) -> Result<Vec<u8>, Error> {
    site::found(found, publication)
}

/// The books that a search has found, as a catalogue.
///
/// # Errors
/// Only by faults of this program.
pub fn search_catalogue(
    listings: &[Listing],
    question: &str,
    publication: &Publication,
) -> Result<Vec<u8>, Error> {
    feeds::found(listings, question, publication)
}

/// The style sheet of the web pages.
#[must_use]
pub fn stylesheet(publication: &Publication) -> Edition {
    site::stylesheet(publication)
}

/// The page that says that an address leads to nothing, or to what was withdrawn.
///
/// # Errors
/// Only by faults of this program.
pub fn nothing_here(withdrawn: bool, publication: &Publication) -> Result<Vec<u8>, Error> {
    site::nothing_here(withdrawn, publication)
}

/// Prints the page on which a reader leaves or confirms. With `preferences`, the last part of his or her address for changing what
/// comes, it leads there, too.
///
/// # Errors
/// Faults of a publisher's template.
pub fn question_page(
    question: Question,
    decision: Decision,
    preferences: Option<&str>,
    publication: &Publication,
) -> Result<Vec<u8>, Error> {
    site::question(question, decision, preferences, publication)
}

/// Prints the page with the form to join; it carries `ticket`.
///
/// # Errors
/// Faults of a publisher's template.
pub fn join_page(form: &ShownForm<'_>, ticket: &str, publication: &Publication) -> Result<Vec<u8>, Error> {
    site::join(form, ticket, publication)
}

/// Prints the page on which a reader changes what he or she gets, whose address is that of `form`.
///
/// # Errors
/// Faults of a publisher's template.
pub fn preferences_page(
    form: &ShownForm<'_>,
    own: &Own<'_>,
    publication: &Publication,
) -> Result<Vec<u8>, Error> {
    site::preferences(form, own, publication)
}

/// Prints the page that tells a reader what became of a form.
///
/// # Errors
/// Faults of a publisher's template.
pub fn told_page(told: Told, publication: &Publication) -> Result<Vec<u8>, Error> {
    site::told(told, publication)
}

/// Prints a reader's own feed at that address: of these issues what he or she wishes, under the same identifiers as in the public
/// feed.
///
/// # Errors
/// Only by faults of this program.
pub fn private_feed(
    issues: &[Shelved],
    wish: &Wish,
    url: &str,
    publication: &Publication,
) -> Result<Vec<u8>, Error> {
    feeds::private(&wished(issues, wish), url, publication)
}

/// Prints a reader's own catalogue at that address: the books of these issues that have something of what he or she wishes.
///
/// # Errors
/// Only by faults of this program.
pub fn private_catalogue(
    issues: &[Shelved],
    wish: &Wish,
    url: &str,
    publication: &Publication,
) -> Result<Vec<u8>, Error> {
    let listing = |shelved: &Shelved| Listing::of(&shelved.release, &shelved.book, publication);
    let listings: Vec<Listing> =
        issues.iter().filter(|issue| letter::wanted(issue, wish).is_some()).map(listing).collect();
    feeds::private_books(&listings, url, publication)
}

fn wished(issues: &[Shelved], wish: &Wish) -> Vec<Shelved> {
    issues.iter().filter_map(|issue| letter::wanted(issue, wish)).collect()
}

/// The folder of an issue's files in the outbox.
#[must_use]
pub fn folder(key: &IssueKey) -> String {
    format!("issues/{key}")
}

/// The page of an article of an issue, by its key.
#[must_use]
pub fn article_page(key: &IssueKey, article: &str) -> String {
    paths::article(key, article)
}

/// How many pages of the archived feed are sealed once so many issues have come out: all but the newest [`RECENT`] are on one.
#[must_use]
pub fn n_sealed(n_published: u64) -> u64 {
    n_published.saturating_sub(1) / RECENT as u64
}

/// A sealed page of the archived feed, by its number.
#[must_use]
pub fn sealed_feed(number: u64) -> String {
    paths::sealed(number, "xml")
}

/// Prints the page of an issue that is out once more, because another came out before or after it.
///
/// # Errors
/// As [`print()`].
pub fn page(shelved: &Shelved, beside: &Beside, publication: &Publication) -> Result<Edition, Error> {
    let Shelved { release, book } = shelved;
    site::issue(release, book, beside, publication, &Outline::of(release, publication))
}

/// Prints the letter of some issues, in the order in which they came out, for those who share a wish: their contents and the
/// beginning of each article, with links to the whole; `None` where nothing of the sections they wish is in them. The days of
/// the period, where there is one, are said on top of several issues.
///
/// # Errors
/// [`Error::Empty`] for an issue without articles; [`Error::Theme`] for a template that does not fit, gives no way to leave, or is
/// too long without any article.
pub fn letter(
    issues: &[Shelved],
    period: Option<&Period>,
    wish: &Wish,
    publication: &Publication,
) -> Result<Option<Letter>, Error> {
    if let Some(empty) = issues.iter().find(|shelved| shelved.release.issue.articles.is_empty()) {
        return Err(Error::Empty { issue: empty.release.issue.key.clone() });
    }
    letter::write(issues, period, wish, publication)
}

/// Of these issues, those whose books come with the letter for a wish: it has some of their articles, and room for the book.
#[must_use]
pub fn enclosed<'a>(issues: &'a [Shelved], wish: &Wish) -> Vec<&'a Shelved> {
    let wanted: Vec<&Shelved> =
        issues.iter().filter(|shelved| letter::wanted(shelved, wish).is_some()).collect();
    let attached = letter::attached(wanted.iter().map(|shelved| shelved.book.length), wish.form);
    wanted.into_iter().zip(attached).filter_map(|(shelved, attached)| attached.then_some(shelved)).collect()
}

/// Prints the letter that asks whether somebody meant to subscribe; the button in it leads to `confirm`.
///
/// # Errors
/// Faults of a publisher's template.
pub fn confirmation(
    publication: &Publication,
    language: Option<&Language>,
    confirm: &str,
) -> Result<Letter, Error> {
    letter::confirmation::write(publication, language, confirm)
}
