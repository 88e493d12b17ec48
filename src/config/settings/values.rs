//! What the values of settings may be, and what is said where one may not.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use jiff::{SignedDuration, civil::Time, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{http, ledger, outbox::Access, publication::Colour, subscriber::Address, typography};

/// A span of time, written like `2s`, `5m` or `720h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(pub Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let span: Result<SignedDuration, _> = text.parse();
        span.ok()
            .and_then(|span| Duration::try_from(span).ok())
            .filter(|span| !span.is_zero())
            .map(Self)
            .ok_or_else(|| {
                D::Error::custom(format!("`{text}` is not a span of time such as `2s`, `5m` or `720h`"))
            })
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let span = SignedDuration::try_from(self.0).unwrap_or(SignedDuration::MAX);
        to.serialize_str(&format!("{span:#}"))
    }
}

/// The address that pages are served on, or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Listening(pub Option<SocketAddr>);

impl TryFrom<String> for Listening {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self(None));
        }
        let wrong = |_| format!("`{text}` is not an address such as `127.0.0.1:8081`, nor `off`");
        text.parse().map(|address| Self(Some(address))).map_err(wrong)
    }
}

impl std::convert::From<Listening> for String {
    fn from(listening: Listening) -> Self {
        listening.0.map_or_else(|| "off".to_owned(), |address| address.to_string())
    }
}

/// An address on the web that ends with `/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct BaseUrl(pub(in crate::config) String);

impl TryFrom<String> for BaseUrl {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let good = rest.is_some_and(|rest| {
            !rest.is_empty()
                && !rest.starts_with('/')
                && rest.is_ascii()
                && !rest
                    .contains(|c: char| c.is_whitespace() || c.is_control() || "\"<>?#\\^`{|}".contains(c))
        });
        if !good {
            return Err(format!("`{text}` is not an address such as `https://news.example.org/`"));
        }
        Ok(Self(format!("{}/", text.trim_end_matches('/'))))
    }
}

/// The address of a `WebSub` hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct HubUrl(pub(in crate::config) String);

impl TryFrom<String> for HubUrl {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let hub = url::Url::parse(&text).ok().filter(|hub| hub.has_host() && hub.fragment().is_none());
        match hub {
            Some(hub) if matches!(hub.scheme(), "https" | "http") => Ok(Self(hub.into())),
            _ => Err(format!("`{text}` is not the address of a hub such as `https://hub.example.org/`")),
        }
    }
}

/// The address of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BucketAddress(pub(in crate::config) String);

impl std::convert::From<BucketAddress> for String {
    fn from(address: BucketAddress) -> Self {
        address.0
    }
}

impl TryFrom<String> for BucketAddress {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match Access::parse(&text) {
            Some(_) => Ok(Self(text)),
            None => Err(format!("`{text}` is not the address of a bucket such as `s3://bucket/prefix`")),
        }
    }
}

/// The address of a server of buckets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Endpoint(pub(in crate::config) String);

impl TryFrom<String> for Endpoint {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let bare = |url: &url::Url| {
            url.has_host() && url.username().is_empty() && url.password().is_none() && url.query().is_none()
        };
        match url::Url::parse(&text).ok().filter(bare) {
            Some(url) if matches!(url.scheme(), "https" | "http") => {
                Ok(Self(text.trim_end_matches('/').to_owned()))
            }
            // It may hold a password.
            _ => Err("this is not the address of a server such as `https://s3.example.org`".to_owned()),
        }
    }
}

/// Where a ledger is that is in no file of ours; without its password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LedgerAddress(pub(in crate::config) String);

impl TryFrom<String> for LedgerAddress {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let such = "such as `postgres://gazetted@db.example.org/gazetted`";
        match ledger::postgres::Address::parse(&text) {
            Ok(address) if address.has_password() => {
                Err("a password stands in a file of its own, which `ledger_password_file` names".to_owned())
            }
            Ok(_) => Ok(Self(text)),
            Err(why) => Err(format!("the address of a ledger {why}, {such}")),
        }
    }
}

