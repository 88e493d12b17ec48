//! The settings: what each section of the file holds, its defaults, and what its values may be.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use jiff::{
    SignedDuration,
    civil::{Time, Weekday},
    tz::TimeZone,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{
    inbox, mail::OnUnknown, proof::Policy, prose::Language, publication::Colour, subscriber::Address,
    typography,
};

/// The settings in force.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The periodical.
    pub publication: PublicationSettings,
    /// How the inbox is looked at.
    pub inbox: InboxSettings,
    /// Where readers are served from.
    pub outbox: FolderSettings<OutboxFolder>,
    /// Where the state is.
    pub data: FolderSettings<DataFolder>,
    /// When digests are due.
    pub digests: DigestSettings,
    /// How letters go.
    pub mail: MailSettings,
    /// How what comes back is taken.
    pub bounces: BouncesSettings,
    /// How the outbox is served.
    pub http: HttpSettings,
}

/// `[publication]`: `config/gazetted.toml` explains every key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PublicationSettings {
    #[serde(deserialize_with = "key")]
    pub key: String,
    #[serde(deserialize_with = "line")]
    pub title: String,
    #[serde(deserialize_with = "free_line")]
    pub description: String,
    pub language: Language,
    #[serde(deserialize_with = "time_zone")]
    pub time_zone: String,
    #[serde(deserialize_with = "authority")]
    pub authority: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<BaseUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hub: Option<HubUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rights: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "issn")]
    pub issn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "colour")]
    pub colour: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cover: Option<PathBuf>,
    pub vertical: bool,
    pub proofs: Policy,
    pub pictures_from: Vec<HostName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme: Option<PathBuf>,
}

impl Default for PublicationSettings {
    fn default() -> Self {
        Self {
            key: "gazette".to_owned(),
            title: "The Gazette".to_owned(),
            description: String::new(),
            language: Language::parse("en").expect("`en` is a language tag"),
            time_zone: "UTC".to_owned(),
            authority: "gazette.invalid,2026".to_owned(),
            base_url: None,
            hub: None,
            publisher: None,
            rights: None,
            issn: None,
            colour: None,
            cover: None,
            vertical: false,
            proofs: Policy::Auto,
            pictures_from: Vec::new(),
            theme: None,
        }
    }
}

/// `[inbox]`: `config/gazetted.toml` explains every key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InboxSettings {
    pub folder: PathBuf,
    pub settle_after: Span,
    pub look_every: Span,
}

impl Default for InboxSettings {
    fn default() -> Self {
        let inbox::Settings { settle_after, look_every } = inbox::Settings::default();
        Self { folder: "inbox".into(), settle_after: Span(settle_after), look_every: Span(look_every) }
    }
}

/// `[outbox]` and `[data]`: a folder each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, bound(deserialize = "N: FolderName"))]
pub struct FolderSettings<N: FolderName> {
    /// The folder, relative to the newsroom.
    pub folder: PathBuf,
    #[serde(skip)]
    name: std::marker::PhantomData<N>,
}

/// Tells the sections that are one folder each apart.
pub trait FolderName {
    /// The folder when none is set.
    const DEFAULT: &'static str;
}

/// `[outbox]`: `config/gazetted.toml` explains every key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxFolder;

/// `[data]`: `config/gazetted.toml` explains every key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFolder;

impl FolderName for OutboxFolder {
    const DEFAULT: &'static str = "outbox";
}

impl FolderName for DataFolder {
    const DEFAULT: &'static str = "data";
}

impl<N: FolderName> Default for FolderSettings<N> {
    fn default() -> Self {
        Self { folder: N::DEFAULT.into(), name: std::marker::PhantomData }
    }
}

/// `[digests]`: `config/gazetted.toml` explains every key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DigestSettings {
    #[serde(deserialize_with = "hour", serialize_with = "to_hour")]
    pub at: Time,
    pub weekday: DayName,
    #[serde(deserialize_with = "day_of_month")]
    pub day: i8,
    pub ask_after: Span,
}

impl Default for DigestSettings {
    fn default() -> Self {
        Self {
            at: Time::constant(7, 0, 0, 0),
            weekday: DayName::Friday,
            day: 1,
            ask_after: Span(Duration::from_hours(48)),
        }
    }
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DayName {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl std::convert::From<DayName> for Weekday {
    fn from(day: DayName) -> Self {
        match day {
            DayName::Monday => Self::Monday,
            DayName::Tuesday => Self::Tuesday,
            DayName::Wednesday => Self::Wednesday,
            DayName::Thursday => Self::Thursday,
            DayName::Friday => Self::Friday,
            DayName::Saturday => Self::Saturday,
            DayName::Sunday => Self::Sunday,
        }
    }
}

/// `[mail]`: `config/gazetted.toml` explains every key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<HostPort>,
    pub protection: ProtectionName,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    pub from: From,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Address>,
    #[serde(deserialize_with = "connections")]
    pub connections: usize,
    pub patience: Span,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "rate")]
    pub per_minute: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "rate")]
    pub per_minute_per_domain: Option<u32>,
    pub on_unknown: OnUnknown,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_older_than: Option<Span>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub relays: Vec<RelaySettings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounces: Option<Address>,
    pub thread: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dkim_keys: Vec<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "domain")]
    pub dkim_domain: Option<String>,
}

