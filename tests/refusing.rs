//! What cannot be published is left where it is, with its reason beside it, and stops nothing else.

use std::{
    ffi::OsStr,
    fs,
    io::Write as _,
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    process::{Command, Stdio},
};

use crate::{
    configuring::gazetted,
    newsroom::{Newsroom, page, until},
    tools,
};

/// Asserts that a file gets this reason, and that the next issue is published all the same.
#[track_caller]
fn refuses(name: &str, bytes: impl AsRef<[u8]>, reason: &str) {
    let newsroom = Newsroom::opens();
    newsroom.saves(name, bytes.as_ref());
    newsroom.saves("next.md", page("Next", "Words that can be read.")).is_out("next", 1);
    let said = newsroom.reason_beside(name);
    assert!(said.contains(reason), "{name:?}: {said}");
    assert_eq!(
        fs::read(newsroom.path("inbox").join(name)).unwrap(),
        bytes.as_ref(),
        "the file itself is never touched"
    );
    newsroom.all_is_well();
}

#[test]
fn a_file_without_text_says_so() {
    refuses("empty.txt", "", "the file holds no text");
    refuses("blank.md", " \n\t\n\u{3000}\n", "the file holds no text");
}

#[test]
fn a_file_without_an_article_says_what_an_article_needs() {
    refuses("heads.md", "---\ntitle: Only a head\n---\n", "no article was found in it");
}

#[test]
fn a_text_that_cannot_be_decoded_says_where() {
    refuses(
        "broken.txt",
        b"The caf\xc3\xa9 by the qu\xc3\xa0y \xff.\n\nIt opens at nine.\n",
        "the text cannot be decoded at line 1, column 22; save it again with the encoding UTF-8",
    );
    refuses("picture.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\x90\x81", "the text cannot be decoded at line");
}

#[test]
fn a_text_in_an_old_charset_is_read_as_it_was_meant() {
    let newsroom = Newsroom::opens();
    newsroom.saves("latin.md", b"# A caf\xe9 by the quay\n\nIt opens at nine.\n").is_out("latin", 1);
    assert!(newsroom.outbox_text("issues/latin/index.html").contains("A café by the quay"));
}

#[test]
fn a_file_that_is_no_text_says_what_is_read() {
    refuses("picture.png", b"\x89PNG\r\n", "cannot read a `.png` file; save the issue as `.txt`");
    refuses("README", "words", "cannot read");
}

#[test]
fn fifty_megabytes_on_one_line_are_refused_and_twenty_are_the_limit() {
    refuses("long.txt", vec![b'x'; 50_000_000], "the file has 50000000 bytes, and at most 20000000 are read");
}

#[test]
fn a_file_that_cannot_be_read_says_so_and_is_published_once_it_can() {
    // The superuser can read every file, so the daemon runs as nobody where the test runs as root.
    let folder = tempfile::tempdir().unwrap();
    let news = folder.path().join("news");
    assert_eq!(gazetted(folder.path(), &["init", "news"]).0, 0);
    let settings = format!(
        "[inbox]\nsettle_after = \"60ms\"\n[http]\nlisten = \"127.0.0.1:{}\"\n[desk]\nlisten = \"off\"\n",
        tools::free_port()
    );
    fs::write(news.join("config/gazetted.toml"), settings).unwrap();
    let locked = news.join("inbox/locked.md");
    fs::write(&locked, page("Locked", "The words behind the door.")).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
    let superuser = fs::read(&locked).is_ok();
    let mut daemon = if superuser {
        let Some(setpriv) = tools::program("setpriv") else { return };
        // A program that lies where nobody may look cannot be run by nobody.
        let program = folder.path().join("gazetted");
        fs::copy(env!("CARGO_BIN_EXE_gazetted"), &program).unwrap();
        for path in [folder.path(), &news, &news.join("inbox"), &news.join("outbox"), &news.join("data")] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
        }
        let mut daemon = Command::new(setpriv);
        daemon.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
        daemon
    } else {
        Command::new(env!("CARGO_BIN_EXE_gazetted"))
    };
    daemon.arg("run").current_dir(&news).stdout(Stdio::null()).stderr(Stdio::null());
    let _daemon = tools::Beside(daemon.spawn().unwrap());
    let note = news.join("inbox/locked.md.reason.txt");
    until("a note beside the locked file", || note.exists());
    let reason = fs::read_to_string(&note).unwrap();
    assert!(reason.contains("cannot read it: Permission denied"), "{reason}");
    assert!(reason.contains("check who may read the file"), "{reason}");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o644)).unwrap();
    until("the issue", || news.join("outbox/issues/locked/index.html").exists());
    until("no note", || !note.exists());
}

