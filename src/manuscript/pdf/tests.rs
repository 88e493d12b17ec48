//! PDFs as a whole, as `pdftotext` or something in its place tells of them. The stories of `tests/` read real ones.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::super::tests::{count, kept, outline, publication};
use super::super::{Form, Manuscript, Packed, open_boxes, read as read_manuscript};
use super::*;
use crate::{proof::Proof, typography};

/// Reads a PDF of which a shell script tells instead of `pdftotext`.
fn told_by(script: &str, limits: Limits) -> Result<Proof, Unreadable> {
    let tool = Tool { program: Path::new("sh"), arguments: &["-c", script], limits };
    let (print, text) = open_with(&tool, b"%PDF-1.7\n%%EOF\n")?;
    let manuscript = Manuscript::of("page".to_owned(), Form::Pdf, text, Some(Packed::Pdf(print)));
    Ok(read_manuscript(&manuscript, &publication()))
}

/// What `pdftotext` would print of words, each with its page, left edge, middle and size.
fn boxes_of(words: &[(usize, f64, f64, f64, &str)]) -> String {
    let mut out = "<!DOCTYPE html><doc>".to_owned();
    let mut last = None;
    for (page, left, middle, size, text) in words {
        if last != Some(page) {
            let _ = writeln!(out, "<page width=\"600\" height=\"800\">");
            last = Some(page);
        }
        let letters: f64 = text.chars().map(|c| if c.is_ascii() { 0.5 } else { 1.0 }).sum();
        let (right, top, bottom) = (left + letters * size, middle - 0.575 * size, middle + 0.575 * size);
        let text = quick_xml::escape::escape(*text);
        let _ = writeln!(
            out,
            "<word xMin=\"{left}\" yMin=\"{top}\" xMax=\"{right}\" yMax=\"{bottom}\">{text}</word>"
        );
    }
    out + "</doc>"
}

fn proof_of(output: &str) -> Proof {
    read_manuscript(&open_boxes("page.pdf", output).expect("a text"), &publication())
}

#[track_caller]
fn check(words: &[(usize, f64, f64, f64, &str)], expected: &Expect) {
    let proof = proof_of(&boxes_of(words));
    expected.assert_eq(&outline(&proof));
    check_conserved(&words.iter().map(|word| word.4).collect::<String>(), &proof);
}

#[track_caller]
fn check_conserved(text: &str, proof: &Proof) {
    let kept = kept(proof);
    let mut wrong: BTreeMap<char, (usize, usize)> = BTreeMap::new();
    for (c, n) in count(text) {
        let found = kept.get(&c).copied().unwrap_or(0);
        if found != n && typography::is_printable(c) {
            wrong.insert(c, (n, found));
        }
    }
    assert!(wrong.is_empty(), "characters that were there and are not: {wrong:?}");
}

