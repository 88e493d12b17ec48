//! A machine that is lost, and the newsroom brought back from the copy that was made of it at work.

use std::{fs, path::Path, process::Command, process::Stdio, thread, time::Duration};

use super::super::{
    Tally, Trial,
    world::{PATIENCE, Pace, Settings, Started, Trouble, World, trouble},
};

/// A copy is made while issues come and letters go; some time later the machine is gone. Another one gets the copy and the inbox, which is
/// its editors'. Who had a letter after the copy was begun may get it once more, for nothing of that has survived.
pub(super) fn restored(trial: &mut Trial<'_>) -> Result<Option<Tally>, Trouble> {
    "a copy made under load, brought back on another machine".clone_into(&mut trial.what);
    let mut world = trial.world(Settings::default())?;
    world.join(6, Pace::Each)?;
    world.join(2, Pace::Daily)?;
    world.observe();
    let how = Started::default();
    world.start(&how)?;
    work(&mut world)?;
    let copy = trial.folder.with_extension("backup");
    let gone_before = world.postbox.n_taken();
    let (code, said) = world.gazetted(&["backup", &copy.display().to_string()], None, &[])?;
    if code != Some(0) {
        world.tally.findings.push(format!("`gazetted backup` says: {}", said.trim()));
    }
    work(&mut world)?;
    world.kill();
    world.unobserve();
    world.may_come_twice(world.postbox.n_taken() - gone_before);

    let lost = trial.folder.with_extension("lost");
    fs::rename(&world.folder, &lost).map_err(trouble("the machine cannot be lost"))?;
    bring_back(&mut world, &trial.bench.program, &copy)?;
    copy_files(&lost.join("inbox"), &world.inbox)?;
    let (code, said) = world.gazetted(&["verify"], None, &[])?;
    if code != Some(0) {
        world.tally.findings.push(format!("what was brought back is not whole: {}", said.trim()));
    }
    world.observe();
    let n_before = world.postbox.n_taken();
    world.start(&how)?;
    let every_issue = |world: &World| world.issues.iter().all(|issue| world.is_right(issue));
    let end = std::time::Instant::now() + PATIENCE;
    while !every_issue(&world) && std::time::Instant::now() < end {
        world.supervise(&how)?;
        thread::sleep(super::super::world::GLANCE);
    }
    if world.postbox.n_taken() > n_before {
        world.tally.findings.push("letters went before anybody had let them go".to_owned());
    }
    let (code, said) = world.gazetted(&["resume", "--send"], None, &[])?;
    if code != Some(0) {
        world.tally.findings.push(format!("`gazetted resume --send` says: {}", said.trim()));
    }
    let settled = world.settle(&how, PATIENCE, |_| Ok(()))?;
    world.judge(settled)?;
    Ok(Some(std::mem::take(&mut world.tally)))
}

/// Some issues come, and one may be corrected, at random instants.
fn work(world: &mut World) -> Result<(), Trouble> {
    for _ in 0..world.chance.between(1, 4) {
        let at = world.drop_issue()?;
        let rest = Duration::from_millis(world.chance.below(250));
        thread::sleep(rest);
        let is_out = world.issues.get(at).is_some_and(|issue| world.is_right(issue));
        if is_out && world.chance.below(3) == 0 {
            world.correct(at)?;
        }
    }
    Ok(())
}

/// Makes the newsroom anew of its copy.
fn bring_back(world: &mut World, program: &Path, copy: &Path) -> Result<(), Trouble> {
    let there = world.folder.parent().unwrap_or(Path::new("/"));
    let mut restore = Command::new(program);
    restore.arg("restore").arg(copy).arg("--to").arg(&world.folder).current_dir(there).stdin(Stdio::null());
    let output = restore.output().map_err(trouble("`gazetted restore` cannot be run"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`gazetted restore` says: {}", said.trim()));
    }
    // This inbox is not the machine's but its editors'.
    match fs::remove_dir_all(&world.inbox) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(format!("no inbox: {error}")),
        _ => fs::create_dir_all(&world.inbox).map_err(trouble("no inbox")),
    }
}

fn copy_files(from: &Path, to: &Path) -> Result<(), Trouble> {
    let entries = fs::read_dir(from).map_err(trouble("the inbox cannot be read"))?;
    for entry in entries.flatten().filter(|entry| entry.path().is_file()) {
        fs::copy(entry.path(), to.join(entry.file_name()))
            .map_err(trouble("a manuscript cannot be copied"))?;
    }
    Ok(())
}
