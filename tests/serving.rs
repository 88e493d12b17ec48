//! Readers' programs are served the outbox, and nothing else.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use gazetted::{editions::Edition, outbox::Outbox};

use crate::{
    configuring::gazetted,
    newsroom::{Newsroom, PATIENCE, asks, page, until},
};

pub fn header(head: &str, name: &str) -> Option<String> {
    let prefix = format!("{name}: ");
    head.lines()
        .find_map(|line| line.to_lowercase().starts_with(&prefix).then(|| line[prefix.len()..].to_owned()))
}

/// The lines of a head, but for the time of the answer and the date of a file that becomes certain after a second.
fn without_date(head: &str) -> Vec<String> {
    let lines = head.lines().map(str::to_lowercase);
    let mut lines: Vec<_> =
        lines.filter(|line| !line.starts_with("date: ") && !line.starts_with("last-modified: ")).collect();
    lines.sort();
    lines
}

/// A connection that stays open for one request after the other.
struct Client(BufReader<TcpStream>);

impl Client {
    fn connects(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    fn asks(&mut self, path: &str, headers: &str) -> (u16, String, Vec<u8>) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.0.read_line(&mut head).unwrap(), 0, "closed after {head:?}");
        }
        let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), head, body)
    }
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
        assert_eq!(without_date(&head_only), without_date(&head), "{path}");
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
        "//feed.xml",
        "/./feed.xml",
        "/feed%2exml",
        "/%66eed.xml",
        "/feed.xml%00.html",
        "/FEED.XML",
        "/feed.xml;x",
        "/..;/feed.xml",
        "/%c0%ae%c0%ae/feed.xml",
        "/%ff",
        "http://elsewhere.example/../data/ledger.db",
    ] {
        assert_eq!(newsroom.asks("GET", path, "").0, 404, "{path}");
    }
    for (method, path, status) in [
        ("GET", "/feed.xml?utm_source=..%2f..", 200),
        ("GET", "http://elsewhere.example/feed.xml", 200),
        ("OPTIONS", "*", 405),
        ("CONNECT", "data:443", 405),
        ("TRACE", "/feed.xml", 405),
        ("GET", "feed.xml", 400),
    ] {
        assert_eq!(newsroom.asks(method, path, "").0, status, "{method} {path}");
    }
    assert_eq!(newsroom.asks("POST", "/feed.xml", "Content-Length: 0\r\n").0, 405);
    let (status, head, _) = newsroom.asks("GET", "/issues/a", "");
    assert_eq!((status, header(&head, "location").as_deref()), (301, Some("/issues/a/")));
}

#[test]
fn the_newsroom_says_that_it_is_well_until_its_outbox_is_gone() {
    let newsroom = Newsroom::opens();
    assert_eq!(newsroom.asks("GET", "/healthz", "").0, 200);
    until("the newsroom to be ready", || newsroom.asks("GET", "/readyz", "").2 == b"ready\n");
    std::fs::remove_dir_all(newsroom.path("outbox")).unwrap();
    let (status, _, body) = newsroom.asks("GET", "/healthz", "");
    assert_eq!((status, &body[..]), (503, &b"the outbox is not there\n"[..]));
    let words = b"the outbox cannot be written\n";
    until("the newsroom to say so", || newsroom.asks("GET", "/readyz", "").2 == words);
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
        ("gzip;q=0.9, br;q=0.2, identity;q=0.1", "gzip", "gz"),
        ("identity;q=0, *;q=0.5, gzip;q=1.0", "gzip", "gz"),
    ] {
        let (status, head, body) = asks(accepts);
        assert_eq!((status, header(&head, "content-encoding").as_deref()), (200, Some(coding)), "{accepts}");
        assert_eq!(header(&head, "vary").as_deref(), Some("accept-encoding"));
        assert!(header(&head, "content-type").unwrap().starts_with("application/xml"));
        assert!(body.len() < plain.len() / 2);
        assert_eq!(body, fs::read(newsroom.path(&format!("outbox/feed.xml.{extension}"))).unwrap());
    }
    for accepts in ["identity", "", "br;q=0, gzip;q=0, zstd;q=0", "deflate", "identity, gzip;q=0.5"] {
        let (status, head, body) = asks(accepts);
        assert_eq!((status, header(&head, "content-encoding")), (200, None), "{accepts}");
        assert_eq!(body, plain);
    }
    for accepts in ["identity;q=0", "*;q=0"] {
        let (status, head, _) = asks(accepts);
        assert_eq!((status, header(&head, "vary").as_deref()), (406, Some("accept-encoding")), "{accepts}");
    }
    let tags: Vec<_> =
        ["br", "gzip", "identity"].map(|accepts| header(&asks(accepts).1, "etag").unwrap()).into();
    assert!(tags[0] != tags[1] && tags[1] != tags[2], "a tag is of what was sent: {tags:?}");
}

