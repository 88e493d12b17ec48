//! What confirmed proofs have taught: the names, columns and mastheads of one paper, in a file that people can read.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use super::page;
use crate::{proof::Proof, typography};

/// What is known of a publication beyond the rules that hold for all. A reader asks it first.
///
/// It is only ever taught by proofs that an editor has confirmed, and by editors themselves: the file is theirs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lexicon {
    /// Who writes for it, pen names too.
    authors: Entries,
    /// Where they work.
    affiliations: Entries,
    /// The names of its sections, which title their pages.
    sections: Entries,
    /// The names of its columns, which stand above a headline.
    kickers: Entries,
    /// Lines around the articles that belong to none of them.
    furniture: Entries,
}

/// The longest entry in characters; longer ones are no names.
const MAX_CHARACTERS: usize = 80;

/// The most entries of one kind: a daily paper's authors of a lifetime. A file that is larger learns no more.
const MAX_ENTRIES: usize = 20_000;

/// The fewest letters of a line around articles: two may stand anywhere by chance.
const MIN_FURNITURE: usize = 3;

/// What the file says of itself.
const HEAD: &str = "\
# What gazetted has learned about this publication from the proofs that its editors confirmed. It reads the next page with it.
# You may correct, add and delete lines; letters count, white space does not.

";

impl Lexicon {
    /// Reads the file's text.
    ///
    /// # Errors
    /// When it is no lexicon: what is wrong, with its line.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())
    }

    /// The file's text.
    #[must_use]
    pub fn write(&self) -> String {
        // A map of sets of strings can always be written.
        HEAD.to_owned() + &toml::to_string_pretty(self).unwrap_or_default()
    }

    /// Learns from a proof that its editor has confirmed, and from its manuscript's text; says whether anything was new.
    pub fn learn(&mut self, proof: &Proof, source: &str) -> bool {
        let issue = &proof.issue;
        let mut new = false;
        for byline in issue.articles.iter().flat_map(|article| &article.bylines) {
            new |= self.authors.add(&byline.name);
            new |= byline.affiliation.as_ref().is_some_and(|office| self.affiliations.add(office));
        }
        for name in issue.section.iter().chain(&issue.title).filter(|name| is_section(name)) {
            new |= self.sections.add(name);
        }
        for article in &issue.articles {
            new |= article.kicker.as_ref().is_some_and(|kicker| self.kickers.add(kicker));
        }
        // A running head has another date next time, and needs no learning; what was cut from a paragraph never comes again.
        let lines: HashSet<String> = source.lines().map(fold).collect();
        for text in proof.not_used.iter().filter(|text| !page::is_furniture(text)) {
            let letters = fold(text);
            new |= letters.chars().nth(MIN_FURNITURE - 1).is_some()
                && lines.contains(&letters)
                && self.furniture.add(text);
        }
        new
    }

    /// Whether this is somebody who has written for the publication.
    pub(super) fn is_author(&self, text: &str) -> bool {
        self.authors.has(text)
    }

    /// Whether this is where one of its authors works.
    pub(super) fn is_affiliation(&self, text: &str) -> bool {
        self.affiliations.has(text)
    }

    /// Whether this names a section.
    pub(super) fn is_section(&self, text: &str) -> bool {
        self.sections.has(text)
    }

    /// Whether this names a column.
    pub(super) fn is_kicker(&self, text: &str) -> bool {
        self.kickers.has(text)
    }

    /// Whether this stands around articles and belongs to none.
    pub(super) fn is_furniture(&self, text: &str) -> bool {
        self.furniture.has(text)
    }
}

/// Whether a text may be the name of a section, as the head of a page prints it.
fn is_section(name: &str) -> bool {
    (2..=8).contains(&name.chars().count()) && name.chars().all(typography::is_han)
}

/// Entries of one kind: as they are printed, by their letters alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
struct Entries(BTreeMap<String, String>);

impl Entries {
    /// Adds an entry; says whether it is new.
    fn add(&mut self, text: &str) -> bool {
        let (text, letters) = (text.trim(), fold(text));
        let fits = !letters.is_empty()
            && text.chars().nth(MAX_CHARACTERS).is_none()
            && text.chars().all(typography::is_printable);
        if !fits || self.0.len() >= MAX_ENTRIES || self.0.contains_key(&letters) {
            return false;
        }
        self.0.insert(letters, text.to_owned());
        true
    }

    fn has(&self, text: &str) -> bool {
        !self.0.is_empty() && text.len() <= 4 * MAX_CHARACTERS && self.0.contains_key(&fold(text))
    }
}

impl From<Vec<String>> for Entries {
    fn from(entries: Vec<String>) -> Self {
        Self(entries.into_iter().map(|text| (fold(&text), text)).collect())
    }
}

impl From<Entries> for Vec<String> {
    fn from(entries: Entries) -> Self {
        entries.0.into_values().collect()
    }
}

/// The letters and digits of a text: what spaces, marks and case cannot change.
fn fold(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
