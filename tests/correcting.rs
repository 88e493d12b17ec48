//! An editor saves a file again.

use crate::newsroom::{Newsroom, page, until};

#[test]
fn a_correction_changes_the_entry_and_the_book_and_is_not_mailed_again() {
    let newsroom = Newsroom::with_subscribers(["li@example.org"]);
    newsroom.saves("a.md", page("First frost", "The bell is rung on Mondays.")).is_out("a", 1);
    newsroom.sink.letters_to("li@example.org", 1);
    let before = newsroom.feed().entries.remove(0);

    newsroom.saves("a.md", page("First frost", "The bell is rung on Tuesdays.")).is_out("a", 2);
    let after = newsroom.feed().entries.remove(0);
    assert_eq!(after.id, before.id);
    assert_eq!(after.published, before.published);
    assert_ne!(after.media[0].content[0].url, before.media[0].content[0].url);
    assert!(newsroom.outbox_text("feed.xml").contains("rung on Tuesdays"));
    assert!(!newsroom.outbox_text("feed.xml").contains("rung on Mondays"));

    // The book that readers' programs may still know by its old address answers as before.
    let old = before.media[0].content[0].url.as_ref().unwrap().as_str();
    newsroom.outbox_file(old.strip_prefix(&newsroom.base_url()).unwrap());
    newsroom.saves("b.md", page("Second", "Other words.")).is_out("b", 1);
    newsroom.sink.letters_to("li@example.org", 2);
    newsroom.all_is_well();
}

#[test]
fn an_issue_that_is_saved_back_as_it_was_is_a_correction_too() {
    let newsroom = Newsroom::opens();
    let first = page("First frost", "The bell is rung on Mondays.");
    newsroom.saves("a.md", &first).is_out("a", 1);
    newsroom.saves("a.md", page("First frost", "The bell is rung on Tuesdays.")).is_out("a", 2);
    newsroom.saves("a.md", &first).is_out("a", 3);
    assert!(newsroom.outbox_text("feed.xml").contains("rung on Mondays"));
}

#[test]
fn a_second_file_with_the_key_of_an_issue_is_refused_while_the_first_is_there() {
    let newsroom = Newsroom::opens();
    newsroom.saves("frost.md", page("First frost", "The bell is rung.")).is_out("frost", 1);
    newsroom.saves("frost.txt", "Another text\n\nAda Quill\n\nIt says something else, at some length.\n");
    let reason = newsroom.reason_beside("frost.txt");
    assert!(reason.contains("the issue `frost` comes from `frost.md`"), "{reason}");
    assert!(reason.contains("rename this file"), "{reason}");
    newsroom.is_out("frost", 1).all_is_well();
    // Once the first is gone, the second is its correction.
    newsroom.removes("frost.md").is_out("frost", 2).no_reason_beside("frost.txt").all_is_well();
}

#[test]
fn a_renamed_file_with_an_issue_key_of_its_own_goes_on_correcting_its_issue() {
    let newsroom = Newsroom::opens();
    let text = |words: &str| format!("---\nissue: frost\ntitle: Frost\n---\n\n# Frost\n\n{words}\n");
    newsroom.saves("a.md", text("The bell is rung on Mondays.")).is_out("frost", 1).removes("a.md");
    newsroom.saves("a corrected.md", text("The bell is rung on Tuesdays.")).is_out("frost", 2).all_is_well();
}

#[test]
fn an_issue_moves_to_another_year_of_the_archive_when_its_date_is_corrected() {
    let newsroom = Newsroom::opens();
    let dated = |date: &str| format!("---\ndate: {date}\n---\n\n# Frost\n\nThe bell is rung.\n");
    newsroom.saves("a.md", dated("2025-12-30")).is_out("a", 1);
    assert!(newsroom.outbox_text("archive/2025.html").contains("issues/a/"));
    newsroom.saves("a.md", dated("2026-01-02")).is_out("a", 2);
    assert!(newsroom.outbox_text("archive/2026.html").contains("issues/a/"));
    assert!(!newsroom.path("outbox/archive/2025.html").exists(), "an empty year has no page");
    newsroom.all_is_well();
}

#[test]
fn issues_printed_anew_are_the_same_files() {
    let newsroom = Newsroom::opens();
    newsroom.saves("a.md", page("One", "The first words.")).saves("b.md", page("Two", "The second words."));
    newsroom.is_out("a", 1).is_out("b", 1);
    let files = || {
        let mut files = Vec::new();
        let mut folders = vec![newsroom.path("outbox")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push((path.clone(), std::fs::read(path).unwrap()));
                }
            }
        }
        files.sort();
        files
    };
    let before = files();
    // The zip format counts in steps of two seconds: a book that carried the time would differ after one.
    let start = std::time::Instant::now();
    until("two seconds to pass", || start.elapsed().as_millis() > 2100);
    let ledger = newsroom.ledger();
    for key in ["a", "b"] {
        let key = gazetted::issue::IssueKey::of(key);
        let shelved = ledger.issue(&newsroom.publication(), &key).unwrap().unwrap();
        let printed = gazetted::editions::print(
            &shelved.release,
            &newsroom.publication(),
            &gazetted::editions::Plates::new(),
        )
        .unwrap();
        assert_eq!(printed.book.bytes, newsroom.outbox_file(&shelved.book.path));
    }
    assert_eq!(files(), before);
}
