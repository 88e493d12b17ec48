//! Tortures a newsroom: kills it, fills its disk, cuts its power and hangs up on it, and counts what readers lost.
//!
//! Every trial is a newsroom in a folder of its own, whose daemon is this very program as a child. One seed is one history.
//! What is right is judged by an outsider: by the letters that a mail server of ours took, and by what an observer saw in the outbox.

mod chance;
mod expecting;
mod judge;
mod observer;
mod postbox;
mod report;
mod sweeps;
mod world;

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
    time::{Duration, Instant},
};

use serde::Serialize;

pub use report::{json, table};

use chance::Chance;
use sweeps::{SWEEPS, Sweep};
use world::Trouble;

/// Where readers of a tortured newsroom come to.
const BASE: &str = "https://torture.example.org/";

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The program that is tortured.
    pub program: PathBuf,
    /// What all chance follows from.
    pub seed: u64,
    /// How many trials each sweep has; without it, as many as the sweep is made for.
    pub trials: Option<u64>,
    /// The first trial: to have one again.
    pub first: u64,
    /// How long all of it may take.
    pub within: Option<Duration>,
    /// How many files a trial of T6 drops, instead of a few.
    pub files: Option<usize>,
    /// The names of the sweeps; all, when there are none.
    pub only: Vec<String>,
    /// Where the newsrooms are.
    pub folder: PathBuf,
    /// A few trials of each.
    pub short: bool,
}

/// What was counted in a trial, or in many.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// How often a process was killed.
    pub kills: u32,
    /// Issues and corrections that were dropped.
    pub drops: u64,
    /// Letters that the mail server took.
    pub letters: u64,
    /// Letters that somebody waits for in vain.
    pub lost: u64,
    /// Letters that came once more,
    pub doubled: u64,
    /// and how many may have: one for each connection that ended after a letter and without a farewell, so that its end may not have been
    /// heard.
    pub bound: u64,
    /// Links that led nowhere.
    pub dangling: u64,
    /// Files that were seen in part.
    pub torn: u64,
    /// What went wrong on purpose, other than kills.
    pub faults: u32,
    /// How often the observer looked at the whole outbox.
    pub looks: u64,
    /// What is wrong, a sentence each.
    pub findings: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.kills += other.kills;
        self.drops += other.drops;
        self.letters += other.letters;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.bound += other.bound;
        self.dangling += other.dangling;
        self.torn += other.torn;
        self.faults += other.faults;
        self.looks += other.looks;
    }
}

/// A trial that found something.
#[derive(Debug, Clone, Serialize)]
pub struct Failure {
    /// Which.
    pub trial: u64,
    /// What was done in it.
    pub what: String,
    /// What is wrong, a sentence each.
    pub findings: Vec<String>,
    /// The command that repeats it.
    pub again: String,
    /// Where its newsroom is kept.
    pub folder: PathBuf,
}

/// What one sweep came to.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Its name, such as `T2`.
    pub name: &'static str,
    /// What is done in it.
    pub what: &'static str,
    /// How many trials were run.
    pub trials: u64,
    /// How many there are of which every one differs; none where there is no end to them.
    pub of: Option<u64>,
    /// What was counted.
    pub tally: Tally,
    /// What failed.
    pub failures: Vec<Failure>,
    /// What was not run, and why.
    pub skipped: Vec<String>,
    /// How long it took.
    pub seconds: u64,
}

/// What all trials share.
struct Bench {
    program: PathBuf,
    folder: PathBuf,
    seed: u64,
    files: Option<usize>,
    /// Lists that are made once, by tracing a newsroom that nobody hurts.
    lists: Mutex<HashMap<String, Vec<(String, u32)>>>,
}

/// A trial's own part.
struct Trial<'b> {
    bench: &'b Bench,
    number: u64,
    folder: PathBuf,
    chance: Chance,
    /// What is done in it, for whoever reads of its failure.
    what: String,
}

/// The names of all sweeps with what is done in them.
#[must_use]
pub fn sweeps() -> Vec<(&'static str, &'static str)> {
    SWEEPS.iter().map(|sweep| (sweep.name, sweep.what)).collect()
}

