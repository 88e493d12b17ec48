//! What was done to a source, told from how its characters stand in the reading.

use std::{collections::BTreeMap, ops::Range};

use serde::{Deserialize, Serialize};

use super::{
    align::Run,
    align::is_letter,
    align::is_mark,
    pieces::{Part, Piece},
};
use crate::{issue, manuscript::Form, manuscript::Source, proof::Doubt, proof::Proof, typography};

/// One thing that was done to a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repair {
    /// What.
    pub kind: Kind,
    /// The article that it was done to, counted from 1; `None` for the page around the articles.
    pub article: Option<usize>,
    /// The line of the source where it was done, or first done, counted from 1; `None` for the whole file.
    pub line: Option<usize>,
    /// Where it was brought, for what was moved to its body: the line where that begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<usize>,
    /// How many lines were made one, spaces or marks removed; 1 for what is done once.
    pub count: usize,
    /// The text that it was done to, shortened.
    pub text: String,
}

/// The kinds of repair. Their codes are stable, and those of [`Doubt`] where the same is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The file was saved in another charset than UTF-8, with a byte order mark, or with other line ends than line feeds.
    Decoded,
    /// Characters that no edition can carry were left out.
    ControlCharacters,
    /// The article has no headline; one was made of its first words.
    NoHeadline,
    /// A headline, kicker or dek stood away from its body.
    MovedHeadline,
    /// A byline, paragraph, subhead or credit line stood in another order.
    Moved,
    /// The lines of a column were made one paragraph.
    Unwrapped,
    /// A paragraph went on behind a blank line or another text.
    Joined,
    /// Two texts stood on one line, and are two.
    Parted,
    /// Spaces inside a text were removed.
    BlankRemoved,
    /// Marks of Markdown were removed.
    MarksRemoved,
    /// The words that say who did what were removed from a byline, which names the people.
    LabelRemoved,
    /// A line that was set twice over is in no article; what it says was read once.
    Doubled,
    /// A line too short to be anything is in no article.
    Fragment,
    /// A running head, masthead or other text is in no article.
    NotUsed,
    /// Letters of the source are nowhere in the reading: its editor left them out.
    LeftOut,
    /// Letters of the reading are nowhere in the source: its editor put them there.
    Added,
}

impl Kind {
    /// The stable code, such as `joined`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decoded => "decoded",
            Self::ControlCharacters => Doubt::ControlCharacters.as_str(),
            Self::NoHeadline => Doubt::NoHeadline.as_str(),
            Self::MovedHeadline => Doubt::MovedHeadline.as_str(),
            Self::Moved => "moved",
            Self::Unwrapped => "unwrapped",
            Self::Joined => Doubt::Joined.as_str(),
            Self::Parted => "parted",
            Self::BlankRemoved => "blank-removed",
            Self::MarksRemoved => "marks-removed",
            Self::LabelRemoved => "label-removed",
            Self::Doubled => Doubt::Doubled.as_str(),
            Self::Fragment => Doubt::Fragment.as_str(),
            Self::NotUsed => Doubt::NotUsed.as_str(),
            Self::LeftOut => "left-out",
            Self::Added => "added",
        }
    }
}

/// The longest text of a repair, in characters.
const MOST: usize = 40;

/// What was done to a source whose runs were found in the pieces, and behind them in what was not used.
pub(super) fn repairs(source: &Source, proof: &Proof, pieces: &[Piece], runs: &[Run]) -> Vec<Repair> {
    let mut lines = vec![0];
    lines.extend(line_ends(&source.text).map(|end| end.end));
    let mut own: Vec<Vec<&Run>> = vec![Vec::new(); pieces.len()];
    for run in runs.iter().filter(|run| run.text < pieces.len()) {
        own[run.text].push(run);
    }
    for runs in &mut own {
        runs.sort_by_key(|run| run.from);
    }
    let mut list = List { source, proof, pieces, runs, own, lines, repairs: Vec::new() };
    list.file();
    list.headlines();
    list.moved();
    // Of HTML and letters, white space means nothing.
    if matches!(source.form, Form::Page | Form::Markdown) {
        for piece in 0..pieces.len() {
            list.within(piece);
        }
    }
    list.aside();
    if source.form == Form::Page {
        list.between();
        list.parted();
    }
    list.repairs.sort_by_key(|repair| (repair.article.unwrap_or(0), repair.line.unwrap_or(0), repair.kind));
    bounded(list.repairs)
}

