//! What happens when: events in the order of virtual time, and what each lane, tray and ledger does at them.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashSet},
    sync::Arc,
};

use super::{
    super::{
        CLAIM, CLAIM_PER_LANE, LOOK_EVERY, Stencil,
        lane::{IDLE, LETTERS_PER_CONNECTION},
        next_attempt,
        replies::{Verdict, judge},
        tray::{Census, Heard, Next, Turn, Work},
    },
    Order, Plan, begin,
    chance::Chance,
    count, micros, part,
    queue::Queue,
    receivers::{Answer, World},
    sender::{End, Job, Lane, Sender, Worker},
    shared::Shared,
    stencil::stencil,
    tally::{Busy, OfDomain, Outcome},
    timestamp,
};
use crate::{
    delivery::Delivery, delivery::DigestId, delivery::PrintingId, delivery::Reply, prose::Language,
    subscriber::Address, subscriber::SubscriberId,
};

/// How many round trips it takes until a server takes envelopes: connection, greeting, TLS and log-in.
const TRIPS_TO_CONNECT: u64 = 6;

/// With [`Order::Spread`], from how many places of the queue a claim takes its letters.
const PLACES: usize = 64;

/// Of a letter's time of the ledger, the tenths that its claim takes; the rest is its settlement's.
const TENTHS_TO_CLAIM: u64 = 4;

/// How many events pass between two looks at the progress.
const TOLD_EVERY: u64 = 1 << 20;

/// What happens at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// Somebody looks what is to be claimed; with the number of the alarm.
    Turn(usize, u64),
    /// What was claimed is there.
    Claimed(usize),
    /// A lane has waited for long enough; with the number of the alarm.
    Alarm(usize, usize, u64),
    /// What a lane waited for has come.
    Step(usize, usize),
    /// A commit is on the disk.
    Committed(usize),
}

/// A simulation at work.
pub(super) struct Engine<'p> {
    plan: &'p Plan,
    world: World,
    queue: Queue,
    shared: Option<Shared>,
    senders: Vec<Sender>,
    ledger: Worker,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    n_events: u64,
    now: u64,
    chance: Chance,
    stencil: Option<Arc<Stencil>>,
    outcome: Outcome,
    /// When the time began over which is reckoned what held letters up, and how busy all were until then.
    since: (u64, [u64; 4]),
}

impl<'p> Engine<'p> {
    pub(super) fn new(plan: &'p Plan) -> Self {
        let n_senders = plan.senders.max(1);
        let world = World::of(&plan.receivers, plan.readers, n_senders, plan.are_addresses_new, plan.seed);
        let queue = Queue::of(&world);
        let most = (plan.connections * CLAIM_PER_LANE).clamp(*CLAIM.start(), *CLAIM.end());
        let senders = (0..n_senders).map(|_| Sender::new(plan, most)).collect();
        let outcome = Outcome::empty(&world, n_senders);
        Self {
            plan,
            world,
            queue,
            shared: plan.are_throttles_shared.then(|| Shared::new(plan.per_minute_per_domain)),
            senders,
            ledger: Worker::default(),
            events: BinaryHeap::new(),
            n_events: 0,
            now: 0,
            chance: Chance::of(plan.seed),
            stencil: Language::parse("en").and_then(stencil).map(Arc::new),
            outcome,
            since: (0, [0; 4]),
        }
    }

    pub(super) fn run(mut self, progress: &mut dyn FnMut(f64, u64)) -> Outcome {
        for sender in 0..self.senders.len() {
            self.at(0, Event::Turn(sender, 0));
        }
        while self.queue.n_open > 0 {
            let Some(Reverse((at, n, event))) = self.events.pop() else { break };
            self.now = at;
            if n % TOLD_EVERY == 0 {
                progress(super::seconds(at), self.outcome.taken + self.outcome.failed);
            }
            let sender = match event {
                Event::Turn(sender, alarm) => {
                    self.senders[sender].is_rung |= alarm == self.senders[sender].turn_alarm;
                    sender
                }
                Event::Claimed(sender) => {
                    self.lay_in_tray(sender);
                    sender
                }
                Event::Alarm(sender, lane, alarm) => {
                    self.wake(sender, lane, alarm);
                    sender
                }
                Event::Step(sender, lane) => {
                    self.step(sender, lane);
                    sender
                }
                Event::Committed(sender) => {
                    self.committed(sender);
                    sender
                }
            };
            self.settle_down(sender);
        }
        self.finished()
    }

