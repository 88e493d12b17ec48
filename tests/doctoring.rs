//! Something is wrong, and the operator asks what.

use std::{
    collections::HashMap,
    fs,
    net::{SocketAddr, UdpSocket},
    os::unix::fs::PermissionsExt as _,
    process::Command,
    thread,
};

use crate::{
    configuring::gazetted,
    ledgers,
    newsroom::{Newsroom, page},
    sink::Manners,
    tools,
};

/// A name server that knows these texts, and of everything else that it is not.
fn name_server(texts: &[(&str, &str)]) -> SocketAddr {
    let texts: HashMap<String, Vec<String>> = texts.iter().fold(HashMap::new(), |mut known, (name, text)| {
        known.entry((*name).to_owned()).or_insert_with(Vec::new).push((*text).to_owned());
        known
    });
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 1500];
        while let Ok((length, asker)) = socket.recv_from(&mut buffer) {
            let answer = answer(&buffer[..length], &texts);
            let _ = socket.send_to(&answer, asker);
        }
    });
    address
}

/// The answer to a question (RFC 1035, section 4.1).
fn answer(question: &[u8], texts: &HashMap<String, Vec<String>>) -> Vec<u8> {
    let (mut at, mut labels) = (12, Vec::new());
    while question[at] > 0 {
        let length = usize::from(question[at]);
        labels.push(String::from_utf8_lossy(&question[at + 1..=at + length]).to_lowercase());
        at += length + 1;
    }
    let asked = &question[12..at + 5];
    let known = texts.get(&labels.join(".")).filter(|_| asked[asked.len() - 3] == 16);
    let n = u8::try_from(known.map_or(0, Vec::len)).unwrap();
    let mut answer = question[..2].to_vec();
    answer.extend([0x85, if n > 0 { 0x80 } else { 0x83 }, 0, 1, 0, n, 0, 0, 0, 0]);
    answer.extend(asked);
    for text in known.into_iter().flatten() {
        let pieces: Vec<u8> = text
            .as_bytes()
            .chunks(250)
            .flat_map(|piece| [&[u8::try_from(piece.len()).unwrap()], piece].concat())
            .collect();
        answer.extend([0xC0, 12, 0, 16, 0, 1, 0, 0, 0, 60]);
        answer.extend(u16::try_from(pieces.len()).unwrap().to_be_bytes());
        answer.extend(pieces);
    }
    answer
}

/// What the doctor says in a newsroom, by subject and state, and its exit code.
fn examines(newsroom: &Newsroom, resolver: SocketAddr) -> (i32, Vec<(String, String, String)>) {
    let resolver = resolver.to_string();
    let (code, said) = gazetted(newsroom.folder.path(), &["doctor", "--json", "--resolver", &resolver]);
    let findings = said.lines().map(|line| {
        let finding: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{said}"));
        let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
        assert_eq!(finding["state"] == "ok", finding["help"].is_null(), "{line}");
        (text("subject"), text("state"), text("said"))
    });
    (code, findings.collect())
}

#[track_caller]
fn has(findings: &[(String, String, String)], subject: &str, state: &str, said: &str) {
    let found = findings.iter().any(|(one, is, text)| one == subject && is == state && text.contains(said));
    assert!(found, "{subject} {state} {said:?} in {findings:#?}");
}

