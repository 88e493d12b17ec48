//! The first page: what waits, what failed and why, what is out, what arrived, and how the letters go. It follows what happens.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _, path::Path, path::PathBuf, sync::Arc};

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
    ledger::Arrival, ledger::DigestLine, ledger::Fate, ledger::IssueLine, subscriber::Pace,
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
    let today = gather(desk).map_err(|error| Failure::fault(&error))?;
    Ok(told(desk, words, &today))
}

/// What there is today, as the ledger has it.
pub(super) struct Today {
    /// What waits for its editor: each manuscript with its arrival.
    pub(super) proofs: Vec<(PathBuf, Arrival)>,
    /// The newest issues.
    pub(super) issues: Vec<IssueLine>,
    /// Files that are tried again, each with the reason.
    pub(super) postponed: Vec<(PathBuf, String)>,
    /// Files that were refused.
    pub(super) refused: Vec<Arrival>,
    /// Files that came last.
    pub(super) arrived: Vec<Arrival>,
    /// The newest digests.
    pub(super) digests: Vec<DigestLine>,
    /// The next digest of each pace that somebody has.
    pub(super) next: Vec<Next>,
}

/// The next digest of a pace.
pub(super) struct Next {
    pub(super) pace: Pace,
    /// How many readers have that pace.
    pub(super) readers: u64,
    /// When it is due; `None` where that depends on the next issue.
    pub(super) due: Option<Timestamp>,
    /// Whether anything came out since the last one.
    pub(super) has_news: bool,
}

/// What there is today.
pub(super) fn gather(desk: &Desk) -> Result<Today, ledger::Error> {
    let (ledger, publication) = (&desk.press.ledger, desk.publication());
    let waiting = ledger.waiting_arrivals()?;
    let waiting = proofs::waiting(&waiting).into_iter().take(LINES);
    let mut arrived = ledger.newest_arrivals(LINES)?;
    arrived.retain(|arrival| inbox::manuscript_of(path_of(arrival)).is_none());
    Ok(Today {
        proofs: waiting.map(|(manuscript, arrival)| (manuscript, arrival.clone())).collect(),
        issues: ledger.newest_issues(publication, 0, LINES)?,
        postponed: desk.bells.postponed.all(),
        refused: ledger.refused_arrivals(LINES)?,
        arrived,
        digests: ledger.digests(publication, 4)?,
        next: next_digests(desk)?,
    })
}

/// The same in words.
fn told(desk: &Desk, words: &Words, today: &Today) -> Value {
    let Today { proofs, issues, postponed, refused, arrived, digests, next } = today;
    let proofs: Vec<Value> =
        proofs.iter().map(|(manuscript, arrival)| proofs::line(desk, manuscript, arrival)).collect();
    let lines = |embargoed: bool| -> Vec<Value> {
        let lines = issues.iter().filter(|issue| issue.embargo.is_some() == embargoed);
        lines.map(|issue| issues::line(desk, words, issue)).collect()
    };
    let mut failed: Vec<Value> = postponed
        .iter()
        .map(|(file, why)| json!({ "file": file.display().to_string(), "at": null, "reason": why }))
        .collect();
    failed.extend(refused.iter().map(|arrival| arrival_json(desk, words, arrival)));
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
    json!({
        "told": told.join(&words.say("frame.semicolon", &[])),
        "proofs": proofs,
        "embargoed": lines(true),
        "failed": failed,
        "out": lines(false),
        "arrived": arrived.iter().map(|arrival| arrival_json(desk, words, arrival)).collect::<Vec<_>>(),
        "digests": digests.iter().map(|digest| digest_json(desk, words, digest)).collect::<Vec<_>>(),
        "next": next.iter().map(|next| next_json(desk, words, next)).collect::<Vec<_>>(),
    })
}

/// The file of an arrival, relative to the inbox.
pub(super) fn path_of(arrival: &Arrival) -> &Path {
    file_of(&arrival.path)
}

/// A file by its name's bytes, as the ledger has them.
pub(super) fn file_of(name: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(name))
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
        "reason": reason.map(|reason| words.retell(reason)),
        "reason_lang": reason.map(|reason| words.lang_of(reason)),
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
fn next_digests(desk: &Desk) -> Result<Vec<Next>, ledger::Error> {
    let (ledger, publication) = (&desk.press.ledger, desk.publication());
    let newest: Option<Timestamp> =
        ledger.newest_issues(publication, 0, 1)?.first().map(|issue| issue.published);
    let mut next = Vec::new();
    for pace in Pace::ALL {
        let readers = ledger.readers(pace)?;
        if readers == 0 {
            continue;
        }
        let due = desk.press.calendar.next(pace, desk.clock.now());
        let last = ledger.last_digest(publication, pace)?.map(|digest| digest.until);
        let has_news =
            pace != Pace::Each && newest.is_some_and(|newest| last.is_none_or(|last| newest > last));
        next.push(Next { pace, readers, due, has_news });
    }
    Ok(next)
}

fn next_json(desk: &Desk, words: &Words, next: &Next) -> Value {
    json!({
        "pace": words.say(&format!("pace.{}", next.pace.as_str()), &[]),
        "readers": words.count("today.n_readers", next.readers),
        "due": next.due.map(|due| desk.time(due)),
        "has_news": next.has_news,
        "each": next.pace == Pace::Each,
    })
}
