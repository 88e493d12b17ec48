//! Places where `gazetted torture` may have the program die: one behind every step that a crash may interrupt.
//!
//! A program that nobody tortures pays one look at a flag for each. The environment arms them, when the command line begins.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    path::PathBuf,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

/// The variable that says where to die: the name of a point, a colon, and at which of its times, such as `release-opened:2`.
pub const DIE: &str = "GAZETTED_TORTURE_DIE";

/// The variable that names a file to which every point that is reached is written, a line each.
pub const TELL: &str = "GAZETTED_TORTURE_TELL";

/// The variable that names a file with the seconds by which the daemon's clock is ahead. It is read again and again, so that a
/// clock can be set in the middle of the work.
pub const CLOCK: &str = "GAZETTED_TORTURE_CLOCK";

macro_rules! points {
    ($($point:ident $name:literal $when:literal;)*) => {
        /// A step that is done, and another one to come.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Point {
            $(#[doc = $when] $point,)*
        }

        impl Point {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$point),*];

            /// Those that only a migration reaches.
            pub const OF_A_MIGRATION: [Self; 2] = [Self::LedgerCopied, Self::LedgerMigrated];

            /// Its name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$point => $name,)*
                }
            }
        }
    };
}

points! {
    FileWritten "file-written" "A file has its bytes under a temporary name.";
    FileSynced "file-synced" "They are on the disk.";
    FileNamed "file-named" "It has its name.";
    BatchWritten "batch-written" "Many files have their bytes under temporary names.";
    BatchSynced "batch-synced" "They are on the disk.";
    BatchNamed "batch-named" "One of them has its name.";
    BatchDone "batch-done" "All have theirs, on the disk.";
    FileRemoved "file-removed" "A file is gone.";
    CommitBegun "commit-begun" "The ledger has work that is not committed.";
    Committed "committed" "It is committed, and whoever asked does not know yet.";
    NoteLaid "note-laid" "A note or a proof lies beside a manuscript, or is gone.";
    ManuscriptKept "manuscript-kept" "The manuscript's bytes are kept.";
    ReceiptsKept "receipts-kept" "So are its receipts.";
    ReleaseOpened "release-opened" "The ledger knows of the release.";
    PagesOut "pages-out" "Its book and pages are out.";
    ReleaseShelved "release-shelved" "The lists will tell of it.";
    ListsOut "lists-out" "They do.";
    NeighboursOut "neighbours-out" "The pages beside it lead to it.";
    DigestPrinted "digest-printed" "Its letters are written, and nobody's yet.";
    ReleaseClosed "release-closed" "It is noted, and its letters are queued.";
    StatusSet "status-set" "The ledger knows that an issue is taken back, or given again.";
    ListsWithout "lists-without" "No list tells of it any more.";
    FilesTaken "files-taken" "Its files are gone.";
    StatusClosed "status-closed" "The ledger knows.";
    LettersClaimed "letters-claimed" "Some letters are ours to send.";
    LetterOffered "letter-offered" "The server has taken a letter's envelope.";
    LetterTaken "letter-taken" "It has taken the letter, and the ledger does not know.";
    LetterSettled "letter-settled" "The ledger knows.";
    LedgerCopied "ledger-copied" "The ledger of an older gazetted is copied, and will be migrated.";
    LedgerMigrated "ledger-migrated" "It is migrated, and that is not committed.";
    ReaderLeft "reader-left" "A reader has left, and was not told yet.";
}

static ARMED: AtomicBool = AtomicBool::new(false);
static PLAN: OnceLock<Plan> = OnceLock::new();

struct Plan {
    die: Option<(Point, u32)>,
    tell: Option<File>,
    reached: Vec<AtomicU32>,
}

/// A step is done. Whoever was told to die here does so, as by `kill -9`.
#[inline]
pub fn reached(point: Point) {
    if ARMED.load(Ordering::Relaxed)
        && let Some(plan) = PLAN.get()
    {
        plan.reached(point);
    }
}

impl Plan {
    fn reached(&self, point: Point) {
        if let Some(mut file) = self.tell.as_ref() {
            // Whoever tortures us sees what is missing.
            let _ = file.write_all(format!("{}\n", point.name()).as_bytes());
        }
        let Some(count) = self.reached.get(point as usize) else { return };
        let times = count.fetch_add(1, Ordering::SeqCst) + 1;
        if self.die == Some((point, times)) {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            loop {
                std::thread::park();
            }
        }
    }
}

/// Arms the points as the environment says; without its variables nothing is armed.
///
/// # Errors
/// When a variable names no point, or a file that cannot be written, as a sentence.
pub fn arm() -> Result<(), String> {
    let die = std::env::var(DIE).ok().map(|text| parse(&text)).transpose()?;
    let tell = std::env::var_os(TELL).map(PathBuf::from).map(|path| {
        let opened = OpenOptions::new().append(true).create(true).open(&path);
        opened.map_err(|error| format!("{TELL} names `{}`, which cannot be written: {error}", path.display()))
    });
    let tell = tell.transpose()?;
    if die.is_some() || tell.is_some() {
        let reached = Point::ALL.iter().map(|_| AtomicU32::new(0)).collect();
        if PLAN.set(Plan { die, tell, reached }).is_ok() {
            ARMED.store(true, Ordering::SeqCst);
        }
    }
    Ok(())
}

fn parse(text: &str) -> Result<(Point, u32), String> {
    let (name, times) = text.split_once(':').unwrap_or((text, "1"));
    let point = Point::ALL.iter().find(|point| point.name() == name);
    match (point, times.parse()) {
        (Some(point), Ok(times)) => Ok((*point, times)),
        (None, _) => {
            let known: Vec<&str> = Point::ALL.iter().map(|point| point.name()).collect();
            Err(format!("{DIE} is `{text}`; there is no such point, only {}", known.join(", ")))
        }
        (_, Err(_)) => Err(format!("{DIE} is `{text}`; behind the colon stands a number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_to_die_is_a_point_and_one_of_its_times() {
        assert_eq!(parse("release-opened:2"), Ok((Point::ReleaseOpened, 2)));
        assert_eq!(parse("committed"), Ok((Point::Committed, 1)));
        assert!(parse("commited").is_err_and(|said| said.contains("only file-written, ")));
        assert!(parse("committed:x").is_err_and(|said| said.contains("a number")));
    }
}
