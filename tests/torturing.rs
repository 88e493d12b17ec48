//! Everything goes wrong that can, for a few minutes; `gazetted torture` does it for hours.

use std::{path::Path, process::Command};

use serde_json::Value;

use crate::tools;

/// Tortures newsrooms with a few sweeps; gives what came out.
fn tortures(sweeps: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("record.json");
    let mut torture = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    torture.args(["torture", "--short", "--seed", "20261127", "--only", sweeps, "--folder"]);
    let (well, said) = tools::output(torture.arg(folder.path()).arg("--json").arg(&record));
    for skipped in said.lines().filter_map(|line| line.split_once("SKIPPED: ")).map(|(_, why)| why) {
        let missing = skipped.contains("not installed");
        tools::skip(&format!("{skipped}{}", if missing { "; `tests/run` installs it" } else { "" }));
    }
    assert!(well, "{said}");
    let record: Value = serde_json::from_slice(&std::fs::read(record).unwrap()).unwrap();
    record["sweeps"].as_array().unwrap().clone()
}

/// Nothing may be lost, whatever was done.
fn nothing_is_lost(sweeps: &str) {
    for row in tortures(sweeps) {
        let tally = &row["tally"];
        let was_run = row["trials"].as_u64().unwrap() > 0;
        assert!(was_run || !row["skipped"].as_array().unwrap().is_empty(), "{row}");
        for nothing in ["lost", "dangling", "torn"] {
            assert_eq!(tally[nothing], 0, "{row}");
        }
        assert!(tally["doubled"].as_u64() <= tally["bound"].as_u64(), "{row}");
        assert!(!was_run || tally["letters"].as_u64() > Some(0), "{row}");
    }
}

#[test]
fn a_newsroom_that_dies_behind_any_step_or_at_any_system_call_loses_nothing() {
    nothing_is_lost("T1,T1s,T2");
}

#[test]
fn a_newsroom_whose_disk_loses_power_is_full_fails_or_is_gone_loses_nothing() {
    nothing_is_lost("T3,T4,T5,T16");
}

#[test]
fn a_newsroom_whose_inbox_mail_server_or_clock_fails_loses_nothing() {
    nothing_is_lost("T6,T7,T8,T9,T11,T12");
}

#[test]
fn an_operator_hears_which_sweeps_there_are_and_of_a_wrong_name() {
    let torture = |arguments: &[&str]| {
        let mut torture = Command::new(env!("CARGO_BIN_EXE_gazetted"));
        tools::output(torture.arg("torture").args(arguments).current_dir(Path::new("/")))
    };
    let (well, said) = torture(&["--list"]);
    assert!(well && said.lines().any(|line| line.starts_with("T3   the power is cut")), "{said}");
    let (well, said) = torture(&["--only", "T99"]);
    assert!(!well && said.contains("there is no sweep `T99`") && said.contains("T1,T1s,T2"), "{said}");
}

#[test]
fn an_operator_who_names_no_point_to_die_at_is_told_all_of_them() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gazetted"));
    let (well, said) = tools::output(command.arg("config").env("GAZETTED_TORTURE_DIE", "everywhere"));
    assert!(!well && said.contains("there is no such point, only file-written, "), "{said}");
}
