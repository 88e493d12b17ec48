//! Reads the outbox all the time, as readers do, and notes what none of them may ever see: a link that leads nowhere, a part of a file,
//! a wrong length.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    io::Cursor,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    str::FromStr as _,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::BASE;

/// What readers follow.
const LISTS: [&str; 8] = [
    "feed.xml",
    "feed/atom.xml",
    "feed/feed.json",
    "index.html",
    "feeds.opml",
    "opds/root.xml",
    "opds/navigation.xml",
    "sitemap.xml",
];

/// How long the observer rests between two looks at least,
const REST: Duration = Duration::from_millis(5);

/// and how many times as long as a look took: it shares a machine with those whom it looks at.
const SHARE: u32 = 2;

/// What was seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) looks: u64,
    pub(super) dangling: BTreeSet<String>,
    pub(super) torn: BTreeSet<String>,
}

/// What somebody knows who looks at an outbox again and again.
#[derive(Default)]
pub(super) struct Eyes {
    outbox: PathBuf,
    /// Files that were whole, by what tells that they are still the same.
    whole: HashMap<PathBuf, (u64, u64, i64, i64)>,
    /// The lists that were there once.
    known: BTreeSet<&'static str>,
    pub(super) seen: Seen,
}

impl Eyes {
    pub(super) fn on(outbox: &Path) -> Self {
        Self { outbox: outbox.to_owned(), ..Self::default() }
    }

    /// One look at everything.
    pub(super) fn look(&mut self) {
        self.seen.looks += 1;
        for list in LISTS {
            self.follow(list);
        }
        let outbox = self.outbox.clone();
        self.read_all(&outbox);
    }

    fn follow(&mut self, list: &str) {
        let outbox = self.outbox.clone();
        // The lists lead to each other: while the first issue comes out, one of them is the first.
        for other in LISTS {
            if !self.known.contains(other) && fs::metadata(outbox.join(other)).is_ok() {
                self.known.insert(other);
            }
        }
        let known = self.known.clone();
        let missing = |path: &str| {
            let is_to_come = LISTS.contains(&path) && !known.contains(path);
            !is_to_come && fs::metadata(outbox.join(path)).is_err()
        };
        let told = |path: &str| links(&outbox, list).iter().any(|(told, _)| told == path);
        for (path, length) in links(&outbox, list) {
            // What was withdrawn since we read the list may be gone; what a list still tells of may not.
            if missing(&path) && told(&path) && missing(&path) && told(&path) {
                self.seen.dangling.insert(format!("`{list}` leads to `{path}`, which is not there"));
            }
            let Some(length) = length else { continue };
            let found = fs::metadata(outbox.join(&path)).map(|file| file.len());
            if found.is_ok_and(|found| found != length)
                && links(&outbox, list).contains(&(path.clone(), Some(length)))
            {
                self.seen.torn.insert(format!("`{list}` says that `{path}` has {length} bytes"));
            }
        }
    }

    fn read_all(&mut self, folder: &Path) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            let path = entry.path();
            let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
            if metadata.is_dir() {
                self.read_all(&path);
                continue;
            }
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let known = (metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec());
            if self.whole.get(&path) == Some(&known) {
                continue;
            }
            let Ok(bytes) = fs::read(&path) else { continue };
            match flaw(&path, &bytes) {
                Some(flaw) => {
                    let name = path.strip_prefix(&self.outbox).unwrap_or(&path).display().to_string();
                    self.seen.torn.insert(format!("`{name}` {flaw}"));
                }
                None => _ = self.whole.insert(path, known),
            }
        }
    }
}

/// The paths that a list leads to, with their lengths where it says them.
fn links(outbox: &Path, list: &str) -> Vec<(String, Option<u64>)> {
    let Ok(text) = fs::read_to_string(outbox.join(list)) else { return Vec::new() };
    let mut links: Vec<(String, Option<u64>)> = Vec::new();
    let file = |address: &str| {
        let path = address.strip_prefix(BASE)?.split(['#', '?']).next()?;
        let path = if path.is_empty() || path.ends_with('/') {
            format!("{path}index.html")
        } else {
            path.to_owned()
        };
        // The daemon answers these.
        (!path.starts_with("join") && !path.contains('{') && !path.starts_with("search")).then_some(path)
    };
    if list == "feed.xml"
        && let Ok(feed) = rss::Channel::from_str(&text)
    {
        for enclosure in feed.items().iter().filter_map(rss::Item::enclosure) {
            links.extend(file(enclosure.url()).map(|path| (path, enclosure.length().parse().ok())));
        }
    }
    let ends = ['"', '<', '\'', '&', ' ', ')', '\\'];
    for rest in text.split(BASE).skip(1) {
        let address = format!("{BASE}{}", rest.split(ends).next().unwrap_or_default());
        links.extend(file(&address).map(|path| (path, None)));
    }
    links
}

