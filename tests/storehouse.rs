//! A real S3 server over a temporary folder, which can be told to refuse, and which looks after each change whether every link leads somewhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    fs,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use s3s::{Body, auth::SimpleAuth, service::S3Service, service::S3ServiceBuilder};
use tempfile::TempDir;
use tokio::{net::TcpListener, net::TcpStream, runtime::Runtime, sync::Notify};

use crate::{judging::Certificates, tools};

/// The bucket, and what the names in it begin with.
pub const ADDRESS: &str = "s3://tide/news";

pub struct Storehouse {
    pub address: SocketAddr,
    told: Arc<Told>,
    runtime: Runtime,
}

struct Told {
    folder: TempDir,
    /// What it answers instead of doing anything.
    refuses: Mutex<Option<u16>>,
    /// How long it takes for every answer.
    takes: Mutex<Duration>,
    /// A request that it does, and whose answer is lost.
    loses: Mutex<Option<(&'static str, String)>>,
    /// A request that it lets wait, and whether one does.
    holds: Mutex<Option<(&'static str, String)>>,
    held: Notify,
    let_go: Notify,
    /// Whether it is of those that know no conditions.
    is_simple: AtomicBool,
    /// What it was asked: the method and the path.
    asked: Mutex<Vec<(String, String)>>,
    /// What was last said of each object that was put: its type, how long it may be kept, how it is packed.
    said: Mutex<BTreeMap<String, [String; 3]>>,
    /// Links of lists that led nowhere after some change.
    dangling: Mutex<BTreeSet<String>>,
}

impl Storehouse {
    pub fn opens() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("tide")).unwrap();
        let service = {
            let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
            builder.set_auth(SimpleAuth::from_single("printer", "open sesame"));
            builder.build()
        };
        let told = Arc::new(Told {
            folder,
            refuses: Mutex::default(),
            takes: Mutex::default(),
            loses: Mutex::default(),
            holds: Mutex::default(),
            held: Notify::new(),
            let_go: Notify::new(),
            is_simple: AtomicBool::new(false),
            asked: Mutex::default(),
            said: Mutex::default(),
            dangling: Mutex::default(),
        });
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let at_work = Arc::clone(&told);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (service, told) = (service.clone(), Arc::clone(&at_work));
                let answer = service_fn(move |request| answer(service.clone(), Arc::clone(&told), request));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer),
                );
            }
        });
        Self { address, told, runtime }
    }

    /// The lines of `[outbox]` for it, and the secret beside the settings.
    pub fn settings(&self) -> String {
        format!(
            "[outbox]\nbucket = \"{ADDRESS}\"\nendpoint = \"http://{}\"\nregion = \"here\"\nkey_id = \"printer\"\n\
             secret_file = \"config/bucket-secret\"\n",
            self.address
        )
    }

    /// A port at which it takes nothing but TLS, and the certificate of who vouches for it; `None` after saying that a story is skipped.
    pub fn behind_tls(&self) -> Option<(u16, PathBuf)> {
        let openssl = tools::program("openssl")?;
        let made = Certificates::make(&openssl, self.told.folder.path(), &["localhost"]);
        let acceptor = made.acceptor();
        let listener = self.runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let address = self.address;
        self.runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut outside) = acceptor.accept(stream).await else { return };
                    let Ok(mut inside) = TcpStream::connect(address).await else { return };
                    let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
                });
            }
        });
        Some((port, made.authority))
    }

    /// From now on it answers everything with that status.
    pub fn refuses(&self, status: Option<u16>) {
        *self.told.refuses.lock().unwrap() = status;
    }

    /// From now on every answer takes so long.
    pub fn takes(&self, time: Duration) {
        *self.told.takes.lock().unwrap() = time;
    }

    /// It does the next request of that method for an object, and nobody hears of it.
    pub fn loses_the_answer_to(&self, method: &'static str, path: &str) {
        *self.told.loses.lock().unwrap() = Some((method, key(path)));
    }

    /// Whether such a request has come.
    pub fn has_lost_it(&self) -> bool {
        self.told.loses.lock().unwrap().is_none()
    }

    /// The next request of that method for an object waits before anything is done, until it is let go.
    pub fn holds(&self, method: &'static str, path: &str) {
        *self.told.holds.lock().unwrap() = Some((method, key(path)));
    }

    /// Waits until a request is held.
    pub fn until_it_holds(&self) {
        self.runtime.block_on(self.told.held.notified());
    }

    pub fn lets_go(&self) {
        self.told.let_go.notify_one();
    }

    /// From now on it answers requests with conditions that it does not know them.
    pub fn knows_no_conditions(&self) {
        self.told.is_simple.store(true, Ordering::Relaxed);
    }

    /// The file of an object, whether or not it is there.
    pub fn file(&self, path: &str) -> PathBuf {
        self.told.object(path)
    }

    pub fn text(&self, path: &str) -> String {
        fs::read_to_string(self.file(path)).unwrap()
    }

    /// What it was asked since the last time.
    pub fn asked(&self) -> Vec<(String, String)> {
        std::mem::take(&mut *self.told.asked.lock().unwrap())
    }

    /// What was said of an object when it was put: its type, how long it may be kept, how it is packed.
    #[track_caller]
    pub fn said(&self, path: &str) -> [String; 3] {
        self.told.said.lock().unwrap()[&key(path)].clone()
    }

    /// The links that ever led nowhere.
    pub fn dangling(&self) -> BTreeSet<String> {
        self.told.dangling.lock().unwrap().clone()
    }
}

