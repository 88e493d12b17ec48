//! Reads a publisher's theme: a folder of templates, style sheets and words.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use super::Error;
use crate::theme::{Fault, Theme};

/// No file of a theme is larger, in bytes.
const LARGEST: u64 = 1 << 20;

/// How deep its folders may lie in each other: ours lie one deep.
const DEEPEST: usize = 3;

/// The theme in a folder that people call `name`. What editors and systems leave beside files (`.x`, `x~`) is no part of it.
pub(super) fn read(folder: &Path, name: &str) -> Result<Theme, Error> {
    let (mut files, mut faults) = (BTreeMap::new(), Vec::new());
    collect(folder, "", &mut files, &mut faults)?;
    let theme = Theme::of(name, files);
    let wrong = |mut wrong: Vec<Fault>| {
        wrong.extend(
            faults.iter().cloned().map(|fault| Fault { file: format!("{name}/{}", fault.file), ..fault }),
        );
        Error::Theme { path: PathBuf::from(name), problems: wrong.iter().map(Fault::to_string).collect() }
    };
    match theme {
        Ok(theme) if faults.is_empty() => Ok(theme),
        Ok(_) => Err(wrong(Vec::new())),
        Err(theirs) => Err(wrong(theirs)),
    }
}

/// The files below `folder`, by their names from the theme's own.
fn collect(
    folder: &Path,
    within: &str,
    files: &mut BTreeMap<String, String>,
    faults: &mut Vec<Fault>,
) -> Result<(), Error> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| Error::Named { key: "publication.theme", path, source }
    };
    for entry in fs::read_dir(folder).map_err(failed(folder))? {
        let path = entry.map_err(failed(folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        let file = format!("{within}{name}");
        let about = fs::metadata(&path).map_err(failed(&path))?;
        if about.is_dir() && within.matches('/').count() < DEEPEST {
            collect(&path, &format!("{file}/"), files, faults)?;
            continue;
        }
        let fault = |problem: &str| Fault { file: file.clone(), line: None, problem: problem.to_owned() };
        if !about.is_file() || about.len() > LARGEST {
            faults.push(fault("this is no file of at most 1 MB"));
            continue;
        }
        match String::from_utf8(fs::read(&path).map_err(failed(&path))?) {
            Ok(text) => _ = files.insert(file, text),
            Err(_) => faults.push(fault("this is no text in UTF-8")),
        }
    }
    Ok(())
}
