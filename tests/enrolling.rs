//! The roll of subscribers on the command line: entered, shown, changed, forgotten; brought from elsewhere and taken away.

use std::{fmt::Write as _, fs, path::Path};

use expect_test::{Expect, expect};

use crate::{
    configuring::gazetted,
    newsroom::{Newsroom, page},
    sink::Conduct,
};

/// Runs gazetted in a folder, and compares what it says, at whatever time that is.
#[track_caller]
pub fn check(folder: &Path, arguments: &[&str], code: i32, expected: &Expect) {
    let (actual, text) = gazetted(folder, arguments);
    expected.assert_eq(&dateless(&text));
    assert_eq!(actual, code, "the exit code: {text}");
}

/// The text with `DAY` for each day and `TIME` for each time of day: stories are told at any time.
fn dateless(text: &str) -> String {
    let mut told = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("20") {
        let is = |text: &str, form: &str| {
            text.len() >= form.len()
                && text
                    .bytes()
                    .zip(form.bytes())
                    .all(|(b, f)| if f == b'0' { b.is_ascii_digit() } else { b == f })
        };
        let (before, here) = rest.split_at(at);
        told += before;
        if is(here, "0000-00-00 00:00") {
            told += "DAY TIME";
            rest = &here[16..];
        } else if is(here, "0000-00-00") {
            told += "DAY";
            rest = &here[10..];
        } else {
            told += "20";
            rest = &here[2..];
        }
    }
    told + rest
}

fn newsroom() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(gazetted(folder.path(), &["init"]).0, 0);
    folder
}

