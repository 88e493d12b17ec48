//! The day's work: one manuscript from the inbox to the queue of letters, top to bottom.

mod beside;
mod digesting;
mod fetching;
mod proving;
mod learning;
mod previewing;
mod replaying;
mod shelving;
mod standing;
mod turn;

use std::{
    io,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};

pub use digesting::Digested;
pub use fetching::with_kept_pictures;
pub use learning::lexicon;
pub use previewing::Preview;
pub use proving::Held;
pub use turn::{Turn, is_lock, remove_former_locks, turn};

use crate::{
    clock, delivery::Calendar, durable, editions, editions::BookFile, editions::Listing, editions::Lists,
    editions::Plates, editions::Shelf, editions::Shelved, fault::Point, fault::reached, fetch::Fetcher,
    inbox, inbox::Manuscript, issue, issue::IssueKey, issue::Release, issue::Status, ledger, ledger::Arrival,
    ledger::Fate, ledger::Interrupted, ledger::Ledger, ledger::Opening, ledger::Queued, manuscript, outbox,
    outbox::Outbox, picture::Picture, proof::Policy, proof::Proof, publication::Publication,
    receipts::Receipts, receipts::Record,
};

/// An issue could not be put out, through no fault of its manuscript. It may be tried again: nothing is done twice.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The clock cannot be right, and an issue carries its time for ever.
    #[error(
        "the clock of this machine says {}; nothing is published until it is set (`timedatectl set-ntp true`), for issues carry \
         their times for ever",
        .0.strftime("%Y-%m-%d %H:%M UTC")
    )]
    Clock(Timestamp),
    /// The manuscript could not be kept.
    #[error("cannot keep the manuscript as `{}`", path.display())]
    Keep {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A proof beside a manuscript could not be read or written.
    #[error("cannot use the proof `{}`", path.display())]
    Proof {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What was kept of an issue, a picture or receipts, is not there any more, or damaged.
    #[error("cannot read what was kept as `{}`", path.display())]
    Kept {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process holds the press and its lock could not be waited for.
    #[error("cannot lock `{}`", path.display())]
    Lock {
        /// The lock's file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The ledger could not be used.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The editions could not be printed.
    #[error("cannot print the issue `{issue}`")]
    Print {
        /// Which.
        issue: IssueKey,
        /// Why.
        source: editions::Error,
    },
    /// The lists of issues could not be printed.
    #[error("cannot print the lists of issues")]
    Lists(#[source] editions::Error),
    /// The outbox could not take them.
    #[error(transparent)]
    Outbox(#[from] outbox::Error),
}

impl Error {
    /// One word for what failed, for counting.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Clock(_) => "clock",
            Self::Keep { .. } | Self::Kept { .. } => "keeping",
            Self::Proof { .. } => "proof",
            Self::Lock { .. } => "lock",
            Self::Ledger(_) => "ledger",
            Self::Print { .. } | Self::Lists(_) => "printing",
            Self::Outbox(_) => "outbox",
        }
    }
}

/// What became of a manuscript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Readers have it.
    Published(Box<Receipt>),
    /// Readers have it: this very file brought it, as this issue. Nothing was done.
    Unchanged(IssueKey),
    /// Readers have it from another file, as this issue. Nothing was done.
    Duplicate(IssueKey),
    /// It waits for its editor.
    Withheld(Box<Held>),
    /// It comes out as this issue at that time.
    Embargoed(IssueKey, Timestamp),
    /// Readers do not have it any more, because it was withdrawn or is held back.
    TakenDown(IssueKey, Status),
    /// It cannot be published as it is; this is what its editor should know.
    Rejected(String),
}

/// What was done for an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The issue and its version.
    pub release: Release,
    /// Its book.
    pub book: BookFile,
    /// Its letters.
    pub queued: Queued,
    /// How many doubts the reader had.
    pub queries: usize,
}

/// Everything that one publication is made with.
pub struct Press {
    /// The periodical.
    pub publication: Publication,
    /// What must survive.
    pub ledger: Arc<dyn Ledger>,
    /// What readers are served from.
    pub outbox: Outbox,
    /// The folder in which manuscripts lie; a file in it keeps its issue's key from other files.
    pub inbox: PathBuf,
    /// The folder in which manuscripts and pictures are kept by their hash, and in which the press's lock lies.
    pub data: PathBuf,
    /// Issues that carry a date older than this are published without letters: an archive is not news.
    pub letters_within: Option<SignedDuration>,
    /// When the digests of each pace are due.
    pub calendar: Calendar,
    /// A digest that is found later than that after it fell due waits for the operator.
    pub ask_after: SignedDuration,
    /// Which pages wait for their editor.
    pub proofs_wait: Policy,
    /// What fetches pictures on the web, where the publication allows that.
    pub fetcher: Fetcher,
}

impl Press {
    /// Takes one manuscript all the way: keep it, read it, print it, put it out, queue its digest.
    ///
    /// Done again with the same manuscript, after a crash at any point, it ends with the same files and the same letters.
    ///
    /// # Errors
    /// No letter is queued unless the whole issue is out; see [`Error`] for what may stop it.
    pub fn publish(&self, manuscript: &Manuscript, now: Timestamp) -> Result<Verdict, Error> {
        self.take(manuscript, false, now)
    }

    /// As [`Press::publish`], but in spite of any doubt, or of marks that are left in a proof.
    ///
    /// # Errors
    /// As [`Press::publish`].
    pub fn accept(&self, manuscript: &Manuscript, now: Timestamp) -> Result<Verdict, Error> {
        self.take(manuscript, true, now)
    }

    fn take(&self, manuscript: &Manuscript, accepted: bool, now: Timestamp) -> Result<Verdict, Error> {
        if !clock::can_be_right(now) {
            return Err(Error::Clock(now));
        }
        if let Some(source) = inbox::manuscript_of(&manuscript.path) {
            return self.publish_proof(manuscript, &source, accepted, now);
        }
        let bytes = match &manuscript.bytes {
            Ok(bytes) => bytes,
            Err(reason) => return self.reject(manuscript, "", reason.clone(), now),
        };
        let originals = manuscript.originals(bytes);
        let hash = originals.first().map(|(hash, _)| hash.clone()).unwrap_or_default();
        let text = match manuscript.open(bytes) {
            Ok(text) => text.with(self.lexicon()),
            Err(unreadable) => return self.reject(manuscript, &hash, unreadable.to_string(), now),
        };
        if text.charset() != "UTF-8" {
            let path = manuscript.path.display();
            tracing::info!(charset = text.charset(), "decoded the manuscript {path}");
        }
        for (hash, bytes) in &originals {
            self.keep(hash, bytes)?;
        }
        reached(Point::ManuscriptKept);
        let text = self.with_pictures(text, &hash)?;
        let (mut proof, plates) = manuscript::read_with_plates(&text, &self.publication);
        if let Some(key) = self.key_of_its_text(manuscript, &proof.issue.key)? {
            proof.issue.key = key;
        }
        for plate in &plates {
            self.keep(&plate.picture.hash, &plate.bytes)?;
        }
        if let Some(verdict) = self.proofed(manuscript, &hash, &text, &proof, accepted, now)? {
            return Ok(verdict);
        }
        if proof.issue.articles.is_empty() {
            return self.reject(manuscript, &hash, without_articles(&proof), now);
        }
        let _lock = self.lock()?;
        if let Some(rival) = self.rival(manuscript, &proof.issue.key)? {
            return self.reject(manuscript, &hash, rival, now);
        }
        if let Some(reason) = self.kept_back(&proof.issue.key, &hash)? {
            return self.reject(manuscript, &hash, reason, now);
        }
        let waits = !accepted && self.proofs_wait.holds(&proof);
        if waits && self.ledger.brought(&self.publication, &hash)?.is_none() {
            return self.hold(manuscript, &hash, &text, &proof, (why(&proof, self.proofs_wait), vec![]), now);
        }
        self.clear_proofs(&manuscript.path)?;
        self.keep_receipts(&hash, &manuscript.text_name(), bytes, &proof)?;
        reached(Point::ReceiptsKept);
        match self.ledger.open_release(
            &self.publication,
            &proof.issue,
            &hash,
            manuscript.path_bytes(),
            now,
        )? {
            Opening::Duplicate(key) => {
                let own = self.ledger.source_of(&self.publication, &key)?.as_deref()
                    == Some(manuscript.path_bytes());
                let (fate, verdict) = if own {
                    (Fate::Published(key.clone()), Verdict::Unchanged(key))
                } else {
                    (Fate::Duplicate(key.clone()), Verdict::Duplicate(key))
                };
                self.ledger.note(&arrival(manuscript, &hash, fate, now))?;
                Ok(verdict)
            }
            Opening::Embargoed(key, until) => {
                self.ledger.note(&arrival(manuscript, &hash, Fate::Embargoed(key.clone()), now))?;
                Ok(Verdict::Embargoed(key, until))
            }
            Opening::Print(release) => {
                reached(Point::ReleaseOpened);
                let fate = Fate::Published(release.issue.key.clone());
                self.put_out(*release, &arrival(manuscript, &hash, fate, now), proof.queries.len(), now)
            }
        }
    }

    /// Finishes what a crash interrupted, whether or not the manuscript is still there, and puts out what has waited for its
    /// time. Gives what became of each; one that fails is no reason to leave the others.
    ///
    /// # Errors
    /// When the ledger cannot be read or the press not be had; what is left unfinished can be resumed again.
    pub fn resume(&self, now: Timestamp) -> Result<Vec<Result<Verdict, Error>>, Error> {
        let _lock = self.lock()?;
        self.sweep();
        // What the daemon answers by itself looks like the rest, also before anything is out, and after a change of the theme.
        self.outbox.put([&editions::stylesheet(&self.publication)])?;
        // Whoever comes before the first issue finds a front page and a feed.
        if self.ledger.n_published(&self.publication)? == 0 && self.outbox.text(editions::INDEX)?.is_none() {
            self.put_all_lists()?;
        }
        let interrupted = self.ledger.interrupted(&self.publication, now)?;
        Ok(interrupted.into_iter().map(|begun| self.finish(begun, now)).collect())
    }

    /// Whether it failed since another daemon leads now, so that it is not ours to do.
    ///
    /// A bucket knows only that somebody has changed it meanwhile; the ledger says whether he leads.
    #[must_use]
    pub fn is_overtaken(&self, error: &Error) -> bool {
        match error {
            Error::Ledger(ledger::Error::Overtaken) | Error::Outbox(outbox::Error::Led) => true,
            Error::Outbox(outbox::Error::Overtaken { .. }) => {
                matches!(self.ledger.epoch(), Err(ledger::Error::Overtaken))
            }
            _ => false,
        }
    }

    /// Brings readers' files in line with what the ledger says of an issue.
    fn finish(&self, begun: Interrupted, now: Timestamp) -> Result<Verdict, Error> {
        let key = begun.release.issue.key.clone();
        if begun.status != Status::Usable {
            self.take_down(&key, now)?;
            return Ok(Verdict::TakenDown(key, begun.status));
        }
        // Without a signature the file is read once more, and found to be published.
        let (path, hash, signature) = (begun.source, begun.manuscript, String::new());
        let arrival = Arrival { path, signature, hash, fate: Fate::Published(key), at: now };
        self.put_out(begun.release, &arrival, 0, now)
    }

    /// The steps from an open release to its queue of letters. Nothing links to what is not there yet.
    fn put_out(
        &self,
        release: Release,
        arrival: &Arrival,
        queries: usize,
        now: Timestamp,
    ) -> Result<Verdict, Error> {
        let (book, _) = self.print(&release)?;
        reached(Point::PagesOut);
        self.ledger.shelve(&self.publication, &release, &book)?;
        reached(Point::ReleaseShelved);
        let key = &release.issue.key;
        let versions = self.ledger.versions(&self.publication, key)?;
        self.put_lists(&self.shelf_after(key, &versions)?)?;
        reached(Point::ListsOut);
        self.turn_pages_beside(key, &versions)?;
        self.remove_former_pages(key, &versions)?;
        reached(Point::NeighboursOut);
        let shelved = Shelved { release, book };
        let queued = self.close(&shelved, arrival, now)?;
        reached(Point::ReleaseClosed);
        let Shelved { release, book } = shelved;
        Ok(Verdict::Published(Box::new(Receipt { release, book, queued, queries })))
    }

    /// The book and the pages of one release, in the outbox. Gives also how many files changed.
    fn print(&self, release: &Release) -> Result<(BookFile, usize), Error> {
        let plates = self.plates(release)?;
        let day = Listing::date_of(release, &self.publication);
        let beside = self.ledger.beside(&self.publication, &release.issue.key, day, release.published)?;
        let printed = editions::print_beside(release, &beside, &self.publication, &plates)
            .map_err(unprintable(release))?;
        let written = self.outbox.put(std::iter::once(&printed.book).chain(&printed.pages))?;
        Ok((printed.book_file(), written))
    }

    /// The pages and feeds that list more than one issue, in the outbox, and the newest book under its lasting name. Gives how many
    /// files changed.
    fn put_lists(&self, shelf: &Shelf) -> Result<usize, Error> {
        let lists = editions::lists(shelf, &self.publication).map_err(Error::Lists)?;
        let Some(newest) = shelf.recent.first() else {
            let written = self.put(&lists)?;
            // Only now no list leads to it.
            return Ok(written + usize::from(self.outbox.remove("latest.epub")?));
        };
        let latest = self.outbox.copy(&newest.book.path, "latest.epub")?;
        Ok(usize::from(latest) + self.put(&lists)?)
    }

    /// Lists in the outbox; then what nothing leads to any more is removed. Gives how many files changed.
    fn put(&self, lists: &Lists) -> Result<usize, Error> {
        let written = self.outbox.put(&lists.editions)?;
        for path in &lists.gone {
            self.outbox.remove(path)?;
        }
        Ok(written)
    }

    fn is_news(&self, release: &Release, now: Timestamp) -> bool {
        let (Some(within), Some(date)) = (self.letters_within, release.issue.date) else { return true };
        let printed = date.to_zoned(self.publication.time_zone.clone());
        printed.is_ok_and(|day| now.duration_since(day.timestamp()) <= within)
    }

    fn reject(
        &self,
        manuscript: &Manuscript,
        hash: &str,
        reason: String,
        now: Timestamp,
    ) -> Result<Verdict, Error> {
        self.ledger.note(&arrival(manuscript, hash, Fate::Rejected(reason.clone()), now))?;
        Ok(Verdict::Rejected(reason))
    }

    /// The other file that has this issue's key and still lies in the inbox, as a reason for the editor.
    fn rival(&self, manuscript: &Manuscript, key: &IssueKey) -> Result<Option<String>, Error> {
        let Some(source) = self.ledger.source_of(&self.publication, key)? else { return Ok(None) };
        let path = Path::new(std::ffi::OsStr::from_bytes(&source));
        // A file that cannot be looked at is still there.
        let is_there =
            || !self.inbox.join(path).symlink_metadata().is_err_and(|e| e.kind() == io::ErrorKind::NotFound);
        // What came as a file may have become a folder, by a picture that was laid beside it.
        if path.starts_with(&manuscript.path) || path.is_absolute() || !is_there() {
            return Ok(None);
        }
        Ok(Some(format!(
            "the issue `{key}` comes from `{}`, which is in the inbox too; to correct that issue, save this text under that \
             name, and to publish another one, rename this file or give it an `issue:` of its own in its front matter",
            path.display()
        )))
    }

    /// Under which key the text of a folder came out when there was no picture beside it yet: readers have that issue, and not one of the
    /// folder's name.
    fn key_of_its_text(&self, manuscript: &Manuscript, key: &IssueKey) -> Result<Option<IssueKey>, Error> {
        let Some(beside) = &manuscript.beside else { return Ok(None) };
        if self.ledger.source_of(&self.publication, key)?.is_some() {
            return Ok(None);
        }
        let before = IssueKey::of(&Path::new(&beside.main).file_stem().unwrap_or_default().to_string_lossy());
        let Some(source) = self.ledger.source_of(&self.publication, &before)? else { return Ok(None) };
        let source = Path::new(std::ffi::OsStr::from_bytes(&source));
        let is_its = source == manuscript.path || source == manuscript.path.join(&beside.main);
        Ok(is_its.then_some(before))
    }

    /// Keeps the manuscript by its hash: whatever becomes of the inbox, we have what we published.
    fn keep(&self, hash: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.original(hash);
        durable::put(&path, bytes).map(|_| ()).map_err(|source| Error::Keep { path, source })
    }

    /// Keeps the receipts of a file beside what `hash` stands for, before its release is opened: no issue is out without
    /// them. Those of an issue that is out stay as they are, since they tell of that reading.
    fn keep_receipts(&self, hash: &str, file_name: &str, bytes: &[u8], proof: &Proof) -> Result<(), Error> {
        if self.ledger.brought(&self.publication, hash)?.is_some() {
            return Ok(());
        }
        let Some(receipts) = Receipts::of(file_name, bytes, proof) else { return Ok(()) };
        let record = Record::of(receipts, file_name, &proof.issue);
        if !record.restored {
            tracing::error!(
                file = file_name,
                "the manuscript cannot be restored from its reading; it is kept whole"
            );
        }
        let path = self.receipts_path(hash);
        durable::put(&path, record.to_json().as_bytes())
            .map(|_| ())
            .map_err(|source| Error::Keep { path, source })
    }

    /// What was done to the text of an issue that is out; `None` when that came from no text file, or was printed by a gazetted
    /// that kept no receipts.
    ///
    /// # Errors
    /// When the ledger cannot be read, or what was kept is damaged.
    pub fn receipts(&self, key: &IssueKey) -> Result<Option<Record>, Error> {
        let Some(hash) = self.ledger.manuscript_of(&self.publication, key)? else { return Ok(None) };
        let path = self.receipts_path(&hash);
        let kept = match std::fs::read(&path) {
            Ok(bytes) => Record::parse(&bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => Err(error),
        };
        kept.map(Some).map_err(|source| Error::Kept { path, source })
    }

    /// Where the receipts are kept of what has this hash.
    fn receipts_path(&self, hash: &str) -> PathBuf {
        self.original(hash).with_extension("receipts.json")
    }

    /// The pictures of a release as they were kept.
    fn plates(&self, release: &Release) -> Result<Plates, Error> {
        let plate = |picture: &Picture| Ok((picture.name.clone(), self.plate(picture)?));
        release.issue.pictures.iter().map(plate).collect()
    }

    /// The bytes of a picture as they were kept.
    ///
    /// # Errors
    /// [`Error::Kept`] when they are not there.
    pub fn plate(&self, picture: &Picture) -> Result<Vec<u8>, Error> {
        let path = self.original(&picture.hash);
        std::fs::read(&path).map_err(|source| Error::Kept { path, source })
    }

    /// Where what has this hash is kept.
    fn original(&self, hash: &str) -> PathBuf {
        kept_as(&self.data, hash)
    }

    /// One process at a time prints; a `gazetted publish` beside the daemon waits here.
    fn lock(&self) -> Result<Turn, Error> {
        let mut turn = turn(&self.data, &*self.ledger)?;
        if std::mem::take(&mut turn.after_a_death) {
            self.sweep();
        }
        self.outbox.takes_turn()?;
        Ok(turn)
    }

    /// Removes what a crash left half-written; only whoever has the press may.
    fn sweep(&self) {
        let swept = self.outbox.sweep()
            + durable::sweep_of_the_dead(&self.data.join("originals"))
            + durable::sweep_of_the_dead(&self.inbox);
        if swept > 0 {
            tracing::info!(files = swept, "removed what a crash had left half-written");
        }
    }
}

/// Where in the state's folder what has this hash is kept.
#[must_use]
pub fn kept_as(data: &Path, hash: &str) -> PathBuf {
    data.join("originals").join(hash.get(..2).unwrap_or_default()).join(hash)
}

fn unprintable(release: &Release) -> impl FnOnce(editions::Error) -> Error {
    let issue = release.issue.key.clone();
    |source| Error::Print { issue, source }
}

fn arrival(manuscript: &Manuscript, hash: &str, fate: Fate, at: Timestamp) -> Arrival {
    Arrival {
        path: manuscript.path_bytes().to_vec(),
        signature: manuscript.signature.clone(),
        hash: hash.to_owned(),
        fate,
        at,
    }
}

/// Why a reading waits for its editor.
fn why(proof: &Proof, policy: Policy) -> String {
    let serious: Vec<_> = proof.queries.iter().filter(|query| query.code.is_serious()).collect();
    match (policy, serious.as_slice()) {
        (Policy::AlwaysAsk, _) | (_, []) => "no page is published unseen here".to_owned(),
        (_, [query]) => format!("one thing is in doubt ({})", query.text),
        (_, [first, ..]) => format!("{} things are in doubt ({}; …)", serious.len(), first.text),
    }
}

fn without_articles(proof: &Proof) -> String {
    let first = proof.not_used.first().map(|text| issue::shorten(text, 40));
    match first {
        Some(text) => format!(
            "no article was found in it, only `{text}`; an article needs a paragraph of text below its headline"
        ),
        None => {
            "no article was found in it; an article needs a paragraph of text below its headline".to_owned()
        }
    }
}
