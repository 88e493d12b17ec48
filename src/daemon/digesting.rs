//! Makes the digests of each pace when they are due; asks about those that were left for long.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{Bells, Error, blocking, causes};
use crate::{clock::Clock, delivery::DigestStatus, press::Digested, press::Press, subscriber::Pace};

/// How long at most until it is looked again whether a digest is due, in case the clock was set.
const DIGESTS_AGAIN: Duration = Duration::from_mins(1);

/// Keeps digests back that were made long ago and whose letters nobody has got: they may be a surprise by now.
pub(super) fn ask_about_old(press: &Press, now: Timestamp) -> Result<(), Error> {
    let before = now.saturating_sub(press.ask_after).unwrap_or(Timestamp::MIN);
    for digest in press.ledger.ask_about_old(before, now)? {
        let id = digest.id.0;
        tracing::warn!(
            digest = id,
            period = digest.period,
            "letters of a digest were queued long ago and wait; `gazetted digests resume {id}` sends them"
        );
    }
    Ok(())
}

/// Makes the digests of each pace when they are due, until `stop`.
pub(super) async fn make_digests(press: Arc<Press>, clock: Clock, bells: Bells, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let now = clock.now();
        let made = {
            let press = Arc::clone(&press);
            let make = move || press.make_digests(now).map_err(|error| (press.is_overtaken(&error), error));
            blocking(make).await
        };
        match made {
            Ok(made) => {
                made.iter().for_each(tell_of_digest);
                if !made.is_empty() {
                    bells.mail.notify_one();
                    bells.news.ring();
                }
            }
            Err((true, _)) => {}
            Err((false, error)) => {
                tracing::error!("a digest could not be made: {}; it is tried again", causes(&error));
            }
        }
        let next = [Pace::Daily, Pace::Weekly, Pace::Monthly]
            .into_iter()
            .filter_map(|pace| press.calendar.next(pace, now))
            .min();
        let due = async {
            match next {
                Some(next) => clock.sleep_until(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = tokio::time::sleep(DIGESTS_AGAIN) => {}
            () = stop.cancelled() => {}
        }
    }
}

fn tell_of_digest(digest: &Digested) {
    let (pace, period, letters) = (digest.pace.as_str(), &digest.period, digest.letters);
    if digest.status == DigestStatus::Asking {
        tracing::warn!(pace, period, letters, "a digest is late and waits; `gazetted digests list` shows it");
    } else {
        tracing::info!(pace, period, letters, "a digest was made");
    }
}
