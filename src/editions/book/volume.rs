//! Binds many issues into one book.

use std::io::{self, Write};

use super::package::{Work, write};
use super::{Gathering, cover};
use crate::{
    editions::Anthology, editions::Error, editions::outline::Day, editions::outline::Group,
    editions::outline::Opening, editions::outline::Outline, issue::Release, issue::shorten, picture::Picture,
    publication::Publication,
};

/// Writes the book of `anthology`, whose pictures `plate` has; one picture at a time is in memory.
///
/// # Errors
/// [`Error::Hollow`] when there is nothing in it; [`Error::Archive`] when it cannot be written or a picture not be read.
pub(in crate::editions) fn bind(
    anthology: &Anthology,
    publication: &Publication,
    plate: &dyn Fn(&Picture) -> io::Result<Vec<u8>>,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let releases = &anthology.releases;
    let outlines: Vec<Outline> = releases.iter().map(|release| Outline::of(release, publication)).collect();
    let Some(whole) = whole(anthology, &outlines, publication) else { return Err(Error::Hollow) };
    let mut first = 0;
    let mut gatherings = Vec::with_capacity(releases.len());
    for (nth, (release, outline)) in releases.iter().zip(&outlines).enumerate() {
        let opening = Some(opening(nth, outline));
        gatherings.push(Gathering { issue: &release.issue, outline, first, opening });
        first += release.issue.articles.len();
    }
    let work = Work {
        tag: publication.tag(&format!("volume/{}", anthology.name)),
        page: publication.base_url.clone(),
        position: None,
        updated: releases.iter().map(|release| release.updated).max().unwrap_or_default(),
        outline: &whole,
        gatherings,
    };
    write(&work, &cover(&whole, publication)?, plate, out)
}

/// The lines of the whole book: those of its last issue, but for all that tells of one issue only.
fn whole(anthology: &Anthology, outlines: &[Outline], publication: &Publication) -> Option<Outline> {
    let last: &Release = anthology.releases.last()?;
    let (from, to) = (outlines.first()?.day.clone(), outlines.last()?.day.clone());
    let mut plain = last.clone();
    plain.version = 1;
    plain.issue.language = publication.language.clone();
    plain.issue.pictures.clear();
    let one = Outline::of(&plain, publication);
    let span = if from.iso == to.iso { to.text.clone() } else { format!("{} – {}", from.iso, to.iso) };
    let mut groups = Vec::new();
    let mut first = 0;
    for (nth, outline) in outlines.iter().enumerate() {
        let count = outline.groups.len();
        for (n, group) in outline.groups.iter().enumerate() {
            let mut pieces = group.pieces.clone();
            for piece in &mut pieces {
                piece.nth += first;
            }
            groups.push(Group {
                opening: (n == 0).then(|| opening(nth, outline)),
                closing: n + 1 == count,
                title: group.title.clone(),
                pieces,
            });
        }
        first += outline.pieces().count();
    }
    let pictured = anthology.releases.iter().any(|release| !release.issue.pictures.is_empty());
    Some(Outline {
        name: format!("{} · {}", one.paper, title(anthology, &one)),
        title: Some(title(anthology, &one)),
        number: anthology.year.map(|year| year.to_string()),
        page: None,
        place: None,
        day: Day { iso: to.iso, text: span },
        summary: None,
        editors: None,
        contacts: Vec::new(),
        correction: None,
        accessibility: if pictured { one.words.accessibility_pictured } else { one.words.accessibility },
        n_articles: format!("{} · {}", one.words.n_issues(outlines.len()), one.words.n_articles(first)),
        groups,
        ..one
    })
}

fn title(anthology: &Anthology, outline: &Outline) -> String {
    anthology.year.map_or_else(|| anthology.name.clone(), |year| outline.words.volume(year))
}

fn opening(nth: usize, outline: &Outline) -> Opening {
    Opening {
        title: shorten(&outline.name, 160),
        file: format!("i{:03}.xhtml", nth + 1),
        summary: outline.contents(80),
    }
}
