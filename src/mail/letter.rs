//! One letter for one reader: a digest with its headers, as SMTP carries it.

use std::time::SystemTime;

use lettre::{
    Message,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{ContentType, HeaderName, HeaderValue},
    },
};

use super::Sender;
use crate::{
    delivery::Delivery, delivery::Digest, editions, publication::Publication, subscriber::LeaveKey,
    typography,
};

/// Why a letter could not be written; a fault of the settings, not of the subscriber.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address or a header cannot be written.
    #[error("cannot write the letter's header `{header}`")]
    Header {
        /// Which.
        header: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A letter ready for a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The address in the envelope that errors come back to.
    pub from: String,
    /// The address in the envelope that it goes to.
    pub to: String,
    /// Its `Message-ID` without the angle brackets: the same each time this letter is written.
    pub id: String,
    /// The message: header and body, ASCII only, lines ended by CRLF.
    pub message: String,
}

/// The `Message-ID` of a digest's letter to one subscriber, without the angle brackets. It never changes, so that a server
/// that gets the letter twice can know it.
#[must_use]
pub(super) fn message_id(
    publication: &Publication,
    digest: &Digest,
    delivery: &Delivery,
    sender: &Sender,
) -> String {
    format!("{}.{}.{}@{}", publication.key, digest.issue, delivery.subscriber.0, sender.address.domain())
}

/// Writes the letter of `digest` to the subscriber of `delivery`.
///
/// Its headers follow RFC 2919 (`List-Id`), RFC 2369 (`List-Unsubscribe`, `List-Archive`), RFC 8058 (one-click, only where the
/// address to leave is https, as it demands) and RFC 3834 (`Auto-Submitted`).
///
/// # Errors
/// When the settings of the sender cannot be written as headers.
pub fn write(
    publication: &Publication,
    sender: &Sender,
    leave_key: &LeaveKey,
    digest: &Digest,
    delivery: &Delivery,
) -> Result<Letter, Error> {
    let id = message_id(publication, digest, delivery, sender);
    let leave = format!("{}leave/{}", sender.leave_url, leave_key.token(delivery.subscriber));
    let mut builder = Message::builder()
        .message_id(Some(format!("<{id}>")))
        .date(SystemTime::from(digest.frozen))
        .from(mailbox("From", sender.name.as_deref(), sender.address.as_str())?)
        .to(mailbox("To", None, delivery.address.as_str())?)
        .subject(header_text(&digest.subject));
    if let Some(reply_to) = &sender.reply_to {
        builder = builder.reply_to(mailbox("Reply-To", None, reply_to.as_str())?);
    }
    let plain = SinglePart::builder()
        .header(ContentType::TEXT_PLAIN)
        .body(digest.text.replace(editions::LEAVE, &leave));
    let html = SinglePart::builder()
        .header(ContentType::TEXT_HTML)
        .body(digest.html.replace(editions::LEAVE, &leave));
    // lettre makes boundaries up by chance; the same letter must have the same bytes each time it is sent.
    let boundary = format!("=_{}", &blake3::hash(id.as_bytes()).to_hex()[..32]);
    let body = MultiPart::alternative().boundary(boundary).singlepart(plain).singlepart(html);
    let mut message = builder.multipart(body).map_err(|error| header_error("Content-Type", error))?;
    let mut headers = vec![
        ("List-Id", list_id(publication, sender)),
        ("List-Unsubscribe", format!("<{leave}>")),
        ("List-Archive", format!("<{}>", publication.base_url)),
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("Precedence", "bulk".to_owned()),
    ];
    if leave.starts_with("https://") {
        headers.push(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
    }
    for (name, value) in headers {
        let header = HeaderName::new_from_ascii_str(name);
        message.headers_mut().insert_raw(HeaderValue::new(header, header_text(&value)));
    }
    // lettre writes every part that is not ASCII in base64 or quoted-printable.
    let message =
        String::from_utf8(message.formatted()).map_err(|error| header_error("Content-Type", error))?;
    Ok(Letter {
        from: sender.address.as_str().to_owned(),
        to: delivery.address.as_str().to_owned(),
        id,
        message,
    })
}

/// The list's name for programs, RFC 2919: a phrase and an identifier in the sender's domain.
fn list_id(publication: &Publication, sender: &Sender) -> String {
    let phrase: String = publication
        .title
        .chars()
        .filter(|c| c.is_ascii() && !"\"<>\\".contains(*c) && !c.is_control())
        .collect();
    let id = format!("<{}.{}>", publication.key, sender.address.domain());
    if phrase.trim().is_empty() { id } else { format!("\"{}\" {id}", phrase.trim()) }
}

fn mailbox(header: &'static str, name: Option<&str>, address: &str) -> Result<Mailbox, Error> {
    let address = address.parse().map_err(|error| header_error(header, error))?;
    Ok(Mailbox::new(name.map(header_text), address))
}

/// A text on one line: no header may begin inside another.
fn header_text(text: &str) -> String {
    typography::printable(text).replace(['\r', '\n', '\t'], " ")
}

fn header_error(header: &'static str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Header { header, source: error.into() }
}
