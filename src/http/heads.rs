//! What the head of an answer says of a file of the outbox: its type, how long it may be kept, where it is followed.

use axum::http::HeaderValue;

pub(super) use crate::outbox::{keeping, media_type};
use crate::{hub, publication::Publication};

/// Where a feed is followed, and who tells of it: hubs look for both in the head of the answer (`WebSub` §4).
pub(super) fn links(name: &str, publication: &Publication) -> Option<HeaderValue> {
    let hub = publication.hub.as_ref().filter(|_| hub::TOPICS.contains(&name))?;
    let own = publication.url(name);
    HeaderValue::from_str(&format!("<{own}>; rel=\"self\", <{hub}>; rel=\"hub\"")).ok()
}
