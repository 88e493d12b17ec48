//! A real browser that a story drives, and that judges each page it is shown: axe in light and dark, on a desk and on a small telephone,
//! and the keyboard.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::{Value, json};

use crate::{newsroom::Newsroom, tools, tools::Beside};

pub struct Browser {
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    node: Beside,
}

impl Browser {
    /// A browser that looks at a newsroom, with or without scripts; `None` after saying that the story is skipped.
    pub fn opens(newsroom: &Newsroom, with_scripts: bool) -> Option<Self> {
        let (node, chromium, modules) =
            (tools::program("node")?, tools::program("chromium")?, tools::node_modules("axe-core")?);
        let mut node = Command::new(node)
            .arg(tools::root().join("tests/judges/drive.mjs"))
            .args([modules, chromium])
            .arg(newsroom.base_url())
            .arg(if with_scripts { "script" } else { "no-script" })
            .arg(std::env::var("GAZETTED_PICTURES").unwrap_or_else(|_| "-".to_owned()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (commands, answers) = (node.stdin.take(), BufReader::new(node.stdout.take().unwrap()));
        Some(Self { commands, answers, node: Beside(node) })
    }

    #[track_caller]
    fn does(&mut self, command: &Value) -> Value {
        writeln!(self.commands.as_mut().unwrap(), "{command}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{command}: {line}"));
        assert!(said.get("error").is_none(), "{said}");
        said["answer"].clone()
    }

    /// Opens a page, which must be there.
    #[track_caller]
    pub fn goes_to(&mut self, path: &str) -> &mut Self {
        assert_eq!(self.does(&json!(["open", path.trim_start_matches('/')])), 200, "{path}");
        self
    }

    #[track_caller]
    pub fn fills(&mut self, field: &str, text: &str) -> &mut Self {
        self.does(&json!(["fill", field, text]));
        self
    }

    #[track_caller]
    pub fn chooses(&mut self, choice: &str) -> &mut Self {
        self.does(&json!(["choose", choice]));
        self
    }

    /// Presses a button or a link, and waits for the page that comes; it must have that status.
    #[track_caller]
    pub fn presses(&mut self, button: &str, status: u16) -> &mut Self {
        assert_eq!(self.does(&json!(["press", button])), status, "{button}");
        self
    }

    #[track_caller]
    pub fn reads(&mut self, place: &str, text: &str) -> &mut Self {
        let found = self.does(&json!(["text", place]));
        assert!(found.as_str().is_some_and(|found| found.contains(text)), "{place}: {found}");
        self
    }

    #[track_caller]
    pub fn sees(&mut self, place: &str, shown: bool) -> &mut Self {
        assert_eq!(self.does(&json!(["shown", place])), shown, "{place}");
        self
    }

    /// Nothing may be wrong with the page as it stands.
    #[track_caller]
    pub fn finds_no_fault(&mut self, name: &str) -> &mut Self {
        let findings = self.does(&json!(["judge", name]));
        assert_eq!(findings, json!([]), "{name}");
        self
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It closes its browser when there are no more commands.
        drop(self.commands.take());
        let _ = self.node.0.wait();
    }
}
