//! A mail server on this machine hands over here what comes back (LMTP, RFC 2033). Only addresses that only we can make are taken,
//! and a letter is answered for when the ledger has what follows from it.

use std::{
    fs, io,
    net::SocketAddr,
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::{TcpListener, UnixListener},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{MOST_BYTES, Returns};

/// Most connections at once; more wait to be accepted.
const CONNECTIONS: usize = 16;

/// The longest wait for a line (RFC 5321 §4.5.3.2.7), and the longest that one connection may last.
const LINE_WITHIN: Duration = Duration::from_mins(5);
const ALL_WITHIN: Duration = Duration::from_hours(1);

/// The longest command (RFC 5321 §4.5.3.1.4 asks for 512), and the most bytes of one letter, of which the beginning is kept.
const LONGEST_LINE: usize = 4096;
const MOST_OFFERED: usize = 64 * 1024 * 1024;

/// The most recipients of one letter (RFC 5321 §4.5.3.1.8).
const MOST_RECIPIENTS: usize = 100;

/// Where a mail server hands over what comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Door {
    /// An address on this machine.
    Loopback(SocketAddr),
    /// A socket in the file system.
    Socket(PathBuf),
}

/// A door that is open.
pub enum Listening {
    /// On loopback.
    Loopback(TcpListener),
    /// In the file system.
    Socket(UnixListener),
}

/// Opens a door; port 0 takes any that is free. A socket that a process before us left is replaced.
///
/// # Errors
/// When the address cannot be had.
pub async fn listen(door: &Door) -> io::Result<Listening> {
    match door {
        Door::Loopback(address) => Ok(Listening::Loopback(TcpListener::bind(address).await?)),
        Door::Socket(path) => {
            if fs::symlink_metadata(path).is_ok_and(|left| left.file_type().is_socket()) {
                fs::remove_file(path)?;
            }
            let listener = UnixListener::bind(path)?;
            // The mail server is another user; what it may hand over is proved by its addresses.
            open_to_all(path)?;
            Ok(Listening::Socket(listener))
        }
    }
}

fn open_to_all(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o666))
}

