//! An editor takes an issue back, holds it, or has it wait for its time.

use std::path::Path;

use gazetted::{delivery::State, fault, issue::IssueKey, issue::Status, outbox::Outbox, press::Press};
use jiff::SignedDuration;

use crate::{
    listing::files,
    newsroom::{Newsroom, page, until},
    sink::Conduct,
};

/// Lists in which an issue that is out has a place.
const LISTS: [&str; 8] = [
    "index.html",
    "feed.xml",
    "feed/atom.xml",
    "feed/feed.json",
    "feed/articles.xml",
    "feed/books.xml",
    "opds/root.xml",
    "opds/root.json",
];

fn signed(title: &str, author: &str, section: &str) -> String {
    format!(
        "---\ntitle: {title}\nsection: {section}\ndate: 2026-03-04\n---\n\n# {title}\n\n*By {author}*\n\nThe words of {title}.\n"
    )
}

impl Newsroom {
    /// Gives an issue another status, as `gazetted issues` does.
    fn is_made(&self, key: &str, status: Status) {
        let press = Press { publication: self.publication(), ..self.press() };
        let done = press.set_status(&IssueKey::of(key), status, self.now()).unwrap();
        assert!(done.is_some(), "it had that status already");
    }

    fn finds(&self, path: &str) -> bool {
        Outbox::open(&self.path("outbox")).unwrap().fetch(path).unwrap().is_some()
    }
}

#[test]
fn a_withdrawn_issue_leaves_every_list_and_its_waiting_letters_are_cancelled() {
    let mut newsroom = Newsroom::closed("");
    newsroom.enters(&["li@example.org", "wang@example.org"]);
    newsroom.starts();
    newsroom.saves("keep.md", signed("The ferry", "Ann Lee", "Harbour")).is_out("keep", 1);
    newsroom.sink.letters_to("li@example.org", 1);
    newsroom.letters_settled();
    // The server takes no more mail, so that the letters of the second issue wait.
    for reader in ["li@example.org", "wang@example.org"] {
        newsroom.sink.treats(reader, Conduct::Answers("450 4.2.1 later"));
    }
    newsroom.saves("slip.md", signed("The slip", "Bo Quill", "Errors")).is_out("slip", 1);
    newsroom.letters_stand("slip", &[(State::Delayed, 2)]);
    let feed = newsroom.outbox_text("feed.xml");
    for list in LISTS {
        assert!(newsroom.outbox_text(list).contains("issues/slip/"), "{list}");
    }

    newsroom.is_made("slip", Status::Canceled);
    newsroom.letters_stand("slip", &[(State::Canceled, 2)]);
    for list in LISTS {
        let text = newsroom.outbox_text(list);
        assert!(!text.contains("slip") && text.contains("issues/keep/"), "{list}");
    }
    assert!(!newsroom.finds("sections/errors.html"), "the section had no other issue");
    for path in ["/issues/slip/index.html", "/issues/slip/a1.html"] {
        let (status, _, body) = newsroom.asks("GET", path, "");
        assert_eq!(status, 410, "{path}");
        assert!(String::from_utf8_lossy(&body).contains("This issue was withdrawn by its editors."));
    }
    assert_eq!(newsroom.asks("GET", "/issues/other/index.html", "").0, 404);
    newsroom.all_is_well();

    // Its file lies where it lay; a new text for it is refused in words until it is given back.
    newsroom.saves("slip.md", signed("The slip, again", "Bo Quill", "Errors"));
    let reason = newsroom.reason_beside("slip.md");
    assert!(reason.contains("`gazetted issues reinstate slip`"), "{reason}");

    newsroom.is_made("slip", Status::Usable);
    assert_eq!(
        newsroom.outbox_text("feed.xml"),
        feed,
        "the same entries with the same identifiers and dates"
    );
    assert_eq!(newsroom.asks("GET", "/issues/slip/index.html", "").0, 200);
    newsroom.letters_stand("slip", &[(State::Canceled, 2)]);
    newsroom.all_is_well();
}

