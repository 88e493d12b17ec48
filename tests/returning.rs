//! What comes back finds its reader, by every way it may come; what is forged stops nobody.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
};

use gazetted::{
    delivery::{Bounce, BounceKind, DigestId, ReturnKey},
    subscriber::{Address, LeaveKey, Standing, Subscriber},
};

use crate::{
    configuring::gazetted,
    newsroom::{Newsroom, page, until},
};

/// A newsroom with one issue out and every way open, whose readers are numbered from 1.
fn newsroom<const N: usize>(readers: [&str; N]) -> Newsroom {
    let mut newsroom = Newsroom::closed(
        "[bounces]\nmaildir = \"returns\"\nlmtp = \"unix:lmtp\"\nwebhook_secret_file = \"secret\"\n",
    );
    for folder in ["new", "cur", "tmp"] {
        fs::create_dir_all(newsroom.path("returns").join(folder)).unwrap();
    }
    fs::write(newsroom.path("secret"), "a-secret-of-sufficient-length\n").unwrap();
    newsroom.enters(&readers);
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    newsroom.letters_settled();
    newsroom
}

fn leave_key(newsroom: &Newsroom) -> LeaveKey {
    LeaveKey::new(fs::read(newsroom.path("data/leave.key")).unwrap().try_into().unwrap())
}

fn reader(newsroom: &Newsroom, address: &str) -> Subscriber {
    newsroom.ledger().subscriber(&Address::parse(address).unwrap()).unwrap().unwrap()
}

/// The address that the letter of a digest to a reader comes back to.
fn return_path(newsroom: &Newsroom, digest: i64, address: &str) -> String {
    let key = ReturnKey::of(&leave_key(newsroom));
    format!("{}@example.org", key.local_part("b", DigestId(digest), reader(newsroom, address).id))
}

fn bounces(newsroom: &Newsroom, address: &str) -> Vec<Bounce> {
    newsroom.ledger().bounces(reader(newsroom, address).id).unwrap()
}

fn report(to: &str, recipient: &str, status: &str, message_id: &str) -> String {
    format!(
        "Return-Path: <>\r\nDelivered-To: {to}\r\nFrom: MAILER-DAEMON@mx.example.net\r\nTo: {to}\r\nSubject: Undelivered\r\n\
         Auto-Submitted: auto-replied\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n--x\r\n\
         Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n\
         Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: {status}\r\nDiagnostic-Code: smtp; 550 {status} so it is\r\n\r\n\
         --x\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{message_id}>\r\n\r\n--x--\r\n"
    )
}

/// Lays a letter into the Maildir as a mail server does.
fn lays(newsroom: &Newsroom, name: &str, letter: &str) {
    let folder = newsroom.path("returns");
    fs::write(folder.join("tmp").join(name), letter).unwrap();
    fs::rename(folder.join("tmp").join(name), folder.join("new").join(name)).unwrap();
}

#[track_caller]
fn is_filed(newsroom: &Newsroom, name: &str, flags: &str) {
    let filed = newsroom.path("returns/cur").join(format!("{name}:2,{flags}"));
    until(&format!("`{name}` to be dealt with"), || filed.exists());
}

