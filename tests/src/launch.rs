//! How a program is started: its arguments, its environment, and whether one waits for its end.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use crate::guardian::{Guarded, Spec};
use crate::{Binary, Program, folder, log};

/// A program about to be started. It inherits the environment without `BELLWETHER_*`, and writes no colours.
#[derive(Clone, Debug)]
pub struct Launch {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    working_folder: Option<PathBuf>,
    stdin: Vec<u8>,
}

/// What a program left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The exit code; 128 and the signal's number where a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Launch {
    /// A program of the product, built if need be.
    pub async fn of(binary: Binary) -> Self {
        Self::program(binary.path().await)
    }

    /// Any program.
    pub fn program(program: impl Into<PathBuf>) -> Self {
        let env = vec![("NO_COLOR".into(), "1".into())];
        Self { program: program.into(), args: Vec::new(), env, working_folder: None, stdin: Vec::new() }
    }

    /// One more argument.
    #[must_use]
    pub fn arg(self, arg: impl AsRef<OsStr>) -> Self {
        self.args([arg])
    }

    /// More arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// One more variable of the environment.
    #[must_use]
    pub fn env(self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.envs([(key, value)])
    }

    /// More variables of the environment.
    #[must_use]
    pub fn envs(mut self, env: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>) -> Self {
        let env = env.into_iter().map(|(key, value)| (key.as_ref().to_owned(), value.as_ref().to_owned()));
        self.env.extend(env);
        self
    }

    /// The folder it runs in; a temporary one by default.
    #[must_use]
    pub fn working_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.working_folder = Some(folder.into());
        self
    }

    /// What it reads from standard input; nothing by default.
    #[must_use]
    pub fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = text.into();
        self
    }

    /// Starts it and lets it run; both its outputs go to one log.
    pub fn start(self) -> Program {
        let name = self.name();
        let folder = folder(&name);
        let spec = self.into_spec(folder.path(), "log", "log");
        Program::start(name, &spec, folder)
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When it has not ended within the bound; the message holds its output.
    pub async fn run_to_end(self, bound: Duration) -> Output {
        let name = self.name();
        let folder = folder(&name);
        let spec = self.into_spec(folder.path(), "stdout", "stderr");
        let process = Guarded::spawn(&spec);
        let status = process.exits_within(bound).await;
        let (stdout, stderr) = (log::read(&spec.stdout), log::read(&spec.stderr));
        let Some(status) = status else {
            panic!("{name} {:?} did not end within {bound:?}:\n{stdout}{stderr}", spec.args);
        };
        Output { code: shell_code(status), stdout, stderr }
    }

    fn name(&self) -> String {
        self.program.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn into_spec(self, folder: &Path, stdout: &str, stderr: &str) -> Spec {
        let stdin = folder.join("stdin");
        std::fs::write(&stdin, &self.stdin).expect("a new file in our own folder");
        Spec {
            program: self.program,
            args: self.args,
            env: self.env,
            working_folder: self.working_folder.unwrap_or_else(|| folder.to_owned()),
            stdin,
            stdout: folder.join(stdout),
            stderr: folder.join(stderr),
        }
    }
}

/// As a shell would say it.
fn shell_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}
