//! A publisher's own look and words: what a theme changes, and what one that is wrong does not spoil.

use std::{
    fs,
    process::{Command, Stdio},
};

use expect_test::expect;

use crate::{
    configuring::gazetted,
    newsroom::{Newsroom, page, until},
    tools::Beside,
};

/// A newsroom that is not at work yet, with a theme of these files.
fn themed(files: &[(&str, &str)]) -> Newsroom {
    let newsroom = Newsroom::closed("");
    let settings = newsroom.path("config/gazetted.toml");
    let text = fs::read_to_string(&settings).unwrap();
    let text = text.replace("[inbox]", "theme = \"config/theme\"\n[inbox]");
    fs::write(settings, text).unwrap();
    saves_theme(&newsroom, files);
    newsroom
}

fn saves_theme(newsroom: &Newsroom, files: &[(&str, &str)]) {
    let _ = fs::remove_dir_all(newsroom.path("config/theme"));
    fs::create_dir_all(newsroom.path("config/theme")).unwrap();
    for (name, text) in files {
        let path = newsroom.path("config/theme").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

#[test]
fn a_publisher_changes_one_page_and_readers_see_that_and_nothing_else_change() {
    let ours = Newsroom::opens();
    ours.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    let piece = "<h{{ level }} id=\"{{ piece.anchor }}-h\">~ {{ piece.headline }} ~</h{{ level }}>\n{{ text.body|safe }}";
    let mut theirs = themed(&[
        ("site/piece.html", piece),
        ("words/en.toml", "whole_issue = \"All of it\"\n"),
        (".DS_Store", "x"),
    ]);
    theirs.starts();
    theirs.saves("a.md", page("One", "The first words.")).is_out("a", 1).all_is_well();
    let article = theirs.outbox_text("issues/a/a1.html");
    assert!(article.contains("<h1 id=\"a1-h\">~ One ~</h1>\n<p>The first words.</p>"), "{article}");
    assert!(article.contains(">All of it</a>"), "{article}");
    // Books carry the newsroom's address, and their names their hash.
    let apart = |newsroom: &Newsroom, path: &str| {
        let page = newsroom.outbox_text(path).replace(&newsroom.base_url(), "");
        page.split_once("class=\"get\"").map_or(page.clone(), |(before, _)| before.to_owned())
    };
    assert_eq!(apart(&theirs, "index.html"), apart(&ours, "index.html"));
    assert_eq!(apart(&theirs, "feeds.html"), apart(&ours, "feeds.html"));
}

#[test]
fn a_theme_that_is_wrong_is_refused_with_file_and_line_before_anything_is_done() {
    let newsroom = themed(&[
        ("site/index.html", "<p>\n{% for x in %}"),
        ("site/isue.html", ""),
        ("words/en.toml", "contnts = \"Inside\""),
    ]);
    let (code, said) = gazetted(newsroom.folder.path(), &["config"]);
    assert_eq!(code, 2);
    expect![[r"
        error: 3 things are wrong in the theme `config/theme`
          `config/theme/site/index.html`, line 2: syntax error: unexpected end of block
          `config/theme/site/isue.html`: there is no such file in a theme; did you mean `site/issue.html`?
          `config/theme/words/en.toml`, line 1: there is no `contnts` among the words; did you mean `contents`?
        help: nothing was changed; take the file out of the theme to have ours in its place
    "]].assert_eq(&said);
    saves_theme(
        &newsroom,
        &[(
            "site/archive.html",
            "{% extends \"site/page.html\" %}\n{% block main %}\n{{ page.titel }}\n{% endblock %}",
        )],
    );
    let (code, said) = gazetted(newsroom.folder.path(), &["run"]);
    assert_eq!(code, 2);
    expect![[r"
        error: one thing is wrong in the theme `config/theme`
          `config/theme/site/archive.html`, line 3: undefined value in `{{ page.titel }}`
        help: nothing was changed; take the file out of the theme to have ours in its place
    "]]
    .assert_eq(&said);
    saves_theme(&newsroom, &[("letter/letter.html", "<p>{{ letter.subject }}</p>")]);
    let (_, said) = gazetted(newsroom.folder.path(), &["config"]);
    assert!(said.contains("letter/letter.html`: a letter needs `{{ letter.leave|safe }}`"), "{said}");
    saves_theme(&newsroom, &[("feed/feeds.opml", "<opml version=\"2.0\">\n<body>{{ title }}</opml>\n")]);
    let (code, said) = gazetted(newsroom.folder.path(), &["config"]);
    assert_eq!(code, 2);
    expect![[r"
        error: one thing is wrong in the theme `config/theme`
          `config/theme/feed/feeds.opml`: what it makes is not XML: `</opml>` where `</body>` belongs, in line 2 of that, `<body>The Tide Gazette</opml>`
        help: nothing was changed; take the file out of the theme to have ours in its place
    "]]
    .assert_eq(&said);
    fs::remove_dir_all(newsroom.path("config/theme")).unwrap();
    let (code, said) = gazetted(newsroom.folder.path(), &["config"]);
    assert_eq!(code, 2);
    assert!(said.contains("/config/theme`, which `publication.theme` names"), "{said}");
}

#[test]
fn an_issue_that_a_theme_cannot_print_waits_with_the_reason_and_the_old_pages_stay() {
    let template = gazetted(&std::env::temp_dir(), &["theme", "site/issue.html"]).1;
    let trap = template.replace("<h1>", "{% if issue.title == \"Trap\" %}{{ issue.nothing }}{% endif %}<h1>");
    let mut newsroom = themed(&[("site/issue.html", &trap)]);
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    let front = newsroom.outbox_text("index.html");
    newsroom.saves("b.md", page("Trap", "Other words."));
    let reason = newsroom.reason_beside("b.md");
    assert!(reason.contains("`config/theme/site/issue.html`, line 21"), "{reason}");
    assert!(
        reason.contains("undefined value in `{% if issue.title == \"Trap\" %}{{ issue.nothing }}"),
        "{reason}"
    );
    assert!(!newsroom.path("outbox/issues/b").exists(), "half an issue is out");
    assert_eq!(newsroom.outbox_text("index.html"), front);
    // Mended, it comes out by itself after the next start.
    newsroom.stops();
    saves_theme(&newsroom, &[]);
    newsroom.starts();
    newsroom.is_out("b", 1).no_reason_beside("b.md").all_is_well();
}

#[test]
fn a_publisher_gets_our_files_to_begin_with() {
    let (code, listed) = gazetted(&std::env::temp_dir(), &["theme"]);
    assert_eq!(code, 0);
    assert!(listed.contains("site/issue.html\n") && listed.contains("words/zh-Hant.toml\n"), "{listed}");
    let mut newsroom = themed(&[]);
    for name in listed.lines() {
        let text = gazetted(&std::env::temp_dir(), &["theme", name]).1;
        let path = newsroom.path("config/theme").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1).all_is_well();
    let (code, said) = gazetted(&std::env::temp_dir(), &["theme", "site/isue.html"]);
    assert_eq!(code, 2);
    assert!(said.contains("did you mean `site/issue.html`?"), "{said}");
}

#[test]
fn issues_lead_to_the_ones_before_and_after_them_whatever_comes_later() {
    let newsroom = Newsroom::opens();
    let dated = |date: &str, title: &str| {
        format!("---\ndate: {date}\ntitle: {title}\n---\n\n# {title}\n\nThe words of {title}.\n")
    };
    let beside = |key: &str| {
        let page = newsroom.outbox_text(&format!("issues/{key}/index.html"));
        let link = |rel: &str| {
            let (_, rest) = page.split_once(&format!("<a rel=\"{rel}\" href=\"../../issues/"))?;
            Some(rest.split('/').next()?.to_owned())
        };
        format!("{} < {key} < {}", link("prev").unwrap_or_default(), link("next").unwrap_or_default())
    };
    newsroom.saves("a.md", dated("2025-11-01", "Alder")).is_out("a", 1);
    newsroom.saves("c.md", dated("2026-01-03", "Cedar")).is_out("c", 1);
    assert_eq!([beside("a"), beside("c")], [" < a < c", "a < c < "]);
    newsroom.saves("b.md", dated("2025-12-02", "Birch")).is_out("b", 1);
    assert_eq!([beside("a"), beside("b"), beside("c")], [" < a < b", "a < b < c", "b < c < "]);
    // An issue whose date is corrected moves, and those that it stood between lead to each other.
    newsroom.saves("b.md", dated("2026-02-02", "Birch")).is_out("b", 2);
    assert_eq!([beside("a"), beside("c"), beside("b")], [" < a < c", "a < c < b", "c < b < "]);
    newsroom.saves("a.md", dated("2025-11-01", "Aspen")).is_out("a", 2);
    assert!(newsroom.outbox_text("issues/c/index.html").contains(">Aspen"), "the old name of the one before");
    newsroom.all_is_well();
}

#[test]
fn a_letter_that_a_theme_cannot_print_goes_out_in_our_form_and_the_operator_reads_why() {
    let template = gazetted(&std::env::temp_dir(), &["theme", "letter/letter.html"]).1;
    let trap = format!(
        "{{% if \"Trap\" in letter.subject %}}\n{{{{ letter.nothing.at_all }}}}{{% endif %}}{template}<!-- theirs -->"
    );
    let mut newsroom = themed(&[("letter/letter.html", &trap)]);
    newsroom.enters(&["li@example.org"]);
    let log = fs::File::create(newsroom.path("log")).unwrap();
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    daemon.arg("run").current_dir(newsroom.folder.path()).stdout(Stdio::null()).stderr(log);
    let _daemon = Beside(daemon.spawn().unwrap());
    newsroom.saves("a.md", page("One", "The first words."));
    until("the first letter", || newsroom.sink.letters() == 1);
    let letters = newsroom.sink.letters_to("li@example.org", 1);
    assert!(html(&letters[0].text).contains("<!-- theirs -->"), "{}", letters[0].text);
    newsroom.saves("b.md", page("Trap", "Other words."));
    until("the second letter", || newsroom.sink.letters() == 2);
    let letters = newsroom.sink.letters_to("li@example.org", 2);
    let ours = html(&letters[1].text);
    assert!(ours.contains("Other words.") && !ours.contains("<!-- theirs -->"), "{ours}");
    let told = "the letter's template does not fit what came out; ours is used instead";
    until("the operator to be told", || fs::read_to_string(newsroom.path("log")).unwrap().contains(told));
    let log = fs::read_to_string(newsroom.path("log")).unwrap();
    assert!(log.contains("`config/theme/letter/letter.html`, line 2: "), "{log}");
}

/// The HTML of a letter.
fn html(letter: &str) -> String {
    let message = mail_parser::MessageParser::default().parse(letter.as_bytes()).unwrap();
    message.body_html(0).unwrap().into_owned()
}
