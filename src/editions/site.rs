//! The web pages: an issue in full, the front page, a page for each year, and what browsers need with them.

mod answers;
mod facets;
mod front;
mod following;
mod forms;
mod shown;
mod sitemap;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use serde::Serialize;

use self::shown::Shown;
pub use self::{
    answers::Decision, answers::Found, answers::Question, answers::Told, forms::Choices, forms::Filled,
    forms::Own, forms::Problem, forms::ShownForm,
};
pub(super) use self::{
    answers::found, answers::nothing_here, answers::question, answers::told, facets::facet,
    following::following, forms::join, forms::preferences, front::index, sitemap::index as sitemaps,
    sitemap::of_year as sitemap, sitemap::robots,
};

use crate::{
    editions::Beside, editions::BookFile, editions::Edition, editions::Error, editions::Facet,
    editions::Listing, editions::Volume, editions::gallery::Gallery, editions::linked_data,
    editions::markup::Markup, editions::markup::Medium, editions::outline::Outline, editions::outline::Piece,
    editions::outline::said, editions::paths, issue::Release, publication::Publication, theme::Ready,
    theme::Words, theme::direction, typography,
};

/// The style sheet of all pages.
pub(super) fn stylesheet(publication: &Publication) -> Edition {
    let style = publication.theme.style("site/site.css").as_bytes();
    Edition { path: paths::asset("site", style), bytes: style.to_vec() }
}

/// A year of the archive, or of what an author or a section has, as other pages lead to it.
#[derive(Debug, Serialize)]
struct Year {
    href: String,
    label: String,
    count: String,
}

/// What the frame of every page says of it.
#[derive(Debug, Serialize)]
struct Page<'a> {
    lang: &'a str,
    /// The language as Open Graph names it, such as `zh_CN`.
    locale: String,
    dir: &'static str,
    title: &'a str,
    /// The title without the paper's name, for cards that show that beside it.
    name: &'a str,
    description: &'a str,
    paper: &'a str,
    /// Whether that is set wide, as names in Chinese characters are.
    wide: bool,
    tagline: Option<String>,
    kind: &'static str,
    class: &'static str,
    /// The way from this page up to the outbox, so that a copy of the outbox works anywhere.
    root: Cow<'static, str>,
    url: String,
    /// The picture that goes with a link to this page.
    shown: Option<Shown>,
    feed_url: String,
    atom_url: String,
    json_url: String,
    catalogue_url: String,
    latest_url: String,
    /// The page that explains how to follow.
    following: &'static str,
    /// Where readers join, where they may do so by themselves.
    join: Option<String>,
    stylesheet: String,
}

impl<'a> Page<'a> {
    fn new(
        path: &str,
        root: &'static str,
        title: &'a str,
        paper: &'a str,
        publication: &'a Publication,
    ) -> Self {
        Self {
            lang: publication.language.as_str(),
            dir: direction(&publication.language),
            locale: shown::locale(&publication.language),
            title,
            name: title,
            description: title,
            wide: paper.chars().any(typography::is_han),
            paper,
            tagline: said(&publication.description),
            kind: "website",
            class: "",
            root: Cow::Borrowed(root),
            url: publication.url(path),
            shown: None,
            feed_url: publication.url(paths::FEED),
            atom_url: publication.url(paths::ATOM),
            json_url: publication.url(paths::JSON),
            catalogue_url: publication.url(paths::CATALOGUE),
            latest_url: publication.url(paths::LATEST),
            following: paths::FOLLOWING,
            join: publication.join_url(),
            stylesheet: stylesheet(publication).path,
        }
    }
}

