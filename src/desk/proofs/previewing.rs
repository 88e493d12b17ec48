//! How a proof will look, printed in memory: the web page, the book's page and the letter, each in a frame that can do nothing.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use axum::{
    extract::{Path, State},
    http::header,
    response::IntoResponse as _,
};
use serde_json::json;

use super::{id_of, reading};
use crate::{desk::Answer, desk::Desk, desk::Failure, desk::guard::Editor, editions, press::Preview, random};

/// How many previews are kept; the oldest makes room.
const KEPT: usize = 4;

/// What a page in a frame may do: show itself, with its own style and pictures.
const POLICY: &str = "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'self'; sandbox";

/// Previews by random tokens: their frames have no cookies, so that knowing the token is the key.
#[derive(Debug, Default)]
pub(in crate::desk) struct Previews(VecDeque<(String, HashMap<String, Vec<u8>>)>);

impl Previews {
    fn keep(&mut self, token: String, leaves: HashMap<String, Vec<u8>>) {
        while self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back((token, leaves));
    }

    fn leaf(&self, token: &str, path: &str) -> Option<Vec<u8>> {
        self.0.iter().find(|(known, _)| known == token).and_then(|(_, leaves)| leaves.get(path).cloned())
    }
}

/// The page with the three frames.
pub(super) async fn show(State(desk): State<Arc<Desk>>, editor: Editor, Path(id): Path<String>) -> Answer {
    let words = editor.words;
    let shown = desk
        .work(move |desk| {
            let opened = reading::open(desk, &id)?;
            let preview = desk
                .press
                .preview(&opened.text, &opened.manuscript, desk.clock.now())
                .map_err(|error| Failure::fault(&error))?;
            let mut it =
                json!({ "id": id_of(&opened.manuscript), "file": opened.manuscript.display().to_string() });
            match preview {
                Err(problem) => it["problem"] = json!(words.say("preview.none", &[("reason", &problem)])),
                Ok(preview) => {
                    let token = random::word().map_err(|error| Failure::fault(&error))?;
                    let (leaves, page, chapter) = leaves(desk, &token, &preview)?;
                    it["problem"] = json!(null);
                    it["token"] = json!(token);
                    it["page"] = json!(page);
                    it["chapter"] = json!(chapter);
                    it["subject"] = json!(preview.letter.as_ref().map(|letter| &letter.subject));
                    let mut previews =
                        desk.drawer.previews.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    previews.keep(token, leaves);
                }
            }
            Ok(it)
        })
        .await?;
    desk.page(&editor, "preview.html", "/proofs", &shown)
}

type Leaves = HashMap<String, Vec<u8>>;

/// Every file of a preview by its path, and the paths of the web page and of the book's page.
fn leaves(desk: &Desk, token: &str, preview: &Preview) -> Result<(Leaves, String, Option<String>), Failure> {
    let mut leaves = Leaves::new();
    let mut page = String::new();
    for edition in &preview.printed.pages {
        if edition.path.ends_with("/index.html") {
            page = format!("web/{}", edition.path);
        }
        leaves.insert(format!("web/{}", edition.path), edition.bytes.clone());
    }
    let book = editions::unpacked(&preview.printed.book.bytes).map_err(|error| Failure::fault(&error))?;
    let mut chapter = None;
    for edition in book {
        let name = edition.path.rsplit('/').next().unwrap_or_default();
        let is_article = name.starts_with('a')
            && name.strip_suffix(".xhtml").is_some()
            && name[1..].starts_with(|c: char| c.is_ascii_digit());
        if is_article && chapter.as_ref().is_none_or(|first: &String| edition.path < *first) {
            chapter = Some(edition.path.clone());
        }
        leaves.insert(format!("book/{}", edition.path), edition.bytes);
    }
    if let Some(letter) = &preview.letter {
        // What it links to is not out yet, but here.
        let here = format!("/previews/{token}/web/");
        let html = letter.html.replace(&desk.publication().base_url, &here).replace(editions::LEAVE, "#");
        leaves.insert("letter.html".to_owned(), html.into_bytes());
    }
    Ok((leaves, page, chapter.map(|chapter| format!("book/{chapter}"))))
}

/// A file of a preview.
pub(super) async fn leaf(
    State(desk): State<Arc<Desk>>,
    Path((token, path)): Path<(String, String)>,
) -> Answer {
    let previews = desk.drawer.previews.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let bytes = previews.leaf(&token, &path).ok_or_else(Failure::nothing)?;
    let kind = match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "xhtml" => "application/xhtml+xml; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        _ => "application/octet-stream",
    };
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, POLICY)];
    Ok((headers, bytes).into_response())
}
