//! The files beside a manuscript, and the pictures among them that its text shows.

use std::collections::HashMap;
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization as _;

use super::develop::{self, Developed};
use super::draft::Draft;
use crate::{issue, picture::PictureName, picture::Plate, proof::Doubt, typography};

/// The most pictures of one issue.
const MAX_PICTURES: usize = 200;

/// The largest picture that is read, in bytes.
pub const MAX_PICTURE_BYTES: usize = develop::MAX_BYTES;

/// A file beside a manuscript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Companion {
    /// A picture, by its bytes.
    Picture(Vec<u8>),
    /// A picture with so many bytes that it was not read.
    Large(u64),
    /// Anything else; it is known by its name only.
    Other,
}

/// The files that came with a manuscript, by their names: relative to the folder or archive, with `/` between folders.
#[derive(Debug, Clone, Default)]
pub struct Companions(Arc<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    /// The folder of the manuscript itself, which addresses are relative to; empty for the uppermost.
    folder: String,
    files: Vec<(String, Companion)>,
    /// The file of every name's end that only one file has: `a/b.png`, `b.png`.
    by_end: HashMap<String, Option<usize>>,
}

impl Companions {
    /// The companions of a manuscript that is called `main` among them.
    #[must_use]
    pub fn of(main: &str, mut files: Vec<(String, Companion)>) -> Self {
        files.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut by_end: HashMap<String, Option<usize>> = HashMap::new();
        for (nth, (name, _)) in files.iter().enumerate() {
            let name = folded(name);
            let ends = name.match_indices('/').map(|(at, _)| &name[at + 1..]);
            for end in ends {
                by_end.entry(end.to_owned()).and_modify(|file| *file = None).or_insert(Some(nth));
            }
        }
        // A whole name means that file, whatever else ends like it.
        for (nth, (name, _)) in files.iter().enumerate().rev() {
            by_end.insert(folded(name), Some(nth));
        }
        let folder = main.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        Self(Arc::new(Shelf { folder, files, by_end }))
    }

    /// The files by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Companion)> {
        self.0.files.iter().map(|(name, file)| (name.as_str(), file))
    }

    /// How many bytes they have together.
    #[must_use]
    pub fn weight(&self) -> usize {
        let weights =
            self.iter().map(|(_, file)| if let Companion::Picture(bytes) = file { bytes.len() } else { 0 });
        weights.sum()
    }

    /// The file that an address in the manuscript means: relative to the manuscript; failing that, or when it begins at the
    /// root of a web site that we do not know, the only file whose name ends like it.
    fn find(&self, address: &str) -> Option<usize> {
        let shelf = &*self.0;
        if shelf.files.is_empty() || address.contains("://") {
            return None;
        }
        let path = address.split(['?', '#']).next().unwrap_or_default();
        let path = folded(&unescaped(path)).replace('\\', "/");
        let mut segments: Vec<&str> = Vec::new();
        if !path.starts_with('/') {
            segments.extend(shelf.folder.split('/').filter(|segment| !segment.is_empty()));
        }
        for segment in path.split('/') {
            match segment {
                "" | "." => {}
                ".." => drop(segments.pop()),
                name => segments.push(name),
            }
        }
        (0..segments.len())
            .find_map(|from| shelf.by_end.get(&folded(&segments[from..].join("/"))))
            .copied()?
    }
}

/// Whether a file of this name is a picture that we may be able to print.
#[must_use]
pub fn is_picture(file_name: &str) -> bool {
    let extension = file_name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    matches!(extension.as_deref(), Some("png" | "jpg" | "jpeg" | "jpe" | "jfif" | "gif" | "webp"))
}

/// Names as they are compared: systems differ in case and in how they compose letters.
pub(super) fn folded(name: &str) -> String {
    name.nfc().collect::<String>().to_lowercase()
}

/// `%20` as the character that it stands for (RFC 3986 §2.1); what makes no UTF-8 stays as it is.
fn unescaped(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| path.to_owned())
}

/// The pictures that a text has shown so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Album {
    beside: Companions,
    known: HashMap<usize, Result<PictureName, String>>,
    plates: Vec<Plate>,
}

/// What an address leads to.
enum Found {
    Picture(PictureName),
    /// The first time that this picture is shown, and it moved.
    Still(PictureName),
    Unprintable(String),
    Missing,
}

impl Album {
    pub(super) fn new(beside: Companions) -> Self {
        Self { beside, ..Self::default() }
    }

    /// Whether the address leads to a picture that can be printed.
    pub(super) fn has(&mut self, address: &str) -> bool {
        let Some(nth) = self.beside.find(address) else { return false };
        // Not to develop it here: then nobody would hear that it moved.
        match self.known.get(&nth) {
            Some(known) => known.is_ok(),
            None => matches!(self.beside.0.files.get(nth), Some((_, Companion::Picture(_)))),
        }
    }

