//! The faces of the cover: cuts of Noto Serif Bold that the program carries, so that every machine draws the same, even one
//! without fonts. `fonts/cut` says what is in them.

use std::sync::{Arc, LazyLock};

use resvg::usvg::fontdb::{Database, ID, Source};
use serde::Serialize;
use skrifa::charmap::Charmap;
use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::GlyphMetrics;
use skrifa::{FontRef, MetadataProvider as _};

use crate::typography;

const FILES: [&[u8]; 7] = [
    include_bytes!("fonts/chinese.otf"),
    include_bytes!("fonts/latin.ttf"),
    include_bytes!("fonts/hangul.otf"),
    include_bytes!("fonts/arabic.ttf"),
    include_bytes!("fonts/hebrew.ttf"),
    include_bytes!("fonts/thai.ttf"),
    include_bytes!("fonts/devanagari.ttf"),
];

static FACES: LazyLock<Vec<Face>> =
    LazyLock::new(|| FILES.iter().filter_map(|&file| Face::of(file)).collect());

static CASE: LazyLock<(Arc<Database>, Vec<ID>)> = LazyLock::new(|| {
    let mut case = Database::new();
    let ids = FILES.iter().flat_map(|&file| case.load_font_source(Source::Binary(Arc::new(file)))).collect();
    (Arc::new(case), ids)
});

/// Which face a text is set in as far as it goes: they do not agree on the width of quotation marks and dashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Style {
    /// As Chinese and Japanese are set.
    Wide,
    /// As all others are.
    Narrow,
}

impl Style {
    /// That of a text.
    pub(super) fn of(text: &str) -> Self {
        if text.chars().any(typography::is_wide) { Self::Wide } else { Self::Narrow }
    }

    /// The faces in the order in which they are asked for a character, as places in [`FILES`].
    fn order(self) -> [usize; 7] {
        match self {
            Self::Wide => [0, 1, 2, 3, 4, 5, 6],
            Self::Narrow => [1, 2, 3, 4, 5, 6, 0],
        }
    }
}

/// What is asked of a face to measure a line.
struct Face {
    characters: Charmap<'static>,
    widths: GlyphMetrics<'static>,
    units: f32,
}

impl Face {
    fn of(file: &'static [u8]) -> Option<Self> {
        let font = FontRef::new(file).ok()?;
        let units = f32::from(font.metrics(Size::unscaled(), LocationRef::default()).units_per_em);
        let widths = font.glyph_metrics(Size::unscaled(), LocationRef::default());
        Some(Self { characters: font.charmap(), widths, units })
    }

    fn width(&self, c: char) -> Option<f32> {
        let glyph = self.characters.map(c).filter(|glyph| glyph.to_u32() != 0)?;
        Some(self.widths.advance_width(glyph)? / self.units)
    }
}

/// The faces for the one who draws.
pub(super) fn case() -> Arc<Database> {
    Arc::clone(&CASE.0)
}

/// The first face of a style.
pub(super) fn first(style: Style) -> Option<ID> {
    CASE.1.get(style.order()[0]).copied()
}

/// The face that sets a character which those in `tried` do not have.
pub(super) fn other(c: char, tried: &[ID]) -> Option<ID> {
    let style = if tried.first() == first(Style::Wide).as_ref() { Style::Wide } else { Style::Narrow };
    let having =
        style.order().into_iter().filter(|&n| FACES.get(n).is_some_and(|face| face.width(c).is_some()));
    having.filter_map(|n| CASE.1.get(n).copied()).find(|id| !tried.contains(id))
}

/// How wide `c` is in ems before it is joined to its neighbours, or `None` when no face has it.
pub(super) fn width(c: char, style: Style) -> Option<f32> {
    style.order().into_iter().find_map(|n| FACES.get(n)?.width(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_of_our_readers_are_there_and_a_character_we_lack_is_known_to_be_missing() {
        for c in "第Aé桥龍ñžЯΩ한العשไक€“—…々ア〓".chars() {
            for style in [Style::Wide, Style::Narrow] {
                assert!(width(c, style).is_some_and(|width| width < 1.5), "{c}");
            }
        }
        assert_eq!(width('桥', Style::Narrow), Some(1.0));
        assert_eq!(width('“', Style::Wide), Some(1.0));
        assert!(width('“', Style::Narrow).is_some_and(|width| width < 0.7), "no gap in an English line");
        for c in ['\u{1F680}', 'ა', '\u{E000}'] {
            assert_eq!(width(c, Style::Wide), None, "{c}");
        }
        assert_eq!((case().len(), FACES.len()), (FILES.len(), FILES.len()));
    }
}
