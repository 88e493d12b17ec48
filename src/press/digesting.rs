//! What subscribers get of what came out: a digest in as many printings as they have wishes.

use jiff::Timestamp;

use super::{Error, Press, unprintable};
use crate::{
    delivery::AttachedBook, delivery::DigestStatus, delivery::Kind, delivery::Period, durable, editions,
    editions::Shelved, fault::Point, fault::reached, issue::IssueKey, issue::Status, ledger, ledger::Arrival,
    ledger::Draft, ledger::Queued, ledger::Words, publication::Publication, subscriber::Pace,
    subscriber::Wish,
};

/// A digest that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digested {
    /// How often its readers get one.
    pub pace: Pace,
    /// What it covers.
    pub period: String,
    /// Whether its letters go out at once.
    pub status: DigestStatus,
    /// How many there are.
    pub letters: u64,
}

impl Press {
    /// Records that readers have an issue, and freezes its digest. Who chose another form meanwhile is printed for too.
    pub(super) fn close(
        &self,
        shelved: &Shelved,
        arrival: &Arrival,
        now: Timestamp,
    ) -> Result<Queued, Error> {
        let release = &shelved.release;
        loop {
            let digest =
                self.is_news(release, now).then(|| self.digest_of_issue(shelved, now)).transpose()?;
            reached(Point::DigestPrinted);
            let queued =
                self.ledger.close_release(&self.publication, release, digest.as_ref(), arrival, now)?;
            if queued != Queued::Missing {
                return Ok(queued);
            }
        }
    }

    /// Makes the digests of every pace whose period has ended and that have something to tell; and prints those anew of which an
    /// issue was withdrawn. Gives what was made. Asked twice it makes nothing twice, whatever the clock did between.
    ///
    /// # Errors
    /// When the ledger cannot be used, or a letter not be printed; the rest is made the next time.
    pub fn make_digests(&self, now: Timestamp) -> Result<Vec<Digested>, Error> {
        let _lock = self.lock()?;
        self.print_stale_digests(now)?;
        let mut made = Vec::new();
        for pace in [Pace::Daily, Pace::Weekly, Pace::Monthly] {
            let Some(period) = self.calendar.ended(pace, now) else { continue };
            let last = self.ledger.last_digest(&self.publication, pace)?;
            // A clock that was set back must not open a period again that is behind its readers; one that was months ahead when a digest was
            // made must not keep the others back until then.
            let last = last.filter(|last| last.until.duration_since(now) <= ledger::LATE);
            if last.is_some_and(|last| last.until >= period.until)
                || self.ledger.digest_of(&self.publication, pace, &period.name)?.is_some()
            {
                continue;
            }
            made.extend(self.make_digest(pace, &period, now)?);
        }
        Ok(made)
    }

    fn make_digest(&self, pace: Pace, period: &Period, now: Timestamp) -> Result<Option<Digested>, Error> {
        let mut news = self.ledger.news(&self.publication, pace, (period.since, period.until), now)?;
        news.retain(|shelved| self.is_news(&shelved.release, now));
        if news.is_empty() {
            return Ok(None);
        }
        // What fell due before the ledger was brought back may have gone out from the place that it was taken from.
        let before = self.ledger.restored()?.is_some_and(|restored| period.until <= restored.at);
        let late = before || now.duration_since(period.until) > self.ask_after;
        let status = if late { DigestStatus::Asking } else { DigestStatus::Open };
        loop {
            let draft = Draft {
                pace,
                period: period.name.clone(),
                issues: keys(&news),
                since: period.since,
                until: period.until,
                status,
                printings: self.printings(&news, Some(period), self.ledger.wishes(pace)?)?,
            };
            match self.ledger.freeze(&self.publication, &draft, now)? {
                Queued::Missing => {}
                Queued::Letters(letters) => {
                    return Ok(Some(Digested { pace, period: draft.period, status, letters }));
                }
                Queued::Before | Queued::Nothing => return Ok(None),
            }
        }
    }

