//! The ledger on `PostgreSQL`: every write waits for its turn, but those of letters, which lock the rows that they change.

mod address;
mod driver;
mod leading;
mod listening;
mod migrating;
mod pool;
mod tls;
mod waiting;

use std::{
    path::Path,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use tokio_postgres::error::SqlState;

pub use self::address::{Address, NoAddress};
use self::{
    driver::{Connection, Told},
    leading::Standing,
    pool::Pool,
};
use super::{
    Error, Heard, Hearing, Lead, Ledger, Sharing,
    sql::{Reach, Refusal, Store, db::Db, moving},
    sqlite::Sqlite,
};
use crate::metrics;

/// Most jobs in one transaction.
const GROUP: usize = 256;

/// How long a group that follows one of several jobs waits for more.
const GATHER: Duration = Duration::from_micros(250);

/// How often a piece of work is begun again that ran into another one, or whose connection was cut before its end.
const ATTEMPTS: u32 = 6;

/// Begins what reads several things at one moment.
const MOMENT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Begins what changes letters only.
const LETTERS: &str = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '10s'";

/// Begins what nobody else may do meanwhile. The lock goes with the transaction; two ledgers in one database have each their own. Whoever
/// falls silent over it, because the process was stopped or its machine is gone, does not keep the others from their work.
const ALONE: &str = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '10s';
    SELECT pg_advisory_xact_lock(1734439525, hashtext(current_schema()))";

/// The same for what may take long between two statements.
const LONG: &str = "BEGIN; SELECT pg_advisory_xact_lock(1734439525, hashtext(current_schema()))";

/// The ledger of a newsroom whose operator runs a `PostgreSQL`.
pub struct Postgres {
    inner: Arc<Inner>,
    writer: mpsc::Sender<Box<dyn Job>>,
}

struct Inner {
    pool: Pool,
    shown: String,
    counts: metrics::Ledger,
    standing: Arc<Standing>,
}

/// A piece of work for the writing thread.
trait Job: Send {
    /// What it changes.
    fn reach(&self) -> Reach;
    /// Does the work; it may be done again.
    fn run(&mut self, db: &Connection) -> Result<(), Refusal>;
    /// Passes on what came of it; with an error, nothing did.
    fn finish(self: Box<Self>, committed: Result<(), Error>);
}

impl Postgres {
    /// The newest schema that we know; an older one is migrated when it is opened.
    #[expect(clippy::cast_possible_wrap, reason = "there are a few schemas")]
    pub const SCHEMA: i64 = migrating::SCHEMAS.len() as i64;

    /// Opens the ledger, and makes or migrates it.
    ///
    /// # Errors
    /// [`Error::Newer`] when a newer gazetted wrote it; else what the server says, or why it was not reached.
    pub fn open(address: &Address) -> Result<Self, Error> {
        Self::open_counted(address, "", metrics::Ledger::default())
    }

    /// The same, whose commits are counted. `holder`, of letters and digits, is who claims letters: the same after a restart, and
    /// nobody else's.
    ///
    /// # Errors
    /// As [`Postgres::open`].
    pub fn open_counted(address: &Address, holder: &str, counts: metrics::Ledger) -> Result<Self, Error> {
        let failed = |source| Error::Database { path: address.shown.clone().into(), source };
        let pool = Pool::open(address, holder).map_err(failed)?;
        let inner = Arc::new(Inner { pool, shown: address.shown.clone(), counts, standing: Arc::default() });
        let (writer, jobs) = mpsc::channel();
        let there = Arc::clone(&inner);
        thread::Builder::new()
            .name("ledger".into())
            .spawn(move || there.write_in_groups(&jobs))
            .map_err(|error| failed(error.into()))?;
        let ledger = Self { inner, writer };
        migrating::migrate(&ledger, address)?;
        Ok(ledger)
    }

    /// The schema of a ledger, without changing it; 0 where there is none.
    ///
    /// # Errors
    /// When it cannot be reached or read.
    pub fn look_at(address: &Address) -> Result<i64, Error> {
        let failed = |source| Error::Database { path: address.shown.clone().into(), source };
        let pool = Pool::open(address, "").map_err(failed)?;
        let counts = metrics::Ledger::default();
        let inner = Inner { pool, shown: address.shown.clone(), counts, standing: Arc::default() };
        inner.work(MOMENT, |connection| migrating::schema_of(&Db(connection)))
    }

    /// Does something in one transaction, once, while nobody else writes.
    pub(super) fn once(&self, work: impl FnOnce(&Db<'_>) -> Result<(), Refusal>) -> Result<(), Error> {
        self.alone(|connection| work(&Db(connection)))
    }

    /// Does something once, while nobody else writes; it is not begun again.
    fn alone<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Refusal>) -> Result<T, Error> {
        self.inner.work(LONG, work)
    }
}

/// How a transaction ended that did not end well.
struct Broken {
    refusal: Refusal,
    /// Whether nothing of it was done for certain, and it may go better the next time.
    again: bool,
}

impl Inner {
    fn error(&self, refusal: Refusal) -> Error {
        match refusal {
            Refusal::Database(source) => Error::Database { path: self.shown.clone().into(), source },
            Refusal::Damaged(what) => Error::Damaged { what },
            Refusal::Overtaken => Error::Overtaken,
        }
    }

    /// A connection on which a transaction has begun. Those that were cut while nobody needed them are passed over.
    fn begun(&self, begin: &str) -> Result<Connection, Broken> {
        loop {
            let taken = self.pool.take();
            let connection =
                taken.map_err(|reason| Broken { refusal: Refusal::Database(reason), again: false })?;
            match connection.run(begin) {
                Ok(()) => return Ok(connection),
                Err(error) => {
                    let is_cut = connection.is_old() && cut(&error);
                    // What is half begun is begun by nobody else.
                    self.pool.lost();
                    drop(connection);
                    if !is_cut {
                        let again = runs_into(&error);
                        return Err(Broken { refusal: Refusal::Database(Box::new(Told(error))), again });
                    }
                }
            }
        }
    }

    /// One transaction.
    fn once<T>(
        &self,
        begin: &str,
        work: impl FnOnce(&Connection) -> Result<T, Refusal>,
    ) -> Result<T, Broken> {
        let refused = |error| Refusal::Database(Box::new(Told(error)));
        let began = Instant::now();
        let connection = self.begun(begin)?;
        let done = work(&connection);
        let result = match done {
            Ok(value) => match connection.run("COMMIT") {
                Ok(()) => {
                    if begin != MOMENT {
                        self.counts.committed(began.elapsed());
                    }
                    Ok(value)
                }
                // The server may have committed before the connection was cut: nobody knows.
                Err(error) => Err(Broken { again: runs_into(&error), refusal: refused(error) }),
            },
            Err(refusal) => {
                let again = may_go_better(&refusal) || connection.client.is_closed();
                if !connection.client.is_closed() {
                    let _ = connection.run("ROLLBACK");
                }
                Err(Broken { refusal, again })
            }
        };
        self.pool.give(connection);
        result
    }

    /// One transaction, begun once.
    fn work<T>(&self, begin: &str, work: impl FnOnce(&Connection) -> Result<T, Refusal>) -> Result<T, Error> {
        self.once(begin, work).map_err(|broken| self.error(broken.refusal))
    }

    /// One transaction, begun again where that may help.
    fn repeat<T>(
        &self,
        begin: &str,
        mut work: impl FnMut(&Connection) -> Result<T, Refusal>,
    ) -> Result<T, Error> {
        let mut attempt = 1;
        loop {
            match self.once(begin, &mut work) {
                Ok(value) => return Ok(value),
                Err(broken) if broken.again && attempt < ATTEMPTS => {
                    thread::sleep(Duration::from_millis(1 << attempt));
                    attempt += 1;
                }
                Err(broken) => return Err(self.error(broken.refusal)),
            }
        }
    }

    fn write_in_groups(&self, jobs: &mpsc::Receiver<Box<dyn Job>>) {
        let mut several = false;
        while let Ok(first) = jobs.recv() {
            let mut group = vec![first];
            if several {
                thread::sleep(GATHER);
            }
            group.extend(std::iter::from_fn(|| jobs.try_recv().ok()).take(GROUP - 1));
            several = group.len() > 1;
            self.write_group(group);
        }
    }

    /// Does jobs in one transaction; where that fails, each in its own.
    fn write_group(&self, mut group: Vec<Box<dyn Job>>) {
        if group.len() > 1 {
            let begin =
                if group.iter().any(|job| job.reach() == Reach::Everything) { ALONE } else { LETTERS };
            let together =
                self.repeat(begin, |connection| group.iter_mut().try_for_each(|job| job.run(connection)));
            if together.is_ok() {
                for job in group {
                    job.finish(Ok(()));
                }
                return;
            }
        }
        for mut job in group {
            let begin = beginning(job.reach());
            let done = self.repeat(begin, |connection| job.run(connection));
            job.finish(done);
        }
    }
}

fn beginning(reach: Reach) -> &'static str {
    match reach {
        Reach::Letters => LETTERS,
        Reach::Everything => ALONE,
    }
}

