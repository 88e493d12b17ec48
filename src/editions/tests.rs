//! What readers get, as a whole: the same every time, well-formed whatever the manuscript, and as the golden files show.

use std::io::Read as _;
use std::path::Path;

use expect_test::{ExpectFile, expect, expect_file};
use proptest::prelude::*;

use super::specimens::{self, all, chinese, english, gazette, hostile, letterpress, shelved};
use super::*;
use crate::{
    issue::Article, picture::MediaType, picture::Picture, prose::Block, prose::Inline, publication::Imprint,
    subscriber::Wish,
};

/// The letter for who has no wish of his or her own.
pub(super) fn plain_letter(release: &Release, book: &BookFile, publication: &Publication) -> Letter {
    let whole = Shelved { release: release.clone(), book: book.clone() };
    letter(&[whole], None, &Wish::default(), publication).expect("it is written").expect("it has articles")
}

/// The files of a book by name, in the order of the archive.
fn unpack(book: &Edition) -> Vec<(String, String)> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&book.bytes)).expect("an archive");
    (0..archive.len())
        .map(|n| {
            let mut entry = archive.by_index(n).expect("an entry");
            let stamp = entry.last_modified().expect("a date");
            assert_eq!(
                (stamp.year(), stamp.month(), stamp.day(), stamp.hour()),
                (1980, 1, 1, 0),
                "{}",
                entry.name()
            );
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("an entry");
            // Of a picture only its name counts here.
            (entry.name().to_owned(), String::from_utf8(bytes).unwrap_or_default())
        })
        .collect()
}

#[track_caller]
pub(super) fn check_well_formed(name: &str, text: &str) {
    assert!(text.chars().all(crate::typography::is_printable), "{name} has what XML cannot carry");
    let mut reader = quick_xml::Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut depth = 0_i32;
    loop {
        match reader.read_event() {
            Ok(quick_xml::events::Event::Eof) => break,
            Ok(quick_xml::events::Event::Start(start)) => {
                depth += 1;
                check_attributes(name, &start);
            }
            Ok(quick_xml::events::Event::Empty(start)) => check_attributes(name, &start),
            Ok(quick_xml::events::Event::End(_)) => depth -= 1,
            Ok(quick_xml::events::Event::GeneralRef(entity)) => {
                let entity = String::from_utf8_lossy(&entity).into_owned();
                assert!(
                    ["amp", "lt", "gt", "quot", "apos", "#39"].contains(&entity.as_str()),
                    "{name}: &{entity};"
                );
            }
            Ok(_) => {}
            Err(error) => panic!("{name} is not well-formed: {error}\n{text}"),
        }
    }
    assert_eq!(depth, 0, "{name}");
}

#[track_caller]
fn check_attributes(name: &str, start: &quick_xml::events::BytesStart<'_>) {
    for attribute in start.attributes() {
        let attribute = attribute.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!attribute.value.contains(&b'<'), "{name}");
    }
}

/// Every list of a paper that has these issues.
fn whole(issues: Vec<Shelved>, publication: &Publication) -> Vec<Edition> {
    let mut shelf = Shelf::of(&issues, publication);
    shelf.sealed = vec![Sealed { number: 2, issues }];
    shelf.catalogue_pages = shelf.sealed.clone();
    lists(&shelf, publication).expect("they print").editions
}

