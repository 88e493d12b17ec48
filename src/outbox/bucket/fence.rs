//! Whose turn it is at a bucket: the object `.changes`, which only the process that has written its last state can change.
//!
//! It holds a word that nobody can guess. Who takes his turn writes another one under the condition of the tag that he found, and so
//! takes the turn of whoever had it before: that one's next claim fails, for good. Who has his turn claims it before each change and
//! after it; servers elsewhere see by that one object that something has changed.

use std::time::{Duration, Instant};

use object_store::{Attribute, Attributes, PutPayload};
use tokio::sync::Mutex;

use super::objects::{Objects, There, hash_of};
use crate::{outbox::Error, random};

/// The object that is changed before and after each change.
pub(super) const CHANGES: &str = ".changes";

/// How long a claim is good within one change: who was stopped for longer claims again before the next request.
const GOOD_FOR: Duration = Duration::from_secs(2);

/// How often a claim is tried again of which nobody knows whether it was heard.
const TRIES: usize = 3;

/// A turn at a bucket, if this process has it.
#[derive(Debug, Default)]
pub(super) struct Fence(Mutex<Turn>);

/// What is known of the turn.
#[derive(Debug, Default)]
struct Turn {
    state: State,
    /// The hashes of words that were written without an answer: where one of them is there, it was heard.
    unanswered: Vec<String>,
}

#[derive(Debug, Default)]
enum State {
    /// It was never taken.
    #[default]
    None,
    /// What is there, as we wrote it at that time.
    Held(There, Instant),
    /// Somebody else has taken it.
    Lost,
}

impl Fence {
    /// Takes the turn, unless this process has had the last one and nobody has changed anything since.
    ///
    /// # Errors
    /// When the bucket does not answer, or another process takes its turn in this very moment. This one has none then.
    pub(super) async fn begin(&self, objects: &Objects) -> Result<(), Error> {
        let mut turn = self.0.lock().await;
        turn.begin(objects).await
    }

    /// Says before a change and after it that the turn is ours. Gives what is there then. A process that never took its turn takes it
    /// with its first change.
    ///
    /// # Errors
    /// [`Error::Overtaken`] when somebody else has taken it since, until it is begun again.
    pub(super) async fn claim(&self, objects: &Objects) -> Result<There, Error> {
        let mut turn = self.0.lock().await;
        if matches!(turn.state, State::None) {
            turn.begin(objects).await?;
        }
        turn.claim(objects).await
    }

    /// The same in the middle of a change, where the last claim is some seconds old.
    ///
    /// # Errors
    /// As [`Fence::claim`].
    pub(super) async fn hold(&self, objects: &Objects) -> Result<(), Error> {
        let mut turn = self.0.lock().await;
        match &turn.state {
            State::Held(_, at) if at.elapsed() < GOOD_FOR => Ok(()),
            _ => turn.claim(objects).await.map(|_| ()),
        }
    }
}

impl Turn {
    async fn begin(&mut self, objects: &Objects) -> Result<(), Error> {
        // Until it is ours, nothing is changed.
        let before = std::mem::replace(&mut self.state, State::Lost);
        let found = There::of(objects.head(CHANGES).await?.as_ref());
        if matches!(&before, State::Held(known, _) if *known == found && found != There::Nothing) {
            self.state = before;
            return Ok(());
        }
        self.unanswered.clear();
        self.state = State::Held(found, Instant::now());
        let claimed = self.claim(objects).await;
        if claimed.is_err() {
            self.state = State::Lost;
        }
        claimed.map(|_| ())
    }

    async fn claim(&mut self, objects: &Objects) -> Result<There, Error> {
        for _ in 0..TRIES {
            let State::Held(from, _) = &self.state else { return Err(objects.overtaken(CHANGES)) };
            let (word, mode) = (word(objects)?, from.clone().replaced());
            let hash = hash_of(&word);
            self.unanswered.push(hash.clone());
            let mut attributes = Attributes::new();
            attributes.insert(Attribute::ContentType, "text/plain".into());
            attributes.insert(Attribute::CacheControl, "no-store".into());
            let at = Instant::now();
            let put = objects.put_object(CHANGES, PutPayload::from(word), &hash, attributes, mode).await;
            let failed = match put {
                Ok(tag) => {
                    self.unanswered.clear();
                    self.state = State::Held(There::tagged(tag.clone()), at);
                    return Ok(There::tagged(tag));
                }
                Err(failed) => failed,
            };
            // A word of ours that is there was heard, whatever was answered, and nobody has come since.
            let found = objects.head(CHANGES).await;
            let Ok(found) = found else { return Err(failed) };
            let theirs = found.as_ref().and_then(|head| head.hash.as_ref());
            let ours = theirs.is_some_and(|theirs| self.unanswered.contains(theirs));
            match (ours, failed) {
                (true, _) => {
                    let there = There::of(found.as_ref());
                    self.state = State::Held(there.clone(), at);
                    if theirs == Some(&hash) {
                        self.unanswered.clear();
                        return Ok(there);
                    }
                }
                (false, overtaken @ Error::Overtaken { .. }) => {
                    self.state = State::Lost;
                    return Err(overtaken);
                }
                (false, failed) => return Err(failed),
            }
        }
        Err(objects.overtaken(CHANGES))
    }
}

/// A word that nobody has written before.
fn word(objects: &Objects) -> Result<Vec<u8>, Error> {
    // Where the word were the same, servers would see no change.
    let word = random::bytes::<16>().map_err(|_| objects.without_random_numbers())?;
    Ok(hash_of(&word).into_bytes())
}
