//! The tray: the letters that are claimed and wait for a lane, some hundreds at most, and what is known of where they go.
//!
//! A domain that finds us too quick is closed for a while: its letters go back into the ledger, where claims pass them over, so that
//! they hold nobody up. Afterwards it is tried with one letter, then with more.

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use super::{
    domain::Domain,
    letter::Stencil,
    pace::{LEEWAY, Throttle},
    road::Road,
};
use crate::{delivery::Delivery, delivery::DigestId, delivery::Reply, subscriber::SubscriberId};

/// A letter that has waited for so long goes back, long before its lease ends.
const MAX_AGE: SignedDuration = SignedDuration::from_mins(20);

/// It holds an eighth of its letters for each such domain, and eight times as many for all of them, so that claims that bring
/// only theirs are seldom, and leave room for the others'.
const EIGHTH: usize = 8;

/// How many letters a claim asks for at least, however many of the last one were of no use.
const FEWEST: usize = 16;

/// With a limit over all, the tray holds what may go in this time.
const STOCK_FOR: SignedDuration = SignedDuration::from_mins(1);

/// How many domains a claim passes over at most.
const MAX_EXCEPTIONS: usize = 500;

/// How far a server may be ahead of its share.
const AHEAD: f64 = 4.0;

/// Servers do not wait for the share of one whose lanes have not asked for so long.
const SLOW: SignedDuration = SignedDuration::from_secs(5);

/// A letter for a lane: the delivery, and what it is written with.
pub(super) struct Work {
    pub(super) delivery: Delivery,
    pub(super) stencil: Arc<Stencil>,
    /// How many times letters had been taken back when it was claimed.
    pub(super) taken_back: u64,
    pub(super) claimed: Timestamp,
    /// When a lane took it.
    pub(super) begun: Timestamp,
    /// Whether its domain counts it.
    pub(super) counted: bool,
}

impl Work {
    fn key(&self) -> (DigestId, SubscriberId) {
        (self.delivery.digest, self.delivery.subscriber)
    }

    pub(super) fn domain(&self) -> &str {
        self.delivery.address.domain()
    }
}

/// What a lane may do next.
pub(super) enum Next {
    /// Send this.
    Letter(Box<Work>),
    /// Ask again when something has changed, or then.
    Wait(Option<Timestamp>),
    /// Close its connection: there are too many.
    Rest,
}

/// How a letter ended, for those who come after it.
pub(super) enum Heard<'r> {
    /// It was taken.
    Taken,
    /// The server answered about its reader.
    Answered,
    /// Its domain finds us too quick.
    Pace(&'r Reply),
    /// The connection ended, or the server did not answer in time.
    Silence(&'r Reply),
    /// Nothing: it was not offered.
    Nothing,
}

/// What is to be done between the tray and the ledger.
pub(super) struct Turn {
    /// Letters that go back.
    pub(super) back: Vec<Delivery>,
    /// How many more the tray can hold.
    pub(super) want: usize,
    /// Domains whose letters it cannot use now.
    pub(super) except: Vec<String>,
    /// When to look again at the latest.
    pub(super) next: Option<Timestamp>,
    /// Domains that found us too quick, and until when they get nothing: others are to know.
    pub(super) closed: Vec<(String, Timestamp)>,
}

/// What a tray holds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Census {
    pub(super) letters: usize,
    /// Domains of which something is known.
    pub(super) domains: usize,
    /// What both take, without the bytes of names and addresses.
    pub(super) bytes: usize,
}

struct Stock {
    letters: VecDeque<Work>,
    /// The letters that are here or with a lane.
    held: HashSet<(DigestId, SubscriberId)>,
    /// Those that ended since the last turn: a claim that was on its way meanwhile may bring one whose lease had ended, though it is
    /// settled by now.
    ended: HashSet<(DigestId, SubscriberId)>,
    back: Vec<Delivery>,
    /// How many letters the next claim may bring: where most of the last one's went back, about twice as many as were of use.
    useful: usize,
    domains: HashMap<String, Domain>,
    roads: Vec<Road>,
    throttle: Option<Throttle>,
    /// Domains that were closed here, and of which others do not know yet.
    untold: Vec<(String, Timestamp)>,
    /// How many processes send letters, this one too: each has its share of every limit.
    n_shares: u32,
    /// When a lane last found that no letter may go, and when to look again; forgotten when anything changes.
    none_ready: Option<(Timestamp, Option<Timestamp>)>,
}

