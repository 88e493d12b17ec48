//! What nobody can guess, from the system's random numbers: keys, tokens, names.

use std::{fmt::Write as _, io};

use ring::rand::{SecureRandom as _, SystemRandom};

/// So many random bytes.
///
/// # Errors
/// When the system has none.
pub fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    let none = |_| io::Error::other("the system has no random numbers");
    SystemRandom::new().fill(&mut bytes).map_err(none).map(|()| bytes)
}

/// A random word of 128 bits, in hexadecimal.
///
/// # Errors
/// As [`bytes`].
pub fn word() -> io::Result<String> {
    let mut word = String::new();
    for byte in bytes::<16>()? {
        // A string takes all that is written.
        let _ = write!(word, "{byte:02x}");
    }
    Ok(word)
}
