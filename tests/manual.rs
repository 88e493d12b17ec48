//! What the README and the manual tell people to type, and where their links lead.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use gazetted::proof::Doubt;

use crate::tools;

/// The README and the pages of the manual.
fn pages() -> Vec<(PathBuf, String)> {
    let root = tools::root();
    let mut paths = vec![root.join("README.md"), root.join("SECURITY.md"), root.join("benches/README.md")];
    paths.extend(fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()));
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// The blocks of commands of a page.
fn blocks(text: &str) -> Vec<&str> {
    text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

fn gazetted() -> Command {
    Command::new(env!("CARGO_BIN_EXE_gazetted"))
}

/// Each command of ours in a page's code, as its first one or two words.
fn commands(text: &str) -> BTreeSet<Vec<&str>> {
    let code = text.split('`').skip(1).step_by(2).chain(blocks(text));
    let is_word = |word: &&str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let mut found = BTreeSet::new();
    for line in code.flat_map(str::lines) {
        let ours = |at: usize| at == 0 || line[..at].ends_with("&& ") || line[..at].ends_with("-- ");
        for (at, _) in line.match_indices("gazetted ").filter(|(at, _)| ours(*at)) {
            let words: Vec<&str> = line[at..]
                .split_whitespace()
                .skip(1)
                .take_while(|word| is_word(word) && !word.starts_with('-'))
                .take(2)
                .collect();
            if !words.is_empty() {
                found.insert(words);
            }
        }
    }
    found
}

#[test]
fn every_command_that_the_manual_names_is_there() {
    let known = |words: &[&str]| tools::output(gazetted().args(words).arg("--help"));
    let mut n_asked = 0;
    for (path, text) in pages() {
        for words in commands(&text) {
            let (there, said) = known(&words[..1]);
            assert!(there, "{}: `gazetted {}`: {said}", path.display(), words[0]);
            if said.contains("\nCommands:") {
                for second in words.iter().skip(1).flat_map(|word| word.split('|')) {
                    let (there, said) = known(&[words[0], second]);
                    assert!(there, "{}: `gazetted {} {second}`: {said}", path.display(), words[0]);
                    n_asked += 1;
                }
            }
            n_asked += 1;
        }
    }
    assert!(n_asked > 20, "{n_asked}");
}

#[test]
fn what_the_manual_says_to_type_works_in_a_new_newsroom() {
    let program = Path::new(env!("CARGO_BIN_EXE_gazetted")).parent().unwrap().display().to_string();
    let path = format!("{program}:{}", env::var("PATH").unwrap_or_default());
    let mut n_run = 0;
    for (page, text) in pages() {
        // What is not ours alone cannot be tried in a folder.
        let ours =
            |block: &&str| block.lines().all(|line| line.starts_with("gazetted ") || line.starts_with("cd "));
        for block in blocks(&text).into_iter().filter(ours) {
            let folder = tempfile::tempdir().unwrap();
            let first = block.starts_with("gazetted init");
            if !first {
                assert!(tools::output(gazetted().arg("init").arg(folder.path())).0);
                fs::write(folder.path().join("inbox/2026-07-08.md"), "# The lamps are lit\n\nAgain.\n")
                    .unwrap();
                let mut publish = gazetted();
                assert!(
                    tools::output(publish.args(["publish", "inbox/2026-07-08.md"]).current_dir(&folder)).0
                );
            }
            // These would not end, or not soon.
            let script = block
                .replace("gazetted run", "gazetted config")
                .replace("gazetted torture", "gazetted torture --help");
            let mut shell = Command::new("sh");
            shell.args(["-euc", &script]).current_dir(&folder).env("PATH", &path);
            let (done, said) = tools::output(&mut shell);
            assert!(done, "{}:\n{block}\n{said}", page.display());
            n_run += 1;
        }
    }
    assert!(n_run > 0);
}

#[test]
fn every_link_of_the_manual_leads_somewhere() {
    let mut n_followed = 0;
    for (path, text) in pages() {
        // What stands in code leads nowhere.
        let prose: String = text.split('`').step_by(2).collect();
        for target in prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, _) = target.split_once('#').unwrap_or((target, ""));
            let there = path.parent().unwrap().join(file);
            assert!(there.exists(), "{} leads to `{target}`, which is not there", path.display());
            n_followed += 1;
        }
    }
    assert!(n_followed > 10, "{n_followed}");
}

#[test]
fn the_manual_explains_every_doubt_and_says_which_are_serious() {
    let text = fs::read_to_string(tools::root().join("docs/messages.md")).unwrap();
    let doubts = text.split("\n## ").nth(1).unwrap();
    let rows: Vec<&str> = doubts.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(rows.len(), Doubt::ALL.len());
    for doubt in Doubt::ALL {
        let row = rows.iter().find(|row| row.starts_with(&format!("| `{}` |", doubt.as_str()))).unwrap();
        let serious = row.split('|').nth(2).unwrap().trim();
        let expected = match doubt {
            _ if doubt.always_waits() => "always waits",
            _ if doubt.is_serious() => "yes",
            _ => "",
        };
        assert_eq!(serious, expected, "{row}");
    }
}
