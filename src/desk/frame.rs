//! The frame of every page: whose desk it is, the ways to the other pages, and what the page itself shows.

use std::sync::LazyLock;

use axum::{
    http::header,
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Answer, Desk, Failure, assets, guard::Editor, sessions::Session, words, words::Words};
use crate::theme::{Templates, direction};

/// The pages that every page leads to: where, and the phrase that names it.
pub(super) const NAVIGATION: [(&str, &str); 6] = [
    ("/", "today"),
    ("/proofs", "proofs"),
    ("/issues", "issues"),
    ("/subscribers", "subscribers"),
    ("/letters", "letters"),
    ("/health", "health"),
];

/// Our templates by name.
const TEMPLATES: [(&str, &str); 21] = [
    ("frame.html", include_str!("templates/frame.html")),
    ("failure.html", include_str!("templates/failure.html")),
    ("login.html", include_str!("templates/login.html")),
    ("plot.html", include_str!("templates/plot.html")),
    ("bar.html", include_str!("templates/bar.html")),
    ("letters.html", include_str!("templates/letters.html")),
    ("digest.html", include_str!("templates/digest.html")),
    ("subscribers.html", include_str!("templates/subscribers.html")),
    ("subscriber.html", include_str!("templates/subscriber.html")),
    ("import.html", include_str!("templates/import.html")),
    ("import_part.html", include_str!("templates/import_part.html")),
    ("health.html", include_str!("templates/health.html")),
    ("today.html", include_str!("templates/today.html")),
    ("today_part.html", include_str!("templates/today_part.html")),
    ("proofs.html", include_str!("templates/proofs.html")),
    ("proof.html", include_str!("templates/proof.html")),
    ("preview.html", include_str!("templates/preview.html")),
    ("conflict.html", include_str!("templates/conflict.html")),
    ("differs.html", include_str!("templates/differs.html")),
    ("issues.html", include_str!("templates/issues.html")),
    ("issue.html", include_str!("templates/issue.html")),
];

static COMPILED: LazyLock<Templates> =
    LazyLock::new(|| Templates::of(TEMPLATES).expect("a test compiles every template"));

impl Desk {
    /// A page for an editor: the template `name` with `it`, at the address `here` of [`NAVIGATION`] or below it.
    pub(super) fn page(&self, editor: &Editor, name: &str, here: &str, it: &impl Serialize) -> Answer {
        let html = fill(self, Some(&editor.session), editor.words, name, here, &json!(it))?;
        Ok(([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response())
    }

    /// A page for whoever asks.
    pub(super) fn open_page(
        &self,
        words: &Words,
        name: &str,
        it: &impl Serialize,
    ) -> Result<Response, Failure> {
        let html = fill(self, None, words, name, "", &json!(it))?;
        Ok(([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response())
    }

    /// A time as pages show it: by the publication's clock, and for programs.
    pub(super) fn time(&self, time: Timestamp) -> Value {
        let zoned = time.to_zoned(self.publication().time_zone.clone());
        json!({ "shown": zoned.strftime("%Y-%m-%d %H:%M").to_string(), "iso": time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string() })
    }
}

/// A part of a page that is sent by itself.
pub(super) fn part(words: &Words, name: &str, it: &Value) -> Result<String, Failure> {
    let content = json!({ "words": words.phrases, "it": it });
    COMPILED.fill(name, content).map_err(|fault| Failure::fault(&fault))
}

/// The page that says why there is no page.
pub(super) fn failure(desk: &Desk, session: Option<&Session>, words: &Words, failure: &Failure) -> String {
    let it = json!({ "message": words.say(failure.phrase, &[]), "detail": failure.detail });
    fill(desk, session, words, "failure.html", "", &it).unwrap_or_else(|_| words.say(failure.phrase, &[]))
}

fn fill(
    desk: &Desk,
    session: Option<&Session>,
    words: &Words,
    name: &str,
    here: &str,
    it: &Value,
) -> Result<String, Failure> {
    let assets: Map<String, Value> =
        assets::ALL.iter().map(|asset| (asset.name.replace('.', "_"), json!(asset.path))).collect();
    let navigation: Vec<Value> = NAVIGATION
        .iter()
        .map(|(path, phrase)| json!({ "path": path, "name": words.say(&format!("{phrase}.title"), &[]), "here": *path == here }))
        .collect();
    let languages: Vec<Value> = words::ALL
        .iter()
        .map(|table| json!({ "lang": table.lang, "name": table.say("frame.language", &[]), "here": table.lang == words.lang }))
        .collect();
    let publication = desk.publication();
    let content = json!({
        "page": {
            "lang": words.lang,
            "dir": "ltr",
            "paper": publication.title,
            "paper_lang": publication.language.as_str(),
            "paper_dir": direction(&publication.language),
            "site": publication.base_url,
            "navigation": navigation,
            "languages": languages,
            "assets": assets,
            "token": session.map(|session| &session.form_token),
        },
        "words": words.phrases,
        "it": it,
    });
    COMPILED.fill(name, content).map_err(|fault| Failure::fault(&fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_compiles() {
        LazyLock::force(&COMPILED);
    }
}
