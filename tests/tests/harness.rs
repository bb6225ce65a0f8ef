//! The harness keeps its promises: servers come, go and come back, and nothing stays behind.

use std::collections::HashSet;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use bellwether_tests::{
    Launch, Port, Program, RabbitMq, Redis, always_for, eventually, eventually_within, fleet,
};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

const A_MOMENT: Duration = Duration::from_millis(300);
const A_MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn rabbitmq_goes_down_and_comes_back_with_its_data() {
    let rabbitmq = RabbitMq::start().await;
    let url = rabbitmq.url();
    rabbitmq.ctl(&["add_vhost", "kept"]).await;

    rabbitmq.stop().await;
    assert!(refuses(rabbitmq.port()).await);
    rabbitmq.start_again().await;
    assert_eq!(rabbitmq.url(), url);
    assert!(has_vhost(&rabbitmq, "kept").await);

    rabbitmq.kill().await;
    assert!(refuses(rabbitmq.port()).await);
    rabbitmq.start_again().await;
    assert!(has_vhost(&rabbitmq, "kept").await);
}

#[tokio::test]
async fn rabbitmq_is_asked_and_told_by_its_control_program_side_by_side() {
    let rabbitmq = RabbitMq::shared().await;
    let (connections, queues) =
        tokio::join!(rabbitmq.ctl(&["list_connections", "name"]), rabbitmq.ctl(&["list_queues", "name"]));
    assert_eq!((connections.as_str(), queues.as_str()), ("", ""));
    rabbitmq.ctl(&["close_all_connections", "a test"]).await;
    rabbitmq.ctl(&["set_vm_memory_high_watermark", "0.5"]).await;
}

#[tokio::test]
async fn redis_forgets_nothing_it_has_acknowledged() {
    let redis = Redis::start().await;
    assert_eq!(ask(&redis, "SET key kept").await, "+OK\r\n");

    redis.stop().await;
    assert!(refuses(redis.port()).await);
    redis.start_again().await;

    assert_eq!(ask(&redis, "GET key").await, "$4\r\nkept\r\n");
}

#[tokio::test]
async fn a_paused_redis_answers_nobody_until_it_is_resumed() {
    let redis = Redis::start().await;
    redis.pause();
    assert!(tokio::time::timeout(A_MOMENT, ask(&redis, "PING")).await.is_err());
    redis.resume();
    assert_eq!(ask(&redis, "PING").await, "+PONG\r\n");
}

#[tokio::test]
async fn servers_on_the_usual_ports_disturb_nobody() {
    // One that cannot be bound is taken by somebody's server: just as good.
    let _taken = [5672, 6379, 4369].map(|port| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)));
    let (rabbitmq, redis) = tokio::join!(RabbitMq::start(), Redis::start());
    assert_ne!(rabbitmq.port(), 5672);
    assert_ne!(redis.port(), 6379);
}

#[tokio::test]
async fn a_killed_holder_leaves_no_process_and_no_folder() {
    let (mut holder, folder) = start_servers().await;
    let before = processes_of(&folder);
    for name in ["guardian", "epmd", "beam", "erl_child_setup", "redis-server"] {
        assert!(before.iter().any(|process| process.contains(name)), "{name} is not among {before:#?}");
    }

    holder.kill().await.expect("it ran");

    eventually("nothing is left", async || match processes_of(&folder) {
        left if left.is_empty() && !folder.exists() => Ok(()),
        left => Err(format!("{left:#?}, and the folder: {}", folder.exists())),
    })
    .await;
}

#[tokio::test]
async fn a_dropped_program_takes_all_it_started_with_it() {
    // One that leaves the session, one that forgets its environment, one that ignores SIGTERM.
    let program =
        shell("setsid sleep 7777 & env -i sleep 7777 & (trap '' TERM; sleep 7777) & echo started; wait");
    program.wait_for_log("started").await;
    let folder = program.log_file().parent().expect("a file stands in a folder").to_owned();
    eventually("all three run", async || match processes_of(&folder) {
        running if running.iter().filter(|process| process.ends_with(": sleep 7777")).count() == 3 => Ok(()),
        running => Err(format!("{running:#?}")),
    })
    .await;

    drop(program);

    assert_eq!(processes_of(&folder), Vec::<String>::new());
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_program_tells_how_it_ended() {
    let polite = shell("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.01; done");
    polite.wait_for_log("ready").await;
    assert_eq!(polite.exited(), None);
    assert_eq!(polite.terminate().await.code(), Some(3));
    assert!(polite.log().ends_with("bye\n"), "{}", polite.log());

    let plain = shell("echo ready; exec sleep 7777");
    plain.wait_for_log("ready").await;
    assert_eq!(plain.terminate().await.signal(), Some(15));
}

#[tokio::test]
async fn a_paused_program_stands_still_until_it_is_resumed() {
    let ticking = shell("while :; do echo tick; sleep 0.01; done");
    ticking.wait_for_log("tick").await;
    ticking.pause();
    eventually("it is stopped", async || is_stopped(ticking.pid())).await;
    let still = ticking.log();
    always_for(A_MOMENT, "no tick", async || ticking.log() == still).await;
    ticking.resume();
    eventually("it ticks again", async || ticking.log() != still).await;
}

#[tokio::test]
async fn a_command_run_to_its_end_gives_code_and_both_outputs() {
    let command = Launch::program("/bin/sh").args(["-c", "cat; echo $NAME >&2; exit 4"]).env("NAME", "value");
    let output = command.stdin("from stdin\n").run_to_end(A_MINUTE).await;
    assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (4, "from stdin\n", "value\n"));
}

