//! The finishing pass over a bound book: what the binder's templates cannot say is put in, or the book is refused.
//!
//! `epub-builder` 0.8.3 has fixed templates without the language of the package, with clashing identifiers, and with
//! navigation that fails accessibility checks. Each change below is made at a place that must be there exactly once,
//! so that another release of the crate cannot give half-changed books.

use std::collections::HashMap;
use std::io::{self, Cursor, Read as _, Seek, Write};

use zip::result::{ZipError, ZipResult};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

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
    /// The cover and its place in the archive, where the binder has put an empty file.
    pub cover: (String, &'a [u8]),
    /// The pictures by their place in the archive, where the binder has put empty files too.
    pub pictures: HashMap<String, &'a Picture>,
    /// Gives the bytes of a picture.
    pub plate: &'a dyn Fn(&Picture) -> io::Result<Vec<u8>>,
}

/// Writes the book with its parts: entries in the order of reading, all stamped with the first moment a zip can tell (1980).
///
/// # Errors
/// [`Error::Finish`] when the binder's templates are not those we know; [`Error::Archive`] when it gave no archive.
pub(super) fn finish<W: Write + Seek>(raw: &[u8], parts: &Parts<'_>, out: &mut W) -> Result<(), Error> {
    let broken = |error: ZipError| Error::Archive(error.into());
    let mut archive = ZipArchive::new(Cursor::new(raw)).map_err(broken)?;
    let package = patch(&read_package(&mut archive).map_err(broken)?, parts)?;
    repack(archive, &package, parts, out).map_err(broken)
}

/// Every file of a book, by its path there.
///
/// # Errors
/// [`Error::Archive`] when it is no archive.
pub(in crate::editions) fn unpacked(book: &[u8]) -> Result<Vec<Edition>, Error> {
    let broken = |error: ZipError| Error::Archive(error.into());
    let mut archive = ZipArchive::new(Cursor::new(book)).map_err(broken)?;
    let mut files = Vec::with_capacity(archive.len());
    for n in 0..archive.len() {
        let mut file = archive.by_index(n).map_err(broken)?;
        let (path, mut bytes) = (file.name().to_owned(), Vec::new());
        file.read_to_end(&mut bytes).map_err(|error| broken(error.into()))?;
        files.push(Edition { path, bytes });
    }
    Ok(files)
}

fn read_package(archive: &mut ZipArchive<Cursor<&[u8]>>) -> ZipResult<String> {
    let mut package = String::new();
    archive.by_name(PACKAGE)?.read_to_string(&mut package)?;
    Ok(package)
}

fn repack<W: Write + Seek>(
    mut archive: ZipArchive<Cursor<&[u8]>>,
    package: &str,
    parts: &Parts<'_>,
    out: &mut W,
) -> ZipResult<()> {
    let mut order: Vec<usize> = (0..archive.len()).collect();
    order.sort_by_key(|&index| rank(archive.name_for_index(index).unwrap_or_default()));
    let mut writer = ZipWriter::new(out);
    writer.set_comment("");
    let options = SimpleFileOptions::default().last_modified_time(DateTime::default());
    let packed = options.compression_method(CompressionMethod::Deflated);
    let stored = options.compression_method(CompressionMethod::Stored);
    for index in order {
        let name = archive.name_for_index(index).unwrap_or_default().to_owned();
        let text = match name.as_str() {
            PACKAGE => Some(package),
            NAV => Some(parts.nav.as_str()),
            NCX => Some(parts.ncx.as_str()),
            _ => None,
        };
        if let Some(text) = text {
            writer.start_file(name, packed)?;
            writer.write_all(text.as_bytes())?;
        } else if name == parts.cover.0 {
            writer.start_file(name, stored)?;
            writer.write_all(parts.cover.1)?;
        } else if let Some(picture) = parts.pictures.get(&name) {
            writer.start_file(name, stored)?;
            writer.write_all(&(parts.plate)(picture)?)?;
        } else {
            let entry = archive.by_index_raw(index)?;
            writer.raw_copy_file_touch(entry, DateTime::default(), None)?;
        }
    }
    writer.finish()?;
    Ok(())
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
                    cover: (String::new(), b""),
                    pictures: HashMap::new(),
                    plate: &|_| Ok(Vec::new()),
                },
                &mut Cursor::new(Vec::new())
            ),
            Err(Error::Archive(_))
        ));
    }
}
