//! The issues before and after one: their pages lead to each other, in the order of the archive.

use std::collections::BTreeSet;

use super::{Error, Press, unprintable};
use crate::{editions, editions::Listing, issue::IssueKey, issue::Release};

impl Press {
    /// Prints the pages of the issues beside one once more, and of those that it stood beside before it was corrected. Gives how
    /// many changed.
    pub(super) fn turn_pages_beside(&self, key: &IssueKey, versions: &[Release]) -> Result<usize, Error> {
        let publication = &self.publication;
        let mut touched: BTreeSet<IssueKey> = BTreeSet::new();
        for release in versions {
            let day = Listing::date_of(release, publication);
            let beside = self.ledger.beside(publication, key, day, release.published)?;
            touched.extend([beside.previous, beside.next].into_iter().flatten().map(|other| other.key));
        }
        let mut written = 0;
        for key in touched {
            let Some(shelved) = self.ledger.issue(publication, &key)? else { continue };
            let day = Listing::date_of(&shelved.release, publication);
            let beside = self.ledger.beside(publication, &key, day, shelved.release.published)?;
            let page =
                editions::page(&shelved, &beside, publication).map_err(unprintable(&shelved.release))?;
            written += self.outbox.put([&page])?;
        }
        Ok(written)
    }
}
