//! A Python virtual environment in the target folder, with the clients under test and tools distributed as wheels.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::workspace::{Workspace, run};

/// The lists of packages, relative to the root.
const REQUIREMENTS: [&str; 2] = ["conformance/requirements.txt", "xtask/tools.txt"];

/// A program of the environment.
pub(super) fn program(workspace: &Workspace, name: &str) -> PathBuf {
    folder(workspace).join("bin").join(name)
}

/// Creates the environment, unless it exists with the same requirements.
pub(super) fn install(workspace: &Workspace) -> Result<()> {
    let mut wanted = String::new();
    for file in REQUIREMENTS {
        wanted += &fs::read_to_string(workspace.root.join(file)).with_context(|| format!("read {file}"))?;
    }
    let stamp = folder(workspace).join("requirements");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    run(workspace.command("python3").args(["-m", "venv", "--clear"]).arg(folder(workspace)))?;
    for file in REQUIREMENTS {
        let mut pip = workspace.command(program(workspace, "pip"));
        run(pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement", file]))?;
    }
    // Last, so that an incomplete environment is created again.
    fs::write(&stamp, wanted).with_context(|| format!("write {}", stamp.display()))
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("python")
}
