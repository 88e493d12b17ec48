//! Which characters of a source stand in which piece of its reading: found by the characters alone, so that no pass of the
//! reader has a say in it.
//!
//! Long pieces are looked for first, in the order of the reading, each behind the one before; then short ones, which may
//! be anywhere, between their neighbours and on lines of their own rather than elsewhere. A piece may stand in several
//! runs. Every character of the source is taken once at most. What is not found is left out: that costs an entry in
//! the list, never the source.

use std::{collections::BTreeMap, ops::Range};

use crate::typography;

/// Pieces with as many letters stand nowhere by chance.
const LONG: usize = 24;

/// By so many letters, or all that is left, a run is found.
const FEW: usize = 8;

/// How far from its place the rest of a piece is looked for first, and then any piece, in bytes: some lines, and some pages.
const NEAR: usize = 2_000;
const FAR: usize = 120_000;

/// A run that is longer than this, in letters, needs no better one.
const SURELY: usize = 200;

/// At most so many places are compared before the best is taken.
const CANDIDATES: usize = 16;

/// So many times the source may be searched through for pieces that are not where they should be, and so many bytes more;
/// what is then left is looked for near by only.
const SEARCHES: usize = 24;
const SEARCHED: usize = 200_000_000;
/// What a comparison costs, in bytes searched.
const COMPARISON: usize = 40;

/// So many marks of Markdown in a row are passed over.
const MARKS: usize = 12;

/// A run of the source that is, character for character, a run of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    /// Which text.
    pub(super) text: usize,
    /// Where it stands in that text, in bytes.
    pub(super) from: usize,
    /// Where it stands in the source, in bytes.
    pub(super) at: Range<usize>,
}

/// Whether a character is found again: white space comes and goes, and what cannot be printed is in no reading.
pub(super) fn is_letter(c: char) -> bool {
    !c.is_whitespace() && typography::is_printable(c)
}

/// The source, and what of it was found so far.
pub(super) struct Alignment<'s> {
    source: &'s str,
    /// The runs by where they begin in the source.
    runs: BTreeMap<usize, Run>,
    /// How many more bytes may be searched.
    budget: usize,
}

/// A place at which a text could stand, and how good it is; the greatest is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    letters: usize,
    /// 2 for text on lines of its own, 1 for text at one end of a line.
    bounds: usize,
    /// The nearer the better.
    nearness: usize,
    at: std::cmp::Reverse<usize>,
}

impl<'s> Alignment<'s> {
    pub(super) fn of(source: &'s str) -> Self {
        let budget = source.len().saturating_mul(SEARCHES).saturating_add(SEARCHED);
        Self { source, runs: BTreeMap::new(), budget }
    }

    /// Whether everything was looked for. Where not, what was not found may be there.
    pub(super) fn is_thorough(&self) -> bool {
        self.budget > 0
    }

    /// The runs found, in the order of the source.
    pub(super) fn into_runs(self) -> Vec<Run> {
        self.runs.into_values().collect()
    }

    /// Finds texts that follow each other. Their numbers begin with `first`.
    pub(super) fn place(&mut self, texts: &[&str], first: usize) {
        let mut places: Vec<Option<Range<usize>>> = vec![None; texts.len()];
        let mut cursor = 0;
        let letters: Vec<usize> =
            texts.iter().map(|text| text.chars().filter(|c| is_letter(*c)).take(LONG).count()).collect();
        for (n, text) in texts.iter().enumerate() {
            if letters[n] == LONG {
                places[n] = self.place_in_pieces(text, first + n, cursor);
                cursor = places[n].as_ref().map_or(cursor, |place| place.end);
            }
        }
        let mut left = Vec::new();
        // Where the next text that has been found begins, for each.
        let mut below: Vec<usize> = vec![self.source.len(); texts.len()];
        for n in (1..texts.len()).rev() {
            below[n - 1] = places[n].as_ref().map_or(below[n], |place| place.start);
        }
        let mut above = 0;
        for (n, text) in texts.iter().enumerate() {
            if places[n].is_none() && letters[n] > 0 {
                let end = below[n].min(above + FAR);
                places[n] = self.place_whole(text, first + n, above..end, above, 2);
                if places[n].is_none() {
                    left.push((n, above));
                }
            }
            above = places[n].as_ref().map_or(above, |place| place.end);
        }
        left.sort_by_key(|(n, _)| (std::cmp::Reverse(letters[*n]), *n));
        left.retain(|&(n, above)| {
            let expected = if below[n] < self.source.len() { below[n] } else { above };
            places[n] = self.place_anywhere(texts[n], first + n, expected);
            places[n].is_none()
        });
        for (n, above) in left {
            self.place_in_pieces(texts[n], first + n, above);
        }
    }

