//! The direction of imports: a module uses only those that `src/lib.rs` lists above it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The modules in the order of `src/lib.rs`.
fn order() -> Vec<String> {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    lib.lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';').map(str::to_owned))
        .collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The top module that a file belongs to.
fn module_of(file: &Path) -> String {
    let inside = file.strip_prefix(root().join("src")).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The top modules named after `crate::` in the code of a text, and in the braces that follow `use crate::`.
fn named(text: &str) -> Vec<String> {
    let code: String =
        text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let word = |text: &str| {
        text.trim_start().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>()
    };
    let mut names = Vec::new();
    for rest in code.split("crate::").skip(1) {
        if let Some(list) = rest.strip_prefix('{') {
            let list = list.split("};").next().unwrap_or_default();
            names.extend(list.split(',').map(word));
        } else {
            names.push(word(rest));
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn upward(module: &str, text: &str, order: &[String]) -> Vec<String> {
    let place = |name: &str| order.iter().position(|module| module == name);
    let mine = place(module).unwrap_or_else(|| panic!("`{module}` is not in src/lib.rs"));
    named(text).into_iter().filter(|name| place(name).is_some_and(|theirs| theirs > mine)).collect()
}

#[test]
fn a_module_uses_only_those_listed_above_it() {
    let order = order();
    let mut wrong = Vec::new();
    for file in sources(&root().join("src")) {
        let module = module_of(&file);
        if module == "lib" || module == "main" {
            continue;
        }
        for name in upward(&module, &fs::read_to_string(&file).unwrap(), &order) {
            wrong.push(format!("{} uses `{name}`, which is listed below `{module}`", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn this_test_sees_an_import_that_goes_the_wrong_way() {
    let order = ["issue".to_owned(), "editions".to_owned(), "press".to_owned()];
    for text in [
        "use crate::press::Press;",
        "use crate::{issue::Issue, press};",
        "use crate::{\n    issue::Issue,\n    press::Press as _,\n};",
        "fn f() -> crate::press::Press { g() }",
    ] {
        assert_eq!(upward("editions", text, &order), ["press"], "{text}");
    }
    assert!(
        upward("editions", "use crate::{issue::Issue};\n// crate::press is told of it\n", &order).is_empty()
    );
}

#[test]
fn reading_and_printing_touch_neither_disk_nor_network_nor_clock() {
    let forbidden =
        ["std::fs", "std::net", "std::time", "tokio", "Timestamp::now", "Zoned::now", "SystemTime", "rand::"];
    for pure in ["theme", "manuscript", "receipts", "editions"] {
        for file in sources(&root().join("src").join(pure)) {
            if file.ends_with("tests.rs") {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for word in forbidden {
                let used =
                    code.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(word));
                assert!(!used, "{} uses `{word}`", file.display());
            }
        }
    }
}

#[test]
fn only_the_ledger_knows_sql_only_a_helper_is_run_and_only_main_exits() {
    for file in sources(&root().join("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let path = file.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        for (driver, place) in
            [("rusqlite", "src/ledger/sqlite/"), ("tokio_postgres", "src/ledger/postgres/")]
        {
            assert!(path.starts_with(place) || !text.contains(driver), "{path} names {driver}");
        }
        let knows_sql = path.starts_with("src/ledger/");
        for words in ["SELECT ", "INSERT INTO ", "DELETE FROM ", "UPDATE "] {
            let says = text.lines().any(|line| line.contains(&format!("\"{words}")));
            assert!(knows_sql || !says, "{path} says {words}");
        }
        let may_run =
            path == "src/helper.rs" || path.starts_with("src/torture/") || path.ends_with("tests.rs");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        assert!(may_run || !code.contains("Command::new"), "{path} runs a program");
        assert!(!text.contains("process::exit"), "{path} exits");
    }
}

/// The parts of an expression between a word that stands outside all brackets.
fn parts<'e>(expression: &'e str, word: &str) -> Vec<&'e str> {
    let (mut parts, mut begin, mut depth) = (Vec::new(), 0, 0);
    for (at, character) in expression.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            ' ' if depth == 0 && expression[at..].starts_with(word) => {
                parts.push(&expression[begin..at]);
                begin = at + word.len();
            }
            _ => {}
        }
    }
    parts.push(&expression[begin..]);
    parts
}

/// Whether one alternative of a licence expression (SPDX 2.3, annex D) is allowed in all its parts.
fn is_allowed(expression: &str, allowed: &[&str]) -> bool {
    parts(expression, " OR ").into_iter().any(|choice| {
        parts(choice, " AND ").into_iter().all(|part| {
            let part = part.trim();
            match part.strip_prefix('(').and_then(|part| part.strip_suffix(')')) {
                Some(inside) => is_allowed(inside, allowed),
                None => allowed.contains(&part),
            }
        })
    })
}

#[test]
fn a_licence_is_allowed_when_one_of_its_choices_is_in_all_parts() {
    let allowed = ["MIT", "ISC"];
    for (expression, is) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR GPL-3.0) AND ISC", true),
        ("(MIT OR ISC) AND GPL-3.0", false),
        ("GPL-3.0 AND (MIT OR ISC) OR ISC", true),
    ] {
        assert_eq!(is_allowed(expression, &allowed), is, "{expression}");
    }
}

/// What cargo says of all that we depend on.
fn metadata() -> serde_json::Value {
    let metadata = std::process::Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--offline",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    serde_json::from_slice(&metadata.stdout).unwrap()
}

#[test]
fn every_dependency_has_a_licence_that_deny_toml_allows() {
    let deny: toml::Table = fs::read_to_string(root().join("deny.toml")).unwrap().parse().unwrap();
    let allowed: Vec<&str> = deny["licenses"]["allow"]
        .as_array()
        .unwrap()
        .iter()
        .map(|licence| licence.as_str().unwrap())
        .collect();
    let banned: Vec<&str> =
        deny["bans"]["deny"].as_array().unwrap().iter().map(|ban| ban["crate"].as_str().unwrap()).collect();
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100, "only {} packages", packages.len());
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let exactly = format!("{name}@={}", package["version"].as_str().unwrap());
        assert!(!banned.contains(&name) && !banned.contains(&&*exactly), "`{exactly}` is banned");
        let Some(licence) = package["license"].as_str() else { panic!("`{name}` has no licence") };
        assert!(is_allowed(&licence.replace('/', " OR "), &allowed), "`{name}` is under {licence}");
    }
}

#[test]
fn no_dependency_turns_on_what_deny_toml_keeps_off() {
    let deny: toml::Table = fs::read_to_string(root().join("deny.toml")).unwrap().parse().unwrap();
    let metadata = metadata();
    for ban in deny["bans"]["features"].as_array().unwrap() {
        let (name, features) = (ban["crate"].as_str().unwrap(), ban["deny"].as_array().unwrap());
        let packages = metadata["packages"].as_array().unwrap();
        let ids: Vec<_> =
            packages.iter().filter(|package| package["name"] == name).map(|package| &package["id"]).collect();
        let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
        let on: Vec<_> = nodes.iter().filter(|node| ids.contains(&&node["id"])).collect();
        assert!(!on.is_empty(), "there is no `{name}`");
        for feature in features {
            let has = |node: &&serde_json::Value| {
                node["features"].as_array().unwrap().iter().any(|on| on.as_str() == feature.as_str())
            };
            assert!(!on.iter().any(has), "`{name}` has {feature}");
        }
    }
}

/// The longest piece of a message that has no placeholder in it: what whoever looks it up would search for.
fn fixed_words(message: &str) -> &str {
    let pieces = message.split(['{', '}']).step_by(2);
    let words = pieces.max_by_key(|piece| piece.len()).unwrap_or_default();
    words.trim_matches(|c: char| !c.is_alphanumeric())
}

/// The literals of a source that begin right behind `mark`, as they are printed.
fn literals(source: &str, mark: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in source.match_indices(mark) {
        // The call's first literal, which may stand behind fields; without one, the message is another's.
        let call = &source[at..source.len().min(at + 400)];
        let end = call.find(");").or_else(|| call.find(")]")).unwrap_or(call.len());
        let Some(literal) = call[..end].rsplit_once('"').map(|(before, _)| before) else { continue };
        let Some(begin) = literal.find('"') else { continue };
        let text = literal[begin + 1..].replace("\\\"", "\u{1}");
        let text = text.split('"').next().unwrap_or_default().replace('\u{1}', "\"");
        let joined: Vec<&str> = text.split("\\\n").map(str::trim).collect();
        found.push(joined.join(" "));
    }
    found
}

#[test]
fn every_error_and_every_warning_is_in_the_manual() {
    let manual = fs::read_to_string(root().join("docs/messages.md")).unwrap();
    let mut missing = BTreeSet::new();
    let mut n_seen = 0;
    for file in sources(&root().join("src")) {
        let text = fs::read_to_string(&file).unwrap();
        // What a torture says is told beside its own table.
        if file.components().any(|part| part.as_os_str() == "torture") || file.ends_with("tests.rs") {
            continue;
        }
        for mark in ["#[error(", "tracing::warn!(", "tracing::error!("] {
            for message in literals(&text, mark) {
                let words = fixed_words(&message);
                if words.split(' ').count() < 2 {
                    continue;
                }
                n_seen += 1;
                if !manual.contains(words) {
                    missing.insert(format!("{}: {message}", file.display()));
                }
            }
        }
    }
    assert!(n_seen > 120, "{n_seen}");
    assert!(
        missing.is_empty(),
        "docs/messages.md lacks:\n{}",
        missing.into_iter().collect::<Vec<_>>().join("\n")
    );
}
