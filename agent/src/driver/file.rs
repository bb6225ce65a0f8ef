//! The `file` driver: writes the set to a folder, and tells a command of the operator's to load it.

mod template;

use super::{EffectiveSet, Failure, Hook, Limits, Proxy, ProxyDriver, Rendered, Staged};
use async_trait::async_trait;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use template::Template;
pub use template::TemplateError;

/// What a command's own time limit is given on top, to be ended in.
const ENDING: Duration = Duration::from_secs(5);

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
pub type FileDriver = ProxyDriver<Files>;

/// A proxy of which nothing is known but the operator's commands.
pub struct Files {
    template: Option<Template>,
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
        Ok(Self::of(root, Files { template, check: options.check, reload: options.reload }))
    }
}

#[async_trait]
impl Proxy for Files {
    fn limits(&self) -> Limits {
        let limit =
            |hook: &Option<Hook>| hook.as_ref().map_or(Duration::ZERO, |hook| hook.time_limit) + ENDING;
        Limits { check: limit(&self.check), reload: limit(&self.reload), ..Limits::default() }
    }

    fn render(&self, set: &EffectiveSet, _: &Path, _: Option<&Staged>) -> Result<Rendered, Failure> {
        let files = template::render(set, self.template.as_ref()).map_err(Failure::of_set)?;
        Ok(Rendered { files, ..Rendered::default() })
    }

    async fn check(&self, staged: &Staged, _: Option<&Staged>) -> Result<(), Failure> {
        run(self.check.as_ref(), staged).await
    }

    async fn reload(&self, staged: &Staged) -> Result<(), Failure> {
        run(self.reload.as_ref(), staged).await
    }

    /// The commands have the last word.
    async fn verify(&self, _: &Staged) -> Result<(), Failure> {
        Ok(())
    }

    /// Nobody knows what the proxy has loaded.
    async fn serves(&self, _: &Staged) -> bool {
        false
    }

    async fn revive(&self, _: &Staged) -> Result<(), Failure> {
        Err(Failure::of_proxy("there is no other way than --reload"))
    }
}

async fn run(hook: Option<&Hook>, staged: &Staged) -> Result<(), Failure> {
    match hook {
        Some(hook) => {
            hook.run(&staged.path, &staged.record.digest.to_string()).await.map_err(Failure::of_set)
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
