//! What a subscriber wishes to get: how often, in which form, which sections, in which language.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Address;
use crate::{prose::Language, typography};

/// How often a subscriber gets a digest.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Pace {
    /// Each issue, when it comes out.
    #[default]
    Each,
    /// What came out in a day.
    Daily,
    /// What came out in a week.
    Weekly,
    /// What came out in a month.
    Monthly,
}

impl Pace {
    /// All paces, the quickest first.
    pub const ALL: [Self; 4] = [Self::Each, Self::Daily, Self::Weekly, Self::Monthly];

    /// The word in the ledger, in settings and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Each => "each",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }

    /// The pace of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|pace| pace.as_str() == word)
    }
}

/// In which form a subscriber gets a digest.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// HTML, with the same as plain text.
    #[default]
    Html,
    /// Plain text alone.
    Text,
    /// Plain text, with the book attached.
    Book,
    /// The book, for the address of an e-reader such as a Kindle.
    Kindle,
}

impl Form {
    /// All forms.
    pub const ALL: [Self; 4] = [Self::Html, Self::Text, Self::Book, Self::Kindle];

    /// The word in the ledger, in settings and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Text => "text",
            Self::Book => "book",
            Self::Kindle => "kindle",
        }
    }

    /// The form of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.as_str() == word)
    }

    /// Whether the book itself comes with the letter.
    #[must_use]
    pub fn has_book(self) -> bool {
        matches!(self, Self::Book | Self::Kindle)
    }
}

/// The sections that a subscriber wants to read, by their slugs (see [`typography::slug`]); none named means all.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sections(BTreeSet<String>);

impl Sections {
    /// The sections of these names, or of their slugs.
    #[must_use]
    pub fn of<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Self {
        let names = names.into_iter().filter(|name| !name.as_ref().trim().is_empty());
        Self(names.map(|name| typography::slug(name.as_ref().trim())).collect())
    }

    /// Whether every section is wanted.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an article of a section is wanted. What stands in no section is for everybody.
    #[must_use]
    pub fn has(&self, section: Option<&str>) -> bool {
        self.0.is_empty() || section.is_none_or(|name| self.0.contains(&typography::slug(name.trim())))
    }

    /// The slugs, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// What one printing of a digest is made for: everybody who wishes the same gets the same words.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Wish {
    /// In which form.
    pub form: Form,
    /// Which sections.
    pub sections: Sections,
    /// In which language the words around the articles are; the issue's own if none is named.
    pub language: Option<Language>,
}

/// All that a subscriber may choose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preferences {
    /// How often.
    pub pace: Pace,
    /// In which form, which sections, in which language.
    #[serde(flatten)]
    pub wish: Wish,
    /// Where books go, if not to the subscriber's own address: that of an e-reader, for [`Form::Kindle`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Address>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_wanted_by_its_name_or_its_slug_and_what_stands_in_none_is_for_everybody() {
        let sections = Sections::of(["理论", " Harbour News ", ""]);
        assert!(sections.has(Some("理论")) && sections.has(Some("harbour news")) && sections.has(None));
        assert!(!sections.has(Some("副刊")));
        assert_eq!(Sections::of(sections.iter()), sections, "a slug of a slug is itself");
        assert!(Sections::default().has(Some("副刊")));
    }
}
