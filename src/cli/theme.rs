//! `gazetted theme`: our own templates, style sheets and words, to begin a theme with.

use super::{Error, say};
use crate::{theme, typography};

/// What to show of our theme.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// A file of our theme, such as `site/site.css`; without one, all are listed
    file: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Error> {
    let files: Vec<(String, String)> = theme::ours().collect();
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let Some(wanted) = &arguments.file else { return say(&names.join("\n")) };
    if let Some((_, text)) = files.iter().find(|(name, _)| name == wanted) {
        return say(text.trim_end_matches('\n'));
    }
    let help = typography::near(wanted, names).map_or_else(
        || "`gazetted theme` lists those that there are".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Err(Error::Asked { problem: format!("there is no `{wanted}` in a theme"), help: Some(help) })
}
