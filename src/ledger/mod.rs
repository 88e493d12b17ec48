//! What must survive a restart, in our own words: arrivals, releases, subscribers, digests and letters.
//!
//! [`Ledger`] is the one interface to it, with [`Subscribers`], [`Digests`], [`Events`], [`Tokens`], [`Keeping`] and [`Sharing`]; `sql` is the only place that
//! knows SQL; [`sqlite`] and [`postgres`] are the databases that it speaks to. Every operation is one transaction: done and on the disk when it returns, or not done at all.

mod digests;
mod events;
mod keeping;
mod moving;
mod sharing;
mod sql;
pub mod postgres;
pub mod sqlite;
mod subscribers;
pub mod terms;
mod tokens;

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp, civil::Date};

pub use self::{
    digests::{DigestLine, Digests, Draft, Then, Trouble, Words},
    events::{Event, EventKind, Events, Telling, Told, WebhookLine},
    keeping::{Keeping, Restored, Waiting},
    moving::{Carried, Place, carry},
    sharing::{Heard, Hearing, Lead, News, Sharing},
    subscribers::{Entered, Entry, Sent, Subscribers},
    tokens::{Scope, Token, Tokens},
};
use crate::{
    delivery::State, editions::Beside, editions::BookFile, editions::Contribution, editions::Facet,
    editions::FacetKind, editions::Listing, editions::Shelved, editions::Volume, editions::Year,
    issue::Issue, issue::IssueKey, issue::Release, issue::Status, publication::Publication, subscriber::Pace,
    subscriber::Standing,
};

/// What the ledger could not do; nothing of it was done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database refused, or its disk did.
    #[error("cannot use the ledger `{}`", path.display())]
    Database {
        /// The database's file.
        path: PathBuf,
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It was written by a newer gazetted.
    #[error("the ledger `{}` has schema {found}, and this gazetted knows schemas up to {known}", path.display())]
    Newer {
        /// The database's file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest one that we know.
        known: i64,
    },
    /// A value in it is not one that we write.
    #[error("the ledger holds {what} that cannot be read")]
    Damaged {
        /// Which.
        what: String,
    },
    /// Another daemon has become the one that writes this; see [`Sharing`].
    #[error("another daemon leads now")]
    Overtaken,
    /// The copy that is made before a migration could not be made.
    #[error("cannot save the ledger as `{}` before its migration", path.display())]
    Backup {
        /// Where the copy was to be.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What has become of a file of the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Its name as the file system has it, relative to the inbox.
    pub path: Vec<u8>,
    /// Size, times and inode when it was taken.
    pub signature: String,
    /// BLAKE3 of its bytes in hexadecimal; empty when it was never read whole.
    pub hash: String,
    /// What became of it.
    pub fate: Fate,
    /// When that was decided.
    pub at: Timestamp,
}

/// What became of an arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is the current version of this issue, or was.
    Published(IssueKey),
    /// It has the content of this issue; nothing was done.
    Duplicate(IssueKey),
    /// It waits for its editor, who has a proof of this issue beside it.
    Withheld(IssueKey),
    /// It waits for its time.
    Embargoed(IssueKey),
    /// It was not published, for the reason that its editor can read beside it.
    Rejected(String),
}

/// What [`Ledger::open_release`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// The version to print: a new one, or the one that a crash interrupted, with its times unchanged.
    Print(Box<Release>),
    /// Readers have exactly this manuscript, as the current version of that issue.
    Duplicate(IssueKey),
    /// It is kept, and comes out at that time.
    Embargoed(IssueKey, Timestamp),
}

/// A release that was opened and not closed, or whose status readers' files do not show yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interrupted {
    /// The release.
    pub release: Release,
    /// What is to become of it: put out, or taken down.
    pub status: Status,
    /// The file that brought it.
    pub source: Vec<u8>,
    /// BLAKE3 of that file's bytes.
    pub manuscript: String,
}

/// What came of queueing a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queued {
    /// The digest is new, with so many letters.
    Letters(u64),
    /// No letters were asked for.
    Nothing,
    /// This digest was made before; a correction is not mailed again.
    Before,
    /// Somebody wishes what no printing was made for; nothing was done.
    Missing,
}

/// A line of the list of issues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueLine {
    /// Its key.
    pub key: IssueKey,
    /// What readers call it.
    pub name: String,
    /// The version that is out.
    pub version: u32,
    /// When the first version came out.
    pub published: Timestamp,
    /// Whether readers may have it.
    pub status: Status,
    /// When its time comes, where it waits for that.
    pub embargo: Option<Timestamp>,
    /// How its letters stand, for every state that any has.
    pub letters: Vec<(State, u64)>,
}

