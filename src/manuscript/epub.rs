//! An e-book as a manuscript: its chapters in the order of the spine, each through the reader of HTML.

use std::collections::HashMap;

use crate::prose::Language;

use super::archive::{self, Archive, Node};
use super::companions::{Companion, Companions, unescaped};
use super::draft::Draft;
use super::pictures::Album;
use super::{Unreadable, dates, html, is_picture};

const EXTENSION: &str = "epub";

/// A book, unpacked.
#[derive(Debug, Clone)]
pub(super) struct Book {
    /// Its chapters, each with its path.
    chapters: Vec<(String, String)>,
    /// What its package says of it.
    data: HashMap<String, String>,
    /// The pictures in it.
    pub(super) pictures: Companions,
}

/// Opens a book.
pub(super) fn open(bytes: &[u8]) -> Result<Book, Unreadable> {
    let mut archive = Archive::open(bytes, EXTENSION)?;
    let container = archive.needed("META-INF/container.xml")?;
    let mut package = None;
    archive::walk(&container, EXTENSION, |node| {
        if let Node::Open(element) = node
            && element.name == "rootfile"
        {
            package = package.take().or_else(|| element.attribute("full-path"));
        }
    })?;
    let path = package.ok_or_else(|| archive::refusal(EXTENSION, "it names no package; save it again"))?;
    let package = package_of(&archive.needed(&path)?)?;
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut chapters = Vec::new();
    for id in &package.spine {
        let Some(href) = package.items.get(id) else { continue };
        let name = resolve(folder, href);
        if let Some(text) = archive.text(&name)? {
            chapters.push((name, text));
        }
    }
    if chapters.is_empty() {
        return Err(archive::refusal(EXTENSION, "it has no chapters; save it again"));
    }
    let mut pictures = Vec::new();
    for (_, href) in &package.pictures {
        let name = resolve(folder, href);
        let picture = if is_picture(&name) { archive.picture(&name)? } else { Some(Companion::Other) };
        pictures.extend(picture.map(|picture| (name, picture)));
    }
    let cover = package.cover.as_ref().and_then(|id| package.pictures.iter().find(|(own, _)| own == id));
    if let Some((_, href)) = cover {
        let name = href.rsplit('/').next().unwrap_or(href);
        if !chapters.iter().any(|(_, text)| text.contains(name)) {
            // Reading systems show it, so no chapter has to.
            let page = format!("<img src=\"{}\" alt=\"\"/>", href.replace('"', "%22"));
            chapters.insert(0, (path.clone(), page));
        }
    }
    Ok(Book { chapters, data: package.data, pictures: Companions::of("", pictures) })
}

impl Book {
    /// Reads the book.
    pub(super) fn read(&self, album: Album) -> Draft {
        let data = |name: &str| self.data.get(name);
        let mut draft = html::read_book(&self.chapters, data("title").map(String::as_str), album);
        draft.publisher = data("publisher").cloned();
        draft.summary = draft.summary.or_else(|| data("description").cloned());
        draft.date = draft.date.or_else(|| dates::of_header(data("date")?));
        draft.language = data("language").and_then(|tag| Language::parse(tag)).or(draft.language);
        draft
    }
}

#[derive(Default)]
struct Package {
    items: HashMap<String, String>,
    spine: Vec<String>,
    /// Each picture's identifier and path.
    pictures: Vec<(String, String)>,
    /// The identifier of the picture on the cover.
    cover: Option<String>,
    data: HashMap<String, String>,
}

fn package_of(text: &str) -> Result<Package, Unreadable> {
    let mut package = Package::default();
    let mut open: Option<(String, String)> = None;
    let mut in_metadata = false;
    archive::walk(text, EXTENSION, |node| match node {
        Node::Open(element) => match element.name {
            "metadata" => in_metadata = true,
            "item" => {
                let words = element.attribute("properties").unwrap_or_default();
                let kind = element.attribute("media-type");
                let has = |property: &str| words.split_whitespace().any(|word| word == property);
                if let (Some(id), Some(href)) = (element.attribute("id"), element.attribute("href")) {
                    if kind.as_ref().is_some_and(|kind| kind.starts_with("image/")) {
                        if has("cover-image") {
                            package.cover = Some(id.clone());
                        }
                        package.pictures.push((id, href));
                    } else if kind.is_none_or(|kind| kind.contains("html")) && !has("nav") {
                        package.items.insert(id, href);
                    }
                }
            }
            // EPUB 2 names its cover so.
            "meta" if element.attribute("name").as_deref() == Some("cover") => {
                package.cover = package.cover.take().or_else(|| element.attribute("content"));
            }
            "itemref" => package.spine.extend(element.attribute("idref")),
            name if in_metadata => open = Some((name.to_owned(), String::new())),
            _ => {}
        },
        Node::Close("metadata") => in_metadata = false,
        Node::Close(_) => {
            if let Some((name, text)) = open.take().filter(|(_, text)| !text.trim().is_empty()) {
                package.data.entry(name).or_insert_with(|| text.trim().to_owned());
            }
        }
        Node::Text(text) => {
            if let Some((_, value)) = &mut open {
                value.push_str(text);
            }
        }
    })?;
    Ok(package)
}

/// The name of a part that stands beside another. A path out of the archive names nothing in it.
pub(super) fn resolve(folder: &str, href: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in href.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    unescaped(&parts.join("/"))
}