#[test]
fn the_letters_of_an_issue_that_is_held_wait_until_it_is_released() {
    let mut newsroom = Newsroom::closed("");
    newsroom.enters(&["li@example.org"]);
    newsroom.starts();
    newsroom.sink.treats("li@example.org", Conduct::Answers("450 4.2.1 later"));
    newsroom.saves("a.md", page("First frost", "The bell is rung.")).is_out("a", 1);
    newsroom.letters_stand("a", &[(State::Delayed, 1)]);
    newsroom.is_made("a", Status::Withheld);
    newsroom.letters_stand("a", &[(State::Withheld, 1)]);
    assert_eq!(newsroom.asks("GET", "/issues/a/index.html", "").0, 404, "nothing was withdrawn");
    assert!(!newsroom.finds("latest.epub"));
    newsroom.sink.treats("li@example.org", Conduct::Takes);
    newsroom.after(SignedDuration::from_hours(6));
    newsroom.is_made("a", Status::Usable);
    newsroom.saves("b.md", page("Second", "Other words.")).is_out("b", 1);
    newsroom.sink.letters_to("li@example.org", 2);
    newsroom.letters_stand("a", &[(State::Delivered, 1)]);
    newsroom.all_is_well();
}

#[test]
fn an_issue_waits_for_its_time_and_comes_out_then() {
    let newsroom = Newsroom::with_subscribers(["li@example.org"]);
    let tomorrow = newsroom.now() + SignedDuration::from_hours(24);
    let text = format!(
        "---\ntitle: Tomorrow\npublish_at: {}\n---\n\n# Tomorrow\n\nThe bell will be rung.\n",
        tomorrow.strftime("%Y-%m-%d %H:%M")
    );
    newsroom.saves("early.md", &text);
    let note = newsroom.reason_beside("early.md");
    assert!(
        note.contains("keeps this as the issue `early` until") && note.contains("release early"),
        "{note}"
    );
    assert!(!newsroom.finds("issues/early/index.html"));
    newsroom.saves("now.md", page("Today", "The bell is rung.")).is_out("now", 1);
    assert!(!newsroom.outbox_text("feed.xml").contains("Tomorrow"));
    newsroom.sink.letters_to("li@example.org", 1);

    newsroom.after(SignedDuration::from_hours(25));
    newsroom.is_out("early", 1).no_reason_beside("early.md");
    let feed = newsroom.feed();
    assert!(feed.entries[0].id.ends_with("/early"), "it came out last");
    newsroom.sink.letters_to("li@example.org", 2);
    newsroom.all_is_well();
}

#[test]
fn a_time_that_cannot_be_read_is_asked_about() {
    let newsroom = Newsroom::opens();
    newsroom.saves("a.md", "---\ntitle: A\npublish_at: soon\n---\n\n# A\n\nThe bell is rung.\n");
    newsroom.is_out("a", 1);
    let proof = newsroom.path("inbox/a.md");
    let read = std::fs::read(&proof).unwrap();
    let text = gazetted::manuscript::open("a.md", &read).unwrap();
    let proof = gazetted::manuscript::read(&text, &newsroom.publication());
    assert!(
        proof.queries.iter().any(|query| query.text.contains("`soon` is not a time such as")),
        "{proof:?}"
    );
}

#[test]
fn the_command_line_withdraws_and_says_what_to_do_next() {
    let newsroom = Newsroom::closed("");
    std::fs::write(newsroom.path("inbox/a.md"), page("First frost", "The bell is rung.")).unwrap();
    let folder = newsroom.path("");
    let run = |arguments: &[&str]| gazetted_in(&folder, arguments);
    assert!(run(&["publish", "inbox/a.md"]).0);
    let (done, said) = run(&["issues", "withdraw", "a"]);
    assert!(done && said.contains("`gazetted issues reinstate a`"), "{said}");
    assert!(run(&["issues", "list"]).1.contains("withdrawn"));
    let (done, said) = run(&["issues", "withdraw", "a"]);
    assert!(done && said.contains("withdrawn already"), "{said}");
    let (done, said) = run(&["issues", "reinstate", "a"]);
    assert!(done && said.contains("is out, version 1"), "{said}");
    let (done, said) = run(&["issues", "hold", "b"]);
    assert!(!done && said.contains("there is no issue `b`"), "{said}");
}

