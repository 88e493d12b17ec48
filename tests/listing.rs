//! What readers find in lists: old issues, what somebody wrote, a section, a word.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::MetadataExt as _,
    path::PathBuf,
};

use gazetted::{issue::IssueKey, issue::Status, press::Press};
use jiff::{SignedDuration, Timestamp};

use crate::newsroom::{Newsroom, opened, page};

/// The day of an issue: each a week after the one before.
pub fn text(n: usize, words: &str) -> String {
    let day = jiff::civil::date(2025, 1, 1) + jiff::Span::new().weeks(i64::try_from(n).unwrap());
    let author = if n.is_multiple_of(2) { "Ann Lee" } else { "Bo Quill" };
    let section = if n.is_multiple_of(3) { "Harbour" } else { "Town" };
    format!(
        "---\ntitle: Week {n}\nnumber: {n}\nsection: {section}\ndate: {day}\n---\n\n# Story {n}\n\n*By {author}*\n\n{words}\n"
    )
}

/// Publishes an issue at a moment of its own, without a daemon.
pub fn publishes(newsroom: &Newsroom, press: &Press, n: usize, words: &str, at: i64) {
    let file = newsroom.path("inbox").join(format!("w{n}.md"));
    fs::write(&file, text(n, words)).unwrap();
    let manuscript = opened(&newsroom.path("inbox"), &file);
    press.publish(&manuscript, moment(at)).unwrap();
}

pub fn moment(hour: i64) -> Timestamp {
    "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hour)
}

/// Every file of the outbox with its bytes.
pub fn files(newsroom: &Newsroom) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![newsroom.path("outbox")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = fs::read(&path).unwrap();
                files.insert(path.strip_prefix(newsroom.path("outbox")).unwrap().to_owned(), bytes);
            }
        }
    }
    files
}

/// Which file each path of the outbox has now: one that is put again is another, even with the same bytes.
fn inodes(newsroom: &Newsroom) -> BTreeMap<PathBuf, (u64, i64, i64)> {
    let mut inodes = BTreeMap::new();
    let mut folders = vec![newsroom.path("outbox")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let known = entry.metadata().unwrap();
            if known.is_dir() {
                folders.push(entry.path());
            } else {
                inodes.insert(entry.path(), (known.ino(), known.mtime(), known.mtime_nsec()));
            }
        }
    }
    inodes
}

/// How many files a publish puts or removes, packed forms among them.
fn touched(newsroom: &Newsroom, publish: impl FnOnce()) -> Vec<PathBuf> {
    let before = inodes(newsroom);
    publish();
    let after = inodes(newsroom);
    let changed = after.iter().filter(|(path, file)| before.get(*path) != Some(*file)).map(|(path, _)| path);
    let gone = before.keys().filter(|path| !after.contains_key(*path));
    changed.chain(gone).cloned().collect()
}

/// How many of these files are no packed forms of others: which of those there are depends on how long a text is.
fn unpacked(files: &[PathBuf]) -> usize {
    let is_packed = |path: &PathBuf| path.extension().is_some_and(|e| e == "br" || e == "gz" || e == "zst");
    files.iter().filter(|path| !is_packed(path)).count()
}

/// The ids of a feed, and of all pages that it leads back to by `rel`.
fn walked(newsroom: &Newsroom, press: &Press, first: &str, rel: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut next = Some(first.to_owned());
    while let Some(path) = next.take() {
        let feed = feed_rs::parser::parse(&newsroom.outbox_file(&path)[..]).unwrap();
        ids.extend(feed.entries.into_iter().map(|entry| entry.id));
        // RSS and Atom have the link alike, but for its prefix.
        let text = newsroom.outbox_text(&path);
        let link = text
            .split(['<', '>'])
            .find(|tag| tag.contains("link ") && tag.contains(&format!("rel=\"{rel}\"")));
        let address = link.and_then(|link| link.split("href=\"").nth(1)?.split('"').next());
        next = address.and_then(|url| url.strip_prefix(&press.publication.base_url)).map(str::to_owned);
    }
    ids
}

