//! Whether we are well, for whoever runs us: `/healthz` that we live, `/readyz` that we can do our work.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::SignedDuration;
use tokio::sync::Mutex;

use super::ReadingRoom;
use crate::subscriber::Standing;

/// For how long an answer about our work is good: everybody may ask, and to find out writes to the disk.
const GOOD_FOR: Duration = Duration::from_secs(5);

/// The inbox is looked at every few seconds; an issue of a thousand pages keeps the press for some more.
const LOOKED_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// A limit of letters a minute makes some of them wait for hours; where one has been due for so long, none go out.
const OFFERED_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// What was last found out about our work.
#[derive(Debug, Default)]
pub struct Readiness(Mutex<Option<(Instant, Vec<&'static str>)>>);

/// Whether the ledger answers and the outbox is there.
pub(super) async fn alive(State(room): State<Arc<ReadingRoom>>) -> Response {
    let asked = tokio::task::spawn_blocking(move || {
        let confirmed = room.ledger.count(Standing::Confirmed);
        (confirmed.is_ok(), room.outbox.is_there())
    });
    let troubles = match asked.await {
        Ok((true, true)) => vec![],
        Ok((false, _)) => vec!["the ledger does not answer"],
        Ok((_, false)) => vec!["the outbox is not there"],
        Err(_) => vec!["the question could not be asked"],
    };
    told(&troubles, "ok")
}

/// Whether ledger and outbox can be written, the inbox is looked at and letters go out.
pub(super) async fn ready(State(room): State<Arc<ReadingRoom>>) -> Response {
    // Whoever asks meanwhile waits for the same answer.
    let mut last = room.readiness.0.lock().await;
    let troubles = match &*last {
        Some((at, troubles)) if at.elapsed() < GOOD_FOR => troubles.clone(),
        _ => {
            let asking = Arc::clone(&room);
            let asked = tokio::task::spawn_blocking(move || troubles(&asking)).await;
            let troubles = asked.unwrap_or_else(|_| vec!["the question could not be asked"]);
            for trouble in &troubles {
                tracing::warn!("not ready: {trouble}");
            }
            *last = Some((Instant::now(), troubles.clone()));
            troubles
        }
    };
    drop(last);
    told(&troubles, "ready")
}

/// What keeps us from our work, each as a sentence's end; nothing where all is well. It writes and removes a little to see that this
/// can be done.
pub fn troubles(room: &ReadingRoom) -> Vec<&'static str> {
    let now = room.clock.now();
    let mut troubles = Vec::new();
    if let Err(error) = room.ledger.touch() {
        tracing::error!(error = &error as &dyn std::error::Error, "the ledger cannot be written");
        troubles.push("the ledger cannot be written");
    }
    if let Err(error) = room.outbox.try_writing() {
        tracing::error!(error = &error as &dyn std::error::Error, "the outbox cannot be written");
        troubles.push("the outbox cannot be written");
    }
    if room.metrics.inbox.pulse.is_here() {
        let looked = jiff::Timestamp::from_second(room.metrics.inbox.last_look()).unwrap_or_default();
        if looked == jiff::Timestamp::UNIX_EPOCH {
            troubles.push("the inbox has not been looked at yet");
        } else if now.duration_since(looked) > LOOKED_WITHIN {
            troubles.push("the inbox has not been looked at for minutes");
        }
    }
    match room.ledger.tally(&room.publication, now) {
        // That is said by the one who brought the newsroom back, and is no fault.
        Ok(tally)
            if !tally.held
                && tally.waits_since.is_some_and(|due| now.duration_since(due) > OFFERED_WITHIN) =>
        {
            troubles.push("letters have been due for more than a day");
        }
        Ok(_) => {}
        Err(_) => troubles.push("the ledger cannot be read"),
    }
    troubles
}

fn told(troubles: &[&str], well: &str) -> Response {
    let (status, text) = match troubles {
        [] => (StatusCode::OK, format!("{well}\n")),
        troubles => (StatusCode::SERVICE_UNAVAILABLE, troubles.join("\n") + "\n"),
    };
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, text).into_response()
}
