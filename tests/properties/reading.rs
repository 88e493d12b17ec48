//! What holds of every reading: the same twice, printable, bounded, and the same again from its proof.

use gazetted::{
    manuscript::{self, Manuscript, Unreadable},
    picture::Plate,
    proof::{self, Proof, Saved, Source},
    prose::Language,
    publication::{Design, Forms, Imprint, Publication},
    typography,
};
use serde_json::Value;

/// A manuscript with its reading.
pub struct Read {
    pub manuscript: Manuscript,
    pub proof: Proof,
    pub plates: Vec<Plate>,
}

/// How many times the bytes of a file its reading may have: references to a long address may stand in every line, a cell that
/// spans columns is as many cells. An archive may hold what it unpacks to.
const MAX_GROWTH: usize = 600;

/// So much a reading may have whatever the file: made headlines, labels.
const HARMLESS: usize = 1_000_000;

const HASH: &str = "00ff";

pub fn publication() -> Publication {
    Publication {
        key: "gazette".to_owned(),
        title: "河畔周刊".to_owned(),
        description: String::new(),
        language: Language::parse("zh-Hans").expect("a language tag"),
        time_zone: jiff::tz::TimeZone::UTC,
        base_url: "https://example.org/".to_owned(),
        authority: "example.org,2026".to_owned(),
        hub: None,
        imprint: Imprint::default(),
        theme: gazetted::theme::Theme::default(),
        design: Design::default(),
        forms: Forms::default(),
    }
}

/// How a file of that name is opened.
type Open = fn(&str, &[u8]) -> Result<Manuscript, Unreadable>;

/// The one place where a manuscript is read here.
fn read(open: Open, name: &str, bytes: &[u8]) -> Result<Read, String> {
    let manuscript = open(name, bytes).map_err(|refusal| refusal.to_string())?;
    let (proof, plates) = manuscript::read_with_plates(&manuscript, &publication());
    Ok(Read { manuscript, proof, plates })
}

/// Reads a file and checks what holds of every reading; `None` when it is refused.
pub fn check(name: &str, bytes: &[u8]) -> Option<Read> {
    check_opened(manuscript::open, name, bytes)
}

/// Checks the same of a file that is opened in another way.
pub fn check_opened(open: Open, name: &str, bytes: &[u8]) -> Option<Read> {
    let found = match read(open, name, bytes) {
        Ok(found) => found,
        Err(refusal) => {
            assert!(!refusal.trim().is_empty(), "refused without a reason");
            assert_eq!(read(open, name, bytes).err(), Some(refusal), "the same refusal twice");
            return None;
        }
    };
    let again = read(open, name, bytes).expect("it was read before");
    assert_eq!(found.proof, again.proof, "read twice");
    assert_eq!(found.plates, again.plates, "read twice");

    let issue = serde_json::to_value(&found.proof.issue).expect("an issue");
    let mut length = 0;
    let replaced = may_hold_replacements(bytes);
    each_text(&issue, &mut |text| {
        length += text.len();
        let wrong = text.chars().find(|c| !typography::is_printable(*c));
        assert_eq!(wrong, None, "unprintable in {text:?}");
        assert!(replaced || !text.contains('\u{fffd}'), "U+FFFD that was not in the source, in {text:?}");
    });
    length += found.proof.not_used.iter().map(String::len).sum::<usize>();
    assert!(
        length <= bytes.len().saturating_mul(MAX_GROWTH) + HARMLESS,
        "{} bytes became {length}",
        bytes.len()
    );
    for article in &found.proof.issue.articles {
        assert!(!article.headline.text.trim().is_empty(), "an article without a headline");
        assert!(
            !article.headline.text.contains('\n'),
            "a headline of two lines: {:?}",
            article.headline.text
        );
    }

    let source = Source { name, hash: HASH, text: found.manuscript.text() };
    let written = proof::write(&found.proof, &source);
    let saved = proof::read(&written).unwrap_or_else(|problems| panic!("{problems:?}\n{written}"));
    let mut expected = found.proof.clone();
    // A proof names pictures; which they are, its manuscript knows.
    expected.issue.pictures.clear();
    assert_same(&saved.proof, &expected, &written);
    assert!(saved.untouched && saved.manuscript == HASH);
    Some(found)
}

/// Shows the first difference alone: proofs are long.
fn assert_same(found: &Proof, expected: &Proof, written: &str) {
    if found != expected {
        let (found, expected) = (format!("{found:#?}"), format!("{expected:#?}"));
        let same = found.lines().zip(expected.lines()).take_while(|(a, b)| a == b).count();
        let near =
            |text: &str| text.lines().skip(same.saturating_sub(4)).take(12).collect::<Vec<_>>().join("\n");
        panic!("read back:\n{}\nread:\n{}\nin\n{written}", near(&found), near(&expected));
    }
}

/// Checks that a proof that was read can be written and read again.
pub fn check_saved(saved: &Saved) {
    let written = proof::write(&saved.proof, &Source { name: "a.txt", hash: HASH, text: "" });
    let again = proof::read(&written).unwrap_or_else(|problems| panic!("{problems:?}\n{written}"));
    assert_eq!(again.proof.issue, saved.proof.issue, "{written}");
    assert_eq!(again.proof.not_used, saved.proof.not_used, "{written}");
}

/// Whether the source itself may have U+FFFD: as bytes of a charset, or named by a number, as HTML and XML can. What an archive
/// holds cannot be seen from outside, unless it is stored.
fn may_hold_replacements(bytes: &[u8]) -> bool {
    let marks: [&[u8]; 5] = [b"\xEF\xBF\xBD", b"\xFF\xFD", b"\xFD\xFF", b"\x84\x31\xA4\x37", b"&#"];
    bytes.starts_with(b"PK")
        || marks.iter().any(|mark| bytes.windows(mark.len()).any(|window| window == *mark))
}

/// Visits every text in a value.
pub fn each_text(value: &Value, visit: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(values) => values.iter().for_each(|value| each_text(value, visit)),
        Value::Object(values) => values.values().for_each(|value| each_text(value, visit)),
        _ => {}
    }
}
