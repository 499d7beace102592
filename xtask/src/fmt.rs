//! `cargo xtask fmt`: rustfmt over every file, also those that it does not find itself.

use anyhow::{Result, bail};

use crate::workspace::{Workspace, run as run_command, succeeds};

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    // rustfmt does not find modules that a macro declares, so all files are listed.
    run_command(workspace.cargo("fmt --all --").args(workspace.sources()?))
}

/// Fails if a file is not formatted.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    if !succeeds(workspace.cargo("fmt --all --check --").args(workspace.sources()?)) {
        bail!("files are not formatted; run `cargo xtask fmt`");
    }
    Ok(())
}
