//! The connections of a listener: so many at once, each with patience, and all closed in good time when we stop.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, Response, StatusCode},
};
use hyper::{
    body::{Body as _, Incoming},
    service::Service,
};
use hyper_util::rt::TokioIo;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

use super::{
    ReadingRoom,
    patience::{Exchanges, Patience, Patient},
    reading,
    sheets::{Kind, Sheets},
};

/// Most connections at once, where the system lets us have so many; more wait to be accepted.
const CONNECTIONS: u64 = 10_000;

/// So many file descriptors are for everything else: the ledger, files on their way, mail.
const OTHER_FILES: u64 = 512;

/// The longest head of a request, in bytes.
const LONGEST_HEAD: usize = 64 << 10;

/// How long answers may take that have begun when we stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// How long to wait when the system has no more descriptors or memory for another connection.
const PAUSE: Duration = Duration::from_millis(100);

/// What a listener's clients are answered with.
#[derive(Clone)]
pub(super) struct Pages {
    /// Whose documents are looked for in memory first, and whose requests are counted.
    room: Option<Arc<ReadingRoom>>,
    router: Router,
    patience: Patience,
}

impl Pages {
    /// The pages of readers.
    pub(super) fn of_readers(room: Arc<ReadingRoom>, router: Router) -> Self {
        Self { room: Some(room), router, patience: Patience::default() }
    }
}

/// Listens on an address; port 0 takes any that is free.
///
/// # Errors
/// When the address cannot be had.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Answers requests with the pages of `router` until `stop`, and then what has begun, for ten seconds at most. Whoever sends a file
/// has an hour for it.
pub async fn answer(listener: TcpListener, router: Router, stop: CancellationToken) {
    let patience = Patience { body: Duration::from_hours(1), ..Patience::default() };
    serve(listener, Pages { room: None, router, patience }, stop).await;
}

/// Accepts connections and answers on them until `stop`, and then what has begun, for ten seconds at most.
pub(super) async fn serve(listener: TcpListener, pages: Pages, stop: CancellationToken) {
    serve_so_many(listener, pages, stop, n_places()).await;
}

/// The same, for so many connections at once.
async fn serve_so_many(listener: TcpListener, pages: Pages, stop: CancellationToken, places: usize) {
    let places = Arc::new(Semaphore::new(places));
    let connections = TaskTracker::new();
    let cut = CancellationToken::new();
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = stop.cancelled() => break,
        };
        let Ok(place) = place else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // The client is gone, or we have no file descriptors left: others may still be served.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let exchanges = Arc::<Exchanges>::default();
        let client = Client { pages: pages.clone(), peer, exchanges };
        let (stop, cut) = (stop.clone(), cut.clone());
        connections.spawn(async move {
            let _place = place;
            let exchanges = Arc::clone(&client.exchanges);
            let _counted = client.pages.room.as_ref().map(|room| room.metrics.http.open());
            let stream = Patient::new(stream, client.pages.patience, Arc::clone(&exchanges));
            let mut connection = std::pin::pin!(
                hyper::server::conn::http1::Builder::new()
                    .max_buf_size(LONGEST_HEAD)
                    .serve_connection(TokioIo::new(stream), client)
            );
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    // Half a head, or nothing yet, is no request.
                    if !exchanges.is_under_way() {
                        return;
                    }
                    tokio::select! {
                        ended = connection => ended,
                        () = cut.cancelled() => return,
                    }
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    // Whoever comes now is told at once that we are closed.
    drop(listener);
    connections.close();
    if tokio::time::timeout(STOP_WITHIN, connections.wait()).await.is_err() {
        tracing::info!("some answers were still on their way to slow readers; they are cut off");
        cut.cancel();
        connections.wait().await;
    }
}

/// How many connections we can have: as many as the system gives us descriptors for, after asking for all that it allows.
fn n_places() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = CONNECTIONS + OTHER_FILES;
    if current.is_some_and(|current| current < wanted) {
        let more = maximum.map_or(wanted, |maximum| maximum.min(wanted));
        // Where that is refused, there are as many as there were.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(more), maximum });
    }
    let files = getrlimit(Resource::Nofile).current.unwrap_or(wanted);
    // With few descriptors, half of them.
    let places = files.saturating_sub(OTHER_FILES).max(files / 2).min(CONNECTIONS);
    usize::try_from(places).unwrap_or(usize::MAX).max(1)
}

/// One client of ours.
struct Client {
    pages: Pages,
    peer: SocketAddr,
    exchanges: Arc<Exchanges>,
}

