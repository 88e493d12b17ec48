//! Issues with pictures: a folder or a zip becomes one issue, and readers see its pictures everywhere.

use std::{
    fs,
    io::{Cursor, Read as _, Write as _},
    path::Path,
    process::Command,
};

use gazetted::{
    config::Newsroom as Settings, editions, inbox, issue::Issue, manuscript, picture::MediaType,
    picture::Plate, proof::Doubt, proof::Proof, prose, publication::Publication, subscriber::Wish,
};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{newsroom::Newsroom, tools};

/// A picture of some colours.
pub fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let shade = |n: u32| u8::try_from(n % 256).unwrap();
    let pixels = RgbImage::from_fn(width, height, |x, y| Rgb([shade(x * 3), shade(y * 5), shade(x + y)]));
    encoded(&DynamicImage::ImageRgb8(pixels), format)
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub type Files<'f> = [(&'f str, Vec<u8>)];

/// Writes a folder of files.
fn writes(folder: &Path, files: &Files<'_>) {
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

pub fn packed(files: &Files<'_>) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// How the manuscript in a folder is read, wherever the folder lies.
fn reads(folder: &Path) -> (Proof, Vec<Plate>) {
    let manuscript = inbox::open(Path::new("inbox"), folder).unwrap();
    let text = manuscript.open(manuscript.bytes.as_ref().unwrap()).unwrap();
    let settings = tempfile::tempdir().unwrap();
    fs::write(settings.path().join("news.toml"), "").unwrap();
    let settings = Settings::open(&settings.path().join("news.toml"), []).unwrap();
    manuscript::read_with_plates(&text, &settings.publication(settings.settings.http.listen))
}

fn reads_files(files: &Files<'_>) -> (Proof, Vec<Plate>) {
    let folder = tempfile::tempdir().unwrap();
    writes(folder.path(), files);
    reads(folder.path())
}

fn asked(proof: &Proof) -> Vec<Doubt> {
    proof.queries.iter().map(|query| query.code).collect()
}

/// The pictures that an issue shows, with what they show.
fn shown(issue: &Issue) -> Vec<(String, String)> {
    let bodies = issue.articles.iter().flat_map(|article| prose::pictures(&article.body));
    bodies.map(|(name, alt)| (name.to_string(), alt.to_owned())).collect()
}

const BRIDGE: &str = "# The bridge

*By Ada Quill*

The bridge is open again, and the first to cross it was a goose.

![A goose on the bridge](pictures/goose.jpg \"The goose, at noon\")

The river was high ![a wave](pictures/wave.png) all week.
";

fn bridge() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("index.md", BRIDGE.into()),
        ("pictures/goose.jpg", picture(120, 80, ImageFormat::Jpeg)),
        ("pictures/wave.png", picture(40, 30, ImageFormat::Png)),
    ]
}

/// Asserts that readers of the issue `key` have both pictures of [`bridge`] everywhere.
#[track_caller]
fn everywhere(newsroom: &Newsroom, key: &str) {
    let issue = newsroom.shelved(key).release.issue;
    assert_eq!(issue.pictures.len(), 2);
    let page = newsroom.outbox_text(&format!("issues/{key}/index.html"));
    let feed = newsroom.feed().entries.remove(0).content.unwrap().body.unwrap();
    let mut book = zip::ZipArchive::new(fs::File::open(&newsroom.books()[0]).unwrap()).unwrap();
    for picture in &issue.pictures {
        let name = &picture.name;
        let path = format!("issues/{key}/{name}");
        let bytes = newsroom.outbox_file(&path);
        assert_eq!(bytes.len() as u64, picture.length);
        let size = format!("width=\"{}\" height=\"{}\"", picture.width, picture.height);
        assert!(page.contains(&format!("<img src=\"{name}\" alt=\"")) && page.contains(&size), "{page}");
        assert!(feed.contains(&format!("<img src=\"{}{path}\" alt=\"", newsroom.base_url())), "{feed}");
        let mut bound = Vec::new();
        let mut entry = book.by_name(&format!("OEBPS/pictures/{name}")).unwrap();
        assert_eq!(entry.compression(), zip::CompressionMethod::Stored);
        entry.read_to_end(&mut bound).unwrap();
        assert_eq!(bound, bytes);
        let (status, head, served) = newsroom.asks("GET", &format!("/{path}"), "");
        assert_eq!((status, served), (200, bytes));
        assert!(head.contains(picture.media_type.as_str()) && head.contains("immutable"), "{head}");
    }
    assert!(page.contains("<figcaption>The goose, at noon</figcaption>"), "{page}");
    let mut package = String::new();
    book.by_name("OEBPS/content.opf").unwrap().read_to_string(&mut package).unwrap();
    for told in ["accessMode\">visual", "alternativeText", "accessModeSufficient\">textual<"] {
        assert!(package.contains(told), "{package}");
    }
    newsroom.all_is_well();
}

#[test]
fn a_folder_with_pictures_becomes_one_issue_with_them_in_book_page_and_feed() {
    let mut newsroom = Newsroom::with_subscribers(["li@example.org"]);
    newsroom.saves_folder("2026-07-08", &bridge()).is_out("2026-07-08", 1);
    everywhere(&newsroom, "2026-07-08");
    newsroom.sink.letters_to("li@example.org", 1);

    newsroom.stops();
    newsroom.starts();
    newsroom.saves("2026-07-08/pictures/wave.png", picture(41, 30, ImageFormat::Png));
    newsroom.is_out("2026-07-08", 2);
    everywhere(&newsroom, "2026-07-08");
    assert_eq!(newsroom.ledger().issues(&newsroom.publication()).unwrap().len(), 1, "one issue in all");
}

#[test]
fn a_letter_shows_pictures_only_from_pages_on_https() {
    let newsroom = Newsroom::opens();
    newsroom.saves_folder("wide", &bridge()).is_out("wide", 1);
    let mut shelved = newsroom.shelved("wide");
    shelved.release.issue.pictures[0].width = 1104;
    let mut publication = newsroom.publication();
    let write = |publication: &Publication| {
        editions::letter(std::slice::from_ref(&shelved), None, &Wish::default(), publication)
            .unwrap()
            .unwrap()
    };
    let letter = write(&publication);
    let name = &shelved.release.issue.pictures[0].name;
    let link = format!("<a href=\"{}issues/wide/{name}\"", publication.base_url);
    let linked = letter.html.split(&link).nth(1).is_some_and(|rest| {
        rest.split_once('>').is_some_and(|(_, text)| text.starts_with("A goose on the bridge</a>"))
    });
    assert!(!letter.html.contains("<img") && linked, "{}", letter.html);
    assert!(letter.text.contains("[A goose on the bridge]"), "{}", letter.text);
    publication.base_url = "https://tide.example.org/".to_owned();
    let letter = write(&publication);
    let shown = format!(
        "<img src=\"https://tide.example.org/issues/wide/{name}\" alt=\"A goose on the bridge\" width=\"552\" height=\"40\""
    );
    assert!(letter.html.contains(&shown), "{}", letter.html);
}

#[test]
fn a_zip_becomes_one_issue_with_its_pictures() {
    let newsroom = Newsroom::opens();
    let files: Vec<(String, Vec<u8>)> =
        bridge().into_iter().map(|(name, bytes)| (format!("bridge/{name}"), bytes)).collect();
    let files: Vec<(&str, Vec<u8>)> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    newsroom.saves("2026-07-08.zip", packed(&files)).is_out("2026-07-08", 1);
    everywhere(&newsroom, "2026-07-08");
    newsroom.no_reason_beside("2026-07-08.zip");
}

#[test]
fn a_folder_that_cannot_be_published_gets_its_reason_beside_it() {
    let newsroom = Newsroom::opens();
    newsroom.saves_folder("bare", &[("index.md", Vec::new()), ("a.png", picture(4, 4, ImageFormat::Png))]);
    assert!(newsroom.reason_beside("bare").contains("the file holds no text"));
    newsroom.saves("bare/index.md", "# Now\n\nThere are words.\n\n![a square](a.png)\n");
    newsroom.is_out("bare", 1).no_reason_beside("bare").all_is_well();
}

#[test]
fn folders_and_zips_are_proofed_and_published_by_hand_too() {
    let newsroom = Newsroom::opens();
    let aside = newsroom.path("aside");
    writes(&aside.join("by-hand"), &bridge());
    fs::write(aside.join("packed.zip"), packed(&bridge()[..2])).unwrap();
    let gazetted = |command: &str, path: &Path| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_gazetted"));
        tools::output(
            program.arg("--config").arg(newsroom.path("config/gazetted.toml")).arg(command).arg(path),
        )
    };
    let (good, said) = gazetted("proof", &aside.join("by-hand"));
    assert!(good && said.contains("\nissue: by-hand ") && said.contains("A goose on the bridge"), "{said}");
    let (good, said) = gazetted("proof", &aside.join("packed.zip"));
    assert!(good && said.contains("\nissue: packed ") && said.contains("picture-missing"), "{said}");
    let (good, said) = gazetted("publish", &aside.join("by-hand"));
    assert!(good && said.contains("is out as issue `by-hand`, version 1"), "{said}");
    let (good, said) = gazetted("publish", &aside.join("packed.zip"));
    assert!(good && said.contains("is out as issue `packed`, version 1"), "{said}");
    let (good, said) = gazetted("publish", &aside);
    assert!(!good && said.contains("the folder is not one issue"), "{said}");
    // A member of a folder in the inbox means the folder.
    newsroom.saves_folder("inside", &[bridge(), vec![("x.png", Vec::new())]].concat()).is_out("inside", 1);
    let (good, said) = gazetted("publish", &newsroom.path("inbox/inside/index.md"));
    assert!(good && said.contains("issue `inside`, which is out"), "{said}");
    // What is lost in the outbox is printed again from what was kept.
    let picture = newsroom.shelved("by-hand").release.issue.pictures.remove(0).name;
    let picture = newsroom.path(&format!("outbox/issues/by-hand/{picture}"));
    fs::remove_file(&picture).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    program.arg("--config").arg(newsroom.path("config/gazetted.toml")).arg("replay");
    let (good, said) = tools::output(&mut program);
    assert!(good && picture.exists(), "{said}");
    newsroom.all_is_well();
}

