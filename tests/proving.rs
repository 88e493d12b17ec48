//! An editor looks a page over before readers get it.

use std::fs;

use gazetted::{manuscript, proof};

use crate::{
    configuring::gazetted,
    newsroom::{Newsroom, page, until},
};

/// A newsroom in which pages in doubt, or all pages, wait.
pub fn careful(policy: &str) -> Newsroom {
    let mut newsroom = Newsroom::closed("");
    let settings = newsroom.path("config/gazetted.toml");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(settings, text.replace("[inbox]", &format!("proofs = \"{policy}\"\n[inbox]"))).unwrap();
    newsroom.enters(&["li@example.org"]);
    newsroom.starts();
    newsroom
}

/// A page of which nobody can tell the headline, and whose picture is missing.
pub const DOUBTFUL: &str =
    "The bell is rung on Mondays, and the ferry waits for it.\n\n![The bell](bell.png)\n";

#[track_caller]
fn proof_beside(newsroom: &Newsroom, name: &str) -> String {
    let path = newsroom.path("inbox").join(name);
    until(&format!("the proof {name}"), || path.exists());
    fs::read_to_string(path).unwrap()
}

/// The proof without its marks, as an editor leaves it who has looked at all.
fn without_marks(proof: &str) -> String {
    let mut text = proof.replace(" {made up}", "");
    while let Some(start) = text.find("{? ").filter(|_| text.contains(" #")) {
        let Some(code) = text[start..].find('}') else { break };
        if text[start..start + code].contains("code #1: words") {
            text.replace_range(start..start + 2, "(");
            continue;
        }
        text.replace_range(start..=start + code, "");
    }
    text
}

#[test]
fn the_proof_of_a_real_page_reads_back_to_the_same_issue() {
    let settings = gazetted::config::Newsroom {
        root: ".".into(),
        settings: gazetted::config::Settings::default(),
        theme: gazetted::theme::Theme::default(),
        cover: None,
    };
    let publication = settings.publication("127.0.0.1:1".parse().unwrap());
    let ours = concat!(env!("CARGO_MANIFEST_DIR"), "/inbox");
    let shared = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/pages");
    let mut read = 0;
    for folder in [ours, shared] {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let Ok(text) = manuscript::open(&name, &fs::read(&path).unwrap_or_default()) else { continue };
            let proof = manuscript::read(&text, &publication);
            let written =
                proof::write(&proof, &proof::Source { name: &name, hash: "00ff", text: text.text() });
            let saved = proof::read(&written).unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
            assert_eq!(saved.proof.issue, proof.issue, "{name}");
            assert_eq!(saved.proof.queries, proof.queries, "{name}");
            assert_eq!(saved.proof.not_used, proof.not_used, "{name}");
            read += 1;
        }
    }
    assert!(read > 0, "no page was read");
}

#[test]
fn a_proof_stands_beside_its_source_on_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("frost.md"), page("First frost", "The bell is rung on Tuesdays.")).unwrap();
    let (code, shown) = gazetted(folder.path(), &["proof", "--diff", "frost.md"]);
    assert_eq!(code, 0, "{shown}");
    let line = shown.lines().find(|line| line.starts_with("The bell")).unwrap();
    assert_eq!(line.matches("The bell is rung on Tuesdays.").count(), 2, "{shown}");
    let (_, shown) = gazetted(folder.path(), &["proof", "frost.md"]);
    assert!(shown.contains("# First frost\nauthor: Ada Quill\n\nThe bell is rung on Tuesdays."), "{shown}");
}

#[test]
fn a_page_in_doubt_waits_and_readers_get_what_its_editor_made_of_it() {
    let newsroom = careful("flagged");
    newsroom.saves("clean.md", page("Clear", "These words are in no doubt.")).is_out("clean", 1);
    newsroom.saves("frost.md", DOUBTFUL);
    let proof = proof_beside(&newsroom, "frost.md.proof.md");
    assert!(proof.contains("{? no-headline #1: "), "{proof}");
    let reason = newsroom.reason_beside("frost.md");
    assert!(reason.contains("waits for you") && reason.contains("see frost.md.proof.md"), "{reason}");
    assert_eq!(newsroom.ledger().issues(&newsroom.publication()).unwrap().len(), 1);

    // Saved with marks left, it goes on waiting.
    newsroom.saves("frost.md.proof.md", proof.replace("on Mondays", "on Tuesdays"));
    until("the note to tell of the marks", || {
        newsroom.reason_beside("frost.md").contains("marks of doubt are in its proof")
    });
    let edited = without_marks(&proof).replace("on Mondays", "on Tuesdays");
    newsroom.saves("frost.md.proof.md", &edited).is_out("frost", 1).no_reason_beside("frost.md");
    let read = newsroom.outbox_text("issues/frost/index.html");
    assert!(read.contains("on Tuesdays") && !read.contains("on Mondays"), "{read}");
    newsroom.sink.letters_to("li@example.org", 2);
    assert_eq!(fs::read_to_string(newsroom.path("inbox/frost.md.proof.md")).unwrap(), edited);
    assert_eq!(fs::read_to_string(newsroom.path("inbox/frost.md")).unwrap(), DOUBTFUL);
    newsroom.all_is_well();
}

