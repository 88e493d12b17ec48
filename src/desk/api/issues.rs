//! `/issues`: what is out, its versions, and whether readers may have it.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Limit,
    arrivals::Laying,
    problem::Problem,
    route::Route,
    taking::{Asked, File, Named, Sent},
};
use crate::{
    desk::Desk, desk::deeds, desk::deeds::Corrected, desk::today, issue::IssueKey, issue::Release,
    issue::Status, ledger::IssueLine,
};

const HELP: &str = "`/api/v1/issues` lists the issues";

pub(super) fn table(largest: usize) -> Vec<Route> {
    vec![
        Route::get("/issues", "issues", "The issues, newest first", list)
            .asks::<Which>()
            .gives::<Issues>(200, "Some of them, and where the rest begins."),
        Route::get("/issues/{issue}", "issue", "One issue with its versions", show)
            .gives::<WholeIssue>(200, "The issue."),
        Route::put(
            "/issues/{issue}/status",
            "set_issue_status",
            "Withdraw an issue (`canceled`), hold it back (`withheld`), or give it to readers, again or before its time (`usable`)",
            set_status,
        )
        .sends::<NewStatus>()
        .gives::<IssueView>(200, "The issue as it is now."),
        Route::put("/issues/{issue}/manuscript", "correct_issue", "Correct an issue: save a file in the place of the one that brought it", correct)
            .asks::<Given>()
            .sends_bytes("application/octet-stream")
            .up_to(largest)
            .gives::<Laying>(200, "The file lies in the inbox; the new version comes out when it was read.")
            .refuses(409, "No file of the inbox brought this issue, or that file has another ending."),
    ]
}

/// Which issues.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    /// Those that follow this issue in the list: what `next` said.
    #[serde(default)]
    after: Option<String>,
    /// How many at most.
    #[serde(default)]
    limit: Limit,
}

/// A part of the list of issues.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Issues {
    issues: Vec<IssueView>,
    /// What `after` is for the next part; nothing where this is the last.
    next: Option<String>,
}

/// One issue.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct IssueView {
    /// Its key, which never changes.
    issue: String,
    /// What readers call it.
    name: String,
    /// 1 for the first, one more for each correction.
    version: u32,
    /// When the first version came out.
    published: Timestamp,
    /// Whether readers may have it.
    status: Status,
    /// When its time comes, where it waits for that.
    publish_at: Option<Timestamp>,
    /// Where its page is, for readers.
    url: String,
    /// How many of its letters are in each state.
    letters: BTreeMap<&'static str, u64>,
}

impl IssueView {
    pub(super) fn of(desk: &Desk, line: &IssueLine) -> Self {
        Self {
            issue: line.key.as_str().to_owned(),
            name: line.name.clone(),
            version: line.version,
            published: line.published,
            status: line.status,
            publish_at: line.embargo,
            url: desk.publication().url(&format!("issues/{}/", line.key)),
            letters: line.letters.iter().map(|(state, n)| (state.as_str(), *n)).collect(),
        }
    }
}

/// One issue with its versions.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct WholeIssue {
    issue: IssueView,
    /// The file that brought it, in the inbox.
    file: Option<String>,
    /// Every version that came out, newest first.
    versions: Vec<VersionView>,
}

/// One version of an issue.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct VersionView {
    version: u32,
    /// When it came out.
    updated: Timestamp,
    language: String,
    articles: Vec<ArticleView>,
}

/// One article.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ArticleView {
    /// Its name within the issue, which corrections keep.
    article: String,
    headline: String,
    authors: Vec<String>,
}

impl VersionView {
    fn of(release: &Release) -> Self {
        let articles = release.issue.articles.iter().map(|article| ArticleView {
            article: article.key.clone(),
            headline: article.headline.text.clone(),
            authors: article.authors().map(str::to_owned).collect(),
        });
        Self {
            version: release.version,
            updated: release.updated,
            language: release.issue.language.as_str().to_owned(),
            articles: articles.collect(),
        }
    }
}

/// What is to be of an issue.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewStatus {
    status: Status,
}

