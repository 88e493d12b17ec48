//! Sends letters: claims those that are due, offers them on a few connections, and settles each before the next.

mod bookkeeper;
mod dkim;
mod domain;
mod folder;
mod lane;
mod letter;
mod pace;
mod replies;
mod road;
mod schedule;
pub mod simulation;
mod smtp;
mod tenure;
mod tray;

use std::{
    collections::HashMap, collections::hash_map::Entry, path::PathBuf, sync::Arc, thread, time::Duration,
    time::Instant,
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use dkim::{KeyError, Record, Signer, new_ed25519};
pub use folder::remove_letters_to;
pub use letter::{Books, Error as LetterError, Letter, Letterhead, Stationery, Stencil};
pub use replies::weigh;
pub use schedule::next_attempt;
pub use smtp::{ProbeFailure, Probed, Protection, Server, probe};

use crate::{
    bell::Bell, clock::Clock, delivery::Company, delivery::Delivery, delivery::Outcome, delivery::Printing,
    delivery::PrintingId, delivery::Settlement, fault::Point, fault::reached, ledger::Error as LedgerError,
    ledger::Ledger, metrics, subscriber::Address,
};
use bookkeeper::Bookkeeper;
use lane::{End, Lane};
use road::Road;
use smtp::Port;
use tenure::Tenure;
use tray::{Tray, Turn, Work};

/// How many letters are claimed at once for each lane: enough to keep it busy while the ledger is asked for more,
const CLAIM_PER_LANE: usize = 32;

/// and for all together, at least and at most.
const CLAIM: std::ops::RangeInclusive<usize> = 256..=1024;

/// How long a lane has a letter before anybody may claim it again: longer than it lies in the tray and all phases of a
/// conversation take.
const LEASE: SignedDuration = SignedDuration::from_hours(2);

/// How long at most until letters are seen that another process queued, such as a `gazetted publish` beside the daemon.
const LOOK_EVERY: Duration = Duration::from_secs(5);

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
    /// To mail servers.
    Smtp(Vec<Relay>),
    /// Into a folder, a file a letter, for whoever wants to look at them.
    Folder(PathBuf),
}

/// A mail server that takes letters for everybody, and how much of it we use.
#[derive(Debug, Clone)]
pub struct Relay {
    /// The server.
    pub server: Server,
    /// Most connections at once.
    pub connections: usize,
    /// Most letters a minute.
    pub per_minute: Option<u32>,
    /// Its share of the letters beside the others'; with none it only stands in when no other takes letters.
    pub weight: u32,
}

/// How quickly letters may go, whatever takes them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Most letters a minute.
    pub per_minute: Option<u32>,
    /// Most letters a minute to one receiving domain.
    pub per_minute_per_domain: Option<u32>,
}

/// What becomes of a letter whose connection ended after its last byte and before the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnUnknown {
    /// It is offered again, and may come twice.
    #[default]
    Resend,
    /// It waits for the operator.
    Hold,
}

/// The mail room of one publication.
pub struct Mail {
    /// What all its letters have in common.
    pub head: Letterhead,
    /// What must survive.
    pub ledger: Arc<dyn Ledger>,
    /// Where letters go.
    pub way: Way,
    /// How quickly they may go.
    pub limits: Limits,
    /// What becomes of those of which nobody knows whether they were taken.
    pub on_unknown: OnUnknown,
    /// What time it is.
    pub clock: Clock,
    /// Rings when letters were queued.
    pub bell: Arc<Notify>,
    /// What is counted for the operator.
    pub metrics: metrics::Mail,
    /// Rung when letters were settled.
    pub settled: Bell,
}

