//! What mail providers tell over the web: one function a provider, from the bytes that it posts to what they say.

use serde_json::Value;

use super::{
    report::{Report, domain, short},
    words,
};
use crate::{delivery::BounceKind, mail::weigh};

/// What a provider tells of one letter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// The return path of the letter, where it is told.
    pub sender: Option<String>,
    /// Its `Message-ID`, where it is told.
    pub message_id: Option<String>,
    /// The address that it went to.
    pub recipient: Option<String>,
    /// What is said of it; `None` is the reader's wish to leave.
    pub report: Option<Report>,
}

/// Why what was posted says nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is no JSON.
    #[error("it is no JSON")]
    Json,
    /// It is not what that provider posts.
    #[error("it has no `{0}`, which this provider posts")]
    Lacks(&'static str),
    /// The provider asks to be confirmed first, by opening this address.
    #[error("the provider wants to be confirmed: open `{0}` once")]
    Confirm(String),
}

type Reader = fn(&Value) -> Result<Vec<Event>, Unreadable>;

/// The providers, by the names that stand in their addresses here.
pub const PROVIDERS: [(&str, Reader); 4] =
    [("ses", ses), ("postmark", postmark), ("mailgun", mailgun), ("sendgrid", sendgrid)];

/// What a provider tells with these bytes; `None` where the provider is not known.
#[must_use]
pub fn events(provider: &str, bytes: &[u8]) -> Option<Result<Vec<Event>, Unreadable>> {
    let (_, read) = PROVIDERS.iter().find(|(name, _)| *name == provider)?;
    Some(serde_json::from_slice(bytes).map_err(|_| Unreadable::Json).and_then(|posted| read(&posted)))
}

