//! Mail servers misbehave in every way they can, and each letter still goes once, or waits, or is answered for.

use std::fs;

use gazetted::delivery::{DigestId, Reply, State};
use jiff::SignedDuration;

use crate::{
    newsroom::{Newsroom, page, until},
    sink::{Conduct, Manners, Sink},
};

/// A newsroom with so many readers at a domain, that has just published.
fn publishing(settings: &str, readers: &[(&str, usize)], sink: impl FnOnce(&Sink)) -> Newsroom {
    let mut newsroom = Newsroom::closed(settings);
    enters(&mut newsroom, readers);
    sink(&newsroom.sink);
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The first words."));
    newsroom
}

fn enters(newsroom: &mut Newsroom, readers: &[(&str, usize)]) {
    let addresses: Vec<String> = readers
        .iter()
        .flat_map(|(domain, n)| (0..*n).map(move |reader| format!("r{reader}@{domain}")))
        .collect();
    newsroom.enters(&addresses.iter().map(String::as_str).collect::<Vec<_>>());
}

/// A newsroom that has several servers in the place of one.
fn with_relays(relays: &[(&str, &str)], readers: &[(&str, usize)]) -> Newsroom {
    let mut newsroom = Newsroom::closed("");
    let path = newsroom.path("config/gazetted.toml");
    let text = fs::read_to_string(&path).unwrap();
    let alone = |line: &&str| !line.starts_with("server =") && !line.starts_with("protection =");
    let mut text: Vec<String> = text.lines().filter(alone).map(str::to_owned).collect();
    text.extend(relays.iter().map(|(server, more)| {
        format!("[[mail.relays]]\nserver = \"{server}\"\nprotection = \"none\"\n{more}\n")
    }));
    fs::write(path, text.join("\n")).unwrap();
    enters(&mut newsroom, readers);
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The first words."));
    newsroom
}

/// What was last heard of the letters in a state.
fn replies(newsroom: &Newsroom, state: State) -> Vec<Reply> {
    let letters =
        newsroom.ledger().letters(DigestId(1), state, gazetted::subscriber::SubscriberId(0), 10_000);
    letters.unwrap().into_iter().filter_map(|letter| letter.reply).collect()
}

#[test]
fn a_letter_costs_one_round_trip() {
    let newsroom = publishing("connections = 1\n", &[("example.org", 200)], |_| {});
    newsroom.letters_stand("a", &[(State::Delivered, 200)]);
    let turns = newsroom.sink.turns();
    assert!(turns <= 220, "{turns} turns for 200 letters");
    assert_eq!(newsroom.sink.connections(), 1);
}

#[test]
fn a_server_without_pipelining_is_asked_step_by_step() {
    let newsroom = publishing("connections = 1\n", &[("example.org", 20)], |sink| {
        sink.behaves(Manners { abilities: "250 8BITMIME", ..Manners::default() });
        sink.treats("r3@example.org", Conduct::Answers("550 5.1.1 no such user"));
        sink.treats("r5@example.org", Conduct::AnswersText("451 4.3.0 not now"));
    });
    newsroom.letters_stand("a", &[(State::Delayed, 1), (State::Delivered, 18), (State::Failed, 1)]);
    assert_eq!(newsroom.sink.connections(), 1);
    assert!(newsroom.sink.turns() > 70, "{} turns", newsroom.sink.turns());
}

