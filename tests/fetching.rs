//! Pictures on the web are fetched from the hosts that the publication names, and from nowhere else.

use std::{
    fs, io,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    time::Duration,
};

use gazetted::{
    fetch::Fetcher, fetch::Web, fetch::is_public, inbox, press::Press, press::Verdict, proof::Policy,
};
use image::ImageFormat;
use jiff::Timestamp;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    runtime::Runtime,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject as _};

use crate::{
    judging::Certificates,
    newsroom::Newsroom,
    picturing::{packed, picture},
    tools,
};

/// What the host on the web answers for a path.
#[derive(Clone)]
enum Answer {
    /// These bytes, and then it closes.
    Bytes(Vec<u8>),
    /// A head, and then byte after byte, each alone: it is never silent, never done, and too slow to be too much.
    Drip,
    /// A body without end.
    Flood,
}

fn page(bytes: &[u8]) -> Answer {
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n", bytes.len());
    Answer::Bytes([head.as_bytes(), bytes].concat())
}

fn turn(place: &str) -> Answer {
    Answer::Bytes(format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n").into())
}

/// A host on the web that lies on loopback.
struct Far {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    root: Vec<u8>,
    _runtime: Runtime,
}

impl Far {
    /// A host that answers so, or `None` where no certificate can be made for it.
    fn opens(answers: Vec<(&str, Answer)>) -> Option<Self> {
        let openssl = tools::program("openssl")?;
        let folder = tempfile::tempdir().unwrap();
        let names = ["img.example.org", "other.example.org", "mixed.example.org"];
        let made = Certificates::make(&openssl, folder.path(), &names);
        let acceptor = made.acceptor();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answers: Vec<(String, Answer)> =
            answers.into_iter().map(|(path, answer)| (path.to_owned(), answer)).collect();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let told = Arc::clone(&asked);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, answers, told) = (acceptor.clone(), answers.clone(), Arc::clone(&told));
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut request = Vec::new();
                    while !request.ends_with(b"\r\n\r\n") {
                        let Ok(byte) = stream.read_u8().await else { return };
                        request.push(byte);
                    }
                    let request = String::from_utf8(request).unwrap();
                    assert!(!request.contains("Cookie") && !request.contains("Referer"), "{request}");
                    let path = request.split(' ').nth(1).unwrap().to_owned();
                    let answer =
                        answers.iter().find(|(known, _)| *known == path).map(|(_, answer)| answer.clone());
                    told.lock().unwrap().push(path);
                    let nothing =
                        Answer::Bytes(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec());
                    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
                    match answer.unwrap_or(nothing) {
                        Answer::Bytes(bytes) => drop(stream.write_all(&bytes).await),
                        Answer::Drip => {
                            let _ = stream.write_all(head).await;
                            while stream.write_all(b"1\r\nx\r\n").await.is_ok()
                                && stream.flush().await.is_ok()
                            {}
                        }
                        Answer::Flood => {
                            let piece = [b"10000\r\n".as_slice(), &vec![0; 0x10000], b"\r\n"].concat();
                            let _ = stream.write_all(head).await;
                            while stream.write_all(&piece).await.is_ok() {}
                        }
                    }
                    let _ = stream.shutdown().await;
                });
            }
        });
        let root = CertificateDer::from_pem_file(&made.authority).unwrap().to_vec();
        Some(Self { address, asked, root, _runtime: runtime })
    }

    /// The web in which every host of ours is this one, and another is in a private network.
    fn web(&self) -> Web {
        let own = self.address;
        let inner: SocketAddr = "10.0.0.1:443".parse().unwrap();
        let resolve = move |host: &str| match host {
            "img.example.org" | "other.example.org" | "wrong.example.org" => Ok(vec![own]),
            "inner.example.org" => Ok(vec![inner]),
            "mixed.example.org" => Ok(vec![own, inner]),
            _ => Err(io::Error::other("no such host")),
        };
        Web {
            resolve: Arc::new(resolve),
            permits: |address| address.ip().is_loopback() || is_public(address.ip()),
            roots: vec![self.root.clone()],
            ..Web::default()
        }
    }

    fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().unwrap().clone();
        asked.sort();
        asked
    }
}

fn fetcher(web: Web) -> Fetcher {
    let hosts = ["img", "inner", "mixed", "wrong", "nowhere"].map(|host| format!("{host}.example.org"));
    Fetcher::new(hosts.to_vec(), web)
}

/// What fetching from this address gives: so many bytes, or why not.
fn fetched(fetcher: &Fetcher, address: &str) -> Result<usize, String> {
    let came = fetcher.fetch(&[address.to_owned()]);
    came.0
        .get(address)
        .map_or(Err("never asked".to_owned()), |came| came.as_ref().map(Vec::len).map_err(Clone::clone))
}

