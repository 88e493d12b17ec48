//! What comes of a simulation: when letters were taken, by whom, and what held them up.

use serde::Serialize;

use super::{count, receivers::World};

/// The parts of all letters of which it is told when they were taken, in thousandths.
const PARTS: [u64; 4] = [500, 900, 990, 999];

/// How many points the curve of a plot has.
const POINTS: u64 = 200;

/// What came out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// How many daemons sent.
    pub senders: usize,
    /// How many readers there are.
    pub readers: u64,
    /// How many of them can be reached: they have a mailbox with room, at a server that answers.
    pub reachable: u64,
    /// How many letters were taken.
    pub taken: u64,
    /// How many were refused for good, or for five days.
    pub failed: u64,
    /// How many of those had a reader who could be reached.
    pub failed_though_reachable: u64,
    /// How many letters were taken twice. Always 0: somebody would have had two.
    pub twice: u64,
    /// Seconds until half, 90, 99 and 99.9 of 100 who can be reached had theirs; where that never was, `None`.
    pub seconds: [Option<f64>; 4],
    /// Letters a second until half of them were taken.
    pub a_second: f64,
    /// Refusals for now, and those of them that said that we are too quick.
    pub refused_for_now: u64,
    /// See `refused_for_now`.
    pub too_quick: u64,
    /// How often a lane asked its tray.
    pub asked: u64,
    /// How many letters were claimed, and how many of those went back without being offered.
    pub claimed: u64,
    /// See `claimed`.
    pub given_back: u64,
    /// What kept letters from going sooner, until half were taken, and from then until 99 of 100 were.
    pub held_up: [Limit; 2],
    /// How busy each was in the first of these times, from 0 to 1.
    pub busy: Busy,
    /// Most letters in one tray, and most domains of which it knew something.
    pub most_letters_in_tray: usize,
    /// See `most_letters_in_tray`.
    pub most_domains_in_tray: usize,
    /// The most memory that one tray took, in bytes; what signing and sending take is not in it.
    pub tray_bytes: usize,
    /// The most letters that were due and that a claim passed over, since their domains took none.
    pub most_passed_over: usize,
    /// The least and the most that one sender sent, as a part of an even share.
    pub even: [f64; 2],
    /// The domains that have a name, and last all others.
    pub domains: Vec<OfDomain>,
    /// Seconds, and how many letters were taken by then.
    pub curve: Vec<(f64, u64)>,
}

/// What kept letters from going sooner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// The ledger was at work nearly all the time.
    Ledger,
    /// The senders' processors were.
    Processor,
    /// The senders' lines were.
    Line,
    /// Every connection carried a letter nearly all the time: more of them, or a server that is nearer, would help.
    Connections,
    /// Receivers: what they take in a minute, and those who take letters only when they come again.
    Receivers,
}

impl Limit {
    /// The word in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Processor => "processor",
            Self::Line => "line",
            Self::Connections => "connections",
            Self::Receivers => "receivers",
        }
    }
}

/// How busy each was, from 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Busy {
    /// The ledger.
    pub ledger: f64,
    /// The senders' processors, on average.
    pub processor: f64,
    /// Their lines.
    pub line: f64,
    /// Their connections.
    pub connections: f64,
}

impl Busy {
    /// Who is busy for 80 of 100 hardly lets more through.
    pub(super) fn limit(self) -> Limit {
        let all = [
            (self.ledger, Limit::Ledger),
            (self.processor, Limit::Processor),
            (self.line, Limit::Line),
            (self.connections, Limit::Connections),
        ];
        all.into_iter().find(|(busy, _)| *busy > 0.8).map_or(Limit::Receivers, |(_, limit)| limit)
    }
}

/// What came of the letters to one domain.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OfDomain {
    /// Its name; without one, all that have none.
    pub domain: Option<String>,
    /// Who can be reached there.
    pub reachable: u64,
    /// How many letters were taken.
    pub taken: u64,
    /// How often it refused a letter for now.
    pub refused_for_now: u64,
    /// Seconds until half of them were taken, and 99 of 100.
    pub seconds: [Option<f64>; 2],
    /// The most that it took within one minute, counted by the clock.
    pub most_a_minute: u64,
    #[serde(skip)]
    minute: (u64, u64),
}

impl OfDomain {
    pub(super) fn new(domain: Option<String>) -> Self {
        Self {
            domain,
            reachable: 0,
            taken: 0,
            refused_for_now: 0,
            seconds: [None; 2],
            most_a_minute: 0,
            minute: (0, 0),
        }
    }

    pub(super) fn takes(&mut self, now: u64) {
        self.taken += 1;
        for (seconds, part) in self.seconds.iter_mut().zip([500, 990]) {
            note(seconds, self.taken, self.reachable, part, now);
        }
    }

    /// Counts a letter that it begins to take.
    pub(super) fn begins(&mut self, now: u64) {
        let minute = now / 60_000_000;
        if self.minute.0 != minute {
            self.minute = (minute, 0);
        }
        self.minute.1 += 1;
        self.most_a_minute = self.most_a_minute.max(self.minute.1);
    }
}

impl Outcome {
    /// Nothing has come yet.
    pub(super) fn empty(world: &World, senders: usize) -> Self {
        let mut domains: Vec<OfDomain> =
            world.names().map(|name| OfDomain::new(Some(name.to_owned()))).collect();
        domains.push(OfDomain::new(None));
        let others = domains.len() - 1;
        let mut reachable = 0;
        for domain in 0..world.n_domains() {
            let readers = world.readers(domain);
            let n = count(readers.filter(|reader| world.can_be_reached(*reader, domain)).count());
            domains[world.known(domain).unwrap_or(others)].reachable += n;
            reachable += n;
        }
        Self {
            senders,
            readers: count(world.n_readers()),
            reachable,
            taken: 0,
            failed: 0,
            failed_though_reachable: 0,
            twice: 0,
            seconds: [None; 4],
            a_second: 0.0,
            refused_for_now: 0,
            too_quick: 0,
            asked: 0,
            claimed: 0,
            given_back: 0,
            held_up: [Limit::Receivers; 2],
            busy: Busy::default(),
            most_letters_in_tray: 0,
            most_domains_in_tray: 0,
            tray_bytes: 0,
            most_passed_over: 0,
            even: [1.0; 2],
            domains,
            curve: Vec::new(),
        }
    }

    /// Counts a letter that was taken now. Gives whether half, and 99 of 100, are reached with it.
    pub(super) fn takes(&mut self, now: u64) -> [bool; 2] {
        self.taken += 1;
        let mut reached = [false; 4];
        for ((seconds, part), reached) in self.seconds.iter_mut().zip(PARTS).zip(&mut reached) {
            *reached = note(seconds, self.taken, self.reachable, part, now);
        }
        let step = (self.reachable / POINTS).max(1);
        if self.taken.is_multiple_of(step) || self.taken == self.reachable {
            self.curve.push((super::seconds(now), self.taken));
        }
        [reached[0], reached[2]]
    }
}

/// Notes when so many thousandths of `all` were there.
fn note(seconds: &mut Option<f64>, n: u64, all: u64, part: u64, now: u64) -> bool {
    let is_new = seconds.is_none() && n * 1000 >= all * part;
    if is_new {
        *seconds = Some(super::seconds(now));
    }
    is_new
}
