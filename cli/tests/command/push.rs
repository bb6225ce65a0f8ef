//! `push`: what is sent, what is written, and the exit code.

use crate::{
    command::{Files, ask, bellwether, document, run},
    controller::{Controller, problem, rollout},
};
use serde_json::{Value, json};

#[test]
fn the_exit_code_says_how_many_applied_it() {
    let cases = [
        (rollout("shop", 3, 0, &[]), 0, "3 of 3 serve shop@42: 3 applied\n"),
        (
            rollout("shop", 2, 0, &["node-9"]),
            0,
            "2 of 2 serve shop@42: 2 applied, 1 absent (node-9; it takes it on return)\n",
        ),
        (rollout("shop", 2, 1, &[]), 3, "2 of 3 serve shop@42: 2 applied, 1 rejected (node-1)\n"),
        (rollout("shop", 0, 3, &[]), 4, "0 of 3 serve shop@42: 3 rejected (node-1, node-2, node-3)\n"),
        (rollout("shop", 0, 0, &[]), 5, "no target for shop@42, which is stored for when one comes\n"),
    ];
    for (end, code, line) in cases {
        let controller = Controller::with_verdicts([("shop", end.clone())]);
        let (_files, file) = Files::of(&["shop"]);

        let table = ask(&controller.url(), &["push", &file]);
        assert_eq!(table.code, code, "{}", table.stderr);
        assert!(table.stdout.starts_with(line), "{}", table.stdout);

        let json = ask(&controller.url(), &["push", &file, "-o", "json"]);
        assert_eq!(json.code, code, "{}", json.stderr);
        assert_eq!(json.json_lines(), [end]);
    }
}

