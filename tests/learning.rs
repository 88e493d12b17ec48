//! What an editor has confirmed once is not asked again.

use std::fs;

use gazetted::manuscript::Lexicon;

use crate::{
    configuring::gazetted,
    newsroom::{Newsroom, page, until},
    proving::careful,
};

/// Two pages of one paper: with pen names, columns and lines at the foot that no rule knows.
const FIRST: &str = include_str!("pages/bridge.txt");
const NEXT: &str = include_str!("pages/bell.txt");

/// The first page's proof as its editor corrects it.
fn corrected(proof: &str) -> String {
    let after = proof.find("# 修一座").unwrap();
    let text = format!(
        "{}# 修一座{}",
        proof[..after].split("---\n{?").next().unwrap(),
        &proof[after + "# 修一座".len()..]
    );
    let text = text
        .replace("language: zh-Hans\n", "title: 河畔论坛\nlanguage: zh-Hans\n---\n")
        .replace("kicker: 桥头夜话\n\n## 老渡工\n", "kicker: 桥头夜话\nauthor: 老渡工\n")
        .replace(
            "## 灯下漫笔\n\n## 把账本摊在太阳底下\n\n## 河畔县审计科 阿穗\n",
            "# 把账本摊在太阳底下\nkicker: 灯下漫笔\nauthor: 阿穗\naffiliation: 河畔县审计科\n",
        );
    let kept = text.lines().filter(|line| !line.starts_with("{? ") && *line != "- 河畔论坛");
    kept.map(|line| line.split(" {? ").next().unwrap()).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_an_editor_confirmed_is_not_asked_on_the_next_page() {
    let newsroom = careful("flagged");
    newsroom.saves("bridge.txt", FIRST);
    let path = newsroom.path("inbox/bridge.txt.proof.md");
    until("the first page's proof", || path.exists());
    let proof = fs::read_to_string(&path).unwrap();
    let asked = proof.matches("{? ").count() - 1;
    assert!(asked >= 3, "{proof}");
    newsroom.saves("bridge.txt.proof.md", corrected(&proof)).is_out("bridge", 1);

    let lexicon = newsroom.path("data/lexicon.toml");
    until("the lexicon", || lexicon.exists());
    let written = fs::read_to_string(&lexicon).unwrap();
    for known in
        ["\"老渡工\"", "\"阿穗\"", "\"河畔县审计科\"", "\"灯下漫笔\"", "\"河畔论坛\"", "\"本栏稿件谢绝转载\""]
    {
        assert!(written.contains(known), "{known} is not in\n{written}");
    }

    newsroom.saves("bell.txt", NEXT).is_out("bell", 1).no_reason_beside("bell.txt");
    let (code, shown) = gazetted(newsroom.folder.path(), &["proof", "--json", "inbox/bell.txt"]);
    assert_eq!(code, 0, "{shown}");
    let read: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(read["queries"], serde_json::json!([]), "{shown}");
    let articles: Vec<String> = read["articles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|article| {
            format!(
                "{} | {} | {} | {}",
                article["kicker"], article["headline"], article["authors"], article["affiliation"]
            )
        })
        .collect();
    assert_eq!(
        articles,
        [
            r#""桥头夜话" | "渡口的钟为谁而敲" | ["老渡工"] | null"#,
            r#""灯下漫笔" | "一粒种子的三次考试" | ["阿穗"] | "河畔县审计科""#
        ]
    );
    assert_eq!(read["issue"]["title"], "河畔论坛");
    newsroom.all_is_well();
}

#[test]
fn a_lexicon_that_its_editor_spoiled_stops_no_page_and_is_not_overwritten() {
    let newsroom = Newsroom::opens();
    let path = newsroom.path("data/lexicon.toml");
    let spoiled = "authors = [\"老渡工\"\nkickers = 3";
    fs::write(&path, spoiled).unwrap();
    newsroom.saves("clear.md", page("Clear", "These words are in no doubt.")).is_out("clear", 1);
    assert_eq!(fs::read_to_string(&path).unwrap(), spoiled);
    let (code, shown) = gazetted(newsroom.folder.path(), &["proof", "inbox/clear.md"]);
    assert!(code != 0 && shown.contains("lexicon.toml") && shown.contains("line "), "{shown}");
}

#[test]
fn a_lexicon_is_a_file_that_reads_back() {
    let text = "authors = [\"老渡工\", \"Old Ferryman\"]\nfurniture = [\"投稿请寄 城南路\"]\n";
    let lexicon = Lexicon::parse(text).unwrap();
    assert_eq!(Lexicon::parse(&lexicon.write()).unwrap(), lexicon);
    let problem = Lexicon::parse("authers = []").unwrap_err();
    assert!(problem.contains("authers") && problem.contains("authors"), "{problem}");
}
