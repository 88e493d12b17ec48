//! Waiting for the database on a thread that may block: a runtime of its own drives the connections.

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

use tokio::sync::mpsc;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The thread on which connections live. It ends, with all of them, when this is dropped.
pub(super) struct Tasks(mpsc::UnboundedSender<Task>);

impl Tasks {
    pub(super) fn start() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (sender, mut tasks) = mpsc::unbounded_channel::<Task>();
        thread::Builder::new().name("postgres".into()).spawn(move || {
            runtime.block_on(async {
                while let Some(task) = tasks.recv().await {
                    tokio::spawn(task);
                }
            });
        })?;
        Ok(Self(sender))
    }

    /// Has something done there.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        // Without the thread there is no connection, and whoever waits for one hears that it is gone.
        let _ = self.0.send(Box::pin(task));
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for what another thread brings about. Unlike a runtime's own way of waiting it does no harm on a runtime's thread, but for
/// keeping it.
pub(super) fn wait<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
