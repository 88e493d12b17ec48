//! Writes a letter's style sheet into its elements, for the many mail programs that drop a `<style>`.
//!
//! It knows selectors of elements and classes, one inside the other; what it does not know, such as `@media`, stays in the sheet,
//! and so does the page but for `style` attributes: every byte else is as the template made it.

use std::{
    collections::{HashMap, hash_map::Entry},
    ops::Range,
};

/// The page with its first style sheet written into its elements.
pub(super) fn inline(html: &str) -> String {
    let Some((before, rest)) = html.split_once("<style") else { return html.to_owned() };
    let Some((css, after)) = rest.split_once('>').and_then(|(_, rest)| rest.split_once("</style>")) else {
        return html.to_owned();
    };
    let Styles { rules, kept } = Styles::parse(css);
    let mut out = String::with_capacity(html.len() * 2);
    out.push_str(before);
    if !kept.is_empty() {
        out.push_str("<style>\n");
        out.push_str(&kept);
        out.push_str("</style>");
    }
    Writer { rules: &rules, open: Vec::new(), styles: HashMap::new(), out: &mut out }.write(after);
    out
}

/// A style sheet in what can be written into elements, and the rest.
#[derive(Default)]
struct Styles<'c> {
    /// The rules, the weakest first.
    rules: Vec<Rule<'c>>,
    kept: String,
}

struct Rule<'c> {
    /// From the outermost element to the one that it is for.
    selector: Vec<Compound<'c>>,
    declarations: Vec<(&'c str, &'c str)>,
}

/// An element by its name and classes, where it matters.
#[derive(Default)]
struct Compound<'c> {
    name: Option<&'c str>,
    classes: Vec<&'c str>,
}

impl<'c> Styles<'c> {
    fn parse(css: &'c str) -> Self {
        let mut styles = Self::default();
        let mut rest = css.trim_start();
        while !rest.is_empty() {
            if let Some(comment) = rest.strip_prefix("/*") {
                rest = comment.split_once("*/").map_or("", |(_, rest)| rest).trim_start();
                continue;
            }
            let (rule, after) = rest.split_at(rule_length(rest));
            rest = after.trim_start();
            match rule.trim_end().strip_suffix('}').and_then(|rule| rule.split_once('{')) {
                Some((selectors, declarations)) if !rule.starts_with('@') => {
                    styles.take(rule, selectors, declarations);
                }
                _ => styles.keep(rule),
            }
        }
        // By the weight that CSS gives them (Selectors 4 §17), in the order of the sheet where that is the same.
        styles.rules.sort_by_key(Rule::weight);
        styles
    }

    /// Takes a rule; selectors that have more than names and classes stay in the sheet.
    fn take(&mut self, rule: &'c str, selectors: &'c str, declarations: &'c str) {
        let parsed: Vec<Option<Vec<Compound<'c>>>> = selectors.split(',').map(compounds).collect();
        if parsed.iter().any(Option::is_none) {
            self.keep(rule);
            return;
        }
        for selector in parsed.into_iter().flatten() {
            self.rules.push(Rule { selector, declarations: self::declarations(declarations) });
        }
    }

    fn keep(&mut self, rule: &str) {
        self.kept.push_str(rule.trim());
        self.kept.push('\n');
    }
}

/// How many bytes the first rule has, with all that is in its braces.
fn rule_length(css: &str) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in css.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth <= 1 => return at + 1,
            b'}' => depth -= 1,
            b';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    css.len()
}

fn compounds(selector: &str) -> Option<Vec<Compound<'_>>> {
    let compounds: Option<Vec<_>> = selector.split_ascii_whitespace().map(compound).collect();
    compounds.filter(|compounds| !compounds.is_empty())
}

fn compound(text: &str) -> Option<Compound<'_>> {
    let plain = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let mut parts = text.split('.');
    let name = parts.next().filter(|name| !name.is_empty());
    let classes: Vec<&str> = parts.collect();
    let good = name.is_none_or(plain) && classes.iter().all(|class| plain(class));
    good.then_some(Compound { name, classes })
}

/// Properties with their values. A semicolon in quotation marks or brackets ends none.
fn declarations(text: &str) -> Vec<(&str, &str)> {
    let mut depth = 0_usize;
    let mut quoted = None;
    let parts = text.split(|c: char| {
        if let Some(mark) = quoted {
            quoted = quoted.filter(|_| c != mark);
            return false;
        }
        match c {
            '"' | '\'' => quoted = Some(c),
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ';' && depth == 0
    });
    let pairs = parts.filter_map(|part| part.split_once(':'));
    let trimmed = pairs.map(|(property, value)| (property.trim(), value.trim()));
    trimmed.filter(|(property, value)| !property.is_empty() && !value.is_empty()).collect()
}

impl Rule<'_> {
    fn weight(&self) -> (usize, usize) {
        let classes = self.selector.iter().map(|compound| compound.classes.len()).sum();
        (classes, self.selector.iter().filter(|compound| compound.name.is_some()).count())
    }

    fn is_for(&self, element: &Element<'_>, around: &[Element<'_>]) -> bool {
        let Some((last, outer)) = self.selector.split_last() else { return false };
        if !last.is(element) {
            return false;
        }
        let mut around = around.iter().rev();
        outer.iter().rev().all(|compound| around.any(|element| compound.is(element)))
    }
}

