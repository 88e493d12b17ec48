//! Files that an editor drops in the browser: written whole into the inbox, under a name that harms nobody, and never over another file
//! unless that was asked for.

use std::{io, path::Path, sync::Arc};

use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRequest as _, Multipart, Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
    routing::post,
};

use super::{Answer, Desk, Failure, deeds, form, guard::Editor, today};
use crate::{durable, durable::Laid, inbox, manuscript, typography};

/// What a form has around its files, at most.
const AROUND: usize = 1 << 20;

/// So many times as much as may be sent is taken and forgotten.
const DRAINED: usize = 8;

/// The longest name that a dropped file may have, in bytes: proofs and notes beside it have longer ones.
const LONGEST: usize = 200;

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/drop", post(drop_files).layer(DefaultBodyLimit::disable()))
}

/// What an editor dropped.
pub(super) struct Dropped {
    /// Whether a file of the same name is to be replaced.
    pub(super) replace: bool,
    /// Each file by its name as the browser said it.
    pub(super) files: Vec<(String, Vec<u8>)>,
    /// The other fields.
    fields: Vec<(String, String)>,
}

impl Dropped {
    /// Another field, if it is there.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }
}

/// How many other fields are kept of a form, and how many bytes of each.
const FIELDS: usize = 8;
const FIELD: usize = 1000;

/// Reads a form with files; the token must come before them.
pub(super) async fn read(desk: &Arc<Desk>, editor: &Editor, request: Request) -> Result<Dropped, Failure> {
    let large = || Failure::of(StatusCode::PAYLOAD_TOO_LARGE, "failure.large");
    let mut form = Multipart::from_request(request, desk).await.map_err(|_| Failure::garbled())?;
    let mut dropped = Dropped { replace: false, files: Vec::new(), fields: Vec::new() };
    let (mut is_signed, mut is_large, mut total) = (false, false, 0_usize);
    let most = desk.largest_upload + AROUND;
    loop {
        let mut field = match form.next_field().await {
            Ok(Some(field)) => field,
            Ok(None) => break,
            Err(_) => return Err(Failure::garbled()),
        };
        let name = field.name().unwrap_or_default().to_owned();
        let file = field.file_name().map(str::to_owned);
        if file.is_some() && !is_signed {
            return Err(Failure::of(StatusCode::FORBIDDEN, "failure.forged"));
        }
        let mut bytes = Vec::new();
        while let Some(piece) = field.chunk().await.map_err(|_| Failure::garbled())? {
            total += piece.len();
            // What is too large is taken to its end, so that the browser hears why, but not without an end.
            if total > most.saturating_mul(DRAINED) {
                return Err(large());
            }
            if total > most {
                bytes = Vec::new();
            } else {
                bytes.extend_from_slice(&piece);
            }
        }
        match (name.as_str(), file) {
            (form::TOKEN, None) => {
                is_signed = std::str::from_utf8(&bytes).is_ok_and(|token| editor.session.signs(token));
            }
            ("replace", None) => dropped.replace = true,
            // A form whose field for files was left empty sends one without a name.
            ("file", Some(file)) if !(file.is_empty() && bytes.is_empty()) => {
                is_large |= bytes.len() > desk.largest_upload;
                dropped.files.push((file, bytes));
            }
            (_, None) if dropped.fields.len() < FIELDS && bytes.len() <= FIELD => {
                dropped.fields.push((name, String::from_utf8_lossy(&bytes).into_owned()));
            }
            _ => {}
        }
    }
    if is_large || total > most {
        return Err(large());
    }
    if is_signed { Ok(dropped) } else { Err(Failure::of(StatusCode::FORBIDDEN, "failure.forged")) }
}