    /// Finds texts that may stand anywhere, each in one run or not at all.
    pub(super) fn place_each(&mut self, texts: &[&str], first: usize) {
        let mut cursor = 0;
        for (n, text) in texts.iter().enumerate() {
            if let Some(place) = self.place_anywhere(text, first + n, cursor) {
                cursor = place.end;
            }
        }
    }

    /// Finds what of these texts was not found, however short its runs are: of a page, every letter stands somewhere.
    pub(super) fn complete(&mut self, texts: &[&str]) {
        let mut own: Vec<Vec<(usize, usize, usize)>> = vec![Vec::new(); texts.len()];
        for run in self.runs.values().filter(|run| run.text < texts.len()) {
            own[run.text].push((run.from, run.from + run.at.len(), run.at.end));
        }
        let mut above = 0;
        for (n, text) in texts.iter().enumerate() {
            own[n].sort_unstable();
            own[n].push((text.len(), text.len(), 0));
            let mut found = 0;
            for &(from, end, at) in &own[n] {
                above = self.complete_stretch(&text[..from.max(found)], n, found, above);
                if at > 0 {
                    (found, above) = (end, at);
                }
            }
        }
    }

    /// Takes the longest runs there are of a text from `from` on, each behind the one before if it can be.
    fn complete_stretch(&mut self, text: &str, number: usize, mut from: usize, mut at: usize) -> usize {
        while let Some(next) = next_letter(text, from) {
            let around = at.saturating_sub(FAR)..at.saturating_add(FAR);
            match self.best(&text[next..], around, at, 1, false) {
                Some(best) => {
                    let (taken, end) = self.take(text, number, next, best.at.0);
                    (at, from) = (taken.end, end);
                }
                None => from = next + text[next..].chars().next().map_or(1, char::len_utf8),
            }
        }
        at
    }

    /// Takes the best place of a text: the nearest where it stands on lines of its own, or else the nearest.
    fn place_anywhere(&mut self, text: &str, number: usize, expected: usize) -> Option<Range<usize>> {
        let around = |reach| expected.saturating_sub(reach)..expected.saturating_add(reach);
        self.place_whole(text, number, around(NEAR), expected, 2)
            .or_else(|| self.place_whole(text, number, around(FAR), expected, 0))
            // Short texts that stand several pages away are others.
            .or_else(|| {
                let is_long = count(text, LONG) == LONG;
                is_long.then(|| self.place_whole(text, number, 0..self.source.len(), expected, 0))?
            })
    }

    /// Takes the best place of a text that stands within `range` whole, the nearest to `expected` of equals.
    fn place_whole(
        &mut self,
        text: &str,
        number: usize,
        range: Range<usize>,
        expected: usize,
        bounds: usize,
    ) -> Option<Range<usize>> {
        let best = self.best(text, range, expected, SURELY, true).filter(|best| best.bounds >= bounds)?;
        Some(self.take(text, number, 0, best.at.0).0)
    }

    /// Takes a text in as many runs as it stands in, each behind the one before if it can be. Gives where it stands, but for
    /// what was found far behind.
    fn place_in_pieces(&mut self, text: &str, number: usize, cursor: usize) -> Option<Range<usize>> {
        let mut place: Option<Range<usize>> = None;
        let mut at = cursor;
        let mut from = next_letter(text, 0)?;
        // What of the text has been found.
        let mut found = 0;
        while from < text.len() {
            let Some(start) = self.find(&text[from..], at, place.is_some()) else {
                // Some letters are not in the source; those behind them may be.
                match text[from..].char_indices().filter(|(_, c)| is_letter(*c)).nth(FEW) {
                    Some((length, _)) => from += length,
                    None => break,
                }
                continue;
            };
            let (start, grown) = self.grow(text, found, from, start);
            let (taken, end) = self.take(text, number, grown, start);
            at = taken.end;
            match &mut place {
                Some(place) if taken.start >= place.end && taken.start < place.end + FAR => place.end = at,
                Some(_) => {}
                None => place = Some(taken),
            }
            found = end;
            let Some(next) = next_letter(text, end) else { break };
            from = next;
        }
        place
    }

