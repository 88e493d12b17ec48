//! An issue in the words of its readers: every line that the templates show, before it is escaped.

use std::collections::HashSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::{
    editions::bylines, issue::Article, issue::Issue, issue::Release, issue::shorten, prose::Href,
    publication::Publication, theme, theme::Theme, theme::Words, typography,
};

/// All of an issue but the bodies of its articles.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Outline {
    /// The language of its text.
    pub lang: String,
    /// `ltr` or `rtl`.
    pub dir: &'static str,
    /// Whether it is set as Chinese and Japanese are. A class, for many reading systems know no `:lang()`.
    pub cjk: bool,
    /// The words around it.
    pub words: &'static Words,
    /// What its editions are made with.
    #[serde(skip)]
    pub theme: Theme,
    /// The periodical.
    pub paper: String,
    /// What readers call this issue.
    pub name: String,
    /// Its own title, where it is not that of the periodical.
    pub title: Option<String>,
    /// `第217期`.
    pub number: Option<String>,
    /// Whether its book is set in vertical lines.
    pub vertical: bool,
    /// The printed page it was, as its number alone.
    pub page: Option<String>,
    /// `第3版 · 理论`.
    pub place: Option<String>,
    /// The day it carries, or else the day it came out.
    pub day: Day,
    /// A summary its editor wrote.
    pub summary: Option<String>,
    /// Who edited it, in one line.
    pub editors: Option<String>,
    /// Who publishes it.
    pub publisher: Option<String>,
    /// The rights line.
    pub rights: Option<String>,
    /// The ISSN, where it has the form of one.
    pub issn: Option<String>,
    /// How to reach the editors.
    pub contacts: Vec<Contact>,
    /// That it was corrected, and when.
    pub correction: Option<String>,
    /// How accessible its book is.
    pub accessibility: &'static str,
    /// How many articles.
    pub n_articles: String,
    /// The articles by section.
    pub groups: Vec<Group>,
}

/// A day for people and for programs.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Day {
    /// `2025-07-09`.
    pub iso: String,
    /// In words.
    pub text: String,
}

/// One way to reach the editors.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Contact {
    /// What it is.
    pub label: String,
    /// As the masthead has it.
    pub text: String,
    /// Where a click leads.
    pub href: Option<String>,
}

/// The page that an issue begins with in a volume of many.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Opening {
    /// What readers call the issue.
    pub title: String,
    /// Its file.
    pub file: String,
    /// What is in the issue, in one line.
    pub summary: String,
}

/// Articles that follow each other in one section.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Group {
    /// The issue that it is the first of, in a volume of many.
    pub opening: Option<Opening>,
    /// Whether it is the last of its issue, in a volume of many.
    pub closing: bool,
    /// The section.
    pub title: Option<String>,
    /// Its articles.
    pub pieces: Vec<Piece>,
}

/// The lines of one article.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Piece {
    /// Its place in the issue, counted from 0.
    pub nth: usize,
    /// Its identifier in every file: the article's key.
    pub anchor: String,
    /// Its title; never empty.
    pub headline: String,
    /// Its title where room is scarce, as in a table of contents.
    pub label: String,
    /// Whether the title is ours.
    pub synthetic: bool,
    /// Whether the title is ours, and made of the first words of the text.
    pub first_words: bool,
    /// The line above.
    pub kicker: Option<String>,
    /// The line below.
    pub dek: Option<String>,
    /// Who made it, in one line.
    pub byline: Option<String>,
    /// Where it first appeared, as printed.
    pub credit: Option<String>,
    /// Captions of pictures we do not have.
    pub captions: Vec<String>,
    /// Its first words.
    pub teaser: String,
    /// What a list says of it below its title: the line below the headline, or else its first words; nothing where the title
    /// is made of these.
    pub summary: Option<String>,
}

impl Outline {
    /// The outline of what is out.
    pub(super) fn of(release: &Release, publication: &Publication) -> Self {
        Self::in_words(release, publication, publication.theme.words(&release.issue.language))
    }

