//! Where a ledger on `PostgreSQL` is, and how it is reached.

use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr, time::Duration};

use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};
use url::form_urlencoded;

/// How long a connection may take to be made.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// How long a network may say nothing before a connection counts as cut.
const SILENCE: Duration = Duration::from_secs(30);

/// An address such as `postgres://user@host/database?sslmode=require`. Neither it nor its password is ever shown whole.
#[derive(Clone)]
pub struct Address {
    pub(super) config: Config,
    /// The certificates of authorities that are trusted beside those of the system.
    pub(super) authorities: Option<PathBuf>,
    pub(super) shown: String,
}

/// Why a text is no address of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoAddress(String);

impl Address {
    /// Whether a text is meant to be such an address.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        text.starts_with("postgres://") || text.starts_with("postgresql://")
    }

    /// Reads an address. Without `sslmode`, TLS is asked of other machines, and not of sockets and of this machine; where it is asked,
    /// the certificate is checked, also with `require`.
    ///
    /// # Errors
    /// When it is none, or says what we do not know; the reason never holds the password.
    pub fn parse(text: &str) -> Result<Self, NoAddress> {
        let no = |why: &str| NoAddress(why.to_owned());
        if !Self::is_meant(text) {
            return Err(no("begins with `postgres://`"));
        }
        let (place, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut mode, mut authorities, mut rest) = (None, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            // A plus is one here, and no space.
            let escaped = pair.replace('+', "%2B");
            let Some((name, value)) = form_urlencoded::parse(escaped.as_bytes()).next() else { continue };
            match &*name {
                "sslmode" => mode = Some(value.into_owned()),
                "sslrootcert" => authorities = Some(PathBuf::from(value.into_owned())),
                _ => rest.push(pair),
            }
        }
        let plain = format!("{place}?{}", rest.join("&"));
        let mut config = Config::from_str(plain.trim_end_matches('?'))
            .map_err(|_| no("is none that PostgreSQL's programs would take"))?;
        if config.get_hosts().is_empty() {
            return Err(no("names a host, or the folder of a socket as `?host=/run/postgresql`"));
        }
        let at_home = config.get_hosts().iter().all(|host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) => {
                name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            }
        });
        config.ssl_mode(match mode.as_deref() {
            None if at_home => SslMode::Disable,
            Some("disable") => SslMode::Disable,
            Some("prefer") => SslMode::Prefer,
            None | Some("require" | "verify-ca" | "verify-full") => SslMode::Require,
            Some(_) => return Err(no("has `sslmode` disable, prefer, require or verify-full")),
        });
        config.application_name("gazetted").connect_timeout(CONNECT_WITHIN).tcp_user_timeout(SILENCE);
        config.keepalives_idle(SILENCE);
        let shown = shown(&config);
        Ok(Self { config, authorities, shown })
    }

    /// The same with a password, unless it has one.
    #[must_use]
    pub fn with_password(mut self, password: Option<&str>) -> Self {
        if let (None, Some(password)) = (self.config.get_password(), password) {
            self.config.password(password);
        }
        self
    }

    /// Whether its text has a password.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.config.get_password().is_some()
    }
}

/// The address as it may be shown to anybody.
fn shown(config: &Config) -> String {
    let user = config.get_user().map(|user| format!("{user}@")).unwrap_or_default();
    let port = config.get_ports().first();
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    match config.get_hosts().first() {
        Some(Host::Unix(path)) => {
            let port = port.map(|port| format!("&port={port}")).unwrap_or_default();
            format!("postgres://{user}/{database}?host={}{port}", path.display())
        }
        Some(Host::Tcp(name)) => {
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            format!("postgres://{user}{name}{port}/{database}")
        }
        None => format!("postgres://{user}/{database}"),
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Address").field(&self.shown).finish()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &Expect) {
        let told = match Address::parse(text) {
            Ok(address) => format!("{address} {:?}", address.config.get_ssl_mode()),
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&told);
    }

    #[test]
    fn an_address_is_read_and_shown_without_its_password() {
        check(
            "postgres://desk:secret@db.example.org/paper",
            &expect!["postgres://desk@db.example.org:5432/paper Require"],
        );
        check(
            "postgres://desk@db.example.org:6432/paper?sslmode=disable",
            &expect!["postgres://desk@db.example.org:6432/paper Disable"],
        );
        check("postgresql://desk@localhost/paper", &expect!["postgres://desk@localhost:5432/paper Disable"]);
        check(
            "postgres://desk@/paper?host=/run/postgresql",
            &expect!["postgres://desk@/paper?host=/run/postgresql Disable"],
        );
        check(
            "postgres://desk@%2Frun%2Fpostgresql/paper",
            &expect!["postgres://desk@/paper?host=/run/postgresql&port=5432 Disable"],
        );
        check(
            "postgres://desk:secret@db/paper?sslmode=maybe",
            &expect!["has `sslmode` disable, prefer, require or verify-full"],
        );
        check("mysql://db", &expect!["begins with `postgres://`"]);
        check(
            "postgres:///paper",
            &expect!["names a host, or the folder of a socket as `?host=/run/postgresql`"],
        );
        let address = Address::parse("postgres://desk:secret@db.example.org/paper").expect("an address");
        assert!(!format!("{address:?} {address}").contains("secret"));
    }
}
