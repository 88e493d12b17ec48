//! Looks a newsroom over, from its settings to the records in the DNS, and says of each thing whether it is well and what to do.
//!
//! **It changes nothing, and sends no letter.**

mod here;
mod letters;
mod web;

use std::{net::SocketAddr, path::Path, time::Duration};

use jiff::Timestamp;
use serde::Serialize;

use crate::config::{self, Newsroom};

/// How long one question to another machine may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Well.
    Ok,
    /// It works, and somebody should look at it.
    Look,
    /// It does not work, or will not for long.
    Wrong,
}

/// What was found of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The thing, in a word or two.
    pub subject: &'static str,
    /// How it is.
    pub state: State,
    /// What was found.
    pub said: String,
    /// What to do, where something is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Finding {
    fn ok(subject: &'static str, said: impl Into<String>) -> Self {
        Self { subject, state: State::Ok, said: said.into(), help: None }
    }

    fn look(subject: &'static str, said: impl Into<String>, help: impl Into<String>) -> Self {
        Self { subject, state: State::Look, said: said.into(), help: Some(help.into()) }
    }

    fn wrong(subject: &'static str, said: impl Into<String>, help: impl Into<String>) -> Self {
        Self { subject, state: State::Wrong, said: said.into(), help: Some(help.into()) }
    }
}

/// Looks over the newsroom whose settings are in `file`. `resolver` is the name server that is asked, instead of the system's.
pub async fn examine(
    file: &Path,
    environment: impl IntoIterator<Item = (String, String)>,
    resolver: Option<SocketAddr>,
    now: Timestamp,
) -> Vec<Finding> {
    let newsroom = match Newsroom::open(file, environment) {
        Ok(newsroom) => newsroom,
        Err(error) => return vec![unusable(&error)],
    };
    let publication = newsroom.publication(newsroom.settings.http.listen);
    let mut findings = vec![Finding::ok(
        "settings",
        format!("`{}`: {} (`{}`)", file.display(), publication.title, publication.key),
    )];
    findings.extend(here::settings(&newsroom));
    findings.extend(here::folders(&newsroom));
    findings.extend(here::bucket(&newsroom));
    findings.extend(here::disks(&newsroom));
    findings.push(here::clock(now));
    findings.extend(here::ledger(&newsroom, now));
    findings.push(here::daemon(&newsroom));
    findings.push(here::watching(&newsroom));
    findings.extend(here::programs());
    findings.extend(letters::servers(&newsroom).await);
    findings.extend(letters::records(&newsroom, resolver).await);
    findings.extend(web::pages(&newsroom).await);
    findings
}

fn unusable(error: &config::Error) -> Finding {
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(because) = cause {
        said = format!("{said}: {because}");
        cause = because.source();
    }
    Finding::wrong("settings", said, "mend that first; nothing else was looked at")
}
