//! `cargo xtask fmt`: rustfmt over every file, also those that it does not find itself.

use std::process::Command;

use anyhow::{Result, bail};

use crate::workspace::{Workspace, entries, run as run_command, sources, succeeds};

/// Formats all files.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    run_command(&mut rustfmt(workspace, "fmt --all --")?)
}

/// Fails if a file is not formatted.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    if !succeeds(&mut rustfmt(workspace, "fmt --all --check --")?) {
        bail!("files are not formatted; run `cargo xtask fmt`");
    }
    Ok(())
}

/// rustfmt does not find modules that a macro declares, so their folders are listed.
fn rustfmt(workspace: &Workspace, arguments: &str) -> Result<Command> {
    let mut fmt = workspace.cargo(arguments);
    for krate in entries(&workspace.root.join("crates"))? {
        for folder in ["src/actions", "tests/it"].map(|folder| krate.join(folder)) {
            if folder.is_dir() {
                fmt.args(sources(&folder)?);
            }
        }
    }
    Ok(fmt)
}