/// What there is, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Files of the inbox, by what became of them, in the words of the ledger.
    pub arrivals: Vec<(String, u64)>,
    /// Issues, by whether readers may have them.
    pub issues: Vec<(Status, u64)>,
    /// Letters that wait or are on their way.
    pub letters: Vec<(State, u64)>,
    /// Subscribers.
    pub subscribers: Vec<(Standing, u64)>,
    /// Since when the letter has waited that has been due longest, if any is due.
    pub waits_since: Option<Timestamp>,
    /// When the last backup was made, if any was.
    pub last_backup: Option<Timestamp>,
    /// Whether letters are held since the ledger was brought back from a backup.
    pub held: bool,
}

/// How far an issue may be from the period of a digest that tells of it all the same, because it was held back, because nobody was there to
/// make one, or because the clock was wrong. A time that is further ahead of now is a clock's fault.
pub const LATE: SignedDuration = SignedDuration::from_hours(62 * 24);

/// The operations that everything which must survive goes through.
///
/// They block until the disk has them; tasks that must not block call them where blocking is allowed.
pub trait Ledger: Subscribers + Digests + Events + Tokens + Keeping + Sharing {
    /// What is known of the inbox's files.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn arrivals(&self) -> Result<Vec<Arrival>, Error>;

    /// The files of the inbox that came last, newest first, at most `most`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn newest_arrivals(&self, most: usize) -> Result<Vec<Arrival>, Error>;

    /// The files that wait: for their editor, or for their time.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn waiting_arrivals(&self) -> Result<Vec<Arrival>, Error>;

    /// The files that were refused last, newest first, at most `most`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn refused_arrivals(&self, most: usize) -> Result<Vec<Arrival>, Error>;

    /// Notes what became of a file, instead of what was noted before.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn note(&self, arrival: &Arrival) -> Result<(), Error>;

    /// Forgets a file that is gone from the inbox. What readers have of it stays; a release that it brought and that was not
    /// put out yet is given up.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn forget(&self, path: &[u8]) -> Result<(), Error>;

    /// The file that brought the current version of an issue, or the version the press was at work on.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn source_of(&self, publication: &Publication, key: &IssueKey) -> Result<Option<Vec<u8>>, Error>;

    /// The issue whose current version was read from these bytes, by their BLAKE3.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn brought(&self, publication: &Publication, manuscript: &str) -> Result<Option<IssueKey>, Error>;

    /// BLAKE3 of the manuscript or proof from which the current version of an issue was read.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn manuscript_of(&self, publication: &Publication, key: &IssueKey) -> Result<Option<String>, Error>;

