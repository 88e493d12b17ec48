//! A connection that waits for its client only so long: for the next request, for the rest of a head, and for a client that reads
//! nothing of its answer.
//!
//! hyper has one time for the first two, and none for the third. A reverse proxy keeps connections for a minute or more and takes one
//! that we close for a failure, so that waiting for the next request must be long; half a head for that long would hold places.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

/// How long it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience {
    /// For the next request, from the end of the one before.
    pub(super) request: Duration,
    /// For the rest of a head, from its first byte.
    pub(super) head: Duration,
    /// For the rest of a request's body, from its head.
    pub(super) body: Duration,
    /// For the client to take more of an answer.
    pub(super) answer: Duration,
    /// For the client to close after we have.
    pub(super) close: Duration,
}

impl Default for Patience {
    /// Longer than the minute for which proxies keep connections.
    fn default() -> Self {
        Self {
            request: Duration::from_secs(75),
            head: Duration::from_secs(10),
            body: Duration::from_secs(10),
            answer: Duration::from_mins(1),
            close: Duration::from_secs(1),
        }
    }
}

/// How many requests of a connection have begun, and how many of them have an answer.
#[derive(Debug, Default)]
pub(super) struct Exchanges {
    begun: AtomicU32,
    ended: AtomicU32,
    /// Whether something of an answer may still have to go out.
    unsent: AtomicBool,
}

/// One request that is being answered; dropped, it has its answer, if not yet at the client.
#[derive(Debug)]
pub(super) struct Exchange(Arc<Exchanges>);

impl Exchanges {
    /// A request has come.
    pub(super) fn begin(self: &Arc<Self>) -> Exchange {
        self.begun.fetch_add(1, Ordering::Relaxed);
        Exchange(Arc::clone(self))
    }

    /// Whether a request has no answer yet, or one that has not all gone out.
    pub(super) fn is_under_way(&self) -> bool {
        self.is_busy() || self.unsent.load(Ordering::Relaxed)
    }

    /// Whether a request has no answer yet.
    fn is_busy(&self) -> bool {
        self.begun.load(Ordering::Relaxed) != self.ended.load(Ordering::Relaxed)
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}

/// A stream with patience.
pub(super) struct Patient<S> {
    stream: S,
    patience: Patience,
    exchanges: Arc<Exchanges>,
    /// How many requests had begun when bytes last came.
    seen: u32,
    /// When the first byte of a head came that is not whole.
    head_since: Option<Instant>,
    /// When something last came or went.
    moved: Instant,
    /// Goes off at a time after which something may have to end; made when there is first something to wait for.
    alarm: Option<Pin<Box<Sleep>>>,
    /// Since when we wait for the client to close.
    closing: Option<Instant>,
    /// Whether the client has closed.
    ended: bool,
}

impl<S> Patient<S> {
    pub(super) fn new(stream: S, patience: Patience, exchanges: Arc<Exchanges>) -> Self {
        Self {
            stream,
            patience,
            exchanges,
            seen: 0,
            head_since: None,
            moved: Instant::now(),
            alarm: None,
            closing: None,
            ended: false,
        }
    }

