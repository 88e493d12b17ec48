//! The snippets of the manual in a real nginx and a real Caddy: readers behind them get what readers of the daemon get.

use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::{
    newsroom::{Newsroom, asks, page, until},
    serving::header,
    tools,
};

/// A web server in a folder of its own.
struct Front {
    process: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Front {
    /// Starts Caddy with the manual's snippet, which is asked without TLS.
    fn caddy(newsroom: &Newsroom) -> Option<Self> {
        let program = tools::program("caddy")?;
        let folder = tempfile::tempdir().unwrap();
        let address = free();
        let site = snippet("Caddy", "caddy")
            .replace("news.example.org", &format!("http://{address}"))
            .replace("127.0.0.1:8080", &newsroom.address().to_string());
        let path = folder.path().join("Caddyfile");
        fs::write(&path, format!("{{\n\tadmin off\n\tdefault_bind 127.0.0.1\n}}\n{site}")).unwrap();
        let mut caddy = Command::new(program);
        caddy.args(["run", "--adapter", "caddyfile", "--config"]).arg(&path);
        for home in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
            caddy.env(home, folder.path());
        }
        Some(Self::starts(&mut caddy, address, folder))
    }

    /// Starts nginx with the manual's snippet below a heading, with the newsroom's addresses in the place of the manual's and without
    /// certificates.
    fn nginx(newsroom: &Newsroom, heading: &str) -> Option<Self> {
        let program = tools::program("nginx")?;
        let folder = tempfile::tempdir().unwrap();
        let address = free();
        let changed = snippet(heading, "nginx")
            .replace("listen 443 ssl;", &format!("listen {address};"))
            .replace("127.0.0.1:8080", &newsroom.address().to_string())
            .replace("/srv/news/outbox", newsroom.path("outbox").to_str().unwrap());
        let lines = changed.lines().filter(|line| !line.trim_start().starts_with("ssl_"));
        let server = lines.collect::<Vec<_>>().join("\n");
        let place = folder.path().display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {place}/{kind};\n"))
            .concat();
        let conf = format!(
            "daemon off;\n{}pid {place}/pid;\nerror_log {place}/error.log;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{server}\n}}\n",
            // The newsroom's folder is its owner's alone.
            if is_root() { "user root;\n" } else { "" },
        );
        let path = folder.path().join("nginx.conf");
        fs::write(&path, conf).unwrap();
        let mut nginx = Command::new(program);
        nginx.arg("-c").arg(&path).arg("-p").arg(folder.path());
        Some(Self::starts(&mut nginx, address, folder))
    }

    fn starts(program: &mut Command, address: SocketAddr, folder: tempfile::TempDir) -> Self {
        let process = program.stderr(Stdio::null()).spawn().unwrap();
        let front = Self { process, address, _folder: folder };
        until("the web server", || TcpStream::connect(address).is_ok());
        front
    }

    fn asks(&self, method: &str, path: &str, headers: &str) -> (u16, String, Vec<u8>) {
        asks(self.address, method, path, headers)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        // Its workers go with it when it is asked to stop, and not when it is killed.
        let pid = rustix::process::Pid::from_child(&self.process);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.process.wait();
    }
}

/// An address that is free again when a web server takes it.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The block of a language below a heading of the manual.
fn snippet(heading: &str, language: &str) -> String {
    let manual = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/serving.md")).unwrap();
    let (_, below) = manual.split_once(&format!("## {heading}\n")).unwrap();
    let (_, block) = below.split_once(&format!("```{language}\n")).unwrap();
    block.split_once("```").unwrap().0.to_owned()
}

fn newsroom() -> Newsroom {
    let newsroom = Newsroom::opens();
    newsroom.saves("a.md", page("First frost", &"The bell is rung. ".repeat(1200))).is_out("a", 1);
    newsroom
}

#[test]
fn behind_nginx_readers_get_what_the_daemon_gives() {
    let newsroom = newsroom();
    if let Some(nginx) = Front::nginx(&newsroom, "nginx, passing everything on") {
        passes_everything_on(&nginx, &newsroom);
    }
}

