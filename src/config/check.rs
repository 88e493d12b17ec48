//! Reads the settings' text and says everything that is wrong with it at once, each with its line.

use std::path::Component;

use super::settings::{HostPort, ProtectionName, RelaySettings, Settings};
use crate::{delivery::ReturnKey, typography::nearest};

/// How the names of variables begin that override settings.
const PREFIX: &str = "GAZETTED_";

/// Every section with every key, as the file may have them.
const KEYS: [(&str, &[&str]); 11] = [
    (
        "publication",
        &[
            "key",
            "title",
            "description",
            "language",
            "time_zone",
            "authority",
            "base_url",
            "hub",
            "publisher",
            "rights",
            "issn",
            "colour",
            "cover",
            "vertical",
            "proofs",
            "pictures_from",
            "theme",
        ],
    ),
    ("inbox", &["folder", "settle_after", "look_every"]),
    (
        "outbox",
        &["folder", "bucket", "endpoint", "region", "key_id", "secret_file", "ca_file", "without_tls"],
    ),
    ("data", &["folder", "ledger", "ledger_password_file"]),
    ("daemon", &["roles", "name"]),
    ("digests", &["at", "weekday", "day", "ask_after"]),
    ("joining", &["form", "per_network", "per_hour", "most_pending", "refuse_roles"]),
    (
        "mail",
        &[
            "server",
            "protection",
            "user",
            "password_file",
            "ca_file",
            "from",
            "reply_to",
            "connections",
            "patience",
            "per_minute",
            "per_minute_per_domain",
            "on_unknown",
            "skip_older_than",
            "relays",
            "bounces",
            "thread",
            "dkim_keys",
            "dkim_domain",
        ],
    ),
    ("bounces", &["maildir", "lmtp", "webhook_secret_file"]),
    ("http", &["listen", "leave_url", "trusted_proxies", "memory_mib"]),
    ("desk", &["listen", "largest_upload_mib"]),
];

/// The keys of each of `[[mail.relays]]`.
const RELAY_KEYS: [&str; 8] =
    ["server", "protection", "user", "password_file", "ca_file", "connections", "per_minute", "weight"];

/// The keys of each of `[[webhooks]]`.
const WEBHOOK_KEYS: [&str; 3] = ["url", "secret_file", "events"];

/// A section that there may be more than once.
struct Repeated {
    /// As it stands in the file.
    head: &'static str,
    /// As it is called in what is said.
    name: &'static str,
    keys: &'static [&'static str],
    /// The keys that each must have, with a value that is right.
    musts: &'static [(&'static str, &'static str)],
    /// Settings that have only these.
    alone: fn(toml::Table) -> toml::Table,
}

const RELAYS: Repeated = Repeated {
    head: "[[mail.relays]]",
    name: "relays",
    keys: &RELAY_KEYS,
    musts: &[("server", "smtp.example.org:587")],
    alone: |relay| {
        nested("mail", toml::Value::Table(nested("relays", toml::Value::Array(vec![relay.into()]))))
    },
};

const WEBHOOKS: Repeated = Repeated {
    head: "[[webhooks]]",
    name: "webhooks",
    keys: &WEBHOOK_KEYS,
    musts: &[("url", "https://example.org/"), ("secret_file", "config/webhook-secret")],
    alone: |webhook| nested("webhooks", toml::Value::Array(vec![webhook.into()])),
};

fn nested(key: &str, value: toml::Value) -> toml::Table {
    let mut table = toml::Table::new();
    table.insert(key.to_owned(), value);
    table
}

