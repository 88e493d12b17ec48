//! Readers' programs are served the outbox, and nothing else.

use std::{
    fs,
    io::{Read as _, Write as _},
};

use crate::newsroom::{Newsroom, page};

fn header(head: &str, name: &str) -> Option<String> {
    let prefix = format!("{name}: ");
    head.lines()
        .find_map(|line| line.to_lowercase().starts_with(&prefix).then(|| line[prefix.len()..].to_owned()))
}

#[test]
fn every_file_has_its_type_and_a_tag_that_saves_the_second_reading() {
    let newsroom = Newsroom::opens();
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    for (path, media_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/issues/a/", "text/html; charset=utf-8"),
        ("/feed.xml", "application/xml; charset=utf-8"),
        ("/latest.epub", "application/epub+zip"),
        ("/robots.txt", "text/plain; charset=utf-8"),
    ] {
        let (status, head, body) = newsroom.asks("GET", path, "");
        assert_eq!((status, header(&head, "content-type").as_deref()), (200, Some(media_type)), "{path}");
        assert_eq!(header(&head, "content-length").unwrap(), body.len().to_string());
        let tag = header(&head, "etag").unwrap();
        let (status, _, body) = newsroom.asks("GET", path, &format!("If-None-Match: W/\"x\", {tag}\r\n"));
        assert_eq!((status, body.len()), (304, 0), "{path}");
        let (status, head_only, body) = newsroom.asks("HEAD", path, "");
        assert_eq!((status, body.len()), (200, 0));
        assert_eq!(header(&head_only, "content-length"), header(&head, "content-length"));
    }
    newsroom.saves("a.md", page("One", "The corrected words.")).is_out("a", 2);
    assert!(String::from_utf8(newsroom.asks("GET", "/feed.xml", "").2).unwrap().contains("corrected words"));
}

#[test]
fn nothing_but_the_outbox_can_be_reached() {
    let newsroom = Newsroom::opens();
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    for path in [
        "/../data/ledger.db",
        "/%2e%2e/data/ledger.db",
        "/..%2fdata/leave.key",
        "//etc/passwd",
        "/.tmp-1",
        "/issues/../feed.xml",
        "/issues/a/..",
        "/nothing",
        "/feed.xml/",
        "/a%00b",
        "/\\..\\x",
    ] {
        assert_eq!(newsroom.asks("GET", path, "").0, 404, "{path}");
    }
    assert_eq!(newsroom.asks("POST", "/feed.xml", "Content-Length: 0\r\n").0, 405);
    let (status, head, _) = newsroom.asks("GET", "/issues/a", "");
    assert_eq!((status, header(&head, "location").as_deref()), (301, Some("/issues/a/")));
}

#[test]
fn the_newsroom_says_that_it_is_well_until_its_outbox_is_gone() {
    let newsroom = Newsroom::opens();
    assert_eq!(newsroom.asks("GET", "/healthz", "").0, 200);
    std::fs::remove_dir_all(newsroom.path("outbox")).unwrap();
    let (status, _, body) = newsroom.asks("GET", "/healthz", "");
    assert_eq!((status, &body[..]), (503, &b"the outbox is not there\n"[..]));
}

#[test]
fn a_newsroom_stops_while_a_client_has_sent_half_a_request() {
    let mut newsroom = Newsroom::opens();
    let address = newsroom.base_url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let mut client = std::net::TcpStream::connect(address).unwrap();
    client.write_all(b"GET /feed.xml HTTP/1.1\r\nHost:").unwrap();
    newsroom.stops();
    let mut rest = Vec::new();
    let _ = client.read_to_end(&mut rest);
    assert!(!String::from_utf8_lossy(&rest).contains("200 OK"));
}

#[test]
fn a_reader_is_sent_the_packed_form_that_its_program_takes() {
    let newsroom = Newsroom::opens();
    newsroom.saves("a.md", page("First frost", &"The bell is rung. ".repeat(1200))).is_out("a", 1);
    let plain = newsroom.outbox_file("feed.xml");
    let asks = |accepts: &str| newsroom.asks("GET", "/feed.xml", &format!("Accept-Encoding: {accepts}\r\n"));
    for (accepts, coding, extension) in [
        ("br", "br", "br"),
        ("gzip, deflate", "gzip", "gz"),
        ("zstd", "zstd", "zst"),
        ("*;q=0.1, br;q=0, zstd;q=0.0", "gzip", "gz"),
    ] {
        let (status, head, body) = asks(accepts);
        assert_eq!((status, header(&head, "content-encoding").as_deref()), (200, Some(coding)), "{accepts}");
        assert_eq!(header(&head, "vary").as_deref(), Some("accept-encoding"));
        assert!(header(&head, "content-type").unwrap().starts_with("application/xml"));
        assert!(body.len() < plain.len() / 2);
        assert_eq!(body, fs::read(newsroom.path(&format!("outbox/feed.xml.{extension}"))).unwrap());
    }
    for accepts in ["identity", "", "br;q=0, gzip;q=0, zstd;q=0", "deflate"] {
        let (status, head, body) = asks(accepts);
        assert_eq!((status, header(&head, "content-encoding")), (200, None), "{accepts}");
        assert_eq!(body, plain);
    }
    let tags: Vec<_> =
        ["br", "gzip", "identity"].map(|accepts| header(&asks(accepts).1, "etag").unwrap()).into();
    assert!(tags[0] != tags[1] && tags[1] != tags[2], "a tag is of what was sent: {tags:?}");
}
