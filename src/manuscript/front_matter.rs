//! The data an editor writes on top of a Markdown issue: YAML between `---`, TOML between `+++`, or bare `Key: value`.

use crate::{issue, proof::Doubt, prose::Language, typography};

use super::dates;
use super::draft::{Draft, excerpt};

/// The longest header that is read, in bytes: forty long lines. It bounds what a header of aliases can cost.
const MAX_BYTES: usize = 64 * 1024;

/// The keys that are read, each with its other names.
const KEYS: [(&str, &[&str]); 14] = [
    ("issue", &["key", "id"]),
    ("title", &["标题", "题目", "刊名"]),
    ("number", &["no", "volume", "期号", "期数"]),
    ("date", &["日期", "published", "pubdate"]),
    ("publish_at", &["publish-at", "embargo", "发布时间"]),
    ("page", &["版", "版次"]),
    ("section", &["栏目", "版面"]),
    ("summary", &["description", "abstract", "excerpt", "subtitle", "摘要", "导语"]),
    ("editors", &["editor", "责编", "编辑"]),
    ("publisher", &["主办", "出版"]),
    ("author", &["authors", "作者"]),
    ("language", &["lang", "语言"]),
    ("contact", &["联系"]),
    ("email", &["邮箱"]),
];

/// Keys that site generators use for their own ends: known, and of no use to readers of an issue.
const OTHERS: [&str; 26] = [
    "layout",
    "category",
    "categories",
    "tag",
    "tags",
    "slug",
    "permalink",
    "draft",
    "status",
    "template",
    "url",
    "type",
    "weight",
    "aliases",
    "taxonomies",
    "extra",
    "image",
    "cover",
    "updated",
    "lastmod",
    "modified",
    "comments",
    "toc",
    "path",
    "sitemap",
    "redirect_from",
];

/// Why a header could not be read, and where its text goes on.
struct Header<'t> {
    source: &'t str,
    /// What follows the header.
    rest: &'t str,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Yaml,
    Toml,
    Bare,
}

/// Reads the header into the draft. Gives the text below it and the number of lines above that.
pub(super) fn read<'t>(text: &'t str, draft: &mut Draft) -> (&'t str, usize) {
    let Some(header) = split(text) else { return (text, 0) };
    let lines = text[..text.len() - header.rest.len()].matches('\n').count();
    if header.source.len() > MAX_BYTES {
        draft.query(
            Doubt::FrontMatter,
            1,
            format!("the front matter is longer than {MAX_BYTES} bytes; shorten it"),
        );
        draft.set_aside(header.source);
        return (header.rest, lines);
    }
    let values = match header.form {
        Form::Yaml => yaml(header.source),
        Form::Toml => toml(header.source),
        Form::Bare => Ok(bare(header.source)),
    };
    match values {
        Ok(values) => {
            for (key, value) in values {
                take(&key, &value, header.source, draft);
            }
        }
        Err(reason) => {
            let reason = reason.lines().next().unwrap_or_default().to_owned();
            draft.query(
                Doubt::FrontMatter,
                1,
                format!("the front matter cannot be read: {}", issue::shorten(&reason, 120)),
            );
            draft.set_aside(header.source);
        }
    }
    (header.rest, lines)
}

fn split(text: &str) -> Option<Header<'_>> {
    let start = text.trim_start_matches('\n');
    for (mark, form) in [("---", Form::Yaml), ("+++", Form::Toml)] {
        let Some((first, after)) = start.split_once('\n') else { continue };
        if first.trim_end() != mark {
            continue;
        }
        let mut at = 0;
        for line in after.split_inclusive('\n') {
            let end = at + line.len();
            let closes = line.trim_end();
            if closes == mark || (form == Form::Yaml && closes == "...") {
                // A rule, a line and another rule are not a header, unless the line looks like one.
                let source = &after[..at];
                let plausible = source.trim().is_empty() || source.contains([':', '=']);
                return plausible.then_some(Header { source, rest: &after[end..], form });
            }
            at = end;
        }
        return None;
    }
    let end = start.find("\n\n").map_or(start.len(), |end| end + 1);
    let source = &start[..end];
    let known = |line: &str| line.split_once(':').is_some_and(|(key, _)| canonical(key).is_some());
    let key_like = |line: &str| {
        line.split_once(':').is_some_and(|(key, value)| {
            !key.is_empty()
                && key.chars().count() <= 24
                && key.chars().all(|c| c.is_alphanumeric() || " _-".contains(c))
                && !value.starts_with("//")
        })
    };
    let mut lines = source.lines();
    let first = lines.clone().next()?;
    let header = known(first)
        && source.len() <= MAX_BYTES
        && lines.all(|line| key_like(line) || line.starts_with([' ', '\t']));
    // One line alone must be a title or a date: `Note: …` may open a text.
    let enough = source.lines().count() > 1
        || matches!(first.split_once(':').and_then(|(key, _)| canonical(key)), Some("title" | "date"));
    (header && enough).then_some(Header { source, rest: &start[end..], form: Form::Bare })
}

