//! `gazetted resume`: what waits since the newsroom was brought back from a backup, and what is to become of it.

use jiff::Timestamp;

use super::{Error, report, say, telling};
use crate::{config::Newsroom, daemon, delivery::State, ledger::DigestLine, ledger::Ledger, ledger::Waiting};

/// How many digests are told of one by one, the newest; of those before them, how many they are.
const TOLD: usize = 20;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Send what waits: who got a letter after the backup was taken gets it twice
    #[arg(long, conflicts_with = "skip")]
    send: bool,
    /// Keep back what waits, digest by digest: nobody gets a letter twice, and who did not get one may not get it at all
    #[arg(long)]
    skip: bool,
}

pub(super) fn run(newsroom: &Newsroom, arguments: &Arguments) -> Result<(), Error> {
    let ledger = daemon::open_ledger(newsroom)?;
    let ledger = &*ledger;
    let restored = ledger.restored()?.filter(|_| ledger.holds_letters().unwrap_or(true));
    let Some(restored) = restored else {
        return say("letters are not held; `gazetted digests list` shows digests that are paused");
    };
    let zone = newsroom.publication(newsroom.settings.http.listen).time_zone;
    let Waiting { digests: lines, asking } = ledger.waiting()?;
    if !arguments.send && !arguments.skip {
        say(&format!(
            "letters are held since {}, when this newsroom was brought back from a backup of {}",
            telling::time(restored.at, &zone),
            telling::time(restored.taken, &zone)
        ))?;
        say("what was sent, and who joined or left, between the two is not known here")?;
        if lines.is_empty() && asking.is_none() {
            say("nothing waits; digests that fell due by then will ask you one by one")?;
            return say("help: `gazetted resume --send` lets letters go again");
        }
        say("these wait:")?;
        let (older, told) = lines.split_at(lines.len().saturating_sub(TOLD));
        if let Some(first) = older.first() {
            say(&format!(
                "  {} from {} on  [{}]",
                report::count(older.len() as u64, "digest"),
                telling::time(first.digest.frozen, &zone),
                report::count(older.iter().map(waiting).sum(), "letter")
            ))?;
        }
        for line in told {
            let digest = &line.digest;
            say(&format!(
                "  {:<6} {}  {:<7} {:<12}  {}  [{}]",
                digest.id.0,
                telling::time(digest.frozen, &zone),
                digest.kind.as_str(),
                digest.period,
                telling::one_line(&line.subject),
                report::count(waiting(line), "letter")
            ))?;
        }
        if let Some((since, letters)) = asking {
            say(&format!(
                "  {} that ask for a confirmation, since {}",
                report::count(letters, "letter"),
                telling::time(since, &zone)
            ))?;
        }
        say(
            "help: `gazetted resume --send` sends all of it; who got a letter after the backup gets it twice",
        )?;
        return say(
            "help: `gazetted resume --skip` keeps it back, and lets go what comes from now on; `gazetted digests resume NUMBER` then \
             sends a digest of which you know that it did not go out",
        );
    }
    let left = ledger.let_letters_go(arguments.skip, Timestamp::now())?;
    if arguments.send {
        return say(&format!("letters go out again; {} waited", report::count(left, "letter")));
    }
    let kept: u64 = lines.iter().map(waiting).sum();
    say(&format!(
        "letters go out again; {} of {} stay here",
        report::count(kept, "letter"),
        report::count(lines.len() as u64, "digest")
    ))?;
    let ids: Vec<i64> = lines.iter().map(|line| line.digest.id.0).collect();
    if !ids.is_empty() {
        say(&format!("help: `gazetted digests resume NUMBER` sends one all the same: {}", numbers(ids)))?;
    }
    Ok(())
}

/// Numbers in their order, those that follow each other as one: `3, 5 to 204`.
fn numbers(mut ids: Vec<i64>) -> String {
    ids.sort_unstable();
    let runs = ids.chunk_by(|one, next| one.checked_add(1) == Some(*next));
    let said = runs.map(|run| match run {
        [first, .., last] if run.len() > 2 => format!("{first} to {last}"),
        few => few.iter().map(i64::to_string).collect::<Vec<_>>().join(", "),
    });
    said.collect::<Vec<_>>().join(", ")
}

fn waiting(line: &DigestLine) -> u64 {
    [State::Queued, State::Claimed, State::Delayed].iter().map(|state| line.count(*state)).sum()
}

/// Says that letters are held, where they are.
pub(super) fn tell_held(ledger: &dyn Ledger) -> Result<(), Error> {
    if ledger.holds_letters()? {
        say(
            "  letters are held: this newsroom was brought back from a backup; `gazetted resume` tells more",
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_hundred_digests_are_named_in_one_line() {
        assert_eq!(numbers((5..=204).chain([3]).collect()), "3, 5 to 204");
        assert_eq!(numbers(vec![2, 1, 9]), "1, 2, 9");
        assert_eq!(numbers(vec![7]), "7");
    }
}
