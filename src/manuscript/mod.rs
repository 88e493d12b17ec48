//! Reads: bytes in, proof out. Reading never fails and never touches the disk, the network or the clock.
//!
//! **Nothing is lost.** Of a plain-text page, every character but white space is in exactly one place: in an article
//! (headline unless synthetic, kicker, dek, name, affiliation, credit line as printed, caption, body), in a typescript's
//! summary or in `not_used`, character for character. The fields of the issue are read from running heads and mastheads, which
//! are listed in `not_used` as printed, and so are a byline's labels and the marks of Markdown. An affiliation that
//! several names of one byline share counts once. Of Markdown, the same holds for every letter and digit of the
//! text, of link addresses, of the summary and of HTML; what only marks the text (list numbers, labels of notes, entities) and a
//! front matter that was understood are read, not kept. Of HTML, letters, documents and books, every letter of the
//! text that is shown is in an article, and what is hidden, commented or a script is in `not_used`.
//!
//! **The charset is no part of the proof:** the same page gives the same proof from every charset.

mod bundle;
mod charset;
mod decode;
mod develop;
mod pictures;
mod draft;
mod dates;
mod language;
mod headline;
mod byline;
mod credit;
mod front_matter;
mod gutenberg;
mod markdown;
mod html;
mod archive;
mod docx;
mod epub;
mod typescript;
mod page;
mod letter;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use crate::{
    issue::Issue, issue::IssueKey, picture::Plate, proof::Doubt, proof::Proof, prose,
    publication::Publication,
};

pub use bundle::{MAX_FILES, MAX_TOTAL, is_text, main_of};
use draft::Draft;
use pictures::Album;
pub use pictures::{Companion, Companions, MAX_PICTURE_BYTES, is_picture};

/// The largest manuscript that is read, in bytes: a thousand times an issue, and still read in seconds.
pub const MAX_BYTES: usize = 20_000_000;

/// The forms of manuscript that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A plain-text page (`.txt`, `.text`).
    Page,
    /// Markdown, with front matter or without (`.md`, `.markdown`).
    Markdown,
    /// A zip that holds one of the other forms with its pictures.
    Archive,
    /// HTML (`.html`, `.htm`).
    Html,
    /// HTML in the writing of XML (`.xhtml`).
    Xhtml,
    /// A letter as mail programs save it (`.eml`).
    Letter,
    /// A document of Word (`.docx`).
    Docx,
    /// An e-book (`.epub`).
    Epub,
}

impl Form {
    /// The form that a file's name announces, or `None` when we cannot read such files.
    #[must_use]
    pub fn of(file_name: &str) -> Option<Self> {
        let (_, extension) = file_name.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "txt" | "text" => Some(Self::Page),
            "md" | "markdown" => Some(Self::Markdown),
            "zip" => Some(Self::Archive),
            "html" | "htm" => Some(Self::Html),
            "xhtml" => Some(Self::Xhtml),
            "eml" => Some(Self::Letter),
            "docx" => Some(Self::Docx),
            "epub" => Some(Self::Epub),
            _ => None,
        }
    }
}

/// Whether the name is one of a file that [`open`] reads.
#[must_use]
pub fn is_manuscript(file_name: &str) -> bool {
    Form::of(file_name).is_some()
}

/// A text as its editor saved it, decoded but not yet understood.
#[derive(Debug, Clone)]
pub struct Manuscript {
    /// The file's name without its folder and extension: it names the issue, and may date it.
    stem: String,
    /// The name of the main file in a folder or archive, which may date the issue too.
    inner: Option<String>,
    form: Form,
    text: decode::Decoded,
    /// What was read on opening, where the form is no text of its own.
    read: Option<Draft>,
    /// The files that came with it.
    beside: Companions,
}

impl Manuscript {
    /// The same text as the main file of a folder called `folder`, with the files beside it.
    #[must_use]
    pub fn within(self, folder: &str, beside: Companions) -> Self {
        Self { stem: folder.to_owned(), inner: Some(self.stem), beside, ..self }
    }