#[test]
fn a_report_in_the_maildir_ends_in_its_readers_record_and_two_end_the_letters() {
    let newsroom = newsroom(["li@example.net", "wang@example.net"]);
    let back = return_path(&newsroom, 1, "li@example.net");
    lays(&newsroom, "1.a", &report(&back, "li@example.net", "5.1.1", "x"));
    is_filed(&newsroom, "1.a", "S");
    let found = bounces(&newsroom, "li@example.net");
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].kind, found[0].digest, found[0].source.as_str(), found[0].status.as_deref()),
        (BounceKind::Hard, Some(DigestId(1)), "report", Some("5.1.1"))
    );
    // The plug was pulled between the two: the same letter lies there once more.
    lays(&newsroom, "1.b", &report(&back, "li@example.net", "5.1.1", "x"));
    is_filed(&newsroom, "1.b", "S");
    assert_eq!(bounces(&newsroom, "li@example.net").len(), 1);
    assert_eq!(reader(&newsroom, "li@example.net").standing, Standing::Confirmed);

    newsroom.saves("b.md", page("Two", "The second words.")).is_out("b", 1);
    newsroom.letters_settled();
    lays(
        &newsroom,
        "2.a",
        &report(&return_path(&newsroom, 2, "li@example.net"), "li@example.net", "5.1.1", "x"),
    );
    is_filed(&newsroom, "2.a", "S");
    assert_eq!(reader(&newsroom, "li@example.net").standing, Standing::Suppressed);
    assert!(bounces(&newsroom, "wang@example.net").is_empty());
    let (_, shown) = gazetted(newsroom.folder.path(), &["subscribers", "show", "li@example.net"]);
    assert!(shown.contains("its mailbox takes nothing: 550 5.1.1 so it is"), "{shown}");
    assert!(shown.contains("hard       report: 5.1.1 550 5.1.1 so it is"), "{shown}");
    newsroom.saves("c.md", page("Three", "The third words.")).is_out("c", 1);
    newsroom.letters_settled();
    newsroom.sink.letters_to("wang@example.net", 3);
    newsroom.sink.letters_to("li@example.net", 2);
}

#[test]
fn what_lay_in_the_maildir_before_the_start_is_taken() {
    let mut newsroom = newsroom(["li@example.net"]);
    let back = return_path(&newsroom, 1, "li@example.net");
    newsroom.stops();
    lays(&newsroom, "1", &report(&back, "li@example.net", "4.2.2", "x"));
    newsroom.starts();
    is_filed(&newsroom, "1", "S");
    assert_eq!(bounces(&newsroom, "li@example.net")[0].kind, BounceKind::Soft);
}

#[test]
fn a_forged_report_stops_nobody_and_is_shown() {
    let newsroom = newsroom(["li@example.net"]);
    let back = return_path(&newsroom, 1, "li@example.net");
    let forged = back.replace("+1.1.", "+2.1.");
    assert_ne!(forged, back);
    // The number of a reader and the name of an issue can be guessed.
    for n in 0..4 {
        let kind = ["5.1.1", "5.1.2", "5.1.6", "5.2.1"][n];
        lays(&newsroom, &format!("f{n}"), &report(&forged, "li@example.net", kind, "tide.a.1@example.org"));
        is_filed(&newsroom, &format!("f{n}"), "S");
    }
    let found = bounces(&newsroom, "li@example.net");
    assert_eq!(found.len(), 1, "what one source says of one letter is kept once");
    assert_eq!(found[0].source, "unproven");
    // Of letters that there never were, and by the address alone, nothing is kept.
    for (n, id) in ["tide.b.1@example.org", "tide.a.2@example.org", "x"].iter().enumerate() {
        lays(&newsroom, &format!("g{n}"), &report("b@example.org", "li@example.net", "5.1.1", id));
        is_filed(&newsroom, &format!("g{n}"), "");
    }
    assert_eq!(bounces(&newsroom, "li@example.net").len(), 1);
    lays(&newsroom, "p1", &report(&back, "li@example.net", "5.1.1", "x"));
    is_filed(&newsroom, "p1", "S");
    assert_eq!(reader(&newsroom, "li@example.net").standing, Standing::Confirmed, "one proven report is one");
}

/// Talks to the mail door; gives all answers.
fn hands_over(newsroom: &Newsroom, lines: &[&str]) -> Vec<String> {
    let stream = UnixStream::connect(newsroom.path("lmtp")).unwrap();
    stream.set_read_timeout(Some(crate::newsroom::PATIENCE)).unwrap();
    let mut writer = stream.try_clone().unwrap();
    for line in lines {
        writer.write_all(format!("{line}\r\n").as_bytes()).unwrap();
    }
    writer.write_all(b"QUIT\r\n").unwrap();
    BufReader::new(stream).lines().map(Result::unwrap).collect()
}

