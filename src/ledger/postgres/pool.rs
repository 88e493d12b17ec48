//! The connections: a few, made when they are wanted, made anew when they were cut.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use super::{Address, driver::Connection, driver::Told, tls::Tls, waiting::Tasks};

/// The most connections that are open at once.
const MOST: usize = 8;

/// How long one who wants a connection waits for it, or for a server that is being started.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long after a server refused it is asked again.
const PAUSE: Duration = Duration::from_millis(200);

type Reason = Box<dyn std::error::Error + Send + Sync>;

/// The connections to one server.
pub(super) struct Pool {
    address: Address,
    tls: Tls,
    tasks: Tasks,
    session: String,
    held: Mutex<Held>,
    freed: Condvar,
}

#[derive(Default)]
struct Held {
    idle: Vec<Connection>,
    n_open: usize,
}

impl Pool {
    /// Makes the first connection, for whoever claims letters by the name of `holder`, or says why it cannot be made: nobody waits for a server here.
    pub(super) fn open(address: &Address, holder: &str) -> Result<Self, Reason> {
        let known: String = holder.chars().filter(char::is_ascii_alphanumeric).collect();
        let tls = Tls::new(address.authorities.as_deref())?;
        let pool = Self {
            address: address.clone(),
            tls,
            tasks: Tasks::start()?,
            session: format!("{SESSION}; SET gazetted.holder = '{known}'"),
            held: Mutex::default(),
            freed: Condvar::new(),
        };
        let first = pool.connect()?;
        pool.lock().n_open = 1;
        pool.give(first);
        Ok(pool)
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that nobody else has. While the server does not answer, it is asked again for some time.
    pub(super) fn take(&self) -> Result<Connection, Reason> {
        let until = Instant::now() + PATIENCE;
        let mut held = self.lock();
        loop {
            while let Some(idle) = held.idle.pop() {
                if !idle.client.is_closed() {
                    return Ok(idle);
                }
                held.n_open -= 1;
            }
            if held.n_open < MOST {
                held.n_open += 1;
                break;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err("all connections are taken".into());
            }
            held = self.freed.wait_timeout(held, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(held);
        loop {
            match self.connect() {
                Ok(connection) => return Ok(connection),
                Err(reason) if Instant::now() + PAUSE >= until => {
                    self.lost();
                    return Err(reason);
                }
                Err(_) => thread::sleep(PAUSE),
            }
        }
    }

    /// Takes a connection back.
    pub(super) fn give(&self, connection: Connection) {
        if connection.client.is_closed() {
            return self.lost();
        }
        connection.rests();
        self.lock().idle.push(connection);
        self.freed.notify_one();
    }

    /// A connection is no more.
    pub(super) fn lost(&self) {
        let mut held = self.lock();
        held.n_open = held.n_open.saturating_sub(1);
        drop(held);
        self.freed.notify_one();
    }

    /// A way to connect that does not need this pool, nor block.
    pub(super) fn door(&self) -> Door {
        Door { config: self.address.config.clone(), tls: self.tls.clone(), session: self.session.clone() }
    }

    /// The thread on which connections live.
    pub(super) fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    fn connect(&self) -> Result<Connection, Reason> {
        let (reply, answer) = mpsc::sync_channel(1);
        let (config, tls) = (self.address.config.clone(), self.tls.clone());
        self.tasks.spawn(async move {
            match config.connect(tls).await {
                Ok((client, connection)) => {
                    if reply.send(Ok(client)).is_ok() {
                        // What it ends with, whoever asks next hears.
                        let _ = connection.await;
                    }
                }
                Err(error) => {
                    let _ = reply.send(Err(error));
                }
            }
        });
        let client = answer.recv().map_err(|_| "the thread of the connections has stopped")?;
        let connection = Connection::new(client.map_err(Told)?);
        connection.run(&self.session).map_err(Told)?;
        Ok(connection)
    }
}

/// What a connection of one's own is made with.
pub(super) struct Door {
    pub(super) config: tokio_postgres::Config,
    pub(super) tls: Tls,
    /// What is said first on it.
    pub(super) session: String,
}

/// What holds for every connection: nobody waits for a lock for ever, and a commit is on the disk when it returns.
const SESSION: &str =
    "SET lock_timeout = '30s'; SET synchronous_commit = on; SET client_min_messages = warning;
    SET standard_conforming_strings = on; SET idle_in_transaction_session_timeout = '10min'";
