//! Inboxes: every way of putting a file there, and what becomes of the folder meanwhile.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs as unix,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::{
    super::{
        Tally, Trial,
        world::{PATIENCE, Pace, Settings, Started, Trouble, World, trouble},
    },
    disk::{Mounted, say},
    is_root, need,
};

/// The ways of putting a file into a folder.
const WAYS: [&str; 12] = [
    "cp",
    "mv",
    "ln",
    "rsync",
    "rewritten in place",
    "vim",
    "a nested folder",
    "a slow writer",
    "appended piece by piece",
    "a zip",
    "a folder with a picture",
    "hard-linked twice",
];

/// How many issues a trial of dropping has, where nobody says how many.
const ISSUES: usize = 40;

/// How long an issue may take to come out, where there are many.
const EACH: Duration = Duration::from_millis(500);

/// A pixel, as PNG.
const PIXEL: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0,
    0, 1, 8, 2, 0, 0, 0, 0x90, 0x77, 0x53, 0xde, 0, 0, 0, 0x0c, 0x49, 0x44, 0x41, 0x54, 8, 0xd7, 0x63, 0xf8,
    0xcf, 0xc0, 0, 0, 3, 1, 1, 0, 0x18, 0xdd, 0x8d, 0xb0, 0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42,
    0x60, 0x82,
];

/// Many issues are dropped in one way; each comes out once, whole.
pub(super) fn ways(trial: &mut Trial<'_>) -> Result<Option<Tally>, Trouble> {
    let at = trial.kind(WAYS.len());
    let way = WAYS.get(at).copied().unwrap_or("cp");
    let issues = trial.bench.files.unwrap_or(ISSUES);
    trial.what = format!("{issues} issues: {way}");
    let mut world = trial.world(Settings { settle_after: "300ms", is_daily: true, ..Settings::default() })?;
    world.join(1, Pace::Each)?;
    world.observe();
    let how = Started::default();
    world.start(&how)?;
    let aside = world.folder.join("aside");
    fs::create_dir_all(&aside).map_err(trouble("no folder aside"))?;
    for _ in 0..issues {
        drop_by(&mut world, way, &aside).map_err(trouble("cannot drop"))?;
    }
    let patience = PATIENCE * 2 + EACH * u32::try_from(issues).unwrap_or(u32::MAX);
    let settled = world.settle(&how, patience, |_| Ok(()))?;
    // More than there should be is as wrong as less.
    let out = fs::read_dir(world.outbox().join("issues")).map_or(0, Iterator::count);
    if out != world.issues.len() {
        world.tally.findings.push(format!("{out} issues are out, and {} were dropped", world.issues.len()));
    }
    world.judge(settled)?;
    Ok(Some(std::mem::take(&mut world.tally)))
}

