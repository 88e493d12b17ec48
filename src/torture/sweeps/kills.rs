//! Kills at random instants, while everything that a newsroom does goes on.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::super::{
    Tally, Trial,
    world::{PATIENCE, Pace, Settings, Started, Trouble, World},
};

/// How often a trial kills the daemon.
const KILLS: u64 = 25;

/// One history: so many lives of the daemon, and something happens in each.
pub(super) fn at_random(trial: &mut Trial<'_>) -> Result<Option<Tally>, Trouble> {
    trial.what = format!("{KILLS} kills at random instants");
    let mut world = trial.world(Settings::default())?;
    world.join(5, Pace::Each)?;
    world.join(2, Pace::Daily)?;
    world.observe();
    world.drop_issue()?;
    let how = Started::default();
    for _ in 0..KILLS {
        world.start(&how)?;
        let life = Duration::from_millis(world.chance.between(30, 900));
        let end = Instant::now() + life;
        for _ in 0..world.chance.below(3) {
            let rest = world.chance.below(120);
            thread::sleep(Duration::from_millis(rest));
            happen(&mut world)?;
        }
        thread::sleep(end.saturating_duration_since(Instant::now()));
        if let Some(status) = world.ended() {
            world.tally.findings.push(format!("the daemon ended by itself: {status}"));
        }
        world.kill();
        world.look();
    }
    let settled = world.settle(&how, PATIENCE, |_| Ok(()))?;
    world.judge(settled)?;
    world.judge_again()?;
    Ok(Some(std::mem::take(&mut world.tally)))
}

/// Something that happens in a newsroom, by hand of an editor, a reader or an operator.
fn happen(world: &mut World) -> Result<(), Trouble> {
    let at = usize::try_from(world.chance.below(world.issues.len().max(1) as u64)).unwrap_or(0);
    match world.chance.below(20) {
        0..=8 if world.issues.len() < 14 => world.drop_issue().map(|_| ()),
        0..=11 => match world.issues.get(at) {
            Some(issue) if !issue.withdrawn && world.is_right(issue) => world.correct(at),
            _ => Ok(()),
        },
        12..=14 => withdraw_or_reinstate(world, at),
        15 | 16 if world.readers.len() < 14 => world.join(1, Pace::Each),
        17 => {
            world.leave(at.min(world.readers.len().saturating_sub(1)));
            Ok(())
        }
        _ => {
            // By hand, beside the daemon, and killed in the middle.
            let Some(file) = world.issues.get(at).filter(|i| !i.withdrawn).map(|i| i.file.clone()) else {
                return Ok(());
            };
            let life = Duration::from_millis(world.chance.between(5, 200));
            let file = file.display().to_string();
            world.gazetted(&["publish", &file], Some(life), &[]).map(|_| ())
        }
    }
}

fn withdraw_or_reinstate(world: &mut World, at: usize) -> Result<(), Trouble> {
    let Some(issue) = world.issues.get(at).cloned() else { return Ok(()) };
    if !world.is_right(&issue) {
        return Ok(());
    }
    let word = if issue.withdrawn { "reinstate" } else { "withdraw" };
    let life = Duration::from_millis(world.chance.between(5, 300));
    let (code, _) = world.gazetted(&["issues", word, &issue.key], Some(life), &[])?;
    // Whoever was interrupted asks again.
    let done = match code {
        Some(code) => code == 0,
        None => world.gazetted(&["issues", word, &issue.key], None, &[])?.0 == Some(0),
    };
    if done && let Some(issue) = world.issues.get_mut(at) {
        issue.withdrawn = !issue.withdrawn;
        issue.ever_withdrawn = true;
    }
    Ok(())
}
