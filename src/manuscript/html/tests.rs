//! Files of HTML in, outlines out.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::super::tests::{count, kept, outline, publication};
use super::super::{open, read};
use crate::{proof::Proof, prose, prose::Block, prose::Inline};

fn proof(file_name: &str, text: &str) -> Proof {
    read(&open(file_name, text.as_bytes()).expect("a text"), &publication())
}

#[track_caller]
fn check(text: &str, expected: &Expect) {
    expected.assert_eq(&outline(&proof("page.html", text)));
}

#[track_caller]
fn check_body(html: &str, expected: &Expect) {
    let proof = proof("page.html", &format!("<h1>A</h1>{html}"));
    let body: Vec<String> = proof.issue.articles[0]
        .body
        .iter()
        .map(|block| serde_json::to_string(block).expect("a block").replace("\"type\":", "").replace('"', ""))
        .collect();
    expected.assert_eq(&body.join(" "));
}

#[test]
fn a_page_of_html_is_read_with_its_head() {
    check(
        r#"<!DOCTYPE html><html lang="en-GB"><head><meta charset="utf-8"><title>River Notes, Issue 7</title>
<meta name="author" content="Ann Lee, Bo Chan"><meta name="date" content="2025-07-09">
<meta name="description" content="What the river brought.">
<style>p { color: red }</style></head><body>
<h1>The ferry runs again</h1><p>By Cy Dunn</p><p>The ferry runs <b>until nine</b>.</p><h2>How to pay</h2><ul><li>one<li>two</ul>
<h1>The bridge</h1><p>It stands.</p><hr><blockquote><p>So it does.</blockquote>
<script>alert('x < y')</script><!-- a secret --></body></html>"#,
        &expect![[r"
            The ferry runs again / Cy Dunn / 1¶ / h1 How to pay / list of 2
            The bridge / Ann Lee / Bo Chan / 1¶ / rule / quote So it does.
            title: River Notes, Issue 7
            number: 7
            date: 2025-07-09
            summary: What the river brought.
            - p { color: red }
            - alert('x < y')
            - a secret
            - By
        "]],
    );
}

#[test]
fn runs_are_told_apart() {
    check_body(
        "<p>a <em>b</em>, <strong>c</strong> <s>d</s> <code>e</code><br>f</p>",
        &expect![
            "{p,text:[{text,text:a },{emphasis,text:[{text,text:b}]},{text,text:, },{strong,text:[{text,text:c}]},{text,text: },{struck,text:[{text,text:d}]},{text,text: },{code,text:e},{break},{text,text:f}]}"
        ],
    );
    check_body(
        "<p>a<b> b <i>c</b> d</i> e</p>",
        &expect![
            "{p,text:[{text,text:a },{strong,text:[{text,text:b },{emphasis,text:[{text,text:c}]}]},{text,text: },{emphasis,text:[{text,text:d}]},{text,text: e}]}"
        ],
    );
    check_body(
        "<p>河水\n流过，<b>“老桥”，</b>还在。\na\nb</p>",
        &expect![
            "{p,text:[{text,text:河水流过，},{strong,text:[{text,text:“老桥”，}]},{text,text:还在。a b}]}"
        ],
    );
    check_body(
        "<p>x <a href='https://example.org/'>y</a> <a href='javascript:alert(1)'>z</a></p>",
        &expect![
            "{p,text:[{text,text:x },{link,href:https://example.org/,text:[{text,text:y}]},{text,text: z}]}"
        ],
    );
    check_body("<p>河<a href='#nowhere'>1</a>水</p>", &expect!["{p,text:[{text,text:河1水}]}"]);
    check_body("<p>1 &lt; 2 &amp;&nbsp;3 &#x4e2d;</p>", &expect!["{p,text:[{text,text:1 < 2 & 3 中}]}"]);
}

#[test]
fn blocks_are_told_apart() {
    check_body(
        "<ol start=3><li>a<ul><li>b</ul><li><p>c</p><p>d</p></ol>",
        &expect![
            "{list,start:3,items:[[{p,text:[{text,text:a}]},{list,start:null,items:[[{p,text:[{text,text:b}]}]]}],[{p,text:[{text,text:c}]},{p,text:[{text,text:d}]}]]}"
        ],
    );
    check_body(
        "<ul><li>a</li><ul><li>b</li></ul></ul>",
        &expect![
            "{list,start:null,items:[[{p,text:[{text,text:a}]},{list,start:null,items:[[{p,text:[{text,text:b}]}]]}]]}"
        ],
    );
    check_body(
        "<table><tr><th>a<th>b<tr><td>1<td colspan=2>2</table>",
        &expect![
            "{table,head:[[{text,text:a}],[{text,text:b}],[]],rows:[[[{text,text:1}],[{text,text:2}],[]]]}"
        ],
    );
    check_body(
        "<table><tr><td><h2>x</h2><p>a</p><p>b</p></td></tr></table>",
        &expect!["{subhead,level:1,text:[{text,text:x}]} {p,text:[{text,text:a}]} {p,text:[{text,text:b}]}"],
    );
    check_body("<pre>\na\n  b<b>c</b>\n</pre>", &expect![[r"{code,text:a\n  bc}"]]);
    check_body(
        "<iframe src='https://example.org/film' title='A film'>no</iframe><p>after</p>",
        &expect![
            "{p,text:[{link,href:https://example.org/film,text:[{text,text:A film}]}]} {p,text:[{text,text:after}]}"
        ],
    );
}

#[test]
fn nothing_that_acts_or_hides_reaches_readers() {
    check(
        r#"<h1 onclick="evil()">A</h1><p style="display: none">hidden</p><p hidden>secret<p>seen</p>
<form action=x><input value=y><button>press</button><p>text</p></form><template><p>t</p></template>
<object data=o>object</object><svg><script>s</script><text>drawn</text></svg><img src=x onerror=evil()>
<img src="https://example.org/count.gif" width=1 height=1><noscript>no</noscript><textarea><p>area</textarea>"#,
        &expect![[r"
            A / 2¶
            title: A
            ? 1 html-dropped
            ? 1 html-dropped
            ? 2 html-dropped
            ? 3 html-dropped
            ? 3 html-dropped
            ? 3 picture-missing
            ? 4 html-dropped
            - hidden
            - secret
            - press
            - t
            - object
            - sdrawn
            - x
            - https://example.org/count.gif
            - no
            - <p>area
        "]],
    );
}

#[test]
fn a_title_that_is_not_the_title_of_the_whole_is_set_aside() {
    check(
        "<title>River Notes 7</title><title>The ferry</title><title></title><title>River Notes 7</title><h1>A</h1>\
         <pre>a <title>b</title> c</pre><p>d</p>",
        &expect![[r"
            A / 1¶ / code
            title: River Notes 7
            - The ferry
            - River Notes 7
            - b
        "]],
    );
}

#[test]
fn notes_stand_with_the_article_that_refers_to_them() {
    check(
        r##"<h1>A</h1><p>One<sup><a href="#fn1" id="r1">1</a></sup> and <a href="#top">here</a>.</p><h1>B</h1>
<p>Two<a class="fnanchor" href="#F2">[2]</a>.</p>
<section class="footnotes"><ol><li id="fn1"><p>The first. <a href="#r1">↩</a></p></li></ol></section>
<div class="footnote"><p><a id="F2"></a><a href="#FN2">[2]</a> The second.</p></div>
<div class="footnote" id="F3"><p>Nobody asked.</p></div>"##,
        &expect![[r"
            A / 1¶ / note The first. 
            B / 1¶ / note The second.
            ? 5 not-used
            - Nobody asked.
        "]],
    );
}

#[test]
fn a_note_inside_code_stands_behind_it() {
    let html = r##"<h1>A</h1><p>x <code><a href="#n1">1</a></code> <code>y<a href="#n2">2</a></code></p>
<aside epub:type="footnote" id="n1"><p>One.</p></aside><aside epub:type="footnote" id="n2"><p>Two.</p></aside>"##;
    let article = proof("page.html", html).issue.articles.remove(0);
    let Some(Block::Paragraph { text }) = article.body.first() else { panic!("{article:?}") };
    let notes = text.iter().filter(|run| matches!(run, Inline::Note { .. })).count();
    assert_eq!((notes, article.notes.len()), (2, 2), "{text:?}");
    assert!(!text.contains(&Inline::Code { text: String::new() }), "code without letters is no code");
}

#[test]
fn xhtml_closes_its_elements_as_xml_does() {
    let text = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!DOCTYPE html [\n<!ENTITY x \"y\">\n<!ENTITY z SYSTEM \"file:///etc/passwd\">\n]>\n<html xmlns=\"http://www.w3.org/1999/xhtml\"><head><title/><script src=\"x\"/></head><body><h1>A</h1><p/><p>b &z;<![CDATA[ c < d ]]></p></body></html>";
    expect![[r#"
        A / 1¶
        title: A
        - <?xml version="1.0" encoding="utf-8"?>
        <!DOCTYPE html [
        <!ENTITY x "y">
        <!ENTITY z SYSTEM "file:///etc/passwd">
        ]>
    "#]]
    .assert_eq(&outline(&proof("page.xhtml", text)));
}

#[test]
fn without_first_headings_the_next_level_has_the_headlines() {
    check(
        "<title>Notes</title><p>Hello.</p><h2>A<br>By ANN LEE</h2><p>a</p><h3>sub</h3><h2>B</h2><p>b</p>",
        &expect![[r"
            A / ANN LEE / 1¶ / h1 sub
            B / 1¶
            title: Notes
            summary: Hello.
            - By
        "]],
    );
    check(
        "<h2>Only</h2><p>a</p><h3>sub</h3><h3>sub</h3>",
        &expect![[r"
        Only / 1¶ / h1 sub / h1 sub
        title: Only
    "]],
    );
    check(
        "<title>Notes</title><p>No headings at all.</p>",
        &expect![[r"
        Notes / 1¶
        title: Notes
    "]],
    );
}

#[test]
fn strange_html_stops_nothing_and_reads_back() {
    let deep = 5_000;
    let mut texts: Vec<String> = [
        "<div>",
        "<b>",
        "<p>",
        "<blockquote>",
        "<ul><li>",
        "<table><tr><td>",
        "<a href='#x'>",
        "<h1>",
        "<h1>x",
        "</div>",
        "<!--",
        "<script>",
        "<",
        "&",
        "&#x110000;",
        "<svg>",
        "<p hidden>",
        "<table>",
        "<tr>",
        "<td>x",
        "<li>x",
        "<i><b>x</i>",
        "<div class=footnote>",
        "<![CDATA[",
        "<pre>",
        "<template>",
        "<font color=x>",
        "<a href='#x'>1</a>",
    ]
    .iter()
    .map(|piece| piece.repeat(deep))
    .collect();
    texts.push("<table><tr>".to_owned() + &"<td colspan=9999>x".repeat(1000));
    texts.push("a".repeat(200_000));
    texts.push((0..60_000).fold("<p".to_owned(), |text, n| text + &format!(" a{n}")));
    texts.push((0..60_000).fold("<p ".to_owned(), |text, n| text + &format!("a{n}=\"\"")));
    texts.extend(["<div>", "<b>", "<blockquote>"].map(|piece| piece.repeat(30_000)));
    for text in texts {
        for name in ["a.html", "a.xhtml"] {
            let proof = proof(name, &text);
            let json = serde_json::to_string(&proof.issue).expect("an issue");
            let again: crate::issue::Issue = serde_json::from_str(&json).expect("the same issue");
            assert_eq!(again, proof.issue);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_html_keeps_its_letters(
        pieces in prop::collection::vec(prop_oneof![
            "[ab桥河 .\n]{1,6}".prop_map(|text| text),
            "</?(h1|h2|p|div|b|i|a|ul|ol|li|table|tr|td|th|blockquote|pre|code|s|br|hr|span|section|title)>",
            Just("<a href='https://e.org/y'>".to_owned()),
            Just("<a href='#n'>".to_owned()),
            Just("<div class='footnote' id='n'>".to_owned()),
            Just("<script>x</script>".to_owned()),
            Just("<p hidden>".to_owned()),
            Just("<!-- k -->".to_owned()),
        ], 0..60),
    ) {
        let text = pieces.concat();
        if let Ok(manuscript) = open("a.html", text.as_bytes()) {
            let proof = read(&manuscript, &publication());
            let mut kept = kept(&proof);
            for c in proof.issue.summary.iter().chain(&proof.issue.title).flat_map(|text| text.chars()) {
                *kept.entry(c).or_default() += 1;
            }
            let mut plain = String::new();
            for piece in &pieces {
                if !piece.starts_with('<') { plain.push_str(piece); }
            }
            for (c, n) in count(&plain) {
                if "ab桥河".contains(c) {
                    prop_assert!(kept.get(&c).copied().unwrap_or(0) >= n, "{c} of {text:?} in {proof:?}");
                }
            }
        }
    }
}

/// A magazine of Project Gutenberg, where it is at hand: never part of the repository.
#[test]
fn a_magazine_of_project_gutenberg_gives_its_articles() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/periodicals/girls-own-paper-353/18195-h.htm");
    let Ok(bytes) = std::fs::read(file) else {
        eprintln!("SKIPPED: there are no shared periodicals beside the repository; no magazine was read");
        return;
    };
    let proof = read(&open("18195-h.htm", &bytes).expect("a text"), &publication());
    let headlines: Vec<&str> =
        proof.issue.articles.iter().map(|article| article.headline.text.as_str()).collect();
    let expected = [
        "MERLE'S CRUSADE.",
        "THE AMATEUR CHURCH ORGANIST.",
        "EVERY GIRL A BUSINESS WOMAN. A PRACTICAL GUIDE TO THE WORLD OF INDUSTRY AND THRIFT.",
        "VARIETIES.",
        "THE SHEPHERD'S FAIRY A PASTORALE.",
        "FASHIONABLE EMBROIDERY.",
        "ROMANCE. FOR VIOLIN AND PIANOFORTE. Professor Sir G.\u{a0}A. Macfarren.",
        "ANSWERS TO CORRESPONDENTS.",
        "AUTUMN.",
    ];
    assert_eq!(headlines, expected);
    assert_eq!(proof.issue.date.map(|date| date.to_string()).as_deref(), Some("1886-10-02"));
    assert_eq!((proof.issue.number.as_deref(), proof.issue.language.as_str()), (Some("353"), "en"));
    let all: String = proof.issue.articles.iter().map(|article| prose::plain_blocks(&article.body)).collect();
    assert!(!all.contains("Project Gutenberg") && !all.contains("<!--") && !all.contains("http://www.pgdp"));
}
