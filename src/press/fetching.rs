//! The pictures on the web that a manuscript shows: fetched once, then kept, so that the same manuscript always gives the same issue.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Error, Press, kept_as};
use crate::{durable, manuscript, manuscript::Fetched};

/// The folder in which it is kept what came from where.
const FOLDER: &str = "fetched";

impl Press {
    /// The manuscript of that hash with its pictures on the web: those that were fetched for it before, and the others as they are
    /// there now. One that has gone from there and that an earlier version of the manuscript showed is taken from that.
    ///
    /// Blocks while they are fetched, which [`crate::fetch::Fetcher::fetch`] bounds.
    pub(super) fn with_pictures(
        &self,
        text: manuscript::Manuscript,
        hash: &str,
    ) -> Result<manuscript::Manuscript, Error> {
        let wanted = self.wanted(&text);
        if wanted.is_empty() {
            return Ok(text);
        }
        let (mut pictures, mut missing) = (BTreeMap::new(), Vec::new());
        for address in wanted {
            match kept(&self.data, hash, &address) {
                Some(bytes) => drop(pictures.insert(address, Ok(bytes))),
                None => missing.push(address),
            }
        }
        let fetched = self.fetcher.fetch(&missing);
        for (address, picture) in Arc::unwrap_or_clone(fetched.0) {
            let picture = picture.or_else(|reason| kept(&self.data, "", &address).ok_or(reason));
            if let Ok(bytes) = &picture {
                self.keep_fetched(hash, &address, bytes)?;
            }
            pictures.insert(address, picture);
        }
        let failed = pictures.values().filter(|picture| picture.is_err()).count();
        tracing::info!(pictures = pictures.len(), failed, "pictures on the web were looked after");
        Ok(text.with_fetched(Fetched(Arc::new(pictures))))
    }

    /// The addresses of the pictures that may be fetched.
    fn wanted(&self, text: &manuscript::Manuscript) -> Vec<String> {
        if self.fetcher.is_idle() {
            return Vec::new();
        }
        let mut wanted = text.wanted();
        wanted.retain(|address| self.fetcher.may_ask(address));
        wanted.truncate(manuscript::MAX_PICTURES);
        wanted
    }

    fn keep_fetched(&self, hash: &str, address: &str, bytes: &[u8]) -> Result<(), Error> {
        let content = blake3::hash(bytes).to_hex().to_string();
        self.keep(&content, bytes)?;
        for of in [hash, ""] {
            let path = slip(&self.data, of, address);
            durable::put(&path, content.as_bytes()).map_err(|source| Error::Keep { path, source })?;
        }
        Ok(())
    }
}

/// The manuscript of that hash with the pictures that were fetched for it before, kept in the state's folder `data`. Asks nobody.
#[must_use]
pub fn with_kept_pictures(data: &Path, hash: &str, text: manuscript::Manuscript) -> manuscript::Manuscript {
    if !data.join(FOLDER).exists() {
        return text;
    }
    let found = text.wanted().into_iter().filter_map(|address| {
        let bytes = kept(data, hash, &address)?;
        Some((address, Ok(bytes)))
    });
    let pictures = found.collect();
    text.with_fetched(Fetched(Arc::new(pictures)))
}

/// The bytes that were fetched from an address for the manuscript of that hash; last for any, when it is empty.
fn kept(data: &Path, hash: &str, address: &str) -> Option<Vec<u8>> {
    let content = std::fs::read_to_string(slip(data, hash, address)).ok()?;
    let bytes = std::fs::read(kept_as(data, &content)).ok()?;
    // What was damaged meanwhile is fetched again.
    (blake3::hash(&bytes).to_hex().as_str() == content).then_some(bytes)
}

/// Where it says which bytes came from an address.
fn slip(data: &Path, hash: &str, address: &str) -> PathBuf {
    let name = blake3::hash(format!("{hash} {address}").as_bytes()).to_hex().to_string();
    data.join(FOLDER).join(&name[..2]).join(&name)
}
