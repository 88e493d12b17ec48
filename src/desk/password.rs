//! The one password of the desk: made by us, kept as its argon2id hash, and tried.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};

use crate::random;

/// The fewest characters of a password that somebody chose, and
const SHORTEST: usize = 12;

/// the most bytes of one that is tried or chosen: to hash a longer one is a way to keep us busy.
const LONGEST: usize = 256;

/// The letters of the passwords that we make: none is taken for another.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A password could not be made, kept or tried.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its file could not be read or written.
    #[error("cannot use the desk's password in `{}`", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A chosen password is too short or too long.
    #[error(
        "the password has {found} characters; choose one of {SHORTEST} characters or more, and {LONGEST} bytes at most"
    )]
    Length {
        /// How many characters it has.
        found: usize,
    },
}

/// Where the desk keeps the hash of its password.
#[derive(Debug, Clone)]
pub struct Password {
    path: PathBuf,
}

impl Password {
    /// The password whose hash is in `path`.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Makes a password where there is none yet, and gives it: this is the only time that anybody sees it.
    ///
    /// # Errors
    /// When its file cannot be read or written.
    pub fn first(&self) -> Result<Option<String>, Error> {
        match fs::symlink_metadata(&self.path) {
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.renew().map(Some),
            Err(source) => Err(self.failed(source)),
        }
    }

    /// Makes a new password, instead of any before, and gives it. Whoever is logged in by another is no longer.
    ///
    /// # Errors
    /// When its file cannot be written.
    pub fn renew(&self) -> Result<String, Error> {
        let letters: Vec<u8> = random::bytes::<20>()
            .map_err(|source| self.failed(source))?
            .iter()
            .map(|byte| LETTERS[usize::from(byte % 32)])
            .collect();
        let parts: Vec<String> =
            letters.chunks(4).map(|part| String::from_utf8_lossy(part).into_owned()).collect();
        let password = parts.join("-");
        self.keep(&password)?;
        Ok(password)
    }

    /// Takes a password that somebody chose, instead of any before.
    ///
    /// # Errors
    /// [`Error::Length`] for one that is too short or too long, or when its file cannot be written.
    pub fn choose(&self, password: &str) -> Result<(), Error> {
        let found = password.chars().count();
        if found < SHORTEST || password.len() > LONGEST {
            return Err(Error::Length { found });
        }
        self.keep(password)
    }

    /// Whether this is the password. It takes some memory and time on purpose (argon2id with 19 MiB and two passes, as OWASP
    /// advises), but for one that cannot be it by its length.
    ///
    /// # Errors
    /// When its file cannot be read, or holds no hash.
    pub fn is(&self, tried: &str) -> Result<bool, Error> {
        if tried.is_empty() || tried.len() > LONGEST {
            return Ok(false);
        }
        let text = fs::read_to_string(&self.path).map_err(|source| self.failed(source))?;
        let hash = PasswordHash::new(text.trim())
            .map_err(|_| self.failed(io::Error::new(io::ErrorKind::InvalidData, "it holds no hash")))?;
        Ok(Argon2::default().verify_password(tried.as_bytes(), &hash).is_ok())
    }

    /// What tells this password from every other: it changes when a new one is made. `None` where there is none.
    #[must_use]
    pub(super) fn stamp(&self) -> Option<blake3::Hash> {
        fs::read(&self.path).ok().map(|bytes| blake3::hash(&bytes))
    }

    fn keep(&self, password: &str) -> Result<(), Error> {
        let salt = random::bytes::<16>().map_err(|source| self.failed(source))?;
        let hash = Argon2::default()
            .hash_password_with_salt(password.as_bytes(), &salt)
            .map_err(|error| self.failed(io::Error::other(error.to_string())))?;
        let temporary = self.path.with_extension("new");
        let write = || {
            let _ = fs::remove_file(&temporary);
            let mut file =
                fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
            writeln!(file, "{hash}")?;
            file.sync_all()?;
            fs::rename(&temporary, &self.path)
        };
        write().map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::File { path: self.path.clone(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_alone_until_there_is_a_new_one() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let password = Password::at(&folder.path().join("desk.password"));
        let first = password.first().expect("made").expect("the first");
        assert_eq!(password.first().expect("looked"), None);
        let kept = fs::read_to_string(folder.path().join("desk.password")).expect("kept");
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && !kept.contains(&first), "{kept}");
        assert!(password.is(&first).expect("tried"));
        let stamp = password.stamp();
        let second = password.renew().expect("made");
        assert_ne!(stamp, password.stamp());
        assert!(password.is(&second).expect("tried") && !password.is(&first).expect("tried"));
    }

    #[test]
    fn a_chosen_password_is_neither_short_nor_endless() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let password = Password::at(&folder.path().join("desk.password"));
        assert!(matches!(password.choose("潮水"), Err(Error::Length { found: 2 })));
        assert!(password.choose(&"x".repeat(257)).is_err());
        password.choose("潮水每天来两次今天也一样").expect("chosen");
        assert!(password.is("潮水每天来两次今天也一样").expect("tried"));
        for wrong in ["", "潮水", &"x".repeat(100_000)] {
            assert!(!password.is(wrong).expect("tried"));
        }
    }
}
