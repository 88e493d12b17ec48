//! An issue as the reader understood it, with its queries for the editor and all that found no place.

mod plain;
mod inline;
mod header;
mod places;
mod markdown;
mod tree;
mod read;
mod differ;
mod marks;
mod mending;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap as _};

pub use differ::{differences, side_by_side};
pub use markdown::{Source, write, write_changed};
pub use marks::{Mark, marks, with_field, with_unseen, without_doubt, without_light_marks, without_mark};
pub use mending::Mend;
pub use read::{Problem, Saved, read};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
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
    /// An article may be two: its words change, though not so much that it was parted.
    TwoArticles,
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
    /// The year of a credit line was inferred from the issue's date, or could not be.
    YearInferred,
    /// The charset was guessed from a few letters only, which may have come out wrong.
    CharsetGuessed,
    /// Characters that no edition can carry were left out.
    ControlCharacters,
    /// A link leads where readers cannot or must not follow; its text was kept.
    LinkDropped,
    /// A picture is not with the manuscript; its description was kept.
    PictureMissing,
    /// A picture cannot be shown: it is damaged, too large, or of a form that we do not print; its description was kept.
    PictureUnreadable,
    /// A moving picture was printed as its first frame.
    PictureStill,
    /// A picture has no description for those who cannot see it.
    PictureAlt,
    /// HTML tags in the text were left out; their text was kept.
    HtmlDropped,
    /// The front matter could not be read, or has a key that we do not know.
    FrontMatter,
    /// The order of a text was told by where its words stand on the page: its columns may be read in a wrong order.
    Columns,
    /// Text was left out of all articles.
    NotUsed,
    /// Nobody has looked at the page yet, and the publication wants that somebody does.
    Unseen,
}

/// Which pages wait for their editor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// Those with a doubt that always waits, see [`Doubt::always_waits`]; whatever else has an article is published.
    #[default]
    Auto,
    /// Those with a serious query; see [`Doubt::is_serious`].
    Flagged,
    /// All.
    AlwaysAsk,
}

impl Policy {
    /// Whether a page that was read so waits for its editor.
    #[must_use]
    pub fn holds(self, proof: &Proof) -> bool {
        match self {
            Self::Auto => proof.queries.iter().any(|query| query.code.always_waits()),
            Self::Flagged => proof.queries.iter().any(|query| query.code.is_serious()),
            Self::AlwaysAsk => true,
        }
    }
}

impl Doubt {
    /// All of them.
    pub const ALL: [Self; 25] = [
        Self::NoArticles,
        Self::NoHeadline,
        Self::MovedHeadline,
        Self::BreakByVocabulary,
        Self::TwoArticles,
        Self::Joined,
        Self::CutTail,
        Self::CutHead,
        Self::Fragment,
        Self::Doubled,
        Self::OddQuotes,
        Self::DateInferred,
        Self::YearInferred,
        Self::CharsetGuessed,
        Self::ControlCharacters,
        Self::LinkDropped,
        Self::PictureMissing,
        Self::PictureUnreadable,
        Self::PictureStill,
        Self::PictureAlt,
        Self::HtmlDropped,
        Self::FrontMatter,
        Self::Columns,
        Self::NotUsed,
        Self::Unseen,
    ];

