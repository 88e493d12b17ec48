//! What a program sends: taken strictly, so that a field which is misspelt is told and not passed over.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Query, Request, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::IntoResponse as _,
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned, de::Error as _};
use serde_json::{Map, Value};

use super::problem::Problem;
use crate::desk::Desk;

const HELP: &str = "`/api/v1/openapi.json` says what may be sent";

/// What stands behind the `?` of an address.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Arc<Desk>> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Desk>) -> Result<Self, Problem> {
        let Query(asked) = Query::<T>::try_from_uri(&parts.uri).map_err(|error| {
            let causes = std::iter::successors(std::error::Error::source(&error), |error| error.source());
            let detail = causes.last().map_or_else(|| error.to_string(), ToString::to_string);
            Problem::unfit(format!("in the query: {detail}"), HELP)
        })?;
        Ok(Self(asked))
    }
}

/// What names a thing in the path. One that cannot be a name is one of nothing.
pub(super) struct Named<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<Desk>> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, desk: &Arc<Desk>) -> Result<Self, Problem> {
        let named = axum::extract::Path::<T>::from_request_parts(parts, desk).await;
        named.map(|axum::extract::Path(named)| Self(named)).map_err(|_| Problem::nothing("thing", HELP))
    }
}

/// A JSON object.
pub(super) struct Sent<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<Desk>> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, desk: &Arc<Desk>) -> Result<Self, Problem> {
        demand(request.headers(), "application/json")?;
        let body = body_of(request, desk).await?;
        let wrong = |error: serde_json::Error| {
            let is_json = error.is_data();
            let status = if is_json { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::BAD_REQUEST };
            Problem::of(status, format!("in the JSON that was sent: {error}"), HELP)
        };
        let Object(sent) = serde_json::from_slice(&body).map_err(wrong)?;
        Ok(Self(sent))
    }
}

/// An object with named fields; serde takes a list of values in their order as well, and nobody else does.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let fields = Map::deserialize(from)?;
        T::deserialize(Value::Object(fields)).map(Self).map_err(D::Error::custom)
    }
}

/// A file as it is.
pub(super) struct File(pub(super) Bytes);

impl FromRequest<Arc<Desk>> for File {
    type Rejection = Problem;

    async fn from_request(request: Request, desk: &Arc<Desk>) -> Result<Self, Problem> {
        demand(request.headers(), "application/octet-stream")?;
        body_of(request, desk).await.map(Self)
    }
}

/// A table of subscribers as it is.
pub(super) struct Table(pub(super) Bytes);

impl FromRequest<Arc<Desk>> for Table {
    type Rejection = Problem;

    async fn from_request(request: Request, desk: &Arc<Desk>) -> Result<Self, Problem> {
        demand(request.headers(), "text/csv")?;
        body_of(request, desk).await.map(Self)
    }
}

/// Refuses what is said to be of another type.
fn demand(headers: &HeaderMap, wanted: &str) -> Result<(), Problem> {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = said.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    let found = if said.is_empty() {
        "nothing says of what type the body is".to_owned()
    } else {
        format!("the body is `{said}`")
    };
    let help = format!("send `Content-Type: {wanted}`");
    Err(Problem::of(StatusCode::UNSUPPORTED_MEDIA_TYPE, found, help))
}

async fn body_of(request: Request, desk: &Arc<Desk>) -> Result<Bytes, Problem> {
    Bytes::from_request(request, desk).await.map_err(|error: BytesRejection| {
        let (detail, status) = (error.body_text(), error.into_response().status());
        if status == StatusCode::PAYLOAD_TOO_LARGE {
            let help = "send less; `largest_upload_mib` in `[desk]` of the settings is the limit for files";
            return Problem::of(status, "the body is longer than may be sent here", help);
        }
        Problem::of(StatusCode::BAD_REQUEST, detail, "send the whole body")
    })
}
