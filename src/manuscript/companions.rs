//! The files that come with a manuscript, in its folder, archive, letter, document or book, and which of them an address means.

use std::collections::HashMap;
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization as _;

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
    /// The file of every address that is no path: `cid:a1@example.org`.
    by_address: HashMap<String, usize>,
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
        Self(Arc::new(Shelf { folder, files, by_end, by_address: HashMap::new() }))
    }

    /// The parts of a letter, each with the addresses by which its text may name it. They keep their order.
    pub(super) fn addressed(parts: Vec<(String, Vec<String>, Companion)>) -> Self {
        let mut shelf = Shelf::default();
        for (nth, (name, addresses, part)) in parts.into_iter().enumerate() {
            for address in addresses {
                shelf.by_end.entry(folded(&address)).or_insert(Some(nth));
                shelf.by_address.entry(address).or_insert(nth);
            }
            shelf.files.push((name, part));
        }
        Self(Arc::new(shelf))
    }

    /// The file at that place in [`Companions::iter`].
    pub(super) fn get(&self, nth: usize) -> Option<(&str, &Companion)> {
        self.0.files.get(nth).map(|(name, file)| (name.as_str(), file))
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

    /// The place of the file that an address means: relative to `folder`, or else to the manuscript's own; failing that, or when
    /// it begins at the root of a web site that we do not know, the only file whose name ends like it. Nothing outside of these
    /// files is ever meant.
    pub(super) fn find(&self, folder: Option<&str>, address: &str) -> Option<usize> {
        let shelf = &*self.0;
        if shelf.files.is_empty() {
            return None;
        }
        let named = shelf.by_address.get(address).or_else(|| shelf.by_address.get(&unescaped(address)));
        if named.is_some() || is_far(address) {
            return named.copied();
        }
        let path = address.split(['?', '#']).next().unwrap_or_default();
        let path = folded(&unescaped(path)).replace('\\', "/");
        let folder = folded(folder.unwrap_or(&shelf.folder));
        let mut segments: Vec<&str> = Vec::new();
        if !path.starts_with('/') {
            segments.extend(folder.split('/').filter(|segment| !segment.is_empty()));
        }
        for segment in path.split('/') {
            match segment {
                "" | "." => {}
                ".." => drop(segments.pop()),
                name => segments.push(name),
            }
        }
        (0..segments.len()).find_map(|from| shelf.by_end.get(&segments[from..].join("/"))).copied()?
    }
}

/// Whether an address leads to another machine or another kind of thing than a path: `https:`, `cid:`, `//example.org/`. A drive
/// of Windows is no such kind.
fn is_far(address: &str) -> bool {
    let scheme = address.split(['/', '?', '#']).next().and_then(|start| start.split_once(':'));
    address.starts_with("//") || scheme.is_some_and(|(scheme, _)| scheme.len() > 1)
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
pub(super) fn unescaped(path: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(main: &str, files: &[&str], address: &str, expected: Option<&str>) {
        let files = files.iter().map(|name| ((*name).to_owned(), Companion::Other)).collect();
        let companions = Companions::of(main, files);
        let found = companions.find(None, address).map(|nth| companions.0.files[nth].0.as_str());
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
        check("index.md", &["a.png"], "//example.org/a.png", None);
        check("index.md", &["a.png"], "cid:a.png", None);
        check("index.md", &["a.png"], "C:\\Users\\li\\A.PNG", Some("a.png"));
        check("index.md", &["a.png"], "", None);
        check("index.md", &[], "a.png", None);
    }
}
