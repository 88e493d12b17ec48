//! Archives that older or newer programs, or nobody of ours, could have made.

use std::{
    fs::{self, File},
    io::{Cursor, Seek as _, Write as _},
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::{
    manifest::{FORMAT, Member, Name},
    packing::lay,
    *,
};
use crate::ledger::{Keeping as _, Subscribers as _};
use crate::{ledger::Ledger as _, ledger::sqlite::Sqlite, ledger::sqlite::ledger_of, subscriber::Standing};

fn manifest(schema: i64, files: &[(&str, &[u8])]) -> Manifest {
    let member = |(name, bytes): &(&str, &[u8])| Member {
        name: Name::Text((*name).to_owned()),
        length: bytes.len() as u64,
        blake3: blake3::hash(bytes).to_hex().to_string(),
    };
    Manifest {
        format: FORMAT,
        program: "9.9.9".to_owned(),
        schema,
        publication: "tide".to_owned(),
        title: "The Tide Gazette".to_owned(),
        taken: Timestamp::UNIX_EPOCH,
        settings: "config/gazetted.toml".into(),
        inbox: "inbox".into(),
        outbox: "outbox".into(),
        data: "data".into(),
        elsewhere: vec![],
        counts: Counts::default(),
        members: files.iter().map(member).collect(),
    }
}

/// An archive with these files, whatever its manifest says.
fn archive(folder: &Path, manifest: &Manifest, files: &[(&str, &[u8])]) -> PathBuf {
    let mut packed = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
    {
        let mut tar = tar::Builder::new(&mut packed);
        for (name, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            // As bytes: the builder itself would refuse some of these names.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            tar.append(&header, *bytes).expect("packed");
        }
        tar.finish().expect("packed");
    }
    let mut body = tempfile::tempfile().expect("a temporary file");
    body.write_all(&packed.finish().expect("packed")).expect("written");
    body.rewind().expect("rewound");
    let path = folder.join("b");
    lay(manifest, &mut body, &path).expect("laid");
    path
}

#[track_caller]
fn brings_back(manifest: &Manifest, files: &[(&str, &[u8])]) -> Result<tempfile::TempDir, Error> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let archive = archive(folder.path(), manifest, files);
    let there = folder.path().join("there");
    match bring_back(&archive, &there, Timestamp::UNIX_EPOCH, &mut |_, _| ()) {
        Ok(_) => Ok(folder),
        Err(error) => {
            assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1, "nothing is written");
            Err(error)
        }
    }
}

#[test]
fn backups_of_every_older_schema_come_back() {
    for schema in 1..=3 {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ledger = fs::read(ledger_of(folder.path(), schema)).expect("read");
        let files: [(&str, &[u8]); 3] = [
            ("data/ledger.db", &ledger),
            ("newsroom/config/gazetted.toml", b""),
            ("outbox/feed.xml", b"<rss/>"),
        ];
        let there = brings_back(&manifest(i64::try_from(schema).expect("few"), &files), &files)
            .expect("brought back");
        let there = there.path().join("there");
        assert_eq!(fs::read(there.join("outbox/feed.xml")).expect("read"), b"<rss/>");
        let ledger = Sqlite::open(&there.join("data/ledger.db")).expect("opened");
        assert_eq!(ledger.count(Standing::Confirmed).expect("counted"), 2);
        assert!(ledger.holds_letters().expect("read"));
        assert_eq!(ledger.examine().expect("examined"), Vec::<String>::new());
    }
}

#[test]
fn a_backup_of_a_newer_gazetted_is_refused() {
    let newer = manifest(Sqlite::SCHEMA + 1, &[]);
    let error = brings_back(&newer, &[]).expect_err("refused");
    assert_eq!(
        error.to_string().split_once("` ").expect("a path").1,
        "was made by gazetted 9.9.9, which is newer than this one"
    );
    let error = brings_back(&Manifest { format: FORMAT + 1, ..manifest(1, &[]) }, &[]).expect_err("refused");
    assert!(matches!(error, Error::Newer { .. }), "{error:?}");
}

#[test]
fn files_that_nobody_packed_are_not_unpacked() {
    let settings: (&str, &[u8]) = ("newsroom/config/gazetted.toml", b"");
    for name in [
        "newsroom/../../escaped",
        "/etc/escaped",
        "outbox/../../x",
        "elsewhere/x",
        "outbox",
        "newsroom/./../x",
    ] {
        let files: [(&str, &[u8]); 2] = [settings, (name, b"x")];
        let error = brings_back(&manifest(1, &files), &files).expect_err(name);
        assert!(matches!(error, Error::Damaged { .. }), "{name}: {error:?}");
    }
    let (told, there) = ([settings, ("outbox/a", &b"a"[..])], [settings, ("outbox/a", &b"b"[..])]);
    for (told, there) in [(&told[..], &there[..]), (&told[..], &there[..1]), (&told[..1], &there[..])] {
        let error = brings_back(&manifest(1, told), there).expect_err("refused");
        assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
    }
    let up = Manifest { settings: "../gazetted.toml".into(), ..manifest(1, &[]) };
    assert!(matches!(brings_back(&up, &[]), Err(Error::Damaged { .. })));
}

#[test]
fn a_name_that_is_no_text_is_kept_as_it_is() {
    use std::os::unix::ffi::OsStrExt as _;
    let path = Path::new(std::ffi::OsStr::from_bytes(b"inbox/\xE9t\xE9.txt"));
    let name = Name::of(path);
    let told = serde_json::to_string(&name).expect("told");
    assert_eq!(serde_json::from_str::<Name>(&told).expect("read").path(), path);
}

#[test]
fn a_file_that_is_no_backup_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("b");
    for bytes in [&b""[..], b"PK\x03\x04", &zstd::encode_all(Cursor::new(b"words"), 1).expect("packed")] {
        File::create(&path).expect("made").write_all(bytes).expect("written");
        let error = read_manifest(&path).expect_err("refused");
        assert!(matches!(error, Error::Foreign { .. } | Error::Damaged { .. }), "{error:?}");
    }
}