#[tokio::test]
#[should_panic(expected = "did not end within")]
async fn a_command_that_does_not_end_is_ended() {
    Launch::program("/bin/sleep").arg("7777").run_to_end(A_MOMENT).await;
}

#[tokio::test]
#[should_panic(expected = "there are two; last seen: only 1")]
async fn a_wait_in_vain_tells_what_it_saw_last() {
    eventually_within(A_MOMENT, "there are two", async || Err::<(), _>("only 1")).await;
}

#[tokio::test]
#[should_panic(expected = "no longer: below three")]
async fn a_condition_that_fails_once_does_not_hold_always() {
    let mut count = 0;
    always_for(A_MINUTE, "below three", async || {
        count += 1;
        count < 3
    })
    .await;
}

#[test]
fn ports_and_fleets_are_never_handed_out_twice() {
    let ports: Vec<Port> = (0..200).map(|_| Port::claim()).collect();
    let numbers: HashSet<u16> = ports.iter().map(Port::number).collect();
    assert_eq!(numbers.len(), ports.len());

    let fleets: HashSet<String> = (0..200).map(|_| fleet()).collect();
    assert_eq!(fleets.len(), 200);
    assert!(
        fleets.iter().all(|name| name.len() <= 32 && name.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    );
}

fn shell(script: &str) -> Program {
    Launch::program("/bin/bash").args(["-c", script]).start()
}

async fn has_vhost(rabbitmq: &RabbitMq, name: &str) -> bool {
    let vhosts = rabbitmq.ctl(&["list_vhosts", "name"]).await;
    vhosts.lines().any(|vhost| vhost == name)
}

async fn refuses(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err()
}

async fn ask(redis: &Redis, command: &str) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, redis.port())).await.expect("it is up");
    let request = format!("{command}\r\nQUIT\r\n");
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it answers, then ends the connection");
    answer.strip_suffix("+OK\r\n").unwrap_or(&answer).to_owned()
}

/// The `servers` program once its servers are up, and its folder.
async fn start_servers() -> (Child, PathBuf) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_servers"));
    let mut holder = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("cargo has built it");
    let mut lines = BufReader::new(holder.stdout.take().expect("a pipe")).lines();
    let first = lines.next_line().await.expect("text").expect("a first line when all are up");
    let folder = first.strip_prefix("folder ").expect("the folder in the first line");
    (holder, PathBuf::from(folder))
}

/// The command lines of all processes that run in a folder, or have it in their arguments or environment.
fn processes_of(folder: &Path) -> Vec<String> {
    let processes = fs::read_dir("/proc").expect("Linux").flatten().map(|entry| entry.path());
    processes.filter(|process| belongs(process, folder)).map(|process| shown(&process)).collect()
}

fn belongs(process: &Path, folder: &Path) -> bool {
    let name = folder.to_str().expect("a name in ASCII");
    let text = |file| fs::read(process.join(file)).unwrap_or_default();
    fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder))
        || [text("cmdline"), text("environ")]
            .iter()
            .any(|bytes| String::from_utf8_lossy(bytes).contains(name))
}

fn shown(process: &Path) -> String {
    let command = fs::read_to_string(process.join("cmdline")).unwrap_or_default();
    format!("{}: {}", process.display(), command.replace('\0', " ").trim_end())
}

fn is_stopped(pid: u32) -> Result<(), String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).map_err(|error| error.to_string())?;
    let state = status.lines().find(|line| line.starts_with("State:")).unwrap_or_default();
    if state.contains("T (stopped)") { Ok(()) } else { Err(state.to_owned()) }
}
