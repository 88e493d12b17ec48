//! `gazetted ledger`: where the ledger is, and how it goes elsewhere.

use std::{
    fs,
    io::IsTerminal as _,
    path::{Path, PathBuf},
};

use super::{Error, say};
use crate::{
    config::Newsroom, daemon, ledger::Place, ledger::carry, ledger::postgres::Address as LedgerAddress,
};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Carry the ledger over to `PostgreSQL`, or from there into a file, and compare both; the daemon must not run
    Move(Move),
}

#[derive(clap::Args)]
pub(super) struct Move {
    /// Where to: an address such as `postgres://gazetted@db.example.org/gazetted`, or a file
    #[arg(long, value_name = "PLACE")]
    to: String,
    /// Where from, if not where the settings say
    #[arg(long, value_name = "PLACE")]
    from: Option<String>,
    /// The file with the password of an address that is given here; else `PGPASSWORD` is taken
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

pub(super) fn run(newsroom: &Newsroom, command: &Command) -> Result<(), Error> {
    let Command::Move(arguments) = command;
    let _alone = daemon::alone(newsroom)?;
    let password = match &arguments.password_file {
        Some(path) => {
            let failed = |source| Error::Read { path: path.clone(), source };
            Some(fs::read_to_string(path).map_err(failed)?.trim_end_matches(['\r', '\n']).to_owned())
        }
        None => std::env::var("PGPASSWORD").ok(),
    };
    let place = |text: &str| place(text, password.as_deref());
    let from = match &arguments.from {
        Some(text) => place(text)?,
        None => match newsroom.ledger_address()? {
            Some(address) => Place::Postgres(Box::new(address)),
            None => Place::File(newsroom.data().join("ledger.db")),
        },
    };
    let to = place(&arguments.to)?;
    if let Place::File(path) = &from
        && !path.exists()
    {
        return Err(Error::Asked { problem: format!("there is no ledger in `{from}`"), help: None });
    }
    let told = std::io::stderr().is_terminal();
    let carried = carry(&from, &to, &mut |table, n_rows| {
        if told {
            eprint!("\r\x1b[K{table}: {n_rows}");
        }
    });
    if told {
        eprint!("\r\x1b[K");
    }
    for (table, n_rows) in carried? {
        say(&format!("  {table:<15} {n_rows:>9}  the same on both sides"))?;
    }
    say(&format!("the ledger is in `{to}` as it was in `{from}`"))?;
    let bare = LedgerAddress::parse(&arguments.to).is_ok_and(|address| !address.has_password());
    let setting = if bare { arguments.to.clone() } else { to.to_string() };
    finish(newsroom, (&from, &to), &setting)
}

fn place(text: &str, password: Option<&str>) -> Result<Place, Error> {
    if !LedgerAddress::is_meant(text) {
        return Ok(Place::File(Path::new(text).to_owned()));
    }
    let wrong = |why| Error::Asked { problem: format!("the address {why}"), help: None };
    let address = LedgerAddress::parse(text).map_err(wrong)?;
    Ok(Place::Postgres(Box::new(address.with_password(password))))
}

/// Puts a file aside that is the ledger no longer, and says which setting to change.
fn finish(newsroom: &Newsroom, (from, to): (&Place, &Place), setting: &str) -> Result<(), Error> {
    let ours = newsroom.data().join("ledger.db");
    if let (Place::File(path), Place::Postgres(_)) = (from, to)
        && *path == ours
    {
        let aside = ours.with_file_name("ledger.db.before-move");
        fs::rename(&ours, &aside).map_err(|source| Error::Write { path: aside.clone(), source })?;
        say(&format!("`{}` is `{}` now; remove it when all is well", ours.display(), aside.display()))?;
    }
    match to {
        Place::Postgres(_) => {
            say(&format!(
                "help: write `ledger = \"{setting}\"` below `[data]` in the settings, with its password's file as"
            ))?;
            say("      `ledger_password_file`, and start the daemon")
        }
        Place::File(path) if *path == ours => {
            say("help: take `ledger` out of `[data]` in the settings, and start the daemon")
        }
        Place::File(_) => say(&format!(
            "help: the daemon looks for it in `{}`, and only where `[data]` in the settings has no `ledger`",
            ours.display()
        )),
    }
}
