//! Paragraphs to articles: where each begins, and which headline, byline and credit line is whose.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use jiff::civil::Date;

use crate::{
    issue::Article, issue::Byline, issue::CreditLine, issue::Headline, proof::Doubt, prose, prose::Block,
    prose::Inline,
};

use super::super::byline;
use super::super::credit::Credit;
use super::super::draft::{Draft, excerpt};
use super::assignment;
use super::parts::{self, Kind, Part};
use super::spaces::{self, Spaces};
use super::vocabulary::Vocabulary;

/// How alike the words left and right of a break may be, compared with those within either side. Measured on pages
/// whose articles are known: true breaks lie mostly below half, paragraphs of one article mostly above three quarters.
const ALIKE_AT_NOTHING: f64 = 0.35;
/// The same where a short line stands, which is a headline or a subhead.
const ALIKE_AT_TITLE: f64 = 0.70;
/// The same where that line has a sister of the same length, which makes both subheads.
const ALIKE_AT_SISTER: f64 = 0.25;
/// The same where the text layer went on with another frame of the page.
const ALIKE_AT_SEAM: f64 = 0.55;
/// A page with more headlines than bodies has lost a break: by so much each of the above may then be exceeded.
const SURPLUS: f64 = 1.5;

/// A headline right before a body is its own unless another body has more of its words by a fifth.
const RIGHT_BEFORE: f64 = 0.20;
/// A headline beside a body, after it or before another headline, comes next.
const BESIDE: f64 = 0.08;
/// A line without a byline that stands elsewhere is a headline only if a body has this much of its pairs as its own,
/// and more of them than any other body.
const CLAIM: f64 = 0.20;

/// Composes the page's articles into the draft.
pub(super) fn compose(
    parts: Vec<Part>,
    spaces: Spaces,
    dated: Option<Date>,
    marks: &mut Vec<String>,
    draft: &mut Draft,
) {
    let page = Page::new(parts);
    let paragraphs: Vec<&str> = page.paragraphs.iter().map(|&p| page.parts[p].text.as_str()).collect();
    let vocabulary = Vocabulary::of(&paragraphs);
    let bodies = page.bodies(vocabulary.as_ref(), draft);
    let mut plan = Plan::new(&page, bodies);
    plan.give_headlines(&page, vocabulary.as_ref(), draft);
    plan.give_the_rest(&page);
    plan.write(&page, spaces, dated, marks, draft);
}

/// The parts in order, with their paragraphs found. Gap `k` is what stands before paragraph `k`; the last gap is what
/// stands after all of them.
struct Page {
    parts: Vec<Part>,
    paragraphs: Vec<usize>,
    /// The level of `#` that headlines have, where the page marks them.
    headline_level: Option<u8>,
    /// Whether titles are what is marked, so that other short lines are captions.
    marked: bool,
}

impl Page {
    fn new(parts: Vec<Part>) -> Self {
        let paragraphs: Vec<usize> = (0..parts.len()).filter(|&i| parts[i].is_paragraph()).collect();
        let levels: Vec<u8> = parts.iter().filter_map(Part::level).collect();
        let highest = levels.iter().copied().min();
        // `###` alone marks subheads, whose headline is lost.
        let headline_level = highest.filter(|level| *level <= 2);
        let marked = levels.len() >= 2 || headline_level == Some(1);
        Self { parts, paragraphs, headline_level, marked }
    }

    fn gap(&self, k: usize) -> Range<usize> {
        let from = k.checked_sub(1).and_then(|before| self.paragraphs.get(before)).map_or(0, |p| p + 1);
        from..self.paragraphs.get(k).copied().unwrap_or(self.parts.len())
    }

    fn is_headline(&self, part: &Part) -> bool {
        part.is_title() && part.level().is_some() && part.level() == self.headline_level
    }

    /// Whether a title can be an article's: marked as such, or neither marked nor numbered.
    fn may_be_headline(&self, part: &Part) -> bool {
        match part.kind {
            Kind::Title { level: Some(_), .. } => self.is_headline(part),
            Kind::Title { level: None, numbered } => !numbered && !self.marked,
            _ => false,
        }
    }