    /// Tells the readers of a digest who have no letter yet of what is left of it.
    pub(super) fn print_stale_digests(&self, now: Timestamp) -> Result<(), Error> {
        for digest in self.ledger.stale(&self.publication)? {
            let mut left = Vec::new();
            for key in &digest.issues {
                if self.ledger.status(&self.publication, key)? != Some(Status::Canceled) {
                    left.extend(self.ledger.issue(&self.publication, key)?);
                }
            }
            let period = match digest.kind {
                Kind::Digest(pace) => self.calendar.ended(pace, digest.until),
                Kind::Confirmation => None,
            };
            let wishes = self.ledger.printed_for(digest.id)?;
            let printings = self.printings(&left, period.as_ref(), wishes)?;
            self.ledger.print_anew(digest.id, &keys(&left), &printings, now)?;
        }
        Ok(())
    }

    /// What those get of some issues who share a wish, for each wish.
    fn printings(
        &self,
        issues: &[Shelved],
        period: Option<&Period>,
        wishes: Vec<Wish>,
    ) -> Result<Vec<(Wish, Option<Words>)>, Error> {
        wishes.into_iter().map(|wish| Ok((wish.clone(), self.words(issues, period, &wish)?))).collect()
    }

    /// The digest of one issue, for all who get each when it comes out.
    fn digest_of_issue(&self, shelved: &Shelved, now: Timestamp) -> Result<Draft, Error> {
        let key = &shelved.release.issue.key;
        Ok(Draft {
            pace: Pace::Each,
            period: key.to_string(),
            issues: vec![key.clone()],
            since: now,
            until: now,
            status: DigestStatus::Open,
            printings: self.printings(
                std::slice::from_ref(shelved),
                None,
                self.ledger.wishes(Pace::Each)?,
            )?,
        })
    }

    /// The letter of some issues for a wish, with the books that come with it; `None` where it asks for nothing that is in them.
    ///
    /// A template of the publisher's that fails on these issues does not keep the letter back: ours takes its place.
    fn words(
        &self,
        issues: &[Shelved],
        period: Option<&Period>,
        wish: &Wish,
    ) -> Result<Option<Words>, Error> {
        let Some(first) = issues.first() else { return Ok(None) };
        let letter = match editions::letter(issues, period, wish, &self.publication) {
            Err(editions::Error::Theme(fault)) => {
                tracing::error!(%fault, "the letter's template does not fit what came out; ours is used instead");
                let theme = self.publication.theme.with_our_templates();
                editions::letter(issues, period, wish, &Publication { theme, ..self.publication.clone() })
            }
            letter => letter,
        };
        let Some(letter) = letter.map_err(unprintable(&first.release))? else { return Ok(None) };
        let enclosed = editions::enclosed(issues, wish);
        if wish.form.has_book() && enclosed.len() < issues.len() {
            let left_out = issues.len() - enclosed.len();
            tracing::info!(left_out, "books are too large for a letter, or not asked for; it links to them");
        }
        let books = enclosed.into_iter().map(|shelved| self.attach(shelved)).collect::<Result<_, _>>()?;
        Ok(Some(Words { letter, books }))
    }

    /// Keeps an issue's book as it is now: a correction may replace it before every letter is out.
    fn attach(&self, shelved: &Shelved) -> Result<AttachedBook, Error> {
        let bytes = self.outbox.read(&shelved.book.path)?;
        let hash = blake3::hash(&bytes).to_hex().to_string();
        let path = self.original(&hash);
        durable::put(&path, &bytes).map_err(|source| Error::Keep { path, source })?;
        let name = format!("{}.epub", shelved.release.issue.name(&self.publication));
        Ok(AttachedBook { hash, length: bytes.len() as u64, name })
    }
}

fn keys(issues: &[Shelved]) -> Vec<IssueKey> {
    issues.iter().map(|shelved| shelved.release.issue.key.clone()).collect()
}
