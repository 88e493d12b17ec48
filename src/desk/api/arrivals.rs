//! `/arrivals`: the files of the inbox, and new ones.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse as _, response::Response};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Limit,
    problem::Problem,
    route::Route,
    taking::{Asked, File},
};
use crate::{
    desk::Desk, desk::deeds, desk::dropping, desk::today, desk::words, durable::Laid, inbox, issue::IssueKey,
    ledger::Arrival, ledger::Fate,
};

pub(super) fn table(largest: usize) -> Vec<Route> {
    vec![
        Route::get("/arrivals", "arrivals", "The files that came last, and what became of each", list)
            .asks::<Which>()
            .gives::<Arrivals>(200, "The files, newest first."),
        Route::post("/arrivals", "drop", "Drop a file into the inbox, whole", drop_file)
            .asks::<Given>()
            .sends_bytes("application/octet-stream")
            .up_to(largest)
            .gives::<Laying>(
                201,
                "The file lies in the inbox. What becomes of it stands in the list when it was read.",
            )
            .gives::<Laying>(200, "A file of that name with these very bytes lay there already.")
            .refuses(409, "There is another file of that name."),
    ]
}

/// Which files.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    /// Only the file of this name.
    #[serde(default)]
    file: Option<String>,
    /// How many at most.
    #[serde(default)]
    limit: Limit,
}

/// Files of the inbox.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Arrivals {
    arrivals: Vec<ArrivalView>,
}

/// A file of the inbox, and what became of it.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct ArrivalView {
    /// Its name, relative to the inbox.
    file: String,
    /// When that was decided.
    at: Timestamp,
    fate: FateView,
    /// The issue that it became, is to become, or repeats.
    issue: Option<String>,
    /// Why it was rejected.
    reason: Option<String>,
    /// BLAKE3 of its bytes; empty where it was never read whole.
    hash: String,
}

/// What became of a file.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum FateView {
    /// It is the current version of its issue, or was.
    Published,
    /// It has the content of an issue that is out.
    Duplicate,
    /// It waits for its editor.
    Withheld,
    /// It waits for its time.
    Embargoed,
    /// It was not published.
    Rejected,
}

impl ArrivalView {
    pub(super) fn of(arrival: &Arrival) -> Self {
        let (fate, issue, reason) = match &arrival.fate {
            Fate::Published(key) => (FateView::Published, Some(key), None),
            Fate::Duplicate(key) => (FateView::Duplicate, Some(key), None),
            Fate::Withheld(key) => (FateView::Withheld, Some(key), None),
            Fate::Embargoed(key) => (FateView::Embargoed, Some(key), None),
            Fate::Rejected(reason) => (FateView::Rejected, None, Some(reason.clone())),
        };
        Self {
            file: today::path_of(arrival).display().to_string(),
            at: arrival.at,
            fate,
            issue: issue.map(IssueKey::as_str).map(str::to_owned),
            reason,
            hash: arrival.hash.clone(),
        }
    }
}

/// The file that is sent.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Given {
    /// Its name.
    file: String,
    /// Whether a file of the same name is replaced.
    #[serde(default)]
    replace: bool,
}

/// How a file was laid down.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Laying {
    /// The name under which it lies in the inbox.
    file: String,
    /// Whether it is new; if not, it lay there already, with these very bytes.
    written: bool,
}

impl Laying {
    pub(super) fn of(file: String, laid: Laid) -> Self {
        Self { file, written: laid == Laid::Written }
    }
}

async fn list(
    State(desk): State<Arc<Desk>>,
    Asked(Which { file, limit }): Asked<Which>,
) -> Result<Json<Arrivals>, Problem> {
    let mut arrivals = desk
        .ask(move |ledger| {
            if file.is_some() { ledger.arrivals() } else { ledger.newest_arrivals(limit.0) }
                .map(|all| (file, all))
        })
        .await
        .map(|(file, mut arrivals)| {
            if let Some(file) = file {
                arrivals.retain(|arrival| today::path_of(arrival).as_os_str() == file.as_str());
            }
            arrivals
        })?;
    arrivals.retain(|arrival| inbox::manuscript_of(today::path_of(arrival)).is_none());
    Ok(Json(Arrivals { arrivals: arrivals.iter().map(ArrivalView::of).collect() }))
}

async fn drop_file(
    State(desk): State<Arc<Desk>>,
    Asked(Given { file, replace }): Asked<Given>,
    File(bytes): File,
) -> Result<Response, Problem> {
    let name = dropping::good_name(&file).map_err(|phrase| {
        let said = words::ALL[0].say(phrase, &[("file", &dropping::shown(&file))]);
        Problem::unfit(said, "give another `file`")
    })?;
    let laid = deeds::lay(&desk, desk.press.inbox.join(&name), bytes.into(), replace).await?;
    let status = match laid {
        Laid::Written => StatusCode::CREATED,
        Laid::Unchanged => StatusCode::OK,
        Laid::Taken => {
            let detail = format!("there is another file `{}` in the inbox", dropping::shown(&name));
            let help = "give another name, or say `replace=true`";
            return Err(Problem::of(StatusCode::CONFLICT, detail, help));
        }
    };
    Ok((status, Json(Laying::of(name, laid))).into_response())
}