#[test]
fn a_mail_server_hands_over_what_comes_back_and_a_reader_leaves_by_mail() {
    let newsroom = newsroom(["li@example.net", "wang@example.net"]);
    let back = return_path(&newsroom, 1, "li@example.net");
    let wang = reader(&newsroom, "wang@example.net").id;
    let leave = format!("{}@example.org", leave_key(&newsroom).local_part("b", wang));
    let dsn = report("elsewhere@example.org", "li@example.net", "5.1.1", "x");
    let answers = hands_over(
        &newsroom,
        &[
            "MAIL FROM:<>",
            "LHLO mx",
            "RCPT TO:<x@example.org>",
            "MAIL FROM:<> SIZE=100",
            "DATA",
            "RCPT TO:<nobody@example.org>",
            &format!("RCPT TO:<{}0>", back.split('@').next().unwrap()),
            &format!("RCPT TO:<{back}>"),
            "DATA",
            dsn.trim_end(),
            ".",
            "MAIL FROM:<wang@example.net>",
            &format!("RCPT TO:<{leave}>"),
            "DATA",
            "From: wang@example.net",
            "Subject: unsubscribe",
            "",
            "..",
            ".",
            "BDAT 7",
            &"x".repeat(5000),
        ],
    );
    expect_test::expect![[r"
        220 gazetted LMTP
        503 5.5.1 say LHLO first
        250-gazetted
        250-PIPELINING
        250-ENHANCEDSTATUSCODES
        250-8BITMIME
        250 SMTPUTF8
        503 5.5.1 say MAIL first
        250 2.1.0 ok
        503 5.5.1 there is no recipient
        550 5.1.1 there is no such mailbox
        550 5.1.1 there is no such mailbox
        250 2.1.5 ok
        354 go on
        250 2.0.0 taken
        250 2.1.0 ok
        250 2.1.5 ok
        354 go on
        250 2.0.0 taken
        500 5.5.1 that is no command here
        500 5.5.2 the line is too long
        221 2.0.0 bye"]]
    .assert_eq(&answers.join("\n"));
    assert_eq!(bounces(&newsroom, "li@example.net")[0].kind, BounceKind::Hard);
    assert_eq!(reader(&newsroom, "wang@example.net").standing, Standing::Left);
    // A machine that answers a letter does not leave for its reader.
    let leave = format!(
        "{}@example.org",
        leave_key(&newsroom).local_part("b", reader(&newsroom, "li@example.net").id)
    );
    hands_over(
        &newsroom,
        &[
            "LHLO mx",
            "MAIL FROM:<>",
            &format!("RCPT TO:<{leave}>"),
            "DATA",
            "Auto-Submitted: auto-replied",
            "",
            "away",
            ".",
        ],
    );
    assert_eq!(reader(&newsroom, "li@example.net").standing, Standing::Confirmed);
}

#[test]
fn who_complains_gets_no_more_letters_and_does_not_come_back() {
    let newsroom = newsroom(["li@example.net"]);
    let back = return_path(&newsroom, 1, "li@example.net");
    let complaint = format!(
        "From: feedback@provider.example\r\nTo: loop@example.org\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=x\r\n\r\n\
         --x\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: Provider/1\r\nOriginal-Mail-From: <{back}>\r\n\r\n--x--\r\n"
    );
    lays(&newsroom, "1", &complaint);
    is_filed(&newsroom, "1", "S");
    let li = reader(&newsroom, "li@example.net");
    assert_eq!(li.standing, Standing::Suppressed);
    let (_, text) = gazetted(newsroom.folder.path(), &["subscribers", "add", "li@example.net", "--again"]);
    assert!(text.contains("must not be written to, and was not added"), "{text}");
    let (_, shown) = gazetted(newsroom.folder.path(), &["subscribers", "show", "li@example.net"]);
    assert!(shown.contains("its owner complained: a complaint (abuse), told by Provider/1"), "{shown}");
}

fn posts(newsroom: &Newsroom, path: &str, body: &str) -> u16 {
    newsroom.asks("POST", path, &format!("Content-Length: {}\r\n\r\n{body}", body.len())).0
}

#[test]
fn a_provider_that_knows_the_secret_tells_what_became_of_letters() {
    let newsroom = newsroom(["li@example.net", "wang@example.net", "zhao@example.net", "sun@example.net"]);
    let hook = |provider: &str| format!("/bounces/{provider}/a-secret-of-sufficient-length");
    let back = return_path(&newsroom, 1, "li@example.net");
    let ses = format!(
        r#"{{"notificationType":"Bounce","bounce":{{"bounceType":"Permanent","bounceSubType":"General","bouncedRecipients":[
           {{"emailAddress":"li@example.net","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 gone"}}]}},"mail":{{"source":"{back}"}}}}"#
    );
    assert_eq!(posts(&newsroom, "/bounces/ses/a-secret-of-another-length", &ses), 404);
    assert_eq!(posts(&newsroom, &hook("nobody"), &ses), 404);
    assert_eq!(newsroom.asks("GET", &hook("ses"), "").0, 405);
    assert!(bounces(&newsroom, "li@example.net").is_empty());
    // Told twice, it counts once.
    for _ in 0..2 {
        assert_eq!(posts(&newsroom, &hook("ses"), &ses), 200);
    }
    let found = bounces(&newsroom, "li@example.net");
    assert_eq!((found.len(), found[0].kind, found[0].source.as_str()), (1, BounceKind::Hard, "ses"));
    let postmark = r#"{"RecordType":"Bounce","Type":"SoftBounce","Details":"smtp;452 4.2.2 full","Email":"wang@example.net"}"#;
    for _ in 0..2 {
        assert_eq!(posts(&newsroom, &hook("postmark"), postmark), 200);
    }
    assert_eq!(bounces(&newsroom, "wang@example.net").len(), 1);
    let mailgun = r#"{"event-data":{"event":"complained","recipient":"zhao@example.net"}}"#;
    assert_eq!(posts(&newsroom, &hook("mailgun"), mailgun), 200);
    assert_eq!(reader(&newsroom, "zhao@example.net").standing, Standing::Suppressed);
    let sendgrid = r#"[{"event":"unsubscribe","email":"sun@example.net"},{"event":"bounce","email":"nobody@example.net"}]"#;
    assert_eq!(posts(&newsroom, &hook("sendgrid"), sendgrid), 200);
    assert_eq!(reader(&newsroom, "sun@example.net").standing, Standing::Left);
    assert_eq!(posts(&newsroom, &hook("sendgrid"), "no"), 400);
    assert_eq!(posts(&newsroom, &hook("sendgrid"), &"x".repeat(2_200_000)), 413);
}