#[test]
fn an_edited_proof_survives_a_restart_and_a_changed_manuscript() {
    let mut newsroom = careful("flagged");
    newsroom.saves("frost.md", DOUBTFUL);
    let proof = proof_beside(&newsroom, "frost.md.proof.md");
    let edited = without_marks(&proof).replace("on Mondays", "on Tuesdays");
    newsroom.saves("frost.md.proof.md", &edited).is_out("frost", 1).no_reason_beside("frost.md");
    newsroom.stops();
    // Touched, but the same: the proof goes on winning.
    newsroom.saves("frost.md", DOUBTFUL);
    newsroom.starts();
    newsroom.saves("next.md", page("Next", "Other words.")).is_out("next", 1).is_out("frost", 1);
    assert!(newsroom.outbox_text("issues/frost/index.html").contains("on Tuesdays"));

    newsroom.saves("frost.md", DOUBTFUL.replace("ferry", "steamer"));
    let second = proof_beside(&newsroom, "frost.md.proof-2.md");
    assert!(second.contains("steamer") && second.contains("{? unseen #"), "{second}");
    let reason = newsroom.reason_beside("frost.md");
    assert!(reason.contains("has changed since frost.md.proof.md was edited"), "{reason}");
    assert!(reason.contains("What differs") && reason.contains("frost.md.proof-2.md"), "{reason}");
    assert_eq!(fs::read_to_string(newsroom.path("inbox/frost.md.proof.md")).unwrap(), edited);
    newsroom.is_out("frost", 1);

    newsroom.saves("frost.md.proof-2.md", without_marks(&second)).is_out("frost", 2);
    assert!(newsroom.outbox_text("issues/frost/index.html").contains("steamer"));
    newsroom.no_reason_beside("frost.md").all_is_well();
}

#[test]
fn a_proof_that_is_broken_says_on_which_lines() {
    let newsroom = careful("flagged");
    newsroom.saves("frost.md", DOUBTFUL);
    let proof = proof_beside(&newsroom, "frost.md.proof.md");
    newsroom.saves("frost.md.proof.md", without_marks(&proof).replace("date:", "date: soon #"));
    let reason = newsroom.reason_beside("frost.md.proof.md");
    assert!(reason.contains("the proof cannot be read:\n- line "), "{reason}");
    assert!(reason.contains("`soon` is not a date such as `2025-07-09`"), "{reason}");
    newsroom.saves("frost.md.proof.md", without_marks(&proof)).is_out("frost", 1);
    newsroom.no_reason_beside("frost.md.proof.md");
}

#[test]
fn where_all_pages_are_asked_about_a_clean_one_waits_too() {
    let newsroom = careful("always-ask");
    newsroom.saves("clean.md", page("Clear", "These words are in no doubt."));
    let proof = proof_beside(&newsroom, "clean.md.proof.md");
    assert!(proof.contains("{? unseen #1: "), "{proof}");
    newsroom
        .saves("clean.md.proof.md", without_marks(&proof))
        .is_out("clean", 1)
        .no_reason_beside("clean.md");
}

#[test]
fn the_proof_of_a_folder_shows_its_pictures_and_readers_get_them() {
    let newsroom = careful("always-ask");
    let picture = crate::picturing::picture(40, 30, image::ImageFormat::Png);
    let text = b"# The goose\n\nIt came by.\n\n![A goose](goose.png)\n*At noon*\n".to_vec();
    newsroom.saves_folder("2026-07-08", &[("index.md", text), ("goose.png", picture)]);
    let proof = proof_beside(&newsroom, "2026-07-08.proof.md");
    assert!(proof.contains("![A goose](goose-") && proof.contains("\ncaption: At noon\n"), "{proof}");
    let broken = without_marks(&proof).replace("](goose-", "](gander-");
    newsroom.saves("2026-07-08.proof.md", broken);
    let reason = newsroom.reason_beside("2026-07-08.proof.md");
    assert!(
        reason.contains("the picture `gander-") && reason.contains("is not with the manuscript"),
        "{reason}"
    );
    let edited = without_marks(&proof).replace("At noon", "At dusk");
    newsroom.saves("2026-07-08.proof.md", edited).is_out("2026-07-08", 1).no_reason_beside("2026-07-08");
    let page = newsroom.outbox_text("issues/2026-07-08/index.html");
    assert!(page.contains("<img src=\"goose-") && page.contains("At dusk"), "{page}");
    newsroom.all_is_well();
}