/// The file that is sent.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Given {
    /// Its name; its ending must be that of the file which brought the issue.
    file: String,
}

/// The key of an issue, if it is one.
fn key_of(name: &str) -> Result<IssueKey, Problem> {
    let key = IssueKey::of(name);
    if key.as_str() == name { Ok(key) } else { Err(Problem::nothing("issue", HELP)) }
}

async fn list(
    State(desk): State<Arc<Desk>>,
    Asked(Which { after, limit }): Asked<Which>,
) -> Result<Json<Issues>, Problem> {
    let after = after.map(|after| IssueKey::of(&after));
    let publication = desk.publication().clone();
    let lines = desk
        .ask(move |ledger| match &after {
            None => ledger.newest_issues(&publication, 0, limit.0 + 1).map(Some),
            Some(after) if ledger.issue_line(&publication, after)?.is_none() => Ok(None),
            Some(after) => ledger.issues_after(&publication, after, limit.0 + 1).map(Some),
        })
        .await?;
    let help = "begin again without `after`";
    let lines = lines.ok_or_else(|| Problem::unfit("`after` is no issue of the list", help))?;
    let next = lines.get(limit.0).and(lines.get(limit.0 - 1)).map(|last| last.key.as_str().to_owned());
    let issues = lines.iter().take(limit.0).map(|line| IssueView::of(&desk, line)).collect();
    Ok(Json(Issues { issues, next }))
}

async fn show(
    State(desk): State<Arc<Desk>>,
    Named(name): Named<String>,
) -> Result<Json<WholeIssue>, Problem> {
    let (key, publication) = (key_of(&name)?, desk.publication().clone());
    let (line, versions, source) = desk
        .ask(move |ledger| {
            let line = ledger.issue_line(&publication, &key)?;
            let versions = ledger.every_version(&publication, &key)?;
            Ok((line, versions, ledger.source_of(&publication, &key)?))
        })
        .await?;
    let line = line.ok_or_else(|| Problem::nothing("issue", HELP))?;
    Ok(Json(WholeIssue {
        issue: IssueView::of(&desk, &line),
        file: source.map(|source| today::file_of(&source).display().to_string()),
        versions: versions.iter().map(VersionView::of).collect(),
    }))
}

async fn set_status(
    State(desk): State<Arc<Desk>>,
    Named(name): Named<String>,
    Sent(NewStatus { status }): Sent<NewStatus>,
) -> Result<Json<IssueView>, Problem> {
    let (key, publication) = (key_of(&name)?, desk.publication().clone());
    deeds::set_status(&desk, &key, status).await?.ok_or_else(|| Problem::nothing("issue", HELP))?;
    let line = desk.ask(move |ledger| ledger.issue_line(&publication, &key)).await?;
    let line = line.ok_or_else(|| Problem::nothing("issue", "it was withdrawn before it ever came out"))?;
    Ok(Json(IssueView::of(&desk, &line)))
}

async fn correct(
    State(desk): State<Arc<Desk>>,
    Named(name): Named<String>,
    Asked(Given { file }): Asked<Given>,
    File(bytes): File,
) -> Result<Json<Laying>, Problem> {
    let (key, publication) = (key_of(&name)?, desk.publication().clone());
    let known = desk.ask({
        let key = key.clone();
        move |ledger| ledger.issue_line(&publication, &key)
    });
    known.await?.ok_or_else(|| Problem::nothing("issue", HELP))?;
    let refused = |detail: String, help: &str| Problem::of(axum::http::StatusCode::CONFLICT, detail, help);
    match deeds::correct(&desk, key, &file, bytes.into()).await? {
        Corrected::Laid(laid) => Ok(Json(Laying::of(file, laid))),
        Corrected::Nothing => Err(refused(
            "the file that brought this issue is not in the inbox any more".to_owned(),
            "drop the corrected file, with `issue:` and the issue's key in its front matter",
        )),
        Corrected::OtherForm(own) => Err(refused(
            format!("this issue came from `{own}`; the corrected file must end alike"),
            "send a file of the same form",
        )),
    }
}
