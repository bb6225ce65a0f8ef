//! The `file` driver: writes the set to a folder, and tells a command of the operator's to load it.

mod folders;
mod template;

use super::{ApplyError, Driver, EffectiveSet, command::Hook};
use async_trait::async_trait;
use folders::{Folders, Staged};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use template::Template;
pub use template::TemplateError;

/// How the `file` driver is set up.
#[derive(Clone, Debug, Default)]
pub struct FileOptions {
    /// A template to render beside `ingress.json`, under its own file name.
    pub template: Option<PathBuf>,
    /// Judges a staged set; refuses it by ending with anything but 0.
    pub check: Option<Hook>,
    /// Makes the proxy load what `current` points to.
    pub reload: Option<Hook>,
}

/// Stages each set as a new folder, checks it, points the symlink `current` at it, and reloads.
pub struct FileDriver {
    folders: Arc<Folders>,
    template: Option<Arc<Template>>,
    check: Option<Hook>,
    reload: Option<Hook>,
}

impl FileDriver {
    /// A driver that works in the state folder `root`.
    ///
    /// # Errors
    /// When the template cannot be read, or is none.
    pub fn new(root: &Path, options: FileOptions) -> Result<Self, TemplateError> {
        let template =
            options.template.as_deref().map(|path| Template::read(path, template::FUEL)).transpose()?;
        let folders = Arc::new(Folders::new(root));
        Ok(Self { folders, template: template.map(Arc::new), check: options.check, reload: options.reload })
    }
}

#[async_trait]
impl Driver for FileDriver {
    async fn apply(&mut self, set: &EffectiveSet) -> Result<(), ApplyError> {
        let staged = self.stage(set).await?;
        if let Err(error) = self.check(&staged).await {
            self.discard(staged).await;
            return Err(error);
        }
        let before = self.swap(&staged).await?;
        if let Err(words) = run(self.reload.as_ref(), &staged).await {
            return Err(ApplyError::Reload(self.back_out(before, staged, words).await));
        }
        let folders = self.folders.clone();
        if let Err(error) = blocking(move || folders.prune()).await {
            tracing::warn!(%error, "old sets cannot be removed");
        }
        Ok(())
    }
}

impl FileDriver {
    /// Renders the set and writes it to a new folder.
    async fn stage(&self, set: &EffectiveSet) -> Result<Staged, ApplyError> {
        let (set, template, folders) = (set.clone(), self.template.clone(), self.folders.clone());
        let staging = tokio::task::spawn_blocking(move || {
            let files = template::render(&set, template.as_deref()).map_err(ApplyError::Render)?;
            folders.stage(set.digest, &files).map_err(|error| ApplyError::Failed(format!("staging: {error}")))
        });
        staging.await.unwrap_or_else(|panicked| Err(ApplyError::Failed(panicked.to_string())))
    }

    async fn check(&self, staged: &Staged) -> Result<(), ApplyError> {
        run(self.check.as_ref(), staged).await.map_err(ApplyError::Check)
    }

    async fn swap(&self, staged: &Staged) -> Result<Option<Staged>, ApplyError> {
        let (folders, to) = (self.folders.clone(), staged.clone());
        let swapped = blocking(move || folders.swap(Some(&to))).await;
        swapped.map_err(|error| ApplyError::Failed(format!("swapping: {error}")))
    }

    /// Puts back what was there before a failed reload, and has that loaded; says how all of it went.
    async fn back_out(&self, before: Option<Staged>, staged: Staged, words: String) -> String {
        let (folders, to) = (self.folders.clone(), before.clone());
        if let Err(error) = blocking(move || folders.swap(to.as_ref())).await {
            return format!("{words}; the set before could not be put back: {error}");
        }
        self.discard(staged).await;
        let Some(before) = before else { return words };
        match run(self.reload.as_ref(), &before).await {
            Ok(()) => words,
            Err(again) => format!("{words}; the set before could not be reloaded either: {again}"),
        }
    }

    async fn discard(&self, staged: Staged) {
        if let Err(error) = blocking(move || std::fs::remove_dir_all(&staged.path)).await {
            tracing::debug!(%error, "a refused set cannot be removed");
        }
    }
}

async fn run(hook: Option<&Hook>, staged: &Staged) -> Result<(), String> {
    match hook {
        Some(hook) => hook.run(&staged.path, &staged.digest).await,
        None => Ok(()),
    }
}

/// Work on the disk, beside the runtime.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|panicked| Err(io::Error::other(panicked)))
}

#[cfg(test)]
mod tests;
