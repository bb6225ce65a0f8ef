//! An agent of a fleet, with a state folder of its own.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::Process;
use crate::{Launch, folder};

/// An agent of a fleet.
#[derive(Debug)]
pub struct Agent {
    // Ended before the folder goes.
    process: Process,
    name: String,
    state: TempDir,
}

impl Agent {
    pub(super) fn start(name: &str, launch: Launch) -> Self {
        let state = folder(name);
        let launch = launch.args(["--name", name]).arg("--state-dir").arg(state.path());
        Self { process: Process::start(launch), name: name.to_owned(), state }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Its state folder.
    pub fn state_dir(&self) -> &Path {
        self.state.path()
    }

    /// The file that remembers what it serves.
    pub fn state_file(&self) -> PathBuf {
        self.state.path().join("state.json")
    }

    /// `current/ingress.json`: what its proxy would serve. Null while there is none.
    ///
    /// # Panics
    /// When it is no JSON: it is swapped in whole or not at all.
    pub fn current(&self) -> Value {
        let file = self.state.path().join("current/ingress.json");
        let Ok(text) = std::fs::read_to_string(&file) else { return Value::Null };
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}:\n{text}", file.display()))
    }

    /// The names of the configs in there.
    pub fn serves(&self) -> Vec<String> {
        let current = self.current();
        let configs = current["configs"].as_array().map(Vec::as_slice).unwrap_or_default();
        configs.iter().filter_map(|config| config["metadata"]["name"].as_str().map(str::to_owned)).collect()
    }
}
