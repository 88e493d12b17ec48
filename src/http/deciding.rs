//! Leaving and confirming: a page that asks, and the answer that acts. A GET changes nothing, because link scanners follow every
//! link.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::ReadingRoom;
use crate::{
    editions, editions::Decision, editions::Question, ledger, subscriber::Standing, subscriber::SubscriberId,
};

/// Shows the question whether to leave, and its button.
pub(super) async fn ask_to_leave(
    State(room): State<Arc<ReadingRoom>>,
    Path(token): Path<String>,
) -> Response {
    let known = room.leave_key.check(&token).is_some();
    page(&room, Question::Leave, if known { Decision::Asked } else { Decision::Unknown })
}

/// Takes the subscriber out: by the page's button, or by a mail program's one click (RFC 8058). Doing it twice is no error.
pub(super) async fn leave(State(room): State<Arc<ReadingRoom>>, Path(token): Path<String>) -> Response {
    let subscriber = room.leave_key.check(&token);
    decide(&room, Question::Leave, subscriber, |room, id| {
        room.ledger.leave(id, room.clock.now()).map(|_| true)
    })
    .await
}

/// Shows the question whether a subscription was meant, and its button.
pub(super) async fn ask_to_confirm(
    State(room): State<Arc<ReadingRoom>>,
    Path(token): Path<String>,
) -> Response {
    let known = room.leave_key.check_confirmation(&token).is_some();
    page(&room, Question::Confirm, if known { Decision::Asked } else { Decision::Unknown })
}

/// Confirms a subscription. Doing it twice is no error; an old letter does not bring back who has left since.
pub(super) async fn confirm(State(room): State<Arc<ReadingRoom>>, Path(token): Path<String>) -> Response {
    let subscriber = room.leave_key.check_confirmation(&token);
    decide(&room, Question::Confirm, subscriber, |room, id| {
        room.ledger.confirm(id, room.clock.now())?;
        let known = room.ledger.subscriber_of(id)?;
        Ok(known.is_some_and(|subscriber| subscriber.standing == Standing::Confirmed))
    })
    .await
}

/// Does what a reader decided, where waiting for a disk holds nobody up, and says how it went. An `act` that gives `false` found
/// nobody to do it for.
async fn decide(
    room: &Arc<ReadingRoom>,
    question: Question,
    subscriber: Option<SubscriberId>,
    act: impl FnOnce(&ReadingRoom, SubscriberId) -> Result<bool, ledger::Error> + Send + 'static,
) -> Response {
    let Some(id) = subscriber else { return page(room, question, Decision::Unknown) };
    let acting = Arc::clone(room);
    let decision = match tokio::task::spawn_blocking(move || act(&acting, id)).await {
        Ok(Ok(true)) => Decision::Done,
        Ok(Ok(false)) => Decision::Unknown,
        Ok(Err(error)) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a reader's wish could not be recorded"
            );
            Decision::Later
        }
        Err(_) => Decision::Later,
    };
    page(room, question, decision)
}

fn page(room: &ReadingRoom, question: Question, decision: Decision) -> Response {
    let status = match decision {
        Decision::Asked | Decision::Done => StatusCode::OK,
        Decision::Unknown => StatusCode::NOT_FOUND,
        Decision::Later => StatusCode::SERVICE_UNAVAILABLE,
    };
    match editions::question_page(question, decision, &room.publication) {
        Ok(html) => {
            let headers = [
                (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                (header::CACHE_CONTROL, "no-store"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (header::REFERRER_POLICY, "no-referrer"),
                (header::CONTENT_SECURITY_POLICY, super::reading::POLICY),
            ];
            (status, headers, html).into_response()
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a reader's page cannot be written");
            // What is done is done, whatever is wrong with the page that says so.
            (status, [(header::CACHE_CONTROL, "no-store")], "").into_response()
        }
    }
}
