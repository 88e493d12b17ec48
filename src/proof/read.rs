//! A proof read back from Markdown, as its editor saved it.
//!
//! Nothing is guessed and nothing passed over: what cannot be read is a problem with its line, and then there is no proof.

use super::{Proof, Query, header, header::Value, markdown, plain, tree};
use crate::{
    issue, issue::Article, issue::Byline, issue::CreditLine, issue::Headline, issue::Issue, issue::IssueKey,
    issue::Role, prose::Language,
};

/// A proof as it was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The issue as its editor wants it, with the doubts whose marks are still there.
    pub proof: Proof,
    /// BLAKE3 of the manuscript that it is a reading of.
    pub manuscript: String,
    /// Whether nobody has changed it since we wrote it.
    pub untouched: bool,
}

/// What is wrong in a proof.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The line of the proof, counted from 1.
    pub line: usize,
    /// What is wrong there, and what to do.
    pub text: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

/// A line of the proof with its number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'t> {
    pub(super) number: usize,
    pub(super) text: &'t str,
}

/// Reads a proof.
///
/// # Errors
/// Everything that is wrong, by line; the proof as a whole is then not taken.
pub fn read(text: &str) -> Result<Saved, Vec<Problem>> {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    // However many carriage returns stand before a line feed, they are no part of the line.
    let lines: Vec<Line<'_>> = (1..)
        .zip(text.split('\n'))
        .map(|(number, text)| Line { number, text: text.trim_end_matches('\r') })
        .collect();
    let mut reader = Reader::default();
    let body = reader.split_header(&lines);
    let mut sections = tree::sections(body, &mut reader.problems).into_iter();
    if let Some(above) = sections.next() {
        reader.above(above);
    }
    let (mut articles, mut not_used) = (Vec::new(), Vec::new());
    for section in sections {
        let Some((headline, below)) = section.split_first() else { continue };
        let title = headline.text.trim_start_matches('#').trim();
        if title.eq_ignore_ascii_case(markdown::NOT_USED) {
            not_used.extend(reader.unused(below));
        } else {
            articles.push(reader.article(headline, title, below));
        }
    }
    let (issue, manuscript) = reader.issue(articles);
    reader.marks.sort_by_key(|(id, _)| *id);
    for pair in reader.marks.windows(2) {
        if pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1 {
            let text = format!("two marks have the number {}; give one of them another", pair[0].0);
            reader.problems.push(Problem { line: 1, text });
        }
    }
    let queries: Vec<Query> = reader.marks.into_iter().map(|(_, query)| query).collect();
    reader.problems.sort();
    match (issue, reader.problems.is_empty()) {
        (Some(issue), true) => Ok(Saved {
            proof: Proof { issue, queries, not_used },
            manuscript,
            untouched: markdown::is_untouched(&text),
        }),
        _ => Err(reader.problems),
    }
}

#[derive(Default)]
struct Reader {
    header: header::Header,
    marks: Vec<(usize, Query)>,
    problems: Vec<Problem>,
}

impl Reader {
    fn problem(&mut self, line: usize, text: impl Into<String>) {
        self.problems.push(Problem { line, text: text.into() });
    }

