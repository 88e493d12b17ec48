//! The bodies of answers: bytes that are in memory, a file's bytes sheet by sheet, or what a page has written.

use std::{
    fs::File,
    io,
    ops::Range,
    os::unix::fs::FileExt as _,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use tokio::task::JoinHandle;

use super::patience::Exchange;

/// How many bytes of a file are in memory for one reader.
const SHEET: u64 = 256 << 10;

/// The body of an answer. The exchange lasts until it is dropped.
pub(super) struct Sheets {
    pub(super) kind: Kind,
    pub(super) _exchange: Exchange,
}

/// Where its bytes come from.
pub(super) enum Kind {
    /// From memory.
    Held(Option<Bytes>),
    /// From the disk.
    Filed(Filed),
    /// From a page.
    Written(Body),
}

impl From<Kind> for Body {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Held(bytes) => bytes.map_or_else(Self::empty, Self::from),
            Kind::Filed(filed) => Self::new(filed),
            Kind::Written(body) => body,
        }
    }
}

/// A part of a file that is on its way.
pub(super) struct Filed {
    file: Arc<File>,
    rest: Range<u64>,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

impl Filed {
    /// These bytes of a file.
    pub(super) fn new(file: File, part: Range<u64>) -> Self {
        Self { file: Arc::new(file), rest: part, reading: None }
    }
}

impl hyper::body::Body for Filed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let it = &mut *self;
        if it.rest.is_empty() {
            return Poll::Ready(None);
        }
        let reading = it.reading.get_or_insert_with(|| {
            let (file, at) = (Arc::clone(&it.file), it.rest.start);
            let length = (it.rest.end - at).min(SHEET);
            tokio::task::spawn_blocking(move || {
                let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
                file.read_exact_at(&mut bytes, at)?;
                Ok(Bytes::from(bytes))
            })
        });
        let read = ready!(Pin::new(reading).poll(cx));
        it.reading = None;
        let read = read.map_err(io::Error::other).and_then(|read| read);
        match &read {
            Ok(bytes) => it.rest.start += bytes.len() as u64,
            // The connection ends here: the reader must not take a part for the whole.
            Err(_) => it.rest.start = it.rest.end,
        }
        Poll::Ready(Some(read.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.end - self.rest.start)
    }
}

impl hyper::body::Body for Sheets {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match &mut self.kind {
            Kind::Held(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Kind::Filed(filed) => {
                Pin::new(filed).poll_frame(cx).map(|read| read.map(|read| read.map_err(axum::Error::new)))
            }
            Kind::Written(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Held(bytes) => bytes.is_none(),
            Kind::Filed(filed) => filed.is_end_stream(),
            Kind::Written(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Held(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Kind::Filed(filed) => filed.size_hint(),
            Kind::Written(body) => body.size_hint(),
        }
    }
}
