//! Paragraphs to articles, in order, with all that belongs to each.

use jiff::civil::Date;

use crate::{
    issue::Article, issue::Byline, issue::CreditLine, issue::Headline, proof::Doubt, prose, prose::Block,
    prose::Inline,
};

use super::super::byline;
use super::super::credit::Credit;
use super::super::draft::{Draft, excerpt};
use super::bodies::Page;
use super::headings::Titles;
use super::parts::{self, Kind, Part};
use super::plan::{Place, Plan};
use super::spaces::{self, Spaces};
use super::vocabulary::Vocabulary;

/// Composes the page's articles into the draft.
pub(super) fn compose(
    parts: Vec<Part>,
    titles: Titles,
    spaces: Spaces,
    dated: Option<Date>,
    marks: &mut Vec<String>,
    draft: &mut Draft,
) {
    let page = Page::new(parts, titles);
    let paragraphs: Vec<&str> = page.paragraphs.iter().map(|&p| page.parts[p].text.as_str()).collect();
    let vocabulary = Vocabulary::of(&paragraphs);
    let bodies = page.bodies(vocabulary.as_ref(), draft);
    page.ask_about_names(&bodies, draft);
    let mut plan = Plan::new(&page, bodies);
    plan.give_headlines(&page, vocabulary.as_ref(), draft);
    plan.give_the_rest(&page);
    plan.write(&page, spaces, dated, marks, draft);
}

impl Plan {
    /// Writes the articles.
    fn write(
        self,
        page: &Page,
        spaces: Spaces,
        dated: Option<Date>,
        marks: &mut Vec<String>,
        draft: &mut Draft,
    ) {
        let issue_date = draft.date.or(dated).or_else(|| page.last_day_of_credits());
        if let Some(date) = draft.date.or(dated)
            && let Some(later) = page.last_credit().filter(|later| *later > date)
        {
            let text = format!("the page is of {date}, but reprints an article of {later}");
            draft.query_at(Doubt::DateInferred, None, text);
        }
        for (index, (place, _)) in self.places.iter().enumerate() {
            let part = &page.parts[index];
            if *place == Place::NotUsed && !part.is_paragraph() {
                draft.query(Doubt::NotUsed, part.line, format!("in no article: {}", excerpt(&part.text)));
                draft.set_aside(&part.text);
            }
        }
        for body in 0..self.bodies.len() {
            let article = self.article(body, page, spaces, issue_date, marks, draft);
            let first = self.bodies[body].start;
            draft.lines.push(page.paragraphs.get(first).map_or(1, |&p| page.parts[p].line));
            draft.articles.push(article);
        }
    }

    fn article(
        &self,
        body: usize,
        page: &Page,
        spaces: Spaces,
        issue_date: Option<Date>,
        marks: &mut Vec<String>,
        draft: &mut Draft,
    ) -> Article {
        let range = self.bodies[body].clone();
        let title = |index: usize, marks: &mut Vec<String>| {
            spaces::title(&without_stars(&page.parts[index].text, marks), spaces)
        };
        let headline: Vec<String> = self.headlines[body].iter().map(|&head| title(head, marks)).collect();
        let mut article = Article::headed(Headline { text: headline.concat(), synthetic: false });
        for &index in &self.bylines[body] {
            let part = &page.parts[index];
            if let Kind::Byline(bylines) = &part.kind {
                add_bylines(&mut article, bylines, &part.text, marks);
            }
        }
        let from = page.gap(range.start).start;
        let until = page.gap(range.end).end;
        for index in from..until {
            let part = &page.parts[index];
            if part.is_paragraph() {
                let within = page.paragraphs[range.clone()].binary_search(&index).is_ok();
                if within {
                    let text = inlines(&part.text, spaces, marks);
                    // Of a line of stars nothing is left but marks.
                    if !text.is_empty() {
                        article.body.push(Block::Paragraph { text });
                        doubt_paragraph(part, page.parts.get(index + 1), draft);
                    }
                }
                continue;
            }
            let (place, owner) = self.places[index];
            if owner != body {
                continue;
            }
            match place {
                Place::Kicker => add_line(&mut article.kicker, title(index, marks)),
                Place::Dek => add_line(&mut article.dek, title(index, marks)),
                Place::Caption => article.captions.push(title(index, marks)),
                Place::Subhead => {
                    let level = match (part.level(), page.headline_level) {
                        (Some(level), Some(top)) => level.saturating_sub(top).clamp(1, 4),
                        _ => 1,
                    };
                    article.body.push(Block::subhead(level, title(index, marks)));
                }
                Place::Credit => {
                    if let Kind::Credit(credit) = &part.kind {
                        add_credit(&mut article, credit, part.line, issue_date, draft);
                    }
                }
                _ => {}
            }
        }
        article
    }
}

