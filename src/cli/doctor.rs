//! `gazetted doctor`: whether all is well, and what to do.

use std::{net::SocketAddr, path::Path};

use jiff::Timestamp;

use super::{Error, environment, report, say};
use crate::{daemon, doctor, doctor::State};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Print a JSON object a line, for programs
    #[arg(long)]
    json: bool,
    /// Ask this name server instead of the system's, such as 192.0.2.53:53
    #[arg(long, value_name = "ADDRESS:PORT")]
    resolver: Option<SocketAddr>,
}

pub(super) fn run(file: &Path, arguments: &Arguments) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| daemon::Error::Folder { path: file.to_owned(), source })?;
    let examining = doctor::examine(file, environment(), arguments.resolver, Timestamp::now());
    let findings = runtime.block_on(examining);
    // A name server that does not answer must not hold us.
    runtime.shutdown_background();
    let count = |state| findings.iter().filter(|finding| finding.state == state).count() as u64;
    for finding in &findings {
        if arguments.json {
            say(&serde_json::to_string(finding).unwrap_or_default())?;
            continue;
        }
        let state = match finding.state {
            State::Ok => "ok   ",
            State::Look => "look ",
            State::Wrong => "WRONG",
        };
        say(&format!("{state}  {:<9}  {}", finding.subject, finding.said))?;
        if let Some(help) = &finding.help {
            say(&format!("                  → {help}"))?;
        }
    }
    let wrong = count(State::Wrong);
    if !arguments.json {
        say(&format!(
            "{} well, {} to look at, {wrong} wrong",
            report::count(count(State::Ok), "thing"),
            count(State::Look)
        ))?;
    }
    if wrong > 0 { Err(Error::Found) } else { Ok(()) }
}
