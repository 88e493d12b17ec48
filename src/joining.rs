//! Joining: somebody is entered as pending, and gets one letter that asks. Only the owner of an address can confirm it.

use jiff::{SignedDuration, Timestamp};

use crate::{
    editions, ledger, ledger::Entered, ledger::Entry, ledger::Ledger, mail::Letterhead, subscriber::Consent,
    subscriber::Standing, subscriber::SubscriberId,
};

/// How long a letter that asks stands for all that follow it: who fills in a form ten times gets one letter a day.
const ASK_AGAIN: SignedDuration = SignedDuration::from_hours(24);

/// Somebody could not join, through no fault of his or her own.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The ledger could not be used.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The letter that asks could not be printed.
    #[error("cannot print the letter that asks for a confirmation")]
    Letter(#[source] editions::Error),
}

/// What came of a wish to join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// A letter that asks is on its way.
    Asked(SubscriberId),
    /// A letter that asks was sent within a day; nothing was done.
    AskedBefore(SubscriberId),
    /// There is nothing to ask: the ledger says why.
    Not(Entered),
}

/// Enters somebody who asked, and asks the owner of the address. Whoever has left may ask anew; who complained may not.
///
/// # Errors
/// See [`Error`]; asked again it does what was left undone.
pub fn ask(ledger: &dyn Ledger, head: &Letterhead, entry: Entry, now: Timestamp) -> Result<Joined, Error> {
    let language = entry.preferences.wish.language.clone();
    let consent = Consent { confirmed: None, ..entry.consent };
    let entry = Entry { standing: Standing::Pending, anew: true, consent, ..entry };
    let entered = ledger.enter(vec![entry])?.pop().unwrap_or(Entered::WasForgotten);
    let id = match entered {
        Entered::New(id) | Entered::Changed(id) | Entered::Already(id) => id,
        Entered::HadLeft(_) | Entered::IsSuppressed(_) | Entered::WasForgotten => {
            return Ok(Joined::Not(entered));
        }
    };
    let pending = ledger.subscriber_of(id)?.is_some_and(|known| known.standing == Standing::Pending);
    if !pending {
        return Ok(Joined::Not(entered));
    }
    let newest = ledger.history(id, 1)?.pop();
    if newest.is_some_and(|sent| now.duration_since(sent.queued) < ASK_AGAIN)
        && matches!(entered, Entered::Already(_))
    {
        return Ok(Joined::AskedBefore(id));
    }
    let confirm = format!("{}confirm/{}", head.sender.leave_url, head.leave_key.confirmation(id));
    let letter =
        editions::confirmation(&head.publication, language.as_ref(), &confirm).map_err(Error::Letter)?;
    ledger.ask(&head.publication, id, &letter, now)?;
    Ok(Joined::Asked(id))
}
