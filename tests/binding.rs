//! Books, one an issue or one of many: what judges say of a large corpus, and what `gazetted bind` does.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    io::{Cursor, Read as _},
    path::{Path, PathBuf},
    process::Command,
};

use gazetted::{
    editions, editions::Anthology, editions::Plates, issue::Release, manuscript, picture::Plate,
    publication::Colour, publication::Publication,
};
use image::ImageFormat;

use crate::{
    configuring::gazetted,
    judging::epubcheck,
    listing::files,
    newsroom::Newsroom,
    picturing::{packed, picture},
    properties::publication,
    tools,
};

/// How many issues the generator makes, besides the samples and what lies beside the project.
const MADE: usize = 60;

/// Titles that have hurt somebody's books.
const TITLES: [&str; 16] = [
    "石桥修好了",
    "Same",
    "Same",
    "& < > \" ' ]]> {{x}} {% if %} <!-- </h1>",
    "a\u{8}b\u{1b}c\u{e000}d\u{fffe}e\u{202e}f",
    "مقال قصير عن النهر",
    "שלום לנהר",
    "강가의 신문",
    "ข่าวริมแม่น้ำ",
    "मेरा अख़बार",
    "გაზეთი მდინარეზე",
    "🚀🚀 👩‍👩‍👧",
    "很长的标题",
    "x",
    "Donaudampfschifffahrtsgesellschaftskapitänswitwenrentenauszahlungsstelle",
    "1. 2. 3. # ![x](y) *z* `q`",
];
const LANGUAGES: [&str; 9] = ["zh-Hans", "en", "ar", "zh-Hant", "he", "ko", "ja", "de", "th"];

/// One issue after the other, each the same whenever it is made.
fn made(nth: usize) -> (String, Vec<u8>) {
    let title = |n: usize| match (nth + n) % 19 {
        16 => "长".repeat(10_000),
        17 => "word ".repeat(2_000),
        18 => String::new(),
        n => TITLES[n].to_owned(),
    };
    let n_articles = match nth {
        0 => 1,
        1 => 500,
        n => 1 + n % 7,
    };
    let language = LANGUAGES[nth % LANGUAGES.len()];
    let mut text = format!("---\nlanguage: {language}\ndate: 2026-{:02}-{:02}\n", 1 + nth % 12, 1 + nth % 28);
    if nth.is_multiple_of(3) {
        let (number, page) = (200 + nth, 1 + nth % 9);
        write!(text, "number: {number}\npage: {page}\neditors: [沈青, Ada Marsh]\n").unwrap();
    }
    if nth.is_multiple_of(4) {
        text.push_str("summary: '& < > ]]> 一句话'\ntitle: 'Of \"rivers\" & <lamps>'\n");
    }
    text.push_str("---\n\n");
    for n in 0..n_articles {
        let note = if n.is_multiple_of(3) { "[^n]" } else { "" };
        write!(text, "# {}\n\n*By Ada Marsh*\n\n", title(n)).unwrap();
        write!(text, "第{n}篇的字。Words & <signs> of number {n}.{note}\n\n> 引文\n\n1. one\n2. two\n\n")
            .unwrap();
        text.push_str("| a | b |\n|---|---|\n| 1 | 2 |\n\n## Below\n\nMore *stress* and `code`.\n\n");
        if nth % 5 == 3 {
            text.push_str(
                "![a goose & a <lamp>](a.png)\n\n![](b.jpg)\n\n![moving](c.gif)\n\n![d](d.webp)\n\n",
            );
        }
        if n.is_multiple_of(3) {
            write!(text, "[^n]: 注 {n}\n\n").unwrap();
        }
    }
    if nth % 5 != 3 {
        return (format!("made-{nth}.md"), text.into_bytes());
    }
    let files = [
        ("index.md", text.into_bytes()),
        ("a.png", picture(60, 40, ImageFormat::Png)),
        ("b.jpg", picture(90, 50, ImageFormat::Jpeg)),
        ("c.gif", picture(20, 20, ImageFormat::Gif)),
        ("d.webp", picture(30, 30, ImageFormat::WebP)),
    ];
    (format!("made-{nth}.zip"), packed(&files))
}

