//! A page's words cut into columns, in the order in which they are read.
//!
//! A region is cut across where a headline begins that stands above several columns, else down along its gutters, else across
//! where its gutters change; each piece is cut again, until it is one column.

use super::boxes::Word;

/// A gutter is as wide as this many letters of the page's text where it is short, and where it is long. Between two words of
/// one line there may be as much as in a short gutter, but not in four lines at the same place.
const SHORT_GUTTER: f64 = 1.1;
const LONG_GUTTER: f64 = 0.6;

/// A gutter with one line on one of its sides is at least so wide, in letters.
const WIDE_GUTTER: f64 = 1.5;

/// So high, in letters, is a gutter that is long: four lines.
const LONG: f64 = 4.0;

/// So wide, in letters, is the narrowest column: what is narrower is the number of a list or the mark of a line.
const NARROWEST: f64 = 3.0;

/// Type that is so many times as large as the page's text is a headline's.
pub(super) const LARGE: f64 = 1.15;

/// Above a headline that ends all columns there is so much more white than between two lines, in letters.
const STRIP: f64 = 0.45;

/// How many rows are looked at together to tell whether they stand in columns.
const WINDOW: usize = 6;

/// Words on a page: a newspaper's has some thousands. A page with more is read from top to bottom.
const MOST_WORDS: usize = 20_000;

/// The space between two words is at most so wide, in their own letters.
const SPACE: f64 = 0.5;

/// How many rows the headline of several columns may have, with what stands above and below it.
const MAX_LEAD: usize = 8;

/// A page is no wider than this, in letters: what is smaller is no type that anybody reads.
const MOST_LETTERS: f64 = 1000.0;

/// A page has no more columns than this.
const MOST_COLUMNS: usize = 40;

/// White between two words is looked at where it is wider than this, in letters.
const WHITE: f64 = 0.3;

/// Deeper than this no page is cut: what is left is read from top to bottom.
const DEEPEST: usize = 40;

/// The columns of a page in the order of reading. `body` is the size of its text.
pub(super) fn in_order(words: Vec<Word>, body: f64) -> Vec<Vec<Word>> {
    if words.len() > MOST_WORDS {
        return vec![words];
    }
    let left = words.iter().map(|word| word.left).fold(f64::INFINITY, f64::min);
    let right = words.iter().map(|word| word.right).fold(f64::NEG_INFINITY, f64::max);
    let mut columns = Vec::new();
    cut(words, body.max((right - left) / MOST_LETTERS), DEEPEST, &mut columns);
    columns
}

fn cut(words: Vec<Word>, body: f64, depth: usize, columns: &mut Vec<Vec<Word>>) {
    let rows = rows(words);
    if depth == 0 || rows.len() < 2 && rows.iter().all(|row| row.height() < LONG / 2.0 * body) {
        let words: Vec<Word> = rows.into_iter().flat_map(|row| row.words).collect();
        columns.extend((!words.is_empty()).then_some(words));
        return;
    }
    let starts = headline_starts(&rows, body);
    if !starts.is_empty() {
        return parted(rows, &starts, body, depth, columns);
    }
    if let Some(end) = lead(&rows, body) {
        return parted(rows, &[end], body, depth, columns);
    }
    let gutters = gutters(&rows, body);
    if !gutters.is_empty() {
        let mut sides: Vec<Vec<Word>> = vec![Vec::new(); gutters.len() + 1];
        for word in rows.into_iter().flat_map(|row| row.words) {
            let middle = f64::midpoint(word.left, word.right);
            sides[gutters.partition_point(|gutter| gutter.0 < middle)].push(word);
        }
        for side in sides {
            cut(side, body, depth - 1, columns);
        }
        return;
    }
    let starts = changes(&rows, body);
    if starts.is_empty() {
        columns.push(rows.into_iter().flat_map(|row| row.words).collect());
    } else {
        parted(rows, &starts, body, depth, columns);
    }
}

/// Cuts the rows that begin at each of `starts` apart from those above.
fn parted(rows: Vec<Row>, starts: &[usize], body: f64, depth: usize, columns: &mut Vec<Vec<Word>>) {
    let mut part = Vec::new();
    for (n, row) in rows.into_iter().enumerate() {
        if starts.binary_search(&n).is_ok() {
            cut(std::mem::take(&mut part), body, depth - 1, columns);
        }
        part.extend(row.words);
    }
    cut(part, body, depth - 1, columns);
}

