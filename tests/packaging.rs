//! What an operator installs: the service and its bounds, what the service manager is told, the manual page, the completions.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::{fs::PermissionsExt as _, net::UnixDatagram},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use gazetted::delivery::State;
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    newsroom::{Newsroom, page, until},
    sink::Conduct,
    tools,
};

const UNIT: &str = "packaging/gazetted.service";

fn gazetted(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    let (done, said) = tools::output(command.args(arguments));
    assert!(done, "{said}");
    said
}

#[test]
fn a_broken_daemon_can_reach_little_of_the_machine() {
    let Some(analyze) = tools::program("systemd-analyze") else { return };
    let mut command = Command::new(analyze);
    command
        .args(["security", "--offline=true", "--threshold=15", "--no-pager"])
        .arg(tools::root().join(UNIT));
    let (within, said) = tools::output(&mut command);
    assert!(within, "the unit is exposed by more than 1.5:\n{said}");
}

/// The system calls of a set of systemd's, and of the sets in it.
fn calls_of(analyze: &Path, set: &str) -> BTreeSet<String> {
    let mut command = Command::new(analyze);
    let (listed, said) = tools::output(command.args(["syscall-filter", "--no-pager", set]));
    assert!(listed, "{said}");
    let mut calls = BTreeSet::new();
    for line in said.lines().skip(1).map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        if line.starts_with('@') {
            calls.extend(calls_of(analyze, line));
        } else {
            calls.insert(line.to_owned());
        }
    }
    calls
}