    fn look(&mut self, address: &str) -> Found {
        let Some(nth) = self.beside.find(address) else { return Found::Missing };
        match self.known.get(&nth) {
            Some(Ok(name)) => return Found::Picture(name.clone()),
            Some(Err(reason)) => return Found::Unprintable(reason.clone()),
            None => {}
        }
        let developed = if self.plates.len() >= MAX_PICTURES {
            Err(format!("an issue has at most {MAX_PICTURES} pictures; split it into several issues"))
        } else {
            self.develop(nth)
        };
        match developed {
            Ok(Developed { plate, still }) => {
                let name = plate.picture.name.clone();
                if !self.plates.iter().any(|known| known.picture.name == name) {
                    self.plates.push(plate);
                }
                self.known.insert(nth, Ok(name.clone()));
                if still { Found::Still(name) } else { Found::Picture(name) }
            }
            Err(reason) => {
                self.known.insert(nth, Err(reason.clone()));
                Found::Unprintable(reason)
            }
        }
    }

    fn develop(&self, nth: usize) -> Result<Developed, String> {
        let (path, file) = &self.beside.0.files[nth];
        let name = path.rsplit('/').next().unwrap_or(path);
        match file {
            Companion::Picture(bytes) => develop::develop(name, bytes),
            Companion::Large(length) => Err(develop::too_long(*length)),
            Companion::Other if name.to_lowercase().ends_with(".svg") => {
                Err("it is an SVG, which may hold programs; save it as PNG".to_owned())
            }
            Companion::Other => Err("it is no PNG, JPEG, GIF or WebP; save it as one of these".to_owned()),
        }
    }

    /// The plates of the pictures that `shows` says are shown, in the order in which the text first showed them.
    pub(super) fn plates(self, shows: impl Fn(&PictureName) -> bool) -> Vec<Plate> {
        let mut plates = self.plates;
        plates.retain(|plate| shows(&plate.picture.name));
        plates
    }
}

impl Draft {
    /// The picture that a local address leads to. Where there is none, or none to print, the editor is asked and the address
    /// set aside; the caller keeps the description.
    pub(super) fn picture(&mut self, address: &str, alt: &str, line: usize) -> Option<PictureName> {
        // The end of an address tells the pictures of a folder apart.
        let shown = excerpt_of_end(address);
        let name = match self.album.look(address) {
            Found::Picture(name) => name,
            Found::Still(name) => {
                let asked = format!("the picture `{shown}` moves; readers see its first frame");
                self.query(Doubt::PictureStill, line, asked);
                name
            }
            Found::Unprintable(reason) => {
                let asked = format!("the picture `{shown}` cannot be shown: {reason}");
                self.query(Doubt::PictureUnreadable, line, asked);
                self.set_aside(&typography::printable(address));
                return None;
            }
            Found::Missing => {
                let asked = format!("the picture `{shown}` is not with the manuscript");
                self.query(Doubt::PictureMissing, line, asked);
                self.set_aside(&typography::printable(address));
                return None;
            }
        };
        if alt.is_empty() {
            let asked = format!("the picture `{shown}` has no description; say in `![…]` what it shows");
            self.query(Doubt::PictureAlt, line, asked);
        }
        Some(name)
    }
}

/// The file's name in an address, for a query.
fn excerpt_of_end(address: &str) -> String {
    let path = address.split(['?', '#']).next().unwrap_or(address);
    let name = path.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(address);
    issue::shorten(&typography::printable(name), 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(main: &str, files: &[&str], address: &str, expected: Option<&str>) {
        let files = files.iter().map(|name| ((*name).to_owned(), Companion::Other)).collect();
        let companions = Companions::of(main, files);
        let found = companions.find(address).map(|nth| companions.0.files[nth].0.as_str());
        assert_eq!(found, expected, "{address}");
    }

    #[test]
    fn an_address_leads_to_the_file_that_its_author_meant() {
        check("index.md", &["a.png", "b/a.png"], "a.png", Some("a.png"));
        check("index.md", &["a.png", "b/a.png"], "./b/../b/a.png", Some("b/a.png"));
        check(
            "text/index.md",
            &["pictures/a.png", "text/b.png"],
            "../pictures/a.png",
            Some("pictures/a.png"),
        );
        check("text/index.md", &["pictures/a.png", "text/b.png"], "b.png", Some("text/b.png"));
        check("index.md", &["assets/7/a.png"], "/assets/7/a.png", Some("assets/7/a.png"));
        check("index.md", &["7/a.png"], "/assets/7/a.png", Some("7/a.png"));
        check("index.md", &["Bild 1.PNG"], "bild%201.png?x=1#y", Some("Bild 1.PNG"));
        check("index.md", &["e\u{301}.png"], "%C3%A9.png", Some("e\u{301}.png"));
        check("index.md", &["a.png"], "../../../etc/a.png", Some("a.png"));
        check("index.md", &["1/a.png", "2/a.png"], "a.png", None);
        check("index.md", &["a.png"], "b.png", None);
        check("index.md", &["a.png"], "file:///home/a.png", None);
        check("index.md", &["a.png"], "", None);
        check("index.md", &[], "a.png", None);
    }
}
