//! Who joins is asked first, and only the owner of an address can say yes.

use gazetted::{
    joining::{self, Joined},
    ledger::{Entered, Entry},
    subscriber::{Address, Standing, SuppressionReason},
};
use jiff::SignedDuration;

use crate::newsroom::{Newsroom, page};

/// Somebody fills in a form with this address.
fn asks(newsroom: &Newsroom, address: &str) -> Joined {
    let entry = Entry::confirmed(Address::parse(address).unwrap(), "a form", newsroom.now());
    joining::ask(&*newsroom.ledger(), &newsroom.letterhead(), entry, newsroom.now()).unwrap()
}

fn standing(newsroom: &Newsroom, address: &str) -> Standing {
    newsroom.ledger().subscriber(&Address::parse(address).unwrap()).unwrap().unwrap().standing
}

/// The address in the newest letter to somebody that begins with this path.
fn link(newsroom: &Newsroom, address: &str, nth: usize, path: &str) -> String {
    let letter = newsroom.sink.letters_to(address, nth).pop().unwrap();
    let text = letter.plain();
    let start = text.find(&format!("{}{path}/", newsroom.base_url())).unwrap_or_else(|| panic!("{text}"));
    let link = text[start..].split_whitespace().next().unwrap();
    format!("/{}", link.trim_start_matches(&newsroom.base_url()))
}

#[test]
fn who_joins_gets_one_letter_that_asks_and_the_issues_only_after_a_yes() {
    let newsroom = Newsroom::opens();
    assert!(matches!(asks(&newsroom, "li@example.org"), Joined::Asked(_)));
    assert!(matches!(asks(&newsroom, "li@example.org"), Joined::AskedBefore(_)), "a form filled in twice");
    let confirm = link(&newsroom, "li@example.org", 1, "confirm");
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);

    // A scanner that follows every link changes nothing.
    let (status, _, body) = newsroom.asks("GET", &confirm, "");
    assert_eq!(status, 200);
    assert!(String::from_utf8_lossy(&body).contains("Yes, send it to me"));
    assert_eq!(standing(&newsroom, "li@example.org"), Standing::Pending);

    let (status, _, body) = newsroom.asks("POST", &confirm, "Content-Length: 0\r\n");
    assert_eq!(status, 200);
    assert!(String::from_utf8_lossy(&body).contains("letters begin with the next issue"));
    newsroom.saves("b.md", page("Two", "The second words.")).is_out("b", 1);
    let letters = newsroom.sink.letters_to("li@example.org", 2);
    assert_eq!(letters[1].header("Message-ID").unwrap(), "<tide.b.1@example.org>");
    // The same button once more is no error; for who has it already, nothing is asked.
    assert_eq!(newsroom.asks("POST", &confirm, "Content-Length: 0\r\n").0, 200);
    assert!(matches!(asks(&newsroom, "li@example.org"), Joined::Not(Entered::Already(_))));
}

#[test]
fn who_says_that_it_was_somebody_else_is_never_asked_again() {
    let newsroom = Newsroom::opens();
    asks(&newsroom, "wang@example.org");
    let leave = link(&newsroom, "wang@example.org", 1, "leave");
    assert_eq!(newsroom.asks("POST", &leave, "Content-Length: 0\r\n").0, 200);
    let wang = newsroom.ledger().subscriber(&Address::parse("wang@example.org").unwrap()).unwrap().unwrap();
    assert_eq!(wang.suppression.unwrap().reason, SuppressionReason::Complained);
    newsroom.after(SignedDuration::from_hours(72));
    assert!(matches!(asks(&newsroom, "wang@example.org"), Joined::Not(Entered::IsSuppressed(_))));
    newsroom.sink.letters_to("wang@example.org", 1);
}

#[test]
fn an_old_letter_does_not_bring_back_who_has_left() {
    let newsroom = Newsroom::opens();
    asks(&newsroom, "li@example.org");
    let confirm = link(&newsroom, "li@example.org", 1, "confirm");
    newsroom.asks("POST", &confirm, "Content-Length: 0\r\n");
    let li = newsroom.ledger().subscriber(&Address::parse("li@example.org").unwrap()).unwrap().unwrap();
    newsroom.ledger().leave(li.id, newsroom.now()).unwrap();
    assert_eq!(newsroom.asks("POST", &confirm, "Content-Length: 0\r\n").0, 404);
    assert_eq!(standing(&newsroom, "li@example.org"), Standing::Left);
    // But a wish of his or her own does, with a letter that asks.
    newsroom.after(SignedDuration::from_hours(1));
    assert!(matches!(asks(&newsroom, "li@example.org"), Joined::Asked(_)));
    newsroom.sink.letters_to("li@example.org", 2);
}

#[test]
fn a_forged_confirmation_confirms_nobody() {
    let newsroom = Newsroom::opens();
    asks(&newsroom, "li@example.org");
    let confirm = link(&newsroom, "li@example.org", 1, "confirm");
    let leave = link(&newsroom, "li@example.org", 1, "leave");
    for forged in
        [confirm.replace("/1-", "/2-"), leave.replace("/leave/", "/confirm/"), "/confirm/x".to_owned()]
    {
        assert_eq!(newsroom.asks("POST", &forged, "Content-Length: 0\r\n").0, 404, "{forged}");
    }
    assert_eq!(standing(&newsroom, "li@example.org"), Standing::Pending);
}
