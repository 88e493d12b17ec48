//! `gazetted completions`: what a shell needs to complete our commands.

use clap_complete::Shell;

use super::{Error, say};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Which shell
    shell: Shell,
}

pub(super) fn run(mut command: clap::Command, arguments: &Arguments) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "gazetted", &mut script);
    say(String::from_utf8_lossy(&script).trim_end())
}