/// The page of an issue, with the whole text of every article.
pub(super) fn issue(
    release: &Release,
    book: &BookFile,
    beside: &Beside,
    publication: &Publication,
    outline: &Outline,
) -> Result<Edition, Error> {
    #[derive(Serialize)]
    struct Content<'a> {
        page: Page<'a>,
        words: &'static Words,
        issue: &'a Outline,
        /// The level of the articles' headings.
        level: u8,
        data: String,
        texts: &'a [Text],
        book: &'a BookFile,
        book_size: String,
        published: String,
        updated: String,
        previous: Option<Line>,
        next: Option<Line>,
        /// The page of its year.
        archive: String,
    }
    let gallery = Gallery::of(&release.issue, "");
    let texts: Vec<Text> = outline.pieces().map(|piece| text(release, outline, piece, &gallery, 2)).collect();
    let path = paths::page(&release.issue.key);
    let description = outline.summary.clone().unwrap_or_else(|| outline.contents(160));
    let line = |listing: &Listing| archive_line(listing, publication, outline.words);
    let content = Content {
        page: Page {
            lang: &outline.lang,
            dir: outline.dir,
            description: &description,
            kind: "article",
            class: "issue",
            locale: shown::locale(&release.issue.language),
            shown: Some(Shown::of_issue(release, publication)),
            ..Page::new(&path, "../../", &outline.name, &outline.paper, publication)
        },
        words: outline.words,
        issue: outline,
        level: 2,
        data: linked_data::issue(release, book, publication, outline),
        texts: &texts,
        book,
        book_size: size(book.length),
        published: release.published.to_string(),
        updated: release.updated.to_string(),
        previous: beside.previous.as_ref().map(&line),
        next: beside.next.as_ref().map(&line),
        archive: paths::archive(Listing::date_of(release, publication).year()),
    };
    Ok(Edition { bytes: publication.theme.fill("site/issue.html", &content)?.into_bytes(), path })
}

/// The body of an article and its notes, as HTML.
#[derive(Debug, Serialize)]
struct Text {
    body: String,
    notes: String,
}

/// The text of one article below a heading of that level. Its pictures lie beside the page.
fn text(release: &Release, outline: &Outline, piece: &Piece, gallery: &Gallery, level: u8) -> Text {
    let article = &release.issue.articles[piece.nth];
    let mut markup = Markup::new(Medium::Web, level + 1, article.notes.len());
    markup.prefix = format!("{}-", piece.anchor);
    markup.table = outline.words.table;
    markup.gallery = gallery.clone();
    let body = markup.blocks(&article.body);
    let notes = article.notes.iter().enumerate().map(|(n, note)| markup.note(n + 1, note)).collect();
    Text { body, notes }
}

/// A page for each article of an issue, with the way to the one before and after.
pub(super) fn articles(
    release: &Release,
    publication: &Publication,
    outline: &Outline,
) -> Result<Vec<Edition>, Error> {
    #[derive(Serialize)]
    struct Content<'a> {
        page: Page<'a>,
        words: &'a Ready,
        issue: &'a Ready,
        level: u8,
        data: String,
        section: Option<&'a str>,
        piece: &'a Piece,
        text: Text,
        previous: Option<&'a Piece>,
        next: Option<&'a Piece>,
        published: String,
        updated: String,
    }
    let gallery = Gallery::of(&release.issue, "");
    let pieces: Vec<(&Piece, Option<&str>)> = outline
        .groups
        .iter()
        .flat_map(|group| group.pieces.iter().map(|piece| (piece, group.title.as_deref())))
        .collect();
    let (words, issue) = (Ready::of(outline.words), Ready::of(outline));
    let mut editions = Vec::with_capacity(pieces.len());
    for (n, (piece, section)) in pieces.iter().enumerate() {
        let path = paths::article(&release.issue.key, &piece.anchor);
        let title = format!("{} · {}", piece.label, outline.paper);
        let description = piece.dek.as_ref().unwrap_or(&piece.teaser);
        let content = Content {
            page: Page {
                lang: &outline.lang,
                dir: outline.dir,
                description: if description.is_empty() { &title } else { description },
                kind: "article",
                class: "article",
                name: &piece.label,
                locale: shown::locale(&release.issue.language),
                shown: Shown::of_article(release, piece.nth, publication),
                ..Page::new(&path, "../../", &title, &outline.paper, publication)
            },
            words: &words,
            issue: &issue,
            level: 1,
            data: linked_data::article(release, publication, outline, piece),
            section: *section,
            piece,
            text: text(release, outline, piece, &gallery, 1),
            previous: n.checked_sub(1).and_then(|n| pieces.get(n)).map(|(piece, _)| *piece),
            next: pieces.get(n + 1).map(|(piece, _)| *piece),
            published: release.published.to_string(),
            updated: release.updated.to_string(),
        };
        editions.push(Edition {
            bytes: publication.theme.fill("site/article.html", &content)?.into_bytes(),
            path,
        });
    }
    Ok(editions)
}

/// A size as people read it, rounded up: `21 kB`, `1.4 MB`.
fn size(bytes: u64) -> String {
    let kb = bytes.div_ceil(1000);
    if kb < 1000 { format!("{kb} kB") } else { format!("{}.{} MB", kb / 1000, kb % 1000 / 100) }
}

