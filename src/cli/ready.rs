//! `gazetted ready`: asks the daemon that runs here whether it can do its work, for container managers and scripts.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use super::{Error, say};
use crate::config::{Newsroom, reachable};

/// How long the daemon may take to answer; it tries its disks first.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn run(newsroom: &Newsroom) -> Result<(), Error> {
    let address = reachable(newsroom.settings.http.listen);
    let answer = ask(address).map_err(|error| Error::Asked {
        problem: format!("no gazetted answers at `{address}`: {error}"),
        help: Some("start it with `gazetted run`".to_owned()),
    })?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    say(body.trim_end())?;
    if head.split(' ').nth(1) == Some("200") { Ok(()) } else { Err(Error::Found) }
}

fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let question = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(question.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(64 * 1024).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
