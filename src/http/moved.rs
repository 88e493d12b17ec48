//! Links for leaving in letters of the program that wrote to readers before: they lead to where one leaves here.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};

use super::{ReadingRoom, deciding};
use crate::subscriber::SubscriberId;

/// The shortest word of an address that may be a reader's: those that programs make are longer.
const SHORTEST: usize = 8;

/// What is answered to an address that nothing else has, if it is an old link of somebody's: a GET is led to the page with the button, a
/// POST (RFC 8058) is the button.
pub(super) async fn leave(room: &Arc<ReadingRoom>, method: &Method, uri: &Uri) -> Option<Response> {
    let acts = method == Method::POST;
    if !(acts || method == Method::GET || method == Method::HEAD) {
        return None;
    }
    let (asking, uri) = (Arc::clone(room), uri.clone());
    let id = tokio::task::spawn_blocking(move || owner(&asking, &uri)).await.ok()??;
    let token = room.leave_key.token(id);
    if acts {
        return Some(deciding::leave(State(Arc::clone(room)), Path(token)).await);
    }
    let place = HeaderValue::from_str(&format!("/leave/{token}")).ok()?;
    let private = HeaderValue::from_static("no-store");
    Some(
        (StatusCode::SEE_OTHER, [(header::LOCATION, place), (header::CACHE_CONTROL, private)])
            .into_response(),
    )
}

/// Whose link this is: as a whole, or by one word in it.
fn owner(room: &ReadingRoom, uri: &Uri) -> Option<SubscriberId> {
    let whole = uri.path_and_query()?.as_str();
    let last = uri.path().rsplit('/').find(|word| !word.is_empty());
    let values = uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let words = last.into_iter().chain(values.map(|(_, value)| value)).filter(|word| word.len() >= SHORTEST);
    // What cannot be looked up is not there, as far as a reader can see; the log has it from those who need the ledger.
    std::iter::once(whole)
        .chain(words.take(4))
        .find_map(|link| room.ledger.owner_of_link(link).ok().flatten())
}
