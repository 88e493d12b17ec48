//! The letter of one issue or of several: their contents and how each article begins, as HTML and as plain text.

pub(super) mod confirmation;
mod excerpt;
mod inlining;
mod lines;
mod text;
#[cfg(test)]
mod tests;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Serialize;

use self::excerpt::{Beginning, Excerpt};
use crate::{
    delivery::Period, editions::Error, editions::LEAVE, editions::PREFERENCES, editions::Shelved,
    editions::gallery::Gallery, editions::outline::Contact, editions::outline::Outline,
    editions::outline::Piece, editions::outline::day_in, editions::outline::said, editions::paths,
    issue::Release, issue::shorten, prose::Language, publication::Publication, subscriber::Form,
    subscriber::Wish, theme, theme::Theme, theme::Words,
};

/// What came out as a letter, the same for every reader but for [`LEAVE`] and [`PREFERENCES`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The subject line.
    pub subject: String,
    /// What mail programs show beside the subject; it stands hidden at the top of `html` already.
    pub preheader: String,
    /// The HTML part, at most [`Letter::MAX_HTML`] bytes; empty in a form that has none.
    pub html: String,
    /// The plain text part; lines of 72 columns at most, but for long addresses.
    pub text: String,
}

impl Letter {
    /// Largest HTML part, in bytes: Gmail clips a message at about 102 kB, and addresses for leaving still come in.
    pub const MAX_HTML: usize = 96 * 1024;

    /// Largest sum of the books that come with a letter, in bytes: many servers take no letter over 50 MB, and Base64 makes
    /// every 57 bytes 78.
    pub const MAX_BOOKS: u64 = 50_000_000 / 78 * 57 - 1_000_000;
}

/// Of what a letter has room for beside the beginnings of its articles: with hundreds of them, the last ones are only counted.
const FRAME: usize = Letter::MAX_HTML / 4 * 3;

/// The template.
const TEMPLATE: &str = "letter/letter.html";

/// What both parts of a letter are made of.
#[derive(Debug, Serialize)]
struct Sheet {
    letter: Head,
    issues: Vec<Leaf>,
    /// How many issues there is no room for.
    more: Option<String>,
}

/// What a letter says of itself.
#[derive(Debug, Serialize)]
struct Head {
    lang: String,
    dir: &'static str,
    cjk: bool,
    words: &'static Words,
    paper: String,
    title: String,
    facts: Vec<String>,
    subject: String,
    preheader: String,
    /// Where its contents are on the web.
    page: String,
    leave: &'static str,
    preferences: &'static str,
    /// Whether it tells of more than one issue.
    several: bool,
    editors: Option<String>,
    publisher: Option<String>,
    rights: Option<String>,
    contacts: Vec<Contact>,
}

