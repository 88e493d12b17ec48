//! The page's parts in order, and where its articles begin: at a byline, a credit line or a headline, or where the words change.

use std::collections::HashMap;
use std::ops::Range;

use jiff::civil::Date;

use crate::proof::Doubt;

use super::super::byline;
use super::super::draft::{Draft, excerpt};
use super::headings::Titles;
use super::parts::{self, Kind, Part};
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
/// So many short lines on top of each other are a column's name, a headline and a name: no subhead has as many.
const STACK: usize = 3;
/// A page with more headlines than bodies has lost a break: by so much each of the above may then be exceeded.
const SURPLUS: f64 = 1.5;
/// By so much they may be exceeded for the editor to be asked: seven of eight merged pairs of articles lie below, and one
/// whole article in twenty-five.
const DOUBTFUL: f64 = 1.5;

/// The parts in order, with their paragraphs found. Gap `k` is what stands before paragraph `k`; the last gap is what
/// stands after all of them.
pub(super) struct Page {
    pub(super) parts: Vec<Part>,
    pub(super) paragraphs: Vec<usize>,
    /// The level of `#` that headlines have, where the page marks them.
    pub(super) headline_level: Option<u8>,
    /// Whether titles are what is marked, so that other short lines are captions.
    pub(super) marked: bool,
    /// How titles are told from other short lines.
    pub(super) titles: Titles,
}

impl Page {
    pub(super) fn new(parts: Vec<Part>, titles: Titles) -> Self {
        let paragraphs: Vec<usize> = (0..parts.len()).filter(|&i| parts[i].is_paragraph()).collect();
        let levels: Vec<u8> = parts.iter().filter_map(Part::level).collect();
        let highest = levels.iter().copied().min();
        // `###` alone marks subheads, whose headline is lost.
        let headline_level = highest.filter(|level| *level <= 2);
        let marked = levels.len() >= 2 || headline_level == Some(1);
        Self { parts, paragraphs, headline_level, marked, titles }
    }

    pub(super) fn gap(&self, k: usize) -> Range<usize> {
        let from = k.checked_sub(1).and_then(|before| self.paragraphs.get(before)).map_or(0, |p| p + 1);
        from..self.paragraphs.get(k).copied().unwrap_or(self.parts.len())
    }

    pub(super) fn is_headline(&self, part: &Part) -> bool {
        part.is_title() && part.level().is_some() && part.level() == self.headline_level
    }

    /// Whether a title can be an article's: marked as such, or neither marked nor numbered.
    pub(super) fn may_be_headline(&self, part: &Part) -> bool {
        match part.kind {
            Kind::Title { level: Some(_), .. } => self.is_headline(part),
            Kind::Title { level: None, numbered } => !numbered && !self.marked,
            _ => false,
        }
    }

    /// The last day of the year that the page's own credit lines name, if they agree: a line without a year is of it
    /// when nothing else dates the page.
    pub(super) fn last_day_of_credits(&self) -> Option<Date> {
        let years = self.parts.iter().filter_map(|part| match &part.kind {
            Kind::Credit(credit) => credit.day?.year,
            _ => None,
        });
        let (first, last) = (years.clone().min()?, years.max()?);
        (first == last).then(|| Date::new(first, 12, 31).ok())?
    }

    /// The last full date of the page's credit lines: the page cannot be older.
    pub(super) fn last_credit(&self) -> Option<Date> {
        let dates = self.parts.iter().filter_map(|part| match &part.kind {
            Kind::Credit(credit) => credit.day?.date(),
            _ => None,
        });
        dates.max()
    }

    fn parts_between(&self, k: usize) -> &[Part] {
        &self.parts[self.gap(k)]
    }

    /// Whether an article surely begins at paragraph `k`.
    fn begins(&self, k: usize) -> bool {
        self.parts_between(k).iter().any(|part| {
            matches!(part.kind, Kind::Byline(_) | Kind::Credit(_) | Kind::Kicker) || self.is_headline(part)
        })
    }

