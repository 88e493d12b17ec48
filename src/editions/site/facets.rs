//! The pages of authors and sections: the newest articles, and a page for each year.

use serde::Serialize;

use super::{Page, Year, without_paper};
use crate::{
    editions::Contribution, editions::Edition, editions::Error, editions::Facet, editions::FacetKind,
    editions::Lists, editions::ShelfOf, editions::outline::said, editions::paths, issue::shorten,
    publication::Publication, theme::Words,
};

/// An article as a line of a list.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) page: String,
    pub(super) headline: String,
    pub(super) byline: String,
    /// The issue, unless its name is only its day.
    pub(super) issue: Option<String>,
    pub(super) day: String,
    pub(super) iso: String,
}

impl Line {
    pub(super) fn of(line: &Contribution, publication: &Publication, words: &Words) -> Self {
        let (day, iso) = (words.date(line.date), line.date.to_string());
        let issue = without_paper(&line.issue_name, &publication.title);
        // The day stands beside it already, in its own words or in those of the name.
        let days = [iso.as_str(), day.split('\u{3000}').next().unwrap_or_default()];
        let undated = days.iter().filter(|day| !day.is_empty()).find_map(|day| issue.strip_suffix(day));
        let issue = undated.map_or(issue.as_str(), str::trim_end).to_owned();
        Self {
            page: paths::article(&line.issue, &line.article),
            headline: said(&line.headline)
                .map_or_else(|| words.untitled.to_owned(), |headline| shorten(&headline, 160)),
            byline: words.names(line.authors.iter().map(String::as_str)),
            issue: (!issue.is_empty() && !day.starts_with(&issue)).then_some(issue),
            day,
            iso,
        }
    }
}

#[derive(Serialize)]
struct Content<'a> {
    page: Page<'a>,
    words: &'static Words,
    /// `author` or `section`.
    kind: &'static str,
    name: &'a str,
    /// What is above the name: the kind in words.
    label: &'static str,
    heading: String,
    count: String,
    lines: Vec<Line>,
    years: Vec<Year>,
    /// The first page, on the pages of years.
    whole: Option<String>,
    /// The section's feed.
    feed: Option<String>,
}

/// The pages of an author or section that must be written after a change; those that have nothing left are gone.
pub(in crate::editions) fn facet(
    of: &ShelfOf,
    publication: &Publication,
    lists: &mut Lists,
) -> Result<(), Error> {
    let words = publication.theme.words(&publication.language);
    let facet = &of.facet;
    let first = paths::facet(facet);
    for (year, lines) in &of.volumes {
        let path = paths::facet_year(&first, *year);
        if lines.is_empty() {
            lists.gone.push(path);
            continue;
        }
        let heading = format!("{} · {}", facet.name, words.year(*year));
        lists.editions.push(page(facet, &path, heading, lines, vec![], publication)?);
    }
    if of.newest.is_empty() {
        lists.gone.push(first);
        return Ok(());
    }
    let years = of.years.iter().map(|year| Year {
        href: paths::facet_year(&first, year.year),
        label: words.year(year.year),
        count: words.n_articles(year.count),
    });
    lists.editions.push(page(facet, &first, facet.name.clone(), &of.newest, years.collect(), publication)?);
    Ok(())
}

fn page(
    facet: &Facet,
    path: &str,
    heading: String,
    lines: &[Contribution],
    years: Vec<Year>,
    publication: &Publication,
) -> Result<Edition, Error> {
    let words = publication.theme.words(&publication.language);
    let paper = said(&publication.title).unwrap_or_else(|| publication.key.clone());
    let title = format!("{heading} · {paper}");
    let is_first = path == paths::facet(facet);
    let root = if is_first { "../" } else { "../../" };
    let section = facet.kind == FacetKind::Section;
    let n = if years.is_empty() { lines.len() } else { lines.len().max(1) };
    let content = Content {
        page: Page { class: "facet", ..Page::new(path, root, &title, &paper, publication) },
        words,
        kind: facet.kind.as_str(),
        name: &facet.name,
        label: if section { words.section } else { words.author },
        count: words.n_articles(n),
        lines: lines.iter().map(|line| Line::of(line, publication, words)).collect(),
        years,
        whole: (!is_first).then(|| paths::facet(facet)),
        feed: section.then(|| publication.url(&format!("{}.xml", paths::section_feed(facet)))),
        heading,
    };
    Ok(Edition {
        bytes: publication.theme.fill("site/facet.html", &content)?.into_bytes(),
        path: path.to_owned(),
    })
}