    /// The text as its editor saved it, decoded.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text.text
    }

    /// The charset that the file was saved in, by its name in the WHATWG Encoding Standard: for the log. It is no part
    /// of the proof, which must be the same from every charset.
    #[must_use]
    pub fn charset(&self) -> &'static str {
        self.text.charset.name
    }
}

/// A file that cannot be read at all. All lesser trouble is a query in the proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The file's name announces a form that we do not read.
    #[error("cannot read a `.{extension}` file; {}", way_out(extension))]
    UnknownForm {
        /// What follows the last dot of the name; empty when there is none.
        extension: String,
    },
    /// The file is larger than [`MAX_BYTES`].
    #[error("the file has {bytes} bytes, and at most {MAX_BYTES} are read; split it into several issues")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The bytes are no text in any charset that we know, or damaged.
    #[error(
        "the text cannot be decoded at line {line}, column {column}; save it again with the encoding UTF-8"
    )]
    Undecodable {
        /// The line of the first wrong byte, counted from 1.
        line: usize,
        /// The character of that line, counted from 1.
        column: usize,
    },
    /// The bytes are UTF-8 as far as they go, but end inside a character: the rest is probably on its way.
    #[error("the text ends in the middle of a character; copy or save the whole file again")]
    Incomplete,
    /// The archive cannot be opened, or holds what no issue should.
    #[error("cannot open the archive: {problem}")]
    Archive {
        /// What is wrong, and what its editor can do.
        problem: String,
    },
    /// The file is a letter, document or book that cannot be opened.
    #[error("cannot read this `.{extension}` file: {reason}")]
    Container {
        /// What it is.
        extension: &'static str,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// There is no text.
    #[error("the file holds no text; save it again with its text")]
    Empty,
}

/// What an editor can do with a file of another form.
fn way_out(extension: &str) -> &'static str {
    match extension.to_ascii_lowercase().as_str() {
        "doc" | "rtf" | "odt" | "wps" | "pages" => "save it as `.docx`",
        _ => {
            "save the issue as `.txt`, `.md`, `.html`, `.docx`, `.epub` or `.eml`, or pack it with its pictures as `.zip`"
        }
    }
}

impl Unreadable {
    /// Whether the file may become readable by waiting for the rest of it.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        matches!(self, Self::Incomplete)
    }
}

/// Opens a file of that name and content.
///
/// # Errors
/// See [`Unreadable`]; each says what its editor can do.
pub fn open(file_name: &str, bytes: &[u8]) -> Result<Manuscript, Unreadable> {
    let name = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
    let Some(form) = Form::of(name) else {
        let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_owned()).unwrap_or_default();
        return Err(Unreadable::UnknownForm { extension });
    };
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned();
    if bytes.len() > max_bytes(name) {
        return Err(Unreadable::TooLarge { bytes: bytes.len() });
    }
    let nothing = || decode::tidy("", charset::Charset::UTF_8);
    let (text, read) = match form {
        Form::Archive => {
            let bundle = bundle::open(bytes).map_err(|problem| Unreadable::Archive { problem })?;
            return Ok(open(&bundle.name, &bundle.bytes)?.within(&stem, bundle.beside));
        }
        Form::Page | Form::Markdown => (decode::decode(bytes, false)?, None),
        Form::Html | Form::Xhtml => (decode::decode(bytes, true)?, None),
        Form::Letter => {
            let (draft, text) = letter::read(bytes)?;
            (text, Some(draft))
        }
        Form::Docx => (nothing(), Some(docx::read(bytes, dates::of_stem(&stem))?)),
        Form::Epub => (nothing(), Some(epub::read(bytes)?)),
    };
    Ok(Manuscript { stem, inner: None, form, text, read, beside: Companions::default() })
}

/// The most bytes of a file of that name that are read.
#[must_use]
pub fn max_bytes(file_name: &str) -> usize {
    if Form::of(file_name) == Some(Form::Archive) { bundle::MAX_ARCHIVE } else { MAX_BYTES }
}