#[test]
fn what_a_program_knows_is_not_sent_again_and_its_tag_counts_before_its_date() {
    let newsroom = Newsroom::opens();
    newsroom.saves("a.md", page("One", &"The first words. ".repeat(200))).is_out("a", 1);
    let mut date = None;
    // A file that changed in this very second has no date yet, because it may change in it again.
    until("the feed to have a date", || {
        date = header(&newsroom.asks("GET", "/feed.xml", "Accept-Encoding: gzip\r\n").1, "last-modified");
        date.is_some()
    });
    let (date, asks) = (date.unwrap(), |headers: &str| newsroom.asks("GET", "/feed.xml", headers));
    let (_, head, _) = asks("Accept-Encoding: gzip\r\n");
    let tag = header(&head, "etag").unwrap();
    let plain = header(&asks("").1, "etag").unwrap();
    for (asked, status) in [
        (format!("Accept-Encoding: gzip\r\nIf-None-Match: {tag}\r\n"), 304),
        (format!("If-None-Match: {tag}\r\n"), 200),
        (format!("If-None-Match: {plain}\r\n"), 304),
        (format!("If-Modified-Since: {date}\r\n"), 304),
        (format!("If-Modified-Since: {date}\r\nIf-None-Match: \"old\"\r\n"), 200),
        (format!("If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\nIf-None-Match: {plain}\r\n"), 304),
        ("If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n".to_owned(), 200),
        (format!("If-Match: {plain}\r\n"), 200),
        ("If-Match: \"old\"\r\n".to_owned(), 412),
        ("If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n".to_owned(), 412),
    ] {
        let (answered, head, body) = asks(&asked);
        assert_eq!(answered, status, "{asked}");
        if answered == 304 {
            assert!(body.is_empty() && header(&head, "content-encoding").is_none());
            let told = ["etag", "vary", "cache-control", "last-modified"].map(|name| header(&head, name));
            assert_eq!(told[1..].iter().flatten().count(), 3, "{head}");
            assert_eq!(told[0].as_deref(), Some(if asked.contains("gzip") { &*tag } else { &*plain }));
        }
    }
}

#[test]
fn a_book_is_had_in_parts_and_the_parts_make_the_book() {
    let newsroom = Newsroom::opens();
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    // So long that it is sent from the disk, a piece at a time.
    let long: Vec<u8> = (0..9_000_001_u32).map(|n| n.to_le_bytes()[(n % 3) as usize]).collect();
    fs::write(newsroom.path("outbox/issues/a/long.epub"), &long).unwrap();
    for (path, book) in
        [("/latest.epub", newsroom.outbox_file("latest.epub")), ("/issues/a/long.epub", long.clone())]
    {
        let (status, head, whole) = newsroom.asks("GET", path, "Accept-Encoding: gzip\r\n");
        assert_eq!((status, header(&head, "accept-ranges").as_deref()), (200, Some("bytes")));
        assert!(whole == book, "{path}");
        let tag = header(&head, "etag").unwrap();
        let (_, head_only, _) = newsroom.asks("HEAD", path, "Range: bytes=0-9\r\n");
        assert_eq!(without_date(&head_only), without_date(&head), "HEAD knows no parts");
        let (middle, last) = (book.len() / 2, book.len() - 1);
        let mut joined = Vec::new();
        for range in [format!("0-{}", middle - 1), format!("{middle}-")] {
            let asked = format!("Range: bytes={range}\r\nIf-Range: {tag}\r\n");
            let (status, head, part) = newsroom.asks("GET", path, &asked);
            let expected = format!("bytes {}-{}/{}", joined.len(), joined.len() + part.len() - 1, book.len());
            assert_eq!((status, header(&head, "content-range")), (206, Some(expected)));
            assert_eq!(header(&head, "content-length").unwrap(), part.len().to_string());
            assert_eq!(header(&head, "etag").unwrap(), tag);
            joined.extend(part);
        }
        assert!(joined == book, "{path}");
        let (status, _, end) = newsroom.asks("GET", path, "Range: bytes=-1\r\n");
        assert_eq!((status, end), (206, vec![book[last]]));
        for (asked, status) in [
            (format!("Range: bytes={}-\r\n", book.len()), 416),
            ("Range: bytes=0-1\r\nIf-Range: \"old\"\r\n".to_owned(), 200),
            ("Range: bytes=0-1,5-6\r\n".to_owned(), 200),
            ("Range: pages=1-2\r\n".to_owned(), 200),
            (format!("Range: bytes=0-1\r\nIf-None-Match: {tag}\r\n"), 304),
        ] {
            let (answered, head, body) = newsroom.asks("GET", path, &asked);
            assert_eq!(answered, status, "{asked}");
            assert_eq!(answered == 200, body == book, "{asked}");
            let range = (status == 416).then(|| format!("bytes */{}", book.len()));
            assert_eq!(header(&head, "content-range"), range);
        }
    }
    let (status, _, feed) = newsroom.asks("GET", "/feed.xml", "Range: bytes=0-1\r\n");
    assert_eq!((status, feed), (200, newsroom.outbox_file("feed.xml")), "nobody means half a feed");
}

