//! Withdrawing an issue, holding it back, and letting it go again, through all editions.

use jiff::Timestamp;

use super::{Error, Press, Verdict};
use crate::{fault::Point, fault::reached, issue::IssueKey, issue::Release, issue::Status};

impl Press {
    /// Withdraws an issue, holds it back, or gives it to readers (again). Gives what became of it; `None` where it has that
    /// status already or there is no such issue.
    ///
    /// What is withdrawn or held back leaves the feeds, the catalogue and the pages, and its letters that wait are cancelled or
    /// wait on. An issue that comes back keeps its identifiers and its first date, and is not mailed twice.
    ///
    /// # Errors
    /// When the ledger or the outbox cannot be written; what is left unfinished is resumed.
    pub fn set_status(
        &self,
        key: &IssueKey,
        status: Status,
        now: Timestamp,
    ) -> Result<Option<Verdict>, Error> {
        let _lock = self.lock()?;
        let has_changed = self.ledger.set_status(&self.publication, key, status, now)?;
        reached(Point::StatusSet);
        self.print_stale_digests(now)?;
        // Whoever set it before may have died at the press: readers' files follow now.
        let begun = self.ledger.interrupted(&self.publication, now)?;
        match begun.into_iter().find(|begun| begun.release.issue.key == *key && begun.status == status) {
            Some(begun) => self.finish(begun, now).map(Some),
            // Readers never had it: nothing is to be taken from them.
            None if has_changed => Ok(Some(Verdict::TakenDown(key.clone(), status))),
            None => Ok(None),
        }
    }

    /// Takes an issue out of every list, and then its own files away.
    pub(super) fn take_down(&self, key: &IssueKey, now: Timestamp) -> Result<(), Error> {
        let versions = self.ledger.versions(&self.publication, key)?;
        self.put_lists(&self.shelf_after(key, &versions)?)?;
        self.turn_pages_beside(key, &versions)?;
        reached(Point::ListsWithout);
        self.outbox.remove_folder(&crate::editions::folder(key))?;
        reached(Point::FilesTaken);
        self.ledger.close_status(&self.publication, key, now)?;
        reached(Point::StatusClosed);
        Ok(())
    }

    /// Removes the pages of articles that a correction has left out.
    pub(super) fn remove_former_pages(&self, key: &IssueKey, versions: &[Release]) -> Result<(), Error> {
        let [now, before] = versions else { return Ok(()) };
        let is_left = |name: &str| now.issue.articles.iter().any(|article| article.key == name);
        for article in before.issue.articles.iter().filter(|article| !is_left(&article.key)) {
            self.outbox.remove(&crate::editions::article_page(key, &article.key))?;
        }
        Ok(())
    }

    /// Why a new text for an issue cannot come out: it was withdrawn, or is held back.
    pub(super) fn kept_back(&self, key: &IssueKey, manuscript: &str) -> Result<Option<String>, Error> {
        let known = self.ledger.manuscript_of(&self.publication, key)?;
        if known.is_none() || known.as_deref() == Some(manuscript) {
            return Ok(None);
        }
        Ok(match self.ledger.status(&self.publication, key)? {
            Some(Status::Canceled) => Some(format!(
                "the issue `{key}` was withdrawn; `gazetted issues reinstate {key}` gives it to readers again, and then this \
                 text can be saved once more"
            )),
            Some(Status::Withheld) => Some(format!(
                "the issue `{key}` is held back; `gazetted issues release {key}` lets it go, and then this text can be saved \
                 once more"
            )),
            Some(Status::Usable) | None => None,
        })
    }
}
