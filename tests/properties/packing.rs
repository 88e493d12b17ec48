//! Archives and letters that bytes choose: well formed outside, so that what is inside gets read.

use std::io::{Cursor, Write as _};

use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::pieces::{self, Pieces};

/// The most entries of an archive that is packed here.
const MAX_ENTRIES: usize = 24;

fn archive<'p>(parts: impl IntoIterator<Item = (&'p str, &'p [u8])>, stored: bool) -> Vec<u8> {
    let method = if stored { CompressionMethod::Stored } else { CompressionMethod::Deflated };
    let options = SimpleFileOptions::default().compression_method(method);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        // Two entries of one name cannot be packed; the first stands.
        if zip.start_file(name, options).is_ok() {
            let _ = zip.write_all(bytes);
        }
    }
    zip.finish().map(Cursor::into_inner).unwrap_or_default()
}

/// Names of entries: what editors pack, what systems add, and what leads elsewhere.
const NAMES: [&str; 20] = [
    "index.md",
    "a.txt",
    "a.png",
    "b/a.png",
    "b/index.html",
    "a.jpg",
    "a.gif",
    "a.webp",
    "issue.md",
    "7/",
    "__MACOSX/7/._a.png",
    "A.PNG",
    "../a.md",
    "/a.md",
    "C:a.md",
    "a\\b.md",
    "a.docx",
    "a.eml",
    "b.zip",
    "e\u{301}.png",
];

/// A zip of entries parted by bytes 255; the first byte of each chooses its name, and 254 the end of a name of its own.
pub fn zip(way: u8, rest: &[u8]) -> Vec<u8> {
    let mut entries: Vec<(String, Vec<u8>)> = Vec::new();
    for part in rest.split(|byte| *byte == 255).take(MAX_ENTRIES) {
        let Some((&first, content)) = part.split_first() else { continue };
        let (name, content) = if let Some(name) = NAMES.get(usize::from(first)) {
            ((*name).to_owned(), content)
        } else {
            let end = part.iter().position(|byte| *byte == 254).unwrap_or(0);
            (String::from_utf8_lossy(&part[..end]).into_owned(), &part[(end + 1).min(part.len())..])
        };
        let made_of_pieces = content.split_first().filter(|(first, _)| **first < 8);
        let content = match made_of_pieces {
            Some((_, choices)) => Pieces::new(choices).all(pieces::MARKDOWN).into_bytes(),
            None => content.to_vec(),
        };
        entries.push((name, content));
    }
    archive(entries.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())), way.is_multiple_of(2))
}

const DOCX_PARTS: [&str; 6] = [
    "word/document.xml",
    "word/styles.xml",
    "word/_rels/document.xml.rels",
    "word/numbering.xml",
    "word/footnotes.xml",
    "word/endnotes.xml",
];

/// A document whose parts are parted by bytes 255.
pub fn docx(rest: &[u8]) -> Vec<u8> {
    archive(DOCX_PARTS.into_iter().zip(rest.split(|byte| *byte == 255)), true)
}

/// A document with that body, with the usual parts beside it.
pub fn docx_of(body: &str) -> Vec<u8> {
    let main = format!("<w:document xmlns:w=\"w\" xmlns:r=\"r\"><w:body>{body}</w:body></w:document>");
    let styles = "<w:styles><w:style w:styleId=\"1\"><w:name w:val=\"heading 1\"/></w:style><w:style w:styleId=\"Q\"><w:name w:val=\"Mine\"/><w:basedOn w:val=\"1\"/></w:style></w:styles>";
    let links = "<Relationships><Relationship Id=\"r1\" Target=\"https://example.org/\" TargetMode=\"External\"/><Relationship Id=\"r2\" Target=\"javascript:x\" TargetMode=\"External\"/></Relationships>";
    let numbering = "<w:numbering><w:abstractNum w:abstractNumId=\"0\"><w:lvl><w:numFmt w:val=\"decimal\"/></w:lvl></w:abstractNum><w:num w:numId=\"4\"><w:abstractNumId w:val=\"0\"/></w:num></w:numbering>";
    let notes =
        "<w:footnotes><w:footnote w:id=\"2\"><w:p><w:r><w:t>x</w:t></w:r></w:p></w:footnote></w:footnotes>";
    let parts = [main.as_str(), styles, links, numbering, notes];
    archive(DOCX_PARTS.into_iter().zip(parts.into_iter().map(str::as_bytes)), true)
}

