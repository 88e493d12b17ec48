//! Work on several things at once, by all cores of the machine.

use std::{
    num::NonZero,
    panic,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, ScopedJoinHandle},
};

/// How many threads can be at work; asked once, for the answer is put together from files.
static CORES: LazyLock<usize> = LazyLock::new(|| thread::available_parallelism().map_or(1, NonZero::get));

/// What two pieces of work make: the first is done on this thread, the other on one beside it.
pub fn both<A, B: Send>(first: impl FnOnce() -> A, other: impl FnOnce() -> B + Send) -> (A, B) {
    thread::scope(|scope| {
        let other = scope.spawn(other);
        (first(), made(other))
    })
}

/// What `work` makes of each thing, in their order, on as many threads as there are cores.
pub fn each<T: Sync, R: Send>(things: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let one = || {
        let nth = next.fetch_add(1, Ordering::Relaxed);
        things.get(nth).map(|thing| (nth, work(thing)))
    };
    let some = || std::iter::from_fn(one).collect::<Vec<(usize, R)>>();
    let mut all = thread::scope(|scope| {
        let others: Vec<_> = (1..things.len().min(*CORES)).map(|_| scope.spawn(some)).collect();
        let mut all = some();
        all.extend(others.into_iter().flat_map(made));
        all
    });
    all.sort_unstable_by_key(|(nth, _)| *nth);
    all.into_iter().map(|(_, made)| made).collect()
}

/// A fault on another thread is one of whoever waits for it.
fn made<T>(other: ScopedJoinHandle<'_, T>) -> T {
    other.join().unwrap_or_else(|fault| panic::resume_unwind(fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_done_first_the_order_is_that_of_the_things() {
        let numbers: Vec<usize> = (0..500).collect();
        assert_eq!(each(&numbers, |n| n * 2), numbers.iter().map(|n| n * 2).collect::<Vec<_>>());
        assert_eq!(each(&numbers[..1], |n| n + 7), [7]);
        assert_eq!(each(&numbers[..0], |n| *n), [0; 0]);
        assert_eq!(both(|| "here", || "there"), ("here", "there"));
    }

    #[test]
    fn a_fault_is_not_lost() {
        let fault = panic::catch_unwind(|| each(&[1, 2, 3], |n| assert_ne!(*n, 3, "three")));
        assert!(fault.is_err());
    }
}
