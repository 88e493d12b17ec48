//! What an editor does to the articles of a proof: parts one, joins two, gives a headline to the body it belongs to. No word is lost.

use super::Proof;
use crate::{
    issue,
    issue::{Article, Headline},
    prose::Block,
};

/// How many characters a headline has at most that is made of the first words.
const FIRST_WORDS: usize = 24;

/// How many characters a line has at most that may be a headline.
const LINE: usize = 60;

/// A change to the articles of a proof, which are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mend {
    /// A new article begins with that block of an article: a title or a short line becomes its headline, a longer text stays in its
    /// body.
    Split(usize, usize),
    /// An article goes on with the one below it, whose headline becomes a title inside.
    Merge(usize),
    /// The headline of the first, with its kicker, dek and names, belongs above the body of the second; what stood there goes the other
    /// way.
    Swap(usize, usize),
    /// The headline of an article is no headline, but the first paragraph of its body.
    Demote(usize),
}

impl Mend {
    /// Makes the change. Says whether it could be made: there may be no such article or block any more.
    #[must_use]
    pub fn apply(self, proof: &mut Proof) -> bool {
        let articles = &mut proof.issue.articles;
        match self {
            Self::Split(article, block) => split(articles, article, block),
            Self::Merge(article) => merge(articles, article),
            Self::Swap(from, to) => swap(articles, from, to),
            Self::Demote(article) => demote(articles, article),
        }
    }
}

fn split(articles: &mut Vec<Article>, at: usize, block: usize) -> bool {
    // Which of the two its notes belong to, only its editor can tell.
    let is_good = |article: &&mut Article| block < article.body.len() && article.notes.is_empty();
    let Some(article) = articles.get_mut(at).filter(is_good) else { return false };
    if block == 0 && article.headline.synthetic {
        return false;
    }
    let mut body = article.body.split_off(block);
    let first = body.first().map(Block::plain).unwrap_or_default();
    let is_title = matches!(body.first(), Some(Block::Subhead { .. }))
        || matches!(body.first(), Some(Block::Paragraph { .. })
            if first.chars().count() <= LINE && !ends_sentence(&first));
    let headline = if is_title && body.len() > 1 && !first.trim().is_empty() {
        body.remove(0);
        Headline { text: first, synthetic: false }
    } else {
        made_up(&body)
    };
    let new = Article {
        body,
        credit: article.credit.take(),
        section: article.section.clone(),
        ..Article::headed(headline)
    };
    articles.insert(at + 1, new);
    true
}

fn merge(articles: &mut Vec<Article>, at: usize) -> bool {
    // Both may have a note 1.
    if at + 1 >= articles.len() || (!articles[at].notes.is_empty() && !articles[at + 1].notes.is_empty()) {
        return false;
    }
    let below = articles.remove(at + 1);
    let above = &mut articles[at];
    if let Some(credit) = above.credit.take() {
        if below.credit.is_some() {
            above.body.push(Block::paragraph(&credit.printed));
        } else {
            above.credit = Some(credit);
        }
    }
    above.body.extend(below.kicker.as_deref().map(Block::paragraph));
    if !below.headline.synthetic {
        above.body.push(Block::subhead(1, &below.headline.text));
    }
    above.body.extend(below.dek.as_deref().map(Block::paragraph));
    for byline in below.bylines {
        if !above.bylines.iter().any(|known| known.name == byline.name) {
            above.bylines.push(byline);
        }
    }
    above.body.extend(below.body);
    above.captions.extend(below.captions);
    above.notes.extend(below.notes);
    above.credit = above.credit.take().or(below.credit);
    true
}

fn swap(articles: &mut Vec<Article>, from: usize, to: usize) -> bool {
    if from == to || from.max(to) >= articles.len() || articles[from].headline.synthetic {
        return false;
    }
    let take = |article: &mut Article| {
        let headline =
            std::mem::replace(&mut article.headline, Headline { text: String::new(), synthetic: true });
        (headline, article.kicker.take(), article.dek.take(), std::mem::take(&mut article.bylines))
    };
    let (theirs, ours) = (take(&mut articles[from]), take(&mut articles[to]));
    for (at, (headline, kicker, dek, bylines)) in [(to, theirs), (from, ours)] {
        let article = &mut articles[at];
        article.headline = if headline.synthetic { made_up(&article.body) } else { headline };
        (article.kicker, article.dek, article.bylines) = (kicker, dek, bylines);
    }
    let left = &articles[from];
    if left.headline.synthetic
        && left.body.is_empty()
        && left.notes.is_empty()
        && left.captions.is_empty()
        && left.credit.is_none()
    {
        articles.remove(from);
    }
    true
}

