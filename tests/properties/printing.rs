//! What holds of every edition: it prints, the same twice, and is well-formed.

use std::io::{Cursor, Read as _};

use gazetted::{
    editions::{self, Edition, LEAVE, Letter, Shelf, Shelved},
    issue::Release,
    proof,
    subscriber::Wish,
    typography,
};
use jiff::Timestamp;
use quick_xml::events::{BytesStart, Event};

use super::reading::{self, Read};

/// One in so many readings is printed: printing costs more than reading.
const EVERY: u32 = 64;

/// Prints what was read from `bytes`, for one file in [`EVERY`], always the same ones.
pub fn check(bytes: &[u8], read: &Read) {
    let sum = bytes.iter().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)));
    if sum.is_multiple_of(EVERY) {
        let _ = proof::side_by_side(&read.proof, read.manuscript.text(), 80);
        check_editions(read);
    }
}

/// Prints every edition.
pub fn check_editions(read: &Read) {
    let publication = reading::publication();
    let mut issue = read.proof.issue.clone();
    if issue.articles.is_empty() {
        return;
    }
    issue.name_articles(None);
    let plates = read.plates.iter().map(|plate| (plate.picture.name.clone(), plate.bytes.clone())).collect();
    let release =
        Release { issue, version: 1, published: Timestamp::UNIX_EPOCH, updated: Timestamp::UNIX_EPOCH };
    let printed = editions::print(&release, &publication, &plates).expect("it prints");
    let again = editions::print(&release, &publication, &plates).expect("it prints again");
    assert!(printed == again, "the same bytes");
    let book = printed.book_file();
    check_book(&printed.book);
    let shelved = Shelved { release: release.clone(), book: book.clone() };
    let lists = editions::lists(&Shelf::of(&[shelved], &publication), &publication).expect("they print");
    for edition in printed.pages.iter().chain(&lists.editions) {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-./".contains(&b);
        assert!(edition.path.bytes().all(plain), "{}", edition.path);
        if edition.path.ends_with("html") || edition.path.ends_with("xml") {
            check_well_formed(&edition.path, std::str::from_utf8(&edition.bytes).expect("UTF-8"));
        }
    }
    let whole = Shelved { release: release.clone(), book: book.clone() };
    let letter = editions::letter(&[whole], None, &Wish::default(), &publication).expect("it is written");
    let letter = letter.expect("it has articles");
    assert!(letter.html.len() <= Letter::MAX_HTML, "{} bytes", letter.html.len());
    for part in [&letter.html, &letter.text] {
        assert_eq!(part.matches(LEAVE).count(), 2, "ways to leave");
    }
    check_well_formed("letter", &letter.html.replace(LEAVE, "https://leave.example/"));
}

fn check_book(book: &Edition) {
    let mut archive = zip::ZipArchive::new(Cursor::new(&book.bytes)).expect("an archive");
    for nth in 0..archive.len() {
        let mut entry = archive.by_index(nth).expect("an entry");
        let name = entry.name().to_owned();
        if ["xhtml", "opf", "ncx", "xml"].iter().any(|end| name.ends_with(end)) {
            let mut text = String::new();
            entry.read_to_string(&mut text).expect("text");
            check_well_formed(&name, &text);
        }
    }
}

fn check_well_formed(name: &str, text: &str) {
    assert!(text.chars().all(typography::is_printable), "{name} has what XML cannot carry");
    let mut reader = quick_xml::Reader::from_str(text.trim_start_matches("<!DOCTYPE html>"));
    reader.config_mut().check_end_names = true;
    let mut depth = 0_i32;
    loop {
        match reader.read_event() {
            Ok(Event::Eof) => break,
            Ok(Event::Start(start)) => {
                depth += 1;
                check_attributes(name, &start);
            }
            Ok(Event::Empty(start)) => check_attributes(name, &start),
            Ok(Event::End(_)) => depth -= 1,
            Ok(Event::GeneralRef(entity)) => {
                let entity = String::from_utf8_lossy(&entity).into_owned();
                assert!(
                    ["amp", "lt", "gt", "quot", "apos", "#39"].contains(&entity.as_str()),
                    "{name}: &{entity};"
                );
            }
            Ok(_) => {}
            Err(error) => panic!("{name} is not well-formed: {error}\n{text}"),
        }
    }
    assert_eq!(depth, 0, "{name}");
}

fn check_attributes(name: &str, start: &BytesStart<'_>) {
    for attribute in start.attributes() {
        let attribute = attribute.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!attribute.value.contains(&b'<'), "{name}");
    }
}
