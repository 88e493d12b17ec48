//! What a reader has understood so far, before the text as a whole gives it a key and a language.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::{Date, DateTime};

use super::pictures::Album;
use crate::{issue, issue::Article, issue::Byline, issue::Role, proof::Doubt, proof::Query, prose::Language};

/// An issue in the making, with its queries. `None` and empty mean that the text does not say.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    pub(super) key: Option<String>,
    pub(super) title: Option<String>,
    pub(super) number: Option<String>,
    pub(super) date: Option<Date>,
    pub(super) publish_at: Option<DateTime>,
    pub(super) page: Option<String>,
    pub(super) section: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) editors: Vec<String>,
    pub(super) publisher: Option<String>,
    pub(super) contact: BTreeMap<String, String>,
    pub(super) language: Option<Language>,
    /// Who wrote the articles that name nobody.
    pub(super) authors: Vec<String>,
    pub(super) articles: Vec<Article>,
    /// The line where each article begins.
    pub(super) lines: Vec<usize>,
    pub(super) queries: Vec<Query>,
    /// How many queries there are of each kind.
    pub(super) n_queries: HashMap<Doubt, usize>,
    pub(super) not_used: Vec<String>,
    /// The pictures that its text shows.
    pub(super) album: Album,
}

/// The most queries of one kind: a text that is all doubt is told so once more, not ten thousand times.
const MAX_QUERIES: usize = 200;

impl Draft {
    /// Asks the editor about a line.
    pub(super) fn query(&mut self, code: Doubt, line: usize, text: String) {
        self.query_at(code, Some(line), text);
    }

    /// Asks the editor about a line, or about the whole.
    pub(super) fn query_at(&mut self, code: Doubt, line: Option<usize>, text: String) {
        let n_same = self.n_queries.entry(code).or_default();
        if *n_same >= MAX_QUERIES {
            return;
        }
        *n_same += 1;
        self.queries.push(Query { code, line, text });
    }

    /// Names the author of the articles that name nobody.
    pub(super) fn sign(&mut self, name: &str) {
        for article in self.articles.iter_mut().filter(|article| article.bylines.is_empty()) {
            article.bylines.push(Byline { name: name.to_owned(), role: Role::Author, affiliation: None });
        }
    }

    /// Sets a text aside, without asking.
    pub(super) fn set_aside(&mut self, text: &str) {
        if !text.trim().is_empty() {
            self.not_used.push(text.trim().to_owned());
        }
    }
}

/// The first characters of a text, for a query.
pub(super) fn excerpt(text: &str) -> String {
    issue::shorten(text.trim(), 24)
}
