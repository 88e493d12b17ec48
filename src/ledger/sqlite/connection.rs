//! The connections: one that writes, by a thread that commits what has come together or by whoever finds it idle, and readers that never
//! wait for it.

use std::{
    os::unix::fs::OpenOptionsExt as _,
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::{Arc, Mutex, PoisonError, TryLockError, mpsc},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags};

use super::{super::Error, Refusal, database_error, filling, with};
use crate::{
    durable,
    fault::{Point, reached},
    metrics,
};

/// The schemas, oldest first; the position of each, counted from 1, is the database's `user_version` after it.
pub(super) const SCHEMAS: [&str; 6] = [
    include_str!("../schema/001.sql"),
    include_str!("../schema/002.sql"),
    include_str!("../schema/003.sql"),
    include_str!("../schema/004.sql"),
    include_str!("../schema/005.sql"),
    include_str!("../schema/006.sql"),
];

/// What they make together, for a ledger that is new: to change tables over and over takes six times as long as to make them.
pub(super) const WHOLE: &str = include_str!("../schema/whole.sql");

/// Most jobs in one transaction: a commit costs some milliseconds, a job some microseconds.
const GROUP: usize = 256;

/// How long a group that follows one of several jobs waits for more: whoever wrote together goes on together, and a commit costs some
/// ten times what is in it.
const GATHER: Duration = Duration::from_micros(250);

/// How many statements a connection keeps parsed: all that letters need, and more.
const STATEMENTS: usize = 128;

/// How long another process (a `gazetted publish` beside the daemon) may keep us waiting.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why nothing can be written any more.
const STOPPED: &str = "the writing thread has stopped";

/// A piece of work for the writing thread. It is run once; then it is told whether the transaction was committed.
trait Job: Send {
    /// Does the work inside a savepoint. Says whether it is to be kept.
    fn run(&mut self, db: &Connection) -> bool;
    /// Passes on the result; `committed` is the reason why not, if the whole transaction failed.
    fn finish(self: Box<Self>, committed: Result<(), String>);
}

/// The database file, open.
pub(super) struct Database {
    path: Arc<Path>,
    pen: Arc<Pen>,
    writer: mpsc::Sender<Box<dyn Job>>,
    readers: Mutex<Vec<Connection>>,
}

impl Database {
    pub(super) fn open(path: &Path, counts: metrics::Ledger) -> Result<Self, Error> {
        let mut db = connect(path)?;
        migrate(&mut db, path)?;
        let (writer, jobs) = mpsc::channel::<Box<dyn Job>>();
        let pen = Arc::new(Pen { db: Mutex::new(db), counts });
        let there = Arc::clone(&pen);
        thread::Builder::new()
            .name("ledger".into())
            .spawn(move || there.write_in_groups(&jobs))
            .map_err(|error| database_error(path, error))?;
        Ok(Self { path: path.into(), pen, writer, readers: Mutex::default() })
    }