#[test]
fn a_page_that_waits_can_be_accepted_as_it_is() {
    let newsroom = careful("flagged");
    newsroom.saves("frost.md", DOUBTFUL);
    proof_beside(&newsroom, "frost.md.proof.md");
    let (code, said) = gazetted(newsroom.folder.path(), &["publish", "inbox/frost.md"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("waits for its editor") && said.contains("`--accept`"), "{said}");
    let (code, said) = gazetted(newsroom.folder.path(), &["publish", "--accept", "inbox/frost.md"]);
    assert_eq!(code, 0, "{said}");
    newsroom.is_out("frost", 1).no_reason_beside("frost.md");
    assert!(newsroom.outbox_text("issues/frost/index.html").contains("on Mondays"));
    until("the proof nobody needs to go", || !newsroom.path("inbox/frost.md.proof.md").exists());
}

#[test]
fn an_editors_proof_whose_marks_are_left_can_be_accepted_too() {
    let newsroom = careful("flagged");
    newsroom.saves("frost.md", DOUBTFUL);
    let proof = proof_beside(&newsroom, "frost.md.proof.md").replace("on Mondays", "on Tuesdays");
    newsroom.saves("frost.md.proof.md", proof);
    let (code, said) = gazetted(newsroom.folder.path(), &["publish", "--accept", "inbox/frost.md.proof.md"]);
    assert_eq!(code, 0, "{said}");
    newsroom.is_out("frost", 1).no_reason_beside("frost.md");
    assert!(newsroom.outbox_text("issues/frost/index.html").contains("on Tuesdays"));
}

/// The same short article in every form that is packed.
fn packed_forms() -> Vec<(&'static str, Vec<u8>)> {
    let zip = |files: &[(&'static str, &str)]| {
        let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_bytes().to_vec())).collect();
        crate::picturing::packed(&files)
    };
    let heading = "<w:p><w:pPr><w:pStyle w:val=\"Heading1\"/></w:pPr><w:r><w:t>The goose</w:t></w:r></w:p>";
    let document = format!(
        "<w:document xmlns:w=\"w\"><w:body>{heading}<w:p><w:r><w:t>It came by at noon.</w:t></w:r></w:p></w:body></w:document>"
    );
    let package = "<package><manifest><item id=\"a\" href=\"a.xhtml\" media-type=\"application/xhtml+xml\"/></manifest>\
                   <spine><itemref idref=\"a\"/></spine></package>";
    let html = "<html><body><h1>The goose</h1><p>It came by at noon.</p></body></html>";
    let letter = format!("Subject: The goose\nMIME-Version: 1.0\nContent-Type: text/html\n\n{html}\n");
    vec![
        ("zipped.zip", zip(&[("index.md", "# The goose\n\nIt came by at noon.\n")])),
        ("typed.docx", zip(&[("word/document.xml", &document)])),
        (
            "bound.epub",
            zip(&[
                ("META-INF/container.xml", "<container><rootfile full-path=\"book.opf\"/></container>"),
                ("book.opf", package),
                ("a.xhtml", html),
            ]),
        ),
        ("mailed.eml", letter.into_bytes()),
        ("marked.html", html.as_bytes().to_vec()),
    ]
}

#[test]
fn an_issue_of_any_form_waits_and_goes_out_as_its_editor_left_it() {
    let newsroom = careful("always-ask");
    for (name, bytes) in packed_forms() {
        newsroom.saves(name, bytes);
        let proof = proof_beside(&newsroom, &format!("{name}.proof.md"));
        assert!(proof.contains("# The goose") && proof.contains("It came by at noon."), "{name}: {proof}");
        let edited = without_marks(&proof).replace("at noon", "at dusk");
        let key = name.split('.').next().unwrap();
        newsroom.saves(&format!("{name}.proof.md"), edited).is_out(key, 1).no_reason_beside(name);
        let page = newsroom.outbox_text(&format!("issues/{key}/index.html"));
        assert!(page.contains("It came by at dusk."), "{name}: {page}");
    }
    newsroom.all_is_well();
}