    fn at(&mut self, at: u64, event: Event) {
        self.n_events += 1;
        self.events.push(Reverse((at, self.n_events, event)));
    }

    /// Lets everybody act who was called, until nobody is.
    fn settle_down(&mut self, sender: usize) {
        loop {
            while let Some(lane) = self.senders[sender].called.pop_front() {
                self.ask(sender, lane);
            }
            let Sender { is_rung, is_claiming, .. } = self.senders[sender];
            if !is_rung || is_claiming {
                return;
            }
            self.senders[sender].is_rung = false;
            self.turn(sender);
        }
    }

    /// Claims what is due, and gives back what cannot go now; as `Mail::hand_out`.
    fn turn(&mut self, n: usize) {
        let now = timestamp(self.now);
        let Turn { back, want, except, next, closed: _ } = self.senders[n].with_tray(|tray| tray.turn(now));
        let Census { letters, domains, bytes } = self.senders[n].tray.census();
        self.outcome.most_letters_in_tray = self.outcome.most_letters_in_tray.max(letters);
        self.outcome.most_domains_in_tray = self.outcome.most_domains_in_tray.max(domains);
        self.outcome.tray_bytes = self.outcome.tray_bytes.max(bytes);
        self.outcome.given_back += count(back.len());
        for delivery in &back {
            let reader = u32::try_from(delivery.subscriber.0).unwrap_or(0);
            let domain = self.world.domain_of(reader);
            self.queue.give_back(reader, domain, self.now);
            if let Some(shared) = &mut self.shared {
                shared.give_back(domain);
            }
        }
        let n_changed = count(back.len()) + self.claim(n, want, &except);
        let sender = &mut self.senders[n];
        sender.next = next.map(micros);
        sender.turn_alarm += 1;
        if want > 0 || !back.is_empty() {
            let work = n_changed * self.plan.ledger * TENTHS_TO_CLAIM / 10;
            let done = self.ledger.works(self.now, work) + self.plan.commit;
            sender.is_claiming = true;
            sender.has_asked = want > 0;
            self.at(done, Event::Claimed(n));
        } else {
            self.wait_for_work(n);
        }
    }

    fn wait_for_work(&mut self, n: usize) {
        let next = self.senders[n].next.filter(|next| *next > self.now);
        let due = self.queue.next_due(self.now);
        let look = self.now + micros_of(LOOK_EVERY);
        let until = due.into_iter().chain(next).chain([look]).min().unwrap_or(look).max(self.now + 1);
        self.senders[n].turn_alarm += 1;
        let alarm = self.senders[n].turn_alarm;
        self.at(until, Event::Turn(n, alarm));
    }

    fn claim(&mut self, n: usize, want: usize, except: &[String]) -> u64 {
        if want == 0 {
            return 0;
        }
        let except: HashSet<usize> = except.iter().filter_map(|name| self.world.find(name)).collect();
        let places: Vec<usize> = match self.plan.order {
            Order::Domains => Vec::new(),
            Order::Spread => (0..PLACES)
                .filter_map(|_| u32::try_from(self.chance.below(self.world.n_readers())).ok())
                .map(|reader| self.world.domain_of(reader))
                .collect(),
        };
        let (now, shared) = (self.now, &mut self.shared);
        let grant = |domain, wanted| match shared {
            Some(shared) => shared.grant(domain, wanted, now),
            None => wanted,
        };
        let claimed = self.queue.claim(&self.world, now, want, &except, &places, grant);
        let at = timestamp(now);
        let work = |letter: &super::queue::Claimed| {
            let address = format!("r{}@{}", letter.reader, self.world.name(letter.domain));
            Some(Work {
                delivery: Delivery {
                    digest: DigestId(1),
                    printing: PrintingId(1),
                    subscriber: SubscriberId(i64::from(letter.reader)),
                    address: Address::parse(&address).ok()?,
                    queued: begin(),
                    attempts: letter.attempts,
                },
                stencil: self.stencil.clone()?,
                taken_back: 0,
                claimed: at,
                begun: at,
                counted: false,
            })
        };
        let works: Vec<Work> = claimed.iter().filter_map(work).collect();
        self.outcome.claimed += count(works.len());
        let n_claimed = count(works.len());
        self.senders[n].claimed = works;
        n_claimed
    }

