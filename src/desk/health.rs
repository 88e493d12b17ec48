//! Health: whether the newsroom can do its work, what waits, and how much room the disks have.

use std::{path::Path, sync::Arc};

use axum::{Router, extract::State as Of, routing::get};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Answer, Desk, Failure, guard::Editor};
use crate::{delivery::State, http, ledger};

/// With less room than that, in bytes, a publish of a large issue may fail.
const LITTLE: u64 = 500 << 20;

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/health", get(show))
}

async fn show(Of(desk): Of<Arc<Desk>>, editor: Editor) -> Answer {
    let (troubles, tally, disks) = desk
        .work(|desk| -> Result<_, ledger::Error> {
            let tally = desk.press.ledger.tally(desk.publication(), desk.clock.now())?;
            let folders = [("health.inbox", &desk.press.inbox), ("health.data", &desk.press.data)];
            let mut disks: Vec<(&str, Option<u64>)> =
                folders.into_iter().map(|(name, folder)| (name, room_of(folder))).collect();
            disks.push(("health.outbox", room_of(desk.press.outbox.root())));
            Ok((http::troubles(&desk.room), tally, disks))
        })
        .await
        .map_err(|error| Failure::fault(&error))?;
    let words = editor.words;
    let looked = desk.room.metrics.inbox.last_look();
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
            json!({ "name": words.say(name, &[]), "room": room.map(shown), "short": short })
        })
        .collect();
    let it = json!({
        "troubles": troubles,
        "looked": (looked > 0).then(|| Timestamp::from_second(looked).ok().map(|at| desk.time(at))).flatten(),
        "letters": letters,
        "waits_since": tally.waits_since.map(|since| desk.time(since)),
        "disks": disks,
        "backup": tally.last_backup.map(|at| desk.time(at)),
        "held": tally.held,
        "version": env!("CARGO_PKG_VERSION"),
    });
    desk.page(&editor, "health.html", "/health", &it)
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
