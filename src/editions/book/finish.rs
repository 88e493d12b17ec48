//! The finishing pass over a bound book: what the binder's templates cannot say is put in, or the book is refused.
//!
//! `epub-builder` 0.8.3 has fixed templates without the language of the package, with clashing identifiers, and with
//! navigation that fails accessibility checks. Each change below is made at a place that must be there exactly once,
//! so that another release of the crate cannot give half-changed books.

use std::collections::HashMap;
use std::io::{self, Cursor, Read as _, Write};

use zip::ZipArchive;

use super::{Page, archive::Archive};
use crate::{editions::Edition, editions::Error, editions::markup, picture::Picture};

/// The property of the element in whose place our metadata go.
pub(super) const MARK: &str = "gazetted:metadata";

const PACKAGE: &str = "OEBPS/content.opf";
const NAV: &str = "OEBPS/nav.xhtml";
const NCX: &str = "OEBPS/toc.ncx";
const STYLESHEET: &str = "OEBPS/stylesheet.css";

/// What the pass puts in.
pub(super) struct Parts<'a> {
    /// The elements that belong into `metadata`.
    pub metadata: String,
    /// The EPUB 3 table of contents.
    pub nav: String,
    /// The EPUB 2 table of contents, in step with it.
    pub ncx: String,
    /// The language of the package.
    pub lang: &'a str,
    /// The direction of its metadata.
    pub dir: &'a str,
    /// The pages by their place in the archive, where the binder has put empty files.
    pub pages: HashMap<String, &'a Page>,
    /// The cover and its place in the archive, where the binder has put an empty file too.
    pub cover: (String, &'a [u8]),
    /// The pictures by their place in the archive, where the binder has put empty files as well.
    pub pictures: HashMap<String, &'a Picture>,
    /// Gives the bytes of a picture.
    pub plate: &'a dyn Fn(&Picture) -> io::Result<Vec<u8>>,
}

/// Writes the book with its parts: entries in the order of reading, all stamped with the first moment a zip can tell (1980).
///
/// # Errors
/// [`Error::Finish`] when the binder's templates are not those we know; [`Error::Archive`] when it gave no archive.
pub(super) fn finish(bound: &[u8], parts: &Parts<'_>, out: &mut dyn Write) -> Result<(), Error> {
    let mut sheets = unpack(bound).map_err(|error| Error::Archive(error.into()))?;
    sheets.sort_by_key(|(name, _)| rank(name));
    let package = sheets.iter().find(|(name, _)| name == PACKAGE);
    let package = package.map(|(_, text)| String::from_utf8_lossy(text)).unwrap_or_default();
    let package = patch(&package, parts)?;
    pack(&sheets, &package, parts, out).map_err(|error| Error::Archive(error.into()))
}

/// Every file of a book, by its path there.
///
/// # Errors
/// [`Error::Archive`] when it is no archive.
pub(in crate::editions) fn unpacked(book: &[u8]) -> Result<Vec<Edition>, Error> {
    let files = unpack(book).map_err(|error| Error::Archive(error.into()))?;
    Ok(files.into_iter().map(|(path, bytes)| Edition { path, bytes }).collect())
}

fn unpack(archive: &[u8]) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut archive = ZipArchive::new(Cursor::new(archive))?;
    let mut files = Vec::with_capacity(archive.len());
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        files.push((entry.name().to_owned(), bytes));
    }
    Ok(files)
}

fn pack(
    sheets: &[(String, Vec<u8>)],
    package: &str,
    parts: &Parts<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut archive = Archive::new(out);
    for (name, text) in sheets {
        if name == "mimetype" {
            archive.store(name, text)?;
        } else if *name == parts.cover.0 {
            archive.store(name, parts.cover.1)?;
        } else if let Some(picture) = parts.pictures.get(name) {
            archive.store(name, &(parts.plate)(picture)?)?;
        } else if let Some(page) = parts.pages.get(name) {
            archive.pack(name, page.text.as_bytes())?;
        } else {
            let ours = match name.as_str() {
                PACKAGE => Some(package),
                NAV => Some(parts.nav.as_str()),
                NCX => Some(parts.ncx.as_str()),
                _ => None,
            };
            archive.pack(name, ours.map_or(text.as_slice(), str::as_bytes))?;
        }
    }
    archive.finish()
}

/// OCF 3.3 §4.2.2 wants `mimetype` first; a reader that streams wants the package next, and the text last.
fn rank(name: &str) -> u8 {
    match name {
        "mimetype" => 0,
        PACKAGE => 2,
        NAV => 3,
        NCX => 4,
        STYLESHEET => 5,
        name if name.starts_with("META-INF/") => 1,
        _ => 6,
    }
}

fn patch(package: &str, parts: &Parts<'_>) -> Result<String, Error> {
    let opening = r#"unique-identifier="epub-id-1">"#;
    let with_language = format!(
        r#"unique-identifier="epub-id-1" xml:lang="{}" dir="{}">"#,
        markup::escape(parts.lang),
        markup::escape(parts.dir)
    );
    let mark = format!(r#"<meta property="{MARK}"></meta>"#);
    let package = replace_once(package, opening, &with_language)?;
    let package = replace_once(&package, "<dc:title>", r#"<dc:title id="title">"#)?;
    let package = replace_once(&package, r#"<dc:language id="epub-creator-0">"#, "<dc:language>")?;
    replace_once(&package, &mark, parts.metadata.trim_end())
}

fn replace_once(text: &str, place: &str, with: &str) -> Result<String, Error> {
    let n_found = text.matches(place).count();
    if n_found == 1 {
        Ok(text.replacen(place, with, 1))
    } else {
        Err(Error::Finish { place: place.to_owned(), n_found })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_book_of_another_binder_is_refused() {
        assert!(replace_once("<a><b>", "<b>", "<c>").is_ok_and(|text| text == "<a><c>"));
        assert!(matches!(replace_once("<a>", "<b>", ""), Err(Error::Finish { n_found: 0, .. })));
        assert!(matches!(replace_once("<b><b>", "<b>", ""), Err(Error::Finish { n_found: 2, .. })));
        assert!(matches!(
            finish(
                b"no archive",
                &Parts {
                    metadata: String::new(),
                    nav: String::new(),
                    ncx: String::new(),
                    lang: "en",
                    dir: "ltr",
                    pages: HashMap::new(),
                    cover: (String::new(), b""),
                    pictures: HashMap::new(),
                    plate: &|_| Ok(Vec::new()),
                },
                &mut Vec::new()
            ),
            Err(Error::Archive(_))
        ));
    }
}
