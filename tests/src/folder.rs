//! Temporary folders, all below one that goes with this process.

use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::OnceLock;

use tempfile::TempDir;
use uuid::Uuid;

use crate::guardian;

/// A new, empty folder; removed with the value, or with this process.
///
/// # Panics
/// When the disk refuses.
pub fn folder(name: &str) -> TempDir {
    tempfile::Builder::new()
        .prefix(&format!("{name}-"))
        .tempdir_in(root())
        .unwrap_or_else(|error| panic!("no temporary folder for {name}: {error}"))
}

/// The folder that holds all of this process's folders; removed when the process is gone, however it went.
pub fn root() -> &'static Path {
    static ROOT: OnceLock<Root> = OnceLock::new();
    &ROOT.get_or_init(Root::make).path
}

struct Root {
    path: PathBuf,
    /// Holds the pipe whose end is the folder's end.
    _guardian: Child,
}

impl Root {
    fn make() -> Self {
        // Short, for the paths of Unix sockets below it are bounded to about 100 bytes.
        let unique = format!("bellwether-tests-{:.12}", Uuid::new_v4().simple().to_string());
        let path = std::env::temp_dir().join(unique);
        let guardian = guardian::keep(&path);
        Self { path, _guardian: guardian }
    }
}
