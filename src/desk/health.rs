//! Health: whether the newsroom can do its work, what waits, and how much room the disks have.

use std::{path::Path, sync::Arc};

use axum::{Router, extract::State as Of, routing::get};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Answer, Desk, Failure, guard::Editor, words::Words};
use crate::{delivery::State, http, ledger, ledger::Tally, ledger::WebhookLine};

/// With less room than that, in bytes, a publish of a large issue may fail.
const LITTLE: u64 = 500 << 20;

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/health", get(show))
}

/// A certificate that holds no longer than that is to be renewed.
const SOON: SignedDuration = SignedDuration::from_hours(24 * 21);

/// The certificate of a mail server, as last seen.
pub(super) struct Certificate {
    pub(super) server: String,
    pub(super) expires: Timestamp,
    /// Whether that is soon, or past.
    pub(super) soon: bool,
}

/// How the newsroom is.
pub(super) struct Health {
    /// What keeps it from its work.
    pub(super) troubles: Vec<&'static str>,
    pub(super) tally: Tally,
    /// When the inbox was last looked at.
    pub(super) looked: Option<Timestamp>,
    /// How much room the disks of its folders have, in bytes.
    pub(super) disks: [(&'static str, Option<u64>); 3],
    /// The webhooks that are told of what happens.
    pub(super) webhooks: Vec<WebhookLine>,
    /// The certificates of the mail servers that letters went to since the start.
    pub(super) certificates: Vec<Certificate>,
}

/// How the newsroom is. It writes a little to see that this can be done.
pub(super) fn examine(desk: &Desk) -> Result<Health, ledger::Error> {
    let looked = desk.room.metrics.inbox.last_look();
    Ok(Health {
        troubles: http::troubles(&desk.room),
        tally: desk.press.ledger.tally(desk.publication(), desk.clock.now())?,
        looked: Some(looked).filter(|at| *at > 0).and_then(|at| Timestamp::from_second(at).ok()),
        disks: [
            ("inbox", room_of(&desk.press.inbox)),
            ("data", room_of(&desk.press.data)),
            ("outbox", desk.press.outbox.is_here().then(|| room_of(desk.press.outbox.root())).flatten()),
        ],
        webhooks: desk.press.ledger.webhooks()?,
        certificates: desk
            .room
            .metrics
            .mail
            .certificates()
            .into_iter()
            .filter_map(|(server, expires)| {
                let expires = Timestamp::from_second(expires).ok()?;
                let soon = expires.duration_since(desk.clock.now()) < SOON;
                Some(Certificate { server, expires, soon })
            })
            .collect(),
    })
}

async fn show(Of(desk): Of<Arc<Desk>>, editor: Editor) -> Answer {
    let health = desk.work(examine).await.map_err(|error| Failure::fault(&error))?;
    let Health { troubles, tally, looked, disks, webhooks, certificates } = health;
    let words = editor.words;
    let waiting =
        |state: State| tally.letters.iter().find(|(known, _)| *known == state).map_or(0, |(_, n)| *n);
    let letters: Vec<Value> = [State::Queued, State::Claimed, State::Delayed]
        .into_iter()
        .map(|state| json!({ "state": state.as_str(), "name": words.say(&format!("letter.{}", state.as_str()), &[]), "n": waiting(state) }))
        .collect();
    let disks: Vec<Value> = disks
        .into_iter()
        .map(|(name, room)| {
            let short = room.is_some_and(|room| room < LITTLE);
            let phrase = match name {
                "inbox" => "health.inbox",
                "outbox" => "health.outbox",
                _ => "health.data",
            };
            json!({ "name": words.say(phrase, &[]), "room": room.map(shown), "short": short })
        })
        .collect();
    let it = json!({
        "troubles": troubles
            .iter()
            .map(|trouble| json!({ "said": words.retell(trouble), "lang": words.lang_of(trouble) }))
            .collect::<Vec<_>>(),
        "looked": looked.map(|at| desk.time(at)),
        "letters": letters,
        "waits_since": tally.waits_since.map(|since| desk.time(since)),
        "disks": disks,
        "backup": tally.last_backup.map(|at| desk.time(at)),
        "held": tally.held,
        "certificates": certificates
            .iter()
            .map(|one| {
                let phrase = if one.soon { "health.certificate_soon" } else { "health.certificate_holds" };
                json!({ "server": one.server, "said": words.say(phrase, &[]), "at": desk.time(one.expires), "soon": one.soon })
            })
            .collect::<Vec<_>>(),
        "webhooks": webhooks.iter().map(|line| webhook(&desk, line, words)).collect::<Vec<_>>(),
        "version": env!("CARGO_PKG_VERSION"),
    });
    desk.page(&editor, "health.html", "/health", &it)
}

/// A webhook as a line of the page.
fn webhook(desk: &Desk, line: &WebhookLine, words: &Words) -> Value {
    let said = match (&line.ended, &line.trouble) {
        (Some(_), _) => words.say("health.webhook_ended", &[]),
        (None, Some((said, _))) => words.say("health.webhook_silent", &[("said", said)]),
        (None, None) => words.say("health.webhook_well", &[]),
    };
    let at = line.ended.or(line.trouble.as_ref().map(|(_, at)| *at)).or(line.told);
    json!({
        "url": line.webhook,
        "said": said,
        "well": line.ended.is_none() && line.trouble.is_none(),
        "at": at.map(|at| desk.time(at)),
        "waiting": words.count("health.webhook_waiting", line.waiting),
        "waits": line.waiting > 0,
        "failed": words.count("health.webhook_failed", line.failed),
        "has_failed": line.failed > 0,
    })
}

/// How much room the disk of a folder has for us, in bytes, where that can be known.
fn room_of(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Bytes as people read them: `12.3 GiB`.
fn shown(bytes: u64) -> String {
    for (shift, name) in [(40, "TiB"), (30, "GiB"), (20, "MiB")] {
        if bytes >> shift > 0 {
            let tenth = ((bytes >> (shift - 10)) & 0x3FF) * 10 / 1024;
            return format!("{}.{tenth} {name}", bytes >> shift);
        }
    }
    format!("{} KiB", bytes >> 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_told_in_few_digits() {
        for (bytes, expected) in
            [(0, "0 KiB"), (1 << 20, "1.0 MiB"), (1_610_612_736, "1.5 GiB"), (u64::MAX, "16777215.9 TiB")]
        {
            assert_eq!(shown(bytes), expected);
        }
    }
}
