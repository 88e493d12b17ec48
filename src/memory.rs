//! Memory that nobody uses any more, given back to the system: an allocator keeps what it freed between pieces that live long, and
//! drawing a cover frees some megabytes each time.

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
