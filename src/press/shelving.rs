//! What the lists must show after a change. All of it is asked from the ledger, so that a resumed publish asks the same.

use std::collections::{BTreeMap, BTreeSet};

use super::{Error, Press};
use crate::{
    editions, editions::Facet, editions::FacetKind, editions::Listing, editions::RECENT, editions::Sealed,
    editions::Shelf, editions::ShelfOf, issue::IssueKey, issue::Release, issue::Status,
};

/// How many articles the first page of an author or a section shows, and its feed has at least where there are as many.
const NEWEST: usize = 50;

/// How many older issues with late corrections the feeds tell of.
const CORRECTED: usize = 10;

/// How many issues a page of the archived feed has.
const SEALED: u64 = RECENT as u64;

/// All facets are too many to be held at once with their articles: so many lists are printed together.
const BATCH: usize = 64;

/// So many sealed pages, which hold whole issues, are printed together.
const PAGES: usize = 8;

impl Press {
    /// The lists that show an issue, or showed it before it was corrected, withdrawn or held back; `versions` are those of the
    /// issue that readers may have files of.
    pub(super) fn shelf_after(&self, key: &IssueKey, versions: &[Release]) -> Result<Shelf, Error> {
        let publication = &self.publication;
        let years: BTreeSet<i16> =
            versions.iter().map(|release| Listing::date_of(release, publication).year()).collect();
        let facets: BTreeSet<Facet> =
            versions.iter().flat_map(|release| Facet::all(&release.issue)).collect();
        let mut shelf = self.common_shelf()?;
        shelf.volumes =
            years.iter().map(|year| self.ledger.volume(publication, *year)).collect::<Result<_, _>>()?;
        shelf.facets =
            facets.into_iter().map(|facet| self.shelf_of(facet, &years)).collect::<Result<_, _>>()?;
        if let Some(number) = self.page_to_seal(key, shelf.n_sealed)? {
            shelf.sealed.push(self.sealed(number)?);
        }
        if let Some(number) = self.catalogue_page(key, shelf.n_catalogue_pages)? {
            shelf.catalogue_pages.push(self.sealed(number)?);
        }
        Ok(shelf)
    }

    /// Every list there is, a part at a time, then what every publish writes. Gives how many files changed.
    pub(super) fn put_all_lists(&self) -> Result<usize, Error> {
        let publication = &self.publication;
        let common = self.common_shelf()?;
        let mut written = 0;
        let mut put = |parts: Shelf| -> Result<(), Error> {
            written += self.put(&editions::parts(&parts, publication).map_err(Error::Lists)?)?;
            Ok(())
        };
        let mut facets = self.ledger.facets(publication, FacetKind::Author)?;
        facets.extend(self.ledger.facets(publication, FacetKind::Section)?);
        for batch in facets.chunks(BATCH) {
            let mut parts = Shelf::default();
            for facet in batch {
                let years = self.ledger.years_of(publication, facet)?;
                let years = years.into_iter().map(|year| year.year).collect();
                parts.facets.push(self.shelf_of(facet.clone(), &years)?);
            }
            put(parts)?;
        }
        for years in common.years.chunks(BATCH) {
            let volumes = years.iter().map(|year| self.ledger.volume(publication, year.year));
            put(Shelf { volumes: volumes.collect::<Result<_, _>>()?, ..Shelf::default() })?;
        }
        let numbers: Vec<u64> = (1..=common.n_sealed).collect();
        for numbers in numbers.chunks(PAGES) {
            let sealed: Vec<Sealed> =
                numbers.iter().map(|number| self.sealed(*number)).collect::<Result<_, _>>()?;
            let mut catalogue_pages = sealed.clone();
            catalogue_pages.retain(|page| page.number <= common.n_catalogue_pages);
            put(Shelf { sealed, catalogue_pages, ..Shelf::default() })?;
        }
        Ok(written + self.put_lists(&common)?)
    }

    /// What every publish writes, whatever it brings.
    fn common_shelf(&self) -> Result<Shelf, Error> {
        let publication = &self.publication;
        let recent = self.ledger.recent(publication, RECENT)?;
        let mut corrected = self.ledger.corrected(publication, CORRECTED)?;
        corrected
            .retain(|old| !recent.iter().any(|shelved| shelved.release.issue.key == old.release.issue.key));
        let n_sealed = editions::n_sealed(self.ledger.n_published(publication)?);
        let n_catalogue_pages = n_sealed.saturating_sub(1);
        Ok(Shelf {
            n_sealed,
            n_catalogue_pages,
            catalogue: self.ledger.listings_between(publication, n_catalogue_pages * SEALED + 1, u64::MAX)?,
            years: self.ledger.years(publication)?,
            sections: self.ledger.facets(publication, FacetKind::Section)?,
            recent,
            corrected,
            ..Shelf::default()
        })
    }

    /// What one author or section has, with the articles of those years.
    fn shelf_of(&self, facet: Facet, years: &BTreeSet<i16>) -> Result<ShelfOf, Error> {
        let publication = &self.publication;
        let mut volumes = BTreeMap::new();
        for year in years {
            let of_year = self.ledger.contributions(publication, &facet, Some(*year), usize::MAX >> 1)?;
            volumes.insert(*year, of_year);
        }
        let issues = match facet.kind {
            FacetKind::Section => self.ledger.issues_of(publication, &facet, RECENT)?,
            FacetKind::Author => Vec::new(),
        };
        Ok(ShelfOf {
            newest: self.ledger.contributions(publication, &facet, None, NEWEST)?,
            years: self.ledger.years_of(publication, &facet)?,
            volumes,
            issues,
            facet,
        })
    }

    /// Which page of the archived feed must be written with an issue: the one that the newest issue seals by coming after it;
    /// or the one that an issue stands on which was withdrawn, or came back. A correction leaves its page as it is (RFC 5005 §4).
    fn page_to_seal(&self, key: &IssueKey, n_sealed: u64) -> Result<Option<u64>, Error> {
        let Some(ordinal) = self.ledger.ordinal(&self.publication, key)? else { return Ok(None) };
        if ordinal > n_sealed * SEALED {
            return Ok((ordinal == n_sealed * SEALED + 1 && n_sealed > 0).then_some(n_sealed));
        }
        let page = ordinal.div_ceil(SEALED);
        let taken_down = self.ledger.status(&self.publication, key)? != Some(Status::Usable);
        let id = self.publication.tag(key.as_str());
        let sealed = self.outbox.text(&editions::sealed_feed(page))?;
        let was_there = sealed.is_some_and(|text| text.contains(&format!(">{id}<")));
        Ok((taken_down || !was_there).then_some(page))
    }

    /// Which page of the catalogue must be written with an issue: the one it stands on, or the one that it has made full.
    fn catalogue_page(&self, key: &IssueKey, n_pages: u64) -> Result<Option<u64>, Error> {
        let Some(ordinal) = self.ledger.ordinal(&self.publication, key)? else { return Ok(None) };
        if ordinal <= n_pages * SEALED {
            return Ok(Some(ordinal.div_ceil(SEALED)));
        }
        Ok((n_pages > 0 && ordinal == (n_pages + 1) * SEALED + 1).then_some(n_pages))
    }

    fn sealed(&self, number: u64) -> Result<Sealed, Error> {
        let first = (number - 1) * SEALED + 1;
        let issues = self.ledger.between(&self.publication, first, number * SEALED)?;
        Ok(Sealed { number, issues })
    }
}
