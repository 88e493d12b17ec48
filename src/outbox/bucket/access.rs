//! How a bucket is reached: its address, its server, and who we are there.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, Certificate, ClientOptions, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey},
};
use tokio_rustls::rustls::crypto::ring;

use super::objects::Objects;
use crate::outbox::{Error, is_name};

/// How long one request may take with all its tries, besides the time that its bytes need: the press waits for it, and an issue is
/// postponed then.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Which part of that a reader may wait.
const READERS: u32 = 4;

/// How often a request of the press is tried again, and one of a reader.
const AGAIN: [usize; 2] = [4, 1];

/// No request takes longer, however many bytes it has.
const LONGEST: Duration = Duration::from_mins(30);

/// How a bucket is reached. What is `None` is taken from the environment (`AWS_REGION`, `AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`, ...),
/// as every program of this kind does.
#[derive(Clone, PartialEq, Eq)]
pub struct Access {
    /// The bucket's name.
    pub bucket: String,
    /// What the names of all objects begin with, without slashes at its ends; may be empty.
    pub prefix: String,
    /// The server's address, where it is not Amazon's.
    pub endpoint: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// The name of the access key and its secret.
    pub key: Option<(String, String)>,
    /// Whether a server elsewhere may be asked without TLS.
    pub without_tls: bool,
    /// Certificates, in PEM, that are trusted besides the system's.
    pub authorities: Option<Vec<u8>>,
    /// How long one request may take with all its tries, besides the time that its bytes need.
    pub patience: Duration,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Access({self})")
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        write!(f, "s3://{}{slash}{}", self.bucket, self.prefix)
    }
}

impl Access {
    /// The bucket and prefix of an address such as `s3://bucket/prefix`; `None` where it is none.
    #[must_use]
    pub fn parse(address: &str) -> Option<Self> {
        let rest = address.strip_prefix("s3://")?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        (is_bucket(bucket) && (prefix.is_empty() || is_name(prefix))).then(|| Self {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            endpoint: None,
            region: None,
            key: None,
            without_tls: false,
            authorities: None,
            patience: PATIENCE,
        })
    }

    /// The objects as the press has them, and as readers have them, who wait less long.
    ///
    /// # Errors
    /// When it cannot be reached as it is set; nothing is asked of it yet.
    pub(super) fn objects(&self) -> Result<[Objects; 2], Error> {
        // Whoever was first has chosen the same: there is no other in this program.
        let _ = ring::default_provider().install_default();
        let [press, readers] = AGAIN;
        Ok([self.asked(press, self.patience)?, self.asked(readers, self.patience / READERS)?])
    }

    fn certificates(&self) -> Result<Vec<Certificate>, Error> {
        let Some(authorities) = &self.authorities else { return Ok(Vec::new()) };
        let certificates = Certificate::from_pem_bundle(authorities).unwrap_or_default();
        if certificates.is_empty() {
            let why =
                "`ca_file` of [outbox] has no certificate; it takes those of authorities, in PEM".to_owned();
            return Err(Error::Settings { bucket: self.to_string(), why });
        }
        Ok(certificates)
    }

    fn asked(&self, again: usize, patience: Duration) -> Result<Objects, Error> {
        Ok(Objects::of(Arc::new(self.client(again, patience)?), self.clone(), patience))
    }

    fn client(&self, max_retries: usize, retry_timeout: Duration) -> Result<AmazonS3, Error> {
        let wrong = |why: String| Error::Settings { bucket: self.to_string(), why };
        let mut options = ClientOptions::new().with_timeout(LONGEST).with_connect_timeout(retry_timeout / 2);
        for certificate in self.certificates()? {
            options = options.with_root_certificate(certificate);
        }
        let backoff = BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(2),
            base: 2.0,
        };
        let mut builder = AmazonS3Builder::from_env()
            .with_client_options(options)
            .with_retry(RetryConfig { backoff, max_retries, retry_timeout })
            // Not every server can remove several at once.
            .with_disable_bulk_delete(true)
            .with_bucket_name(&self.bucket);
        if let Some(region) = &self.region {
            builder = builder.with_region(region);
        }
        if let Some((id, secret)) = &self.key {
            builder = builder.with_access_key_id(id).with_secret_access_key(secret);
        }
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        let endpoint = builder.get_config_value(&AmazonS3ConfigKey::Endpoint);
        let is_plain = endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://"));
        if is_plain && !self.without_tls && !endpoint.as_deref().is_some_and(is_here) {
            let shown = endpoint.unwrap_or_default();
            return Err(wrong(format!(
                "`{shown}` is asked without TLS; take an address with https, or set `without_tls` of [outbox] to true"
            )));
        }
        builder.with_allow_http(is_plain).build().map_err(|error| wrong(error.to_string()))
    }
}

/// Whether a name may be one of a bucket: letters, digits, `-`, `_` and `.`.
fn is_bucket(name: &str) -> bool {
    is_name(name) && !name.contains('/')
}

/// Whether an address leads to this machine.
fn is_here(endpoint: &str) -> bool {
    url::Url::parse(endpoint).ok().is_some_and(|url| match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(url::Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_bucket_with_or_without_a_prefix() {
        let parsed = |address| Access::parse(address).map(|access| (access.to_string(), access.prefix));
        let whole = |shown: &str, prefix: &str| Some((shown.to_owned(), prefix.to_owned()));
        assert_eq!(parsed("s3://tide"), whole("s3://tide", ""));
        assert_eq!(parsed("s3://tide/"), whole("s3://tide", ""));
        assert_eq!(parsed("s3://tide/a/b/"), whole("s3://tide/a/b", "a/b"));
        for wrong in [
            "",
            "tide",
            "https://tide/a",
            "s3://",
            "s3:///a",
            "s3://tide/../x",
            "s3://tide/a//b",
            "s3://u:p@tide",
        ] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_secret_is_shown_to_nobody_and_goes_nowhere_in_the_open() {
        let access = Access {
            endpoint: Some("http://bucket.example.org".to_owned()),
            region: Some("here".to_owned()),
            key: Some(("name".to_owned(), "hush".to_owned())),
            ..Access::parse("s3://tide/a").expect("an address")
        };
        assert_eq!(format!("{access:?}"), "Access(s3://tide/a)");
        let refused = access.objects().expect_err("without TLS").to_string();
        assert!(refused.contains("is asked without TLS"), "{refused}");
        assert!(!refused.contains("hush"));
        for endpoint in ["http://127.0.0.1:9", "http://[::1]:9", "http://localhost:9", "https://example.org"]
        {
            let access = Access { endpoint: Some(endpoint.to_owned()), ..access.clone() };
            assert!(access.objects().is_ok(), "{endpoint}");
        }
        assert!(Access { without_tls: true, ..access }.objects().is_ok());
    }
}
