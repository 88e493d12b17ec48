//! Sends letters: claims those that are due, offers them on a few connections, and settles each before the next.

mod dkim;
mod folder;
mod lane;
mod letter;
mod schedule;
mod smtp;

use std::{collections::HashMap, collections::hash_map::Entry, path::PathBuf, sync::Arc, time::Duration};

use jiff::SignedDuration;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use dkim::{KeyError, Record, Signer, new_ed25519};
pub use letter::{Books, Error as LetterError, Letter, Letterhead, Stationery, Stencil};
pub use schedule::next_attempt;
pub use smtp::{Protection, Server};

use crate::{
    clock::Clock, delivery::Delivery, delivery::Outcome, delivery::Printing, delivery::PrintingId,
    delivery::Settlement, ledger::Error as LedgerError, ledger::Ledger, subscriber::Address,
};
use lane::{Lane, Road};

/// How many letters are claimed at once for each lane: enough to keep it busy while the ledger is asked for more.
const CLAIM_PER_LANE: usize = 32;

/// How long a lane has a letter before anybody may claim it again: longer than waiting for a server and five phases of
/// patience take.
const LEASE: SignedDuration = SignedDuration::from_hours(24);

/// How long at most until letters are seen that another process queued, such as a `gazetted publish` beside the daemon.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// How long to wait before the ledger is asked again after it could not answer.
const LEDGER_PAUSE: Duration = Duration::from_secs(10);

/// Who writes.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The name beside the address.
    pub name: Option<String>,
    /// The address that letters come from, and errors go back to.
    pub address: Address,
    /// Where answers of readers go, if elsewhere.
    pub reply_to: Option<Address>,
    /// Where the daemon's own pages answer, ending with `/`: readers leave there.
    pub leave_url: String,
}

/// Where letters go.
#[derive(Debug, Clone)]
pub enum Way {
    /// To a mail server, on so many connections.
    Smtp {
        /// The server.
        server: Server,
        /// Most connections at once.
        connections: usize,
    },
    /// Into a folder, a file a letter, for whoever wants to look at them.
    Folder(PathBuf),
}

/// The mail room of one publication.
pub struct Mail {
    /// What all its letters have in common.
    pub head: Letterhead,
    /// What must survive.
    pub ledger: Arc<dyn Ledger>,
    /// Where letters go.
    pub way: Way,
    /// What time it is.
    pub clock: Clock,
    /// Rings when letters were queued.
    pub bell: Arc<Notify>,
}

/// A letter for a lane: the delivery, and what it is written with.
type Work = (Delivery, Arc<Stencil>);

/// A settlement for the bookkeeper, and the bell by which it tells that the ledger has it.
type Settled = (Settlement, oneshot::Sender<()>);

impl Mail {
    /// Sends what is due, now and as it comes, until `stop`. Then finishes the letters that are on their way and puts the
    /// rest back into the queue.
    ///
    /// Whatever a process before this one had claimed is queued again: the caller makes sure that it is gone.
    pub async fn run(self, stop: CancellationToken) {
        let mail = Arc::new(self);
        mail.free_claims("a process that stopped", Some(&stop)).await;
        let lanes = TaskTracker::new();
        let (n_lanes, road) = match &mail.way {
            Way::Smtp { server, connections } => ((*connections).max(1), Road::smtp(server.clone())),
            Way::Folder(folder) => (1, Road::folder(folder.clone())),
        };
        let (work, queue) = mpsc::channel::<Work>(1);
        let queue = Arc::new(tokio::sync::Mutex::new(queue));
        let (settled, outcomes) = mpsc::channel::<Settled>(n_lanes);
        let books = tokio::spawn(keep_books(Arc::clone(&mail), outcomes));
        for _ in 0..n_lanes {
            let lane = Lane::new(Arc::clone(&mail), road.clone(), settled.clone(), stop.clone());
            lanes.spawn(lane.run(Arc::clone(&queue)));
        }
        drop(settled);
        mail.hand_out(work, n_lanes * CLAIM_PER_LANE, &stop).await;
        lanes.close();
        lanes.wait().await;
        if let Err(error) = books.await {
            tracing::error!(%error, "the mail's bookkeeper died");
        }
        mail.free_claims("this one, which stops", None).await;
    }

