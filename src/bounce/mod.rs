//! What comes back: reports that a letter did not arrive or was unwanted, and wishes to leave, by every way they come.
//!
//! A report counts when an address in it proves that it is about a letter of ours: the return path, which only who got the letter
//! knows (VERP with a MAC), or when a provider tells it who knows our secret. Of any other, that names a letter of ours by its
//! `Message-ID`, the reader's record says that it came; it weighs nothing ([`UNPROVEN`]). The rest is left.

mod lmtp;
mod maildir;
mod report;
mod webhooks;
mod words;

use std::sync::Arc;

use jiff::Timestamp;

pub use self::{
    lmtp::{Door, Listening, listen, serve},
    maildir::watch,
    report::{Content, Report, Returned, read},
    webhooks::{Event, PROVIDERS, Unreadable, events},
};
use crate::{
    clock::Clock, delivery::Bounce, delivery::BounceKind, delivery::DigestId, delivery::ReturnKey,
    delivery::UNPROVEN, ledger, ledger::Ledger, publication::Publication, subscriber::Address,
    subscriber::LeaveKey, subscriber::Pace, subscriber::SubscriberId,
};

/// How many letters of a reader are looked through for the one that a report names.
const HISTORY: usize = 200;

/// The most bytes of a letter that are read; what follows is the copy of our own letter.
pub const MOST_BYTES: usize = 1024 * 1024;

/// Where everything that comes back is dealt with.
pub struct Returns {
    /// The periodical.
    pub publication: Publication,
    /// What must survive.
    pub ledger: Arc<dyn Ledger>,
    /// The key of the return paths.
    pub return_key: ReturnKey,
    /// The key of the addresses for leaving.
    pub leave_key: LeaveKey,
    /// What time it is.
    pub clock: Clock,
}

/// What an address of ours is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ours {
    /// One letter comes back to it.
    Return(DigestId, SubscriberId),
    /// Its reader leaves by writing to it.
    Leave(SubscriberId),
}

/// What was done with what came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Reports were entered, of which so many were enough to stop writing to somebody.
    Reports(usize),
    /// A reader has left.
    Left,
    /// Nothing, for this reason.
    Nothing(&'static str),
}

impl Returns {
    /// What an address is for, if it is one that only we can make.
    #[must_use]
    pub fn ours(&self, address: &str) -> Option<Ours> {
        let (local, _) = address.rsplit_once('@')?;
        let returned =
            || self.return_key.check(local).map(|(digest, subscriber)| Ours::Return(digest, subscriber));
        returned().or_else(|| self.leave_key.check_local_part(local).map(Ours::Leave))
    }

    /// Deals with a letter that came to the addresses of `envelope`, where those are known, and to those in its header. Done twice
    /// it does the same.
    ///
    /// # Errors
    /// When the ledger cannot be used; then nothing was done, and it can be tried again.
    pub fn take(&self, letter: &[u8], envelope: &[String]) -> Result<Taken, ledger::Error> {
        let returned = read(&letter[..letter.len().min(MOST_BYTES)]);
        let proofs: Vec<Ours> =
            envelope.iter().chain(&returned.addresses).filter_map(|address| self.ours(address)).collect();
        let reports = match &returned.content {
            Content::Reports(reports) => reports,
            Content::Nothing(why) => return Ok(Taken::Nothing(why)),
            Content::Words => {
                let leaves = proofs.iter().find_map(|ours| match ours {
                    Ours::Leave(subscriber) => Some(*subscriber),
                    Ours::Return(..) => None,
                });
                let Some(subscriber) = leaves else {
                    return Ok(Taken::Nothing("it is no report, and no wish to leave"));
                };
                self.ledger.leave(subscriber, self.clock.now())?;
                return Ok(Taken::Left);
            }
        };
        let proof = proofs.iter().find_map(|ours| match ours {
            Ours::Return(digest, subscriber) => Some((*digest, *subscriber)),
            Ours::Leave(_) => None,
        });
        if let Some((digest, subscriber)) = proof {
            let Some(report) = self.about(reports, subscriber)? else {
                return Ok(Taken::Nothing("its reader is not known any more"));
            };
            let source = if report.kind == BounceKind::Complaint { "complaint" } else { "report" };
            return self.enter(vec![bounce(report, subscriber, Some(digest), source, self.clock.now())]);
        }
        let Some((digest, subscriber)) =
            returned.message_id.as_deref().map(|id| self.letter_of(id)).transpose()?.flatten()
        else {
            return Ok(Taken::Nothing("nothing in it proves that it is about a letter of ours"));
        };
        let Some(report) = reports.first() else { return Ok(Taken::Nothing("it says nothing")) };
        self.enter(vec![bounce(report, subscriber, Some(digest), UNPROVEN, self.clock.now())])
    }

