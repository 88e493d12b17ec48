//! Tests of pictures in every form of manuscript: what readers get in their place, and what the editor is asked.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use base64::Engine as _;
use expect_test::{Expect, expect};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::tests::publication;
use super::{Companion, Companions, Fetched, open, read_with_plates};
use crate::{prose, prose::Block, prose::Inline};

/// A picture of some colours.
pub(super) fn picture(width: u32, height: u32) -> Vec<u8> {
    let shade = |n: u32| u8::try_from(n % 256).expect("below 256");
    let pixels = RgbImage::from_fn(width, height, |x, y| Rgb([shade(x * 9), shade(y * 5), shade(x + y)]));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(pixels).write_to(&mut bytes, ImageFormat::Png).expect("encoded");
    bytes.into_inner()
}

/// Bytes as letters and `data:` addresses carry them (RFC 4648 §4).
pub(super) fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

pub(super) fn packed(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).expect("a part");
        zip.write_all(bytes).expect("memory");
    }
    zip.finish().expect("memory").into_inner()
}

/// The pictures of a run as `<size alt>`, its links in brackets.
fn runs(text: &[Inline], sizes: &dyn Fn(&str) -> String) -> String {
    let mut out = String::new();
    for run in text {
        match run {
            Inline::Picture { picture, alt } => drop(write!(out, "<{} {alt}>", sizes(picture.as_str()))),
            Inline::Link { href, text } => drop(write!(out, "[{}]({})", runs(text, sizes), href.as_str())),
            Inline::Break => out.push('/'),
            other => out.push_str(&prose::plain(std::slice::from_ref(other))),
        }
    }
    out
}

/// What readers get of a manuscript, a line a block, and what its editor is asked.
pub(super) fn shown(manuscript: &super::Manuscript) -> String {
    let (proof, plates) = read_with_plates(manuscript, &publication());
    let sizes = |name: &str| {
        let plate = plates.iter().find(|plate| plate.picture.name.as_str() == name).expect("a plate");
        let stem = name.rsplit_once('-').map_or(name, |(stem, _)| stem);
        format!("{stem} {}x{}", plate.picture.width, plate.picture.height)
    };
    let mut out = String::new();
    for article in &proof.issue.articles {
        let _ = writeln!(out, "# {}", article.headline.text);
        for block in &article.body {
            let line = match block {
                Block::Figure { picture, alt, caption } => {
                    format!("<{} {alt}> {}", sizes(picture.as_str()), runs(caption, &sizes))
                }
                Block::Paragraph { text } => runs(text, &sizes),
                Block::Table { head, rows } => {
                    let row = |cells: &Vec<Vec<Inline>>| {
                        cells.iter().map(|cell| runs(cell, &sizes)).collect::<Vec<_>>().join(" | ")
                    };
                    std::iter::once(head).chain(rows).map(row).collect::<Vec<_>>().join(" || ")
                }
                other => other.plain(),
            };
            let _ = writeln!(out, "{}", line.trim_end());
        }
    }
    for query in &proof.queries {
        let _ = writeln!(out, "? {}", query.text);
    }
    for text in &proof.not_used {
        let _ = writeln!(out, "- {text}");
    }
    out
}

#[track_caller]
fn check(manuscript: &super::Manuscript, expected: &Expect) {
    expected.assert_eq(&shown(manuscript));
}

/// A page of HTML beside these files.
fn page(html: &str, files: Vec<(&str, Companion)>) -> super::Manuscript {
    let files = files.into_iter().map(|(name, file)| (name.to_owned(), file)).collect();
    let text = format!("<title>Notes</title><h1>A</h1>{html}");
    let companions = Companions::of("index.html", files);
    open("index.html", text.as_bytes()).expect("a text").within("7", companions)
}

fn plain(width: u32) -> Companion {
    Companion::Picture(picture(width, 4))
}

