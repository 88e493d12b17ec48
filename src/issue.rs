//! One number of the periodical: its data, its articles, and the releases in which readers get it.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{picture::Picture, prose, prose::Block, prose::Language, publication::Publication, typography};

/// The name of an issue that never changes: `[a-z0-9-]`, at most 64 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IssueKey(String);

impl IssueKey {
    /// The key of a name in any script; see [`typography::slug`].
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self(typography::slug(name))
    }

    /// The key as written in paths, identifiers and settings.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for IssueKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// One number of the periodical, as its editor means it. What is not known is `None`, never guessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// The name that never changes.
    pub key: IssueKey,
    /// The title of this number or page, such as a section's name in the masthead.
    pub title: Option<String>,
    /// Its number, as printed: `217`, `2026.14`.
    pub number: Option<String>,
    /// The day that it carries.
    pub date: Option<Date>,
    /// The printed page it was.
    pub page: Option<String>,
    /// The section of the paper it belongs to.
    pub section: Option<String>,
    /// A summary its editor wrote.
    pub summary: Option<String>,
    /// Who edited it.
    pub editors: Vec<String>,
    /// Who publishes it, where the manuscript says so.
    pub publisher: Option<String>,
    /// How to reach its editors: `phone`, `email`, `web`, `address` and what else the masthead names.
    pub contact: BTreeMap<String, String>,
    /// The language of its text.
    pub language: Language,
    /// Its articles in the order of the page. Never empty in an issue that is printed.
    pub articles: Vec<Article>,
    /// When readers may have it, at the earliest (an embargo), told where the publication is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish_at: Option<DateTime>,
    /// The pictures that its articles show, each once. Their bytes are kept by their hash, not here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pictures: Vec<Picture>,
}

/// Whether readers may have an issue, in the words of the trade's own metadata (ninjs, `pubstatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// They have it.
    Usable,
    /// It is held back: until its time comes, or until somebody lets it go.
    Withheld,
    /// It was withdrawn.
    Canceled,
}

impl Status {
    /// The word in the ledger and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Usable => "usable",
            Self::Withheld => "withheld",
            Self::Canceled => "canceled",
        }
    }

    /// What people are told that an issue is then.
    #[must_use]
    pub fn said(self) -> &'static str {
        match self {
            Self::Usable => "out",
            Self::Withheld => "held back",
            Self::Canceled => "withdrawn",
        }
    }

    /// The status of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Usable, Self::Withheld, Self::Canceled].into_iter().find(|status| status.as_str() == word)
    }
}

/// One piece of an issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Article {
    /// Its name within the issue, given at its first release and kept by corrections: `a1`, `a2`, …
    pub key: String,
    /// Its title.
    pub headline: Headline,
    /// The line above the headline (引题).
    pub kicker: Option<String>,
    /// The line below the headline (副题).
    pub dek: Option<String>,
    /// Who made it.
    pub bylines: Vec<Byline>,
    /// Where it first appeared (原载……).
    pub credit: Option<CreditLine>,
    /// Captions of pictures that the manuscript does not hold.
    pub captions: Vec<String>,
    /// The text.
    pub body: Vec<Block>,
    /// The notes that the body refers to by their number, counted from 1.
    pub notes: Vec<Vec<Block>>,
    /// The part of the issue it stands in.
    pub section: Option<String>,
}

/// The title of an article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headline {
    /// The title.
    pub text: String,
    /// Whether the manuscript had none and the reader made this one from the first words of the body.
    pub synthetic: bool,
}

/// Who wrote or pictured an article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Byline {
    /// The person's name, without inner spaces where it is Chinese.
    pub name: String,
    /// What he or she did.
    pub role: Role,
    /// The office or school named with it.
    pub affiliation: Option<String>,
}

/// What a person did for an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Wrote it.
    Author,
    /// Took its pictures.
    Photographer,
    /// Translated it.
    Translator,
}

/// Where an article first appeared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditLine {
    /// The paper or site, without its brackets.
    pub name: String,
    /// The day, as far as the line and the issue's date tell it.
    pub date: Option<Date>,
    /// The page there.
    pub page: Option<String>,
    /// The line as printed, with its brackets.
    pub printed: String,
}

impl Article {
    /// An article of which no more than its headline is known yet.
    #[must_use]
    pub fn headed(headline: Headline) -> Self {
        Self {
            key: String::new(),
            headline,
            kicker: None,
            dek: None,
            bylines: vec![],
            credit: None,
            captions: vec![],
            body: vec![],
            notes: vec![],
            section: None,
        }
    }

