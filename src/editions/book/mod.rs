//! The book of an issue, or of many: an EPUB 3.3 whose every file is made from the same outline.

mod faces;
mod typesetting;
mod ink;
mod cover;
mod names;
mod parts;
mod content;
mod archive;
mod finish;
mod package;
mod volume;

pub(super) use self::cover::{Cover, cover};
pub(super) use self::finish::unpacked;
pub(super) use self::package::bind;
pub(super) use self::volume::bind as bind_volume;

use crate::{editions::outline::Opening, editions::outline::Outline, issue::Issue};

/// An issue as it is bound into a book.
#[derive(Debug)]
struct Gathering<'a> {
    /// The issue.
    issue: &'a Issue,
    /// Its lines.
    outline: &'a Outline,
    /// How many articles stand before it in the book.
    first: usize,
    /// The page that it begins with, in a volume of many.
    opening: Option<Opening>,
}

/// A file of the book in the order of reading.
#[derive(Debug)]
struct Page {
    /// Its name, beside the others.
    file: String,
    /// Its title in the builder's own lists.
    title: String,
    /// What a reading system should know it as.
    part: Part,
    /// XHTML.
    text: String,
}

/// What a file is to the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Cover,
    TitlePage,
    Contents,
    FirstArticle,
    Other,
    Colophon,
}

/// The folder of the pictures, beside the pages.
const PICTURES: &str = "pictures/";
