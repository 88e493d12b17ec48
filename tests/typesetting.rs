//! An issue that comes as a PDF: its columns are found, and its editor looks at it before readers do.

use std::{fmt::Write as _, fs, process::Command};

use expect_test::{Expect, expect};
use gazetted::{issue::Article, manuscript, proof::Policy, proof::Proof, prose::Block};

use crate::{
    configuring::gazetted,
    newsroom::{Newsroom, page, until},
    tools,
};

/// A PDF of one page with these words in Helvetica, drawn in this order: left edge and height from the foot in points, size.
fn pdf(words: &[(f64, f64, f64, &str)]) -> Vec<u8> {
    let mut drawn = String::new();
    for (left, up, size, text) in words {
        let _ = writeln!(drawn, "BT /F {size} Tf 1 0 0 1 {left} {up} Tm ({text}) Tj ET");
    }
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 600] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{drawn}endstream", drawn.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut out = "%PDF-1.4\n".to_owned();
    let mut places = Vec::new();
    for (n, object) in (1..).zip(&objects) {
        places.push(out.len());
        let _ = write!(out, "{n} 0 obj\n{object}\nendobj\n");
    }
    let table = out.len();
    let _ = write!(out, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for place in places {
        let _ = writeln!(out, "{place:010} 00000 n ");
    }
    let _ = write!(out, "trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n");
    out.into_bytes()
}

/// A page of two articles in three columns, drawn row by row, as some programs do.
fn rows() -> Vec<u8> {
    let columns = [
        [
            "  The lamp at the end of the",
            "old quay was lit in a wet year.",
            "Nobody remembers who has",
            "carried it there, or who first",
            "thought of doing so.",
            "  What everybody remembers",
        ],
        [
            "is the argument that followed",
            "between the harbour office and",
            "the fishermen. It was settled by",
            "the tide, which came in early",
            "and drowned the papers. The",
            "lamp was not harmed.",
        ],
        [
            "  Three keepers have looked",
            "after it since then. The first of",
            "them mended boats, another",
            "lent books to those who waited,",
            "and the third drinks tea and",
            "watches the light of others.",
        ],
    ];
    let mut words = vec![
        (40.0, 550.0, 9.0, "The Tide Gazette, 8 July 2026, page 3"),
        (40.0, 500.0, 24.0, "The lamp nobody put out"),
    ];
    words.push((40.0, 480.0, 10.0, "By Ada Quill"));
    for line in 0..6 {
        for (n, column) in (0..3_i32).zip(&columns) {
            let text = column[line].trim_start();
            let indent = if text.len() < column[line].len() { 12.0 } else { 0.0 };
            let up = 455.0 - 13.0 * f64::from(i32::try_from(line).unwrap());
            words.push((40.0 + 175.0 * f64::from(n) + indent, up, 10.0, text));
        }
    }
    pdf(&words)
}

/// A PDF printed by Chromium from a page of `tests/pages/pdf`, or `None` after saying that the story is skipped.
fn printed(name: &str) -> Option<Vec<u8>> {
    let (chromium, _) = (tools::program("chromium")?, tools::program("pdftotext")?);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.pdf");
    let (good, said) = tools::output(
        Command::new(chromium)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .arg("--no-pdf-header-footer")
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .arg(format!("--print-to-pdf={}", file.display()))
            .arg(tools::root().join("tests/pages/pdf").join(name)),
    );
    assert!(good, "{said}");
    Some(fs::read(file).unwrap())
}

fn read(bytes: &[u8]) -> Proof {
    let newsroom = gazetted::config::Newsroom {
        root: ".".into(),
        settings: gazetted::config::Settings::default(),
        theme: gazetted::theme::Theme::default(),
        cover: None,
    };
    let publication = newsroom.publication("127.0.0.1:1".parse().unwrap());
    let text = manuscript::open("page.pdf", bytes).unwrap_or_else(|error| panic!("{error}"));
    manuscript::read(&text, &publication)
}

