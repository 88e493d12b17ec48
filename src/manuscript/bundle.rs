//! An issue with its pictures: which file of a folder or zip is the manuscript, and what may be in a zip.

use std::collections::HashSet;
use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

use super::companions::{Companion, Companions, folded};
use super::zip_names::{self, Raw};
use super::{Form, MAX_PICTURE_BYTES, charset, is_picture};

/// The largest zip that is read, in bytes.
pub(super) const MAX_ARCHIVE: usize = 200_000_000;

/// The most files in a folder or zip.
pub const MAX_FILES: usize = 2000;

/// The most bytes of a folder, or of a zip unpacked.
pub const MAX_TOTAL: u64 = 200_000_000;

/// The most bytes of one file of a zip.
const MAX_ENTRY: u64 = 100_000_000;

/// How many times its packed size a file may have; above it there is nothing but repetition.
const MAX_RATIO: u64 = 200;

/// Files below this size may be packed as tightly as they like.
const TINY: u64 = 1_000_000;

/// Names of main files, in order of preference.
const MAIN: [&str; 4] = ["index.md", "index.txt", "issue.md", "index.html"];

/// The manuscript among the files of a folder or zip: the one that is called `index.md`, `index.txt`, `issue.md` or `index.html` on the
/// uppermost level, or else the only one there is. A PDF beside a text is that text in print; where there is no other, it is the
/// manuscript itself.
#[must_use]
pub fn main_of<'n>(names: &[&'n str]) -> Option<&'n str> {
    let named = |main: &&str| names.iter().find(|name| is_text(name) && folded(name) == **main);
    if let Some(main) = MAIN.iter().find_map(named) {
        return Some(main);
    }
    let has_text = names.iter().any(|name| is_text(name) && !is_pdf(name));
    let mut texts = names.iter().filter(|name| is_text(name) && is_pdf(name) != has_text);
    texts.next().filter(|_| texts.next().is_none()).copied()
}

/// Whether a file of this name is a folder's or zip's main file, whatever else there is.
#[must_use]
pub fn is_main(name: &str) -> bool {
    is_text(name) && MAIN.contains(&&*folded(name))
}

/// Whether a file of this name can be the manuscript of a folder or zip.
#[must_use]
pub fn is_text(name: &str) -> bool {
    Form::of(name.rsplit('/').next().unwrap_or(name)).is_some_and(|form| form != Form::Archive)
}

fn is_pdf(name: &str) -> bool {
    Form::of(name) == Some(Form::Pdf)
}

/// A zip's main file with what came with it.
#[derive(Debug)]
pub(super) struct Bundle {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    pub(super) beside: Companions,
}

/// Whether the bytes have the table of contents that ends a zip: without it more is probably on its way.
pub(super) fn has_end(bytes: &[u8]) -> bool {
    ZipArchive::new(Cursor::new(bytes)).is_ok()
}

/// Opens a zip, in memory: every file is unpacked, its checksum compared and its bytes counted, whatever its head claims.
///
/// # Errors
/// What its editor can do about it.
pub(super) fn open(bytes: &[u8]) -> Result<Bundle, String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|_| "it is damaged or not copied whole; pack and copy it again".to_owned())?;
    if archive.len() > MAX_FILES {
        return Err(format!("it has {} files, and at most {MAX_FILES} are read", archive.len()));
    }
    if archive.has_overlapping_files().unwrap_or(true) {
        return Err("its files lie one over the other, as no program packs them; pack it again".to_owned());
    }
    let names = names_of(&mut archive, bytes.len())?;
    let mut files = Vec::new();
    let mut seen = HashSet::new();
    let mut total = 0;
    for (nth, name) in names.into_iter().enumerate() {
        let mut entry = archive.by_index(nth).map_err(|error| unreadable(&error, nth))?;
        let name = enclosed(&name)?;
        if entry.is_symlink() {
            return Err(format!("`{name}` in it is a link; pack the file itself"));
        }
        if !seen.insert(folded(&name)) {
            return Err(format!(
                "it has two files called `{name}`, or so alike that some systems cannot tell them apart"
            ));
        }
        if entry.is_dir() {
            continue;
        }
        let content = unpack(&mut entry, &name, bytes.len(), &mut total)?;
        if !is_passed_over(&name) {
            files.push((name, content));
        }
    }
    strip_wrapping(&mut files);
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let Some(main) = main_of(&names).map(str::to_owned) else {
        let n_texts = names.iter().filter(|name| is_text(name)).count();
        return Err(if n_texts == 0 {
            "there is no text in it; add the issue as `index.md` or `index.txt`".to_owned()
        } else {
            format!("there are {n_texts} texts in it; call the issue's own `index.md` or `index.txt`")
        });
    };
    let mut text = Vec::new();
    let mut beside = Vec::with_capacity(files.len());
    for (name, content) in files {
        if name == main {
            text = content;
        } else if is_picture(&name) {
            let picture = if content.len() > MAX_PICTURE_BYTES {
                Companion::Large(content.len() as u64)
            } else {
                Companion::Picture(content)
            };
            beside.push((name, picture));
        } else {
            beside.push((name, Companion::Other));
        }
    }
    let most = super::max_bytes(&main);
    if text.len() > most {
        return Err(format!("`{main}` in it has {} bytes, and at most {most} are read", text.len()));
    }
    Ok(Bundle { beside: Companions::of(&main, beside), name: main, bytes: text })
}

