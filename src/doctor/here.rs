//! What can be seen on this machine: settings, folders, disks, the clock, the ledger, the daemon and the programs of others.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::Finding;
use crate::{
    clock, config::Newsroom, daemon, durable, helper, inbox, ledger::Keeping, ledger::Sharing,
    ledger::postgres::Address, ledger::postgres::Postgres, ledger::sqlite::Sqlite,
};

/// With less room than that, in bytes, a large issue may not come out;
const LITTLE: u64 = 500 << 20;
/// and with less than that hardly any.
const NONE: u64 = 50 << 20;

/// With fewer free places for files than that, an issue may not come out.
const FEW_FILES: u64 = 10_000;

/// A backup that is older should be made again.
const OLD: SignedDuration = SignedDuration::from_hours(8 * 24);

/// Bit of the capability that lets leases be taken of files of others (linux/capability.h).
const CAP_LEASE: u32 = 28;

/// What a program of others may cost that only tells its version.
const LIMITS: helper::Limits =
    helper::Limits { time: SignedDuration::from_secs(10), memory: 1 << 30, output: 64 * 1024 };

pub(super) fn settings(newsroom: &Newsroom) -> Vec<Finding> {
    let settings = &newsroom.settings;
    let mut findings = Vec::new();
    if settings.publication.authority.contains(".invalid,") {
        findings.push(Finding::look(
            "settings",
            format!("`authority` is `{}`, which is nobody's", settings.publication.authority),
            "set a domain or an address of yours and a year in which you held it, before the first issue is out; it never changes",
        ));
    }
    if settings.publication.base_url.is_none() && !settings.mail.servers().is_empty() {
        findings.push(Finding::look(
            "settings",
            "letters go to a mail server, and there is no `base_url`: their links lead to this machine",
            "set `base_url` in [publication] to the address that readers use, then run `gazetted replay`",
        ));
    }
    for named in newsroom.named_files() {
        let path = newsroom.root.join(&named);
        let secret = |file: &PathBuf| {
            settings.publication.cover.as_ref() != Some(file)
                && settings.publication.theme.as_ref() != Some(file)
                && settings.outbox.ca_file.as_ref() != Some(file)
                && !settings.mail.servers().iter().any(|relay| relay.ca_file.as_ref() == Some(file))
        };
        if secret(&named) && mode(&path).is_some_and(|mode| mode & 0o007 != 0) {
            findings.push(Finding::look(
                "secrets",
                format!("everybody on this machine can read `{}`", path.display()),
                format!("chmod o= {}", path.display()),
            ));
        }
    }
    findings
}

fn mode(path: &Path) -> Option<u32> {
    path.metadata().ok().map(|metadata| metadata.permissions().mode() & 0o777)
}

/// The folders on this machine that a newsroom works in.
fn ours(newsroom: &Newsroom) -> Vec<(&'static str, PathBuf)> {
    let outbox = newsroom.settings.outbox.bucket.is_none().then(|| ("outbox", newsroom.outbox()));
    let others = [("inbox", newsroom.inbox()), ("data", newsroom.data())];
    others[..1].iter().cloned().chain(outbox).chain(others[1..].iter().cloned()).collect()
}

/// Whether the bucket can be listed, read and written, where readers are served from one. It waits for the network.
pub(super) fn bucket(newsroom: &Newsroom) -> Option<Finding> {
    let address = String::from(newsroom.settings.outbox.bucket.clone()?);
    let help = "see `[outbox]` in the settings and *The outbox in a bucket* in docs/operating.md; issues wait meanwhile, and nothing is lost";
    let tried = daemon::open_outbox(newsroom).map_err(|error| whole(&error));
    let tried = tried.and_then(|outbox| outbox.try_writing().map_err(|error| whole(&error)));
    Some(match tried {
        Ok(()) => Finding::ok("outbox", format!("`{address}` can be listed, read and written")),
        Err(why) => Finding::wrong("outbox", why, help),
    })
}

