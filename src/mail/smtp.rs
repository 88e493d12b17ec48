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

/// The phase of a conversation, which tells whom an error concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Connecting, greeting, TLS, log-in: concerns the server and us.
    Connect,
    /// `MAIL FROM`: concerns the server and us.
    Mail,
    /// `RCPT TO`: concerns the subscriber.
    Rcpt,
    /// `DATA`: concerns the letter.
    Data,
    /// The text up to the final dot's answer: concerns the letter; without an answer nobody knows.
    Text,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "while connecting",
            Self::Mail => "after MAIL FROM",
            Self::Rcpt => "after RCPT TO",
            Self::Data => "after DATA",
            Self::Text => "after the letter's text",
        })
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
    pub(super) async fn send(&mut self, letter: &Letter) -> Result<String, Failure> {
        let minutes = Duration::from_mins;
        let from = letter.from.parse().map_err(|error| silence(Phase::Mail, &error))?;
        let to = letter.to.parse().map_err(|error| silence(Phase::Rcpt, &error))?;
        let mail = Mail::new(Some(from), Vec::new());
        within(Phase::Mail, minutes(5).min(self.patience), self.smtp.command(mail)).await?;
        let rcpt = Rcpt::new(to, Vec::new());
        within(Phase::Rcpt, minutes(5).min(self.patience), self.smtp.command(rcpt)).await?;
        within(Phase::Data, minutes(2).min(self.patience), self.smtp.command(Data)).await?;
        let text = Stuffed(&letter.message);
        let taken = within(Phase::Text, minutes(10).min(self.patience), self.smtp.command(text)).await?;
        Ok(said(&taken))
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

/// A letter's text as it goes over the wire: dots at the beginning of a line doubled (RFC 5321 §4.5.2), then the final dot.
struct Stuffed<'t>(&'t str);

impl fmt::Display for Stuffed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.0.split_inclusive("\r\n") {
            if line.starts_with('.') {
                f.write_str(".")?;
            }
            f.write_str(line)?;
        }
        if !self.0.ends_with("\r\n") {
            f.write_str("\r\n")?;
        }
        f.write_str(".\r\n")
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

fn said(response: &Response) -> String {
    format!("{} {}", response.code(), response.message().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_a_letter_can_end_it() {
        assert_eq!(Stuffed("a\r\n.\r\n..b\r\n").to_string(), "a\r\n..\r\n...b\r\n.\r\n");
        assert_eq!(Stuffed(".a").to_string(), "..a\r\n.\r\n");
    }
}
