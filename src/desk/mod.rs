//! The desk: the editor's pages, on an address of their own, behind a password. They work without scripts; scripts add comfort.
//!
//! A page is a file here with its `routes()`, a template in `templates/` and its words in `words/`; `router` mounts it, and a
//! line of `frame::NAVIGATION` leads to it.

mod api;
mod assets;
mod attempts;
mod deeds;
mod differing;
mod dropping;
mod enrolling;
mod entering;
mod failure;
mod figures;
mod following;
mod form;
mod frame;
mod guard;
mod health;
mod issues;
mod letters;
mod password;
mod plot;
mod proofs;
mod rolls;
mod sayings;
mod sessions;
mod subscribers;
mod today;
mod tokens;
mod words;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use axum::{Router, middleware};
use tokio::{net::TcpListener, sync::Notify, sync::Semaphore};
use tokio_util::sync::CancellationToken;

pub use password::{Error as PasswordError, Password};
pub use tokens::{Error as TokenError, make as make_token};

use crate::{
    bell::Bell, clock::Clock, http, http::ReadingRoom, ledger, ledger::Heard, ledger::Ledger, ledger::News,
    mail::Letterhead, press::Press, publication::Publication,
};
use attempts::Attempts;
use failure::Failure;
use sessions::Sessions;

/// What a handler of ours gives.
type Answer = Result<axum::response::Response, Failure>;

/// How many passwords are tried at once: each takes some memory and time on purpose.
const TRIED_AT_ONCE: usize = 2;

/// The desk of a newsroom: what its pages show and act on.
pub struct Desk {
    /// The press, with the publication, the ledger, the inbox and the outbox.
    pub press: Arc<Press>,
    /// What the letters have in common.
    pub head: Letterhead,
    /// Where the hash of the password is.
    pub password: Password,
    /// What time it is.
    pub clock: Clock,
    /// What readers are served from, whose figures the desk tells.
    pub room: Arc<ReadingRoom>,
    /// The bells by which the desk tells others, and hears.
    pub bells: Bells,
    /// The largest file that may be dropped, in bytes.
    pub largest_upload: usize,
    /// Pages that stay open, such as those that follow what happens, end by it.
    pub stop: CancellationToken,
    /// Who is logged in, and who tried.
    pub door: Door,
    /// What its pages keep for a while.
    pub drawer: Drawer,
}

/// The bells of a desk.
#[derive(Clone, Default)]
pub struct Bells {
    /// Letters are queued.
    pub mail: Arc<Notify>,
    /// The feeds have changed.
    pub hub: Arc<Notify>,
    /// Something that the desk shows has changed.
    pub news: Bell,
    /// What could not be put out through no fault of its own, by file, and is tried again.
    pub postponed: Postponed,
}

impl Bells {
    /// Rings them at what other daemons tell.
    #[must_use]
    pub fn heard(self) -> Heard {
        Box::new(move |news| {
            if matches!(news, News::Letters | News::Anything) {
                self.mail.notify_one();
            }
            self.news.ring();
        })
    }
}

/// Files of the inbox that are tried again, each with what was told its editor.
#[derive(Clone, Default)]
pub struct Postponed(Arc<Mutex<BTreeMap<PathBuf, String>>>);

impl Postponed {
    /// Notes why a file is tried again; or that it is not any more.
    pub fn note(&self, file: &Path, why: Option<&str>) {
        let mut files = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match why {
            Some(why) => _ = files.insert(file.to_owned(), why.to_owned()),
            None => _ = files.remove(file),
        }
    }

    fn all(&self) -> Vec<(PathBuf, String)> {
        let files = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        files.iter().map(|(file, why)| (file.clone(), why.clone())).collect()
    }
}

/// What the pages of a desk keep for a while.
#[derive(Default)]
pub struct Drawer {
    /// Held while a proof is saved.
    saving: Mutex<()>,
    previews: Mutex<proofs::Previews>,
    enrolment: rolls::Enrolment,
}

/// Who is logged in, and who tried.
pub struct Door {
    sessions: Mutex<Sessions>,
    passwords: Mutex<Attempts>,
    tokens: Mutex<Attempts>,
    trying: Semaphore,
}

impl Default for Door {
    /// Nobody.
    fn default() -> Self {
        Self {
            sessions: Mutex::default(),
            passwords: Mutex::default(),
            tokens: Mutex::default(),
            trying: Semaphore::new(TRIED_AT_ONCE),
        }
    }
}

impl Desk {
    /// The periodical.
    #[must_use]
    pub fn publication(&self) -> &Publication {
        &self.press.publication
    }

    /// Rings for whoever follows what readers have.
    fn tell_changes(&self) {
        self.bells.hub.notify_one();
        self.bells.news.ring();
    }

    /// Asks the ledger where waiting for a disk holds nobody up.
    async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        question: impl FnOnce(&dyn Ledger) -> Result<T, ledger::Error> + Send + 'static,
    ) -> Result<T, Failure> {
        self.work(move |desk| question(&*desk.press.ledger)).await.map_err(|error| Failure::fault(&error))
    }

    /// Does what blocks, where that holds nobody up.
    async fn work<T: Send + 'static, E: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let desk = Arc::clone(self);
        match tokio::task::spawn_blocking(move || work(&desk)).await {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
}

/// Answers editors' requests until [`Desk::stop`], and then those that have begun.
pub async fn serve(listener: TcpListener, desk: Arc<Desk>) {
    let stop = desk.stop.clone();
    http::answer(listener, router(desk), stop).await;
}

fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .merge(today::routes())
        .merge(dropping::routes())
        .merge(proofs::routes())
        .merge(issues::routes())
        .merge(rolls::routes())
        .merge(subscribers::routes())
        .merge(letters::routes())
        .merge(health::routes())
        .merge(entering::routes())
        .merge(assets::routes())
        .fallback(failure::nothing_here)
        .layer(middleware::from_fn_with_state(Arc::clone(&desk), guard::guard))
        // Programs read the figures; they have no password.
        .merge(figures::routes())
        // Programs that do more have tokens, and neither sessions nor forms.
        .merge(api::routes(&desk))
        .with_state(desk)
}
