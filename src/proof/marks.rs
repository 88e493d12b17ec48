//! The marks of doubt in a proof's text: where each stands, and the text without one or with one more.

use super::{Doubt, Query, plain};

/// A mark with its place in a proof's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Its number.
    pub id: usize,
    /// Where it begins, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// The doubt.
    pub query: Query,
}

/// Every mark in a proof's text, in the order of the text. What only looks like one is not among them.
#[must_use]
pub fn marks(text: &str) -> Vec<Mark> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find(plain::OPEN).map(|at| from + at) {
        from = at + plain::OPEN.len();
        let backslashes = text[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
        if backslashes % 2 == 1 {
            continue;
        }
        // A mark is on one line.
        let line = text[at..].split('\n').next().unwrap_or_default();
        if let Some((Ok((id, query)), length)) = plain::mark(line) {
            found.push(Mark { id, start: at, end: at + length, query });
            from = at + length;
        }
    }
    found
}

/// A proof's text without the marks of a number; `None` where there is none. Nothing else changes, but for the space beside a mark
/// and for a line that had nothing else.
#[must_use]
pub fn without_mark(text: &str, id: usize) -> Option<String> {
    without(text, |mark| mark.id == id)
}

/// A proof's text without the marks of a doubt; `None` where there is none.
#[must_use]
pub fn without_doubt(text: &str, doubt: Doubt) -> Option<String> {
    without(text, |mark| mark.query.code == doubt)
}

/// A proof's text without the marks of what is right nearly always, see [`Doubt::is_serious`]; `None` where there is none.
#[must_use]
pub fn without_light_marks(text: &str) -> Option<String> {
    without(text, |mark| !mark.query.code.is_serious())
}

fn without(text: &str, is_meant: impl Fn(&Mark) -> bool) -> Option<String> {
    let found: Vec<Mark> = marks(text).into_iter().filter(is_meant).collect();
    if found.is_empty() {
        return None;
    }
    let mut out = text.to_owned();
    for mark in found.iter().rev() {
        let line_start = out[..mark.start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = out[mark.end..].find('\n').map_or(out.len(), |at| mark.end + at);
        let (before, after) = (&out[line_start..mark.start], &out[mark.end..line_end]);
        if before.trim().is_empty() && after.trim().is_empty() {
            // The line goes, and with it one of two blank lines around it.
            let mut end = (line_end + 1).min(out.len());
            let blank_before = line_start == 0 || out[..line_start].ends_with("\n\n");
            if blank_before && out[end..].starts_with('\n') {
                end += 1;
            }
            out.replace_range(line_start..end, "");
        } else if let Some(before) = before.strip_suffix(' ') {
            // In the front matter a mark is behind a sign for comments of its own.
            let in_header = text[..mark.start].lines().filter(|line| line.trim_end() == "---").count() == 1;
            let kept = before.strip_suffix(" #").filter(|_| in_header).map_or(before, str::trim_end);
            let start = line_start + kept.len();
            out.replace_range(start..mark.end, "");
        } else {
            let space = usize::from(after.starts_with(' '));
            out.replace_range(mark.start..mark.end + space, "");
        }
    }
    Some(out)
}

/// A proof's text with one more mark, below its front matter: that it waits although nothing else is in doubt.
#[must_use]
pub fn with_unseen(text: &str, words: &str) -> String {
    let id = marks(text).iter().map(|mark| mark.id).max().unwrap_or(0) + 1;
    let query = Query { code: Doubt::Unseen, line: None, text: words.to_owned() };
    let mark = plain::write_mark(id, &query);
    let mut at = 0;
    let mut rules = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        rules += usize::from(line.trim_end() == "---");
        if rules == 2 {
            break;
        }
    }
    let at = if rules == 2 { at } else { 0 };
    format!("{}{mark}\n{}", &text[..at], &text[at..])
}

/// A proof's text in whose front matter the line `name:` says `value`, or is gone.
#[must_use]
pub fn with_field(text: &str, name: &str, value: Option<&str>) -> String {
    let mut out = String::with_capacity(text.len() + 40);
    let (mut rules, mut done) = (0, false);
    let beginning = format!("{name}:");
    for line in text.split_inclusive('\n') {
        let is_rule = line.trim_end() == "---";
        if rules == 1 && line.starts_with(&beginning) {
            continue;
        }
        if rules == 1 && !done && (is_rule || line.starts_with("language:")) {
            done = true;
            if let Some(value) = value {
                out.extend([&*beginning, " ", value, "\n"]);
            }
        }
        rules += usize::from(is_rule);
        out.push_str(line);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof;

    const TEXT: &str = "---\nmanuscript: x\nissue: a\ndate: 2026-01-02  # inferred  # {? date-inferred #1: the year is a guess (line 2)}\nlanguage: en\n---\n{? unseen #2: nobody has looked}\n\n# One {? no-headline #3: made up (line 4)}\n\nA text that {?is no mark. {? cut-tail #4: ends without a stop \\} (line 9)}\n\n{? picture-alt #5: x}\n- an item \\{? not #6: this}\n";

    #[test]
    fn every_mark_is_found_with_its_place_and_line() {
        let found = marks(TEXT);
        let ids: Vec<(usize, Option<usize>)> = found.iter().map(|mark| (mark.id, mark.query.line)).collect();
        assert_eq!(ids, [(1, Some(2)), (2, None), (3, Some(4)), (4, Some(9)), (5, None)]);
        assert!(
            TEXT[found[3].start..found[3].end].starts_with("{? cut-tail #4")
                && found[3].query.text.ends_with('}')
        );
    }

    #[test]
    fn a_mark_goes_and_nothing_else() {
        assert_eq!(without_mark(TEXT, 9), None);
        let gone = |id| without_mark(TEXT, id).expect("it is there");
        assert!(gone(1).contains("\ndate: 2026-01-02  # inferred\nlanguage"), "{}", gone(1));
        assert!(gone(2).contains("\n---\n\n# One"), "{}", gone(2));
        assert!(gone(3).contains("\n# One\n\nA text"), "{}", gone(3));
        assert!(gone(4).contains("is no mark.\n\n"), "{}", gone(4));
        let light = without_light_marks(TEXT).expect("there are some");
        let left: Vec<usize> = marks(&light).iter().map(|mark| mark.id).collect();
        assert_eq!(left, [1, 2, 4]);
        assert!(gone(5).contains("(line 9)}\n\n- an item"), "{}", gone(5));
    }

    #[test]
    fn what_waits_for_approval_says_so_and_is_read_like_any_proof() {
        let text = "---\nmanuscript: x\nissue: a\nlanguage: en\n---\n\n# One\n\nWords.\n";
        let waiting = with_unseen(text, "approve it");
        let read = proof::read(&waiting).expect("a proof");
        assert_eq!(read.proof.queries.len(), 1);
        assert_eq!(without_doubt(&waiting, Doubt::Unseen).as_deref(), Some(text));
    }

    #[test]
    fn a_field_of_the_front_matter_is_set_changed_and_taken_away() {
        let text = "---\nissue: a\nlanguage: en\n---\n\n# One\n\npublish_at: no field\n";
        let set = with_field(text, "publish_at", Some("2026-12-01 06:00"));
        assert!(set.starts_with("---\nissue: a\npublish_at: 2026-12-01 06:00\nlanguage: en\n---\n"), "{set}");
        let changed = with_field(&set, "publish_at", Some("2027-01-01 06:00"));
        assert!(changed.contains("2027") && !changed.contains("2026"), "{changed}");
        assert_eq!(with_field(&changed, "publish_at", None), text);
    }
}
