//! The settings: what each section of the file holds, its defaults, and what its values may be.

mod values;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use jiff::civil::{Time, Weekday};
use serde::{Deserialize, Serialize};

pub(super) use self::values::{
    BaseUrl, BucketAddress, DoorName, Endpoint, From, HostName, HostPort, HubUrl, LedgerAddress, Listening,
    NetName, ProtectionName, Span, WebhookUrl,
};
use self::values::{
    authority, colour, connections, day_of_month, domain, free_line, hour, issn, key, limit, line, mib, rate,
    time_zone, to_hour, weight,
};
use super::roles::{DaemonName, Roles};
use crate::{inbox, ledger::EventKind, mail::OnUnknown, proof::Policy, prose::Language, subscriber::Address};

/// The settings in force.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The periodical.
    pub publication: PublicationSettings,
    /// How the inbox is looked at.
    pub inbox: InboxSettings,
    /// Where readers are served from.
    pub outbox: OutboxSettings,
    /// Where the state is.
    pub data: DataSettings,
    /// What this daemon does of the work.
    pub daemon: DaemonSettings,
    /// When digests are due.
    pub digests: DigestSettings,
    /// How readers join by themselves.
    pub joining: JoiningSettings,
    /// How letters go.
    pub mail: MailSettings,
    /// How what comes back is taken.
    pub bounces: BouncesSettings,
    /// How the outbox is served.
    pub http: HttpSettings,
    /// Where the editor's pages are.
    pub desk: DeskSettings,
    /// Who is told what happens.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<WebhookSettings>,
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

/// `[outbox]`: `config/gazetted.toml` explains every key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutboxSettings {
    pub folder: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<BucketAddress>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub without_tls: bool,
}

impl Default for OutboxSettings {
    fn default() -> Self {
        Self {
            folder: "outbox".into(),
            bucket: None,
            endpoint: None,
            region: None,
            key_id: None,
            secret_file: None,
            ca_file: None,
            without_tls: false,
        }
    }
}

/// `[data]`: `config/gazetted.toml` explains every key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataSettings {
    pub folder: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerAddress>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger_password_file: Option<PathBuf>,
}

impl Default for DataSettings {
    fn default() -> Self {
        Self { folder: "data".into(), ledger: None, ledger_password_file: None }
    }
}

/// `[daemon]`: `config/gazetted.toml` explains every key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DaemonSettings {
    pub roles: Roles,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<DaemonName>,
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

/// `[joining]`: `config/gazetted.toml` explains every key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JoiningSettings {
    pub form: bool,
    #[serde(deserialize_with = "limit")]
    pub per_network: u32,
    #[serde(deserialize_with = "limit")]
    pub per_hour: u32,
    #[serde(deserialize_with = "limit")]
    pub most_pending: u32,
    pub refuse_roles: bool,
}

impl Default for JoiningSettings {
    fn default() -> Self {
        Self { form: true, per_network: 20, per_hour: 500, most_pending: 10_000, refuse_roles: false }
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
    pub trusted_proxies: Vec<NetName>,
    #[serde(deserialize_with = "mib")]
    pub memory_mib: u16,
}

/// The web server on this machine, if there is one.
fn own_machine() -> Vec<NetName> {
    ["127.0.0.1", "::1"].into_iter().filter_map(|net| net.parse().ok().map(NetName)).collect()
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            leave_url: None,
            trusted_proxies: own_machine(),
            memory_mib: 64,
        }
    }
}

/// `[desk]`: `config/gazetted.toml` explains every key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeskSettings {
    pub listen: Listening,
    #[serde(deserialize_with = "mib")]
    pub largest_upload_mib: u16,
}

impl Default for DeskSettings {
    fn default() -> Self {
        let listen = Listening(Some(SocketAddr::from(([127, 0, 0, 1], 8081))));
        Self { listen, largest_upload_mib: 64 }
    }
}

/// `[[webhooks]]`: `config/gazetted.toml` explains every key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    pub url: WebhookUrl,
    pub secret_file: PathBuf,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventKind>,
}
