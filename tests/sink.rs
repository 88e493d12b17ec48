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
    /// Never answers after the text's final dot.
    Hangs,
    /// Closes the connection in the middle of the text.
    Drops,
}

#[derive(Default)]
struct State {
    arrived: Vec<Arrived>,
    offered: HashMap<String, u32>,
    conduct: HashMap<String, Conduct>,
    connections: u32,
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
                thread::spawn(move || converse(stream, &shared));
            }
        });
        Self { address, state }
    }

    /// What becomes of letters to an address from now on.
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

    pub fn connections(&self) -> u32 {
        self.state.0.lock().unwrap().connections
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

fn converse(mut stream: TcpStream, shared: &(Mutex<State>, Condvar)) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?);
    shared.0.lock().unwrap().connections += 1;
    let mut say = |text: &str| stream.write_all(format!("{text}\r\n").as_bytes()).ok();
    say("220 sink.example.org")?;
    let mut to = String::new();
    let mut line = String::new();
    loop {
        line.clear();
        if lines.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let command = line.trim_end().to_owned();
        let verb = command.to_uppercase();
        if verb.starts_with("EHLO") {
            say("250-sink.example.org\r\n250-PIPELINING\r\n250 8BITMIME")?;
        } else if verb.starts_with("RCPT TO:<") {
            command["RCPT TO:<".len()..].trim_end_matches('>').clone_into(&mut to);
            match note(shared, &to) {
                Conduct::Answers(answer) => say(answer)?,
                _ => say("250 ok")?,
            }
        } else if verb == "DATA" {
            let conduct = shared.0.lock().unwrap().conduct.get(&to).copied().unwrap_or(Conduct::Takes);
            say("354 go on")?;
            let text = take_text(&mut lines, conduct)?;
            if conduct == Conduct::Hangs {
                // Held open until the other side has had enough.
                let _ = lines.read_line(&mut line);
                return None;
            }
            shared.0.lock().unwrap().arrived.push(Arrived { to: to.clone(), text });
            shared.1.notify_all();
            say("250 taken")?;
        } else if verb == "QUIT" {
            say("221 bye")?;
            return None;
        } else {
            say("250 ok")?;
        }
    }
}

fn note(shared: &(Mutex<State>, Condvar), to: &str) -> Conduct {
    let mut state = shared.0.lock().unwrap();
    *state.offered.entry(to.to_owned()).or_default() += 1;
    shared.1.notify_all();
    state.conduct.get(to).copied().unwrap_or(Conduct::Takes)
}

fn take_text(lines: &mut BufReader<TcpStream>, conduct: Conduct) -> Option<String> {
    let mut text = String::new();
    let mut line = String::new();
    loop {
        line.clear();
        if lines.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == ".\r\n" {
            return Some(text);
        }
        if conduct == Conduct::Drops && text.len() > 200 {
            return None;
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
