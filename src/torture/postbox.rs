//! A mail server that keeps what it took, and fails its clients in every way that a seed asks for.

use std::{
    collections::HashSet,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring, pki_types};

/// Where in a conversation the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Banner,
    Ehlo,
    Mail,
    Rcpt,
    Data,
    Text,
}

impl Stage {
    pub(super) const ALL: [Self; 6] =
        [Self::Banner, Self::Ehlo, Self::Mail, Self::Rcpt, Self::Data, Self::Text];
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection ends at once.
    Refuse,
    /// It ends where an answer is due. Behind the text: the letter is kept, and nobody told.
    Drop(Stage),
    /// Nothing more is said where an answer is due, but all is heard. Behind the text: the letter is kept, and nobody told.
    HalfClose(Stage),
    /// The answer never comes, until the client has had enough.
    Hang(Stage),
    /// This is the answer; behind it the conversation goes on.
    Answer(Stage, &'static str),
    /// The connection ends in the middle of the text.
    Cut,
    /// The server has had enough after so many letters: 421, and the end.
    Enough(u32),
    /// Every answer comes a byte at a time.
    Drip,
    /// It says that it can do TLS, and hangs up when it is to begin.
    NoTls,
    /// It begins TLS, with a certificate of another's that nobody vouches for.
    Stranger,
}

impl Fault {
    /// Whether this is about TLS, which the letters of such a newsroom go by.
    pub(super) fn is_about_tls(self) -> bool {
        matches!(self, Self::NoTls | Self::Stranger)
    }
}

/// A letter that was taken: everything up to its final dot was here.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    /// Its recipient.
    pub(super) to: String,
    /// Its own name.
    pub(super) id: String,
    /// The issues that it leads to.
    pub(super) issues: HashSet<String>,
    /// The address at which its reader can leave.
    pub(super) leave: Option<String>,
}

#[derive(Debug, Default)]
struct State {
    taken: Vec<Taken>,
    /// Who was told that no letter will ever be taken.
    refused: HashSet<String>,
    /// What goes wrong on how many of the next connections.
    faults: Vec<Fault>,
    /// How often something went wrong.
    failed: u32,
    /// How many connections ended without a farewell after letters were taken on them: what was said last may not have been heard.
    unheard: u32,
    /// Mail that came although there was to be TLS, and was none or with a stranger.
    bare: u32,
}

/// The server, open on loopback.
pub(super) struct Postbox {
    pub(super) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Postbox {
    pub(super) fn open() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || attend(stream, &shared));
            }
        });
        Ok(Self { address, state })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// From now on so many connections fail.
    pub(super) fn fails(&self, fault: Fault, times: usize) {
        self.state().faults = vec![fault; times];
    }

    /// All is well again.
    pub(super) fn mends(&self) {
        self.state().faults.clear();
    }

    /// How many faults are still to come.
    pub(super) fn faults_left(&self) -> usize {
        self.state().faults.len()
    }

    pub(super) fn taken(&self) -> Vec<Taken> {
        self.state().taken.clone()
    }

    pub(super) fn n_taken(&self) -> usize {
        self.state().taken.len()
    }

    pub(super) fn refused(&self) -> HashSet<String> {
        self.state().refused.clone()
    }

    /// How many faults there were, how many connections ended after a letter and without a farewell, and how many letters were said
    /// without TLS.
    pub(super) fn counts(&self) -> (u32, u32, u32) {
        let state = self.state();
        (state.failed, state.unheard, state.bare)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Talk<'s> {
    stream: TcpStream,
    lines: BufReader<TcpStream>,
    out: Vec<u8>,
    fault: Option<Fault>,
    state: &'s Mutex<State>,
}

/// Whether a conversation goes on.
#[derive(PartialEq, Eq)]
enum Goes {
    On,
    Over,
}

impl Talk<'_> {
    fn says(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }

    fn flush(&mut self) -> Option<()> {
        let out = std::mem::take(&mut self.out);
        if self.fault != Some(Fault::Drip) {
            return self.stream.write_all(&out).ok();
        }
        for byte in out {
            self.stream.write_all(&[byte]).ok()?;
            thread::sleep(Duration::from_millis(3));
        }
        Some(())
    }

    fn hears(&mut self) -> Option<Vec<u8>> {
        if self.lines.buffer().is_empty() && !self.out.is_empty() {
            self.flush()?;
        }
        let mut line = Vec::new();
        (self.lines.read_until(b'\n', &mut line).ok()? > 0).then_some(line)
    }

    /// Answers, or does what goes wrong here.
    fn answers(&mut self, stage: Stage, usual: &str) -> Goes {
        match self.fault {
            Some(Fault::Drop(at)) if at == stage => {
                self.failed();
                // What came before is answered.
                let _ = self.flush();
                return Goes::Over;
            }
            Some(Fault::HalfClose(at)) if at == stage => {
                self.failed();
                let _ = self.flush();
                let _ = self.stream.shutdown(Shutdown::Write);
                while self.hears().is_some() {}
                return Goes::Over;
            }
            Some(Fault::Hang(at)) if at == stage => {
                self.failed();
                let _ = self.flush();
                while self.hears().is_some() {}
                return Goes::Over;
            }
            Some(Fault::Answer(at, answer)) if at == stage => {
                self.failed();
                self.fault = None;
                self.says(answer);
                if stage == Stage::Banner || answer.starts_with("421") {
                    let _ = self.flush();
                    return Goes::Over;
                }
                return Goes::On;
            }
            _ => {}
        }
        self.says(usual);
        Goes::On
    }

    fn failed(&self) {
        lock(self.state).failed += 1;
    }

    /// Whether this answer is the fault's.
    fn is_refused(&self, stage: Stage) -> Option<&'static str> {
        match self.fault {
            Some(Fault::Answer(at, answer)) if at == stage => Some(answer),
            _ => None,
        }
    }

    fn text(&mut self) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        loop {
            let line = self.hears()?;
            if line == b".\r\n" {
                return Some(text);
            }
            if self.fault == Some(Fault::Cut) && text.len() > 400 {
                self.failed();
                return None;
            }
            text.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
    }
}