impl Compound<'_> {
    fn is(&self, element: &Element<'_>) -> bool {
        self.name.is_none_or(|name| name.eq_ignore_ascii_case(element.name))
            && self.classes.iter().all(|class| element.classes.split_ascii_whitespace().any(|c| c == *class))
    }
}

/// An open element.
struct Element<'h> {
    name: &'h str,
    classes: &'h str,
}

struct Writer<'a> {
    rules: &'a [Rule<'a>],
    open: Vec<Element<'a>>,
    /// The styles of elements that the same rules are for.
    styles: HashMap<Vec<usize>, String>,
    out: &'a mut String,
}

/// Elements without content.
const VOID: [&str; 13] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];

/// Elements whose text is no markup.
const RAW: [&str; 4] = ["style", "script", "title", "textarea"];

/// Elements that nothing is seen of.
const UNSEEN: [&str; 9] = ["html", "head", "meta", "link", "base", "title", "style", "script", "textarea"];

impl<'a> Writer<'a> {
    fn write(&mut self, html: &'a str) {
        let mut rest = html;
        while let Some(at) = rest.find('<') {
            self.out.push_str(&rest[..at]);
            rest = &rest[at..];
            let length = tag_length(rest);
            let (tag, after) = rest.split_at(length);
            rest = after;
            if let Some(name) = tag.strip_prefix("</") {
                self.close(name.trim_end_matches('>').trim());
                self.out.push_str(tag);
            } else if tag[1..].starts_with(|c: char| c.is_ascii_alphabetic()) && tag.ends_with('>') {
                let name = self.open(tag);
                if RAW.iter().any(|raw| raw.eq_ignore_ascii_case(name)) {
                    let end = rest.find("</").unwrap_or(rest.len());
                    self.out.push_str(&rest[..end]);
                    rest = &rest[end..];
                }
            } else {
                self.out.push_str(tag);
            }
        }
        self.out.push_str(rest);
    }

    /// Writes a tag with its styles. Gives the element's name.
    fn open(&mut self, tag: &'a str) -> &'a str {
        let inside = &tag[1..tag.len() - 1];
        let (inside, end) = match inside.strip_suffix('/') {
            Some(inside) => (inside.trim_end(), "/>"),
            None => (inside, ">"),
        };
        let name = inside.split(|c: char| c.is_ascii_whitespace()).next().unwrap_or_default();
        let attributes = attributes(&inside[name.len()..]);
        let found = |wanted: &str| attributes.iter().find(|of| of.name.eq_ignore_ascii_case(wanted));
        let element = Element { name, classes: found("class").map_or("", |of| of.value) };
        let seen = !UNSEEN.iter().any(|unseen| unseen.eq_ignore_ascii_case(name));
        let rules: Vec<usize> = if seen {
            let is_for = |rule: &Rule<'_>| rule.is_for(&element, &self.open);
            (0..self.rules.len()).filter(|&nth| is_for(&self.rules[nth])).collect()
        } else {
            Vec::new()
        };
        if rules.is_empty() {
            self.out.push_str(tag);
        } else {
            let own = found("style");
            let (before, after) = own.map_or((inside, ""), |own| {
                let inside = inside.split_at(name.len() + own.at.start);
                (inside.0.trim_end(), &inside.1[own.at.len()..])
            });
            for part in ["<", before, after, " style=\""] {
                self.out.push_str(part);
            }
            let all = self.rules;
            let says = |rules: &[usize], own| style(rules.iter().map(|&nth| &all[nth]), own);
            if let Some(own) = own {
                self.out.push_str(&says(&rules, own.value));
            } else {
                let written = match self.styles.entry(rules) {
                    Entry::Occupied(found) => found.into_mut(),
                    Entry::Vacant(place) => {
                        let style = says(place.key(), "");
                        place.insert(style)
                    }
                };
                self.out.push_str(written);
            }
            self.out.push('"');
            self.out.push_str(end);
        }
        if end == ">" && !VOID.iter().any(|void| void.eq_ignore_ascii_case(name)) {
            self.open.push(element);
        }
        name
    }

    fn close(&mut self, name: &str) {
        if let Some(at) = self.open.iter().rposition(|element| element.name.eq_ignore_ascii_case(name)) {
            self.open.truncate(at);
        }
    }
}

/// What rules say of an element, the last word being its own; a property is said once.
fn style<'a>(rules: impl Iterator<Item = &'a Rule<'a>>, own: &'a str) -> String {
    let mut said: Vec<(&str, &str)> = Vec::new();
    let own = declarations(own);
    for (property, value) in rules.flat_map(|rule| &rule.declarations).chain(&own) {
        let weaker = |(said, before): &(&str, &str)| {
            let covers =
                *said == *property || said.strip_prefix(property).is_some_and(|rest| rest.starts_with('-'));
            covers && (value.ends_with("!important") || !before.ends_with("!important"))
        };
        said.retain(|before| !weaker(before));
        said.push((property, value));
    }
    let written: Vec<String> = said.iter().map(|(property, value)| format!("{property}:{value}")).collect();
    written.join(";").replace('"', "'")
}

