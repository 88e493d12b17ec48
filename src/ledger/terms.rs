//! How a text is cut into the terms that a search compares, the same for every database.
//!
//! Chinese and Japanese have no spaces: every two neighbouring characters are a term, so that any word of two or more is found
//! without a dictionary. Elsewhere a term is a word, without case and accents.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

use crate::typography;

/// The longest term, in characters: longer ones are cut, in the text as in the question.
const LONGEST: usize = 32;

/// The terms of texts, each once, with a space after each but the last: words, then those of Chinese and Japanese, both sorted.
#[must_use]
pub fn terms<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    // A line end parts letters as well as texts.
    let mut text = String::new();
    for part in texts {
        text.push_str(part);
        text.push('\n');
    }
    let text = folded(&text);
    let mut words = Vec::new();
    let mut pairs = Vec::new();
    for run in runs(&text) {
        if run.cjk {
            let mut letters = run.letters.chars();
            let mut last = letters.next();
            for letter in letters {
                pairs.extend(last.map(|last| pair(last, Some(letter))));
                last = Some(letter);
            }
            // The last one, so that a character alone is found by the beginning of a term.
            pairs.extend(last.map(|last| pair(last, None)));
        } else {
            let end = run.letters.char_indices().nth(LONGEST).map_or(run.letters.len(), |(at, _)| at);
            words.push(&run.letters[..end]);
        }
    }
    words.sort_unstable();
    words.dedup();
    pairs.sort_unstable();
    pairs.dedup();
    let mut terms = words.join(" ");
    for pair in pairs {
        if !terms.is_empty() {
            terms.push(' ');
        }
        terms.extend(letters(pair));
    }
    terms
}

/// One or two letters as a number: a text has thousands, and numbers are sorted in no time. Their order is that of the letters.
fn pair(first: char, second: Option<char>) -> u64 {
    u64::from(u32::from(first)) << 32 | second.map_or(0, |second| u64::from(u32::from(second)))
}

fn letters(pair: u64) -> impl Iterator<Item = char> {
    let letter = |number: u64| u32::try_from(number).ok().and_then(char::from_u32).filter(|c| *c != '\0');
    [letter(pair >> 32), letter(pair & 0xFFFF_FFFF)].into_iter().flatten()
}

/// What a question asks for: each term must be there; one that ends in `*` is the beginning of one.
#[must_use]
pub fn question(text: &str) -> Vec<String> {
    let mut asked = Vec::new();
    for run in runs(&folded(text)) {
        let letters: Vec<char> = run.letters.chars().collect();
        match letters.as_slice() {
            [one] if run.cjk => asked.push(format!("{one}*")),
            many if run.cjk => asked.extend(many.windows(2).map(|pair| pair.iter().collect::<String>())),
            word => asked.push(word.iter().take(LONGEST).collect()),
        }
    }
    asked.sort();
    asked.dedup();
    asked
}

/// The text in the form in which terms are compared: one case, one width, no accents.
#[must_use]
pub fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    // Ideographs have one form only, and most Chinese text is made of them.
    for run in text.split_inclusive(is_ideograph) {
        let others = run.trim_end_matches(is_ideograph);
        if !others.is_empty() {
            let letters = others.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase);
            folded.extend(letters.nfc());
        }
        folded.push_str(&run[others.len()..]);
    }
    folded
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}')
}

struct Run<'t> {
    cjk: bool,
    letters: &'t str,
}

/// The letters and digits that stand together in a folded text, one script's at a time.
fn runs(text: &str) -> Vec<Run<'_>> {
    let mut runs = Vec::new();
    // Where the run began that is being read, and whether it is CJK.
    let mut open: Option<(usize, bool)> = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let kind = (is_ideograph(c) || c.is_alphanumeric()).then(|| typography::is_wide(c));
        if let Some((from, cjk)) = open.filter(|(_, cjk)| kind != Some(*cjk)) {
            runs.push(Run { cjk, letters: &text[from..at] });
            open = None;
        }
        if let Some(cjk) = kind {
            open.get_or_insert((at, cjk));
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_is_cut_into_pairs_and_english_into_words() {
        assert_eq!(terms(["新质生产力"]), "产力 力 新质 生产 质生");
        assert_eq!(terms(["The Café,", "2026"]), "2026 cafe the");
        assert_eq!(terms(["ＡＩ与AI时代", "时"]), "ai 与 代 时 时代");
        assert_eq!(terms(["桥a和b河", "河"]), "a b 和 桥 河");
        assert_eq!(terms([&*"x".repeat(40)]), "x".repeat(32));
        assert_eq!(terms(["……", ""]), "");
        assert_eq!(terms(["é桥e\u{301}", "ＫÅ灯"]), "e ka 桥 灯");
    }

    #[test]
    fn a_question_asks_for_what_a_text_has() {
        assert_eq!(question("生产力"), ["产力", "生产"]);
        assert_eq!(question("力"), ["力*"]);
        assert_eq!(question("CAFE café"), ["cafe"]);
        for word in ["质生", "产力", "新质"] {
            assert!(question(word).iter().all(|term| terms(["新质生产力"]).contains(term)), "{word}");
        }
    }
}
