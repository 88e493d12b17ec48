//! The packed forms of a text, made once when it is put out, so that no reader waits for packing.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::deflate::{self, Effort};

/// A way of packing that readers' programs may ask for (RFC 9110 §8.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coding {
    /// Brotli (RFC 7932).
    Brotli,
    /// Zstandard (RFC 8878).
    Zstandard,
    /// gzip (RFC 1952), which everybody knows.
    Gzip,
}

impl Coding {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Brotli, Self::Zstandard, Self::Gzip];

    /// Its name in the head of a request or an answer.
    #[must_use]
    pub fn token(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstandard => "zstd",
            Self::Gzip => "gzip",
        }
    }

    /// How the names of its files end.
    fn extension(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstandard => "zst",
            Self::Gzip => "gz",
        }
    }
}

/// Shorter texts fit into one packet of a network, packed or not.
const LEAST: usize = 1000;

/// What is not smaller by a tenth is not worth a file.
const WORTH: (usize, usize) = (9, 10);

/// For which sizes Brotli and Zstandard are made beside gzip. Of a shorter text they save a few hundred bytes, for three times the files
/// of an issue. Longer ones are the feeds that every publish packs anew: there Brotli's fifth level takes six times as long as gzip by
/// `libdeflate`, for two in a hundred fewer bytes of English prose and none of Chinese, and Zstandard as long for more.
const MIDDLING: std::ops::Range<usize> = 16_000..64_000;

/// From this size on, a text is packed quickly.
const LONG: usize = 128_000;

/// Brotli's fifth level: a third of the time of the ninth, for two in a hundred more bytes of Chinese prose.
const BROTLI: i32 = 5;
/// The window of Brotli, as a power of 2.
const WINDOW: i32 = 20;
/// Zstandard's third level: a quarter of the time of the sixth. Who asks for it and not for the others wants to unpack quickly.
const ZSTANDARD: i32 = 3;

/// Whether a text of that length is packed in a way.
fn is_worth(coding: Coding, path: &str, length: usize) -> bool {
    match coding {
        Coding::Gzip => length >= LEAST,
        Coding::Brotli | Coding::Zstandard => {
            MIDDLING.contains(&length) && !LISTS.iter().any(|folder| path.starts_with(folder))
        }
    }
}

/// Lists that come anew with every issue and are seldom asked for: catalogues, maps of the site, and the pages of years, authors and
/// sections. Those ask for catalogues and maps who are content with gzip; on a page of 30 kB Brotli saves one packet.
const LISTS: [&str; 5] = ["opds/", "sitemaps/", "archive/", "authors/", "sections/"];

/// Whether files of a name are texts. Books and pictures are packed in themselves.
pub(super) fn is_packable(path: &str) -> bool {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    ["html", "xml", "css", "json", "opml", "svg", "txt"].contains(&extension)
}

/// Where the packed form of a file lies.
pub(super) fn beside(path: &Path, coding: Coding) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(coding.extension());
    path.with_file_name(name)
}

/// The packed forms of a file in all ways, those that everybody knows last; `None` where one is not worth it. What is no text has none.
pub(super) type Packed = Vec<(Coding, Option<Vec<u8>>)>;

/// Packs a file.
pub(super) fn pack_all(path: &str, bytes: &[u8]) -> io::Result<Packed> {
    let codings = Coding::ALL.into_iter().filter(|_| is_packable(path));
    codings.map(|coding| Ok((coding, pack(coding, path, bytes)?))).collect()
}

/// Packs a text, the same way each time; `None` where that is not worth it.
fn pack(coding: Coding, path: &str, bytes: &[u8]) -> io::Result<Option<Vec<u8>>> {
    if !is_worth(coding, path, bytes.len()) {
        return Ok(None);
    }
    let packed = match coding {
        Coding::Brotli => {
            let mut packer = brotli::CompressorWriter::with_params(
                Vec::new(),
                1 << 16,
                &brotli::enc::BrotliEncoderParams {
                    quality: BROTLI,
                    lgwin: WINDOW,
                    size_hint: bytes.len(),
                    ..brotli::enc::BrotliEncoderParams::default()
                },
            );
            packer.write_all(bytes)?;
            packer.into_inner()
        }
        Coding::Zstandard => zstd::bulk::compress(bytes, ZSTANDARD)?,
        Coding::Gzip => deflate::gzip(bytes, if bytes.len() < LONG { Effort::Fair } else { Effort::Quick }),
    };
    Ok((packed.len() * WORTH.1 < bytes.len() * WORTH.0).then_some(packed))
}

/// The text of a packed form.
#[cfg(test)]
pub(super) fn unpack(coding: Coding, packed: &[u8]) -> io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    match coding {
        Coding::Brotli => _ = brotli::Decompressor::new(packed, 4096).read_to_end(&mut bytes)?,
        Coding::Zstandard => bytes = zstd::decode_all(packed)?,
        Coding::Gzip => _ = flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes)?,
    }
    Ok(bytes)
}
