//! What holds of every manuscript and every proof, whatever bytes come: one place for the fuzz targets and the tests.
//!
//! There is a function for each target in `fuzz/fuzz_targets`. It takes any bytes and panics when something does not hold:
//! reading twice gives the same, a proof written and read back is the same issue, nothing is lost, nothing unprintable
//! gets into a field, editions print and are well-formed. Bytes that begin with one below 8 choose pieces that are put
//! together, so that what stands behind a door (an archive, a header) is reached; all other bytes are taken as they are.

mod boxes;
mod conserving;
mod packing;
mod pieces;
mod printing;
mod reading;

use gazetted::{bounce, manuscript, proof};

use pieces::Pieces;
pub use reading::publication;

/// How many bytes may choose pieces: what is built of them is some ten times as long.
const MAX_CHOICES: usize = 6000;

/// Whether bytes choose pieces rather than being the file, and which way of putting them together.
fn choices(data: &[u8]) -> Option<(u8, &[u8])> {
    let (&way, rest) = data.split_first()?;
    (way < 8).then(|| (way, &rest[..rest.len().min(MAX_CHOICES)]))
}

/// A plain-text page.
pub fn page(data: &[u8]) {
    let Some((_, rest)) = choices(data) else { return page_of(data) };
    page_of(Pieces::new(rest).all(pieces::PAGE).as_bytes());
}

fn page_of(bytes: &[u8]) {
    if let Some(read) = reading::check("2025-07-09.txt", bytes) {
        conserving::page(&read);
        printing::check(bytes, &read);
    }
}

/// A Markdown issue.
pub fn markdown(data: &[u8]) {
    let built = choices(data).map(|(_, rest)| Pieces::new(rest).all(pieces::MARKDOWN));
    let bytes = built.as_ref().map_or(data, |text| text.as_bytes());
    if let Some(read) = reading::check("issue.md", bytes) {
        if let Some(text) = built.as_ref().filter(|text| !pieces::has_front_matter(text)) {
            conserving::letters(text, &read);
        }
        printing::check(bytes, &read);
    }
}

/// A page of HTML, in the writing of XML when the first byte is odd.
pub fn html(data: &[u8]) {
    let built = choices(data).map(|(way, rest)| (way, Pieces::new(rest).all(pieces::HTML)));
    let name = match &built {
        Some((way, _)) if way % 2 == 1 => "page.xhtml",
        _ => "page.html",
    };
    let bytes = built.as_ref().map_or(data, |(_, text)| text.as_bytes());
    if let Some(read) = reading::check(name, bytes) {
        if let Some((_, text)) = &built {
            conserving::letters(text, &read);
        }
        printing::check(bytes, &read);
    }
}

/// A zip with an issue and its pictures.
pub fn zip(data: &[u8]) {
    let packed = choices(data).map(|(way, rest)| packing::zip(way, rest));
    container("issue.zip", packed.as_deref().unwrap_or(data));
}

/// A document of Word. Its parts, when they are chosen, are parted by bytes 255; or its body is made of pieces.
pub fn docx(data: &[u8]) {
    let Some((way, rest)) = choices(data) else { return container("7.docx", data) };
    if way % 2 == 0 {
        return container("7.docx", &packing::docx(rest));
    }
    // Elsewhere Word shows no text.
    let body = Pieces::new(rest).each_letter_in("<w:r><w:t>", "</w:t></w:r>").all(pieces::DOCX);
    if let Some(read) = container_of("7.docx", &packing::docx_of(&body)) {
        conserving::letters(&body, &read);
    }
}

/// An e-book.
pub fn epub(data: &[u8]) {
    let Some((way, rest)) = choices(data) else { return container("book.epub", data) };
    if way % 2 == 0 {
        return container("book.epub", &packing::epub(rest));
    }
    let chapters: Vec<String> =
        rest.split(|byte| *byte == 255).take(8).map(|part| Pieces::new(part).all(pieces::HTML)).collect();
    if let Some(read) = container_of("book.epub", &packing::epub_of(&chapters)) {
        conserving::letters(&chapters.concat(), &read);
    }
}

/// A letter.
pub fn eml(data: &[u8]) {
    let packed = choices(data).map(|(way, rest)| packing::letter(way, rest));
    container("7.eml", packed.as_deref().unwrap_or(data));
}

/// A PDF, by what `pdftotext -bbox-layout` prints of it: our part is what comes after.
pub fn pdf(data: &[u8]) {
    let built = choices(data).map(|(_, rest)| boxes::of(rest));
    let printed = match &built {
        Some(built) => built.printed.as_str().into(),
        None => String::from_utf8_lossy(data),
    };
    let bytes = printed.as_bytes();
    let open = |name: &str, bytes: &[u8]| manuscript::open_boxes(name, &String::from_utf8_lossy(bytes));
    if let Some(read) = reading::check_opened(open, "2025-07-09.pdf", bytes) {
        match &built {
            Some(built) => conserving::characters(&built.text, &read),
            None => conserving::set(&read),
        }
        printing::check(bytes, &read);
    }
}

/// Any bytes as any form: the first chooses the form.
pub fn decode(data: &[u8]) {
    let names =
        ["a.txt", "a.md", "a.html", "a.xhtml", "a.eml", "a.docx", "a.epub", "a.zip", "a.text", "a.pdf", "a"];
    let Some((&first, rest)) = data.split_first() else { return };
    container(names[usize::from(first) % names.len()], rest);
}

/// A proof as its editor may have saved it.
pub fn proof(data: &[u8]) {
    let built = choices(data).map(|(way, rest)| {
        let head = if way % 2 == 1 { pieces::PROOF_HEADER } else { "" };
        format!("{head}{}", Pieces::new(rest).all(pieces::PROOF))
    });
    let text = built.map_or_else(|| String::from_utf8_lossy(data), Into::into);
    match proof::read(&text) {
        Ok(saved) => reading::check_saved(&saved),
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            let lines = text.lines().count().max(1) + 1;
            for problem in problems {
                assert!((1..=lines).contains(&problem.line), "{problem} of {lines} lines");
            }
        }
    }
}

/// A letter that came back, or what a mail provider posts.
pub fn report(data: &[u8]) {
    let returned = bounce::read(data);
    assert_eq!(bounce::read(data), returned, "read twice");
    let mut reports = match returned.content {
        bounce::Content::Reports(reports) => reports,
        bounce::Content::Nothing(_) | bounce::Content::Words => Vec::new(),
    };
    for (provider, _) in bounce::PROVIDERS {
        if let Some(Ok(events)) = bounce::events(provider, data) {
            reports.extend(events.into_iter().filter_map(|event| event.report));
        }
    }
    for report in reports {
        assert!(report.text.chars().count() <= 300 && !report.text.contains(char::is_control), "{report:?}");
        if let Some(status) = &report.status {
            assert!(status.split('.').count() == 3 && status.starts_with(['2', '4', '5']), "{report:?}");
        }
    }
}

fn container(name: &str, bytes: &[u8]) {
    container_of(name, bytes);
}

fn container_of(name: &str, bytes: &[u8]) -> Option<reading::Read> {
    let read = reading::check(name, bytes)?;
    printing::check(bytes, &read);
    Some(read)
}
