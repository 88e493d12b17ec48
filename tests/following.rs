//! What the programs of others make of the feeds and the catalogue: parsers, a grammar, a schema, libraries of readers, and one
//! that makes letters of entries.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use gazetted::{
    editions::{self, BookFile, Shelf, Shelved},
    issue::{Article, Byline, Headline, Issue, IssueKey, Release, Role},
    press::Press,
    prose::{Block, Inline},
    publication::{Imprint, Publication},
    typography,
};
use image::ImageFormat;
use jiff::Timestamp;
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

use crate::{
    listing::{files, moment, publishes},
    newsroom::{Newsroom, opened, page},
    picturing::picture,
    properties, tools,
};

/// How many made-up texts the parsers are given in one run.
const CASES: usize = 64;

/// Whatever a text may be: letters of every plane, signs of markup, and what no XML can carry.
fn any_text() -> impl Strategy<Value = String> {
    let signs = prop::sample::select(vec![
        "<",
        ">",
        "&",
        "\"",
        "'",
        "]]>",
        "<![CDATA[",
        "-->",
        "<?x",
        "&amp;",
        "&#0;",
        "{{ x }}",
        "{% if %}",
        "\r\n",
        "\r",
        "\n",
        "\t",
        "\0",
        "\u{8}",
        "\u{b}",
        "\u{1b}",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "\u{3000}",
        "\u{a0}",
        "\u{200f}",
        "\u{202e}",
        "\u{d7ff}",
        "\u{e000}",
        "\u{fdd0}",
        "\u{feff}",
        "\u{fffd}",
        "\u{fffe}",
        "\u{ffff}",
        "\u{1fffe}",
        "\u{10ffff}",
        "𠮷",
        "👩‍👩‍👧",
        "é",
        "e\u{301}",
        "字",
    ]);
    let piece = prop_oneof![3 => signs.prop_map(str::to_owned), 2 => any::<char>().prop_map(String::from), 1 => "[a-z ]{1,5}"];
    prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
}

/// A release and its publication with these texts wherever there is one.
fn of_texts(texts: &[String]) -> (Release, Publication) {
    let text = |nth: usize| texts[nth % texts.len()].clone();
    let publication = Publication {
        title: format!("t{}", text(0)),
        description: text(1),
        imprint: Imprint { publisher: Some(text(2)), rights: Some(text(3)), issn: Some(text(4)) },
        ..properties::publication()
    };
    let article = |nth: usize| {
        let headline = Headline { text: format!("h{}h", text(nth)), synthetic: false };
        Article {
            kicker: Some(text(nth + 1)),
            dek: Some(text(nth + 2)),
            bylines: vec![Byline {
                name: text(nth + 3),
                role: Role::Author,
                affiliation: Some(text(nth + 4)),
            }],
            captions: vec![text(nth + 5)],
            section: Some(text(nth + 6)),
            body: vec![
                Block::Paragraph {
                    text: vec![
                        Inline::text(text(nth)),
                        Inline::Code { text: text(nth + 1) },
                        Inline::Note { number: 1 },
                    ],
                },
                Block::Code { text: text(nth + 2) },
                Block::subhead(1, text(nth + 3)),
            ],
            notes: vec![vec![Block::paragraph(text(nth + 4))]],
            ..Article::headed(headline)
        }
    };
    let mut issue = Issue {
        title: Some(text(0)),
        number: Some(text(1)),
        page: Some(text(2)),
        section: Some(text(3)),
        summary: Some(text(4)),
        editors: vec![text(5)],
        publisher: Some(text(6)),
        articles: vec![article(0), article(3)],
        ..Issue::of(IssueKey::of("any"), publication.language.clone())
    };
    issue.name_articles(None);
    let release =
        Release { issue, version: 2, published: Timestamp::UNIX_EPOCH, updated: Timestamp::UNIX_EPOCH };
    (release, publication)
}