pub(super) fn folders(newsroom: &Newsroom) -> Vec<Finding> {
    let us = rustix::process::geteuid();
    let mut findings = Vec::new();
    for (subject, folder) in ours(newsroom) {
        let shown = folder.display();
        let Ok(metadata) = folder.metadata() else {
            findings.push(Finding::look(
                subject,
                format!("`{shown}` is not there"),
                "`gazetted run` makes it; where it should be a mount, mount it first",
            ));
            continue;
        };
        if let Err(error) = durable::try_writing(&folder) {
            findings.push(Finding::wrong(
                subject,
                format!("`{shown}` cannot be written: {error}"),
                format!(
                    "it belongs to user {}, and this is user {}: run as that user, or give it to this one",
                    metadata.uid(),
                    us.as_raw()
                ),
            ));
            continue;
        }
        findings.push(Finding::ok(subject, format!("`{shown}` can be written")));
        if us.is_root() && metadata.uid() != 0 {
            findings.push(Finding::look(
                subject,
                format!("this is root, and `{shown}` belongs to user {}", metadata.uid()),
                format!("ask as that user, whose rights count: `runuser -u '#{}' -- gazetted doctor`, or through your unit", metadata.uid()),
            ));
        }
        if subject == "inbox" && metadata.uid() != us.as_raw() && !may_lease() {
            findings.push(Finding::look(
                subject,
                "its files belong to others, and without CAP_LEASE it is not seen who still writes one",
                "grant the capability (`AmbientCapabilities=CAP_LEASE` in the unit), or give `settle_after` more time",
            ));
        }
    }
    let ledger = newsroom.data().join("ledger.db");
    if mode(&ledger).is_some_and(|mode| mode & 0o007 != 0) {
        findings.push(Finding::look(
            "secrets",
            format!("everybody on this machine can read the addresses in `{}`", ledger.display()),
            format!("chmod o= {}*", ledger.display()),
        ));
    }
    findings
}

/// Whether we may take leases of files of others, by what the kernel says of us.
fn may_lease() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    effective
        .and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok())
        .is_some_and(|bits| bits >> CAP_LEASE & 1 == 1)
}

pub(super) fn disks(newsroom: &Newsroom) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for (name, folder) in ours(newsroom) {
        let Ok(disk) = rustix::fs::statvfs(&folder) else { continue };
        let room = disk.f_bavail.saturating_mul(disk.f_frsize);
        let said = format!("{name}: {} MiB free", room >> 20);
        let help = "free some space: issues wait when there is none, and nothing is lost";
        findings.push(if room < NONE {
            Finding::wrong("disk", said, help)
        } else if room < LITTLE {
            Finding::look("disk", said, help)
        } else if disk.f_files > 0 && disk.f_favail < FEW_FILES {
            let said = format!("{name}: room for {} more files", disk.f_favail);
            Finding::look("disk", said, "remove files, or take a file system with more inodes")
        } else {
            Finding::ok("disk", said)
        });
    }
    findings
}

pub(super) fn clock(now: Timestamp) -> Finding {
    let shown = now.to_zoned(TimeZone::UTC);
    let said = format!("it is {}", shown.strftime("%Y-%m-%d %H:%M:%S UTC"));
    if clock::can_be_right(now) {
        Finding::ok("clock", said)
    } else {
        let help = "set it (`timedatectl set-ntp true`): nothing is published until then, for issues carry their times for ever";
        Finding::wrong("clock", said, help)
    }
}

