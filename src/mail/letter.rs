//! One letter for one reader: a printing with its headers, made once as a stencil and addressed to each, as SMTP carries it.
//!
//! Headers follow RFC 2919 (`List-Id`), RFC 2369 (`List-Unsubscribe`, `List-Archive`, `List-Post`), RFC 8058 (one-click, only where
//! the address to leave is https, as it demands) and RFC 3834 (`Auto-Submitted`).

mod body;
mod mould;

use std::{fmt, io, sync::Arc, time::SystemTime};

use lettre::message::{
    Mailbox, Mailboxes,
    header::{Date, From, HeaderName, HeaderValue, Headers, ReplyTo, Subject},
};

use self::body::Place;
pub(in crate::mail) use self::body::push_base64;
use self::mould::{Mould, Own, Reader, Slot};
use super::{Sender, Signer};
use crate::{
    delivery::AttachedBook, delivery::Delivery, delivery::Digest, delivery::Printing, delivery::ReturnKey,
    editions, publication::Publication, subscriber::Address, subscriber::LeaveKey, typography,
};

/// What ends a message on the wire.
const FINAL_DOT: &[u8] = b".\r\n";

/// Why a letter could not be written; a fault of the settings or of the disk, not of the subscriber.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// An address or a header cannot be written.
    #[error("cannot write the letter's header `{header}`")]
    Header {
        /// Which.
        header: &'static str,
        /// Why.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// A book that comes with it cannot be read.
    #[error("cannot read the book `{name}`")]
    Book {
        /// Its name.
        name: String,
        /// Why.
        source: Arc<io::Error>,
    },
    /// The signature cannot be made.
    #[error("cannot sign the letter")]
    Sign,
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
    /// (RFC 5321 §4.5.2). Where books come with it, they and the final dot are in `enclosed`.
    pub wire: Vec<u8>,
    /// What follows `wire`, the same bytes in memory for every reader: a book of megabytes is not copied for each connection.
    pub enclosed: Arc<[u8]>,
}

impl Letter {
    /// How many bytes go over the wire.
    #[must_use]
    pub fn size(&self) -> usize {
        self.wire.len() + self.enclosed.len()
    }

    /// The message as a mail program gets it: without what only the wire needs.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let mut message = Vec::with_capacity(self.size());
        for part in [&self.wire[..], &self.enclosed] {
            let text = part.strip_suffix(FINAL_DOT).unwrap_or(part);
            for line in text.split_inclusive(|&byte| byte == b'\n') {
                message.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
            }
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
    /// What letters may carry besides.
    pub stationery: Stationery,
}

/// What letters may carry besides words and a sender.
#[derive(Clone, Default)]
pub struct Stationery {
    /// The mailbox that errors come back to, with each letter's own mark behind a `+`; readers leave by writing to it, too. Without
    /// one, errors come back to the sender's address.
    pub bounces: Option<Address>,
    /// Whether each letter refers to the one before, so that mail programs show them as one conversation.
    pub thread: bool,
    /// Who signs them.
    pub signer: Option<Arc<Signer>>,
    /// Where the books are that come with letters.
    pub books: Option<Books>,
}

/// Reads a kept file by its hash.
pub type Books = Arc<dyn Fn(&str) -> io::Result<Vec<u8>> + Send + Sync>;

impl fmt::Debug for Stationery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bounces, thread, signer, .. } = self;
        write!(f, "Stationery {{ bounces: {bounces:?}, thread: {thread}, signed: {} }}", signer.is_some())
    }
}

/// A printing that only has to be addressed.
pub struct Stencil {
    head: Letterhead,
    digest: Digest,
    return_key: ReturnKey,
    /// What stands before and behind the subscriber's number in a `Message-ID`.
    id: (String, String),
    /// The message, or why there is none.
    message: Result<Message, Error>,
}

/// A message that only has to be addressed.
#[derive(Default)]
struct Message {
    /// What differs from reader to reader.
    mould: Mould,
    /// What comes behind it: the books with the final dot, or nothing.
    enclosed: Arc<[u8]>,
}

impl Stencil {
    /// The stencil of a printing. Reads the books that come with it: call it where that is allowed.
    ///
    /// What is wrong with it, every [`Stencil::address`] tells.
    #[must_use]
    pub fn of(printing: Printing, head: Letterhead) -> Self {
        let message = message(&printing, &head);
        let return_key = ReturnKey::of(&head.leave_key);
        let id = (id_begins(&head, &printing.digest.label()), id_ends(&head));
        Self { head, digest: printing.digest, return_key, id, message }
    }

