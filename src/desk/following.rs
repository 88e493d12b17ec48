//! Pages that stay open follow what happens: each time a bell has rung they are sent what they show now, as a server-sent event.

use std::{convert::Infallible, pin::Pin, sync::Arc, task, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
};
use hyper::body::Frame;
use tokio::sync::mpsc;

use super::{Desk, Failure, guard};

/// How long what rings is gathered before it is sent.
const GATHER: Duration = Duration::from_millis(250);

/// How long it may take until a change is seen of which no bell told, such as one by a command beside the daemon. A comment is sent as
/// often, so that nothing between takes the connection for dead.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// The events of one page.
struct Events(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
    ) -> task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|event| event.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// Sends what `show` gives, now and whenever it has changed, until the page is closed, its session ends or the desk stops.
pub(super) fn follow<S>(desk: &Arc<Desk>, headers: &HeaderMap, show: S) -> Response
where
    S: Fn(&Desk) -> Result<String, Failure> + Send + Sync + 'static,
{
    let (sender, events) = mpsc::channel(2);
    let (desk, headers, show) = (Arc::clone(desk), headers.clone(), Arc::new(show));
    tokio::spawn(async move {
        let mut news = desk.bells.news.listen();
        let mut last = String::new();
        loop {
            if !guard::is_logged_in(&desk, &headers) {
                return;
            }
            let showing = Arc::clone(&show);
            // What cannot be shown now is shown later.
            let shown = desk.work(move |desk| showing(desk)).await.unwrap_or_else(|_| last.clone());
            let event = if shown == last { ":\n\n".to_owned() } else { event(&shown) };
            last = shown;
            if sender.send(Bytes::from(event)).await.is_err() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(GATHER) => {}
                () = desk.stop.cancelled() => return,
            }
            tokio::select! {
                () = news.heard() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = sender.closed() => return,
                () = desk.stop.cancelled() => return,
            }
        }
    });
    let head = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    (head, Body::new(Events(events))).into_response()
}

/// A text as an event; each of its lines is a line of data.
fn event(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("data: {line}\n")).collect();
    format!("{}\n", lines.concat())
}
