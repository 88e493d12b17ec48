//! What the ledger knows of digests: frozen with their readers, each letter claimed, offered and settled.

use jiff::Timestamp;

use super::{Error, Queued};
use crate::{
    delivery::AttachedBook, delivery::BounceKind, delivery::Claim, delivery::Company, delivery::Delivery,
    delivery::Digest, delivery::DigestId, delivery::DigestStatus, delivery::Printing, delivery::PrintingId,
    delivery::Reply, delivery::Settlement, delivery::State, editions::Letter, issue::IssueKey,
    publication::Publication, subscriber::Address, subscriber::Pace, subscriber::SubscriberId,
    subscriber::Wish,
};

/// What is done when settlements are on the disk, or could not be written. It is called by whoever writes, so it only passes the
/// word on.
pub type Then = Box<dyn FnOnce(Result<u64, Error>) + Send>;

/// A digest to be frozen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// How often its readers get one.
    pub pace: Pace,
    /// What it covers.
    pub period: String,
    /// The issues that it tells of, in the order in which they came out.
    pub issues: Vec<IssueKey>,
    /// What came out after that
    pub since: Timestamp,
    /// and until then is in it.
    pub until: Timestamp,
    /// Whether its letters go out at once.
    pub status: DigestStatus,
    /// What those get who wish the same; `None` for a wish for which there is nothing in these issues.
    pub printings: Vec<(Wish, Option<Words>)>,
}

/// A letter and the books that come with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The letter.
    pub letter: Letter,
    /// The books.
    pub books: Vec<AttachedBook>,
}

/// A digest with the state of its letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestLine {
    /// The digest.
    pub digest: Digest,
    /// Its subject line.
    pub subject: String,
    /// How its letters stand, for every state that any has.
    pub letters: Vec<(State, u64)>,
}

impl DigestLine {
    /// How many of its letters are in a state.
    #[must_use]
    pub fn count(&self, state: State) -> u64 {
        self.letters.iter().find(|(known, _)| *known == state).map_or(0, |(_, n)| *n)
    }
}

/// One letter that is not settled for good, or was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The subscriber.
    pub subscriber: SubscriberId,
    /// Where to.
    pub address: Address,
    /// What has become of it.
    pub state: State,
    /// How often it was offered.
    pub attempts: u32,
    /// When it is offered next, while it waits.
    pub due: Option<Timestamp>,
    /// The last that was heard.
    pub reply: Option<Reply>,
}

/// The part of the ledger that is about letters.
pub trait Digests: Send + Sync {
    /// What the confirmed subscribers of a pace wish, each wish once.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn wishes(&self, pace: Pace) -> Result<Vec<Wish>, Error>;

    /// Freezes a digest, with a letter for everybody who is confirmed now and has its pace. Where somebody wishes what the draft
    /// has no printing for, nothing is done and [`Queued::Missing`] says so. A digest that exists stays as it is.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn freeze(&self, publication: &Publication, draft: &Draft, now: Timestamp) -> Result<Queued, Error>;

    /// The digests that tell of an issue that was withdrawn before all their letters were out. These wait until
    /// [`Digests::print_anew`].
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn stale(&self, publication: &Publication) -> Result<Vec<Digest>, Error>;

    /// The wishes that a digest has printings for.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn printed_for(&self, id: DigestId) -> Result<Vec<Wish>, Error>;