#[test]
fn a_host_on_the_web_is_trusted_with_nothing() {
    let answers = vec![
        ("/a.png", page(&[7; 1000])),
        ("/a.png?x=1", page(&[7; 2])),
        ("/1", turn("https://img.example.org/2")),
        ("/2", turn("/3")),
        ("/3", turn("a.png")),
        ("/0", turn("/1")),
        ("/round", turn("/round")),
        ("/inner", turn("https://inner.example.org/a.png")),
        ("/stranger", turn("https://other.example.org/a.png")),
        ("/loopback", turn("https://127.0.0.1/a.png")),
        ("/mapped", turn("https://[::ffff:7f00:1]/a.png")),
        ("/plain", turn("http://img.example.org/a.png")),
        ("/file", turn("file:///etc/passwd")),
        ("/port", turn("https://img.example.org:22/")),
        ("/lost", Answer::Bytes(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n".to_vec())),
        ("/claims", Answer::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nx".to_vec())),
        ("/cut", Answer::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx".to_vec())),
        ("/noise", Answer::Bytes(b"\x16\x03 no answer at all\r\n\r\n".to_vec())),
        ("/flood", Answer::Flood),
        ("/drip", Answer::Drip),
    ];
    let Some(far) = Far::opens(answers) else { return };
    let patient = fetcher(far.web());
    let hasty = fetcher(Web { patience: Duration::from_millis(400), ..far.web() });
    for (address, expected) in [
        ("https://img.example.org/a.png", Ok(1000)),
        ("https://IMG.example.org/a.png?x=1#y", Ok(2)),
        ("https://img.example.org/1", Ok(1000)),
        ("https://img.example.org/0", Err("led elsewhere more than 3 times")),
        ("https://img.example.org/round", Err("led elsewhere more than 3 times")),
        ("https://img.example.org/inner", Err("inner.example.org is in a private network")),
        (
            "https://img.example.org/stranger",
            Err("leads to other.example.org, which `pictures_from` does not name"),
        ),
        ("https://img.example.org/loopback", Err("leads to 127.0.0.1, which `pictures_from` does not name")),
        (
            "https://img.example.org/mapped",
            Err("leads to [::ffff:7f00:1], which `pictures_from` does not name"),
        ),
        ("https://img.example.org/plain", Err("over `https` only")),
        ("https://img.example.org/file", Err("over `https` only")),
        ("https://img.example.org/port", Err("has a port or a password")),
        ("https://img.example.org/lost", Err("answered `302 Found`")),
        ("https://img.example.org/missing", Err("answered `404 Not Found`")),
        ("https://img.example.org/claims", Err("more than 20 MB")),
        ("https://img.example.org/cut", Err("did not come whole")),
        ("https://img.example.org/noise", Err("gave no answer")),
        ("https://img.example.org/flood", Err("more than 20 MB")),
        ("https://inner.example.org/a.png", Err("is in a private network")),
        ("https://mixed.example.org/a.png", Err("is in a private network")),
        ("https://wrong.example.org/a.png", Err("could not be trusted")),
        ("https://nowhere.example.org/a.png", Err("was not found: no such host")),
        ("https://li:word@img.example.org/a.png", Err("has a port or a password")),
        ("https://img.example.org:8443/a.png", Err("has a port or a password")),
        ("http://img.example.org/a.png", Err("over `https` only")),
        ("https://other.example.org/a.png", Err("never asked")),
        ("https://img.example.org.evil.example.org/a.png", Err("never asked")),
        ("https://127.0.0.1/a.png", Err("never asked")),
        ("https://2130706433/a.png", Err("never asked")),
        ("file:///etc/passwd", Err("never asked")),
    ] {
        match (fetched(&patient, address), expected) {
            (Ok(length), Ok(expected)) => assert_eq!(length, expected, "{address}"),
            (Err(reason), Err(part)) => assert!(reason.contains(part), "{address}: {reason}"),
            (came, _) => panic!("{address}: {came:?}"),
        }
    }
    let late = fetched(&hasty, "https://img.example.org/drip").unwrap_err();
    assert_eq!(late, "it did not come within 0.4 s");
    let all = fetcher(Web { patience_for_all: Duration::from_millis(400), ..far.web() });
    let late = fetched(&all, "https://img.example.org/drip").unwrap_err();
    assert_eq!(late, "it did not come within 0.4 s");
}

#[test]
fn this_machine_is_no_place_on_the_web() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let web = Web { resolve: Arc::new(move |_| Ok(vec![address])), ..Web::default() };
    let reason = fetched(&fetcher(web), "https://img.example.org/a.png").unwrap_err();
    assert!(reason.contains("is in a private network"), "{reason}");
    assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock, "nobody came");
}

#[test]
fn a_host_that_the_publication_does_not_name_is_never_asked() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let newsroom = Newsroom::opens();
    let html = format!(
        "<h1>A</h1><p>Words.<p><img src='https://localhost:{port}/a.png' alt='far'><img srcset='https://127.0.0.1:{port}/b.png 2x'>\
         <iframe src='https://localhost:{port}/'></iframe><svg><image href='https://localhost:{port}/c.png'/></svg><link rel=stylesheet href='https://localhost:{port}/d.css'>"
    );
    newsroom.saves("page.html", &html).is_out("page", 1);
    newsroom.saves("page.md", format!("# B\n\nWords.\n\n![far](https://localhost:{port}/a.png)\n"));
    newsroom.saves("7.zip", packed(&[("page.html", html.into_bytes())])).is_out("7", 1);
    let page = newsroom.outbox_text("issues/page/index.html");
    assert!(page.contains(&format!("<a href=\"https://localhost:{port}/a.png\">far</a>")), "{page}");
    assert!(!page.contains("<img"), "{page}");
    assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock, "nobody came");
    newsroom.all_is_well();
}

