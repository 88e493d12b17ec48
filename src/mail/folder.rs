//! Letters as files, where no mail server is set: a file a letter, named by its Message-ID, so that none is there twice.

use std::{io, path::Path};

use super::letter::Letter;
use crate::durable;

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
