//! Letters as files, where no mail server is set: a file a letter, named by its Message-ID, so that none is there twice.

use std::{
    fs,
    io::{self, BufRead as _, BufReader},
    path::Path,
};

use super::letter::Letter;
use crate::{durable, subscriber::Address};

/// Lays a letter into `folder` as `MESSAGE-ID.eml`, with the envelope in front as `Return-Path` and `Delivered-To`.
pub(super) fn deliver(folder: &Path, letter: &Letter) -> io::Result<String> {
    let safe = |c: char| if c.is_ascii_alphanumeric() || ".-_@".contains(c) { c } else { '_' };
    let name: String = letter.id.chars().map(safe).collect();
    let path = folder.join(format!("{name}.eml"));
    let mut text = format!("Return-Path: <{}>\r\nDelivered-To: {}\r\n", letter.from, letter.to).into_bytes();
    text.extend_from_slice(&letter.message());
    durable::put(&path, &text)?;
    Ok(format!("laid into `{}`", path.display()))
}

/// Removes the letters to an address from the folder of letters. Gives how many there were; a folder that is not there has none.
///
/// # Errors
/// When the folder cannot be read, or a letter not be removed; some may be gone then.
pub fn remove_letters_to(folder: &Path, address: &Address) -> io::Result<usize> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut n_removed = 0;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "eml") && is_to(&path, address)? {
            fs::remove_file(&path)?;
            n_removed += 1;
        }
    }
    Ok(n_removed)
}

/// Whether a letter that was laid into the folder went to this address.
fn is_to(path: &Path, address: &Address) -> io::Result<bool> {
    for line in BufReader::new(fs::File::open(path)?).lines().take(2) {
        // What is no text was not laid there by us.
        let Ok(line) = line else { return Ok(false) };
        if let Some(to) = line.strip_prefix("Delivered-To: ") {
            return Ok(to.trim_end().eq_ignore_ascii_case(address.as_str()));
        }
    }
    Ok(false)
}
