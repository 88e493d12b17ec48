//! A subscriber as programs see one: what is known, every report and every letter.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    delivery::Bounce, delivery::BounceKind, delivery::Reply, delivery::State as LetterState,
    ledger::Sent as Letter, subscriber::Consent, subscriber::Form, subscriber::Pace, subscriber::Standing,
    subscriber::Subscriber, subscriber::Suppression, subscriber::SuppressionReason,
};

/// A subscriber.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct SubscriberView {
    subscriber: i64,
    address: String,
    standing: Standing,
    pace: Pace,
    form: Form,
    /// The sections that are wanted, by their slugs; none means all.
    sections: Vec<String>,
    /// The language of the words around the articles; nothing means each issue's own.
    language: Option<String>,
    /// The address of an e-reader, to which books go.
    device: Option<String>,
    consent: ConsentView,
    suppression: Option<SuppressionView>,
}

/// When and how somebody asked.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct ConsentView {
    at: Timestamp,
    how: String,
    from: Option<String>,
    /// When the owner of the address confirmed it, or somebody vouched for it.
    confirmed: Option<Timestamp>,
}

/// Why an address must not be written to.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct SuppressionView {
    reason: SuppressionReason,
    at: Timestamp,
    text: String,
}

impl SubscriberView {
    pub(super) fn of(one: Subscriber) -> Self {
        let Subscriber { id, address, standing, suppression, consent, preferences } = one;
        let Consent { at, how, from, confirmed } = consent;
        Self {
            subscriber: id.0,
            address: address.as_str().to_owned(),
            standing,
            pace: preferences.pace,
            form: preferences.wish.form,
            sections: preferences.wish.sections.iter().map(str::to_owned).collect(),
            language: preferences.wish.language.map(|language| language.as_str().to_owned()),
            device: preferences.device.map(|device| device.as_str().to_owned()),
            consent: ConsentView { at, how, from, confirmed },
            suppression: suppression.map(|Suppression { reason, at, text }| SuppressionView {
                reason,
                at,
                text,
            }),
        }
    }
}

/// A subscriber with every letter.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct WholeSubscriber {
    pub(super) subscriber: SubscriberView,
    /// Reports that letters did not arrive, the oldest first.
    pub(super) bounces: Vec<BounceView>,
    /// The newest letters, newest first.
    pub(super) letters: Vec<LetterView>,
}

/// A report that a letter did not arrive.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct BounceView {
    kind: BounceKind,
    at: Timestamp,
    source: String,
    /// The enhanced status code (RFC 3463).
    status: Option<String>,
    text: String,
    digest: Option<i64>,
}

/// A letter.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct LetterView {
    digest: i64,
    /// The pace of its digest, or `confirmation`.
    kind: &'static str,
    period: String,
    subject: String,
    address: String,
    state: LetterState,
    attempts: u32,
    queued: Timestamp,
    /// When it is offered next, while it waits.
    due: Option<Timestamp>,
    settled: Option<Timestamp>,
    /// What the server said.
    said: Option<String>,
}

impl BounceView {
    pub(super) fn of(bounce: Bounce) -> Self {
        let Bounce { kind, at, source, status, text, digest, .. } = bounce;
        Self { kind, at, source, status, text, digest: digest.map(|digest| digest.0) }
    }
}

impl LetterView {
    pub(super) fn of(sent: Letter) -> Self {
        Self {
            digest: sent.digest.0,
            kind: sent.kind.as_str(),
            said: sent.reply.as_ref().map(Reply::told),
            period: sent.period,
            subject: sent.subject,
            address: sent.address.as_str().to_owned(),
            state: sent.state,
            attempts: sent.attempts,
            queued: sent.queued,
            due: sent.due,
            settled: sent.settled,
        }
    }
}
