//! Lines that are set as headings: after `#`, above a rule, in capitals, or after a wide gap.

use super::super::byline;
use super::clean::Line;
use crate::typography;

/// How a line is set as a heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heading<'t> {
    /// 1 is the highest.
    pub(super) level: u8,
    /// Its text without marks.
    pub(super) text: &'t str,
}

/// The fewest characters of a rule below a heading.
const MIN_RULE: usize = 3;

/// The longest heading in letters: two lines of a typescript.
const MAX_HEADING: usize = 120;

/// The fewest letters of a heading in capitals: shorter words are abbreviations.
const MIN_CAPITALS: usize = 4;

/// One line so set is chance; two are a habit.
const HABIT: usize = 2;

/// How titles are told from other short lines, where some are set as headings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Titles {
    /// By marks: what has none is a caption.
    Marked,
    /// By their type, which is for headlines only: short lines set like the text are subheads.
    Set,
}

/// Whether the line with that index is set as a heading in some way.
type Set = fn(&[Line<'_>], usize) -> bool;

/// The headings of a page.
#[derive(Debug)]
pub(super) struct Headings<'t> {
    /// The heading that each line is, if any.
    pub(super) of_lines: Vec<Option<Heading<'t>>>,
    pub(super) titles: Titles,
}

/// Finds the headings among the lines.
pub(super) fn find<'t>(lines: &[Line<'t>]) -> Headings<'t> {
    let mut of_lines: Vec<Option<Heading<'t>>> =
        (0..lines.len()).map(|i| hashed(lines[i].text).or_else(|| underlined(lines, i))).collect();
    let mut titles = Titles::Marked;
    let is_large = |lines: &[Line<'_>], i: usize| lines[i].headline && !lines[i].text.is_empty();
    // By size, where the type is known; else by what a typewriter can do. Chinese has no capitals, and its pages have blank
    // lines wherever a picture was.
    let large = (0..lines.len()).any(|i| is_large(lines, i));
    let plain = of_lines.iter().all(Option::is_none);
    let sets: &[(Set, usize)] = match (large, plain) {
        (true, _) => &[(is_large, 1)],
        (false, true) if is_latin(lines) => &[(is_in_capitals, HABIT), (is_after_wide_gap, HABIT)],
        _ => &[],
    };
    for (is_set, fewest) in sets {
        let set: Vec<usize> = (0..lines.len()).filter(|&i| is_set(lines, i)).collect();
        if set.len() >= *fewest {
            titles = Titles::Set;
            for i in set {
                of_lines[i] = Some(Heading { level: 1, text: lines[i].text });
            }
            break;
        }
    }
    Headings { of_lines, titles }
}

/// Whether a line is a rule: `====`, `----`, `~~~~`.
pub(super) fn is_rule(text: &str) -> bool {
    let first = text.chars().next();
    text.len() >= MIN_RULE
        && first.is_some_and(|first| "=-~".contains(first) && text.chars().all(|c| c == first))
}

/// A heading of Markdown and its text.
fn hashed(line: &str) -> Option<Heading<'_>> {
    let text = line.trim_start_matches('#');
    match u8::try_from(line.len() - text.len()) {
        Ok(level @ 1..=6) if text.is_empty() || text.starts_with(char::is_whitespace) => {
            Some(Heading { level, text: text.trim().trim_end_matches('#').trim_end() })
        }
        _ => None,
    }
}

/// A line with a rule below it, as wide as most of it.
fn underlined<'t>(lines: &[Line<'t>], i: usize) -> Option<Heading<'t>> {
    let (line, rule) = (lines.get(i)?, lines.get(i + 1).filter(|rule| is_rule(rule.text))?);
    let above = i == 0 || lines[i - 1].text.is_empty();
    let width: usize = line.text.chars().map(typography::columns).sum();
    let fits = above && is_short(line.text) && !is_rule(line.text) && rule.text.len() * 2 >= width;
    fits.then(|| Heading { level: if rule.text.starts_with('=') { 1 } else { 2 }, text: line.text })
}

fn is_short(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    (1..=MAX_HEADING).contains(&letters) && text.chars().count() <= MAX_HEADING
}

