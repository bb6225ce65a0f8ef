//! Has HAProxy check a staged set.

use super::{
    render::CONFIG,
    words::{Checked, causes},
};
use crate::{
    driver::{Failure, Staged},
    words::last_lines,
};
use std::{fs, path::Path, process::Stdio};
use tokio::process::Command;

/// Lines that are told of a checker that says no and not why.
const LINES: usize = 5;

/// Runs `haproxy -c` on a set.
pub(super) async fn check(program: &Path, staged: &Staged) -> Result<(), Failure> {
    let running = Command::new(program)
        .arg("-c")
        .arg("-f")
        .arg(staged.path.join(CONFIG))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await;
    let output = running.map_err(|error| Failure::of_proxy(format!("{}: {error}", program.display())))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let causes = causes(&String::from_utf8_lossy(&said));
    if causes.is_empty() {
        return Err(Failure::of_set(format!("{}: {}", output.status, last_lines(&said, LINES))));
    }
    let config = fs::read_to_string(staged.path.join(CONFIG)).unwrap_or_default();
    let checked = Checked { folder: &staged.path, config: &config, documents: &staged.record.needs };
    match checked.blamed(&causes) {
        blamed if blamed.is_empty() => Err(Failure::of_set(checked.in_short(&causes))),
        blamed => Err(Failure::of_documents(blamed)),
    }
}