fn add_line(field: &mut Option<String>, line: String) {
    *field = Some(match field.take() {
        Some(first) => format!("{first} {line}"),
        None => line,
    });
}

fn add_bylines(article: &mut Article, bylines: &[Byline], raw: &str, marks: &mut Vec<String>) {
    let office = article.bylines.last().and_then(|byline| byline.affiliation.as_deref());
    let labels = byline::labels(raw, bylines, office);
    if !labels.is_empty() {
        marks.push(labels);
    }
    for byline in bylines {
        article.bylines.push(byline.clone());
    }
}

fn add_credit(
    article: &mut Article,
    credit: &Credit,
    line: usize,
    issue_date: Option<Date>,
    draft: &mut Draft,
) {
    if article.credit.is_some() {
        draft.query(Doubt::NotUsed, line, format!("a second credit line: {}", credit.printed));
        draft.set_aside(&credit.printed);
        return;
    }
    let date = credit.day.and_then(|day| {
        day.date().or_else(|| if day.year.is_some() { None } else { day.before(issue_date?) })
    });
    if let (Some(date), true) = (date, credit.day.is_some_and(|day| day.year.is_none())) {
        draft.query(Doubt::YearInferred, line, format!("read as {date}: {}", credit.printed));
    }
    if date.is_none() && credit.day.is_some_and(|day| day.year.is_none()) {
        let text = format!("its year is printed nowhere, and the page has no date: {}", credit.printed);
        draft.query(Doubt::YearInferred, line, text);
    }
    article.credit = Some(CreditLine {
        name: credit.name.clone(),
        date,
        page: credit.page.clone(),
        printed: credit.printed.clone(),
    });
}

/// A title without the stars of Markdown, which go to the marks.
fn without_stars(text: &str, marks: &mut Vec<String>) -> String {
    if !text.contains("**") {
        return text.to_owned();
    }
    marks.push("**".repeat(text.matches("**").count()));
    text.replace("**", "")
}

/// A paragraph's text with its bold runs.
fn inlines(text: &str, spaces: Spaces, marks: &mut Vec<String>) -> Vec<Inline> {
    let runs: Vec<&str> = text.split("**").collect();
    if runs.len() < 3 || runs.len().is_multiple_of(2) {
        return vec![Inline::text(spaces::paragraph(text, spaces))];
    }
    marks.push("**".repeat(runs.len() - 1));
    let mut out = Vec::new();
    let (mut last, mut spaced) = (None, false);
    for (i, run) in runs.into_iter().enumerate() {
        spaced |= run.starts_with(char::is_whitespace);
        let text = spaces::paragraph(run, spaces);
        let Some(first) = text.chars().next() else { continue };
        if let Some(last) = last.filter(|_| spaced)
            && spaces::paragraph(&format!("{last} {first}"), spaces).contains(' ')
        {
            prose::push(&mut out, Inline::text(" "));
        }
        (last, spaced) = (text.chars().next_back(), run.ends_with(char::is_whitespace));
        let text = Inline::text(text);
        prose::push(&mut out, if i % 2 == 1 { Inline::Strong { text: vec![text] } } else { text });
    }
    out
}

/// Asks about a paragraph that ends or begins inside a sentence, or whose quotation marks do not match.
fn doubt_paragraph(part: &Part, next: Option<&Part>, draft: &mut Draft) {
    let text = part.text.as_str();
    if !parts::ends(text) && next.is_none_or(|next| !next.is_paragraph()) {
        let start = text.char_indices().rev().nth(11).map_or(0, |(at, _)| at);
        draft.query(Doubt::CutTail, part.line, format!("ends without a stop: …{}", &text[start..]));
    }
    if text.starts_with(|c: char| "，。、；：！？”’）》】」』,;:!?)".contains(c) || c.is_lowercase())
    {
        draft.query(Doubt::CutHead, part.line, format!("begins inside a sentence: {}", excerpt(text)));
    }
    let odd = |open: char, close: char| text.matches(open).count() != text.matches(close).count();
    let straight = text.matches('"').count() % 2 == 1;
    if odd('“', '”') || odd('（', '）') || odd('《', '》') || odd('「', '」') || straight {
        draft.query(
            Doubt::OddQuotes,
            part.line,
            format!("quotation marks or brackets do not match: {}", excerpt(text)),
        );
    }
}
