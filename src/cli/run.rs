//! `gazetted run`: the daemon.

use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::{Error, say};
use crate::{clock::Clock, config::Newsroom, daemon, daemon::Daemon, mail::Way, subscriber::Standing};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Write the log as JSON, a line an event
    #[arg(long)]
    json: bool,
}

pub(super) fn run(newsroom: &Newsroom, arguments: &Arguments) -> Result<(), Error> {
    let filter =
        EnvFilter::try_from_env("GAZETTED_LOG").unwrap_or_else(|_| EnvFilter::new("gazetted=info,warn"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .log_internal_errors(false);
    let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    // A second subscriber cannot be there: this is the first thing that the only daemon of the process does.
    let _ = if arguments.json { log.json().try_init() } else { log.with_ansi(terminal).try_init() };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| daemon::Error::Folder { path: newsroom.root.clone(), source })?;
    let worked = runtime.block_on(work(newsroom));
    // What waits for another process or a slow disk must not keep us: it is finished at the next start.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    worked
}

async fn work(newsroom: &Newsroom) -> Result<(), Error> {
    let signals =
        |kind| signal(kind).map_err(|source| daemon::Error::Folder { path: newsroom.root.clone(), source });
    let (mut interrupt, mut terminate) =
        (signals(SignalKind::interrupt())?, signals(SignalKind::terminate())?);
    let daemon = Daemon::start(newsroom, &Clock::default()).await?;
    // Whether or not somebody reads this, the newsroom is open.
    let _ = greet(newsroom, &daemon);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = daemon.broken.cancelled() => {
            daemon.stop().await;
            return Err(daemon::Error::Broken.into());
        }
    }
    let _ =
        say("stopping: finishing what is at the press and on its way; press Ctrl-C again to stop at once");
    tokio::select! {
        () = daemon.stop() => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
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
    say(&format!("  save issues in   {}", newsroom.inbox().display()))?;
    say(&format!("  web pages        {here}"))?;
    if let Some(desk) = &daemon.desk {
        say(&format!("  the desk         http://{}/", desk.address))?;
        if let Some(password) = &desk.first_password {
            say(&format!(
                "    its password   {password}   (shown this once; `gazetted desk password` makes a new one)"
            ))?;
        }
    }
    say(&format!("  feed             {here}feed.xml"))?;
    say(&format!("  newest book      {here}latest.epub"))?;
    say(&format!("  letters          {letters}, to {}", super::report::count(subscribers, "subscriber")))?;
    super::resume::tell_held(&*daemon.ledger)?;
    if daemon.publication.base_url != here {
        say(&format!("  readers come to  {}", daemon.publication.base_url))?;
    }
    say("stop with Ctrl-C")
}
