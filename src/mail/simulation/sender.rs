//! A sender: a real tray, and lanes that do in virtual time what `lane.rs` does in ours.

use std::{collections::VecDeque, pin::pin, sync::Arc};

use tokio::sync::Notify;

use super::{
    super::{
        road::Road,
        tray::{Tray, Work},
    },
    Plan,
};
use crate::delivery::Reply;

/// A letter on a lane.
pub(super) struct Job {
    pub(super) work: Box<Work>,
    pub(super) reader: u32,
    pub(super) domain: usize,
}

/// How a letter ended, as the lane keeps it until that is on the disk.
pub(super) enum End {
    Taken,
    /// It is offered again then, or never; and what was said, where that is a matter of pace.
    Refused {
        due: Option<u64>,
        pace: Option<Reply>,
    },
}

/// What a lane waits for.
pub(super) enum Lane {
    /// A letter.
    Idle,
    /// Its connection.
    Connecting(Job),
    /// What the server says to an envelope.
    Envelope(Job),
    /// What it says to a text, and to the envelope of the next.
    Text(Job, Option<Job>),
    /// The ledger.
    Settling(Job, End, Option<Job>),
}

/// A lane with what it has.
pub(super) struct Place {
    pub(super) lane: Lane,
    pub(super) is_connected: bool,
    /// How many letters its connection has carried.
    pub(super) used: u32,
    /// Tells an old alarm from the one that counts.
    pub(super) alarm: u64,
    /// When its connection has been idle for too long.
    pub(super) idle: Option<u64>,
    /// Since when it has been at work.
    pub(super) busy_since: Option<u64>,
}

/// One thing that does one piece of work after the other.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Worker {
    free: u64,
    pub(super) busy: u64,
}

impl Worker {
    /// Does a piece of work that comes now and takes so long. Gives when it is done.
    pub(super) fn works(&mut self, now: u64, long: u64) -> u64 {
        self.busy += long;
        self.free = self.free.max(now) + long;
        self.free
    }
}

/// A sender.
pub(super) struct Sender {
    pub(super) tray: Arc<Tray>,
    pub(super) lanes: Vec<Place>,
    /// Lanes that are to ask the tray now, in this order.
    pub(super) called: VecDeque<usize>,
    /// Lanes that wait, in the order in which they began to.
    pub(super) waiting: VecDeque<usize>,
    pub(super) processor: Worker,
    pub(super) link: Worker,
    /// Lanes whose outcomes are to be written, and those whose are being written.
    pub(super) to_write: Vec<usize>,
    pub(super) writing: Vec<usize>,
    /// Claimed letters that are on their way from the ledger.
    pub(super) claimed: Vec<Work>,
    pub(super) is_claiming: bool,
    /// Whether the ledger was asked for more, and not only told what goes back.
    pub(super) has_asked: bool,
    /// When the tray wants to be looked at again.
    pub(super) next: Option<u64>,
    pub(super) turn_alarm: u64,
    pub(super) is_rung: bool,
    pub(super) taken: u64,
    pub(super) lanes_busy: u64,
}

impl Sender {
    pub(super) fn new(plan: &Plan, most: usize) -> Self {
        let road = Road::new("relay".to_owned(), plan.connections, None, 1);
        let per_domain = plan.per_minute_per_domain.filter(|_| !plan.are_throttles_shared);
        let tray = Tray::new(vec![road], plan.connections, most, plan.per_minute, per_domain);
        let place = || Place {
            lane: Lane::Idle,
            is_connected: false,
            used: 0,
            alarm: 0,
            idle: None,
            busy_since: None,
        };
        Self {
            tray: Arc::new(tray),
            lanes: (0..plan.connections).map(|_| place()).collect(),
            called: (0..plan.connections).collect(),
            waiting: VecDeque::new(),
            processor: Worker::default(),
            link: Worker::default(),
            to_write: Vec::new(),
            writing: Vec::new(),
            claimed: Vec::new(),
            is_claiming: false,
            has_asked: false,
            next: None,
            turn_alarm: 0,
            is_rung: false,
            taken: 0,
            lanes_busy: 0,
        }
    }

    /// Does something with the tray, and calls those for whom it rings.
    pub(super) fn with_tray<T>(&mut self, act: impl FnOnce(&Tray) -> T) -> T {
        let tray = Arc::clone(&self.tray);
        let (done, changed, woken) = heard(&tray.changed, &tray.wake, || act(&tray));
        if changed {
            self.called.extend(self.waiting.drain(..));
        }
        self.is_rung |= woken;
        done
    }
}

/// Does something, and says for each bell whether it rang.
fn heard<T>(one: &Notify, other: &Notify, act: impl FnOnce() -> T) -> (T, bool, bool) {
    let (mut first, mut second) = (pin!(one.notified()), pin!(other.notified()));
    first.as_mut().enable();
    second.as_mut().enable();
    let done = act();
    (done, first.as_mut().enable(), second.as_mut().enable())
}
