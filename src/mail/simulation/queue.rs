//! The queue as the ledger keeps it, in a few bytes a letter: what waits is claimed by domain, what was refused when it is due.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::receivers::World;

/// The letter has ended.
const ENDED: u8 = 0x80;
/// How often it was offered.
const ATTEMPTS: u8 = 0x7F;

/// A letter that was claimed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claimed {
    pub(super) reader: u32,
    pub(super) domain: usize,
    pub(super) attempts: u32,
}

/// In which order letters that were never offered are claimed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// As the ledger does: by the name of the domain.
    #[default]
    Domains,
    /// From many places of the queue at once.
    Spread,
}

/// The queue.
pub(super) struct Queue {
    /// A byte a letter: how often it was offered, and whether it has ended.
    letters: Vec<u8>,
    /// The first reader of each domain whose letter was never claimed.
    fresh: Vec<u32>,
    /// Domains of which letters wait that are due at once.
    waiting: BTreeSet<usize>,
    /// Letters that were given back, by domain.
    returned: HashMap<usize, Vec<u32>>,
    /// What was refused for now, by when it is due.
    delayed: BTreeMap<(u64, u32), usize>,
    /// Those that are due, by domain, the first of each first.
    overdue: HashMap<usize, BTreeSet<(u64, u32)>>,
    /// The domains of those, by their first letter's time.
    by_first: BTreeSet<(u64, usize)>,
    n_overdue: usize,
    pub(super) n_open: usize,
    /// How many letters that are due a claim passed over, since their domains are closed: rows that the ledger reads for nothing.
    pub(super) most_passed_over: usize,
    pub(super) passed_over: u64,
}

impl Queue {
    pub(super) fn of(world: &World) -> Self {
        let n_domains = world.n_domains();
        let readers = |domain: usize| world.readers(domain);
        Self {
            letters: vec![0; world.n_readers()],
            fresh: (0..n_domains).map(|domain| readers(domain).start).collect(),
            waiting: (0..n_domains).filter(|domain| !readers(*domain).is_empty()).collect(),
            returned: HashMap::new(),
            delayed: BTreeMap::new(),
            overdue: HashMap::new(),
            by_first: BTreeSet::new(),
            n_overdue: 0,
            n_open: world.n_readers(),
            most_passed_over: 0,
            passed_over: 0,
        }
    }

    /// Claims `most` letters that are due, none to the domains `except`, and no more to each than `grant` gives of
    /// those that are wanted. With `from`, those that
    /// were never offered come from behind these domains, a part from each; without, from the first on.
    pub(super) fn claim(
        &mut self,
        world: &World,
        now: u64,
        most: usize,
        except: &HashSet<usize>,
        from: &[usize],
        mut grant: impl FnMut(usize, usize) -> usize,
    ) -> Vec<Claimed> {
        let mut claimed = Vec::with_capacity(most);
        let parts = from.len().max(1);
        for (n, from) in from.iter().enumerate() {
            self.claim_fresh(world, *from, most * (n + 1) / parts, except, &mut grant, &mut claimed);
        }
        self.claim_fresh(world, 0, most, except, &mut grant, &mut claimed);
        self.claim_due(now, most, except, &mut grant, &mut claimed);
        claimed
    }

    fn claim_fresh(
        &mut self,
        world: &World,
        from: usize,
        until: usize,
        except: &HashSet<usize>,
        grant: &mut impl FnMut(usize, usize) -> usize,
        claimed: &mut Vec<Claimed>,
    ) {
        let mut from = from;
        while claimed.len() < until {
            let Some(domain) = self.waiting.range(from..).next().copied() else { return };
            from = domain + 1;
            if except.contains(&domain) {
                continue;
            }
            let most = grant(domain, until - claimed.len());
            let end = world.readers(domain).end;
            for _ in 0..most {
                let back = self.returned.get_mut(&domain).and_then(Vec::pop);
                let reader = match back {
                    Some(reader) => reader,
                    None if self.fresh[domain] < end => {
                        self.fresh[domain] += 1;
                        self.fresh[domain] - 1
                    }
                    None => break,
                };
                claimed.push(self.claimed(reader, domain));
            }
            let is_done = self.fresh[domain] >= end && self.returned.get(&domain).is_none_or(Vec::is_empty);
            if is_done {
                self.returned.remove(&domain);
                self.waiting.remove(&domain);
            }
        }
    }