/// The most repairs of one kind that are listed: a hundred times what a page needs.
const MOST_OF_A_KIND: usize = 10_000;

/// The repairs without those beyond [`MOST_OF_A_KIND`], which are counted in one entry.
fn bounded(mut repairs: Vec<Repair>) -> Vec<Repair> {
    let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
    repairs.retain(|repair| {
        let count = counts.entry(repair.kind).or_default();
        *count += 1;
        *count <= MOST_OF_A_KIND
    });
    for (kind, count) in counts {
        if let Some(count) = count.checked_sub(MOST_OF_A_KIND).filter(|more| *more > 0) {
            let text = format!("and {count} more");
            repairs.push(Repair { kind, article: None, line: None, to: None, count, text });
        }
    }
    repairs
}

struct List<'a> {
    source: &'a Source,
    proof: &'a Proof,
    pieces: &'a [Piece],
    runs: &'a [Run],
    /// The runs of each piece in its own order.
    own: Vec<Vec<&'a Run>>,
    /// Where each line begins.
    lines: Vec<usize>,
    repairs: Vec<Repair>,
}

impl List<'_> {
    fn push(&mut self, kind: Kind, article: Option<usize>, at: usize, count: usize, text: &str) {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (line, text) = (Some(self.line(at)), issue::shorten(&words, MOST));
        self.repairs.push(Repair { kind, article: article.map(|n| n + 1), line, to: None, count, text });
    }

    /// The line of a byte of the source, counted from 1.
    fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at)
    }

    /// What concerns the whole file.
    fn file(&mut self) {
        let coding = &self.source.coding;
        let mut told = Vec::new();
        if coding.charset != "UTF-8" {
            told.push(format!("saved as {}", coding.charset));
        }
        if coding.mark {
            told.push("with a byte order mark".to_owned());
        }
        let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
        for end in line_ends(&self.source.text) {
            *ends.entry(&self.source.text[end]).or_default() += 1;
        }
        for (end, n) in ends.into_iter().filter(|(end, _)| *end != "\n") {
            let name = match end {
                "\r\n" => "CR LF".to_owned(),
                "\r" => "CR".to_owned(),
                other => format!("U+{:04X}", other.chars().next().map_or(0, u32::from)),
            };
            told.push(format!("{n} lines ended by {name}"));
        }
        if !told.is_empty() {
            let text = told.join(", ");
            self.repairs.push(Repair {
                kind: Kind::Decoded,
                article: None,
                line: None,
                to: None,
                count: 1,
                text,
            });
        }
        let mut removed: BTreeMap<char, (usize, usize)> = BTreeMap::new();
        for (at, c) in self.source.text.char_indices() {
            if !typography::is_printable(c) && !is_line_end(c) {
                removed.entry(c).or_insert((at, 0)).1 += 1;
            }
        }
        for (c, (at, count)) in removed {
            self.push(Kind::ControlCharacters, None, at, count, &format!("U+{:04X}", u32::from(c)));
        }
    }

    fn headlines(&mut self) {
        for (n, article) in self.proof.issue.articles.iter().enumerate() {
            if article.headline.synthetic {
                let at = self.body(n).unwrap_or(0);
                self.push(Kind::NoHeadline, Some(n), at, 1, &article.headline.text);
            }
        }
    }

    /// Where the body of an article begins.
    fn body(&self, article: usize) -> Option<usize> {
        let from = self.pieces.partition_point(|piece| piece.article < Some(article));
        let blocks = self.pieces[from..].iter().zip(&self.own[from..]);
        let mut own = blocks.take_while(|(piece, _)| piece.article == Some(article));
        own.find_map(|(piece, runs)| Some(runs.first().filter(|_| piece.part == Part::Block)?.at.start))
    }

    /// The pieces that stand in another order in the source: all but the heaviest ones whose order is the same.
    fn moved(&mut self) {
        let placed: Vec<usize> = (0..self.pieces.len())
            .filter(|&n| self.pieces[n].part.has_place() && !self.own[n].is_empty())
            .collect();
        let places: Vec<usize> = placed.iter().map(|&n| self.own[n][0].at.start).collect();
        let weights: Vec<usize> = placed.iter().map(|&n| self.pieces[n].text.len()).collect();
        let stays = heaviest_in_order(&places, &weights);
        let moved: Vec<usize> =
            placed.into_iter().zip(stays).filter(|(_, stays)| !stays).map(|(n, _)| n).collect();
        let headlines: Vec<Option<usize>> = moved
            .iter()
            .filter(|&&n| self.pieces[n].part == Part::Headline)
            .map(|&n| self.pieces[n].article)
            .collect();
        for n in moved {
            let piece = &self.pieces[n];
            let part = piece.part;
            // A byline goes where its headline goes.
            if part == Part::Byline && headlines.contains(&piece.article) {
                continue;
            }
            let headline = matches!(part, Part::Kicker | Part::Headline | Part::Dek);
            let kind = if headline { Kind::MovedHeadline } else { Kind::Moved };
            let to = piece.article.filter(|_| part != Part::Block).and_then(|article| self.body(article));
            let to = to.map(|at| self.line(at));
            self.push(kind, piece.article, self.own[n][0].at.start, 1, &piece.text);
            if let Some(repair) = self.repairs.last_mut() {
                repair.to = to;
            }
        }
    }

    /// What was done inside a piece.
    fn within(&mut self, n: usize) {
        let piece = &self.pieces[n];
        let article = piece.article;
        let runs = std::mem::take(&mut self.own[n]);
        let (mut wraps, mut blanks) = (Found::default(), Found::default());
        let is_page = self.source.form == Form::Page;
        let mut found = 0;
        let mut added = String::new();
        for (nth, run) in runs.iter().enumerate() {
            added.extend(piece.text[found.min(run.from)..run.from].chars().filter(|c| is_letter(*c)));
            if let Some(before) = nth.checked_sub(1).map(|before| runs[before]) {
                let seam = Seam { source: &self.source.text, piece: &piece.text, before, run };
                let ends = line_ends(seam.between()).count();
                if ends > 1 || before.at.end > run.at.start || self.is_apart(before, run) {
                    // Nothing else is ever joined; what parts a table or a quotation in two is its marks.
                    if is_page {
                        self.push(Kind::Joined, article, run.at.start, 1, &seam.shown(" ¶ "));
                    }
                } else if ends == 1 && !piece.text.contains(['\n', '\t']) {
                    wraps.note(run.at.start, 1, String::new);
                } else if is_page && seam.n_blanks() > 0 {
                    blanks.note(run.at.start, seam.n_blanks(), || seam.shown("␣"));
                }
            }
            found = run.from + run.at.len();
        }
        added.extend(piece.text[found..].chars().filter(|c| is_letter(*c)));
        let first = runs.first().map_or(0, |run| run.at.start);
        if wraps.count > 0 {
            self.push(Kind::Unwrapped, article, first, wraps.count + 1, &piece.text);
        }
        if blanks.count > 0 {
            self.push(Kind::BlankRemoved, article, blanks.at, blanks.count, &blanks.text);
        }
        if is_page && added.chars().any(char::is_alphanumeric) {
            self.push(Kind::Added, article, first, added.chars().count(), &added);
        }
        self.own[n] = runs;
    }

    /// Whether another run stands between two.
    fn is_apart(&self, before: &Run, run: &Run) -> bool {
        let up_to = |at: usize| self.runs.partition_point(|other| other.at.start < at);
        up_to(run.at.start) - up_to(before.at.start) > 1
    }

    /// Where one text begins on the line on which another ends.
    fn parted(&mut self) {
        let mut found = Vec::new();
        for pair in self.runs.windows(2) {
            let (Some(above), Some(below)) = (self.pieces.get(pair[0].text), self.pieces.get(pair[1].text))
            else {
                continue;
            };
            let begins = pair[0].text != pair[1].text && self.own[pair[1].text][0] == &pair[1];
            let one_line = line_ends(&self.source.text[pair[0].at.end..pair[1].at.start]).next().is_none();
            // Names share the line of a byline, and are no texts.
            let texts = [above.part, below.part].iter().all(|part| *part != Part::Byline);
            if begins && one_line && texts {
                found.push((below.article, pair[1].at.start, tail(&above.text), head(&below.text)));
            }
        }
        for (article, at, tail, head) in found {
            self.push(Kind::Parted, article, at, 1, &format!("…{tail} ¶ {head}…"));
        }
    }

    /// What was set aside.
    fn aside(&mut self) {
        let asked = |line: usize| {
            let codes = self.proof.queries.iter().filter(move |query| query.line == Some(line));
            codes.map(|query| query.code).find_map(|code| match code {
                Doubt::Doubled => Some(Kind::Doubled),
                Doubt::Fragment => Some(Kind::Fragment),
                _ => None,
            })
        };
        let around = self.around();
        let mut seen = None;
        let mut found = Vec::new();
        for (nth, run) in self.runs.iter().enumerate() {
            let Some(n) = run.text.checked_sub(self.pieces.len()).filter(|n| seen != Some(*n)) else {
                continue;
            };
            seen = Some(n);
            let kind = asked(self.line(run.at.start)).unwrap_or(Kind::NotUsed);
            found.push((kind, around[nth], run.at.start, &self.proof.not_used[n]));
        }
        for (kind, article, at, text) in found {
            self.push(kind, article, at, 1, text);
        }
    }

    /// For each run the article whose pieces stand before and behind it.
    fn around(&self) -> Vec<Option<usize>> {
        let nearest = |nearest: &mut Option<Option<usize>>, run: &Run| {
            *nearest = self.pieces.get(run.text).map(|piece| piece.article).or(*nearest);
            Some(nearest.flatten())
        };
        let before: Vec<_> = self.runs.iter().scan(None, nearest).collect();
        let behind: Vec<_> = self.runs.iter().rev().scan(None, nearest).collect();
        before.into_iter().zip(behind.into_iter().rev()).map(|(a, b)| a.filter(|_| a == b)).collect()
    }

    /// What of a page is in no run: marks, labels of bylines, and what its editor left out.
    fn between(&mut self) {
        let mut marks: BTreeMap<(Option<usize>, char), Found> = BTreeMap::new();
        let mut others: BTreeMap<(usize, Option<usize>, Kind), Found> = BTreeMap::new();
        let gaps = gaps(self.runs, self.source.text.len());
        for (nth, gap) in gaps.enumerate() {
            for (at, c) in self.source.text[gap.clone()].char_indices().filter(|(_, c)| is_letter(*c)) {
                let at = gap.start + at;
                let line = self.line(at);
                let neighbour = self.on_line(nth, line);
                let article = neighbour.and_then(|piece| piece.article);
                if is_mark(c) {
                    marks.entry((article, c)).or_default().note(at, 1, || c.to_string());
                    continue;
                }
                let byline = neighbour.is_some_and(|piece| piece.part == Part::Byline);
                let kind = if byline { Kind::LabelRemoved } else { Kind::LeftOut };
                let found = others.entry((line, article, kind)).or_default();
                found.note(at, 1, String::new);
                found.text.push(c);
            }
        }
        for ((article, c), found) in marks {
            self.push(Kind::MarksRemoved, article, found.at, found.count, &c.to_string());
        }
        let mut spare = self.unplaced();
        for ((_, _, kind), found) in &others {
            if *kind == Kind::LabelRemoved {
                take_letters(&mut spare, &found.text);
            }
        }
        for ((_, article, kind), found) in others {
            // What was set aside in pieces, and what only its editor can have left out.
            let aside = kind == Kind::LeftOut && take_letters(&mut spare, &found.text);
            self.push(if aside { Kind::NotUsed } else { kind }, article, found.at, 1, &found.text);
        }
    }

    /// The letters of what was not used that are in no run.
    fn unplaced(&self) -> BTreeMap<char, usize> {
        let texts = self.proof.not_used.iter().filter(|text| !text.starts_with("U+"));
        let mut letters = count_letters(texts.flat_map(|text| text.chars()));
        let placed = self.runs.iter().filter(|run| run.text >= self.pieces.len());
        for (c, n) in count_letters(placed.flat_map(|run| self.source.text[run.at.clone()].chars())) {
            letters.entry(c).and_modify(|left| *left = left.saturating_sub(n));
        }
        letters
    }

    /// The piece that stands on a line, behind the gap before run `nth` or before it.
    fn on_line(&self, nth: usize, line: usize) -> Option<&Piece> {
        let behind = self.runs.get(nth).filter(|run| self.line(run.at.start) == line);
        let before = nth.checked_sub(1).map(|before| &self.runs[before]);
        let before = before.filter(|run| self.line(run.at.end) == line);
        behind.into_iter().chain(before).find_map(|run| self.pieces.get(run.text))
    }
}

