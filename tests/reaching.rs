//! Whom a digest did not reach: told with the reason, stopped, let go, offered again.

use expect_test::expect;
use gazetted::{
    delivery::{DigestId, DigestStatus, State},
    subscriber::{Address, Standing},
};

use crate::{
    configuring::gazetted,
    enrolling::check,
    newsroom::{Newsroom, page},
    sink::Conduct,
};

#[test]
fn an_operator_sees_whom_a_digest_did_not_reach_and_offers_it_again() {
    let newsroom = Newsroom::with_subscribers(["li@example.org", "wang@example.org", "zhao@example.org"]);
    let folder = newsroom.folder.path();
    check(
        folder,
        &["digests", "list"],
        0,
        &expect![[r"
            no digest was made yet; the first one comes with the next issue
        "]],
    );
    for address in ["wang@example.org", "zhao@example.org"] {
        newsroom.sink.treats(address, Conduct::Answers("554 5.7.1 refused by policy 83741923ab"));
    }
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    newsroom.letters_settled();
    check(
        folder,
        &["digests", "list"],
        0,
        &expect![[r"
            1     DAY TIME  each    a             The Tide Gazette · One  [1 delivered, 2 failed]
        "]],
    );
    let (_, shown) = gazetted(folder, &["digests", "show", "1"]);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 4, "one reason for both: {shown}");
    assert_eq!(lines[1], "  failed");
    assert!(
        lines[2].starts_with("         2  after RCPT TO: ")
            && lines[2].ends_with("5.7.1 refused by policy …"),
        "{shown}"
    );
    assert_eq!(
        lines[3],
        "help: `gazetted digests show 1 --state failed` lists whom it did not reach; `retry 1 --failed` offers it to them again"
    );
    let (_, listed) = gazetted(folder, &["digests", "show", "1", "--state", "failed"]);
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert!(
        listed.starts_with("wang@example.org                         1 attempt  after RCPT TO: "),
        "{listed}"
    );
    assert!(listed.contains("5.7.1 refused by policy 83741923ab"), "{listed}");
    check(
        folder,
        &["digests", "show", "1", "--state", "delayed"],
        0,
        &expect![[r"
            no letter of digest 1 is delayed
        "]],
    );
    let (_, json) = gazetted(folder, &["digests", "show", "1", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (told["letters"]["failed"].as_u64(), told["reasons"][0]["letters"].as_u64()),
        (Some(2), Some(2))
    );
    newsroom.sink.treats("wang@example.org", Conduct::Takes);
    gazetted(folder, &["subscribers", "remove", "zhao@example.org"]);
    check(
        folder,
        &["digests", "retry", "1"],
        0,
        &expect![[r"
            1 failed letter queued again (1 stay: their readers get no more letters)
        "]],
    );
    newsroom.sink.letters_to("wang@example.org", 1);
    check(
        folder,
        &["digests", "retry", "1", "--unknown"],
        0,
        &expect![[r"
            0 unknown letters queued again
        "]],
    );
    let zhao = newsroom.ledger().subscriber(&Address::parse("zhao@example.org").unwrap()).unwrap().unwrap();
    assert_eq!(zhao.standing, Standing::Left);
}

#[test]
fn letters_of_which_nobody_knows_are_shown_and_offered_again_when_asked() {
    let mut newsroom = Newsroom::closed("on_unknown = \"hold\"\n");
    newsroom.enters(&["li@example.org", "wang@example.org"]);
    newsroom.sink.treats("wang@example.org", Conduct::Vanishes);
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The first words."));
    newsroom.letters_stand("a", &[(State::Delivered, 1), (State::Unknown, 1)]);
    let folder = newsroom.folder.path();
    let (_, shown) = gazetted(folder, &["digests", "show", "1"]);
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].ends_with("[1 delivered, 1 unknown]"), "{shown}");
    assert_eq!(lines[1], "  unknown");
    assert!(lines[2].starts_with("         1  ") && lines[2].ends_with("the connection ended"), "{shown}");
    assert_eq!(
        lines[3],
        "help: of the unknown ones the server's answer is missing; `gazetted digests retry 1 --unknown` offers them again, at the \
         risk that some come twice"
    );
    newsroom.sink.treats("wang@example.org", Conduct::Takes);
    check(
        folder,
        &["digests", "retry", "1", "--unknown"],
        0,
        &expect![[r"
            1 unknown letter queued again
        "]],
    );
    newsroom.letters_stand("a", &[(State::Delivered, 2)]);
    newsroom.sink.letters_to("wang@example.org", 2);
    newsroom.sink.letters_to("li@example.org", 1);
}

#[test]
fn a_digest_is_stopped_and_goes_on() {
    let newsroom = Newsroom::with_subscribers(["li@example.org"]);
    newsroom.sink.treats("li@example.org", Conduct::Answers("451 4.7.1 greylisted"));
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    newsroom.sink.is_offered("li@example.org", 1);
    newsroom.letters_stand("a", &[(State::Delayed, 1)]);
    let folder = newsroom.folder.path();
    check(
        folder,
        &["digests", "pause", "1"],
        0,
        &expect![[r"
            digest 1 is paused; `gazetted digests resume 1` lets its letters go on
        "]],
    );
    check(
        folder,
        &["digests", "pause", "1"],
        0,
        &expect![[r"
            digest 1 is paused already
        "]],
    );
    check(
        folder,
        &["digests", "show", "1"],
        0,
        &expect![[r"
            1     DAY TIME  each    a             The Tide Gazette · One  [1 withheld]  paused
            help: `gazetted digests resume 1` lets its letters go on
        "]],
    );
    check(
        folder,
        &["digests", "retry", "1"],
        2,
        &expect![[r"
            error: the letters of digest 1 do not go out now
            help: nothing was changed; `gazetted digests show 1` says why
        "]],
    );
    newsroom.sink.treats("li@example.org", Conduct::Takes);
    check(
        folder,
        &["digests", "resume", "1"],
        0,
        &expect![[r"
            digest 1 goes on with 1 letter
        "]],
    );
    check(
        folder,
        &["digests", "resume", "1"],
        0,
        &expect![[r"
            digest 1 is not paused; nothing was done
        "]],
    );
    newsroom.sink.letters_to("li@example.org", 1);
    check(
        folder,
        &["digests", "pause", "7"],
        2,
        &expect![[r"
            error: there is no digest 7
            help: `gazetted digests list` shows all
        "]],
    );
}

#[test]
fn a_digest_that_is_late_waits_for_the_operator_who_is_told_what_to_do() {
    let newsroom = Newsroom::with_subscribers(["li@example.org"]);
    newsroom.sink.treats("li@example.org", Conduct::Answers("451 4.7.1 greylisted"));
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    newsroom.letters_stand("a", &[(State::Delayed, 1)]);
    let ledger = newsroom.ledger();
    ledger.set_digest_status(DigestId(1), DigestStatus::Asking, newsroom.now()).unwrap();
    let folder = newsroom.folder.path();
    check(
        folder,
        &["digests", "show", "1"],
        0,
        &expect![[r"
            1     DAY TIME  each    a             The Tide Gazette · One  [1 withheld]  waits for you: it is old
            help: it was found late; `gazetted digests resume 1` sends it all the same, and `pause` keeps it back
        "]],
    );
    check(
        folder,
        &["digests", "resume", "1"],
        0,
        &expect![[r"
            digest 1 goes on with 1 letter
        "]],
    );
}
