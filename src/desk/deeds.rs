//! What is done at the desk, whether an editor presses a button or a program asks for it: each deed once, below both.

use std::{ffi::OsStr, io, os::unix::ffi::OsStrExt as _, path::Path as FilePath, path::PathBuf, sync::Arc};

use super::{Desk, Failure, dropping};
use crate::{
    delivery::DigestId, delivery::DigestStatus, delivery::State as LetterState, durable::Laid, inbox,
    issue::IssueKey, issue::Status, joining, joining::Joined, ledger, ledger::Entered, ledger::Entry,
    ledger::Queued, mail, press::Verdict, subscriber::Address, subscriber::Consent, subscriber::Preferences,
    subscriber::SubscriberId,
};

/// Withdraws an issue, holds it back or gives it to readers. Says whether anything changed; `None` where there is no such issue.
pub(super) async fn set_status(
    desk: &Arc<Desk>,
    key: &IssueKey,
    status: Status,
) -> Result<Option<bool>, Failure> {
    let changed = desk
        .work({
            let key = key.clone();
            move |desk| {
                let known = desk.press.ledger.issue_line(desk.publication(), &key)?.is_some();
                if !known {
                    return Ok(None);
                }
                let source = desk.press.ledger.source_of(desk.publication(), &key)?;
                let changed = desk.press.set_status(&key, status, desk.clock.now())?;
                // What the editor was told of its waiting is true no longer.
                if let (Some(Verdict::Published(_)), Some(source)) = (&changed, source)
                    && let Err(error) =
                        inbox::tell(&desk.press.inbox, FilePath::new(OsStr::from_bytes(&source)), None)
                {
                    tracing::warn!(%error, "the note beside a manuscript cannot be removed");
                }
                Ok(Some(changed))
            }
        })
        .await
        .map_err(|error: crate::press::Error| Failure::fault(&error))?;
    let Some(changed) = changed else { return Ok(None) };
    tracing::info!(issue = key.as_str(), "an editor changed an issue, which is {} now", status.said());
    if let Some(Verdict::Published(receipt)) = &changed
        && receipt.queued != Queued::Before
    {
        desk.bells.mail.notify_one();
    }
    if changed.is_some() {
        desk.tell_changes();
    }
    Ok(Some(changed.is_some()))
}

/// What came of a file that was to correct an issue.
pub(super) enum Corrected {
    /// There is no file in the inbox that brought the issue, and that could be corrected.
    Nothing,
    /// The file that brought it has this name, whose ending is another.
    OtherForm(String),
    /// It was laid in the place of the one that brought the issue, and so has its key.
    Laid(Laid),
}

/// Takes a corrected file.
pub(super) async fn correct(
    desk: &Arc<Desk>,
    issue: IssueKey,
    given: &str,
    bytes: Vec<u8>,
) -> Result<Corrected, Failure> {
    let publication = desk.publication().clone();
    let source = desk.ask(move |ledger| ledger.source_of(&publication, &issue)).await?;
    let source = source.map(|source| FilePath::new(OsStr::from_bytes(&source)).to_owned());
    let path = source.and_then(|source| inbox::text_of(&desk.press.inbox, &source));
    let Some(path) = path else { return Ok(Corrected::Nothing) };
    let ending = |name: &str| name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if ending(given) != ending(&name) {
        return Ok(Corrected::OtherForm(name));
    }
    lay(desk, path, bytes, true).await.map(Corrected::Laid)
}

/// Lays a file into the inbox.
pub(super) async fn lay(
    desk: &Arc<Desk>,
    path: PathBuf,
    bytes: Vec<u8>,
    replace: bool,
) -> Result<Laid, Failure> {
    let laid = desk.work(move |_| dropping::lay(&path, &bytes, replace)).await;
    let laid = laid.map_err(|error: io::Error| Failure::fault(&error))?;
    desk.bells.news.ring();
    Ok(laid)
}

/// What came of entering somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Addition {
    /// Gets letters from now on.
    Added(SubscriberId),
    /// Gets letters, or was asked, before; nothing was done.
    Already(SubscriberId),
    /// Gets a letter that asks.
    Asked(SubscriberId),
    /// Was asked within a day; nothing was done.
    AskedBefore(SubscriberId),
    /// Was asked as often as may be; nothing was done.
    AskedOften(SubscriberId),
    /// Had left, and is not brought back.
    HadLeft(SubscriberId),
    /// Must not be written to.
    IsSuppressed(SubscriberId),
    /// Was forgotten at his or her own wish.
    WasForgotten,
}

impl Addition {
    /// The same in a word, for programs.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Added(_) => "added",
            Self::Already(_) => "already",
            Self::Asked(_) => "asked",
            Self::AskedBefore(_) => "asked_before",
            Self::AskedOften(_) => "asked_often",
            Self::HadLeft(_) => "had_left",
            Self::IsSuppressed(_) => "is_suppressed",
            Self::WasForgotten => "was_forgotten",
        }
    }
}