/// The settings in `text` with what the environment overrides, or everything that is wrong with them.
pub(super) fn parse(
    text: &str,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Settings, Vec<String>> {
    let line_of = |at: usize| text.get(..at).map_or(1, |before| before.matches('\n').count() + 1);
    let parsed = toml::de::DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(span.start));
        vec![format!("line {line}: {}", error.message().lines().next().unwrap_or("this is not TOML"))]
    })?;
    let mut values: toml::Table =
        text.parse().map_err(|error: toml::de::Error| vec![error.message().to_owned()])?;
    let mut problems: Vec<(usize, String)> = Vec::new();
    for (section, entries) in parsed.get_ref() {
        let line = line_of(section.span().start);
        let section: &str = section.get_ref();
        if section == WEBHOOKS.name {
            let toml::de::DeValue::Array(webhooks) = entries.get_ref() else {
                problems.push((line, "webhooks: each is a section; write `[[webhooks]]`".to_owned()));
                continue;
            };
            for (n, webhook) in webhooks.iter().enumerate() {
                let value = values.get(section).and_then(|values| values.get(n));
                part_problems(&WEBHOOKS, webhook, value, &line_of, &mut problems);
            }
            continue;
        }
        let Some((_, keys)) = KEYS.iter().find(|(name, _)| *name == section) else {
            let known: Vec<&str> = KEYS.iter().map(|(name, _)| *name).chain([WEBHOOKS.name]).collect();
            problems.push((line, format!("there is no section `[{section}]`{}", nearest(section, &known))));
            continue;
        };
        let toml::de::DeValue::Table(entries) = entries.get_ref() else {
            problems.push((line, format!("`{section}` is a section; write `[{section}]`")));
            continue;
        };
        for (key, value) in entries {
            let line = line_of(key.span().start);
            let key: &str = key.get_ref();
            if (section, key) == ("mail", "relays")
                && let toml::de::DeValue::Array(relays) = value.get_ref()
            {
                for (n, relay) in relays.iter().enumerate() {
                    let value = values.get(section).and_then(|values| values.get(key)?.get(n));
                    part_problems(&RELAYS, relay, value, &line_of, &mut problems);
                }
            } else if !keys.contains(&key) {
                problems.push((
                    line,
                    format!("there is no setting `{key}` in `[{section}]`{}", nearest(key, keys)),
                ));
            } else if let Some(problem) =
                values.get(section).and_then(|values| trial(section, key, values.get(key)?))
            {
                problems.push((line, format!("{key}: {problem}")));
            }
        }
    }
    problems.sort();
    let mut problems: Vec<String> =
        problems.into_iter().map(|(line, problem)| format!("line {line}: {problem}")).collect();
    for (name, value) in environment {
        let Some((section, key)) = overridden(&name) else { continue };
        let value = value.parse::<toml::Value>().unwrap_or(toml::Value::String(value));
        if let Some(problem) = trial(section, key, &value) {
            problems.push(format!("{name} in the environment: {problem}"));
        }
        let table = values.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        if let toml::Value::Table(table) = table {
            table.insert(key.to_owned(), value);
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let settings = values.try_into().map_err(|error: toml::de::Error| vec![error.message().to_owned()])?;
    let problems = contradictions(&settings);
    if problems.is_empty() { Ok(settings) } else { Err(problems) }
}

/// What is wrong with one of the sections that there may be more than once.
fn part_problems(
    of: &Repeated,
    part: &toml::Spanned<toml::de::DeValue<'_>>,
    value: Option<&toml::Value>,
    line_of: &dyn Fn(usize) -> usize,
    problems: &mut Vec<(usize, String)>,
) {
    let start = line_of(part.span().start);
    let (head, name) = (of.head, of.name);
    let (toml::de::DeValue::Table(entries), Some(value)) = (part.get_ref(), value) else {
        problems.push((start, format!("{name}: each is a section; write `{head}`")));
        return;
    };
    let before = problems.len();
    for (key, _) in entries {
        let line = line_of(key.span().start);
        let key: &str = key.get_ref();
        if !of.keys.contains(&key) {
            let nearest = nearest(key, of.keys);
            problems.push((line, format!("there is no setting `{key}` in `{head}`{nearest}")));
            continue;
        }
        // With all that it must have and that is right, only this value can be wrong.
        let right =
            |(key, right): &(&str, &str)| ((*key).to_owned(), toml::Value::String((*right).to_owned()));
        let mut alone: toml::Table = of.musts.iter().map(right).collect();
        alone.extend(value.get(key).map(|value| (key.to_owned(), value.clone())));
        if let Some(problem) = tried((of.alone)(alone)) {
            problems.push((line, format!("{key}: {problem}")));
        }
    }
    if problems.len() == before
        && let Some((missing, _)) = of.musts.iter().find(|(key, _)| value.get(key).is_none())
    {
        problems.push((start, format!("{name}: each has a `{missing}`")));
    }
}

/// What is wrong with one value of one key, found by reading settings that have only this.
fn trial(section: &str, key: &str, value: &toml::Value) -> Option<String> {
    let mut entries = toml::Table::new();
    entries.insert(key.to_owned(), value.clone());
    tried(nested(section, toml::Value::Table(entries)))
}

/// What is wrong with settings that have only a few values.
fn tried(settings: toml::Table) -> Option<String> {
    let tried: Result<Settings, toml::de::Error> = settings.try_into();
    tried.err().map(|error| error.message().trim().to_owned())
}

/// The section and key that a variable such as `GAZETTED_MAIL__SERVER` overrides; others with our prefix are not ours to judge.
fn overridden(variable: &str) -> Option<(&'static str, &'static str)> {
    let (section, key) = variable.strip_prefix(PREFIX)?.split_once("__")?;
    let (section, keys) = KEYS.iter().find(|(name, _)| name.eq_ignore_ascii_case(section))?;
    Some((section, keys.iter().find(|name| name.eq_ignore_ascii_case(key))?))
}

/// Settings that are right each by itself and wrong together.
fn contradictions(settings: &Settings) -> Vec<String> {
    let mail = &settings.mail;
    let mut problems = Vec::new();
    let folders = [
        ("inbox", &settings.inbox.folder),
        ("outbox", &settings.outbox.folder),
        ("data", &settings.data.folder),
    ];
    for (n, (name, folder)) in folders.iter().enumerate() {
        let whole = folder.components().all(|part| part == Component::CurDir);
        if whole {
            problems.push(format!(
                "{name}: `folder` is the whole newsroom; its secrets and its state lie there too"
            ));
        }
        for (other, theirs) in &folders[n + 1..] {
            if !whole && (folder.starts_with(theirs) || theirs.starts_with(folder)) {
                problems.push(format!(
                    "`folder` of {name} and of {other} must lie beside each other, not one inside the other"
                ));
            }
        }
    }
    let outbox = &settings.outbox;
    let of_a_bucket = [
        ("endpoint", outbox.endpoint.is_some()),
        ("region", outbox.region.is_some()),
        ("key_id", outbox.key_id.is_some()),
        ("ca_file", outbox.ca_file.is_some()),
        ("without_tls", outbox.without_tls),
    ];
    if let Some((name, _)) = of_a_bucket.iter().find(|(_, is_set)| *is_set && outbox.bucket.is_none()) {
        problems.push(format!("outbox: `{name}` is for a `bucket`; set that, too"));
    }
    if outbox.key_id.is_some() != outbox.secret_file.is_some() {
        problems.push("outbox: `key_id` and `secret_file` belong together; set both or none".to_owned());
    }
    if settings.data.ledger_password_file.is_some() && settings.data.ledger.is_none() {
        problems.push("data: `ledger_password_file` is for a `ledger` on PostgreSQL".to_owned());
    }
    if mail.user.is_some() != mail.password_file.is_some() {
        problems.push("mail: `user` and `password_file` belong together; set both or none".to_owned());
    }
    if mail.server.is_some() && !mail.relays.is_empty() {
        let way = "give `server` a `[[mail.relays]]` of its own";
        problems.push(format!("mail: `server` is for one server and `relays` for several; {way}"));
    }
    if !mail.relays.is_empty() && mail.relays.iter().all(|relay| relay.weight == 0) {
        problems.push("mail: one of the relays must have a `weight`; 0 only stands in for others".to_owned());
    }
    for relay in &mail.relays {
        if relay.user.is_some() != relay.password_file.is_some() {
            let of = String::from(relay.server.clone());
            problems
                .push(format!("mail: `user` and `password_file` of {of} belong together; set both or none"));
        }
    }
    let loopback = |server: &HostPort| {
        server.host == "localhost" || server.host.starts_with("127.") || server.host == "::1"
    };
    let open = |relay: &RelaySettings| {
        relay.user.is_some() && relay.protection == ProtectionName::None && !loopback(&relay.server)
    };
    if mail.servers().iter().any(open) {
        let way = "set `protection` to `starttls` or `tls`";
        problems.push(format!(
            "mail: without protection the password would cross the network in the clear; {way}"
        ));
    }
    for (n, webhook) in settings.webhooks.iter().enumerate() {
        if settings.webhooks.iter().take(n).any(|other| other.url == webhook.url) {
            let url = String::from(webhook.url.clone());
            problems.push(format!("webhooks: `{url}` is there twice; name all its `events` in one"));
        }
    }
    if let Some(bounces) = &mail.bounces {
        let local = bounces.as_str().split('@').next().unwrap_or_default();
        if local.len() > ReturnKey::LONGEST_MAILBOX {
            let most = ReturnKey::LONGEST_MAILBOX;
            problems.push(format!(
                "mail: in `bounces`, `{local}` is too long: {most} characters leave room for each letter's own mark"
            ));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TEMPLATE;
    use expect_test::{Expect, expect};

    #[test]
    fn the_file_of_settings_shows_every_setting_with_its_default() {
        assert_eq!(parse(TEMPLATE, []).expect("good settings"), Settings::default());
        for (section, keys) in KEYS {
            let part = TEMPLATE.split(&format!("\n[{section}]\n")).nth(1).expect(section);
            let part = part.split("\n[").next().expect("the section's lines");
            for key in keys.iter().filter(|key| **key != "relays") {
                let shown = part
                    .lines()
                    .any(|l| l.starts_with(&format!("{key} = ")) || l.starts_with(&format!("# {key} = ")));
                assert!(shown, "`{key}` in `[{section}]`");
            }
        }
    }

    #[test]
    fn the_file_of_settings_shows_relays_that_can_be_used_as_they_stand() {
        let block = TEMPLATE.split("# [[mail.relays]]\n").nth(1).expect("the relays");
        let lines: Vec<&str> = block.lines().map_while(|line| line.strip_prefix("# ")).collect();
        for key in RELAY_KEYS {
            assert!(lines.iter().any(|line| line.starts_with(&format!("{key} = "))), "`{key}`");
        }
        let text = format!("[[mail.relays]]\n{}\n", lines.join("\n"));
        let relays = parse(&text, []).expect("good settings").mail.relays;
        let usual = parse("[[mail.relays]]\nserver = \"smtp.example.org:587\"", [])
            .expect("good settings")
            .mail
            .relays;
        assert_eq!((relays[0].connections, relays[0].weight), (usual[0].connections, usual[0].weight));
    }

    #[test]
    fn the_file_of_settings_shows_webhooks_that_can_be_used_as_they_stand() {
        let block = TEMPLATE.split("# [[webhooks]]\n").nth(1).expect("the webhooks");
        let lines: Vec<&str> = block.lines().map_while(|line| line.strip_prefix("# ")).collect();
        for key in WEBHOOK_KEYS {
            assert!(lines.iter().any(|line| line.starts_with(&format!("{key} = "))), "`{key}`");
        }
        let text = format!("[[webhooks]]\n{}\n", lines.join("\n"));
        let webhooks = parse(&text, []).expect("good settings").webhooks;
        assert_eq!(webhooks[0].events.len(), crate::ledger::EventKind::ALL.len());
    }

    #[test]
    fn what_is_wrong_with_webhooks_is_said_too() {
        check(
            "[[webhooks]]\nurl = \"http://example.org/\"\nsecret_file = \"x\"\nevent = []\n[[webhooks]]\nurl = \"https://example.org/\"",
            &expect![[r"
                line 2: url: `http://example.org/` must begin with `https://`; only this machine is told over http
                line 4: there is no setting `event` in `[[webhooks]]`; did you mean `events`?
                line 5: webhooks: each has a `secret_file`"]],
        );
        let one = "[[webhooks]]\nurl = \"http://127.0.0.1:9/\"\nsecret_file = \"x\"\n";
        check(one, &expect!["good"]);
        check(
            &format!("{one}{one}"),
            &expect!["webhooks: `http://127.0.0.1:9/` is there twice; name all its `events` in one"],
        );
        check(
            &format!("{one}events = [\"issue.printed\"]"),
            &expect![
                "line 4: events: unknown variant `issue.printed`, expected one of `issue.published`, `issue.corrected`, `issue.withdrawn`, `digest.finished`"
            ],
        );
        check("webhooks = 1", &expect!["line 1: webhooks: each is a section; write `[[webhooks]]`"]);
    }

    #[test]
    fn what_is_printed_as_settings_can_be_read_as_settings() {
        let printed = toml::to_string(&Settings::default()).expect("written");
        assert_eq!(parse(&printed, []).expect("good settings"), Settings::default());
    }

    #[track_caller]
    fn check(text: &str, expected: &Expect) {
        expected
            .assert_eq(&parse(text, []).map_or_else(|problems| problems.join("\n"), |_| "good".to_owned()));
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once_with_its_line() {
        check(
            "[publication]\ntitel = \"x\"\nlanguage = \"chinese!\"\n\n[inbox]\nsettle_after = \"soon\"\n\n[mails]\n",
            &expect![[r"
                line 2: there is no setting `titel` in `[publication]`; did you mean `title`?
                line 3: language: `chinese!` is not a language tag such as `zh-Hans` or `en`
                line 6: settle_after: `soon` is not a span of time such as `2s`, `5m` or `720h`
                line 8: there is no section `[mails]`; did you mean `mail`?"]],
        );
        check(
            "[mail]\nconnections = 0\nfrom = \"nobody\"\nserver = \"x\"",
            &expect![[r"
            line 2: connections: `0` is not a number from 1 to 1000
            line 3: from: `nobody` is not an e-mail address: it needs one `@` with a name before it and a domain after it
            line 4: server: `x` is not a server and a port such as `smtp.example.org:587`"]],
        );
        check(
            "[http]\nlisten = \"here\"\n[publication]\nauthority = \"x\"\nissn = \"12\"\nbase_url = \"news.example.org\"",
            &expect![[r"
            line 2: listen: invalid socket address syntax
            line 4: authority: `x` is not a domain or an e-mail address and a year, such as `example.org,2026`
            line 5: issn: `12` is not an ISSN such as `1234-567X`
            line 6: base_url: `news.example.org` is not an address such as `https://news.example.org/`"]],
        );
        check(
            "[mail]\nuser = \"x\"",
            &expect!["mail: `user` and `password_file` belong together; set both or none"],
        );
        check(
            "[publication]\nproofs = \"never\"",
            &expect![
                "line 2: proofs: unknown variant `never`, expected one of `auto`, `flagged`, `always-ask`"
            ],
        );
        check(
            "[publication]\npictures_from = [\"https://img.example.org/\"]",
            &expect![
                "line 2: pictures_from: `https://img.example.org/` is not the name of a host such as `img.example.org`"
            ],
        );
        check(
            "[publication]\npictures_from = [\"10.0.0.1\"]",
            &expect!["line 2: pictures_from: `10.0.0.1` is not the name of a host such as `img.example.org`"],
        );
        check(
            "[publication]\ncolour = \"navy\"\nvertical = \"yes\"",
            &expect![[r#"
            line 2: colour: `navy` is not a colour such as `#1f3a5f`
            line 3: vertical: invalid type: string "yes", expected a boolean"#]],
        );
        check(
            "[bounces]\nlmtp = \"0.0.0.0:24\"",
            &expect![
                "line 2: lmtp: `0.0.0.0:24` can be reached from outside; take an address such as `127.0.0.1:2424`"
            ],
        );
        check(
            "[bounces]\nlmtp = \"here\"",
            &expect![
                "line 2: lmtp: `here` is neither an address such as `127.0.0.1:2424` nor a socket such as `unix:data/lmtp`"
            ],
        );
    }

    #[test]
    fn what_is_wrong_with_digests_and_mail_is_said_too() {
        check(
            "[digests]\nat = \"25:00\"\nweekday = \"fri\"\nday = 31",
            &expect![[r"
                line 2: at: `25:00` is not an hour such as `07:00`
                line 3: weekday: unknown variant `fri`, expected one of `monday`, `tuesday`, `wednesday`, `thursday`, `friday`, `saturday`, `sunday`
                line 4: day: `31` is not a day from 1 to 28"]],
        );
        check(
            "[mail]\non_unknown = \"guess\"\nper_minute = 0\n[[mail.relays]]\nserver = \"a.example.org:25\"\nwieght = 1\n\n[[mail.relays]]\nweight = -1",
            &expect![[r"
                line 2: on_unknown: unknown variant `guess`, expected `resend` or `hold`
                line 3: per_minute: `0` is not a number from 1 to 1000000
                line 6: there is no setting `wieght` in `[[mail.relays]]`; did you mean `weight`?
                line 9: weight: `-1` is not a number from 0 to 1000"]],
        );
        check(
            "[mail]\nserver = \"a.example.org:25\"\n[[mail.relays]]\nserver = \"b.example.org:25\"\nweight = 0\nuser = \"x\"",
            &expect![[r"
                mail: `server` is for one server and `relays` for several; give `server` a `[[mail.relays]]` of its own
                mail: one of the relays must have a `weight`; 0 only stands in for others
                mail: `user` and `password_file` of b.example.org:25 belong together; set both or none"]],
        );
        check("[[mail.relays]]\nweight = 1", &expect!["line 1: relays: each has a `server`"]);
        check(
            "[mail]\nbounces = \"a-mailbox-with-a-long-name@example.org\"\nthread = \"no\"",
            &expect![[r#"line 3: thread: invalid type: string "no", expected a boolean"#]],
        );
        check(
            "[mail]\nbounces = \"a-mailbox-with-a-long-name@example.org\"",
            &expect![
                "mail: in `bounces`, `a-mailbox-with-a-long-name` is too long: 19 characters leave room for each letter's own mark"
            ],
        );
        check(
            "[mail]\ndkim_domain = \"-\"",
            &expect!["line 2: dkim_domain: `-` is not a domain such as `example.org`"],
        );
        check("[mail\n", &expect!["line 1: unclosed table, expected `]`"]);
        check(
            "[outbox]\nfolder = \".\"\n[inbox]\nfolder = \"data/in\"",
            &expect![[r"
                `folder` of inbox and of data must lie beside each other, not one inside the other
                outbox: `folder` is the whole newsroom; its secrets and its state lie there too"]],
        );
        check(
            "[outbox]\nbucket = \"https://tide.example.org\"\nendpoint = \"https://me:hush@s3.example.org\"\nbukket = 1",
            &expect![[r"
                line 2: bucket: `https://tide.example.org` is not the address of a bucket such as `s3://bucket/prefix`
                line 3: endpoint: this is not the address of a server such as `https://s3.example.org`
                line 4: there is no setting `bukket` in `[outbox]`; did you mean `bucket`?"]],
        );
        check(
            "[outbox]\nendpoint = \"https://s3.example.org\"\nkey_id = \"printer\"",
            &expect![[r"
                outbox: `endpoint` is for a `bucket`; set that, too
                outbox: `key_id` and `secret_file` belong together; set both or none"]],
        );
        check(
            "[mail]\nserver = \"smtp.example.org:25\"\nprotection = \"none\"\nuser = \"x\"\npassword_file = \"y\"",
            &expect![
                "mail: without protection the password would cross the network in the clear; set `protection` to `starttls` or `tls`"
            ],
        );
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let environment = [
            set("GAZETTED_PUBLICATION__TITLE", "News"),
            set("GAZETTED_MAIL__CONNECTIONS", "9"),
            set("GAZETTED_X__Y", "z"),
        ];
        let settings = parse("[publication]\ntitle = \"Old\"", environment).expect("good settings");
        assert_eq!((settings.publication.title.as_str(), settings.mail.connections), ("News", 9));
        let wrong = parse("", [set("GAZETTED_HTTP__LISTEN", "here")]).expect_err("no address");
        assert_eq!(wrong, ["GAZETTED_HTTP__LISTEN in the environment: invalid socket address syntax"]);
    }
}
