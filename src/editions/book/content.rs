//! The pages of a book: title page, contents, one file or more for each article, colophon.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use super::names::file_as;
use super::parts::parts;
use super::{Gathering, PICTURES, Page, Part};
use crate::{
    editions::Error, editions::gallery::Gallery, editions::markup, editions::markup::Markup,
    editions::markup::Medium, editions::outline::Opening, editions::outline::Outline,
    editions::outline::Piece, editions::outline::said, issue::Article, prose::Block, theme::Ready,
};

/// The files of a book, and what its lists need to know of them.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// All pages in the order of reading.
    pub pages: Vec<Page>,
    /// For each article, the file that it begins in.
    pub files: Vec<String>,
    /// Where the pages of the printed paper begin.
    pub stops: Vec<Stop>,
    /// Who made the articles, in a volume of many issues.
    pub names: Vec<Name>,
}

/// Where a page of the printed paper begins.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Stop {
    /// As its list has it: `3`.
    pub number: String,
    /// As it is said: `第3版`.
    pub label: String,
    /// The number, where it is one.
    pub value: Option<u32>,
    pub file: String,
    pub id: String,
}

/// A line of the index of names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Name {
    /// What it is sorted by.
    pub file_as: String,
    pub said: String,
    pub entries: Vec<Entry>,
}

/// An article in the index of names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Entry {
    pub file: String,
    pub label: String,
    /// The issue that it is in.
    pub of: String,
}

/// What the pages around the articles are made of.
#[derive(Serialize)]
struct Front<'a> {
    issue: &'a Outline,
    files: &'a [String],
    page: &'a str,
    cover: &'a str,
    openings: Vec<&'a Opening>,
    names: &'a [Name],
}

/// The pages of a book whose lines are `whole`, and which is read online at `page`.
pub(super) fn pages(
    whole: &Outline,
    gatherings: &[Gathering<'_>],
    page: &str,
    cover: &str,
) -> Result<Content, Error> {
    let n_articles = gatherings.iter().map(|gathering| gathering.issue.articles.len()).sum();
    let files: Vec<String> = (0..n_articles).map(|nth| file(nth, 1)).collect();
    let openings: Vec<&Opening> =
        gatherings.iter().filter_map(|gathering| gathering.opening.as_ref()).collect();
    let names = if openings.is_empty() { Vec::new() } else { names(gatherings, &files) };
    let front = Ready::of(Front { issue: whole, files: &files, page, cover, openings, names: &names });
    let filled = |file: &str, title: &str, part: Part| {
        let template = FRONT.into_iter().find(|(name, _)| *name == file).map(|(_, template)| template);
        let text = whole.theme.fill(template.unwrap_or_default(), &front)?;
        Ok::<Page, Error>(Page { file: file.to_owned(), title: title.to_owned(), part, text })
    };
    let words = whole.words;
    let mut pages = vec![
        filled("cover.xhtml", words.cover, Part::Cover)?,
        filled("title.xhtml", words.page_title, Part::TitlePage)?,
        filled("contents.xhtml", words.contents, Part::Contents)?,
    ];
    let labels: Vec<&str> = whole.pieces().map(|piece| piece.label.as_str()).collect();
    let mut stops = Vec::new();
    for gathering in gatherings {
        let stop = stop(gathering, stops.len());
        if let Some(opening) = &gathering.opening {
            pages.push(opening_page(gathering, opening, stop.as_ref(), &files)?);
        }
        pages.extend(article_pages(gathering, &labels, stop.as_ref())?);
        stops.extend(stop);
    }
    if !names.is_empty() {
        pages.push(filled("names.xhtml", words.names, Part::Other)?);
    }
    pages.push(filled("colophon.xhtml", words.colophon, Part::Colophon)?);
    Ok(Content { pages, files, stops, names })
}

/// The templates of the pages around the articles.
const FRONT: [(&str, &str); 5] = [
    ("cover.xhtml", "book/cover.xhtml"),
    ("title.xhtml", "book/title.xhtml"),
    ("contents.xhtml", "book/contents.xhtml"),
    ("names.xhtml", "book/names.xhtml"),
    ("colophon.xhtml", "book/colophon.xhtml"),
];

/// Where the printed page of an issue begins: at its opening, or else at its first article. In a volume many issues have a
/// page 3, so that the issue is named with it.
fn stop(gathering: &Gathering<'_>, n_before: usize) -> Option<Stop> {
    let outline = gathering.outline;
    let page = outline.page.clone()?;
    let label = outline.words.page(&page);
    let id = format!("page{}", n_before + 1);
    let of = outline.number.as_deref().unwrap_or(&outline.day.iso);
    Some(match &gathering.opening {
        Some(opening) => {
            let number = format!("{of} · {label}");
            Stop { label: number.clone(), value: None, file: opening.file.clone(), id, number }
        }
        None => Stop { label, value: numeral(&page), file: file(gathering.first, 1), id, number: page },
    })
}

/// A page's number, where it is one.
fn numeral(page: &str) -> Option<u32> {
    page.parse().ok().filter(|&value| value > 0 && page.bytes().all(|b| b.is_ascii_digit()))
}

fn opening_page(
    gathering: &Gathering<'_>,
    opening: &Opening,
    page_break: Option<&Stop>,
    files: &[String],
) -> Result<Page, Error> {
    #[derive(Serialize)]
    struct Front<'a> {
        issue: &'a Outline,
        opening: &'a Opening,
        page_break: Option<&'a Stop>,
        files: &'a [String],
        first: usize,
    }
    let front = Front { issue: gathering.outline, opening, page_break, files, first: gathering.first };
    let text = gathering.outline.theme.fill("book/opening.xhtml", &front)?;
    Ok(Page { file: opening.file.clone(), title: opening.title.clone(), part: Part::Other, text })
}

