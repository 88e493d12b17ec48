//! The pictures that a text shows: each developed once, and its editor asked about what readers would miss.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use mail_parser::decoders::base64::base64_decode;

use super::companions::{Companion, Companions, is_picture, unescaped};
use super::develop::{self, Developed};
use super::draft::Draft;
use crate::{issue, picture::PictureName, picture::Plate, proof::Doubt, prose::Href, typography};

/// The most pictures of one issue.
pub const MAX_PICTURES: usize = 200;

/// The largest picture that is read, in bytes.
pub const MAX_PICTURE_BYTES: usize = develop::MAX_BYTES;

/// What came of fetching pictures from the web: their bytes by their address, or why there are none.
#[derive(Debug, Clone, Default)]
pub struct Fetched(pub Arc<BTreeMap<String, Result<Vec<u8>, String>>>);

/// How an editor says what a picture shows, by the form of the manuscript.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Wording {
    #[default]
    Markdown,
    Html,
    Word,
}

impl Wording {
    fn way(self) -> &'static str {
        match self {
            Self::Markdown => "say in `![…]` what it shows",
            Self::Html => "say in `alt=\"…\"` what it shows, or that nothing is to be said with `alt=\"\"`",
            Self::Word => "say in its alternative text what it shows, or mark it as decorative",
        }
    }
}

/// Where the bytes of a picture are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Origin {
    Beside(usize),
    Web(String),
    /// In the address itself, which has this hash.
    Within(blake3::Hash),
}

/// The pictures that a text has shown so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Album {
    beside: Companions,
    fetched: Fetched,
    wording: Wording,
    /// The folder that addresses are relative to, where it is not that of the manuscript.
    folder: Option<String>,
    /// Whether only addresses on the web are collected, and no picture looked at.
    surveys: bool,
    wanted: Vec<String>,
    /// Whether the text names a picture that should be beside it and is not.
    lacks: bool,
    known: HashMap<Origin, Result<PictureName, String>>,
    plates: Vec<Plate>,
    /// Which of `beside` the text names.
    named: Vec<usize>,
}

/// What an address leads to.
enum Found {
    Picture(PictureName),
    /// The first time that this picture is shown, and it moved.
    Still(PictureName),
    Unprintable(String),
    /// On the web, from where it was to be fetched and could not be.
    Unreachable(Href, String),
    /// On the web, and left there.
    Far(Href),
    /// One pixel, which shows nobody anything: it counts who opens the page.
    Counter,
    Missing,
}

/// What readers get in the place of a picture.
#[derive(Debug)]
pub(super) enum Shown {
    /// The picture.
    Picture(PictureName),
    /// A link to where it is on the web.
    Link(Href),
    /// What it shows, in words.
    Description,
    /// Nothing: nobody was meant to see it.
    Nothing,
}

impl Album {
    pub(super) fn new(beside: Companions, fetched: Fetched, wording: Wording) -> Self {
        Self { beside, fetched, wording, ..Self::default() }
    }

    /// An album of these files that looks at no picture, and only collects which are on the web and whether any is missing.
    pub(super) fn survey(beside: Companions) -> Self {
        Self { beside, surveys: true, ..Self::default() }
    }

    /// Whether the text names a picture that should be beside it and is not.
    pub(super) fn lacks(&self) -> bool {
        self.lacks
    }

    /// The addresses on the web from which pictures would be shown, in the order of the text, once each.
    pub(super) fn wanted(self) -> Vec<String> {
        self.wanted
    }

    /// Says that addresses are relative to this folder of the companions from here on.
    pub(super) fn stand_in(&mut self, folder: &str) {
        self.folder = Some(folder.to_owned());
    }

    fn find(&self, address: &str) -> Option<usize> {
        self.beside.find(self.folder.as_deref(), address)
    }

    fn origin(&self, address: &str) -> Option<Origin> {
        if let Some(nth) = self.find(address) {
            return Some(Origin::Beside(nth));
        }
        if is_within(address) {
            return Some(Origin::Within(blake3::hash(address.as_bytes())));
        }
        let href = on_the_web(address)?;
        self.fetched.0.contains_key(href.as_str()).then(|| Origin::Web(href.as_str().to_owned()))
    }

