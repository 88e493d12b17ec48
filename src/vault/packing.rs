//! Packs a newsroom while it is at work.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    io::{self, Read, Seek as _, Write as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::{
    Error, Manifest, Member, Name, Progress, cannot_read, cannot_write,
    manifest::{self, Counts, DATA, INBOX, LEDGER, NEWSROOM, OUTBOX},
    seal::Hashing,
};
use crate::{
    config::Newsroom, durable, ledger::Ledger, ledger::sqlite::Sqlite, press, publication::Publication,
    subscriber::Standing,
};

/// How hard zstd tries. Books and pictures are packed already; more costs time and gives little.
const LEVEL: i32 = 3;

/// Files up to that length are taken in one piece, so that an editor who saves one meanwhile does no harm.
const IN_ONE_PIECE: u64 = 64 << 20;

/// Where in the state's folder backups lie.
const BACKUPS: &str = "backups";

/// What of the state's folder is made anew at every start, or is a copy itself.
const PASSED_OVER: [&str; 9] = [
    "daemon.lock",
    "holder",
    "daemons",
    "backup.lock",
    "ledger.db",
    "ledger.db-wal",
    "ledger.db-shm",
    BACKUPS,
    // The bucket has it.
    "outbox-kept",
];

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// What is in it.
    pub manifest: Manifest,
    /// How long it is, in bytes.
    pub length: u64,
}

/// Makes a backup of a newsroom, whether or not its daemon runs; one that was there under this name is replaced when the new one is
/// whole. Readers are served and letters sent meanwhile; what comes into the inbox waits for its turn at the press.
///
/// # Errors
/// See [`Error`]: the file is then what it was before.
pub fn back_up(
    newsroom: &Newsroom,
    settings: &Path,
    ledger: &dyn Ledger,
    file: &Path,
    now: Timestamp,
    progress: Progress<'_>,
) -> Result<Made, Error> {
    is_private(newsroom, file)?;
    let data = newsroom.data();
    let _alone = alone(&data.join("backup.lock"))?;
    sweep(file);
    let publication = newsroom.publication(newsroom.settings.http.listen);
    let mut body = unseen(file, "body")?;
    let (members, counts, elsewhere) = {
        let _turn = press::turn(&data, ledger)?;
        let copy = copy_of(ledger, file)?;
        let counts = counted(ledger, &publication, now)?;
        let (sources, elsewhere) = gather(newsroom, settings)?;
        (pack(&mut body, file, copy, sources, progress)?, counts, elsewhere)
    };
    let manifest = Manifest {
        format: manifest::FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        schema: Sqlite::SCHEMA,
        publication: publication.key,
        title: publication.title,
        taken: now,
        settings: below(&newsroom.root, settings),
        inbox: newsroom.settings.inbox.folder.clone(),
        outbox: newsroom.settings.outbox.folder.clone(),
        data: newsroom.settings.data.folder.clone(),
        elsewhere,
        counts,
        members,
    };
    let length = lay(&manifest, &mut body, file)?;
    ledger.note_backup(now)?;
    Ok(Made { manifest, length })
}

/// Whether nobody but the operator reads what lies there, and no backup would hold another.
fn is_private(newsroom: &Newsroom, file: &Path) -> Result<(), Error> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(folder) = folder.canonicalize() else { return Ok(()) };
    for (which, theirs) in [(INBOX, newsroom.inbox()), (OUTBOX, newsroom.outbox())] {
        if theirs.canonicalize().is_ok_and(|theirs| folder.starts_with(theirs)) {
            return Err(Error::Exposed { path: file.to_owned(), which });
        }
    }
    let data = newsroom.data().canonicalize().unwrap_or_default();
    if !data.as_os_str().is_empty() && folder.starts_with(&data) && !folder.starts_with(data.join(BACKUPS)) {
        return Err(Error::Exposed { path: file.to_owned(), which: DATA });
    }
    Ok(())
}

fn alone(path: &Path) -> Result<File, Error> {
    // Where root made it, others may still lock it.
    let lock = File::open(path).or_else(|_| File::create(path)).map_err(cannot_write(path))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Error::Busy),
        Err(TryLockError::Error(source)) => Err(cannot_write(path)(source)),
    }
}