/// Who wrote, translated and pictured what, as names are sorted.
fn names(gatherings: &[Gathering<'_>], files: &[String]) -> Vec<Name> {
    let mut found: BTreeMap<(String, String), Vec<Entry>> = BTreeMap::new();
    for gathering in gatherings {
        let chinese = gathering.outline.words.lang.starts_with("zh");
        for (nth, (article, piece)) in
            gathering.issue.articles.iter().zip(gathering.outline.pieces()).enumerate()
        {
            let mut named = HashSet::new();
            for name in article.bylines.iter().filter_map(|byline| said(&byline.name)) {
                if named.insert(name.clone()) {
                    let of =
                        gathering.opening.as_ref().map(|opening| opening.title.clone()).unwrap_or_default();
                    let file = files.get(gathering.first + nth).cloned().unwrap_or_default();
                    let entry = Entry { file, label: piece.label.clone(), of };
                    found.entry((file_as(&name, chinese), name)).or_default().push(entry);
                }
            }
        }
    }
    let mut names: Vec<Name> =
        found.into_iter().map(|((file_as, said), entries)| Name { file_as, said, entries }).collect();
    names.sort_by_cached_key(|name| (name.file_as.to_lowercase(), name.said.clone()));
    names
}

/// `a001.xhtml`, and `a001-2.xhtml` for its second part.
fn file(nth: usize, part: usize) -> String {
    if part == 1 { format!("a{:03}.xhtml", nth + 1) } else { format!("a{:03}-{part}.xhtml", nth + 1) }
}

/// The file before or after another.
#[derive(Debug, Clone, Serialize)]
struct Neighbour<'a> {
    label: &'a str,
    file: String,
}