    /// Reads, at one moment of the database's life.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Refusal>) -> Result<T, Error> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let reader = idle.map_or_else(|| connect(&self.path), Ok)?;
        let result = (|| {
            let moment = reader.unchecked_transaction()?;
            work(&moment)
        })();
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        result.map_err(|refusal| refusal.into_error(&self.path))
    }

    /// Takes what was written into the database's file, and empties the log beside it: what was erased is then in neither. While
    /// somebody reads an older state for long, that is left to a later time.
    pub(super) fn empty_log(&self) -> Result<(), Error> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let reader = idle.map_or_else(|| connect(&self.path), Ok)?;
        let emptied = reader.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        emptied.map_err(|error| database_error(&self.path, error))
    }

    /// Writes a copy of the database as it is at one moment. Who writes meanwhile is not held up, and not waited for.
    pub(super) fn copy_to(&self, copy: &Path) -> Result<(), Error> {
        let reader = connect(&self.path)?;
        copy_into(&reader, copy).map_err(|error| database_error(&self.path, error))?;
        // A ledger that is damaged must not take the place of a backup that is not.
        let sound = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .and_then(|copy| copy.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0)))
            .map_err(|error| database_error(&self.path, error))?;
        if sound == "ok" { Ok(()) } else { Err(database_error(&self.path, sound)) }
    }

    /// Writes everybody who is known, and who was forgotten, into another ledger that knows nobody.
    pub(super) fn copy_people(&self, to: &Path) -> Result<(), Error> {
        let reader = connect(&self.path)?;
        let copied = || -> rusqlite::Result<()> {
            let to = to.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(to.to_owned()))?;
            reader.execute("ATTACH ?1 AS other", [to])?;
            reader.execute_batch(
                "BEGIN;
                 INSERT INTO other.subscribers SELECT * FROM main.subscribers;
                 INSERT INTO other.forgotten SELECT * FROM main.forgotten;
                 COMMIT;",
            )
        };
        copied().map_err(|error| database_error(&self.path, error))
    }

    /// Writes: on return the work is on the disk, or none of it is. Where nobody else writes, it is done on this thread, for handing it
    /// over and being woken would cost as much again.
    pub(super) fn write<T, W>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<T, Refusal> + Send + 'static,
    {
        let (reply, answer) = mpsc::sync_channel(1);
        let job = self.job(work, move |result| {
            // Whoever asked may have gone; the work is done all the same.
            let _ = reply.send(result);
        });
        match self.pen.db.try_lock() {
            Ok(db) => self.pen.write(&db, vec![job]),
            Err(TryLockError::Poisoned(db)) => self.pen.write(&db.into_inner(), vec![job]),
            Err(TryLockError::WouldBlock) => self.hand_over(job),
        }
        answer.recv().map_err(|_| database_error(&self.path, STOPPED))?
    }

    /// Writes without waiting: the writing thread calls `then` when the work is on the disk, or none of it is.
    pub(super) fn write_then<T, W, D>(&self, work: W, then: D)
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<T, Refusal> + Send + 'static,
        D: FnOnce(Result<T, Error>) + Send + 'static,
    {
        self.hand_over(self.job(work, then));
    }

    fn job<T, W, D>(&self, work: W, then: D) -> Box<dyn Job>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<T, Refusal> + Send + 'static,
        D: FnOnce(Result<T, Error>) + Send + 'static,
    {
        Box::new(Write { work: Some(work), result: None, then, path: Arc::clone(&self.path) })
    }

    fn hand_over(&self, job: Box<dyn Job>) {
        if let Err(mpsc::SendError(job)) = self.writer.send(job) {
            job.finish(Err(STOPPED.to_owned()));
        }
    }
}

struct Write<T, W, D> {
    work: Option<W>,
    result: Option<Result<T, Refusal>>,
    then: D,
    path: Arc<Path>,
}

impl<T, W, D> Job for Write<T, W, D>
where
    T: Send,
    W: FnOnce(&Connection) -> Result<T, Refusal> + Send,
    D: FnOnce(Result<T, Error>) + Send,
{
    fn run(&mut self, db: &Connection) -> bool {
        let result = self.work.take().map(|work| work(db));
        let kept = matches!(result, Some(Ok(_)));
        self.result = result;
        kept
    }

    fn finish(self: Box<Self>, committed: Result<(), String>) {
        let result = match (committed, self.result) {
            (_, Some(Err(refusal))) => Err(refusal.into_error(&self.path)),
            (Ok(()), Some(Ok(value))) => Ok(value),
            (Err(reason), _) => Err(database_error(&self.path, reason)),
            (Ok(()), None) => Err(database_error(&self.path, "the work was not done")),
        };
        (self.then)(result);
    }
}

/// The connection that writes: one has it at a time.
struct Pen {
    db: Mutex<Connection>,
    counts: metrics::Ledger,
}

impl Pen {
    fn write_in_groups(&self, jobs: &mpsc::Receiver<Box<dyn Job>>) {
        let mut several = false;
        while let Ok(first) = jobs.recv() {
            let mut group = vec![first];
            if several {
                thread::sleep(GATHER);
            }
            let db = self.db.lock().unwrap_or_else(PoisonError::into_inner);
            group.extend(std::iter::from_fn(|| jobs.try_recv().ok()).take(GROUP - 1));
            several = group.len() > 1;
            self.write(&db, group);
        }
    }

