//! Stands before every page: refuses what another site had a browser send, knows who is logged in, and says what pages may load.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};

use super::{Desk, Failure, frame, sessions::Session, words, words::Words};

/// The cookie of a session.
pub(super) const COOKIE: &str = "gazetted-desk";

/// What our pages may load: our own style, scripts and pictures, and frames of our own.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// An editor who is logged in, and the language in which he or she reads.
#[derive(Clone)]
pub(super) struct Editor {
    pub(super) session: Session,
    pub(super) words: &'static Words,
}

impl FromRequestParts<Arc<Desk>> for Editor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, desk: &Arc<Desk>) -> Result<Self, Response> {
        let words = Words::asked(&parts.headers, &desk.publication().language);
        if let Some(session) = session(desk, &parts.headers) {
            return Ok(Self { session, words });
        }
        // A page leads back to itself once somebody has logged in; what a script asks for, or a form sends, cannot.
        let is_page = parts.method == Method::GET
            && parts
                .headers
                .get(header::ACCEPT)
                .is_none_or(|accept| accept.as_bytes().starts_with(b"text/html"));
        if is_page {
            let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
            let to: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
            return Err(Redirect::to(&format!("/login?to={to}")).into_response());
        }
        Err(Failure::of(StatusCode::UNAUTHORIZED, "failure.logged_out").into_response())
    }
}

/// The session that a request belongs to, if it has not ended.
pub(super) fn session(desk: &Desk, headers: &HeaderMap) -> Option<Session> {
    let token = words::cookie(headers, COOKIE)?;
    let stamp = desk.password.stamp()?;
    let mut sessions = desk.door.sessions.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    sessions.find(&token, stamp, desk.clock.now())
}

/// Whether a request's session has not ended. Asking does not make it last longer: a page that only stays open keeps nobody logged in.
pub(super) fn is_logged_in(desk: &Desk, headers: &HeaderMap) -> bool {
    let (Some(token), Some(stamp)) = (words::cookie(headers, COOKIE), desk.password.stamp()) else {
        return false;
    };
    let sessions = desk.door.sessions.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    sessions.holds(&token, stamp, desk.clock.now())
}

/// Lets a request through, or not; and dresses what comes back.
pub(super) async fn guard(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let words = Words::asked(request.headers(), &desk.publication().language);
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let known = session(&desk, request.headers());
    let mut response = if is_safe || is_our_own(request.headers()) {
        next.run(request).await
    } else {
        Failure::of(StatusCode::FORBIDDEN, "failure.elsewhere").into_response()
    };
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        let page = frame::failure(&desk, known.as_ref(), words, &failure);
        let (mut parts, _) = response.into_parts();
        parts.headers.remove(header::CONTENT_LENGTH);
        parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        response = Response::from_parts(parts, page.into());
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "Cookie, Accept-Language"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Whether a browser says that one of our own pages sent this. Every browser of today says where a form comes from; what says
/// nothing is no browser, and has no cookie of ours.
fn is_our_own(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match (text(header::ORIGIN), text(header::HOST)) {
        (Some(origin), Some(host)) => {
            let theirs = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            theirs == Some(host)
        }
        _ => false,
    }
}
