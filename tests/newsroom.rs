//! A newsroom in a temporary folder: a daemon of its own, a clock that we turn, a mail server that we watch.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use gazetted::{
    clock::Clock, config::Newsroom as Settings, daemon, daemon::Daemon, delivery::State, editions::Shelved,
    issue::IssueKey, ledger::Ledger, mail::Letterhead, outbox::Outbox, press::Press,
    publication::Publication, subscriber::Address, verify,
};
use jiff::SignedDuration;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{ledgers, sink::Sink};

/// How long a story waits for something before it fails.
pub const PATIENCE: Duration = Duration::from_mins(1);

pub struct Newsroom {
    pub folder: TempDir,
    pub sink: Sink,
    clock: Clock,
    runtime: Runtime,
    daemon: Option<Daemon>,
    settings: String,
}

impl Newsroom {
    /// A newsroom at work, without subscribers.
    pub fn opens() -> Self {
        Self::with_subscribers([])
    }

    /// A newsroom at work, whose letters these people asked for.
    pub fn with_subscribers<const N: usize>(addresses: [&str; N]) -> Self {
        let mut newsroom = Self::closed("");
        newsroom.enters(&addresses);
        newsroom.starts();
        newsroom
    }

    /// A newsroom that is not at work yet; `settings` are added to the usual ones.
    pub fn closed(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sink = Sink::opens();
        let settings = format!(
            "[publication]\nkey = \"tide\"\ntitle = \"The Tide Gazette\"\nauthority = \"tide.example.org,2026\"\n\
             publisher = \"The Harbour Office\"\n[inbox]\nsettle_after = \"60ms\"\nlook_every = \"200ms\"\n\
             [http]\nlisten = \"127.0.0.1:0\"\n[desk]\nlisten = \"127.0.0.1:0\"\n[mail]\nserver = \"{}\"\nprotection = \"none\"\n\
             from = \"The Tide Gazette <tide@example.org>\"\nreply_to = \"editors@example.org\"\n{settings}",
            sink.address
        );
        let settings = match ledgers::wanted() {
            Some(postgres) if !settings.contains("[data]") => {
                format!("[data]\nledger = \"{}\"\n{settings}", postgres.database())
            }
            _ => settings,
        };
        for name in ["inbox", "config"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("config/gazetted.toml"), &settings).unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        Self { folder, sink, clock: Clock::default(), runtime, daemon: None, settings }
    }

    /// Adds a line to a section of the settings, before the newsroom opens.
    pub fn sets(&mut self, section: &str, line: &str) {
        let head = format!("[{section}]\n");
        assert!(self.settings.contains(&head), "{}", self.settings);
        self.settings = self.settings.replacen(&head, &format!("{head}{line}\n"), 1);
        fs::write(self.path("config/gazetted.toml"), &self.settings).unwrap();
    }

    /// Adds subscribers while the newsroom is closed or open.
    pub fn enters(&mut self, addresses: &[&str]) {
        let ledger = self.ledger();
        for address in addresses {
            ledger.subscribe(&Address::parse(address).unwrap(), "a story", self.clock.now()).unwrap();
        }
    }

    pub fn starts(&mut self) {
        self.daemon = Some(self.runtime.block_on(Daemon::start(&self.opened(), &self.clock)).unwrap());
    }

