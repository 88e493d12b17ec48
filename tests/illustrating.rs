//! Issues with pictures in every form but Markdown: pages of HTML, letters, documents of Word, books, and zips from everywhere.

use std::{fs, os::unix::fs::symlink};

use base64::Engine as _;
use encoding_rs::GB18030;
use image::ImageFormat;

use crate::{
    newsroom::{Newsroom, page},
    picturing::{packed, picture},
};

fn png(width: u32) -> Vec<u8> {
    picture(width, 30, ImageFormat::Png)
}

/// Bytes as letters carry them (RFC 2045 §6.8).
fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Asserts that the readers of an issue see one picture, with this description and width.
#[track_caller]
fn shows(newsroom: &Newsroom, key: &str, alt: &str, width: u32) {
    newsroom.is_out(key, 1);
    let issue = newsroom.shelved(key).release.issue;
    let [shown] = issue.pictures.as_slice() else { panic!("{key}: {:?}", issue.pictures) };
    assert_eq!(shown.width, width, "{key}");
    let read = newsroom.outbox_text(&format!("issues/{key}/index.html"));
    assert!(read.contains(&format!("<img src=\"{}\" alt=\"{alt}\"", shown.name)), "{read}");
    assert_eq!(newsroom.outbox_file(&format!("issues/{key}/{}", shown.name)).len() as u64, shown.length);
    newsroom.no_reason_beside(key);
}

#[test]
fn an_issue_in_any_form_comes_with_its_pictures() {
    let newsroom = Newsroom::opens();
    let html = "<title>Lamps</title><h1>Lamp</h1><p>It burns.</p><figure><img src='p/lamp.png' alt='by the quay'><figcaption>A lamp</figcaption></figure>";
    newsroom.saves_folder("folder", &[("index.html", html.into()), ("p/Lamp.png", png(41))]);
    newsroom.saves("packed.zip", packed(&[("x/a.xhtml", html.into()), ("x/p/lamp.png", png(42))]));

    let letter = format!(
        "Subject: Lamps\r\nFrom: Ann Lee <ann@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=x\r\n\r\n\
         --x\r\nContent-Type: text/html\r\n\r\n<h1>Lamp</h1><p>It burns.</p><img src=\"cid:lamp@example.org\" alt=\"by cid\">\r\n\
         --x\r\nContent-Type: image/png\r\nContent-ID: <lamp@example.org>\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--x--\r\n",
        base64(&png(43))
    );
    newsroom.saves("letter.eml", letter);

    let document = "<w:document xmlns:w=\"w\" xmlns:r=\"r\"><w:body><w:p><w:pPr><w:pStyle w:val=\"Heading1\"/></w:pPr><w:r><w:t>Lamp</w:t></w:r></w:p>\
         <w:p><w:r><w:t>It burns.</w:t></w:r></w:p><w:p><w:r><w:drawing><wp:docPr descr=\"by Word\"/><a:blip r:embed=\"r1\"/></w:drawing></w:r></w:p></w:body></w:document>";
    let relations = "<Relationships><Relationship Id=\"r1\" Target=\"media/image1.png\"/></Relationships>";
    let parts = [
        ("word/document.xml", document.into()),
        ("word/_rels/document.xml.rels", relations.into()),
        ("word/media/image1.png", png(44)),
    ];
    newsroom.saves("word.docx", packed(&parts));

    shows(&newsroom, "folder", "by the quay", 41);
    shows(&newsroom, "packed", "by the quay", 42);
    shows(&newsroom, "letter", "by cid", 43);
    shows(&newsroom, "word", "by Word", 44);

    // Our own book is a manuscript like any other.
    newsroom.saves("again.epub", fs::read(newsroom.books().remove(0)).unwrap()).is_out("again", 1);
    assert_eq!(newsroom.shelved("again").release.issue.pictures.len(), 2, "its cover is one");
    newsroom.all_is_well();
}

#[test]
fn a_zip_packed_on_windows_in_another_charset_has_its_pictures() {
    let newsroom = Newsroom::opens();
    let text = "# 桥\n\n桥又通了。\n\n![老桥](图1.png)\n";
    let mut zip = packed(&[("index.md", text.into()), ("@@1.png", png(45))]);
    // As Windows packs it: the name in GBK, and nothing that says so.
    let name = GB18030.encode("图1.png").0.into_owned();
    let places: Vec<usize> = (0..zip.len() - 7).filter(|at| zip[*at..*at + 7] == *b"@@1.png").collect();
    assert_eq!((places.len(), name.len()), (2, 7));
    for at in places {
        zip[at..at + 7].copy_from_slice(&name);
    }
    newsroom.saves("bridge.zip", zip);
    shows(&newsroom, "bridge", "老桥", 45);
    newsroom.all_is_well();
}

#[test]
fn a_link_in_a_folder_is_followed_nowhere() {
    let newsroom = Newsroom::opens();
    fs::write(newsroom.path("secret.png"), png(46)).unwrap();
    let folder = newsroom.path("inbox/linked");
    fs::create_dir_all(newsroom.path("aside/linked")).unwrap();
    symlink(newsroom.path("secret.png"), newsroom.path("aside/linked/secret.png")).unwrap();
    fs::write(newsroom.path("aside/linked/own.png"), png(47)).unwrap();
    let text =
        "# Lamp\n\nIt burns.\n\n![own](own.png)\n\n![a secret](secret.png)\n\n![outside](../../secret.png)\n";
    fs::write(newsroom.path("aside/linked/index.md"), text).unwrap();
    fs::rename(newsroom.path("aside/linked"), folder).unwrap();
    shows(&newsroom, "linked", "own", 47);
    let read = newsroom.outbox_text("issues/linked/index.html");
    assert!(read.contains("a secret") && read.contains("outside"), "{read}");
}

#[test]
fn a_folder_that_fills_slowly_is_one_issue_with_all_its_pictures() {
    let mut newsroom = Newsroom::closed("");
    let settings = newsroom.path("config/gazetted.toml");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(settings, text.replace("\"60ms\"", "\"300ms\"")).unwrap();
    newsroom.starts();
    let folder = newsroom.path("inbox/slow");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("index.md"), "# Slow\n\nIt comes.\n\n![one](one.png)\n\n![two](two.png)\n")
        .unwrap();
    // Meanwhile another issue goes through, so the quiet time has passed.
    newsroom.saves("other.md", page("Other", "Other words.")).is_out("other", 1);
    fs::write(folder.join("one.png"), png(48)).unwrap();
    newsroom.saves("third.md", page("Third", "More words.")).is_out("third", 1);
    fs::write(folder.join("two.png"), png(49)).unwrap();
    newsroom.is_out("slow", 1);
    assert_eq!(newsroom.shelved("slow").release.issue.pictures.len(), 2);
    let lines = newsroom.ledger().issues(&newsroom.publication()).unwrap();
    assert_eq!(lines.len(), 3);
    newsroom.all_is_well();
}

#[test]
fn a_picture_that_never_comes_holds_its_issue_up_for_a_while_only() {
    let newsroom = Newsroom::opens();
    fs::create_dir(newsroom.path("inbox/bare")).unwrap();
    newsroom.saves("bare/a.md", "# Bare\n\nWords.\n\n![lost](lost.png)\n").is_out("a", 1);
    assert!(newsroom.outbox_text("issues/a/index.html").contains("lost"));
}