/// A text as it is told in one line: without what XML cannot carry, and runs of white space as one space.
fn told(text: &str) -> String {
    let blank = |c: char| c.is_whitespace() && !['\u{3000}', '\u{a0}'].contains(&c);
    let printable = typography::printable(text);
    printable.split(blank).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// Reads files with expat: prints for each the titles in it, or what is wrong.
const EXPAT: &str = "
import json, sys, xml.parsers.expat as expat
for path in sys.stdin.read().splitlines():
    titles, depth = [], [0]
    def start(name, attributes):
        depth[0] = name == 'title'
        if depth[0]: titles.append('')
    def end(name): depth[0] = False
    def text(data):
        if depth[0]: titles[-1] += data
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    try:
        parser.ParseFile(open(path, 'rb'))
        print(json.dumps({'path': path, 'titles': titles}))
    except expat.ExpatError as error:
        print(json.dumps({'path': path, 'wrong': str(error)}))
";

/// Both parsers are started once for all files: a start costs more than a feed.
#[test]
fn libxml2_and_expat_read_every_list_of_any_text_and_find_its_words() {
    let (Some(xmllint), Some(python)) = (tools::program("xmllint"), tools::program("python3")) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut runner = TestRunner::new(Config::default());
    let strategy = prop::collection::vec(any_text(), 8);
    let (mut paths, mut expected, mut inputs) = (Vec::new(), BTreeMap::new(), Vec::new());
    for case in 0..CASES {
        let texts = strategy.new_tree(&mut runner).unwrap().current();
        let (release, publication) = of_texts(&texts);
        let book = BookFile { path: "issues/any/any-0.epub".to_owned(), length: 1 };
        let headlines: Vec<String> =
            release.issue.articles.iter().map(|article| told(&article.headline.text)).collect();
        let shelved = Shelved { release, book };
        let mut shelf = Shelf::of(std::slice::from_ref(&shelved), &publication);
        shelf.sealed = vec![editions::Sealed { number: 2, issues: vec![shelved] }];
        shelf.catalogue_pages = shelf.sealed.clone();
        for edition in editions::lists(&shelf, &publication).unwrap().editions {
            let name = edition.path.replace('/', "-");
            if name.ends_with("xml") || name.ends_with("opml") || name.ends_with("html") {
                let path = folder.path().join(format!("{case}-{name}"));
                fs::write(&path, &edition.bytes).unwrap();
                if name == "feed-articles.xml" {
                    expected.insert(path.to_string_lossy().into_owned(), headlines.clone());
                }
                paths.push(path);
            }
        }
        inputs.push(texts);
    }
    // To see that the parsers see.
    let bad = folder.path().join("bad.xml");
    fs::write(&bad, "<rss><title>\u{8}</title></rss>").unwrap();
    paths.push(bad.clone());
    let input = |said: &str| {
        let case = said.rsplit_once('/').and_then(|(_, name)| name.split('-').next()?.parse::<usize>().ok());
        case.map(|case| &inputs[case])
    };

    let (_, said) = tools::output(Command::new(xmllint).args(["--noout", "--nonet"]).args(&paths));
    let (caught, wrong): (Vec<&str>, Vec<&str>) =
        said.lines().filter(|line| line.contains("error :")).partition(|line| line.contains("bad.xml"));
    assert!(!caught.is_empty(), "libxml2 sees nothing: {said}");
    assert!(
        wrong.is_empty(),
        "libxml2: {}\nof {:?}",
        wrong.join("\n"),
        wrong.first().and_then(|line| input(line))
    );

    let list = folder.path().join("list");
    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    fs::write(&list, names.join("\n")).unwrap();
    let read =
        Command::new(python).args(["-c", EXPAT]).stdin(fs::File::open(list).unwrap()).output().unwrap();
    let read = String::from_utf8(read.stdout).unwrap();
    let mut seen = 0;
    for line in read.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let path = line["path"].as_str().unwrap();
        if path == bad.to_string_lossy() {
            assert!(line["wrong"].is_string(), "expat sees nothing: {line}");
            continue;
        }
        assert!(line["wrong"].is_null(), "expat: {line}\nof {:?}", input(path));
        if let Some(headlines) = expected.get(path) {
            seen += 1;
            // The first title is the feed's own.
            assert_eq!(
                line["titles"].as_array().unwrap()[1..],
                *json!(headlines).as_array().unwrap(),
                "{:?}",
                input(path)
            );
        }
    }
    assert_eq!((read.lines().count(), seen), (paths.len(), CASES));
}

