//! What confirmed proofs teach, kept in the lexicon's file.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::Press;
use crate::{durable, inbox::Manuscript, manuscript::Lexicon, proof::Proof};

/// The lexicon's file in the folder `data`.
fn path_in(data: &Path) -> PathBuf {
    data.join("lexicon.toml")
}

/// The lexicon in the folder `data`; an empty one where nothing has been learned yet.
///
/// # Errors
/// When the file cannot be read or is no lexicon: a text for its editor, with its path.
pub fn lexicon(data: &Path) -> Result<Lexicon, String> {
    let path = path_in(data);
    let told = |reason: String| format!("cannot use `{}`: {reason}", path.display());
    match fs::read_to_string(&path) {
        Ok(text) => Lexicon::parse(&text).map_err(told),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Lexicon::default()),
        Err(error) => Err(told(error.to_string())),
    }
}

impl Press {
    /// The lexicon as its file is now: editors may change it at any time. A page is read without it rather than not at all.
    pub(super) fn lexicon(&self) -> Lexicon {
        lexicon(&self.data).unwrap_or_else(|problem| {
            tracing::warn!(
                "{problem}; pages are read without it, and nothing is learned, until it is corrected"
            );
            Lexicon::default()
        })
    }

    /// Learns from a proof that its editor has confirmed. The issue is out already: what cannot be learned is a warning.
    pub(super) fn learn(&self, proof: &Proof, manuscript: Option<&Manuscript>) {
        // Never over a file that an editor has to correct.
        let Ok(mut lexicon) = lexicon(&self.data) else { return };
        let text = manuscript.and_then(|manuscript| manuscript.open(manuscript.bytes.as_ref().ok()?).ok());
        if !lexicon.learn(proof, text.as_ref().map_or("", |text| text.text())) {
            return;
        }
        let path = path_in(&self.data);
        if let Err(error) = durable::put(&path, lexicon.write().as_bytes()) {
            tracing::warn!(
                "cannot write `{}`: {error}; the next confirmed proof is learned from",
                path.display()
            );
        }
    }
}
