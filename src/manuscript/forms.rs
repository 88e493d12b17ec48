//! Tests of the forms that come packed: letters, documents and books in, outlines out; every guard with a file that trips it.

use std::io::{Cursor, Write as _};

use expect_test::{Expect, expect};
use proptest::prelude::*;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::tests::{outline, publication};
use super::{Unreadable, open, read};

#[track_caller]
fn check(file_name: &str, bytes: &[u8], expected: &Expect) {
    let found = match open(file_name, bytes) {
        Ok(manuscript) => outline(&read(&manuscript, &publication())),
        Err(refusal) => refusal.to_string(),
    };
    expected.assert_eq(&found);
}

/// An archive of these parts.
fn packed(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).expect("a part");
        zip.write_all(text.as_bytes()).expect("memory");
    }
    zip.finish().expect("memory").into_inner()
}

fn document(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><w:document xmlns:w=\"w\" xmlns:r=\"r\"><w:body>{body}</w:body></w:document>"
    )
}

fn paragraph(style: &str, text: &str) -> String {
    let style = if style.is_empty() {
        String::new()
    } else {
        format!("<w:pPr><w:pStyle w:val=\"{style}\"/></w:pPr>")
    };
    format!("<w:p>{style}<w:r><w:t>{text}</w:t></w:r></w:p>")
}

fn docx(body: &str) -> Vec<u8> {
    packed(&[("word/document.xml", &document(body))])
}

