//! A Python virtual environment in the target folder, with the clients under test and tools distributed as wheels.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::workspace::{Workspace, run};

/// The lists of packages, relative to the root.
const REQUIREMENTS: [&str; 2] = ["conformance/requirements.txt", "xtask/tools.txt"];

/// A program of the environment, with arguments separated by spaces.
pub(super) fn command(workspace: &Workspace, name: &str, arguments: &str) -> Command {
    workspace.command(folder(workspace).join("bin").join(name), arguments)
}

/// Creates the environment, unless it exists with the same requirements.
pub(super) fn install(workspace: &Workspace) -> Result<()> {
    let wanted = REQUIREMENTS.map(|file| workspace.read(file)).into_iter().collect::<Result<String>>()?;
    let stamp = folder(workspace).join("requirements");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    run(workspace.command("python3", "-m venv --clear").arg(folder(workspace)))?;
    for file in REQUIREMENTS {
        let arguments = format!("install --quiet --disable-pip-version-check --requirement {file}");
        run(&mut command(workspace, "pip", &arguments))?;
    }
    // Last, so that an incomplete environment is created again.
    fs::write(&stamp, wanted).with_context(|| format!("write {}", stamp.display()))
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("python")
}