#[test]
fn a_missing_picture_is_told_and_the_issue_published() {
    let newsroom = Newsroom::opens();
    let files = [
        ("index.md", b"# A\n\nWords.\n\n![A lost goose](gone.png)\n\n![](here.png)\n".to_vec()),
        ("here.png", picture(4, 4, ImageFormat::Png)),
        ("README.md", b"Not the issue.".to_vec()),
    ];
    newsroom.saves_folder("lost", &files).is_out("lost", 1);
    let page = newsroom.outbox_text("issues/lost/index.html");
    assert!(page.contains("A lost goose") && page.contains("<img src=\"here-"), "{page}");
    let (proof, _) = reads_files(&files);
    assert_eq!(asked(&proof), [Doubt::NotUsed, Doubt::PictureMissing, Doubt::PictureAlt]);
    newsroom.all_is_well();
}

#[test]
fn a_picture_that_comes_later_corrects_the_issue_and_mails_nobody_twice() {
    let newsroom = Newsroom::with_subscribers(["li@example.org"]);
    let text = b"# A\n\nWords.\n\n![A lost goose](goose.png)\n".to_vec();
    newsroom.saves_folder("late", &[("index.md", text)]).is_out("late", 1);
    newsroom.sink.letters_to("li@example.org", 1);
    fs::write(newsroom.path("inbox/late/goose.png"), picture(60, 40, ImageFormat::Png)).unwrap();
    newsroom.is_out("late", 2).are_out(1);
    assert!(newsroom.outbox_text("issues/late/index.html").contains("<img src=\"goose-"));
    // The next folder has its own name, though its text is called the same.
    newsroom.saves_folder("next", &[("index.md", b"# B\n\nOther words.\n".to_vec())]).is_out("next", 1);
    newsroom.sink.letters_to("li@example.org", 2);
    newsroom.all_is_well();
}