    /// The same in the words of another language than its own.
    pub(super) fn in_words(release: &Release, publication: &Publication, words: &'static Words) -> Self {
        let issue = &release.issue;
        let out = day_in(release.published, &publication.time_zone);
        let date = issue.date.unwrap_or(out);
        let name = said(&issue.name(publication)).unwrap_or_else(|| issue.key.to_string());
        let paper = said(&publication.title).unwrap_or_else(|| publication.key.clone());
        let title = issue.title.as_deref().and_then(said).filter(|title| *title != paper);
        let correction = release
            .is_correction()
            .then(|| words.correction(release.version, day_in(release.updated, &publication.time_zone)));
        Self {
            lang: issue.language.as_str().to_owned(),
            dir: theme::direction(&issue.language),
            cjk: issue.language.is_cjk(),
            words,
            theme: publication.theme.clone(),
            name,
            title,
            number: issue.number.as_deref().and_then(said).map(|n| words.number(&n)),
            vertical: publication.design.vertical && issue.language.is_cjk(),
            page: issue.page.as_deref().and_then(said),
            place: place(issue, words),
            day: Day { iso: date.to_string(), text: words.date(date) },
            summary: issue.summary.as_deref().and_then(said),
            editors: said(&words.names(issue.editors.iter().map(String::as_str))),
            publisher: issue
                .publisher
                .as_ref()
                .or(publication.imprint.publisher.as_ref())
                .and_then(|p| said(p)),
            rights: publication.imprint.rights.as_deref().and_then(said),
            issn: publication.imprint.issn.as_deref().and_then(issn),
            contacts: issue.contact.iter().filter_map(|(key, value)| contact(key, value, words)).collect(),
            correction,
            accessibility: if issue.pictures.is_empty() {
                words.accessibility
            } else {
                words.accessibility_pictured
            },
            n_articles: words.n_articles(issue.articles.len()),
            groups: groups(issue, words),
            paper,
        }
    }

    /// The articles in order.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.groups.iter().flat_map(|group| &group.pieces)
    }

    /// What a cover tells of the contents: headlines that are no made-up ones first, all in their order.
    pub(super) fn cover_lines(&self, most: usize) -> Vec<&str> {
        let given = |piece: &&Piece| !piece.synthetic;
        let found: Vec<&str> =
            self.pieces().filter(given).map(|piece| piece.label.as_str()).take(most).collect();
        if found.is_empty() {
            self.pieces().map(|piece| piece.label.as_str()).take(most).collect()
        } else {
            found
        }
    }

    /// The number that a cover shows large: the last of its number, or else its day, `7.8`.
    pub(super) fn numeral(&self) -> String {
        let number = self.number.as_deref().unwrap_or_default();
        let last = number.split(|c: char| !c.is_ascii_digit()).rfind(|digits| !digits.is_empty());
        match last {
            Some(digits) => digits.to_owned(),
            None => self
                .day
                .iso
                .split('-')
                .skip(1)
                .map(|part| part.trim_start_matches('0'))
                .collect::<Vec<_>>()
                .join("."),
        }
    }

    /// The contents in one line of at most `most` characters, for descriptions.
    pub(super) fn contents(&self, most: usize) -> String {
        let mut line = String::new();
        for piece in self.pieces() {
            if !line.is_empty() {
                line.push_str(self.words.semicolon());
            }
            line.push_str(&piece.headline);
            if line.len() > most.saturating_mul(4) {
                break;
            }
        }
        shorten(&line, most)
    }
}

/// The day of a moment where the periodical tells its dates.
pub(super) fn day_in(moment: jiff::Timestamp, zone: &TimeZone) -> Date {
    moment.to_zoned(zone.clone()).date()
}

/// `text` as a line, or `None` when a reader would see nothing.
pub(super) fn said(text: &str) -> Option<String> {
    let text = typography::printable(text);
    let visible =
        text.chars().any(|c| !c.is_whitespace() && !matches!(c, '\u{200B}'..='\u{200F}' | '\u{2060}'));
    visible.then(|| one_line(&text))
}

/// Runs of white space, line ends among them, become one space; ideographic and no-break spaces are meant and stay.
fn one_line(text: &str) -> String {
    let between = |c: char| c.is_whitespace() && c != '\u{3000}' && c != '\u{A0}';
    text.split(between).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ").trim().to_owned()
}