    /// Opens the release of an issue as it was read, and names its articles.
    ///
    /// Called again after a crash with the same manuscript it gives the same release: number, times and article keys.
    /// A correction comes out at least a second after the version before, even where the clock went back.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn open_release(
        &self,
        publication: &Publication,
        issue: &Issue,
        manuscript: &str,
        source: &[u8],
        now: Timestamp,
    ) -> Result<Opening, Error>;

    /// Makes a release the current version of its issue, with its book: from now on every list shows it. Until it is closed it
    /// counts as interrupted, because readers' files are not all written yet.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn shelve(&self, publication: &Publication, release: &Release, book: &BookFile) -> Result<(), Error>;

    /// Records that readers have a release that was shelved, what became of its arrival, and freezes its digest as
    /// [`Digests::freeze`] does: all of it or nothing, so that after [`Queued::Missing`] the release is still open.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn close_release(
        &self,
        publication: &Publication,
        release: &Release,
        digest: Option<&Draft>,
        arrival: &Arrival,
        now: Timestamp,
    ) -> Result<Queued, Error>;

    /// Withdraws an issue, holds it back, or lets it go again, with its letters that wait. Readers' files must follow: until
    /// [`Ledger::close_status`] it counts as interrupted. Says whether there was anything to change.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn set_status(
        &self,
        publication: &Publication,
        key: &IssueKey,
        status: Status,
        now: Timestamp,
    ) -> Result<bool, Error>;

    /// Records that readers' files show the status of an issue.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn close_status(&self, publication: &Publication, key: &IssueKey, now: Timestamp) -> Result<(), Error>;

    /// Whether readers may have an issue; `None` for one that was never opened.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn status(&self, publication: &Publication, key: &IssueKey) -> Result<Option<Status>, Error>;

    /// The releases that were opened and not closed: the press died over them, or the disk was full, or their time has come.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn interrupted(&self, publication: &Publication, now: Timestamp) -> Result<Vec<Interrupted>, Error>;

    /// When the time of the next issue comes that waits for it.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn next_embargo(&self, publication: &Publication) -> Result<Option<Timestamp>, Error>;

    /// The current version of an issue and the one that readers had before it, newest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn versions(&self, publication: &Publication, key: &IssueKey) -> Result<Vec<Release>, Error>;

    /// The newest issues that are out, newest first, at most `most`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn recent(&self, publication: &Publication, most: usize) -> Result<Vec<Shelved>, Error>;

    /// The issues that were corrected last, latest correction first, at most `most`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn corrected(&self, publication: &Publication, most: usize) -> Result<Vec<Shelved>, Error>;

    /// How many issues have ever come out, withdrawn ones too.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn n_published(&self, publication: &Publication) -> Result<u64, Error>;

    /// The how-many-th issue this is in the order of first coming out, counted from 1; `None` before it is out.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn ordinal(&self, publication: &Publication, key: &IssueKey) -> Result<Option<u64>, Error>;

    /// The issues from the `first` to the `last` that came out, newest first; those that were withdrawn are not among them.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn between(&self, publication: &Publication, first: u64, last: u64) -> Result<Vec<Shelved>, Error>;

    /// The same as lines of a list.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn listings_between(
        &self,
        publication: &Publication,
        first: u64,
        last: u64,
    ) -> Result<Vec<Listing>, Error>;

    /// The issues that came out after the first of two times and until the second, in the order in which they came out, and that no digest
    /// of a pace tells of; also those of two months before, which were held back, or which nobody was there to tell of, and those that
    /// bear a time months behind `now`, because the clock was ahead: see [`LATE`].
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn news(
        &self,
        publication: &Publication,
        pace: Pace,
        period: (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Result<Vec<Shelved>, Error>;

    /// One issue as it is out, or was until it was withdrawn or held back.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn issue(&self, publication: &Publication, key: &IssueKey) -> Result<Option<Shelved>, Error>;

    /// The books of all issues that are out, newest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn books(&self, publication: &Publication) -> Result<Vec<(IssueKey, BookFile)>, Error>;

    /// The issues that are archived under a year, newest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn volume(&self, publication: &Publication, year: i16) -> Result<Volume, Error>;

    /// The issues before and after the place that an issue has, or would have, in the order of the archive: by its day, and of
    /// one day by when it first came out.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn beside(
        &self,
        publication: &Publication,
        key: &IssueKey,
        day: Date,
        published: Timestamp,
    ) -> Result<Beside, Error>;

    /// The years under which issues are archived, newest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn years(&self, publication: &Publication) -> Result<Vec<Year>, Error>;

    /// The years in which an author or a section has articles, newest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn years_of(&self, publication: &Publication, facet: &Facet) -> Result<Vec<Year>, Error>;

    /// Every author, or every section, who has articles, by name.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn facets(&self, publication: &Publication, kind: FacetKind) -> Result<Vec<Facet>, Error>;

    /// The articles of an author or a section, newest first, at most `most`; those of one year if it is given.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn contributions(
        &self,
        publication: &Publication,
        facet: &Facet,
        year: Option<i16>,
        most: usize,
    ) -> Result<Vec<Contribution>, Error>;

    /// The issues that came out last with articles of an author or a section, newest first, at most `most`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn issues_of(&self, publication: &Publication, facet: &Facet, most: usize)
    -> Result<Vec<Shelved>, Error>;

    /// The articles that have every term of [`terms::question`], newest first, without the first `skip`, at most `most`; and
    /// how many there are in all.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn search(
        &self,
        publication: &Publication,
        question: &[String],
        skip: usize,
        most: usize,
    ) -> Result<(Vec<Contribution>, usize), Error>;

    /// All issues with the state of their letters, newest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn issues(&self, publication: &Publication) -> Result<Vec<IssueLine>, Error>;

    /// What there is, in numbers. It costs the same however long the archive is, and grows with the letters that wait.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn tally(&self, publication: &Publication, now: Timestamp) -> Result<Tally, Error>;

    /// Writes something that says nothing, to see that writing can be done.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn touch(&self) -> Result<(), Error>;

    /// The same, newest first, without the first `skip`, at most `most`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn newest_issues(
        &self,
        publication: &Publication,
        skip: usize,
        most: usize,
    ) -> Result<Vec<IssueLine>, Error>;

    /// The same, from the issue on that follows `after` in that order.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn issues_after(
        &self,
        publication: &Publication,
        after: &IssueKey,
        most: usize,
    ) -> Result<Vec<IssueLine>, Error>;

    /// The line of one issue.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn issue_line(&self, publication: &Publication, key: &IssueKey) -> Result<Option<IssueLine>, Error>;

    /// Every version of an issue that came out, newest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn every_version(&self, publication: &Publication, key: &IssueKey) -> Result<Vec<Release>, Error>;

    /// Finds what is wrong with the database itself, in words; nothing when it is whole.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn examine(&self) -> Result<Vec<String>, Error>;
}