/// Whether a line stands alone, with text below the blank line that ends it.
fn is_alone(lines: &[Line<'_>], i: usize) -> bool {
    let blank = |i: usize| lines.get(i).is_none_or(|line| line.text.is_empty());
    !blank(i)
        && (i == 0 || blank(i - 1))
        && blank(i + 1)
        && lines[i + 1..].iter().any(|line| !line.text.is_empty())
        && is_short(lines[i].text)
        && !lines[i].text.ends_with(['.', ',', ';', ':'])
}

fn is_in_capitals(lines: &[Line<'_>], i: usize) -> bool {
    let capitals = |text: &str| {
        text.chars().filter(|c| c.is_uppercase()).count() >= MIN_CAPITALS
            && !text.chars().any(char::is_lowercase)
    };
    let next = lines[i + 1..].iter().find(|line| !line.text.is_empty());
    is_alone(lines, i)
        && capitals(lines[i].text)
        && byline::parse(lines[i].text).is_none()
        && next.is_some_and(|next| !capitals(next.text))
}

fn is_after_wide_gap(lines: &[Line<'_>], i: usize) -> bool {
    let first = lines[..i].iter().all(|line| line.text.is_empty());
    let gap = lines[..i].iter().rev().take_while(|line| line.text.is_empty()).count();
    is_alone(lines, i) && (first || gap >= 2)
}

/// So many letters tell the script of a text.
const SAMPLE: usize = 20_000;

/// Whether nearly all letters are Latin, Greek or Cyrillic.
fn is_latin(lines: &[Line<'_>]) -> bool {
    let letters =
        || lines.iter().flat_map(|line| line.text.chars()).filter(|c| c.is_alphabetic()).take(SAMPLE);
    let cased = letters().filter(|c| c.is_lowercase() || c.is_uppercase()).count();
    cased * 10 > letters().count() * 9 && letters().filter(|c| c.is_lowercase()).count() * 2 > cased
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::super::super::tests::check as check_outline;
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let lines: Vec<Line<'_>> = (1..)
            .zip(text.lines())
            .map(|(number, text)| Line { number, text, indented: false, headline: false })
            .collect();
        let found: Vec<String> = find(&lines)
            .of_lines
            .iter()
            .flatten()
            .map(|heading| format!("{} {}", heading.level, heading.text))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_heading_is_told_by_how_it_is_set() {
        check("# One\n\ntext\n\n### Two ##\n\ntext", &["1 One", "3 Two"]);
        check("The Harbour\n===========\n\nThe bell\n--------\nIt rings.", &["1 The Harbour", "2 The bell"]);
        check("老桥\n====\n桥下有水。", &["1 老桥"]);
        check("It rang.\n\n--------\n\nIt rang again.", &[]);
        let paragraph = "The bell is rung on Tuesdays, and the ferry waits.";
        check(
            &format!("THE HARBOUR LETTER\n\nTHE BELL\n\n{paragraph}\n\nA WALK\n\n{paragraph}"),
            &["1 THE BELL", "1 A WALK"],
        );
        check(&format!("THE BELL\n\n{paragraph}\n\n{paragraph}"), &[]);
        check(
            &format!("The bell\n\n{paragraph}\n\n{paragraph}\n\n\nA walk\n\n{paragraph}"),
            &["1 The bell", "1 A walk"],
        );
        check(&format!("The bell\n\n{paragraph}\n\nA walk\n\n{paragraph}"), &[]);
        check("老桥\n\n桥下有水。\n\n\n新路\n\n路上有人。", &[]);
        check("", &[]);
    }

    #[test]
    fn a_plain_letter_in_latin_script_is_parted_where_its_headings_are_set_apart() {
        let paragraph = "The bell on the quay is rung at noon and in fog,\nand the ferry waits for it.";
        let articles =
            |a: &str, b: &str, c: &str| format!("{a}{paragraph}\n\n{b}{paragraph}\n\n{c}{paragraph}\n");
        let capitals = articles(
            "THE HARBOUR LETTER\nNumber 12, Tuesday, 3 March 2026\n\nTHE BELL\n\nBy Ada Quill\n\n",
            "A WALK\n\n",
            "FERRY TIMES\n\n",
        );
        let gaps = articles("The bell\n\n", "\n\nA walk\n\n", "\n\nFerry times\n\n");
        let rules = articles("The bell\n--------\n\n", "A walk\n------\n\n", "Ferry times\n-----------\n\n");
        check_outline(
            "a.txt",
            &capitals,
            &expect![[r"
        THE BELL / Ada Quill / 1¶
        A WALK / 1¶
        FERRY TIMES / 1¶
        number: 12
        date: 2026-03-03
        ? 9 joined
        ? 14 joined
        ? 19 joined
        - THE HARBOUR LETTER
        - Number 12, Tuesday, 3 March 2026
        - By
    "]],
        );
        check_outline(
            "a.txt",
            &gaps,
            &expect![[r"
        The bell / 1¶
        A walk / 1¶
        Ferry times / 1¶
        ? 4 joined
        ? 11 joined
        ? 18 joined
    "]],
        );
        check_outline(
            "a.txt",
            &rules,
            &expect![[r"
        The bell / 1¶
        A walk / 1¶
        Ferry times / 1¶
        ? 5 joined
        ? 11 joined
        ? 17 joined
        - --------  ------  -----------
    "]],
        );
    }
}
