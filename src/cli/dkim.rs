//! `gazetted dkim`: the keys with which letters are signed.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use jiff::SignedDuration;

use super::{Error, say};
use crate::{config::Newsroom, durable, helper, mail::Record, mail::Signer, mail::new_ed25519};

/// What making an RSA key may cost: a second as a rule.
const LIMITS: helper::Limits =
    helper::Limits { time: SignedDuration::from_mins(2), memory: 1 << 30, output: 64 * 1024 };

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Make a pair of new keys, RSA and Ed25519, and print the records by which servers know them
    New {
        /// What tells these keys from later ones: letters, digits and hyphens
        #[arg(long, default_value = "gazetted")]
        selector: String,
        /// The domain that signs, if not that of the sender's address
        #[arg(long)]
        domain: Option<String>,
    },
    /// Print the records of the keys in force
    Show,
}

pub(super) fn run(newsroom: &Newsroom, command: Command) -> Result<(), Error> {
    match command {
        Command::New { selector, domain } => new(newsroom, &selector, domain.as_deref()),
        Command::Show => match newsroom.signer()? {
            Some(signer) => signer.records().iter().try_for_each(show),
            None => Err(Error::Asked {
                problem: "letters are not signed".to_owned(),
                help: Some("`gazetted dkim new` makes keys, and says what to set".to_owned()),
            }),
        },
    }
}

fn new(newsroom: &Newsroom, selector: &str, domain: Option<&str>) -> Result<(), Error> {
    let label = |label: &str| {
        (1..=40).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let asked = |problem: String| Error::Asked { problem, help: Some("no key was made".to_owned()) };
    if !label(selector) {
        return Err(asked(format!("`{selector}` is no selector such as `gazetted-2026`")));
    }
    let domain = domain.unwrap_or(newsroom.settings.mail.signing_domain());
    if !domain.split('.').all(label) {
        return Err(asked(format!("`{domain}` is no domain such as `example.org`")));
    }
    let folder = newsroom.data().join("dkim");
    let path = |kind: &str| folder.join(format!("{selector}-{kind}.pem"));
    for kind in ["rsa", "ed25519"] {
        if path(kind).exists() {
            let there = path(kind).display().to_string();
            return Err(asked(format!("`{there}` is there already; name another selector")));
        }
    }
    let rsa = new_rsa()?;
    let ed25519 = new_ed25519().ok_or_else(|| asked("the system has no random numbers".to_owned()))?;
    durable::make_folders(&folder).map_err(|source| Error::Write { path: folder.clone(), source })?;
    let mut keys = Vec::new();
    for (kind, pem) in [("rsa", rsa), ("ed25519", ed25519.into_bytes())] {
        write(&path(kind), &pem).map_err(|source| Error::Write { path: path(kind), source })?;
        keys.push((format!("{selector}-{kind}"), pem));
    }
    let signer = Signer::of(domain, &keys).map_err(|(_, error)| asked(error.to_string()))?;
    say("Publish these records in the DNS:\n")?;
    signer.records().iter().try_for_each(show)?;
    let names = ["rsa", "ed25519"].map(|kind| named(newsroom, &path(kind)));
    say(&format!(
        "When they are there, sign with the keys; in `[mail]`:\n\ndkim_keys = [{}]",
        names.join(", ")
    ))?;
    if domain != newsroom.settings.mail.signing_domain() {
        say(&format!("dkim_domain = \"{domain}\""))?;
    }
    Ok(())
}

/// The file as the settings name it: from the newsroom's folder.
fn named(newsroom: &Newsroom, path: &Path) -> String {
    format!("\"{}\"", path.strip_prefix(&newsroom.root).unwrap_or(path).display())
}

/// A record in the form of a zone file; a text there has 255 bytes at most, and several are read as one.
fn show(record: &Record) -> Result<(), Error> {
    let texts: Vec<String> = record
        .text
        .as_bytes()
        .chunks(250)
        .map(|text| format!("\"{}\"", String::from_utf8_lossy(text)))
        .collect();
    say(&format!("{}. IN TXT ( {} )\n", record.name, texts.join("\n    ")))
}

/// An RSA key of 2048 bits, made by `openssl`: `ring` makes none, and the crate that does has an open advisory
/// (RUSTSEC-2023-0071).
fn new_rsa() -> Result<Vec<u8>, Error> {
    let arguments = ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    let failed = |problem: String| Error::Asked {
        problem,
        help: Some("install `openssl`, or name a key of your own in `dkim_keys`; no key was made".to_owned()),
    };
    let answer = helper::run(Path::new("openssl"), &arguments, b"", &LIMITS)
        .map_err(|error| failed(format!("no RSA key can be made: {error}")))?;
    if answer.success { Ok(answer.output) } else { Err(failed(answer.complaint)) }
}

/// Writes a secret that nobody but us can read.
fn write(path: &PathBuf, pem: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(pem)?;
    file.sync_all()
}