#[test]
fn a_refused_recipient_costs_no_turn_and_mixes_no_letters_up() {
    let newsroom = publishing("connections = 1\n", &[("example.org", 60)], |sink| {
        for n in [0, 1, 7, 20, 21, 22, 59] {
            sink.treats(&format!("r{n}@example.org"), Conduct::Answers("550 5.1.1 no such user"));
        }
        // This one asks for the text of a letter that it will not take.
        for n in [10, 11, 40] {
            let conduct = Conduct::AnswersAndWaits("550 5.1.1 no such user");
            sink.treats(&format!("r{n}@example.org"), conduct);
        }
    });
    newsroom.letters_stand("a", &[(State::Delivered, 50), (State::Failed, 10)]);
    for n in (0..60).filter(|n| ![0, 1, 7, 20, 21, 22, 59, 10, 11, 40].contains(n)) {
        let address = format!("r{n}@example.org");
        let letter = newsroom.sink.letters_to(&address, 1).remove(0);
        assert_eq!(letter.header("To").unwrap(), address);
    }
    assert_eq!(newsroom.sink.connections(), 1);
    assert!(newsroom.sink.turns() <= 75, "{} turns for 60 letters", newsroom.sink.turns());
    for reply in replies(&newsroom, State::Failed) {
        assert_eq!((reply.code, reply.status.as_deref()), (Some(550), Some("5.1.1")), "{}", reply.text);
    }
}

#[test]
fn a_domain_that_answers_421_holds_up_nobody_else() {
    let readers = [("busy.example", 1200), ("calm.example", 60)];
    let newsroom = publishing("connections = 4\n", &readers, |sink| {
        sink.treats("busy.example", Conduct::Answers("421 4.3.2 too busy"));
    });
    until("the others' letters", || newsroom.sink.offers_to_domain("calm.example") >= 60);
    let offers = newsroom.sink.offers_to_domain("busy.example");
    assert!((1..=16).contains(&offers), "{offers} letters were offered to who is too busy");
    // Tried again with one, and then with more.
    newsroom.sink.treats("busy.example", Conduct::Takes);
    newsroom.after(SignedDuration::from_mins(31)).letters_stand("a", &[(State::Delivered, 1260)]);
    assert_eq!(newsroom.sink.letters(), 1260);
}

#[test]
fn what_a_server_says_before_it_knows_the_reader_is_nobodys_fate() {
    type Fault = fn(&Sink);
    let cases: [(&str, Fault); 4] = [
        ("banner", |sink| sink.behaves(Manners { banner: "554 5.7.1 go away", ..Manners::default() })),
        ("MAIL", |sink| sink.behaves(Manners { mail: "550 5.7.1 we do not know you", ..Manners::default() })),
        ("MAIL, 421", |sink| sink.behaves(Manners { mail: "421 4.3.2 closing", ..Manners::default() })),
        ("RCPT", |sink| sink.treats("example.org", Conduct::Answers("554 5.7.1 <you>: Relay access denied"))),
    ];
    for (case, fault) in cases {
        let newsroom = publishing("connections = 2\n", &[("example.org", 9)], fault);
        newsroom.sink.is_connected_to(1);
        newsroom.letters_stand("a", &[(State::Queued, 9)]);
        assert!(newsroom.sink.connections() <= 4, "{case}: {} connections", newsroom.sink.connections());
        newsroom.sink.behaves(Manners::default());
        newsroom.sink.treats("example.org", Conduct::Takes);
        newsroom.after(SignedDuration::from_mins(1)).letters_stand("a", &[(State::Delivered, 9)]);
    }
}

#[test]
fn a_server_that_never_takes_letters_for_five_days_has_failed_them() {
    let newsroom = publishing("", &[("example.org", 5)], |sink| {
        sink.behaves(Manners { banner: "554 5.7.1 go away", ..Manners::default() });
    });
    newsroom.sink.is_connected_to(1);
    newsroom.after(SignedDuration::from_hours(121)).letters_stand("a", &[(State::Failed, 5)]);
    for reply in replies(&newsroom, State::Failed) {
        assert_eq!((reply.code, reply.text.as_str()), (Some(554), "554 5.7.1 go away"));
    }
    assert!(newsroom.ledger().bounces(gazetted::subscriber::SubscriberId(1)).unwrap().is_empty());
}