    /// Deals with what a provider tells who has proved who it is.
    ///
    /// # Errors
    /// When the ledger cannot be used; then nothing was done, and it can be tried again.
    pub fn told(&self, provider: &str, events: &[Event]) -> Result<Taken, ledger::Error> {
        let (now, mut bounces, mut left) = (self.clock.now(), Vec::new(), false);
        for event in events {
            let Some((digest, subscriber)) = self.meant(event)? else { continue };
            match &event.report {
                Some(report) => bounces.push(bounce(report, subscriber, digest, provider, now)),
                None => left |= self.ledger.leave(subscriber, now)?,
            }
        }
        if bounces.is_empty() {
            return Ok(if left { Taken::Left } else { Taken::Nothing("it concerns no reader of ours") });
        }
        self.enter(bounces)
    }

    fn enter(&self, bounces: Vec<Bounce>) -> Result<Taken, ledger::Error> {
        let stopped = self.ledger.bounce(bounces, self.clock.now())?;
        if !stopped.is_empty() {
            tracing::info!(
                subscribers = stopped.len(),
                "letters to mailboxes that take none, or to who complained, end"
            );
        }
        Ok(Taken::Reports(stopped.len()))
    }

    /// The report of several that is about a reader: the one that names the address; else the mildest, for a list behind the
    /// address may have many members, of whom one is gone.
    fn about<'r>(
        &self,
        reports: &'r [Report],
        subscriber: SubscriberId,
    ) -> Result<Option<&'r Report>, ledger::Error> {
        let Some(subscriber) = self.ledger.subscriber_of(subscriber)? else { return Ok(None) };
        let is = |report: &&Report| {
            report.recipient.as_deref().is_some_and(|recipient| {
                recipient.eq_ignore_ascii_case(subscriber.address.as_str())
                    || subscriber
                        .preferences
                        .device
                        .as_ref()
                        .is_some_and(|device| recipient.eq_ignore_ascii_case(device.as_str()))
            })
        };
        let mildest = || reports.iter().min_by_key(|report| report.kind != BounceKind::Soft);
        Ok(reports.iter().find(is).or_else(mildest))
    }

    /// Whose letter of which digest an event is about: by the return path, the `Message-ID`, or the address that it went to.
    fn meant(&self, event: &Event) -> Result<Option<(Option<DigestId>, SubscriberId)>, ledger::Error> {
        let proof = event.sender.as_deref().and_then(|sender| self.ours(sender));
        if let Some(Ours::Return(digest, subscriber)) = proof {
            return Ok(Some((Some(digest), subscriber)));
        }
        let named = event.message_id.as_deref().map(|id| self.letter_of(id)).transpose()?.flatten();
        if let Some((digest, subscriber)) = named {
            return Ok(Some((Some(digest), subscriber)));
        }
        let Some(address) = event.recipient.as_deref().and_then(|text| Address::parse(text).ok()) else {
            return Ok(None);
        };
        let Some(subscriber) = self.ledger.subscriber(&address)? else { return Ok(None) };
        // The same event may be told twice; as one about the last letter it counts once.
        let last = self.ledger.history(subscriber.id, 1)?.first().map(|sent| sent.digest);
        Ok(Some((last, subscriber.id)))
    }

    /// Whose letter of which digest has that `Message-ID` (see `mail::Letter`), if it was sent.
    fn letter_of(&self, message_id: &str) -> Result<Option<(DigestId, SubscriberId)>, ledger::Error> {
        let parts = message_id
            .trim_matches(['<', '>', ' '])
            .split('@')
            .next()
            .and_then(|local| local.strip_prefix(self.publication.key.as_str())?.strip_prefix('.'))
            .and_then(|rest| rest.rsplit_once('.'));
        let Some((label, subscriber)) = parts else { return Ok(None) };
        let Ok(subscriber) = subscriber.parse().map(SubscriberId) else { return Ok(None) };
        let named = label
            .split_once('.')
            .and_then(|(pace, period)| Some((Pace::parse(pace)?, period.to_uppercase())));
        let (pace, period) = named.unwrap_or_else(|| (Pace::Each, label.to_owned()));
        let Some(digest) = self.ledger.digest_of(&self.publication, pace, &period)? else { return Ok(None) };
        let sent = self.ledger.history(subscriber, HISTORY)?;
        Ok(sent.iter().any(|sent| sent.digest == digest.id).then_some((digest.id, subscriber)))
    }
}

fn bounce(
    report: &Report,
    subscriber: SubscriberId,
    digest: Option<DigestId>,
    source: &str,
    at: Timestamp,
) -> Bounce {
    Bounce {
        subscriber,
        digest,
        at,
        kind: report.kind,
        source: source.to_owned(),
        status: report.status.clone(),
        text: report.text.clone(),
    }
}

#[cfg(test)]
mod tests;
