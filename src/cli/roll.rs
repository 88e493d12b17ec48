//! `gazetted subscribers import` and `export`: the roll of subscribers from and to a table.

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal as _, Read},
    path::{Path, PathBuf},
};

use jiff::{Timestamp, tz::TimeZone};

use super::{Error, report, say};
use crate::{
    durable, durable::Begun, ledger::Ledger, roll, roll::Assumed, roll::NoRehearsal, roll::Origin,
    roll::PAGE, roll::Problem, roll::Rehearsal, roll::Rows, roll::Totals, roll::Unreadable, roll::Writing,
    subscriber::Standing,
};

/// How many rows that were not taken are told on the terminal.
const TOLD: u64 = 20;

/// How many rows until the progress is told where there is no terminal.
const TOLD_EVERY: u64 = 100_000;

/// What is to be imported, and how.
pub(super) struct Import<'a> {
    /// The table.
    pub(super) file: &'a Path,
    /// How they asked, where the table does not say.
    pub(super) how: Option<String>,
    /// Whether it is only tried.
    pub(super) dry_run: bool,
    /// Where the rows are written that were not taken.
    pub(super) report: Option<&'a Path>,
    /// Where times without a zone are told.
    pub(super) zone: TimeZone,
    /// What everybody in it is at least.
    pub(super) standing: Standing,
    /// The folder of the newsroom's state.
    pub(super) data: PathBuf,
}

/// Enters everybody in a table, a thousand at a time; a dry run does it with a copy of the roll.
pub(super) fn import(ledger: &dyn Ledger, import: &Import<'_>) -> Result<(), Error> {
    if !import.dry_run {
        return enter_all(ledger, import);
    }
    let rehearsal = Rehearsal::of(ledger, &import.data).map_err(|error| match error {
        NoRehearsal::Busy => {
            Error::Asked { problem: error.to_string(), help: Some("wait until it is done".to_owned()) }
        }
        NoRehearsal::Place { path, source } => Error::Write { path, source },
        NoRehearsal::Ledger(error) => error.into(),
    })?;
    enter_all(&*rehearsal.ledger, import)
}

fn enter_all(ledger: &dyn Ledger, import: &Import<'_>) -> Result<(), Error> {
    let Import { file, dry_run, .. } = import;
    let unread = |source| Error::Read { path: (*file).to_owned(), source };
    let writing = Writing::of(File::open(file).map_err(unread)?).map_err(unread)?;
    let open = File::open(file).map_err(unread)?;
    let length = open.metadata().map_err(unread)?.len();
    let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
    let assumed = Assumed {
        how: import.how.clone(),
        from: Some(name),
        now: Timestamp::now(),
        time_zone: import.zone.clone(),
        standing: import.standing,
    };
    let read = std::rc::Rc::new(std::cell::Cell::new(0));
    let counted = Counted { file: open, read: std::rc::Rc::clone(&read) };
    let mut rows = match Rows::of(counted, writing, assumed) {
        Ok(rows) => rows,
        Err(Unreadable::Read(source)) => return Err(unread(source)),
        Err(Unreadable::Unusable(why)) => {
            return Err(Error::Asked {
                problem: format!("`{}` is no list of subscribers: {why}", file.display()),
                help: Some(
                    "nobody was entered; name the column with the addresses `address` or `邮箱`".to_owned(),
                ),
            });
        }
    };
    let mut progress = Progress { terminal: io::stderr().is_terminal(), told: 0, done: 0 };
    let mut report = Report::open(import.report)?;
    let tell = |problem: &Problem| report.tell(problem);
    let totals = roll::import(ledger, &mut rows, unread, tell, |totals, ended| {
        progress.tell(totals.rows, read.get(), length, ended);
    })?;
    report.close()?;
    let origin = rows.origin();
    say(&told(&totals, *dry_run, writing.charset(), origin))?;
    if let Some(caution) = origin.and_then(|origin| origin.caution) {
        super::complain(&format!("note: {caution}"));
    }
    if totals.broken > 0 { Err(Error::Found) } else { Ok(()) }
}

