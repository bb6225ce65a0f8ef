//! Ctrl-C while a push waits.

use crate::{
    command::{Files, bellwether},
    controller::{Controller, rollout, running},
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    process::Stdio,
    sync::{Mutex, mpsc::channel},
};

#[test]
fn an_interrupted_push_says_that_its_rollout_goes_on() {
    let (arrived, polls) = channel();
    let (release, held) = channel::<()>();
    let (arrived, held) = (Mutex::new(arrived), Mutex::new(held));
    let controller = Controller::answering(move |asked| {
        if asked.line.starts_with("GET") {
            arrived.lock().unwrap().send(()).unwrap();
            let _ = held.lock().unwrap().recv();
        }
        (202, running(rollout("a", 1, 0, &[])))
    });
    let (_files, file) = Files::of(&["a", "b"]);
    let mut command = std::process::Command::new(bellwether().get_program());
    command.args(["--server", &controller.url(), "push", &file]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    polls.recv().unwrap();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    drop(release);
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "interrupted; the rollout goes on at the controller: see \
         `bellwether rollouts 01920b6e-7f3c-7a51-9c1e-000000000061`\nnot sent: b\n"
    );
    assert!(output.stdout.is_empty());
}
