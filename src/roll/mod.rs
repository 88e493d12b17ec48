//! The roll of subscribers as a table (CSV): read from what any program wrote, written so that it reads back to the same.
//!
//! A file is gone through twice, once to see how it is written ([`Writing::of`]) and once for its rows ([`Rows`]); neither has more of
//! it in memory than one row. Each row is an [`Entry`] or a [`Problem`] with its line: never a guess.

mod columns;
mod importing;
mod origins;
mod records;
mod rehearsing;
mod values;
mod writing;

use std::io::{self, Read};

use jiff::{Timestamp, tz::TimeZone};

pub use self::{
    columns::{Columns, Unusable},
    importing::{PAGE, Totals, export, import},
    origins::Origin,
    records::LONGEST_ROW,
    rehearsing::{NoRehearsal, Rehearsal},
    values::{COLUMNS, quoted_formula, row_of, unquoted_formula},
    writing::Writing,
};
use crate::{ledger::Entry, subscriber::Standing};
use records::{Record, Records};

/// A row that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line of the file on which it begins, counted from 1.
    pub line: u64,
    /// Who it is.
    pub entry: Entry,
}

/// A row that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line of the file on which it begins, counted from 1.
    pub line: u64,
    /// What stands in it for an address.
    pub address: String,
    /// Why it cannot be taken.
    pub reason: String,
}

/// What holds of every row that does not say otherwise.
#[derive(Debug, Clone)]
pub struct Assumed {
    /// How they asked; without it, that they were imported, and from where.
    pub how: Option<String>,
    /// From where: the file's name.
    pub from: Option<String>,
    /// When: now.
    pub now: Timestamp,
    /// Where times without a zone are told.
    pub time_zone: TimeZone,
    /// What everybody in it is at least: a list of those who left stays one.
    pub standing: Standing,
}

/// The rows of a file.
pub struct Rows<R> {
    records: Records<R>,
    columns: Columns,
    assumed: Assumed,
    /// The first row, where the file has no head.
    first: Option<Record>,
}

impl<R: Read> Rows<R> {
    /// The rows of a file that is written like that.
    ///
    /// # Errors
    /// When it cannot be read, or no column of it has addresses.
    pub fn of(file: R, writing: Writing, assumed: Assumed) -> Result<Self, Unreadable> {
        let mut records = Records::of(file, writing);
        let head = loop {
            match records.next().transpose()? {
                Some(Record { cells: Ok(cells), .. }) if cells.iter().all(|cell| cell.trim().is_empty()) => {}
                Some(record) => break record,
                None => return Err(Unreadable::Unusable(Unusable::Empty)),
            }
        };
        let Ok(cells) = &head.cells else { return Err(Unreadable::Unusable(Unusable::NoHead)) };
        let (columns, has_head) = Columns::of(cells)?;
        let assumed = Assumed { how: assumed.how.or_else(|| Some(imported(columns.origin))), ..assumed };
        Ok(Self { records, columns, assumed, first: (!has_head).then_some(head) })
    }

    /// The program that wrote the file, where that is known.
    #[must_use]
    pub fn origin(&self) -> Option<&'static Origin> {
        self.columns.origin
    }
}

/// How they asked of whom nothing else is known.
fn imported(origin: Option<&Origin>) -> String {
    origin.map_or_else(
        || "imported by the operator".to_owned(),
        |origin| format!("imported by the operator from {}", origin.name),
    )
}

/// Why a file cannot be gone through.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The disk says so.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// It is no table of subscribers.
    #[error(transparent)]
    Unusable(#[from] Unusable),
}

impl<R: Read> Iterator for Rows<R> {
    type Item = io::Result<Result<Row, Problem>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let record =
                match self.first.take().map_or_else(|| self.records.next(), |first| Some(Ok(first)))? {
                    Ok(record) => record,
                    Err(error) => return Some(Err(error)),
                };
            let line = record.line;
            let cells = match record.cells {
                Ok(cells) => cells,
                Err(reason) => {
                    return Some(Ok(Err(Problem { line, address: String::new(), reason })));
                }
            };
            if cells.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let row = values::entry(&self.columns, &cells, &self.assumed);
            return Some(Ok(match row {
                Ok(entry) => Ok(Row { line, entry }),
                Err((address, reason)) => Err(Problem { line, address, reason }),
            }));
        }
    }
}

#[cfg(test)]
mod tests;