/// An answer that is there at once, or one that has to be made.
enum Answering {
    AtOnce(Option<Response<Sheets>>),
    Later(Pin<Box<dyn Future<Output = Response<Sheets>> + Send>>),
}

impl Future for Answering {
    type Output = Result<Response<Sheets>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::AtOnce(response) => match response.take() {
                Some(response) => Poll::Ready(Ok(response)),
                // It was given before; nobody asks twice.
                None => Poll::Pending,
            },
            Self::Later(response) => response.as_mut().poll(cx).map(Ok),
        }
    }
}

impl Service<Request<Incoming>> for Client {
    type Response = Response<Sheets>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, mut request: Request<Incoming>) -> Answering {
        let exchange = self.exchanges.begin();
        let Pages { room, router, patience } = &self.pages;
        if let Some(response) = room.as_ref().and_then(|room| reading::at_once(room, &request)) {
            count(room.as_deref(), &response);
            return Answering::AtOnce(Some(response.map(|kind| Sheets { kind, _exchange: exchange })));
        }
        // For pages that tell clients apart.
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let (room, router, within) = (room.clone(), router.clone(), patience.body);
        Answering::Later(Box::pin(async move {
            let has_body = !request.body().is_end_stream();
            let answer = async {
                let Ok(response) = router.oneshot(request.map(Body::new)).await;
                response.map(Kind::Written)
            };
            let response = if has_body {
                // Nobody needs so long for the few words of a form.
                tokio::time::timeout(within, answer).await.unwrap_or_else(|_| {
                    let late = "the rest of the request did not come in time\n";
                    reading::text(StatusCode::REQUEST_TIMEOUT, late)
                })
            } else {
                answer.await
            };
            count(room.as_deref(), &response);
            response.map(|kind| Sheets { kind, _exchange: exchange })
        }))
    }
}

fn count<B>(room: Option<&ReadingRoom>, response: &Response<B>) {
    if let Some(room) = room {
        room.metrics.http.answered(response.status().as_u16());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::{body::Bytes, routing::post};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
    };

    use super::*;

    /// Serves pages that take a body, for so many connections, with so much patience for it. Counts the requests to `/third`.
    async fn served(places: usize, body: Duration) -> (SocketAddr, Arc<AtomicUsize>, CancellationToken) {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let thirds = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&thirds);
        let third = move || async move {
            counted.fetch_add(1, Ordering::Relaxed);
            "third"
        };
        let router =
            Router::new().route("/", post(|_: Bytes| async { "taken" })).route("/third", post(third));
        let pages = Pages { room: None, router, patience: Patience { body, ..Patience::default() } };
        let stop = CancellationToken::new();
        tokio::spawn(serve_so_many(listener, pages, stop.clone(), places));
        (address, thirds, stop)
    }

    /// Sends a request, and reads as much as the answer's head and a little more.
    async fn asks(stream: &mut TcpStream, request: &str) -> String {
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).await.expect("read");
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    #[tokio::test]
    async fn who_sends_a_body_too_slowly_is_told_so() {
        let (address, _, stop) = served(9, Duration::from_millis(50)).await;
        let mut stream = TcpStream::connect(address).await.expect("connected");
        let told = asks(&mut stream, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf").await;
        assert!(told.starts_with("HTTP/1.1 408 "), "{told}");
        let mut quick = TcpStream::connect(address).await.expect("connected");
        let told = asks(&mut quick, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nfull").await;
        assert!(told.starts_with("HTTP/1.1 200 "), "{told}");
        stop.cancel();
    }

    #[tokio::test]
    async fn who_comes_when_all_places_are_taken_waits_for_one() {
        let (address, thirds, stop) = served(2, Duration::from_mins(1)).await;
        let request = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
        let mut first = TcpStream::connect(address).await.expect("connected");
        let mut second = TcpStream::connect(address).await.expect("connected");
        for stream in [&mut first, &mut second] {
            assert!(asks(stream, request).await.starts_with("HTTP/1.1 200 "));
        }
        let mut third = TcpStream::connect(address).await.expect("the system accepts it for us");
        third.write_all(request.replace("POST /", "POST /third").as_bytes()).await.expect("written");
        for _ in 0..50 {
            assert!(asks(&mut second, request).await.starts_with("HTTP/1.1 200 "));
        }
        assert_eq!(thirds.load(Ordering::Relaxed), 0, "there was no place");
        drop(first);
        let mut answer = vec![0; 4096];
        let length = third.read(&mut answer).await.expect("read");
        assert!(String::from_utf8_lossy(&answer[..length]).starts_with("HTTP/1.1 200 "));
        assert_eq!(thirds.load(Ordering::Relaxed), 1);
        stop.cancel();
    }
}