    /// The last day of the year that the page's own credit lines name, if they agree: a line without a year is of it
    /// when nothing else dates the page.
    fn last_day_of_credits(&self) -> Option<Date> {
        let years = self.parts.iter().filter_map(|part| match &part.kind {
            Kind::Credit(credit) => credit.day?.year,
            _ => None,
        });
        let (first, last) = (years.clone().min()?, years.max()?);
        (first == last).then(|| Date::new(first, 12, 31).ok())?
    }

    fn parts_between(&self, k: usize) -> &[Part] {
        &self.parts[self.gap(k)]
    }

    /// Whether an article surely begins at paragraph `k`.
    fn begins(&self, k: usize) -> bool {
        self.parts_between(k)
            .iter()
            .any(|part| matches!(part.kind, Kind::Byline(_) | Kind::Credit(_)) || self.is_headline(part))
    }

    /// How alike the words around paragraph `k` of a body may be for an article to begin there.
    fn threshold(&self, body: &Range<usize>, k: usize, has_sister: bool) -> Option<f64> {
        let above = &self.parts[self.paragraphs[k - 1]];
        if !parts::ends(&above.text) {
            return None;
        }
        let gap = self.parts_between(k);
        if gap.iter().any(|part| self.may_be_headline(part)) {
            Some(if has_sister { ALIKE_AT_SISTER } else { ALIKE_AT_TITLE })
        } else if gap.iter().any(Part::is_title) {
            // A subhead stands within an article.
            None
        } else if self.parts[self.paragraphs[k]].seam {
            Some(ALIKE_AT_SEAM)
        } else if k < body.start + 2 || k + 2 > body.end {
            // A text of one paragraph that has no sign of its own but its words is a part of another.
            None
        } else {
            Some(ALIKE_AT_NOTHING)
        }
    }

    /// The page's bodies, as ranges of its paragraphs.
    fn bodies(&self, vocabulary: Option<&Vocabulary>, draft: &mut Draft) -> Vec<Range<usize>> {
        let n = self.paragraphs.len();
        let mut bodies = Vec::new();
        let mut start = 0;
        for k in 1..=n {
            if k == n || self.begins(k) {
                bodies.push(start..k);
                start = k;
            }
        }
        let Some(vocabulary) = vocabulary else { return bodies };
        let sisters: Vec<bool> = bodies.iter().flat_map(|body| self.sisters(body)).collect();
        // Twice the bodies is more than any page has lost; the bound keeps a strange text from being cut to pieces.
        let most = bodies.len() * 2 + 2;
        let mut at = 0;
        while at < bodies.len() && bodies.len() < most {
            let body = bodies[at].clone();
            match vocabulary.best_break(body.clone(), |k| self.threshold(&body, k, sisters[k])) {
                Some((k, likely)) if likely < 1.0 => self.part(&mut bodies, at, k, draft),
                _ => at += 1,
            }
        }
        while bodies.len() < self.n_headlines(&bodies) && bodies.len() < most {
            let likeliest = (0..bodies.len())
                .filter_map(|at| {
                    let body = bodies[at].clone();
                    let (k, likely) =
                        vocabulary.best_break(body.clone(), |k| self.threshold(&body, k, sisters[k]))?;
                    Some((at, k, likely))
                })
                .min_by(|a, b| a.2.total_cmp(&b.2));
            match likeliest {
                Some((at, k, likely)) if likely < SURPLUS => self.part(&mut bodies, at, k, draft),
                _ => break,
            }
        }
        bodies
    }

    /// Whether paragraph `k` stands below a line that has a sister inside the same body: a line with as many
    /// characters. The subheads of an article are built alike, one after the other; headlines are not.
    fn sisters(&self, body: &Range<usize>) -> Vec<bool> {
        let titles = |k: usize| {
            self.parts_between(k)
                .iter()
                .filter(|part| self.may_be_headline(part))
                .map(|part| part.text.chars().count())
        };
        let within = body.start + 1..body.end;
        let mut lengths: HashMap<usize, usize> = HashMap::new();
        for length in within.clone().flat_map(titles) {
            *lengths.entry(length).or_default() += 1;
        }
        body.clone()
            .map(|k| {
                within.contains(&k) && titles(k).any(|length| lengths.get(&length).is_some_and(|n| *n > 1))
            })
            .collect()
    }

    fn part(&self, bodies: &mut Vec<Range<usize>>, at: usize, k: usize, draft: &mut Draft) {
        let body = bodies[at].clone();
        bodies[at] = body.start..k;
        bodies.insert(at + 1, k..body.end);
        let part = &self.parts[self.paragraphs[k]];
        let text = format!("another article seems to begin here: {}", excerpt(&part.text));
        draft.query(Doubt::BreakByVocabulary, part.line, text);
    }