fn demote(articles: &mut [Article], at: usize) -> bool {
    let Some(article) = articles.get_mut(at).filter(|article| !article.headline.synthetic) else {
        return false;
    };
    article.body.insert(0, Block::paragraph(&article.headline.text));
    article.headline = made_up(&article.body);
    true
}

/// Whether a line ends as sentences do, and headlines do not.
fn ends_sentence(text: &str) -> bool {
    text.trim_end().ends_with(['。', '！', '？', '；', '…', '.', '!', '?', ';', '”', '」', '"'])
}

/// The headline of an article that has none: its first words.
fn made_up(body: &[Block]) -> Headline {
    let first = body.iter().map(Block::plain).find(|text| !text.trim().is_empty()).unwrap_or_default();
    Headline { text: issue::shorten(first.trim(), FIRST_WORDS), synthetic: true }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{issue::Issue, issue::IssueKey, prose::Language};

    fn proof(articles: &[(&str, &[&str])]) -> Proof {
        let article = |(headline, body): &(&str, &[&str])| Article {
            body: body.iter().map(|text| Block::paragraph(*text)).collect(),
            ..Article::headed(Headline { text: (*headline).to_owned(), synthetic: headline.starts_with('~') })
        };
        let articles = articles.iter().map(article).collect();
        let issue = Issue { articles, ..Issue::of(IssueKey::of("7"), Language::parse("en").expect("a tag")) };
        Proof { issue, queries: vec![], not_used: vec![] }
    }

    #[track_caller]
    fn check(articles: &[(&str, &[&str])], mend: Mend, expected: &str) {
        let mut proof = proof(articles);
        let told = if mend.apply(&mut proof) {
            let article = |article: &Article| {
                let body: Vec<String> = article.body.iter().map(Block::plain).collect();
                let made_up = if article.headline.synthetic { "~" } else { "" };
                format!("{made_up}{}: {}", article.headline.text, body.join("|"))
            };
            proof.issue.articles.iter().map(article).collect::<Vec<_>>().join(" / ")
        } else {
            "no".to_owned()
        };
        assert_eq!(told, expected);
    }

    #[test]
    fn an_article_is_parted_at_a_title_or_at_a_text() {
        let page: &[(&str, &[&str])] = &[("One", &["First words.", "The ferry", "It goes at six."])];
        check(page, Mend::Split(0, 1), "One: First words. / The ferry: It goes at six.");
        check(page, Mend::Split(0, 2), "One: First words.|The ferry / ~It goes at six.: It goes at six.");
        check(page, Mend::Split(0, 3), "no");
        check(page, Mend::Split(1, 0), "no");
    }

    #[test]
    fn two_articles_are_joined_and_the_lower_headline_stays_in_the_text() {
        check(&[("One", &["a."]), ("Two", &["b."])], Mend::Merge(0), "One: a.|Two|b.");
        check(&[("One", &["a."]), ("~b", &["b."])], Mend::Merge(0), "One: a.|b.");
        check(&[("One", &["a."])], Mend::Merge(0), "no");
    }

    #[test]
    fn a_headline_goes_to_its_body() {
        check(
            &[("Ferry", &[]), ("~It goes", &["It goes at six."])],
            Mend::Swap(0, 1),
            "Ferry: It goes at six.",
        );
        check(&[("Two", &["a."]), ("One", &["b."])], Mend::Swap(0, 1), "One: a. / Two: b.");
        check(&[("~x", &["a."]), ("One", &["b."])], Mend::Swap(0, 1), "no");
        check(&[("No headline", &["a."])], Mend::Demote(0), "~No headline: No headline|a.");
    }
}
