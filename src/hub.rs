//! Tells a `WebSub` hub that the feeds have changed, so that readers' programs learn of it at once (W3C `WebSub` §7, publishing).
//!
//! Nobody waits for it: a hub that does not answer is told again a few times, and then not before the next change.

use std::{sync::Arc, time::Duration};

use hyper::{
    HeaderMap, StatusCode,
    header::{self, HeaderValue},
};
use tokio::{sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    courier::{self, Cause, PATIENCE},
    publication::Publication,
};

/// After how long it is told again that it did not take; then we give up until the next change.
const AGAIN: [Duration; 4] =
    [Duration::from_secs(10), Duration::from_mins(1), Duration::from_mins(5), Duration::from_mins(30)];

/// The feeds that hubs are told of, by their paths in the outbox.
pub const TOPICS: [&str; 3] = ["feed.xml", "feed/atom.xml", "feed/feed.json"];

/// A hub did not take what it was told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its address is not one.
    #[error("`{0}` is not the address of a hub")]
    Address(String),
    /// It was not reached, or did not answer as servers do.
    #[error("the hub {host} could not be told")]
    Silent {
        /// The hub.
        host: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It answered, and not with success.
    #[error("the hub {host} answered `{status}`")]
    Refused {
        /// The hub.
        host: String,
        /// With what.
        status: StatusCode,
    },
}

impl Error {
    /// What happened, with its causes.
    #[must_use]
    pub fn in_full(&self) -> String {
        let causes = std::iter::successors(Some(self as &dyn std::error::Error), |error| error.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }
}

/// Tells the hub of every ring of the bell, until `stop`. A publication without a hub has nothing to tell.
pub async fn run(publication: Publication, bell: Arc<Notify>, stop: CancellationToken) {
    let Some(hub) = publication.hub.clone() else { return };
    loop {
        tokio::select! {
            () = bell.notified() => {}
            () = stop.cancelled() => return,
        }
        for pause in AGAIN {
            match tell(&hub, &publication).await {
                Ok(()) => break,
                Err(error) => {
                    tracing::warn!("{}; readers' programs come by themselves meanwhile", error.in_full());
                }
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                // A new change is told at once.
                () = bell.notified() => {}
                () = stop.cancelled() => return,
            }
        }
    }
}

/// Tells the hub once that the feeds of a publication have changed.
///
/// # Errors
/// When it cannot be reached within 15 seconds, or does not take it.
pub async fn tell(hub: &str, publication: &Publication) -> Result<(), Error> {
    let url = Url::parse(hub).map_err(|_| Error::Address(hub.to_owned()))?;
    for topic in TOPICS {
        let topic = publication.url(topic);
        // Older hubs want `hub.url`, newer ones `hub.topic`: each takes the one it knows.
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("hub.mode", "publish")
            .append_pair("hub.topic", &topic)
            .append_pair("hub.url", &topic)
            .finish();
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]);
        let silent = |source| Error::Silent { host: courier::host_of(&url), source };
        let status = courier::post(&url, headers, form).await.map_err(silent)?;
        if !status.is_success() {
            return Err(Error::Refused { host: courier::host_of(&url), status });
        }
    }
    Ok(())
}

/// Tells the hub once, for a command that has no daemon to do it; waits for its answers, 15 seconds in all. A publication without a
/// hub has nothing to tell.
///
/// # Errors
/// As [`tell`].
pub fn tell_and_wait(publication: &Publication) -> Result<(), Error> {
    let Some(hub) = publication.hub.as_deref() else { return Ok(()) };
    let silent = |source: Cause| Error::Silent { host: hub.to_owned(), source };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| silent(error.into()))?;
    let told = runtime.block_on(async { timeout(PATIENCE, tell(hub, publication)).await });
    // Looking up a host's name cannot be broken off; nobody waits for that.
    runtime.shutdown_background();
    told.unwrap_or_else(|late| Err(silent(late.into())))
}
