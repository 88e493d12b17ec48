//! A lane: one connection at a time, one letter after the other, each settled in the ledger before the next final dot.
//!
//! With `PIPELINING` a letter costs one round trip: its text goes out together with the envelope of the next one.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{
    LEDGER_PAUSE, Mail, OnUnknown,
    bookkeeper::Bookkeeper,
    folder,
    letter::Letter,
    next_attempt,
    replies::{Verdict, judge},
    smtp::{Connection, Failure, Port},
    tray::{Heard, Next, Tray, Work},
};
use crate::{
    delivery::BounceKind, delivery::Delivery, delivery::Outcome, delivery::Phase, delivery::Reply,
    delivery::Settlement, fault::Point, fault::reached,
};

/// An open connection is used for so many letters, then renewed: some relays close after that by themselves.
pub(super) const LETTERS_PER_CONNECTION: u32 = 500;

/// How long an idle lane keeps its connection.
pub(super) const IDLE: Duration = Duration::from_secs(20);

/// How long a lane waits that could not connect.
const BREATH: Duration = Duration::from_secs(1);

/// Where a lane leads.
#[derive(Clone)]
pub(super) enum End {
    Smtp(Port),
    Folder(PathBuf),
}

/// A letter on a lane.
struct Job {
    work: Work,
    letter: Letter,
}

pub(super) struct Lane {
    pub(super) mail: Arc<Mail>,
    pub(super) tray: Arc<Tray>,
    pub(super) bookkeeper: Arc<Bookkeeper>,
    /// Which road it is on, and its number there.
    pub(super) road: usize,
    pub(super) number: usize,
    pub(super) end: End,
    pub(super) stop: CancellationToken,
    pub(super) connection: Option<Connection>,
    /// How many times letters had been taken back when this lane's last settlement was written.
    pub(super) taken_back: Option<u64>,
}

impl Lane {
    /// Sends what lies in the tray until `stop`.
    pub(super) async fn run(mut self) {
        while let Some(work) = self.next().await {
            let Some(mut job) = self.addressed(work).await else { continue };
            match self.end.clone() {
                End::Folder(folder) => self.lay(&folder, job).await,
                End::Smtp(port) => {
                    let mut announced = false;
                    while let Some(next) = self.offer(&port, job, announced).await {
                        announced = self.connection.as_ref().is_some_and(Connection::is_asked);
                        job = next;
                    }
                }
            }
        }
        self.hang_up().await;
    }