    /// How many headlines surely stand between these bodies: those with a byline, marked, or at the page's end.
    fn n_headlines(&self, bodies: &[Range<usize>]) -> usize {
        let mut count = 0;
        for gap in gaps(bodies) {
            for item in self.items(gap) {
                let marked = item.head.is_some_and(|head| self.is_headline(&self.parts[head]));
                count += usize::from(item.head.is_some() && (marked || !item.bylines.is_empty()));
            }
        }
        count
    }

    /// The headlines of a gap with their bylines, in order.
    fn items(&self, gap: usize) -> Vec<Item> {
        let mut items: Vec<Item> = Vec::new();
        let mut titles: Vec<usize> = Vec::new();
        for index in self.gap(gap) {
            let part = &self.parts[index];
            match part.kind {
                Kind::Byline(_) => match items.last_mut() {
                    Some(item) if titles.is_empty() && item.last + 1 == index && !item.bylines.is_empty() => {
                        item.bylines.push(index);
                        item.last = index;
                    }
                    _ => {
                        let head = titles.pop();
                        items.extend(titles.drain(..).map(|title| Item::new(gap, Some(title), title)));
                        let mut item = Item::new(gap, head, index);
                        item.bylines.push(index);
                        items.push(item);
                    }
                },
                Kind::Title { .. } if self.may_be_headline(part) && !part.text.starts_with('—') => {
                    titles.push(index);
                }
                _ => {}
            }
        }
        items.extend(titles.into_iter().map(|title| Item::new(gap, Some(title), title)));
        items
    }
}

/// The gaps between bodies, and those before the first and after the last.
fn gaps(bodies: &[Range<usize>]) -> impl Iterator<Item = usize> {
    let end = bodies.last().map_or(0, |body| body.end);
    let last = (end > 0).then_some(end);
    bodies.iter().map(|body| body.start).chain(last)
}

/// A headline with the names below it.
#[derive(Debug)]
struct Item {
    gap: usize,
    head: Option<usize>,
    bylines: Vec<usize>,
    /// The part with which it ends.
    last: usize,
}

impl Item {
    fn new(gap: usize, head: Option<usize>, last: usize) -> Self {
        Self { gap, head, bylines: Vec::new(), last }
    }
}

/// What becomes of a part that is no paragraph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Open,
    Headline,
    Kicker,
    Dek,
    Byline,
    Credit,
    Caption,
    Subhead,
    NotUsed,
}

/// Which part goes to which body, and as what.
struct Plan {
    bodies: Vec<Range<usize>>,
    places: Vec<(Place, usize)>,
    /// The parts of each body's headline: one, or the two halves of one.
    headlines: Vec<Vec<usize>>,
    bylines: Vec<Vec<usize>>,
}

impl Plan {
    fn new(page: &Page, bodies: Vec<Range<usize>>) -> Self {
        let n = bodies.len();
        Self {
            places: vec![(Place::Open, 0); page.parts.len()],
            headlines: vec![vec![]; n],
            bylines: vec![vec![]; n],
            bodies,
        }
    }

    /// The body that begins at or after a gap, or else the last one.
    fn following(&self, gap: usize) -> Option<usize> {
        let at = self.bodies.partition_point(|body| body.start < gap);
        (at < self.bodies.len()).then_some(at)
    }

    /// The body that holds the paragraph before a gap.
    fn preceding(&self, gap: usize) -> Option<usize> {
        self.bodies.partition_point(|body| body.start < gap).checked_sub(1)
    }

