//! The project's own files, for tests that read them.

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the workspace.
pub fn root() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests)
}

/// A file in it: `path("scripts/test")`.
pub fn path(relative: &str) -> PathBuf {
    root().join(relative)
}

/// A text file of the project.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Relative to the workspace, with `/` between its parts.
    pub path: String,
    /// All of it.
    pub text: String,
}

/// Every text file of the project, sorted by path; build output and version control are none.
///
/// # Panics
/// When the disk refuses.
pub fn files() -> Vec<SourceFile> {
    let mut files = Vec::new();
    collect(root(), &mut files);
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

fn collect(folder: &Path, files: &mut Vec<SourceFile>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries.flatten() {
        let path = entry.path();
        let kind = entry.file_type().expect("the kind of a file");
        if kind.is_dir() && !is_foreign(&path) {
            collect(&path, files);
        } else if kind.is_file() {
            files.extend(source_file(&path));
        }
    }
}

/// `.git`, `target` and any other folder that cargo has marked as a cache.
fn is_foreign(folder: &Path) -> bool {
    folder.ends_with(".git") || folder.ends_with("target") || folder.join("CACHEDIR.TAG").exists()
}

fn source_file(path: &Path) -> Option<SourceFile> {
    let relative = path.strip_prefix(root()).ok()?;
    let text = String::from_utf8(fs::read(path).ok()?).ok()?;
    Some(SourceFile { path: relative.to_str()?.to_owned(), text })
}