#[test]
fn what_another_process_puts_out_or_takes_away_is_so_for_the_very_next_reader() {
    let newsroom = Newsroom::opens();
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    let asks = |path: &str| newsroom.asks("GET", path, "");
    let feed = || String::from_utf8(asks("/feed.xml").2).unwrap();
    until("the feed to be in memory", || {
        feed();
        !newsroom.figures().contains("gazetted_http_documents 0")
    });
    assert_eq!(asks("/issues/a/").0, 200);
    fs::write(newsroom.path("b.md"), page("Two", "The second words.")).unwrap();
    let (code, said) = gazetted(&newsroom.path(""), &["publish", "b.md"]);
    assert_eq!(code, 0, "{said}");
    assert!(feed().contains("second words"), "it is in the first answer after the publish");
    assert_eq!(asks("/issues/b/").0, 200);
    let (code, said) = gazetted(&newsroom.path(""), &["issues", "withdraw", "a"]);
    assert_eq!(code, 0, "{said}");
    assert!(!feed().contains("first words"));
    assert_eq!(asks("/issues/a/").0, 410);
}

#[test]
fn what_a_strangers_hand_changes_in_the_outbox_is_served_after_a_moment() {
    let newsroom = Newsroom::opens();
    let robots = || newsroom.asks("GET", "/robots.txt", "").2;
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    assert_eq!(robots(), newsroom.outbox_file("robots.txt"));
    fs::write(newsroom.path("outbox/robots.txt"), "User-agent: *\nDisallow: /\n").unwrap();
    until("the new rules", || robots() == b"User-agent: *\nDisallow: /\n");
    fs::remove_file(newsroom.path("outbox/robots.txt")).unwrap();
    until("no rules", || newsroom.asks("GET", "/robots.txt", "").0 == 404);
}