impl std::convert::From<LedgerAddress> for String {
    fn from(address: LedgerAddress) -> Self {
        address.0
    }
}

/// The address of a webhook: https, or on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WebhookUrl(pub(in crate::config) url::Url);

impl TryFrom<String> for WebhookUrl {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not an address such as `https://example.org/hooks`");
        let url = url::Url::parse(&text).map_err(|_| wrong())?;
        if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err(wrong());
        }
        let is_here = match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => return Err(wrong()),
        };
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if is_here => Ok(Self(url)),
            "http" => {
                Err(format!("`{text}` must begin with `https://`; only this machine is told over http"))
            }
            _ => Err(wrong()),
        }
    }
}

impl std::convert::From<WebhookUrl> for String {
    fn from(url: WebhookUrl) -> Self {
        url.0.into()
    }
}

/// The name of a host on the web, as addresses have it: in small letters, and in ASCII whatever its script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct HostName(pub(in crate::config) String);

impl TryFrom<String> for HostName {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match url::Host::parse(&text) {
            Ok(url::Host::Domain(name)) if !name.ends_with('.') && !name.contains('*') => Ok(Self(name)),
            _ => Err(format!("`{text}` is not the name of a host such as `img.example.org`")),
        }
    }
}

/// An address or a network of web servers that are believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NetName(pub(in crate::config) http::Net);

impl TryFrom<String> for NetName {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self)
    }
}

impl std::convert::From<NetName> for String {
    fn from(net: NetName) -> Self {
        net.0.to_string()
    }
}

/// `NAME:PORT`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPort {
    pub(in crate::config) host: String,
    pub(in crate::config) port: u16,
}

impl TryFrom<String> for HostPort {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let parts = text.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
        match parts {
            Some((host, port)) if !host.is_empty() && !host.contains(char::is_whitespace) => {
                Ok(Self { host: host.trim_matches(['[', ']']).to_owned(), port })
            }
            _ => Err(format!("`{text}` is not a server and a port such as `smtp.example.org:587`")),
        }
    }
}

impl std::convert::From<HostPort> for String {
    fn from(server: HostPort) -> Self {
        if server.host.contains(':') {
            format!("[{}]:{}", server.host, server.port)
        } else {
            format!("{}:{}", server.host, server.port)
        }
    }
}

/// Where a mail server on this machine hands letters over: an address of loopback with a port, or `unix:` and a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DoorName {
    /// An address of loopback.
    Loopback(SocketAddr),
    /// A socket, by its path relative to the newsroom.
    Socket(PathBuf),
}

impl TryFrom<String> for DoorName {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
            return Ok(Self::Socket(path.into()));
        }
        // What is handed over is believed as far as its addresses prove it, but nobody from outside needs to.
        match text.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() => Ok(Self::Loopback(address)),
            Ok(_) => {
                Err(format!("`{text}` can be reached from outside; take an address such as `127.0.0.1:2424`"))
            }
            Err(_) => Err(format!(
                "`{text}` is neither an address such as `127.0.0.1:2424` nor a socket such as `unix:data/lmtp`"
            )),
        }
    }
}

impl std::convert::From<DoorName> for String {
    fn from(door: DoorName) -> Self {
        match door {
            DoorName::Loopback(address) => address.to_string(),
            DoorName::Socket(path) => format!("unix:{}", path.display()),
        }
    }
}

/// How the way to the mail server is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProtectionName {
    /// TLS after `STARTTLS`.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// None.
    None,
}

/// `Name <address>`, or an address alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct From {
    pub(in crate::config) name: Option<String>,
    pub(in crate::config) address: Address,
}

impl TryFrom<String> for From {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>').and_then(|text| text.split_once('<')) {
            Some((name, address)) => (Some(name.trim().trim_matches('"').to_owned()), address),
            None => (None, text),
        };
        let name = name.filter(|name| !name.is_empty());
        if name.as_deref().is_some_and(|name| name.chars().any(char::is_control)) {
            return Err("a name must stand on one line".to_owned());
        }
        Ok(Self { name, address: Address::parse(address).map_err(|error| error.to_string())? })
    }
}

