//! Letters reach their readers, once, whatever the mail server does.

use gazetted::delivery::State;
use jiff::SignedDuration;

use crate::{
    configuring::gazetted,
    newsroom::{Newsroom, page, until},
    sink::{Conduct, Sink},
};

#[test]
fn a_letter_carries_what_readers_and_their_servers_need() {
    let mut newsroom = Newsroom::closed("");
    newsroom.enters(&["li@example.org"]);
    newsroom.starts();
    newsroom.saves("qiushi.md", "---\ntitle: 求实\nlanguage: zh-Hans\n---\n\n# 把书架搬到渡口去\n\n清晨六点半，河安渡的第一班船还没有靠岸。\n");
    let letter = newsroom.sink.letters_to("li@example.org", 1).remove(0);
    let header = |name: &str| letter.header(name).unwrap_or_else(|| panic!("no {name} in\n{}", letter.text));
    assert_eq!(header("Message-ID"), "<tide.qiushi.1@example.org>");
    assert_eq!(header("From"), "\"The Tide Gazette\" <tide@example.org>");
    assert_eq!(header("Reply-To"), "editors@example.org");
    assert_eq!(header("To"), "li@example.org");
    assert_eq!(header("List-Id"), "\"The Tide Gazette\" <tide.example.org>");
    assert_eq!(header("Auto-Submitted"), "auto-generated");
    assert_eq!(header("Precedence"), "bulk");
    let leave = header("List-Unsubscribe");
    assert!(leave.starts_with(&format!("<{}leave/1-", newsroom.base_url())), "{leave}");
    assert!(header("Subject").contains("=?utf-8?b?"), "{}", header("Subject"));
    let place =
        |kind: &str| letter.text.find(kind).unwrap_or_else(|| panic!("no {kind} in\n{}", letter.text));
    assert!(place("text/plain") < place("text/html"), "the better form comes last");
    assert!(letter.text.is_ascii());
}

#[test]
fn a_mailbox_that_is_full_for_now_gets_its_letter_later() {
    let newsroom = Newsroom::with_subscribers(["li@example.org", "wang@example.org"]);
    newsroom.sink.treats("wang@example.org", Conduct::Answers("452 4.2.2 mailbox full"));
    newsroom.saves("a.md", page("One", "The first words."));
    newsroom.sink.letters_to("li@example.org", 1);
    newsroom.letters_stand("a", &[(State::Delayed, 1), (State::Delivered, 1)]);

    newsroom
        .after(SignedDuration::from_mins(29))
        .letters_stand("a", &[(State::Delayed, 1), (State::Delivered, 1)]);
    assert_eq!(newsroom.sink.offers_to("wang@example.org"), 1);
    newsroom.sink.treats("wang@example.org", Conduct::Takes);
    newsroom.after(SignedDuration::from_mins(2)).letters_stand("a", &[(State::Delivered, 2)]);
    newsroom.sink.letters_to("wang@example.org", 1);
    newsroom.sink.letters_to("li@example.org", 1);
}

#[test]
fn a_mailbox_that_is_full_for_five_days_fails() {
    let newsroom = Newsroom::with_subscribers(["wang@example.org"]);
    newsroom.sink.treats("wang@example.org", Conduct::Answers("452 4.2.2 mailbox full"));
    newsroom.saves("a.md", page("One", "The first words.")).letters_stand("a", &[(State::Delayed, 1)]);
    newsroom.after(SignedDuration::from_hours(5 * 24)).letters_stand("a", &[(State::Failed, 1)]);
    assert_eq!(newsroom.sink.offers_to("wang@example.org"), 2);
}

#[test]
fn a_mailbox_that_does_not_exist_is_not_tried_again() {
    let newsroom = Newsroom::with_subscribers(["nobody@example.org", "li@example.org"]);
    newsroom.sink.treats("nobody@example.org", Conduct::Answers("550 5.1.1 no such user"));
    newsroom.saves("a.md", page("One", "The first words."));
    newsroom.letters_stand("a", &[(State::Delivered, 1), (State::Failed, 1)]);
    newsroom
        .after(SignedDuration::from_hours(9))
        .letters_stand("a", &[(State::Delivered, 1), (State::Failed, 1)]);
    assert_eq!(newsroom.sink.offers_to("nobody@example.org"), 1);
}

#[test]
fn a_provider_that_finds_us_too_quick_is_not_taken_for_a_dead_mailbox() {
    let newsroom = Newsroom::with_subscribers(["li@example.org"]);
    newsroom.sink.treats("li@example.org", Conduct::Answers("550 Connection frequency limited"));
    newsroom.saves("a.md", page("One", "The first words.")).letters_stand("a", &[(State::Delayed, 1)]);
    newsroom.sink.treats("li@example.org", Conduct::Takes);
    newsroom.after(SignedDuration::from_mins(31)).letters_stand("a", &[(State::Delivered, 1)]);
}

#[test]
fn a_refused_recipient_does_not_cost_the_connection() {
    let addresses: Vec<String> = (0..40).map(|n| format!("r{n}@example.org")).collect();
    let mut newsroom = Newsroom::closed("connections = 1\n");
    newsroom.enters(&addresses.iter().map(String::as_str).collect::<Vec<_>>());
    for address in addresses.iter().step_by(4) {
        newsroom.sink.treats(address, Conduct::Answers("550 5.1.1 no such user"));
    }
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The first words."));
    newsroom.letters_stand("a", &[(State::Delivered, 30), (State::Failed, 10)]);
    assert_eq!(newsroom.sink.connections(), 1);
}

