//! The connections: one writing thread that commits what has come together, and readers that never wait for it.

use std::{
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags};

use super::{super::Error, Refusal, database_error, standing};
use crate::metrics;

/// The schemas, oldest first; the position of each, counted from 1, is the database's `user_version` after it.
const SCHEMAS: [&str; 4] = [
    include_str!("../schema/001.sql"),
    include_str!("../schema/002.sql"),
    include_str!("../schema/003.sql"),
    include_str!("../schema/004.sql"),
];

/// Most jobs in one transaction: a commit costs some milliseconds, a job some microseconds.
const GROUP: usize = 256;

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
    writer: mpsc::Sender<Box<dyn Job>>,
    readers: Mutex<Vec<Connection>>,
}

impl Database {
    pub(super) fn open(path: &Path, counts: metrics::Ledger) -> Result<Self, Error> {
        let mut db = connect(path)?;
        migrate(&mut db, path)?;
        let (writer, jobs) = mpsc::channel::<Box<dyn Job>>();
        thread::Builder::new()
            .name("ledger".into())
            .spawn(move || write_in_groups(&db, &jobs, &counts))
            .map_err(|error| database_error(path, error))?;
        Ok(Self { path: path.into(), writer, readers: Mutex::default() })
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

    /// Writes: on return the work is on the disk, or none of it is.
    pub(super) fn write<T, W>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<T, Refusal> + Send + 'static,
    {
        let (reply, answer) = mpsc::sync_channel(1);
        self.write_then(work, move |result| {
            // Whoever asked may have gone; the work is done all the same.
            let _ = reply.send(result);
        });
        answer.recv().map_err(|_| database_error(&self.path, STOPPED))?
    }

    /// Writes without waiting: the writing thread calls `then` when the work is on the disk, or none of it is.
    pub(super) fn write_then<T, W, D>(&self, work: W, then: D)
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<T, Refusal> + Send + 'static,
        D: FnOnce(Result<T, Error>) + Send + 'static,
    {
        let job = Write { work: Some(work), result: None, then, path: Arc::clone(&self.path) };
        if let Err(mpsc::SendError(job)) = self.writer.send(Box::new(job)) {
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

fn write_in_groups(db: &Connection, jobs: &mpsc::Receiver<Box<dyn Job>>, counts: &metrics::Ledger) {
    while let Ok(first) = jobs.recv() {
        let mut group = vec![first];
        group.extend(std::iter::from_fn(|| jobs.try_recv().ok()).take(GROUP - 1));
        let began = Instant::now();
        let committed = commit(db, &mut group).map_err(|error| error.to_string());
        if committed.is_ok() {
            counts.committed(began.elapsed());
        }
        if committed.is_err() && !db.is_autocommit() {
            let _ = db.execute_batch("ROLLBACK");
        }
        for job in group {
            job.finish(committed.clone());
        }
    }
}

/// Runs every job in its own savepoint of one transaction: one that fails undoes only its own work.
fn commit(db: &Connection, group: &mut [Box<dyn Job>]) -> Result<(), rusqlite::Error> {
    // A deferred transaction would be refused at once, in spite of the busy time-out, when it comes to write.
    run(db, "BEGIN IMMEDIATE")?;
    for job in group {
        run(db, "SAVEPOINT job")?;
        // A fault of ours over one job must not stop the thread that all wait for.
        let kept = panic::catch_unwind(AssertUnwindSafe(|| job.run(db))).unwrap_or(false);
        if !kept {
            run(db, "ROLLBACK TO job")?;
        }
        run(db, "RELEASE job")?;
    }
    run(db, "COMMIT")
}

/// Runs a statement that is needed again and again, and so is parsed once.
fn run(db: &Connection, sql: &str) -> Result<(), rusqlite::Error> {
    db.prepare_cached(sql)?.execute([]).map(|_| ())
}

fn connect(path: &Path) -> Result<Connection, Error> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
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
    }
    // Inside the transaction the schema is asked again: another process may have been quicker.
    let migration = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(failed)?;
    let found = usize::try_from(schema_of(&migration).map_err(failed)?).unwrap_or(0);
    for (number, schema) in SCHEMAS.iter().enumerate().skip(found) {
        migration.execute_batch(schema).map_err(failed)?;
        migration.pragma_update(None, "user_version", number + 1).map_err(failed)?;
    }
    // The second schema has lists of articles, which the first one knew only as bodies of issues.
    if found == 1 {
        standing::enter_all(&migration).map_err(|refusal| refusal.into_error(path))?;
    }
    migration.commit().map_err(failed)
}

/// Copies the ledger to `NAME.before-SCHEMA`, so that an older gazetted can go on from there.
fn back_up(db: &Connection, path: &Path, schema: i64) -> Result<(), Error> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".before-{schema}"));
    let copy = path.with_file_name(name);
    let failed =
        |source: Box<dyn std::error::Error + Send + Sync>| Error::Backup { path: copy.clone(), source };
    match std::fs::remove_file(&copy) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error.into())),
        _ => {}
    }
    let target = copy.to_string_lossy();
    db.execute("VACUUM INTO ?1", [target.as_ref()]).map_err(|error| failed(error.into()))?;
    std::fs::File::open(&copy).and_then(|file| file.sync_all()).map_err(|error| failed(error.into()))
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
        let copy = Database::open(&folder.path().join("ledger.db.before-2"), metrics::Ledger::default())
            .expect("a whole ledger");
        assert_eq!(sum(&copy), 1);
    }
}
