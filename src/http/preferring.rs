//! Changing what one gets: a reader's own page, to which each letter leads, and what it leads to: a feed and a catalogue of his or her own.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::{ReadingRoom, filling, filling::Trouble, subscribing};
use crate::{
    editions, editions::Decision, editions::Filled, editions::Own, editions::Problem, editions::Question,
    editions::ShownForm, editions::Told, ledger, subscriber::Preferences, subscriber::Standing,
    subscriber::Subscriber, subscriber::SubscriberId, subscriber::SuppressionReason, subscriber::Wish,
};

/// The type of a catalogue, by which e-readers know it.
const CATALOGUE: &str = "application/atom+xml;profile=opds-catalog;kind=acquisition";

/// Shows what a reader gets, and what else there is.
pub(super) async fn show(State(room): State<Arc<ReadingRoom>>, Path(token): Path<String>) -> Response {
    let id = room.leave_key.check_preferences(&token);
    let page = tokio::task::spawn_blocking(move || {
        let Some(subscriber) = known(&room, id)? else { return unknown(&room) };
        if subscriber.standing != Standing::Confirmed {
            return ended(&room);
        }
        let filled = filled(&subscriber);
        print(&room, &subscriber, &filled, &[], false).map(|page| (StatusCode::OK, page))
    });
    respond(page.await)
}

/// Notes what a reader wishes from now on. Doing it twice is no error.
pub(super) async fn change(
    State(room): State<Arc<ReadingRoom>>,
    Path(token): Path<String>,
    sent: Body,
) -> Response {
    let sent = match subscribing::receive(sent).await {
        Ok(sent) => sent,
        Err(refusal) => return refusal,
    };
    let id = room.leave_key.check_preferences(&token);
    let page = tokio::task::spawn_blocking(move || {
        let Some(subscriber) = known(&room, id)? else { return unknown(&room) };
        if subscriber.standing != Standing::Confirmed {
            return ended(&room);
        }
        let (sent, _) = filling::read(&sent);
        let address = subscriber.address.to_string();
        let mut filled = Filled { address, ..sent };
        // What the page does not ask stays as it is.
        let choices = filling::choices(&*room.ledger, &room.publication)?;
        let wish = &subscriber.preferences.wish;
        if choices.sections.len() < 2 && wish.sections.is_all() {
            filled.sections = wish.sections.clone();
        }
        if choices.languages.len() < 2 && wish.language.is_none() {
            filled.language = None;
        }
        match wished(&subscriber, &filled) {
            Ok(preferences) => {
                room.ledger.prefer(subscriber.id, &preferences)?;
                print(&room, &subscriber, &filled, &[], true).map(|page| (StatusCode::OK, page))
            }
            Err(problem) => print(&room, &subscriber, &filled, &[problem], false)
                .map(|page| (StatusCode::UNPROCESSABLE_ENTITY, page)),
        }
    });
    respond(page.await)
}

/// What a form says that somebody wishes. The address of an e-reader that the operator entered is good as it is.
fn wished(subscriber: &Subscriber, filled: &Filled) -> Result<Preferences, Problem> {
    let known = &subscriber.preferences;
    let device = known.device.as_ref().map(ToString::to_string).unwrap_or_default();
    if known.wish.form != filled.form || device != filled.device {
        return filling::preferences(filled);
    }
    let wish =
        Wish { form: filled.form, sections: filled.sections.clone(), language: filled.language.clone() };
    Ok(Preferences { pace: filled.pace, wish, device: known.device.clone() })
}

fn filled(subscriber: &Subscriber) -> Filled {
    let preferences = subscriber.preferences.clone();
    Filled {
        address: subscriber.address.to_string(),
        pace: preferences.pace,
        form: preferences.wish.form,
        device: preferences.device.map(|device| device.to_string()).unwrap_or_default(),
        sections: preferences.wish.sections,
        language: preferences.wish.language,
    }
}

type Printed = Result<(StatusCode, Vec<u8>), Trouble>;

fn known(room: &ReadingRoom, id: Option<SubscriberId>) -> Result<Option<Subscriber>, ledger::Error> {
    match id {
        Some(id) => room.ledger.subscriber_of(id),
        None => Ok(None),
    }
}

