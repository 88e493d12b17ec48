//! `gazetted config`: the settings in force. Secrets are in files of their own, so none is shown.

use super::{Error, say};
use crate::config::Newsroom;

pub(super) fn run(newsroom: &Newsroom) -> Result<(), Error> {
    let settings = toml::to_string(&newsroom.settings).map_err(|error| Error::Asked {
        problem: format!("cannot show the settings: {error}"),
        help: None,
    })?;
    say(settings.trim_end())
}
