//! The letter of an issue: its contents and how each article begins, as HTML and as plain text.

pub(super) mod confirmation;
mod excerpt;
mod lines;
mod text;

use serde::Serialize;

use self::excerpt::Excerpt;
use crate::{
    editions::BookFile, editions::Error, editions::LEAVE, editions::gallery::Gallery,
    editions::outline::Outline, editions::outline::Piece, editions::paths, issue::Release, issue::shorten,
    publication::Publication,
};

/// An issue as a letter, the same for every reader but for [`LEAVE`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The subject line.
    pub subject: String,
    /// What mail programs show beside the subject; it stands hidden at the top of `html` already.
    pub preheader: String,
    /// The HTML part, at most [`Letter::MAX_HTML`] bytes.
    pub html: String,
    /// The plain text part; lines of 72 columns at most, but for long addresses.
    pub text: String,
}

impl Letter {
    /// Largest HTML part, in bytes: Gmail clips a message at about 102 kB, and addresses for leaving still come in.
    pub const MAX_HTML: usize = 96 * 1024;
}

/// What both parts of a letter are made of.
#[derive(Debug, Serialize)]
struct Sheet<'a> {
    issue: &'a Outline,
    subject: &'a str,
    preheader: &'a str,
    page: &'a str,
    book: &'a str,
    leave: &'static str,
    stories: Vec<Story>,
    more: Option<String>,
}

/// One article of a letter.
#[derive(Debug, Clone, Serialize)]
struct Story {
    #[serde(flatten)]
    piece: Piece,
    /// The section that begins with it.
    section: Option<String>,
    /// Its whole text on the web.
    href: String,
    /// How it begins, as HTML.
    body: String,
    /// Whether there is more of it.
    cut: bool,
    #[serde(skip)]
    excerpt: Excerpt,
}

/// Writes the letter.
pub(super) fn write(
    release: &Release,
    book: &BookFile,
    publication: &Publication,
    outline: &Outline,
) -> Result<Letter, Error> {
    let outline = brief(outline);
    let subject = shorten(&outline.name, 150);
    let preheader = outline.summary.clone().map_or_else(|| outline.contents(140), |s| shorten(&s, 140));
    let page = publication.url(&paths::page(&release.issue.key));
    let book = publication.url(&book.path);
    let mut sheet = Sheet {
        subject: &subject,
        preheader: &preheader,
        leave: LEAVE,
        stories: stories(&outline, &page),
        more: None,
        issue: &outline,
        page: &page,
        book: &book,
    };
    // A quarter of the room at least is for text: with hundreds of articles, the last ones are only counted.
    let n_articles = sheet.stories.len();
    let mut frame = outline.theme.fill("letter/letter.html", &sheet)?.len();
    while frame > Letter::MAX_HTML / 4 * 3 && sheet.stories.len() > 1 {
        let fewer = sheet.stories.len() * (Letter::MAX_HTML / 4 * 3) / frame;
        sheet.stories.truncate(fewer.clamp(1, sheet.stories.len() - 1));
        sheet.more = Some(outline.words.n_more(n_articles - sheet.stories.len()));
        frame = outline.theme.fill("letter/letter.html", &sheet)?.len();
    }
    let room = Letter::MAX_HTML.saturating_sub(frame);
    let bodies: Vec<_> =
        sheet.stories.iter().map(|s| (&release.issue.articles[s.piece.nth], s.href.clone())).collect();
    let pictures = paths::pictures(&release.issue.key, publication);
    let gallery = Gallery::of(&release.issue, &pictures).in_letter();
    for (story, (excerpt, html)) in sheet.stories.iter_mut().zip(excerpt::excerpts(&bodies, &gallery, room)) {
        story.cut = excerpt.cut;
        story.excerpt = excerpt;
        story.body = html;
    }
    let html = outline.theme.fill("letter/letter.html", &sheet)?;
    let text = text::text(&sheet);
    Ok(Letter { subject: subject.clone(), preheader: preheader.clone(), html, text })
}

/// The outline with every line cut to what a letter has room for.
fn brief(outline: &Outline) -> Outline {
    let cut = |text: &Option<String>, most| text.as_deref().map(|text| shorten(text, most));
    let mut brief = outline.clone();
    brief.name = shorten(&outline.name, 200);
    brief.paper = shorten(&outline.paper, 100);
    brief.title = cut(&outline.title, 200);
    brief.number = cut(&outline.number, 60);
    brief.place = cut(&outline.place, 120);
    brief.summary = cut(&outline.summary, 600);
    brief.editors = cut(&outline.editors, 200);
    brief.publisher = cut(&outline.publisher, 200);
    brief.rights = cut(&outline.rights, 300);
    brief.contacts.truncate(8);
    brief.contacts.retain(|contact| contact.text.len() + contact.label.len() < 600);
    for group in &mut brief.groups {
        group.title = cut(&group.title, 80);
        for piece in &mut group.pieces {
            piece.headline = shorten(&piece.headline, 200);
            piece.kicker = cut(&piece.kicker, 120);
            piece.dek = cut(&piece.dek, 240);
            piece.byline = cut(&piece.byline, 160);
        }
    }
    brief
}

fn stories(outline: &Outline, page: &str) -> Vec<Story> {
    let mut stories = Vec::new();
    for group in &outline.groups {
        for (n, piece) in group.pieces.iter().enumerate() {
            stories.push(Story {
                href: format!("{page}#{}", piece.anchor),
                section: group.title.clone().filter(|_| n == 0),
                piece: piece.clone(),
                body: String::new(),
                cut: true,
                excerpt: Excerpt::default(),
            });
        }
    }
    stories
}
