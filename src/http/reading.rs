//! The outbox's files over HTTP: from memory where they are asked for all the time, from the disk otherwise; in the form that a
//! client takes, in parts where it wants a part, and nothing where it has them.

use std::{io, ops::Range, sync::Arc};

use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};

use super::{
    ReadingRoom,
    conditions::{self, Verdict},
    document::{Document, Form},
    negotiating::Accepted,
    sheets::{Filed, Kind},
};
use crate::{editions, issue::IssueKey, issue::Status};

/// What a page may load: its own style and pictures, and no script.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// How often a document is looked up again that changed while it was being opened.
const AGAIN: usize = 3;

/// Answers from memory, without waiting for anything; `None` where that cannot be done.
pub(super) fn at_once<B>(room: &ReadingRoom, request: &Request<B>) -> Option<Response<Kind>> {
    if !is_reading(request.method()) {
        return None;
    }
    let path = request.uri().path().strip_prefix('/')?;
    let document = if path.is_empty() || path.ends_with('/') {
        room.table.find(&room.outbox, &format!("{path}index.html"))?
    } else {
        room.table.find(&room.outbox, path)?
    };
    match answer(&document, request.method(), request.headers()) {
        Answer::Ready(response) => Some(response),
        Answer::Filed(..) => None,
    }
}

/// Answers from the disk.
pub(super) async fn read<B>(room: &Arc<ReadingRoom>, request: &Request<B>) -> Response<Kind> {
    if !is_reading(request.method()) {
        let refused = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        return with(refused, header::ALLOW, "GET, HEAD");
    }
    // The name of a host is no path.
    let Some(path) = request.uri().path().strip_prefix('/') else {
        return text(StatusCode::BAD_REQUEST, "this is no path\n");
    };
    for n in 0..AGAIN {
        let document = match find(room, path.to_owned(), n > 0).await {
            Ok(Found::Document(document)) => document,
            Ok(Found::Folder(name)) => {
                let mut response = text(StatusCode::MOVED_PERMANENTLY, "");
                if let Ok(place) = HeaderValue::from_str(&format!("/{name}/")) {
                    response.headers_mut().insert(header::LOCATION, place);
                }
                return response;
            }
            Ok(Found::Nothing(status, page)) => {
                let mut response = Response::new(Kind::Held(Some(page.into())));
                *response.status_mut() = status;
                let response = with(response, header::CONTENT_TYPE, "text/html; charset=utf-8");
                let response = with(response, header::CONTENT_SECURITY_POLICY, POLICY);
                return with(response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
            }
            // Readers' programs drop what is not found; this comes back.
            Err(error) => {
                tracing::warn!(%error, "a file of the outbox cannot be read");
                break;
            }
        };
        let (response, part) = match answer(&document, request.method(), request.headers()) {
            Answer::Ready(response) => return response,
            Answer::Filed(response, part) => (response, part),
        };
        let accepted = Accepted::by(request.headers());
        let opened = tokio::task::spawn_blocking(move || document.form(accepted).and_then(Form::open)).await;
        if let Ok(Some(file)) = opened {
            return response.map(|()| Kind::Filed(Filed::new(file, part)));
        }
        // It was replaced since it was looked up.
    }
    with(text(StatusCode::SERVICE_UNAVAILABLE, "please try again\n"), header::RETRY_AFTER, "60")
}

fn is_reading(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

/// What a path leads to.
enum Found {
    Document(Arc<Document>),
    /// A folder with a page, whose address ends with `/`.
    Folder(String),
    /// The page that says so, and its status.
    Nothing(StatusCode, Vec<u8>),
}

/// What a path leads to; `anew` where what is in memory has turned out to be no good.
async fn find(room: &Arc<ReadingRoom>, path: String, anew: bool) -> io::Result<Found> {
    let named = if path.is_empty() || path.ends_with('/') { format!("{path}index.html") } else { path };
    let place = room.table.places.acquire().await;
    // Whoever had the place before may have brought it.
    if let Some(document) = room.table.find(&room.outbox, &named).filter(|_| !anew) {
        return Ok(Found::Document(document));
    }
    let asking = Arc::clone(room);
    let found = tokio::task::spawn_blocking(move || {
        let ReadingRoom { outbox, publication, .. } = &*asking;
        if let Some(document) = asking.table.load(outbox, &named, publication)? {
            return Ok(Found::Document(document));
        }
        let page = outbox.fetch(&format!("{named}/index.html"));
        let is_folder = page.map_err(io::Error::other)?.is_some();
        Ok(if is_folder { Found::Folder(named) } else { nothing(&asking, &named) })
    })
    .await;
    drop(place);
    found.map_err(io::Error::other)?
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

/// An answer, or the head of one whose bytes are on the disk.
enum Answer {
    Ready(Response<Kind>),
    Filed(Response<()>, Range<u64>),
}

/// What is answered to a GET or HEAD of a document.
fn answer(document: &Document, method: &Method, asked: &HeaderMap) -> Answer {
    let Some(form) = document.form(Accepted::by(asked)) else {
        let refused =
            text(StatusCode::NOT_ACCEPTABLE, "it is not packed in any of these ways; ask for identity\n");
        return Answer::Ready(with(refused, header::VARY, "accept-encoding"));
    };
    let length = form.length();
    let parts_of = (method == Method::GET && document.is_in_parts()).then_some(length);
    let (status, part) = match conditions::judge(asked, &form.validators(document), parts_of) {
        Verdict::Whole => (StatusCode::OK, 0..length),
        Verdict::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Verdict::Known => return Answer::Ready(bare(StatusCode::NOT_MODIFIED, form.known.clone())),
        Verdict::NotMet => return Answer::Ready(bare(StatusCode::PRECONDITION_FAILED, form.known.clone())),
        Verdict::NoPart => {
            let mut head = form.known.clone();
            insert(&mut head, header::CONTENT_RANGE, &format!("bytes */{length}"));
            return Answer::Ready(bare(StatusCode::RANGE_NOT_SATISFIABLE, head));
        }
    };
    let mut head = form.head.clone();
    if status == StatusCode::PARTIAL_CONTENT {
        insert(&mut head, header::CONTENT_RANGE, &format!("bytes {}-{}/{length}", part.start, part.end - 1));
        head.insert(header::CONTENT_LENGTH, HeaderValue::from(part.end - part.start));
    }
    if method == Method::HEAD {
        return Answer::Ready(bare(status, head));
    }
    let Some(bytes) = &form.bytes else {
        let mut response = Response::new(());
        *response.status_mut() = status;
        *response.headers_mut() = head;
        return Answer::Filed(response, part);
    };
    let within = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).min(bytes.len());
    let mut response = Response::new(Kind::Held(Some(bytes.slice(within(part.start)..within(part.end)))));
    *response.status_mut() = status;
    *response.headers_mut() = head;
    Answer::Ready(response)
}

/// An answer without a body.
fn bare(status: StatusCode, head: HeaderMap) -> Response<Kind> {
    let mut response = Response::new(Kind::Held(None));
    *response.status_mut() = status;
    *response.headers_mut() = head;
    response
}

/// A few words for whoever reads the answers of programs.
pub(super) fn text(status: StatusCode, words: &'static str) -> Response<Kind> {
    let mut response = Response::new(Kind::Held(Some(words.into())));
    *response.status_mut() = status;
    with(response, header::CONTENT_TYPE, "text/plain; charset=utf-8")
}

fn with(mut response: Response<Kind>, name: header::HeaderName, value: &'static str) -> Response<Kind> {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    response
}

fn insert(head: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        head.insert(name, value);
    }
}
