//! The API key of a fleet, in the file that its programs read it from.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;

use crate::{Launch, folder};

/// An API key. The file goes with the last clone.
#[derive(Clone, Debug)]
pub(super) struct ApiKey {
    key: String,
    folder: Arc<TempDir>,
}

impl ApiKey {
    pub(super) fn new(key: String) -> Self {
        let key = Self { key, folder: Arc::new(folder("api-key")) };
        fs::write(key.file(), &key.key).expect("a new file in our own folder");
        fs::set_permissions(key.file(), Permissions::from_mode(0o600)).expect("our own file");
        key
    }

    /// Tells a program of it, whether it asks for the key or is asked.
    pub(super) fn tell(&self, launch: Launch) -> Launch {
        launch.arg("--api-key-file").arg(self.file())
    }

    /// The value of the header `Authorization`.
    pub(super) fn header(&self) -> String {
        format!("Bearer {}", self.key)
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("key")
    }
}
