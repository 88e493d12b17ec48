//! Serves the outbox to readers, finds articles for them, and has the forms by which they join, choose and leave. It never writes the outbox.

mod accepting;
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

use std::sync::Arc;

use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::get, routing::post};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock, ledger::Ledger, outbox::Outbox, publication::Publication, subscriber::LeaveKey,
    subscriber::Standing,
};

pub use self::{
    accepting::{answer, listen},
    clients::Net,
    limits::{Limits, Network, Refused},
    returning::Hooks,
    subscribing::{Rules, Subscribing, Tally},
};

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

/// Answers readers' requests until `stop`, and then those that have begun.
pub async fn serve(listener: TcpListener, room: Arc<ReadingRoom>, stop: CancellationToken) {
    answer(listener, router(Arc::clone(&room)), stop).await;
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