#[test]
fn behind_caddy_readers_get_what_the_daemon_gives() {
    let newsroom = newsroom();
    if let Some(caddy) = Front::caddy(&newsroom) {
        passes_everything_on(&caddy, &newsroom);
    }
}

fn passes_everything_on(front: &Front, newsroom: &Newsroom) {
    for path in
        ["/", "/feed.xml", "/opds/root.xml", "/feed/feed.json", "/latest.epub", "/issues/a/", "/robots.txt"]
    {
        for accepts in ["br", "gzip", "identity"] {
            let headers = format!("Accept-Encoding: {accepts}\r\n");
            let (theirs, ours) = (front.asks("GET", path, &headers), newsroom.asks("GET", path, &headers));
            assert_eq!((theirs.0, theirs.2 == ours.2), (200, true), "{path}");
            for name in
                ["etag", "content-type", "content-encoding", "content-length", "vary", "cache-control"]
            {
                assert_eq!(header(&theirs.1, name), header(&ours.1, name), "{name} of {path}");
            }
            assert!(header(&theirs.1, "content-security-policy").is_some());
            let tag = header(&theirs.1, "etag").unwrap();
            assert_eq!(
                front.asks("GET", path, &format!("{headers}If-None-Match: {tag}\r\n")).0,
                304,
                "{path}"
            );
            assert_eq!(front.asks("HEAD", path, &headers).0, 200, "{path}");
        }
    }
    let (status, head, part) = front.asks("GET", "/latest.epub", "Range: bytes=10-19\r\n");
    assert_eq!((status, part), (206, newsroom.outbox_file("latest.epub")[10..20].to_vec()));
    assert!(header(&head, "content-range").unwrap().starts_with("bytes 10-19/"));
    let (status, head, _) = front.asks("GET", "/issues/a", "");
    assert_eq!((status, header(&head, "location").as_deref()), (301, Some("/issues/a/")));
    assert_eq!(front.asks("GET", "/leave/none", "").0, 404);
    assert_eq!(front.asks("GET", "/healthz", "").2, b"ok\n");
    assert_eq!(front.asks("GET", "/nothing", "").0, 404);
}

#[test]
fn readers_are_served_by_nginx_alone_while_the_daemon_is_stopped() {
    let mut newsroom = newsroom();
    let Some(nginx) = Front::nginx(&newsroom, "nginx, serving the files itself") else { return };
    assert_eq!(nginx.asks("GET", "/healthz", "").2, b"ok\n");
    assert_eq!(nginx.asks("GET", "/search?q=bell", "").0, 200);
    assert_eq!(nginx.asks("GET", "/opds/search?q=bell", "").0, 200);
    let paths = [
        "/",
        "/feed.xml",
        "/opds/root.xml",
        "/opds/root.json",
        "/feed/feed.json",
        "/feeds.opml",
        "/latest.epub",
        "/issues/a/",
    ];
    let told = paths.map(|path| {
        let headers = "Accept-Encoding: gzip\r\n";
        (path, newsroom.asks("GET", path, headers))
    });
    newsroom.stops();
    for (path, (_, ours, body)) in told {
        let (status, head, served) = nginx.asks("GET", path, "Accept-Encoding: gzip\r\n");
        assert_eq!((status, served == body), (200, true), "{path}");
        let kind = |head: &str| header(head, "content-type").unwrap().replace("; ", ";");
        assert_eq!(kind(&head), kind(&ours), "{path}");
        assert_eq!(header(&head, "content-encoding"), header(&ours, "content-encoding"), "{path}");
        for name in ["content-security-policy", "x-content-type-options", "referrer-policy"] {
            assert_eq!(header(&head, name), header(&ours, name), "{name} of {path}");
        }
    }
    assert_eq!(nginx.asks("GET", "/.tmp-1", "").0, 404);
    assert_eq!(nginx.asks("GET", "/search?q=bell", "").0, 502);
}