    /// Whether addressing a letter takes so long that others should not wait for it: a signature takes up to a millisecond.
    #[must_use]
    pub fn is_slow(&self) -> bool {
        self.head.stationery.signer.is_some()
    }

    /// The letter to the subscriber of `delivery`: the same bytes each time.
    ///
    /// # Errors
    /// When the settings of the sender cannot be written as headers, a book not be read, or nothing be signed.
    pub fn address(&self, delivery: &Delivery) -> Result<Letter, Error> {
        let Message { mould, enclosed } = self.message.as_ref().map_err(Clone::clone)?;
        let reader = Reader::of(&delivery.address, delivery.subscriber, &self.head.leave_key);
        let mut wire = Vec::with_capacity(mould.len() + 2048);
        mould.fill(&reader, &mut wire);
        if let Some(signer) = &self.head.stationery.signer {
            let books = enclosed.strip_suffix(FINAL_DOT).unwrap_or_default();
            let mut signed = signer.sign(&wire, books, self.digest.frozen).map_err(|_| Error::Sign)?;
            signed.reserve(wire.len() + 3);
            signed.extend_from_slice(&wire);
            wire = signed;
        }
        // No line begins with a dot: neither a header nor anything that `body` writes does.
        if enclosed.is_empty() {
            wire.extend_from_slice(FINAL_DOT);
        }
        Ok(Letter {
            from: self.return_path(delivery),
            to: delivery.address.as_str().to_owned(),
            id: format!("{}{}{}", self.id.0, delivery.subscriber.0, self.id.1),
            wire,
            enclosed: Arc::clone(enclosed),
        })
    }

    /// The address in the envelope that errors come back to.
    fn return_path(&self, delivery: &Delivery) -> String {
        let Letterhead { sender, stationery, .. } = &self.head;
        let Some((mailbox, domain)) =
            stationery.bounces.as_ref().and_then(|bounces| bounces.as_str().rsplit_once('@'))
        else {
            return sender.address.as_str().to_owned();
        };
        let local = self.return_key.local_part(mailbox, delivery.digest, delivery.subscriber);
        format!("{local}@{domain}")
    }
}

/// The `Message-ID` of a digest's letter to one subscriber is this, the subscriber's number and [`id_ends`]. It never changes, so
/// that a server that gets the letter twice can know it.
fn id_begins(head: &Letterhead, label: &str) -> String {
    format!("{}.{label}.", head.publication.key)
}

fn id_ends(head: &Letterhead) -> String {
    format!("@{}", head.sender.address.domain())
}

/// The message of a printing.
fn message(printing: &Printing, head: &Letterhead) -> Result<Message, Error> {
    let mut mould = headers(printing, head)?;
    let place = |mark, prefix, own| Place { mark, prefix, own };
    let places = [
        place(editions::LEAVE, leave_url(head), Own::Leave),
        place(editions::PREFERENCES, format!("{}preferences/", head.sender.leave_url), Own::Preferences),
    ];
    let part = |kind: &str, text: &str| {
        let (coding, text) = body::text(text, &places);
        let mut part = Mould::default();
        part.push(format!(
            "Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: {}\r\n\r\n",
            coding.name()
        ));
        part.append(&text);
        part
    };
    let mut parts = vec![part("plain", &printing.text)];
    if !printing.html.is_empty() {
        parts.push(part("html", &printing.html));
    }
    if let ([part], []) = (parts.as_slice(), printing.books.as_slice()) {
        mould.append(part);
        return Ok(Message { mould, ..Message::default() });
    }
    let kind = if printing.books.is_empty() { "alternative" } else { "mixed" };
    // Made of the name of this printing, so that a letter has the same bytes each time; no coded line begins like this.
    let name = format!("{} {} {}", head.publication.key, printing.digest.label(), printing.id.0);
    let boundary = format!("=_{}", &blake3::hash(name.as_bytes()).to_hex()[..32]);
    mould.push(format!("Content-Type: multipart/{kind}; boundary=\"{boundary}\"\r\n\r\n"));
    for part in &parts {
        mould.push(format!("--{boundary}\r\n"));
        mould.append(part);
    }
    let mut enclosed = Vec::new();
    for book in &printing.books {
        enclosed.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        enclosed.extend_from_slice(&attachment(book, head)?);
    }
    let end = format!("--{boundary}--\r\n");
    if enclosed.is_empty() {
        mould.push(end);
    } else {
        enclosed.extend_from_slice(end.as_bytes());
        enclosed.extend_from_slice(FINAL_DOT);
    }
    Ok(Message { mould, enclosed: enclosed.into() })
}

