//! The book of an issue: an EPUB 3.3 whose every file is made from the same outline.

mod content;
mod finish;
mod package;

pub(super) use self::package::bind;

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
    TitlePage,
    Contents,
    FirstArticle,
    Article,
    Colophon,
}

/// The folder of the pictures, beside the pages.
const PICTURES: &str = "pictures/";