/// Words that no white line across the region parts.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) top: f64,
    pub(super) bottom: f64,
    pub(super) words: Vec<Word>,
}

impl Row {
    pub(super) fn height(&self) -> f64 {
        self.bottom - self.top
    }

    pub(super) fn is_large(&self, body: f64) -> bool {
        self.words.iter().all(|word| word.size >= LARGE * body)
    }

    /// Where something is printed. The spaces between words of one size are no white.
    fn spans(&self, body: f64) -> Vec<(f64, f64)> {
        let mut words: Vec<&Word> = self.words.iter().collect();
        words.sort_by(|a, b| a.left.total_cmp(&b.left));
        let mut size = f64::INFINITY;
        let spans = words.into_iter().map(|word| {
            let space = SPACE * size.min(word.size);
            size = word.size;
            (word.left - space.min(word.left), word.right, space)
        });
        let mut out: Vec<(f64, f64)> = Vec::new();
        for (left, right, space) in spans {
            match out.last_mut().filter(|last| left <= last.1) {
                Some(last) => last.1 = last.1.max(right),
                None => out.push((left + space, right)),
            }
        }
        merged(out, body)
    }

    /// How many lines it has, about.
    fn lines(&self, body: f64) -> f64 {
        (self.height() / (1.2 * body)).max(1.0)
    }
}

/// The rows of a region from top to bottom.
pub(super) fn rows(mut words: Vec<Word>) -> Vec<Row> {
    words.sort_by(|a, b| a.top().total_cmp(&b.top()));
    let mut rows: Vec<Row> = Vec::new();
    for word in words {
        match rows.last_mut().filter(|row| word.top() < row.bottom) {
            Some(row) => {
                row.bottom = row.bottom.max(word.bottom());
                row.words.push(word);
            }
            None => rows.push(Row { top: word.top(), bottom: word.bottom(), words: vec![word] }),
        }
    }
    rows
}

/// How much white there is between most rows and those below.
pub(super) fn usual_gap(rows: &[Row], body: f64) -> f64 {
    let mut gaps: Vec<f64> = rows.windows(2).map(|pair| pair[1].top - pair[0].bottom).collect();
    if gaps.is_empty() {
        return body;
    }
    gaps.sort_by(f64::total_cmp);
    gaps[gaps.len() / 2].min(body)
}

/// The rows that begin an article, or several side by side, below all that stands above: large type and nothing else, after
/// more white than there is between lines. Without it an article of four columns would be read on below its left half.
fn headline_starts(rows: &[Row], body: f64) -> Vec<usize> {
    let white = usual_gap(rows, body) + STRIP * body;
    let starts = (1..rows.len()).filter(|&n| {
        let (above, row) = (&rows[n - 1], &rows[n]);
        row.is_large(body) && !above.is_large(body) && row.top - above.bottom >= white
    });
    starts.collect()
}

/// Spans that meet made one, in order.
fn merged(mut spans: Vec<(f64, f64)>, body: f64) -> Vec<(f64, f64)> {
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut out: Vec<(f64, f64)> = Vec::with_capacity(spans.len());
    for span in spans {
        match out.last_mut().filter(|last| span.0 - last.1 < WHITE * body) {
            Some(last) => last.1 = last.1.max(span.1),
            None => out.push(span),
        }
    }
    out
}

/// Where the columns end that are printed on these spans: gutters, from left to right, at least so wide in letters.
fn between(spans: &[(f64, f64)], least: f64, body: f64) -> Vec<(f64, f64)> {
    let least = least * body;
    let mut columns: Vec<(f64, f64)> = Vec::with_capacity(spans.len());
    for &span in spans {
        match columns.last_mut().filter(|last| span.0 - last.1 < least) {
            Some(last) => last.1 = last.1.max(span.1),
            None => columns.push(span),
        }
    }
    if columns.len() > MOST_COLUMNS {
        return Vec::new();
    }
    // What is too narrow to be a column belongs to its nearer neighbour.
    while columns.len() > 1 {
        let Some(n) = columns.iter().position(|column| column.1 - column.0 < NARROWEST * body) else { break };
        let before = n.checked_sub(1).map_or(f64::INFINITY, |before| columns[n].0 - columns[before].1);
        let after = columns.get(n + 1).map_or(f64::INFINITY, |after| after.0 - columns[n].1);
        let other = if before <= after { n - 1 } else { n + 1 };
        let (first, second) = (n.min(other), n.max(other));
        columns[first].1 = columns[first].1.max(columns[second].1);
        columns.remove(second);
    }
    columns.windows(2).map(|pair| (pair[0].1, pair[1].0)).collect()
}

