//! Why a request of a program is not answered as asked: `application/problem+json` (RFC 9457), with what to do next.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::desk::{Failure, words};

/// The media type of a problem.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong.
#[derive(Debug, Clone)]
pub(super) struct Problem(Box<Said>);

/// What went wrong (RFC 9457).
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Problem", deny_unknown_fields)]
pub(super) struct Said {
    /// Always `about:blank`: the status says what kind of problem it is.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: String,
    /// The status.
    status: u16,
    /// What is wrong with this request.
    detail: String,
    /// What to do next.
    help: String,
    /// Of a proof that somebody else has saved meanwhile: what tells its text now from every other.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip)]
    #[schemars(skip)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// What is wrong, and what to do next.
    pub(super) fn of(status: StatusCode, detail: impl Into<String>, help: impl Into<String>) -> Self {
        Self(Box::new(Said {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Problem").to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            help: help.into(),
            version: None,
            headers: Vec::new(),
        }))
    }

    /// There is no such thing.
    pub(super) fn nothing(what: &str, help: &str) -> Self {
        Self::of(StatusCode::NOT_FOUND, format!("there is no such {what}"), help)
    }

    /// What was sent is understood, and cannot be.
    pub(super) fn unfit(detail: impl Into<String>, help: impl Into<String>) -> Self {
        Self::of(StatusCode::UNPROCESSABLE_ENTITY, detail, help)
    }

    /// With the version of a proof.
    pub(super) fn with_version(mut self, version: String) -> Self {
        self.0.version = Some(version);
        self
    }

    /// With a header.
    pub(super) fn with(mut self, name: HeaderName, value: &str) -> Self {
        self.0.headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let said = words::ALL[0].say(failure.phrase, &[]);
        let detail = failure.detail.unwrap_or_else(|| said.clone());
        let help = match failure.status {
            StatusCode::NOT_FOUND => "ask for the list, and take the address from there",
            StatusCode::INTERNAL_SERVER_ERROR => {
                "look at `/api/v1/health` and at the log of gazetted; then try again"
            }
            _ => "change the request; `/api/v1/openapi.json` says what may be sent",
        };
        Self::of(failure.status, detail, help)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body).into_response();
        for (name, value) in self.0.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
