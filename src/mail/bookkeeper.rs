//! The mail's books: how each letter ended, on the disk before its lane goes on.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use tokio::sync::oneshot;

use super::{LEDGER_PAUSE, Mail, tenure::Tenure};
use crate::{delivery::Outcome, delivery::Settlement};

/// When it was last said that the ledger takes nothing: all lanes hear of it, and one says it.
#[derive(Default)]
pub(super) struct Bookkeeper {
    said: Mutex<Option<Instant>>,
    /// Whether what was claimed is still ours.
    pub(super) tenure: Tenure,
}

impl Bookkeeper {
    /// Settles letters, and returns when that is on the disk. What other lanes settle meanwhile is committed together with it; where
    /// there is no other (`alone`), nobody minds that the thread of the lanes waits for the disk, and waking the ledger's is spared. Gives
    /// how many times letters have been taken back by then.
    ///
    /// A ledger that cannot take it is asked until it can: a lane must not go on with an outcome that would be forgotten.
    pub(super) async fn settle(&self, mail: &Mail, settlements: Vec<Settlement>, alone: bool) -> u64 {
        let delayed = settlements.iter().any(|one| matches!(one.outcome, Outcome::Delayed(_)));
        loop {
            let now = mail.clock.now();
            let written = if alone {
                Ok(mail.ledger.settle(&settlements, now))
            } else {
                let (bell, written) = oneshot::channel();
                let then = move |done| {
                    // The lane may have been stopped.
                    let _ = bell.send(done);
                };
                mail.ledger.settle_then(settlements.clone(), now, Box::new(then));
                written.await
            };
            match written {
                Ok(Ok(taken_back)) => {
                    if delayed {
                        mail.bell.notify_one();
                    }
                    for settlement in &settlements {
                        mail.metrics.offered(settlement.outcome.as_str(), settlement.reply.code);
                    }
                    mail.settled.ring();
                    return taken_back;
                }
                Ok(Err(error)) => self.say(&error),
                Err(error) => self.say(&error),
            }
            tokio::time::sleep(LEDGER_PAUSE).await;
        }
    }

    fn say(&self, error: &(dyn std::error::Error + 'static)) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_none_or(|at| at.elapsed() > LEDGER_PAUSE / 2) {
            tracing::error!(error, "sent letters cannot be settled");
            *said = Some(Instant::now());
        }
    }
}