#[test]
fn an_archive_of_many_issues_is_whole_and_a_publish_writes_no_more_of_it() {
    let newsroom = Newsroom::closed("");
    let press = newsroom.press();
    for n in 1..=43 {
        publishes(&newsroom, &press, n, "The bell is rung on Mondays.", i64::try_from(n).unwrap());
    }
    let all: BTreeSet<String> = (1..=43).map(|n| press.publication.tag(&format!("w{n}"))).collect();
    for feed in ["feed.xml", "feed/atom.xml"] {
        let walked: BTreeSet<String> = walked(&newsroom, &press, feed, "prev-archive").into_iter().collect();
        assert_eq!(walked, all, "{feed}: RFC 5005, nothing between the pages is lost");
    }
    let books = walked(&newsroom, &press, "opds/root.xml", "next");
    assert_eq!(books.len(), 43, "every book, and none twice");
    assert!(books[0].ends_with("/w43/book") && books[42].ends_with("/w1/book"), "newest first: {books:?}");

    // A correction of an old issue: the sealed page stays as it is, and readers hear of it in the feed.
    let before = files(&newsroom);
    publishes(&newsroom, &press, 3, "The bell is rung on Tuesdays.", 50);
    let after = files(&newsroom);
    for number in [1, 2] {
        let page = PathBuf::from(format!("feed/archive/{number}.xml"));
        assert_eq!(before[&page], after[&page], "a sealed page never changes");
    }
    let feed = newsroom.outbox_text("feed.xml");
    assert!(feed.contains(&format!(">{}<", press.publication.tag("w3"))) && feed.contains("on Tuesdays"));
    let catalogue = newsroom.outbox_text("opds/archive/1.xml");
    let book = press.ledger.issue(&press.publication, &IssueKey::of("w3")).unwrap().unwrap().book;
    assert!(catalogue.contains(&book.path), "the catalogue has the corrected book");

    // A withdrawal takes it out of its page all the same.
    press.set_status(&IssueKey::of("w3"), Status::Canceled, moment(51)).unwrap();
    for (path, bytes) in files(&newsroom) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains("issues/w3/") && !text.contains(":tide/w3<"), "{}", path.display());
    }
    press.set_status(&IssueKey::of("w3"), Status::Usable, moment(52)).unwrap();
    assert!(newsroom.outbox_text("feed/archive/1.xml").contains(":tide/w3<"));

    // Printed anew, with some of its pages lost, the archive is whole again under the same identifiers.
    fs::remove_file(newsroom.path("outbox/feed/archive/2.xml")).unwrap();
    assert_eq!(press.replay(|_, _| ()).unwrap().issues, 43);
    let again: BTreeSet<String> = walked(&newsroom, &press, "feed.xml", "prev-archive").into_iter().collect();
    assert_eq!(again, all);
}

#[test]
fn a_publish_touches_as_many_files_in_a_long_archive_as_in_a_short_one() {
    let newsroom = Newsroom::closed("");
    let press = newsroom.press();
    let mut counts = BTreeMap::new();
    for n in 1..=66 {
        let publish = || publishes(&newsroom, &press, n, "The bell is rung.", i64::try_from(n).unwrap());
        match n {
            4..=9 | 61..=66 => drop(counts.insert(n, touched(&newsroom, publish))),
            _ => publish(),
        }
    }
    let counts: BTreeMap<usize, (usize, usize)> =
        counts.into_iter().map(|(n, files)| (n, (unpacked(&files), files.len()))).collect();
    let most =
        |of: std::ops::RangeInclusive<usize>| counts.range(of).map(|(_, count)| count.0).max().unwrap();
    let most_in_all = counts.values().map(|count| count.1).max().unwrap();
    // The 61st issue seals a page of each feed and of the catalogue, which no issue of a short archive does.
    let sealed = most(61..=61) - most(62..=66);
    assert!((1..=24).contains(&sealed), "{counts:?}");
    assert!(most(62..=66) <= most(4..=9), "{counts:?}");
    // However long the archive is, no more than this; it grows with the forms that editions have.
    assert!(most_in_all <= 130, "{counts:?}");
    let correct = || publishes(&newsroom, &press, 5, "The bell is rung on Tuesdays.", 90);
    assert!(touched(&newsroom, correct).len() <= 130, "a correction of an old issue");
    let before = inodes(&newsroom);
    publishes(&newsroom, &press, 5, "The bell is rung on Tuesdays.", 91);
    assert_eq!(inodes(&newsroom), before, "the same again touches nothing");
}