#[test]
fn pictures_of_html_are_found_beside_it() {
    check(
        &page(
            "<p><img src='./Page%20files/Goose.PNG' alt='A goose'></p><p>The river <img src=wave.png alt=waves> rose.\
             <p><a href='goose.png'><img src='goose.png' alt='a goose'></a><p><a href='https://example.org/'><img src=wave.png alt=''></a>\
             <figure><img src=wave.png><figcaption><p>The wave, <b>at noon</b></p></figcaption></figure>\
             <figure><figcaption>Two</figcaption><img src=wave.png alt=1><img src=wave.png alt=2></figure>\
             <figure><pre>code</pre><figcaption>A program</figcaption></figure>\
             <picture><source srcset='big.webp'><img srcset='small.png 1x, wave.png 2x' alt='by its set'></picture>",
            vec![("page files/goose.png", plain(9)), ("wave.png", plain(8)), ("small.png", plain(2))],
        ),
        &expect![[r#"
            # A
            <goose 9x4 A goose>
            The river <wave 8x4 waves> rose.
            <goose 9x4 a goose>
            [<wave 8x4 >](https://example.org/)
            <wave 8x4 > The wave, at noon
            <wave 8x4 1>
            <wave 8x4 2> Two
            code
            A program
            <wave 8x4 by its set>
            ? the picture `wave.png` has no description; say in `alt="…"` what it shows, or that nothing is to be said with `alt=""`
            - goose.png
        "#]],
    );
}

#[test]
fn pictures_of_html_that_cannot_be_shown_leave_their_description() {
    check(
        &page(
            "<p>See <img src='gone.png' alt='a lost goose'> there.<p><img src='a.svg' alt='drawn'><p><img src='b.png' alt='broken'>\
             <p><img src='https://example.org/far.png' alt='far away'><p><a href='https://example.org/'><img src='//example.org/x.png' alt='linked'></a>\
             <p><img src='../../etc/passwd.png'><p><img src='file:///home/a.png' alt='mine'><p><img src=dot.png><img width=1 src='https://example.org/c.gif'>\
             <p>Drawn: <svg viewBox='0 0 1 1'><script>evil()</script><text>words</text></svg><svg><image xlink:href='wave.png'/></svg>",
            vec![
                ("a.svg", Companion::Other),
                ("b.png", Companion::Picture(b"\x89PNG\r\n\x1a\n".to_vec())),
                ("dot.png", Companion::Picture(picture(1, 1))),
                ("wave.png", plain(8)),
            ],
        ),
        &expect![[r#"
            # A
            See a lost goose there.
            drawn
            broken
            [far away](https://example.org/far.png)
            [linked](https://example.org/)
            mine
            Drawn: <wave 8x4 >
            ? the picture `gone.png` is not with the manuscript
            ? the picture `a.svg` cannot be shown: it is an SVG, which may hold programs; save it as PNG
            ? the picture `b.png` cannot be shown: it is damaged; save it again as PNG or JPEG
            ? the picture `passwd.png` is not with the manuscript
            ? the picture `a.png` is not with the manuscript
            ? HTML left out: <svg>
            ? the picture `wave.png` has no description; say in `alt="…"` what it shows, or that nothing is to be said with `alt=""`
            - gone.png
            - a.svg
            - b.png
            - //example.org/x.png
            - ../../etc/passwd.png
            - file:///home/a.png
            - dot.png
            - https://example.org/c.gif
            - evil()words
        "#]],
    );
}

#[test]
fn pictures_within_the_text_itself_are_shown() {
    let png = base64(&picture(7, 5));
    check(
        &page(
            &format!(
                "<p><img alt=dot src='data:image/png;base64,{png}'><p><img alt=dot src='DATA:;base64,{}'>\
                 <p><img alt=x src='data:image/svg+xml,<svg onload=evil()>'><p><img alt=y src='data:text/html,<b>'><p><img alt=z src='data:image/png;base64,@'>\
                 <p><img alt=late src='data:image/gif;base64,R0lGODlhAQABAAAAACw=' data-src='wave.png'>",
                png.replace('+', "%2B").replace("IHDR", "IHDR\n"),
            ),
            vec![("wave.png", plain(8))],
        ),
        &expect![[r"
            # A
            <picture 7x5 dot>
            <picture 7x5 dot>
            x
            y
            z
            <wave 8x4 late>
            ? the picture `data:image/svg+xml…` cannot be shown: it is an SVG, which may hold programs; save it as PNG
            ? the picture `data:text/html…` cannot be shown: it is no PNG, JPEG, GIF or WebP; save it as one of these
            ? the picture `data:image/png…` cannot be shown: it is damaged; save it as a file of its own
            - data:image/svg+xml…
            - data:text/html…
            - data:image/png…
        "]],
    );
    let text = format!("# A\n\n![a dot](data:image/png;base64,{png})\n\nWords.\n");
    check(
        &open("a.md", text.as_bytes()).expect("a text"),
        &expect![[r"
        # A
        <picture 7x5 a dot>
        Words.
    "]],
    );
}

#[test]
fn captions_are_known_by_their_class() {
    check(
        &page(
            "<div class='wp-caption'><img src=wave.png alt=w><p class='wp-caption-text'>The <i>wave</i></p></div>\
             <p class=caption>of nothing</p><p><img src=wave.png alt=w></p><p>no caption</p>",
            vec![("wave.png", plain(8))],
        ),
        &expect![[r"
            # A
            <wave 8x4 w> The wave
            of nothing
            <wave 8x4 w>
            no caption
        "]],
    );
}

#[test]
fn pictures_in_the_html_of_markdown_are_shown_too() {
    let text = "# A\n\n<p align=\"center\">\n  <img src=\"wave.png\" alt=\"w &amp; w\" width=\"300\">\n  below it\n</p>\n\n\
        See <img src='wave.png'> and <img src=\"gone.png\" alt=\"gone\"/> here.\n\n<img src=\"https://example.org/far.png\" alt=\"far\">\n\n\
        <img width=1 src=\"https://example.org/count.gif\">\n\n<script>\n<img src=\"wave.png\">\n</script>\n\n<image src=\"wave.png\">\n";
    let companions = Companions::of("a.md", vec![("wave.png".to_owned(), plain(8))]);
    check(
        &open("a.md", text.as_bytes()).expect("a text").within("7", companions),
        &expect![[r#"
        # A
        <wave 8x4 w & w>
        below it
        See <wave 8x4 > and gone here.
        [far](https://example.org/far.png)
        ? HTML left out, its text kept: <p align="center">
        ? the picture `wave.png` has no description; say in `![…]` what it shows
        ? the picture `gone.png` is not with the manuscript
        ? HTML left out, its text kept: <img width=1 src="https…
        ? HTML left out, its text kept: <script>
        ? HTML left out, its text kept: <image src="wave.png">
        - <p align="center">
        - </p>
        - gone.png
        - <img width=1 src="https://example.org/count.gif">
        - <script>
        - <img src="wave.png">
        - </script>
        - <image src="wave.png">
    "#]],
    );
}

#[test]
fn a_text_that_names_pictures_that_may_still_come_says_so() {
    let lacks = |name: &str, text: &str| {
        let companions = Companions::of(name, vec![("wave.png".to_owned(), plain(8))]);
        open(name, text.as_bytes()).expect("a text").within("7", companions).lacks_pictures()
    };
    assert!(lacks("a.md", "![x](goose.png)") && lacks("a.html", "<img src='p/goose.jpg'>"));
    assert!(!lacks("a.md", "![x](wave.png)") && !lacks("a.html", "<img src='./WAVE.png'>"));
    assert!(!lacks("a.md", "![x](https://example.org/a.png) ![x](data:image/png;base64,AA) ![x](goose)"));
    assert!(!lacks("a.txt", "![x](goose.png)"));
}

#[test]
fn a_table_of_pictures_is_a_layout_unless_it_has_heads() {
    check(
        &page(
            "<table><tr><th>bird<th>mark<tr><td>goose<td><img src=wave.png alt=w></table>\
             <table><tr><td><img src=wave.png alt=w><td>Text beside it.</table>",
            vec![("wave.png", plain(8))],
        ),
        &expect![[r"
            # A
            bird | mark || goose | <wave 8x4 w>
            <wave 8x4 w>
            Text beside it.
        "]],
    );
}

/// A letter of these parts, each with its head.
fn letter(parts: &[(&str, &str)]) -> super::Manuscript {
    let mut text = "From: Ann Lee <ann@example.org>\r\nSubject: River Notes 7\r\nMIME-Version: 1.0\r\n\
                    Content-Type: multipart/related; boundary=x\r\n\r\n"
        .to_owned();
    for (head, body) in parts {
        let _ = write!(text, "--x\r\n{head}\r\n\r\n{body}\r\n");
    }
    open("7.eml", (text + "--x--\r\n").as_bytes()).expect("a letter")
}

#[test]
fn pictures_in_a_letter_are_found_by_their_identifier_or_place() {
    let image = |head: &str| format!("Content-Type: image/png{head}\r\nContent-Transfer-Encoding: base64");
    let png = |width: u32| base64(&picture(width, 3));
    let html = "<h1>Lamp</h1><p>It burns. <img src='cid:a1@example.org' alt='a lamp'></p><p><img src='cid:b%32'></p>\
                <img src='https://example.org/img/c.png' alt='by its place'><img src='cid:dot' alt=''><img src='cid:gone' alt='gone'>";
    check(
        &letter(&[
            ("Content-Type: text/html; charset=utf-8", html),
            (&image("; name=lamp.png\r\nContent-ID: <a1@example.org>"), &png(9)),
            (&image("\r\nContent-ID: <b2>\r\nContent-Disposition: inline"), &png(8)),
            (&image("\r\nContent-Location: https://example.org/img/c.png"), &png(7)),
            (&image("\r\nContent-ID: <dot>"), &base64(&picture(1, 1))),
            (&image("; name=\"bridge.png\"\r\nContent-Disposition: attachment"), &png(6)),
            (&image("\r\nContent-ID: <counter>"), &base64(&picture(1, 1))),
        ]),
        &expect![[r#"
            # Lamp
            It burns. <lamp 9x3 a lamp>
            <picture 8x3 >
            <c 7x3 by its place> gone
            ? the picture `bridge.png` came with the letter, and its text does not show it
            ? the picture `cid:b%32` has no description; say in `alt="…"` what it shows, or that nothing is to be said with `alt=""`
            ? the picture `cid:gone` is not with the manuscript
            - cid:dot
            - cid:gone
        "#]],
    );
}

#[test]
fn a_letter_of_plain_text_says_which_pictures_nobody_will_see() {
    let head = "Content-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: base64";
    let text = "The ferry runs again, and it runs until nine in the evening.";
    check(
        &letter(&[("Content-Type: text/plain", text), (head, &base64(&picture(5, 5)))]),
        &expect![[r"
            # River Notes 7
            The ferry runs again, and it runs until nine in the evening.
            ? the picture `a.png` came with the letter, and its text does not show it
        "]],
    );
}

#[test]
fn pictures_in_a_document_of_word_are_found_by_their_relation() {
    let drawing = |properties: &str, blip: &str| {
        format!(
            "<w:p><w:r><w:drawing><wp:docPr name=\"Picture 1\" {properties}<a:blip {blip}/></w:drawing></w:r></w:p>"
        )
    };
    let body = [
        "<w:p><w:pPr><w:pStyle w:val=\"Heading1\"/></w:pPr><w:r><w:t>Lamp</w:t></w:r></w:p>".to_owned(),
        drawing("descr=\"A lamp\"/>", "r:embed=\"r1\""),
        drawing("/>", "r:embed=\"r2\""),
        drawing("><a:ext><adec:decorative val=\"1\"/></a:ext></wp:docPr>", "r:embed=\"r2\""),
        drawing("descr=\"far\"/>", "r:link=\"r3\""),
        drawing("descr=\"on my disk\"/>", "r:link=\"r4\""),
        drawing("descr=\"a chart\"/>", "r:embed=\"r5\""),
        drawing("descr=\"out\"/>", "r:embed=\"r6\""),
        "<w:p><w:pPr><w:pStyle w:val=\"Caption\"/></w:pPr><w:r><w:t>Figure 1: out</w:t></w:r></w:p>".to_owned(),
        drawing("descr=\"A lamp\"/>", "r:embed=\"r1\""),
        "<w:p><w:pPr><w:pStyle w:val=\"Caption\"/></w:pPr><w:r><w:t>Figure 2: a lamp</w:t></w:r></w:p>".to_owned(),
        "<w:p><w:r><w:t>Old: </w:t><w:pict><v:shape alt=\"in VML\"><v:imagedata r:id=\"r1\"/></v:shape></w:pict></w:r></w:p>"
            .to_owned(),
        "<w:p><w:r><w:drawing><wp:docPr name=\"Chart 3\"/><c:chart/></w:drawing></w:r></w:p>".to_owned(),
        "<w:p><w:r><w:drawing><wp:docPr name=\"Box 4\"/><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent></w:drawing></w:r></w:p>"
            .to_owned(),
    ];
    let document = format!(
        "<w:document xmlns:w=\"w\" xmlns:r=\"r\" xmlns:a=\"a\" xmlns:wp=\"p\" xmlns:v=\"v\" xmlns:c=\"c\" xmlns:adec=\"d\"><w:body>{}</w:body></w:document>",
        body.concat()
    );
    let relations = "<Relationships><Relationship Id=\"r1\" Target=\"media/image1.png\"/><Relationship Id=\"r2\" Target=\"/word/media/a%20b.png\"/>\
         <Relationship Id=\"r3\" Target=\"https://example.org/far.png\" TargetMode=\"External\"/>\
         <Relationship Id=\"r4\" Target=\"file:///C:/Users/li/far.png\" TargetMode=\"External\"/>\
         <Relationship Id=\"r5\" Target=\"media/image5.emf\"/><Relationship Id=\"r6\" Target=\"../../../etc/shadow.png\"/></Relationships>";
    let bytes = packed(&[
        ("word/document.xml", document.as_bytes()),
        ("word/_rels/document.xml.rels", relations.as_bytes()),
        ("word/media/image1.png", &picture(9, 4)),
        ("word/media/a b.png", &picture(8, 4)),
        ("word/media/image5.emf", b"\x01\0\0\0"),
    ]);
    check(
        &open("7.docx", &bytes).expect("a document"),
        &expect![[r"
            # Lamp
            <image1 9x4 A lamp>
            <a-b 8x4 >
            <a-b 8x4 >
            [far](https://example.org/far.png)
            on my disk
            a chart
            out
            Figure 1: out
            <image1 9x4 A lamp> Figure 2: a lamp
            Old: <image1 9x4 in VML>
            boxed
            ? the picture `a b.png` has no description; say in its alternative text what it shows, or mark it as decorative
            ? the picture `far.png` is not with the manuscript
            ? the picture `image5.emf` cannot be shown: it is a drawing for Windows alone (EMF, WMF); save it as PNG
            ? the picture `shadow.png` is not with the manuscript
            ? the picture `Chart 3` is not with the manuscript
            - file:///C:/Users/li/far.png
            - word/media/image5.emf
            - etc/shadow.png
            - Chart 3
        "]],
    );
}

#[test]
fn pictures_in_a_book_are_found_from_their_chapter() {
    let container = "<container><rootfile full-path=\"OEBPS/book.opf\"/></container>";
    let package = "<package><metadata/><manifest><item id=\"c\" href=\"img/front.png\" media-type=\"image/png\" properties=\"cover-image\"/>\
        <item id=\"i\" href=\"img/lamp%20post.png\" media-type=\"image/png\"/><item id=\"s\" href=\"img/s.svg\" media-type=\"image/svg+xml\"/>\
        <item id=\"a\" href=\"text/a.xhtml\" media-type=\"application/xhtml+xml\"/></manifest><spine><itemref idref=\"a\"/></spine></package>";
    let chapter = "<html><body><h1>Lamp</h1><p>It burns.</p><svg><title>whole page</title><image xlink:href=\"../img/lamp%20post.png\"/></svg>\
        <img src=\"../img/s.svg\" alt=\"drawn\"/><img src=\"lamp.png\" alt=\"gone\"/><p>After.</p></body></html>";
    let bytes = packed(&[
        ("META-INF/container.xml", container.as_bytes()),
        ("OEBPS/book.opf", package.as_bytes()),
        ("OEBPS/text/a.xhtml", chapter.as_bytes()),
        ("OEBPS/img/front.png", &picture(6, 9)),
        ("OEBPS/img/lamp post.png", &picture(9, 4)),
        ("OEBPS/img/s.svg", b"<svg><script>evil()</script></svg>"),
    ]);
    check(
        &open("7.epub", &bytes).expect("a book"),
        &expect![[r#"
        # Lamp
        <front 6x9 >
        It burns.
        <lamp-post 9x4 > drawn gone
        After.
        ? the picture `lamp%20post.png` has no description; say in `alt="…"` what it shows, or that nothing is to be said with `alt=""`
        ? the picture `s.svg` cannot be shown: it is an SVG, which may hold programs; save it as PNG
        ? the picture `lamp.png` is not with the manuscript
        - whole page
        - ../img/s.svg
        - lamp.png
    "#]],
    );
}

#[test]
fn a_picture_that_was_fetched_is_shown_and_one_that_was_not_is_a_link() {
    let html = "<p><img src='https://img.example.org/a.png?x=1&amp;y=2' alt='a'><p><img src='https://img.example.org/b.png' alt='b'>\
                <p><img src='https://other.example.org/c.png' alt='c'><p><img src='https://img.example.org/a.png?x=1&amp;y=2' alt='again'>";
    let manuscript = page(html, vec![]);
    let wanted = [
        "https://img.example.org/a.png?x=1&y=2",
        "https://img.example.org/b.png",
        "https://other.example.org/c.png",
    ];
    assert_eq!(manuscript.wanted(), wanted);
    let fetched =
        [(wanted[0], Ok(picture(9, 9))), (wanted[1], Err("it answered `404 Not Found`".to_owned()))];
    let fetched = fetched.into_iter().map(|(address, bytes)| (address.to_owned(), bytes)).collect();
    let fetched = Fetched(std::sync::Arc::new(fetched));
    check(
        &manuscript.with_fetched(fetched.clone()),
        &expect![[r"
        # A
        <a 9x9 a>
        [b](https://img.example.org/b.png)
        [c](https://other.example.org/c.png)
        <a 9x9 again>
        ? the picture `b.png` could not be fetched, and is a link: it answered `404 Not Found`
    "]],
    );
    let text =
        "# A\n\n![a](https://img.example.org/a.png?x=1&y=2)\n\nSee ![b](https://img.example.org/b.png).\n";
    check(
        &open("a.md", text.as_bytes()).expect("a text").with_fetched(fetched),
        &expect![[r"
        # A
        <a 9x9 a>
        See [b](https://img.example.org/b.png).
        ? the picture `b.png` could not be fetched, and is a link: it answered `404 Not Found`
    "]],
    );
}