    /// The next letter; `None` when we were stopped.
    async fn next(&mut self) -> Option<Work> {
        loop {
            let tray = Arc::clone(&self.tray);
            let changed = tray.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.stop.is_cancelled() {
                return None;
            }
            let until = match tray.take(self.road, self.number, self.mail.clock.now()) {
                Next::Letter(work) => return Some(*work),
                Next::Wait(until) => until,
                Next::Rest => {
                    self.hang_up().await;
                    None
                }
            };
            let due = async {
                match until {
                    Some(until) => self.mail.clock.sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            let idle = tokio::select! {
                () = changed => false,
                () = due => false,
                () = self.stop.cancelled() => return None,
                () = tokio::time::sleep(IDLE), if self.connection.is_some() => true,
            };
            if idle {
                self.hang_up().await;
            }
        }
    }

    /// The next letter, if there is one at once and the connection may carry it.
    async fn ahead(&mut self) -> Option<Job> {
        let connection = self.connection.as_ref()?;
        if !connection.pipelines() || connection.used >= LETTERS_PER_CONNECTION || self.stop.is_cancelled() {
            return None;
        }
        let Next::Letter(work) = self.tray.take(self.road, self.number, self.mail.clock.now()) else {
            return None;
        };
        let job = self.addressed(*work).await?;
        self.fitting(job).await
    }

    /// Writes the letter; one that cannot be written is settled.
    async fn addressed(&mut self, work: Work) -> Option<Job> {
        let letter = if work.stencil.is_slow() {
            let (stencil, delivery) = (Arc::clone(&work.stencil), work.delivery.clone());
            let addressed = tokio::task::spawn_blocking(move || stencil.address(&delivery)).await;
            addressed.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
        } else {
            work.stencil.address(&work.delivery)
        };
        match letter {
            Ok(letter) => Some(Job { work, letter }),
            // A fault of the settings, which may be mended.
            Err(error) => {
                let settlement = self.later(&work.delivery, unsaid(Phase::Connect, error.to_string()));
                self.finish(work, settlement, &Heard::Nothing).await;
                None
            }
        }
    }

    /// Lays a letter into a folder.
    async fn lay(&mut self, folder: &std::path::Path, job: Job) {
        let Job { work, letter } = job;
        if !self.is_wanted(&work.delivery).await {
            return self.drop_unwanted(work);
        }
        let folder = folder.to_owned();
        let laid = tokio::task::spawn_blocking(move || folder::deliver(&folder, &letter)).await;
        let laid = match laid {
            Ok(laid) => laid.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let settlement = match laid {
            Ok(text) => settled(&work.delivery, Outcome::Delivered, unsaid(Phase::Text, text)),
            Err(error) => self.later(&work.delivery, unsaid(Phase::Connect, error)),
        };
        self.finish(work, settlement, &Heard::Taken).await;
    }

    /// Offers a letter whose envelope may be `announced` already. Gives the one that is to be offered next.
    async fn offer(&mut self, port: &Port, job: Job, announced: bool) -> Option<Job> {
        if announced {
            return self.converse(job, announced).await;
        }
        if self.connection.is_none() {
            match self.connect(port).await {
                Some(Ok(())) => {}
                Some(Err(failure)) => {
                    self.cannot_send(job.work, &failure, true).await;
                    // Where others of our connections are open, this one is too many for now.
                    tokio::select! {
                        () = tokio::time::sleep(BREATH) => {}
                        () = self.stop.cancelled() => {}
                    }
                    return None;
                }
                None => return None,
            }
        }
        let job = self.fitting(job).await?;
        // Its reader may have left while it waited for its turn or for the server.
        if !self.is_wanted(&job.work.delivery).await {
            self.drop_unwanted(job.work);
            return None;
        }
        let connection = self.connection.as_mut()?;
        match connection.announce(&job.letter).await {
            Ok(()) => self.converse(job, announced).await,
            Err(failure) => self.turned_away(job, failure).await,
        }
    }

    /// Hears what the server says to a letter's envelope, and hands its text over with the envelope of the next.
    async fn converse(&mut self, job: Job, announced: bool) -> Option<Job> {
        let connection = self.connection.as_mut()?;
        if let Err(failure) = connection.envelope(&job.letter).await {
            return self.turned_away(job, failure).await;
        }
        let Job { work, letter } = job;
        let sure = self.taken_back.is_some_and(|so_far| so_far == work.taken_back)
            && self.bookkeeper.tenure.holds(self.mail.clock.now());
        // The server waits for its text, and only a connection that ends tells it that there is none.
        if self.stop.is_cancelled() || announced && !sure && !self.is_wanted(&work.delivery).await {
            self.drop_connection();
            self.drop_unwanted(work);
            return None;
        }
        if self.mail.on_unknown == OnUnknown::Hold {
            let text = "on its way when we were stopped".to_owned();
            self.settle(settled(&work.delivery, Outcome::Unknown, unsaid(Phase::Text, text))).await;
        }
        let next = self.ahead().await;
        reached(Point::LetterOffered);
        let connection = self.connection.as_mut()?;
        match connection.text(letter, next.as_ref().map(|next| &next.letter)).await {
            Ok(reply) => {
                reached(Point::LetterTaken);
                let settlement = settled(&work.delivery, Outcome::Delivered, reply);
                self.finish(work, settlement, &Heard::Taken).await;
            }
            Err(failure) => self.refused(work, &failure).await,
        }
        let used = self.connection.as_ref().map_or(0, |connection| connection.used);
        if self.connection.as_ref().is_some_and(|connection| !connection.is_alive()) {
            self.drop_connection();
        } else if next.is_none() && used >= LETTERS_PER_CONNECTION {
            self.hang_up().await;
        }
        next
    }

    /// A letter's envelope was not taken. Gives the letter when it is to be offered again at once.
    async fn turned_away(&mut self, job: Job, failure: Failure) -> Option<Job> {
        let used = self.connection.as_ref().map_or(0, |connection| connection.used);
        if self.connection.as_ref().is_some_and(|connection| !connection.is_alive()) {
            self.drop_connection();
        }
        if failure.reply.phase != Phase::Mail {
            self.refused(job.work, &failure).await;
            return None;
        }
        // A connection that was kept may have been closed by the server meanwhile: that says nothing, and a new one will tell.
        let closed = !failure.is_answer() || failure.reply.code == Some(421);
        if closed && used > 1 {
            return Some(job);
        }
        // The only thing of the letter's own that the server learns here is its size.
        let of_size = matches!(failure.reply.status.as_deref(), Some("5.3.4" | "5.2.3"));
        if of_size || failure.reply.code == Some(552) {
            let settlement = settled(&job.work.delivery, Outcome::Failed, failure.reply);
            self.finish(job.work, settlement, &Heard::Answered).await;
            return None;
        }
        self.cannot_send(job.work, &failure, false).await;
        None
    }

    /// The server does not take letters, whoever they are for: they wait, for five days at most.
    async fn cannot_send(&mut self, work: Work, failure: &Failure, unreached: bool) {
        let now = self.mail.clock.now();
        self.tray.tell(self.road, |road| {
            if unreached {
                road.cannot_be_reached(&failure.reply, now);
            } else {
                road.close(&failure.reply, now);
            }
        });
        if next_attempt(work.delivery.queued, 1, now).is_some() {
            self.tray.hand_back(self.road, work, now);
        } else {
            let settlement = settled(&work.delivery, Outcome::Failed, failure.reply.clone());
            self.finish(work, settlement, &Heard::Nothing).await;
        }
    }

    /// What becomes of a letter that the server refused, or fell silent over.
    async fn refused(&mut self, work: Work, failure: &Failure) {
        let reply = failure.reply.clone();
        if !failure.is_answer() {
            let held = failure.may_be_taken && self.mail.on_unknown == OnUnknown::Hold;
            let settlement = if held {
                settled(&work.delivery, Outcome::Unknown, reply.clone())
            } else {
                self.later(&work.delivery, reply.clone())
            };
            return self.finish(work, settlement, &Heard::Silence(&reply)).await;
        }
        match judge(&reply, work.domain()) {
            Verdict::Ours => self.cannot_send(work, failure, false).await,
            Verdict::Pace => {
                let settlement = self.later(&work.delivery, reply.clone());
                self.finish(work, settlement, &Heard::Pace(&reply)).await;
            }
            Verdict::Later => {
                let settlement = self.later(&work.delivery, reply);
                self.finish(work, settlement, &Heard::Answered).await;
            }
            Verdict::Never(bounce) => {
                let settlement = Settlement { bounce, ..settled(&work.delivery, Outcome::Failed, reply) };
                self.finish(work, settlement, &Heard::Answered).await;
            }
        }
    }

    /// The letter, unless it is larger than the server takes.
    async fn fitting(&mut self, job: Job) -> Option<Job> {
        let too_large = self.connection.as_ref().and_then(|connection| connection.too_large(&job.letter));
        let Some(reply) = too_large else { return Some(job) };
        let settlement = settled(&job.work.delivery, Outcome::Failed, reply);
        self.finish(job.work, settlement, &Heard::Nothing).await;
        None
    }

    /// Whether a letter is still to be sent. A ledger that cannot answer is asked until it can.
    async fn is_wanted(&self, delivery: &Delivery) -> bool {
        let (digest, subscriber) = (delivery.digest, delivery.subscriber);
        let tenure = &self.bookkeeper.tenure;
        loop {
            let kept = if tenure.holds(self.mail.clock.now()) {
                Ok(())
            } else {
                self.mail.keep(tenure, Vec::new()).await.map(drop)
            };
            let asked = async {
                kept?;
                self.mail.ask(move |ledger| ledger.still_claimed(&[(digest, subscriber)])).await
            };
            match asked.await {
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

    /// Connects. `None` when we were stopped; then the letter stays claimed, and whoever stops us queues it again.
    async fn connect(&mut self, port: &Port) -> Option<Result<(), Failure>> {
        let opened = tokio::select! {
            opened = Connection::open(port) => opened,
            () = self.stop.cancelled() => return None,
        };
        Some(opened.map(|connection| {
            self.connection = Some(connection);
            self.tray.tell(self.road, |road| road.connected += 1);
        }))
    }

    /// What becomes of a letter that is to be offered again; after five days it has failed, which is something of its mailbox.
    fn later(&self, delivery: &Delivery, reply: Reply) -> Settlement {
        if let Some(until) = next_attempt(delivery.queued, delivery.attempts + 1, self.mail.clock.now()) {
            return settled(delivery, Outcome::Delayed(until), reply);
        }
        let of_mailbox =
            reply.code.is_some() && matches!(reply.phase, Phase::Rcpt | Phase::Data | Phase::Text);
        let bounce = of_mailbox.then_some(BounceKind::Soft);
        Settlement { bounce, ..settled(delivery, Outcome::Failed, reply) }
    }

    /// Settles a letter and tells those who come after it.
    async fn finish(&mut self, work: Work, settlement: Settlement, heard: &Heard<'_>) {
        self.settle(settlement).await;
        self.tray.done(self.road, work, heard, self.mail.clock.now());
    }

    async fn settle(&mut self, settlement: Settlement) {
        // The next final dot must not be sent before this outcome is on the disk.
        let alone = self.tray.has_one_lane();
        self.taken_back = Some(self.bookkeeper.settle(&self.mail, vec![settlement], alone).await);
        reached(Point::LetterSettled);
    }

    /// A letter that is not to be sent any more, or not by us.
    fn drop_unwanted(&self, work: Work) {
        self.tray.done(self.road, work, &Heard::Nothing, self.mail.clock.now());
    }

    async fn hang_up(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.close().await;
            self.tray.tell(self.road, |road| road.connected -= 1);
        }
    }

    fn drop_connection(&mut self) {
        if self.connection.take().is_some() {
            self.tray.tell(self.road, |road| road.connected -= 1);
        }
    }
}

fn settled(delivery: &Delivery, outcome: Outcome, reply: Reply) -> Settlement {
    Settlement { digest: delivery.digest, subscriber: delivery.subscriber, outcome, reply, bounce: None }
}

fn unsaid(phase: Phase, text: String) -> Reply {
    Reply { phase, code: None, status: None, text }
}
