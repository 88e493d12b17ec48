//! The pages that answer a question: what a search has found, and that something is not here, and how a wish went.

use serde::Serialize;

use super::{Page, facets::Line};
use crate::{
    editions::Contribution, editions::Error, editions::outline::said, editions::paths,
    publication::Publication, theme, theme::Words,
};

/// What a search has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// What was asked, as it was written.
    pub question: String,
    /// The articles of this page, newest first.
    pub articles: Vec<Contribution>,
    /// How many there are in all.
    pub count: usize,
    /// Which page this is, counted from 1.
    pub page: usize,
    /// How many pages there are.
    pub pages: usize,
}

/// The page with what a search has found, or with the form alone.
pub(in crate::editions) fn found(found: &Found, publication: &Publication) -> Result<Vec<u8>, Error> {
    #[derive(Serialize)]
    struct Content<'a> {
        page: Page<'a>,
        words: &'static Words,
        action: String,
        question: &'a str,
        asked: bool,
        count: String,
        lines: Vec<Line>,
        newer: Option<usize>,
        older: Option<usize>,
    }
    let words = publication.theme.words(&publication.language);
    let paper = paper(publication);
    let question = said(&found.question).unwrap_or_default();
    let title = format!("{} · {paper}", words.search);
    let root = root(publication);
    let content = Content {
        action: format!("{root}{}", paths::SEARCH),
        page: page(paths::SEARCH, &title, &paper, root, publication),
        words,
        asked: !question.is_empty(),
        question: &question,
        count: words.n_articles(found.count),
        lines: found.articles.iter().map(|line| Line::of(line, publication, words)).collect(),
        newer: (found.page > 1).then(|| found.page - 1),
        older: (found.page < found.pages).then(|| found.page + 1),
    };
    Ok(publication.theme.fill("site/search.html", &content)?.into_bytes())
}

/// What a reader decides on a page with one button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Whether his or her letters end.
    Leave,
    /// Whether nobody may use the address again: it was somebody else who asked.
    Never,
    /// Whether he or she asked for them.
    Confirm,
}

/// How far a reader's decision has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The page asks, and has a button.
    Asked,
    /// It is done.
    Done,
    /// The address was ours, and is too old.
    Expired,
    /// The address is none of ours.
    Unknown,
    /// It could not be done, and the button is still there.
    Later,
}

impl Question {
    /// All questions.
    pub const ALL: [Self; 3] = [Self::Leave, Self::Never, Self::Confirm];
}

impl Decision {
    /// Every decision.
    pub const ALL: [Self; 5] = [Self::Asked, Self::Done, Self::Expired, Self::Unknown, Self::Later];
}

/// What a page tells a reader who filled in a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// A letter asks, whatever is known of the address.
    Asked,
    /// So many ask that nothing was done.
    Busy,
    /// There is nothing to change, because there are no letters.
    Ended,
}

impl Told {
    /// All that there is to tell.
    pub const ALL: [Self; 3] = [Self::Asked, Self::Busy, Self::Ended];
}

/// The page on which a reader leaves or confirms; `preferences` is the last part of the address at which this reader changes what he
/// or she gets, where there is one.
pub(in crate::editions) fn question(
    question: Question,
    decision: Decision,
    preferences: Option<&str>,
    publication: &Publication,
) -> Result<Vec<u8>, Error> {
    let words = publication.theme.words(&publication.language);
    let paper = paper(publication);
    let (asked, done, button) = match question {
        Question::Leave => (words.leave_asked, words.leave_done, words.leave),
        Question::Never => (words.never_ask, words.never_done, words.never_button),
        Question::Confirm => (words.confirm_ask, words.confirm_done, words.confirm_button),
    };
    let asked = theme::told(asked, &[("paper", &paper)]);
    let change =
        preferences.map(|token| Link { href: format!("../preferences/{token}"), label: words.preferences });
    let change = change.filter(|_| match question {
        Question::Leave => decision == Decision::Asked,
        Question::Confirm => decision == Decision::Done,
        Question::Never => false,
    });
    let page = match decision {
        Decision::Asked => Answer { button: Some(button), link: change, ..Answer::of(&asked) },
        Decision::Done => Answer { link: change, ..Answer::of(done) },
        Decision::Expired => Answer {
            text: Some(words.confirm_expired_text),
            link: join(publication, words),
            ..Answer::of(words.confirm_expired)
        },
        Decision::Unknown => Answer::of(words.question_unknown),
        Decision::Later => Answer { button: Some(button), ..Answer::of(words.question_later) },
    };
    page.print(
        if question == Question::Confirm { words.confirm_button } else { words.leave },
        words,
        publication,
    )
}

