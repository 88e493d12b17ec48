//! Every danger that a manuscript may bring, each with a file that is made here to bring it: what is refused, asked or left out.
//!
//! The order is that of archives, XML, pictures, paths, links, text, nesting, and sizes that heads claim. Nothing here is measured by
//! time: a reading that does not end fails by never ending, one that takes memory by being killed.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::plates::{base64, packed, picture};
use super::tests::publication;
use super::{Companion, Companions, MAX_BYTES, Manuscript, open, read_with_plates};

/// What an editor is told of a file: why it is refused, or what is asked, or `clean`; then a bar and the words of the articles.
fn told(opened: Result<Manuscript, super::Unreadable>) -> String {
    let manuscript = match opened {
        Ok(manuscript) => manuscript,
        Err(refusal) => return refusal.to_string(),
    };
    let (proof, plates) = read_with_plates(&manuscript, &publication());
    let json = serde_json::to_string(&proof.issue).expect("an issue");
    let again: crate::issue::Issue = serde_json::from_str(&json).expect("it reads back");
    assert_eq!(again, proof.issue, "what is published can be read again");
    for plate in &plates {
        assert!(plate.picture.width <= 2400 && plate.picture.height <= 2400);
    }
    let asked: Vec<&str> = proof.queries.iter().map(|query| query.text.as_str()).collect();
    let asked = if asked.is_empty() { "clean".to_owned() } else { asked.join("; ") };
    let articles = serde_json::to_string(&proof.issue.articles).expect("articles");
    format!("{asked} | {articles}")
}

/// Asserts that a file is answered so, and that `harm` is in no article.
#[track_caller]
fn check(file_name: &str, bytes: &[u8], answer: &str, harm: &str) {
    let told = told(open(file_name, bytes));
    let start: String = told.chars().take(600).collect();
    assert!(told.contains(answer), "{file_name}: {start}");
    let articles = told.split_once(" | ").map_or("", |(_, articles)| articles);
    assert!(harm.is_empty() || !articles.contains(harm), "{file_name}: {start}");
}

const TEXT: &[u8] = b"# Lamp\n\nIt burns.\n\n![a lamp](a.png)\n";

/// The places of the records of a zip that begin with these bytes.
fn records(zip: &[u8], signature: [u8; 4]) -> Vec<usize> {
    (0..zip.len() - 4).filter(|at| zip[*at..*at + 4] == signature).collect()
}

const LOCAL: [u8; 4] = *b"PK\x03\x04";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";

