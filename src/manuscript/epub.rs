//! An e-book as a manuscript: its chapters in the order of the spine, each through the reader of HTML.

use std::collections::HashMap;

use crate::prose::Language;

use super::archive::{self, Archive, Node};
use super::draft::Draft;
use super::{Unreadable, dates, html};

const EXTENSION: &str = "epub";

/// Reads a book.
pub(super) fn read(bytes: &[u8]) -> Result<Draft, Unreadable> {
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
    let mut draft = html::read_book(&chapters);
    draft.title = package.data.get("title").cloned().or(draft.title);
    draft.publisher = package.data.get("publisher").cloned();
    draft.summary = draft.summary.or_else(|| package.data.get("description").cloned());
    draft.date = draft.date.or_else(|| dates::of_header(package.data.get("date")?));
    draft.language = package.data.get("language").and_then(|tag| Language::parse(tag)).or(draft.language);
    Ok(draft)
}

#[derive(Default)]
struct Package {
    items: HashMap<String, String>,
    spine: Vec<String>,
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
                let is_text = element.attribute("media-type").is_none_or(|kind| kind.contains("html"));
                if let (Some(id), Some(href)) = (element.attribute("id"), element.attribute("href"))
                    && is_text
                    && !words.split_whitespace().any(|word| word == "nav")
                {
                    package.items.insert(id, href);
                }
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

/// `%20` and the like as characters (RFC 3986 §2.1).
fn unescaped(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let escaped = digits.and_then(|two| u8::from_str_radix(two, 16).ok()).filter(|_| first == b'%');
        bytes.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
