//! The end of a trial: what must hold, judged by what readers have and never by our own counters.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::Path,
};

use super::{
    observer::Eyes,
    world::{Pace, Trouble, World},
};
use crate::durable;

impl World {
    /// Judges what the newsroom has done; `settled` says whether everything came in time.
    pub(super) fn judge(&mut self, settled: bool) -> Result<(), Trouble> {
        if !settled {
            let missing = self.missing();
            let told = missing.iter().take(6).cloned();
            self.tally.findings.extend(told.map(|what| format!("waited in vain: {what}")));
        }
        self.stop();
        self.unobserve();
        let mut eyes = Eyes::on(&self.outbox());
        eyes.look();
        self.note_seen(&eyes.seen);
        self.judge_letters();
        let (code, said) = self.gazetted(&["verify"], None, &[])?;
        if code != Some(0) {
            let said = said.lines().take(6).collect::<Vec<_>>().join("; ");
            self.tally.findings.push(format!("`gazetted verify` says: {said}"));
        }
        let mut left = Vec::new();
        for folder in [self.outbox(), self.folder.join("data"), self.inbox.clone()] {
            temporaries(&folder, &mut left);
        }
        if let Some(first) = left.first() {
            let n = left.len();
            self.tally.findings.push(format!("{n} temporary files are left, such as `{first}`"));
        }
        Ok(())
    }

    /// Every letter came, none by another name twice, none to those who had left; so many came twice by the same name.
    fn judge_letters(&mut self) {
        let lost = self.lost();
        self.tally.lost += lost.len() as u64;
        self.tally.findings.extend(lost.into_iter().take(6).map(|what| format!("lost: {what}")));
        let taken = self.postbox.taken();
        self.tally.letters += taken.len() as u64;
        let mut times: HashMap<(&str, &str), u64> = HashMap::new();
        let mut names: HashMap<(&str, &str), BTreeSet<&str>> = HashMap::new();
        for letter in &taken {
            *times.entry((&letter.to, &letter.id)).or_default() += 1;
            for key in &letter.issues {
                names.entry((&letter.to, key)).or_default().insert(&letter.id);
            }
        }
        let mut wrong = Vec::new();
        for ((to, key), names) in names {
            if names.len() > 1 {
                wrong.push(format!("{to} was told of `{key}` by {} different letters", names.len()));
            }
            let Some(reader) = self.readers.iter().find(|reader| reader.address == to) else {
                wrong.push(format!("{to} got a letter, who never asked for any"));
                continue;
            };
            let issue = self.issues.iter().find(|issue| issue.key == key);
            let left = reader.left.zip(issue).is_some_and(|(left, issue)| left < issue.dropped);
            if left && reader.pace == Pace::Each {
                wrong.push(format!("{to} was told of `{key}`, and had left before"));
            }
        }
        let doubled: u64 = times.values().map(|times| times - 1).sum();
        let (failed, unheard, bare) = self.postbox.counts();
        let bound = u64::from(unheard) + self.twice;
        self.tally.faults += failed;
        self.tally.doubled += doubled;
        self.tally.bound += bound;
        if doubled > bound {
            wrong.push(format!("{doubled} letters came twice, and {bound} may"));
        }
        if bare > 0 && self.settings.protection != "none" {
            wrong.push(format!("{bare} letters were offered without TLS"));
        }
        self.tally.findings.extend(wrong.into_iter().take(12));
    }

    /// Printing everything anew changes nothing.
    pub(super) fn judge_again(&mut self) -> Result<(), Trouble> {
        let before = self.snapshot();
        let (code, said) = self.gazetted(&["replay"], None, &[])?;
        if code != Some(0) {
            self.tally.findings.push(format!("`gazetted replay` says: {}", said.trim()));
        }
        let after = self.snapshot();
        let changed = after.iter().filter(|(path, hash)| before.get(*path) != Some(*hash));
        let gone = before.keys().filter(|path| !after.contains_key(*path));
        let names: Vec<String> = changed
            .map(|(path, _)| path)
            .chain(gone)
            .map(|path| path.strip_prefix(self.outbox()).unwrap_or(path).display().to_string())
            .collect();
        if !names.is_empty() {
            let shown = names.iter().take(4).cloned().collect::<Vec<_>>().join(", ");
            self.tally.findings.push(format!("a replay changes {} files, such as {shown}", names.len()));
        }
        Ok(())
    }
}

fn temporaries(folder: &Path, left: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            temporaries(&path, left);
        } else if name.starts_with(durable::TEMPORARY) {
            left.push(path.display().to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead as _, BufReader, Write as _},
        net::TcpStream,
        path::PathBuf,
    };

    use super::*;
    use crate::torture::{
        chance::Chance,
        expecting::{Expected, Reader},
        world::Settings,
    };

    /// Posts a letter about an issue.
    fn posts(world: &World, to: &str, id: &str, key: &str) {
        let mut stream = TcpStream::connect(world.postbox.address).expect("connected");
        let mut answers = BufReader::new(stream.try_clone().expect("cloned"));
        let letter = format!(
            "Message-ID: <{id}>\r\nContent-Type: text/plain\r\n\r\nSee https://torture.example.org/issues/{key}/index.html\r\n.\r\n"
        );
        let lines = [
            "",
            "MAIL FROM:<a@b.example>\r\n",
            &format!("RCPT TO:<{to}>\r\n"),
            "DATA\r\n",
            &letter,
            "QUIT\r\n",
        ];
        for line in lines {
            stream.write_all(line.as_bytes()).expect("said");
            let mut answer = String::new();
            answers.read_line(&mut answer).expect("answered");
        }
    }

    #[test]
    fn a_letter_that_is_lost_doubled_told_twice_or_unwanted_is_found() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let chance = Chance::of(1, "test", 1);
        let mut world = World::open(&folder.path().join("w"), Path::new("true"), chance, Settings::default())
            .expect("open");
        for (address, left) in [("a@x.example", None), ("b@x.example", None), ("c@x.example", Some(2))] {
            world.readers.push(Reader { address: address.into(), pace: Pace::Each, joined: 1, left });
        }
        world.issues.push(Expected {
            key: "n1".into(),
            file: PathBuf::new(),
            word: "w".into(),
            dropped: 3,
            withdrawn: false,
            ever_withdrawn: false,
            published: true,
        });
        posts(&world, "a@x.example", "1", "n1");
        assert_eq!(world.lost(), ["b@x.example was told nothing of `n1`"]);
        posts(&world, "a@x.example", "1", "n1");
        posts(&world, "b@x.example", "2", "n1");
        posts(&world, "b@x.example", "3", "n1");
        posts(&world, "c@x.example", "4", "n1");
        posts(&world, "d@x.example", "5", "n1");
        world.judge_letters();
        let found = world.tally.findings.join("\n");
        assert_eq!((world.tally.lost, world.tally.doubled, world.tally.letters), (0, 1, 6));
        for wrong in [
            "b@x.example was told of `n1` by 2 different letters",
            "c@x.example was told of `n1`, and had left before",
            "d@x.example got a letter, who never asked for any",
            "1 letters came twice, and 0 may",
        ] {
            assert!(found.contains(wrong), "{wrong} is not in\n{found}");
        }
    }
}
