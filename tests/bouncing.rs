//! A real mail server sends its reports, and each ends in the record of the reader whom it is about.

use std::{
    fs,
    net::TcpStream,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::Command,
};

use gazetted::{
    delivery::{BounceKind, DigestId, ReturnKey},
    subscriber::{Address, LeaveKey, Standing},
};

use crate::{
    configuring::gazetted,
    newsroom::{Newsroom, page, until},
    sink::{Conduct, Sink},
    tools::{free_port, output, program, skip},
};

/// The number of the user who owns the Maildir: nobody.
const NOBODY: u32 = 65534;

/// A private Postfix on loopback, with all its state in a folder of its own. What is for `returns.example.org` goes into a
/// Maildir, what is for `handed.example.org` over LMTP, and the rest to a server that we choose.
struct Postfix {
    folder: PathBuf,
    port: u16,
    control: PathBuf,
}

impl Postfix {
    fn starts(folder: &Path, maildir: &Path, lmtp: &Path, next: &Sink) -> Option<Self> {
        let control = program("postfix")?;
        if !is_root() {
            skip("Postfix starts as root only");
            return None;
        }
        let folder = folder.join("postfix");
        let port = free_port();
        for name in ["config", "queue", "data"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        let (ok, owner) = output(Command::new("id").args(["-u", "postfix"]));
        assert!(ok, "{owner}");
        chown(folder.join("data"), Some(owner.trim().parse().unwrap()), None).unwrap();
        let (base, name) = (maildir.parent().unwrap(), maildir.file_name().unwrap());
        let at = folder.display();
        let main = format!(
            "compatibility_level = 3.6\nqueue_directory = {at}/queue\ndata_directory = {at}/data\ncommand_directory = /usr/sbin\n\
             daemon_directory = /usr/lib/postfix/sbin\nmail_owner = postfix\nsetgid_group = postdrop\nmaillog_file = {at}/log\n\
             maillog_file_prefixes = {at}\nmyhostname = mx.example.org\nmydestination =\nalias_maps =\nalias_database =\n\
             local_recipient_maps =\ninet_interfaces = loopback-only\ninet_protocols = ipv4\nmynetworks = 127.0.0.0/8\n\
             smtpd_relay_restrictions = permit_mynetworks, reject\ndisable_dns_lookups = yes\nsmtp_host_lookup = native\n\
             relayhost = [127.0.0.1]:{next_port}\nrecipient_delimiter = +\nvirtual_mailbox_domains = returns.example.org\n\
             virtual_mailbox_base = {base}\nvirtual_mailbox_maps = static:{name}/\nvirtual_uid_maps = static:{NOBODY}\n\
             virtual_gid_maps = static:{NOBODY}\ntransport_maps = inline:{{handed.example.org=lmtp:unix:{lmtp}}}\n\
             queue_run_delay = 1s\nminimal_backoff_time = 1s\nmaximal_backoff_time = 1s\nmaximal_queue_lifetime = 3s\n\
             bounce_queue_lifetime = 3s\ntransport_retry_time = 1s\nsmtp_tls_security_level = none\nsmtpd_tls_security_level = none\n",
            next_port = next.address.port(),
            base = base.display(),
            name = name.to_string_lossy(),
            lmtp = lmtp.display(),
        );
        fs::write(folder.join("config/main.cf"), main).unwrap();
        let services = "pickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n\
             rewrite unix - - n - - trivial-rewrite\nbounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\n\
             trace unix - - n - 0 bounce\nverify unix - - n - 1 verify\nflush unix n - n 1000 0 flush\n\
             proxymap unix - - n - - proxymap\nsmtp unix - - n - - smtp\nrelay unix - - n - - smtp\nerror unix - - n - - error\n\
             retry unix - - n - - error\ndiscard unix - - n - - discard\nlocal unix - n n - - local\nvirtual unix - n n - - virtual\n\
             lmtp unix - - n - - lmtp\nanvil unix - - n - 1 anvil\nscache unix - - n - 1 scache\n\
             postlog unix-dgram n - n - 1 postlogd\n";
        fs::write(
            folder.join("config/master.cf"),
            format!("127.0.0.1:{port} inet n - n - - smtpd\n{services}"),
        )
        .unwrap();
        let postfix = Self { folder, port, control };
        let (ok, said) = postfix.runs("start");
        assert!(ok, "{said}{}", postfix.log());
        until("Postfix to answer", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Some(postfix)
    }

    fn runs(&self, what: &str) -> (bool, String) {
        output(Command::new(&self.control).arg("-c").arg(self.folder.join("config")).arg(what))
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("Postfix said:\n{}", self.log());
        }
        // Its own master alone, by the number in this folder.
        self.runs("stop");
    }
}

fn is_root() -> bool {
    output(Command::new("id").arg("-u")).1.trim() == "0"
}

/// Hands one letter to a mail server, as the envelope says.
fn sends(port: u16, from: &str, to: &str, id: &str) {
    use std::io::{BufRead as _, BufReader, Write as _};
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(crate::newsroom::PATIENCE)).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    let mut answer = |expected: &str| loop {
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        if line.as_bytes().get(3) != Some(&b'-') {
            assert!(line.starts_with(expected), "{line}");
            break;
        }
    };
    answer("220");
    for (line, expected) in [
        ("EHLO here".to_owned(), "250"),
        (format!("MAIL FROM:<{from}>"), "250"),
        (format!("RCPT TO:<{to}>"), "250"),
        ("DATA".to_owned(), "354"),
        (
            format!(
                "From: tide@example.org\r\nTo: {to}\r\nSubject: One\r\nMessage-ID: <{id}>\r\n\r\nThe first words.\r\n."
            ),
            "250",
        ),
        ("QUIT".to_owned(), "221"),
    ] {
        stream.write_all(format!("{line}\r\n").as_bytes()).unwrap();
        answer(expected);
    }
}