/// How many bytes the tag, comment or declaration has that `html` begins with.
fn tag_length(html: &str) -> usize {
    if html.starts_with("<!--") {
        return html.find("-->").map_or(html.len(), |at| at + 3);
    }
    let mut quoted = None;
    for (at, byte) in html.bytes().enumerate().skip(1) {
        match (quoted, byte) {
            (Some(mark), byte) => quoted = Some(mark).filter(|mark| *mark != byte),
            (None, b'"' | b'\'') => quoted = Some(byte),
            (None, b'>') => return at + 1,
            (None, b'<') => return at,
            (None, _) => {}
        }
    }
    html.len()
}

/// One attribute of a tag.
struct Attribute<'h> {
    /// Where it is in the tag.
    at: Range<usize>,
    name: &'h str,
    value: &'h str,
}

fn attributes(text: &str) -> Vec<Attribute<'_>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let start = text.len() - rest.len();
        let name_end = rest.find(|c: char| c == '=' || c.is_ascii_whitespace()).unwrap_or(rest.len());
        let (name, after) = rest.split_at(name_end);
        let (value, after) = match after.trim_start().strip_prefix('=').map(str::trim_start) {
            None => ("", after),
            Some(quoted) if quoted.starts_with(['"', '\'']) => {
                let (mark, value) = quoted.split_at(1);
                value.split_once(mark).unwrap_or((value, ""))
            }
            Some(bare) => bare.split_at(bare.find(|c: char| c.is_ascii_whitespace()).unwrap_or(bare.len())),
        };
        found.push(Attribute { at: start..text.len() - after.len(), name, value });
        rest = after.trim_start();
    }
    found
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "reads better in the cases")]
    fn check(css: &str, body: &str, expected: Expect) {
        expected.assert_eq(&inline(&format!("<style>{css}</style>{body}")));
    }

    #[test]
    fn a_rule_is_written_into_each_element_that_it_is_for() {
        check(
            "p, .a { margin: 0 } .a p { color: red } p.b{margin:1px;font-family:\"Songti SC\", serif}",
            "<p>1</p><div class=\"x a\"><p class='b'>2<br/>3</p></div><p>4",
            expect![[
                r#"<p style="margin:0">1</p><div class="x a" style="margin:0"><p class='b' style="color:red;margin:1px;font-family:'Songti SC', serif">2<br/>3</p></div><p style="margin:0">4"#
            ]],
        );
    }

    #[test]
    fn what_is_stronger_or_later_wins_and_the_elements_own_style_most_of_all() {
        check(
            ".k { margin-top: 3px; color: red } p { color: blue; margin: 0 } p { margin: 1px }",
            "<p class=\"k\" style=\"color: green\" id=\"i\">x</p><img class=\"k\" alt=\"\"/>",
            expect![[
                r#"<p class="k" id="i" style="margin:1px;margin-top:3px;color:green">x</p><img class="k" alt="" style="margin-top:3px;color:red"/>"#
            ]],
        );
    }

    #[test]
    fn what_is_not_known_stays_in_the_sheet() {
        check(
            ":root { color-scheme: light dark } a:hover, p { color: red } @media (max-width: 9px) { p { color: red; } } @import 'x'; /* } */ b { color: red }",
            "<p>x</p><b>y</b>",
            expect![[r#"
                <style>
                :root { color-scheme: light dark }
                a:hover, p { color: red }
                @media (max-width: 9px) { p { color: red; } }
                @import 'x';
                </style><p>x</p><b style="color:red">y</b>"#]],
        );
    }

    #[test]
    fn no_text_is_taken_for_a_tag() {
        check(
            "p, i { color: red }",
            "<!-- <p> --><title><p></title><p title=\"a > <i>\">1 < 2 <3 <i</p>",
            expect![[
                r#"<!-- <p> --><title><p></title><p title="a > <i>" style="color:red">1 < 2 <3 <i</p>"#
            ]],
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn whatever_a_template_holds_nothing_of_it_is_lost(
            css in "([pb.:@{};,\"' a-c(/*]|p \\{color:red\\}){0,30}",
            body in "([>/!\"'= \\-a-c中]|<p |<p>|</p>|<br/>|class=|style=){0,60}",
        ) {
            let page = format!("<style>{css}</style>{body}");
            let inlined = inline(&page);
            let n_shown = |text: &str| text.matches(['中', '<']).count();
            let after = inlined.rsplit_once("</style>").map_or(inlined.as_str(), |(_, body)| body);
            // An element's own style is written anew, and may be less than it was.
            prop_assert!(n_shown(after) == n_shown(&body) || body.contains("style="), "{} {}", page, inlined);
        }
    }
}
