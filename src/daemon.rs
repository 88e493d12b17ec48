//! Starts the press, the inbox, the mail and the web pages of a newsroom; stops them in order.

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    net::SocketAddr,
    os::unix::{ffi::OsStrExt as _, fs::OpenOptionsExt as _},
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use crate::{
    bounce, bounce::Door, bounce::Returns, clock::Clock, config, config::Newsroom, delivery::DigestStatus,
    delivery::ReturnKey, durable, fetch::Fetcher, fetch::Web, http, hub, inbox, inbox::Hints, inbox::Inbox,
    inbox::Manuscript, issue::IssueKey, ledger, ledger::Arrival, ledger::Fate, ledger::Ledger,
    ledger::Queued, ledger::sqlite::Sqlite, mail::Letterhead, mail::Mail, mail::Stationery, outbox,
    outbox::Outbox, press, press::Digested, press::Press, press::Verdict, publication::Publication,
    subscriber::LeaveKey, subscriber::Pace,
};

/// How long until it is tried again to finish what a crash interrupted.
const RESUME_AGAIN: Duration = Duration::from_secs(10);

/// How long at most until it is looked again whether a digest is due, in case the clock was set.
const DIGESTS_AGAIN: Duration = Duration::from_mins(1);

/// How long letters on their way may take to be answered once we are asked to stop.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// A newsroom could not be opened, or its daemon not started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another daemon runs in this newsroom.
    #[error("another gazetted runs in this newsroom: it holds `{}`", path.display())]
    Running {
        /// The lock that it holds.
        path: PathBuf,
    },
    /// A folder or file of the newsroom could not be made or read.
    #[error("cannot use `{}`", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The address for the web pages could not be had.
    #[error("cannot listen on `{address}`")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The settings name what cannot be used.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The ledger could not be opened.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The outbox could not be opened.
    #[error(transparent)]
    Outbox(#[from] outbox::Error),
    /// A part of the daemon is at fault and has stopped; what it was at is done at the next start.
    #[error("a part of gazetted has stopped by a fault of its own")]
    Broken,
}

/// Opens the ledger of a newsroom, making or migrating it.
///
/// # Errors
/// When its folder cannot be made or the ledger not opened.
pub fn open_ledger(newsroom: &Newsroom) -> Result<Arc<dyn Ledger>, Error> {
    let data = newsroom.data();
    durable::make_folders(&data).map_err(|source| Error::Folder { path: data.clone(), source })?;
    Ok(Arc::new(Sqlite::open(&data.join("ledger.db"))?))
}

/// Opens the press of a newsroom.
///
/// # Errors
/// When one of its folders cannot be made.
pub fn open_press(
    newsroom: &Newsroom,
    publication: Publication,
    ledger: Arc<dyn Ledger>,
) -> Result<Press, Error> {
    let inbox = newsroom.inbox();
    durable::make_folders(&inbox).map_err(|source| Error::Folder { path: inbox.clone(), source })?;
    Ok(Press {
        publication,
        ledger,
        outbox: Outbox::open(&newsroom.outbox())?,
        inbox,
        data: newsroom.data(),
        letters_within: newsroom.letters_within(),
        calendar: newsroom.calendar(),
        ask_after: newsroom.ask_after(),
        proofs_wait: newsroom.settings.publication.proofs,
        fetcher: Fetcher::new(newsroom.pictures_from(), Web::default()),
    })
}

/// What the letters of a newsroom have in common; its key is made when there is none yet.
///
/// # Errors
/// When the key cannot be read or made.
pub fn letterhead(newsroom: &Newsroom, publication: &Publication) -> Result<Letterhead, Error> {
    Ok(Letterhead {
        publication: publication.clone(),
        sender: newsroom.sender(publication),
        leave_key: leave_key(&newsroom.data().join("leave.key"))?,
        stationery: Stationery {
            books: Some({
                let data = newsroom.data();
                Arc::new(move |hash: &str| fs::read(press::kept_as(&data, hash)))
            }),
            ..newsroom.stationery()?
        },
    })
}