fn place(issue: &Issue, words: &Words) -> Option<String> {
    let page = issue.page.as_deref().and_then(said).map(|page| words.page(&page));
    let section = issue.section.as_deref().and_then(said);
    let parts: Vec<String> = page.into_iter().chain(section).collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// `1234-567X`, or `None` for what has not the form of an ISSN (ISO 3297).
pub(super) fn issn(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_uppercase();
    let bytes = text.as_bytes();
    let formed = bytes.len() == 9
        && bytes.iter().enumerate().all(|(n, b)| match n {
            4 => *b == b'-',
            8 => b.is_ascii_digit() || *b == b'X',
            _ => b.is_ascii_digit(),
        });
    formed.then_some(text)
}

fn contact(key: &str, value: &str, words: &Words) -> Option<Contact> {
    let text = said(value)?;
    let address = match key {
        "email" => format!("mailto:{text}"),
        _ => text.clone(),
    };
    let href = Href::parse(&address).and_then(|href| super::markup::address(&href));
    Some(Contact { label: said(words.contact_label(key)).unwrap_or_default(), text, href })
}

fn groups(issue: &Issue, words: &Words) -> Vec<Group> {
    let mut taken = HashSet::new();
    let mut groups: Vec<Group> = Vec::new();
    for (nth, article) in issue.articles.iter().enumerate() {
        let title = article.section.as_deref().and_then(said);
        let piece = piece(nth, article, words, &mut taken);
        match groups.last_mut() {
            Some(group) if group.title == title => group.pieces.push(piece),
            _ => groups.push(Group { opening: None, closing: false, title, pieces: vec![piece] }),
        }
    }
    groups
}

fn piece(nth: usize, article: &Article, words: &Words, taken: &mut HashSet<String>) -> Piece {
    let headline = said(&article.headline.text);
    let captions = article.captions.iter().filter_map(|c| said(c)).collect();
    let found = headline.is_some();
    let synthetic = article.headline.synthetic || !found;
    let headline = headline.unwrap_or_else(|| words.untitled.to_owned());
    let teaser = said(&article.teaser(120)).unwrap_or_default();
    let dek = article.dek.as_deref().and_then(said);
    let first_words = synthetic && found;
    let summary = dek.clone().or_else(|| said(&shorten(&teaser, 70)).filter(|_| !first_words));
    Piece {
        nth,
        anchor: anchor(nth, &article.key, taken),
        first_words,
        label: shorten(&headline, 160),
        headline,
        synthetic,
        kicker: article.kicker.as_deref().and_then(said),
        dek,
        byline: said(&bylines::line(words, article)),
        credit: article.credit.as_ref().and_then(|credit| said(&credit.printed)),
        captions,
        teaser,
        summary,
    }
}

/// The article's key, where it has the form of one (`a1`) and no article before has it.
fn anchor(nth: usize, key: &str, taken: &mut HashSet<String>) -> String {
    let number = key.strip_prefix('a').unwrap_or_default();
    let formed = (1..=9).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    if formed && taken.insert(key.to_owned()) { key.to_owned() } else { format!("x{}", nth + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_the_form_of_an_issn_is_one() {
        assert_eq!(issn(" 1234-567x ").as_deref(), Some("1234-567X"));
        for bad in ["", "12345678", "1234-56789", "abcd-efgh", "１２３４-5678"] {
            assert_eq!(issn(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_line_that_shows_nothing_is_none() {
        for nothing in ["", " ", "\u{3000}", "\u{0}\u{7}", "\u{200B}"] {
            assert_eq!(said(nothing), None, "{nothing:?}");
        }
        assert_eq!(said("a\n b\u{3000}c").as_deref(), Some("a b\u{3000}c"));
    }

    #[test]
    fn every_article_has_an_identifier_of_its_own() {
        let mut taken = HashSet::new();
        let anchors: Vec<_> = ["a1", "a1", "", "中", "top"]
            .iter()
            .enumerate()
            .map(|(n, key)| anchor(n, key, &mut taken))
            .collect();
        assert_eq!(anchors, ["a1", "x2", "x3", "x4", "x5"]);
    }
}
