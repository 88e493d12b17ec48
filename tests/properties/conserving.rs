//! Nothing is lost: every character of a page, and every Chinese letter of any other text, is in the reading.

use std::collections::{BTreeMap, HashMap};

use gazetted::{proof::Doubt, proof::Proof, prose, typography};

use super::reading::{self, Read};

/// Every character of a page but white space is in the reading as often as in the page.
pub fn page(read: &Read) {
    characters(read.manuscript.text(), read);
}

/// Every character of a text but white space is in its reading, as often as in the text. What no edition can carry is counted there.
pub fn characters(text: &str, read: &Read) {
    let mut changes = changes(text, read);
    // The title in the head of a book stands above its text as well, where that has no headline of its own.
    let issue = &read.proof.issue;
    let title = count(issue.title.as_deref().unwrap_or_default());
    let stands_above =
        issue.articles.iter().any(|article| Some(&article.headline.text) == issue.title.as_ref());
    let is_title = |changes: &BTreeMap<char, i64>| {
        changes.len() == title.len()
            && title.iter().all(|(c, n)| changes.get(c) == i64::try_from(*n).ok().as_ref())
    };
    if stands_above && is_title(&changes) {
        changes.clear();
    }
    assert_eq!(changes, BTreeMap::new(), "characters lost (-) or invented (+) in {text:?}");
}

/// The same of a PDF whose text is known only as it was set: the hyphens of parted words are in the reading alone.
pub fn set(read: &Read) {
    let mut wrong = changes(read.manuscript.text(), read);
    wrong.retain(|c, n| *n < 0 || !matches!(c, '-' | '\u{2010}' | '\u{AD}'));
    assert_eq!(wrong, BTreeMap::new(), "characters lost (-) or invented (+) in {:?}", read.manuscript.text());
}

/// What is in a reading more often or less often than in its text.
fn changes(text: &str, read: &Read) -> BTreeMap<char, i64> {
    let mut wrong: BTreeMap<char, i64> = BTreeMap::new();
    for (c, n) in count(text).into_iter().filter(|(c, _)| typography::is_printable(*c)) {
        *wrong.entry(c).or_default() -= i64::try_from(n).unwrap_or(i64::MAX);
    }
    for (c, n) in kept(&read.proof) {
        *wrong.entry(c).or_default() += i64::try_from(n).unwrap_or(i64::MAX);
    }
    wrong.retain(|_, n| *n != 0);
    wrong
}

/// Every Chinese letter of a text is somewhere in its reading, as often at least. Other letters may be in tags and names.
pub fn letters(text: &str, read: &Read) {
    let mut kept = String::new();
    let issue = serde_json::to_value(&read.proof.issue).expect("an issue");
    reading::each_text(&issue, &mut |text| kept.push_str(text));
    kept.extend(read.proof.not_used.iter().map(String::as_str));
    let kept = count(&kept);
    for (c, n) in count(text).into_iter().filter(|(c, _)| typography::is_han(*c)) {
        let found = kept.get(&c).copied().unwrap_or(0);
        assert!(found >= n, "{c} is {n} times in {text:?} and {found} times in {:#?}", read.proof);
    }
}

/// How often each character but white space occurs in the reading of a page.
fn kept(proof: &Proof) -> HashMap<char, usize> {
    // What was left out is named at the end, as each of these queries says: `U+0000 × 1`.
    let named = proof.queries.iter().filter(|query| query.code == Doubt::ControlCharacters).count();
    let mut not_used = proof.not_used.clone();
    let counts = not_used.split_off(not_used.len() - named);
    assert!(counts.iter().all(|text| text.starts_with("U+")), "{counts:?}");
    let mut texts = not_used;
    // What stands above the first article of a typescript.
    texts.extend(proof.issue.summary.clone());
    for article in &proof.issue.articles {
        texts.extend(Some(article.headline.text.clone()).filter(|_| !article.headline.synthetic));
        texts.extend(article.kicker.clone());
        texts.extend(article.dek.clone());
        texts.extend(article.captions.clone());
        texts.extend(article.credit.as_ref().map(|credit| credit.printed.clone()));
        let mut office = None;
        for byline in &article.bylines {
            texts.push(byline.name.clone());
            texts.extend(byline.affiliation.clone().filter(|own| Some(own) != office));
            office = byline.affiliation.as_ref();
        }
        texts.push(prose::plain_blocks(&article.body));
        texts.extend(article.notes.iter().map(|note| prose::plain_blocks(note)));
    }
    count(&texts.concat())
}

fn count(text: &str) -> HashMap<char, usize> {
    let mut counts = HashMap::new();
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        *counts.entry(c).or_default() += 1;
    }
    counts
}
