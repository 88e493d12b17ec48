//! What a daemon does of a newsroom's work: all of it, or some of it beside others.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::typography::nearest;

/// A part of a newsroom's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// It watches the inbox. One daemon at a time does, the one that leads.
    Inbox,
    /// It publishes, makes digests, tells the hub and webhooks, takes what comes back from a Maildir, and has the desk. All but the desk is done by the one
    /// that leads.
    Press,
    /// It sends letters, and takes what comes back by LMTP.
    Mail,
    /// It serves the outbox and the readers' forms.
    Http,
}

impl Role {
    const ALL: [Self; 4] = [Self::Inbox, Self::Press, Self::Mail, Self::Http];

    /// Its word in the settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Press => "press",
            Self::Mail => "mail",
            Self::Http => "http",
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|role| role.as_str() == word).ok_or_else(|| {
            format!("there is no role `{word}`{}", nearest(word, &Self::ALL.map(Self::as_str)))
        })
    }
}

/// The parts that a daemon does, at least one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Roles(Vec<Role>);

impl Default for Roles {
    fn default() -> Self {
        Self(Role::ALL.into())
    }
}

impl Roles {
    /// Whether this is one of them.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    fn of(words: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, String> {
        let mut roles = words
            .into_iter()
            .map(|word| word.as_ref().trim().parse())
            .collect::<Result<Vec<Role>, String>>()?;
        roles.sort_unstable();
        roles.dedup();
        if roles.is_empty() {
            return Err("a daemon has at least one role".to_owned());
        }
        if roles.contains(&Role::Inbox) && !roles.contains(&Role::Press) {
            return Err("the role `inbox` goes with `press`: what comes in is taken to it at once".to_owned());
        }
        Ok(Self(roles))
    }
}

impl FromStr for Roles {
    type Err = String;

    /// Roles with commas between them.
    fn from_str(text: &str) -> Result<Self, String> {
        Self::of(text.split(','))
    }
}

impl TryFrom<Vec<String>> for Roles {
    type Error = String;

    fn try_from(words: Vec<String>) -> Result<Self, String> {
        Self::of(words)
    }
}

impl From<Roles> for Vec<String> {
    fn from(roles: Roles) -> Self {
        roles.0.iter().map(|role| role.as_str().to_owned()).collect()
    }
}

/// The name of one of several daemons that share a newsroom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DaemonName(String);

impl DaemonName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DaemonName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let right = (1..=40).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !right {
            return Err(format!("`{text}` is no name of a daemon: up to 40 of a to z, 0 to 9 and -"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for DaemonName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<DaemonName> for String {
    fn from(name: DaemonName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let said = match text.parse::<Roles>() {
            Ok(roles) => Vec::<String>::from(roles).join(" "),
            Err(error) => error,
        };
        assert_eq!(said, expected);
    }

    #[test]
    fn roles_are_named_in_any_order_and_an_unknown_one_gets_the_nearest() {
        check("mail", "mail");
        check("http, press,inbox,mail,mail", "inbox press mail http");
        check("mial", "there is no role `mial`; did you mean `mail`?");
        check("printing", "there is no role `printing`; there are `inbox`, `press`, `mail`, `http`");
        check("inbox,http", "the role `inbox` goes with `press`: what comes in is taken to it at once");
    }
}