    /// Does jobs in one transaction, and tells each what became of it.
    fn write(&self, db: &Connection, mut group: Vec<Box<dyn Job>>) {
        let began = Instant::now();
        let committed = commit(db, &mut group).map_err(|error| error.to_string());
        if committed.is_ok() {
            self.counts.committed(began.elapsed());
        } else if !db.is_autocommit() {
            let _ = db.execute_batch("ROLLBACK");
        }
        for job in group {
            job.finish(committed.clone());
        }
    }
}

/// Runs every job in one transaction, and where there are several each in its own savepoint: one that fails undoes only its own
/// work.
fn commit(db: &Connection, group: &mut [Box<dyn Job>]) -> Result<(), rusqlite::Error> {
    // A fault of ours over one job must not stop the thread that all wait for.
    let done =
        |job: &mut Box<dyn Job>| panic::catch_unwind(AssertUnwindSafe(|| job.run(db))).unwrap_or(false);
    // A deferred transaction would be refused at once, in spite of the busy time-out, when it comes to write.
    run(db, "BEGIN IMMEDIATE")?;
    if let [job] = group {
        if !done(job) {
            return run(db, "ROLLBACK");
        }
    } else {
        for job in group {
            run(db, "SAVEPOINT job")?;
            if !done(job) {
                run(db, "ROLLBACK TO job")?;
            }
            run(db, "RELEASE job")?;
        }
    }
    reached(Point::CommitBegun);
    run(db, "COMMIT")?;
    reached(Point::Committed);
    Ok(())
}

/// Runs a statement that is needed again and again, and so is parsed once.
fn run(db: &Connection, sql: &str) -> Result<(), rusqlite::Error> {
    db.prepare_cached(sql)?.execute([]).map(|_| ())
}

fn connect(path: &Path) -> Result<Connection, Error> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // Whoever else has an account on the machine has no business with the addresses in it; SQLite gives its logs the same mode.
    // A file that is there must not be opened: closing it would take all locks from this process that its other connections hold on it
    // (fcntl(2)), and the next process to close the ledger would take itself for the last one and remove the log under our hands.
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            return Err(database_error(path, error));
        }
        _ => {}
    }
    let connect = || -> rusqlite::Result<Connection> {
        let db = Connection::open_with_flags(path, flags)?;
        db.busy_timeout(PATIENCE)?;
        db.set_prepared_statement_cache_capacity(STATEMENTS);
        // With NORMAL, a power cut took 20 of 20 committed rows; with FULL none.
        db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
        // Who was forgotten is not to be found in free pages either.
        db.execute_batch("PRAGMA secure_delete = ON;")?;
        Ok(db)
    };
    connect().map_err(|error| database_error(path, error))
}

fn schema_of(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("PRAGMA user_version", [], |row| row.get(0))
}

fn migrate(db: &mut Connection, path: &Path) -> Result<(), Error> {
    let known = i64::try_from(SCHEMAS.len()).unwrap_or(i64::MAX);
    let failed = |error: rusqlite::Error| database_error(path, error);
    let found = schema_of(db).map_err(failed)?;
    if found > known {
        return Err(Error::Newer { path: path.to_owned(), found, known });
    }
    if found > 0 && found < known {
        back_up(db, path, known)?;
        reached(Point::LedgerCopied);
    }
    // Inside the transaction the schema is asked again: another process may have been quicker.
    let migration = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(failed)?;
    let found = usize::try_from(schema_of(&migration).map_err(failed)?).unwrap_or(0);
    let steps = if found == 0 { &[WHOLE][..] } else { &SCHEMAS[found.min(SCHEMAS.len())..] };
    for step in steps {
        migration.execute_batch(step).map_err(failed)?;
    }
    if !steps.is_empty() {
        migration.pragma_update(None, "user_version", known).map_err(failed)?;
    }
    // The second schema has lists of articles, which the first one knew only as bodies of issues.
    if found == 1 {
        with(&migration, filling::enter_all).map_err(|refusal| refusal.into_error(path))?;
    }
    let is_older = found > 0 && found < SCHEMAS.len();
    if is_older {
        reached(Point::LedgerMigrated);
    }
    migration.commit().map_err(failed)?;
    if is_older {
        // The log has the old pages and the new ones, and would keep its length. Where somebody else reads the ledger, it does.
        let _ = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
    Ok(())
}

/// The schema of a ledger that is only read, and what is wrong with it.
pub(super) fn look_at(path: &Path) -> Result<(i64, Vec<String>), Error> {
    let look = || -> rusqlite::Result<(i64, Vec<String>)> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags)?;
        db.busy_timeout(PATIENCE)?;
        let schema = schema_of(&db)?;
        let mut said = db.prepare("PRAGMA quick_check(20)")?;
        let said: Vec<String> = said.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok((schema, said.into_iter().filter(|line| line != "ok").collect()))
    };
    look().map_err(|error| database_error(path, error))
}