#[test]
fn a_newsroom_at_work_is_well_from_its_settings_to_the_records_in_the_dns() {
    let mut newsroom = Newsroom::closed(ledgers::IN_A_FILE);
    let openssl = tools::program("openssl").is_some();
    let mut known: Vec<(String, String)> = vec![
        ("tide.example.org".to_owned(), "something else".to_owned()),
        ("tide.example.org".to_owned(), "v=spf1 ip4:192.0.2.1 -all".to_owned()),
        ("_dmarc.example.org".to_owned(), "v=DMARC1; p=none".to_owned()),
    ];
    let settings = fs::read_to_string(newsroom.path("config/gazetted.toml")).unwrap();
    let port = tools::free_port();
    let settings = settings.replace("tide@example.org>", "tide@tide.example.org>").replacen(
        "[http]\nlisten = \"127.0.0.1:0\"",
        &format!("[http]\nlisten = \"127.0.0.1:{port}\""),
        1,
    );
    fs::write(newsroom.path("config/gazetted.toml"), &settings).unwrap();
    if openssl {
        let (code, said) = gazetted(newsroom.folder.path(), &["dkim", "new"]);
        assert_eq!(code, 0, "{said}");
        let keys = "dkim_keys = [\"data/dkim/gazetted-rsa.pem\", \"data/dkim/gazetted-ed25519.pem\"]";
        fs::write(
            newsroom.path("config/gazetted.toml"),
            settings.replacen("[mail]\n", &format!("[mail]\n{keys}\n"), 1),
        )
        .unwrap();
        for record in said.split("\n\n").filter(|part| part.contains(" IN TXT ")) {
            let (name, texts) = record.split_once(". IN TXT ").unwrap();
            let text: String = texts.split('"').skip(1).step_by(2).collect();
            known.push((name.trim().to_lowercase(), text));
        }
    }
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    let known: Vec<(&str, &str)> = known.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let resolver = name_server(&known);
    let (code, findings) = examines(&newsroom, resolver);
    for (subject, said) in [
        ("settings", "The Tide Gazette (`tide`)"),
        ("inbox", "can be written"),
        ("outbox", "can be written"),
        ("data", "can be written"),
        ("ledger", "is whole, schema "),
        ("daemon", "it runs"),
        ("mail", "answers without TLS; it knows PIPELINING"),
        ("spf", "`tide.example.org`: v=spf1 ip4:192.0.2.1 -all"),
        ("dmarc", "`_dmarc.example.org`: v=DMARC1; p=none"),
        ("pages", "/feed.xml is our feed"),
        ("forms", "are ours"),
    ] {
        has(&findings, subject, "ok", said);
    }
    if openssl {
        has(&findings, "dkim", "ok", "`gazetted-rsa._domainkey.tide.example.org` has our key");
        has(&findings, "dkim", "ok", "`gazetted-ed25519._domainkey.tide.example.org` has our key");
    }
    has(&findings, "backup", "look", "none was made yet");
    assert_eq!(code, 0, "{findings:#?}");
    assert_eq!(newsroom.sink.letters(), 0, "no letter is sent");
    let (code, said) = gazetted(newsroom.folder.path(), &["doctor", "--resolver", &resolver.to_string()]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("ok     settings   `config/gazetted.toml`: The Tide Gazette (`tide`)\n"), "{said}");
    assert!(said.ends_with(" to look at, 0 wrong\n"), "{said}");
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let mut newsroom = Newsroom::closed("");
    newsroom.sets("publication", "base_url = \"http://127.0.0.1:9/\"");
    newsroom.sets("mail", "dkim_keys = [\"secret.pem\"]\nbounces = \"back@bounces.example.org\"");
    newsroom.sink.behaves(Manners { banner: "554 5.7.1 go away", ..Manners::default() });
    let key = gazetted::mail::new_ed25519().unwrap();
    fs::write(newsroom.path("secret.pem"), &*key).unwrap();
    fs::set_permissions(newsroom.path("secret.pem"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::create_dir(newsroom.path("data")).unwrap();
    fs::write(newsroom.path("data/ledger.db"), "no ledger").unwrap();
    let resolver = name_server(&[
        ("bounces.example.org", "v=spf1 +all"),
        ("secret._domainkey.example.org", "v=DKIM1; k=ed25519; p=AAAA"),
    ]);
    let (code, findings) = examines(&newsroom, resolver);
    has(&findings, "secrets", "look", "secret.pem`");
    has(&findings, "outbox", "look", "is not there");
    has(&findings, "ledger", "wrong", "ledger.db");
    has(&findings, "daemon", "look", "it does not run");
    has(&findings, "mail", "wrong", "554 5.7.1 go away");
    has(&findings, "spf", "wrong", "`v=spf1 +all` lets everybody send");
    has(&findings, "dkim", "wrong", "has another key than ours");
    has(&findings, "dmarc", "look", "`example.org` has no DMARC record");
    has(&findings, "pages", "wrong", "http://127.0.0.1:9/ does not answer");
    assert_eq!(code, 1);
    assert_eq!(fs::read(newsroom.path("data/ledger.db")).unwrap(), b"no ledger", "nothing is changed");

    // Without a name server, that is said; the rest is looked at all the same.
    let nobody = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (_, findings) = examines(&newsroom, nobody);
    has(&findings, "dns", "look", "the DNS could not be asked");

    fs::write(newsroom.path("config/gazetted.toml"), "[mail]\nfrm = \"x\"\nconnections = 0\n").unwrap();
    let (code, said) = gazetted(newsroom.folder.path(), &["doctor"]);
    assert_eq!(code, 1);
    for told in [
        "there is no setting `frm` in `[mail]`; did you mean `from`?",
        "connections: `0` is not",
        "0 to look at, 1 wrong",
    ] {
        assert!(said.contains(told), "{told}\n{said}");
    }
}

#[test]
fn a_server_under_tls_is_asked_for_its_certificate_and_a_log_in() {
    let (Some(openssl), Some(python)) = (tools::program("openssl"), tools::program("python3")) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    crate::judging::Certificates::make(&openssl, folder.path(), &["localhost"]);
    let port = tools::free_port();
    let script = format!(
        "import ssl,socket\nc=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\nc.load_cert_chain('leaf.pem','leaf.key')\n\
         s=socket.create_server(('127.0.0.1',{port}))\nprint('ready',flush=True)\n\
         while True:\n  try:\n    k=c.wrap_socket(s.accept()[0],server_side=True)\n    k.sendall(b'220 here\\r\\n')\n    f=k.makefile('rb')\n\
         \x20   for l in f:\n      w=l.split()[0].upper()\n\
         \x20     k.sendall({{b'EHLO':b'250-here\\r\\n250 AUTH PLAIN\\r\\n',b'AUTH':b'535 5.7.8 no\\r\\n',b'QUIT':b'221 bye\\r\\n'}}.get(w,b'500 what\\r\\n'))\n\
         \x20 except Exception: pass\n"
    );
    let mut server = Command::new(python);
    server.args(["-c", &script]).current_dir(folder.path()).stdout(std::process::Stdio::piped());
    let mut server = tools::Beside(server.spawn().unwrap());
    let mut ready = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(server.0.stdout.take().unwrap()), &mut ready)
        .unwrap();
    let newsroom = Newsroom::closed("ca_file = \"ca.pem\"\n");
    fs::copy(folder.path().join("ca.pem"), newsroom.path("ca.pem")).unwrap();
    let settings = fs::read_to_string(newsroom.path("config/gazetted.toml")).unwrap();
    let settings = settings
        .replace(&newsroom.sink.address.to_string(), &format!("localhost:{port}"))
        .replace("protection = \"none\"", "protection = \"tls\"");
    fs::write(newsroom.path("config/gazetted.toml"), &settings).unwrap();
    let resolver = name_server(&[]);
    let (_, findings) = examines(&newsroom, resolver);
    has(&findings, "mail", "ok", "answers under TLS; it knows AUTH");
    // The certificate is good for two days.
    has(&findings, "mail", "look", "the certificate of localhost");
    has(&findings, "mail", "look", "offers a log-in, and none is set");

    fs::write(newsroom.path("password"), "wrong\n").unwrap();
    let login = settings.replacen("[mail]\n", "[mail]\nuser = \"x\"\npassword_file = \"password\"\n", 1);
    fs::write(newsroom.path("config/gazetted.toml"), login).unwrap();
    let (code, findings) = examines(&newsroom, resolver);
    has(&findings, "mail", "wrong", "535 5.7.8 no");
    assert_eq!(code, 1);
    // Without the authority, the server's certificate is nobody's.
    fs::write(newsroom.path("config/gazetted.toml"), settings.replace("ca_file = \"ca.pem\"\n", "")).unwrap();
    let (_, findings) = examines(&newsroom, resolver);
    has(&findings, "mail", "wrong", "certificate");
}
