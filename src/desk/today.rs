//! The first page: what waits, what failed and why, what is out, what arrived, and how the letters go. It follows what happens.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _, path::Path, sync::Arc};

use axum::{
    Router,
    extract::{RawQuery, State},
    http::HeaderMap,
    response::Response,
    routing::get,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Answer, Desk, Failure, following, frame, guard::Editor, issues, proofs, words::Words};
use crate::{
    delivery::DigestStatus, delivery::Kind, delivery::State as LetterState, inbox, issue::IssueKey, ledger,
    ledger::Arrival, ledger::DigestLine, ledger::Fate, subscriber::Pace,
};

/// How many lines each part of the page has at most.
const LINES: usize = 12;

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/", get(show)).route("/today/follow", get(follow))
}

async fn show(State(desk): State<Arc<Desk>>, editor: Editor, RawQuery(query): RawQuery) -> Answer {
    let mut told = Vec::new();
    for (phrase, file) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if ["drop.written", "drop.same"].contains(&&*phrase) {
            told.push(editor.words.say(&phrase, &[("file", &file)]));
        }
    }
    page(&desk, &editor, &told, None).await
}

/// The page, with what was done and what could not be.
pub(super) async fn page(
    desk: &Arc<Desk>,
    editor: &Editor,
    told: &[String],
    problem: Option<String>,
) -> Result<Response, Failure> {
    let words = editor.words;
    let part = desk.work(move |desk| part(desk, words)).await?;
    let largest = (desk.largest_upload >> 20).to_string();
    let it = json!({
        "part": part,
        "told": told,
        "problem": problem,
        "largest": words.say("drop.largest", &[("n", &largest)]),
    });
    desk.page(editor, "today.html", "/", &it)
}

async fn follow(State(desk): State<Arc<Desk>>, editor: Editor, headers: HeaderMap) -> Response {
    let words = editor.words;
    following::follow(&desk, &headers, move |desk| {
        frame::part(words, "today_part.html", &json!({ "part": part(desk, words)? }))
    })
}

/// What the page shows that changes by itself.
fn part(desk: &Desk, words: &Words) -> Result<Value, Failure> {
    gather(desk, words).map_err(|error| Failure::fault(&error))
}

fn gather(desk: &Desk, words: &Words) -> Result<Value, ledger::Error> {
    let (ledger, publication) = (&desk.press.ledger, desk.publication());
    let waiting = ledger.waiting_arrivals()?;
    let proofs: Vec<Value> = proofs::waiting(&waiting)
        .into_iter()
        .take(LINES)
        .map(|(manuscript, arrival)| proofs::line(desk, &manuscript, arrival))
        .collect();
    let issues = ledger.newest_issues(publication, 0, LINES)?;
    let embargoed: Vec<Value> = issues
        .iter()
        .filter(|issue| issue.embargo.is_some())
        .map(|issue| issues::line(desk, words, issue))
        .collect();
    let arrivals = ledger.newest_arrivals(LINES)?;
    let mut failed: Vec<Value> = desk
        .bells
        .postponed
        .all()
        .into_iter()
        .map(|(file, why)| json!({ "file": file.display().to_string(), "at": null, "reason": why }))
        .collect();
    failed.extend(ledger.refused_arrivals(LINES)?.iter().map(|arrival| arrival_json(desk, words, arrival)));
    let out: Vec<Value> = issues
        .iter()
        .filter(|issue| issue.embargo.is_none())
        .map(|issue| issues::line(desk, words, issue))
        .collect();
    let digests = ledger.digests(publication, 4)?;
    let arrived: Vec<Value> = arrivals
        .iter()
        .filter(|arrival| inbox::manuscript_of(path_of(arrival)).is_none())
        .map(|arrival| arrival_json(desk, words, arrival))
        .collect();
    let told = [(proofs.len(), "today.n_wait"), (failed.len(), "today.n_failed")];
    let mut told: Vec<String> =
        told.into_iter().filter(|(n, _)| *n > 0).map(|(n, phrase)| words.count(phrase, n as u64)).collect();
    if let Some(newest) = issues.first() {
        told.push(format!(
            "{}: {}",
            newest.name,
            words.say(&format!("status.{}", issues::standing(newest)), &[])
        ));
    }
    if let Some(digest) = digests.first() {
        told.push(issues::states(words, &digest.letters));
    }
    Ok(json!({
        "told": told.join(&words.say("frame.semicolon", &[])),
        "proofs": proofs,
        "embargoed": embargoed,
        "failed": failed,
        "out": out,
        "arrived": arrived,
        "digests": digests.iter().map(|digest| digest_json(desk, words, digest)).collect::<Vec<_>>(),
        "next": next_digests(desk, words)?,
    }))
}

