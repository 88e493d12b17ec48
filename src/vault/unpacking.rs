//! Makes a newsroom of a backup: all of it in its place, or nothing.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek as _, SeekFrom},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use jiff::Timestamp;

use super::{
    Error, Manifest, Progress, cannot_read, cannot_write,
    manifest::{self, DATA, INBOX, LEDGER, NEWSROOM, OUTBOX},
    seal::{self, Hashing},
};
use crate::{config, durable, ledger::Restored, ledger::sqlite::Sqlite};

/// Where a newsroom is made, inside the folder that it is for. Nothing is a newsroom there before its settings are in their place,
/// which come last.
const STAGE: &str = ".tmp-restore";

/// The longest manifest that is read: some million files.
const LONGEST_MANIFEST: u64 = 1 << 30;

/// A newsroom that was brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// What the backup says of itself.
    pub manifest: Manifest,
    /// Its file of settings.
    pub settings: PathBuf,
    /// The sections whose folder had to become another one, with the one that is set now.
    pub moved: Vec<(&'static str, PathBuf)>,
}

/// What a backup says of itself. The whole file is read and held against its seal before.
///
/// # Errors
/// [`Error::Foreign`], [`Error::Damaged`] and [`Error::Newer`], and when it cannot be read.
pub fn read_manifest(archive: &Path) -> Result<Manifest, Error> {
    let file = sealed(archive, &mut |_, _| ())?;
    Unpacking::begin(archive, file).map(|unpacking| unpacking.manifest)
}

/// Makes a newsroom of a backup in a folder that is not there or empty. Its letters are held, see
/// [`crate::ledger::Keeping::holds_letters`]; an older ledger is migrated.
///
/// # Errors
/// See [`Error`]: the folder is then as it was. One that was killed over it can be done again.
pub fn bring_back(
    archive: &Path,
    to: &Path,
    now: Timestamp,
    progress: Progress<'_>,
) -> Result<Brought, Error> {
    let file = sealed(archive, progress)?;
    let unpacking = Unpacking::begin(archive, file)?;
    let stage = to.join(STAGE);
    let fresh = !to.exists();
    is_free(to, &stage, &unpacking.manifest)?;
    let brought = make(unpacking, &stage, to, now, progress);
    if brought.is_err() && stage.exists() {
        let _ = durable::remove_folder(&stage);
        if fresh {
            let _ = fs::remove_dir(to);
        }
    }
    brought
}

/// Opens a backup, if every byte of it is as it was written.
fn sealed(archive: &Path, progress: Progress<'_>) -> Result<File, Error> {
    let failed = || cannot_read(archive);
    let mut file = File::open(archive).map_err(failed())?;
    let length = file.metadata().map_err(failed())?.len();
    let mut magic = Vec::new();
    (&mut file).take(4).read_to_end(&mut magic).map_err(failed())?;
    if magic != seal::MAGIC {
        return Err(Error::Foreign { path: archive.to_owned() });
    }
    let broken = || Error::Damaged { path: archive.to_owned(), what: "its seal does not fit".to_owned() };
    let before = length.checked_sub(seal::LENGTH).ok_or_else(broken)?;
    file.rewind().map_err(failed())?;
    let mut hashed = Hashing::new((&mut file).take(before));
    let mut piece = vec![0; 1 << 20];
    while hashed.read(&mut piece).map_err(failed())? > 0 {
        progress(hashed.length, 2 * length);
    }
    let hash = hashed.hash();
    let mut end = Vec::new();
    file.read_to_end(&mut end).map_err(failed())?;
    if !seal::is_of(&end, &hash) {
        return Err(broken());
    }
    file.seek(SeekFrom::Start(0)).map_err(failed())?;
    Ok(file)
}

/// Refuses a folder in which something is, but for what a restore left that was killed.
fn is_free(to: &Path, stage: &Path, manifest: &Manifest) -> Result<(), Error> {
    let list = |folder: &Path| -> Result<Vec<OsString>, Error> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(cannot_read(folder)(error)),
        };
        let name = |entry: io::Result<fs::DirEntry>| entry.map(|entry| entry.file_name());
        entries.map(name).collect::<Result<_, _>>().map_err(cannot_read(folder))
    };
    let there = list(to)?;
    // A file system of its own has that from the start.
    let rest: Vec<&OsString> = there.iter().filter(|name| *name != STAGE && *name != "lost+found").collect();
    let begun = !list(stage)?.is_empty();
    let layout = Layout::of(manifest);
    let ours = |name: &OsString| layout.tops().iter().any(|top| top.as_os_str() == name);
    let settings = to.join(&manifest.settings);
    let left_over = begun && rest.iter().all(|name| ours(name)) && !settings.exists();
    if !rest.is_empty() && !left_over {
        return Err(Error::Taken { path: to.to_owned() });
    }
    for left in rest {
        durable::remove_folder(&to.join(left)).map_err(cannot_write(&to.join(left)))?;
    }
    durable::remove_folder(stage).map_err(cannot_write(stage))
}

