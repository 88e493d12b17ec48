//! The outbox's files over HTTP: right types, validators of their content, and nothing that a path could reach beyond them.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};

use super::ReadingRoom;
use crate::{editions, hub, issue::IssueKey, issue::Status, outbox::Coding, publication::Publication};

/// What a page may load: its own style and pictures, and no script.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

pub(super) async fn read(
    State(room): State<Arc<ReadingRoom>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")], "only GET and HEAD\n")
            .into_response();
    }
    let path = uri.path().trim_start_matches('/').to_owned();
    let publication = room.publication.clone();
    let codings = codings(&headers);
    let found = tokio::task::spawn_blocking(move || {
        let named = if path.is_empty() || path.ends_with('/') { format!("{path}index.html") } else { path };
        let Some(file) = room.outbox.find(&named) else {
            let folder = room.outbox.find(&format!("{named}/index.html")).is_some();
            return if folder { Found::Folder(named) } else { nothing(&room, &named) };
        };
        // What is packed may be gone in this very moment; the text itself is there.
        let packed = room.outbox.find_packed(&named, &codings);
        let packed = packed.and_then(|(coding, file)| Some((coding, std::fs::read(file).ok()?)));
        if let Some((coding, bytes)) = packed {
            return Found::File(named, bytes, Some(coding));
        }
        match std::fs::read(file) {
            Ok(bytes) => Found::File(named, bytes, None),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => nothing(&room, &named),
            Err(error) => Found::Trouble(error),
        }
    });
    match found.await {
        Ok(Found::File(name, bytes, coding)) => {
            let mut response = answer(&name, bytes, coding, &method, &headers);
            if let Some(links) = links(&name, &publication) {
                response.headers_mut().insert(header::LINK, links);
            }
            response
        }
        Ok(Found::Folder(name)) => {
            (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, format!("/{name}/"))]).into_response()
        }
        // Readers' programs drop what is not found; this comes back.
        Ok(Found::Trouble(error)) => {
            tracing::warn!(%error, "a file of the outbox cannot be read");
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "60")], "please try again\n")
                .into_response()
        }
        Ok(Found::Nothing(status, page)) => {
            let headers = [
                (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                (header::CONTENT_SECURITY_POLICY, POLICY),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ];
            (status, headers, page).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

enum Found {
    File(String, Vec<u8>, Option<Coding>),
    Folder(String),
    /// The page that says so, and its status.
    Nothing(StatusCode, Vec<u8>),
    Trouble(std::io::Error),
}

/// What is not there: 410 for what belongs to an issue that was withdrawn, 404 for the rest.
fn nothing(room: &ReadingRoom, path: &str) -> Found {
    let key = path.strip_prefix("issues/").and_then(|rest| rest.split('/').next());
    let status = key.and_then(|key| room.ledger.status(&room.publication, &IssueKey::of(key)).ok().flatten());
    let withdrawn = status == Some(Status::Canceled);
    let page = editions::nothing_here(withdrawn, &room.publication).unwrap_or_else(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "a page cannot be printed");
        Vec::new()
    });
    Found::Nothing(if withdrawn { StatusCode::GONE } else { StatusCode::NOT_FOUND }, page)
}

/// The ways of packing that a client takes (RFC 9110 §12.5.3).
fn codings(asked: &HeaderMap) -> Vec<Coding> {
    let said: Vec<(String, bool)> = asked
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|item| {
            let (token, weight) = item.split_once(';').unwrap_or((item, ""));
            let weight = weight.trim().strip_prefix("q=").and_then(|q| q.trim().parse::<f32>().ok());
            (token.trim().to_ascii_lowercase(), weight.is_none_or(|q| q > 0.0))
        })
        .collect();
    let takes = |token: &str| {
        let named = |name: &str| said.iter().find(|(known, _)| known == name).map(|(_, takes)| *takes);
        named(token).or_else(|| named("*")).unwrap_or(false)
    };
    Coding::ALL.into_iter().filter(|coding| takes(coding.token())).collect()
}

fn answer(
    name: &str,
    bytes: Vec<u8>,
    coding: Option<Coding>,
    method: &Method,
    asked: &HeaderMap,
) -> Response {
    let tag = format!("\"{}\"", &blake3::hash(&bytes).to_hex()[..32]);
    let mut response = if knows(asked, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let length = bytes.len();
        let body = if method == Method::HEAD { Body::empty() } else { Body::from(bytes) };
        let mut response = Response::new(body);
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(name)));
        response
    };
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    if let Some(coding) = coding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.token()));
    }
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    let keeping =
        if is_lasting(name) { "public, max-age=31536000, immutable" } else { "public, max-age=300" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keeping));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

/// Where a feed is followed, and who tells of it: hubs look for both in the head of the answer (`WebSub` §4).
fn links(name: &str, publication: &Publication) -> Option<HeaderValue> {
    let hub = publication.hub.as_ref().filter(|_| hub::TOPICS.contains(&name))?;
    let own = publication.url(name);
    HeaderValue::from_str(&format!("<{own}>; rel=\"self\", <{hub}>; rel=\"hub\"")).ok()
}

/// Whether the client has these very bytes (RFC 9110 §13.1.2; weak comparison, since proxies may weaken our tags).
fn knows(asked: &HeaderMap, tag: &str) -> bool {
    let Some(tags) = asked.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()) else {
        return false;
    };
    tags.split(',')
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == tag || known == "*")
}

/// Whether a file's name carries a hash of its bytes, so that it never changes: books, pictures and assets.
fn is_lasting(name: &str) -> bool {
    let named_by_hash = matches!(media_type(name), "application/epub+zip" | "image/png" | "image/jpeg");
    // A cover keeps its address when its issue is corrected.
    let cover = name.ends_with("/cover.png") || name.ends_with("/thumbnail.png");
    name.starts_with("assets/") || (name.starts_with("issues/") && named_by_hash && !cover)
}

/// The media type of a file. Feeds are `application/xml`, because browsers show the style sheet of those and only those.
fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        // E-readers take a catalogue for one by its type alone.
        "xml" if name == "opds/navigation.xml" => "application/atom+xml;profile=opds-catalog;kind=navigation",
        "xml" if name == "opds/search.xml" => "application/opensearchdescription+xml",
        "xml" if name.starts_with("opds/") => "application/atom+xml;profile=opds-catalog;kind=acquisition",
        "xml" => "application/xml; charset=utf-8",
        "opml" => "text/x-opml; charset=utf-8",
        "json" if name.starts_with("opds/") => "application/opds+json",
        "json" if name.starts_with("feed") => "application/feed+json",
        "txt" => "text/plain; charset=utf-8",
        "json" => "application/json",
        "epub" => "application/epub+zip",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        _ => "application/octet-stream",
    }
}