/// All files of the articles of one issue; `labels` are those of all articles of the book.
fn article_pages(
    gathering: &Gathering<'_>,
    labels: &[&str],
    stop: Option<&Stop>,
) -> Result<Vec<Page>, Error> {
    let gallery = Gallery::of(gathering.issue, PICTURES).in_book();
    let issue = Ready::of(gathering.outline);
    let pieces = gathering
        .outline
        .groups
        .iter()
        .flat_map(|group| group.pieces.iter().map(|piece| (piece, group.title.as_deref())));
    let mut pages = Vec::new();
    for (article, (piece, section)) in gathering.issue.articles.iter().zip(pieces) {
        let nth = gathering.first + piece.nth;
        let neighbour = |n: usize| labels.get(n).map(|label| Neighbour { label, file: file(n, 1) });
        let setting = Setting {
            gathering,
            issue: &issue,
            piece,
            section,
            nth,
            page_break: stop.filter(|_| piece.nth == 0 && gathering.opening.is_none()),
            previous: nth.checked_sub(1).and_then(neighbour),
            next: neighbour(nth + 1),
        };
        pages.extend(files_of(article, &gallery, &setting)?);
    }
    Ok(pages)
}

/// Where an article stands in the book.
struct Setting<'a> {
    gathering: &'a Gathering<'a>,
    /// The lines of its issue.
    issue: &'a Ready,
    piece: &'a Piece,
    section: Option<&'a str>,
    /// Its place in the book, counted from 0.
    nth: usize,
    page_break: Option<&'a Stop>,
    previous: Option<Neighbour<'a>>,
    next: Option<Neighbour<'a>>,
}

fn files_of(article: &Article, gallery: &Gallery, setting: &Setting<'_>) -> Result<Vec<Page>, Error> {
    #[derive(Serialize)]
    struct Leaf<'a> {
        issue: &'a Ready,
        piece: &'a Piece,
        section: Option<&'a str>,
        part: usize,
        last: bool,
        body: &'a str,
        notes: &'a str,
        page_break: Option<&'a Stop>,
        contents: &'a str,
        previous: Option<Neighbour<'a>>,
        next: Option<Neighbour<'a>>,
    }
    let Setting { gathering, piece, nth, .. } = *setting;
    let parts = parts(&article.body);
    let homes = homes(article, &parts);
    let mut markup = Markup::new(Medium::Book, 2, article.notes.len());
    markup.gallery = gallery.clone();
    let mut pages = Vec::with_capacity(parts.len());
    for (n, blocks) in parts.iter().enumerate() {
        let (part, last) = (n + 1, n + 1 == parts.len());
        markup.elsewhere = homes
            .iter()
            .filter(|(_, home)| **home != n)
            .map(|(number, home)| (*number, file(nth, home + 1)))
            .collect();
        markup.start_again();
        let body = markup.blocks(blocks);
        let mut notes = String::new();
        for (index, note) in article.notes.iter().enumerate() {
            if homes.get(&(index + 1)) == Some(&n) {
                notes.push_str(&markup.note(index + 1, note));
            }
        }
        let of_same = |part: usize| Some(Neighbour { label: &piece.label, file: file(nth, part) });
        let leaf = Leaf {
            issue: setting.issue,
            piece,
            section: setting.section,
            part,
            last,
            body: &body,
            notes: &notes,
            page_break: setting.page_break.filter(|_| n == 0),
            contents: gathering.opening.as_ref().map_or("contents.xhtml", |opening| &opening.file),
            previous: if n == 0 { setting.previous.clone() } else { of_same(n) },
            next: if last { setting.next.clone() } else { of_same(part + 1) },
        };
        pages.push(Page {
            file: file(nth, part),
            title: piece.label.clone(),
            part: if nth == 0 && n == 0 { Part::FirstArticle } else { Part::Other },
            text: gathering.outline.theme.fill("book/article.xhtml", &leaf)?,
        });
    }
    Ok(pages)
}

/// Which part holds each note: that of its first reference, so that a reading system can show it in place; the last
/// for a note that the text never refers to.
fn homes(article: &Article, parts: &[Vec<Block>]) -> HashMap<usize, usize> {
    let last = parts.len().saturating_sub(1);
    let mut homes: HashMap<usize, usize> = HashMap::new();
    for (n, blocks) in parts.iter().enumerate() {
        for number in markup::notes_in(blocks) {
            homes.entry(number).or_insert(n);
        }
    }
    (1..=article.notes.len()).map(|number| (number, homes.get(&number).copied().unwrap_or(last))).collect()
}
