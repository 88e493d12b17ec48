//! Dying behind every step, and at every system call.

use std::{fs, time::Duration};

use super::super::{
    Tally, Trial,
    chance::Chance,
    world::{PATIENCE, Pace, Settings, Started, Trouble, World, trouble},
};
use crate::fault;

/// The system calls that change what is on the disk or in somebody's mailbox. Each is counted apart, since `strace` does so.
const CALLS: [&str; 18] = [
    "write",
    "pwrite64",
    "writev",
    "sendto",
    "fsync",
    "fdatasync",
    "syncfs",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "mkdir",
    "mkdirat",
    "ftruncate",
    "openat",
    "rmdir",
    "fallocate",
];

/// The most times of one call that are tried: `openat` and `write` alone come by the thousand.
const MOST: u32 = 400;

/// A morning: three issues lie in the inbox, with one that cannot be read; twenty readers wait. `again` corrects the first issue.
pub(super) fn morning(trial: &Trial<'_>, chance: Chance, readers: u64) -> Result<World, Trouble> {
    let mut world = World::open(&trial.folder, &trial.bench.program, chance, Settings::default())?;
    world.join(readers, Pace::Each)?;
    world.join(2, Pace::Daily)?;
    for _ in 0..3 {
        world.drop_issue()?;
    }
    let nothing = world.inbox.join("nothing.md");
    fs::write(nothing, "---\ntitle: Nothing\n---\n").map_err(trouble("cannot drop"))?;
    Ok(world)
}

/// What goes on in it: the issues come out, one is corrected, one withdrawn and given again, a reader leaves.
fn day(world: &mut World, how: &Started, hurt: &str) -> Result<(), Trouble> {
    let _ = world.settle(how, PATIENCE, |_| Ok(()))?;
    world.correct(0)?;
    let cli = |wanted: bool| -> Vec<(&'static str, String)> {
        if wanted { how.environment.clone() } else { Vec::new() }
    };
    let _ = world.settle(&Started::default(), PATIENCE, |_| Ok(()))?;
    for word in ["withdraw", "reinstate"] {
        let key = world.issues.get(1).map(|issue| issue.key.clone()).unwrap_or_default();
        let (code, said) = world.gazetted(&["issues", word, &key], None, &cli(hurt == "cli"))?;
        if code.is_none() {
            world.look();
            let (code, said) = world.gazetted(&["issues", word, &key], None, &[])?;
            if code != Some(0) {
                world.tally.findings.push(format!("`issues {word}` cannot be done again: {said}"));
            }
        } else if code != Some(0) {
            world.tally.findings.push(format!("`issues {word}`: {said}"));
        }
        if let Some(issue) = world.issues.get_mut(1) {
            issue.withdrawn = word == "withdraw";
            issue.ever_withdrawn = true;
        }
        let _ = world.settle(&Started::default(), Duration::from_secs(20), |_| Ok(()))?;
        if let Some(missing) = world.missing().first() {
            world.tally.findings.push(format!("after `issues {word}`: {missing}"));
            return Ok(());
        }
    }
    world.leave(0);
    world.drop_issue()?;
    Ok(())
}

/// The steps of such a day, each with how often it came.
fn list_of_points(trial: &Trial<'_>) -> Result<Vec<(String, u32)>, Trouble> {
    let mut lists = trial.bench.lists.lock().map_err(|error| error.to_string())?;
    if let Some(list) = lists.get("points") {
        return Ok(list.clone());
    }
    let mut all = Vec::new();
    for hurt in ["run", "cli"] {
        let told = trial.folder.with_extension("told");
        let _ = fs::remove_file(&told);
        let chance = Chance::of(trial.bench.seed, "points", 0);
        let _ = fs::remove_dir_all(&trial.folder);
        let mut world = morning(trial, chance, 4)?;
        let how =
            Started { environment: vec![(fault::TELL, told.display().to_string())], ..Started::default() };
        if hurt == "run" {
            let _ = world.settle(&how, PATIENCE, |_| Ok(()))?;
            world.correct(0)?;
            let _ = world.settle(&how, PATIENCE, |_| Ok(()))?;
            world.leave(0);
            world.drop_issue()?;
            let _ = world.settle(&how, PATIENCE, |_| Ok(()))?;
        } else {
            day(&mut world, &Started { environment: Vec::new(), ..how.clone() }, "none")?;
            let _ = fs::remove_file(&told);
            for word in ["withdraw", "reinstate"] {
                let key = world.issues.get(1).map(|issue| issue.key.clone()).unwrap_or_default();
                world.gazetted(&["issues", word, &key], None, &how.environment)?;
            }
        }
        world.stop();
        let text = fs::read_to_string(&told).map_err(trouble("no point was told"))?;
        for point in fault::Point::ALL {
            let times = text.lines().filter(|line| *line == point.name()).count();
            // The many files of a batch are alike: the first ones, some, and the last.
            let times = u32::try_from(times).unwrap_or(0);
            let every = (times / 12).max(1);
            all.extend(
                (1..=times)
                    .filter(|at| *at < 4 || at % every == 0)
                    .map(|at| (format!("{hurt} {}", point.name()), at)),
            );
        }
    }
    let is_reached =
        |point: &fault::Point| all.iter().any(|(name, _)| name.ends_with(&format!(" {}", point.name())));
    let mut wanted = fault::Point::ALL.iter().filter(|point| !fault::Point::OF_A_MIGRATION.contains(point));
    if let Some(point) = wanted.find(|point| !is_reached(point)) {
        return Err(format!("nothing reaches the point `{}`", point.name()));
    }
    let list = Chance::of(trial.bench.seed, "order", 0).shuffled(all);
    lists.insert("points".to_owned(), list.clone());
    Ok(list)
}