/// What becomes of a form, in words.
pub(in crate::editions) fn told(told: Told, publication: &Publication) -> Result<Vec<u8>, Error> {
    let words = publication.theme.words(&publication.language);
    let (page, name) = match told {
        Told::Asked => {
            (Answer { text: Some(words.join_asked_text), ..Answer::of(words.join_asked) }, words.join)
        }
        Told::Busy => {
            (Answer { text: Some(words.join_busy_text), ..Answer::of(words.join_busy) }, words.join)
        }
        Told::Ended => (
            Answer { link: join(publication, words), ..Answer::of(words.preferences_ended) },
            words.preferences,
        ),
    };
    page.print(name, words, publication)
}

/// Where somebody may go who has read this.
#[derive(Debug, Serialize)]
struct Link {
    href: String,
    label: &'static str,
}

/// The way to the form to join, where there is one.
fn join(publication: &Publication, words: &Words) -> Option<Link> {
    publication.join_url().map(|href| Link { href, label: words.join })
}

/// A page with one thing to say.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    message: &'a str,
    text: Option<&'a str>,
    button: Option<&'a str>,
    link: Option<Link>,
}

impl<'a> Answer<'a> {
    fn of(message: &'a str) -> Self {
        Self { message, text: None, button: None, link: None }
    }

    fn print(self, name: &str, words: &'static Words, publication: &Publication) -> Result<Vec<u8>, Error> {
        #[derive(Serialize)]
        struct Content<'a> {
            page: Page<'a>,
            words: &'static Words,
            #[serde(flatten)]
            answer: Answer<'a>,
        }
        let paper = paper(publication);
        let title = format!("{name} · {paper}");
        let page = page(paths::INDEX, &title, &paper, root(publication), publication);
        let content = Content { page, words, answer: self };
        Ok(publication.theme.fill("site/question.html", &content)?.into_bytes())
    }
}

/// The page that says that an address leads to nothing, or to what was withdrawn.
pub(in crate::editions) fn nothing_here(
    withdrawn: bool,
    publication: &Publication,
) -> Result<Vec<u8>, Error> {
    #[derive(Serialize)]
    struct Content<'a> {
        page: Page<'a>,
        words: &'static Words,
        message: &'static str,
    }
    let words = publication.theme.words(&publication.language);
    let paper = paper(publication);
    let message = if withdrawn { words.withdrawn } else { words.not_here };
    let content =
        Content { page: page(paths::INDEX, message, &paper, root(publication), publication), words, message };
    Ok(publication.theme.fill("site/nothing.html", &content)?.into_bytes())
}

/// What the publication is called on its pages.
pub(super) fn paper(publication: &Publication) -> String {
    said(&publication.title).unwrap_or_else(|| publication.key.clone())
}

/// What the frame of a page says that the daemon answers at `path`.
pub(super) fn page<'a>(
    path: &str,
    title: &'a str,
    paper: &'a str,
    root: String,
    publication: &'a Publication,
) -> Page<'a> {
    Page { class: "answer", root: root.into(), ..Page::new(path, "", title, paper, publication) }
}

/// The way to the outbox from any address of its host.
pub(super) fn root(publication: &Publication) -> String {
    let rest = publication.base_url.split_once("://").map_or("", |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..]).to_owned()
}
