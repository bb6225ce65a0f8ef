//! The steps that every proxy takes to a new set, and the way back from each.

use super::{
    ApplyError, Blame, Driver, EffectiveSet, Failure, Proxy, Staged, Step,
    folders::{Folders, Link},
    record::Record,
};
use async_trait::async_trait;
use std::{io, path::Path, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

/// Takes a proxy from set to set: stages each as a new folder, has it checked, points the symlink `current` at it, has
/// it loaded, and sees it serve. Whatever fails, the last good set serves again.
pub struct ProxyDriver<P> {
    folders: Folders,
    proxy: Arc<P>,
    /// Whether a set was applied, or recovered, since the start.
    begun: bool,
}

impl<P> ProxyDriver<P> {
    /// A driver of `proxy` that works in the state folder `root`.
    pub(super) fn of(root: &Path, proxy: P) -> Self {
        Self { folders: Folders::new(root), proxy: Arc::new(proxy), begun: false }
    }
}

#[async_trait]
impl<P: Proxy> Driver for ProxyDriver<P> {
    async fn recover(&mut self) -> Result<(), ApplyError> {
        let (current, good) = (self.folders.at(Link::Current), self.folders.at(Link::LastGood));
        if let Some(current) = &current
            && self.proxy.serves(current).await
        {
            self.note_good(current).await;
            return Ok(());
        }
        let Some(good) = good else { return Ok(()) };
        if current.as_ref() != Some(&good) {
            tracing::warn!("an agent that ended left a set unverified; back to the last good one");
            self.swap(Some(&good)).await?;
        }
        self.bring_back(&good).await
    }

    async fn apply(&mut self, set: &EffectiveSet) -> Result<(), ApplyError> {
        let before = self.folders.at(Link::Current);
        let first = !std::mem::replace(&mut self.begun, true);
        if let Some(before) = before.as_ref().filter(|before| first && before.record.is_of(set))
            && self.is_written(set, before).await
            && self.proxy.serves(before).await
        {
            self.note_good(before).await;
            return Ok(());
        }
        let staged = self.stage(set, before.clone()).await?;
        if let Err(error) = self.check(&staged, before.as_ref()).await {
            self.discard(&staged).await;
            return Err(error);
        }
        if let Err(error) = self.swap(Some(&staged)).await {
            self.discard(&staged).await;
            return Err(error);
        }
        if let Err(error) = self.load(&staged).await {
            return Err(self.back_out(before, &staged, error).await);
        }
        self.note_good(&staged).await;
        let folders = self.folders.clone();
        if let Err(error) = blocking(move || folders.prune()).await {
            tracing::warn!(%error, "old sets cannot be removed");
        }
        Ok(())
    }

    fn trouble(&self) -> Option<watch::Receiver<Option<String>>> {
        self.proxy.trouble()
    }

    async fn close(&mut self) {
        self.proxy.close().await;
    }
}

impl<P: Proxy> ProxyDriver<P> {
    /// Renders, stages and checks a set, and throws it away: whether it would serve, as far as that can be known.
    ///
    /// # Errors
    /// Which of these steps failed.
    pub async fn judge(&self, set: &EffectiveSet) -> Result<(), ApplyError> {
        let before = self.folders.at(Link::Current);
        let staged = self.stage(set, before.clone()).await?;
        let judged = self.check(&staged, before.as_ref()).await;
        self.discard(&staged).await;
        judged
    }

    /// Renders a set and writes it to a new folder.
    async fn stage(&self, set: &EffectiveSet, before: Option<Staged>) -> Result<Staged, ApplyError> {
        let limits = self.proxy.limits();
        let (folders, proxy, given) = (self.folders.clone(), self.proxy.clone(), set.clone());
        let rendering = beside(move || {
            let folder = folders.next(&given)?;
            let rendered = proxy.render(&given, &folder, before.as_ref())?;
            Ok((folder, rendered))
        });
        let (folder, rendered) = within(Step::Render, limits.render, rendering).await?;
        let record = Record::of(set, rendered.listeners, rendered.needs);
        let folders = self.folders.clone();
        let staging = beside(move || Ok(folders.stage(&folder, record, &rendered.files)?));
        within(Step::Stage, limits.stage, staging).await
    }

    /// Whether `staged` is what this set renders to today: a certificate may have been renewed since.
    async fn is_written(&self, set: &EffectiveSet, staged: &Staged) -> bool {
        let (proxy, set, staged) = (self.proxy.clone(), set.clone(), staged.clone());
        let comparing = beside(move || {
            let rendered = proxy.render(&set, &staged.path, Some(&staged))?;
            Ok(Folders::holds(&staged, &rendered.files))
        });
        within(Step::Render, self.proxy.limits().render, comparing).await.unwrap_or(false)
    }

    async fn check(&self, staged: &Staged, before: Option<&Staged>) -> Result<(), ApplyError> {
        within(Step::Check, self.proxy.limits().check, self.proxy.check(staged, before)).await
    }

    async fn swap(&self, to: Option<&Staged>) -> Result<(), ApplyError> {
        let (folders, to) = (self.folders.clone(), to.cloned());
        let swapping = beside(move || Ok(folders.point(Link::Current, to.as_ref())?));
        within(Step::Swap, self.proxy.limits().swap, swapping).await
    }

    /// Has the proxy load what `current` points to, and sees it serve.
    async fn load(&self, staged: &Staged) -> Result<(), ApplyError> {
        let limits = self.proxy.limits();
        within(Step::Reload, limits.reload, self.proxy.reload(staged)).await?;
        within(Step::Verify, limits.verify, self.proxy.verify(staged)).await
    }

    /// Puts back what was there before, and sees that serve; the error says when that did not work either.
    async fn back_out(&self, before: Option<Staged>, staged: &Staged, mut error: ApplyError) -> ApplyError {
        // A proxy that somebody else runs cannot start before there is something to start on.
        if before.is_none() && error.blame == Blame::Proxy {
            return error;
        }
        if let Err(again) = self.swap(before.as_ref()).await {
            error.words = format!("{}; the set before could not be put back: {}", error.words, again.words);
            return error;
        }
        match before {
            None => self.proxy.unload().await,
            Some(before) => {
                if let Err(again) = self.bring_back(&before).await {
                    error.words = format!(
                        "{}; the set before could not be reloaded either: {}",
                        error.words, again.words
                    );
                }
            }
        }
        self.discard(staged).await;
        error
    }

    /// Has a set serve that did before. It may seem to, while the proxy is about to load another: so it is loaded in any
    /// case, and only when that fails it is enough that it serves.
    async fn bring_back(&self, good: &Staged) -> Result<(), ApplyError> {
        let Err(error) = self.load(good).await else { return Ok(()) };
        if self.proxy.serves(good).await {
            return Ok(());
        }
        let limits = self.proxy.limits();
        match within(Step::Reload, limits.reload, self.proxy.revive(good)).await {
            Ok(()) => within(Step::Verify, limits.verify, self.proxy.verify(good)).await,
            Err(_) => Err(error),
        }
    }

    async fn note_good(&self, staged: &Staged) {
        let (folders, to) = (self.folders.clone(), staged.clone());
        if let Err(error) = blocking(move || folders.point(Link::LastGood, Some(&to))).await {
            tracing::warn!(%error, "what serves cannot be noted as the last good set");
        }
    }

    async fn discard(&self, staged: &Staged) {
        let path = staged.path.clone();
        if let Err(error) = blocking(move || std::fs::remove_dir_all(path)).await {
            tracing::debug!(%error, "a refused set cannot be removed");
        }
    }
}

/// One step, with what it may take.
async fn within<T>(
    step: Step,
    limit: Duration,
    doing: impl Future<Output = Result<T, Failure>>,
) -> Result<T, ApplyError> {
    let started = Instant::now();
    let outcome = timeout(limit, doing).await;
    let labels = [("step", step.name())];
    metrics::histogram!("bellwether_agent_step_duration_seconds", &labels).record(started.elapsed());
    match outcome {
        Ok(done) => done.map_err(|failure| failure.at(step)),
        Err(_) => Err(Failure::of_proxy(format!("no end after {limit:?}")).at(step)),
    }
}

/// Work on the disk, beside the runtime.
async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|panicked| Err(io::Error::other(panicked).into()))
}

/// The same, for what fails only by the disk.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|panicked| Err(io::Error::other(panicked)))
}
