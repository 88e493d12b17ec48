//! The pages of a book: title page, contents, one file or more for each article, colophon.

use std::collections::HashMap;

use serde::Serialize;

use super::{PICTURES, Page, Part};
use crate::{
    editions::Error, editions::gallery::Gallery, editions::markup, editions::markup::Markup,
    editions::markup::Medium, editions::outline::Outline, editions::outline::Piece, issue::Article,
    issue::Issue, prose::Block, prose::Inline,
};

/// How many bytes of text one file holds before an article goes on in another. Small reading systems load a file
/// whole, and calibre splits at 260 kB; the rest is room for headings and for what cannot be cut.
const MAX_TEXT: usize = 240_000;

/// All pages in the order of reading, and for each article the file it begins in.
pub(super) fn pages(issue: &Issue, outline: &Outline, page: &str) -> Result<(Vec<Page>, Vec<String>), Error> {
    #[derive(Serialize)]
    struct Front<'a> {
        issue: &'a Outline,
        files: &'a [String],
        page: &'a str,
    }
    let gallery = Gallery::of(issue, PICTURES).in_book();
    let files: Vec<String> = (0..issue.articles.len()).map(|nth| file(nth, 1)).collect();
    let front = Front { issue: outline, files: &files, page };
    let words = outline.words;
    let mut pages = vec![
        Page {
            file: "title.xhtml".to_owned(),
            title: words.page_title.to_owned(),
            part: Part::TitlePage,
            text: outline.theme.fill("book/title.xhtml", &front)?,
        },
        Page {
            file: "contents.xhtml".to_owned(),
            title: words.contents.to_owned(),
            part: Part::Contents,
            text: outline.theme.fill("book/contents.xhtml", &front)?,
        },
    ];
    let pieces: Vec<(&Piece, Option<&str>)> = outline
        .groups
        .iter()
        .flat_map(|group| group.pieces.iter().map(|piece| (piece, group.title.as_deref())))
        .collect();
    let cut: Vec<Vec<Vec<Block>>> = issue.articles.iter().map(|article| parts(&article.body)).collect();
    for (nth, article) in issue.articles.iter().enumerate() {
        let neighbour =
            |n: usize| pieces.get(n).map(|(piece, _)| Neighbour { label: &piece.label, file: file(n, 1) });
        let previous = nth.checked_sub(1).and_then(neighbour);
        let next = neighbour(nth + 1);
        pages.extend(article_pages(
            article,
            outline,
            &gallery,
            pieces[nth],
            &cut[nth],
            previous.as_ref(),
            next.as_ref(),
        )?);
    }
    pages.push(Page {
        file: "colophon.xhtml".to_owned(),
        title: words.colophon.to_owned(),
        part: Part::Colophon,
        text: outline.theme.fill("book/colophon.xhtml", &front)?,
    });
    Ok((pages, files))
}

/// `a001.xhtml`, and `a001-2.xhtml` for its second part.
fn file(nth: usize, part: usize) -> String {
    if part == 1 { format!("a{:03}.xhtml", nth + 1) } else { format!("a{:03}-{part}.xhtml", nth + 1) }
}

/// The file before or after another.
#[derive(Debug, Clone, Serialize)]
struct Neighbour<'a> {
    label: &'a str,
    file: String,
}

