//! A text cut into rows and cells, with a bound on each row: a quote that is never closed costs its own line, not the file.

use std::{
    collections::VecDeque,
    io::{self, BufRead as _, BufReader, Read},
};

use csv_core::ReadRecordResult;

use super::writing::{Text, Writing};

/// The most bytes of one row.
pub const LONGEST_ROW: usize = 64 * 1024;

/// The most lines of one row: a quoted cell may have line ends in it.
const MOST_LINES: usize = 200;

/// A row as it stands there.
pub(super) struct Record {
    /// Its first line, counted from 1.
    pub(super) line: u64,
    /// Its cells, or why it has none.
    pub(super) cells: Result<Vec<String>, String>,
}

/// The rows of a text.
pub(super) struct Records<R> {
    text: BufReader<Text<R>>,
    separator: u8,
    reader: csv_core::Reader,
    /// Lines that were read in vain as the rest of a quoted cell.
    back: VecDeque<Line>,
    /// How many lines were read from the text.
    lines: u64,
    /// Whether the next line only says what the separator is.
    skip: bool,
}

struct Line {
    number: u64,
    /// With the line feed at its end, but for the last.
    bytes: Vec<u8>,
    too_long: bool,
}

impl<R: Read> Records<R> {
    pub(super) fn of(file: R, writing: Writing) -> Self {
        let text = BufReader::with_capacity(64 * 1024, writing.text(file));
        let (separator, skip) = (writing.separator, writing.says_separator);
        let reader = csv_core::ReaderBuilder::new().delimiter(separator).build();
        Self { text, separator, reader, back: VecDeque::new(), lines: 0, skip }
    }

    /// The next line, with any of the three line ends made a line feed.
    fn line(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.back.pop_front() {
            return Ok(Some(line));
        }
        let mut line = Line { number: self.lines + 1, bytes: Vec::new(), too_long: false };
        loop {
            let buffer = match self.text.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer.is_empty() {
                break;
            }
            let end = buffer.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let part = &buffer[..end.unwrap_or(buffer.len())];
            let room = LONGEST_ROW.saturating_sub(line.bytes.len());
            line.too_long |= part.len() > room;
            line.bytes.extend_from_slice(&part[..part.len().min(room)]);
            let Some(end) = end else {
                let length = buffer.len();
                self.text.consume(length);
                continue;
            };
            let carriage_return = buffer[end] == b'\r';
            self.text.consume(end + 1);
            if carriage_return && self.text.fill_buf()?.first() == Some(&b'\n') {
                self.text.consume(1);
            }
            line.bytes.push(b'\n');
            break;
        }
        if line.bytes.is_empty() {
            return Ok(None);
        }
        self.lines += 1;
        Ok(Some(line))
    }

    fn record(&mut self) -> io::Result<Option<Record>> {
        let Some(first) = self.line()? else { return Ok(None) };
        let line = first.number;
        let told = |reason: String| Ok(Some(Record { line, cells: Err(reason) }));
        if first.too_long {
            return told(format!("the line is longer than {LONGEST_ROW} bytes"));
        }
        let mut row = first.bytes;
        let (mut open, _) = ends_quoted(&row, self.separator, false);
        let mut more: VecDeque<Line> = VecDeque::new();
        while open {
            let next = self.line()?;
            let fits = |next: &Line| {
                !next.too_long && more.len() < MOST_LINES && row.len() + next.bytes.len() <= LONGEST_ROW
            };
            let ended = next.as_ref().map(|next| ends_quoted(&next.bytes, self.separator, true));
            match (next, ended) {
                // A mark that closes no cell belongs to another row.
                (Some(next), Some((ends, true))) if fits(&next) => {
                    open = ends;
                    row.extend_from_slice(&next.bytes);
                    more.push_back(next);
                }
                (next, _) => {
                    // What was taken for the rest of the cell is rows of its own.
                    more.extend(next);
                    more.append(&mut self.back);
                    self.back = more;
                    return told("a quotation mark in it is never closed".to_owned());
                }
            }
        }
        Ok(Some(Record { line, cells: cells(&mut self.reader, &row) }))
    }
}

impl<R: Read> Iterator for Records<R> {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        if std::mem::take(&mut self.skip)
            && let Err(error) = self.line()
        {
            return Some(Err(error));
        }
        self.record().transpose()
    }
}

/// Whether a cell is open at the end of a line, `quoted` telling whether one was at its beginning; and whether every quoted cell ended
/// where a cell ends. A quotation mark opens only at the beginning of a cell, and two of them in a quoted cell are one.
fn ends_quoted(line: &[u8], separator: u8, mut quoted: bool) -> (bool, bool) {
    let mut at_beginning = !quoted;
    let mut good = true;
    let mut bytes = line.iter().peekable();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'"' if quoted => {
                if bytes.peek() == Some(&&b'"') {
                    bytes.next();
                } else {
                    quoted = false;
                    good &= bytes.peek().is_none_or(|next| **next == separator || **next == b'\n');
                }
            }
            b'"' if at_beginning => {
                quoted = true;
                at_beginning = false;
            }
            _ if !quoted => at_beginning = byte == separator,
            _ => {}
        }
    }
    (quoted, good)
}

/// The cells of one row, whole and ended by a line feed.
fn cells(reader: &mut csv_core::Reader, row: &[u8]) -> Result<Vec<String>, String> {
    reader.reset();
    // Cells are never longer than their row, and there are no more of them than bytes.
    let (mut text, mut ends) = (vec![0; row.len()], vec![0; row.len() + 1]);
    let (mut read, mut written, mut n_cells) = (0, 0, 0);
    loop {
        let (result, n_read, n_written, n_ended) =
            reader.read_record(&row[read..], &mut text[written..], &mut ends[n_cells..]);
        (read, written, n_cells) = (read + n_read, written + n_written, n_cells + n_ended);
        match result {
            // Asked once more without input, it ends.
            ReadRecordResult::InputEmpty => {}
            ReadRecordResult::Record | ReadRecordResult::End => break,
            ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                return Err("it is no row of a table".to_owned());
            }
        }
    }
    let begins = std::iter::once(0).chain(ends.iter().copied());
    let cells = begins.zip(&ends[..n_cells]).map(|(begin, end)| &text[begin..*end]);
    Ok(cells.map(|cell| String::from_utf8_lossy(cell).trim_matches('\u{FEFF}').to_owned()).collect())
}