#[test]
fn while_the_outbox_changes_all_the_time_every_answer_is_whole_and_leads_to_what_is_there() {
    const CHANGES: u64 = 120;
    let newsroom = Newsroom::opens();
    // When an issue is out, the daemon has swept away what a crash might have left half-written: it would take ours for that.
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    let stamp = newsroom.path("data/outbox.stamp");
    let outbox = Outbox::open(&newsroom.path("outbox")).unwrap().stamped(&stamp).unwrap();
    // A list whose first line is the hash of the rest, and which leads to a page.
    let list = |n: u64| {
        let rest = format!("leads to page-{n}.html\n{}", format!("line of {n}\n").repeat(4000));
        let bytes = format!("{}\n{rest}", blake3::hash(rest.as_bytes()).to_hex()).into_bytes();
        Edition { path: "list.html".to_owned(), bytes }
    };
    let leaf = |n: u64| Edition { path: format!("page-{n}.html"), bytes: format!("page {n}\n").into_bytes() };
    outbox.put([&leaf(0), &list(0)]).unwrap();
    let (over, answers) = (AtomicBool::new(false), AtomicU64::new(0));
    let reads = |packed: bool| {
        let mut client = Client::connects(newsroom.address());
        let mut newest = 0;
        while !over.load(Ordering::Relaxed) {
            let accepts = if packed { "Accept-Encoding: gzip\r\n" } else { "" };
            let (status, head, body) = client.asks("/list.html", accepts);
            assert_eq!(status, 200, "{head}");
            let tag = format!("\"{}\"", &blake3::hash(&body).to_hex()[..32]);
            assert_eq!(header(&head, "etag"), Some(tag), "the tag is that of what was sent");
            let mut text = String::new();
            if packed {
                assert_eq!(header(&head, "content-encoding").as_deref(), Some("gzip"));
                flate2::read::GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
            } else {
                text = String::from_utf8(body).unwrap();
            }
            let (hash, rest) = text.split_once('\n').unwrap();
            assert_eq!(hash, blake3::hash(rest.as_bytes()).to_hex().as_str(), "a torn answer");
            let name = rest.lines().next().unwrap().trim_start_matches("leads to ");
            let n: u64 = name.trim_start_matches("page-").trim_end_matches(".html").parse().unwrap();
            assert!(n >= newest, "{n} after {newest}");
            newest = n;
            // What is taken away is taken away two changes after nothing leads there.
            assert_eq!(client.asks(&format!("/{name}"), "").0, 200, "{name}");
            answers.fetch_add(1, Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        let readers: Vec<_> =
            [false, true, false, true].map(|packed| scope.spawn(move || reads(packed))).into();
        let mut n = 0;
        while (n < CHANGES || answers.load(Ordering::Relaxed) < 400)
            && readers.iter().all(|r| !r.is_finished())
        {
            n += 1;
            outbox.put([&leaf(n), &list(n)]).unwrap();
            if let Some(old) = n.checked_sub(20) {
                outbox.remove(&format!("page-{old}.html")).unwrap();
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    let figures = newsroom.figures();
    assert!(!figures.contains("gazetted_http_lookups{result=\"found\"} 0\n"), "{figures}");
}

#[test]
fn a_client_that_sends_half_of_something_is_left_and_one_that_rests_between_two_requests_is_not() {
    let newsroom = Newsroom::opens();
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    let mut resting = Client::connects(newsroom.address());
    assert_eq!(resting.asks("/feed.xml", "").0, 200);
    let sends = |bytes: &[u8]| {
        let mut stream = TcpStream::connect(newsroom.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    };
    let mut head = sends(b"GET /feed.xml HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    // Whoever promises a body and sends none holds nobody up: a page that reads none answers without it, and closes.
    let mut body = sends(b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf");
    let mut answer = String::new();
    let _ = body.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    let mut rest = Vec::new();
    let _ = head.read_to_end(&mut rest);
    assert!(!String::from_utf8_lossy(&rest).contains("200 OK"), "it was closed");
    assert_eq!(resting.asks("/feed.xml", "").0, 200, "it still is welcome");
}

#[test]
fn a_head_of_ten_megabytes_is_refused_and_costs_nothing() {
    let newsroom = Newsroom::opens();
    for (line, status) in [("X-Long: ", "431"), ("", "431")] {
        let mut stream = TcpStream::connect(newsroom.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let first = if line.is_empty() { "GET /" } else { "GET / HTTP/1.1\r\nHost: x\r\n" };
        let mut writing = stream.try_clone().unwrap();
        let (line, first) = (line.to_owned(), first.to_owned());
        let sender = std::thread::spawn(move || {
            let piece = "x".repeat(1 << 16);
            // It is not all taken.
            writing.write_all(first.as_bytes()).and_then(|()| writing.write_all(line.as_bytes())).unwrap();
            (0..160).take_while(|_| writing.write_all(piece.as_bytes()).is_ok()).count()
        });
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")) || answer.starts_with("HTTP/1.1 414"),
            "{answer}"
        );
        drop(stream);
        sender.join().unwrap();
    }
    assert_eq!(newsroom.asks("GET", "/healthz", "").0, 200);
    let many = "X-One: 1\r\n".repeat(200);
    assert_eq!(newsroom.asks("GET", "/", &many).0, 431);
}

#[test]
fn an_answer_that_has_begun_is_finished_and_a_reader_that_takes_nothing_holds_nobody_up() {
    let mut newsroom = Newsroom::opens();
    let long: Vec<u8> = (0..40_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    fs::write(newsroom.path("outbox/long.epub"), &long).unwrap();
    // One that is held in memory, and goes out in one piece.
    let held = long[..4 << 20].to_vec();
    fs::write(newsroom.path("outbox/held.epub"), &held).unwrap();
    let begins = |name: &str| {
        let mut stream = TcpStream::connect(newsroom.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(format!("GET /{name} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        stream
    };
    let mut readers = [begins("long.epub"), begins("held.epub")];
    let _taking_nothing = begins("long.epub");
    let address = newsroom.address();
    let reading = std::thread::spawn(move || {
        // The newsroom is closing: nobody else is let in.
        until("the doors to be closed", || TcpStream::connect(address).is_err());
        readers.each_mut().map(|reader| {
            let mut rest = Vec::new();
            reader.read_to_end(&mut rest).unwrap();
            rest
        })
    });
    newsroom.stops();
    let rests = reading.join().unwrap();
    for (rest, book) in rests.iter().zip([&long, &held]) {
        assert!(rest.ends_with(book), "{} bytes of {}", rest.len(), book.len());
    }
}

#[test]
fn every_feed_and_catalogue_answers_at_its_own_address() {
    let newsroom = Newsroom::opens();
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    let opml = newsroom.outbox_text("feeds.opml");
    let base = newsroom.base_url();
    let mut paths: Vec<String> = opml
        .split("xmlUrl=\"")
        .skip(1)
        .map(|rest| format!("/{}", rest.split('"').next().unwrap().strip_prefix(&base).unwrap()))
        .collect();
    assert!(paths.len() >= 2, "{opml}");
    paths.extend(
        ["/feed/atom.xml", "/feed/feed.json", "/opds/root.xml", "/opds/root.json", "/feeds.opml"]
            .map(str::to_owned),
    );
    for path in paths {
        // Twice: from the disk and from memory.
        for _ in 0..2 {
            let (status, head, body) = newsroom.asks("GET", &path, "Accept-Encoding: identity\r\n");
            assert_eq!((status, &body), (200, &newsroom.outbox_file(&path[1..])), "{path}");
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "no-referrer"),
                ("cache-control", "public, max-age=300"),
            ] {
                assert_eq!(header(&head, name).as_deref(), Some(value), "{path}");
            }
            assert!(header(&head, "content-security-policy").unwrap().contains("default-src 'none'"));
        }
    }
}

#[test]
fn the_operators_programs_read_what_was_done_in_figures() {
    let newsroom = Newsroom::with_subscribers(["li@example.org", "wang@example.org"]);
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    newsroom.saves("empty.md", "---\ntitle: Nothing\n---\n").reason_beside("empty.md");
    newsroom.letters_settled();
    for _ in 0..3 {
        newsroom.asks("GET", "/feed.xml", "");
    }
    newsroom.asks("GET", "/nothing", "");
    let lines = [
        "gazetted_inbox_files{state=\"published\"} 1",
        "gazetted_inbox_files{state=\"rejected\"} 1",
        "gazetted_issues_total{state=\"usable\"} 1",
        "gazetted_issues_total{state=\"canceled\"} 0",
        "gazetted_publish_latency_seconds_count 1",
        "gazetted_build_failures_total{reason=\"rejected\"} 1",
        "gazetted_mail_queue{state=\"queued\"} 0",
        "gazetted_mail_attempts_total{result=\"delivered\",code=\"250\"} 2",
        "gazetted_mail_ambiguous_total 0",
        "gazetted_mail_oldest_seconds 0",
        "gazetted_subscribers{state=\"confirmed\"} 2",
        "gazetted_watch_degraded 0",
        "gazetted_watch_overflows_total 0",
        "gazetted_http_requests_total{class=\"2xx\"} 3",
        "gazetted_http_requests_total{class=\"4xx\"} 1",
    ];
    let missing = || {
        let figures = newsroom.figures();
        lines.into_iter().find(|line| !figures.lines().any(|known| known == *line))
    };
    until("the figures", || missing().is_none());
    let figures = newsroom.figures();
    for name in ["scan_duration_seconds_bucket", "scan_last_success_timestamp", "build_info{version=\""] {
        assert!(figures.contains(&format!("gazetted_{name}")), "{name}\n{figures}");
    }
    assert!(figures.ends_with("# EOF\n"));
    let (status, head, figures) = asks(newsroom.desk_address(), "GET", "/metrics", "");
    assert_eq!(status, 200);
    assert!(String::from_utf8_lossy(&figures).contains("gazetted_subscribers{state=\"confirmed\"} 2\n"));
    assert!(header(&head, "content-type").unwrap().starts_with("application/openmetrics-text"));
    assert!(figures.ends_with(b"# EOF\n"));
    assert_eq!(newsroom.asks("GET", "/metrics", "").0, 404, "they are nobody else's business");
}

#[test]
fn whoever_comes_before_the_first_issue_finds_a_page_and_a_feed() {
    let newsroom = Newsroom::opens();
    until("a front page", || newsroom.asks("GET", "/", "").0 == 200);
    let (_, _, front) = newsroom.asks("GET", "/", "");
    assert!(String::from_utf8(front).unwrap().contains("Nothing has been published yet."));
    assert_eq!(newsroom.feed().entries.len(), 0);
    newsroom.all_is_well();
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    assert_eq!(newsroom.feed().entries.len(), 1);
}