fn told(totals: &Totals, dry_run: bool, charset: &str, origin: Option<&Origin>) -> String {
    let standings: Vec<String> = Standing::ALL
        .iter()
        .zip(totals.standings)
        .filter(|(_, n)| *n > 0)
        .map(|(standing, n)| format!("{n} {}", standing.as_str()))
        .collect();
    let standings = if standings.is_empty() { String::new() } else { format!(" ({})", standings.join(", ")) };
    let by = origin.map(|origin| format!(", as {} writes them", origin.name)).unwrap_or_default();
    let dry_run =
        if dry_run { "; this was a dry run: nobody was entered; without `--dry-run` they are" } else { "" };
    format!(
        "{} in {charset}{by}{standings}: {} new, {} changed, {} there already, {} kept away, {} not taken{dry_run}",
        report::count(totals.rows, "row"),
        totals.new,
        totals.changed,
        totals.already,
        totals.kept_away,
        totals.broken
    )
}

/// Where rows are told that were not taken.
struct Report<'a> {
    file: Option<(&'a Path, Begun, csv::Writer<File>)>,
    told: u64,
}

impl<'a> Report<'a> {
    fn open(path: Option<&'a Path>) -> Result<Self, Error> {
        let Some(path) = path else { return Ok(Self { file: None, told: 0 }) };
        let (begun, file) = durable::begin(path).map_err(|source| unwritten(path, source))?;
        let mut table = csv::Writer::from_writer(file);
        table.write_record(["line", "address", "reason"]).map_err(|error| unwritten(path, error.into()))?;
        Ok(Self { file: Some((path, begun, table)), told: 0 })
    }

    fn tell(&mut self, problem: &Problem) -> Result<(), Error> {
        self.told += 1;
        let Problem { line, address, reason } = problem;
        if let Some((path, _, table)) = &mut self.file {
            let cells = [line.to_string(), address.clone(), reason.clone()];
            return table.write_record(cells).map_err(|error| unwritten(path, error.into()));
        }
        if self.told <= TOLD {
            let who = if address.is_empty() { String::new() } else { format!("`{address}`: ") };
            super::complain(&format!("line {line}: {who}{reason}"));
        }
        Ok(())
    }

    fn close(self) -> Result<(), Error> {
        let Some((path, begun, table)) = self.file else {
            if self.told > TOLD {
                let more = self.told - TOLD;
                super::complain(&format!("and {more} more; `--report FILE` writes them all"));
            }
            return Ok(());
        };
        let file = table.into_inner().map_err(|error| unwritten(path, error.into_error()))?;
        begun.finish(&file, path).map_err(|source| unwritten(path, source))?;
        if self.told > 0 {
            let rows = report::count(self.told, "row");
            super::complain(&format!("{rows} that did not come in: `{}` says why", path.display()));
        }
        Ok(())
    }
}

fn unwritten(path: &Path, source: io::Error) -> Error {
    Error::Write { path: path.to_owned(), source }
}

/// How far the work is: a line that changes on a terminal, else one now and then.
struct Progress {
    terminal: bool,
    told: u64,
    /// The hundredth that was told last.
    done: u64,
}

impl Progress {
    fn tell(&mut self, rows: u64, read: u64, length: u64, ended: bool) {
        let done =
            if ended { 100 } else { read.saturating_mul(100).checked_div(length).unwrap_or(100).min(99) };
        let news = done != self.done || ended;
        if self.terminal && rows >= PAGE as u64 && news {
            self.done = done;
            eprint!("\r{rows} rows, {done} %{}", if ended { "\n" } else { "" });
        } else if !self.terminal && rows / TOLD_EVERY > self.told {
            self.told = rows / TOLD_EVERY;
            super::complain(&format!("{rows} rows, {done} %"));
        }
    }
}

/// A file that tells how much of it was read.
struct Counted {
    file: File,
    read: std::rc::Rc<std::cell::Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(into)?;
        self.read.set(self.read.get() + n as u64);
        Ok(n)
    }
}

/// Writes everybody as a table.
pub(super) fn export(ledger: &dyn Ledger, file: Option<&Path>) -> Result<(), Error> {
    let Some(path) = file else {
        roll::export(ledger, BufWriter::new(io::stdout().lock()), Error::Answer)?;
        return Ok(());
    };
    let (begun, file) = durable::begin(path).map_err(|source| unwritten(path, source))?;
    private(&file).map_err(|source| unwritten(path, source))?;
    let (file, n) = roll::export(ledger, file, |source| unwritten(path, source))?;
    begun.finish(&file, path).map_err(|source| unwritten(path, source))?;
    say(&format!("{} written to `{}`", report::count(n, "subscriber"), path.display()))
}

/// Nobody else on the machine reads who gets the letters.
fn private(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))
}