/// A newsroom without a daemon whose lists have more pages than one, with an issue of 500 articles and with others that are hard
/// to print; and an empty one. Gives the folder of each outbox's files that lists are in.
fn long_newsroom() -> (Newsroom, Press) {
    let mut newsroom = Newsroom::closed("");
    let settings =
        "base_url = \"https://tide.example.org/\"\nissn = \"1234-567X\"\nhub = \"https://hub.example.org/\"";
    newsroom.sets("publication", settings);
    let press = newsroom.press();
    for n in 1..=44 {
        publishes(&newsroom, &press, n, "The bell is rung & <rung>.", i64::try_from(n).unwrap());
    }
    let mut long = String::from("---\nnumber: 45\n---\n\n");
    for n in 1..=500 {
        write!(long, "# Number {n}\n\n*By Ada Quill*\n\nWords of number {n}.\n\n").unwrap();
    }
    let nasty = "A & B < C > D \" E ' ]]> {{ title }} {% raw %} \u{8}\u{0}\u{fffe}";
    let hard = [
        ("long.md", long),
        ("nasty.md", format!("---\nsection: '桥 & <x>'\n---\n\n# {nasty}\n\n*By 王 & <伟>*\n\n{nasty}\n")),
        ("same.md", "# Same\n\nThe first words.\n\n# Same\n\nThe second words.\n".to_owned()),
    ];
    for (n, (name, text)) in (50..).zip(hard) {
        let file = newsroom.path("inbox").join(name);
        fs::write(&file, text).unwrap();
        press.publish(&opened(&newsroom.path("inbox"), &file), moment(n)).unwrap();
    }
    (newsroom, press)
}

/// The lists of a newsroom that has published nothing yet.
fn empty_lists(folder: &Path) {
    let lists = editions::lists(&Shelf::default(), &properties::publication()).unwrap();
    for edition in lists.editions {
        fs::write(folder.join(format!("empty-{}", edition.path.replace('/', "-"))), edition.bytes).unwrap();
    }
}

/// One newsroom for all judges: it takes long to fill.
#[test]
fn the_grammar_of_atom_and_the_libraries_of_e_readers_find_no_fault_and_every_book() {
    let (newsroom, press) = long_newsroom();
    the_grammar_of_atom_allows_every_document(&newsroom, &press);
    libraries_find_every_book_in_the_catalogue(&newsroom, &press);
}

fn the_grammar_of_atom_allows_every_document(newsroom: &Newsroom, press: &Press) {
    let Some(jing) = tools::program("jing") else { return };
    let folder = tempfile::tempdir().unwrap();
    empty_lists(folder.path());
    for (path, bytes) in files(newsroom) {
        fs::write(folder.path().join(path.to_string_lossy().replace('/', "-")), bytes).unwrap();
    }
    let question = ["bell".to_owned()];
    let found = press.ledger.search(&press.publication, &question, 0, 9).unwrap().0;
    let listings: Vec<_> = found
        .iter()
        .map(|found| press.ledger.issue(&press.publication, &found.issue).unwrap().unwrap())
        .map(|shelved| editions::Listing::of(&shelved.release, &shelved.book, &press.publication))
        .collect();
    let answer = editions::search_catalogue(&listings, "bell", &press.publication).unwrap();
    fs::write(folder.path().join("opds-search-answer.xml"), answer).unwrap();

    let is_atom = |path: &PathBuf| {
        let start = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        path.extension().is_some_and(|extension| extension == "xml") && start.contains("<feed xmlns=")
    };
    let mut documents: Vec<PathBuf> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).filter(is_atom).collect();
    documents.sort();
    let named = |name: &str| documents.iter().any(|path| path.ends_with(name));
    for name in [
        "feed-atom.xml",
        "feed-archive-1.atom.xml",
        "opds-root.xml",
        "opds-navigation.xml",
        "empty-opds-root.xml",
    ] {
        assert!(named(name), "{name} is not there: {documents:?}");
    }
    let judged = |documents: &[PathBuf]| {
        let grammar = tools::root().join("tests/judges/atom.rnc");
        let mut command = Command::new(&jing);
        let output = command.arg("-c").arg(grammar).args(documents).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(judged(&documents), "", "{} documents", documents.len());

    // To see that the judge sees.
    let good = newsroom.outbox_text("feed/atom.xml");
    let bad = folder.path().join("bad.xml");
    for (what, with) in [
        ("<updated>2", "<updated>x2"),
        (
            "rel=\"alternate\" type=\"text/html\" href=\"https:",
            "rel=\"alternate\" type=\"text/html\" href=\"",
        ),
        ("<generator>gazetted</generator>", "<guid>gazetted</guid>"),
        ("<id>tag:", "<id>"),
        ("<author>", "<fh:author>"),
    ] {
        assert!(good.contains(what), "{what}");
        let other = good
            .replace(what, with)
            .replace("</author>", if with == "<fh:author>" { "</fh:author>" } else { "</author>" });
        fs::write(&bad, other).unwrap();
        assert!(judged(std::slice::from_ref(&bad)).contains("error"), "nobody sees `{with}`");
    }
}

