//! Serves the outbox to readers, finds articles for them, and has the forms by which they join, choose and leave. It never writes the outbox.
//!
//! What readers' programs ask for all the time is answered from memory before any router is asked; everything else goes through the
//! router, the outbox's files by its fallback.

mod clients;
mod conditions;
mod connections;
mod deciding;
mod document;
mod figures;
mod filling;
mod heads;
mod health;
mod limits;
mod moved;
mod negotiating;
mod patience;
mod preferring;
mod reading;
mod returning;
mod searching;
mod sheets;
mod subscribing;
mod table;
mod tickets;

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, Response, StatusCode},
    routing::{get, post},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock, ledger::Ledger, metrics::Metrics, outbox::Outbox, publication::Publication,
    subscriber::LeaveKey,
};
use connections::Pages;

pub use self::{
    clients::Net,
    connections::{answer, listen},
    health::{Readiness, troubles},
    limits::{Limits, Network, Refused},
    returning::Hooks,
    subscribing::{Rules, Subscribing, Tally},
    table::Table,
};

/// The reading room: what its pages are served from.
pub struct ReadingRoom {
    /// The periodical.
    pub publication: Publication,
    /// What readers are served from.
    pub outbox: Outbox,
    /// What of it is in memory.
    pub table: Arc<Table>,
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
    /// What is counted for the operator.
    pub metrics: Metrics,
    /// Whether we can do our work.
    pub readiness: Readiness,
}

impl ReadingRoom {
    /// The network from which somebody asks: that of `peer`, or of whomever a web server that we trust asks for.
    #[must_use]
    pub fn network_of(&self, peer: IpAddr, headers: &HeaderMap) -> Network {
        Network::of(clients::client(peer, headers, self.subscribing.trusted()))
    }
}

/// Answers readers' requests until `stop`, and then those that have begun, for ten seconds at most.
pub async fn serve(listener: TcpListener, room: Arc<ReadingRoom>, stop: CancellationToken) {
    let router = router(Arc::clone(&room));
    let keeping = Arc::clone(&room.table).keep(room.outbox.clone(), room.publication.clone(), stop.clone());
    tokio::join!(keeping, connections::serve(listener, Pages::of_readers(Arc::clone(&room), router), stop));
    room.subscribing.finish().await;
}

fn router(room: Arc<ReadingRoom>) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/leave/{token}", get(deciding::ask_to_leave).post(deciding::leave))
        .route("/confirm/{token}", get(deciding::ask_to_confirm).post(deciding::confirm))
        .route("/join", get(subscribing::form).post(subscribing::join))
        .route("/preferences/{token}", get(preferring::show).post(preferring::change))
        .route("/private/{token}/feed.xml", get(preferring::feed))
        .route("/private/{token}/opds.xml", get(preferring::catalogue))
        .route("/bounces/{provider}/{secret}", post(returning::tell))
        .route("/search", get(searching::pages))
        .route("/opds/search", get(searching::books))
        .fallback(read)
        .with_state(room)
}

/// A file of the outbox.
async fn read(State(room): State<Arc<ReadingRoom>>, request: Request) -> Response<Body> {
    // The body of a request that has none to give is not waited for.
    let (head, _) = request.into_parts();
    let (method, uri) = (head.method.clone(), head.uri.clone());
    let answer = reading::read(&room, &Request::from_parts(head, ())).await.map(Body::from);
    if matches!(answer.status(), StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED)
        && let Some(moved) = moved::leave(&room, &method, &uri).await
    {
        return moved;
    }
    answer
}
