//! Readers join, choose and leave by themselves, in a browser and without scripts; and nobody makes us write to others.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
};

use gazetted::subscriber::{
    Address, Form, Pace, Sections, Standing, Subscriber, SubscriberId, Suppression, SuppressionReason,
};
use jiff::SignedDuration;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use crate::{
    browser::Browser,
    newsroom::{Newsroom, page, until},
};

fn known(newsroom: &Newsroom, address: &str) -> Option<Subscriber> {
    newsroom.ledger().subscriber(&Address::parse(address).unwrap()).unwrap()
}

fn standing(newsroom: &Newsroom, address: &str) -> Option<Standing> {
    known(newsroom, address).map(|known| known.standing)
}

/// The path of the address in a letter's text that goes on with these words.
fn link(newsroom: &Newsroom, address: &str, nth: usize, path: &str) -> String {
    let letter = newsroom.sink.letters_to(address, nth).pop().unwrap();
    let text = letter.plain();
    let start = text.find(&format!("{}{path}/", newsroom.base_url())).unwrap_or_else(|| panic!("{text}"));
    let link = text[start..].split_whitespace().next().unwrap();
    format!("/{}", link.trim_start_matches(&newsroom.base_url()))
}

fn text(body: Vec<u8>) -> String {
    String::from_utf8(body).unwrap()
}