/// The tray.
pub(super) struct Tray {
    stock: Mutex<Stock>,
    /// Rings for lanes that wait.
    pub(super) changed: Notify,
    /// Rings for whoever claims letters.
    pub(super) wake: Notify,
    most: usize,
    lanes: usize,
    per_domain: Option<u32>,
}

impl Tray {
    pub(super) fn new(
        roads: Vec<Road>,
        lanes: usize,
        most: usize,
        per_minute: Option<u32>,
        per_domain: Option<u32>,
    ) -> Self {
        let throttle = per_minute.map(Throttle::new);
        let most = throttle.as_ref().map_or(most, |throttle| most.min(throttle.in_span(STOCK_FOR).max(1)));
        let stock = Stock {
            letters: VecDeque::with_capacity(most),
            held: HashSet::new(),
            ended: HashSet::new(),
            back: Vec::new(),
            useful: most,
            domains: HashMap::new(),
            roads,
            throttle,
            untold: Vec::new(),
            n_shares: 1,
            none_ready: None,
        };
        Self {
            stock: Mutex::new(stock),
            changed: Notify::new(),
            wake: Notify::new(),
            most,
            lanes,
            per_domain,
        }
    }

    fn stock(&self) -> MutexGuard<'_, Stock> {
        self.stock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears how many processes send letters, this one too, and which domains others have closed until when.
    pub(super) fn shares(&self, n: u32, closed: &[(String, Timestamp)]) {
        let mut stock = self.changing();
        let stock = &mut *stock;
        if stock.n_shares != n {
            stock.n_shares = n;
            let of_domains = stock.domains.values_mut().filter_map(|domain| domain.throttle.as_mut());
            let of_roads = stock.roads.iter_mut().filter_map(|road| road.throttle.as_mut());
            of_domains.chain(of_roads).chain(&mut stock.throttle).for_each(|throttle| throttle.share(n));
        }
        for (name, until) in closed {
            let throttle = self.per_domain.map(|most| Throttle::new(most).among(n));
            let new = || Domain::new(self.lanes, throttle);
            let domain = stock.domains.entry(name.clone()).or_insert_with(new);
            domain.close_until(*until);
            stock.give_back(|work| work.domain() == name);
        }
    }

