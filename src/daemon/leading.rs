//! What one daemon at a time does, the one that leads: it takes manuscripts to the press, makes digests, tells the hub and webhooks.

use std::{sync::Arc, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Bells, Error, apart, blocking, causes, digesting, guarded, watching};
use crate::{
    bounce, bounce::Returns, clock::Clock, config::Newsroom, config::Role, hub, ledger, ledger::Lead,
    metrics::Metrics, press, press::Press, webhooks, webhooks::Webhook, webhooks::Webhooks,
};

/// How often somebody who would lead asks whether anybody does.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// How often that is asked at the start, and how long one waits between.
const ATTEMPTS: u32 = 4;
const BETWEEN: Duration = Duration::from_millis(100);

/// How long until it is asked again after the ledger could not answer.
const AFTER_ERROR: Duration = Duration::from_secs(5);

/// What the one who leads works with.
pub(super) struct Parts {
    pub(super) newsroom: Newsroom,
    pub(super) press: Arc<Press>,
    pub(super) webhooks: Vec<Webhook>,
    pub(super) returns: Arc<Returns>,
    pub(super) clock: Clock,
    pub(super) bells: Bells,
    pub(super) metrics: Metrics,
}

/// A lead that has begun, and what comes in under it.
pub(super) struct Term {
    lead: Lead,
    gate: watching::Gate,
}

impl Parts {
    /// Begins to lead, unless another daemon does.
    ///
    /// # Errors
    /// When the ledger cannot be used.
    pub(super) async fn begin(&self) -> Result<Option<Term>, Error> {
        for attempt in 1..=ATTEMPTS {
            let press = Arc::clone(&self.press);
            if let Some(lead) = blocking(move || press.ledger.lead()).await? {
                return self.take_over(lead).await.map(Some);
            }
            // One that was just stopped, to be started again, may not be gone yet.
            if attempt < ATTEMPTS {
                tokio::time::sleep(BETWEEN).await;
            }
        }
        tracing::info!("another daemon leads; this one takes over when it does so no more");
        Ok(None)
    }

    async fn take_over(&self, lead: Lead) -> Result<Term, Error> {
        let (press, newsroom) = (Arc::clone(&self.press), self.newsroom.clone());
        let (metrics, now, epoch) = (self.metrics.clone(), self.clock.now(), lead.epoch);
        let gate = blocking(move || {
            press::remove_former_locks(&press.data, epoch);
            digesting::ask_about_old(&press, now)?;
            watching::Gate::open(&newsroom, &*press.ledger, metrics).map_err(Error::from)
        });
        Ok(Term { gate: gate.await?, lead })
    }

    /// Leads as long as nobody else does, and waits for that, until `stop`. A part that dies cancels `broken`.
    pub(super) async fn work(
        self,
        mut term: Option<Term>,
        broken: CancellationToken,
        stop: CancellationToken,
    ) {
        while !stop.is_cancelled() {
            match term.take() {
                Some(term) => {
                    if let Err(error) = self.lead(term, &broken, &stop).await {
                        tracing::error!("this daemon cannot lead: {}", causes(&error));
                    }
                }
                None => match self.wait(&stop).await {
                    Ok(next) => term = next,
                    Err(error) => {
                        tracing::error!(
                            "it cannot be found out who leads: {}; it is tried again",
                            causes(&error)
                        );
                        tokio::select! {
                            () = tokio::time::sleep(AFTER_ERROR) => {}
                            () = stop.cancelled() => {}
                        }
                    }
                },
            }
        }
    }

    /// Asks once more whether anybody leads.
    async fn wait(&self, stop: &CancellationToken) -> Result<Option<Term>, Error> {
        tokio::select! {
            () = tokio::time::sleep(ASK_EVERY) => {}
            () = stop.cancelled() => return Ok(None),
        }
        let press = Arc::clone(&self.press);
        match blocking(move || press.ledger.lead()).await? {
            Some(lead) => self.take_over(lead).await.map(Some),
            None => Ok(None),
        }
    }

    /// Does the work of the one who leads, until that ends.
    async fn lead(
        &self,
        term: Term,
        broken: &CancellationToken,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let Term { lead, gate } = term;
        let over = stop.child_token();
        let guard = || broken.clone().drop_guard();
        let work = TaskTracker::new();
        let (press, clock, bells) = (&self.press, &self.clock, &self.bells);
        if lead.epoch > 0 {
            tracing::info!(epoch = lead.epoch, "this daemon leads");
            if !self.newsroom.roles().has(Role::Inbox) {
                tracing::warn!(
                    "it does not look at the inbox: what is saved there comes out when another one leads; give it the role `inbox`, too"
                );
            }
        }
        self.metrics.press.leads(true);
        let watching = watching::watch(gate, Arc::clone(press), clock.clone(), bells.clone(), over.clone());
        work.spawn(guarded(guard(), apart("press", watching)?));
        let digesting =
            digesting::make_digests(Arc::clone(press), clock.clone(), bells.clone(), over.clone());
        work.spawn(guarded(guard(), digesting));
        let telling = hub::run(press.publication.clone(), Arc::clone(&bells.hub), over.clone());
        work.spawn(guarded(guard(), telling));
        work.spawn(guarded(guard(), webhooks::run(self.webhooks(), over.clone())));
        if let Some(maildir) = self.newsroom.maildir() {
            let taking = bounce::watch(Arc::clone(&self.returns), maildir, over.clone());
            work.spawn(guarded(guard(), taking));
        }
        work.close();
        tokio::select! {
            () = lead.ended().cancelled_owned() => {
                tracing::warn!("this daemon leads no more: its connection to the ledger has ended, or another one leads");
            }
            () = stop.cancelled() => {}
        }
        over.cancel();
        work.wait().await;
        self.metrics.press.leads(false);
        Ok(())
    }

    fn webhooks(&self) -> Webhooks {
        Webhooks {
            publication: self.press.publication.clone(),
            ledger: Arc::clone(&self.press.ledger) as Arc<dyn ledger::Ledger>,
            webhooks: self.webhooks.clone(),
            clock: self.clock.clone(),
            news: self.bells.news.clone(),
        }
    }
}
