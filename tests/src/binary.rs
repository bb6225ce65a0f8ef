//! The product's own programs, built from the sources as they stand.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::workspace;

/// A program of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// `bellwether-controller`
    Controller,
    /// `bellwether-agent`
    Agent,
    /// `bellwether`
    Cli,
}

impl Binary {
    const ALL: [Self; 3] = [Self::Controller, Self::Agent, Self::Cli];

    /// The file's name, which is also its package's.
    pub fn name(self) -> &'static str {
        match self {
            Self::Controller => "bellwether-controller",
            Self::Agent => "bellwether-agent",
            Self::Cli => "bellwether",
        }
    }

    /// Where it stands, in the profile of this very process; the first call builds it.
    ///
    /// # Panics
    /// When it does not build.
    pub async fn path(self) -> PathBuf {
        let folder = tokio::task::spawn_blocking(built).await.expect("the build does not panic");
        let folder = folder.unwrap_or_else(|why| panic!("{why}"));
        folder.join(self.name())
    }
}

/// The folder of the binaries, none of them stale; `BELLWETHER_TEST_BINARIES_BUILT=1` says the caller has seen to it.
fn built() -> Result<&'static Path, &'static str> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let folder = profile_folder();
        if std::env::var_os("BELLWETHER_TEST_BINARIES_BUILT").is_none_or(|value| value != "1") {
            build(&folder)?;
        }
        Ok(folder)
    });
    built.as_deref().map_err(String::as_str)
}

/// `target/<profile>`: this process runs from there, or from `deps` in there.
fn profile_folder() -> PathBuf {
    let executable = std::env::current_exe().expect("a process knows its file");
    let folder = executable.parent().expect("a file stands in a folder");
    let tests = folder.file_name() == Some(OsStr::new("deps"));
    folder.parent().filter(|_| tests).unwrap_or(folder).to_owned()
}

fn build(profile_folder: &Path) -> Result<(), String> {
    let output = build_command(profile_folder).output().map_err(|error| format!("cargo: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("the product does not build:\n{}", String::from_utf8_lossy(&output.stderr)))
}

fn build_command(profile_folder: &Path) -> Command {
    // The profile `dev` is the one whose folder has another name.
    let profile = match profile_folder.file_name().and_then(OsStr::to_str) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let target = profile_folder.parent().unwrap_or(profile_folder);
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(["build", "--quiet", "--bins", "--profile", profile])
        .arg("--target-dir")
        .arg(target)
        .args(Binary::ALL.iter().flat_map(|binary| ["-p", binary.name()]))
        .current_dir(workspace::root())
        .stdin(Stdio::null());
    command
}
