//! `bellwether check` and `bellwether push` of what is no good document.

use std::path::Path;
use std::time::{Duration, Instant};

use bellwether_ingress::limits::MAX_DOCUMENT_BYTES;
use bellwether_tests::{Binary, Launch, Output, folder};

use crate::bombs::bombs;
use crate::cases::{cases, field_of, text};
use crate::controller::Controller;
use crate::{BOUNDED, GROWTH, document_of, texts};

/// What one command may take.
const COMMAND: Duration = Duration::from_secs(120);

/// Writes these texts into files of their own, and returns the paths.
fn files(folder: &Path, texts: impl IntoIterator<Item = String>) -> Vec<String> {
    let write = |(index, text): (usize, String)| {
        let path = folder.join(format!("{index}.yaml"));
        std::fs::write(&path, text).expect("a new file in our own folder");
        path.to_str().expect("UTF-8").to_owned()
    };
    texts.into_iter().enumerate().map(write).collect()
}

/// A file may hold several documents, of different names.
fn field_in_file(case: &str) -> &'static str {
    if case == "yaml: two documents" { "metadata.name" } else { field_of(case) }
}

async fn run(controller: &Controller, command: &str, files: &[String]) -> Output {
    let bellwether = Launch::of(Binary::Cli).await.args(["--server", &controller.url, command]);
    bellwether.args(files).run_to_end(COMMAND).await
}

#[tokio::test]
async fn every_bad_document_is_refused_by_check_and_by_push_with_its_field() {
    let (controller, folder) = (Controller::start().await, folder("bad-documents"));
    let named = |case| texts(case).into_iter().map(|yaml| (text(case, "name").to_owned(), yaml));
    let cases: Vec<_> = cases().iter().flat_map(named).collect();
    let files = files(folder.path(), cases.iter().map(|(_, yaml)| yaml.clone()));
    for command in ["check", "push"] {
        let ran = run(&controller, command, &files).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{command}: {}", ran.stderr);
        for ((name, _), file) in cases.iter().zip(&files) {
            let findings: Vec<_> =
                ran.stderr.lines().filter(|line| line.starts_with(&format!("{file}:"))).collect();
            let field = format!(": {}: ", field_in_file(name));
            let finding = findings.iter().find(|finding| finding.contains(&field));
            let finding =
                finding.unwrap_or_else(|| panic!("{command}: {name} does not name {field:?}: {findings:#?}"));
            let position = finding[file.len() + 1..].split(':').take(2).map(str::parse::<u32>);
            assert!(position.into_iter().all(|number| number.is_ok()), "{command}: {name}: {finding}");
        }
        assert_eq!(ran.stderr.contains("nothing was sent"), command == "push", "{command}: {}", ran.stderr);
    }
    controller.stop_empty().await;
}

#[tokio::test]
async fn hostile_texts_cost_the_command_little_time_and_memory() {
    let (controller, folder) = (Controller::start().await, folder("bombs"));
    let (names, texts): (Vec<_>, Vec<_>) = bombs().into_iter().unzip();
    let mut files = files(folder.path(), texts);
    // Within this much address space, or not at all: its threads and libraries take some of it.
    let limit = format!("ulimit -v {} && exec \"$0\" \"$@\"", (GROWTH + 512) * 1024);
    let limited = Launch::program("/bin/sh").args(["-c", &limit]).arg(Binary::Cli.path().await);
    for command in ["check", "push"] {
        let started = Instant::now();
        let launch = limited.clone().args(["--server", &controller.url, command]).args(&files);
        let ran = launch.run_to_end(COMMAND).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{command}: {}", ran.stderr);
        for (name, file) in names.iter().zip(&files) {
            let told = ran.stderr.lines().find(|line| line.starts_with(&format!("{file}:")));
            assert!(told.is_some_and(|line| line.len() < 1_000), "{command}: {name}: {told:?}");
        }
        let took = started.elapsed();
        eprintln!("measured: {command} refused {} hostile texts within {took:.2?}", names.len());
        assert!(took < BOUNDED * 2, "{command} took {took:?}");
    }

    let path = folder.path().join("large.yaml");
    for (bytes, code) in [(MAX_DOCUMENT_BYTES, 0), (MAX_DOCUMENT_BYTES + 1, 1)] {
        std::fs::write(&path, document_of(bytes)).expect("our own file");
        files = vec![path.to_str().expect("UTF-8").to_owned()];
        let ran = run(&controller, "check", &files).await;
        assert_eq!(ran.code, code, "{bytes}: {}", ran.stderr);
        assert!(code == 0 || ran.stderr.contains(": document: "), "{}", ran.stderr);
    }
    controller.stop_empty().await;
}
