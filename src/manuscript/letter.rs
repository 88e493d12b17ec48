//! A newsletter as it came by e-mail (`.eml`): the HTML of the letter if it has one, else its text.

use jiff::civil::Date;
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Encoding, HeaderName, Message, MessageParser, MessagePart, MimeHeaders as _};

use crate::{proof::Doubt, typography};

use super::charset::{self, Charset};
use super::decode::{self, Decoded};
use super::draft::{Draft, excerpt};
use super::{MAX_BYTES, Unreadable, html, page};

/// What mail programs write before the subject of a letter that they pass on, in small letters.
const PASSED_ON: [&str; 10] =
    ["fwd:", "fw:", "re:", "wg:", "tr:", "rv:", "转发：", "转发:", "轉寄：", "回复："];

/// How deep letters may stand in each other: forwarded twice.
const MAX_DEPTH: usize = 4;

/// Reads a letter.
pub(super) fn read(bytes: &[u8]) -> Result<(Draft, Decoded), Unreadable> {
    if bytes.len() > MAX_BYTES {
        return Err(Unreadable::TooLarge { bytes: bytes.len() });
    }
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
    let decoded = decode::tidy(&source, charset);
    if decoded.text.trim().is_empty() {
        return Err(Unreadable::Empty);
    }
    let subject = field(message, &HeaderName::Subject, message.subject()).map(|subject| subject_of(&subject));
    let subject = subject.filter(|subject| !subject.is_empty());
    let mut draft = if html.is_some() {
        html::read_titled(&decoded.text, subject.as_deref())
    } else {
        page::read(&decoded.text, date)
    };
    if html.is_none() {
        draft.title = draft.title.or_else(|| subject.clone());
        if let ([article], Some(subject)) = (draft.articles.as_mut_slice(), &subject)
            && article.headline.text.is_empty()
        {
            article.headline.text.clone_from(subject);
        }
    }
    draft.date = draft.date.or(date);
    let name = message.from().and_then(|from| from.first()).and_then(|from| from.name());
    let from = field(message, &HeaderName::From, name).map(|from| name_of(&from));
    if let Some(name) = from.filter(|name| !name.is_empty()) {
        draft.sign(&name);
    }
    for part in message.attachments() {
        // A picture that the letter shows has been asked about where it stands.
        let shown = html.is_some() && part.content_id().is_some();
        if !shown && part.content_type().is_some_and(|kind| kind.ctype().eq_ignore_ascii_case("image")) {
            let name = part.attachment_name().or_else(|| part.content_id()).unwrap_or("picture");
            let text = format!("the picture `{}` in the letter is not read yet", excerpt(name));
            draft.query_at(Doubt::PictureMissing, None, text);
        }
    }
    Ok((draft, decoded))
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
