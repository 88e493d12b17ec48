//! Binds the pages of a book: the one place that knows `epub-builder`.

use std::collections::HashSet;

use epub_builder::{EpubBuilder, EpubContent, EpubVersion, MetadataOpfV3, ReferenceType, ZipLibrary};
use serde::Serialize;
use uuid::Uuid;

use super::{PICTURES, Page, Part, content, finish};
use crate::{
    editions::Error, editions::Plates, editions::outline::Outline, editions::paths, issue::Issue,
    issue::Release, issue::Role, prose, publication::Publication,
};

/// The EPUB of a release: the same bytes for the same release, on any machine.
///
/// # Errors
/// [`Error::Bind`] and [`Error::Finish`] when `epub-builder` is not as we know it.
pub(in crate::editions) fn bind(
    release: &Release,
    publication: &Publication,
    outline: &Outline,
    plates: &Plates,
) -> Result<Vec<u8>, Error> {
    let page = publication.url(&paths::page(&release.issue.key));
    let (pages, files) = content::pages(&release.issue, outline, &page)?;
    let uuid = Uuid::new_v5(&Uuid::NAMESPACE_URL, publication.tag(release.issue.key.as_str()).as_bytes());
    let raw = build(&pages, release, outline, uuid).map_err(|error| Error::Bind(error.into()))?;

    let shelf = Shelf {
        issue: outline,
        files: &files,
        page: &page,
        identifier: uuid.urn().to_string(),
        depth: if outline.groups.iter().any(|group| group.title.is_some()) { 2 } else { 1 },
        creators: creators(release, outline),
        edited: !release.issue.editors.is_empty(),
        contributors: contributors(release),
        subjects: subjects(outline),
        description: outline.summary.clone().unwrap_or_else(|| outline.contents(1500)),
        position: release.issue.number.as_deref().and_then(position),
        pictured: !release.issue.pictures.is_empty(),
        described: is_described(&release.issue),
    };
    let pictures = release.issue.pictures.iter().map(|picture| &picture.name);
    let pictures =
        pictures.filter_map(|name| Some((format!("OEBPS/{PICTURES}{name}"), plates.get(name)?.as_slice())));
    let parts = finish::Parts {
        metadata: outline.theme.fill("book/metadata.xml", &shelf)?,
        nav: outline.theme.fill("book/nav.xhtml", &shelf)?,
        ncx: outline.theme.fill("book/toc.ncx", &shelf)?,
        lang: &outline.lang,
        dir: outline.dir,
        pictures: pictures.collect(),
    };
    finish::finish(&raw, &parts)
}

/// What the package document and the two tables of contents are made of.
#[derive(Debug, Serialize)]
struct Shelf<'a> {
    issue: &'a Outline,
    files: &'a [String],
    page: &'a str,
    identifier: String,
    depth: u8,
    creators: Vec<String>,
    edited: bool,
    contributors: Vec<String>,
    subjects: Vec<String>,
    description: String,
    position: Option<String>,
    /// Whether it has pictures.
    pictured: bool,
    /// Whether each of them says what it shows.
    described: bool,
}

fn is_described(issue: &Issue) -> bool {
    let bodies =
        issue.articles.iter().flat_map(|article| std::iter::once(&article.body).chain(&article.notes));
    bodies.flat_map(|blocks| prose::pictures(blocks)).all(|(_, alt)| !alt.trim().is_empty())
}

fn build(pages: &[Page], release: &Release, outline: &Outline, uuid: Uuid) -> epub_builder::Result<Vec<u8>> {
    let mut builder = EpubBuilder::new(ZipLibrary::new()?)?;
    let modified = chrono::DateTime::from_timestamp(release.updated.as_second(), 0).unwrap_or_default();
    builder.epub_version(EpubVersion::V33);
    builder.metadata("title", outline.name.as_str())?;
    builder.metadata("lang", outline.lang.as_str())?;
    builder.metadata("toc_name", outline.words.contents)?;
    builder.metadata("generator", "gazetted")?;
    builder.metadata("direction", outline.dir)?;
    builder.set_uuid(uuid);
    builder.set_modified_date(modified);
    // Creators and all else the builder's own templates get wrong come in the place of this mark; see `finish`.
    builder.add_metadata_opf(Box::new(MetadataOpfV3::new(finish::MARK.to_owned(), String::new())));
    builder.stylesheet(outline.theme.style("book/stylesheet.css").as_bytes())?;
    for page in pages {
        let mut content =
            EpubContent::new(page.file.as_str(), page.text.as_bytes()).title(page.title.as_str());
        if let Some(reference) = reference(page.part) {
            content = content.reftype(reference);
        }
        builder.add_content(content)?;
    }
    for picture in &release.issue.pictures {
        // Its bytes come in without packing them, which makes no picture smaller; see `finish`.
        let path = format!("{PICTURES}{}", picture.name);
        builder.add_resource(path, std::io::empty(), picture.media_type.as_str())?;
    }
    let mut bytes = Vec::new();
    builder.generate(&mut bytes)?;
    Ok(bytes)
}

fn reference(part: Part) -> Option<ReferenceType> {
    match part {
        Part::TitlePage => Some(ReferenceType::TitlePage),
        Part::Contents => Some(ReferenceType::Toc),
        Part::FirstArticle => Some(ReferenceType::Text),
        Part::Colophon => Some(ReferenceType::Colophon),
        Part::Article => None,
    }
}

/// The editors, or else the publisher, or else the periodical: a book without a creator is by "Unknown" on a shelf.
fn creators(release: &Release, outline: &Outline) -> Vec<String> {
    let editors = distinct(release.issue.editors.iter().map(String::as_str));
    if editors.is_empty() {
        vec![outline.publisher.clone().unwrap_or_else(|| outline.paper.clone())]
    } else {
        editors
    }
}

/// Every author and translator, once each, in the order of the issue.
fn contributors(release: &Release) -> Vec<String> {
    let bylines = release.issue.articles.iter().flat_map(|article| &article.bylines);
    distinct(bylines.filter(|b| b.role != Role::Photographer).map(|b| b.name.as_str()))
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
