//! Leaving: a page that asks, and the answer that acts. A GET changes nothing, because link scanners follow every link.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::Desk;
use crate::{editions, editions::Leaving};

/// Shows the question and its button.
pub(super) async fn ask(State(desk): State<Arc<Desk>>, Path(token): Path<String>) -> Response {
    page(&desk, if desk.leave_key.check(&token).is_some() { Leaving::Asked } else { Leaving::Unknown })
}

/// Takes the subscriber out: by the page's button, or by a mail program's one click (RFC 8058). Doing it twice is no error.
pub(super) async fn leave(State(desk): State<Arc<Desk>>, Path(token): Path<String>) -> Response {
    let Some(subscriber) = desk.leave_key.check(&token) else { return page(&desk, Leaving::Unknown) };
    let (ledger, now) = (Arc::clone(&desk.ledger), desk.clock.now());
    match tokio::task::spawn_blocking(move || ledger.leave(subscriber, now)).await {
        Ok(Ok(_)) => page(&desk, Leaving::Done),
        Ok(Err(error)) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a subscriber could not leave");
            page(&desk, Leaving::Later)
        }
        Err(_) => page(&desk, Leaving::Later),
    }
}

fn page(desk: &Desk, leaving: Leaving) -> Response {
    let status = match leaving {
        Leaving::Asked | Leaving::Done => StatusCode::OK,
        Leaving::Unknown => StatusCode::NOT_FOUND,
        Leaving::Later => StatusCode::SERVICE_UNAVAILABLE,
    };
    match editions::leaving_page(leaving, &desk.publication) {
        Ok(html) => {
            let headers = [
                (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                (header::CACHE_CONTROL, "no-store"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (header::REFERRER_POLICY, "no-referrer"),
                (header::CONTENT_SECURITY_POLICY, super::reading::POLICY),
            ];
            (status, headers, html).into_response()
        }
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the page for leaving cannot be written"
            );
            // Who has left has left, whatever is wrong with the page that says so.
            (status, [(header::CACHE_CONTROL, "no-store")], "").into_response()
        }
    }
}
