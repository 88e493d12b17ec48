//! A `WebSub` hub hears of what comes out.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    sync::mpsc,
    thread,
};

use crate::{
    configuring::gazetted,
    newsroom::{Newsroom, PATIENCE, page},
};

/// A hub that takes everything, and passes on what it is told.
fn hub() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/publish?to=all", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            while lines.read_line(&mut head).is_ok_and(|n| n > 2) {}
            for line in head.lines() {
                if let Some(n) = line.to_lowercase().strip_prefix("content-length:") {
                    length = n.trim().parse().unwrap();
                }
            }
            let mut form = vec![0; length];
            lines.read_exact(&mut form).unwrap();
            stream.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").unwrap();
            let first = head.lines().next().unwrap_or_default();
            let _ = tell.send(format!("{first} {}", String::from_utf8(form).unwrap()));
        }
    });
    (address, told)
}

#[test]
fn a_hub_is_told_of_an_issue_and_of_its_correction_by_both_names() {
    let (address, told) = hub();
    let mut newsroom = Newsroom::closed("");
    newsroom.sets("publication", &format!("hub = \"{address}\""));
    newsroom.starts();
    for (words, version) in [("on Mondays", 1), ("on Tuesdays", 2)] {
        newsroom.saves("a.md", page("Frost", &format!("The bell is rung {words}."))).is_out("a", version);
        for topic in ["feed.xml", "feed%2Fatom.xml", "feed%2Ffeed.json"] {
            let said = told.recv_timeout(PATIENCE).unwrap();
            assert!(said.starts_with("POST /publish?to=all HTTP/1.1 hub.mode=publish&hub.topic="), "{said}");
            assert_eq!(said.matches(topic).count(), 2, "{said}");
        }
    }
    assert!(newsroom.outbox_text("feed.xml").contains(&format!("href=\"{address}\"")));
    let (_, head, _) = newsroom.asks("GET", "/feed.xml", "");
    assert!(head.contains("rel=\"hub\"") && head.contains("rel=\"self\""), "{head}");
    let feed = feed_rs::parser::parse(&newsroom.outbox_file("feed/atom.xml")[..]).unwrap();
    assert!(feed.links.iter().any(|link| link.rel.as_deref() == Some("hub") && link.href == address));
}

#[test]
fn a_hub_is_told_of_what_is_done_by_hand_without_a_daemon_too() {
    let (address, told) = hub();
    let mut newsroom = Newsroom::closed("");
    newsroom.sets("publication", &format!("hub = \"{address}\""));
    newsroom.saves("a.md", page("Frost", "The bell is rung.")).saves("bad.md", "");
    let root = newsroom.folder.path();
    let heard = || {
        for _ in ["RSS", "Atom", "JSON"] {
            told.recv_timeout(PATIENCE).unwrap();
        }
    };
    assert_eq!(gazetted(root, &["publish", "inbox/a.md", "inbox/bad.md"]).0, 1);
    heard();
    for command in ["withdraw", "reinstate"] {
        assert_eq!(gazetted(root, &["issues", command, "a"]).0, 0);
        heard();
    }
    // What changes nothing is told to nobody.
    assert_eq!(gazetted(root, &["publish", "inbox/a.md"]).0, 0);
    assert_eq!(gazetted(root, &["issues", "reinstate", "a"]).0, 0);
    assert!(told.try_recv().is_err());
    // That nobody listens is said, and is no failure.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = newsroom.path("config/gazetted.toml");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, text.replace(&address, &format!("http://{nobody}/"))).unwrap();
    newsroom.saves("a.md", page("Frost", "The bell is rung twice."));
    let (code, said) = gazetted(newsroom.folder.path(), &["publish", "inbox/a.md"]);
    assert!(code == 0 && said.contains("the hub 127.0.0.1 could not be told"), "{said}");
}

#[test]
fn a_hub_that_never_answers_keeps_no_reader_waiting() {
    // It takes connections and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut newsroom = Newsroom::closed("");
    newsroom.sets("publication", &format!("hub = \"http://{}/\"", listener.local_addr().unwrap()));
    newsroom.enters(&["li@example.org"]);
    newsroom.starts();
    for n in 1..=3 {
        newsroom.saves(&format!("{n}.md"), page("Frost", &format!("The bell is rung {n} times.")));
        newsroom.is_out(&n.to_string(), 1);
    }
    newsroom.sink.letters_to("li@example.org", 3);
    newsroom.stops();
    drop(listener);
}
