//! The lead: a lock of the database's that lasts as long as a connection, and an epoch that every write of the one who leads is held
//! against.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    time::{Duration, Instant},
};

use tokio::time::{sleep, timeout};
use tokio_postgres::Client;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    super::sql::{Refusal, db::Db},
    ALONE, Lead,
    driver::Told,
    pool::{Door, Pool},
};

/// How often the one who leads says so.
const BEAT: Duration = Duration::from_secs(2);

/// How long the server keeps a lead of which it hears nothing: a machine that is gone cannot end its connection.
const SILENCE: Duration = Duration::from_secs(10);

/// For how long after it was last said the one who leads is sure to lead: somewhat less.
const SURE: Duration = Duration::from_secs(8);

/// How long the server may take to make a connection and give the lead.
const PATIENCE: Duration = Duration::from_secs(20);

/// The lock of whoever leads; two ledgers in one database have each their own.
const LOCK: &str = "SELECT pg_try_advisory_lock(1734439526, hashtext(current_schema()))";

/// Who led last, where somebody has that lock.
const LEADER: &str = "SELECT holder FROM leadership WHERE EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid = 1734439526 AND objid = hashtext(current_schema())::oid)";

/// Begins an epoch.
const BEGIN: &str =
    "UPDATE leadership SET epoch = epoch + 1, holder = current_setting('gazetted.holder') RETURNING epoch";

type Reason = Box<dyn std::error::Error + Send + Sync>;

/// The epoch of whoever led last; 0 where nobody did.
pub(super) fn current(db: &Db<'_>) -> Result<i64, Refusal> {
    db.value("SELECT epoch FROM leadership", &[])
}

/// The name by which whoever leads claims letters.
pub(super) fn leader(db: &Db<'_>) -> Result<Option<String>, Refusal> {
    db.first(LEADER, &[], |row| row.get(0))
}

/// How a process stands to the lead.
#[derive(Debug, Clone, Copy, Default)]
enum Stands {
    /// It never asked for it: a command, or a daemon that has nothing to do with the press.
    #[default]
    Apart,
    /// It has its turn at the press beside whoever led then.
    Beside(i64),
    /// It leads, and was sure of it at that time.
    Leads(i64, Instant),
    /// It led or would like to, and does not.
    Waits,
}

#[derive(Debug, Default)]
pub(super) struct Standing(Mutex<Stands>);

impl Standing {
    fn stands(&self) -> MutexGuard<'_, Stands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether what only the one who leads may write may be written, where `current` says which epoch it is.
    pub(super) fn allows(&self, current: impl FnOnce() -> Result<i64, Refusal>) -> Result<(), Refusal> {
        let stands = *self.stands();
        let ours = match stands {
            Stands::Apart => return Ok(()),
            Stands::Waits => return Err(Refusal::Overtaken),
            Stands::Beside(epoch) | Stands::Leads(epoch, _) => epoch,
        };
        if current()? == ours {
            return Ok(());
        }
        self.ends(ours);
        Err(Refusal::Overtaken)
    }

    /// Whether we lead, or are beside who does, as far as we know.
    pub(super) fn may_change(&self) -> Result<(), Refusal> {
        match *self.stands() {
            Stands::Waits => Err(Refusal::Overtaken),
            Stands::Leads(_, sure) if sure.elapsed() > SURE => Err(Refusal::Overtaken),
            Stands::Apart | Stands::Beside(_) | Stands::Leads(..) => Ok(()),
        }
    }

    /// Has a turn at the press beside whoever leads. Gives the epoch.
    pub(super) fn joins(&self, current: i64) -> Result<i64, Refusal> {
        let mut stands = self.stands();
        match *stands {
            Stands::Apart | Stands::Beside(_) => {
                *stands = Stands::Beside(current);
                Ok(current)
            }
            Stands::Leads(epoch, _) if epoch == current => Ok(epoch),
            Stands::Leads(..) | Stands::Waits => Err(Refusal::Overtaken),
        }
    }

    fn leads(&self, epoch: i64, said: Instant) {
        *self.stands() = Stands::Leads(epoch, said);
    }