#[test]
fn a_text_that_becomes_a_folder_by_its_picture_stays_the_issue_it_was() {
    let newsroom = Newsroom::with_subscribers(["li@example.org"]);
    let text = |words: &str| format!("# A\n\n{words}\n\n![A lost goose](goose.png)\n");
    newsroom.saves_folder("week-7", &[("story.md", text("Words.").into_bytes())]).is_out("story", 1);
    newsroom.sink.letters_to("li@example.org", 1);
    fs::write(newsroom.path("inbox/week-7/goose.png"), picture(60, 40, ImageFormat::Png)).unwrap();
    newsroom.is_out("story", 2);
    fs::write(newsroom.path("inbox/week-7/story.md"), text("Other words.")).unwrap();
    newsroom.is_out("story", 3).are_out(1);
    assert!(newsroom.outbox_text("issues/story/index.html").contains("<img src=\"goose-"));
    // One whose key stands in its text is the same issue all the time, too.
    let keyed = format!("---\nissue: geese\n---\n\n{}", text("More words."));
    newsroom.saves_folder("week-8", &[("geese-8.md", keyed.into_bytes())]).is_out("geese", 1);
    fs::write(newsroom.path("inbox/week-8/goose.png"), picture(60, 40, ImageFormat::Png)).unwrap();
    newsroom.is_out("geese", 2).are_out(2);
    newsroom.sink.letters_to("li@example.org", 2);
    newsroom.all_is_well();
}

