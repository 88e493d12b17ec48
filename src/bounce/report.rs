//! One letter that came back, read: delivery reports (RFC 3464, RFC 6533), complaints (RFC 5965), and the reports of programs that
//! follow no rule. Any bytes can be read.

use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders as _, PartType};

use super::words;
use crate::{delivery::BounceKind, mail::weigh, typography};

/// The most header fields that are looked at, and the most bytes of one.
const MOST_FIELDS: usize = 500;
const LONGEST_FIELD: usize = 4096;

/// The most recipients of one report.
const MOST_RECIPIENTS: usize = 100;

/// How much of a text without rules is searched for a code.
const SEARCHED: usize = 20_000;

/// How many characters of what was said are kept.
const LONGEST_TEXT: usize = 300;

/// What one report says of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How much that says of the mailbox.
    pub kind: BounceKind,
    /// The recipient's address, where the report names one.
    pub recipient: Option<String>,
    /// The enhanced code.
    pub status: Option<String>,
    /// What was said.
    pub text: String,
}

/// What a letter is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Says what became of letters: one report a recipient.
    Reports(Vec<Report>),
    /// Says nothing that concerns us, for this reason.
    Nothing(&'static str),
    /// Was written by a person, or by a mail program at a person's wish.
    Words,
}

/// A letter that came back, as far as it can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// The addresses that it was sent to, and those to which the letter that it tells of would have come back.
    pub addresses: Vec<String>,
    /// The `Message-ID` of the letter that it tells of, without the angle brackets.
    pub message_id: Option<String>,
    /// What it is.
    pub content: Content,
}

/// A header field: its name in small letters, and its value on one line.
type Field = (String, String);

