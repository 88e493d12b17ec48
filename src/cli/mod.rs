//! The command line: one file a command, and one place that prints errors and chooses the exit code.

mod backup;
mod bind;
mod completions;
mod config;
mod desk;
mod digests;
mod dkim;
mod doctor;
mod init;
mod issues;
mod ledger;
mod man;
mod proof;
mod publish;
mod ready;
mod replay;
mod report;
mod resume;
mod roll;
mod run;
mod simulate;
mod subscribers;
mod telling;
mod theme;
mod torture;
mod verify;
mod webhooks;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::{
    config::FILE, config::Newsroom, daemon, durable, editions, fault, hub, ledger::Error as LedgerError,
    memory, press, publication::Publication, vault,
};

/// Done.
const DONE: u8 = 0;
/// Could not.
const COULD_NOT: u8 = 1;
/// Asked wrongly.
const ASKED_WRONGLY: u8 = 2;

/// Drop an issue in a folder: readers get a feed, an e-book and an e-mail, once and correct.
#[derive(Parser)]
#[command(name = "gazetted", version, max_term_width = 100)]
struct Arguments {
    /// The newsroom's settings
    #[arg(long, global = true, value_name = "FILE", default_value = FILE)]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Watch the inbox, publish what comes, send letters and serve readers, until stopped
    Run(run::Arguments),
    /// Publish files now; needs no running daemon, and works beside one
    Publish(publish::Arguments),
    /// Show how a file would be read, with every doubt about it
    Proof(proof::Arguments),
    /// Make a new newsroom
    Init(init::Arguments),
    /// Add, list, show, change or remove subscribers; import and export them
    #[command(subcommand)]
    Subscribers(subscribers::Command),
    /// List the digests, show how the letters of one stand; stop them, let them go on, offer some again
    #[command(subcommand)]
    Digests(digests::Command),
    /// List the issues, show one, withdraw one or hold it back
    #[command(subcommand)]
    Issues(issues::Command),
    /// Print everything anew, after the settings, the theme or gazetted itself have changed; no letter is sent
    Replay,
    /// Bind the issues of a year, or the articles of a section or an author, in one book
    Bind(bind::Arguments),
    /// Make keys that sign letters, or print the records of those in force
    #[command(subcommand)]
    Dkim(dkim::Command),
    /// Make a new password for the desk, the editor's pages; make and revoke tokens for programs
    #[command(subcommand)]
    Desk(desk::Command),
    /// List those who are told what happens, with how that goes; tell one again that had ended
    #[command(subcommand)]
    Webhooks(webhooks::Command),
    /// Show the settings in force
    Config,
    /// List the files of our own theme, or print one, to begin a theme of your own with
    Theme(theme::Arguments),
    /// Look everything over, from settings to the DNS, and say what to do; nothing is changed, and no letter sent
    Doctor(doctor::Arguments),
    /// Keep the whole newsroom in one file, also while it is at work
    Backup(backup::Backup),
    /// Make a newsroom of a backup; its letters are held until `gazetted resume`
    Restore(backup::Restore),
    /// Move the ledger to another database
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// Tell what waits since the newsroom was brought back from a backup, and let it go
    Resume(resume::Arguments),
    /// Check that every link of every feed leads to its file, and that ledger and outbox agree
    Verify,
    /// Ask the daemon that runs here whether it can do its work
    Ready,
    /// Print what a shell needs to complete these commands
    Completions(completions::Arguments),
    /// Print the manual page, or write those of all commands
    Man(man::Arguments),
    /// Kill, starve and hang up on newsrooms made for it, and count what readers lost; touches no newsroom of yours
    Torture(torture::Arguments),
    /// Tell how long letters would take, by so many daemons to so many readers; nothing is sent
    Simulate(simulate::Arguments),
}

