//! Whether letters would be taken, and believed: the mail servers, and the records of the sender's domain.

use std::net::SocketAddr;

use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig},
    net::{NetError, runtime::TokioRuntimeProvider},
    proto::rr::{RData, RecordType},
};
use jiff::{SignedDuration, Timestamp};

use super::{Finding, PATIENCE};
use crate::{config::Newsroom, mail, mail::Protection, mail::Server, mail::Way};

/// A certificate that ends sooner should be renewed by now.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

pub(super) async fn servers(newsroom: &Newsroom) -> Vec<Finding> {
    let relays = match newsroom.way() {
        Ok(Way::Smtp(relays)) => relays,
        Ok(Way::Folder(folder)) => {
            let said = format!("no mail server is set; letters are laid into `{}`", folder.display());
            return vec![Finding::look("mail", said, "set `server` in [mail], if readers are to get them")];
        }
        Err(error) => {
            let why = std::error::Error::source(&error).map(|why| format!(": {why}")).unwrap_or_default();
            return vec![Finding::wrong(
                "mail",
                format!("{error}{why}"),
                "mend the file that the setting names",
            )];
        }
    };
    let mut findings = Vec::new();
    for relay in relays {
        let server = Server { patience: relay.server.patience.min(PATIENCE), ..relay.server };
        findings.extend(match mail::probe(&server).await {
            Ok(probed) => answered(&server, &probed),
            Err(failure) => vec![silent(&server, &failure)],
        });
    }
    findings
}

fn answered(server: &Server, probed: &mail::Probed) -> Vec<Finding> {
    let way = match server.protection {
        Protection::None => "without TLS",
        Protection::StartTls | Protection::Tls => "under TLS",
    };
    let login = if server.login.is_some() { ", logged in" } else { "" };
    let mut findings = vec![Finding::ok(
        "mail",
        format!("{server} answers {way}{login}; it knows {}", probed.abilities.join(", ")),
    )];
    if server.login.is_none() && probed.abilities.iter().any(|word| word == "AUTH") {
        findings.push(Finding::look(
            "mail",
            format!("{server} offers a log-in, and none is set"),
            "set `user` and `password_file` in [mail], unless it takes letters from this machine without",
        ));
    }
    if !probed.abilities.iter().any(|word| word == "PIPELINING") {
        let said = format!("{server} does not know PIPELINING; a letter takes it several round trips");
        findings.push(Finding::look("mail", said, "nothing is wrong; more `connections` make up for it"));
    }
    if let Some(certificate) = &probed.certificate {
        findings.push(certified(server, certificate));
    }
    findings
}

/// Until when the certificate of a server is good.
fn certified(server: &Server, certificate: &[u8]) -> Finding {
    let parsed = x509_parser::parse_x509_certificate(certificate);
    let until =
        parsed.ok().and_then(|(_, it)| Timestamp::from_second(it.validity().not_after.timestamp()).ok());
    let Some(until) = until else {
        let help = "nothing, if letters go out";
        return Finding::look("mail", format!("the certificate of {server} cannot be read"), help);
    };
    let said = format!("the certificate of {server} is good until {}", until.strftime("%Y-%m-%d"));
    if until.duration_since(Timestamp::now()) < SOON {
        Finding::look("mail", said, "have whoever runs that server renew it, or letters will wait")
    } else {
        Finding::ok("mail", said)
    }
}

fn silent(server: &Server, failure: &mail::ProbeFailure) -> Finding {
    let said = format!("{server}: {}", failure.text);
    let help = match failure.code {
        Some(530 | 534 | 535 | 538 | 454) => "see `user` and the file that `password_file` names",
        Some(421 | 450 | 451 | 452) => "it takes nothing just now; ask again in some minutes",
        Some(_) => "ask whoever runs that server why it refuses this machine",
        None if failure.text.contains("certificate") || failure.text.contains("UnknownIssuer") => {
            "its certificate must be for the name in `server`, and by an authority that this system knows, or that `ca_file` names"
        }
        None if failure.text.contains("STARTTLS") => {
            "set `protection = \"tls\"` and port 465, if it speaks TLS from the first byte"
        }
        None if failure.text.contains("log-in") => {
            "it takes log-ins only under TLS as a rule; see `protection`"
        }
        None => {
            "see host and port in `server`, and whether a firewall (or your provider, on port 25) is between"
        }
    };
    Finding::wrong("mail", said, help)
}

/// What is said where no name server answers; then the others are not asked for.
const UNASKED: &str = "the DNS could not be asked";

