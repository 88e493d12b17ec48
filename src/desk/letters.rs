//! The letters: every digest with how its letters stand, and one digest with its course, what servers said, and what can be done.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Router,
    extract::{Path, State as Of},
    response::{IntoResponse as _, Redirect},
    routing::{get, post},
};
use serde_json::{Value, json};

use super::{
    Answer, Desk, Failure, deeds, deeds::DigestDeed, deeds::DigestDone, form::Signed, guard::Editor, plot,
    words::Words,
};
use crate::{
    delivery::DigestId, delivery::DigestStatus, delivery::Kind, delivery::Reply, delivery::State,
    ledger::DigestLine, ledger::Error, ledger::Ledger, subscriber::SubscriberId,
};

/// How many digests are listed.
const LISTED: usize = 100;

/// How many letters of a state are read at a time to tell why they are in it, and how many at most.
const PAGE: usize = 1000;
const READ: usize = 20_000;

/// How many reasons are shown of a state, and how many readers.
const REASONS: usize = 12;
const READERS: usize = 50;

/// The order in which states are shown.
const SHOWN: [State; 8] = [
    State::Delivered,
    State::Claimed,
    State::Queued,
    State::Delayed,
    State::Unknown,
    State::Failed,
    State::Withheld,
    State::Canceled,
];

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/letters", get(list))
        .route("/letters/{digest}", get(show))
        .route("/letters/{digest}/{deed}", post(act))
}

async fn list(Of(desk): Of<Arc<Desk>>, editor: Editor) -> Answer {
    let publication = desk.publication().clone();
    let digests = desk.ask(move |ledger| ledger.digests(&publication, LISTED)).await?;
    let digests: Vec<Value> = digests.iter().map(|line| told(&desk, line, editor.words)).collect();
    desk.page(&editor, "letters.html", "/letters", &json!({ "digests": digests }))
}

async fn show(Of(desk): Of<Arc<Desk>>, editor: Editor, Path(digest): Path<i64>) -> Answer {
    let words = editor.words;
    let (line, course, troubles) = desk
        .ask(move |ledger| {
            let Some(line) = ledger.digest(DigestId(digest))? else { return Ok(None) };
            let troubles = [State::Failed, State::Unknown, State::Delayed]
                .into_iter()
                .filter(|state| line.count(*state) > 0)
                .map(|state| Ok((state, trouble(ledger, line.digest.id, state)?)))
                .collect::<Result<Vec<_>, Error>>()?;
            Ok(Some((line, ledger.course(DigestId(digest))?, troubles)))
        })
        .await?
        .ok_or_else(Failure::nothing)?;
    let zone = &desk.publication().time_zone;
    let mut points = vec![(line.digest.frozen, 0)];
    points.extend(&course);
    // A line that nothing is added to any more ends with the last letter.
    let end = if waiting(&line) == 0 { course.last().map(|(at, _)| *at) } else { None };
    let plot = (!course.is_empty())
        .then(|| plot::steps(&points, end.unwrap_or_else(|| desk.clock.now()), zone))
        .flatten();
    let troubles: Vec<Value> = troubles
        .iter()
        .map(|(state, trouble)| {
            let readers: Vec<Value> = trouble
                .readers
                .iter()
                .map(|(id, address, said)| json!({ "id": id, "address": address, "said": said.as_deref().unwrap_or(&words.say("letters.silence", &[])) }))
                .collect();
            let reasons: Vec<Value> = trouble
                .reasons
                .iter()
                .map(|(reason, n)| json!({ "reason": reason.as_deref().unwrap_or(&words.say("letters.silence", &[])), "n": n }))
                .collect();
            json!({
                "state": state.as_str(),
                "name": words.say(&format!("letter.{}", state.as_str()), &[]),
                "n": line.count(*state),
                "reasons": reasons,
                "readers": readers,
                "more": line.count(*state).saturating_sub(trouble.readers.len() as u64),
            })
        })
        .collect();
    let it = json!({
        "digest": told(&desk, &line, words),
        "plot": plot,
        "course": words.count("letters.course", line.count(State::Delivered)),
        "troubles": troubles,
        "open": line.digest.status == DigestStatus::Open,
        "waits": waiting(&line),
        "failed": line.count(State::Failed),
        "unknown": line.count(State::Unknown),
    });
    desk.page(&editor, "digest.html", "/letters", &it)
}