    /// The stable code, such as `cut-tail`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoArticles => "no-articles",
            Self::NoHeadline => "no-headline",
            Self::MovedHeadline => "moved-headline",
            Self::BreakByVocabulary => "break-by-vocabulary",
            Self::TwoArticles => "two-articles",
            Self::Joined => "joined",
            Self::CutTail => "cut-tail",
            Self::CutHead => "cut-head",
            Self::Fragment => "fragment",
            Self::Doubled => "doubled",
            Self::OddQuotes => "odd-quotes",
            Self::DateInferred => "date-inferred",
            Self::YearInferred => "year-inferred",
            Self::CharsetGuessed => "charset-guessed",
            Self::ControlCharacters => "control-characters",
            Self::LinkDropped => "link-dropped",
            Self::PictureMissing => "picture-missing",
            Self::PictureUnreadable => "picture-unreadable",
            Self::PictureStill => "picture-still",
            Self::PictureAlt => "picture-alt",
            Self::HtmlDropped => "html-dropped",
            Self::FrontMatter => "front-matter",
            Self::Columns => "columns",
            Self::NotUsed => "not-used",
            Self::Unseen => "unseen",
        }
    }

    /// The doubt of a code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|doubt| doubt.as_str() == code)
    }

    /// Whether a page with this doubt waits for its editor under every policy: nobody but a reader of the page itself can tell
    /// whether it is right.
    #[must_use]
    pub fn always_waits(self) -> bool {
        self == Self::Columns
    }

    /// Whether a page with this doubt should not reach readers before somebody has looked: what is in doubt would show.
    #[must_use]
    pub fn is_serious(self) -> bool {
        match self {
            // Nothing to publish.
            Self::NoArticles
            // Two articles may be one, or one two, and then authors and links are wrong for ever.
            | Self::BreakByVocabulary
            | Self::TwoArticles
            // A sentence stops or starts in its middle: text may be missing, or belong to another article.
            | Self::CutTail
            | Self::CutHead
            // The archive and the feeds sort by the date.
            | Self::DateInferred
            // What the editor wrote about the issue is not what readers would get.
            | Self::FrontMatter
            // Sentences of one article would stand in another.
            | Self::Columns
            // Words of the page would be in no article.
            | Self::NotUsed
            // The editor put a picture there, and readers would not see it.
            | Self::PictureMissing
            | Self::PictureUnreadable
            | Self::Unseen => true,
            // Repairs that are right nearly always.
            Self::MovedHeadline
            // Where a page has lost a headline, waiting does not bring it back; readers see that it is made up. A line that
            // may be it is not used, and that is serious.
            | Self::NoHeadline
            // Leaves every word in its place; printers drop marks in two pages of five.
            | Self::OddQuotes
            | Self::Joined
            | Self::Doubled
            | Self::YearInferred
            // Too little text to miss.
            | Self::Fragment
            // A few letters at most.
            | Self::CharsetGuessed
            // Nothing that readers could have seen.
            | Self::ControlCharacters
            | Self::PictureStill
            | Self::PictureAlt
            // The words are kept; only the mark-up is not.
            | Self::LinkDropped
            | Self::HtmlDropped => false,
        }
    }
}

/// For programs: `{"issue": …, "pictures": […], "articles": […], "queries": […], "not_used": […]}`. The text is put in order for it
/// block by block, so that the longest issue takes no more memory written than read.
impl Serialize for Proof {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let issue = &self.issue;
        let mut proof = serializer.serialize_map(None)?;
        let fields = serde_json::json!({
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
        });
        proof.serialize_entry("issue", &fields)?;
        proof.serialize_entry("pictures", &issue.pictures)?;
        proof.serialize_entry("articles", &issue.articles.iter().map(Shown).collect::<Vec<_>>())?;
        proof.serialize_entry("queries", &self.queries)?;
        proof.serialize_entry("not_used", &self.not_used)?;
        proof.end()
    }
}

/// A list whose items are put in order for JSON one by one.
struct Each<'p, T, F>(&'p [T], F);

impl<T, J: IntoIterator<Item: Serialize>, F: Fn(&T) -> J> Serialize for Each<'_, T, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().flat_map(&self.1))
    }
}

/// An article as programs see it.
struct Shown<'p>(&'p Article);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(article) = self;
        let source = article.credit.as_ref().map(|credit| {
            serde_json::json!({
                "name": credit.name,
                "date": credit.date.map(|date| date.to_string()),
                "page": credit.page,
            })
        });
        let subhead = |block: &Block| matches!(block, Block::Subhead { .. }).then(|| block.plain());
        let mut shown = serializer.serialize_map(None)?;
        shown.serialize_entry("headline", &article.headline.text)?;
        shown.serialize_entry("headline_synthetic", &article.headline.synthetic)?;
        shown.serialize_entry("kicker", &article.kicker)?;
        shown.serialize_entry("dek", &article.dek)?;
        shown.serialize_entry("authors", &article.authors().collect::<Vec<_>>())?;
        shown.serialize_entry("bylines", &article.bylines)?;
        shown.serialize_entry("affiliation", &article.affiliation())?;
        shown.serialize_entry("source", &source)?;
        shown.serialize_entry("captions", &article.captions)?;
        shown.serialize_entry("subheads", &Each(&article.body, subhead))?;
        shown.serialize_entry("body", &Each(&article.body, block_json))?;
        shown.serialize_entry(
            "notes",
            &Each(&article.notes, |note: &Vec<Block>| [prose::plain_blocks(note)]),
        )?;
        shown.end()
    }
}

fn block_json(block: &Block) -> Vec<serde_json::Value> {
    let kind = match block {
        Block::Paragraph { .. } => "p",
        Block::Subhead { .. } => "subhead",
        Block::Quote { .. } => "quote",
        Block::List { .. } => "list",
        Block::Code { .. } => "code",
        Block::Table { .. } => "table",
        Block::Figure { picture, alt, caption } => {
            let caption = prose::plain(caption);
            return vec![
                serde_json::json!({"type": "figure", "picture": picture, "alt": alt, "text": caption}),
            ];
        }
        Block::Rule => return Vec::new(),
    };
    vec![serde_json::json!({"type": kind, "text": block.plain()})]
}
