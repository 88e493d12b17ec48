//! Receipts of real and of strange files: always the file again, and a list that is true.

use std::{collections::BTreeMap, path::Path, process::Command, sync::LazyLock};

use expect_test::{ExpectFile, expect_file};
use proptest::{prelude::*, sample::Index};

use super::{Kind, Receipts, Record, Span};
use crate::{
    manuscript, manuscript::tests::damaged, manuscript::tests::publication, proof::Proof, prose::Block,
};

/// The reading of a file and its receipts; `None` when it cannot be read.
fn receipts(file_name: &str, bytes: &[u8]) -> Option<(Proof, Receipts)> {
    let manuscript = manuscript::open(file_name, bytes).ok()?;
    let proof = manuscript::read(&manuscript, &publication());
    let receipts = Receipts::of(file_name, bytes, &proof).expect("a text file");
    Some((proof, receipts))
}

/// Whatever the file, it is restored from its reading.
#[track_caller]
fn check_restored(file_name: &str, bytes: &[u8]) -> Option<(Proof, Receipts)> {
    let (proof, receipts) = receipts(file_name, bytes)?;
    assert!(
        receipts.restore(&proof.issue).as_deref() == Some(bytes),
        "not restored: {:?}\n{:?}",
        String::from_utf8_lossy(bytes),
        receipts.spans
    );
    Some((proof, receipts))
}

/// Of a page, more holds. Every letter and digit of every piece of the issue is found in the source. And the letters and
/// digits that stand in none are, one for one, those of *not used*: running heads, mastheads, fragments, the labels of bylines,
/// an office that is printed again for the next name, and a line that was read twice.
#[track_caller]
fn check_page(bytes: &[u8]) {
    let Some((proof, receipts)) = check_restored("page.txt", bytes) else { return };
    let mut letters: BTreeMap<char, i64> = BTreeMap::new();
    for span in &receipts.spans {
        if let Span::Other(text) = span {
            text.chars().filter(|c| c.is_alphanumeric()).for_each(|c| *letters.entry(c).or_default() += 1);
        }
    }
    for text in proof.not_used.iter().filter(|text| !text.starts_with("U+")) {
        text.chars().filter(|c| c.is_alphanumeric()).for_each(|c| *letters.entry(c).or_default() -= 1);
    }
    letters.retain(|_, n| *n != 0);
    assert!(
        letters.is_empty(),
        "letters in no piece (+) that are not set aside, or the reverse (-): {letters:?} in {:?}\n{:#?}",
        String::from_utf8_lossy(bytes),
        receipts.spans
    );
    // No editor had it in hands, and the list does not say so.
    let edited = receipts.repairs.iter().find(|repair| matches!(repair.kind, Kind::Added | Kind::LeftOut));
    assert_eq!(edited, None, "in {:?}", String::from_utf8_lossy(bytes));
}

/// How an editor's program saves a text.
#[derive(Debug, Clone)]
struct Saved {
    charset: &'static str,
    mark: bool,
    line_end: &'static str,
    /// Characters that nobody sees.
    noise: Vec<(Index, char)>,
}

impl Saved {
    fn bytes(&self, text: &str) -> Vec<u8> {
        let mut text = text.replace('\n', self.line_end);
        for (at, c) in &self.noise {
            let at = at.index(text.len() + 1);
            let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.insert(at, *c);
        }
        if self.mark {
            text.insert(0, '\u{FEFF}');
        }
        match self.charset {
            "UTF-16LE" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            "UTF-16BE" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            "UTF-8" => text.into_bytes(),
            other => {
                let encoding = encoding_rs::Encoding::for_label(other.as_bytes()).expect("a charset");
                encoding.encode(&text).0.into_owned()
            }
        }
    }
}

fn saved() -> impl Strategy<Value = Saved> {
    let charsets = ["UTF-8", "UTF-8", "UTF-16LE", "UTF-16BE", "gb18030", "big5", "shift_jis", "windows-1252"];
    let noise = prop::sample::select(vec![
        '\u{0}', '\u{8}', '\u{FEFF}', '\u{202E}', '\u{C}', '\r', '\u{2028}', '\u{85}',
    ]);
    (
        prop::sample::select(charsets.to_vec()),
        any::<bool>(),
        prop::sample::select(vec!["\n", "\n", "\r\n", "\r", "\n\r\n"]),
        prop::collection::vec((any::<Index>(), noise), 0..4),
    )
        .prop_map(|(charset, mark, line_end, noise)| Saved { charset, mark, line_end, noise })
}

