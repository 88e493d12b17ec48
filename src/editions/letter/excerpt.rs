//! How much of each article a letter shows: its first paragraphs, fewer where there are many articles.

use crate::{
    editions::gallery::Gallery, editions::markup::Markup, editions::markup::Medium, issue::Article,
    issue::shorten, prose::Block,
};

/// How many paragraphs a letter shows of an article, when it has the room.
const PARAGRAPHS: usize = 3;

/// How many characters of one paragraph a letter shows: beyond that it is no beginning any more.
const LONGEST: usize = 1200;

/// The beginning of an article.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// Its first blocks.
    pub blocks: Vec<Block>,
    /// Whether there is more.
    pub cut: bool,
}

/// An article whose beginning is to be shown.
pub(super) struct Beginning<'a> {
    /// The article.
    pub article: &'a Article,
    /// Where its whole text is.
    pub href: String,
    /// The pictures of its issue.
    pub gallery: &'a Gallery,
    /// The element of its highest subhead: 3 for `h3`.
    pub heading: u8,
}

/// The beginnings of articles and their HTML, together at most `room` bytes. Where that is too little for all, the long ones give
/// way first: each gets at most the same share.
pub(super) fn excerpts(articles: &[Beginning<'_>], room: usize) -> Vec<(Excerpt, String)> {
    let wished: Vec<(Excerpt, Vec<usize>)> = articles
        .iter()
        .map(|of| {
            let excerpt = beginning(of.article);
            let sizes = excerpt.blocks.iter().map(|b| of.html(std::slice::from_ref(b)).len()).collect();
            (excerpt, sizes)
        })
        .collect();
    let totals: Vec<usize> = wished.iter().map(|(_, sizes)| sizes.iter().sum()).collect();
    let share = share(&totals, room);
    let fitted = wished.into_iter().zip(articles).map(|((excerpt, sizes), of)| {
        let excerpt = fit(excerpt, &sizes, share, |blocks| of.html(blocks).len());
        let html = of.html(&excerpt.blocks);
        (excerpt, html)
    });
    fitted.collect()
}

/// The largest share for which no more than `room` is taken when nobody takes more than the share.
fn share(wishes: &[usize], room: usize) -> usize {
    let mut wishes = wishes.to_vec();
    wishes.sort_unstable();
    let mut left = room;
    for (n, &wish) in wishes.iter().enumerate() {
        let even = left / (wishes.len() - n);
        if wish > even {
            return even;
        }
        left -= wish;
    }
    usize::MAX
}

/// The first paragraphs with what stands between them; the whole article, when hardly more would be left.
fn beginning(article: &Article) -> Excerpt {
    let is_text =
        |block: &Block| !matches!(block, Block::Subhead { .. } | Block::Figure { .. } | Block::Rule);
    let texts: Vec<usize> =
        article.body.iter().enumerate().filter(|(_, block)| is_text(block)).map(|(n, _)| n).collect();
    let n_blocks = match texts.get(PARAGRAPHS - 1) {
        Some(last) if texts.len() > PARAGRAPHS + 1 => last + 1,
        _ => article.body.len(),
    };
    let mut cut = n_blocks < article.body.len() || !article.notes.is_empty();
    let blocks = article.body[..n_blocks]
        .iter()
        .map(|block| {
            let plain = block.plain();
            if plain.chars().nth(LONGEST).is_some() {
                cut = true;
                Block::paragraph(shorten(&one_line(&plain), LONGEST))
            } else {
                block.clone()
            }
        })
        .collect();
    Excerpt { blocks, cut }
}

/// As many blocks as fit into `share` bytes; where not even the first does, its first words.
fn fit(excerpt: Excerpt, sizes: &[usize], share: usize, size: impl Fn(&[Block]) -> usize) -> Excerpt {
    let mut taken = 0_usize;
    let n_fitting = sizes
        .iter()
        .take_while(|&&size| {
            taken = taken.saturating_add(size);
            taken <= share
        })
        .count();
    if n_fitting == excerpt.blocks.len() {
        return excerpt;
    }
    let n_fitting = excerpt.blocks[..n_fitting]
        .iter()
        .rposition(|block| !matches!(block, Block::Subhead { .. } | Block::Rule))
        .map_or(0, |last| last + 1);
    if n_fitting > 0 {
        return Excerpt { blocks: excerpt.blocks[..n_fitting].to_vec(), cut: true };
    }
    let first =
        excerpt.blocks.iter().map(Block::plain).find(|text| !text.trim().is_empty()).unwrap_or_default();
    let first = one_line(&first);
    let mut n_chars = share.min(LONGEST);
    while n_chars >= 20 {
        let blocks = vec![Block::paragraph(shorten(&first, n_chars))];
        if size(&blocks) <= share {
            return Excerpt { blocks, cut: true };
        }
        n_chars = n_chars * 2 / 3;
    }
    Excerpt { blocks: Vec::new(), cut: true }
}

impl Beginning<'_> {
    fn html(&self, blocks: &[Block]) -> String {
        let mut markup = Markup::new(Medium::Away, self.heading, self.article.notes.len());
        let (page, anchor) = self.href.split_once('#').unwrap_or((&self.href, ""));
        page.clone_into(&mut markup.base);
        markup.gallery = self.gallery.clone();
        markup.prefix = format!("{anchor}-");
        markup.blocks(blocks)
    }
}

fn one_line(text: &str) -> String {
    text.split(['\n', '\t']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_share(wishes: &[usize], room: usize, expected: usize) {
        let share = share(wishes, room);
        assert_eq!(share, expected);
        assert!(wishes.iter().map(|&wish| wish.min(share)).sum::<usize>() <= room || wishes.is_empty());
    }

    #[test]
    fn the_long_ones_give_way_first() {
        check_share(&[], 10, usize::MAX);
        check_share(&[3, 4], 10, usize::MAX);
        check_share(&[2, 100, 100], 100, 49);
        check_share(&[100, 100, 100], 100, 33);
        check_share(&[100], 0, 0);
    }
}
