//! What the programs of others say of the web pages: the Nu HTML checker of their text, axe of what a browser shows.

use std::{path::Path, process::Command};

use gazetted::subscriber::Address;

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

/// What nobody could read, wherever it is shown: to see that the judges see.
const BAD: &str = "<!DOCTYPE html>\n<html><head><title>Bad</title></head><body onload=\"x()\"><main><h1>Bad</h1>\
                   <p><img src=\"a.png\"></p><pre>A line that is wider than the screen of a small telephone and does not wrap</pre>\
                   </main></body></html>\n";

/// What the Nu HTML checker says of pages, but that an element which HTML need not close is closed: ours are XML, too.
fn checked(java: &Path, modules: &Path, outbox: &Path, pages: &[String]) -> String {
    let (good, said) = tools::output(
        Command::new(java)
            .args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xss8m", "-jar"])
            .arg(modules.join("vnu-jar/build/dist/vnu.jar"))
            .args(["--format", "gnu", "--exit-zero-always", "--stdout"])
            .args(["--filterpattern", "Trailing slash on void elements.*"])
            .args(pages.iter().map(|page| outbox.join(page))),
    );
    assert!(good, "{said}");
    said
}

/// What axe and a browser say of pages.
fn looked_at(node: &Path, chromium: &Path, modules: &Path, base_url: &str, pages: &[String]) -> String {
    let (_, said) = tools::output(
        Command::new(node)
            .arg(tools::root().join("tests/judges/judge_pages.mjs"))
            .args([modules, chromium])
            .arg(base_url)
            .args(pages),
    );
    said
}

/// One newsroom for both judges: its pages take long to make, and a browser and a Java long to start.
#[test]
fn every_kind_of_page_is_right_and_for_everyone_in_light_and_dark_and_on_a_small_telephone() {
    let (Some(java), Some(node), Some(chromium), Some(modules)) = (
        tools::program("java"),
        tools::program("node"),
        tools::program("chromium"),
        tools::node_modules("axe-core"),
    ) else {
        return;
    };
    let newsroom = full_newsroom();
    newsroom.saves("one.md", crate::newsroom::page("One", "Another word.")).is_out("one", 2);
    let mut every = pages(&newsroom);
    assert!(every.len() > 60, "{} pages", every.len());
    // The articles of one issue are made alike; in a browser one of them is enough.
    let mut some = every.clone();
    some.retain(|page| {
        page.rsplit_once("/a").is_none_or(|(_, rest)| rest == "1.html" || rest.starts_with("rchive"))
    });
    let outbox = newsroom.path("outbox");
    // What the daemon answers by itself is judged as if it lay there.
    for (name, path) in [
        ("found.html", "/search?q=word"),
        ("not-found.html", "/search?q=zebra"),
        ("nothing.html", "/nothing"),
    ] {
        std::fs::write(outbox.join(name), newsroom.asks("GET", path, "").2).unwrap();
        every.push(name.to_owned());
        some.push(name.to_owned());
    }
    let reader = Address::parse("looking@example.org").unwrap();
    let entered = newsroom.ledger().subscribe(&reader, "a story", newsroom.now()).unwrap();
    let own = newsroom.letterhead().leave_key.preferences(entered.id().unwrap());
    for (name, (_, _, page)) in [
        ("join.html", newsroom.asks("GET", "/join", "")),
        ("wrong.html", newsroom.gets_form("/join", "", "address=x&form=kindle&device=y")),
        ("preferences.html", newsroom.gets_form(&format!("/preferences/{own}"), "", "pace=daily")),
    ] {
        std::fs::write(outbox.join(name), page).unwrap();
        every.push(name.to_owned());
    }
    std::fs::write(outbox.join("bad.html"), BAD).unwrap();
    every.push("bad.html".to_owned());
    some.push("bad.html".to_owned());
    let base_url = newsroom.base_url();
    let (text, shown) = std::thread::scope(|scope| {
        let text = scope.spawn(|| checked(&java, &modules, &outbox, &every));
        let shown = looked_at(&node, &chromium, &modules, &base_url, &some);
        (text.join().unwrap(), shown)
    });
    let is_bad = |line: &&str| line.contains("bad.html");
    let ours = |said: &str| said.lines().filter(|line| !is_bad(line)).collect::<Vec<_>>().join("\n");
    assert!(
        text.lines().any(|line| is_bad(&line) && line.contains("error")),
        "the checker sees nothing: {text}"
    );
    assert_eq!(ours(&text), "", "the checker of HTML");
    for fault in ["image-alt", "html-has-lang", "1 scripts", "pixels wider than 320"] {
        assert!(
            shown.lines().any(|line| is_bad(&line) && line.contains(fault)),
            "nobody sees {fault}: {shown}"
        );
    }
    let n_bad = shown.lines().filter(is_bad).count();
    assert_eq!(ours(&shown), format!("{} pages, {n_bad} findings", some.len()), "the browser");
}