fn unreadable(error: &ZipError, nth: usize) -> String {
    match error {
        ZipError::UnsupportedArchive(what) if *what == ZipError::PASSWORD_REQUIRED => {
            "it is locked with a password; pack it again without".to_owned()
        }
        ZipError::UnsupportedArchive(_) => {
            "it is packed in a way that we do not read; pack it again as a plain zip".to_owned()
        }
        _ => format!("file number {} in it is damaged; pack and copy it again", nth + 1),
    }
}

/// The names of all files, in their order.
fn names_of(archive: &mut ZipArchive<Cursor<&[u8]>>, whole: usize) -> Result<Vec<String>, String> {
    let mut raw = Vec::with_capacity(archive.len());
    for nth in 0..archive.len() {
        let entry = archive.by_index_raw(nth).map_err(|error| unreadable(&error, nth))?;
        // Of a name that is said to be UTF-8, or is ASCII, both are the same bytes.
        let sure = entry.name().as_bytes() == entry.name_raw();
        raw.push(Raw { name: entry.name_raw().to_vec(), sure });
    }
    // What the names end with is ASCII in every charset.
    let ends = |name: &[u8], end: &str| name.to_ascii_lowercase().ends_with(end.as_bytes());
    let is_main = |raw: &Raw| MAIN.iter().any(|main| ends(&raw.name, main));
    let is_text =
        |raw: &Raw| [".md", ".markdown", ".txt", ".html", ".htm"].iter().any(|end| ends(&raw.name, end));
    let text = raw.iter().position(is_main).or_else(|| raw.iter().position(is_text));
    Ok(zip_names::decoded(&raw, || {
        let mut entry = archive.by_index(text?).ok()?;
        let bytes = unpack(&mut entry, "a.txt", whole, &mut 0).ok()?;
        let (text, charset) = charset::decode(&bytes, true).ok()?;
        Some((text, charset.name))
    }))
}

/// The name of a file, if it is one that leads nowhere else.
fn enclosed(name: &str) -> Result<String, String> {
    let plain = name.strip_suffix('/').unwrap_or(name);
    let enclosed = !plain.contains(['\\', '\0'])
        && !plain.split('/').next().unwrap_or_default().contains(':')
        && plain.split('/').all(|segment| !matches!(segment, "" | "." | ".."));
    if enclosed {
        Ok(plain.to_owned())
    } else {
        Err(format!("a file in it is called `{}`, which leads out of it; pack it again", name.escape_debug()))
    }
}

/// The bytes of a file that may be of use; of another, none, but it is read to its end all the same.
fn unpack<R: Read>(
    entry: &mut ZipFile<'_, R>,
    name: &str,
    whole: usize,
    total: &mut u64,
) -> Result<Vec<u8>, String> {
    let useful = is_text(name) || is_picture(name);
    // Nothing is packed into more than the whole zip, whatever its head claims.
    let packed = entry.compressed_size().clamp(1, whole.max(1) as u64);
    let mut bytes = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    let mut length: u64 = 0;
    loop {
        let n = entry
            .read(&mut piece)
            .map_err(|_| format!("`{name}` in it is damaged; pack and copy it again"))?;
        if n == 0 {
            return Ok(bytes);
        }
        length += n as u64;
        *total += n as u64;
        if length > MAX_ENTRY {
            return Err(format!(
                "`{name}` in it has more than {} MB; save it smaller",
                MAX_ENTRY / 1_000_000
            ));
        }
        if *total > MAX_TOTAL {
            return Err(format!(
                "its files have more than {} MB together; save them smaller",
                MAX_TOTAL / 1_000_000
            ));
        }
        if length > TINY && length / packed > MAX_RATIO {
            return Err(format!(
                "`{name}` in it unpacks to more than {MAX_RATIO} times its size, as no text or picture does"
            ));
        }
        if useful {
            bytes.extend_from_slice(&piece[..n]);
        }
    }
}

