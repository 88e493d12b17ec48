//! What a form of ours sends: its fields, once it is sure that the form is one of the session's own.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};

use super::{Desk, Failure, guard::Editor};

/// The name of the field by which a form is known as ours.
pub(super) const TOKEN: &str = "token";

/// The fields of a form.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads what a form sends (`application/x-www-form-urlencoded`).
    pub(super) fn read(body: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(body).into_owned().collect())
    }

    /// A field as it was sent; empty when it is not there.
    pub(super) fn text(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    /// A field as it was sent, if it is there.
    pub(super) fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A form that an editor who is logged in sent from a page of ours.
#[allow(dead_code, reason = "logging out needs neither; every other form does")]
pub(super) struct Signed {
    pub(super) editor: Editor,
    pub(super) fields: Fields,
}

impl FromRequest<Arc<Desk>> for Signed {
    type Rejection = Response;

    async fn from_request(request: Request, desk: &Arc<Desk>) -> Result<Self, Response> {
        use axum::extract::FromRequestParts as _;
        let (mut parts, body) = request.into_parts();
        let editor = Editor::from_request_parts(&mut parts, desk).await?;
        let body = Bytes::from_request(Request::from_parts(parts, body), desk)
            .await
            .map_err(|_| Failure::of(StatusCode::PAYLOAD_TOO_LARGE, "failure.large").into_response())?;
        let fields = Fields::read(&body);
        if !editor.session.signs(fields.text(TOKEN)) {
            return Err(Failure::of(StatusCode::FORBIDDEN, "failure.forged").into_response());
        }
        Ok(Self { editor, fields })
    }
}
