//! What letters are made of, and what the programs of others find in them.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf, process::Command, sync::Arc};

use expect_test::expect;
use gazetted::{
    delivery::{
        AttachedBook, Delivery, Digest, DigestId, DigestStatus, Kind, Period, Printing, PrintingId, ReturnKey,
    },
    editions::{self, BookFile, Shelved},
    issue::{Article, Byline, Headline, Issue, IssueKey, Release, Role},
    mail::{Letter, Letterhead, Sender, Signer, Stationery, Stencil, new_ed25519},
    prose::{Block, Language},
    publication::{Design, Forms, Imprint, Publication},
    subscriber::{Address, Form, LeaveKey, Pace, SubscriberId, Wish},
    theme::Theme,
};
use jiff::{Timestamp, civil::date, tz::TimeZone};
use mail_parser::MessageParser;
use proptest::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    configuring::gazetted,
    newsroom::{Newsroom, page},
    tools,
};

fn paper(chinese: bool) -> Publication {
    let (title, language) = if chinese { ("河畔周报", "zh-Hans") } else { ("The Tide Gazette", "en") };
    Publication {
        key: "tide".to_owned(),
        title: title.to_owned(),
        description: String::new(),
        language: Language::parse(language).unwrap(),
        time_zone: TimeZone::UTC,
        base_url: "https://news.example.org/".to_owned(),
        authority: "example.org,2026".to_owned(),
        hub: None,
        imprint: Imprint { publisher: Some(title.to_owned()), ..Imprint::default() },
        theme: Theme::default(),
        design: Design::default(),
        forms: Forms::default(),
    }
}