pub(super) fn ledger(newsroom: &Newsroom, now: Timestamp) -> Vec<Finding> {
    let path = newsroom.data().join("ledger.db");
    match newsroom.ledger_address() {
        Ok(None) => {}
        Ok(Some(address)) => return ledger_on_postgres(newsroom, &address, now),
        Err(error) => {
            let help = "write the password into that file, readable by gazetted alone";
            return vec![Finding::wrong("ledger", whole(&error), help)];
        }
    }
    let shown = path.display();
    if !path.exists() {
        return vec![Finding::look(
            "ledger",
            format!("`{shown}` is not there yet"),
            "`gazetted run` makes it",
        )];
    }
    let (schema, troubles) = match Sqlite::look_at(&path) {
        Ok(found) => found,
        Err(error) => {
            let why = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            let help = "see who may read it; where the disk is at fault, bring back a backup";
            return vec![Finding::wrong("ledger", format!("{error}: {why}"), help)];
        }
    };
    if let Some(trouble) = troubles.first() {
        let help = "stop the daemon, keep a copy of the file, and bring back a backup (docs/operating.md)";
        return vec![Finding::wrong("ledger", format!("`{shown}` is damaged: {trouble}"), help)];
    }
    let known = Sqlite::SCHEMA;
    if schema > known {
        let help = "run the newer gazetted that wrote it";
        return vec![Finding::wrong(
            "ledger",
            format!("it has schema {schema}, and this gazetted knows {known}"),
            help,
        )];
    }
    if schema < known {
        let help = "`gazetted run` migrates it, after a copy to `backups/`";
        return vec![Finding::look(
            "ledger",
            format!("it is whole, with schema {schema}; ours is {known}"),
            help,
        )];
    }
    let mut findings = vec![Finding::ok("ledger", format!("`{shown}` is whole, schema {schema}"))];
    let Ok(ledger) = Sqlite::open(&path) else { return findings };
    findings.extend(kept(&ledger, now));
    findings
}

/// An error with its causes, in one line.
fn whole(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(why) = cause {
        said = format!("{said}: {why}");
        cause = why.source();
    }
    said
}

fn ledger_on_postgres(newsroom: &Newsroom, address: &Address, now: Timestamp) -> Vec<Finding> {
    let file = newsroom.data().join("ledger.db");
    if file.exists() {
        let said = format!("it is at `{address}`, and there is another one in `{}`", file.display());
        let help =
            "carry that over (`gazetted ledger move --from FILE --to postgres://...`), or put it aside";
        return vec![Finding::wrong("ledger", said, help)];
    }
    let schema = match Postgres::look_at(address) {
        Ok(schema) => schema,
        Err(error) => {
            let help = "see that the server runs, and who may log in (docs/operating.md)";
            return vec![Finding::wrong("ledger", whole(&error), help)];
        }
    };
    let known = Postgres::SCHEMA;
    if schema > known {
        let said = format!("it has schema {schema}, and this gazetted knows {known}");
        return vec![Finding::wrong("ledger", said, "run the newer gazetted that wrote it")];
    }
    if schema < known {
        let said = format!("`{address}` can be reached; there is no ledger of ours yet");
        return vec![Finding::look("ledger", said, "`gazetted run` makes it")];
    }
    let mut findings = vec![Finding::ok(
        "ledger",
        format!("`{address}` can be reached, schema {schema}; its operator keeps it whole"),
    )];
    if let Ok(ledger) = Postgres::open(address) {
        findings.extend(kept(&ledger, now));
        findings.extend(lead(newsroom, &ledger));
    }
    findings
}

/// Which daemon leads.
fn lead(newsroom: &Newsroom, ledger: &dyn Sharing) -> Option<Finding> {
    let Some(leader) = ledger.leader().ok()? else {
        let help = "`gazetted run` with the roles inbox and press, which all have that are given none";
        return Some(Finding::look("lead", "no daemon leads: what is saved does not come out", help));
    };
    let known = daemon::known(newsroom).into_iter().find(|known| known.holder.as_ref() == Some(&leader));
    let said = match known.map(|known| known.name) {
        Some(Some(name)) => format!("`{name}` leads: it publishes what is saved"),
        Some(None) => "the daemon without a name leads: it publishes what is saved".to_owned(),
        None => "a daemon that has no place in this folder leads: it publishes what is saved".to_owned(),
    };
    Some(Finding::ok("lead", said))
}

