//! Fetches pictures from the hosts on the web that a publication allows, and from nowhere else.
//!
//! Only over https, only from addresses on the public Internet, which we look up ourselves and connect to as looked up, so that no
//! name server can answer twice. Nothing is sent but the request: no cookie, no referrer, no name of the newsroom.

mod addresses;

use std::{
    collections::BTreeMap,
    io,
    net::{SocketAddr, ToSocketAddrs as _},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http_body_util::{BodyExt as _, Empty};
use hyper::{Request, Response, StatusCode, body::Body as _, body::Bytes, body::Incoming, header};
use hyper_util::rt::TokioIo;
use rustls_platform_verifier::Verifier;
use tokio::{net::TcpStream, sync::Semaphore, task::JoinSet, time::timeout};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        self, ClientConfig,
        pki_types::{CertificateDer, ServerName},
    },
};
use url::{Host, Url};

pub use addresses::is_public;

use crate::{manuscript::Fetched, manuscript::MAX_PICTURE_BYTES, manuscript::MAX_PICTURES};

/// How long one picture may take, from the question for its host's address to its last byte.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long all pictures of a manuscript may take together: publishing waits no longer.
const PATIENCE_FOR_ALL: Duration = Duration::from_secs(30);

/// How many pictures are fetched at once.
const AT_ONCE: usize = 4;

/// How many times an answer may lead elsewhere.
const MAX_TURNS: usize = 3;

/// How many addresses of a host are tried.
const MAX_ADDRESSES: usize = 4;

/// The most bytes of all pictures of a manuscript together.
const MAX_TOTAL: usize = 100_000_000;

/// The port of https.
const PORT: u16 = 443;

/// Gives the addresses of a host.
pub type Resolve = dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// What came, by its address.
type Came = BTreeMap<String, Result<Vec<u8>, String>>;

/// How the web is reached. Tests have a web of their own.
#[derive(Clone)]
pub struct Web {
    /// Gives the addresses of a host; it may block.
    pub resolve: Arc<Resolve>,
    /// Whether we may connect to an address.
    pub permits: fn(&SocketAddr) -> bool,
    /// Authorities whose certificates are trusted besides the system's, in DER.
    pub roots: Vec<Vec<u8>>,
    /// How long one picture may take.
    pub patience: Duration,
    /// How long all pictures of a manuscript may take together.
    pub patience_for_all: Duration,
}

impl Default for Web {
    /// The Internet, by the system's name servers.
    fn default() -> Self {
        Self {
            resolve: Arc::new(|host| Ok((host, PORT).to_socket_addrs()?.collect())),
            permits: |address| is_public(address.ip()),
            roots: Vec::new(),
            patience: PATIENCE,
            patience_for_all: PATIENCE_FOR_ALL,
        }
    }
}

/// Fetches pictures.
#[derive(Clone)]
pub struct Fetcher {
    hosts: Vec<String>,
    web: Web,
}

impl Fetcher {
    /// One that fetches from these hosts only; from none, it never asks anybody.
    #[must_use]
    pub fn new(hosts: Vec<String>, web: Web) -> Self {
        Self { hosts, web }
    }