/// An issue of three articles.
fn issue(chinese: bool, day: i8) -> Shelved {
    let article = |headline: &str, author: &str, lines: &[&str]| {
        let mut article = Article::headed(Headline { text: headline.to_owned(), synthetic: false });
        article.bylines = vec![Byline { name: author.to_owned(), role: Role::Author, affiliation: None }];
        article.body = lines.iter().map(|line| Block::paragraph(*line)).collect();
        article
    };
    let articles = if chinese {
        vec![
            article(
                "渡口的钟又响了",
                "林晚",
                &[
                    "清晨六点，渡口的钟响了三下，第一班船慢慢靠岸。船上只有一个卖菱角的老人和两只空篮子。",
                    "钟停了七年。修钟的人说，毛病出在一根不到两寸长的铜销上；换下来的那根，如今挂在茶馆的墙上。",
                    "“听得见钟，就知道自己在哪里。”摆渡的人说。",
                ],
            ),
            article(
                "夜市的灯",
                "方小满",
                &["夜市从七点开到十一点。最亮的一盏灯在修鞋摊上，灯罩是用自行车轮圈做的。"],
            ),
            article(
                "读者来信：桥",
                "何一舟",
                &["编辑先生：上期说桥长四十米，我量过，是四十一米半。请更正。"],
            ),
        ]
    } else {
        vec![
            article(
                "What the ferry bell remembers",
                "Ada Marsh",
                &[
                    "At six in the morning the bell at the landing rang three times, and the first boat came in. It carried one old man, two empty baskets and a dog.",
                    "The bell had been silent for seven years. All it needed, the clockmaker said, was a brass pin less than two inches long; the old one hangs on the wall of the tea house now.",
                    "“When you hear the bell, you know where you are,” said the ferryman.",
                ],
            ),
            article(
                "Lamps of the night market",
                "J. Poole",
                &[
                    "The brightest lamp stands on the cobbler's stall. Its shade was the rim of a bicycle wheel.",
                ],
            ),
            article(
                "Letters: the bridge",
                "M. Quill",
                &[
                    "Sir, your last number gave the bridge forty metres. I have measured it: it has forty-one and a half.",
                ],
            ),
        ]
    };
    let language = Language::parse(if chinese { "zh-Hans" } else { "en" }).unwrap();
    let mut issue = Issue { articles, ..Issue::of(IssueKey::of(&format!("2026-07-{day:02}")), language) };
    issue.number = Some(format!("{}", 200 + i32::from(day)));
    issue.date = Some(date(2026, 7, day));
    issue.name_articles(None);
    let published = at(&format!("2026-07-{day:02}T06:00:00Z"));
    let release = Release { issue, version: 1, published, updated: published };
    Shelved { release, book: BookFile { path: format!("issues/2026-07-{day:02}/tide.epub"), length: 70_000 } }
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn week() -> Period {
    Period {
        name: "2026-W28".to_owned(),
        day: date(2026, 7, 10),
        since: at("2026-07-03T12:00:00Z"),
        until: at("2026-07-10T12:00:00Z"),
    }
}

fn head(chinese: bool, signer: Option<Arc<Signer>>) -> Letterhead {
    let publication = paper(chinese);
    let sender = Sender {
        name: Some(publication.title.clone()),
        address: Address::parse("tide@example.org").unwrap(),
        reply_to: Some(Address::parse("editors@example.org").unwrap()),
        leave_url: publication.base_url.clone(),
    };
    let stationery = Stationery {
        bounces: Some(Address::parse("bounces@example.org").unwrap()),
        thread: true,
        signer,
        books: Some(Arc::new(|_: &str| Ok(vec![0x50; 70_000]))),
    };
    Letterhead { publication, sender, leave_key: LeaveKey::new([7; 32]), stationery }
}

/// The printing of issues for a wish.
fn printing(chinese: bool, issues: &[Shelved], wish: Wish) -> Printing {
    let publication = paper(chinese);
    let period = (issues.len() > 1).then(week);
    let letter = editions::letter(issues, period.as_ref(), &wish, &publication).unwrap().unwrap();
    let book = |shelved: &Shelved| AttachedBook {
        hash: "h".to_owned(),
        length: 70_000,
        name: format!("{}.epub", shelved.release.issue.name(&publication)),
    };
    let books = editions::enclosed(issues, &wish).into_iter().map(book).collect();
    let kind = Kind::Digest(if issues.len() > 1 { Pace::Weekly } else { Pace::Each });
    Printing {
        id: PrintingId(3),
        digest: Digest {
            id: DigestId(12),
            kind,
            period: if issues.len() > 1 {
                "2026-W28".to_owned()
            } else {
                issues[0].release.issue.key.to_string()
            },
            issues: issues.iter().map(|shelved| shelved.release.issue.key.clone()).collect(),
            frozen: at("2026-07-10T12:00:05Z"),
            until: at("2026-07-10T12:00:00Z"),
            status: DigestStatus::Open,
        },
        wish,
        subject: letter.subject,
        text: letter.text,
        html: letter.html,
        books,
        previous: Some("weekly.2026-w27".to_owned()),
    }
}

fn delivery(id: i64) -> Delivery {
    Delivery {
        digest: DigestId(12),
        printing: PrintingId(3),
        subscriber: SubscriberId(id),
        address: Address::parse("li.wei@example.com").unwrap(),
        queued: at("2026-07-10T12:00:05Z"),
        attempts: 0,
    }
}

/// Every kind of letter, each with a name.
fn letters(signer: Option<&Arc<Signer>>) -> Vec<(String, Letter)> {
    let mut letters = Vec::new();
    for (chinese, tongue) in [(true, "zh"), (false, "en")] {
        let issues: Vec<Shelved> = [6, 8, 10].map(|day| issue(chinese, day)).into();
        for (issues, what) in [(&issues[..1], "one"), (&issues[..], "week")] {
            for form in Form::ALL {
                let printing = printing(chinese, issues, Wish { form, ..Wish::default() });
                let stencil = Stencil::of(printing, head(chinese, signer.cloned()));
                let name = format!("{tongue}-{what}-{}", form.as_str());
                letters.push((name, stencil.address(&delivery(41)).unwrap()));
            }
        }
    }
    letters
}

/// Lays letters into a folder as mail programs get them.
fn laid(letters: &[(String, Letter)]) -> (TempDir, Vec<PathBuf>) {
    let folder = TempDir::new().unwrap();
    let lay = |(name, letter): &(String, Letter)| {
        let path = folder.path().join(format!("{name}.eml"));
        fs::write(&path, letter.message()).unwrap();
        path
    };
    let paths = letters.iter().map(lay).collect();
    (folder, paths)
}

#[test]
fn every_letter_is_one_that_any_server_takes() {
    for (name, letter) in letters(None) {
        let wire = String::from_utf8([&letter.wire[..], &letter.enclosed].concat()).unwrap();
        assert_eq!(wire.len(), letter.size());
        assert!(wire.is_ascii() && wire.ends_with("\r\n.\r\n"), "{name}");
        assert!(!wire.replace("\r\n", "").contains(['\r', '\n']), "{name}");
        let lines: Vec<&str> = wire.split("\r\n").collect();
        let (body, end) = lines.split_at(lines.len() - 2);
        assert_eq!(end, [".", ""], "{name}");
        assert!(body.iter().all(|line| !line.starts_with('.') && line.len() <= 998), "{name}");
        assert_eq!(letter.message(), wire.strip_suffix(".\r\n").unwrap().as_bytes(), "{name}");
        let key = ReturnKey::of(&LeaveKey::new([7; 32]));
        let (local, domain) = letter.from.rsplit_once('@').unwrap();
        assert_eq!(
            (key.check(local), domain),
            (Some((DigestId(12), SubscriberId(41))), "example.org"),
            "{name}"
        );
        assert_eq!(letter.to, "li.wei@example.com");
    }
}

#[test]
fn mail_programs_find_the_words_the_names_and_the_ways_to_leave() {
    let Some(python) = tools::program("python") else { return };
    let letters = letters(None);
    let (_folder, paths) = laid(&letters);
    let judge = tools::root().join("tests/judges/read_letters.py");
    let (good, said) = tools::output(Command::new(python).arg(judge).args(&paths));
    assert!(good, "{said}");
    let key = LeaveKey::new([7; 32]);
    let leave = format!("https://news.example.org/leave/{}", key.token(SubscriberId(41)));
    for (line, (name, _)) in said.lines().zip(&letters) {
        let seen: Value = serde_json::from_str(line).unwrap();
        let header = |name: &str| seen["headers"][name].as_str().unwrap_or_default();
        let chinese = name.starts_with("zh");
        let title = paper(chinese).title;
        assert_eq!(header("From").replace('"', ""), format!("{title} <tide@example.org>"), "{name}");
        assert_eq!(header("To"), "li.wei@example.com");
        assert_eq!(header("Reply-To"), "editors@example.org");
        let subject = match (chinese, name.contains("week")) {
            (true, true) => "河畔周报：3 期，2026年7月4日—10日",
            (true, false) => "河畔周报 第206期 2026年7月6日",
            (false, true) => "The Tide Gazette: 3 issues, 4–10 July 2026",
            (false, false) => "The Tide Gazette No. 206 2026-07-06",
        };
        assert_eq!(header("Subject"), subject, "{name}");
        let label = if name.contains("week") { "weekly.2026-w28" } else { "2026-07-06" };
        assert_eq!(header("Message-ID"), format!("<tide.{label}.41@example.org>"));
        assert_eq!(header("References"), "<tide.weekly.2026-w27.41@example.org>");
        let mailbox = key.local_part("bounces", SubscriberId(41));
        let ways = format!("<{leave}>, <mailto:{mailbox}@example.org?subject=unsubscribe>");
        assert_eq!(header("List-Unsubscribe"), ways, "{name}");
        for (header, value) in [
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            ("List-Post", "NO"),
            ("List-Archive", "<https://news.example.org/>"),
            ("Auto-Submitted", "auto-generated"),
            ("Precedence", "bulk"),
            ("MIME-Version", "1.0"),
        ] {
            assert_eq!(seen["headers"][header], value, "{name}");
        }
        assert!(header("List-Id").ends_with("<tide.example.org>"), "{name}");
        assert_eq!(header("Date"), "Fri, 10 Jul 2026 12:00:05 +0000");
        let parts = seen["parts"].as_array().unwrap();
        let kinds: Vec<&str> = parts.iter().map(|part| part["type"].as_str().unwrap()).collect();
        let n_issues = if name.contains("week") { 3 } else { 1 };
        match name.rsplit('-').next().unwrap() {
            "html" => assert_eq!(kinds, ["text/plain", "text/html"], "{name}"),
            "text" => assert_eq!(kinds, ["text/plain"], "{name}"),
            _ => {
                assert_eq!(kinds[0], "text/plain", "{name}");
                assert_eq!(kinds[1..], vec!["application/epub+zip"; n_issues], "{name}");
                let named = if chinese {
                    "河畔周报 第206期 2026年7月6日.epub"
                } else {
                    "The Tide Gazette No. 206 2026-07-06.epub"
                };
                assert_eq!(
                    (parts[1]["name"].as_str(), parts[1]["length"].as_u64()),
                    (Some(named), Some(70_000)),
                    "{name}"
                );
            }
        }
        for part in parts.iter().filter(|part| part["type"] != "application/epub+zip") {
            let text = part["text"].as_str().unwrap();
            assert_eq!(text.matches(&leave).count(), 2, "{name}: {text}");
            let (first, last) = (text.find(&leave).unwrap(), text.rfind(&leave).unwrap());
            let words = if chinese { "林晚" } else { "Ada Marsh" };
            assert!(first < text.find(words).unwrap() && text.rfind(words).unwrap() < last, "{name}");
        }
    }
}

/// Who signs, with keys made for this story, and the records of these keys.
fn signer() -> Option<(Arc<Signer>, serde_json::Map<String, Value>)> {
    let openssl = tools::program("openssl")?;
    let made = Command::new(openssl)
        .args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
        .output()
        .unwrap();
    let keys = [("r1".to_owned(), made.stdout), ("e1".to_owned(), new_ed25519().unwrap().into_bytes())];
    let signer = Signer::of("example.org", &keys).unwrap();
    let records =
        signer.records().into_iter().map(|record| (record.name, Value::from(record.text))).collect();
    Some((Arc::new(signer), records))
}

#[test]
fn dkimpy_verifies_both_signatures_of_every_letter_and_none_of_a_changed_one() {
    let (Some(python), Some((signer, records))) = (tools::program("python"), signer()) else { return };
    let letters = letters(Some(&signer));
    let (folder, paths) = laid(&letters);
    let list = folder.path().join("records.json");
    fs::write(&list, Value::from(records).to_string()).unwrap();
    let judge = tools::root().join("tests/judges/verify_signatures.py");
    let verify = |paths: &[PathBuf]| tools::output(Command::new(&python).arg(&judge).arg(&list).args(paths));
    let (good, said) = verify(&paths);
    assert!(good && said.lines().all(|line| line.ends_with(" 2 2")), "{said}");
    assert_eq!(said.lines().count(), letters.len());
    let signed = fs::read_to_string(&paths[0]).unwrap();
    for (from, to) in [
        ("bounces+leave.41", "bounces+leave.42"),
        ("To: li.wei", "To: li.wai"),
        ("\r\n\r\n--=_", "\r\n\r\n--=__"),
        ("Date: ", "From: x@example.net\r\nDate: "),
    ] {
        let changed = signed.replacen(from, to, 1);
        assert_ne!(changed, signed, "{from}");
        fs::write(&paths[0], changed).unwrap();
        let (good, said) = verify(&paths[..1]);
        assert!(!good && said.contains(" 0 2"), "{from}: {said}");
    }
}

/// The records that the program prints, by their names.
fn printed(zone: &str) -> serde_json::Map<String, Value> {
    let records = zone.split("\n\n").filter_map(|part| part.split_once(". IN TXT ( "));
    let text = |quoted: &str| quoted.split('"').skip(1).step_by(2).collect::<String>();
    records.map(|(name, quoted)| (name.trim().to_owned(), Value::from(text(quoted)))).collect()
}

#[test]
fn keys_are_made_kept_from_others_and_sign_what_readers_get() {
    let (Some(python), Some(_)) = (tools::program("python"), tools::program("openssl")) else { return };
    let mut newsroom = Newsroom::closed("");
    newsroom.enters(&["li@example.org"]);
    let gazetted = |arguments: &[&str]| gazetted(newsroom.folder.path(), arguments);
    let (code, said) = gazetted(&["dkim", "show"]);
    assert_eq!(code, 2);
    expect![[r"
        error: letters are not signed
        help: `gazetted dkim new` makes keys, and says what to set
    "]]
    .assert_eq(&said);
    let (code, said) = gazetted(&["dkim", "new", "--selector", "june"]);
    assert_eq!(code, 0, "{said}");
    let records = printed(said.split_once(":\n\n").unwrap().1);
    assert!(
        records.keys().eq(["june-ed25519._domainkey.example.org", "june-rsa._domainkey.example.org"]),
        "{said}"
    );
    let setting = "dkim_keys = [\"data/dkim/june-rsa.pem\", \"data/dkim/june-ed25519.pem\"]";
    assert!(said.ends_with(&format!("in `[mail]`:\n\n{setting}\n")), "{said}");
    for name in ["june-rsa", "june-ed25519"] {
        let mode =
            fs::metadata(newsroom.path(&format!("data/dkim/{name}.pem"))).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let (code, said) = gazetted(&["dkim", "new", "--selector", "june"]);
    assert_eq!(code, 2);
    assert!(said.contains("june-rsa.pem` is there already; name another selector"), "{said}");
    let (code, said) = gazetted(&["dkim", "new", "--selector", "no dots."]);
    assert_eq!(code, 2);
    assert!(said.contains("`no dots.` is no selector such as `gazetted-2026`"), "{said}");

    newsroom.sets("mail", setting);
    let (code, said) = crate::configuring::gazetted(newsroom.folder.path(), &["dkim", "show"]);
    assert_eq!((code, printed(&said)), (0, records.clone()));
    newsroom.starts();
    newsroom.saves("a.md", page("First frost", "The bell is rung."));
    let letter = newsroom.sink.letters_to("li@example.org", 1).remove(0);
    let path = newsroom.path("letter.eml");
    fs::write(&path, &letter.text).unwrap();
    fs::write(newsroom.path("records.json"), Value::from(records).to_string()).unwrap();
    let judge = tools::root().join("tests/judges/verify_signatures.py");
    let mut command = Command::new(python);
    let (good, said) = tools::output(command.arg(judge).arg(newsroom.path("records.json")).arg(&path));
    assert!(good && said.trim_end().ends_with(" 2 2"), "{said}\n{}", letter.text);

    fs::write(newsroom.path("data/dkim/june-rsa.pem"), "no key").unwrap();
    let (code, said) = crate::configuring::gazetted(newsroom.folder.path(), &["dkim", "show"]);
    assert_eq!(code, 2);
    assert!(said.contains("letters cannot be signed with `"), "{said}");
    assert!(said.contains("caused by: there is no private key in it (PEM, `BEGIN PRIVATE KEY`)"), "{said}");
}

#[test]
fn opendkim_verifies_every_letter() {
    let (Some(opendkim), Some((signer, records))) = (tools::program("opendkim"), signer()) else { return };
    let (folder, paths) = laid(&letters(Some(&signer)));
    let keys = folder.path().join("keys");
    let lines: Vec<String> =
        records.iter().map(|(name, text)| format!("{name} {}", text.as_str().unwrap())).collect();
    fs::write(&keys, lines.join("\n") + "\n").unwrap();
    let settings = folder.path().join("opendkim.conf");
    fs::write(&settings, format!("Mode v\nTestPublicKeys {}\n", keys.display())).unwrap();
    for path in paths {
        // It reads files as the system keeps them, and tells of one signature: each is shown alone, and none covers the other.
        let text = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
        let (rsa, ed25519) = text.split_at(text[1..].find("\nDKIM-Signature: ").unwrap() + 2);
        let rest = &ed25519[ed25519.find("\nFrom: ").unwrap() + 1..];
        for (kind, text) in [("rsa", format!("{rsa}{rest}")), ("ed25519", ed25519.to_owned())] {
            assert_eq!(text.matches("DKIM-Signature: ").count(), 1);
            assert!(text.contains(&format!(" a={kind}-sha256;")));
            fs::write(&path, text).unwrap();
            let mut command = Command::new(&opendkim);
            let (good, said) =
                tools::output(command.arg("-x").arg(&settings).arg("-vv").arg("-t").arg(&path));
            assert!(
                good && said.contains("verification") && said.contains("succeeded"),
                "{} by {kind}: {said}",
                path.display()
            );
        }
    }
}

#[test]
fn spam_filters_find_nothing_to_blame() {
    let Some(spamassassin) = tools::program("spamassassin") else { return };
    let letters = letters(None);
    // It takes seconds to start, so it gets all kinds in one mailbox.
    let folder = TempDir::new().unwrap();
    let mut mailbox = Vec::new();
    for (_, letter) in &letters {
        let text = String::from_utf8(letter.message()).unwrap().replace("\r\n", "\n");
        mailbox.push(format!("From tide@example.org Fri Jul 10 12:00:05 2026\n{text}\n"));
    }
    let path = folder.path().join("mailbox");
    fs::write(&path, mailbox.concat()).unwrap();
    let mut command = Command::new(&spamassassin);
    command.args(["-L", "-t", "-x", "--mbox"]).arg(path).env("HOME", folder.path());
    let (_, said) = tools::output(&mut command);
    let unfolded = said.replace("\n\t", " ");
    let told: Vec<&str> = unfolded.lines().filter(|line| line.starts_with("X-Spam-Status: ")).collect();
    assert_eq!(told.len(), letters.len(), "one word on each letter: {unfolded}");
    for (status, (name, _)) in told.iter().zip(&letters) {
        let score =
            status.split("score=").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<f32>().ok());
        eprintln!("{name}: {status}");
        assert!(score.is_some_and(|score| score <= 1.0), "{name}: {status}");
    }
}

#[test]
fn a_letter_whose_book_is_gone_says_so_and_one_without_wishes_has_no_marks() {
    let issues = [issue(false, 6)];
    let wish = Wish { form: Form::Kindle, ..Wish::default() };
    let mut head = head(false, None);
    head.stationery = Stationery::default();
    let stencil = Stencil::of(printing(false, &issues, wish), head.clone());
    let error = stencil.address(&delivery(1)).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the book `The Tide Gazette No. 206 2026-07-06.epub`");
    head.sender.leave_url = "http://127.0.0.1:8080/".to_owned();
    let stencil = Stencil::of(printing(false, &issues, Wish::default()), head);
    let letter = stencil.address(&delivery(1)).unwrap();
    assert_eq!(letter.from, "tide@example.org");
    let text = String::from_utf8(letter.message()).unwrap();
    for none in ["References:", "mailto:", "List-Unsubscribe-Post", "DKIM-Signature"] {
        assert!(!text.contains(none), "{none}");
    }
}

#[test]
fn the_same_letter_has_the_same_bytes_and_another_readers_has_others() {
    let issues = [issue(true, 6), issue(true, 8)];
    let stencil = || Stencil::of(printing(true, &issues, Wish::default()), head(true, None));
    let letter = stencil().address(&delivery(41)).unwrap();
    assert_eq!(stencil().address(&Delivery { attempts: 3, ..delivery(41) }).unwrap(), letter);
    let other = stencil().address(&delivery(4_100_000_000)).unwrap();
    assert!(other.id != letter.id && other.from != letter.from && other.wire != letter.wire);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_in_an_issue_its_letter_is_one_that_any_server_takes(
        titles in proptest::collection::vec("([\\x00-\\x20]|\\PC){0,60}", 1..30),
        body in "([\\x00-\\x20.=]|\\PC|From |\\n\\.\\n){0,400}",
        times in 1..40_usize,
        n_issues in 1..4_usize,
        language in proptest::option::of(prop_oneof![Just("zh-Hant"), Just("en"), Just("ar")]),
        id in 1..i64::MAX,
    ) {
        let mut issues = vec![issue(false, 6); n_issues];
        for shelved in &mut issues {
            let issue = &mut shelved.release.issue;
            issue.title = titles.first().cloned();
            issue.number = titles.last().cloned();
            issue.section = titles.get(1).cloned();
            issue.articles = titles.iter().map(|title| {
                let mut article = Article::headed(Headline { text: title.clone(), synthetic: false });
                article.body = vec![Block::paragraph(body.repeat(times)); 3];
                (article.kicker, article.dek) = (Some(title.clone()), Some(body.clone()));
                article
            }).collect();
            issue.name_articles(None);
        }
        let language = language.and_then(Language::parse);
        let printing = printing(false, &issues, Wish { language, ..Wish::default() });
        prop_assert!(printing.html.len() <= editions::Letter::MAX_HTML);
        let letter = Stencil::of(printing, head(false, None)).address(&delivery(id)).unwrap();
        let wire = String::from_utf8(letter.wire.clone()).unwrap();
        prop_assert!(wire.is_ascii() && wire.ends_with("\r\n.\r\n"));
        prop_assert!(!wire.replace("\r\n", "").contains(['\r', '\n', '\0']));
        prop_assert!(wire[..wire.len() - 3].split("\r\n").all(|line| !line.starts_with('.') && line.len() <= 998));
        let message = letter.message();
        let read = MessageParser::default().parse(&message).unwrap();
        let leave = format!("https://news.example.org/leave/{}", LeaveKey::new([7; 32]).token(SubscriberId(id)));
        for part in [read.body_text(0).unwrap(), read.body_html(0).unwrap()] {
            prop_assert_eq!(part.matches(&leave).count(), 2);
            let (first, last) = (part.find(&leave).unwrap(), part.rfind(&leave).unwrap());
            prop_assert!(last - first > 100 && !part.contains('\x1A'));
        }
    }
}

/// With `LETTERS=folder`, lays every kind of letter there, and its HTML, for a look at them.
#[test]
fn letters_go_into_a_folder_when_asked() {
    let Some(folder) = std::env::var_os("LETTERS").map(PathBuf::from) else { return };
    fs::create_dir_all(&folder).unwrap();
    for (name, letter) in letters(None) {
        fs::write(folder.join(format!("{name}.eml")), letter.message()).unwrap();
    }
    for (chinese, tongue) in [(true, "zh"), (false, "en")] {
        let issues: Vec<Shelved> = [6, 8, 10].map(|day| issue(chinese, day)).into();
        for (issues, what) in [(&issues[..1], "one"), (&issues[..], "week")] {
            let printing = printing(chinese, issues, Wish::default());
            let html = printing
                .html
                .replace(editions::LEAVE, "https://news.example.org/leave/x")
                .replace(editions::PREFERENCES, "https://news.example.org/preferences/x");
            fs::write(folder.join(format!("{tongue}-{what}.html")), html).unwrap();
            fs::write(folder.join(format!("{tongue}-{what}.txt")), printing.text).unwrap();
        }
    }
}