/// When the last backup was made, and whether letters are held.
fn kept(ledger: &dyn Keeping, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    let help = "`gazetted backup FILE` makes one; docs/operating.md has a line for every night";
    match ledger.last_backup() {
        Ok(Some(at)) if now.duration_since(at) <= OLD => {
            findings.push(Finding::ok(
                "backup",
                format!("the last was made at {}", at.strftime("%Y-%m-%d %H:%M UTC")),
            ));
        }
        Ok(Some(at)) => findings.push(Finding::look(
            "backup",
            format!("the last was made at {}", at.strftime("%Y-%m-%d %H:%M UTC")),
            help,
        )),
        Ok(None) | Err(_) => findings.push(Finding::look("backup", "none was made yet", help)),
    }
    if ledger.holds_letters().unwrap_or(false) {
        let said = "letters are held since this newsroom was brought back from a backup";
        findings.push(Finding::look("letters", said, "`gazetted resume` tells what waits, and lets it go"));
    }
    findings
}

pub(super) fn daemon(newsroom: &Newsroom) -> Finding {
    let running: Vec<daemon::Known> =
        daemon::known(newsroom).into_iter().filter(|known| known.runs).collect();
    let names: Vec<String> =
        running.iter().filter_map(|known| known.name.as_ref()).map(|name| format!("`{name}`")).collect();
    match (running.len(), names.len()) {
        (0, _) => Finding::look("daemon", "it does not run", "`gazetted run` starts it"),
        (_, 0) => Finding::ok("daemon", "it runs"),
        (all, named) if all == named => Finding::ok("daemon", format!("at work here: {}", names.join(", "))),
        _ => Finding::ok("daemon", format!("at work here: {} and one without a name", names.join(", "))),
    }
}

pub(super) fn watching(newsroom: &Newsroom) -> Finding {
    let folder = newsroom.inbox();
    if folder.exists() && !inbox::is_local(&folder) {
        let said =
            format!("`{}` is no disk of this machine, where nobody tells what is saved", folder.display());
        return Finding::look(
            "watching",
            said,
            "it is looked at every few seconds instead; that is well, if slower",
        );
    }
    let limit = |name: &str| -> Option<u64> {
        let text = fs::read_to_string(Path::new("/proc/sys/fs/inotify").join(name)).ok()?;
        text.trim().parse().ok()
    };
    let (watches, instances) = (limit("max_user_watches"), limit("max_user_instances"));
    let wanted = n_folders(&folder, 0);
    match (watches, instances) {
        (Some(watches), Some(instances)) if watches >= 2 * wanted && instances >= 8 => {
            Finding::ok("watching", format!("{wanted} of {watches} watches are needed"))
        }
        (Some(watches), Some(instances)) => Finding::look(
            "watching",
            format!(
                "the inbox has {wanted} folders, and this system lets a user watch {watches}, in {instances} programs"
            ),
            "`sysctl fs.inotify.max_user_watches=65536 fs.inotify.max_user_instances=128`; without it the inbox is looked at every few seconds",
        ),
        _ => Finding::look(
            "watching",
            "this system does not say how much may be watched",
            "the inbox is looked at every few seconds in any case",
        ),
    }
}

/// How many folders there are, from this one down; not more than are needed to tell.
fn n_folders(folder: &Path, depth: u32) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let below = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()) && depth < 16);
    1 + below.map(|entry| n_folders(&entry.path(), depth + 1)).sum::<u64>()
}

pub(super) fn programs() -> Vec<Finding> {
    let programs = [
        (
            "pdftotext",
            "-v",
            "PDFs are not read without it; install poppler's tools (`apt-get install poppler-utils`)",
        ),
        ("openssl", "version", "`gazetted dkim new` needs it; install it (`apt-get install openssl`)"),
    ];
    let found = programs.map(|(program, version, help)| {
        match helper::run(Path::new(program), &[version], b"", &LIMITS) {
            Ok(answer) => {
                let said = String::from_utf8_lossy(&answer.output).into_owned() + &answer.complaint;
                let line = said.lines().next().unwrap_or(program).chars().take(60).collect::<String>();
                Finding::ok("programs", format!("{program}: {line}"))
            }
            Err(error) => Finding::look("programs", error.to_string(), help),
        }
    });
    found.into()
}
