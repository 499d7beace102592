//! `cargo xtask semver`: whether the published crates break code that uses an earlier version of them.

use anyhow::{Result, bail};

use crate::package::CRATES;
use crate::workspace::{Workspace, run as run_command, succeeds};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The tag or commit to compare with.
    #[arg(value_name = "REVISION")]
    since: String,
}

/// Fails for a change that the version in `Cargo.toml` does not allow.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    if !succeeds(&mut workspace.cargo("semver-checks --version")) {
        bail!("install the tool: cargo install --locked cargo-semver-checks");
    }
    let mut check = workspace.cargo("semver-checks --all-features --baseline-rev");
    check.arg(&args.since);
    for name in CRATES {
        check.args(["--package", name]);
    }
    run_command(&mut check)
}
