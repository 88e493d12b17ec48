//! What texts are about, told by pairs of neighbouring characters: no dictionary, and the same in every script.

use std::collections::HashMap;
use std::ops::Range;

/// A pair of neighbouring letters, numbered by its first occurrence on the page.
type Id = usize;

/// The pairs of letters and digits of a text, in order; punctuation and spaces part them.
fn pairs(text: &str) -> impl Iterator<Item = (char, char)> {
    let mut before = None;
    text.chars().filter_map(move |c| {
        // Most characters of a Chinese page: letters, none of which has a lower case.
        let letter = if matches!(c, '\u{4E00}'..='\u{9FFF}') {
            Some(c)
        } else {
            c.is_alphanumeric().then(|| c.to_lowercase().next().unwrap_or(c))
        };
        let pair = before.zip(letter);
        before = letter;
        pair
    })
}

/// What ends a sentence.
const ENDS: [char; 8] = ['。', '！', '？', '；', '.', '!', '?', ';'];

/// How often each id occurs, in the order of the ids.
fn counted(mut ids: Vec<Id>) -> Vec<(Id, f64)> {
    ids.sort_unstable();
    let mut counted: Vec<(Id, f64)> = Vec::with_capacity(ids.len());
    for id in ids {
        match counted.last_mut() {
            Some((last, count)) if *last == id => *count += 1.0,
            _ => counted.push((id, 1.0)),
        }
    }
    counted
}

/// How often each id occurs in both halves together, in the order of the ids.
fn sum([odd, even]: &[Vec<(Id, f64)>; 2]) -> Vec<(Id, f64)> {
    let (mut odd, mut even) = (odd.iter().copied().peekable(), even.iter().copied().peekable());
    std::iter::from_fn(|| match (odd.peek(), even.peek()) {
        (Some(one), Some(other)) if one.0 == other.0 => Some((one.0, odd.next()?.1 + even.next()?.1)),
        (Some(one), Some(other)) if other.0 < one.0 => even.next(),
        (Some(_), _) => odd.next(),
        (None, _) => even.next(),
    })
    .collect()
}

/// The vocabulary of a page's paragraphs.
#[derive(Debug)]
pub(super) struct Vocabulary {
    ids: HashMap<(char, char), Id>,
    /// How often each paragraph has each of its pairs, in the order of their ids.
    counts: Vec<Vec<(Id, f64)>>,
    /// The weighted pairs of each paragraph's odd and even sentences.
    halves: Vec<[Vec<(Id, f64)>; 2]>,
    characters: Vec<usize>,
}

/// Pages with more paragraphs or characters than these are books: to look for lost headlines by vocabulary in them
/// would take long and find chapters.
const MAX_PARAGRAPHS: usize = 600;
const MAX_CHARACTERS: usize = 300_000;

/// An article has at least this many characters: a tenth of a page's usual piece. Less tells nothing about itself.
const MIN_ARTICLE: usize = 250;

