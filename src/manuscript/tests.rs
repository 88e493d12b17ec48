//! The reader as a whole: pages and Markdown in, outlines out; nothing lost, whatever comes in.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::Path;

use expect_test::{Expect, ExpectFile, expect, expect_file};
use proptest::prelude::*;

use super::{Unreadable, is_manuscript, open, read};
use crate::{
    issue::Issue, issue::Role, proof::Proof, prose, prose::Block, prose::Language, publication::Design,
    publication::Forms, publication::Imprint, publication::Publication,
};

pub(crate) fn publication() -> Publication {
    Publication {
        key: "gazette".to_owned(),
        title: "河畔周刊".to_owned(),
        description: String::new(),
        language: Language::parse("zh-Hans").expect("a language tag"),
        time_zone: jiff::tz::TimeZone::UTC,
        base_url: "https://example.org/".to_owned(),
        authority: "example.org,2026".to_owned(),
        hub: None,
        imprint: Imprint::default(),
        theme: crate::theme::Theme::default(),
        design: Design::default(),
        forms: Forms::default(),
    }
}

pub(super) fn proof(file_name: &str, text: &str) -> Proof {
    read(&open(file_name, text.as_bytes()).expect("a text"), &publication())
}

/// The proof in brief: a line an article, then its blocks, the issue's fields, the queries and what was not used.
pub(super) fn outline(proof: &Proof) -> String {
    let mut out = String::new();
    for article in &proof.issue.articles {
        let mut parts = vec![if article.headline.synthetic {
            format!("({})", article.headline.text)
        } else {
            article.headline.text.clone()
        }];
        parts.extend(article.kicker.iter().map(|text| format!("kicker {text}")));
        parts.extend(article.dek.iter().map(|text| format!("dek {text}")));
        for byline in &article.bylines {
            let role = if byline.role == Role::Author { "" } else { " (pictures)" };
            let office = byline.affiliation.as_ref().map(|office| format!(" @{office}")).unwrap_or_default();
            parts.push(format!("{}{role}{office}", byline.name));
        }
        parts.extend(article.captions.iter().map(|text| format!("caption {text}")));
        let paragraphs = article.body.iter().filter(|block| matches!(block, Block::Paragraph { .. })).count();
        parts.push(format!("{paragraphs}¶"));
        for block in &article.body {
            match block {
                Block::Subhead { level, .. } => parts.push(format!("h{level} {}", block.plain())),
                Block::Quote { .. } => parts.push(format!("quote {}", block.plain())),
                Block::List { items, .. } => parts.push(format!("list of {}", items.len())),
                Block::Code { .. } => parts.push("code".to_owned()),
                Block::Table { rows, .. } => parts.push(format!("table of {}", rows.len())),
                Block::Figure { .. } => parts.push(format!("figure {}", block.plain())),
                Block::Rule => parts.push("rule".to_owned()),
                Block::Paragraph { .. } => {}
            }
        }
        if let Some(credit) = &article.credit {
            let date = credit.date.map(|date| date.to_string()).unwrap_or_default();
            parts.push(format!("from {} {date} {}", credit.name, credit.page.as_deref().unwrap_or_default()));
        }
        parts.extend(article.notes.iter().map(|note| format!("note {}", prose::plain_blocks(note))));
        let _ = writeln!(out, "{}", parts.join(" / "));
    }
    let issue = &proof.issue;
    let fields = [
        ("title", issue.title.clone()),
        ("number", issue.number.clone()),
        ("date", issue.date.map(|date| date.to_string())),
        ("page", issue.page.clone()),
        ("section", issue.section.clone()),
        ("summary", issue.summary.clone()),
        ("editors", Some(issue.editors.join("+")).filter(|names| !names.is_empty())),
        ("publisher", issue.publisher.clone()),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            let _ = writeln!(out, "{name}: {value}");
        }
    }
    for (name, value) in &issue.contact {
        let _ = writeln!(out, "{name}: {value}");
    }
    for query in &proof.queries {
        let code = serde_json::to_value(query.code).expect("a code");
        let line = query.line.map(|line| line.to_string()).unwrap_or_default();
        let _ = writeln!(out, "? {line} {}", code.as_str().unwrap_or_default());
    }
    for text in &proof.not_used {
        let _ = writeln!(out, "- {text}");
    }
    out
}

