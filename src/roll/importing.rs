//! Enters the rows of a table, a thousand at a time, and writes everybody as a table.

use std::io::{self, Read, Write};

use super::{COLUMNS, Problem, Row, Rows, row_of};
use crate::{
    ledger, ledger::Entered, ledger::Entry, ledger::Ledger, subscriber::Standing, subscriber::SubscriberId,
};

/// How many are read, entered or written at a time: memory stays the same for ten and for a million.
pub const PAGE: usize = 1000;

/// What has become of the rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many there were so far.
    pub rows: u64,
    /// How many could be read.
    pub good: u64,
    /// How many could not.
    pub broken: u64,
    /// How many are there now.
    pub new: u64,
    /// How many were there with another standing.
    pub changed: u64,
    /// How many were there already.
    pub already: u64,
    /// How many had left, are suppressed or were erased, and are not brought back.
    pub kept_away: u64,
    /// How many have each standing by the table, in the order of [`Standing::ALL`].
    pub standings: [u64; 4],
}

/// Enters everybody in a table. `tell` hears of every row that is not taken, `progress` of each thousand.
///
/// # Errors
/// What `unread` makes of a fault of the disk, the ledger's own, or what `tell` gives; those of the thousands before are entered.
pub fn import<R: Read, E: From<ledger::Error>>(
    ledger: &dyn Ledger,
    rows: &mut Rows<R>,
    unread: impl Fn(io::Error) -> E,
    mut tell: impl FnMut(&Problem) -> Result<(), E>,
    mut progress: impl FnMut(&Totals, bool),
) -> Result<Totals, E> {
    let mut totals = Totals::default();
    let mut batch: Vec<Row> = Vec::with_capacity(PAGE);
    loop {
        let row = rows.next().transpose().map_err(&unread)?;
        let ended = row.is_none();
        match row {
            Some(Ok(row)) => batch.push(row),
            Some(Err(problem)) => {
                totals.broken += 1;
                tell(&problem)?;
            }
            None => {}
        }
        if batch.len() == PAGE || ended {
            totals.rows = totals.broken + totals.good + batch.len() as u64;
            for problem in enter(ledger, std::mem::take(&mut batch), &mut totals)? {
                tell(&problem)?;
            }
            progress(&totals, ended);
        }
        if ended {
            return Ok(totals);
        }
    }
}

/// Enters some rows; gives those that were kept away.
fn enter(ledger: &dyn Ledger, batch: Vec<Row>, totals: &mut Totals) -> Result<Vec<Problem>, ledger::Error> {
    totals.good += batch.len() as u64;
    for row in &batch {
        let place = Standing::ALL.iter().position(|standing| *standing == row.entry.standing);
        if let Some(count) = place.and_then(|place| totals.standings.get_mut(place)) {
            *count += 1;
        }
    }
    let mut problems = Vec::new();
    if batch.is_empty() {
        return Ok(problems);
    }
    let (known, entries): (Vec<(u64, String, Standing)>, Vec<Entry>) = batch
        .into_iter()
        .map(|row| ((row.line, row.entry.address.to_string(), row.entry.standing), row.entry))
        .unzip();
    let entered = ledger.enter(entries)?;
    for ((line, address, standing), entered) in known.into_iter().zip(entered) {
        let reason = match entered {
            Entered::New(_) => {
                totals.new += 1;
                continue;
            }
            Entered::Changed(_) => {
                totals.changed += 1;
                continue;
            }
            Entered::Already(_) => {
                totals.already += 1;
                continue;
            }
            // Nothing is lost where the row says the same.
            Entered::HadLeft(_) if standing == Standing::Left => {
                totals.already += 1;
                continue;
            }
            Entered::IsSuppressed(_) if standing == Standing::Suppressed => {
                totals.already += 1;
                continue;
            }
            Entered::HadLeft(_) => "had left, and is not brought back",
            Entered::IsSuppressed(_) => "must not be written to, and is not brought back",
            Entered::WasForgotten => "was erased at its owner's wish, and does not come back",
        };
        totals.kept_away += 1;
        problems.push(Problem { line, address, reason: reason.to_owned() });
    }
    Ok(problems)
}

/// Writes everybody as a table. Gives what it was written to, and how many they are.
///
/// # Errors
/// The ledger's own, or what `failed` makes of a fault of the disk.
pub fn export<W: Write, E: From<ledger::Error>>(
    ledger: &dyn Ledger,
    to: W,
    failed: impl Fn(io::Error) -> E,
) -> Result<(W, u64), E> {
    let mut table = csv::Writer::from_writer(to);
    table.write_record(COLUMNS).map_err(|error| failed(error.into()))?;
    let (mut after, mut n) = (SubscriberId(0), 0);
    loop {
        let page = ledger.subscribers(after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.id;
        n += page.len() as u64;
        for subscriber in &page {
            table.write_record(row_of(subscriber)).map_err(|error| failed(error.into()))?;
        }
    }
    let to = table.into_inner().map_err(|error| failed(error.into_error()))?;
    Ok((to, n))
}