const CONTAINER: &str = "<container><rootfile full-path=\"OEBPS/book.opf\"/></container>";

/// A book whose parts are parted by bytes 255: the package, then the chapters.
pub fn epub(rest: &[u8]) -> Vec<u8> {
    let names = ["OEBPS/book.opf", "OEBPS/a.xhtml", "OEBPS/b b.xhtml", "OEBPS/text/c.xhtml", "nav.xhtml"];
    let parts = names.into_iter().zip(rest.split(|byte| *byte == 255));
    archive(std::iter::once(("META-INF/container.xml", CONTAINER.as_bytes())).chain(parts), true)
}

/// A book of these chapters.
pub fn epub_of(chapters: &[String]) -> Vec<u8> {
    let names: Vec<String> = (0..chapters.len()).map(|n| format!("{n}.xhtml")).collect();
    let items: Vec<String> =
        names.iter().map(|name| format!("<item id=\"{name}\" href=\"{name}\"/>")).collect();
    let spine: Vec<String> = names.iter().map(|name| format!("<itemref idref=\"{name}\"/>")).collect();
    let package = format!(
        "<package><manifest>{}</manifest><spine>{}</spine></package>",
        items.concat(),
        spine.concat()
    );
    let inside: Vec<String> = names.iter().map(|name| format!("OEBPS/{name}")).collect();
    let parts = [("META-INF/container.xml", CONTAINER.as_bytes()), ("OEBPS/book.opf", package.as_bytes())];
    let chapters = inside.iter().zip(chapters).map(|(name, text)| (name.as_str(), text.as_bytes()));
    archive(parts.into_iter().chain(chapters), false)
}

const FIELDS: [&str; 12] = [
    "From: =?utf-8?B?5p2O5bCP6Zuo?= <li@example.org>\r\n",
    "Subject: Fwd: =?utf-8?Q?River_=E6=B2=B3_7?=\r\n",
    "Date: Wed, 9 Jul 2025 10:00:00 +0800\r\n",
    "Content-Type: text/plain; charset=utf-8\r\n",
    "Content-Type: text/html; charset=gb2312\r\n",
    "Content-Type: multipart/mixed; boundary=x\r\n",
    "Content-Type: multipart/alternative; boundary=y\r\n",
    "Content-Transfer-Encoding: base64\r\n",
    "Content-Transfer-Encoding: quoted-printable\r\n",
    "Content-Type: message/rfc822\r\n",
    "Content-Type: image/png; name=p.png\r\nContent-ID: <p1>\r\n",
    "Content-Disposition: attachment\r\n",
];

/// A letter: bytes below 16 are a field, an end of fields, or a border between parts; the way chooses the first fields.
pub fn letter(way: u8, rest: &[u8]) -> Vec<u8> {
    let heads: &[&[usize]] = &[&[0, 1, 2, 3], &[1, 4], &[5], &[1, 5], &[6], &[1, 2, 3, 8], &[4, 7], &[]];
    let mut out = Vec::new();
    for field in heads[usize::from(way) % heads.len()] {
        out.extend_from_slice(FIELDS[*field].as_bytes());
    }
    if way != 7 {
        out.extend_from_slice(b"\r\n");
    }
    for &byte in rest {
        match byte {
            0..=8 => out.extend_from_slice(FIELDS[usize::from(byte)].as_bytes()),
            11 => out.extend_from_slice(FIELDS[9].as_bytes()),
            12 => out.extend_from_slice(FIELDS[10].as_bytes()),
            14 => out.extend_from_slice(b"\r\n--x\r\n"),
            15 => out.extend_from_slice(b"\r\n--y\r\n"),
            16 => out.extend_from_slice(b"\r\n--x--\r\n"),
            17 => out.extend_from_slice(b"\r\n\r\n"),
            18 => out.extend_from_slice(FIELDS[11].as_bytes()),
            _ => out.push(byte),
        }
    }
    out
}
