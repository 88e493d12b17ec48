//! An operator asks how long letters would take.

use std::process::Command;

use serde_json::Value;

use crate::tools;

fn simulates(arguments: &[&str]) -> (bool, String) {
    tools::output(Command::new(env!("CARGO_BIN_EXE_gazetted")).arg("simulate").args(arguments))
}

#[test]
fn an_operator_hears_how_long_a_letter_takes_to_all_readers_and_hears_the_same_again() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("record.json");
    let path = record.to_str().unwrap();
    let asked = ["--senders", "1,2", "--readers", "1000", "--connections", "10", "--domains", "--json", path];
    let (well, said) = simulates(&asked);
    assert!(well, "{said}");
    for words in ["held up by", "gmail.com", "all others"] {
        assert!(said.contains(words), "{said}");
    }
    let told: Value = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
    for (row, senders) in told["rows"].as_array().unwrap().iter().zip([1, 2]) {
        assert_eq!(row["senders"], senders);
        assert_eq!((&row["taken"], &row["twice"]), (&row["reachable"], &Value::from(0)), "{row}");
    }
    assert_eq!(simulates(&asked), (true, said));
}

#[test]
fn a_file_of_receivers_is_begun_with_ours_and_what_is_wrong_with_it_is_said() {
    let (well, ours) = simulates(&["--list"]);
    assert!(well && ours.contains("[mailboxes]"), "{ours}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("receivers.toml");
    std::fs::write(&file, ours.replace("share = 0.34", "share = 3.4")).unwrap();
    let (well, said) = simulates(&["--receivers", file.to_str().unwrap()]);
    assert!(!well && said.contains("`share` of `gmail.com` is no part from 0 to 1"), "{said}");
    assert!(said.contains("gazetted simulate --list"), "{said}");
}
