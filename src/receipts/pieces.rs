//! The pieces that an issue is made of, in the order in which a page prints them.

use crate::{issue::Article, issue::Issue, prose, prose::Block};

/// A piece of the reading: a text of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// The article that it is of, counted from 0; `None` for the issue's own.
    pub(super) article: Option<usize>,
    pub(super) part: Part,
    pub(super) text: String,
}

/// What a piece is in its article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Summary,
    Kicker,
    Headline,
    Dek,
    /// A name or an office.
    Byline,
    Block,
    Credit,
    Caption,
    Note,
}

impl Part {
    /// Whether its place among the pieces of its article is the one where the source has it. Captions and notes are listed
    /// apart, wherever they stood.
    pub(super) fn has_place(self) -> bool {
        !matches!(self, Self::Summary | Self::Caption | Self::Note)
    }
}

/// The pieces of an issue that come from its manuscript. A headline that the reader made is none.
pub(super) fn pieces(issue: &Issue) -> Vec<Piece> {
    let mut pieces = Vec::new();
    push(&mut pieces, None, Part::Summary, issue.summary.clone());
    for (n, article) in issue.articles.iter().enumerate() {
        push_article(&mut pieces, n, article);
    }
    pieces
}

fn push_article(pieces: &mut Vec<Piece>, n: usize, article: &Article) {
    let n = Some(n);
    push(pieces, n, Part::Kicker, article.kicker.clone());
    let headline = Some(&article.headline).filter(|headline| !headline.synthetic);
    push(pieces, n, Part::Headline, headline.map(|headline| headline.text.clone()));
    push(pieces, n, Part::Dek, article.dek.clone());
    let mut office = None;
    for byline in &article.bylines {
        // An office that several names share is printed once.
        let own = byline.affiliation.as_ref();
        push(pieces, n, Part::Byline, own.filter(|own| Some(*own) != office).cloned());
        push(pieces, n, Part::Byline, Some(byline.name.clone()));
        office = own;
    }
    for block in &article.body {
        push(pieces, n, Part::Block, Some(block.plain()).filter(|_| !matches!(block, Block::Rule)));
    }
    push(pieces, n, Part::Credit, article.credit.as_ref().map(|credit| credit.printed.clone()));
    for caption in &article.captions {
        push(pieces, n, Part::Caption, Some(caption.clone()));
    }
    for note in &article.notes {
        push(pieces, n, Part::Note, Some(prose::plain_blocks(note)));
    }
}

fn push(pieces: &mut Vec<Piece>, article: Option<usize>, part: Part, text: Option<String>) {
    if let Some(text) = text.filter(|text| !text.trim().is_empty()) {
        pieces.push(Piece { article, part, text });
    }
}
