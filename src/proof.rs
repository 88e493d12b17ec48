//! An issue as the reader understood it, with its queries for the editor and all that found no place.

use serde::Serialize;

use crate::{issue::Article, issue::Issue, prose, prose::Block};

/// What reading a manuscript gives: always an issue, perhaps without articles, and every doubt about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The issue as read.
    pub issue: Issue,
    /// The reader's doubts, in the order of the manuscript.
    pub queries: Vec<Query>,
    /// Text that is in no field and no body: running heads once read, ornaments, fragments.
    pub not_used: Vec<String>,
}

/// One doubt for the editor (疑问).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Query {
    /// What kind of doubt.
    pub code: Doubt,
    /// Where: the line of the manuscript, counted from 1.
    pub line: Option<usize>,
    /// The doubt in words, with the text it is about.
    pub text: String,
}

/// The kinds of doubt. Their codes are stable: editors and programs may rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// The issue has no article at all; nothing can be published.
    NoArticles,
    /// An article has no headline; one was made from its first words and is marked so.
    NoHeadline,
    /// A headline stood away from its body and was brought back to it.
    MovedHeadline,
    /// The beginning of an article was found by its vocabulary alone.
    BreakByVocabulary,
    /// Two pieces of one paragraph were joined across a blank line.
    Joined,
    /// A paragraph does not end like a sentence.
    CutTail,
    /// A paragraph begins in the middle of a sentence.
    CutHead,
    /// A line too short to be anything was left out.
    Fragment,
    /// A line printed twice over was read once.
    Doubled,
    /// Quotation marks or brackets do not match.
    OddQuotes,
    /// The date was inferred, or contradicts its weekday.
    DateInferred,
    /// The year of a credit line was inferred from the issue's date.
    YearInferred,
    /// The charset was guessed from a few letters only, which may have come out wrong.
    CharsetGuessed,
    /// Characters that no edition can carry were left out.
    ControlCharacters,
    /// A link leads where readers cannot or must not follow; its text was kept.
    LinkDropped,
    /// A picture is not with the manuscript; its description was kept.
    PictureMissing,
    /// HTML tags in the text were left out; their text was kept.
    HtmlDropped,
    /// The front matter could not be read, or has a key that we do not know.
    FrontMatter,
    /// Text was left out of all articles.
    NotUsed,
}

impl Proof {
    /// The proof as a JSON value for programs: `{"issue": …, "articles": […], "queries": […], "not_used": […]}`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let issue = &self.issue;
        serde_json::json!({
            "issue": {
                "key": issue.key,
                "title": issue.title,
                "number": issue.number,
                "date": issue.date.map(|date| date.to_string()),
                "page": issue.page,
                "section": issue.section,
                "summary": issue.summary,
                "editors": issue.editors,
                "publisher": issue.publisher,
                "contact": issue.contact,
                "language": issue.language,
            },
            "articles": issue.articles.iter().map(article_json).collect::<Vec<_>>(),
            "queries": self.queries,
            "not_used": self.not_used,
        })
    }
}

fn article_json(article: &Article) -> serde_json::Value {
    let body: Vec<_> = article.body.iter().flat_map(block_json).collect();
    let subheads: Vec<String> =
        article.body.iter().filter(|b| matches!(b, Block::Subhead { .. })).map(Block::plain).collect();
    serde_json::json!({
        "headline": article.headline.text,
        "headline_synthetic": article.headline.synthetic,
        "kicker": article.kicker,
        "dek": article.dek,
        "authors": article.authors().collect::<Vec<_>>(),
        "bylines": article.bylines,
        "affiliation": article.affiliation(),
        "source": article.credit.as_ref().map(|credit| serde_json::json!({
            "name": credit.name,
            "date": credit.date.map(|date| date.to_string()),
            "page": credit.page,
        })),
        "captions": article.captions,
        "subheads": subheads,
        "body": body,
        "notes": article.notes.iter().map(|note| prose::plain_blocks(note)).collect::<Vec<_>>(),
    })
}

fn block_json(block: &Block) -> Vec<serde_json::Value> {
    let kind = match block {
        Block::Paragraph { .. } => "p",
        Block::Subhead { .. } => "subhead",
        Block::Quote { .. } => "quote",
        Block::List { .. } => "list",
        Block::Code { .. } => "code",
        Block::Table { .. } => "table",
        Block::Rule => return Vec::new(),
    };
    vec![serde_json::json!({"type": kind, "text": block.plain()})]
}
