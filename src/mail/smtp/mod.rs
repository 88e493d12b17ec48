//! One connection to a mail server, driven phase by phase: each has its own deadline, and its own meaning when it fails.
//!
//! The conversation is spoken here, on tokio, and not by `lettre`, whose part is the log-in. Its connection reads replies only in
//! UTF-8 and of any length, has no deadlines, does not tell whether the final dot had left when a connection died, and hides what
//! the server can do (`PIPELINING`, `SIZE`).

mod probe;
mod reply;
mod stream;

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use lettre::transport::smtp::{
    authentication::{Credentials, Mechanism},
    commands::Auth,
    extension::ClientId,
    response::Response,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;

pub use self::probe::{ProbeFailure, Probed, probe};
use self::{
    reply::{Nonsense, Said},
    stream::Duplex,
};
use super::letter::Letter;
use crate::{delivery::Phase, delivery::Reply, metrics};

/// How the way to the server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// TLS from the first byte (RFC 8314, port 465).
    Tls,
    /// TLS after `STARTTLS` (RFC 3207, port 587); a server without it is refused.
    StartTls,
    /// None: for a server on this machine.
    None,
}

/// A server that takes our letters.
#[derive(Clone)]
pub struct Server {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way is protected.
    pub protection: Protection,
    /// A user and a password, where it asks for them.
    pub login: Option<(String, String)>,
    /// A file of certificates (PEM) to trust besides those of the system.
    pub ca_file: Option<PathBuf>,
    /// The longest that any phase may take; RFC 5321 §4.5.3.2 sets each phase's own limit.
    pub patience: Duration,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({:?})", self.protection)
    }
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// What the server said and when, or, without a code, what became of the connection.
    pub reply: Reply,
    /// Whether a letter's final dot had been handed over when the connection ended: it may have been taken.
    pub may_be_taken: bool,
}

impl Failure {
    /// Whether the server answered at all.
    pub(super) fn is_answer(&self) -> bool {
        self.reply.code.is_some()
    }
}

/// The most that each phase may take, RFC 5321 §4.5.3.2.
fn limit(phase: Phase) -> Duration {
    match phase {
        Phase::Connect | Phase::Mail | Phase::Rcpt => Duration::from_mins(5),
        Phase::Data => Duration::from_mins(2),
        Phase::Text => Duration::from_mins(10),
    }
}

/// How long the server may take to accept a piece of a text.
const PIECE: Duration = Duration::from_mins(3);

/// How long we listen for the last words of a server that closed the connection while we spoke.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// How long a server may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(5);

/// A server with what connections to it share.
#[derive(Clone)]
pub(super) struct Port {
    pub(super) server: Server,
    tls: Arc<OnceLock<TlsConnector>>,
    /// Where it is noted how long its certificate holds.
    counts: metrics::Mail,
}

impl Port {
    pub(super) fn of(server: Server, counts: metrics::Mail) -> Self {
        Self { server, tls: Arc::default(), counts }
    }

    fn tls(&self) -> Result<TlsConnector, String> {
        if let Some(tls) = self.tls.get() {
            return Ok(tls.clone());
        }
        let tls = stream::tls(&self.server)?;
        Ok(self.tls.get_or_init(|| tls).clone())
    }
}

/// What a server says that it can do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Abilities {
    /// Several commands may be sent at once (RFC 2920).
    pipelining: bool,
    /// The size of a letter may be told beforehand (RFC 1870)
    size: bool,
    /// and is limited to this.
    most: Option<usize>,
    /// It offers TLS.
    starttls: bool,
    /// The log-ins that it offers.
    log_ins: Vec<String>,
}

impl Abilities {
    fn of(said: &Said) -> Self {
        let mut abilities = Self::default();
        for line in said.lines.iter().skip(1) {
            let mut words = line.split([' ', '=']).filter(|word| !word.is_empty());
            match words.next().unwrap_or_default().to_ascii_uppercase().as_str() {
                "PIPELINING" => abilities.pipelining = true,
                "STARTTLS" => abilities.starttls = true,
                "SIZE" => {
                    abilities.size = true;
                    abilities.most = words.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0);
                }
                "AUTH" => abilities.log_ins.extend(words.map(str::to_ascii_uppercase)),
                _ => {}
            }
        }
        abilities
    }
}

/// What must be said before the next letter's envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owed {
    Nothing,
    /// A refused envelope is to be cleared away.
    Reset,
    /// The server waits for a text although it refused the envelope: it gets none.
    Dot,
}

impl Owed {
    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Nothing => &[],
            Self::Reset => &["RSET\r\n"],
            Self::Dot => &[".\r\n", "RSET\r\n"],
        }
    }
}

