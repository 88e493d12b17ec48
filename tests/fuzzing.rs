//! What the fuzz targets check holds of every seed: each file of `fuzz/seeds/TARGET` and what was once found to be wrong.

use std::{fs, path::Path};

use super::properties;

/// Checks every seed of a target.
#[track_caller]
fn check(target: &str, property: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "`{target}` has no seeds");
    for file in files {
        eprintln!("{}", file.display());
        property(&fs::read(file).unwrap());
    }
}

/// The targets themselves are not compiled here, for that takes minutes; they are one line each.
#[test]
fn every_target_checks_the_property_of_its_name_and_has_seeds() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest: toml::Table = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap().parse().unwrap();
    let mut targets: Vec<String> = fs::read_dir(fuzz.join("fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    targets.sort();
    assert_eq!(
        targets,
        ["decode", "docx", "eml", "epub", "html", "markdown", "page", "pdf", "proof", "report", "zip"]
    );
    for target in &targets {
        let text = fs::read_to_string(fuzz.join(format!("fuzz_targets/{target}.rs"))).unwrap();
        let line =
            format!("libfuzzer_sys::fuzz_target!(|data: &[u8]| gazetted_fuzz::properties::{target}(data));");
        assert_eq!(text.lines().last(), Some(line.as_str()));
        assert!(fuzz.join("seeds").join(target).is_dir(), "`{target}` has no seeds");
    }
    let bins = manifest["bin"].as_array().unwrap().iter().map(|bin| bin["name"].as_str().unwrap());
    let mut bins: Vec<&str> = bins.collect();
    bins.sort_unstable();
    assert_eq!(bins, targets);
}

#[test]
fn strange_pages_are_read_without_loss() {
    check("page", properties::page);
    for page in [include_bytes!("pages/library.txt").as_slice(), include_bytes!("pages/trees.txt")] {
        properties::page(page);
    }
}

#[test]
fn strange_markdown_is_read_without_loss() {
    check("markdown", properties::markdown);
}

#[test]
fn strange_html_is_read_without_loss() {
    check("html", properties::html);
}

#[test]
fn strange_archives_are_read_or_refused() {
    check("zip", properties::zip);
    check("docx", properties::docx);
    check("epub", properties::epub);
}

#[test]
fn strange_letters_are_read_or_refused() {
    check("eml", properties::eml);
}

#[test]
fn strange_boxes_of_words_are_read_without_loss() {
    check("pdf", properties::pdf);
}

#[test]
fn any_bytes_are_read_or_refused() {
    check("decode", properties::decode);
}

#[test]
fn strange_proofs_are_read_or_refused() {
    check("proof", properties::proof);
}

#[test]
fn strange_reports_are_read() {
    check("report", properties::report);
}