    /// The stock, for something that may let letters go which could not before.
    fn changing(&self) -> MutexGuard<'_, Stock> {
        let mut stock = self.stock();
        stock.none_ready = None;
        stock
    }

    /// Whether a letter is here or with a lane, or ended since the last turn: a claim that brings it has nothing new.
    pub(super) fn knows(&self, work: &Work) -> bool {
        let stock = self.stock();
        stock.held.contains(&work.key()) || stock.ended.contains(&work.key())
    }

    /// Takes what was claimed since the last turn. One that is here already or with a lane, because its lease ended, stays with whoever
    /// has it; one that ended meanwhile goes back, which changes nothing of what is settled. Gives how many letters can go from here that
    /// could not before.
    pub(super) fn put(&self, works: Vec<Work>, now: Timestamp) -> usize {
        // Lanes that wait hang up after a while, unless they are called: for nothing, nobody is.
        if works.is_empty() {
            return 0;
        }
        let mut stock = self.changing();
        let stock = &mut *stock;
        let (before, brought, back) = (stock.letters.len(), works.len(), stock.back.len());
        let mut limited = stock.count(now, self.most);
        for work in works {
            if stock.ended.contains(&work.key()) {
                stock.back.push(work.delivery);
                continue;
            }
            if !stock.held.insert(work.key()) {
                if let Some(held) = stock.letters.iter_mut().find(|held| held.key() == work.key()) {
                    *held = work;
                }
                continue;
            }
            if let Some(domain) = stock.domains.get_mut(work.domain())
                && let Some(worth) = domain.limit(now, self.most)
            {
                let most = if worth == 0 { 0 } else { worth.max(self.most / EIGHTH) };
                if domain.held >= most || limited >= self.most * EIGHTH {
                    stock.held.remove(&work.key());
                    stock.back.push(work.delivery);
                    continue;
                }
                domain.held += 1;
                limited += 1;
            }
            stock.letters.push_back(work);
        }
        let kept = brought - (stock.back.len() - back);
        let of_use = if kept < brought / 2 { kept } else { stock.useful };
        stock.useful = (of_use * 2).clamp(FEWEST, self.most.max(FEWEST));
        self.changed.notify_waiters();
        stock.letters.len() - before
    }

    /// What is to be fetched and given back now; what is put next was claimed after this.
    pub(super) fn turn(&self, now: Timestamp) -> Turn {
        let mut stock = self.changing();
        let stock = &mut *stock;
        stock.ended.clear();
        let open = stock.roads.iter().filter(|road| road.closed_until(now).is_none());
        let (mut n_open, mut tried) = (0, true);
        for road in open {
            n_open += 1;
            tried &= road.is_on_trial();
        }
        stock.give_back(|work| n_open == 0 || now.duration_since(work.claimed).abs() > MAX_AGE);
        stock.domains.retain(|_, domain| !domain.is_idle(now));
        let most = if n_open == 0 {
            0
        } else if tried {
            1
        } else {
            self.most
        };
        let limited = stock.count(now, self.most);
        let free = stock.letters.len() - limited;
        let want = if free <= most / 2 { (most - free).min(stock.useful) } else { 0 };
        let full = |(name, domain): (&String, &Domain)| {
            let worth = domain.limit(now, self.most)?;
            let enough = domain.held >= worth.div_ceil(2) || limited >= self.most * EIGHTH;
            enough.then(|| name.clone())
        };
        let except = stock.domains.iter().filter_map(full).take(MAX_EXCEPTIONS).collect();
        let roads = stock.roads.iter().filter_map(|road| road.closed_until(now));
        let domains = stock.domains.values().filter_map(|domain| domain.is_ready(now).err().flatten());
        let next = roads.chain(domains).min();
        let (back, closed) = (std::mem::take(&mut stock.back), std::mem::take(&mut stock.untold));
        Turn { back, want, except, next, closed }
    }

    /// Why a letter to this domain was not offered for all this time, if something hinders it still.
    pub(super) fn hindrance(&self, domain: &str) -> Option<Reply> {
        let stock = self.stock();
        let here = stock.domains.get(domain).and_then(|domain| domain.trouble.clone());
        let roads = || {
            stock.roads.iter().all(Road::is_on_trial).then(|| stock.roads.first()?.trouble.clone()).flatten()
        };
        here.or_else(roads)
    }

    /// What it holds.
    pub(super) fn census(&self) -> Census {
        let stock = self.stock();
        let Stock { letters, domains, .. } = &*stock;
        let bytes = letters.len() * (size_of::<Work>() + size_of::<(DigestId, SubscriberId)>())
            + domains.len() * size_of::<(String, Domain)>();
        Census { letters: letters.len(), domains: domains.len(), bytes }
    }

    /// A letter for the lane of this number on this road.
    pub(super) fn take(&self, road: usize, lane: usize, now: Timestamp) -> Next {
        let mut stock = self.stock();
        let several = stock.roads.len() > 1;
        let next = stock.take(road, lane, now, self.lanes, self.per_domain);
        if matches!(next, Next::Letter(_)) {
            if stock.letters.len() == self.most / 2 || stock.letters.is_empty() {
                self.wake.notify_one();
            }
            if several {
                self.changed.notify_waiters();
            }
        }
        next
    }

    /// Puts a letter back that could not be offered on this road; another may take it.
    pub(super) fn hand_back(&self, road: usize, mut work: Work, now: Timestamp) {
        let mut stock = self.changing();
        stock.end(road, &mut work);
        stock.letters.push_front(work);
        if stock.roads.iter().all(|road| road.closed_until(now).is_some()) {
            self.wake.notify_one();
        }
        self.changed.notify_waiters();
    }

    /// Hears how a letter ended.
    pub(super) fn done(&self, road: usize, mut work: Work, heard: &Heard<'_>, now: Timestamp) {
        let mut stock = self.changing();
        let stock = &mut *stock;
        stock.held.remove(&work.key());
        stock.ended.insert(work.key());
        stock.end(road, &mut work);
        let on = &mut stock.roads[road];
        let tried = on.is_on_trial();
        let mut more = false;
        match heard {
            Heard::Taken => {
                more = on.takes();
                if let Some(domain) = stock.domains.get_mut(work.domain()) {
                    domain.takes();
                    more = true;
                }
            }
            Heard::Answered => {
                on.answers();
                more = stock.domains.contains_key(work.domain());
            }
            Heard::Pace(reply) => {
                on.answers();
                on.is_too_much_for(work.domain(), work.begun, now);
                stock.close_domain(&work, reply, now, self.lanes, self.per_domain);
                self.wake.notify_one();
            }
            Heard::Silence(reply) => on.is_silent(reply, work.begun, now),
            Heard::Nothing => more = stock.domains.contains_key(work.domain()),
        }
        if more || tried || stock.letters.is_empty() {
            self.changed.notify_waiters();
            self.wake.notify_one();
        }
    }

    /// Whether no more than one connection is open.
    pub(super) fn has_one_lane(&self) -> bool {
        self.stock().roads.iter().map(|road| road.connected).sum::<usize>() <= 1
    }

    /// Tells a road something.
    pub(super) fn tell(&self, road: usize, what: impl FnOnce(&mut Road)) {
        what(&mut self.stock().roads[road]);
    }
}