/// Removes what a backup under this name left that was killed.
fn sweep(file: &Path) {
    let Some(name) = file.file_name().and_then(|name| name.to_str()) else { return };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(|left| durable::was_to_become(left, name)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// A file beside the backup that has no name, so that nothing is left of it.
fn unseen(file: &Path, what: &str) -> Result<File, Error> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{what}"));
    let path = file.with_file_name(name);
    let (_named, unseen) = durable::begin_private(&path).map_err(cannot_write(&path))?;
    Ok(unseen)
}

/// A copy of the ledger, in a file that has lost its name.
fn copy_of(ledger: &dyn Ledger, file: &Path) -> Result<File, Error> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".ledger");
    let path = file.with_file_name(name);
    let (named, copy) = durable::begin_private(&path).map_err(cannot_write(&path))?;
    ledger.copy_to(named.path())?;
    Ok(copy)
}

fn counted(ledger: &dyn Ledger, publication: &Publication, now: Timestamp) -> Result<Counts, Error> {
    let tally = ledger.tally(publication, now)?;
    Ok(Counts {
        issues: ledger.n_published(publication)?,
        subscribers: ledger.count(Standing::Confirmed)?,
        letters: tally.letters.iter().map(|(_, n)| n).sum(),
    })
}

/// The files of a newsroom by their names in the archive, but for the ledger; and what the settings name elsewhere.
fn gather(newsroom: &Newsroom, settings: &Path) -> Result<(BTreeMap<PathBuf, PathBuf>, Vec<PathBuf>), Error> {
    let mut sources = BTreeMap::new();
    let everything = |_: &Path| true;
    list(&newsroom.inbox(), Path::new(INBOX), &everything, &mut sources)?;
    // A bucket is not on this machine, and keeps what it has.
    if newsroom.settings.outbox.bucket.is_none() {
        list(&newsroom.outbox(), Path::new(OUTBOX), &everything, &mut sources)?;
    }
    let kept = |path: &Path| {
        let name = path.strip_prefix(DATA).ok().and_then(Path::to_str).unwrap_or_default();
        !PASSED_OVER.contains(&name) && !press::is_lock(name) && !name.starts_with("ledger.db.before-")
    };
    list(&newsroom.data(), Path::new(DATA), &kept, &mut sources)?;
    let name = below(&newsroom.root, settings);
    if name.starts_with("config") {
        follow(&newsroom.root.join("config"), &Path::new(NEWSROOM).join("config"), 0, &mut sources)?;
    }
    sources.insert(Path::new(NEWSROOM).join(name), settings.to_owned());
    let mut elsewhere = Vec::new();
    for named in newsroom.named_files() {
        let is_state = named.starts_with(&newsroom.settings.data.folder);
        if !manifest::is_inside(&named) {
            elsewhere.push(named);
        } else if !is_state {
            follow(&newsroom.root.join(&named), &Path::new(NEWSROOM).join(&named), 0, &mut sources)?;
        }
    }
    Ok((sources, elsewhere))
}

/// The name of a file below a folder; its own where it lies elsewhere.
fn below(root: &Path, file: &Path) -> PathBuf {
    let root = if root == Path::new(".") { Path::new("") } else { root };
    let file_in = file.strip_prefix("./").unwrap_or(file);
    let inside = file_in.strip_prefix(root).ok().filter(|inside| manifest::is_inside(inside));
    inside.unwrap_or(Path::new(file.file_name().unwrap_or_default())).to_owned()
}

/// The regular files below a folder, but for temporary ones and those that are not `kept`.
fn list(
    folder: &Path,
    name: &Path,
    kept: &dyn Fn(&Path) -> bool,
    sources: &mut BTreeMap<PathBuf, PathBuf>,
) -> Result<(), Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(cannot_read(folder)(error)),
    };
    for entry in entries {
        let entry = entry.map_err(cannot_read(folder))?;
        let (path, name) = (entry.path(), name.join(entry.file_name()));
        let kind = entry.file_type().map_err(cannot_read(&path))?;
        let passing = entry.file_name().as_encoded_bytes().starts_with(durable::TEMPORARY.as_bytes());
        if passing || !kept(&name) {
            continue;
        }
        if kind.is_dir() {
            list(&path, &name, kept, sources)?;
        } else if kind.is_file() {
            sources.insert(name, path);
        }
    }
    Ok(())
}

