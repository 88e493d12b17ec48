//! An editor minds the letters and the subscribers at the desk.

use gazetted::{delivery::State, subscriber::Address, subscriber::Standing};
use jiff::SignedDuration;

use crate::{
    editing::Browser,
    newsroom::{Newsroom, page},
    sink::Conduct,
};

#[test]
fn an_editor_sees_why_a_letter_failed_and_has_it_offered_again() {
    let newsroom = Newsroom::with_subscribers(["li@example.org", "wang@example.org", "zhao@example.org"]);
    newsroom.sink.treats(
        "wang@example.org",
        Conduct::Answers("550 5.7.1 <wang@example.org> is under repair 20261126A"),
    );
    newsroom.saves("a.md", page("One", "The first words."));
    newsroom.letters_stand("a", &[(State::Delivered, 2), (State::Failed, 1)]);

    let mut browser = Browser::logged_in(&newsroom);
    let letters = browser.asks("/letters");
    assert!(
        letters.text.contains("2</span> delivered") && letters.text.contains("1</span> failed"),
        "{}",
        letters.text
    );
    let link = letters.text.split("href=\"/letters/").nth(1).expect("a digest").split('"').next().unwrap();
    let digest = format!("/letters/{link}");
    let shown = browser.asks(&digest);
    // The reason without what differs from reader to reader; and below it the reader, with all that was said.
    assert!(shown.text.contains("after RCPT TO: 550 5.7.1 …@… is under repair …<"), "{}", shown.text);
    assert!(shown.text.contains("wang@example.org&gt; is under repair 20261126A"), "{}", shown.text);
    assert!(!shown.text.contains("li@example.org") && shown.text.contains("<svg"), "{}", shown.text);

    newsroom.sink.treats("wang@example.org", Conduct::Takes);
    let answer = browser.fills_in(&digest, &format!("{digest}/retry-failed"), &[]);
    assert_eq!((answer.status, answer.header("location")), (303, digest.clone()));
    newsroom.letters_stand("a", &[(State::Delivered, 3)]);
    newsroom.sink.letters_to("wang@example.org", 1);
    newsroom.sink.letters_to("li@example.org", 1);
}

#[test]
fn an_editor_stops_the_letters_of_a_digest_and_lets_them_go() {
    let newsroom = Newsroom::with_subscribers(["li@example.org"]);
    newsroom.sink.treats("li@example.org", Conduct::Answers("452 4.2.2 mailbox full"));
    newsroom.saves("a.md", page("One", "The first words.")).letters_stand("a", &[(State::Delayed, 1)]);
    let mut browser = Browser::logged_in(&newsroom);
    assert_eq!(browser.fills_in("/letters/1", "/letters/1/pause", &[]).status, 303);
    assert!(browser.asks("/letters/1").text.contains("stopped"));
    newsroom.sink.treats("li@example.org", Conduct::Takes);
    newsroom.after(SignedDuration::from_hours(2)).letters_stand("a", &[(State::Withheld, 1)]);
    assert_eq!(newsroom.sink.offers_to("li@example.org"), 1);
    assert_eq!(browser.fills_in("/letters/1", "/letters/1/resume", &[]).status, 303);
    newsroom.letters_stand("a", &[(State::Delivered, 1)]);
    newsroom.sink.letters_to("li@example.org", 1);
}

#[test]
fn an_editor_finds_a_reader_with_every_letter_and_ends_them() {
    let newsroom = Newsroom::with_subscribers(["li@example.org", "wang@example.org"]);
    newsroom.saves("a.md", page("One <b>&", "The first words.")).letters_stand("a", &[(State::Delivered, 2)]);
    let mut browser = Browser::logged_in(&newsroom);
    let all = browser.asks("/subscribers");
    assert!(
        all.text.contains("2</span> confirmed") && all.text.contains("2 readers get letters"),
        "{}",
        all.text
    );
    let found = browser.asks("/subscribers?find=LI%40");
    assert!(
        found.text.contains("li@example.org") && !found.text.contains("wang@example.org"),
        "{}",
        found.text
    );
    let li = newsroom.ledger().subscriber(&Address::parse("li@example.org").unwrap()).unwrap().unwrap();
    let path = format!("/subscribers/{}", li.id.0);
    let shown = browser.asks(&path);
    assert!(
        shown.text.contains(">delivered<") && shown.text.contains("One &lt;b&gt;&amp;"),
        "{}",
        shown.text
    );
    assert!(!shown.text.contains("<b>&"), "{}", shown.text);

    assert_eq!(browser.fills_in(&path, &format!("{path}/leave"), &[]).status, 303);
    newsroom.saves("b.md", page("Two", "The second words.")).letters_stand("b", &[(State::Delivered, 1)]);
    newsroom.sink.letters_to("li@example.org", 1);

    // Erasing must have been meant: without its field nothing is done.
    assert_eq!(browser.fills_in(&path, &format!("{path}/forget"), &[]).status, 303);
    assert!(newsroom.ledger().subscriber_of(li.id).unwrap().is_some());
    assert_eq!(browser.fills_in(&path, &format!("{path}/forget"), &[("sure", "yes")]).status, 303);
    assert_eq!(newsroom.ledger().subscriber_of(li.id).unwrap(), None);
    assert_eq!(browser.asks(&path).status, 404);
}

