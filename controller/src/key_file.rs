//! The file that holds the API keys.

use anyhow::Context;
use bellwether_controller::ApiKeys;
use std::{
    fs::{self, File},
    io::Read,
    os::unix::fs::PermissionsExt,
    path::Path,
};

/// Any user of this machine may read it.
const BY_OTHERS: u32 = 0o004;

/// What stands in the file of API keys.
pub(crate) struct KeyFile {
    pub(crate) keys: ApiKeys,
    /// Whether every user of this machine can read it.
    pub(crate) readable_by_others: bool,
}

impl KeyFile {
    /// Reads the file. The error shows nothing of what stands in it.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let (text, mode) = contents(path).with_context(|| format!("--api-key-file {shown}"))?;
        let keys = ApiKeys::parse(&text).with_context(|| format!("--api-key-file {shown}"))?;
        Ok(Self { keys, readable_by_others: mode & BY_OTHERS != 0 })
    }
}

/// The text and the permissions of one and the same file.
fn contents(path: &Path) -> std::io::Result<(String, u32)> {
    let mut file = File::open(path)?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let metadata: fs::Metadata = file.metadata()?;
    Ok((text, metadata.permissions().mode()))
}