    /// How alike the words around paragraph `k` of a body may be for an article to begin there.
    fn threshold(&self, body: &Range<usize>, k: usize, has_sister: bool) -> Option<f64> {
        let above = &self.parts[self.paragraphs[k - 1]];
        if !parts::ends(&above.text) {
            return None;
        }
        let gap = self.parts_between(k);
        let headlines = gap.iter().filter(|part| self.may_be_headline(part)).count();
        if headlines >= STACK {
            Some(f64::INFINITY)
        } else if headlines > 0 {
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
    pub(super) fn bodies(&self, vocabulary: Option<&Vocabulary>, draft: &mut Draft) -> Vec<Range<usize>> {
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
        // The likeliest break of each body, looked for once: that takes as long as many of the passes.
        let best = |body: &Range<usize>| {
            vocabulary.best_break(body.clone(), |k| self.threshold(body, k, sisters[k]))
        };
        let mut breaks: Vec<_> = bodies.iter().map(best).collect();
        let mut part = |bodies: &mut Vec<Range<usize>>, breaks: &mut Vec<_>, at: usize, k: usize| {
            self.part(bodies, at, k, draft);
            breaks.splice(at..=at, [best(&bodies[at]), best(&bodies[at + 1])]);
        };
        let mut at = 0;
        while at < bodies.len() && bodies.len() < most {
            match breaks[at] {
                Some((k, likely)) if likely < 1.0 => part(&mut bodies, &mut breaks, at, k),
                _ => at += 1,
            }
        }
        while bodies.len() < self.n_headlines(&bodies) && bodies.len() < most {
            let found =
                breaks.iter().enumerate().filter_map(|(at, found)| found.map(|(k, likely)| (at, k, likely)));
            match found.min_by(|a, b| a.2.total_cmp(&b.2)) {
                Some((at, k, likely)) if likely < SURPLUS => part(&mut bodies, &mut breaks, at, k),
                _ => break,
            }
        }
        for found in breaks {
            if let Some((k, likely)) = found
                && likely < DOUBTFUL
            {
                let part = &self.parts[self.paragraphs[k]];
                let text = format!("another article may begin here: {}", excerpt(&part.text));
                draft.query(Doubt::TwoArticles, part.line, text);
            }
        }
        bodies
    }

    /// Asks about short lines below a title, inside a body, that end with somebody's name, such as `南巷居民 赵德全`: what stands before the
    /// name says who that is in words that nobody could list, and so the line was not known for a byline.
    pub(super) fn ask_about_names(&self, bodies: &[Range<usize>], draft: &mut Draft) {
        for k in bodies.iter().flat_map(|body| body.start + 1..body.end) {
            for pair in self.parts_between(k).windows(2) {
                let [title, below] = pair else { continue };
                let names =
                    below.is_title() && below.level().is_none() && byline::ends_with_name(&below.text);
                if title.is_title() && names {
                    let text =
                        format!("this may name the author of another article: {}", excerpt(&below.text));
                    draft.query(Doubt::TwoArticles, below.line, text);
                }
            }
        }
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
    pub(super) fn items(&self, gap: usize) -> Vec<Item> {
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
pub(super) fn gaps(bodies: &[Range<usize>]) -> impl Iterator<Item = usize> {
    let end = bodies.last().map_or(0, |body| body.end);
    let last = (end > 0).then_some(end);
    bodies.iter().map(|body| body.start).chain(last)
}

/// A headline with the names below it.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) gap: usize,
    pub(super) head: Option<usize>,
    pub(super) bylines: Vec<usize>,
    /// The part with which it ends.
    pub(super) last: usize,
}

impl Item {
    pub(super) fn new(gap: usize, head: Option<usize>, last: usize) -> Self {
        Self { gap, head, bylines: Vec::new(), last }
    }
}