#[test]
fn a_correction_takes_an_article_from_its_author_and_its_section() {
    let newsroom = Newsroom::opens();
    let by = |author: &str, section: &str| {
        format!(
            "---\ntitle: A\nauthor: {author}\nsection: {section}\ndate: 2026-03-04\n---\n\n# The ferry\n\nIt lies.\n"
        )
    };
    newsroom.saves("a.md", by("王伟", "理论")).is_out("a", 1);
    let page = |facet: &str, name: &str| {
        let found = newsroom.path("outbox").join(facet);
        let files: Vec<PathBuf> =
            fs::read_dir(found).map_or(vec![], |files| files.map(|file| file.unwrap().path()).collect());
        files.into_iter().find(|file| {
            file.extension().is_some_and(|extension| extension == "html")
                && fs::read_to_string(file).unwrap().contains(&format!("<h1>{name}</h1>"))
        })
    };
    assert!(page("authors", "王伟").is_some() && page("sections", "理论").is_some());
    let year = || newsroom.outbox_text("archive/2026.html");
    assert!(year().contains(">王伟</a> <small>1 article</small>"), "{}", year());
    newsroom.saves("a.md", by("汪伟", "文化")).is_out("a", 2);
    assert!(page("authors", "王伟").is_none() && page("authors", "汪伟").is_some());
    assert!(page("sections", "理论").is_none() && page("sections", "文化").is_some());
    assert!(year().contains(">汪伟</a>") && !year().contains("王伟"), "{}", year());
    assert!(!newsroom.outbox_text("feeds.opml").contains("理论"));
    newsroom.all_is_well();
}

#[test]
fn a_reader_finds_a_chinese_word_without_javascript() {
    let newsroom = Newsroom::opens();
    newsroom
        .saves(
            "a.md",
            "---\ntitle: 甲\nauthor: 李明\n---\n\n# 新质生产力从何而来\n\n发展要靠创新，也要靠人才。\n",
        )
        .is_out("a", 1);
    newsroom.saves("b.md", page("Second", "The café by the harbour.")).is_out("b", 1);
    let asks = |question: &str| {
        let (status, _, body) = newsroom.asks("GET", &format!("/search?q={question}"), "");
        assert_eq!(status, 200);
        String::from_utf8(body).unwrap()
    };
    // 生产力, 人, CAFE harbour: in pairs, by one character, without case and accents.
    for question in ["%E7%94%9F%E4%BA%A7%E5%8A%9B", "%E4%BA%BA", "%E6%9D%8E%E6%98%8E"] {
        let found = asks(question);
        assert!(found.contains("issues/a/a1.html") && !found.contains("issues/b/"), "{question}: {found}");
    }
    assert!(asks("CAFE+harbour").contains("issues/b/a1.html"));
    assert!(asks("%E9%94%99%E8%AF%AF").contains("No article has all of these words"));
    // Whatever is typed is only words.
    for question in ["%22", "%22+OR+%22", "*", "NEAR(a+b)", "a%00b", "%3Cscript%3E", "", "%F0%9F%92%A5"] {
        assert!(!asks(question).contains("<script>"), "{question}");
    }
    let (status, head, body) = newsroom.asks("GET", "/opds/search?q=%E7%94%9F%E4%BA%A7%E5%8A%9B", "");
    assert!(status == 200 && head.contains("kind=acquisition"), "{head}");
    let feed = feed_rs::parser::parse(&body[..]).unwrap();
    assert_eq!(feed.entries.len(), 1);
}

#[test]
fn an_author_and_a_section_with_long_names_have_their_lists() {
    let newsroom = Newsroom::opens();
    let (author, section) = (
        "晋中市马克思主义理论研究与建设工程重点研究基地课题组",
        "Letters From The Far Side Of The Harbour And From Its Islands Beyond",
    );
    let text = format!(
        "---\ntitle: Week 1\nauthor: {author}\nsection: {section}\n---\n\n# The lamps\n\nThe lamps are lit again.\n"
    );
    newsroom.saves("w1.md", text).is_out("w1", 1);
    let files = files(&newsroom);
    for folder in ["authors", "sections"] {
        let is_long = |path: &&PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap();
            path.starts_with(folder) && name.strip_suffix(".html").is_some_and(|slug| slug.len() >= 55)
        };
        let page = files.keys().find(is_long);
        assert!(
            page.is_some_and(|page| files.contains_key(&page.with_added_extension("gz"))),
            "{folder}: {page:?}"
        );
    }
}