/// The issue of a file, as it would be released.
fn released(name: &str, bytes: &[u8], publication: &Publication) -> Option<(Release, Vec<Plate>)> {
    let opened = manuscript::open(name, bytes).ok()?;
    let (proof, plates) = manuscript::read_with_plates(&opened, publication);
    let published = "2026-07-08T00:30:00Z".parse().unwrap();
    let mut release = Release { issue: proof.issue, version: 1, published, updated: published };
    release.issue.name_articles(None);
    (!release.issue.articles.is_empty()).then_some((release, plates))
}

/// Everything that can be read here: what is made, the samples, and what lies beside the project.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let mut corpus: Vec<(String, Vec<u8>)> = (0..MADE).map(made).collect();
    let mut files = tools::samples();
    files.extend(tools::real_pages());
    files.extend(periodicals());
    for file in files.iter().filter(|file| file.is_file()) {
        corpus.push((file.file_name().unwrap().to_string_lossy().into_owned(), fs::read(file).unwrap()));
    }
    corpus
}

/// The periodicals that lie beside the project, where they do.
fn periodicals() -> Vec<PathBuf> {
    let folder = tools::root().join("../shared/periodicals");
    let Ok(folders) = fs::read_dir(&folder) else {
        tools::skip("the periodicals do not lie beside the project, in `../shared/periodicals`");
        return Vec::new();
    };
    let folders = folders.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    let mut files: Vec<PathBuf> = files
        .filter(|file| manuscript::is_manuscript(&file.file_name().unwrap().to_string_lossy()))
        .collect();
    files.sort();
    files
}

fn looks(nth: usize) -> Publication {
    let mut publication = publication();
    publication.design.vertical = nth.is_multiple_of(7);
    publication.design.colour = (nth % 4 == 1).then_some(Colour { channels: [0xff, 0xd9, 0x00] });
    publication.imprint.issn = nth.is_multiple_of(2).then(|| "1234-567X".to_owned());
    if nth == 13 {
        let own = picture(300, 400, ImageFormat::Jpeg);
        publication.design.cover =
            Some(std::sync::Arc::new(manuscript::develop_picture("own", &own).unwrap()));
    }
    publication
}

#[test]
fn no_judge_finds_fault_with_any_book_of_a_large_corpus() {
    let folder = tempfile::tempdir().unwrap();
    let mut books = Vec::new();
    let mut releases = Vec::new();
    let mut plates = Plates::new();
    for (nth, (name, bytes)) in corpus().iter().enumerate() {
        let publication = looks(nth);
        let Some((release, pictures)) = released(name, bytes, &publication) else { continue };
        let own: Plates = pictures.into_iter().map(|plate| (plate.picture.name, plate.bytes)).collect();
        let printed = editions::print(&release, &publication, &own).unwrap();
        if nth % 10 == 3 {
            assert_eq!(printed, editions::print(&release, &publication, &own).unwrap(), "{name}");
        }
        let file = folder.path().join(format!("{nth:03}.epub"));
        fs::write(&file, &printed.book.bytes).unwrap();
        check_contents(&printed.book.bytes, name);
        books.push(file);
        plates.extend(own);
        if nth < 24 && nth != 1 {
            releases.push(release);
        }
    }
    assert!(books.len() >= MADE, "{} books", books.len());
    let mut volume = Cursor::new(Vec::new());
    let anthology = Anthology { name: "2026".to_owned(), year: Some(2026), releases };
    let plate = |picture: &gazetted::picture::Picture| Ok(plates[&picture.name].clone());
    editions::bind(&anthology, &looks(2), &plate, &mut volume).unwrap();
    check_contents(volume.get_ref(), "the volume");
    let file = folder.path().join("volume.epub");
    fs::write(&file, volume.into_inner()).unwrap();
    books.push(file);
    epubcheck(&books);
}

