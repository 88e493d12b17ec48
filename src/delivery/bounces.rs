//! Reports that a letter did not reach its reader or was unwanted, and when they are enough to stop writing.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DigestId;
use crate::{subscriber::SubscriberId, subscriber::Suppression, subscriber::SuppressionReason};

/// One report that a letter did not reach its reader, or was unwanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bounce {
    /// Whose letter.
    pub subscriber: SubscriberId,
    /// Of which digest, where that is known.
    pub digest: Option<DigestId>,
    /// When we learnt of it.
    pub at: Timestamp,
    /// How much it says of the mailbox.
    pub kind: BounceKind,
    /// Who said it: `smtp`, `report`, `complaint`, the name of a provider, or [`UNPROVEN`].
    pub source: String,
    /// The enhanced status code (RFC 3463), where there is one.
    pub status: Option<String>,
    /// What was said.
    pub text: String,
}

/// How much a report says of a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BounceKind {
    /// There is no such mailbox.
    Hard,
    /// It took nothing this time: full, or the server would not.
    Soft,
    /// Its owner says that the letter is unwanted (RFC 5965).
    Complaint,
}

impl BounceKind {
    /// The word in the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hard => "hard",
            Self::Soft => "soft",
            Self::Complaint => "complaint",
        }
    }

    /// The kind of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Hard, Self::Soft, Self::Complaint].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// The source of a report that names a letter of ours, and does not prove that it knows more than anybody could guess. It is shown,
/// and weighs nothing: else whoever wants could end somebody's subscription.
pub const UNPROVEN: &str = "unproven";

/// When the reports of a mailbox weigh so much, we stop: a little less than two fresh hard ones.
const STOP_AT: f64 = 1.7;

/// In this time a report loses half its weight: a mailbox that was full in spring is none the worse in autumn.
const HALF_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Whether the reports of one subscriber, the newest last, are enough to stop writing.
///
/// A complaint is, at once. A hard report weighs 1 and a soft one 0.25, and a weight halves in 30 days; at 1.7 we stop:
/// two hard reports of a weekly letter, or three of a monthly one. What one source says of one digest counts once, the heaviest; what is
/// [`UNPROVEN`] never.
#[must_use]
pub fn judge(bounces: &[Bounce], now: Timestamp) -> Option<Suppression> {
    let proven = || bounces.iter().filter(|bounce| bounce.source != UNPROVEN);
    let last = proven().next_back()?;
    if let Some(complaint) = proven().rfind(|bounce| bounce.kind == BounceKind::Complaint) {
        let text = complaint.text.clone();
        return Some(Suppression { reason: SuppressionReason::Complained, at: now, text });
    }
    let mut counted: Vec<(&Bounce, f64)> = Vec::new();
    for bounce in proven() {
        let full = if bounce.kind == BounceKind::Hard { 1.0 } else { 0.25 };
        let age = now.duration_since(bounce.at).max(SignedDuration::ZERO).as_secs_f64();
        let weight = full * (-age / HALF_LIFE.as_secs_f64()).exp2();
        let same = |other: &Bounce| {
            other.digest.is_some() && other.digest == bounce.digest && other.source == bounce.source
        };
        match counted.iter_mut().find(|(other, _)| same(other)) {
            Some((_, counted)) => *counted = counted.max(weight),
            None => counted.push((bounce, weight)),
        }
    }
    let sum: f64 = counted.iter().map(|(_, weight)| weight).sum();
    (sum >= STOP_AT).then(|| Suppression {
        reason: SuppressionReason::Bounced,
        at: now,
        text: last.text.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(n: i64) -> Timestamp {
        "2026-03-01T06:00:00Z".parse::<Timestamp>().expect("a time") + SignedDuration::from_hours(24 * n)
    }

    fn bounce(on: i64, kind: BounceKind) -> Bounce {
        let (digest, status) = (Some(DigestId(on)), None);
        let (source, text) = ("smtp".to_owned(), format!("said on day {on}"));
        Bounce { subscriber: SubscriberId(1), digest, at: day(on), kind, source, status, text }
    }

    #[track_caller]
    fn check(bounces: &[Bounce], stops: Option<SuppressionReason>) {
        let last = bounces.last().map_or(0, |b| b.at.duration_since(day(0)).as_hours() / 24);
        assert_eq!(judge(bounces, day(last)).map(|suppression| suppression.reason), stops);
    }

    #[test]
    fn one_report_of_a_dead_mailbox_may_be_a_mistake_and_two_are_not() {
        let hard = |on| bounce(on, BounceKind::Hard);
        check(&[], None);
        check(&[hard(0)], None);
        check(&[hard(0), hard(7)], Some(SuppressionReason::Bounced));
        check(&[hard(0), hard(30)], None);
        check(&[hard(0), hard(30), hard(60)], Some(SuppressionReason::Bounced));
    }

    #[test]
    fn a_server_that_says_the_same_twice_of_one_letter_has_said_it_once() {
        let again = Bounce { at: day(1), ..bounce(0, BounceKind::Hard) };
        check(&[bounce(0, BounceKind::Hard), again.clone()], None);
        // But what comes back as a letter confirms what the server answered.
        let back = Bounce { source: "report".to_owned(), ..again };
        check(&[bounce(0, BounceKind::Hard), back], Some(SuppressionReason::Bounced));
    }

    #[test]
    fn a_full_mailbox_has_time_to_be_emptied() {
        let weekly: Vec<_> = (0..6).map(|n| bounce(7 * n, BounceKind::Soft)).collect();
        check(&weekly, None);
        let daily: Vec<_> = (0..9).map(|n| bounce(n, BounceKind::Soft)).collect();
        check(&daily, Some(SuppressionReason::Bounced));
    }

    #[test]
    fn what_proves_nothing_weighs_nothing() {
        let unproven = |on, kind| Bounce { source: UNPROVEN.to_owned(), ..bounce(on, kind) };
        let mut forged: Vec<_> = (0..9).map(|n| unproven(n, BounceKind::Hard)).collect();
        forged.push(unproven(9, BounceKind::Complaint));
        check(&forged, None);
        forged.push(bounce(10, BounceKind::Hard));
        check(&forged, None);
    }

    #[test]
    fn who_complains_is_left_alone_at_once() {
        check(&[bounce(0, BounceKind::Complaint)], Some(SuppressionReason::Complained));
    }
}
