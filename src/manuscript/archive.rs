//! Archives that hold a manuscript in XML (`.docx`, `.epub`): only parts that we name are read, into memory, within bounds.

use std::io::{Cursor, Read as _};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;
use zip::result::ZipError;

use crate::typography;

use super::companions::Companion;
use super::{MAX_BYTES, MAX_PICTURE_BYTES, Unreadable};

/// The most entries of an archive: a book of a thousand chapters and a thousand pictures.
const MAX_ENTRIES: usize = 2000;

/// The most bytes that all parts we read may unpack to: twice the longest text, for its mark-up.
const MAX_UNPACKED: u64 = 2 * MAX_BYTES as u64;

/// A part may unpack to so many times its size; XML packs to a twentieth, a bomb to a thousandth.
const MAX_RATIO: u64 = 200;

/// A part of this size is no bomb, whatever its ratio.
const HARMLESS: u64 = 1_000_000;

/// How deep elements may stand in each other. Word's own writing has some twenty, with nested tables a hundred.
const MAX_DEPTH: usize = 2000;

/// An archive that is open for reading.
pub(super) struct Archive<'b> {
    zip: ZipArchive<Cursor<&'b [u8]>>,
    extension: &'static str,
    /// The size of the whole archive: no part of it is packed into more.
    length: u64,
    left: u64,
}

impl<'b> Archive<'b> {
    pub(super) fn open(bytes: &'b [u8], extension: &'static str) -> Result<Self, Unreadable> {
        let damaged = |_| refusal(extension, "it is damaged or something else; save or copy it again");
        let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
        if zip.len() > MAX_ENTRIES {
            let reason = format!("it has {} parts, and at most {MAX_ENTRIES} are read; split it", zip.len());
            return Err(refusal(extension, &reason));
        }
        if zip.has_overlapping_files().unwrap_or(true) {
            return Err(refusal(extension, "its parts lie one over the other; save it again"));
        }
        Ok(Self { zip, extension, length: bytes.len() as u64, left: MAX_UNPACKED })
    }

    /// The text of a part, or `None` when there is no such part.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Unreadable> {
        let Some((bytes, whole)) = self.part(name, MAX_BYTES as u64)? else { return Ok(None) };
        if !whole {
            return Err(self.too_much());
        }
        let (text, _) = super::charset::decode(&bytes, true)?;
        Ok(Some(text))
    }

    /// A picture, or `None` when there is no such part.
    pub(super) fn picture(&mut self, name: &str) -> Result<Option<Companion>, Unreadable> {
        let most = MAX_PICTURE_BYTES as u64;
        let Some((bytes, whole)) = self.part(name, most)? else { return Ok(None) };
        Ok(Some(if whole { Companion::Picture(bytes) } else { Companion::Large(most + 1) }))
    }

    /// At most so many bytes of a part, and whether these are all.
    fn part(&mut self, name: &str, most: u64) -> Result<Option<(Vec<u8>, bool)>, Unreadable> {
        let extension = self.extension;
        let entry = match self.zip.by_name(name) {
            Ok(entry) => entry,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(ZipError::UnsupportedArchive(reason)) if reason == ZipError::PASSWORD_REQUIRED => {
                return Err(refusal(extension, "it is locked with a password; save it without one"));
            }
            Err(_) => return Err(refusal(extension, "it is damaged; save or copy it again")),
        };
        // What the header claims is no measure: the bytes that come out are counted.
        let packed = entry.compressed_size().min(self.length);
        let bomb = packed.saturating_mul(MAX_RATIO).max(HARMLESS);
        let bound = bomb.min(self.left);
        let mut bytes = Vec::new();
        let read = entry.take(bound.min(most) + 1).read_to_end(&mut bytes);
        if read.is_err() {
            return Err(refusal(extension, "it is damaged; save or copy it again"));
        }
        let length = bytes.len() as u64;
        if length > bound {
            return Err(self.too_much());
        }
        self.left -= length;
        Ok(Some((bytes, length <= most)))
    }

    fn too_much(&self) -> Unreadable {
        refusal(self.extension, "it unpacks to far more than a text has; leave out what is not text")
    }

    /// A part that must be there.
    pub(super) fn needed(&mut self, name: &str) -> Result<String, Unreadable> {
        let reason = format!("it has no part `{name}`; save or copy it again");
        self.text(name)?.ok_or_else(|| refusal(self.extension, &reason))
    }
}

/// Why an archive cannot be read.
pub(super) fn refusal(extension: &'static str, reason: &str) -> Unreadable {
    Unreadable::Container { extension, reason: reason.to_owned() }
}

/// A piece of XML.
#[derive(Clone, Copy)]
pub(super) enum Node<'x> {
    Open(&'x Element<'x>),
    Close(&'x str),
    Text(&'x str),
}

/// A start tag.
pub(super) struct Element<'x> {
    /// Its name without its prefix.
    pub(super) name: &'x str,
    tag: &'x BytesStart<'x>,
}

impl Element<'_> {
    /// The value of an attribute, by its name without prefix: what of it can be printed.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        let mut attributes = self.tag.attributes();
        attributes.with_checks(false);
        let found =
            attributes.flatten().find(|attribute| attribute.key.local_name().as_ref() == name.as_bytes())?;
        let value = String::from_utf8_lossy(&found.value);
        let text = quick_xml::escape::unescape(&value);
        Some(typography::printable(text.as_deref().unwrap_or(&value)).into_owned())
    }
}

/// Walks through XML without entities of its own; `visit` sees an empty element as one that opens and closes.
pub(super) fn walk(
    text: &str,
    extension: &'static str,
    mut visit: impl FnMut(Node<'_>),
) -> Result<(), Unreadable> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    // An entity may name any character.
    let mut visit = |node: Node<'_>| match node {
        Node::Text(text) => visit(Node::Text(&typography::printable(text))),
        node => visit(node),
    };
    let mut depth = 0_usize;
    loop {
        let event = reader.read_event();
        match event.map_err(|_| refusal(extension, "its XML is broken; save or copy it again"))? {
            Event::Eof => return Ok(()),
            Event::DocType(_) => {
                return Err(refusal(
                    extension,
                    "its XML has a DOCTYPE, which no writing program makes; save it again",
                ));
            }
            Event::Start(tag) => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(refusal(extension, "its XML is nested without end; save it again"));
                }
                let name = String::from_utf8_lossy(tag.local_name().as_ref()).into_owned();
                visit(Node::Open(&Element { name: &name, tag: &tag }));
            }
            Event::Empty(tag) => {
                let name = String::from_utf8_lossy(tag.local_name().as_ref()).into_owned();
                visit(Node::Open(&Element { name: &name, tag: &tag }));
                visit(Node::Close(&name));
            }
            Event::End(tag) => {
                depth = depth.saturating_sub(1);
                visit(Node::Close(&String::from_utf8_lossy(tag.local_name().as_ref())));
            }
            Event::Text(text) => visit(Node::Text(&text.xml10_content().unwrap_or_default())),
            Event::CData(text) => visit(Node::Text(&text.xml10_content().unwrap_or_default())),
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().ok().flatten();
                let name = reference.decode().unwrap_or_default();
                let known = quick_xml::escape::resolve_predefined_entity(&name);
                let own = character.map(String::from).or_else(|| known.map(str::to_owned));
                visit(Node::Text(&own.unwrap_or_else(|| format!("&{name};"))));
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}
