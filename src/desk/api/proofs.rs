//! `/proofs`: what waits for its editor, to be corrected and approved.

use std::{path::Path, sync::Arc};

use axum::{Json, extract::State, http::StatusCode};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    problem::Problem,
    route::Route,
    taking::{Named, Sent},
};
use crate::{
    desk::Desk, desk::proofs, desk::proofs::Approval, desk::proofs::Opened, desk::words, desk::words::Words,
    issue::IssueKey, ledger::Arrival, ledger::Fate, proof, proof::Doubt, proof::Mark,
};

/// The longest text that is read, as JSON may have it.
const LONGEST: usize = 48 << 20;

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get("/proofs", "proofs", "What waits for its editor, newest first", list)
            .gives::<Proofs>(200, "The proofs."),
        Route::get("/proofs/{proof}", "proof", "One proof with its text and its queries", show)
            .gives::<ProofView>(200, "The proof."),
        Route::put(
            "/proofs/{proof}",
            "save_proof",
            "Save the text of a proof; it does not go out by that",
            save,
        )
        .sends::<NewText>()
        .up_to(LONGEST)
        .gives::<ProofView>(200, "The proof as it is now.")
        .refuses(409, "Somebody else has saved it meanwhile; nothing was saved."),
        Route::post("/proofs/{proof}/approve", "approve_proof", "Publish a proof", approve)
            .sends::<Approve>()
            .gives::<Approved>(200, "What became of it.")
            .refuses(
                409,
                "Somebody else has saved it meanwhile, or queries are open; nothing was published.",
            ),
    ]
}

/// What waits for its editor.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Proofs {
    proofs: Vec<ProofLine>,
}

/// A proof as a line of a list.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct ProofLine {
    proof: String,
    /// The manuscript, relative to the inbox.
    file: String,
    /// The issue that it is to become.
    issue: Option<String>,
    since: Timestamp,
}

impl ProofLine {
    pub(super) fn of(manuscript: &Path, arrival: &Arrival) -> Self {
        let issue = match &arrival.fate {
            Fate::Withheld(key) => Some(key.as_str().to_owned()),
            _ => None,
        };
        let file = manuscript.display().to_string();
        Self { proof: proofs::id_of(manuscript), file, issue, since: arrival.at }
    }
}

/// A proof.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ProofView {
    proof: String,
    /// The manuscript, relative to the inbox.
    file: String,
    /// What tells this text from every other: whoever saves says on which he or she has worked.
    version: String,
    /// The text, as a proof's file has it.
    text: String,
    /// The text of the manuscript, where it can be read.
    source: Option<String>,
    /// What is in doubt.
    queries: Vec<QueryView>,
    /// What keeps it from being read back, where something does.
    problems: Vec<ProblemView>,
}

/// One doubt.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct QueryView {
    /// Its number, as the mark in the text has it.
    query: usize,
    code: Doubt,
    /// The doubt in words.
    text: String,
    /// The line of the manuscript that it is about.
    line: Option<usize>,
    /// Whether it is more than a note.
    serious: bool,
}

/// What cannot be read back.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ProblemView {
    line: usize,
    text: String,
}

impl ProofView {
    fn of(opened: Opened) -> Self {
        let query = |mark: Mark| QueryView {
            query: mark.id,
            serious: mark.query.code.is_serious(),
            code: mark.query.code,
            text: mark.query.text,
            line: mark.query.line,
        };
        let marks = proof::marks(&opened.text).into_iter();
        let problems = proof::read(&opened.text).err().unwrap_or_default();
        Self {
            proof: proofs::id_of(&opened.manuscript),
            file: opened.manuscript.display().to_string(),
            version: opened.version,
            queries: marks.filter(|mark| mark.query.code != Doubt::Unseen).map(query).collect(),
            text: opened.text,
            source: opened.source,
            problems: problems
                .into_iter()
                .map(|problem| ProblemView { line: problem.line, text: problem.text })
                .collect(),
        }
    }
}

