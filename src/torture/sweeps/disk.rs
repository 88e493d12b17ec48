//! Disks that are full, or fail.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{
    super::{
        Tally, Trial,
        world::{GLANCE, PATIENCE, Pace, Settings, Started, Trouble},
    },
    crash::{list_of_calls, morning, traced_alone},
    find, is_root,
};

/// How long a newsroom is left with a disk that is full: it tries again every ten seconds.
const STARVED: Duration = Duration::from_millis(1800);

/// A file system that is gone when the trial is, whatever happens.
pub(super) struct Mounted(pub(super) PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = run("umount", &["-l".as_ref(), self.0.as_os_str()]);
    }
}

/// Runs a program of the system.
pub(super) fn run(program: &str, arguments: &[&std::ffi::OsStr]) -> Result<(), Trouble> {
    let path = find(program).unwrap_or_else(|| program.into());
    let output = Command::new(path).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("`{program}` cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("`{program}`: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

/// As [`run`], with arguments that are text.
pub(super) fn say(program: &str, arguments: &[&str]) -> Result<(), Trouble> {
    let arguments: Vec<&std::ffi::OsStr> = arguments.iter().map(|&text| text.as_ref()).collect();
    run(program, &arguments)
}

pub(super) fn root_hindrances() -> Vec<String> {
    if is_root() { Vec::new() } else { vec!["needs root: a file system of its own is mounted".to_owned()] }
}

/// A newsroom whose disk is too small, or has no room for more files; then it grows.
pub(super) fn full(trial: &mut Trial<'_>) -> Result<Option<Tally>, Trouble> {
    if !is_root() {
        return Ok(None);
    }
    // Without anything a newsroom needs some 300 KiB and 40 files; with three issues, some 2 MiB and 250.
    let files = trial.number % 5 == 4;
    let size = if files { 8192 } else { 200 + 16 * trial.chance.below(160) };
    let inodes = if files { 24 + 4 * trial.chance.below(60) } else { 100_000 };
    trial.what = if files { format!("room for {inodes} files") } else { format!("a disk of {size} KiB") };
    let at = trial.folder.display().to_string();
    say("mount", &["-t", "tmpfs", "-o", &format!("size={size}k,nr_inodes={inodes}"), "torture", &at])?;
    let _mounted = Mounted(trial.folder.clone());
    let grow = || say("mount", &["-o", "remount,size=64m,nr_inodes=100000", &at]);
    let open = || {
        let mut world = trial.world(Settings::default())?;
        world.join(4, Pace::Each).map(|()| world)
    };
    let mut world = if let Ok(world) = open() {
        world
    } else {
        // Not even its ledger has room: it begins when there is room, and then there is none again.
        grow()?;
        let world = open()?;
        let _ = say("mount", &["-o", &format!("remount,size={size}k,nr_inodes={inodes}"), &at]);
        world
    };
    world.observe();
    let how = Started::default();
    let end = Instant::now() + STARVED;
    while Instant::now() < end {
        // Where not even the manuscript has room, its editor tries again.
        if world.issues.len() < 3 {
            let (at, text) = world.expect("n", "md");
            let path = world.issues.get(at).map(|issue| issue.file.clone()).unwrap_or_default();
            if super::super::world::put(&path, text.as_bytes()).is_err() {
                world.issues.pop();
                world.tally.faults += 1;
            }
        }
        world.supervise(&how)?;
        thread::sleep(GLANCE);
    }
    world.look();
    grow()?;
    if world.issues.is_empty() {
        world.drop_issue()?;
    }
    let settled = world.settle(&how, PATIENCE, |_| Ok(()))?;
    world.judge(settled)?;
    Ok(Some(std::mem::take(&mut world.tally)))
}

/// What goes wrong with system calls, and how many of the calls in a row.
const ERRORS: [(&str, &str, &str); 17] = [
    ("fsync", "EIO", ""),
    ("fdatasync", "EIO", ""),
    ("syncfs", "EIO", ""),
    ("rename", "EIO", ""),
    ("rename", "EROFS", "..+3"),
    ("write", "EIO", ""),
    ("write", "ENOSPC", "..+9"),
    ("write", "EDQUOT", ""),
    ("write", "EINTR", "..+1"),
    ("pwrite64", "EIO", ""),
    ("pwrite64", "ENOSPC", ""),
    ("openat", "EMFILE", "..+20"),
    ("openat", "EROFS", "..+20"),
    ("openat", "EINTR", ""),
    ("mkdir", "EACCES", ""),
    ("unlink", "EIO", ""),
    ("ftruncate", "EIO", ""),
];

/// Everything that a disk can fail by, one after the other: its system calls, a file that must not grow, a file system that turns read-only.
pub(super) fn fails(trial: &mut Trial<'_>) -> Result<Option<Tally>, Trouble> {
    if find("strace").is_none() {
        return Ok(None);
    }
    match trial.kind(ERRORS.len() + 2).checked_sub(ERRORS.len()) {
        None => errors(trial),
        Some(0) => short_writes(trial),
        Some(_) => super::power::read_only(trial),
    }
}

/// No file may be longer than so many bytes: what is written over that comes down in part, the next write fails, and a signal says so.
fn short_writes(trial: &mut Trial<'_>) -> Result<Option<Tally>, Trouble> {
    let most = 512 << trial.chance.below(11);
    trial.what = format!("no file may be longer than {most} bytes");
    let mut world = morning(trial, trial.chance.clone(), 20)?;
    world.observe();
    let before = vec!["prlimit".to_owned(), format!("--fsize={most}")];
    let how = Started { before, ..Started::default() };
    let end = Instant::now() + STARVED;
    while Instant::now() < end {
        world.supervise(&how)?;
        thread::sleep(GLANCE);
    }
    world.tally.faults += 1;
    world.kill();
    let settled = world.settle(&Started::default(), PATIENCE, |_| Ok(()))?;
    world.judge(settled)?;
    Ok(Some(std::mem::take(&mut world.tally)))
}

/// One kind of call fails, once or for a while, wherever it happens to be; the newsroom gets over it by itself or is started again.
fn errors(trial: &mut Trial<'_>) -> Result<Option<Tally>, Trouble> {
    let at = trial.kind(ERRORS.len() + 2);
    let Some((call, error, more)) = ERRORS.get(at).copied() else { return Ok(None) };
    let calls = list_of_calls(trial)?;
    let times = calls.iter().filter(|(name, _)| name == call).map(|(_, at)| u64::from(*at));
    let most = times.max().unwrap_or(1);
    let first = trial.chance.between(1, most);
    let last = match more.strip_prefix("..+").and_then(|more| more.parse::<u64>().ok()) {
        Some(more) => format!("..{}", first + more * trial.chance.between(1, 4)),
        None => String::new(),
    };
    trial.what = format!("`{call}` gives {error} at its times {first}{last}");
    let mut world = morning(trial, trial.chance.clone(), 20)?;
    world.observe();
    let inject = format!("inject={call}:error={error}:when={first}{last}");
    let record = trial.folder.with_extension("calls").display().to_string();
    world.start(&Started { before: traced_alone(call, &inject, &record), ..Started::default() })?;
    let mut is_numb = false;
    let settled = world.settle(&Started::default(), PATIENCE, |world| {
        // A part of the program that cannot be woken is deaf from then on, and no kernel ever lets that fail: it counts as dead.
        if !is_numb && fs::read_to_string(&record).is_ok_and(|calls| calls.lines().any(is_waking)) {
            is_numb = true;
            world.kill();
        }
        Ok(())
    })?;
    // Where the call did not come so often, nothing failed.
    let calls = fs::read_to_string(&record).unwrap_or_default();
    let failed = calls.lines().filter(|line| line.contains("INJECTED")).count();
    world.tally.faults += u32::try_from(failed).unwrap_or(0);
    world.judge(settled)?;
    Ok(Some(std::mem::take(&mut world.tally)))
}

/// Whether a call that failed was to wake a thread: a write of the number 1 into an eventfd, or of a byte into a pipe to oneself.
fn is_waking(call: &str) -> bool {
    let wakes = [r#", "\1\0\0\0\0\0\0\0", 8)"#, r#", ".", 1)"#, r#", "\0", 1)"#];
    call.contains("INJECTED") && call.contains("write(") && wakes.iter().any(|wake| call.contains(wake))
}

#[cfg(test)]
mod tests {
    use super::is_waking;

    #[test]
    fn a_call_that_wakes_a_thread_is_told_from_one_that_writes_a_file() {
        let failed = "= -1 EIO (Input/output error) (INJECTED)";
        assert!(is_waking(&format!(r#"19363 write(4, "\1\0\0\0\0\0\0\0", 8)   {failed}"#)));
        assert!(is_waking(&format!(r#"27527 write(15, ".", 1)                 {failed}"#)));
        assert!(!is_waking(r#"19363 write(4, "\1\0\0\0\0\0\0\0", 8) = 8"#));
        assert!(!is_waking(&format!(r#"19366 write(34, "<?xml version"..., 3867) {failed}"#)));
    }
}
