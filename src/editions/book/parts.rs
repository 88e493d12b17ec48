//! Cuts a long article into parts that small reading systems can load.

use crate::{editions::markup::Markup, editions::markup::Medium, prose::Block, prose::Inline};

/// How many bytes of text one file holds before an article goes on in another. Small reading systems load a file
/// whole, and calibre splits at 260 kB; the rest is room for headings and for what cannot be cut.
const MAX_TEXT: usize = 240_000;

/// The body in parts of at most [`MAX_TEXT`] bytes of XHTML; always at least one.
pub(super) fn parts(body: &[Block]) -> Vec<Vec<Block>> {
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