    fn is_sure(&self, epoch: i64, said: Instant) {
        let mut stands = self.stands();
        if matches!(*stands, Stands::Leads(ours, _) if ours == epoch) {
            *stands = Stands::Leads(epoch, said);
        }
    }

    fn waits(&self) {
        let mut stands = self.stands();
        if !matches!(*stands, Stands::Leads(..)) {
            *stands = Stands::Waits;
        }
    }

    fn ends(&self, epoch: i64) {
        let mut stands = self.stands();
        if matches!(*stands, Stands::Leads(ours, _) | Stands::Beside(ours) if ours == epoch) {
            *stands = Stands::Waits;
        }
    }

    fn still_leads(&self, epoch: i64) -> bool {
        matches!(*self.stands(), Stands::Leads(ours, _) if ours == epoch)
    }
}

/// Begins to lead, unless somebody does.
pub(super) fn lead(pool: &Pool, standing: &Arc<Standing>) -> Result<Option<Lead>, Reason> {
    let door = pool.door();
    let (reply, answer) = mpsc::sync_channel(1);
    let standing = Arc::clone(standing);
    let (ended, stop) = (CancellationToken::new(), CancellationToken::new());
    let (there, stopped) = (ended.clone(), stop.clone());
    pool.tasks().spawn(async move {
        let _ended = there.drop_guard();
        let begun = Instant::now();
        let taken = timeout(PATIENCE, take(door)).await;
        match taken.unwrap_or_else(|_| Err("the server did not answer in time".into())) {
            Ok(Some((client, epoch))) => {
                standing.leads(epoch, begun);
                if reply.send(Ok(Some(epoch))).is_ok() {
                    keep(&client, epoch, &standing, &stopped).await;
                }
                standing.ends(epoch);
            }
            Ok(None) => {
                standing.waits();
                let _ = reply.send(Ok(None));
            }
            Err(reason) => {
                standing.waits();
                let _ = reply.send(Err(reason));
            }
        }
    });
    let epoch = answer.recv().map_err(|_| "the thread of the connections has stopped")??;
    let end: DropGuard = stop.drop_guard();
    Ok(epoch.map(|epoch| Lead::until_dropped(epoch.unsigned_abs(), ended, end)))
}

/// The lock, with the connection that has it, and the epoch that begins; `None` where somebody else has it.
async fn take(door: Door) -> Result<Option<(Client, i64)>, Reason> {
    let (client, connection) = door.config.connect(door.tls).await.map_err(Told)?;
    tokio::spawn(async move {
        // What it ends with, whoever asks next hears.
        let _ = connection.await;
    });
    let session = format!("{}; SET idle_session_timeout = '{}s'", door.session, SILENCE.as_secs());
    client.batch_execute(&session).await.map_err(Told)?;
    if !client.query_one(LOCK, &[]).await.map_err(Told)?.try_get(0).map_err(Told)? {
        return Ok(None);
    }
    client.batch_execute(ALONE).await.map_err(Told)?;
    let epoch = client.query_one(BEGIN, &[]).await.map_err(Told)?.try_get(0).map_err(Told)?;
    client.batch_execute("COMMIT").await.map_err(Told)?;
    Ok(Some((client, epoch)))
}

/// Says that we lead, again and again, until the server does not hear it, somebody else leads, or we stop.
async fn keep(client: &Client, epoch: i64, standing: &Standing, stop: &CancellationToken) {
    while standing.still_leads(epoch) {
        tokio::select! {
            () = sleep(BEAT) => {}
            () = stop.cancelled() => {
                standing.ends(epoch);
                // Where it is not heard, the connection ends with this all the same.
                let _ = timeout(BEAT, client.batch_execute("SELECT pg_advisory_unlock_all()")).await;
                return;
            }
        }
        let said = Instant::now();
        match timeout(SURE, client.batch_execute("SELECT")).await {
            Ok(Ok(())) => standing.is_sure(epoch, said),
            Ok(Err(_)) | Err(_) => return,
        }
    }
}