/// An issue as a line of a list.
#[derive(Debug, Serialize)]
struct Line {
    page: String,
    lang: String,
    name: String,
    /// Its number and day, where they are not its name and have room.
    when: Option<String>,
    /// Empty where the name says as much.
    headlines: String,
}

/// The page of a year, by months. It names no other year, so that it stays as it is when the archive grows.
pub(super) fn archive(volume: &Volume, publication: &Publication) -> Result<Edition, Error> {
    #[derive(Serialize)]
    struct Month {
        label: String,
        issues: Vec<Line>,
    }
    #[derive(Serialize)]
    struct Content<'a> {
        page: Page<'a>,
        words: &'static Words,
        heading: String,
        n_issues: String,
        months: Vec<Month>,
        authors: Vec<Author>,
    }
    let words = publication.theme.words(&publication.language);
    let paper = said(&publication.title).unwrap_or_else(|| publication.key.clone());
    let heading = words.year(volume.year);
    let title = format!("{paper} · {heading}");
    let path = paths::archive(volume.year);
    let mut months: Vec<Month> = Vec::new();
    for listing in &volume.listings {
        let label = words.month(listing.date);
        let line = archive_line(listing, publication, words);
        match months.last_mut() {
            Some(month) if month.label == label => month.issues.push(line),
            _ => months.push(Month { label, issues: vec![line] }),
        }
    }
    let content = Content {
        page: Page { class: "archive", ..Page::new(&path, "../", &title, &paper, publication) },
        words,
        heading,
        n_issues: words.n_issues(volume.listings.len()),
        months,
        authors: authors(volume, words),
    };
    Ok(Edition { bytes: publication.theme.fill("site/archive.html", &content)?.into_bytes(), path })
}

/// Somebody who wrote in a year, as a line of its page.
#[derive(Debug, Serialize)]
struct Author {
    href: String,
    name: String,
    count: String,
}

/// Who wrote in a year, in the order of their names in Latin letters. The cost of a list of all who ever wrote would grow with
/// the archive; one of a year does not.
fn authors(volume: &Volume, words: &Words) -> Vec<Author> {
    let mut found: BTreeMap<String, (Facet, usize)> = BTreeMap::new();
    for article in volume.listings.iter().flat_map(|listing| &listing.articles) {
        let names: BTreeSet<&str> = article.authors.iter().map(String::as_str).collect();
        for facet in names.into_iter().filter_map(Facet::author) {
            found.entry(facet.slug()).or_insert((facet, 0)).1 += 1;
        }
    }
    let line = |(facet, count): (Facet, usize)| Author {
        href: paths::facet(&facet),
        name: facet.name,
        count: words.n_articles(count),
    };
    found.into_values().map(line).collect()
}

fn archive_line(listing: &Listing, publication: &Publication, words: &Words) -> Line {
    let name = said(&listing.name)
        .map_or_else(|| listing.key.to_string(), |name| without_paper(&name, &publication.title));
    Line {
        page: paths::page(&listing.key),
        lang: publication.language.as_str().to_owned(),
        headlines: unless(&name, listing.contents(words.semicolon(), 140)),
        name,
        when: None,
    }
}

/// The headlines of an issue, unless its name says them.
fn unless(name: &str, headlines: String) -> String {
    if headlines == name { String::new() } else { headlines }
}

/// An issue's name where the paper's own stands above already.
fn without_paper(name: &str, paper: &str) -> String {
    let rest = name.strip_prefix(paper).map(|rest| rest.trim_start_matches([' ', '·']));
    rest.filter(|rest| !rest.is_empty()).unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_issues_does_not_repeat_the_papers_name() {
        assert_eq!(without_paper("The Gazette · First frost", "The Gazette"), "First frost");
        assert_eq!(without_paper("The Gazette 2026-11-18", "The Gazette"), "2026-11-18");
        assert_eq!(without_paper("The Gazette", "The Gazette"), "The Gazette");
        assert_eq!(without_paper("First frost", "The Gazette"), "First frost");
    }

    #[test]
    fn a_size_is_told_as_people_read_it() {
        assert_eq!(size(0), "0 kB");
        assert_eq!(size(20_001), "21 kB");
        assert_eq!(size(1_450_000), "1.4 MB");
    }
}