#[test]
fn below_the_line_stands_who_failed_and_why() {
    let controller = Controller::with_verdicts([("shop", rollout("shop", 1, 1, &[]))]);
    let (_files, file) = Files::of(&["shop"]);
    let ran = ask(&controller.url(), &["push", &file]);
    assert!(
        ran.stdout.ends_with("\n\nAGENT   VERDICT   REASON\nnode-1  rejected  port taken\n"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_document_is_sent_as_checked_json_and_its_rollout_followed() {
    let controller = Controller::with_verdicts([("shop", rollout("shop", 1, 0, &[]))]);
    let (_files, file) = Files::of(&["shop"]);
    assert_eq!(ask(&controller.url(), &["push", &file, "--timeout", "1500ms"]).code, 0);

    let asked = controller.asked();
    let [put, poll] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(put.line, "PUT /v1/configs/shop?timeout=1500ms");
    assert_eq!(put.header("content-type"), Some("application/json"));
    assert!(put.header("x-bellwether-author").unwrap().starts_with("ann@"), "{put:?}");
    let body: Value = serde_json::from_slice(&put.body).unwrap();
    assert_eq!(body.pointer("/metadata/name"), Some(&json!("shop")));
    assert_eq!(poll.line, "GET /v1/rollouts/01920b6e-7f3c-7a51-9c1e-000073686f70?wait=10s");
}

#[test]
fn a_rollout_is_asked_for_again_until_it_is_done() {
    let polls = std::sync::atomic::AtomicUsize::new(0);
    let controller = Controller::answering(move |asked| {
        let end = rollout("shop", 1, 0, &[]);
        let first = polls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 3;
        (
            if asked.line.starts_with("PUT") { 202 } else { 200 },
            if first { crate::controller::running(end) } else { end },
        )
    });
    let (_files, file) = Files::of(&["shop"]);
    let ran = ask(&controller.url(), &["push", &file]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "1 of 1 serve shop@42: 1 applied\n"));
    assert_eq!(controller.lines().len(), 4);
}

#[test]
fn of_several_documents_each_has_its_line_and_the_worst_the_exit_code() {
    let (good, some) = (rollout("a", 3, 0, &[]), rollout("b", 2, 1, &[]));
    let (all, none) = (rollout("c", 0, 3, &[]), rollout("d", 0, 0, &[]));
    for (names, code) in [
        (&["a"][..], 0),
        (&["a", "b"], 3),
        (&["b", "c", "a"], 4),
        (&["d", "c", "b"], 5),
        (&["d", "clash", "a"], 1),
    ] {
        let ends = [("a", good.clone()), ("b", some.clone()), ("c", all.clone()), ("d", none.clone())];
        let controller = Controller::with_verdicts(ends);
        let (_files, file) = Files::of(names);
        let ran = ask(&controller.url(), &["push", "-o", "json", &file]);
        assert_eq!(ran.code, code, "{names:?}: {}", ran.stderr);
        let reported: Vec<_> =
            ran.json_lines().iter().map(|line| line["config"].as_str().unwrap().to_owned()).collect();
        let expected: Vec<_> = names.iter().filter(|name| **name != "clash").copied().collect();
        assert_eq!(reported, expected);
    }
}

#[test]
fn what_the_controller_refuses_is_said_and_the_others_are_pushed() {
    let controller = Controller::with_verdicts([("shop", rollout("shop", 1, 0, &[]))]);
    let (_files, file) = Files::of(&["clash", "shop"]);
    let ran = ask(&controller.url(), &["push", &file]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, "1 of 1 serve shop@42: 1 applied\n"));
    assert_eq!(ran.stderr, "error: clash: host shop.example.com belongs to blog (409 Problem)\n");
}

#[test]
fn fields_at_fault_are_named() {
    let controller = Controller::always(
        422,
        json!({"status": 422, "title": "Unprocessable Content", "detail": "the document breaks a rule",
               "errors": [{"path": "spec.rules[0].host", "message": "is an IP"}]}),
    );
    let (_files, file) = Files::of(&["shop"]);
    let ran = ask(&controller.url(), &["push", &file]);
    assert_eq!(ran.code, 1);
    assert_eq!(
        ran.stderr,
        "error: shop: the document breaks a rule (422 Unprocessable Content)\n  spec.rules[0].host: is an IP\n"
    );
}

#[test]
fn a_store_that_needs_adopting_stops_the_push_and_is_named() {
    let (status, body) = problem(503, "the store is behind the fleet: run `bellwether adopt`");
    let controller = Controller::always(status, body);
    let (_files, file) = Files::of(&["a", "b", "c"]);
    let ran = ask(&controller.url(), &["push", &file, "-o", "json"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.contains("bellwether adopt"), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("not sent: b, c\n"), "{}", ran.stderr);
    assert_eq!(controller.lines().len(), 1);
}

#[test]
fn one_bad_document_in_any_file_and_nothing_is_sent() {
    let controller = Controller::with_verdicts([("shop", rollout("shop", 1, 0, &[]))]);
    let (files, good) = Files::of(&["shop"]);
    let bad = files.add("bad.yaml", &document("BAD"));
    let broken = files.add("broken.yaml", "a: [");
    let missing = files.add("x", "").replace("/x", "/missing.yaml");
    let ran = ask(&controller.url(), &["push", &good, &bad, &broken, &missing]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    let lines: Vec<_> = ran.stderr.lines().collect();
    let [in_bad, in_broken, in_missing, last] = lines.as_slice() else { panic!("{}", ran.stderr) };
    assert!(in_bad.starts_with(&format!("{bad}:3:18: metadata.name: ")), "{in_bad}");
    assert!(in_broken.starts_with(&format!("{broken}:")), "{in_broken}");
    assert!(in_missing.starts_with(&format!("{missing}: ")), "{in_missing}");
    assert_eq!(*last, "error: nothing was sent");
    assert!(controller.asked().is_empty());
}

#[test]
fn the_same_name_twice_over_all_files_is_an_error() {
    let controller = Controller::with_verdicts([("shop", rollout("shop", 1, 0, &[]))]);
    let (files, first) = Files::of(&["shop"]);
    let second = files.add("second.yaml", &document("shop"));
    let ran = ask(&controller.url(), &["push", &first, &second]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains(&format!("a second document named shop, the first is in {first}")),
        "{}",
        ran.stderr
    );
    assert!(controller.asked().is_empty());
}

#[test]
fn an_empty_file_is_an_error() {
    let (files, _) = Files::of(&["shop"]);
    let empty = files.add("empty.yaml", "# nothing\n");
    let ran = ask("http://127.0.0.1:1", &["push", &empty]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.contains("there is no document"), "{}", ran.stderr);
}

#[test]
fn a_dash_is_standard_input() {
    let ends = [("a", rollout("a", 1, 0, &[])), ("b", rollout("b", 1, 0, &[]))];
    let controller = Controller::with_verdicts(ends);
    let (_files, file) = Files::of(&["a"]);
    let mut command = bellwether();
    command.args(["--server", &controller.url(), "push", &file, "-"]).write_stdin(document("b"));
    let ran = run(command);
    assert_eq!((ran.code, ran.stdout.lines().count()), (0, 2), "{}", ran.stderr);

    let mut command = bellwether();
    command.args(["--server", &controller.url(), "push", "-"]).write_stdin(document("B"));
    let ran = run(command);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.starts_with("<stdin>:3:18: metadata.name: "), "{}", ran.stderr);
}

#[test]
fn wrong_usage_is_exit_2() {
    let (_files, file) = Files::of(&["shop"]);
    for args in [
        &["push"][..],
        &["push", &file, "--timeout", "5"],
        &["push", &file, "--timeout", "0s"],
        &["push", &file, "--author", ""],
        &["push", &file, "-o", "yaml"],
        &["push", &file, "--server", "localhost:7400"],
        &["push", &file, "--server", "http://one:7400,two"],
        &["delete", "Shop"],
        &["rollouts", "7"],
        &["nonsense"],
        &[],
    ] {
        let mut command = bellwether();
        command.args(args);
        let ran = run(command);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{args:?}: {}", ran.stderr);
    }
}
