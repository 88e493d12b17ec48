//! The map of the site for search engines, a part a year, so that old parts never change (sitemaps.org, protocol 0.9).

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    editions::Edition, editions::Error, editions::Listing, editions::Shelf, editions::Volume,
    editions::paths, publication::Publication,
};

/// An address and when what is there changed.
#[derive(Serialize)]
struct Place {
    url: String,
    changed: Option<String>,
}

#[derive(Serialize)]
struct Content {
    /// Whether the addresses are those of other maps.
    index: bool,
    places: Vec<Place>,
}

/// Everyone may read everything; where the map is.
pub(in crate::editions) fn robots(publication: &Publication) -> Edition {
    let text = format!("User-agent: *\nAllow: /\n\nSitemap: {}\n", publication.url(paths::SITEMAP));
    Edition { path: "robots.txt".to_owned(), bytes: text.into_bytes() }
}

/// The issues and articles of a year. A year has fewer than the 50,000 addresses that a map may have.
pub(in crate::editions) fn of_year(volume: &Volume, publication: &Publication) -> Result<Edition, Error> {
    let places = volume.listings.iter().flat_map(|listing| {
        let changed = Some(seconds(listing.updated));
        pages(listing).map(move |path| Place { url: publication.url(&path), changed: changed.clone() })
    });
    fill(&paths::sitemap(volume.year), Content { index: false, places: places.collect() }, publication)
}

/// The list of the maps: one for the front pages, one a year.
pub(in crate::editions) fn index(shelf: &Shelf, publication: &Publication) -> Result<Edition, Error> {
    let places = shelf.years.iter().map(|year| Place {
        url: publication.url(&paths::sitemap(year.year)),
        // When a year changed is known only for those that this publish changes; a wrong date is worse than none.
        changed: None,
    });
    fill(paths::SITEMAP, Content { index: true, places: places.collect() }, publication)
}

/// The most addresses that one map may hold.
const MOST: usize = 50_000;

fn fill(path: &str, mut content: Content, publication: &Publication) -> Result<Edition, Error> {
    content.places.truncate(MOST);
    Ok(Edition {
        bytes: publication.theme.fill("site/sitemap.xml", &content)?.into_bytes(),
        path: path.to_owned(),
    })
}

fn pages(listing: &Listing) -> impl Iterator<Item = String> + '_ {
    let articles = listing.articles.iter().map(|article| paths::article(&listing.key, &article.key));
    std::iter::once(paths::page(&listing.key)).chain(articles)
}

fn seconds(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
