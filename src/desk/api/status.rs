//! `/status`: what there is today. `/health`: whether the newsroom can do its work.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    arrivals::ArrivalView, digests::DigestView, issues::IssueView, problem::Problem, proofs::ProofLine,
    route::Route,
};
use crate::{
    desk::Desk, desk::Failure, desk::health, desk::today, ledger::WebhookLine, subscriber::Pace,
    subscriber::Standing,
};

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get(
            "/status",
            "status",
            "What waits, what is out, what failed and why, and how the letters go",
            show,
        )
        .gives::<StatusView>(200, "What there is today."),
        Route::get(
            "/health",
            "health",
            "Whether the newsroom can do its work, and how much room there is",
            health,
        )
        .gives::<HealthView>(200, "How the newsroom is; well or not, this is the answer."),
    ]
}

/// What there is today. Lists are short; their own addresses give all.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct StatusView {
    publication: PublicationView,
    /// What waits for its editor.
    proofs: Vec<ProofLine>,
    /// The newest issues, also those that wait for their time.
    issues: Vec<IssueView>,
    /// Files that came last.
    arrivals: Vec<ArrivalView>,
    /// Files that were refused.
    refused: Vec<ArrivalView>,
    /// Files that could not be put out through no fault of their own, and are tried again.
    postponed: Vec<Postponed>,
    /// The newest digests.
    digests: Vec<DigestView>,
    /// The next digest of each pace that somebody has.
    next: Vec<NextView>,
}

/// The periodical.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct PublicationView {
    key: String,
    title: String,
    language: String,
    base_url: String,
}

/// A file that is tried again.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Postponed {
    file: String,
    reason: String,
}

/// The next digest of a pace.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct NextView {
    pace: Pace,
    /// How many readers have that pace.
    readers: u64,
    /// When it is due; nothing where that depends on the next issue.
    due: Option<Timestamp>,
    /// Whether anything came out since the last one.
    has_news: bool,
}

async fn show(State(desk): State<Arc<Desk>>) -> Result<Json<StatusView>, Problem> {
    let today = desk.work(today::gather).await.map_err(|error| Failure::fault(&error))?;
    let publication = desk.publication();
    Ok(Json(StatusView {
        publication: PublicationView {
            key: publication.key.clone(),
            title: publication.title.clone(),
            language: publication.language.as_str().to_owned(),
            base_url: publication.base_url.clone(),
        },
        proofs: today.proofs.iter().map(|(file, arrival)| ProofLine::of(file, arrival)).collect(),
        issues: today.issues.iter().map(|line| IssueView::of(&desk, line)).collect(),
        arrivals: today.arrived.iter().map(ArrivalView::of).collect(),
        refused: today.refused.iter().map(ArrivalView::of).collect(),
        postponed: today
            .postponed
            .into_iter()
            .map(|(file, reason)| Postponed { file: file.display().to_string(), reason })
            .collect(),
        digests: today.digests.iter().map(DigestView::of).collect(),
        next: today
            .next
            .iter()
            .map(|next| NextView {
                pace: next.pace,
                readers: next.readers,
                due: next.due,
                has_news: next.has_news,
            })
            .collect(),
    }))
}

/// How the newsroom is.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct HealthView {
    /// Whether nothing keeps it from its work.
    ready: bool,
    /// What does, in words.
    troubles: Vec<&'static str>,
    version: &'static str,
    /// When the inbox was last looked at.
    inbox_looked: Option<Timestamp>,
    /// The letters that wait or are on their way, by their state.
    letters: BTreeMap<&'static str, u64>,
    /// Since when the letter has waited that has been due longest.
    waits_since: Option<Timestamp>,
    /// Subscribers, by their standing.
    subscribers: BTreeMap<&'static str, u64>,
    /// How much room the disk of each folder has, in bytes, where that can be known.
    room: BTreeMap<&'static str, Option<u64>>,
    webhooks: Vec<WebhookView>,
    /// The certificates of the mail servers that letters went to since the start.
    certificates: Vec<CertificateView>,
}

/// The certificate of a mail server, as last seen.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct CertificateView {
    server: String,
    expires: Timestamp,
    /// Whether that is within three weeks, or past.
    soon: bool,
}

/// A webhook that is told of what happens.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct WebhookView {
    url: String,
    /// How many events wait to be told.
    waiting: u64,
    /// Of how many it was not told.
    failed: u64,
    /// When it last took one.
    told: Option<Timestamp>,
    /// What came of the last attempt, where that failed.
    trouble: Option<String>,
    /// When it wanted to be told nothing more.
    ended: Option<Timestamp>,
}

impl From<WebhookLine> for WebhookView {
    fn from(line: WebhookLine) -> Self {
        let WebhookLine { webhook: url, waiting, failed, told, trouble, ended } = line;
        Self { url, waiting, failed, told, trouble: trouble.map(|(said, _)| said), ended }
    }
}

async fn health(State(desk): State<Arc<Desk>>) -> Result<Json<HealthView>, Problem> {
    let health = desk.work(health::examine).await.map_err(|error| Failure::fault(&error))?;
    let tally = health.tally;
    Ok(Json(HealthView {
        ready: health.troubles.is_empty(),
        troubles: health.troubles,
        version: env!("CARGO_PKG_VERSION"),
        inbox_looked: health.looked,
        letters: tally.letters.iter().map(|(state, n)| (state.as_str(), *n)).collect(),
        waits_since: tally.waits_since,
        subscribers: tally
            .subscribers
            .iter()
            .map(|(standing, n): &(Standing, u64)| (standing.as_str(), *n))
            .collect(),
        room: health.disks.into_iter().collect(),
        webhooks: health.webhooks.into_iter().map(Into::into).collect(),
        certificates: health
            .certificates
            .into_iter()
            .map(|one| CertificateView { server: one.server, expires: one.expires, soon: one.soon })
            .collect(),
    }))
}