    /// What was claimed comes into the tray, but for letters that are too old.
    fn lay_in_tray(&mut self, n: usize) {
        let now = timestamp(self.now);
        self.senders[n].is_claiming = false;
        let works = std::mem::take(&mut self.senders[n].claimed);
        let mut kept = Vec::with_capacity(works.len());
        for work in works {
            let is_old = next_attempt(work.delivery.queued, 1, now).is_none();
            if is_old && self.senders[n].tray.hindrance(work.domain()).is_some() {
                let reader = u32::try_from(work.delivery.subscriber.0).unwrap_or(0);
                self.fails(reader, self.world.domain_of(reader));
            } else {
                kept.push(work);
            }
        }
        let sender = &mut self.senders[n];
        if sender.has_asked && sender.with_tray(|tray| tray.put(kept, now)) > 0 {
            sender.is_rung = true;
        } else {
            self.wait_for_work(n);
        }
    }

    /// A lane asks its tray.
    fn ask(&mut self, n: usize, lane: usize) {
        match self.take(n, lane) {
            Next::Letter(work) => {
                let job = self.job(*work);
                self.offer(n, lane, job);
            }
            Next::Wait(until) => self.waits(n, lane, until.map(micros)),
            Next::Rest => {
                self.hang_up(n, lane);
                self.waits(n, lane, None);
            }
        }
    }

    fn take(&mut self, n: usize, lane: usize) -> Next {
        self.outcome.asked += 1;
        let now = timestamp(self.now);
        self.senders[n].with_tray(|tray| tray.take(0, lane, now))
    }

    fn job(&self, work: Work) -> Job {
        let reader = u32::try_from(work.delivery.subscriber.0).unwrap_or(0);
        Job { work: Box::new(work), reader, domain: self.world.domain_of(reader) }
    }

    fn waits(&mut self, n: usize, lane: usize, until: Option<u64>) {
        let sender = &mut self.senders[n];
        sender.waiting.push_back(lane);
        let place = &mut sender.lanes[lane];
        if let Some(since) = place.busy_since.take() {
            sender.lanes_busy += self.now - since;
        }
        place.alarm += 1;
        let alarm = place.alarm;
        let idle = place.is_connected.then(|| self.now + micros_of(IDLE));
        place.idle = idle;
        if let Some(at) = until.into_iter().chain(idle).min() {
            self.at(at.max(self.now + 1), Event::Alarm(n, lane, alarm));
        }
    }

    fn wake(&mut self, n: usize, lane: usize, alarm: u64) {
        let sender = &mut self.senders[n];
        let Some(place) = sender.waiting.iter().position(|waiting| *waiting == lane) else { return };
        if sender.lanes[lane].alarm == alarm {
            sender.waiting.remove(place);
            sender.called.push_back(lane);
            if sender.lanes[lane].idle.is_some_and(|idle| idle <= self.now) {
                self.hang_up(n, lane);
            }
        }
    }

    fn hang_up(&mut self, n: usize, lane: usize) {
        let place = &mut self.senders[n].lanes[lane];
        if std::mem::take(&mut place.is_connected) {
            place.used = 0;
            self.senders[n].tray.tell(0, |road| road.connected -= 1);
        }
    }

    /// A lane has a letter and nothing under way.
    fn offer(&mut self, n: usize, lane: usize, job: Job) {
        let now = self.now;
        let sender = &mut self.senders[n];
        let begun = sender.processor.works(now, self.plan.processor);
        let place = &mut sender.lanes[lane];
        place.busy_since.get_or_insert(now);
        let trips = if place.is_connected { 1 } else { TRIPS_TO_CONNECT };
        place.lane = if place.is_connected { Lane::Envelope(job) } else { Lane::Connecting(job) };
        let at = begun + self.trips(trips);
        self.at(at, Event::Step(n, lane));
    }

    /// So many round trips, each a little longer or shorter than they are on average.
    fn trips(&mut self, n: u64) -> u64 {
        let tenth = self.plan.round_trip / 10;
        n * (self.plan.round_trip - tenth + self.chance.next() % (2 * tenth + 1))
    }

