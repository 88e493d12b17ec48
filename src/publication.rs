//! The periodical itself: its title, language, imprint, address on the web and sender of letters.

use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::{picture::Plate, prose::Language, theme::Theme};

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
    /// How its books look.
    pub design: Design,
    /// Where its readers' forms are.
    pub forms: Forms,
}

/// Where the daemon answers the forms of readers: the outbox may be served from elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forms {
    /// The address before all of them; it ends with `/`, and mostly is that of the outbox.
    pub url: String,
    /// Whether readers may join by themselves.
    pub open: bool,
}

/// How the books of a periodical look.
#[derive(Debug, Clone, Default)]
pub struct Design {
    /// The colour of its covers; without one, a colour of ours that follows from its key.
    pub colour: Option<Colour>,
    /// The publisher's own cover, in the place of the one that we draw.
    pub cover: Option<Arc<Plate>>,
    /// Whether Chinese and Japanese books are set in vertical lines, from right to left.
    pub vertical: bool,
}

/// A colour of sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    /// Red, green and blue.
    pub channels: [u8; 3],
}

impl Colour {
    /// White.
    pub const WHITE: Self = Self { channels: [255; 3] };
    /// What text is printed in: nearly black.
    pub const INK: Self = Self { channels: [0x1d, 0x1d, 0x1f] };

    /// Deep colours on which white text is easy to read.
    const DEEP: [[u8; 3]; 10] = [
        [0x1f, 0x3a, 0x5f],
        [0x7a, 0x1f, 0x2b],
        [0x1e, 0x4d, 0x40],
        [0x4a, 0x2c, 0x5e],
        [0x8a, 0x3b, 0x12],
        [0x12, 0x50, 0x6b],
        [0x3b, 0x42, 0x26],
        [0x5c, 0x2e, 0x1f],
        [0x2d, 0x2f, 0x5b],
        [0x6b, 0x1f, 0x4f],
    ];

    /// A colour written `#1f3a5f` or `#136`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: Option<Vec<u8>> = text
            .strip_prefix('#')?
            .chars()
            .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
            .collect();
        match digits?.as_slice() {
            [r, g, b] => Some(Self { channels: [r * 17, g * 17, b * 17] }),
            six if six.len() == 6 => Some(Self { channels: [0, 2, 4].map(|n| six[n] * 16 + six[n + 1]) }),
            _ => None,
        }
    }

    /// The colour of a periodical that chose none: always the same for the same key.
    #[must_use]
    pub fn of(key: &str) -> Self {
        let nth = usize::from(blake3::hash(key.as_bytes()).as_bytes()[0]) % Self::DEEP.len();
        Self { channels: Self::DEEP[nth] }
    }

    /// How light it is, from 0 to 1 (relative luminance of WCAG 2.2).
    #[must_use]
    pub fn luminance(self) -> f32 {
        let linear = |channel: u8| {
            let value = f32::from(channel) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        let [r, g, b] = self.channels.map(linear);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// How well one is read on the other, from 1 to 21 (contrast ratio of WCAG 2.2).
    #[must_use]
    pub fn contrast(self, other: Self) -> f32 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// The colour `share` (of 100) of the way to `other`.
    #[must_use]
    pub fn towards(self, other: Self, share: u16) -> Self {
        let mix = |n: usize| {
            let (ours, theirs) = (u16::from(self.channels[n]), u16::from(other.channels[n]));
            let mixed = (ours * (100 - share.min(100)) + theirs * share.min(100)) / 100;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        };
        Self { channels: [0, 1, 2].map(mix) }
    }
}

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [r, g, b] = self.channels;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
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

    /// The colour of its covers.
    #[must_use]
    pub fn colour(&self) -> Colour {
        self.design.colour.unwrap_or_else(|| Colour::of(&self.key))
    }

    /// Where readers join, if they may do so by themselves.
    #[must_use]
    pub fn join_url(&self) -> Option<String> {
        self.forms.open.then(|| format!("{}join", self.forms.url))
    }

    /// The absolute address of a path in the outbox.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_written_as_on_the_web() {
        assert_eq!(Colour::parse("#1f3a5f").map(|c| c.to_string()).as_deref(), Some("#1f3a5f"));
        assert_eq!(Colour::parse("#FC0").map(|c| c.to_string()).as_deref(), Some("#ffcc00"));
        for bad in ["", "#", "red", "1f3a5f", "#1f3a5", "#gggggg", "#ÄÖÜ"] {
            assert_eq!(Colour::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn white_text_can_be_read_on_every_colour_of_ours() {
        for channels in Colour::DEEP {
            let colour = Colour { channels };
            assert!(colour.contrast(Colour::WHITE) >= 7.0, "{colour}");
        }
        assert_eq!(Colour::of("gazette"), Colour::of("gazette"));
    }
}