/// An article as a page may have it.
#[derive(Debug, Clone)]
struct Piece {
    headline: String,
    byline: &'static str,
    paragraphs: Vec<(String, Vec<Index>)>,
    credit: &'static str,
    /// Whether the headline stands at the end of the page.
    late: bool,
}

/// A page, set in its own way: columns of a width or of none, spaces where lines ended, cuts in paragraphs, running heads set twice.
fn page() -> impl Strategy<Value = String> {
    let paragraph = (
        "([桥河船灯书人风雨山水的了在是有和三十年一二，、。；“”《》 0-9]{8,90}|[a-z ,]{20,90}Rust[a-z ]{2,20})(。|！|”|)",
        prop::collection::vec(any::<Index>(), 0..3),
    );
    let bylines = vec![
        "",
        "李小雨",
        "张 宇",
        "河畔县图书馆 王大桥 赵小河",
        "文/记者 李小雨 图/记者 王大桥",
        "（记者 李小雨）",
    ];
    let credits =
        vec!["", "（原载《河畔日报》2025年7月9日第9版）", "**（原载《河畔日报》07月 09 日 第\n9版）**"];
    let piece = (
        "[桥河船灯书人风雨山水]{3,12}( [桥河船灯]{2,6})?",
        prop::sample::select(bylines),
        prop::collection::vec(paragraph, 1..5),
        prop::sample::select(credits),
        prop::bool::weighted(0.3),
    )
        .prop_map(|(headline, byline, paragraphs, credit, late)| Piece {
            headline,
            byline,
            paragraphs,
            credit,
            late,
        });
    let heads = vec![
        "",
        "5本版责编：田小禾 周大川 读书2025年7月9日 星期三\n\n主主办办：：河畔县河畔县\n电电话话：：05550555\n\n",
    ];
    let marks = vec!["", "", "# "];
    (
        prop::collection::vec(piece, 1..4),
        prop::sample::select(heads),
        prop::sample::select(marks),
        prop_oneof![Just(0_usize), 8..30_usize],
        any::<bool>(),
    )
        .prop_map(|(pieces, head, mark, width, spaces)| set(&pieces, head, mark, width, spaces))
}

fn set(pieces: &[Piece], head: &str, mark: &str, width: usize, spaces: bool) -> String {
    let mut text = head.to_owned();
    let mut late = String::new();
    for piece in pieces {
        let above = format!("{mark}{}\n\n{}\n\n", piece.headline, piece.byline);
        let place = if piece.late { &mut late } else { &mut text };
        place.push_str(&above);
        for (paragraph, cuts) in &piece.paragraphs {
            let cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(paragraph.chars().count())).collect();
            for (n, c) in paragraph.chars().enumerate() {
                text.push(c);
                if cuts.contains(&n) {
                    text.push_str("\n\n");
                } else if width > 0 && n % width == width - 1 {
                    text.push(if spaces { ' ' } else { '\n' });
                }
            }
            text.push_str("\n\n");
        }
        text.push_str(piece.credit);
        text.push_str("\n\n");
    }
    text + &late
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_page_is_restored_to_the_byte(text in damaged(), saved in saved()) {
        check_page(&saved.bytes(&text));
    }

    #[test]
    fn a_page_set_anyhow_is_restored_to_the_byte(text in page(), saved in saved()) {
        check_page(&saved.bytes(&text));
    }

    #[test]
    fn any_text_is_restored_to_the_byte(text in "([一-十桥河水李王张 ，。：“”（）《》0-9a-c#*\n]|原载|版|责编：|记者|文/|2025年1月2日){0,120}", saved in saved()) {
        check_page(&saved.bytes(&text));
    }

    #[test]
    fn any_markdown_html_or_letter_is_restored_to_the_byte(
        text in "([ab桥河 .,#>*_`~|&\n]|\\[x\\]\\(https://e\\.org/y\\)|<i>|</i>|<p>|<h1>|</h1>|<!-- k -->|&amp;|&#x6865;|- |    |one more sentence|Subject: a\n|=E6=A1=A5){0,80}",
        name in prop::sample::select(vec!["a.md", "a.html", "a.xhtml", "a.eml"]),
        saved in saved(),
    ) {
        check_restored(name, &saved.bytes(&text));
    }

    #[test]
    fn a_file_is_restored_from_an_issue_that_its_editor_changed(text in page(), other in page(), saved in saved()) {
        let bytes = saved.bytes(&text);
        if let Some((proof, _)) = receipts("page.txt", other.as_bytes()) {
            let receipts = Receipts::of("page.txt", &bytes, &proof);
            if let Some(receipts) = receipts {
                prop_assert_eq!(receipts.restore(&proof.issue), Some(bytes));
            }
        }
    }

    #[test]
    fn bytes_that_are_no_text_stop_nothing(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        static PROOF: LazyLock<Proof> =
            LazyLock::new(|| receipts("trees.txt", TREES.as_bytes()).expect("a page").0);
        for name in ["a.txt", "a.md", "a.html", "a.eml", "a.zip", "a.docx", "a.epub"] {
            if let Some(receipts) = Receipts::of(name, &bytes, &PROOF) {
                prop_assert_eq!(receipts.restore(&PROOF.issue), Some(bytes.clone()));
            }
        }
    }
}