#[test]
fn control_characters_are_left_out_and_the_rest_is_published() {
    let newsroom = Newsroom::opens();
    newsroom
        .saves("noise.md", "# Bell\u{0}s\u{8}\n\nThe be\u{1b}ll is \u{fffe}rung\u{0}.\n")
        .is_out("noise", 1);
    let feed = newsroom.outbox_text("feed.xml");
    assert!(feed.contains("Bells") && feed.contains("The bell is rung."));
    assert!(feed.chars().all(gazetted::typography::is_printable));
}

#[test]
fn marks_that_mean_something_to_programs_reach_readers_as_they_are() {
    let newsroom = Newsroom::with_subscribers(["li@example.org"]);
    let nasty = "A & B < C > D \" E ' ]]> {{ title }} {% raw %} ${x} %s";
    newsroom
        .saves("marks.txt", format!("{nasty}\n\n{nasty}, and so on to the end of the line.\n\n{nasty}.\n"));
    newsroom.is_out("marks", 1).sink.letters_to("li@example.org", 1);
    let body = newsroom.feed().entries.remove(0).content.unwrap().body.unwrap();
    assert!(body.contains("{{ title }} {% raw %}") && body.contains("A &amp; B &lt; C"), "{body}");
    assert!(newsroom.outbox_text("issues/marks/index.html").contains("{{ title }} {% raw %}"));
    newsroom.all_is_well();
}

#[test]
fn names_in_any_script_and_with_any_character_get_keys_of_their_own() {
    let newsroom = Newsroom::opens();
    newsroom.saves("理论 7月9日.md", page("理论", "把书架搬到渡口去。")).is_out("li-lun-7-yue-9-ri", 1);
    newsroom.saves("two\nlines.md", page("Two", "The name has two lines.")).is_out("two-lines", 1);
    newsroom.saves("…….md", page("Dots", "The name is only dots."));
    newsroom.saves("a'\"<>&;$(id).md", page("Shell", "The name is a trap.")).is_out("a-id", 1);
    let raw = OsStr::from_bytes(b"caf\xe9.md");
    fs::write(newsroom.path("inbox").join(raw), page("Raw", "The name is not UTF-8.")).unwrap();
    newsroom.are_out(5).all_is_well();
}

