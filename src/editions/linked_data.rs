//! What search engines read of a page: schema.org in JSON-LD.

use serde_json::{Value, json};

use crate::{
    editions::outline::Outline, editions::outline::Piece, editions::paths, issue::Article, issue::Release,
    publication::Publication,
};

/// An issue: `PublicationIssue`, with its articles.
pub(super) fn issue(release: &Release, publication: &Publication, outline: &Outline) -> String {
    let mut value = bare_issue(release, publication, outline);
    value["@context"] = json!("https://schema.org");
    value["hasPart"] = outline
        .pieces()
        .map(|piece| {
            json!({
                "@type": "NewsArticle",
                "headline": piece.headline,
                "url": publication.url(&paths::article(&release.issue.key, &piece.anchor)),
            })
        })
        .collect();
    embedded(&value)
}

/// An article: `NewsArticle`, in its issue.
pub(super) fn article(
    release: &Release,
    publication: &Publication,
    outline: &Outline,
    piece: &Piece,
) -> String {
    let article: &Article = &release.issue.articles[piece.nth];
    let authors: Vec<Value> =
        article.authors().map(|name| json!({"@type": "Person", "name": name})).collect();
    let mut value = json!({
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": piece.headline,
        "url": publication.url(&paths::article(&release.issue.key, &piece.anchor)),
        "inLanguage": outline.lang,
        "datePublished": release.published.to_string(),
        "dateModified": release.updated.to_string(),
        "isPartOf": bare_issue(release, publication, outline),
    });
    if !authors.is_empty() {
        value["author"] = Value::Array(authors);
    }
    if let Some(section) = &article.section {
        value["articleSection"] = json!(section);
    }
    embedded(&value)
}

fn bare_issue(release: &Release, publication: &Publication, outline: &Outline) -> Value {
    let mut periodical = json!({"@type": "Periodical", "name": outline.paper});
    if let Some(issn) = &outline.issn {
        periodical["issn"] = json!(issn);
    }
    if let Some(publisher) = &outline.publisher {
        periodical["publisher"] = json!({"@type": "Organization", "name": publisher});
    }
    let mut value = json!({
        "@type": "PublicationIssue",
        "name": outline.name,
        "url": publication.url(&paths::page(&release.issue.key)),
        "datePublished": outline.day.iso,
        "isPartOf": periodical,
    });
    if let Some(number) = &release.issue.number {
        value["issueNumber"] = json!(number);
    }
    value
}

/// The value as a script element may hold it in HTML and in XML alike.
fn embedded(value: &Value) -> String {
    let text = crate::typography::printable(&value.to_string()).into_owned();
    text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}
