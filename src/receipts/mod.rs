//! What reading did to a source: an alignment of the two, from which the source is restored and every repair is listed.
//!
//! **Receipts cannot lie:** they are made after reading from the source and the issue alone, and no pass of the reader has
//! a say in them. The source is cut into runs that stand, character for character, in a piece of the issue, and what is
//! between those. With the issue, that is the source again, to the byte; whatever is no such run is a repair or a mark.

mod pieces;
mod align;
mod repairs;
mod record;
#[cfg(test)]
mod tests;

use crate::{issue::Issue, manuscript::Coding, manuscript::Form, manuscript::Source, proof::Proof};

use align::{Alignment, Run};
pub use record::Record;
pub use repairs::{Kind, Repair};

/// How a source and its reading hang together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipts {
    /// How the source was written.
    pub coding: Coding,
    /// BLAKE3 of the source in hexadecimal.
    pub source: String,
    /// What was done to it: what concerns the whole file, then in the order of the articles, and of lines.
    pub repairs: Vec<Repair>,
    spans: Vec<Span>,
}

/// A part of the source's text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Span {
    /// What stands in a piece of the issue, from that byte on, so many bytes.
    Kept { piece: usize, from: usize, length: usize },
    /// What stands in none: white space, line ends, marks, what was set aside.
    Other(String),
}

impl Receipts {
    /// The receipts of a file and its reading; of any other issue, what that has of the file. `None` where the file is no
    /// text (`.docx`, `.epub`): then the file, which is kept as it is, is its own receipt.
    #[must_use]
    pub fn of(file_name: &str, bytes: &[u8], proof: &Proof) -> Option<Self> {
        let source = Source::of(file_name, bytes)?;
        let pieces = pieces::pieces(&proof.issue);
        let mut alignment = Alignment::of(&source.text);
        let texts: Vec<&str> = pieces.iter().map(|piece| piece.text.as_str()).collect();
        alignment.place(&texts, 0);
        let aside: Vec<&str> = proof.not_used.iter().map(String::as_str).collect();
        alignment.place_each(&aside, pieces.len());
        if source.form == Form::Page {
            alignment.complete(&texts);
        }
        let thorough = alignment.is_thorough();
        let runs = alignment.into_runs();
        let mut repairs = repairs::repairs(&source, proof, &pieces, &runs);
        if !thorough {
            // Of a text that is far larger than any page, nobody can say so.
            repairs.retain(|repair| !matches!(repair.kind, Kind::LeftOut | Kind::Added));
        }
        let spans = spans(&source.text, &runs, pieces.len());
        Some(Self { coding: source.coding, source: source.hash, repairs, spans })
    }

    /// The very bytes of the source, from the issue that it was read as. `None` when that is another issue.
    #[must_use]
    pub fn restore(&self, issue: &Issue) -> Option<Vec<u8>> {
        let pieces = pieces::pieces(issue);
        let mut text = String::new();
        for span in &self.spans {
            text.push_str(match span {
                Span::Kept { piece, from, length } => pieces.get(*piece)?.text.get(*from..*from + *length)?,
                Span::Other(other) => other,
            });
        }
        let bytes = self.coding.write(&text);
        (blake3::hash(&bytes).to_hex().as_str() == self.source).then_some(bytes)
    }
}

/// What to tell about a file that has no receipts.
#[must_use]
pub fn without(file_name: &str) -> String {
    format!("{file_name} is no text file: it has no list of repairs, and is kept as it is")
}

/// The whole source as spans. Runs of texts that are no pieces are in no issue.
fn spans(source: &str, runs: &[Run], n_pieces: usize) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut other = 0;
    for run in runs.iter().filter(|run| run.text < n_pieces) {
        if other < run.at.start {
            spans.push(Span::Other(source[other..run.at.start].to_owned()));
        }
        spans.push(Span::Kept { piece: run.text, from: run.from, length: run.at.len() });
        other = run.at.end;
    }
    if other < source.len() {
        spans.push(Span::Other(source[other..].to_owned()));
    }
    spans
}
