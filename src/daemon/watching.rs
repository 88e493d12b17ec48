//! Takes what comes into the inbox to the press, finishes what a crash interrupted, and tells editors what became of it.

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt as _,
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{Bells, causes};
use crate::{
    clock::Clock, config::Newsroom, config::Role, inbox, inbox::Hints, inbox::Inbox, inbox::Manuscript,
    issue::IssueKey, ledger, ledger::Arrival, ledger::Fate, ledger::Ledger, ledger::Queued, memory,
    metrics::Metrics, press, press::Press, press::Verdict, publication::Publication,
};

/// How long until it is tried again to finish what a crash interrupted.
const RESUME_AGAIN: Duration = Duration::from_secs(10);

/// How long somebody who is overtaken waits to be told so.
const OVERTAKEN: Duration = Duration::from_millis(200);

/// How often at most memory is given back after issues have come out.
const GIVE_BACK: Duration = Duration::from_secs(15);

/// Where manuscripts come in.
pub(super) struct Gate {
    inbox: Inbox,
    hints: Hints,
    /// What the ledger knew of the inbox at the start.
    known: Vec<Arrival>,
    metrics: Metrics,
    /// Whether somebody watches; else only what the ledger knows of is finished.
    watched: bool,
}

impl Gate {
    /// The gate of a newsroom.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub(super) fn open(
        newsroom: &Newsroom,
        ledger: &dyn Ledger,
        metrics: Metrics,
    ) -> Result<Self, ledger::Error> {
        let (folder, known) = (newsroom.inbox(), ledger.arrivals()?);
        let hints = Hints::new(&folder).counted(metrics.inbox.clone());
        Ok(Self {
            inbox: Inbox::new(&folder, newsroom.inbox_settings(), known.clone()),
            hints,
            known,
            metrics,
            watched: newsroom.roles().has(Role::Inbox),
        })
    }
}

