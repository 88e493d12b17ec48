//! What readers fill in: read from what a browser sends, whatever bytes they are, and shown again.

use std::collections::BTreeSet;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use tokio::task::JoinError;

use crate::{
    editions, editions::Choices, editions::FacetKind, editions::Filled, editions::Problem, ledger,
    ledger::Ledger, prose::Language, publication::Publication, subscriber::Address, subscriber::Form,
    subscriber::Pace, subscriber::Preferences, subscriber::Sections, subscriber::Wish,
};

/// How many of the newest issues show in which languages a publication comes.
const ISSUES: u64 = 30;

/// The most sections that somebody may mark: more than any paper has.
const SECTIONS: usize = 200;

/// The longest text of a field, in characters.
const LONGEST: usize = 400;

/// The domains of services that bring books to e-readers. A book goes to no other address than the reader's own, which is confirmed:
/// anybody could name that of somebody else.
const DEVICES: [&str; 5] = ["kindle.com", "free.kindle.com", "kindle.cn", "free.kindle.cn", "pbsync.com"];

/// What stands in a form that a browser sent (`application/x-www-form-urlencoded`), and its ticket. What is not known is left out; of
/// a field that comes twice the first counts.
pub(super) fn read(sent: &[u8]) -> (Filled, String) {
    let (mut filled, mut ticket) = (Filled::default(), String::new());
    let (mut seen, mut sections) = (BTreeSet::new(), BTreeSet::new());
    for (name, value) in url::form_urlencoded::parse(sent) {
        let value: String = value.chars().take(LONGEST).collect();
        if name == "section" && sections.len() < SECTIONS {
            sections.insert(value);
            continue;
        }
        if !seen.insert(name.to_string()) {
            continue;
        }
        match &*name {
            "address" => value.trim().clone_into(&mut filled.address),
            "device" => value.trim().clone_into(&mut filled.device),
            "pace" => filled.pace = Pace::parse(&value).unwrap_or_default(),
            "form" => filled.form = Form::parse(&value).unwrap_or_default(),
            "language" => filled.language = Language::parse(&value),
            "ticket" => ticket = value,
            _ => {}
        }
    }
    filled.sections = Sections::of(sections);
    (filled, ticket)
}

/// What somebody wishes who filled in a form.
pub(super) fn preferences(filled: &Filled) -> Result<Preferences, Problem> {
    let device = match filled.form {
        Form::Kindle => {
            let device = Address::parse(&filled.device).map_err(|_| Problem::Device)?;
            if !DEVICES.contains(&device.domain()) {
                return Err(Problem::Device);
            }
            Some(device)
        }
        Form::Html | Form::Text | Form::Book => None,
    };
    let wish =
        Wish { form: filled.form, sections: filled.sections.clone(), language: filled.language.clone() };
    Ok(Preferences { pace: filled.pace, wish, device })
}

/// What readers of a publication can choose.
pub(super) fn choices(ledger: &dyn Ledger, publication: &Publication) -> Result<Choices, ledger::Error> {
    let sections = ledger.facets(publication, FacetKind::Section)?;
    let newest = ledger.n_published(publication)?;
    let recent = ledger.listings_between(publication, newest.saturating_sub(ISSUES), newest)?;
    let mut languages = vec![publication.language.clone()];
    for language in recent.iter().filter_map(|listing| Language::parse(&listing.language)) {
        if !languages.contains(&language) {
            languages.push(language);
        }
    }
    Ok(Choices { sections: sections.into_iter().map(|section| section.name).collect(), languages })
}

/// Why a form cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    #[error(transparent)]
    Editions(#[from] editions::Error),
}

/// The answer with a page that was printed where waiting holds nobody up.
pub(super) fn respond(status: StatusCode, printed: Result<Result<Vec<u8>, Trouble>, JoinError>) -> Response {
    match printed {
        Ok(Ok(page)) => self::page(status, page),
        Ok(Err(error)) => unprintable(StatusCode::SERVICE_UNAVAILABLE, &error),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// The answer with a page that is for this reader alone, now.
pub(super) fn page(status: StatusCode, page: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, super::reading::POLICY),
    ];
    (status, headers, page).into_response()
}

/// The answer without a page, because the page has a fault. What is done is done, whatever is wrong with the page that says so.
pub(super) fn unprintable(status: StatusCode, error: &(dyn std::error::Error + 'static)) -> Response {
    tracing::error!(error, "a reader's page cannot be written");
    (status, [(header::CACHE_CONTROL, "no-store")], "please try again\n").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_far_as_it_can_be() {
        let (filled, ticket) = read(
            b"address=+li%40example.org+&pace=weekly&form=morse&section=%E7%90%86%E8%AE%BA&section=harbour-news&language=zh-Hans\
              &ticket=1-a&pace=daily&x&&=&%FF=%FF",
        );
        assert_eq!((filled.address.as_str(), ticket.as_str()), ("li@example.org", "1-a"));
        assert_eq!(
            (filled.pace, filled.form),
            (Pace::Weekly, Form::Html),
            "the first counts, and what is not known does not"
        );
        assert_eq!(filled.sections, Sections::of(["理论", "harbour-news"]));
        assert_eq!(filled.language, Language::parse("zh-Hans"));
    }

    #[test]
    fn a_book_goes_to_an_e_reader_and_to_nobody_else() {
        let to = |form, device: &str| {
            preferences(&Filled { form, device: device.to_owned(), ..Filled::default() })
        };
        let device = |wished: Result<Preferences, Problem>| wished.map(|wished| wished.device);
        assert_eq!(device(to(Form::Kindle, "li@kindle.com")), Ok(Address::parse("li@kindle.com").ok()));
        for other in ["wang@example.org", "li@kindle.com.example.org", "li", ""] {
            assert_eq!(device(to(Form::Kindle, other)), Err(Problem::Device), "{other}");
            assert_eq!(device(to(Form::Book, other)), Ok(None), "{other}");
        }
    }
}
