//! Who receives: a few domains with many readers and with limits, and many with one or two; what each answers.

use serde::Deserialize;

use super::chance::{Chance, lot};
use crate::delivery::{Phase, Reply};

const MINUTE: u64 = 60_000_000;
const DAY: u64 = 1440 * MINUTE;

/// The most readers that a domain of the others has, as a part of all readers there.
const MOST_OF_OTHERS: usize = 2000;

/// What falls to letters and domains by lot.
const GREYLISTING: u64 = 1;
const DEAD: u64 = 2;
const GONE: u64 = 3;
const FULL: u64 = 4;

/// Where readers read, and what is taken there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receivers {
    receiver: Vec<Receiver>,
    others: Others,
    mailboxes: Mailboxes,
}

/// One domain with many readers; `receivers.toml` says what each field means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Receiver {
    domain: String,
    share: f64,
    per_minute: Option<u32>,
    per_minute_each: Option<u32>,
    at_once: Option<u32>,
    first_day: Option<u32>,
    #[serde(default)]
    answer_ms: u32,
    says: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Others {
    answer_ms: u32,
    greylisting: f64,
    dead: f64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mailboxes {
    gone: f64,
    full: f64,
}

impl Receivers {
    /// The file that comes with gazetted.
    pub const OURS: &str = include_str!("receivers.toml");

    /// Those that come with gazetted.
    ///
    /// # Errors
    /// Never, which a test holds.
    pub fn ours() -> Result<Self, String> {
        Self::parse(Self::OURS)
    }

    /// Reads a file of the form of ours.
    ///
    /// # Errors
    /// What is wrong with it: its form, a share or part that is none, or shares that are more than all.
    pub fn parse(text: &str) -> Result<Self, String> {
        let read: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let is_part = |part: f64| (0.0..=1.0).contains(&part);
        for receiver in &read.receiver {
            let Receiver { domain, share, says, .. } = receiver;
            if !is_part(*share) {
                return Err(format!("`share` of `{domain}` is no part from 0 to 1"));
            }
            if !super::can_be_written_to(domain) {
                return Err(format!("`{domain}` is no domain"));
            }
            if spoken(says).code.is_none() {
                return Err(format!("`says` of `{domain}` does not begin with a code such as 421"));
            }
        }
        let parts = [read.others.greylisting, read.others.dead, read.mailboxes.gone, read.mailboxes.full];
        if !parts.into_iter().all(is_part) {
            return Err("a part of `others` or `mailboxes` is not from 0 to 1".to_owned());
        }
        if read.receiver.iter().map(|receiver| receiver.share).sum::<f64>() > 1.000_001 {
            return Err("the shares are more than 1 together".to_owned());
        }
        Ok(read)
    }
}

/// A reply as a server says it.
fn spoken(text: &str) -> Reply {
    let mut words = text.split(' ');
    let code = words.next().and_then(|code| code.parse().ok());
    let status = words.next().filter(|word| word.split('.').count() == 3).map(str::to_owned);
    Reply { phase: Phase::Rcpt, code, status, text: text.to_owned() }
}

/// How many came in a span of time.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    span: u64,
    n: u32,
}

impl Count {
    /// Whether `most` of this span are there already.
    fn is_full(self, span: u64, most: Option<u32>) -> bool {
        most.is_some_and(|most| self.span == span && self.n >= most)
    }

    fn add(&mut self, span: u64) {
        if self.span != span {
            *self = Self { span, n: 0 };
        }
        self.n += 1;
    }
}

/// What a limited domain has had from one sending address.
#[derive(Debug, Clone, Copy, Default)]
struct From {
    minute: Count,
    day: Count,
    at_once: u32,
}

/// A limited domain as it stands.
struct Limited {
    receiver: Receiver,
    reply: Reply,
    /// Its number among all domains, which are in the order of their names.
    domain: usize,
    minute: Count,
    from: Vec<From>,
}

/// What a domain says to a letter.
pub(super) enum Answer<'w> {
    /// It takes it, after so many microseconds.
    Takes(u64),
    /// This instead.
    Refuses(&'w Reply),
}

