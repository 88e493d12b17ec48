//! What one more issue costs in an archive of a hundred, a thousand and ten thousand: `cargo bench --bench growth`, or
//! `benches/growth/run`, which has Hugo beside it.
//!
//! Each archive is made in the ledger alone, in a process of its own; then twenty more issues are published as files, with everything
//! that follows from them but the letters, which there are no subscribers for. CPU time is this process's own, from `/proc`. All archives
//! end in the same week, so that the lists of the year are equally long in each.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

use std::{env, fmt::Write as _, fs, path::Path, process::Command};

use gazetted::{
    config::Newsroom,
    daemon,
    editions::BookFile,
    inbox,
    ledger::{Arrival, Fate, Opening},
    manuscript,
    press::{Press, Verdict},
};
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date};

/// How many issues are published in each archive: as many as seal one page of the feed.
const PUBLISHED: usize = 20;

const ARCHIVES: [usize; 3] = [100, 1000, 10_000];

const WORDS: [&str; 12] = [
    "渡口的船早已不再载客，每年春天仍有人给它上漆。",
    "学生们把木牌钉在树上，写上年份和名字。",
    "雨停了以后，石阶上的青苔显得更绿。",
    "档案馆把旧报纸一页一页扫成图像。",
    "桥上的灯亮了三十年，守灯的人换了三代。",
    "他说，慢一点没有关系，要紧的是别断。",
    "夜市收摊的时候，河面上还有半截歌声。",
    "图书室的窗朝南，冬天的下午坐满了人。",
    "修鞋的师傅记得每一双鞋的路。",
    "新来的老师教孩子们量河水的深浅。",
    "镇上的钟慢了五分钟，谁也不肯拨它。",
    "收割以后，田埂上只剩下风。",
];

/// Of whom the forty authors have their names, as people have them: others are no authors to whoever reads a page.
const SURNAMES: [&str; 10] = ["周", "沈", "陈", "林", "赵", "许", "何", "吴", "梁", "宋"];
const NAMES: [&str; 4] = ["文远", "如松", "守一", "念慈"];

fn main() {
    // `cargo bench` hands down `--bench`.
    let asked: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match asked.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => table(),
        [archive] => measure(archive.parse().unwrap()),
        ["texts", n, folder] => texts(n.parse().unwrap(), Path::new(folder)),
        ["fill", n, folder] => drop(filled(n.parse().unwrap(), Path::new(folder))),
        _ => panic!("nothing, the length of an archive, `texts N FOLDER` or `fill N FOLDER`"),
    }
}

/// Writes the texts of so many issues as files, for another program.
fn texts(n: usize, folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for nth in 0..n {
        fs::write(folder.join(format!("i{nth}.md")), text(nth, n)).unwrap();
    }
}

/// Each archive in a process of its own.
fn table() {
    println!("| archive | CPU of one publish | files written | most memory | against {} |", ARCHIVES[0]);
    println!("| ---: | ---: | ---: | ---: | ---: |");
    let mut first = None;
    for archive in ARCHIVES {
        let run = Command::new(env::current_exe().unwrap()).arg(archive.to_string()).output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let text = String::from_utf8(run.stdout).unwrap();
        let numbers: Vec<f64> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
        let [cpu, files, memory] = numbers[..] else { panic!("{text}") };
        let ratio = cpu / *first.get_or_insert(cpu);
        println!("| {archive} | {cpu:.0} ms | {files:.0} | {memory:.0} MB | {ratio:.2} |");
    }
}

/// A newsroom with an archive of so many issues, in the ledger alone.
fn filled(archive: usize, folder: &Path) -> Press {
    fs::create_dir_all(folder.join("config")).unwrap();
    fs::create_dir_all(folder.join("inbox")).unwrap();
    fs::write(
        folder.join("config/gazetted.toml"),
        "[publication]\nkey = \"river\"\ntitle = \"河畔周报\"\nlanguage = \"zh-Hans\"\n",
    )
    .unwrap();
    let newsroom = Newsroom::open(&folder.join("config/gazetted.toml"), []).unwrap();
    let publication = newsroom.publication(newsroom.settings.http.listen);
    let ledger = daemon::open_ledger(&newsroom).unwrap();
    let press = daemon::open_press(&newsroom, publication, ledger).unwrap();
    for n in 0..archive {
        fill(&press, n, archive);
    }
    press
}

