//! The figures, for the operator's programs: `/metrics`, without a password, on the desk's address alone.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
    routing::get,
};

use super::{Answer, Desk};
use crate::metrics;

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/metrics", get(show))
}

async fn show(State(desk): State<Arc<Desk>>) -> Answer {
    let figures = desk.work(|desk| desk.room.figures()).await;
    Ok(told(figures.map_err(|error| super::Failure::fault(&error))?))
}

fn told(figures: String) -> Response {
    let headers = [(header::CONTENT_TYPE, metrics::MEDIA_TYPE), (header::CACHE_CONTROL, "no-store")];
    (headers, figures).into_response()
}