/// One issue in a letter.
#[derive(Debug, Serialize)]
struct Leaf {
    issue: Outline,
    /// What it is called below the name of the periodical.
    title: String,
    facts: Vec<String>,
    page: String,
    book: String,
    /// Whether its book comes with the letter.
    attached: bool,
    stories: Vec<Story>,
    /// How many of its stories there is no room for.
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

/// Writes the letter of issues, each of which has articles; `None` where a wish leaves nothing of them.
pub(super) fn write(
    issues: &[Shelved],
    period: Option<&Period>,
    wish: &Wish,
    publication: &Publication,
) -> Result<Option<Letter>, Error> {
    let wished: Vec<Shelved> = issues.iter().filter_map(|shelved| wanted(shelved, wish)).collect();
    let Some(first) = wished.first() else { return Ok(None) };
    let language = wish.language.as_ref().unwrap_or(if wished.len() == 1 {
        &first.release.issue.language
    } else {
        &publication.language
    });
    let words = publication.theme.words(language);
    let attached = attached(wished.iter().map(|shelved| shelved.book.length), wish.form);
    let leaf = |(shelved, attached): (&Shelved, bool)| {
        let words = wish.language.as_ref().map(|_| words);
        leaf(shelved, attached, words, publication)
    };
    let leaves: Vec<Leaf> = wished.iter().zip(attached).map(leaf).collect();
    let letter = match leaves.as_slice() {
        [leaf] => head_of_one(leaf, words),
        leaves => {
            head_of_several(leaves, &days(&wished, period, words, publication), language, words, publication)
        }
    };
    let mut sheet = Sheet { letter, issues: leaves, more: None };
    let html = set(&mut sheet, &wished, publication)?;
    let text = if wish.form == Form::Kindle { text::cover(&sheet) } else { text::text(&sheet, wish.form) };
    let html = if wish.form == Form::Html { html } else { String::new() };
    let Head { subject, preheader, .. } = sheet.letter;
    Ok(Some(Letter { subject, preheader, html, text }))
}

/// Which books of these lengths come with a letter of that form: in their order, as long as it has room for them.
pub(super) fn attached(lengths: impl IntoIterator<Item = u64>, form: Form) -> Vec<bool> {
    let mut room = Letter::MAX_BOOKS;
    let take = |length| match room.checked_sub(length) {
        Some(left) if form.has_book() => {
            room = left;
            true
        }
        _ => false,
    };
    lengths.into_iter().map(take).collect()
}

/// An issue with the articles that are wanted of it, if there are any.
pub(super) fn wanted(shelved: &Shelved, wish: &Wish) -> Option<Shelved> {
    let mut wished = shelved.clone();
    let section = wished.release.issue.section.clone();
    let articles = &mut wished.release.issue.articles;
    articles.retain(|article| wish.sections.has(article.section.as_deref().or(section.as_deref())));
    (!articles.is_empty()).then_some(wished)
}

fn leaf(shelved: &Shelved, attached: bool, words: Option<&'static Words>, publication: &Publication) -> Leaf {
    let Shelved { release, book } = shelved;
    let outline = match words {
        Some(words) => Outline::in_words(release, publication, words),
        None => Outline::of(release, publication),
    };
    let issue = brief(&outline);
    let page = publication.url(&paths::page(&release.issue.key));
    let title =
        issue.title.clone().or_else(|| issue.number.clone()).unwrap_or_else(|| issue.day.text.clone());
    let number = issue.number.clone().filter(|number| *number != title);
    let day = Some(issue.day.text.clone()).filter(|day| *day != title);
    let facts = [number, day, issue.place.clone(), Some(issue.n_articles.clone())];
    Leaf {
        title,
        facts: facts.into_iter().flatten().collect(),
        stories: stories(&issue, &page),
        book: publication.url(&book.path),
        more: None,
        page,
        attached,
        issue,
    }
}

/// The head of a letter of one issue is that of the issue.
fn head_of_one(leaf: &Leaf, words: &'static Words) -> Head {
    let issue = &leaf.issue;
    Head {
        lang: issue.lang.clone(),
        dir: issue.dir,
        cjk: issue.cjk,
        words,
        paper: issue.paper.clone(),
        title: leaf.title.clone(),
        facts: leaf.facts.clone(),
        subject: shorten(&issue.name, 150),
        preheader: issue.summary.clone().map_or_else(|| issue.contents(140), |s| shorten(&s, 140)),
        page: leaf.page.clone(),
        leave: LEAVE,
        preferences: PREFERENCES,
        several: false,
        editors: issue.editors.clone(),
        publisher: issue.publisher.clone(),
        rights: issue.rights.clone(),
        contacts: issue.contacts.clone(),
    }
}

fn head_of_several(
    leaves: &[Leaf],
    days: &str,
    language: &Language,
    words: &'static Words,
    publication: &Publication,
) -> Head {
    let paper = shorten(&said(&publication.title).unwrap_or_else(|| publication.key.clone()), 100);
    let n_articles = leaves.iter().map(|leaf| leaf.stories.len()).sum();
    let n_issues = words.n_issues(leaves.len());
    let firsts =
        leaves.iter().filter_map(|leaf| leaf.issue.pieces().next()).map(|piece| piece.headline.as_str());
    let newest = leaves.iter().rev();
    Head {
        lang: language.as_str().to_owned(),
        dir: theme::direction(language),
        cjk: language.is_cjk(),
        words,
        title: days.to_owned(),
        facts: vec![n_issues.clone(), words.n_articles(n_articles)],
        subject: shorten(&words.digest_of(&paper, &n_issues, days), 150),
        preheader: shorten(&firsts.take(20).collect::<Vec<_>>().join(words.semicolon()), 140),
        paper,
        page: publication.url(paths::INDEX),
        leave: LEAVE,
        preferences: PREFERENCES,
        several: true,
        editors: None,
        publisher: publication.imprint.publisher.as_deref().and_then(said).map(|p| shorten(&p, 200)),
        rights: publication.imprint.rights.as_deref().and_then(said).map(|r| shorten(&r, 300)),
        contacts: newest
            .map(|leaf| &leaf.issue.contacts)
            .find(|c| !c.is_empty())
            .cloned()
            .unwrap_or_default(),
    }
}

/// What a digest covers, as people say it: the days of its period, or else those of its issues.
fn days(issues: &[Shelved], period: Option<&Period>, words: &Words, publication: &Publication) -> String {
    if let Some(period) = period {
        let (first, last) = days_of(period, &publication.time_zone);
        return words.days(first, last);
    }
    let days = || issues.iter().map(|shelved| day_of(&shelved.release, publication));
    let (first, last) = (days().min().unwrap_or_default(), days().max().unwrap_or_default());
    words.days(first, last)
}

/// The first and the last day of a period: those of which it has the larger part, and one at least.
fn days_of(period: &Period, zone: &TimeZone) -> (Date, Date) {
    let half_a_day = jiff::SignedDuration::from_hours(12);
    let nearest = |moment: Timestamp| day_in(moment.saturating_add(half_a_day).unwrap_or(moment), zone);
    let (first, end) = (nearest(period.since), nearest(period.until));
    let last = end.yesterday().unwrap_or(end);
    (first.min(last), last)
}

fn day_of(release: &Release, publication: &Publication) -> Date {
    release.issue.date.unwrap_or_else(|| day_in(release.published, &publication.time_zone))
}

/// Gives every issue as many stories as there is room for, and every story its beginning; then the page. All of this is
/// measured on the page as it goes out.
fn set(sheet: &mut Sheet, wished: &[Shelved], publication: &Publication) -> Result<String, Error> {
    let theme = &publication.theme;
    let mut html = page(theme, sheet)?;
    let mut most = sheet.issues.iter().map(|leaf| leaf.stories.len()).max().unwrap_or_default();
    while html.len() > FRAME && most > 1 {
        most = (most * FRAME / html.len()).clamp(1, most - 1);
        sheet.issues.iter_mut().for_each(|leaf| leaf.keep(most));
        html = page(theme, sheet)?;
    }
    // Where that is not enough, the oldest issues are in the contents only, and then no more than counted.
    loop {
        let n_told = sheet.issues.iter().filter(|leaf| !leaf.stories.is_empty()).count();
        if html.len() <= FRAME || n_told < 2 {
            break;
        }
        let n_fewer = n_told - (n_told * FRAME / html.len()).clamp(1, n_told - 1);
        let told = sheet.issues.iter_mut().filter(|leaf| !leaf.stories.is_empty());
        told.take(n_fewer).for_each(|leaf| leaf.keep(0));
        html = page(theme, sheet)?;
    }
    while html.len() > FRAME && sheet.issues.len() > 1 {
        let n_issues = sheet.issues.len();
        sheet.issues.drain(..n_issues - (n_issues * FRAME / html.len()).clamp(1, n_issues - 1));
        sheet.more = Some(sheet.letter.words.n_more_issues(wished.len() - sheet.issues.len()));
        html = page(theme, sheet)?;
    }
    let wished = &wished[wished.len() - sheet.issues.len()..];
    let galleries: Vec<Gallery> = wished
        .iter()
        .map(|Shelved { release, .. }| {
            Gallery::of(&release.issue, &paths::pictures(&release.issue.key, publication)).in_letter()
        })
        .collect();
    let heading = if sheet.letter.several { 4 } else { 3 };
    let beginnings: Vec<Beginning<'_>> = sheet
        .issues
        .iter()
        .zip(wished.iter().zip(&galleries))
        .flat_map(|(leaf, (shelved, gallery))| {
            let articles = &shelved.release.issue.articles;
            leaf.stories.iter().map(move |story| {
                let (article, href) = (&articles[story.piece.nth], story.href.clone());
                Beginning { article, href, gallery, heading }
            })
        })
        .collect();
    let frame = html.len();
    let room = Letter::MAX_HTML.saturating_sub(frame);
    let mut share = room;
    for _ in 0..8 {
        let excerpts = excerpt::excerpts(&beginnings, share);
        let raw: usize = excerpts.iter().map(|(_, html)| html.len()).sum();
        let stories = sheet.issues.iter_mut().flat_map(|leaf| &mut leaf.stories);
        for (story, (excerpt, html)) in stories.zip(excerpts) {
            story.cut = excerpt.cut;
            story.excerpt = excerpt;
            story.body = html;
        }
        html = page(theme, sheet)?;
        if html.len() <= Letter::MAX_HTML || share == 0 {
            break;
        }
        // Styles make each block longer; by how much is known only now.
        let grown = (html.len() - frame).max(1);
        share = (raw.min(share) * room / grown).min(share - 1) / 32 * 31;
    }
    if html.len() > Letter::MAX_HTML {
        let problem = format!("a letter has {frame} bytes without the beginning of any article");
        return Err(theme.fault(TEMPLATE, &problem).into());
    }
    Ok(html)
}

/// The HTML of a letter as it goes out.
fn page(theme: &Theme, sheet: &Sheet) -> Result<String, Error> {
    let html = inlining::inline(&theme.fill(TEMPLATE, sheet)?);
    if !html.contains(LEAVE) {
        let problem = "a letter needs `{{ letter.leave|safe }}`, by which its reader can leave";
        return Err(theme.fault(TEMPLATE, problem).into());
    }
    Ok(html)
}

impl Leaf {
    /// Shows the first `most` stories, and how many more there are.
    fn keep(&mut self, most: usize) {
        self.stories.truncate(most);
        let n_articles: usize = self.issue.groups.iter().map(|group| group.pieces.len()).sum();
        let n_more = n_articles - self.stories.len();
        self.more = (n_more > 0).then(|| self.issue.words.n_more(n_more));
    }
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
            piece.credit = cut(&piece.credit, 240);
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