impl Mail {
    /// Sends what is due, now and as it comes, until `stop`. Then finishes the letters that are on their way and puts the
    /// rest back into the queue.
    ///
    /// Whatever a process before this one had claimed is queued again: the caller makes sure that it is gone.
    ///
    /// All lanes share a thread of their own. They wait nearly all the time, and waking one costs more than what it does for a
    /// letter when another core must be woken for it.
    pub async fn run(self, stop: CancellationToken) {
        let mail = Arc::new(self);
        let (there, done) = (Arc::clone(&mail), stop.clone());
        let (end, ended) = oneshot::channel::<()>();
        // Whoever gives this future up ends the thread with it.
        let (_here, gone) = oneshot::channel::<()>();
        let thread = tokio::runtime::Builder::new_current_thread().enable_all().build().and_then(|runtime| {
            thread::Builder::new().name("mail".into()).spawn(move || {
                // Dropped when the work is done, and also when it dies: behind the runtime, which ends what it has begun.
                let _end = end;
                let runtime = runtime;
                runtime.block_on(async {
                    tokio::select! {
                        () = there.work(done) => {}
                        _ = gone => {}
                    }
                });
            })
        });
        match thread {
            Ok(thread) => {
                let _ = ended.await;
                if let Err(panic) = thread.join() {
                    std::panic::resume_unwind(panic);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the mail has no thread of its own, and shares those of the others");
                mail.work(stop).await;
            }
        }
    }

    async fn work(self: Arc<Self>, stop: CancellationToken) {
        let mail = self;
        mail.free_claims("a process that stopped", Some(&stop)).await;
        let lanes = TaskTracker::new();
        let (roads, ends) = mail.roads();
        let n_lanes = ends.iter().map(|(_, lanes)| lanes).sum::<usize>();
        let most = (n_lanes * CLAIM_PER_LANE).clamp(*CLAIM.start(), *CLAIM.end());
        let Limits { per_minute, per_minute_per_domain } = mail.limits;
        let tray = Arc::new(Tray::new(roads, n_lanes, most, per_minute, per_minute_per_domain));
        let bookkeeper = Arc::new(Bookkeeper::default());
        for (road, (end, n_lanes)) in ends.into_iter().enumerate() {
            for number in 0..n_lanes {
                let lane = Lane {
                    mail: Arc::clone(&mail),
                    tray: Arc::clone(&tray),
                    road,
                    number,
                    end: end.clone(),
                    bookkeeper: Arc::clone(&bookkeeper),
                    stop: stop.clone(),
                    connection: None,
                    taken_back: None,
                };
                lanes.spawn(lane.run());
            }
        }
        mail.join(&tray, &bookkeeper.tenure, &stop).await;
        mail.hand_out(&tray, &bookkeeper, &stop).await;
        lanes.close();
        lanes.wait().await;
        mail.free_claims("this one, which stops", None).await;
    }

    /// The ways out, and for each where it leads and how many lanes it has at most.
    fn roads(&self) -> (Vec<Road>, Vec<(End, usize)>) {
        match &self.way {
            Way::Smtp(relays) => relays
                .iter()
                .map(|relay| {
                    let lanes = relay.connections.max(1);
                    let road = Road::new(relay.server.to_string(), lanes, relay.per_minute, relay.weight);
                    (road, (End::Smtp(Port::of(relay.server.clone(), self.metrics.clone())), lanes))
                })
                .unzip(),
            Way::Folder(folder) => {
                let road = Road::new(folder.display().to_string(), 1, None, 1);
                (vec![road], vec![(End::Folder(folder.clone()), 1)])
            }
        }
    }

    /// Claims what is due and lays it in the tray, and gives back what cannot go now, until `stop`.
    async fn hand_out(&self, tray: &Tray, bookkeeper: &Bookkeeper, stop: &CancellationToken) {
        let mut stencils: HashMap<PrintingId, Arc<Stencil>> = HashMap::new();
        while !stop.is_cancelled() {
            self.metrics.pulse.beat();
            let Turn { back, want, except, next, closed } = tray.turn(self.clock.now());
            if !closed.is_empty() || bookkeeper.tenure.is_due(self.clock.now()) {
                match self.keep(&bookkeeper.tenure, closed).await {
                    Ok(company) => tray.shares(company.n, &company.closed),
                    Err(error) => tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "letters cannot be kept to ourselves"
                    ),
                }
            }
            let turned = async {
                if !back.is_empty() {
                    self.ask(move |ledger| ledger.give_back(&back)).await?;
                }
                if want == 0 { Ok(None) } else { self.claim(want, except, &mut stencils).await.map(Some) }
            };
            let claimed = match turned.await {
                Ok(claimed) => claimed,
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "letters cannot be claimed");
                    tokio::select! {
                        () = tokio::time::sleep(LEDGER_PAUSE) => continue,
                        () = stop.cancelled() => return,
                    }
                }
            };
            let more = match claimed {
                Some(claimed) => {
                    let claimed = self.fail_the_old(claimed, tray, bookkeeper).await;
                    tray.put(claimed, self.clock.now()) > 0
                }
                None => false,
            };
            if !more {
                self.wait_for_work(tray, next, stop).await;
            }
        }
    }

    /// Says that we are at work, so that what we have claimed stays ours, and which domains found us too quick; takes over from those who
    /// say so no more.
    async fn keep(&self, tenure: &Tenure, closed: Vec<(String, Timestamp)>) -> Result<Company, LedgerError> {
        let (at, now) = (Instant::now(), self.clock.now());
        let company = self.ask(move |ledger| ledger.keep_claims(now, Tenure::until(now), closed)).await?;
        let letters = company.taken_over;
        if letters > 0 {
            tracing::warn!(
                letters,
                "letters are queued again that a daemon had of which nothing is heard any more"
            );
        }
        tenure.said(at, now);
        Ok(company)
    }

    /// Joins those who send letters already: where there is a limit, nothing goes before they know that it is shared with one more.
    async fn join(&self, tray: &Tray, tenure: &Tenure, stop: &CancellationToken) {
        let company = match self.keep(tenure, Vec::new()).await {
            Ok(company) => company,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "letters cannot be kept to ourselves"
                );
                return;
            }
        };
        tray.shares(company.n, &company.closed);
        let limited = self.limits != Limits::default()
            || matches!(&self.way, Way::Smtp(relays) if relays.iter().any(|relay| relay.per_minute.is_some()));
        if company.n > 1 && !company.is_known && limited {
            let known = Tenure::known_to_all(self.clock.now());
            tokio::select! {
                () = self.clock.sleep_until(known) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Waits until there may be something to claim, or the tray has room, or something to give back.
    async fn wait_for_work(&self, tray: &Tray, next: Option<Timestamp>, stop: &CancellationToken) {
        let now = self.clock.now();
        // What is due already was passed over, or finds no room: the tray says when that changes.
        let due = self.ask(|ledger| ledger.next_due()).await.ok().flatten().filter(|due| *due > now);
        let due = async {
            match due.into_iter().chain(next).min() {
                Some(next) => self.clock.sleep_until(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.bell.notified() => {}
            () = tray.wake.notified() => {}
            () = due => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stop.cancelled() => {}
        }
    }

    async fn claim(
        &self,
        most: usize,
        except: Vec<String>,
        stencils: &mut HashMap<PrintingId, Arc<Stencil>>,
    ) -> Result<Vec<Work>, LedgerError> {
        let now = self.clock.now();
        let lease = now.saturating_add(LEASE).unwrap_or(now);
        let claim = self.ask(move |ledger| ledger.claim(now, lease, most, &except)).await?;
        reached(Point::LettersClaimed);
        stencils.retain(|id, _| claim.letters.iter().any(|delivery| delivery.printing == *id));
        let mut letters = Vec::with_capacity(claim.letters.len());
        for delivery in claim.letters {
            let id = delivery.printing;
            if let Entry::Vacant(place) = stencils.entry(id) {
                let Some(printing) = self.printing(id).await else { continue };
                let head = self.head.clone();
                // It reads books, and codes them.
                let stencil = tokio::task::spawn_blocking(move || Stencil::of(printing, head)).await;
                let stencil = stencil.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
                place.insert(Arc::new(stencil));
            }
            letters.extend(stencils.get(&id).map(|stencil| Work {
                delivery,
                stencil: Arc::clone(stencil),
                taken_back: claim.taken_back,
                claimed: now,
                begun: now,
                counted: false,
            }));
        }
        Ok(letters)
    }

    /// Settles the letters that could not be offered for five days and cannot be now; gives the others.
    async fn fail_the_old(&self, claimed: Vec<Work>, tray: &Tray, bookkeeper: &Bookkeeper) -> Vec<Work> {
        let now = self.clock.now();
        let mut kept = Vec::with_capacity(claimed.len());
        let mut failed = Vec::new();
        for work in claimed {
            let old = next_attempt(work.delivery.queued, 1, now).is_none() && !tray.knows(&work);
            let Some(reply) = old.then(|| tray.hindrance(work.domain())).flatten() else {
                kept.push(work);
                continue;
            };
            let Delivery { digest, subscriber, .. } = work.delivery;
            failed.push(Settlement { digest, subscriber, outcome: Outcome::Failed, reply, bounce: None });
        }
        if !failed.is_empty() {
            bookkeeper.settle(self, failed, false).await;
        }
        kept
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
