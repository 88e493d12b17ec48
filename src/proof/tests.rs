//! A proof written and read back: the same issue, whatever the text; and what editors break is told by its line.

use std::collections::BTreeMap;

use proptest::{collection::vec, option, prelude::*};

use super::{Doubt, Proof, Query, Source, read, write};
use crate::{
    issue::Article, issue::Byline, issue::CreditLine, issue::Headline, issue::Issue, issue::IssueKey,
    issue::Role, picture::PictureName, prose::Block, prose::Href, prose::Inline, prose::Language,
};

const SOURCE: Source<'_> = Source { name: "0709.txt", hash: "00ff", text: "" };

/// Text that means something to Markdown, to YAML or to us, among text that does not.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{?"),
        Just("{? cut-tail #3: x}"),
        Just("{made up}"),
        Just("}"),
        Just("{"),
        Just("# "),
        Just("#"),
        Just("---"),
        Just("author: "),
        Just("source："),
        Just("*"),
        Just("**"),
        Just("_"),
        Just("__"),
        Just("~~"),
        Just("~"),
        Just("["),
        Just("]"),
        Just("](https://a)"),
        Just("[^1]"),
        Just("[^1]: "),
        Just("|"),
        Just("\\"),
        Just("\\|"),
        Just("<"),
        Just("<em>"),
        Just("</em>"),
        Just("<br>"),
        Just("<!---->"),
        Just("&"),
        Just("&#10;"),
        Just("&amp;"),
        Just("`"),
        Just("```"),
        Just("> "),
        Just("- "),
        Just("+ "),
        Just("1. "),
        Just("12)"),
        Just("Not used"),
        Just(" "),
        Just("  "),
        Just("\t"),
        Just("\u{3000}"),
        Just("\u{2028}"),
        Just("\u{0}"),
        Just("\u{feff}"),
        Just("\""),
        Just("'"),
        Just(": "),
        Just("!"),
        Just("!["),
        Just("caption: "),
        Just("(line 3)"),
        Just("中文"),
        Just("“绿色”，"),
        Just("word"),
        Just("a"),
        Just("7"),
    ];
    let pieces = vec(piece.prop_map(str::to_owned), 1..6).prop_map(|pieces| pieces.concat());
    prop_oneof![4 => pieces, 1 => "\\PC{1,12}", 1 => any::<String>().prop_map(|s| format!("{s}x"))]
}

/// One line of it: what is plain text in a body has no line breaks.
fn line() -> impl Strategy<Value = String> {
    text().prop_map(|text| text.replace(['\n', '\r'], " "))
}

fn runs() -> impl Strategy<Value = Vec<Inline>> {
    let href = prop_oneof![
        Just("https://example.org/a_(b)?c=*d*&e"),
        Just("mailto:li@example.org"),
        Just("http://例子.测试/#x")
    ];
    let leaf = prop_oneof![
        6 => line().prop_map(Inline::text),
        1 => line().prop_map(|text| Inline::Code { text }),
        1 => Just(Inline::Break),
        1 => line().prop_map(|alt| Inline::Picture { picture: PictureName::parse("goose-1.jpg").expect("a name"), alt }),
        1 => (1_usize..3).prop_map(|number| Inline::Note { number }),
    ];
    let run = leaf.prop_recursive(3, 12, 3, move |inner| {
        let inner = vec(inner, 1..4);
        prop_oneof![
            inner.clone().prop_map(|text| Inline::Emphasis { text }),
            inner.clone().prop_map(|text| Inline::Strong { text }),
            inner.clone().prop_map(|text| Inline::Struck { text }),
            (inner, href.clone())
                .prop_map(|(text, href)| Inline::Link { href: Href::parse(href).expect("an address"), text }),
        ]
    });
    vec(run, 1..5).prop_map(merged)
}

/// Runs as a reader makes them: no two texts side by side.
fn merged(runs: Vec<Inline>) -> Vec<Inline> {
    let mut out: Vec<Inline> = Vec::new();
    for run in runs {
        let run = match run {
            Inline::Text { text } => {
                if let Some(Inline::Text { text: last }) = out.last_mut() {
                    last.push_str(&text);
                    continue;
                }
                Inline::Text { text }
            }
            Inline::Emphasis { text } => Inline::Emphasis { text: merged(text) },
            Inline::Strong { text } => Inline::Strong { text: merged(text) },
            Inline::Struck { text } => Inline::Struck { text: merged(text) },
            Inline::Link { href, text } => Inline::Link { href, text: merged(text) },
            other => other,
        };
        out.push(run);
    }
    out
}

fn block() -> impl Strategy<Value = Block> {
    let code = vec(prop_oneof![2 => line(), 1 => Just(String::new())], 0..4).prop_map(|lines| {
        let text: String = lines.join("\n").chars().filter(|c| crate::typography::is_printable(*c)).collect();
        Block::Code { text: text.replace("\r\n", "\n") }
    });
    let table = (1_usize..4).prop_flat_map(|width| {
        let cell = prop_oneof![3 => runs(), 1 => Just(vec![])];
        (vec(cell.clone(), width), vec(vec(cell, width), 0..3))
            .prop_map(|(head, rows)| Block::Table { head, rows })
    });
    let leaf = prop_oneof![
        5 => runs().prop_map(|text| Block::Paragraph { text }),
        1 => (1_u8..=4, runs()).prop_map(|(level, text)| Block::Subhead { level, text }),
        1 => code,
        1 => table,
        1 => (line(), option::of(runs())).prop_map(|(alt, caption)| Block::Figure {
            picture: PictureName::parse("goose-2.png").expect("a name"),
            alt,
            caption: caption.unwrap_or_default(),
        }),
        1 => Just(Block::Rule),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let blocks = vec(inner, 0..3);
        let start = option::of(prop_oneof![0..12_u64, Just(u64::MAX)]);
        prop_oneof![
            blocks.clone().prop_map(|blocks| Block::Quote { blocks }),
            (start, vec(blocks, 1..3)).prop_map(|(start, items)| Block::List { start, items }),
        ]
    })
}

