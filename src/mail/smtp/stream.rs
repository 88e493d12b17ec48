//! The way to a mail server: TCP without delays, under TLS where the settings say so.

use std::{sync::Arc, time::Duration};

use rustls_platform_verifier::Verifier;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        self, ClientConfig,
        pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    },
};

use super::Server;
use crate::metrics;

/// Whatever carries a conversation.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> Duplex for S {}

/// What became of an attempt to get there, in words.
pub(super) type Trouble = String;

/// Connects to the server.
pub(super) async fn connect(server: &Server, within: Duration) -> Result<Box<dyn Duplex>, Trouble> {
    let connecting = TcpStream::connect((server.host.as_str(), server.port));
    let stream = tokio::time::timeout(within, connecting)
        .await
        .map_err(|_| super::too_late(within))?
        .map_err(|error| error.to_string())?;
    // Otherwise the last piece of a letter waits 40 ms for the answer to the one before.
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    Ok(Box::new(stream))
}

/// Puts the way under TLS, with a certificate for the server's name; gives that too, in DER.
pub(super) async fn protect(
    stream: Box<dyn Duplex>,
    tls: &TlsConnector,
    server: &Server,
    within: Duration,
    counts: &metrics::Mail,
) -> Result<(Box<dyn Duplex>, Option<Vec<u8>>), Trouble> {
    let name = ServerName::try_from(server.host.clone()).map_err(|error| error.to_string())?;
    match tokio::time::timeout(within, tls.connect(name, stream)).await {
        Ok(Ok(stream)) => {
            let certificates = stream.get_ref().1.peer_certificates();
            let own = certificates.and_then(<[_]>::first).map(|certificate| certificate.to_vec());
            if let Some(expires) = own.as_deref().and_then(expiry) {
                counts.certificate(&server.host, expires);
            }
            Ok((Box::new(stream), own))
        }
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(super::too_late(within)),
    }
}

/// When a certificate expires, in seconds since 1970.
fn expiry(certificate: &[u8]) -> Option<i64> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

/// What we trust: the system's authorities, and those of the file that the settings name.
pub(super) fn tls(server: &Server) -> Result<TlsConnector, Trouble> {
    let mut roots = Vec::new();
    if let Some(path) = &server.ca_file {
        let failed = |error| format!("cannot read the certificates in `{}`: {error}", path.display());
        for certificate in CertificateDer::pem_file_iter(path).map_err(failed)? {
            roots.push(certificate.map_err(failed)?);
        }
    }
    let configured = || {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Verifier::new_with_extra_roots(roots, Arc::clone(&provider))?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(TlsConnector::from(Arc::new(config)))
    };
    configured().map_err(|error: rustls::Error| error.to_string())
}