/// Whether a file is an archive without its table of contents, which comes last: the rest is probably on its way.
#[must_use]
pub fn is_cut_archive(file_name: &str, bytes: &[u8]) -> bool {
    matches!(Form::of(file_name), Some(Form::Archive | Form::Docx | Form::Epub)) && !bundle::has_end(bytes)
}

/// Reads a manuscript: an issue, perhaps without articles, and every doubt about it.
#[must_use]
pub fn read(manuscript: &Manuscript, publication: &Publication) -> Proof {
    read_with_plates(manuscript, publication).0
}

/// Reads a manuscript, and gives the plates of the pictures in its issue as well.
#[must_use]
pub fn read_with_plates(manuscript: &Manuscript, publication: &Publication) -> (Proof, Vec<Plate>) {
    let inner = manuscript.inner.as_deref();
    let dated = dates::of_stem(&manuscript.stem).or_else(|| dates::of_stem(inner?));
    let album = Album::new(manuscript.beside.clone());
    let text = &manuscript.text.text;
    let mut draft = manuscript.read.clone().unwrap_or_else(|| match manuscript.form {
        Form::Markdown => markdown::read(text, album),
        Form::Html => html::read(text, false),
        Form::Xhtml => html::read(text, true),
        _ => page::read(text, dated),
    });
    for (name, _) in manuscript.beside.iter().filter(|(name, _)| is_text(name)) {
        let asked = format!("`{name}` came with the issue and was not read; what it says is not in it");
        draft.query_at(Doubt::NotUsed, None, asked);
    }
    if let (Some(said), Some(named)) = (draft.date, dated)
        && said != named
    {
        let asked = format!("the file's name says {named}, its text {said}; the text was believed");
        draft.query_at(Doubt::DateInferred, None, asked);
    }
    if manuscript.text.charset.doubtful {
        let text =
            format!("saved as {}, by its few letters beyond a to z; look at them", manuscript.charset());
        draft.query_at(Doubt::CharsetGuessed, None, text);
    }
    for removed in &manuscript.text.removed {
        draft.query(Doubt::ControlCharacters, removed.line, format!("{removed} left out"));
        draft.not_used.push(removed.to_string());
    }
    finish(draft, manuscript, dated, publication)
}

/// Gives a draft what only the whole text and the publication can tell: key, language, made-up headlines.
fn finish(
    mut draft: Draft,
    manuscript: &Manuscript,
    dated: Option<jiff::civil::Date>,
    publication: &Publication,
) -> (Proof, Vec<Plate>) {
    let language =
        draft.language.take().unwrap_or_else(|| language::of(&draft.articles, &publication.language));
    let key = IssueKey::of(draft.key.as_deref().unwrap_or(&manuscript.stem));
    for index in 0..draft.articles.len() {
        let article = &mut draft.articles[index];
        if !article.headline.text.is_empty() {
            continue;
        }
        article.headline = headline::made_of(&article.body);
        let text = format!("no headline; readers see \"{}\"", article.headline.text);
        let line = draft.lines.get(index).copied();
        draft.query_at(Doubt::NoHeadline, line, text);
    }
    if draft.articles.is_empty() {
        draft.query_at(Doubt::NoArticles, None, "no article was found".to_owned());
    }
    draft.queries.sort_by_key(|query| query.line.unwrap_or(0));
    let bodies =
        draft.articles.iter().flat_map(|article| std::iter::once(&article.body).chain(&article.notes));
    let shown: HashSet<_> = bodies.flat_map(|blocks| prose::pictures(blocks)).map(|(name, _)| name).collect();
    let plates = draft.album.plates(|name| shown.contains(name));
    let issue = Issue {
        key,
        title: draft.title,
        number: draft.number,
        date: draft.date.or(dated),
        page: draft.page,
        section: draft.section,
        summary: draft.summary,
        editors: draft.editors,
        publisher: draft.publisher,
        contact: draft.contact,
        language,
        articles: draft.articles,
        pictures: plates.iter().map(|plate| plate.picture.clone()).collect(),
    };
    (Proof { issue, queries: draft.queries, not_used: draft.not_used }, plates)
}