    /// Puts new words in the place of a digest's printings, and lets the letters go that wait; those whose readers find nothing in
    /// it any more are cancelled.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn print_anew(
        &self,
        id: DigestId,
        issues: &[IssueKey],
        printings: &[(Wish, Option<Words>)],
        now: Timestamp,
    ) -> Result<(), Error>;

    /// Queues the letter that asks a pending subscriber to confirm, instead of one that still waits. Says whether the
    /// subscriber is pending.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn ask(
        &self,
        publication: &Publication,
        id: SubscriberId,
        letter: &Letter,
        now: Timestamp,
    ) -> Result<bool, Error>;

    /// The digest of a pace that covers the latest time.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn last_digest(&self, publication: &Publication, pace: Pace) -> Result<Option<Digest>, Error>;

    /// The digest of a publication, kind and period.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn digest_of(&self, publication: &Publication, pace: Pace, period: &str)
    -> Result<Option<Digest>, Error>;

    /// Digests, the newest first, at most `most`; letters that ask for a confirmation are not among them.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn digests(&self, publication: &Publication, most: usize) -> Result<Vec<DigestLine>, Error>;

    /// The same, of those that are older than `before`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn digests_before(
        &self,
        publication: &Publication,
        before: DigestId,
        most: usize,
    ) -> Result<Vec<DigestLine>, Error>;

    /// One digest with the state of its letters.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn digest(&self, id: DigestId) -> Result<Option<DigestLine>, Error>;

    /// How the letters of a digest were taken by their servers: how many by each of at most some hundred times, in their order. The
    /// last has all that were taken so far.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn course(&self, id: DigestId) -> Result<Vec<(Timestamp, u64)>, Error>;

    /// The letters of a digest in a state, by the number of their subscriber, after `after`, at most `most`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn letters(
        &self,
        id: DigestId,
        state: State,
        after: SubscriberId,
        most: usize,
    ) -> Result<Vec<Trouble>, Error>;

    /// What was said of a digest's letters after their servers had answered, by reports, complaints and providers: the kind, who
    /// said it, and of how many letters.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn said_afterwards(&self, id: DigestId) -> Result<Vec<(BounceKind, String, u64)>, Error>;

    /// Stops the letters of a digest, or lets them go (on). Those of an issue that is held back stay. Says whether anything
    /// changed.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn set_digest_status(&self, id: DigestId, status: DigestStatus, now: Timestamp) -> Result<bool, Error>;

    /// Makes the operator say about digests that were frozen before `before` and have letters that wait: they get the status
    /// [`DigestStatus::Asking`]. Gives them.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn ask_about_old(&self, before: Timestamp, now: Timestamp) -> Result<Vec<Digest>, Error>;

    /// Queues again the letters of a digest that are in a state, such as the failed ones, with five days of their own, but for
    /// readers who may not be written to any more. Gives how many.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn retry(&self, id: DigestId, state: State, now: Timestamp) -> Result<u64, Error>;

    /// A printing by its number.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn printing(&self, id: PrintingId) -> Result<Option<Printing>, Error>;

    /// Claims letters that are due, until `lease`, at most `most`, the longest due first: those never offered are due at once,
    /// whatever the clock said when they were queued. Letters to the domains of `except` are left alone, and those to
    /// subscribers who may not be written to are cancelled. What is not settled when the lease ends may be claimed again. While letters
    /// are held ([`super::Keeping::holds_letters`]), none is given.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn claim(&self, now: Timestamp, lease: Timestamp, most: usize, except: &[String])
    -> Result<Claim, Error>;

    /// Of letters that were claimed, those that still are: their subscriber may have left since, or their issue be withdrawn.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn still_claimed(
        &self,
        letters: &[(DigestId, SubscriberId)],
    ) -> Result<Vec<(DigestId, SubscriberId)>, Error>;

    /// Records how attempts ended, and the reports that follow from them. A letter that is no longer claimed (its subscriber left)
    /// keeps a `delivered`. Gives how many times letters have been taken back from their lanes by now: see [`Claim::is_sure`].
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn settle(&self, settlements: &[Settlement], now: Timestamp) -> Result<u64, Error>;

    /// [`Digests::settle`] for one who must not wait: returns at once, and calls `then` with what that gives. Those that come while
    /// others are written are committed together.
    fn settle_then(&self, settlements: Vec<Settlement>, now: Timestamp, then: Then);

    /// Gives letters back that were claimed and never offered: they are queued again, and count no attempt.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn give_back(&self, letters: &[Delivery]) -> Result<(), Error>;

    /// Queues again what a process that died had claimed. Gives how many letters that were: each may have been on its way.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn release_claims(&self) -> Result<u64, Error>;

    /// Says that this process, which claims letters, is at work until `until` at least, and that these domains found it too quick until
    /// then. What others have of whom nothing was heard for longer than they had said is queued again. All clocks must agree as well as
    /// `until` is later than `now`. Where nobody else can claim letters, nothing is done.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn keep_claims(
        &self,
        now: Timestamp,
        until: Timestamp,
        closed: Vec<(String, Timestamp)>,
    ) -> Result<Company, Error>;

    /// When the next letter is due, if any waits.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn next_due(&self) -> Result<Option<Timestamp>, Error>;
}
