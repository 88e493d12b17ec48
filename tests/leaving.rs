//! One click ends it, and only a click.

use gazetted::{
    delivery::State,
    subscriber::{Address, Standing},
};
use jiff::SignedDuration;

use crate::{
    configuring::gazetted,
    newsroom::{Newsroom, page},
    sink::Conduct,
};

/// The path of a reader's own address for leaving, from a letter.
fn leave_path(newsroom: &Newsroom, address: &str) -> String {
    let letter = newsroom.sink.letters_to(address, 1).remove(0);
    let header = letter.header("List-Unsubscribe").unwrap();
    let url = header.trim_matches(['<', '>']).to_owned();
    format!("/{}", url.strip_prefix(&newsroom.base_url()).unwrap())
}

fn standing(newsroom: &Newsroom, address: &str) -> Standing {
    newsroom.ledger().subscriber(&Address::parse(address).unwrap()).unwrap().unwrap().standing
}

#[test]
fn a_reader_leaves_by_a_button_and_gets_no_more_letters() {
    let newsroom = Newsroom::with_subscribers(["li@example.org", "wang@example.org"]);
    newsroom.saves("a.md", page("One", "The first words."));
    let path = leave_path(&newsroom, "li@example.org");

    let (status, _, body) = newsroom.asks("GET", &path, "");
    assert_eq!(status, 200);
    assert!(String::from_utf8(body).unwrap().contains(" method=\"post\""));
    assert_eq!(standing(&newsroom, "li@example.org"), Standing::Confirmed, "a scanner's GET changes nothing");

    let (status, _, body) = newsroom.asks("POST", &path, "Content-Length: 0\r\n");
    assert_eq!(status, 200);
    assert!(String::from_utf8(body).unwrap().contains("no more letters"));
    assert_eq!(standing(&newsroom, "li@example.org"), Standing::Left);
    newsroom.saves("b.md", page("Two", "The second words.")).is_out("b", 1);
    newsroom.sink.letters_to("wang@example.org", 2);
    newsroom.sink.letters_to("li@example.org", 1);
    assert_eq!(newsroom.asks("POST", &path, "Content-Length: 0\r\n").0, 200, "twice is no error");
}

#[test]
fn a_letter_that_waits_is_cancelled_when_its_reader_leaves() {
    let newsroom = Newsroom::with_subscribers(["li@example.org"]);
    newsroom.sink.treats("li@example.org", Conduct::Answers("452 4.2.2 mailbox full"));
    newsroom.saves("a.md", page("One", "The first words.")).letters_stand("a", &[(State::Delayed, 1)]);
    let ledger = newsroom.ledger();
    let subscriber = ledger.subscriber(&Address::parse("LI@example.org").unwrap()).unwrap().unwrap();
    assert!(ledger.leave(subscriber.id, "2026-11-21T00:00:00Z".parse().unwrap()).unwrap());
    newsroom.after(SignedDuration::from_hours(1)).letters_stand("a", &[(State::Canceled, 1)]);
    assert_eq!(newsroom.sink.offers_to("li@example.org"), 1);
}

#[test]
fn a_forged_address_for_leaving_is_refused() {
    let newsroom = Newsroom::with_subscribers(["li@example.org", "wang@example.org"]);
    newsroom.saves("a.md", page("One", "The first words."));
    let own = leave_path(&newsroom, "li@example.org");
    for forged in
        [own.replace("/1-", "/2-"), format!("{own}0"), "/leave/1-0".to_owned(), "/leave/x".to_owned()]
    {
        assert_eq!(newsroom.asks("POST", &forged, "Content-Length: 0\r\n").0, 404, "{forged}");
    }
    assert_eq!(standing(&newsroom, "wang@example.org"), Standing::Confirmed);
}

#[test]
fn a_letter_that_waits_in_a_lane_is_not_sent_once_its_reader_has_left() {
    let mut newsroom = Newsroom::closed("connections = 1\npatience = \"300ms\"\n");
    newsroom.enters(&["slow@example.org", "li@example.org"]);
    newsroom.sink.treats("slow@example.org", Conduct::Hangs);
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The first words."));
    // The only lane is busy with the first letter; the second is claimed already.
    newsroom.sink.is_offered("slow@example.org", 1);
    let ledger = newsroom.ledger();
    let li = ledger.subscriber(&Address::parse("li@example.org").unwrap()).unwrap().unwrap();
    ledger.leave(li.id, "2026-11-21T00:00:00Z".parse().unwrap()).unwrap();
    newsroom.letters_stand("a", &[(State::Delayed, 1), (State::Canceled, 1)]);
    assert_eq!(newsroom.sink.offers_to("li@example.org"), 0);
}

#[test]
fn a_link_in_a_letter_of_the_program_before_leads_to_where_one_leaves() {
    let newsroom = Newsroom::with_subscribers([]);
    let list = newsroom.path("list.csv");
    let uuid = "f6b1a3c2-5d1e-4c3b-9a76-0e6f3d2c1b0a";
    let listmonk = format!(
        "uuid,email,name,attributes,status,created_at,updated_at\n{uuid},li@example.org,Li,{{}},enabled,2024-05-01 08:00:00 +0000 UTC,\n"
    );
    let others = "email,old_link\nwang@example.org,https://old.example.org/out?m=Zm9vYmFyYmF6&c=7\n";
    for table in [listmonk.as_str(), others] {
        std::fs::write(&list, table).unwrap();
        let arguments = ["subscribers", "import", &list.to_string_lossy()];
        let (code, said) = gazetted(newsroom.folder.path(), &arguments);
        assert_eq!(code, 0, "{said}");
    }

    let old = format!("/subscription/0aa1b2c3-0000-4000-8000-000000000000/{uuid}");
    let (status, head, _) = newsroom.asks("GET", &old, "");
    assert_eq!(status, 303, "{head}");
    let place = head.lines().find_map(|line| line.strip_prefix("location: ")).unwrap().to_owned();
    assert_eq!(newsroom.asks("GET", &place, "").0, 200);
    assert_eq!(standing(&newsroom, "li@example.org"), Standing::Confirmed, "a GET changes nothing");
    assert_eq!(newsroom.asks("POST", &old, "Content-Length: 0\r\n").0, 200);
    assert_eq!(standing(&newsroom, "li@example.org"), Standing::Left);

    assert_eq!(newsroom.asks("GET", "/out?m=Zm9vYmFyYmF6", "").0, 404, "half a link is nobody's");
    assert_eq!(newsroom.asks("POST", "/out?m=Zm9vYmFyYmF6&c=7", "Content-Length: 0\r\n").0, 200);
    assert_eq!(standing(&newsroom, "wang@example.org"), Standing::Left);
    assert_eq!(newsroom.asks("POST", "/out?m=nobodys-word", "Content-Length: 0\r\n").0, 405);
}
