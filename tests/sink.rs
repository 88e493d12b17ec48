//! A mail server that keeps what it is given, and misbehaves when told to.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

/// How long a story waits for a letter before it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A letter as it arrived.
#[derive(Debug, Clone)]
pub struct Arrived {
    pub to: String,
    pub text: String,
}

impl Arrived {
    /// The value of a header, unfolded.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.text.split("\r\n\r\n").next()?.replace("\r\n ", " ").replace("\r\n\t", " ");
        let prefix = format!("{}:", name.to_lowercase());
        let line = head.lines().find(|line| line.to_lowercase().starts_with(&prefix))?;
        Some(line[prefix.len()..].trim().to_owned())
    }
}

impl Arrived {
    /// Its plain text, as a mail program shows it.
    pub fn plain(&self) -> String {
        let message = mail_parser::MessageParser::default().parse(self.text.as_bytes()).unwrap();
        message.body_text(0).unwrap().into_owned()
    }
}

/// What the server does to a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conduct {
    /// Takes it.
    Takes,
    /// Answers its recipient with this.
    Answers(&'static str),
    /// Answers its recipient with this, and waits for a text all the same.
    AnswersAndWaits(&'static str),
    /// Answers its text with this.
    AnswersText(&'static str),
    /// Never answers after the text's final dot.
    Hangs,
    /// Closes the connection after the text's final dot, without an answer. It keeps the letter.
    Vanishes,
    /// Closes the connection in the middle of the text.
    Drops,
}

/// How the server treats everybody.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// What it says first.
    pub banner: &'static str,
    /// What it says that it can do, behind its name.
    pub abilities: &'static str,
    /// What it answers to `MAIL`.
    pub mail: &'static str,
    /// It says 421 and closes after so many letters on a connection.
    pub letters_per_connection: u32,
    /// It says 421 and closes when there are more connections.
    pub connections: u32,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            banner: "220 sink.example.org",
            abilities: "250-PIPELINING\r\n250 8BITMIME",
            mail: "250 ok",
            letters_per_connection: u32::MAX,
            connections: u32::MAX,
        }
    }
}

#[derive(Default)]
struct State {
    arrived: Vec<Arrived>,
    offered: HashMap<String, u32>,
    conduct: HashMap<String, Conduct>,
    manners: Manners,
    connections: u32,
    open: u32,
    turns: u32,
    senders: Vec<String>,
}

impl State {
    /// What becomes of letters to an address: what was said of it, or of its domain.
    fn conduct(&self, address: &str) -> Conduct {
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        let conduct = self.conduct.get(address).or_else(|| self.conduct.get(domain));
        conduct.copied().unwrap_or(Conduct::Takes)
    }
}

pub struct Sink {
    pub address: SocketAddr,
    state: Arc<(Mutex<State>, Condvar)>,
}

impl Sink {
    /// A server on a free port of loopback.
    pub fn opens() -> Self {
        Self::opens_at("127.0.0.1:0".parse().unwrap())
    }

    pub fn opens_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let state: Arc<(Mutex<State>, Condvar)> = Arc::default();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || attend(stream, &shared));
            }
        });
        Self { address, state }
    }

    /// How it treats everybody from now on; for whoever is connected already, only in part.
    pub fn behaves(&self, manners: Manners) {
        self.state.0.lock().unwrap().manners = manners;
    }

    /// How many times it answered and had to wait for more.
    pub fn turns(&self) -> u32 {
        self.state.0.lock().unwrap().turns
    }

    /// What stood behind `MAIL`, of every letter that was offered.
    pub fn senders(&self) -> Vec<String> {
        self.state.0.lock().unwrap().senders.clone()
    }

    /// How many letters have come.
    pub fn letters(&self) -> usize {
        self.state.0.lock().unwrap().arrived.len()
    }

    /// What becomes of letters to an address, or to a whole domain, from now on.
    pub fn treats(&self, address: &str, conduct: Conduct) {
        self.state.0.lock().unwrap().conduct.insert(address.to_owned(), conduct);
    }

    /// Waits until `n` letters have come to an address, and gives them.
    #[track_caller]
    pub fn letters_to(&self, address: &str, n: usize) -> Vec<Arrived> {
        let to =
            |state: &State| state.arrived.iter().filter(|l| l.to == address).cloned().collect::<Vec<_>>();
        self.waits(&format!("{n} letters to {address}"), |state| to(state).len() >= n);
        let letters = to(&self.state.0.lock().unwrap());
        assert_eq!(letters.len(), n, "letters to {address}");
        letters
    }

    /// Waits until so many letters have been offered to an address, taken or not.
    #[track_caller]
    pub fn is_offered(&self, address: &str, n: u32) {
        self.waits(&format!("{n} offers to {address}"), |state| {
            state.offered.get(address).is_some_and(|o| *o >= n)
        });
    }

    pub fn offers_to(&self, address: &str) -> u32 {
        self.state.0.lock().unwrap().offered.get(address).copied().unwrap_or(0)
    }

    /// How many letters have been offered to a domain.
    pub fn offers_to_domain(&self, domain: &str) -> u32 {
        let state = self.state.0.lock().unwrap();
        let of_domain =
            state.offered.iter().filter(|(to, _)| to.rsplit_once('@').is_some_and(|(_, of)| of == domain));
        of_domain.map(|(_, n)| n).sum()
    }

    pub fn connections(&self) -> u32 {
        self.state.0.lock().unwrap().connections
    }

    /// Waits until so many connections have been made.
    #[track_caller]
    pub fn is_connected_to(&self, n: u32) {
        self.waits(&format!("{n} connections"), |state| state.connections >= n);
    }

    #[track_caller]
    fn waits(&self, what: &str, come: impl Fn(&State) -> bool) {
        let until = Instant::now() + PATIENCE;
        let mut state = self.state.0.lock().unwrap();
        while !come(&state) {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain for {what}; there are {:?}", state.offered);
            state = self.state.1.wait_timeout(state, left).unwrap().0;
        }
    }
}