/// A JPEG that a telephone made: lying on its side, with the place where it was taken.
fn from_a_telephone() -> Vec<u8> {
    let plain = picture(120, 80, ImageFormat::Jpeg);
    // TIFF 6.0 §2: the order of bytes, 42, the first directory; in it one field, the orientation, which is 6.
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
    exif.extend(b"GPS 31.2304N 121.4737E");
    let mut bytes = plain[..2].to_vec();
    bytes.extend(b"\xff\xe1");
    bytes.extend(u16::try_from(exif.len() + 2).unwrap().to_be_bytes());
    bytes.extend(&exif);
    bytes.extend(b"\xff\xfe\0\x10taken by Ada Q");
    bytes.extend(&plain[2..]);
    bytes
}

#[test]
fn what_a_camera_notes_besides_the_picture_never_goes_out() {
    let files = [("a.md", b"# A\n\nWords.\n\n![a](a.jpg)\n".to_vec()), ("a.jpg", from_a_telephone())];
    let (proof, plates) = reads_files(&files);
    let plate = &plates[0];
    let says = |what: &[u8]| plate.bytes.windows(what.len()).any(|part| part == what);
    assert!(!says(b"Exif") && !says(b"GPS") && !says(b"taken by"));
    assert_eq!((plate.picture.width, plate.picture.height), (80, 120), "it stands upright");
    assert_eq!(plate.picture.media_type, MediaType::Jpeg);
    assert_eq!(asked(&proof), []);
    assert_eq!(reads_files(&files).1, plates, "the same bytes each time");
}

/// A picture that moves.
fn film() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut bytes);
    for shade in [0, 255] {
        let pixels = RgbaImage::from_pixel(9, 9, Rgba([shade, shade, shade, 255]));
        encoder.encode_frame(image::Frame::new(pixels)).unwrap();
    }
    drop(encoder);
    bytes
}

