//! `gazetted init`: a new newsroom in a folder.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Error, say};
use crate::{config::FILE, config::TEMPLATE, durable, typography};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The folder; the working folder when left out
    #[arg(default_value = ".")]
    folder: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Error> {
    let folder = &arguments.folder;
    let file = folder.join(FILE);
    if file.exists() {
        return Err(Error::Asked {
            problem: format!("there is a newsroom already: `{}` exists", file.display()),
            help: Some("nothing was changed; edit that file, or name another folder".to_owned()),
        });
    }
    let written = |path: &Path, source| Error::Write { path: path.to_owned(), source };
    for name in ["inbox", "outbox"] {
        let path = folder.join(name);
        durable::make_folders(&path).map_err(|source| written(&path, source))?;
    }
    let data = folder.join("data");
    durable::make_private_folder(&data).map_err(|source| written(&data, source))?;
    let settings = settings_for(folder);
    durable::put(&file, settings.as_bytes()).map_err(|source| written(&file, source))?;
    say(&format!("a newsroom is made in `{}`", folder.display()))?;
    say(&format!("  1. say in `{}` what it is called, its language and its web address", file.display()))?;
    let there = if folder.as_os_str().is_empty() || folder == Path::new(".") {
        String::new()
    } else {
        format!("cd {} && ", folder.display())
    };
    say(&format!("  2. run `{there}gazetted run`"))?;
    say(&format!("  3. save an issue (.txt or .md) in `{}`", folder.join("inbox").display()))
}

/// The settings that explain themselves, with a key from the folder's name: two newsrooms must not share their identifiers.
fn settings_for(folder: &Path) -> String {
    let named =
        folder.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let key = named.map_or_else(|| "gazette".to_owned(), |name| typography::slug(&name));
    let year = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).year();
    TEMPLATE.replacen("key = \"gazette\" ", &format!("key = \"{key}\" "), 1).replacen(
        "\"gazette.invalid,2026\" ",
        &format!("\"{key}.invalid,{year}\" "),
        1,
    )
}