/// The gutters that run through all rows. A gutter has lines on both sides of it; one line alone may have a wide space.
fn gutters(rows: &[Row], body: f64) -> Vec<(f64, f64)> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Vec::new() };
    let spans: Vec<Vec<(f64, f64)>> = rows.iter().map(|row| row.spans(body)).collect();
    let height = last.bottom - first.top;
    let least = if height >= LONG * body { LONG_GUTTER } else { SHORT_GUTTER };
    let mut gutters = between(&merged(spans.concat(), body), least, body);
    gutters.retain(|gutter| {
        let parted = rows.iter().zip(&spans).filter(|(_, spans)| parts(*gutter, spans));
        let lines: f64 = parted.map(|(row, _)| row.lines(body)).sum();
        lines >= 2.0 || (lines > 0.0 && height >= LONG * body && gutter.1 - gutter.0 >= WIDE_GUTTER * body)
    });
    gutters
}

/// Whether a gutter has something on both sides and nothing in it.
fn parts(gutter: (f64, f64), spans: &[(f64, f64)]) -> bool {
    let left = spans.iter().any(|span| span.1 <= gutter.0);
    let right = spans.iter().any(|span| span.0 >= gutter.1);
    left && right && !spans.iter().any(|span| span.0 < gutter.1 && span.1 > gutter.0)
}

/// Where the columns begin below a headline that stands above all of them, with its kicker and byline: none of these rows is
/// parted by a gutter, though they may stand beside some.
fn lead(rows: &[Row], body: f64) -> Option<usize> {
    let most = rows.len().min(MAX_LEAD + 1);
    let end = (1..most).find(|&n| is_columned(rows, n, body))?;
    let (above, below) = rows.split_at(end);
    let below = gutters(&below[..below.len().min(WINDOW)], body);
    let mut spans = above.iter().map(|row| row.spans(body));
    let whole = !spans.any(|spans| {
        // A gutter may be wider between the headlines of two articles.
        below.iter().any(|gutter| {
            let middle = f64::midpoint(gutter.0, gutter.1);
            parts((middle, middle), &spans)
        })
    });
    (whole && above.iter().any(|row| row.is_large(body))).then_some(end)
}

/// The rows at which columns begin, end, or become others.
fn changes(rows: &[Row], body: f64) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut columned = is_columned(rows, 0, body);
    let mut together = rows.first().map(|row| row.spans(body)).unwrap_or_default();
    let mut top = 0;
    for n in 1..rows.len() {
        let next = merged([together.clone(), rows[n].spans(body)].concat(), body);
        let goes_on = if columned {
            !between(&next, LONG_GUTTER, body).is_empty()
        } else {
            !is_columned(rows, n, body)
        };
        if goes_on {
            together = next;
            continue;
        }
        // A headline that spans fewer columns than there are is no change yet; what stands below it is.
        let mut start = n;
        while columned && start > top + 1 && rows[start - 1].is_large(body) {
            start -= 1;
        }
        starts.push(start);
        top = start;
        together = merged(rows[start..=n].iter().flat_map(|row| row.spans(body)).collect(), body);
        columned = is_columned(rows, start, body);
    }
    starts
}

/// Whether columns begin at a row: that row and those below have a gutter, until one of them ends it.
fn is_columned(rows: &[Row], at: usize, body: f64) -> bool {
    let mut window = 0;
    let mut together = Vec::new();
    for row in rows.iter().skip(at).take(WINDOW) {
        together = merged([together, row.spans(body)].concat(), body);
        if between(&together, LONG_GUTTER, body).is_empty() {
            break;
        }
        window += 1;
    }
    let own = rows[at].spans(body);
    gutters(&rows[at..at + window], body).iter().any(|gutter| parts(*gutter, &own))
}

#[cfg(test)]
mod tests {
    use super::super::boxes::count;
    use super::*;

