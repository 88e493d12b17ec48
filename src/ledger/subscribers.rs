//! What the ledger knows of subscribers: who asked, what they wish, and why we may not write to some.

use jiff::Timestamp;

use super::Error;
use crate::{
    delivery::Bounce, delivery::DigestId, delivery::Kind, delivery::Reply, delivery::State,
    subscriber::Address, subscriber::Consent, subscriber::Pace, subscriber::Preferences,
    subscriber::Standing, subscriber::Subscriber, subscriber::SubscriberId, subscriber::Suppression,
};

/// Somebody to be entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where to write.
    pub address: Address,
    /// What he or she is to be: pending or confirmed; an import also brings those who left and must not be written to.
    pub standing: Standing,
    /// Why not, for one who is suppressed.
    pub suppression: Option<Suppression>,
    /// How he or she asked.
    pub consent: Consent,
    /// What he or she wishes.
    pub preferences: Preferences,
    /// That somebody who had left, or whose mailbox was given up, has asked anew. Who complained or was forgotten does not come
    /// back even so.
    pub anew: bool,
    /// The link by which he or she could leave in letters of the program that wrote before: path and query, or a word in them that no
    /// other reader's link has.
    pub old_link: Option<String>,
}

impl Entry {
    /// Somebody who asked just now, and for whom `how` vouches.
    #[must_use]
    pub fn confirmed(address: Address, how: &str, now: Timestamp) -> Self {
        let consent = Consent { at: now, how: how.to_owned(), from: None, confirmed: Some(now) };
        let standing = Standing::Confirmed;
        Self {
            address,
            standing,
            suppression: None,
            consent,
            preferences: Preferences::default(),
            anew: false,
            old_link: None,
        }
    }
}

/// What came of entering somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entered {
    /// Is there now.
    New(SubscriberId),
    /// Was there with another standing, and has the entry's now.
    Changed(SubscriberId),
    /// Was there already; nothing was changed.
    Already(SubscriberId),
    /// Had left, and was not brought back.
    HadLeft(SubscriberId),
    /// Must not be written to, and was not brought back.
    IsSuppressed(SubscriberId),
    /// Was forgotten at his or her own wish, and does not come back by an import.
    WasForgotten,
}

impl Entered {
    /// The subscriber, if there is one with this address.
    #[must_use]
    pub fn id(self) -> Option<SubscriberId> {
        match self {
            Self::New(id)
            | Self::Changed(id)
            | Self::Already(id)
            | Self::HadLeft(id)
            | Self::IsSuppressed(id) => Some(id),
            Self::WasForgotten => None,
        }
    }
}

/// One letter in the history of a subscriber.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Sent {
    /// The digest.
    pub digest: DigestId,
    /// What it was.
    pub kind: Kind,
    /// What it covered.
    pub period: String,
    /// Its subject line.
    pub subject: String,
    /// The address it went to.
    pub address: Address,
    /// What has become of it.
    pub state: State,
    /// How often it was offered.
    pub attempts: u32,
    /// When it was queued.
    pub queued: Timestamp,
    /// When it is offered next, while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// When the last was heard of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled: Option<Timestamp>,
    /// What was heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
}

/// The part of the ledger that is about people.
pub trait Subscribers: Send + Sync {
    /// Enters people, each with what came of it, in their order: all of them or nobody.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn enter(&self, entries: Vec<Entry>) -> Result<Vec<Entered>, Error>;

    /// Enters one subscriber who has confirmed, or lets one back in who had left.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn subscribe(&self, address: &Address, how: &str, now: Timestamp) -> Result<Entered, Error> {
        let entry = Entry { anew: true, ..Entry::confirmed(address.clone(), how, now) };
        Ok(self.enter(vec![entry])?.pop().unwrap_or(Entered::WasForgotten))
    }

    /// Confirms a subscription that is pending. Says whether anything changed: somebody who has left stays away.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn confirm(&self, id: SubscriberId, now: Timestamp) -> Result<bool, Error>;

    /// Changes what a subscriber wishes, from the next digest on. Says whether there is such a subscriber.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn prefer(&self, id: SubscriberId, preferences: &Preferences) -> Result<bool, Error>;

    /// Takes a subscriber out and cancels the letters that wait for him or her; one who has not confirmed says by this that it was
    /// somebody else who asked, and is suppressed. Says whether anything changed.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn leave(&self, id: SubscriberId, now: Timestamp) -> Result<bool, Error>;

    /// Notes that an address must not be written to, and cancels the letters that wait for it. Says whether anything changed:
    /// who has left stays so.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn suppress(&self, id: SubscriberId, suppression: &Suppression) -> Result<bool, Error>;

    /// Enters reports, and suppresses the address of each of whom [`crate::delivery::judge`] says so. A report that is known is
    /// not entered twice. Gives whom we stopped writing to.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn bounce(&self, bounces: Vec<Bounce>, now: Timestamp) -> Result<Vec<SubscriberId>, Error>;

    /// Erases a subscriber with all letters and reports, and keeps a hash by which [`Subscribers::enter`] knows the address
    /// again. Says whether there was such a subscriber.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn erase(&self, id: SubscriberId, now: Timestamp) -> Result<bool, Error>;

    /// The subscriber of an address.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn subscriber(&self, address: &Address) -> Result<Option<Subscriber>, Error>;

    /// The subscriber of a number.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn subscriber_of(&self, id: SubscriberId) -> Result<Option<Subscriber>, Error>;

    /// The subscriber who could leave by a link in letters of the program that wrote before; see [`Entry::old_link`].
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn owner_of_link(&self, link: &str) -> Result<Option<SubscriberId>, Error>;

    /// Subscribers in the order in which they came, after `after`, at most `most`: a page of the list.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn subscribers(&self, after: SubscriberId, most: usize) -> Result<Vec<Subscriber>, Error>;

    /// How many subscribers have a standing.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn count(&self, standing: Standing) -> Result<u64, Error>;

    /// Subscribers whose address has `part` in it, whatever its case, after `after`, at most `most`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn subscribers_with(
        &self,
        part: &str,
        after: SubscriberId,
        most: usize,
    ) -> Result<Vec<Subscriber>, Error>;

    /// How many more subscribers were confirmed at the end of each day (by UTC) than at its beginning, for every day on which
    /// that changed.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn growth(&self) -> Result<Vec<(Timestamp, i64)>, Error>;

    /// How many are pending who asked at `since` or later.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn n_pending(&self, since: Timestamp) -> Result<u64, Error>;

    /// How many confirmed subscribers have a pace.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn readers(&self, pace: Pace) -> Result<u64, Error>;

    /// Every letter to a subscriber, the newest first, at most `most`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn history(&self, id: SubscriberId, most: usize) -> Result<Vec<Sent>, Error>;

    /// Every report about a subscriber, the oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn bounces(&self, id: SubscriberId) -> Result<Vec<Bounce>, Error>;
}
