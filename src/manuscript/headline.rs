//! A headline for an article that has none, made of its first words and marked so.

use crate::{issue::Headline, prose::Block, typography};

/// The longest made headline in columns (a Chinese character takes two): sixteen characters or some eight words.
const MAX_COLUMNS: usize = 48;

/// Chinese headlines run shorter than Latin ones.
const MAX_WIDE_COLUMNS: usize = 32;

/// A headline made of the first words of a body: cut at a comma or stop if one is near, else with `…`.
pub(super) fn made_of(body: &[Block]) -> Headline {
    let text = body
        .iter()
        .filter(|block| !matches!(block, Block::Subhead { .. }))
        .chain(body)
        .map(Block::plain)
        .find(|text| !text.trim().is_empty())
        .unwrap_or_default();
    let text = first_words(&text);
    Headline { text: if text.is_empty() { "…".to_owned() } else { text }, synthetic: true }
}

fn first_words(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default().trim();
    let most = if line.chars().take(16).any(typography::is_wide) { MAX_WIDE_COLUMNS } else { MAX_COLUMNS };
    let mut columns = 0;
    let mut words = 0;
    let mut last_stop = None;
    let mut last_space = None;
    let mut end = line.len();
    for (at, c) in line.char_indices() {
        columns += typography::columns(c);
        if columns > most || words >= 8 {
            end = at;
            break;
        }
        if "。！？!?".contains(c) || (c == '.' && line[at + 1..].starts_with(' ')) {
            return line[..at].trim().to_owned();
        }
        if "，,；;：:、".contains(c) && columns > most / 4 {
            last_stop = Some(at);
        }
        if c == ' ' {
            last_space = Some(at);
            words += 1;
        }
    }
    if end == line.len() {
        return line.trim_end_matches(['.', '。', '，', ',', '；', ';']).to_owned();
    }
    let within_word = line[..end].ends_with(|c: char| c.is_ascii_alphanumeric())
        && line[end..].starts_with(|c: char| c.is_ascii_alphanumeric());
    let cut = last_stop.or(last_space.filter(|_| within_word)).unwrap_or(end);
    format!("{}…", line[..cut].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let made = made_of(&[Block::paragraph(text)]);
        assert!(made.synthetic);
        assert_eq!(made.text, expected);
    }

    #[test]
    fn a_headline_is_made_of_the_first_words() {
        check("春雨落在山城的石阶上，老人们撑伞而行。", "春雨落在山城的石阶上…");
        check(
            "一座没有名字的小桥横在两条河交汇处的旧码头边上已经有很多年了。",
            "一座没有名字的小桥横在两条河交汇…",
        );
        check("短句。后面还有。", "短句");
        check(
            "The bridge at the end of the street was closed again last week.",
            "The bridge at the end of the street…",
        );
        check("Short one. And more.", "Short one");
        check("", "…");
    }
}