    pub fn stops(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            self.runtime.block_on(daemon.stop());
        }
    }

    fn opened(&self) -> Settings {
        Settings::open(&self.folder.path().join("config/gazetted.toml"), []).unwrap()
    }

    /// The newsroom's ledger, whether or not the daemon runs.
    pub fn ledger(&self) -> Arc<dyn Ledger> {
        match &self.daemon {
            Some(daemon) => Arc::clone(&daemon.ledger),
            None => daemon::open_ledger(&self.opened()).unwrap(),
        }
    }

    /// The newsroom's press, for stories without a daemon.
    pub fn press(&self) -> Press {
        self.press_over(self.ledger())
    }

    /// The same over a ledger that was opened already.
    pub fn press_over(&self, ledger: Arc<dyn Ledger>) -> Press {
        let settings = self.opened();
        let publication = settings.publication(settings.settings.http.listen);
        daemon::open_press(&settings, publication, ledger).unwrap()
    }

    /// The periodical, whether or not the daemon runs.
    pub fn publication(&self) -> Publication {
        if let Some(daemon) = &self.daemon {
            return daemon.publication.clone();
        }
        let settings = self.opened();
        settings.publication(settings.settings.http.listen)
    }

    /// Where the newsroom's desk answers.
    pub fn desk_address(&self) -> std::net::SocketAddr {
        self.daemon.as_ref().unwrap().desk.as_ref().unwrap().address
    }

    /// The password of the desk, in a newsroom that was started for the first time.
    pub fn desk_password(&self) -> String {
        self.daemon.as_ref().unwrap().desk.as_ref().unwrap().first_password.clone().unwrap()
    }

    /// What the letters of the newsroom at work have in common.
    pub fn letterhead(&self) -> Letterhead {
        let daemon = self.daemon.as_ref().unwrap();
        daemon::letterhead(&self.opened(), &daemon.publication).unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Saves a file in the inbox, all at once.
    pub fn saves(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        fs::write(self.path("inbox").join(name), bytes).unwrap();
        self
    }

    /// Saves a folder of files in the inbox, all at once.
    pub fn saves_folder(&self, name: &str, files: &[(&str, Vec<u8>)]) -> &Self {
        let aside = self.path("aside").join(name);
        for (file, bytes) in files {
            let path = aside.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        fs::rename(aside, self.path("inbox").join(name)).unwrap();
        self
    }

    pub fn removes(&self, name: &str) -> &Self {
        fs::remove_file(self.path("inbox").join(name)).unwrap();
        self
    }

    /// Waits until a version of an issue is out.
    #[track_caller]
    pub fn is_out(&self, key: &str, version: u32) -> &Self {
        let (ledger, publication) = (self.ledger(), self.publication());
        until(&format!("version {version} of `{key}`"), || {
            let lines = ledger.issues(&publication).unwrap();
            let open = ledger.interrupted(&publication, self.clock.now()).unwrap();
            lines.iter().any(|line| line.key.as_str() == key && line.version == version)
                && open.iter().all(|begun| begun.release.issue.key.as_str() != key)
        });
        self
    }

    /// Waits until so many issues are out, and nothing is at the press.
    #[track_caller]
    pub fn are_out(&self, n: usize) -> &Self {
        let (ledger, publication) = (self.ledger(), self.publication());
        until(&format!("{n} issues"), || {
            ledger.issues(&publication).unwrap().len() == n
                && ledger.interrupted(&publication, self.clock.now()).unwrap().is_empty()
        });
        self
    }

    /// Waits for the note beside a file that says why it was not published, and gives it.
    #[track_caller]
    pub fn reason_beside(&self, name: &str) -> String {
        let note = self.path("inbox").join(format!("{name}.reason.txt"));
        until(&format!("a note beside {name:?}"), || note.exists());
        fs::read_to_string(note).unwrap()
    }

    /// Waits until there is no note beside a file.
    #[track_caller]
    pub fn no_reason_beside(&self, name: &str) -> &Self {
        let note = self.path("inbox").join(format!("{name}.reason.txt"));
        until(&format!("no note beside {name:?}"), || !note.exists());
        self
    }

    /// Waits until every letter has been settled for good, and gives how many ended in each state.
    #[track_caller]
    pub fn letters_settled(&self) -> Vec<(State, u64)> {
        let (ledger, publication) = (self.ledger(), self.publication());
        let count = || {
            let mut counts: Vec<(State, u64)> = Vec::new();
            for (state, n) in ledger.issues(&publication).unwrap().into_iter().flat_map(|line| line.letters) {
                match counts.iter_mut().find(|(known, _)| *known == state) {
                    Some((_, count)) => *count += n,
                    None => counts.push((state, n)),
                }
            }
            counts
        };
        let open = |counts: &[(State, u64)]| {
            counts.iter().any(|(state, _)| matches!(state, State::Queued | State::Claimed | State::Delayed))
        };
        until("all letters to be settled", || !open(&count()));
        count()
    }

    /// Waits until the letters of an issue stand like this.
    #[track_caller]
    pub fn letters_stand(&self, key: &str, expected: &[(State, u64)]) -> &Self {
        let (ledger, publication) = (self.ledger(), self.publication());
        let mut last = Vec::new();
        until_or(
            || {
                let lines = ledger.issues(&publication).unwrap();
                last = lines
                    .into_iter()
                    .find(|line| line.key.as_str() == key)
                    .map(|l| l.letters)
                    .unwrap_or_default();
                last == expected
            },
            || format!("letters of `{key}` to stand {expected:?}"),
        );
        self
    }

    /// An issue as it is out.
    #[track_caller]
    pub fn shelved(&self, key: &str) -> Shelved {
        let shelved = self.ledger().issue(&self.publication(), &IssueKey::of(key)).unwrap();
        shelved.unwrap_or_else(|| panic!("`{key}` is not out"))
    }

    /// An issue as it is out, for stories without a daemon.
    #[track_caller]
    pub fn shelved_by(press: &Press, key: &str) -> Shelved {
        let shelved = press.ledger.issue(&press.publication, &IssueKey::of(key)).unwrap();
        shelved.unwrap_or_else(|| panic!("`{key}` is not out"))
    }

    /// What time it is there.
    pub fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    /// Turns the newsroom's clock.
    pub fn after(&self, time: SignedDuration) -> &Self {
        self.clock.turn(time);
        self
    }

    /// A file of the outbox.
    #[track_caller]
    pub fn outbox_file(&self, path: &str) -> Vec<u8> {
        let file = Outbox::open(&self.path("outbox")).unwrap().fetch(path).unwrap();
        fs::read(file.unwrap_or_else(|| panic!("`{path}` is not in the outbox"))).unwrap()
    }

    #[track_caller]
    pub fn outbox_text(&self, path: &str) -> String {
        String::from_utf8(self.outbox_file(path)).unwrap()
    }

    /// The feed, as a reader's program understands it.
    #[track_caller]
    pub fn feed(&self) -> feed_rs::model::Feed {
        feed_rs::parser::parse(&self.outbox_file("feed.xml")[..]).unwrap()
    }

    /// The books in the outbox.
    pub fn books(&self) -> Vec<PathBuf> {
        let books = self.ledger().books(&self.publication()).unwrap();
        books.into_iter().map(|(_, book)| self.path("outbox").join(book.path)).collect()
    }

    /// Asserts that every link leads to its file and that ledger and outbox agree.
    #[track_caller]
    pub fn all_is_well(&self) -> &Self {
        let outbox = Outbox::open(&self.path("outbox")).unwrap();
        let checked = verify::verify(&*self.ledger(), &outbox, &self.publication()).unwrap();
        assert!(checked.findings.is_empty(), "{}", checked.findings.join("\n"));
        self
    }

    /// Asks the newsroom's web server; gives the status, the head and the body.
    pub fn asks(&self, method: &str, path: &str, headers: &str) -> (u16, String, Vec<u8>) {
        asks(self.daemon.as_ref().unwrap().address, method, path, headers)
    }

    /// Sends it a form, as a browser does; gives the status, the head and the body.
    pub fn gets_form(&self, path: &str, headers: &str, form: impl AsRef<[u8]>) -> (u16, String, Vec<u8>) {
        posts(self.daemon.as_ref().unwrap().address, path, headers, form.as_ref())
    }

    /// The figures that the operator's programs read.
    pub fn figures(&self) -> String {
        self.daemon.as_ref().unwrap().room.figures().unwrap()
    }

    /// Where the newsroom's web server listens.
    pub fn address(&self) -> std::net::SocketAddr {
        self.daemon.as_ref().unwrap().address
    }

    pub fn base_url(&self) -> String {
        format!("http://{}/", self.daemon.as_ref().unwrap().address)
    }
}

impl Drop for Newsroom {
    fn drop(&mut self) {
        self.stops();
        if std::thread::panicking() {
            eprintln!("the newsroom's settings were:\n{}", self.settings);
        }
    }
}

/// One HTTP request; gives the status, the head and the body.
pub fn asks(
    address: std::net::SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
) -> (u16, String, Vec<u8>) {
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n");
    converses(address, request.as_bytes())
}

/// One form that is sent; gives the status, the head and the body.
pub fn posts(
    address: std::net::SocketAddr,
    path: &str,
    headers: &str,
    form: &[u8],
) -> (u16, String, Vec<u8>) {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n{headers}\r\n",
        form.len()
    );
    converses(address, &[head.as_bytes(), form].concat())
}

