//! Tells programs of others what has happened: an issue is out, corrected or withdrawn, a digest is finished.
//!
//! What is told waits in the ledger, entered with what it tells of, so that no publish and no letter waits for anybody's server, and
//! nothing is lost with the process. It is signed as the Standard Webhooks specification says, and has the same `webhook-id` each
//! time that it is tried.

mod bodies;
mod signing;

use std::{collections::HashMap, sync::Arc, time::Duration};

use hyper::{
    HeaderMap, StatusCode,
    header::{self, HeaderName, HeaderValue},
};
use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;

pub use signing::Secret;

use crate::{
    bell::Bell, clock::Clock, courier, ledger, ledger::EventKind, ledger::Ledger, ledger::Telling,
    ledger::Told, publication::Publication,
};

/// After how long somebody is told again who did not take it: some three days in all, as the specification advises.
const AGAIN: [SignedDuration; 9] = [
    SignedDuration::from_secs(5),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(5),
    SignedDuration::from_hours(10),
    SignedDuration::from_hours(14),
    SignedDuration::from_hours(20),
    SignedDuration::from_hours(24),
];

/// How long what was told, or given up, is remembered.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 30);

/// How long those may take who are being told when we stop.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How many are told at once.
const AT_ONCE: usize = 16;

/// How many events are written at a time.
const PAGE: usize = 100;

/// How long what rings is gathered.
const GATHER: Duration = Duration::from_millis(500);

/// How long it may take until something is seen of which no bell told, such as what a command beside the daemon did.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// One who is told.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Where.
    pub url: Url,
    /// What the signature is made with.
    pub secret: Secret,
    /// Of what; of everything where nothing is named.
    pub events: Vec<EventKind>,
}

impl Webhook {
    fn wants(&self, kind: EventKind) -> bool {
        self.events.is_empty() || self.events.contains(&kind)
    }
}

/// All who are told what happens in a newsroom.
pub struct Webhooks {
    /// The periodical.
    pub publication: Publication,
    /// Where it waits.
    pub ledger: Arc<dyn Ledger>,
    /// Who is told.
    pub webhooks: Vec<Webhook>,
    /// What time it is.
    pub clock: Clock,
    /// Rung when something may have happened, and when somebody was told.
    pub news: Bell,
}

/// Tells what happens, until `stop`. What is on its way then is told again at the next start.
pub async fn run(webhooks: Webhooks, stop: CancellationToken) {
    let webhooks = Arc::new(webhooks);
    let mut news = webhooks.news.listen();
    loop {
        let stopping = async {
            stop.cancelled().await;
            tokio::time::sleep(LAST_WORDS).await;
        };
        let next = tokio::select! {
            next = webhooks.tend() => next,
            () = stopping => return,
        };
        let due = async {
            match next {
                Some(next) => webhooks.clock.sleep_until(next).await,
                None => std::future::pending().await,
            }
        };
        let heard = async {
            news.heard().await;
            tokio::time::sleep(GATHER).await;
        };
        tokio::select! {
            () = due => {}
            () = heard => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}

impl Webhooks {
    /// Writes what has happened, tells what is due, and gives when the next is.
    async fn tend(self: &Arc<Self>) -> Option<Timestamp> {
        loop {
            let now = self.clock.now();
            let due = self
                .ask(move |it| {
                    it.ledger.find_finished(now)?;
                    it.write(now)?;
                    it.ledger.due_tellings(now, AT_ONCE)
                })
                .await?;
            if due.is_empty() {
                return self.ask(|it| it.ledger.next_telling()).await?;
            }
            let mut telling = JoinSet::new();
            for one in due {
                telling.spawn(Arc::clone(self).tell(one));
            }
            let mut is_recorded = true;
            while let Some(recorded) = telling.join_next().await {
                is_recorded &= recorded.is_ok_and(|recorded| recorded.is_some());
            }
            if !is_recorded {
                // It would be told again at once.
                return None;
            }
            self.news.ring();
        }
    }

    /// Asks the ledger; what it cannot do now it can do later.
    async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, ledger::Error> + Send + 'static,
    ) -> Option<T> {
        let it = Arc::clone(self);
        match tokio::task::spawn_blocking(move || work(&it)).await {
            Ok(Ok(done)) => Some(done),
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "webhooks cannot be told what has happened; it is tried again");
                None
            }
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }

    /// Writes what is told of each event, once: it stays the same whatever happens until it is taken.
    fn write(&self, now: Timestamp) -> Result<(), ledger::Error> {
        loop {
            let events = self.ledger.unwritten(PAGE)?;
            for event in &events {
                let wanted = self.webhooks.iter().filter(|webhook| webhook.wants(event.kind));
                let wanted: Vec<String> = wanted.map(|webhook| webhook.url.to_string()).collect();
                let body = match wanted.as_slice() {
                    [] => String::new(),
                    _ => bodies::body(event, &*self.ledger, &self.publication)?.to_string(),
                };
                self.ledger.write_event(event.id, &body, &wanted, now)?;
            }
            if events.len() < PAGE {
                return Ok(());
            }
        }
    }

    /// Tells one webhook of one event, and records what came of it.
    async fn tell(self: Arc<Self>, telling: Telling) -> Option<()> {
        let known: HashMap<&str, &Webhook> =
            self.webhooks.iter().map(|webhook| (webhook.url.as_str(), webhook)).collect();
        let answered = match known.get(telling.webhook.as_str()) {
            Some(webhook) => {
                let headers = headers(&webhook.secret, &telling, self.clock.now());
                Some(courier::post(&webhook.url, headers, telling.body.clone()).await)
            }
            None => None,
        };
        let now = self.clock.now();
        let (told, said) = judge(answered, telling.attempts, now);
        let forget = now.saturating_sub(REMEMBERED).unwrap_or(Timestamp::MIN);
        let (webhook, event) = (telling.webhook.clone(), telling.name.clone());
        match told {
            Told::Taken => tracing::debug!(webhook, event, "a webhook was told"),
            Told::Again(_) => {
                tracing::info!(webhook, event, "a webhook was not told: {said}; it is tried again");
            }
            Told::Failed => {
                tracing::warn!(webhook, event, "a webhook was not told, and is not any more: {said}");
            }
            Told::Ended => {
                tracing::warn!(
                    webhook,
                    "a webhook wants to be told nothing more; `gazetted webhooks resume` undoes that"
                );
            }
        }
        // What cannot be recorded is told once more.
        self.ask(move |it| it.ledger.settle_telling(&telling, told, &said, now, forget)).await
    }
}

