//! What the desk does, for programs: JSON below `/api/v1`, by tokens. The deeds are those of the pages.
//!
//! [`table`] has every way of asking once; the router and the `OpenAPI` document are made of it.

mod arrivals;
mod digests;
mod document;
mod issues;
mod problem;
mod proofs;
mod rolls;
mod route;
mod status;
mod subscribers;
mod taking;

use std::{net::SocketAddr, sync::Arc, sync::LazyLock};

use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;

use self::{problem::Problem, route::Route};
use super::{Desk, tokens};
use crate::ledger::Scope;

/// The longest list that is given at once, and how long it is where nothing is said.
const LONGEST_LIST: usize = 200;
const USUAL_LIST: usize = 50;

/// What holds of the length of lists.
#[derive(Clone, Copy, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "usize")]
#[schemars(extend("minimum" = 1, "maximum" = LONGEST_LIST, "default" = USUAL_LIST))]
struct Limit(usize);

impl TryFrom<usize> for Limit {
    type Error = String;
    fn try_from(n: usize) -> Result<Self, String> {
        let good = (1..=LONGEST_LIST).contains(&n);
        if good { Ok(Self(n)) } else { Err(format!("`{n}` is not a number from 1 to {LONGEST_LIST}")) }
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(USUAL_LIST)
    }
}

/// Every way of asking.
fn table(largest: usize) -> Vec<Route> {
    let mut table = vec![
        Route::get("/openapi.json", "openapi", "This document", read_document)
            .gives::<document::Document>(200, "An `OpenAPI` 3.1 document.")
            .open(),
    ];
    table.extend(status::table());
    table.extend(issues::table(largest));
    table.extend(arrivals::table(largest));
    table.extend(proofs::table());
    table.extend(rolls::table(largest));
    table.extend(subscribers::table());
    table.extend(digests::table());
    table
}

/// The document, which is the same for every newsroom.
static DOCUMENT: LazyLock<Vec<u8>> =
    LazyLock::new(|| serde_json::to_vec(&document::of(&table(0))).unwrap_or_default());

async fn read_document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_slice()).into_response()
}

/// The router of the table.
pub(super) fn routes(desk: &Arc<Desk>) -> Router<Arc<Desk>> {
    let (open, guarded): (Vec<Route>, Vec<Route>) =
        table(desk.largest_upload).into_iter().partition(|route| route.is_open);
    let mount = |router: Router<Arc<Desk>>, route: Route| router.route(route.path, route.into_handler());
    let guarded = guarded
        .into_iter()
        .fold(Router::new(), mount)
        .method_not_allowed_fallback(not_so)
        .fallback(nothing_here)
        .layer(middleware::from_fn_with_state(Arc::clone(desk), guard));
    let mut router = Router::new();
    for route in open {
        let path = format!("/api/v1{}", route.path);
        router = router.route(&path, route.into_handler().fallback(not_so));
    }
    router.nest("/api/v1", guarded).layer(middleware::map_response(dress))
}

async fn nothing_here() -> Problem {
    Problem::nothing("address", "`/api/v1/openapi.json` lists all that there are")
}

async fn not_so(method: Method) -> Problem {
    let detail = format!("this address is not asked by `{method}`");
    Problem::of(StatusCode::METHOD_NOT_ALLOWED, detail, "the header `Allow` says how it is")
}

/// What holds of every answer.
async fn dress(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [(header::CACHE_CONTROL, "no-store"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Lets those through who show a token that may do what is asked. Who shows none that holds is slowed down, by network.
async fn guard(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    match admit(&desk, peer, request.method(), request.headers()).await {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn admit(
    desk: &Arc<Desk>,
    peer: SocketAddr,
    method: &Method,
    headers: &HeaderMap,
) -> Result<(), Problem> {
    let help = "send `Authorization: Bearer TOKEN`; `gazetted desk token new NAME` makes one";
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some((scheme, token)) = shown.and_then(|shown| shown.split_once(' ')) else {
        let problem = Problem::of(StatusCode::UNAUTHORIZED, "no token was shown", help);
        return Err(problem.with(header::WWW_AUTHENTICATE, "Bearer realm=\"gazetted\""));
    };
    let (token, now) = (token.trim().to_owned(), desk.clock.now());
    let found = if scheme.eq_ignore_ascii_case("bearer") {
        desk.ask(move |ledger| tokens::find(ledger, &token, now)).await?
    } else {
        None
    };
    let Some(token) = found else {
        let network = desk.room.network_of(peer.ip(), headers);
        let mut attempts = desk.door.tokens.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Err(seconds) = attempts.begin(network, now) {
            tracing::warn!("somebody tries tokens at the desk, and is not heard for {seconds} seconds");
            let detail = "too many tokens that do not hold came from this network";
            let problem = Problem::of(StatusCode::TOO_MANY_REQUESTS, detail, "wait, and show one that holds");
            return Err(problem.with(header::RETRY_AFTER, &seconds.to_string()));
        }
        let detail = "the token does not hold: it was never made, or was revoked";
        let problem = Problem::of(StatusCode::UNAUTHORIZED, detail, help);
        let how = "Bearer realm=\"gazetted\", error=\"invalid_token\"";
        return Err(problem.with(header::WWW_AUTHENTICATE, how));
    };
    let is_safe = matches!(*method, Method::GET | Method::HEAD);
    if is_safe || token.scope >= Scope::Write {
        return Ok(());
    }
    let help = "`gazetted desk token new NAME --scope write` makes one that may change things";
    Err(Problem::of(StatusCode::FORBIDDEN, format!("the token `{}` may only read", token.name), help)
        .with(header::WWW_AUTHENTICATE, "Bearer realm=\"gazetted\", error=\"insufficient_scope\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_asking_has_a_name_of_its_own_and_every_answer_a_schema() {
        let table = table(0);
        let mut names: Vec<&str> = table.iter().map(|route| route.name).collect();
        let n = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), n);
        assert!(table.iter().all(|route| route.answers.iter().any(|answer| answer.status.is_success())));
        let document = document::of(&table);
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
    }
}
