//! A program that knows nothing but a description asks everything that can be asked, well and badly, and nothing of ours breaks.
//!
//! `schemathesis` does it, with a fixed seed and few examples; `PROBES=500` makes it more thorough.

use std::{fs, path::Path, process::Command};

use gazetted::{joining, ledger::Entry, ledger::Scope, subscriber::Address, subscriber::Standing};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    newsroom::{Newsroom, page, until},
    programming::{asks, token},
    proving::DOUBTFUL,
    tools,
};

/// What does not hold here by intent. That a value is not refused which fits its schema cannot be: an address may be none in spite of
/// it, and a file may be there. Wrong tokens are slowed down before they are refused.
const NOT_HELD: &str = "positive_data_acceptance,ignored_auth";

/// Asks everything that a description has. Gives what the tester said.
#[track_caller]
fn probes(description: &Path, url: &str, headers: &[String], but: &str) -> Option<String> {
    let schemathesis = tools::program("schemathesis")?;
    let examples = std::env::var("PROBES").unwrap_or_else(|_| "6".to_owned());
    let mut command = Command::new(schemathesis);
    command.arg("run").arg(description).args([
        "--url",
        url,
        "--seed",
        "20261127",
        "--max-examples",
        &examples,
    ]);
    command.args([
        "--exclude-checks",
        but,
        "--continue-on-failure",
        "--no-color",
        "--generation-database",
        "none",
    ]);
    for header in headers {
        command.args(["--header", header]);
    }
    let folder = tempfile::tempdir().unwrap();
    let (good, said) = tools::output(command.current_dir(folder.path()));
    assert!(good, "{said}");
    Some(said)
}

/// What a description says, with some of its words replaced.
fn described(newsroom: &Newsroom, text: &str, words: &[(&str, &str)]) -> std::path::PathBuf {
    let text = words.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    let path = newsroom.path("description.json");
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn whatever_a_program_asks_the_api_answers_as_it_says_and_never_breaks() {
    let mut newsroom = Newsroom::closed("");
    newsroom.sets("publication", "proofs = \"flagged\"");
    newsroom.enters(&["li@example.org", "wang@example.org", "zhao@example.org"]);
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    newsroom.saves("frost.md", DOUBTFUL);
    let bearer = format!("Authorization: Bearer {}", token(&newsroom, "a prober", Scope::Write));
    let (name, value) = bearer.split_once(": ").unwrap();
    let proofs = || asks(&newsroom, "GET", "/proofs", &[(name, value)], b"").json()["proofs"].clone();
    until("a proof", || proofs()[0].is_object());
    let mut document = asks(&newsroom, "GET", "/openapi.json", &[], b"").json();
    names(&mut document, "proof", &proofs()[0]["proof"]);
    names(&mut document, "issue", &json!("a"));
    let description = described(&newsroom, &document.to_string(), &[]);
    let url = format!("http://{}", newsroom.desk_address());
    let Some(said) = probes(&description, &url, std::slice::from_ref(&bearer), NOT_HELD) else { return };
    assert_eq!(asks(&newsroom, "GET", "/health", &[(name, value)], b"").json()["ready"], true);
    eprintln!("{}", said.split("SUMMARY").last().unwrap_or_default());
}

/// Has a parameter of the path be one that there is, or another.
fn names(document: &mut Value, parameter: &str, value: &Value) {
    for path in document["paths"].as_object_mut().unwrap().values_mut() {
        for operation in path.as_object_mut().unwrap().values_mut() {
            for known in operation["parameters"].as_array_mut().into_iter().flatten() {
                if known["name"] == parameter && known["in"] == "path" {
                    let other = known["schema"].clone();
                    known["schema"] = json!({ "anyOf": [{ "const": value }, other] });
                }
            }
        }
    }
}

#[test]
fn whatever_is_sent_by_the_forms_of_readers_nothing_breaks() {
    let mut newsroom =
        Newsroom::closed("[joining]\nper_network = 1000000\nper_hour = 1000000\nmost_pending = 1000000\n");
    newsroom.enters(&["li@example.org", "wang@example.org"]);
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    let (ledger, head, now) = (newsroom.ledger(), newsroom.letterhead(), newsroom.now());
    let of = |address: &str| {
        ledger.subscriber(&Address::parse(address).unwrap()).unwrap().expect("a subscriber").id
    };
    let zhao = Address::parse("zhao@example.org").unwrap();
    let entry = Entry { standing: Standing::Pending, ..Entry::confirmed(zhao, "a story", now) };
    joining::ask(&*ledger, &head, entry, now).unwrap();
    let (_, _, form) = newsroom.asks("GET", "/join", "");
    let form = String::from_utf8(form).unwrap();
    let ticket = form.split("name=\"ticket\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    newsroom.after(SignedDuration::from_secs(10));
    let key = &head.leave_key;
    let until = now + joining::CONFIRM_WITHIN;
    let description = described(
        &newsroom,
        &fs::read_to_string(tools::root().join("tests/judges/forms.openapi.json")).unwrap(),
        &[
            ("\"PREFERENCES\"", &json!(key.preferences(of("li@example.org"))).to_string()),
            ("\"CONFIRMATION\"", &json!(key.confirmation(of("zhao@example.org"), until)).to_string()),
            ("\"LEAVE\"", &json!(key.token(of("wang@example.org"))).to_string()),
            ("\"TICKET\"", &json!(ticket).to_string()),
        ],
    );
    // A form takes what it can of whatever is sent, and browsers ask for it by few methods.
    let but = format!("{NOT_HELD},negative_data_rejection,unsupported_method");
    let url = newsroom.base_url();
    let Some(said) = probes(&description, url.trim_end_matches('/'), &[], &but) else { return };
    assert_eq!(newsroom.asks("GET", "/readyz", "").0, 200);
    eprintln!("{}", said.split("SUMMARY").last().unwrap_or_default());
}
