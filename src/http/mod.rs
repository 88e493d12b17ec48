//! Serves the outbox to readers, finds articles for them, and has the forms by which they join, choose and leave. It never writes the outbox.

mod clients;
mod deciding;
mod filling;
mod limits;
mod preferring;
mod reading;
mod returning;
mod searching;
mod subscribing;
mod tickets;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router, extract::State, http::Request, http::StatusCode, response::IntoResponse, routing::get,
    routing::post,
};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

use self::clients::Peer;
use crate::{
    clock::Clock, ledger::Ledger, outbox::Outbox, publication::Publication, subscriber::LeaveKey,
    subscriber::Standing,
};

pub use self::{
    clients::Net,
    limits::{Limits, Network, Refused},
    returning::Hooks,
    subscribing::{Rules, Subscribing, Tally},
};

/// Most connections at once; more wait to be accepted.
const CONNECTIONS: usize = 1024;

/// How long a client may take to send its request's head: a half-sent one would hold its connection for ever.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// The reading room: what its pages are served from.
pub struct ReadingRoom {
    /// The periodical.
    pub publication: Publication,
    /// What readers are served from.
    pub outbox: Outbox,
    /// What must survive.
    pub ledger: Arc<dyn Ledger>,
    /// The key of the addresses for leaving.
    pub leave_key: LeaveKey,
    /// What time it is.
    pub clock: Clock,
    /// Where readers join.
    pub subscribing: Subscribing,
    /// Where mail providers tell what became of letters, if the settings name a secret.
    pub hooks: Option<Hooks>,
}

/// Listens on an address; port 0 takes any that is free.
///
/// # Errors
/// When the address cannot be had.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Answers requests until `stop`, and then those that have begun.
pub async fn serve(listener: TcpListener, room: Arc<ReadingRoom>, stop: CancellationToken) {
    let router = router(Arc::clone(&room));
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let connections = TaskTracker::new();
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
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let service = router.clone().map_request(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer.ip()));
            request
        });
        let (service, stop) = (TowerToHyperService::new(service), stop.clone());
        connections.spawn(async move {
            let _place = place;
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_WITHIN)
                .serve_connection(TokioIo::new(stream), service);
            let mut connection = std::pin::pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    connections.close();
    connections.wait().await;
    room.subscribing.finish().await;
}

fn router(room: Arc<ReadingRoom>) -> Router {
    Router::new()
        .route("/healthz", get(health))
        .route("/leave/{token}", get(deciding::ask_to_leave).post(deciding::leave))
        .route("/confirm/{token}", get(deciding::ask_to_confirm).post(deciding::confirm))
        .route("/join", get(subscribing::form).post(subscribing::join))
        .route("/preferences/{token}", get(preferring::show).post(preferring::change))
        .route("/private/{token}/feed.xml", get(preferring::feed))
        .route("/private/{token}/opds.xml", get(preferring::catalogue))
        .route("/bounces/{provider}/{secret}", post(returning::tell))
        .route("/search", get(searching::pages))
        .route("/opds/search", get(searching::books))
        .fallback(reading::read)
        .with_state(room)
}

/// Whether the ledger answers and the outbox is there.
async fn health(State(room): State<Arc<ReadingRoom>>) -> impl IntoResponse {
    let asked = tokio::task::spawn_blocking(move || {
        let confirmed = room.ledger.count(Standing::Confirmed);
        (confirmed.is_ok(), room.outbox.is_there())
    });
    let (status, text) = match asked.await {
        Ok((true, true)) => (StatusCode::OK, "ok\n"),
        Ok((false, _)) => (StatusCode::SERVICE_UNAVAILABLE, "the ledger does not answer\n"),
        Ok((_, false)) => (StatusCode::SERVICE_UNAVAILABLE, "the outbox is not there\n"),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "the question could not be asked\n"),
    };
    (status, [("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store")], text)
}
