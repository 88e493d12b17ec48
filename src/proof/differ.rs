//! What differs: between two readings, and between a source and its reading.

use unicode_width::UnicodeWidthChar as _;

use super::{Proof, places, places::Letters, places::Piece};
use crate::{issue, issue::Article, prose, prose::Block};

/// What an editor sees that differs between two readings, a line each; at most a dozen.
#[must_use]
pub fn differences(before: &Proof, after: &Proof) -> Vec<String> {
    const MOST: usize = 12;
    let name = |article: &Article| issue::shorten(&article.headline.text, 24);
    let mut lines = Vec::new();
    let (old, new) = (&before.issue.articles, &after.issue.articles);
    for article in new {
        match old.iter().find(|known| known.headline.text == article.headline.text) {
            None => lines.push(format!("the article \"{}\" is new, or has another headline", name(article))),
            Some(known) if known.body == article.body && known.bylines == article.bylines => {}
            Some(known) => lines.push(changed(known, article, &name(article))),
        }
    }
    for article in old {
        if !new.iter().any(|known| known.headline.text == article.headline.text) {
            lines.push(format!("the article \"{}\" is gone, or has another headline", name(article)));
        }
    }
    if before.issue.date != after.issue.date {
        let told = |proof: &Proof| proof.issue.date.map_or("none".to_owned(), |date| date.to_string());
        lines.push(format!("the date was {} and is {}", told(before), told(after)));
    }
    if lines.len() > MOST {
        let more = lines.len() - MOST;
        lines.truncate(MOST);
        lines.push(format!("and {more} more"));
    }
    lines
}

/// Where the text of an article first differs.
fn changed(before: &Article, after: &Article, name: &str) -> String {
    let place = before.body.iter().zip(&after.body).position(|(old, new)| old != new);
    let Some(place) = place else {
        let (was, is) = (before.body.len(), after.body.len());
        return format!("\"{name}\" had {was} paragraphs and has {is}, or other authors");
    };
    let (old, new) = (before.body[place].plain(), after.body[place].plain());
    let same = old.chars().zip(new.chars()).take_while(|(a, b)| a == b).count();
    let from = same.saturating_sub(8);
    let part = |text: &str| issue::shorten(&text.chars().skip(from).collect::<String>(), 24);
    format!("\"{name}\", paragraph {}: \"{}\" is now \"{}\"", place + 1, part(&old), part(&new))
}

/// Source and reading in two columns of a terminal of `width` columns, each piece beside the lines it was read from.
#[must_use]
pub fn side_by_side(proof: &Proof, source: &str, width: usize) -> String {
    let column = (width.max(40) - 3) / 2;
    let lines: Vec<&str> = source.lines().collect();
    let places = places::find(proof, &Letters::of(source));
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut from = 0;
    let flush = |upto: usize, right: Vec<String>, rows: &mut Vec<(String, String)>, from: &mut usize| {
        let left: Vec<String> = lines[*from..upto.max(*from)].iter().flat_map(|l| wrap(l, column)).collect();
        for n in 0..left.len().max(right.len()) {
            let side = |lines: &[String]| lines.get(n).cloned().unwrap_or_default();
            rows.push((side(&left), side(&right)));
        }
        *from = upto.max(*from);
    };
    let mut right: Vec<String> = vec![];
    for (line, piece) in &places {
        // What stands on one line of the source comes together.
        if line - 1 > from || right.is_empty() {
            flush(line - 1, std::mem::take(&mut right), &mut rows, &mut from);
        }
        right.extend(shown(proof, *piece).iter().flat_map(|text| wrap(text, column)));
    }
    flush(lines.len(), right, &mut rows, &mut from);
    for query in &proof.queries {
        let line = query.line.map_or(String::new(), |line| format!("line {line}, "));
        rows.push((String::new(), format!("? {line}{}: {}", query.code.as_str(), query.text)));
    }
    let mut out = String::new();
    for (left, right) in rows {
        let pad = column.saturating_sub(columns(&left));
        out.push_str(format!("{left}{} │ {right}", " ".repeat(pad)).trim_end());
        out.push('\n');
    }
    out
}

/// A piece of the reading as it is shown beside its source.
fn shown(proof: &Proof, piece: Piece) -> Vec<String> {
    let (Piece::Headline(n) | Piece::Block(n, _)) = piece;
    let article = &proof.issue.articles[n];
    match piece {
        Piece::Headline(_) => {
            let mut lines: Vec<String> = article.kicker.iter().cloned().collect();
            lines.push(format!("# {}", article.headline.text));
            lines.extend(article.dek.iter().cloned());
            let from = |b: &issue::Byline| b.affiliation.as_ref().map_or(String::new(), |a| format!(", {a}"));
            lines.extend(article.bylines.iter().map(|b| format!("by {}{}", b.name, from(b))));
            lines
        }
        Piece::Block(_, m) => {
            let block = &article.body[m];
            let text = prose::plain_blocks(std::slice::from_ref(block));
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            if let (Block::Subhead { .. }, Some(first)) = (block, lines.first_mut()) {
                *first = format!("## {first}");
            }
            if let (true, Some(first)) = (m == 0 && article.headline.synthetic, lines.first()) {
                lines = [format!("# {} (made up)", article.headline.text), first.clone()]
                    .into_iter()
                    .chain(lines.iter().skip(1).cloned())
                    .collect();
            }
            if let (true, Some(credit)) = (m + 1 == article.body.len(), &article.credit) {
                lines.push(credit.printed.clone());
            }
            lines
        }
    }
}

fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// A line in pieces of at most `width` columns: between words where there are any.
fn wrap(line: &str, width: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for c in line.replace('\t', "    ").chars().filter(|c| !c.is_control()) {
        let wide = c.width().unwrap_or(0);
        if used + wide > width {
            let last = pieces.len() - 1;
            let tail = match pieces[last].rfind(' ') {
                Some(space) if c.is_ascii_alphanumeric() && space > width / 2 => {
                    let tail = pieces[last][space + 1..].to_owned();
                    pieces[last].truncate(space);
                    tail
                }
                _ => String::new(),
            };
            used = columns(&tail);
            pieces.push(tail);
        }
        let last = pieces.len() - 1;
        pieces[last].push(c);
        used += wide;
    }
    pieces
}
