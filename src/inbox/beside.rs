//! What we lay beside a manuscript for its editor: the note that says why it is not out, and its proofs.

use std::{
    ffi::OsStr,
    fs, io,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
};

use super::names;
use crate::{durable, fault::Point, fault::reached};

/// The most proofs that one manuscript may have.
const MOST: u32 = 99;

/// The manuscript that a file of this name is a proof of: `0709.txt` of `0709.txt.proof.md` and `0709.txt.proof-2.md`. It may
/// be a folder.
#[must_use]
pub fn manuscript_of(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.as_bytes().strip_suffix(b".md")?;
    let digits = name.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (rest, number) = name.split_at(name.len() - digits);
    let number: u32 = if digits > 0 { std::str::from_utf8(number).ok()?.parse().ok()? } else { 1 };
    let of = rest.strip_suffix(if digits > 0 { b".proof-".as_slice() } else { b".proof" })?;
    let ours = (1..=MOST).contains(&number)
        && name[of.len()..] == ending(number).as_bytes()[..name.len() - of.len()];
    Some(of)
        .filter(|of| ours && !of.is_empty() && !of.ends_with(b".proof.md"))
        .map(|of| path.with_file_name(OsStr::from_bytes(of)))
}

/// The name of a manuscript's proof, the first or a later one.
#[must_use]
pub fn proof_of(manuscript: &Path, number: u32) -> PathBuf {
    let mut name = manuscript.as_os_str().as_bytes().to_vec();
    name.extend(ending(number).into_bytes());
    PathBuf::from(std::ffi::OsString::from_vec(name))
}

/// What the name of a proof of that number adds to its manuscript's.
fn ending(number: u32) -> String {
    if number > 1 { format!(".proof-{number}.md") } else { ".proof.md".to_owned() }
}

/// The proofs that lie beside a manuscript, with their bytes.
///
/// # Errors
/// When one is there and cannot be read.
pub fn proofs(root: &Path, manuscript: &Path) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut proofs = Vec::new();
    for number in 1..=MOST {
        let path = proof_of(manuscript, number);
        match fs::read(root.join(&path)) {
            Ok(bytes) => proofs.push((path, bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // An editor may have deleted the first and kept the second.
                if number > 2 {
                    break;
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(proofs)
}

/// Lays a proof into the inbox, or takes it away. The caller makes sure that it is no editor's work.
///
/// # Errors
/// When the inbox cannot be written to.
pub fn lay(root: &Path, proof: &Path, text: Option<&str>) -> io::Result<()> {
    let path = root.join(proof);
    match text {
        Some(text) => durable::put(&path, text.as_bytes()).map(|_| ())?,
        None => durable::remove(&path)?,
    }
    reached(Point::NoteLaid);
    Ok(())
}

/// Lays a note beside a file that says why it was not published, or takes it away.
///
/// # Errors
/// When the inbox cannot be written to.
pub fn tell(root: &Path, path: &Path, reason: Option<&str>) -> io::Result<()> {
    let note = note_of(root, path);
    match reason {
        Some(reason) => durable::put(&note, format!("{reason}\n").as_bytes()).map(|_| ())?,
        None => durable::remove(&note)?,
    }
    reached(Point::NoteLaid);
    Ok(())
}

/// Where the note about a file lies.
pub(super) fn note_of(root: &Path, path: &Path) -> PathBuf {
    root.join(path).with_file_name(names::reason_for(path.file_name().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_known_by_the_name_of_its_manuscript() {
        let of = |name: &str| manuscript_of(Path::new(name)).map(|p| p.to_string_lossy().into_owned());
        assert_eq!(of("a/0709.txt.proof.md").as_deref(), Some("a/0709.txt"));
        assert_eq!(of("0709.txt.proof-2.md").as_deref(), Some("0709.txt"));
        assert_eq!(of("理论.md.proof.md").as_deref(), Some("理论.md"));
        assert_eq!(of("2026-07-08.proof.md").as_deref(), Some("2026-07-08"));
        assert_eq!(of("2026-07-08.proof-3.md").as_deref(), Some("2026-07-08"));
        for name in [
            "proof.md",
            "0709.md",
            "a.md.proof.md.proof.md",
            ".proof.md",
            "a.proof-1.md",
            "a.proof-02.md",
            "a.proof-100.md",
        ] {
            assert_eq!(of(name), None, "{name}");
        }
        for number in [1, 2, 12] {
            assert_eq!(of(&proof_of(Path::new("a.md"), number).to_string_lossy()).as_deref(), Some("a.md"));
        }
    }
}