/// What an answer means, and what is remembered of it.
fn judge(
    answered: Option<Result<StatusCode, courier::Cause>>,
    attempts: u32,
    now: Timestamp,
) -> (Told, String) {
    let again = || {
        let wait = usize::try_from(attempts).ok().and_then(|nth| AGAIN.get(nth));
        wait.map_or(Told::Failed, |wait| Told::Again(now.saturating_add(*wait).unwrap_or(Timestamp::MAX)))
    };
    match answered {
        None => (Told::Failed, "the settings do not name it any more".to_owned()),
        Some(Ok(StatusCode::GONE)) => (Told::Ended, "it answered `410 Gone`".to_owned()),
        Some(Ok(status)) if status.is_success() => (Told::Taken, format!("it answered `{status}`")),
        Some(Ok(status)) if status.is_redirection() => {
            (again(), format!("it answered `{status}`; redirects are not followed"))
        }
        Some(Ok(status)) => (again(), format!("it answered `{status}`")),
        Some(Err(cause)) => {
            let causes =
                std::iter::successors(Some(&*cause as &dyn std::error::Error), |error| error.source());
            (again(), causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
        }
    }
}

/// The headers of the specification.
fn headers(secret: &Secret, telling: &Telling, now: Timestamp) -> HeaderMap {
    let seconds = now.as_second();
    let signature = secret.sign(&telling.name, seconds, &telling.body);
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in [
        ("webhook-id", telling.name.clone()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", signature),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_take_it_is_told_again_for_three_days_and_who_is_gone_is_not() {
        let now = Timestamp::UNIX_EPOCH;
        let with = |status: u16, attempts| {
            judge(Some(Ok(StatusCode::from_u16(status).expect("a status"))), attempts, now).0
        };
        assert_eq!((with(204, 0), with(410, 0)), (Told::Taken, Told::Ended));
        let mut at = now;
        let mut attempts = 0;
        while let Told::Again(due) = judge(Some(Ok(StatusCode::FOUND)), attempts, at).0 {
            at = due;
            attempts += 1;
        }
        assert_eq!((attempts, at.duration_since(now).as_hours()), (9, 75));
        assert_eq!(with(500, 9), Told::Failed);
        assert_eq!(judge(None, 0, now).0, Told::Failed);
    }
}
