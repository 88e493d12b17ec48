//! Tells a `WebSub` hub that the feeds have changed, so that readers' programs learn of it at once (W3C `WebSub` §7, publishing).
//!
//! Nobody waits for it: a hub that does not answer is told again a few times, and then not before the next change.

use std::{io, sync::Arc, time::Duration};

use http_body_util::Full;
use hyper::{Request, StatusCode, body::Bytes, header};
use hyper_util::rt::TokioIo;
use rustls_platform_verifier::Verifier;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::Notify,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{self, ClientConfig, pki_types::ServerName},
};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::publication::Publication;

/// How long the hub may take for one answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// After how long it is told again that it did not take; then we give up until the next change.
const AGAIN: [Duration; 4] =
    [Duration::from_secs(10), Duration::from_mins(1), Duration::from_mins(5), Duration::from_mins(30)];

/// The feeds that hubs are told of, by their paths in the outbox.
pub const TOPICS: [&str; 3] = ["feed.xml", "feed/atom.xml", "feed/feed.json"];

/// A hub did not take what it was told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its address is not one.
    #[error("`{0}` is not the address of a hub")]
    Address(String),
    /// It was not reached, or did not answer as servers do.
    #[error("the hub {host} could not be told")]
    Silent {
        /// The hub.
        host: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It answered, and not with success.
    #[error("the hub {host} answered `{status}`")]
    Refused {
        /// The hub.
        host: String,
        /// With what.
        status: StatusCode,
    },
}

impl Error {
    /// What happened, with its causes.
    #[must_use]
    pub fn in_full(&self) -> String {
        let causes = std::iter::successors(Some(self as &dyn std::error::Error), |error| error.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }
}

/// Tells the hub of every ring of the bell, until `stop`. A publication without a hub has nothing to tell.
pub async fn run(publication: Publication, bell: Arc<Notify>, stop: CancellationToken) {
    let Some(hub) = publication.hub.clone() else { return };
    loop {
        tokio::select! {
            () = bell.notified() => {}
            () = stop.cancelled() => return,
        }
        for pause in AGAIN {
            match tell(&hub, &publication).await {
                Ok(()) => break,
                Err(error) => {
                    tracing::warn!("{}; readers' programs come by themselves meanwhile", error.in_full());
                }
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                // A new change is told at once.
                () = bell.notified() => {}
                () = stop.cancelled() => return,
            }
        }
    }
}

/// Tells the hub once that the feeds of a publication have changed.
///
/// # Errors
/// When it cannot be reached within 15 seconds, or does not take it.
pub async fn tell(hub: &str, publication: &Publication) -> Result<(), Error> {
    let url = Url::parse(hub).map_err(|_| Error::Address(hub.to_owned()))?;
    for topic in TOPICS {
        let topic = publication.url(topic);
        // Older hubs want `hub.url`, newer ones `hub.topic`: each takes the one it knows.
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("hub.mode", "publish")
            .append_pair("hub.topic", &topic)
            .append_pair("hub.url", &topic)
            .finish();
        let silent = |source| Error::Silent { host: host_of(&url), source };
        let status = match timeout(PATIENCE, post(&url, form)).await {
            Ok(answered) => answered.map_err(silent)?,
            Err(late) => return Err(silent(late.into())),
        };
        if !status.is_success() {
            return Err(Error::Refused { host: host_of(&url), status });
        }
    }
    Ok(())
}

/// Tells the hub once, for a command that has no daemon to do it; waits for its answers, 15 seconds in all. A publication without a
/// hub has nothing to tell.
///
/// # Errors
/// As [`tell`].
pub fn tell_and_wait(publication: &Publication) -> Result<(), Error> {
    let Some(hub) = publication.hub.as_deref() else { return Ok(()) };
    let silent = |source: Cause| Error::Silent { host: hub.to_owned(), source };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| silent(error.into()))?;
    let told = runtime.block_on(async { timeout(PATIENCE, tell(hub, publication)).await });
    // Looking up a host's name cannot be broken off; nobody waits for that.
    runtime.shutdown_background();
    told.unwrap_or_else(|late| Err(silent(late.into())))
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

async fn post(url: &Url, form: String) -> Result<StatusCode, Cause> {
    let (host, port) = (host_of(url), url.port_or_known_default().unwrap_or(443));
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    if url.scheme() == "http" {
        return exchange(stream, url, form).await;
    }
    let name = ServerName::try_from(host).map_err(io::Error::other)?;
    exchange(tls()?.connect(name, stream).await?, url, form).await
}

async fn exchange<S>(stream: S, url: &Url, form: String) -> Result<StatusCode, Cause>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::post(&url[url::Position::BeforePath..url::Position::AfterQuery])
        .header(header::HOST, &url[url::Position::BeforeHost..url::Position::AfterPort])
        .header(header::USER_AGENT, concat!("gazetted/", env!("CARGO_PKG_VERSION")))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::CONNECTION, "close")
        .body(Full::new(Bytes::from(form)))?;
    let status = sender.send_request(request).await?.status();
    connection.abort();
    Ok(status)
}

fn tls() -> Result<TlsConnector, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::new(Arc::clone(&provider))?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}