fn drop_by(world: &mut World, way: &str, aside: &Path) -> std::io::Result<()> {
    let ending = if way == "a zip" { "zip" } else { "md" };
    let (at, text) = world.expect("d", ending);
    let Some(issue) = world.issues.get(at).cloned() else { return Ok(()) };
    let (file, beside) = (issue.file, aside.join(&issue.key));
    let bytes = text.as_bytes();
    let half = bytes.len() / 2;
    let (first, second) = bytes.split_at(half);
    match way {
        "mv" => {
            fs::write(&beside, bytes)?;
            fs::rename(&beside, &file)
        }
        "ln" => {
            fs::write(&beside, bytes)?;
            fs::hard_link(&beside, &file)
        }
        "hard-linked twice" => {
            fs::write(&beside, bytes)?;
            fs::hard_link(&beside, &file)?;
            unix::symlink(&beside, file.with_extension("link"))
        }
        "rsync" => {
            let part = file.with_file_name(format!(".{}.md.Ab3xYz", issue.key));
            fs::write(&part, first)?;
            OpenOptions::new().append(true).open(&part)?.write_all(second)?;
            fs::rename(part, &file)
        }
        "rewritten in place" => {
            fs::write(&file, first)?;
            fs::write(&file, bytes)
        }
        "vim" => {
            let swap = file.with_file_name(format!(".{}.md.swp", issue.key));
            fs::write(&swap, "swap")?;
            fs::write(file.with_file_name("4913"), "")?;
            fs::remove_file(file.with_file_name("4913"))?;
            fs::write(&file, first)?;
            fs::rename(&file, file.with_file_name(format!("{}.md~", issue.key)))?;
            fs::write(&file, bytes)?;
            fs::remove_file(file.with_file_name(format!("{}.md~", issue.key)))?;
            fs::remove_file(swap)
        }
        "a nested folder" => {
            let folder = world.inbox.join(format!("{}/deeper", issue.key));
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(format!("{}.md", issue.key)), bytes)
        }
        "a slow writer" => {
            let mut writer = fs::File::create(&file)?;
            writer.write_all(first)?;
            let pause = Duration::from_millis(world.chance.below(1200));
            let rest = second.to_vec();
            // It keeps the file open, and pauses longer than a file must lie still.
            thread::spawn(move || {
                thread::sleep(pause);
                writer.write_all(&rest)
            });
            Ok(())
        }
        "appended piece by piece" => {
            for piece in bytes.chunks(bytes.len() / 4 + 1) {
                OpenOptions::new().append(true).create(true).open(&file)?.write_all(piece)?;
                thread::sleep(Duration::from_millis(world.chance.below(60)));
            }
            Ok(())
        }
        "a zip" => {
            let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
            let options = zip::write::SimpleFileOptions::default();
            archive.start_file("index.md", options).map_err(std::io::Error::other)?;
            archive.write_all(bytes)?;
            let archive = archive.finish().map_err(std::io::Error::other)?.into_inner();
            let (first, second) = archive.split_at(archive.len() / 2);
            fs::write(&file, first)?;
            OpenOptions::new().append(true).open(&file)?.write_all(second)
        }
        "a folder with a picture" => {
            let folder = world.inbox.join(&issue.key);
            fs::create_dir(&folder)?;
            fs::write(folder.join("index.md"), format!("{text}\n![a pixel](pixel.png)\n"))?;
            fs::write(folder.join("pixel.png"), PIXEL)
        }
        _ => fs::write(&file, bytes),
    }
}

/// What happens to the folder.
const TURNS: [&str; 6] = [
    "renamed away and back",
    "deleted and made anew",
    "another folder takes its name",
    "mounted over",
    "too many events (the daemon is stopped meanwhile)",
    "no watch is to be had",
];

pub(super) fn turn_hindrances() -> Vec<String> {
    let mut why = need(&["unshare"]);
    if !is_root() {
        why.push("needs root".to_owned());
    }
    why.into_iter()
        .map(|why| format!("mounting over the inbox, and a machine without watches: {why}"))
        .collect()
}

