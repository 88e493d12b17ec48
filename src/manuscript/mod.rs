//! Reads: bytes in, proof out. Reading never fails and never touches the disk, the network or the clock. Opening does not
//! either, but for a PDF it runs a program of others, within bounds, see [`helper`](crate::helper).
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
//! Of a PDF, every character of its text layer but white space is kept as of a plain-text page; its pictures are not taken.
//!
//! **The charset is no part of the proof:** the same page gives the same proof from every charset.

mod bundle;
mod zip_names;
mod charset;
mod coding;
mod decode;
mod companions;
mod develop;
mod pictures;
mod draft;
mod dates;
mod number;
mod language;
mod headline;
mod lexicon;
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
mod pdf;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod guards;
#[cfg(test)]
mod plates;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::HashSet;

use crate::{
    issue::Issue, issue::IssueKey, picture::Plate, proof::Doubt, proof::Proof, prose,
    publication::Publication, typography,
};

pub use bundle::{MAX_FILES, MAX_TOTAL, is_main, is_text, main_of};
pub use coding::{BYTES, Coding, Source};
pub use companions::{Companion, Companions, is_picture};
use draft::Draft;
pub use lexicon::Lexicon;
use pictures::{Album, Wording};
pub use pictures::{Fetched, MAX_PICTURE_BYTES, MAX_PICTURES};

/// The largest manuscript that is read, in bytes: a thousand times an issue, and still read in seconds.
pub const MAX_BYTES: usize = 20_000_000;

/// The largest document, book or letter that is read with the pictures in it, in bytes.
const MAX_PACKED: usize = 100_000_000;

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
    /// A PDF with a text layer (`.pdf`).
    Pdf,
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
            "pdf" => Some(Self::Pdf),
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
    /// What was unpacked on opening, where the form is no text of its own.
    packed: Option<Packed>,
    /// The files that came with it.
    beside: Companions,
    /// What its readers know of the paper.
    lexicon: Lexicon,
    /// The pictures on the web that were fetched for it.
    fetched: Fetched,
}

/// What is in a file that is no text of its own.
#[derive(Debug, Clone)]
enum Packed {
    Letter(letter::Letter),
    Docx(docx::Document),
    Book(epub::Book),
    Pdf(pdf::Print),
}

impl Manuscript {
    /// What was opened, with nothing beside it.
    fn of(stem: String, form: Form, text: decode::Decoded, packed: Option<Packed>) -> Self {
        let (beside, fetched, lexicon) = (Companions::default(), Fetched::default(), Lexicon::default());
        Self { stem, inner: None, form, text, packed, beside, fetched, lexicon }
    }

    /// The same text as the main file of a folder called `folder`, with the files beside it.
    #[must_use]
    pub fn within(self, folder: &str, beside: Companions) -> Self {
        Self { stem: folder.to_owned(), inner: Some(self.stem), beside, ..self }
    }

    /// The same text, to be read with what the publication's confirmed proofs have taught.
    #[must_use]
    pub fn with(self, lexicon: Lexicon) -> Self {
        Self { lexicon, ..self }
    }

    /// The addresses of the pictures on the web that the text shows, in its order, once each.
    #[must_use]
    pub fn wanted(&self) -> Vec<String> {
        self.draft(None, Album::survey(Companions::default())).album.wanted()
    }

    /// Whether the text names a picture that should lie beside it and does not: it may be on its way. What is packed is whole.
    #[must_use]
    pub fn lacks_pictures(&self) -> bool {
        let shows = self.packed.is_none() && matches!(self.form, Form::Markdown | Form::Html | Form::Xhtml);
        shows && self.draft(None, Album::survey(self.beside.clone())).album.lacks()
    }

    /// The same text with what came of fetching its pictures from the web.
    #[must_use]
    pub fn with_fetched(self, fetched: Fetched) -> Self {
        Self { fetched, ..self }
    }

    /// What is read from the text alone; its pictures are in `album`.
    fn draft(&self, dated: Option<jiff::civil::Date>, album: Album) -> Draft {
        let text = &self.text.text;
        match (&self.packed, self.form) {
            (Some(Packed::Letter(letter)), _) => letter.read(text, album, &self.lexicon),
            (Some(Packed::Docx(document)), _) => document.read(dated, album, &self.lexicon),
            (Some(Packed::Book(book)), _) => book.read(album),
            (Some(Packed::Pdf(print)), _) => print.read(text, dated, &self.lexicon),
            (None, Form::Markdown) => markdown::read(text, album),
            (None, Form::Html) => html::read(text, false, album),
            (None, Form::Xhtml) => html::read(text, true, album),
            (None, _) => page::read(text, dated, &self.lexicon),
        }
    }

