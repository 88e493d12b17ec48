//! The first page: what arrived and what became of it.

use std::sync::Arc;

use axum::{Router, extract::State, routing::get};
use serde_json::{Value, json};

use super::{Answer, Desk, guard::Editor};

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/", get(show))
}

async fn show(State(desk): State<Arc<Desk>>, editor: Editor) -> Answer {
    let arrivals = desk.ask(|ledger| ledger.arrivals()).await?;
    let line = |arrival: &crate::ledger::Arrival| json!({ "file": String::from_utf8_lossy(&arrival.path), "at": desk.time(arrival.at) });
    let arrivals: Vec<Value> = arrivals.iter().map(line).collect();
    desk.page(&editor, "today.html", "/", &json!({ "arrivals": arrivals }))
}