#[test]
fn somebody_whom_an_editor_adds_is_asked_first_unless_the_editor_vouches() {
    let newsroom = Newsroom::opens();
    let mut browser = Browser::logged_in(&newsroom);
    let standing = |address: &str| {
        newsroom.ledger().subscriber(&Address::parse(address).unwrap()).unwrap().map(|one| one.standing)
    };
    let shown = browser.fills_in("/subscribers", "/subscribers", &[("address", "li@example.org")]);
    assert!(shown.text.contains("li@example.org gets a letter that asks"), "{}", shown.text);
    assert_eq!(standing("li@example.org"), Some(Standing::Pending));
    assert!(newsroom.sink.letters_to("li@example.org", 1)[0].text.contains("/confirm/"));

    let vouched = [("address", "wang@example.org"), ("vouched", "on")];
    let shown = browser.fills_in("/subscribers", "/subscribers", &vouched);
    assert!(shown.text.contains("wang@example.org was added"), "{}", shown.text);
    assert_eq!(standing("wang@example.org"), Some(Standing::Confirmed));

    let shown = browser.fills_in("/subscribers", "/subscribers", &[("address", "<script>@")]);
    assert!(shown.text.contains("was not added") && !shown.text.contains("<script>@"), "{}", shown.text);
    // Without the page's own token nothing is done.
    let forged = browser.posts("/subscribers", "address=zhao%40example.org&vouched=on&token=x");
    assert_eq!((forged.status, standing("zhao@example.org")), (403, None));
}

#[test]
fn an_editor_sees_that_all_is_well_or_what_is_not() {
    let newsroom = Newsroom::with_subscribers(["li@example.org"]);
    newsroom.saves("a.md", page("One", "The first words.")).letters_stand("a", &[(State::Delivered, 1)]);
    let mut browser = Browser::logged_in(&newsroom);
    let shown = browser.asks("/health");
    assert!(shown.text.contains("All is well") && shown.text.contains("iB</dd>"), "{}", shown.text);
    newsroom.after(SignedDuration::from_hours(1));
    std::fs::rename(newsroom.path("outbox"), newsroom.path("elsewhere")).unwrap();
    let shown = browser.asks("/health");
    assert!(
        shown.text.contains("the outbox cannot be written") && !shown.text.contains("All is well"),
        "{}",
        shown.text
    );
    std::fs::rename(newsroom.path("elsewhere"), newsroom.path("outbox")).unwrap();
}

#[test]
fn an_editor_takes_a_list_in_and_reads_which_rows_were_not_taken_and_gives_one_out() {
    let newsroom = Newsroom::with_subscribers(["li@example.org"]);
    let ledger = newsroom.ledger();
    let li = ledger.subscriber(&Address::parse("li@example.org").unwrap()).unwrap().unwrap();
    ledger.leave(li.id, newsroom.now()).unwrap();
    let mut browser = Browser::logged_in(&newsroom);
    let token = browser.asks("/subscribers/import").token();
    let table = "邮箱,频率\nwang@example.org,weekly\nli@example.org,each\n<b>nobody,each\n";
    let taken = browser.drops("/subscribers/import", &token, false, &[("名单.csv", table.as_bytes())]);
    assert_eq!(
        (taken.status, taken.header("location").as_str()),
        (303, "/subscribers/import"),
        "{}",
        taken.text
    );
    let shown = browser.sees("/subscribers/import", "Rows that were not taken");
    for told in [
        "3 rows, UTF-8",
        "1</span> new",
        "1</span> kept away",
        "1</span> could not be read",
        "had left",
        "&lt;b&gt;nobody",
    ] {
        assert!(shown.text.contains(told), "{told} in {}", shown.text);
    }
    let report = browser.asks("/subscribers/import/report.csv");
    assert!(report.text.contains("3,li@example.org,\"had left"), "{}", report.text);
    let wang = ledger.subscriber(&Address::parse("wang@example.org").unwrap()).unwrap().unwrap();
    assert_eq!((wang.standing, wang.consent.from.as_deref()), (Standing::Confirmed, Some("名单.csv")));

    let none = browser.drops("/subscribers/import", &token, false, &[("x.csv", b"colour\nred\n")]);
    assert_eq!(none.status, 303);
    browser.sees("/subscribers/import", "is no list of subscribers");
    assert_eq!(
        browser.drops("/subscribers/import", "forged", false, &[("x.csv", b"a@example.org\n")]).status,
        403
    );
    let given = browser.asks("/subscribers/export");
    assert!(
        given.text.contains("wang@example.org") && given.header("content-type").starts_with("text/csv"),
        "{}",
        given.head
    );
    assert_eq!(Browser::of(&newsroom).asks("/subscribers/export").status, 303, "nobody else");
}