    /// Whether the address leads to a picture that can be printed.
    pub(super) fn has(&mut self, address: &str) -> bool {
        let Some(origin) = self.origin(address).filter(|_| !self.surveys) else { return false };
        // Not to develop it here: then nobody would hear that it moved.
        match (self.known.get(&origin), origin) {
            (Some(known), _) => known.is_ok(),
            (None, Origin::Beside(nth)) => matches!(self.beside.get(nth), Some((_, Companion::Picture(_)))),
            (None, Origin::Web(address)) => matches!(self.fetched.0.get(&address), Some(Ok(_))),
            (None, Origin::Within(_)) => true,
        }
    }

    fn look(&mut self, address: &str) -> Found {
        let far = on_the_web(address);
        let Some(origin) = self.origin(address).filter(|_| !self.surveys) else {
            let Some(href) = far else {
                self.lacks |=
                    is_picture(name_in(address)) && !is_within(address) && self.find(address).is_none();
                return Found::Missing;
            };
            if self.surveys && !self.wanted.iter().any(|known| known == href.as_str()) {
                self.wanted.push(href.as_str().to_owned());
            }
            return Found::Far(href);
        };
        if let Origin::Beside(nth) = origin
            && !self.named.contains(&nth)
        {
            self.named.push(nth);
        }
        if let (Origin::Web(address), Some(href)) = (&origin, far)
            && let Some(Err(reason)) = self.fetched.0.get(address)
        {
            return Found::Unreachable(href, reason.clone());
        }
        match self.known.get(&origin) {
            Some(Ok(name)) => return Found::Picture(name.clone()),
            Some(Err(reason)) if reason.is_empty() => return Found::Counter,
            Some(Err(reason)) => return Found::Unprintable(reason.clone()),
            None => {}
        }
        let developed = if self.plates.len() >= MAX_PICTURES {
            Err(format!("an issue has at most {MAX_PICTURES} pictures; split it into several issues"))
        } else {
            self.develop(&origin, address)
        };
        match developed {
            Ok(Developed { plate, .. }) if (plate.picture.width, plate.picture.height) == (1, 1) => {
                self.known.insert(origin, Err(String::new()));
                Found::Counter
            }
            Ok(Developed { plate, still }) => {
                let name = plate.picture.name.clone();
                if !self.plates.iter().any(|known| known.picture.name == name) {
                    self.plates.push(plate);
                }
                self.known.insert(origin, Ok(name.clone()));
                if still { Found::Still(name) } else { Found::Picture(name) }
            }
            Err(reason) => {
                self.known.insert(origin, Err(reason.clone()));
                Found::Unprintable(reason)
            }
        }
    }

    fn develop(&self, origin: &Origin, address: &str) -> Result<Developed, String> {
        let nth = match origin {
            Origin::Beside(nth) => *nth,
            Origin::Web(address) => {
                let bytes = self.fetched.0.get(address).and_then(|bytes| bytes.as_ref().ok());
                return develop::develop(name_in(address), bytes.map_or(&[], Vec::as_slice));
            }
            Origin::Within(_) => return develop::develop("picture", &within(address)?),
        };
        let Some((path, file)) = self.beside.get(nth) else { return Err(develop::unknown()) };
        let name = path.rsplit('/').next().unwrap_or(path);
        match file {
            Companion::Picture(bytes) => develop::develop(name, bytes),
            Companion::Large(length) => Err(develop::too_long(*length)),
            Companion::Other => match name.to_lowercase().rsplit('.').next() {
                Some("svg") => Err(drawn()),
                Some("emf" | "wmf") => {
                    Err("it is a drawing for Windows alone (EMF, WMF); save it as PNG".to_owned())
                }
                _ => Err(develop::unknown()),
            },
        }
    }

