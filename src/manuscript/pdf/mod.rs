//! A PDF with a text layer: the words and their boxes by poppler's `pdftotext`, our own cut into columns, then the page's rules.
//!
//! The text layer has every letter and its place, but no order that can be relied on: pages are drawn column by column, row by
//! row, or by what was set last. What is read always waits for its editor; see [`Doubt::Columns`].

mod boxes;
mod columns;
mod lines;
mod setting;
#[cfg(test)]
mod tests;

use std::path::Path;

use jiff::SignedDuration;
use jiff::civil::Date;

use super::charset::Charset;
use super::decode::{self, Decoded};
use super::draft::Draft;
use super::lexicon::Lexicon;
use super::page::Hints;
use super::{Unreadable, page};
use crate::{helper, helper::Limits, proof::Doubt};

/// The largest PDF that is read, in bytes: its pictures and fonts weigh more than its text.
pub(super) const MAX_BYTES: usize = 100_000_000;

/// What reads the words of a PDF, and what it may cost.
#[derive(Debug, Clone, Copy)]
struct Tool<'t> {
    program: &'t Path,
    arguments: &'t [&'t str],
    limits: Limits,
}

/// A page of a newspaper takes a tenth of a second, a book of a thousand pages some ten. The fonts and pictures of a page are
/// unpacked in memory. A word takes a hundred bytes of output, so that this is a book of three hundred thousand.
const LIMITS: Limits =
    Limits { time: SignedDuration::from_secs(30), memory: 1_500_000_000, output: 30_000_000 };

/// Fewer characters a page than this are page numbers and stamps on pages that were scanned.
const FEWEST_A_PAGE: usize = 25;

/// With more characters than one in so many that no font says the meaning of, the rest is no text either.
const UNKNOWN: usize = 5;

/// How far from its end a PDF says that it ends; some programs add a few bytes.
const TAIL: usize = 2048;

/// Whether the file has its end, which comes last.
pub(super) fn has_end(bytes: &[u8]) -> bool {
    let tail = &bytes[bytes.len().saturating_sub(TAIL)..];
    tail.windows(5).any(|five| five == b"%%EOF")
}

/// A PDF, its words set in the order of reading; their text is beside it.
#[derive(Debug, Clone)]
pub(super) struct Print {
    hints: Hints,
    /// The hyphens that were taken from the ends of lines.
    hyphens: String,
    n_pages: usize,
}

/// Opens a PDF; gives its text in the order of reading, too.
pub(super) fn open(bytes: &[u8]) -> Result<(Print, Decoded), Unreadable> {
    let tool = Tool {
        program: Path::new("pdftotext"),
        arguments: &["-bbox-layout", "-enc", "UTF-8", "-", "-"],
        limits: LIMITS,
    };
    open_with(&tool, bytes)
}

fn open_with(tool: &Tool<'_>, bytes: &[u8]) -> Result<(Print, Decoded), Unreadable> {
    let head = &bytes[..bytes.len().min(1024)];
    if !head.windows(5).any(|five| five == b"%PDF-") {
        return Err(refusal("it is no PDF, or damaged; save or copy it again"));
    }
    open_boxes(&words(tool, bytes)?)
}

/// Opens a PDF of which `pdftotext -bbox-layout` has printed this.
pub(super) fn open_boxes(output: &str) -> Result<(Print, Decoded), Unreadable> {
    let pages = boxes::pages(output);
    let n_pages = pages.len();
    check_text(&pages)?;
    let setting = setting::set(pages);
    let text = decode::tidy(&setting.text, Charset::UTF_8);
    Ok((Print { hints: setting.hints, hyphens: setting.hyphens, n_pages }, text))
}

impl Print {
    /// Reads the PDF, whose text is `text`; `dated` is the date in its file's name.
    pub(super) fn read(&self, text: &str, dated: Option<Date>, lexicon: &Lexicon) -> Draft {
        let mut draft = page::read_set(text, &self.hints, dated, lexicon);
        draft.set_aside(&self.hyphens);
        let of = if self.n_pages == 1 { "1 page".to_owned() } else { format!("{} pages", self.n_pages) };
        let asked = format!(
            "read from a PDF of {of}: look at the order of its columns, at headlines and paragraphs; its pictures are not taken"
        );
        draft.query_at(Doubt::Columns, None, asked);
        draft
    }
}

fn refusal(reason: &str) -> Unreadable {
    Unreadable::Container { extension: "pdf", reason: reason.to_owned() }
}

/// What the tool prints of a PDF.
fn words(tool: &Tool<'_>, bytes: &[u8]) -> Result<String, Unreadable> {
    let answer = helper::run(tool.program, tool.arguments, bytes, &tool.limits).map_err(|error| {
        refusal(&match error {
            helper::Error::Missing { program } => format!(
                "`{program}`, which reads it, is not installed here; install Debian's packages poppler-utils and poppler-data and \
                 save the file again, or save its text as `.txt` or `.docx`"
            ),
            helper::Error::Slow { time } => format!(
                "it could not be read within {} seconds; save it with fewer pages, or save its text as `.txt`",
                time.as_secs()
            ),
            helper::Error::Flood { .. } => "it has far more text than an issue has; split it".to_owned(),
            helper::Error::System(error) => {
                format!("`{}`, which reads it, could not be run: {error}; save the file again later", tool.program.display())
            }
        })
    })?;
    let says = |words: &str| answer.complaint.contains(words);
    if says("ncorrect password") {
        return Err(refusal("it is locked with a password; save it without one"));
    }
    if says("is not allowed") {
        return Err(refusal("its text may not be copied, as its settings say; save it again without that"));
    }
    let output = String::from_utf8_lossy(&answer.output).into_owned();
    if says("Missing language pack") && !output.contains("<word ") {
        return Err(refusal(
            "the names of its Chinese, Japanese or Korean letters are not installed here; install Debian's package poppler-data and \
             save the file again, or save its text as `.txt` or `.docx`",
        ));
    }
    if !answer.success {
        return Err(refusal("it is damaged or something else; save or copy it again"));
    }
    Ok(output)
}

/// Makes sure that there is a text to read.
fn check_text(pages: &[Vec<boxes::Word>]) -> Result<(), Unreadable> {
    let all = || pages.iter().flatten().flat_map(|word| word.text.chars()).filter(|c| !c.is_whitespace());
    let n_characters = all().count();
    if n_characters < FEWEST_A_PAGE * pages.len().max(1) {
        return Err(refusal(&format!(
            "its pages hold {} text, as after scanning; let a program recognise its text (OCR) and save that as `.txt` or `.docx`; if \
             the text can be marked when you look at it, Debian's package poppler-data may be missing here",
            if n_characters == 0 { "no" } else { "hardly any" }
        )));
    }
    let unknown =
        all().filter(|c| matches!(c, '\u{FFFD}' | '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}'));
    if unknown.count() * UNKNOWN > n_characters {
        return Err(refusal(
            "its fonts do not say which letters they show; save its text as `.txt` or `.docx`, or make the PDF again with its fonts \
             embedded",
        ));
    }
    Ok(())
}