/// An open connection, ready for a letter.
pub(super) struct Connection {
    stream: Box<dyn Duplex>,
    heard: Vec<u8>,
    abilities: Abilities,
    patience: Duration,
    owed: Owed,
    /// How many replies are still to come before those to the envelope that was sent.
    before: usize,
    /// Whether an envelope was sent whose replies were not read.
    asked: bool,
    /// Whether it can be used further.
    alive: bool,
    /// Whether the server waits for a text.
    in_text: bool,
    /// How many letters were offered on it.
    pub(super) used: u32,
    /// The server's certificate, in DER, where the way is under TLS.
    certificate: Option<Vec<u8>>,
}

impl Connection {
    /// Connects, greets, protects the way and logs in.
    ///
    /// # Errors
    /// A [`Failure`] of phase [`Phase::Connect`].
    pub(super) async fn open(port: &Port) -> Result<Self, Failure> {
        let server = &port.server;
        let patience = server.patience;
        let most = patience.min(limit(Phase::Connect));
        let lost = |trouble: String| lost(Phase::Connect, trouble);
        let mut stream = stream::connect(server, most).await.map_err(lost)?;
        let mut certificate = None;
        if server.protection == Protection::Tls {
            (stream, certificate) =
                stream::protect(stream, &port.tls().map_err(lost)?, server, most, &port.counts)
                    .await
                    .map_err(lost)?;
        }
        let mut connection = Self {
            stream,
            heard: Vec::new(),
            abilities: Abilities::default(),
            patience,
            owed: Owed::Nothing,
            before: 0,
            asked: false,
            alive: true,
            in_text: false,
            used: 0,
            certificate,
        };
        connection.good(Phase::Connect).await?;
        connection.greet().await?;
        if server.protection == Protection::StartTls {
            connection = connection.start_tls(port, most).await?;
            connection.greet().await?;
        }
        if let Some((user, password)) = &server.login {
            connection.log_in(Credentials::new(user.clone(), password.clone())).await?;
        }
        Ok(connection)
    }

    async fn greet(&mut self) -> Result<(), Failure> {
        let us = ClientId::default();
        self.write(Phase::Connect, format!("EHLO {us}\r\n").as_bytes()).await?;
        let said = self.reply(Phase::Connect).await?;
        if said.is_good() {
            self.abilities = Abilities::of(&said);
            return Ok(());
        }
        if !matches!(said.code, 500 | 502 | 504) {
            return Err(refused(&said, Phase::Connect));
        }
        // A server from before 1995 knows only this.
        self.write(Phase::Connect, format!("HELO {us}\r\n").as_bytes()).await?;
        self.good(Phase::Connect).await?;
        Ok(())
    }

    async fn start_tls(mut self, port: &Port, most: Duration) -> Result<Self, Failure> {
        let lost = |trouble: String| lost(Phase::Connect, trouble);
        if !self.abilities.starttls {
            return Err(lost("the server does not offer STARTTLS".to_owned()));
        }
        self.write(Phase::Connect, b"STARTTLS\r\n").await?;
        self.good(Phase::Connect).await?;
        // What somebody slipped in before TLS must not count as said under it.
        if !self.heard.is_empty() {
            return Err(lost("there were words between STARTTLS and TLS".to_owned()));
        }
        let tls = port.tls().map_err(lost)?;
        (self.stream, self.certificate) =
            stream::protect(self.stream, &tls, &port.server, most, &port.counts).await.map_err(lost)?;
        Ok(self)
    }

    async fn log_in(&mut self, credentials: Credentials) -> Result<(), Failure> {
        let offered = |mechanism: &Mechanism| self.abilities.log_ins.contains(&mechanism.to_string());
        let known = [Mechanism::Plain, Mechanism::Login].into_iter().find(offered);
        let Some(mechanism) = known else {
            return Err(lost(Phase::Connect, "the server offers no log-in that we know".to_owned()));
        };
        let wrong = |error: lettre::transport::smtp::Error| lost(Phase::Connect, error.to_string());
        let mut words = Auth::new(mechanism, credentials.clone(), None).map_err(wrong)?;
        // The log-in with two questions has the most.
        for _ in 0..3 {
            self.write(Phase::Connect, words.to_string().as_bytes()).await?;
            let said = self.reply(Phase::Connect).await?;
            if said.is_good() {
                return Ok(());
            }
            if said.code != 334 {
                return Err(refused(&said, Phase::Connect));
            }
            let question: Response = format!("334 {}\r\n", said.lines.join(" ")).parse().map_err(wrong)?;
            words = Auth::new_from_response(mechanism, credentials.clone(), &question).map_err(wrong)?;
        }
        Err(lost(Phase::Connect, "the server asks again and again".to_owned()))
    }

