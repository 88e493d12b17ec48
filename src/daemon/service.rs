//! What a service manager is told of us by `sd_notify(3)`: that we start, are ready, are alive, and stop. Without one nothing is.

use std::{
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use sd_notify::NotifyState;

use super::{Daemon, blocking};
use crate::{http::ReadingRoom, metrics::Pulse};

/// For how long a part may seem to do nothing: an issue of a thousand pages keeps the press for minutes.
const STILL: Duration = Duration::from_mins(5);

/// How long a start asks for at a time, and how often it asks.
const START: (Duration, Duration) = (Duration::from_mins(1), Duration::from_secs(20));

/// A start that may take long, since a ledger is migrated or an interrupted issue finished: as long as this is held, the manager
/// waits for us (`EXTEND_TIMEOUT_USEC`).
pub struct Starting {
    // Its other end hears when it is dropped.
    _here: mpsc::Sender<()>,
}

impl Starting {
    /// Asks for time until it is dropped.
    #[must_use]
    pub fn begin() -> Self {
        let (here, gone) = mpsc::channel::<()>();
        let (most, every) = START;
        let ask = move || {
            let most = u32::try_from(most.as_micros()).unwrap_or(u32::MAX);
            while gone.recv_timeout(every) == Err(mpsc::RecvTimeoutError::Timeout) {
                tell(&[NotifyState::ExtendTimeoutUsec(most)]);
            }
        };
        // Without the thread, the manager waits as long as its own settings say.
        let _ = thread::Builder::new().name("start".into()).spawn(ask);
        Self { _here: here }
    }
}

/// The newsroom is open.
pub fn ready(daemon: &Daemon) {
    let status = format!("{} is open at http://{}/", daemon.publication.title, daemon.address);
    tell(&[NotifyState::Ready, NotifyState::Status(&status.replace('\n', " "))]);
}

/// We were asked to stop, and finish what is on its way.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Tells the manager's watchdog that we live, as often as it asks for it, for as long as the inbox is looked at, letters are asked
/// for, and the ledger answers. A full disk is no reason to be started again: the ledger answers that it is full.
pub async fn watch(room: Arc<ReadingRoom>) {
    let Some(within) = sd_notify::watchdog_enabled() else { return std::future::pending().await };
    let mut parts =
        [&room.metrics.inbox.pulse, &room.metrics.mail.pulse].map(|pulse| Part::new(pulse.clone()));
    loop {
        let asked = Arc::clone(&room);
        let answered = blocking(move || asked.ledger.touch()).await;
        if let Err(error) = answered {
            tracing::error!(error = &error as &dyn std::error::Error, "the ledger cannot be written");
        }
        let now = Instant::now();
        // Each is asked, so that each knows when it last went on.
        let go_on = parts.each_mut().map(|part| part.goes_on(now));
        if go_on == [true; 2] {
            tell(&[NotifyState::Watchdog]);
        } else {
            tracing::error!(
                "a part of gazetted has not gone on for minutes; the service manager starts it again"
            );
        }
        tokio::time::sleep(within / 3).await;
    }
}

/// A part of the daemon, and when it was last seen to go on.
struct Part {
    pulse: Pulse,
    beats: u64,
    at: Instant,
}

impl Part {
    fn new(pulse: Pulse) -> Self {
        Self { beats: pulse.beats(), pulse, at: Instant::now() }
    }

    fn goes_on(&mut self, now: Instant) -> bool {
        let beats = self.pulse.beats();
        if beats != self.beats || !self.pulse.is_here() {
            (self.beats, self.at) = (beats, now);
        }
        !self.pulse.is_here() || now.duration_since(self.at) < STILL
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "the service manager does not hear us");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_hangs_is_found_out_and_one_that_goes_on_again_is_forgiven() {
        let pulse = Pulse::default();
        let mut part = Part::new(pulse.clone());
        let begin = part.at;
        assert!(part.goes_on(begin + STILL / 2));
        assert!(!part.goes_on(begin + STILL));
        pulse.beat();
        assert!(part.goes_on(begin + STILL * 2));
        assert!(!part.goes_on(begin + STILL * 3));
    }
}