/// A command could not do its work.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Config(#[from] crate::config::Error),
    #[error(transparent)]
    Daemon(#[from] daemon::Error),
    #[error(transparent)]
    Desk(#[from] crate::desk::PasswordError),
    #[error(transparent)]
    Token(crate::desk::TokenError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Joining(#[from] crate::joining::Error),
    #[error("cannot publish `{}`", path.display())]
    Publish { path: PathBuf, source: press::Error },
    #[error(transparent)]
    Press(#[from] press::Error),
    #[error("cannot bind `{}`", path.display())]
    Bind { path: PathBuf, source: editions::Error },
    #[error("cannot read `{}`", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("cannot write `{}`", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Vault(#[from] vault::Error),
    #[error("cannot write the answer")]
    Answer(#[source] std::io::Error),
    /// The work was done, and what it found is bad; it has been said already.
    #[error("")]
    Found,
    /// What was asked cannot be.
    #[error("{problem}")]
    Asked { problem: String, help: Option<String> },
}

impl Error {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_)
            | Self::Asked { .. }
            | Self::Vault(
                vault::Error::Exposed { .. } | vault::Error::Foreign { .. } | vault::Error::Taken { .. },
            ) => ASKED_WRONGLY,
            _ => COULD_NOT,
        }
    }
}

/// Runs one command with its arguments, the program's name first. Gives the exit code: 0 done, 1 could not, 2 asked wrongly.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(asked) => {
            let code = if asked.use_stderr() { ASKED_WRONGLY } else { DONE };
            // Nobody is left to tell when the terminal is gone.
            let _ = asked.print();
            return ExitCode::from(code);
        }
    };
    if let Err(problem) = fault::arm() {
        report::print(&Error::Asked { problem, help: None });
        return ExitCode::from(ASKED_WRONGLY);
    }
    durable::let_nobody_else_write();
    memory::keep_some();
    match dispatch(arguments) {
        Ok(()) => ExitCode::from(DONE),
        // Whoever read the answer has had enough: `gazetted issues list | head`.
        Err(Error::Answer(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::from(DONE),
        Err(error) => {
            report::print(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn dispatch(arguments: Arguments) -> Result<(), Error> {
    let file = &arguments.config;
    match arguments.command {
        Command::Run(arguments) => run::run(file, newsroom(file)?, &arguments),
        Command::Publish(arguments) => publish::run(&newsroom(file)?, &arguments),
        Command::Proof(arguments) => proof::run(file, &arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Subscribers(command) => subscribers::run(&newsroom(file)?, command),
        Command::Digests(command) => digests::run(&newsroom(file)?, &command),
        Command::Issues(command) => issues::run(&newsroom(file)?, command),
        Command::Theme(arguments) => theme::run(&arguments),
        Command::Replay => replay::run(&newsroom(file)?),
        Command::Bind(arguments) => bind::run(&newsroom(file)?, &arguments),
        Command::Dkim(command) => dkim::run(&newsroom(file)?, command),
        Command::Desk(command) => desk::run(&newsroom(file)?, &command),
        Command::Webhooks(command) => webhooks::run(&newsroom(file)?, &command),
        Command::Config => config::run(&newsroom(file)?),
        Command::Doctor(arguments) => doctor::run(file, &arguments),
        Command::Backup(arguments) => backup::back_up(file, &newsroom(file)?, &arguments),
        Command::Restore(arguments) => backup::restore(&arguments),
        Command::Ledger(command) => ledger::run(&newsroom(file)?, &command),
        Command::Resume(arguments) => resume::run(&newsroom(file)?, &arguments),
        Command::Verify => verify::run(&newsroom(file)?),
        Command::Ready => ready::run(&newsroom(file)?),
        Command::Completions(arguments) => completions::run(Arguments::command(), &arguments),
        Command::Man(arguments) => man::run(Arguments::command(), &arguments),
        Command::Torture(arguments) => torture::run(&arguments),
        Command::Simulate(arguments) => simulate::run(&arguments),
    }
}

fn newsroom(file: &Path) -> Result<Newsroom, Error> {
    Ok(Newsroom::open(file, environment())?)
}

/// The variables of the environment that are text.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Tells the hub that the feeds have changed. That it cannot be told is no failure: readers' programs come by themselves, later.
fn tell_hub(publication: &Publication) {
    if let Err(error) = hub::tell_and_wait(publication) {
        complain(&format!("{}; readers' programs come by themselves, later", error.in_full()));
    }
}

/// Prints a line about what is wrong. Where nobody can read it, nothing more can be done.
fn complain(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Prints a line of an answer; `Error::Answer` when nobody reads it any more.
fn say(line: &str) -> Result<(), Error> {
    use std::io::Write as _;
    writeln!(std::io::stdout().lock(), "{line}").map_err(Error::Answer)
}