    /// Reads the front matter; gives the lines below it.
    fn split_header<'l, 't>(&mut self, lines: &'l [Line<'t>]) -> &'l [Line<'t>] {
        let is_rule = |line: &Line<'_>| line.text.trim_end() == "---";
        let start = lines.iter().position(|line| !line.text.trim().is_empty()).unwrap_or(0);
        let end = lines.iter().skip(start + 1).position(is_rule).map(|end| start + 1 + end);
        let (true, Some(end)) = (lines.get(start).is_some_and(is_rule), end) else {
            self.problem(1, "a proof begins with its front matter between two lines `---`; bring it back");
            return lines;
        };
        let inside: Vec<&str> = lines[start + 1..end].iter().map(|line| line.text).collect();
        self.header = header::read(&inside, start + 2, &mut self.problems);
        self.marks.append(&mut self.header.marks);
        &lines[end + 1..]
    }

    /// What stands between the front matter and the first headline may only be marks.
    fn above(&mut self, lines: &[Line<'_>]) {
        for line in lines {
            let read = self.plain(line.number, line.text);
            if !read.text.trim().is_empty() {
                let asked = "this text stands above the first headline; write a `# headline` above it";
                self.problem(line.number, asked);
            }
        }
    }

    fn plain(&mut self, number: usize, text: &str) -> plain::Line {
        let mut line = plain::read(text);
        self.marks.append(&mut line.marks);
        for text in line.problems.drain(..) {
            self.problem(number, text);
        }
        line
    }

    fn unused(&mut self, lines: &[Line<'_>]) -> Vec<String> {
        let mut unused: Vec<String> = Vec::new();
        let mut blank = 0;
        for line in lines {
            if line.text.trim().is_empty() {
                blank += 1;
                continue;
            }
            let indented = line.text.starts_with([' ', '\t']);
            let item = line.text.strip_prefix("- ");
            let read = self.plain(line.number, item.unwrap_or(line.text));
            let only_marks = read.text.is_empty();
            match unused.last_mut() {
                Some(last) if indented => {
                    last.push_str(&"\n".repeat(blank + 1));
                    last.push_str(&read.text);
                }
                _ if only_marks => {}
                _ => unused.push(read.text),
            }
            blank = 0;
        }
        unused
    }

    fn article(&mut self, headline: &Line<'_>, title: &str, below: &[Line<'_>]) -> Article {
        let read = self.plain(headline.number, title);
        if read.text.is_empty() && !read.made_up {
            let asked =
                "this headline is empty; write one, or delete the `#` to leave the text to the article above";
            self.problem(headline.number, asked);
        }
        let mut article = Article::headed(Headline { text: read.text, synthetic: read.made_up });
        let mut credit = Credit::default();
        let mut body = below;
        while let Some((line, rest)) = body.split_first() {
            if !line.text.trim().is_empty() {
                let Some((name, value)) = markdown::field_of(line.text.trim()) else { break };
                self.field(line.number, name, value, &mut article, &mut credit);
            }
            body = rest;
        }
        article.credit = self.credit(credit, headline.number);
        let mut tree = tree::Tree::default();
        (article.body, article.notes) = tree.body(body);
        self.marks.append(&mut tree.marks);
        self.problems.append(&mut tree.problems);
        article
    }

    fn field(&mut self, line: usize, name: &str, value: &str, article: &mut Article, credit: &mut Credit) {
        let text = self.plain(line, value).text;
        if text.is_empty() {
            return;
        }
        let role = match name {
            "author" => Some(Role::Author),
            "photographer" => Some(Role::Photographer),
            "translator" => Some(Role::Translator),
            _ => None,
        };
        if let Some(role) = role {
            article.bylines.push(Byline { name: text, role, affiliation: None });
            return;
        }
        let place = match name {
            "caption" => return article.captions.push(text),
            "affiliation" => match article.bylines.last_mut() {
                Some(byline) => &mut byline.affiliation,
                None => {
                    return self.problem(line, "an `affiliation:` stands below the `author:` it belongs to");
                }
            },
            "section" => &mut article.section,
            "kicker" => &mut article.kicker,
            "dek" => &mut article.dek,
            "source" => &mut credit.printed,
            "source-name" => &mut credit.name,
            "source-date" => &mut credit.date,
            "source-page" => &mut credit.page,
            _ if article.key.is_empty() => {
                article.key = text;
                return;
            }
            _ => return self.problem(line, format!("a second `{name}:`; an article has one")),
        };
        if place.is_some() {
            self.problem(line, format!("a second `{name}:`; an article has one"));
        }
        *place = Some(text);
    }

    fn credit(&mut self, credit: Credit, line: usize) -> Option<CreditLine> {
        let Credit { printed, name, date, page } = credit;
        let Some(printed) = printed.or_else(|| name.clone()) else {
            if date.is_some() || page.is_some() {
                self.problem(line, "this article has a `source-date:` or `source-page:` and no `source:`");
            }
            return None;
        };
        let parsed = date.as_deref().and_then(|date| date.trim().parse().ok());
        if let (Some(date), None) = (&date, parsed) {
            self.problem(line, format!("`source-date: {date}` is not a date such as `2025-07-09`"));
        }
        Some(CreditLine { name: name.unwrap_or_else(|| printed.clone()), date: parsed, page, printed })
    }

    /// The issue of the front matter, and the manuscript it is a reading of.
    fn issue(&mut self, articles: Vec<Article>) -> (Option<Issue>, String) {
        let values = std::mem::take(&mut self.header.values);
        let (mut manuscript, mut key, mut language) = (String::new(), None, None);
        // The pictures are with the manuscript; whoever puts the issue out takes them from there.
        let mut issue = Issue {
            articles,
            ..Issue::of(IssueKey::of(""), Language::parse("en").expect("`en` is a language tag"))
        };
        for (line, name, value) in values {
            if let ("contact", Value::Map(map)) = (name.as_str(), &value) {
                issue.contact = map.iter().cloned().collect();
                continue;
            }
            if name == "editors" {
                issue.editors = listed(value);
                continue;
            }
            let Value::Text(text) = value else {
                self.problem(line, format!("`{name}` has one value, on its own line"));
                continue;
            };
            if text.is_empty() {
                continue;
            }
            match name.as_str() {
                "manuscript" => manuscript = text,
                "reading" => {}
                "issue" => key = Some(IssueKey::of(&text)),
                "title" => issue.title = Some(text),
                "number" => issue.number = Some(text),
                "page" => issue.page = Some(text),
                "section" => issue.section = Some(text),
                "summary" => issue.summary = Some(text),
                "publisher" => issue.publisher = Some(text),
                "date" => match text.parse() {
                    Ok(date) => issue.date = Some(date),
                    Err(_) => self.problem(line, format!("`{text}` is not a date such as `2025-07-09`")),
                },
                "publish_at" => match issue::moment(&text) {
                    Some(moment) => issue.publish_at = Some(moment),
                    None => self.problem(
                        line,
                        format!("`{text}` is not a time such as `2026-12-01 06:00`, where the publication is"),
                    ),
                },
                "language" => match Language::parse(&text) {
                    Some(tag) => language = Some(tag),
                    None => self.problem(
                        line,
                        format!("`{text}` is not a language tag such as `zh-Hans` or `en`"),
                    ),
                },
                _ => self.problem(
                    line,
                    format!("there is no `{name}`; an issue has `issue`, `title`, `number`, `date`, `publish_at`, `page`, \
                             `section`, `summary`, `publisher`, `editors`, `contact` and `language`"),
                ),
            }
        }
        if self.problems.is_empty() {
            for (missing, name) in [
                (manuscript.is_empty(), "manuscript"),
                (key.is_none(), "issue"),
                (language.is_none(), "language"),
            ] {
                if missing {
                    self.problem(1, format!("the front matter lacks its line `{name}:`; bring it back"));
                }
            }
        }
        let (Some(key), Some(language)) = (key, language) else { return (None, manuscript) };
        (Some(Issue { key, language, ..issue }), manuscript)
    }
}

/// The parts of a credit line.
#[derive(Default)]
struct Credit {
    printed: Option<String>,
    name: Option<String>,
    date: Option<String>,
    page: Option<String>,
}

fn listed(value: Value) -> Vec<String> {
    let names = match value {
        Value::List(list) => return list.into_iter().filter(|name| !name.is_empty()).collect(),
        Value::Text(text) => text,
        Value::Map(map) => map.into_iter().map(|(_, value)| value).collect::<Vec<_>>().join("、"),
    };
    let names = names.split([',', '，', '、', ';', '；']).map(|name| name.trim().to_owned());
    names.filter(|name| !name.is_empty()).collect()
}