/// The first and the last words of each paragraph of an article, below its headline and names.
fn article(article: &Article) -> String {
    let names: Vec<&str> = article.authors().collect();
    let mut lines = format!("{} / {}\n", article.headline.text, names.join(", "));
    for block in &article.body {
        let text = block.plain();
        let letters: Vec<char> = text.chars().collect();
        let ends =
            [letters[..8.min(letters.len())].iter(), letters[letters.len().saturating_sub(8)..].iter()];
        let [first, last] = ends.map(Iterator::collect::<String>);
        let mark = if matches!(block, Block::Subhead { .. }) { "## " } else { "" };
        let _ = writeln!(lines, "  {mark}{first} … {last}");
    }
    lines
}

#[track_caller]
fn check(bytes: &[u8], expected: &Expect) -> Proof {
    let proof = read(bytes);
    let mut shown: String = proof.issue.articles.iter().map(article).collect();
    for text in &proof.not_used {
        let _ = writeln!(shown, "- {}", text.replace('\u{AD}', "~"));
    }
    for query in &proof.queries {
        let _ = writeln!(shown, "? {}", query.code.as_str());
    }
    expected.assert_eq(&shown);
    assert!(Policy::Auto.holds(&proof), "a PDF always waits");
    proof
}

#[test]
fn a_page_of_four_columns_is_read_one_article_after_the_other() {
    let Some(bytes) = printed("four-columns.html") else { return };
    let proof = check(
        &bytes,
        &expect![[r"
        桥边的灯亮了三十年 / 李小雨
          老桥边的那盏灯， … 一夜也没有灭过。
          第一个守灯的人姓 … “大风，灯在。”
          ## 一、灯下的书架 … 一、灯下的书架
          第二个守灯的人在 … ，有的只是看雨。
          有人问他，书要是 … 写着外地的名字。
          ## 二、第三个守灯人 … 二、第三个守灯人
          第三个守灯的人是 … 等一等后面的船。
          三十年过去，河上 … 天还会照样地来。
        渡口的老船又刷了新漆 / 王大桥
          渡口已经停了八年 … 船的师傅留下的。
          字写得很小，说这 … 船的人也能看见。
        图书馆里来了一群麻雀 / 陈小河
          县图书馆的屋檐下 … 门口的铃还要准。
          有个孩子每天下午 … 证，编号是十二。
        - 5 本版责编：李小雨 王大桥 副刊 2025年7月9日 星期三
        ? columns
    "]],
    );
    assert_eq!(proof.issue.date.map(|date| date.to_string()).as_deref(), Some("2025-07-09"));
    assert_eq!(proof.issue.editors, ["李小雨", "王大桥"]);
    let credit = proof.issue.articles[1].credit.as_ref().unwrap();
    assert_eq!((credit.name.as_str(), credit.page.as_deref()), ("河畔日报", Some("4")));
    let text = proof.issue.articles[0].body.iter().map(Block::plain).collect::<String>();
    assert!(text.contains("添了多少，哪一夜有几条船靠岸"), "a paragraph goes on in the next column: {text}");
}

#[test]
fn a_magazine_of_two_columns_keeps_its_words_whole() {
    let Some(bytes) = printed("two-columns.html") else { return };
    let proof = check(
        &bytes,
        &expect![[r"
        The lamp that nobody put out / Ada Quill
          The lamp … t there.
          What eve …  papers.
          Since th … n tried.
        A ferry painted by its passengers / Tom Weir
          The ferr … writing.
          They wer … er side.
          The chil … e steps.
        - The Tide Gazette
        - 12
        - The Tide Gazette
        - 13
        - By By
        - ~~~‐
        ? columns
    "]],
    );
    let text = proof.issue.articles[0].body.iter().map(Block::plain).collect::<Vec<_>>().join("\n");
    assert!(text.contains("needed a permission, and the fishermen held that the dark"), "{text}");
    assert!(text.contains("It is a well-known fact"), "{text}");
}

#[test]
fn a_page_that_was_drawn_row_by_row_is_read_column_by_column() {
    if tools::program("pdftotext").is_none() {
        return;
    }
    check(
        &rows(),
        &expect![[r"
        The lamp nobody put out / Ada Quill
          The lamp … oing so.
          What eve …  harmed.
          Three ke …  others.
        - By
        ? columns
    "]],
    );
}

#[test]
fn a_pdf_waits_for_its_editor_wherever_nothing_else_does() {
    if tools::program("pdftotext").is_none() {
        return;
    }
    let newsroom = Newsroom::with_subscribers(["li@example.org"]);
    newsroom.saves("clean.md", page("Clear", "These words wait for nobody.")).is_out("clean", 1);
    newsroom.saves("2026-07-08.pdf", rows());
    let proof = newsroom.path("inbox/2026-07-08.pdf.proof.md");
    until("the proof", || proof.exists());
    let reason = newsroom.reason_beside("2026-07-08.pdf");
    assert!(
        reason.contains("waits for you: ") && reason.contains("look at the order of its columns"),
        "{reason}"
    );
    let text = fs::read_to_string(&proof).unwrap();
    assert!(text.contains("{? columns #1: ") && text.contains("# The lamp nobody put out"), "{text}");
    newsroom.sink.letters_to("li@example.org", 1);

    let marked = text.replace("in a wet year", "in a dry year");
    let mut edited = String::new();
    for (n, piece) in marked.split("{?").enumerate() {
        edited.push_str(if n == 0 { piece } else { piece.split_once('}').unwrap().1 });
    }
    // The head of the proof explains the marks with one.
    let edited = edited.replacen("looks like . Delete", "looks like a brace. Delete", 1);
    newsroom
        .saves("2026-07-08.pdf.proof.md", edited)
        .is_out("2026-07-08", 1)
        .no_reason_beside("2026-07-08.pdf");
    assert!(newsroom.outbox_text("issues/2026-07-08/index.html").contains("in a dry year"));
    newsroom.sink.letters_to("li@example.org", 2);
    newsroom.all_is_well();
}

#[test]
fn a_pdf_can_be_accepted_as_it_was_read() {
    if tools::program("pdftotext").is_none() {
        return;
    }
    let newsroom = Newsroom::opens();
    fs::write(newsroom.path("tide.pdf"), rows()).unwrap();
    let (code, said) = gazetted(newsroom.folder.path(), &["publish", "tide.pdf"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("waits for its editor: ") && said.contains("read from a PDF of 1 page"), "{said}");
    let (code, said) = gazetted(newsroom.folder.path(), &["publish", "--accept", "tide.pdf"]);
    assert_eq!(code, 0, "{said}");
    newsroom.is_out("tide", 1);
}

#[test]
fn where_nothing_reads_a_pdf_its_note_says_what_to_install() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tide.pdf"), rows()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_gazetted"))
        .args(["proof", "tide.pdf"])
        .current_dir(folder.path())
        .env("PATH", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("`pdftotext`, which reads it, is not installed here"), "{said}");
    assert!(said.contains("install Debian's packages poppler-utils and poppler-data"), "{said}");
}

#[test]
fn a_pdf_without_text_or_without_its_half_has_its_reason_beside_it() {
    if tools::program("pdftotext").is_none() {
        return;
    }
    let newsroom = Newsroom::opens();
    newsroom.saves("scan.pdf", pdf(&[]));
    let reason = newsroom.reason_beside("scan.pdf");
    assert!(reason.contains("its pages hold no text, as after scanning"), "{reason}");
    newsroom.saves("half.pdf", b"%PDF-1.4\n1 0 obj\n<< /Type /Cata");
    let reason = newsroom.reason_beside("half.pdf");
    assert!(reason.contains("it is damaged or something else; save or copy it again"), "{reason}");
}

#[test]
fn a_pdf_beside_a_text_is_that_text_in_print() {
    let newsroom = Newsroom::opens();
    let picture = crate::picturing::picture(40, 30, image::ImageFormat::Png);
    let text = b"# The goose\n\nIt came by.\n\n![A goose](goose.png)\n".to_vec();
    newsroom.saves_folder("8", &[("8.md", text), ("8.pdf", rows()), ("goose.png", picture)]);
    newsroom.is_out("8", 1);
    let (_, said) = gazetted(newsroom.folder.path(), &["proof", "inbox/8"]);
    assert!(said.contains("`8.pdf` came with the issue and was not read"), "{said}");
}