/// Each entry of the contents is called as the heading it leads to, and no two lead to one place.
#[track_caller]
fn check_contents(book: &[u8], name: &str) {
    let mut archive = zip::ZipArchive::new(Cursor::new(book)).unwrap();
    let mut file = |path: &str| {
        let mut text = String::new();
        archive.by_name(&format!("OEBPS/{path}")).unwrap().read_to_string(&mut text).unwrap();
        text
    };
    let nav = file("nav.xhtml");
    let toc = nav.split("</nav>").next().unwrap();
    let ncx = file("toc.ncx");
    let mut targets = BTreeSet::new();
    for entry in toc.split("<a href=\"").skip(1) {
        let (target, rest) = entry.split_once("\">").unwrap();
        let label = rest.split_once("</a>").unwrap().0;
        assert!(targets.insert(target.to_owned()), "{name}: two entries lead to {target}");
        assert!(
            ncx.contains(&format!("<content src=\"{target}\"/>")),
            "{name}: {target} is in one table only"
        );
        let (path, fragment) = target.split_once('#').unwrap_or((target, ""));
        let page = file(path);
        let section = page.split_once("<p class=\"section\">").filter(|_| fragment.is_empty());
        let heading = match section {
            Some((_, rest)) => rest.split_once("</p>").unwrap().0,
            None => {
                page.split_once("<h1").unwrap().1.split_once('>').unwrap().1.split_once("</h1>").unwrap().0
            }
        };
        let shown = label.trim_end_matches('…');
        assert!(heading.starts_with(shown), "{name}: `{label}` leads to `{heading}`");
    }
    assert_eq!(targets.len(), ncx.matches("<navPoint ").count(), "{name}");
}

#[test]
fn a_book_and_every_other_file_are_the_same_on_a_machine_with_another_clock_and_language() {
    let newsroom = Newsroom::closed("");
    newsroom.saves(
        "a.md",
        "---\ndate: 2026-07-08\nnumber: 7\n---\n\n# 石桥修好了\n\n桥面。\n\n# Two\n\nWords.\n",
    );
    let root = newsroom.folder.path();
    let (code, said) = gazetted(root, &["publish", "inbox/a.md"]);
    assert_eq!(code, 0, "{said}");
    let outbox = root.join("outbox/issues/a");
    let printed = || {
        let files = fs::read_dir(&outbox).unwrap().map(|entry| entry.unwrap().path());
        let of_book =
            files.filter(|file| file.extension().is_some_and(|form| form == "epub" || form == "png"));
        of_book.map(|file| (file.clone(), fs::read(file).unwrap())).collect::<BTreeMap<_, _>>()
    };
    let first = printed();
    assert_eq!(first.len(), 3, "a book, a cover and its thumbnail");
    let all = files(&newsroom);
    assert!(all.len() > 40, "{:?}", all.keys());
    for (zone, language) in [("Asia/Shanghai", "zh_CN.UTF-8"), ("America/New_York", "C")] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_gazetted"));
        program.arg("replay").current_dir(root).env("TZ", zone).env("LANG", language);
        let (good, said) = tools::output(program.env("LC_ALL", language));
        assert!(good, "{said}");
        assert!(printed() == first, "{zone}");
        let again = files(&newsroom);
        let other: Vec<_> = again.iter().filter(|(path, bytes)| all.get(*path) != Some(*bytes)).collect();
        assert!(other.is_empty() && again.len() == all.len(), "{zone}: {:?}", other.first());
    }
    for (file, width) in [("cover.png", 1200), ("thumbnail.png", 300)] {
        let picture = image::open(outbox.join(file)).unwrap();
        assert_eq!((picture.width(), picture.height()), (width, width / 3 * 4), "{file}");
    }
}

