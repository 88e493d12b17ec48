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
    delivery::Delivery, delivery::Digest, delivery::Printing, editions, publication::Publication,
    subscriber::LeaveKey, typography,
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
    /// The message as it goes over the wire: ASCII, lines ended by CRLF, dots at their beginning doubled, and the final dot
    /// (RFC 5321 §4.5.2).
    pub wire: Vec<u8>,
}

impl Letter {
    /// The message as a mail program gets it: without what only the wire needs.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let text = self.wire.strip_suffix(b".\r\n").unwrap_or(&self.wire);
        let mut message = Vec::with_capacity(text.len());
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            message.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        }
        message
    }
}

/// What the letters of a publication have in common.
#[derive(Clone)]
pub struct Letterhead {
    /// The periodical.
    pub publication: Publication,
    /// Who writes.
    pub sender: Sender,
    /// The key of the addresses for leaving.
    pub leave_key: LeaveKey,
}

/// A printing that only has to be addressed.
pub struct Stencil {
    head: Letterhead,
    printing: Printing,
}

impl Stencil {
    /// The stencil of a printing. Its books are read by `fetch`, by their hash.
    ///
    /// # Errors
    /// When the settings of the sender cannot be written as headers, or a book not be read.
    pub fn of(printing: Printing, head: Letterhead) -> Self {
        Self { head, printing }
    }

    /// The letter to the subscriber of `delivery`: the same bytes each time.
    ///
    /// # Errors
    /// When the settings of the sender cannot be written as headers.
    pub fn address(&self, delivery: &Delivery) -> Result<Letter, Error> {
        write(&self.head, &self.printing, delivery)
    }
}

/// A text as it goes over the wire.
fn stuffed(text: &str) -> Vec<u8> {
    let mut wire = Vec::with_capacity(text.len() + 64);
    for line in text.split_inclusive("\r\n") {
        if line.starts_with('.') {
            wire.push(b'.');
        }
        wire.extend_from_slice(line.as_bytes());
    }
    if !wire.ends_with(b"\r\n") {
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

/// The `Message-ID` of a digest's letter to one subscriber, without the angle brackets. It never changes, so that a server
/// that gets the letter twice can know it.
fn message_id(head: &Letterhead, digest: &Digest, delivery: &Delivery) -> String {
    let domain = head.sender.address.domain();
    format!("{}.{}.{}@{domain}", head.publication.key, digest.label(), delivery.subscriber.0)
}

/// Writes the letter of `printing` to the subscriber of `delivery`.
///
/// Its headers follow RFC 2919 (`List-Id`), RFC 2369 (`List-Unsubscribe`, `List-Archive`), RFC 8058 (one-click, only where the
/// address to leave is https, as it demands) and RFC 3834 (`Auto-Submitted`).
///
/// # Errors
/// When the settings of the sender cannot be written as headers.
fn write(head: &Letterhead, printing: &Printing, delivery: &Delivery) -> Result<Letter, Error> {
    let Letterhead { publication, sender, leave_key } = head;
    let digest = &printing.digest;
    let id = message_id(head, digest, delivery);
    let leave = format!("{}leave/{}", sender.leave_url, leave_key.token(delivery.subscriber));
    let mut builder = Message::builder()
        .message_id(Some(format!("<{id}>")))
        .date(SystemTime::from(digest.frozen))
        .from(mailbox("From", sender.name.as_deref(), sender.address.as_str())?)
        .to(mailbox("To", None, delivery.address.as_str())?)
        .subject(header_text(&printing.subject));
    if let Some(reply_to) = &sender.reply_to {
        builder = builder.reply_to(mailbox("Reply-To", None, reply_to.as_str())?);
    }
    let plain = SinglePart::builder()
        .header(ContentType::TEXT_PLAIN)
        .body(printing.text.replace(editions::LEAVE, &leave));
    let html = SinglePart::builder()
        .header(ContentType::TEXT_HTML)
        .body(printing.html.replace(editions::LEAVE, &leave));
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
        wire: stuffed(&message),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_a_letter_can_end_it() {
        assert_eq!(stuffed("a\r\n.\r\n..b\r\n"), b"a\r\n..\r\n...b\r\n.\r\n");
        assert_eq!(stuffed(".a"), b"..a\r\n.\r\n");
        let letter = |wire| Letter { from: String::new(), to: String::new(), id: String::new(), wire };
        assert_eq!(letter(stuffed("a\r\n.\r\n..b\r\n")).message(), b"a\r\n.\r\n..b\r\n");
    }
}