impl Vocabulary {
    /// Counts the paragraphs' pairs, or `None` for more text than a page has.
    pub(super) fn of(paragraphs: &[&str]) -> Option<Self> {
        let characters: Vec<usize> = paragraphs.iter().map(|p| p.chars().count()).collect();
        let n_characters: usize = characters.iter().sum();
        if paragraphs.len() > MAX_PARAGRAPHS || n_characters > MAX_CHARACTERS {
            return None;
        }
        // Room for what a page has.
        let mut ids: HashMap<(char, char), Id> = HashMap::with_capacity(n_characters / 2);
        let mut counts = Vec::with_capacity(paragraphs.len());
        let mut halves: Vec<[Vec<(Id, f64)>; 2]> = Vec::with_capacity(paragraphs.len());
        for paragraph in paragraphs {
            let mut found = [Vec::new(), Vec::new()];
            // No pair stands across the end of a sentence.
            for (nth, sentence) in paragraph.split_inclusive(ENDS).enumerate() {
                found[nth % 2].extend(pairs(sentence).map(|pair| {
                    let next = ids.len();
                    *ids.entry(pair).or_insert(next)
                }));
            }
            let half = found.map(counted);
            counts.push(sum(&half));
            halves.push(half);
        }
        let mut holders = vec![0.0_f64; ids.len()];
        for (id, _) in counts.iter().flatten() {
            holders[*id] += 1.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "at most MAX_PARAGRAPHS")]
        let n = paragraphs.len() as f64;
        // How much a pair tells: much if few paragraphs have it (tf-idf with a dampened count).
        let telling: Vec<f64> = holders.iter().map(|holders| ((1.0 + n) / (1.0 + holders)).ln()).collect();
        for (id, count) in halves.iter_mut().flatten().flatten() {
            // Most pairs occur once.
            let dampened = if *count > 1.0 { 1.0 + count.ln() } else { 1.0 };
            *count = dampened * telling[*id];
        }
        Some(Self { ids, counts, halves, characters })
    }

    /// The likeliest beginning of another article inside `range`: the paragraph and how likely, below 1 if likely.
    ///
    /// At a break the words left and right of it differ more than those of the odd and even sentences on either side.
    /// `threshold` tells how alike the sides may be for a break at that paragraph, or `None` where none can be.
    pub(super) fn best_break(
        &self,
        range: Range<usize>,
        threshold: impl Fn(usize) -> Option<f64>,
    ) -> Option<(usize, f64)> {
        let mut after: usize = range.clone().map(|p| self.characters[p]).sum();
        if range.len() < 2 || after < 2 * MIN_ARTICLE {
            return None;
        }
        let mut left = Side::new(self.ids.len());
        let mut right = Side::new(self.ids.len());
        for paragraph in range.clone() {
            right.shift(&self.halves[paragraph], 1.0);
        }
        let whole: Vec<f64> = right.sums[0].iter().zip(&right.sums[1]).map(|(a, b)| a + b).collect();
        let mut left_whole = 0.0;
        let mut before = 0;
        let mut best: Option<(usize, f64)> = None;
        for paragraph in range.start..range.end - 1 {
            let halves = &self.halves[paragraph];
            left_whole += halves.iter().flatten().map(|(id, weight)| weight * whole[*id]).sum::<f64>();
            left.shift(halves, 1.0);
            right.shift(halves, -1.0);
            before += self.characters[paragraph];
            after -= self.characters[paragraph];
            let next = paragraph + 1;
            let Some(threshold) = threshold(next) else { continue };
            if before < MIN_ARTICLE || after < MIN_ARTICLE {
                continue;
            }
            let across = cosine(left_whole - left.square(), left.square(), right.square());
            let within = f64::midpoint(left.inner(), right.inner());
            let likely = if within > 0.0 { across / within / threshold } else { f64::INFINITY };
            if best.is_none_or(|(_, least)| likely < least) {
                best = Some((next, likely));
            }
        }
        best
    }

    /// The share of a title's pairs that each group of paragraphs owns: 1 if no other group has any of them.
    pub(super) fn owners(&self, title: &str, groups: &[Range<usize>]) -> Vec<f64> {
        let mut wanted: Vec<Id> = pairs(title).filter_map(|pair| self.ids.get(&pair).copied()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let all = pairs(title).count().max(1);
        let mut shares = vec![0.0; groups.len()];
        for id in wanted {
            let rates: Vec<f64> = groups
                .iter()
                .map(|group| {
                    let characters: usize = self.characters[group.clone()].iter().sum();
                    let count: f64 = self.counts[group.clone()]
                        .iter()
                        .filter_map(|counts| {
                            counts.binary_search_by_key(&id, |c| c.0).ok().map(|at| counts[at].1)
                        })
                        .sum();
                    #[expect(clippy::cast_precision_loss, reason = "at most MAX_CHARACTERS")]
                    let rate = count / (characters as f64).max(1.0);
                    rate
                })
                .collect();
            let total: f64 = rates.iter().sum();
            if total > 0.0 {
                for (share, rate) in shares.iter_mut().zip(rates) {
                    *share += rate / total;
                }
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a title's pairs")]
        let all = all as f64;
        shares.into_iter().map(|share| share / all).collect()
    }
}

/// The sums of the odd and the even sentences' vectors on one side of a break, with their products kept up to date.
struct Side {
    sums: [Vec<f64>; 2],
    squares: [f64; 2],
    product: f64,
}

impl Side {
    fn new(n_ids: usize) -> Self {
        Self { sums: [vec![0.0; n_ids], vec![0.0; n_ids]], squares: [0.0; 2], product: 0.0 }
    }

    fn shift(&mut self, halves: &[Vec<(Id, f64)>; 2], sign: f64) {
        for (half, vector) in halves.iter().enumerate() {
            for &(id, weight) in vector {
                let change = sign * weight;
                let sum = self.sums[half][id];
                self.squares[half] += change * (2.0 * sum + change);
                self.product += change * self.sums[1 - half][id];
                self.sums[half][id] = sum + change;
            }
        }
    }

    fn square(&self) -> f64 {
        self.squares[0] + self.squares[1] + 2.0 * self.product
    }

    fn inner(&self) -> f64 {
        cosine(self.product, self.squares[0], self.squares[1])
    }
}

fn cosine(product: f64, square: f64, other: f64) -> f64 {
    let norm = (square.max(0.0) * other.max(0.0)).sqrt();
    if norm > 0.0 { product / norm } else { 0.0 }
}