#[track_caller]
fn check_all(release: &Release, publication: &Publication) {
    let printed = print(release, publication, &Plates::new()).expect("it prints");
    assert_eq!(
        printed,
        print(release, publication, &Plates::new()).expect("it prints again"),
        "the same bytes"
    );
    for (name, text) in unpack(&printed.book) {
        assert!(name.is_ascii());
        if name.ends_with("xhtml") {
            assert!(text.len() <= 260_000, "{name} has {} bytes", text.len());
        }
        if name.ends_with("xhtml") || name.ends_with("opf") || name.ends_with("ncx") || name.ends_with("xml")
        {
            check_well_formed(&name, &text);
        }
    }
    let file = printed.book_file();
    let shelved = Shelved { release: release.clone(), book: file.clone() };
    let lists = whole(vec![shelved.clone(), shelved], publication);
    for edition in printed.pages.iter().chain(&lists) {
        assert!(
            edition.path.bytes().all(|b| b"abcdefghijklmnopqrstuvwxyz0123456789-./".contains(&b)),
            "{}",
            edition.path
        );
        if edition.path.ends_with("html") || edition.path.ends_with("xml") {
            let text = std::str::from_utf8(&edition.bytes).expect("UTF-8");
            check_well_formed(&edition.path, text.trim_start_matches("<!DOCTYPE html>"));
        }
    }
    let letter = plain_letter(release, &file, publication);
    assert!(letter.html.len() <= Letter::MAX_HTML, "{} bytes", letter.html.len());
    for part in [&letter.html, &letter.text] {
        assert_eq!(
            part.matches(LEAVE).count(),
            2,
            "a way to leave at the top and the bottom, and no forged one"
        );
    }
    check_well_formed(
        "letter",
        letter
            .html
            .replace(LEAVE, "https://leave.example/")
            .replace(PREFERENCES, "https://change.example/")
            .trim_start_matches("<!DOCTYPE html>"),
    );
    let feed = lists.last().expect("the feed");
    assert_eq!(feed.path, "feed.xml", "the feed comes last");
    let read = feed_rs::parser::parse(feed.bytes.as_slice()).expect("a feed");
    assert_eq!(read.entries.len(), 2);
    assert_eq!(read.entries[0].published.map(|date| date.timestamp()), Some(release.published.as_second()));
}

#[test]
fn every_specimen_gives_well_formed_editions_and_the_same_ones_each_time() {
    for (release, publication) in all().into_iter().filter(|(release, _)| release.issue.articles.len() < 100)
    {
        check_all(&release, &publication);
    }
}

#[test]
fn an_issue_without_articles_is_not_printed() {
    let empty = specimens::release(specimens::issue("empty", "en", vec![]));
    let refused = print(&empty, &letterpress(), &Plates::new()).expect_err("nothing to print");
    expect!["issue `empty` has no articles"].assert_eq(&refused.to_string());
}

#[test]
fn front_page_and_feed_of_a_paper_without_issues_can_be_read() {
    let lists = lists(&Shelf::default(), &gazette()).expect("they print").editions;
    let paths: Vec<&str> = lists.iter().map(|edition| edition.path.as_str()).collect();
    assert!(paths.contains(&"index.html") && paths.contains(&"feeds.html"));
    assert_eq!(paths.last(), Some(&"feed.xml"));
    let is_page = |path: &str| path.ends_with("opml") || path.ends_with("html");
    for feed in lists.iter().filter(|edition| edition.path.starts_with("feed") && !is_page(&edition.path)) {
        let read = feed_rs::parser::parse(feed.bytes.as_slice()).expect("a feed");
        assert!(read.entries.is_empty(), "{}", feed.path);
    }
}

#[test]
fn a_correction_keeps_its_identifiers_and_says_so() {
    let (first, publication) = (chinese(), gazette());
    let mut second = first.clone();
    second.version = 2;
    second.updated = "2026-07-10T01:00:00Z".parse().expect("a moment");
    second.issue.articles[0].headline.text.push('！');
    let feeds: Vec<String> = [first, second]
        .map(|release| {
            let shelved = vec![shelved(release, &publication)];
            let feed = whole(shelved, &publication).pop().expect("the feed");
            String::from_utf8(feed.bytes).expect("UTF-8")
        })
        .into();
    let line = |feed: &str, tag: &str| -> String {
        feed.split_once(&format!("<{tag}"))
            .expect("it is there")
            .1
            .split_once("</")
            .expect("it ends")
            .0
            .to_owned()
    };
    assert_eq!(line(&feeds[0], "guid"), line(&feeds[1], "guid"));
    assert_eq!(line(&feeds[0], "pubDate"), line(&feeds[1], "pubDate"));
    assert_ne!(line(&feeds[0], "enclosure"), line(&feeds[1], "enclosure"));
    assert!(feeds[1].contains("<dcterms:modified>2026-07-10T01:00:00Z</dcterms:modified>"));
    assert!(
        !feeds[0].contains("更正：") && feeds[1].contains("更正：本期已于2026年7月10日修订（第 2 稿）。")
    );
}