/// How an object is asked for.
fn key(path: &str) -> String {
    format!("/tide/news/{path}")
}

impl Told {
    /// Whether this is the request that is waited for; the next one is not.
    fn is_it(waited: &Mutex<Option<(&'static str, String)>>, asked: &(String, String)) -> bool {
        let mut waited = waited.lock().unwrap();
        let is_it = waited.as_ref().is_some_and(|(method, path)| *method == asked.0 && *path == asked.1);
        if is_it {
            *waited = None;
        }
        is_it
    }

    fn object(&self, path: &str) -> PathBuf {
        self.folder.path().join("tide/news").join(path)
    }

    /// Notes what the lists lead to and is not there.
    fn looks(&self) {
        for list in ["feed.xml", "index.html", "feed/atom.xml", "opds/root.xml"] {
            let text = fs::read_to_string(self.object(list)).unwrap_or_default();
            for link in text.split("\"http").skip(1).filter_map(|rest| rest.split('"').next()) {
                let Some((_, path)) = link.split_once("://").and_then(|(_, rest)| rest.split_once('/'))
                else {
                    continue;
                };
                let path = path.split('#').next().unwrap_or_default();
                let path = if path.ends_with('/') { format!("{path}index.html") } else { path.to_owned() };
                if path.starts_with("issues/") && !self.object(&path).is_file() {
                    self.dangling.lock().unwrap().insert(format!("{list} leads to {path}"));
                }
            }
        }
    }
}

async fn answer(
    service: S3Service,
    told: Arc<Told>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let asked = (request.method().to_string(), request.uri().path().to_owned());
    let changes = matches!(asked.0.as_str(), "PUT" | "DELETE" | "POST");
    if asked.0 == "PUT" {
        let head = ["content-type", "cache-control", "content-encoding"];
        let head = head.map(|name| {
            request.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
        });
        told.said.lock().unwrap().insert(asked.1.clone(), head);
    }
    let (loses, holds) = (Told::is_it(&told.loses, &asked), Told::is_it(&told.holds, &asked));
    told.asked.lock().unwrap().push(asked);
    if holds {
        told.held.notify_one();
        told.let_go.notified().await;
    }
    let takes = *told.takes.lock().unwrap();
    if !takes.is_zero() {
        tokio::time::sleep(takes).await;
    }
    let refused = *told.refuses.lock().unwrap();
    if let Some(status) = refused {
        return Ok(Response::builder().status(status).body(Body::empty()).unwrap());
    }
    let conditions = ["if-match", "if-none-match"].iter().any(|name| request.headers().contains_key(*name));
    if changes && conditions && told.is_simple.load(Ordering::Relaxed) {
        let said = "<Error><Code>NotImplemented</Code></Error>".to_owned();
        return Ok(Response::builder().status(501).body(Body::from(said)).unwrap());
    }
    let answer = service.call(request.map(Body::from)).await.unwrap();
    if changes {
        told.looks();
    }
    if loses {
        return Ok(Response::builder().status(500).body(Body::empty()).unwrap());
    }
    Ok(answer)
}
