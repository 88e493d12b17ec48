//! The figures of a newsroom as text, for whoever watches it. They are no page for readers: the desk serves them.

use std::time::Duration;

use super::ReadingRoom;
use crate::{delivery::State, issue::Status, ledger, metrics::Readings, subscriber::Standing};

impl ReadingRoom {
    /// What has been counted, and what is so now, in the text that Prometheus reads ([`crate::metrics::MEDIA_TYPE`]). It waits for the
    /// ledger.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn figures(&self) -> Result<String, ledger::Error> {
        let now = self.clock.now();
        let tally = self.ledger.tally(&self.publication, now)?;
        let waited = tally.waits_since.and_then(|since| Duration::try_from(now.duration_since(since)).ok());
        let readings = Readings {
            arrivals: tally.arrivals,
            issues: named(tally.issues, Status::as_str),
            letters: named(tally.letters, State::as_str),
            subscribers: named(tally.subscribers, Standing::as_str),
            oldest_letter: waited.unwrap_or_default(),
            last_backup: tally.last_backup.map_or(0, jiff::Timestamp::as_second),
            throttled: {
                let tally = self.subscribing.tally();
                vec![
                    ("network", tally.refused_network),
                    ("all", tally.refused_all),
                    ("pending", tally.refused_pending),
                ]
            },
            outbox_bytes: self.outbox.bytes(),
            documents: self.table.figures(),
        };
        Ok(self.metrics.render(&readings))
    }
}

fn named<T: Copy>(counts: Vec<(T, u64)>, name: impl Fn(T) -> &'static str) -> Vec<(String, u64)> {
    counts.into_iter().map(|(kind, n)| (name(kind).to_owned(), n)).collect()
}
