//! `gazetted run`: the daemon.

use std::{path::Path, sync::Arc};

use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::{Error, environment, report, say};
use crate::{
    clock::Clock, config::DaemonName, config::Newsroom, config::Role, config::Roles, daemon, daemon::Daemon,
    daemon::service, fault, mail::Way, subscriber::Standing,
};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Write the log as JSON, a line an event
    #[arg(long)]
    json: bool,
    /// What this daemon does, with commas between, instead of what the settings say: inbox, press, mail, http
    #[arg(long, value_name = "ROLES")]
    roles: Option<Roles>,
    /// Its name, where several daemons share a newsroom
    #[arg(long, value_name = "NAME")]
    name: Option<DaemonName>,
}

pub(super) fn run(file: &Path, mut newsroom: Newsroom, arguments: &Arguments) -> Result<(), Error> {
    newsroom.takes_on(arguments.roles.clone(), arguments.name.clone());
    let filter =
        EnvFilter::try_from_env("GAZETTED_LOG").unwrap_or_else(|_| EnvFilter::new("gazetted=info,warn"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .log_internal_errors(false);
    // Keys and addresses are in memory. Where it cannot be set, the unit's own limit stands.
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let _ = setrlimit(Resource::Core, none);
    let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    // A second subscriber cannot be there: this is the first thing that the only daemon of the process does.
    let _ = if arguments.json { log.json().try_init() } else { log.with_ansi(terminal).try_init() };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| daemon::Error::Folder { path: newsroom.root.clone(), source })?;
    let worked = runtime.block_on(work(file, newsroom));
    // What waits for another process or a slow disk must not keep us: it is finished at the next start.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    worked
}

async fn work(file: &Path, mut newsroom: Newsroom) -> Result<(), Error> {
    let root = newsroom.root.clone();
    let signals = |kind| signal(kind).map_err(|source| daemon::Error::Folder { path: root.clone(), source });
    let (mut interrupt, mut terminate) =
        (signals(SignalKind::interrupt())?, signals(SignalKind::terminate())?);
    let mut hang_up = signals(SignalKind::hangup())?;
    let clock = Clock::default();
    if let Some(file) = std::env::var_os(fault::CLOCK) {
        let file = std::path::PathBuf::from(file);
        let ahead = turn(&clock, 0, &file);
        let clock = clock.clone();
        std::thread::spawn(move || follow(&clock, ahead, &file));
    }
    let starting = service::Starting::begin();
    let mut daemon = Daemon::start(&newsroom, &clock).await?;
    drop(starting);
    // Whether or not somebody reads this, the newsroom is open.
    let _ = greet(&newsroom, &daemon);
    service::ready(&daemon);
    loop {
        tokio::select! {
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            _ = hang_up.recv() => {}
            () = service::watch(Arc::clone(&daemon.room)) => {}
            () = daemon.broken.cancelled() => {
                daemon.stop().await;
                return Err(daemon::Error::Broken.into());
            }
        }
        (newsroom, daemon) = reload(file, newsroom, daemon, &clock).await?;
    }
    service::stopping();
    let _ =
        say("stopping: finishing what is at the press and on its way; press Ctrl-C again to stop at once");
    tokio::select! {
        () = daemon.stop() => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Turns the clock to where a file says that it is to be; gives by how many seconds it is ahead then.
fn turn(clock: &Clock, ahead: i64, file: &std::path::Path) -> i64 {
    let told = std::fs::read_to_string(file).ok().and_then(|text| text.trim().parse::<i64>().ok());
    let told = told.unwrap_or(ahead);
    if told != ahead {
        clock.turn(jiff::SignedDuration::from_secs(told - ahead));
    }
    told
}

/// Keeps the clock where a file says, which `gazetted torture` writes; on a thread of its own, for the runtime may be what is hurt.
fn follow(clock: &Clock, mut ahead: i64, file: &std::path::Path) -> ! {
    loop {
        std::thread::sleep(std::time::Duration::from_millis(50));
        ahead = turn(clock, ahead, file);
    }
}

/// Reads the settings anew, with the files that they name, and puts them in force: what the newsroom is at is finished, and it is
/// opened again. Where something is wrong with them, or it cannot be opened with them, it goes on as it was.
///
/// # Errors
/// When it can be opened neither way.
async fn reload(
    file: &Path,
    at_work: Newsroom,
    daemon: Daemon,
    clock: &Clock,
) -> Result<(Newsroom, Daemon), Error> {
    let wrong = |error: Error| {
        tracing::error!("the settings were not changed: {}", report::text(&error));
    };
    let mut fresh = match readable(file) {
        Ok(fresh) => fresh,
        Err(error) => {
            wrong(error);
            return Ok((at_work, daemon));
        }
    };
    let changes = fresh.follow(&at_work);
    if !changes.kept.is_empty() {
        tracing::warn!("{} stay as they were until gazetted is started again", changes.kept.join(", "));
    }
    daemon.stop().await;
    match Daemon::start(&fresh, clock).await {
        Ok(daemon) => {
            let changed = if changes.changed.is_empty() {
                "none differs".to_owned()
            } else {
                changes.changed.join(", ")
            };
            tracing::info!("the settings were read anew and are in force; changed: {changed}");
            if changes.changed.iter().any(|name| name.starts_with("publication.")) {
                tracing::info!("what is out already is as it was; `gazetted replay` prints it anew");
            }
            Ok((fresh, daemon))
        }
        Err(error) => {
            wrong(error.into());
            let daemon = Daemon::start(&at_work, clock).await?;
            Ok((at_work, daemon))
        }
    }
}

/// The settings as they are now, if all that they name can be used.
fn readable(file: &Path) -> Result<Newsroom, Error> {
    let newsroom = Newsroom::open(file, environment())?;
    newsroom.way()?;
    newsroom.stationery()?;
    newsroom.webhook_secret()?;
    newsroom.webhooks()?;
    Ok(newsroom)
}

/// The addresses that an editor wants to know first.
fn greet(newsroom: &Newsroom, daemon: &Daemon) -> Result<(), Error> {
    let here = format!("http://{}/", daemon.address);
    let subscribers = daemon.ledger.count(Standing::Confirmed)?;
    let letters = match newsroom.way()? {
        Way::Folder(folder) => format!("files in {} (no mail server is set)", folder.display()),
        Way::Smtp(relays) => {
            let servers: Vec<String> = relays.iter().map(|relay| relay.server.to_string()).collect();
            format!("by {}", servers.join(", "))
        }
    };
    say(&format!("{} is open", daemon.publication.title))?;
    if newsroom.roles().has(Role::Inbox) {
        say(&format!("  save issues in   {}", newsroom.inbox().display()))?;
    }
    if newsroom.roles().has(Role::Http) {
        say(&format!("  web pages        {here}"))?;
    }
    if let Some(desk) = &daemon.desk {
        say(&format!("  the desk         http://{}/", desk.address))?;
        if let Some(password) = &desk.first_password {
            say(&format!(
                "    its password   {password}   (shown this once; `gazetted desk password` makes a new one)"
            ))?;
        }
    }
    if newsroom.roles().has(Role::Http) {
        say(&format!("  feed             {here}feed.xml"))?;
        say(&format!("  newest book      {here}latest.epub"))?;
    }
    if newsroom.roles().has(Role::Mail) {
        say(&format!(
            "  letters          {letters}, to {}",
            super::report::count(subscribers, "subscriber")
        ))?;
    }
    super::resume::tell_held(&*daemon.ledger)?;
    if daemon.publication.base_url != here {
        say(&format!("  readers come to  {}", daemon.publication.base_url))?;
    }
    say("stop with Ctrl-C")
}
