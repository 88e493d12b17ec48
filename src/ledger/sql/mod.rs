//! The operations, in the words that every database of ours understands; what they differ in is in `dialect`.

mod arrivals;
pub(super) mod db;
pub(super) mod dialect;
mod digests;
mod events;
pub(super) mod keeping;
pub(super) mod moving;
mod old_links;
mod pieces;
pub(super) mod queue;
pub(super) mod shelf;
pub(super) mod standing;
mod subscribers;
mod tallying;
mod tokens;

use std::path::Path;

use jiff::{Timestamp, civil::Date};

use self::db::{Db, params};
use super::{Arrival, Draft, Error, Interrupted, IssueLine, Ledger, News, Opening, Queued, Sharing, Tally};
use crate::{
    editions::Beside, editions::BookFile, editions::Contribution, editions::Facet, editions::FacetKind,
    editions::Listing, editions::Shelved, editions::Volume, editions::Year, issue::Issue, issue::IssueKey,
    issue::Release, issue::Status, publication::Publication, subscriber::Pace,
};

/// Why a piece of work on a database was given up.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The database's own reason.
    Database(Box<dyn std::error::Error + Send + Sync>),
    /// A value in a row is not one that we write.
    Damaged(String),
    /// Somebody else leads by now.
    Overtaken,
}

/// What a piece of work on letters changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// How letters stand, and nothing else: others may do the same beside it.
    Letters,
    /// Whatever it likes.
    Everything,
}