fn article_pages(
    article: &Article,
    outline: &Outline,
    gallery: &Gallery,
    (piece, section): (&Piece, Option<&str>),
    parts: &[Vec<Block>],
    previous: Option<&Neighbour<'_>>,
    next: Option<&Neighbour<'_>>,
) -> Result<Vec<Page>, Error> {
    #[derive(Serialize)]
    struct Leaf<'a> {
        issue: &'a Outline,
        piece: &'a Piece,
        section: Option<&'a str>,
        part: usize,
        last: bool,
        body: &'a str,
        notes: &'a str,
        previous: Option<Neighbour<'a>>,
        next: Option<Neighbour<'a>>,
    }
    let nth = piece.nth;
    let homes = homes(article, parts);
    let mut markup = Markup::new(Medium::Book, 2, article.notes.len());
    markup.gallery = gallery.clone();
    let mut pages = Vec::with_capacity(parts.len());
    for (n, blocks) in parts.iter().enumerate() {
        let (part, last) = (n + 1, n + 1 == parts.len());
        markup.elsewhere = homes
            .iter()
            .filter(|(_, home)| **home != n)
            .map(|(number, home)| (*number, file(nth, home + 1)))
            .collect();
        markup.start_again();
        let body = markup.blocks(blocks);
        let mut notes = String::new();
        for (index, note) in article.notes.iter().enumerate() {
            if homes.get(&(index + 1)) == Some(&n) {
                notes.push_str(&markup.note(index + 1, note));
            }
        }
        let of_same = |part: usize| Some(Neighbour { label: &piece.label, file: file(nth, part) });
        let leaf = Leaf {
            issue: outline,
            piece,
            section,
            part,
            last,
            body: &body,
            notes: &notes,
            previous: if n == 0 { previous.cloned() } else { of_same(n) },
            next: if last { next.cloned() } else { of_same(part + 1) },
        };
        pages.push(Page {
            file: file(nth, part),
            title: piece.label.clone(),
            part: if nth == 0 && n == 0 { Part::FirstArticle } else { Part::Article },
            text: outline.theme.fill("book/article.xhtml", &leaf)?,
        });
    }
    Ok(pages)
}

/// Which part holds each note: that of its first reference, so that a reading system can show it in place; the last
/// for a note that the text never refers to.
fn homes(article: &Article, parts: &[Vec<Block>]) -> HashMap<usize, usize> {
    let last = parts.len().saturating_sub(1);
    let mut homes: HashMap<usize, usize> = HashMap::new();
    for (n, blocks) in parts.iter().enumerate() {
        for number in markup::notes_in(blocks) {
            homes.entry(number).or_insert(n);
        }
    }
    (1..=article.notes.len()).map(|number| (number, homes.get(&number).copied().unwrap_or(last))).collect()
}

/// The body in parts of at most [`MAX_TEXT`] bytes of XHTML; always at least one.
fn parts(body: &[Block]) -> Vec<Vec<Block>> {
    let mut parts: Vec<Vec<Block>> = vec![Vec::new()];
    let mut room = MAX_TEXT;
    let mut waiting: Vec<Block> = body.iter().rev().cloned().collect();
    while let Some(block) = waiting.pop() {
        let size = size(&block);
        if size > MAX_TEXT
            && let Some((first, second)) = halves(&block)
        {
            waiting.push(second);
            waiting.push(first);
            continue;
        }
        if size > room && parts.last().is_some_and(|part| !part.is_empty()) {
            parts.push(Vec::new());
            room = MAX_TEXT;
        }
        room = room.saturating_sub(size);
        if let Some(part) = parts.last_mut() {
            part.push(block);
        }
    }
    parts
}

fn size(block: &Block) -> usize {
    Markup::new(Medium::Book, 2, usize::MAX).blocks(std::slice::from_ref(block)).len()
}

/// A block as two of its kind, or `None` when it cannot be cut.
fn halves(block: &Block) -> Option<(Block, Block)> {
    match block {
        Block::Paragraph { text } => {
            let (first, second) = halves_of(text)?;
            Some((Block::Paragraph { text: first }, Block::Paragraph { text: second }))
        }
        Block::Quote { blocks } => {
            let (first, second) = match blocks.as_slice() {
                [only] => halves(only).map(|(a, b)| (vec![a], vec![b]))?,
                many => middle(many)?,
            };
            Some((Block::Quote { blocks: first }, Block::Quote { blocks: second }))
        }
        Block::List { start, items } => {
            let (first, second) = middle(items)?;
            let next = start.map(|n| n.saturating_add(first.len() as u64));
            Some((Block::List { start: *start, items: first }, Block::List { start: next, items: second }))
        }
        Block::Table { head, rows } => {
            let (first, second) = middle(rows)?;
            Some((
                Block::Table { head: head.clone(), rows: first },
                Block::Table { head: head.clone(), rows: second },
            ))
        }
        Block::Code { text } => {
            let (first, second) = text.split_at(cut(text)?);
            let first = first.strip_suffix('\n').unwrap_or(first);
            Some((Block::Code { text: first.to_owned() }, Block::Code { text: second.to_owned() }))
        }
        Block::Subhead { .. } | Block::Figure { .. } | Block::Rule => None,
    }
}

