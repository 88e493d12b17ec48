//! What a feed tells of one thing: an issue, an article or a book, in whatever format it is written.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::{
    editions::BookFile, editions::Error, editions::Shelved, editions::gallery::Gallery,
    editions::markup::Markup, editions::markup::Medium, editions::outline::Outline, editions::outline::Piece,
    editions::outline::said, editions::paths, issue::Article, publication::Publication, theme::Ready,
};

/// The media type of a book.
pub(super) const EPUB: &str = "application/epub+zip";

/// How long a summary is at most, in characters.
const SUMMARY: usize = 300;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Entry {
    /// A tag URI that never changes.
    pub id: String,
    /// In plain text; never empty.
    pub title: String,
    /// Where it is read.
    pub link: String,
    /// In plain text.
    pub summary: String,
    /// The whole as HTML that needs nothing beside it; empty where the link is the thing itself.
    pub content: String,
    /// Who wrote it.
    pub authors: Vec<String>,
    /// The sections it belongs to.
    pub sections: Vec<String>,
    /// Its language.
    pub language: String,
    /// Its book.
    pub book: Option<Book>,
    /// When it first came out.
    #[serde(serialize_with = "to_the_second")]
    pub published: Timestamp,
    /// When it was last corrected.
    #[serde(serialize_with = "to_the_second")]
    pub updated: Timestamp,
}

/// A book that an entry encloses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Book {
    /// Where it is.
    pub url: String,
    /// Its exact size in bytes.
    pub length: u64,
    /// Its media type.
    pub kind: &'static str,
}

impl Book {
    fn of(file: &BookFile, publication: &Publication) -> Self {
        Self { url: publication.url(&file.path), length: file.length, kind: EPUB }
    }
}

/// An issue as an entry, with the whole text.
pub(super) fn of_issue(shelved: &Shelved, publication: &Publication) -> Result<Entry, Error> {
    let release = &shelved.release;
    let outline = Outline::of(release, publication);
    let link = publication.url(&paths::page(&release.issue.key));
    let book = Book::of(&shelved.book, publication);
    let gallery = Gallery::of(&release.issue, &paths::pictures(&release.issue.key, publication));
    let content = content(&release.issue.articles, &outline, &gallery, (&link, &book.url))?;
    let mut authors: Vec<String> = Vec::new();
    for name in release.issue.articles.iter().flat_map(Article::authors).filter_map(said) {
        if !authors.contains(&name) {
            authors.push(name);
        }
    }
    let mut sections: Vec<String> = outline.groups.iter().filter_map(|group| group.title.clone()).collect();
    sections.dedup();
    Ok(Entry {
        id: publication.tag(release.issue.key.as_str()),
        summary: outline.summary.clone().unwrap_or_else(|| outline.contents(SUMMARY)),
        title: outline.name,
        link,
        content,
        authors,
        sections,
        language: outline.lang,
        book: Some(book),
        published: release.published,
        updated: release.updated,
    })
}

/// An issue's book as an entry whose link is the book itself: some e-readers follow feeds, and load what the link gives.
pub(super) fn of_book(shelved: &Shelved, publication: &Publication) -> Entry {
    let release = &shelved.release;
    let outline = Outline::of(release, publication);
    let book = Book::of(&shelved.book, publication);
    Entry {
        // Readers that keep entries by their id alone must not mistake it for the issue's own.
        id: publication.tag(&format!("{}/book", release.issue.key)),
        summary: outline.summary.clone().unwrap_or_else(|| outline.contents(SUMMARY)),
        title: outline.name,
        link: book.url.clone(),
        content: String::new(),
        authors: vec![outline.paper],
        sections: vec![],
        language: outline.lang,
        book: Some(book),
        published: release.published,
        updated: release.updated,
    }
}

/// The articles of an issue as entries, in their order.
pub(super) fn of_articles(shelved: &Shelved, publication: &Publication) -> Result<Vec<Entry>, Error> {
    #[derive(Serialize)]
    struct Content<'a> {
        issue: &'a Ready,
        issue_page: &'a str,
        piece: &'a Piece,
        text: Text,
    }
    let release = &shelved.release;
    let outline = Outline::of(release, publication);
    let gallery = Gallery::of(&release.issue, &paths::pictures(&release.issue.key, publication));
    let issue_page = publication.url(&paths::page(&release.issue.key));
    let issue = Ready::of(&outline);
    let mut entries = Vec::new();
    for piece in outline.pieces() {
        let article = &release.issue.articles[piece.nth];
        let link = publication.url(&paths::article(&release.issue.key, &piece.anchor));
        let text = text(article, piece, &gallery, &link);
        let content = Content { issue: &issue, issue_page: &issue_page, piece, text };
        let section = article.section.as_deref().or(release.issue.section.as_deref()).and_then(said);
        entries.push(Entry {
            id: publication.tag(&format!("{}/{}", release.issue.key, piece.anchor)),
            title: piece.headline.clone(),
            summary: piece.dek.clone().unwrap_or_else(|| piece.teaser.clone()),
            content: outline.theme.fill("feed/article.html", &content)?,
            link,
            authors: article.authors().filter_map(said).collect(),
            sections: section.into_iter().collect(),
            language: outline.lang.clone(),
            book: None,
            published: release.published,
            updated: release.updated,
        });
    }
    Ok(entries)
}

/// The body of an article and its notes, as HTML.
#[derive(Serialize)]
struct Text {
    body: String,
    notes: String,
}

fn text(article: &Article, piece: &Piece, gallery: &Gallery, page: &str) -> Text {
    let mut markup = Markup::new(Medium::Away, 3, article.notes.len());
    markup.prefix = format!("{}-", piece.anchor);
    page.clone_into(&mut markup.base);
    markup.gallery = gallery.clone();
    let body = markup.blocks(&article.body);
    let notes = article.notes.iter().enumerate().map(|(n, note)| markup.note(n + 1, note)).collect();
    Text { body, notes }
}

/// The whole issue as HTML: every address is absolute, and the book is linked in the text too, because many readers drop
/// enclosures that are no sound or film.
fn content(
    articles: &[Article],
    outline: &Outline,
    gallery: &Gallery,
    (page, book): (&str, &str),
) -> Result<String, Error> {
    #[derive(Serialize)]
    struct Content<'a> {
        issue: &'a Outline,
        page: &'a str,
        book: &'a str,
        texts: Vec<Text>,
    }
    let texts = outline.pieces().map(|piece| text(&articles[piece.nth], piece, gallery, page)).collect();
    Ok(outline.theme.fill("feed/entry.html", &Content { issue: outline, page, book, texts })?)
}

fn to_the_second<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&seconds(*moment))
}

/// RFC 3339 to the second, in UTC.
pub(super) fn seconds(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
