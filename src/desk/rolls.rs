//! The roll of subscribers in the browser: a table taken in, with the report of the rows that were not taken, and one given out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
    routing::get,
};
use serde_json::{Value, json};

use super::{
    Answer, Desk, Failure, dropping, enrolling, enrolling::Enrolled, following, frame, guard::Editor,
    words::Words,
};
use crate::roll;

/// How many of the rows that were not taken are shown; a table has all that are kept.
const SHOWN: usize = 50;

/// The table that is taken in, or was last.
#[derive(Debug, Default)]
pub(super) struct Enrolment(Mutex<Taking>);

#[derive(Debug, Default)]
struct Taking {
    /// The name of its file.
    file: String,
    /// Whether nobody is entered.
    dry_run: bool,
    stage: Stage,
}

#[derive(Debug, Default)]
enum Stage {
    /// There was none since the start.
    #[default]
    None,
    /// So many rows were gone through, and of which part of a hundred.
    Running(u64, u64),
    Done(Enrolled),
    /// It cannot be read as a table of subscribers, for that reason.
    Unusable(String),
    /// Something of ours does not work.
    Broken(String),
}

impl Enrolment {
    fn lock(&self) -> MutexGuard<'_, Taking> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/subscribers/import", get(show).post(take).layer(DefaultBodyLimit::disable()))
        .route("/subscribers/import/follow", get(follow))
        .route("/subscribers/import/report.csv", get(report))
        .route("/subscribers/export", get(export))
}

async fn export(State(desk): State<Arc<Desk>>, _: Editor) -> Response {
    enrolling::export(&desk)
}

async fn show(State(desk): State<Arc<Desk>>, editor: Editor) -> Answer {
    page(&desk, &editor, None)
}

fn page(desk: &Desk, editor: &Editor, problem: Option<&str>) -> Answer {
    let largest = (desk.largest_upload >> 20).to_string();
    let it = json!({
        "part": told(desk, editor.words),
        "problem": problem,
        "largest": editor.words.say("roll.largest", &[("n", &largest)]),
    });
    desk.page(editor, "import.html", "/subscribers", &it)
}

async fn follow(State(desk): State<Arc<Desk>>, editor: Editor, headers: HeaderMap) -> Response {
    let words = editor.words;
    following::follow(&desk, &headers, move |desk| {
        frame::part(words, "import_part.html", &json!({ "part": told(desk, words) }))
    })
}

/// How the table goes, in words.
fn told(desk: &Desk, words: &Words) -> Value {
    let state = desk.drawer.enrolment.lock();
    let mut told = json!({ "file": state.file, "dry_run": state.dry_run });
    match &state.stage {
        Stage::None => told["stage"] = json!("none"),
        Stage::Running(rows, percent) => {
            told["stage"] = json!("running");
            told["percent"] = json!(percent.min(&99));
            told["rows"] = json!(words.count("roll.rows", *rows));
        }
        Stage::Unusable(why) => {
            told["stage"] = json!("unusable");
            told["why"] = json!(words.say("roll.unusable", &[("file", &state.file), ("reason", why)]));
        }
        Stage::Broken(why) => {
            told["stage"] = json!("broken");
            told["why"] = json!(why);
        }
        Stage::Done(Enrolled { charset, totals, problems, n_problems }) => {
            told["stage"] = json!("done");
            told["charset"] = json!(charset);
            let counts = [
                ("roll.new", totals.new),
                ("roll.changed", totals.changed),
                ("roll.already", totals.already),
                ("roll.kept_away", totals.kept_away),
                ("roll.broken", totals.broken),
            ];
            let counts: Vec<Value> = counts
                .into_iter()
                .filter(|(name, _)| !state.dry_run || *name == "roll.broken")
                .map(|(name, n)| json!({ "name": words.say(name, &[]), "n": n }))
                .collect();
            told["counts"] = json!(counts);
            told["rows"] = json!(words.count("roll.rows", totals.rows));
            let rows: Vec<Value> = problems
                .iter()
                .take(SHOWN)
                .map(|row| json!({ "line": row.line, "address": row.address, "reason": words.retell(&row.reason), "lang": words.lang_of(&row.reason) }))
                .collect();
            let more = n_problems.saturating_sub(rows.len() as u64);
            told["problems"] = json!(rows);
            told["more"] = json!((more > 0).then(|| words.count("roll.more", more)));
        }
    }
    told
}

/// Takes a table. It is gone through beside, and its page tells how that goes.
async fn take(State(desk): State<Arc<Desk>>, editor: Editor, request: Request) -> Answer {
    let mut dropped = dropping::read(&desk, &editor, request).await?;
    let words = editor.words;
    let refused = |status: StatusCode, phrase: &str| -> Answer {
        Ok((status, page(&desk, &editor, Some(&words.say(phrase, &[])))?).into_response())
    };
    let Some((given, bytes)) = dropped.files.pop() else {
        return refused(StatusCode::BAD_REQUEST, "drop.none");
    };
    let file = dropping::shown(given.rsplit(['/', '\\']).next().unwrap_or_default());
    let (how, dry_run) = (dropped.field("how"), dropped.field("dry_run").is_some());
    {
        let mut state = desk.drawer.enrolment.lock();
        if matches!(state.stage, Stage::Running(..)) {
            drop(state);
            return refused(StatusCode::CONFLICT, "roll.busy");
        }
        *state = Taking { file: file.clone(), dry_run, stage: Stage::Running(0, 0) };
    }
    let working = Arc::clone(&desk);
    tokio::task::spawn_blocking(move || {
        // If this ends by a fault of ours, nobody waits for it for ever.
        let mut ended = Ending { desk: &working, stage: None };
        let desk = &*working;
        let progress = |rows: u64, percent: u64| {
            let mut state = desk.drawer.enrolment.lock();
            let is_news = matches!(state.stage, Stage::Running(_, before) if before != percent);
            state.stage = Stage::Running(rows, percent);
            drop(state);
            if is_news {
                desk.bells.news.ring();
            }
        };
        let enrolled = enrolling::import(desk, &bytes, how, Some(file), dry_run, progress);
        ended.stage = Some(match enrolled {
            Ok(enrolled) => Stage::Done(enrolled),
            Err(enrolling::Error::Unusable(why)) => Stage::Unusable(why.to_string()),
            Err(enrolling::Error::Fault(failure)) => Stage::Broken(failure.detail.unwrap_or_default()),
        });
    });
    Ok(Redirect::to("/subscribers/import").into_response())
}

/// Says how a table ended, whatever happened.
struct Ending<'d> {
    desk: &'d Desk,
    stage: Option<Stage>,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let stage = self.stage.take().unwrap_or_else(|| Stage::Broken(String::new()));
        self.desk.drawer.enrolment.lock().stage = stage;
        self.desk.bells.news.ring();
    }
}

/// The rows that were not taken, as a table.
async fn report(State(desk): State<Arc<Desk>>, _: Editor) -> Answer {
    let state = desk.drawer.enrolment.lock();
    let Stage::Done(enrolled) = &state.stage else { return Err(Failure::nothing()) };
    let mut table = csv::Writer::from_writer(Vec::new());
    let mut write = |cells: [&str; 3]| table.write_record(cells).map_err(|error| Failure::fault(&error));
    write(["line", "address", "reason"])?;
    for row in &enrolled.problems {
        write([&row.line.to_string(), &roll::quoted_formula(row.address.clone()), &row.reason])?;
    }
    let bytes = table.into_inner().map_err(|error| Failure::fault(&error.into_error()))?;
    let head = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"not-taken.csv\""),
    ];
    Ok((head, bytes).into_response())
}
