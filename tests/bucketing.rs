//! The outbox in a bucket: whole, in order, and served as the folder is.

use std::{fs, time::Duration};

use gazetted::{
    doctor::{self, State},
    editions::Edition,
    issue::{IssueKey, Status},
    outbox::{Access, Error, Outbox},
    press::{Press, Verdict},
    verify,
};

use crate::{
    newsroom::{Newsroom, manuscript, page, until},
    storehouse::{ADDRESS, Storehouse},
};

/// A newsroom whose outbox is in a bucket.
fn in_a_bucket() -> (Storehouse, Newsroom) {
    let storehouse = Storehouse::opens();
    let newsroom = Newsroom::closed(&storehouse.settings());
    fs::write(newsroom.path("config/bucket-secret"), "open sesame\n").unwrap();
    (storehouse, newsroom)
}

/// Another process at the same bucket.
fn another(storehouse: &Storehouse, newsroom: &Newsroom) -> Outbox {
    Outbox::open_bucket(&access(storehouse), &newsroom.path("another")).unwrap()
}

fn access(storehouse: &Storehouse) -> Access {
    Access {
        endpoint: Some(format!("http://{}", storehouse.address)),
        region: Some("here".to_owned()),
        key: Some(("printer".to_owned(), "open sesame".to_owned())),
        ..Access::parse(ADDRESS).unwrap()
    }
}

fn edition(path: &str, words: &str) -> Edition {
    Edition { path: path.to_owned(), bytes: words.as_bytes().to_vec() }
}

/// The value of a line of a head.
fn line<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[track_caller]
fn all_is_well(newsroom: &Newsroom) {
    let press = newsroom.press();
    let checked = verify::verify(&*press.ledger, &press.outbox, &newsroom.publication()).unwrap();
    assert!(checked.findings.is_empty(), "{}", checked.findings.join("\n"));
    assert!(checked.links > 0);
}