impl Stock {
    /// Counts the letters for each domain of which something is known. Gives how many are for those that may not have as many as come.
    fn count(&mut self, now: Timestamp, most: usize) -> usize {
        self.domains.values_mut().for_each(|domain| domain.held = 0);
        if self.domains.is_empty() {
            return 0;
        }
        for work in &self.letters {
            if let Some(domain) = self.domains.get_mut(work.domain()) {
                domain.held += 1;
            }
        }
        let limited = self.domains.values().filter(|domain| domain.limit(now, most).is_some());
        limited.map(|domain| domain.held).sum()
    }

    fn give_back(&mut self, which: impl Fn(&Work) -> bool) {
        let mut kept = VecDeque::with_capacity(self.letters.capacity());
        for work in self.letters.drain(..) {
            if which(&work) {
                self.held.remove(&work.key());
                self.back.push(work.delivery);
            } else {
                kept.push_back(work);
            }
        }
        self.letters = kept;
    }

    /// A letter is with no lane any more.
    fn end(&mut self, road: usize, work: &mut Work) {
        self.roads[road].in_flight -= 1;
        if std::mem::take(&mut work.counted)
            && let Some(domain) = self.domains.get_mut(work.domain())
        {
            domain.in_flight -= 1;
        }
    }

    fn close_domain(
        &mut self,
        work: &Work,
        reply: &Reply,
        now: Timestamp,
        lanes: usize,
        per_minute: Option<u32>,
    ) {
        let name = work.domain();
        let throttle = per_minute.map(|most| Throttle::new(most).among(self.n_shares));
        let domain = self.domains.entry(name.to_owned()).or_insert_with(|| Domain::new(lanes, throttle));
        let Some(pause) = domain.close(reply, now) else { return };
        self.untold.extend(domain.closed_until(now).map(|until| (name.to_owned(), until)));
        tracing::info!(
            domain = name,
            reply = reply.text,
            pause_s = pause.as_secs(),
            "a domain finds us too quick; its letters wait"
        );
        self.give_back(|other| other.domain() == name);
    }

