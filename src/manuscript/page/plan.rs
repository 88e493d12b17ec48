//! Which headline, byline, credit line and other short line of the page is whose.

use std::collections::HashSet;
use std::ops::Range;

use crate::proof::Doubt;

use super::super::draft::Draft;
use super::assignment;
use super::bodies::{Item, Page, gaps};
use super::headings::Titles;
use super::parts::{self, Kind};
use super::spaces::{self, Spaces};
use super::vocabulary::Vocabulary;

/// A headline right before a body is its own unless another body has more of its words by a fifth.
const RIGHT_BEFORE: f64 = 0.20;
/// A headline beside a body, after it or before another headline, comes next.
const BESIDE: f64 = 0.08;
/// A line without a byline that stands elsewhere is a headline only if a body has this much of its pairs as its own,
/// and more of them than any other body.
const CLAIM: f64 = 0.20;

/// What becomes of a part that is no paragraph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
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
pub(super) struct Plan {
    pub(super) bodies: Vec<Range<usize>>,
    pub(super) places: Vec<(Place, usize)>,
    /// The parts of each body's headline: one, or the two halves of one.
    pub(super) headlines: Vec<Vec<usize>>,
    pub(super) bylines: Vec<Vec<usize>>,
}

impl Plan {
    pub(super) fn new(page: &Page, bodies: Vec<Range<usize>>) -> Self {
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

    pub(super) fn give_headlines(&mut self, page: &Page, vocabulary: Option<&Vocabulary>, draft: &mut Draft) {
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
    pub(super) fn give_the_rest(&mut self, page: &Page) {
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
                    Kind::Kicker => self.following(gap).map(|body| (Place::Kicker, body)),
                    Kind::Caption => within
                        .or_else(|| self.preceding(gap))
                        .or(self.following(gap))
                        .map(|b| (Place::Caption, b)),
                    Kind::Title { .. } if boundary => {
                        self.around_headline(page, index, gap, headline.is_none_or(|last| last < index))
                    }
                    Kind::Title { level: None, numbered: false }
                        if page.marked && page.titles == Titles::Marked =>
                    {
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
            let caption = page.marked
                && page.titles == Titles::Marked
                && part.level().is_none()
                && !parts::is_numbered(&part.text);
            return Some((if caption { Place::Caption } else { Place::Subhead }, body));
        }
        let numbered = parts::is_numbered(&part.text) || part.level().is_some();
        (numbered && last).then_some((Place::Subhead, body))
    }
}