#[test]
fn archives() {
    let whole = packed(&[("a.md", TEXT), ("a.png", &picture(9, 9))]);
    check("a.zip", &whole, "clean | ", "");

    // What unpacks to a thousand times its size.
    check(
        "a.zip",
        &packed(&[("a.md", TEXT), ("a.png", &vec![0; 3_000_000])]),
        "more than 200 times its size",
        "",
    );
    // Two files that are the same bytes, so that little unpacks to much.
    let mut shared = whole.clone();
    let second = records(&shared, CENTRAL)[1];
    shared[second + 42..second + 46].fill(0);
    check("a.zip", &shared, "lie one over the other", "");
    // An archive in an archive is a file of another form, and stays closed.
    check("a.zip", &packed(&[("b.zip", &whole)]), "there is no text in it", "");
    check(
        "a.zip",
        &packed(&[("a.md", TEXT), ("a.zip", &whole)]),
        "`a.png` is not with the manuscript",
        "a.zip",
    );

    // Names that lead out of the archive, as every system writes them.
    for name in [
        "../a.md",
        "a/../../a.md",
        "/a.md",
        "..\\a.md",
        "\\\\host\\a.md",
        "C:\\a.md",
        "C:/a.md",
        "c:a.md",
        "a//b.md",
    ] {
        check("a.zip", &packed(&[(name, TEXT)]), "leads out of it", "");
    }
    check("a.zip", &packed(&[("....//a.md", TEXT)]), "leads out of it", "");

    // Links.
    let mut linked = ZipWriter::new(Cursor::new(Vec::new()));
    linked.start_file("a.md", SimpleFileOptions::default()).expect("a file");
    linked.write_all(TEXT).expect("memory");
    linked.add_symlink("a.png", "/etc/passwd", SimpleFileOptions::default()).expect("a link");
    check("a.zip", &linked.finish().expect("memory").into_inner(), "`a.png` in it is a link", "");

    // Names that some systems cannot tell apart.
    for (one, other) in [
        ("A.png", "a.PNG"),
        ("\u{e9}.png", "e\u{301}.png"),
        ("\u{212a}.png", "k.png"),
        ("d/a.png", "D/a.png"),
    ] {
        check("a.zip", &packed(&[("a.md", TEXT), (one, b""), (other, b"")]), "two files called", "");
    }

    // More files than any issue has.
    let names: Vec<String> = (0..2000).map(|n| format!("{n}.png")).collect();
    let mut many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), b"".as_slice())).collect();
    many.push(("a.md", TEXT));
    check("a.zip", &packed(&many), "it has 2001 files, and at most 2000 are read", "");

    // Heads that lie about the size, both ways: what comes out is counted.
    for claimed in [1_000_000_000_u32, 10] {
        let mut lying = whole.clone();
        let (local, central) = (records(&lying, LOCAL)[1], records(&lying, CENTRAL)[1]);
        lying[local + 22..local + 26].copy_from_slice(&claimed.to_le_bytes());
        lying[central + 24..central + 28].copy_from_slice(&claimed.to_le_bytes());
        check("a.zip", &lying, "clean | ", "");
    }
    let mut lying = packed(&[("a.md", TEXT), ("a.png", &vec![0; 3_000_000])]);
    let central = records(&lying, CENTRAL)[1];
    lying[central + 24..central + 28].copy_from_slice(&10_u32.to_le_bytes());
    check("a.zip", &lying, "more than 200 times its size", "");
    // One that claims to be packed into more than there is, so that it would be no bomb.
    lying[central + 20..central + 24].copy_from_slice(&1_000_000_000_u32.to_le_bytes());
    check("a.zip", &lying, "more than 200 times its size", "");

    // What is locked.
    let mut locked = whole.clone();
    for (at, flags) in [(records(&whole, LOCAL)[1], 6), (records(&whole, CENTRAL)[1], 8)] {
        locked[at + flags] |= 1;
    }
    check("a.zip", &locked, "it is locked with a password", "");
}

