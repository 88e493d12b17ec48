//! When a file is whole: nobody has changed it for the quiet time, and nobody has it open for writing.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _},
    os::{fd::AsRawFd as _, unix::fs::OpenOptionsExt as _},
    path::Path,
};

use super::scan::Signature;

/// What taking a settled file gave.
#[derive(Debug)]
pub(super) enum Taken {
    /// Its bytes, unchanged from the first to the last.
    Whole(Vec<u8>),
    /// Somebody is writing it; it has to settle again.
    Busy,
    /// It has more bytes than we read: so many.
    Large(u64),
}

/// Whether the files below `root` are on a disk of this machine, where events come and leases tell of writers. On a
/// network mount, or a file system that we do not know, neither is to be relied on.
#[must_use]
#[allow(clippy::useless_conversion, reason = "the field is of another type on other machines")]
pub fn is_local(root: &Path) -> bool {
    // The magic numbers of linux/magic.h: ext2 to ext4, XFS, Btrfs, tmpfs, overlayfs, F2FS, ZFS, bcachefs, ramfs.
    const LOCAL: [u64; 9] = [
        0xEF53,
        0x5846_5342,
        0x9123_683E,
        0x0102_1994,
        0x794C_7630,
        0xF2F5_2010,
        0x2FC1_2FC1,
        0xCA45_1A4E,
        0x8584_58F6,
    ];
    rustix::fs::statfs(root)
        .is_ok_and(|disk| LOCAL.contains(&(u64::from(disk.f_type.cast_unsigned()) & 0xFFFF_FFFF)))
}

/// Takes a file whose signature has been `signature` for the quiet time: reads it, and makes sure that nobody wrote
/// meanwhile. At most `limit` bytes.
pub(super) fn take(path: &Path, signature: &Signature, limit: u64) -> io::Result<Taken> {
    // Never follow a link, never wait for a pipe that took the file's place.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)?;
    let before = file.metadata()?;
    if !before.is_file() || Signature::of(&before) != *signature || has_writer(&file) {
        return Ok(Taken::Busy);
    }
    if before.len() > limit {
        return Ok(Taken::Large(before.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(before.len()).unwrap_or(0));
    (&file).take(limit + 1).read_to_end(&mut bytes)?;
    let unchanged = Signature::of(&file.metadata()?) == *signature
        && fs::symlink_metadata(path).is_ok_and(|now| Signature::of(&now) == *signature);
    Ok(if unchanged { Taken::Whole(bytes) } else { Taken::Busy })
}

/// Whether the bytes look like the beginning of a text: there are none, or they end inside a character of UTF-8.
pub(super) fn is_cut(bytes: &[u8]) -> bool {
    bytes.is_empty() || std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

/// Whether somebody has the file open for writing, or mapped so: then the kernel grants no read lease (fcntl(2), `F_SETLEASE`).
/// `false` also where the kernel would not say: another's file, or a file system without leases.
#[expect(unsafe_code, reason = "no crate wraps F_SETLEASE")]
fn has_writer(file: &File) -> bool {
    let fd = file.as_raw_fd();
    // SAFETY: `fd` is open while `file` is borrowed, and both commands take an integer and touch no memory of ours.
    let leased = unsafe { libc::fcntl(fd, libc::F_SETLEASE, libc::F_RDLCK) };
    if leased == 0 {
        // Kept, the lease would stall the next writer.
        // SAFETY: as above.
        unsafe { libc::fcntl(fd, libc::F_SETLEASE, libc::F_UNLCK) };
        return false;
    }
    io::Error::last_os_error().raw_os_error() == Some(libc::EAGAIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn signature(path: &Path) -> Signature {
        Signature::of(&fs::symlink_metadata(path).expect("there"))
    }

    #[test]
    fn a_file_that_is_open_for_writing_is_not_taken() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("0709.txt");
        let mut writer = File::create(&path).expect("created");
        writer.write_all(b"half").expect("written");
        assert!(matches!(take(&path, &signature(&path), 100), Ok(Taken::Busy)));
        writer.write_all(b" and half").expect("written");
        drop(writer);
        let taken = take(&path, &signature(&path), 100).expect("readable");
        assert!(matches!(taken, Taken::Whole(bytes) if bytes == b"half and half"));
        assert!(matches!(take(&path, &signature(&path), 5), Ok(Taken::Large(13))));
    }

    #[test]
    fn a_file_that_changed_since_it_was_listed_is_not_taken() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("0709.txt");
        fs::write(&path, b"one").expect("written");
        let listed = signature(&path);
        fs::write(&path, b"another").expect("written");
        assert!(matches!(take(&path, &listed, 100), Ok(Taken::Busy)));
        fs::remove_file(&path).expect("removed");
        std::os::unix::fs::symlink("/etc/hostname", &path).expect("linked");
        assert!(take(&path, &signature(&path), 100).is_err(), "a link is never followed");
    }
}
