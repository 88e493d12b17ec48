//! A proof and its source as a page shows them: lines with their queries, articles with what can be done to each.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{find, id_of};
use crate::{
    desk::Desk, desk::Failure, desk::words::Words, inbox, issue, issue::Article, proof, proof::Doubt,
    proof::Mark,
};

/// How much of a paragraph stands on a button.
const BEGINNING: usize = 28;

/// A proof with its manuscript.
pub(in crate::desk) struct Opened {
    /// The manuscript, relative to the inbox.
    pub(in crate::desk) manuscript: PathBuf,
    /// The proof, relative to the inbox.
    pub(in crate::desk) proof: PathBuf,
    /// The proof's text as it is saved.
    pub(in crate::desk) text: String,
    /// What tells this text from every other.
    pub(in crate::desk) version: String,
    /// The manuscript's text, where it can be read.
    pub(in crate::desk) source: Option<String>,
    /// How many proofs there are: more than one where the manuscript changed after somebody edited one.
    pub(in crate::desk) n_proofs: usize,
}

/// Opens what waits at an address: of several proofs the one of the manuscript as it is now, else the last.
pub(in crate::desk) fn open(desk: &Desk, id: &str) -> Result<Opened, Failure> {
    let manuscript = find(desk, id)?;
    let root = &desk.press.inbox;
    let mut proofs = inbox::proofs(root, &manuscript).map_err(|error| Failure::fault(&error))?;
    let current = inbox::open(root, &root.join(&manuscript)).ok();
    let (mut source, mut hash) = (None, String::new());
    if let Some((file, Ok(bytes))) = current.as_ref().map(|file| (file, &file.bytes)) {
        hash = file.originals(bytes).first().map(|(hash, _)| hash.clone()).unwrap_or_default();
        source = file.open(bytes).ok().map(|text| text.text().to_owned());
    }
    let n_proofs = proofs.len();
    let of_now = proofs
        .iter()
        .rposition(|(_, bytes)| !hash.is_empty() && String::from_utf8_lossy(bytes).contains(&hash));
    let at = of_now.or(n_proofs.checked_sub(1)).ok_or_else(Failure::nothing)?;
    let (proof, bytes) = proofs.swap_remove(at);
    let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
    Ok(Opened { version: version_of(&bytes), manuscript, proof, text, source, n_proofs })
}

/// What tells a proof's bytes from every other.
pub(super) fn version_of(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..32].to_owned()
}

/// What the page of a proof shows.
pub(super) fn shown(words: &Words, opened: &Opened, text: &str) -> Value {
    let marks = proof::marks(text);
    let queries: Vec<&Mark> = marks.iter().filter(|mark| mark.query.code != Doubt::Unseen).collect();
    let (articles, publish_at, problems) = match proof::read(text) {
        Ok(saved) => {
            let issue = saved.proof.issue;
            let articles: Vec<Value> =
                issue.articles.iter().enumerate().map(|(n, article)| article_json(n, article)).collect();
            (articles, issue.publish_at.map(|at| at.to_string().chars().take(16).collect::<String>()), vec![])
        }
        Err(problems) => {
            let problems: Vec<Value> = problems
                .iter()
                .take(20)
                .map(|problem| json!({ "line": problem.line, "text": problem.text }))
                .collect();
            (Vec::new(), None, problems)
        }
    };
    json!({
        "id": id_of(&opened.manuscript),
        "file": opened.manuscript.display().to_string(),
        "proof": opened.proof.display().to_string(),
        "version": opened.version,
        "text": text,
        "source": source_json(opened.source.as_deref(), &queries),
        "queries": queries.iter().map(|mark| query_json(words, mark, text)).collect::<Vec<_>>(),
        "n_light": queries.iter().filter(|mark| !mark.query.code.is_serious()).count(),
        "n_queries": words.count("proof.n_queries", queries.len() as u64),
        "articles": articles,
        "problems": problems,
        "publish_at": publish_at,
        "n_proofs": opened.n_proofs,
    })
}

fn query_json(words: &Words, mark: &Mark, text: &str) -> Value {
    let code = mark.query.code.as_str();
    // Browsers count characters of a text area in UTF-16.
    let utf16 = |at: usize| text[..at].encode_utf16().count();
    json!({
        "id": mark.id,
        "code": code,
        "name": words.say(&format!("doubt.{code}"), &[]),
        "text": words.retell(&mark.query.text),
        "lang": words.lang_of(&mark.query.text),
        "line": mark.query.line,
        "line_told": mark.query.line.map(|line| words.say("proof.line", &[("n", &line.to_string())])),
        "serious": mark.query.code.is_serious(),
        "start": utf16(mark.start),
        "end": utf16(mark.end),
    })
}

/// The lines of a source, each with the numbers of the queries that are about it.
fn source_json(source: Option<&str>, queries: &[&Mark]) -> Option<Vec<Value>> {
    let about = |number: usize| -> Vec<usize> {
        queries.iter().filter(|mark| mark.query.line == Some(number)).map(|mark| mark.id).collect()
    };
    let line =
        |(number, text): (usize, &str)| json!({ "number": number, "text": text, "queries": about(number) });
    source.map(|source| (1..).zip(source.lines()).map(line).collect())
}

fn article_json(n: usize, article: &Article) -> Value {
    let blocks: Vec<Value> = article
        .body
        .iter()
        .enumerate()
        .map(|(m, block)| json!({ "number": m, "text": issue::shorten(block.plain().trim(), BEGINNING) }))
        .collect();
    json!({
        "number": n,
        "headline": article.headline.text,
        "made_up": article.headline.synthetic,
        "blocks": blocks,
    })
}