/// A value of a header: text, or a list or map of texts.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Text(String),
    List(Vec<String>),
    Map(Vec<(String, String)>),
}

impl Value {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.trim().to_owned(),
            Self::List(list) => list.join(", "),
            Self::Map(map) => map.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(", "),
        }
    }

    fn list(&self) -> Vec<String> {
        let names: Vec<String> = match self {
            Self::Text(text) => text.split([',', '，', '、', ';', '；']).map(str::to_owned).collect(),
            Self::List(list) => list.clone(),
            Self::Map(map) => map.iter().map(|(_, value)| value.clone()).collect(),
        };
        names.into_iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
    }
}

type Values = Vec<(String, Value)>;

fn yaml(source: &str) -> Result<Values, String> {
    if source.trim().is_empty() {
        return Ok(Vec::new());
    }
    let value: serde_json::Value = serde_saphyr::from_str(source).map_err(|error| error.to_string())?;
    from_json(value)
}

fn toml(source: &str) -> Result<Values, String> {
    let table: toml::Table = source.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
    from_json(json(toml::Value::Table(table)))
}

/// TOML in the words of JSON; dates become text.
fn json(value: toml::Value) -> serde_json::Value {
    match value {
        toml::Value::Datetime(date) => serde_json::Value::String(date.to_string()),
        toml::Value::Array(list) => serde_json::Value::Array(list.into_iter().map(json).collect()),
        toml::Value::Table(table) => {
            serde_json::Value::Object(table.into_iter().map(|(key, value)| (key, json(value))).collect())
        }
        other => serde_json::to_value(other).unwrap_or_default(),
    }
}

fn from_json(value: serde_json::Value) -> Result<Values, String> {
    let serde_json::Value::Object(map) = value else {
        return Err("it is not a list of `key: value`".to_owned());
    };
    let text = |value: serde_json::Value| match value {
        // An escape may name any character.
        serde_json::Value::String(text) => typography::printable(&text).into_owned(),
        serde_json::Value::Null => String::new(),
        // `{name: Li, email: …}`: the name is what readers see.
        serde_json::Value::Object(map) if map.contains_key("name") => {
            typography::printable(map.get("name").and_then(|name| name.as_str()).unwrap_or_default())
                .into_owned()
        }
        other => other.to_string(),
    };
    Ok(map
        .into_iter()
        .map(|(key, value)| {
            let value = match value {
                serde_json::Value::Array(list) => Value::List(list.into_iter().map(text).collect()),
                serde_json::Value::Object(map) => Value::Map(
                    map.into_iter().map(|(k, v)| (typography::printable(&k).into_owned(), text(v))).collect(),
                ),
                other => Value::Text(text(other)),
            };
            (key, value)
        })
        .collect())
}

fn bare(source: &str) -> Values {
    let mut values: Values = Vec::new();
    for line in source.lines() {
        if line.starts_with([' ', '\t'])
            && let Some((_, Value::Text(text))) = values.last_mut()
        {
            text.push(' ');
            text.push_str(line.trim());
        } else if let Some((key, value)) = line.split_once(':') {
            values.push((key.trim().to_owned(), Value::Text(value.trim().to_owned())));
        }
    }
    values
}

/// The name under which a key is read.
fn canonical(key: &str) -> Option<&'static str> {
    let key = key.trim().to_lowercase();
    KEYS.iter().find(|(name, others)| *name == key || others.contains(&key.as_str())).map(|(name, _)| *name)
}

fn take(key: &str, value: &Value, source: &str, draft: &mut Draft) {
    let Some(name) = canonical(key) else {
        if !OTHERS.contains(&key.trim().to_lowercase().as_str()) {
            unknown(key, value, draft);
        }
        return;
    };
    let text = as_written(key, source).unwrap_or_else(|| value.text());
    let text = typography::printable(&text).trim().to_owned();
    if text.is_empty() {
        return;
    }
    match name {
        "issue" => draft.key = Some(text),
        "title" => draft.title = Some(text),
        "number" => draft.number = Some(text),
        "page" => draft.page = Some(text),
        "section" => draft.section = Some(text),
        "summary" => draft.summary = Some(text),
        "publisher" => draft.publisher = Some(text),
        "editors" => draft.editors = value.list(),
        "author" => draft.authors = value.list(),
        "email" => drop(draft.contact.insert("email".to_owned(), text)),
        "contact" => match value {
            Value::Map(map) => draft.contact.extend(map.iter().cloned()),
            _ if text.contains('@') => drop(draft.contact.insert("email".to_owned(), text)),
            _ => drop(draft.contact.insert("address".to_owned(), text)),
        },
        "publish_at" => match issue::moment(&text) {
            Some(moment) => draft.publish_at = Some(moment),
            None => refuse(
                &format!("`{text}` is not a time such as `2026-12-01 06:00`, where the publication is"),
                key,
                &text,
                draft,
            ),
        },
        "date" => match dates::of_header(&text) {
            Some(date) => draft.date = Some(date),
            None => refuse(&format!("`{text}` is not a date such as `2025-07-09`"), key, &text, draft),
        },
        _ => match Language::parse(&text.replace('_', "-")) {
            Some(language) => draft.language = Some(language),
            None => refuse(
                &format!("`{text}` is not a language tag such as `zh-Hans` or `en`"),
                key,
                &text,
                draft,
            ),
        },
    }
}

