//! Memory that nobody uses any more, given back to the system: an allocator keeps what it freed between pieces that live long, and
//! drawing a cover frees some megabytes each time.

/// From how many bytes on a piece of memory is the system's own, which has it back when it is freed. The allocator would raise that by itself
/// to the largest piece that was ever freed, and keep all below.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE: i32 = 8 << 20;

/// How many free bytes at the end of what a thread has are kept between two pieces of work. The allocator would give back all but
/// 128 kB each time: the pages of an issue and its cover were then asked for anew 5,300 times, a fifth of what an issue costs.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT: i32 = 32 << 20;

/// In how many places threads may have their memory. Those that print and pack come and go, and the allocator would give each the place
/// that was left last, of up to eight a core: all of them then keep what one issue needs. Under an
/// issue a second 95 MB were resident with 16, and 64 with 4.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const ARENAS: i32 = 4;

/// Says, once and before there are other threads, in how many places memory lies and how much may be kept for later.
pub fn keep_some() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(unsafe_code, reason = "there is no safe name for it; it sets numbers (mallopt(3))")]
    // SAFETY: each takes two numbers, and answers 0 for what it does not know.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, ARENAS);
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT);
    }
}

/// Gives back what is free. It takes some milliseconds, in which others may wait for memory.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(
        unsafe_code,
        reason = "there is no safe name for it; it touches no memory that is in use (malloc_trim(3))"
    )]
    // SAFETY: it may be called at any time, by any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}
