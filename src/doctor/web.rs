//! Whether readers get to us by the address that the settings give.

use std::io;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{Request, StatusCode, body::Bytes, header};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::rustls::pki_types::ServerName;
use url::Url;

use super::{Finding, PATIENCE};
use crate::{config::Newsroom, courier, daemon};

/// The most bytes that are read of an answer: our feed has a few hundred thousand.
const MOST: usize = 8 << 20;

pub(super) async fn pages(newsroom: &Newsroom) -> Vec<Finding> {
    let publication = newsroom.publication(newsroom.settings.http.listen);
    let base = &publication.base_url;
    let set = newsroom.settings.publication.base_url.is_some();
    let address = |path: &str| publication.url(path);
    let help = if set {
        "see whether the daemon runs, and the web server before it (docs/serving.md)"
    } else {
        "`gazetted run` serves it"
    };
    let mut findings = Vec::new();
    // Of a folder that is not there yet, none is made.
    let is_there = newsroom.settings.outbox.bucket.is_some() || newsroom.outbox().is_dir();
    let outbox = is_there.then(|| daemon::open_outbox(newsroom).ok()).flatten();
    let ours = outbox.and_then(|outbox| outbox.read("feed.xml").ok());
    findings.push(match (ours, get(&address("feed.xml")).await) {
        (_, Err(why)) if set => Finding::wrong("pages", format!("{base} does not answer: {why}"), help),
        (_, Err(why)) => Finding::look("pages", format!("{base} does not answer: {why}"), help),
        (Some(ours), Ok((StatusCode::OK, theirs))) if ours == theirs => {
            Finding::ok("pages", format!("{} is our feed", address("feed.xml")))
        }
        (Some(_), Ok((StatusCode::OK, _))) => Finding::wrong(
            "pages",
            format!("{} is not the feed in the outbox", address("feed.xml")),
            "see `base_url`: another newsroom or a cache answers there, or a web server serves another folder",
        ),
        (Some(_), Ok((status, _))) => {
            Finding::wrong("pages", format!("{} answers {status}", address("feed.xml")), help)
        }
        (None, Ok(_)) => Finding::ok("pages", format!("{base} answers; nothing is out yet")),
    });
    // The outbox may be served by another machine; the forms are ours.
    let health = format!("{}healthz", publication.forms.url);
    findings.push(match get(&health).await {
        Ok((StatusCode::OK, said)) if said == b"ok\n" => {
            Finding::ok("forms", format!("readers' forms at {} are ours", publication.forms.url))
        }
        Ok((status, _)) if set => Finding::wrong(
            "forms",
            format!("{health} answers {status}, and not as we do: readers could not leave or join"),
            "pass `/join`, `/confirm/`, `/leave/` and the other addresses of docs/serving.md on to the daemon, or set `leave_url` in [http]",
        ),
        Err(why) if set => Finding::wrong("forms", format!("{health} does not answer: {why}"), help),
        Ok(_) | Err(_) => Finding::look("forms", format!("{health} does not answer as we do"), help),
    });
    findings
}

/// What an address answers.
async fn get(address: &str) -> Result<(StatusCode, Vec<u8>), String> {
    let url = Url::parse(address).map_err(|error| error.to_string())?;
    match timeout(PATIENCE, fetch(&url)).await {
        Ok(answered) => answered.map_err(|error| error.to_string()),
        Err(_) => Err(format!("nothing came within {} seconds", PATIENCE.as_secs())),
    }
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

async fn fetch(url: &Url) -> Result<(StatusCode, Vec<u8>), Cause> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let stream = TcpStream::connect((host.as_str(), url.port_or_known_default().unwrap_or(443))).await?;
    if url.scheme() == "http" {
        return exchange(stream, url).await;
    }
    let name = ServerName::try_from(host).map_err(io::Error::other)?;
    exchange(courier::tls()?.connect(name, stream).await?, url).await
}

async fn exchange<S>(stream: S, url: &Url) -> Result<(StatusCode, Vec<u8>), Cause>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::get(&url[url::Position::BeforePath..url::Position::AfterQuery])
        .header(header::HOST, &url[url::Position::BeforeHost..url::Position::AfterPort])
        .header(header::USER_AGENT, concat!("gazetted/", env!("CARGO_PKG_VERSION")))
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), MOST).collect().await?.to_bytes();
    connection.abort();
    Ok((status, body.to_vec()))
}