fn path_of(arrival: &Arrival) -> &Path {
    Path::new(OsStr::from_bytes(&arrival.path))
}

fn arrival_json(desk: &Desk, words: &Words, arrival: &Arrival) -> Value {
    let (fate, issue, reason) = match &arrival.fate {
        Fate::Published(key) => ("published", Some(key), None),
        Fate::Duplicate(key) => ("duplicate", Some(key), None),
        Fate::Withheld(key) => ("withheld", Some(key), None),
        Fate::Embargoed(key) => ("embargoed", Some(key), None),
        Fate::Rejected(reason) => ("rejected", None, Some(reason)),
    };
    let path = path_of(arrival);
    let manuscript = inbox::manuscript_of(path).unwrap_or_else(|| path.to_owned());
    json!({
        "file": path.display().to_string(),
        "at": desk.time(arrival.at),
        "fate": fate,
        "said": words.say(&format!("fate.{fate}"), &[]),
        "issue": issue.map(IssueKey::as_str),
        "reason": reason,
        "proof": (fate == "withheld").then(|| proofs::id_of(&manuscript)),
    })
}

fn digest_json(desk: &Desk, words: &Words, line: &DigestLine) -> Value {
    let total: u64 = line.letters.iter().map(|(_, n)| n).sum();
    let of = |states: &[LetterState]| -> u64 {
        line.letters.iter().filter(|(state, _)| states.contains(state)).map(|(_, n)| n).sum()
    };
    let done = of(&[LetterState::Delivered, LetterState::Failed, LetterState::Canceled]);
    let pace = match line.digest.kind {
        Kind::Digest(pace) => words.say(&format!("pace.{}", pace.as_str()), &[]),
        Kind::Confirmation => String::new(),
    };
    let standing = match line.digest.status {
        DigestStatus::Open => None,
        DigestStatus::Paused => Some(words.say("today.paused", &[])),
        DigestStatus::Asking => Some(words.say("today.asking", &[])),
    };
    json!({
        "id": line.digest.id,
        "subject": line.subject,
        "pace": pace,
        "frozen": desk.time(line.digest.frozen),
        "letters": issues::states(words, &line.letters),
        "done": done,
        "total": total,
        "standing": standing,
    })
}

/// When the next digest of each pace goes out, to how many readers, and whether there is anything to tell yet.
fn next_digests(desk: &Desk, words: &Words) -> Result<Vec<Value>, ledger::Error> {
    let (ledger, publication) = (&desk.press.ledger, desk.publication());
    let newest: Option<Timestamp> =
        ledger.newest_issues(publication, 0, 1)?.first().map(|issue| issue.published);
    let mut next = Vec::new();
    for pace in [Pace::Each, Pace::Daily, Pace::Weekly, Pace::Monthly] {
        let readers = ledger.readers(pace)?;
        if readers == 0 {
            continue;
        }
        let due = desk.press.calendar.next(pace, desk.clock.now());
        let last = ledger.last_digest(publication, pace)?.map(|digest| digest.until);
        let has_news =
            pace != Pace::Each && newest.is_some_and(|newest| last.is_none_or(|last| newest > last));
        next.push(json!({
            "pace": words.say(&format!("pace.{}", pace.as_str()), &[]),
            "readers": words.count("today.n_readers", readers),
            "due": due.map(|due| desk.time(due)),
            "has_news": has_news,
            "each": pace == Pace::Each,
        }));
    }
    Ok(next)
}