/// What is wrong with a file as a whole.
fn flaw(path: &Path, bytes: &[u8]) -> Option<String> {
    if bytes.is_empty() {
        return Some("is empty".to_owned());
    }
    match path.extension()?.to_str()? {
        "xml" | "opml" => xml_flaw(bytes),
        "json" => serde_json::from_slice::<serde::de::IgnoredAny>(bytes)
            .err()
            .map(|error| format!("is no JSON: {error}")),
        "html" => (!bytes.trim_ascii_end().ends_with(b"</html>")).then(|| "ends too early".to_owned()),
        "epub" => book_flaw(bytes),
        "png" => (!bytes.ends_with(b"IEND\xaeB`\x82")).then(|| "ends too early".to_owned()),
        "gz" => {
            let mut unpacked = flate2::read::GzDecoder::new(bytes);
            std::io::copy(&mut unpacked, &mut std::io::sink())
                .err()
                .map(|error| format!("cannot be unpacked: {error}"))
        }
        _ => None,
    }
}

fn xml_flaw(bytes: &[u8]) -> Option<String> {
    let mut reader = quick_xml::Reader::from_reader(bytes);
    let mut depth = 0_i64;
    let mut elements = 0_u64;
    loop {
        match reader.read_event() {
            Ok(quick_xml::events::Event::Start(_)) => (depth, elements) = (depth + 1, elements + 1),
            Ok(quick_xml::events::Event::End(_)) => depth -= 1,
            Ok(quick_xml::events::Event::Eof) => break,
            Ok(_) => {}
            Err(error) => return Some(format!("is no XML: {error}")),
        }
    }
    (depth != 0 || elements == 0).then(|| "ends too early".to_owned())
}

fn book_flaw(bytes: &[u8]) -> Option<String> {
    let mut archive = match zip::ZipArchive::new(Cursor::new(bytes)) {
        Ok(archive) => archive,
        Err(error) => return Some(format!("is no book: {error}")),
    };
    for at in 0..archive.len() {
        let read = archive.by_index(at).map_err(|error| error.to_string()).and_then(|mut file| {
            std::io::copy(&mut file, &mut std::io::sink()).map_err(|error| error.to_string())
        });
        if let Err(error) = read {
            return Some(format!("is a damaged book: {error}"));
        }
    }
    None
}

/// An observer that looks until it is stopped.
pub(super) struct Observer {
    eyes: Arc<Mutex<Eyes>>,
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Observer {
    pub(super) fn on(outbox: &Path) -> Self {
        let eyes = Arc::new(Mutex::new(Eyes::on(outbox)));
        let stop = Arc::new(AtomicBool::new(false));
        let (theirs, over) = (Arc::clone(&eyes), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            while !over.load(Ordering::SeqCst) {
                let begun = Instant::now();
                theirs.lock().unwrap_or_else(PoisonError::into_inner).look();
                thread::sleep(REST.max(begun.elapsed() * SHARE));
            }
        });
        Self { eyes, stop, thread: Some(thread) }
    }

    /// One more look now, and what has been seen so far.
    pub(super) fn look(&self) -> Seen {
        let mut eyes = self.eyes.lock().unwrap_or_else(PoisonError::into_inner);
        eyes.look();
        eyes.seen.clone()
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lays(outbox: &Path, path: &str, bytes: &[u8]) {
        let file = outbox.join(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        fs::write(file, bytes).expect("written");
    }

    fn book() -> Vec<u8> {
        use std::io::Write as _;
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        archive.start_file("a", zip::write::SimpleFileOptions::default()).expect("begun");
        archive.write_all(b"some words of a book").expect("written");
        archive.finish().expect("finished").into_inner()
    }

    #[test]
    fn the_observer_sees_a_part_of_a_file_a_wrong_length_and_a_link_that_leads_nowhere() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let outbox = folder.path();
        let book = book();
        let feed = |length: usize| {
            format!(
                "<rss version=\"2.0\"><channel><title>t</title><link>{BASE}</link><description>d</description><item>\
                 <enclosure url=\"{BASE}a.epub\" length=\"{length}\" type=\"x\"/><link>{BASE}issues/1/</link>\
                 </item></channel></rss>"
            )
        };
        lays(outbox, "index.html", b"<html></html>");
        lays(outbox, "issues/1/index.html", b"<html></html>");
        lays(outbox, "a.epub", &book);
        lays(outbox, "feed.xml", feed(book.len()).as_bytes());
        let mut eyes = Eyes::on(outbox);
        eyes.look();
        assert!(eyes.seen.dangling.is_empty() && eyes.seen.torn.is_empty(), "{:?}", eyes.seen);

        lays(outbox, "feed.xml", feed(book.len() + 1).as_bytes());
        lays(outbox, "b.epub", &book[..book.len() - 9]);
        lays(outbox, "c.html", b"");
        lays(outbox, "d.json", b"{\"a\": ");
        lays(outbox, "e.xml", b"<a><b></b>");
        eyes.look();
        assert_eq!(eyes.seen.torn.len(), 5, "{:?}", eyes.seen.torn);
        fs::remove_dir_all(outbox.join("issues")).expect("removed");
        eyes.look();
        assert_eq!(eyes.seen.dangling.len(), 1, "{:?}", eyes.seen.dangling);
    }
}
