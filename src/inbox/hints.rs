//! Hints that the inbox may have changed, from the kernel by way of `notify`. They only save waiting: a hint that is lost,
//! doubled or wrong changes nothing but the time of the next look.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use notify::{
    EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode},
};
use tokio::sync::Notify;

use crate::metrics;

/// A watch on the inbox that rings a bell when something moves.
pub struct Hints {
    root: PathBuf,
    bell: Arc<Notify>,
    watcher: Option<RecommendedWatcher>,
    /// Device and inode of the folder that is watched: another may take its name.
    watched: Option<(u64, u64)>,
    complained: bool,
    /// What is counted of the watch.
    counts: Option<metrics::Inbox>,
}

impl Hints {
    /// Hints for the folder `root`; none come before [`Hints::renew`].
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            bell: Arc::default(),
            watcher: None,
            watched: None,
            complained: false,
            counts: None,
        }
    }

    /// Hints whose troubles are counted.
    #[must_use]
    pub fn counted(self, counts: metrics::Inbox) -> Self {
        Self { counts: Some(counts), ..self }
    }

    /// The bell.
    #[must_use]
    pub fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.bell)
    }

    /// Watches the folder that has the inbox's name now, if it is not the one watched before. Where that fails (too many
    /// watches, no such folder) it says so once; looking at intervals goes on.
    pub fn renew(&mut self) {
        let now = fs::metadata(&self.root).ok().map(|folder| (folder.dev(), folder.ino()));
        if now == self.watched && (self.watcher.is_some() || self.complained) {
            return;
        }
        self.watched = now;
        self.watcher = None;
        self.tell(false);
        if now.is_none() {
            return;
        }
        let bell = Arc::clone(&self.bell);
        let counts = self.counts.clone();
        let ring = move |event: notify::Result<notify::Event>| {
            if let (Some(counts), true) = (&counts, event.as_ref().is_ok_and(notify::Event::need_rescan)) {
                counts.overflowed();
            }
            // Our own reading opens and closes files too: that is no news. An error may be an overflow: that is.
            let news = event.map_or(true, |event| match event.kind {
                EventKind::Access(kind) => kind == AccessKind::Close(AccessMode::Write),
                _ => true,
            });
            if news {
                bell.notify_one();
            }
        };
        // A link in the inbox may lead to the whole machine.
        let config = notify::Config::default().with_follow_symlinks(false);
        let watcher = RecommendedWatcher::new(ring, config).and_then(|mut watcher| {
            watcher.watch(&self.root, RecursiveMode::Recursive)?;
            Ok(watcher)
        });
        match watcher {
            Ok(watcher) => {
                self.watcher = Some(watcher);
                self.tell(true);
                self.complained = false;
            }
            Err(error) => {
                let folder = self.root.display();
                tracing::warn!(%folder, %error, "a folder cannot be watched; it is looked at every few seconds");
                self.complained = true;
            }
        }
    }

    /// Whether the folder is watched.
    #[must_use]
    pub fn come(&self) -> bool {
        self.watcher.is_some()
    }

    fn tell(&self, told: bool) {
        if let Some(counts) = &self.counts {
            counts.is_told(told);
        }
    }
}
