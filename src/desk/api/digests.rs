//! `/digests`: how the letters go, why some did not arrive, and what to do about it.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State, http::StatusCode};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Limit,
    problem::Problem,
    route::Route,
    taking::{Asked, Named, Sent},
};
use crate::{
    delivery::DigestId, delivery::DigestStatus, delivery::State as LetterState, desk::Desk, desk::deeds,
    desk::deeds::DigestDeed, desk::deeds::DigestDone, desk::letters, desk::letters::Trouble, issue::IssueKey,
    ledger, ledger::DigestLine,
};

const HELP: &str = "`/api/v1/digests` lists the digests";

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get("/digests", "digests", "The digests, newest first, with how their letters stand", list)
            .asks::<Which>()
            .gives::<Digests>(200, "Some of them, and where the rest begins."),
        Route::get("/digests/{digest}", "digest", "One digest, and why its letters did not arrive", show)
            .gives::<WholeDigest>(200, "The digest."),
        Route::put(
            "/digests/{digest}/status",
            "set_digest_status",
            "Stop the letters that are not out yet, or let them go on",
            set_status,
        )
        .sends::<NewStatus>()
        .gives::<DigestView>(200, "The digest as it is now."),
        Route::post(
            "/digests/{digest}/retry",
            "retry_digest",
            "Offer letters again that did not arrive, to those readers alone",
            retry,
        )
        .sends::<Retry>()
        .gives::<Retried>(200, "So many letters are queued again.")
        .refuses(409, "The digest is stopped; nothing was queued."),
    ]
}

/// Which digests.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    /// Those that are older than this one: what `next` said.
    #[serde(default)]
    before: Option<i64>,
    /// How many at most.
    #[serde(default)]
    limit: Limit,
}

/// A part of the list of digests.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Digests {
    digests: Vec<DigestView>,
    /// What `before` is for the next part; nothing where this is the last.
    next: Option<i64>,
}

/// One digest.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct DigestView {
    digest: i64,
    /// The pace of its readers.
    pace: &'static str,
    /// What it covers: an issue's key, a day, a week, a month.
    period: String,
    /// The issues that it tells of.
    issues: Vec<String>,
    subject: String,
    /// When it was frozen, with its readers.
    frozen: Timestamp,
    status: DigestStatus,
    /// How many of its letters are in each state.
    letters: BTreeMap<&'static str, u64>,
}

impl DigestView {
    pub(super) fn of(line: &DigestLine) -> Self {
        let digest = &line.digest;
        Self {
            digest: digest.id.0,
            pace: digest.kind.as_str(),
            period: digest.period.clone(),
            issues: digest.issues.iter().map(IssueKey::as_str).map(str::to_owned).collect(),
            subject: line.subject.clone(),
            frozen: digest.frozen,
            status: digest.status,
            letters: line.letters.iter().map(|(state, n)| (state.as_str(), *n)).collect(),
        }
    }
}

/// One digest with what servers said.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct WholeDigest {
    digest: DigestView,
    /// Why letters have not arrived: a part for each state in which some are.
    troubles: Vec<TroubleView>,
    /// What was said after servers had answered.
    said_afterwards: Vec<SaidView>,
}

/// Why letters are in a state.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct TroubleView {
    state: LetterState,
    n: u64,
    /// What servers said, without what differs from reader to reader; the commonest first.
    reasons: Vec<ReasonView>,
    /// The first readers.
    readers: Vec<ReaderView>,
}

/// What servers said of several letters.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ReasonView {
    /// Nothing where nothing was heard.
    reason: Option<String>,
    n: u64,
}

/// What was said of one reader's letter.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ReaderView {
    subscriber: i64,
    address: String,
    said: Option<String>,
}

/// What reports, complaints and providers said.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct SaidView {
    kind: crate::delivery::BounceKind,
    source: String,
    n: u64,
}

impl TroubleView {
    fn of(line: &DigestLine, state: LetterState, trouble: Trouble) -> Self {
        let reason = |(reason, n)| ReasonView { reason, n };
        let reader = |(id, address, said): (crate::subscriber::SubscriberId, String, Option<String>)| {
            ReaderView { subscriber: id.0, address, said }
        };
        Self {
            state,
            n: line.count(state),
            reasons: trouble.reasons.into_iter().map(reason).collect(),
            readers: trouble.readers.into_iter().map(reader).collect(),
        }
    }
}