    /// Whether the connection can be used further.
    pub(super) fn is_alive(&self) -> bool {
        self.alive
    }

    /// Whether the envelope of a letter was sent whose replies were not read.
    pub(super) fn is_asked(&self) -> bool {
        self.asked
    }

    /// Whether the envelope of the next letter may go along with the text of this one.
    pub(super) fn pipelines(&self) -> bool {
        self.abilities.pipelining
    }

    /// Why the server would not take a letter of this size, where it has said so.
    pub(super) fn too_large(&self, letter: &Letter) -> Option<Reply> {
        let most = self.abilities.most?;
        let size = letter.size();
        (size > most).then(|| {
            let text = format!("the letter has {size} bytes, and the server takes at most {most}");
            Reply { phase: Phase::Data, code: None, status: None, text }
        })
    }

    /// Sends a letter's envelope, all at once where the server knows `PIPELINING`; else [`Connection::envelope`] does it.
    ///
    /// # Errors
    /// Of phase [`Phase::Mail`]; the connection is dead then.
    pub(super) async fn announce(&mut self, letter: &Letter) -> Result<(), Failure> {
        if !self.abilities.pipelining {
            return Ok(());
        }
        let mut words = Vec::with_capacity(256);
        self.add_envelope(letter, &mut words);
        self.write(Phase::Mail, &words).await
    }

    fn add_envelope(&mut self, letter: &Letter, words: &mut Vec<u8>) {
        let owed = self.owed.words();
        for word in owed {
            words.extend_from_slice(word.as_bytes());
        }
        (self.before, self.owed, self.asked) = (owed.len(), Owed::Nothing, true);
        self.used += 1;
        for word in [self.mail(letter), rcpt(letter), "DATA\r\n".to_owned()] {
            words.extend_from_slice(word.as_bytes());
        }
    }

    fn mail(&self, letter: &Letter) -> String {
        if self.abilities.size {
            format!("MAIL FROM:<{}> SIZE={}\r\n", letter.from, letter.size())
        } else {
            format!("MAIL FROM:<{}>\r\n", letter.from)
        }
    }

    /// Hears what the server says to a letter's envelope; afterwards it waits for the text.
    ///
    /// # Errors
    /// Of the phase whose command was refused or not answered. While [`Connection::is_alive`], the next letter may be announced.
    pub(super) async fn envelope(&mut self, letter: &Letter) -> Result<(), Failure> {
        self.asked = false;
        if !self.abilities.pipelining {
            return self.step_by_step(letter).await;
        }
        for _ in 0..std::mem::take(&mut self.before) {
            let said = self.reply(Phase::Mail).await?;
            if !self.alive {
                return Err(refused(&said, Phase::Mail));
            }
        }
        let mut failure = None;
        for phase in [Phase::Mail, Phase::Rcpt] {
            let said = self.reply(phase).await?;
            if !said.is_good() {
                failure.get_or_insert(refused(&said, phase));
            }
            if !self.alive {
                return Err(failure.unwrap_or(refused(&said, phase)));
            }
        }
        let said = self.reply(Phase::Data).await?;
        self.in_text = said.code == 354;
        match failure {
            None if self.in_text => return Ok(()),
            Some(_) if self.in_text => self.owed = Owed::Dot,
            _ => self.owed = Owed::Reset,
        }
        self.in_text = false;
        Err(failure.unwrap_or(refused(&said, Phase::Data)))
    }

    async fn step_by_step(&mut self, letter: &Letter) -> Result<(), Failure> {
        self.used += 1;
        for word in std::mem::replace(&mut self.owed, Owed::Nothing).words() {
            self.write(Phase::Mail, word.as_bytes()).await?;
            self.reply(Phase::Mail).await?;
        }
        for (phase, words) in [(Phase::Mail, self.mail(letter)), (Phase::Rcpt, rcpt(letter))] {
            self.write(phase, words.as_bytes()).await?;
            let said = self.reply(phase).await?;
            if !said.is_good() {
                self.owed = Owed::Reset;
                return Err(refused(&said, phase));
            }
        }
        self.write(Phase::Data, b"DATA\r\n").await?;
        let said = self.reply(Phase::Data).await?;
        if said.code != 354 {
            self.owed = Owed::Reset;
            return Err(refused(&said, Phase::Data));
        }
        self.in_text = true;
        Ok(())
    }