#[test]
fn an_issue_comes_out_in_a_bucket_is_corrected_and_withdrawn_and_no_link_ever_leads_nowhere() {
    let (storehouse, mut newsroom) = in_a_bucket();
    newsroom.starts();
    newsroom.saves("ferry.md", page("The ferry", &"The bell rang twice. ".repeat(200))).is_out("ferry", 1);
    newsroom.saves("tide.md", page("The tide", "The tide came in.")).is_out("tide", 1);
    all_is_well(&newsroom);

    // Who serves the bucket itself, or a network of caches before it, needs nothing more.
    let (html, soon) = ("text/html; charset=utf-8", "public, max-age=300");
    let book = newsroom.shelved("ferry").book;
    assert_eq!(storehouse.said("feed.xml"), ["application/xml; charset=utf-8", soon, ""]);
    assert_eq!(storehouse.said("issues/ferry/index.html"), [html, soon, ""]);
    assert_eq!(storehouse.said("issues/ferry/index.html.gz"), [html, soon, "gzip"]);
    assert_eq!(
        storehouse.said(&book.path),
        ["application/epub+zip", "public, max-age=31536000, immutable", ""]
    );

    // The daemon serves it as it serves a folder.
    let (status, head, feed) = newsroom.asks("GET", "/feed.xml", "");
    assert_eq!((status, feed == fs::read(storehouse.file("feed.xml")).unwrap()), (200, true));
    assert_eq!(line(&head, "content-type"), Some("application/xml; charset=utf-8"));
    let tag = line(&head, "etag").unwrap();
    assert_eq!(newsroom.asks("GET", "/feed.xml", &format!("If-None-Match: {tag}\r\n")).0, 304);
    let (_, head, packed) = newsroom.asks("GET", "/issues/ferry/", "Accept-Encoding: gzip\r\n");
    assert_eq!(line(&head, "content-encoding"), Some("gzip"));
    assert_eq!(packed, fs::read(storehouse.file("issues/ferry/index.html.gz")).unwrap());
    let (status, head, bytes) = newsroom.asks("GET", &format!("/{}", book.path), "");
    assert_eq!((status, bytes.len() as u64), (200, book.length));
    assert_eq!(line(&head, "cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(newsroom.asks("GET", "/issues/nothing/", "").0, 404);
    assert_eq!(newsroom.asks("GET", "/.changes", "").0, 404);

    newsroom.saves("tide.md", page("The tide", "The tide went out.")).is_out("tide", 2);
    until("the correction", || {
        String::from_utf8_lossy(&newsroom.asks("GET", "/issues/tide/", "").2).contains("went out")
            || String::from_utf8_lossy(&newsroom.asks("GET", "/feed.xml", "").2).contains("went out")
    });
    all_is_well(&newsroom);

    let press = Press { publication: newsroom.publication(), ..newsroom.press() };
    press.set_status(&IssueKey::of("tide"), Status::Canceled, newsroom.now()).unwrap();
    until("the withdrawal", || newsroom.asks("GET", "/issues/tide/", "").0 == 410);
    assert!(!storehouse.file("issues/tide/index.html").exists());
    assert!(!storehouse.text("feed.xml").contains("The tide"));
    all_is_well(&newsroom);
    assert_eq!(storehouse.dangling(), [].into());
}

#[test]
fn what_is_there_is_not_put_again() {
    let (storehouse, newsroom) = in_a_bucket();
    let outbox = another(&storehouse, &newsroom);
    let long = "The bell rang. ".repeat(2000);
    outbox.takes_turn().unwrap();
    assert_eq!(outbox.put([&edition("a.html", &long), &edition("b.html", "short")]).unwrap(), 2);
    let beside = ["a.html.gz", "a.html.br", "a.html.zst"];
    assert!(beside.iter().all(|name| storehouse.file(name).exists()));
    storehouse.asked();
    assert_eq!(outbox.put([&edition("a.html", &long), &edition("b.html", "short")]).unwrap(), 0);
    assert!(storehouse.asked().iter().all(|(method, _)| method == "HEAD"));
    assert_eq!(outbox.put([&edition("a.html", "short now")]).unwrap(), 1);
    assert!(!beside.iter().any(|name| storehouse.file(name).exists()), "no form of the old text is left");
    assert!(outbox.remove("a.html").unwrap() && !outbox.remove("a.html").unwrap());
    for wrong in ["../x", ".changes", "a//b", ""] {
        assert!(matches!(outbox.put([&edition(wrong, "")]), Err(Error::Path { .. })), "{wrong}");
        assert!(outbox.fetch(wrong).unwrap().is_none(), "{wrong}");
    }
}

#[test]
fn a_process_that_wakes_up_late_does_not_overwrite_what_is_newer() {
    let (storehouse, newsroom) = in_a_bucket();
    let (late, prompt) = (another(&storehouse, &newsroom), another(&storehouse, &newsroom));
    late.takes_turn().unwrap();
    late.put([&edition("feed.xml", "one")]).unwrap();
    prompt.takes_turn().unwrap();
    prompt.put([&edition("feed.xml", "two")]).unwrap();
    for _ in 0..2 {
        let refused = late.put([&edition("feed.xml", "old"), &edition("issues/a/index.html", "old")]);
        assert!(matches!(refused, Err(Error::Overtaken { .. })), "{refused:?}");
        assert!(matches!(late.remove("feed.xml"), Err(Error::Overtaken { .. })));
        assert_eq!(storehouse.text("feed.xml"), "two");
        assert!(!storehouse.file("issues/a/index.html").exists());
    }
    late.takes_turn().unwrap();
    late.put([&edition("feed.xml", "three")]).unwrap();
    assert_eq!(storehouse.text("feed.xml"), "three");
}

#[test]
fn a_process_that_is_stopped_in_the_middle_of_a_change_overwrites_nothing_newer() {
    let long = |word: &str| format!("{word} ").repeat(2000);
    for stopped_before in ["feed.xml", "feed.xml.gz"] {
        let (storehouse, newsroom) = in_a_bucket();
        let (late, prompt) = (another(&storehouse, &newsroom), another(&storehouse, &newsroom));
        late.takes_turn().unwrap();
        late.put([&edition("feed.xml", &long("first"))]).unwrap();
        storehouse.holds("PUT", stopped_before);
        let refused = std::thread::scope(|scope| {
            let putting = scope.spawn(|| late.put([&edition("feed.xml", &long("late"))]));
            storehouse.until_it_holds();
            prompt.takes_turn().unwrap();
            prompt.put([&edition("feed.xml", &long("prompt"))]).unwrap();
            storehouse.lets_go();
            putting.join().unwrap()
        });
        assert!(matches!(refused, Err(Error::Overtaken { .. })), "{refused:?}");
        assert_eq!(storehouse.text("feed.xml"), long("prompt"));
        let packed = fs::read(storehouse.file("feed.xml.gz")).unwrap();
        prompt.put([&edition("other.xml", &long("prompt"))]).unwrap();
        assert_eq!(packed, fs::read(storehouse.file("other.xml.gz")).unwrap(), "{stopped_before}");
        assert!(matches!(late.remove("feed.xml"), Err(Error::Overtaken { .. })));
    }
}

#[test]
fn a_turn_that_cannot_be_had_changes_nothing() {
    let (storehouse, newsroom) = in_a_bucket();
    let (late, prompt) = (another(&storehouse, &newsroom), another(&storehouse, &newsroom));
    prompt.takes_turn().unwrap();
    prompt.put([&edition("feed.xml", "one")]).unwrap();
    storehouse.refuses(Some(403));
    let refused = late.takes_turn().unwrap_err();
    assert!(matches!(refused, Error::Bucket { .. }), "{refused:?}");
    storehouse.refuses(None);
    assert!(matches!(late.put([&edition("feed.xml", "two")]), Err(Error::Overtaken { .. })));
    assert!(matches!(late.remove("feed.xml"), Err(Error::Overtaken { .. })));
    assert_eq!(storehouse.text("feed.xml"), "one");
    late.takes_turn().unwrap();
    late.put([&edition("feed.xml", "two")]).unwrap();
    assert!(matches!(prompt.put([&edition("feed.xml", "three")]), Err(Error::Overtaken { .. })));
}

#[test]
fn an_answer_that_was_lost_ends_no_turn() {
    let (storehouse, newsroom) = in_a_bucket();
    let outbox = another(&storehouse, &newsroom);
    outbox.takes_turn().unwrap();
    for (path, words) in
        [(".changes", "one"), ("feed.xml", "two"), (".changes", "three"), ("feed.xml", "four")]
    {
        storehouse.loses_the_answer_to("PUT", path);
        outbox.put([&edition("feed.xml", words)]).unwrap();
        assert!(storehouse.has_lost_it());
        assert_eq!(storehouse.text("feed.xml"), words);
    }
}

#[test]
fn a_server_without_conditions_is_looked_at_before_it_is_written() {
    let (storehouse, newsroom) = in_a_bucket();
    storehouse.knows_no_conditions();
    let (late, prompt) = (another(&storehouse, &newsroom), another(&storehouse, &newsroom));
    late.takes_turn().unwrap();
    late.put([&edition("feed.xml", "one")]).unwrap();
    prompt.takes_turn().unwrap();
    prompt.put([&edition("feed.xml", "two")]).unwrap();
    assert!(matches!(late.put([&edition("feed.xml", "old")]), Err(Error::Overtaken { .. })));
    assert_eq!(storehouse.text("feed.xml"), "two");
}

#[test]
fn a_slow_bucket_gets_everything_and_a_silent_one_is_not_waited_for_for_ever() {
    let (storehouse, mut newsroom) = in_a_bucket();
    storehouse.takes(Duration::from_millis(20));
    newsroom.starts();
    newsroom.saves("ferry.md", page("The ferry", "The bell rang.")).is_out("ferry", 1);
    all_is_well(&newsroom);
    newsroom.stops();

    let hasty = Access { patience: Duration::from_millis(500), ..access(&storehouse) };
    let outbox = Outbox::open_bucket(&hasty, &newsroom.path("hasty")).unwrap();
    outbox.takes_turn().unwrap();
    let before = storehouse.text("feed.xml");
    storehouse.takes(Duration::from_hours(1));
    let Err(Error::Bucket { source, .. }) = outbox.put([&edition("feed.xml", "new")]) else { panic!("put") };
    assert_eq!(source.to_string(), "it did not answer within 1 s");
    assert_eq!(storehouse.text("feed.xml"), before);
}

#[test]
fn a_bucket_behind_tls_is_trusted_by_the_certificate_that_the_settings_name() {
    let storehouse = Storehouse::opens();
    let Some((port, authority)) = storehouse.behind_tls() else { return };
    let endpoint = format!("https://localhost:{port}");
    let settings = storehouse.settings().replace(&format!("http://{}", storehouse.address), &endpoint);
    let mut newsroom = Newsroom::closed(&format!("{settings}ca_file = \"config/ca.pem\"\n"));
    fs::write(newsroom.path("config/bucket-secret"), "open sesame\n").unwrap();
    fs::copy(authority, newsroom.path("config/ca.pem")).unwrap();
    newsroom.starts();
    newsroom.saves("ferry.md", page("The ferry", "The bell rang.")).is_out("ferry", 1);
    all_is_well(&newsroom);
    newsroom.stops();

    // Whoever nobody vouches for gets nothing, not even who asks.
    let strange = Access { endpoint: Some(endpoint), ..access(&storehouse) };
    storehouse.asked();
    let outbox = Outbox::open_bucket(&strange, &newsroom.path("strange")).unwrap();
    let Err(Error::Bucket { source, .. }) = outbox.takes_turn() else { panic!("trusted") };
    assert!(source.to_string().contains("certificate"), "{source}");
    assert_eq!(storehouse.asked(), []);

    let nothing = Access { authorities: Some(b"none\n".to_vec()), ..strange };
    let said = Outbox::open_bucket(&nothing, &newsroom.path("none")).unwrap_err().to_string();
    assert!(said.contains("`ca_file` of [outbox] has no certificate"), "{said}");
}

#[test]
fn what_cannot_be_looked_at_is_not_said_to_be_missing() {
    let (storehouse, mut newsroom) = in_a_bucket();
    newsroom.starts();
    newsroom.saves("ferry.md", page("The ferry", "The bell rang.")).is_out("ferry", 1);
    newsroom.stops();
    let press = newsroom.press();
    let checked = || verify::verify(&*press.ledger, &press.outbox, &newsroom.publication()).unwrap().findings;
    storehouse.refuses(Some(403));
    let said = checked();
    assert!(!said.is_empty() && said.iter().all(|finding| finding.contains("403 Forbidden")), "{said:?}");
    storehouse.refuses(None);

    // What is gone is found, and printed again from the ledger.
    fs::remove_file(storehouse.file("issues/ferry/index.html")).unwrap();
    let stranger = another(&storehouse, &newsroom);
    stranger.put([&edition("feed.xml", "")]).unwrap();
    let said = checked().join("\n");
    assert!(said.contains("`issues/ferry/index.html`, which is not there"), "{said}");
    assert!(said.contains("`feed.xml`"), "{said}");
    press.replay(|_, _| {}).unwrap();
    all_is_well(&newsroom);
}

#[test]
fn a_newsroom_moves_from_its_folder_into_a_bucket() {
    let storehouse = Storehouse::opens();
    let mut newsroom = Newsroom::closed("[outbox]\n");
    newsroom.sets("publication", "base_url = \"https://tide.example.org/\"");
    newsroom.starts();
    newsroom.saves("ferry.md", page("The ferry", "The bell rang.")).is_out("ferry", 1);
    newsroom.stops();
    newsroom.sets("outbox", storehouse.settings().split_once('\n').unwrap().1);
    fs::write(newsroom.path("config/bucket-secret"), "open sesame\n").unwrap();
    assert!(doctored(&newsroom).contains("`s3://tide/news` can be listed, read and written"));
    newsroom.press().replay(|_, _| {}).unwrap();
    all_is_well(&newsroom);
    for path in ["feed.xml", "issues/ferry/index.html", "latest.epub"] {
        assert!(fs::read(storehouse.file(path)).unwrap() == newsroom.outbox_file(path), "{path} is another");
    }
    storehouse.refuses(Some(403));
    let said = doctored(&newsroom);
    assert!(said.contains("WRONG") && said.contains("it answered 403 Forbidden"), "{said}");
    assert!(!said.contains("sesame"), "{said}");
}

/// What is found by looking the newsroom over.
fn doctored(newsroom: &Newsroom) -> String {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let file = newsroom.path("config/gazetted.toml");
    let findings = runtime.block_on(doctor::examine(&file, [], None, newsroom.now()));
    let outbox = findings.into_iter().filter(|finding| finding.subject == "outbox");
    outbox
        .map(|finding| {
            if finding.state == State::Wrong { "WRONG " } else { "" }.to_owned() + &finding.said + "\n"
        })
        .collect()
}

#[test]
fn an_issue_touches_as_many_objects_after_sixty_as_after_twenty() {
    let (storehouse, newsroom) = in_a_bucket();
    let press = Press { publication: newsroom.publication(), ..newsroom.press() };
    let mut publish = |n: usize| {
        let manuscript = manuscript(&format!("w{n}.md"), &page(&format!("Week {n}"), "The bell rang."));
        storehouse.asked();
        let verdict = press.publish(&manuscript, newsroom.now()).unwrap();
        assert!(matches!(verdict, Verdict::Published(_)), "{verdict:?}");
        storehouse.asked().len()
    };
    let requests: Vec<usize> = (1..=62).map(&mut publish).collect();
    let (early, later) = (&requests[18..22], &requests[58..]);
    let [least, most] = [|n: &[usize]| n.iter().min().copied(), |n: &[usize]| n.iter().max().copied()];
    assert!(least(later) <= least(early).map(|n| n + 8), "{early:?} {later:?}");
    // One of them seals a page of every feed, of which there are some more by then.
    assert!(most(later) <= most(early).map(|n| n + 30), "{early:?} {later:?}");
}

#[test]
fn what_another_machine_puts_out_is_served_soon() {
    let (storehouse, mut newsroom) = in_a_bucket();
    newsroom.starts();
    newsroom.saves("ferry.md", page("The ferry", "The bell rang.")).is_out("ferry", 1);
    assert_eq!(newsroom.asks("GET", "/feed.xml", "").0, 200);
    let elsewhere = another(&storehouse, &newsroom);
    elsewhere.takes_turn().unwrap();
    elsewhere.put([&edition("feed.xml", "<rss/>"), &edition("new.html", "new")]).unwrap();
    until("the new feed", || newsroom.asks("GET", "/feed.xml", "").2 == b"<rss/>");
    assert_eq!(newsroom.asks("GET", "/new.html", "").2, b"new");
    assert!(elsewhere.remove("new.html").unwrap());
    until("that it is gone", || newsroom.asks("GET", "/new.html", "").0 == 404);
    // While the bucket is out, readers get what is known; what is not known is not denied.
    storehouse.refuses(Some(503));
    assert_eq!(newsroom.asks("GET", "/feed.xml", "").2, b"<rss/>");
    assert_eq!(newsroom.asks("GET", "/feed/atom.xml", "").0, 503);
    storehouse.refuses(None);
}

#[test]
fn a_bucket_that_refuses_postpones_an_issue_and_its_editor_reads_why() {
    for (status, why) in [
        (403, "it answered 403 Forbidden; see whether the key may list, read, put and remove objects there"),
        (503, "it answered 503 Service Unavailable"),
    ] {
        let (storehouse, mut newsroom) = in_a_bucket();
        newsroom.starts();
        storehouse.refuses(Some(status));
        newsroom.saves("ferry.md", page("The ferry", "The bell rang."));
        let reason = newsroom.reason_beside("ferry.md");
        assert!(reason.contains("could not publish this yet"), "{reason}");
        assert!(reason.contains(ADDRESS) && reason.contains(why), "{reason}");
        assert!(!reason.contains("sesame"), "{reason}");
        storehouse.refuses(None);
        newsroom.is_out("ferry", 1).no_reason_beside("ferry.md");
        all_is_well(&newsroom);
        assert_eq!(storehouse.dangling(), [].into());
    }
}