    /// The pictures that came with the text and that it does not name, by their names; one of a single pixel is not meant to be.
    pub(super) fn unnamed(&self) -> Vec<&str> {
        let all = self.beside.iter().enumerate();
        let pictures = all.filter_map(|(nth, (name, file))| match file {
            Companion::Picture(bytes) if develop::is_dot(bytes) => None,
            Companion::Picture(_) | Companion::Large(_) => Some((nth, name)),
            Companion::Other => None,
        });
        pictures.filter(|(nth, _)| !self.named.contains(nth)).map(|(_, name)| name).collect()
    }

    /// The plates of the pictures that `shows` says are shown, in the order in which the text first showed them.
    pub(super) fn plates(self, shows: impl Fn(&PictureName) -> bool) -> Vec<Plate> {
        let mut plates = self.plates;
        plates.retain(|plate| shows(&plate.picture.name));
        plates
    }
}

fn drawn() -> String {
    "it is an SVG, which may hold programs; save it as PNG".to_owned()
}

/// The address of a picture on the web; one without its scheme is on https.
fn on_the_web(address: &str) -> Option<Href> {
    if address.starts_with("//") { Href::parse(&format!("https:{address}")) } else { Href::parse(address) }
}

/// Whether the address is the picture itself (RFC 2397).
fn is_within(address: &str) -> bool {
    address.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
}

/// The bytes of a picture that is written in its own address: `data:image/png;base64,iVBO…`. What it says of its form is not
/// believed.
fn within(address: &str) -> Result<Vec<u8>, String> {
    let broken = || "it is damaged; save it as a file of its own".to_owned();
    let (head, data) = address.split_once(',').ok_or_else(broken)?;
    let head = head.to_ascii_lowercase();
    if head.contains("svg") {
        return Err(drawn());
    }
    if !head.trim_end().ends_with(";base64") {
        return Err(develop::unknown());
    }
    if data.len() / 4 > MAX_PICTURE_BYTES / 3 {
        return Err(develop::too_long(data.len() as u64 / 4 * 3));
    }
    let data = if data.contains('%') { unescaped(data).into() } else { std::borrow::Cow::Borrowed(data) };
    base64_decode(data.as_bytes()).ok_or_else(broken)
}

impl Draft {
    /// What readers get for a picture at an address; `alt` says what it shows, and is `None` when nobody said. Where readers do
    /// not get the picture, the editor is asked and the address set aside.
    pub(super) fn picture(&mut self, address: &str, alt: Option<&str>, line: usize) -> Shown {
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
                self.set_aside_address(address);
                return Shown::Description;
            }
            Found::Unreachable(href, reason) => {
                let asked = format!("the picture `{shown}` could not be fetched, and is a link: {reason}");
                self.query(Doubt::PictureMissing, line, asked);
                return Shown::Link(href);
            }
            Found::Far(href) => return Shown::Link(href),
            Found::Counter => {
                self.set_aside_address(address);
                return Shown::Nothing;
            }
            Found::Missing => {
                let asked = format!("the picture `{shown}` is not with the manuscript");
                self.query(Doubt::PictureMissing, line, asked);
                self.set_aside_address(address);
                return Shown::Description;
            }
        };
        if alt.is_none() {
            let asked = format!("the picture `{shown}` has no description; {}", self.album.wording.way());
            self.query(Doubt::PictureAlt, line, asked);
        }
        Shown::Picture(name)
    }

    /// Sets the address of a picture aside; of one that is the picture itself, what is said of its form.
    pub(super) fn set_aside_address(&mut self, address: &str) {
        if is_within(address) {
            self.set_aside(&excerpt_of_end(address));
        } else {
            self.set_aside(&typography::printable(address));
        }
    }
}

/// The file's name in an address.
pub(super) fn name_in(address: &str) -> &str {
    let path = address.split(['?', '#']).next().unwrap_or(address);
    path.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(address)
}

/// The file's name in an address, for a query.
fn excerpt_of_end(address: &str) -> String {
    if is_within(address) {
        let head = address.split([';', ',']).next().unwrap_or(address);
        return format!("{}…", issue::shorten(&typography::printable(head), 40));
    }
    issue::shorten(&typography::printable(name_in(address)), 60)
}