    /// Hands a letter's text over, and with it the envelope of the next, where there is one. Gives the answer to the text.
    ///
    /// # Errors
    /// Of phase [`Phase::Text`]. Where the connection ended, it says whether the final dot had been handed over.
    pub(super) async fn text(&mut self, letter: Letter, next: Option<&Letter>) -> Result<Reply, Failure> {
        let end = letter.size();
        let Letter { mut wire, enclosed, .. } = letter;
        let mut envelope = Vec::new();
        if let Some(next) = next {
            // Behind a text alone, all goes out at once.
            self.add_envelope(next, if enclosed.is_empty() { &mut wire } else { &mut envelope });
        }
        if let Err((written, trouble)) = self.write_all([&wire, &enclosed, &envelope]).await {
            let failure = Failure { may_be_taken: written >= end, ..lost(Phase::Text, trouble) };
            // It may have said why before it closed.
            return match tokio::time::timeout(LAST_WORDS, self.hear()).await {
                Ok(Ok(said)) if !said.is_good() => Err(refused(&said, Phase::Text)),
                _ => Err(failure),
            };
        }
        self.in_text = false;
        let said = self.reply(Phase::Text).await?;
        if said.is_good() { Ok(said.in_phase(Phase::Text)) } else { Err(refused(&said, Phase::Text)) }
    }

    /// Takes leave of the server; whatever it answers, we are done.
    pub(super) async fn close(mut self) {
        if self.alive && !self.in_text && !self.asked {
            let most = GOODBYE.min(self.patience);
            let goodbye = async {
                self.stream.write_all(b"QUIT\r\n").await?;
                self.stream.flush().await?;
                let _ = self.hear().await;
                self.stream.shutdown().await
            };
            let _ = tokio::time::timeout(most, goodbye).await;
        }
    }

    async fn write(&mut self, phase: Phase, words: &[u8]) -> Result<(), Failure> {
        self.write_all([words]).await.map_err(|(_, trouble)| lost(phase, trouble))
    }

    /// Writes all, with a deadline for each piece that the server takes. On failure says how many bytes had gone, at most.
    async fn write_all<const N: usize>(&mut self, texts: [&[u8]; N]) -> Result<(), (usize, String)> {
        let most = self.patience.min(PIECE);
        let mut written = 0;
        for mut text in texts {
            while !text.is_empty() {
                let trouble = match tokio::time::timeout(most, self.stream.write(text)).await {
                    Ok(Ok(0)) => "the connection ended".to_owned(),
                    Ok(Ok(n)) => {
                        written += n;
                        text = &text[n..];
                        continue;
                    }
                    Ok(Err(error)) => error.to_string(),
                    Err(_) => too_late(most),
                };
                self.alive = false;
                return Err((written, trouble));
            }
        }
        match tokio::time::timeout(most, self.stream.flush()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                self.alive = false;
                Err((written, error.to_string()))
            }
            Err(_) => {
                self.alive = false;
                Err((written, too_late(most)))
            }
        }
    }

    async fn good(&mut self, phase: Phase) -> Result<Said, Failure> {
        let said = self.reply(phase).await?;
        if said.is_good() { Ok(said) } else { Err(refused(&said, phase)) }
    }

    /// The next reply. After 421 the server closes the connection (RFC 5321 §3.8): it is dead then, as after a silence.
    async fn reply(&mut self, phase: Phase) -> Result<Said, Failure> {
        let most = self.patience.min(limit(phase));
        let heard = tokio::time::timeout(most, self.hear()).await.unwrap_or_else(|_| Err(too_late(most)));
        match heard {
            Ok(said) => {
                self.alive &= said.code != 421;
                Ok(said)
            }
            Err(trouble) => {
                self.alive = false;
                Err(Failure { may_be_taken: phase == Phase::Text, ..lost(phase, trouble) })
            }
        }
    }

    async fn hear(&mut self) -> Result<Said, String> {
        loop {
            match reply::parse(&self.heard) {
                Ok(Some((said, length))) => {
                    self.heard.drain(..length);
                    return Ok(said);
                }
                Ok(None) => {}
                Err(Nonsense) => return Err("the server does not speak SMTP".to_owned()),
            }
            match self.stream.read_buf(&mut self.heard).await {
                Ok(0) => return Err("the connection ended".to_owned()),
                Ok(_) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}

fn rcpt(letter: &Letter) -> String {
    format!("RCPT TO:<{}>\r\n", letter.to)
}

fn refused(said: &Said, phase: Phase) -> Failure {
    Failure { reply: said.in_phase(phase), may_be_taken: false }
}

fn lost(phase: Phase, trouble: String) -> Failure {
    Failure { reply: Reply { phase, code: None, status: None, text: trouble }, may_be_taken: false }
}

fn too_late(limit: Duration) -> String {
    format!("no answer within {} s", limit.as_secs_f32())
}