    /// The names of those who wrote it.
    pub fn authors(&self) -> impl Iterator<Item = &str> {
        self.bylines.iter().filter(|b| b.role == Role::Author).map(|b| b.name.as_str())
    }

    /// The first affiliation named in its bylines.
    #[must_use]
    pub fn affiliation(&self) -> Option<&str> {
        self.bylines.iter().find_map(|b| b.affiliation.as_deref())
    }

    /// The first words of its text, at most `most` characters, for lists and summaries.
    #[must_use]
    pub fn teaser(&self, most: usize) -> String {
        let text = self
            .body
            .iter()
            .filter(|block| matches!(block, Block::Paragraph { .. }))
            .map(Block::plain)
            .find(|text| !text.trim().is_empty())
            .unwrap_or_default();
        shorten(&text, most)
    }
}

/// `text`, or its first `most` characters and `…`; Latin words stay whole.
#[must_use]
pub fn shorten(text: &str, most: usize) -> String {
    let Some((end, next)) = text.char_indices().nth(most) else { return text.to_owned() };
    let head = &text[..end];
    let within_word = next.is_ascii_alphanumeric() && head.ends_with(|c: char| c.is_ascii_alphanumeric());
    let head = match head.rfind(' ') {
        Some(space) if within_word && space > end / 2 => &head[..space],
        _ => head,
    };
    format!("{}…", head.trim_end_matches(|c: char| c.is_whitespace() || "，、；：,;:".contains(c)))
}

impl Issue {
    /// An issue of which no more than its key and language is known yet.
    #[must_use]
    pub fn of(key: IssueKey, language: Language) -> Self {
        Self {
            key,
            title: None,
            number: None,
            date: None,
            page: None,
            section: None,
            summary: None,
            editors: vec![],
            publisher: None,
            contact: BTreeMap::new(),
            language,
            articles: vec![],
            publish_at: None,
            pictures: vec![],
        }
    }

    /// When readers may have it, at the earliest. A time that a clock there skips is that much later.
    #[must_use]
    pub fn embargo(&self, publication: &Publication) -> Option<Timestamp> {
        let at = self.publish_at?.to_zoned(publication.time_zone.clone()).ok()?;
        Some(at.timestamp())
    }

    /// What readers call this issue: the publication's title with the issue's title, number or date, whichever it has; with
    /// its first headline when it has none of them.
    #[must_use]
    pub fn name(&self, publication: &Publication) -> String {
        let chinese = publication.language.is_cjk();
        let own_title = self.title.as_deref().filter(|t| *t != publication.title);
        let mut name = match own_title {
            // A newsletter's own title often names the paper already.
            Some(title) if title.contains(&publication.title) => title.to_owned(),
            Some(title) => format!("{} · {title}", publication.title),
            None => publication.title.clone(),
        };
        if let Some(number) = self.number.as_deref().filter(|number| !name.contains(number)) {
            name = if chinese { format!("{name} 第{number}期") } else { format!("{name} No. {number}") };
        }
        match self.date {
            Some(date) if chinese => format!("{name} {}年{}月{}日", date.year(), date.month(), date.day()),
            Some(date) => format!("{name} {date}"),
            None if own_title.is_none() && self.number.is_none() => {
                let first = self
                    .articles
                    .iter()
                    .map(|article| &article.headline)
                    .find(|headline| !headline.synthetic);
                let words =
                    first.map_or_else(|| self.key.to_string(), |headline| shorten(&headline.text, 40));
                format!("{name} · {words}")
            }
            None => name,
        }
    }