/// A database that work can be done in: what makes a ledger of it is written once, here.
pub(super) trait Store: Sharing + Send + Sync + 'static {
    /// Whether several processes may send its letters.
    const IS_SHARED: bool = false;

    /// Reads, at one moment of the database's life.
    fn read<T>(&self, work: impl FnOnce(&Db<'_>) -> Result<T, Refusal>) -> Result<T, Error>;

    /// Writes, while nobody else does: on return the work is on the disk, or none of it is. It may have to be done again from the
    /// beginning.
    fn write<T, W>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: Fn(&Db<'_>) -> Result<T, Refusal> + Send + 'static;

    /// The same for what only the one who leads may write.
    fn write_leading<T, W>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: Fn(&Db<'_>) -> Result<T, Refusal> + Send + 'static,
    {
        self.write(work)
    }

    /// The same for letters, of which others may claim and settle some meanwhile.
    fn write_letters<T, W>(&self, reach: Reach, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: Fn(&Db<'_>) -> Result<T, Refusal> + Send + 'static;

    /// The same without waiting: `then` is called when the work is on the disk, or none of it is.
    fn write_letters_then<T, W, D>(&self, reach: Reach, work: W, then: D)
    where
        T: Send + 'static,
        W: Fn(&Db<'_>) -> Result<T, Refusal> + Send + 'static,
        D: FnOnce(Result<T, Error>) + Send + 'static;

    /// Sees to it that what was erased is not found in files either.
    fn forget_erased(&self) -> Result<(), Error>;

    /// What is wrong with the database as such.
    fn look_whole(&self) -> Result<Vec<String>, Error>;

    /// See [`super::Keeping::copy_to`].
    fn copy_into(&self, path: &Path) -> Result<(), Error>;

    /// See [`super::Keeping::rehearsal`].
    fn rehearse(&self, path: &Path) -> Result<Box<dyn Ledger>, Error>;
}

pub(super) fn micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}

pub(super) fn timestamp(micros: i64) -> Result<Timestamp, Refusal> {
    Timestamp::from_microsecond(micros).map_err(|_| Refusal::Damaged(format!("a time `{micros}`")))
}

/// Tells others what is so when this is committed.
fn tell(db: &Db<'_>, news: News) -> Result<(), Refusal> {
    let Some(sql) = db.dialect().tell else { return Ok(()) };
    db.query(sql, params![news.as_str()], |_| Ok(())).map(drop)
}

impl<S: Store> Ledger for S {
    fn arrivals(&self) -> Result<Vec<Arrival>, Error> {
        self.read(|db| arrivals::select(db, "ORDER BY path", &[]))
    }

    fn newest_arrivals(&self, most: usize) -> Result<Vec<Arrival>, Error> {
        self.read(|db| arrivals::select(db, "ORDER BY at DESC, path LIMIT ?1", params![most]))
    }

    fn waiting_arrivals(&self) -> Result<Vec<Arrival>, Error> {
        self.read(|db| {
            arrivals::select(db, "WHERE fate IN ('withheld', 'embargoed') ORDER BY at DESC, path", &[])
        })
    }

    fn refused_arrivals(&self, most: usize) -> Result<Vec<Arrival>, Error> {
        self.read(|db| {
            arrivals::select(db, "WHERE fate = 'rejected' ORDER BY at DESC, path LIMIT ?1", params![most])
        })
    }

    fn note(&self, arrival: &Arrival) -> Result<(), Error> {
        let arrival = arrival.clone();
        self.write_leading(move |db| arrivals::note(db, &arrival))
    }

    fn forget(&self, path: &[u8]) -> Result<(), Error> {
        let path = path.to_vec();
        self.write_leading(move |db| {
            db.execute("DELETE FROM arrivals WHERE path = ?1", params![path])?;
            shelf::give_up(db, &path)
        })
    }

    fn source_of(&self, publication: &Publication, key: &IssueKey) -> Result<Option<Vec<u8>>, Error> {
        self.read(|db| shelf::source_of(db, &publication.key, key))
    }

    fn brought(&self, publication: &Publication, manuscript: &str) -> Result<Option<IssueKey>, Error> {
        self.read(|db| shelf::brought(db, &publication.key, manuscript))
    }

    fn manuscript_of(&self, publication: &Publication, key: &IssueKey) -> Result<Option<String>, Error> {
        self.read(|db| shelf::manuscript_of(db, &publication.key, key))
    }

    fn open_release(
        &self,
        publication: &Publication,
        issue: &Issue,
        manuscript: &str,
        source: &[u8],
        now: Timestamp,
    ) -> Result<Opening, Error> {
        let draft = shelf::Draft {
            publication: publication.key.clone(),
            name: issue.name(publication),
            embargo: issue.embargo(publication),
            issue: issue.clone(),
            manuscript: manuscript.to_owned(),
            source: source.to_vec(),
        };
        self.write_leading(move |db| shelf::open_release(db, draft.clone(), now))
    }

    fn shelve(&self, publication: &Publication, release: &Release, book: &BookFile) -> Result<(), Error> {
        let line = Listing::of(release, book, publication);
        let (publication, release) = (publication.key.clone(), release.clone());
        self.write_leading(move |db| shelf::shelve(db, &publication, &release, &line))
    }

    fn close_release(
        &self,
        publication: &Publication,
        release: &Release,
        digest: Option<&Draft>,
        arrival: &Arrival,
        now: Timestamp,
    ) -> Result<Queued, Error> {
        let (publication, digest) = (publication.key.clone(), digest.cloned());
        let (key, arrival) = (release.issue.key.clone(), arrival.clone());
        self.write_leading(move |db| {
            let queued = match &digest {
                Some(digest) => digests::freeze(db, &publication, digest, now)?,
                None => Queued::Nothing,
            };
            if queued != Queued::Missing {
                events::of_issue(db, &publication, &key, now)?;
                shelf::close(db, &publication, &key)?;
                arrivals::note(db, &arrival)?;
            }
            Ok(queued)
        })
    }

    fn set_status(
        &self,
        publication: &Publication,
        key: &IssueKey,
        status: Status,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let (publication, key) = (publication.key.clone(), key.clone());
        self.write_leading(move |db| standing::set(db, &publication, &key, status, now))
    }

    fn close_status(&self, publication: &Publication, key: &IssueKey, now: Timestamp) -> Result<(), Error> {
        let (publication, key) = (publication.key.clone(), key.clone());
        self.write_leading(move |db| {
            events::of_issue(db, &publication, &key, now)?;
            shelf::close(db, &publication, &key)
        })
    }

    fn status(&self, publication: &Publication, key: &IssueKey) -> Result<Option<Status>, Error> {
        self.read(|db| standing::status(db, &publication.key, key))
    }

    fn interrupted(&self, publication: &Publication, now: Timestamp) -> Result<Vec<Interrupted>, Error> {
        self.read(|db| shelf::interrupted(db, &publication.key, now))
    }

    fn next_embargo(&self, publication: &Publication) -> Result<Option<Timestamp>, Error> {
        self.read(|db| standing::next_embargo(db, &publication.key))
    }

    fn versions(&self, publication: &Publication, key: &IssueKey) -> Result<Vec<Release>, Error> {
        self.read(|db| shelf::versions(db, &publication.key, key))
    }

    fn recent(&self, publication: &Publication, most: usize) -> Result<Vec<Shelved>, Error> {
        self.read(|db| shelf::recent(db, &publication.key, most))
    }

    fn corrected(&self, publication: &Publication, most: usize) -> Result<Vec<Shelved>, Error> {
        self.read(|db| shelf::corrected(db, &publication.key, most))
    }

    fn n_published(&self, publication: &Publication) -> Result<u64, Error> {
        self.read(|db| Ok(shelf::n_published(db, &publication.key)?.unsigned_abs()))
    }

    fn ordinal(&self, publication: &Publication, key: &IssueKey) -> Result<Option<u64>, Error> {
        self.read(|db| Ok(shelf::ordinal_of(db, &publication.key, key)?.map(i64::unsigned_abs)))
    }

    fn between(&self, publication: &Publication, first: u64, last: u64) -> Result<Vec<Shelved>, Error> {
        self.read(|db| shelf::between(db, &publication.key, (ordinal(first), ordinal(last))))
    }

    fn listings_between(
        &self,
        publication: &Publication,
        first: u64,
        last: u64,
    ) -> Result<Vec<Listing>, Error> {
        self.read(|db| shelf::listings_between(db, &publication.key, (ordinal(first), ordinal(last))))
    }

    fn news(
        &self,
        publication: &Publication,
        pace: Pace,
        period: (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Result<Vec<Shelved>, Error> {
        self.read(|db| shelf::news(db, &publication.key, pace, period, now))
    }

    fn issue(&self, publication: &Publication, key: &IssueKey) -> Result<Option<Shelved>, Error> {
        self.read(|db| shelf::issue(db, &publication.key, key))
    }

    fn books(&self, publication: &Publication) -> Result<Vec<(IssueKey, BookFile)>, Error> {
        self.read(|db| shelf::books(db, &publication.key))
    }

    fn volume(&self, publication: &Publication, year: i16) -> Result<Volume, Error> {
        self.read(|db| shelf::volume(db, &publication.key, year))
    }

    fn beside(
        &self,
        publication: &Publication,
        key: &IssueKey,
        day: Date,
        published: Timestamp,
    ) -> Result<Beside, Error> {
        self.read(|db| shelf::beside(db, &publication.key, key, &day.to_string(), micros(published)))
    }

    fn years(&self, publication: &Publication) -> Result<Vec<Year>, Error> {
        self.read(|db| pieces::years(db, &publication.key, None))
    }

    fn years_of(&self, publication: &Publication, facet: &Facet) -> Result<Vec<Year>, Error> {
        self.read(|db| pieces::years(db, &publication.key, Some(facet)))
    }

    fn facets(&self, publication: &Publication, kind: FacetKind) -> Result<Vec<Facet>, Error> {
        self.read(|db| pieces::facets(db, &publication.key, kind))
    }

    fn contributions(
        &self,
        publication: &Publication,
        facet: &Facet,
        year: Option<i16>,
        most: usize,
    ) -> Result<Vec<Contribution>, Error> {
        self.read(|db| pieces::contributions(db, &publication.key, facet, year, most))
    }

    fn issues_of(
        &self,
        publication: &Publication,
        facet: &Facet,
        most: usize,
    ) -> Result<Vec<Shelved>, Error> {
        self.read(|db| {
            let keys = pieces::issues_of(db, &publication.key, facet, most)?;
            let issues = keys.iter().map(|key| shelf::issue(db, &publication.key, key));
            Ok(issues.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        })
    }

    fn search(
        &self,
        publication: &Publication,
        question: &[String],
        skip: usize,
        most: usize,
    ) -> Result<(Vec<Contribution>, usize), Error> {
        self.read(|db| pieces::search(db, &publication.key, question, skip, most))
    }

    fn issues(&self, publication: &Publication) -> Result<Vec<IssueLine>, Error> {
        self.read(|db| shelf::lines(db, "", params![publication.key]))
    }

    fn newest_issues(
        &self,
        publication: &Publication,
        skip: usize,
        most: usize,
    ) -> Result<Vec<IssueLine>, Error> {
        self.read(|db| shelf::newest_lines(db, &publication.key, skip, most))
    }

    fn issues_after(
        &self,
        publication: &Publication,
        after: &IssueKey,
        most: usize,
    ) -> Result<Vec<IssueLine>, Error> {
        self.read(|db| shelf::lines_after(db, &publication.key, after, most))
    }

    fn issue_line(&self, publication: &Publication, key: &IssueKey) -> Result<Option<IssueLine>, Error> {
        self.read(|db| {
            let key = key.as_str();
            let which = params![publication.key, key];
            Ok(shelf::lines(db, "AND issue = ?2", which)?.pop())
        })
    }

    fn every_version(&self, publication: &Publication, key: &IssueKey) -> Result<Vec<Release>, Error> {
        self.read(|db| shelf::every_version(db, &publication.key, key))
    }

    fn tally(&self, publication: &Publication, now: Timestamp) -> Result<Tally, Error> {
        self.read(|db| tallying::tally(db, &publication.key, now))
    }

    fn touch(&self) -> Result<(), Error> {
        self.write(tallying::touch)
    }

    fn examine(&self) -> Result<Vec<String>, Error> {
        let mut findings = self.look_whole()?;
        self.read(|db| {
            let strays: i64 = db.value(
                "SELECT count(*) FROM deliveries d LEFT JOIN digests g ON g.id = d.digest
                 LEFT JOIN subscribers s ON s.id = d.subscriber LEFT JOIN printings p ON p.id = d.printing
                 WHERE g.id IS NULL OR s.id IS NULL OR p.id IS NULL",
                &[],
            )?;
            if strays > 0 {
                findings.push(format!("{strays} letters belong to no digest or no subscriber"));
            }
            Ok(findings)
        })
    }
}

fn ordinal(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