/// Reads a letter.
#[must_use]
pub fn read(letter: &[u8]) -> Returned {
    let head = fields(letter);
    let message = MessageParser::default().parse(letter);
    let parts: &[MessagePart<'_>] = message.as_ref().map_or(&[], |message| message.parts.as_slice());
    let mut addresses = Vec::new();
    for name in ["delivered-to", "x-original-to", "envelope-to", "x-rcpt-to", "to", "cc"] {
        addresses.extend(all(&head, name).flat_map(addresses_in));
    }
    let original = original(parts);
    let complaint = parts
        .iter()
        .find(|part| is(part, "message", &["feedback-report"]))
        .map(|part| fields(part.contents()));
    let sender = complaint.iter().flat_map(|fields| all(fields, "original-mail-from"));
    addresses.extend(sender.chain(all(&original, "return-path")).flat_map(addresses_in));
    let message_id = first(&original, "message-id").map(|id| id.trim_matches(['<', '>', ' ']).to_owned());
    let status =
        parts.iter().find(|part| is(part, "message", &["delivery-status", "global-delivery-status"]));
    let content = match (status, &complaint) {
        (Some(status), _) => {
            delivery_status(status.contents()).unwrap_or_else(|| in_words(&head, message.as_ref()))
        }
        (None, Some(complaint)) => feedback(complaint),
        (None, None) => unruly(&head, message.as_ref()),
    };
    Returned { addresses, message_id, content }
}

fn is(part: &MessagePart<'_>, kind: &str, subtypes: &[&str]) -> bool {
    part.content_type().is_some_and(|found| {
        found.ctype().eq_ignore_ascii_case(kind)
            && found.subtype().is_some_and(|found| subtypes.iter().any(|one| one.eq_ignore_ascii_case(found)))
    })
}

/// The header of the letter that a report tells of, from the copy that it brings.
fn original(parts: &[MessagePart<'_>]) -> Vec<Field> {
    parts
        .iter()
        .skip(1)
        .find_map(|part| match &part.body {
            PartType::Message(message) => Some(fields(message.raw_message())),
            _ if is(part, "text", &["rfc822-headers"])
                || is(part, "message", &["global-headers", "rfc822", "global"]) =>
            {
                Some(fields(part.contents()))
            }
            _ => None,
        })
        .unwrap_or_default()
}

/// The fields of a header, up to the first empty line, each unfolded.
fn fields(bytes: &[u8]) -> Vec<Field> {
    let mut found: Vec<Field> = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() || found.len() >= MOST_FIELDS {
            break;
        }
        let line = String::from_utf8_lossy(&line[..line.len().min(LONGEST_FIELD)]);
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = found.last_mut()
                && value.len() < LONGEST_FIELD
            {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            found.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    found
}

fn all<'f>(fields: &'f [Field], name: &'f str) -> impl Iterator<Item = &'f str> {
    fields.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
}

fn first<'f>(fields: &'f [Field], name: &'f str) -> Option<&'f str> {
    all(fields, name).next()
}

/// Everything in a field that looks like an address.
fn addresses_in(value: &str) -> Vec<String> {
    value
        .split(|c: char| c.is_whitespace() || "<>,;\"()[]".contains(c))
        .filter(|word| word.contains('@') && word.len() <= 320)
        .map(str::to_owned)
        .collect()
}

/// The groups of fields of a delivery report, each after an empty line (RFC 3464 §2.1).
fn groups(bytes: &[u8]) -> Vec<Vec<Field>> {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    text.split("\n\n")
        .map(|group| fields(group.trim_start_matches('\n').as_bytes()))
        .filter(|group| !group.is_empty())
        .take(MOST_RECIPIENTS + 1)
        .collect()
}

/// What a delivery report says; nothing where no recipient can be made out in it.
fn delivery_status(bytes: &[u8]) -> Option<Content> {
    let is_recipient = |group: &Vec<Field>| {
        group
            .iter()
            .any(|(name, _)| matches!(name.as_str(), "action" | "final-recipient" | "original-recipient"))
    };
    let groups: Vec<Vec<Field>> = groups(bytes).into_iter().filter(is_recipient).collect();
    if groups.is_empty() {
        return None;
    }
    let reports: Vec<Report> = groups.iter().filter_map(|group| recipient(group)).collect();
    // A letter that is late is still on its way, and one that arrived has arrived.
    Some(if reports.is_empty() {
        Content::Nothing("it says that a letter is late, or has arrived")
    } else {
        Content::Reports(reports)
    })
}

fn recipient(group: &[Field]) -> Option<Report> {
    let action = first(group, "action").unwrap_or("failed").to_ascii_lowercase();
    if matches!(action.as_str(), "delayed" | "delivered" | "relayed" | "expanded") {
        return None;
    }
    let said = first(group, "diagnostic-code").unwrap_or_default();
    // `smtp; 550 5.1.1 no such user`
    let said = said.split_once(';').map_or(said, |(_, said)| said.trim());
    let named = first(group, "status").and_then(|status| status.split([' ', '(']).next().map(str::trim));
    let inside = words::status_in(said);
    // A status such as 5.0.0 says less than what the server said itself.
    let status = named
        .filter(|status| words::is_status(status) && !(status.ends_with(".0.0") && inside.is_some()))
        .map(str::to_owned)
        .or(inside);
    let named = |field| {
        let address = first(group, field)?
            .rsplit_once(';')
            .map_or_else(|| first(group, field), |(_, address)| Some(address))?;
        addresses_in(address).into_iter().next()
    };
    let text = if said.is_empty() { first(group, "status").unwrap_or("it says no reason") } else { said };
    let recipient = named("original-recipient").or_else(|| named("final-recipient"));
    // Of an address that was forwarded, the last one's server spoke.
    let spoke = named("final-recipient").or_else(|| recipient.clone());
    Some(Report {
        kind: weigh(status.as_deref(), words::code_in(said), said, domain(spoke.as_deref())),
        recipient,
        status,
        text: short(text),
    })
}

/// The domain of an address; nothing where there is none.
pub(super) fn domain(address: Option<&str>) -> &str {
    address.and_then(|address| address.rsplit_once('@')).map_or("", |(_, domain)| domain)
}

/// What a complaint says (RFC 5965 §3).
fn feedback(fields: &[Field]) -> Content {
    let kind = first(fields, "feedback-type").unwrap_or_default().to_ascii_lowercase();
    if !matches!(kind.as_str(), "abuse" | "fraud" | "opt-out" | "opt-out-list") {
        return Content::Nothing("it is no complaint about a letter");
    }
    let agent = first(fields, "user-agent").or_else(|| first(fields, "source-ip")).unwrap_or("a provider");
    let recipients =
        all(fields, "original-rcpt-to").chain(all(fields, "removal-recipient")).flat_map(addresses_in);
    let recipient = recipients.into_iter().next();
    let text = short(&format!("a complaint ({kind}), told by {agent}"));
    Content::Reports(vec![Report { kind: BounceKind::Complaint, recipient, status: None, text }])
}

/// What senders of reports are called, and how their subjects begin, in small letters.
const DAEMONS: [&str; 4] = ["mailer-daemon", "postmaster", "mail-daemon", "mdaemon"];
const SUBJECTS: [&str; 14] = [
    "undeliver",
    "undelivered",
    "delivery status notification",
    "delivery failure",
    "delivery has failed",
    "delivery report",
    "failure notice",
    "mail delivery",
    "returned mail",
    "message not delivered",
    "系统退信",
    "退信",
    "邮件退回",
    "無法傳遞",
];

/// A letter without the parts of a report.
fn unruly(head: &[Field], message: Option<&Message<'_>>) -> Content {
    let automatic =
        first(head, "auto-submitted").is_some_and(|value| !value.trim().eq_ignore_ascii_case("no"));
    let from = first(head, "from").unwrap_or_default().to_ascii_lowercase();
    let subject = message.and_then(|message| message.subject()).unwrap_or_default().trim().to_lowercase();
    let is_report = message.is_some_and(|message| {
        message.parts.first().is_some_and(|part| {
            is(part, "multipart", &["report"])
                && !part
                    .content_type()
                    .and_then(|kind| kind.attribute("report-type"))
                    .is_some_and(|kind| kind.eq_ignore_ascii_case("disposition-notification"))
        })
    });
    let told = DAEMONS.iter().any(|name| from.contains(name))
        || SUBJECTS.iter().any(|words| subject.starts_with(words));
    if is_report || told && !subject.contains("auto") {
        return in_words(head, message);
    }
    let machine = ["x-autoreply", "x-autorespond", "x-auto-response-suppress", "list-id"];
    let bulk = first(head, "precedence").is_some_and(|value| {
        ["bulk", "junk", "list", "auto_reply"].iter().any(|word| value.trim().eq_ignore_ascii_case(word))
    });
    if automatic || bulk || machine.iter().any(|name| first(head, name).is_some()) {
        return Content::Nothing("it was written by a machine (RFC 3834)");
    }
    Content::Words
}

/// A report that follows no rule: what can be found in its text.
fn in_words(head: &[Field], message: Option<&Message<'_>>) -> Content {
    let text = message.and_then(|message| message.body_text(0)).unwrap_or_default();
    let text: String = text.chars().take(SEARCHED).collect();
    let said = text.lines().map(str::trim).find(|line| words::status_in(line).is_some() || has_reply(line));
    let (status, code) = (words::status_in(&text), said.and_then(words::code_in));
    let said = said.map(str::to_owned).or_else(|| first(head, "subject").map(str::to_owned));
    let said = said.unwrap_or_else(|| "it says no reason".to_owned());
    let kind = weigh(status.as_deref(), code, &said, domain(None));
    Content::Reports(vec![Report { kind, recipient: None, status, text: short(&said) }])
}

/// Whether a line has what a server answered: a code at its beginning or after a colon.
fn has_reply(line: &str) -> bool {
    let starts = |text: &str| {
        let text = text.trim_start();
        text.get(..3).is_some_and(|code| words::code_in(code).is_some())
            && text[3..].starts_with([' ', '-', ':'])
    };
    starts(line) || line.split(':').skip(1).any(starts)
}

/// What somebody else said, on one line, as much as is worth keeping.
pub(super) fn short(text: &str) -> String {
    let line = typography::printable(text).split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(LONGEST_TEXT).collect()
}