/// What stands in the value of a field.
fn value_of(html: &str, name: &str) -> String {
    let field = html.split("<input").find(|field| field.contains(&format!("name=\"{name}\""))).unwrap();
    field.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

/// The ticket of a form that a person has looked at for long enough.
fn ticket(newsroom: &Newsroom) -> String {
    let (status, _, body) = newsroom.asks("GET", "/join", "");
    assert_eq!(status, 200);
    newsroom.after(SignedDuration::from_secs(20));
    value_of(&text(body), "ticket")
}

fn encoded(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Somebody joins with this address, and wishes all as it is at first.
fn joins(newsroom: &Newsroom, address: &str) -> (u16, String, Vec<u8>) {
    let ticket = ticket(newsroom);
    newsroom.gets_form("/join", "", encoded(&[("address", address), ("ticket", &ticket)]))
}

#[test]
fn a_reader_joins_by_a_form_chooses_another_pace_and_leaves() {
    let newsroom = Newsroom::opens();
    let ticket = ticket(&newsroom);
    let form = [("address", " li@example.org "), ("pace", "daily"), ("form", "text"), ("ticket", &ticket)];
    let (status, head, body) = newsroom.gets_form("/join", "", encoded(&form));
    assert_eq!(status, 200);
    assert!(head.to_lowercase().contains("cache-control: no-store"), "{head}");
    assert!(text(body).contains("Now look into your mailbox"));

    let confirm = link(&newsroom, "li@example.org", 1, "confirm");
    let li = known(&newsroom, "li@example.org").unwrap();
    assert_eq!((li.standing, li.consent.how.as_str()), (Standing::Pending, "the form on the web"));
    assert_eq!(li.consent.from.as_deref(), Some("127.0.0.1"));
    let (_, _, body) = newsroom.gets_form(&confirm, "", "");
    let done = text(body);
    let own = done.split("href=\"..").find(|rest| rest.starts_with("/preferences/")).unwrap();
    let own = own.split('"').next().unwrap();
    let li = known(&newsroom, "li@example.org").unwrap();
    assert_eq!((li.preferences.pace, li.preferences.wish.form), (Pace::Daily, Form::Text));

    let (status, _, body) = newsroom.asks("GET", own, "");
    assert_eq!(status, 200);
    let shown = text(body);
    assert!(shown.contains("For li@example.org.") && shown.contains("value=\"daily\" checked=\"checked\""));
    assert_eq!(known(&newsroom, "li@example.org").unwrap(), li, "a scanner's GET changes nothing");
    let (status, _, body) = newsroom.gets_form(own, "", encoded(&[("pace", "each"), ("form", "html")]));
    assert!(status == 200 && text(body).contains("Saved."));
    let li = known(&newsroom, "li@example.org").unwrap();
    assert_eq!((li.preferences.pace, li.preferences.wish.form), (Pace::Each, Form::Html));

    // The next letter is an issue, and leads to the same page.
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    assert_eq!(link(&newsroom, "li@example.org", 2, "preferences"), own);
    let leave = link(&newsroom, "li@example.org", 2, "leave");
    assert!(shown.contains(&format!("action=\"..{leave}\"")));
    newsroom.gets_form(&leave, "", "List-Unsubscribe=One-Click");
    assert_eq!(standing(&newsroom, "li@example.org"), Some(Standing::Left));
    let (status, _, body) = newsroom.asks("GET", own, "");
    assert!(status == 410 && text(body).contains("No more letters go to this address"));
    assert_eq!(newsroom.gets_form(own, "", "pace=daily").0, 410);
    assert_eq!(known(&newsroom, "li@example.org").unwrap().preferences.pace, Pace::Each);
}

#[test]
fn the_answer_tells_nothing_of_what_is_known_of_an_address() {
    let newsroom =
        Newsroom::with_subscribers(["confirmed@example.org", "left@example.org", "dead@example.org"]);
    let ledger = newsroom.ledger();
    ledger.leave(known(&newsroom, "left@example.org").unwrap().id, newsroom.now()).unwrap();
    let why =
        Suppression { reason: SuppressionReason::Operator, at: newsroom.now(), text: "dead".to_owned() };
    ledger.suppress(known(&newsroom, "dead@example.org").unwrap().id, &why).unwrap();
    let answers = ["new", "new", "confirmed", "left", "dead", "NEW"]
        .map(|name| {
            let (status, head, body) = joins(&newsroom, &format!("{name}@example.org"));
            let head: Vec<&str> =
                head.lines().filter(|line| !line.to_lowercase().starts_with("date:")).collect();
            (status, head.join("\n"), body)
        })
        .into_iter()
        .collect::<BTreeSet<_>>();
    assert_eq!(answers.len(), 1, "{answers:?}");
    // All is dealt with after the last of them, in their order.
    newsroom.sink.letters_to("left@example.org", 1);
    newsroom.sink.letters_to("new@example.org", 1);
    joins(&newsroom, "last@example.org");
    newsroom.sink.letters_to("last@example.org", 1);
    assert_eq!(newsroom.sink.letters(), 3);
    assert_eq!(standing(&newsroom, "dead@example.org"), Some(Standing::Suppressed), "the operator said so");
}

#[test]
fn an_address_gets_one_letter_a_day_and_three_until_it_answers() {
    let newsroom = Newsroom::opens();
    for day in 0..6 {
        for _ in 0..3 {
            assert_eq!(joins(&newsroom, "li@example.org").0, 200);
        }
        joins(&newsroom, &format!("day{day}@example.org"));
        newsroom.sink.letters_to(&format!("day{day}@example.org"), 1);
        assert_eq!(newsroom.sink.letters_to("li@example.org", (day + 1).min(3)).len(), (day + 1).min(3));
        newsroom.after(SignedDuration::from_hours(25));
    }
    // What was wished last is confirmed.
    let ticket = ticket(&newsroom);
    let form = [("address", "li@example.org"), ("pace", "monthly"), ("ticket", &ticket)];
    newsroom.gets_form("/join", "", encoded(&form));
    until("the wish", || known(&newsroom, "li@example.org").unwrap().preferences.pace == Pace::Monthly);
}

#[test]
fn whoever_was_too_quick_or_too_slow_presses_once_more() {
    let newsroom = Newsroom::opens();
    let (_, _, body) = newsroom.asks("GET", "/join", "");
    let ticket = value_of(&text(body), "ticket");
    let with = |ticket: &str| {
        let form = [("address", "li@example.org"), ("pace", "weekly"), ("ticket", ticket)];
        let (status, _, body) = newsroom.gets_form("/join", "", encoded(&form));
        (status, text(body))
    };
    // However slow the machine, no time has passed.
    newsroom.after(SignedDuration::from_mins(-30));
    let (status, shown) = with(&ticket);
    newsroom.after(SignedDuration::from_mins(30));
    assert!(status == 422 && shown.contains("quicker than people"), "{shown}");
    assert_eq!(value_of(&shown, "address"), "li@example.org", "nothing has to be typed again");
    assert!(shown.contains("value=\"weekly\" checked=\"checked\""));
    assert_eq!(value_of(&shown, "ticket"), ticket, "its time runs on");
    newsroom.after(SignedDuration::from_hours(3));
    let (status, shown) = with(&ticket);
    assert!(status == 422 && shown.contains("open for long"), "{shown}");
    let fresh = value_of(&shown, "ticket");
    newsroom.after(SignedDuration::from_secs(5));
    for forged in ["", "1-0", &format!("{fresh}0"), &fresh.replace('-', "0-")] {
        assert_eq!(with(forged).0, 422, "{forged}");
    }
    assert_eq!(standing(&newsroom, "li@example.org"), None, "nothing was done yet");
    assert_eq!(with(&fresh).0, 200);
    newsroom.sink.letters_to("li@example.org", 1);
    // Used once more it does nothing more.
    assert_eq!(with(&fresh).0, 200);
    joins(&newsroom, "last@example.org");
    newsroom.sink.letters_to("last@example.org", 1);
    assert_eq!(newsroom.sink.letters(), 2);
}

#[test]
fn what_is_wrong_stands_beside_its_field_and_what_was_typed_is_text() {
    let mut newsroom = Newsroom::closed("[joining]\nrefuse_roles = true\n");
    newsroom.starts();
    let ticket = ticket(&newsroom);
    let with = |fields: &[(&str, &str)]| {
        let fields = [fields, &[("ticket", ticket.as_str())]].concat();
        let (status, _, body) = newsroom.gets_form("/join", "", encoded(&fields));
        (status, text(body))
    };
    let script = "\"><script>alert(1)</script>";
    let (status, shown) = with(&[("address", script), ("form", "kindle"), ("device", script)]);
    assert_eq!(status, 422);
    assert!(!shown.contains("<script>alert"), "{shown}");
    assert!(shown.contains("<title>Not sent yet: Get it by e-mail"), "{shown}");
    for part in [
        "<a href=\"#address\">Type your whole e-mail address",
        "<a href=\"#device\">Type the address of a Kindle",
        "aria-invalid=\"true\" aria-describedby=\"address-problem\"",
        "aria-invalid=\"true\" aria-describedby=\"device-problem device-hint\"",
        "value=\"&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\"",
        "value=\"kindle\" checked=\"checked\"",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let (status, shown) = with(&[("address", "postmaster@example.org")]);
    assert!(status == 422 && shown.contains("the address of an office"), "{shown}");
    // A book goes to nobody who did not ask for it.
    let stranger = [("address", "li@example.org"), ("form", "kindle"), ("device", "wang@example.org")];
    assert_eq!(with(&stranger).0, 422);
    let own = [("address", "li@example.org"), ("form", "kindle"), ("device", "li@kindle.com")];
    assert_eq!(with(&own).0, 200);
    until("li to be known", || known(&newsroom, "li@example.org").is_some());
    let device = known(&newsroom, "li@example.org").unwrap().preferences.device.unwrap();
    assert_eq!(device.as_str(), "li@kindle.com");
    let long = vec![b'a'; 40_000];
    assert_eq!(newsroom.gets_form("/join", "", long).0, 413);
}

/// Sends many forms on one connection, and gives how many were answered with 200 and with 429.
fn floods(newsroom: &Newsroom, forms: impl Iterator<Item = (String, String)>) -> (usize, usize) {
    let address = newsroom.base_url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    let (mut taken, mut refused) = (0, 0);
    let mut forms = forms.peekable();
    while forms.peek().is_some() {
        let (mut sent, mut requests) = (0, String::new());
        for (client, form) in forms.by_ref().take(200) {
            let _ = write!(
                requests,
                "POST /join HTTP/1.1\r\nHost: {address}\r\nX-Forwarded-For: {client}\r\nContent-Length: {}\r\n\r\n{form}",
                form.len()
            );
            sent += 1;
        }
        stream.write_all(requests.as_bytes()).unwrap();
        for _ in 0..sent {
            let (mut line, mut length) = (String::new(), 0);
            answers.read_line(&mut line).unwrap();
            match &line[9..12] {
                "200" => taken += 1,
                "429" => refused += 1,
                _ => panic!("{line}"),
            }
            while line != "\r\n" {
                line.clear();
                answers.read_line(&mut line).unwrap();
                if let Some(bytes) = line.strip_prefix("content-length: ") {
                    length = bytes.trim().parse().unwrap();
                }
            }
            answers.by_ref().take(length).read_to_end(&mut Vec::new()).unwrap();
        }
    }
    (taken, refused)
}

#[test]
fn twenty_thousand_forms_make_no_more_letters_than_the_settings_allow() {
    // So few that none is added while the story lasts.
    let mut newsroom = Newsroom::closed("[joining]\nper_network = 2\nper_hour = 3\n");
    newsroom.starts();
    let ticket = ticket(&newsroom);
    let form = |n: u32| encoded(&[("address", &format!("victim{n}@example.org")), ("ticket", &ticket)]);
    // One machine that says that it is many: only our own web server is believed, and that is the last hop.
    let one = (0..10_000_u32).map(|n| {
        let forged = std::net::Ipv4Addr::from(0x0b00_0000 + n * 256);
        (format!("{forged}, 203.0.113.7"), form(n))
    });
    let many = (10_000..20_000_u32).map(|n| (std::net::Ipv4Addr::from(n * 256).to_string(), form(n)));
    assert_eq!(floods(&newsroom, one), (2, 9_998));
    assert_eq!(floods(&newsroom, many), (1, 9_999));
    let ledger = newsroom.ledger();
    until("all wishes to be dealt with", || ledger.count(Standing::Pending).unwrap() == 3);
    until("the letters", || newsroom.sink.letters() == 3);
    newsroom.after(SignedDuration::from_mins(61));
    assert_eq!(joins(&newsroom, "li@example.org").0, 200, "an hour later there is room for others");
    newsroom.sink.letters_to("li@example.org", 1);
    assert_eq!((ledger.count(Standing::Pending).unwrap(), newsroom.sink.letters()), (4, 4));
}

#[test]
fn when_too_many_have_not_answered_nobody_else_is_asked_for_a_week() {
    let mut newsroom = Newsroom::closed("[joining]\nmost_pending = 2\n");
    newsroom.starts();
    for name in ["a", "b", "c", "a"] {
        assert_eq!(joins(&newsroom, &format!("{name}@example.org")).0, 200);
    }
    newsroom.sink.letters_to("a@example.org", 1);
    newsroom.sink.letters_to("b@example.org", 1);
    newsroom.after(SignedDuration::from_hours(7 * 24 + 1));
    joins(&newsroom, "d@example.org");
    newsroom.sink.letters_to("d@example.org", 1);
    assert_eq!(standing(&newsroom, "c@example.org"), None);
    assert_eq!(newsroom.sink.letters(), 3);
}

#[test]
fn an_old_letter_that_asks_says_how_to_ask_anew() {
    let newsroom = Newsroom::opens();
    joins(&newsroom, "li@example.org");
    let confirm = link(&newsroom, "li@example.org", 1, "confirm");
    newsroom.after(SignedDuration::from_hours(7 * 24 + 1));
    for (status, _, body) in [newsroom.asks("GET", &confirm, ""), newsroom.gets_form(&confirm, "", "")] {
        let shown = text(body);
        assert!(status == 410 && shown.contains("more than a week old"), "{shown}");
        assert!(shown.contains(&format!("href=\"{}join\"", newsroom.base_url())), "{shown}");
    }
    assert_eq!(standing(&newsroom, "li@example.org"), Some(Standing::Pending));
    joins(&newsroom, "li@example.org");
    let confirm = link(&newsroom, "li@example.org", 2, "confirm");
    assert_eq!(newsroom.gets_form(&confirm, "", "").0, 200);
    assert_eq!(standing(&newsroom, "li@example.org"), Some(Standing::Confirmed));
}

#[test]
fn whoever_never_asked_is_offered_to_be_left_alone() {
    let newsroom = Newsroom::opens();
    joins(&newsroom, "wang@example.org");
    let never = link(&newsroom, "wang@example.org", 1, "leave");
    let (_, _, body) = newsroom.asks("GET", &never, "");
    assert!(text(body).contains("It was not me: never again"));
    assert_eq!(standing(&newsroom, "wang@example.org"), Some(Standing::Pending));
    for _ in 0..2 {
        let (status, _, body) = newsroom.gets_form(&never, "", "");
        assert!(status == 200 && text(body).contains("no letter goes to this address any more"));
    }
    newsroom.after(SignedDuration::from_hours(50));
    assert_eq!(joins(&newsroom, "wang@example.org").0, 200);
    joins(&newsroom, "last@example.org");
    newsroom.sink.letters_to("last@example.org", 1);
    assert_eq!(newsroom.sink.offers_to("wang@example.org"), 1);
}

#[test]
fn a_token_that_was_forged_or_made_for_something_else_opens_nothing() {
    let newsroom = Newsroom::with_subscribers(["li@example.org", "wang@example.org"]);
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    let key = newsroom.letterhead().leave_key;
    let li = SubscriberId(1);
    let (own, private, leave) = (key.preferences(li), key.private(li), key.token(li));
    assert_eq!(newsroom.asks("GET", &format!("/preferences/{own}"), "").0, 200);
    assert_eq!(newsroom.asks("GET", &format!("/private/{private}/feed.xml"), "").0, 200);
    for token in [&private, &leave, &own.replace("1-", "2-"), &format!("{own}0"), "x", "-", "%00", "%ff"] {
        assert!(matches!(newsroom.asks("GET", &format!("/preferences/{token}"), "").0, 400 | 404), "{token}");
        let (status, ..) = newsroom.gets_form(&format!("/preferences/{token}"), "", "pace=monthly");
        assert!(matches!(status, 400 | 404), "{token}");
    }
    for token in [&own, &leave, &private.replace("1-", "2-"), "x"] {
        for name in ["feed.xml", "opds.xml"] {
            assert_eq!(newsroom.asks("GET", &format!("/private/{token}/{name}"), "").0, 404, "{token}");
        }
    }
    for token in [&own, &private] {
        assert_eq!(newsroom.gets_form(&format!("/leave/{token}"), "", "").0, 404, "{token}");
        assert_eq!(newsroom.gets_form(&format!("/confirm/{token}"), "", "").0, 404, "{token}");
    }
    assert_eq!(known(&newsroom, "wang@example.org").unwrap().preferences.pace, Pace::Each);
    assert_eq!(standing(&newsroom, "li@example.org"), Some(Standing::Confirmed));
}

/// An issue with a section for each of these articles.
fn in_sections(articles: &[(&str, &str)]) -> String {
    let article = |(section, headline): &(&str, &str)| {
        format!(
            "---\ntitle: {headline}\nsection: {section}\n---\n\n# {headline}\n\nSome words of {headline}.\n"
        )
    };
    articles.iter().map(article).collect()
}

fn guids(feed: &[u8]) -> BTreeSet<String> {
    feed_rs::parser::parse(feed).unwrap().entries.into_iter().map(|entry| entry.id).collect()
}

#[test]
fn a_reader_has_a_feed_and_a_catalogue_of_what_he_or_she_chose_until_leaving() {
    let newsroom = Newsroom::with_subscribers(["li@example.org"]);
    newsroom.saves("a.md", in_sections(&[("Harbour", "The ferry is late")])).is_out("a", 1);
    newsroom.saves("b.md", in_sections(&[("Letters", "On fog")])).is_out("b", 1);
    let key = newsroom.letterhead().leave_key;
    let li = known(&newsroom, "li@example.org").unwrap();
    let own = format!("/preferences/{}", key.preferences(li.id));
    let (feed, books) =
        ["feed.xml", "opds.xml"].map(|name| format!("/private/{}/{name}", key.private(li.id))).into();
    let public = guids(&newsroom.outbox_file("feed.xml"));
    let (status, head, body) = newsroom.asks("GET", &feed, "");
    assert_eq!((status, guids(&body)), (200, public.clone()), "who chose nothing has all");
    assert!(head.to_lowercase().contains("cache-control: private"), "{head}");
    assert!(text(body).contains(&format!(
        "href=\"{}{}\"",
        newsroom.base_url(),
        feed.trim_start_matches('/')
    )));

    let (_, _, body) = newsroom.asks("GET", &own, "");
    let shown = text(body);
    assert!(shown.contains("value=\"harbour\"") && shown.contains("value=\"letters\""), "{shown}");
    newsroom.gets_form(&own, "", "section=harbour&pace=monthly");
    assert_eq!(
        known(&newsroom, "li@example.org").unwrap().preferences.wish.sections,
        Sections::of(["harbour"])
    );
    let (_, head, body) = newsroom.asks("GET", &feed, "");
    let chosen = guids(&body);
    assert!(chosen.len() == 1 && chosen.is_subset(&public), "{chosen:?}");
    let tag =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("etag: ").map(str::to_owned)).unwrap();
    assert_eq!(newsroom.asks("GET", &feed, &format!("If-None-Match: {tag}\r\n")).0, 304);
    let (status, head, body) = newsroom.asks("GET", &books, "");
    assert!(status == 200 && head.contains("kind=acquisition"), "{head}");
    let all = guids(&newsroom.outbox_file("opds/root.xml"));
    assert!(guids(&body).len() == 1 && guids(&body).is_subset(&all));

    newsroom.ledger().leave(li.id, newsroom.now()).unwrap();
    assert_eq!([&feed, &books].map(|path| newsroom.asks("GET", path, "").0), [410, 410]);
}

#[test]
fn the_form_is_shown_only_where_letters_can_reach_those_who_fill_it_in() {
    let mut newsroom = Newsroom::closed("");
    newsroom.sets("publication", "base_url = \"https://tide.example.org/\"");
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    let link = "href=\"https://tide.example.org/join\"";
    for path in ["index.html", "feeds.html", "issues/a/index.html"] {
        assert!(newsroom.outbox_text(path).contains(link), "{path}");
    }
    newsroom.all_is_well();
    // Without a mail server a page on the web would promise a letter that nobody gets.
    let alone = tempfile::tempdir().unwrap();
    let file = alone.path().join("gazetted.toml");
    let base_url = "base_url = \"https://tide.example.org/\"\n";
    for (settings, shown) in [
        (format!("[publication]\n{base_url}"), false),
        (format!("[publication]\n{base_url}[mail]\nserver = \"smtp.example.org:587\"\n"), true),
        ("[publication]\n".to_owned(), true),
    ] {
        std::fs::write(&file, &settings).unwrap();
        let opened = gazetted::config::Newsroom::open(&file, []).unwrap();
        let publication = opened.publication("127.0.0.1:8080".parse().unwrap());
        assert_eq!(publication.join_url().is_some(), shown, "{settings}");
    }
    let mut closed = Newsroom::closed("[joining]\nform = false\n");
    closed.starts();
    closed.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    for path in ["index.html", "feeds.html", "issues/a/index.html"] {
        assert!(!closed.outbox_text(path).contains("/join\""), "{path}");
    }
    assert_eq!(closed.asks("GET", "/join", "").0, 404);
    assert_eq!(closed.gets_form("/join", "", "address=li@example.org").0, 404);
}

#[test]
fn no_bytes_in_a_form_are_a_fault_of_ours() {
    let newsroom = Newsroom::with_subscribers(["li@example.org"]);
    let ticket = ticket(&newsroom);
    let own = format!("/preferences/{}", newsroom.letterhead().leave_key.preferences(SubscriberId(1)));
    let piece = prop_oneof![
        Just(b"&address=".to_vec()),
        Just(b"li@example.org".to_vec()),
        Just(b"&device=li@kindle.com&form=kindle".to_vec()),
        Just(b"&section=".to_vec()),
        Just(b"&language=".to_vec()),
        Just(b"%E7%90%86%FF%00%1a&pace=".to_vec()),
        prop::collection::vec(any::<u8>(), 0..60),
    ];
    let bodies = prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat());
    let mut runner = TestRunner::new(Config { cases: 96, failure_persistence: None, ..Config::default() });
    runner
        .run(&bodies, |body| {
            let with_ticket = [format!("ticket={ticket}&").as_bytes(), &body].concat();
            for (path, body) in [("/join", &body), ("/join", &with_ticket), (own.as_str(), &body)] {
                let (status, ..) = newsroom.gets_form(path, "", body);
                prop_assert!(matches!(status, 200 | 422 | 429), "{} {:?}", status, body);
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_reader_joins_chooses_and_leaves_in_a_browser_and_finds_no_fault() {
    let newsroom = Newsroom::opens();
    newsroom.saves("a.md", in_sections(&[("Harbour", "The ferry is late")])).is_out("a", 1);
    newsroom.saves("b.md", in_sections(&[("Letters", "On fog")])).is_out("b", 1);
    newsroom
        .saves(
            "c.md",
            "---\ntitle: 潮水\nlanguage: zh-Hans\nsection: Harbour\n---\n\n# 潮水\n\n早上的潮水退得很远。\n",
        )
        .is_out("c", 1);
    let Some(mut browser) = Browser::opens(&newsroom, true) else { return };
    browser
        .goes_to("/")
        .presses("a[href$='/join']", 200)
        .sees("#device", false)
        .sees("#language-zh-Hans", true);
    browser.finds_no_fault("join");
    browser.fills("#address", "li@example.org").chooses("#form-kindle").sees("#device", true);
    browser.fills("#device", "li@somewhere.org").presses("#button", 422).finds_no_fault("join-wrong");
    browser
        .reads(".problems", "Type the address of a Kindle")
        .chooses("#form-html")
        .chooses("#section-harbour");
    newsroom.after(SignedDuration::from_secs(10));
    browser.presses("#button", 200).reads("h1", "Now look into your mailbox").finds_no_fault("join-asked");

    let confirm = link(&newsroom, "li@example.org", 1, "confirm");
    browser.goes_to(&confirm).finds_no_fault("confirm").presses("main button", 200);
    browser.finds_no_fault("confirmed").presses("main .question a", 200).finds_no_fault("preferences");
    browser.chooses("#pace-weekly").presses("#button", 200).reads("[role=status]", "Saved.");
    browser.finds_no_fault("preferences-saved");
    let li = known(&newsroom, "li@example.org").unwrap();
    assert_eq!((li.standing, li.preferences.pace), (Standing::Confirmed, Pace::Weekly));
    assert_eq!(li.preferences.wish.sections, Sections::of(["harbour"]));

    browser.presses(".leaving button", 200).reads("h1", "no more letters").finds_no_fault("left");
    assert_eq!(standing(&newsroom, "li@example.org"), Some(Standing::Left));
}

#[test]
fn a_reader_of_chinese_needs_no_scripts_to_join_choose_and_leave() {
    let mut newsroom = Newsroom::closed("");
    newsroom.sets("publication", "language = \"zh-Hans\"");
    newsroom.starts();
    let Some(mut browser) = Browser::opens(&newsroom, false) else { return };
    browser.goes_to("/join").reads("h1", "邮件订阅").finds_no_fault("zh-join");
    browser.fills("#address", "li@example.org").chooses("#pace-daily");
    // However slow the browser, no time has passed.
    newsroom.after(SignedDuration::from_mins(-30));
    browser.presses("#button", 422).reads(".problems", "再按一次").finds_no_fault("zh-join-quick");
    newsroom.after(SignedDuration::from_mins(31));
    browser.presses("#button", 200).finds_no_fault("zh-join-asked");
    let confirm = link(&newsroom, "li@example.org", 1, "confirm");
    browser.goes_to(&confirm).presses("main button", 200).presses("main .question a", 200);
    browser.chooses("#pace-weekly").presses("#button", 200).finds_no_fault("zh-preferences");
    assert_eq!(known(&newsroom, "li@example.org").unwrap().preferences.pace, Pace::Weekly);
    browser.presses(".leaving button", 200).reads("h1", "已退订");
    assert_eq!(standing(&newsroom, "li@example.org"), Some(Standing::Left));
}