/// Opens a ledger that nobody else has, migrates it, does something to it, and closes it as one file.
pub(super) fn once(path: &Path, work: impl FnOnce(&Connection) -> Result<(), Refusal>) -> Result<(), Error> {
    let mut db = connect(path)?;
    migrate(&mut db, path)?;
    let done = (|| {
        let transaction = db.transaction()?;
        work(&transaction)?;
        Ok(transaction.commit()?)
    })();
    done.map_err(|refusal: Refusal| refusal.into_error(path))?;
    db.close().map_err(|(_, error)| database_error(path, error))
}

/// Copies the ledger to `backups/before-schema-SCHEMA.db`, so that an older gazetted can go on from there.
fn back_up(db: &Connection, path: &Path, schema: i64) -> Result<(), Error> {
    let copy = path.with_file_name("backups").join(format!("before-schema-{schema}.db"));
    let failed =
        |source: Box<dyn std::error::Error + Send + Sync>| Error::Backup { path: copy.clone(), source };
    let (begun, file) = durable::begin_private(&copy).map_err(|error| failed(error.into()))?;
    copy_into(db, begun.path()).map_err(|error| failed(error.into()))?;
    begun.finish(&file, &copy).map_err(|error| failed(error.into()))
}

/// `VACUUM INTO` takes one moment of the database, and an empty file that is there keeps its mode.
fn copy_into(db: &Connection, copy: &Path) -> rusqlite::Result<()> {
    let target = copy.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(copy.to_owned()))?;
    db.execute("VACUUM INTO ?1", [target]).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(database: &Database) -> i64 {
        database
            .read(|db| Ok(db.query_row("SELECT count(*) FROM arrivals", [], |row| row.get(0))?))
            .expect("read")
    }

    fn enter(database: &Database, path: &'static str) -> Result<(), Error> {
        database.write(move |db| {
            let sql = "INSERT INTO arrivals VALUES (?1, '', '', NULL, 'rejected', NULL, 0)";
            db.execute(sql, [path.as_bytes()])?;
            Ok(())
        })
    }

    #[test]
    fn a_refused_write_undoes_only_its_own_work() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database =
            Database::open(&folder.path().join("ledger.db"), metrics::Ledger::default()).expect("opened");
        thread::scope(|scope| {
            for path in ["a", "b", "c", "a", "b", "c"] {
                scope.spawn(|| enter(&database, path));
            }
        });
        assert_eq!(sum(&database), 3);
        enter(&database, "a").expect_err("already there");
        enter(&database, "d").expect("new");
        assert_eq!(sum(&database), 4);
    }

    #[test]
    fn a_ledger_from_the_future_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("ledger.db");
        drop(Database::open(&path, metrics::Ledger::default()).expect("opened"));
        Connection::open(&path).expect("opened").pragma_update(None, "user_version", 99).expect("changed");
        let error = Database::open(&path, metrics::Ledger::default()).err().expect("refused");
        assert!(matches!(error, Error::Newer { found: 99, .. }), "{error:?}");
    }

    #[test]
    fn a_ledger_is_copied_before_it_is_migrated() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("ledger.db");
        let database = Database::open(&path, metrics::Ledger::default()).expect("opened");
        enter(&database, "a").expect("entered");
        let db = Connection::open(&path).expect("opened");
        back_up(&db, &path, 2).expect("copied");
        let copy = folder.path().join("backups/before-schema-2.db");
        let copy = Database::open(&copy, metrics::Ledger::default()).expect("a whole ledger");
        assert_eq!(sum(&copy), 1);
    }
}