#[test]
fn the_reports_of_a_real_mail_server_end_in_the_right_readers_records() {
    let readers = [
        "dead@example.net",
        "full@example.net",
        "grey@example.net",
        "well@example.net",
        "gone@example.net",
        "over@example.net",
    ];
    let mut newsroom = Newsroom::closed("[bounces]\nmaildir = \"mail/returns\"\nlmtp = \"unix:mail/lmtp\"\n");
    let mail = newsroom.path("mail");
    fs::create_dir(&mail).unwrap();
    // Postfix works as other users.
    fs::set_permissions(newsroom.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    if is_root() {
        chown(&mail, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    newsroom.enters(&readers);
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    newsroom.letters_settled();

    // The servers of the readers, behind Postfix.
    let theirs = Sink::opens();
    theirs.treats("dead@example.net", Conduct::Answers("550 5.1.1 no such user here"));
    theirs.treats("gone@example.net", Conduct::Answers("550 5.1.1 no such user here"));
    theirs.treats("full@example.net", Conduct::Answers("552 5.2.2 mailbox full"));
    theirs.treats("over@example.net", Conduct::Answers("452 4.2.2 over quota"));
    theirs.treats("grey@example.net", Conduct::Answers("450 4.2.0 greylisted, come back later"));
    let Some(postfix) =
        Postfix::starts(newsroom.folder.path(), &mail.join("returns"), &mail.join("lmtp"), &theirs)
    else {
        return;
    };
    let key =
        ReturnKey::of(&LeaveKey::new(fs::read(newsroom.path("data/leave.key")).unwrap().try_into().unwrap()));
    let ledger = newsroom.ledger();
    let reader = |address: &str| ledger.subscriber(&Address::parse(address).unwrap()).unwrap().unwrap();
    for address in readers {
        // Half of the reports come by each way.
        let domain =
            if matches!(address, "gone@example.net" | "over@example.net") { "handed" } else { "returns" };
        let id = reader(address).id;
        let from = format!("{}@{domain}.example.org", key.local_part("b", DigestId(1), id));
        sends(postfix.port, &from, address, &format!("tide.a.{}@example.org", id.0));
    }
    theirs.letters_to("well@example.net", 1);
    for (address, kind, status) in [
        ("dead@example.net", BounceKind::Hard, "5.1.1"),
        ("gone@example.net", BounceKind::Hard, "5.1.1"),
        ("full@example.net", BounceKind::Soft, "5.2.2"),
        ("over@example.net", BounceKind::Soft, "4.2.2"),
        ("grey@example.net", BounceKind::Soft, "4.2.0"),
    ] {
        let id = reader(address).id;
        until(&format!("the report of {address}"), || !ledger.bounces(id).unwrap().is_empty());
        let found = ledger.bounces(id).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            (found[0].kind, found[0].status.as_deref(), found[0].digest, found[0].source.as_str()),
            (kind, Some(status), Some(DigestId(1)), "report"),
            "{address}: {found:?}"
        );
        assert_eq!(reader(address).standing, Standing::Confirmed);
    }
    assert!(ledger.bounces(reader("well@example.net").id).unwrap().is_empty());
}

#[test]
fn a_report_about_a_letter_that_the_daemon_sent_finds_its_reader_by_the_return_path_alone() {
    let mut newsroom =
        Newsroom::closed("bounces = \"b@returns.example.org\"\n[bounces]\nmaildir = \"mail/returns\"\n");
    let mail = newsroom.path("mail");
    fs::create_dir(&mail).unwrap();
    // Postfix works as other users.
    fs::set_permissions(newsroom.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    if is_root() {
        chown(&mail, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let theirs = Sink::opens();
    theirs.treats("dead@example.net", Conduct::Answers("550 5.1.1 no such user here"));
    theirs.treats("full@example.net", Conduct::Answers("552 5.2.2 mailbox full"));
    let Some(postfix) =
        Postfix::starts(newsroom.folder.path(), &mail.join("returns"), &mail.join("lmtp"), &theirs)
    else {
        return;
    };
    // The daemon's own letters go out through it.
    let settings = newsroom.path("config/gazetted.toml");
    let text = fs::read_to_string(&settings).unwrap();
    let relay = format!("127.0.0.1:{}", postfix.port);
    fs::write(&settings, text.replace(&newsroom.sink.address.to_string(), &relay)).unwrap();
    newsroom.enters(&["dead@example.net", "well@example.net", "full@example.net"]);
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    newsroom.letters_settled();
    theirs.letters_to("well@example.net", 1);
    let ledger = newsroom.ledger();
    let reader = |address: &str| ledger.subscriber(&Address::parse(address).unwrap()).unwrap().unwrap();
    for (address, kind, status) in
        [("dead@example.net", BounceKind::Hard, "5.1.1"), ("full@example.net", BounceKind::Soft, "5.2.2")]
    {
        let id = reader(address).id;
        until(&format!("the report of {address}"), || !ledger.bounces(id).unwrap().is_empty());
        let found = ledger.bounces(id).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            (found[0].kind, found[0].status.as_deref(), found[0].digest, found[0].source.as_str()),
            (kind, Some(status), Some(DigestId(1)), "report"),
            "{address}: {found:?}"
        );
    }
    assert!(ledger.bounces(reader("well@example.net").id).unwrap().is_empty());
    let (_, shown) = gazetted(newsroom.folder.path(), &["digests", "show", "1"]);
    assert!(shown.contains("[3 delivered]"), "{shown}");
    for said in [
        "         1  there is no such mailbox, says a report\n",
        "         1  it did not get there this time, says a report\n",
    ] {
        assert!(shown.contains(said), "{shown}");
    }
}