fn libraries_find_every_book_in_the_catalogue(newsroom: &Newsroom, press: &Press) {
    let (Some(node), Some(python), Some(modules)) =
        (tools::program("node"), tools::program("python3"), tools::node_modules("r2-opds-js"))
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    empty_lists(folder.path());
    for (path, bytes) in files(newsroom) {
        if path.starts_with("opds") {
            fs::write(folder.path().join(path.to_string_lossy().replace('/', "-")), bytes).unwrap();
        }
    }
    let mut lists: Vec<PathBuf> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    lists.retain(|path| {
        let name = name(path);
        name.contains("opds-")
            && !name.ends_with("search.xml")
            && path.extension().is_some_and(|kind| kind == "xml" || kind == "json")
    });
    lists.sort();
    let read = |lists: &[PathBuf]| {
        let mut command = Command::new(&node);
        command.arg(tools::root().join("tests/judges/read_catalogue.mjs")).arg(&modules);
        tools::output(command.arg(tools::root().join("tests/judges/opds2.schema.json")).args(lists))
    };
    let (good, said) = read(&lists);
    assert!(good, "{said}");

    let url = |path: &str| press.publication.url(path);
    let known: BTreeSet<(String, String, String)> = press
        .ledger
        .issues(&press.publication)
        .unwrap()
        .iter()
        .map(|line| {
            let shelved = Newsroom::shelved_by(press, line.key.as_str());
            let cover = url(&editions::cover_path(&line.key));
            (shelved.release.issue.name(&press.publication), url(&shelved.book.path), cover)
        })
        .collect();
    assert_eq!(known.len(), 47);
    for form in ["xml", "json"] {
        let is_page = |file: &str| file.starts_with("opds-root") || file.starts_with("opds-archive");
        let rows: Vec<Vec<&str>> = said
            .lines()
            .map(|line| line.split('\t').collect::<Vec<_>>())
            .filter(|row| row[0] == "book" && row[1].ends_with(form) && is_page(row[1]))
            .collect();
        let found: BTreeSet<(String, String, String)> =
            rows.iter().map(|row| (row[2].to_owned(), row[3].to_owned(), row[5].to_owned())).collect();
        assert_eq!(found, known, "{form}");
        assert_eq!(rows.len(), known.len(), "{form}: none twice");
        assert!(rows.iter().all(|row| row[4] == "application/epub+zip"));
        let years =
            said.lines().filter(|line| line.starts_with("list") && line.contains(&format!("{form}\t2025")));
        assert_ne!(years.count(), 0, "{form}: {said}");
    }

    let mut command = Command::new(&python);
    command.arg(tools::root().join("tests/judges/judge_catalogue.py"));
    let (good, judged) =
        tools::output(command.args(lists.iter().filter(|path| name(path).ends_with("json"))));
    if judged.contains("No module named") {
        tools::skip("palace-webpub-manifest-parser is not installed; `tests/run` installs it");
    } else {
        assert!(good && judged.is_empty(), "{judged}");
    }

    // To see that the judges see.
    let good = newsroom.outbox_text("opds/root.json");
    let bad = folder.path().join("bad.json");
    for (what, with) in [
        ("\"rel\":\"self\"", "\"rel\":\"other\""),
        ("[\"urn:issn:1234-567X\"]", "\"urn:issn:1234-567X\""),
        ("http://opds-spec.org/acquisition/open-access", "related"),
        ("\"title\":", "\"name\":"),
        ("T0", "T7"),
    ] {
        assert!(good.contains(what), "{what}: {good}");
        fs::write(&bad, good.replace(what, with)).unwrap();
        let (passes, said) = read(std::slice::from_ref(&bad));
        assert!(!passes && said.contains("refused"), "nobody sees `{with}`: {said}");
    }
}

/// The letters in a mailbox: subject, who they are from, date, in the order of their subjects.
const MAILBOX: &str = "
import email, email.header, email.utils, mailbox, sys
for letter in sorted(mailbox.Maildir(sys.argv[1]), key=lambda letter: letter['date']):
    words = lambda name: str(email.header.make_header(email.header.decode_header(letter[name]))).replace('\\n', '')
    body = letter.get_payload(decode=True).decode(letter.get_content_charset())
    moment = email.utils.parsedate_to_datetime(letter['date']).timestamp()
    print(words('subject'), email.utils.parseaddr(words('from'))[0], int(moment), len(body) > 20, sep='\\t')
";