/// What systems put into archives for themselves.
fn is_passed_over(name: &str) -> bool {
    let own = |segment: &str| {
        segment.starts_with('.') || matches!(segment, "__MACOSX" | "Thumbs.db" | "desktop.ini")
    };
    name.split('/').any(own)
}

/// A folder that holds everything is only the wrapping.
fn strip_wrapping(files: &mut [(String, Vec<u8>)]) {
    while let Some(folder) =
        files.first().and_then(|(name, _)| name.split_once('/')).map(|(folder, _)| format!("{folder}/"))
        && files.iter().all(|(name, _)| name.starts_with(&folder))
    {
        for (name, _) in files.iter_mut() {
            name.drain(..folder.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            writer.start_file(*name, SimpleFileOptions::default()).expect("begun");
            writer.write_all(bytes).expect("written");
        }
        writer.finish().expect("packed").into_inner()
    }

    #[track_caller]
    fn check(files: &[(&str, &[u8])], expected: Result<&str, &str>) {
        match (open(&packed(files)), expected) {
            (Ok(bundle), Ok(main)) => assert_eq!(bundle.name, main),
            (Err(reason), Err(part)) => assert!(reason.contains(part), "{reason}"),
            (opened, _) => panic!("{opened:?}"),
        }
    }

    #[test]
    fn the_main_file_of_a_zip_is_found_and_every_trap_is_told() {
        check(&[("a.md", b"x"), ("p/a.png", b"x")], Ok("a.md"));
        check(
            &[("7/Index.md", b"x"), ("7/README.md", b"x"), ("__MACOSX/7/._Index.md", b"x")],
            Ok("Index.md"),
        );
        check(&[("7/text/a.txt", b"x"), ("7/a.png", b"x")], Ok("text/a.txt"));
        check(&[("a.md", b"x"), ("b.md", b"x")], Err("there are 2 texts in it"));
        check(&[("a.md", b"x"), ("a.pdf", b"x")], Ok("a.md"));
        check(&[("a.pdf", b"x"), ("a.png", b"x")], Ok("a.pdf"));
        check(&[("a.pdf", b"x"), ("b.pdf", b"x")], Err("there are 2 texts in it"));
        check(&[("a.png", b"x")], Err("there is no text in it"));
        check(&[("../a.md", b"x")], Err("leads out of it"));
        check(&[("/a.md", b"x")], Err("leads out of it"));
        check(&[("a/..\\..\\a.md", b"x")], Err("leads out of it"));
        check(&[("C:/a.md", b"x")], Err("leads out of it"));
        check(&[("a.md", b"x"), ("A.MD", b"x")], Err("two files called `A.MD`"));
        check(&[("\u{e9}.md", b"x"), ("e\u{301}.md", b"x")], Err("two files called"));
        check(&[("a.md", &vec![b'x'; 3_000_000])], Err("more than 200 times its size"));
        let many: Vec<String> = (0..=MAX_FILES).map(|n| format!("{n}.png")).collect();
        let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), b"".as_slice())).collect();
        check(&many, Err("it has 2001 files"));
    }

    #[test]
    fn a_damaged_zip_is_told_from_one_that_is_on_its_way() {
        let whole =
            packed(&[("a.md", b"These are the words of the issue, and there are some more of them.")]);
        assert!(has_end(&whole) && !has_end(&whole[..whole.len() - 30]));
        let mut wrong = whole.clone();
        wrong[45] ^= 0x55;
        assert!(has_end(&wrong));
        assert!(open(&wrong).expect_err("the checksum is wrong").contains("damaged"));
        let mut linked = ZipWriter::new(Cursor::new(Vec::new()));
        linked.add_symlink("a.md", "/etc/passwd", SimpleFileOptions::default()).expect("a link");
        let linked = linked.finish().expect("packed").into_inner();
        assert!(open(&linked).expect_err("a link").contains("is a link"));
    }
}