    /// Whether there is no host that we may ask.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.hosts.is_empty()
    }

    /// Whether an address is one that we were told to fetch from.
    #[must_use]
    pub fn may_ask(&self, address: &str) -> bool {
        Url::parse(address).is_ok_and(|url| self.names(&url))
    }

    fn names(&self, url: &Url) -> bool {
        matches!(url.host(), Some(Host::Domain(host)) if self.hosts.iter().any(|known| known == host))
    }

    /// The pictures at those of the addresses that we may ask, or why one did not come, in words for its editor. Blocks, for no
    /// longer than half a minute.
    ///
    /// What comes is not looked at: it may be anything of at most [`MAX_PICTURE_BYTES`].
    #[must_use]
    pub fn fetch(&self, addresses: &[String]) -> Fetched {
        let asked = addresses.iter().filter(|address| self.may_ask(address)).take(MAX_PICTURES);
        let asked: Vec<String> = asked.cloned().collect();
        if asked.is_empty() {
            return Fetched::default();
        }
        let came = Arc::new(Mutex::new(Came::new()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let why = match runtime {
            Ok(runtime) => {
                let all = self.fetch_all(asked.clone(), Arc::clone(&came));
                let said = runtime.block_on(async { timeout(self.web.patience_for_all, all).await });
                // A name server that does not answer must not hold us.
                runtime.shutdown_background();
                said.map_or_else(
                    |_| too_late(self.web.patience_for_all),
                    |said| said.err().unwrap_or_default(),
                )
            }
            Err(error) => error.to_string(),
        };
        let mut came = std::mem::take(&mut *came.lock().unwrap_or_else(PoisonError::into_inner));
        let each = asked.into_iter().map(|address| {
            let picture = came.remove(&address).unwrap_or_else(|| Err(why.clone()));
            (address, picture)
        });
        Fetched(Arc::new(each.collect()))
    }

    async fn fetch_all(&self, addresses: Vec<String>, came: Arc<Mutex<Came>>) -> Result<(), String> {
        let trip = Arc::new(Trip {
            fetcher: self.clone(),
            tls: self.tls().map_err(|error| format!("TLS cannot be used here: {error}"))?,
            left: AtomicUsize::new(MAX_TOTAL),
            places: Semaphore::new(AT_ONCE),
        });
        let mut tasks = JoinSet::new();
        for address in addresses {
            let (trip, came) = (Arc::clone(&trip), Arc::clone(&came));
            tasks.spawn(async move {
                let Ok(_place) = trip.places.acquire().await else { return };
                let patience = trip.fetcher.web.patience;
                let picture = timeout(patience, trip.fetch(&address)).await;
                let picture = picture.unwrap_or_else(|_| Err(too_late(patience)));
                came.lock().unwrap_or_else(PoisonError::into_inner).insert(address, picture);
            });
        }
        while tasks.join_next().await.is_some() {}
        Ok(())
    }

    fn tls(&self) -> Result<TlsConnector, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = self.web.roots.iter().map(|root| CertificateDer::from(root.clone()));
        let verifier = Verifier::new_with_extra_roots(roots, Arc::clone(&provider))?;
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

/// What the pictures of one manuscript are fetched with.
struct Trip {
    fetcher: Fetcher,
    tls: TlsConnector,
    /// How many bytes may still come.
    left: AtomicUsize,
    places: Semaphore,
}

impl Trip {
    async fn fetch(&self, address: &str) -> Result<Vec<u8>, String> {
        let mut url = Url::parse(address).map_err(|_| "this is no address on the web".to_owned())?;
        for _ in 0..=MAX_TURNS {
            let answer = self.ask(&url).await?;
            let status = answer.status();
            if status == StatusCode::OK {
                return self.take(answer).await;
            }
            let place = answer.headers().get(header::LOCATION).and_then(|place| place.to_str().ok());
            let Some(place) = place.filter(|_| status.is_redirection()) else {
                return Err(format!("{} answered `{status}`", host_of(&url)));
            };
            url = url.join(place).map_err(|_| format!("{} led to no address", host_of(&url)))?;
        }
        Err(format!("{} led elsewhere more than {MAX_TURNS} times", host_of(&url)))
    }

    /// The head of the answer for an address, which is held to all rules whoever led to it.
    async fn ask(&self, url: &Url) -> Result<Response<Incoming>, String> {
        if url.scheme() != "https" {
            return Err("pictures are fetched over `https` only; write its address so".to_owned());
        }
        if !self.fetcher.names(url) {
            return Err(format!("it leads to {}, which `pictures_from` does not name", host_of(url)));
        }
        if url.port().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err("its address has a port or a password; only plain addresses are asked".to_owned());
        }
        let host = host_of(url);
        let failed = |what: &str, error: &dyn std::fmt::Display| format!("{host} {what}: {error}");
        let stream = self.connect(&host).await?;
        let name = ServerName::try_from(host.clone()).map_err(|error| failed("is no host", &error))?;
        let stream = self.tls.connect(name, stream).await;
        let stream = stream.map_err(|error| failed("could not be trusted", &error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| failed("gave no answer", &error))?;
        tokio::spawn(connection);
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let request = Request::get(path)
            .header(header::HOST, &host)
            .header(header::USER_AGENT, concat!("gazetted/", env!("CARGO_PKG_VERSION")))
            .header(header::ACCEPT, "image/png, image/jpeg, image/webp, image/gif")
            .body(Empty::<Bytes>::new())
            .map_err(|_| "this is no address on the web".to_owned())?;
        sender.send_request(request).await.map_err(|error| failed("gave no answer", &error))
    }

    /// A connection to a host, none of whose addresses may be in anybody's own network.
    async fn connect(&self, host: &str) -> Result<TcpStream, String> {
        let (resolve, name) = (Arc::clone(&self.fetcher.web.resolve), host.to_owned());
        let found = tokio::task::spawn_blocking(move || resolve(&name)).await;
        let found = found.map_err(io::Error::other).and_then(|found| found);
        let addresses = found.map_err(|error| format!("the address of {host} was not found: {error}"))?;
        if addresses.iter().any(|address| !(self.fetcher.web.permits)(address)) {
            return Err(format!("{host} is in a private network, from where nothing is fetched"));
        }
        let mut last = io::Error::other("it has no address");
        for address in addresses.iter().take(MAX_ADDRESSES) {
            let limit = self.fetcher.web.patience / 3;
            match timeout(limit, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = error,
                Err(_) => last = io::Error::other("it did not answer"),
            }
        }
        Err(format!("{host} could not be reached: {last}"))
    }

    /// The body of an answer, while it is not too long.
    async fn take(&self, answer: Response<Incoming>) -> Result<Vec<u8>, String> {
        let too_long = || format!("it has more than {} MB; save it smaller", MAX_PICTURE_BYTES / 1_000_000);
        let mut body = answer.into_body();
        if body.size_hint().lower() > MAX_PICTURE_BYTES as u64 {
            return Err(too_long());
        }
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| format!("it did not come whole: {error}"))?;
            let Some(data) = frame.data_ref() else { continue };
            if bytes.len() + data.len() > MAX_PICTURE_BYTES {
                return Err(too_long());
            }
            let left = self
                .left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(data.len()));
            if left.is_err() {
                let most = MAX_TOTAL / 1_000_000;
                return Err(format!("the pictures on the web have more than {most} MB together"));
            }
            bytes.extend_from_slice(data);
        }
        Ok(bytes)
    }
}

fn too_late(patience: Duration) -> String {
    format!("it did not come within {} s", patience.as_secs_f32())
}

fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}