fn unknown(room: &ReadingRoom) -> Printed {
    let page = editions::question_page(Question::Leave, Decision::Unknown, None, &room.publication)?;
    Ok((StatusCode::NOT_FOUND, page))
}

fn ended(room: &ReadingRoom) -> Printed {
    Ok((StatusCode::GONE, editions::told_page(Told::Ended, &room.publication)?))
}

fn print(
    room: &ReadingRoom,
    subscriber: &Subscriber,
    filled: &Filled,
    problems: &[Problem],
    saved: bool,
) -> Result<Vec<u8>, Trouble> {
    let choices = filling::choices(&*room.ledger, &room.publication)?;
    let form = ShownForm { choices: &choices, filled, problems, from: room.subscribing.from() };
    let (leave, private) = (room.leave_key.token(subscriber.id), room.leave_key.private(subscriber.id));
    let own = Own { saved, leave: &leave, private: &private };
    Ok(editions::preferences_page(&form, &own, &room.publication)?)
}

fn respond(printed: Result<Printed, tokio::task::JoinError>) -> Response {
    match printed {
        Ok(Ok((status, page))) => filling::page(status, page),
        Ok(Err(error)) => filling::unprintable(StatusCode::SERVICE_UNAVAILABLE, &error),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// A reader's own feed: what he or she chose of the newest issues.
pub(super) async fn feed(
    State(room): State<Arc<ReadingRoom>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    // Browsers show its style sheet under this type alone.
    private(room, token, "feed.xml", "application/xml; charset=utf-8", headers).await
}

/// A reader's own catalogue.
pub(super) async fn catalogue(
    State(room): State<Arc<ReadingRoom>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    private(room, token, "opds.xml", CATALOGUE, headers).await
}

async fn private(
    room: Arc<ReadingRoom>,
    token: String,
    name: &'static str,
    kind: &'static str,
    headers: HeaderMap,
) -> Response {
    let id = room.leave_key.check_private(&token);
    let printed = tokio::task::spawn_blocking(move || -> Result<Result<Vec<u8>, StatusCode>, Trouble> {
        let Some(id) = id else { return Ok(Err(StatusCode::NOT_FOUND)) };
        // Whoever was erased had such a feed once.
        let Some(subscriber) = room.ledger.subscriber_of(id)? else { return Ok(Err(StatusCode::GONE)) };
        if has_ended(&subscriber) {
            return Ok(Err(StatusCode::GONE));
        }
        let issues = room.ledger.recent(&room.publication, editions::RECENT)?;
        let url = format!("{}private/{token}/{name}", room.publication.forms.url);
        let wish = subscriber.preferences.wish;
        let print = if name == "feed.xml" { editions::private_feed } else { editions::private_catalogue };
        Ok(Ok(print(&issues, &wish, &url, &room.publication)?))
    });
    match printed.await {
        Ok(Ok(Ok(bytes))) => document(&bytes, kind, &headers),
        Ok(Ok(Err(status))) => (status, [(header::CACHE_CONTROL, "no-store")]).into_response(),
        Ok(Err(error)) => filling::unprintable(StatusCode::SERVICE_UNAVAILABLE, &error),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Whether a reader has no feed any more. A mailbox that is dead says nothing of a feed.
fn has_ended(subscriber: &Subscriber) -> bool {
    match subscriber.standing {
        Standing::Confirmed => false,
        Standing::Suppressed => subscriber
            .suppression
            .as_ref()
            .is_none_or(|suppression| suppression.reason != SuppressionReason::Bounced),
        Standing::Pending | Standing::Left => true,
    }
}

/// A document that caches of others do not keep, with a tag of its content.
fn document(bytes: &[u8], kind: &'static str, asked: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", &blake3::hash(bytes).to_hex()[..32]);
    let known = asked
        .get(header::IF_NONE_MATCH)
        .and_then(|tags| tags.to_str().ok())
        .is_some_and(|tags| tags.split(',').any(|known| known.trim().trim_start_matches("W/") == tag));
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "private, max-age=300"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, super::reading::POLICY),
    ];
    let mut response = if known {
        (StatusCode::NOT_MODIFIED, headers).into_response()
    } else {
        (headers, bytes.to_vec()).into_response()
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}
