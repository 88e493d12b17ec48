//! The programs of others that judge our work. `tests/run` installs them; without it a story that needs one says that it is
//! skipped. With `GAZETTED_TESTS=all`, which `tests/run` sets, a missing one fails the story.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// A program by its name, from where `tests/run` puts tools or from the system.
pub fn find(name: &str) -> Option<PathBuf> {
    let mut folders = vec![root().join("target/tools/bin"), root().join("target/tools/venv/bin")];
    folders.push(root().join("target/tools/node/node_modules/.bin"));
    folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    folders.extend(["/usr/sbin".into(), "/sbin".into()]);
    folders.into_iter().map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// A program by its name, or `None` after saying that the story is skipped.
pub fn program(name: &str) -> Option<PathBuf> {
    let found = find(name);
    if found.is_none() {
        skip(&format!("`{name}` is not installed; `tests/run` installs it"));
    }
    found
}

/// The folder into which `tests/run` puts what npm has, or `None` after saying that the story is skipped for want of this package.
pub fn node_modules(package: &str) -> Option<PathBuf> {
    let modules = root().join("target/tools/node/node_modules");
    let found = modules.join(package).is_dir();
    if !found {
        skip(&format!("npm's `{package}` is not installed; `tests/run` installs it"));
    }
    found.then_some(modules)
}

/// Says that a story, or a part of it, is skipped.
pub fn skip(why: &str) {
    assert!(env::var("GAZETTED_TESTS").as_deref() != Ok("all") || !why.contains("tests/run"), "{why}");
    eprintln!("SKIPPED: {why}");
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The five real pages that lie beside the project, where they do.
pub fn real_pages() -> Vec<PathBuf> {
    let folder = root().join("../shared/pages");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        skip("the real pages do not lie beside the project, in `../shared/pages`");
        return Vec::new();
    };
    let mut pages: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    pages
}

/// The sample issues that lie in the project's inbox.
pub fn samples() -> Vec<PathBuf> {
    let mut samples: Vec<PathBuf> =
        std::fs::read_dir(root().join("inbox")).unwrap().map(|entry| entry.unwrap().path()).collect();
    samples.retain(|path| !path.to_string_lossy().ends_with(".reason.txt"));
    samples.sort();
    samples
}

/// Runs a program to its end. Gives its exit status and all that it printed.
pub fn output(command: &mut Command) -> (bool, String) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

/// A program that runs beside a story and ends with it.
pub struct Beside(pub Child);

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port on loopback that nobody has. Between this and its use somebody could take it: programs of others cannot be
/// given port 0.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
