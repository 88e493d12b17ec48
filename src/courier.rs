//! Brings a few bytes to a server of others by one POST, and comes back with the status of its answer. It follows no redirect, keeps no
//! connection, and reads none of what is answered besides.

use std::{io, sync::Arc, time::Duration};

use http_body_util::Full;
use hyper::{
    HeaderMap, Request, StatusCode,
    body::Bytes,
    header::{self, HeaderValue},
};
use hyper_util::rt::TokioIo;
use rustls_platform_verifier::Verifier;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{self, ClientConfig, pki_types::ServerName},
};
use url::Url;

/// How long a server may take for its answer, from the first look at its name on.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// Why no answer came.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Posts `body` with `headers` to an address of http or https, and gives the status of the answer.
///
/// # Errors
/// When the server is not reached within [`PATIENCE`], or does not answer as servers do.
pub async fn post(url: &Url, headers: HeaderMap, body: impl Into<Bytes>) -> Result<StatusCode, Cause> {
    timeout(PATIENCE, carry(url, headers, body.into())).await?
}

async fn carry(url: &Url, headers: HeaderMap, body: Bytes) -> Result<StatusCode, Cause> {
    let (host, port) = (host_of(url), url.port_or_known_default().unwrap_or(443));
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    if url.scheme() == "http" {
        return exchange(stream, url, headers, body).await;
    }
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(io::Error::other)?;
    exchange(tls()?.connect(name, stream).await?, url, headers, body).await
}

async fn exchange<S>(stream: S, url: &Url, headers: HeaderMap, body: Bytes) -> Result<StatusCode, Cause>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let mut request = Request::post(&url[url::Position::BeforePath..url::Position::AfterQuery])
        .header(header::HOST, &url[url::Position::BeforeHost..url::Position::AfterPort])
        .body(Full::new(body))?;
    let our = request.headers_mut();
    our.insert(header::USER_AGENT, HeaderValue::from_static(concat!("gazetted/", env!("CARGO_PKG_VERSION"))));
    our.insert(header::CONNECTION, HeaderValue::from_static("close"));
    our.extend(headers);
    let answer = sender.send_request(request).await;
    connection.abort();
    Ok(answer?.status())
}

/// TLS that trusts whom the system trusts.
///
/// # Errors
/// When the system's authorities cannot be read.
pub fn tls() -> Result<TlsConnector, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::new(Arc::clone(&provider))?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// The host of an address.
#[must_use]
pub fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}
