//! A newsletter as it came by e-mail (`.eml`): the HTML of the letter if it has one, else its text.

use jiff::civil::Date;
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Encoding, HeaderName, Message, MessageParser, MessagePart, MimeHeaders as _, PartType};

use crate::{proof::Doubt, typography};

use super::charset::{self, Charset};
use super::companions::{Companion, Companions};
use super::decode::{self, Decoded};
use super::draft::{Draft, excerpt};
use super::lexicon::Lexicon;
use super::pictures::Album;
use super::{MAX_BYTES, MAX_PICTURE_BYTES, Unreadable, html, is_picture, page};

/// What mail programs write before the subject of a letter that they pass on, in small letters.
const PASSED_ON: [&str; 10] =
    ["fwd:", "fw:", "re:", "wg:", "tr:", "rv:", "转发：", "转发:", "轉寄：", "回复："];

/// How deep letters may stand in each other: forwarded twice.
const MAX_DEPTH: usize = 4;

/// A letter, unpacked; its text is beside it.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    is_html: bool,
    subject: Option<String>,
    date: Option<Date>,
    from: Option<String>,
    /// The pictures that came in it.
    pub(super) pictures: Companions,
}

/// Opens a letter; gives its text too.
pub(super) fn open(bytes: &[u8]) -> Result<(Letter, Decoded), Unreadable> {
    let message = MessageParser::default().parse(bytes).ok_or(Unreadable::Empty)?;
    let message = innermost(&message);
    let date = message.date().and_then(|date| {
        Date::new(
            i16::try_from(date.year).ok()?,
            i8::try_from(date.month).ok()?,
            i8::try_from(date.day).ok()?,
        )
        .ok()
    });
    let html = message.html_bodies().find(|part| part.is_text_html());
    let plain = message.text_bodies().find(|part| part.is_text());
    let part = html.or(plain).ok_or(Unreadable::Empty)?;
    let (source, charset) = text_of(message, part)?;
    if source.len() > MAX_BYTES {
        return Err(Unreadable::TooLarge { bytes: source.len(), most: MAX_BYTES });
    }
    let decoded = decode::tidy(&source, charset);
    if decoded.text.trim().is_empty() {
        return Err(Unreadable::Empty);
    }
    let subject = field(message, &HeaderName::Subject, message.subject()).map(|subject| subject_of(&subject));
    let subject = subject.filter(|subject| !subject.is_empty());
    let name = message.from().and_then(|from| from.first()).and_then(|from| from.name());
    let from = field(message, &HeaderName::From, name).map(|from| name_of(&from));
    let from = from.filter(|name| !name.is_empty());
    let pictures = pictures_of(message);
    Ok((Letter { is_html: html.is_some(), subject, date, from, pictures }, decoded))
}

impl Letter {
    /// Reads the letter, whose text is `text`.
    pub(super) fn read(&self, text: &str, album: Album, lexicon: &Lexicon) -> Draft {
        let mut draft = if self.is_html {
            html::read_titled(text, self.subject.as_deref(), album)
        } else {
            Draft { album, ..page::read(text, self.date, lexicon) }
        };
        if !self.is_html {
            draft.title = draft.title.or_else(|| self.subject.clone());
            if let ([article], Some(subject)) = (draft.articles.as_mut_slice(), &self.subject)
                && article.headline.text.is_empty()
            {
                article.headline.text.clone_from(subject);
            }
        }
        draft.date = draft.date.or(self.date);
        if let Some(name) = &self.from {
            draft.sign(name);
        }
        let unnamed: Vec<String> = draft.album.unnamed().into_iter().map(excerpt).collect();
        for name in unnamed {
            let asked = format!("the picture `{name}` came with the letter, and its text does not show it");
            draft.query_at(Doubt::NotUsed, None, asked);
        }
        draft
    }
}