    /// Where a text stands: one that goes on near `at` by a few letters, others by many.
    fn find(&mut self, text: &str, at: usize, goes_on: bool) -> Option<usize> {
        let near = at..at.saturating_add(NEAR);
        let far = [at..at.saturating_add(FAR), at.saturating_sub(FAR)..at, 0..self.source.len()];
        let mut tries = vec![(near.clone(), if goes_on { FEW } else { LONG })];
        if count(text, FEW) == FEW {
            tries.extend(far.map(|range| (range, LONG)));
            tries.push((near, FEW));
        }
        tries
            .into_iter()
            .find_map(|(range, least)| self.best(text, range, at, least, false))
            .map(|best| best.at.0)
    }

    /// The best free place of a text within `range`: with at least `least` of its letters, or all of them. With `on_lines`,
    /// one on lines of its own is better than a nearer one.
    fn best(
        &mut self,
        text: &str,
        range: Range<usize>,
        expected: usize,
        least: usize,
        on_lines: bool,
    ) -> Option<Candidate> {
        let first = text[next_letter(text, 0)?..].chars().next()?;
        let range = self.bounded(range);
        let charged = range.len() > 2 * NEAR;
        if charged && self.budget == 0 {
            return None;
        }
        let all = count(text, SURELY);
        let least = least.min(all);
        let mut best: Option<Candidate> = None;
        let mut n_candidates = 0;
        let mut searched = range.len();
        let mut n_compared = 0_usize;
        for (offset, _) in self.source[range.clone()].match_indices(first) {
            let at = range.start + offset;
            n_compared += 1;
            let (letters, end) = self.matching(text, at, SURELY);
            if letters < least {
                continue;
            }
            let bounds = if on_lines { self.bounds(at, end) } else { 0 };
            let nearness = usize::MAX - at.abs_diff(expected);
            best = best.max(Some(Candidate { letters, bounds, nearness, at: std::cmp::Reverse(at) }));
            n_candidates += 1;
            let sure = letters == SURELY || (letters == all && (bounds == 2 || !on_lines));
            if n_candidates == CANDIDATES || (at >= expected && sure) {
                searched = offset;
                break;
            }
        }
        if charged {
            self.budget = self.budget.saturating_sub(searched + n_compared * COMPARISON);
        }
        best
    }