fn count_letters(text: impl Iterator<Item = char>) -> BTreeMap<char, usize> {
    let mut letters = BTreeMap::new();
    for c in text.filter(|c| is_letter(*c)) {
        *letters.entry(c).or_default() += 1;
    }
    letters
}

/// Takes the letters of a text from others, if all are among them.
fn take_letters(from: &mut BTreeMap<char, usize>, text: &str) -> bool {
    let wanted = count_letters(text.chars());
    let enough = wanted.iter().all(|(c, n)| from.get(c).is_some_and(|left| left >= n));
    for (c, n) in wanted.into_iter().filter(|_| enough) {
        from.entry(c).and_modify(|left| *left -= n);
    }
    enough
}

/// What was found several times, and where first.
#[derive(Default)]
struct Found {
    count: usize,
    at: usize,
    text: String,
}

impl Found {
    fn note(&mut self, at: usize, count: usize, text: impl FnOnce() -> String) {
        if self.count == 0 {
            (self.at, self.text) = (at, text());
        }
        self.count += count;
    }
}

/// Where two runs of a piece meet.
struct Seam<'a> {
    source: &'a str,
    piece: &'a str,
    before: &'a Run,
    run: &'a Run,
}

impl Seam<'_> {
    /// Empty where the second stands before the first.
    fn between(&self) -> &str {
        self.source.get(self.before.at.end..self.run.at.start).unwrap_or_default()
    }

    /// How many more spaces the source has.
    fn n_blanks(&self) -> usize {
        let spaces = |text: &str| text.chars().filter(|c| c.is_whitespace()).count();
        let kept = self.piece.get(self.before.from + self.before.at.len()..self.run.from).unwrap_or_default();
        spaces(self.between()).saturating_sub(spaces(kept))
    }

    fn shown(&self, mark: &str) -> String {
        let before = tail(&self.piece[..self.before.from + self.before.at.len()]);
        format!("…{before}{mark}{}…", head(&self.piece[self.run.from..]))
    }
}