#[test]
fn what_the_service_may_ask_of_the_kernel_is_enough_for_its_work() {
    let (Some(analyze), Some(strace)) = (tools::program("systemd-analyze"), tools::program("strace")) else {
        return;
    };
    if !tools::output(Command::new(&strace).args(["-o", "/dev/null", "true"])).0 {
        return tools::skip("this machine lets nobody trace a program");
    }
    let unit = fs::read_to_string(tools::root().join(UNIT)).unwrap();
    let mut allowed = BTreeSet::new();
    for filter in unit.lines().filter_map(|line| line.strip_prefix("SystemCallFilter=")) {
        for set in filter.trim_start_matches('~').split(' ') {
            let calls = calls_of(&analyze, set);
            if filter.starts_with('~') {
                allowed.retain(|call| !calls.contains(call));
            } else {
                allowed.extend(calls);
            }
        }
    }
    assert!(allowed.contains("fsync"), "{allowed:?}");

    let mut newsroom = Newsroom::closed("");
    newsroom.enters(&["a@example.org"]);
    let calls = newsroom.path("calls");
    let mut command = Command::new(strace);
    command.args(["-f", "-qq", "-o"]).arg(&calls).arg(env!("CARGO_BIN_EXE_gazetted")).arg("run");
    command.current_dir(newsroom.folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut daemon = tools::Beside(command.spawn().unwrap());
    newsroom.saves("a.md", page("One", "The first words."));
    newsroom.sink.letters_to("a@example.org", 1);
    let traced = fs::read_to_string(format!("/proc/{0}/task/{0}/children", daemon.0.id())).unwrap();
    kill_process(pid(traced.trim().parse().unwrap()), Signal::TERM).unwrap();
    daemon.0.wait().unwrap();

    let traced = fs::read_to_string(&calls).unwrap();
    let made: BTreeSet<&str> = traced
        .lines()
        .filter_map(|line| line.split_once(' ')?.1.trim_start().split_once('('))
        .map(|(call, _)| call)
        .filter(|call| {
            call.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        })
        .collect();
    assert!(made.contains("sendto") && made.contains("fsync"), "{made:?}");
    // As root alone, which the service is not, SQLite gives what it makes to the owner of the ledger.
    let refused: Vec<_> =
        made.iter().filter(|call| !allowed.contains(**call) && **call != "fchown").collect();
    assert!(refused.is_empty(), "the filter of the unit would refuse {refused:?}");
}

fn pid(number: i32) -> Pid {
    Pid::from_raw(number).unwrap()
}

#[test]
fn the_service_manager_hears_when_it_is_open_that_it_lives_and_when_it_closes() {
    let mut newsroom = Newsroom::closed("");
    newsroom.enters(&[]);
    let socket = newsroom.path("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    command.arg("run").current_dir(newsroom.folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
    command.env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", "60000");
    let mut daemon = tools::Beside(command.spawn().unwrap());
    let mut heard = String::new();
    let mut hears = |what: &str| {
        until(what, || {
            let mut words = [0; 1024];
            let length = manager.recv(&mut words).unwrap();
            heard.push_str(&String::from_utf8_lossy(&words[..length]));
            heard.contains(what)
        });
        std::mem::take(&mut heard)
    };
    let opening = hears("READY=1");
    assert!(!opening.contains("WATCHDOG"), "{opening}");
    assert!(opening.contains("STATUS=The Tide Gazette is open at http://127.0.0.1:"), "{opening}");
    hears("WATCHDOG=1");
    hears("WATCHDOG=1");
    // What is in memory goes to no disk by itself.
    let limits = fs::read_to_string(format!("/proc/{}/limits", daemon.0.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().rev().nth(1), Some("0"), "{core}");
    kill_process(pid(daemon.0.id().try_into().unwrap()), Signal::TERM).unwrap();
    hears("STOPPING=1");
    assert!(daemon.0.wait().unwrap().success());
}

/// How many places of their own the threads of a program have for memory: each begins at a multiple of 64 MiB, all of which is set
/// aside for it (glibc's `HEAP_MAX_SIZE`).
fn places_for_memory(id: u32) -> usize {
    const PLACE: u64 = 64 << 20;
    let maps = fs::read_to_string(format!("/proc/{id}/maps")).unwrap();
    let pieces: Vec<(u64, u64, &str)> = maps
        .lines()
        .filter_map(|line| {
            let (range, rest) = line.split_once(' ')?;
            let (from, to) = range.split_once('-')?;
            let address = |digits: &str| u64::from_str_radix(digits, 16).ok();
            Some((address(from)?, address(to)?, rest.get(..4)?))
        })
        .collect();
    let is_place = |[used, free]: &[(u64, u64, &str); 2]| {
        used.2 == "rw-p"
            && free.2 == "---p"
            && used.1 == free.0
            && used.0 % PLACE == 0
            && free.1 - used.0 == PLACE
    };
    pieces.array_windows().filter(|pair| is_place(pair)).count()
}

#[test]
fn the_memory_of_a_small_machine_is_not_held_by_threads_that_have_gone() {
    let mut newsroom = Newsroom::closed("");
    newsroom.enters(&[]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    command.arg("run").current_dir(newsroom.folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
    let daemon = tools::Beside(command.spawn().unwrap());
    for n in 1..=3 {
        newsroom.saves(&format!("week-{n}.md"), page(&format!("Week {n}"), "The lamps are lit."));
        until("an issue", || newsroom.path(&format!("outbox/issues/week-{n}/index.html")).exists());
    }
    let threads = fs::read_dir(format!("/proc/{}/task", daemon.0.id())).unwrap().count();
    let places = places_for_memory(daemon.0.id());
    // The first place, of four, is the program's own and none of these.
    assert!(threads > 6 && (1..=3).contains(&places), "{threads} threads have {places} places");
}

#[test]
fn an_operator_finds_every_command_in_the_manual_and_by_the_tab_key() {
    let page = gazetted(&["man"]);
    assert!(page.starts_with(".ie") && page.contains(".TH gazetted 1"), "{page}");
    let folder = tempfile::tempdir().unwrap();
    gazetted(&["man", "--to", folder.path().to_str().unwrap()]);
    let shells = ["bash", "zsh", "fish"].map(|shell| gazetted(&["completions", shell]));
    for command in ["run", "publish", "subscribers", "digests", "issues", "verify", "ready"] {
        assert!(page.contains(&format!("gazetted\\-{command}(1)")), "{command} is not in the manual");
        let own = fs::read_to_string(folder.path().join(format!("gazetted-{command}.1"))).unwrap();
        assert!(own.contains(".SH SYNOPSIS"), "{own}");
        assert!(shells.iter().all(|script| script.contains(command)), "{command} cannot be completed");
    }
    assert_eq!(fs::read_to_string(folder.path().join("gazetted.1")).unwrap().trim(), page.trim());
    let script = folder.path().join("gazetted.bash");
    fs::write(&script, &shells[0]).unwrap();
    let (sound, said) = tools::output(Command::new("bash").arg("-n").arg(&script));
    assert!(sound, "{said}");
}

#[test]
fn a_container_manager_learns_whether_the_daemon_can_do_its_work() {
    let mut newsroom = Newsroom::closed("");
    newsroom.starts();
    let ask = |address: String| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
        command.arg("ready").current_dir(newsroom.folder.path()).env("GAZETTED_HTTP__LISTEN", address);
        tools::output(&mut command)
    };
    until("the first look at the inbox", || newsroom.asks("GET", "/readyz", "").0 == 200);
    let (ready, said) = ask(newsroom.address().to_string());
    assert!(ready && said.trim() == "ready", "{said}");
    let (ready, said) = ask(format!("127.0.0.1:{}", tools::free_port()));
    assert!(!ready && said.contains("no gazetted answers at") && said.contains("gazetted run"), "{said}");
}

#[test]
fn links_out_of_a_container_can_be_followed_on_its_machine() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.md"), page("One", "The first words.")).unwrap();
    for arguments in [&["init"][..], &["publish", "a.md"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
        command.args(arguments).current_dir(folder.path()).env("GAZETTED_HTTP__LISTEN", "0.0.0.0:8080");
        let (done, said) = tools::output(&mut command);
        assert!(done, "{said}");
    }
    let feed = fs::read_to_string(folder.path().join("outbox/feed.xml")).unwrap();
    assert!(feed.contains("<link>http://127.0.0.1:8080/") && !feed.contains("//0.0.0.0"), "{feed}");
}

#[test]
fn the_log_names_no_reader_and_keys_are_nobody_elses_to_read() {
    let mut newsroom = Newsroom::closed("");
    let port = tools::free_port();
    newsroom.enters(&["mara.lind@example.org", "jonas.reed@example.org", "ida.holt@example.org"]);
    newsroom
        .sink
        .treats("jonas.reed@example.org", Conduct::Answers("550 5.1.1 jonas.reed@example.org: no such user"));
    newsroom
        .sink
        .treats("ida.holt@example.org", Conduct::Answers("451 4.7.1 ida.holt@example.org: come again"));
    let log = newsroom.path("log");
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    command
        .arg("run")
        .current_dir(newsroom.folder.path())
        .env("GAZETTED_HTTP__LISTEN", format!("127.0.0.1:{port}"));
    command.stdout(Stdio::null()).stderr(fs::File::create(&log).unwrap());
    let mut daemon = tools::Beside(command.spawn().unwrap());
    newsroom.saves("a.md", page("One", "The first words."));
    newsroom.letters_stand("a", &[(State::Delayed, 1), (State::Delivered, 1), (State::Failed, 1)]);
    kill_process(pid(daemon.0.id().try_into().unwrap()), Signal::TERM).unwrap();
    daemon.0.wait().unwrap();
    let said = fs::read_to_string(&log).unwrap();
    assert!(said.contains("published"), "{said}");
    for name in ["mara.lind", "jonas.reed", "ida.holt"] {
        assert!(!said.contains(name), "the log names {name}:\n{said}");
    }
    for key in ["leave.key", "desk.password"] {
        let mode = fs::metadata(newsroom.path("data").join(key)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{key}");
    }
}