/// Entities in entities: a few hundred bytes that would be gigabytes.
fn laughs(root: &str) -> String {
    let mut text = format!("<?xml version=\"1.0\"?>\n<!DOCTYPE {root} [\n<!ENTITY l0 \"laugh\">\n");
    for n in 1..10 {
        let _ = writeln!(text, "<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10));
    }
    text + "<!ENTITY f SYSTEM \"file:///etc/passwd\">\n]>\n"
}

const CONTAINER: &str = "<container><rootfile full-path=\"book.opf\"/></container>";
const PACKAGE: &str = "<package><manifest><item id=\"a\" href=\"a.xhtml\"/></manifest><spine><itemref idref=\"a\"/></spine></package>";

fn book(container: &str, package: &str, chapter: &str) -> Vec<u8> {
    let parts = [("META-INF/container.xml", container), ("book.opf", package), ("a.xhtml", chapter)];
    packed(&parts.map(|(name, text)| (name, text.as_bytes())))
}

fn docx(document: &str) -> Vec<u8> {
    packed(&[("word/document.xml", document.as_bytes())])
}

#[test]
fn entities_of_xml() {
    let refused = "its XML has a DOCTYPE";
    let document = |text: &str| {
        format!(
            "<w:document xmlns:w=\"w\"><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>"
        )
    };
    check("a.docx", &docx(&(laughs("w:document") + &document("&l9;"))), refused, "");
    check("a.epub", &book(&(laughs("container") + CONTAINER), PACKAGE, "<h1>A</h1>"), refused, "");
    check("a.epub", &book(CONTAINER, &(laughs("package") + PACKAGE), "<h1>A</h1>"), refused, "");
    // Without entities of its own, a reference stays what is written.
    check("a.docx", &docx(&document("a &l9; b")), "a &l9; b", "laugh");
    let chapter = laughs("html") + "<html><body><h1>A</h1><p>a &l9; &f; b</p></body></html>";
    check("a.xhtml", chapter.as_bytes(), "a &l9; &f; b", "laugh");
    check("a.html", chapter.as_bytes(), "a &l9; &f; b", "laugh");
    check("a.epub", &book(CONTAINER, PACKAGE, &chapter), "a &l9; &f; b", "laugh");
}

fn beside(text: &str, files: Vec<(&str, Vec<u8>)>) -> String {
    let files = files.into_iter().map(|(name, bytes)| {
        let known = super::is_picture(name);
        (name.to_owned(), if known { Companion::Picture(bytes) } else { Companion::Other })
    });
    let companions = Companions::of("index.md", files.collect());
    told(open("index.md", text.as_bytes()).map(|text| text.within("7", companions)))
}

/// A PNG whose head claims these sizes, and which holds next to nothing.
fn claims(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = picture(2, 2);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc32fast::hash(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    bytes
}

/// A GIF of so many frames of one pixel each (its specification of 1989, §20 to §24).
fn film(frames: usize) -> Vec<u8> {
    let mut bytes = b"GIF89a\x02\0\x02\0\x80\0\0\0\0\0\xff\xff\xff".to_vec();
    for _ in 0..frames {
        bytes.extend(b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0");
    }
    bytes.push(b';');
    bytes
}

#[test]
fn pictures() {
    let shows = |name: &str, bytes: Vec<u8>| {
        beside(&format!("# A\n\nWords.\n\n![seen]({name})\n"), vec![(name, bytes)])
    };
    let script =
        b"<svg onload=\"evil()\"><script>evil()</script><image href=\"https://example.org/a\"/></svg>";
    for (name, bytes, answer) in [
        ("a.svg", script.to_vec(), "it is an SVG, which may hold programs; save it as PNG"),
        // One that calls itself something else.
        ("a.png", script.to_vec(), "it is no PNG, JPEG, GIF or WebP"),
        ("a.png", claims(60_000, 60_000), "60000 × 60000 pixels, and at most 40 million are printed"),
        ("a.png", claims(0x7fff_ffff, 0x7fff_ffff), "cannot be shown"),
        ("a.png", claims(0, 9), "it is damaged"),
        ("a.gif", film(100_000), "moves; readers see its first frame"),
        ("a.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff".to_vec(), "it is damaged"),
        ("a.webp", b"RIFF\xff\xff\xff\x7fWEBPVP8 ".to_vec(), "it is damaged"),
        ("a.png", vec![b'x'; super::MAX_PICTURE_BYTES + 1], "and at most 20000000 are read; save it smaller"),
        ("a.exe", b"MZ".to_vec(), "it is no PNG, JPEG, GIF or WebP"),
    ] {
        let told = shows(name, bytes);
        assert!(told.contains(answer), "{name}: {told}");
        assert!(told.contains("seen") && !told.contains("evil"), "its description stays: {told}");
    }
}

#[test]
fn paths_out_of_the_folder() {
    for path in [
        "../../etc/passwd.png",
        "/etc/passwd.png",
        "..\\..\\etc\\passwd.png",
        "%2e%2e/%2e%2e/etc/passwd.png",
        "....//....//etc/passwd.png",
        "file:///etc/passwd.png",
        "//host/share/passwd.png",
        "\\\\host\\share\\passwd.png",
        "a.png/../../../etc/passwd.png",
    ] {
        let told = beside(&format!("# A\n\n![secret](<{path}>)\n\nWords.\n"), vec![("a.png", picture(9, 9))]);
        assert!(!told.contains("figure"), "{path}: {told}");
        let html = format!("<h1>A</h1><p><img src='{path}' alt=secret><p>Words.");
        check("a.html", html.as_bytes(), "Words.", "figure");
    }
}

#[test]
fn links_that_act() {
    let links = [
        "javascript:evil()",
        "JaVaScRiPt:evil()",
        " java\tscript:evil()",
        "data:text/html,<script>evil()</script>",
        "vbscript:evil()",
        "file:///etc/passwd",
        "blob:evil",
        "&#106;avascript:evil()",
    ];
    for link in links {
        let html = format!(
            "<h1>A</h1><p>See <a href=\"{link}\">this</a>.</p><a href=\"{link}\"><img src=\"{link}\" alt=\"drawn\"></a>"
        );
        for name in ["a.html", "a.xhtml"] {
            check(name, html.as_bytes(), "this", "evil");
            check(name, html.as_bytes(), "this", "href");
        }
        check("a.md", format!("# A\n\nSee [this](<{link}>).\n").as_bytes(), "this", "href");
        check("a.epub", &book(CONTAINER, PACKAGE, &html), "this", "href");
    }
    let acting = "<h1 onclick=evil()>A</h1><p onmouseover='evil()' style='background:url(javascript:evil())'>Words.</p><script>evil()</script>\
                  <form action='https://example.org/evil'><input value=evil></form><object data=evil></object><meta http-equiv=refresh content='0;url=evil'>\
                  <base href='https://example.org/evil/'><link rel=stylesheet href=evil><!-- evil --><math><mtext>evil</mtext></math><style>evil{}</style>";
    check("a.html", acting.as_bytes(), "Words.", "evil");
    check("a.xhtml", acting.as_bytes(), "Words.", "evil");
    check("a.epub", &book(CONTAINER, PACKAGE, acting), "Words.", "evil");
}

#[test]
fn marks_that_turn_the_direction() {
    let title = "Report \u{202e}gnp.exe\u{202c} \u{202a}x\u{202d}";
    let html = format!("<title>{title}</title><h1>{title}</h1><p>By Ann\u{202e} Lee</p><p>Words.</p>");
    let markdown = format!(
        "---\ntitle: \"{title}\"\nauthor: Ann\u{202e} Lee\n---\n# {title}\n\n![{title}](a\u{202e}.png)\n\nWords.\n"
    );
    let letter = format!(
        "Subject: {title}\nFrom: Ann\u{202e} <a@example.org>\nContent-Type: text/html; charset=utf-8\n\n{html}"
    );
    for (name, text) in [
        ("a.html", &html),
        ("a.md", &markdown),
        ("a.txt", &format!("{title}\n\nWords enough for it.\n")),
        ("a.eml", &letter),
    ] {
        let told = told(open(name, text.as_bytes()));
        assert!(
            told.contains("gnp.exe") && !told.chars().any(|c| ('\u{202a}'..='\u{202e}').contains(&c)),
            "{name}: {told}"
        );
    }
    // Those that only set a run apart are good where they are closed.
    let html = "<title>x \u{2067}y</title><meta name=author content='Ann\u{2066} Lee'><h1>a \u{2067}b</h1>\
                <p>c \u{2067}d\u{2069} e</p>";
    check("a.html", html.as_bytes(), "c \u{2067}d\u{2069} e", "a \u{2067}b");
    check("a.html", html.as_bytes(), "\"name\":\"Ann Lee\"", "Ann\u{2066}");
    let zip = packed(&[("a.md", TEXT), ("a\u{202e}gnp.exe", b""), ("README.md", b"x")]);
    assert!(!told(open("a.zip", &zip)).contains('\u{202e}'));
}

#[test]
fn nesting_without_end() {
    let deep = 100_000;
    for (name, piece, deep) in [
        ("a.html", "<div>", deep),
        ("a.html", "<b>", deep),
        ("a.html", "<blockquote>", 20_000),
        ("a.xhtml", "<ul><li>", 20_000),
        ("a.html", "<figure><figcaption>", 20_000),
        ("a.html", "<svg><image href=a.png>", 10_000),
        ("a.html", "<picture><img src=a.png>", 10_000),
        ("a.md", ">", deep),
        ("a.md", "- ", deep),
        ("a.md", "*a ", deep),
        ("a.md", "![", deep),
        ("a.md", "[![", deep),
        ("a.txt", "（", deep),
    ] {
        let text = format!("{}deep", piece.repeat(deep));
        drop(told(open(name, text.as_bytes())));
    }
    let table = "<w:tbl><w:tr><w:tc><w:drawing>".repeat(deep);
    check(
        "a.docx",
        &docx(&format!("<w:document xmlns:w=\"w\"><w:body>{table}")),
        "its XML is nested without end",
        "",
    );
    let letters = (0..2000).fold(String::new(), |text, n| {
        format!("{text}Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n")
    });
    drop(told(open("a.eml", (letters + "Content-Type: image/png; name=a.png\n\nx\n").as_bytes())));
}

#[test]
fn a_hundred_thousand_headings() {
    let headings = 100_000;
    let markdown: String = (0..headings).fold(String::new(), |mut text, n| {
        let _ = write!(text, "## h{n}\n\n");
        text
    });
    check("a.md", format!("# A\n\nWords.\n\n{markdown}").as_bytes(), "h99999", "");
    let html = "<h2>h</h2>".repeat(headings / 10);
    check("a.html", format!("<h1>A</h1><p>Words.{html}").as_bytes(), "Words.", "");
}

#[test]
fn sizes_that_only_heads_claim() {
    // A part of a document that claims a gigabyte.
    let whole = docx(
        "<w:document xmlns:w=\"w\"><w:body><w:p><w:r><w:t>Words enough.</w:t></w:r></w:p></w:body></w:document>",
    );
    let mut lying = whole.clone();
    let central = records(&lying, CENTRAL)[0];
    lying[central + 24..central + 28].copy_from_slice(&1_000_000_000_u32.to_le_bytes());
    check("a.docx", &lying, "Words enough.", "");
    // One that claims to be packed into a gigabyte.
    let mut lying = whole;
    lying[central + 20..central + 24].copy_from_slice(&1_000_000_000_u32.to_le_bytes());
    check("a.docx", &lying, "Words enough.", "");
    // A letter that claims a gigabyte, and whose picture does not end.
    let png = base64(&picture(9, 9));
    let letter = format!(
        "Subject: Lamp\nContent-Length: 1000000000\nContent-Type: multipart/related; boundary=x\n\n--x\nContent-Type: text/html\n\n\
         <p>It burns. <img src='cid:a' alt='a lamp'></p>\n--x\nContent-Type: image/png; size=1000000000\nContent-ID: <a>\n\
         Content-Transfer-Encoding: base64\n\n{}",
        &png[..png.len() / 2]
    );
    check("a.eml", letter.as_bytes(), "the picture `cid:a` cannot be shown: it is", "picture\":\"");
    let data = format!("# A\n\nWords.\n\n![seen](data:image/png;base64,{})\n", &png[..png.len() / 2]);
    check("a.md", data.as_bytes(), "cannot be shown: it is damaged", "data:");
}

#[test]
fn one_line_of_twenty_megabytes() {
    for (name, piece) in [("a.txt", "字"), ("a.md", "word "), ("a.html", "word "), ("a.html", "<a href=x ")]
    {
        let over = piece.repeat(MAX_BYTES / piece.len() + 1);
        check(name, over.as_bytes(), "at most 20000000 are read; split it into several issues", "");
        // A tenth of it is read in a test's time; nothing grows faster than the text.
        let long = piece.repeat(MAX_BYTES / 10 / piece.len());
        drop(told(open(name, long.as_bytes())));
    }
    let data = "A".repeat(28_000_000);
    let letter = format!(
        "Subject: Lamp\nContent-Type: text/html\n\n<p>Words.<img alt=seen src='data:image/png;base64,{data}'></p>\n"
    );
    check("a.eml", letter.as_bytes(), "bytes, and at most 20000000 are read", "");
}
