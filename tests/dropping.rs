//! However an editor's program puts a file into the inbox, it is taken once, and whole.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use gazetted::inbox::{Inbox, Settings};

use crate::newsroom::PATIENCE;

/// How many files each program saves.
const FILES: usize = 150;

/// What every file ends with when it is whole.
const END: &str = "The end.\n";

/// The text of the `n`th file.
fn text(n: usize) -> String {
    format!("# Number {n}\n\n{}\n\n{END}", "Words and words. ".repeat(n % 40 + 1))
}

/// Lets `save` put files into an inbox that is being looked at, and asserts that each of `names` is taken whole, once.
#[track_caller]
fn check(save: impl Fn(&Path, usize) + Send + Sync, name: impl Fn(usize) -> PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("inbox");
    fs::create_dir(&root).unwrap();
    // Longer than any pause that the programs below make without holding the file open.
    let settings =
        Settings { settle_after: Duration::from_millis(80), look_every: Duration::from_millis(20) };
    let mut inbox = Inbox::new(&root, settings, Vec::new());
    let mut taken: HashMap<PathBuf, u32> = HashMap::new();
    thread::scope(|scope| {
        scope.spawn(|| (0..FILES).for_each(|n| save(&root, n)));
        let end = Instant::now() + PATIENCE;
        while taken.len() < FILES {
            assert!(Instant::now() < end, "{} of {FILES} files were taken", taken.len());
            for manuscript in inbox.look(Instant::now(), false).ready {
                let bytes = manuscript.bytes.as_ref().unwrap();
                assert!(
                    bytes.ends_with(END.as_bytes()),
                    "{} was taken half-written",
                    manuscript.path.display()
                );
                inbox.done(&manuscript);
                *taken.entry(manuscript.path).or_default() += 1;
            }
            thread::park_timeout(Duration::from_millis(5));
        }
    });
    // Whatever still comes after the last file was seen would be a second time.
    let quiet = Instant::now() + Duration::from_millis(200);
    while Instant::now() < quiet {
        assert!(inbox.look(Instant::now(), false).ready.is_empty(), "a file was taken again");
        thread::park_timeout(Duration::from_millis(10));
    }
    for n in 0..FILES {
        assert_eq!(taken.get(&name(n)), Some(&1), "{}", name(n).display());
    }
}

fn flat(n: usize) -> PathBuf {
    format!("{n}.md").into()
}

/// A pause of a program between two pieces of its work.
fn pauses(millis: u64) {
    thread::park_timeout(Duration::from_millis(millis));
}

#[test]
fn a_copied_file() {
    check(|root, n| fs::write(root.join(flat(n)), text(n)).unwrap(), flat);
}

#[test]
fn a_file_moved_in() {
    check(
        |root, n| {
            let outside = root.with_file_name(format!("outside-{n}"));
            fs::write(&outside, text(n)).unwrap();
            fs::rename(outside, root.join(flat(n))).unwrap();
        },
        flat,
    );
}

#[test]
fn a_file_linked_in() {
    check(
        |root, n| {
            let outside = root.with_file_name(format!("outside-{n}"));
            fs::write(&outside, text(n)).unwrap();
            fs::hard_link(outside, root.join(flat(n))).unwrap();
        },
        flat,
    );
}

#[test]
fn a_file_that_rsync_writes_beside_and_renames() {
    check(
        |root, n| {
            let temporary = root.join(format!(".{n}.md.Xa3b"));
            let mut file = File::create(&temporary).unwrap();
            file.write_all(&text(n).as_bytes()[..10]).unwrap();
            pauses(1);
            file.write_all(&text(n).as_bytes()[10..]).unwrap();
            drop(file);
            fs::rename(temporary, root.join(flat(n))).unwrap();
        },
        flat,
    );
}

#[test]
fn a_file_that_an_editor_saves_through_a_swap_file_and_a_backup() {
    check(
        |root, n| {
            let path = root.join(flat(n));
            fs::write(root.join(format!(".{n}.md.swp")), b"swap").unwrap();
            fs::write(root.join("4913"), b"").unwrap();
            fs::remove_file(root.join("4913")).unwrap();
            fs::write(&path, "# Half").unwrap();
            fs::rename(&path, root.join(format!("{n}.md~"))).unwrap();
            fs::write(&path, text(n)).unwrap();
            fs::remove_file(root.join(format!(".{n}.md.swp"))).unwrap();
        },
        flat,
    );
}

#[test]
fn a_file_that_is_emptied_and_written_again() {
    check(
        |root, n| {
            let path = root.join(flat(n));
            fs::write(&path, "# Half").unwrap();
            let mut file = OpenOptions::new().write(true).truncate(true).open(&path).unwrap();
            file.write_all(text(n).as_bytes()).unwrap();
        },
        flat,
    );
}

#[test]
fn a_file_in_a_folder_made_for_it() {
    let nested = |n: usize| PathBuf::from(format!("{}/{n}/issue-{n}.md", n % 7));
    check(
        move |root, n| {
            let path = root.join(nested(n));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text(n)).unwrap();
        },
        nested,
    );
}

#[test]
fn a_file_whose_writer_pauses_longer_than_the_quiet_time() {
    // A few at a time: they all hold their files open through the pause.
    check(
        |root, n| {
            let mut file = File::create(root.join(flat(n))).unwrap();
            file.write_all(&text(n).as_bytes()[..8]).unwrap();
            if n % 50 == 0 {
                pauses(250);
            }
            file.write_all(&text(n).as_bytes()[8..]).unwrap();
        },
        flat,
    );
}

#[test]
fn a_file_that_is_closed_and_opened_again_between_its_pieces() {
    check(
        |root, n| {
            let path = root.join(flat(n));
            for piece in text(n).as_bytes().chunks(12) {
                let mut file = OpenOptions::new().create(true).append(true).open(&path).unwrap();
                file.write_all(piece).unwrap();
            }
        },
        flat,
    );
}