/// The pictures of a letter, by the addresses that its text may give them: `cid:` (RFC 2392), where they were on the web (RFC 2557)
/// and their names.
fn pictures_of(message: &Message<'_>) -> Companions {
    let mut pictures = Vec::new();
    for part in &message.parts {
        let kind = part.content_type();
        let name = part.attachment_name().unwrap_or_default();
        let is_image = kind.is_some_and(|kind| kind.ctype().eq_ignore_ascii_case("image"));
        if !is_image && !is_picture(name) {
            continue;
        }
        // Of one that was cut there is no more than its letters; its editor should hear of it all the same.
        let bytes = match &part.body {
            PartType::Multipart(_) | PartType::Message(_) => continue,
            _ => part.contents(),
        };
        let id = part.content_id().map(|id| format!("cid:{}", id.trim().trim_matches(['<', '>'])));
        let place = part.content_location().map(|place| place.trim().to_owned());
        let names = [Some(name).filter(|name| !name.is_empty()).map(str::to_owned), place.clone()];
        let form = kind.and_then(|kind| kind.subtype()).unwrap_or_default().to_ascii_lowercase();
        let shown = names.into_iter().flatten().next().unwrap_or_else(|| format!("picture.{form}"));
        let picture = if form.contains("svg") || shown.to_ascii_lowercase().ends_with(".svg") {
            Companion::Other
        } else if bytes.len() > MAX_PICTURE_BYTES {
            Companion::Large(bytes.len() as u64)
        } else {
            Companion::Picture(bytes.to_vec())
        };
        let shown =
            if form.contains("svg") { format!("{}.svg", shown.trim_end_matches(".svg")) } else { shown };
        let addresses: Vec<String> = id.into_iter().chain(place).chain([name.to_owned()]).collect();
        pictures.push((shown, addresses.into_iter().filter(|text| !text.is_empty()).collect(), picture));
    }
    Companions::addressed(pictures)
}

/// The text of a part. Its charset is ours to find: letters often name none, or a wrong one.
fn text_of(message: &Message<'_>, part: &MessagePart<'_>) -> Result<(String, Charset), Unreadable> {
    let (from, to) = (part.raw_body_offset() as usize, part.raw_end_offset() as usize);
    let raw = message.raw_message.get(from..to).unwrap_or_default();
    let bytes = match part.encoding {
        Encoding::Base64 => base64_decode(raw),
        Encoding::QuotedPrintable => quoted_printable_decode(raw),
        Encoding::None => None,
    };
    let label = part.content_type().and_then(|kind| kind.attribute("charset"));
    charset::labelled(bytes.as_deref().unwrap_or(raw), label)
}

/// What a field says: `decoded`, or its bytes in their own charset where the letter names none. What is damaged is left out.
fn field(message: &Message<'_>, name: &HeaderName<'_>, decoded: Option<&str>) -> Option<String> {
    let whole = |text: &str| !text.contains(char::REPLACEMENT_CHARACTER);
    let own = || {
        let field = message.root_part().headers.iter().rfind(|field| field.name == *name)?;
        let raw = message.raw_message.get(field.offset_start as usize..field.offset_end as usize)?;
        if raw.is_ascii() {
            return None;
        }
        charset::decode(raw, false).ok().map(|(text, _)| text).filter(|text| whole(text))
    };
    let text = decoded.filter(|text| whole(text)).map(str::to_owned).or_else(own);
    let text = text.or_else(|| decoded.map(|text| text.replace(char::REPLACEMENT_CHARACTER, "")))?;
    let text = text.replace(char::is_whitespace, " ");
    Some(typography::printable(text.trim()).into_owned())
}

/// The name before an address: `"Li" <li@example.org>`.
fn name_of(from: &str) -> String {
    from.split('<').next().unwrap_or_default().trim().trim_matches('"').trim().to_owned()
}

/// The letter that was passed on as a whole inside another.
fn innermost<'m>(message: &'m Message<'m>) -> &'m Message<'m> {
    let mut message = message;
    for _ in 0..MAX_DEPTH {
        let Some(inner) = message.attachments().find_map(|part| part.message()) else { break };
        message = inner;
    }
    message
}

fn subject_of(subject: &str) -> String {
    let mut subject = subject.trim();
    loop {
        let lower = subject.to_lowercase();
        let before = PASSED_ON.iter().find(|words| lower.starts_with(**words));
        match before.and_then(|words| subject.get(words.len()..)) {
            Some(rest) => subject = rest.trim(),
            None => return subject.split_whitespace().collect::<Vec<_>>().join(" "),
        }
    }
}
