//! Disks whose power is cut, and disks that turn read-only.

use std::{
    fs,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use super::{
    super::{
        Tally, Trial,
        observer::Eyes,
        world::{GLANCE, PATIENCE, Pace, Settings, Started, Trouble, World},
    },
    disk::{Mounted, run, say},
    find, is_root, need,
};

/// How long a newsroom is left on a disk that can only be read.
const READ_ONLY: Duration = Duration::from_millis(1500);

pub(super) fn power_hindrances() -> Vec<String> {
    let mut why = need(&["mkfs.ext4", "xfs_io"]);
    if !is_root() {
        why.push("needs root: a file system of its own is mounted".to_owned());
    }
    if why.is_empty() && find("mkfs.xfs").is_none() {
        why.push("on XFS: not installed: mkfs.xfs".to_owned());
    }
    why
}

/// A disk of a trial's own, in a file, mounted where its newsroom is.
struct Disk {
    image: PathBuf,
    at: String,
    _mounted: Mounted,
}

impl Disk {
    fn of(trial: &Trial<'_>, xfs: bool) -> Result<Self, Trouble> {
        let image = trial.folder.with_extension("image");
        let size = if xfs { 320 << 20 } else { 96 << 20 };
        let file = fs::File::create(&image).and_then(|file| file.set_len(size));
        file.map_err(|error| format!("no image: {error}"))?;
        let (program, force) = if xfs { ("mkfs.xfs", "-f") } else { ("mkfs.ext4", "-F") };
        run(program, &["-q".as_ref(), force.as_ref(), image.as_os_str()])?;
        let at = trial.folder.display().to_string();
        let disk = Self { image, at, _mounted: Mounted(trial.folder.clone()) };
        disk.mount(if xfs { "loop" } else { "loop,errors=remount-ro" })?;
        Ok(disk)
    }

    fn mount(&self, how: &str) -> Result<(), Trouble> {
        run("mount", &["-o".as_ref(), how.as_ref(), self.image.as_os_str(), self.at.as_ref()])
    }

    fn unmount(&self) -> Result<(), Trouble> {
        say("umount", &[&self.at])
    }

    /// The device that stands for the image, such as `loop0`.
    fn device(&self) -> Result<String, Trouble> {
        let mounts = fs::read_to_string("/proc/self/mounts").map_err(|error| error.to_string())?;
        let mount = mounts.lines().rev().find(|line| line.split(' ').nth(1) == Some(&self.at));
        let device = mount.and_then(|line| line.split(' ').next()).and_then(|path| path.rsplit('/').next());
        device.map(str::to_owned).ok_or_else(|| format!("`{}` is not mounted", self.at))
    }
}

/// What readers see before anybody has mended anything.
fn look_first(world: &mut World) {
    let mut eyes = Eyes::on(&world.outbox());
    eyes.look();
    world.note_seen(&eyes.seen);
}

/// Something happens in a newsroom at work: issues are dropped, and some are corrected, until its time is over.
fn work(world: &mut World, until: Instant) -> Result<(), Trouble> {
    for _ in 0..world.chance.between(1, 3) {
        let at = world.drop_issue()?;
        let rest = Duration::from_millis(world.chance.below(200));
        thread::sleep(rest);
        let is_out = world.issues.get(at).is_some_and(|issue| world.is_right(issue));
        if is_out && world.chance.below(2) == 0 {
            world.correct(at)?;
        }
    }
    thread::sleep(until.saturating_duration_since(Instant::now()));
    Ok(())
}

/// A newsroom on a disk of its own, the power of which is cut some times at random instants: nothing that was not synced is there afterwards.
pub(super) fn power_cut(trial: &mut Trial<'_>) -> Result<Option<Tally>, Trouble> {
    if power_hindrances().iter().any(|why| !why.starts_with("on XFS")) {
        return Ok(None);
    }
    let xfs = trial.number % 4 == 3 && find("mkfs.xfs").is_some();
    let cuts = trial.chance.between(1, 4);
    trial.what = format!("{cuts} power cuts on {}", if xfs { "XFS" } else { "ext4" });
    let disk = Disk::of(trial, xfs)?;
    let mut world = trial.world(Settings::default())?;
    world.join(6, Pace::Each)?;
    world.join(1, Pace::Daily)?;
    let how = Started::default();
    for _ in 0..cuts {
        world.observe();
        world.start(&how)?;
        let life = Duration::from_millis(world.chance.between(60, 1500));
        work(&mut world, Instant::now() + life)?;
        // Nobody looks at a disk without power.
        world.unobserve();
        say("xfs_io", &["-x", "-c", "shutdown", &disk.at])?;
        world.kill();
        disk.unmount()?;
        disk.mount("loop")?;
        look_first(&mut world);
    }
    world.observe();
    let settled = world.settle(&how, PATIENCE, |_| Ok(()))?;
    world.judge(settled)?;
    Ok(Some(std::mem::take(&mut world.tally)))
}

/// A newsroom whose disk reports an error, so that its file system turns read-only at a random instant; then it is mended and mounted anew.
pub(super) fn read_only(trial: &mut Trial<'_>) -> Result<Option<Tally>, Trouble> {
    "the file system turns read-only".clone_into(&mut trial.what);
    if !is_root() || find("mkfs.ext4").is_none() {
        // The other ways of failing need no root.
        trial.what.push_str(": not run, for it needs root and mkfs.ext4");
        return Ok(Some(Tally::default()));
    }
    let disk = Disk::of(trial, false)?;
    let mut world = trial.world(Settings::default())?;
    world.join(6, Pace::Each)?;
    world.observe();
    let how = Started::default();
    world.start(&how)?;
    let life = Duration::from_millis(world.chance.between(200, 1200));
    work(&mut world, Instant::now() + life)?;
    // The kernel says that this write failed, too: the disk is read-only by then.
    let _ = fs::write(format!("/sys/fs/ext4/{}/trigger_fs_error", disk.device()?), "1");
    let end = Instant::now() + READ_ONLY;
    while Instant::now() < end {
        world.supervise(&how)?;
        thread::sleep(GLANCE);
    }
    world.tally.faults += 1;
    world.kill();
    world.unobserve();
    disk.unmount()?;
    // It says by its exit code that it has mended something.
    let _ = run("e2fsck", &["-f".as_ref(), "-y".as_ref(), disk.image.as_os_str()]);
    disk.mount("loop,errors=remount-ro")?;
    look_first(&mut world);
    world.observe();
    let settled = world.settle(&how, PATIENCE, |_| Ok(()))?;
    world.judge(settled)?;
    Ok(Some(std::mem::take(&mut world.tally)))
}