#[test]
fn what_is_wrong_with_the_ways_in_is_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = busy.local_addr().unwrap().to_string();
    fs::write(folder.join("short"), "secret\n").unwrap();
    for (settings, told) in [
        (
            "webhook_secret_file = \"short\"".to_owned(),
            "error: cannot read `./short`, which `bounces.webhook_secret_file` names\n  \
             caused by: it must be one line of 20 or more letters, digits and -_.~\n",
        ),
        (
            "webhook_secret_file = \"gone\"".to_owned(),
            "error: cannot read `./gone`, which `bounces.webhook_secret_file` names\n  caused by: No such file or directory (os error 2)\n",
        ),
        (
            "lmtp = \"unix:no/such/folder\"".to_owned(),
            "error: cannot use `./no/such/folder`\n  caused by: No such file or directory (os error 2)\n",
        ),
        (
            format!("lmtp = \"{address}\""),
            "error: cannot listen on `ADDRESS`\n  caused by: Address already in use (os error 98)\n\
             help: another program may use that address; set another one, as `listen` in `[http]` or `[desk]`, or `lmtp` in `[bounces]`\n",
        ),
    ] {
        fs::write(
            folder.join("news.toml"),
            format!("[http]\nlisten = \"127.0.0.1:0\"\n[desk]\nlisten = \"off\"\n[bounces]\n{settings}\n"),
        )
        .unwrap();
        let (code, text) = gazetted(folder, &["--config", "news.toml", "run"]);
        assert_eq!(code, 1, "{text}");
        assert_eq!(text.replace(&address, "ADDRESS"), told);
    }
}
