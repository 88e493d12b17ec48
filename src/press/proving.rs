//! What waits for its editor, and what its editor saved: a proof wins over our own reading of the same manuscript.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Error, Press, Verdict, arrival, with_kept_pictures};
use crate::{
    inbox, inbox::Manuscript, issue::Issue, issue::IssueKey, ledger::Arrival, ledger::Fate, ledger::Opening,
    manuscript, picture::PictureName, proof, proof::Doubt, proof::Policy, proof::Proof, proof::Query,
    proof::Saved, proof::Source, prose,
};

/// An issue that waits for its editor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The issue it will be.
    pub issue: IssueKey,
    /// The manuscript, relative to the inbox.
    pub manuscript: PathBuf,
    /// The proof to look at.
    pub proof: PathBuf,
    /// Why it waits.
    pub why: String,
    /// What differs from the proof before, a line each.
    pub differs: Vec<String>,
}

impl Held {
    /// The note for the editor.
    #[must_use]
    pub fn note(&self) -> String {
        let name = self.proof.file_name().unwrap_or_default().to_string_lossy();
        let mut note = format!(
            "gazetted waits for you: {}; see {name}, correct what is wrong, delete its marks {{? … }} and save.",
            self.why
        );
        if !self.differs.is_empty() {
            note = format!("{note}\nWhat differs from the proof before:\n- {}", self.differs.join("\n- "));
        }
        note
    }
}

impl Press {
    /// What the proofs beside a manuscript say about it; `None` when no editor has changed any.
    pub(super) fn proofed(
        &self,
        manuscript: &Manuscript,
        hash: &str,
        text: &manuscript::Manuscript,
        reading: &Proof,
        accepted: bool,
        now: Timestamp,
    ) -> Result<Option<Verdict>, Error> {
        let mut edited = None;
        for (path, bytes) in self.proofs(&manuscript.path)? {
            let text = String::from_utf8_lossy(&bytes);
            let saved = proof::read(&text).ok();
            if saved.as_ref().is_some_and(|saved| saved.untouched) {
                continue;
            }
            if text.contains(hash) {
                let file = inbox::open(&self.inbox, &self.inbox.join(&path))
                    .map_err(|source| Error::Proof { path: path.clone(), source })?;
                return self.publish_proof(&file, &manuscript.path, accepted, now).map(Some);
            }
            edited = Some((path, saved));
        }
        let Some((path, saved)) = edited.filter(|_| !accepted) else { return Ok(None) };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let differs = saved.map_or_else(Vec::new, |saved| proof::differences(&saved.proof, reading));
        let why = format!("the manuscript has changed since {name} was edited");
        let held = self.hold(manuscript, hash, text, reading, (why, differs), now)?;
        Ok(Some(held))
    }

    /// Lays the proof of a manuscript beside it and notes that it waits.
    pub(super) fn hold(
        &self,
        manuscript: &Manuscript,
        hash: &str,
        text: &manuscript::Manuscript,
        reading: &Proof,
        (why, differs): (String, Vec<String>),
        now: Timestamp,
    ) -> Result<Verdict, Error> {
        let mut shown = reading.clone();
        if self.proofs_wait == Policy::AlwaysAsk || shown.queries.is_empty() || !differs.is_empty() {
            let text = "nobody has looked at this yet: delete this mark when you have".to_owned();
            shown.queries.push(Query { code: Doubt::Unseen, line: None, text });
        }
        let name = manuscript.path.file_name().unwrap_or_default().to_string_lossy();
        let written = proof::write(&shown, &Source { name: &name, hash, text: text.text() });
        let mut number = 1;
        let taken = self.proofs(&manuscript.path)?;
        let path = loop {
            let path = inbox::proof_of(&manuscript.path, number);
            let there = taken.iter().find(|(known, _)| *known == path);
            if there.is_none_or(|(_, bytes)| is_ours(bytes)) {
                break path;
            }
            number += 1;
        };
        inbox::lay(&self.inbox, &path, Some(&written))
            .map_err(|source| Error::Proof { path: path.clone(), source })?;
        let issue = reading.issue.key.clone();
        self.ledger.note(&arrival(manuscript, hash, Fate::Withheld(issue.clone()), now))?;
        let manuscript = manuscript.path.clone();
        Ok(Verdict::Withheld(Box::new(Held { issue, manuscript, proof: path, why, differs })))
    }