fn gazetted_in(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let program = env!("CARGO_BIN_EXE_gazetted");
    crate::tools::output(std::process::Command::new(program).args(arguments).current_dir(folder))
}

#[test]
fn an_interrupted_withdrawal_is_finished_at_the_next_start() {
    let mut newsroom = Newsroom::opens();
    newsroom.saves("a.md", page("First frost", "The bell is rung.")).is_out("a", 1);
    newsroom.stops();
    // The plug is pulled after the ledger knows, and before a file is gone.
    let press = newsroom.press();
    press
        .ledger
        .set_status(&press.publication, &IssueKey::of("a"), Status::Canceled, newsroom.now())
        .unwrap();
    assert!(newsroom.finds("issues/a/index.html"));
    newsroom.starts();
    until("the files to be gone", || !newsroom.finds("issues/a/index.html"));
    newsroom.are_out(1);
    assert!(newsroom.feed().entries.is_empty());
    newsroom.all_is_well();
}

/// Withdraws an issue by a command that dies behind a step.
fn dies_withdrawing(folder: &Path, step: fault::Point) {
    let mut withdraw = std::process::Command::new(env!("CARGO_BIN_EXE_gazetted"));
    withdraw.args(["issues", "withdraw", "a"]).current_dir(folder).env(fault::DIE, step.name());
    let (done, said) = crate::tools::output(&mut withdraw);
    assert!(!done && said.is_empty(), "{said}");
}

#[test]
fn an_editor_whose_withdrawal_was_killed_asks_again_and_is_obeyed() {
    let newsroom = Newsroom::closed("");
    std::fs::write(newsroom.path("inbox/a.md"), page("First frost", "The bell is rung.")).unwrap();
    let folder = newsroom.path("");
    assert!(gazetted_in(&folder, &["publish", "inbox/a.md"]).0);
    dies_withdrawing(&folder, fault::Point::StatusSet);
    assert!(newsroom.finds("issues/a/index.html"), "its files are still there");
    let (done, said) = gazetted_in(&folder, &["issues", "withdraw", "a"]);
    assert!(done && said.contains("is withdrawn"), "{said}");
    assert!(!newsroom.finds("issues/a/index.html"));
    let (done, said) = gazetted_in(&folder, &["verify"]);
    assert!(done, "{said}");
}

#[test]
fn a_withdrawal_that_was_killed_beside_a_newsroom_at_work_is_finished_there() {
    let newsroom = Newsroom::opens();
    newsroom.saves("a.md", page("First frost", "The bell is rung.")).is_out("a", 1);
    dies_withdrawing(&newsroom.path(""), fault::Point::BatchWritten);
    until("the files to be gone", || !newsroom.finds("issues/a/index.html"));
    newsroom.are_out(1);
    newsroom.all_is_well();
    let left = files(&newsroom).into_keys().find(|path| path.to_string_lossy().contains(".tmp-"));
    assert_eq!(left, None, "nothing half-written is left");
}

#[test]
fn the_newest_book_stays_until_nothing_leads_to_it() {
    let newsroom = Newsroom::closed("");
    std::fs::write(newsroom.path("inbox/a.md"), page("First frost", "The bell is rung.")).unwrap();
    assert!(gazetted_in(&newsroom.path(""), &["publish", "inbox/a.md"]).0);
    assert!(newsroom.outbox_text("index.html").contains("latest.epub"));
    // The first file that goes, and the plug is pulled.
    dies_withdrawing(&newsroom.path(""), fault::Point::FileRemoved);
    let leads = newsroom.outbox_text("index.html").contains("latest.epub");
    assert!(!leads || newsroom.finds("latest.epub"), "the front page leads to a book that is gone");
}
