//! What subscribers get of what came out: a digest in as many printings as they have wishes.

use jiff::Timestamp;

use super::{Error, Press, unprintable};
use crate::{
    delivery::AttachedBook, delivery::DigestStatus, delivery::Period, durable, editions, editions::Shelved,
    ledger::Arrival, ledger::Draft, ledger::Queued, ledger::Words, publication::Publication,
    subscriber::Pace, subscriber::Wish,
};

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
            let queued =
                self.ledger.close_release(&self.publication, release, digest.as_ref(), arrival, now)?;
            if queued != Queued::Missing {
                return Ok(queued);
            }
        }
    }

    /// The digest of one issue, for all who get each when it comes out.
    fn digest_of_issue(&self, shelved: &Shelved, now: Timestamp) -> Result<Draft, Error> {
        let key = &shelved.release.issue.key;
        let mut printings = Vec::new();
        for wish in self.ledger.wishes(Pace::Each)? {
            let words = self.words(std::slice::from_ref(shelved), None, &wish)?;
            printings.push((wish, words));
        }
        Ok(Draft {
            pace: Pace::Each,
            period: key.to_string(),
            issues: vec![key.clone()],
            since: now,
            until: now,
            status: DigestStatus::Open,
            printings,
        })
    }

    /// The letter of issues for a wish, with the books that come with it; `None` where it asks for nothing that is in them.
    ///
    /// A template of the publisher's that fails on these issues does not keep the letter back: ours takes its place.
    pub(super) fn words(
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
