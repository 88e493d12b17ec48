//! A lane: one connection at a time, one letter after the other, each settled in the ledger before the next final dot.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{
    LEDGER_PAUSE, Mail, Settled, Work, folder,
    letter::Letter,
    next_attempt,
    smtp::{Connection, Failure, Kind, Server},
};
use crate::{delivery::Delivery, delivery::Outcome, delivery::Phase, delivery::Reply, delivery::Settlement};

/// The shortest pause after the server could not be reached.
const FIRST_PAUSE: Duration = Duration::from_secs(5);

/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// An open connection is used for so many letters, then renewed: some relays close after that by themselves.
const LETTERS_PER_CONNECTION: u32 = 500;

/// How long an idle lane keeps its connection.
const IDLE: Duration = Duration::from_secs(20);

/// Words in a 5xx answer that speak of our pace and not of the mailbox: large mailbox providers answer 550 to senders who
/// are too quick, and taking that for a dead address would end living subscriptions.
const PACE_WORDS: [&str; 6] =
    ["frequency", "rate limit", "too many", "limit exceeded", "try again later", "throttl"];

/// Where all lanes send, and what they have learnt of it together.
#[derive(Clone)]
pub(super) struct Road(Arc<Inner>);

struct Inner {
    end: End,
    /// How often in a row the server could not be reached.
    failures: AtomicU32,
    /// Until when no lane tries.
    closed_until: Mutex<Option<tokio::time::Instant>>,
}

enum End {
    Smtp(Server),
    Folder(PathBuf),
}

impl Road {
    pub(super) fn smtp(server: Server) -> Self {
        Self::to(End::Smtp(server))
    }

    pub(super) fn folder(folder: PathBuf) -> Self {
        Self::to(End::Folder(folder))
    }

    fn to(end: End) -> Self {
        Self(Arc::new(Inner { end, failures: AtomicU32::new(0), closed_until: Mutex::new(None) }))
    }

    /// Closes the road for a while that doubles with each failure; says so once for all lanes.
    fn close(&self, failure: &Failure) {
        let mut closed_until = self.0.closed_until.lock().unwrap_or_else(PoisonError::into_inner);
        let now = tokio::time::Instant::now();
        if closed_until.is_some_and(|until| until > now) {
            return;
        }
        let failures = self.0.failures.fetch_add(1, Ordering::Relaxed).min(10);
        let pause = (FIRST_PAUSE * 2_u32.pow(failures)).min(LONGEST_PAUSE);
        *closed_until = Some(now + pause);
        tracing::warn!(
            reply = failure.reply,
            pause_s = pause.as_secs(),
            "the mail server does not take letters, {}; they wait",
            failure.phase
        );
    }

    fn reopen(&self) {
        if self.0.failures.swap(0, Ordering::Relaxed) > 0 {
            tracing::info!("the mail server takes letters again");
        }
    }

