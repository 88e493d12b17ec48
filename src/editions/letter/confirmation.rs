//! The letter that asks whether somebody meant to subscribe: the only one to an address that is not confirmed.

use serde::Serialize;

use super::{Letter, lines::wrap};
use crate::{
    editions::Error, editions::LEAVE, issue::shorten, prose::Language, publication::Publication, theme,
    theme::Words,
};

#[derive(Serialize)]
struct Question<'a> {
    words: &'a Words,
    dir: &'static str,
    subject: &'a str,
    paper: &'a str,
    text: &'a str,
    confirm: &'a str,
    leave: &'static str,
    home: &'a str,
}

/// Writes the letter whose button leads to `confirm`, in `language` or else the publication's own.
pub(in crate::editions) fn write(
    publication: &Publication,
    language: Option<&Language>,
    confirm: &str,
) -> Result<Letter, Error> {
    let language = language.unwrap_or(&publication.language);
    let words = publication.theme.words(language);
    let paper = shorten(&publication.title, 100);
    let told = |phrase| theme::told(phrase, &[("paper", &paper)]);
    let (subject, text) = (told(words.confirm_subject), told(words.confirm_text));
    let question = Question {
        words,
        dir: theme::direction(language),
        subject: &subject,
        paper: &paper,
        text: &text,
        confirm,
        leave: LEAVE,
        home: &publication.base_url,
    };
    let html = publication.theme.fill("letter/confirm.html", &question)?;
    let mut plain = String::new();
    for (text, address) in [
        (text.as_str(), Some(confirm)),
        (words.confirm_not, None),
        (words.confirm_never, Some(LEAVE)),
        (paper.as_str(), Some(&publication.base_url)),
    ] {
        wrap(text, "", "", &mut plain);
        plain.extend(address.map(|address| format!("{address}\n")));
        plain.push('\n');
    }
    Ok(Letter { preheader: text, text: plain.trim_end().to_owned() + "\n", subject, html })
}