/// `[[mail.relays]]`: `config/gazetted.toml` explains every key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelaySettings {
    pub server: HostPort,
    #[serde(default)]
    pub protection: ProtectionName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    #[serde(default = "usual_connections", deserialize_with = "connections")]
    pub connections: usize,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "rate")]
    pub per_minute: Option<u32>,
    #[serde(default = "usual_weight", deserialize_with = "weight")]
    pub weight: u32,
}

fn usual_connections() -> usize {
    MailSettings::default().connections
}

fn usual_weight() -> u32 {
    1
}

impl MailSettings {
    /// The servers that take the letters: those of `relays`, or the one that is set alone.
    #[must_use]
    pub fn servers(&self) -> Vec<RelaySettings> {
        let alone = self.server.clone().map(|server| RelaySettings {
            server,
            protection: self.protection,
            user: self.user.clone(),
            password_file: self.password_file.clone(),
            ca_file: self.ca_file.clone(),
            connections: self.connections,
            per_minute: None,
            weight: usual_weight(),
        });
        alone.into_iter().chain(self.relays.iter().cloned()).collect()
    }

    /// The domain that signs letters.
    #[must_use]
    pub fn signing_domain(&self) -> &str {
        self.dkim_domain.as_deref().unwrap_or(self.from.address.domain())
    }
}

impl Default for MailSettings {
    fn default() -> Self {
        Self {
            server: None,
            protection: ProtectionName::Starttls,
            user: None,
            password_file: None,
            ca_file: None,
            from: From {
                name: Some("The Gazette".to_owned()),
                address: Address::parse("gazette@localhost").expect("`gazette@localhost` is an address"),
            },
            reply_to: None,
            connections: 4,
            patience: Span(Duration::from_mins(5)),
            per_minute: None,
            per_minute_per_domain: None,
            on_unknown: OnUnknown::default(),
            skip_older_than: None,
            relays: Vec::new(),
            bounces: None,
            thread: false,
            dkim_keys: Vec::new(),
            dkim_domain: None,
        }
    }
}

/// `[bounces]`: `config/gazetted.toml` explains every key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BouncesSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maildir: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lmtp: Option<DoorName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_secret_file: Option<PathBuf>,
}

/// `[http]`: `config/gazetted.toml` explains every key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSettings {
    pub listen: SocketAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leave_url: Option<BaseUrl>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8080)), leave_url: None }
    }
}

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

/// An address on the web that ends with `/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct BaseUrl(pub(super) String);

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
pub struct HubUrl(pub(super) String);

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

/// The name of a host on the web, as addresses have it: in small letters, and in ASCII whatever its script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct HostName(pub(super) String);

impl TryFrom<String> for HostName {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match url::Host::parse(&text) {
            Ok(url::Host::Domain(name)) if !name.ends_with('.') && !name.contains('*') => Ok(Self(name)),
            _ => Err(format!("`{text}` is not the name of a host such as `img.example.org`")),
        }
    }
}

/// `NAME:PORT`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPort {
    pub(super) host: String,
    pub(super) port: u16,
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
    pub(super) name: Option<String>,
    pub(super) address: Address,
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

fn key<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    checked(from, |text| typography::slug(text) == text, "a key of the characters a-z, 0-9 and -")
}

fn line<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let good = |text: &str| !text.trim().is_empty() && !text.chars().any(char::is_control);
    checked(from, good, "a line of text")
}

fn free_line<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    checked(from, |text| !text.chars().any(char::is_control), "a line of text")
}

fn time_zone<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    checked(from, |text| TimeZone::get(text).is_ok(), "a time zone such as `UTC` or `Asia/Shanghai`")
}

/// RFC 4151 §2.1: a domain or an e-mail address, a comma, and a year, month or day.
fn authority<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
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

fn issn<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let good = |text: &str| {
        let bytes = text.as_bytes();
        bytes.len() == 9
            && bytes[4] == b'-'
            && bytes.iter().enumerate().all(|(n, b)| n == 4 || b.is_ascii_digit() || (n == 8 && *b == b'X'))
    };
    checked(from, good, "an ISSN such as `1234-567X`").map(Some)
}

fn colour<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    checked(from, |text| Colour::parse(text).is_some(), "a colour such as `#1f3a5f`").map(Some)
}

fn hour<'de, D: Deserializer<'de>>(from: D) -> Result<Time, D::Error> {
    let text = String::deserialize(from)?;
    Time::strptime("%H:%M", &text)
        .map_err(|_| D::Error::custom(format!("`{text}` is not an hour such as `07:00`")))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over like this")]
fn to_hour<S: Serializer>(time: &Time, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&time.strftime("%H:%M").to_string())
}

fn day_of_month<'de, D: Deserializer<'de>>(from: D) -> Result<i8, D::Error> {
    let number = i64::deserialize(from)?;
    // Every month has these.
    i8::try_from(number)
        .ok()
        .filter(|day| (1..=28).contains(day))
        .ok_or_else(|| D::Error::custom(format!("`{number}` is not a day from 1 to 28")))
}

fn domain<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let good = |text: &str| Address::parse(&format!("a@{text}")).is_ok_and(|a| a.domain() == text);
    checked(from, good, "a domain such as `example.org`").map(Some)
}

fn connections<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    number(from, 1..=1000)
}

fn rate<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    number(from, 1..=1_000_000).map(Some)
}

fn weight<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
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
