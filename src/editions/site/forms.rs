//! The forms of readers: to join, and to change what one gets. They need no script, and what is wrong stands beside its field.

use serde::Serialize;

use super::{Page, answers};
use crate::{
    editions::Error, editions::outline::said, editions::paths, prose::Language, publication::Publication,
    subscriber::Address, subscriber::Form, subscriber::Pace, subscriber::Sections, theme, theme::Words,
    typography,
};

/// What readers of a publication can choose, beside how often and in which form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices {
    /// Its sections by their names; a form asks where there are two or more.
    pub sections: Vec<String>,
    /// The languages of its issues; a form asks where there are two or more.
    pub languages: Vec<Language>,
}

/// What stands in a form, as it was typed and marked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filled {
    /// The reader's address.
    pub address: String,
    /// How often.
    pub pace: Pace,
    /// In which form.
    pub form: Form,
    /// The address of an e-reader.
    pub device: String,
    /// Which sections.
    pub sections: Sections,
    /// In which language the words around the articles are.
    pub language: Option<Language>,
}

/// Why a form was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// The address is none that letters can go to.
    Address,
    /// The address belongs to an office, and the settings refuse those.
    Role,
    /// The address of the e-reader is none, or that of a person.
    Device,
    /// No person is so quick.
    Quick,
    /// It lay open for too long.
    Old,
}

impl Problem {
    /// All problems.
    pub const ALL: [Self; 5] = [Self::Address, Self::Role, Self::Device, Self::Quick, Self::Old];

    fn told(self, words: &Words) -> &'static str {
        match self {
            Self::Address => words.form_address,
            Self::Role => words.form_role,
            Self::Device => words.form_device,
            Self::Quick => words.form_quick,
            Self::Old => words.form_old,
        }
    }

    /// The field that is to be corrected; else the button is to be pressed once more.
    fn field(self) -> &'static str {
        match self {
            Self::Address | Self::Role => "address",
            Self::Device => "device",
            Self::Quick | Self::Old => "button",
        }
    }
}

/// A form as it is shown.
#[derive(Debug, Clone, Copy)]
pub struct ShownForm<'a> {
    /// What can be chosen.
    pub choices: &'a Choices,
    /// What stands in it.
    pub filled: &'a Filled,
    /// What is wrong with that.
    pub problems: &'a [Problem],
    /// Who writes the letters: an e-reader takes books only from senders that it knows.
    pub from: &'a Address,
}

/// What a reader has who may change what he or she gets.
#[derive(Debug, Clone, Copy)]
pub struct Own<'a> {
    /// Whether a change was just saved.
    pub saved: bool,
    /// The last part of the address for leaving.
    pub leave: &'a str,
    /// The part of the addresses of the private feed and catalogue that is this reader's.
    pub private: &'a str,
}

/// One thing to choose.
#[derive(Debug, Serialize)]
struct Choice {
    value: String,
    label: String,
    lang: Option<String>,
    chosen: bool,
}

/// What is wrong, as the list above the form has it.
#[derive(Debug, Serialize)]
struct Wrong {
    field: &'static str,
    text: &'static str,
}

/// All that both forms have.
#[derive(Debug, Serialize)]
struct Fields {
    paces: Vec<Choice>,
    forms: Vec<Choice>,
    /// Empty where there is nothing to choose.
    sections: Vec<Choice>,
    /// Empty where there is nothing to choose.
    languages: Vec<Choice>,
    device: String,
    device_hint: String,
    problems: Vec<Wrong>,
    address_problem: Option<&'static str>,
    device_problem: Option<&'static str>,
}

impl Fields {
    fn of(shown: &ShownForm<'_>, words: &Words) -> Self {
        let ShownForm { choices, filled, problems, from } = *shown;
        let choice = |value: &str, label: &str, chosen| Choice {
            value: value.to_owned(),
            label: label.to_owned(),
            lang: None,
            chosen,
        };
        let wrong = |field: &str| {
            problems.iter().find(|problem| problem.field() == field).map(|problem| problem.told(words))
        };
        Self {
            paces: Pace::ALL
                .map(|pace| choice(pace.as_str(), told_pace(pace, words), pace == filled.pace))
                .into(),
            forms: Form::ALL
                .map(|form| choice(form.as_str(), told_form(form, words), form == filled.form))
                .into(),
            sections: sections(choices, &filled.sections),
            languages: languages(choices, filled.language.as_ref(), words),
            device: printed(&filled.device),
            device_hint: theme::told(words.device_hint, &[("from", from.as_str())]),
            problems: problems
                .iter()
                .map(|problem| Wrong { field: problem.field(), text: problem.told(words) })
                .collect(),
            address_problem: wrong("address"),
            device_problem: wrong("device"),
        }
    }
}

