//! The issues before and after one: their pages lead to each other, in the order of the archive.

use super::{Error, Press, unprintable};
use crate::{
    editions, editions::Beside, editions::Listing, editions::Shelved, issue::IssueKey, issue::Release,
};

impl Press {
    /// The issues beside that of `line`, as they are once `new` is out, which the ledger learns last.
    pub(super) fn beside(&self, line: &Listing, new: Option<&Listing>) -> Result<Beside, Error> {
        let year = line.date.year();
        let own = self.year_with(year, line, new)?;
        let older = own.iter().position(|other| !is_newer(other, line)).unwrap_or(own.len());
        let mut beside = Beside {
            previous: own.get(older).cloned(),
            next: older.checked_sub(1).and_then(|n| own.get(n)).cloned(),
        };
        if beside.previous.is_some() && beside.next.is_some() {
            return Ok(beside);
        }
        let mut years: Vec<i16> =
            self.ledger.years(&self.publication)?.iter().map(|year| year.year).collect();
        years.extend(new.map(|new| new.date.year()));
        years.sort_unstable();
        if beside.previous.is_none() {
            for other in years.iter().rev().filter(|other| **other < year) {
                beside.previous = self.year_with(*other, line, new)?.into_iter().next();
                if beside.previous.is_some() {
                    break;
                }
            }
        }
        if beside.next.is_none() {
            for other in years.iter().filter(|other| **other > year) {
                beside.next = self.year_with(*other, line, new)?.pop();
                if beside.next.is_some() {
                    break;
                }
            }
        }
        Ok(beside)
    }

    /// The issues of a year but that of `line`, newest first.
    fn year_with(&self, year: i16, line: &Listing, new: Option<&Listing>) -> Result<Vec<Listing>, Error> {
        let mut listings = self.ledger.volume(&self.publication, year)?.listings;
        listings.retain(|other| new.is_none_or(|new| other.key != new.key));
        listings.extend(new.filter(|new| new.date.year() == year).cloned());
        listings.retain(|other| other.key != line.key);
        listings.sort_by(|a, b| (b.date, b.published, &a.key).cmp(&(a.date, a.published, &b.key)));
        Ok(listings)
    }

    /// Prints the pages of the issues beside `new` once more, and of those that it stood beside before. Gives how many changed.
    pub(super) fn turn_to(&self, new: &Release, before: Option<&Shelved>) -> Result<usize, Error> {
        let line = Listing::of(new, &self.publication);
        let mut touched: Vec<IssueKey> = Vec::new();
        let now = self.beside(&line, Some(&line))?;
        let was = match before {
            Some(before) => self.beside(&Listing::of(&before.release, &self.publication), None)?,
            None => Beside::default(),
        };
        for other in [now.previous, now.next, was.previous, was.next].into_iter().flatten() {
            if other.key != line.key && !touched.contains(&other.key) {
                touched.push(other.key);
            }
        }
        let mut written = 0;
        for key in touched {
            let Some(shelved) = self.ledger.issue(&self.publication, &key)? else { continue };
            let beside = self.beside(&Listing::of(&shelved.release, &self.publication), Some(&line))?;
            let page = editions::page(&shelved, &beside, &self.publication)
                .map_err(unprintable(&shelved.release))?;
            written += self.outbox.put([&page])?;
        }
        Ok(written)
    }
}

/// Whether `a` stands above `b` in the archive.
fn is_newer(a: &Listing, b: &Listing) -> bool {
    (a.date, a.published, &b.key) > (b.date, b.published, &a.key)
}
