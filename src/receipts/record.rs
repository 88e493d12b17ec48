//! Receipts as they are kept beside an original: what was done to it, for people and programs.

use std::{collections::BTreeMap, fmt, io};

use serde::{Deserialize, Serialize};

use super::{Kind, Receipts, Repair};
use crate::issue::Issue;

/// What was done to a source, without the text that is needed to restore it: the original is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Which gazetted made it.
    pub program: String,
    /// The file's name.
    pub file: String,
    /// BLAKE3 of the text file that was read, in hexadecimal.
    pub source: String,
    /// The charset of that file.
    pub charset: String,
    /// Whether the issue, with the receipts, was seen to give that file again, byte for byte.
    pub restored: bool,
    /// The headlines of the articles, in order.
    pub articles: Vec<String>,
    /// See [`Receipts::repairs`].
    pub repairs: Vec<Repair>,
}

impl Record {
    /// The record of the receipts of a file that was read as `issue`.
    #[must_use]
    pub fn of(receipts: Receipts, file_name: &str, issue: &Issue) -> Self {
        Self {
            program: format!("gazetted {}", env!("CARGO_PKG_VERSION")),
            file: file_name.to_owned(),
            restored: receipts.restore(issue).is_some(),
            source: receipts.source,
            charset: receipts.coding.charset.to_owned(),
            articles: issue.articles.iter().map(|article| article.headline.text.clone()).collect(),
            repairs: receipts.repairs,
        }
    }
}

impl Record {
    /// The record as it is kept.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Text and numbers are always JSON.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// The record that was kept as `json`.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(json: &[u8]) -> io::Result<Self> {
        serde_json::from_slice(json).map_err(io::Error::from)
    }

    /// How many repairs of each kind there are.
    fn tally(&self) -> String {
        let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
        for repair in &self.repairs {
            *counts.entry(repair.kind).or_default() += 1;
        }
        let told: Vec<String> = counts.iter().map(|(kind, n)| format!("{n} {}", kind.as_str())).collect();
        if told.is_empty() { "nothing was repaired".to_owned() } else { told.join(", ") }
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let restored = if self.restored {
            "restored from its reading, byte for byte"
        } else {
            "it cannot be restored from its reading"
        };
        writeln!(f, "{}: {}; {restored}  ({})", self.file, self.tally(), self.program)?;
        let mut article = None;
        for (nth, repair) in self.repairs.iter().enumerate() {
            if nth == 0 || repair.article != article {
                article = repair.article;
                match article.and_then(|n| Some((n, self.articles.get(n.checked_sub(1)?)?))) {
                    Some((n, headline)) => writeln!(f, "\n{n}. {headline}")?,
                    None => writeln!(f, "\nThe page")?,
                }
            }
            writeln!(f, "  {repair}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}, ")?;
        }
        write!(f, "{}: ", self.kind.as_str())?;
        let count = self.count;
        match self.kind {
            Kind::Unwrapped => write!(f, "{count} lines: ")?,
            Kind::BlankRemoved if count == 1 => write!(f, "1 space: ")?,
            Kind::BlankRemoved => write!(f, "{count} spaces, the first: ")?,
            Kind::MarksRemoved | Kind::ControlCharacters => write!(f, "{count} × ")?,
            _ => {}
        }
        write!(f, "{}", self.text)?;
        self.to.map_or(Ok(()), |to| write!(f, " → to its body on line {to}"))
    }
}
