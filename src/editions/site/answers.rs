//! The pages that answer a question: what a search has found, and that something is not here.

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
    let paper = said(&publication.title).unwrap_or_else(|| publication.key.clone());
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
    /// The address is none of ours.
    Unknown,
    /// It could not be done, and the button is still there.
    Later,
}

impl Question {
    /// Both questions.
    pub const ALL: [Self; 2] = [Self::Leave, Self::Confirm];
}

impl Decision {
    /// Every decision.
    pub const ALL: [Self; 4] = [Self::Asked, Self::Done, Self::Unknown, Self::Later];
}

/// The page on which a reader leaves or confirms.
pub(in crate::editions) fn question(
    question: Question,
    decision: Decision,
    publication: &Publication,
) -> Result<Vec<u8>, Error> {
    #[derive(Serialize)]
    struct Content<'a> {
        page: Page<'a>,
        words: &'static Words,
        message: &'a str,
        button: Option<&'static str>,
    }
    let words = publication.theme.words(&publication.language);
    let paper = said(&publication.title).unwrap_or_else(|| publication.key.clone());
    let (asked, done, button) = match question {
        Question::Leave => (words.leave_asked, words.leave_done, words.leave),
        Question::Confirm => (words.confirm_ask, words.confirm_done, words.confirm_button),
    };
    let asked = theme::told(asked, &[("paper", &paper)]);
    let (message, button) = match decision {
        Decision::Asked => (asked.as_str(), Some(button)),
        Decision::Done => (done, None),
        Decision::Unknown => (words.question_unknown, None),
        Decision::Later => (words.question_later, Some(button)),
    };
    let title =
        format!("{} · {paper}", if question == Question::Leave { words.leave } else { words.confirm_button });
    let page = page(paths::INDEX, &title, &paper, root(publication), publication);
    Ok(publication.theme.fill("site/question.html", &Content { page, words, message, button })?.into_bytes())
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
    let paper = said(&publication.title).unwrap_or_else(|| publication.key.clone());
    let message = if withdrawn { words.withdrawn } else { words.not_here };
    let content =
        Content { page: page(paths::INDEX, message, &paper, root(publication), publication), words, message };
    Ok(publication.theme.fill("site/nothing.html", &content)?.into_bytes())
}

fn page<'a>(
    path: &str,
    title: &'a str,
    paper: &'a str,
    root: String,
    publication: &'a Publication,
) -> Page<'a> {
    Page { class: "answer", root: root.into(), ..Page::new(path, "", title, paper, publication) }
}

/// The way to the outbox from any address of its host.
fn root(publication: &Publication) -> String {
    let rest = publication.base_url.split_once("://").map_or("", |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..]).to_owned()
}