/// Whether the server gave something up because it ran into something else, so that nothing of it was done.
fn runs_into(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| {
        [SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE].contains(code)
    })
}

/// Whether it is the connection that has ended.
fn cut(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_none_or(|said| *said.code() == SqlState::ADMIN_SHUTDOWN)
}

fn may_go_better(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::Database(error) => error.downcast_ref::<Told>().is_some_and(|told| {
            runs_into(&told.0) || told.0.is_closed() || told.0.code() == Some(&SqlState::ADMIN_SHUTDOWN)
        }),
        Refusal::Damaged(_) | Refusal::Overtaken => false,
    }
}

struct Write<T, W, D> {
    reach: Reach,
    work: W,
    result: Option<T>,
    then: D,
}

impl<T, W, D> Job for Write<T, W, D>
where
    T: Send,
    W: Fn(&Db<'_>) -> Result<T, Refusal> + Send,
    D: FnOnce(Result<T, Error>) + Send,
{
    fn reach(&self) -> Reach {
        self.reach
    }

    fn run(&mut self, db: &Connection) -> Result<(), Refusal> {
        self.result = Some((self.work)(&Db(db))?);
        Ok(())
    }

    fn finish(self: Box<Self>, committed: Result<(), Error>) {
        let undone = || Error::Damaged { what: "work that was not done".to_owned() };
        let Self { result, then, .. } = *self;
        then(committed.and_then(|()| result.ok_or_else(undone)));
    }
}

impl Sharing for Postgres {
    fn lead(&self) -> Result<Option<Lead>, Error> {
        let lead = leading::lead(&self.inner.pool, &self.inner.standing);
        lead.map_err(|reason| self.inner.error(Refusal::Database(reason)))
    }

    fn leader(&self) -> Result<Option<String>, Error> {
        self.read(leading::leader)
    }

    fn may_change(&self) -> Result<(), Error> {
        self.inner.standing.may_change().map_err(|refusal| self.inner.error(refusal))
    }

    fn epoch(&self) -> Result<u64, Error> {
        self.read(|db| self.inner.standing.joins(leading::current(db)?)).map(i64::unsigned_abs)
    }

    fn hear(&self, heard: Heard) -> Option<Hearing> {
        Some(listening::hear(&self.inner.pool, heard))
    }
}

impl Store for Postgres {
    const IS_SHARED: bool = true;

    fn read<T>(&self, work: impl FnOnce(&Db<'_>) -> Result<T, Refusal>) -> Result<T, Error> {
        self.inner.work(MOMENT, |connection| work(&Db(connection)))
    }

    fn write<T, W>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: Fn(&Db<'_>) -> Result<T, Refusal> + Send + 'static,
    {
        self.inner.repeat(ALONE, |connection| work(&Db(connection)))
    }

    fn write_leading<T, W>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: Fn(&Db<'_>) -> Result<T, Refusal> + Send + 'static,
    {
        self.inner.repeat(ALONE, |connection| {
            let db = Db(connection);
            // Whoever begins to lead writes that alone, too: until this is committed, nobody does.
            self.inner.standing.allows(|| leading::current(&db))?;
            work(&db)
        })
    }

    fn write_letters<T, W>(&self, reach: Reach, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: Fn(&Db<'_>) -> Result<T, Refusal> + Send + 'static,
    {
        self.inner.repeat(beginning(reach), |connection| work(&Db(connection)))
    }

    fn write_letters_then<T, W, D>(&self, reach: Reach, work: W, then: D)
    where
        T: Send + 'static,
        W: Fn(&Db<'_>) -> Result<T, Refusal> + Send + 'static,
        D: FnOnce(Result<T, Error>) + Send + 'static,
    {
        let job = Box::new(Write { reach, work, result: None, then });
        if let Err(mpsc::SendError(job)) = self.writer.send(job) {
            let stopped = Refusal::Database("the writing thread has stopped".into());
            job.finish(Err(self.inner.error(stopped)));
        }
    }

    fn forget_erased(&self) -> Result<(), Error> {
        let connection = self.inner.pool.take().map_err(|why| self.inner.error(Refusal::Database(why)))?;
        let emptied = connection.run("VACUUM subscribers, deliveries, bounces");
        self.inner.pool.give(connection);
        emptied.map_err(|error| self.inner.error(Refusal::Database(Box::new(Told(error)))))
    }

    fn look_whole(&self) -> Result<Vec<String>, Error> {
        // What a server says of its files is its operator's business.
        Ok(Vec::new())
    }

    fn copy_into(&self, path: &Path) -> Result<(), Error> {
        let moved = |to: &Db<'_>| {
            let moved = self.read(|from| moving::carry_all(from, to, &mut |_, _| ()));
            moved.map(|_| ()).map_err(|error| Refusal::Database(Box::new(error)))
        };
        Sqlite::once(path, moved)
    }

    fn rehearse(&self, path: &Path) -> Result<Box<dyn Ledger>, Error> {
        let people = |to: &Db<'_>| {
            let carried = self.read(|from| moving::carry_people(from, to));
            carried.map_err(|error| Refusal::Database(Box::new(error)))
        };
        Sqlite::once(path, people)?;
        Ok(Box::new(Sqlite::open(path)?))
    }
}