const LIBRARY: &str = include_str!("../../tests/pages/library.txt");
const TREES: &str = include_str!("../../tests/pages/trees.txt");

#[test]
fn another_issue_does_not_restore_the_file() {
    let (proof, receipts) = receipts("trees.txt", TREES.as_bytes()).expect("a page");
    assert_eq!(receipts.restore(&proof.issue), Some(TREES.as_bytes().to_vec()));
    let mut changed = proof.issue.clone();
    changed.articles[0].body[0] = Block::paragraph("Other words.");
    assert_eq!(receipts.restore(&changed), None);
    changed.articles.clear();
    assert_eq!(receipts.restore(&changed), None);
}

#[track_caller]
fn check_listing(file_name: &str, bytes: &[u8], expected: &ExpectFile) {
    let (proof, receipts) = check_restored(file_name, bytes).expect("a page");
    let record = Record::of(receipts, file_name, &proof.issue);
    let told = record.to_string().replace(env!("CARGO_PKG_VERSION"), "VERSION");
    expected.assert_eq(&told);
    assert_eq!(Record::parse(record.to_json().as_bytes()).expect("the same record"), record);
}

#[test]
fn an_editor_reads_what_was_done_to_a_page() {
    check_listing("2025-07-09.txt", LIBRARY.as_bytes(), &expect_file!["../../tests/golden/library.receipts"]);
    check_listing("trees.txt", TREES.as_bytes(), &expect_file!["../../tests/golden/trees.receipts"]);
}

/// The editors' own pages, and fresh ones made of them, where they are at hand: never part of the repository.
#[test]
fn the_shared_pages_are_restored_to_the_byte() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let Ok(pages) = std::fs::read_dir(shared.join("pages")) else {
        eprintln!("SKIPPED: there are no shared pages beside the repository; none was restored");
        return;
    };
    for page in pages.flatten() {
        check_page(&std::fs::read(page.path()).expect("a page"));
    }
    let fresh = tempfile::tempdir().expect("a temporary folder");
    let made = Command::new("python3")
        .arg(shared.join("gold/vary.py"))
        .arg(fresh.path())
        .args(["--n", "40", "--seed", "77"])
        .output();
    if !made.is_ok_and(|made| made.status.success()) {
        eprintln!("SKIPPED: no fresh pages could be made of the shared ones");
        return;
    }
    let mut n_pages = 0;
    for page in std::fs::read_dir(fresh.path()).expect("a folder").flatten() {
        if page.path().extension().is_some_and(|extension| extension == "txt") {
            check_page(&std::fs::read(page.path()).expect("a page"));
            n_pages += 1;
        }
    }
    assert_eq!(n_pages, 40);
}
