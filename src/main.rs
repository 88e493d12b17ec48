//! Runs the command line; nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    gazetted::cli::run(std::env::args_os())
}