/// Whether the letters go out.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewStatus {
    status: Going,
}

/// Whether letters go out.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Going {
    /// They do.
    Open,
    /// They are stopped.
    Paused,
}

/// Which letters are offered again.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Retry {
    state: Missing,
}

/// How letters did not arrive.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Missing {
    /// They were refused.
    Failed,
    /// Nobody knows whether they arrived: some readers may get them twice.
    Unknown,
}

/// How many letters are offered again.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Retried {
    queued: u64,
}

async fn list(
    State(desk): State<Arc<Desk>>,
    Asked(Which { before, limit }): Asked<Which>,
) -> Result<Json<Digests>, Problem> {
    let (publication, before) = (desk.publication().clone(), DigestId(before.unwrap_or(i64::MAX)));
    let lines = desk.ask(move |ledger| ledger.digests_before(&publication, before, limit.0 + 1)).await?;
    let next = lines.get(limit.0).and(lines.get(limit.0 - 1)).map(|last| last.digest.id.0);
    Ok(Json(Digests { digests: lines.iter().take(limit.0).map(DigestView::of).collect(), next }))
}

/// A digest that has a line in the list.
fn known(ledger: &dyn ledger::Ledger, id: i64) -> Result<Option<DigestLine>, ledger::Error> {
    let line = ledger.digest(DigestId(id))?;
    Ok(line.filter(|line| line.digest.kind != crate::delivery::Kind::Confirmation))
}

async fn show(State(desk): State<Arc<Desk>>, Named(id): Named<i64>) -> Result<Json<WholeDigest>, Problem> {
    let found = desk.ask(move |ledger| {
        let Some(line) = known(ledger, id)? else { return Ok(None) };
        let mut troubles = Vec::new();
        for state in [LetterState::Failed, LetterState::Unknown, LetterState::Delayed] {
            if line.count(state) > 0 {
                let trouble = letters::trouble(ledger, line.digest.id, state)?;
                troubles.push(TroubleView::of(&line, state, trouble));
            }
        }
        Ok(Some((line, troubles, ledger.said_afterwards(DigestId(id))?)))
    });
    let (line, troubles, said) = found.await?.ok_or_else(|| Problem::nothing("digest", HELP))?;
    let said_afterwards = said.into_iter().map(|(kind, source, n)| SaidView { kind, source, n }).collect();
    Ok(Json(WholeDigest { digest: DigestView::of(&line), troubles, said_afterwards }))
}

async fn set_status(
    State(desk): State<Arc<Desk>>,
    Named(id): Named<i64>,
    Sent(NewStatus { status }): Sent<NewStatus>,
) -> Result<Json<DigestView>, Problem> {
    let deed = match status {
        Going::Open => DigestDeed::Resume,
        Going::Paused => DigestDeed::Pause,
    };
    let nothing = || Problem::nothing("digest", HELP);
    desk.ask(move |ledger| known(ledger, id)).await?.ok_or_else(nothing)?;
    deeds::digest(&desk, DigestId(id), deed).await?;
    let line = desk.ask(move |ledger| known(ledger, id)).await?.ok_or_else(nothing)?;
    Ok(Json(DigestView::of(&line)))
}

async fn retry(
    State(desk): State<Arc<Desk>>,
    Named(id): Named<i64>,
    Sent(Retry { state }): Sent<Retry>,
) -> Result<Json<Retried>, Problem> {
    let nothing = || Problem::nothing("digest", HELP);
    desk.ask(move |ledger| known(ledger, id)).await?.ok_or_else(nothing)?;
    let state = match state {
        Missing::Failed => LetterState::Failed,
        Missing::Unknown => LetterState::Unknown,
    };
    match deeds::digest(&desk, DigestId(id), DigestDeed::Retry(state)).await? {
        DigestDone::Changed(queued) => Ok(Json(Retried { queued })),
        DigestDone::Unknown => Err(nothing()),
        DigestDone::IsStopped => {
            let help =
                "let it go on first: `PUT /api/v1/digests/DIGEST/status` with `{\"status\": \"open\"}`";
            Err(Problem::of(StatusCode::CONFLICT, "the letters of this digest are stopped", help))
        }
    }
}
