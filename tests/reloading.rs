//! The settings change while the newsroom is at work.

use std::{fs, process::Command};

use crate::{
    newsroom::{Newsroom, page, until},
    tools,
};

#[test]
fn changed_settings_come_into_force_by_a_signal_and_wrong_ones_change_nothing() {
    let mut newsroom = Newsroom::closed("");
    newsroom.enters(&["li@example.org"]);
    let port = tools::free_port();
    let settings = fs::read_to_string(newsroom.path("config/gazetted.toml")).unwrap();
    let settings = settings.replacen("127.0.0.1:0", &format!("127.0.0.1:{port}"), 1);
    let write = |text: &str| fs::write(newsroom.path("config/gazetted.toml"), text).unwrap();
    write(&settings);
    let log = newsroom.path("log");
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    daemon.arg("run").current_dir(newsroom.folder.path());
    daemon
        .stdout(fs::File::create(newsroom.path("greeting")).unwrap())
        .stderr(fs::File::create(&log).unwrap());
    let daemon = tools::Beside(daemon.spawn().unwrap());
    let said = || fs::read_to_string(&log).unwrap();
    let hangs_up = || {
        let mut kill = Command::new("kill");
        assert!(tools::output(kill.args(["-HUP", &daemon.0.id().to_string()])).0);
    };
    let out = |key: &str| newsroom.path(&format!("outbox/issues/{key}/index.html")).exists();
    let sender = |n: usize| newsroom.sink.letters_to("li@example.org", n)[n - 1].header("From").unwrap();
    newsroom.saves("a.md", page("One", "The first words."));
    until("the first issue", || out("a"));
    assert!(sender(1).contains("The Tide Gazette"));

    let new = settings
        .replace("The Tide Gazette <", "The Ebb Gazette <")
        .replace("key = \"tide\"", "key = \"ebb\"");
    write(&new);
    hangs_up();
    until("the new settings", || said().contains("are in force; changed: mail.from"));
    assert!(
        said().contains("publication.key stay as they were until gazetted is started again"),
        "{}",
        said()
    );
    newsroom.saves("b.md", page("Two", "The second words."));
    until("the second issue", || out("b"));
    assert!(sender(2).contains("The Ebb Gazette"), "{}", sender(2));
    let feed = newsroom.outbox_text("feed.xml");
    assert!(feed.contains(":tide") && !feed.contains(":ebb"), "identifiers stay: {feed}");

    write(
        &new.replace("[inbox]\n", "[inbox]\nfoldr = \"x\"\n")
            .replace("settle_after = \"60ms\"", "settle_after = \"soon\""),
    );
    hangs_up();
    until("what is wrong", || said().contains("the settings were not changed"));
    for told in [
        "there is no setting `foldr` in `[inbox]`; did you mean `folder`?",
        "settle_after: `soon` is not a span",
    ] {
        assert!(said().contains(told), "{told}\n{}", said());
    }
    // An address that somebody else has cannot be had: the newsroom is open where it was.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    write(&new.replace(&format!("127.0.0.1:{port}"), &taken.local_addr().unwrap().to_string()));
    hangs_up();
    until("the address to be refused", || said().contains("cannot listen on"));
    newsroom.saves("c.md", page("Three", "The third words."));
    until("the third issue", || out("c"));
    assert!(sender(3).contains("The Ebb Gazette"));
    until("the web pages", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
}