#[test]
fn the_operator_can_have_readers_asked_before_they_get_anything() {
    let folder = newsroom();
    let folder = folder.path();
    check(
        folder,
        &["subscribers", "add", "--ask", "li@example.org", "--pace", "weekly"],
        0,
        &expect![[r"
            1 reader asked; issues begin when they have confirmed
        "]],
    );
    check(
        folder,
        &["subscribers", "add", "--ask", "li@example.org"],
        0,
        &expect![[r"
            `li@example.org` was asked within a day, and is not asked again
            0 readers asked; issues begin when they have confirmed
        "]],
    );
    check(
        folder,
        &["subscribers", "show", "li@example.org"],
        0,
        &expect![[r"
            li@example.org  pending
              asked      DAY TIME, asked by the operator
              confirmed  not yet
              wishes     a weekly digest, html, all sections
              letters
                DAY TIME  queued     confirmation  Please confirm: The Gazette  (li@example.org)
        "]],
    );
    check(
        folder,
        &["subscribers", "add", "wang@example.org"],
        0,
        &expect![[r"
        1 subscriber added; letters begin with the next issue
    "]],
    );
    check(
        folder,
        &["subscribers", "add", "--ask", "wang@example.org"],
        0,
        &expect![[r"
            `wang@example.org` gets letters already
            0 readers asked; issues begin when they have confirmed
        "]],
    );
}

#[test]
fn what_somebody_gets_is_said_when_entering_and_changed_later() {
    let folder = newsroom();
    let folder = folder.path();
    check(
        folder,
        &[
            "subscribers",
            "add",
            "li@example.org",
            "--pace",
            "weekly",
            "--form",
            "text",
            "--section",
            "理论",
            "--language",
            "zh-Hans",
        ],
        0,
        &expect![[r"
            1 subscriber added; letters begin with the next issue
        "]],
    );
    check(
        folder,
        &["subscribers", "show", "LI@example.org"],
        0,
        &expect![[r"
            li@example.org  confirmed
              asked      DAY TIME, added by the operator
              confirmed  DAY TIME
              wishes     a weekly digest, text, only li-lun, in zh-Hans
              no letters yet
        "]],
    );
    check(
        folder,
        &[
            "subscribers",
            "set",
            "li@example.org",
            "--pace",
            "each",
            "--section",
            "",
            "--form",
            "kindle",
            "--device",
            "li@kindle.com",
            "--language",
            "",
        ],
        0,
        &expect![[r"
            `li@example.org` gets each issue, kindle, all sections, books to li@kindle.com from the next digest on
        "]],
    );
    check(
        folder,
        &["subscribers", "set", "li@example.org"],
        2,
        &expect![[r"
            error: there is nothing to set
            help: say `--pace`, `--form`, `--section`, `--language` or `--device`
        "]],
    );
    check(
        folder,
        &["subscribers", "set", "li@example.org", "--language", "chinese!"],
        2,
        &expect![[r"
            error: `chinese!` is not a language tag such as `zh-Hans` or `en`
            help: nothing was changed
        "]],
    );
    check(
        folder,
        &["subscribers", "set", "wang@example.org", "--pace", "each"],
        2,
        &expect![[r"
            error: `wang@example.org` is not a subscriber
            help: `gazetted subscribers list` shows all
        "]],
    );
    let (code, text) = gazetted(folder, &["subscribers", "set", "li@example.org", "--pace", "yearly"]);
    assert_eq!(code, 2);
    assert!(
        text.contains("invalid value 'yearly' for '--pace <PACE>': say each, daily, weekly or monthly"),
        "{text}"
    );
}

#[test]
fn who_must_not_be_written_to_is_shown_with_the_reason_and_not_entered() {
    let folder = newsroom();
    let folder = folder.path();
    gazetted(folder, &["subscribers", "add", "li@example.org"]);
    check(
        folder,
        &["subscribers", "suppress", "li@example.org", "--why", "wrote to us on paper"],
        0,
        &expect![[r"
            `li@example.org` gets no letter any more
        "]],
    );
    check(
        folder,
        &["subscribers", "suppress", "li@example.org", "--why", "again"],
        0,
        &expect![[r"
            `li@example.org` is suppressed already; nothing was changed
        "]],
    );
    check(
        folder,
        &["subscribers", "suppress", "wang@example.org", "--why", "a lawyer's letter"],
        0,
        &expect![[r"
            `wang@example.org` gets no letter any more
        "]],
    );
    check(
        folder,
        &["subscribers", "add", "li@example.org", "wang@example.org"],
        0,
        &expect![[r"
            `li@example.org` must not be written to, and was not added; `gazetted subscribers show li@example.org` says why
            `wang@example.org` must not be written to, and was not added; `gazetted subscribers show wang@example.org` says why
            0 subscribers added; letters begin with the next issue
        "]],
    );
    check(
        folder,
        &["subscribers", "show", "li@example.org"],
        0,
        &expect![[r"
            li@example.org  suppressed
              not written to since DAY TIME: the operator says so: wrote to us on paper
              asked      DAY TIME, added by the operator
              confirmed  DAY TIME
              wishes     each issue, html, all sections
              no letters yet
        "]],
    );
    check(
        folder,
        &["subscribers", "list", "--standing", "suppressed"],
        0,
        &expect![[r"
            li@example.org                           suppressed DAY added by the operator
            wang@example.org                         suppressed DAY suppressed by the operator
            0 subscribers, 2 suppressed
        "]],
    );
}

#[test]
fn who_is_forgotten_is_gone_and_comes_back_by_no_import() {
    let folder = newsroom();
    let folder = folder.path();
    gazetted(folder, &["subscribers", "add", "li@example.org"]);
    let mail = folder.join("data/mail");
    fs::create_dir_all(&mail).unwrap();
    for (name, to) in [("a.1", "li@example.org"), ("b.1", "Li@example.org"), ("a.2", "wang@example.org")] {
        let letter =
            format!("Return-Path: <tide@example.org>\r\nDelivered-To: {to}\r\nSubject: One\r\n\r\nWords\r\n");
        fs::write(mail.join(format!("{name}.eml")), letter).unwrap();
    }
    fs::create_dir(folder.join("data/backups")).unwrap();
    for copy in ["ledger.db.before-2", "backups/before-schema-3.db", "backups/monday"] {
        fs::write(folder.join("data").join(copy), "a ledger of before").unwrap();
    }
    check(
        folder,
        &["subscribers", "forget", "li@example.org"],
        2,
        &expect![[r"
            error: `li@example.org` would be erased with every letter and report, for ever
            help: nothing was changed; add `--yes` if that is meant
        "]],
    );
    check(
        folder,
        &["subscribers", "forget", "li@example.org", "--yes"],
        0,
        &expect![[r"
            `li@example.org` is erased; a hash is kept, so that no import brings the address back
            2 letters in `./data/mail` went with it
            these were made before, and have the address until you remove or replace them:
              ./data/backups/before-schema-3.db
              ./data/backups/monday
              ./data/ledger.db.before-2
            so have backups that you keep elsewhere
        "]],
    );
    let left: Vec<_> = fs::read_dir(&mail).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["a.2.eml"]);
    check(
        folder,
        &["subscribers", "add", "li@example.org", "--again"],
        0,
        &expect![[r"
            `li@example.org` was erased at its owner's wish, and was not added
            0 subscribers added; letters begin with the next issue
        "]],
    );
    fs::write(folder.join("list.csv"), "email\nLI@example.org\n").unwrap();
    check(
        folder,
        &["subscribers", "import", "list.csv"],
        0,
        &expect![[r"
            1 row in UTF-8 (1 confirmed): 0 new, 0 changed, 0 there already, 1 kept away, 0 not taken
            line 2: `LI@example.org`: was erased at its owner's wish, and does not come back
        "]],
    );
    let bytes = fs::read(folder.join("data/ledger.db")).unwrap();
    let log = fs::read(folder.join("data/ledger.db-wal")).unwrap_or_default();
    for file in [bytes, log] {
        assert!(
            !file.windows(14).any(|w| w.eq_ignore_ascii_case(b"li@example.org")),
            "the ledger still has it"
        );
    }
}

#[test]
fn a_list_of_another_program_comes_in_and_its_bad_rows_are_told() {
    let folder = newsroom();
    let folder = folder.path();
    gazetted(folder, &["subscribers", "add", "left@example.org", "known@example.org"]);
    gazetted(folder, &["subscribers", "remove", "left@example.org"]);
    let list = "邮箱;状态;订阅时间;来源\nli@example.org;已订阅;2024年5月1日;书展\nleft@example.org;已订阅;;\n\
                known@example.org;退订;;\nwang;;;\nzhao@example.org;退信;;\nsun@example.org;?;;\n";
    let in_gb18030 = in_gb18030(list);
    fs::write(folder.join("list.csv"), in_gb18030).unwrap();
    check(
        folder,
        &["subscribers", "import", "list.csv", "--dry-run"],
        1,
        &expect![[r"
            6 rows in gb18030 (2 confirmed, 1 left, 1 suppressed): 2 new, 1 changed, 0 there already, 1 kept away, 2 not taken; this was a dry run: nobody was entered; without `--dry-run` they are
            line 5: `wang`: `wang` is not an e-mail address: it needs one `@` with a name before it and a domain after it
            line 7: `sun@example.org`: `?` is no standing that is known: say confirmed, pending, left or suppressed
            line 3: `left@example.org`: had left, and is not brought back
        "]],
    );
    check(
        folder,
        &["subscribers", "import", "list.csv", "--report", "bad.csv"],
        1,
        &expect![[r"
            6 rows in gb18030 (2 confirmed, 1 left, 1 suppressed): 2 new, 1 changed, 0 there already, 1 kept away, 2 not taken
            3 rows that did not come in: `bad.csv` says why
        "]],
    );
    expect![[r#"
        line,address,reason
        5,wang,`wang` is not an e-mail address: it needs one `@` with a name before it and a domain after it
        7,sun@example.org,"`?` is no standing that is known: say confirmed, pending, left or suppressed"
        3,left@example.org,"had left, and is not brought back"
    "#]]
    .assert_eq(&fs::read_to_string(folder.join("bad.csv")).unwrap());
    let (_, shown) = gazetted(folder, &["subscribers", "show", "li@example.org"]);
    assert!(shown.contains("asked      2024-05-01 00:00, 书展, from list.csv"), "{shown}");
    let (_, shown) = gazetted(folder, &["subscribers", "show", "known@example.org"]);
    assert!(shown.starts_with("known@example.org  left\n"), "{shown}");
    let (_, shown) = gazetted(folder, &["subscribers", "show", "zhao@example.org"]);
    assert!(shown.contains("its mailbox takes nothing: said so in an import"), "{shown}");
}

/// Chinese in GB 18030, by the system's own converter: a foreign hand.
fn in_gb18030(text: &str) -> Vec<u8> {
    use std::{
        io::Write as _,
        process::{Command, Stdio},
    };
    let mut child = Command::new("iconv")
        .args(["-f", "UTF-8", "-t", "GB18030"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap().stdout
}

#[test]
fn a_dry_run_says_exactly_what_would_be_done_and_does_nothing() {
    let folder = newsroom();
    let folder = folder.path();
    gazetted(folder, &["subscribers", "add", "left@example.org", "known@example.org", "gone@example.org"]);
    gazetted(folder, &["subscribers", "remove", "left@example.org"]);
    gazetted(folder, &["subscribers", "forget", "gone@example.org", "--yes"]);
    let head =
        "Email Address,First Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LEID,EUID,NOTES";
    let rows = "li@example.org,Li,2,2018-06-12 07:53:28,192.0.2.1,,,1,2,\nLI@example.org,Li,2,,,,,1,2,\nleft@example.org,,2,,,,,1,2,\n\
                known@example.org,,2,,,,,1,2,\ngone@example.org,,2,,,,,1,2,\nnobody,,2,,,,,1,2,\n";
    fs::write(folder.join("subscribed.csv"), format!("{head}\n{rows}")).unwrap();
    fs::write(
        folder.join("cleaned.csv"),
        format!(
            "{head},CLEAN_TIME,CLEAN_CAMPAIGN_TITLE\nknown@example.org,,2,,,,,1,2,,2020-01-02 03:04:05,May\n"
        ),
    )
    .unwrap();
    let (_, before) = gazetted(folder, &["subscribers", "export"]);
    let told = "6 rows in UTF-8, as Mailchimp writes them (5 confirmed): 1 new, 0 changed, 2 there already, 2 kept away, 1 not taken";
    let (code, said) = gazetted(folder, &["subscribers", "import", "subscribed.csv", "--dry-run"]);
    assert_eq!(code, 1);
    assert!(
        said.starts_with(&format!(
            "{told}; this was a dry run: nobody was entered; without `--dry-run` they are\n"
        )),
        "{said}"
    );
    for reason in [
        "line 4: `left@example.org`: had left, and is not brought back",
        "line 6: `gone@example.org`: was erased at its owner's wish, and does not come back",
        "line 7: `nobody`: `nobody` is not an e-mail address",
    ] {
        assert!(said.contains(reason), "{reason}\n{said}");
    }
    let told_dry: Vec<&str> = said.lines().skip(1).collect();
    assert_eq!(gazetted(folder, &["subscribers", "export"]).1, before, "nothing was done");
    assert!(!folder.join("data/.tmp-rehearsal").exists());
    let (code, said) = gazetted(folder, &["subscribers", "import", "subscribed.csv"]);
    assert_eq!((code, said.lines().next().unwrap()), (1, told));
    assert_eq!(said.lines().skip(1).collect::<Vec<_>>(), told_dry, "the same is told of every row");
    let (_, said) = gazetted(folder, &["subscribers", "import", "cleaned.csv"]);
    assert_eq!(
        said,
        "1 row in UTF-8, as Mailchimp writes them (1 suppressed): 0 new, 1 changed, 0 there already, 0 kept away, 0 not taken\n"
    );
    let (_, shown) = gazetted(folder, &["subscribers", "show", "li@example.org"]);
    assert!(
        shown
            .contains("asked      2018-06-12 07:53, imported by the operator from Mailchimp, from 192.0.2.1"),
        "{shown}"
    );
    let (_, shown) = gazetted(folder, &["subscribers", "show", "known@example.org"]);
    assert!(shown.starts_with("known@example.org  suppressed"), "{shown}");
    fs::write(folder.join("nomail.txt"), "Anne Person <anne@example.com>\n").unwrap();
    let (_, said) = gazetted(folder, &["subscribers", "import", "nomail.txt", "--as", "left"]);
    assert!(said.starts_with("1 row in UTF-8 (1 left): 1 new"), "{said}");
}

#[test]
fn what_cannot_be_imported_is_told_with_a_way_out() {
    let folder = newsroom();
    let folder = folder.path();
    check(
        folder,
        &["subscribers", "import", "gone.csv"],
        1,
        &expect![[r"
            error: cannot read `gone.csv`
              caused by: No such file or directory (os error 2)
        "]],
    );
    fs::write(folder.join("towns.csv"), "name,town\nLi,Tide\n").unwrap();
    check(
        folder,
        &["subscribers", "import", "towns.csv"],
        2,
        &expect![[r"
            error: `towns.csv` is no list of subscribers: none of its columns has addresses; it has `name`, `town`
            help: nobody was entered; name the column with the addresses `address` or `邮箱`
        "]],
    );
    let mut many = "email\n".to_owned();
    for n in 0..30 {
        let _ = writeln!(many, "bad{n}");
    }
    fs::write(folder.join("many.csv"), many).unwrap();
    let (code, text) = gazetted(folder, &["subscribers", "import", "many.csv"]);
    assert_eq!(code, 1);
    assert!(text.contains("line 21: `bad19`") && !text.contains("bad20"), "{text}");
    assert!(text.ends_with("and 10 more; `--report FILE` writes them all\n"), "{text}");
}

#[test]
fn what_is_exported_makes_the_same_roll_elsewhere() {
    let (one, other) = (newsroom(), newsroom());
    let (one, other) = (one.path(), other.path());
    gazetted(
        one,
        &[
            "subscribers",
            "add",
            "li@example.org",
            "--pace",
            "weekly",
            "--section",
            "理论",
            "--section",
            "副刊",
        ],
    );
    gazetted(
        one,
        &[
            "subscribers",
            "add",
            "=1+1@example.org",
            "wang@example.org",
            "zhao@example.org",
            "sun@example.org",
        ],
    );
    gazetted(one, &["subscribers", "remove", "wang@example.org"]);
    gazetted(one, &["subscribers", "suppress", "zhao@example.org", "--why", "=cmd, \"so\"\nhe wrote"]);
    gazetted(one, &["subscribers", "forget", "sun@example.org", "--yes"]);
    check(
        one,
        &["subscribers", "export", "roll.csv"],
        0,
        &expect![[r"
            4 subscribers written to `roll.csv`
        "]],
    );
    let first = fs::read_to_string(one.join("roll.csv")).unwrap();
    assert!(!first.contains("\n=") && !first.contains("sun@"), "{first}");
    fs::copy(one.join("roll.csv"), other.join("roll.csv")).unwrap();
    check(
        other,
        &["subscribers", "import", "roll.csv"],
        0,
        &expect![[r"
            4 rows in UTF-8 (2 confirmed, 1 left, 1 suppressed): 4 new, 0 changed, 0 there already, 0 kept away, 0 not taken
        "]],
    );
    check(
        other,
        &["subscribers", "import", "roll.csv"],
        0,
        &expect![[r"
            4 rows in UTF-8 (2 confirmed, 1 left, 1 suppressed): 0 new, 0 changed, 4 there already, 0 kept away, 0 not taken
        "]],
    );
    let (code, second) = gazetted(other, &["subscribers", "export"]);
    assert_eq!(code, 0);
    // Where a row does not say from where, the file is that.
    assert_eq!(second.replace(",roll.csv,", ",,"), first);
}

#[test]
fn every_letter_of_a_reader_is_told_with_what_the_server_said() {
    let newsroom = Newsroom::with_subscribers(["li@example.org", "wang@example.org"]);
    newsroom.sink.treats("wang@example.org", Conduct::Answers("550 5.1.1 no such user"));
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    newsroom.letters_settled();
    let folder = newsroom.folder.path();
    let (code, shown) = gazetted(folder, &["subscribers", "show", "li@example.org"]);
    assert_eq!(code, 0);
    assert!(shown.contains("  delivered  each a  The Tide Gazette · One  (li@example.org)\n      after the letter's text: 250 taken"), "{shown}");
    let (_, shown) = gazetted(folder, &["subscribers", "show", "wang@example.org"]);
    assert!(shown.contains("failed     each a") && shown.contains("no such user"), "{shown}");
    let (_, json) = gazetted(folder, &["subscribers", "show", "wang@example.org", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(told["letters"][0]["state"], "failed");
    assert_eq!(told["letters"][0]["reply"]["phase"], "rcpt");
}
