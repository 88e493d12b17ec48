//! Leaving and confirming: a page that asks, and the answer that acts. A GET changes nothing, because link scanners follow every
//! link.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};

use super::{ReadingRoom, filling};
use crate::{
    editions, editions::Decision, editions::Question, fault::Point, fault::reached, ledger,
    subscriber::Confirmation, subscriber::Standing, subscriber::Subscriber, subscriber::SubscriberId,
    subscriber::SuppressionReason,
};

/// Shows the question whether to leave, and its button; to somebody who was only asked, whether it was somebody else.
pub(super) async fn ask_to_leave(
    State(room): State<Arc<ReadingRoom>>,
    Path(token): Path<String>,
) -> Response {
    let id = room.leave_key.check(&token);
    decide(&room, Question::Leave, id, |room, id| Ok((question_of(room, id)?, Decision::Asked))).await
}

/// Takes the subscriber out: by the page's button, or by a mail program's one click (RFC 8058). Doing it twice is no error.
pub(super) async fn leave(State(room): State<Arc<ReadingRoom>>, Path(token): Path<String>) -> Response {
    let id = room.leave_key.check(&token);
    decide(&room, Question::Leave, id, |room, id| {
        let question = question_of(room, id)?;
        room.ledger.leave(id, room.clock.now())?;
        reached(Point::ReaderLeft);
        Ok((question, Decision::Done))
    })
    .await
}

/// What a reader means who leaves: one who never confirmed says that it was somebody else who asked.
fn question_of(room: &ReadingRoom, id: SubscriberId) -> Result<Question, ledger::Error> {
    let complained = |known: &Subscriber| {
        known.suppression.as_ref().is_some_and(|why| why.reason == SuppressionReason::Complained)
    };
    let never = room.ledger.subscriber_of(id)?.is_some_and(|known| {
        known.standing == Standing::Pending || (complained(&known) && known.consent.confirmed.is_none())
    });
    Ok(if never { Question::Never } else { Question::Leave })
}

/// Shows the question whether a subscription was meant, and its button.
pub(super) async fn ask_to_confirm(
    State(room): State<Arc<ReadingRoom>>,
    Path(token): Path<String>,
) -> Response {
    match room.leave_key.check_confirmation(&token, room.clock.now()) {
        Confirmation::Of(_) => page(&room, Question::Confirm, Decision::Asked, None),
        Confirmation::Expired => page(&room, Question::Confirm, Decision::Expired, None),
        Confirmation::Forged => page(&room, Question::Confirm, Decision::Unknown, None),
    }
}

/// Confirms a subscription. Doing it twice is no error; an old letter does not bring back who has left since.
pub(super) async fn confirm(State(room): State<Arc<ReadingRoom>>, Path(token): Path<String>) -> Response {
    let id = match room.leave_key.check_confirmation(&token, room.clock.now()) {
        Confirmation::Of(id) => Some(id),
        Confirmation::Expired => return page(&room, Question::Confirm, Decision::Expired, None),
        Confirmation::Forged => None,
    };
    decide(&room, Question::Confirm, id, |room, id| {
        room.ledger.confirm(id, room.clock.now())?;
        let known = room.ledger.subscriber_of(id)?;
        let confirmed = known.is_some_and(|subscriber| subscriber.standing == Standing::Confirmed);
        Ok((Question::Confirm, if confirmed { Decision::Done } else { Decision::Unknown }))
    })
    .await
}

/// Does what a reader decided, where waiting for a disk holds nobody up, and says how it went.
async fn decide(
    room: &Arc<ReadingRoom>,
    question: Question,
    subscriber: Option<SubscriberId>,
    act: impl FnOnce(&ReadingRoom, SubscriberId) -> Result<(Question, Decision), ledger::Error> + Send + 'static,
) -> Response {
    let Some(id) = subscriber else { return page(room, question, Decision::Unknown, None) };
    let acting = Arc::clone(room);
    let (question, decision) = match tokio::task::spawn_blocking(move || act(&acting, id)).await {
        Ok(Ok(decided)) => decided,
        Ok(Err(error)) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a reader's wish could not be recorded"
            );
            (question, Decision::Later)
        }
        Err(_) => (question, Decision::Later),
    };
    page(room, question, decision, Some(id))
}

fn page(
    room: &ReadingRoom,
    question: Question,
    decision: Decision,
    reader: Option<SubscriberId>,
) -> Response {
    let status = match decision {
        Decision::Asked | Decision::Done => StatusCode::OK,
        Decision::Expired => StatusCode::GONE,
        Decision::Unknown => StatusCode::NOT_FOUND,
        Decision::Later => StatusCode::SERVICE_UNAVAILABLE,
    };
    let preferences = reader.map(|id| room.leave_key.preferences(id));
    match editions::question_page(question, decision, preferences.as_deref(), &room.publication) {
        Ok(html) => filling::page(status, html),
        Err(error) => filling::unprintable(status, &error),
    }
}
