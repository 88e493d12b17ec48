//! What differs between two texts, word by word, and character by character where a script puts no spaces between words.

use std::time::{Duration, Instant};

use serde::Serialize;
use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

use crate::{issue::Issue, prose::plain_blocks, typography};

/// How long two texts are compared; what is not known by then counts as replaced.
const WITHIN: Duration = Duration::from_millis(500);

/// A piece of a paragraph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Piece {
    /// `same`, `removed` or `added`.
    pub(super) kind: &'static str,
    pub(super) text: String,
}

/// A paragraph that differs, or some that do not and are only counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Row {
    Changed { pieces: Vec<Piece> },
    Same { same: usize },
}

/// What an issue says, a line for each headline, name and paragraph.
pub(super) fn lines_of(issue: &Issue) -> String {
    let mut lines: Vec<String> = Vec::new();
    lines.extend(issue.title.clone());
    lines.extend(issue.date.map(|date| date.to_string()));
    lines.extend(issue.summary.clone());
    for article in &issue.articles {
        lines.extend(article.kicker.clone());
        lines.push(article.headline.text.clone());
        lines.extend(article.dek.clone());
        lines.extend(article.bylines.iter().map(|byline| match &byline.affiliation {
            Some(affiliation) => format!("{}, {affiliation}", byline.name),
            None => byline.name.clone(),
        }));
        lines.extend(plain_blocks(&article.body).lines().map(str::to_owned));
        lines.extend(article.notes.iter().map(|note| plain_blocks(note)));
        lines.extend(article.credit.as_ref().map(|credit| credit.printed.clone()));
    }
    lines.retain(|line| !line.trim().is_empty());
    lines.join("\n")
}

/// What differs between two texts, paragraph by paragraph.
pub(super) fn differences(before: &str, after: &str) -> Vec<Row> {
    let deadline = Instant::now() + WITHIN;
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let mut rows = Vec::new();
    for op in capture_diff_slices_deadline(Algorithm::Myers, &old, &new, Some(deadline)) {
        match op {
            DiffOp::Equal { len, .. } => rows.push(Row::Same { same: len }),
            DiffOp::Delete { old_index, old_len, .. } => {
                rows.extend(old[old_index..old_index + old_len].iter().map(|line| whole("removed", line)));
            }
            DiffOp::Insert { new_index, new_len, .. } => {
                rows.extend(new[new_index..new_index + new_len].iter().map(|line| whole("added", line)));
            }
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                let pairs = old_len.min(new_len);
                for n in 0..pairs {
                    rows.push(Row::Changed {
                        pieces: within(old[old_index + n], new[new_index + n], deadline),
                    });
                }
                rows.extend(
                    old[old_index + pairs..old_index + old_len].iter().map(|line| whole("removed", line)),
                );
                rows.extend(
                    new[new_index + pairs..new_index + new_len].iter().map(|line| whole("added", line)),
                );
            }
        }
    }
    rows
}

fn whole(kind: &'static str, line: &str) -> Row {
    Row::Changed { pieces: vec![Piece { kind, text: line.to_owned() }] }
}

/// What differs within a paragraph.
fn within(before: &str, after: &str, deadline: Instant) -> Vec<Piece> {
    let (old, new) = (words(before), words(after));
    let mut pieces: Vec<Piece> = Vec::new();
    let mut add = |kind: &'static str, words: &[&str]| {
        let text = words.concat();
        match pieces.last_mut() {
            Some(last) if last.kind == kind => last.text.push_str(&text),
            _ if text.is_empty() => {}
            _ => pieces.push(Piece { kind, text }),
        }
    };
    for op in capture_diff_slices_deadline(Algorithm::Myers, &old, &new, Some(deadline)) {
        let (old, new) = (&old[op.old_range()], &new[op.new_range()]);
        if matches!(op, DiffOp::Equal { .. }) {
            add("same", old);
        } else {
            add("removed", old);
            add("added", new);
        }
    }
    pieces
}

/// A text cut into words and what is between them; each wide character is a word of its own.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut before: Option<char> = None;
    for (at, c) in text.char_indices() {
        let joined = before.is_some_and(|b| {
            let in_word = |c: char| c.is_alphanumeric() && !typography::is_wide(c);
            in_word(b) && in_word(c)
        });
        if !joined && at > start {
            words.push(&text[start..at]);
            start = at;
        }
        before = Some(c);
    }
    if start < text.len() {
        words.push(&text[start..]);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &str, after: &str, expected: &str) {
        let row = |row: Row| match row {
            Row::Same { same } => format!("={same}"),
            Row::Changed { pieces } => pieces
                .iter()
                .map(|piece| match piece.kind {
                    "removed" => format!("[-{}-]", piece.text),
                    "added" => format!("[+{}+]", piece.text),
                    _ => piece.text.clone(),
                })
                .collect(),
        };
        let told: Vec<String> = differences(before, after).into_iter().map(row).collect();
        assert_eq!(told.join("\n"), expected);
    }

    #[test]
    fn words_and_chinese_characters_are_compared_one_by_one() {
        check("The ferry goes.", "The boat goes.", "The [-ferry-][+boat+] goes.");
        check("渡轮六点开航。", "渡轮七点开航。", "渡轮[-六-][+七+]点开航。");
        check("a\nb\nc", "a\nc\nd", "=1\n[-b-]\n=1\n[+d+]");
        check("same", "same", "=1");
        check("", "new", "[+new+]");
    }
}