/// A text in a value, by the names that lead to it.
fn text(value: &Value, names: &[&str]) -> Option<String> {
    let found = names.iter().try_fold(value, |value, name| value.get(name))?;
    match found {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn list<'v>(value: &'v Value, names: &[&str]) -> &'v [Value] {
    let found = names.iter().try_fold(value, |value, name| value.get(name));
    found.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn message_id(text: &str) -> String {
    text.trim_matches(['<', '>', ' ']).to_owned()
}

/// A report of what a server said; `hard` where the provider itself says that the mailbox is dead.
fn said(kind: Option<BounceKind>, status: Option<String>, words_said: &str, to: Option<&str>) -> Report {
    let status = status.filter(|status| words::is_status(status)).or_else(|| words::status_in(words_said));
    let kind =
        kind.unwrap_or_else(|| weigh(status.as_deref(), words::code_in(words_said), words_said, domain(to)));
    Report { kind, recipient: None, status, text: short(words_said) }
}

fn complaint(how: &str) -> Report {
    Report {
        kind: BounceKind::Complaint,
        recipient: None,
        status: None,
        text: short(&format!("a complaint, told by {how}")),
    }
}

/// Amazon SES, by way of SNS or as it is (`notificationType`, or `eventType` where events are published).
fn ses(posted: &Value) -> Result<Vec<Event>, Unreadable> {
    if text(posted, &["Type"]).as_deref() == Some("SubscriptionConfirmation") {
        return Err(Unreadable::Confirm(text(posted, &["SubscribeURL"]).unwrap_or_default()));
    }
    let unpacked = match posted.get("Message") {
        Some(Value::String(message)) => {
            serde_json::from_str(message).map_err(|_| Unreadable::Lacks("notificationType"))?
        }
        _ => posted.clone(),
    };
    let kind = text(&unpacked, &["notificationType"]).or_else(|| text(&unpacked, &["eventType"]));
    let kind = kind.ok_or(Unreadable::Lacks("notificationType"))?;
    let of_header = list(&unpacked, &["mail", "headers"]).iter().find_map(|header| {
        text(header, &["name"]).filter(|name| name.eq_ignore_ascii_case("message-id"))?;
        text(header, &["value"])
    });
    let event = |recipient: &Value, report| Event {
        sender: text(&unpacked, &["mail", "source"]),
        message_id: text(&unpacked, &["mail", "commonHeaders", "messageId"])
            .or_else(|| of_header.clone())
            .as_deref()
            .map(message_id),
        recipient: text(recipient, &["emailAddress"]),
        report: Some(report),
    };
    match kind.as_str() {
        "Bounce" => {
            let permanent = text(&unpacked, &["bounce", "bounceType"]).as_deref() == Some("Permanent");
            let sub = text(&unpacked, &["bounce", "bounceSubType"]).unwrap_or_default();
            let recipients = list(&unpacked, &["bounce", "bouncedRecipients"]).iter();
            Ok(recipients
                .map(|recipient| {
                    let code = text(recipient, &["diagnosticCode"]);
                    let code = code.unwrap_or_else(|| format!("SES says {sub}"));
                    let report = said(
                        None,
                        text(recipient, &["status"]),
                        &code,
                        text(recipient, &["emailAddress"]).as_deref(),
                    );
                    // Without a code of the server, the provider's own word counts.
                    let no_code = report.status.is_none() && words::code_in(&code).is_none();
                    let hard = permanent
                        && (matches!(sub.as_str(), "NoEmail" | "Suppressed" | "OnAccountSuppressionList")
                            || (no_code && sub == "General"));
                    let kind = match () {
                        () if hard => BounceKind::Hard,
                        () if permanent => report.kind,
                        () => BounceKind::Soft,
                    };
                    event(recipient, Report { kind, ..report })
                })
                .collect())
        }
        "Complaint" => {
            // The provider's own list of those who complained once is no complaint about this letter.
            let recipients = list(&unpacked, &["complaint", "complainedRecipients"]).iter();
            Ok(recipients.map(|recipient| event(recipient, complaint("SES"))).collect())
        }
        _ => Ok(Vec::new()),
    }
}

/// Postmark: an object an event, with a `RecordType`.
fn postmark(posted: &Value) -> Result<Vec<Event>, Unreadable> {
    let record = text(posted, &["RecordType"]).ok_or(Unreadable::Lacks("RecordType"))?;
    let header = list(posted, &["Headers"]).iter().find_map(|header| {
        text(header, &["Name"]).filter(|name| name.eq_ignore_ascii_case("message-id"))?;
        text(header, &["Value"])
    });
    let event = |report| {
        Ok(vec![Event {
            sender: None,
            message_id: header.clone().as_deref().map(message_id),
            recipient: text(posted, &["Email"]).or_else(|| text(posted, &["Recipient"])),
            report,
        }])
    };
    let details = text(posted, &["Details"]).or_else(|| text(posted, &["Description"])).unwrap_or_default();
    match (record.as_str(), text(posted, &["Type"]).unwrap_or_default().as_str()) {
        ("SpamComplaint", _) | ("Bounce", "SpamComplaint") => event(Some(complaint("Postmark"))),
        ("Bounce", "HardBounce" | "BadEmailAddress") => {
            event(Some(said(Some(BounceKind::Hard), None, &details, None)))
        }
        (
            "Bounce",
            "SoftBounce" | "Transient" | "DnsError" | "Blocked" | "DMARCPolicy" | "SpamNotification"
            | "Unknown",
        ) => event(Some(said(Some(BounceKind::Soft), None, &details, None))),
        ("SubscriptionChange", _) if posted.get("SuppressSending") == Some(&Value::Bool(true)) => {
            // For bounces and complaints there are events of their own.
            match text(posted, &["SuppressionReason"]).as_deref() {
                Some("ManualSuppression") => event(None),
                _ => Ok(Vec::new()),
            }
        }
        _ => Ok(Vec::new()),
    }
}

/// Mailgun: an object an event, inside `event-data`.
fn mailgun(posted: &Value) -> Result<Vec<Event>, Unreadable> {
    let data = posted.get("event-data").ok_or(Unreadable::Lacks("event-data"))?;
    let kind = text(data, &["event"]).ok_or(Unreadable::Lacks("event"))?;
    let event = |report| {
        Ok(vec![Event {
            sender: text(data, &["envelope", "sender"]),
            message_id: text(data, &["message", "headers", "message-id"]).as_deref().map(message_id),
            recipient: text(data, &["recipient"]),
            report,
        }])
    };
    match kind.as_str() {
        "failed" => {
            let status = |name| text(data, &["delivery-status", name]);
            let message =
                status("message").or_else(|| status("description")).or_else(|| text(data, &["reason"]));
            let mut words_said = message.unwrap_or_default();
            if let Some(code) = status("code")
                && !words_said.starts_with(&code)
            {
                words_said = format!("{code} {words_said}");
            }
            let report =
                said(None, status("enhanced-code"), &words_said, text(data, &["recipient"]).as_deref());
            // What it does not offer any more because of what servers said before.
            let known = text(data, &["reason"]).as_deref() == Some("suppress-bounce");
            let kind = match text(data, &["severity"]).as_deref() {
                Some("permanent") if known => BounceKind::Hard,
                Some("permanent") => report.kind,
                _ => return Ok(Vec::new()),
            };
            event(Some(Report { kind, ..report }))
        }
        "complained" => event(Some(complaint("Mailgun"))),
        "unsubscribed" => event(None),
        _ => Ok(Vec::new()),
    }
}

/// `SendGrid`: a list of events.
fn sendgrid(posted: &Value) -> Result<Vec<Event>, Unreadable> {
    let events = posted.as_array().ok_or(Unreadable::Lacks("list of events"))?;
    let told = events.iter().filter_map(|told| {
        let reason = text(told, &["reason"]).or_else(|| text(told, &["response"])).unwrap_or_default();
        let report = match text(told, &["event"])?.as_str() {
            "bounce" => {
                let report = said(None, text(told, &["status"]), &reason, text(told, &["email"]).as_deref());
                // `blocked` is about the letter or about us; a class of its own tells a dead mailbox.
                let blocked = text(told, &["type"]).as_deref() == Some("blocked");
                let invalid = text(told, &["bounce_classification"]).as_deref() == Some("Invalid Address");
                let kind = match () {
                    () if blocked => BounceKind::Soft,
                    () if invalid => BounceKind::Hard,
                    () => report.kind,
                };
                Some(Report { kind, ..report })
            }
            "dropped" if reason == "Bounced Address" || reason == "Invalid" => {
                Some(said(Some(BounceKind::Hard), None, &format!("SendGrid dropped it: {reason}"), None))
            }
            "spamreport" => Some(complaint("SendGrid")),
            "unsubscribe" | "group_unsubscribe" => None,
            _ => return None,
        };
        Some(Event {
            sender: None,
            message_id: text(told, &["smtp-id"]).as_deref().map(message_id),
            recipient: text(told, &["email"]),
            report,
        })
    });
    Ok(told.collect())
}
