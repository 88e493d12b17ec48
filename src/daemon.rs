//! Starts the press, the inbox, the mail and the web pages of a newsroom; stops them in order.

mod digesting;
mod leading;
mod place;
pub mod service;
mod watching;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

pub use place::{Known, Place, alone, known};
use tokio::{net::TcpListener, runtime::Handle, sync::oneshot};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use crate::{
    bounce, bounce::Door, bounce::Returns, clock::Clock, config, config::Newsroom, config::Role,
    delivery::ReturnKey, desk, desk::Bells, desk::Desk, desk::Password, durable, fetch::Fetcher, fetch::Web,
    http, http::ReadingRoom, http::Subscribing, ledger, ledger::Hearing, ledger::Ledger,
    ledger::postgres::Postgres, ledger::sqlite::Sqlite, mail::Letterhead, mail::Mail, mail::Stationery,
    metrics, metrics::Metrics, outbox, outbox::Outbox, press, press::Press, publication::Publication, random,
    subscriber::LeaveKey,
};

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
        /// Whether several could run, each with a name of its own.
        several: bool,
    },
    /// A daemon was given a name, as one of several, where there can be but one.
    #[error(
        "several daemons share a newsroom only over a ledger on PostgreSQL, and this one's is a file; without a name, one does all the work"
    )]
    NotShared,
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
    /// The system gives no thread more.
    #[error("there is no thread to be had for the press")]
    Thread(#[source] io::Error),
    /// The settings name what cannot be used.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The desk's password could not be read or made.
    #[error(transparent)]
    Desk(#[from] desk::PasswordError),
    /// The settings name a ledger, and there is another one in the folder: a backup was brought back, or nobody moved it.
    #[error("there is a ledger in `{}`, and the settings name the one at `{address}`", path.display())]
    TwoLedgers {
        /// The one in the folder.
        path: PathBuf,
        /// The one that is named.
        address: String,
    },
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
    open_counted_ledger(newsroom, metrics::Ledger::default())
}

fn open_counted_ledger(newsroom: &Newsroom, counts: metrics::Ledger) -> Result<Arc<dyn Ledger>, Error> {
    let data = newsroom.data();
    durable::make_private_folder(&data).map_err(|source| Error::Folder { path: data.clone(), source })?;
    let path = data.join("ledger.db");
    match newsroom.ledger_address()? {
        None => Ok(Arc::new(Sqlite::open_counted(&path, counts)?)),
        Some(address) if path.exists() => Err(Error::TwoLedgers { path, address: address.to_string() }),
        Some(address) => {
            let holder = place::holder(newsroom)?;
            Ok(Arc::new(Postgres::open_counted(&address, &holder, counts)?))
        }
    }
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
    let outbox = open_outbox(newsroom)?.stamped(&newsroom.data().join("outbox.stamp"))?;
    let leading = Arc::clone(&ledger);
    let outbox = outbox.only_while(move || leading.may_change().is_ok());
    Ok(Press {
        publication,
        ledger,
        outbox,
        inbox,
        data: newsroom.data(),
        letters_within: newsroom.letters_within(),
        calendar: newsroom.calendar(),
        ask_after: newsroom.ask_after(),
        proofs_wait: newsroom.settings.publication.proofs,
        fetcher: Fetcher::new(newsroom.pictures_from(), Web::default()),
    })
}

/// Opens what readers are served from: the folder, which is made, or the bucket, of which nothing is asked yet.
///
/// # Errors
/// When the folder cannot be made, or the bucket not be used as it is set.
pub fn open_outbox(newsroom: &Newsroom) -> Result<Outbox, Error> {
    Ok(match newsroom.bucket()? {
        Some(access) => Outbox::open_bucket(&access, &newsroom.data().join("outbox-kept"))?,
        None => Outbox::open(&newsroom.outbox())?,
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

/// The password of a newsroom's desk.
///
/// # Errors
/// When the folder that it is in cannot be made.
pub fn desk_password(newsroom: &Newsroom) -> Result<Password, Error> {
    let data = newsroom.data();
    durable::make_private_folder(&data).map_err(|source| Error::Folder { path: data.clone(), source })?;
    Ok(Password::at(&data.join("desk.password")))
}

/// Where the desk answers.
pub struct OpenDesk {
    /// Its address.
    pub address: SocketAddr,
    /// Its password, where it was made just now: nobody can ask for it again.
    pub first_password: Option<String>,
}

/// A daemon at work.
pub struct Daemon {
    /// Where its web pages answer.
    pub address: SocketAddr,
    /// The periodical that it serves.
    pub publication: Publication,
    /// Where its desk answers, unless the settings have none.
    pub desk: Option<OpenDesk>,
    /// What must survive.
    pub ledger: Arc<dyn Ledger>,
    /// What its web pages are served from.
    pub room: Arc<ReadingRoom>,
    /// Cancelled when a part has stopped by a fault of its own: without it the rest is no newsroom.
    pub broken: CancellationToken,
    stop_press: CancellationToken,
    stop_mail: CancellationToken,
    stop_returns: CancellationToken,
    stop_http: CancellationToken,
    stop_desk: CancellationToken,
    press: TaskTracker,
    mail: TaskTracker,
    returns: TaskTracker,
    http: TaskTracker,
    desk_pages: TaskTracker,
    /// Held as long as we run: what was claimed in the ledger before is nobody's.
    _place: Place,
    /// As long as this is held, we hear what other daemons do.
    _hearing: Option<Hearing>,
}

impl Daemon {
    /// Starts a newsroom: finishes what a crash interrupted, then watches the inbox, sends letters and serves pages; or what of that its
    /// roles are.
    ///
    /// # Errors
    /// See [`Error`]; nothing runs then.
    pub async fn start(newsroom: &Newsroom, clock: &Clock) -> Result<Self, Error> {
        let place = Place::take(newsroom)?;
        let roles = newsroom.roles();
        let metrics = Metrics::default();
        let ledger = open_counted_ledger(newsroom, metrics.ledger.clone())?;
        let (listener, address) = open_web(newsroom).await?;
        let publication = newsroom.publication(address);
        let press = Arc::new(open_press(newsroom, publication.clone(), Arc::clone(&ledger))?);
        let way = newsroom.way()?;
        let head = letterhead(newsroom, &publication)?;
        let bells = Bells::default();
        let hearing = ledger.hear(bells.clone().heard());
        let mail = Mail {
            head: head.clone(),
            ledger: Arc::clone(&ledger),
            way,
            limits: newsroom.mail_limits(),
            on_unknown: newsroom.settings.mail.on_unknown,
            clock: clock.clone(),
            bell: Arc::clone(&bells.mail),
            metrics: metrics.mail.clone(),
            settled: bells.news.clone(),
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
        let door = match newsroom.lmtp().filter(|_| roles.has(Role::Mail)) {
            Some(door) => Some(bounce::listen(&door).await.map_err(|source| closed(&door, source))?),
            None => None,
        };
        let room = Arc::new(ReadingRoom {
            publication: publication.clone(),
            outbox: press.outbox.clone(),
            table: Arc::new(http::Table::of(usize::from(newsroom.settings.http.memory_mib) << 20)),
            ledger: Arc::clone(&ledger),
            leave_key: head.leave_key.clone(),
            subscribing: Subscribing::new(head.clone(), newsroom.joining_rules(), Arc::clone(&bells.mail)),
            clock: clock.clone(),
            hooks,
            metrics: metrics.clone(),
            readiness: http::Readiness::default(),
        });
        let stop_desk = CancellationToken::new();
        let open = if roles.has(Role::Press) {
            open_desk(newsroom, &press, &head, &room, &bells, &stop_desk).await?
        } else {
            None
        };
        let (desk, pages) = open.unzip();
        metrics.mail.pulse.is_elsewhere(!roles.has(Role::Mail));
        metrics.press.leads(false);
        let leading = if roles.has(Role::Press) {
            let parts = leading::Parts {
                newsroom: newsroom.clone(),
                press,
                webhooks: newsroom.webhooks()?,
                returns: Arc::clone(&returns),
                clock: clock.clone(),
                bells: bells.clone(),
                metrics,
            };
            // What is to be asked about first must not be on its way before.
            let term = parts.begin().await?;
            Some((parts, term))
        } else {
            None
        };
        let daemon = Self::at_rest(address, publication, desk, room, stop_desk, (place, hearing));
        let guard = || daemon.broken.clone().drop_guard();
        if let Some(listener) = listener {
            let serving = http::serve(listener, Arc::clone(&daemon.room), daemon.stop_http.clone());
            daemon.http.spawn(guarded(guard(), serving));
        }
        if let Some((listener, desk)) = pages {
            daemon.desk_pages.spawn(guarded(guard(), desk::serve(listener, Arc::new(desk))));
        }
        if roles.has(Role::Mail) {
            daemon.mail.spawn(guarded(guard(), mail.run(daemon.stop_mail.clone())));
        }
        if let Some(door) = door {
            let taking = bounce::serve(door, returns, daemon.stop_returns.clone());
            daemon.returns.spawn(guarded(guard(), taking));
        }
        if let Some((parts, term)) = leading {
            let work = parts.work(term, daemon.broken.clone(), daemon.stop_press.clone());
            daemon.press.spawn(guarded(guard(), work));
        }
        Ok(daemon)
    }

    /// A daemon of which no part works yet.
    fn at_rest(
        address: SocketAddr,
        publication: Publication,
        desk: Option<OpenDesk>,
        room: Arc<ReadingRoom>,
        stop_desk: CancellationToken,
        (place, hearing): (Place, Option<Hearing>),
    ) -> Self {
        Self {
            address,
            publication,
            desk,
            ledger: Arc::clone(&room.ledger),
            room,
            broken: CancellationToken::new(),
            stop_press: CancellationToken::new(),
            stop_mail: CancellationToken::new(),
            stop_returns: CancellationToken::new(),
            stop_http: CancellationToken::new(),
            stop_desk,
            press: TaskTracker::new(),
            mail: TaskTracker::new(),
            returns: TaskTracker::new(),
            http: TaskTracker::new(),
            desk_pages: TaskTracker::new(),
            _place: place,
            _hearing: hearing,
        }
    }

    /// Stops: takes no more manuscripts and finishes the one at the press; finishes the letters that are on their way, for
    /// 20 seconds at most; answers the requests that have come.
    pub async fn stop(self) {
        let within = Instant::now() + STOP_WITHIN;
        for (stop, tasks, what) in [
            (&self.stop_desk, &self.desk_pages, "the desk"),
            (&self.stop_press, &self.press, "the press"),
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

/// Where the web pages are asked for, where this daemon has them, and their address.
async fn open_web(newsroom: &Newsroom) -> Result<(Option<TcpListener>, SocketAddr), Error> {
    let address = newsroom.settings.http.listen;
    if !newsroom.roles().has(Role::Http) {
        return Ok((None, address));
    }
    let failed = |source| Error::Listen { address, source };
    let listener = http::listen(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((Some(listener), address))
}

/// The desk and its address, unless the settings have none. Its first password is made when all else of it is there.
async fn open_desk(
    newsroom: &Newsroom,
    press: &Arc<Press>,
    head: &Letterhead,
    room: &Arc<ReadingRoom>,
    bells: &Bells,
    stop: &CancellationToken,
) -> Result<Option<(OpenDesk, (TcpListener, Desk))>, Error> {
    let Some(wanted) = newsroom.settings.desk.listen.0 else { return Ok(None) };
    let failed = |source| Error::Listen { address: wanted, source };
    let listener = http::listen(wanted).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let password = desk_password(newsroom)?;
    let first_password = password.first()?;
    let desk = Desk {
        press: Arc::clone(press),
        head: head.clone(),
        password,
        clock: room.clock.clone(),
        room: Arc::clone(room),
        bells: bells.clone(),
        largest_upload: usize::from(newsroom.settings.desk.largest_upload_mib) << 20,
        stop: stop.clone(),
        door: desk::Door::default(),
        drawer: desk::Drawer::default(),
    };
    Ok(Some((OpenDesk { address, first_password }, (listener, desk))))
}

/// Why the door for what comes back cannot be opened.
fn closed(door: &Door, source: io::Error) -> Error {
    match door {
        Door::Loopback(address) => Error::Listen { address: *address, source },
        Door::Socket(path) => Error::Folder { path: path.clone(), source },
    }
}

/// Does a part's work. If that ends by a panic, the guard is dropped with it and cancels [`Daemon::broken`].
async fn guarded(guard: DropGuard, work: impl Future<Output = ()>) {
    work.await;
    guard.disarm();
}

/// Runs a part of the daemon that blocks on a thread of its own. What an allocator keeps for each thread, it keeps once for such work: on
/// whichever thread is idle, hours of it scatter what lives long over memory that is then given back by none of them.
fn apart<P>(name: &str, part: P) -> Result<impl Future<Output = ()> + use<P>, Error>
where
    P: Future<Output = ()> + Send + 'static,
{
    let here = Handle::current();
    let (end, ended) = oneshot::channel::<()>();
    let work = move || {
        // Dropped when the work is done, and also when it dies.
        let _end = end;
        here.block_on(part);
    };
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work).map_err(Error::Thread)?;
    Ok(async move {
        let _ = ended.await;
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    })
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

/// The key of the addresses for leaving: made once, random, readable by us alone.
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
            let bytes = random::bytes().map_err(failed)?;
            let temporary = path.with_extension(format!("new-{}", std::process::id()));
            let _ = fs::remove_file(&temporary);
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&temporary)
                .map_err(failed)?;
            file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(failed)?;
            // Where two daemons make one at once, both have the one that was there first.
            let laid = fs::hard_link(&temporary, path);
            let _ = fs::remove_file(&temporary);
            match laid {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return leave_key(path),
                laid => laid.map_err(failed)?,
            }
            // Letters that go out now can be left by it for ever.
            let folder = path.parent().unwrap_or(Path::new("."));
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
            Ok(LeaveKey::new(bytes))
        }
        Err(error) => Err(failed(error)),
    }
}
