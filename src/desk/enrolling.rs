//! The roll of subscribers from and to a table, at the desk.

use std::{
    io::{self, Cursor, Read, Write},
    sync::Arc,
};

use axum::{
    body::{Body, Bytes},
    http::header,
    response::{IntoResponse as _, Response},
};
use hyper::body::Frame;
use tokio::sync::mpsc;

use super::{Desk, Failure};
use crate::{
    ledger, roll, roll::Assumed, roll::Rehearsal, roll::Rows, roll::Totals, roll::Unreadable, roll::Unusable,
    roll::Writing, subscriber::Standing,
};

/// How many rows that were not taken are told.
const TOLD: usize = 1000;

/// How many bytes of a table are sent at a time.
const PIECE: usize = 64 << 10;

/// A table could not be gone through.
pub(super) enum Error {
    /// It is no table of subscribers.
    Unusable(Unusable),
    /// Something of ours does not work.
    Fault(Failure),
}

impl From<ledger::Error> for Error {
    fn from(error: ledger::Error) -> Self {
        Self::Fault(Failure::fault(&error))
    }
}

/// What became of a table.
#[derive(Debug, Clone)]
pub(super) struct Enrolled {
    /// In which charset it was.
    pub(super) charset: &'static str,
    pub(super) totals: Totals,
    /// The first rows that were not taken.
    pub(super) problems: Vec<roll::Problem>,
    /// How many there were.
    pub(super) n_problems: u64,
}

/// Enters everybody in a table. `progress` hears how many rows were gone through, and of which part of a hundred.
pub(super) fn import(
    desk: &Desk,
    bytes: &[u8],
    how: Option<String>,
    from: Option<String>,
    dry_run: bool,
    mut progress: impl FnMut(u64, u64),
) -> Result<Enrolled, Error> {
    let fault = |error: io::Error| Error::Fault(Failure::fault(&error));
    let writing = Writing::of(Cursor::new(bytes)).map_err(fault)?;
    let assumed = Assumed {
        how: how.filter(|how| !how.trim().is_empty()),
        from,
        now: desk.clock.now(),
        time_zone: desk.publication().time_zone.clone(),
        standing: Standing::Confirmed,
    };
    let read = std::cell::Cell::new(0_u64);
    let mut rows =
        Rows::of(Counted { bytes, read: &read }, writing, assumed).map_err(|error| match error {
            Unreadable::Read(error) => fault(error),
            Unreadable::Unusable(why) => Error::Unusable(why),
        })?;
    let (mut problems, mut n_problems) = (Vec::new(), 0);
    let tell = |problem: &roll::Problem| {
        n_problems += 1;
        if problems.len() < TOLD {
            problems.push(problem.clone());
        }
        Ok(())
    };
    let length = bytes.len() as u64;
    let ledger = &*desk.press.ledger;
    let rehearsal = dry_run.then(|| Rehearsal::of(ledger, &desk.press.data)).transpose();
    let rehearsal = rehearsal.map_err(|error| Error::Fault(Failure::fault(&error)))?;
    let ledger = rehearsal.as_ref().map_or(ledger, |rehearsal| &*rehearsal.ledger);
    let totals = roll::import(ledger, &mut rows, fault, tell, |totals, _| {
        progress(totals.rows, (read.get() * 100).checked_div(length).unwrap_or(100));
    })?;
    desk.bells.news.ring();
    Ok(Enrolled { charset: writing.charset(), totals, problems, n_problems })
}

/// Bytes that tell how many of them were read.
struct Counted<'b> {
    bytes: &'b [u8],
    read: &'b std::cell::Cell<u64>,
}

impl Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.bytes.read(into)?;
        self.read.set(self.read.get() + n as u64);
        Ok(n)
    }
}

/// Everybody as a table, read while it is sent: a million are never in memory.
pub(super) fn export(desk: &Arc<Desk>) -> Response {
    let (sender, pieces) = mpsc::channel(4);
    let desk = Arc::clone(desk);
    let day = desk.clock.now().to_zoned(desk.publication().time_zone.clone()).date();
    tokio::task::spawn_blocking(move || {
        let to = io::BufWriter::with_capacity(PIECE, Pouring(sender.clone()));
        let poured = roll::export(&*desk.press.ledger, to, |error| error_of(&error))
            .and_then(|(mut to, _)| to.flush().map_err(|error| error_of(&error)));
        if let Err(error) = poured {
            tracing::warn!(%error, "the table of subscribers was not sent to its end");
            // The connection ends without the end of the table, so that nobody takes a part for all.
            let _ = sender.blocking_send(Err(error));
        }
    });
    let name = format!("attachment; filename=\"subscribers-{day}.csv\"");
    let head = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, name.as_str()),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (head, Body::new(Pieces(pieces))).into_response()
}

/// What cut a table short.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Cut(String);

impl From<ledger::Error> for Cut {
    fn from(error: ledger::Error) -> Self {
        error_of(&error)
    }
}

fn error_of(error: &dyn std::error::Error) -> Cut {
    Cut(error.to_string())
}

/// Sends what is written to it.
struct Pouring(mpsc::Sender<Result<Bytes, Cut>>);

impl Write for Pouring {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes))).map_err(gone)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Pieces(mpsc::Receiver<Result<Bytes, Cut>>);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Cut>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