/// All receiving domains, in the order of their names, and all readers in that of their domains.
pub(super) struct World {
    seed: u64,
    others: Others,
    mailboxes: Mailboxes,
    limited: Vec<Limited>,
    n_others: usize,
    /// Where each domain's readers begin; and the end.
    starts: Vec<u32>,
    are_new: bool,
    grey: Reply,
    dead: Reply,
    gone: Reply,
    full: Reply,
}

impl World {
    pub(super) fn of(
        receivers: &Receivers,
        n_readers: u32,
        n_senders: usize,
        are_new: bool,
        seed: u64,
    ) -> Self {
        let mut known: Vec<(Receiver, u32)> = Vec::new();
        let mut left = n_readers;
        for receiver in &receivers.receiver {
            let n = super::rounded(f64::from(n_readers) * receiver.share).min(left);
            left -= n;
            known.push((receiver.clone(), n));
        }
        known.sort_by(|(one, _), (other, _)| one.domain.cmp(&other.domain));
        let sizes = sizes_of_others(left, &mut Chance::of(seed));
        let n_others = sizes.len();
        let mut starts = Vec::with_capacity(n_others + known.len() + 1);
        let mut limited = Vec::new();
        let mut start = 0;
        let mut sizes = sizes.into_iter();
        let mut n_seen = 0;
        let mut add = |n: u32, starts: &mut Vec<u32>| {
            starts.push(start);
            start += n;
        };
        for (receiver, n) in known {
            let place = first_behind(&receiver.domain, n_others);
            for size in sizes.by_ref().take(place - n_seen) {
                add(size, &mut starts);
            }
            n_seen = place;
            let reply = spoken(&receiver.says);
            let domain = starts.len();
            let from = vec![From::default(); n_senders];
            limited.push(Limited { receiver, reply, domain, minute: Count::default(), from });
            add(n, &mut starts);
        }
        for size in sizes {
            add(size, &mut starts);
        }
        starts.push(n_readers);
        Self {
            seed,
            others: receivers.others.clone(),
            mailboxes: receivers.mailboxes.clone(),
            limited,
            n_others,
            starts,
            are_new,
            grey: spoken("451 4.7.1 Greylisting in action, please come back later"),
            dead: spoken("450 4.4.1 Connection timed out"),
            gone: spoken("550 5.1.1 User unknown"),
            full: spoken("452 4.2.2 Mailbox full"),
        }
    }

    pub(super) fn n_domains(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn n_readers(&self) -> usize {
        self.starts.last().map_or(0, |end| super::index(*end))
    }

    /// The readers of a domain.
    pub(super) fn readers(&self, domain: usize) -> std::ops::Range<u32> {
        self.starts[domain]..self.starts[domain + 1]
    }

    /// Where a reader reads.
    pub(super) fn domain_of(&self, reader: u32) -> usize {
        self.starts.partition_point(|start| *start <= reader) - 1
    }

    /// The number of a domain among those that have a name in the file.
    pub(super) fn known(&self, domain: usize) -> Option<usize> {
        self.limited.binary_search_by_key(&domain, |limited| limited.domain).ok()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.limited.iter().map(|limited| limited.receiver.domain.as_str())
    }

    pub(super) fn name(&self, domain: usize) -> String {
        match self.limited.binary_search_by_key(&domain, |limited| limited.domain) {
            Ok(n) => self.limited[n].receiver.domain.clone(),
            Err(n) => name_of_other(domain - n, self.n_others),
        }
    }

    /// Which domain has this name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.n_domains());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.name(middle).as_str().cmp(name) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    fn is_gone(&self, reader: u32) -> bool {
        lot(self.seed, GONE, super::index(reader)) < self.mailboxes.gone
    }

    fn is_full(&self, reader: u32) -> bool {
        lot(self.seed, FULL, super::index(reader)) < self.mailboxes.full
    }

    fn is_dead(&self, domain: usize) -> bool {
        self.known(domain).is_none() && lot(self.seed, DEAD, domain) < self.others.dead
    }

