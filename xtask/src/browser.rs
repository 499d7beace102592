//! Scripts in Debian's Chromium, driven by playwright-core from npm, as the tests of the console do.

use std::ffi::OsStr;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::workspace::{Workspace, command, run, succeeds};

const PACKAGE: &str = "playwright-core@1.65.1";

/// Runs a script with these arguments, and returns what it prints.
pub(crate) fn run_script(
    workspace: &Workspace,
    script: &str,
    arguments: &[impl AsRef<OsStr>],
) -> Result<String> {
    for program in ["chromium", "npm"] {
        if !succeeds(Command::new("sh").args(["-c", &format!("command -v {program}")])) {
            bail!("install the Debian packages chromium and npm");
        }
    }
    let folder = workspace.target.join("browser");
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    run(&mut command(&folder, "npm", &format!("install --silent {PACKAGE}")))?;
    // Node looks for packages from the folder of the script upward.
    let file = folder.join("script.mjs");
    fs::write(&file, script).with_context(|| format!("write {}", file.display()))?;
    let output = Command::new("node").arg(&file).args(arguments).output().context("start node")?;
    if !output.status.success() {
        bail!("the script in the browser failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}