#[test]
fn a_document_of_word_is_read_by_its_styles() {
    let body = [
        paragraph("Title", "河畔周刊 第12期"),
        paragraph("1", "桥边的灯"),
        paragraph("", "李小雨"),
        "<w:p><w:r><w:t xml:space=\"preserve\">灯亮了 </w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>三十</w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>年</w:t></w:r><w:del><w:r><w:delText>旧话</w:delText></w:r></w:del><w:r><w:rPr><w:vanish/></w:rPr><w:t>藏</w:t></w:r><w:r><w:footnoteReference w:id=\"2\"/></w:r><w:hyperlink r:id=\"r1\"><w:r><w:t>河 &amp; 桥</w:t></w:r></w:hyperlink><w:hyperlink r:id=\"r2\"><w:r><w:t>坏</w:t></w:r></w:hyperlink></w:p>".to_owned(),
        paragraph("Own", "守灯人"),
        "<w:p><w:pPr><w:numPr><w:ilvl w:val=\"0\"/><w:numId w:val=\"3\"/></w:numPr></w:pPr><w:r><w:t>一</w:t></w:r></w:p><w:p><w:pPr><w:numPr><w:ilvl w:val=\"1\"/><w:numId w:val=\"3\"/></w:numPr></w:pPr><w:r><w:t>二</w:t></w:r></w:p>".to_owned(),
        paragraph("1", "渡口"),
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>甲</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>乙</w:t></w:r></w:p></w:tc></w:tr><w:tr><w:tc><w:p/></w:tc><w:tc><w:p><w:r><w:t>丁</w:t></w:r></w:p></w:tc></w:tr></w:tbl>".to_owned(),
        "<w:p><w:r><w:drawing><wp:docPr name=\"图1\" descr=\"老桥\"/></w:drawing></w:r></w:p>".to_owned(),
    ];
    let styles = "<w:styles xmlns:w=\"w\"><w:style w:styleId=\"1\"><w:name w:val=\"标题 1\"/></w:style><w:style w:styleId=\"2\"><w:name w:val=\"heading 2\"/></w:style><w:style w:styleId=\"Own\"><w:name w:val=\"Mine\"/><w:basedOn w:val=\"2\"/></w:style></w:styles>";
    let links = "<Relationships><Relationship Id=\"r1\" Target=\"https://example.org/?a=1&amp;b=2\" TargetMode=\"External\"/><Relationship Id=\"r2\" Target=\"javascript:alert(1)\" TargetMode=\"External\"/></Relationships>";
    let notes = "<w:footnotes xmlns:w=\"w\"><w:footnote w:id=\"2\"><w:p><w:r><w:t>一九九五年。</w:t></w:r></w:p></w:footnote></w:footnotes>";
    let bytes = packed(&[
        ("word/document.xml", &document(&body.concat())),
        ("word/styles.xml", styles),
        ("word/_rels/document.xml.rels", links),
        ("word/footnotes.xml", notes),
    ]);
    check(
        "7.docx",
        &bytes,
        &expect![[r"
        桥边的灯 / 李小雨 / 1¶ / h1 守灯人 / list of 1 / note 一九九五年。
        渡口 / 1¶ / table of 2
        title: 河畔周刊 第12期
        number: 12
        ? 3 link-dropped
        ? 14 picture-missing
        - javascript:alert(1)
        - 图1
        - 旧话
        - 藏
    "]],
    );
}

#[test]
fn a_document_without_styles_is_read_as_a_page() {
    let body = ["桥边的灯", "李小雨", "桥边的灯亮了三十年，守灯的人换了三代。"]
        .map(|text| paragraph("", text))
        .concat();
    check(
        "page.docx",
        &docx(&body),
        &expect![[r"
        桥边的灯 / 李小雨 / 1¶
    "]],
    );
}

#[test]
fn an_entity_names_no_character_that_turns_the_text() {
    let body = ["桥边的&#x202e;灯", "李小雨", "桥边的灯亮了三十年，守灯的人换了三代。&#1;"];
    check(
        "page.docx",
        &docx(&body.map(|text| paragraph("", text)).concat()),
        &expect![[r"
            桥边的灯 / 李小雨 / 1¶
        "]],
    );
}

/// Not as Word writes it, but its text is there.
#[test]
fn a_document_whose_elements_never_close_keeps_its_text() {
    let open = format!("{}<w:p><w:tbl><w:tr><w:p><w:r><w:t>亮了。</w:t></w:r>", paragraph("Heading1", "灯"));
    check(
        "a.docx",
        &docx(&open),
        &expect![[r"
            灯 / 1¶
            title: 灯
        "]],
    );
}

#[test]
fn a_document_that_cannot_be_opened_says_what_to_do() {
    check(
        "a.docx",
        b"no archive",
        &expect!["cannot read this `.docx` file: it is damaged or something else; save or copy it again"],
    );
    check(
        "a.docx",
        &packed(&[("other.xml", "<a/>")]),
        &expect!["cannot read this `.docx` file: it has no part `word/document.xml`; save or copy it again"],
    );
    check(
        "a.docx",
        &packed(&[("word/document.xml", "<a><b")]),
        &expect!["cannot read this `.docx` file: its XML is broken; save or copy it again"],
    );
    let whole = docx(&paragraph("", "灯"));
    check(
        "a.docx",
        &whole[..whole.len() / 2],
        &expect!["cannot read this `.docx` file: it is damaged or something else; save or copy it again"],
    );
    check("a.doc", b"\xD0\xCF\x11\xE0", &expect!["cannot read a `.doc` file; save it as `.docx`"]);
    let declared = format!("<!DOCTYPE w [<!ENTITY x \"y\">]>{}", document(&paragraph("", "&x;")));
    check(
        "a.docx",
        &packed(&[("word/document.xml", &declared)]),
        &expect![
            "cannot read this `.docx` file: its XML has a DOCTYPE, which no writing program makes; save it again"
        ],
    );
}

#[test]
fn an_archive_that_would_grow_without_end_is_refused() {
    let bomb = document(&paragraph("", &"灯".repeat(6_000_000)));
    check(
        "a.docx",
        &packed(&[("word/document.xml", &bomb)]),
        &expect![
            "cannot read this `.docx` file: it unpacks to far more than a text has; leave out what is not text"
        ],
    );
    let names: Vec<String> = (0..2001).map(|n| format!("{n}.xml")).collect();
    let parts: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    check(
        "a.docx",
        &packed(&parts),
        &expect!["cannot read this `.docx` file: it has 2001 parts, and at most 2000 are read; split it"],
    );
    let deep = document(&"<w:p>".repeat(100_000));
    check(
        "a.docx",
        &packed(&[("word/document.xml", &deep)]),
        &expect!["cannot read this `.docx` file: its XML is nested without end; save it again"],
    );
}

#[test]
fn a_path_out_of_an_archive_names_nothing() {
    let container = "<container><rootfile full-path=\"OEBPS/book.opf\"/></container>";
    let package = "<package><manifest><item id=\"a\" href=\"../../../etc/passwd\"/></manifest><spine><itemref idref=\"a\"/></spine></package>";
    let bytes = packed(&[
        ("META-INF/container.xml", container),
        ("OEBPS/book.opf", package),
        ("../../../etc/passwd", "<h1>root</h1>"),
    ]);
    check("a.epub", &bytes, &expect!["cannot read this `.epub` file: it has no chapters; save it again"]);
}

#[test]
fn a_book_is_read_in_the_order_of_its_spine() {
    let container = "<container><rootfile full-path=\"OEBPS/book.opf\"/></container>";
    let package = "<package xmlns:dc=\"dc\"><metadata><dc:title>River &amp; Notes 7</dc:title><dc:date>2025-07-09</dc:date><dc:language>en</dc:language><dc:publisher>The Quay</dc:publisher></metadata><manifest><item id=\"n\" href=\"nav.xhtml\" properties=\"nav\" media-type=\"application/xhtml+xml\"/><item id=\"b\" href=\"b%20b.xhtml\" media-type=\"application/xhtml+xml\"/><item id=\"a\" href=\"text/a.xhtml\" media-type=\"application/xhtml+xml\"/></manifest><spine><itemref idref=\"n\"/><itemref idref=\"a\"/><itemref idref=\"b\"/></spine></package>";
    let first = "<html><head><title>x</title></head><body><h1>The lamp</h1><p>It burns<a href=\"../b%20b.xhtml#n1\">1</a>.</p><p><a href=\"../b%20b.xhtml\">the ferry</a></p></body></html>";
    let second = "<html><body><h1>The ferry</h1><p>It lies.</p><aside epub:type=\"footnote\" id=\"n1\"><p>For thirty years.</p></aside></body></html>";
    let bytes = packed(&[
        ("META-INF/container.xml", container),
        ("OEBPS/book.opf", package),
        ("OEBPS/nav.xhtml", "<h1>Contents</h1>"),
        ("OEBPS/b b.xhtml", second),
        ("OEBPS/text/a.xhtml", first),
    ]);
    check(
        "book.epub",
        &bytes,
        &expect![[r"
            The lamp / 2¶ / note For thirty years.
            The ferry / 1¶
            title: River & Notes 7
            date: 2025-07-09
            publisher: The Quay
            - x
        "]],
    );
}

#[test]
fn a_newsletter_is_read_as_it_came_by_mail() {
    let letter = "From: =?utf-8?B?5p2O5bCP6Zuo?= <li@example.org>\r\nSubject: Fwd: =?utf-8?Q?River_Notes_=E6=B2=B3_7?=\r\nDate: Wed, 9 Jul 2025 10:00:00 +0800\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: multipart/alternative; boundary=y\r\n\r\n--y\r\nContent-Type: text/plain\r\n\r\nplain\r\n--y\r\nContent-Type: text/html; charset=gb2312\r\nContent-Transfer-Encoding: base64\r\n\r\nPGgxPrXGPC9oMT48cD7By8HLPC9wPjxpbWcgc3JjPSJjaWQ6cDEiPg==\r\n--y--\r\n--x\r\nContent-Type: image/png; name=p.png\r\nContent-ID: <p1>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--x--\r\n";
    check(
        "7.eml",
        letter.as_bytes(),
        &expect![[r"
            灯 / 李小雨 / 1¶
            title: River Notes 河 7
            date: 2025-07-09
            ? 1 picture-unreadable
            - cid:p1
        "]],
    );
    let plain = "From: Ann Lee <ann@example.org>\nSubject: River Notes, Issue 8\nDate: Wed, 16 Jul 2025 10:00:00 +0000\n\nThe ferry runs again, and it runs until nine in the evening, as it did before\nthe bridge was closed. The fare is what it always was, and children go free\nwhen the schools are closed.\n";
    check(
        "8.eml",
        plain.as_bytes(),
        &expect![[r"
            River Notes, Issue 8 / Ann Lee / 1¶
            title: River Notes, Issue 8
            number: 8
            date: 2025-07-16
        "]],
    );
    let passed_on = b"Subject: Fwd: look\nX-Other: what moves all that follows a good deal further\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n\nSee below.\n--x\nContent-Type: message/rfc822\n\nSubject: The ferry\nFrom: Ann Lee <ann@example.org>\nContent-Type: text/plain\n\nThe ferry runs again, and it runs until nine.\n--x--\n";
    check(
        "10.eml",
        passed_on,
        &expect![[r"
            The ferry / Ann Lee / 1¶
            title: The ferry
        "]],
    );
    // A charset that the letter does not name, and what no charset could be.
    check(
        "11.eml",
        b"From: \xc0\xee\xd0\xa1\xd3\xea <li@example.org>\nSubject: \xba\xd3\xc5\xcf\xd6\xdc\xbf\xaf \xb5\xda12\xc6\xda\n\nThe ferry runs again.\n",
        &expect![[r"
            河畔周刊 第12期 / 李小雨 / 1¶
            title: 河畔周刊 第12期
            number: 12
        "]],
    );
    check(
        "12.eml",
        b"Subject: =?utf-8?Q?a=FF=01b?=\n\nThe ferry runs again.\n",
        &expect![[r"
            ab / 1¶
            title: ab
        "]],
    );
    check("9.eml", b"Subject: nothing\n\n", &expect!["the file holds no text; save it again with its text"]);
    check(
        "9.eml",
        b"Subject: x\n\nA caf\xe9.\n",
        &expect![[r"
            x / 1¶
            title: x
            ?  charset-guessed
        "]],
    );
    let deep = (0..2000).fold(String::new(), |text, n| {
        format!("{text}Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n")
    }) + "Content-Type: text/plain\n\nwords enough for a letter\n";
    // Too deep to be a letter: refused or read, but in good order.
    drop(open("deep.eml", deep.as_bytes()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_stop_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..400), name in "a\\.(txt|md|html|xhtml|eml|docx|epub)") {
        if let Ok(manuscript) = open(&name, &bytes) {
            let proof = read(&manuscript, &publication());
            let damaged = serde_json::to_string(&proof.issue).expect("an issue").contains(char::REPLACEMENT_CHARACTER);
            prop_assert!(!damaged);
        }
    }

    #[test]
    fn no_damage_to_a_document_stops_the_reader(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = docx(&[paragraph("Heading1", "灯"), paragraph("", "亮了。")].concat());
        let at = at.index(bytes.len());
        bytes[at] = byte;
        match open("a.docx", &bytes) {
            Ok(manuscript) => drop(read(&manuscript, &publication())),
            Err(refusal) => prop_assert!(!matches!(refusal, Unreadable::Incomplete)),
        }
    }

    #[test]
    fn every_paragraph_of_a_document_is_kept(texts in prop::collection::vec("[ab桥河灯 ]{1,12}", 1..12), headed in any::<bool>()) {
        let style = if headed { "Heading1" } else { "" };
        let body: String = texts.iter().enumerate().map(|(n, text)| paragraph(if n == 0 { style } else { "" }, text)).collect();
        if let Ok(manuscript) = open("a.docx", &docx(&body)) {
            let kept = super::tests::kept(&read(&manuscript, &publication()));
            for (c, n) in super::tests::count(&texts.concat()) {
                prop_assert!(kept.get(&c).copied().unwrap_or(0) >= n, "{c} of {texts:?}");
            }
        }
    }
}