impl std::convert::From<From> for String {
    fn from(from: From) -> Self {
        match from.name {
            Some(name) => format!("{name} <{}>", from.address),
            None => from.address.to_string(),
        }
    }
}

fn checked<'de, D: Deserializer<'de>>(
    from: D,
    good: impl FnOnce(&str) -> bool,
    wants: &str,
) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    if good(&text) { Ok(text) } else { Err(D::Error::custom(format!("`{text}` is not {wants}"))) }
}

pub(super) fn key<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    checked(from, |text| typography::slug(text) == text, "a key of the characters a-z, 0-9 and -")
}

pub(super) fn line<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let good = |text: &str| !text.trim().is_empty() && !text.chars().any(char::is_control);
    checked(from, good, "a line of text")
}

pub(super) fn free_line<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    checked(from, |text| !text.chars().any(char::is_control), "a line of text")
}

pub(super) fn time_zone<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    checked(from, |text| TimeZone::get(text).is_ok(), "a time zone such as `UTC` or `Asia/Shanghai`")
}

/// RFC 4151 §2.1: a domain or an e-mail address, a comma, and a year, month or day.
pub(super) fn authority<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let good = |text: &str| {
        text.split_once(',').is_some_and(|(name, date)| {
            let name_good =
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._@".contains(&b));
            let date_good = date.len() >= 4 && date.bytes().all(|b| b.is_ascii_digit() || b == b'-');
            name_good && date_good
        })
    };
    checked(from, good, "a domain or an e-mail address and a year, such as `example.org,2026`")
}

pub(super) fn issn<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let good = |text: &str| {
        let bytes = text.as_bytes();
        bytes.len() == 9
            && bytes[4] == b'-'
            && bytes.iter().enumerate().all(|(n, b)| n == 4 || b.is_ascii_digit() || (n == 8 && *b == b'X'))
    };
    checked(from, good, "an ISSN such as `1234-567X`").map(Some)
}

pub(super) fn colour<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    checked(from, |text| Colour::parse(text).is_some(), "a colour such as `#1f3a5f`").map(Some)
}

pub(super) fn hour<'de, D: Deserializer<'de>>(from: D) -> Result<Time, D::Error> {
    let text = String::deserialize(from)?;
    Time::strptime("%H:%M", &text)
        .map_err(|_| D::Error::custom(format!("`{text}` is not an hour such as `07:00`")))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over like this")]
pub(super) fn to_hour<S: Serializer>(time: &Time, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&time.strftime("%H:%M").to_string())
}

pub(super) fn day_of_month<'de, D: Deserializer<'de>>(from: D) -> Result<i8, D::Error> {
    let number = i64::deserialize(from)?;
    // Every month has these.
    i8::try_from(number)
        .ok()
        .filter(|day| (1..=28).contains(day))
        .ok_or_else(|| D::Error::custom(format!("`{number}` is not a day from 1 to 28")))
}

pub(super) fn domain<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let good = |text: &str| Address::parse(&format!("a@{text}")).is_ok_and(|a| a.domain() == text);
    checked(from, good, "a domain such as `example.org`").map(Some)
}

pub(super) fn connections<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    number(from, 1..=1000)
}

pub(super) fn rate<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    number(from, 1..=1_000_000).map(Some)
}

pub(super) fn mib<'de, D: Deserializer<'de>>(from: D) -> Result<u16, D::Error> {
    number(from, 1..=1000)
}

pub(super) fn limit<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    number(from, 1..=1_000_000)
}

pub(super) fn weight<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    number(from, 0..=1000)
}

fn number<'de, D: Deserializer<'de>, N: TryFrom<i64>>(
    from: D,
    good: std::ops::RangeInclusive<i64>,
) -> Result<N, D::Error> {
    let number = i64::deserialize(from)?;
    let wrong = || format!("`{number}` is not a number from {} to {}", good.start(), good.end());
    let found = Some(number).filter(|n| good.contains(n)).and_then(|n| N::try_from(n).ok());
    found.ok_or_else(|| D::Error::custom(wrong()))
}
