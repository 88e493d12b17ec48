//! Hears what others tell by `NOTIFY`, on a connection of its own; what was told while it was cut may have been anything.

use std::{future::poll_fn, time::Duration};

use tokio::time::sleep;
use tokio_postgres::AsyncMessage;
use tokio_util::sync::CancellationToken;

use super::{
    super::{Heard, Hearing, News},
    driver::Told,
    pool::{Door, Pool},
};

/// The shortest time after which a connection that was cut is made again,
const AGAIN: Duration = Duration::from_millis(250);

/// and the longest.
const LONGEST: Duration = Duration::from_secs(15);

/// Listens until what this gives is dropped.
pub(super) fn hear(pool: &Pool, heard: Heard) -> Hearing {
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let door = pool.door();
    pool.tasks().spawn(async move {
        tokio::select! {
            () = listen(&door, &heard) => {}
            () = stopped.cancelled() => {}
        }
    });
    Hearing::until_dropped(stop.drop_guard())
}

async fn listen(door: &Door, heard: &Heard) {
    let mut pause = AGAIN;
    loop {
        match listen_once(door, heard, &mut pause).await {
            Ok(()) => {}
            Err(error) => {
                tracing::debug!(%error, "news of other daemons cannot be heard; they are asked for");
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST);
    }
}

/// Listens until the connection ends.
async fn listen_once(door: &Door, heard: &Heard, pause: &mut Duration) -> Result<(), Told> {
    let (client, mut connection) = door.config.connect(door.tls.clone()).await.map_err(Told)?;
    let begin = client.batch_execute("LISTEN gazetted");
    tokio::pin!(begin);
    let mut begun = false;
    loop {
        tokio::select! {
            listens = &mut begin, if !begun => {
                listens.map_err(Told)?;
                begun = true;
                *pause = AGAIN;
                heard(News::Anything);
            }
            message = poll_fn(|context| connection.poll_message(context)) => match message {
                Some(Ok(AsyncMessage::Notification(told))) => heard(News::parse(told.payload())),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(Told(error)),
                None => return Ok(()),
            }
        }
    }
}