fn make(
    mut unpacking: Unpacking,
    stage: &Path,
    to: &Path,
    now: Timestamp,
    progress: Progress<'_>,
) -> Result<Brought, Error> {
    let layout = Layout::of(&unpacking.manifest);
    durable::make_folders(stage).map_err(cannot_write(stage))?;
    private(stage, 0o700)?;
    for folder in [&layout.inbox, &layout.outbox, &layout.data] {
        let folder = stage.join(folder);
        fs::create_dir_all(&folder).map_err(cannot_write(&folder))?;
    }
    unpacking.unpack(stage, &layout, progress)?;
    let manifest = unpacking.manifest;
    let settings = stage.join(&manifest.settings);
    let moved = layout.settle(&settings)?;
    private(&stage.join(&layout.data), 0o700)?;
    if manifest.settings.starts_with("config") {
        private(&stage.join("config"), 0o700)?;
    }
    Sqlite::bring_back(&stage.join(&layout.data).join(LEDGER), Restored { taken: manifest.taken, at: now })?;
    let opened = File::open(stage).map_err(cannot_read(stage))?;
    rustix::fs::syncfs(&opened).map_err(|error| cannot_write(stage)(error.into()))?;
    let mut tops = layout.tops();
    // Without its settings it is no newsroom yet.
    let last = manifest.settings.components().next().map(|top| PathBuf::from(top.as_os_str()));
    tops.sort_by_key(|top| Some(top) == last.as_ref());
    for top in tops.iter().filter(|top| stage.join(top).exists()) {
        fs::rename(stage.join(top), to.join(top)).map_err(cannot_write(&to.join(top)))?;
    }
    let opened = File::open(to).map_err(cannot_read(to))?;
    opened.sync_all().map_err(cannot_write(to))?;
    durable::remove_folder(stage).map_err(cannot_write(stage))?;
    Ok(Brought { settings: to.join(&manifest.settings), manifest, moved })
}

fn private(path: &Path, mode: u32) -> Result<(), Error> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(cannot_write(path))
}

/// Where the parts of a newsroom lie in its new folder.
struct Layout {
    inbox: PathBuf,
    outbox: PathBuf,
    data: PathBuf,
    /// The first pieces of what lies below `newsroom`.
    own: Vec<PathBuf>,
}

impl Layout {
    /// As it was, but inside the folder.
    fn of(manifest: &Manifest) -> Self {
        let place = |set: &Path, usual: &str| -> PathBuf {
            let set = set.strip_prefix(".").unwrap_or(set);
            if manifest::is_inside(set) { set.to_owned() } else { usual.into() }
        };
        let mut own: Vec<PathBuf> = Vec::new();
        for member in &manifest.members {
            let path = member.name.path();
            let Ok(path) = path.strip_prefix(NEWSROOM) else { continue };
            let Some(top) = path.components().next() else { continue };
            let top = PathBuf::from(top.as_os_str());
            if !own.contains(&top) {
                own.push(top);
            }
        }
        Self {
            inbox: place(&manifest.inbox, INBOX),
            outbox: place(&manifest.outbox, OUTBOX),
            data: place(&manifest.data, DATA),
            own,
        }
    }

    /// The names that a newsroom has in its folder.
    fn tops(&self) -> Vec<PathBuf> {
        let folders = [&self.inbox, &self.outbox, &self.data].into_iter();
        let tops = folders.filter_map(|folder| folder.components().next()).map(|top| top.as_os_str().into());
        let mut tops: Vec<PathBuf> = tops.chain(self.own.iter().cloned()).collect();
        tops.sort();
        tops.dedup();
        tops
    }

    /// Where a member lies; `None` where its name is none that we give.
    fn place(&self, name: &Path) -> Option<PathBuf> {
        if !manifest::is_inside(name) {
            return None;
        }
        let mut parts = name.components();
        let part = parts.next()?.as_os_str();
        let rest = parts.as_path();
        if rest.as_os_str().is_empty() {
            return None;
        }
        match part.to_str()? {
            INBOX => Some(self.inbox.join(rest)),
            OUTBOX => Some(self.outbox.join(rest)),
            DATA => Some(self.data.join(rest)),
            NEWSROOM => Some(rest.to_owned()),
            _ => None,
        }
    }

    /// Makes the settings name the folders that the newsroom has now. Gives those that had to be changed.
    fn settle(&self, settings: &Path) -> Result<Vec<(&'static str, PathBuf)>, Error> {
        let text = fs::read_to_string(settings).map_err(cannot_read(settings))?;
        let wanted = [(INBOX, &self.inbox), (OUTBOX, &self.outbox), (DATA, &self.data)];
        let Some(set) = config::folders(&text) else { return Ok(Vec::new()) };
        let mut changed = text;
        let mut moved = Vec::new();
        for ((name, wanted), set) in wanted.into_iter().zip(set) {
            if *wanted != set {
                changed = config::with_folder(&changed, name, wanted);
                moved.push((name, wanted.clone(), set));
            }
        }
        let now = config::folders(&changed);
        for (n, (name, wanted)) in wanted.into_iter().enumerate() {
            if now.as_ref().and_then(|now| now.get(n)) != Some(wanted) {
                let folder = moved.iter().find(|(moved, ..)| *moved == name).map(|(.., set)| set.clone());
                return Err(Error::Folder { name, folder: folder.unwrap_or_else(|| wanted.clone()) });
            }
        }
        if !moved.is_empty() {
            fs::write(settings, changed).map_err(cannot_write(settings))?;
        }
        Ok(moved.into_iter().map(|(name, wanted, _)| (name, wanted)).collect())
    }
}