    fn take(
        &mut self,
        road: usize,
        lane: usize,
        now: Timestamp,
        lanes: usize,
        per_domain: Option<u32>,
    ) -> Next {
        let on = &mut self.roads[road];
        // Who comes back does not get all at once that went elsewhere meanwhile.
        let was_away = now.duration_since(on.asked) > SLOW || on.is_on_trial();
        on.asked = now;
        if let Some(until) = on.closed_until(now) {
            return Next::Wait(Some(until));
        }
        if on.is_on_trial() && on.in_flight > 0 {
            return Next::Wait(None);
        }
        if lane >= on.window.allowed() {
            return Next::Rest;
        }
        let throttles = [&on.throttle, &self.throttle];
        let until = throttles.iter().filter_map(|throttle| throttle.as_ref()?.waits_until(now)).max();
        if until.is_some() {
            return Next::Wait(until);
        }
        let floor = match self.floor(road, now) {
            Ok(floor) => floor,
            Err(next) => return Next::Wait(Some(next)),
        };
        let is_still = |next: &Timestamp| next.duration_since(now) > LEEWAY;
        let known = self.none_ready.filter(|(at, next)| *at <= now && next.iter().all(is_still));
        let (n, next) = known.map_or_else(|| self.first_ready(now), |(_, next)| (None, next));
        let Some(mut work) = n.and_then(|n| self.letters.remove(n)) else {
            // All lanes are called at once: the others need not search for what is not there.
            self.none_ready = known.or(Some((now, next)));
            return Next::Wait(next);
        };
        self.none_ready = None;
        if let Some(per_minute) = per_domain {
            let throttle = Throttle::new(per_minute).among(self.n_shares);
            let new = || Domain::new(lanes, Some(throttle));
            self.domains.entry(work.domain().to_owned()).or_insert_with(new);
        }
        if let Some(domain) = self.domains.get_mut(work.domain()) {
            work.counted = true;
            domain.in_flight += 1;
            domain.throttle.iter_mut().for_each(|throttle| throttle.count(now));
        }
        self.throttle.iter_mut().for_each(|throttle| throttle.count(now));
        let on = &mut self.roads[road];
        on.throttle.iter_mut().for_each(|throttle| throttle.count(now));
        on.in_flight += 1;
        if was_away {
            on.share = on.share.max(floor);
        }
        on.share += 1.0 / f64::from(on.weight.max(1));
        work.begun = now;
        Next::Letter(Box::new(work))
    }

    /// The first letter that may go now; where there is none, when to ask again.
    fn first_ready(&self, now: Timestamp) -> (Option<usize>, Option<Timestamp>) {
        let mut next: Option<Timestamp> = None;
        for (n, work) in self.letters.iter().enumerate() {
            let ready = self.domains.get(work.domain()).map_or(Ok(()), |domain| domain.is_ready(now));
            match ready {
                Ok(()) => return (Some(n), None),
                Err(until) => next = next.into_iter().chain(until).min(),
            }
        }
        (None, next)
    }

    /// The least share that another road has had, or, when this one is too far ahead of it, when to ask again.
    fn floor(&self, road: usize, now: Timestamp) -> Result<f64, Timestamp> {
        let on = &self.roads[road];
        let others = self.roads.iter().enumerate().filter(|(n, other)| {
            *n != road && other.weight > 0 && other.closed_until(now).is_none() && !other.is_on_trial()
        });
        let again = now.saturating_add(SignedDuration::from_secs(1)).unwrap_or(now);
        let mut floor: Option<f64> = None;
        for (_, other) in others {
            // Who only stands in waits for as long as anybody else takes letters.
            if on.weight == 0 {
                return Err(again);
            }
            let waits = other.throttle.as_ref().is_some_and(|throttle| throttle.waits_until(now).is_some());
            if !waits && now.duration_since(other.asked) <= SLOW {
                floor = Some(floor.map_or(other.share, |floor| floor.min(other.share)));
            }
        }
        match floor {
            Some(floor) if on.share > floor + AHEAD => Err(again),
            Some(floor) => Ok(floor),
            None => Ok(on.share),
        }
    }
}
