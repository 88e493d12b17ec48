//! A file saved in the inbox reaches every reader.

use gazetted::delivery::State;

use crate::{
    newsroom::{Newsroom, copies, page, until},
    tools,
};

#[test]
fn a_saved_page_becomes_an_entry_a_book_a_web_page_and_a_letter() {
    let newsroom = Newsroom::with_subscribers(["li@example.org", "wang@example.org"]);
    newsroom.saves("2026-11-14.md", page("First frost", "The ferry library rings its bell on Tuesdays."));
    newsroom.is_out("2026-11-14", 1);

    let feed = newsroom.feed();
    let [entry] = &feed.entries[..] else { panic!("{} entries", feed.entries.len()) };
    assert_eq!(entry.id, "tag:tide.example.org,2026:tide/2026-11-14");
    assert_eq!(entry.links[0].href, format!("{}issues/2026-11-14/index.html", newsroom.base_url()));
    assert!(entry.content.as_ref().unwrap().body.as_ref().unwrap().contains("rings its bell"));
    let book = &entry.media[0].content[0];
    assert_eq!(book.content_type.as_ref().unwrap().to_string(), "application/epub+zip");
    let path = book.url.as_ref().unwrap().as_str().strip_prefix(&newsroom.base_url()).unwrap().to_owned();
    assert_eq!(book.size, Some(newsroom.outbox_file(&path).len() as u64));
    assert_eq!(newsroom.outbox_file("latest.epub"), newsroom.outbox_file(&path));

    assert!(newsroom.outbox_text("issues/2026-11-14/index.html").contains("rings its bell"));
    assert!(newsroom.outbox_text("index.html").contains("First frost"));
    for address in ["li@example.org", "wang@example.org"] {
        let letter = &newsroom.sink.letters_to(address, 1)[0];
        assert!(letter.header("Subject").unwrap().contains("First frost"));
    }
    newsroom.all_is_well();
}

#[test]
fn issues_that_lie_in_the_inbox_at_the_start_are_published_like_any_other() {
    let mut newsroom = Newsroom::closed("");
    newsroom.saves("a.md", page("One", "The first words.")).saves("b.md", page("Two", "The second words."));
    newsroom.starts();
    newsroom.is_out("a", 1).is_out("b", 1).all_is_well();
}

#[test]
fn the_samples_and_the_real_pages_all_reach_every_subscriber() {
    let mut newsroom = Newsroom::closed("");
    newsroom.enters(&["li@example.org", "wang@example.org"]);
    newsroom.starts();
    let mut files = tools::real_pages();
    files.extend(tools::samples());
    copies(&files, &newsroom.path("inbox"));
    let n = files.len();
    let (ledger, publication) = (newsroom.ledger(), newsroom.publication());
    until(&format!("{n} issues"), || ledger.issues(&publication).unwrap().len() == n);
    newsroom.sink.letters_to("li@example.org", n);
    newsroom.sink.letters_to("wang@example.org", n);
    assert_eq!(newsroom.letters_settled(), [(State::Delivered, 2 * n as u64)]);
    newsroom.all_is_well();
}

#[test]
fn the_same_text_under_another_name_is_not_published_again() {
    let newsroom = Newsroom::with_subscribers(["li@example.org"]);
    let text = page("First frost", "The ferry library rings its bell.");
    newsroom.saves("a.md", &text).is_out("a", 1);
    newsroom.saves("copy of a.md", &text);
    newsroom.saves("b.md", page("Next", "Other words.")).is_out("b", 1);
    let known = || newsroom.ledger().arrivals().unwrap().len() == 3;
    until("the copy to be seen", known);
    assert_eq!(newsroom.ledger().issues(&newsroom.publication()).unwrap().len(), 2);
    let reason = newsroom.reason_beside("copy of a.md");
    assert!(reason.contains("readers have this very text as the issue `a`"), "{reason}");
    newsroom.sink.letters_to("li@example.org", 2);
}

#[test]
fn an_issue_stays_when_its_file_is_taken_out_of_the_inbox() {
    let newsroom = Newsroom::opens();
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1).removes("a.md");
    until("the file to be forgotten", || newsroom.ledger().arrivals().unwrap().is_empty());
    assert_eq!(newsroom.feed().entries.len(), 1);
    newsroom.saves("a.md", page("One", "The first words."));
    until("the file to be seen", || newsroom.ledger().arrivals().unwrap().len() == 1);
    newsroom.is_out("a", 1).all_is_well();
}

#[test]
fn an_issue_in_a_folder_made_a_moment_ago_is_seen_too() {
    let newsroom = Newsroom::opens();
    std::fs::create_dir_all(newsroom.path("inbox/2026/november")).unwrap();
    newsroom.saves("2026/november/frost.md", page("One", "The first words.")).is_out("frost", 1);
    let moved = newsroom.path("elsewhere");
    std::fs::create_dir(&moved).unwrap();
    std::fs::write(moved.join("snow.md"), page("Two", "The second words.")).unwrap();
    std::fs::rename(&moved, newsroom.path("inbox/moved")).unwrap();
    newsroom.is_out("snow", 1);
}

#[test]
fn an_inbox_that_is_replaced_by_another_folder_is_watched_on() {
    let newsroom = Newsroom::opens();
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    std::fs::rename(newsroom.path("inbox"), newsroom.path("old")).unwrap();
    std::fs::create_dir(newsroom.path("inbox")).unwrap();
    newsroom.saves("b.md", page("Two", "The second words.")).is_out("b", 1).is_out("a", 1);
}

#[test]
fn the_twenty_first_issue_pushes_the_first_out_of_the_feed_and_not_out_of_the_archive() {
    let mut newsroom = Newsroom::closed("");
    for n in 1..=21 {
        let text = format!(
            "---\ndate: 2026-03-{n:02}\n---\n\n# Number {n}\n\nWords of number {n}, and no others.\n"
        );
        newsroom.saves(&format!("n{n:02}.md"), text);
    }
    newsroom.starts();
    newsroom.is_out("n21", 1);
    assert_eq!(newsroom.feed().entries.len(), 20);
    assert!(!newsroom.outbox_text("feed.xml").contains("Words of number 1,"));
    assert!(newsroom.outbox_text("archive/2026.html").contains("issues/n01/"));
    newsroom.all_is_well();
}
