//! `gazetted simulate`: how long letters take, by so many daemons to so many readers, in virtual time.

use std::{fs, path::PathBuf};

use clap::ValueEnum;
use serde_json::json;

use super::{Error, complain, say};
use crate::mail::simulation::{Limit, Order, Outcome, Plan, Receivers, simulate};

#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a command")]
pub(super) struct Arguments {
    /// How many daemons send, each by a relay of its own; several numbers make several rows
    #[arg(long, value_delimiter = ',', default_value = "1", value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..=1000))]
    senders: Vec<u16>,
    /// How many readers get the letter; several numbers make several rows
    #[arg(long, value_delimiter = ',', default_value = "10000", value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    readers: Vec<u32>,
    /// Most connections of each sender at once
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=5000))]
    connections: u16,
    /// A round trip to the relay, in milliseconds
    #[arg(long, default_value_t = 50, value_name = "MS", value_parser = clap::value_parser!(u32).range(0..=60_000))]
    round_trip: u32,
    /// `per_minute` of each sender's settings
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    per_minute: Option<u32>,
    /// `per_minute_per_domain` of the settings
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    per_domain: Option<u32>,
    /// Whether senders share `--per-domain` and tell each other which domain finds them too quick
    #[arg(long, value_enum, default_value_t = Switch::On, value_name = "ON|OFF")]
    shared_throttles: Switch,
    /// Relays take every letter and queue it, and what receivers say is theirs to deal with
    #[arg(long)]
    relay_queues: bool,
    /// The relays' addresses are new to receivers, who take more day by day
    #[arg(long)]
    new_addresses: bool,
    /// How letters are claimed: as the ledger does, domain by domain, or from everywhere at once
    #[arg(long, value_enum, default_value_t = Claims::Domains, value_name = "ORDER")]
    order: Claims,
    /// Letters a second that the ledger claims and settles for all senders together
    #[arg(long, default_value_t = 5000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    ledger_rate: u32,
    /// How long a commit of the ledger takes besides, in microseconds
    #[arg(long, default_value_t = 2000, value_name = "US")]
    commit: u32,
    /// A letter's time of a sender's processor, in microseconds
    #[arg(long, default_value_t = 49, value_name = "US")]
    processor: u32,
    /// The bytes of a letter
    #[arg(long, default_value_t = 29_000, value_name = "BYTES")]
    letter: u32,
    /// What a sender's line carries, in megabits a second
    #[arg(long, default_value_t = 1000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    line: u32,
    /// Who receives, and what each takes; `--list` prints ours, to begin with
    #[arg(long, value_name = "FILE")]
    receivers: Option<PathBuf>,
    /// What all chance follows from: the same seed, the same table
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Also tell how it goes with each domain that has a name
    #[arg(long)]
    domains: bool,
    /// Print our receivers, and simulate nothing
    #[arg(long)]
    list: bool,
    /// Also write what came out as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Claims {
    Domains,
    Spread,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Error> {
    if arguments.list {
        return say(Receivers::OURS.trim_end());
    }
    let receivers = receivers(arguments)?;
    let mut outcomes = Vec::new();
    say(HEAD)?;
    for readers in &arguments.readers {
        for senders in &arguments.senders {
            let plan = plan(arguments, *senders, *readers, &receivers);
            let outcome = simulate(&plan, &mut |seconds, n| {
                complain(&format!("{senders} to {readers}: {n} letters in {}", span(Some(seconds))));
            });
            say(&row(&outcome))?;
            if arguments.domains {
                of_domains(&outcome)?;
            }
            outcomes.push(outcome);
        }
    }
    if let Some(path) = &arguments.json {
        let text = json!({ "seed": arguments.seed, "rows": outcomes }).to_string();
        fs::write(path, text).map_err(|source| Error::Write { path: path.clone(), source })?;
    }
    Ok(())
}

fn receivers(arguments: &Arguments) -> Result<Receivers, Error> {
    let Some(path) = &arguments.receivers else {
        return Receivers::ours().map_err(|problem| Error::Asked { problem, help: None });
    };
    let text = fs::read_to_string(path).map_err(|source| Error::Read { path: path.clone(), source })?;
    Receivers::parse(&text).map_err(|problem| Error::Asked {
        problem: format!("`{}` is no file of receivers: {}", path.display(), problem.trim_end()),
        help: Some("`gazetted simulate --list` prints one".to_owned()),
    })
}

fn plan(arguments: &Arguments, senders: u16, readers: u32, receivers: &Receivers) -> Plan {
    Plan {
        senders: usize::from(senders),
        readers,
        receivers: receivers.clone(),
        connections: usize::from(arguments.connections),
        per_minute: arguments.per_minute,
        per_minute_per_domain: arguments.per_domain,
        are_throttles_shared: arguments.shared_throttles == Switch::On,
        do_relays_queue: arguments.relay_queues,
        are_addresses_new: arguments.new_addresses,
        order: if arguments.order == Claims::Spread { Order::Spread } else { Order::Domains },
        round_trip: u64::from(arguments.round_trip) * 1000,
        processor: u64::from(arguments.processor),
        ledger: 1_000_000 / u64::from(arguments.ledger_rate),
        commit: u64::from(arguments.commit),
        letter_bytes: u64::from(arguments.letter),
        line: u64::from(arguments.line) * 1_000_000,
        seed: arguments.seed,
    }
}

const HEAD: &str = "senders    readers       50 %       90 %       99 %     99.9 %  a second  held up by            \
                    refused   failed  tray kB";

fn row(outcome: &Outcome) -> String {
    let Outcome { senders, readers, seconds, a_second, held_up, failed_though_reachable, .. } = outcome;
    let [half, most, nearly, all] = seconds.map(span);
    let [first, then] = held_up.map(Limit::as_str);
    let held_up = if first == then { first.to_owned() } else { format!("{first}, {then}") };
    let refused = per_letter(outcome.refused_for_now, *readers);
    let kilobytes = outcome.tray_bytes / 1000;
    format!(
        "{senders:>7} {readers:>10} {half:>10} {most:>10} {nearly:>10} {all:>10} {a_second:>9.0}  {held_up:<22} \
         {refused:>6.3} {failed_though_reachable:>8} {kilobytes:>8}"
    )
}

fn of_domains(outcome: &Outcome) -> Result<(), Error> {
    for domain in &outcome.domains {
        let name = domain.domain.as_deref().unwrap_or("all others");
        let [half, nearly] = domain.seconds.map(span);
        say(&format!(
            "        {name:<20} {:>9} of {:>9}  half in {half:>9}, 99 % in {nearly:>9}; at most {} a minute, {} refused for now",
            domain.taken, domain.reachable, domain.most_a_minute, domain.refused_for_now
        ))?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn per_letter(n: u64, letters: u64) -> f64 {
    n as f64 / letters.max(1) as f64
}

/// A span of time as people tell it.
fn span(seconds: Option<f64>) -> String {
    match seconds {
        None => "never".to_owned(),
        Some(seconds) if seconds < 100.0 => format!("{seconds:.1} s"),
        Some(seconds) if seconds < 6000.0 => format!("{:.1} min", seconds / 60.0),
        Some(seconds) if seconds < 360_000.0 => format!("{:.1} h", seconds / 3600.0),
        Some(seconds) => format!("{:.1} days", seconds / 86_400.0),
    }
}
