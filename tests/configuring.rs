//! What an operator reads on the terminal.

use std::{fs, path::Path, process::Command};

use expect_test::{Expect, expect};

use crate::{
    ledgers,
    newsroom::{Newsroom, page},
};

/// Runs gazetted in a folder; gives its exit code and what it said, with the folder's name as `~`.
pub fn gazetted(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_gazetted")).args(arguments).current_dir(folder).output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), text.replace(&folder.to_string_lossy().into_owned(), "~"))
}

#[track_caller]
fn check(folder: &Path, arguments: &[&str], code: i32, expected: &Expect) {
    let (actual, text) = gazetted(folder, arguments);
    expected.assert_eq(&text);
    assert_eq!(actual, code, "the exit code");
}

#[test]
fn a_new_newsroom_is_made_and_publishes_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    check(
        folder,
        &["init", "news"],
        0,
        &expect![[r"
        a newsroom is made in `news`
          1. say in `news/config/gazetted.toml` what it is called, its language and its web address
          2. run `cd news && gazetted run`
          3. save an issue (.txt or .md) in `news/inbox`
    "]],
    );
    check(
        folder,
        &["init", "news"],
        2,
        &expect![[r"
        error: there is a newsroom already: `news/config/gazetted.toml` exists
        help: nothing was changed; edit that file, or name another folder
    "]],
    );
    let news = folder.join("news");
    let settings = fs::read_to_string(news.join("config/gazetted.toml")).unwrap();
    assert!(settings.contains("key = \"news\" ") && settings.contains("\"news.invalid,"), "{settings}");
    check(
        &news,
        &["issues", "list"],
        0,
        &expect![[r"
        no issue is out yet; save one in the inbox
    "]],
    );
    check(
        &news,
        &["subscribers", "add", "li@example.org", "wang@example.org"],
        0,
        &expect![[r"
        2 subscribers added; letters begin with the next issue
    "]],
    );
    fs::write(news.join("inbox/frost.md"), page("First frost", "The bell is rung on Tuesdays.")).unwrap();
    check(
        &news,
        &["publish", "inbox/frost.md"],
        0,
        &expect![[r"
        `inbox/frost.md` is out as issue `frost`, version 1: 1 article, 2 letters queued
    "]],
    );
    check(
        &news,
        &["publish", "inbox/frost.md"],
        0,
        &expect![[r"
        `inbox/frost.md` holds the text of issue `frost`, which is out; nothing was done
    "]],
    );
    let (code, shown) = gazetted(&news, &["issues", "show", "frost"]);
    assert_eq!(code, 0);
    assert!(shown.contains("v1  The Gazette · First frost  [2 queued]"), "{shown}");
    assert!(shown.contains("  a1    First frost  Ada Quill"), "{shown}");
    check(
        &news,
        &["verify"],
        0,
        &expect![[r"
        1 issue and 38 links looked at: all is well
    "]],
    );
    fs::remove_file(news.join("outbox/latest.epub")).unwrap();
    let (code, found) = gazetted(&news, &["verify"]);
    assert_eq!(code, 1);
    assert!(found.contains("leads to `latest.epub`, which is not there"), "{found}");
    let (code, _) = gazetted(&news, &["replay"]);
    assert_eq!((code, gazetted(&news, &["verify"]).0), (0, 0));
}

#[test]
fn where_there_is_no_newsroom_the_way_to_one_is_said() {
    let folder = tempfile::tempdir().unwrap();
    check(
        folder.path(),
        &["run"],
        2,
        &expect![[r"
        error: there is no newsroom here: `config/gazetted.toml` does not exist
        help: run `gazetted init` to make one, or name its settings with `--config FILE`
    "]],
    );
}

#[test]
fn wrong_settings_are_told_all_at_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("news.toml"), "[publication]\ntitel = \"x\"\n\n[http]\nlisten = 80\n")
        .unwrap();
    check(
        folder.path(),
        &["--config", "news.toml", "config"],
        2,
        &expect![[r"
        error: 2 things are wrong in `news.toml`
          line 2: there is no setting `titel` in `[publication]`; did you mean `title`?
          line 5: listen: invalid type: integer `80`, expected socket address
        help: `gazetted init` in an empty folder writes a file that explains every setting
    "]],
    );
}

#[test]
fn the_settings_in_force_are_shown_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(
        folder.join("news.toml"),
        "[mail]\nserver = \"smtp.example.org:587\"\nuser = \"news\"\npassword_file = \"secret\"\n",
    )
    .unwrap();
    fs::write(folder.join("secret"), "hunter2\n").unwrap();
    let (code, shown) = gazetted(folder, &["--config", "news.toml", "config"]);
    assert_eq!(code, 0, "{shown}");
    assert!(
        shown.contains("server = \"smtp.example.org:587\"") && shown.contains("settle_after = \"1s\""),
        "{shown}"
    );
    assert!(!shown.contains("hunter2"));
}

#[test]
fn subscribers_are_added_listed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    gazetted(folder, &["init"]);
    check(
        folder,
        &["subscribers", "add", "li@example.org", "wang", "a b@example.org"],
        2,
        &expect![[r"
        error: `wang` is not an e-mail address: it needs one `@` with a name before it and a domain after it
               `a b@example.org` is not an e-mail address: it has ' ' in it
        help: nobody was added or removed
    "]],
    );
    gazetted(folder, &["subscribers", "add", "li@example.org"]);
    check(
        folder,
        &["subscribers", "add", "LI@Example.org", "wang@example.org"],
        0,
        &expect![[r"
        `LI@example.org` was there already
        1 subscriber added; letters begin with the next issue
    "]],
    );
    check(
        folder,
        &["subscribers", "remove", "li@example.org", "zhao@example.org"],
        1,
        &expect![[r"
        `li@example.org` gets no more letters
        `zhao@example.org` is not a subscriber
    "]],
    );
    check(
        folder,
        &["subscribers", "add", "li@example.org"],
        0,
        &expect![[r"
        `li@example.org` had left, and was not added; if he or she asked anew, add `--again`
        0 subscribers added; letters begin with the next issue
    "]],
    );
    let (_, listed) = gazetted(folder, &["subscribers", "list"]);
    assert!(listed.contains("li@example.org                           left "), "{listed}");
    assert!(listed.ends_with("1 subscriber, 1 left\n"), "{listed}");
    let (_, json) = gazetted(folder, &["subscribers", "list", "--json"]);
    let first: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(
        (first["address"].as_str(), first["standing"].as_str()),
        (Some("li@example.org"), Some("left"))
    );
}

#[test]
fn what_cannot_be_published_by_hand_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    gazetted(folder, &["init"]);
    fs::write(folder.join("empty.md"), "").unwrap();
    check(
        folder,
        &["publish", "empty.md"],
        1,
        &expect![[r"
        `empty.md` was not published: the file holds no text; save it again with its text
    "]],
    );
    check(
        folder,
        &["publish", "gone.md"],
        1,
        &expect![[r"
        error: cannot read `gone.md`
          caused by: No such file or directory (os error 2)
    "]],
    );
    check(
        folder,
        &["issues", "show", "x"],
        2,
        &expect![[r"
        error: there is no issue `x`
    "]],
    );
}

#[test]
fn a_proof_shows_how_a_page_is_read_even_outside_a_newsroom() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("frost.md"), page("First frost", "The bell is rung on Tuesdays.")).unwrap();
    let (code, shown) = gazetted(folder.path(), &["proof", "--outline", "frost.md"]);
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("1. First frost\n   by Ada Quill\n   The bell is rung on Tuesdays."), "{shown}");
    let (_, json) = gazetted(folder.path(), &["proof", "--json", "frost.md"]);
    let proof: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(proof["articles"][0]["authors"][0], "Ada Quill");
    assert_eq!(proof["articles"][0]["body"][0]["type"], "p");
}

#[test]
fn a_second_daemon_in_one_newsroom_is_refused() {
    let mut newsroom = Newsroom::closed(ledgers::IN_A_FILE);
    newsroom.starts();
    let (code, text) = gazetted(newsroom.folder.path(), &["run"]);
    assert_eq!(code, 1);
    assert!(
        text.contains("error: another gazetted runs in this newsroom: it holds `./data/daemon.lock`"),
        "{text}"
    );
    assert!(text.contains("help: stop it first; `gazetted publish` works beside it"), "{text}");
}

#[test]
fn publishing_by_hand_works_beside_the_daemon() {
    let newsroom = Newsroom::with_subscribers(["li@example.org"]);
    let draft = newsroom.path("draft.md");
    fs::write(&draft, page("By hand", "These words come by hand.")).unwrap();
    let (code, text) = gazetted(newsroom.folder.path(), &["publish", "draft.md"]);
    assert_eq!(code, 0, "{text}");
    newsroom.is_out("draft", 1);
    newsroom.sink.letters_to("li@example.org", 1);
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    assert_eq!(newsroom.ledger().issues(&newsroom.publication()).unwrap().len(), 2);
}

#[test]
fn asking_wrongly_is_answered_with_the_way_to_ask() {
    let folder = tempfile::tempdir().unwrap();
    let (code, text) = gazetted(folder.path(), &["pubish"]);
    assert_eq!(code, 2);
    assert!(text.contains("a similar subcommand exists: 'publish'"), "{text}");
}

#[test]
fn nobody_else_reads_the_addresses_or_writes_in_the_newsroom_whatever_its_starter_allowed() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.md"), page("One", "The first words.")).unwrap();
    let program = env!("CARGO_BIN_EXE_gazetted");
    let lines = format!(
        "umask 0; {program} init . && {program} subscribers add li@example.org && {program} publish a.md"
    );
    let made = Command::new("sh").args(["-c", &lines]).current_dir(folder.path()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("data"), mode("data/ledger.db")), (0o700, 0o600));
    assert_eq!((mode("outbox"), mode("outbox/feed.xml")), (0o755, 0o644), "readers' web servers may read");
}