/// One side of a conversation: what is said is sent when there is nothing more to read, which is one turn.
struct Line<'s> {
    stream: TcpStream,
    lines: BufReader<TcpStream>,
    out: String,
    shared: &'s (Mutex<State>, Condvar),
}

impl Line<'_> {
    fn says(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push_str("\r\n");
    }

    fn flush(&mut self) -> Option<()> {
        let out = std::mem::take(&mut self.out);
        self.stream.write_all(out.as_bytes()).ok()
    }

    /// The next line; none when the other side has hung up.
    fn hears(&mut self) -> Option<Vec<u8>> {
        if self.lines.buffer().is_empty() && !self.out.is_empty() {
            self.flush()?;
            self.shared.0.lock().unwrap().turns += 1;
        }
        let mut line = Vec::new();
        (self.lines.read_until(b'\n', &mut line).ok()? > 0).then_some(line)
    }

    fn takes_text(&mut self, conduct: Conduct) -> Option<String> {
        let mut text = String::new();
        loop {
            let line = String::from_utf8(self.hears()?).ok()?;
            if line == ".\r\n" {
                return Some(text);
            }
            if conduct == Conduct::Drops && text.len() > 200 {
                return None;
            }
            text.push_str(line.strip_prefix('.').unwrap_or(&line));
        }
    }
}

fn attend(stream: TcpStream, shared: &(Mutex<State>, Condvar)) {
    {
        let mut state = shared.0.lock().unwrap();
        state.connections += 1;
        state.open += 1;
        shared.1.notify_all();
    }
    let _ = converse(stream, shared);
    shared.0.lock().unwrap().open -= 1;
}

fn converse(stream: TcpStream, shared: &(Mutex<State>, Condvar)) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let lines = BufReader::with_capacity(1 << 16, stream.try_clone().ok()?);
    let mut line = Line { stream, lines, out: String::new(), shared };
    let (manners, open) = {
        let state = shared.0.lock().unwrap();
        (state.manners, state.open)
    };
    if open > manners.connections {
        line.says("421 4.7.0 too many connections from your address");
        return line.flush();
    }
    line.says(manners.banner);
    if !manners.banner.starts_with('2') {
        return line.flush();
    }
    let mut to = None;
    let mut taken = 0;
    loop {
        let heard = String::from_utf8(line.hears()?).ok()?;
        let command = heard.trim_end().to_owned();
        let verb = command.to_uppercase();
        let manners = shared.0.lock().unwrap().manners;
        if verb.starts_with("EHLO") {
            line.says(&format!("250-sink.example.org\r\n{}", manners.abilities));
        } else if verb.starts_with("MAIL FROM:") {
            if taken >= manners.letters_per_connection {
                line.says("421 4.7.0 that is enough for this connection");
                return line.flush();
            }
            shared.0.lock().unwrap().senders.push(command["MAIL FROM:".len()..].to_owned());
            to = None;
            line.says(manners.mail);
        } else if verb.starts_with("RCPT TO:<") {
            let address = command["RCPT TO:<".len()..].trim_end_matches('>').to_owned();
            match note(shared, &address) {
                Conduct::Answers(answer) | Conduct::AnswersAndWaits(answer) => line.says(answer),
                _ => line.says("250 ok"),
            }
            to = Some(address);
        } else if verb == "DATA" {
            let address = to.take().unwrap_or_default();
            let conduct = shared.0.lock().unwrap().conduct(&address);
            if let Conduct::Answers(_) = conduct {
                line.says("503 5.5.1 no recipient");
                continue;
            }
            line.says("354 go on");
            let text = line.takes_text(conduct)?;
            match conduct {
                // Held open until the other side has had enough.
                Conduct::Hangs => {
                    while line.hears().is_some() {}
                    return None;
                }
                Conduct::AnswersAndWaits(_) => line.says("554 5.5.1 no valid recipient"),
                Conduct::AnswersText(answer) => line.says(answer),
                _ => {
                    taken += 1;
                    shared.0.lock().unwrap().arrived.push(Arrived { to: address, text });
                    shared.1.notify_all();
                    if conduct == Conduct::Vanishes {
                        return None;
                    }
                    line.says("250 taken");
                }
            }
        } else if verb == "QUIT" {
            line.says("221 bye");
            return line.flush();
        } else {
            line.says("250 ok");
        }
    }
}

fn note(shared: &(Mutex<State>, Condvar), to: &str) -> Conduct {
    let mut state = shared.0.lock().unwrap();
    *state.offered.entry(to.to_owned()).or_default() += 1;
    shared.1.notify_all();
    state.conduct(to)
}