/// So many characters are shown on either side of where two texts meet.
const WORDS: usize = 8;

fn tail(text: &str) -> &str {
    text.char_indices().rev().nth(WORDS - 1).map_or(text, |(at, _)| &text[at..])
}

fn head(text: &str) -> &str {
    text.char_indices().nth(WORDS).map_or(text, |(at, _)| &text[..at])
}

/// The parts of a source that are in no run: one before each run, and one behind all.
fn gaps(runs: &[Run], end: usize) -> impl Iterator<Item = Range<usize>> {
    let starts = std::iter::once(0).chain(runs.iter().map(|run| run.at.end));
    starts.zip(runs.iter().map(|run| run.at.start).chain([end])).map(|(start, end)| start..end)
}

/// Where lines end, by what [`crate::manuscript`] takes for a line's end.
fn line_ends(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.char_indices().filter(|(_, c)| is_line_end(*c)).filter_map(|(at, c)| {
        let pair = c == '\r' && text[at + 1..].starts_with('\n');
        let second = c == '\n' && text[..at].ends_with('\r');
        let end = at + c.len_utf8() + usize::from(pair);
        (!second).then_some(at..end)
    })
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{2028}' | '\u{2029}')
}

/// Which of some weights with their places are in order, so that they weigh the most together.
fn heaviest_in_order(places: &[usize], weights: &[usize]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|&n| places[n]);
    // best[k] is the greatest weight that ends below rank k, and where: a Fenwick tree of maxima over the ranks in the reading.
    let mut best: Vec<(usize, Option<usize>)> = vec![(0, None); places.len() + 1];
    let mut before: Vec<Option<usize>> = vec![None; places.len()];
    let mut heaviest = (0, None);
    for n in order {
        let mut sum = (0, None);
        let mut rank = n;
        while rank > 0 {
            sum = sum.max(best[rank]);
            rank &= rank - 1;
        }
        before[n] = sum.1;
        let own = (sum.0 + weights[n], Some(n));
        heaviest = heaviest.max(own);
        let mut rank = n + 1;
        while rank < best.len() {
            best[rank] = best[rank].max(own);
            rank += rank & rank.wrapping_neg();
        }
    }
    let mut stays = vec![false; places.len()];
    let mut last = heaviest.1;
    while let Some(n) = last {
        stays[n] = true;
        last = before[n];
    }
    stays
}