#[test]
fn the_issues_of_a_year_or_the_articles_of_a_person_become_one_book() {
    let newsroom = Newsroom::closed("");
    let issue = |date: &str, section: &str, by: &str| {
        format!(
            "---\ndate: {date}\nsection: {section}\n---\n\n# Of {date}\n\n*By {by}*\n\nWords of {date}.\n"
        )
    };
    newsroom.saves("one.md", issue("2025-12-31", "Letters", "Ada Marsh"));
    newsroom.saves("two.md", issue("2026-01-07", "Letters", "J. Poole"));
    let pictured = [
        (
            "index.md",
            b"---\ndate: 2026-02-04\n---\n\n# Geese\n\n*By Ada Marsh*\n\n![a goose](a.png)\n\nWords.\n"
                .to_vec(),
        ),
        ("a.png", picture(60, 40, ImageFormat::Png)),
    ];
    newsroom.saves_folder("three", &pictured);
    let root = newsroom.folder.path();
    let (code, said) = gazetted(root, &["publish", "inbox/one.md", "inbox/two.md", "inbox/three"]);
    assert_eq!(code, 0, "{said}");

    let (code, said) = gazetted(root, &["bind", "--year", "2026"]);
    assert_eq!((code, said.as_str()), (0, "`tide-2026.epub` has 2 articles of 2 issues\n"));
    let names = names_in(&root.join("tide-2026.epub"));
    assert!(names.iter().any(|name| name.starts_with("OEBPS/pictures/a-")), "{names:?}");
    assert!(names.iter().any(|name| name == "OEBPS/names.xhtml"), "{names:?}");

    let (code, said) = gazetted(root, &["bind", "--author", "Ada Marsh", "--output", "books/ada.epub"]);
    assert_eq!((code, said.as_str()), (0, "`books/ada.epub` has 2 articles of 2 issues\n"));
    let again = fs::read(root.join("books/ada.epub")).unwrap();
    gazetted(root, &["bind", "--author", "Ada Marsh", "--output", "books/ada.epub"]);
    assert_eq!(fs::read(root.join("books/ada.epub")).unwrap(), again);
    let (code, said) = gazetted(root, &["bind", "--section", "Letters"]);
    assert_eq!((code, said.as_str()), (0, "`tide-letters.epub` has 2 articles of 2 issues\n"));

    for (asked, answer) in [
        (["bind", "--year", "1999"], "error: no issue of 1999 is out; there are `2026`, `2025`\n"),
        (
            ["bind", "--author", "Ada March"],
            "error: no issue that is out has an article by `Ada March`; did you mean `Ada Marsh`?\n",
        ),
        (["bind", "--section", "Sport"], "error: no issue that is out has a section `Sport`\n"),
    ] {
        let (code, said) = gazetted(root, &asked);
        assert_eq!((code, said), (2, format!("{answer}help: `gazetted issues list` shows what is out\n")));
    }
    let left: Vec<_> = fs::read_dir(root.join("books")).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing half-made is left");
}

fn names_in(book: &Path) -> Vec<String> {
    let archive = zip::ZipArchive::new(fs::File::open(book).unwrap()).unwrap();
    archive.file_names().map(str::to_owned).collect()
}

#[test]
fn ace_finds_no_barrier_in_an_issue_or_a_volume() {
    let (Some(ace), Some(chromium)) = (tools::program("ace-cli"), tools::program("chromium")) else { return };
    let folder = tempfile::tempdir().unwrap();
    let publication = looks(2);
    let mut plates = Plates::new();
    let mut releases = Vec::new();
    for nth in [3, 6] {
        let (name, bytes) = made(nth);
        let (release, pictures) = released(&name, &bytes, &publication).unwrap();
        plates.extend(pictures.into_iter().map(|plate| (plate.picture.name, plate.bytes)));
        releases.push(release);
    }
    let mut volume = Cursor::new(Vec::new());
    let anthology = Anthology { name: "2026".to_owned(), year: Some(2026), releases };
    editions::bind(&anthology, &publication, &|picture| Ok(plates[&picture.name].clone()), &mut volume)
        .unwrap();
    let issue = "---\ndate: 2026-07-08\npage: 3\nnumber: 217\n---\n\n# 石桥修好了\n\n*林晚*\n\n桥面新铺的青石。[^1]\n\n[^1]: 注\n\n# 夜市的灯\n\n灯。\n";
    let (release, _) = released("2026-07-08.md", issue.as_bytes(), &looks(7)).unwrap();
    let book = editions::print(&release, &looks(7), &Plates::new()).unwrap().book.bytes;
    for (name, bytes) in [("issue.epub", book), ("volume.epub", volume.into_inner())] {
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        let out = folder.path().join(format!("{name}.report"));
        let mut command = Command::new(&ace);
        command.args(["--force", "--silent", "-o"]).arg(&out).arg(&file);
        let (_, said) = tools::output(
            command.env("PUPPETEER_EXECUTABLE_PATH", &chromium).env("ACE_TIMEOUT_INITIAL", "60000"),
        );
        let report =
            fs::read(out.join("report.json")).unwrap_or_else(|error| panic!("{name}: {error}: {said}"));
        let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
        let found = &report["assertions"];
        assert_eq!(report["earl:result"]["earl:outcome"], "pass", "{name}: {found:#}");
    }
}
