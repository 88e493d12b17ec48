//! `gazetted webhooks`: who is told what happens, and how that goes.

use jiff::{Timestamp, tz::TimeZone};

use super::{Error, report, say, telling};
use crate::{config::Newsroom, daemon, ledger::Ledger, ledger::WebhookLine};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// List the webhooks of the settings, with how each stands
    List,
    /// Tell a webhook again that had answered 410, and at once what waits for another
    Resume {
        /// Its address
        url: String,
    },
}

pub(super) fn run(newsroom: &Newsroom, command: &Command) -> Result<(), Error> {
    let ledger = daemon::open_ledger(newsroom)?;
    let zone = newsroom.publication(newsroom.settings.http.listen).time_zone;
    match command {
        Command::List => list(newsroom, &*ledger, &zone),
        Command::Resume { url } => {
            if ledger.resume_webhook(url, Timestamp::now())? {
                return say(&format!("`{url}` is told again what happens from now on, and what waits"));
            }
            Err(Error::Asked {
                problem: format!("nothing waits for `{url}`, and it has not ended"),
                help: Some("`gazetted webhooks list` shows all".to_owned()),
            })
        }
    }
}

fn list(newsroom: &Newsroom, ledger: &dyn Ledger, zone: &TimeZone) -> Result<(), Error> {
    let webhooks = newsroom.webhooks()?;
    if webhooks.is_empty() {
        return say("the settings name no webhook; `[[webhooks]]` in `config/gazetted.toml` does");
    }
    let lines = ledger.webhooks()?;
    for webhook in webhooks {
        let url = webhook.url.as_str();
        let line = lines.iter().find(|line| line.webhook == url);
        say(&format!(
            "{url}  {}",
            line.map_or_else(|| "nothing told yet".to_owned(), |line| told(line, zone))
        ))?;
    }
    Ok(())
}

fn told(line: &WebhookLine, zone: &TimeZone) -> String {
    let time = |at: Timestamp| telling::time(at, zone);
    let mut parts = Vec::new();
    match (line.ended, &line.trouble, line.told) {
        (Some(at), ..) => parts.push(format!("ended {}: it answered 410", time(at))),
        (None, Some((said, at)), _) => {
            parts.push(format!("not told {}: {}", time(*at), telling::one_line(said)));
        }
        (None, None, Some(at)) => parts.push(format!("told {}", time(at))),
        (None, None, None) => {}
    }
    if line.waiting > 0 {
        parts.push(format!("{} waiting", report::count(line.waiting, "event")));
    }
    if line.failed > 0 {
        parts.push(format!("{} given up", line.failed));
    }
    parts.join(", ")
}