    fn give_headlines(&mut self, page: &Page, vocabulary: Option<&Vocabulary>, draft: &mut Draft) {
        let items: Vec<Item> = gaps(&self.bodies).flat_map(|gap| page.items(gap)).collect();
        let headed: Vec<&Item> = items.iter().filter(|item| item.head.is_some()).collect();
        // A page has tens of headlines; a text with more is no page and is read in order.
        let few = headed.len() * self.bodies.len() <= 10_000;
        let shares: Vec<Vec<f64>> = headed
            .iter()
            .map(|item| match (vocabulary, item.head) {
                (Some(vocabulary), Some(head)) if few => {
                    vocabulary.owners(&spaces::title(&page.parts[head].text, Spaces::Noise), &self.bodies)
                }
                _ => Vec::new(),
            })
            .collect();
        let nearest: Vec<bool> = (0..headed.len())
            .map(|i| headed.get(i + 1).is_none_or(|next| next.gap != headed[i].gap))
            .collect();
        let score = |item: usize, body: usize| {
            let gap = headed[item].gap;
            let range = &self.bodies[body];
            let share = shares[item].get(body).copied().unwrap_or(0.0);
            let foremost = shares[item].iter().all(|other| *other <= share);
            // What has a byline is a headline for sure, and is some body's.
            let sure = !headed[item].bylines.is_empty();
            if gap == range.start && nearest[item] {
                Some(share + RIGHT_BEFORE)
            } else if sure || (foremost && share >= CLAIM) {
                Some(share + if gap == range.start || gap == range.end { BESIDE } else { 0.0 })
            } else {
                None
            }
        };
        let assigned = assignment::assign(headed.len(), self.bodies.len(), score);
        for (item, body) in headed.iter().zip(&assigned) {
            let (Some(body), Some(head)) = (*body, item.head) else { continue };
            self.headlines[body].push(head);
            self.bylines[body].extend(&item.bylines);
            let part = &page.parts[head];
            if item.gap != self.bodies[body].start {
                draft.query(Doubt::MovedHeadline, part.line, format!("brought to its body: {}", part.text));
            }
        }
        self.give_halves(page, &headed, &assigned, &shares, draft);
        self.give_last(page, &headed, draft);
        let taken: HashSet<usize> = self.headlines.iter().flatten().copied().collect();
        // The last title of the gap that may be a headline.
        let mut last: Option<(usize, Option<usize>)> = None;
        for item in &items {
            if last.is_none_or(|(gap, _)| gap != item.gap) {
                let title = page.gap(item.gap).rev().find(|&at| page.may_be_headline(&page.parts[at]));
                last = Some((item.gap, title));
            }
            let headline_follows = last.is_some_and(|(_, title)| title > Some(item.last));
            if item.head.is_none_or(|head| !taken.contains(&head)) {
                self.give_names(item, headline_follows);
            }
        }
    }

    /// Two left-over lines that stand together and whose words are the same body's are one headline, if it has none.
    fn give_halves(
        &mut self,
        page: &Page,
        headed: &[&Item],
        assigned: &[Option<usize>],
        shares: &[Vec<f64>],
        draft: &mut Draft,
    ) {
        let foremost = |item: usize| {
            let shares = &shares[item];
            let best = (0..shares.len()).max_by(|a, b| shares[*a].total_cmp(&shares[*b]))?;
            (shares[best] >= CLAIM).then_some(best)
        };
        for second in 1..headed.len() {
            let first = second - 1;
            let (one, two) = (headed[first], headed[second]);
            let Some(body) = foremost(first).filter(|body| foremost(second) == Some(*body)) else { continue };
            let together = one.gap == two.gap && one.bylines.is_empty() && two.bylines.is_empty();
            let mine = |item: usize| assigned[item] == Some(body);
            let free =
                self.headlines[body].is_empty() && assigned[first].is_none() && assigned[second].is_none();
            let half =
                (mine(first) && assigned[second].is_none()) || (mine(second) && assigned[first].is_none());
            let away = one.gap != self.bodies[body].start;
            if together && away && (free || half) && self.headlines[body].len() < 2 {
                self.headlines[body] = one.head.into_iter().chain(two.head).collect();
                let part = &page.parts[one.last];
                draft.query(
                    Doubt::MovedHeadline,
                    part.line,
                    format!("two pieces of one headline: {}", part.text),
                );
            }
        }
    }

    /// The only line left over at the page's end is the headline of the only body without one.
    fn give_last(&mut self, page: &Page, headed: &[&Item], draft: &mut Draft) {
        let end = self.bodies.last().map_or(0, |body| body.end);
        let taken: HashSet<usize> = self.headlines.iter().flatten().copied().collect();
        let mut left = headed
            .iter()
            .filter(|item| item.gap == end && item.head.is_none_or(|head| !taken.contains(&head)));
        let mut bare = (0..self.bodies.len()).filter(|&body| self.headlines[body].is_empty());
        if let (Some(item), None, Some(body), None) = (left.next(), left.next(), bare.next(), bare.next())
            && let Some(head) = item.head
        {
            let part = &page.parts[head];
            draft.query(
                Doubt::MovedHeadline,
                part.line,
                format!("brought to the body that has none: {}", part.text),
            );
            self.headlines[body].push(head);
            self.bylines[body].extend(&item.bylines);
        }
    }

