//! How a text is cut into the terms that a search compares, the same for every database.
//!
//! Chinese and Japanese have no spaces: every two neighbouring characters are a term, so that any word of two or more is found
//! without a dictionary. Elsewhere a term is a word, without case and accents.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

use crate::typography;

/// The longest term, in characters: longer ones are cut, in the text as in the question.
const LONGEST: usize = 32;

/// The terms of a text, in its order.
#[must_use]
pub fn terms(text: &str) -> Vec<String> {
    let mut terms = Vec::new();
    for run in runs(text) {
        if run.cjk {
            let letters: Vec<char> = run.letters.chars().collect();
            terms.extend(letters.windows(2).map(|pair| pair.iter().collect::<String>()));
            // The last one, so that a character alone is found by the beginning of a term.
            terms.extend(letters.last().map(char::to_string));
        } else {
            terms.push(run.letters.chars().take(LONGEST).collect());
        }
    }
    terms
}

/// What a question asks for: each term must be there; one that ends in `*` is the beginning of one.
#[must_use]
pub fn question(text: &str) -> Vec<String> {
    let mut asked = Vec::new();
    for run in runs(text) {
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
    text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).nfc().collect()
}

struct Run {
    cjk: bool,
    letters: String,
}

/// The letters and digits that stand together, one script's at a time.
fn runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut open = false;
    for c in folded(text).chars() {
        if !c.is_alphanumeric() {
            open = false;
            continue;
        }
        let cjk = typography::is_wide(c);
        match runs.last_mut() {
            Some(run) if open && run.cjk == cjk => run.letters.push(c),
            _ => runs.push(Run { cjk, letters: c.to_string() }),
        }
        open = true;
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_is_cut_into_pairs_and_english_into_words() {
        assert_eq!(terms("新质生产力"), ["新质", "质生", "生产", "产力", "力"]);
        assert_eq!(terms("The Café, 2026"), ["the", "cafe", "2026"]);
        assert_eq!(terms("ＡＩ与AI时代"), ["ai", "与", "ai", "时代", "代"]);
        assert_eq!(terms("……"), Vec::<String>::new());
    }

    #[test]
    fn a_question_asks_for_what_a_text_has() {
        assert_eq!(question("生产力"), ["产力", "生产"]);
        assert_eq!(question("力"), ["力*"]);
        assert_eq!(question("CAFE café"), ["cafe"]);
        for word in ["质生", "产力", "新质"] {
            assert!(question(word).iter().all(|term| terms("新质生产力").contains(term)), "{word}");
        }
    }
}