/// Runs what is asked for; `tell` hears how it goes, a line at a time.
///
/// # Errors
/// When the folder cannot be used, as a sentence.
pub fn run(plan: &Plan, tell: &mut dyn FnMut(&str)) -> Result<Vec<Row>, String> {
    fs::create_dir_all(&plan.folder)
        .map_err(|error| format!("cannot make `{}`: {error}", plan.folder.display()))?;
    let bench = Bench {
        program: plan.program.clone(),
        folder: plan.folder.clone(),
        seed: plan.seed,
        files: plan.files,
        lists: Mutex::default(),
    };
    let wanted: Vec<&Sweep> = SWEEPS
        .iter()
        .filter(|sweep| {
            plan.only.is_empty() || plan.only.iter().any(|name| name.eq_ignore_ascii_case(sweep.name))
        })
        .collect();
    let begun = Instant::now();
    let mut rows = Vec::new();
    for (at, sweep) in wanted.iter().enumerate() {
        let left = u32::try_from(wanted.len() - at).unwrap_or(1);
        let share = plan.within.map(|within| within.saturating_sub(begun.elapsed()) / left);
        rows.push(run_sweep(sweep, plan, share, &bench, tell));
    }
    let _ = fs::remove_dir(&plan.folder);
    Ok(rows)
}

fn run_sweep(
    sweep: &Sweep,
    plan: &Plan,
    share: Option<Duration>,
    bench: &Bench,
    tell: &mut dyn FnMut(&str),
) -> Row {
    let begun = Instant::now();
    let mut row = Row {
        name: sweep.name,
        what: sweep.what,
        trials: 0,
        of: None,
        tally: Tally::default(),
        failures: Vec::new(),
        skipped: (sweep.hindrances)(),
        seconds: 0,
    };
    for why in &row.skipped {
        tell(&format!("{:<4} SKIPPED: {why}", sweep.name));
    }
    let most = plan.trials.unwrap_or(if plan.short {
        sweep.short
    } else if share.is_some() {
        u64::MAX
    } else {
        sweep.long
    });
    for number in plan.first..plan.first.saturating_add(most) {
        if share.is_some_and(|share| begun.elapsed() >= share && row.trials > 0) {
            break;
        }
        let mut trial = Trial {
            bench,
            number,
            folder: bench.folder.join(format!("{}-{number}", sweep.name)),
            chance: Chance::of(bench.seed, sweep.name, number),
            what: String::new(),
        };
        let _ = fs::remove_dir_all(&trial.folder);
        let done = match fs::create_dir_all(&trial.folder) {
            Ok(()) => (sweep.trial)(&mut trial),
            Err(error) => Err(format!("cannot make its folder: {error}")),
        };
        let tally = match done {
            // There are no more that differ.
            Ok(None) => {
                row.of = Some(number);
                remove(&trial.folder);
                break;
            }
            Ok(Some(tally)) => tally,
            Err(trouble) => {
                Tally { findings: vec![format!("the trial could not be run: {trouble}")], ..Tally::default() }
            }
        };
        row.trials += 1;
        row.tally.add(&tally);
        if tally.findings.is_empty() {
            remove(&trial.folder);
        } else {
            let failure = Failure {
                trial: number,
                what: trial.what.clone(),
                findings: tally.findings.clone(),
                again: format!(
                    "gazetted torture --only {} --seed {} --first {number} --trials 1{}",
                    sweep.name,
                    bench.seed,
                    plan.files.map(|files| format!(" --files {files}")).unwrap_or_default()
                ),
                folder: trial.folder.clone(),
            };
            tell(&report::failure(sweep.name, &failure));
            row.failures.push(failure);
        }
        tell(&report::progress(&row, begun.elapsed()));
    }
    row.seconds = begun.elapsed().as_secs();
    row
}

/// Takes a trial's newsroom away, with what lies beside it.
fn remove(folder: &Path) {
    let _ = fs::remove_dir_all(folder);
    let _ = fs::remove_dir_all(folder.with_extension("lost"));
    let Some(name) = folder.file_name().and_then(|name| name.to_str()) else { return };
    for ending in ["log", "out", "said", "clock", "told", "image", "calls", "backup"] {
        let _ = fs::remove_file(folder.with_file_name(format!("{name}.{ending}")));
    }
}

impl Trial<'_> {
    /// Which of so many kinds this trial is of: every one has its turn, and another seed begins with another.
    fn kind(&self, of: usize) -> usize {
        let number = usize::try_from(self.number.wrapping_add(self.bench.seed)).unwrap_or(0);
        number.checked_rem(of).unwrap_or(0)
    }

    /// A newsroom of this trial, not at work yet.
    fn world(&self, settings: world::Settings) -> Result<world::World, Trouble> {
        world::World::open(&self.folder, &self.bench.program, self.chance.clone(), settings)
    }
}
