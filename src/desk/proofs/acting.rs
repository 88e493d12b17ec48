//! What an editor does to a proof: saves it, confirms a query, mends articles, approves. Each begins with the text as it stands on the
//! page, so that nothing which was typed is lost.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect},
};
use serde_json::json;

use super::{page, reading, reading::Opened};
use crate::{
    desk::Answer, desk::Desk, desk::Failure, desk::differing, desk::form::Fields, desk::form::Signed,
    desk::words::Words, inbox, issue, issue::IssueKey, ledger::Queued, press, press::Verdict, proof,
    proof::Doubt, proof::Mend, proof::Source,
};

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Save,
    Confirm(usize),
    ConfirmLight,
    Mend(Mend),
    Preview,
    Approve,
    ApproveAnyway,
}

impl Action {
    /// What a button says: `confirm:3`, `split:0:2`, and so on.
    fn of(fields: &Fields) -> Option<Self> {
        let mut parts = fields.text("action").split(':');
        let name = parts.next()?;
        let mut number = || parts.next().and_then(|part| part.parse::<usize>().ok());
        Some(match name {
            "save" => Self::Save,
            "confirm" => Self::Confirm(number()?),
            "confirm-light" => Self::ConfirmLight,
            "split" => Self::Mend(Mend::Split(number()?, number()?)),
            "merge" => Self::Mend(Mend::Merge(number()?)),
            "demote" => Self::Mend(Mend::Demote(number()?)),
            "swap" => {
                let from = number()?;
                Self::Mend(Mend::Swap(from, fields.text(&format!("to-{from}")).parse().ok()?))
            }
            "preview" => Self::Preview,
            "approve" => Self::Approve,
            "approve-anyway" => Self::ApproveAnyway,
            _ => return None,
        })
    }
}

/// How an action ended.
enum Outcome {
    /// The editor goes on there.
    GoOn(String),
    /// It could not be done, for that reason; the text is as it was sent.
    Not(Box<Opened>, String, String),
    /// Somebody else saved meanwhile: what is saved, and what was sent.
    Conflict(Box<Opened>, String),
}

