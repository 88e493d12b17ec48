//! What is told of an event: `type`, `timestamp` and `data`, as the Standard Webhooks specification has it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    issue::IssueKey, issue::Release, ledger, ledger::Event, ledger::EventKind, ledger::Ledger,
    publication::Publication,
};

pub(super) fn body(
    event: &Event,
    ledger: &dyn Ledger,
    publication: &Publication,
) -> Result<Value, ledger::Error> {
    let mut data = match (&event.issue, event.digest) {
        (Some((key, version)), _) => issue(key, *version, event.kind, ledger, publication)?,
        (None, Some(digest)) => match ledger.digest(digest)? {
            Some(line) => {
                let letters: BTreeMap<&str, u64> =
                    line.letters.iter().map(|(state, n)| (state.as_str(), *n)).collect();
                json!({
                    "digest": digest.0,
                    "pace": line.digest.kind.as_str(),
                    "period": line.digest.period,
                    "issues": line.digest.issues,
                    "subject": line.subject,
                    "frozen": line.digest.frozen,
                    "letters": letters,
                })
            }
            None => json!({ "digest": digest.0 }),
        },
        (None, None) => json!({}),
    };
    data["publication"] = json!(publication.key);
    Ok(json!({ "type": event.kind.as_str(), "timestamp": event.at, "data": data }))
}

fn issue(
    key: &IssueKey,
    version: u32,
    kind: EventKind,
    ledger: &dyn Ledger,
    publication: &Publication,
) -> Result<Value, ledger::Error> {
    let url = publication.url(&format!("issues/{key}/"));
    let mut data = json!({ "issue": key, "version": version, "url": url });
    if kind == EventKind::IssueWithdrawn {
        return Ok(data);
    }
    let versions = ledger.every_version(publication, key)?;
    if let Some(release) = versions.iter().find(|release| release.version == version) {
        data["name"] = json!(release.issue.name(publication));
        data["published"] = json!(release.published);
        data["updated"] = json!(release.updated);
        data["language"] = json!(release.issue.language.as_str());
        data["articles"] = json!(articles(release));
    }
    let current = ledger.issue(publication, key)?.filter(|shelved| shelved.release.version == version);
    if let Some(shelved) = current {
        data["book"] = json!(publication.url(&shelved.book.path));
    }
    Ok(data)
}

fn articles(release: &Release) -> Vec<Value> {
    let article = |article: &crate::issue::Article| {
        let authors: Vec<&str> = article.authors().collect();
        json!({ "article": article.key, "headline": article.headline.text, "authors": authors })
    };
    release.issue.articles.iter().map(article).collect()
}
