//! How a table is written: its charset, and the character between its columns.

use std::io::{self, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, Encoding, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE};

/// How much is read at a time.
const CHUNK: usize = 64 * 1024;

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Writing {
    charset: &'static Encoding,
    /// What stands between its columns.
    pub separator: u8,
    /// Whether its first line only says which that is, as Excel writes it: `sep=;`.
    pub says_separator: bool,
}

impl Writing {
    /// How a table is written, found by going through it once.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(mut file: impl Read) -> io::Result<Self> {
        let mut survey = Survey::default();
        let mut beginning = Vec::new();
        let mut chunk = vec![0; CHUNK];
        loop {
            let n = match file.read(&mut chunk) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if beginning.len() < CHUNK {
                beginning.extend_from_slice(&chunk[..n]);
            }
            if marked(&beginning).is_some() {
                break;
            }
            survey.sees(&chunk[..n]);
        }
        let charset =
            marked(&beginning).or_else(|| without_mark(&beginning)).unwrap_or_else(|| survey.charset());
        let (head, _) = charset.decode_with_bom_removal(&beginning);
        let (separator, says_separator) = separator(head.trim_start_matches('\u{FEFF}'));
        Ok(Self { charset, separator, says_separator })
    }

    /// The charset's name in the WHATWG Encoding Standard.
    #[must_use]
    pub fn charset(&self) -> &'static str {
        self.charset.name()
    }

    /// The text of a file that is written like this.
    pub(super) fn text<R: Read>(self, file: R) -> Text<R> {
        Text {
            file,
            decoder: self.charset.new_decoder_with_bom_removal(),
            raw: vec![0; CHUNK],
            begin: 0,
            end: 0,
            ended: false,
            done: false,
            decoded: String::with_capacity(CHUNK),
            at: 0,
        }
    }
}

/// The charset whose mark stands in front.
fn marked(bytes: &[u8]) -> Option<&'static Encoding> {
    if bytes.starts_with(b"\x84\x31\x95\x33") {
        return Some(GB18030);
    }
    Encoding::for_bom(bytes).map(|(charset, _)| charset)
}

/// UTF-16 without a mark: addresses are ASCII, so every other byte of much of it is zero.
fn without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let zeros = |from: usize| bytes.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let much = bytes.len() / 8;
    match () {
        () if bytes.len() < 4 => None,
        () if odd > much && odd > 4 * even => Some(UTF_16LE),
        () if even > much && even > 4 * odd => Some(UTF_16BE),
        () => None,
    }
}

/// Goes through bytes of which nothing is known.
struct Survey {
    detector: EncodingDetector,
    /// The beginning of a character of UTF-8 whose end has not come.
    rest: Vec<u8>,
    /// Bytes beyond ASCII that are UTF-8, and those that are not.
    good: u64,
    bad: u64,
}

impl Default for Survey {
    fn default() -> Self {
        let detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        Self { detector, rest: Vec::new(), good: 0, bad: 0 }
    }
}

impl Survey {
    fn sees(&mut self, chunk: &[u8]) {
        self.detector.feed(chunk, false);
        if self.rest.is_empty() && chunk.is_ascii() {
            return;
        }
        let mut bytes = std::mem::take(&mut self.rest);
        bytes.extend_from_slice(chunk);
        let mut left = bytes.as_slice();
        loop {
            let error = match std::str::from_utf8(left) {
                Ok(valid) => {
                    self.good += beyond_ascii(valid.as_bytes());
                    break;
                }
                Err(error) => error,
            };
            let (valid, wrong) = left.split_at(error.valid_up_to());
            self.good += beyond_ascii(valid);
            let Some(length) = error.error_len() else {
                self.rest = wrong.to_vec();
                break;
            };
            self.bad += length as u64;
            left = wrong.get(length..).unwrap_or_default();
        }
    }

    /// Most of what is beyond ASCII being UTF-8, a wrong byte is damage to its row, and no other charset.
    fn charset(mut self) -> &'static Encoding {
        self.bad += self.rest.len() as u64;
        if self.bad == 0 || self.good >= 4 * self.bad {
            return UTF_8;
        }
        self.detector.feed(b"", true);
        let guess = self.detector.guess(None, Utf8Detection::Deny);
        // GB 18030 holds all of GBK, and files that say GBK hold characters of the larger set.
        if guess == GBK { GB18030 } else { guess }
    }
}

fn beyond_ascii(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| !byte.is_ascii()).count() as u64
}

/// What stands between the columns of the first row, and whether that row only says so.
fn separator(text: &str) -> (u8, bool) {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim_end();
    if let Some(said) = first.strip_prefix("sep=")
        && let [said] = said.as_bytes()
        && (said.is_ascii_punctuation() || *said == b'\t')
    {
        return (*said, true);
    }
    let mut quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)];
    for byte in first.bytes() {
        quoted ^= byte == b'"';
        for (separator, count) in &mut counts {
            *count += usize::from(!quoted && byte == *separator);
        }
    }
    // Of as many of two kinds, the first.
    let most = counts.iter().rev().max_by_key(|(_, count)| *count);
    (most.map_or(b',', |(separator, _)| *separator), false)
}

/// A file as UTF-8, with line feeds alone at the ends of lines.
pub(super) struct Text<R> {
    file: R,
    decoder: Decoder,
    raw: Vec<u8>,
    begin: usize,
    end: usize,
    /// The file has no more bytes; the decoder has given all it had.
    ended: bool,
    done: bool,
    decoded: String,
    at: usize,
}

impl<R: Read> Text<R> {
    /// More text, and whether there was any.
    fn fill(&mut self) -> io::Result<bool> {
        while !self.done {
            if self.begin == self.end && !self.ended {
                (self.begin, self.end) = (0, self.file.read(&mut self.raw)?);
                self.ended = self.end == 0;
            }
            self.decoded.clear();
            self.at = 0;
            self.decoded.reserve(CHUNK);
            let raw = &self.raw[self.begin..self.end];
            let (result, read, _) = self.decoder.decode_to_string(raw, &mut self.decoded, self.ended);
            self.begin += read;
            self.done = self.ended && result == encoding_rs::CoderResult::InputEmpty;
            if !self.decoded.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.decoded.len() && !self.fill()? {
            return Ok(0);
        }
        let rest = &self.decoded.as_bytes()[self.at..];
        let n = rest.len().min(into.len());
        into[..n].copy_from_slice(&rest[..n]);
        self.at += n;
        Ok(n)
    }
}