    /// Takes the proofs away that we wrote for a manuscript and nobody changed: it is out, and nothing waits.
    pub(super) fn clear_proofs(&self, manuscript: &Path) -> Result<(), Error> {
        for (path, bytes) in self.proofs(manuscript)? {
            if is_ours(&bytes) {
                inbox::lay(&self.inbox, &path, None).map_err(|source| Error::Proof { path, source })?;
            }
        }
        Ok(())
    }

    /// Publishes the issue of a proof that its editor saved, if it has no marks left or is `accepted` in spite of them.
    pub(super) fn publish_proof(
        &self,
        file: &Manuscript,
        source: &Path,
        accepted: bool,
        now: Timestamp,
    ) -> Result<Verdict, Error> {
        let bytes = match &file.bytes {
            Ok(bytes) => bytes,
            Err(reason) => return self.reject(file, "", reason.clone(), now),
        };
        let hash = blake3::hash(bytes).to_hex().to_string();
        let Ok(text) = std::str::from_utf8(bytes) else {
            let reason = "the proof is not UTF-8; save it again with the encoding UTF-8".to_owned();
            return self.reject(file, &hash, reason, now);
        };
        let saved = match proof::read(text) {
            Ok(saved) => saved,
            Err(problems) => {
                let told: Vec<String> = problems.iter().take(20).map(ToString::to_string).collect();
                return self.reject(
                    file,
                    &hash,
                    format!("the proof cannot be read:\n- {}", told.join("\n- ")),
                    now,
                );
            }
        };
        let mut issue = saved.proof.issue.clone();
        let out = self.ledger.brought(&self.publication, &hash)?;
        let current = inbox::open(&self.inbox, &self.inbox.join(source)).ok();
        if saved.untouched
            && !accepted
            && self.ledger.brought(&self.publication, &saved.manuscript)?.is_some()
        {
            return Ok(Verdict::Unchanged(issue.key.clone()));
        }
        if out.is_none()
            && !accepted
            && let Some(why) = waits(&saved, current.as_ref())
        {
            self.ledger.note(&arrival(file, &hash, Fate::Withheld(issue.key.clone()), now))?;
            let (issue, manuscript, proof) = (issue.key.clone(), source.to_owned(), file.path.clone());
            return Ok(Verdict::Withheld(Box::new(Held { issue, manuscript, proof, why, differs: vec![] })));
        }
        if issue.articles.is_empty() {
            let reason = "it has no article; an article begins with a line `# headline`".to_owned();
            return self.reject(file, &hash, reason, now);
        }
        if let Some(missing) = self.bring_pictures(&mut issue, current.as_ref())? {
            let reason = format!(
                "the picture `{missing}` is not with the manuscript; its pictures have the names in its own proof"
            );
            return self.reject(file, &hash, reason, now);
        }
        self.keep(&hash, bytes)?;
        let _lock = self.lock()?;
        let by = Manuscript { path: source.to_owned(), ..file.clone() };
        if let Some(rival) = self.rival(&by, &issue.key)? {
            return self.reject(file, &hash, rival, now);
        }
        if let Some(reason) = self.kept_back(&issue.key, &hash)? {
            return self.reject(file, &hash, reason, now);
        }
        // What its editor changed is told as well, from the manuscript that the proof is of.
        if let Some((name, bytes)) = self.proven(&saved, source, current.as_ref()) {
            let proof = Proof { issue: issue.clone(), ..saved.proof.clone() };
            self.keep_receipts(&hash, &name, &bytes, &proof)?;
        }
        let opening = self.ledger.open_release(&self.publication, &issue, &hash, by.path_bytes(), now)?;
        let fate = |key: &IssueKey| Fate::Published(key.clone());
        let (key, verdict) = match opening {
            Opening::Duplicate(key) => {
                self.ledger.note(&arrival(file, &hash, fate(&key), now))?;
                (key.clone(), Verdict::Unchanged(key))
            }
            Opening::Embargoed(key, until) => {
                self.ledger.note(&arrival(file, &hash, Fate::Embargoed(key.clone()), now))?;
                (key.clone(), Verdict::Embargoed(key, until))
            }
            Opening::Print(release) => {
                let key = release.issue.key.clone();
                let noted = arrival(file, &hash, fate(&key), now);
                (key, self.put_out(*release, &noted, saved.proof.queries.len(), now)?)
            }
        };
        if saved.proof.queries.is_empty() {
            self.learn(&saved.proof, current.as_ref());
        }
        if let Some(current) = current {
            let hash = whole_hash(&current).unwrap_or_default();
            self.ledger.note(&Arrival {
                path: current.path_bytes().to_vec(),
                ..arrival(&current, &hash, fate(&key), now)
            })?;
        }
        Ok(verdict)
    }