    fn closed_until(&self) -> Option<tokio::time::Instant> {
        *self.0.closed_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Lane {
    mail: Arc<Mail>,
    road: Road,
    settled: mpsc::Sender<Settled>,
    stop: CancellationToken,
    connection: Option<(Connection, u32)>,
}

impl Lane {
    pub(super) fn new(
        mail: Arc<Mail>,
        road: Road,
        settled: mpsc::Sender<Settled>,
        stop: CancellationToken,
    ) -> Self {
        Self { mail, road, settled, stop, connection: None }
    }

    /// Sends what comes out of `queue` until it is closed or `stop`.
    pub(super) async fn run(mut self, queue: Arc<tokio::sync::Mutex<mpsc::Receiver<Work>>>) {
        loop {
            let next = async { queue.lock().await.recv().await };
            let work = tokio::select! {
                work = next => work,
                () = tokio::time::sleep(IDLE), if self.connection.is_some() => {
                    self.hang_up().await;
                    continue;
                }
            };
            let Some((delivery, stencil)) = work else { break };
            if self.stop.is_cancelled() {
                // Still claimed; whoever stops us queues it again.
                continue;
            }
            let settlement = match stencil.address(&delivery) {
                Ok(letter) => self.deliver(&delivery, &letter).await,
                // A fault of the settings, which may be mended.
                Err(error) => Some(self.later(&delivery, unsaid(Phase::Connect, error.to_string()))),
            };
            if let Some(settlement) = settlement {
                self.settle(settlement).await;
            }
        }
        self.hang_up().await;
    }

    async fn settle(&self, settlement: Settlement) {
        let (bell, written) = oneshot::channel();
        if self.settled.send((settlement, bell)).await.is_ok() {
            // The next final dot must not be sent before this outcome is on the disk.
            let _ = written.await;
        }
    }

    /// Offers a letter until the server has answered for it; `None` when we were stopped before.
    async fn deliver(&mut self, delivery: &Delivery, letter: &Letter) -> Option<Settlement> {
        let folder = match &self.road.0.end {
            End::Folder(folder) => folder.clone(),
            End::Smtp(server) => {
                let server = server.clone();
                return self.offer(&server, delivery, letter).await;
            }
        };
        if !self.is_wanted(delivery).await {
            return None;
        }
        let file = letter.clone();
        let laid = tokio::task::spawn_blocking(move || folder::deliver(&folder, &file)).await;
        Some(match laid {
            Ok(Ok(text)) => settled(delivery, Outcome::Delivered, unsaid(Phase::Text, text)),
            Ok(Err(error)) => self.later(delivery, unsaid(Phase::Connect, error.to_string())),
            Err(error) => self.later(delivery, unsaid(Phase::Connect, error.to_string())),
        })
    }

    async fn offer(&mut self, server: &Server, delivery: &Delivery, letter: &Letter) -> Option<Settlement> {
        loop {
            let (mut connection, used) = match self.connection.take() {
                Some(connection) => connection,
                None => match self.connect(server, delivery).await? {
                    Ok(connection) => (connection, 0),
                    Err(outcome) => return Some(outcome),
                },
            };
            // Its reader may have left while it waited for its turn or for the server.
            if !self.is_wanted(delivery).await {
                self.keep(connection, used).await;
                return None;
            }
            let failure = match connection.send(letter).await {
                Ok(reply) => {
                    self.road.reopen();
                    self.keep(connection, used + 1).await;
                    return Some(settled(delivery, Outcome::Delivered, reply));
                }
                Err(failure) => failure,
            };
            let answered = failure.kind != Kind::Silence;
            if answered && connection.reset().await {
                self.keep(connection, used + 1).await;
            }
            match failure.phase {
                // A connection that was kept may have been closed by the server meanwhile: that says nothing.
                Phase::Mail if !answered && used > 0 => {}
                Phase::Connect | Phase::Mail => {
                    self.road.close(&failure);
                    if let Some(gone) = self.given_up(delivery, &failure) {
                        return Some(gone);
                    }
                }
                // The server does not know us: that is no answer about the subscriber.
                Phase::Rcpt if answered && failure.reply.to_lowercase().contains("relay") => {
                    self.road.close(&failure);
                    if let Some(gone) = self.given_up(delivery, &failure) {
                        return Some(gone);
                    }
                }
                Phase::Rcpt | Phase::Data | Phase::Text => return Some(self.refused(delivery, &failure)),
            }
        }
    }

    /// Whether a letter is still to be sent. A ledger that cannot answer is asked until it can.
    async fn is_wanted(&self, delivery: &Delivery) -> bool {
        let (digest, subscriber) = (delivery.digest, delivery.subscriber);
        loop {
            match self.mail.ask(move |ledger| ledger.still_claimed(&[(digest, subscriber)])).await {
                Ok(claimed) => return !claimed.is_empty(),
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "a letter's state cannot be read"
                    );
                    tokio::time::sleep(LEDGER_PAUSE).await;
                }
            }
        }
    }

    /// Waits until the road is open, and connects. `None` when we were stopped.
    async fn connect(&self, server: &Server, delivery: &Delivery) -> Option<Result<Connection, Settlement>> {
        loop {
            if let Some(until) = self.road.closed_until() {
                tokio::select! {
                    () = tokio::time::sleep_until(until) => {}
                    () = self.stop.cancelled() => return None,
                }
            }
            let opened = tokio::select! {
                opened = Connection::open(server) => opened,
                () = self.stop.cancelled() => return None,
            };
            match opened {
                Ok(connection) => return Some(Ok(connection)),
                Err(failure) => {
                    self.road.close(&failure);
                    if let Some(gone) = self.given_up(delivery, &failure) {
                        return Some(Err(gone));
                    }
                }
            }
        }
    }

    /// What becomes of a letter that the server answered for, or fell silent over.
    fn refused(&self, delivery: &Delivery, failure: &Failure) -> Settlement {
        let lower = failure.reply.to_lowercase();
        let about_pace = PACE_WORDS.iter().any(|word| lower.contains(word));
        if failure.kind == Kind::Permanent && !about_pace {
            return settled(delivery, Outcome::Failed, failure.as_reply());
        }
        self.later(delivery, failure.as_reply())
    }

    fn later(&self, delivery: &Delivery, reply: Reply) -> Settlement {
        let outcome = match next_attempt(delivery.queued, delivery.attempts + 1, self.mail.clock.now()) {
            Some(until) => Outcome::Delayed(until),
            None => Outcome::Failed,
        };
        settled(delivery, outcome, reply)
    }

    /// A letter that could not be offered at all waits with its lane, for five days at most.
    fn given_up(&self, delivery: &Delivery, failure: &Failure) -> Option<Settlement> {
        let now: Timestamp = self.mail.clock.now();
        next_attempt(delivery.queued, 1, now)
            .is_none()
            .then(|| settled(delivery, Outcome::Failed, failure.as_reply()))
    }

    async fn keep(&mut self, connection: Connection, used: u32) {
        if used < LETTERS_PER_CONNECTION {
            self.connection = Some((connection, used));
        } else {
            connection.close().await;
        }
    }

    async fn hang_up(&mut self) {
        if let Some((connection, _)) = self.connection.take() {
            connection.close().await;
        }
    }
}

fn settled(delivery: &Delivery, outcome: Outcome, reply: Reply) -> Settlement {
    Settlement { digest: delivery.digest, subscriber: delivery.subscriber, outcome, reply, bounce: None }
}

fn unsaid(phase: Phase, text: String) -> Reply {
    Reply { phase, code: None, status: None, text }
}
