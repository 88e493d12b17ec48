//! Deflate (RFC 1951) for the entries of books and for packed pages: by `libdeflate`, which packs whole texts in half the time of zlib.

use std::cell::RefCell;

use libdeflater::{CompressionError, CompressionLvl, Compressor, Crc};

/// How much a text is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// The first level: for what is packed anew with every issue. A third of the time of zlib's sixth level; of Chinese prose one
    /// in a hundred more bytes.
    Quick,
    /// The second: half the time of zlib's sixth level; of Chinese prose no more bytes, and one in a hundred less is all that
    /// libdeflate's own sixth level would give for twice the time.
    Fair,
}

impl Effort {
    fn level(self) -> CompressionLvl {
        let level = match self {
            Self::Quick => 1,
            Self::Fair => 2,
        };
        CompressionLvl::new(level).expect("libdeflate has twelve levels")
    }
}

thread_local! {
    // A packer has half a megabyte of tables, which would otherwise be asked of the machine for each page of a book.
    static PACKERS: RefCell<Vec<(Effort, Compressor)>> = const { RefCell::new(Vec::new()) };
}

/// The bytes packed, as the entry of a zip has them; the same bytes for the same text.
#[must_use]
pub fn deflate(bytes: &[u8], effort: Effort) -> Vec<u8> {
    with_packer(effort, |packer| {
        let bound = packer.deflate_compress_bound(bytes.len());
        fill(bound, |packed| packer.deflate_compress(bytes, packed))
    })
}

/// The bytes packed as a gzip file (RFC 1952) without name and time.
#[must_use]
pub fn gzip(bytes: &[u8], effort: Effort) -> Vec<u8> {
    with_packer(effort, |packer| {
        let bound = packer.gzip_compress_bound(bytes.len());
        fill(bound, |packed| packer.gzip_compress(bytes, packed))
    })
}

/// The checksum of a zip's entry (CRC-32 of RFC 1952 §8).
#[must_use]
pub fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// What is written into so many bytes at most.
fn fill(bound: usize, pack: impl FnOnce(&mut [u8]) -> Result<usize, CompressionError>) -> Vec<u8> {
    let mut packed = vec![0; bound];
    let length = pack(&mut packed).expect("a text takes no more room than libdeflate says");
    packed.truncate(length);
    packed
}

fn with_packer<T>(effort: Effort, work: impl FnOnce(&mut Compressor) -> T) -> T {
    PACKERS.with_borrow_mut(|packers| {
        let known = packers.iter().position(|(known, _)| *known == effort);
        let at = known.unwrap_or_else(|| {
            packers.push((effort, Compressor::new(effort.level())));
            packers.len() - 1
        });
        work(&mut packers[at].1)
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn what_is_packed_comes_out_again() {
        for text in ["", "桥", &"灯火通明。".repeat(9000)] {
            for effort in [Effort::Quick, Effort::Fair] {
                let mut plain = String::new();
                let packed = deflate(text.as_bytes(), effort);
                flate2::read::DeflateDecoder::new(&*packed).read_to_string(&mut plain).expect("deflate");
                assert_eq!(plain, text);
                plain.clear();
                flate2::read::GzDecoder::new(&*gzip(text.as_bytes(), effort))
                    .read_to_string(&mut plain)
                    .expect("gzip");
                assert_eq!(plain, text);
            }
            assert_eq!(checksum(text.as_bytes()), crc32fast::hash(text.as_bytes()));
        }
    }
}