    /// Gives every article its key. Articles that stood in `previous` keep theirs, known again by headline or by text;
    /// new ones get the next numbers that no article of this issue has had.
    pub fn name_articles(&mut self, previous: Option<&Issue>) {
        let old: &[Article] = previous.map_or(&[], |issue| &issue.articles);
        let old_pairs: Vec<HashSet<(char, char)>> = old.iter().map(pairs).collect();
        let mut taken: HashSet<String> = HashSet::new();
        for article in &mut self.articles {
            // Most issues have nothing before them to be compared with.
            let mine = if old.is_empty() { HashSet::new() } else { pairs(article) };
            let known = old
                .iter()
                .zip(&old_pairs)
                .filter(|(was, _)| !taken.contains(&was.key))
                .map(|(was, theirs)| {
                    let same_headline =
                        !article.headline.synthetic && was.headline.text == article.headline.text;
                    let shared = mine.intersection(theirs).count();
                    let all = mine.len() + theirs.len() - shared;
                    #[expect(clippy::cast_precision_loss, reason = "counts of one article's character pairs")]
                    let alike = if all == 0 { 0.0 } else { shared as f64 / all as f64 };
                    (alike + f64::from(u8::from(same_headline)), was)
                })
                .filter(|(score, _)| *score >= 0.5)
                .max_by(|(a, _), (b, _)| a.total_cmp(b));
            article.key = known.map(|(_, was)| was.key.clone()).unwrap_or_default();
            taken.insert(article.key.clone());
        }
        let highest = |articles: &[Article]| {
            articles.iter().filter_map(|a| a.key.strip_prefix('a')?.parse::<u32>().ok()).max().unwrap_or(0)
        };
        let mut next = highest(old).max(highest(&self.articles));
        for article in self.articles.iter_mut().filter(|a| a.key.is_empty()) {
            next += 1;
            article.key = format!("a{next}");
        }
    }
}

/// A day and time as editors write it: `2026-12-01 06:00`, or `2026-12-01` for the first moment of a day. No zone stands with it,
/// for it is told where the publication is.
#[must_use]
pub fn moment(text: &str) -> Option<DateTime> {
    let text = text.trim();
    let plain = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | ':' | ' ' | 'T'));
    plain.then(|| text.parse().ok()).flatten()
}

fn pairs(article: &Article) -> HashSet<(char, char)> {
    let text = prose::plain_blocks(&article.body);
    let letters: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    letters.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

/// An issue as readers have it: the version that is out, and when it and the first one came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The issue.
    pub issue: Issue,
    /// 1 for the first, one more for each correction.
    pub version: u32,
    /// When version 1 came out. Stored once; corrections keep it.
    pub published: Timestamp,
    /// When this version came out.
    pub updated: Timestamp,
}

impl Release {
    /// Whether readers had another version of this issue before.
    #[must_use]
    pub fn is_correction(&self) -> bool {
        self.version > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn article(headline: &str, body: &str) -> Article {
        Article {
            body: vec![Block::paragraph(body)],
            ..Article::headed(Headline { text: headline.to_owned(), synthetic: false })
        }
    }

    fn issue(articles: Vec<Article>) -> Issue {
        Issue { articles, ..Issue::of(IssueKey::of("7"), Language::parse("en").expect("a language tag")) }
    }

    #[test]
    fn a_corrected_article_keeps_its_key_and_a_new_one_gets_a_number_of_its_own() {
        let mut first =
            issue(vec![article("One", "the quick brown fox"), article("Two", "a lazy dog sleeps")]);
        first.name_articles(None);
        let mut second = issue(vec![
            article("Two, corrected", "a lazy dog sleeps well"),
            article("Three", "something else entirely"),
            article("One", "the quick red fox"),
        ]);
        second.name_articles(Some(&first));
        let keys: Vec<&str> = second.articles.iter().map(|a| a.key.as_str()).collect();
        assert_eq!(keys, ["a2", "a3", "a1"]);
    }

    #[test]
    fn an_issue_that_was_stored_before_there_were_pictures_still_reads() {
        let before = issue(vec![article("One", "the quick brown fox")]);
        let json = serde_json::to_string(&before).expect("an issue");
        assert!(!json.contains("pictures"), "{json}");
        assert_eq!(serde_json::from_str::<Issue>(&json).expect("the same issue"), before);
    }

    #[test]
    fn a_moment_is_a_day_and_a_time_without_a_zone() {
        let told = |text: &str| moment(text).map(|moment| moment.to_string());
        assert_eq!(told("2026-12-01 06:00").as_deref(), Some("2026-12-01T06:00:00"));
        assert_eq!(told("2026-12-01").as_deref(), Some("2026-12-01T00:00:00"));
        for wrong in ["soon", "2026-12-01 06:00+08:00", "2026-12-01T06:00Z", "2026-13-01", "6:00", ""] {
            assert_eq!(told(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_teaser_ends_between_words() {
        assert_eq!(shorten("one two three", 9), "one two…");
        assert_eq!(shorten("高质量发展，是", 6), "高质量发展…");
        assert_eq!(shorten("short", 9), "short");
    }
}
