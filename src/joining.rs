//! Joining: somebody is entered as pending, and gets one letter that asks. Only the owner of an address can confirm it.

use jiff::{SignedDuration, Timestamp};

use crate::{
    delivery::Kind, editions, ledger, ledger::Entered, ledger::Entry, ledger::Ledger, ledger::Sent,
    mail::Letterhead, subscriber::Consent, subscriber::Standing, subscriber::SubscriberId,
    subscriber::Suppression, subscriber::SuppressionReason,
};

/// How long a letter that asks stands for all that follow it: who fills in a form ten times gets one letter a day.
const ASK_AGAIN: SignedDuration = SignedDuration::from_hours(24);

/// How many letters that ask an address gets until it answers. Forms are filled in with the addresses of others, who do not answer.
const MOST_LETTERS: usize = 3;

/// How long the button of a letter that asks can be pressed. A letter is tried for five days until it arrives.
pub const CONFIRM_WITHIN: SignedDuration = SignedDuration::from_hours(7 * 24);

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
    /// Letters that ask were sent as often as may be, and nobody has answered; nothing was done.
    AskedOften(SubscriberId),
    /// There is nothing to ask: the ledger says why.
    Not(Entered),
}

/// Enters somebody who asked, and asks the owner of the address. Whoever has left may ask anew, or whose mailbox was given up;
/// who complained may not, nor an address that the operator suppressed.
///
/// # Errors
/// See [`Error`]; asked again it does what was left undone.
pub fn ask(ledger: &dyn Ledger, head: &Letterhead, entry: Entry, now: Timestamp) -> Result<Joined, Error> {
    let language = entry.preferences.wish.language.clone();
    let before = ledger.subscriber(&entry.address)?;
    let by_operator = |why: &Suppression| why.reason == SuppressionReason::Operator;
    if let Some(known) = before.as_ref().filter(|known| known.suppression.as_ref().is_some_and(by_operator)) {
        return Ok(Joined::Not(Entered::IsSuppressed(known.id)));
    }
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
    let history = ledger.history(id, MOST_LETTERS)?;
    // Only a reader's own click makes somebody leave.
    let had_left = before.is_some_and(|known| known.standing == Standing::Left);
    let within_a_day = |sent: &Sent| now.duration_since(sent.queued) < ASK_AGAIN;
    if !had_left && history.first().is_some_and(within_a_day) {
        return Ok(Joined::AskedBefore(id));
    }
    if history.len() == MOST_LETTERS && history.iter().all(|sent| sent.kind == Kind::Confirmation) {
        return Ok(Joined::AskedOften(id));
    }
    let token = head.leave_key.confirmation(id, now + CONFIRM_WITHIN);
    let confirm = format!("{}confirm/{token}", head.sender.leave_url);
    let letter = editions::confirmation(&head.publication, language.as_ref(), &confirm);
    ledger.ask(&head.publication, id, &letter.map_err(Error::Letter)?, now)?;
    Ok(Joined::Asked(id))
}