    fn step(&mut self, n: usize, lane: usize) {
        let place = &mut self.senders[n].lanes[lane];
        match std::mem::replace(&mut place.lane, Lane::Idle) {
            Lane::Connecting(job) => {
                place.is_connected = true;
                place.lane = Lane::Envelope(job);
                self.senders[n].tray.tell(0, |road| road.connected += 1);
                let at = self.now + self.trips(1);
                self.at(at, Event::Step(n, lane));
            }
            Lane::Envelope(job) => self.converse(n, lane, job),
            Lane::Text(job, next) => {
                self.world.has_taken(job.domain, n);
                self.settle(n, lane, job, End::Taken, next);
            }
            // The ledger tells of these by another event.
            waits @ (Lane::Settling(..) | Lane::Idle) => place.lane = waits,
        }
    }

    /// The server says something to an envelope.
    fn converse(&mut self, n: usize, lane: usize, job: Job) {
        self.senders[n].lanes[lane].used += 1;
        let said = if self.plan.do_relays_queue {
            Ok(0)
        } else {
            let attempts = job.work.delivery.attempts;
            match self.world.answer(job.reader, job.domain, n, attempts, self.now) {
                Answer::Takes(long) => Ok(long),
                Answer::Refuses(reply) => Err(reply.clone()),
            }
        };
        match said {
            Ok(takes) => self.hands_over(n, lane, job, takes),
            Err(reply) => self.refused(n, lane, job, reply),
        }
    }

    /// A letter's envelope was not taken.
    fn refused(&mut self, n: usize, lane: usize, job: Job, reply: Reply) {
        let Delivery { queued, attempts, .. } = job.work.delivery;
        let verdict = judge(&reply, job.work.domain());
        let due = match verdict {
            Verdict::Never(_) => None,
            _ => next_attempt(queued, attempts + 1, timestamp(self.now)).map(micros),
        };
        let is_too_quick = verdict == Verdict::Pace;
        self.outcome.refused_for_now += u64::from(due.is_some());
        self.outcome.too_quick += u64::from(is_too_quick);
        self.of_domain(job.domain).refused_for_now += u64::from(due.is_some());
        let pace = is_too_quick.then_some(reply);
        self.settle(n, lane, job, End::Refused { due, pace }, None);
    }

    /// A letter's envelope was taken: its text goes out, with the envelope of the next.
    fn hands_over(&mut self, n: usize, lane: usize, job: Job, takes: u64) {
        let now = self.now;
        self.of_domain(job.domain).begins(now);
        let may_more = self.senders[n].lanes[lane].used < LETTERS_PER_CONNECTION;
        let next = if may_more { self.ahead(n, lane) } else { None };
        let long = self.plan.letter_bytes * 8 * 1_000_000 / self.plan.line.max(1);
        let sender = &mut self.senders[n];
        let work = if next.is_some() { self.plan.processor } else { 0 };
        let written = sender.processor.works(now, work);
        let sent = sender.link.works(written, long);
        sender.lanes[lane].lane = Lane::Text(job, next);
        let at = sent + takes + self.trips(1);
        self.at(at, Event::Step(n, lane));
    }

    fn ahead(&mut self, n: usize, lane: usize) -> Option<Job> {
        let Next::Letter(work) = self.take(n, lane) else { return None };
        Some(self.job(*work))
    }

    /// An outcome is to be written; all that come while a commit is under way are in the next one.
    fn settle(&mut self, n: usize, lane: usize, job: Job, end: End, next: Option<Job>) {
        let sender = &mut self.senders[n];
        sender.lanes[lane].lane = Lane::Settling(job, end, next);
        sender.to_write.push(lane);
        if sender.writing.is_empty() {
            self.commit(n);
        }
    }

    fn commit(&mut self, n: usize) {
        let sender = &mut self.senders[n];
        sender.writing = std::mem::take(&mut sender.to_write);
        let n_letters = count(sender.writing.len());
        if n_letters > 0 {
            let work = n_letters * self.plan.ledger * (10 - TENTHS_TO_CLAIM) / 10;
            let done = self.ledger.works(self.now, work) + self.plan.commit;
            self.at(done, Event::Committed(n));
        }
    }