fn told_pace(pace: Pace, words: &Words) -> &'static str {
    match pace {
        Pace::Each => words.pace_each,
        Pace::Daily => words.pace_daily,
        Pace::Weekly => words.pace_weekly,
        Pace::Monthly => words.pace_monthly,
    }
}

fn told_form(form: Form, words: &Words) -> &'static str {
    match form {
        Form::Html => words.form_html,
        Form::Text => words.form_text,
        Form::Book => words.form_book,
        Form::Kindle => words.form_kindle,
    }
}

/// The sections, each once, and those that a reader chose before and that are no more.
fn sections(choices: &Choices, chosen: &Sections) -> Vec<Choice> {
    let mut sections: Vec<Choice> = Vec::new();
    for name in &choices.sections {
        let value = typography::slug(name.trim());
        if !sections.iter().any(|known| known.value == value) {
            let chosen = chosen.iter().any(|slug| slug == value);
            sections.push(Choice { value, label: printed(name), lang: None, chosen });
        }
    }
    for slug in chosen.iter() {
        if !sections.iter().any(|known| known.value == slug) {
            let label = printed(slug);
            sections.push(Choice { value: slug.to_owned(), label, lang: None, chosen: true });
        }
    }
    if sections.len() < 2 && chosen.is_all() { Vec::new() } else { sections }
}

/// The languages, each by its own name, with that of each issue first.
fn languages(choices: &Choices, chosen: Option<&Language>, words: &Words) -> Vec<Choice> {
    let mut languages: Vec<&Language> = choices.languages.iter().collect();
    languages.extend(chosen.filter(|chosen| !choices.languages.contains(chosen)));
    if languages.len() < 2 {
        return Vec::new();
    }
    let own = Choice {
        value: String::new(),
        label: words.wished_language_own.to_owned(),
        lang: None,
        chosen: chosen.is_none(),
    };
    let choice = |language: &Language| Choice {
        value: language.as_str().to_owned(),
        label: theme::own_name(language).unwrap_or(language.as_str()).to_owned(),
        lang: Some(language.as_str().to_owned()),
        chosen: chosen == Some(language),
    };
    std::iter::once(own).chain(languages.into_iter().map(choice)).collect()
}

/// What was typed, as far as a page can carry it.
fn printed(text: &str) -> String {
    said(text).unwrap_or_default()
}

/// The page with the form to join, which carries `ticket`.
pub(in crate::editions) fn join(
    shown: &ShownForm<'_>,
    ticket: &str,
    publication: &Publication,
) -> Result<Vec<u8>, Error> {
    #[derive(Serialize)]
    struct Content<'a> {
        page: Page<'a>,
        words: &'static Words,
        fields: Fields,
        address: String,
        ticket: &'a str,
    }
    let words = publication.theme.words(&publication.language);
    let paper = answers::paper(publication);
    let title = titled(words.join, shown, words, &paper);
    let root = answers::root(publication);
    let content = Content {
        page: Page {
            description: words.join_lead,
            ..answers::page(paths::JOIN, &title, &paper, root, publication)
        },
        words,
        fields: Fields::of(shown, words),
        address: printed(&shown.filled.address),
        ticket,
    };
    Ok(publication.theme.fill("site/join.html", &content)?.into_bytes())
}

/// The page with the form to change what one gets; what it says of the reader's address is not in `shown`, since it cannot be
/// changed.
pub(in crate::editions) fn preferences(
    shown: &ShownForm<'_>,
    own: &Own<'_>,
    publication: &Publication,
) -> Result<Vec<u8>, Error> {
    #[derive(Serialize)]
    struct Content<'a> {
        page: Page<'a>,
        words: &'static Words,
        fields: Fields,
        lead: String,
        saved: bool,
        leave: &'a str,
        feed: String,
        catalogue: String,
    }
    let words = publication.theme.words(&publication.language);
    let paper = answers::paper(publication);
    let title = titled(words.preferences, shown, words, &paper);
    let root = answers::root(publication);
    let private = |name: &str| format!("{}private/{}/{name}", publication.forms.url, own.private);
    let content = Content {
        page: answers::page(paths::INDEX, &title, &paper, root, publication),
        words,
        fields: Fields::of(shown, words),
        lead: theme::told(words.preferences_lead, &[("address", &shown.filled.address)]),
        saved: own.saved,
        leave: own.leave,
        feed: private("feed.xml"),
        catalogue: private("opds.xml"),
    };
    Ok(publication.theme.fill("site/preferences.html", &content)?.into_bytes())
}

/// A title that begins with what is wrong: a browser's tab and a screen reader say it first.
fn titled(name: &str, shown: &ShownForm<'_>, words: &Words, paper: &str) -> String {
    if shown.problems.is_empty() {
        format!("{name} · {paper}")
    } else {
        format!("{}{}{name} · {paper}", words.form_problems, words.colon)
    }
}