#[test]
fn what_a_book_holds() {
    let book = print(&chinese(), &gazette(), &Plates::new()).expect("it prints").book;
    let files = unpack(&book);
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    expect![[r"
        mimetype
        META-INF/container.xml
        META-INF/com.apple.ibooks.display-options.xml
        OEBPS/content.opf
        OEBPS/nav.xhtml
        OEBPS/toc.ncx
        OEBPS/stylesheet.css
        OEBPS/pictures/cover.png
        OEBPS/cover.xhtml
        OEBPS/title.xhtml
        OEBPS/contents.xhtml
        OEBPS/a001.xhtml
        OEBPS/a002.xhtml
        OEBPS/a003.xhtml
        OEBPS/a004.xhtml
        OEBPS/colophon.xhtml"]]
    .assert_eq(&names.join("\n"));
    assert_eq!(&book.bytes[30..58], b"mimetypeapplication/epub+zip", "OCF 3.3 §4.2.2");
    let file =
        |name: &str| files.iter().find(|(n, _)| n == name).map(|(_, text)| text.as_str()).expect("a file");
    golden("content.opf").assert_eq(file("OEBPS/content.opf"));
    golden("nav.xhtml").assert_eq(file("OEBPS/nav.xhtml"));
    golden("toc.ncx").assert_eq(file("OEBPS/toc.ncx"));
    golden("a001.xhtml").assert_eq(file("OEBPS/a001.xhtml"));
}

/// One book of the issues in Chinese and in English.
fn volume() -> Vec<u8> {
    let anthology =
        Anthology { name: "2026".to_owned(), year: Some(2026), releases: vec![chinese(), english()] };
    let mut book = std::io::Cursor::new(Vec::new());
    let lost = |_: &Picture| Err(std::io::Error::from(std::io::ErrorKind::NotFound));
    bind(&anthology, &gazette(), &lost, &mut book).expect("it is bound");
    book.into_inner()
}

#[test]
fn what_a_volume_holds() {
    let files = unpack(&Edition { path: String::new(), bytes: volume() });
    let file =
        |name: &str| files.iter().find(|(n, _)| n == name).map(|(_, text)| text.as_str()).expect("a file");
    golden("volume-nav.xhtml").assert_eq(file("OEBPS/nav.xhtml"));
    golden("volume-names.xhtml").assert_eq(file("OEBPS/names.xhtml"));
    let last = file("OEBPS/a006.xhtml");
    assert!(last.contains(r#"lang="en""#) && last.contains(r#"href="i002.xhtml""#), "{last}");
    assert!(file("OEBPS/toc.ncx").contains(r#"<meta name="dtb:depth" content="3"/>"#));
    let nothing = Anthology { name: "1999".to_owned(), year: Some(1999), releases: vec![] };
    let refused = bind(&nothing, &gazette(), &|_| Ok(vec![]), &mut std::io::Cursor::new(vec![]));
    expect!["the volume has no issues"].assert_eq(&refused.expect_err("nothing to bind").to_string());
}

#[test]
fn what_a_feed_holds() {
    let (zh, en) = (gazette(), letterpress());
    for (name, release, publication) in [("feed.xml", chinese(), zh), ("feed-en.xml", english(), en)] {
        let lists = whole(vec![shelved(release, &publication)], &publication);
        let feed = lists.last().expect("the feed");
        golden(name).assert_eq(std::str::from_utf8(&feed.bytes).expect("UTF-8"));
    }
}

#[test]
fn what_a_page_shows() {
    let (zh, en) = (gazette(), letterpress());
    let pages = |release: &Release, publication: &Publication| {
        print(release, publication, &Plates::new()).expect("it prints").pages
    };
    let lists = whole(vec![shelved(english(), &en), shelved(chinese(), &en)], &en);
    let named = |pages: &[Edition], name: &str| {
        let page = pages.iter().find(|page| page.path.ends_with(name)).expect(name);
        let style = lists
            .iter()
            .map(|edition| &edition.path)
            .find(|path| path.starts_with("assets/site"))
            .expect("a style");
        String::from_utf8(page.bytes.clone()).expect("UTF-8").replace(style.as_str(), "assets/site.css")
    };
    golden("article.html").assert_eq(&named(&pages(&chinese(), &zh), "/a1.html"));
    golden("issue-en.html").assert_eq(&named(&pages(&english(), &en), "/index.html"));
    golden("index-en.html").assert_eq(&named(&lists, "index.html"));
    golden("feeds-en.html").assert_eq(&named(&lists, "feeds.html"));
}

/// The data for search engines in a page.
fn linked_data(page: &Edition) -> serde_json::Value {
    let text = std::str::from_utf8(&page.bytes).expect("UTF-8");
    let (_, rest) = text.split_once("<script type=\"application/ld+json\">").expect("data");
    serde_json::from_str(rest.split_once("</script>").expect("its end").0).expect("JSON")
}

#[test]
fn search_engines_are_told_of_a_correction_and_of_whose_issue_an_article_is() {
    let publication = Publication {
        imprint: Imprint { issn: Some("1234-567X".to_owned()), ..Imprint::default() },
        ..letterpress()
    };
    let pages = print(&english(), &publication, &Plates::new()).expect("it prints").pages;
    let [article, issue] = ["/a1.html", "/index.html"]
        .map(|name| linked_data(pages.iter().find(|page| page.path.ends_with(name)).expect(name)));
    assert_eq!(issue["@type"], "PublicationIssue");
    assert_eq!(issue["issueNumber"], "12");
    assert_eq!(issue["hasPart"][0]["headline"], "What the ink remembers");
    assert_eq!(issue["isPartOf"]["issn"], "1234-567X");
    assert_eq!(article["@type"], "NewsArticle");
    assert_eq!(article["isPartOf"]["isPartOf"]["@type"], "Periodical");
    assert_eq!(article["dateModified"], "2026-07-09T09:00:00Z");
    assert_eq!(article["correction"]["text"], "Corrected on Thursday, 9 July 2026 (version 2).");
    assert_eq!(article["author"][1]["affiliation"]["name"], "The Office");
    let page = print(&chinese(), &gazette(), &Plates::new()).expect("it prints").pages;
    let article = linked_data(page.iter().find(|page| page.path.ends_with("/a1.html")).expect("a page"));
    assert!(
        article.get("dateModified").is_none() && article.get("correction").is_none(),
        "nothing was corrected"
    );
}

#[test]
fn a_reader_of_a_corrected_page_sees_that_it_was() {
    let pages = print(&english(), &letterpress(), &Plates::new()).expect("it prints").pages;
    for page in pages.iter().filter(|page| page.path.ends_with("html")) {
        let text = std::str::from_utf8(&page.bytes).expect("UTF-8");
        let body = text.split_once("<body").expect("a body").1;
        assert_eq!(body.matches("<p class=\"correction\"").count(), 1, "{}", page.path);
    }
}

#[test]
fn a_link_that_is_shared_shows_the_first_picture_that_is_large_enough() {
    let mut release = english();
    let name = |name: &str| PictureName::parse(name).expect("a name");
    let (small, large) = (name("small.png"), name("large.png"));
    let picture = |name: &PictureName, width| Picture {
        name: name.clone(),
        media_type: MediaType::Png,
        width,
        height: width,
        length: 1,
        hash: String::new(),
    };
    release.issue.pictures = vec![picture(&small, 40), picture(&large, 800)];
    let figure = |picture: &PictureName| Block::Figure {
        picture: picture.clone(),
        alt: "A press & its \"shadow\"".to_owned(),
        caption: vec![],
    };
    release.issue.articles[0].body.extend([figure(&small), figure(&large)]);
    let plates: Plates = [small, large.clone()].into_iter().map(|name| (name, vec![1])).collect();
    let pages = print(&release, &letterpress(), &plates).expect("it prints").pages;
    let has = |path: &str, line: &str| {
        let page = pages.iter().find(|page| page.path.ends_with(path)).expect(path);
        std::str::from_utf8(&page.bytes).expect("UTF-8").contains(line)
    };
    for path in ["/index.html", "/a1.html"] {
        assert!(
            has(path, &format!("og:image\" content=\"https://news.example.org/issues/no-12/{large}\"")),
            "{path}"
        );
        assert!(
            has(path, "content=\"A press &amp; its &quot;shadow&quot;\"") && has(path, "summary_large_image"),
            "{path}"
        );
    }
    assert!(!has("/a2.html", "og:image") && has("/a2.html", "content=\"summary\""), "it has no picture");
}

pub(super) fn golden(name: &str) -> ExpectFile {
    expect_file![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/editions").join(name)]
}

/// With `SPECIMENS=folder`, puts every specimen there, for `epubcheck`, feed validators and a look at them.
#[test]
fn specimens_go_into_a_folder_when_asked() {
    let Some(folder) = std::env::var_os("SPECIMENS").map(std::path::PathBuf::from) else { return };
    std::fs::create_dir_all(&folder).expect("made");
    std::fs::write(folder.join("volume.epub"), volume()).expect("written");
    let put = |name: &str, edition: &Edition| {
        let path = folder.join(name).join(&edition.path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, &edition.bytes).expect("written");
    };
    for (release, publication) in all() {
        let name = release.issue.key.to_string();
        let printed = print(&release, &publication, &Plates::new()).expect("it prints");
        let shelf = vec![
            shelved(release.clone(), &publication),
            shelved(chinese(), &publication),
            shelved(english(), &publication),
        ];
        let letter = plain_letter(&release, &printed.book_file(), &publication);
        put(&name, &printed.book);
        printed.pages.iter().chain(&whole(shelf, &publication)).for_each(|e| put(&name, e));
        let part = |path: &str, text: &str| Edition {
            path: path.to_owned(),
            bytes: text
                .replace(LEAVE, "https://news.example.org/leave/x")
                .replace(PREFERENCES, "https://news.example.org/preferences/x")
                .into_bytes(),
        };
        put(&name, &part("letter.html", &letter.html));
        put(&name, &part("letter.txt", &letter.text));
    }
}

fn any_inline() -> impl Strategy<Value = Inline> {
    let text = "\\PC*|[\\x00-\\x20<>&\"'\u{FFFE}\u{FFFF}]{0,9}";
    let leaf = prop_oneof![
        text.prop_map(Inline::text),
        text.prop_map(|text| Inline::Code { text }),
        (0..4_usize).prop_map(|number| Inline::Note { number }),
        Just(Inline::Break),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        let some = proptest::collection::vec(inner, 0..3);
        prop_oneof![
            some.clone().prop_map(|text| Inline::Emphasis { text }),
            (some, "https://[a-z]{1,5}\\PC{0,9}").prop_map(|(text, href)| {
                match crate::prose::Href::parse(&href) {
                    Some(href) => Inline::Link { href, text },
                    None => Inline::Strong { text },
                }
            }),
        ]
    })
}

fn any_block() -> impl Strategy<Value = Block> {
    let line = || proptest::collection::vec(any_inline(), 0..3);
    let leaf = prop_oneof![
        line().prop_map(|text| Block::Paragraph { text }),
        (any::<u8>(), line()).prop_map(|(level, text)| Block::Subhead { level, text }),
        "\\PC*".prop_map(|text| Block::Code { text }),
        (
            proptest::collection::vec(line(), 0..3),
            proptest::collection::vec(proptest::collection::vec(line(), 0..3), 0..3)
        )
            .prop_map(|(head, rows)| Block::Table { head, rows }),
        Just(Block::Rule),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        let some = proptest::collection::vec(inner, 0..3);
        prop_oneof![
            some.clone().prop_map(|blocks| Block::Quote { blocks }),
            (proptest::option::of(any::<u64>()), proptest::collection::vec(some, 0..3))
                .prop_map(|(start, items)| Block::List { start, items }),
        ]
    })
}

fn any_article() -> impl Strategy<Value = Article> {
    let line = || proptest::option::of("[\\x00-\\x20\\PC<>&]{0,20}");
    let blocks = || proptest::collection::vec(any_block(), 0..4);
    let lines = (".*", line(), line(), line(), line(), any::<bool>());
    (lines, blocks(), proptest::collection::vec(blocks(), 0..3)).prop_map(
        |((headline, kicker, dek, section, name, synthetic), body, notes)| {
            let mut article = specimens::article(&headline, body);
            article.headline.synthetic = synthetic;
            article.captions = kicker.iter().cloned().collect();
            article.bylines = name
                .iter()
                .map(|name| specimens::by(name, crate::issue::Role::Author, section.as_deref()))
                .collect();
            Article { kicker, dek, section, notes, key: name.unwrap_or_default(), ..article }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn whatever_the_text_every_edition_is_well_formed(
        articles in proptest::collection::vec(any_article(), 1..4),
        title in proptest::option::of(".*"),
        number in proptest::option::of(".{0,9}"),
        paper in "\\PC{0,9}[\\x00-\\x1f]{0,3}",
    ) {
        let mut release = hostile();
        release.issue.articles = articles;
        release.issue.title = title;
        release.issue.number = number;
        let publication = Publication { title: paper.clone(), description: paper, ..letterpress() };
        check_all(&release, &publication);
    }
}
