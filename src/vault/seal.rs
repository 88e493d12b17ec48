//! The end of a backup: the hash of all that stands before it, so that no changed or missing byte is passed over.
//!
//! It is a frame that zstd skips, so that other programs unpack the archive as it is.

use std::io::{self, Read, Write};

/// A skippable frame of zstd (RFC 8878, section 3.1.2), then the length of what is in it.
const HEAD: [u8; 8] = [0x5A, 0x2A, 0x4D, 0x18, 32, 0, 0, 0];

/// How long a seal is.
pub(super) const LENGTH: u64 = 40;

/// How every archive begins: a frame of zstd.
pub(super) const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// Writes through, and hashes and counts what it writes.
pub(super) struct Hashing<W> {
    inner: W,
    hasher: blake3::Hasher,
    pub(super) length: u64,
}

impl<W> Hashing<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, hasher: blake3::Hasher::new(), length: 0 }
    }

    pub(super) fn hash(&self) -> blake3::Hash {
        self.hasher.finalize()
    }
}

impl<W: Write> Hashing<W> {
    /// Seals what was written. Gives what it was written to, and its whole length.
    pub(super) fn seal(mut self) -> io::Result<(W, u64)> {
        let hash = self.hash();
        self.inner.write_all(&HEAD)?;
        self.inner.write_all(hash.as_bytes())?;
        Ok((self.inner, self.length + LENGTH))
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.hasher.update(bytes.get(..n).unwrap_or_default());
        self.length += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.hasher.update(buffer.get(..n).unwrap_or_default());
        self.length += n as u64;
        Ok(n)
    }
}

/// Whether these last bytes of a file are the seal of what has this hash.
pub(super) fn is_of(seal: &[u8], hash: &blake3::Hash) -> bool {
    seal.strip_prefix(&HEAD).is_some_and(|sealed| sealed == hash.as_bytes())
}