    /// Names without a headline: of the article that follows, unless they close the one before or it has names.
    fn give_names(&mut self, item: &Item, headline_follows: bool) {
        if item.bylines.is_empty() {
            return;
        }
        let before = self.preceding(item.gap).filter(|&body| self.bylines[body].is_empty());
        let after = self.following(item.gap).filter(|&body| self.bylines[body].is_empty());
        let closes = headline_follows || after.is_none();
        if let Some(body) = if closes && item.head.is_none() { before.or(after) } else { after } {
            self.bylines[body].extend(&item.bylines);
        }
    }

    /// Gives every other part its place.
    fn give_the_rest(&mut self, page: &Page) {
        for body in 0..self.bodies.len() {
            for head in self.headlines[body].clone() {
                self.places[head] = (Place::Headline, body);
            }
            for byline in self.bylines[body].clone() {
                self.places[byline] = (Place::Byline, body);
            }
        }
        for gap in 0..=page.paragraphs.len() {
            let within = self.preceding(gap).filter(|&body| gap < self.bodies[body].end);
            let boundary = within.is_none();
            let headline =
                page.gap(gap).rev().find(|&at| page.parts[at].is_title() && self.places[at].0 != Place::Open);
            for index in page.gap(gap) {
                if self.places[index].0 != Place::Open {
                    continue;
                }
                self.places[index] = match &page.parts[index].kind {
                    Kind::Credit(_) => {
                        self.preceding(gap).or(self.following(gap)).map(|body| (Place::Credit, body))
                    }
                    Kind::Caption => within
                        .or_else(|| self.preceding(gap))
                        .or(self.following(gap))
                        .map(|b| (Place::Caption, b)),
                    Kind::Title { .. } if boundary => {
                        self.around_headline(page, index, gap, headline.is_none_or(|last| last < index))
                    }
                    Kind::Title { level: None, numbered: false } if page.marked => {
                        within.map(|b| (Place::Caption, b))
                    }
                    Kind::Title { .. } => within.map(|body| (Place::Subhead, body)),
                    _ => None,
                }
                .unwrap_or((Place::NotUsed, 0));
            }
        }
    }

    /// A title at the border of two bodies that is no headline: kicker, dek, or the first subhead. `last` says whether no headline
    /// of the gap comes after it.
    fn around_headline(&self, page: &Page, index: usize, gap: usize, last: bool) -> Option<(Place, usize)> {
        let body = self.following(gap)?;
        let gap_parts = page.gap(gap);
        let own = |at: usize| gap_parts.contains(&at) && self.headlines[body].contains(&at);
        let part = &page.parts[index];
        let below_headline = self.headlines[body].iter().any(|head| (gap_parts.start..index).contains(head));
        let dash = part.text.starts_with('—');
        if index + 1 < gap_parts.end && own(index + 1) && !page.marked | part.level().is_none() {
            return Some((Place::Kicker, body));
        }
        if below_headline {
            let right_below = index > 0 && own(index - 1);
            // A heading right below the headline and above the byline, deeper ones following, is the dek.
            let byline_below =
                page.parts.get(index + 1).is_some_and(|part| matches!(part.kind, Kind::Byline(_)));
            if right_below && (dash || (page.marked && byline_below)) {
                return Some((Place::Dek, body));
            }
            let caption = page.marked && part.level().is_none() && !parts::is_numbered(&part.text);
            return Some((if caption { Place::Caption } else { Place::Subhead }, body));
        }
        let numbered = parts::is_numbered(&part.text) || part.level().is_some();
        (numbered && last).then_some((Place::Subhead, body))
    }

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
        let mut article = Article {
            key: String::new(),
            headline: Headline { text: headline.concat(), synthetic: false },
            kicker: None,
            dek: None,
            bylines: vec![],
            credit: None,
            captions: vec![],
            body: vec![],
            notes: vec![],
            section: None,
        };
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
                    article.body.push(Block::Paragraph { text: inlines(&part.text, spaces, marks) });
                    doubt_paragraph(part, page.parts.get(index + 1), draft);
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
