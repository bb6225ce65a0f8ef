//! `check`: good files are counted, everything else is a finding, and nobody is asked.

use crate::command::{Files, Ran, bellwether, document, run};
use serde_json::json;

fn check(args: &[&str]) -> Ran {
    let mut command = bellwether();
    command.env("BELLWETHER_SERVER", "http://127.0.0.1:1").arg("check").args(args);
    run(command)
}

#[test]
fn good_files_are_counted() {
    let (files, two) = Files::of(&["a", "b"]);
    let one = files.add("one.yaml", &document("c"));
    let ran = check(&[&two, &one]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(ran.stdout, format!("{two}: 2 documents are good\n{one}: 1 document is good\n"));
}

#[test]
fn every_finding_is_told_and_good_files_are_still_counted() {
    let (files, good) = Files::of(&["a"]);
    let bad = files.add("bad.yaml", &document("BAD"));
    let clashing = files.add(
        "clashing.yaml",
        &document("b").replace("protocol: HTTP", "protocol: HTTPS, defaultCertificate: {name: c}"),
    );
    let twice = files.add("twice.yaml", &document("a"));
    let ran = check(&[&good, &bad, &clashing, &twice]);
    assert_eq!((ran.code, ran.stdout), (1, format!("{good}: 1 document is good\n")));
    let lines: Vec<_> = ran.stderr.lines().collect();
    let [in_bad, in_twice, in_clashing] = lines.as_slice() else { panic!("{}", ran.stderr) };
    assert!(in_bad.starts_with(&format!("{bad}:3:18: metadata.name: ")), "{in_bad}");
    assert!(
        in_twice.starts_with(&format!("{twice}: metadata.name: a second document named a")),
        "{in_twice}"
    );
    assert!(
        in_clashing.starts_with(&format!("{clashing}: document b: spec.listeners[0].port: ")),
        "{in_clashing}"
    );
    assert!(in_clashing.ends_with(&format!("(a is in {good})")), "{in_clashing}");
}

#[test]
fn json_holds_both_and_standard_error_nothing() {
    let (files, good) = Files::of(&["a"]);
    let missing = files.add("x", "").replace("/x", "/missing.yaml");
    let ran = check(&["-o", "json", &good]);
    assert_eq!(ran.json_lines(), [json!({"good": [{"file": good, "documents": 1}], "findings": []})]);
    let ran = check(&["-o", "json", &missing]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    let lines = ran.json_lines();
    let finding = lines.first().and_then(|line| line.pointer("/findings/0")?.as_str()).unwrap();
    assert!(finding.starts_with(&format!("{missing}: ")), "{finding}");
}