/// A daemon at work.
pub struct Daemon {
    /// Where its web pages answer.
    pub address: SocketAddr,
    /// The periodical that it serves.
    pub publication: Publication,
    /// What must survive.
    pub ledger: Arc<dyn Ledger>,
    /// Cancelled when a part has stopped by a fault of its own: without it the rest is no newsroom.
    pub broken: CancellationToken,
    stop_inbox: CancellationToken,
    stop_mail: CancellationToken,
    stop_returns: CancellationToken,
    stop_http: CancellationToken,
    inbox: TaskTracker,
    hub: TaskTracker,
    digests: TaskTracker,
    mail: TaskTracker,
    returns: TaskTracker,
    http: TaskTracker,
    /// Held as long as we run: what was claimed in the ledger before is nobody's.
    _lock: File,
}

impl Daemon {
    /// Starts a newsroom: finishes what a crash interrupted, then watches the inbox, sends letters and serves pages.
    ///
    /// # Errors
    /// See [`Error`]; nothing runs then.
    pub async fn start(newsroom: &Newsroom, clock: &Clock) -> Result<Self, Error> {
        let data = newsroom.data();
        durable::make_folders(&data).map_err(|source| Error::Folder { path: data.clone(), source })?;
        let lock = lock(&data.join("daemon.lock"))?;
        let ledger = open_ledger(newsroom)?;
        let wanted = newsroom.settings.http.listen;
        let failed = |source| Error::Listen { address: wanted, source };
        let listener = http::listen(wanted).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let publication = newsroom.publication(address);
        let press = Arc::new(open_press(newsroom, publication.clone(), Arc::clone(&ledger))?);
        let way = newsroom.way()?;
        let head = letterhead(newsroom, &publication)?;
        ask_about_old(&press, clock.now())?;
        let bells = Bells::default();
        let mail = Mail {
            head: head.clone(),
            ledger: Arc::clone(&ledger),
            way,
            limits: newsroom.mail_limits(),
            on_unknown: newsroom.settings.mail.on_unknown,
            clock: clock.clone(),
            bell: Arc::clone(&bells.mail),
        };
        let returns = Arc::new(Returns {
            publication: publication.clone(),
            ledger: Arc::clone(&ledger),
            return_key: ReturnKey::of(&head.leave_key),
            leave_key: head.leave_key.clone(),
            clock: clock.clone(),
        });
        let hooks =
            newsroom.webhook_secret()?.map(|secret| http::Hooks { returns: Arc::clone(&returns), secret });
        let door = match newsroom.lmtp() {
            Some(door) => Some(bounce::listen(&door).await.map_err(|source| closed(&door, source))?),
            None => None,
        };
        let desk = http::Desk {
            publication: publication.clone(),
            outbox: press.outbox.clone(),
            ledger: Arc::clone(&ledger),
            leave_key: head.leave_key,
            clock: clock.clone(),
            hooks,
        };
        let known = ledger.arrivals()?;
        let inbox = Inbox::new(&newsroom.inbox(), newsroom.inbox_settings(), known.clone());
        let daemon = Self {
            address,
            publication,
            ledger,
            broken: CancellationToken::new(),
            stop_inbox: CancellationToken::new(),
            stop_mail: CancellationToken::new(),
            stop_returns: CancellationToken::new(),
            stop_http: CancellationToken::new(),
            inbox: TaskTracker::new(),
            hub: TaskTracker::new(),
            digests: TaskTracker::new(),
            mail: TaskTracker::new(),
            returns: TaskTracker::new(),
            http: TaskTracker::new(),
            _lock: lock,
        };
        let guard = || daemon.broken.clone().drop_guard();
        let serving = http::serve(listener, Arc::new(desk), daemon.stop_http.clone());
        daemon.http.spawn(guarded(guard(), serving));
        daemon.mail.spawn(guarded(guard(), mail.run(daemon.stop_mail.clone())));
        if let Some(door) = door {
            let taking = bounce::serve(door, Arc::clone(&returns), daemon.stop_returns.clone());
            daemon.returns.spawn(guarded(guard(), taking));
        }
        if let Some(maildir) = newsroom.maildir() {
            let taking = bounce::watch(returns, maildir, daemon.stop_returns.clone());
            daemon.returns.spawn(guarded(guard(), taking));
        }
        let digesting =
            make_digests(Arc::clone(&press), clock.clone(), bells.clone(), daemon.stop_inbox.clone());
        daemon.digests.spawn(guarded(guard(), digesting));
        let hints = Hints::new(&newsroom.inbox());
        let watching =
            watch(inbox, hints, known, press, clock.clone(), bells.clone(), daemon.stop_inbox.clone());
        daemon.inbox.spawn(guarded(guard(), watching));
        let telling = hub::run(daemon.publication.clone(), bells.hub, daemon.stop_inbox.clone());
        daemon.hub.spawn(guarded(guard(), telling));
        Ok(daemon)
    }

