//! Runs the command and takes down what it wrote.

use assert_cmd::Command;
use serde_json::Value;
use std::path::PathBuf;
use tempfile::TempDir;

/// What the command left behind.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Standard output as one JSON value a line.
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().map(parse).collect()
    }
}

/// The command with nothing from the tests' own environment.
pub(crate) fn bellwether() -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("bellwether"));
    command.env_remove("BELLWETHER_SERVER").env_remove("BELLWETHER_API_KEY_FILE").env("USER", "ann");
    command
}

/// Runs it to its end.
pub(crate) fn run(mut command: Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs it with these arguments against this server.
pub(crate) fn ask(server: &str, args: &[&str]) -> Ran {
    let mut command = bellwether();
    command.arg("--server").arg(server).args(args);
    run(command)
}

/// A good document of this name.
pub(crate) fn document(name: &str) -> String {
    format!(
        "apiVersion: bellwether/v1\nkind: IngressConfig\nmetadata: {{name: {name}}}\nspec:\n  \
         listeners: [{{name: web, port: 8080, protocol: HTTP}}]\n"
    )
}

/// Files in a folder of their own.
pub(crate) struct Files(TempDir);

impl Files {
    /// One file of these documents.
    pub(crate) fn of(names: &[&str]) -> (Self, String) {
        let files = Self(tempfile::tempdir().unwrap());
        let documents: Vec<_> = names.iter().map(|name| document(name)).collect();
        let file = files.add("configs.yaml", &documents.join("---\n"));
        (files, file)
    }

    /// One more file; returns its path.
    pub(crate) fn add(&self, name: &str, text: &str) -> String {
        let path: PathBuf = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}