fn halves_of(inlines: &[Inline]) -> Option<(Vec<Inline>, Vec<Inline>)> {
    let whole = |wrap: fn(Vec<Inline>) -> Inline, text: &[Inline]| {
        halves_of(text).map(|(a, b)| (vec![wrap(a)], vec![wrap(b)]))
    };
    match inlines {
        [Inline::Text { text }] => {
            let (first, second) = text.split_at(cut(text)?);
            Some((vec![Inline::text(first)], vec![Inline::text(second)]))
        }
        [Inline::Emphasis { text }] => whole(|text| Inline::Emphasis { text }, text),
        [Inline::Strong { text }] => whole(|text| Inline::Strong { text }, text),
        [Inline::Struck { text }] => whole(|text| Inline::Struck { text }, text),
        [_] => None,
        many => middle(many),
    }
}

fn middle<T: Clone>(items: &[T]) -> Option<(Vec<T>, Vec<T>)> {
    (items.len() > 1).then(|| {
        let (first, second) = items.split_at(items.len() / 2);
        (first.to_vec(), second.to_vec())
    })
}

/// Where to cut a text: after a line or a sentence near its middle, else at the middle itself.
fn cut(text: &str) -> Option<usize> {
    let from = (text.len() / 4..text.len()).find(|&n| text.is_char_boundary(n))?;
    let half = (text.len() / 2..text.len()).find(|&n| text.is_char_boundary(n) && n > 0)?;
    let to = text.len() - text.len() / 4;
    let ends = |c: char| matches!(c, '\n' | '。' | '！' | '？');
    let after = text[from..].char_indices().filter(|(_, c)| ends(*c)).map(|(n, c)| from + n + c.len_utf8());
    after.filter(|&n| n <= to && n < text.len()).min_by_key(|n| n.abs_diff(half)).or(Some(half))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prose;

    #[track_caller]
    fn check_parts(body: &[Block], at_least: usize) {
        let parts = parts(body);
        assert!(parts.len() >= at_least, "{} parts", parts.len());
        for part in &parts {
            assert!(part.iter().map(size).sum::<usize>() <= MAX_TEXT);
        }
        let letters = |blocks: &[Block]| prose::plain_blocks(blocks).replace('\n', "");
        assert!(
            letters(body) == parts.iter().map(|part| letters(part)).collect::<String>(),
            "no text is lost"
        );
    }

    #[test]
    fn a_long_article_goes_on_in_another_file_and_loses_nothing() {
        check_parts(&[Block::paragraph("short")], 1);
        check_parts(&[], 1);
        let long = "一句话。".repeat(30_000);
        check_parts(&[Block::paragraph(&long)], 2);
        check_parts(&[Block::Code { text: "line\n".repeat(60_000) }], 2);
        let item = vec![Block::paragraph("x".repeat(10_000))];
        check_parts(&[Block::List { start: Some(1), items: vec![item; 50] }], 2);
        check_parts(&[Block::Quote { blocks: vec![Block::paragraph(&long)] }], 2);
    }

    #[test]
    fn a_list_that_is_cut_counts_on() {
        let items =
            vec![vec![Block::paragraph("a")], vec![Block::paragraph("b")], vec![Block::paragraph("c")]];
        let (_, second) = halves(&Block::List { start: Some(7), items }).expect("three items can be cut");
        assert!(matches!(second, Block::List { start: Some(8), .. }));
    }
}