    /// Stops: takes no more manuscripts and finishes the one at the press; finishes the letters that are on their way, for
    /// 20 seconds at most; answers the requests that have come.
    pub async fn stop(self) {
        let within = Instant::now() + STOP_WITHIN;
        for (stop, tasks, what) in [
            (&self.stop_inbox, &self.inbox, "the press"),
            (&self.stop_inbox, &self.hub, "what tells the hub"),
            (&self.stop_inbox, &self.digests, "what makes digests"),
            (&self.stop_mail, &self.mail, "the mail"),
            (&self.stop_returns, &self.returns, "what takes what comes back"),
            (&self.stop_http, &self.http, "the web pages"),
        ] {
            stop.cancel();
            tasks.close();
            if tokio::time::timeout_at(within.into(), tasks.wait()).await.is_err() {
                tracing::warn!("{what} did not stop in time; the rest is done at the next start");
            }
        }
    }
}

/// Why the door for what comes back cannot be opened.
fn closed(door: &Door, source: io::Error) -> Error {
    match door {
        Door::Loopback(address) => Error::Listen { address: *address, source },
        Door::Socket(path) => Error::Folder { path: path.clone(), source },
    }
}

/// What the press rings when something is out.
#[derive(Clone, Default)]
struct Bells {
    /// Letters are queued.
    mail: Arc<Notify>,
    /// The feeds have changed.
    hub: Arc<Notify>,
}

/// Keeps digests back that were made long ago and whose letters nobody has got: they may be a surprise by now.
fn ask_about_old(press: &Press, now: Timestamp) -> Result<(), Error> {
    let before = now.saturating_sub(press.ask_after).unwrap_or(Timestamp::MIN);
    for digest in press.ledger.ask_about_old(before, now)? {
        let id = digest.id.0;
        tracing::warn!(
            digest = id,
            period = digest.period,
            "letters of a digest were queued long ago and wait; `gazetted digests resume {id}` sends them"
        );
    }
    Ok(())
}

