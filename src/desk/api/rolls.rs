//! `/subscribers/import` and `/export`: the whole roll as a table.

use std::sync::Arc;

use axum::{Json, extract::State, response::Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    problem::Problem,
    route::Route,
    taking::{Asked, Table},
};
use crate::{desk::Desk, desk::enrolling, roll};

pub(super) fn table(largest: usize) -> Vec<Route> {
    vec![
        Route::post(
            "/subscribers/import",
            "import_subscribers",
            "Enter everybody in a table of any charset and separator; those who left stay away",
            import,
        )
        .asks::<How>()
        .sends_bytes("text/csv")
        .up_to(largest)
        .gives::<Report>(200, "What became of the rows."),
        Route::get(
            "/subscribers/export",
            "export_subscribers",
            "Everybody as a table that `import` reads",
            export,
        )
        .gives_text("text/csv", "The table."),
    ]
}

/// How a table is read.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct How {
    /// How they asked, where the table does not say.
    #[serde(default)]
    how: Option<String>,
    /// Whether nobody is entered, and only told what is in the table.
    #[serde(default)]
    dry_run: bool,
}

/// What became of the rows of a table.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Report {
    /// In which charset it is.
    charset: &'static str,
    rows: u64,
    new: u64,
    changed: u64,
    /// There already.
    already: u64,
    /// Had left, are suppressed or were erased, and are not brought back.
    kept_away: u64,
    /// Could not be read.
    broken: u64,
    /// The first rows that were not taken, each with the reason.
    problems: Vec<RowProblem>,
    /// How many more there are.
    more_problems: u64,
}

/// A row that was not taken.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct RowProblem {
    /// The line on which it begins, counted from 1.
    line: u64,
    address: String,
    reason: String,
}

async fn import(
    State(desk): State<Arc<Desk>>,
    Asked(How { how, dry_run }): Asked<How>,
    Table(bytes): Table,
) -> Result<Json<Report>, Problem> {
    let entered = desk.work(move |desk| enrolling::import(desk, &bytes, how, None, dry_run, |_, _| ())).await;
    let enrolling::Enrolled { charset, totals, problems, n_problems } =
        entered.map_err(|error| match error {
            enrolling::Error::Unusable(why) => Problem::unfit(
                why.to_string(),
                "nobody was entered; name the column with the addresses `address` or `邮箱`",
            ),
            enrolling::Error::Fault(failure) => failure.into(),
        })?;
    let roll::Totals { rows, new, changed, already, kept_away, broken, .. } = totals;
    let more_problems = n_problems - problems.len() as u64;
    let problems = problems
        .into_iter()
        .map(|roll::Problem { line, address, reason }| RowProblem { line, address, reason })
        .collect();
    Ok(Json(Report { charset, rows, new, changed, already, kept_away, broken, problems, more_problems }))
}

async fn export(State(desk): State<Arc<Desk>>) -> Response {
    enrolling::export(&desk)
}
