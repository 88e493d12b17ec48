//! A book's archive: a zip (PKWARE's APPNOTE 6.3.10, as OCF 3.3 §4 wants it) that is written from front to back, entry by entry.
//!
//! The `zip` crate packs by zlib only, and takes no entry that is packed already: that was half the time of a book.

use std::io::{self, Write};

use crate::deflate::{self, Effort};

const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// What a program must know to read it: deflate, and no more.
const VERSION: u16 = 20;
/// The first day that a zip can tell, 1 January 1980.
const DAY: u16 = 0x21;
/// Made where files have the rights of Unix; and these: a plain file that all may read.
const MADE_BY: u16 = 3 << 8 | VERSION;
const RIGHTS: u32 = 0o100_644 << 16;

/// A zip on its way out.
pub(super) struct Archive<'a> {
    out: &'a mut dyn Write,
    at: u64,
    /// The central directory.
    directory: Vec<u8>,
    n_entries: u16,
}

impl<'a> Archive<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, at: 0, directory: Vec::new(), n_entries: 0 }
    }

    /// Adds a text, packed.
    ///
    /// # Errors
    /// When it cannot be written, or the archive would be too large for one.
    pub(super) fn pack(&mut self, name: &str, text: &[u8]) -> io::Result<()> {
        let packed = deflate::deflate(text, Effort::Fair);
        self.entry(name, &packed, text.len(), deflate::checksum(text), DEFLATED)
    }

    /// Adds a file as it is: what is packed in itself, and `mimetype`.
    ///
    /// # Errors
    /// As [`Archive::pack`].
    pub(super) fn store(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.entry(name, bytes, bytes.len(), deflate::checksum(bytes), STORED)
    }

    fn entry(
        &mut self,
        name: &str,
        bytes: &[u8],
        length: usize,
        checksum: u32,
        method: u16,
    ) -> io::Result<()> {
        let mut facts = Vec::with_capacity(26);
        facts.extend(VERSION.to_le_bytes());
        // No flags: names are ASCII, and the lengths are known here.
        facts.extend(0_u16.to_le_bytes());
        facts.extend(method.to_le_bytes());
        facts.extend(0_u16.to_le_bytes());
        facts.extend(DAY.to_le_bytes());
        facts.extend(checksum.to_le_bytes());
        facts.extend(number(bytes.len())?);
        facts.extend(number(length)?);
        facts.extend(u16::try_from(name.len()).map_err(|_| too_large())?.to_le_bytes());
        facts.extend(0_u16.to_le_bytes());

        self.directory.extend(b"PK\x01\x02");
        self.directory.extend(MADE_BY.to_le_bytes());
        self.directory.extend(&facts);
        // No comment, the first disk, no attributes of the content.
        self.directory.extend([0; 6]);
        self.directory.extend(RIGHTS.to_le_bytes());
        self.directory.extend(number(self.at)?);
        self.directory.extend(name.as_bytes());
        self.n_entries = self.n_entries.checked_add(1).ok_or_else(too_large)?;

        self.write(b"PK\x03\x04")?;
        self.write(&facts)?;
        self.write(name.as_bytes())?;
        self.write(bytes)
    }

    /// Writes the directory.
    ///
    /// # Errors
    /// As [`Archive::pack`].
    pub(super) fn finish(mut self) -> io::Result<()> {
        let directory = std::mem::take(&mut self.directory);
        let mut end = b"PK\x05\x06\0\0\0\0".to_vec();
        end.extend(self.n_entries.to_le_bytes());
        end.extend(self.n_entries.to_le_bytes());
        end.extend(number(directory.len())?);
        end.extend(number(self.at)?);
        end.extend(0_u16.to_le_bytes());
        self.write(&directory)?;
        self.write(&end)?;
        self.out.flush()
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.at += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

fn number(n: impl TryInto<u32>) -> io::Result<[u8; 4]> {
    n.try_into().map(u32::to_le_bytes).map_err(|_| too_large())
}

/// More would be a zip of another kind (Zip64), which few e-readers can open.
fn too_large() -> io::Error {
    io::Error::new(
        io::ErrorKind::FileTooLarge,
        "a book holds at most 65,535 files and 4 GiB; bind fewer issues in one",
    )
}
