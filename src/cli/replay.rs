//! `gazetted replay`: everything anew, by today's templates.

use std::io::IsTerminal as _;

use super::{Error, report, say};
use crate::{config::Newsroom, daemon};

pub(super) fn run(newsroom: &Newsroom) -> Result<(), Error> {
    let ledger = daemon::open_ledger(newsroom)?;
    let publication = newsroom.publication(newsroom.settings.http.listen);
    let press = daemon::open_press(newsroom, publication, ledger)?;
    let terminal = std::io::stderr().is_terminal();
    let replayed = press.replay(|done, all| {
        if terminal {
            eprint!("\r{done} of {all} issues{}", if done == all { "\n" } else { "" });
        } else if done.is_multiple_of(1000) {
            super::complain(&format!("{done} of {all} issues"));
        }
    })?;
    let count = |n: usize, noun| report::count(n as u64, noun);
    let before = match replayed.before {
        0 => String::new(),
        n => format!(" ({n} before it was stopped)"),
    };
    say(&format!(
        "{} printed anew{before}, {} changed; no letter was sent",
        count(replayed.issues, "issue"),
        count(replayed.files, "file")
    ))
}