/// Finishes what a crash interrupted, watches the inbox and takes what comes to the press, until `stop`. It blocks: it wants a thread of
/// its own.
pub(super) async fn watch(
    gate: Gate,
    press: Arc<Press>,
    clock: Clock,
    bells: Bells,
    stop: CancellationToken,
) {
    let Gate { mut inbox, mut hints, known, metrics, watched } = gate;
    metrics.inbox.pulse.is_elsewhere(!watched);
    let bell = hints.bell();
    let mut resume_at = Some(Instant::now());
    let (mut is_used, mut given_back) = (false, Instant::now());
    for arrival in known {
        tell_fate(&inbox, &arrival);
    }
    while !stop.is_cancelled() {
        // Who was stopped for long, and is overtaken, changes nothing that others see.
        if press.ledger.may_change().is_err() {
            tokio::select! {
                () = tokio::time::sleep(OVERTAKEN) => continue,
                () = stop.cancelled() => return,
            }
        }
        // First the watch, then the listing: what comes between the two rings the bell.
        if watched {
            hints.renew();
        }
        if resume_at.is_some_and(|at| at <= Instant::now()) {
            let begun = press.ledger.interrupted(&press.publication, clock.now()).unwrap_or_default();
            let resumed = resume(&press, clock.now(), &bells);
            // What stands beside their files is looked at once more.
            for begun in begun {
                inbox.again(Path::new(OsStr::from_bytes(&begun.source)));
            }
            resume_at = (!resumed).then(|| Instant::now() + RESUME_AGAIN);
        }
        let (again, worked) = if watched {
            let told = hints.come();
            look((&mut inbox, told), &press, (&clock, &metrics), &bells, &stop, &mut resume_at)
        } else {
            (RESUME_AGAIN, false)
        };
        let again = again.min(until_embargo(&press, &clock, &mut resume_at));
        see_the_unfinished(&press, &clock, &mut resume_at);
        is_used |= worked;
        if is_used && given_back.elapsed() > GIVE_BACK {
            memory::give_back();
            (is_used, given_back) = (false, Instant::now());
        }
        let resumed = resume_at.map(|at| at.saturating_duration_since(Instant::now()));
        let again = resumed.map_or(again, |left| again.min(left));
        tokio::select! {
            () = bell.notified() => {}
            () = tokio::time::sleep(again) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// What somebody began who died at the press, such as a `gazetted issues withdraw` that was killed, is finished in a while.
fn see_the_unfinished(press: &Press, clock: &Clock, resume_at: &mut Option<Instant>) {
    // A ledger that cannot be read is complained of by those who need it.
    if press.ledger.interrupted(&press.publication, clock.now()).is_ok_and(|begun| !begun.is_empty()) {
        resume_at.get_or_insert_with(|| Instant::now() + RESUME_AGAIN);
    }
}

/// How long until the time of the next issue comes that waits for it. When it has come, it is put out like what was
/// interrupted.
fn until_embargo(press: &Press, clock: &Clock, resume_at: &mut Option<Instant>) -> Duration {
    match press.ledger.next_embargo(&press.publication) {
        Ok(Some(until)) => {
            let left = Duration::try_from(until.duration_since(clock.now())).unwrap_or(Duration::ZERO);
            if left.is_zero() {
                resume_at.get_or_insert_with(Instant::now);
            }
            left
        }
        Ok(None) => Duration::MAX,
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the next issue's time cannot be looked up"
            );
            RESUME_AGAIN
        }
    }
}

/// Finishes what a crash interrupted; says whether that could be done. Until it can, nothing else goes to the press.
fn resume(press: &Press, now: Timestamp, bells: &Bells) -> bool {
    let failed = |error: &press::Error| {
        if press.is_overtaken(error) {
            return;
        }
        let causes = causes(error);
        tracing::error!("what was interrupted could not be finished: {causes}; it is tried again in a while");
    };
    let attempt = AssertUnwindSafe(|| press.resume(now));
    let Ok(resumed) = panic::catch_unwind(attempt) else {
        tracing::error!("gazetted failed over an interrupted issue; please report it");
        return false;
    };
    match resumed {
        Ok(finished) => {
            for outcome in &finished {
                match outcome {
                    Ok(verdict) => tell_log(Path::new("(interrupted)"), verdict),
                    Err(error) => failed(error),
                }
            }
            bells.mail.notify_one();
            if !finished.is_empty() {
                bells.news.ring();
                bells.hub.notify_one();
            }
            finished.iter().all(Result::is_ok)
        }
        Err(error) => {
            failed(&error);
            false
        }
    }
}

/// One look at the inbox, with all that follows from it. Gives when to look again at the latest, and whether there was anything to do.
fn look(
    (inbox, told): (&mut Inbox, bool),
    press: &Press,
    (clock, metrics): (&Clock, &Metrics),
    bells: &Bells,
    stop: &CancellationToken,
    resume_at: &mut Option<Instant>,
) -> (Duration, bool) {
    let began = Instant::now();
    let look = inbox.look(began, told);
    metrics.inbox.looked(clock.now().as_second(), began.elapsed());
    for path in look.gone {
        if let Err(error) = press.ledger.forget(path.as_os_str().as_bytes()) {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a file that is gone cannot be forgotten"
            );
        }
        // What it had begun may have to be undone.
        resume_at.get_or_insert_with(Instant::now);
        tell_editor(inbox, &path, None);
        bells.postponed.note(&path, None);
        if let Some(source) = inbox::manuscript_of(&path) {
            inbox.again(&source);
        }
        bells.news.ring();
    }
    let worked = !look.ready.is_empty();
    for manuscript in look.ready {
        if stop.is_cancelled() {
            return (Duration::ZERO, worked);
        }
        let started = Instant::now();
        // A fault of ours over one manuscript must not keep the others from their readers.
        let attempt = AssertUnwindSafe(|| press.publish(&manuscript, clock.now()));
        let Ok(published) = panic::catch_unwind(attempt) else {
            tracing::error!(manuscript = %manuscript.path.display(), "gazetted failed over a manuscript; please report it");
            let note =
                "gazetted failed over this file by a fault of its own. Please report it, with the file.";
            tell_editor(inbox, &manuscript.path, Some(note));
            inbox.refused(&manuscript);
            metrics.press.failed("fault");
            continue;
        };
        match published {
            Ok(verdict) => {
                bells.postponed.note(&manuscript.path, None);
                match &verdict {
                    Verdict::Rejected(_) => {
                        inbox.refused(&manuscript);
                        metrics.press.failed("rejected");
                    }
                    _ => inbox.done(&manuscript),
                }
                tell_log(&manuscript.path, &verdict);
                let reason = match &verdict {
                    Verdict::Rejected(reason) => Some(rejected(reason)),
                    Verdict::Duplicate(key) => Some(repeated(key)),
                    Verdict::Embargoed(key, until) => Some(embargoed(key, *until, &press.publication)),
                    Verdict::Published(_)
                    | Verdict::Unchanged(_)
                    | Verdict::Withheld(_)
                    | Verdict::TakenDown(..) => None,
                };
                tell_about(inbox, &manuscript, &verdict, reason.as_deref());
                if let Verdict::Published(receipt) = &verdict {
                    metrics.press.published(started.elapsed());
                    bells.hub.notify_one();
                    if receipt.queued != Queued::Before {
                        bells.mail.notify_one();
                    }
                }
                tracing::debug!(
                    duration_ms = started.elapsed().as_secs_f64() * 1000.0,
                    "a manuscript was dealt with"
                );
            }
            // Whoever leads now takes it; no note is ours to write any more.
            Err(error) if press.is_overtaken(&error) => {
                inbox.postpone(&manuscript, Instant::now());
                return (OVERTAKEN, worked);
            }
            Err(error) => {
                metrics.press.failed(error.kind());
                postpone(inbox, &manuscript, bells, &error);
            }
        }
        bells.news.ring();
    }
    (look.again, worked)
}