async fn act(
    Of(desk): Of<Arc<Desk>>,
    Path((digest, deed)): Path<(i64, String)>,
    Signed { .. }: Signed,
) -> Answer {
    let deed = match deed.as_str() {
        "pause" => DigestDeed::Pause,
        "resume" => DigestDeed::Resume,
        "retry-failed" => DigestDeed::Retry(State::Failed),
        "retry-unknown" => DigestDeed::Retry(State::Unknown),
        _ => return Err(Failure::nothing()),
    };
    if deeds::digest(&desk, DigestId(digest), deed).await? == DigestDone::Unknown {
        return Err(Failure::nothing());
    }
    Ok(Redirect::to(&format!("/letters/{digest}")).into_response())
}

/// A digest as a line of the list.
fn told(desk: &Desk, line: &DigestLine, words: &Words) -> Value {
    let digest = &line.digest;
    let all: u64 = line.letters.iter().map(|(_, n)| n).sum();
    // What is done stands first.
    let place = |state: State| SHOWN.iter().position(|shown| *shown == state);
    let mut letters = line.letters.clone();
    letters.sort_by_key(|(state, _)| place(*state));
    let states: Vec<Value> = letters
        .iter()
        .map(|(state, n)| {
            let name = words.say(&format!("letter.{}", state.as_str()), &[]);
            json!({ "state": state.as_str(), "name": name, "n": n, "share": share(*n, all) })
        })
        .collect();
    let pace = match digest.kind {
        Kind::Digest(pace) => words.say(&format!("pace.{}", pace.as_str()), &[]),
        Kind::Confirmation => words.say("letters.confirmation", &[]),
    };
    let status = match digest.status {
        DigestStatus::Open => None,
        DigestStatus::Paused => Some(words.say("letters.paused", &[])),
        DigestStatus::Asking => Some(words.say("letters.asking", &[])),
    };
    json!({
        "id": digest.id, "subject": line.subject, "pace": pace, "period": digest.period, "at": desk.time(digest.frozen),
        "status": status, "states": states, "n": all, "all": words.count("letters.all", all),
    })
}

/// Of a hundred, with one place behind the point: what is there is seen.
#[expect(clippy::cast_precision_loss, reason = "a bar shows no more than a thousandth")]
fn share(n: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { (n as f64 / all as f64 * 1000.0).ceil() / 10.0 }
}

fn waiting(line: &DigestLine) -> u64 {
    [State::Queued, State::Claimed, State::Delayed].iter().map(|state| line.count(*state)).sum()
}

/// Why letters are in a state.
#[derive(Default)]
pub(super) struct Trouble {
    /// What servers said, the commonest first; `None` where nothing was heard.
    pub(super) reasons: Vec<(Option<String>, u64)>,
    /// The first readers, each with what was said about him or her.
    pub(super) readers: Vec<(SubscriberId, String, Option<String>)>,
}

/// The letters of a digest in a state, gone through.
pub(super) fn trouble(ledger: &dyn Ledger, id: DigestId, state: State) -> Result<Trouble, Error> {
    let mut trouble = Trouble::default();
    let mut counts: HashMap<Option<String>, u64> = HashMap::new();
    let mut after = SubscriberId(0);
    for _ in 0..READ / PAGE {
        let page = ledger.letters(id, state, after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.subscriber;
        for letter in &page {
            *counts.entry(letter.reply.as_ref().map(Reply::reason)).or_default() += 1;
            if trouble.readers.len() < READERS {
                let said = letter.reply.as_ref().map(Reply::told);
                trouble.readers.push((letter.subscriber, letter.address.as_str().to_owned(), said));
            }
        }
    }
    trouble.reasons = counts.into_iter().collect();
    trouble.reasons.sort_by(|(one, n), (other, m)| m.cmp(n).then_with(|| one.cmp(other)));
    trouble.reasons.truncate(REASONS);
    Ok(trouble)
}
