//! Binds the pages of a book: the one place that knows `epub-builder`.

use std::collections::HashSet;
use std::io::{self, Write};

use epub_builder::{EpubBuilder, EpubContent, EpubVersion, MetadataOpfV3, ReferenceType, ZipLibrary};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::content::{self, Content, Stop};
use super::names::file_as;
use super::{Cover, Gathering, PICTURES, Page, Part, finish};
use crate::{
    editions::Error, editions::Plates, editions::outline::Outline, editions::paths, issue::Issue,
    issue::Release, issue::Role, picture::Picture, prose, publication::Publication, theme::Ready,
};

/// The EPUB of a release: the same bytes for the same release, on any machine.
///
/// # Errors
/// [`Error::Bind`] and [`Error::Finish`] when `epub-builder` is not as we know it.
pub(in crate::editions) fn bind(
    release: &Release,
    publication: &Publication,
    outline: &Outline,
    cover: &Cover,
    plates: &Plates,
) -> Result<Vec<u8>, Error> {
    let issue = &release.issue;
    let gathering = Gathering { issue, outline, first: 0, opening: None };
    let work = Work {
        tag: publication.tag(issue.key.as_str()),
        page: publication.url(&paths::page(&issue.key)),
        position: issue.number.as_deref().and_then(position),
        updated: release.updated,
        outline,
        gatherings: vec![gathering],
    };
    let plate = |picture: &Picture| {
        plates.get(&picture.name).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    };
    let mut bytes = Vec::new();
    write(&work, cover, &plate, &mut bytes)?;
    Ok(bytes)
}

/// What a book is to be.
pub(super) struct Work<'a> {
    /// Where its identifier comes from; the same for ever.
    pub tag: String,
    /// Where it is read online.
    pub page: String,
    /// Its place in the series.
    pub position: Option<String>,
    /// When its text last changed.
    pub updated: Timestamp,
    /// Its lines.
    pub outline: &'a Outline,
    /// Its issues in their order.
    pub gatherings: Vec<Gathering<'a>>,
}

/// Writes a book whose pictures `plate` has. One picture at a time is in memory.
pub(super) fn write(
    work: &Work<'_>,
    cover: &Cover,
    plate: &dyn Fn(&Picture) -> io::Result<Vec<u8>>,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let Work { outline, gatherings, .. } = work;
    let face = file_of_cover(cover);
    let Content { pages, files, stops, names } = content::pages(outline, gatherings, &work.page, &face)?;
    let uuid = Uuid::new_v5(&Uuid::NAMESPACE_URL, work.tag.as_bytes());
    let mut seen = HashSet::new();
    let pictures: Vec<&Picture> = gatherings
        .iter()
        .flat_map(|gathering| &gathering.issue.pictures)
        .filter(|picture| seen.insert(&picture.name))
        .collect();
    let bound =
        build(&pages, &pictures, work, &face, cover, uuid).map_err(|error| Error::Bind(error.into()))?;

    let sections = outline.groups.iter().any(|group| group.title.is_some());
    let openings = outline.groups.iter().any(|group| group.opening.is_some());
    let start = outline.pieces().next().map(|piece| piece.label.clone()).unwrap_or_default();
    let shelf = Ready::of(Shelf {
        issue: outline,
        start: match gatherings.first().and_then(|gathering| gathering.opening.as_ref()) {
            Some(opening) => Start { file: opening.file.clone(), label: opening.title.clone() },
            None => Start { file: files.first().cloned().unwrap_or_default(), label: start },
        },
        files: &files,
        page: &work.page,
        identifier: uuid.urn().to_string(),
        depth: 1 + u8::from(sections) + u8::from(openings),
        creators: creators(work),
        edited: gatherings.iter().any(|gathering| !gathering.issue.editors.is_empty()),
        contributors: contributors(work),
        subjects: subjects(outline),
        description: outline.summary.clone().unwrap_or_else(|| outline.contents(1500)),
        position: work.position.clone(),
        described: gatherings.iter().all(|gathering| is_described(gathering.issue)),
        last_page: stops.iter().filter_map(|stop| stop.value).max().unwrap_or(0),
        stops: &stops,
        names: !names.is_empty(),
    });
    let plain = |picture: &Picture| format!("OEBPS/{PICTURES}{}", picture.name);
    let parts = finish::Parts {
        metadata: outline.theme.fill("book/metadata.xml", &shelf)?,
        nav: outline.theme.fill("book/nav.xhtml", &shelf)?,
        ncx: outline.theme.fill("book/toc.ncx", &shelf)?,
        lang: &outline.lang,
        dir: outline.dir,
        pages: pages.iter().map(|page| (format!("OEBPS/{}", page.file), page)).collect(),
        cover: (format!("OEBPS/{face}"), &cover.bytes),
        pictures: pictures.into_iter().map(|picture| (plain(picture), picture)).collect(),
        plate,
    };
    finish::finish(&bound, &parts, out)
}

/// The name of the cover's picture, beside the pages.
fn file_of_cover(cover: &Cover) -> String {
    format!("{PICTURES}cover.{}", cover.media_type.extension())
}