/// The headers but for those of the content, with the line end of the last.
fn headers(printing: &Printing, head: &Letterhead) -> Result<Mould, Error> {
    let Letterhead { publication, sender, stationery, .. } = head;
    let digest = &printing.digest;
    let mut mould = Mould::default();
    let id = |mould: &mut Mould, label: &str| {
        mould.push(format!("<{}", id_begins(head, label)));
        mould.slot(Slot::Subscriber);
        mould.push(format!("{}>\r\n", id_ends(head)));
    };
    let mut fixed = Headers::new();
    fixed.set(From::from(Mailboxes::from(mailbox("From", sender.name.as_deref(), &sender.address)?)));
    fixed.set(Subject::from(header_text(&printing.subject)));
    fixed.set(Date::from(SystemTime::from(digest.frozen)));
    if let Some(reply_to) = &sender.reply_to {
        fixed.set(ReplyTo::from(Mailboxes::from(mailbox("Reply-To", None, reply_to)?)));
    }
    for (name, value) in [
        ("List-Id", list_id(publication, sender)),
        ("List-Archive", format!("<{}>", publication.base_url)),
        ("List-Post", "NO".to_owned()),
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("Precedence", "bulk".to_owned()),
        ("MIME-Version", "1.0".to_owned()),
    ] {
        let header = HeaderName::new_from_ascii_str(name);
        fixed.insert_raw(HeaderValue::new(header, header_text(&value)));
    }
    mould.push(fixed.to_string());
    mould.push("To: ");
    mould.slot(Slot::To);
    mould.push("\r\nMessage-ID: ");
    id(&mut mould, &digest.label());
    if let Some(previous) = printing.previous.as_ref().filter(|_| stationery.thread) {
        mould.push("References: ");
        id(&mut mould, previous);
    }
    let leave = leave_url(head);
    mould.push(format!("List-Unsubscribe: <{leave}"));
    mould.slot(Slot::Own(Own::Leave));
    if let Some((mailbox, domain)) = stationery.bounces.as_ref().and_then(|b| b.as_str().rsplit_once('@')) {
        mould.push(format!(">,\r\n <mailto:{mailbox}"));
        mould.slot(Slot::LeaveByMail);
        mould.push(format!("@{domain}?subject=unsubscribe"));
    }
    mould.push(">\r\n");
    if leave.starts_with("https://") {
        mould.push("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
    }
    Ok(mould)
}

/// The address for leaving without its last part.
fn leave_url(head: &Letterhead) -> String {
    format!("{}leave/", head.sender.leave_url)
}

/// A book as a part of a message, named as its readers would (RFC 2231), and in ASCII for those who know no better. These look at
/// its type: two names in one header are one too many for a strict reader.
fn attachment(book: &AttachedBook, head: &Letterhead) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Book { name: book.name.clone(), source: Arc::new(source) };
    let missing = || failed(io::Error::new(io::ErrorKind::NotFound, "nobody keeps books"));
    let read = head.stationery.books.as_ref().ok_or_else(missing)?;
    let bytes = read(&book.hash).map_err(failed)?;
    let stem = book.name.strip_suffix(".epub").unwrap_or(&book.name);
    let ascii = typography::slug(stem);
    let named: String = header_text(stem).chars().filter(|c| !"/\\\"".contains(*c)).take(80).collect();
    let percent = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    let filename = if named.is_ascii() {
        format!("filename=\"{named}.epub\"")
    } else {
        format!("filename*=UTF-8''{}.epub", named.bytes().map(percent).collect::<String>())
    };
    let mut part = format!(
        "Content-Type: application/epub+zip; name=\"{ascii}.epub\"\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment;\r\n {filename}\r\n\r\n"
    )
    .into_bytes();
    part.reserve(bytes.len() / 57 * 78 + 80);
    body::base64_lines(&bytes, &mut part);
    Ok(part)
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

fn mailbox(header: &'static str, name: Option<&str>, address: &Address) -> Result<Mailbox, Error> {
    let address =
        address.as_str().parse().map_err(|source| Error::Header { header, source: Arc::new(source) });
    Ok(Mailbox::new(name.map(header_text), address?))
}

/// A text on one line: no header may begin inside another.
fn header_text(text: &str) -> String {
    typography::printable(text).replace(['\r', '\n', '\t'], " ")
}
