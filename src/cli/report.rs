//! Prints an error with its causes, each once, and what to do next.

use std::{error::Error as _, io};

use super::Error;
use crate::{config, daemon, ledger, vault};

/// Prints `error:`, `caused by:` and `help:` lines to standard error.
pub(super) fn print(error: &Error) {
    if matches!(error, Error::Found) {
        return;
    }
    super::complain(&text(error));
}

/// The lines of [`print()`].
pub(super) fn text(error: &Error) -> String {
    let mut text = format!("error: {error}");
    let mut cause = error.source();
    while let Some(because) = cause {
        text = format!("{text}\n  caused by: {because}");
        cause = because.source();
    }
    if let Some(help) = help(error) {
        text = format!("{text}\nhelp: {help}");
    }
    text
}

fn help(error: &Error) -> Option<String> {
    match error {
        Error::Config(config::Error::Missing { .. }) => {
            Some("run `gazetted init` to make one, or name its settings with `--config FILE`".to_owned())
        }
        Error::Config(config::Error::Wrong { .. }) => {
            Some("`gazetted init` in an empty folder writes a file that explains every setting".to_owned())
        }
        Error::Config(config::Error::Theme { .. }) => {
            Some("nothing was changed; take the file out of the theme to have ours in its place".to_owned())
        }
        Error::Daemon(daemon::Error::Running { several: true, .. }) => Some(
            "stop it first, or give this one a name of its own beside it: `gazetted run --name b`".to_owned(),
        ),
        Error::Daemon(daemon::Error::Running { .. }) => {
            Some("stop it first; `gazetted publish` works beside it".to_owned())
        }
        Error::Daemon(daemon::Error::Broken) => {
            Some("start it again: nothing is lost; and please report what stands above".to_owned())
        }
        Error::Daemon(daemon::Error::TwoLedgers { .. }) => Some(
            "where the one in the folder is right, `gazetted ledger move --from FILE --to postgres://...` carries it over; else put it aside"
                .to_owned(),
        ),
        Error::Daemon(daemon::Error::Listen { .. }) => {
            Some("another program may use that address; set another one, as `listen` in `[http]` or `[desk]`, or `lmtp` in `[bounces]`".to_owned())
        }
        Error::Daemon(daemon::Error::Ledger(error)) | Error::Ledger(error) => ledger_help(error),
        Error::Publish { .. } | Error::Press(_) if is_full(error) => {
            Some("free some space, then publish again; no letter has been sent".to_owned())
        }
        Error::Publish { .. } | Error::Press(_) => {
            Some("publish again when this is mended; nothing is done twice".to_owned())
        }
        Error::Vault(error) => vault_help(error),
        Error::Write { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => Some(format!(
            "user {}, as whom gazetted runs here, must be able to write there; docs/installing.md tells how a container is given a folder",
            rustix::process::geteuid().as_raw()
        )),
        Error::Asked { help, .. } => help.clone(),
        _ => None,
    }
}

fn vault_help(error: &vault::Error) -> Option<String> {
    let help = match error {
        vault::Error::Exposed { which: "data", .. } => {
            "the next backup would hold this one; name a file in its folder `backups`, or elsewhere"
        }
        vault::Error::Exposed { .. } => "others read there; name a file outside of it",
        vault::Error::Busy => "wait until that one is done",
        vault::Error::Foreign { .. } => "name a file that `gazetted backup` wrote; nothing was written",
        vault::Error::Damaged { .. } => {
            "take an older backup, or another copy of this one; nothing was written"
        }
        vault::Error::Newer { .. } => "bring it back with that version or a newer one; nothing was written",
        vault::Error::Taken { .. } => "name a folder that is empty or not there yet; nothing was written",
        vault::Error::Changed { .. } => "try again; the backup that was there before is still there",
        vault::Error::Folder { .. } => {
            "unpack it with `tar --zstd -xf`, and see that no folder is set in its settings; nothing was written"
        }
        vault::Error::Ledger(error) => return ledger_help(error),
        vault::Error::Read { .. } | vault::Error::Write { .. } | vault::Error::Press(_) => return None,
    };
    Some(help.to_owned())
}

fn ledger_help(error: &ledger::Error) -> Option<String> {
    match error {
        ledger::Error::Newer { found, .. } => Some(format!(
            "run the newer gazetted, or bring back the copy `backups/before-schema-{found}.db` that it made beside the ledger before \
             its migration; what happened since is not in that"
        )),
        _ => None,
    }
}

fn is_full(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(because) = cause {
        if because.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::StorageFull) {
            return true;
        }
        cause = because.source();
    }
    false
}

/// A count with its noun: `1 letter`, `2 letters`.
pub(super) fn count(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_not_write_is_told_as_whom_the_program_runs() {
        let path = "inbox".into();
        let said = text(&Error::Write { path, source: io::ErrorKind::PermissionDenied.into() });
        let us = rustix::process::geteuid().as_raw();
        let help = format!(
            "help: user {us}, as whom gazetted runs here, must be able to write there; docs/installing.md"
        );
        assert!(said.starts_with("error: cannot write `inbox`\n  caused by: permission denied\n"), "{said}");
        assert!(said.contains(&help), "{said}");
    }
}
