//! The issues that came out: their versions and what differs, corrections, and what readers may have.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _, path::Path as FilePath, sync::Arc};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Path, Query, Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Answer, Desk, Failure, deeds, deeds::Corrected, differing, dropping, form::Signed, guard::Editor,
    words::Words,
};
use crate::{
    delivery::State as LetterState, durable::Laid, inbox, issue::IssueKey, issue::Release, issue::Status,
    ledger::IssueLine,
};

/// How many issues one page lists.
const PER_PAGE: usize = 40;

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/issues", get(list))
        .route("/issues/{key}", get(show).post(change))
        .route("/issues/{key}/correct", post(correct).layer(DefaultBodyLimit::disable()))
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    page: usize,
}

async fn list(State(desk): State<Arc<Desk>>, editor: Editor, Query(Page { page }): Query<Page>) -> Answer {
    let publication = desk.publication().clone();
    let skip = page.saturating_mul(PER_PAGE);
    let lines = desk.ask(move |ledger| ledger.newest_issues(&publication, skip, PER_PAGE + 1)).await?;
    let more = lines.len() > PER_PAGE;
    let shown: Vec<Value> =
        lines.iter().take(PER_PAGE).map(|issue| line(&desk, editor.words, issue)).collect();
    let it = json!({
        "issues": shown,
        "newer": (page > 0).then(|| page - 1),
        "older": more.then(|| page + 1),
    });
    desk.page(&editor, "issues.html", "/issues", &it)
}

/// An issue as a line of a list.
pub(super) fn line(desk: &Desk, words: &Words, issue: &IssueLine) -> Value {
    let standing = standing(issue);
    json!({
        "key": issue.key.as_str(),
        "name": issue.name,
        "version": issue.version,
        "published": desk.time(issue.published),
        "standing": standing,
        "said": words.say(&format!("status.{standing}"), &[]),
        "embargo": issue.embargo.map(|until| desk.time(until)),
        "letters": states(words, &issue.letters),
    })
}

/// Where an issue stands, as our phrases name it.
pub(super) fn standing(issue: &IssueLine) -> &'static str {
    match (issue.status, issue.embargo) {
        (Status::Usable, _) => "out",
        (Status::Withheld, Some(_)) => "embargoed",
        (Status::Withheld, None) => "held",
        (Status::Canceled, _) => "withdrawn",
    }
}

/// How letters stand, in words.
pub(super) fn states(words: &Words, letters: &[(LetterState, u64)]) -> String {
    let told: Vec<String> =
        letters.iter().map(|(state, n)| words.count(&format!("state.{}", state.as_str()), *n)).collect();
    told.join(&words.say("frame.comma", &[]))
}

#[derive(Deserialize, Default)]
struct Asked {
    #[serde(default)]
    done: String,
    version: Option<u32>,
}

async fn show(
    State(desk): State<Arc<Desk>>,
    editor: Editor,
    Path(key): Path<String>,
    Query(asked): Query<Asked>,
) -> Answer {
    page(&desk, &editor, &key, asked, None).await
}

async fn page(desk: &Arc<Desk>, editor: &Editor, key: &str, asked: Asked, problem: Option<String>) -> Answer {
    let key = IssueKey::of(key);
    let found = desk
        .ask({
            let (publication, key) = (desk.publication().clone(), key.clone());
            move |ledger| {
                let line = ledger.issue_line(&publication, &key)?;
                let versions = ledger.every_version(&publication, &key)?;
                Ok((line, versions, ledger.source_of(&publication, &key)?))
            }
        })
        .await?;
    let (Some(issue), versions, source) = found else { return Err(Failure::nothing()) };
    let version = asked.version.filter(|version| versions.iter().any(|known| known.version == *version));
    let differs = version.map(|version| differs(&versions, version));
    let history: Vec<Value> = versions
        .iter()
        .map(|release| json!({ "version": release.version, "updated": desk.time(release.updated), "shown": Some(release.version) == version }))
        .collect();
    let source = source.map(|source| FilePath::new(OsStr::from_bytes(&source)).to_owned());
    let articles: Vec<Value> = versions
        .first()
        .map(|release| release.issue.articles.iter().map(|article| {
            let authors: Vec<&str> = article.authors().collect();
            json!({ "headline": article.headline.text, "authors": authors.join(&editor.words.say("frame.comma", &[])) })
        }).collect())
        .unwrap_or_default();
    let done = ["published", "withdrawn", "held", "released", "corrected", "same", "embargoed", "unchanged"]
        .contains(&asked.done.as_str())
        .then(|| editor.words.say(&format!("done.{}", asked.done), &[]));
    let it = json!({
        "issue": line(desk, editor.words, &issue),
        "url": desk.publication().url(&format!("issues/{key}/")),
        "book": null,
        "source": source.as_ref().map(|source| source.display().to_string()),
        "correctable": source.as_ref().is_some_and(|source| inbox::text_of(&desk.press.inbox, source).is_some()),
        "language": versions.first().map(|release| release.issue.language.as_str().to_owned()),
        "articles": articles,
        "history": history,
        "version": version,
        "differs": differs,
        "done": done,
        "problem": problem,
    });
    desk.page(editor, "issue.html", "/issues", &it)
}

/// What differs between a version and the one before it.
fn differs(versions: &[Release], version: u32) -> Vec<differing::Row> {
    let at = versions.iter().position(|release| release.version == version);
    let text =
        |at: usize| versions.get(at).map(|release| differing::lines_of(&release.issue)).unwrap_or_default();
    at.map(|at| differing::differences(&text(at + 1), &text(at))).unwrap_or_default()
}

async fn change(State(desk): State<Arc<Desk>>, Path(key): Path<String>, form: Signed) -> Answer {
    let key = IssueKey::of(&key);
    let (status, done) = match form.fields.text("action") {
        "withdraw" => (Status::Canceled, "withdrawn"),
        "hold" => (Status::Withheld, "held"),
        "release" | "reinstate" => (Status::Usable, "released"),
        _ => return Err(Failure::garbled()),
    };
    let changed = deeds::set_status(&desk, &key, status).await?.ok_or_else(Failure::nothing)?;
    let done = if changed { done } else { "unchanged" };
    Ok(Redirect::to(&format!("/issues/{key}?done={done}")).into_response())
}

/// Takes a corrected file: it is saved in the place of the one that brought the issue, and so has its key.
async fn correct(
    State(desk): State<Arc<Desk>>,
    editor: Editor,
    Path(key): Path<String>,
    request: Request,
) -> Answer {
    let issue = IssueKey::of(&key);
    let mut dropped = dropping::read(&desk, &editor, request).await?;
    let corrected = match dropped.files.pop() {
        Some((given, bytes)) => deeds::correct(&desk, issue.clone(), &given, bytes).await?,
        None => Corrected::Nothing,
    };
    let done = match corrected {
        Corrected::Laid(Laid::Written) => "corrected",
        Corrected::Laid(Laid::Unchanged | Laid::Taken) => "same",
        Corrected::Nothing | Corrected::OtherForm(_) => {
            let problem = match &corrected {
                Corrected::OtherForm(name) => editor.words.say("issue.other_form", &[("file", name)]),
                _ => editor.words.say("issue.nothing_to_correct", &[]),
            };
            let page = page(&desk, &editor, &key, Asked::default(), Some(problem)).await?;
            return Ok((StatusCode::BAD_REQUEST, page).into_response());
        }
    };
    Ok(Redirect::to(&format!("/issues/{issue}?done={done}")).into_response())
}