#[test]
fn a_headline_is_known_by_its_size_and_a_name_by_its_form() {
    check(
        &[
            (0, 0.0, 10.0, 10.0, "第3版 副刊 2025-07-09"),
            (0, 60.0, 60.0, 22.0, "桥边的灯亮了"),
            (0, 100.0, 90.0, 10.0, "李小雨"),
            (0, 20.0, 110.0, 10.0, "老桥边的灯亮了三十年，守灯的"),
            (0, 0.0, 125.0, 10.0, "人换了三代，灯一夜也没有灭过。"),
            (0, 40.0, 140.0, 10.0, "灯下的书架"),
            (0, 20.0, 155.0, 10.0, "书架上的书谁都可以拿，看完放"),
            (0, 170.0, 110.0, 10.0, "回去，从来没有少过。书的扉页上"),
            (0, 170.0, 125.0, 10.0, "写着许多外地人的名字，也有诗。"),
            (0, 190.0, 140.0, 10.0, "河上的船少了，桥上的人多了。"),
        ],
        &expect![[r"
            桥边的灯亮了 / 李小雨 / 3¶ / h1 灯下的书架
            date: 2025-07-09
            page: 3
            section: 副刊
            ?  columns
            - 第3版 副刊 2025-07-09
        "]],
    );
}

#[test]
fn what_stands_on_every_page_is_in_no_article() {
    let mut words = Vec::new();
    for page in 0..3 {
        words.push((page, 0.0, 10.0, 10.0, "The Tide Gazette"));
        words.push((page, 290.0, 10.0, 10.0, ["12", "13", "14"][page]));
        if page == 0 {
            words.push((page, 0.0, 50.0, 20.0, "The lamp and the quay"));
        }
        let lines = [
            "The lamp at the end of the old quay was lit for the first",
            "time in a wet year, and nobody remembers who carried it",
            "there.",
        ];
        for (line, text) in lines.into_iter().enumerate() {
            words.push((page, 0.0, [80.0, 93.0, 106.0][line], 10.0, text));
        }
    }
    check(
        &words,
        &expect![[r"
            The lamp and the quay / 3¶
            ?  columns
            - The Tide Gazette
            - 12
            - The Tide Gazette
            - 13
            - The Tide Gazette
            - 14
        "]],
    );
}

#[test]
fn a_running_head_of_any_length_is_set_whole() {
    let head: Vec<_> = (0..20_000_u32).map(|n| (0, 4.0 * f64::from(n), 10.0, 1.0, "1")).collect();
    let words = [head, vec![(0, 0.0, 60.0, 10.0, "The lamp at the end of the quay")]].concat();
    let text = setting::set(boxes::pages(&boxes_of(&words))).text;
    assert_eq!(text.lines().filter(|line| *line == "1").count(), 20_000);
}

#[track_caller]
fn refuses(script: &str, limits: Limits, expected: &str) {
    let reason = told_by(script, limits).expect_err("no text").to_string();
    assert!(reason.starts_with("cannot read this `.pdf` file: ") && reason.contains(expected), "{reason}");
}

#[test]
fn a_pdf_that_cannot_be_read_says_what_to_do() {
    refuses("echo 'Command Line Error: Incorrect password' >&2; exit 1", LIMITS, "locked with a password");
    refuses(
        "echo 'Copying of text from this document is not allowed.' >&2; exit 3",
        LIMITS,
        "may not be copied",
    );
    refuses(
        "echo '<page ></page>'; echo \"Missing language pack for 'Adobe-GB1'\" >&2",
        LIMITS,
        "package poppler-data and",
    );
    refuses("echo 'Syntax Error: trailer' >&2; exit 1", LIMITS, "it is damaged or something else");
    refuses("kill -SEGV $$", LIMITS, "it is damaged or something else");
    refuses("", LIMITS, "its pages hold no text, as after scanning; let a program recognise its text (OCR)");
    refuses("echo 'garbage < & >'", LIMITS, "its pages hold no text");
    refuses("echo '<page ><word >7</word></page>'", LIMITS, "its pages hold hardly any text");
    let unknown = "\u{E123}".repeat(40);
    refuses(&format!("echo '<page ><word >{unknown}</word>'"), LIMITS, "do not say which letters they show");
    let missing = Tool { program: Path::new("no-such-program"), arguments: &[], limits: LIMITS };
    let reason = open_with(&missing, b"%PDF-1.7").expect_err("it is not there").to_string();
    assert!(reason.contains("install Debian's packages poppler-utils and poppler-data"), "{reason}");
    let reason = open(b"PK\x03\x04").expect_err("no PDF").to_string();
    assert!(reason.contains("it is no PDF, or damaged"), "{reason}");
}

#[test]
fn a_program_in_its_place_that_hangs_or_floods_stops_nothing() {
    let short = Limits { time: SignedDuration::from_millis(20), ..LIMITS };
    refuses("kill -STOP $$", short, "it could not be read within 0 seconds");
    let little = Limits { output: 10_000, ..LIMITS };
    refuses("while :; do echo '<page ><word >words</word>'; done", little, "far more text than an issue has");
}

#[test]
fn a_pdf_without_its_end_is_on_its_way() {
    let whole = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\nstartxref\n0\n%%EOF\n";
    assert!(has_end(whole) && !has_end(&whole[..whole.len() - 4]) && !has_end(b""));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn wherever_words_stand_none_is_lost(
        words in prop::collection::vec(
            (0..3_usize, -20.0..600.0_f64, -20.0..800.0_f64, 0.1..60.0_f64, "[ -~一-龥，。“”]{1,12}"),
            20..80,
        )
    ) {
        let mut words: Vec<(usize, f64, f64, f64, &str)> =
            words.iter().map(|(page, left, middle, size, text)| (*page, *left, *middle, *size, text.as_str())).collect();
        words.sort_by_key(|word| word.0);
        let text: String = words.iter().map(|word| word.4).collect();
        let pages = boxes::pages(&boxes_of(&words));
        let setting = setting::set(pages);
        prop_assert_eq!(count(&(setting.text.clone() + &setting.hyphens)), count(&text));
    }

    #[test]
    fn no_output_stops_the_reader(output in "(<page |<word |xMin=\"|[0-9.e-]{1,9}|\"|>|</word>|[ -~]|\\PC|\\n){0,60}") {
        setting::set(boxes::pages(&output));
    }
}