/// The name server that is asked.
fn resolver(server: Option<SocketAddr>) -> Result<TokioResolver, NetError> {
    let mut builder = match server {
        None => TokioResolver::builder_tokio()?,
        Some(address) => {
            let port = |mut connection: ConnectionConfig| {
                connection.port = address.port();
                connection
            };
            let connections = vec![port(ConnectionConfig::udp()), port(ConnectionConfig::tcp())];
            let server = NameServerConfig::new(address.ip(), true, connections);
            let config = ResolverConfig::from_name_servers(vec![server]);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    let options = builder.options_mut();
    options.timeout = PATIENCE / 4;
    options.attempts = 2;
    builder.build()
}

/// The texts of a name; none where there is none.
async fn texts(resolver: &TokioResolver, name: &str) -> Result<Vec<String>, String> {
    let found = match resolver.lookup(format!("{name}."), RecordType::TXT).await {
        Ok(found) => found,
        Err(error) if error.is_no_records_found() || error.is_nx_domain() => return Ok(Vec::new()),
        Err(error) => return Err(error.to_string()),
    };
    let text = |data: &RData| match data {
        RData::TXT(text) => Some(String::from_utf8_lossy(&text.txt_data.concat()).into_owned()),
        _ => None,
    };
    Ok(found.answers().iter().filter_map(|record| text(&record.data)).collect())
}

pub(super) async fn records(newsroom: &Newsroom, server: Option<SocketAddr>) -> Vec<Finding> {
    let settings = &newsroom.settings.mail;
    let sender = newsroom.sender(&newsroom.publication(newsroom.settings.http.listen));
    let from = sender.address.domain();
    if settings.servers().is_empty() || from == "localhost" {
        return Vec::new();
    }
    let resolver = match resolver(server) {
        Ok(resolver) => resolver,
        Err(error) => return vec![unasked("dns", &error.to_string())],
    };
    // Errors come back to the envelope's sender, and SPF is about that one.
    let envelope = settings.bounces.as_ref().map_or(from, |address| address.domain());
    let first = spf(&resolver, envelope).await;
    if first.said.starts_with(UNASKED) {
        return vec![Finding { subject: "dns", ..first }];
    }
    let mut findings = vec![first];
    findings.extend(dkim(newsroom, &resolver).await);
    findings.push(dmarc(&resolver, from).await);
    findings
}

fn unasked(subject: &'static str, why: &str) -> Finding {
    let help = "see `/etc/resolv.conf`, or name a name server with `--resolver 192.0.2.53:53`";
    Finding::look(subject, format!("{UNASKED}: {why}"), help)
}

async fn spf(resolver: &TokioResolver, domain: &str) -> Finding {
    let texts = match texts(resolver, domain).await {
        Ok(texts) => texts,
        Err(error) => return unasked("spf", &error),
    };
    let is_spf =
        |text: &&String| text.split(' ').next().is_some_and(|first| first.eq_ignore_ascii_case("v=spf1"));
    match texts.iter().filter(is_spf).collect::<Vec<_>>()[..] {
        [] => Finding::look(
            "spf",
            format!("`{domain}` has no SPF record; many servers believe such letters less"),
            format!(
                "publish one for the server that sends: `{domain}. IN TXT \"v=spf1 include:YOUR-PROVIDER -all\"` (RFC 7208)"
            ),
        ),
        [one]
            if one
                .split(' ')
                .any(|word| word.eq_ignore_ascii_case("+all") || word.eq_ignore_ascii_case("all")) =>
        {
            Finding::wrong(
                "spf",
                format!("`{one}` lets everybody send for `{domain}`"),
                "end it with `-all` or `~all`",
            )
        }
        [one] => Finding::ok("spf", format!("`{domain}`: {one}")),
        _ => Finding::wrong(
            "spf",
            format!("`{domain}` has several SPF records, which counts as none"),
            "make one of them (RFC 7208, section 3.2)",
        ),
    }
}

async fn dkim(newsroom: &Newsroom, resolver: &TokioResolver) -> Vec<Finding> {
    let signer = match newsroom.signer() {
        Ok(Some(signer)) => signer,
        Ok(None) => {
            let help = "nothing, where your relay signs them; else `gazetted dkim new` makes keys";
            return vec![Finding::look("dkim", "letters are not signed here", help)];
        }
        Err(error) => {
            let why = std::error::Error::source(&error).map(|why| format!(": {why}")).unwrap_or_default();
            return vec![Finding::wrong("dkim", format!("{error}{why}"), "see `dkim_keys` in [mail]")];
        }
    };
    let mut findings = Vec::new();
    for record in signer.records() {
        let help = "publish what `gazetted dkim show` prints, and wait until name servers have it";
        let key = |text: &str| -> Option<String> {
            text.split(';').find_map(|tag| Some(tag.trim().strip_prefix("p=")?.split_whitespace().collect()))
        };
        findings.push(match texts(resolver, &record.name).await {
            Err(error) => unasked("dkim", &error),
            Ok(texts) if texts.is_empty() => {
                Finding::wrong("dkim", format!("there is no record `{}`", record.name), help)
            }
            Ok(texts) if texts.iter().any(|text| key(text) == key(&record.text)) => {
                Finding::ok("dkim", format!("`{}` has our key", record.name))
            }
            Ok(_) => Finding::wrong("dkim", format!("`{}` has another key than ours", record.name), help),
        });
    }
    findings
}

async fn dmarc(resolver: &TokioResolver, domain: &str) -> Finding {
    let mut asked = domain;
    loop {
        let found = match texts(resolver, &format!("_dmarc.{asked}")).await {
            Ok(texts) => texts.into_iter().find(|text| text.to_ascii_lowercase().starts_with("v=dmarc1")),
            Err(error) => return unasked("dmarc", &error),
        };
        if let Some(found) = found {
            return Finding::ok("dmarc", format!("`_dmarc.{asked}`: {found}"));
        }
        // A domain without one is spoken for by the one above it.
        match asked.split_once('.') {
            Some((_, above)) if above.contains('.') => asked = above,
            _ => break,
        }
    }
    Finding::look(
        "dmarc",
        format!("`{domain}` has no DMARC record; large providers want one of those who send to many"),
        format!(
            "publish one: `_dmarc.{domain}. IN TXT \"v=DMARC1; p=none; rua=mailto:you@{domain}\"` (RFC 7489)"
        ),
    )
}
