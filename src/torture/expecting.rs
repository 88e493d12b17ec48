//! What everybody may expect of a newsroom, whatever happens to it.

use std::{collections::HashSet, fs, path::PathBuf};

use jiff::{
    ToSpan as _,
    civil::{Date, date},
};

use super::{
    chance::Chance,
    world::{Pace, Trouble, World, put, trouble},
};

/// The date of the first issue of a daily.
const FIRST_DAY: Date = date(1990, 1, 1);

/// A reader, and what may be expected: times are steps of the history.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    pub(super) address: String,
    pub(super) pace: Pace,
    pub(super) joined: u32,
    pub(super) left: Option<u32>,
}

/// An issue as it must be in the end.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub(super) key: String,
    pub(super) file: PathBuf,
    /// A word that only its last version has.
    pub(super) word: String,
    pub(super) dropped: u32,
    pub(super) withdrawn: bool,
    pub(super) ever_withdrawn: bool,
    /// Whether it comes out at all.
    pub(super) published: bool,
}

impl World {
    /// Notes that a new issue is to come, and gives its text.
    pub(super) fn expect(&mut self, name: &str, ending: &str) -> (usize, String) {
        self.step += 1;
        let at = self.issues.len();
        let key = format!("{name}{at:04}");
        let file = self.inbox.join(format!("{key}.{ending}"));
        let word = format!("w{at}v1x{}", self.chance.below(1 << 30));
        let text = text(&key, self.day(at), &word, &mut self.chance);
        let issue = Expected {
            key,
            file,
            word,
            dropped: self.step,
            withdrawn: false,
            ever_withdrawn: false,
            published: true,
        };
        self.issues.push(issue);
        self.tally.drops += 1;
        (at, text)
    }

    /// The date of an issue, where each has its own.
    fn day(&self, at: usize) -> Option<Date> {
        self.settings.is_daily.then(|| FIRST_DAY.saturating_add(i64::try_from(at).unwrap_or(0).days()))
    }

    /// An issue is dropped, whole at once.
    pub(super) fn drop_issue(&mut self) -> Result<usize, Trouble> {
        let (at, text) = self.expect("n", "md");
        let path = self.issues.get(at).map(|issue| issue.file.clone()).unwrap_or_default();
        put(&path, text.as_bytes()).map_err(trouble("cannot drop"))?;
        Ok(at)
    }

    /// An issue is corrected.
    pub(super) fn correct(&mut self, at: usize) -> Result<(), Trouble> {
        let (number, day) = (self.step, self.day(at));
        let Some(issue) = self.issues.get_mut(at) else { return Ok(()) };
        issue.word = format!("w{at}v{number}x{}", self.chance.below(1 << 30));
        let text = text(&issue.key, day, &issue.word, &mut self.chance);
        self.tally.drops += 1;
        put(&issue.file, text.as_bytes()).map_err(trouble("cannot correct"))
    }

    /// Whether readers have an issue as it must be in the end.
    pub(super) fn is_right(&self, issue: &Expected) -> bool {
        let folder = self.outbox().join("issues").join(&issue.key);
        if issue.withdrawn || !issue.published {
            let feed = fs::read_to_string(self.outbox().join("feed.xml")).unwrap_or_default();
            return !folder.exists() && !feed.contains(&format!("/issues/{}/", issue.key));
        }
        let Ok(feed) = fs::read_to_string(self.outbox().join("feed.xml")) else { return false };
        let listed = feed.contains(&format!("/issues/{}/", issue.key)) || self.issues.len() > 15;
        let Ok(entries) = fs::read_dir(folder) else { return false };
        listed
            && entries.flatten().any(|entry| {
                let path = entry.path();
                path.extension().is_some_and(|ending| ending == "html")
                    && fs::read_to_string(path).is_ok_and(|text| text.contains(&issue.word))
            })
    }

    /// An issue that readers do not have as it must be in the end, if there is one; those from `from` on are looked at first.
    pub(super) fn wrong(&self, from: usize) -> Option<usize> {
        let n = self.issues.len();
        let is_wrong = |at: &usize| self.issues.get(*at).is_some_and(|issue| !self.is_right(issue));
        (from..n).chain(0..from.min(n)).find(is_wrong)
    }

    /// What is missing yet, a sentence each.
    pub(super) fn missing(&self) -> Vec<String> {
        let mut missing: Vec<String> = Vec::new();
        for issue in &self.issues {
            if !self.is_right(issue) {
                let what = if issue.withdrawn { "is still out" } else { "is not out as it was saved last" };
                missing.push(format!("the issue `{}` {what}", issue.key));
            }
        }
        missing.extend(self.lost());
        missing
    }

    /// The letters that have not come.
    pub(super) fn lost(&self) -> Vec<String> {
        let refused = self.postbox.refused();
        let mut told: HashSet<(String, String)> = HashSet::new();
        for letter in self.postbox.taken() {
            told.extend(letter.issues.iter().map(|key| (letter.to.clone(), key.clone())));
        }
        let mut lost = Vec::new();
        for reader in self.readers.iter().filter(|reader| reader.left.is_none()) {
            for issue in self.issues.iter().filter(|issue| issue.published && !issue.ever_withdrawn) {
                let is_due = reader.joined < issue.dropped && !refused.contains(&reader.address);
                if is_due && !told.contains(&(reader.address.clone(), issue.key.clone())) {
                    lost.push(format!("{} was told nothing of `{}`", reader.address, issue.key));
                }
            }
        }
        lost
    }
}

/// An issue that has a word of its own.
fn text(key: &str, day: Option<Date>, word: &str, chance: &mut Chance) -> String {
    use std::fmt::Write as _;
    const WORDS: [&str; 12] = [
        "harbour", "lantern", "tide", "market", "bridge", "letter", "evening", "river", "printer", "window",
        "bread", "winter",
    ];
    let day = day.map_or_else(String::new, |day| format!("date: {day}\n"));
    let mut text = format!("---\nissue: {key}\ntitle: Number {key}\n{day}---\n");
    for article in 1..=chance.between(1, 3) {
        let _ = write!(text, "\n# Story {article} of {key}\n\n*By Ada Quill*\n\nThe word is {word}.");
        for _ in 0..chance.between(5, 120) {
            text.push(' ');
            text.push_str(chance.one(&WORDS).copied().unwrap_or_default());
        }
        text.push_str(".\n");
    }
    text
}