    /// Whether somebody can be reached at all.
    pub(super) fn can_be_reached(&self, reader: u32, domain: usize) -> bool {
        !self.is_gone(reader) && !self.is_full(reader) && !self.is_dead(domain)
    }

    /// What the domain says to a letter that comes `at` this time from the address of a sender, after `attempts` others.
    pub(super) fn answer(
        &mut self,
        reader: u32,
        domain: usize,
        sender: usize,
        attempts: u32,
        at: u64,
    ) -> Answer<'_> {
        let Some(n) = self.known(domain) else {
            if self.is_dead(domain) {
                return Answer::Refuses(&self.dead);
            }
            let greylists = lot(self.seed, GREYLISTING, domain) < self.others.greylisting;
            if greylists && attempts == 0 {
                return Answer::Refuses(&self.grey);
            }
            return match self.of_mailbox(reader) {
                Some(reply) => Answer::Refuses(reply),
                None => Answer::Takes(u64::from(self.others.answer_ms) * 1000),
            };
        };
        let limited = &self.limited[n];
        let Receiver { per_minute, per_minute_each, at_once, first_day, .. } = limited.receiver;
        let (minute, day) = (at / MINUTE, at / DAY);
        let from = limited.from[sender];
        let of_day = first_day
            .filter(|_| self.are_new)
            .map(|first| first.saturating_mul(2_u32.saturating_pow(super::days(day))));
        let is_too_much = limited.minute.is_full(minute, per_minute)
            || from.minute.is_full(minute, per_minute_each)
            || from.day.is_full(day, of_day)
            || at_once.is_some_and(|most| from.at_once >= most);
        if is_too_much {
            return Answer::Refuses(&self.limited[n].reply);
        }
        if self.is_gone(reader) {
            return Answer::Refuses(&self.gone);
        }
        if self.is_full(reader) {
            return Answer::Refuses(&self.full);
        }
        let limited = &mut self.limited[n];
        limited.minute.add(minute);
        let from = &mut limited.from[sender];
        from.minute.add(minute);
        from.day.add(day);
        from.at_once += 1;
        Answer::Takes(u64::from(limited.receiver.answer_ms) * 1000)
    }

    fn of_mailbox(&self, reader: u32) -> Option<&Reply> {
        if self.is_gone(reader) { Some(&self.gone) } else { self.is_full(reader).then_some(&self.full) }
    }

    /// A letter that was taken is in its mailbox: the domain has a place free again.
    pub(super) fn has_taken(&mut self, domain: usize, sender: usize) {
        if let Some(n) = self.known(domain) {
            let from = &mut self.limited[n].from[sender];
            from.at_once = from.at_once.saturating_sub(1);
        }
    }
}

/// How many readers each of the other domains has: most have one, a few have many.
fn sizes_of_others(readers: u32, chance: &mut Chance) -> Vec<u32> {
    let most = (readers / u32::try_from(MOST_OF_OTHERS).unwrap_or(1)).max(4);
    let mut sizes = Vec::new();
    let mut left = readers;
    while left > 0 {
        // Pareto's law, with an exponent of 1.3.
        let size = super::rounded((1.0 - chance.part()).powf(-1.0 / 1.3).floor());
        let size = size.clamp(1, most).min(left);
        sizes.push(size);
        left -= size;
    }
    sizes
}

const LETTERS: usize = 26_usize.pow(6);

/// The name of one of the other domains; their order is that of their numbers.
fn name_of_other(n: usize, of: usize) -> String {
    let mut rest = n * (LETTERS / of.max(1)).max(1);
    let mut name = [0_u8; 6];
    for letter in name.iter_mut().rev() {
        *letter = b'a' + u8::try_from(rest % 26).unwrap_or(0);
        rest /= 26;
    }
    name.iter().map(|letter| char::from(*letter)).chain(".example".chars()).collect()
}

/// The number of the first of the other domains whose name is behind this one.
fn first_behind(name: &str, of: usize) -> usize {
    let (mut low, mut high) = (0, of);
    while low < high {
        let middle = low + (high - low) / 2;
        if name_of_other(middle, of).as_str() < name { low = middle + 1 } else { high = middle }
    }
    low
}
