//! The plain text part of a letter, made from the same articles as the HTML.

use std::fmt::Write as _;

use super::lines::{COLUMNS, wrap};
use super::{Leaf, Sheet, Story};
use crate::{
    editions::LEAVE, editions::PREFERENCES, editions::markup, prose, prose::Block, prose::Inline,
    subscriber::Form, theme::Words, typography,
};

/// The letter as plain text, with a line feed at the end of each line.
pub(super) fn text(sheet: &Sheet, form: Form) -> String {
    let words = sheet.letter.words;
    let mut out = String::new();
    masthead(sheet, &mut out);
    if form.has_book() {
        books(sheet, &mut out);
    }
    let one = (!sheet.letter.several).then(|| sheet.issues.first()).flatten();
    if let Some(summary) = one.and_then(|leaf| leaf.issue.summary.as_ref()) {
        wrap(summary, "", "", &mut out);
        out.push('\n');
    }
    contents(sheet, &mut out);
    for leaf in &sheet.issues {
        if sheet.letter.several && !leaf.stories.is_empty() {
            title(leaf, &mut out);
        }
        for story in &leaf.stories {
            self::story(story, leaf, words, &mut out);
        }
    }
    foot(sheet, &mut out);
    out
}

/// The few lines that come with books to a device: nobody reads them there.
pub(super) fn cover(sheet: &Sheet) -> String {
    let mut out = String::new();
    masthead(sheet, &mut out);
    books(sheet, &mut out);
    contents(sheet, &mut out);
    foot(sheet, &mut out);
    out
}

fn masthead(sheet: &Sheet, out: &mut String) {
    let head = &sheet.letter;
    match sheet.issues.as_slice() {
        [leaf] if !head.several => {
            let issue = &leaf.issue;
            wrap(&issue.name, "", "", out);
            let facts = [Some(issue.day.text.clone()), issue.place.clone(), Some(issue.n_articles.clone())];
            self::facts(facts.iter().flatten(), out);
            if let Some(correction) = &issue.correction {
                wrap(correction, "", "", out);
            }
        }
        _ => {
            wrap(&head.paper, "", "", out);
            wrap(&head.title.replace('\u{3000}', " "), "", "", out);
            self::facts(&head.facts, out);
        }
    }
    out.push('\n');
    addresses(sheet, out);
    out.push('\n');
}

fn facts<'a>(facts: impl IntoIterator<Item = &'a String>, out: &mut String) {
    let facts: Vec<String> = facts.into_iter().map(|fact| fact.replace('\u{3000}', " ")).collect();
    wrap(&facts.join(" · "), "", "", out);
}

/// Which books come with the letter, and where the others are.
fn books(sheet: &Sheet, out: &mut String) {
    let words = sheet.letter.words;
    let enclosed: Vec<&Leaf> = sheet.issues.iter().filter(|leaf| leaf.attached).collect();
    if !enclosed.is_empty() {
        wrap(words.enclosed, "", "", out);
    }
    for leaf in sheet.issues.iter().filter(|leaf| !leaf.attached) {
        wrap(words.too_large, "", "", out);
        let _ = writeln!(out, "{}", leaf.book);
    }
    out.push('\n');
}

fn contents(sheet: &Sheet, out: &mut String) {
    let _ = writeln!(out, "{}", sheet.letter.words.contents);
    for leaf in &sheet.issues {
        if sheet.letter.several {
            let title = leaf.title.replace('\u{3000}', " ");
            let _ = writeln!(out);
            wrap(&title, "", "", out);
        }
        for (n, story) in leaf.stories.iter().enumerate() {
            let byline = story.piece.byline.as_ref().map(|byline| format!(" · {byline}")).unwrap_or_default();
            let number = format!("{:>3}. ", n + 1);
            wrap(&format!("{}{byline}", story.piece.headline), &number, "     ", out);
        }
        if let Some(more) = &leaf.more {
            wrap(more, "     ", "     ", out);
        }
    }
    if let Some(more) = &sheet.more {
        let _ = writeln!(out);
        wrap(more, "", "", out);
    }
}

/// The head of one issue among several.
fn title(leaf: &Leaf, out: &mut String) {
    let (issue, words) = (&leaf.issue, leaf.issue.words);
    let _ = write!(out, "\n{}\n\n", "=".repeat(COLUMNS));
    wrap(&leaf.title.replace('\u{3000}', " "), "", "", out);
    facts(&leaf.facts, out);
    if let Some(correction) = &issue.correction {
        wrap(correction, "", "", out);
    }
    for (label, address) in [(words.read_online, &leaf.page), (words.download, &leaf.book)] {
        let _ = writeln!(out, "{label}: {address}");
    }
    if let Some(summary) = &issue.summary {
        out.push('\n');
        wrap(summary, "", "", out);
    }
}

fn story(story: &Story, leaf: &Leaf, words: &Words, out: &mut String) {
    let piece = &story.piece;
    let _ = write!(out, "\n{}\n\n", "-".repeat(COLUMNS));
    for line in [&story.section, &piece.kicker].into_iter().flatten() {
        wrap(line, "", "", out);
    }
    wrap(&piece.headline, "", "", out);
    if piece.first_words {
        wrap(leaf.issue.words.untitled_note, "(", "", out);
        out.pop();
        out.push_str(")\n");
    }
    for line in [&piece.dek, &piece.byline].into_iter().flatten() {
        wrap(line, "", "", out);
    }
    out.push('\n');
    blocks(&story.excerpt.blocks, "", out);
    // A text that stands here as a whole has its source beside it.
    if let Some(credit) = piece.credit.as_ref().filter(|_| !story.excerpt.cut) {
        wrap(credit, "", "", out);
        out.push('\n');
    }
    let label = if story.excerpt.cut { words.read_on } else { words.read_online };
    let _ = writeln!(out, "{label}{}{}", words.colon.replace('：', ": "), story.href);
}

fn foot(sheet: &Sheet, out: &mut String) {
    let (head, words) = (&sheet.letter, sheet.letter.words);
    let _ = write!(out, "\n{}\n\n", "=".repeat(COLUMNS));
    for line in [&head.publisher, &head.rights].into_iter().flatten() {
        wrap(line, "", "", out);
    }
    for contact in &head.contacts {
        wrap(&format!("{}{}{}", contact.label, words.colon, contact.text), "", "  ", out);
    }
    wrap(words.why, "", "", out);
    addresses(sheet, out);
}

fn addresses(sheet: &Sheet, out: &mut String) {
    let words = sheet.letter.words;
    let book = (!sheet.letter.several).then(|| sheet.issues.first()).flatten();
    let lines = [
        Some((words.read_online, sheet.letter.page.as_str())),
        book.map(|leaf| (words.download, leaf.book.as_str())),
        Some((words.preferences, PREFERENCES)),
        Some((words.leave, LEAVE)),
    ];
    for (label, address) in lines.into_iter().flatten() {
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
