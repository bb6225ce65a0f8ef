//! The fleet in one process is nobody's but this machine's.

use crate::command::{ask, bellwether, run};
use rustix::process::{Pid, Signal};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
};

#[test]
fn dev_refuses_to_listen_where_others_reach_it_unless_it_is_told_to() {
    let mut command = bellwether();
    command.args(["dev", "--once", "--listen", "0.0.0.0:0"]);
    let ran = run(command);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("--allow-anonymous"), "{}", ran.stderr);

    let mut command = bellwether();
    command.args(["dev", "--once", "--listen", "0.0.0.0:0", "--allow-anonymous"]);
    let ran = run(command);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn dev_once_prints_the_json_of_its_push_and_nothing_else() {
    let mut command = bellwether();
    command.args(["dev", "--once", "--listen", "127.0.0.1:0", "-o", "json"]);
    let ran = run(command);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let [push] = ran.json_lines().try_into().expect("one line");
    assert_eq!((&push["config"], &push["state"]), (&"shop".into(), &"done".into()));
    assert_eq!((&push["targets"], &push["verdicts"]["applied"]), (&3.into(), &3.into()));
}

#[test]
fn dev_on_an_address_that_is_taken_says_how_to_choose_another() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = bellwether();
    command.args(["dev", "--once", "--listen", &address]);
    let ran = run(command);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains(&address) && ran.stderr.contains("--listen"), "{}", ran.stderr);
}

#[test]
fn dev_stays_up_for_a_second_terminal_until_ctrl_c() {
    let mut dev = Command::new(assert_cmd::cargo::cargo_bin!("bellwether"))
        .args(["dev", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(dev.stdout.take().unwrap()).lines().map(Result::unwrap);
    let first = lines.next().unwrap();
    let api = first.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
    let said: Vec<_> = lines.by_ref().take_while(|line| !line.starts_with("The fleet stays up")).collect();
    assert!(said.iter().any(|line| line == "3 of 3 serve shop@1: 3 applied"), "{said:?}");
    let files: Vec<_> = said.iter().filter(|line| line.ends_with("ingress.json")).collect();
    assert_eq!(files.len(), 3, "{said:?}");
    for file in files {
        let served: Value = serde_json::from_str(&fs::read_to_string(file.trim()).unwrap()).unwrap();
        assert_eq!(served["configs"][0]["metadata"]["name"], "shop");
    }

    let agents = ask(&api, &["agents", "-o", "json"]);
    let [agents] = agents.json_lines().try_into().expect("one line");
    assert_eq!(agents.as_array().unwrap().iter().filter(|agent| agent["state"] == "online").count(), 3);
    let deleted = ask(&api, &["delete", "shop"]);
    assert_eq!(
        (deleted.code, deleted.stdout.trim()),
        (0, "3 of 3 serve shop no more (revision 2): 3 applied")
    );

    rustix::process::kill_process(Pid::from_child(&dev), Signal::INT).unwrap();
    assert_eq!(dev.wait().unwrap().code(), Some(0));
}

#[test]
fn dev_with_haproxy_serves_what_it_says_and_takes_its_proxies_down() {
    let mut dev = Command::new(assert_cmd::cargo::cargo_bin!("bellwether"))
        .args(["dev", "--driver", "haproxy", "--listen", "127.0.0.1:0", "--timeout", "60s"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(dev.stdout.take().unwrap()).lines().map(Result::unwrap);
    let said: Vec<_> = lines.by_ref().take_while(|line| !line.starts_with("The fleet stays up")).collect();
    assert!(said.iter().any(|line| line == "3 of 3 serve shop@1: 3 applied"), "{said:?}");
    let line = said.iter().find(|line| line.trim().starts_with("curl -H")).unwrap();
    let url = line.rsplit("http://").next().unwrap();
    let (at, path) = url.split_once('/').unwrap();
    for proxy in ["127.0.0.2", "127.0.0.3", "127.0.0.4"].map(|node| at.replace("127.0.0.2", node)) {
        let request = format!("GET /{path} HTTP/1.0\r\nHost: shop.example.com\r\n\r\n");
        let mut stream = TcpStream::connect(&proxy).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains("backend api at 127.0.0.1:19503 was asked for /api/"), "{proxy}: {answer}");
    }
    rustix::process::kill_process(Pid::from_child(&dev), Signal::INT).unwrap();
    assert_eq!(dev.wait().unwrap().code(), Some(0));
    assert!(TcpStream::connect(at).is_err(), "its proxy is gone");
}