/// What every manifest has, whatever else will be in it.
#[derive(serde::Deserialize)]
struct Form {
    format: u32,
    program: String,
    schema: i64,
}

type Packed = zstd::Decoder<'static, io::BufReader<io::Take<File>>>;

/// A backup that is being unpacked.
struct Unpacking {
    archive: PathBuf,
    manifest: Manifest,
    tar: tar::Archive<Packed>,
}

impl Unpacking {
    fn begin(archive: &Path, file: File) -> Result<Self, Error> {
        let damaged = |what: &dyn std::fmt::Display| Error::Damaged {
            path: archive.to_owned(),
            what: what.to_string(),
        };
        let length = file.metadata().map_err(cannot_read(archive))?.len().saturating_sub(seal::LENGTH);
        let open = |file: File| zstd::Decoder::new(file.take(length));
        let again = file.try_clone().map_err(cannot_read(archive))?;
        let mut tar = tar::Archive::new(open(file).map_err(|error| damaged(&error))?);
        let text = {
            let mut entries = tar.entries().map_err(|error| damaged(&error))?;
            let first = entries.next().and_then(Result::ok);
            let first = first.filter(|first| *first.path_bytes() == *manifest::NAME.as_bytes());
            let Some(first) = first else { return Err(Error::Foreign { path: archive.to_owned() }) };
            let mut text = Vec::new();
            first.take(LONGEST_MANIFEST).read_to_end(&mut text).map_err(|error| damaged(&error))?;
            text
        };
        let form: Form = serde_json::from_slice(&text).map_err(|error| damaged(&error))?;
        if form.format > manifest::FORMAT || form.schema > Sqlite::SCHEMA {
            return Err(Error::Newer { path: archive.to_owned(), program: form.program });
        }
        let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| damaged(&error))?;
        if !manifest::is_inside(&manifest.settings) {
            return Err(damaged(&"its settings would lie outside of the newsroom"));
        }
        let mut again = again;
        again.rewind().map_err(cannot_read(archive))?;
        let tar = tar::Archive::new(open(again).map_err(|error| damaged(&error))?);
        Ok(Self { archive: archive.to_owned(), manifest, tar })
    }

    /// Unpacks every member, each held against the manifest, into a folder that nobody else writes to.
    fn unpack(&mut self, stage: &Path, layout: &Layout, progress: Progress<'_>) -> Result<(), Error> {
        let archive = self.archive.clone();
        let damaged =
            |what: &dyn std::fmt::Display| Error::Damaged { path: archive.clone(), what: what.to_string() };
        let all: u64 = self.manifest.members.iter().map(|member| member.length).sum();
        let mut done = 0;
        let mut members = self.manifest.members.iter();
        for entry in self.tar.entries().map_err(|error| damaged(&error))?.skip(1) {
            let mut entry = entry.map_err(|error| damaged(&error))?;
            let name = entry.path().map_err(|error| damaged(&error))?.into_owned();
            let told = || damaged(&format!("its list of files does not fit `{}`", name.display()));
            let member = members.next().filter(|member| member.name.path() == name).ok_or_else(told)?;
            let place = layout.place(&name).ok_or_else(told)?;
            if !entry.header().entry_type().is_file() || entry.size() != member.length {
                return Err(told());
            }
            let place = stage.join(place);
            let mode = entry.header().mode().unwrap_or(0o600) & 0o777;
            let secret = name.starts_with(DATA) || name.starts_with(NEWSROOM);
            let mode = if secret { 0o600 } else { mode | 0o600 };
            let mtime = Duration::from_secs(entry.header().mtime().unwrap_or(0));
            let mut hashed = Hashing::new(&mut entry);
            write(&place, mode, mtime, &mut hashed).map_err(cannot_write(&place))?;
            if hashed.hash().to_hex().as_str() != member.blake3 {
                return Err(damaged(&format!("`{}` is not what was packed", name.display())));
            }
            done += member.length;
            progress(all + done, 2 * all);
        }
        match members.next() {
            None => Ok(()),
            Some(missing) => Err(damaged(&format!("`{}` is missing", missing.name.path().display()))),
        }
    }
}

fn write(path: &Path, mode: u32, mtime: Duration, bytes: &mut impl Read) -> io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    io::copy(bytes, &mut file)?;
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    if let Some(mtime) = SystemTime::UNIX_EPOCH.checked_add(mtime) {
        file.set_modified(mtime)?;
    }
    Ok(())
}