/// Fills an archive, publishes into it, and prints CPU, files and memory.
fn measure(archive: usize) {
    let folder = env::temp_dir().join(format!("gazetted-growth-{}-{archive}", std::process::id()));
    let press = filled(archive, &folder);
    let publish = |n: usize| {
        let file = folder.join("inbox").join(format!("i{n}.md"));
        fs::write(&file, text(n, archive)).unwrap();
        let manuscript = inbox::open(&folder.join("inbox"), &file).unwrap();
        let verdict = press.publish(&manuscript, moment(n)).unwrap();
        assert!(matches!(verdict, Verdict::Published(_)));
    };
    // The first one fills what is kept from one publish to the next, and writes the lists as they stand.
    publish(archive);
    let (cpu, files) = (cpu_ms(), newest(&folder.join("outbox")));
    for n in archive + 1..=archive + PUBLISHED {
        publish(n);
    }
    let written = files_after(&folder.join("outbox"), files);
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    let of_one = |all: u64| all as f64 / PUBLISHED as f64;
    println!("{} {} {}", of_one(cpu_ms() - cpu), of_one(written), memory_mb());
    fs::remove_dir_all(&folder).unwrap();
}

/// Enters an issue into the ledger as the press would have.
fn fill(press: &Press, n: usize, archive: usize) {
    let name = format!("i{n}.md");
    let opened = manuscript::open(&name, text(n, archive).as_bytes()).unwrap();
    let issue = manuscript::read(&opened, &press.publication).issue;
    assert!(issue.articles.iter().all(|article| article.authors().count() == 1), "each has its author");
    let now = moment(n);
    let (ledger, publication) = (&press.ledger, &press.publication);
    let opening = ledger.open_release(publication, &issue, &name, name.as_bytes(), now).unwrap();
    let Opening::Print(release) = opening else { panic!("{opening:?}") };
    let key = release.issue.key.clone();
    let book = BookFile { path: format!("issues/{key}/{key}.epub"), length: 1 };
    ledger.shelve(publication, &release, &book).unwrap();
    let arrival = Arrival {
        path: name.into_bytes(),
        signature: String::new(),
        hash: String::new(),
        fate: Fate::Published(key),
        at: now,
    };
    ledger.close_release(publication, &release, None, &arrival, now).unwrap();
}

/// A weekly page of six articles, some 8 kB, by a few of forty authors.
fn text(n: usize, archive: usize) -> String {
    let weeks = |n: usize| i64::try_from(n).unwrap().weeks();
    let day = Date::constant(2021, 5, 2) - weeks(archive) + weeks(n);
    let mut text = format!("---\ntitle: 理论版\nnumber: {n}\ndate: {day}\nsection: 版面{}\n---\n\n", n % 5);
    for article in 0..6 {
        let author = (n * 7 + article * 11) % 40;
        let (surname, name) = (SURNAMES[author % SURNAMES.len()], NAMES[author / SURNAMES.len()]);
        let _ = write!(text, "# 第{n}期第{article}篇\n\n作者：{surname}{name}\n\n");
        for paragraph in 0..4 {
            for sentence in 0..5 {
                text.push_str(WORDS[(n * 5 + article * 3 + paragraph * 7 + sentence) % WORDS.len()]);
            }
            text.push_str("\n\n");
        }
    }
    text
}

/// When an issue comes out: a minute after the one before, and all at times that a clock of today may show.
fn moment(n: usize) -> Timestamp {
    "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap()
        + SignedDuration::from_mins(i64::try_from(n).unwrap())
}

/// The CPU time of this process so far.
fn cpu_ms() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let after = stat.rsplit_once(')').unwrap().1;
    let fields: Vec<&str> = after.split_whitespace().collect();
    // User and system time in ticks of a hundredth of a second (proc(5)).
    (fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()) * 10
}

/// The most memory that this process has had.
fn memory_mb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1000
}

/// When the newest file of a folder was written.
fn newest(folder: &Path) -> std::time::SystemTime {
    walk(folder).into_iter().max().unwrap()
}

fn files_after(folder: &Path, moment: std::time::SystemTime) -> u64 {
    walk(folder).into_iter().filter(|at| *at > moment).count() as u64
}

fn walk(folder: &Path) -> Vec<std::time::SystemTime> {
    let mut times = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            times.extend(walk(&entry.path()));
        } else {
            times.push(entry.metadata().unwrap().modified().unwrap());
        }
    }
    times
}
