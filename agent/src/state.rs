//! The folder that remembers what an agent serves, so that a node which starts alone serves it again.

mod format;

use crate::{disk, set::ConfigSet};
use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

const STATE: &str = "state.json";
const LOCK: &str = "lock";

/// Copies of broken state files that are kept aside; one more takes the place of the last.
const BROKEN_LIMIT: u32 = 100;

/// One agent's folder, locked for as long as this lives.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    _lock: File,
}

/// Where an agent remembers what it serves.
#[derive(Debug)]
pub enum State {
    /// In a folder of its own: a restart serves it again.
    Folder(Arc<StateDir>),
    /// Nowhere: every start begins with nothing, and has it sent again.
    Nowhere,
}

impl From<StateDir> for State {
    fn from(folder: StateDir) -> Self {
        Self::Folder(Arc::new(folder))
    }
}

impl State {
    pub(crate) fn load(&self) -> Result<Remembered, StateError> {
        match self {
            Self::Folder(folder) => folder.load(),
            Self::Nowhere => Ok(Remembered::Nothing),
        }
    }

    /// Remembers a set. When this returns, it is as safe as it gets.
    pub(crate) async fn save(&self, set: Arc<ConfigSet>) -> Result<(), StateError> {
        match self {
            Self::Folder(folder) => folder.save(set).await,
            Self::Nowhere => Ok(()),
        }
    }
}

/// Why a state folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another agent uses it.
    #[error("the state folder {path} is in use by another agent: give each its own --state-dir")]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The disk refuses.
    #[error("the state folder {path}: {source}")]
    Disk {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// What a state folder remembers.
#[derive(Debug)]
pub(crate) enum Remembered {
    /// It was never written.
    Nothing,
    /// The set as last applied.
    Set(ConfigSet),
    /// Something that cannot be trusted; it stands beside now, out of the way.
    Broken { reason: String, kept_as: PathBuf },
}

impl StateDir {
    /// Takes the folder, and makes it when it is not there.
    ///
    /// # Errors
    /// When another process has it, or the disk refuses.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StateError> {
        let path = path.into();
        let disk = |source| StateError::Disk { path: path.clone(), source };
        fs::create_dir_all(&path).map_err(disk)?;
        let path = path.canonicalize().map_err(disk)?;
        let disk = |source| StateError::Disk { path: path.clone(), source };
        let open = File::options().create(true).truncate(false).write(true).open(path.join(LOCK));
        let lock = open.map_err(disk)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StateError::InUse { path }),
            Err(TryLockError::Error(source)) => Err(disk(source)),
        }
    }

    /// Where it is, as an absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads what is remembered. What cannot be read is moved aside, and kept.
    fn load(&self) -> Result<Remembered, StateError> {
        let file = self.path.join(STATE);
        let read = match fs::read(&file) {
            Ok(bytes) => format::read(&bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Remembered::Nothing),
            Err(error) => Err(error.to_string()),
        };
        match read {
            Ok(set) => Ok(Remembered::Set(set)),
            Err(reason) => {
                let kept_as = self.keep_aside(&file).map_err(|source| self.disk_error(source))?;
                Ok(Remembered::Broken { reason, kept_as })
            }
        }
    }

    fn keep_aside(&self, file: &Path) -> io::Result<PathBuf> {
        let place = |number| self.path.join(format!("{STATE}.broken-{number}"));
        let free = (1..BROKEN_LIMIT).find(|number| !place(*number).exists()).unwrap_or(BROKEN_LIMIT);
        fs::rename(file, place(free))?;
        disk::sync_folder(&self.path)?;
        Ok(place(free))
    }

    /// Remembers a set. When this returns, it survives a loss of power.
    async fn save(self: &Arc<Self>, set: Arc<ConfigSet>) -> Result<(), StateError> {
        let this = self.clone();
        let saved = tokio::task::spawn_blocking(move || match format::write(&set)? {
            Some(bytes) => disk::replace(&this.path.join(STATE), &bytes),
            None => Ok(()),
        });
        let saved = saved.await.unwrap_or_else(|panicked| Err(io::Error::other(panicked)));
        saved.map_err(|source| self.disk_error(source))
    }

    fn disk_error(&self, source: io::Error) -> StateError {
        StateError::Disk { path: self.path.clone(), source }
    }
}

#[cfg(test)]
mod tests;