    /// A page drawn with letters, ten points each: every run of one letter is a word, capitals are headlines.
    #[track_caller]
    fn check(page: &[&str], expected: &str) {
        let mut words = Vec::new();
        for (nth, line) in page.iter().enumerate() {
            let letters: Vec<char> = line.chars().collect();
            let mut at = 0;
            while at < letters.len() {
                let end = (at..letters.len()).find(|&n| letters[n] != letters[at]).unwrap_or(letters.len());
                if letters[at] != ' ' {
                    let size = if letters[at].is_uppercase() { 14.0 } else { 10.0 };
                    words.push(Word {
                        text: letters[at].to_string(),
                        left: count(at) * 10.0,
                        right: count(end) * 10.0,
                        middle: count(nth) * 15.0,
                        size,
                    });
                }
                at = end;
            }
        }
        let columns = in_order(words, 10.0);
        let shown: Vec<String> = columns
            .iter()
            .map(|words| {
                let mut text: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
                text.dedup();
                text.concat()
            })
            .collect();
        assert_eq!(shown.join(" "), expected, "{}", page.join("\n"));
    }

    #[test]
    fn columns_are_read_one_after_the_other() {
        let row = "aaaaaa  bbbbbb  cccccc  dddddd";
        check(&[row; 8], "a b c d");
        check(&[&["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", ""], &[row; 8][..]].concat(), "A a b c d");
        // The last lines of the columns are not all there.
        check(
            &[&[row; 5][..], &["aaa     bbbbbb  cccccc", "        bbbbbb", "        bbbbbb"]].concat(),
            "a b c d",
        );
    }

    #[test]
    fn an_article_is_read_to_its_end_before_those_that_stand_below_it() {
        let above = "aaaaaa  bbbbbb  cccccc  dddddd";
        let heads = "EEEEEEEEEEEEEE  FFFFFFFFFFFFFF";
        let below = "eeeeee  gggggg  ffffff  hhhhhh";
        let page = [&["", above, above, above, above, above, "", "", heads, ""][..], &[below; 6]].concat();
        check(&page, "a b c d E e g F f h");
    }

    #[test]
    fn a_headline_above_half_of_the_columns_does_not_end_the_others() {
        let above = "aaaaaa  bbbbbb  cccccc  dddddd";
        let head = "EEEEEEEEEEEEEE  cccccc  dddddd";
        let right = "                cccccc  dddddd";
        let below = "eeeeee  gggggg  cccccc  dddddd";
        let page = [&[above; 5][..], &[right, head, right], &[below; 5]].concat();
        check(&page, "a b E e g c d");
    }

    #[test]
    fn a_centred_headline_with_its_byline_stands_above_all_its_columns() {
        let body = "aaaaaa  bbbbbb  cccccc  dddddd";
        check(&[&["          EEEEEEEEEE", "", "             fff"][..], &[body; 6]].concat(), "Ef a b c d");
        let body = "aaaaaaaa  bbbbbbbb  cccccccc";
        check(&[&["          EEEEEEEE", "", "            fff"][..], &[body; 6]].concat(), "Ef a b c");
        check(
            &[&["EEEEEEEEE GGGGGGGGG", "", "  fff        hhh"][..], &["aaaaaaaa  bbbbbbbb"; 6]].concat(),
            "Efa Ghb",
        );
    }

    #[test]
    fn a_page_may_have_two_three_and_four_columns() {
        let two = "aaaaaaaaaaaaaa  bbbbbbbbbbbbbb";
        let three = "ccccccccc  dddddddd  eeeeeeeee";
        let four = "ffffff  gggggg  hhhhhh  iiiiii";
        let all = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkk";
        check(&[&[two; 6][..], &[three; 6], &[four; 6], &[all; 3]].concat(), "a b c d e f g h i k");
        let head = "DDDDDDDDDDDDDDDDDDD";
        check(&[&[two; 6][..], &[head], &[three; 6]].concat(), "a b D c d e");
    }

    #[test]
    fn what_only_looks_like_a_column_is_none() {
        check(&["1  aaaaaaaaaaaaaaaaa", "2  bbbbbbbbbbbbbbbbb"].repeat(4), "1a2b1a2b1a2b1a2b");
        check(&["aaaa  aaaaaaaaaa", "bbbbbbb  bbbbbbb", "cccccccccc  cccc", "dddddd ddddddddd"], "abcd");
        check(&["1             aaaa          bbbbb"], "1ab");
        check(&[], "");
    }
}
