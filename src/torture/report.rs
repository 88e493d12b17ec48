//! What torture came to: a table for people, and the same for programs.

use std::{fmt::Write as _, time::Duration};

use super::{Failure, Row, Tally};

/// One line about a sweep that is at work.
pub(super) fn progress(row: &Row, elapsed: Duration) -> String {
    let Tally { kills, letters, lost, doubled, .. } = &row.tally;
    format!(
        "{:<4} {:>5} trials, {kills} kills, {letters} letters, {lost} lost, {doubled} doubled, {} failed, {} s",
        row.name,
        row.trials,
        row.failures.len(),
        elapsed.as_secs()
    )
}

/// What is wrong with a trial, and how to have it again.
pub(super) fn failure(sweep: &str, failure: &Failure) -> String {
    let mut text = format!("{sweep} FAILED in trial {} ({})", failure.trial, failure.what);
    for finding in &failure.findings {
        let _ = write!(text, "\n       {finding}");
    }
    let _ = write!(text, "\n       again: {}\n       kept:  {}", failure.again, failure.folder.display());
    text
}

/// The table of all sweeps.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let head = [
        "sweep", "trials", "kills", "faults", "drops", "letters", "lost", "doubled", "may be", "dangling",
        "torn", "failed", "seconds",
    ];
    let mut lines: Vec<Vec<String>> = vec![head.iter().map(|&name| name.to_owned()).collect()];
    let mut sum = Tally::default();
    for row in rows {
        sum.add(&row.tally);
        let trials = match row.of {
            Some(all) if row.trials == all => format!("all {all}"),
            _ => row.trials.to_string(),
        };
        let trials = if row.trials == 0 { "SKIPPED".to_owned() } else { trials };
        lines.push(line(row.name.to_owned(), trials, &row.tally, row.failures.len(), row.seconds));
    }
    let trials: u64 = rows.iter().map(|row| row.trials).sum();
    let failed: usize = rows.iter().map(|row| row.failures.len()).sum();
    lines.push(line(
        "all".into(),
        trials.to_string(),
        &sum,
        failed,
        rows.iter().map(|row| row.seconds).sum(),
    ));
    let widths: Vec<usize> = (0..head.len())
        .map(|at| lines.iter().filter_map(|line| line.get(at)).map(String::len).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for line in &lines {
        let cells: Vec<String> = line
            .iter()
            .zip(&widths)
            .enumerate()
            .map(
                |(at, (cell, width))| {
                    if at == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
                },
            )
            .collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    text.push('\n');
    for row in rows {
        let _ = writeln!(text, "{:<4} {}", row.name, row.what);
        for why in &row.skipped {
            let _ = writeln!(text, "     SKIPPED: {why}");
        }
    }
    text
}

fn line(name: String, trials: String, tally: &Tally, failed: usize, seconds: u64) -> Vec<String> {
    let mut cells = vec![name, trials, tally.kills.to_string(), tally.faults.to_string()];
    let counts = [
        tally.drops,
        tally.letters,
        tally.lost,
        tally.doubled,
        tally.bound,
        tally.dangling,
        tally.torn,
        failed as u64,
        seconds,
    ];
    cells.extend(counts.iter().map(ToString::to_string));
    cells
}

/// The record of a run.
#[must_use]
pub fn json(seed: u64, rows: &[Row]) -> String {
    let record = serde_json::json!({ "version": env!("CARGO_PKG_VERSION"), "seed": seed, "sweeps": rows });
    format!("{record:#}\n")
}