    fn committed(&mut self, n: usize) {
        let lanes = std::mem::take(&mut self.senders[n].writing);
        self.commit(n);
        for lane in lanes {
            let place = &mut self.senders[n].lanes[lane];
            if let Lane::Settling(job, end, next) = std::mem::replace(&mut place.lane, Lane::Idle) {
                self.settled(n, lane, job, end, next);
            }
        }
    }

    /// An outcome is on the disk: the tray hears of it, and the lane goes on.
    fn settled(&mut self, n: usize, lane: usize, job: Job, end: End, next: Option<Job>) {
        let now = timestamp(self.now);
        let Job { work, reader, domain } = job;
        let pace = match end {
            End::Taken => {
                self.is_taken(n, reader, domain);
                None
            }
            End::Refused { due: Some(due), pace } => {
                self.queue.delay(reader, domain, due);
                self.senders[n].is_rung = true;
                Some(pace)
            }
            End::Refused { due: None, pace } => {
                self.fails(reader, domain);
                Some(pace)
            }
        };
        if let Some(shared) = &mut self.shared {
            match &pace {
                Some(Some(_)) => shared.close(domain, self.now),
                Some(None) => shared.open(domain, false),
                None => shared.open(domain, true),
            }
        }
        let heard = match &pace {
            None => Heard::Taken,
            Some(Some(reply)) => Heard::Pace(reply),
            Some(None) => Heard::Answered,
        };
        self.senders[n].with_tray(|tray| tray.done(0, *work, &heard, now));
        if let Some(next) = next {
            // Its envelope went out with the text, and has its answer.
            return self.converse(n, lane, next);
        }
        if self.senders[n].lanes[lane].used >= LETTERS_PER_CONNECTION {
            self.hang_up(n, lane);
        }
        self.senders[n].called.push_back(lane);
    }

    fn of_domain(&mut self, domain: usize) -> &mut OfDomain {
        let others = self.outcome.domains.len() - 1;
        let n = self.world.known(domain).unwrap_or(others);
        &mut self.outcome.domains[n]
    }

    fn is_taken(&mut self, n: usize, reader: u32, domain: usize) {
        if !self.queue.end(reader) {
            self.outcome.twice += 1;
            return;
        }
        let now = self.now;
        self.senders[n].taken += 1;
        self.of_domain(domain).takes(now);
        let [half, most] = self.outcome.takes(now);
        if half {
            let busy = self.busy();
            self.outcome.busy = busy;
            self.outcome.held_up = [busy.limit(); 2];
            self.outcome.a_second = part(self.outcome.taken, now.max(1)) * 1e6;
            self.since = (now, self.work_done());
        }
        if most {
            self.outcome.held_up[1] = self.busy().limit();
        }
    }

    fn fails(&mut self, reader: u32, domain: usize) {
        if self.queue.end(reader) {
            self.outcome.failed += 1;
            let reached = self.world.can_be_reached(reader, domain);
            self.outcome.failed_though_reachable += u64::from(reached);
        }
    }

    /// What the ledger, the processors, the lines and the lanes have done so far, in microseconds.
    fn work_done(&self) -> [u64; 4] {
        let mut done = [self.ledger.busy, 0, 0, 0];
        for sender in &self.senders {
            done[1] += sender.processor.busy;
            done[2] += sender.link.busy;
            let under_way = sender.lanes.iter().filter_map(|place| Some(self.now - place.busy_since?));
            done[3] += sender.lanes_busy + under_way.sum::<u64>();
        }
        done
    }

    fn busy(&self) -> Busy {
        let (since, before) = self.since;
        let long = (self.now - since).max(1);
        let n_senders = count(self.senders.len());
        let n_lanes = n_senders * count(self.plan.connections);
        let done = self.work_done();
        let busy = |n: usize, of: u64| part(done[n] - before[n], long * of);
        Busy {
            ledger: busy(0, 1),
            processor: busy(1, n_senders),
            line: busy(2, n_senders),
            connections: busy(3, n_lanes),
        }
    }

    fn finished(self) -> Outcome {
        let mut outcome = self.outcome;
        let even = part(outcome.taken, count(self.senders.len()));
        let parts = self.senders.iter().map(|sender| part(sender.taken, 1) / even.max(1.0));
        outcome.even = parts.fold([f64::MAX, 0.0], |[least, most], part| [least.min(part), most.max(part)]);
        outcome.most_passed_over = self.queue.most_passed_over;
        outcome
    }
}

fn micros_of(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