    fn claim_due(
        &mut self,
        now: u64,
        most: usize,
        except: &HashSet<usize>,
        grant: &mut impl FnMut(usize, usize) -> usize,
        claimed: &mut Vec<Claimed>,
    ) {
        self.come_due(now);
        if claimed.len() >= most {
            return;
        }
        let closed = except.iter().filter_map(|domain| self.overdue.get(domain));
        let passed_over: usize = closed.map(BTreeSet::len).sum();
        self.most_passed_over = self.most_passed_over.max(passed_over);
        self.passed_over += u64::try_from(passed_over).unwrap_or(u64::MAX);
        let mut cursor = (0, 0);
        while claimed.len() < most {
            let Some((due, domain)) = self.by_first.range(cursor..).next().copied() else { return };
            let granted = !except.contains(&domain) && grant(domain, 1) > 0;
            match granted.then(|| self.pop_overdue(domain)).flatten() {
                Some(reader) => claimed.push(self.claimed(reader, domain)),
                None => cursor = (due, domain + 1),
            }
        }
    }

    fn claimed(&self, reader: u32, domain: usize) -> Claimed {
        Claimed { reader, domain, attempts: u32::from(self.letters[super::index(reader)] & ATTEMPTS) }
    }

    fn come_due(&mut self, now: u64) {
        while let Some(first) = self.delayed.first_entry().filter(|first| first.key().0 <= now) {
            let ((due, reader), domain) = first.remove_entry();
            self.push_overdue(domain, due, reader);
        }
    }

    fn push_overdue(&mut self, domain: usize, due: u64, reader: u32) {
        let letters = self.overdue.entry(domain).or_default();
        let before = letters.first().copied();
        letters.insert((due, reader));
        self.n_overdue += 1;
        if before.is_none_or(|before| (due, reader) < before) {
            if let Some((first, _)) = before {
                self.by_first.remove(&(first, domain));
            }
            self.by_first.insert((due, domain));
        }
    }

    fn pop_overdue(&mut self, domain: usize) -> Option<u32> {
        let letters = self.overdue.get_mut(&domain)?;
        let (due, reader) = letters.pop_first()?;
        self.n_overdue -= 1;
        self.by_first.remove(&(due, domain));
        match letters.first() {
            Some((next, _)) => {
                self.by_first.insert((*next, domain));
            }
            None => {
                self.overdue.remove(&domain);
            }
        }
        Some(reader)
    }

    /// A claimed letter goes back as it was.
    pub(super) fn give_back(&mut self, reader: u32, domain: usize, now: u64) {
        if self.letters[super::index(reader)] & ATTEMPTS > 0 {
            self.push_overdue(domain, now, reader);
        } else {
            self.returned.entry(domain).or_default().push(reader);
            self.waiting.insert(domain);
        }
    }

    /// A letter was refused until `due`.
    pub(super) fn delay(&mut self, reader: u32, domain: usize, due: u64) {
        let letter = &mut self.letters[super::index(reader)];
        *letter = (*letter & !ATTEMPTS) | ((*letter & ATTEMPTS) + 1).min(ATTEMPTS);
        self.delayed.insert((due, reader), domain);
    }

    /// A letter has ended. Gives whether it had not before.
    pub(super) fn end(&mut self, reader: u32) -> bool {
        let letter = &mut self.letters[super::index(reader)];
        let is_new = *letter & ENDED == 0;
        *letter |= ENDED;
        if is_new {
            self.n_open -= 1;
        }
        is_new
    }

    /// When the next letter is due that is not due yet, where none is.
    pub(super) fn next_due(&mut self, now: u64) -> Option<u64> {
        self.come_due(now);
        if !self.waiting.is_empty() || self.n_overdue > 0 {
            return None;
        }
        self.delayed.first_key_value().map(|((due, _), _)| *due)
    }
}