/// The press could not do its work, through no fault of the manuscript: said in the log and to the editor, and tried again.
fn postpone(inbox: &mut Inbox, manuscript: &Manuscript, bells: &Bells, error: &press::Error) {
    let causes = causes(error);
    tracing::error!(
        manuscript = %manuscript.path.display(),
        "an issue could not be put out: {causes}; it is tried again in a while"
    );
    inbox.postpone(manuscript, Instant::now());
    let note = format!("gazetted could not publish this yet: {causes}. It is tried again every few seconds.");
    tell_editor(inbox, &manuscript.path, Some(&note));
    bells.postponed.note(&manuscript.path, Some(&note));
}

/// Tells an editor what became of a file. What waits is told beside the manuscript, whichever file said so.
fn tell_about(inbox: &Inbox, manuscript: &Manuscript, verdict: &Verdict, reason: Option<&str>) {
    let source = inbox::manuscript_of(&manuscript.path);
    if let Verdict::Withheld(held) = verdict {
        tell_editor(inbox, &held.manuscript, Some(&held.note()));
        if source.is_some() {
            tell_editor(inbox, &manuscript.path, None);
        }
        return;
    }
    tell_editor(inbox, &manuscript.path, reason);
    if let (Some(source), Verdict::Published(_) | Verdict::Unchanged(_)) = (source, verdict) {
        tell_editor(inbox, &source, None);
    }
}

/// Lays the note beside a file that its fate asks for, at the start: the plug may have been pulled between the two, or the
/// file published by hand.
fn tell_fate(inbox: &Inbox, arrival: &Arrival) {
    let path = Path::new(OsStr::from_bytes(&arrival.path));
    if path.is_absolute() {
        return;
    }
    let reason = match &arrival.fate {
        Fate::Published(_) => None,
        // What differs from which proof has been said, unless the plug was pulled before.
        Fate::Withheld(_) => {
            if inbox::manuscript_of(path).is_none() && !inbox.tells(path) {
                let note = "gazetted waits for you: see the proof beside this, correct what is wrong, delete its marks {? … } and save.";
                tell_editor(inbox, path, Some(note));
            }
            return;
        }
        // Its note says from when on readers have it; that is not known here, and the note is there.
        Fate::Embargoed(_) => return,
        Fate::Duplicate(key) => Some(repeated(key)),
        Fate::Rejected(reason) => Some(rejected(reason)),
    };
    tell_editor(inbox, path, reason.as_deref());
}

fn rejected(reason: &str) -> String {
    format!("gazetted did not publish this: {reason}.")
}

fn embargoed(key: &IssueKey, until: Timestamp, publication: &Publication) -> String {
    let until = until.to_zoned(publication.time_zone.clone()).strftime("%Y-%m-%d %H:%M %Z");
    format!(
        "gazetted keeps this as the issue `{key}` until {until}, and publishes it then. To have it out at once, delete its \
         `publish_at:` and save, or run `gazetted issues release {key}`."
    )
}

fn repeated(key: &IssueKey) -> String {
    format!(
        "gazetted did nothing with this: readers have this very text as the issue `{key}`. Delete this file, or change it to \
         make it an issue of its own."
    )
}

fn tell_editor(inbox: &Inbox, path: &Path, reason: Option<&str>) {
    if let Err(error) = inbox.tell(path, reason) {
        tracing::warn!(manuscript = %path.display(), %error, "the note beside a manuscript cannot be changed");
    }
}

fn tell_log(path: &Path, verdict: &Verdict) {
    let manuscript = path.display();
    match verdict {
        Verdict::Published(receipt) => {
            let issue = receipt.release.issue.key.as_str();
            let (version, articles) = (receipt.release.version, receipt.release.issue.articles.len());
            let (queries, what) = (receipt.queries, if version > 1 { "corrected" } else { "published" });
            let letters = match receipt.queued {
                Queued::Letters(letters) => letters,
                Queued::Nothing | Queued::Before | Queued::Missing => 0,
            };
            tracing::info!(issue, version, articles, queries, letters, "{what} `{manuscript}`");
        }
        Verdict::Duplicate(key) => {
            tracing::info!(
                issue = key.as_str(),
                "readers have the text of `{manuscript}` already; nothing was done"
            );
        }
        Verdict::Unchanged(key) => tracing::debug!(issue = key.as_str(), "`{manuscript}` is out as it is"),
        Verdict::Withheld(held) => {
            let (issue, proof) = (held.issue.as_str(), held.proof.display());
            tracing::info!(issue, "`{manuscript}` waits for its editor in `{proof}`: {}", held.why);
        }
        Verdict::Embargoed(key, until) => {
            tracing::info!(issue = key.as_str(), "`{manuscript}` is kept until {until}");
        }
        Verdict::TakenDown(key, status) => {
            tracing::info!(
                issue = key.as_str(),
                "the issue is {} now, and gone from the outbox",
                status.said()
            );
        }
        Verdict::Rejected(reason) => tracing::warn!("did not publish `{manuscript}`: {reason}"),
    }
}