fn article() -> impl Strategy<Value = Article> {
    let role = prop_oneof![Just(Role::Author), Just(Role::Photographer), Just(Role::Translator)];
    let byline = (text(), role, option::of(text())).prop_map(|(name, role, affiliation)| Byline {
        name,
        role,
        affiliation,
    });
    let date = option::of((1900..2100_i16, 1..=12_i8, 1..=28_i8))
        .prop_map(|date| date.map(|(y, m, d)| jiff::civil::date(y, m, d)));
    let credit = (text(), date, option::of(text()), text())
        .prop_map(|(name, date, page, printed)| CreditLine { name, date, page, printed });
    let head = (text(), any::<bool>(), option::of(text()), option::of(text()), option::of(text()));
    let rest = (vec(byline, 0..3), option::of(credit), vec(text(), 0..2));
    let body = (vec(block(), 0..6), vec(vec(block(), 0..2), 2..4));
    (head, rest, body).prop_map(
        |((text, synthetic, kicker, dek, section), (bylines, credit, captions), body)| Article {
            key: String::new(),
            headline: Headline { text, synthetic },
            kicker,
            dek,
            bylines,
            credit,
            captions,
            body: body.0,
            notes: body.1,
            section,
        },
    )
}

fn proof() -> impl Strategy<Value = Proof> {
    let fields = (vec(option::of(text()), 6), vec(text(), 0..3), vec((text(), text()), 0..3));
    let query = (0_usize..Doubt::ALL.len(), option::of(1_usize..40), text())
        .prop_map(|(code, line, text)| Query { code: Doubt::ALL[code], line, text });
    (fields, vec(article(), 0..4), vec(query, 0..6), vec(text(), 0..4)).prop_map(
        |((mut fields, editors, contact), articles, queries, not_used)| {
            let mut next = || fields.pop().flatten();
            let issue = Issue {
                pictures: vec![],
                publish_at: Some(jiff::civil::date(2026, 12, 1).at(6, 0, 0, 0)),
                key: IssueKey::of("2025-07-09"),
                title: next(),
                number: next(),
                date: Some(jiff::civil::date(2025, 7, 9)),
                page: next(),
                section: next(),
                summary: next(),
                editors,
                publisher: next(),
                contact: contact.into_iter().collect::<BTreeMap<_, _>>(),
                language: Language::parse("zh-Hans").expect("a language tag"),
                articles,
            };
            Proof { issue, queries, not_used }
        },
    )
}

#[test]
fn carriage_returns_are_no_part_of_a_line() {
    let text = "---\nissue: a\nlanguage: en\nmanuscript: x\n---\n# A\n\n```\nb\r\r\r\nc\r\n```\n";
    let saved = read(text).expect("a proof");
    assert_eq!(saved.proof.issue.articles[0].body, [Block::Code { text: "b\nc".to_owned() }]);
    assert_eq!(read(&write(&saved.proof, &SOURCE)).expect("a proof").proof, saved.proof);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_a_proof_back_gives_the_same_issue(proof in proof(), at in 0_usize..40) {
        // The source has what the articles have, so that marks go to their places.
        let mut text = "\n".repeat(at);
        for article in &proof.issue.articles {
            text.push_str(&article.headline.text);
            text.push('\n');
            for block in &article.body {
                text.push_str(&block.plain());
                text.push('\n');
            }
        }
        let written = write(&proof, &Source { text: &text, ..SOURCE });
        let saved = read(&written).map_err(|problems| TestCaseError::fail(format!("{problems:?}\n{written}")))?;
        prop_assert_eq!(&saved.proof, &proof, "{}", written);
        prop_assert!(saved.untouched);
        let windows = written.replace('\n', "\r\n");
        prop_assert_eq!(read(&windows).expect("a proof").proof, proof);
    }

    #[test]
    fn whatever_an_editor_breaks_is_a_problem_and_no_panic(
        proof in proof(), cut in any::<prop::sample::Index>(), end in any::<prop::sample::Index>(), new in text(),
    ) {
        let written: Vec<char> = write(&proof, &SOURCE).chars().collect();
        let (from, to) = (cut.index(written.len()), end.index(written.len()));
        let (from, to) = (from.min(to), from.max(to));
        let broken: String = written[..from].iter().copied().chain(new.chars()).chain(written[to..].iter().copied()).collect();
        match read(&broken) {
            Ok(saved) => {
                let again = write(&saved.proof, &SOURCE);
                prop_assert_eq!(read(&again).expect("a proof").proof.issue, saved.proof.issue);
            }
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                let lines = broken.lines().count().max(1) + 1;
                prop_assert!(problems.iter().all(|problem| (1..=lines).contains(&problem.line)));
            }
        }
    }

    #[test]
    fn any_text_at_all_is_read_or_refused(text in "(---\n)?(\\PC|\n|[#>*`|\\[\\]-]){0,200}") {
        let _ = read(&text);
        let _ = read(&format!("---\nissue: a\nlanguage: en\nmanuscript: x\n---\n# A\n\n{text}"));
    }
}
