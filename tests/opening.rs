//! What an e-reader makes of a book: foliate-js opens it in a browser, shows every page of it, and says what it understood.

use std::{fs, path::Path, process::Command};

use image::ImageFormat;
use serde_json::{Value, json};

use crate::{newsroom::Newsroom, picturing::picture, tools};

/// What foliate-js understands of a book, with pictures of its sections in a folder; `None` after saying that the story is skipped.
fn opened(book: &Path, pictures: &Path) -> Option<Value> {
    let (node, chromium) = (tools::program("node")?, tools::program("chromium")?);
    let modules = tools::node_modules("foliate-js")?;
    let mut command = Command::new(node);
    command.arg(tools::root().join("tests/judges/open_book.mjs"));
    let output = command.args([modules, chromium]).args([book, pictures]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let read: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(read["faults"], json!([]), "{said}");
    Some(read)
}

/// Every entry leads to a place that is there. Gives the labels.
fn labels(entries: &Value) -> Vec<String> {
    let mut labels = Vec::new();
    for entry in entries.as_array().unwrap() {
        assert_eq!(entry["leads"], true, "{entry}");
        labels.push(entry["label"].as_str().unwrap().to_owned());
        labels.extend(self::labels(&entry["below"]));
    }
    labels
}

/// The pages that a book shows.
fn shown(read: &Value) -> &Vec<Value> {
    let shown = read["shown"].as_array().unwrap();
    for page in shown {
        assert_eq!(page["broken"], 0, "a picture is broken: {page}");
    }
    shown
}

/// With `OPENED=folder`, the pictures stay there to be looked at.
fn pictures() -> (Option<tempfile::TempDir>, std::path::PathBuf) {
    if let Some(folder) = std::env::var_os("OPENED") {
        return (None, folder.into());
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    (Some(folder), path)
}

const ISSUE: &str = "---
date: 2026-07-08
number: 217
page: 3
section: 理论
editors: [沈青]
---

# 石桥修好了

*林晚*

桥面新铺的青石，Words in English，2026年。[^1]

## 桥头

老渡工说：「船还在。」

[^1]: 注

# 夜市的灯

*何一舟*

灯从七点亮到十一点。
";

#[test]
fn a_vertical_book_is_understood_and_shown_from_right_to_left() {
    let mut newsroom = Newsroom::closed("");
    newsroom.sets("publication", "language = \"zh-Hans\"\nvertical = true\nissn = \"1234-567X\"");
    newsroom.starts();
    newsroom.saves("a.md", ISSUE).is_out("a", 1);
    let (_kept, folder) = pictures();
    let folder = folder.join("vertical");
    fs::create_dir_all(&folder).unwrap();
    let Some(read) = opened(&newsroom.books()[0], &folder) else { return };
    let metadata = &read["metadata"];
    assert_eq!(read["dir"], "rtl");
    assert_eq!(metadata["language"], json!("zh-Hans"), "{metadata}");
    assert!(metadata["title"].to_string().contains("217"), "{metadata}");
    assert!(metadata["editor"].to_string().contains("沈青"), "{metadata}");
    assert!(metadata["contributor"].to_string().contains("林晚"), "{metadata}");
    assert!(metadata["belongsTo"].to_string().contains("217"), "{metadata}");
    let toc = labels(&read["toc"]);
    for label in ["石桥修好了", "夜市的灯"] {
        assert_eq!(toc.iter().filter(|entry| entry.contains(label)).count(), 1, "{toc:?}");
    }
    assert_eq!(labels(&read["pages"]).len(), 1, "{}", read["pages"]);
    let places: Vec<&Value> =
        read["landmarks"].as_array().unwrap().iter().map(|place| &place["type"]).collect();
    assert!(places.iter().any(|kind| kind.to_string().contains("toc")), "{places:?}");
    let text = |page: &&Value| page["text"].as_str().is_some_and(|text| text.contains("桥面新铺的青石"));
    let article = shown(&read).iter().find(text).unwrap_or_else(|| panic!("{read}"));
    assert_eq!(article["writingMode"], "vertical-rl");
}

#[test]
fn a_book_with_the_publishers_own_cover_shows_it() {
    let mut newsroom = Newsroom::closed("");
    fs::write(newsroom.path("config/cover.jpg"), picture(600, 900, ImageFormat::Jpeg)).unwrap();
    newsroom.sets("publication", "cover = \"config/cover.jpg\"");
    newsroom.starts();
    newsroom.saves("a.md", ISSUE.replace("page: 3\n", "")).is_out("a", 1);
    let (_kept, folder) = pictures();
    let folder = folder.join("own-cover");
    fs::create_dir_all(&folder).unwrap();
    let Some(read) = opened(&newsroom.books()[0], &folder) else { return };
    assert_eq!(
        (&read["cover"]["width"], &read["cover"]["height"]),
        (&json!(600), &json!(900)),
        "{}",
        read["cover"]
    );
    assert_eq!(read["dir"].as_str().unwrap_or("ltr"), "ltr");
    assert_eq!(read["pages"], json!([]));
    assert_eq!(shown(&read).iter().filter(|page| page["writingMode"] == "vertical-rl").count(), 0);
    assert!(labels(&read["toc"]).len() >= 2);
}
