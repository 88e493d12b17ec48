//! What waits for its editor: each proof beside its source, with its queries, to be corrected, looked at and approved.

mod acting;
mod previewing;
mod reading;

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _, path::PathBuf, sync::Arc};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Path, Query, State},
    routing::get,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Desk, Failure, guard::Editor};
use crate::{inbox, ledger::Arrival, ledger::Fate};

pub(super) use acting::{Approval, publish, save};
pub(super) use previewing::Previews;
pub(super) use reading::{Opened, open};

/// The most bytes that a form with a proof may send: the longest text that is read, as forms code it.
const FORM: usize = 48 << 20;

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/proofs", get(list))
        .route("/proofs/{id}", get(show).post(acting::act).layer(DefaultBodyLimit::max(FORM)))
        .route("/proofs/{id}/preview", get(previewing::show))
        .route("/previews/{token}/{*path}", get(previewing::leaf))
}

/// The name of a manuscript in our addresses: no path comes from one.
pub(super) fn id_of(manuscript: &std::path::Path) -> String {
    blake3::hash(manuscript.as_os_str().as_bytes()).to_hex()[..16].to_owned()
}

/// The manuscripts that wait for their editor, with when they began to and the issue that each will be; the newest first.
pub(super) fn waiting(arrivals: &[Arrival]) -> Vec<(PathBuf, &Arrival)> {
    let mut waiting: Vec<(PathBuf, &Arrival)> = Vec::new();
    for arrival in arrivals.iter().filter(|arrival| matches!(arrival.fate, Fate::Withheld(_))) {
        let path = PathBuf::from(OsStr::from_bytes(&arrival.path));
        if path.is_absolute() {
            continue;
        }
        // A proof that waits is told of with its manuscript.
        let manuscript = inbox::manuscript_of(&path).unwrap_or(path);
        match waiting.iter_mut().find(|(known, _)| *known == manuscript) {
            Some((_, known)) if known.at < arrival.at => *known = arrival,
            Some(_) => {}
            None => waiting.push((manuscript, arrival)),
        }
    }
    waiting.sort_by_key(|(_, arrival)| std::cmp::Reverse(arrival.at));
    waiting
}

/// A manuscript that waits, as a line of a list.
pub(super) fn line(desk: &Desk, manuscript: &std::path::Path, arrival: &Arrival) -> Value {
    let issue = match &arrival.fate {
        Fate::Withheld(key) => Some(key.as_str()),
        _ => None,
    };
    json!({
        "id": id_of(manuscript),
        "file": manuscript.display().to_string(),
        "issue": issue,
        "since": desk.time(arrival.at),
    })
}

async fn list(State(desk): State<Arc<Desk>>, editor: Editor) -> Answer {
    let arrivals = desk.ask(|ledger| ledger.waiting_arrivals()).await?;
    let lines: Vec<Value> = waiting(&arrivals)
        .into_iter()
        .map(|(manuscript, arrival)| line(&desk, &manuscript, arrival))
        .collect();
    desk.page(&editor, "proofs.html", "/proofs", &json!({ "proofs": lines }))
}

#[derive(Deserialize, Default)]
struct Asked {
    #[serde(default)]
    done: String,
}

async fn show(
    State(desk): State<Arc<Desk>>,
    editor: Editor,
    Path(id): Path<String>,
    Query(Asked { done }): Query<Asked>,
) -> Answer {
    let opened = desk.work(move |desk| reading::open(desk, &id)).await?;
    let done = ["saved", "confirmed", "mended"]
        .contains(&done.as_str())
        .then(|| editor.words.say(&format!("done.{done}"), &[]));
    page(&desk, &editor, &opened, None, done.as_deref(), None)
}

/// The page of a proof; `text` is what an editor wrote who has not saved it yet.
fn page(
    desk: &Desk,
    editor: &Editor,
    opened: &reading::Opened,
    text: Option<&str>,
    done: Option<&str>,
    problem: Option<&str>,
) -> Answer {
    let mut it = reading::shown(editor.words, opened, text.unwrap_or(&opened.text));
    it["done"] = json!(done);
    it["problem"] = json!(problem);
    desk.page(editor, "proof.html", "/proofs", &it)
}

/// The manuscript of an address.
fn find(desk: &Desk, id: &str) -> Result<PathBuf, Failure> {
    let arrivals = desk.press.ledger.arrivals().map_err(|error| Failure::fault(&error))?;
    let paths = arrivals.iter().map(|arrival| PathBuf::from(OsStr::from_bytes(&arrival.path)));
    let manuscripts = paths.map(|path| inbox::manuscript_of(&path).unwrap_or(path));
    manuscripts.filter(|path| path.is_relative()).find(|path| id_of(path) == id).ok_or_else(Failure::nothing)
}