#[track_caller]
pub(super) fn check(file_name: &str, text: &str, expected: &Expect) {
    expected.assert_eq(&outline(&proof(file_name, text)));
}

/// How often each character but white space occurs in the proof: see the invariant of the module.
pub(super) fn kept(proof: &Proof) -> HashMap<char, usize> {
    let mut texts: Vec<String> =
        proof.not_used.iter().filter(|text| !text.starts_with("U+")).cloned().collect();
    for article in &proof.issue.articles {
        texts.extend(Some(article.headline.text.clone()).filter(|_| !article.headline.synthetic));
        texts.extend(article.kicker.clone());
        texts.extend(article.dek.clone());
        texts.extend(article.captions.clone());
        texts.extend(article.credit.as_ref().map(|credit| credit.printed.clone()));
        let mut office = None;
        for byline in &article.bylines {
            texts.push(byline.name.clone());
            texts.extend(byline.affiliation.clone().filter(|own| Some(own) != office));
            office = byline.affiliation.as_ref();
        }
        texts.push(prose::plain_blocks(&article.body));
        texts.extend(article.notes.iter().map(|note| prose::plain_blocks(note)));
    }
    count(&texts.concat())
}

pub(super) fn count(text: &str) -> HashMap<char, usize> {
    let mut counts = HashMap::new();
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        *counts.entry(c).or_default() += 1;
    }
    counts
}

#[track_caller]
pub(super) fn check_conserved(text: &str) {
    let Ok(manuscript) = open("page.txt", text.as_bytes()) else { return };
    let kept = kept(&read(&manuscript, &publication()));
    let mut wrong: BTreeMap<char, i64> = BTreeMap::new();
    for (c, n) in count(&manuscript.text.text) {
        *wrong.entry(c).or_default() -= i64::try_from(n).expect("small");
    }
    for (c, n) in kept {
        *wrong.entry(c).or_default() += i64::try_from(n).expect("small");
    }
    wrong.retain(|_, n| *n != 0);
    assert_eq!(wrong, BTreeMap::new(), "characters lost (-) or invented (+) in {text:?}");
}

const LIBRARY: &str = include_str!("../../tests/pages/library.txt");
const TREES: &str = include_str!("../../tests/pages/trees.txt");

#[track_caller]
fn check_page(file_name: &str, text: &str, expected: &ExpectFile) {
    expected.assert_eq(&outline(&proof(file_name, text)));
    check_conserved(text);
}

#[test]
fn a_messy_page_is_read_as_its_editor_means_it() {
    check_page("2025-07-09.txt", LIBRARY, &expect_file!["../../tests/golden/library.outline"]);
    check_page("trees.txt", TREES, &expect_file!["../../tests/golden/trees.outline"]);
}

/// The same page from every charset that can write it is the same proof, to the byte.
#[test]
fn a_page_is_the_same_in_every_charset() {
    use encoding_rs::{BIG5, EUC_KR, GB18030, SHIFT_JIS, UTF_8, WINDOWS_1252};
    let traditional = "橋邊的燈\n\n李小雨\n\n橋邊的燈亮了三十年，守燈的人換了三代，沒有一天熄滅過。\n";
    let japanese = "橋のあかり\n\n橋のあかりは三十年のあいだ、毎晩ともされてきました。誰も知りません。\n";
    let korean = "다리의 등불\n\n다리의 등불은 삼십 년 동안 매일 밤 켜져 있었습니다.\n";
    let french =
        "Le café d'été\n\nL'été dernier, le café où nous étions allés a fermé, très chère hôtesse.\n";
    for (text, encoding) in [
        (LIBRARY, GB18030),
        (TREES, GB18030),
        (traditional, BIG5),
        (japanese, SHIFT_JIS),
        (korean, EUC_KR),
        (french, WINDOWS_1252),
    ] {
        let expected = serde_json::to_string(&proof("page.txt", text)).expect("JSON");
        let crlf = text.replace('\n', "\r\n");
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let (own, _, wrong) = encoding.encode(text);
        let (own_crlf, ..) = encoding.encode(&crlf);
        assert!(!wrong, "{} cannot write {text}", encoding.name());
        for (name, bytes) in [
            (UTF_8.name(), crlf.clone().into_bytes()),
            ("UTF-8 with a mark", [b"\xEF\xBB\xBF", text.as_bytes()].concat()),
            ("UTF-16LE with a mark", [b"\xFF\xFE", little.as_slice()].concat()),
            ("UTF-16BE with a mark", [b"\xFE\xFF", big.as_slice()].concat()),
            ("UTF-16LE", little),
            ("UTF-16BE", big),
            (encoding.name(), own.into_owned()),
            (encoding.name(), own_crlf.into_owned()),
        ] {
            let manuscript = open("page.txt", &bytes).expect(name);
            let found = serde_json::to_string(&read(&manuscript, &publication())).expect("JSON");
            assert_eq!(found, expected, "{name}, read as {}", manuscript.charset());
        }
    }
}

