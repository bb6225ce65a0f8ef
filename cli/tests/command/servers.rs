//! Which of several controllers is asked, and what is said when none answers.

use crate::{
    command::{Files, ask, bellwether, run},
    controller::{Controller, problem, rollout, running},
    dropping::Dropping,
};
use serde_json::json;
use tokio::net::TcpSocket;

/// An address that stays taken and where nobody listens.
struct Refusing(TcpSocket);

impl Refusing {
    fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self(socket)
    }

    fn url(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }
}

#[test]
fn when_no_connection_is_made_the_next_is_tried() {
    let refusing = Refusing::new();
    let controller = Controller::with_verdicts([("shop", rollout("shop", 1, 0, &[]))]);
    let (_files, file) = Files::of(&["shop"]);
    let listed = ask(&format!("{},{}", refusing.url(), controller.url()), &["push", &file]);
    assert_eq!(listed.code, 0, "{}", listed.stderr);

    let mut command = bellwether();
    command.args(["--server", &refusing.url(), "push", &file, "--server", &controller.url()]);
    let repeated = run(command);
    assert_eq!(repeated.code, 0, "{}", repeated.stderr);

    let mut command = bellwether();
    command
        .env("BELLWETHER_SERVER", format!("{},{}", refusing.url(), controller.url()))
        .args(["push", &file]);
    assert_eq!(run(command).code, 0);
}

#[test]
fn an_error_of_the_controller_is_an_answer_and_the_next_is_not_tried() {
    let (status, body) = problem(500, "it broke");
    let (broken, next) = (Controller::always(status, body), Controller::always(200, json!([])));
    let ran = ask(&format!("{},{}", broken.url(), next.url()), &["agents"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, "error: it broke (500 Problem)\n"));
    assert!(next.asked().is_empty());
}

#[test]
fn a_change_that_may_have_been_taken_is_not_sent_twice() {
    let dying = Dropping::new();
    let next = Controller::with_verdicts([("shop", rollout("shop", 1, 0, &[]))]);
    let servers = format!("{},{}", dying.url(), next.url());
    let requests = dying.answer(vec![None]);
    let (_files, file) = Files::of(&["shop"]);
    let ran = ask(&servers, &["push", &file]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("it may have been taken all the same: see `bellwether rollouts`"),
        "{}",
        ran.stderr
    );
    assert_eq!(requests.join().unwrap().lines, ["PUT /v1/configs/shop?timeout=5s HTTP/1.1"]);
    assert!(next.asked().is_empty());
}

#[test]
fn a_rollout_is_followed_at_another_controller_when_its_own_dies() {
    let end = rollout("shop", 1, 0, &[]);
    let dying = Dropping::new();
    let next = Controller::with_verdicts([("shop", end.clone())]);
    let servers = format!("{},{}", dying.url(), next.url());
    let requests = dying.answer(vec![Some(running(end).to_string()), None]);
    let (_files, file) = Files::of(&["shop"]);
    let ran = ask(&servers, &["push", &file]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "1 of 1 serve shop@42: 1 applied\n"), "{}", ran.stderr);
    assert_eq!(requests.join().unwrap().lines.len(), 2);
    assert_eq!(next.lines(), ["GET /v1/rollouts/01920b6e-7f3c-7a51-9c1e-000073686f70?wait=10s"]);
}

#[test]
fn when_nobody_answers_it_says_where_it_asked_and_what_to_do() {
    let refusing = [Refusing::new(), Refusing::new()];
    let [first, second] = refusing.each_ref().map(Refusing::url);
    let ran = ask(&format!("{first},{second}"), &["agents"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    for part in [&first, &second, "refused", "is the controller running?", "`bellwether dev`", "--server"] {
        assert!(ran.stderr.contains(part), "{part} in {}", ran.stderr);
    }
    assert_eq!(ran.stderr.lines().count(), 1);
}

#[test]
fn a_machine_without_certificates_can_speak_plain_http() {
    let controller = Controller::always(200, json!([]));
    let (files, _) = Files::of(&[]);
    let none = files.add("certificates", "");
    let mut command = bellwether();
    command.env("SSL_CERT_FILE", &none).env_remove("SSL_CERT_DIR");
    command.args(["--server", &controller.url(), "agents"]);
    let ran = run(command);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn neither_the_key_nor_the_password_is_ever_shown() {
    let (files, _) = Files::of(&[]);
    let key = files.add("key", "hush-hush\n");
    let controller = Controller::always(200, json!([]));
    let url = controller.url().replace("http://", "http://me:secret@");

    let mut command = bellwether();
    command.env("BELLWETHER_API_KEY_FILE", &key).args(["--server", &controller.url(), "agents"]);
    assert_eq!(run(command).code, 0);
    assert_eq!(ask(&url, &["agents"]).code, 0);
    assert_eq!(ask(&url, &["agents", "--api-key-file", &key]).code, 0);
    let authorizations: Vec<_> =
        controller.asked().iter().map(|asked| asked.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(authorizations, ["Bearer hush-hush", "Basic bWU6c2VjcmV0", "Bearer hush-hush"]);

    let spoiled = files.add("spoiled", "hush hush");
    let refusing = Refusing::new();
    let refused = refusing.url().replace("http://", "http://me:secret@");
    for (args, code) in [
        (&["--server", &refused, "--api-key-file", &key, "agents"][..], 1),
        (&["--server", &url, "--api-key-file", &spoiled, "agents"], 1),
        (&["--server", "http://me:secret@host:99999", "agents"], 2),
        (&["--server", &url, "agents", "--help"], 0),
    ] {
        let mut command = bellwether();
        command.env("BELLWETHER_SERVER", &url).args(args);
        let ran = run(command);
        assert_eq!(ran.code, code, "{}", ran.stderr);
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("secret"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("hush"), "{}", ran.stderr);
    }
}