const TEXT: &str = "# Lamp\n\nIt burns.\n\n![a lamp](https://img.example.org/lamp.png)\n\n\
                    ![gone](https://img.example.org/gone.png)\n\n![far](https://stranger.example.org/x.png)\n";

fn publishes(press: &Press, newsroom: &Newsroom, name: &str) -> Verdict {
    let manuscript = inbox::open(&press.inbox, &newsroom.path("inbox").join(name)).unwrap();
    press.publish(&manuscript, Timestamp::now()).unwrap()
}

fn lamps(newsroom: &Newsroom, key: &str) -> usize {
    newsroom.outbox_text(&format!("issues/{key}/index.html")).matches("<img src=\"lamp-").count()
}

#[test]
fn a_picture_from_a_named_host_is_printed_and_stays_when_the_host_is_gone() {
    let Some(far) = Far::opens(vec![("/lamp.png", page(&picture(9, 7, ImageFormat::Png)))]) else { return };
    let newsroom = Newsroom::closed("");
    let mut press = newsroom.press();
    press.fetcher = Fetcher::new(vec!["img.example.org".to_owned()], far.web());
    newsroom.saves("lamp.md", TEXT);
    let Verdict::Published(receipt) = publishes(&press, &newsroom, "lamp.md") else { panic!("not out") };
    assert_eq!((receipt.queries, lamps(&newsroom, "lamp")), (1, 1));
    assert_eq!(far.asked(), ["/gone.png", "/lamp.png"]);
    let page = newsroom.outbox_text("issues/lamp/index.html");
    for link in ["https://img.example.org/gone.png\">gone", "https://stranger.example.org/x.png\">far"] {
        assert!(page.contains(link), "{page}");
    }
    let web = far.web();
    drop(far);
    // The same words, a corrected text, and a proof by hand: all have the picture, though nobody has it on the web.
    press.fetcher = Fetcher::new(vec!["img.example.org".to_owned()], web);
    assert!(matches!(publishes(&press, &newsroom, "lamp.md"), Verdict::Unchanged(_)));
    newsroom.saves("lamp.md", TEXT.replace("burns", "shines"));
    let Verdict::Published(receipt) = publishes(&press, &newsroom, "lamp.md") else { panic!("not out") };
    assert_eq!((receipt.release.version, lamps(&newsroom, "lamp")), (2, 1));
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_gazetted"));
    let config = newsroom.path("config/gazetted.toml");
    let (good, said) =
        tools::output(program.arg("--config").arg(config).arg("proof").arg(newsroom.path("inbox/lamp.md")));
    assert!(good && said.contains("![a lamp](lamp-"), "{said}");
}

/// A proof as an editor leaves it who has looked at all.
fn without_marks(proof: &str) -> String {
    let mut text = proof.to_owned();
    while let Some(start) = text.find("{? ") {
        let length = text[start..].find('}').unwrap();
        text.replace_range(start..=start + length, "");
    }
    text
}

#[test]
fn a_page_that_waited_for_its_editor_has_its_pictures_though_the_host_is_gone() {
    let Some(far) = Far::opens(vec![("/lamp.png", page(&picture(9, 7, ImageFormat::Png)))]) else { return };
    let newsroom = Newsroom::closed("");
    let mut press = newsroom.press();
    press.fetcher = Fetcher::new(vec!["img.example.org".to_owned()], far.web());
    press.proofs_wait = Policy::Flagged;
    newsroom.saves("lamp.md", TEXT);
    let Verdict::Withheld(held) = publishes(&press, &newsroom, "lamp.md") else { panic!("it does not wait") };
    assert!(held.why.contains("`gone.png` could not be fetched"), "{}", held.why);
    drop(far);
    let proof = newsroom.path("inbox").join(&held.proof);
    let text = fs::read_to_string(&proof).unwrap();
    fs::write(&proof, without_marks(&text)).unwrap();
    let again = newsroom.press();
    let verdict = publishes(&again, &newsroom, &held.proof.to_string_lossy());
    assert!(matches!(verdict, Verdict::Published(_)), "{verdict:?}");
    assert_eq!(lamps(&newsroom, "lamp"), 1);
}
