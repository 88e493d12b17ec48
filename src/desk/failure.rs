//! What a page says when it cannot be had.

use std::error::Error as StdError;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

/// Why a request is not answered as asked. [`super::guard`] makes a page of it, in the language of who asked.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) status: StatusCode,
    /// The name of the phrase that says so.
    pub(super) phrase: &'static str,
    /// What else there is to say, in whatever language it came.
    pub(super) detail: Option<String>,
}

impl Failure {
    /// With the phrase of that name.
    pub(super) fn of(status: StatusCode, phrase: &'static str) -> Self {
        Self { status, phrase, detail: None }
    }

    /// What was asked for is not there, or no longer.
    pub(super) fn nothing() -> Self {
        Self::of(StatusCode::NOT_FOUND, "failure.nothing")
    }

    /// What was sent cannot be read.
    pub(super) fn garbled() -> Self {
        Self::of(StatusCode::BAD_REQUEST, "failure.garbled")
    }

    /// Something of ours does not work: said in the log, and to the editor.
    pub(super) fn fault(error: &dyn StdError) -> Self {
        let mut detail = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            detail = format!("{detail}: {error}");
            cause = error.source();
        }
        tracing::error!("the desk could not do its work: {detail}");
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, phrase: "failure.fault", detail: Some(detail) }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The answer to an address that leads nowhere.
pub(super) async fn nothing_here() -> Failure {
    Failure::nothing()
}