#[test]
fn every_form_of_picture_becomes_one_that_all_readers_can_see() {
    let glass = RgbaImage::from_fn(10, 10, |x, _| Rgba([0, 0, 0, if x < 5 { 0 } else { 255 }]));
    let glass = encoded(&DynamicImage::ImageRgba8(glass), ImageFormat::Png);
    let text = "# A\n\n![a](a.gif)\n\n![b](b.webp)\n\n![c](c.png)\n\n![d](d.jpg)\n\n![e](e.svg)\n\n![f](f.png)\n\nx\n";
    let (proof, plates) = reads_files(&[
        ("a.md", text.into()),
        ("a.gif", film()),
        ("b.webp", picture(8, 8, ImageFormat::WebP)),
        ("c.png", glass),
        ("d.jpg", picture(5000, 100, ImageFormat::Jpeg)),
        ("e.svg", b"<svg><script>alert(1)</script></svg>".to_vec()),
        ("f.png", b"\x89PNG\r\n\x1a\n and nothing more".to_vec()),
    ]);
    let forms: Vec<_> = plates.iter().map(|p| (p.picture.media_type, p.picture.width)).collect();
    assert_eq!(
        forms,
        [(MediaType::Png, 9), (MediaType::Png, 8), (MediaType::Png, 10), (MediaType::Jpeg, 2400)]
    );
    let glass = image::load_from_memory(&plates[2].bytes).unwrap();
    assert!(!glass.color().has_alpha());
    assert_eq!(glass.to_rgb8().get_pixel(0, 0).0, [255, 255, 255]);
    assert_eq!(asked(&proof), [Doubt::PictureStill, Doubt::PictureUnreadable, Doubt::PictureUnreadable]);
    assert!(prose::plain_blocks(&proof.issue.articles[0].body).contains('e'), "its description stays");
}

/// A PNG whose head claims these sizes, and which holds next to nothing.
fn claims(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = picture(1, 1, ImageFormat::Png);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc32fast::hash(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    bytes
}

/// The most memory that this process has had, in kilobytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse().ok()).unwrap_or(0)
}

#[test]
fn a_picture_that_claims_to_be_enormous_is_refused_before_it_takes_memory() {
    let before = peak();
    let text = b"# A\n\nWords.\n\n![a](a.png)\n\n![b](b.png)\n".to_vec();
    let files =
        [("a.md", text), ("a.png", claims(50_000, 50_000)), ("b.png", claims(0x7fff_ffff, 0x7fff_ffff))];
    let (proof, plates) = reads_files(&files);
    assert!(plates.is_empty());
    assert_eq!(asked(&proof), [Doubt::PictureUnreadable, Doubt::PictureUnreadable]);
    assert!(proof.queries[0].text.contains("50000 × 50000 pixels"), "{}", proof.queries[0].text);
    assert!(peak() < before + 1_000_000, "7.5 GB would have been its pixels");
}

#[test]
fn archives_that_are_traps_are_refused_with_a_reason() {
    let newsroom = Newsroom::opens();
    let text = || b"# A\n\nWords.\n".to_vec();
    newsroom.saves("bomb.zip", packed(&[("a.md", text()), ("a.png", vec![0; 90_000_000])]));
    newsroom.saves("slip.zip", packed(&[("a.md", text()), ("../../outbox/index.html", text())]));
    newsroom.saves("cut.zip", &packed(&bridge())[..1500]);
    for (name, reason) in [
        ("bomb.zip", "unpacks to more than 200 times its size"),
        ("slip.zip", "leads out of it"),
        ("cut.zip", "it is damaged or not copied whole"),
    ] {
        let said = newsroom.reason_beside(name);
        assert!(said.contains(reason), "{name}: {said}");
    }
    newsroom.saves("cut.zip", packed(&bridge())).is_out("cut", 1).no_reason_beside("cut.zip").all_is_well();
    assert_eq!(newsroom.ledger().issues(&newsroom.publication()).unwrap().len(), 1);
}

#[test]
fn every_picture_of_a_real_newsletter_is_shown_or_reported() {
    let folder = tools::root().join("../shared/periodicals/rust-gamedev");
    if !folder.exists() {
        tools::skip("the real periodicals do not lie beside the project, in `../shared/periodicals`");
        return;
    }
    let (proof, plates) = reads(&folder);
    let main = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let text = fs::read_to_string(main.filter(|path| path.extension().is_some()).last().unwrap()).unwrap();
    let local = text.matches("](/assets/").count();
    let shown = shown(&proof.issue);
    let told = |doubt| proof.queries.iter().filter(|query| query.code == doubt).count();
    let reported = told(Doubt::PictureMissing) + told(Doubt::PictureUnreadable);
    assert!(local >= 18 && shown.len() >= 7, "{local} {shown:?}");
    assert_eq!(shown.len() + reported, local, "{shown:?} {:?}", proof.queries);
    assert_eq!(plates.len(), shown.len());
    assert!(proof.issue.date.is_some(), "the main file's name dates it");
}
