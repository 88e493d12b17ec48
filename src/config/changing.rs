//! What differs between the settings in force and those of a file that was changed meanwhile.

use super::{Newsroom, Settings};

/// Settings that identifiers and the state hang on: a newsroom at work keeps them until it is started again.
const KEPT: [&str; 3] = ["publication.key", "publication.authority", "data.folder"];

/// What a reload of the settings does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// The settings that change, such as `mail.per_minute`.
    pub changed: Vec<String>,
    /// Those that are different in the file and stay as they are until a restart.
    pub kept: Vec<String>,
}

impl Newsroom {
    /// Takes what may not change while a newsroom is at work from the one that is. Gives what changes, and what does not.
    pub fn follow(&mut self, at_work: &Self) -> Changes {
        let (kept, changed) = differences(&at_work.settings, &self.settings).into_iter().partition(|name| {
            KEPT.contains(&name.as_str()) || name.starts_with("data.") || name.starts_with("daemon.")
        });
        let (old, new) = (&at_work.settings, &mut self.settings);
        new.publication.key.clone_from(&old.publication.key);
        new.publication.authority.clone_from(&old.publication.authority);
        new.data.clone_from(&old.data);
        new.daemon.clone_from(&old.daemon);
        Changes { changed, kept }
    }
}

/// The names of the settings that two have differently, in the order of the file.
fn differences(one: &Settings, other: &Settings) -> Vec<String> {
    let table = |settings: &Settings| toml::Table::try_from(settings).unwrap_or_default();
    let (one, other) = (table(one), table(other));
    let section = |all: &toml::Table, name: &str| {
        all.get(name).and_then(|section| section.as_table().cloned()).unwrap_or_default()
    };
    let mut names = Vec::new();
    let mut sections: Vec<&String> = one.keys().chain(other.keys()).collect();
    sections.sort();
    sections.dedup();
    for name in sections {
        // Webhooks are a list of sections, which is told of as one.
        if [&one, &other].iter().any(|all| all.get(name).is_some_and(|section| !section.is_table())) {
            names.extend((one.get(name) != other.get(name)).then(|| name.clone()));
            continue;
        }
        let (one, other) = (section(&one, name), section(&other, name));
        let mut keys: Vec<&String> = one.keys().chain(other.keys()).collect();
        keys.sort();
        keys.dedup();
        let differs = keys.into_iter().filter(|key| one.get(*key) != other.get(*key));
        names.extend(differs.map(|key| format!("{name}.{key}")));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_whether_it_was_set_changed_or_taken_out() {
        let mut one = Settings::default();
        let mut other = one.clone();
        one.mail.per_minute = Some(60);
        other.publication.title = "Another".to_owned();
        other.publication.issn = Some("1234-567X".to_owned());
        assert_eq!(differences(&one, &other), ["mail.per_minute", "publication.issn", "publication.title"]);
        assert_eq!(differences(&one, &one), Vec::<String>::new());
        let mut hooked = one.clone();
        let hook = "url = \"https://example.org/told\"\nsecret_file = \"config/hook.key\"";
        hooked.webhooks.push(toml::from_str(hook).expect("a webhook"));
        assert_eq!(differences(&one, &hooked), ["webhooks"]);
        let mut rekeyed = hooked.clone();
        rekeyed.webhooks[0].secret_file = "config/another.key".into();
        assert_eq!(differences(&hooked, &rekeyed), ["webhooks"]);
        for name in KEPT {
            let (section, key) = name.split_once('.').expect("a section");
            let table = toml::Table::try_from(&one).expect("a table");
            assert!(table[section].get(key).is_some(), "{name}");
        }
    }
}