/// What the package document and the two tables of contents are made of.
#[derive(Debug, Serialize)]
struct Shelf<'a> {
    issue: &'a Outline,
    /// Where the text begins.
    start: Start,
    files: &'a [String],
    page: &'a str,
    identifier: String,
    depth: u8,
    creators: Vec<Person>,
    edited: bool,
    contributors: Vec<Person>,
    subjects: Vec<String>,
    description: String,
    position: Option<String>,
    /// Whether each picture says what it shows.
    described: bool,
    last_page: u32,
    stops: &'a [Stop],
    /// Whether it has an index of names.
    names: bool,
}

/// A link to where the text begins.
#[derive(Debug, Serialize)]
struct Start {
    file: String,
    label: String,
}

/// A name, and how it is filed.
#[derive(Debug, Serialize)]
struct Person {
    name: String,
    file_as: String,
}

fn is_described(issue: &Issue) -> bool {
    let bodies =
        issue.articles.iter().flat_map(|article| std::iter::once(&article.body).chain(&article.notes));
    bodies.flat_map(|blocks| prose::pictures(blocks)).all(|(_, alt)| !alt.trim().is_empty())
}

fn build(
    pages: &[Page],
    pictures: &[&Picture],
    work: &Work<'_>,
    face: &str,
    cover: &Cover,
    uuid: Uuid,
) -> epub_builder::Result<Vec<u8>> {
    let outline = work.outline;
    let mut builder = EpubBuilder::new(ZipLibrary::new()?)?;
    let modified = chrono::DateTime::from_timestamp(work.updated.as_second(), 0).unwrap_or_default();
    builder.epub_version(EpubVersion::V33);
    builder.metadata("title", outline.name.as_str())?;
    builder.metadata("lang", outline.lang.as_str())?;
    builder.metadata("toc_name", outline.words.contents)?;
    builder.metadata("generator", "gazetted")?;
    // Columns of vertical lines follow each other from the right.
    builder.metadata("direction", if outline.vertical { "rtl" } else { outline.dir })?;
    builder.set_uuid(uuid);
    builder.set_modified_date(modified);
    // Creators and all else the builder's own templates get wrong come in the place of this mark; see `finish`.
    builder.add_metadata_opf(Box::new(MetadataOpfV3::new(finish::MARK.to_owned(), String::new())));
    builder.stylesheet(work.outline.theme.style("book/stylesheet.css").as_bytes())?;
    // `finish` puts in the pictures, which packing makes no smaller, and the pages, which the builder would pack at twice the cost.
    builder.add_cover_image(face, io::empty(), cover.media_type.as_str())?;
    for page in pages {
        let mut content = EpubContent::new(page.file.as_str(), io::empty()).title(page.title.as_str());
        if let Some(reference) = reference(page.part) {
            content = content.reftype(reference);
        }
        builder.add_content(content)?;
    }
    for picture in pictures {
        let path = format!("{PICTURES}{}", picture.name);
        builder.add_resource(path, io::empty(), picture.media_type.as_str())?;
    }
    let mut bytes = Vec::new();
    builder.generate(&mut bytes)?;
    Ok(bytes)
}

fn reference(part: Part) -> Option<ReferenceType> {
    match part {
        Part::Cover => Some(ReferenceType::Cover),
        Part::TitlePage => Some(ReferenceType::TitlePage),
        Part::Contents => Some(ReferenceType::Toc),
        Part::FirstArticle => Some(ReferenceType::Text),
        Part::Colophon => Some(ReferenceType::Colophon),
        Part::Other => None,
    }
}

/// The editors, or else the publisher, or else the periodical: a book without a creator is by "Unknown" on a shelf.
fn creators(work: &Work<'_>) -> Vec<Person> {
    let outline = work.outline;
    let editors = work.gatherings.iter().flat_map(|gathering| &gathering.issue.editors);
    let editors = distinct(editors.map(String::as_str));
    if editors.is_empty() {
        let name = outline.publisher.clone().unwrap_or_else(|| outline.paper.clone());
        vec![Person { file_as: name.clone(), name }]
    } else {
        editors.into_iter().map(|name| person(name, outline)).collect()
    }
}

/// Every author and translator, once each, in the order of the issue.
fn contributors(work: &Work<'_>) -> Vec<Person> {
    let articles = work.gatherings.iter().flat_map(|gathering| &gathering.issue.articles);
    let bylines = articles.flat_map(|article| &article.bylines);
    let names = distinct(bylines.filter(|b| b.role != Role::Photographer).map(|b| b.name.as_str()));
    names.into_iter().map(|name| person(name, work.outline)).collect()
}

fn person(name: String, outline: &Outline) -> Person {
    Person { file_as: file_as(&name, outline.words.lang.starts_with("zh")), name }
}

fn subjects(outline: &Outline) -> Vec<String> {
    distinct(outline.groups.iter().filter_map(|group| group.title.as_deref()))
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut seen = HashSet::new();
    names.filter_map(crate::editions::outline::said).filter(|name| seen.insert(name.clone())).collect()
}

/// The issue's number as EPUB 3.3 §D.3.4 (group-position) wants it: whole numbers with full stops between.
fn position(number: &str) -> Option<String> {
    let number = number.trim();
    let formed = number
        .split('.')
        .all(|part| (1..=9).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()));
    formed.then(|| number.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_position_only_when_it_is_made_of_digits() {
        for (number, expected) in [
            ("217", Some("217")),
            ("2026.14", Some("2026.14")),
            ("十七", None),
            ("1.", None),
            ("", None),
            ("-1", None),
        ] {
            assert_eq!(position(number).as_deref(), expected, "{number}");
        }
    }
}