#[test]
fn rss2email_has_one_letter_of_each_entry_as_the_ledger_knows_it() {
    let (Some(r2e), Some(python)) = (tools::program("r2e"), tools::program("python3")) else { return };
    let newsroom = Newsroom::opens();
    newsroom.saves("a.md", page("第一期：渡口 & <桥>", "The words of the first.")).is_out("a", 1);
    newsroom.saves("b.md", page("Second", "The words of the second.")).is_out("b", 1);
    for feed in ["feed.xml", "feed/atom.xml"] {
        let home = tempfile::tempdir().unwrap();
        let file = |name: &str| home.path().join(name);
        let settings = format!(
            "[DEFAULT]\nfrom = us@example.org\nto = li@example.org\nuse-8bit = True\ndate-header = True\n\
             date-header-order = issued\nname-format = {{author}}\nencodings = UTF-8\nemail-protocol = maildir\nmaildir-path = {}\nmaildir-mailbox = box\n",
            home.path().display()
        );
        fs::write(file("settings"), settings).unwrap();
        let r2e = |arguments: &[&str]| {
            let mut command = Command::new(&r2e);
            command.env("HOME", home.path()).arg("-c").arg(file("settings")).arg("-d").arg(file("data"));
            let (good, said) = tools::output(command.args(arguments));
            assert!(good, "{said}");
        };
        r2e(&["add", "tide", &format!("{}{feed}", newsroom.base_url())]);
        r2e(&["run"]);
        let letters = || {
            let (good, said) = tools::output(Command::new(&python).args(["-c", MAILBOX]).arg(file("box")));
            assert!(good, "{said}");
            let mut letters: Vec<String> = said.lines().map(str::to_owned).collect();
            letters.sort();
            letters
        };
        let known = || {
            let lines = newsroom.ledger().issues(&newsroom.publication()).unwrap();
            let mut known: Vec<String> = lines
                .iter()
                .map(|line| newsroom.shelved(line.key.as_str()).release)
                .map(|release| {
                    let name = release.issue.name(&newsroom.publication());
                    format!("{name}\tAda Quill\t{}\tTrue", release.published.as_second())
                })
                .collect();
            known.sort();
            known
        };
        let first = known();
        assert_eq!(letters(), first, "{feed}");
        r2e(&["run"]);
        assert_eq!(letters(), first, "{feed}: nothing is new");
        let version = newsroom.shelved("b").release.version + 1;
        newsroom.saves("b.md", page("Second", &format!("Words of version {version}."))).is_out("b", version);
        r2e(&["run"]);
        assert_eq!(letters(), first, "{feed}: a correction is not news");
        let name = format!("c{}", first.len());
        newsroom.saves(&format!("{name}.md"), page(&name, "The words of another.")).is_out(&name, 1);
        r2e(&["run"]);
        assert_eq!(letters(), known(), "{feed}");
    }
}

/// The addresses in a document, also in the texts that it carries as escaped HTML.
fn addresses(document: &str) -> Vec<String> {
    let text = document.replace("&quot;", "\"").replace("&#34;", "\"").replace("\\\"", "\"");
    let before = [" href=\"", " src=\"", " url=\"", "<link>", "url\":\""];
    let of = |mark: &str| -> Vec<String> {
        text.split(mark).skip(1).filter_map(|rest| rest.split(['"', '<']).next()).map(str::to_owned).collect()
    };
    before.into_iter().flat_map(of).collect()
}

#[test]
fn no_address_in_a_feed_needs_the_page_around_it() {
    let newsroom = Newsroom::opens();
    let text = "---\ntitle: Week 1\n---\n\n# Story\n\n*By Ann Lee*\n\nThe bell[^1] is [here](other.html), [there](/harbour) and \
                [below](#tide); [the tide](https://tide.example.org/).\n\n![a bell](bell.png)\n\n[^1]: It was cast in 1830.\n";
    let bell = picture(60, 40, ImageFormat::Png);
    newsroom
        .saves_folder("w1", &[("index.md", text.as_bytes().to_vec()), ("bell.png", bell)])
        .is_out("w1", 1);
    for (path, begin) in [
        ("feed.xml", "<channel"),
        ("feed/articles.xml", "<channel"),
        ("feed/books.xml", "<channel"),
        ("feed/atom.xml", "<feed"),
        ("feed/feed.json", "{"),
    ] {
        let document = newsroom.outbox_text(path);
        let found = addresses(&document[document.find(begin).expect(begin)..]);
        let whole = |address: &String| address.starts_with("https://") || address.starts_with("http://");
        assert!(found.len() > 3 && found.iter().all(whole), "{path}: {found:?}");
        if !path.ends_with("books.xml") {
            let has = |part: &str| found.iter().any(|address| address.contains(part));
            assert!(has("/issues/w1/bell-") && has("https://tide.example.org/"), "{path}: {found:?}");
        }
    }
}
