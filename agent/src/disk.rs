//! Writes to disk that survive a loss of power.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    thread,
};

/// Files that are made durable at a time.
const SYNCS: usize = 8;

/// Puts a file in the place of another: whoever reads it, and whenever the power fails, it is whole. There is one
/// writer. Nobody but the owner may read it.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_added_extension("new");
    let mut file = File::options().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

/// The same for what may as well be lost with the power.
pub(crate) fn replace_for_now(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_added_extension("new");
    let mut file = File::options().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
    file.write_all(bytes)?;
    fs::rename(&new, path)
}

/// Writes a new file, for the owner alone when it is `secret`. It does not survive a loss of power before [`sync_all`].
pub(crate) fn create(path: &Path, bytes: &[u8], secret: bool) -> io::Result<File> {
    let mode = if secret { 0o600 } else { 0o644 };
    let mut file = File::options().create_new(true).write(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    Ok(file)
}

/// Makes files durable, several at a time: a disk writes down together what it is asked for together.
pub(crate) fn sync_all(files: &[File]) -> io::Result<()> {
    thread::scope(|scope| {
        let part = files.len().div_ceil(SYNCS).max(1);
        let syncing = files.chunks(part).map(|part| scope.spawn(|| part.iter().try_for_each(File::sync_all)));
        let syncing: Vec<_> = syncing.collect();
        let panicked = |_| Err(io::Error::other("a thread that syncs has panicked"));
        syncing.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(panicked))
    })
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
