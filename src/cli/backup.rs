//! `gazetted backup` and `gazetted restore`: the newsroom as one file, and a newsroom made of it again.

use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
};

use jiff::{Timestamp, tz::TimeZone};

use super::{Error, report, say, telling};
use crate::{config::Newsroom, daemon, vault, vault::Manifest};

/// From that length on, in bytes, those who read a log are told how far it is.
const LONG: u64 = 1 << 30;

#[derive(clap::Args)]
pub(super) struct Backup {
    /// Where to; a backup that is there already is replaced when the new one is whole
    file: PathBuf,
}

#[derive(clap::Args)]
pub(super) struct Restore {
    /// The backup
    file: PathBuf,
    /// The folder of the new newsroom: it must be empty, or not be there yet
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
}

pub(super) fn back_up(settings: &Path, newsroom: &Newsroom, arguments: &Backup) -> Result<(), Error> {
    let file = &arguments.file;
    if file.is_dir() {
        return Err(Error::Asked {
            problem: format!("`{}` is a folder", file.display()),
            help: Some(format!("name the file, such as `{}`", file.join("gazette.backup").display())),
        });
    }
    let ledger = daemon::open_ledger(newsroom)?;
    let made = vault::back_up(newsroom, settings, &*ledger, file, Timestamp::now(), &mut meter())?;
    let Manifest { counts, members, elsewhere, .. } = &made.manifest;
    say(&format!(
        "`{}` holds {} in {}, {}",
        file.display(),
        told(counts),
        report::count(members.len() as u64, "file"),
        telling::size(made.length)
    ))?;
    tell_elsewhere(elsewhere)?;
    say(
        "it has addresses and keys in it: keep it where nobody else can read it, and not on this machine alone",
    )
}

pub(super) fn restore(arguments: &Restore) -> Result<(), Error> {
    let Restore { file, to } = arguments;
    let brought = vault::bring_back(file, to, Timestamp::now(), &mut meter())?;
    let vault::Brought { manifest, settings, moved } = &brought;
    say(&format!(
        "`{}` is {} as of {} UTC: {}",
        to.display(),
        telling::one_line(&manifest.title),
        telling::time(manifest.taken, &TimeZone::UTC),
        told(&manifest.counts)
    ))?;
    for (section, folder) in moved {
        say(&format!(
            "the folder of [{section}] is `{}` now; `{}` says so",
            to.join(folder).display(),
            settings.display()
        ))?;
    }
    tell_elsewhere(&manifest.elsewhere)?;
    if rustix::process::geteuid().is_root() {
        say("all of it belongs to root; give it to whom gazetted runs as, with `chown -R`")?;
    }
    say("what was sent, and who joined or left, after the backup is not known: letters are held. Next")?;
    say("  1. see that the newsroom it was taken from does not run any more")?;
    say(&format!("  2. run `gazetted --config {} run`", settings.display()))?;
    say("  3. save what came out since in the inbox again")?;
    say(&format!(
        "  4. run `gazetted --config {} resume`, which tells what waits and how to let it go",
        settings.display()
    ))
}

fn told(counts: &vault::Counts) -> String {
    format!(
        "{}, {}, {} that wait",
        report::count(counts.issues, "issue"),
        report::count(counts.subscribers, "subscriber"),
        report::count(counts.letters, "letter")
    )
}

fn tell_elsewhere(elsewhere: &[PathBuf]) -> Result<(), Error> {
    if elsewhere.is_empty() {
        return Ok(());
    }
    say("not in it, because the settings have them outside of the newsroom; keep them yourself:")?;
    elsewhere.iter().try_for_each(|path| say(&format!("  {}", path.display())))
}

/// Tells how far a long work is.
fn meter() -> impl FnMut(u64, u64) {
    let terminal = std::io::stderr().is_terminal();
    let mut last = 0;
    move |done, all| {
        let part = done.saturating_mul(100).checked_div(all).unwrap_or(100).min(100);
        if part == last {
            return;
        }
        if terminal {
            eprint!("\r{part} % of {}{}", telling::size(all), if done >= all { "\n" } else { "" });
        } else if all >= LONG && part / 10 > last / 10 {
            super::complain(&format!("{part} % of {}", telling::size(all)));
        }
        last = part;
    }
}