/// The file or the files below a folder of the operator's, also where links lead to them.
fn follow(
    path: &Path,
    name: &Path,
    depth: u32,
    sources: &mut BTreeMap<PathBuf, PathBuf>,
) -> Result<(), Error> {
    let Ok(metadata) = path.metadata() else { return Ok(()) };
    if metadata.is_file() {
        sources.insert(name.to_owned(), path.to_owned());
    } else if metadata.is_dir() && depth < 16 {
        for entry in fs::read_dir(path).map_err(cannot_read(path))? {
            let entry = entry.map_err(cannot_read(path))?;
            follow(&entry.path(), &name.join(entry.file_name()), depth + 1, sources)?;
        }
    }
    Ok(())
}

/// Packs the ledger's copy and the files, in the order of their names. Gives what the manifest says of them.
fn pack(
    body: &mut File,
    file: &Path,
    ledger: File,
    sources: BTreeMap<PathBuf, PathBuf>,
    progress: Progress<'_>,
) -> Result<Vec<Member>, Error> {
    let failed = || cannot_write(file);
    let length = |path: &PathBuf| path.metadata().map_or(0, |metadata| metadata.len());
    let all = ledger.metadata().map_err(failed())?.len() + sources.values().map(length).sum::<u64>();
    let mut packed = zstd::Encoder::new(body, LEVEL).map_err(failed())?;
    packed.include_checksum(true).map_err(failed())?;
    let mut tar = tar::Builder::new(packed);
    let mut members = Vec::with_capacity(sources.len() + 1);
    let mut done = 0;
    let first = Path::new(DATA).join(LEDGER);
    members.push(append(&mut tar, file, &first, file, ledger)?);
    for (name, path) in sources {
        let source = match File::open(&path) {
            Ok(source) => source,
            // An editor may have taken it back meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(cannot_read(&path)(error)),
        };
        members.push(append(&mut tar, file, &name, &path, source)?);
        done += members.last().map_or(0, |member| member.length);
        progress(done, all);
    }
    let packed = tar.into_inner().map_err(failed())?;
    packed.finish().map_err(failed())?;
    Ok(members)
}

fn append<W: io::Write>(
    tar: &mut tar::Builder<W>,
    file: &Path,
    name: &Path,
    path: &Path,
    source: File,
) -> Result<Member, Error> {
    let metadata = source.metadata().map_err(cannot_read(path))?;
    let mut header = tar::Header::new_gnu();
    header.set_mode(metadata.permissions().mode() & 0o777);
    header.set_mtime(u64::try_from(metadata.mtime()).unwrap_or(0));
    let mut length = metadata.len();
    let mut whole = Vec::new();
    let mut source: Box<dyn Read> = Box::new(source);
    if length <= IN_ONE_PIECE {
        source.read_to_end(&mut whole).map_err(cannot_read(path))?;
        length = whole.len() as u64;
        source = Box::new(&whole[..]);
    }
    header.set_size(length);
    let mut source = Hashing::new(source.take(length));
    tar.append_data(&mut header, name, &mut source).map_err(cannot_write(file))?;
    if source.length != length {
        return Err(Error::Changed { path: path.to_owned() });
    }
    Ok(Member { name: Name::of(name), length, blake3: source.hash().to_hex().to_string() })
}

/// Writes manifest, body and seal, and puts the file in its place. Gives its length.
pub(super) fn lay(manifest: &Manifest, body: &mut File, file: &Path) -> Result<u64, Error> {
    let (begun, laid) = durable::begin_private(file).map_err(cannot_write(file))?;
    let written = || -> io::Result<u64> {
        let mut out = Hashing::new(io::BufWriter::new(&laid));
        out.write_all(&head(manifest)?)?;
        body.rewind()?;
        io::copy(body, &mut out)?;
        let (mut out, length) = out.seal()?;
        out.flush()?;
        Ok(length)
    }();
    written.and_then(|length| begun.finish(&laid, file).map(|()| length)).map_err(cannot_write(file))
}

/// The first member, in a frame of its own.
fn head(manifest: &Manifest) -> io::Result<Vec<u8>> {
    let text = serde_json::to_vec_pretty(manifest)?;
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o600);
    header.set_mtime(u64::try_from(manifest.taken.as_second()).unwrap_or(0));
    header.set_size(text.len() as u64);
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_data(&mut header, manifest::NAME, &text[..])?;
    // The end of the archive comes with the other members.
    let head = tar.get_ref().clone();
    let mut packed = zstd::Encoder::new(Vec::new(), LEVEL)?;
    packed.include_checksum(true)?;
    packed.write_all(&head)?;
    packed.finish()
}
