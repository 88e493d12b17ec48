//! Gathers the settings of every part into one newsroom: a folder with an inbox, an outbox and its state.

mod changing;
mod check;
mod placing;
mod roles;
mod settings;
mod theming;

use std::{
    fmt, fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::{SignedDuration, tz::TimeZone};

pub use changing::Changes;
pub use placing::{folders, with_folder};
pub use roles::{DaemonName, Role, Roles};
pub use settings::Settings;

use crate::{
    bounce::Door, delivery::Calendar, editions, http, inbox, ledger, mail::KeyError, mail::Limits,
    mail::Protection, mail::Relay, mail::Sender, mail::Server, mail::Signer, mail::Stationery, mail::Way,
    manuscript, outbox::Access, picture::Plate, publication::Colour, publication::Design, publication::Forms,
    publication::Imprint, publication::Publication, theme::Theme, webhooks::Secret, webhooks::Webhook,
};
use settings::{DoorName, HostPort, OutboxSettings, ProtectionName, RelaySettings, WebhookSettings};

/// Where a newsroom has its settings.
pub const FILE: &str = "config/gazetted.toml";

/// The default settings as a file with its explanations.
pub const TEMPLATE: &str = include_str!("../../config/gazetted.toml");

/// The fewest characters of a secret that stands in an address.
const SECRET_FROM: usize = 20;

/// The settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no settings file where one was looked for.
    #[error("there is no newsroom here: `{}` does not exist", path.display())]
    Missing {
        /// Where.
        path: PathBuf,
    },
    /// It is there and cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Some of it is wrong: all of what is wrong.
    #[error("{} wrong in `{}`{}", Things(problems.len()), path.display(), Lines(problems))]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong, each with its place.
        problems: Vec<String>,
    },
    /// A key cannot sign.
    #[error("letters cannot be signed with `{}`", path.display())]
    Key {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: KeyError,
    },
    /// A file that the settings name, such as the one with the password, cannot be used.
    #[error("cannot read `{}`, which `{key}` names", path.display())]
    Named {
        /// The setting.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The theme cannot be used: all of what is wrong with it.
    #[error("{} wrong in the theme `{}`{}", Things(problems.len()), path.display(), Lines(problems))]
    Theme {
        /// Its folder.
        path: PathBuf,
        /// What is wrong, each with its file and line.
        problems: Vec<String>,
    },
    /// The picture for the covers cannot be printed.
    #[error("cannot use `{}` as the cover: {reason}", path.display())]
    Cover {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// One of our own addresses, where it listens on all of them.
#[must_use]
pub fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// The picture of the publisher's own cover, ready to be printed.
fn own_cover(path: &Path) -> Result<Plate, Error> {
    let bytes = fs::read(path).map_err(|source| Error::Named {
        key: "publication.cover",
        path: path.to_owned(),
        source,
    })?;
    manuscript::develop_picture("cover", &bytes)
        .map_err(|reason| Error::Cover { path: path.to_owned(), reason })
}

struct Things(usize);

impl fmt::Display for Things {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 1 { f.write_str("one thing is") } else { write!(f, "{} things are", self.0) }
    }
}

struct Lines<'p>(&'p [String]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

/// A newsroom: a folder with its settings, all checked.
#[derive(Debug, Clone)]
pub struct Newsroom {
    /// The folder that holds `config/`.
    pub root: PathBuf,
    /// The settings in force.
    pub settings: Settings,
    /// How editions look: what the settings name, as it is when the newsroom is opened.
    pub theme: Theme,
    /// The publisher's own cover, where the settings name one.
    pub cover: Option<Arc<Plate>>,
}

impl Newsroom {
    /// Opens the newsroom whose settings are in `file`, with what `environment` overrides.
    ///
    /// # Errors
    /// [`Error::Theme`] for what is wrong in its theme, also what shows only when a page is filled; [`Error::Wrong`] names everything that is wrong at once, each with its line and, for an unknown key, the nearest known.
    pub fn open(file: &Path, environment: impl IntoIterator<Item = (String, String)>) -> Result<Self, Error> {
        let text = fs::read_to_string(file).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => Error::Missing { path: file.to_owned() },
            _ => Error::Read { path: file.to_owned(), source },
        })?;
        let settings = check::parse(&text, environment)
            .map_err(|problems| Error::Wrong { path: file.to_owned(), problems })?;
        let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let in_config = folder.file_name().is_some_and(|name| name == "config");
        let root = if in_config { folder.parent().unwrap_or(Path::new(".")) } else { folder };
        let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
        let cover =
            settings.publication.cover.as_deref().map(|cover| own_cover(&root.join(cover))).transpose()?;
        let mut newsroom =
            Self { root: root.to_owned(), settings, theme: Theme::default(), cover: cover.map(Arc::new) };
        if let Some(folder) = &newsroom.settings.publication.theme {
            newsroom.theme = theming::read(&newsroom.root.join(folder), &folder.to_string_lossy())?;
            editions::rehearse(&newsroom.publication(newsroom.settings.http.listen))
                .map_err(|error| Error::Theme { path: folder.clone(), problems: vec![error.to_string()] })?;
        }
        Ok(newsroom)
    }

    /// The folder in which issues are saved.
    #[must_use]
    pub fn inbox(&self) -> PathBuf {
        self.root.join(&self.settings.inbox.folder)
    }

    /// The folder from which readers are served.
    #[must_use]
    pub fn outbox(&self) -> PathBuf {
        self.root.join(&self.settings.outbox.folder)
    }

    /// The bucket from which readers are served instead, if there is one.
    ///
    /// # Errors
    /// When the file with the secret cannot be read.
    pub fn bucket(&self) -> Result<Option<Access>, Error> {
        let OutboxSettings { bucket, endpoint, region, key_id, secret_file, ca_file, without_tls, .. } =
            &self.settings.outbox;
        let Some(access) = bucket.as_ref().and_then(|bucket| Access::parse(&bucket.0)) else {
            return Ok(None);
        };
        let read = |key, file: &PathBuf| {
            let path = self.root.join(file);
            fs::read(&path).map_err(|source| Error::Named { key, path, source })
        };
        let secret = secret_file.as_ref().map(|file| read("outbox.secret_file", file)).transpose()?;
        let secret = secret.map(|secret| String::from_utf8_lossy(&secret).trim().to_owned());
        let key = key_id.clone().zip(secret);
        let authorities = ca_file.as_ref().map(|file| read("outbox.ca_file", file)).transpose()?;
        let endpoint = endpoint.as_ref().map(|endpoint| endpoint.0.clone());
        let (region, without_tls) = (region.clone(), *without_tls);
        Ok(Some(Access { endpoint, region, key, without_tls, authorities, ..access }))
    }

    /// The folder of all state.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.root.join(&self.settings.data.folder)
    }

    /// The parts of the work that its daemon does.
    #[must_use]
    pub fn roles(&self) -> &Roles {
        &self.settings.daemon.roles
    }

    /// The name of its daemon, where that is one of several.
    #[must_use]
    pub fn daemon_name(&self) -> Option<&str> {
        self.settings.daemon.name.as_ref().map(DaemonName::as_str)
    }

    /// Has its daemon do these parts under that name, where they are given, instead of what the settings say.
    pub fn takes_on(&mut self, roles: Option<Roles>, name: Option<DaemonName>) {
        let daemon = &mut self.settings.daemon;
        if let Some(roles) = roles {
            daemon.roles = roles;
        }
        if name.is_some() {
            daemon.name = name;
        }
    }

    /// Where the ledger is, where it is on `PostgreSQL`; with its password, from its file or `PGPASSWORD`.
    ///
    /// # Errors
    /// When the file with the password cannot be read.
    pub fn ledger_address(&self) -> Result<Option<ledger::postgres::Address>, Error> {
        let data = &self.settings.data;
        let Some(text) = &data.ledger else { return Ok(None) };
        let Ok(address) = ledger::postgres::Address::parse(&text.0) else { return Ok(None) };
        let password = match &data.ledger_password_file {
            Some(file) => {
                let path = self.root.join(file);
                let text = fs::read_to_string(&path).map_err(|source| Error::Named {
                    key: "data.ledger_password_file",
                    path,
                    source,
                })?;
                Some(text.trim_end_matches(['\r', '\n']).to_owned())
            }
            None => std::env::var("PGPASSWORD").ok(),
        };
        Ok(Some(address.with_password(password.as_deref())))
    }

    /// The files and folders that the settings name besides the three folders of a newsroom, as they are written there.
    #[must_use]
    pub fn named_files(&self) -> Vec<PathBuf> {
        let Settings { publication, outbox, mail, bounces, data, .. } = &self.settings;
        let mut named: Vec<PathBuf> = mail.dkim_keys.clone();
        for relay in mail.servers() {
            named.extend(relay.password_file);
            named.extend(relay.ca_file);
        }
        named.extend(
            [
                &publication.cover,
                &publication.theme,
                &bounces.webhook_secret_file,
                &outbox.secret_file,
                &outbox.ca_file,
                &data.ledger_password_file,
            ]
            .into_iter()
            .flatten()
            .cloned(),
        );
        named.sort();
        named.dedup();
        named
    }

    /// How the inbox is looked at.
    #[must_use]
    pub fn inbox_settings(&self) -> inbox::Settings {
        let settings = &self.settings.inbox;
        inbox::Settings { settle_after: settings.settle_after.0, look_every: settings.look_every.0 }
    }

    /// The periodical, served at `listening` unless the settings name another address.
    #[must_use]
    pub fn publication(&self, listening: SocketAddr) -> Publication {
        let settings = &self.settings.publication;
        let base_url = settings
            .base_url
            .as_ref()
            .map_or_else(|| format!("http://{}/", reachable(listening)), |url| url.0.clone());
        Publication {
            key: settings.key.clone(),
            title: settings.title.clone(),
            description: settings.description.clone(),
            language: settings.language.clone(),
            time_zone: TimeZone::get(&settings.time_zone).unwrap_or(TimeZone::UTC),
            authority: settings.authority.clone(),
            hub: settings.hub.as_ref().map(|hub| hub.0.clone()),
            imprint: Imprint {
                publisher: settings.publisher.clone(),
                rights: settings.rights.clone(),
                issn: settings.issn.clone(),
            },
            theme: self.theme.clone(),
            forms: self.forms(&base_url),
            base_url,
            design: Design {
                colour: settings.colour.as_deref().and_then(Colour::parse),
                cover: self.cover.clone(),
                vertical: settings.vertical,
            },
        }
    }

    /// Where readers' forms are. A newsroom without a mail server cannot ask anybody who reads it on the web; it shows its form only
    /// to whoever tries it, on this machine.
    fn forms(&self, base_url: &str) -> Forms {
        let Settings { publication, joining, mail, http, .. } = &self.settings;
        let url = http.leave_url.as_ref().map_or(base_url, |url| &url.0).to_owned();
        let open = joining.form && (publication.base_url.is_none() || !mail.servers().is_empty());
        Forms { url, open }
    }

    /// How readers may join by themselves.
    #[must_use]
    pub fn joining_rules(&self) -> http::Rules {
        let settings = &self.settings.joining;
        http::Rules {
            per_network: settings.per_network,
            per_hour: settings.per_hour,
            most_pending: settings.most_pending.into(),
            refuse_roles: settings.refuse_roles,
            trusted: self.settings.http.trusted_proxies.iter().map(|net| net.0).collect(),
        }
    }

    /// The hosts on the web whose pictures are fetched.
    #[must_use]
    pub fn pictures_from(&self) -> Vec<String> {
        self.settings.publication.pictures_from.iter().map(|host| host.0.clone()).collect()
    }

    /// How old an issue's date may be for letters to be sent.
    #[must_use]
    pub fn letters_within(&self) -> Option<SignedDuration> {
        self.settings.mail.skip_older_than.and_then(|span| SignedDuration::try_from(span.0).ok())
    }

    /// When the digests of each pace are due.
    #[must_use]
    pub fn calendar(&self) -> Calendar {
        let settings = &self.settings.digests;
        Calendar {
            zone: TimeZone::get(&self.settings.publication.time_zone).unwrap_or(TimeZone::UTC),
            at: settings.at,
            weekday: settings.weekday.into(),
            day: settings.day,
        }
    }

    /// How late a digest may be found and still go out unasked.
    #[must_use]
    pub fn ask_after(&self) -> SignedDuration {
        SignedDuration::try_from(self.settings.digests.ask_after.0).unwrap_or(SignedDuration::MAX)
    }

    /// Who writes the letters of a publication.
    #[must_use]
    pub fn sender(&self, publication: &Publication) -> Sender {
        let settings = &self.settings.mail;
        Sender {
            name: settings.from.name.clone(),
            address: settings.from.address.clone(),
            reply_to: settings.reply_to.clone(),
            leave_url: publication.forms.url.clone(),
        }
    }

    /// What letters carry besides, but for books.
    ///
    /// # Errors
    /// When a key cannot be read, or cannot sign.
    pub fn stationery(&self) -> Result<Stationery, Error> {
        let settings = &self.settings.mail;
        let signer = self.signer()?.map(Arc::new);
        Ok(Stationery { bounces: settings.bounces.clone(), thread: settings.thread, signer, books: None })
    }

    /// Who signs letters, where the settings name keys. The name of a key's file is its selector.
    ///
    /// # Errors
    /// When a key cannot be read, or cannot sign.
    pub fn signer(&self) -> Result<Option<Signer>, Error> {
        let settings = &self.settings.mail;
        let paths: Vec<PathBuf> = settings.dkim_keys.iter().map(|file| self.root.join(file)).collect();
        if paths.is_empty() {
            return Ok(None);
        }
        let read = |path: &PathBuf| {
            let failed = |source| Error::Named { key: "mail.dkim_keys", path: path.clone(), source };
            let selector = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            Ok((selector, fs::read(path).map_err(failed)?))
        };
        let keys = paths.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let signer = Signer::of(settings.signing_domain(), &keys);
        signer.map(Some).map_err(|(nth, source)| Error::Key { path: paths[nth].clone(), source })
    }

    /// The Maildir in which a mail server lays what comes back.
    #[must_use]
    pub fn maildir(&self) -> Option<PathBuf> {
        self.settings.bounces.maildir.as_ref().map(|folder| self.root.join(folder))
    }

    /// Where a mail server hands over what comes back.
    #[must_use]
    pub fn lmtp(&self) -> Option<Door> {
        self.settings.bounces.lmtp.as_ref().map(|door| match door {
            DoorName::Loopback(address) => Door::Loopback(*address),
            DoorName::Socket(path) => Door::Socket(self.root.join(path)),
        })
    }

    /// What providers must know to tell us what became of letters.
    ///
    /// # Errors
    /// When the file with it cannot be read, or what it holds could be guessed.
    pub fn webhook_secret(&self) -> Result<Option<String>, Error> {
        let Some(file) = &self.settings.bounces.webhook_secret_file else { return Ok(None) };
        let path = self.root.join(file);
        let failed = |source| Error::Named { key: "bounces.webhook_secret_file", path: path.clone(), source };
        let secret = fs::read_to_string(&path).map_err(failed)?.trim().to_owned();
        let good = secret.len() >= SECRET_FROM
            && secret.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b));
        if !good {
            let why = "it must be one line of 20 or more letters, digits and -_.~";
            return Err(failed(io::Error::new(io::ErrorKind::InvalidData, why)));
        }
        Ok(Some(secret))
    }

    /// Who is told what happens.
    ///
    /// # Errors
    /// When the file with a secret cannot be read, or what it holds could be guessed.
    pub fn webhooks(&self) -> Result<Vec<Webhook>, Error> {
        let webhook = |settings: &WebhookSettings| {
            let path = self.root.join(&settings.secret_file);
            let failed = |source| Error::Named { key: "webhooks.secret_file", path: path.clone(), source };
            let text = fs::read_to_string(&path).map_err(failed)?;
            let secret = Secret::parse(&text).ok_or_else(|| {
                let why = "it must be one line of 24 to 64 random bytes in base64; `openssl rand -base64 32` makes one";
                failed(io::Error::new(io::ErrorKind::InvalidData, why))
            })?;
            Ok(Webhook { url: settings.url.0.clone(), secret, events: settings.events.clone() })
        };
        self.settings.webhooks.iter().map(webhook).collect()
    }

    /// Where letters go.
    ///
    /// # Errors
    /// When a file with a password cannot be read.
    pub fn way(&self) -> Result<Way, Error> {
        let relays = self.settings.mail.servers();
        if relays.is_empty() {
            return Ok(Way::Folder(self.data().join("mail")));
        }
        relays.into_iter().map(|relay| self.relay(relay)).collect::<Result<_, _>>().map(Way::Smtp)
    }

    fn relay(&self, settings: RelaySettings) -> Result<Relay, Error> {
        let login = match (settings.user, settings.password_file) {
            (Some(user), Some(file)) => {
                let path = self.root.join(file);
                let password = fs::read_to_string(&path).map_err(|source| Error::Named {
                    key: "mail.password_file",
                    path,
                    source,
                })?;
                Some((user, password.trim_end_matches(['\r', '\n']).to_owned()))
            }
            _ => None,
        };
        let HostPort { host, port } = settings.server;
        let server = Server {
            host,
            port,
            protection: match settings.protection {
                ProtectionName::Starttls => Protection::StartTls,
                ProtectionName::Tls => Protection::Tls,
                ProtectionName::None => Protection::None,
            },
            login,
            ca_file: settings.ca_file.map(|file| self.root.join(file)),
            patience: self.settings.mail.patience.0,
        };
        let RelaySettings { connections, per_minute, weight, .. } = settings;
        Ok(Relay { server, connections, per_minute, weight })
    }

    /// How quickly letters may go.
    #[must_use]
    pub fn mail_limits(&self) -> Limits {
        let settings = &self.settings.mail;
        Limits { per_minute: settings.per_minute, per_minute_per_domain: settings.per_minute_per_domain }
    }
}
