//! Names that are not manuscripts: what editors, browsers, sync tools and we ourselves leave in a folder.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt as _,
};

/// How the note ends that tells an editor why a file was not published.
pub(super) const REASON: &str = ".reason.txt";

/// Endings of files that somebody is still writing, or keeps for himself.
const ENDINGS: [&str; 19] = [
    "~",
    ".swp",
    ".swx",
    ".swo",
    ".part",
    ".partial",
    ".filepart",
    ".crdownload",
    ".download",
    ".opdownload",
    ".tmp",
    ".temp",
    ".bak",
    ".old",
    ".orig",
    ".lock",
    ".sync",
    ".!ut",
    REASON,
];

/// Beginnings of such files.
const BEGINNINGS: [&str; 2] = [".", "~$"];

/// The longest name that file systems take, in bytes.
const LONGEST: usize = 255;

/// The longest name of a manuscript, in bytes: that of its hundredth proof has twelve more.
pub(super) const MOST: usize = LONGEST - ".proof-99.md".len();

/// Why a manuscript of this name cannot be published, if it is too long.
pub(super) fn too_long(name: &OsStr) -> Option<String> {
    (name.len() > MOST).then(|| {
        format!(
            "its name has {} bytes, and its proof, which would lie beside it, none that a file can have; shorten it to {MOST} bytes \
             (a Chinese character has 3)",
            name.len()
        )
    })
}

/// The name of the note about a file: the file's, shortened where it would be too long, and [`REASON`].
pub(super) fn reason_for(name: &OsStr) -> OsString {
    let bytes = name.as_bytes();
    let mut note = match bytes.get(..LONGEST - REASON.len()) {
        Some(_) if bytes.len() > LONGEST - REASON.len() => {
            let text = String::from_utf8_lossy(bytes);
            let room = LONGEST - REASON.len() - 9;
            let end = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            OsString::from(format!("{}-{}", &text[..end], &blake3::hash(bytes).to_hex()[..8]))
        }
        _ => name.to_owned(),
    };
    note.push(REASON);
    note
}

/// Whole names of such files and folders.
const NAMES: [&str; 9] = [
    "4913",
    "Thumbs.db",
    "desktop.ini",
    "@eaDir",
    "__MACOSX",
    "lost+found",
    "node_modules",
    "$RECYCLE.BIN",
    "System Volume Information",
];

/// Why a file or folder of this name is passed over, or `None` when it is looked at.
#[must_use]
pub fn passed_over(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    if name.ends_with(REASON) {
        return Some("it is our own note about another file");
    }
    if NAMES.contains(&name) {
        return Some("its name is that of a system's own file");
    }
    // Emacs saves `#NAME#`; a name such as `#12 Spring.md` is an editor's own.
    let emacs = name.len() > 1 && name.starts_with('#') && name.ends_with('#');
    if emacs || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)) {
        return Some("its name begins like a hidden or temporary file");
    }
    if ENDINGS.iter().any(|ending| lower.ends_with(ending)) {
        return Some("its name ends like a temporary file or a copy");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_note_and_the_proofs_of_a_file_have_names_that_a_file_can_have() {
        for name in ["理".repeat(84), "a".repeat(255), "a".repeat(MOST + 1)] {
            assert!(
                too_long(OsStr::new(&name)).is_some_and(|reason| reason.contains(&name.len().to_string()))
            );
            assert!(reason_for(OsStr::new(&name)).len() <= LONGEST);
        }
        let name = "a".repeat(MOST);
        assert_eq!(too_long(OsStr::new(&name)), None);
        assert!(reason_for(OsStr::new(&name)).len() <= LONGEST);
    }

    #[test]
    fn what_editors_and_sync_tools_leave_is_passed_over() {
        for name in [
            ".0709.txt.swp",
            "0709.txt~",
            "#0709.txt#",
            ".#0709.txt",
            "~$0709.docx",
            ".~lock.0709.odt#",
            "4913",
            "0709.txt.part",
            "0709.TXT.CRDOWNLOAD",
            "0709.txt.filepart",
            ".goutputstream-X1",
            "._0709.txt",
            ".DS_Store",
            "Thumbs.db",
            ".stfolder",
            "@eaDir",
            "0709.txt.reason.txt",
            ".0709.txt.Ab3xYz",
        ] {
            assert!(passed_over(name).is_some(), "{name}");
        }
        for name in [
            "0709.txt",
            "理论 7月9日.txt",
            "README.md",
            "notes.markdown",
            "a\nb.txt",
            "partial.txt",
            "a.md.proof.md",
            "#12 Spring.md",
        ] {
            assert_eq!(passed_over(name), None, "{name}");
        }
    }
}
