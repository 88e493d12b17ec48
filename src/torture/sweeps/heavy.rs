//! Files that cost much.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::super::{
    Tally, Trial,
    world::{PATIENCE, Pace, Settings, Started, Trouble, put, trouble},
};

/// How much memory a newsroom may take for what hurts, in KiB.
const MOST_MEMORY: u64 = 768 * 1024;

/// Files that cost much, by what they are.
const HEAVY: [&str; 6] = [
    "a text of 1 GiB",
    "a zip that unpacks to 1 GiB",
    "a million nested tags",
    "twenty thousand articles",
    "one line of 20 MB",
    "a zip of 60,000 files",
];

/// A file comes that would cost much; it is refused or read within bounds, and the issue beside it comes out.
pub(super) fn heavy(trial: &mut Trial<'_>) -> Result<Option<Tally>, Trouble> {
    let at = trial.kind(HEAVY.len());
    let what = HEAVY.get(at).copied().unwrap_or_default();
    what.clone_into(&mut trial.what);
    let mut world = trial.world(Settings::default())?;
    world.join(1, Pace::Each)?;
    world.observe();
    let path = world.inbox.clone();
    let made = match what {
        "a text of 1 GiB" => fs::File::create(path.join("a.txt")).and_then(|file| file.set_len(1 << 30)),
        "a zip that unpacks to 1 GiB" => bomb(&path.join("a.zip"), 1, 1 << 30),
        "a million nested tags" => put(&path.join("a.html"), "<div>".repeat(1_000_000).as_bytes()),
        "twenty thousand articles" => {
            let articles: Vec<String> =
                (0..20_000).map(|n| format!("# Story {n}\n\nSome words of it.\n\n")).collect();
            let articles = articles.concat();
            put(&path.join("a.md"), articles.as_bytes())
        }
        "one line of 20 MB" => put(&path.join("a.txt"), "word ".repeat(4_000_000).as_bytes()),
        _ => bomb(&path.join("a.zip"), 60_000, 10),
    };
    made.map_err(trouble("cannot drop"))?;
    world.drop_issue()?;
    let how = Started::default();
    world.start(&how)?;
    let mut peak = 0;
    let settled = world.settle(&how, PATIENCE * 3, |world| {
        peak = peak.max(world.pid().and_then(memory).unwrap_or(0));
        Ok(())
    })?;
    // What is heavy may be at the press still.
    let end = Instant::now() + PATIENCE * 3;
    while Instant::now() < end && world.gazetted(&["verify"], None, &[])?.0 != Some(0) {
        peak = peak.max(world.pid().and_then(memory).unwrap_or(0));
        thread::sleep(Duration::from_millis(500));
    }
    if peak > MOST_MEMORY {
        world.tally.findings.push(format!("it took {} MiB of memory", peak / 1024));
    }
    world.tally.faults += 1;
    world.judge(settled)?;
    Ok(Some(std::mem::take(&mut world.tally)))
}

fn bomb(path: &Path, files: usize, length: u64) -> std::io::Result<()> {
    let mut archive = zip::ZipWriter::new(fs::File::create(path)?);
    let options = zip::write::SimpleFileOptions::default();
    for number in 0..files {
        archive.start_file(format!("{number}.md"), options).map_err(std::io::Error::other)?;
        std::io::copy(&mut std::io::Read::take(std::io::repeat(b'x'), length), &mut archive)?;
    }
    archive.finish().map(|_| ()).map_err(std::io::Error::other)
}

/// The most memory that a process has had, in KiB.
fn memory(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