    /// A range within the source, cut between characters.
    fn bounded(&self, range: Range<usize>) -> Range<usize> {
        let cut = |mut at: usize| {
            at = at.min(self.source.len());
            while !self.source.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let (start, end) = (cut(range.start), cut(range.end));
        start..end.max(start)
    }

    /// How many letters of `text` stand at `at` and are free, at most `most`, and where they end.
    fn matching(&self, text: &str, at: usize, most: usize) -> (usize, usize) {
        let Some(free) = self.free(at) else { return (0, at) };
        // Most of a text stands in its source as it is, and is counted without looking at both.
        let alike = alike(&self.source[at..free], text);
        let counted = letters(&text[..alike])
            .take(most)
            .fold((0, 0), |(n, _), (place, c)| (n + 1, place + c.len_utf8()));
        let begun = counted.0 > 0;
        let source = &self.source[..free];
        let matched =
            Letters { source, at: at + counted.1, text, from: counted.1, begun }.take(most - counted.0);
        let (n, end) = (counted.0, at + counted.1);
        matched.fold((n, end), |(n, _), (place, _, c)| (n + 1, place + c.len_utf8()))
    }

    /// Where the free text at `at` ends; `None` if it is taken.
    fn free(&self, at: usize) -> Option<usize> {
        let taken = self.runs.range(..=at).next_back().is_some_and(|(_, run)| run.at.end > at);
        let next = self.runs.range(at..).next().map_or(self.source.len(), |(start, _)| *start);
        (!taken && at < next).then_some(next)
    }

    /// At how many of its ends a text meets a line's end or what is taken already. Marks of Markdown do not count.
    fn bounds(&self, at: usize, end: usize) -> usize {
        let inside = |c: &char| !matches!(c, ' ' | '\t' | '\u{3000}' | '#' | '*');
        let ends = |c: char| matches!(c, '\n' | '\r');
        let before = self.source[..at].char_indices().rev().find(|(_, c)| inside(c));
        let after = self.source[end..].char_indices().find(|(_, c)| inside(c));
        let opens = before.is_none_or(|(place, c)| ends(c) || self.free(place).is_none());
        let closes = after.is_none_or(|(place, c)| ends(c) || self.free(end + place).is_none());
        usize::from(opens) + usize::from(closes)
    }

    /// The beginning of a run that was found at `start` with the letters behind `from`, as far back as they agree, but not
    /// before `found`. Gives it in the source and in the text.
    fn grow(&self, text: &str, found: usize, from: usize, start: usize) -> (usize, usize) {
        let (mut at, mut grown) = (start, from);
        let before = |text: &str| text.char_indices().rev().find(|(_, c)| is_letter(*c));
        while let (Some((theirs, a)), Some((ours, b))) =
            (before(&self.source[..at]), before(&text[found..grown]))
            && a == b
            && self.free(theirs).is_some_and(|free| free >= at)
        {
            (at, grown) = (theirs, found + ours);
        }
        (at, grown)
    }

    /// Takes what stands at `at` of the text from `from` on: a run for each stretch that is the same with its white space.
    /// Gives where that is, and where in the text it ends.
    fn take(&mut self, text: &str, number: usize, from: usize, at: usize) -> (Range<usize>, usize) {
        let free = self.free(at).unwrap_or(at);
        let (mut theirs, mut ours) = (at, from);
        let mut run = Run { text: number, from, at: at..at };
        let mut letters = Letters { source: &self.source[..free], at, text, from, begun: false };
        while let Some((place, wanted, c)) = letters.next() {
            if self.source[theirs..place] != text[ours..wanted] || run.at.is_empty() {
                let next = Run { text: number, from: wanted, at: place..place };
                self.keep(std::mem::replace(&mut run, next));
            }
            (theirs, ours) = (place + c.len_utf8(), wanted + c.len_utf8());
            // Most of a text stands in its source as it is, and need not be looked at letter by letter.
            let alike = alike(&self.source[theirs..free], &text[ours..]);
            (theirs, ours) = (theirs + alike, ours + alike);
            (letters.at, letters.from) = (theirs, ours);
            run.at.end = theirs;
        }
        self.keep(run);
        (at..theirs, ours)
    }

    fn keep(&mut self, run: Run) {
        if !run.at.is_empty() {
            self.runs.insert(run.at.start, run);
        }
    }
}

/// The letters that a source and a text have in common, one after the other, each with its places in both. Marks of Markdown
/// in the source are passed over.
struct Letters<'s, 't> {
    source: &'s str,
    at: usize,
    text: &'t str,
    from: usize,
    begun: bool,
}

impl Iterator for Letters<'_, '_> {
    type Item = (usize, usize, char);

