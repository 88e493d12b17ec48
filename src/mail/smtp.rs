//! One connection to the mail server, driven phase by phase: each has its own deadline, and its own meaning when it fails.
//!
//! The pool of `lettre` is not used: it hides the phase in which an error came, waits for ever for a server that is silent,
//! and gives a connection back in the middle of a letter when a send is cancelled. Its connection type has none of this.

use std::{fmt, future::Future, path::PathBuf, time::Duration};

use lettre::transport::smtp::{
    authentication::{Credentials, DEFAULT_MECHANISMS},
    client::{AsyncSmtpConnection, Certificate, TlsParameters},
    commands::{Data, Mail, Quit, Rcpt, Rset},
    extension::ClientId,
    response::Response,
};
use tokio::net::TcpStream;

use super::letter::Letter;
use crate::{delivery::Phase, delivery::Reply};

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

/// The server that takes our letters.
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

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} ({:?})", self.host, self.port, self.protection)
    }
}

/// Why a letter was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// When it happened.
    pub phase: Phase,
    /// What kind of answer it was.
    pub kind: Kind,
    /// What the server said, or what became of the connection.
    pub reply: String,
}

impl Failure {
    /// The same for the ledger.
    pub(super) fn as_reply(&self) -> Reply {
        Reply { phase: self.phase, code: None, status: None, text: self.reply.clone() }
    }
}

/// What kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The server answered 4xx.
    Transient,
    /// The server answered 5xx.
    Permanent,
    /// There was no answer: the connection ended, or the deadline passed.
    Silence,
}

/// An open connection, ready for a letter.
pub(super) struct Connection {
    smtp: AsyncSmtpConnection,
    patience: Duration,
}

impl Connection {
    /// Connects, greets, protects the way and logs in.
    ///
    /// # Errors
    /// A [`Failure`] of phase [`Phase::Connect`].
    pub(super) async fn open(server: &Server) -> Result<Self, Failure> {
        let patience = server.patience.min(Duration::from_mins(5));
        let failed = |error: lettre::transport::smtp::Error| failure(Phase::Connect, &error);
        let hello = ClientId::default();
        let address = (server.host.as_str(), server.port);
        let connect = async {
            let mut smtp = if server.protection == Protection::Tls {
                let tls = tls_parameters(server)?;
                AsyncSmtpConnection::connect_tokio1(address, Some(patience), &hello, Some(tls), None)
                    .await
                    .map_err(failed)?
            } else {
                let stream =
                    TcpStream::connect(address).await.map_err(|error| silence(Phase::Connect, &error))?;
                // Otherwise the last piece of every letter waits 40 ms for the answer to the one before.
                stream.set_nodelay(true).map_err(|error| silence(Phase::Connect, &error))?;
                AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello).await.map_err(failed)?
            };
            if server.protection == Protection::StartTls {
                smtp.starttls(tls_parameters(server)?, &hello).await.map_err(failed)?;
            }
            if let Some((user, password)) = &server.login {
                let login = Credentials::new(user.clone(), password.clone());
                smtp.auth(DEFAULT_MECHANISMS, &login).await.map_err(failed)?;
            }
            Ok(smtp)
        };
        let smtp = tokio::time::timeout(patience, connect)
            .await
            .unwrap_or_else(|_| Err(too_late(Phase::Connect, patience)))?;
        Ok(Self { smtp, patience: server.patience })
    }

    /// Offers one letter to the server. On success gives its answer to the final dot.
    ///
    /// # Errors
    /// See [`Failure`]. After [`Kind::Silence`] the connection must not be used again; after an answer it may, once
    /// [`Connection::reset`] has succeeded.
    pub(super) async fn send(&mut self, letter: &Letter) -> Result<Reply, Failure> {
        let minutes = Duration::from_mins;
        let from = letter.from.parse().map_err(|error| silence(Phase::Mail, &error))?;
        let to = letter.to.parse().map_err(|error| silence(Phase::Rcpt, &error))?;
        let mail = Mail::new(Some(from), Vec::new());
        within(Phase::Mail, minutes(5).min(self.patience), self.smtp.command(mail)).await?;
        let rcpt = Rcpt::new(to, Vec::new());
        within(Phase::Rcpt, minutes(5).min(self.patience), self.smtp.command(rcpt)).await?;
        within(Phase::Data, minutes(2).min(self.patience), self.smtp.command(Data)).await?;
        let text = Wire(&letter.wire);
        let taken = within(Phase::Text, minutes(10).min(self.patience), self.smtp.command(text)).await?;
        Ok(Reply { phase: Phase::Text, code: Some(code(&taken)), status: None, text: said(&taken) })
    }

    /// Clears a refused letter away, so that the next one may be offered. Says whether the connection is still good.
    pub(super) async fn reset(&mut self) -> bool {
        within(Phase::Mail, self.patience.min(Duration::from_secs(30)), self.smtp.command(Rset)).await.is_ok()
    }

    /// Takes leave of the server; whatever it answers, we are done.
    pub(super) async fn close(mut self) {
        let _ = within(Phase::Mail, Duration::from_secs(5).min(self.patience), self.smtp.command(Quit)).await;
    }
}

/// A letter's text as it goes over the wire.
struct Wire<'l>(&'l [u8]);

impl fmt::Display for Wire<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(self.0).map_err(|_| fmt::Error)?)
    }
}

async fn within(
    phase: Phase,
    limit: Duration,
    answer: impl Future<Output = Result<Response, lettre::transport::smtp::Error>>,
) -> Result<Response, Failure> {
    match tokio::time::timeout(limit, answer).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => Err(failure(phase, &error)),
        Err(_) => Err(too_late(phase, limit)),
    }
}

fn tls_parameters(server: &Server) -> Result<TlsParameters, Failure> {
    let mut tls = TlsParameters::builder(server.host.clone());
    if let Some(path) = &server.ca_file {
        let pem = std::fs::read(path).map_err(|error| silence(Phase::Connect, &error))?;
        let certificate = Certificate::from_pem(&pem).map_err(|error| failure(Phase::Connect, &error))?;
        tls = tls.add_root_certificate(certificate);
    }
    tls.build().map_err(|error| failure(Phase::Connect, &error))
}

fn failure(phase: Phase, error: &lettre::transport::smtp::Error) -> Failure {
    let kind = if error.is_permanent() {
        Kind::Permanent
    } else if error.is_transient() {
        Kind::Transient
    } else {
        Kind::Silence
    };
    Failure { phase, kind, reply: error.to_string() }
}

fn silence(phase: Phase, error: &dyn std::error::Error) -> Failure {
    Failure { phase, kind: Kind::Silence, reply: error.to_string() }
}

fn too_late(phase: Phase, limit: Duration) -> Failure {
    Failure { phase, kind: Kind::Silence, reply: format!("no answer within {} s", limit.as_secs_f32()) }
}

fn code(response: &Response) -> u16 {
    response.code().to_string().parse().unwrap_or(250)
}

fn said(response: &Response) -> String {
    format!("{} {}", response.code(), response.message().collect::<Vec<_>>().join(" "))
}
