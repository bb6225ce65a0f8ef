//! Finds the programs of other people that the tests start.

use std::path::PathBuf;

/// Where a program stands: in `folder`, else on the path, else where Debian keeps servers.
///
/// # Panics
/// When it is not installed: nothing is skipped in silence.
pub(crate) fn installed(program: &str, folder: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut candidates = [PathBuf::from(folder)]
        .into_iter()
        .chain(std::env::split_paths(&path))
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join(program));
    candidates
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| panic!("{program} is not installed: run scripts/install, or install it by hand"))
}