#[test]
fn a_page_with_one_article_has_headline_byline_and_paragraphs() {
    check(
        "page.txt",
        "桥边的灯\n\n李小雨\n\n桥边的灯亮了三十年。\n\n守灯的人换了三代，灯没有换过。\n",
        &expect![[r"
            桥边的灯 / 李小雨 / 2¶
        "]],
    );
}

#[test]
fn a_page_may_mark_its_headlines() {
    check(
        "page.txt",
        "“河上人家”系列报道之二\n\n# 桥边的灯 渡口的船\n\n## ——河畔县整修老渡口\n\n文/记者 李小雨 图/记者 王大桥\n\n桥边的灯亮了三十年。\n\n整修后的老渡口\n\n### 船还在\n\n船也还在，只是不再渡人。\n",
        &expect![[r"
            桥边的灯 渡口的船 / kicker “河上人家”系列报道之二 / dek ——河畔县整修老渡口 / 李小雨 / 王大桥 (pictures) / caption 整修后的老渡口 / 2¶ / h2 船还在
            - # ## ### 文/记者图/记者
        "]],
    );
}

#[test]
fn a_masthead_tells_of_the_issue_and_is_in_no_article() {
    check(
        "page.txt",
        "桥边的灯\n\n李小雨\n\n桥边的灯亮了三十年。（原载《河畔日报》3月1日 第2版）\n\n2本版责编：王大桥 赵小河 副刊2025年1月8日 星期四\n\n主主办办：：河畔县文联河畔县文联\n邮箱：a@example.org\n\n副 刊\n",
        &expect![[r"
            桥边的灯 / 李小雨 / 1¶ / from 河畔日报 2024-03-01 2
            title: 副刊
            date: 2025-01-08
            page: 2
            section: 副刊
            editors: 王大桥+赵小河
            publisher: 河畔县文联
            email: a@example.org
            ? 5 year-inferred
            ? 7 date-inferred
            ? 9 doubled
            - 2本版责编：王大桥 赵小河 副刊2025年1月8日 星期四
            - 主主办办：：河畔县文联河畔县文联
            - 邮箱：a@example.org
            - 副 刊
        "]],
    );
}

#[test]
fn a_headline_is_never_invented_silently() {
    check(
        "page.txt",
        "桥边的灯亮了三十年，守灯的人换了三代，灯没有换过，河也没有改道。\n",
        &expect![[r"
            (桥边的灯亮了三十年…) / 1¶
            ? 1 no-headline
        "]],
    );
    check(
        "page.txt",
        "队\n",
        &expect![[r"
        ?  no-articles
        ? 1 fragment
        - 队
    "]],
    );
}

#[test]
fn markdown_is_read_with_its_front_matter() {
    check(
        "issue.md",
        "---\ntitle: 河畔周刊 第12期\ndate: 2025-07-09\nauthor: 李小雨\n---\n\n本期写桥。\n\n# 桥边的灯\n\n*By ANN LEE*\n\n灯亮了\n三十年[^1]。\n\n## 守灯人\n\n- 一\n- 二\n\n# 渡口\n\n> 渡人。\n\n[船](boat.md)与[河](https://example.org/)，![图](a.png)\n\n（原载《河畔日报》2025年1月1日 第2版）\n\n[^1]: 一九九五年。\n",
        &expect![[r"
            桥边的灯 / ANN LEE / 1¶ / h1 守灯人 / list of 2 / note 一九九五年。
            渡口 / 李小雨 / 1¶ / quote 渡人。 / from 河畔日报 2025-01-01 2
            title: 河畔周刊 第12期
            number: 12
            date: 2025-07-09
            summary: 本期写桥。
            ? 25 link-dropped
            ? 25 picture-missing
            - boat.md
            - a.png
            - By
        "]],
    );
}

#[test]
fn html_leaves_its_text_and_no_script() {
    check(
        "issue.md",
        "# A\n\nx <b>bold</b> <!-- secret --> y\n\n<div onclick='evil()'>kept\n<script>alert(1)</script></div>\n\n<p><script>\n\nalert(2)\n\n</script></p>\n\nend\n",
        &expect![[r"
            A / 3¶
            title: A
            ? 3 html-dropped
            ? 5 html-dropped
            ? 8 html-dropped
            ? 12 html-dropped
            - <b>
            - </b>
            - <!-- secret -->
            - <div onclick='evil()'>
            - <script>
            - alert(1)
            - </script>
            - </div>
            - <p>
            - <script>
            - alert(2)
            - </script>
            - </p>
        "]],
    );
}

#[test]
fn lines_of_markdown_are_parted_also_behind_a_note_and_a_picture() {
    let text = "# Boats\n\nThe water went down.[^1]\nThe boat ![a red boat](https://e.org/b.png)\nlies *here*[^1]\nand there.\n\n\
                水退了。[^1]\n船在这里。\n\n[^1]: A note.\n";
    let read = proof("boats.md", text);
    let paragraphs: Vec<String> = read.issue.articles[0].body.iter().map(Block::plain).collect();
    assert_eq!(
        paragraphs,
        ["The water went down. The boat a red boat lies here and there.", "水退了。船在这里。"]
    );
}

#[test]
fn chinese_markdown_has_no_spaces_from_its_lines_and_no_stray_stars() {
    let proof = proof("a.md", "# 标题\n\n河水\n流过，**“老桥”，**还在。\na\nb\n");
    assert_eq!(proof.issue.articles[0].body[0].plain(), "河水流过，“老桥”，还在。a b");
}

#[test]
fn an_escape_in_front_matter_names_no_character_that_turns_the_text() {
    let proof = proof("a.md", "---\nauthor: \"Li\\u202e\"\ncontact: {phone: \"1\\x01\"}\n---\n# A\n\nb\n");
    assert_eq!(proof.issue.articles[0].bylines[0].name, "Li");
    assert_eq!(proof.issue.contact["phone"], "1");
}

#[test]
fn words_behind_a_fence_are_set_aside() {
    check(
        "a.md",
        "# 灯\n\n~~~ 桥边\n亮\n~~~\n\n```rust\nfn\n```\n",
        &expect![[r"
            灯 / 0¶ / code / code
            title: 灯
            ? 3 not-used
            - 桥边
        "]],
    );
}

#[test]
fn a_second_note_of_one_name_is_set_aside() {
    check(
        "a.md",
        "# 灯\n\n亮了[^1]。\n\n[^1]: 三十年。\n\n[^1]: 四十年。\n",
        &expect![[r"
            灯 / 1¶ / note 三十年。
            title: 灯
            ? 7 not-used
            - 四十年。
        "]],
    );
}

#[test]
fn stressed_words_of_a_page_stand_apart_as_they_did() {
    let body = |text: &str| {
        let proof = proof("page.txt", &format!("A lamp by the bridge\n\n{text}\n"));
        (serde_json::to_string(&proof.issue.articles[0].body[0]).expect("a block"), check_conserved(text)).0
    };
    expect![[r#"{"type":"p","text":[{"type":"text","text":"The lamp by the "},{"type":"strong","text":[{"type":"text","text":"old bridge"}]},{"type":"text","text":" burns. 灯"},{"type":"strong","text":[{"type":"text","text":"亮了"}]},{"type":"text","text":"。"}]}"#]]
        .assert_eq(&body("The lamp by the **old bridge** burns. 灯 **亮了** 。"));
    expect![[r#"{"type":"p","text":[{"type":"text","text":"灯亮了三十年。"}]}"#]]
        .assert_eq(&body("灯****亮了三十年。"));
}

#[test]
fn a_newsletter_without_headings_is_one_article_under_its_title() {
    check(
        "7.md",
        "Title: River Notes 7\nDate: 2025-07-09\n\nThe ferry runs again.\nIt runs until nine.\n\n1. one\n2. two\n",
        &expect![[r"
            River Notes 7 / 1¶ / list of 2
            title: River Notes 7
            date: 2025-07-09
        "]],
    );
    let proof = proof("7.md", "# River Notes, Issue 7\n\nThe ferry runs again.\n");
    assert_eq!(proof.issue.title.as_deref(), Some("River Notes, Issue 7"));
    assert_eq!(proof.issue.number.as_deref(), Some("7"));
}

#[test]
fn deep_nesting_is_flattened_and_its_text_kept() {
    let proof = proof("a.md", &format!("{} deep", ">".repeat(100_000)));
    assert!(prose::plain_blocks(&proof.issue.articles[0].body).ends_with("deep"));
    let json = serde_json::to_string(&proof.issue).expect("an issue");
    let again: Issue = serde_json::from_str(&json).expect("the same issue");
    assert_eq!(again, proof.issue);
}

#[test]
fn only_known_forms_are_manuscripts() {
    assert!(
        is_manuscript("a.txt")
            && is_manuscript("b/A.MD")
            && !is_manuscript("a.djvu")
            && !is_manuscript("txt")
    );
    let message = |name: &str| open(name, b"x").expect_err("no manuscript").to_string();
    assert_eq!(
        message("a.djvu"),
        "cannot read a `.djvu` file; save the issue as `.txt`, `.md`, `.html`, `.docx`, `.epub`, `.eml` or `.pdf`, or pack it with its pictures as `.zip`"
    );
    assert_eq!(message("a.rst"), "cannot read a `.rst` file; save it as `.md`, or as `.html`");
    assert_eq!(message("a.doc"), "cannot read a `.doc` file; save it as `.docx`");
    assert!(Unreadable::Incomplete.is_incomplete());
}

/// Texts that are no issue, and must neither stop the reader nor lose anything.
#[test]
fn strange_texts_stop_nothing_and_lose_nothing() {
    let deep = 100_000;
    let texts = [
        "a".repeat(200_000),
        "字".repeat(50_000),
        "短行\n".repeat(20_000),
        "短行\n\n".repeat(5_000),
        "#\n".repeat(20_000),
        "# 题\n".repeat(2_000),
        "# 题目\n\n一句话。\n\n".repeat(1_000),
        "李小雨\n\n".repeat(2_000),
        "（".repeat(100_000),
        "**".repeat(100_000),
        ">".repeat(deep),
        "[".repeat(deep),
        "*".repeat(deep),
        "*a ".repeat(deep),
        "![".repeat(deep),
        "- ".repeat(deep),
        "<".repeat(deep),
        "<script>".repeat(deep),
        "> [".repeat(deep),
        "{{ x }} {% y %} ]]> <![CDATA[ ]]".to_owned(),
        "|a|b|\n|-|-|\n".to_owned() + &"|c|d|\n".repeat(5_000),
        "[^1]: a[^1]\n\n[^1]\n".to_owned(),
        "\u{202E}abc\u{2066}\n".to_owned(),
        "a\u{0}b\u{0}\n".to_owned(),
        // A title with commas, whose letters meet those of the text below like a pair of the page.
        "The bridge, Ai\n\n,is it,\n\nNai,is not here.\n".to_owned(),
        (0..2000).fold(String::new(), |mut text, n| {
            let _ = write!(
                text,
                "{}第{n}段，水流过桥下，{}。\n\n",
                "  ".repeat(n % 40),
                "人来人往".repeat(n % 30)
            );
            text
        }),
    ];
    for text in texts {
        check_conserved(&text);
        let _ = proof("a.md", &text);
    }
    for nothing in ["", "\n\n\n", " \t\u{3000}\n"] {
        assert_eq!(open("a.txt", nothing.as_bytes()).err(), Some(Unreadable::Empty));
    }
}

/// Damage that a text layer or an editor may do to a page.
pub(crate) fn damaged() -> impl Strategy<Value = String> {
    let text = prop_oneof![Just(LIBRARY), Just(TREES)];
    (text, prop::collection::vec((any::<prop::sample::Index>(), 0..9_u8), 0..40)).prop_map(
        |(text, damage)| {
            let mut characters: Vec<char> = text.chars().collect();
            for (at, what) in damage {
                let at = at.index(characters.len());
                match what {
                    0 => drop(characters.remove(at)),
                    1 => characters.insert(at, '\n'),
                    2 => characters.splice(at..at, "\n\n".chars()).for_each(drop),
                    3 => characters.insert(at, ' '),
                    4 => characters.insert(at, '"'),
                    5 => characters.splice(at..at, "**".chars()).for_each(drop),
                    6 => characters.splice(at..at, "\n# ".chars()).for_each(drop),
                    7 => {
                        let end = characters.len().min(at + 200);
                        characters.drain(at..end);
                    }
                    _ => {
                        let end = characters.len().min(at + 60);
                        let piece: Vec<char> = characters[at..end].to_vec();
                        characters.splice(at..at, piece).for_each(drop);
                    }
                }
                if characters.is_empty() {
                    break;
                }
            }
            characters.into_iter().collect()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_character_of_a_damaged_page_is_lost_or_invented(text in damaged()) {
        check_conserved(&text);
    }

    #[test]
    fn no_character_of_any_text_is_lost_or_invented(text in "([一-十桥河水李王张 ，。：“”（）《》0-9a-c#*\n]|原载|版|责编：|记者|文/|2025年1月2日){0,120}") {
        check_conserved(&text);
    }

    #[test]
    fn any_markdown_keeps_its_letters(text in "([ab桥河 .,#>*_`~|\n]|\\[x\\]\\(https://e\\.org/y\\)|<i>|</i>|<!-- k -->|- |    ){0,120}") {
        if let Ok(manuscript) = open("a.md", text.as_bytes()) {
            let proof = read(&manuscript, &publication());
            let mut kept = kept(&proof);
            for c in proof.issue.summary.iter().flat_map(|summary| summary.chars()) {
                *kept.entry(c).or_default() += 1;
            }
            // Letters of addresses are in links, which `kept` does not show: the texts have others.
            for (c, n) in count(&text) {
                if "ab桥河".contains(c) {
                    prop_assert!(kept.get(&c).copied().unwrap_or(0) >= n, "{c} of {text:?} in {proof:?}");
                }
            }
        }
    }
}

/// The editors' own pages, where they are at hand: never part of the repository.
#[test]
fn the_shared_pages_are_read_as_their_editors_do() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let Ok(pages) = std::fs::read_dir(shared.join("pages")) else {
        eprintln!("SKIPPED: there are no shared pages beside the repository; nothing was compared with gold");
        return;
    };
    for page in pages.flatten() {
        let path = page.path();
        let text = std::fs::read_to_string(&path).expect("a page");
        check_conserved(&text);
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        let gold = shared.join("gold").join(format!("{}.json", &name[..3]));
        let Ok(gold) = std::fs::read_to_string(gold) else { continue };
        let gold: serde_json::Value = serde_json::from_str(&gold).expect("gold");
        let proof = proof(&name, &text);
        let expected: Vec<String> = gold["articles"]
            .as_array()
            .expect("articles")
            .iter()
            .map(|article| article["headline"].as_str().unwrap_or_default().to_owned())
            .collect();
        let found: Vec<String> = proof
            .issue
            .articles
            .iter()
            .map(
                |article| {
                    if article.headline.synthetic { String::new() } else { article.headline.text.clone() }
                },
            )
            .collect();
        assert_eq!(found, expected, "{name}");
        for (article, gold) in proof.issue.articles.iter().zip(gold["articles"].as_array().expect("articles"))
        {
            let authors: Vec<&str> = article.authors().collect();
            assert_eq!(serde_json::json!(authors), gold["authors"], "{name}");
        }
    }
}
