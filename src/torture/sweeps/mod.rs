//! The sweeps, each of one kind of misfortune.

mod backup;
mod clock;
mod crash;
mod disk;
mod heavy;
mod inbox;
mod kills;
mod mail;
mod power;

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

/// All of them, in the order in which they are run. T10 (several machines) has no place here yet; T13 is in `tests/properties`, T14 in `fuzz/`, T15 in `tests/enduring.rs`.
pub(super) const SWEEPS: &[Sweep] = &[
    Sweep {
        name: "T1",
        what: "the program dies behind every durable step (named points), is started again and finishes",
        hindrances: || Vec::new(),
        trial: crash::at_points,
        short: 6,
        long: 1000,
    },
    Sweep {
        name: "T1s",
        what: "the same at every system call that writes, syncs, renames, makes or removes (strace)",
        hindrances: || need(&["strace"]),
        trial: crash::at_calls,
        short: 3,
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
        name: "T3",
        what: "the power is cut: the disk of the whole newsroom loses what was not synced (ext4, every fourth time XFS)",
        hindrances: power::power_hindrances,
        trial: power::power_cut,
        short: 2,
        long: 300,
    },
    Sweep {
        name: "T4",
        what: "the disk is full, or has no room for more files; then it grows",
        hindrances: disk::root_hindrances,
        trial: disk::full,
        short: 2,
        long: 300,
    },
    Sweep {
        name: "T5",
        what: "system calls fail (EIO, ENOSPC, EDQUOT, EMFILE, EROFS, EACCES, EINTR), files must not grow, the disk turns read-only (strace)",
        hindrances: || need(&["strace", "prlimit"]),
        trial: disk::fails,
        short: 2,
        long: 1000,
    },
    Sweep {
        name: "T6",
        what: "twelve ways of putting files into the inbox",
        hindrances: || Vec::new(),
        trial: inbox::ways,
        short: 1,
        long: 120,
    },
    Sweep {
        name: "T7",
        what: "the inbox is renamed, deleted, replaced, mounted over; events overflow; no watch is to be had",
        hindrances: inbox::turn_hindrances,
        trial: inbox::turns,
        short: 2,
        long: 600,
    },
    Sweep {
        name: "T8",
        what: "the inbox is a mount that tells nothing of what is written on its far side (bindfs)",
        hindrances: inbox::far_hindrances,
        trial: inbox::far,
        short: 1,
        long: 200,
    },
    Sweep {
        name: "T9",
        what: "the mail server refuses, hangs, drips, drops and answers 4xx or 5xx at every stage",
        hindrances: || Vec::new(),
        trial: mail::faults,
        short: 4,
        long: 2000,
    },
    Sweep {
        name: "T11",
        what: "the clock jumps: a day on, an hour back, to 1970, to 2038",
        hindrances: || Vec::new(),
        trial: clock::clocks,
        short: 1,
        long: 100,
    },
    Sweep {
        name: "T12",
        what: "files that cost much: 1 GiB, a zip bomb, a million nested tags, twenty thousand articles",
        hindrances: || Vec::new(),
        trial: heavy::heavy,
        short: 1,
        long: 48,
    },
    Sweep {
        name: "T16",
        what: "a copy is made of a newsroom at work, and brought back on another machine",
        hindrances: || Vec::new(),
        trial: backup::restored,
        short: 1,
        long: 50,
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

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
