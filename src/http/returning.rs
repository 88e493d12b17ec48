//! What mail providers tell: `POST /bounces/PROVIDER/SECRET`. Who knows the secret is the provider; to anybody else there is no such
//! page.

use std::sync::Arc;

use axum::{
    body::{self, Body},
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};

use super::ReadingRoom;
use crate::bounce::{self, Returns, Unreadable};

/// The most bytes that a provider posts at once.
const MOST_BYTES: usize = 2 * 1024 * 1024;

/// Where providers tell what became of letters.
pub struct Hooks {
    /// Who deals with it.
    pub returns: Arc<Returns>,
    /// What stands at the end of the address.
    pub secret: String,
}

/// Takes what a provider tells. It is answered when the ledger has it; an error makes the provider tell it again.
pub(super) async fn tell(
    State(room): State<Arc<ReadingRoom>>,
    Path((provider, secret)): Path<(String, String)>,
    posted: Body,
) -> Response {
    // Hashes of BLAKE3 compare in constant time.
    let knows = |hooks: &&Hooks| blake3::hash(hooks.secret.as_bytes()) == blake3::hash(secret.as_bytes());
    let Some(hooks) = room.hooks.as_ref().filter(knows) else { return StatusCode::NOT_FOUND.into_response() };
    // Nothing is read of what somebody else posts.
    let Ok(posted) = body::to_bytes(posted, MOST_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let events = match bounce::events(&provider, &posted) {
        None => return StatusCode::NOT_FOUND.into_response(),
        Some(Ok(events)) => events,
        Some(Err(Unreadable::Confirm(address))) => {
            tracing::warn!(
                "{provider} wants its subscription to be confirmed; open this address once: {address}"
            );
            return "open the address that the log of gazetted names\n".into_response();
        }
        Some(Err(why)) => {
            tracing::warn!("what {provider} told cannot be read: {why}");
            return (StatusCode::BAD_REQUEST, format!("{why}\n")).into_response();
        }
    };
    let returns = Arc::clone(&hooks.returns);
    match tokio::task::spawn_blocking(move || returns.told(&provider, &events)).await {
        Ok(Ok(taken)) => {
            tracing::debug!(?taken, "what a provider told was dealt with");
            "ok\n".into_response()
        }
        Ok(Err(error)) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "what a provider told cannot be entered"
            );
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
