//! Work on several things at once, by all cores of the machine.

use std::{
    cell::Cell,
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

thread_local! {
    /// Whether this thread works for [`each`], so that all cores have something to do already.
    static AT_WORK: Cell<bool> = const { Cell::new(false) };
}

/// What two pieces of work make: the first is done on this thread, the other on one beside it, unless all cores are at work already.
pub fn both<A, B: Send>(first: impl FnOnce() -> A, other: impl FnOnce() -> B + Send) -> (A, B) {
    if AT_WORK.get() {
        return (first(), other());
    }
    thread::scope(|scope| {
        let other = scope.spawn(other);
        (first(), made(other))
    })
}

/// What `work` makes of each thing, in their order, on as many threads as there are cores; what it does in this way itself, it does alone.
pub fn each<T: Sync, R: Send>(things: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let one = || {
        let nth = next.fetch_add(1, Ordering::Relaxed);
        things.get(nth).map(|thing| (nth, work(thing)))
    };
    let some = || {
        let _at_work = AtWork::begin();
        std::iter::from_fn(one).collect::<Vec<(usize, R)>>()
    };
    let n_threads = if AT_WORK.get() { 1 } else { things.len().min(*CORES) };
    let mut all = thread::scope(|scope| {
        let others: Vec<_> = (1..n_threads).map(|_| scope.spawn(some)).collect();
        let mut all = some();
        all.extend(others.into_iter().flat_map(made));
        all
    });
    all.sort_unstable_by_key(|(nth, _)| *nth);
    all.into_iter().map(|(_, made)| made).collect()
}

/// This thread works for [`each`], until this is dropped.
struct AtWork {
    before: bool,
}

impl AtWork {
    fn begin() -> Self {
        Self { before: AT_WORK.replace(true) }
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        AT_WORK.set(self.before);
    }
}

/// A fault on another thread is one of whoever waits for it.
fn made<T>(other: ScopedJoinHandle<'_, T>) -> T {
    other.join().unwrap_or_else(|fault| panic::resume_unwind(fault))
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

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
        let here = thread::current().id();
        let beside = || assert_eq!(thread::current().id(), here, "on another thread");
        assert!(panic::catch_unwind(|| both(|| (), beside)).is_err());
        // All wait for each other, so that each has a thread of its own.
        let all = Barrier::new((*CORES).min(2));
        let fault = panic::catch_unwind(|| {
            each(&[1, 2][..(*CORES).min(2)], |_| {
                all.wait();
                assert!(*CORES > 1, "the only one");
                beside();
            })
        });
        assert!(fault.is_err());
    }

    #[test]
    fn who_works_beside_others_works_alone() {
        let threads = each(&[(); 8], |()| {
            let here = thread::current().id();
            let ((), beside) = both(|| (), || thread::current().id());
            let inner = each(&[(); 8], |()| thread::current().id());
            inner.iter().chain([&beside]).all(|thread| *thread == here)
        });
        assert_eq!(threads, [true; 8]);
        assert!(!AT_WORK.get());
    }
}