    /// Waits until `end`; ready when that has come. An alarm that goes off earlier is left as it is and set anew when it does, so
    /// that a busy connection sets none.
    fn poll_until(&mut self, end: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end)));
        if alarm.deadline() > end {
            alarm.as_mut().reset(end);
        }
        loop {
            ready!(alarm.as_mut().poll(cx));
            if Instant::now() >= end {
                return Poll::Ready(());
            }
            alarm.as_mut().reset(end);
        }
    }

    /// When the wait for the client's next bytes ends, if it does.
    fn read_until(&mut self) -> Option<Instant> {
        self.look();
        if self.exchanges.is_busy() {
            return None;
        }
        Some(match self.head_since {
            Some(since) => since + self.patience.head,
            None => self.moved + self.patience.request,
        })
    }

    /// A head that has become a request is whole.
    fn look(&mut self) {
        let begun = self.exchanges.begun.load(Ordering::Relaxed);
        if begun != self.seen {
            self.seen = begun;
            self.head_since = None;
        }
    }

    fn poll_moved(
        &mut self,
        moved: Poll<io::Result<usize>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        match moved {
            Poll::Pending => {
                ready!(self.poll_until(self.moved + self.patience.answer, cx));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            moved @ Poll::Ready(_) => {
                self.moved = Instant::now();
                moved
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if Pin::new(&mut self.stream).poll_read(cx, buffer)?.is_pending() {
            let Some(end) = self.read_until() else { return Poll::Pending };
            ready!(self.poll_until(end, cx));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        if buffer.filled().len() == before {
            self.ended = true;
            return Poll::Ready(Ok(()));
        }
        self.look();
        self.moved = Instant::now();
        if !self.exchanges.is_busy() {
            let moved = self.moved;
            let since = *self.head_since.get_or_insert(moved);
            // Bytes that come one at a time do not make the wait longer.
            if moved > since + self.patience.head {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.exchanges.unsent.store(true, Ordering::Relaxed);
        let moved = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.poll_moved(moved, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.exchanges.unsent.store(true, Ordering::Relaxed);
        let moved = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.poll_moved(moved, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.exchanges.unsent.store(false, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }

    /// Closes our side, and then takes for a moment what the client still sends: to close with something unread would make its
    /// system throw our last answer away, such as the one that its head is too long.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let since = if let Some(since) = self.closing {
            since
        } else {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            *self.closing.insert(Instant::now())
        };
        let mut scratch = [0; 4096];
        while !self.ended {
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => self.ended = true,
                Poll::Ready(Ok(())) if since.elapsed() < self.patience.close => {}
                Poll::Ready(_) => break,
                Poll::Pending => {
                    let end = since + self.patience.close;
                    ready!(self.poll_until(end, cx));
                    break;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    fn connection() -> (DuplexStream, Patient<DuplexStream>, Arc<Exchanges>) {
        let (client, server) = duplex(64);
        let exchanges = Arc::<Exchanges>::default();
        (client, Patient::new(server, Patience::default(), Arc::clone(&exchanges)), exchanges)
    }

    /// How long a read waits before it gives up, in seconds of a clock that runs when nothing else does.
    async fn gives_up(server: &mut Patient<DuplexStream>) -> u64 {
        let begun = Instant::now();
        let mut buffer = [0; 8];
        while server.read(&mut buffer).await.map_err(|error| error.kind()) != Err(io::ErrorKind::TimedOut) {}
        begun.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_is_silent_may_stay_longer_than_one_that_stops_in_mid_head() {
        let (mut client, mut server, _) = connection();
        assert_eq!(gives_up(&mut server).await, 75);
        let (mut other, mut server, _) = connection();
        other.write_all(b"GET /").await.expect("written");
        assert_eq!(gives_up(&mut server).await, 10);
        // Nor does it help to send a byte a second.
        let (mut slow, mut server, _) = connection();
        let dripping = async {
            while slow.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        let seconds = tokio::select! { seconds = gives_up(&mut server) => seconds, () = dripping => 0 };
        assert!((10..=11).contains(&seconds), "{seconds}");
        client.shutdown().await.expect("closed");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_hurried_while_we_make_the_answer_and_all_begins_anew_after_it() {
        let (mut client, mut server, exchanges) = connection();
        client.write_all(b"GET /").await.expect("written");
        let mut buffer = [0; 8];
        assert_eq!(server.read(&mut buffer).await.expect("read"), 5);
        let exchange = exchanges.begin();
        let waited = tokio::time::timeout(Duration::from_mins(15), server.read(&mut buffer)).await;
        assert!(waited.is_err(), "it still waits");
        drop(exchange);
        server.write_all(b"ok").await.expect("written");
        assert_eq!(gives_up(&mut server).await, 75);
        client.write_all(b"GET").await.expect("written");
        assert_eq!(gives_up(&mut server).await, 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_nothing_is_left_and_one_that_reads_slowly_is_not() {
        let (mut client, mut server, exchanges) = connection();
        let _exchange = exchanges.begin();
        let reading = async {
            let mut byte = [0];
            for _ in 0..3 {
                tokio::time::sleep(Duration::from_secs(50)).await;
                client.read_exact(&mut byte).await.expect("read");
            }
            std::future::pending::<()>().await;
        };
        let begun = Instant::now();
        let written =
            tokio::select! { written = server.write_all(&[b'x'; 100]) => written, () = reading => Ok(()) };
        assert_eq!(written.map_err(|error| error.kind()), Err(io::ErrorKind::TimedOut));
        assert_eq!(begun.elapsed().as_secs(), 150 + 60);
    }

    #[tokio::test(start_paused = true)]
    async fn our_last_words_are_heard_by_a_client_that_goes_on_talking() {
        let (mut client, mut server, _) = connection();
        client.write_all(&[b'x'; 60]).await.expect("written");
        server.write_all(b"431").await.expect("written");
        let talking = async {
            let mut heard = Vec::new();
            client.write_all(&[b'x'; 600]).await.expect("it is still taken");
            client.read_to_end(&mut heard).await.expect("read");
            drop(client);
            heard
        };
        let (closed, heard) = tokio::join!(server.shutdown(), talking);
        closed.expect("closed");
        assert_eq!(heard, b"431");
    }
}