async fn drop_files(State(desk): State<Arc<Desk>>, editor: Editor, request: Request) -> Answer {
    let Dropped { replace, files, .. } = read(&desk, &editor, request).await?;
    if files.is_empty() {
        let problem = editor.words.say("drop.none", &[]);
        return refused(&desk, &editor, StatusCode::BAD_REQUEST, problem).await;
    }
    // All names are looked at before any file is laid down.
    let mut named = Vec::with_capacity(files.len());
    for (given, bytes) in files {
        match good_name(&given) {
            Ok(name) => named.push((name, bytes)),
            Err(phrase) => {
                let problem = editor.words.say(phrase, &[("file", &shown(&given))]);
                return refused(&desk, &editor, StatusCode::BAD_REQUEST, problem).await;
            }
        }
    }
    let mut told: Vec<String> = Vec::new();
    for (name, bytes) in named {
        let (path, file) = (desk.press.inbox.join(&name), name.clone());
        let laid = deeds::lay(&desk, path, bytes, replace).await?;
        let phrase = match laid {
            Laid::Written => "drop.written",
            Laid::Unchanged => "drop.same",
            Laid::Taken => {
                let problem = editor.words.say("drop.taken", &[("file", &file)]);
                return refused(&desk, &editor, StatusCode::CONFLICT, problem).await;
            }
        };
        told.push(format!(
            "{phrase}={}",
            url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>()
        ));
    }
    Ok(Redirect::to(&format!("/?{}", told.join("&"))).into_response())
}

/// Today's page with what was wrong, so that the files can be dropped once more.
async fn refused(desk: &Arc<Desk>, editor: &Editor, status: StatusCode, problem: String) -> Answer {
    let page: Response = today::page(desk, editor, &[], Some(problem)).await?;
    Ok((status, page).into_response())
}

/// Lays a file into the inbox, whole.
pub(super) fn lay(path: &Path, bytes: &[u8], replace: bool) -> io::Result<Laid> {
    match path.symlink_metadata() {
        // A folder or a link of somebody's is never replaced.
        Ok(there) if !there.is_file() => Ok(Laid::Taken),
        Ok(_) if replace => durable::put(path, bytes).map(|put| match put {
            durable::Put::Written => Laid::Written,
            durable::Put::Unchanged => Laid::Unchanged,
        }),
        _ => durable::put_new(path, bytes),
    }
}

/// The name under which a dropped file is saved, or the phrase that says why it cannot be.
pub(super) fn good_name(given: &str) -> Result<String, &'static str> {
    // A browser may send a whole path of its own machine.
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = typography::printable(last).chars().filter(|c| !c.is_control()).collect();
    let name = name.trim().to_owned();
    if name.is_empty() || name == "." || name == ".." {
        return Err("drop.nameless");
    }
    if name.len() > LONGEST {
        return Err("drop.long");
    }
    if inbox::passed_over(&name).is_some() {
        return Err("drop.passed_over");
    }
    if !manuscript::is_manuscript(&name) {
        return Err("drop.unread");
    }
    Ok(name)
}

/// A name that somebody gave, short enough to be shown.
pub(super) fn shown(name: &str) -> String {
    crate::issue::shorten(&typography::printable(name), 80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_but_into_the_inbox() {
        assert_eq!(good_name("理论 7月9日.txt").as_deref(), Ok("理论 7月9日.txt"));
        assert_eq!(good_name("C:\\news\\0709.txt").as_deref(), Ok("0709.txt"));
        assert_eq!(good_name("../../etc/0709.md").as_deref(), Ok("0709.md"));
        assert_eq!(good_name("a\u{0}\n<script>.md").as_deref(), Ok("a<script>.md"));
        for (name, problem) in [
            ("..", "drop.nameless"),
            ("a/", "drop.nameless"),
            (".hidden.md", "drop.passed_over"),
            ("a.md.part", "drop.passed_over"),
            ("a.exe", "drop.unread"),
            ("noending", "drop.unread"),
        ] {
            assert_eq!(good_name(name), Err(problem), "{name}");
        }
        assert_eq!(good_name(&format!("{}.md", "字".repeat(80))), Err("drop.long"));
    }
}