/// The inbox itself is turned away under the daemon; what lies in what has its name afterwards comes out.
pub(super) fn turns(trial: &mut Trial<'_>) -> Result<Option<Tally>, Trouble> {
    let mut turns = TURNS.to_vec();
    if !turn_hindrances().is_empty() {
        turns.retain(|turn| !matches!(*turn, "mounted over" | "no watch is to be had"));
    }
    let turn = turns.get(trial.kind(turns.len())).copied().unwrap_or_default();
    trial.what = format!("the inbox: {turn}");
    let mut world = trial.world(Settings::default())?;
    world.join(2, Pace::Each)?;
    world.observe();
    let how = if turn == "no watch is to be had" {
        let told = "echo 0 > /proc/sys/user/max_inotify_watches; exec \"$@\"";
        Started {
            before: ["unshare", "-U", "-r", "sh", "-c", told, "sh"].map(str::to_owned).to_vec(),
            ..Started::default()
        }
    } else {
        Started::default()
    };
    world.start(&how)?;
    world.drop_issue()?;
    if !world.settle(&how, PATIENCE, |_| Ok(()))? {
        world.judge(false)?;
        return Ok(Some(std::mem::take(&mut world.tally)));
    }
    let inbox = world.inbox.clone();
    let away = world.folder.join("away");
    let mut mounted = None;
    match turn {
        "renamed away and back" => {
            fs::rename(&inbox, &away).map_err(trouble("cannot rename"))?;
            let pause = Duration::from_millis(world.chance.below(900));
            thread::sleep(pause);
            fs::rename(&away, &inbox).map_err(trouble("cannot rename"))?;
        }
        "deleted and made anew" => {
            fs::remove_dir_all(&inbox).map_err(trouble("cannot remove"))?;
            let pause = Duration::from_millis(world.chance.below(900));
            thread::sleep(pause);
            fs::create_dir(&inbox).map_err(trouble("cannot make"))?;
        }
        "another folder takes its name" => {
            fs::rename(&inbox, &away).map_err(trouble("cannot rename"))?;
            fs::create_dir(&inbox).map_err(trouble("cannot make"))?;
        }
        "mounted over" => {
            say("mount", &["-t", "tmpfs", "torture", &inbox.display().to_string()])?;
            mounted = Some(Mounted(inbox.clone()));
        }
        "too many events (the daemon is stopped meanwhile)" => {
            world.signal(rustix::process::Signal::STOP);
            let noise = inbox.join(".noise");
            for _ in 0..9000 {
                fs::write(&noise, "x").map_err(trouble("cannot write"))?;
            }
            world.drop_issue()?;
            world.signal(rustix::process::Signal::CONT);
        }
        _ => {}
    }
    for _ in 0..world.chance.between(1, 3) {
        world.drop_issue()?;
    }
    let begun = Instant::now();
    let settled = world.settle(&how, PATIENCE, |_| Ok(()))?;
    world.judge(settled)?;
    if begun.elapsed() > Duration::from_mins(1) {
        world.tally.findings.push("it took more than a minute to see what lay there".to_owned());
    }
    drop(mounted);
    Ok(Some(std::mem::take(&mut world.tally)))
}

pub(super) fn far_hindrances() -> Vec<String> {
    let mut why = need(&["bindfs"]);
    if !is_root() {
        why.push("needs root: a file system is mounted".to_owned());
    }
    if !Path::new("/dev/fuse").exists() {
        why.push("there is no /dev/fuse".to_owned());
    }
    why
}

/// An inbox on a mount that tells nothing of what others write on its far side.
pub(super) fn far(trial: &mut Trial<'_>) -> Result<Option<Tally>, Trouble> {
    if !far_hindrances().is_empty() {
        return Ok(None);
    }
    let unmounts = trial.chance.below(2) == 0;
    trial.what = format!(
        "files are written on the far side{}",
        if unmounts { ", and the mount goes and comes" } else { "" }
    );
    let far = trial.folder.join("far");
    let near = trial.folder.join("inbox");
    for folder in [&far, &near] {
        fs::create_dir_all(folder).map_err(trouble("no folder"))?;
    }
    let (far_name, near_name) = (far.display().to_string(), near.display().to_string());
    say("bindfs", &[&far_name, &near_name])?;
    let mounted = Mounted(near.clone());
    let mut world = trial.world(Settings::default())?;
    world.join(2, Pace::Each)?;
    world.observe();
    let how = Started::default();
    world.start(&how)?;
    for _ in 0..4 {
        let (at, text) = world.expect("f", "md");
        let Some(issue) = world.issues.get(at).cloned() else { continue };
        let file = far.join(format!("{}.md", issue.key));
        let (first, second) = text.as_bytes().split_at(text.len() / 2);
        fs::write(&file, first).map_err(trouble("cannot write"))?;
        if unmounts && world.chance.below(3) == 0 {
            say("umount", &["-l", &near_name])?;
            let pause = Duration::from_millis(world.chance.below(700));
            thread::sleep(pause);
            say("bindfs", &[&far_name, &near_name])?;
        }
        let appended =
            OpenOptions::new().append(true).open(&file).and_then(|mut file| file.write_all(second));
        appended.map_err(trouble("cannot write"))?;
    }
    let settled = world.settle(&how, PATIENCE, |_| Ok(()))?;
    world.judge(settled)?;
    drop(mounted);
    Ok(Some(std::mem::take(&mut world.tally)))
}
