//! `gazetted torture`: whether a newsroom on this machine survives what machines do.

use std::{path::PathBuf, time::Duration};

use super::{Error, complain, say};
use crate::torture::{self, Plan};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// What all chance follows from: the same seed, the same faults at the same places
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// So many trials of each sweep; without it, as many as the sweep is made for
    #[arg(long, conflicts_with = "for_minutes")]
    trials: Option<u64>,
    /// Begin with this trial: to have one again that failed
    #[arg(long, default_value_t = 0, value_name = "N")]
    first: u64,
    /// So many files in each trial of T6
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    files: Option<u32>,
    /// As many trials as go into so many minutes, shared out among the sweeps
    #[arg(long = "for", value_name = "MINUTES")]
    for_minutes: Option<u64>,
    /// Only these sweeps, such as T2,T4
    #[arg(long, value_delimiter = ',', value_name = "SWEEPS")]
    only: Vec<String>,
    /// Where the newsrooms are made; without it, in the system's folder for temporary files
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// A few trials of each sweep, for a first look
    #[arg(long)]
    short: bool,
    /// Also write what came out as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// List the sweeps, and run none
    #[arg(long)]
    list: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Error> {
    let known = torture::sweeps();
    if arguments.list {
        return known.iter().try_for_each(|(name, what)| say(&format!("{name:<4} {what}")));
    }
    let stranger =
        arguments.only.iter().find(|wanted| !known.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted)));
    if let Some(stranger) = stranger {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        return Err(Error::Asked {
            problem: format!("there is no sweep `{stranger}`"),
            help: Some(format!("say some of {}; `--list` tells what they do", names.join(","))),
        });
    }
    let program = std::env::current_exe()
        .map_err(|source| Error::Read { path: "the program itself".into(), source })?;
    let folder = arguments.folder.clone().unwrap_or_else(std::env::temp_dir);
    let plan = Plan {
        program,
        seed: arguments.seed,
        trials: arguments.trials,
        first: arguments.first,
        within: arguments.for_minutes.map(|minutes| Duration::from_secs(minutes * 60)),
        files: arguments.files.and_then(|files| usize::try_from(files).ok()),
        only: arguments.only.clone(),
        folder: folder.join(format!("gazetted-torture-{}", std::process::id())),
        short: arguments.short,
    };
    let rows = torture::run(&plan, &mut complain).map_err(|problem| Error::Asked { problem, help: None })?;
    if let Some(path) = &arguments.json {
        std::fs::write(path, torture::json(plan.seed, &rows))
            .map_err(|source| Error::Write { path: path.clone(), source })?;
    }
    say(torture::table(&rows).trim_end())?;
    if rows.iter().all(|row| row.failures.is_empty()) { Ok(()) } else { Err(Error::Found) }
}
