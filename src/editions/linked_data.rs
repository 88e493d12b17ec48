//! What search engines read of a page: schema.org in JSON-LD.

use serde_json::{Value, json};

use crate::{
    editions::BookFile, editions::outline::Outline, editions::outline::Piece, editions::outline::said,
    editions::paths, issue::Article, issue::Byline, issue::Release, issue::Role, prose,
    publication::Publication,
};

/// Longer headlines are cut by those who show them.
const HEADLINE: usize = 110;

/// The front page: `Periodical`.
pub(super) fn periodical(publication: &Publication) -> String {
    let imprint = &publication.imprint;
    let mut value = bare_periodical(publication, imprint.publisher.as_deref());
    value["@context"] = json!("https://schema.org");
    value["inLanguage"] = json!(publication.language.as_str());
    if let Some(description) = said(&publication.description) {
        value["description"] = json!(description);
    }
    embedded(&value)
}

/// An issue: `PublicationIssue`, with its articles and its book.
pub(super) fn issue(
    release: &Release,
    book: &BookFile,
    publication: &Publication,
    outline: &Outline,
) -> String {
    let mut value = bare_issue(release, publication, outline);
    value["@context"] = json!("https://schema.org");
    value["inLanguage"] = json!(outline.lang);
    value["encoding"] = json!({
        "@type": "MediaObject",
        "contentUrl": publication.url(&book.path),
        "encodingFormat": "application/epub+zip",
        "contentSize": book.length.to_string(),
    });
    if let Some(summary) = &outline.summary {
        value["description"] = json!(summary);
    }
    note_correction(release, outline, &mut value);
    value["hasPart"] = outline
        .pieces()
        .map(|piece| {
            let mut part = json!({
                "@type": "NewsArticle",
                "headline": crate::issue::shorten(&piece.headline, HEADLINE),
                "url": publication.url(&paths::article(&release.issue.key, &piece.anchor)),
                "datePublished": release.published.to_string(),
            });
            note_authors(&release.issue.articles[piece.nth], &mut part);
            part
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
    let url = publication.url(&paths::article(&release.issue.key, &piece.anchor));
    let mut value = json!({
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": crate::issue::shorten(&piece.headline, HEADLINE),
        "url": url,
        "mainEntityOfPage": url,
        "inLanguage": outline.lang,
        "datePublished": release.published.to_string(),
        "isPartOf": bare_issue(release, publication, outline),
    });
    note_authors(article, &mut value);
    note_correction(release, outline, &mut value);
    let lines = [("alternativeHeadline", piece.dek.as_ref()), ("description", Some(&piece.teaser))];
    for (name, line) in lines.into_iter().filter_map(|(name, line)| Some((name, line?))) {
        if !line.is_empty() {
            value[name] = json!(line);
        }
    }
    if let Some(publisher) = &outline.publisher {
        value["publisher"] = organization(publisher);
    }
    if let Some(section) = article.section.as_deref().and_then(said) {
        value["articleSection"] = json!(section);
    }
    let pictures: Vec<String> = prose::pictures(&article.body)
        .into_iter()
        .map(|(name, _)| publication.url(&paths::picture(&release.issue.key, name)))
        .collect();
    if !pictures.is_empty() {
        value["image"] = json!(pictures);
    }
    embedded(&value)
}

fn bare_periodical(publication: &Publication, publisher: Option<&str>) -> Value {
    let paper = said(&publication.title).unwrap_or_else(|| publication.key.clone());
    let mut periodical = json!({"@type": "Periodical", "name": paper, "url": publication.url(paths::INDEX)});
    if let Some(issn) = publication.imprint.issn.as_deref().and_then(super::outline::issn) {
        periodical["issn"] = json!(issn);
    }
    if let Some(publisher) = publisher.and_then(said) {
        periodical["publisher"] = organization(&publisher);
    }
    periodical
}

fn bare_issue(release: &Release, publication: &Publication, outline: &Outline) -> Value {
    let mut value = json!({
        "@type": "PublicationIssue",
        "name": outline.name,
        "url": publication.url(&paths::page(&release.issue.key)),
        "datePublished": outline.day.iso,
        "isPartOf": bare_periodical(publication, outline.publisher.as_deref()),
    });
    if let Some(number) = release.issue.number.as_deref().and_then(said) {
        value["issueNumber"] = json!(number);
    }
    value
}

fn organization(name: &str) -> Value {
    json!({"@type": "Organization", "name": name})
}

/// Who wrote, translated and photographed it, as schema.org tells them apart.
fn note_authors(article: &Article, value: &mut Value) {
    for (role, name) in
        [(Role::Author, "author"), (Role::Translator, "translator"), (Role::Photographer, "contributor")]
    {
        let of_role = article.bylines.iter().filter(|byline| byline.role == role);
        let people: Vec<Value> = of_role.filter_map(person).collect();
        if !people.is_empty() {
            value[name] = Value::Array(people);
        }
    }
}

fn person(byline: &Byline) -> Option<Value> {
    let mut person = json!({"@type": "Person", "name": said(&byline.name)?});
    if let Some(office) = byline.affiliation.as_deref().and_then(said) {
        person["affiliation"] = organization(&office);
    }
    Some(person)
}

/// That and when it was corrected, where it was.
fn note_correction(release: &Release, outline: &Outline, value: &mut Value) {
    if let Some(correction) = &outline.correction {
        value["dateModified"] = json!(release.updated.to_string());
        value["correction"] = json!({
            "@type": "CorrectionComment",
            "text": correction,
            "datePublished": release.updated.to_string(),
        });
    }
}

/// The value as a script element may hold it in HTML and in XML alike.
fn embedded(value: &Value) -> String {
    let text = crate::typography::printable(&value.to_string()).into_owned();
    text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}
