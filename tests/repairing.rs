//! What was repaired in a page can be looked up, before it is published and long after.

use std::fs;

use gazetted::receipts::Record;

use crate::{
    configuring::gazetted,
    newsroom::{Newsroom, until},
};

/// A page of three articles that was cut, spaced out, starred and put out of order.
const PAGE: &str = include_str!("pages/trees.txt");

/// The receipts that are kept, all of them.
fn kept(newsroom: &Newsroom) -> Vec<Record> {
    let mut records = Vec::new();
    for folder in fs::read_dir(newsroom.path("data/originals")).unwrap() {
        for file in fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path.to_string_lossy().ends_with(".receipts.json") {
                records.push(Record::parse(&fs::read(path).unwrap()).unwrap());
            }
        }
    }
    records
}

#[test]
fn what_was_repaired_in_a_published_page_is_told_later() {
    let newsroom = Newsroom::opens();
    let (gbk, ..) = encoding_rs::GBK.encode(PAGE);
    newsroom.saves("trees.txt", gbk).is_out("trees", 1);
    let (code, told) = gazetted(newsroom.folder.path(), &["issues", "receipts", "trees"]);
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("restored from its reading, byte for byte"), "{told}");
    for repair in [
        "  decoded: saved as GBK",
        "  line 1, fragment: 街",
        "  line 11, joined: …再决定要不要给树 ¶ 支一根拐杖。去年…",
        "  line 19, blank-removed: 7 spaces, the first: …悬铃木的毛絮␣是它的果实散开以…",
        "  line 29, marks-removed: 4 × *",
        "  line 40, moved-headline: 以虫治虫 → to its body on line 31",
    ] {
        assert!(told.contains(repair), "{repair} is not in {told}");
    }
    let (_, json) = gazetted(newsroom.folder.path(), &["issues", "receipts", "trees", "--json"]);
    assert_eq!(kept(&newsroom), [Record::parse(json.as_bytes()).unwrap()]);
    // A correction has receipts of its own.
    newsroom.saves("trees.txt", PAGE.replace("拐杖", "手杖")).is_out("trees", 2);
    let (_, told) = gazetted(newsroom.folder.path(), &["issues", "receipts", "trees"]);
    assert!(told.contains("支一根手杖") && !told.contains("GBK"), "{told}");
    assert_eq!(kept(&newsroom).len(), 2);
    newsroom.all_is_well();
}

#[test]
fn what_an_editor_changed_in_a_proof_is_told_too() {
    let mut newsroom = Newsroom::closed("");
    let settings = newsroom.path("config/gazetted.toml");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(settings, text.replace("[inbox]", "proofs = \"always-ask\"\n[inbox]")).unwrap();
    newsroom.starts();
    newsroom.saves("trees.txt", PAGE);
    let proof = newsroom.path("inbox/trees.txt.proof.md");
    until("the proof", || proof.exists());
    let (code, said) = gazetted(newsroom.folder.path(), &["issues", "receipts", "trees"]);
    assert_eq!(code, 2, "{said}");
    let text = fs::read_to_string(&proof).unwrap().replace("支一根拐杖", "撑一根竹杖");
    let (head, articles) = text.split_once("\n---\n").unwrap();
    let mut edited = articles.to_owned();
    while let Some(start) = edited.find("{? ") {
        let end = start + edited[start..].find('}').unwrap();
        edited.replace_range(start..=end, "");
    }
    let edited = format!("{head}\n---\n{edited}");
    newsroom.saves("trees.txt.proof.md", edited).is_out("trees", 1);
    let (_, told) = gazetted(newsroom.folder.path(), &["issues", "receipts", "trees"]);
    assert!(told.contains("byte for byte"), "{told}");
    assert!(told.contains("line 11, left-out: 支拐"), "{told}");
    assert!(told.contains("line 9, added: 撑竹"), "{told}");
    newsroom.all_is_well();
}

#[test]
fn the_repairs_of_a_file_are_listed_before_it_is_published() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("trees.txt"), PAGE.replace('\n', "\r\n")).unwrap();
    let (code, told) = gazetted(folder.path(), &["proof", "--receipts", "trees.txt"]);
    assert_eq!(code, 0, "{told}");
    assert!(told.starts_with("trees.txt: 1 decoded, 1 moved-headline, 1 joined, 1 parted, "), "{told}");
    assert!(told.contains("  decoded: 40 lines ended by CR LF\n"), "{told}");
    let (_, json) = gazetted(folder.path(), &["proof", "--json", "--receipts", "trees.txt"]);
    let proof: serde_json::Value = serde_json::from_str(&json).unwrap();
    let moved = proof["repairs"].as_array().unwrap().iter().find(|r| r["kind"] == "moved-headline").unwrap();
    let expected = serde_json::json!({
        "kind": "moved-headline", "article": 3, "line": 40, "to": 31, "count": 1, "text": "以虫治虫",
    });
    assert_eq!(moved, &expected);
}