    fn next(&mut self) -> Option<Self::Item> {
        let from = next_letter(self.text, self.from)?;
        let wanted = self.text[from..].chars().next()?;
        for _ in 0..=MARKS {
            let at = next_letter(self.source, self.at)?;
            let c = self.source[at..].chars().next()?;
            self.at = at + c.len_utf8();
            if c == wanted {
                self.from = from + c.len_utf8();
                self.begun = true;
                return Some((at, from, c));
            }
            if !self.begun || !is_mark(c) {
                break;
            }
        }
        None
    }
}

/// Whether a character is one that Markdown marks text with.
pub(super) fn is_mark(c: char) -> bool {
    matches!(c, '*' | '#' | '_' | '`' | '~' | '\\' | '>' | '|')
}

/// How many bytes two texts have in common at their beginning, up to the last letter in these.
fn alike(one: &str, other: &str) -> usize {
    let (a, b) = (one.as_bytes().as_chunks::<16>().0, other.as_bytes().as_chunks::<16>().0);
    let blocks = a.iter().zip(b).take_while(|(a, b)| a == b).count() * 16;
    let rest = one.bytes().skip(blocks).zip(other.bytes().skip(blocks)).take_while(|(a, b)| a == b).count();
    let same = &one[..one.floor_char_boundary(blocks + rest)];
    same.trim_end_matches(|c| !is_letter(c)).len()
}

/// The letters of a text, with their places.
fn letters(text: &str) -> impl Iterator<Item = (usize, char)> {
    text.char_indices().filter(|(_, c)| is_letter(*c))
}

/// Where the first letter at `at` or behind it stands.
fn next_letter(text: &str, at: usize) -> Option<usize> {
    letters(&text[at..]).next().map(|(offset, _)| at + offset)
}

/// How many letters a text has, at most `most`.
fn count(text: &str, most: usize) -> usize {
    text.chars().filter(|c| is_letter(*c)).take(most).count()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// Shows the source with each run in brackets, behind the number of its text.
    #[track_caller]
    fn check(source: &str, texts: &[&str], expected: &str) {
        let mut alignment = Alignment::of(source);
        alignment.place(texts, 0);
        alignment.complete(texts);
        let mut shown = String::new();
        let mut end = 0;
        for run in alignment.into_runs() {
            assert!(texts[run.text][run.from..].starts_with(&source[run.at.clone()]), "{run:?}");
            shown.push_str(&source[end..run.at.start]);
            let _ = write!(shown, "{}[{}]", run.text, &source[run.at.clone()]);
            end = run.at.end;
        }
        shown.push_str(&source[end..]);
        assert_eq!(shown, expected);
    }

    const LONG: &str = "桥边的灯亮了三十年，守灯的人换了三代，灯没有换过，河没有改道。";

    #[test]
    fn a_text_is_found_where_it_stands_alone_and_not_where_its_words_occur() {
        // The headline came last, and the body begins with its words.
        check(&format!("{LONG}\n\n桥边的灯\n"), &["桥边的灯", LONG], &format!("1[{LONG}]\n\n0[桥边的灯]\n"));
        // The name is in the body as well.
        check(
            &format!("李雨说：{LONG}\n\n李 雨\n"),
            &["李雨", &format!("李雨说：{LONG}")],
            &format!("1[李雨说：{LONG}]\n\n0[李] 0[雨]\n"),
        );
        check("河\n\n河\n\n河\n", &["河", "河"], "0[河]\n\n1[河]\n\n河\n");
    }

    #[test]
    fn equal_texts_are_taken_one_after_the_other() {
        check(
            &format!("一\n\n{LONG}\n\n一\n\n{LONG}\n"),
            &["一", LONG, "一", LONG],
            &format!("0[一]\n\n1[{LONG}]\n\n2[一]\n\n3[{LONG}]\n"),
        );
    }

    #[test]
    fn a_text_is_found_in_all_its_pieces() {
        let (head, tail) = LONG.split_at(LONG.find("换了").expect("words"));
        check(
            &format!("{head}\n\n小标题\n\n**{tail}**\n"),
            &[LONG, "小标题"],
            &format!("0[{head}]\n\n1[小标题]\n\n**0[{tail}]**\n"),
        );
        check("方显好作\n\n干净 方见\n", &["干净方见方显好作"], "0[方显好作]\n\n0[干净] 0[方见]\n");
        check("one\ntwo  three", &["one two three"], "0[one]\n0[two]  0[three]");
    }

    #[test]
    fn what_an_editor_changed_costs_nothing_else() {
        let edited = LONG.replace("三十年", "四十年");
        let (head, tail) = LONG.split_at(LONG.find("三十").expect("words"));
        check(LONG, &[&edited], &format!("0[{head}]三0[{}]", &tail["三".len()..]));
        check("a\n\nb", &["c"], "a\n\nb");
    }
}
