//! Where each piece of a reading begins in its source: found again by its letters.

use super::Proof;
use crate::{issue::Article, prose::Block};

/// How many letters tell a piece from others.
const LETTERS: usize = 14;

/// How far from the piece before a piece is looked for, in letters: a page and more.
const REACH: usize = 40_000;

/// A piece of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Piece {
    /// The headline of that article.
    Headline(usize),
    /// A block of that article.
    Block(usize, usize),
}

/// The letters of a source with their lines.
pub(super) struct Letters {
    letters: Vec<char>,
    lines: Vec<usize>,
}

impl Letters {
    pub(super) fn of(source: &str) -> Self {
        let (mut letters, mut lines) = (Vec::new(), Vec::new());
        for (number, line) in (1..).zip(source.lines()) {
            for c in line.chars().filter(|c| c.is_alphanumeric()) {
                letters.push(c);
                lines.push(number);
            }
        }
        Self { letters, lines }
    }

    /// The place of `text` at `from` or after it, else shortly before.
    fn find(&self, text: &str, from: usize) -> Option<usize> {
        let wanted: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).take(LETTERS).collect();
        if wanted.is_empty() {
            return None;
        }
        let end = self.letters.len().min(from.saturating_add(REACH));
        let within = |start: usize, end: usize| {
            let place = self.letters.get(start..end)?.windows(wanted.len()).position(|w| w == wanted)?;
            Some(start + place)
        };
        within(from, end).or_else(|| within(from.saturating_sub(REACH), end))
    }

    /// The line on which `text` stands first.
    pub(super) fn line_of(&self, text: &str) -> Option<usize> {
        let whole: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
        if whole.is_empty() {
            return None;
        }
        let end = self.letters.len().min(REACH);
        let at = self.letters[..end].windows(whole.len()).position(|w| w == whole)?;
        Some(self.lines[at])
    }
}

/// The line of the source on which each piece begins, as far as it is found again, in the order of lines.
pub(super) fn find(proof: &Proof, letters: &Letters) -> Vec<(usize, Piece)> {
    let mut places = Vec::new();
    let mut from = 0;
    for (n, article) in proof.issue.articles.iter().enumerate() {
        let mut note = |text: &str, piece: Piece, from: &mut usize| {
            if let Some(at) = letters.find(text, *from) {
                places.push((letters.lines[at], piece));
                *from = at + 1;
            }
        };
        if !article.headline.synthetic {
            note(first_of(article), Piece::Headline(n), &mut from);
        }
        for (m, block) in article.body.iter().enumerate() {
            if !matches!(block, Block::Rule) {
                note(&block.plain(), Piece::Block(n, m), &mut from);
            }
        }
    }
    places.sort();
    places
}

fn first_of(article: &Article) -> &str {
    article.kicker.as_deref().unwrap_or(&article.headline.text)
}