fn converses(address: std::net::SocketAddr, request: &[u8]) -> (u16, String, Vec<u8>) {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    (status, head, answer[end + 4..].to_vec())
}

/// A file that was just written, as a manuscript. A program that another story starts at this moment may hold it open for the blink of an
/// eye.
#[track_caller]
pub fn opened(inbox: &Path, file: &Path) -> gazetted::inbox::Manuscript {
    let mut opened = None;
    until("a file that nobody writes", || {
        opened = gazetted::inbox::open(inbox, file).ok();
        opened.is_some()
    });
    opened.unwrap()
}

/// A manuscript as the inbox hands it over.
pub fn manuscript(name: &str, text: &str) -> gazetted::inbox::Manuscript {
    let bytes = Ok(text.as_bytes().to_vec());
    gazetted::inbox::Manuscript { path: name.into(), bytes, signature: String::new(), beside: None }
}

/// Waits until `come`, or fails.
#[track_caller]
pub fn until(what: &str, come: impl FnMut() -> bool) {
    until_or(come, || what.to_owned());
}

#[track_caller]
pub fn until_or(mut come: impl FnMut() -> bool, what: impl Fn() -> String) {
    let end = Instant::now() + PATIENCE;
    while !come() {
        assert!(Instant::now() < end, "waited in vain for {}", what());
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// A short issue in Markdown with these words in it.
pub fn page(title: &str, words: &str) -> String {
    format!("---\ntitle: {title}\n---\n\n# {title}\n\n*By Ada Quill*\n\n{words}\n")
}

/// Copies files into a folder, by their names.
pub fn copies(files: &[PathBuf], folder: &Path) {
    for file in files {
        fs::copy(file, folder.join(file.file_name().unwrap())).unwrap();
    }
}
