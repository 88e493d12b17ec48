//! Names that are not manuscripts: what editors, browsers, sync tools and we ourselves leave in a folder.

/// How the note ends that tells an editor why a file was not published.
pub(super) const REASON: &str = ".reason.txt";

/// How the file ends in which an editor corrects our reading of another.
pub(super) const PROOF: &str = ".proof.md";

/// Endings of files that somebody is still writing, or keeps for himself.
const ENDINGS: [&str; 20] = [
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
    PROOF,
];

/// Beginnings of such files.
const BEGINNINGS: [&str; 5] = [".", "~$", "#", "._", ".~lock."];

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
    if BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)) {
        return Some("its name begins like a hidden or temporary file");
    }
    if super::manuscript_of(std::path::Path::new(name)).is_some() {
        return None;
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
            "0709.proof.md",
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
        ] {
            assert_eq!(passed_over(name), None, "{name}");
        }
    }
}
