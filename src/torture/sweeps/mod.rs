//! The sweeps, each of one kind of misfortune.

mod crash;
mod kills;
mod mail;

use std::path::PathBuf;

use super::{Tally, Trial, world::Trouble};

/// One kind of misfortune, in trials without number.
pub(super) struct Sweep {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    /// What of it cannot be done on this machine.
    pub(super) hindrances: fn() -> Vec<String>,
    /// One trial; none when all that differ were run.
    pub(super) trial: fn(&mut Trial<'_>) -> Result<Option<Tally>, Trouble>,
    /// How many trials are a few, and how many are enough.
    pub(super) short: u64,
    pub(super) long: u64,
}

/// All of them, in the order in which they are run.
pub(super) const SWEEPS: &[Sweep] = &[
    Sweep {
        name: "T1",
        what: "the program dies behind every durable step (named points), is started again and finishes",
        hindrances: || Vec::new(),
        trial: crash::at_points,
        short: 8,
        long: 1000,
    },
    Sweep {
        name: "T1s",
        what: "the same at every system call that writes, syncs, renames, makes or removes (strace)",
        hindrances: || need(&["strace"]),
        trial: crash::at_calls,
        short: 4,
        long: 5000,
    },
    Sweep {
        name: "T2",
        what: "kill -9 at random instants while issues drop, are corrected and withdrawn, readers join and leave, and mails flow",
        hindrances: || Vec::new(),
        trial: kills::at_random,
        short: 1,
        long: 100,
    },
    Sweep {
        name: "T9",
        what: "the mail server refuses, hangs, drips, drops and answers 4xx or 5xx at every stage",
        hindrances: || Vec::new(),
        trial: mail::faults,
        short: 6,
        long: 2000,
    },
];

/// A program of the system.
fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(["/usr/sbin".into(), "/sbin".into()]);
    folders.into_iter().map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Which programs are missing, as a reason.
fn need(programs: &[&str]) -> Vec<String> {
    let missing: Vec<&str> = programs.iter().filter(|name| find(name).is_none()).copied().collect();
    if missing.is_empty() { Vec::new() } else { vec![format!("not installed: {}", missing.join(", "))] }
}