#[test]
fn a_server_that_accepts_and_then_falls_silent_gets_only_a_few_letters() {
    let newsroom = publishing("connections = 2\npatience = \"100ms\"\n", &[("example.org", 40)], |sink| {
        sink.treats("example.org", Conduct::Hangs);
    });
    newsroom.sink.is_connected_to(3);
    until("the server to be left alone", || {
        let letters = newsroom.ledger().digest(DigestId(1)).unwrap().unwrap().letters;
        letters.iter().all(|(state, _)| matches!(state, State::Delayed | State::Queued))
    });
    let offers = newsroom.sink.offers_to_domain("example.org");
    assert!(offers <= 10, "{offers} letters were offered to a server that says nothing");
    newsroom.sink.treats("example.org", Conduct::Takes);
    newsroom.after(SignedDuration::from_mins(31)).letters_stand("a", &[(State::Delivered, 40)]);
    assert_eq!(newsroom.sink.letters(), 40);
}

#[test]
fn a_text_that_is_refused_for_now_is_offered_again_on_the_same_connection() {
    let newsroom = publishing("connections = 1\n", &[("example.org", 12)], |sink| {
        sink.treats("r4@example.org", Conduct::AnswersText("451 4.7.1 greylisted"));
        sink.treats("r8@example.org", Conduct::AnswersText("554 5.7.1 this looks like spam"));
    });
    newsroom.letters_stand("a", &[(State::Delayed, 1), (State::Delivered, 10), (State::Failed, 1)]);
    assert_eq!(newsroom.sink.connections(), 1);
    let reply = replies(&newsroom, State::Delayed).remove(0);
    assert_eq!(
        (reply.phase.as_str(), reply.code, reply.status.as_deref()),
        ("text", Some(451), Some("4.7.1"))
    );
    newsroom.sink.treats("r4@example.org", Conduct::Takes);
    newsroom
        .after(SignedDuration::from_mins(31))
        .letters_stand("a", &[(State::Delivered, 11), (State::Failed, 1)]);
}

#[test]
fn a_letter_of_which_nobody_knows_comes_twice_with_one_name_or_waits_for_the_operator() {
    let newsroom = publishing("connections = 1\n", &[("example.org", 6)], |sink| {
        sink.treats("r2@example.org", Conduct::Vanishes);
    });
    newsroom.letters_stand("a", &[(State::Delayed, 1), (State::Delivered, 5)]);
    newsroom.sink.treats("r2@example.org", Conduct::Takes);
    newsroom.after(SignedDuration::from_mins(31)).letters_stand("a", &[(State::Delivered, 6)]);
    let letters = newsroom.sink.letters_to("r2@example.org", 2);
    assert_eq!(letters[0].text, letters[1].text);

    let newsroom = publishing("connections = 1\non_unknown = \"hold\"\n", &[("example.org", 6)], |sink| {
        sink.treats("r2@example.org", Conduct::Vanishes);
        sink.treats("r3@example.org", Conduct::AnswersText("451 4.3.0 not now"));
        sink.treats("r4@example.org", Conduct::AnswersText("554 5.7.1 no"));
    });
    let stand = [(State::Delayed, 1), (State::Delivered, 3), (State::Unknown, 1), (State::Failed, 1)];
    newsroom.letters_stand("a", &stand);
    newsroom.sink.treats("example.org", Conduct::Takes);
    newsroom.sink.treats("r3@example.org", Conduct::Takes);
    let stand = [(State::Delivered, 4), (State::Unknown, 1), (State::Failed, 1)];
    newsroom.after(SignedDuration::from_hours(9)).letters_stand("a", &stand);
    newsroom.sink.letters_to("r2@example.org", 1);
}

#[test]
fn a_server_with_enough_of_a_connection_gets_another() {
    let newsroom = publishing("connections = 1\n", &[("example.org", 25)], |sink| {
        sink.behaves(Manners { letters_per_connection: 10, ..Manners::default() });
    });
    newsroom.letters_stand("a", &[(State::Delivered, 25)]);
    assert_eq!(newsroom.sink.connections(), 3);
    assert_eq!(newsroom.sink.letters(), 25);
}