/// The program dies behind one step.
pub(super) fn at_points(trial: &mut Trial<'_>) -> Result<Option<Tally>, Trouble> {
    let list = list_of_points(trial)?;
    let Some((point, times)) = usize::try_from(trial.number).ok().and_then(|at| list.get(at)).cloned() else {
        return Ok(None);
    };
    let (hurt, name) = point.split_once(' ').unwrap_or(("run", &point));
    trial.what = format!(
        "`{}` dies behind `{name}`, the {times}. time",
        if hurt == "run" { "gazetted run" } else { "gazetted issues" }
    );
    let _ = fs::remove_dir_all(&trial.folder);
    let mut world = morning(trial, trial.chance.clone(), 4)?;
    world.observe();
    let deadly = Started { environment: vec![(fault::DIE, format!("{name}:{times}"))], ..Started::default() };
    let well = Started::default();
    if hurt == "run" {
        // It lives until it dies, and is started again without the fault.
        world.start(&deadly)?;
        let settled = world.settle(&well, PATIENCE, |_| Ok(()))?;
        if settled && world.tally.kills == 0 {
            world.correct(0)?;
            let _ = world.settle(&well, PATIENCE, |_| Ok(()))?;
            world.leave(0);
            world.drop_issue()?;
        }
    } else {
        world.start(&well)?;
        day(&mut world, &deadly, "cli")?;
    }
    let settled = world.settle(&well, PATIENCE, |_| Ok(()))?;
    world.judge(settled)?;
    Ok(Some(std::mem::take(&mut world.tally)))
}

/// The system calls of a morning, each with all its times.
pub(super) fn list_of_calls(trial: &Trial<'_>) -> Result<Vec<(String, u32)>, Trouble> {
    let mut lists = trial.bench.lists.lock().map_err(|error| error.to_string())?;
    if let Some(list) = lists.get("calls") {
        return Ok(list.clone());
    }
    let calls = trial.folder.with_extension("calls");
    let _ = fs::remove_dir_all(&trial.folder);
    let mut world = morning(trial, Chance::of(trial.bench.seed, "calls", 0), 20)?;
    let how = Started { before: traced(&["-o", &calls.display().to_string()]), ..Started::default() };
    let _ = world.settle(&how, PATIENCE, |_| Ok(()))?;
    world.stop();
    let text = fs::read_to_string(&calls).map_err(trouble("strace wrote nothing"))?;
    let mut all = Vec::new();
    for call in CALLS {
        let begins = format!("{call}(");
        let times = text.lines().filter(|line| line.contains(&begins)).count();
        let times = u32::try_from(times).unwrap_or(0);
        let every = (times / MOST).max(1);
        all.extend((1..=times).step_by(every as usize).map(|at| (call.to_owned(), at)));
    }
    let list = Chance::of(trial.bench.seed, "order of calls", 0).shuffled(all);
    lists.insert("calls".to_owned(), list.clone());
    let _ = fs::remove_dir_all(&trial.folder);
    Ok(list)
}

/// How `strace` stands before the daemon: as its grandchild, so that the child is the daemon itself.
fn traced(more: &[&str]) -> Vec<String> {
    let mut words = vec!["strace".to_owned(), "-D".into(), "-f".into(), "-qq".into()];
    words.push("-e".into());
    words.push(format!("trace={}", CALLS.map(|call| format!("?{call}")).join(",")));
    words.extend(more.iter().map(|&word| word.to_owned()));
    words
}

/// The program is killed at one system call.
pub(super) fn at_calls(trial: &mut Trial<'_>) -> Result<Option<Tally>, Trouble> {
    if super::find("strace").is_none() {
        return Ok(None);
    }
    let list = list_of_calls(trial)?;
    let Some((call, times)) = usize::try_from(trial.number).ok().and_then(|at| list.get(at)).cloned() else {
        return Ok(None);
    };
    trial.what = format!("SIGKILL at `{call}`, the {times}. time");
    let mut world = morning(trial, trial.chance.clone(), 20)?;
    world.observe();
    let inject = format!("inject={call}:signal=SIGKILL:when={times}");
    let deadly = Started { before: traced_alone(&call, &inject, "/dev/null"), ..Started::default() };
    world.start(&deadly)?;
    let settled = world.settle(&Started::default(), PATIENCE, |_| Ok(()))?;
    world.judge(settled)?;
    Ok(Some(std::mem::take(&mut world.tally)))
}

/// `strace` with one call and what is done to it.
pub(super) fn traced_alone(call: &str, inject: &str, record: &str) -> Vec<String> {
    let trace = format!("trace={call}");
    ["strace", "-D", "-f", "-qq", "-o", record, "-e", &trace, "-e", inject].map(str::to_owned).to_vec()
}