    /// Claims what is due and hands it to the lanes, until `stop`.
    async fn hand_out(&self, work: mpsc::Sender<Work>, most: usize, stop: &CancellationToken) {
        let mut stencils: HashMap<PrintingId, Arc<Stencil>> = HashMap::new();
        while !stop.is_cancelled() {
            let claimed = match self.claim(most, &mut stencils).await {
                Ok(claimed) => claimed,
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "letters cannot be claimed");
                    tokio::select! {
                        () = tokio::time::sleep(LEDGER_PAUSE) => continue,
                        () = stop.cancelled() => return,
                    }
                }
            };
            if claimed.is_empty() {
                self.wait_for_work(stop).await;
            }
            for letter in claimed {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return,
                    sent = work.send(letter) => if sent.is_err() { return },
                }
            }
        }
    }

    async fn wait_for_work(&self, stop: &CancellationToken) {
        let next = self.ask(|ledger| ledger.next_due()).await.ok().flatten();
        let due = async {
            match next {
                Some(next) => self.clock.sleep_until(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.bell.notified() => {}
            () = due => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stop.cancelled() => {}
        }
    }

    async fn claim(
        &self,
        most: usize,
        stencils: &mut HashMap<PrintingId, Arc<Stencil>>,
    ) -> Result<Vec<Work>, LedgerError> {
        let now = self.clock.now();
        let lease = now.saturating_add(LEASE).unwrap_or(now);
        let claimed = self.ask(move |ledger| ledger.claim(now, lease, most, &[])).await?.letters;
        stencils.retain(|id, _| claimed.iter().any(|delivery| delivery.printing == *id));
        let mut letters = Vec::with_capacity(claimed.len());
        for delivery in claimed {
            let id = delivery.printing;
            if let Entry::Vacant(place) = stencils.entry(id) {
                let Some(printing) = self.printing(id).await else { continue };
                let head = self.head.clone();
                // It reads books, and codes them.
                let stencil = tokio::task::spawn_blocking(move || Stencil::of(printing, head)).await;
                let stencil = stencil.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
                place.insert(Arc::new(stencil));
            }
            letters.extend(stencils.get(&id).map(|stencil| (delivery, Arc::clone(stencil))));
        }
        Ok(letters)
    }

    /// A printing; its letters are claimed already, so a ledger that cannot answer is asked until it can.
    async fn printing(&self, id: PrintingId) -> Option<Printing> {
        loop {
            match self.ask(move |ledger| ledger.printing(id)).await {
                Ok(printing) => return printing,
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "a digest cannot be read");
                    tokio::time::sleep(LEDGER_PAUSE).await;
                }
            }
        }
    }

    /// Queues claimed letters again. A ledger that cannot do it is asked until it can, or until `stop`.
    async fn free_claims(&self, whose: &'static str, stop: Option<&CancellationToken>) {
        loop {
            match self.ask(|ledger| ledger.release_claims()).await {
                Ok(0) => return,
                Ok(letters) => {
                    tracing::info!(letters, "letters are queued again that were claimed by {whose}");
                    return;
                }
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "claimed letters cannot be queued again"
                    );
                }
            }
            // At the end, the next start does it.
            let Some(stop) = stop else { return };
            tokio::select! {
                () = tokio::time::sleep(LEDGER_PAUSE) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Asks the ledger where waiting for a disk holds nobody up.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Ledger) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let ledger = Arc::clone(&self.ledger);
        match tokio::task::spawn_blocking(move || question(&*ledger)).await {
            Ok(answer) => answer,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
}

/// Writes settlements into the ledger, as many as have come at a time, and tells each lane when its own is on the disk.
/// A ledger that cannot take them is asked until it can: a lane must not go on with an outcome that would be forgotten.
async fn keep_books(mail: Arc<Mail>, mut outcomes: mpsc::Receiver<Settled>) {
    let mut batch = Vec::new();
    while outcomes.recv_many(&mut batch, 1024).await > 0 {
        let (settlements, bells): (Vec<Settlement>, Vec<_>) = batch.drain(..).unzip();
        let settlements = Arc::new(settlements);
        loop {
            let (now, settlements) = (mail.clock.now(), Arc::clone(&settlements));
            match mail.ask(move |ledger| ledger.settle(&settlements, now)).await {
                Ok(_) => break,
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "sent letters cannot be settled"
                    );
                    tokio::time::sleep(LEDGER_PAUSE).await;
                }
            }
        }
        if settlements.iter().any(|settlement| matches!(settlement.outcome, Outcome::Delayed(_))) {
            mail.bell.notify_one();
        }
        for bell in bells {
            // The lane may have been stopped.
            let _ = bell.send(());
        }
    }
}
