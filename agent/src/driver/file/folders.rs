//! The folders of staged sets, and the symlink to the one that serves.

use crate::disk;
use bellwether_ingress::Digest;
use serde::Deserialize;
use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

/// Sets that are kept, the current one among them.
const KEPT: usize = 3;

const SETS: &str = "sets";
const CURRENT: &str = "current";

/// `<root>/sets/<first 16 digits of the digest>-<number>` and `<root>/current`.
pub(super) struct Folders {
    root: PathBuf,
}

/// A set that was written.
#[derive(Clone)]
pub(super) struct Staged {
    /// Its folder, as an absolute path.
    pub(super) path: PathBuf,
    /// Its digest.
    pub(super) digest: String,
}

/// A file of a set.
pub(super) struct StagedFile {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

impl Folders {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Writes a set to a new folder, so that it survives a loss of power.
    pub(super) fn stage(&self, digest: Digest, files: &[StagedFile]) -> io::Result<Staged> {
        let sets = self.root.join(SETS);
        fs::create_dir_all(&sets)?;
        let number = self.numbered()?.last().map_or(0, |(number, _)| *number) + 1;
        let digest = digest.to_string();
        let short: String = digest.chars().take(16).collect();
        let path = sets.join(format!("{short}-{number}"));
        fs::create_dir(&path)?;
        let written = files.iter().try_for_each(|file| disk::create(&path.join(&file.name), &file.bytes));
        let durable = written.and_then(|()| disk::sync_folder(&path)).and_then(|()| disk::sync_folder(&sets));
        if let Err(error) = durable {
            let _ = fs::remove_dir_all(&path);
            return Err(error);
        }
        Ok(Staged { path, digest })
    }

    /// Points `current` at a set, or at none; returns the one before.
    pub(super) fn swap(&self, to: Option<&Staged>) -> io::Result<Option<Staged>> {
        let before = self.current();
        let link = self.root.join(CURRENT);
        match to.and_then(|staged| staged.path.file_name()) {
            Some(name) => {
                let new = self.root.join("current.new");
                let _ = fs::remove_file(&new);
                symlink(Path::new(SETS).join(name), &new)?;
                fs::rename(&new, &link)?;
            }
            None => fs::remove_file(&link)?,
        }
        if let Err(error) = disk::sync_folder(&self.root) {
            // It is done all the same; a loss of power may undo it, and then the start applies it again.
            tracing::warn!(%error, "the swap may not survive a loss of power");
        }
        Ok(before)
    }

    /// The set that `current` points to.
    fn current(&self) -> Option<Staged> {
        let path = fs::canonicalize(self.root.join(CURRENT)).ok()?;
        let digest = read_digest(&path).unwrap_or_default();
        Some(Staged { path, digest })
    }

    /// Removes the oldest sets, and never the current one.
    pub(super) fn prune(&self) -> io::Result<()> {
        let current = self.current().map(|staged| staged.path);
        let mut old: Vec<_> = self.numbered()?.into_iter().map(|(_, path)| path).collect();
        old.retain(|path| Some(path) != current.as_ref());
        let kept = KEPT - usize::from(current.is_some());
        let excess = old.len().saturating_sub(kept);
        old.iter().take(excess).try_for_each(fs::remove_dir_all)
    }

    /// The folders of sets with their numbers, the oldest first.
    fn numbered(&self) -> io::Result<Vec<(u64, PathBuf)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.root.join(SETS))? {
            let path = entry?.path();
            let number = path.file_name().and_then(|name| name.to_str()).and_then(number_of);
            found.extend(number.map(|number| (number, path)));
        }
        found.sort_unstable();
        Ok(found)
    }
}

/// `7` of `0123456789abcdef-7`.
fn number_of(name: &str) -> Option<u64> {
    name.rsplit_once('-')?.1.parse().ok()
}

#[derive(Deserialize)]
struct DigestOnly {
    digest: String,
}

fn read_digest(folder: &Path) -> Option<String> {
    let bytes = fs::read(folder.join(super::template::INGRESS_JSON)).ok()?;
    serde_json::from_slice(&bytes).ok().map(|DigestOnly { digest }| digest)
}