    /// The text file that a proof was made of, with its name: as it lies in the inbox, or as it was kept.
    fn proven(
        &self,
        saved: &Saved,
        source: &Path,
        current: Option<&Manuscript>,
    ) -> Option<(String, Vec<u8>)> {
        let same = current.filter(|current| whole_hash(current).as_ref() == Some(&saved.manuscript));
        if let Some(current) = same {
            return Some((current.text_name(), current.bytes.clone().ok()?));
        }
        let name = source.file_name()?.to_string_lossy().into_owned();
        // What somebody wrote into a proof is no path.
        let is_hash = saved.manuscript.len() == 64 && saved.manuscript.bytes().all(|b| b.is_ascii_hexdigit());
        let bytes = is_hash.then(|| std::fs::read(self.original(&saved.manuscript)).ok())??;
        Some((name, bytes))
    }

    /// Gives the issue of a proof the pictures that it shows, from its manuscript or from what readers have. Gives the name of
    /// one that is in neither.
    pub(super) fn bring_pictures(
        &self,
        issue: &mut Issue,
        current: Option<&Manuscript>,
    ) -> Result<Option<String>, Error> {
        let mut shown: Vec<PictureName> = Vec::new();
        let all = issue
            .articles
            .iter()
            .flat_map(|article| std::iter::once(&article.body).chain(&article.notes))
            .flat_map(|blocks| prose::pictures(blocks))
            .map(|(name, _)| name);
        for name in all {
            if !shown.contains(name) {
                shown.push(name.clone());
            }
        }
        if shown.is_empty() {
            return Ok(None);
        }
        let text = current.and_then(|current| {
            let text = current.open(current.bytes.as_ref().ok()?).ok()?;
            Some(with_kept_pictures(&self.data, &whole_hash(current)?, text))
        });
        let mut pictures = Vec::new();
        if let Some(text) = text {
            let (reading, plates) = manuscript::read_with_plates(&text, &self.publication);
            for plate in &plates {
                self.keep(&plate.picture.hash, &plate.bytes)?;
            }
            pictures = reading.issue.pictures;
        }
        if let Some(out) = self.ledger.issue(&self.publication, &issue.key)? {
            pictures.extend(out.release.issue.pictures);
        }
        for name in shown {
            match pictures.iter().find(|picture| picture.name == name) {
                Some(picture) => issue.pictures.push(picture.clone()),
                None => return Ok(Some(name.to_string())),
            }
        }
        Ok(None)
    }

    fn proofs(&self, manuscript: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>, Error> {
        inbox::proofs(&self.inbox, manuscript)
            .map_err(|source| Error::Proof { path: inbox::proof_of(manuscript, 1), source })
    }
}

/// Why a proof does not go out yet, if it does not.
fn waits(saved: &Saved, current: Option<&Manuscript>) -> Option<String> {
    match saved.proof.queries.len() {
        0 => {}
        1 => return Some("1 mark of doubt is in its proof".to_owned()),
        marks => return Some(format!("{marks} marks of doubt are in its proof")),
    }
    let now = current.and_then(whole_hash);
    now.is_some_and(|hash| hash != saved.manuscript).then(|| {
        "this proof belongs to an earlier version of the manuscript, which has a newer proof beside it"
            .to_owned()
    })
}

/// The hash by which a manuscript is known: of its bytes, or of all that a folder holds.
fn whole_hash(manuscript: &Manuscript) -> Option<String> {
    let bytes = manuscript.bytes.as_ref().ok()?;
    manuscript.originals(bytes).into_iter().next().map(|(hash, _)| hash)
}

/// Whether a proof is as we wrote it.
fn is_ours(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| proof::read(text).is_ok_and(|saved: Saved| saved.untouched))
}
