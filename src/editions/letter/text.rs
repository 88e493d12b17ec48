//! The plain text part of a letter, made from the same articles as the HTML.

use std::fmt::Write as _;

use super::Sheet;
use super::lines::{COLUMNS, wrap};
use crate::{editions::LEAVE, editions::markup, prose, prose::Block, prose::Inline, typography};

/// The letter as plain text, with a line feed at the end of each line.
pub(super) fn text(sheet: &Sheet<'_>) -> String {
    let (issue, words) = (sheet.issue, sheet.issue.words);
    let mut out = String::new();
    wrap(&issue.name, "", "", &mut out);
    let facts =
        [Some(issue.day.text.replace('\u{3000}', " ")), issue.place.clone(), Some(issue.n_articles.clone())];
    wrap(&facts.into_iter().flatten().collect::<Vec<_>>().join(" · "), "", "", &mut out);
    if let Some(correction) = &issue.correction {
        wrap(correction, "", "", &mut out);
    }
    out.push('\n');
    addresses(sheet, &mut out);
    out.push('\n');
    if let Some(summary) = &issue.summary {
        wrap(summary, "", "", &mut out);
        out.push('\n');
    }

    let _ = writeln!(out, "{}", words.contents);
    for (n, story) in sheet.stories.iter().enumerate() {
        let byline = story.piece.byline.as_ref().map(|byline| format!(" · {byline}")).unwrap_or_default();
        let number = format!("{:>3}. ", n + 1);
        wrap(&format!("{}{byline}", story.piece.headline), &number, "     ", &mut out);
    }
    if let Some(more) = &sheet.more {
        wrap(more, "     ", "     ", &mut out);
    }

    for story in &sheet.stories {
        let piece = &story.piece;
        let _ = write!(out, "\n{}\n\n", "-".repeat(COLUMNS));
        for line in [&story.section, &piece.kicker].into_iter().flatten() {
            wrap(line, "", "", &mut out);
        }
        wrap(&piece.headline, "", "", &mut out);
        if piece.first_words {
            wrap(words.untitled_note, "(", "", &mut out);
            out.pop();
            out.push_str(")\n");
        }
        for line in [&piece.dek, &piece.byline].into_iter().flatten() {
            wrap(line, "", "", &mut out);
        }
        out.push('\n');
        blocks(&story.excerpt.blocks, "", &mut out);
        let label = if story.excerpt.cut { words.read_on } else { words.read_online };
        let _ = writeln!(out, "{label}{}{}", words.colon.replace('：', ": "), story.href);
    }

    let _ = write!(out, "\n{}\n\n", "=".repeat(COLUMNS));
    for line in [&issue.publisher, &issue.rights].into_iter().flatten() {
        wrap(line, "", "", &mut out);
    }
    for contact in &issue.contacts {
        wrap(&format!("{}{}{}", contact.label, words.colon, contact.text), "", "  ", &mut out);
    }
    wrap(words.why, "", "", &mut out);
    addresses(sheet, &mut out);
    out
}

fn addresses(sheet: &Sheet<'_>, out: &mut String) {
    let words = sheet.issue.words;
    for (label, address) in
        [(words.read_online, sheet.page), (words.download, sheet.book), (words.leave, LEAVE)]
    {
        let _ = writeln!(out, "{label}: {address}");
    }
}

/// Blocks behind `margin`, an empty line after each.
fn blocks(blocks: &[Block], margin: &str, out: &mut String) {
    // A margin that grew with every level of a list in a list would leave no room for the text.
    let deeper = |more: &str| if margin.len() > 24 { margin.to_owned() } else { format!("{margin}{more}") };
    for block in blocks {
        match block {
            Block::Paragraph { text } | Block::Subhead { text, .. } => {
                let text = line(text);
                if text.trim().is_empty() {
                    continue;
                }
                text.split('\n').for_each(|verse| wrap(verse, margin, margin, out));
            }
            Block::Quote { blocks: quoted } => {
                let quote = deeper("> ");
                self::blocks(quoted, &quote, out);
                // The empty line after the last block is outside the quotation.
                let inside = out.len().saturating_sub(quote.trim_end().len() + 1);
                if out.get(inside..).is_some_and(|end| end.trim_end() == quote.trim_end()) {
                    out.truncate(inside);
                }
            }
            Block::List { start, items } => {
                for (n, item) in items.iter().enumerate() {
                    let mark = start
                        .map_or("- ".to_owned(), |first| format!("{}. ", first.saturating_add(n as u64)));
                    let text = item.iter().map(Block::plain).collect::<Vec<_>>().join(" ");
                    wrap(&text, &format!("{margin}{mark}"), &deeper(&" ".repeat(mark.len())), out);
                }
            }
            Block::Code { text } => {
                for code in typography::printable(text).lines() {
                    let _ = writeln!(out, "{margin}    {code}");
                }
            }
            Block::Table { head, rows } => {
                for row in std::iter::once(head).chain(rows).filter(|row| !row.is_empty()) {
                    let cells: Vec<String> = row.iter().map(|cell| line(cell).replace('\n', " ")).collect();
                    wrap(&cells.join(" | "), margin, &deeper("  "), out);
                }
            }
            Block::Figure { alt, caption, .. } => {
                if !alt.trim().is_empty() {
                    wrap(&format!("[{alt}]"), margin, margin, out);
                }
                let caption = line(caption);
                caption
                    .split('\n')
                    .filter(|c| !c.is_empty())
                    .for_each(|line| wrap(line, margin, margin, out));
                if alt.trim().is_empty() && caption.is_empty() {
                    continue;
                }
            }
            Block::Rule => {
                let _ = writeln!(out, "{margin}* * *");
            }
        }
        let _ = writeln!(out, "{}", margin.trim_end());
    }
}

/// A run as text: links with their address behind them, a line end only where one is meant.
fn line(inlines: &[Inline]) -> String {
    let mut out = String::new();
    for inline in inlines {
        match inline {
            Inline::Text { text } | Inline::Code { text } => out.push_str(&text.replace('\n', " ")),
            Inline::Emphasis { text } | Inline::Strong { text } | Inline::Struck { text } => {
                out.push_str(&line(text));
            }
            Inline::Link { href, text } => {
                let shown = prose::plain(text);
                let address = markup::address(href).unwrap_or_else(|| href.as_str().to_owned());
                let bare = |text: &str| {
                    text.trim_start_matches("https://")
                        .trim_start_matches("http://")
                        .trim_start_matches("mailto:")
                        .trim_end_matches('/')
                        .to_owned()
                };
                if shown.trim().is_empty() || bare(&shown) == bare(&address) {
                    out.push_str(&address);
                } else {
                    let _ = write!(out, "{shown} <{address}>");
                }
            }
            Inline::Note { number } => {
                let _ = write!(out, "[{number}]");
            }
            Inline::Picture { alt, .. } if alt.trim().is_empty() => {}
            Inline::Picture { alt, .. } => {
                let _ = write!(out, "[{}]", alt.replace('\n', " "));
            }
            Inline::Break => out.push('\n'),
        }
    }
    out
}
