//! The periodical itself: its title, language, imprint, address on the web and sender of letters.

use jiff::tz::TimeZone;

use crate::{prose::Language, theme::Theme};

/// A periodical: one title, language and imprint. Its values come from the settings and are the same for every issue.
#[derive(Debug, Clone)]
pub struct Publication {
    /// ASCII name, part of every identifier: `[a-z0-9-]`. It never changes.
    pub key: String,
    /// The name readers know.
    pub title: String,
    /// One line that says what it is, for feeds and the web page.
    pub description: String,
    /// The language of an issue that does not say or show another.
    pub language: Language,
    /// Where its dates are told.
    pub time_zone: TimeZone,
    /// Where the outbox answers, such as `https://news.example.org/`; always ends with `/`.
    pub base_url: String,
    /// Who owns the name space of its identifiers, as RFC 4151 (tag URIs) asks: a domain or an e-mail address and
    /// a year in which it was yours, such as `example.org,2026`. It never changes, even if the web address does.
    pub authority: String,
    /// The `WebSub` hub that is told of every change of a feed.
    pub hub: Option<String>,
    /// Who answers for it.
    pub imprint: Imprint,
    /// How its editions look, and what they say around an issue.
    pub theme: Theme,
}

/// Who answers for the periodical (版权页).
#[derive(Debug, Clone, Default)]
pub struct Imprint {
    /// The publishing house or office.
    pub publisher: Option<String>,
    /// The rights line, such as "© 2026 The Office".
    pub rights: Option<String>,
    /// ISSN in its form `1234-567X`.
    pub issn: Option<String>,
}

impl Publication {
    /// The identifier of one thing of this periodical: a tag URI (RFC 4151) such as
    /// `tag:example.org,2026:gazette/2025-07-09`. The same for ever, wherever the thing is served from.
    #[must_use]
    pub fn tag(&self, thing: &str) -> String {
        if thing.is_empty() {
            format!("tag:{}:{}", self.authority, self.key)
        } else {
            format!("tag:{}:{}/{thing}", self.authority, self.key)
        }
    }

    /// The absolute address of a path in the outbox.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }
}