/// A text to be saved.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewText {
    /// The version that was worked on.
    version: String,
    text: String,
}

/// A proof to be published.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Approve {
    /// The version that was looked at.
    version: String,
    /// Whether it goes out in spite of queries that are open.
    #[serde(default)]
    anyway: bool,
}

/// What became of a proof.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Approved {
    issue: String,
    verdict: VerdictView,
}

/// What became of a proof.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum VerdictView {
    /// Readers have it.
    Published,
    /// They had it before, with these very words.
    Unchanged,
    /// It comes out at its time.
    Embargoed,
    /// The issue was withdrawn, or is held back.
    TakenDown,
}

/// What the marks say that we write.
fn english() -> &'static Words {
    &words::ALL[0]
}

async fn list(State(desk): State<Arc<Desk>>) -> Result<Json<Proofs>, Problem> {
    let arrivals = desk.ask(|ledger| ledger.waiting_arrivals()).await?;
    let waiting = proofs::waiting(&arrivals);
    Ok(Json(Proofs { proofs: waiting.iter().map(|(file, arrival)| ProofLine::of(file, arrival)).collect() }))
}

async fn show(
    State(desk): State<Arc<Desk>>,
    Named(proof): Named<String>,
) -> Result<Json<ProofView>, Problem> {
    Ok(Json(ProofView::of(desk.work(move |desk| proofs::open(desk, &proof)).await?)))
}

/// The proof, if it is still the one that was worked on.
fn opened(desk: &Desk, proof: &str, version: &str) -> Result<Opened, Problem> {
    let opened = proofs::open(desk, proof)?;
    if opened.version == version {
        return Ok(opened);
    }
    let detail = "somebody else has saved this proof meanwhile; nothing was done";
    let help = "read it again, bring the two texts together, and send them with its `version`";
    Err(Problem::of(StatusCode::CONFLICT, detail, help).with_version(opened.version))
}

async fn save(
    State(desk): State<Arc<Desk>>,
    Named(proof): Named<String>,
    Sent(NewText { version, text }): Sent<NewText>,
) -> Result<Json<ProofView>, Problem> {
    let saved = desk.work(move |desk| {
        let _turn = desk.drawer.saving.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let opened = opened(desk, &proof, &version)?;
        proofs::save(desk, english(), &opened, &text.replace("\r\n", "\n"))?;
        Ok::<_, Problem>(proofs::open(desk, &proof)?)
    });
    let saved = saved.await?;
    desk.bells.news.ring();
    Ok(Json(ProofView::of(saved)))
}

async fn approve(
    State(desk): State<Arc<Desk>>,
    Named(proof): Named<String>,
    Sent(Approve { version, anyway }): Sent<Approve>,
) -> Result<Json<Approved>, Problem> {
    let approval = desk.work(move |desk| {
        let _turn = desk.drawer.saving.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let opened = opened(desk, &proof, &version)?;
        Ok::<_, Problem>(proofs::publish(desk, english(), &opened, &opened.text, anyway)?)
    });
    let approved = |key: IssueKey, verdict| Ok(Json(Approved { issue: key.as_str().to_owned(), verdict }));
    match approval.await? {
        Approval::Published(key) => approved(key, VerdictView::Published),
        Approval::Unchanged(key) => approved(key, VerdictView::Unchanged),
        Approval::Embargoed(key) => approved(key, VerdictView::Embargoed),
        Approval::TakenDown(key) => approved(key, VerdictView::TakenDown),
        Approval::Open(n) => {
            let said = english().count("proof.still_open", n);
            let help = "settle them in the text and save it, or say `\"anyway\": true`";
            Err(Problem::of(StatusCode::CONFLICT, said, help))
        }
        Approval::Refused(reason) => {
            Err(Problem::unfit(reason, "change the text, save it, and approve it then"))
        }
    }
}
