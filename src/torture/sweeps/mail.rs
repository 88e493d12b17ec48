//! A mail server that fails in every way it can.

use super::super::{
    Tally, Trial,
    postbox::{Fault, Stage},
    world::{PATIENCE, Pace, Settings, Started, Trouble},
};

/// Every way of failing, one after the other.
fn kinds() -> Vec<Fault> {
    let mut kinds = vec![Fault::Refuse, Fault::Cut, Fault::Drip, Fault::NoTls, Fault::Stranger];
    kinds.extend([1, 2, 5].map(Fault::Enough));
    kinds.extend(Stage::ALL.map(Fault::Drop));
    kinds.extend(Stage::ALL.map(Fault::Hang));
    kinds.extend(Stage::ALL.map(Fault::HalfClose));
    for stage in Stage::ALL {
        let answers: &[&str] = match stage {
            Stage::Banner => &["421 4.3.2 not now", "554 5.7.1 no", "220", "hello"],
            Stage::Ehlo => &["421 4.3.2 not now", "502 5.5.1 what", "550 5.7.1 no"],
            Stage::Mail => {
                &["421 4.7.0 slowly", "451 4.3.0 later", "452 4.3.1 full", "550 5.7.1 not from you"]
            }
            Stage::Rcpt => &[
                "421 4.7.0 slowly",
                "450 4.2.0 greylisted",
                "452 4.2.2 full",
                "550 5.1.1 nobody of that name",
                "552 5.2.2 full",
            ],
            Stage::Data => &["421 4.3.2 not now", "451 4.3.0 later", "554 5.6.0 no"],
            Stage::Text => &["421 4.3.2 not now", "451 4.3.0 later", "452 4.3.1 full", "554 5.7.1 spam"],
        };
        kinds.extend(answers.iter().map(|answer| Fault::Answer(stage, answer)));
    }
    kinds
}

/// One way of failing, for some connections; then all is well again, and everybody must get every letter.
pub(super) fn faults(trial: &mut Trial<'_>) -> Result<Option<Tally>, Trouble> {
    let kinds = kinds();
    let at = trial.kind(kinds.len());
    let fault = kinds.get(at).copied().unwrap_or(Fault::Refuse);
    let times = usize::try_from(trial.chance.between(1, 9)).unwrap_or(1);
    trial.what = format!("{fault:?} on {times} connections");
    let protection = if fault.is_about_tls() { "starttls" } else { "none" };
    let mut world = trial.world(Settings { patience: "400ms", protection, ..Settings::default() })?;
    world.join(5, Pace::Each)?;
    world.observe();
    world.postbox.fails(fault, times);
    let how = Started::default();
    world.drop_issue()?;
    world.drop_issue()?;
    if fault.is_about_tls() {
        // As long as there is to be TLS, nobody says a letter without, or to a stranger; then its operator gives in.
        world.settle(&how, std::time::Duration::from_secs(4), |_| Ok(()))?;
        let (_, _, bare) = world.postbox.counts();
        if bare > 0 || world.postbox.n_taken() > 0 {
            world.tally.findings.push("a letter was offered without TLS, or to a stranger".to_owned());
        }
        world.stop();
        world.postbox.mends();
        world.settings.protection = "none";
        world.write_settings()?;
    }
    // Roads that were closed are tried again after minutes, letters after half an hour: the clock runs.
    let mut turned = std::time::Instant::now();
    let settled = world.settle(&how, PATIENCE, |world| {
        if turned.elapsed() > std::time::Duration::from_millis(300) {
            turned = std::time::Instant::now();
            world.turn_clock(120)?;
            if world.postbox.faults_left() > 0 && world.chance.below(40) == 0 {
                world.postbox.mends();
            }
        }
        Ok(())
    })?;
    world.judge(settled)?;
    Ok(Some(std::mem::take(&mut world.tally)))
}