pub(super) async fn act(State(desk): State<Arc<Desk>>, Path(id): Path<String>, form: Signed) -> Answer {
    let Signed { editor, fields } = form;
    let action = Action::of(&fields).ok_or_else(Failure::garbled)?;
    let words = editor.words;
    let done = desk.work(move |desk| carry_out(desk, words, &id, action, &fields)).await?;
    match done {
        Outcome::GoOn(path) => Ok(Redirect::to(&path).into_response()),
        Outcome::Not(opened, text, problem) => {
            let page = page(&desk, &editor, &opened, Some(&text), None, Some(&problem))?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Outcome::Conflict(opened, mine) => {
            let it = json!({
                "id": super::id_of(&opened.manuscript),
                "file": opened.manuscript.display().to_string(),
                "version": opened.version,
                "theirs": opened.text,
                "mine": mine,
                "differs": differing::differences(&opened.text, &mine),
            });
            let page = desk.page(&editor, "conflict.html", "/proofs", &it)?;
            Ok((StatusCode::CONFLICT, page).into_response())
        }
    }
}

fn carry_out(
    desk: &Desk,
    words: &'static Words,
    id: &str,
    action: Action,
    fields: &Fields,
) -> Result<Outcome, Failure> {
    // One editor at a time: what is compared here is what is written over.
    let _turn = desk.drawer.saving.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let opened = reading::open(desk, id)?;
    let sent = fields.text("text").replace("\r\n", "\n");
    if fields.text("version") != opened.version {
        return Ok(Outcome::Conflict(Box::new(opened), sent));
    }
    let not = |opened: Opened, text: String, phrase: &str| {
        Ok(Outcome::Not(Box::new(opened), text, words.say(phrase, &[])))
    };
    let mut text = sent.clone();
    if let Some(at) = fields.find("publish_at") {
        let told = at.trim().replace('T', " ");
        let is_said = proof::read(&text).ok().and_then(|saved| saved.proof.issue.publish_at).is_some();
        if told.is_empty() && is_said {
            text = proof::with_field(&text, "publish_at", None);
        } else if !told.is_empty() {
            if issue::moment(&told).is_none() {
                return not(opened, sent, "proof.no_time");
            }
            text = proof::with_field(&text, "publish_at", Some(&told));
        }
    }
    let here = format!("/proofs/{id}");
    match action {
        Action::Save => {
            save(desk, words, &opened, &text)?;
            Ok(Outcome::GoOn(format!("{here}?done=saved")))
        }
        Action::Preview => {
            save(desk, words, &opened, &text)?;
            Ok(Outcome::GoOn(format!("{here}/preview")))
        }
        Action::Confirm(_) | Action::ConfirmLight => {
            let settled = match action {
                Action::Confirm(number) => proof::without_mark(&text, number),
                _ => proof::without_light_marks(&text),
            };
            let Some(text) = settled else {
                return not(opened, sent, "proof.no_mark");
            };
            save(desk, words, &opened, &text)?;
            Ok(Outcome::GoOn(format!("{here}?done=confirmed#queries")))
        }
        Action::Mend(mend) => {
            let Ok(mut saved) = proof::read(&text) else { return not(opened, sent, "proof.unreadable") };
            if !mend.apply(&mut saved.proof) {
                return not(opened, sent, "proof.no_mend");
            }
            let name = opened.manuscript.file_name().unwrap_or_default().to_string_lossy();
            let source = opened.source.clone().unwrap_or_default();
            let of = Source { name: &name, hash: &saved.manuscript, text: &source };
            let text = proof::write_changed(&saved.proof, &of);
            save(desk, words, &opened, &text)?;
            Ok(Outcome::GoOn(format!("{here}?done=mended#articles")))
        }
        Action::Approve | Action::ApproveAnyway => {
            approve(desk, words, &opened, &text, action == Action::ApproveAnyway)
        }
    }
}

/// Saves a proof. One without any mark would go out as it is: it gets one that says it waits for approval.
pub(in crate::desk) fn save(desk: &Desk, words: &Words, opened: &Opened, text: &str) -> Result<(), Failure> {
    let waits = proof::marks(text).is_empty();
    let waiting = waits.then(|| proof::with_unseen(text, &words.say("proof.waits", &[])));
    lay(desk, opened, waiting.as_deref().unwrap_or(text))
}

fn lay(desk: &Desk, opened: &Opened, text: &str) -> Result<(), Failure> {
    let laid = inbox::lay(&desk.press.inbox, &opened.proof, Some(text));
    laid.map_err(|error| Failure::fault(&error))
}

/// What became of a proof that was to be published.
pub(in crate::desk) enum Approval {
    /// Readers have it, as this issue.
    Published(IssueKey),
    /// They had it before, with these very words.
    Unchanged(IssueKey),
    /// It comes out as this issue at its time.
    Embargoed(IssueKey),
    /// It is not out: the issue was withdrawn, or is held back.
    TakenDown(IssueKey),
    /// So many queries are open; it was saved.
    Open(u64),
    /// It cannot be published, for that reason; it was saved.
    Refused(String),
}

/// Publishes a proof: in spite of its queries, or if there are none. What its editor was told of its waiting is taken away.
pub(in crate::desk) fn publish(
    desk: &Desk,
    words: &Words,
    opened: &Opened,
    text: &str,
    anyway: bool,
) -> Result<Approval, Failure> {
    let approval = put_out(desk, words, opened, text, anyway)?;
    if let Approval::Published(_) | Approval::Unchanged(_) = approval
        && let Err(error) = inbox::tell(&desk.press.inbox, &opened.manuscript, None)
    {
        tracing::warn!(%error, "the note beside a manuscript cannot be removed");
    }
    Ok(approval)
}

fn put_out(
    desk: &Desk,
    words: &Words,
    opened: &Opened,
    text: &str,
    anyway: bool,
) -> Result<Approval, Failure> {
    let approved = proof::without_doubt(text, Doubt::Unseen).unwrap_or_else(|| text.to_owned());
    let n_open = proof::marks(&approved).len() as u64;
    if n_open > 0 && !anyway {
        save(desk, words, opened, text)?;
        return Ok(Approval::Open(n_open));
    }
    let hash = blake3::hash(approved.as_bytes()).to_hex();
    let before =
        desk.press.ledger.brought(desk.publication(), &hash).map_err(|error| Failure::fault(&error))?;
    lay(desk, opened, &approved)?;
    let file = inbox::open(&desk.press.inbox, &desk.press.inbox.join(&opened.proof));
    let file = file.map_err(|error| Failure::fault(&error))?;
    let now = desk.clock.now();
    let published = if anyway { desk.press.accept(&file, now) } else { desk.press.publish(&file, now) };
    let verdict = published.map_err(|error: press::Error| Failure::fault(&error))?;
    desk.bells.news.ring();
    let reason = match verdict {
        Verdict::Published(receipt) => {
            desk.tell_changes();
            if receipt.queued != Queued::Before {
                desk.bells.mail.notify_one();
            }
            tracing::info!(issue = receipt.release.issue.key.as_str(), "an editor approved a proof");
            return Ok(Approval::Published(receipt.release.issue.key));
        }
        // The daemon may have seen the file first.
        Verdict::Unchanged(key) | Verdict::Duplicate(key) if before.is_none() => {
            return Ok(Approval::Published(key));
        }
        Verdict::Unchanged(key) | Verdict::Duplicate(key) => return Ok(Approval::Unchanged(key)),
        Verdict::Embargoed(key, _) => return Ok(Approval::Embargoed(key)),
        Verdict::TakenDown(key, _) => return Ok(Approval::TakenDown(key)),
        Verdict::Withheld(held) => held.why,
        Verdict::Rejected(reason) => reason,
    };
    // What does not go out waits on, and must not go out by itself later.
    save(desk, words, opened, &approved)?;
    Ok(Approval::Refused(reason))
}

/// The same for a page.
fn approve(
    desk: &Desk,
    words: &'static Words,
    opened: &Opened,
    text: &str,
    anyway: bool,
) -> Result<Outcome, Failure> {
    let problem = match publish(desk, words, opened, text, anyway)? {
        Approval::Published(key) => return Ok(Outcome::GoOn(format!("/issues/{key}?done=published"))),
        Approval::Unchanged(key) => return Ok(Outcome::GoOn(format!("/issues/{key}?done=unchanged"))),
        Approval::Embargoed(key) => return Ok(Outcome::GoOn(format!("/issues/{key}?done=embargoed"))),
        Approval::TakenDown(key) => return Ok(Outcome::GoOn(format!("/issues/{key}"))),
        Approval::Open(n) => words.count("proof.still_open", n),
        Approval::Refused(reason) => words.say("proof.refused", &[("reason", &words.retell(&reason))]),
    };
    let again = reading::open(desk, &super::id_of(&opened.manuscript))?;
    let text = again.text.clone();
    Ok(Outcome::Not(Box::new(again), text, problem))
}