impl From<Entered> for Addition {
    fn from(entered: Entered) -> Self {
        match entered {
            Entered::New(id) | Entered::Changed(id) => Self::Added(id),
            Entered::Already(id) => Self::Already(id),
            Entered::HadLeft(id) => Self::HadLeft(id),
            Entered::IsSuppressed(id) => Self::IsSuppressed(id),
            Entered::WasForgotten => Self::WasForgotten,
        }
    }
}

/// Enters somebody: at once where somebody vouches that he or she asked (`consent.confirmed`), else after a letter that asks.
pub(super) async fn add(
    desk: &Arc<Desk>,
    address: Address,
    consent: Consent,
    preferences: Preferences,
) -> Result<Addition, Failure> {
    let now = desk.clock.now();
    let added = desk
        .work(move |desk| -> Result<Addition, joining::Error> {
            let is_vouched = consent.confirmed.is_some();
            let entry = Entry { consent, preferences, ..Entry::confirmed(address, "", now) };
            if is_vouched {
                return Ok(desk
                    .press
                    .ledger
                    .enter(vec![entry])?
                    .pop()
                    .unwrap_or(Entered::WasForgotten)
                    .into());
            }
            Ok(match joining::ask(&*desk.press.ledger, &desk.head, entry, now)? {
                Joined::Asked(id) => Addition::Asked(id),
                Joined::AskedBefore(id) => Addition::AskedBefore(id),
                Joined::AskedOften(id) => Addition::AskedOften(id),
                Joined::Not(Entered::New(id) | Entered::Changed(id)) => Addition::Already(id),
                Joined::Not(entered) => entered.into(),
            })
        })
        .await
        .map_err(|error| Failure::fault(&error))?;
    desk.bells.mail.notify_one();
    desk.bells.news.ring();
    Ok(added)
}

/// Takes a subscriber out. Says whether anything changed.
pub(super) async fn leave(desk: &Arc<Desk>, id: SubscriberId) -> Result<bool, Failure> {
    let now = desk.clock.now();
    let left = desk.ask(move |ledger| ledger.leave(id, now)).await?;
    desk.bells.news.ring();
    Ok(left)
}

/// Erases a subscriber, with the letters that lie in files. Says whether there was one.
pub(super) async fn forget(desk: &Arc<Desk>, id: SubscriberId) -> Result<bool, Failure> {
    let now = desk.clock.now();
    let erased = desk
        .work(move |desk| -> Result<bool, Failure> {
            let fault = |error: ledger::Error| Failure::fault(&error);
            let Some(subscriber) = desk.press.ledger.subscriber_of(id).map_err(fault)? else {
                return Ok(false);
            };
            desk.press.ledger.erase(id, now).map_err(fault)?;
            let folder = desk.press.data.join("mail");
            let addresses = [Some(&subscriber.address), subscriber.preferences.device.as_ref()];
            for address in addresses.into_iter().flatten() {
                mail::remove_letters_to(&folder, address).map_err(|error| Failure::fault(&error))?;
            }
            Ok(true)
        })
        .await?;
    desk.bells.news.ring();
    Ok(erased)
}

/// What can be done about a digest's letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DigestDeed {
    /// They stop.
    Pause,
    /// They go on.
    Resume,
    /// Those in a state are offered again.
    Retry(LetterState),
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DigestDone {
    /// There is no such digest.
    Unknown,
    /// Of a digest that does not go out, nothing is offered again.
    IsStopped,
    /// Whether anything changed; of letters, how many.
    Changed(u64),
}

/// Does something about a digest's letters.
pub(super) async fn digest(desk: &Arc<Desk>, id: DigestId, deed: DigestDeed) -> Result<DigestDone, Failure> {
    let now = desk.clock.now();
    let Some(known) = desk.ask(move |ledger| ledger.digest(id)).await? else {
        return Ok(DigestDone::Unknown);
    };
    let changed = match deed {
        DigestDeed::Pause => {
            desk.ask(move |ledger| ledger.set_digest_status(id, DigestStatus::Paused, now).map(u64::from))
                .await?
        }
        DigestDeed::Resume => {
            desk.ask(move |ledger| ledger.set_digest_status(id, DigestStatus::Open, now).map(u64::from))
                .await?
        }
        DigestDeed::Retry(_) if known.digest.status != DigestStatus::Open => {
            return Ok(DigestDone::IsStopped);
        }
        DigestDeed::Retry(state) => desk.ask(move |ledger| ledger.retry(id, state, now)).await?,
    };
    desk.bells.mail.notify_one();
    desk.bells.news.ring();
    Ok(DigestDone::Changed(changed))
}