#[test]
fn a_server_that_drops_the_connection_in_mid_letter_gets_the_same_letter_again() {
    let newsroom = Newsroom::with_subscribers(["li@example.org", "wang@example.org"]);
    newsroom.sink.treats("li@example.org", Conduct::Drops);
    newsroom.saves("a.md", page("One", "The first words."));
    newsroom.letters_stand("a", &[(State::Delayed, 1), (State::Delivered, 1)]);
    newsroom.sink.treats("li@example.org", Conduct::Takes);
    newsroom.after(SignedDuration::from_mins(31)).letters_stand("a", &[(State::Delivered, 2)]);
    newsroom.sink.letters_to("li@example.org", 1);
}

#[test]
fn a_server_that_never_answers_holds_up_one_letter_only() {
    let mut newsroom = Newsroom::closed("connections = 2\npatience = \"200ms\"\n");
    newsroom.enters(&["li@example.org", "wang@example.org", "zhao@example.org"]);
    newsroom.sink.treats("li@example.org", Conduct::Hangs);
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The first words."));
    newsroom.letters_stand("a", &[(State::Delayed, 1), (State::Delivered, 2)]);
    newsroom.sink.treats("li@example.org", Conduct::Takes);
    newsroom.after(SignedDuration::from_mins(31)).letters_stand("a", &[(State::Delivered, 3)]);
    let letters = newsroom.sink.letters_to("li@example.org", 1);
    assert_eq!(letters[0].header("Message-ID").unwrap(), "<tide.a.1@example.org>");
}

#[test]
fn letters_wait_for_a_server_that_is_not_there_and_publishing_does_not() {
    let mut newsroom = Newsroom::closed("");
    let port = crate::tools::free_port();
    let settings = newsroom.path("config/gazetted.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace(&newsroom.sink.address.to_string(), &format!("127.0.0.1:{port}")))
        .unwrap();
    newsroom.enters(&["li@example.org"]);
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    newsroom.letters_stand("a", &[(State::Queued, 1)]);
    // At the next start the server is there.
    newsroom.stops();
    let sink = Sink::opens_at(([127, 0, 0, 1], port).into());
    newsroom.starts();
    newsroom.letters_stand("a", &[(State::Delivered, 1)]);
    sink.letters_to("li@example.org", 1);
}

#[test]
fn without_a_mail_server_letters_are_files() {
    let mut newsroom = Newsroom::closed("");
    let settings = newsroom.path("config/gazetted.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let text = text.lines().filter(|line| !line.starts_with("server")).collect::<Vec<_>>().join("\n");
    std::fs::write(&settings, text).unwrap();
    newsroom.enters(&["li@example.org"]);
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The first words.")).letters_stand("a", &[(State::Delivered, 1)]);
    let letter = std::fs::read_to_string(newsroom.path("data/mail/tide.a.1@example.org.eml")).unwrap();
    assert!(
        letter.starts_with("Return-Path: <tide@example.org>\r\nDelivered-To: li@example.org\r\n"),
        "{letter}"
    );
}

#[test]
fn who_joins_later_gets_the_next_issue_and_not_the_last() {
    let mut newsroom = Newsroom::with_subscribers(["li@example.org"]);
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    newsroom.sink.letters_to("li@example.org", 1);
    newsroom.enters(&["wang@example.org"]);
    newsroom.saves("b.md", page("Two", "The second words.")).is_out("b", 1);
    newsroom.sink.letters_to("li@example.org", 2);
    newsroom.sink.letters_to("wang@example.org", 1);
}

#[test]
fn an_archive_is_published_without_letters_where_the_operator_says_so() {
    let mut newsroom = Newsroom::closed("skip_older_than = \"720h\"\n");
    newsroom.enters(&["li@example.org"]);
    newsroom.starts();
    newsroom.saves("old.md", "---\ndate: 1999-05-01\n---\n\n# Old\n\nThe old words.\n").is_out("old", 1);
    newsroom.saves("new.md", page("New", "The new words.")).is_out("new", 1);
    newsroom.sink.letters_to("li@example.org", 1);
    until("no letter of the old issue", || {
        let lines = newsroom.ledger().issues(&newsroom.publication()).unwrap();
        lines.iter().any(|line| line.key.as_str() == "old" && line.letters.is_empty())
    });
}

#[test]
fn a_reader_with_a_kindle_gets_the_book_itself_and_a_few_words() {
    let mut newsroom = Newsroom::closed("");
    newsroom.enters(&["li@example.org"]);
    let wish = ["subscribers", "set", "li@example.org", "--form", "kindle", "--device", "li@kindle.com"];
    let (code, said) = gazetted(newsroom.folder.path(), &wish);
    assert_eq!(code, 0, "{said}");
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    let letter = newsroom.sink.letters_to("li@kindle.com", 1).remove(0);
    assert_eq!(letter.header("To").unwrap(), "li@kindle.com");
    assert_eq!(newsroom.sink.offers_to("li@example.org"), 0);
    let message = mail_parser::MessageParser::default().parse(letter.text.as_bytes()).unwrap();
    assert!(letter.plain().contains("The Tide Gazette"), "{}", letter.plain());
    assert_eq!(message.attachment_count(), 1);
    let book = message.attachment(0).unwrap();
    let published = std::fs::read(&newsroom.books()[0]).unwrap();
    assert_eq!(book.contents(), published, "the very book that is out");
    assert!(letter.text.contains("Content-Type: application/epub+zip; name=\""), "{}", letter.text);
    assert!(!letter.text.contains("text/html"));
}
