//! `gazetted desk`: the password of the editor's pages.

use std::io::BufRead as _;

use super::{Error, say};
use crate::{config::Newsroom, daemon};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Make a new password and print it; whoever is logged in by the old one is no longer
    Password {
        /// Take the first line of the standard input as the password, instead of making one
        #[arg(long)]
        stdin: bool,
    },
}

pub(super) fn run(newsroom: &Newsroom, command: &Command) -> Result<(), Error> {
    let Command::Password { stdin } = command;
    let password = daemon::desk_password(newsroom)?;
    if !stdin {
        return say(&password.renew()?);
    }
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|source| Error::Read { path: "the standard input".into(), source })?;
    password.choose(line.trim_end_matches(['\r', '\n']))?;
    say("the desk has a new password")
}
