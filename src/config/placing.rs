//! The three folders of a newsroom in the text of its settings.

use std::path::{Path, PathBuf};

use super::check;

/// The inbox, the outbox and the state's folder that a text of settings names, whatever the environment says; `None` where something
/// is wrong with it.
#[must_use]
pub fn folders(text: &str) -> Option<[PathBuf; 3]> {
    let settings = check::parse(text, []).ok()?;
    Some([settings.inbox.folder, settings.outbox.folder, settings.data.folder])
}

/// The text with another folder in a section, and every other character as it was; the folder should be looked up in it afterwards.
#[must_use]
pub fn with_folder(text: &str, section: &str, folder: &Path) -> String {
    let set = format!("folder = {}", toml::Value::String(folder.to_string_lossy().into_owned()));
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let name = |line: &str| {
        line.trim().strip_prefix('[')?.split(']').next().map(|name| name.trim().trim_matches('"').to_owned())
    };
    let Some(head) = lines.iter().position(|line| name(line).as_deref() == Some(section)) else {
        return format!("{}\n\n[{section}]\n{set}\n", text.trim_end());
    };
    let end = lines.iter().skip(head + 1).position(|line| name(line).is_some());
    let end = end.map_or(lines.len(), |n| head + 1 + n);
    let is_folder =
        |line: &String| line.split_once('=').is_some_and(|(key, _)| key.trim().trim_matches('"') == "folder");
    match (head + 1..end).find(|n| lines.get(*n).is_some_and(is_folder)) {
        Some(n) => {
            if let Some(line) = lines.get_mut(n) {
                // What was there stays to be read.
                *line = format!("{set}\n# before it was brought back from a backup: {}", line.trim());
            }
        }
        None => lines.insert(head + 1, set),
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_changed_where_it_is_set_or_added_where_it_is_not() {
        for text in [
            "[data]\nfolder = \"/var/lib/gazette\"   # on the large disk\n\n[http]\n",
            "[http]\n[data]\n",
            "# nothing is set",
            "[publication]\ntitle = \"x\"",
            "[inbox]\nfolder = \"in\"\n[data]\n folder='/x'\n[outbox]\nfolder = \"out\"",
        ] {
            let changed = with_folder(text, "data", Path::new("state"));
            let [inbox, outbox, data] = folders(&changed).expect("good settings");
            assert_eq!(data, Path::new("state"), "{changed}");
            let [inbox_before, outbox_before, _] = folders(text).expect("good settings");
            assert_eq!((inbox, outbox), (inbox_before, outbox_before), "{changed}");
        }
    }
}