fn attend(stream: TcpStream, state: &Mutex<State>) {
    let fault = {
        let mut state = lock(state);
        state.faults.pop()
    };
    let mut n_taken = 0;
    if converse(stream, fault, state, &mut n_taken).is_none() && n_taken > 0 {
        lock(state).unheard += 1;
    }
}

fn converse(stream: TcpStream, fault: Option<Fault>, state: &Mutex<State>, n_taken: &mut u32) -> Option<()> {
    if fault == Some(Fault::Refuse) {
        lock(state).failed += 1;
        return None;
    }
    stream.set_nodelay(true).ok()?;
    let lines = BufReader::with_capacity(1 << 16, stream.try_clone().ok()?);
    let mut talk = Talk { stream, lines, out: Vec::new(), fault, state };
    if talk.answers(Stage::Banner, "220 postbox.example.org") == Goes::Over {
        return None;
    }
    let mut to: Option<String> = None;
    loop {
        let heard = String::from_utf8_lossy(&talk.hears()?).trim_end().to_owned();
        let verb = heard.to_uppercase();
        let goes = if verb.starts_with("EHLO") {
            let tls = if talk.fault.is_some_and(Fault::is_about_tls) { "250-STARTTLS\r\n" } else { "" };
            talk.answers(
                Stage::Ehlo,
                &format!("250-postbox.example.org\r\n{tls}250-PIPELINING\r\n250 8BITMIME"),
            )
        } else if verb == "STARTTLS" {
            talk.failed();
            if talk.fault == Some(Fault::Stranger) {
                talk.says("220 go on");
                talk.flush()?;
                if is_trusted(&talk.stream).unwrap_or(false) {
                    lock(state).bare += 1;
                }
            }
            return None;
        } else if verb.starts_with("MAIL FROM:") {
            if talk.fault.is_some_and(Fault::is_about_tls) {
                lock(state).bare += 1;
            }
            if let Some(Fault::Enough(most)) = talk.fault
                && *n_taken >= most
            {
                talk.failed();
                talk.says("421 4.7.0 that is enough for this connection");
                return talk.flush();
            }
            to = None;
            talk.answers(Stage::Mail, "250 ok")
        } else if verb.starts_with("RCPT TO:") {
            let address = heard.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
            match talk.is_refused(Stage::Rcpt) {
                Some(answer) if answer.starts_with('5') => _ = lock(state).refused.insert(address),
                Some(_) => {}
                None => to = Some(address),
            }
            talk.answers(Stage::Rcpt, "250 ok")
        } else if verb == "DATA" {
            let Some(to) = to.take() else {
                talk.says("503 5.5.1 no recipient");
                continue;
            };
            if let Some(answer) = talk.is_refused(Stage::Data) {
                if answer.starts_with('5') {
                    lock(state).refused.insert(to);
                }
                talk.answers(Stage::Data, "")
            } else if talk.answers(Stage::Data, "354 go on") == Goes::Over {
                Goes::Over
            } else {
                let text = talk.text()?;
                match talk.is_refused(Stage::Text) {
                    Some(answer) if answer.starts_with('5') => _ = lock(state).refused.insert(to),
                    Some(_) => {}
                    None => {
                        *n_taken += 1;
                        let letter = read(to, &text);
                        lock(state).taken.push(letter);
                    }
                }
                talk.answers(Stage::Text, "250 taken")
            }
        } else if verb == "QUIT" {
            talk.says("221 bye");
            return talk.flush();
        } else {
            talk.says("250 ok");
            Goes::On
        };
        if goes == Goes::Over {
            return None;
        }
    }
}

/// Begins TLS as a server that it is not; says whether the client goes on all the same.
fn is_trusted(stream: &TcpStream) -> Option<bool> {
    let stranger = rcgen::generate_simple_self_signed(vec!["stranger.example".to_owned()]).ok()?;
    let key = pki_types::PrivateKeyDer::Pkcs8(stranger.signing_key.serialize_der().into());
    let settings = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .ok()?
        .with_no_client_auth()
        .with_single_cert(vec![stranger.cert.der().clone()], key)
        .ok()?;
    let server = ServerConnection::new(Arc::new(settings)).ok()?;
    let mut heard = [0];
    StreamOwned::new(server, stream).read(&mut heard).ok().map(|n| n > 0)
}

/// What a letter is, as a mail program understands it.
fn read(to: String, text: &[u8]) -> Taken {
    let message = mail_parser::MessageParser::default().parse(text);
    let body = message.as_ref().and_then(|message| message.body_text(0)).unwrap_or_default().into_owned();
    let id = message.as_ref().and_then(|message| message.message_id()).unwrap_or_default().to_owned();
    let issues = body.split("/issues/").skip(1).filter_map(|rest| rest.split('/').next()).map(str::to_owned);
    let leave = body.split("/leave/").nth(1).map(|rest| {
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_.~".contains(*c)).collect::<String>()
    });
    Taken { to, id, issues: issues.collect(), leave }
}
