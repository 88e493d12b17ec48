//! `gazetted man`: the manual pages, for `man gazetted`; written from the same words as `--help`.

use std::path::PathBuf;

use clap_mangen::Man;

use super::{Error, say};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Write the pages of all commands into this folder instead of printing the first
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
}

/// The sections behind those that clap writes.
const MORE: &str = r".SH FILES
.TP
.I config/gazetted.toml
The settings; each is explained there.
.TP
.I inbox/
Where issues are saved. Nothing in it is changed or removed.
.TP
.I outbox/
What readers get: web pages, feeds, books, the catalogue.
.TP
.I data/
The ledger, the manuscripts as they came, and keys. Back it up; everything else can be made again.
.SH ENVIRONMENT
.TP
.I GAZETTED_SECTION__KEY
Overrides a setting, such as \fIGAZETTED_HTTP__LISTEN\fR.
.TP
.I GAZETTED_LOG
What is logged, such as \fIgazetted=debug\fR; \fIgazetted=info,warn\fR when it is not set.
.SH SIGNALS
.TP
.I SIGTERM, SIGINT
Finish what is at the press and on its way, 20 seconds at most, and stop; a second one stops at once.
.SH EXIT STATUS
0 done, 1 could not, 2 asked wrongly.
";

pub(super) fn run(command: clap::Command, arguments: &Arguments) -> Result<(), Error> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page).map_err(Error::Answer)?;
    page.extend_from_slice(MORE.as_bytes());
    let Some(folder) = &arguments.to else { return say(String::from_utf8_lossy(&page).trim_end()) };
    let failed = |source| Error::Write { path: folder.clone(), source };
    clap_mangen::generate_to(command, folder).map_err(failed)?;
    std::fs::write(folder.join("gazetted.1"), page).map_err(failed)
}