/// Takes what is handed over, until `stop`; letters that are being handed over then are finished.
pub async fn serve(listening: Listening, returns: Arc<Returns>, stop: CancellationToken) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let conversations = TaskTracker::new();
    loop {
        let place = tokio::select! {
            place = Arc::clone(&room).acquire_owned() => place,
            () = stop.cancelled() => break,
        };
        let Ok(place) = place else { break };
        let accepted: io::Result<Box<dyn Stream>> = tokio::select! {
            accepted = accept(&listening) => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok(stream) => {
                let (returns, stop) = (Arc::clone(&returns), stop.clone());
                let conversation = Conversation { stream: BufReader::new(stream), returns, stop };
                conversations.spawn(async move {
                    let _place = place;
                    if let Ok(Err(error)) = tokio::time::timeout(ALL_WITHIN, conversation.run()).await {
                        tracing::debug!(%error, "a mail server broke off");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a mail server's connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    conversations.close();
    conversations.wait().await;
}

/// Both kinds of connection.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

async fn accept(listening: &Listening) -> io::Result<Box<dyn Stream>> {
    match listening {
        Listening::Loopback(listener) => {
            let (stream, _) = listener.accept().await?;
            let _ = stream.set_nodelay(true);
            Ok(Box::new(stream))
        }
        Listening::Socket(listener) => Ok(Box::new(listener.accept().await?.0)),
    }
}

struct Conversation {
    stream: BufReader<Box<dyn Stream>>,
    returns: Arc<Returns>,
    stop: CancellationToken,
}

/// One line of the client.
enum Line {
    Command(String),
    TooLong,
    End,
}

impl Conversation {
    async fn run(mut self) -> io::Result<()> {
        self.say("220 gazetted LMTP\r\n").await?;
        let (mut greeted, mut sender, mut recipients) = (false, false, Vec::<String>::new());
        loop {
            let line = tokio::select! {
                line = line(&mut self.stream) => line?,
                // Between two letters; in the middle of one it is finished first.
                () = self.stop.cancelled(), if !sender => return self.say("421 4.3.2 closing\r\n").await,
            };
            let command = match line {
                Line::Command(command) => command,
                Line::TooLong => {
                    self.say("500 5.5.2 the line is too long\r\n").await?;
                    continue;
                }
                Line::End => return Ok(()),
            };
            let (verb, rest) = command.split_once(' ').unwrap_or((&command, ""));
            match verb.to_ascii_uppercase().as_str() {
                "LHLO" => {
                    greeted = true;
                    (sender, recipients) = (false, Vec::new());
                    self.say("250-gazetted\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n").await?;
                }
                "HELO" | "EHLO" => self.say("500 5.5.1 this is LMTP: say LHLO\r\n").await?,
                "MAIL" if !greeted => self.say("503 5.5.1 say LHLO first\r\n").await?,
                "MAIL" => {
                    let good = path(rest, "FROM:").is_some();
                    (sender, recipients) = (good, Vec::new());
                    self.say(if good { "250 2.1.0 ok\r\n" } else { "501 5.5.4 say MAIL FROM:<address>\r\n" })
                        .await?;
                }
                "RCPT" if !sender => self.say("503 5.5.1 say MAIL first\r\n").await?,
                "RCPT" if recipients.len() >= MOST_RECIPIENTS => {
                    self.say("452 4.5.3 too many recipients\r\n").await?;
                }
                "RCPT" => {
                    let answer = match path(rest, "TO:") {
                        Some(address) if self.returns.ours(&address).is_some() => {
                            recipients.push(address);
                            "250 2.1.5 ok\r\n"
                        }
                        Some(_) => "550 5.1.1 there is no such mailbox\r\n",
                        None => "501 5.5.4 say RCPT TO:<address>\r\n",
                    };
                    self.say(answer).await?;
                }
                "DATA" if recipients.is_empty() => self.say("503 5.5.1 there is no recipient\r\n").await?,
                "DATA" => {
                    self.say("354 go on\r\n").await?;
                    let Some(letter) = text(&mut self.stream).await? else { return Ok(()) };
                    let answers = take(&self.returns, letter, std::mem::take(&mut recipients)).await;
                    sender = false;
                    self.say(&answers).await?;
                }
                "RSET" => {
                    (sender, recipients) = (false, Vec::new());
                    self.say("250 2.0.0 ok\r\n").await?;
                }
                "NOOP" => self.say("250 2.0.0 ok\r\n").await?,
                "VRFY" => self.say("252 2.5.1 send it and see\r\n").await?,
                "QUIT" => return self.say("221 2.0.0 bye\r\n").await,
                _ => self.say("500 5.5.1 that is no command here\r\n").await?,
            }
        }
    }

    async fn say(&mut self, text: &str) -> io::Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(text.as_bytes()).await?;
        stream.flush().await
    }
}

/// Deals with a letter for each of its recipients; gives a line for each.
async fn take(returns: &Arc<Returns>, letter: Vec<u8>, recipients: Vec<String>) -> String {
    let returns = Arc::clone(returns);
    let taken = tokio::task::spawn_blocking(move || {
        let mut answers = String::new();
        for recipient in recipients {
            answers.push_str(match returns.take(&letter, &[recipient]) {
                Ok(_) => "250 2.0.0 taken\r\n",
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "what came back cannot be entered"
                    );
                    "451 4.3.0 try again later\r\n"
                }
            });
        }
        answers
    });
    taken.await.unwrap_or_else(|_| "451 4.3.0 try again later\r\n".to_owned())
}

/// The address in `FROM:<…>` or `TO:<…>`; empty for the sender of reports.
fn path(rest: &str, keyword: &str) -> Option<String> {
    let rest = rest.trim_start();
    let head = rest.get(..keyword.len())?;
    let path = head.eq_ignore_ascii_case(keyword).then(|| rest[keyword.len()..].trim_start())?;
    let (address, _) = path.strip_prefix('<')?.rsplit_once('>')?;
    (address.len() <= 320).then(|| address.to_owned())
}

/// One line, without its end.
async fn line(stream: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Line> {
    let mut bytes = Vec::new();
    let (ended, too_long) = until_line_feed(stream, &mut bytes, LONGEST_LINE).await?;
    Ok(match (ended, too_long) {
        (false, _) => Line::End,
        (true, true) => Line::TooLong,
        (true, false) => Line::Command(String::from_utf8_lossy(&bytes).trim_end().to_owned()),
    })
}

/// A letter's text up to the line that is one dot: its beginning, as much as is read. `None` when the client is gone or does not
/// stop.
async fn text(stream: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let (mut letter, mut line, mut offered) = (Vec::new(), Vec::new(), 0);
    loop {
        line.clear();
        let (ended, _) = until_line_feed(stream, &mut line, MOST_BYTES).await?;
        offered += line.len();
        if !ended || offered > MOST_OFFERED {
            return Ok(None);
        }
        if line == b".\r\n" || line == b".\n" {
            return Ok(Some(letter));
        }
        let line = line.strip_prefix(b".").unwrap_or(&line);
        let room = MOST_BYTES - letter.len().min(MOST_BYTES);
        letter.extend_from_slice(&line[..line.len().min(room)]);
    }
}

/// Reads up to the next line feed into `bytes`, as many as `most`. Gives whether there was one, and whether bytes were left out.
async fn until_line_feed(
    stream: &mut (impl AsyncBufRead + Unpin),
    bytes: &mut Vec<u8>,
    most: usize,
) -> io::Result<(bool, bool)> {
    let mut too_long = false;
    loop {
        let silent = |_| io::Error::new(io::ErrorKind::TimedOut, "it was silent for too long");
        let buffer = tokio::time::timeout(LINE_WITHIN, stream.fill_buf()).await.map_err(silent)??;
        if buffer.is_empty() {
            return Ok((false, too_long));
        }
        let end = buffer.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        let part = &buffer[..end.unwrap_or(buffer.len())];
        let room = most.saturating_sub(bytes.len());
        too_long |= part.len() > room;
        bytes.extend_from_slice(&part[..part.len().min(room)]);
        let length = part.len();
        stream.consume(length);
        if end.is_some() {
            return Ok((true, too_long));
        }
    }
}
