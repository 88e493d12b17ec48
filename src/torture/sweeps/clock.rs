//! Clocks that jump.

use std::{thread, time::Duration};

use super::super::{
    Tally, Trial,
    world::{PATIENCE, Pace, Settings, Started, Trouble},
};

/// How a clock jumps, in seconds, and what it is called.
const JUMPS: [(&str, i64); 8] = [
    ("a day on", 86_400),
    ("an hour back", -3_600),
    ("two days on", 2 * 86_400),
    ("a day back", -86_400),
    ("to 1970", i64::MIN),
    ("to January 2038", i64::MAX),
    ("a week on", 7 * 86_400),
    ("a minute back", -60),
];

/// The clock is set while everything goes on, and comes right in the end; nobody gets anything twice, or nothing.
pub(super) fn clocks(trial: &mut Trial<'_>) -> Result<Option<Tally>, Trouble> {
    let mut world = trial.world(Settings::default())?;
    world.join(4, Pace::Each)?;
    world.join(3, Pace::Daily)?;
    world.observe();
    let how = Started::default();
    let now = jiff::Timestamp::now().as_second();
    let mut told = Vec::new();
    for _ in 0..trial.chance.between(2, 4) {
        let Some((name, by)) = world.chance.one(&JUMPS).copied() else { break };
        told.push(name);
        world.drop_issue()?;
        world.supervise(&how)?;
        let pause = Duration::from_millis(world.chance.below(600));
        thread::sleep(pause);
        match by {
            i64::MIN => world.set_clock(-now)?,
            i64::MAX => world.set_clock(2_147_483_600 - now)?,
            by => world.turn_clock(by)?,
        }
        world.tally.faults += 1;
        let pause = Duration::from_millis(world.chance.below(900));
        thread::sleep(pause);
        if world.chance.below(3) == 0 {
            world.kill();
        }
        world.set_clock(0)?;
    }
    trial.what = format!("the clock goes {}", told.join(", then "));
    // From where it was turned to, a day may pass before the next digest is due.
    let settled = world.settle(&how, PATIENCE, |_| Ok(()))?;
    world.judge(settled)?;
    Ok(Some(std::mem::take(&mut world.tally)))
}