#[test]
fn a_name_that_is_too_long_gets_its_reason_beside_it_and_holds_nobody_up() {
    let newsroom = Newsroom::opens();
    let long = format!("{}.md", "论".repeat(83));
    newsroom.saves(&long, page("One", "The first words."));
    let is_note = |name: &String| name.starts_with('论') && name.ends_with(".reason.txt");
    let names = || -> Vec<String> {
        let entries = fs::read_dir(newsroom.path("inbox")).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    until("a note", || names().iter().any(is_note));
    let note = names().into_iter().find(is_note).unwrap();
    let said = fs::read_to_string(newsroom.path("inbox").join(&note)).unwrap();
    assert!(said.contains("its name has 252 bytes") && said.contains("shorten it to 243 bytes"), "{said}");
    newsroom.saves("two.md", page("Two", "The second words.")).is_out("two", 1);
    fs::rename(newsroom.path("inbox").join(&long), newsroom.path("inbox/one.md")).unwrap();
    newsroom.is_out("one", 1);
    until("the note to go", || !names().iter().any(is_note));
    // The proof of one that is just short enough is no manuscript whose name is too long.
    let long = format!("{}.md", "a".repeat(240));
    newsroom.saves(&long, "---\nissue: long\n---\n\n# Three\n\nThe third words.\n").is_out("long", 1);
    let (code, proof) = gazetted(newsroom.folder.path(), &["proof", &format!("inbox/{long}")]);
    assert_eq!(code, 0, "{proof}");
    newsroom
        .saves(&format!("{long}.proof.md"), proof.replace("third words", "words of the proof"))
        .is_out("long", 2);
    assert!(newsroom.outbox_text("issues/long/index.html").contains("words of the proof"));
}

#[test]
fn a_name_with_a_new_line_gets_its_reason_beside_it() {
    refuses("two\nlines.md", "", "the file holds no text");
}

#[test]
fn a_file_that_grows_while_we_look_is_published_once_and_whole() {
    let newsroom = Newsroom::with_subscribers(["li@example.org"]);
    let path = newsroom.path("inbox/slow.md");
    let mut file = fs::File::create(&path).unwrap();
    file.write_all(b"# Slowly\n\nThe first words").unwrap();
    file.sync_all().unwrap();
    // Meanwhile another issue goes through, so the inbox has been looked at, and the quiet time has passed.
    newsroom.saves("other.md", page("Other", "Other words.")).is_out("other", 1);
    file.write_all(b" and the last.\n").unwrap();
    drop(file);
    newsroom.is_out("slow", 1);
    assert!(newsroom.outbox_text("issues/slow/index.html").contains("The first words and the last."));
    assert_eq!(newsroom.ledger().issues(&newsroom.publication()).unwrap().len(), 2);
    newsroom.sink.letters_to("li@example.org", 2);
}

#[test]
fn a_reason_goes_away_when_the_file_is_right_or_gone() {
    let newsroom = Newsroom::opens();
    newsroom.saves("a.md", "").saves("b.md", "");
    newsroom.reason_beside("a.md");
    newsroom.reason_beside("b.md");
    newsroom.saves("a.md", page("Now", "There are words.")).removes("b.md");
    newsroom.is_out("a", 1).no_reason_beside("a.md").no_reason_beside("b.md");
}

#[test]
fn temporary_files_of_editors_and_links_are_no_issues() {
    let newsroom = Newsroom::opens();
    for name in [".a.md.swp", "a.md~", "a.md.part", "#a.md#", ".hidden.md"] {
        newsroom.saves(name, page("Temporary", "Not yet."));
    }
    std::os::unix::fs::symlink(newsroom.path("config/gazetted.toml"), newsroom.path("inbox/link.md"))
        .unwrap();
    newsroom.saves("real.md", page("Real", "These words.")).is_out("real", 1);
    assert_eq!(newsroom.ledger().arrivals().unwrap().len(), 1);
}

#[test]
fn a_full_disk_stops_nothing_but_the_issue_and_that_only_until_there_is_space() {
    let mut newsroom = Newsroom::closed("");
    let outbox = newsroom.path("outbox");
    fs::create_dir(&outbox).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(&outbox).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        tools::skip("a small disk can be mounted by the superuser only");
        return;
    }
    let _mount = Mounted(outbox.clone());
    newsroom.enters(&["li@example.org"]);
    fs::write(outbox.join("ballast"), vec![0; 4_140_000]).unwrap();
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The first words."));
    let reason = newsroom.reason_beside("a.md");
    assert!(reason.contains("gazetted could not publish this yet: cannot write"), "{reason}");
    assert!(reason.contains("No space left on device"), "{reason}");
    assert!(newsroom.ledger().issues(&newsroom.publication()).unwrap().is_empty());
    assert_eq!(newsroom.sink.offers_to("li@example.org"), 0);
    fs::remove_file(outbox.join("ballast")).unwrap();
    newsroom.is_out("a", 1).no_reason_beside("a.md").all_is_well();
    newsroom.sink.letters_to("li@example.org", 1);
    newsroom.stops();
}

struct Mounted(std::path::PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}