fn refuse(reason: &str, key: &str, text: &str, draft: &mut Draft) {
    draft.query(Doubt::FrontMatter, 1, reason.to_owned());
    draft.set_aside(&format!("{key}: {text}"));
}

/// What follows a key on its line, where a format would read a number and lose how it is written: `2026.10`, `007`.
fn as_written(key: &str, source: &str) -> Option<String> {
    let line =
        source.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix([':', '=']))?;
    let value = line.trim();
    let number = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'_');
    number.then(|| value.to_owned())
}

fn unknown(key: &str, value: &Value, draft: &mut Draft) {
    let lower = key.to_lowercase();
    let names = KEYS.iter().map(|(name, _)| *name).chain(["editor", "authors", "lang"]);
    let nearest =
        names.map(|name| (distance(&lower, name), name)).min().filter(|(distance, _)| *distance <= 2);
    let hint = nearest.map(|(_, name)| format!("; did you mean `{name}`?")).unwrap_or_default();
    draft.query(Doubt::FrontMatter, 1, format!("the key `{}` is not known{hint}", excerpt(key)));
    draft.set_aside(&format!("{key}: {}", value.text()));
}

/// How many letters one must change, add or leave out to make one word of the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    // Keys longer than this are no slip of the pen.
    for (i, from) in a.chars().take(40).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let change = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut draft = Draft::default();
        let (rest, lines) = read(text, &mut draft);
        let mut found = vec![format!("{lines} lines, then {:?}", rest.chars().take(8).collect::<String>())];
        for (name, value) in [
            ("issue", draft.key),
            ("title", draft.title),
            ("number", draft.number),
            ("date", draft.date.map(|d| d.to_string())),
            ("summary", draft.summary),
            ("language", draft.language.map(|l| l.as_str().to_owned())),
        ] {
            found.extend(value.map(|value| format!("{name}={value}")));
        }
        if !draft.editors.is_empty() {
            found.push(format!("editors={}", draft.editors.join("+")));
        }
        if !draft.authors.is_empty() {
            found.push(format!("authors={}", draft.authors.join("+")));
        }
        found.extend(draft.contact.iter().map(|(key, value)| format!("{key}={value}")));
        found.extend(draft.queries.iter().map(|query| format!("? {}", query.text)));
        found.extend(draft.not_used.iter().map(|text| format!("not used {text:?}")));
        assert_eq!(found.join("; "), expected, "{text}");
    }

    #[test]
    fn yaml_toml_and_bare_headers_are_read() {
        check(
            "---\ntitle: A week\nnumber: 2026.10\ndate: 2026-03-05\neditors: [Ann, Bo]\nlang: en\ncontact:\n  email: a@example.org\n---\nText",
            "9 lines, then \"Text\"; title=A week; number=2026.10; date=2026-03-05; language=en; editors=Ann+Bo; email=a@example.org",
        );
        check(
            "+++\ntitle = \"A week\"\ndate = 2026-03-05\nauthors = [\"Ann\"]\n[extra]\nx = 1\n+++\nText",
            "7 lines, then \"Text\"; title=A week; date=2026-03-05; authors=Ann",
        );
        check(
            "Title: This Week 7\nNumber: 007\nDate: 2020-12-2\nCategory: news\n\nHello",
            "4 lines, then \"\\nHello\"; title=This Week 7; number=007; date=2020-12-02",
        );
        check("---\ndate : 2022-01-05T10:00:00Z\n---\n", "3 lines, then \"\"; date=2022-01-05");
    }

    #[test]
    fn a_slip_in_a_key_or_a_value_is_a_query() {
        check(
            "---\ntilte: A\n---\nx",
            "3 lines, then \"x\"; ? the key `tilte` is not known; did you mean `title`?; not used \"tilte: A\"",
        );
        check(
            "---\ndate: soon\n---\nx",
            "3 lines, then \"x\"; ? `soon` is not a date such as `2025-07-09`; not used \"date: soon\"",
        );
        check(
            "---\nlang: 中文\n---\nx",
            "3 lines, then \"x\"; ? `中文` is not a language tag such as `zh-Hans` or `en`; not used \"lang: 中文\"",
        );
    }

    #[test]
    fn what_only_looks_like_a_header_is_text() {
        check("---\nno end", "0 lines, then \"---\\nno e\"");
        check("---\nA thought\n---\n", "0 lines, then \"---\\nA th\"");
        check("Note: a word\nabout: this\n\nText", "0 lines, then \"Note: a \"");
        check("https://example.org\n\nText", "0 lines, then \"https://\"");
        check("", "0 lines, then \"\"");
    }

    #[test]
    fn a_header_that_cannot_be_read_is_kept_and_asked_about() {
        for bad in ["---\ntitle: [a\n---\nText", "+++\ntitle = \n+++\nText", "---\n- a: b\n- c\n---\nText"] {
            let mut draft = Draft::default();
            let (rest, _) = read(bad, &mut draft);
            assert_eq!(rest, "Text");
            assert_eq!((draft.queries.len(), draft.not_used.len()), (1, 1), "{bad}");
        }
    }

    #[test]
    fn a_header_made_to_grow_without_end_costs_little() {
        let mut bomb = "---\na: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for letter in 'b'..='z' {
            let before = char::from(letter as u8 - 1);
            let many = vec![format!("*{before}"); 9].join(", ");
            bomb.extend([format!("{letter}: &{letter} [{many}]\n")]);
        }
        bomb.push_str("---\nText");
        let mut draft = Draft::default();
        assert_eq!(read(&bomb, &mut draft).0, "Text");
        let deep = format!("---\ntitle: {}\n---\nText", "[".repeat(60_000));
        assert_eq!(read(&deep, &mut draft).0, "Text");
        let deep = format!("+++\ntitle = {}\n+++\nText", "[".repeat(60_000));
        assert_eq!(read(&deep, &mut draft).0, "Text");
        let long = format!("---\ntitle: {}\n---\nText", "x".repeat(MAX_BYTES));
        assert_eq!(read(&long, &mut draft).0, "Text");
    }

    /// Issues as their publishers keep them, where they are at hand: never part of the repository.
    #[test]
    fn real_periodicals_tell_their_title_number_and_date() {
        use super::super::{open, read as read_manuscript, tests::publication};
        let shared = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/periodicals");
        let files = [
            ("twir/2013-06-07-this-week-in-rust.markdown", "This Week In Rust 1", None, "2013-06-07"),
            ("twir/2014-02-23-this-week-in-rust.markdown", "This Week in Rust 38", None, "2014-02-23"),
            ("twir/2020-09-02-this-week-in-rust.md", "This Week in Rust 354", Some("354"), "2020-09-04"),
            ("twir/2020-12-2-this-week-in-rust.md", "This Week in Rust 367", Some("367"), "2020-12-02"),
            ("twir/2026-08-12-this-week-in-rust.md", "This Week in Rust 664", Some("664"), "2026-08-12"),
            ("twir/2026-08-19-this-week-in-rust.md", "This Week in Rust 665", Some("665"), "2026-08-19"),
            (
                "rust-gamedev/2019-09-02-newsletter-001.md",
                "This Month in Rust GameDev #1 - August 2019",
                Some("1"),
                "2019-09-02",
            ),
        ];
        for (file, title, number, date) in files {
            let Ok(bytes) = std::fs::read(shared.join(file)) else {
                eprintln!("SKIPPED: there is no {file} beside the repository");
                continue;
            };
            let proof = read_manuscript(&open(file, &bytes).expect("a text"), &publication());
            let issue = &proof.issue;
            let found = (issue.title.as_deref(), issue.number.as_deref(), issue.date.map(|d| d.to_string()));
            assert_eq!(found, (Some(title), number, Some(date.to_owned())), "{file}");
            let dated_otherwise = proof.queries.iter().any(|query| query.code == Doubt::DateInferred);
            assert_eq!(dated_otherwise, file.contains("2020-09-02"), "{file}: {:?}", proof.queries);
            let printed = serde_json::to_string(issue).expect("an issue");
            for mark in ["<!--", "-->", "<script", "<iframe", "{%"] {
                assert!(!printed.contains(mark), "{file} prints {mark}");
            }
            assert_eq!(issue.language.as_str(), "en", "{file}");
        }
        let refusal = open("state-of-rust-0-11-0.rst", b"x").expect_err("another form").to_string();
        assert!(refusal.starts_with("cannot read a `.rst` file; save it as `.md`"), "{refusal}");
    }
}