    /// The pictures that it may show.
    fn album(&self) -> Album {
        let (pictures, wording) = match &self.packed {
            Some(Packed::Letter(letter)) => (&letter.pictures, Wording::Html),
            Some(Packed::Docx(document)) => (&document.pictures, Wording::Word),
            Some(Packed::Book(book)) => (&book.pictures, Wording::Html),
            None if self.form == Form::Markdown => (&self.beside, Wording::Markdown),
            Some(Packed::Pdf(_)) | None => (&self.beside, Wording::Html),
        };
        Album::new(pictures.clone(), self.fetched.clone(), wording)
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
    /// The file, or the text in it, is larger than [`max_bytes`] says.
    #[error("the file has {bytes} bytes, and at most {most} are read; split it into several issues")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The most bytes that are read of such a file.
        most: usize,
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
        "rst" | "adoc" | "org" | "textile" => "save it as `.md`, or as `.html`",
        _ => {
            "save the issue as `.txt`, `.md`, `.html`, `.docx`, `.epub`, `.eml` or `.pdf`, or pack it with its pictures as `.zip`"
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
        return Err(Unreadable::TooLarge { bytes: bytes.len(), most: max_bytes(name) });
    }
    let nothing = || decode::tidy("", charset::Charset::UTF_8);
    let (text, packed) = match form {
        Form::Archive => {
            let bundle = bundle::open(bytes).map_err(|problem| Unreadable::Archive { problem })?;
            return Ok(open(&bundle.name, &bundle.bytes)?.within(&stem, bundle.beside));
        }
        Form::Page | Form::Markdown => (decode::decode(bytes, false)?, None),
        Form::Html | Form::Xhtml => (decode::decode(bytes, true)?, None),
        Form::Letter => {
            let (letter, text) = letter::open(bytes)?;
            (text, Some(Packed::Letter(letter)))
        }
        Form::Docx => (nothing(), Some(Packed::Docx(docx::open(bytes)?))),
        Form::Epub => (nothing(), Some(Packed::Book(epub::open(bytes)?))),
        Form::Pdf => {
            let (print, text) = pdf::open(bytes)?;
            (text, Some(Packed::Pdf(print)))
        }
    };
    Ok(Manuscript::of(stem, form, text, packed))
}

/// Opens a PDF by what `pdftotext -bbox-layout` has printed of it: what [`open`] does once it has run that program.
///
/// # Errors
/// As of a PDF: when there is no text in it that could be read.
pub fn open_boxes(file_name: &str, boxes: &str) -> Result<Manuscript, Unreadable> {
    let (print, text) = pdf::open_boxes(boxes)?;
    let stem = file_name.rsplit_once('.').map_or(file_name, |(stem, _)| stem).to_owned();
    Ok(Manuscript::of(stem, Form::Pdf, text, Some(Packed::Pdf(print))))
}

/// The most bytes of a file of that name that are read.
#[must_use]
pub fn max_bytes(file_name: &str) -> usize {
    match Form::of(file_name) {
        Some(Form::Archive) => bundle::MAX_ARCHIVE,
        // They hold their pictures, and their texts are measured one by one.
        Some(Form::Docx | Form::Epub | Form::Letter) => MAX_PACKED,
        Some(Form::Pdf) => pdf::MAX_BYTES,
        _ => MAX_BYTES,
    }
}

/// Whether a file lacks its end, by which its form is known to be whole (an archive's table of contents, a PDF's mark): the
/// rest is probably on its way. A text has no such end.
#[must_use]
pub fn lacks_end(file_name: &str, bytes: &[u8]) -> bool {
    match Form::of(file_name) {
        Some(Form::Archive | Form::Docx | Form::Epub) => !bundle::has_end(bytes),
        Some(Form::Pdf) => !pdf::has_end(bytes),
        _ => false,
    }
}

/// A picture that comes with no manuscript, made into what every edition can carry, or why it cannot be printed.
///
/// # Errors
/// A sentence for the one who chose the picture.
pub fn develop_picture(file_name: &str, bytes: &[u8]) -> Result<Plate, String> {
    develop::develop(file_name, bytes).map(|developed| developed.plate)
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
    let mut draft = manuscript.draft(dated, manuscript.album());
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
    }
    finish(draft, manuscript, dated, publication)
}

/// Takes marks out of titles and names that would turn the direction of what editions write after them.
fn close_turns(draft: &mut Draft) {
    let is_turn = |c: &char| ('\u{2066}'..='\u{2069}').contains(c);
    let titles = [&mut draft.title, &mut draft.section, &mut draft.summary, &mut draft.publisher];
    let mut texts: Vec<&mut String> = titles.into_iter().flatten().chain(&mut draft.editors).collect();
    for article in &mut draft.articles {
        if article.headline.synthetic && !typography::is_closed(&article.headline.text) {
            // What it was made of keeps its marks.
            article.headline.text.retain(|c| !is_turn(&c));
        }
        texts.push(&mut article.headline.text);
        texts.extend(article.kicker.iter_mut().chain(&mut article.dek));
        for byline in &mut article.bylines {
            texts.push(&mut byline.name);
            texts.extend(&mut byline.affiliation);
        }
    }
    for text in texts.into_iter().filter(|text| !typography::is_closed(text)) {
        draft.not_used.push(text.chars().filter(is_turn).collect());
        text.retain(|c| !is_turn(&c));
    }
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
    if draft.number.is_none() {
        // A weekly that is one long article, such as a digest of links, has its number in its headline.
        let only = (draft.articles.len() == 1).then(|| draft.articles.first()).flatten();
        let titles = draft.title.iter().chain(only.map(|article| &article.headline.text));
        draft.number = titles.filter_map(|title| number::find(title)).map(|(_, number)| number).next();
    }
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
    close_turns(&mut draft);
    draft.not_used.extend(manuscript.text.removed.iter().map(ToString::to_string));
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
        publish_at: draft.publish_at,
        pictures: plates.iter().map(|plate| plate.picture.clone()).collect(),
    };
    (Proof { issue, queries: draft.queries, not_used: draft.not_used }, plates)
}