/// Makes the digests of each pace when they are due, until `stop`.
async fn make_digests(press: Arc<Press>, clock: Clock, bells: Bells, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let now = clock.now();
        let made = {
            let press = Arc::clone(&press);
            blocking(move || press.make_digests(now)).await
        };
        match made {
            Ok(made) => {
                made.iter().for_each(tell_of_digest);
                if !made.is_empty() {
                    bells.mail.notify_one();
                }
            }
            Err(error) => {
                tracing::error!("a digest could not be made: {}; it is tried again", causes(&error))
            }
        }
        let next = [Pace::Daily, Pace::Weekly, Pace::Monthly]
            .into_iter()
            .filter_map(|pace| press.calendar.next(pace, now))
            .min();
        let due = async {
            match next {
                Some(next) => clock.sleep_until(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = tokio::time::sleep(DIGESTS_AGAIN) => {}
            () = stop.cancelled() => {}
        }
    }
}

fn tell_of_digest(digest: &Digested) {
    let (pace, period, letters) = (digest.pace.as_str(), &digest.period, digest.letters);
    if digest.status == DigestStatus::Asking {
        tracing::warn!(pace, period, letters, "a digest is late and waits; `gazetted digests list` shows it");
    } else {
        tracing::info!(pace, period, letters, "a digest was made");
    }
}

/// Does a part's work. If that ends by a panic, the guard is dropped with it and cancels [`Daemon::broken`].
async fn guarded(guard: DropGuard, work: impl Future<Output = ()>) {
    work.await;
    guard.disarm();
}

/// Finishes what a crash interrupted, watches the inbox and takes what comes to the press, until `stop`.
async fn watch(
    mut inbox: Inbox,
    mut hints: Hints,
    known: Vec<Arrival>,
    press: Arc<Press>,
    clock: Clock,
    bells: Bells,
    stop: CancellationToken,
) {
    let bell = hints.bell();
    let mut resume_at = Some(Instant::now());
    for arrival in known {
        tell_fate(&inbox, &arrival);
    }
    while !stop.is_cancelled() {
        let (press, clock, bells, stop_press) =
            (Arc::clone(&press), clock.clone(), bells.clone(), stop.clone());
        let again;
        (inbox, hints, resume_at, again) = blocking(move || {
            // First the watch, then the listing: what comes between the two rings the bell.
            hints.renew();
            if resume_at.is_some_and(|at| at <= Instant::now()) {
                let begun = press.ledger.interrupted(&press.publication, clock.now()).unwrap_or_default();
                let resumed = resume(&press, clock.now(), &bells);
                // What stands beside their files is looked at once more.
                for begun in begun {
                    inbox.again(Path::new(OsStr::from_bytes(&begun.source)));
                }
                resume_at = (!resumed).then(|| Instant::now() + RESUME_AGAIN);
            }
            let again = look(&mut inbox, &press, &clock, &bells, &stop_press, &mut resume_at);
            let again = again.min(until_embargo(&press, &clock, &mut resume_at));
            (inbox, hints, resume_at, again)
        })
        .await;
        tokio::select! {
            () = bell.notified() => {}
            () = tokio::time::sleep(again) => {}
            () = stop.cancelled() => {}
        }
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

/// One look at the inbox, with all that follows from it. Gives when to look again at the latest.
fn look(
    inbox: &mut Inbox,
    press: &Press,
    clock: &Clock,
    bells: &Bells,
    stop: &CancellationToken,
    resume_at: &mut Option<Instant>,
) -> Duration {
    let look = inbox.look(Instant::now());
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
        if let Some(source) = inbox::manuscript_of(&path) {
            inbox.again(&source);
        }
    }
    for manuscript in look.ready {
        if stop.is_cancelled() {
            return Duration::ZERO;
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
            continue;
        };
        match published {
            Ok(verdict) => {
                match &verdict {
                    Verdict::Rejected(_) => inbox.refused(&manuscript),
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
            Err(error) => postpone(inbox, &manuscript, &error),
        }
    }
    look.again
}

/// The press could not do its work, through no fault of the manuscript: said in the log and to the editor, and tried again.
fn postpone(inbox: &mut Inbox, manuscript: &Manuscript, error: &press::Error) {
    let causes = causes(error);
    tracing::error!(
        manuscript = %manuscript.path.display(),
        "an issue could not be put out: {causes}; it is tried again in a while"
    );
    inbox.postpone(manuscript, Instant::now());
    let note = format!("gazetted could not publish this yet: {causes}. It is tried again every few seconds.");
    tell_editor(inbox, &manuscript.path, Some(&note));
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
                status.as_str()
            );
        }
        Verdict::Rejected(reason) => tracing::warn!("did not publish `{manuscript}`: {reason}"),
    }
}

/// An error with its causes on one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

/// Takes the lock that one daemon a newsroom may hold. The kernel frees it when the process ends, however it ends.
fn lock(path: &Path) -> Result<File, Error> {
    let failed = |source| Error::Folder { path: path.to_owned(), source };
    let file = File::create(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Running { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// The key of the addresses for leaving: made once, from the kernel's random numbers, readable by us alone.
fn leave_key(path: &Path) -> Result<LeaveKey, Error> {
    let failed = |source| Error::Folder { path: path.to_owned(), source };
    match fs::read(path) {
        Ok(bytes) => {
            let bytes = <[u8; 32]>::try_from(bytes).map_err(|_| {
                failed(io::Error::new(io::ErrorKind::InvalidData, "it does not hold 32 bytes"))
            })?;
            Ok(LeaveKey::new(bytes))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut bytes = [0; 32];
            io::Read::read_exact(&mut File::open("/dev/urandom").map_err(failed)?, &mut bytes)
                .map_err(failed)?;
            let temporary = path.with_extension("new");
            let _ = fs::remove_file(&temporary);
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&temporary)
                .map_err(failed)?;
            file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(failed)?;
            fs::rename(&temporary, path).map_err(failed)?;
            Ok(LeaveKey::new(bytes))
        }
        Err(error) => Err(failed(error)),
    }
}
