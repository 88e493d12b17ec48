//! `gazetted desk`: the password of the editor's pages, and the tokens by which programs use them.

use std::io::BufRead as _;

use jiff::{Timestamp, tz::TimeZone};

use super::{Error, say, telling};
use crate::{config::Newsroom, daemon, desk, desk::TokenError, ledger::Ledger, ledger::Scope};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Make a new password and print it; whoever is logged in by the old one is no longer
    Password {
        /// Take the first line of the standard input as the password, instead of making one
        #[arg(long)]
        stdin: bool,
    },
    /// Make, list and revoke the tokens by which programs use the desk's API
    #[command(subcommand)]
    Token(Token),
}

#[derive(clap::Subcommand)]
pub(super) enum Token {
    /// Make a token and print it; it is shown this once
    New {
        /// What you call it: the program that uses it
        name: String,
        /// What it may be used for: read, or write (which may also read)
        #[arg(long, default_value = "read", value_parser = scope)]
        scope: Scope,
    },
    /// List the tokens, with what each may do and when it was last used
    List,
    /// End a token: the program that has it can do nothing more
    Revoke {
        /// Its name
        name: String,
    },
}

fn scope(word: &str) -> Result<Scope, String> {
    Scope::parse(word).ok_or_else(|| "say read or write".to_owned())
}

pub(super) fn run(newsroom: &Newsroom, command: &Command) -> Result<(), Error> {
    match command {
        Command::Password { stdin } => password(newsroom, *stdin),
        Command::Token(command) => {
            let ledger = daemon::open_ledger(newsroom)?;
            let zone = newsroom.publication(newsroom.settings.http.listen).time_zone;
            token(&*ledger, command, &zone)
        }
    }
}

fn password(newsroom: &Newsroom, stdin: bool) -> Result<(), Error> {
    let password = daemon::desk_password(newsroom)?;
    if !stdin {
        return say(&password.renew()?);
    }
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|source| Error::Read { path: "the standard input".into(), source })?;
    password.choose(line.trim_end_matches(['\r', '\n']))?;
    say("the desk has a new password")
}

fn token(ledger: &dyn Ledger, command: &Token, zone: &TimeZone) -> Result<(), Error> {
    match command {
        Token::New { name, scope } => {
            let token =
                desk::make_token(ledger, name, *scope, Timestamp::now()).map_err(|error| match error {
                    TokenError::Taken { .. } => Error::Asked {
                        problem: error.to_string(),
                        help: Some(
                            "nothing was made; take another name, or revoke that one first".to_owned(),
                        ),
                    },
                    TokenError::Name { .. } => Error::Asked { problem: error.to_string(), help: None },
                    error => Error::Token(error),
                })?;
            say(&token)
        }
        Token::List => {
            let tokens = ledger.tokens()?;
            if tokens.is_empty() {
                return say("there is no token yet; `gazetted desk token new NAME` makes one");
            }
            for token in tokens {
                let used = token.used.map_or_else(
                    || "never used".to_owned(),
                    |used| format!("used {}", telling::time(used, zone)),
                );
                let made = telling::time(token.made, zone);
                say(&format!("{:<24} {:<6} made {made}, {used}", token.name, token.scope.as_str()))?;
            }
            Ok(())
        }
        Token::Revoke { name } => {
            if ledger.revoke_token(name)? {
                return say(&format!("the token `{name}` does not hold any more"));
            }
            Err(Error::Asked {
                problem: format!("there is no token `{name}`"),
                help: Some("`gazetted desk token list` shows all".to_owned()),
            })
        }
    }
}
