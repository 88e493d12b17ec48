//! What the programs of others say of the web pages: the Nu HTML checker of their text, axe of what a browser shows.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{judging::full_newsroom, newsroom::Newsroom, tools};

/// The pages in the outbox, by their paths.
fn pages(newsroom: &Newsroom) -> Vec<String> {
    let outbox = newsroom.path("outbox");
    let (mut pages, mut folders) = (Vec::new(), vec![outbox.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "html") {
                pages.push(path.strip_prefix(&outbox).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    pages.sort();
    pages
}

/// A newsroom with every kind of page, one of them corrected.
fn newsroom() -> Newsroom {
    let newsroom = full_newsroom();
    newsroom.saves("one.md", crate::newsroom::page("One", "Another word.")).is_out("one", 2);
    newsroom
}

/// Where `tests/run` puts the judges that npm has, if they are there.
fn node_modules() -> Option<PathBuf> {
    let modules = tools::root().join("target/tools/node/node_modules");
    if !modules.is_dir() {
        tools::skip("the judges of pages are not installed; `tests/run` installs them");
    }
    modules.is_dir().then_some(modules)
}

#[test]
fn no_page_has_a_fault_that_the_checker_of_html_knows() {
    let (Some(java), Some(modules)) = (tools::program("java"), node_modules()) else { return };
    let newsroom = newsroom();
    let pages = pages(&newsroom);
    assert!(pages.len() > 60, "{} pages", pages.len());
    let outbox = newsroom.path("outbox");
    let (good, said) = tools::output(
        Command::new(java)
            .args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xss8m", "-jar"])
            .arg(modules.join("vnu-jar/build/dist/vnu.jar"))
            .args(["--format", "gnu", "--exit-zero-always", "--stdout"])
            .args(pages.iter().map(|page| outbox.join(page))),
    );
    // A heading of a manuscript may stand without text below it, and a list may count from where it likes; the rest is ours.
    assert!(good && !said.contains("error"), "{said}");
    assert!(said.trim().is_empty(), "{said}");
}

#[test]
fn every_kind_of_page_is_for_everyone_in_light_and_dark_and_on_a_small_telephone() {
    let (Some(node), Some(chromium), Some(modules)) =
        (tools::program("node"), tools::program("chromium"), node_modules())
    else {
        return;
    };
    let newsroom = newsroom();
    let mut pages = pages(&newsroom);
    // One article of an issue is made like the others.
    pages.retain(|page| !page.starts_with("issues/many/a") || page.ends_with("/a2.html"));
    let (good, said) = tools::output(
        Command::new(node)
            .arg(tools::root().join("tests/judges/judge_pages.mjs"))
            .args([Path::new(&modules), &chromium])
            .arg(newsroom.base_url())
            .args(&pages),
    );
    assert!(good, "{said}");
    assert!(said.contains(&format!("{} pages, 0 findings", pages.len())), "{said}");
}
