//! The folders of staged sets, and the symlinks to the one that should serve and the one that last did.

use super::{EffectiveSet, record, record::Record};
use crate::disk;
use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

/// Sets that are kept, the current and the last good one among them.
const KEPT: usize = 3;

const SETS: &str = "sets";

/// Digits of the digest in a folder's name.
const DIGITS: usize = 16;

/// Files of a set that are open at a time.
const OPEN_FILES: usize = 64;

/// `<root>/sets/<first 16 digits of the digest>-<number>`, `<root>/current` and `<root>/last-good`.
#[derive(Clone)]
pub(super) struct Folders {
    root: PathBuf,
}

/// A symlink to a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// The set that the proxy should serve.
    Current,
    /// The set that was last seen to serve. Where it is another than the current one, that was never verified.
    LastGood,
}

/// A set that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    /// Its folder, as an absolute path.
    pub path: PathBuf,
    /// Which set it is.
    pub record: Record,
}

/// A file of a set.
#[derive(Clone, PartialEq, Eq)]
pub struct StagedFile {
    /// Its name, without a folder.
    pub name: String,
    /// What stands in it.
    pub bytes: Vec<u8>,
    /// Whether nobody but the owner may read it.
    pub secret: bool,
}

impl StagedFile {
    /// A file that holds no secret.
    #[must_use]
    pub fn plain(name: impl Into<String>, text: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), bytes: text.into(), secret: false }
    }
}

/// It may hold a key.
impl std::fmt::Debug for StagedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} bytes)", self.name, self.bytes.len())
    }
}

impl Link {
    fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::LastGood => "last-good",
        }
    }
}

impl Folders {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The folder that a set will have.
    pub(super) fn next(&self, set: &EffectiveSet) -> io::Result<PathBuf> {
        let number = self.numbered()?.last().map_or(0, |(number, _)| *number) + 1;
        let digits: String = set.digest.to_string().chars().take(DIGITS).collect();
        Ok(self.root.join(SETS).join(format!("{digits}-{number}")))
    }

    /// Writes a set to its folder, so that it is there as a whole or not at all, and survives a loss of power.
    pub(super) fn stage(&self, path: &Path, record: Record, files: &[StagedFile]) -> io::Result<Staged> {
        let sets = self.root.join(SETS);
        make_folder(&sets)?;
        let new = path.with_added_extension("new");
        let _ = fs::remove_dir_all(&new);
        fs::create_dir(&new)?;
        let written = (|| {
            let record = StagedFile::plain(record::FILE, record.bytes()?);
            let create = |file: &StagedFile| disk::create(&new.join(&file.name), &file.bytes, file.secret);
            for some in files.chunks(OPEN_FILES).chain([std::slice::from_ref(&record)]) {
                disk::sync_all(&some.iter().map(create).collect::<io::Result<Vec<_>>>()?)?;
            }
            disk::sync_folder(&new)?;
            fs::rename(&new, path)?;
            disk::sync_folder(&sets)
        })();
        if let Err(error) = written {
            let _ = fs::remove_dir_all(&new);
            return Err(error);
        }
        Ok(Staged { path: path.to_owned(), record })
    }

    /// Whether these very files stand in the folder of a set.
    pub(super) fn holds(staged: &Staged, files: &[StagedFile]) -> bool {
        files.iter().all(|file| fs::read(staged.path.join(&file.name)).is_ok_and(|bytes| bytes == file.bytes))
    }

    /// Points a link at a set, or at none.
    pub(super) fn point(&self, link: Link, to: Option<&Staged>) -> io::Result<()> {
        let path = self.root.join(link.name());
        match to.and_then(|staged| staged.path.file_name()) {
            Some(name) => {
                let new = path.with_added_extension("new");
                let _ = fs::remove_file(&new);
                symlink(Path::new(SETS).join(name), &new)?;
                clear(&path)?;
                fs::rename(&new, &path)?;
            }
            None => fs::remove_file(&path).or_else(ignore_absent)?,
        }
        if let Err(error) = disk::sync_folder(&self.root) {
            // It is done all the same; a loss of power may undo it, and then the start applies it again.
            tracing::warn!(%error, "the swap may not survive a loss of power");
        }
        Ok(())
    }

    /// The set that a link points to, if it is one.
    pub(super) fn at(&self, link: Link) -> Option<Staged> {
        let path = fs::canonicalize(self.root.join(link.name())).ok()?;
        match Record::read(&path) {
            Ok(record) => Some(Staged { path, record }),
            Err(error) => {
                let path = path.display();
                tracing::warn!(%error, %path, "this set cannot be read, and is not used");
                None
            }
        }
    }

    /// Removes the oldest sets, and never one that a link points to.
    pub(super) fn prune(&self) -> io::Result<()> {
        let linked = [Link::Current, Link::LastGood]
            .map(|link| fs::canonicalize(self.root.join(link.name())).unwrap_or_default());
        let mut old: Vec<_> = self.numbered()?.into_iter().map(|(_, path)| path).collect();
        let before = old.len();
        old.retain(|path| !linked.contains(path));
        let excess = before.saturating_sub(KEPT).min(old.len());
        old.iter().take(excess).try_for_each(fs::remove_dir_all)
    }

    /// The folders of sets with their numbers, the oldest first.
    fn numbered(&self) -> io::Result<Vec<(u64, PathBuf)>> {
        let sets = self.root.join(SETS);
        make_folder(&sets)?;
        let mut found = Vec::new();
        for entry in fs::read_dir(sets)? {
            let path = entry?.path();
            let number = path.file_name().and_then(|name| name.to_str()).and_then(number_of);
            found.extend(number.map(|number| (number, path)));
        }
        found.sort_unstable();
        Ok(found)
    }
}

/// `7` of `0123456789abcdef-7`, and of one that was never finished.
fn number_of(name: &str) -> Option<u64> {
    name.rsplit_once('-')?.1.trim_end_matches(".new").parse().ok()
}

/// Makes a folder, and moves aside what is none and stands in its place.
fn make_folder(path: &Path) -> io::Result<()> {
    if path.symlink_metadata().is_ok_and(|it| !it.is_dir()) {
        set_aside(path)?;
    }
    fs::create_dir_all(path)
}

/// Moves aside what is no symlink and stands in the place of one.
fn clear(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(it) if !it.is_symlink() => set_aside(path),
        _ => Ok(()),
    }
}

fn set_aside(path: &Path) -> io::Result<()> {
    let aside = path.with_added_extension("broken");
    tracing::error!(path = %path.display(), aside = %aside.display(), "something else stood here; it is moved aside");
    let _ = fs::remove_dir_all(&aside);
    fs::rename(path, aside)
}

fn ignore_absent(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}