#[test]
fn a_server_that_takes_few_connections_gets_no_more() {
    let newsroom = publishing("connections = 8\n", &[("example.org", 120)], |sink| {
        sink.behaves(Manners { connections: 2, ..Manners::default() });
    });
    newsroom.letters_stand("a", &[(State::Delivered, 120)]);
    assert_eq!(newsroom.sink.letters(), 120);
    assert!(newsroom.sink.connections() <= 40, "{} connections were tried", newsroom.sink.connections());
}

#[test]
fn a_letter_that_is_too_large_fails_with_a_clear_word() {
    let newsroom = publishing("", &[("example.org", 3)], |sink| {
        sink.behaves(Manners { abilities: "250-PIPELINING\r\n250 SIZE 1000", ..Manners::default() });
    });
    newsroom.letters_stand("a", &[(State::Failed, 3)]);
    let reply = replies(&newsroom, State::Failed).remove(0);
    assert!(reply.text.ends_with("bytes, and the server takes at most 1000"), "{}", reply.text);
    assert_eq!(newsroom.sink.offers_to_domain("example.org"), 0);

    let newsroom = publishing("", &[("example.org", 1)], |sink| {
        sink.behaves(Manners { abilities: "250-PIPELINING\r\n250 SIZE 1000000", ..Manners::default() });
    });
    newsroom.letters_stand("a", &[(State::Delivered, 1)]);
    assert!(newsroom.sink.senders()[0].contains(" SIZE="), "{:?}", newsroom.sink.senders());
}

#[test]
fn no_more_letters_go_in_a_minute_than_the_operator_allows() {
    let newsroom = publishing("per_minute = 1\n", &[("example.org", 3)], |_| {});
    for n in 1..=3 {
        until(&format!("letter {n}"), || newsroom.sink.letters() >= n);
        assert_eq!(newsroom.sink.letters(), n);
        newsroom.after(SignedDuration::from_secs(60));
    }
    let newsroom = publishing("per_minute_per_domain = 1\n", &[("a.example", 2), ("b.example", 2)], |_| {});
    until("a letter to each domain", || newsroom.sink.letters() >= 2);
    assert_eq!(newsroom.sink.offers_to_domain("a.example"), 1);
    assert_eq!(newsroom.sink.offers_to_domain("b.example"), 1);
    newsroom.after(SignedDuration::from_secs(60)).letters_stand("a", &[(State::Delivered, 4)]);
}

#[test]
fn several_servers_share_the_letters_by_their_weights() {
    let (first, second) = (Sink::opens(), Sink::opens());
    let (one, two) = (first.address.to_string(), second.address.to_string());
    let relays = [(one.as_str(), "weight = 3\nconnections = 2"), (two.as_str(), "connections = 2")];
    let newsroom = with_relays(&relays, &[("example.org", 200)]);
    newsroom.letters_stand("a", &[(State::Delivered, 200)]);
    assert_eq!(first.letters() + second.letters(), 200);
    assert!(
        (125..=175).contains(&first.letters()),
        "{} of 200 by the one with three shares",
        first.letters()
    );
}

#[test]
fn a_server_that_stands_in_takes_letters_only_while_no_other_does() {
    let (main, stand_in) = (Sink::opens(), Sink::opens());
    let (one, two) = (main.address.to_string(), stand_in.address.to_string());
    let newsroom = with_relays(&[(&one, ""), (&two, "weight = 0")], &[("example.org", 30)]);
    newsroom.letters_stand("a", &[(State::Delivered, 30)]);
    assert_eq!((main.letters(), stand_in.letters()), (30, 0));

    let nobody = format!("127.0.0.1:{}", crate::tools::free_port());
    let newsroom = with_relays(&[(&nobody, ""), (&two, "weight = 0")], &[("example.org", 30)]);
    newsroom.letters_stand("a", &[(State::Delivered, 30)]);
    assert_eq!(stand_in.letters(), 30);
}
